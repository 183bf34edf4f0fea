//! Arrows one by one: without one, a step later nothing but its input differs. And the step is sacred with all of them at work.

use tumorscape::scene::CellLibrary;

use super::ablation::{assert_each_changes_its_input_alone, those_that_change_their_input};
use super::program::{state, succeeds};
use super::{metric, simulation};

/// A small tumour among fibroblasts in a matrix, in which every arrow of the shipped cells has something to act on.
const TISSUE: &str = r#"(
    title: "all arrows", about: "-", pace: Illustrative, duration: Hours(20), step: Minutes(2),
    sites: [(
        name: "breast", organ: Breast, size_um: (400, 400, 400), perfusion_length_um: 100,
        fields: [
            (molecule: "oxygen", level: 12), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1),
            (molecule: "vegf_a", level: 0), (molecule: "tgf_beta", level: 0.03), (molecule: "il_1", level: 0.02),
            (molecule: "hgf", level: 0.1), (molecule: "fgf_2", level: 0.1), (molecule: "cxcl12", level: 0.5),
            (molecule: "mmp", level: 0.1), (molecule: "lox", level: 0.1),
        ],
        tissue: (matrix: (density: 0.4)),
    )],
    populations: [
        (cell: "cancer", place: Ball(radius_um: 80)),
        (cell: "fibroblast", place: Scatter(per_mm3: 6000, outside_um: 90)),
    ],
    parameters: {"emt_circuit.pace": 50, "fibroblast.fibroblast.pace": 8},
    output: (metrics_every: Hours(2)),
)"#;

/// All arrows of the shipped cancer cell and fibroblast, each with its input.
fn arrows() -> Vec<(String, String)> {
    let shipped = CellLibrary::shipped().unwrap_or_else(|report| panic!("{report}"));
    let of = |name: &'static str| {
        let prefab = shipped.get(name).expect("it is shipped");
        let rules = prefab.rules.iter();
        let rules = rules.map(move |(rule, of)| (format!("{name}.{rule}"), of.input.clone()));
        rules.collect::<Vec<_>>()
    };
    ["cancer", "fibroblast"].into_iter().flat_map(of).collect()
}

#[test]
fn no_arrow_of_all_changes_another_input_than_its_own() {
    // So small that each may take a run.
    let begin = || {
        simulation(
            r#"(
    title: "every arrow", about: "-", pace: Illustrative, duration: Hours(20), step: Minutes(10),
    sites: [(
        name: "breast", organ: Breast, size_um: (200, 200, 200), voxel_um: (40, 40, 40), perfusion_length_um: 100,
        fields: [
            (molecule: "oxygen", level: 6), (molecule: "glucose", level: 0.05), (molecule: "lactate", level: 12),
            (molecule: "vegf_a", level: 0), (molecule: "tgf_beta", level: 0.05), (molecule: "il_1", level: 0.02),
            (molecule: "hgf", level: 0.1), (molecule: "fgf_2", level: 0.1), (molecule: "cxcl12", level: 0.5),
            (molecule: "mmp", level: 0.1), (molecule: "lox", level: 0.1), (molecule: "ifn_gamma", level: 3),
        ],
        tissue: (matrix: (density: 0.4), membranes: [(around: Duct(from_um: (-100, 0, 0), to_um: (100, 0, 0), radius_um: 40))]),
    )],
    populations: [
        (cell: "cancer", place: Ball(radius_um: 39)),
        (cell: "fibroblast", place: Scatter(per_mm3: 4000, outside_um: 50)),
    ],
    parameters: {"emt_circuit.pace": 50, "fibroblast.fibroblast.pace": 8},
)"#,
            7,
        )
    };
    let arrows = arrows();
    let named: Vec<(&str, &str)> = arrows
        .iter()
        .map(|(path, input)| (&**path, &**input))
        .collect();
    let changed = those_that_change_their_input(begin, 24, &named);
    let idle = named.iter().zip(&changed).filter(|(_, changed)| !**changed);
    let idle: Vec<&str> = idle.map(|((path, _), _)| *path).collect();
    println!("of {} arrows these do nothing here: {idle:?}", named.len());
    // Those of blood, of other organs and of vesicles need what is not here.
    assert!(2 * idle.len() < named.len(), "{idle:?}");
}

