//! Cells that rest, and need not be looked at again until something near them changes.
//!
//! A cell whose neighbours, walls and own motility together do not move it faster than
//! [`MechanicsParameters::rest_speed`](super::MechanicsParameters::rest_speed) stays where it is: its adhesions
//! hold it, as static friction does. The next evaluation would find the same for it unless a cell near it has
//! changed, and so is left out. What is left out is exact, to the last bit: a bin is skipped only when
//!
//! - all of its cells rested when it was last evaluated, none of them bound to another or moving itself,
//! - and since then no cell has entered, left, moved within or changed in any bin where one of their
//!   neighbours is, or was at that time.
//!
//! The first is kept for each bin ([`Rest::quiet`]). The second is noted as it happens ([`Rest::disturbed`]): by
//! the caller's new rows, compared bit by bit with those before ([`ChangeNotes::put`]), and by the move. A cell whose bonds
//! change is looked at again, with those of its bin. Where bins or walls
//! change, and where cells are sorted twice in one call, all is forgotten and everything is evaluated.

use std::sync::atomic::{AtomicBool, Ordering};

use super::grid::{Levels, MOST_LEVELS};
use super::search::{Search, bounds, span};
use super::sort::Sorted;
use super::{ContactBody, Faces};
use crate::core::identity::CellId;
use crate::core::parallel::for_each_chunk;

/// Rows per piece of the search for cells that move themselves.
const ROWS: usize = 16_384;

/// What is known of each bin since it was last evaluated.
#[derive(Default)]
pub(super) struct Rest {
    /// Whether all cells of a bin rested, none bound to another or moving itself.
    pub quiet: Vec<bool>,
    /// Whether something changed in a bin.
    disturbed: Vec<AtomicBool>,
    /// Whether something changed in any bin.
    any_disturbed: AtomicBool,
    /// Whether any bin is quiet, and whether all are.
    known: Option<AllQuiet>,
    /// Farthest any cell was from where it was sorted, um.
    drift: f32,
    /// Largest radius in each grid, um.
    radius: [f32; MOST_LEVELS],
    faces: Faces,
    /// Cells whose bonds changed.
    changed: Vec<CellId>,
}

/// Whether every bin is quiet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AllQuiet(pub bool);

impl Rest {
    /// Whether nothing is known to rest.
    pub fn is_nothing(&self) -> bool {
        self.known.is_none()
    }

    /// Whether all rest and nothing has changed.
    pub fn is_everything(&self) -> bool {
        self.known == Some(AllQuiet(true)) && !self.any_disturbed.load(Ordering::Relaxed)
    }

    /// Takes everything for changed.
    pub fn forget(&mut self) {
        self.known = None;
    }

    /// Notes what differs from the call before in what acts on cells besides their neighbours. `rows` are those
    /// that were sorted then, but for what [`ChangeNotes::put`] noted.
    pub fn notice(
        &mut self,
        faces: &Faces,
        active: &[[f32; 3]],
        rows: &[ContactBody],
        grids: &Levels,
    ) {
        if self.faces != *faces {
            self.faces = *faces;
            self.forget();
        }
        if self.is_nothing() || active.is_empty() {
            return;
        }
        let watch = self.watch(grids);
        for_each_chunk(rows.len(), ROWS, |_, range| {
            for (body, velocity) in rows[range.clone()].iter().zip(&active[range]) {
                if *velocity != [0.0; 3] {
                    watch.disturb(body);
                }
            }
        });
    }

    /// Notes cells that were bound, or are bound no more: their own bins are looked at again, those around only if
    /// they then move.
    pub fn notice_bonds(&mut self, changed: &[CellId], rows: &[ContactBody], grids: &Levels) {
        if self.is_nothing() || changed.is_empty() {
            return;
        }
        self.changed.clear();
        self.changed.extend_from_slice(changed);
        self.changed.sort_unstable();
        let mut filter = [0_u64; 64];
        let place = |id: CellId| ((id.0 >> 6) as usize % 64, 1_u64 << (id.0 & 63));
        for (word, bit) in self.changed.iter().map(|id| place(*id)) {
            filter[word] |= bit;
        }
        for body in rows {
            let (word, bit) = place(body.id);
            if filter[word] & bit != 0 && self.changed.binary_search(&body.id).is_ok() {
                let bin = grids.of(body.radius).bin(body.position) as usize;
                self.quiet[bin] = false;
                self.known = Some(AllQuiet(false));
            }
        }
    }

    /// Begins with the bins of a new sort; what is known stands if they are those of the sort before.
    pub fn follow_sort(&mut self, cells: &Sorted) {
        if !cells.same_bins {
            self.forget();
        }
        let bins = cells.grids.bins as usize;
        self.quiet.resize(bins, false);
        self.disturbed.resize_with(bins, AtomicBool::default);
    }

    /// Whether a bin that was quiet still is.
    #[inline(always)]
    pub fn lasts(&self, cells: &Sorted, search: Search, bin: usize) -> bool {
        self.known.is_some() && !self.is_disturbed(cells, search, bin)
    }

