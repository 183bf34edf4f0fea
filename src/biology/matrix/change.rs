//! How the matrix changes in a step.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    CROSSLINKING, DIGESTION, EVERY_MINUTES, FACTORS, Matrix, MatrixBook, MatrixHindrance,
    MatrixParameters,
};
use crate::core::Clock;
use crate::core::input::{Inputs, Regulated};
use crate::core::parallel::for_each_piece;
use crate::core::random::probability;
use crate::core::units::{MINUTES_PER_HOUR, MOLECULES_PER_UM3_PER_NM, SECONDS_PER_MINUTE};
use crate::tissue::{Bookings, Fields, SiteId, Sites, Solves};

/// Voxels in one piece of work.
pub(super) const VOXELS: usize = 4096;

/// What became of the collagen of a site since its beginning, pg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Turnover {
    /// Laid down by cells.
    pub laid_pg: f64,
    /// Brought back by the tissue.
    pub regrown_pg: f64,
    /// Digested.
    pub digested_pg: f64,
}

impl Turnover {
    fn add(&mut self, other: Self) {
        self.laid_pg += other.laid_pg;
        self.regrown_pg += other.regrown_pg;
        self.digested_pg += other.digested_pg;
    }
}

/// What happens in a voxel in a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    /// Digestion, 1/min, without the brake of crosslinks.
    pub digestion_per_min: f32,
    /// Laid down, 1/min.
    pub deposition_per_min: f32,
    /// Crosslinking, 1/min.
    pub crosslinking_per_min: f32,
    /// Return to the native density, 1/min.
    pub regeneration_per_min: f32,
    /// The native density.
    pub native: f32,
    pub minutes: f32,
}

/// Density and crosslinking of a voxel after a step, and how they came about; all in the unit of density.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Changed {
    pub density: f32,
    pub crosslinking: f32,
    pub digested: f32,
    pub laid: f32,
    pub regrown: f32,
    /// The share of the voxel's stores that is set free.
    pub freed: f32,
}

/// Share of something that is gone after a time, at that rate; most rates of a matrix are slow.
#[inline]
fn share_after(per_min: f32, minutes: f32) -> f32 {
    let x = per_min * minutes;
    if x < 1.0e-3 {
        // To the rounding of a number of single precision.
        x * (1.0 - 0.5 * x)
    } else {
        probability(per_min, minutes)
    }
}

impl Change {
    /// Carries it out: digestion, laying down and regeneration, each exact on its own, in that order.
    #[inline]
    pub fn of(&self, density: f32, crosslinking: f32, resistance: f32) -> Changed {
        let brake = 1.0 + resistance * crosslinking;
        let freed = share_after(self.digestion_per_min / brake, self.minutes);
        let left = density * (1.0 - freed);
        let laid = (1.0 - left) * share_after(self.deposition_per_min, self.minutes);
        let regrown = (self.native - left - laid).max(0.0)
            * share_after(self.regeneration_per_min, self.minutes);
        let now = left + laid + regrown;
        let linked = share_after(self.crosslinking_per_min, self.minutes);
        let old = crosslinking + (1.0 - crosslinking) * linked;
        Changed {
            density: now,
            // What is new is not crosslinked.
            crosslinking: if now > 0.0 { old * (left / now) } else { 0.0 },
            digested: density - left,
            laid,
            regrown,
            freed: if density > 0.0 { freed } else { 0.0 },
        }
    }
}

/// What a store gives back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unbinding {
    /// Unbinding, 1/min.
    pub unbinding_per_min: f32,
    /// Share of what digestion sets free that is active; the rest is lost.
    pub active_share: f32,
}

impl Unbinding {
    /// A store, nM of the voxel, after a step in which that share of its matrix was digested, and what is given to the field.
    #[inline]
    pub fn of(&self, store: f32, freed: f32, minutes: f32) -> (f32, f32) {
        let digested = store * freed;
        let kept = store - digested;
        let unbound = kept * share_after(self.unbinding_per_min, minutes);
        (kept - unbound, digested * self.active_share + unbound)
    }
}

