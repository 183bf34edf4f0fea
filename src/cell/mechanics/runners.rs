//! Cells in a hurry take substeps of their own.
//!
//! A T cell walks its own radius in half a minute, tissue moves a hundredth of that: what the fastest needs must not
//! be what everyone takes. When few cells need shorter substeps than the others, these *runners* go through a substep
//! of all in many of their own, while the others stand where they are. Between two runners forces are those of the
//! moment. What a runner does to another cell is averaged over the time, and takes the place of what it did at its
//! beginning, so that what two cells do to each other stays equal and opposite. This is a multirate Euler method
//! (Gear and Wells 1984, doi 10.1007/BF01934907), of first order as the substeps themselves.
//!
//! Runners are the cells whose stiffness or speed asks for more substeps, those that are in their way and would be
//! pushed too far to stand still, and those bound to either. Which they are, and their order, follows from the cells
//! alone; whether it pays is weighed by counts of cells, never by a clock.

use super::contacts::{force_between, push_of};
use super::disjoint::Disjoint;
use super::hurry::Plan;
use super::relax::Relaxation;
use super::search::{SLACK, Search, rows_around};
use super::sort::Sorted;
use super::{Influences, Mechanics, SKIPPED, drive};
use crate::core::parallel::{for_each_chunk, for_each_chunk_mut};

/// Runners in one piece of parallel work.
const PIECE: usize = 32;
/// Share of the largest displacement of a substep that a cell may be pushed while it stands still.
const PUSHED: f32 = 0.5;
/// Marks a slot that holds no runner, and one that a runner acted on.
const NONE: u32 = u32::MAX;
const TOUCHED: u32 = u32::MAX - 1;
/// Squared distance below which two centres count as coincident, um2.
const COINCIDENT: f32 = 1.0e-12;

/// The runners of a substep, and what they do to others.
#[derive(Default)]
pub(super) struct Runners {
    /// Their slots, ascending.
    list: Vec<u32>,
    /// For each slot its place in the list.
    place: Vec<u32>,
    /// Where they are at the beginning of the substep, and then at its end.
    positions: Vec<[f32; 3]>,
    /// Farthest each may go in it, um.
    travel: Vec<f32>,
    pieces: Vec<Piece>,
    /// Cells that they act on.
    touched: Vec<u32>,
    /// Their velocities, um/min.
    pushed: Vec<[f32; 3]>,
}

/// Some runners.
#[derive(Default)]
struct Piece {
    velocities: Vec<[f32; 3]>,
    /// The neighbours of each, one after the other, and where those of each end.
    near: Vec<Neighbour>,
    ends: Vec<u32>,
    /// Slots of cells that are in the way of one.
    in_the_way: Vec<u32>,
}

/// A cell that a runner may meet.
#[derive(Clone, Copy)]
struct Neighbour {
    slot: u32,
    runs: bool,
    /// What it gets from the runner, over what it would have got had the force stayed as it was, um.
    impulse: [f32; 3],
}

fn length(v: [f32; 3]) -> f32 {
    (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).sqrt()
}

/// The velocity that the cell in `other` gives to that in `own`, um/min, by the potentials of `contacts`; nothing if it
/// is out of reach.
#[inline]
fn push(kernel: &Mechanics, own: usize, other: usize) -> Option<[f32; 3]> {
    let cells = &kernel.cells;
    let (a, b) = (cells.position(own), cells.position(other));
    let d: [f32; 3] = std::array::from_fn(|axis| a[axis] - b[axis]);
    let square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
    let sum = cells.radius[own] + cells.radius[other];
    let limit = kernel.parameters.reach * sum;
    if square >= limit * limit || square.is_nan() {
        return None;
    }
    let strengths = cells.strengths_of(own, other);
    if square < COINCIDENT {
        let ids = [own, other].map(|slot| kernel.bodies[cells.row[slot] as usize].id);
        let speed = force_between(&kernel.parameters, 0.0, strengths).max(0.0);
        return Some(super::contacts::parting(ids[0], ids[1]).map(|d| d * speed));
    }
    let distance = square.sqrt();
    let net = force_between(&kernel.parameters, distance / sum, strengths) / distance;
    Some(d.map(|d| d * net))
}

