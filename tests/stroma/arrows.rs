//! The sign of every arrow of the shipped cell types, whatever the base that it acts on.

use tumorscape::core::rule::{BLOCK, RuleBook, RuleProgram};
use tumorscape::scene::CellLibrary;

/// The arrows that hold something back; all others raise what they lead to, or let it be.
const HOLD_BACK: &[&str] = &[
    // HIF-1a keeps pyruvate from the mitochondria, and sheds stress ligands.
    "cancer.hypoxia_spares_pyruvate",
    "cancer.hypoxia_sheds_stress_ligands",
    // EMT: lost adhesion, polarity and division, resistance to anoikis.
    "cancer.emt_loses_e_cadherin",
    "cancer.emt_loosens_junctions",
    "cancer.emt_slows_division",
    "cancer.emt_ends_apical_basal_polarity",
    "cancer.emt_resists_anoikis",
    // What shields in the blood, who sleeps where it lodged, and what keeps it asleep.
    "cancer.clusters_hide_from_nk_cells",
    "cancer.clusters_bear_shear",
    "cancer.clusters_attach_each_other",
    "cancer.mesenchymal_cells_live_in_blood",
    "cancer.lodged_cells_do_not_divide",
    "cancer.lodged_cells_stay",
    "cancer.cells_elsewhere_die_by_their_own_rates",
    "cancer.colonies_ask_for_met",
    "cancer.waking_asks_for_met",
    "cancer.tgf_beta_keeps_cells_from_growing",
    "cancer.tgf_beta_keeps_cells_asleep",
    "cancer.cxcl12_keeps_lone_cells_alive",
    "cancer.cxcl12_keeps_dormant_cells_alive",
    // Inflammatory fibroblasts give off more than myofibroblasts, which are broader.
    "fibroblast.myofibroblasts_secrete_less_cxcl12",
    "fibroblast.cafs_broaden",
    // Killers stop at their targets; T cells tire, and antigen keeps them alive and here.
    "cd8_t_cell.engaged_t_cells_stop",
    "nk_cell.engaged_nk_cells_stop",
    "nk_cell.engaged_nk_cells_hold_on_in_vessels",
    "cd8_t_cell.exhaustion_ends_division",
    "cd8_t_cell.antigen_keeps_t_cells_alive",
    "cd8_t_cell.stimulated_t_cells_stay",
    // What suppresses killers.
    "cd8_t_cell.pd_1_holds_back",
    "cd8_t_cell.pd_l1_on_vesicles_holds_back",
    "cd8_t_cell.tgf_beta_holds_back",
    "cd8_t_cell.il_10_holds_back",
    "cd8_t_cell.adenosine_holds_back",
    "cd8_t_cell.hypoxia_holds_back",
    "cd8_t_cell.lactate_holds_back",
    "cd8_t_cell.tgf_beta_takes_cxcr3",
    "nk_cell.tgf_beta_holds_back",
    "nk_cell.il_10_holds_back",
    "nk_cell.adenosine_holds_back",
    "nk_cell.hypoxia_holds_back",
    "nk_cell.lactate_holds_back",
    // Suppressors that are near, and what M2 macrophages make of tissue.
    "cd8_t_cell.m2_macrophages_slow_division",
    "cd8_t_cell.myeloid_cells_hold_back",
    "cd8_t_cell.regulatory_t_cells_hold_back",
    "nk_cell.myeloid_cells_hold_back",
    "nk_cell.regulatory_t_cells_hold_back",
    // Meals hold macrophages up; mature dendritic cells eat no more; T cells slow down where they are primed or killers are at work.
    "macrophage.meals_hold_it_up",
    "dendritic_cell.mature_cells_eat_no_more",
    "dendritic_cell.mature_cells_let_go",
    "naive_t_cell.primed_t_cells_stop",
    "regulatory_t_cell.il_2_keeps_regulatory_t_cells_alive",
    "regulatory_t_cell.killers_keep_it_beside_them",
];

