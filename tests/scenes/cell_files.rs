//! What is said of cell and molecule files beside a scene: each mistake once, and nothing of files without one.

use std::path::Path;

use tumorscape::scene::{ParsedScene, SceneReport};
use tumorscape::simulation::Program;

/// A folder with files at these paths.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        let parent = path.parent().expect("a folder");
        std::fs::create_dir_all(parent).expect("writable");
        std::fs::write(path, text).expect("writable");
    }
    folder
}

fn open(folder: &Path, name: &str) -> Result<ParsedScene, SceneReport> {
    Program::default().open_scene(&folder.join(name))
}

/// Headlines without the folder.
fn headlines(report: &SceneReport, folder: &Path) -> Vec<String> {
    let prefix = format!("{}/", folder.display());
    let lines = report.headlines().into_iter();
    lines.map(|line| line.replace(&prefix, "")).collect()
}

/// A scene with a site with these fields, and more fields of its own.
fn scene(fields: &str, more: &str) -> String {
    format!(
        "(title: \"t\", about: \"a\", pace: Illustrative, duration: Hours(1), \
         sites: [(name: \"s\", organ: Medium, size_um: (200, 200, 200), fields: [{fields}])], {more})"
    )
}

/// A cell file of that name.
fn cell(name: &str, more: &str) -> String {
    format!("(name: \"{name}\", about: \"a\", colour: (1, 1, 1), death: (), {more})")
}

const SIGNAL: &str = r#"(name: "signal", label: "signal", about: "a", unit: "nM", nm_per_unit: 1,
    diffusivity_um2_per_min: 1e3, half_saturation: 1, quasi_steady: true, every_minutes: 1,
    crosses_vessel_walls: false, source: "made up")"#;

const PUT: &str = r#"populations: [(cell: "titan", place: Single(at_um: (0, 0, 0)))], "#;

#[test]
fn one_mistake_in_a_cell_or_molecule_file_is_told_alone() {
    let rules =
        r#"hif: (), rules: {"a": (input: "death.apoptosis", by: "signal", law: Fold(gain: 9))}"#;
    let titan = cell("titan", rules);
    let other = cell(
        "other",
        r#"exchange: [(molecule: "signal", secretes_molecules_per_s: 1)]"#,
    );
    let text = scene(
        r#"(molecule: "signal", level: 0)"#,
        r#"populations: [(cell: "titan", place: Single(at_um: (0, 0, 0))), (cell: "other", place: Csv("cells.csv"))],
           parameters: {"titan.rules.a.scale": 2, "titan.death.apoptosis_hours": 9}, rules: [Scale("titan.a", 2)],
           expect: [AtEnd(metric: "cells_titan", is: Above(0))],"#,
    );
    let place = folder(&[
        ("s.ron", &text),
        ("cells.csv", "x,y,z,type\n0,0,0,titan\n"),
        ("assets/cells/titan.ron", &titan),
        ("assets/cells/other.ron", &other),
        ("assets/molecules/signal.ron", SIGNAL),
    ]);
    let report = open(place.path(), "s.ron").expect_err("it is refused");
    let said = headlines(&report, place.path());
    let expected = ": rules[\"a\"].law: write `Fold(9)`";
    assert!(
        said.len() == 1
            && said[0].starts_with("assets/cells/titan.ron")
            && said[0].ends_with(expected),
        "{report}"
    );

    // A wrong molecule, and a mistake of the scene's own: the file comes first.
    let fine = titan.replace("gain: ", "");
    std::fs::write(place.path().join("assets/cells/titan.ron"), fine).expect("writable");
    let wrong = SIGNAL.replace("nm_per_unit: 1", "nm_per_unit: one");
    std::fs::write(place.path().join("assets/molecules/signal.ron"), wrong).expect("writable");
    std::fs::write(
        place.path().join("s.ron"),
        text.replace("Hours(1)", "Hour(1)"),
    )
    .expect("writable");
    let report = open(place.path(), "s.ron").expect_err("it is refused");
    let said = headlines(&report, place.path());
    assert_eq!(
        said,
        [
            "assets/molecules/signal.ron:1:72: nm_per_unit: expected a number, found `one`",
            "s.ron:1:56: duration: `Hour` does not exist; did you mean `Hours`?",
        ]
    );
}

