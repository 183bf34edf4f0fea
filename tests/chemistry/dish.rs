//! Culture medium: it is used up as cells take from it, renewed at its times, and faster to cross than tissue.

use tumorscape::journal::checkpoint;
use tumorscape::simulation::Simulation;
use tumorscape::tissue::SiteId;

use super::saving::save;
use super::{ARRESTED, assert_near, metric, quantity, simulation};

/// A stirred dish with cells apart from each other, under so much medium.
fn dish(depth_um: f64, renewed: &str) -> Simulation {
    simulation(&format!(
        "duration: Days(3), step: Minutes(5), sites: [(name: \"dish\", organ: Medium, size_um: (400, 400, 100), \
         voxel_um: (20, 20, 20), stirring_length_um: 5, tissue: (medium: (depth_um: {depth_um}, {renewed})), \
         fields: [(molecule: \"oxygen\", level: 140), (molecule: \"glucose\", level: 5.5, faces: Top), \
             (molecule: \"lactate\", level: 1, faces: Top)])], \
         populations: [(cell: \"cancer\", place: Scatter(per_mm3: 1500))], \
         parameters: {{\"transport.stirring_reach_um\": 21, \"cancer.death.apoptosis_per_hour\": 0, {ARRESTED}}}"
    ))
}

/// The level of a molecule in the stirred medium.
fn level(simulation: &Simulation, molecule: &str) -> f64 {
    let (values, _) = simulation
        .field(SiteId(0), molecule)
        .expect("it is simulated");
    // A corner, where hardly a cell is.
    f64::from(values[values.len() - 1])
}

#[test]
fn cells_use_up_the_glucose_of_their_medium_and_leave_lactate() {
    let mut simulation = dish(150.0, "");
    simulation.verify();
    // What is in 150 um of medium over 100 um of block, per um2 of ground: mM times um.
    let (mut glucose, mut lactate) = (5.5_f64, 1.0_f64);
    let ground = 400.0 * 400.0;
    let (mut taken, mut given) = (0.0, 0.0);
    for _ in 0..120 {
        simulation.step();
        assert!(
            simulation.violation().is_none(),
            "{:?}",
            simulation.violation()
        );
        // Each cell takes q G/(0.5 + G) and gives what it says, amol/s; 1 mM is 1 amol/um3.
        let uptake = quantity(&simulation, "metabolism.glucose_uptake");
        let release = quantity(&simulation, "metabolism.lactate_release");
        let sum = |values: &[f32]| {
            values
                .iter()
                .filter(|v| v.is_finite())
                .map(|v| f64::from(*v))
                .sum::<f64>()
        };
        let seconds = 300.0;
        taken += seconds * sum(&uptake) * glucose / (0.5 + glucose);
        given += seconds * sum(&release);
        glucose = 5.5 - taken / (250.0 * ground);
        lactate = 1.0 + given / (250.0 * ground);
    }
    assert!(glucose < 4.6, "cells take much of it: {glucose}");
    assert_near("glucose", level(&simulation, "glucose"), glucose, 0.01);
    assert_near("lactate", level(&simulation, "lactate"), lactate, 0.02);
    // Air brings oxygen.
    assert!(metric(&simulation, "oxygen_max_mmhg") > 137.0);
}

#[test]
fn medium_is_fresh_again_when_it_is_renewed() {
    let mut simulation = dish(150.0, "renewed_at_hours: [4]");
    for _ in 0..48 {
        simulation.step();
    }
    let before = level(&simulation, "glucose");
    simulation.step();
    simulation.step();
    let after = level(&simulation, "glucose");
    assert!(
        before < 5.3 && after > 5.4 && after <= 5.5,
        "{before}, then {after}"
    );
}

#[test]
fn endless_medium_keeps_its_level() {
    let mut simulation = dish(0.0, "");
    for _ in 0..24 {
        simulation.step();
    }
    let found = level(&simulation, "glucose");
    assert!((5.45..=5.5).contains(&found), "{found}");
}

#[test]
fn still_medium_over_a_layer_of_cells_is_crossed_as_medium_is() {
    // A layer under 400 um of still medium that would take far more glucose than crosses it.
    let mut simulation = simulation(
        "duration: Hours(1), step: Minutes(5), sites: [(name: \"dish\", organ: Medium, size_um: (40, 40, 400), \
         voxel_um: (20, 20, 20), tissue: (medium: ()), fields: [(molecule: \"glucose\", level: 5.5, faces: Top, \
         sources: [(place: Box(min_um: (-20, -20, -200), max_um: (20, 20, -180)), rate: PerMinute(-100))])])]",
    );
    simulation.step();
    let (values, _) = simulation
        .field(SiteId(0), "glucose")
        .expect("it is simulated");
    // 100 mM/min times 20 um would need a drop of 14 mM over the 390 um to the middle of the lowest voxels, and there are 5.5.
    let found = f64::from(values[0]);
    assert!((0.0..0.01).contains(&found), "all is taken: {found}");
    let top = f64::from(values[values.len() - 1]);
    // What then crosses is 5.5 mM over 390 um.
    assert_near("top", top, 5.5 - 5.5 * 10.0 / 390.0, 0.002);
}

#[test]
fn a_dish_goes_on_after_a_resume_as_if_it_had_not_stopped() {
    let mut straight = dish(150.0, "renew_every_hours: 3");
    for _ in 0..50 {
        straight.step();
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let saved = folder.path().join("saved");
    save(&straight, &saved);
    let (kept, _) = checkpoint::open(&saved, |_| {}).expect("it is whole");
    let (mut resumed, _) = Simulation::resume(kept).expect("it was just kept");
    for _ in 0..30 {
        straight.step();
        resumed.step();
    }
    assert_eq!(straight.state_hash(), resumed.state_hash());
}

#[test]
fn medium_less_deep_than_the_block_is_refused() {
    let text = "(title: \"t\", about: \"t\", pace: Calibrated, duration: Hours(1), sites: [(name: \"dish\", organ: Medium, \
                size_um: (100, 100, 100), tissue: (medium: (depth_um: 50)))])";
    let report = tumorscape::simulation::Program::default().parse_scene(text, "t.ron", None);
    let report = report.expect_err("it is too shallow").to_string();
    assert!(
        report.contains("depth_um") && report.contains("at least the height"),
        "{report}"
    );
}
