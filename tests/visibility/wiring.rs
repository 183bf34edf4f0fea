//! Arrows one by one: without one, a step later nothing but its input differs. And the step is sacred with all of them at work.

use tumorscape::simulation::Simulation;

use super::ablation::assert_each_changes_its_input_alone;
use super::program::{state, succeeds};
use super::{simulation, values};

/// Cancer cells with killers and fibroblasts among them, in which every arrow of visibility has something to act on.
const TISSUE: &str = r#"(
    title: "all arrows", about: "-", pace: Illustrative, duration: Hours(20), step: Minutes(2),
    sites: [(
        name: "breast", organ: Breast, size_um: (160, 160, 160), perfusion_length_um: 40,
        fields: [
            (molecule: "oxygen", level: 6), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 4),
            (molecule: "tgf_beta", level: 0.03), (molecule: "cxcl12", level: 0.5), (molecule: "ifn_gamma", level: 2),
            (molecule: "il_2", level: 1), (molecule: "cxcl9", level: 0.1), (molecule: "il_10", level: 5),
            (molecule: "adenosine", level: 0.3),
        ],
        tissue: (matrix: (density: 0.2)),
    )],
    populations: [
        (cell: "cancer", place: Ball(radius_um: 45)),
        (cell: "fibroblast", place: Scatter(per_mm3: 5000, outside_um: 50)),
        (cell: "cd8_t_cell", place: Scatter(per_mm3: 8000)),
        (cell: "nk_cell", place: Scatter(per_mm3: 8000)),
    ],
    parameters: {
        "cancer.visibility.death_ligands": 0.3, "cancer.visibility.resistance": 2, "cancer.visibility.mhc_1": 0.6,
        "cancer.visibility.antigen": 0.8,
    },
    output: (metrics_every: Hours(2)),
)"#;

/// Arrows of visibility, and what each goes to.
const ARROWS: [(&str, &str); 28] = [
    ("cancer.ifn_gamma_raises_pd_l1", "visibility.pd_l1"),
    ("cancer.hypoxia_raises_pd_l1", "visibility.pd_l1"),
    ("cancer.ifn_gamma_raises_mhc_1", "visibility.mhc_1"),
    (
        "cancer.lack_of_atp_shows_stress",
        "visibility.stress_ligands",
    ),
    (
        "cancer.hypoxia_sheds_stress_ligands",
        "visibility.stress_ligands",
    ),
    (
        "cancer.antigen_on_mhc_1_is_recognised",
        "target.recognition",
    ),
    ("cancer.mhc_1_holds_nk_cells_back", "target.mhc_1"),
    ("cancer.stress_ligands_call_nk_cells", "target.stress"),
    ("cancer.pd_l1_is_met", "target.pd_l1"),
    (
        "cancer.resistant_clones_bear_more_hits",
        "target.resistance",
    ),
    ("cancer.ifn_gamma_brings_cxcl9", "exchange.cxcl9"),
    ("cancer.hypoxia_brings_adenosine", "exchange.adenosine"),
    ("fibroblast.ifn_gamma_brings_cxcl9", "exchange.cxcl9"),
    (
        "cd8_t_cell.engaged_t_cells_secrete_ifn_gamma",
        "exchange.ifn_gamma",
    ),
    ("cd8_t_cell.engaged_t_cells_secrete_il_2", "exchange.il_2"),
    ("cd8_t_cell.il_2_hastens_division", "cycle.entry"),
    ("cd8_t_cell.met_pd_l1_binds_pd_1", "checkpoint.pd_l1"),
    ("cd8_t_cell.pd_1_holds_back", "killer.function"),
    ("cd8_t_cell.tgf_beta_holds_back", "killer.function"),
    ("cd8_t_cell.il_10_holds_back", "killer.function"),
    ("cd8_t_cell.adenosine_holds_back", "killer.function"),
    ("cd8_t_cell.hypoxia_holds_back", "killer.function"),
    ("cd8_t_cell.lactate_holds_back", "killer.function"),
    ("cd8_t_cell.tgf_beta_takes_cxcr3", "motility.bias.cxcl9"),
    ("cd8_t_cell.cxcl12_turns_away", "motility.bias.cxcl12"),
    ("cd8_t_cell.death_ligands_kill", "death.apoptosis"),
    (
        "nk_cell.engaged_nk_cells_secrete_ifn_gamma",
        "exchange.ifn_gamma",
    ),
    ("nk_cell.tgf_beta_holds_back", "killer.function"),
];

/// Whether a killer that is no T cell secretes what those at a target do.
fn a_natural_killer_holds_a_target(simulation: &Simulation) -> bool {
    let t_cells = values(simulation, "cytotoxic.exhaustion");
    let engaged = values(simulation, "killer.engaged");
    let is_t_cell = |cell| t_cells.iter().any(|(known, _)| *known == cell);
    let mut all = engaged.iter();
    all.any(|(cell, engaged)| *engaged > 0.0 && !is_t_cell(*cell))
}

#[test]
fn without_an_arrow_nothing_but_its_input_differs_a_step_later() {
    // Far enough for a natural killer cell to hold a target just then.
    let mut first = simulation(TISSUE, 5);
    while first.steps() < 40 || !a_natural_killer_holds_a_target(&first) {
        first.step();
        assert!(first.steps() < 400, "no natural killer cell holds any");
    }
    let begin = || simulation(TISSUE, 5);
    assert_each_changes_its_input_alone(begin, first.steps(), &ARROWS);
}

#[test]
fn killers_and_what_they_see_give_the_same_bits_at_any_thread_count_and_across_save_and_resume() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    std::fs::write(folder.join("all.ron"), TISSUE).expect("writable");
    let run = |threads: &str, out: &str| {
        let common = ["run", "all.ron", "--quiet", "--until", "8h", "--verify"];
        let rest = ["--threads", threads, "--out", out];
        succeeds(folder, &[&common[..], &rest[..]].concat())
    };
    let one = run("1", "one");
    assert_eq!(state(&run("3", "three")), state(&one));
    let events = std::fs::read_to_string(folder.join("one/events.csv")).expect("written");
    for kind in ["immunity.hit", "immunity.nk_kill", "bond_formed"] {
        assert!(events.contains(kind), "no {kind}");
    }
    let half = [
        "run",
        "all.ron",
        "--quiet",
        "--until",
        "5h",
        "--checkpoint-every",
        "4h",
        "--out",
        "half",
    ];
    succeeds(folder, &half);
    let rest = ["resume", "half", "--quiet", "--until", "8h"];
    assert_eq!(state(&succeeds(folder, &rest)), state(&one));
}
