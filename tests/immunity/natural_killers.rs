//! Natural killer cells that patrol a lung in which cancer cells have lodged.

use super::{metric, simulation};

/// A cubic millimetre of lung with a thousand lodged cells and patrolling natural killer cells, so many that each lodged cell meets one
/// every two hours. Ligands of stress fade over a day (Ichise et al. 2022).
const LUNG: &str = r#"(
    title: "lung", about: "lodged cells", pace: Calibrated, duration: Days(3),
    sites: [(name: "lung", organ: Lung, size_um: (1000, 1000, 1000), voxel_um: (50, 50, 50), fields: [])],
    cell_types: [
        (
            name: "lodged", about: "a cancer cell that has lodged in a capillary", colour: (1, 0, 0), tumour: true,
            body: (volume_um3: 2494, nucleus_um3: 540, fluid_fraction: 0.75),
            mechanics: (adhesion_um_per_min: 0, friction: 100),
            death: (apoptosis_per_hour: 0, necrosis_onset_mmhg: 0, necrosis_full_mmhg: 0),
            target: (stress: 1),
            rules: { "cd155_is_shed": (input: "target.stress", by: "target.hours_here", law: Fold(-0.0416667)) },
        ),
        (
            name: "nk", about: "a patrolling natural killer cell", colour: (0, 1, 1),
            body: (volume_um3: 268, nucleus_um3: 134),
            mechanics: (adhesion_um_per_min: 0, repulsion_um_per_min: 0),
            death: (apoptosis_per_hour: 0, necrosis_onset_mmhg: 0, necrosis_full_mmhg: 0),
            motility: (speed_um_per_min: 6, persistence_min: 6),
            natural_killer: (),
            rules: { "stops": (input: "motility.speed", by: "killer.engaged", law: Fold(-1)) },
        ),
    ],
    populations: [
        (cell: "lodged", place: Scatter(per_mm3: 1000)),
        (cell: "nk", place: Scatter(per_mm3: 1600)),
    ],
)"#;

#[test]
fn lodged_cells_survive_natural_killers_as_in_the_lung() {
    let mut simulation = simulation(LUNG, 11);
    let begun = metric(&simulation, 0, "cells_lodged");
    assert!(begun >= 1000.0, "{begun}");
    let mut alive = [0.0; 2];
    for (left, hours) in alive.iter_mut().zip([4.0, 24.0]) {
        while simulation.hours() < hours - 1e-6 {
            simulation.step();
        }
        *left = 1.0 - metric(&simulation, 0, "nk_kills") / begun;
        println!("{hours} h: {:.3} live", *left);
    }
    // With p 0.5 that falls to 0 within a day, met every two hours: exp(-0.25 (t - t^2/48)) is 0.40 and 0.05.
    assert!((alive[0] - 0.40).abs() < 0.10, "{}", alive[0]);
    assert!((0.02..0.15).contains(&alive[1]), "{}", alive[1]);
}
