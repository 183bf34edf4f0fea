//! Days of tissue: run them with `cargo test --release --test stroma -- --ignored`.

use bevy::math::Vec3Swizzles;
use tumorscape::simulation::Simulation;

use super::{census, metric, run_to, simulation};

/// The distance from the axis of the slice beyond which one in a hundred living tumour cells lies, um, in a site.
fn depth_um(simulation: &Simulation, site: u16) -> f32 {
    let cells = census(simulation, &["emt.e_cadherin"], &[]);
    let alive = cells.quantity("emt.e_cadherin").expect("it is registered");
    let mut out: Vec<f32> = (0..cells.len())
        .filter(|row| cells.sites[*row].0 == site && !alive[*row].is_nan())
        .map(|row| cells.positions_um[row].xy().length())
        .collect();
    out.sort_by(f32::total_cmp);
    out[out.len() * 99 / 100]
}

#[test]
#[ignore = "ten seeds of two days of two tumours: ten minutes; run with `cargo test --release -- --ignored`"]
fn tumours_invade_deeper_with_fibroblasts_that_can_wake() {
    let text = std::fs::read_to_string("scenes/caf_invasion.ron").expect("it is shipped");
    let seeds: u64 = std::env::var("SEEDS").map_or(10, |seeds| seeds.parse().expect("a number"));
    let mut deeper = 0;
    for seed in 1..=seeds {
        let mut simulation = simulation(&text, seed);
        run_to(&mut simulation, 48.0);
        let (with, without) = (depth_um(&simulation, 0), depth_um(&simulation, 1));
        println!("seed {seed}: {with} um with, {without} um without");
        deeper += u64::from(with > without);
        let drawn = metric(&simulation, "detached_cells");
        println!("  {drawn} detached");
    }
    assert!(10 * deeper >= 9 * seeds, "{deeper} of {seeds}");
}
