//! Puts cells in the order of their bins.
//!
//! A parallel counting sort in two passes: rows are dealt to buckets of neighbouring bins, then each bucket
//! is sorted on its own. Inside a bin cells come in the order of their `CellId`; the sorted order is
//! therefore a function of the set of cells alone, whatever the order in which they were given and however
//! many threads took part.

use std::sync::atomic::{AtomicU32, Ordering};

use super::Body;
use super::disjoint::Disjoint;
use super::grid::{Census, Levels};
use super::lanes::{LANES, Record};
use crate::core::parallel::for_each_chunk;

/// Rows per piece of the passes over the input.
const ROWS: usize = 16_384;
/// Cells aimed at per bucket.
const BUCKET: usize = 2_048;
/// Most buckets.
const MOST_BUCKETS: usize = 512;
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
    /// The same cells, all that is known of each in one piece, and at the end one far from all.
    pub records: Vec<Record>,
    /// Input row of each slot.
    pub row: Vec<u32>,
    /// Slot of each input row.
    pub slot: Vec<AtomicU32>,
    /// First slot of each bin, and the number of slots at the end.
    pub starts: Vec<u32>,
    pub grids: Levels,
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
}

impl Sorted {
    /// Sorts `bodies`; earlier content is overwritten.
    pub fn sort(&mut self, bodies: &[Body], reach: f32, scale: f32) {
        assert!(
            bodies.len() < i32::MAX as usize / 4,
            "slots are 32-bit numbers"
        );
        let len = bodies.len();
        self.len = len;
        for values in [&mut self.x, &mut self.y, &mut self.z, &mut self.radius] {
            values.resize(len + LANES, 0.0);
        }
        self.records.resize(len + 1, Record::default());
        self.records[len] = Record::FAR_AWAY;
        self.row.resize(len, 0);
        self.slot.resize_with(len, AtomicU32::default);
        self.work.pairs.resize(len, (0, 0));
        self.take_census(bodies, reach, scale);
        let buckets = self.deal(bodies);
        self.sort_buckets(bodies, buckets);
    }

    /// Bytes held by the buffers.
    pub fn memory(&self) -> usize {
        let per_slot = 4 * size_of::<f32>() + size_of::<Record>() + 2 * size_of::<u32>();
        self.x.capacity() * per_slot
            + self.starts.capacity() * size_of::<u32>()
            + self.work.pairs.capacity() * size_of::<(u32, u32)>()
            + self.work.dealt.capacity() * size_of::<u32>()
            + self.work.census.capacity() * size_of::<Census>()
    }

    fn take_census(&mut self, bodies: &[Body], reach: f32, scale: f32) {
        let pieces = bodies.len().div_ceil(ROWS);
        self.work.census.clear();
        self.work.census.resize(pieces.max(1), Census::default());
        let census = Disjoint::new(&mut self.work.census);
        for_each_chunk(bodies.len(), ROWS, |piece, rows| {
            let mut found = Census::default();
            for body in &bodies[rows] {
                found.add(body.position, body.radius);
            }
            // SAFETY: each piece has its own element.
            unsafe { census.slice(piece..piece + 1)[0] = found };
        });
        let mut total = Census::default();
        for census in &self.work.census {
            total.merge(census);
        }
        self.grids.plan(&total, reach, scale);
    }

    /// Deals rows to buckets of `1 << shift` bins, in row order; returns the number of buckets and `shift`.
    fn deal(&mut self, bodies: &[Body]) -> (usize, u32) {
        let len = bodies.len();
        let wanted = (len / BUCKET).clamp(1, MOST_BUCKETS);
        let mut shift = 0;
        while (self.grids.bins as usize >> shift) >= wanted {
            shift += 1;
        }
        let buckets = (self.grids.bins as usize >> shift) + 1;
        let pieces = len.div_ceil(ROWS);
        self.work.dealt.clear();
        self.work.dealt.resize(pieces * buckets, 0);
        let (grids, bins) = (&self.grids, &self.slot);
        let dealt = Disjoint::new(&mut self.work.dealt);
        for_each_chunk(len, ROWS, |piece, rows| {
            // SAFETY: each piece has its own counters.
            let dealt = unsafe { dealt.slice(piece * buckets..(piece + 1) * buckets) };
            for row in rows {
                let body = &bodies[row];
                let bin = grids.of(body.radius).bin(body.position);
                bins[row].store(bin, Ordering::Relaxed);
                dealt[(bin >> shift) as usize] += 1;
            }
        });

        self.work.bucket.clear();
        let mut slot = 0;
        for bucket in 0..buckets {
            self.work.bucket.push(slot);
            for piece in 0..pieces {
                let count = &mut self.work.dealt[piece * buckets + bucket];
                slot += std::mem::replace(count, slot);
            }
        }
        self.work.bucket.push(slot);

        let dealt = Disjoint::new(&mut self.work.dealt);
        let pairs = Disjoint::new(&mut self.work.pairs);
        for_each_chunk(len, ROWS, |piece, rows| {
            // SAFETY: each piece has its own counters.
            let next = unsafe { dealt.slice(piece * buckets..(piece + 1) * buckets) };
            for row in rows {
                let bin = bins[row].load(Ordering::Relaxed);
                let next = &mut next[(bin >> shift) as usize];
                let slot = *next as usize;
                // SAFETY: the counters give each row of each piece a place of its own.
                unsafe { pairs.slice(slot..slot + 1)[0] = (bin, row as u32) };
                *next += 1;
            }
        });
        (buckets, shift)
    }

