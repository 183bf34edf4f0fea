//! Cells that walk fast among others that rest, in whole steps.

use bevy::math::Vec3;
use tumorscape::core::CellId;

use super::*;

const SPEED: f64 = 10.0;
const PERSISTENCE_MIN: f64 = 5.0;
const MINUTES: f64 = 60.0;
/// Distance of neighbours on the lattice, um: out of each other's reach.
const APART_UM: f32 = 40.0;
const EDGE: u32 = 18;

/// Walkers that nothing pushes on one lattice, and cells that rest on another between them.
fn among_resting(step_minutes: f64) -> Simulation {
    let mut cells = String::new();
    for place in 0..EDGE.pow(3) {
        let at = [place % EDGE, place / EDGE % EDGE, place / EDGE / EDGE];
        let at = at.map(|n| (n as f32 - 0.5 * EDGE as f32) * APART_UM);
        let other = at.map(|x| x + 0.5 * APART_UM);
        for (at, cell) in [(at, "walker"), (other, "stone")] {
            cells += &format!(
                "(at_um: ({}, {}, {}), cell: \"{cell}\"), ",
                at[0], at[1], at[2]
            );
        }
    }
    simulation(&format!(
        "duration: Hours(1), step: Minutes({step_minutes}), \
         sites: [(name: \"tissue\", organ: Medium, size_um: (2400, 2400, 2400), voxel_um: (60, 60, 60))], \
         cell_types: [ \
             (name: \"walker\", about: \"walks\", colour: (1, 1, 1), body: (volume_um3: 100, nucleus_um3: 20), \
              mechanics: (adhesion_um_per_min: 0, repulsion_um_per_min: 0), \
              motility: (speed_um_per_min: {SPEED}, persistence_min: {PERSISTENCE_MIN})), \
             (name: \"stone\", about: \"rests\", colour: (1, 1, 1), body: ()) \
         ], \
         populations: [(cell: \"walker\", place: Cells([{cells}]))]"
    ))
}

fn places(simulation: &Simulation) -> Vec<(CellId, bool, Vec3)> {
    let world = simulation.world();
    let mut query = world
        .try_query::<(&CellId, &Body, &Position)>()
        .expect("there are cells");
    let cells = query.iter(world);
    let mut cells: Vec<_> = cells
        .map(|(id, body, at)| (*id, body.volume_um3() < 200.0, at.0))
        .collect();
    cells.sort_unstable_by_key(|(id, ..)| *id);
    cells
}

#[test]
#[ignore = "two minutes; run with `cargo test --release -- --ignored`"]
fn fast_walkers_go_the_distance_of_theory_in_steps_of_any_length_and_others_stay() {
    let expected = 2.0
        * SPEED.powi(2)
        * PERSISTENCE_MIN
        * (MINUTES - PERSISTENCE_MIN * (1.0 - (-MINUTES / PERSISTENCE_MIN).exp()));
    for step_minutes in [1.0, 2.0, 5.0, 10.0] {
        let mut simulation = among_resting(step_minutes);
        let before = places(&simulation);
        live(&mut simulation, MINUTES / 60.0);
        let (mut squares, mut walkers) = (0.0, 0);
        for ((id, walks, from), (same, _, to)) in before.iter().zip(places(&simulation)) {
            assert_eq!(*id, same);
            if *walks {
                squares += f64::from(from.distance_squared(to));
                walkers += 1;
            } else {
                assert_eq!(*from, to, "one that rests");
            }
        }
        let found = squares / f64::from(walkers);
        println!("steps of {step_minutes} min: {found:.0} of {expected:.0} um2, {walkers} walkers");
        // Squares spread by sqrt(2/3) of their mean: 1.1 % of standard error for this number.
        assert_eq!(walkers, EDGE.pow(3));
        assert!(
            (found / expected - 1.0).abs() < 0.03,
            "{found} of {expected}"
        );
    }
}
