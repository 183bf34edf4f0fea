//! What a matrix costs.

use super::cost::{least, seconds};
use super::*;
use tumorscape::core::parallel::set_threads;

/// Cells in the middle of a block of 1.25e5 voxels, which secrete nothing: molecules are solved all the same.
fn block(matrix: &str, fields: &str) -> Simulation {
    set_threads(Some(1));
    let mut simulation = simulation(
        &format!(
            r#"(
    title: "cost", about: "-", pace: Illustrative, duration: Days(1), step: Minutes(1),
    sites: [(
        name: "breast", organ: Breast, size_um: (1000, 1000, 1000), tissue: ({matrix}),
        fields: [
            (molecule: "oxygen", level: 38), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1.5),
            (molecule: "mmp", level: 1), (molecule: "lox", level: 0.1), (molecule: "tgf_beta", level: 0.01),
            (molecule: "vegf_a", level: 0.05), (molecule: "fgf_2", level: 0.05), {fields}
        ],
    )],
    populations: [(cell: "cancer", place: Ball(radius_um: 200)), (cell: "fibroblast", place: Scatter(per_mm3: 2000, outside_um: 220))],
)"#
        ),
        1,
    );
    simulation.keep_to_calling_thread();
    // Fields come to rest, and the matrix is worked on every six minutes.
    for _ in 0..12 {
        simulation.step();
    }
    simulation
}

#[test]
#[ignore = "a minute that takes the machine for itself; run with `cargo test --release -- --ignored`"]
fn a_matrix_costs_a_few_fields() {
    let two = r#"(molecule: "hgf", level: 0.05), (molecule: "cxcl12", level: 0.05),"#;
    let scenes = [("", ""), ("", two), ("matrix: ()", "")];
    let mut simulations = scenes.map(|(matrix, fields)| block(matrix, fields));
    let mut took = [Vec::new(), Vec::new(), Vec::new()];
    // In turns, so that what disturbs one disturbs all.
    for _ in 0..5 {
        for (simulation, took) in simulations.iter_mut().zip(&mut took) {
            took.push(seconds(|| (0..12).for_each(|_| simulation.step())) / 12.0);
        }
    }
    let [bare, fields, matrix] = took.map(|took| least(&took));
    println!(
        "a step {:.1} ms, two fields {:.1} ms more, a matrix {:.1} ms more",
        1e3 * bare,
        1e3 * (fields - bare),
        1e3 * (matrix - bare)
    );
    // The goal is what two fields cost, and is missed: see `docs/performance.md`. A mistake costs many times as much.
    let ratio = (matrix - bare) / (fields - bare);
    assert!(ratio < 6.0, "{bare}, {fields}, {matrix} s");
}