    /// Whether anything changed in a bin where a cell of this one has a neighbour, or had one when it was
    /// last evaluated.
    #[inline(never)]
    fn is_disturbed(&self, cells: &Sorted, search: Search, bin: usize) -> bool {
        let slots = cells.starts[bin] as usize..cells.starts[bin + 1] as usize;
        let (low, high, radius) = bounds(cells, slots);
        let search = Search {
            drift: search.drift.max(self.drift),
            ..search
        };
        for (level, then) in cells.grids.levels.iter().zip(self.radius) {
            let distance = search.distance(radius, level.radius.max(then));
            let [x, y, z] =
                span(level, low, high, distance).map(|ends| ends.map(|bin| bin as usize));
            let (width, area) = (level.width as usize, level.area as usize);
            for z in z[0]..=z[1] {
                for y in y[0]..=y[1] {
                    let row = level.first_bin as usize + z * area + y * width;
                    let bins = &self.disturbed[row + x[0]..=row + x[1]];
                    if bins.iter().any(|bin| bin.load(Ordering::Relaxed)) {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Begins anew after an evaluation, which found `known`.
    pub fn follow_evaluation(&mut self, cells: &Sorted, drift: f32, known: Option<AllQuiet>) {
        if *self.any_disturbed.get_mut() {
            for bin in &mut self.disturbed {
                *bin.get_mut() = false;
            }
            *self.any_disturbed.get_mut() = false;
        }
        self.known = known;
        self.drift = drift;
        self.radius = [0.0; MOST_LEVELS];
        for (radius, level) in self.radius.iter_mut().zip(&cells.grids.levels) {
            *radius = level.radius;
        }
    }

    /// Where to note changes.
    pub fn watch<'a>(&'a self, grids: &'a Levels) -> ChangeNotes<'a> {
        ChangeNotes {
            rest: (!self.is_nothing()).then_some(self),
            grids,
        }
    }

    /// Bytes held.
    pub fn memory(&self) -> usize {
        self.quiet.capacity() + self.disturbed.capacity()
    }
}

/// Notes which bins change; may be shared between threads.
#[derive(Clone, Copy)]
pub struct ChangeNotes<'a> {
    /// Nothing while nothing is known to rest.
    rest: Option<&'a Rest>,
    grids: &'a Levels,
}

impl ChangeNotes<'_> {
    /// A row that no cell has taken yet.
    pub(super) const VACANT: ContactBody = ContactBody {
        id: CellId(u64::MAX),
        position: [0.0; 3],
        radius: 1.0,
        adhesion: 0.0,
        repulsion: 0.0,
    };

    /// Puts a body into a row, noting what changes.
    #[inline(always)]
    pub fn put(&self, row: &mut ContactBody, body: ContactBody) {
        if self.rest.is_some() && !row.same_bits(&body) {
            self.disturb(row);
            self.disturb(&body);
        }
        *row = body;
    }

    /// Whether anything is watched for.
    pub(super) fn is_idle(&self) -> bool {
        self.rest.is_none()
    }

    /// Notes that a cell appears, leaves or changes.
    #[inline(never)]
    pub(super) fn disturb(&self, body: &ContactBody) {
        if self.rest.is_some() && body.id != Self::VACANT.id {
            self.disturb_bin(self.grids.of(body.radius).bin(body.position) as usize);
        }
    }

    /// Notes that something changes in a bin.
    #[inline(always)]
    pub(super) fn disturb_bin(&self, bin: usize) {
        let Some(rest) = self.rest else { return };
        // Read before writing: most are noted many times, and a line that is only read is shared.
        for mark in [&rest.disturbed[bin], &rest.any_disturbed] {
            if !mark.load(Ordering::Relaxed) {
                mark.store(true, Ordering::Relaxed);
            }
        }
    }
}

/// Moves rows, which were parts of the lengths `old`, to where they are when the lengths are `new`, and tells of those
/// that are gone. New rows at the end of a part are vacant. Where `old` does not say what the rows were, they were one
/// part.
pub(super) fn rearrange<T: Copy>(
    rows: &mut Vec<T>,
    old: &[usize],
    new: &[usize],
    vacant: T,
    mut gone: impl FnMut(&T),
) {
    let one = [rows.len()];
    let old = if old.iter().sum::<usize>() == rows.len() {
        old
    } else {
        &one[..]
    };
    let count = old.len().max(new.len());
    let length = |lengths: &[usize], part: usize| lengths.get(part).copied().unwrap_or(0);
    let starts = |lengths: &[usize]| {
        (0..count)
            .scan(0, |next, part| {
                let start = *next;
                *next += length(lengths, part);
                Some(start)
            })
            .collect::<Vec<usize>>()
    };
    let (from, to) = (starts(old), starts(new));
    let kept = |part: usize| length(old, part).min(length(new, part));
    for part in 0..count {
        rows[from[part] + kept(part)..from[part] + length(old, part)]
            .iter()
            .for_each(&mut gone);
    }
    let total = new.iter().sum();
    if rows.len() < total {
        rows.resize(total, vacant);
    }
    // Parts keep their order: those that move down are moved from the first on, those that move up from the last.
    let mut shift = |part: usize| {
        rows.copy_within(from[part]..from[part] + kept(part), to[part]);
    };
    (0..count)
        .filter(|part| to[*part] < from[*part])
        .for_each(&mut shift);
    (0..count)
        .rev()
        .filter(|part| to[*part] > from[*part])
        .for_each(&mut shift);
    rows.truncate(total);
    for part in 0..new.len() {
        rows[to[part] + kept(part)..to[part] + new[part]].fill(vacant);
    }
}

impl ContactBody {
    /// Whether nothing differs, to the last bit.
    #[inline(always)]
    fn same_bits(&self, other: &Self) -> bool {
        let bits = |body: &Self| {
            let [x, y, z] = body.position;
            [x, y, z, body.radius, body.adhesion, body.repulsion].map(f32::to_bits)
        };
        self.id == other.id && bits(self) == bits(other)
    }
}
