//! Takes over the order that cells were found in before, in `Perceive`, by whoever asked for their neighbours.
//!
//! Until `Move` they stay where they are, but may grow, so that they are the same cells at the same places in nearly all
//! steps, and then, to the bit, in the order in which they would be sorted anew.

use std::sync::atomic::{AtomicBool, Ordering};

use super::super::ContactBody;
use super::super::grid::Census;
use super::{Deal, ROWS, Sorted};
use crate::cell::mechanics::disjoint::Disjoint;
use crate::cell::mechanics::lanes::LANES;
use crate::core::parallel::{for_each_chunk, for_each_chunk_mut, reserve_sparingly};

impl Sorted {
    /// Takes the order of `found`, a sort of `known`, for that of `bodies`, and says whether it could: whether they are the
    /// same cells in the same rows, bins and places. `found` gets in exchange what was here.
    pub fn take_over(
        &mut self,
        found: &mut Self,
        known: &[ContactBody],
        bodies: &[ContactBody],
        (reach, scale): (f32, f32),
    ) -> bool {
        let len = bodies.len();
        if len == 0 || found.len != len || known.len() != len {
            return false;
        }
        let Some(total) = found.look_at(known, bodies) else {
            return false;
        };
        let plan = &mut found.work.last_grids;
        plan.plan(&total, reach, scale);
        if !plan.same_bins(&found.grids) {
            return false;
        }
        if plan.levels.len() > 1 {
            let same_level = |(body, known): (&ContactBody, &ContactBody)| {
                body.radius == known.radius
                    || std::ptr::eq(plan.of(body.radius), plan.of(known.radius))
            };
            if !bodies.iter().zip(known).all(same_level) {
                return false;
            }
        }
        found.same_bins = found.grids.same_bins(&self.grids);
        found.grids.clone_from(&found.work.last_grids);
        found.alike = total.alike();
        found.first_strength = [bodies[0].adhesion.sqrt(), bodies[0].repulsion.sqrt()];
        std::mem::swap(self, found);
        // Not part of an order.
        std::mem::swap(&mut self.second, &mut found.second);
        self.fill(bodies);
        true
    }

    /// The census of bodies; nothing if they are other cells than those known, or elsewhere.
    fn look_at(&mut self, known: &[ContactBody], bodies: &[ContactBody]) -> Option<Census> {
        let deal = Deal::of(bodies.len(), self.grids.bins as usize);
        let census = &mut self.work.census;
        census.clear();
        census.resize(deal.pieces, Census::default());
        let differs = AtomicBool::new(false);
        for_each_chunk_mut(census, 1, |piece, census| {
            let rows = piece * deal.rows..((piece + 1) * deal.rows).min(bodies.len());
            let (bodies, known) = (&bodies[rows.clone()], &known[rows]);
            let is_same = |(body, known): (&ContactBody, &ContactBody)| {
                body.id == known.id
                    && body.position.map(f32::to_bits) == known.position.map(f32::to_bits)
            };
            if !bodies.iter().zip(known).all(is_same) {
                differs.store(true, Ordering::Relaxed);
                return;
            }
            census[0] = Census::of(bodies);
        });
        if differs.into_inner() {
            return None;
        }
        let mut total = Census::default();
        for census in &self.work.census {
            total.merge(census);
        }
        Some(total)
    }

    /// Fills in what may differ from cell to cell besides its place.
    fn fill(&mut self, bodies: &[ContactBody]) {
        let (len, alike) = (self.len, self.alike);
        let padded = if alike { 0 } else { len + LANES };
        for values in &mut self.strengths {
            reserve_sparingly(values, padded);
            values.resize(padded, 0.0);
        }
        let radius = Disjoint::new(&mut self.radius);
        let strengths = self
            .strengths
            .each_mut()
            .map(|values| Disjoint::new(values));
        let row = &self.row;
        for_each_chunk(len, ROWS.1, |_, slots| {
            // SAFETY: pieces are disjoint.
            let radius = unsafe { radius.slice(slots.clone()) };
            for (radius, row) in radius.iter_mut().zip(&row[slots.clone()]) {
                *radius = bodies[*row as usize].radius;
            }
            if !alike {
                let [adhesion, repulsion] = &strengths;
                // SAFETY: as above.
                let (adhesion, repulsion) = unsafe {
                    (
                        adhesion.slice(slots.clone()),
                        repulsion.slice(slots.clone()),
                    )
                };
                let strengths = adhesion.iter_mut().zip(repulsion);
                for ((adhesion, repulsion), row) in strengths.zip(&row[slots]) {
                    let body = &bodies[*row as usize];
                    *adhesion = body.adhesion.sqrt();
                    *repulsion = body.repulsion.sqrt();
                }
            }
        });
    }
}