impl Mechanics {
    /// Lets runners go through a substep of all, if the plan has any. They stay where they are in the arrays until
    /// [`Self::settle_runners`]; other cells get the velocity that runners give them on average.
    pub(super) fn run_ahead(
        &mut self,
        minutes: f32,
        plan: Plan,
        surroundings: &Influences,
        done: &mut Relaxation,
    ) {
        self.runners.list.clear();
        if plan.ticks < 2 {
            return;
        }
        let mut runners = std::mem::take(&mut self.runners);
        runners.place.resize(self.cells.len, NONE);
        self.find_runners(&mut runners, minutes, surroundings);
        for slot in &runners.list {
            if self.motion.contacts[*slot as usize][0] == SKIPPED {
                // It was resting and is taken along: what it feels is found as if it had not been skipped.
                self.wake(*slot as usize, surroundings);
            }
        }
        let substep = minutes / plan.ticks as f32;
        for tick in 0..plan.ticks {
            self.run(&mut runners, (minutes, substep), tick, surroundings);
        }
        done.local += u64::from(plan.ticks) * runners.list.len() as u64;
        // The arrays show the beginning of the substep again; what is kept is its end.
        for (slot, position) in runners.list.iter().zip(&mut runners.positions) {
            let slot = *slot as usize;
            let end = self.cells.position(slot);
            self.cells.put(slot, *position);
            *position = end;
        }
        self.react(&mut runners, minutes, surroundings);
        for slot in &runners.list {
            runners.place[*slot as usize] = NONE;
        }
        self.runners = runners;
    }

    /// Finds the runners, and the neighbours that each may meet.
    fn find_runners(&self, runners: &mut Runners, minutes: f32, surroundings: &Influences) {
        let cells = &self.cells;
        let per_minute = 1.0 / minutes;
        let rates = self.motion.rate[..cells.len].iter().enumerate();
        let hurries = rates.filter(|(_, rate)| **rate > per_minute);
        runners.list.extend(hurries.map(|(slot, _)| slot as u32));
        for (place, slot) in runners.list.iter().enumerate() {
            runners.place[*slot as usize] = place as u32;
        }
        let speed = |slot: usize| {
            let motion = &self.motion;
            let velocity = [motion.vx[slot], motion.vy[slot], motion.vz[slot]];
            let own = surroundings.active.get(cells.row[slot] as usize);
            length(velocity).max(own.map_or(0.0, |own| length(*own)))
        };
        // A cell that gets free goes faster than it does now, by what its contacts held it back.
        let travel = |slot: usize| {
            let within = self.parameters.largest_displacement * cells.radius[slot];
            1.25 * minutes * speed(slot) + within
        };
        runners.travel.clear();
        let slots = runners.list.iter().map(|slot| *slot as usize);
        runners.travel.extend(slots.map(travel));
        self.take_along(runners, minutes, surroundings);
        let first = runners.list.len();
        let Runners {
            list,
            place,
            pieces,
            ..
        } = runners;
        for piece in &pieces[..first.div_ceil(PIECE)] {
            for slot in &piece.in_the_way {
                if place[*slot as usize] == NONE {
                    place[*slot as usize] = TOUCHED;
                    list.push(*slot);
                }
            }
        }
        let bonds = surroundings.bonds;
        for at in 0..list.len() {
            let own = list[at] as usize;
            self.bonds.for_each_partner(bonds, own, |slot| {
                if place[slot] == NONE {
                    place[slot] = TOUCHED;
                    list.push(slot as u32);
                }
            });
        }
        list.sort_unstable();
        for (at, slot) in list.iter().enumerate() {
            place[*slot as usize] = at as u32;
        }
        // Those taken along are pushed by about half of the speed of what pushes them.
        let fastest = runners.travel.iter().copied().fold(0.0, f32::max);
        runners.travel.clear();
        let slots = runners.list.iter().map(|slot| *slot as usize);
        runners.travel.extend(slots.map(|slot| {
            let own = travel(slot);
            if self.motion.rate[slot] > per_minute {
                own
            } else {
                own.max((0.5 * fastest).min(cells.radius[slot]))
            }
        }));
        runners.positions.clear();
        let slots = runners.list.iter().map(|slot| *slot as usize);
        runners
            .positions
            .extend(slots.map(|slot| cells.position(slot)));
        self.list_neighbours(runners);
    }

