//! The inner loops: smoothing, residual and prolongation, row by row.
//!
//! Each kernel works on whole planes of one colour (see [`super::layout`]) and is written so that the
//! compiler vectorises it. [`wide`] runs it with AVX2 where the processor has it; since every
//! operation is elementwise and nothing is fused, the bits are those of the narrow path.

use super::layout::{Layout, Transfer};
use super::level::Level;
use super::stencil::{Gather, Neighbours, RowWork, with_row};

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
        #[target_feature(enable = "avx2")]
        fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
            kernel.run()
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, as just checked.
            return unsafe { with_avx2(kernel) };
        }
    }
    kernel.run()
}

/// The larger of two numbers, as one instruction (`f32::max` also sorts out NaN).
#[inline(always)]
fn at_least(x: f32, floor: f32) -> f32 {
    if x > floor { x } else { floor }
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

struct RelaxRow<'a> {
    target: &'a mut [f32],
    rhs: &'a [f32],
    inverse: &'a [f32],
    floor: f32,
}

impl RowWork for RelaxRow<'_> {
    #[inline(always)]
    fn row<G: Gather>(&mut self, couplings: G, neighbours: Neighbours) {
        let n = self.target.len();
        let (rhs, inverse) = (&self.rhs[..n], &self.inverse[..n]);
        let neighbours = neighbours.cut(0, n);
        for m in 0..n {
            let sum = rhs[m] + couplings.gather(&neighbours, m);
            self.target[m] = at_least(inverse[m] * sum, self.floor);
        }
    }
}

impl Kernel for Relax<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let layout = self.level.layout;
        let (half, plane) = (layout.half, layout.plane());
        for (local, target) in self.target.chunks_exact_mut(plane).enumerate() {
            let k = self.first + local;
            for j in 0..layout.dims[1] {
                let at = layout.row(j, k);
                let start = at - k * plane;
                let mut work = RelaxRow {
                    target: &mut target[start..start + half],
                    rhs: &self.level.rhs[self.colour][at..at + half],
                    inverse: &self.level.inverse[self.colour][at..at + half],
                    floor: self.floor,
                };
                with_row(self.level, self.colour, self.other, j, k, &mut work);
            }
        }
    }
}

/// Voxels a residual is worked out for at a time; it stays in the first-level cache.
const BLOCK: usize = 128;

/// Residuals of one row; averaged into a coarse row.
struct RestrictRow<'a> {
    level: &'a Level,
    offset: usize,
    share: f32,
    c: &'a [f32],
    rhs: &'a [f32],
    inverse: &'a [f32],
    floor: f32,
    row: &'a mut [f32],
    norm: f64,
}

impl RowWork for RestrictRow<'_> {
    #[inline(always)]
    fn row<G: Gather>(&mut self, couplings: G, neighbours: Neighbours) {
        let total = self.c.len();
        let mut block = [0.0_f32; BLOCK];
        let mut start = 0;
        while start < total {
            let n = BLOCK.min(total - start);
            let block = &mut block[..n];
            let (couplings, neighbours) = (couplings.cut(start, n), neighbours.cut(start, n));
            let c = &self.c[start..start + n];
            let (rhs, inverse) = (&self.rhs[start..start + n], &self.inverse[start..start + n]);
            for m in 0..n {
                let sum = rhs[m] + couplings.gather(&neighbours, m);
                let balanced = at_least(inverse[m] * sum, self.floor);
                // Held voxels and empty places have c = 0 and balance at 0.
                block[m] = (balanced - c[m]) / at_least(inverse[m], f32::MIN_POSITIVE);
            }
            self.norm += sum_of_squares(block);
            add_shares(self.level, self.offset, self.share, start, block, self.row);
            start += n;
        }
    }
}

/// Diagonals of one row turned into their reciprocals; the residual measured with them.
struct InvertRow<'a> {
    c: &'a [f32],
    rhs: &'a [f32],
    inverse: &'a mut [f32],
    residual: f64,
    diagonal: f64,
}

impl RowWork for InvertRow<'_> {
    #[inline(always)]
    fn row<G: Gather>(&mut self, couplings: G, neighbours: Neighbours) {
        let total = self.c.len();
        let mut residuals = [0.0_f32; BLOCK];
        let mut weighed = [0.0_f32; BLOCK];
        let mut start = 0;
        while start < total {
            let n = BLOCK.min(total - start);
            let (residuals, weighed) = (&mut residuals[..n], &mut weighed[..n]);
            let (couplings, neighbours) = (couplings.cut(start, n), neighbours.cut(start, n));
            let (c, rhs) = (&self.c[start..start + n], &self.rhs[start..start + n]);
            let inverse = &mut self.inverse[start..start + n];
            invert_block(couplings, neighbours, c, rhs, inverse, residuals, weighed);
            self.residual += sum_of_squares(residuals);
            self.diagonal += sum_of_squares(weighed);
            start += n;
        }
    }
}

