//! The V-cycle: smoothing, residual, coarse correction.
//!
//! Red-black Gauss-Seidel smooths. After a sweep (colour 0, then colour 1) the residual of colour 1
//! is zero, so only colour 0 is restricted; and since the sweep after the correction begins with
//! colour 0, only colour 1 needs the correction. Restriction is the mean over a coarse cell,
//! prolongation is linear (order 1 + 2 > 2, Wesseling 1992, An Introduction to Multigrid Methods),
//! coarse operators are discretised anew on the joined cells.

use crate::core::parallel::for_each_chunk_mut;

use super::kernels::{
    Keep, Kernel, Measure, Prolong, Relax, Restrict, children, parent, rate_of_share, share_kept,
    wide,
};
use super::layout::Layout;
use super::level::{Level, Operator};

/// Half-sweep over one colour.
pub(super) fn relax(level: &mut Level, colour: usize, floor: f32) {
    let layout = level.layout;
    let mut target = std::mem::take(&mut level.c[colour]);
    let shared = &*level;
    for_each_chunk_mut(layout.body(&mut target), layout.piece(), |start, target| {
        wide(Relax {
            level: shared,
            colour,
            first: start / layout.plane(),
            target,
            other: &shared.c[1 - colour],
            floor,
        });
    });
    level.c[colour] = target;
}

/// One full sweep.
pub(super) fn sweep(level: &mut Level, floor: f32) {
    relax(level, 0, floor);
    relax(level, 1, floor);
}

/// A piece of work together with what it hands back.
struct Job<'a> {
    first: usize,
    target: &'a mut [f32],
    sum: f64,
}

/// Restricts the residual into the buffer of the coarser level; hands back its sum of squares.
pub(super) fn restrict(fine: &Level, coarse: &mut Level, floor: f32) -> f64 {
    let planes = coarse_planes_per_piece(fine);
    let transfer = coarse.transfer;
    let mut jobs: Vec<Job> = transfer
        .body(&mut coarse.buffer)
        .chunks_mut(planes * transfer.plane())
        .enumerate()
        .map(|(index, target)| Job {
            first: index * planes,
            target,
            sum: 0.0,
        })
        .collect();
    for_each_chunk_mut(&mut jobs, 1, |_, jobs| {
        for job in jobs {
            job.sum = wide(Restrict {
                level: fine,
                transfer,
                first: job.first,
                target: job.target,
                floor,
            });
        }
    });
    jobs.iter().map(|job| job.sum).sum()
}

/// Sums of squares of the residual and of diagonal times value over all voxels; on the way the buffer of
/// the coarser level gets what [`fit_rates`] reads.
pub(super) fn measure(fine: &Level, coarse: &mut Level) -> [f64; 2] {
    let planes = coarse_planes_per_piece(fine);
    let transfer = coarse.transfer;
    let mut jobs: Vec<(usize, &mut [f32], [f64; 2])> = transfer
        .body(&mut coarse.buffer)
        .chunks_mut(planes * transfer.plane())
        .enumerate()
        .map(|(index, target)| (index * planes, target, [0.0; 2]))
        .collect();
    for_each_chunk_mut(&mut jobs, 1, |_, jobs| {
        for (first, target, sums) in jobs {
            *sums = wide(Measure {
                level: fine,
                transfer,
                first: *first,
                target,
            });
        }
    });
    let add = |a: [f64; 2], b: &[f64; 2]| [a[0] + b[0], a[1] + b[1]];
    jobs.iter().map(|(_, _, sums)| sums).fold([0.0; 2], add)
}

/// Planes of the coarser level above which lies one parallel piece of `fine`.
pub(super) fn coarse_planes_per_piece(fine: &Level) -> usize {
    let planes = fine.layout.planes_per_piece;
    if fine.coarsened()[2] {
        planes / 2
    } else {
        planes
    }
}

