//! Which cells a cell may touch.
//!
//! The cells of a bin share one search, and so do those of a few bins in a row while they are few: the slots
//! of the bins around, a few rows of them, are copied side by side ([`Room::hold`]), and each cell then picks
//! its own neighbours among them (about a dozen of a hundred), sixteen at a time, in slot order. Neighbours
//! and their order therefore depend neither on the instruction set nor on what else lies in the bins.

use std::cell::RefCell;
use std::ops::Range;

use super::grid::Level;
use super::lanes::{FAR_AWAY, LANES, Lanes, WORD};
use super::sort::Sorted;

/// Most cells of a bin that are handled side by side.
pub(super) const GROUP: usize = 8;
/// Cells up to which bins share a search, and most bins that do.
const SHARING: u32 = 8;
const MOST_ACROSS: u32 = 4;
/// Cells of one bin beyond which several pieces of the evaluation share it.
const CROWD: u32 = 512;
/// Candidates that are put side by side; cells of a denser crowd search on their own.
const HELD: usize = 256;
/// Relative widening of searches, so that no rounding loses a neighbour.
const SLACK: f32 = 1.0005;

/// What a search needs besides the sorted cells.
#[derive(Clone, Copy)]
pub(super) struct Search {
    /// Interaction distance over the sum of radii.
    pub reach: f32,
    /// Farthest any cell may be from where it was when it was sorted, um.
    pub drift: f32,
}

impl Search {
    /// Farthest that two cells of these radii, or smaller, touch each other, um.
    #[inline(always)]
    pub fn distance(&self, radius: f32, other: f32) -> f32 {
        self.reach * (radius + other) * SLACK + self.drift
    }
}

/// First and last bin along x, y and z.
pub(super) type Span = [[u32; 2]; 3];

/// The bins of a grid within `distance` of a box; one bin where the box is none, as around a cell that is nowhere.
#[inline(always)]
pub(super) fn span(level: &Level, low: [f32; 3], high: [f32; 3], distance: f32) -> Span {
    std::array::from_fn(|axis| {
        let last = level.index(axis, high[axis] + distance);
        [level.index(axis, low[axis] - distance).min(last), last]
    })
}

/// The rows of slots of a span of bins.
//
// Not an iterator over closures: what is compiled for an instruction set must stay in one function.
pub(super) struct Rows<'a> {
    starts: &'a [u32],
    across: u32,
    rows: u32,
    /// Number of the first bin in x of the next row; the width and the area of the grid.
    next: u32,
    width: u32,
    area: u32,
    left: [u32; 2],
}

impl<'a> Rows<'a> {
    #[inline(always)]
    fn new(cells: &'a Sorted, level: &Level, [x, y, z]: Span) -> Self {
        Self {
            starts: &cells.starts,
            across: x[1] - x[0] + 1,
            rows: y[1] - y[0] + 1,
            next: level.first_bin + z[0] * level.area + y[0] * level.width + x[0],
            width: level.width,
            area: level.area,
            left: [y[1] - y[0] + 1, z[1] - z[0] + 1],
        }
    }

    /// First slot of the next row, and the one after its last.
    #[inline(always)]
    pub fn next(&mut self) -> Option<(usize, usize)> {
        if self.left[0] == 0 {
            if self.left[1] == 1 {
                return None;
            }
            self.left = [self.rows, self.left[1] - 1];
            self.next += self.area - self.rows * self.width;
        }
        let first = self.next as usize;
        let end = first + self.across as usize;
        debug_assert!(end < self.starts.len());
        self.left[0] -= 1;
        self.next += self.width;
        // SAFETY: a span stays inside the grid, and `starts` has one element more than there are bins.
        unsafe {
            Some((
                *self.starts.get_unchecked(first) as usize,
                *self.starts.get_unchecked(end) as usize,
            ))
        }
    }
}

