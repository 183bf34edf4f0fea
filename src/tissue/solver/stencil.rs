//! The couplings of a row with its six neighbour rows.
//!
//! Where the diffusivity is uniform a coupling is one number for the whole row (or one per place along
//! `x` on coarse levels of odd size); otherwise it is read voxel by voxel. The inner loops are written
//! once, over [`Gather`], and compiled for each of these.

use super::layout::Layout;
use super::level::{Level, Operator};
use super::local::{Local, LocalWork, with_local};

/// Places `start..start + n` of six rows. (Written out: `array::map` is a call where it is not inlined.)
#[inline(always)]
fn cut_six([a, b, c, d, e, f]: [&[f32]; 6], start: usize, n: usize) -> [&[f32]; 6] {
    let end = start + n;
    [
        &a[start..end],
        &b[start..end],
        &c[start..end],
        &d[start..end],
        &e[start..end],
        &f[start..end],
    ]
}

/// The six neighbour rows of a row of one colour, all of the other colour.
#[derive(Clone, Copy)]
pub(super) struct Neighbours<'a> {
    rows: [&'a [f32]; 6],
}

impl<'a> Neighbours<'a> {
    /// Rows past the edge of the grid are replaced by some row inside; their coupling is zero.
    #[inline(always)]
    fn new(layout: &Layout, other: &'a [f32], j: usize, k: usize, offset: usize) -> Self {
        let [_, ny, nz] = layout.dims;
        let at = layout.row(j, k);
        let of = |start: usize| &other[start..start + layout.run];
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

    /// The part from place `start` on.
    #[inline(always)]
    pub fn cut(self, start: usize, n: usize) -> Self {
        Self {
            rows: cut_six(self.rows, start, n),
        }
    }
}

/// Sum of coupling times neighbour over the six neighbours.
pub(super) trait Gather: Copy {
    /// The part from place `start` on.
    fn cut(self, start: usize, n: usize) -> Self;
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
    fn cut(self, _: usize, _: usize) -> Self {
        self
    }

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
    fn cut(self, start: usize, n: usize) -> Self {
        let [lower, upper] = self.x;
        Self {
            x: [&lower[start..start + n], &upper[start..start + n]],
            ..self
        }
    }

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
    scale: f32,
}

impl Gather for Each<'_> {
    #[inline(always)]
    fn cut(self, start: usize, n: usize) -> Self {
        Self {
            to: cut_six(self.to, start, n),
            ..self
        }
    }

    #[inline(always)]
    fn gather(&self, at: &Neighbours, m: usize) -> f32 {
        let (a, r) = (&self.to, &at.rows);
        let sum = (a[0][m] * r[0][m] + a[1][m] * r[1][m])
            + (a[2][m] * r[2][m] + a[3][m] * r[3][m])
            + (a[4][m] * r[4][m] + a[5][m] * r[5][m]);
        self.scale * sum
    }
}

/// Something done to a row once its couplings and its own balance are known.
pub(super) trait RowWork {
    fn row<G: Gather, L: Local>(&mut self, couplings: G, neighbours: Neighbours, local: L);
}

/// Hands a row on with its couplings, which are known already.
struct Coupled<'a, W, G> {
    work: &'a mut W,
    couplings: G,
    neighbours: Neighbours<'a>,
}

impl<W: RowWork, G: Gather> LocalWork for Coupled<'_, W, G> {
    #[inline(always)]
    fn with<L: Local>(&mut self, local: L) {
        self.work.row(self.couplings, self.neighbours, local);
    }
}

/// Finds couplings and balance of row `(j, k)` of a colour and hands them to `work`.
#[inline(always)]
pub(super) fn with_row<W: RowWork>(
    level: &Level,
    colour: usize,
    other: &[f32],
    (j, k): (usize, usize),
    floor: f32,
    work: &mut W,
) {
    let layout = &level.layout;
    let offset = Layout::offset(j, k, colour);
    let neighbours = Neighbours::new(layout, other, j, k, offset);
    let at = layout.row(j, k);
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
                // The first cell has no lower coupling, but the place it would meet is empty.
                let couplings = Even {
                    x: d * x.upper[0],
                    yz,
                };
                let mut work = Coupled {
                    work,
                    couplings,
                    neighbours,
                };
                with_local(level, colour, at, floor, &mut work);
            } else {
                let [lower, upper, _] = &level.x_couplings[offset];
                let couplings = Uneven {
                    x: [lower, upper],
                    diffusivity: *d,
                    yz,
                };
                let mut work = Coupled {
                    work,
                    couplings,
                    neighbours,
                };
                with_local(level, colour, at, floor, &mut work);
            }
        }
        Operator::General { couplings, scale } => {
            let to = &couplings[colour].to;
            let of = |face: usize| &to[face][at..at + layout.run];
            let couplings = Each {
                to: [of(0), of(1), of(2), of(3), of(4), of(5)],
                scale: *scale,
            };
            let mut work = Coupled {
                work,
                couplings,
                neighbours,
            };
            with_local(level, colour, at, floor, &mut work);
        }
    }
}