/// The arrows that lead to a value, from above and from below.
const LEAD_TO: &[(&str, f32)] = &[
    // Killers that hold a target are round.
    ("cd8_t_cell.engaged_t_cells_round_up", 1.0),
    ("nk_cell.engaged_nk_cells_round_up", 1.0),
    // Much CXCL12 repels T cells.
    ("cd8_t_cell.cxcl12_turns_away", -0.3),
];

/// What a rule alone makes of an input with that base.
fn with(book: &RuleBook, input: &str, base: f32, q: f32) -> f32 {
    let program = RuleProgram::new(book, input, (f32::MIN, f32::MAX), |_| 0);
    let mut value = [base];
    let column = [q];
    let program = program.expect("the rule acts on its input");
    program.apply(&mut value, |_| &column[..], &mut [[0.0; BLOCK]; 2]);
    value[0]
}

#[test]
fn every_arrow_points_the_same_way_at_every_base() {
    let shipped = CellLibrary::shipped().unwrap_or_else(|report| panic!("{report}"));
    let mut held_back = Vec::new();
    for prefab in &shipped.types {
        for (name, rule) in &prefab.rules {
            let path = format!("{}.{name}", prefab.name);
            let sign = if HOLD_BACK.contains(&path.as_str()) {
                held_back.push(path.clone());
                -1.0
            } else {
                1.0
            };
            let book = RuleBook {
                rules: [(name.clone(), rule.clone())].into(),
                ..RuleBook::default()
            };
            let mut strongest = 0.0_f32;
            // From far below to far above what any cell file gives as a base.
            for base in [0.01, 0.3, 1.0, 1.5, 40.0] {
                let mut before = with(&book, &rule.input, base, 0.0);
                for q in [0.01, 0.1, 0.5, 1.0] {
                    let now = with(&book, &rule.input, base, q);
                    let change = match LEAD_TO.iter().find(|(known, _)| *known == path) {
                        Some((_, to)) => (before - to).abs() - (now - to).abs(),
                        None => sign * (now - before),
                    };
                    assert!(
                        change >= 0.0,
                        "{path}: from {before} to {now} at base {base}"
                    );
                    strongest = strongest.max(change);
                    before = now;
                }
            }
            assert!(strongest > 0.0, "{path} does nothing");
        }
    }
    held_back.sort();
    let mut expected: Vec<String> = HOLD_BACK.iter().map(|path| (*path).to_owned()).collect();
    expected.sort();
    assert_eq!(held_back, expected);
}

#[test]
fn what_drives_the_transition_adds_up() {
    // T = TGF-beta (ng/mL) + 0.5 H + 0.3 h(FGF-2) + 0.3 h(stiffness), whatever the base.
    let shipped = CellLibrary::shipped().unwrap_or_else(|report| panic!("{report}"));
    let cancer = shipped.get("cancer").expect("it is shipped");
    let rules = cancer
        .rules
        .iter()
        .filter(|(_, rule)| rule.input == "emt.drive");
    let book = RuleBook {
        rules: rules
            .map(|(name, rule)| (name.clone(), rule.clone()))
            .collect(),
        ..RuleBook::default()
    };
    // nM, share, nM, share of the stiffness of density 1.
    let quantities = [
        ("tgf_beta", 0.06),
        ("hif.level", 0.8),
        ("fgf_2", 0.6),
        ("matrix.stiffness", 2.0),
    ];
    for base in [0.0, 0.2, 1.5] {
        let mut columns: Vec<[f32; 1]> = Vec::new();
        let program = RuleProgram::new(&book, "emt.drive", (f32::MIN, f32::MAX), |by| {
            let known = quantities.iter().find(|(name, _)| *name == by);
            let (_, value) = known.unwrap_or_else(|| panic!("{by} drives it as well"));
            columns.push([*value]);
            columns.len() - 1
        });
        let mut value = [base];
        let program = program.expect("rules act on it");
        program.apply(
            &mut value,
            |place| &columns[place][..],
            &mut [[0.0; BLOCK]; 2],
        );
        let expected = base + 25.0 * 0.06 + 0.5 * 0.8 + 0.3 * 0.75 + 0.3 * 0.5;
        assert!(
            (value[0] - expected).abs() < 1e-5,
            "{} of {expected}",
            value[0]
        );
    }
}
