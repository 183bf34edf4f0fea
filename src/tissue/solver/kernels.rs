//! The inner loops: smoothing, residual and prolongation, row by row.
//!
//! Each kernel works on whole planes of one colour (see [`super::layout`]) and is written so that the
//! compiler vectorises it. [`wide`] runs it with AVX-512 or AVX2 where the processor has it; since every
//! operation is elementwise and nothing is fused, the bits are those of the narrow path.

use super::layout::{LANES, Layout, Transfer};
use super::level::Level;
use super::local::{Local, at_least};
use super::multigrid::add_stencil;
use super::stencil::{Gather, Neighbours, RowWork, with_row};

#[cfg(test)]
mod tests;

/// A kernel that can be compiled for more than one instruction set.
pub(super) trait Kernel {
    /// What the kernel hands back.
    type Output;
    /// Runs it; implementations are `#[inline(always)]`.
    fn run(self) -> Self::Output;
}

/// Runs a kernel with the widest instruction set at hand.
#[inline]
pub(super) fn wide<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        #[target_feature(enable = "avx2")]
        fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
            kernel.run()
        }
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2")]
        fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
            kernel.run()
        }
        // What these imply to the compiler is asked for too.
        let wide = has!("avx2") && has!("fma") && has!("f16c") && has!("avx512f");
        if allowed() > 1 && wide && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
            // SAFETY: the processor has AVX-512, as just checked.
            return unsafe { with_avx512(kernel) };
        }
        if allowed() > 0 && has!("avx2") {
            // SAFETY: the processor has AVX2, as just checked.
            return unsafe { with_avx2(kernel) };
        }
    }
    kernel.run()
}

/// Widest instruction set that [`wide`] may take: none, AVX2, AVX-512. Tests compare them.
#[cfg(test)]
static ALLOWED: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(2);

#[inline(always)]
fn allowed() -> u8 {
    #[cfg(test)]
    return ALLOWED.load(std::sync::atomic::Ordering::Relaxed);
    #[cfg(not(test))]
    2
}

/// One Gauss-Seidel half-sweep over planes `first..` of a colour, never below `floor`.
pub(super) struct Relax<'a> {
    pub level: &'a Level,
    pub colour: usize,
    pub first: usize,
    /// Planes of the colour being relaxed.
    pub target: &'a mut [f32],
    /// All of the other colour.
    pub other: &'a [f32],
    /// Lowest value allowed: 0 for concentrations, minus infinity for corrections.
    pub floor: f32,
}

/// Voxels worked through at a time; what is noted about them stays in the first-level cache.
const BLOCK: usize = 128;

struct RelaxRow<'a> {
    target: &'a mut [f32],
    rhs: &'a [f32],
    /// Room for a block; one for many rows, because clearing it costs as much as a few voxels do.
    new: &'a mut [f32; BLOCK],
}

impl RowWork for RelaxRow<'_> {
    #[inline(always)]
    fn row<G: Gather, L: Local>(&mut self, couplings: G, neighbours: Neighbours, local: L) {
        for (block, target) in self.target.chunks_mut(BLOCK).enumerate() {
            let (start, n) = (block * BLOCK, target.len());
            let (couplings, neighbours) = (couplings.cut(start, n), neighbours.cut(start, n));
            let (local, rhs) = (local.cut(start, n), &self.rhs[start..start + n]);
            let new = &mut self.new[..n];
            for m in 0..n {
                let sum = rhs[m] + couplings.gather(&neighbours, m);
                new[m] = local.solve(m, sum, target[m]);
            }
            copy_lanes(new, target);
        }
    }
}

/// Copies whole lanes (a call of `memcpy` costs more than it does for a short row).
#[inline(always)]
fn copy_lanes(from: &[f32], to: &mut [f32]) {
    let (from, to) = (from.as_chunks::<LANES>().0, to.as_chunks_mut::<LANES>().0);
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

impl Kernel for Relax<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let layout = self.level.layout;
        let mut new = [0.0_f32; BLOCK];
        let (run, plane) = (layout.run, layout.plane());
        for (local, target) in self.target.chunks_exact_mut(plane).enumerate() {
            let k = self.first + local;
            for j in 0..layout.dims[1] {
                let at = layout.row(j, k);
                let mut work = RelaxRow {
                    target: &mut target[layout.local_row(j, 0)..][..run],
                    rhs: &self.level.rhs[self.colour][at..at + run],
                    new: &mut new,
                };
                let place = (j, k);
                with_row(
                    self.level,
                    self.colour,
                    self.other,
                    place,
                    self.floor,
                    &mut work,
                );
            }
        }
    }
}

/// Residuals of one row; averaged into a coarse row.
struct RestrictRow<'a> {
    share: f32,
    shares: &'a [f32],
    c: &'a [f32],
    rhs: &'a [f32],
    row: &'a mut [f32],
    residuals: &'a mut [f32; BLOCK],
    norm: f64,
}

