//! What the switch costs.

use std::collections::BTreeMap;

use super::simulation;

#[test]
#[ignore = "takes the machine for itself; run with `cargo test --release -- --ignored`"]
fn the_circuits_of_a_hundred_thousand_cells_cost_a_fifth_of_a_step_without_them_at_most() {
    let mut simulation = simulation(
        r#"(
    title: "many", about: "-", pace: Illustrative, duration: Hours(2), step: Minutes(1),
    sites: [(
        name: "breast", organ: Breast, size_um: (1300, 1300, 1300), perfusion_length_um: 50,
        fields: [(molecule: "oxygen", level: 38), (molecule: "tgf_beta", level: 0.02)],
    )],
    populations: [(cell: "cancer", place: Ball(radius_um: 565))],
    parameters: {"transport.vessels_lost_at_cell_share": 100},
)"#,
        1,
    );
    simulation.measure_systems().expect("no step was made");
    simulation.keep_to_calling_thread();
    // Circuits go on every six minutes.
    for _ in 0..6 {
        simulation.step();
    }
    simulation.measure_stages();
    for _ in 0..24 {
        simulation.step();
    }
    let modules: BTreeMap<&str, f64> = simulation.module_seconds();
    let all: f64 = modules.values().sum();
    let circuits = modules["biology::emt"];
    let mut most: Vec<(&str, f64)> = modules.iter().map(|(name, of)| (*name, *of)).collect();
    most.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (module, seconds) in most.iter().take(12) {
        println!(
            "{module}: {:.1} % of {:.3} s a step",
            100.0 * seconds / all,
            all / 24.0
        );
    }
    let share = circuits / (all - circuits);
    println!(
        "{} cells, circuits {:.1} % of the rest",
        simulation.cell_count(),
        100.0 * share
    );
    assert!(simulation.cell_count() > 100_000);
    assert!(share < 0.2, "{share}");
}