/// The rows of slots in one grid that may hold a neighbour of the cell in `slot`.
#[inline(always)]
pub(super) fn rows_around<'a>(
    cells: &'a Sorted,
    search: Search,
    slot: usize,
    level: &Level,
) -> Rows<'a> {
    let position = cells.position(slot);
    let distance = search.distance(cells.radius[slot], level.radius);
    Rows::new(cells, level, span(level, position, position, distance))
}

/// A bin, as one comes to it in the order of slots, or several side by side that share one search.
#[derive(Clone, Copy)]
pub(super) struct Bin {
    number: u32,
    /// Number of bins.
    pub across: u32,
    level: usize,
    at: [u32; 3],
}

impl Bin {
    /// The bin of this number.
    pub fn new(cells: &Sorted, number: u32) -> Self {
        let levels = &cells.grids.levels;
        let level = levels.partition_point(|level| level.first_bin <= number) - 1;
        let inside = number - levels[level].first_bin;
        let (width, area) = (levels[level].width, levels[level].area);
        Self {
            number,
            across: 1,
            level,
            at: [inside % width, inside % area / width, inside / area],
        }
    }

    /// The slots in it.
    #[inline(always)]
    pub fn slots(&self, cells: &Sorted) -> Range<usize> {
        let number = self.number as usize;
        cells.starts[number] as usize..cells.starts[number + self.across as usize] as usize
    }

    /// Whether the next bin lies beside it and has cells, few enough to share its search. What a cell finds
    /// does not depend on who shares.
    #[inline(always)]
    pub fn may_grow(&self, cells: &Sorted) -> bool {
        let width = cells.grids.levels[self.level].width;
        if self.across == MOST_ACROSS || self.at[0] + self.across == width {
            return false;
        }
        let after = (self.number + self.across) as usize;
        let starts = &cells.starts;
        let then = starts[after + 1] - starts[self.number as usize];
        starts[after + 1] > starts[after] && then <= SHARING
    }

    /// The bin after it.
    #[inline(always)]
    pub fn next(self, cells: &Sorted) -> Self {
        let level = &cells.grids.levels[self.level];
        let mut next = self;
        next.number += self.across;
        next.across = 1;
        next.at[0] += self.across;
        if next.at[0] == level.width {
            next = if next.number < cells.grids.bins {
                Self::new(cells, next.number)
            } else {
                self
            };
            next.number = self.number + self.across;
            next.across = 1;
        }
        next
    }

    /// A box that holds its cells, um; bins at the rim reach to infinity.
    #[inline(always)]
    pub fn bounds(&self, cells: &Sorted, drift: f32) -> ([f32; 3], [f32; 3], f32) {
        let level = &cells.grids.levels[self.level];
        let mut low = [f32::NEG_INFINITY; 3];
        let mut high = [f32::INFINITY; 3];
        for axis in 0..3 {
            let at = self.at[axis] as f32;
            let end = (self.at[axis] + if axis == 0 { self.across } else { 1 }) as f32;
            let corner = |at: f32| level.origin[axis] + at * level.edge;
            // A thousandth of an edge is more than the rounding of either.
            let margin = drift + 0.001 * level.edge;
            if at > 0.0 {
                low[axis] = corner(at) - margin;
            }
            if end <= level.last[axis] {
                high[axis] = corner(end) + margin;
            }
        }
        (low, high, level.radius)
    }

    /// The rows of slots in one grid that may hold a neighbour of one of its cells, which lie inside a box
    /// and are no larger than `radius`.
    #[inline(always)]
    fn rows<'a>(
        &self,
        cells: &'a Sorted,
        search: Search,
        level: usize,
        (low, high, radius): ([f32; 3], [f32; 3], f32),
    ) -> Rows<'a> {
        let other = &cells.grids.levels[level];
        let distance = search.distance(radius, other.radius);
        Rows::new(cells, other, span(other, low, high, distance))
    }
}

