//! The inner loops: smoothing, residual and prolongation, row by row.
//!
//! Each kernel works on whole planes of one colour (see [`super::layout`]) and is written so that the
//! compiler vectorises it. [`wide`] runs it with AVX2 where the processor has it; since every
//! operation is elementwise and nothing is fused, the bits are those of the narrow path.

use super::layout::{Layout, Transfer};
use super::level::{Level, Operator};

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

/// The six neighbour rows of a row of one colour, all of the other colour and of `n` places.
#[derive(Clone, Copy)]
struct Neighbours<'a> {
    rows: [&'a [f32]; 6],
}

impl<'a> Neighbours<'a> {
    /// Rows past the edge of the grid are replaced by some row inside; their coupling is zero.
    #[inline(always)]
    fn new(layout: &Layout, other: &'a [f32], j: usize, k: usize, offset: usize) -> Self {
        let [_, ny, nz] = layout.dims;
        let n = layout.half;
        let at = layout.row(j, k);
        let of = |start: usize| &other[start..start + n];
        Self {
            rows: [
                of(at + offset - 1),
                of(at + offset),
                of(if j > 0 { at - layout.stride } else { at }),
                of(if j + 1 < ny { at + layout.stride } else { at }),
                of(if k > 0 { at - layout.plane() } else { at }),
                of(if k + 1 < nz { at + layout.plane() } else { at }),
            ],
        }
    }
}

/// Sum of coupling times neighbour over the six neighbours.
trait Gather: Copy {
    fn gather(&self, at: &Neighbours, m: usize) -> f32;
}

/// Couplings equal along `x`.
#[derive(Clone, Copy)]
struct Even {
    x: f32,
    yz: [f32; 4],
}

impl Gather for Even {
    #[inline(always)]
    fn gather(&self, at: &Neighbours, m: usize) -> f32 {
        let r = &at.rows;
        self.x * (r[0][m] + r[1][m])
            + (self.yz[0] * r[2][m] + self.yz[1] * r[3][m])
            + (self.yz[2] * r[4][m] + self.yz[3] * r[5][m])
    }
}

/// Couplings that differ along `x` because cell widths do.
#[derive(Clone, Copy)]
struct Uneven<'a> {
    x: [&'a [f32]; 2],
    diffusivity: f32,
    yz: [f32; 4],
}

impl Gather for Uneven<'_> {
    #[inline(always)]
    fn gather(&self, at: &Neighbours, m: usize) -> f32 {
        let r = &at.rows;
        self.diffusivity * (self.x[0][m] * r[0][m] + self.x[1][m] * r[1][m])
            + (self.yz[0] * r[2][m] + self.yz[1] * r[3][m])
            + (self.yz[2] * r[4][m] + self.yz[3] * r[5][m])
    }
}

/// Couplings that differ from voxel to voxel.
#[derive(Clone, Copy)]
struct Each<'a> {
    to: [&'a [f32]; 6],
}

impl Gather for Each<'_> {
    #[inline(always)]
    fn gather(&self, at: &Neighbours, m: usize) -> f32 {
        let (a, r) = (&self.to, &at.rows);
        (a[0][m] * r[0][m] + a[1][m] * r[1][m])
            + (a[2][m] * r[2][m] + a[3][m] * r[3][m])
            + (a[4][m] * r[4][m] + a[5][m] * r[5][m])
    }
}

/// Something done to a row once its couplings are known.
trait RowWork {
    fn row<G: Gather>(&mut self, couplings: G, neighbours: Neighbours);
}

/// Finds the couplings of row `(j, k)` of a colour and hands them to `work`.
#[inline(always)]
fn with_row<W: RowWork>(
    level: &Level,
    colour: usize,
    other: &[f32],
    j: usize,
    k: usize,
    work: &mut W,
) {
    let layout = &level.layout;
    let offset = Layout::offset(j, k, colour);
    let neighbours = Neighbours::new(layout, other, j, k, offset);
    match &level.operator {
        Operator::Uniform(d) => {
            let [x, y, z] = &level.axes;
            let yz = [
                d * y.lower[j],
                d * y.upper[j],
                d * z.lower[k],
                d * z.upper[k],
            ];
            if x.uniform {
                // The first cell has no lower coupling, but the pad it would meet is zero.
                let even = Even {
                    x: d * x.upper[0],
                    yz,
                };
                work.row(even, neighbours);
            } else {
                let uneven = Uneven {
                    x: [
                        &level.x_couplings[offset][0][..layout.half],
                        &level.x_couplings[offset][1][..layout.half],
                    ],
                    diffusivity: *d,
                    yz,
                };
                work.row(uneven, neighbours);
            }
        }
        Operator::General(couplings) => {
            let at = layout.row(j, k);
            let to = &couplings[colour].to;
            let each = Each {
                to: [0, 1, 2, 3, 4, 5].map(|f| &to[f][at..at + layout.half]),
            };
            work.row(each, neighbours);
        }
    }
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
        let neighbours = Neighbours {
            rows: neighbours.rows.map(|row| &row[..n]),
        };
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

/// Residuals of one row in blocks, handed to `each(start, residuals)`.
struct ResidualRow<'a, F: FnMut(usize, &[f32])> {
    c: &'a [f32],
    rhs: &'a [f32],
    inverse: &'a [f32],
    floor: f32,
    each: F,
}

