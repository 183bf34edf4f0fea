//! How cells come to rest: where potentials balance, without overshoot, without drift.

use super::*;

#[test]
fn two_cells_relax_to_the_distance_where_potentials_balance() {
    // sqrt(c_r) (1 - u) = sqrt(c_a) (1 - u / 1.25) for u = d / R.
    let (repulsion, adhesion) = (10.0_f64.sqrt(), 0.4_f64.sqrt());
    let relative = (repulsion - adhesion) / (repulsion - adhesion / 1.25);
    for start in [0.5, 0.8, 1.1] {
        let sum = 8.4 + 6.0;
        let bodies = [
            body(0, [0.0; 3], 8.4),
            body(1, [0.0, start * sum, 0.0], 6.0),
        ];
        let mut kernel = kernel(&bodies);
        for _ in 0..400 {
            kernel.relax(6.0, &Influences::default());
            let found = outcomes(&kernel);
            for (body, found) in kernel.bodies_mut().iter_mut().zip(found) {
                body.position = found.position;
            }
        }
        let found = distance(outcome(&kernel, 0).position, outcome(&kernel, 1).position);
        let expected = relative * f64::from(sum);
        assert!(
            (found - expected).abs() < 1.0e-3,
            "{start}: {found} instead of {expected}"
        );
    }
}

#[test]
fn the_centre_of_mass_stays_where_it_is() {
    let bodies = motley(5_000, 4);
    let mut kernel = kernel(&bodies);
    let done = kernel.relax(3.0, &Influences::default());
    assert!(done.path > 1.0, "the cloud moved");
    for axis in 0..3 {
        let drift: f64 = (0..bodies.len())
            .map(|row| {
                f64::from(outcome(&kernel, row).position[axis])
                    - f64::from(bodies[row].position[axis])
            })
            .sum();
        assert!(
            drift.abs() / (bodies.len() as f64) < 1.0e-5,
            "drift {drift} along {axis}"
        );
    }
}

#[test]
fn a_compressed_cluster_relaxes_without_overshoot() {
    // Scenes may have steps of 0.01 to 60 min.
    for minutes in [0.01_f32, 0.1, 0.5, 1.0, 6.0, 20.0, 60.0] {
        let mut dice = Dice(14);
        let spacing = 0.6 * 2.0 * 8.4;
        let centre = close_packed(9, spacing)[4 * 81 + 4 * 9 + 4];
        let mut bodies = Vec::new();
        for at in close_packed(9, spacing) {
            if distance(at, centre) < f64::from(3.6 * spacing) {
                let at = std::array::from_fn(|axis| {
                    at[axis] - centre[axis] + 0.02 * (dice.roll() - 0.5)
                });
                bodies.push(body(bodies.len() as u64, at, 8.4));
            }
        }
        let mut kernel = kernel(&bodies);
        let mut overlap = f64::INFINITY;
        let mut extent = 0.0_f64;
        let mut elapsed = 0.0;
        while elapsed < 60.0 {
            let done = kernel.relax(minutes, &Influences::default());
            assert!(
                done.substeps < creeping().most_substeps,
                "{minutes} min: {done:?}"
            );
            elapsed += minutes;
            let found = outcomes(&kernel);
            let now = largest_overlap(&found, 8.4);
            assert!(
                now <= overlap + 1.0e-5,
                "overlap grew from {overlap} to {now} at {minutes} min"
            );
            overlap = now;
            for (body, found) in kernel.bodies_mut().iter_mut().zip(found) {
                extent = extent.max(distance(found.position, [0.0; 3]));
                body.position = found.position;
            }
        }
        assert!(overlap < 0.25, "overlap left: {overlap}");
        assert!(
            extent < 2.0 * f64::from(3.6 * spacing),
            "a cell was flung to {extent}"
        );
    }
}

#[test]
fn tissue_at_rest_takes_one_substep_a_minute() {
    let mut bodies = Vec::new();
    for at in close_packed(10, 0.952 * 16.8) {
        bodies.push(body(bodies.len() as u64, at, 8.4));
    }
    let mut kernel = kernel(&bodies);
    assert_eq!(kernel.relax(1.0, &Influences::default()).substeps, 1);
}

#[test]
fn cells_at_one_place_part_in_opposite_directions() {
    let mut kernel = kernel(&[body(4, [7.0; 3], 8.4), body(9, [7.0; 3], 8.4)]);
    kernel.relax(0.0, &Influences::default());
    let (a, b) = (outcome(&kernel, 0), outcome(&kernel, 1));
    assert_eq!(a.velocity, b.velocity.map(|v| -v));
    let speed = a.velocity.iter().map(|v| v * v).sum::<f32>().sqrt();
    assert!(
        (speed - (ContactLaw::PhysiCell.repulsion() - ContactLaw::PhysiCell.adhesion())).abs()
            < 1.0e-4
    );
    assert_eq!((a.contacts, a.touching), (1, 1));
    assert!((a.pressure - 1.0 / 0.027_288_82).abs() < 1.0e-3);
    kernel.relax(30.0, &Influences::default());
    assert!(distance(outcome(&kernel, 0).position, outcome(&kernel, 1).position) > 10.0);
}

#[test]
fn a_heap_of_cells_at_one_place_spreads_without_losing_any() {
    let bodies: Vec<ContactBody> = (0..100).map(|id| body(id, [-3.0; 3], 8.4)).collect();
    let mut kernel = kernel(&bodies);
    kernel.relax(60.0, &Influences::default());
    let found = outcomes(&kernel);
    assert!(
        found
            .iter()
            .all(|outcome| outcome.position.iter().all(|at| at.is_finite()))
    );
    assert!(largest_overlap(&found, 8.4) < 0.7);
    assert!(
        found
            .iter()
            .all(|outcome| distance(outcome.position, [-3.0; 3]) < 150.0)
    );
}

#[test]
fn friction_moves_the_centre_of_mass_by_less_than_cells_may_creep() {
    // A resting cell leaves the force of a moving one unanswered, up to its rest speed.
    let bodies = motley(5_000, 4);
    let rest_speed = 1.0e-3;
    let mut kernel = Mechanics::new(MechanicsParameters {
        rest_speed,
        ..creeping()
    });
    kernel.bodies_mut().extend_from_slice(&bodies);
    let minutes = 30.0;
    kernel.relax(minutes, &Influences::default());
    for axis in 0..3 {
        let drift: f64 = (0..bodies.len())
            .map(|row| {
                f64::from(outcome(&kernel, row).position[axis])
                    - f64::from(bodies[row].position[axis])
            })
            .sum();
        let most = f64::from(rest_speed * minutes);
        let mean = drift.abs() / bodies.len() as f64;
        assert!(mean < most / 10.0, "{mean} um, {most} um allowed");
    }
}
