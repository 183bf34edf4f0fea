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

#[test]
#[ignore = "three seeds of two days of two tumours: three minutes; run with `cargo test --release -- --ignored`"]
fn fibroblasts_that_cannot_wake_make_no_difference() {
    let text = std::fs::read_to_string("scenes/caf_invasion.ron").expect("it is shipped");
    // On the left those that are deaf, on the right nobody.
    let swapped = text.replace(
        r#"(cell: "fibroblast", site: "with CAFs""#,
        r#"(cell: "deaf_fibroblast", site: "with CAFs""#,
    );
    let nobody = r#"(cell: "deaf_fibroblast", site: "without", place: Scatter(per_mm3: 6000, outside_um: 315)),"#;
    assert!(swapped != text && swapped.contains(nobody));
    let swapped = swapped.replace(nobody, "");
    let seeds: u64 = std::env::var("SEEDS").map_or(3, |seeds| seeds.parse().expect("a number"));
    let mut difference = 0.0;
    for seed in 1..=seeds {
        let mut simulation = simulation(&swapped, seed);
        run_to(&mut simulation, 48.0);
        let (deaf, nobody) = (depth_um(&simulation, 0), depth_um(&simulation, 1));
        println!("seed {seed}: {deaf} um among deaf ones, {nobody} um among none");
        difference += (deaf - nobody) / seeds as f32;
    }
    // A third of a cell; with CAFs it is four to five cells.
    assert!(difference.abs() < 6.0, "{difference} um");
}
