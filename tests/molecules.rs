//! Molecules as data: files and lists of scenes, what cells book in them, and grids of their own.

mod saving;

use std::path::Path;
use std::sync::Arc;

use saving::save;
use tumorscape::core::units::MOLECULES_PER_UM3_PER_NM;
use tumorscape::journal::checkpoint::{Checkpoint, NEWEST};
use tumorscape::measure::Wanted;
use tumorscape::scene::parse_molecule;
use tumorscape::simulation::{Simulation, SnapshotRequest, open_scene};
use tumorscape::tissue::SiteId;

/// A molecule that no file describes.
const TRACER: &str = r#"(
    name: "tracer",
    label: "Tracer 7",
    about: "It does nothing.",
    unit: "nM",
    nm_per_unit: 1,
    diffusivity_um2_per_min: 1e4,
    decay_per_min: 0,
    half_saturation: 1,
    quasi_steady: false,
    every_minutes: 1,
    crosses_vessel_walls: false,
    background: 0,
    coarsen: 1,
    colour_map: Cividis,
    scale_max: 5,
    contours: [1, 2],
    source: "invented",
)"#;

/// A cell type that does nothing but secrete the tracer, a molecule a second.
const LAMP: &str = r#"(name: "lamp", about: "secretes", colour: (1, 1, 0),
    exchange: [(molecule: "tracer", secretes_molecules_per_s: 1)])"#;

/// A scene of two hours with these molecules of its own, cell types, site and populations.
fn scene(molecules: &str, types: &str, site: &str, populations: &str) -> String {
    format!(
        r#"(title: "t", about: "", pace: Calibrated, duration: Hours(2), molecules: [{molecules}],
            cell_types: [{types}], sites: [(name: "box", organ: Medium, {site})],
            populations: [{populations}], output: (cells_at: [Hours(1)]))"#
    )
}

/// A folder with a file of that text in it, and the path of the file.
fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("scene.ron");
    std::fs::write(&path, text).expect("it is writable");
    (folder, path)
}

fn open(path: &Path) -> Simulation {
    let scene = open_scene(path).unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(scene), 1).expect("its parameters were checked")
}

fn simulation(text: &str) -> Simulation {
    open(&file(text).1)
}

fn steps(simulation: &mut Simulation, steps: usize) {
    for _ in 0..steps {
        simulation.step();
    }
}

fn values<'s>(simulation: &'s Simulation, molecule: &str) -> &'s [f32] {
    let field = simulation.field(SiteId(0), molecule);
    field.expect("the site simulates it").0
}

fn mean(simulation: &Simulation, molecule: &str) -> f64 {
    let values = values(simulation, molecule);
    values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64
}

const BOX: &str =
    r#"size_um: (200, 200, 200), fields: [(molecule: "tracer", level: 0, faces: Closed)]"#;
const BALL: &str = r#"(cell: "lamp", place: Ball(radius_um: 60))"#;

#[test]
fn a_ball_of_cells_that_secrete_raises_the_mean_of_a_closed_box_as_arithmetic_says() {
    for (unit, nm_per_unit) in [("nM", 1.0), ("uM", 1e3)] {
        for coarsen in [1, 2, 5] {
            let tracer = TRACER
                .replace("nm_per_unit: 1", &format!("nm_per_unit: {nm_per_unit:e}"))
                .replace("unit: \"nM\"", &format!("unit: \"{unit}\""))
                .replace("coarsen: 1", &format!("coarsen: {coarsen}"));
            let mut simulation = simulation(&scene(&tracer, LAMP, BOX, BALL));
            let cells = simulation.cell_count() as f64;
            assert!(cells > 50.0);
            simulation.verify();
            steps(&mut simulation, 60);
            assert_eq!(simulation.violation(), None);
            // A molecule a second and cell for an hour, in 8e6 um3.
            let expected = cells * 3600.0 / 8e6 / MOLECULES_PER_UM3_PER_NM / nm_per_unit;
            let found = mean(&simulation, "tracer");
            // Each booking is rounded to whole numbers of 2^-30 of the unit per minute in its voxel.
            let voxel_um3 = 8e3 * f64::from(coarsen).powi(3);
            let booked = 60.0 / voxel_um3 / MOLECULES_PER_UM3_PER_NM / nm_per_unit;
            let slack = 1e-4 + 0.5 * 2_f64.powi(-30) / booked;
            let wrong = (found / expected - 1.0).abs();
            assert!(wrong < slack, "{unit}, {coarsen}: {found}, {expected}");
        }
    }
}