    fn sort_buckets(&mut self, bodies: &[Body], (buckets, shift): (usize, u32)) {
        let bins = self.grids.bins as usize;
        self.starts.resize(bins + 1, 0);
        self.starts[0] = 0;
        let work = &self.work;
        let slots = &self.slot;
        let starts = Disjoint::new(&mut self.starts);
        let row = Disjoint::new(&mut self.row);
        let records = Disjoint::new(&mut self.records);
        let x = Disjoint::new(&mut self.x);
        let y = Disjoint::new(&mut self.y);
        let z = Disjoint::new(&mut self.z);
        let radius = Disjoint::new(&mut self.radius);
        for_each_chunk(buckets, 1, |bucket, _| {
            let first_bin = bucket << shift;
            let last_bin = ((bucket + 1) << shift).min(bins);
            let first = work.bucket[bucket] as usize;
            let slots_here = first..work.bucket[bucket + 1] as usize;
            // SAFETY: buckets own disjoint ranges of bins and of slots.
            let (ends, mut here, x, y, z, radius) = unsafe {
                (
                    starts.slice(first_bin + 1..last_bin + 1),
                    Bucket {
                        row: row.slice(slots_here.clone()),
                        records: records.slice(slots_here.clone()),
                    },
                    x.slice(slots_here.clone()),
                    y.slice(slots_here.clone()),
                    z.slice(slots_here.clone()),
                    radius.slice(slots_here.clone()),
                )
            };
            let pairs = &work.pairs[slots_here];
            ends.fill(0);
            for (bin, _) in pairs {
                ends[*bin as usize - first_bin] += 1;
            }
            let mut begin = first as u32;
            for end in ends.iter_mut() {
                begin += std::mem::replace(end, begin);
            }
            for (bin, row) in pairs {
                let end = &mut ends[*bin as usize - first_bin];
                here.row[*end as usize - first] = *row;
                *end += 1;
            }
            here.fetch(bodies, 0..here.row.len());
            let mut begin = 0;
            for end in ends.iter() {
                let end = *end as usize - first;
                if end - begin > 1 {
                    here.order_by_id(bodies, begin..end);
                }
                begin = end;
            }
            for (slot, (row, record)) in here.row.iter().zip(here.records.iter()).enumerate() {
                [x[slot], y[slot], z[slot]] = record.position;
                radius[slot] = record.radius;
                slots[*row as usize].store((first + slot) as u32, Ordering::Relaxed);
            }
        });
    }
}

/// The slots of one bucket.
struct Bucket<'a> {
    row: &'a mut [u32],
    records: &'a mut [Record],
}

impl Bucket<'_> {
    fn fetch(&mut self, bodies: &[Body], slots: std::ops::Range<usize>) {
        for slot in slots {
            let body = &bodies[self.row[slot] as usize];
            self.records[slot] = Record {
                position: body.position,
                radius: body.radius,
                adhesion: body.adhesion.sqrt(),
                repulsion: body.repulsion.sqrt(),
                id: body.id.0,
            };
        }
    }

    fn order_by_id(&mut self, bodies: &[Body], slots: std::ops::Range<usize>) {
        if slots.len() > CROWD {
            self.row[slots.clone()].sort_unstable_by_key(|row| bodies[*row as usize].id);
            self.fetch(bodies, slots);
            return;
        }
        for last in slots.start + 1..slots.end {
            let mut at = last;
            while at > slots.start && self.records[at - 1].id > self.records[at].id {
                self.records.swap(at - 1, at);
                self.row.swap(at - 1, at);
                at -= 1;
            }
        }
    }
}
