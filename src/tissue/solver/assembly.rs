//! Writing the equations of the finest level from what the caller handed in.
//!
//! This is done once in a solve. What is linear goes into the diagonal and the right-hand side; saturating
//! uptake is kept as it is and relaxed exactly ([`super::local`]). The rates that the coarse levels work
//! with are laid out on the way; the tangents of the uptake come on top of them in
//! [`super::multigrid::measure`].

use crate::core::parallel::for_each_chunk_mut;

use super::kernels::{Kernel, add_shares, sum_of_squares, wide};
use super::layout::{Layout, Transfer};
use super::level::{Level, Uptake};
use super::medium::{LocalTerms, Reservoir};
use super::multigrid::{add_stencil, coarse_planes_per_piece, coarse_row_above, invert};

/// What a voxel exchanges with an outer face or with a held neighbour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// Plane of the voxel.
    pub plane: u32,
    /// Place of the voxel in the array of its colour.
    place: u32,
    colour: u8,
    /// Loss, 1/min.
    pub out: f32,
    /// Supply, c/min.
    pub supply: f32,
}

impl Link {
    /// A link of a voxel in that plane, with its colour and its place in the array of the colour.
    pub fn new(plane: usize, (colour, place): (usize, usize), out: f32, supply: f32) -> Self {
        let short = |index: usize| {
            u32::try_from(index).expect("cells and fields number voxels with 32 bits")
        };
        Self {
            plane: short(plane),
            place: short(place),
            colour: colour as u8,
            out,
            supply,
        }
    }