#[test]
fn a_molecule_of_a_folder_and_one_of_a_scene_are_simulated_reported_and_recorded() {
    let alone = scene(TRACER, LAMP, BOX, BALL);
    let mut by_scene = simulation(&alone);
    let (folder, path) = file(&scene("", LAMP, BOX, BALL));
    let report = open_scene(&path).expect_err("there is no such molecule yet");
    let unknown: Vec<_> = report.headlines();
    assert!(
        unknown
            .iter()
            .any(|line| line.contains("there is no molecule `tracer`")),
        "{report}"
    );
    let molecules = folder.path().join("assets/molecules");
    std::fs::create_dir_all(&molecules).expect("writable");
    std::fs::write(molecules.join("tracer.ron"), TRACER).expect("writable");
    let mut by_folder = open(&path);
    for simulation in [&mut by_scene, &mut by_folder] {
        steps(simulation, 10);
    }
    assert_eq!(by_scene.state_hash(), by_folder.state_hash());
    assert!(mean(&by_scene, "tracer") > 0.0);
    let snapshot = by_scene.snapshot(&SnapshotRequest::default());
    let field = &snapshot.sites[0].fields[0];
    assert_eq!(
        (field.molecule.label.as_str(), field.molecule.unit.as_str()),
        ("Tracer 7", "nM")
    );
    let parameters = by_scene.parameters();
    for path in [
        "molecules.tracer.decay_per_min",
        "lamp.exchange.tracer.secretes_molecules_per_s",
    ] {
        assert!(
            parameters.iter().any(|parameter| parameter.path == path),
            "{path}"
        );
    }
    // The record of a run needs no other file.
    let record = by_folder.scene().to_ron(1).expect("it can be written");
    let mut again = simulation(&record);
    steps(&mut again, 10);
    assert_eq!(again.state_hash(), by_folder.state_hash());
}

#[test]
fn a_mistake_in_any_field_is_told_by_its_place() {
    assert!(parse_molecule(TRACER, "tracer.ron").is_ok());
    for (right, wrong, says) in [
        (
            "name: \"tracer\"",
            "name: \"tra cer\"",
            ":2:11: name: may have letters, digits",
        ),
        (
            "name: \"tracer\"",
            "name: \"other\"",
            ":2:11: name: must be that of its file, `tracer`",
        ),
        ("\"Tracer 7\"", "\" \"", ":3:12: label: must not be empty"),
        (
            "about: \"It does nothing.\"",
            "about: 3",
            ":4:12: about: expected a text in quotes",
        ),
        (
            "unit: \"nM\"",
            "unit: \"\"",
            ":5:11: unit: must not be empty",
        ),
        (
            "nm_per_unit: 1",
            "nm_per_unit: 0",
            ":6:18: nm_per_unit: must be a number from",
        ),
        (
            "diffusivity_um2_per_min: 1e4",
            "diffusivity_um2_per_min: -1",
            ":7:30: diffusivity_um2_per_min: must be",
        ),
        (
            "diffusivity_um2",
            "difusivity_um2",
            "there is no field `difusivity_um2_per_min` here; did you mean `diffusivity_um2_per_min`?",
        ),
        (
            "decay_per_min: 0",
            "decay_per_min: inf",
            ":8:20: decay_per_min: must be a number from 0 to 1000000",
        ),
        (
            "half_saturation: 1",
            "half_saturation: 0",
            ":9:22: half_saturation: must be a number from",
        ),
        (
            "quasi_steady: false",
            "quasi_steady: 0",
            ":10:19: quasi_steady: expected `true` or `false`",
        ),
        (
            "every_minutes: 1",
            "every_minutes: 1e4",
            ":11:20: every_minutes: must be a number from",
        ),
        (
            "walls: false",
            "walls: no",
            ":12:27: crosses_vessel_walls: expected `true` or `false`",
        ),
        (
            "background: 0",
            "background: -2",
            ":13:17: background: must be a number from 0 to 1000000000",
        ),
        (
            "coarsen: 1",
            "coarsen: 0",
            ":14:14: coarsen: must be a whole number from 1 to 64",
        ),
        (
            "coarsen: 1",
            "coarsen: 1.5",
            ":14:14: coarsen: expected a whole number",
        ),
        (
            "Cividis",
            "Cividiss",
            ":15:17: colour_map: `Cividiss` does not exist; did you mean `Cividis`?",
        ),
        (
            "scale_max: 5",
            "scale_max: 0",
            ":16:16: scale_max: must be greater than 0",
        ),
        (
            "[1, 2]",
            "[1, -2]",
            ":17:19: contours[1]: must be at least 0",
        ),
        (
            "[1, 2]",
            "[1, 2, 3, 4, 5]",
            ":17:15: contours: at most 4 lines",
        ),
        ("\"invented\"", "\"\"", ":18:13: source: must not be empty"),
    ] {
        let text = TRACER.replace(right, wrong);
        assert_ne!(text, TRACER);
        let report = parse_molecule(&text, "tracer.ron").expect_err(wrong);
        let headlines = report.headlines();
        assert!(
            headlines.iter().any(|line| line.contains(says)),
            "{says}\n{report}"
        );
        // Where a scene brings it along, too, but for the name of the file.
        if !says.contains("file") {
            let (_folder, path) = file(&scene(&text, LAMP, BOX, BALL));
            let report = open_scene(&path).expect_err(wrong);
            let says = says.rsplit_once(": ").map_or(says, |(_, says)| says);
            assert!(report.to_string().contains(says), "{says}\n{report}");
        }
    }
}

