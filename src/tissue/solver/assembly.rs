//! Writing the equations of the finest level from what the caller handed in.
//!
//! Saturating uptake is linearised by its tangent at the last iterate (Newton). Uptake is concave in
//! the concentration, so the tangent never underestimates it: from the first step on the iterates
//! lie below the solution and rise to it, whatever the start (monotone Newton for inverse-positive
//! systems; Ortega and Rheinboldt 1970, ch. 13). Cutting them off at zero keeps that order, since
//! zero too lies below the solution.

use crate::core::parallel::for_each_chunk_mut;

use super::kernels::{Kernel, RowOf, row_residual, sum_of_squares, weighed_squares, wide};
use super::layout::{Layout, Transfer};
use super::level::Level;
use super::medium::{LocalTerms, Reservoir, Saturating};
use super::multigrid::{coarse_planes_per_piece, coarse_row_above, invert_row};

/// What a voxel exchanges with an outer face or with a held neighbour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// Plane of the voxel.
    pub plane: usize,
    pub colour: usize,
    /// Place of the voxel in the array of its colour.
    pub place: usize,
    /// Loss, 1/min.
    pub out: f32,
    /// Supply, c/min.
    pub supply: f32,
}

/// A held voxel.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeldPlace {
    pub plane: usize,
    pub colour: usize,
    pub place: usize,
    /// Place in an array over the grid.
    pub index: usize,
    pub value: f32,
}

/// Links and held voxels, each sorted by plane.
#[derive(Clone, Debug, Default)]
pub(super) struct Edges {
    pub links: Vec<Link>,
    pub held: Vec<HeldPlace>,
    /// First link of each plane, and their number at the end.
    pub links_from: Vec<usize>,
    /// First held voxel of each plane, and their number at the end.
    pub held_from: Vec<usize>,
}

impl Edges {
    pub fn index(&mut self, planes: usize) {
        self.links.sort_by_key(|link| link.plane);
        self.held.sort_by_key(|held| held.plane);
        let starts = |plane_of: &dyn Fn(usize) -> usize, len: usize| {
            let mut starts = Vec::with_capacity(planes + 1);
            let mut at = 0;
            for plane in 0..=planes {
                while at < len && plane_of(at) < plane {
                    at += 1;
                }
                starts.push(at);
            }
            starts
        };
        self.links_from = starts(&|n| self.links[n].plane, self.links.len());
        self.held_from = starts(&|n| self.held[n].plane, self.held.len());
    }

    pub fn links_of(&self, plane: usize) -> &[Link] {
        &self.links[self.links_from[plane]..self.links_from[plane + 1]]
    }

    pub fn held_of(&self, plane: usize) -> &[HeldPlace] {
        &self.held[self.held_from[plane]..self.held_from[plane + 1]]
    }
}

/// The linear part of the local terms by colour, kept while the uptake is linearised anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Linear {
    /// First-order loss, 1/min.
    pub rate: [Vec<f32>; 2],
    /// Supply, c/min.
    pub supply: [Vec<f32>; 2],
}

impl Linear {
    pub fn new(layout: &Layout) -> Self {
        let pair = || [vec![0.0; layout.len()], vec![0.0; layout.len()]];
        Self {
            rate: pair(),
            supply: pair(),
        }
    }
}

/// Everything local that one solve needs.
#[derive(Clone, Copy)]
pub(super) struct Inputs<'a> {
    pub terms: &'a LocalTerms<'a>,
    /// 1/dt, or 0 when quasi-steady.
    pub per_dt: f32,
    /// Values handed in.
    pub old: &'a [f32],
    pub edges: &'a Edges,
}

/// Sums of squares over all voxels.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Norms {
    /// Of the residual.
    pub residual: f64,
    /// Of the supply.
    pub supply: f64,
    /// Of the diagonal times the value: what rounding acts on.
    pub diagonal: f64,
}

/// Copies values from grid order to the two colours of a level; held voxels become zero.
pub(super) fn split_values(level: &mut Level, edges: &Edges, values: &[f32]) {
    let layout = level.layout;
    let [nx, ny, _] = layout.dims;
    let [red, black] = &mut level.c;
    let piece = layout.piece();
    let mut jobs: Vec<_> = red
        .chunks_mut(piece)
        .zip(black.chunks_mut(piece))
        .enumerate()
        .collect();
    let order = Transfer::new(&layout, true);
    for_each_chunk_mut(&mut jobs, 1, |_, jobs| {
        for (index, (red, black)) in jobs {
            let first = *index * layout.planes_per_piece;
            for local in 0..red.len() / layout.plane() {
                let k = first + local;
                for j in 0..ny {
                    let at = layout.row(j, local);
                    let row = &values[(k * ny + j) * nx..][..nx];
                    let red = &mut red[at..at + layout.half];
                    let black = &mut black[at..at + layout.half];
                    if Layout::offset(j, k, 0) == 0 {
                        order.split(row, nx, red, black);
                    } else {
                        order.split(row, nx, black, red);
                    }
                }
                for held in edges.held_of(k) {
                    let place = held.place - first * layout.plane();
                    if held.colour == 0 {
                        red[place] = 0.0;
                    } else {
                        black[place] = 0.0;
                    }
                }
            }
        }
    });
}