impl RowWork for RestrictRow<'_> {
    #[inline(always)]
    fn row<G: Gather, L: Local>(&mut self, couplings: G, neighbours: Neighbours, local: L) {
        for (block, row) in self.row.chunks_mut(BLOCK).enumerate() {
            let (start, n) = (block * BLOCK, row.len());
            let (couplings, neighbours) = (couplings.cut(start, n), neighbours.cut(start, n));
            let (local, rhs) = (local.cut(start, n), &self.rhs[start..start + n]);
            let c = &self.c[start..start + n];
            let residuals = &mut self.residuals[..n];
            for m in 0..n {
                let sum = rhs[m] + couplings.gather(&neighbours, m);
                residuals[m] = local.residual(m, sum, c[m]);
            }
            self.norm += sum_of_squares(residuals);
            add_shares(&self.shares[start..start + n], self.share, residuals, row);
        }
    }
}

/// Residuals of one row measured, and what its coarse row is to know of its local rates.
struct MeasureRow<'a> {
    level: &'a Level,
    colour: usize,
    place: (usize, usize),
    share: f32,
    shares: &'a [f32],
    c: &'a [f32],
    rhs: &'a [f32],
    row: &'a mut [f32],
    room: &'a mut [[f32; BLOCK]; 2],
    residual: f64,
    weight: f64,
}

impl RowWork for MeasureRow<'_> {
    #[inline(always)]
    fn row<G: Gather, L: Local>(&mut self, couplings: G, neighbours: Neighbours, local: L) {
        let [values, stencil] = &mut *self.room;
        let pass = self.level.mixing_rate;
        for (block, row) in self.row.chunks_mut(BLOCK).enumerate() {
            let (start, n) = (block * BLOCK, row.len());
            let (couplings, neighbours) = (couplings.cut(start, n), neighbours.cut(start, n));
            let (local, rhs) = (local.cut(start, n), &self.rhs[start..start + n]);
            let c = &self.c[start..start + n];
            let (values, stencil) = (&mut values[..n], &mut stencil[..n]);
            for m in 0..n {
                let sum = rhs[m] + couplings.gather(&neighbours, m);
                values[m] = local.residual(m, sum, c[m]);
            }
            self.residual += sum_of_squares(values);
            for m in 0..n {
                values[m] = local.weight(m, c[m]);
            }
            self.weight += sum_of_squares(values);
            stencil.fill(0.0);
            add_stencil(self.level, self.colour, self.place, start, stencil);
            for m in 0..n {
                let diagonal = local.diagonal(m, c[m]);
                let rate = at_least(diagonal - stencil[m], 0.0);
                // Held voxels are dealt with when the medium is set.
                values[m] = if diagonal < f32::INFINITY {
                    share_kept(pass, rate)
                } else {
                    1.0
                };
            }
            add_shares(&self.shares[start..start + n], self.share, values, row);
        }
    }
}

/// Share of molecules that a voxel passes on to its neighbours before they react: coarse cells take the mean of
/// it, see [`rate_of_share`].
#[inline(always)]
pub(super) fn share_kept(pass: f32, rate: f32) -> f32 {
    pass / (pass + rate)
}

/// Local rate of a coarse cell from the mean of its voxels' [`share_kept`].
///
/// Rates of equal voxels are kept; slow ones (against diffusion between the voxels of a coarse cell) are
/// averaged; a voxel that reacts faster than diffusion feeds it counts with what diffusion brings from the other
/// voxels of its cell. An arithmetic mean would count it whole, and coarse corrections would be far too small
/// beside it.
#[inline(always)]
pub(super) fn rate_of_share(pass: f32, share: f32) -> f32 {
    let rate = at_least(pass / share - pass, 0.0);
    if share > 0.0 { rate } else { 0.0 }
}

/// Sum of squares, in an order that does not depend on the instruction set; in `f64`, because the square of
/// what is left in a voxel breathed empty is less than `f32` holds.
#[inline(always)]
pub(super) fn sum_of_squares(values: &[f32]) -> f64 {
    let mut squares = [0.0_f64; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (square, v) in squares.iter_mut().zip(chunk) {
            *square += f64::from(*v) * f64::from(*v);
        }
    }
    for (square, v) in squares.iter_mut().zip(rest) {
        *square += f64::from(*v) * f64::from(*v);
    }
    squares.iter().sum()
}

/// Residuals of colour 0 after a sweep that ended with colour 1 (whose residual is zero then),
/// averaged into coarse planes `first..`; hands back the sum of their squares.
pub(super) struct Restrict<'a> {
    pub level: &'a Level,
    pub transfer: Transfer,
    pub first: usize,
    pub target: &'a mut [f32],
    pub floor: f32,
}

