//! At most 255 colours for a picture, for formats that store an index per pixel.
//!
//! Colours are counted in bins of 64 levels per channel; the bins are split again and again, each time the
//! group with the largest spread, along its widest channel and at its mean (the variance-based relative of
//! median cut: Heckbert 1982, SIGGRAPH 16:297; Wu 1991, Graphics Gems II). Every colour of the palette is
//! the mean of the pixels it stands for. No dithering: noise that changes from frame to frame would crawl.

/// Levels per channel, as bits.
const BITS: u32 = 6;
const BINS: usize = 1 << (3 * BITS);

/// Most colours a palette may have; one index is left for "as before".
pub(super) const MOST_COLOURS: usize = 255;

/// Pixels that fell into one bin.
#[derive(Clone, Copy, Default)]
struct Bin {
    count: u32,
    sum: [u32; 3],
}

/// Chooses palettes. Kept between frames for its tables.
pub(super) struct Palette {
    bins: Vec<Bin>,
    /// Bins that hold pixels.
    used: Vec<u32>,
    /// Index into the palette, by bin.
    index_of_bin: Vec<u8>,
    /// The colours: red, green, blue, red, ...
    pub colours: Vec<u8>,
}

/// A run of [`Palette::used`] that shares one colour.
struct Group {
    start: usize,
    end: usize,
    mean: [f64; 3],
    /// Sum over pixels of the squared distance from the mean, per channel.
    spread: [f64; 3],
}

impl Palette {
    pub fn new() -> Self {
        Self {
            bins: vec![Bin::default(); BINS],
            used: Vec::new(),
            index_of_bin: vec![0; BINS],
            colours: Vec::new(),
        }
    }

    /// Chooses the colours for these pixels.
    pub fn choose(&mut self, pixels: impl Iterator<Item = [u8; 3]>) {
        for bin in self.used.drain(..) {
            self.bins[bin as usize] = Bin::default();
        }
        for pixel in pixels {
            let at = bin_of(pixel);
            let bin = &mut self.bins[at];
            if bin.count == 0 {
                self.used.push(at as u32);
            }
            bin.count += 1;
            for (sum, channel) in bin.sum.iter_mut().zip(pixel) {
                *sum += u32::from(channel);
            }
        }
        // The order of the pixels must not matter.
        self.used.sort_unstable();
        self.colours.clear();
        for (index, group) in self.groups().into_iter().enumerate() {
            self.colours
                .extend(group.mean.map(|channel| (channel + 0.5) as u8));
            for bin in &self.used[group.start..group.end] {
                self.index_of_bin[*bin as usize] = index as u8;
            }
        }
    }

    /// The index of a colour that was among the pixels of [`Palette::choose`].
    pub fn index(&self, pixel: [u8; 3]) -> u8 {
        self.index_of_bin[bin_of(pixel)]
    }

    fn groups(&mut self) -> Vec<Group> {
        if self.used.is_empty() {
            return Vec::new();
        }
        let mut groups = vec![self.group(0, self.used.len())];
        while groups.len() < MOST_COLOURS {
            let widest = groups
                .iter()
                .enumerate()
                .filter(|(_, group)| group.end - group.start > 1)
                .max_by(|(_, a), (_, b)| total(a.spread).total_cmp(&total(b.spread)));
            let Some((widest, group)) = widest else { break };
            let channel = (0..3)
                .max_by(|a, b| group.spread[*a].total_cmp(&group.spread[*b]))
                .unwrap_or(0);
            let (start, end, mean) = (group.start, group.end, group.mean[channel]);
            let middle = start + self.partition(start, end, channel, mean);
            // All bins on one side of the mean: they do not differ in this channel, nor in any other.
            if middle == start || middle == end {
                groups[widest].spread = [0.0; 3];
                if groups.iter().all(|group| total(group.spread) == 0.0) {
                    break;
                }
                continue;
            }
            groups[widest] = self.group(start, middle);
            groups.push(self.group(middle, end));
        }
        groups
    }

