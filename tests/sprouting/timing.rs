//! What sprouting costs.

use super::simulation;

/// The shipped scene of a tumour that calls for vessels.
const SWITCH: &str = include_str!("../../scenes/angiogenic_switch.ron");

#[test]
#[ignore = "a timing: run alone, with `cargo test --release --test sprouting timing -- --ignored --nocapture`"]
fn sprouting_takes_at_most_a_tenth_of_a_step() {
    let mut simulation = simulation(SWITCH, 1);
    simulation.keep_to_calling_thread();
    simulation
        .measure_systems()
        .expect("no step was made before");
    // On the fifth day there are most tips.
    for day in 0..5 {
        if day == 4 {
            simulation.measure_stages();
        }
        while simulation.clock().hours() < 24.0 * f64::from(day + 1) - 1e-6 {
            simulation.step();
        }
    }
    let modules = simulation.module_seconds();
    let all: f64 = modules.values().sum();
    let own = modules.iter().filter(|(name, _)| {
        name.starts_with("cell::sprouting") || name.starts_with("biology::angiogenesis")
    });
    let own: f64 = own.map(|(_, seconds)| seconds).sum();
    println!("sprouting {own:.3} s of {all:.3} s");
    assert!(own <= 0.1 * all, "{own} of {all}");
}