/// The matrix changes as cells and molecules make it, and what it held goes into the fields.
pub fn remodel(
    clock: Res<Clock>,
    parameters: Res<MatrixParameters>,
    sites: Res<Sites>,
    bookings: Bookings,
    (inputs, regulated): (Res<Inputs>, Regulated),
    mut matrices: Query<(
        Entity,
        &SiteId,
        &mut Matrix,
        &mut MatrixBook,
        &mut MatrixHindrance,
    )>,
) {
    if matrices.is_empty() {
        return;
    }
    // Since it was worked on last; what is set free in that time is booked for this step.
    let turn = clock.steps_in(EVERY_MINUTES);
    let minutes = clock.dt_minutes() * turn as f32;
    let parameters = &*parameters;
    let stored = FACTORS.map(|name| bookings.of(name));
    let every = clock.steps_in(f64::from(parameters.hindrance_every_min)) / turn;
    let regeneration_per_min = parameters.regeneration_per_day / (24.0 * MINUTES_PER_HOUR as f32);
    for (entity, site, mut matrix, mut book, mut hindrance) in &mut matrices {
        let [digestion, crosslinking_per_min] = [DIGESTION, CROSSLINKING].map(|name| {
            let values = regulated.of_elements(&inputs, name, entity);
            values.unwrap_or_default()
        });
        let (site, block) = (*site, &sites.get(*site).block);
        let voxel_um3 = block.voxel_volume_um3();
        let full_pg = parameters.collagen_pg_per_um3 * voxel_um3;
        // nM in a voxel, over a step, as molecules a second.
        let molecules_per_s = voxel_um3 * MOLECULES_PER_UM3_PER_NM as f32
            / (clock.dt_minutes() * SECONDS_PER_MINUTE as f32);
        let binding = parameters.binding_per_min();
        let unbindings: [Unbinding; 3] = std::array::from_fn(|factor| {
            // Nothing binds of a molecule that the site does not simulate, nor does it come off.
            let is_there = binding[factor] > 0.0 && stored[factor].is_in(site);
            Unbinding {
                unbinding_per_min: if is_there {
                    parameters.unbinding_per_min
                } else {
                    0.0
                },
                active_share: parameters.release_share,
            }
        });
        let Matrix {
            density,
            native,
            crosslinking,
            fibres,
            bound,
            turnover,
        } = matrix.bypass_change_detection();
        let mut sums = std::mem::take(&mut book.pieces);
        let books = &*book;
        let [first, second, third] = bound.each_mut().map(|store| store.chunks_mut(VOXELS));
        let pieces = density
            .chunks_mut(VOXELS)
            .zip(crosslinking.chunks_mut(VOXELS))
            .zip(fibres.chunks_mut(VOXELS))
            .zip(first.zip(second).zip(third))
            .zip(sums.iter_mut())
            .enumerate();
        let native = &*native;
        for_each_piece(pieces, |(piece, (((voxels, fibres), stores), sum))| {
            let (densities, crosslinkings) = voxels;
            let ((first, second), third) = stores;
            let stores = [first, second, third];
            *sum = Turnover::default();
            for at in 0..densities.len() {
                let voxel = piece * VOXELS + at;
                let change = Change {
                    digestion_per_min: digestion.get(voxel).copied().unwrap_or(0.0)
                        + books.digestion.sum(voxel),
                    deposition_per_min: books.deposition.sum(voxel) / full_pg,
                    crosslinking_per_min: crosslinking_per_min.get(voxel).copied().unwrap_or(0.0),
                    regeneration_per_min,
                    native: native[voxel],
                    minutes,
                };
                let changed = change.of(
                    densities[at],
                    crosslinkings[at],
                    parameters.crosslink_resistance,
                );
                for factor in 0..FACTORS.len() {
                    let booking = &stored[factor];
                    let store = &mut *stores[factor];
                    let (left, given) = unbindings[factor].of(store[at], changed.freed, minutes);
                    store[at] = left;
                    // What is never booked is solved in a simpler way.
                    if given != 0.0 {
                        booking.secrete(site, voxel as u32, given * molecules_per_s);
                    }
                }
                densities[at] = changed.density;
                crosslinkings[at] = changed.crosslinking;
                if let Some((per_min, pulled)) =
                    books.pulled(voxel, block.dims, parameters.pull_on_neighbours)
                {
                    fibres[at] = fibres[at].towards(pulled, share_after(per_min, minutes));
                }
                sum.laid_pg += f64::from(changed.laid);
                sum.regrown_pg += f64::from(changed.regrown);
                sum.digested_pg += f64::from(changed.digested);
            }
            sum.laid_pg *= f64::from(full_pg);
            sum.regrown_pg *= f64::from(full_pg);
            sum.digested_pg *= f64::from(full_pg);
        });
        // In the order of pieces, whoever worked on them.
        sums.iter().for_each(|sum| turnover.add(*sum));
        book.pieces = sums;
        book.clear();
        // Its pores are shown anew.
        matrix.set_changed();
        if (clock.step / turn).is_multiple_of(every.max(1))
            && !hindrance.is_of(&matrix.density, parameters)
        {
            hindrance.follow(&matrix.density, parameters);
        }
    }
}

