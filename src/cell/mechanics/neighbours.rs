//! The neighbours of each cell of a bin, side by side.
//!
//! All that may touch a cell of the bin is copied side by side ([`NeighbourRows::hold`]), and each cell then picks its own
//! neighbours among them (about a dozen of sixty), sixteen at a time, in slot order. Neighbours and their order
//! therefore depend neither on the instruction set nor on what else lies in the bins.

use std::cell::RefCell;
use std::ops::Range;

use super::lanes::{LANES, Lanes, WORD};
use super::search::{Bin, SLACK, Search, bounds, rows_around};
use super::sort::Sorted;

/// Most cells that are handled side by side.
pub(super) const GROUP: usize = 8;
/// Candidates that are put side by side; cells of a denser crowd search on their own.
const HELD: usize = 256;
const _: () = assert!(HELD.is_multiple_of(WORD));

/// Properties of candidates side by side: centre, radius, and the roots of the strengths where these differ (the last
/// only where there is a second channel of adhesion);
/// padded by one batch.
#[repr(align(64))]
struct Held([[f32; HELD + LANES]; 7]);

/// Neighbours side by side, the same properties as of candidates; their last batch is filled up with [`NOBODY`].
#[repr(align(64))]
pub(super) struct Near {
    pub of: [[f32; HELD + LANES]; 7],
    pub count: usize,
}

/// A cell that touches none.
const NOBODY: [f32; 7] = [f32::INFINITY, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];

thread_local! {
    /// The bin that this thread is at.
    static ROOM: RefCell<Box<NeighbourRows>> = RefCell::new(Box::new(NeighbourRows::EMPTY));
}

/// The cells that may touch those of one bin.
pub(super) struct NeighbourRows {
    held: Held,
    /// Candidates held.
    count: usize,
    /// Whether they did not fit, so that each cell is to search on its own.
    pub crowded: bool,
    pub near: [Near; GROUP],
}

impl NeighbourRows {
    /// Calls `work` with the room of the calling thread; what it holds does not matter.
    pub fn of_thread<R>(work: impl FnOnce(&mut Self) -> R) -> R {
        ROOM.with_borrow_mut(|room| work(room))
    }