/// The loop of [`InvertRow`], a function so that the compiler knows the slices to be apart.
#[inline(always)]
fn invert_block<G: Gather>(
    couplings: G,
    neighbours: Neighbours,
    c: &[f32],
    rhs: &[f32],
    inverse: &mut [f32],
    residuals: &mut [f32],
    weighed: &mut [f32],
) {
    let n = inverse.len();
    let (c, rhs) = (&c[..n], &rhs[..n]);
    let (residuals, weighed) = (&mut residuals[..n], &mut weighed[..n]);
    for m in 0..n {
        let diagonal = inverse[m];
        let is_free = diagonal < f32::INFINITY;
        let held_back = if is_free { diagonal * c[m] } else { 0.0 };
        let sum = rhs[m] + couplings.gather(&neighbours, m);
        // A value of zero is not pushed below.
        let residual = at_least(sum, 0.0) - held_back;
        residuals[m] = if is_free { residual } else { 0.0 };
        weighed[m] = held_back;
        inverse[m] = if diagonal > 0.0 { 1.0 / diagonal } else { 0.0 };
    }
}

/// Turns the diagonals of row `(j, k)` of a colour, handed over in `inverse`, into reciprocals (zero
/// where infinite); sums of squares of the residuals and of diagonal times value.
#[inline(always)]
pub(super) fn invert_and_measure(
    level: &Level,
    colour: usize,
    (j, k): (usize, usize),
    c: &[f32],
    rhs: &[f32],
    inverse: &mut [f32],
) -> (f64, f64) {
    let mut work = InvertRow {
        c,
        rhs,
        inverse,
        residual: 0.0,
        diagonal: 0.0,
    };
    with_row(level, colour, &level.c[1 - colour], j, k, &mut work);
    (work.residual, work.diagonal)
}

/// Sum of squares, in an order that does not depend on the instruction set.
#[inline(always)]
pub(super) fn sum_of_squares(values: &[f32]) -> f64 {
    let mut lanes = [0.0_f32; 8];
    let chunks = values.chunks_exact(8);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, v) in lanes.iter_mut().zip(chunk) {
            *lane += v * v;
        }
    }
    for (lane, v) in lanes.iter_mut().zip(rest) {
        *lane += v * v;
    }
    lanes.iter().map(|lane| f64::from(*lane)).sum()
}

/// Sum of squares of `c / inverse`, held voxels and empty places (c = 0) excepted.
#[inline(always)]
pub(super) fn weighed_squares(c: &[f32], inverse: &[f32]) -> f64 {
    let mut lanes = [0.0_f32; 8];
    for (c, inverse) in c.chunks(8).zip(inverse.chunks(8)) {
        for ((lane, c), inverse) in lanes.iter_mut().zip(c).zip(inverse) {
            let v = c / if *inverse > f32::MIN_POSITIVE {
                *inverse
            } else {
                1.0
            };
            *lane += v * v;
        }
    }
    lanes.iter().map(|lane| f64::from(*lane)).sum()
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
        let half = layout.half;
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
                    let start = self.transfer.row(coarse_j, 0);
                    let offset = Layout::offset(j, k, 0);
                    let share = share_z * share_y;
                    let row = &mut target[start + offset * self.transfer.odd..][..half];
                    let at = layout.row(j, k);
                    let mut work = RestrictRow {
                        level,
                        offset,
                        share,
                        c: &level.c[0][at..at + half],
                        rhs: &level.rhs[0][at..at + half],
                        inverse: &level.inverse[0][at..at + half],
                        floor: self.floor,
                        row,
                        norm: 0.0,
                    };
                    with_row(level, 0, &level.c[1], j, k, &mut work);
                    norm += work.norm;
                }
            }
        }
        norm
    }
}

