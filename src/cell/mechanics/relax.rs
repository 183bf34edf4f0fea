//! Stable substeps.
//!
//! Forward Euler on `dx/dt = v(x)`. With `A_i` the stiffness matrix of cell `i` (see `contacts`), the
//! Jacobian's quadratic form is bounded by `2 u_i^T A_i u_i` summed over cells, because each pair's
//! `(u_i - u_j)^2 <= 2 u_i^2 + 2 u_j^2`; hence no eigenvalue exceeds `L = 2 max |A_i|`, and a substep of
//! `1/L` cannot overshoot, and any below `2/L` is stable: [`MechanicsParameters::caution`] says how far substeps go.
//! The bound is reached by a lone pair and by a close-packed lattice. `|A_i|` is bounded by the largest row sum. The substep also keeps every
//! displacement below a fraction of the radius; all cells share it, so that what two cells do to each other stays
//! equal and opposite. Cells that rest (see `rest`) have `u_i = 0` and set no bound: the matrix takes up what their
//! neighbours exert on them, as it takes up friction.

use super::disjoint::Disjoint;
use super::evaluate::Found;
use super::rest::ChangeNotes;
use super::{Influences, Mechanics, MechanicsParameters};
use crate::core::parallel::{for_each_chunk, reserve_sparingly, together};

/// Slots per piece of the evaluation: at 10^4 cells forty pieces, so that no thread waits long for the last.
pub(super) const SLOTS: usize = 256;
/// Slots per piece of the move, for the same reason.
const MOVED: usize = 1_024;
/// Drift at which cells are sorted again, over the edge of the smallest bins.
const SKIN: f32 = 0.1;

/// Largest values met in one evaluation, among cells that move.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extremes {
    /// Bound of the stiffness of any cell, 1/min.
    pub stiffness: f32,
    /// Speed over radius of any cell, 1/min.
    pub relative_speed: f32,
}

/// How a relaxation went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Relaxation {
    /// Substeps taken.
    pub substeps: u32,
    /// Times the cells were sorted.
    pub sorts: u32,
    /// Sum over substeps of the largest displacement, um.
    pub path: f32,
    /// Largest values of the last evaluation.
    pub extremes: Extremes,
    /// Cells evaluated, summed over substeps; the others were skipped.
    pub evaluated: u64,
    /// Evaluations of cells in substeps of their own.
    pub local: u64,
}

impl Mechanics {
    /// Sorts the bodies into bins.
    pub fn sort(&mut self) {
        let MechanicsParameters {
            reach, bin_scale, ..
        } = self.parameters;
        let is_offered = std::mem::take(&mut self.is_offered);
        let offered = is_offered.then_some(&mut self.offered);
        let is_found = offered.is_some_and(|found| {
            let (known, found) = found.parts();
            self.cells
                .take_over(found, known, &self.bodies, (reach, bin_scale))
        });
        if !is_found {
            self.cells.sort(&self.bodies, reach, bin_scale);
        }
        self.cells.take_second(&self.second);
        let len = self.cells.len;
        let motion = &mut self.motion;
        for values in [
            &mut motion.vx,
            &mut motion.vy,
            &mut motion.vz,
            &mut motion.pressure,
            &mut motion.crowding,
            &mut motion.rate,
        ] {
            reserve_sparingly(values, len);
            values.resize(len, 0.0);
        }
        reserve_sparingly(&mut motion.contacts, len);
        motion.contacts.resize(len, [0; 2]);
        motion.found.resize(len.div_ceil(SLOTS), Found::default());
        motion.farthest.resize(len.div_ceil(MOVED), 0.0);
        self.drift = 0.0;
        self.rest.follow_sort(&self.cells);
        self.fresh = true;
        self.asleep = false;
    }

    /// Sorts the bodies and lets them move for `minutes`.
    pub fn relax(&mut self, minutes: f32, surroundings: &Influences) -> Relaxation {
        if self.bodies.len() <= SLOTS {
            return self.relax_here(minutes, surroundings);
        }
        together(|| self.relax_here(minutes, surroundings))
    }

    /// As [`Self::relax`], with the helpers that there are.
    fn relax_here(&mut self, minutes: f32, surroundings: &Influences) -> Relaxation {
        let mut done = Relaxation::default();
        self.rest.notice(
            &surroundings.faces,
            surroundings.active,
            &self.bodies,
            &self.cells.grids,
        );
        if let Some(bonds) = surroundings.bonds {
            self.rest
                .notice_bonds(bonds.changed(), &self.bodies, &self.cells.grids);
        }
        self.asleep = self.parameters.skip_resting && self.rest.is_everything();
        if self.asleep {
            self.is_offered = false;
            return done;
        }
        self.sort_with(surroundings, &mut done);
        let mut left = minutes.max(0.0);
        loop {
            let (extremes, evaluated) = self.evaluate_for(left, surroundings);
            done.extremes = extremes;
            done.evaluated += evaluated;
            if left <= 0.0 {
                return done;
            }
            let allowed = self.parameters.most_substeps.max(done.substeps + 1) - done.substeps;
            let allowed = self.allow_for_walkers(left, allowed, surroundings);
            let plan = self.plan(left, allowed);
            let substep = left / plan.pieces as f32;
            self.run_ahead(substep, plan, surroundings, &mut done);
            let moved = self.advance(substep, surroundings);
            let moved = moved.max(self.settle_runners(substep));
            done.substeps += 1;
            done.path += moved;
            self.drift += moved;
            left = if plan.pieces > 1 { left - substep } else { 0.0 };
            if left <= 0.0 {
                return done;
            }
            let smallest = self
                .cells
                .grids
                .levels
                .first()
                .map_or(0.0, |level| level.edge);
            if self.drift > SKIN * smallest {
                self.write_back();
                self.rest.forget();
                self.sort_with(surroundings, &mut done);
            }
        }
    }

