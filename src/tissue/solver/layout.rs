//! How a level lies in memory: two colours, row by row.
//!
//! Voxels are coloured like a chessboard. Each colour is an array of its own, so that a half-sweep
//! of red-black Gauss-Seidel reads one array and writes the other: contiguous, vectorisable, free of
//! races, and the same bits however it is cut into pieces. In row `(j, k)` the voxel with place `m`
//! of colour `q` is `i = 2 m + ((j + k + q) & 1)`. A row of a colour holds `ceil(nx / 2)` places and is
//! worked through in whole lanes of [`LANES`]; at least one empty place follows it, and before the first
//! row and behind the last there is room for a lane. Empty places, which include the last one where `nx`
//! is odd and the colour has no voxel there, stay zero.

/// Values worked on at a time: fixed, so that the instruction set does not change a sum.
pub(super) const LANES: usize = 8;

/// Sizes and places of one level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub dims: [usize; 3],
    /// Places in a row of one colour.
    pub half: usize,
    /// The same in whole lanes: what a kernel works through.
    pub run: usize,
    /// Distance between rows of one colour.
    pub stride: usize,
    /// Planes in one parallel piece; even, so that pieces of a level and of the next agree.
    pub planes_per_piece: usize,
}

/// Levels with fewer places per colour are worked through on the calling thread: a parallel loop costs about as
/// much as they do.
const SERIAL_BELOW: usize = 3_000;
/// Most places per colour in a parallel piece, and pieces aimed at.
const PIECE: usize = 16_000;
const PIECES: usize = 8;

/// Places in whole lanes, and the same with at least one empty place more.
fn in_lanes(places: usize) -> (usize, usize) {
    let run = places.next_multiple_of(LANES);
    (run, (places + 1).next_multiple_of(LANES))
}

impl Layout {
    pub fn new(dims: [usize; 3]) -> Self {
        let half = dims[0].div_ceil(2);
        let (run, stride) = in_lanes(half);
        let plane = stride * dims[1];
        let planes_per_piece = if plane * dims[2] < SERIAL_BELOW {
            dims[2].next_multiple_of(2)
        } else {
            let places = (plane * dims[2] / PIECES).min(PIECE);
            places.div_ceil(plane).next_multiple_of(2)
        };
        Self {
            dims,
            half,
            run,
            stride,
            planes_per_piece,
        }
    }

    /// Length of the array of one colour.
    pub fn len(&self) -> usize {
        self.plane() * self.dims[2] + 2 * LANES
    }

    /// The planes of an array of one colour, without the room before and behind them.
    pub fn body<'a>(&self, array: &'a mut [f32]) -> &'a mut [f32] {
        &mut array[LANES..LANES + self.plane() * self.dims[2]]
    }

    /// Places in one plane of one colour.
    pub fn plane(&self) -> usize {
        self.stride * self.dims[1]
    }

    /// First place of row `(j, k)`.
    #[inline(always)]
    pub fn row(&self, j: usize, k: usize) -> usize {
        LANES + self.local_row(j, k)
    }

    /// First place of row `(j, k)` in a piece that begins with plane 0.
    #[inline(always)]
    pub fn local_row(&self, j: usize, k: usize) -> usize {
        (k * self.dims[1] + j) * self.stride
    }

    /// Parity of `i` of the voxels of `colour` in row `(j, k)`.
    #[inline(always)]
    pub fn offset(j: usize, k: usize, colour: usize) -> usize {
        (j + k + colour) & 1
    }

    /// Number of voxels of `i`-parity `offset` in a row.
    #[inline(always)]
    pub fn count(&self, offset: usize) -> usize {
        (self.dims[0] + 1 - offset) / 2
    }

    /// Colour and place of voxel `(i, j, k)`.
    pub fn place(&self, i: usize, j: usize, k: usize) -> (usize, usize) {
        ((i + j + k) & 1, self.row(j, k) + i / 2)
    }

    /// Length of one parallel piece of the array of one colour.
    pub fn piece(&self) -> usize {
        self.planes_per_piece * self.plane()
    }
}