/// Adds a block of a fine row, starting at place `start`, to its coarse row.
#[inline(always)]
pub(super) fn add_shares(
    level: &Level,
    offset: usize,
    share: f32,
    start: usize,
    block: &[f32],
    row: &mut [f32],
) {
    let row = &mut row[start..start + block.len()];
    match &level.axes[0].coarsening {
        Some(x) if level.axes[0].uniform => {
            // Whole pairs have equal shares; only the last, single voxel of an odd row differs.
            let n = level.layout.dims[0];
            let pair = share * 0.5;
            for (r, b) in row.iter_mut().zip(block) {
                *r += pair * b;
            }
            if n % 2 == 1 && offset == 0 && start + block.len() == level.layout.half {
                let last = block.len() - 1;
                row[last] += share * (x.share[n - 1] - 0.5) * block[last];
            }
        }
        Some(x) => {
            for (m, (r, b)) in row.iter_mut().zip(block).enumerate() {
                let i = 2 * (start + m) + offset;
                if i < x.share.len() {
                    *r += share * x.share[i] * b;
                }
            }
        }
        None => {
            for (r, b) in row.iter_mut().zip(block) {
                *r += share * b;
            }
        }
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
        let plane = layout.plane();
        for (local, target) in self.target.chunks_exact_mut(plane).enumerate() {
            let k = self.first + local;
            let from_z = sources(level, 2, k);
            for j in 0..layout.dims[1] {
                let from_y = sources(level, 1, j);
                let offset = Layout::offset(j, k, 1);
                let start = layout.row(j, 0);
                let at = layout.row(j, k);
                // Held voxels are told by their inverse; empty places are past `count`.
                let count = layout.count(offset);
                let target = &mut target[start..start + count];
                let inverse = &level.inverse[1][at..at + count];
                let mut rows = [(0, 0.0); 4];
                for (slot, (z, y)) in [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().enumerate() {
                    let (ck, wz) = from_z[z];
                    let (cj, wy) = from_y[y];
                    rows[slot] = (self.transfer.row(cj, ck), wz * wy);
                }
                match &level.axes[0].coarsening {
                    None => {
                        let part = |(at, weight): (usize, f32)| {
                            let at = at + offset * self.transfer.odd;
                            (&self.coarse[at..at + count], weight)
                        };
                        let rows = [part(rows[0]), part(rows[1]), part(rows[2]), part(rows[3])];
                        for m in 0..count {
                            let sum = rows[0].1 * rows[0].0[m]
                                + rows[1].1 * rows[1].0[m]
                                + rows[2].1 * rows[2].0[m]
                                + rows[3].1 * rows[3].0[m];
                            let sum = if inverse[m] > 0.0 { sum } else { 0.0 };
                            target[m] = self.keep.apply(target[m], target[m] + sum);
                        }
                    }
                    Some(x) => {
                        let aside = if offset == 0 { -1 } else { 1 };
                        let part = |at: usize, by: isize| {
                            let at = at.wrapping_add_signed(by);
                            &self.coarse[at..at + count]
                        };
                        let near = [
                            (part(rows[0].0, 0), rows[0].1),
                            (part(rows[1].0, 0), rows[1].1),
                            (part(rows[2].0, 0), rows[2].1),
                            (part(rows[3].0, 0), rows[3].1),
                        ];
                        let beside = [
                            part(rows[0].0, aside),
                            part(rows[1].0, aside),
                            part(rows[2].0, aside),
                            part(rows[3].0, aside),
                        ];
                        let edge = |m: usize| {
                            let i = 2 * m + offset;
                            (x.own[i], x.beside[i])
                        };
                        let keep = self.keep;
                        if level.axes[0].uniform && count > 2 {
                            // Weights differ only at both ends of the row.
                            for m in [0, count - 1] {
                                add_between(near, beside, m, edge(m), inverse, target, keep);
                            }
                            for m in 1..count - 1 {
                                let weights = (0.75, 0.25);
                                add_between(near, beside, m, weights, inverse, target, keep);
                            }
                        } else {
                            for m in 0..count {
                                add_between(near, beside, m, edge(m), inverse, target, keep);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Adds to place `m` what four coarse rows hold there and beside it.
#[inline(always)]
fn add_between(
    near: [(&[f32], f32); 4],
    beside: [&[f32]; 4],
    m: usize,
    (own, side): (f32, f32),
    inverse: &[f32],
    target: &mut [f32],
    keep: Keep,
) {
    let a = near[0].1 * near[0].0[m]
        + near[1].1 * near[1].0[m]
        + near[2].1 * near[2].0[m]
        + near[3].1 * near[3].0[m];
    let b = near[0].1 * beside[0][m]
        + near[1].1 * beside[1][m]
        + near[2].1 * beside[2][m]
        + near[3].1 * beside[3][m];
    let sum = own * a + side * b;
    let sum = if inverse[m] > 0.0 { sum } else { 0.0 };
    target[m] = keep.apply(target[m], target[m] + sum);
}
