//! What holds killers back, in numbers: PD-1 against the exact mean time of three hits, and all suppressors against their product.

use tumorscape::simulation::Simulation;

use super::{metric, run_to, simulation, values};

/// T cells that do not walk, each with fresh targets around it: a tumour of cells that neither divide nor die of themselves.
fn pinned(parameters: &str) -> String {
    let mut at = Vec::new();
    for x in -2..=2 {
        for y in -2..=2 {
            for z in -2..=2 {
                let place = [x, y, z].map(|n| f64::from(n) * 40.0);
                let square: f64 = place.iter().map(|n| n * n).sum();
                if square <= 90.0 * 90.0 {
                    at.push(format!(
                        "(at_um: ({}, {}, {}))",
                        place[0], place[1], place[2]
                    ));
                }
            }
        }
    }
    let at = at.join(", ");
    format!(
        r#"(
    title: "pinned", about: "-", pace: Calibrated, duration: Days(3), step: Minutes(2),
    sites: [(name: "dish", organ: Breast, size_um: (260, 260, 260))],
    populations: [
        (cell: "cancer", place: Ball(radius_um: 115)),
        (cell: "cd8_t_cell", place: Cells([{at}])),
    ],
    parameters: {{
        "cancer.cycle.g0g1_hours": 1e6, "cancer.death.apoptosis_per_hour": 0, "cancer.motility.speed_um_per_min": 0,
        "cd8_t_cell.cycle.g0g1_hours": 1e6, "cd8_t_cell.death.apoptosis_per_hour": 0,
        "cd8_t_cell.motility.speed_um_per_min": 0, "cd8_t_cell.cytotoxic.exhaustion_per_day": 0,
        {parameters}
    }},
)"#
    )
}

/// Kills of a T cell in so many hours that is given a fresh target whenever one dies, by the master equation of hits borne: each comes at
/// the rate `phi / 30 min` and lasts for 50 min, the third at once kills.
fn expected_kills(function: f64, hours: f64) -> f64 {
    let (hit, repair, step) = (function / 30.0, 1.0 / 50.0, 0.05);
    let (mut none, mut one, mut two, mut kills) = (1.0_f64, 0.0_f64, 0.0_f64, 0.0);
    for _ in 0..(hours * 60.0 / step) as usize {
        let (up, higher, kill) = (none * hit, one * hit, two * hit);
        let (down, lower) = (one * repair, two * 2.0 * repair);
        none += step * (down + kill - up);
        one += step * (up + lower - higher - down);
        two += step * (higher - kill - lower);
        kills += step * kill;
    }
    kills
}

/// What PD-1 leaves where PD-L1 of 130 in a um2 meets so much of it, half at 110 complexes in a um2.
fn left_by_pd_1(blocked: f64) -> f64 {
    let (receptor, ligand, dissociation) = (185.0 * (1.0 - blocked), 130.0, 14.8);
    let sum: f64 = receptor + ligand + dissociation;
    let complexes = 0.5 * (sum - (sum * sum - 4.0 * receptor * ligand).sqrt());
    1.0 / (1.0 + (complexes / 110.0_f64).powi(2))
}

#[test]
fn pd_1_halves_function_and_a_drug_gives_kills_back() {
    // What it leaves: 0.50, and 0.98 with nine tenths of PD-1 blocked; 2.5 and 8.4 kills a day.
    assert!((left_by_pd_1(0.0) - 0.505).abs() < 1e-3 && (left_by_pd_1(0.9) - 0.978).abs() < 1e-3);
    for (blocked, hours) in [(0.0, 24.0), (0.9, 12.0)] {
        let parameters = format!("\"cd8_t_cell.checkpoint.blocked\": {blocked},");
        let (mut kills, mut killers) = (0.0, 0.0);
        for seed in [1, 2, 3] {
            let mut simulation = simulation(&pinned(&parameters), seed);
            run_to(&mut simulation, hours);
            kills += metric(&simulation, 0, "t_cell_kills");
            killers += values(&simulation, "killer.kills").len() as f64;
            for (cell, held) in values(&simulation, "killer.met_pd_l1") {
                assert!(
                    held == 0.0 || (held - 130.0).abs() < 5.0,
                    "{cell:?}: {held}"
                );
            }
        }
        // Over this time a killer of one half kills 2.4, as its first takes longer; 2.5 a day in the long run.
        let expected = killers * expected_kills(left_by_pd_1(blocked), hours);
        assert!(
            (kills / expected - 1.0).abs() < 0.15,
            "{blocked}: {kills} kills of {killers}, not {expected}"
        );
    }
}