    fn sort_with(&mut self, surroundings: &Influences, done: &mut Relaxation) {
        self.sort();
        self.bonds
            .prepare(surroundings.bonds, &self.cells, &self.bodies);
        done.sorts += 1;
    }

    /// Copies positions back to the input rows.
    fn write_back(&mut self) {
        let cells = &self.cells;
        let bodies = Disjoint::new(&mut self.bodies);
        for_each_chunk(cells.len, MOVED, |_, slots| {
            for slot in slots {
                let row = cells.row[slot] as usize;
                // SAFETY: every slot has a row of its own.
                let body = unsafe { &mut bodies.slice(row..row + 1)[0] };
                body.position = [cells.x[slot], cells.y[slot], cells.z[slot]];
            }
        });
    }

    /// Moves every cell along its velocity; returns the largest displacement, um.
    pub(super) fn advance(&mut self, minutes: f32, surroundings: &Influences) -> f32 {
        let (faces, barriers) = (&surroundings.faces, surroundings.barriers);
        let cells = &mut self.cells;
        let motion = &mut self.motion;
        let x = Disjoint::new(&mut cells.x);
        let y = Disjoint::new(&mut cells.y);
        let z = Disjoint::new(&mut cells.z);
        let farthest = Disjoint::new(&mut motion.farthest);
        let watch = self.rest.watch(&cells.grids);
        let starts = &cells.starts;
        let velocities = [&motion.vx, &motion.vy, &motion.vz];
        let radius = &cells.radius;
        let (rows, bodies) = (&cells.row, &self.bodies);
        // A hair above the bound that the substep keeps, so that only a substep at its floor is cut.
        let cut = 1.001 * self.parameters.largest_displacement;
        // Barriers are passed by bodies.
        let body_per_contact = 1.0 / self.parameters.law.contact_per_body();
        for_each_chunk(cells.len, MOVED, |piece, slots| {
            // SAFETY: pieces are disjoint.
            let (positions, farthest) = unsafe {
                (
                    [
                        x.slice(slots.clone()),
                        y.slice(slots.clone()),
                        z.slice(slots.clone()),
                    ],
                    farthest.slice(piece..piece + 1),
                )
            };
            let radius = &radius[slots.clone()];
            let [vx, vy, vz] = velocities.map(|values| &values[slots.clone()]);
            let [x, y, z] = positions;
            let mut largest = 0.0_f32;
            let mut bin = BinNotes::new(watch, starts, slots.start);
            for slot in 0..slots.len() {
                let mut step = [vx[slot] * minutes, vy[slot] * minutes, vz[slot] * minutes];
                let square = step[0] * step[0] + step[1] * step[1] + step[2] * step[2];
                let most = cut * radius[slot];
                if square > most * most {
                    let scale = most / square.sqrt();
                    step = step.map(|step| step * scale);
                }
                let old = [x[slot], y[slot], z[slot]];
                let mut new: [f32; 3] =
                    std::array::from_fn(|axis| faces.hold(axis, old[axis] + step[axis]));
                if let Some(barriers) = barriers
                    && new != old
                {
                    let row = rows[slots.start + slot] as usize;
                    let body_um = radius[slot] * body_per_contact;
                    new = barriers.hold((row, &bodies[row]), body_um, [old, new], faces);
                }
                [x[slot], y[slot], z[slot]] = new;
                if new != old {
                    bin.disturb(slots.start + slot);
                }
                let d: [f32; 3] = std::array::from_fn(|axis| new[axis] - old[axis]);
                largest = largest.max(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
            }
            farthest[0] = largest.sqrt();
        });
        motion.farthest.iter().copied().fold(0.0, f32::max)
    }
}

/// The bin of a cell, found while one goes through the slots in order.
struct BinNotes<'a> {
    watch: ChangeNotes<'a>,
    starts: &'a [u32],
    bin: usize,
}

impl<'a> BinNotes<'a> {
    fn new(watch: ChangeNotes<'a>, starts: &'a [u32], first: usize) -> Self {
        let mut bin = 0;
        if !watch.is_idle() {
            bin = starts.partition_point(|start| *start as usize <= first) - 1;
        }
        Self { watch, starts, bin }
    }

    /// Notes that the cell in `slot` moves.
    #[inline(always)]
    fn disturb(&mut self, slot: usize) {
        if self.watch.is_idle() {
            return;
        }
        while self.starts[self.bin + 1] as usize <= slot {
            self.bin += 1;
        }
        self.watch.disturb_bin(self.bin);
    }
}