impl<F: FnMut(usize, &[f32])> RowWork for ResidualRow<'_, F> {
    #[inline(always)]
    fn row<G: Gather>(&mut self, couplings: G, neighbours: Neighbours) {
        let n = self.c.len();
        let (rhs, inverse) = (&self.rhs[..n], &self.inverse[..n]);
        let neighbours = Neighbours {
            rows: neighbours.rows.map(|row| &row[..n]),
        };
        let mut block = [0.0_f32; BLOCK];
        let mut start = 0;
        while start < n {
            let size = BLOCK.min(n - start);
            for (b, m) in block[..size].iter_mut().zip(start..n) {
                let sum = rhs[m] + couplings.gather(&neighbours, m);
                let balanced = at_least(inverse[m] * sum, self.floor);
                // Held voxels and empty places have c = 0 and balance at 0.
                *b = (balanced - self.c[m]) / at_least(inverse[m], f32::MIN_POSITIVE);
            }
            (self.each)(start, &block[..size]);
            start += size;
        }
    }
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

/// Sum of squared residuals of row `(j, k)` of a colour.
#[inline(always)]
pub(super) fn row_residual(level: &Level, rows: RowOf, floor: f32) -> f64 {
    let half = level.layout.half;
    let mut sum = 0.0;
    let mut work = ResidualRow {
        c: &level.c[rows.colour][rows.at..rows.at + half],
        rhs: rows.rhs,
        inverse: rows.inverse,
        floor,
        each: |_, block: &[f32]| sum += sum_of_squares(block),
    };
    with_row(
        level,
        rows.colour,
        &level.c[1 - rows.colour],
        rows.j,
        rows.k,
        &mut work,
    );
    sum
}

/// A row with right-hand side and inverse diagonal that are just being written.
pub(super) struct RowOf<'a> {
    pub colour: usize,
    pub j: usize,
    pub k: usize,
    pub at: usize,
    pub rhs: &'a [f32],
    pub inverse: &'a [f32],
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
                    let mut work = ResidualRow {
                        c: &level.c[0][at..at + half],
                        rhs: &level.rhs[0][at..at + half],
                        inverse: &level.inverse[0][at..at + half],
                        floor: self.floor,
                        each: |start: usize, block: &[f32]| {
                            norm += sum_of_squares(block);
                            add_shares(level, offset, share, start, block, row);
                        },
                    };
                    with_row(level, 0, &level.c[1], j, k, &mut work);
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
                        let rows = rows.map(|(at, weight)| {
                            let at = at + offset * self.transfer.odd;
                            (&self.coarse[at..at + count], weight)
                        });
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
                        let near = rows.map(|(at, weight)| (&self.coarse[at..at + count], weight));
                        let beside = rows.map(|(at, _)| {
                            let at = if offset == 0 { at - 1 } else { at + 1 };
                            &self.coarse[at..at + count]
                        });
                        let correct = |m: usize, own: f32, side: f32, target: &mut f32| {
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
                            *target = self.keep.apply(*target, *target + sum);
                        };
                        let edge = |m: usize, target: &mut f32| {
                            let i = 2 * m + offset;
                            correct(m, x.own[i], x.beside[i], target);
                        };
                        if level.axes[0].uniform && count > 2 {
                            // Weights differ only at both ends of the row.
                            edge(0, &mut target[0]);
                            for (m, t) in target.iter_mut().enumerate().take(count - 1).skip(1) {
                                correct(m, 0.75, 0.25, t);
                            }
                            edge(count - 1, &mut target[count - 1]);
                        } else {
                            for (m, t) in target.iter_mut().enumerate() {
                                edge(m, t);
                            }
                        }
                    }
                }
            }
        }
    }
}
