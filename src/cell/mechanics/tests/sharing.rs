//! What was found before is used again, and what changes of a cell besides its body wakes those around it alone.

use super::*;
use crate::cell::mechanics::sort::Sorted;

/// How bodies are sorted in the first test.
const LAYOUT: (f32, f32) = (1.3, 1.0);

/// The bodies as whoever asks for neighbours knows them.
fn perceived(bodies: &[ContactBody]) -> (Vec<ContactBody>, Sorted) {
    let known: Vec<ContactBody> = bodies
        .iter()
        .map(|body| ContactBody {
            adhesion: 0.0,
            repulsion: 0.0,
            ..*body
        })
        .collect();
    let mut found = Sorted::default();
    found.sort(&known, LAYOUT.0, LAYOUT.1);
    (known, found)
}

fn assert_sorted_alike(found: &Sorted, fresh: &Sorted) {
    let len = fresh.len;
    assert_eq!(found.len, len);
    assert_eq!(found.row, fresh.row);
    assert_eq!(found.starts, fresh.starts);
    assert_eq!(found.channels(), fresh.channels());
    for slot in 0..len {
        assert_eq!(found.position(slot), fresh.position(slot));
        assert_eq!(found.radius[slot], fresh.radius[slot]);
        assert_eq!(found.strength(slot), fresh.strength(slot));
        let row = fresh.row[slot] as usize;
        assert_eq!(
            found.slot[row].load(Ordering::Relaxed) as usize,
            slot,
            "row {row}"
        );
    }
    let radii = |of: &Sorted| {
        of.grids
            .levels
            .iter()
            .map(|level| level.radius)
            .collect::<Vec<_>>()
    };
    assert_eq!(radii(found), radii(fresh));
}

#[test]
fn an_order_found_before_is_that_of_a_new_sort_or_is_not_taken() {
    for (seed, bodies) in [(41, cloud(3_000, 1.5, 41)), (42, motley(3_000, 42))] {
        let mut dice = Dice(seed);
        let mut own = Sorted::default();
        let mut taken = 0;
        for round in 0..30 {
            let mut bodies = bodies.clone();
            let (known, mut found) = perceived(&bodies);
            // They grow a little; now and then something else happens that no order outlives.
            for body in &mut bodies {
                body.radius *= 1.0 + 1e-4 * dice.roll();
            }
            let outlives = match round % 5 {
                1 => {
                    bodies.swap(5, 2_000);
                    false
                }
                2 => {
                    bodies[9].position[1] += 0.5;
                    false
                }
                3 => {
                    bodies[11].id = CellId(1_000_000);
                    false
                }
                4 => {
                    bodies.pop();
                    false
                }
                _ => true,
            };
            let mut fresh = Sorted::default();
            fresh.sort(&bodies, LAYOUT.0, LAYOUT.1);
            let is_taken = own.take_over(&mut found, &known, &bodies, LAYOUT);
            assert!(outlives || !is_taken, "round {round}");
            if is_taken {
                taken += 1;
                assert_sorted_alike(&own, &fresh);
            }
        }
        // Where a cell outgrows its grid, or the largest the bins, they are sorted anew.
        assert!(taken >= 3, "{taken}");
    }
}

/// A caller of the kernel whose cells have a number besides their bodies.
struct Tissue {
    kernel: Mechanics,
    cells: Vec<(ContactBody, Outcome)>,
    numbers: RowNumbers,
    levels: Vec<f32>,
}

impl Tissue {
    fn step(&mut self) -> Relaxation {
        let parts = [self.cells.len()];
        let (rows, notes) = self.kernel.update(&parts);
        for (row, (body, _)) in rows.iter_mut().zip(&self.cells) {
            notes.put(row, *body);
        }
        let (kept, filler) = self.numbers.update(&self.kernel, &parts);
        let bodies = filler.bodies().iter();
        for ((kept, body), level) in kept.iter_mut().zip(bodies).zip(&self.levels) {
            filler.put(kept, body, *level);
        }
        let second = self.kernel.second_adhesion_mut();
        second.clear();
        second.extend_from_slice(self.numbers.of_rows());
        let done = self.kernel.relax(1.0, &Influences::default());
        for (row, (body, kept)) in self.cells.iter_mut().enumerate() {
            if let Some(found) = self.kernel.outcome(row) {
                *kept = found;
                body.position = found.position;
            } else {
                kept.velocity = [0.0; 3];
            }
        }
        done
    }
}

#[test]
fn a_number_that_changes_wakes_the_cells_around_and_no_others() {
    let places = close_packed(16, 16.0);
    let mut tissues = [true, false].map(|skip_resting| {
        let parameters = MechanicsParameters {
            rest_speed: 0.05,
            skip_resting,
            ..Default::default()
        };
        let cells = (0..).zip(&places).map(|(id, at)| body(id, *at, 8.4));
        let kernel = kernel(&cells.clone().collect::<Vec<_>>());
        let unknown = evaluated(kernel.bodies(), creeping());
        Tissue {
            kernel: Mechanics::new(parameters),
            cells: cells.zip(unknown).collect(),
            numbers: RowNumbers::new(0.0),
            levels: vec![0.0; places.len()],
        }
    });
    let all = places.len() as u64;
    // All come to rest.
    let mut woken = all;
    for _ in 0..2_000 {
        woken = tissues[0].step().evaluated;
        tissues[1].step();
        if woken == 0 {
            break;
        }
    }
    assert_eq!(woken, 0);
    let middle = places.len() / 2 + 8;
    for level in [0.01, 0.02, 0.02, 0.0, 0.0] {
        let before = tissues[0].levels[middle];
        for tissue in &mut tissues {
            tissue.levels[middle] = level;
        }
        let done = tissues.each_mut().map(Tissue::step);
        if level == before {
            assert_eq!(done[0].evaluated, 0);
        } else {
            assert!(
                (1..all / 4).contains(&done[0].evaluated),
                "{done:?} of {all}"
            );
        }
        let [skipping, looking] = tissues.each_ref().map(|tissue| {
            let of = |(_, outcome): &(ContactBody, Outcome)| outcome.position.map(f32::to_bits);
            tissue.cells.iter().map(of).collect::<Vec<_>>()
        });
        assert_eq!(skipping, looking);
    }
}
