//! Killers that look for their targets in a tumour.

use tumorscape::biology::immunity::ImmunityTally;
use tumorscape::measure::Wanted;
use tumorscape::tissue::Sites;

use super::{CELLS, simulation};

/// A tumour of that radius (um) with so many T cells around it.
fn dish(radius_um: f32, t_cells: usize, parameters: &str) -> String {
    let mut killers = String::new();
    for k in 0..t_cells {
        // Evenly about the ball: by the golden angle (Gonzalez 2010, doi:10.1007/s11004-009-9257-x).
        let height = 1.0 - 2.0 * (k as f32 + 0.5) / t_cells as f32;
        let turn = 2.399_963 * k as f32;
        let ring = (1.0 - height * height).sqrt() * (radius_um + 15.0);
        let at = (
            ring * bevy::math::ops::cos(turn),
            ring * bevy::math::ops::sin(turn),
            height * (radius_um + 15.0),
        );
        killers += &format!("(at_um: {at:?}), ");
    }
    if t_cells > 0 {
        killers = format!(r#"(cell: "t_cell", place: Cells([{killers}]))"#);
    }
    let half = (2.0 * (radius_um + 40.0) / 40.0).ceil() * 40.0;
    format!(
        r#"(
    title: "walking", about: "walking killers", pace: Calibrated, duration: Days(60),
    sites: [(name: "dish", organ: Medium, size_um: ({half}, {half}, {half}), voxel_um: (40, 40, 40), fields: [])],
    cell_types: [{CELLS}],
    populations: [
        (cell: "cancer", place: Ball(radius_um: {radius_um:?})),
        {killers}
    ],
    parameters: {{{parameters}}},
)"#
    )
}

/// Kills a day of each T cell, and kills an hour of all, in such a tumour, and how many targets it had.
fn assay(text: &str, t_cells: usize, hours: f64, seed: u64) -> (f64, f64, usize) {
    let mut simulation = simulation(text, seed);
    let targets = simulation.cell_count() - t_cells;
    while simulation.hours() < hours - 1e-6 {
        simulation.step();
    }
    let world = simulation.world();
    let site = world.resource::<Sites>().list[0].entity;
    let tally = world
        .get::<ImmunityTally>(site)
        .expect("every site has one");
    let kills = simulation.metrics()[0].get("t_cell_kills");
    let kills = kills.expect("it is measured");
    (kills / tally.killer_days, kills / hours, targets)
}

/// Slope of a line through logarithms.
fn log_slope(points: &[(f64, f64)]) -> f64 {
    let points: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let n = points.len() as f64;
    let (x, y) = (
        points.iter().map(|p| p.0).sum::<f64>() / n,
        points.iter().map(|p| p.1).sum::<f64>() / n,
    );
    let above: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let below: f64 = points.iter().map(|p| (p.0 - x) * (p.0 - x)).sum();
    above / below
}

#[test]
fn walking_killers_kill_2_to_16_cells_a_day_and_twice_as_many_twice_as_much() {
    let mut points = Vec::new();
    for t_cells in [8, 32] {
        let (each, all, targets) = assay(&dish(100.0, t_cells, ""), t_cells, 24.0, 3);
        println!("{t_cells} T cells on {targets}: {each:.2} kills a day each");
        assert!((2.0..16.0).contains(&each), "{each}");
        points.push((t_cells as f64, all));
    }
    let slope = log_slope(&points);
    println!("slope {slope:.3}");
    // Of 60 kills or so; the test below has more of them.
    assert!((0.7..1.3).contains(&slope), "{slope}");
}

#[test]
#[ignore = "12 tumours of 2000 cells for two days: some minutes"]
fn killing_is_in_proportion_to_killers_while_these_are_few() {
    let mut points = Vec::new();
    for share in [0.003, 0.01, 0.03] {
        let (mut kills, mut each_mean) = (0.0, 0.0);
        // The fewer there are, the more seeds.
        let seeds = if share < 0.005 { 8 } else { 2 };
        let mut of = 0;
        for seed in 0..seeds {
            let t_cells = (share * 2000.0_f64).round() as usize;
            let (each, all, targets) = assay(&dish(135.0, t_cells, ""), t_cells, 48.0, seed);
            kills += all / seeds as f64;
            each_mean += each / seeds as f64;
            of = targets;
        }
        println!("{share} of {of}: {each_mean:.2} kills a day each");
        assert!((2.0..16.0).contains(&each_mean), "{share}: {each_mean}");
        points.push((share, kills));
    }
    let slope = log_slope(&points);
    println!("slope {slope:.3}");
    assert!((0.9..1.1).contains(&slope), "{slope}");
}

#[test]
fn longer_substeps_change_nothing_where_nobody_hurries_and_killers_kill_as_many() {
    const LONG: &str = "\"movement.substep_over_radius\": 0.5";
    let places = |parameters: &str| {
        let mut simulation = simulation(&dish(60.0, 0, parameters), 2);
        for _ in 0..60 {
            simulation.step();
        }
        let census = simulation.census(&Wanted::default());
        census
            .positions_um
            .iter()
            .map(|at| at.to_array().map(f32::to_bits))
            .collect::<Vec<_>>()
    };
    assert_eq!(places(""), places(LONG));
    let kills = |parameters: &str| {
        let text = dish(100.0, 32, parameters);
        let of = (1..=3).map(|seed| 12.0 * assay(&text, 32, 12.0, seed).1);
        of.sum::<f64>()
    };
    let (short, long) = (kills(""), kills(LONG));
    println!("{short} killed in short substeps, {long} in long ones");
    assert!(
        (short - long).abs() < 3.0 * (short + long).sqrt(),
        "{short} {long}"
    );
}
