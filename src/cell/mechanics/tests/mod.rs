//! What the kernel must hold: analytic equilibria, a plain double-precision reference, and the same bits
//! whatever the order of rows, the size of bins and the instruction set.

mod bonds;
mod channels;
mod cohesive;
mod relaxation;
mod rest;
mod runners;
mod search;
mod sharing;
mod surroundings;
mod vicinity;

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

fn body(id: u64, position: [f32; 3], radius: f32) -> ContactBody {
    ContactBody {
        id: CellId(id),
        position,
        radius,
        adhesion: ContactLaw::PhysiCell.adhesion(),
        repulsion: ContactLaw::PhysiCell.repulsion(),
    }
}

/// `count` cells of radius 8.4 strewn at random in a box, `per_box` to a box of 20 um.
fn cloud(count: usize, per_box: f32, seed: u64) -> Vec<ContactBody> {
    let mut dice = Dice(seed);
    let edge = 20.0 * bevy::math::ops::cbrt(count as f32 / per_box);
    (0..count)
        .map(|id| body(id as u64, dice.point(edge), 8.4))
        .collect()
}

/// The same with radii from 4 to 12 um, strengths that differ, and a few giants.
fn motley(count: usize, seed: u64) -> Vec<ContactBody> {
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

/// PhysiCell's law without static friction: every cell moves as its neighbours make it.
fn creeping() -> MechanicsParameters {
    MechanicsParameters::of(ContactLaw::PhysiCell)
}

fn outcome(kernel: &Mechanics, row: usize) -> Outcome {
    kernel.outcome(row).expect("the cell was evaluated")
}

fn kernel(bodies: &[ContactBody]) -> Mechanics {
    let mut kernel = Mechanics::new(creeping());
    kernel.bodies_mut().extend_from_slice(bodies);
    kernel
}

fn outcomes(kernel: &Mechanics) -> Vec<Outcome> {
    (0..kernel.len()).map(|row| outcome(kernel, row)).collect()
}

fn evaluated(bodies: &[ContactBody], parameters: MechanicsParameters) -> Vec<Outcome> {
    let mut kernel = Mechanics::new(parameters);
    kernel.bodies_mut().extend_from_slice(bodies);
    kernel.sort();
    kernel.evaluate(&Influences::default());
    outcomes(&kernel)
}

fn bits(outcome: &Outcome) -> [u32; 10] {
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
        outcome.crowding.to_bits(),
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
fn reference(bodies: &[ContactBody]) -> Vec<([f64; 3], f64, u16, u16)> {
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

fn agrees_with_reference(bodies: &[ContactBody], found: &[Outcome]) {
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
    let bodies: Vec<ContactBody> = (0..700).map(|id| body(id, dice.point(9.0), 8.4)).collect();
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
fn the_order_of_rows_does_not_change_a_bit() {
    for bodies in [cloud(30_000, 1.5, 6), motley(30_000, 7)] {
        let mut straight = kernel(&bodies);
        straight.relax(2.0, &Influences::default());
        let mut order: Vec<usize> = (0..bodies.len()).collect();
        Dice(8).shuffle(&mut order);
        let mut shuffled = kernel(&order.iter().map(|row| bodies[*row]).collect::<Vec<_>>());
        shuffled.relax(2.0, &Influences::default());
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
            kernel.relax(3.0, &Influences::default());
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
    first.relax(2.0, &Influences::default());
    for _ in 0..3 {
        let mut again = kernel(&bodies);
        again.relax(2.0, &Influences::default());
        assert!(
            (0..bodies.len()).all(|row| bits(&outcome(&first, row)) == bits(&outcome(&again, row)))
        );
    }
}

#[test]
fn a_population_may_shrink_vanish_and_grow_again() {
    let mut kernel = kernel(&cloud(5_000, 1.5, 17));
    kernel.relax(1.0, &Influences::default());
    kernel.bodies_mut().clear();
    assert_eq!(kernel.relax(1.0, &Influences::default()).substeps, 1);
    assert!(kernel.is_empty());
    let bodies = motley(700, 18);
    kernel.bodies_mut().extend_from_slice(&bodies);
    kernel.sort();
    kernel.evaluate(&Influences::default());
    agrees_with_reference(&bodies, &outcomes(&kernel));
}

#[test]
fn bins_stay_few_when_cells_are_far_apart() {
    let mut dice = Dice(19);
    let bodies: Vec<ContactBody> = (0..2_000)
        .map(|id| body(id, dice.point(60_000.0), 8.4))
        .collect();
    let mut kernel = kernel(&bodies);
    kernel.sort();
    assert!(kernel.bins() < 4 * bodies.len() + 200_000);
    kernel.evaluate(&Influences::default());
    for ((velocity, ..), found) in reference(&bodies).iter().zip(outcomes(&kernel)) {
        assert!(
            (0..3).all(|axis| (velocity[axis] - f64::from(found.velocity[axis])).abs() < 1.0e-3)
        );
    }
}

#[test]
fn a_cell_that_is_nowhere_or_of_no_size_does_no_harm() {
    let pair = [body(1, [0.0; 3], 8.0), body(2, [15.0, 0.0, 0.0], 8.0)];
    let sane = evaluated(&pair, creeping());
    // First and last in its bin; of no size or without end it may act on the two, but on none after them.
    for (position, radius, acts) in [
        ([f32::NAN; 3], 8.0, false),
        ([f32::INFINITY, 0.0, 0.0], 8.0, false),
        ([0.0, f32::INFINITY, f32::NAN], 8.0, false),
        ([5.0, 0.0, 0.0], 0.0, true),
        ([5.0, 0.0, 0.0], f32::INFINITY, true),
    ] {
        for lost in [0, 3].map(|id| body(id, position, radius)) {
            let mut alone = kernel(&[lost]);
            alone.relax(1.0, &Influences::default());
            for instructions in InstructionSet::available() {
                let outcomes = |bodies: &[ContactBody]| {
                    let mut kernel = Mechanics::on(creeping(), instructions);
                    kernel.bodies_mut().extend_from_slice(bodies);
                    kernel.sort();
                    kernel.evaluate(&Influences::default());
                    [0, 1].map(|row| bits(&outcome(&kernel, row)))
                };
                let found = outcomes(&[pair[0], pair[1], lost]);
                let after = outcomes(&pair);
                for (row, sane) in sane.iter().enumerate() {
                    assert!(
                        acts || found[row] == bits(sane),
                        "{lost:?}, {instructions:?}"
                    );
                    assert_eq!(after[row], bits(sane), "after {lost:?}, {instructions:?}");
                }
            }
        }
    }
}

#[test]
fn a_cell_that_is_nowhere_does_no_harm_among_thousands() {
    let mut bodies = cloud(3_000, 1.5, 20);
    for body in &mut bodies {
        body.id.0 += 1;
    }
    let sane = evaluated(&bodies, creeping());
    for (id, nowhere) in [
        (0, [f32::NAN; 3]),
        (1_000_000, [f32::NAN; 3]),
        (0, [f32::NAN, 20.0, 30.0]),
        (0, [10.0, f32::NAN, f32::INFINITY]),
        (0, [10.0, 20.0, f32::NAN]),
    ] {
        bodies.push(body(id, nowhere, 8.4));
        for skip_resting in [true, false] {
            for instructions in InstructionSet::available() {
                let parameters = MechanicsParameters {
                    rest_speed: 0.05,
                    skip_resting,
                    ..creeping()
                };
                let mut kernel = Mechanics::on(parameters, instructions);
                kernel.bodies_mut().extend_from_slice(&bodies);
                for _ in 0..3 {
                    kernel.relax(2.0, &Influences::default());
                }
            }
        }
        let found = evaluated(&bodies, creeping());
        bodies.pop();
        for (sane, found) in sane.iter().zip(&found) {
            assert_eq!(sane.contacts, found.contacts);
            // Other bins, other order: other rounding.
            for (a, b) in sane.velocity.iter().zip(found.velocity) {
                assert!((a - b).abs() < 1e-5, "{a} {b}");
            }
        }
    }
}