#[test]
fn names_that_are_none_and_grids_that_do_not_fit_are_told_by_place() {
    let refused = |text: &str, says: &str| {
        let (_folder, path) = file(text);
        let report = open_scene(&path).expect_err(says);
        assert!(
            report.headlines().iter().any(|line| line.contains(says)),
            "{says}\n{report}"
        );
    };
    let good = scene(TRACER, LAMP, BOX, BALL);
    let fields = "sites[0].fields[0].molecule";
    for (wrong, says) in [
        (
            "Oxygen",
            "expected the name of a molecule in quotes, found `Oxygen`; did you mean `\"oxygen\"`?",
        ),
        (
            "VegfA",
            "expected the name of a molecule in quotes, found `VegfA`; did you mean `\"vegf_a\"`?",
        ),
        (
            "\"Oxygen\"",
            "there is no molecule `Oxygen`; did you mean `oxygen`?",
        ),
        (
            "\"vegfa\"",
            "there is no molecule `vegfa`; did you mean `vegf_a`?",
        ),
    ] {
        let text = good.replace(
            "fields: [(molecule: \"tracer\"",
            &format!("fields: [(molecule: {wrong}"),
        );
        refused(&text, &format!("{fields}: {says}"));
    }
    let text = good.replace(
        "exchange: [(molecule: \"tracer\"",
        "exchange: [(molecule: \"trace\"",
    );
    refused(
        &text,
        "cell_types[0].exchange[0].molecule: there is no molecule `trace`; did you mean `tracer`?",
    );
    let text = good.replace(
        "exchange: [",
        "follows: [(molecule: \"glucos\", chemotactic_index: 0.1)], exchange: [",
    );
    refused(
        &text,
        "cell_types[0].follows[0].molecule: there is no molecule `glucos`; did you mean `glucose`?",
    );
    let twice = format!("{TRACER}, {TRACER}");
    refused(
        &scene(&twice, LAMP, BOX, BALL),
        "molecules[1].name: `tracer` is already the name of molecules[0]",
    );
    let coarse = TRACER.replace("coarsen: 1", "coarsen: 4");
    refused(
        &scene(&coarse, LAMP, BOX, BALL),
        "sites[0].fields[0].molecule: each of its voxels holds 4 voxels of the site along each axis, of which there are 10",
    );
}