/// Whether a bin has so many cells that they are not left to one piece of the evaluation.
#[inline(always)]
pub(super) fn is_crowd(cells: &Sorted, bin: usize) -> bool {
    cells.starts[bin + 1] - cells.starts[bin] > CROWD
}

/// What one piece of the evaluation does: the bins that begin in its slots, with all their cells; but of a
/// crowd each piece does what lies in it.
pub(super) struct Share {
    /// The bins that begin in it.
    pub bins: Range<usize>,
    /// The slots to evaluate.
    pub slots: Range<usize>,
    /// Whether the bin before these is a crowd that goes on in it.
    pub begun: bool,
}

impl Share {
    /// The share of a piece of the slots.
    pub fn of(cells: &Sorted, slots: Range<usize>) -> Self {
        let starts = &cells.starts;
        let [first, last] = [slots.start, slots.end]
            .map(|slot| starts.partition_point(|start| (*start as usize) < slot));
        let [whole_from, whole_to] = [first, last].map(|bin| starts[bin] as usize);
        let goes_on = |bin: usize| bin > 0 && is_crowd(cells, bin - 1);
        let begun = whole_from > slots.start && goes_on(first);
        let unfinished = whole_to > slots.end && goes_on(last);
        let from = if begun { slots.start } else { whole_from };
        let to = if unfinished { slots.end } else { whole_to };
        Self {
            bins: first..last,
            slots: from..to,
            begun,
        }
    }
}

/// Properties of candidates side by side: centre, radius, and the roots of the strengths where these differ;
/// padded by one batch.
#[repr(align(64))]
struct Held([[f32; HELD + LANES]; 6]);

/// Neighbours side by side, the same properties as of candidates; their last batch is filled up with [`NOBODY`].
#[repr(align(64))]
pub(super) struct Near {
    pub of: [[f32; HELD + LANES]; 6],
    pub count: usize,
}

/// A cell that touches none.
const NOBODY: [f32; 6] = [f32::INFINITY, 0.0, 0.0, 1.0, 0.0, 0.0];

thread_local! {
    /// Room for the bin that this thread is at.
    static ROOM: RefCell<Box<Room>> = RefCell::new(Box::new(Room::EMPTY));
}

/// Room for the cells of one bin.
pub(super) struct Room {
    held: Held,
    /// Candidates held.
    count: usize,
    /// Whether they did not fit, so that each cell is to search on its own.
    pub crowded: bool,
    pub near: [Near; GROUP],
}

impl Room {
    /// Calls `work` with the room of the calling thread; what it holds does not matter.
    pub fn of_thread<R>(work: impl FnOnce(&mut Self) -> R) -> R {
        ROOM.with_borrow_mut(|room| work(room))
    }

    const EMPTY: Self = Self {
        held: Held([[1.0; HELD + LANES]; 6]),
        count: 0,
        crowded: false,
        near: [const {
            Near {
                of: [[1.0; HELD + LANES]; 6],
                count: 0,
            }
        }; GROUP],
    };
}

/// The cell that neighbours are sought for.
#[derive(Clone, Copy)]
pub(super) struct Own<V> {
    pub position: [V; 3],
    pub radius: V,
    pub strength: [V; 2],
    reach: V,
    pub one_over_reach: V,
}

impl<V: Lanes> Own<V> {
    #[inline(always)]
    pub unsafe fn new(cells: &Sorted, slot: usize, reach: f32) -> Self {
        // SAFETY: as for [`Room::hold`].
        unsafe {
            let [x, y, z] = cells.position(slot);
            let [adhesion, repulsion] = cells.strength(slot);
            Self {
                position: [V::splat(x), V::splat(y), V::splat(z)],
                radius: V::splat(*cells.radius.get_unchecked(slot)),
                strength: [V::splat(adhesion), V::splat(repulsion)],
                reach: V::splat(reach),
                one_over_reach: V::splat(1.0 / reach),
            }
        }
    }