#[test]
fn a_cell_file_may_name_a_molecule_that_only_another_scene_brings() {
    let titan = cell(
        "titan",
        r#"exchange: [(molecule: "signal", secretes_molecules_per_s: 1)],
           rules: {"a": (input: "death.apoptosis", by: "signal", law: Fold(9)),
                   "b": (input: "exchange.signal", by: "body.radius", law: Fold(1))}"#,
    );
    let field = r#"(molecule: "signal", level: 0)"#;
    let place = folder(&[
        (
            "with.ron",
            &scene(field, &format!("molecules: [{SIGNAL}], {PUT}")),
        ),
        ("without.ron", &scene("", PUT)),
        ("beside.ron", &scene("", "")),
        ("assets/cells/titan.ron", &titan),
    ]);
    let with = open(place.path(), "with.ron").unwrap_or_else(|report| panic!("{report}"));
    assert!(with.library.get("titan").is_some() && with.warnings.is_empty());
    let beside = open(place.path(), "beside.ron").unwrap_or_else(|report| panic!("{report}"));
    assert!(
        beside.library.get("titan").is_none(),
        "it is no type of that scene"
    );
    let without = open(place.path(), "without.ron").expect_err("it uses the type");
    let said = headlines(&without, place.path());
    assert!(
        said.iter()
            .all(|line| line.starts_with("assets/cells/titan.ron")),
        "{without}"
    );
    assert!(
        said.iter()
            .any(|line| line.contains("there is no molecule `signal`")),
        "{without}"
    );

    // By itself, and for `describe`: worth the same warnings.
    let program = Program::default();
    let file = place.path().join("assets/cells/titan.ron");
    let alone = program
        .check_file(&file)
        .unwrap_or_else(|report| panic!("{report}"));
    let all = program
        .library_in(place.path())
        .unwrap_or_else(|report| panic!("{report}"));
    let said = headlines(&alone.warnings, place.path());
    assert_eq!(said.len(), 3, "{}", alone.warnings);
    assert!(said[0].contains("warning: exchange[0].molecule: there is no molecule `signal`"));
    assert_eq!(headlines(&all.warnings, place.path()), said);
    // What cannot be a molecule is wrong in both.
    std::fs::write(&file, titan.replace("body.radius", "body.radios")).expect("writable");
    for report in [
        program.check_file(&file).map(|_| ()).expect_err("wrong"),
        program
            .library_in(place.path())
            .map(|_| ())
            .expect_err("wrong"),
        open(place.path(), "beside.ron")
            .map(|_| ())
            .expect_err("wrong"),
    ] {
        let said = headlines(&report, place.path());
        assert!(
            said.len() == 1 && said[0].contains("no quantity `body.radios`"),
            "{report}"
        );
    }
}