impl Kernel for Restrict<'_> {
    type Output = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        let level = self.level;
        let layout = level.layout;
        let run = layout.run;
        let mut residuals = [0.0_f32; BLOCK];
        let mut norm = 0.0;
        for (local, target) in self
            .target
            .chunks_exact_mut(self.transfer.plane())
            .enumerate()
        {
            target.fill(0.0);
            for (k, share_z) in children(level, 2, self.first + local) {
                for j in 0..layout.dims[1] {
                    let (coarse_j, share_y) = parent(level, 1, j);
                    let start = self.transfer.local_row(coarse_j, 0);
                    let offset = Layout::offset(j, k, 0);
                    let at = layout.row(j, k);
                    let mut work = RestrictRow {
                        share: share_z * share_y,
                        shares: &level.weights[offset].share,
                        c: &level.c[0][at..at + run],
                        rhs: &level.rhs[0][at..at + run],
                        row: &mut target[start + offset * self.transfer.odd..][..run],
                        residuals: &mut residuals,
                        norm: 0.0,
                    };
                    with_row(level, 0, &level.c[1], (j, k), self.floor, &mut work);
                    norm += work.norm;
                }
            }
        }
        norm
    }
}

/// Sums of squares over all voxels of the residual and of diagonal times value; on the way the mean of
/// [`share_kept`] is written to coarse planes `first..`.
pub(super) struct Measure<'a> {
    pub level: &'a Level,
    pub transfer: Transfer,
    pub first: usize,
    pub target: &'a mut [f32],
}

impl Kernel for Measure<'_> {
    type Output = [f64; 2];
    #[inline(always)]
    fn run(self) -> [f64; 2] {
        let level = self.level;
        let layout = level.layout;
        let run = layout.run;
        let mut room = [[0.0_f32; BLOCK]; 2];
        let mut sums = [0.0; 2];
        for (local, target) in self
            .target
            .chunks_exact_mut(self.transfer.plane())
            .enumerate()
        {
            target.fill(0.0);
            for (k, share_z) in children(level, 2, self.first + local) {
                for j in 0..layout.dims[1] {
                    let (coarse_j, share_y) = parent(level, 1, j);
                    let start = self.transfer.local_row(coarse_j, 0);
                    let at = layout.row(j, k);
                    for colour in 0..2 {
                        let offset = Layout::offset(j, k, colour);
                        let start = start + offset * self.transfer.odd;
                        let mut work = MeasureRow {
                            level,
                            colour,
                            place: (j, k),
                            share: share_z * share_y,
                            shares: &level.weights[offset].share,
                            c: &level.c[colour][at..at + run],
                            rhs: &level.rhs[colour][at..at + run],
                            row: &mut target[start..start + run],
                            room: &mut room,
                            residual: 0.0,
                            weight: 0.0,
                        };
                        let other = &level.c[1 - colour];
                        with_row(level, colour, other, (j, k), 0.0, &mut work);
                        sums[0] += work.residual;
                        sums[1] += work.weight;
                    }
                }
            }
        }
        sums
    }
}

/// Adds the share of a fine row to its coarse row.
#[inline(always)]
pub(super) fn add_shares(shares: &[f32], share: f32, fine: &[f32], row: &mut [f32]) {
    for ((row, fine), shares) in row.iter_mut().zip(fine).zip(shares) {
        *row += share * shares * fine;
    }
}

/// Coarse cell of fine cell `i` along an axis and the share the fine cell has in it.
#[inline(always)]
pub(super) fn parent(level: &Level, axis: usize, i: usize) -> (usize, f32) {
    match &level.axes[axis].coarsening {
        Some(coarsening) => (i / 2, coarsening.share[i]),
        None => (i, 1.0),
    }
}

/// Fine cells of coarse cell `coarse` along an axis and their shares.
#[inline(always)]
pub(super) fn children(
    level: &Level,
    axis: usize,
    coarse: usize,
) -> impl Iterator<Item = (usize, f32)> + use<> {
    let n = level.axes[axis].len();
    let (range, shares) = match &level.axes[axis].coarsening {
        Some(c) => {
            let first = 2 * coarse;
            let second = c.share.get(first + 1).copied().unwrap_or(0.0);
            (first..(first + 2).min(n), [c.share[first], second])
        }
        None => (coarse..coarse + 1, [1.0, 0.0]),
    };
    let first = range.start;
    range.map(move |i| (i, shares[i - first]))
}

/// Adds the interpolated coarse correction to planes `first..` of colour 1 (colour 0 is
/// overwritten by the half-sweep that follows, so it needs none).
pub(super) struct Prolong<'a> {
    pub level: &'a Level,
    pub transfer: Transfer,
    pub coarse: &'a [f32],
    pub first: usize,
    pub target: &'a mut [f32],
    /// Whether the level's `inverse` holds diagonals (see [`Level::inverse`]).
    pub is_diagonal: bool,
    /// Least part of its value that a voxel keeps: 0 or more for concentrations, minus infinity for
    /// corrections.
    pub keep: Keep,
}