#[test]
fn without_an_arrow_nothing_but_its_input_differs_a_step_later() {
    let arrows = arrows();
    assert!(arrows.len() > 30, "{}", arrows.len());
    // Each takes a run, so a few, chosen to reach every module.
    let tried = [
        "cancer.tgf_beta_drives_emt",
        "cancer.hypoxia_drives_emt",
        "cancer.fgf_2_drives_emt",
        "cancer.stiffness_drives_emt",
        "cancer.emt_loses_e_cadherin",
        "cancer.emt_loosens_junctions",
        "cancer.emt_resists_anoikis",
        "cancer.contacts_attach",
        "cancer.hgf_scatters",
        "fibroblast.tgf_beta_wakes",
        "fibroblast.il_1_inflames",
        "fibroblast.myofibroblasts_secrete_less_cxcl12",
        "fibroblast.cafs_broaden",
    ]
    .map(|path| {
        let arrow = arrows.iter().find(|(known, _)| known == path);
        let (_, input) = arrow.unwrap_or_else(|| panic!("no `{path}`"));
        (path, input.as_str())
    });
    assert_each_changes_its_input_alone(|| simulation(TISSUE, 7), 240, &tried);
}

#[test]
fn cells_of_a_variant_differ_by_the_arrow_they_lack() {
    let text = |without: &str| {
        format!(
            r#"(
    title: "two", about: "-", pace: Illustrative, duration: Hours(20), step: Minutes(5),
    sites: [(name: "dish", organ: Medium, size_um: (200, 200, 200), fields: [(molecule: "tgf_beta", level: 0.2)])],
    variants: [(name: "deaf", like: "cancer", without: [{without}])],
    populations: [(cell: "deaf", place: Ball(radius_um: 40))],
    parameters: {{"emt_circuit.pace": 50}},
)"#
        )
    };
    let turned = |without: &str| {
        let mut simulation = simulation(&text(without), 1);
        while simulation.hours() < 10.0 {
            simulation.step();
        }
        metric(&simulation, "epithelial_cells") / metric(&simulation, "cells_alive")
    };
    assert_eq!(turned(""), 0.0);
    assert_eq!(turned(r#""tgf_beta_drives_emt""#), 1.0);
}

#[test]
fn a_scene_names_what_a_variant_must_have() {
    let wrong = |variants: &str| {
        let text = format!(
            r#"(
    title: "-", about: "-", pace: Illustrative, duration: Hours(1),
    sites: [(name: "dish", organ: Medium, size_um: (200, 200, 200))],
    variants: [{variants}],
)"#
        );
        let context = tumorscape::scene::SceneContext::default();
        let found = tumorscape::scene::parse_scene(&text, "variants.ron", &context);
        found.expect_err("it is wrong").to_string()
    };
    let says = |variants: &str, what: &str| {
        let told = wrong(variants);
        assert!(told.contains(what), "{told}");
    };
    says(r#"(name: "a", like: "cancre")"#, "did you mean `cancer`?");
    says(
        r#"(name: "cancer", like: "fibroblast")"#,
        "already the name of a cell type",
    );
    says(
        r#"(name: "a", like: "cancer", without: ["hypoxia_calls_vessel"])"#,
        "did you mean `hypoxia_calls_vessels`?",
    );
    says(
        r#"(name: "a", like: "cancer"), (name: "a", like: "cancer")"#,
        "already the name of variants[0]",
    );
}

#[test]
fn stroma_and_switch_give_the_same_bits_at_any_thread_count_and_across_save_and_resume() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    std::fs::write(folder.join("all.ron"), TISSUE).expect("writable");
    let run = |threads: &str, out: &str| {
        let common = ["run", "all.ron", "--quiet", "--until", "12h"];
        let rest = ["--threads", threads, "--out", out];
        succeeds(folder, &[&common[..], &rest[..]].concat())
    };
    let one = run("1", "one");
    assert_eq!(state(&run("3", "three")), state(&one));
    let events = std::fs::read_to_string(folder.join("one/events.csv")).expect("written");
    for kind in [
        "emt.hybrid",
        "fibroblast.wakes",
        "bond_formed",
        "bond_broken",
    ] {
        assert!(events.contains(kind), "no {kind}");
    }
    let half = [
        "run",
        "all.ron",
        "--quiet",
        "--until",
        "7h",
        "--checkpoint-every",
        "6h",
        "--out",
        "half",
    ];
    succeeds(folder, &half);
    let rest = ["resume", "half", "--quiet", "--until", "12h"];
    assert_eq!(state(&succeeds(folder, &rest)), state(&one));
}