#[test]
fn what_a_cell_file_says_and_cannot_have_is_refused() {
    let said = |more: &str| {
        let place = folder(&[
            ("s.ron", &scene("", PUT)),
            ("assets/cells/titan.ron", &cell("titan", more)),
        ]);
        match open(place.path(), "s.ron") {
            Ok(_) => Vec::new(),
            Err(report) => headlines(&report, place.path()),
        }
    };
    let rule = |more: &str| format!(r#""a": (input: "death.apoptosis", by: "hif.level", {more})"#);
    assert_eq!(
        said(&format!("hif: (), rules: {{{}}}", rule("law: Fold(1)"))),
        [""; 0]
    );
    for (more, says) in [
        (format!("rules: {{{}}}", rule("law: Fold(1)")), r#"rules["a"].by: cells of this type have no `hif.level`"#),
        (format!("hif: (), rules: {{{0}, {0}}}", rule("law: Fold(1)")), r#"rules["a"]: the rule `a` stands twice"#),
        (
            format!("hif: (), combine: {{\"death.apoptosis\": MultiHill}}, rules: {{{}}}", rule("law: Hill(half: 1, to: 2), floor: 1")),
            r#"rules["a"].floor: `MultiHill` takes no floors"#,
        ),
        ("combine: {\"death.apoptosis\": MultiHill}, floors: {\"death.apoptosis\": 1}".into(), r#"floors["death.apoptosis"]: `MultiHill` takes no floors"#),
        ("floors: {\"cycle.entry\": 1}".into(), r#"floors["cycle.entry"]: this cell type has no `cycle.entry`"#),
        ("combine: {\"cycle.entry\": Product}".into(), r#"combine["cycle.entry"]: this cell type has no `cycle.entry`"#),
        ("floors: {\"death.apoptosis\": 1, \"death.apoptosis\": 2}".into(), "the input `death.apoptosis` stands twice"),
        (
            "cycle: (), heritable: {\"cycle.s_hours\": (spread: 0.1, mutation: 0), \"cycle.s_hours\": (spread: 0.2, mutation: 0)}".into(),
            "the parameter `cycle.s_hours` stands twice",
        ),
    ] {
        let said = said(&more);
        assert!(said.len() == 1 && said[0].contains(says), "{more}: {said:?}");
    }
}

#[test]
fn what_has_no_effect_in_a_scene_is_worth_a_warning_unless_it_is_shipped() {
    let warnings = |fields: &str, more: &str, titan: &str| {
        let place = folder(&[
            ("s.ron", &scene(fields, more)),
            ("assets/cells/titan.ron", &cell("titan", titan)),
        ]);
        let parsed = open(place.path(), "s.ron").unwrap_or_else(|report| panic!("{report}"));
        headlines(&parsed.warnings, place.path())
    };
    let titan = r#"exchange: [(molecule: "vegf_a", secretes_molecules_per_s: 1)],
        rules: {"a": (input: "exchange.vegf_a", by: "oxygen", law: Fold(1)),
                "b": (input: "death.apoptosis", by: "vegf_a", law: Fold(1))}"#;
    let said = warnings("", PUT, titan);
    assert_eq!(said.len(), 3, "{said:?}");
    for (line, part) in said.iter().zip([
        "exchange[0].molecule",
        "rules[\"a\"].input",
        "rules[\"b\"].by",
    ]) {
        let expected =
            format!("warning: {part}: `vegf_a` is not simulated in `s`, where these cells are");
        assert!(
            line.starts_with("assets/cells/titan.ron:") && line.contains(&expected),
            "{line}"
        );
    }
    assert_eq!(
        warnings(r#"(molecule: "vegf_a", level: 0)"#, PUT, titan),
        [""; 0]
    );
    assert_eq!(warnings("", "", titan), [""; 0], "it is nowhere");
    let cancer = PUT.replace("titan", "cancer");
    assert_eq!(warnings("", &cancer, titan), [""; 0], "shipped");
    let rule =
        r#"Add(of: "cancer", name: "z", rule: (input: "cycle.entry", by: "vegf_a", law: Fold(1)))"#;
    let own = warnings(
        "",
        &format!("{cancer} rules: [{rule}], timeline: [At(Minutes(9), Rule({rule}))]"),
        titan,
    );
    assert_eq!(own.len(), 2, "{own:?}");
    assert!(
        own[0].contains("warning: rules[0].rule.by: `vegf_a`"),
        "{own:?}"
    );
    assert!(
        own[1].contains("warning: timeline[0].1.rule.by: `vegf_a`"),
        "{own:?}"
    );
}

#[test]
fn molecules_are_within_what_can_be_computed() {
    let said = |molecule: &str, field: &str| {
        let text = scene(field, &format!("molecules: [{molecule}]"));
        let place = folder(&[("s.ron", &text)]);
        match open(place.path(), "s.ron") {
            Ok(_) => Vec::new(),
            Err(report) => headlines(&report, place.path()),
        }
    };
    let field = r#"(molecule: "signal", level: 0)"#;
    assert_eq!(said(SIGNAL, field), [""; 0]);
    for (molecule, field, says) in [
        (
            SIGNAL.replace("half", "decay_per_min: 1e20, half"),
            field.to_owned(),
            "molecules[0].decay_per_min: must be a number from 0 to 1000000",
        ),
        (
            SIGNAL.replace("half", "background: 1e20, half"),
            field.to_owned(),
            "molecules[0].background: must be a number from 0 to",
        ),
        (
            SIGNAL.replace("half", "contours: [3e38], half"),
            field.to_owned(),
            "molecules[0].contours[0]: must be at most 1e9",
        ),
        (
            SIGNAL.into(),
            field.replace('0', "3.5e38"),
            "sites[0].fields[0].level: must be at most 1e9, found",
        ),
        (
            SIGNAL.replace("half", "coarsen: 11, half"),
            field.to_owned(),
            "each of its voxels holds 11 voxels of the site along each axis, of which there are 10",
        ),
        (
            SIGNAL.replace("every_minutes: 1", "every_minutes: 0.5"),
            field.to_owned(),
            "molecules[0].every_minutes: `signal` is to be solved every 0.5 min",
        ),
    ] {
        let said = said(&molecule, &field);
        assert!(
            said.len() == 1 && said[0].contains(says),
            "{says}: {said:?}"
        );
    }
}