/// Adds the correction of the coarser level to colour 1.
pub(super) fn prolong(fine: &mut Level, coarse: &Level, keep: Keep) {
    let layout = fine.layout;
    let mut target = std::mem::take(&mut fine.c[1]);
    let shared = &*fine;
    for_each_chunk_mut(layout.body(&mut target), layout.piece(), |start, target| {
        wide(Prolong {
            level: shared,
            transfer: coarse.transfer,
            coarse: &coarse.buffer,
            first: start / layout.plane(),
            target,
            is_diagonal: !shared.uptakes.is_empty(),
            keep,
        });
    });
    fine.c[1] = target;
}

/// Sweeps on each coarse level before and after its own coarse correction.
const COARSE_SWEEPS: [usize; 2] = [1, 2];

/// Solves for the correction on `levels[0]` from the residual in its buffer; leaves the correction
/// in the buffer.
pub(super) fn correct(levels: &mut [Level]) {
    let Some((level, coarser)) = levels.split_first_mut() else {
        return;
    };
    let any = f32::NEG_INFINITY;
    unpack_residual(level);
    relax(level, 1, any);
    for _ in 1..COARSE_SWEEPS[0] {
        sweep(level, any);
    }
    if let Some(next) = coarser.first_mut() {
        restrict(level, next, any);
        correct(coarser);
        prolong(level, &coarser[0], Keep::Anything);
        for _ in 0..COARSE_SWEEPS[1] {
            sweep(level, any);
        }
    }
    pack_correction(level);
}

struct Unpack<'a> {
    level: &'a Level,
    first: usize,
    rhs: [&'a mut [f32]; 2],
    c: &'a mut [f32],
}

impl Kernel for &mut Unpack<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (layout, transfer) = (self.level.layout, self.level.transfer);
        let half = layout.half;
        let [red, black] = &mut self.rhs;
        for local in 0..red.len() / layout.plane() {
            let k = self.first + local;
            for j in 0..layout.dims[1] {
                let at = layout.local_row(j, local);
                let from = transfer.row(j, k);
                let row = &self.level.buffer[from..from + transfer.width];
                let (red, black) = (&mut red[at..at + half], &mut black[at..at + half]);
                let (even, odd) = if Layout::offset(j, k, 0) == 0 {
                    (&mut *red, black)
                } else {
                    (black, &mut *red)
                };
                transfer.split(row, layout.dims[0], even, odd);
                let whole = layout.row(j, k);
                let inverse = &self.level.inverse[0][whole..whole + half];
                // The first half-sweep from a zero guess.
                for ((c, r), inverse) in self.c[at..at + half].iter_mut().zip(&*red).zip(inverse) {
                    *c = r * inverse;
                }
            }
        }
    }
}

/// Moves the residual from the buffer to the right-hand sides and relaxes colour 0 from zero.
fn unpack_residual(level: &mut Level) {
    let layout = level.layout;
    let piece = layout.piece();
    let mut rhs = std::mem::take(&mut level.rhs);
    let mut c = std::mem::take(&mut level.c[0]);
    let [red, black] = rhs.each_mut().map(|v| layout.body(v).chunks_mut(piece));
    let shared = &*level;
    let mut jobs: Vec<Unpack> = red
        .zip(black)
        .zip(layout.body(&mut c).chunks_mut(piece))
        .enumerate()
        .map(|(index, ((red, black), c))| Unpack {
            level: shared,
            first: index * layout.planes_per_piece,
            rhs: [red, black],
            c,
        })
        .collect();
    for_each_chunk_mut(&mut jobs, 1, |_, jobs| {
        for job in jobs {
            wide(job);
        }
    });
    drop(jobs);
    level.rhs = rhs;
    level.c[0] = c;
}

