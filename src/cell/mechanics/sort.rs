//! Puts cells in the order of their bins.
//!
//! A parallel counting sort in two passes: rows are dealt to buckets of neighbouring bins, then each bucket
//! is sorted on its own. Inside a bin cells come in the order of their `CellId`; the sorted order is
//! therefore a function of the set of cells alone, whatever the order in which they were given and however
//! many threads took part.
//!
//! The bins follow from the extent and the sizes of the cells and seldom differ from those of the sort
//! before, so cells are dealt by the latter while extent and sizes are taken, and again only when the bins
//! turn out to be others.

mod found;

use std::sync::atomic::{AtomicU32, Ordering};

use super::ContactBody;
use super::disjoint::Disjoint;
use super::grid::{Census, Levels};
use super::lanes::LANES;
use crate::core::parallel::{for_each_chunk, for_each_chunk_mut, reserve_sparingly};

/// Fewest and most rows per piece of the passes over the input, and pieces aimed at.
const ROWS: (usize, usize, usize) = (512, 16_384, 16);
/// Counters in a cache line.
const LINE: usize = 16;
/// Cells aimed at per bucket.
const BUCKET: usize = 1_024;
/// Most buckets.
const MOST_BUCKETS: usize = 1_024;
/// Bins with more cells than this are sorted by a general sort.
const CROWD: usize = 32;

/// Cells in sorted order, one array for each property, padded by one batch of lanes.
#[derive(Default)]
pub(super) struct Sorted {
    pub len: usize,
    pub x: Vec<f32>,
    pub y: Vec<f32>,
    pub z: Vec<f32>,
    pub radius: Vec<f32>,
    /// Square roots of the strengths of adhesion and repulsion; empty where all cells are alike in them.
    strengths: [Vec<f32>; 2],
    /// Square roots of the strengths of the second channel of adhesion; empty where no cell has it.
    second: Vec<f32>,
    /// Whether all cells have the same strengths.
    pub alike: bool,
    /// Square roots of the strengths of adhesion and repulsion of the first row.
    first_strength: [f32; 2],
    /// Input row of each slot.
    pub row: Vec<u32>,
    /// Slot of each input row.
    pub slot: Vec<AtomicU32>,
    /// First slot of each bin, and the number of slots at the end.
    pub starts: Vec<u32>,
    pub grids: Levels,
    /// Whether the bins are those of the sort before.
    pub same_bins: bool,
    work: Work,
}

#[derive(Default)]
struct Work {
    census: Vec<Census>,
    /// Rows of each bucket (minor) in each piece (major), then where each piece writes.
    dealt: Vec<u32>,
    /// First slot of each bucket.
    bucket: Vec<u32>,
    /// Bin and row, by bucket.
    pairs: Vec<(u32, u32)>,
    /// The bins of the sort before.
    last_grids: Levels,
}

/// How rows are cut into pieces and bins into buckets of `1 << shift`.
#[derive(Clone, Copy)]
struct Deal {
    rows: usize,
    pieces: usize,
    buckets: usize,
    /// Counters from one piece to the next: a cache line lies between those of two threads.
    stride: usize,
    shift: u32,
}

impl Deal {
    fn of(len: usize, bins: usize) -> Self {
        let (fewest, most, aim) = ROWS;
        let rows = (len / aim).clamp(fewest, most);
        let wanted = (len / BUCKET).clamp(1, MOST_BUCKETS);
        let mut shift = 0;
        while (bins >> shift) >= wanted {
            shift += 1;
        }
        let buckets = (bins >> shift) + 1;
        Self {
            rows,
            pieces: len.div_ceil(rows),
            buckets,
            stride: buckets.next_multiple_of(LINE) + LINE,
            shift,
        }
    }

    /// The counters of a piece, one for each bucket.
    fn counters(&self, piece: usize) -> std::ops::Range<usize> {
        let first = piece * self.stride;
        first..first + self.buckets
    }
}

impl Sorted {
    /// Sorts `bodies`; earlier content is overwritten.
    pub fn sort(&mut self, bodies: &[ContactBody], reach: f32, scale: f32) {
        assert!(
            bodies.len() < i32::MAX as usize / 4,
            "slots are 32-bit numbers"
        );
        let len = bodies.len();
        self.len = len;
        for values in [&mut self.x, &mut self.y, &mut self.z, &mut self.radius] {
            reserve_sparingly(values, len + LANES);
            values.resize(len + LANES, 1.0);
        }
        reserve_sparingly(&mut self.row, len);
        self.row.resize(len, 0);
        reserve_sparingly(&mut self.slot, len);
        self.slot.resize_with(len, AtomicU32::default);
        reserve_sparingly(&mut self.work.pairs, len);
        self.work.pairs.resize(len, (0, 0));
        let deal = self.count(bodies, reach, scale);
        let padded = if self.alike { 0 } else { len + LANES };
        for values in &mut self.strengths {
            reserve_sparingly(values, padded);
            values.resize(padded, 0.0);
        }
        self.deal(deal);
        self.sort_buckets(bodies, deal);
    }

