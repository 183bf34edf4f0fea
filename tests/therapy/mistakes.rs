//! Schedules that make no sense are refused, by name, file and line.

use super::*;

/// What is said of a timeline in a scene with these drugs of its own: the fourth line, and the sixth.
fn told(timeline: &str, drugs: &str) -> String {
    let scene = format!(
        "(title: \"t\", about: \"\", pace: Calibrated, duration: Days(2),\n\
        sites: [(name: \"a\", organ: Breast, size_um: (40, 40, 40), perfusion_length_um: 100, fields: [(molecule: \"oxygen\", level: 40)])],\n\
        timeline: [\n{timeline}\n], drugs: [\n{drugs}\n])"
    );
    match Program::default().parse_scene(&scene, "wrong.ron", None) {
        Ok(_) => String::new(),
        Err(report) => report.to_string(),
    }
}

#[test]
fn schedules_that_make_no_sense_are_refused_by_name_file_and_line() {
    for (wrong, says) in [
        (
            r#"At(Hours(1), Give(drug: "anti_pd1", mg_per_kg: 10))"#,
            "there is no drug `anti_pd1`; did you mean `anti_pd_1`?",
        ),
        (
            r#"At(Hours(1), Give(drug: "anti_pd_1", mg_per_kg: -3))"#,
            "must be greater than 0, found -3",
        ),
        (
            r#"At(Hours(-1), Give(drug: "anti_pd_1", mg_per_kg: 3))"#,
            "wrong.ron:4",
        ),
        (
            r#"At(Hours(1), Give(drug: "anti_pd_1"))"#,
            "a dose needs `mg_per_kg` or `mg`",
        ),
        (
            r#"At(Hours(1), Give(drug: "anti_pd_1", mg: 1, mg_per_kg: 3))"#,
            "not in both",
        ),
        (
            r#"At(Hours(1), Give(drug: "anti_pd_1", mg: 1, route: Oral))"#,
            "`anti_pd_1` cannot be given that way: it has no `oral`",
        ),
        (
            r#"At(Hours(1), Give(drug: "anti_pd_1", mg: 1, times: 3))"#,
            "3 doses need `every`",
        ),
        (
            r#"At(Hours(1), Give(drug: "anti_pd_1", mg: 1, every: Hours(0), times: 3))"#,
            "must be greater than 0, found 0",
        ),
        (
            r#"At(Hours(1), Irradiate(gray: -2))"#,
            "must be at least 0, found -2",
        ),
        (
            r#"At(Hours(1), Resect(place: Point(at_um: (0, 0, 0))))"#,
            "no cell lies in a point",
        ),
        (
            r#"At(Hours(1), Transfer(cell: "cd8", cells: 10))"#,
            "there is no cell type `cd8`",
        ),
        (
            r#"At(Hours(1), Inject(drug: "collagenase", site: "b", place: Ball(radius_um: 10), fmol: 1))"#,
            "there is no site `b`",
        ),
    ] {
        let found = told(wrong, "");
        assert!(found.contains(says), "{wrong}: {found}");
        assert!(found.contains("wrong.ron:4"), "{wrong}: {found}");
    }
    assert_eq!(
        told(r#"At(Hours(1), Give(drug: "anti_pd_1", mg_per_kg: 3))"#, ""),
        ""
    );
}

#[test]
fn drugs_of_a_scene_are_checked_where_they_stand() {
    let given = r#"At(Hours(1), Give(drug: "anti_pd_1", mg: 1)), At(Hours(1), Give(drug: "elixir", mg: 1))"#;
    let elixir = r#"(name: "elixir", label: "elixir", about: "a test", molar_mass_g_per_mol: 500, mouse: (weight_kg: 0.02, central_ml: 1, clearance_ml_per_day: 1, intravenous: ()), tissue: (diffusivity_um2_per_min: 1000), effects: {"slows": (input: "motility.speed", law: Inhibit(half: 1), about: "slows", source: "assumed")}, source: "a test")"#;
    assert_eq!(told(given, elixir), "");
    for (right, wrong, says) in [
        ("central_ml: 1", "central_ml: 0", "found 0"),
        (
            "(diffusivity_um2_per_min: 1000)",
            "(diffusivity_um2_per_min: 1000, coarsen: 0)",
            "must be a whole number from 1 to 64, found 0",
        ),
        (", intravenous: ()", "", "there is no way to give it"),
        (
            r#"name: "elixir""#,
            r#"name: "oxygen""#,
            "`oxygen` is the name of a molecule",
        ),
        (
            "motility.speed",
            "motility.sped",
            "did you mean `motility.speed`?",
        ),
        (r#"source: "assumed""#, r#"source: """#, "must not be empty"),
    ] {
        assert!(elixir.contains(right), "{right}");
        let found = told(given, &elixir.replace(right, wrong));
        assert!(found.contains(says), "{wrong}: {found}");
        assert!(found.contains("wrong.ron:6"), "{wrong}: {found}");
    }
}

#[test]
fn a_drug_that_names_what_there_is_not_is_refused_in_its_own_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let drugs = folder.path().join("assets").join("drugs");
    std::fs::create_dir_all(&drugs).expect("writable");
    let text = r#"(name: "elixir", label: "elixir", about: "a test", molar_mass_g_per_mol: 500,
    mouse: (weight_kg: 0.02, central_ml: 1, clearance_ml_per_day: 1, intravenous: ()),
    tissue: (diffusivity_um2_per_min: 1000),
    effects: {"heals": (
        input: "motility.sped",
        law: Inhibit(half: 1), about: "slows", source: "assumed")},
    source: "a test")"#;
    std::fs::write(drugs.join("elixir.ron"), text).expect("writable");
    let scene = r#"(title: "t", about: "", pace: Calibrated, duration: Hours(1),
        sites: [(name: "a", organ: Breast, size_um: (40, 40, 40), perfusion_length_um: 100, fields: [(molecule: "oxygen", level: 40)])],
        timeline: [At(Minutes(5), Give(drug: "elixir", mg: 1))])"#;
    let file = folder.path().join("scene.ron");
    std::fs::write(&file, scene).expect("writable");
    let report = match Program::default().open_scene(&file) {
        Ok(_) => panic!("it is refused"),
        Err(report) => report.to_string(),
    };
    assert!(report.contains("elixir.ron:5"), "{report}");
    assert!(
        report.contains("did you mean `motility.speed`?"),
        "{report}"
    );
    // Mended, it is a drug like any other.
    let mended = text.replace("sped", "speed");
    std::fs::write(drugs.join("elixir.ron"), mended).expect("writable");
    let scene = Program::default().open_scene(&file);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    let mut simulation = Simulation::new(Arc::new(scene), 1).expect("it can be set up");
    run(&mut simulation, 10.0);
    let level = simulation.metrics()[0].get("elixir_plasma_ug_per_ml");
    assert!(
        (level.expect("it is measured") - 1000.0).abs() < 10.0,
        "{level:?}"
    );
}

