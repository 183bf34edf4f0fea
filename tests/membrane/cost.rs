//! What a basement membrane costs.

use super::cost::{least, seconds};
use super::*;
use tumorscape::core::parallel::set_threads;

/// A duct of 10^4 cells within the membrane of some 5000 elements, or without.
fn duct(membranes: &str) -> Simulation {
    set_threads(Some(1));
    let mut simulation = open(
        &program(),
        &format!(
            r#"(
    title: "cost", about: "-", pace: Illustrative, duration: Days(1), step: Minutes(1),
    sites: [(
        name: "breast", organ: Breast, size_um: (600, 520, 520), tissue: ({membranes}),
        fields: [
            (molecule: "oxygen", level: 38), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1.5),
            (molecule: "mmp", level: 0, faces: Closed),
        ],
    )],
    populations: [(cell: "cancer", place: Cylinder(from_um: (-300, 0, 0), to_um: (300, 0, 0), radius_um: 180))],
)"#
        ),
        1,
    );
    simulation.keep_to_calling_thread();
    for _ in 0..10 {
        simulation.step();
    }
    simulation
}

#[test]
#[ignore = "half a minute that takes the machine for itself; run with `cargo test --release -- --ignored`"]
fn five_thousand_elements_of_a_membrane_cost_a_fraction_of_a_step() {
    // 2 pi 85 x 600 um of elements of 64 um2.
    let membranes =
        "membranes: [(around: Duct(from_um: (-300, 0, 0), to_um: (300, 0, 0), radius_um: 85))]";
    let mut simulations = ["", membranes].map(duct);
    let elements = {
        let world = simulations[1].world();
        let mut query = world
            .try_query::<&MembraneElement>()
            .expect("there are elements");
        query.iter(world).count()
    };
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..6 {
        for (simulation, took) in simulations.iter_mut().zip(&mut took) {
            took.push(seconds(|| (0..10).for_each(|_| simulation.step())) / 10.0);
        }
    }
    let [without, with] = took.map(|took| least(&took));
    println!(
        "{} cells {:.2} ms a step, with {elements} elements {:.2} ms",
        simulations[0].cell_count(),
        1e3 * without,
        1e3 * with
    );
    assert!(elements > 4_500 && simulations[0].cell_count() > 8_000);
    // That they should not show at all is missed: see `docs/performance.md`. A mistake costs many times as much.
    assert!(with < 1.6 * without, "{without}, {with} s");
}
