//! What the kernel must hold: analytic equilibria, a plain double-precision reference, and the same bits
//! whatever the order of rows, the size of bins and the instruction set.

mod rest;
mod search;

use super::*;
use crate::core::parallel::set_threads;

/// Numbers in `0..1` for making clouds.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 24) as f32
    }

    fn point(&mut self, edge: f32) -> [f32; 3] {
        std::array::from_fn(|_| self.roll() * edge)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, (self.roll() * last as f32) as usize);
        }
    }
}

fn body(id: u64, position: [f32; 3], radius: f32) -> Body {
    Body {
        id: CellId(id),
        position,
        radius,
        adhesion: Body::ADHESION,
        repulsion: Body::REPULSION,
    }
}

/// `count` cells of radius 8.4 strewn at random in a box, `per_box` to a box of 20 um.
fn cloud(count: usize, per_box: f32, seed: u64) -> Vec<Body> {
    let mut dice = Dice(seed);
    let edge = 20.0 * bevy::math::ops::cbrt(count as f32 / per_box);
    (0..count)
        .map(|id| body(id as u64, dice.point(edge), 8.4))
        .collect()
}

/// The same with radii from 4 to 12 um, strengths that differ, and a few giants.
fn motley(count: usize, seed: u64) -> Vec<Body> {
    let mut dice = Dice(seed ^ 77);
    let mut bodies = cloud(count, 1.5, seed);
    for (row, body) in bodies.iter_mut().enumerate() {
        body.radius = 4.0 + 8.0 * dice.roll();
        body.adhesion = 2.0 * dice.roll();
        body.repulsion = 5.0 + 10.0 * dice.roll();
        if row % 97 == 0 {
            body.radius = 30.0;
        }
    }
    bodies
}

/// A block of close-packed points, `edge` to a side, nearest neighbours at `spacing`.
fn close_packed(edge: usize, spacing: f32) -> Vec<[f32; 3]> {
    (0..edge * edge * edge)
        .map(|cell| {
            let (i, j, k) = (cell % edge, cell / edge % edge, cell / edge / edge);
            let x = i as f32 + 0.5 * ((j + k) % 2) as f32;
            let y = 0.866_025_4 * (j as f32 + (k % 2) as f32 / 3.0);
            [x, y, 0.816_496_6 * k as f32].map(|at| at * spacing)
        })
        .collect()
}

/// Parameters without static friction: every cell moves as its neighbours make it.
fn creeping() -> MechanicsParameters {
    MechanicsParameters {
        rest_speed: 0.0,
        ..Default::default()
    }
}

fn outcome(kernel: &Mechanics, row: usize) -> Outcome {
    kernel.outcome(row).expect("the cell was evaluated")
}

fn kernel(bodies: &[Body]) -> Mechanics {
    let mut kernel = Mechanics::new(creeping());
    kernel.bodies_mut().extend_from_slice(bodies);
    kernel
}

fn outcomes(kernel: &Mechanics) -> Vec<Outcome> {
    (0..kernel.len()).map(|row| outcome(kernel, row)).collect()
}

fn evaluated(bodies: &[Body], parameters: MechanicsParameters) -> Vec<Outcome> {
    let mut kernel = Mechanics::new(parameters);
    kernel.bodies_mut().extend_from_slice(bodies);
    kernel.sort();
    kernel.evaluate(&Surroundings::default());
    outcomes(&kernel)
}

fn bits(outcome: &Outcome) -> [u32; 9] {
    let [x, y, z] = outcome.position.map(f32::to_bits);
    let [vx, vy, vz] = outcome.velocity.map(f32::to_bits);
    let counts = [outcome.contacts, outcome.touching].map(u32::from);
    [
        x,
        y,
        z,
        vx,
        vy,
        vz,
        outcome.pressure.to_bits(),
        counts[0],
        counts[1],
    ]
}

fn distance(a: [f32; 3], b: [f32; 3]) -> f64 {
    (0..3)
        .map(|axis| (f64::from(a[axis]) - f64::from(b[axis])).powi(2))
        .sum::<f64>()
        .sqrt()
}

