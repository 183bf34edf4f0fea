//! What cells and fields give each other.
//!
//! Each field has a [`Ledger`] in which cells book, during `Act`, what they take up and secrete in their
//! voxel. Entries are added atomically in whole numbers of a tiny quantum ([`AtomicSums`]), so the sum in a voxel
//! is the same bits in whatever order threads add to it. An entry is rounded to the quantum once, which for the
//! weakest secretion of a cell into a voxel of 20 um is a part in a million. (The alternative, sorting cells by
//! voxel and summing in order, costs a sort per step and gives no more.)
//!
//! Units: amounts are concentration changes of the voxel per minute, in the unit of the molecule.

use std::sync::atomic::{AtomicI64, AtomicU32};

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::exact_sum::{AtomicSums, WrongLength};

/// Sums of what is booked for each voxel, in quanta of 2^-30 of the molecule's unit per minute.
///
/// About 1e-9 (mmHg, mM or nM per minute); sums up to 8.6e9 fit. A molecule that nobody takes up is solved another
/// way, so no bookings are not the same as bookings that happen to add up to zero.
pub type Book = AtomicSums<AtomicI64, 30>;

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
        self.capacity.add(voxel as usize, per_min);
    }

    /// Books uptake that is proportional to the concentration: `per_min` is its rate constant in the voxel, 1/min.
    #[inline]
    pub fn absorb(&self, voxel: u32, per_min: f32) {
        self.rate.add(voxel as usize, per_min);
    }

    /// Books secretion, unit per minute.
    #[inline]
    pub fn secrete(&self, voxel: u32, per_min: f32) {
        self.source.add(voxel as usize, per_min);
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

    /// Whether something was booked that the sums cannot hold: they are wrong then.
    pub fn has_overflowed(&self) -> bool {
        let books = [&self.capacity, &self.rate, &self.source];
        books.into_iter().any(Book::has_overflowed)
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        for book in [&mut self.capacity, &mut self.rate, &mut self.source] {
            book.clear();
        }
    }

    /// What the ledger holds, exactly. Between two steps it is not empty for a molecule that is solved
    /// less often than cells book.
    pub fn state(&self) -> LedgerState {
        LedgerState {
            capacity: self.capacity.state(),
            rate: self.rate.state(),
            source: self.source.state(),
        }
    }

    /// Makes the ledger hold what [`Ledger::state`] handed out, replacing what it held.
    ///
    /// # Errors
    /// If the state is that of another number of voxels; the ledger is left as it was.
    pub fn restore(&mut self, state: LedgerState) -> Result<(), WrongVoxels> {
        let LedgerState {
            capacity,
            rate,
            source,
        } = state;
        let books = [&mut self.capacity, &mut self.rate, &mut self.source];
        let states = [capacity, rate, source];
        for (book, state) in books.iter().zip(&states) {
            book.check(state.as_deref())?;
        }
        for (book, state) in books.into_iter().zip(states) {
            book.restore(state)?;
        }
        Ok(())
    }
}

/// What a [`Ledger`] holds, for a file: each book as [`AtomicSums::state`] hands it out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerState {
    /// Saturating uptake.
    pub capacity: Option<Vec<i64>>,
    /// Proportional uptake.
    pub rate: Option<Vec<i64>>,
    /// Secretion.
    pub source: Option<Vec<i64>>,
}

/// A stored state does not fit the grid it is to be restored on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored state is that of {found} voxels, the site has {expected}")]
pub struct WrongVoxels {
    /// Voxels of the stored state.
    pub found: usize,
    /// Voxels of the site.
    pub expected: usize,
}

impl From<WrongLength> for WrongVoxels {
    fn from(WrongLength { found, expected }: WrongLength) -> Self {
        Self { found, expected }
    }
}

/// The volume of cells in each voxel, in shares of the voxel: sums of whole millionths (1/2^20) of it. A sum that 32
/// bits do not hold, 4096 voxels full, stays at the largest they do.
#[derive(Debug, Default)]
pub struct VolumeBook {
    shares: AtomicSums<AtomicU32, 20>,
    voxel_um3: f32,
}

impl VolumeBook {
    /// An empty book for that many voxels of that volume.
    pub const fn new(voxels: usize, voxel_um3: f32) -> Self {
        Self {
            shares: AtomicSums::new(voxels),
            voxel_um3,
        }
    }

    /// Adds the volume of a cell, um3.
    #[inline]
    pub fn add(&self, voxel: u32, volume_um3: f32) {
        self.shares.add(voxel as usize, volume_um3 / self.voxel_um3);
    }

    /// The share of a voxel that was booked; above 1 where that is more than it holds.
    #[inline]
    pub fn share(&self, voxel: usize) -> f32 {
        self.shares.sum(voxel)
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        self.shares.clear();
    }
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

    #[test]
    fn the_order_of_volumes_does_not_change_a_share_even_where_they_are_too_many() {
        let volumes: Vec<f32> = (1..3000).map(|i| i as f32 * 0.37).collect();
        let (mut forward, backward) = (VolumeBook::new(2, 8000.0), VolumeBook::new(2, 8000.0));
        volumes.iter().for_each(|v| forward.add(0, *v));
        volumes.iter().rev().for_each(|v| backward.add(0, *v));
        assert_eq!(forward.share(0).to_bits(), backward.share(0).to_bits());
        let exact: f32 = volumes.iter().sum::<f32>() / 8000.0;
        assert!((forward.share(0) / exact - 1.0).abs() < 1e-4);
        let order: [&[f32]; 2] = [&[3e8, 1.0, 3e8], &[1.0, 3e8, 3e8]];
        let full = order.map(|volumes| {
            let book = VolumeBook::new(1, 8000.0);
            volumes.iter().for_each(|v| book.add(0, *v));
            book.share(0)
        });
        assert_eq!(full[0], full[1]);
        assert!(full[0] >= 4_095.0);
        forward.clear();
        assert_eq!([forward.share(0), forward.share(1)], [0.0; 2]);
    }

    #[test]
    fn a_restored_ledger_goes_on_as_the_one_it_was_taken_from() {
        let mut first = Ledger::new(3);
        first.take_up(2, 0.7);
        first.absorb(0, 0.1);
        first.absorb(0, -0.1);
        let state = first.state();
        assert_eq!(state.source, None, "nothing was secreted");
        assert_eq!(
            state.rate,
            Some(vec![0; 3]),
            "booked, though it adds to zero"
        );
        let mut second = Ledger::new(3);
        second.secrete(1, 5.0);
        second.restore(state.clone()).unwrap();
        assert_eq!(second.state(), state);
        for ledger in [&mut first, &mut second] {
            ledger.take_up(2, 1e-3);
        }
        assert_eq!(first.state(), second.state());
        let (mut a, mut b) = (Vec::new(), Vec::new());
        first.capacity().read_mean(3.0, &mut a);
        second.capacity().read_mean(3.0, &mut b);
        assert_eq!(a, b);
        let wrong = Ledger::new(4).restore(state).unwrap_err();
        assert_eq!((wrong.found, wrong.expected), (3, 4));
    }
}