    /// Moves bins below `mean` to the front of the run and returns how many there are.
    fn partition(&mut self, start: usize, end: usize, channel: usize, mean: f64) -> usize {
        let bins = &self.bins;
        let run = &mut self.used[start..end];
        let mut below = 0;
        for at in 0..run.len() {
            let bin = &bins[run[at] as usize];
            if f64::from(bin.sum[channel]) < mean * f64::from(bin.count) {
                run.swap(at, below);
                below += 1;
            }
        }
        below
    }

    fn group(&self, start: usize, end: usize) -> Group {
        let mut count = 0.0;
        let mut sum = [0.0; 3];
        let mut squares = [0.0; 3];
        for bin in &self.used[start..end] {
            let bin = &self.bins[*bin as usize];
            count += f64::from(bin.count);
            for channel in 0..3 {
                let part = f64::from(bin.sum[channel]);
                sum[channel] += part;
                squares[channel] += part * part / f64::from(bin.count);
            }
        }
        let mean = sum.map(|sum| sum / count);
        let mut spread = [0.0; 3];
        for channel in 0..3 {
            spread[channel] = (squares[channel] - sum[channel] * mean[channel]).max(0.0);
        }
        Group {
            start,
            end,
            mean,
            spread,
        }
    }
}

fn total(spread: [f64; 3]) -> f64 {
    spread.iter().sum()
}

fn bin_of(pixel: [u8; 3]) -> usize {
    let [r, g, b] = pixel.map(|channel| usize::from(channel >> (8 - BITS)));
    (r << (2 * BITS)) | (g << BITS) | b
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(palette: &Palette, pixel: [u8; 3]) -> [u8; 3] {
        let at = usize::from(palette.index(pixel)) * 3;
        palette.colours[at..at + 3].try_into().unwrap()
    }

    #[test]
    fn few_colours_are_kept_exactly() {
        let pixels: Vec<[u8; 3]> = (0..200_u8)
            .map(|i| [i, 255 - i, (i % 7) * 36])
            .filter(|[r, _, _]| r % 4 == 1)
            .collect();
        let mut palette = Palette::new();
        palette.choose(pixels.iter().copied().cycle().take(1000));
        for pixel in pixels {
            assert_eq!(colour(&palette, pixel), pixel);
        }
    }

    #[test]
    fn a_grey_ramp_comes_out_within_two_levels() {
        let mut palette = Palette::new();
        let ramp = (0..=255_u8).map(|grey| [grey; 3]);
        palette.choose(ramp.clone());
        for pixel in ramp {
            assert!(colour(&palette, pixel)[0].abs_diff(pixel[0]) <= 2);
        }
    }

    #[test]
    fn a_full_cube_of_colours_uses_the_whole_palette_and_stays_close() {
        let mut palette = Palette::new();
        let cube: Vec<[u8; 3]> = (0..32_768_u32)
            .map(|i| [i >> 10 & 31, i >> 5 & 31, i & 31].map(|c| (c * 8) as u8))
            .collect();
        palette.choose(cube.iter().copied());
        assert_eq!(palette.colours.len(), 3 * MOST_COLOURS);
        let mean_error = cube
            .iter()
            .map(|pixel| {
                let got = colour(&palette, *pixel);
                (0..3)
                    .map(|c| f64::from(got[c].abs_diff(pixel[c])))
                    .sum::<f64>()
            })
            .sum::<f64>()
            / (3.0 * cube.len() as f64);
        // 255 equal cubes have a side of 256 / 6.34 = 40 levels, hence a mean error of 10.
        assert!(mean_error < 12.0, "{mean_error}");
    }

    #[test]
    fn a_palette_forgets_the_picture_before() {
        let mut palette = Palette::new();
        palette.choose([[255, 0, 0], [0, 255, 0]].into_iter());
        palette.choose([[1, 2, 3]; 5].into_iter());
        assert_eq!(palette.colours, [1, 2, 3]);
    }
}
