//! Writing the equations of the finest level from what the caller handed in.
//!
//! Saturating uptake is linearised by its tangent at the last iterate (Newton). Uptake is concave in
//! the concentration, so the tangent never underestimates it: from the first step on the iterates
//! lie below the solution and rise to it, whatever the start (monotone Newton for inverse-positive
//! systems; Ortega and Rheinboldt 1970, ch. 13). Cutting them off at zero keeps that order, since
//! zero too lies below the solution.

use crate::core::parallel::for_each_chunk_mut;

use super::kernels::{Kernel, add_shares, invert_and_measure, sum_of_squares, wide};
use super::layout::{Layout, Transfer};
use super::level::Level;
use super::medium::{LocalTerms, Reservoir};
use super::multigrid::{add_stencil, coarse_planes_per_piece, coarse_row_above};

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

/// Pairs of voxels worked through at a time; everything about them stays in the first-level cache.
const PAIRS: usize = 128;

impl Kernel for &mut Job<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let layout = self.level.layout;
        for local in 0..self.rate[0].len() / layout.plane() {
            let k = self.first + local;
            if self.anew {
                for j in 0..layout.dims[1] {
                    self.linear_row(local, j, k);
                }
                self.edges_of(k);
            }
            for j in 0..layout.dims[1] {
                self.tangent_row(local, j, k);
                for colour in 0..2 {
                    self.finish_row(colour, local, j, k);
                }
            }
        }
    }
}