/// Moves the correction from the unknowns to the buffer.
fn pack_correction(level: &mut Level) {
    let (layout, transfer) = (level.layout, level.transfer);
    let mut buffer = std::mem::take(&mut level.buffer);
    let shared = &*level;
    let piece = layout.planes_per_piece * transfer.plane();
    for_each_chunk_mut(transfer.body(&mut buffer), piece, |start, buffer| {
        let first = start / transfer.plane();
        for (local, plane) in buffer.chunks_exact_mut(transfer.plane()).enumerate() {
            let k = first + local;
            for j in 0..layout.dims[1] {
                let to = transfer.local_row(j, 0);
                let at = layout.row(j, k);
                let colour_of_even = Layout::offset(j, k, 0);
                let even = &shared.c[colour_of_even][at..at + layout.half];
                let odd = &shared.c[1 - colour_of_even][at..at + layout.half];
                let row = &mut plane[to..to + transfer.width];
                transfer.join(even, odd, layout.dims[0], row);
            }
        }
    });
    level.buffer = buffer;
}

/// Turns a row of [`share_kept`] (in `inverse`), averaged with `pass` on the finer level, into reciprocal
/// diagonals, adding the same of this level to a row of the coarser one on the way.
#[inline(always)]
fn invert_row(
    level: &Level,
    pass: f32,
    colour: usize,
    (j, k): (usize, usize),
    inverse: &mut [f32],
    coarse_row: Option<(&mut [f32], f32)>,
) {
    let layout = &level.layout;
    let offset = Layout::offset(j, k, colour);
    let at = layout.row(j, k);
    for v in inverse.iter_mut() {
        *v = rate_of_share(pass, *v);
    }
    if let Some((row, share)) = coarse_row {
        let shares = &level.weights[offset].share;
        for ((row, rate), shares) in row.iter_mut().zip(&*inverse).zip(shares) {
            *row += share * shares * share_kept(level.mixing_rate, *rate);
        }
    }
    add_stencil(level, colour, (j, k), 0, inverse);
    invert(inverse);
    if let Some(sink) = level.sink[colour].get(at..at + layout.run) {
        for (v, sink) in inverse.iter_mut().zip(sink) {
            *v = if *sink < f32::INFINITY {
                *v / (1.0 + *v * sink)
            } else {
                0.0
            };
        }
    }
}

/// Reciprocals, 0 of what is not positive and of what is infinite.
#[inline(always)]
pub(super) fn invert(row: &mut [f32]) {
    for v in row {
        let inverse = 1.0 / *v;
        *v = if *v > 0.0 { inverse } else { 0.0 };
    }
}

/// Adds the diagonal of the couplings to the rates of a row from place `from` on; a place without a voxel
/// becomes infinite.
#[inline(always)]
pub(super) fn add_stencil(
    level: &Level,
    colour: usize,
    (j, k): (usize, usize),
    from: usize,
    row: &mut [f32],
) {
    match &level.operator {
        Operator::Uniform(d) => {
            let along_yz = level.axes[1].diagonal[j] + level.axes[2].diagonal[k];
            let along_x = &level.x_couplings[Layout::offset(j, k, colour)][2][from..];
            for (row, x) in row.iter_mut().zip(along_x) {
                *row += d * (x + along_yz);
            }
        }
        Operator::General { couplings, scale } => {
            let at = level.layout.row(j, k) + from;
            let diagonal = &couplings[colour].diagonal[at..at + row.len()];
            for (row, diagonal) in row.iter_mut().zip(diagonal) {
                *row += scale * diagonal;
            }
        }
    }
}

/// Row of the coarser level's buffer (relative to plane `first`) that lies above fine row
/// `(j, k)`, and the share of the fine row in it.
#[inline(always)]
pub(super) fn coarse_row_above<'b>(
    level: &Level,
    transfer: &super::layout::Transfer,
    first: usize,
    (j, k): (usize, usize),
    colour: usize,
    buffer: &'b mut [f32],
) -> (&'b mut [f32], f32) {
    let (coarse_j, share_y) = parent(level, 1, j);
    let (coarse_k, share_z) = parent(level, 2, k);
    let offset = Layout::offset(j, k, colour);
    let start = transfer.local_row(coarse_j, coarse_k - first) + offset * transfer.odd;
    (
        &mut buffer[start..start + level.layout.run],
        share_y * share_z,
    )
}