    /// Which of sixteen candidates are close enough, one bit each.
    #[inline(always)]
    unsafe fn is_near(&self, [x, y, z, radius]: [V; 4]) -> u32 {
        // SAFETY: as for [`Room::hold`].
        unsafe {
            let dx = self.position[0].sub(x);
            let dy = self.position[1].sub(y);
            let dz = self.position[2].sub(z);
            let square = dx.mul(dx).add(dy.mul(dy)).add(dz.mul(dz));
            let limit = self.radius.add(radius).mul(self.reach);
            square.less(limit.mul(limit))
        }
    }
}

impl Near {
    /// Adds those of sixteen candidates that are close enough; only lanes set in `tail` are candidates.
    #[inline(always)]
    unsafe fn pick<V: Lanes, const ALIKE: bool>(
        &mut self,
        own: &Own<V>,
        from: [*const f32; 6],
        tail: u32,
    ) {
        // SAFETY: as for [`Room::hold`]; the caller leaves room for sixteen more.
        unsafe {
            let [x, y, z, radius, adhesion, repulsion] = from;
            let place = [x, y, z, radius].map(|from| V::load(from));
            let near = own.is_near(place) & tail;
            let to = self.end();
            V::compress(near, place, [to[0], to[1], to[2], to[3]]);
            if !ALIKE {
                let strength = [V::load(adhesion), V::load(repulsion)];
                V::compress(near, strength, [to[4], to[5]]);
            }
            self.count += V::ones(near);
        }
    }

    /// Where the next neighbour goes.
    #[inline(always)]
    unsafe fn end(&mut self) -> [*mut f32; 6] {
        let count = self.count;
        // SAFETY: there is room for a batch behind the last neighbour.
        self.of
            .each_mut()
            .map(|of| unsafe { of.as_mut_ptr().add(count) })
    }

    /// Fills the last batch up with cells that touch none.
    #[inline(always)]
    unsafe fn pad<V: Lanes>(&mut self) {
        // SAFETY: as for [`Room::hold`]; there is room for a batch behind the last neighbour.
        unsafe {
            // What a compressed store leaves behind the last neighbour differs between instruction sets.
            for (to, nobody) in self.end().into_iter().zip(NOBODY) {
                V::splat(nobody).store(to);
            }
        }
    }

    /// Drops the first `count` neighbours, at most a batch being left.
    fn drop_first(&mut self, count: usize) {
        for of in &mut self.of {
            of.copy_within(count..count + LANES, 0);
        }
        self.count -= count;
    }
}