    /// Bytes held by the buffers.
    pub fn memory(&self) -> usize {
        let per_slot = 4 * size_of::<f32>() + 2 * size_of::<u32>();
        self.x.capacity() * per_slot
            + 2 * self.strengths[0].capacity() * size_of::<f32>()
            + self.starts.capacity() * size_of::<u32>()
            + self.work.pairs.capacity() * size_of::<(u32, u32)>()
            + self.work.dealt.capacity() * size_of::<u32>()
            + self.work.census.capacity() * size_of::<Census>()
    }

    /// Centre of the cell in `slot`, um.
    #[inline(always)]
    pub fn position(&self, slot: usize) -> [f32; 3] {
        [self.x[slot], self.y[slot], self.z[slot]]
    }

    /// Square roots of the strengths of adhesion and repulsion of the cell in `slot`, and of the second channel.
    #[inline(always)]
    pub fn strength(&self, slot: usize) -> [f32; 3] {
        let second = self.second.get(slot).copied().unwrap_or(0.0);
        let [adhesion, repulsion] = if self.alike {
            self.first_strength
        } else {
            [self.strengths[0][slot], self.strengths[1][slot]]
        };
        [adhesion, repulsion, second]
    }

    /// Strengths of adhesion and repulsion between the cells in two slots, um/min.
    #[inline(always)]
    pub fn strengths_of(&self, own: usize, other: usize) -> [f32; 2] {
        let (a, b) = (self.strength(own), self.strength(other));
        [a[0] * b[0] + a[2] * b[2], a[1] * b[1]]
    }

    /// Whether strengths are the same for all cells (0), differ (1), or have a second channel of adhesion (2).
    pub fn channels(&self) -> usize {
        if !self.second.is_empty() {
            2
        } else {
            usize::from(!self.alike)
        }
    }

    /// Puts the second channel of adhesion in sorted order, given by input row, um/min; none if that is empty.
    pub fn take_second(&mut self, of_rows: &[f32]) {
        let len = if of_rows.is_empty() {
            0
        } else {
            self.len + LANES
        };
        reserve_sparingly(&mut self.second, len);
        self.second.resize(len, 0.0);
        if len == 0 {
            return;
        }
        if self.alike {
            // What differs in one differs in all.
            for (values, first) in self.strengths.iter_mut().zip(self.first_strength) {
                reserve_sparingly(values, len);
                values.clear();
                values.resize(len, first);
            }
            self.alike = false;
        }
        let rows = &self.row;
        for_each_chunk_mut(&mut self.second[..self.len], ROWS.1, |first, piece| {
            for (value, row) in piece.iter_mut().zip(&rows[first..]) {
                *value = of_rows[*row as usize].sqrt();
            }
        });
    }

    /// Centres, radii, strengths if cells are not alike, and the second channel of adhesion if there is one.
    #[inline(always)]
    pub fn arrays(&self) -> [*const f32; 7] {
        let [adhesion, repulsion] = &self.strengths;
        [
            self.x.as_ptr(),
            self.y.as_ptr(),
            self.z.as_ptr(),
            self.radius.as_ptr(),
            adhesion.as_ptr(),
            repulsion.as_ptr(),
            self.second.as_ptr(),
        ]
    }

    /// Lays out the bins, finds the bin of each row, and counts the rows of each piece in each bucket.
    fn count(&mut self, bodies: &[ContactBody], reach: f32, scale: f32) -> Deal {
        std::mem::swap(&mut self.grids, &mut self.work.last_grids);
        let guess = self.count_by(bodies, true);
        let mut total = Census::default();
        for census in &self.work.census {
            total.merge(census);
        }
        self.alike = total.alike();
        self.first_strength = bodies.first().map_or([0.0; 2], |body| {
            [body.adhesion.sqrt(), body.repulsion.sqrt()]
        });
        self.grids.plan(&total, reach, scale);
        self.same_bins = self.grids.same_bins(&self.work.last_grids);
        if self.same_bins {
            return guess;
        }
        self.work.last_grids.clone_from(&self.grids);
        self.count_by(bodies, false)
    }

    /// Finds the bin of each row among those of the sort before, and takes the census if asked to.
    fn count_by(&mut self, bodies: &[ContactBody], census: bool) -> Deal {
        let len = bodies.len();
        let grids = &self.work.last_grids;
        let deal = Deal::of(len, grids.bins as usize);
        self.work.dealt.clear();
        self.work.dealt.resize(deal.pieces * deal.stride, 0);
        if census {
            self.work.census.clear();
            self.work.census.resize(deal.pieces, Census::default());
        }
        let bins = &self.slot;
        let dealt = Disjoint::new(&mut self.work.dealt);
        let found = Disjoint::new(&mut self.work.census);
        for_each_chunk(len, deal.rows, |piece, rows| {
            // SAFETY: each piece has its own counters and its own census.
            let (dealt, found) = unsafe {
                (
                    dealt.slice(deal.counters(piece)),
                    found.slice(piece..piece + 1),
                )
            };
            if census {
                found[0] = Census::of(&bodies[rows.clone()]);
            }
            if grids.bins == 0 {
                return;
            }
            for row in rows {
                let body = &bodies[row];
                let bin = grids.of(body.radius).bin(body.position);
                bins[row].store(bin, Ordering::Relaxed);
                dealt[(bin >> deal.shift) as usize] += 1;
            }
        });
        deal
    }

