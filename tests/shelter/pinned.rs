//! Killers that stand still among targets and suppressors: each arrow takes as many kills as its formula says.

use tumorscape::simulation::Simulation;

use super::{metric, run_to, simulation, values};

/// T cells that do not walk in a tumour of cells that neither divide nor die of themselves, with a suppressor of a type beside each.
fn pinned(suppressor: &str, beside_um: f64, parameters: &str, rules: &str) -> String {
    let (mut killers, mut suppressors) = (Vec::new(), Vec::new());
    for x in -2..=2 {
        for y in -2..=2 {
            for z in -2..=2 {
                let place = [x, y, z].map(|n| f64::from(n) * 40.0);
                let square: f64 = place.iter().map(|n| n * n).sum();
                if square <= 90.0 * 90.0 {
                    let [x, y, z] = place;
                    killers.push(format!("(at_um: ({x}, {y}, {z}))"));
                    suppressors.push(format!("(at_um: ({}, {y}, {z}))", x + beside_um));
                }
            }
        }
    }
    let with = if suppressor.is_empty() {
        String::new()
    } else {
        format!(
            r#"(cell: "{suppressor}", place: Cells([{}])),"#,
            suppressors.join(", ")
        )
    };
    let still: String = ["regulatory_t_cell", "mdsc", "macrophage"]
        .map(|name| {
            format!(
                "\"{name}.motility.speed_um_per_min\": 0, \"{name}.death.apoptosis_per_hour\": 0, "
            )
        })
        .concat();
    format!(
        r#"(
    title: "pinned", about: "-", pace: Calibrated, duration: Days(3), step: Minutes(2),
    sites: [(name: "dish", organ: Breast, size_um: (260, 260, 260))],
    populations: [
        (cell: "cancer", place: Ball(radius_um: 115)),
        (cell: "cd8_t_cell", place: Cells([{}])),
        {with}
    ],
    parameters: {{
        "cancer.cycle.g0g1_hours": 1e6, "cancer.death.apoptosis_per_hour": 0, "cancer.motility.speed_um_per_min": 0,
        "cd8_t_cell.cycle.g0g1_hours": 1e6, "cd8_t_cell.death.apoptosis_per_hour": 0,
        "cd8_t_cell.motility.speed_um_per_min": 0, "cd8_t_cell.cytotoxic.exhaustion_per_day": 0,
        // All of PD-1 is blocked: what is left is what suppressors leave.
        "cd8_t_cell.checkpoint.blocked": 1,
        {still} {parameters}
    }},
    // The little lactate of any medium is of no concern here.
    rules: [Delete("cd8_t_cell.lactate_holds_back"), {rules}],
)"#,
        killers.join(", ")
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

/// The mean over killers of a quantity.
fn mean(simulation: &Simulation, name: &str) -> f64 {
    let all = values(simulation, name);
    assert!(!all.is_empty(), "no `{name}`");
    let sum: f64 = all.iter().map(|(_, value)| f64::from(*value)).sum();
    sum / all.len() as f64
}

/// Runs the assay: kills over those that the functions of the killers lead one to expect, and the mean function and what was felt.
fn kills(text: &str, hours: f64, felt: &str, formula: impl Fn(f64) -> f64) -> (f64, f64) {
    let (mut found, mut expected, mut functions, mut runs) = (0.0, 0.0, 0.0, 0.0);
    for seed in [1, 2] {
        let mut simulation = simulation(text, seed);
        let (mut sum, mut steps) = (0.0, 0.0);
        while simulation.hours() < hours - 1e-6 {
            // Rules go by what was felt in the step before.
            let is_turn = simulation.steps() % 30 == 10;
            let felt = is_turn.then(|| values(&simulation, felt));
            simulation.step();
            if let Some(felt) = felt {
                let functions = values(&simulation, "killer.function");
                for ((cell, function), (same, felt)) in functions.iter().zip(&felt) {
                    assert_eq!(cell, same);
                    let by_formula = formula(f64::from(*felt)).max(0.1);
                    assert!(
                        (f64::from(*function) / by_formula - 1.0).abs() < 1e-3,
                        "{cell:?}: {function}, not {by_formula}"
                    );
                }
                sum += mean(&simulation, "killer.function");
                steps += 1.0;
            }
        }
        let function = sum / steps;
        let killers = values(&simulation, "killer.kills").len() as f64;
        found += metric(&simulation, 0, "t_cell_kills");
        expected += killers * expected_kills(function, hours);
        functions += function;
        runs += 1.0;
    }
    println!(
        "{found} kills, {expected:.1} expected at a function of {:.3}",
        functions / runs
    );
    (found / expected, functions / runs)
}

#[test]
fn a_regulatory_t_cell_leaves_a_killer_a_sixth_of_its_hits_while_it_touches_it() {
    let text = pinned("regulatory_t_cell", 6.0, "", "");
    let (ratio, function) = kills(&text, 48.0, "suppression.contact", |contact| {
        1.0 - 0.8333 * contact
    });
    // At any time a share of the killers is not touched. Kills grow faster than function: there are more than at the mean function, and fewer
    // than if some were never touched and all others always.
    const TOUCHED: f64 = 1.0 - 0.8333;
    assert!((TOUCHED..0.75).contains(&function), "{function}");
    let free = (function - TOUCHED) / (1.0 - TOUCHED);
    let apart = free * expected_kills(1.0, 48.0) + (1.0 - free) * expected_kills(TOUCHED, 48.0);
    let most = apart / expected_kills(function, 48.0);
    assert!(
        (0.9..1.1 * most).contains(&ratio),
        "{ratio}, at most {most}"
    );
}

#[test]
fn myeloid_cells_within_reach_leave_killers_what_their_number_says() {
    let text = pinned("mdsc", 30.0, "", "");
    let (ratio, function) = kills(&text, 24.0, "suppression.nearby", |nearby| {
        1.0 - 0.5 * nearby / (1.0 + nearby)
    });
    assert!((0.5..0.75).contains(&function), "{function}");
    assert!((ratio - 1.0).abs() < 0.15, "{ratio}");
}

#[test]
fn with_all_arrows_cut_suppressors_leave_killers_as_they_are_alone() {
    let cut = r#"Delete("cd8_t_cell.regulatory_t_cells_hold_back"), Delete("cd8_t_cell.myeloid_cells_hold_back"),
        Delete("cd8_t_cell.tgf_beta_holds_back"), Delete("cd8_t_cell.il_10_holds_back")"#;
    let (alone, function) = kills(
        &pinned("", 0.0, "", ""),
        12.0,
        "suppression.contact",
        |_| 1.0,
    );
    assert!((function - 1.0).abs() < 1e-3);
    let (beside, function) = kills(
        &pinned("regulatory_t_cell", 6.0, "", cut),
        12.0,
        "suppression.contact",
        |_| 1.0,
    );
    assert!((function - 1.0).abs() < 1e-3);
    assert!((beside / alone - 1.0).abs() < 0.1, "{beside} {alone}");
}

#[test]
fn shares_in_what_holds_killers_back_are_those_of_the_logarithms_of_factors() {
    let both = "\"regulatory_t_cell.suppressor.nearby\": 0.5";
    let text = pinned("regulatory_t_cell", 6.0, both, "");
    let mut simulation = simulation(&text, 1);
    run_to(&mut simulation, 1.0);
    let loss = |quantity: &str, factor: fn(f64) -> f64| -> f64 {
        let felt = values(&simulation, quantity);
        let losses = felt.iter().map(|(_, felt)| -factor(f64::from(*felt)).ln());
        losses.sum()
    };
    let contact = loss("suppression.contact", |felt| 1.0 - 0.8333 * felt);
    let nearby = loss("suppression.nearby", |felt| 1.0 - 0.5 * felt / (1.0 + felt));
    assert!(contact > 0.0 && nearby > 0.0, "{contact} {nearby}");
    const SHARE: &str = "killer_function_share_of_";
    let [of_contact, of_nearby] = ["suppression_contact", "suppression_nearby"]
        .map(|name| metric(&simulation, 0, &format!("{SHARE}{name}")));
    let (found, expected) = (of_contact / of_nearby, contact / nearby);
    assert!(
        (found / expected - 1.0).abs() < 1e-3,
        "{found}, not {expected}"
    );
    let all = simulation.metrics();
    let shares = all[0].columns.iter();
    let shares = shares.filter(|(name, _)| name.starts_with(SHARE));
    let sum: f64 = shares.map(|(_, share)| share).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
}

#[test]
fn m2_macrophages_slow_division_and_entry_of_killers_by_their_density() {
    let text = r#"(
    title: "crowd", about: "-", pace: Calibrated, duration: Days(1), step: Minutes(5),
    sites: [(name: "breast", organ: Breast, size_um: (260, 260, 260), tissue: (immigration: ()))],
    populations: [
        (cell: "macrophage", place: Scatter(per_mm3: 6000)),
        (cell: "cd8_t_cell", place: Scatter(per_mm3: 3000)),
    ],
    parameters: {
        "macrophage.polarisation.rest": 0.7, "macrophage.death.apoptosis_per_hour": 0,
        "macrophage.motility.speed_um_per_min": 0, "cd8_t_cell.motility.speed_um_per_min": 0,
        "cd8_t_cell.death.apoptosis_per_hour": 0, "cd8_t_cell.immigrant.per_mm3_per_day": 20000, "cd8_t_cell.immigrant.leaving_per_hour": 0,
    },
    rules: [
        Delete("cd8_t_cell.antigen_drives_division"), Delete("cd8_t_cell.exhaustion_ends_division"),
        Delete("cd8_t_cell.il_2_hastens_division"), Delete("macrophage.hypoxia_leads_to_m2"),
    ],
)"#;
    let mut simulation = simulation(text, 3);
    run_to(&mut simulation, 1.0);
    let of_site = metric(&simulation, 0, "suppressor_crowd_per_mm3");
    let [killers, suppressors] =
        ["living_cd8_t_cell", "living_macrophage"].map(|name| metric(&simulation, 0, name));
    let ratio = metric(&simulation, 0, "killers_per_suppressor");
    assert!((ratio - killers / suppressors).abs() < 1e-4, "{ratio}");
    // Whole cells, each 0.7 of an M2 macrophage.
    let macrophages = metric(&simulation, 0, "living_macrophage");
    let volume_mm3 = 0.26_f64.powi(3);
    assert!(
        (of_site / (0.7 * macrophages / volume_mm3) - 1.0).abs() < 1e-3,
        "{of_site}"
    );
    // Division: the input of each killer is its base, 1, times the formula by what it felt in the step before.
    let crowd = values(&simulation, "suppression.crowd");
    simulation.step();
    let entry = simulation.inputs("cycle.entry");
    let mut checked = 0;
    for (cell, crowd) in crowd {
        let found = entry.iter().find(|(known, _)| *known == cell);
        let found = f64::from(found.expect("it has a cycle").1);
        let share = 1.0 / (1.0 + f64::from(crowd) / 5000.0);
        checked += usize::from(share < 0.7);
        assert!((found / share - 1.0).abs() < 1e-3, "{found}, not {share}");
    }
    assert!(checked > 10, "{checked}");
    // Entry: 20 000 a mm3 and day times the volume and the formula.
    run_to(&mut simulation, 24.0);
    let came = metric(&simulation, 0, "killers_came");
    let expected = 20_000.0 * volume_mm3 / (1.0 + of_site / 5000.0);
    assert!(
        (came - expected).abs() < 4.0 * expected.sqrt(),
        "{came}, not {expected}"
    );
}
