//! Arrows one by one: without one, a step later nothing but its input differs. And the step is sacred with all of them at work.

use tumorscape::simulation::Simulation;

use super::ablation::assert_each_changes_its_input_alone;
use super::program::{state, succeeds};
use super::{simulation, values};

/// A dying tumour with all that shelters it and all that hunts it, in which every arrow has something to act on.
const TISSUE: &str = r#"(
    title: "all arrows", about: "-", pace: Illustrative, duration: Hours(20), step: Minutes(2),
    sites: [
        (
            name: "breast", organ: Breast, size_um: (160, 160, 160), perfusion_length_um: 40,
            fields: [
                (molecule: "oxygen", level: 6), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 4),
                (molecule: "tgf_beta", level: 0.03), (molecule: "ifn_gamma", level: 2), (molecule: "il_2", level: 1),
                (molecule: "cxcl9", level: 0.1), (molecule: "il_10", level: 5), (molecule: "il_12", level: 0.1),
                (molecule: "ccl2", level: 0.2), (molecule: "ccl22", level: 0.2), (molecule: "egf", level: 0.2),
                (molecule: "csf_1", level: 0.1), (molecule: "vegf_a", level: 0), (molecule: "vegf_c", level: 0), (molecule: "mmp", level: 0),
            ],
            tissue: (matrix: (density: 0.2), recruitment: (scale: 10), homing: ()),
        ),
        (name: "node", organ: LymphNode, size_um: (120, 120, 120)),
    ],
    populations: [
        (cell: "cancer", site: "breast", place: Ball(radius_um: 45)),
        (cell: "cd8_t_cell", site: "breast", place: Scatter(per_mm3: 8000)),
        (cell: "nk_cell", site: "breast", place: Scatter(per_mm3: 4000)),
        (cell: "macrophage", site: "breast", place: Scatter(per_mm3: 6000)),
        (cell: "regulatory_t_cell", site: "breast", place: Scatter(per_mm3: 8000)),
        (cell: "mdsc", site: "breast", place: Scatter(per_mm3: 4000)),
        (cell: "dendritic_cell", site: "breast", place: Scatter(per_mm3: 4000)),
        (cell: "naive_t_cell", site: "node", place: Scatter(per_mm3: 20000)),
    ],
    parameters: {
        "cancer.death.apoptosis_per_hour": 0.05, "dendritic_cell.presentation.uptake_per_hour": 0.2,
        "lymph.journey_hours": 1,
        "naive_t_cell.naive.expansion_hours": 1, "cd8_t_cell.effector.circulation_hours": 1,
        "naive_t_cell.naive.priming_per_hour": 3,
    },
    output: (metrics_every: Hours(2)),
)"#;

/// Arrows of the shelter, and what each goes to.
const ARROWS: &[(&str, &str)] = &[
    // Who is called, and what cancer cells give off and leave.
    ("macrophage.ccl2_calls_monocytes", "recruit.rate"),
    (
        "regulatory_t_cell.ccl22_calls_regulatory_t_cells",
        "recruit.rate",
    ),
    (
        "regulatory_t_cell.tgf_beta_induces_regulatory_t_cells",
        "recruit.rate",
    ),
    ("mdsc.ccl2_calls_myeloid_cells", "recruit.rate"),
    ("cancer.hypoxia_raises_ccl2", "exchange.ccl2"),
    ("cancer.egf_raises_csf_1", "exchange.csf_1"),
    ("cancer.egf_speeds_walking", "motility.speed"),
    ("cancer.antigen_is_left", "edible.antigen"),
    // Macrophages.
    ("macrophage.tgf_beta_leads_to_m2", "polarisation.to_m2"),
    ("macrophage.il_10_leads_to_m2", "polarisation.to_m2"),
    ("macrophage.hypoxia_leads_to_m2", "polarisation.to_m2"),
    ("macrophage.ifn_gamma_leads_to_m1", "polarisation.to_m1"),
    ("macrophage.il_12_leads_to_m1", "polarisation.to_m1"),
    ("macrophage.m1_macrophages_eat_more", "phagocytosis.rate"),
    ("macrophage.eaten_antigen_is_shown", "presentation.uptake"),
    (
        "macrophage.m2_macrophages_bridge_tips",
        "chaperone.strength",
    ),
    (
        "macrophage.m2_macrophages_crowd_killers_out",
        "suppressor.crowd",
    ),
    ("macrophage.m2_macrophages_secrete_il_10", "exchange.il_10"),
    ("macrophage.m1_macrophages_secrete_il_12", "exchange.il_12"),
    (
        "macrophage.m2_macrophages_secrete_tgf_beta",
        "exchange.tgf_beta",
    ),
    (
        "macrophage.m2_macrophages_call_lymphatics",
        "exchange.vegf_c",
    ),
    ("macrophage.m2_macrophages_call_vessels", "exchange.vegf_a"),
    ("macrophage.hypoxia_raises_their_vegf", "exchange.vegf_a"),
    ("macrophage.m2_macrophages_secrete_egf", "exchange.egf"),
    ("macrophage.csf_1_raises_their_egf", "exchange.egf"),
    ("macrophage.m2_macrophages_secrete_mmp", "protease.mmp"),
    (
        "macrophage.m2_macrophages_call_regulatory_t_cells",
        "exchange.ccl22",
    ),
    ("macrophage.ifn_gamma_brings_cxcl9", "exchange.cxcl9"),
    ("macrophage.csf_1_speeds_macrophages", "motility.speed"),
    // Suppressors.
    (
        "regulatory_t_cell.killers_keep_it_beside_them",
        "motility.speed",
    ),
    (
        "regulatory_t_cell.il_2_keeps_regulatory_t_cells_alive",
        "death.apoptosis",
    ),
    ("mdsc.hypoxia_makes_it_suppress_more", "suppressor.nearby"),
    // What they do to killers.
    ("cd8_t_cell.regulatory_t_cells_hold_back", "killer.function"),
    ("cd8_t_cell.myeloid_cells_hold_back", "killer.function"),
    ("cd8_t_cell.m2_macrophages_slow_division", "cycle.entry"),
    ("nk_cell.myeloid_cells_hold_back", "killer.function"),
    ("nk_cell.il_10_holds_back", "killer.function"),
    ("nk_cell.hypoxia_holds_back", "killer.function"),
    ("nk_cell.lactate_holds_back", "killer.function"),
];

