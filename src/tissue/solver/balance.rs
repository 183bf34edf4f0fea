//! Handing the values back: the mass balance, and the last correction that closes it.
//!
//! The solver stops at a residual that is small but not zero, so what the sources bring and what the
//! sinks take differ a little. The equations are conservative, so the defect is the sum of the
//! residuals; scaling all values by one factor close to 1 removes it and cannot make a value negative.
//!
//! Where cells breathe a closed dish empty, what is left falls by orders of magnitude in each step, until `f32`
//! has no digits for it. A field with less than [`TRACE`] on average is therefore emptied, and what it held counts
//! as taken out.

use crate::core::parallel::for_each_chunk_mut;

use super::assembly::Edges;
use super::kernels::{Kernel, wide};
use super::layout::{Layout, Transfer};
use super::level::Level;
use super::medium::{LocalTerms, Reservoir};

/// Sums over the voxels that are not held, per voxel volume (mass: c; the rest: c/min).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Balance {
    pub mass: f64,
    pub old_mass: f64,
    pub supplied: f64,
    pub removed: f64,
    /// How much the removal grows per relative growth of all values.
    pub slope: f64,
    /// 1/dt, or 0 when quasi-steady.
    pub per_dt: f64,
}

impl Balance {
    fn add(&mut self, other: &Self) {
        self.mass += other.mass;
        self.old_mass += other.old_mass;
        self.supplied += other.supplied;
        self.removed += other.removed;
        self.slope += other.slope;
    }

    /// Net gain of the tissue.
    pub fn stored(&self) -> f64 {
        (self.mass - self.old_mass) * self.per_dt
    }

    /// What is left over.
    pub fn defect(&self) -> f64 {
        self.supplied - self.removed - self.stored()
    }

    /// The defect over the largest flow.
    pub fn relative_defect(&self) -> f64 {
        let largest = (self.supplied.abs() + self.old_mass * self.per_dt)
            .max(self.removed.abs() + self.mass * self.per_dt);
        if largest > 0.0 {
            self.defect() / largest
        } else {
            0.0
        }
    }

    /// Relative change of all values that closes the balance, at most a tenth.
    pub fn closing_change(&self) -> f64 {
        let slope = self.slope + self.mass * self.per_dt;
        if slope > 0.0 {
            (self.defect() / slope).clamp(-0.1, 0.1)
        } else {
            0.0
        }
    }

    /// Whether traces are all that is left of a field of that many voxels that is stepped in time.
    pub fn is_empty(&self, voxels: usize) -> bool {
        self.per_dt > 0.0 && self.mass > 0.0 && self.mass < TRACE * voxels as f64
    }

    /// Notes that what was left was taken out.
    pub fn emptied(&mut self) {
        self.removed += self.mass * self.per_dt;
        self.mass = 0.0;
    }

    /// Notes that all values were scaled, so that they now add up to `mass`.
    pub fn scaled_to(&mut self, mass: f64) {
        self.removed += (mass / self.mass - 1.0) * self.slope;
        self.mass = mass;
    }
}

/// A mean value that counts as nothing, c: far less than a molecule in any unit, and far more than the smallest
/// number `f32` holds to its full precision (1e-38).
const TRACE: f64 = 1.0e-30;

struct Job<'a> {
    level: &'a Level,
    terms: &'a LocalTerms<'a>,
    edges: &'a Edges,
    is_transient: bool,
    first: usize,
    values: &'a mut [f32],
    balance: Balance,
}

/// Replaces `values` (the old ones) by the unknowns of `level` and sums up the balance.
pub(super) fn hand_back(
    level: &Level,
    terms: &LocalTerms,
    per_dt: f32,
    edges: &Edges,
    values: &mut [f32],
) -> Balance {
    let layout = level.layout;
    let planes = layout.planes_per_piece;
    let mut jobs: Vec<Job> = values
        .chunks_mut(planes * layout.dims[0] * layout.dims[1])
        .enumerate()
        .map(|(index, values)| Job {
            level,
            terms,
            edges,
            is_transient: per_dt > 0.0,
            first: index * planes,
            values,
            balance: Balance::default(),
        })
        .collect();
    for_each_chunk_mut(&mut jobs, 1, |_, jobs| {
        for job in jobs {
            wide(job);
        }
    });
    let mut balance = Balance {
        per_dt: f64::from(per_dt),
        ..Balance::default()
    };
    for job in &jobs {
        balance.add(&job.balance);
    }
    for link in &edges.links {
        let (colour, place) = link.place();
        let out = f64::from(link.out) * f64::from(level.c[colour][place]);
        // A negative supply is an outflux that does not depend on the values.
        balance.supplied += f64::from(link.supply);
        balance.removed += out;
        balance.slope += out;
    }
    balance
}