/// Books for the fields that are solved in this step what the matrix clears of them: factors that bind to it.
pub fn offer_to_bind(
    parameters: Res<MatrixParameters>,
    sites: Res<Sites>,
    bookings: Bookings,
    solves: Solves,
    mut matrices: Query<(&SiteId, &Matrix, &mut MatrixBook)>,
) {
    if matrices.is_empty() {
        return;
    }
    let binding = parameters.binding_per_min();
    let stored = FACTORS.map(|name| bookings.of(name));
    for (site, matrix, mut book) in &mut matrices {
        let site = *site;
        let voxel_um3 = sites.get(site).block.voxel_volume_um3();
        let solved = FACTORS.map(|name| solves.of(site, name));
        book.binds_over_min = solved.map(|of| of.map_or(0.0, |(minutes, _)| minutes));
        for factor in 0..FACTORS.len() {
            // The ledger takes the mean over the steps since the last solve, and this is the one in which binding is booked. In
            // um3/min at density 1.
            let clears =
                solved[factor].map_or(0.0, |(_, steps)| binding[factor] * steps as f32 * voxel_um3);
            if clears <= 0.0 {
                continue;
            }
            let booking = &stored[factor];
            for_each_piece(
                matrix.density.chunks(VOXELS).enumerate(),
                |(piece, density)| {
                    for (at, density) in density.iter().enumerate() {
                        if *density > 0.0 {
                            booking.absorb(site, (piece * VOXELS + at) as u32, clears * density);
                        }
                    }
                },
            );
        }
    }
}

/// What the fields lost to the matrix as they were solved is bound: the volume that was booked to be cleared of a factor, at the
/// concentration that the solve left, so that what is free and what is bound add up.
pub fn bind(
    parameters: Res<MatrixParameters>,
    fields: Fields,
    mut matrices: Query<(&SiteId, &mut Matrix, &mut MatrixBook)>,
) {
    if matrices.is_empty() {
        return;
    }
    let binding = parameters.binding_per_min();
    let free = FACTORS.map(|name| fields.of(name));
    for (site, mut matrix, mut book) in &mut matrices {
        let over_min = std::mem::take(&mut book.binds_over_min);
        let Matrix { density, bound, .. } = matrix.bypass_change_detection();
        for factor in 0..FACTORS.len() {
            let share = binding[factor] * over_min[factor];
            if share <= 0.0 {
                continue;
            }
            let free = &free[factor];
            let pieces = bound[factor].chunks_mut(VOXELS).zip(density.chunks(VOXELS));
            for_each_piece(pieces.enumerate(), |(piece, (store, density))| {
                for (at, (store, density)) in store.iter_mut().zip(density).enumerate() {
                    let voxel = (piece * VOXELS + at) as u32;
                    *store += share * density * free.at(*site, voxel);
                }
            });
        }
    }
}