    /// Deals rows to buckets, in row order.
    fn deal(&mut self, deal: Deal) {
        self.work.bucket.clear();
        let mut slot = 0;
        for bucket in 0..deal.buckets {
            self.work.bucket.push(slot);
            for piece in 0..deal.pieces {
                let count = &mut self.work.dealt[piece * deal.stride + bucket];
                slot += std::mem::replace(count, slot);
            }
        }
        self.work.bucket.push(slot);

        let bins = &self.slot;
        let dealt = Disjoint::new(&mut self.work.dealt);
        let pairs = Disjoint::new(&mut self.work.pairs);
        for_each_chunk(self.len, deal.rows, |piece, rows| {
            // SAFETY: each piece has its own counters.
            let next = unsafe { dealt.slice(deal.counters(piece)) };
            for row in rows {
                let bin = bins[row].load(Ordering::Relaxed);
                let next = &mut next[(bin >> deal.shift) as usize];
                let slot = *next as usize;
                // SAFETY: the counters give each row of each piece a place of its own.
                unsafe { pairs.slice(slot..slot + 1)[0] = (bin, row as u32) };
                *next += 1;
            }
        });
    }

    fn sort_buckets(&mut self, bodies: &[ContactBody], deal: Deal) {
        let bins = self.grids.bins as usize;
        reserve_sparingly(&mut self.starts, bins + 1);
        self.starts.resize(bins + 1, 0);
        self.starts[0] = 0;
        let work = &self.work;
        let (slots, alike) = (&self.slot, self.alike);
        let starts = Disjoint::new(&mut self.starts);
        let row = Disjoint::new(&mut self.row);
        let x = Disjoint::new(&mut self.x);
        let y = Disjoint::new(&mut self.y);
        let z = Disjoint::new(&mut self.z);
        let radius = Disjoint::new(&mut self.radius);
        let strengths = self
            .strengths
            .each_mut()
            .map(|values| Disjoint::new(values));
        for_each_chunk(deal.buckets, 1, |bucket, _| {
            let first_bin = bucket << deal.shift;
            let last_bin = ((bucket + 1) << deal.shift).min(bins);
            let first = work.bucket[bucket] as usize;
            let slots_here = first..work.bucket[bucket + 1] as usize;
            // SAFETY: buckets own disjoint ranges of bins and of slots.
            let (ends, row, x, y, z, radius) = unsafe {
                (
                    starts.slice(first_bin + 1..last_bin + 1),
                    row.slice(slots_here.clone()),
                    x.slice(slots_here.clone()),
                    y.slice(slots_here.clone()),
                    z.slice(slots_here.clone()),
                    radius.slice(slots_here.clone()),
                )
            };
            let pairs = &work.pairs[slots_here.clone()];
            ends.fill(0);
            for (bin, row) in pairs {
                ends[*bin as usize - first_bin] += 1;
                prefetch(&bodies[*row as usize]);
            }
            let mut begin = first as u32;
            for end in ends.iter_mut() {
                begin += std::mem::replace(end, begin);
            }
            for (bin, from) in pairs {
                let end = &mut ends[*bin as usize - first_bin];
                row[*end as usize - first] = *from;
                *end += 1;
            }
            let mut begin = 0;
            for end in ends.iter() {
                let end = *end as usize - first;
                order_by_id(bodies, &mut row[begin..end]);
                begin = end;
            }
            for (slot, row) in row.iter().enumerate() {
                let body = &bodies[*row as usize];
                [x[slot], y[slot], z[slot]] = body.position;
                radius[slot] = body.radius;
                slots[*row as usize].store((first + slot) as u32, Ordering::Relaxed);
            }
            if !alike {
                let [adhesion, repulsion] = &strengths;
                // SAFETY: as above.
                let (adhesion, repulsion) = unsafe {
                    (
                        adhesion.slice(slots_here.clone()),
                        repulsion.slice(slots_here.clone()),
                    )
                };
                for (slot, row) in row.iter().enumerate() {
                    let body = &bodies[*row as usize];
                    adhesion[slot] = body.adhesion.sqrt();
                    repulsion[slot] = body.repulsion.sqrt();
                }
            }
        });
    }
}

/// Puts rows in the order of the identities of their cells.
#[inline(always)]
fn order_by_id(bodies: &[ContactBody], rows: &mut [u32]) {
    let id = |row: u32| bodies[row as usize].id;
    if rows.len() > CROWD {
        rows.sort_unstable_by_key(|row| id(*row));
        return;
    }
    for last in 1..rows.len() {
        let row = rows[last];
        let own = id(row);
        let mut at = last;
        while at > 0 && id(rows[at - 1]) > own {
            rows[at] = rows[at - 1];
            at -= 1;
        }
        rows[at] = row;
    }
}

/// Asks for a body that will soon be read.
#[inline(always)]
fn prefetch(body: &ContactBody) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of x86-64; the address is that of a body.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(body).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = body;
}