/// Largest difference of two velocities along any axis.
fn difference(expected: [f64; 3], found: [f32; 3]) -> f64 {
    let along = expected.into_iter().zip(found);
    along
        .map(|(expected, found)| (expected - f64::from(found)).abs())
        .fold(0.0, f64::max)
}

/// Largest `1 - d/R` over all pairs.
fn largest_overlap(outcomes: &[Outcome], radius: f64) -> f64 {
    let mut largest = 0.0_f64;
    for (i, a) in outcomes.iter().enumerate() {
        for b in &outcomes[i + 1..] {
            largest = largest.max(1.0 - distance(a.position, b.position) / (2.0 * radius));
        }
    }
    largest
}

/// Velocity, pressure and counts of every cell, by the definition, in double precision.
fn reference(bodies: &[Body]) -> Vec<([f64; 3], f64, u16, u16)> {
    bodies
        .iter()
        .map(|own| {
            let (mut velocity, mut pressure, mut contacts, mut touching) = ([0.0; 3], 0.0, 0, 0);
            for other in bodies.iter().filter(|other| other.id != own.id) {
                let d = distance(own.position, other.position);
                let sum = f64::from(own.radius) + f64::from(other.radius);
                let mean = |a: f32, b: f32| (f64::from(a) * f64::from(b)).sqrt();
                let mut speed = 0.0;
                if d < sum {
                    let overlap = (1.0 - d / sum).powi(2);
                    speed += mean(own.repulsion, other.repulsion) * overlap;
                    pressure += overlap;
                    touching += 1;
                }
                if d < 1.25 * sum {
                    speed -= mean(own.adhesion, other.adhesion) * (1.0 - d / (1.25 * sum)).powi(2);
                    contacts += 1;
                }
                for (axis, velocity) in velocity.iter_mut().enumerate() {
                    let along = f64::from(own.position[axis]) - f64::from(other.position[axis]);
                    *velocity += speed * along / d;
                }
            }
            (
                velocity,
                pressure / 0.027_288_820_670_331,
                contacts,
                touching,
            )
        })
        .collect()
}

fn agrees_with_reference(bodies: &[Body], found: &[Outcome]) {
    for ((velocity, pressure, contacts, touching), found) in reference(bodies).iter().zip(found) {
        let error = difference(*velocity, found.velocity);
        assert!(
            error < 2.0e-4,
            "velocity {velocity:?} came out as {:?}",
            found.velocity
        );
        assert!((pressure - f64::from(found.pressure)).abs() < 1.0e-4 * (1.0 + pressure));
        assert_eq!((*contacts, *touching), (found.contacts, found.touching));
    }
}

#[test]
fn velocities_agree_with_the_definition_for_equal_cells() {
    let bodies = cloud(1500, 1.5, 1);
    agrees_with_reference(&bodies, &evaluated(&bodies, creeping()));
}

#[test]
fn velocities_agree_with_the_definition_for_unequal_cells() {
    let bodies = motley(1500, 2);
    agrees_with_reference(&bodies, &evaluated(&bodies, creeping()));
}

#[test]
fn a_crowd_of_more_neighbours_than_are_held_at_once_is_summed_in_full() {
    let mut dice = Dice(5);
    let bodies: Vec<Body> = (0..700).map(|id| body(id, dice.point(9.0), 8.4)).collect();
    let found = evaluated(&bodies, creeping());
    assert!(found.iter().all(|outcome| outcome.contacts == 699));
    for ((velocity, ..), found) in reference(&bodies).iter().zip(&found) {
        assert!(difference(*velocity, found.velocity) < 0.02);
    }
}