struct Job<'a> {
    level: &'a Level,
    inputs: Inputs<'a>,
    /// Whether the linear part is written too, or only the uptake linearised.
    anew: bool,
    first: usize,
    coarse_first: usize,
    coarse_transfer: Option<Transfer>,
    rate: [&'a mut [f32]; 2],
    supply: [&'a mut [f32]; 2],
    rhs: [&'a mut [f32]; 2],
    inverse: [&'a mut [f32]; 2],
    coarse: &'a mut [f32],
    norms: Norms,
}

/// Writes the equations of the finest level about its present unknowns, hands the local rates to the
/// buffer of the coarser one, and measures the residual.
pub(super) fn assemble(
    level: &mut Level,
    coarse: Option<&mut Level>,
    linear: &mut Linear,
    inputs: Inputs,
    anew: bool,
) -> Norms {
    let layout = level.layout;
    let piece = layout.piece();
    let mut rhs = std::mem::take(&mut level.rhs);
    let mut inverse = std::mem::take(&mut level.inverse);
    let shared = &*level;
    let coarse_planes = coarse_planes_per_piece(shared);
    let coarse_transfer = coarse.as_ref().map(|coarse| coarse.transfer);
    let mut coarse_pieces = coarse.map(|coarse| {
        coarse.buffer.fill(0.0);
        coarse
            .buffer
            .chunks_mut(coarse_planes * coarse.transfer.plane())
    });
    let mut norms = Norms::default();
    {
        let [rate_0, rate_1] = linear.rate.each_mut().map(|v| v.chunks_mut(piece));
        let [supply_0, supply_1] = linear.supply.each_mut().map(|v| v.chunks_mut(piece));
        let [rhs_0, rhs_1] = rhs.each_mut().map(|v| v.chunks_mut(piece));
        let [inverse_0, inverse_1] = inverse.each_mut().map(|v| v.chunks_mut(piece));
        let mut jobs: Vec<Job> = rate_0
            .zip(rate_1)
            .zip(supply_0.zip(supply_1))
            .zip(rhs_0.zip(rhs_1))
            .zip(inverse_0.zip(inverse_1))
            .enumerate()
            .map(|(index, (((rate, supply), rhs), inverse))| Job {
                level: shared,
                inputs,
                anew,
                first: index * layout.planes_per_piece,
                coarse_first: index * coarse_planes,
                coarse_transfer,
                rate: rate.into(),
                supply: supply.into(),
                rhs: rhs.into(),
                inverse: inverse.into(),
                coarse: coarse_pieces
                    .as_mut()
                    .and_then(Iterator::next)
                    .unwrap_or_default(),
                norms: Norms::default(),
            })
            .collect();
        for_each_chunk_mut(&mut jobs, 1, |_, jobs| {
            for job in jobs {
                wide(job);
            }
        });
        for job in &jobs {
            norms.residual += job.norms.residual;
            norms.supply += job.norms.supply;
            norms.diagonal += job.norms.diagonal;
        }
    }
    level.rhs = rhs;
    level.inverse = inverse;
    norms
}

impl Kernel for &mut Job<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let layout = self.level.layout;
        for local in 0..self.rate[0].len() / layout.plane() {
            let k = self.first + local;
            if self.anew {
                self.linear_part(local, k);
            }
            self.whole_plane(local, k);
        }
    }
}

impl Job<'_> {
    /// Decay, rates, exchange, bulk sources, old values, outer faces and held voxels.
    #[inline(always)]
    fn linear_part(&mut self, local: usize, k: usize) {
        let layout = self.level.layout;
        let [nx, ny, _] = layout.dims;
        let Inputs {
            terms,
            per_dt,
            old,
            edges,
        } = self.inputs;
        for colour in 0..2 {
            for j in 0..ny {
                let at = layout.row(j, local);
                let offset = Layout::offset(j, k, colour);
                let count = layout.count(offset);
                let from = (k * ny + j) * nx;
                let rate = &mut self.rate[colour][at..at + count];
                let supply = &mut self.supply[colour][at..at + count];
                rate.fill(terms.decay_per_min + per_dt);
                if let Some(each) = terms.rate_per_min {
                    rate.iter_mut()
                        .zip(every_other(each, from, nx, offset))
                        .for_each(|(r, v)| *r += v);
                }
                match terms.source_per_min {
                    Some(each) => supply
                        .iter_mut()
                        .zip(every_other(each, from, nx, offset))
                        .for_each(|(s, v)| *s = v),
                    None => supply.fill(0.0),
                }
                if per_dt > 0.0 {
                    supply
                        .iter_mut()
                        .zip(every_other(old, from, nx, offset))
                        .for_each(|(s, v)| *s += v * per_dt);
                }
                if let Some(exchange) = terms.exchange {
                    let wall = every_other(exchange.rate_per_min, from, nx, offset);
                    let both = rate.iter_mut().zip(supply.iter_mut()).zip(wall);
                    match exchange.reservoir {
                        Reservoir::Uniform(level) => both.for_each(|((r, s), v)| {
                            *r += v;
                            *s += v * level;
                        }),
                        Reservoir::PerVoxel(levels) => {
                            both.zip(every_other(levels, from, nx, offset)).for_each(
                                |(((r, s), v), level)| {
                                    *r += v;
                                    *s += v * level;
                                },
                            );
                        }
                    }
                }
            }
        }
        let before = self.first * layout.plane();
        for link in edges.links_of(k) {
            self.supply[link.colour][link.place - before] += link.supply;
        }
        for held in edges.held_of(k) {
            self.rate[held.colour][held.place - before] = 0.0;
            self.supply[held.colour][held.place - before] = 0.0;
        }
    }

    /// Right-hand side and reciprocal diagonal of a plane, and its share of the norms.
    #[inline(always)]
    fn whole_plane(&mut self, local: usize, k: usize) {
        let layout = self.level.layout;
        let [nx, ny, _] = layout.dims;
        let half = layout.half;
        let before = self.first * layout.plane();
        for colour in 0..2 {
            for j in 0..ny {
                let at = layout.row(j, local);
                let supply = &self.supply[colour][at..at + half];
                let rhs = &mut self.rhs[colour][at..at + half];
                let inverse = &mut self.inverse[colour][at..at + half];
                self.norms.supply += sum_of_squares(supply);
                rhs.copy_from_slice(supply);
                inverse.copy_from_slice(&self.rate[colour][at..at + half]);
                let offset = Layout::offset(j, k, colour);
                let count = layout.count(offset);
                let from = (k * ny + j) * nx;
                let c = &self.level.c[colour][layout.row(j, k)..][..half];
                for term in self.inputs.terms.saturating {
                    let vmax = &term.vmax_per_min[from..from + nx];
                    add_tangent(term, vmax, offset, &c[..count], rhs, inverse);
                }
            }
        }
        // Held voxels take nothing up.
        for held in self.inputs.edges.held_of(k) {
            self.rhs[held.colour][held.place - before] = 0.0;
            self.inverse[held.colour][held.place - before] = 0.0;
        }
        for colour in 0..2 {
            for j in 0..ny {
                let at = layout.row(j, local);
                let inverse = &mut self.inverse[colour][at..at + half];
                let above = self.coarse_transfer.as_ref().map(|transfer| {
                    coarse_row_above(
                        self.level,
                        transfer,
                        self.coarse_first,
                        (j, k),
                        colour,
                        self.coarse,
                    )
                });
                invert_row(self.level, colour, (j, k), inverse, above);
            }
        }
        for held in self.inputs.edges.held_of(k) {
            self.inverse[held.colour][held.place - before] = 0.0;
        }
        for colour in 0..2 {
            for j in 0..ny {
                let at = layout.row(j, local);
                let whole = layout.row(j, k);
                let inverse = &self.inverse[colour][at..at + half];
                let row = RowOf {
                    colour,
                    j,
                    k,
                    at: whole,
                    rhs: &self.rhs[colour][at..at + half],
                    inverse,
                };
                self.norms.residual += row_residual(self.level, row, 0.0);
                let c = &self.level.c[colour][whole..whole + half];
                self.norms.diagonal += weighed_squares(c, inverse);
            }
        }
    }
}

/// The voxels of parity `offset` of the row of `nx` voxels that starts at `from`.
#[inline(always)]
fn every_other(
    values: &[f32],
    from: usize,
    nx: usize,
    offset: usize,
) -> impl Iterator<Item = f32> + '_ {
    let row = &values[from..from + nx];
    row[offset.min(nx)..].iter().step_by(2).copied()
}

/// Adds the tangent of a saturating uptake at `c` to rate and right-hand side.
#[inline(always)]
fn add_tangent(
    term: &Saturating,
    vmax: &[f32],
    offset: usize,
    c: &[f32],
    rhs: &mut [f32],
    rate: &mut [f32],
) {
    let half_saturation = term.half_saturation;
    let vmax = vmax[offset.min(vmax.len())..].iter().step_by(2);
    for (((c, vmax), rhs), rate) in c.iter().zip(vmax).zip(rhs).zip(rate) {
        let whole = 1.0 / (half_saturation + c);
        let steep = vmax * whole * whole;
        *rate += steep * half_saturation;
        *rhs -= steep * c * c;
    }
}