    /// Calls `work` with each slot, runner or not, within reach of the runner at this place when both went no farther
    /// than they may.
    #[inline(always)]
    fn around(
        &self,
        runners: &Runners,
        at: usize,
        farthest: f32,
        mut work: impl FnMut(usize, bool),
    ) {
        let cells = &self.cells;
        let slot = runners.list[at] as usize;
        let own = cells.position(slot);
        let drift = self.drift + runners.travel[at] + farthest;
        let search = Search::new(&self.parameters, drift);
        let reach = self.parameters.reach * SLACK;
        for level in &cells.grids.levels {
            let mut rows = rows_around(cells, search, slot, level);
            while let Some((first, end)) = rows.next() {
                for other in first..end {
                    let d = [
                        own[0] - cells.x[other],
                        own[1] - cells.y[other],
                        own[2] - cells.z[other],
                    ];
                    let square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
                    let still =
                        reach * (cells.radius[slot] + cells.radius[other]) + runners.travel[at];
                    if square < still * still {
                        if other != slot {
                            work(other, runners.place[other] != NONE);
                        }
                    } else if farthest > 0.0 && runners.place[other] != NONE {
                        let both = still + runners.travel[runners.place[other] as usize];
                        if square < both * both {
                            work(other, true);
                        }
                    }
                }
            }
        }
    }

    /// Finds the cells that would be pushed too far to stand still.
    fn take_along(&self, runners: &mut Runners, minutes: f32, surroundings: &Influences) {
        let cells = &self.cells;
        let count = runners.list.len().div_ceil(PIECE);
        if runners.pieces.len() < count {
            runners.pieces.resize_with(count, Piece::default);
        }
        let mut pieces = std::mem::take(&mut runners.pieces);
        let runners_here = &*runners;
        for_each_chunk_mut(&mut pieces[..count], 1, |number, piece| {
            let piece = &mut piece[0];
            piece.in_the_way.clear();
            let end = ((number + 1) * PIECE).min(runners_here.list.len());
            for at in number * PIECE..end {
                let slot = runners_here.list[at] as usize;
                let motion = &self.motion;
                let path = [motion.vx[slot], motion.vy[slot], motion.vz[slot]].map(|v| v * minutes);
                let square =
                    (path[0] * path[0] + path[1] * path[1] + path[2] * path[2]).max(1.0e-12);
                let own = cells.position(slot);
                self.around(runners_here, at, 0.0, |other, runs| {
                    if runs {
                        return;
                    }
                    let to = cells.position(other);
                    let to: [f32; 3] = std::array::from_fn(|axis| to[axis] - own[axis]);
                    let along = (to[0] * path[0] + to[1] * path[1] + to[2] * path[2]) / square;
                    let along = along.clamp(0.0, 1.0);
                    let closest = length(std::array::from_fn(|axis| to[axis] - along * path[axis]));
                    let sum = cells.radius[slot] + cells.radius[other];
                    let [_, repulsion] = cells.strengths_of(slot, other);
                    let push = push_of(&self.parameters, closest / sum, repulsion);
                    let push = push * surroundings.mobility(cells.row[other]);
                    let most = self.parameters.largest_displacement * cells.radius[other];
                    if push * minutes > PUSHED * most {
                        piece.in_the_way.push(other as u32);
                    }
                });
            }
        });
        runners.pieces = pieces;
    }

    fn list_neighbours(&self, runners: &mut Runners) {
        let count = runners.list.len().div_ceil(PIECE);
        if runners.pieces.len() < count {
            runners.pieces.resize_with(count, Piece::default);
        }
        let mut pieces = std::mem::take(&mut runners.pieces);
        let runners_here = &*runners;
        let farthest = runners.travel.iter().copied().fold(0.0, f32::max);
        for_each_chunk_mut(&mut pieces[..count], 1, |number, piece| {
            let Piece { near, ends, .. } = &mut piece[0];
            near.clear();
            ends.clear();
            let end = ((number + 1) * PIECE).min(runners_here.list.len());
            for at in number * PIECE..end {
                self.around(runners_here, at, farthest, |other, runs| {
                    near.push(Neighbour {
                        slot: other as u32,
                        runs,
                        impulse: [0.0; 3],
                    });
                });
                ends.push(near.len() as u32);
            }
        });
        runners.pieces = pieces;
    }