#[test]
fn giants_among_many_get_a_grid_of_their_own() {
    let mut bodies = cloud(20_000, 1.5, 3);
    for row in [11, 5_000, 17_000] {
        bodies[row].radius = 25.0;
    }
    let mut kernel = kernel(&bodies);
    kernel.sort();
    assert_eq!(kernel.grids(), 2);
    let mut even = cloud(20_000, 1.5, 3);
    for (row, body) in even.iter_mut().enumerate() {
        body.radius *= 1.0 + 0.25 * (row % 5) as f32 / 4.0;
    }
    *kernel.bodies_mut() = even;
    kernel.sort();
    assert_eq!(kernel.grids(), 1);
}

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
            kernel.relax(6.0, &Surroundings::default());
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
    let done = kernel.relax(3.0, &Surroundings::default());
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
fn the_order_of_rows_does_not_change_a_bit() {
    for bodies in [cloud(30_000, 1.5, 6), motley(30_000, 7)] {
        let mut straight = kernel(&bodies);
        straight.relax(2.0, &Surroundings::default());
        let mut order: Vec<usize> = (0..bodies.len()).collect();
        Dice(8).shuffle(&mut order);
        let mut shuffled = kernel(&order.iter().map(|row| bodies[*row]).collect::<Vec<_>>());
        shuffled.relax(2.0, &Surroundings::default());
        assert_eq!(straight.starts(), shuffled.starts());
        for (row, original) in order.iter().enumerate() {
            assert_eq!(
                bits(&outcome(&shuffled, row)),
                bits(&outcome(&straight, *original))
            );
            assert_eq!(shuffled.slot(row), straight.slot(*original));
        }
    }
}

