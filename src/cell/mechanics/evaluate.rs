//! One evaluation: the velocity, pressure and contacts of every cell, and how short a substep each needs.

use std::ops::Range;

use super::bonds::{BondIndex, Bonds};
use super::contacts::{COHESIVE, Contact, PHYSICELL, pressure_unit, separate, stiffness, sum};
use super::disjoint::Disjoint;
use super::hurry::{Hurried, rate};
use super::lanes::{Array, InstructionSet, Lanes};
use super::neighbours::{GROUP, NeighbourRows};
use super::relax::{Extremes, SLOTS};
use super::rest::{AllQuiet, Rest};
use super::search::{Bin, Search, Share, is_crowd};
use super::sort::Sorted;
use super::{
    ContactBody, ContactLaw, Faces, Influences, Mechanics, MechanicsParameters, Motion, SKIPPED,
    drive, mobility_of,
};
use crate::core::parallel::for_each_chunk;

/// What one piece of an evaluation found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    pub extremes: Extremes,
    evaluated: u32,
    /// Whether any bin with cells is quiet, and whether any is not.
    quiet: [bool; 2],
    /// Cells that the time to be covered is too long for, by how many times.
    pub hurried: Hurried,
}

impl Mechanics {
    /// Computes the velocity, pressure and contacts of every sorted cell.
    pub fn evaluate(&mut self, surroundings: &Influences) -> Extremes {
        self.rest.notice(
            &surroundings.faces,
            surroundings.active,
            &self.bodies,
            &self.cells.grids,
        );
        self.evaluate_for(f32::INFINITY, surroundings).0
    }

    /// As [`Self::evaluate`], with the stiffness of cells that can cover `left` minutes in one substep bounded in the
    /// cheapest way; also the number of cells that were not skipped.
    pub(super) fn evaluate_for(&mut self, left: f32, surroundings: &Influences) -> (Extremes, u64) {
        assert!(
            surroundings.active.is_empty() || surroundings.active.len() == self.cells.len,
            "active velocities are given for every row or not at all"
        );
        if !self.parameters.skip_resting {
            self.rest.forget();
        }
        let mut quiet = std::mem::take(&mut self.rest.quiet);
        let instructions = self.instructions;
        let len = self.cells.len;
        let pass = self.pass(left, surroundings, &mut quiet);
        for_each_chunk(len, SLOTS, |piece, slots| {
            // SAFETY: pieces are disjoint; the instruction set was found on this processor when the kernel was made.
            NeighbourRows::of_thread(|room| unsafe {
                pass.run_by(instructions, piece, slots, room)
            });
        });
        let mut extremes = Extremes::default();
        let mut evaluated = 0;
        let mut hurried = Hurried::default();
        let [mut any, mut all] = [false, true];
        for found in &self.motion.found {
            let Extremes {
                stiffness,
                relative_speed,
            } = found.extremes;
            extremes.stiffness = extremes.stiffness.max(stiffness);
            extremes.relative_speed = extremes.relative_speed.max(relative_speed);
            evaluated += u64::from(found.evaluated);
            hurried.merge(&found.hurried);
            any |= found.quiet[0];
            all &= !found.quiet[1];
        }
        self.rest.quiet = quiet;
        self.hurried = hurried;
        self.extremes = extremes;
        self.rest
            .follow_evaluation(&self.cells, self.drift, any.then_some(AllQuiet(all)));
        self.fresh = false;
        (extremes, evaluated)
    }

    /// One evaluation, ready to be run in pieces.
    fn pass<'a>(
        &'a mut self,
        left: f32,
        surroundings: &Influences<'a>,
        quiet: &'a mut [bool],
    ) -> Pass<'a> {
        let slow = self.parameters.largest_displacement / left;
        let rest_speed = self.parameters.rest_speed;
        Pass {
            cells: &self.cells,
            bodies: &self.bodies,
            enough: self.parameters.caution / (2.0 * left),
            slow: slow * slow,
            left,
            parameters: self.parameters,
            bonds: &self.bonds,
            springs: surroundings.bonds,
            search: Search::new(&self.parameters, self.drift),
            per_pressure: 1.0 / pressure_unit(&self.parameters),
            faces: surroundings.faces,
            active: surroundings.active,
            friction: surroundings.friction,
            wall_repulsion: self.parameters.wall_repulsion,
            rest: &self.rest,
            rest_speed_square: rest_speed * rest_speed,
            fresh: self.fresh,
            found: Results::new(&mut self.motion, quiet),
        }
    }

    /// Evaluates the bin of a cell that was skipped.
    #[cold]
    pub(super) fn wake(&mut self, slot: usize, surroundings: &Influences) {
        let bin = self.cells.bin_of(slot);
        let slots = self.cells.starts[bin] as usize..self.cells.starts[bin + 1] as usize;
        let mut quiet = std::mem::take(&mut self.rest.quiet);
        quiet[bin] = false;
        let found = self.motion.found[0];
        let instructions = self.instructions;
        let pass = self.pass(f32::INFINITY, surroundings, &mut quiet);
        // SAFETY: this is the only piece; the instruction set is as in `evaluate_for`.
        NeighbourRows::of_thread(|room| unsafe { pass.run_by(instructions, 0, slots, room) });
        self.motion.found[0] = found;
        self.rest.quiet = quiet;
    }
}

