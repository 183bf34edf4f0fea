//! What cells and fields give each other.
//!
//! Each field has a [`Ledger`] in which cells book, during `Act`, what they take up and secrete in their
//! voxel. Entries are whole numbers of a tiny quantum, added atomically: integer addition is associative, so
//! the sum in a voxel is the same bits in whatever order threads add to it. An entry is rounded to the quantum
//! once, which for the weakest secretion of a cell into a voxel of 20 um is a part in a million. (The alternative, sorting cells by voxel and summing
//! in order, costs a sort per step and gives no more.)
//!
//! Units: amounts are concentration changes of the voxel per minute, in the unit of the molecule.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use bevy::prelude::*;

use crate::core::parallel::for_each_chunk_mut;

/// Voxels handled by one piece of a parallel loop.
const CHUNK: usize = 16_384;

/// The quantum in which amounts are booked: 2^-30 of the molecule's unit per minute.
///
/// About 1e-9 (mmHg, mM or nM per minute); sums up to 8.6e9 fit.
const QUANTA: f64 = 1_073_741_824.0;

/// What cells took from and gave to one field, voxel by voxel, since it was last solved.
#[derive(Component, Debug, Default)]
pub struct Ledger {
    capacity: Book,
    rate: Book,
    source: Book,
}

impl Ledger {
    /// An empty ledger for that many voxels.
    pub fn new(voxels: usize) -> Self {
        Self {
            capacity: Book::new(voxels),
            rate: Book::new(voxels),
            source: Book::new(voxels),
        }
    }

    /// Books saturating uptake: `per_min` is what is taken up from the voxel at saturation (V in
    /// V c / (K + c)), unit per minute. Several cells in a voxel add up.
    #[inline]
    pub fn take_up(&self, voxel: u32, per_min: f32) {
        self.capacity.add(voxel, per_min);
    }

    /// Books uptake that is proportional to the concentration: `per_min` is its rate constant in the voxel, 1/min.
    #[inline]
    pub fn absorb(&self, voxel: u32, per_min: f32) {
        self.rate.add(voxel, per_min);
    }

    /// Books secretion, unit per minute.
    #[inline]
    pub fn secrete(&self, voxel: u32, per_min: f32) {
        self.source.add(voxel, per_min);
    }

    /// Saturating uptake.
    pub const fn capacity(&self) -> &Book {
        &self.capacity
    }

    /// Proportional uptake.
    pub const fn rate(&self) -> &Book {
        &self.rate
    }

    /// Secretion.
    pub const fn source(&self) -> &Book {
        &self.source
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        for book in [&mut self.capacity, &mut self.rate, &mut self.source] {
            book.clear();
        }
    }
}

/// Exact sums of what is booked for each voxel. The memory is taken when the first entry comes.
#[derive(Debug, Default)]
pub struct Book {
    voxels: usize,
    slots: OnceLock<Vec<AtomicI64>>,
    used: AtomicBool,
}

impl Book {
    /// An empty book for that many voxels.
    pub fn new(voxels: usize) -> Self {
        Self {
            voxels,
            ..Self::default()
        }
    }

    /// Adds an amount, unit per minute (um3 where volumes are booked).
    #[inline]
    pub fn add(&self, voxel: u32, amount: f32) {
        let slots = self.slots.get_or_init(|| {
            std::iter::repeat_with(|| AtomicI64::new(0))
                .take(self.voxels)
                .collect()
        });
        let quanta = (f64::from(amount) * QUANTA).round() as i64;
        slots[voxel as usize].fetch_add(quanta, Ordering::Relaxed);
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Whether nothing was booked.
    pub fn is_empty(&self) -> bool {
        !self.used.load(Ordering::Relaxed)
    }

    /// The sum for a voxel.
    #[inline]
    pub fn sum(&self, voxel: usize) -> f32 {
        self.slots
            .get()
            .map_or(0.0, |slots| in_units(&slots[voxel]))
    }

    /// Writes the mean over `steps` bookings for every voxel to `into`.
    pub fn read_mean(&self, steps: f32, into: &mut Vec<f32>) {
        into.resize(self.voxels, 0.0);
        match self.slots.get() {
            Some(slots) if !self.is_empty() => for_each_chunk_mut(into, CHUNK, |start, piece| {
                for (value, slot) in piece.iter_mut().zip(&slots[start..]) {
                    *value = in_units(slot) / steps;
                }
            }),
            _ => into.fill(0.0),
        }
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        if !std::mem::take(self.used.get_mut()) {
            return;
        }
        if let Some(slots) = self.slots.get_mut() {
            for_each_chunk_mut(slots, CHUNK, |_, piece| {
                for slot in piece {
                    *slot.get_mut() = 0;
                }
            });
        }
    }
}

#[inline]
fn in_units(slot: &AtomicI64) -> f32 {
    (slot.load(Ordering::Relaxed) as f64 / QUANTA) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_entries_does_not_change_a_single_bit() {
        let amounts: Vec<f32> = (1..2000).map(|i| 1.0 / i as f32 - 0.3).collect();
        let (forward, backward) = (Ledger::new(1), Ledger::new(1));
        for amount in &amounts {
            forward.secrete(0, *amount);
        }
        for amount in amounts.iter().rev() {
            backward.secrete(0, *amount);
        }
        assert_eq!(
            forward.source().sum(0).to_bits(),
            backward.source().sum(0).to_bits()
        );
        let exact: f64 = amounts.iter().map(|a| f64::from(*a)).sum();
        assert!((f64::from(forward.source().sum(0)) - exact).abs() < 1e-4 * exact.abs());
    }
}
