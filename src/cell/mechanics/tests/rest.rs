//! Cells at rest: skipping them changes no bit, and whatever happens near them wakes them.

use super::*;
use crate::cell::mechanics::rest::{ChangeNotes, Rest, rearrange};

/// A caller of the kernel, which keeps what became of its cells as the `Move` stage does.
struct Tissue {
    kernel: Mechanics,
    cells: Vec<(ContactBody, Outcome)>,
    /// Cells of the first of two parts in which they are given.
    first: usize,
}

impl Tissue {
    fn new(bodies: &[ContactBody], parameters: MechanicsParameters) -> Self {
        let unknown = Outcome {
            position: [f32::NAN; 3],
            velocity: [f32::NAN; 3],
            pressure: f32::NAN,
            crowding: f32::NAN,
            contacts: 0,
            touching: 0,
        };
        Self {
            kernel: Mechanics::new(parameters),
            cells: bodies.iter().map(|body| (*body, unknown)).collect(),
            first: bodies.len() / 3,
        }
    }

    fn step(&mut self, minutes: f32, surroundings: &Influences) -> Relaxation {
        let (rows, watch) = self
            .kernel
            .update(&[self.first, self.cells.len() - self.first]);
        for (row, (body, _)) in rows.iter_mut().zip(&self.cells) {
            watch.put(row, *body);
        }
        let done = self.kernel.relax(minutes, surroundings);
        for (row, (body, kept)) in self.cells.iter_mut().enumerate() {
            if let Some(found) = self.kernel.outcome(row) {
                *kept = found;
                body.position = found.position;
            } else {
                // What rests has no velocity.
                kept.velocity = [0.0; 3];
            }
        }
        done
    }

    fn bits(&self) -> Vec<[u32; 10]> {
        self.cells.iter().map(|(_, found)| bits(found)).collect()
    }
}

/// Parameters with which a loose cloud comes to rest soon.
fn sticky(skip_resting: bool) -> MechanicsParameters {
    MechanicsParameters {
        rest_speed: 0.05,
        skip_resting,
        ..creeping()
    }
}

/// What happens to tissue between two steps of the test below; `roll` picks what and where.
fn happen(tissue: &mut Tissue, dice: &mut Dice, next_id: &mut u64) {
    let pick = |dice: &mut Dice, len: usize| (dice.roll() * len as f32) as usize % len;
    let len = tissue.cells.len();
    let at = pick(dice, len);
    match (dice.roll() * 12.0) as u32 {
        0 => tissue.cells[at].0.position = dice.point(200.0),
        1 => tissue.cells[at].0.radius *= 1.1,
        2 => tissue.cells[at].0.adhesion *= 0.5,
        3 => tissue.cells[at].0.repulsion += 1.0,
        // The last of its part takes the place of one that dies.
        4 if at < tissue.first => {
            tissue.first -= 1;
            tissue.cells.swap(at, tissue.first);
            tissue.cells.remove(tissue.first);
        }
        4 => drop(tissue.cells.swap_remove(at)),
        5 => tissue.cells.truncate(len - 1),
        6 | 7 => {
            let mut daughter = tissue.cells[at];
            daughter.0.id = CellId(*next_id);
            daughter.0.position[2] += 3.0;
            *next_id += 1;
            if at < tissue.first {
                tissue.cells.insert(tissue.first, daughter);
                tissue.first += 1;
            } else {
                tissue.cells.push(daughter);
            }
        }
        8 => {
            let other = pick(dice, len);
            tissue.cells.swap(at, other);
        }
        // A giant comes, or shrinks again.
        9 => {
            let radius = &mut tissue.cells[7].0.radius;
            *radius = if *radius > 20.0 { 8.0 } else { 30.0 };
        }
        // A cell takes the identity of another that was never there.
        10 => {
            tissue.cells[at].0.id = CellId(*next_id);
            *next_id += 1;
        }
        _ => {}
    }
}

#[test]
fn skipping_changes_no_bit_whatever_happens() {
    for (seed, bodies) in [(31, cloud(1_500, 1.5, 31)), (32, motley(1_500, 32))] {
        let mut tissues = [true, false].map(|skip| Tissue::new(&bodies, sticky(skip)));
        let mut evaluated = [0; 2];
        let mut next_id = 1_000_000;
        let mut quiet_steps = 0;
        for step in 0..600 {
            // Long calm stretches, in which all comes to rest.
            let events = if step % 100 < 4 { 2 } else { 0 };
            for event in 0..events {
                let seed = seed * 100_000 + 10 * step + event;
                let first_id = next_id;
                for tissue in &mut tissues {
                    next_id = first_id;
                    happen(tissue, &mut Dice(seed * 7_919), &mut next_id);
                }
            }
            let mut active = vec![[0.0; 3]; tissues[0].cells.len()];
            if step % 100 == 60 {
                active[40] = [0.3, 0.0, 0.1];
            }
            let mut bonds = Bonds::default();
            if step % 150 > 130 {
                let ids = [11, 300].map(|row: usize| tissues[0].cells[row].0.id);
                bonds.add(Bond::new(BondKindId::default(), ids, 20.0, 0.001));
            }
            let mut faces = Faces::default();
            if step > 350 {
                faces = Faces::closed([-400.0; 3], [if step > 450 { 150.0 } else { 400.0 }; 3]);
            }
            let surroundings = Influences {
                faces,
                active: if step % 3 == 0 || step % 100 == 60 {
                    &active
                } else {
                    &[]
                },
                bonds: Some(&bonds),
                ..Default::default()
            };
            for tissue in &mut tissues {
                let rest_speed = if step / 30 == 9 { 0.01 } else { 0.05 };
                let parameters = MechanicsParameters {
                    rest_speed,
                    ..*tissue.kernel.parameters()
                };
                tissue.kernel.set_parameters(parameters);
                // More in one bin than one piece of an evaluation takes.
                if step == 400 {
                    for (body, _) in &mut tissue.cells[..600] {
                        body.position = [100.0; 3];
                    }
                }
            }
            let minutes = if step % 50 == 0 { 6.0 } else { 1.0 };
            for (tissue, evaluated) in tissues.iter_mut().zip(&mut evaluated) {
                let done = tissue.step(minutes, &surroundings);
                *evaluated += done.evaluated;
                quiet_steps += u32::from(done.evaluated == 0);
            }
            let [with, without] = &tissues;
            assert_eq!(with.bits(), without.bits(), "step {step}");
        }
        assert!(quiet_steps > 50, "{quiet_steps} steps in which all rested");
        assert!(
            evaluated[0] < evaluated[1] / 10 * 9,
            "{evaluated:?} cells were evaluated"
        );
    }
}