/// Multiplies all values but the held ones by `1 + change`; hands back their sum afterwards, with what
/// rounding made of it.
pub(super) fn scale(layout: &Layout, edges: &Edges, change: f64, values: &mut [f32]) -> f64 {
    let factor = (1.0 + change) as f32;
    let plane = layout.dims[0] * layout.dims[1];
    let piece = layout.planes_per_piece * plane;
    let mut jobs: Vec<(&mut [f32], f64)> = values.chunks_mut(piece).map(|v| (v, 0.0)).collect();
    for_each_chunk_mut(&mut jobs, 1, |index, jobs| {
        for (values, total) in jobs {
            let start = index * piece;
            let first = start / plane;
            let held = (first..first + values.len() / plane).flat_map(|k| edges.held_of(k));
            for value in values.iter_mut() {
                *value *= factor;
            }
            for held in held.clone() {
                values[held.index - start] = 0.0;
            }
            *total = sum(values);
            for held in held {
                values[held.index - start] = held.value;
            }
        }
    });
    jobs.iter().map(|(_, total)| total).sum()
}

/// Voxels worked through at a time.
const BLOCK: usize = 128;

/// Sum in `f64` over fixed lanes.
#[inline(always)]
fn sum(values: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    let chunks = values.chunks_exact(8);
    for (lane, v) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane += f64::from(*v);
    }
    for chunk in chunks {
        for (lane, v) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(*v);
        }
    }
    lanes.iter().sum()
}

/// Supply of voxels `range` by bulk sources and exchange, c/min.
#[inline(always)]
fn supply_of(terms: &LocalTerms, range: std::ops::Range<usize>, supply: &mut [f32]) {
    match terms.source_per_min {
        Some(source) => supply.copy_from_slice(&source[range.clone()]),
        None => supply.fill(0.0),
    }
    for exchange in terms.exchange {
        let scale = exchange.scale;
        let walls = exchange.rate_per_min[range.clone()]
            .iter()
            .map(|v| v * scale);
        match exchange.reservoir {
            Reservoir::Uniform(level) => {
                for (s, wall) in supply.iter_mut().zip(walls) {
                    *s += wall * level;
                }
            }
            Reservoir::PerVoxel(levels) => {
                for ((s, wall), level) in supply.iter_mut().zip(walls).zip(&levels[range.clone()]) {
                    *s += wall * level;
                }
            }
        }
    }
}

impl Kernel for &mut Job<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let layout = self.level.layout;
        let [nx, ny, _] = layout.dims;
        let order = Transfer::new(&layout, true);
        let start = self.first * nx * ny;
        for local in 0..self.values.len() / (nx * ny) {
            let k = self.first + local;
            let held = self.edges.held_of(k);
            for held in held {
                self.values[held.index - start] = 0.0;
            }
            for j in 0..ny {
                let at = layout.row(j, k);
                let even = Layout::offset(j, k, 0);
                let from = (local * ny + j) * nx;
                let row = &mut self.values[from..from + nx];
                if self.is_transient {
                    self.balance.old_mass += sum(row);
                }
                order.join(
                    &self.level.c[even][at..at + layout.half],
                    &self.level.c[1 - even][at..at + layout.half],
                    nx,
                    row,
                );
                for (block, row) in row.chunks(BLOCK).enumerate() {
                    let from = start + from + block * BLOCK;
                    add_block(self.terms, from, row, &mut self.balance);
                }
            }
            for held in held {
                // Sources inside held voxels supply nobody.
                let mut supply = [0.0];
                supply_of(self.terms, held.index..held.index + 1, &mut supply);
                self.balance.supplied -= f64::from(supply[0]);
                self.values[held.index - start] = held.value;
            }
        }
    }
}

/// Adds the balance of the voxels from `from` on, whose values are `row`.
#[inline(always)]
fn add_block(terms: &LocalTerms, from: usize, row: &[f32], balance: &mut Balance) {
    let n = row.len();
    let range = from..from + n;
    let mut buffer = [0.0_f32; BLOCK];
    let buffer = &mut buffer[..n];
    balance.mass += sum(row);
    if terms.source_per_min.is_some() || !terms.exchange.is_empty() {
        supply_of(terms, range.clone(), buffer);
        balance.supplied += sum(buffer);
    }
    if terms.decay_per_min > 0.0 || terms.rate_per_min.is_some() || !terms.exchange.is_empty() {
        buffer.fill(terms.decay_per_min);
        if let Some(rate) = terms.rate_per_min {
            for (b, rate) in buffer.iter_mut().zip(&rate[range.clone()]) {
                *b += rate;
            }
        }
        for exchange in terms.exchange {
            for (b, wall) in buffer.iter_mut().zip(&exchange.rate_per_min[range.clone()]) {
                *b += wall * exchange.scale;
            }
        }
        for (b, c) in buffer.iter_mut().zip(row) {
            *b *= c;
        }
        let removed = sum(buffer);
        balance.removed += removed;
        balance.slope += removed;
    }
    for term in terms.saturating {
        let vmax = &term.vmax_per_min[range.clone()];
        let half = term.half_saturation;
        for ((b, c), vmax) in buffer.iter_mut().zip(row).zip(vmax) {
            *b = vmax * c / (half + c);
        }
        balance.removed += sum(buffer);
        for (b, c) in buffer.iter_mut().zip(row) {
            *b *= half / (half + c);
        }
        balance.slope += sum(buffer);
    }
}