struct RateJob<'a> {
    fine_first: usize,
    coarse_first: usize,
    inverse: [&'a mut [f32]; 2],
    coarse: &'a mut [f32],
}

/// Fits the reciprocal diagonals of all coarse levels to the local rates: the buffer of the first of them holds
/// the mean [`share_kept`] with the rate `pass`, see [`Level::mixing_rate`], of the finer level.
pub(super) fn fit_rates(levels: &mut [Level], pass: f32) {
    let Some((level, coarser)) = levels.split_first_mut() else {
        return;
    };
    let (layout, transfer) = (level.layout, level.transfer);
    let mut inverse = std::mem::take(&mut level.inverse);
    let next = coarser.first_mut();
    let next_transfer = next.as_ref().map(|next| next.transfer);
    let coarse_planes = coarse_planes_per_piece(level);
    let shared = &*level;
    {
        let piece = layout.piece();
        let [red, black] = inverse.each_mut().map(|v| layout.body(v).chunks_mut(piece));
        let mut coarse_pieces = next.map(|next| {
            next.buffer.fill(0.0);
            let plane = next.transfer.plane();
            next.transfer
                .body(&mut next.buffer)
                .chunks_mut(coarse_planes * plane)
        });
        let mut jobs: Vec<RateJob> = red
            .zip(black)
            .enumerate()
            .map(|(index, (red, black))| RateJob {
                fine_first: index * layout.planes_per_piece,
                coarse_first: index * coarse_planes,
                inverse: [red, black],
                coarse: coarse_pieces
                    .as_mut()
                    .and_then(Iterator::next)
                    .unwrap_or_default(),
            })
            .collect();
        for_each_chunk_mut(&mut jobs, 1, |_, jobs| {
            for job in jobs {
                let planes = job.inverse[0].len() / layout.plane();
                for local in 0..planes {
                    let k = job.fine_first + local;
                    for j in 0..layout.dims[1] {
                        let at = layout.local_row(j, local);
                        let from = transfer.row(j, k);
                        let row = &shared.buffer[from..from + transfer.width];
                        let [red, black] = &mut job.inverse;
                        let red = &mut red[at..at + layout.run];
                        let black = &mut black[at..at + layout.run];
                        let (even, odd) = if Layout::offset(j, k, 0) == 0 {
                            (&mut *red, &mut *black)
                        } else {
                            (&mut *black, &mut *red)
                        };
                        // No rate at a place without a voxel.
                        even[layout.half..].fill(0.0);
                        odd[layout.dims[0] / 2..].fill(0.0);
                        transfer.split(row, layout.dims[0], even, odd);
                        for (colour, row) in [(0, red), (1, black)] {
                            let above = next_transfer.as_ref().map(|next| {
                                coarse_row_above(
                                    shared,
                                    next,
                                    job.coarse_first,
                                    (j, k),
                                    colour,
                                    job.coarse,
                                )
                            });
                            invert_row(shared, pass, colour, (j, k), row, above);
                        }
                    }
                }
            }
        });
    }
    level.inverse = inverse;
    let pass = level.mixing_rate;
    fit_rates(coarser, pass);
}

/// Fine cells above a coarse voxel along each axis; used when the hierarchy is set up.
pub(super) fn children_of(
    fine: &Level,
    coarse: [usize; 3],
) -> impl Iterator<Item = ([usize; 3], f32)> {
    let [ci, cj, ck] = coarse;
    children(fine, 2, ck).flat_map(move |(k, sz)| {
        children(fine, 1, cj).flat_map(move |(j, sy)| {
            children(fine, 0, ci).map(move |(i, sx)| ([i, j, k], sx * sy * sz))
        })
    })
}
