//! Death by lack of oxygen, of ATP, of glucose, and by acid.

use super::{ARRESTED, metric, quantity, simulation};

/// Cells that lie apart from each other, so that all find the same.
const CELLS: usize = 1000;

/// Cells far apart in what the molecules' backgrounds are; no one divides.
fn cells(parameters: &str, rules: &str) -> tumorscape::simulation::Simulation {
    simulation(&format!(
        "duration: Days(2), step: Minutes(6), \
         sites: [(name: \"dish\", organ: Medium, size_um: (1000, 1000, 1000))], \
         populations: [(cell: \"cancer\", place: Scatter(per_mm3: {CELLS}))], \
         parameters: {{\"cancer.death.apoptosis_per_hour\": 0, {ARRESTED}, {parameters}}}, rules: [{rules}]"
    ))
}

/// The share of cells that is necrotic after so many hours.
fn dead_after(hours: f64, parameters: &str, rules: &str) -> f64 {
    let mut simulation = cells(parameters, rules);
    for _ in 0..(hours * 10.0) as usize {
        simulation.step();
    }
    metric(&simulation, "cells_necrotic") / metric(&simulation, "cells")
}

/// Four standard deviations of a share of the cells.
fn slack(share: f64) -> f64 {
    4.0 * (share * (1.0 - share) / CELLS as f64).sqrt() + 0.01
}

#[test]
fn cells_that_cannot_raise_hif_die_sooner_in_hypoxia() {
    let poor = "\"molecules.oxygen.background\": 0.5";
    let without = "Delete(\"cancer.hypoxia_raises_glycolysis\")";
    let mut shares = Vec::new();
    for rules in ["", without] {
        let mut simulation = cells(poor, rules);
        for _ in 0..2 {
            simulation.step();
        }
        // Their chance by what each lacks of ATP: 6 h on average with all of it, 2 h with none.
        let lack = quantity(&simulation, "metabolism.atp_lack");
        let lack: Vec<f64> = lack
            .into_iter()
            .filter(|lack| lack.is_finite())
            .map(f64::from)
            .collect();
        let chance = lack
            .iter()
            .map(|lack| 1.0 - (-3.0 * (1.0 + 2.0 * lack) / 6.0).exp());
        let expected = chance.sum::<f64>() / lack.len() as f64;
        let found = dead_after(3.0, poor, rules);
        assert!(
            (found - expected).abs() < slack(expected),
            "{found}, not {expected}"
        );
        shares.push(found);
    }
    assert!(shares[1] > shares[0] + 0.08, "{shares:?}");
    assert!(shares[0] > 0.35, "{shares:?}");
}

#[test]
fn lack_of_glucose_and_acid_kill_within_a_day_and_only_by_their_rules() {
    let starved = "\"molecules.glucose.background\": 0";
    // pH 7.4 - 27/18 = 5.9.
    let acid = "\"molecules.lactate.background\": 27";
    // 0.042 /h for 12 h.
    let expected = 1.0 - (-0.042_f64 * 12.0).exp();
    for (harm, rule) in [(starved, "starvation_kills"), (acid, "acid_kills")] {
        let found = dead_after(12.0, harm, "");
        assert!(
            (found - expected).abs() < slack(expected),
            "{rule}: {found}, not {expected}"
        );
        let without = dead_after(12.0, harm, &format!("Delete(\"cancer.{rule}\")"));
        assert_eq!(without, 0.0, "{rule}");
    }
    assert_eq!(
        dead_after(12.0, "\"molecules.oxygen.background\": 20", ""),
        0.0
    );
}