impl Job<'_> {
    /// Decay, rates, exchange, bulk sources and old values of a row.
    #[inline(always)]
    fn linear_row(&mut self, local: usize, j: usize, k: usize) {
        let layout = self.level.layout;
        let [nx, ny, _] = layout.dims;
        let Inputs {
            terms, per_dt, old, ..
        } = self.inputs;
        let row = (k * ny + j) * nx;
        let order = Transfer::new(&layout, true);
        let even = Layout::offset(j, k, 0);
        let mut rates = [0.0_f32; 2 * PAIRS];
        let mut supplies = [0.0_f32; 2 * PAIRS];
        for x in (0..nx).step_by(2 * PAIRS) {
            let n = (2 * PAIRS).min(nx - x);
            let range = row + x..row + x + n;
            let (rate, supply) = (&mut rates[..n], &mut supplies[..n]);
            rate.fill(terms.decay_per_min + per_dt);
            if let Some(each) = terms.rate_per_min {
                for (r, v) in rate.iter_mut().zip(&each[range.clone()]) {
                    *r += v;
                }
            }
            match terms.source_per_min {
                Some(each) => supply.copy_from_slice(&each[range.clone()]),
                None => supply.fill(0.0),
            }
            if per_dt > 0.0 {
                for (s, v) in supply.iter_mut().zip(&old[range.clone()]) {
                    *s += v * per_dt;
                }
            }
            if let Some(exchange) = terms.exchange {
                let wall = &exchange.rate_per_min[range.clone()];
                let both = rate.iter_mut().zip(supply.iter_mut()).zip(wall);
                match exchange.reservoir {
                    Reservoir::Uniform(level) => {
                        for ((r, s), v) in both {
                            *r += v;
                            *s += v * level;
                        }
                    }
                    Reservoir::PerVoxel(levels) => {
                        for (((r, s), v), level) in both.zip(&levels[range]) {
                            *r += v;
                            *s += v * level;
                        }
                    }
                }
            }
            let at = layout.row(j, local) + x / 2;
            let [red, black] = &mut self.rate;
            let (red, black) = (&mut red[at..], &mut black[at..]);
            let (evens, odds) = if even == 0 {
                (red, black)
            } else {
                (black, red)
            };
            order.split(rate, n, evens, odds);
            let [red, black] = &mut self.supply;
            let (red, black) = (&mut red[at..], &mut black[at..]);
            let (evens, odds) = if even == 0 {
                (red, black)
            } else {
                (black, red)
            };
            order.split(supply, n, evens, odds);
        }
    }

    /// Supply from outer faces and held neighbours. A held voxel gets an infinite rate, which makes
    /// its unknown zero.
    #[inline(always)]
    fn edges_of(&mut self, k: usize) {
        let before = self.first * self.level.layout.plane();
        for link in self.inputs.edges.links_of(k) {
            self.supply[link.colour][link.place - before] += link.supply;
        }
        for held in self.inputs.edges.held_of(k) {
            self.rate[held.colour][held.place - before] = f32::INFINITY;
            self.supply[held.colour][held.place - before] = 0.0;
        }
    }

    /// Rates (into `inverse`) and right-hand sides of a row with the uptake's tangent at the present
    /// unknowns.
    #[inline(always)]
    fn tangent_row(&mut self, local: usize, j: usize, k: usize) {
        let layout = self.level.layout;
        let [nx, ny, _] = layout.dims;
        let half = layout.half;
        let at = layout.row(j, local);
        for colour in 0..2 {
            let supply = &self.supply[colour][at..at + half];
            self.norms.supply += sum_of_squares(supply);
            self.rhs[colour][at..at + half].copy_from_slice(supply);
            self.inverse[colour][at..at + half].copy_from_slice(&self.rate[colour][at..at + half]);
        }
        let row = (k * ny + j) * nx;
        let whole = layout.row(j, k);
        let order = Transfer::new(&layout, true);
        let of_even = Layout::offset(j, k, 0);
        let mut evens = [0.0_f32; PAIRS];
        let mut odds = [0.0_f32; PAIRS];
        for term in self.inputs.terms.saturating {
            for x in (0..nx).step_by(2 * PAIRS) {
                let n = (2 * PAIRS).min(nx - x);
                let vmax = &term.vmax_per_min[row + x..row + x + n];
                order.split(vmax, n, &mut evens, &mut odds);
                let by_parity = [
                    (of_even, &evens[..n.div_ceil(2)]),
                    (1 - of_even, &odds[..n / 2]),
                ];
                for (colour, vmax) in by_parity {
                    let (from, size) = (x / 2, vmax.len());
                    add_tangent(
                        term.half_saturation,
                        vmax,
                        &self.level.c[colour][whole + from..][..size],
                        &mut self.rhs[colour][at + from..][..size],
                        &mut self.inverse[colour][at + from..][..size],
                    );
                }
            }
        }
    }

    /// Turns the rates of a row into reciprocal diagonals, handing them to the coarser level and
    /// measuring the residual on the way.
    #[inline(always)]
    fn finish_row(&mut self, colour: usize, local: usize, j: usize, k: usize) {
        let layout = self.level.layout;
        let at = layout.row(j, local);
        let whole = layout.row(j, k);
        let inverse = &mut self.inverse[colour][at..at + layout.half];
        if let Some(transfer) = &self.coarse_transfer {
            let (row, share) = coarse_row_above(
                self.level,
                transfer,
                self.coarse_first,
                (j, k),
                colour,
                self.coarse,
            );
            let offset = Layout::offset(j, k, colour);
            let mut finite = [0.0_f32; PAIRS];
            for (block, rates) in inverse.chunks(PAIRS).enumerate() {
                let finite = &mut finite[..rates.len()];
                for (f, rate) in finite.iter_mut().zip(rates) {
                    *f = if *rate < f32::INFINITY { *rate } else { 0.0 };
                }
                add_shares(self.level, offset, share, block * PAIRS, finite, row);
            }
        }
        add_stencil(self.level, colour, (j, k), inverse);
        let (residual, diagonal) = invert_and_measure(
            self.level,
            colour,
            (j, k),
            &self.level.c[colour][whole..whole + layout.half],
            &self.rhs[colour][at..at + layout.half],
            inverse,
        );
        self.norms.residual += residual;
        self.norms.diagonal += diagonal;
    }
}

/// Adds the tangent of a saturating uptake at `c` to rate and right-hand side.
#[inline(always)]
fn add_tangent(half_saturation: f32, vmax: &[f32], c: &[f32], rhs: &mut [f32], rate: &mut [f32]) {
    for (((c, vmax), rhs), rate) in c.iter().zip(vmax).zip(rhs).zip(rate) {
        let whole = 1.0 / (half_saturation + c);
        let steep = vmax * whole * whole;
        *rate += steep * half_saturation;
        *rhs -= steep * c * c;
    }
}