impl Room {
    /// Copies all that may touch a cell of `bin` side by side.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`; `cells` is as [`Sorted::sort`] left it but for positions
    /// that moved by at most `search.drift`; `ALIKE` is whether its cells are.
    #[inline(always)]
    pub unsafe fn hold<V: Lanes, const ALIKE: bool>(
        &mut self,
        cells: &Sorted,
        search: Search,
        bin: Bin,
    ) {
        let from = cells.arrays();
        let slots = bin.slots(cells);
        let bounds = bounds(cells, slots);
        let (low, high, radius) = bounds;
        let held = &mut self.held.0;
        let mut count = 0;
        self.crowded = false;
        // SAFETY: slots up to the number of cells are inside the arrays, whose padding of one batch lets loads
        // of sixteen begin at any of them; there is as much room behind `count`.
        unsafe {
            let [low, high] = [low, high].map(|[x, y, z]| [V::splat(x), V::splat(y), V::splat(z)]);
            let radius = V::splat(radius);
            let reach = V::splat(search.reach * SLACK);
            let zero = V::splat(0.0);
            for level in 0..cells.grids.levels.len() {
                let mut rows = bin.rows(cells, search, level, bounds);
                while let Some((first, end)) = rows.next() {
                    let mut at = first;
                    loop {
                        if count > HELD {
                            self.crowded = true;
                            count = 0;
                        }
                        let x = V::load(from[0].add(at));
                        let y = V::load(from[1].add(at));
                        let z = V::load(from[2].add(at));
                        let other = V::load(from[3].add(at));
                        let dx = low[0].sub(x).max(x.sub(high[0])).max(zero);
                        let dy = low[1].sub(y).max(y.sub(high[1])).max(zero);
                        let dz = low[2].sub(z).max(z.sub(high[2])).max(zero);
                        let square = dx.mul(dx).add(dy.mul(dy)).add(dz.mul(dz));
                        let limit = radius.add(other).mul(reach);
                        let near = square.less(limit.mul(limit)) & tail(end - at);
                        let [to_x, to_y, to_z, to_radius, to_adhesion, to_repulsion] = &mut *held;
                        let to = [
                            to_x.as_mut_ptr().add(count),
                            to_y.as_mut_ptr().add(count),
                            to_z.as_mut_ptr().add(count),
                            to_radius.as_mut_ptr().add(count),
                        ];
                        V::compress(near, [x, y, z, other], to);
                        if !ALIKE {
                            let strengths = [V::load(from[4].add(at)), V::load(from[5].add(at))];
                            let to = [
                                to_adhesion.as_mut_ptr().add(count),
                                to_repulsion.as_mut_ptr().add(count),
                            ];
                            V::compress(near, strengths, to);
                        }
                        count += V::ones(near);
                        at += LANES;
                        if at >= end {
                            break;
                        }
                    }
                }
            }
        }
        self.crowded |= count > HELD;
        self.count = count.min(HELD);
        // SAFETY: there is room for a batch behind the last candidate.
        unsafe { V::splat(FAR_AWAY).store(held[0].as_mut_ptr().add(self.count)) };
    }

    /// Picks the neighbours of the cells in some slots, at most [`GROUP`], for the places of as many members.
    ///
    /// # Safety
    /// As for [`Self::hold`], to which `cells`, `reach` and the cells belong.
    #[inline(always)]
    pub unsafe fn pick<V: Lanes, const ALIKE: bool>(
        &mut self,
        cells: &Sorted,
        reach: f32,
        slots: Range<usize>,
    ) {
        // SAFETY: the caller's promises.
        unsafe {
            if V::BY_WORD {
                self.pick_by_word::<V, ALIKE>(cells, reach, slots);
            } else {
                self.pick_by_batch::<V, ALIKE>(cells, reach, slots);
            }
        }
    }

    /// Where the candidates are.
    #[inline(always)]
    fn candidates(&self) -> [*const f32; 6] {
        self.held.0.each_ref().map(|held| held.as_ptr())
    }

    #[inline(always)]
    unsafe fn pick_by_batch<V: Lanes, const ALIKE: bool>(
        &mut self,
        cells: &Sorted,
        reach: f32,
        slots: Range<usize>,
    ) {
        let held = self.candidates();
        // SAFETY: the caller's promises; candidates are padded to whole batches.
        unsafe {
            for (near, slot) in self.near.iter_mut().zip(slots) {
                let own = Own::<V>::new(cells, slot, reach);
                near.count = 0;
                let mut at = 0;
                while at < self.count {
                    near.pick::<V, ALIKE>(&own, held.map(|held| held.add(at)), !0);
                    at += LANES;
                }
                near.pad::<V>();
            }
        }
    }