#[test]
fn the_size_of_bins_changes_nothing_but_rounding() {
    for bodies in [cloud(3_000, 1.5, 9), motley(3_000, 10)] {
        let usual = evaluated(&bodies, creeping());
        for bin_scale in [0.11, 0.5, 0.93, 1.7, 6.0] {
            let parameters = MechanicsParameters {
                bin_scale,
                ..creeping()
            };
            for (usual, other) in usual.iter().zip(evaluated(&bodies, parameters)) {
                assert_eq!(
                    (usual.contacts, usual.touching),
                    (other.contacts, other.touching)
                );
                assert!((usual.pressure - other.pressure).abs() <= 2.0e-6 * (1.0 + usual.pressure));
                for axis in 0..3 {
                    assert!((usual.velocity[axis] - other.velocity[axis]).abs() < 5.0e-5);
                }
            }
        }
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for bodies in [cloud(4_000, 2.0, 11), motley(4_000, 12)] {
        let mut results = InstructionSet::available().into_iter().map(|set| {
            let mut kernel = Mechanics::on(creeping(), set);
            kernel.bodies_mut().extend_from_slice(&bodies);
            kernel.relax(3.0, &Surroundings::default());
            outcomes(&kernel).iter().map(bits).collect::<Vec<_>>()
        });
        let portable = results.next().expect("the portable one is always there");
        assert!(results.all(|other| other == portable));
    }
}

#[test]
fn which_thread_takes_which_piece_does_not_change_a_bit() {
    set_threads(Some(4));
    let bodies = motley(20_000, 13);
    let mut first = kernel(&bodies);
    first.relax(2.0, &Surroundings::default());
    for _ in 0..3 {
        let mut again = kernel(&bodies);
        again.relax(2.0, &Surroundings::default());
        assert!(
            (0..bodies.len()).all(|row| bits(&outcome(&first, row)) == bits(&outcome(&again, row)))
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
            let done = kernel.relax(minutes, &Surroundings::default());
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
    assert_eq!(kernel.relax(1.0, &Surroundings::default()).substeps, 1);
}

#[test]
fn bonded_cells_relax_to_the_rest_length_exponentially() {
    let (stiffness, rest) = (0.05, 30.0);
    let mut bonds = Bonds::default();
    assert!(bonds.add(CellId(9), CellId(3), rest, stiffness));
    let bodies = [body(3, [0.0; 3], 8.4), body(9, [40.0, 0.0, 0.0], 8.4)];
    let mut kernel = kernel(&bodies);
    let surroundings = Surroundings {
        bonds: Some(&bonds),
        ..Default::default()
    };
    for step in 1..=200 {
        kernel.relax(0.1, &surroundings);
        let found = outcomes(&kernel);
        for (body, found) in kernel.bodies_mut().iter_mut().zip(&found) {
            body.position = found.position;
        }
        let now = distance(found[0].position, found[1].position) - f64::from(rest);
        let expected = 10.0 * (-2.0 * f64::from(stiffness) * 0.1 * f64::from(step)).exp();
        assert!(
            (now - expected).abs() < 0.01 * expected + 1.0e-4,
            "{step}: {now}, {expected}"
        );
        let middle = found[0].position[0] + found[1].position[0];
        assert!((middle - 40.0).abs() < 1.0e-3);
    }
}

#[test]
fn bonds_are_mutual_and_counted() {
    let mut bonds = Bonds::default();
    let cell = CellId;
    assert!(bonds.add(cell(5), cell(2), 10.0, 0.1));
    assert!(bonds.add(cell(2), cell(7), 10.0, 0.1));
    assert!(!bonds.add(cell(2), cell(5), 12.0, 0.1));
    assert_eq!(
        bonds.between(cell(5), cell(2)).map(|bond| bond.rest),
        Some(12.0)
    );
    assert_eq!(
        [2, 5, 7, 8].map(|id| bonds.count_of(cell(id))),
        [2, 1, 1, 0]
    );
    assert!(bonds.remove(cell(5), cell(2)));
    assert!(!bonds.remove(cell(2), cell(5)));
    bonds.retain(|bond| bond.b != cell(7));
    assert!(bonds.is_empty());
}

#[test]
fn a_net_of_bonds_pulls_as_its_definition_and_bonds_to_the_absent_do_nothing() {
    let mut dice = Dice(15);
    let bodies: Vec<Body> = (0..300)
        .map(|id| body(id * 7, dice.point(4_000.0), 2.0))
        .collect();
    let mut bonds = Bonds::default();
    for _ in 0..900 {
        let pair = [dice.roll(), dice.roll()].map(|roll| (roll * 310.0) as u64 * 7);
        if pair[0] != pair[1] {
            bonds.add(
                CellId(pair[0]),
                CellId(pair[1]),
                100.0 * dice.roll(),
                dice.roll(),
            );
        }
    }
    let mut kernel = kernel(&bodies);
    let surroundings = Surroundings {
        bonds: Some(&bonds),
        ..Default::default()
    };
    kernel.relax(0.0, &surroundings);
    let contacts = reference(&bodies);
    for (row, own) in bodies.iter().enumerate() {
        let mut expected = contacts[row].0;
        for other in &bodies {
            if let Some(bond) = bonds.between(own.id, other.id) {
                let d = distance(own.position, other.position);
                let pull = f64::from(bond.stiffness) * (d - f64::from(bond.rest)) / d;
                for (axis, expected) in expected.iter_mut().enumerate() {
                    *expected += pull * f64::from(other.position[axis] - own.position[axis]);
                }
            }
        }
        assert!(difference(expected, outcome(&kernel, row).velocity) < 3.0e-3);
    }
}

#[test]
fn walls_hold_cells_and_open_sides_do_not() {
    let bodies = cloud(400, 3.0, 16);
    let edge = 20.0 * bevy::math::ops::cbrt(400.0 / 3.0);
    let active: Vec<[f32; 3]> = bodies.iter().map(|_| [5.0, 5.0, -5.0]).collect();
    let mut surroundings = Surroundings {
        faces: Faces::closed([0.0; 3], [edge; 3]),
        active: &active,
        ..Default::default()
    };
    let run = |surroundings: &Surroundings| {
        let mut kernel = kernel(&bodies);
        for _ in 0..20 {
            kernel.relax(6.0, surroundings);
            let found = outcomes(&kernel);
            for (body, found) in kernel.bodies_mut().iter_mut().zip(found) {
                body.position = found.position;
            }
        }
        outcomes(&kernel)
    };
    for outcome in run(&surroundings) {
        assert!(outcome.position.iter().all(|at| (0.0..=edge).contains(at)));
    }
    surroundings.faces.walls[0][1] = false;
    assert!(
        run(&surroundings)
            .iter()
            .any(|outcome| outcome.position[0] > edge)
    );
}

#[test]
fn a_wall_stops_a_cell_where_its_push_equals_the_drive() {
    // c_w (1 - d/r)^2 = v, with c_w = 10 and v = 0.9: d = 0.7 r.
    let mut kernel = kernel(&[body(0, [20.0, 50.0, 50.0], 8.4)]);
    let surroundings = Surroundings {
        faces: Faces::closed([0.0; 3], [100.0; 3]),
        active: &[[-0.9, 0.0, 0.0]],
        ..Default::default()
    };
    for _ in 0..60 {
        kernel.relax(1.0, &surroundings);
        let position = outcome(&kernel, 0).position;
        kernel.bodies_mut()[0].position = position;
    }
    assert!((outcome(&kernel, 0).position[0] - 0.7 * 8.4).abs() < 1.0e-3);
}

#[test]
fn cells_at_one_place_part_in_opposite_directions() {
    let mut kernel = kernel(&[body(4, [7.0; 3], 8.4), body(9, [7.0; 3], 8.4)]);
    kernel.relax(0.0, &Surroundings::default());
    let (a, b) = (outcome(&kernel, 0), outcome(&kernel, 1));
    assert_eq!(a.velocity, b.velocity.map(|v| -v));
    let speed = a.velocity.iter().map(|v| v * v).sum::<f32>().sqrt();
    assert!((speed - (Body::REPULSION - Body::ADHESION)).abs() < 1.0e-4);
    assert_eq!((a.contacts, a.touching), (1, 1));
    assert!((a.pressure - 1.0 / 0.027_288_82).abs() < 1.0e-3);
    kernel.relax(30.0, &Surroundings::default());
    assert!(distance(outcome(&kernel, 0).position, outcome(&kernel, 1).position) > 10.0);
}

#[test]
fn a_heap_of_cells_at_one_place_spreads_without_losing_any() {
    let bodies: Vec<Body> = (0..100).map(|id| body(id, [-3.0; 3], 8.4)).collect();
    let mut kernel = kernel(&bodies);
    kernel.relax(60.0, &Surroundings::default());
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
fn a_population_may_shrink_vanish_and_grow_again() {
    let mut kernel = kernel(&cloud(5_000, 1.5, 17));
    kernel.relax(1.0, &Surroundings::default());
    kernel.bodies_mut().clear();
    assert_eq!(kernel.relax(1.0, &Surroundings::default()).substeps, 1);
    assert!(kernel.is_empty());
    let bodies = motley(700, 18);
    kernel.bodies_mut().extend_from_slice(&bodies);
    kernel.sort();
    kernel.evaluate(&Surroundings::default());
    agrees_with_reference(&bodies, &outcomes(&kernel));
}

#[test]
fn bins_stay_few_when_cells_are_far_apart() {
    let mut dice = Dice(19);
    let bodies: Vec<Body> = (0..2_000)
        .map(|id| body(id, dice.point(60_000.0), 8.4))
        .collect();
    let mut kernel = kernel(&bodies);
    kernel.sort();
    assert!(kernel.bins() < 4 * bodies.len() + 200_000);
    kernel.evaluate(&Surroundings::default());
    for ((velocity, ..), found) in reference(&bodies).iter().zip(outcomes(&kernel)) {
        assert!(
            (0..3).all(|axis| (velocity[axis] - f64::from(found.velocity[axis])).abs() < 1.0e-3)
        );
    }
}

#[test]
fn a_cell_that_is_nowhere_or_of_no_size_does_no_harm() {
    for lost in [
        body(2, [f32::NAN; 3], 8.0),
        body(2, [f32::INFINITY, 0.0, 0.0], 8.0),
        body(2, [5.0, 0.0, 0.0], 0.0),
    ] {
        // Alone, and beside two that touch.
        let mut alone = kernel(&[lost]);
        alone.relax(1.0, &Surroundings::default());
        let pair = [body(0, [0.0; 3], 8.0), body(1, [15.0, 0.0, 0.0], 8.0)];
        let sane = evaluated(&pair, creeping());
        for instructions in InstructionSet::available() {
            let mut kernel = Mechanics::on(creeping(), instructions);
            kernel
                .bodies_mut()
                .extend_from_slice(&[pair[0], pair[1], lost]);
            kernel.sort();
            kernel.evaluate(&Surroundings::default());
            if lost.position[0] == 5.0 {
                continue;
            }
            for (row, sane) in sane.iter().enumerate() {
                assert_eq!(bits(&outcome(&kernel, row)), bits(sane), "{lost:?}");
            }
        }
    }
}