#[test]
fn a_touched_cell_wakes_its_neighbours_and_no_others() {
    let mut bodies = Vec::new();
    for at in close_packed(20, 0.952 * 16.8) {
        bodies.push(body(bodies.len() as u64, at, 8.4));
    }
    let mut tissue = Tissue::new(&bodies, sticky(true));
    let calm = Influences::default();
    let mut steps = 0;
    while tissue.step(1.0, &calm).evaluated > 0 {
        steps += 1;
        assert!(steps < 1_000, "the block comes to rest");
    }
    let middle = bodies.len() / 2 + 210;
    tissue.cells[middle].0.position[0] += 0.5;
    let woken = tissue.step(1.0, &calm).evaluated;
    // Its bin and those around it, of 21 um each, with a cell to 3,000 um3.
    assert!((13..500).contains(&woken), "{woken} cells woke");
    assert_ne!(tissue.kernel.outcome(middle), None);
    assert_eq!(tissue.kernel.outcome(0), None);
}

#[test]
fn a_resting_cell_stays_and_a_pushed_one_comes_to_rest_where_forces_are_small() {
    let pair = [body(0, [0.0; 3], 8.4), body(1, [14.0, 0.0, 0.0], 8.4)];
    let mut tissue = Tissue::new(
        &pair,
        MechanicsParameters {
            rest_speed: 1.0e-3,
            ..creeping()
        },
    );
    let calm = Influences::default();
    while tissue.step(1.0, &calm).evaluated > 0 {}
    let rests = distance(tissue.cells[0].1.position, tissue.cells[1].1.position);
    let mut creeps = Tissue::new(&pair, creeping());
    for _ in 0..2_000 {
        creeps.step(1.0, &calm);
    }
    let balance = distance(creeps.cells[0].1.position, creeps.cells[1].1.position);
    // The net force rises by 2 sqrt(c_r c_a) (1 - 1/1.25) / R per um about the balance, for a pair of equal
    // strengths: the pair stops within rest speed over that of it.
    let slope = 2.0 * (10.0_f64 * 0.4).sqrt() * (1.0 - 0.8) / 16.8;
    let most = 1.0e-3 / slope * 1.5;
    assert!(
        (rests - balance).abs() < most,
        "{rests} instead of {balance}, {most} um apart at most"
    );
}

#[test]
fn a_birth_in_one_part_of_the_rows_wakes_no_cell_of_another() {
    let mut bodies = Vec::new();
    for at in close_packed(16, 0.952 * 16.8) {
        bodies.push(body(bodies.len() as u64, at, 8.4));
    }
    // One more far away, first in a part of its own.
    bodies.insert(0, body(1_000_000, [-300.0; 3], 8.4));
    let mut tissue = Tissue::new(&bodies, sticky(true));
    tissue.first = 1;
    let calm = Influences::default();
    while tissue.step(1.0, &calm).evaluated > 0 {}
    let mut daughter = tissue.cells[0];
    daughter.0.id = CellId(2_000_000);
    daughter.0.position[0] -= 15.0;
    tissue.cells.insert(1, daughter);
    tissue.first = 2;
    assert_eq!(tissue.step(1.0, &calm).evaluated, 2);
}

#[test]
fn rows_that_are_rearranged_are_those_that_were_there() {
    let mut dice = Dice(33);
    let (rest, grids) = (Rest::default(), Default::default());
    for _ in 0..300 {
        let mut lengths =
            || -> Vec<usize> { (0..4).map(|_| (dice.roll() * 6.0) as usize).collect() };
        let (old, new) = (lengths(), lengths());
        let named = |part: usize, row: usize| body((10 * part + row) as u64, [0.0; 3], 1.0);
        let parts = old.iter().enumerate();
        let mut rows: Vec<ContactBody> = parts
            .flat_map(|(part, len)| (0..*len).map(move |row| named(part, row)))
            .collect();
        let notes = rest.watch(&grids);
        rearrange(&mut rows, &old, &new, ChangeNotes::VACANT, |gone| {
            notes.disturb(gone);
        });
        let mut expected = Vec::new();
        for (part, len) in new.iter().enumerate() {
            for row in 0..*len {
                let kept = row < old[part];
                expected.push(if kept {
                    named(part, row)
                } else {
                    ChangeNotes::VACANT
                });
            }
        }
        assert_eq!(rows, expected, "{old:?} to {new:?}");
    }
}