/// Where an evaluation writes.
struct Results<'a> {
    vx: Disjoint<'a, f32>,
    vy: Disjoint<'a, f32>,
    vz: Disjoint<'a, f32>,
    pressure: Disjoint<'a, f32>,
    crowding: Disjoint<'a, f32>,
    contacts: Disjoint<'a, [u16; 2]>,
    found: Disjoint<'a, Found>,
    /// For each bin whether it is quiet.
    quiet: Disjoint<'a, bool>,
    rates: Disjoint<'a, f32>,
}

impl<'a> Results<'a> {
    fn new(motion: &'a mut Motion, quiet: &'a mut [bool]) -> Self {
        Self {
            vx: Disjoint::new(&mut motion.vx),
            vy: Disjoint::new(&mut motion.vy),
            vz: Disjoint::new(&mut motion.vz),
            pressure: Disjoint::new(&mut motion.pressure),
            crowding: Disjoint::new(&mut motion.crowding),
            contacts: Disjoint::new(&mut motion.contacts),
            found: Disjoint::new(&mut motion.found),
            quiet: Disjoint::new(quiet),
            rates: Disjoint::new(&mut motion.rate),
        }
    }
}

/// One evaluation of all cells.
struct Pass<'a> {
    cells: &'a Sorted,
    bodies: &'a [ContactBody],
    bonds: &'a BondIndex,
    springs: Option<&'a Bonds>,
    search: Search,
    faces: Faces,
    active: &'a [[f32; 3]],
    friction: &'a [f32],
    /// One over the unit of pressure.
    per_pressure: f32,
    wall_repulsion: f32,
    /// Stiffness up to which its bound by the trace is good enough, 1/min.
    enough: f32,
    /// Squared speed over radius up to which a cell covers the time left in one substep, 1/min2.
    slow: f32,
    /// Time left, min.
    left: f32,
    parameters: MechanicsParameters,
    rest: &'a Rest,
    /// Squared speed up to which a cell rests, um2/min2.
    rest_speed_square: f32,
    /// Whether slots hold nothing yet.
    fresh: bool,
    found: Results<'a>,
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn run_avx2(pass: &Pass, piece: usize, slots: Range<usize>, room: &mut NeighbourRows) {
    // SAFETY: the same as the caller's.
    unsafe { pass.run::<super::lanes::Avx2>(piece, slots, room) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vbmi2,avx2,popcnt")]
unsafe fn run_avx512(pass: &Pass, piece: usize, slots: Range<usize>, room: &mut NeighbourRows) {
    // SAFETY: the same as the caller's.
    unsafe { pass.run::<super::lanes::Avx512>(piece, slots, room) }
}

impl Pass<'_> {
    /// Evaluates the cells of one piece on an instruction set.
    ///
    /// # Safety
    /// The processor has it, and no two pieces run at a time share a slot.
    unsafe fn run_by(
        &self,
        instructions: InstructionSet,
        piece: usize,
        slots: Range<usize>,
        room: &mut NeighbourRows,
    ) {
        // SAFETY: the caller's promises.
        unsafe {
            match instructions {
                InstructionSet::Portable => self.run::<Array>(piece, slots, room),
                #[cfg(target_arch = "x86_64")]
                InstructionSet::Sse2 => self.run::<super::lanes::Sse2>(piece, slots, room),
                #[cfg(target_arch = "x86_64")]
                InstructionSet::Avx2 => run_avx2(self, piece, slots, room),
                #[cfg(target_arch = "x86_64")]
                InstructionSet::Avx512 => run_avx512(self, piece, slots, room),
            }
        }
    }

    /// Evaluates the cells of one piece.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`, and no two pieces run at a time share a slot.
    #[inline(always)]
    unsafe fn run<V: Lanes>(&self, piece: usize, slots: Range<usize>, room: &mut NeighbourRows) {
        // SAFETY: the caller's promises.
        unsafe {
            match (self.parameters.law, self.cells.channels()) {
                (ContactLaw::Cohesive, 0) => self.run_on::<V, 0, COHESIVE>(piece, slots, room),
                (ContactLaw::Cohesive, 1) => self.run_on::<V, 1, COHESIVE>(piece, slots, room),
                (ContactLaw::Cohesive, _) => self.run_on::<V, 2, COHESIVE>(piece, slots, room),
                (ContactLaw::PhysiCell, 0) => self.run_on::<V, 0, PHYSICELL>(piece, slots, room),
                (ContactLaw::PhysiCell, 1) => self.run_on::<V, 1, PHYSICELL>(piece, slots, room),
                (ContactLaw::PhysiCell, _) => self.run_on::<V, 2, PHYSICELL>(piece, slots, room),
            }
        }
    }

    #[inline(always)]
    unsafe fn run_on<V: Lanes, const CHANNELS: usize, const LAW: u8>(
        &self,
        piece: usize,
        slots: Range<usize>,
        room: &mut NeighbourRows,
    ) {
        let cells = self.cells;
        let Share { bins, slots, begun } = Share::of(cells, slots);
        let first = slots.start;
        let found = &self.found;
        // SAFETY: every bin begins in one piece, and pieces are disjoint.
        let (vx, vy, vz, pressure, crowding, contacts, found, quiet, rates) = unsafe {
            (
                found.vx.slice(slots.clone()),
                found.vy.slice(slots.clone()),
                found.vz.slice(slots.clone()),
                found.pressure.slice(slots.clone()),
                found.crowding.slice(slots.clone()),
                found.contacts.slice(slots.clone()),
                found.found.slice(piece..piece + 1),
                found.quiet.slice(bins.clone()),
                found.rates.slice(slots.clone()),
            )
        };
        let found = &mut found[0];
        *found = Found::default();
        let mut largest = Extremes::default();
        if slots.is_empty() {
            return;
        }
        let mut summed = [Contact::default(); GROUP];
        let piece = slots;
        let mut number = bins.start - usize::from(begun);
        let mut next_bin = Bin::new(cells, number as u32);
        while number < bins.end {
            let mut bin = next_bin;
            // A crowd never counts as quiet; the piece in which it begins says so.
            let crowd = is_crowd(cells, number);
            let mut no_quiet = [false];
            let quiet_from = match number.checked_sub(bins.start) {
                Some(at) => &mut quiet[at..],
                None => &mut no_quiet[..],
            };
            let slots = bin.slots(cells);
            if slots.is_empty() {
                next_bin = bin.next(cells);
                number += 1;
                continue;
            }
            if quiet_from[0] && !crowd && self.rest.lasts(cells, self.search, number) {
                found.quiet[0] = true;
                if self.fresh {
                    let at = slots.start - first..slots.end - first;
                    for values in [&mut *vx, &mut *vy, &mut *vz, &mut *rates] {
                        values[at.clone()].fill(0.0);
                    }
                    contacts[at].fill([SKIPPED; 2]);
                }
                next_bin = bin.next(cells);
                number += 1;
                continue;
            }
            while number + (bin.across as usize) < bins.end
                && bin.may_grow(cells)
                && !quiet_from[bin.across as usize]
            {
                bin.across += 1;
            }
            next_bin = bin.next(cells);
            let slots = bin.slots(cells);
            let slots = slots.start.max(piece.start)..slots.end.min(piece.end);
            let ends = &cells.starts[number + 1..];
            number += bin.across as usize;
            found.evaluated += slots.len() as u32;
            let quiet = &mut quiet_from[..bin.across as usize];
            quiet.fill(!crowd);
            let mut of_these = 0;
            // SAFETY: positions moved by at most the drift.
            unsafe { room.hold::<V, CHANNELS>(cells, self.search, bin) };
            let surrounded = self.surrounds(bin);
            for group in slots.clone().step_by(GROUP) {
                let members = (slots.end - group).min(GROUP);
                let here = group..group + members;
                if !room.crowded {
                    // SAFETY: the cells are some of the bin's.
                    unsafe { room.pick::<V, CHANNELS>(cells, self.search, here.clone()) };
                }
                // SAFETY: the neighbours of each cell were picked for its place.
                unsafe { sum::<V, CHANNELS, LAW>(cells, self.search, here, room, &mut summed) };
                for (member, contact) in summed[..members].iter_mut().enumerate() {
                    let slot = group + member;
                    while ends[of_these] as usize <= slot {
                        of_these += 1;
                    }
                    let mut isotropic = 0.0;
                    if contact.coincident > 0 {
                        isotropic += separate(
                            cells,
                            self.bodies,
                            (self.search, &self.parameters),
                            slot,
                            contact,
                        );
                    }
                    let mut walls = [0.0; 3];
                    let mut undriven = true;
                    if surrounded {
                        let (added, alone) = self.add_surroundings(slot, contact, &mut walls);
                        isotropic += added;
                        undriven = alone;
                    }
                    let [x, y, z] = contact.velocity;
                    let square = x * x + y * y + z * z;
                    let rests = square <= self.rest_speed_square;
                    quiet[of_these] &= rests && undriven;
                    let at = slot - first;
                    rates[at] = 0.0;
                    if rests {
                        contact.velocity = [0.0; 3];
                    } else {
                        let mut bound = contact.trace;
                        if bound > self.enough {
                            // SAFETY: as above.
                            let exact = unsafe {
                                stiffness::<V, CHANNELS, LAW>(
                                    cells,
                                    self.search,
                                    (slot, member),
                                    room,
                                )
                            };
                            let mobility = mobility_of(self.friction, cells.row[slot]);
                            let exact = exact.bound(walls) + isotropic;
                            bound = bound.min(exact * mobility);
                        }
                        let radius = cells.radius[slot];
                        largest.stiffness = largest.stiffness.max(bound);
                        let relative_speed = square / (radius * radius);
                        largest.relative_speed = largest.relative_speed.max(relative_speed);
                        // Most cells are in no hurry, and need no root.
                        if bound > self.enough || relative_speed > self.slow {
                            let rate = self.rate(bound, relative_speed.sqrt());
                            rates[at] = rate;
                            found.hurried.note(rate * self.left);
                        }
                    }
                    [vx[at], vy[at], vz[at]] = contact.velocity;
                    pressure[at] = contact.pressure * self.per_pressure;
                    crowding[at] = contact.crowding;
                    let most = u32::from(SKIPPED) - 1;
                    contacts[at] =
                        [contact.contacts, contact.touching].map(|count| count.min(most) as u16);
                }
            }
            for quiet in quiet {
                found.quiet[usize::from(!*quiet)] = true;
            }
        }
        largest.relative_speed = largest.relative_speed.sqrt();
        found.extremes = largest;
    }

    /// Substeps a minute that a cell of this stiffness and speed over radius needs.
    #[inline(always)]
    fn rate(&self, stiffness: f32, relative_speed: f32) -> f32 {
        rate(&self.parameters, stiffness, relative_speed)
    }

    /// Whether anything but neighbours may act on cells of a bin.
    #[inline(always)]
    fn surrounds(&self, bin: Bin) -> bool {
        let (low, high, radius) = bin.bounds(self.cells, self.search.drift);
        self.faces.touch(low, high, radius)
            || !self.bonds.is_empty()
            || !self.active.is_empty()
            || !self.friction.is_empty()
    }

    /// Adds walls, bonds, friction and own motility to the velocity and the trace; returns the stiffness that is the
    /// same along all axes, and in `walls` that along each; and whether the cell neither is bound nor moves itself.
    #[inline(never)]
    fn add_surroundings(
        &self,
        slot: usize,
        contact: &mut Contact,
        walls: &mut [f32; 3],
    ) -> (f32, bool) {
        let cells = self.cells;
        let position = cells.position(slot);
        let velocity = &mut contact.velocity;
        for axis in 0..3 {
            let (push, stiffness) = self.faces.push(
                axis,
                position[axis],
                cells.radius[slot],
                self.wall_repulsion,
            );
            velocity[axis] += push;
            // Half, for a wall does not move: its pair counts once where that of two cells counts twice.
            walls[axis] = 0.5 * stiffness;
            contact.trace += walls[axis];
        }
        let (mut isotropic, mut undriven) = (0.0, true);
        if let Some((pull, stiffness)) = self.bonds.pull(self.springs, cells, self.bodies, slot) {
            undriven = false;
            *velocity = std::array::from_fn(|axis| velocity[axis] + pull[axis]);
            isotropic = stiffness;
            contact.trace += stiffness;
        }
        let row = cells.row[slot];
        let mobility = mobility_of(self.friction, row);
        if mobility != 1.0 {
            *velocity = velocity.map(|v| v * mobility);
            contact.trace *= mobility;
        }
        if !self.active.is_empty() {
            let active = self.active[row as usize];
            undriven &= active == [0.0; 3];
            let grip = self.parameters.grip(contact.contacts) * mobility;
            *velocity = drive(*velocity, active, grip);
        }
        (isotropic, undriven)
    }
}
