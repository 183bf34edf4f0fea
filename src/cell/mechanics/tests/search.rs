//! The search must find every neighbour, however far cells have moved since they were sorted.

use super::*;

/// Lets cells wander off in random directions without sorting them again, and compares what is found on the
/// way with all pairs.
fn agrees_while_wandering(bodies: &[ContactBody], bin_scale: f32) {
    let mut dice = Dice(21);
    let active: Vec<[f32; 3]> = bodies
        .iter()
        .map(|_| std::array::from_fn(|_| 40.0 * (dice.roll() - 0.5)))
        .collect();
    let wandering = Influences {
        active: &active,
        ..Default::default()
    };
    let mut kernel = Mechanics::new(MechanicsParameters {
        bin_scale,
        skip_resting: false,
        ..creeping()
    });
    kernel.bodies_mut().extend_from_slice(bodies);
    kernel.sort();
    let mut moved = bodies.to_vec();
    for _ in 0..5 {
        kernel.evaluate(&wandering);
        kernel.drift += kernel.advance(1.0, &wandering);
        kernel.evaluate(&Influences::default());
        let found = outcomes(&kernel);
        for (body, found) in moved.iter_mut().zip(&found) {
            body.position = found.position;
        }
        agrees_with_reference(&moved, &found);
    }
    let farthest = std::iter::zip(bodies, &moved)
        .map(|(from, to)| distance(from.position, to.position))
        .fold(0.0, f64::max);
    assert!(farthest > 5.0, "cells moved by {farthest} um only");
}

#[test]
fn no_neighbour_is_lost_while_cells_move_without_being_sorted_again() {
    for bin_scale in [0.3, 1.0, 2.0] {
        agrees_while_wandering(&cloud(1_000, 1.5, 22), bin_scale);
        agrees_while_wandering(&motley(1_000, 23), bin_scale);
    }
}
