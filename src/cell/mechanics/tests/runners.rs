//! Cells in a hurry among others: how far they get, what they leave alone, what they cost.

use super::*;

/// A close-packed ball of tissue at rest, and walkers of radius 6 strewn over it.
fn tissue(edge: usize, walkers: usize, walker_strength: f32) -> (Vec<ContactBody>, Vec<[f32; 3]>) {
    let spacing = 0.952_381 * 16.8;
    let mut bodies: Vec<ContactBody> = close_packed(edge, spacing)
        .into_iter()
        .enumerate()
        .map(|(id, at)| body(id as u64, at, 8.4))
        .collect();
    let mut active = vec![[0.0; 3]; bodies.len()];
    let mut dice = Dice(5);
    let extent = edge as f32 * spacing;
    for walker in 0..walkers {
        let at = [1.2, 0.9, 0.8].map(|share| share * extent * dice.roll());
        let strengths = (walker_strength, 25.0 * walker_strength);
        bodies.push(ContactBody {
            adhesion: strengths.0,
            repulsion: strengths.1,
            ..body(1_000_000 + walker as u64, at, 6.0)
        });
        let way = dice.point(2.0).map(|x| x - 1.0);
        let long = distance(way, [0.0; 3]) as f32;
        active.push(way.map(|x| 10.0 * x / long.max(0.1)));
    }
    (bodies, active)
}

fn resting(local_substeps: bool, skip_resting: bool) -> MechanicsParameters {
    MechanicsParameters {
        rest_speed: 1.0e-3,
        local_substeps,
        skip_resting,
        ..creeping()
    }
}

/// Runs steps of so many minutes; the rows afterwards, and evaluations of all and of single cells.
fn run(
    parameters: MechanicsParameters,
    (bodies, active): &(Vec<ContactBody>, Vec<[f32; 3]>),
    (steps, minutes): (u32, f32),
) -> (Vec<ContactBody>, u64, u64) {
    let mut kernel = Mechanics::new(parameters);
    let mut rows = bodies.clone();
    let (mut evaluated, mut local) = (0, 0);
    for _ in 0..steps {
        let (into, watch) = kernel.update(&[rows.len()]);
        for (into, row) in into.iter_mut().zip(&rows) {
            watch.put(into, *row);
        }
        let done = kernel.relax(
            minutes,
            &Influences {
                active,
                ..Default::default()
            },
        );
        evaluated += done.evaluated;
        local += done.local;
        for (row, body) in rows.iter_mut().enumerate() {
            if let Some(outcome) = kernel.outcome(row) {
                body.position = outcome.position;
            }
        }
    }
    (rows, evaluated, local)
}

#[test]
fn walkers_that_meet_no_resistance_go_as_far_as_their_speed_and_leave_resting_cells_where_they_are()
{
    let start = tissue(18, 290, 0.0);
    for (steps, minutes) in [(10, 1.0), (2, 5.0), (1, 10.0)] {
        let (rows, _, local) = run(resting(true, true), &start, (steps, minutes));
        assert!(local > 0, "they took substeps of their own");
        for ((row, before), active) in rows.iter().zip(&start.0).zip(&start.1) {
            let expected: [f32; 3] =
                std::array::from_fn(|axis| before.position[axis] + 10.0 * active[axis]);
            // Sums of many short steps, far from the origin.
            assert!(distance(row.position, expected) < 0.02, "{row:?}");
            if *active == [0.0; 3] {
                assert_eq!(row.position, before.position);
            }
        }
    }
}

#[test]
fn the_smallest_walk_as_far_as_their_speed_in_the_longest_steps() {
    for (local_substeps, minutes) in [(true, 10.0), (false, 10.0), (true, 60.0), (false, 60.0)] {
        let small = ContactBody {
            adhesion: 0.0,
            repulsion: 0.0,
            ..body(1, [0.0; 3], 3.0)
        };
        let far = body(2, [0.0, 5_000.0, 0.0], 8.4);
        let start = (vec![small, far], vec![[6.0, 0.0, -8.0], [0.0; 3]]);
        let (rows, ..) = run(resting(local_substeps, true), &start, (1, minutes));
        let expected = [6.0 * minutes, 0.0, -8.0 * minutes];
        assert!(distance(rows[0].position, expected) < 0.05, "{:?}", rows[0]);
        assert_eq!(rows[1].position, far.position);
    }
}