/// Layout of the buffer through which a level exchanges rates, residuals and corrections with the
/// finer one. Where `x` is coarsened between them, a row is in natural order, so that place `m` of
/// either parity of the fine row lies above coarse voxel `m`; where it is not, a row holds its even
/// voxels first and then its odd ones. Either way the fine rows read and write it contiguously, in whole
/// lanes, and find zeros beside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    pub ny: usize,
    pub nz: usize,
    pub stride: usize,
    /// Places of a row that hold something.
    pub width: usize,
    /// Distance from the even to the odd part of a row; 0 for natural order.
    pub odd: usize,
}

impl Transfer {
    pub fn new(layout: &Layout, x_coarsened: bool) -> Self {
        let (odd, width, stride) = if x_coarsened {
            (0, layout.dims[0], in_lanes(layout.dims[0]).1)
        } else {
            let width = layout.run + layout.half;
            (layout.run, width, 2 * layout.run)
        };
        Self {
            ny: layout.dims[1],
            nz: layout.dims[2],
            stride,
            width,
            odd,
        }
    }

    pub fn plane(&self) -> usize {
        self.stride * self.ny
    }

    pub fn len(&self) -> usize {
        self.plane() * self.nz + 2 * LANES
    }

    /// The planes of a buffer, without the room before and behind them.
    pub fn body<'a>(&self, buffer: &'a mut [f32]) -> &'a mut [f32] {
        &mut buffer[LANES..LANES + self.plane() * self.nz]
    }

    #[inline(always)]
    pub fn row(&self, j: usize, k: usize) -> usize {
        LANES + self.local_row(j, k)
    }

    /// First place of row `(j, k)` in a piece that begins with plane 0.
    #[inline(always)]
    pub fn local_row(&self, j: usize, k: usize) -> usize {
        (k * self.ny + j) * self.stride
    }

    /// Copies a row of the buffer (`nx` voxels) into rows of even and odd voxels.
    #[inline(always)]
    pub fn split(&self, row: &[f32], nx: usize, even: &mut [f32], odd: &mut [f32]) {
        if self.odd > 0 {
            let half = self.width - self.odd;
            even[..half].copy_from_slice(&row[..half]);
            odd[..half].copy_from_slice(&row[self.odd..][..half]);
        } else {
            let pairs = nx / 2;
            let (even_pairs, odd_pairs) = (&mut even[..pairs], &mut odd[..pairs]);
            for ((pair, e), o) in row[..2 * pairs]
                .chunks_exact(2)
                .zip(even_pairs)
                .zip(odd_pairs)
            {
                *e = pair[0];
                *o = pair[1];
            }
            if nx % 2 == 1 {
                even[pairs] = row[nx - 1];
            }
        }
    }

    /// The inverse of [`Transfer::split`].
    #[inline(always)]
    pub fn join(&self, even: &[f32], odd: &[f32], nx: usize, row: &mut [f32]) {
        if self.odd > 0 {
            let half = self.width - self.odd;
            row[..half].copy_from_slice(&even[..half]);
            row[self.odd..][..half].copy_from_slice(&odd[..half]);
        } else {
            let pairs = nx / 2;
            let (even_pairs, odd_pairs) = (&even[..pairs], &odd[..pairs]);
            for ((pair, e), o) in row[..2 * pairs]
                .chunks_exact_mut(2)
                .zip(even_pairs)
                .zip(odd_pairs)
            {
                pair[0] = *e;
                pair[1] = *o;
            }
            if nx % 2 == 1 {
                row[nx - 1] = even[pairs];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_voxel_has_its_own_place_and_neighbours_have_the_other_colour() {
        for dims in [[1, 1, 1], [5, 3, 2], [4, 4, 4], [7, 1, 3]] {
            let layout = Layout::new(dims);
            let mut seen = [vec![false; layout.len()], vec![false; layout.len()]];
            for k in 0..dims[2] {
                for j in 0..dims[1] {
                    for i in 0..dims[0] {
                        let (colour, place) = layout.place(i, j, k);
                        assert!(!std::mem::replace(&mut seen[colour][place], true));
                        let m = place - layout.row(j, k);
                        assert_eq!(i, 2 * m + Layout::offset(j, k, colour));
                        assert!(m < layout.count(Layout::offset(j, k, colour)));
                    }
                }
            }
        }
    }
}