/// A tumour with all shipped molecules, in voxels of that edge.
fn tumour(molecules: &str, voxel_um: u32, fields: &[&str]) -> String {
    let fields: String = fields.iter().map(|field| format!("({field}),")).collect();
    scene(
        molecules,
        "",
        &format!(
            "size_um: (320, 320, 320), voxel_um: ({voxel_um}, {voxel_um}, {voxel_um}), fields: [{fields}]"
        ),
        r#"(cell: "cancer", place: Ball(radius_um: 80))"#,
    )
}

const FIELDS: [&str; 4] = [
    r#"molecule: "oxygen", level: 38"#,
    r#"molecule: "glucose", level: 5.5"#,
    r#"molecule: "lactate", level: 1.5"#,
    r#"molecule: "vegf_a", level: 0, faces: Closed"#,
];

#[test]
fn neither_the_order_of_molecules_in_a_scene_nor_one_more_changes_a_bit() {
    let other = TRACER.replace("tracer", "aaa_first");
    let [a, b] =
        [(TRACER, &*other), (&*other, TRACER)].map(|(first, second)| format!("{first}, {second}"));
    let turned: Vec<&str> = FIELDS.into_iter().rev().collect();
    let run = |text: String| {
        let mut simulation = simulation(&text);
        steps(&mut simulation, 15);
        simulation
    };
    let [plain, plain_turned] = [tumour("", 20, &FIELDS), tumour("", 20, &turned)].map(run);
    assert_eq!(plain.state_hash(), plain_turned.state_hash());
    let [with_two, with_two_turned] = [tumour(&a, 20, &FIELDS), tumour(&b, 20, &turned)].map(run);
    assert_eq!(with_two.state_hash(), with_two_turned.state_hash());
    // A molecule more in the site changes no other's values.
    let extra = r#"molecule: "aaa_first", level: 3"#;
    let more: Vec<&str> = [extra].into_iter().chain(FIELDS).collect();
    let with_more = run(tumour(&a, 20, &more));
    for name in ["oxygen", "glucose", "lactate", "vegf_a"] {
        assert_eq!(values(&plain, name), values(&with_two, name), "{name}");
        assert_eq!(values(&plain, name), values(&with_more, name), "{name}");
    }
    assert_eq!(cells(&plain), cells(&with_two));
    assert_eq!(cells(&plain), cells(&with_more));
}

/// The cells and what they find, in words.
fn cells(simulation: &Simulation) -> String {
    let wanted = Wanted {
        quantities: ["oxygen", "glucose", "lactate", "hif.level"]
            .map(Into::into)
            .into(),
        categories: vec!["state".into(), "phase".into()],
    };
    format!("{:?}", simulation.census(&wanted))
}