    /// Finds out of all cells first which candidates are near, then copies those, so that no cell waits for its own
    /// bits.
    #[inline(always)]
    unsafe fn pick_by_word<V: Lanes, const ALIKE: bool>(
        &mut self,
        cells: &Sorted,
        reach: f32,
        slots: Range<usize>,
    ) {
        let held = self.candidates();
        let mut words = [[0; HELD / WORD]; GROUP];
        // SAFETY: the caller's promises; candidates are padded to whole batches, and there is room for a word
        // from each multiple of its length on.
        unsafe {
            for (words, slot) in words.iter_mut().zip(slots.clone()) {
                let own = Own::<V>::new(cells, slot, reach);
                let mut at = 0;
                for word in words {
                    let end = (self.count - at).min(WORD);
                    let mut lane = 0;
                    while lane < end {
                        let [x, y, z, radius, ..] = held.map(|held| held.add(at + lane));
                        let place = [V::load(x), V::load(y), V::load(z), V::load(radius)];
                        *word |= u64::from(own.is_near(place)) << lane;
                        lane += LANES;
                    }
                    at += end;
                    if at == self.count {
                        break;
                    }
                }
            }
            for (words, near) in words.iter().zip(&mut self.near[..slots.len()]) {
                near.count = 0;
                let mut at = 0;
                for word in words {
                    let here = held.map(|held| held.add(at));
                    let to = near.end();
                    near.count += if ALIKE {
                        let [x, y, z, radius, ..] = here;
                        let to = [to[0], to[1], to[2], to[3]];
                        let [a, b, c, d, ..] = NOBODY;
                        V::compress_word(*word, [x, y, z, radius], to, [a, b, c, d])
                    } else {
                        V::compress_word(*word, here, to, NOBODY)
                    };
                    at += WORD;
                    if at >= self.count {
                        break;
                    }
                }
                if at > WORD {
                    near.pad::<V>();
                }
            }
        }
    }
}

/// The box of the cells in some slots, um, and the largest of their radii.
#[inline(always)]
pub(super) fn bounds(cells: &Sorted, slots: Range<usize>) -> ([f32; 3], [f32; 3], f32) {
    let mut low = [f32::INFINITY; 3];
    let mut high = [f32::NEG_INFINITY; 3];
    let mut radius = 0.0;
    for slot in slots {
        for (axis, at) in cells.position(slot).into_iter().enumerate() {
            low[axis] = if at < low[axis] { at } else { low[axis] };
            high[axis] = if at > high[axis] { at } else { high[axis] };
        }
        let own = cells.radius[slot];
        radius = if own > radius { own } else { radius };
    }
    (low, high, radius)
}

/// One bit for each of the first `left` lanes.
#[inline(always)]
fn tail(left: usize) -> u32 {
    if left < LANES {
        (1 << left) - 1
    } else {
        (1 << LANES) - 1
    }
}

impl Near {
    /// Adds the neighbours of the cell in `slot` to `sums`, in whole batches and in slot order, and returns
    /// their number: for crowds.
    ///
    /// # Safety
    /// As for [`Room::hold`].
    #[inline(always)]
    pub unsafe fn search_alone<V: Lanes, const ALIKE: bool>(
        &mut self,
        cells: &Sorted,
        search: Search,
        (slot, own): (usize, &Own<V>),
        sums: &mut impl Accumulate<V>,
    ) -> usize {
        self.count = 0;
        let mut done = 0;
        let from = cells.arrays();
        // SAFETY: as in `Room::hold`; there is always room for a batch behind the last neighbour.
        unsafe {
            for level in &cells.grids.levels {
                let mut rows = rows_around(cells, search, slot, level);
                while let Some((first, end)) = rows.next() {
                    let mut at = first;
                    while at < end {
                        let here = from.map(|from| from.wrapping_add(at));
                        self.pick::<V, ALIKE>(own, here, tail(end - at));
                        if self.count > HELD - LANES {
                            let whole = self.count / LANES * LANES;
                            sums.add::<ALIKE>(own, self, whole);
                            self.drop_first(whole);
                            done += whole;
                        }
                        at += LANES;
                    }
                }
            }
            self.pad::<V>();
            sums.add::<ALIKE>(own, self, self.count);
        }
        done + self.count
    }
}

/// Sums over neighbours.
pub(super) trait Accumulate<V: Lanes> {
    /// Adds the first `count` neighbours, whole batches of which are filled up with cells far away.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`.
    unsafe fn add<const ALIKE: bool>(&mut self, own: &Own<V>, near: &Near, count: usize);
}