    /// One substep of the runners, of the time `substep` out of `minutes`.
    fn run(
        &mut self,
        runners: &mut Runners,
        (minutes, substep): (f32, f32),
        tick: u32,
        surroundings: &Influences,
    ) {
        let count = runners.list.len().div_ceil(PIECE);
        // Of the first, which all cells felt, only what it lacks of the whole time.
        let weight = if tick == 0 {
            substep - minutes
        } else {
            substep
        };
        let kernel = &*self;
        let list = &runners.list;
        for_each_chunk_mut(&mut runners.pieces[..count], 1, |number, piece| {
            let Piece {
                velocities,
                near,
                ends,
                ..
            } = &mut piece[0];
            velocities.clear();
            let mut first = 0;
            for (slot, end) in list[number * PIECE..].iter().zip(&*ends) {
                let near = &mut near[first..*end as usize];
                first = *end as usize;
                velocities.push(kernel.push_runner(*slot as usize, near, weight, surroundings));
            }
        });
        let (faces, parameters) = (&surroundings.faces, &self.parameters);
        let (barriers, bodies) = (surroundings.barriers, &self.bodies);
        let cut = 1.001 * parameters.largest_displacement;
        let body_per_contact = 1.0 / parameters.law.contact_per_body();
        let cells = &mut self.cells;
        let (radius, rows) = (&cells.radius, &cells.row);
        let [x, y, z] = [&mut cells.x, &mut cells.y, &mut cells.z].map(|at| Disjoint::new(at));
        for_each_chunk(count, 8, |_, pieces| {
            for number in pieces {
                for (at, velocity) in runners.pieces[number].velocities.iter().enumerate() {
                    let at = number * PIECE + at;
                    let slot = list[at] as usize;
                    let mut step = velocity.map(|v| v * substep);
                    let (long, most) = (length(step), cut * radius[slot]);
                    if long > most {
                        step = step.map(|step| step * (most / long));
                    }
                    // SAFETY: no two runners share a slot.
                    let here = unsafe { [&x, &y, &z].map(|at| &mut at.slice(slot..slot + 1)[0]) };
                    let start = runners.positions[at];
                    let mut whole: [f32; 3] =
                        std::array::from_fn(|axis| *here[axis] + step[axis] - start[axis]);
                    let (long, most) = (length(whole), runners.travel[at]);
                    if long > most {
                        whole = whole.map(|whole| whole * (most / long));
                    }
                    let mut end: [f32; 3] =
                        std::array::from_fn(|axis| faces.hold(axis, start[axis] + whole[axis]));
                    if let Some(barriers) = barriers {
                        let row = rows[slot] as usize;
                        let old = [*here[0], *here[1], *here[2]];
                        let body_um = radius[slot] * body_per_contact;
                        end = barriers.hold((row, &bodies[row]), body_um, [old, end], faces);
                    }
                    for (here, end) in here.into_iter().zip(end) {
                        *here = end;
                    }
                }
            }
        });
    }

    /// The velocity of a runner; what it does to others is added up with `weight` minutes.
    fn push_runner(
        &self,
        slot: usize,
        near: &mut [Neighbour],
        weight: f32,
        surroundings: &Influences,
    ) -> [f32; 3] {
        let cells = &self.cells;
        let mut velocity = [0.0_f32; 3];
        let mut contacts = 0;
        for near in near {
            let Some(push) = push(self, slot, near.slot as usize) else {
                continue;
            };
            contacts += 1;
            let weight = weight * surroundings.mobility(cells.row[near.slot as usize]);
            for axis in 0..3 {
                velocity[axis] += push[axis];
                if !near.runs {
                    near.impulse[axis] -= weight * push[axis];
                }
            }
        }
        let position = cells.position(slot);
        for axis in 0..3 {
            let (push, _) = surroundings.faces.push(
                axis,
                position[axis],
                cells.radius[slot],
                self.parameters.wall_repulsion,
            );
            velocity[axis] += push;
        }
        if let Some((pull, _)) = self
            .bonds
            .pull(surroundings.bonds, cells, &self.bodies, slot)
        {
            velocity = std::array::from_fn(|axis| velocity[axis] + pull[axis]);
        }
        let row = cells.row[slot];
        let mobility = surroundings.mobility(row);
        velocity = velocity.map(|v| v * mobility);
        if let Some(active) = surroundings.active.get(row as usize) {
            let grip = self.parameters.grip(contacts) * mobility;
            velocity = drive(velocity, *active, grip);
        }
        if length(velocity) <= self.parameters.rest_speed {
            return [0.0; 3];
        }
        velocity
    }