#[test]
fn every_shipped_drug_can_be_given_in_one_scene() {
    let drugs = shipped_drugs().unwrap_or_else(|report| panic!("{report}"));
    let given: Vec<String> = drugs
        .iter()
        .map(|drug| format!("At(Minutes(5), Give(drug: {:?}, mg_per_kg: 5))", drug.name))
        .collect();
    for body in ["Mouse", "Human"] {
        let scene = format!(
            r#"(title: "all", about: "every drug", pace: Illustrative, duration: Hours(1), patient: {body},
            sites: [(name: "a", organ: Breast, size_um: (160, 160, 160), perfusion_length_um: 100, fields: [
                (molecule: "oxygen", level: 40), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1), (molecule: "vegf_a", level: 0.1),
                (molecule: "tgf_beta", level: 0), (molecule: "mmp", level: 0), (molecule: "lox", level: 0), (molecule: "cxcl12", level: 0)],
                tissue: (matrix: ()))],
            populations: [(cell: "cancer", place: Ball(radius_um: 30)), (cell: "fibroblast", place: Scatter(per_mm3: 3000, outside_um: 35)),
                (cell: "cd8_t_cell", place: Scatter(per_mm3: 1000, outside_um: 35))],
            timeline: [{}])"#,
            given.join(", ")
        );
        let mut simulation = begin(&scene, 1);
        run(&mut simulation, 40.0);
        for drug in &drugs {
            let given = format!("{}_given_mg", drug.name);
            assert!(simulation.metrics()[0].get(&given).expect("it is measured") > 0.0);
        }
    }
}
