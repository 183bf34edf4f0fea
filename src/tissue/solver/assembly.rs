//! Writing the equations of the finest level from what the caller handed in.
//!
//! This is done once in a solve. What is linear goes into the diagonal and the right-hand side; saturating
//! uptake is kept as it is and relaxed exactly ([`super::local`]). What moves in all voxels is summed up on the
//! way: the scale on which a residual is small ([`super::Stopping::relative_residual`]).

use crate::core::parallel::{for_each_chunk_mut, map_chunks};

use super::kernels::{Kernel, sum_of_squares, wide};
use super::layout::{Layout, Transfer};
use super::level::{Level, Uptake};
use super::local::{at_least, uptake};
use super::medium::{LocalTerms, Reservoir};
use super::multigrid::{add_stencil, invert};

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
    /// Values handed in: the old ones and the first guess.
    pub old: &'a [f32],
    pub edges: &'a Edges,
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
    c: [&'a mut [f32]; 2],
    rhs: [&'a mut [f32]; 2],
    inverse: [&'a mut [f32]; 2],
    vmax: Vec<[&'a mut [f32]; 2]>,
    moved: Moved,
}

/// Writes the equations of the finest level and its first guess; hands back what moves.
pub(super) fn assemble(level: &mut Level, inputs: Inputs) -> Moved {
    let layout = level.layout;
    let piece = layout.piece();
    let mut c = std::mem::take(&mut level.c);
    let mut rhs = std::mem::take(&mut level.rhs);
    let mut inverse = std::mem::take(&mut level.inverse);
    let mut uptakes = std::mem::take(&mut level.uptakes);
    let shared = &*level;
    let moved = {
        let [c_0, c_1] = c.each_mut().map(|v| layout.body(v).chunks_mut(piece));
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
        let mut jobs: Vec<Job> = (c_0.zip(c_1))
            .zip(rhs_0.zip(rhs_1))
            .zip(inverse_0.zip(inverse_1))
            .enumerate()
            .map(|(index, ((c, rhs), inverse))| Job {
                level: shared,
                inputs,
                first: index * layout.planes_per_piece,
                c: c.into(),
                rhs: rhs.into(),
                inverse: inverse.into(),
                vmax: vmax
                    .iter_mut()
                    .map(|[red, black]| [red, black].map(|v| v.next().unwrap_or_default()))
                    .collect(),
                moved: Moved::default(),
            })
            .collect();
        for_each_chunk_mut(&mut jobs, 1, |_, jobs| {
            for job in jobs {
                wide(job);
            }
        });
        jobs.iter()
            .fold(Moved::default(), |all, job| all.and(job.moved))
    };
    level.c = c;
    level.rhs = rhs;
    level.inverse = inverse;
    level.uptakes = uptakes;
    moved
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
    /// Values of a row, and what they and the terms come to: rates to `inverse`, supply to `rhs`.
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
            let range = row + x..row + x + n;
            terms_of(self.inputs, range.clone(), rate, supply);
            let moved = moved_in(self.inputs, k, range.clone());
            self.moved = self.moved.and(moved);
            let at = layout.local_row(j, local) + x / 2;
            let values = &self.inputs.old[range];
            for (by_colour, values) in [
                (&mut self.c, values),
                (&mut self.inverse, rate),
                (&mut self.rhs, supply),
            ] {
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
        for held in self.inputs.edges.held_of(k) {
            self.c[held.colour][held.place - before] = 0.0;
        }
        for link in self.inputs.edges.links_of(k) {
            let (colour, place) = link.place();
            let place = place - before;
            self.rhs[colour][place] += link.supply;
            let net = f64::from(link.supply - link.out * self.c[colour][place]);
            self.moved = self.moved.and(Moved::through(net));
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

    /// Turns the rates of a row into diagonals, or into the reciprocals of those where nothing saturates.
    #[inline(always)]
    fn finish_row(&mut self, colour: usize, local: usize, j: usize, k: usize) {
        let layout = self.level.layout;
        let at = layout.local_row(j, local);
        let inverse = &mut self.inverse[colour][at..at + layout.run];
        // No rate at places without a voxel, whatever an earlier solve left there.
        inverse[layout.count(Layout::offset(j, k, colour))..].fill(0.0);
        add_stencil(self.level, colour, (j, k), 0, inverse);
        if self.vmax.is_empty() {
            invert(inverse);
        }
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
    for exchange in terms.exchange {
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
                for (((r, s), v), level) in both.zip(&levels[range.clone()]) {
                    *r += v;
                    *s += v * level;
                }
            }
        }
    }
}

/// Sums of squares of what moves, see [`super::Stopping::relative_residual`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moved {
    /// Without what was there, over `dt`.
    pub rates: f64,
    /// With it: no step needs to be better than that.
    pub all: f64,
}

impl Moved {
    fn and(self, other: Self) -> Self {
        Self {
            rates: self.rates + other.rates,
            all: self.all + other.all,
        }
    }

    /// What passes a face on balance.
    fn through(net: f64) -> Self {
        Self {
            rates: net * net,
            all: net * net,
        }
    }
}

/// What moves in voxels `range` of plane `k` at the values handed in: the larger of what a
/// voxel is brought and of what it loses. Exchange counts with what it brings on balance, not with what it
/// brings and takes away again.
#[inline(always)]
fn moved_in(inputs: Inputs, k: usize, range: std::ops::Range<usize>) -> Moved {
    let Inputs {
        terms, per_dt, old, ..
    } = inputs;
    let n = range.len();
    let (mut gains, mut losses) = ([0.0_f32; 2 * PAIRS], [0.0_f32; 2 * PAIRS]);
    let (gains, losses) = (&mut gains[..n], &mut losses[..n]);
    let values = &old[range.clone()];
    if let Some(each) = terms.source_per_min {
        for (gain, source) in gains.iter_mut().zip(&each[range.clone()]) {
            *gain += source;
        }
    }
    for (loss, c) in losses.iter_mut().zip(values) {
        *loss = terms.decay_per_min * c;
    }
    if let Some(each) = terms.rate_per_min {
        for ((loss, c), rate) in losses.iter_mut().zip(values).zip(&each[range.clone()]) {
            *loss += rate * c;
        }
    }
    for term in terms.saturating {
        let vmax = &term.vmax_per_min[range.clone()];
        for ((loss, c), vmax) in losses.iter_mut().zip(values).zip(vmax) {
            *loss += uptake(*vmax, term.half_saturation, *c);
        }
    }
    if !terms.exchange.is_empty() {
        // What all reservoirs together bring on balance.
        let mut nets = [0.0_f32; 2 * PAIRS];
        for exchange in terms.exchange {
            let walls = &exchange.rate_per_min[range.clone()];
            for m in 0..n {
                let level = match exchange.reservoir {
                    Reservoir::Uniform(level) => level,
                    Reservoir::PerVoxel(levels) => levels[range.start + m],
                };
                nets[m] += walls[m] * exchange.scale * (level - values[m]);
            }
        }
        for m in 0..n {
            gains[m] += at_least(nets[m], 0.0);
            losses[m] += at_least(-nets[m], 0.0);
        }
    }
    let held = inputs.edges.held_of(k);
    let from = held.partition_point(|held| held.index < range.start);
    for held in held[from..].iter().take_while(|h| h.index < range.end) {
        gains[held.index - range.start] = 0.0;
        losses[held.index - range.start] = 0.0;
    }
    let mut moved = Moved::default();
    if per_dt > 0.0 {
        let mut sums = [0.0_f32; 2 * PAIRS];
        let sums = &mut sums[..n];
        for (m, sum) in sums.iter_mut().enumerate() {
            *sum = at_least(per_dt * values[m] + gains[m], losses[m]);
        }
        for held in held[from..].iter().take_while(|h| h.index < range.end) {
            sums[held.index - range.start] = 0.0;
        }
        moved.all = sum_of_squares(sums);
    }
    for (gain, loss) in gains.iter_mut().zip(losses) {
        *gain = at_least(*gain, *loss);
    }
    moved.rates = sum_of_squares(gains);
    if per_dt == 0.0 {
        moved.all = moved.rates;
    }
    moved
}

/// The same for all voxels and faces of a level whose unknowns are those in `inputs`.
pub(super) fn moved(level: &Level, inputs: Inputs) -> Moved {
    let [nx, ny, nz] = level.layout.dims;
    let in_voxels = map_chunks(nz, level.layout.planes_per_piece, |_, planes| {
        let mut sum = Moved::default();
        for k in planes {
            let plane = k * ny * nx..(k + 1) * ny * nx;
            for start in plane.clone().step_by(2 * PAIRS) {
                let range = start..plane.end.min(start + 2 * PAIRS);
                sum = sum.and(moved_in(inputs, k, range));
            }
        }
        sum
    });
    let through_faces = inputs.edges.links.iter().map(|link| {
        let (colour, place) = link.place();
        let net = f64::from(link.supply - link.out * level.c[colour][place]);
        Moved::through(net)
    });
    in_voxels
        .into_iter()
        .chain(through_faces)
        .fold(Moved::default(), Moved::and)
}
