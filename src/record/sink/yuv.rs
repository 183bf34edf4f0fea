//! From sRGB bytes to the planes a video encoder wants: BT.709 matrix, limited range, 4:2:0.
//!
//! Coefficients follow from ITU-R BT.709-6 (Kr = 0.2126, Kb = 0.0722) with luma scaled to 16-235 and
//! chroma to 16-240, as 16-bit fixed-point numbers; each row sums to its exact range, so greys come out
//! without a tint. A chroma sample is the mean of its four pixels.

/// Fixed-point one.
const ONE: i32 = 1 << 16;
const HALF: i32 = ONE / 2;

/// Luma weights of R, G, B.
const LUMA: [i32; 3] = [11_966, 40_254, 4_064];
/// Blue-difference weights of R, G, B; they sum to zero.
const CB: [i32; 3] = [-6_596, -22_188, 28_784];
/// Red-difference weights of R, G, B; they sum to zero.
const CR: [i32; 3] = [28_784, -26_145, -2_639];

/// A picture as luma and half-size chroma planes.
pub(super) struct Yuv420 {
    /// Width of the luma plane, pixels, even.
    pub width: usize,
    /// Height of the luma plane, pixels, even.
    pub height: usize,
    /// Luma.
    pub y: Vec<u8>,
    /// Blue difference.
    pub u: Vec<u8>,
    /// Red difference.
    pub v: Vec<u8>,
}

impl Yuv420 {
    /// An empty picture; both lengths must be even.
    pub fn new(width: usize, height: usize) -> Self {
        assert!(
            width.is_multiple_of(2) && height.is_multiple_of(2),
            "4:2:0 pictures have even sides"
        );
        Self {
            width,
            height,
            y: vec![0; width * height],
            u: vec![0; width * height / 4],
            v: vec![0; width * height / 4],
        }
    }

    /// Converts a picture of RGBA rows of `source_width` pixels, of which the upper left part is used.
    pub fn fill(&mut self, rgba: &[u8], source_width: usize) {
        let (width, half) = (self.width, self.width / 2);
        let row_bytes = source_width * 4;
        let source_rows = rgba
            .chunks_exact(2 * row_bytes)
            .map(|pair| pair.split_at(row_bytes));
        let luma_rows = self.y.chunks_exact_mut(2 * width);
        let chroma_rows = self
            .u
            .chunks_exact_mut(half)
            .zip(self.v.chunks_exact_mut(half));
        for (((upper, lower), luma), (u, v)) in source_rows.zip(luma_rows).zip(chroma_rows) {
            let (luma_upper, luma_lower) = luma.split_at_mut(width);
            luma_row(upper, luma_upper);
            luma_row(lower, luma_lower);
            chroma_row(upper, lower, u, v);
        }
    }
}

fn luma_row(rgba: &[u8], luma: &mut [u8]) {
    for (pixel, luma) in rgba.chunks_exact(4).zip(luma) {
        let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(i32::from);
        let sum = LUMA[0] * r + LUMA[1] * g + LUMA[2] * b;
        *luma = ((sum + 16 * ONE + HALF) >> 16) as u8;
    }
}

fn chroma_row(upper: &[u8], lower: &[u8], u: &mut [u8], v: &mut [u8]) {
    let blocks = upper.chunks_exact(8).zip(lower.chunks_exact(8));
    for (((a, b), u), v) in blocks.zip(u).zip(v) {
        let sum = |channel: usize| {
            i32::from(a[channel])
                + i32::from(a[channel + 4])
                + i32::from(b[channel])
                + i32::from(b[channel + 4])
        };
        let [r, g, b] = [sum(0), sum(1), sum(2)];
        // Sums of four pixels, hence two more bits to shift away.
        let offset = 4 * (128 * ONE + HALF);
        *u = ((CB[0] * r + CB[1] * g + CB[2] * b + offset) >> 18) as u8;
        *v = ((CR[0] * r + CR[1] * g + CR[2] * b + offset) >> 18) as u8;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The definition of BT.709 limited range in floating point, the other way round.
    pub fn rgb_of(y: f64, u: f64, v: f64) -> [f64; 3] {
        let (kr, kb) = (0.2126, 0.0722);
        let luma = (y - 16.0) / 219.0;
        let cb = (u - 128.0) / 224.0;
        let cr = (v - 128.0) / 224.0;
        let r = luma + 2.0 * (1.0 - kr) * cr;
        let b = luma + 2.0 * (1.0 - kb) * cb;
        let g = (luma - kr * r - kb * b) / (1.0 - kr - kb);
        [r, g, b].map(|channel| channel * 255.0)
    }

    #[test]
    fn every_plain_colour_survives_the_way_there_and_back() {
        let mut picture = Yuv420::new(2, 2);
        for r in (0..=255_u8).step_by(15) {
            for g in (0..=255_u8).step_by(15) {
                for b in (0..=255_u8).step_by(15) {
                    picture.fill(&[r, g, b, 255].repeat(4), 2);
                    let back = rgb_of(
                        f64::from(picture.y[0]),
                        f64::from(picture.u[0]),
                        f64::from(picture.v[0]),
                    );
                    for (want, got) in [r, g, b].into_iter().zip(back) {
                        assert!(
                            (f64::from(want) - got).abs() <= 2.0,
                            "{r} {g} {b} -> {back:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn greys_have_no_tint_and_reach_the_ends_of_the_range() {
        let mut picture = Yuv420::new(2, 2);
        for grey in 0..=255_u8 {
            picture.fill(&[grey, grey, grey, 0].repeat(4), 2);
            assert_eq!((picture.u[0], picture.v[0]), (128, 128), "grey {grey}");
        }
        assert_eq!(picture.y[0], 235);
        picture.fill(&[0; 16], 2);
        assert_eq!(picture.y[0], 16);
    }

    #[test]
    fn an_odd_source_loses_its_last_row_and_column() {
        let mut picture = Yuv420::new(2, 2);
        let mut source = vec![0; 3 * 3 * 4];
        for (index, pixel) in source.chunks_exact_mut(4).enumerate() {
            let inside = index % 3 < 2 && index / 3 < 2;
            pixel[..3].fill(if inside { 255 } else { 0 });
        }
        picture.fill(&source, 3);
        assert_eq!(picture.y, [235; 4]);
    }
}