/// The input of each killer whose function what surrounds it sets, and what its quantities give by the formulas.
fn assert_suppressed(simulation: &Simulation) {
    let [
        tgf_beta,
        il_10,
        adenosine,
        hif,
        lactate,
        complexes,
        function,
    ] = [
        "tgf_beta",
        "il_10",
        "adenosine",
        "hif.activation",
        "lactate",
        "checkpoint.complexes",
        "killer.function",
    ]
    .map(|name| {
        let all = values(simulation, name);
        assert!(!all.is_empty(), "no `{name}`");
        all
    });
    let of = |all: &[(tumorscape::core::CellId, f32)], id| {
        let found = all.iter().find(|(known, _)| *known == id);
        f64::from(found.map_or(f32::NAN, |(_, value)| *value))
    };
    let share = |q: f64, half: f64, power: i32| q.powi(power) / (half.powi(power) + q.powi(power));
    for (id, found) in &function {
        let at = |all: &[(_, f32)]| of(all, *id);
        let phi = (1.0 - share(at(&tgf_beta), 0.14, 1))
            * (1.0 - 0.3 * share(at(&il_10), 20.0, 1))
            * (1.0 - 0.5 * share(at(&adenosine), 0.5, 1))
            * (1.0 - 0.6 * at(&hif))
            * (1.0 - 0.5 * share(at(&lactate), 10.0, 2))
            * (1.0 - share(at(&complexes), 110.0, 2));
        let expected = phi.max(0.1);
        let found = f64::from(*found);
        // Fields and HIF-1a have come to rest: what the step before left is what there is now.
        assert!(
            (found / expected - 1.0).abs() < 2e-3,
            "{id:?}: {found}, not {expected}"
        );
    }
}

#[test]
fn suppressors_multiply_and_leave_a_tenth() {
    // A little of each, and much of each.
    for (levels, oxygen) in [
        ([0.05, 10.0, 0.2, 4.0], 20.0),
        ([1.0, 200.0, 20.0, 12.0], 1.0),
    ] {
        let [tgf_beta, il_10, adenosine, lactate] = levels;
        let text = format!(
            r#"(
    title: "suppressed", about: "-", pace: Calibrated, duration: Days(3), step: Minutes(5),
    sites: [(name: "dish", organ: Breast, size_um: (160, 160, 160), perfusion_length_um: 20, fields: [
        (molecule: "oxygen", level: {oxygen}), (molecule: "lactate", level: {lactate}), (molecule: "tgf_beta", level: {tgf_beta}),
        (molecule: "il_10", level: {il_10}), (molecule: "adenosine", level: {adenosine}),
    ])],
    populations: [(cell: "cd8_t_cell", place: Scatter(per_mm3: 5000))],
    parameters: {{
        "cd8_t_cell.motility.speed_um_per_min": 0, "cd8_t_cell.death.apoptosis_per_hour": 0,
        "cd8_t_cell.death.necrosis_onset_mmhg": 0, "cd8_t_cell.death.necrosis_full_mmhg": 0,
        "cd8_t_cell.metabolism.glucose_uptake_amol_per_s": 0,
        "cd8_t_cell.checkpoint.pd_l1_per_um2": 60,
    }},
)"#
        );
        let mut simulation = simulation(&text, 1);
        run_to(&mut simulation, 48.0);
        assert_suppressed(&simulation);
    }
}

#[test]
fn pd_l1_rises_to_three_and_a_half_times_at_its_half_point_of_ifn_gamma() {
    let text = r#"(
    title: "induced", about: "-", pace: Calibrated, duration: Days(6), step: Minutes(10),
    sites: [(name: "dish", organ: Medium, size_um: (160, 160, 160),
        fields: [(molecule: "ifn_gamma", level: 2.96, faces: Held)])],
    populations: [(cell: "cancer", place: Single(at_um: (-70, 0, 0)))],
    parameters: {
        "cancer.cycle.g0g1_hours": 1e6, "cancer.death.apoptosis_per_hour": 0, "cancer.motility.speed_um_per_min": 0,
        "cancer.anoikis.attachment": 1, "molecules.ifn_gamma.decay_per_min": 0,
    },
)"#;
    let mut simulation = simulation(text, 1);
    // HIF-1a at the 38 mmHg of the background, by its rate equation.
    let ratio = (38.0_f64 / 34.7).powi(3);
    let hif = 0.396 / (0.396 + 7.92 * ratio / (1.0 + ratio));
    let (start, end) = (130.0, 130.0 * 3.5 * (1.0 + 0.4 * hif));
    for hours in [6.0, 24.0, 120.0_f64] {
        run_to(&mut simulation, hours);
        let expected = end + (start - end) * (-hours / 12.0).exp();
        let found = f64::from(values(&simulation, "visibility.pd_l1")[0].1);
        assert!(
            (found / expected - 1.0).abs() < 5e-3,
            "{hours} h: {found}, not {expected}"
        );
    }
}

#[test]
fn death_ligands_kill_t_cells_that_touch_them_at_their_rate() {
    let with = |ligands: f64| {
        let parameters = format!(
            "\"cancer.visibility.death_ligands\": {ligands}, \"cancer.visibility.antigen\": 0, \
             \"cd8_t_cell.motility.persistence_min\": 4"
        );
        let (mut left, mut all) = (0.0, 0.0);
        for seed in [1, 2, 3] {
            let mut simulation = simulation(&pinned(&parameters), seed);
            all += values(&simulation, "killer.kills").len() as f64;
            run_to(&mut simulation, 20.0);
            left += metric(&simulation, 0, "living_cd8_t_cell");
            assert_eq!(metric(&simulation, 0, "t_cell_kills"), 0.0);
        }
        (left, all)
    };
    let (left, all) = with(0.0);
    assert_eq!(left, all);
    // 0.05 /h at half of the ligands.
    let (left, all) = with(0.5);
    let share: f64 = (-0.025_f64 * 20.0).exp();
    let error = (all * share * (1.0 - share)).sqrt();
    assert!(
        (left - all * share).abs() < 4.0 * error,
        "{left} of {all}, not {share}"
    );
}
