//! A macrophage and a cancer cell lead each other to a vessel: together they are there sooner than either alone.

use std::path::Path;
use std::sync::Arc;

use tumorscape::simulation::{Simulation, open_scene};

use super::metric;

/// Cell hours near vessels of each kind over the whole scene, the more the sooner they come there: tumour cells alone and paired,
/// macrophages alone and paired.
fn hours_there(seed: u64) -> [f64; 4] {
    let scene = open_scene(Path::new("scenes/macrophage_streaming.ron"));
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    let mut simulation = Simulation::new(Arc::new(scene), seed).expect("its parameters are valid");
    let mut sums = [0.0; 4];
    while simulation.steps() < simulation.total_steps() {
        simulation.step();
        if simulation.steps().is_multiple_of(60) {
            sums[0] += metric(&simulation, 0, "tumour_cells_at_vessels");
            sums[1] += metric(&simulation, 2, "tumour_cells_at_vessels");
            sums[2] += metric(&simulation, 1, "other_cells_at_vessels");
            sums[3] += metric(&simulation, 2, "other_cells_at_vessels");
        }
    }
    println!("seed {seed}: cell hours at vessels {sums:?}");
    sums
}

#[test]
fn paired_cells_reach_a_vessel_sooner_than_either_alone() {
    let [cancer, paired_cancer, macrophage, paired_macrophage] = hours_there(1);
    assert!(paired_cancer > 1.3 * cancer, "{paired_cancer} {cancer}");
    assert!(
        paired_macrophage > macrophage,
        "{paired_macrophage} {macrophage}"
    );
}