/// Arrows that act once cells have been eaten and dendritic cells are mature.
const LATE_ARROWS: &[(&str, &str)] = &[
    ("macrophage.m1_macrophages_present", "presentation.uptake"),
    ("macrophage.meals_hold_it_up", "motility.speed"),
    (
        "dendritic_cell.eaten_antigen_is_shown",
        "presentation.uptake",
    ),
    ("dendritic_cell.mature_cells_let_go", "mechanics.e_cadherin"),
    (
        "dendritic_cell.mature_cells_eat_no_more",
        "phagocytosis.rate",
    ),
    ("dendritic_cell.mature_cells_walk_faster", "motility.speed"),
    (
        "dendritic_cell.mature_cells_secrete_il_12",
        "exchange.il_12",
    ),
    (
        "cd8_t_cell.shown_antigen_drives_division",
        "cytotoxic.shown",
    ),
];

#[test]
fn without_an_arrow_nothing_but_its_input_differs_a_step_later() {
    assert_each_changes_its_input_alone(|| simulation(TISSUE, 5), 20, ARROWS);
}

#[test]
fn without_a_late_arrow_nothing_but_its_input_differs_a_step_later() {
    // The same tissue, in which more die, more are there to eat them, and these take long over it and stay.
    let tissue = [
        (
            r#""cancer.death.apoptosis_per_hour": 0.05"#,
            r#""cancer.death.apoptosis_per_hour": 0.2, "macrophage.phagocytosis.uptake_per_hour": 5,
        "dendritic_cell.phagocytosis.uptake_per_hour": 5, "macrophage.phagocytosis.digestion_hours": 9,
        "dendritic_cell.phagocytosis.digestion_hours": 9, "dendritic_cell.presentation.leaving_per_hour": 0"#,
        ),
        (
            r#""dendritic_cell.presentation.uptake_per_hour": 0.2"#,
            r#""dendritic_cell.presentation.uptake_per_hour": 0"#,
        ),
        (
            r#"(cell: "dendritic_cell", site: "breast", place: Scatter(per_mm3: 4000))"#,
            r#"(cell: "dendritic_cell", site: "breast", place: Scatter(per_mm3: 15000))"#,
        ),
    ];
    let tissue = tissue.iter().fold(TISSUE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    // Until a macrophage and a dendritic cell digest what had antigen, another is mature, and a T cell is shown some.
    let mut first = simulation(&tissue, 5);
    let is_any = |of: &Simulation, name| values(of, name).iter().any(|(_, value)| *value > 0.0);
    let is_eaten = |of: &Simulation| {
        let eaten = values(of, "phagocytosis.antigen");
        let polarised = values(of, "polarisation.m2");
        let is_macrophage = |cell| polarised.iter().any(|(known, _)| *known == cell);
        let digest = eaten.iter().filter(|(_, antigen)| *antigen > 0.0);
        let macrophages = digest.clone().filter(|(cell, _)| is_macrophage(*cell));
        let macrophages = macrophages.count();
        macrophages > 0 && digest.count() > macrophages
    };
    while !is_eaten(&first)
        || !is_any(&first, "presentation.mature")
        || !is_any(&first, "restimulation.antigen")
    {
        first.step();
        assert!(first.steps() < 400, "nobody eats, or nobody is shown any");
    }
    let begin = || simulation(&tissue, 5);
    assert_each_changes_its_input_alone(begin, first.steps(), LATE_ARROWS);
}

#[test]
fn the_shelter_gives_the_same_bits_at_any_thread_count_and_across_save_and_resume() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    std::fs::write(folder.join("all.ron"), TISSUE).expect("writable");
    let run = |threads: &str, out: &str| {
        let common = ["run", "all.ron", "--quiet", "--until", "14h", "--verify"];
        let rest = ["--threads", threads, "--out", out];
        succeeds(folder, &[&common[..], &rest[..]].concat())
    };
    let one = run("1", "one");
    assert_eq!(state(&run("3", "three")), state(&one));
    let events = std::fs::read_to_string(folder.join("one/events.csv")).expect("written");
    for kind in [
        "recruitment.called",
        "phagocytosis.eaten",
        "priming.to_node",
        "priming.in_node",
        "priming.primed",
        "priming.homes",
        "immunity.hit",
    ] {
        assert!(events.contains(kind), "no {kind}");
    }
    let half = [
        "run",
        "all.ron",
        "--quiet",
        "--until",
        "9h",
        "--checkpoint-every",
        "8h",
        "--out",
        "half",
    ];
    succeeds(folder, &half);
    let rest = ["resume", "half", "--quiet", "--until", "14h"];
    assert_eq!(state(&succeeds(folder, &rest)), state(&one));
}