#[test]
fn substeps_of_their_own_cost_a_fraction_and_come_to_what_short_substeps_of_all_come_to() {
    let start = tissue(18, 290, 0.4);
    let walked = |rows: &[ContactBody]| {
        let ways = rows.iter().zip(&start.0).zip(&start.1);
        let ways = ways.filter(|(_, active)| **active != [0.0; 3]);
        ways.map(|((row, before), _)| distance(row.position, before.position))
            .sum::<f64>()
            / 290.0
    };
    let pushed = |rows: &[ContactBody]| {
        let ways = rows.iter().zip(&start.0).zip(&start.1);
        let ways = ways.filter(|(_, active)| **active == [0.0; 3]);
        ways.map(|((row, before), _)| distance(row.position, before.position).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    let (fine, all, none) = run(resting(false, true), &start, (80, 0.05));
    let (together, coarse, _) = run(resting(false, true), &start, (4, 1.0));
    let (own, few, local) = run(resting(true, true), &start, (4, 1.0));
    assert_eq!(none, 0);
    assert!(few + local < coarse / 2, "{few} + {local} of {coarse}");
    assert!(few < all);
    for (of, tolerance) in [(&together, 0.05), (&own, 0.05)] {
        let (found, expected) = (walked(of), walked(&fine));
        assert!(
            (found / expected - 1.0).abs() < tolerance,
            "{found} um, {expected}"
        );
        let (found, expected) = (pushed(of), pushed(&fine));
        assert!(
            (found / expected - 1.0).abs() < 0.1,
            "{found} um, {expected}"
        );
    }
}

#[test]
fn what_runners_and_others_do_to_each_other_is_equal_and_opposite() {
    let (bodies, active) = tissue(14, 140, 0.4);
    let parameters = MechanicsParameters {
        rest_speed: 0.0,
        // Nothing is cut.
        largest_displacement: 0.5,
        ..creeping()
    };
    let (rows, _, local) = run(parameters, &(bodies.clone(), active.clone()), (1, 1.0));
    assert!(local > 0);
    for axis in 0..3 {
        let moved = rows.iter().zip(&bodies).zip(&active);
        let drift: f64 = moved
            .map(|((row, before), active)| {
                f64::from(row.position[axis]) - f64::from(before.position[axis] + active[axis])
            })
            .sum();
        let mean = drift.abs() / rows.len() as f64;
        assert!(mean < 1.0e-4, "{mean} um along {axis}");
    }
}

#[test]
fn skipping_resting_cells_changes_nothing_where_others_walk() {
    for (walkers, steps, minutes) in [(30, 12, 1.0), (300, 6, 2.0), (300, 3, 5.0), (300, 2, 10.0)] {
        let start = tissue(18, walkers, 0.4);
        let with = run(resting(true, true), &start, (steps, minutes));
        let without = run(resting(true, false), &start, (steps, minutes));
        assert!(with.2 > 0, "they took substeps of their own");
        for (a, b) in with.0.iter().zip(&without.0) {
            assert_eq!(
                a.position.map(f32::to_bits),
                b.position.map(f32::to_bits),
                "{a:?}"
            );
        }
    }
}

#[test]
fn the_order_of_rows_changes_nothing_where_others_walk() {
    let (bodies, active) = tissue(12, 80, 0.4);
    let forwards = run(
        resting(true, true),
        &(bodies.clone(), active.clone()),
        (5, 1.0),
    );
    let turned = (
        bodies.into_iter().rev().collect(),
        active.into_iter().rev().collect(),
    );
    let backwards = run(resting(true, true), &turned, (5, 1.0));
    for (a, b) in forwards.0.iter().zip(backwards.0.iter().rev()) {
        assert_eq!(a, b);
    }
}
