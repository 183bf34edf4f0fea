//! A number of each input row besides its body: the second channel of adhesion, say.
//!
//! Filled by the caller in the order of rows, from as many threads as there are. A cell whose number changes is looked at
//! again, with those near it (see `rest`); others are not.

use std::sync::atomic::{AtomicBool, Ordering};

use super::rest::{ChangeNotes, rearrange};
use super::{ContactBody, Mechanics};
use crate::core::parallel::reserve_sparingly;

/// A number of each row; see [`self`].
#[derive(Debug)]
pub struct RowNumbers {
    usual: f32,
    values: Vec<f32>,
    /// Lengths of the parts in which rows were last given.
    parts: Vec<usize>,
    /// Whether any row has another than the usual.
    differs: AtomicBool,
}

impl RowNumbers {
    /// Numbers that are all the usual one.
    pub const fn new(usual: f32) -> Self {
        Self {
            usual,
            values: Vec::new(),
            parts: Vec::new(),
            differs: AtomicBool::new(false),
        }
    }

    /// All have the usual number, and no row need be asked.
    pub fn leave_out(&mut self, kernel: &mut Mechanics) {
        if !self.of_rows().is_empty() {
            kernel.rest.forget();
        }
        self.values.clear();
        self.parts.clear();
    }

    /// The numbers of the rows that [`Mechanics::update`] was given in these parts, as they were, and what fills them.
    pub fn update<'a>(
        &'a mut self,
        kernel: &'a Mechanics,
        parts: &[usize],
    ) -> (&'a mut [f32], RowFiller<'a>) {
        let total = parts.iter().sum();
        reserve_sparingly(&mut self.values, total);
        rearrange(&mut self.values, &self.parts, parts, self.usual, |_| ());
        self.parts.clear();
        self.parts.extend_from_slice(parts);
        *self.differs.get_mut() = false;
        let filler = RowFiller {
            usual: self.usual,
            bodies: &kernel.bodies,
            changes: kernel.rest.watch(&kernel.cells.grids),
            differs: &self.differs,
        };
        (&mut self.values, filler)
    }

    /// Lends the numbers to whoever reads them as a list, none where all are the usual one, until [`Self::take_back`].
    pub fn lend(&mut self, to: &mut Vec<f32>) {
        to.clear();
        if *self.differs.get_mut() {
            std::mem::swap(&mut self.values, to);
        }
    }

    /// Takes back what was lent.
    pub fn take_back(&mut self, from: &mut Vec<f32>) {
        if *self.differs.get_mut() {
            std::mem::swap(&mut self.values, from);
        }
    }

    /// The numbers by row; empty where all are the usual one.
    pub fn of_rows(&self) -> &[f32] {
        if self.differs.load(Ordering::Relaxed) {
            &self.values
        } else {
            &[]
        }
    }
}

/// Puts numbers into rows; may be shared between threads.
#[derive(Clone, Copy)]
pub struct RowFiller<'a> {
    usual: f32,
    bodies: &'a [ContactBody],
    changes: ChangeNotes<'a>,
    differs: &'a AtomicBool,
}

impl<'a> RowFiller<'a> {
    /// The bodies of the rows.
    pub const fn bodies(&self) -> &'a [ContactBody] {
        self.bodies
    }

    /// Puts a number where that of a body is kept, noting whether it changes.
    #[inline(always)]
    pub fn put(&self, kept: &mut f32, body: &ContactBody, number: f32) {
        if kept.to_bits() != number.to_bits() {
            *kept = number;
            self.changes.disturb(body);
        }
        // Read before writing: a flag that is only read is shared by all threads.
        if number.to_bits() != self.usual.to_bits() && !self.differs.load(Ordering::Relaxed) {
            self.differs.store(true, Ordering::Relaxed);
        }
    }
}