/// The shipped molecules on grids twice as coarse.
fn coarse() -> String {
    let shipped = tumorscape::scene::molecules::shipped_molecules().expect("they are valid");
    let text = |molecule: &tumorscape::tissue::Molecule| {
        let mut molecule = molecule.clone();
        molecule.coarsen = 2;
        ron::to_string(&molecule).expect("it can be written")
    };
    shipped
        .list()
        .iter()
        .map(text)
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn a_coarse_grid_is_the_same_as_that_grid_given_as_the_voxels_of_the_site() {
    let [mut own, mut site] =
        [tumour(&coarse(), 20, &FIELDS), tumour("", 40, &FIELDS)].map(|text| simulation(&text));
    for simulation in [&mut own, &mut site] {
        simulation.verify();
        steps(simulation, 30);
        assert_eq!(simulation.violation(), None);
    }
    for name in ["oxygen", "glucose", "lactate", "vegf_a"] {
        assert_eq!(values(&own, name).len(), 512);
        assert_eq!(values(&own, name), values(&site, name), "{name}");
    }
    let [a, b] = [&own, &site].map(cells);
    assert_eq!(a, b);
    let all = SnapshotRequest::default();
    let (a, b) = (own.snapshot(&all), site.snapshot(&all));
    let [a, b] = [&a, &b].map(|snapshot| &snapshot.sites[0].fields[0]);
    assert_eq!(
        (a.dims, a.spacing_um, a.origin_um),
        (b.dims, b.spacing_um, b.origin_um)
    );
}

#[test]
fn vessels_that_give_way_are_felt_on_a_coarse_grid() {
    let at = |text: String, gone_at: &str| {
        let path = "transport.vessels_lost_at_cell_share";
        let parameters = format!("parameters: {{ \"{path}\": {gone_at} }}, title:");
        let text = text.replace("size_um: (320", "perfusion_length_um: 100, size_um: (320");
        let text = text.replace("title:", &parameters);
        let mut simulation = simulation(&text);
        steps(&mut simulation, 30);
        let values = values(&simulation, "oxygen");
        let lowest = values.iter().copied().fold(f32::MAX, f32::min);
        (lowest, mean(&simulation, "oxygen"))
    };
    // Where vessels stay, a coarse grid is that grid given as the voxels of the site.
    let same =
        [tumour(&coarse(), 20, &FIELDS), tumour("", 40, &FIELDS)].map(|text| at(text, "1e6"));
    assert!((same[0].0 / same[1].0 - 1.0).abs() < 1e-4, "{same:?}");
    assert!((same[0].1 / same[1].1 - 1.0).abs() < 1e-5, "{same:?}");
    // Where they give way, it is the same tissue seen with voxels of 20 and of 40 um.
    let [fine, coarse] =
        [tumour("", 20, &FIELDS), tumour(&coarse(), 20, &FIELDS)].map(|text| at(text, "0.3"));
    // Far more than solving leaves open, 5e-4 of it.
    assert!(fine.0 < same[0].0 - 1.0, "{fine:?}, {same:?}");
    assert!((fine.0 - coarse.0).abs() < 3.0, "{fine:?}, {coarse:?}");
    assert!((fine.1 - coarse.1).abs() < 0.2, "{fine:?}, {coarse:?}");
}

#[test]
fn a_run_with_a_coarse_grid_goes_on_to_the_same_bits_from_a_checkpoint() {
    let text = tumour(&coarse(), 20, &FIELDS)
        .replace("size_um: (320", "perfusion_length_um: 100, size_um: (320");
    let mut simulation = simulation(&text);
    // Between two turns of the molecules that are solved every five minutes.
    steps(&mut simulation, 13);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("run");
    save(&simulation, &out);
    let opened = Checkpoint::open(&out.join(NEWEST)).expect("it was just written");
    let (mut resumed, _) = Simulation::resume(opened).expect("it fits");
    assert_eq!(resumed.state_hash(), simulation.state_hash());
    steps(&mut simulation, 20);
    steps(&mut resumed, 20);
    assert_eq!(resumed.state_hash(), simulation.state_hash());
}

#[test]
fn only_what_some_site_carries_is_measured_and_asking_for_more_is_told() {
    let simulation = simulation(&scene(TRACER, LAMP, BOX, BALL));
    let measured = &simulation.metrics()[0].columns;
    let named = |part: &str| {
        let names = measured.iter().map(|(name, _)| name.as_str());
        names.filter(|name| name.starts_with(part)).count()
    };
    // The mean, lowest and highest of the site, and mean and lowest at cells.
    assert_eq!(named("tracer"), 5);
    for absent in ["oxygen", "tgf_beta", "mmp", "cxcl12"] {
        assert_eq!(named(absent), 0, "{absent}");
        let offered = &simulation.catalogue().quantities;
        assert!(offered.iter().all(|quantity| quantity.name != absent));
    }
    let text = scene(TRACER, LAMP, BOX, BALL);
    let wrong = [
        (
            r#"expect: [AtEnd(metric: "tgf_beta_mean_nm", is: Above(1))]"#,
            "there is no column `tgf_beta_mean_nm`, for no site of the scene carries `tgf_beta`",
        ),
        (
            r#"recording: (look: (colour_by: Quantity("tgf_beta")))"#,
            "there is no quantity `tgf_beta`, for no site of the scene carries `tgf_beta`",
        ),
    ];
    for (field, says) in wrong {
        let text = text.replace("populations:", &format!("{field}, populations:"));
        let report = open_scene(&file(&text).1).expect_err("nobody carries it");
        let [problem] = &report.problems[..] else {
            panic!("{report}");
        };
        assert_eq!(problem.message, says);
        let help = problem.help.as_deref().unwrap_or_default();
        assert!(help.contains("`fields` of a site"), "{help}");
    }
}