    const EMPTY: Self = Self {
        held: Held([[1.0; HELD + LANES]; 7]),
        count: 0,
        crowded: false,
        near: [const {
            Near {
                of: [[1.0; HELD + LANES]; 7],
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
    /// Roots of the strengths of the first channel of adhesion, of repulsion, and of the second channel.
    pub strength: [V; 3],
    reach: V,
    pub one_over_reach: V,
    /// Constants of the cohesive law: `4 S / (S - 1)^2`, `4 / (S - 1)^2`, `1 + S` and the stiffening.
    pub pull: V,
    pub pull_slope: V,
    pub one_and_reach: V,
    pub stiffening: V,
}

impl<V: Lanes> Own<V> {
    #[inline(always)]
    pub unsafe fn new(cells: &Sorted, slot: usize, search: Search) -> Self {
        let Search {
            reach,
            pull,
            stiffening,
            ..
        } = search;
        // SAFETY: as for [`NeighbourRows::hold`].
        unsafe {
            let [x, y, z] = cells.position(slot);
            let strength = cells.strength(slot);
            Self {
                position: [V::splat(x), V::splat(y), V::splat(z)],
                radius: V::splat(*cells.radius.get_unchecked(slot)),
                strength: [
                    V::splat(strength[0]),
                    V::splat(strength[1]),
                    V::splat(strength[2]),
                ],
                reach: V::splat(reach),
                one_over_reach: V::splat(1.0 / reach),
                pull: V::splat(pull),
                pull_slope: V::splat(pull * (1.0 / reach)),
                one_and_reach: V::splat(1.0 + reach),
                stiffening: V::splat(stiffening),
            }
        }
    }

    /// Which of sixteen candidates are close enough, one bit each.
    #[inline(always)]
    unsafe fn is_near(&self, [x, y, z, radius]: [V; 4]) -> u32 {
        // SAFETY: as for [`NeighbourRows::hold`].
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
    unsafe fn pick<V: Lanes, const CHANNELS: usize>(
        &mut self,
        own: &Own<V>,
        from: [*const f32; 7],
        tail: u32,
    ) {
        // SAFETY: as for [`NeighbourRows::hold`]; the caller leaves room for sixteen more.
        unsafe {
            let [x, y, z, radius, adhesion, repulsion, second] = from;
            let place = [x, y, z, radius].map(|from| V::load(from));
            let near = own.is_near(place) & tail;
            let to = self.end();
            V::compress(near, place, [to[0], to[1], to[2], to[3]]);
            if CHANNELS > 0 {
                let strength = [V::load(adhesion), V::load(repulsion)];
                V::compress(near, strength, [to[4], to[5]]);
            }
            if CHANNELS == 2 {
                V::compress(near, [V::load(second)], [to[6]]);
            }
            self.count += V::ones(near);
        }
    }

    /// Where the next neighbour goes.
    #[inline(always)]
    unsafe fn end(&mut self) -> [*mut f32; 7] {
        let count = self.count;
        // SAFETY: there is room for a batch behind the last neighbour.
        self.of
            .each_mut()
            .map(|of| unsafe { of.as_mut_ptr().add(count) })
    }

    /// Fills the last batch up with cells that touch none.
    #[inline(always)]
    unsafe fn pad<V: Lanes>(&mut self) {
        // SAFETY: as for [`NeighbourRows::hold`]; there is room for a batch behind the last neighbour.
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

impl NeighbourRows {
    /// Copies all that may touch a cell of `bin` side by side.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`; `cells` is as [`Sorted::sort`] left it but for positions
    /// that moved by at most `search.drift`; `CHANNELS` is [`Sorted::channels`].
    #[inline(always)]
    pub unsafe fn hold<V: Lanes, const CHANNELS: usize>(
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
                        let [
                            to_x,
                            to_y,
                            to_z,
                            to_radius,
                            to_adhesion,
                            to_repulsion,
                            to_second,
                        ] = &mut *held;
                        let to = [
                            to_x.as_mut_ptr().add(count),
                            to_y.as_mut_ptr().add(count),
                            to_z.as_mut_ptr().add(count),
                            to_radius.as_mut_ptr().add(count),
                        ];
                        V::compress(near, [x, y, z, other], to);
                        if CHANNELS > 0 {
                            let strengths = [V::load(from[4].add(at)), V::load(from[5].add(at))];
                            let to = [
                                to_adhesion.as_mut_ptr().add(count),
                                to_repulsion.as_mut_ptr().add(count),
                            ];
                            V::compress(near, strengths, to);
                        }
                        if CHANNELS == 2 {
                            let second = V::load(from[6].add(at));
                            V::compress(near, [second], [to_second.as_mut_ptr().add(count)]);
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
        // SAFETY: there is room for a batch behind the last candidate. Infinitely far, whatever else the lanes hold.
        unsafe { V::splat(f32::INFINITY).store(held[0].as_mut_ptr().add(self.count)) };
    }

    /// Picks the neighbours of the cells in some slots, at most [`GROUP`], for the places of as many members.
    ///
    /// # Safety
    /// As for [`Self::hold`], to which `cells`, `search` and the cells belong.
    #[inline(always)]
    pub unsafe fn pick<V: Lanes, const CHANNELS: usize>(
        &mut self,
        cells: &Sorted,
        search: Search,
        slots: Range<usize>,
    ) {
        // SAFETY: the caller's promises.
        unsafe {
            if V::BY_WORD {
                self.pick_by_word::<V, CHANNELS>(cells, search, slots);
            } else {
                self.pick_by_batch::<V, CHANNELS>(cells, search, slots);
            }
        }
    }

    /// Where the candidates are.
    #[inline(always)]
    fn candidates(&self) -> [*const f32; 7] {
        self.held.0.each_ref().map(|held| held.as_ptr())
    }

    #[inline(always)]
    unsafe fn pick_by_batch<V: Lanes, const CHANNELS: usize>(
        &mut self,
        cells: &Sorted,
        search: Search,
        slots: Range<usize>,
    ) {
        let held = self.candidates();
        // SAFETY: the caller's promises; candidates are padded to whole batches.
        unsafe {
            for (near, slot) in self.near.iter_mut().zip(slots) {
                let own = Own::<V>::new(cells, slot, search);
                near.count = 0;
                let mut at = 0;
                while at < self.count {
                    near.pick::<V, CHANNELS>(&own, held.map(|held| held.add(at)), !0);
                    at += LANES;
                }
                near.pad::<V>();
            }
        }
    }

    /// Finds out of all cells first which candidates are near, then copies those, so that no cell waits for its own
    /// bits.
    #[inline(always)]
    unsafe fn pick_by_word<V: Lanes, const CHANNELS: usize>(
        &mut self,
        cells: &Sorted,
        search: Search,
        slots: Range<usize>,
    ) {
        let held = self.candidates();
        let mut words = [[0; HELD / WORD]; GROUP];
        // SAFETY: the caller's promises; candidates are padded to whole batches, and there is room for a word
        // from each multiple of its length on.
        unsafe {
            for (words, slot) in words.iter_mut().zip(slots.clone()) {
                let own = Own::<V>::new(cells, slot, search);
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
                    near.count += if CHANNELS == 0 {
                        let [x, y, z, radius, ..] = here;
                        let to = [to[0], to[1], to[2], to[3]];
                        let [a, b, c, d, ..] = NOBODY;
                        V::compress_word(*word, [x, y, z, radius], to, [a, b, c, d])
                    } else if CHANNELS == 1 {
                        let [a, b, c, d, e, f, _] = here;
                        let to = [to[0], to[1], to[2], to[3], to[4], to[5]];
                        let [n, o, p, q, r, s, _] = NOBODY;
                        V::compress_word(*word, [a, b, c, d, e, f], to, [n, o, p, q, r, s])
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
    /// As for [`NeighbourRows::hold`].
    #[inline(always)]
    pub unsafe fn search_alone<V: Lanes, const CHANNELS: usize, const LAW: u8>(
        &mut self,
        cells: &Sorted,
        search: Search,
        (slot, own): (usize, &Own<V>),
        sums: &mut impl Accumulate<V>,
    ) -> usize {
        self.count = 0;
        let mut done = 0;
        let from = cells.arrays();
        // SAFETY: as in `NeighbourRows::hold`; there is always room for a batch behind the last neighbour.
        unsafe {
            for level in &cells.grids.levels {
                let mut rows = rows_around(cells, search, slot, level);
                while let Some((first, end)) = rows.next() {
                    let mut at = first;
                    while at < end {
                        let here = from.map(|from| from.wrapping_add(at));
                        self.pick::<V, CHANNELS>(own, here, tail(end - at));
                        if self.count > HELD - LANES {
                            let whole = self.count / LANES * LANES;
                            sums.add::<CHANNELS, LAW>(own, self, whole);
                            self.drop_first(whole);
                            done += whole;
                        }
                        at += LANES;
                    }
                }
            }
            self.pad::<V>();
            sums.add::<CHANNELS, LAW>(own, self, self.count);
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
    unsafe fn add<const CHANNELS: usize, const LAW: u8>(
        &mut self,
        own: &Own<V>,
        near: &Near,
        count: usize,
    );
}
