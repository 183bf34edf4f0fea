//! Lymphatics in whole simulations: what they drain, when they sprout, and who enters them.

use bevy::prelude::*;
use tumorscape::biology::Lymphatics;
use tumorscape::simulation::Simulation;
use tumorscape::tissue::Sites;
use tumorscape::tissue::interstitium::Interstitium;

use super::simulation;

/// The shipped scene.
const ESCAPE: &str = include_str!("../../scenes/lymphatic_escape.ron");

fn lymphatics(simulation: &Simulation) -> &Lymphatics {
    let world = simulation.world();
    let site = world.resource::<Sites>().list[0].entity;
    world.get::<Lymphatics>(site).expect("it has lymphatics")
}

fn hours(simulation: &mut Simulation, hours: u32) {
    for _ in 0..hours * 15 {
        simulation.step();
    }
}

#[test]
fn what_vessels_let_out_lymphatics_drain() {
    let mut simulation = simulation(ESCAPE, 1);
    hours(&mut simulation, 2);
    let world = simulation.world();
    let entry = &world.resource::<Sites>().list[0];
    let fluid = world
        .get::<Interstitium>(entry.entity)
        .expect("it has fluid");
    let (mut filtered, mut drained) = (0.0_f64, 0.0_f64);
    for voxel in 0..entry.block.voxels() {
        filtered += f64::from(fluid.drawn_per_min(voxel) + fluid.filtered_per_min(voxel));
        drained += f64::from(fluid.drained_per_min(voxel));
    }
    // Nothing passes the faces, so that all comes out by the lymph.
    assert!(filtered > 0.0);
    assert!(
        (drained / filtered - 1.0).abs() < 1e-3,
        "{drained} {filtered}"
    );
    let network = lymphatics(&simulation).vessels();
    let out: f64 = network
        .segments()
        .iter()
        .fold(0.0, |most, of| of.flow_um3_per_min.abs().max(most));
    let expected = drained * f64::from(entry.block.voxel_volume_um3());
    assert!((out / expected - 1.0).abs() < 0.02, "{out} {expected}");
}

#[test]
fn without_vegf_c_no_lymphatic_sprouts() {
    let text = ESCAPE.replace(
        "secretes_molecules_per_s: 12",
        "secretes_molecules_per_s: 0",
    );
    assert_ne!(text, ESCAPE);
    for (text, sprouts) in [(text.as_str(), false), (ESCAPE, true)] {
        let mut simulation = simulation(text, 2);
        simulation.verify();
        hours(&mut simulation, 72);
        assert_eq!(simulation.violation(), None);
        let begun = lymphatics(&simulation).vessels().sprouts().begun.len();
        assert_eq!(begun > 0, sprouts, "{begun}");
    }
}

#[test]
fn cells_with_ccr7_come_to_lymphatics_and_others_do_by_chance_alone() {
    let mut simulation = simulation(ESCAPE, 3);
    simulation.verify();
    hours(&mut simulation, 96);
    assert_eq!(simulation.violation(), None);
    let in_node = |simulation: &Simulation, name: &str| {
        // The lymph node is the second site.
        let metrics = simulation.metrics();
        let found = metrics[1].get(&format!("living_{name}"));
        found.expect("there is such a metric")
    };
    let with = in_node(&simulation, "with_ccr7");
    let without = in_node(&simulation, "without_ccr7");
    assert!(with > 4.0 * without.max(1.0), "{with} {without}");
}

/// Cells with and without CCR7 that are in the lymph node after three days of a scene.
fn in_node_after_three_days(text: &str, seed: u64) -> [f64; 2] {
    let mut simulation = simulation(text, seed);
    hours(&mut simulation, 72);
    let metrics = simulation.metrics();
    ["living_with_ccr7", "living_without_ccr7"].map(|name| {
        let found = metrics[1].get(name);
        found.expect("there is such a metric")
    })
}

#[test]
fn cells_without_ccr7_come_no_more_often_than_where_nothing_calls() {
    // All that touch a lymphatic enter soon, so that chance brings some, and are in the node at once.
    let open = ESCAPE.replace("lymph_entry: (),", "lymph_entry: (per_hour: 0.2),");
    assert_ne!(open, ESCAPE);
    let open = open.replace(
        "timeline: [",
        r#"parameters: {"lymph.journey_hours": 0}, timeline: ["#,
    );
    let silent = open.replace(
        r#"{"lymph.journey_hours": 0"#,
        r#"{"lymph.journey_hours": 0, "lymphatics.ccl21_molecules_per_s_um": 0"#,
    );
    assert_ne!(silent, open);
    let [mut with, mut without, mut by_chance] = [0.0; 3];
    for seed in [1, 2] {
        let called = in_node_after_three_days(&open, seed);
        let uncalled = in_node_after_three_days(&silent, seed);
        with += called[0];
        without += called[1];
        // Both are alike there.
        by_chance += 0.5 * (uncalled[0] + uncalled[1]);
    }
    eprintln!("{with} with CCR7, {without} without, {by_chance} by chance");
    assert!(by_chance > 3.0, "{by_chance}");
    // Within three standard deviations of the difference of two counts.
    let most = by_chance + 3.0 * (without + 0.5 * by_chance).sqrt();
    assert!(without <= most, "{without} against {by_chance}");
    assert!(with > most, "{with} against {by_chance}");
}
