//! What fibroblasts send, and what it does to cancer cells: HGF to divide, CXCL12 to come.

use std::collections::BTreeMap;

use bevy::math::Vec3;
use tumorscape::core::CellId;
use tumorscape::simulation::Simulation;

use super::{census, metric, run_to, simulation};

/// Single cells in a coated dish under that much HGF, nM.
fn under_hgf(nm: f32) -> Simulation {
    simulation(
        &format!(
            r#"(
    title: "hgf", about: "-", pace: Illustrative, duration: Days(3), step: Minutes(10),
    sites: [(
        name: "dish", organ: Medium, size_um: (1000, 1000, 1000), voxel_um: (100, 100, 100),
        fields: [(molecule: "oxygen", level: 140), (molecule: "glucose", level: 5.5), (molecule: "hgf", level: {nm}, faces: Closed)],
        stirring_length_um: 20,
    )],
    populations: [(cell: "cancer", place: Scatter(per_mm3: 400))],
    parameters: {{
        "molecules.hgf.decay_per_min": 0, "cancer.anoikis.attachment": 1, "cancer.death.apoptosis_per_hour": 0,
        "cancer.cycle.g0g1_hours": 30,
    }},
)"#
        ),
        3,
    )
}

#[test]
fn hgf_makes_cells_divide_more() {
    let [mut without, mut with] = [0.0, 1.0].map(under_hgf);
    for simulation in [&mut without, &mut with] {
        run_to(simulation, 48.0);
    }
    // From 1 to 1.5, half the way at 0.2 nM.
    let expected = 1.0 + 0.5 * 1.0 / (1.0 + 0.2);
    let entry = |simulation: &Simulation| {
        let values = simulation.inputs("cycle.entry");
        values
            .iter()
            .map(|(_, value)| f64::from(*value))
            .sum::<f64>()
            / values.len() as f64
    };
    let ratio = entry(&with) / entry(&without);
    assert!((ratio - expected).abs() < 0.02, "{ratio}, not {expected}");
    // Cells enter S 1.4 times as often, and spend 13 h on the way from there: of 400, some hundred more have divided.
    let (few, many) = (metric(&without, "cells"), metric(&with, "cells"));
    assert!(many > 1.08 * few, "{many} with, {few} without");
}

/// How far cells have gone along x in a day towards a source of CXCL12, um: the mean, and its standard error.
fn drawn(chemotactic_index: f32) -> (f32, f32) {
    let mut simulation = simulation(
        &format!(
            r#"(
    title: "cxcl12", about: "-", pace: Illustrative, duration: Days(3), step: Minutes(10),
    sites: [(
        name: "gel", organ: Breast, size_um: (1200, 400, 400), voxel_um: (40, 40, 40),
        fields: [(
            molecule: "cxcl12", level: 0, faces: Closed,
            sources: [(place: Box(min_um: (560, -200, -200), max_um: (600, 200, 200)), rate: PerMinute(0.1))],
        )],
    )],
    populations: [(cell: "cancer", place: Scatter(per_mm3: 1500))],
    parameters: {{
        "cancer.anoikis.attachment": 1, "cancer.death.apoptosis_per_hour": 0, "cancer.cycle.g0g1_hours": 1000000,
        "cancer.follows.cxcl12.chemotactic_index": {chemotactic_index},
    }},
)"#
        ),
        5,
    );
    let places = |simulation: &Simulation| -> BTreeMap<CellId, Vec3> {
        let cells = census(simulation, &[], &[]);
        cells.ids.iter().copied().zip(cells.positions_um).collect()
    };
    // Until the field stands.
    run_to(&mut simulation, 12.0);
    let before = places(&simulation);
    run_to(&mut simulation, 36.0);
    // Not those that the walls hold.
    let ways: Vec<f32> = places(&simulation)
        .iter()
        .filter(|(_, at)| at.x.abs() < 500.0)
        .map(|(id, at)| at.x - before[id].x)
        .collect();
    let count = ways.len() as f32;
    let mean = ways.iter().sum::<f32>() / count;
    let spread = ways.iter().map(|way| (way - mean) * (way - mean));
    (mean, (spread.sum::<f32>() / count).sqrt() / count.sqrt())
}

#[test]
fn cxcl12_draws_cells_that_have_its_receptor() {
    let (mean, error) = drawn(0.2);
    assert!(mean > 5.0 * error, "{mean} um, {error} um");
    let (mean, error) = drawn(0.0);
    assert!(mean.abs() < 3.5 * error, "{mean} um, {error} um");
}
