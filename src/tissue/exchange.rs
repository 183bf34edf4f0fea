//! What cells and fields give each other.
//!
//! Each field has a [`Ledger`] in which cells book, during `Act`, what they take up and secrete in their
//! voxel. Entries are whole numbers of a tiny quantum, added atomically: integer addition is associative, so
//! the sum in a voxel is the same bits in whatever order threads add to it, and nothing is lost to rounding:
//! what cells book is exactly what the voxel receives. (The alternative, sorting cells by voxel and summing
//! in order, costs a sort per step and gives no more.)
//!
//! Units: amounts are concentration changes of the voxel per minute, in the unit of the molecule.

use std::sync::atomic::{AtomicI64, Ordering};

use bevy::prelude::*;

use crate::core::parallel::for_each_chunk_mut;

/// Voxels handled by one piece of a parallel loop.
const CHUNK: usize = 16_384;

/// The quantum in which amounts are booked: 2^-30 of the molecule's unit per minute.
///
/// About 1e-9 (mmHg, mM or nM per minute); sums up to 8.6e9 fit.
const QUANTA: f64 = 1_073_741_824.0;

/// What cells take from and give to one field, voxel by voxel, in this step.
#[derive(Component, Debug, Default)]
pub struct Ledger {
    capacity: Vec<AtomicI64>,
    rate: Vec<AtomicI64>,
    source: Vec<AtomicI64>,
}

impl Ledger {
    /// An empty ledger for that many voxels.
    pub fn new(voxels: usize) -> Self {
        let zeros = || {
            std::iter::repeat_with(|| AtomicI64::new(0))
                .take(voxels)
                .collect()
        };
        Self {
            capacity: zeros(),
            rate: zeros(),
            source: zeros(),
        }
    }

    /// Books saturating uptake: `per_min` is what is taken up from the voxel at saturation (V in
    /// V c / (K + c)), unit per minute. Several cells in a voxel add up.
    #[inline]
    pub fn take_up(&self, voxel: u32, per_min: f32) {
        add(&self.capacity, voxel, per_min);
    }

    /// Books uptake that is proportional to the concentration: `per_min` is its rate constant in the voxel, 1/min.
    #[inline]
    pub fn absorb(&self, voxel: u32, per_min: f32) {
        add(&self.rate, voxel, per_min);
    }

    /// Books secretion, unit per minute; negative amounts remove.
    #[inline]
    pub fn secrete(&self, voxel: u32, per_min: f32) {
        add(&self.source, voxel, per_min);
    }

    /// Uptake at saturation of a voxel, unit per minute.
    #[inline]
    pub fn capacity_per_min(&self, voxel: usize) -> f32 {
        read(&self.capacity, voxel)
    }

    /// Rate constant of proportional uptake in a voxel, 1/min.
    #[inline]
    pub fn rate_per_min(&self, voxel: usize) -> f32 {
        read(&self.rate, voxel)
    }

    /// Secretion in a voxel, unit per minute.
    #[inline]
    pub fn source_per_min(&self, voxel: usize) -> f32 {
        read(&self.source, voxel)
    }

    /// Number of voxels.
    pub fn len(&self) -> usize {
        self.capacity.len()
    }

    /// Whether there is no voxel.
    pub fn is_empty(&self) -> bool {
        self.capacity.is_empty()
    }

    /// Whether any uptake was booked.
    pub fn has_capacity(&self) -> bool {
        self.capacity.iter().any(|slot| slot.load(Ordering::Relaxed) != 0)
    }

    /// Writes the uptake at saturation of every voxel to `into`, unit per minute.
    pub fn read_capacity(&self, into: &mut [f32]) {
        read_all(&self.capacity, into);
    }

    /// Whether any first-order uptake was booked.
    pub fn has_rate(&self) -> bool {
        self.rate.iter().any(|slot| slot.load(Ordering::Relaxed) != 0)
    }

    /// Writes the rate of first-order uptake of every voxel to `into`, 1/min.
    pub fn read_rate(&self, into: &mut [f32]) {
        read_all(&self.rate, into);
    }

    /// Writes the secretion in every voxel to `into`, unit per minute.
    pub fn read_source(&self, into: &mut [f32]) {
        read_all(&self.source, into);
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        for slots in [&mut self.capacity, &mut self.rate, &mut self.source] {
            for_each_chunk_mut(slots, CHUNK, |_, piece| {
                for slot in piece {
                    *slot.get_mut() = 0;
                }
            });
        }
    }
}

fn read_all(slots: &[AtomicI64], into: &mut [f32]) {
    assert_eq!(slots.len(), into.len(), "a ledger has an entry for each voxel");
    for_each_chunk_mut(into, CHUNK, |start, piece| {
        for (value, slot) in piece.iter_mut().zip(&slots[start..]) {
            *value = (slot.load(Ordering::Relaxed) as f64 / QUANTA) as f32;
        }
    });
}

fn add(slots: &[AtomicI64], voxel: u32, amount: f32) {
    let quanta = (f64::from(amount) * QUANTA).round() as i64;
    slots[voxel as usize].fetch_add(quanta, Ordering::Relaxed);
}

fn read(slots: &[AtomicI64], voxel: usize) -> f32 {
    (slots[voxel].load(Ordering::Relaxed) as f64 / QUANTA) as f32
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
            forward.source_per_min(0).to_bits(),
            backward.source_per_min(0).to_bits()
        );
        let exact: f64 = amounts.iter().map(|a| f64::from(*a)).sum();
        assert!((f64::from(forward.source_per_min(0)) - exact).abs() < 1e-4 * exact.abs());
    }
}
