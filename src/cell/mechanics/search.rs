//! Where to look for the cells that a cell may touch: rows of slots in the bins around.
//!
//! The cells of a bin share one search, and so do those of a few bins in a row while they are few. What each of
//! them finds there is up to `neighbours`.

use std::ops::Range;

use super::MechanicsParameters;
use super::contacts::pull_factor;
use super::grid::Level;
use super::sort::Sorted;

/// Cells up to which bins share a search, and most bins that do.
const SHARING: u32 = 8;
const MOST_ACROSS: u32 = 4;
/// Cells of one bin beyond which several pieces of the evaluation share it.
const CROWD: u32 = 512;
/// Relative widening of searches, so that no rounding loses a neighbour.
pub(super) const SLACK: f32 = 1.0005;

/// What a search needs besides the sorted cells.
#[derive(Clone, Copy)]
pub(super) struct Search {
    /// Interaction distance over the sum of radii.
    pub reach: f32,
    /// Farthest any cell may be from where it was when it was sorted, um.
    pub drift: f32,
    /// Constants of the cohesive law: see [`super::contacts::pull_factor`], and by how much what is pressed stiffens.
    pub pull: f32,
    pub stiffening: f32,
}

impl Search {
    /// A search for the neighbours that these parameters are about.
    pub fn new(parameters: &MechanicsParameters, drift: f32) -> Self {
        Self {
            reach: parameters.reach,
            drift,
            pull: pull_factor(parameters.reach),
            stiffening: parameters.stiffening,
        }
    }

    /// A search within a distance, um, whatever the radii.
    pub const fn within(distance: f32) -> Self {
        Self {
            reach: 0.0,
            drift: distance,
            pull: 0.0,
            stiffening: 0.0,
        }
    }

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

/// The rows of slots in one grid within the drift of a place, a hair more.
pub(super) fn rows_at<'a>(
    cells: &'a Sorted,
    search: Search,
    at: [f32; 3],
    level: &Level,
) -> Rows<'a> {
    let distance = search.drift * SLACK + 1.0e-3;
    Rows::new(cells, level, span(level, at, at, distance))
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
    pub fn rows<'a>(
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