    /// Colour of the voxel, and its place in the array of that colour.
    #[inline(always)]
    pub const fn place(&self) -> (usize, usize) {
        (self.colour as usize, self.place as usize)
    }
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
        self.links_from = starts(&|n| self.links[n].plane as usize, self.links.len());
        self.held_from = starts(&|n| self.held[n].plane, self.held.len());
    }

    pub fn links_of(&self, plane: usize) -> &[Link] {
        &self.links[self.links_from[plane]..self.links_from[plane + 1]]
    }

    pub fn held_of(&self, plane: usize) -> &[HeldPlace] {
        &self.held[self.held_from[plane]..self.held_from[plane + 1]]
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

/// Copies values from grid order to the two colours of a level; held voxels become zero.
pub(super) fn split_values(level: &mut Level, edges: &Edges, values: &[f32]) {
    let layout = level.layout;
    let [nx, ny, _] = layout.dims;
    let piece = layout.piece();
    let [red, black] = level.c.each_mut().map(|v| layout.body(v).chunks_mut(piece));
    let mut jobs: Vec<_> = red.zip(black).enumerate().collect();
    let order = Transfer::new(&layout, true);
    for_each_chunk_mut(&mut jobs, 1, |_, jobs| {
        for (index, (red, black)) in jobs {
            let first = *index * layout.planes_per_piece;
            for local in 0..red.len() / layout.plane() {
                let k = first + local;
                for j in 0..ny {
                    let at = layout.local_row(j, local);
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
                    let place = held.place - layout.row(0, first);
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

/// Makes room for the uptakes of a solve; what is there of an earlier one is written over.
pub(super) fn fit_uptakes(level: &mut Level, terms: &LocalTerms) {
    let len = level.layout.len();
    level
        .uptakes
        .resize_with(terms.saturating.len(), || Uptake {
            vmax: [vec![0.0; len], vec![0.0; len]],
            half_saturation: 1.0,
        });
    for (uptake, term) in level.uptakes.iter_mut().zip(terms.saturating) {
        uptake.half_saturation = term.half_saturation;
    }
}

struct Job<'a> {
    level: &'a Level,
    inputs: Inputs<'a>,
    first: usize,
    coarse_first: usize,
    coarse_transfer: Transfer,
    rhs: [&'a mut [f32]; 2],
    inverse: [&'a mut [f32]; 2],
    vmax: Vec<[&'a mut [f32]; 2]>,
    coarse: &'a mut [f32],
    supply: f64,
}

/// Writes the equations of the finest level, and the linear local rates to `coarse`, an array laid out like
/// the buffer of the coarser level; hands back the sum of squares of the supply.
pub(super) fn assemble(
    level: &mut Level,
    coarse: &mut [f32],
    coarse_transfer: Transfer,
    inputs: Inputs,
) -> f64 {
    let layout = level.layout;
    let piece = layout.piece();
    let mut rhs = std::mem::take(&mut level.rhs);
    let mut inverse = std::mem::take(&mut level.inverse);
    let mut uptakes = std::mem::take(&mut level.uptakes);
    let shared = &*level;
    let coarse_planes = coarse_planes_per_piece(shared);
    coarse.fill(0.0);
    let supply = {
        let [rhs_0, rhs_1] = rhs.each_mut().map(|v| layout.body(v).chunks_mut(piece));
        let [inverse_0, inverse_1] = inverse.each_mut().map(|v| layout.body(v).chunks_mut(piece));
        let mut vmax: Vec<_> = uptakes
            .iter_mut()
            .map(|uptake| {
                uptake
                    .vmax
                    .each_mut()
                    .map(|v| layout.body(v).chunks_mut(piece))
            })
            .collect();
        let coarse_pieces = coarse_transfer
            .body(coarse)
            .chunks_mut(coarse_planes * coarse_transfer.plane());
        let mut jobs: Vec<Job> = rhs_0
            .zip(rhs_1)
            .zip(inverse_0.zip(inverse_1))
            .zip(coarse_pieces)
            .enumerate()
            .map(|(index, ((rhs, inverse), coarse))| Job {
                level: shared,
                inputs,
                first: index * layout.planes_per_piece,
                coarse_first: index * coarse_planes,
                coarse_transfer,
                rhs: rhs.into(),
                inverse: inverse.into(),
                vmax: vmax
                    .iter_mut()
                    .map(|[red, black]| [red, black].map(|v| v.next().unwrap_or_default()))
                    .collect(),
                coarse,
                supply: 0.0,
            })
            .collect();
        for_each_chunk_mut(&mut jobs, 1, |_, jobs| {
            for job in jobs {
                wide(job);
            }
        });
        jobs.iter().map(|job| job.supply).sum()
    };
    level.rhs = rhs;
    level.inverse = inverse;
    level.uptakes = uptakes;
    supply
}

/// Pairs of voxels worked through at a time; everything about them stays in the first-level cache.
const PAIRS: usize = 128;

impl Kernel for &mut Job<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let layout = self.level.layout;
        for local in 0..self.rhs[0].len() / layout.plane() {
            let k = self.first + local;
            for j in 0..layout.dims[1] {
                self.linear_row(local, j, k);
                self.uptake_row(local, j, k);
            }
            self.edges_of(k);
            for j in 0..layout.dims[1] {
                for colour in 0..2 {
                    self.finish_row(colour, local, j, k);
                }
            }
        }
    }
}

impl Job<'_> {
    /// Decay, rates, exchange, bulk sources and old values of a row: rates to `inverse`, supply to `rhs`.
    #[inline(always)]
    fn linear_row(&mut self, local: usize, j: usize, k: usize) {
        let layout = self.level.layout;
        let [nx, ny, _] = layout.dims;
        let row = (k * ny + j) * nx;
        let order = Transfer::new(&layout, true);
        let even = Layout::offset(j, k, 0);
        let mut rates = [0.0_f32; 2 * PAIRS];
        let mut supplies = [0.0_f32; 2 * PAIRS];
        for x in (0..nx).step_by(2 * PAIRS) {
            let n = (2 * PAIRS).min(nx - x);
            let (rate, supply) = (&mut rates[..n], &mut supplies[..n]);
            terms_of(self.inputs, row + x..row + x + n, rate, supply);
            let at = layout.local_row(j, local) + x / 2;
            for (by_colour, values) in [(&mut self.inverse, rate), (&mut self.rhs, supply)] {
                let [red, black] = by_colour;
                let (red, black) = (&mut red[at..], &mut black[at..]);
                let (evens, odds) = if even == 0 {
                    (red, black)
                } else {
                    (black, red)
                };
                order.split(values, n, evens, odds);
            }
        }
    }

    /// Largest uptakes of a row.
    #[inline(always)]
    fn uptake_row(&mut self, local: usize, j: usize, k: usize) {
        let layout = self.level.layout;
        let [nx, ny, _] = layout.dims;
        let row = (k * ny + j) * nx;
        let order = Transfer::new(&layout, true);
        let at = layout.local_row(j, local);
        let even = Layout::offset(j, k, 0);
        for (term, [red, black]) in self.inputs.terms.saturating.iter().zip(&mut self.vmax) {
            let (red, black) = (&mut red[at..], &mut black[at..]);
            let (evens, odds) = if even == 0 {
                (red, black)
            } else {
                (black, red)
            };
            order.split(&term.vmax_per_min[row..row + nx], nx, evens, odds);
        }
    }

    /// Supply from outer faces and held neighbours. A held voxel gets an infinite rate, which makes
    /// its unknown zero.
    #[inline(always)]
    fn edges_of(&mut self, k: usize) {
        let before = self.level.layout.row(0, self.first);
        for link in self.inputs.edges.links_of(k) {
            let (colour, place) = link.place();
            self.rhs[colour][place - before] += link.supply;
        }
        for held in self.inputs.edges.held_of(k) {
            let place = held.place - before;
            self.inverse[held.colour][place] = f32::INFINITY;
            self.rhs[held.colour][place] = 0.0;
            for vmax in &mut self.vmax {
                vmax[held.colour][place] = 0.0;
            }
        }
    }

    /// Hands the rates of a row to the coarser level and turns them into diagonals, or into the reciprocals
    /// of those where nothing saturates.
    #[inline(always)]
    fn finish_row(&mut self, colour: usize, local: usize, j: usize, k: usize) {
        let layout = self.level.layout;
        let at = layout.local_row(j, local);
        let inverse = &mut self.inverse[colour][at..at + layout.run];
        // No rate at places without a voxel, whatever an earlier solve left there.
        let offset = Layout::offset(j, k, colour);
        inverse[layout.count(offset)..].fill(0.0);
        let (row, share) = coarse_row_above(
            self.level,
            &self.coarse_transfer,
            self.coarse_first,
            (j, k),
            colour,
            self.coarse,
        );
        let mut finite = [0.0_f32; PAIRS];
        for (block, rates) in inverse.chunks(PAIRS).enumerate() {
            let finite = &mut finite[..rates.len()];
            for (finite, rate) in finite.iter_mut().zip(rates) {
                *finite = if *rate < f32::INFINITY { *rate } else { 0.0 };
            }
            let from = block * PAIRS;
            let shares = &self.level.weights[offset].share[from..][..rates.len()];
            add_shares(shares, share, finite, &mut row[from..][..rates.len()]);
        }
        add_stencil(self.level, colour, (j, k), inverse);
        if self.vmax.is_empty() {
            invert(inverse);
        }
        self.supply += sum_of_squares(&self.rhs[colour][at..at + layout.run]);
    }
}

/// First-order rates (1/min) and supply (c/min) of voxels `range`.
#[inline(always)]
fn terms_of(inputs: Inputs, range: std::ops::Range<usize>, rate: &mut [f32], supply: &mut [f32]) {
    let Inputs {
        terms, per_dt, old, ..
    } = inputs;
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
    let Some(exchange) = terms.exchange else {
        return;
    };
    let scale = exchange.scale;
    let walls = exchange.rate_per_min[range.clone()]
        .iter()
        .map(|v| v * scale);
    let both = rate.iter_mut().zip(supply.iter_mut()).zip(walls);
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