/// What a correction must leave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Keep {
    /// This part of each value, which is not negative.
    Part(f32),
    /// Values may take either sign.
    Anything,
}

impl Keep {
    #[inline(always)]
    fn apply(self, before: f32, after: f32) -> f32 {
        match self {
            Self::Part(part) => at_least(after, part * before),
            Self::Anything => after,
        }
    }
}

/// The two coarse cells that fine cell `i` is interpolated from, and their weights.
#[inline(always)]
fn sources(level: &Level, axis: usize, i: usize) -> [(usize, f32); 2] {
    match &level.axes[axis].coarsening {
        None => [(i, 1.0), (i, 0.0)],
        Some(c) => {
            let own = i / 2;
            let weight = c.beside[i];
            let beside = match (weight > 0.0, i % 2) {
                (false, _) => own,
                (true, 0) => own - 1,
                (true, _) => own + 1,
            };
            [(own, c.own[i]), (beside, weight)]
        }
    }
}

impl Kernel for Prolong<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let level = self.level;
        let layout = level.layout;
        let (run, plane) = (layout.run, layout.plane());
        let x_is_joined = level.axes[0].coarsening.is_some();
        let mut room = [0.0_f32; BLOCK + 2 * LANES];
        for (local, target) in self.target.chunks_exact_mut(plane).enumerate() {
            let k = self.first + local;
            let from_z = sources(level, 2, k);
            for j in 0..layout.dims[1] {
                let from_y = sources(level, 1, j);
                let offset = Layout::offset(j, k, 1);
                let at = layout.row(j, k);
                // Held voxels and empty places are told by their inverse.
                let inverse = &level.inverse[1][at..at + run];
                let target = &mut target[layout.local_row(j, 0)..][..run];
                let mut rows = [(0, 0.0); 4];
                for (slot, row) in rows.iter_mut().enumerate() {
                    let (z, y) = (slot / 2, slot % 2);
                    let (ck, wz) = from_z[z];
                    let (cj, wy) = from_y[y];
                    let at = self.transfer.row(cj, ck) + offset * self.transfer.odd;
                    *row = (at, wz * wy);
                }
                let weights = &level.weights[offset];
                let (own, beside) = (&weights.own, &weights.beside);
                for (block, target) in target.chunks_mut(BLOCK).enumerate() {
                    let (start, n) = (block * BLOCK, target.len());
                    // Where `x` is joined the places before and behind count too.
                    let between = &mut room;
                    let margin = if x_is_joined { LANES } else { 0 };
                    let length = n + 2 * margin;
                    let part = |(at, weight): (usize, f32)| {
                        let from = at + start - margin;
                        (&self.coarse[from..from + length], weight)
                    };
                    blend(
                        [part(rows[0]), part(rows[1]), part(rows[2]), part(rows[3])],
                        &mut between[LANES - margin..][..length],
                    );
                    let aside = if offset == 0 { LANES - 1 } else { LANES + 1 };
                    add_correction(
                        [&between[LANES..][..n], &between[aside..][..n]],
                        [&own[start..start + n], &beside[start..start + n]],
                        &inverse[start..start + n],
                        self.is_diagonal,
                        self.keep,
                        target,
                    );
                }
            }
        }
    }
}

/// The weighted sum of four coarse rows.
#[inline(always)]
fn blend(rows: [(&[f32], f32); 4], into: &mut [f32]) {
    let n = into.len();
    let [(a, wa), (b, wb), (c, wc), (d, wd)] = rows;
    let (a, b, c, d) = (&a[..n], &b[..n], &c[..n], &d[..n]);
    for m in 0..n {
        into[m] = (wa * a[m] + wb * b[m]) + (wc * c[m] + wd * d[m]);
    }
}

/// Adds to a row what its coarse row holds above it and beside it.
#[inline(always)]
fn add_correction(
    coarse: [&[f32]; 2],
    weights: [&[f32]; 2],
    inverse: &[f32],
    is_diagonal: bool,
    keep: Keep,
    target: &mut [f32],
) {
    let n = target.len();
    let (above, aside, inverse) = (&coarse[0][..n], &coarse[1][..n], &inverse[..n]);
    let (own, beside) = (&weights[0][..n], &weights[1][..n]);
    // What tells a held voxel: a reciprocal of 0, or a diagonal without end.
    let bound = if is_diagonal { f32::INFINITY } else { 0.0 };
    for m in 0..n {
        let sum = own[m] * above[m] + beside[m] * aside[m];
        let sum = if inverse[m] == bound { 0.0 } else { sum };
        target[m] = keep.apply(target[m], target[m] + sum);
    }
}