    /// Gives other cells the velocity that runners gave them on average.
    fn react(&mut self, runners: &mut Runners, minutes: f32, surroundings: &Influences) {
        let Runners {
            list,
            place,
            pieces,
            touched,
            pushed,
            ..
        } = runners;
        touched.clear();
        let motion = &mut self.motion;
        for piece in &pieces[..list.len().div_ceil(PIECE)] {
            for near in &piece.near {
                if near.runs || near.impulse == [0.0; 3] {
                    continue;
                }
                let slot = near.slot as usize;
                if place[slot] == NONE {
                    place[slot] = TOUCHED;
                    touched.push(near.slot);
                }
                let [x, y, z] = near.impulse.map(|impulse| impulse / minutes);
                motion.vx[slot] += x;
                motion.vy[slot] += y;
                motion.vz[slot] += z;
            }
        }
        for slot in &*list {
            let slot = *slot as usize;
            motion.vx[slot] = 0.0;
            motion.vy[slot] = 0.0;
            motion.vz[slot] = 0.0;
        }
        let rest_speed = self.parameters.rest_speed;
        pushed.clear();
        pushed.extend(touched.iter().map(|slot| {
            let slot = *slot as usize;
            let velocity = [motion.vx[slot], motion.vy[slot], motion.vz[slot]];
            if length(velocity) > rest_speed {
                velocity
            } else {
                [0.0; 3]
            }
        }));
        // All are woken before any is given its velocity, as waking one works out its whole bin.
        for (slot, velocity) in touched.iter().zip(&*pushed) {
            let slot = *slot as usize;
            place[slot] = NONE;
            if *velocity != [0.0; 3] && self.motion.contacts[slot][0] == SKIPPED {
                // It was resting: what it feels is found as if it had not been skipped.
                self.wake(slot, surroundings);
            }
        }
        let motion = &mut self.motion;
        for (slot, velocity) in touched.iter().zip(&*pushed) {
            let slot = *slot as usize;
            [motion.vx[slot], motion.vy[slot], motion.vz[slot]] = *velocity;
        }
    }

    /// Puts runners where they have come to, and returns how far the farthest went, um.
    pub(super) fn settle_runners(&mut self, minutes: f32) -> f32 {
        let Runners {
            list, positions, ..
        } = &self.runners;
        let mut farthest = 0.0_f32;
        let watch = self.rest.watch(&self.cells.grids);
        let (cells, motion) = (&self.cells, &mut self.motion);
        for (slot, end) in list.iter().zip(positions) {
            let slot = *slot as usize;
            let start = cells.position(slot);
            let way: [f32; 3] = std::array::from_fn(|axis| end[axis] - start[axis]);
            if way != [0.0; 3] {
                watch.disturb_bin(cells.bin_of(slot));
            }
            farthest = farthest.max(length(way));
            [motion.vx[slot], motion.vy[slot], motion.vz[slot]] = way.map(|way| way / minutes);
        }
        for (slot, end) in list.iter().zip(positions) {
            self.cells.put(*slot as usize, *end);
        }
        farthest
    }
}

impl Sorted {
    /// Puts the cell in `slot` somewhere.
    fn put(&mut self, slot: usize, [x, y, z]: [f32; 3]) {
        (self.x[slot], self.y[slot], self.z[slot]) = (x, y, z);
    }

    /// The bin that a slot belongs to.
    pub(super) fn bin_of(&self, slot: usize) -> usize {
        self.starts.partition_point(|start| *start as usize <= slot) - 1
    }
}
