//! Macrophages near M1 show the antigen of what they eat, and T cells that touch them are driven to divide.

use std::collections::BTreeMap;

use tumorscape::core::CellId;
use tumorscape::simulation::Simulation;

use super::{simulation, values};

/// A tumour that dies among macrophages, and T cells that take hold of nothing.
fn dying(rest: f64) -> Simulation {
    let text = format!(
        r#"(
    title: "shown", about: "-", pace: Calibrated, duration: Days(1), step: Minutes(2),
    sites: [(name: "breast", organ: Breast, size_um: (200, 200, 200))],
    populations: [
        (cell: "cancer", place: Ball(radius_um: 60)),
        (cell: "macrophage", place: Scatter(per_mm3: 20000)),
        (cell: "cd8_t_cell", place: Scatter(per_mm3: 20000)),
    ],
    parameters: {{
        "cancer.death.apoptosis_per_hour": 0.1, "macrophage.death.apoptosis_per_hour": 0, "cd8_t_cell.death.apoptosis_per_hour": 0,
        "macrophage.polarisation.rest": {rest}, "macrophage.polarisation.to_m2_per_day": 0, "macrophage.polarisation.to_m1_per_day": 0,
        "cd8_t_cell.cytotoxic.binding_per_min": 0, "cd8_t_cell.cycle.g0g1_hours": 1e6,
    }},
)"#
    );
    simulation(&text, 3)
}

fn by_cell(simulation: &Simulation, name: &str) -> BTreeMap<CellId, f64> {
    let all = values(simulation, name).into_iter();
    all.map(|(cell, value)| (cell, f64::from(value))).collect()
}

#[test]
fn m1_macrophages_show_what_they_eat_to_t_cells_which_divide_by_it() {
    let mut simulation = dying(0.2);
    // What each macrophage shows, reckoned from what it digests: 0.5 a hour times that and how near it is to M1; it lasts for two days.
    let mut expected: BTreeMap<CellId, f64> = BTreeMap::new();
    // The drive of each T cell to divide, from what it is shown: a day to follow.
    let mut driven: BTreeMap<CellId, f64> = BTreeMap::new();
    let hours = 2.0 / 60.0;
    for _ in 0..360 {
        let eaten = by_cell(&simulation, "phagocytosis.antigen");
        let m1 = by_cell(&simulation, "polarisation.m1");
        for (cell, antigen) in &eaten {
            let rate = 0.5 * antigen * m1[cell] + 1.0 / 48.0;
            let end = 0.5 * antigen * m1[cell] / rate;
            let shown = expected.entry(*cell).or_default();
            *shown = end + (*shown - end) * (-rate * hours).exp();
        }
        for (cell, shown) in by_cell(&simulation, "restimulation.antigen") {
            let drive = driven.entry(cell).or_default();
            *drive += (1.0 - (-hours / 24.0).exp()) * (shown - *drive);
        }
        simulation.step();
    }
    let shown = by_cell(&simulation, "presentation.antigen");
    assert!(shown.values().any(|antigen| *antigen > 0.1));
    for (cell, antigen) in &shown {
        let reckoned = expected[cell];
        assert!(
            (antigen - reckoned).abs() < 2e-3,
            "{cell:?}: {antigen}, not {reckoned}"
        );
    }
    let stimulation = by_cell(&simulation, "cytotoxic.stimulation");
    assert!(stimulation.values().any(|drive| *drive > 0.01));
    for (cell, drive) in &stimulation {
        let reckoned = driven[cell];
        assert!(
            (drive - reckoned).abs() < 2e-3,
            "{cell:?}: {drive}, not {reckoned}"
        );
    }
    // Nobody is shown more than some macrophage shows.
    let most = shown.values().copied().fold(0.0, f64::max);
    let met = by_cell(&simulation, "restimulation.antigen");
    assert!(met.values().all(|antigen| *antigen <= most + 1e-6));
}

#[test]
fn m2_macrophages_eat_and_show_nothing() {
    let mut simulation = dying(1.0);
    for _ in 0..180 {
        simulation.step();
    }
    let eaten = by_cell(&simulation, "phagocytosis.eaten");
    assert!(eaten.values().sum::<f64>() > 3.0, "{eaten:?}");
    for name in ["presentation.antigen", "cytotoxic.stimulation"] {
        let all = by_cell(&simulation, name);
        assert!(!all.is_empty() && all.values().all(|value| *value == 0.0));
    }
}
