//! Bins over the box that the cells occupy, one grid for each class of size.
//!
//! Bins are one interaction distance wide, so that a search is about nine rows of neighbouring slots, three bins
//! each. It states the distance it needs and visits every bin within that: results never depend on the edges,
//! which only decide the speed.
//!
//! Cells of very different size go to separate grids ([`Levels::plan`]): one macrophage among a hundred
//! thousand lymphocytes must not make all of them search its reach. Each cell searches every grid, with the
//! distance at which the largest cell of that grid could touch it.

use super::ContactBody;

/// Bins that any population may use, beyond four for each cell.
const FREE_BINS: f64 = 131_072.0;
/// Bins per cell beyond which edges grow.
const BINS_PER_CELL: f64 = 4.0;
/// Radius classes: four per octave of eight octaves, from 1/4 um to 64 um.
const CLASSES: usize = 32;
/// Places in which a census counts by turns: as many as an addition in memory takes cycles.
const TURNS: usize = 4;
/// Radius below which bins get no smaller, um; that of the smallest class.
const SMALLEST_UM: f32 = 0.25;
/// Coordinate beyond which there are no bins, um.
const FARTHEST_UM: f32 = 1.0e8;
/// Most grids in use.
pub(super) const MOST_LEVELS: usize = 3;
/// Cost of searching one more grid in units of one candidate; measured, see `benches/table/mechanics.rs`.
const SEARCH_COST: f64 = 60.0;

/// One grid: the bins of all cells of a class of size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    /// Lower corner, um.
    pub origin: [f32; 3],
    /// Edge of a bin, um.
    pub edge: f32,
    /// One over the edge, 1/um.
    pub inverse: f32,
    /// Index of the last bin along each axis.
    pub last: [f32; 3],
    /// Bins along x.
    pub width: u32,
    /// Bins along x times bins along y.
    pub area: u32,
    /// Number of this grid's first bin among those of all grids.
    pub first_bin: u32,
    /// Largest radius of a cell in it, um.
    pub radius: f32,
}

impl Level {
    /// Number along `axis` of the bin that holds `coordinate`; the outermost bins reach to infinity.
    #[inline(always)]
    pub fn index(&self, axis: usize, coordinate: f32) -> u32 {
        let at = (coordinate - self.origin[axis]) * self.inverse;
        let at = if at > 0.0 { at } else { 0.0 };
        let at = if at < self.last[axis] {
            at
        } else {
            self.last[axis]
        };
        // SAFETY: between zero and the last bin, which is at least zero and less than the number of bins, a
        // 32-bit number; never NaN (the first comparison turns it to zero).
        unsafe { at.to_int_unchecked() }
    }

    /// Whether the bins are the same.
    fn same_bins(&self, other: &Self) -> bool {
        let corners = |level: &Self| (level.origin, level.edge, level.last);
        corners(self) == corners(other) && self.first_bin == other.first_bin
    }

    /// Number of the bin that holds `position`, among the bins of all grids.
    #[inline(always)]
    pub fn bin(&self, [x, y, z]: [f32; 3]) -> u32 {
        self.first_bin
            + self.index(2, z) * self.area
            + self.index(1, y) * self.width
            + self.index(0, x)
    }
}

/// Where cells are and how large, gathered piece by piece in any order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Census {
    low: [f32; 3],
    high: [f32; 3],
    count: [u32; CLASSES],
    radius: [f32; CLASSES],
    /// Smallest and largest strengths of adhesion and repulsion.
    strengths: [[f32; 2]; 2],
}

impl Default for Census {
    fn default() -> Self {
        Self {
            low: [f32::INFINITY; 3],
            high: [f32::NEG_INFINITY; 3],
            count: [0; CLASSES],
            radius: [0.0; CLASSES],
            strengths: [[f32::INFINITY, f32::NEG_INFINITY]; 2],
        }
    }
}

#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// Class of a radius: its exponent and the two leading bits behind the point.
#[inline(always)]
fn class_of(radius: f32) -> usize {
    let leading = (radius.to_bits() >> 21) as i32;
    let quarter_um = (125_i32) << 2;
    (leading - quarter_um).clamp(0, CLASSES as i32 - 1) as usize
}

impl Census {
    /// Of some bodies.
    pub fn of(bodies: &[ContactBody]) -> Self {
        let mut low = [f32::INFINITY; 8];
        let mut high = [f32::NEG_INFINITY; 8];
        // Counted in turns, so that one cell need not wait for the one before, which is mostly of the same class.
        let mut counts = [[0_u32; CLASSES]; TURNS];
        let mut radii = [[0.0; CLASSES]; TURNS];
        for (turn, body) in bodies.iter().enumerate() {
            let numbers = body.numbers();
            for lane in 0..8 {
                low[lane] = smaller(numbers[lane], low[lane]);
                high[lane] = larger(numbers[lane], high[lane]);
            }
            let class = class_of(body.radius);
            let (count, radius) = (&mut counts[turn % TURNS], &mut radii[turn % TURNS]);
            count[class] += 1;
            radius[class] = larger(body.radius, radius[class]);
        }
        let [x, y, z, _, adhesion, repulsion, ..] =
            std::array::from_fn::<_, 8, _>(|lane| [low[lane], high[lane]]);
        let mut census = Self {
            low: [x, y, z].map(|[low, _]| low),
            high: [x, y, z].map(|[_, high]| high),
            strengths: [adhesion, repulsion],
            ..Self::default()
        };
        for (counts, radii) in counts.iter().zip(&radii) {
            for class in 0..CLASSES {
                census.count[class] += counts[class];
                census.radius[class] = larger(radii[class], census.radius[class]);
            }
        }
        census
    }

    /// Whether all cells have the same strengths.
    pub fn alike(&self) -> bool {
        self.strengths.iter().all(|[least, most]| least >= most)
    }

    pub fn merge(&mut self, other: &Self) {
        for axis in 0..3 {
            self.low[axis] = self.low[axis].min(other.low[axis]);
            self.high[axis] = self.high[axis].max(other.high[axis]);
        }
        for (range, [least, most]) in self.strengths.iter_mut().zip(other.strengths) {
            *range = [range[0].min(least), range[1].max(most)];
        }
        for class in 0..CLASSES {
            self.count[class] += other.count[class];
            self.radius[class] = self.radius[class].max(other.radius[class]);
        }
    }
}

/// The grids in use and which class of radius goes where.
#[derive(Clone, Debug, Default)]
pub(super) struct Levels {
    pub levels: Vec<Level>,
    level_of_class: [u8; CLASSES],
    /// Bins of all grids together.
    pub bins: u32,
}

impl Levels {
    /// The grid of a cell of this radius.
    #[inline(always)]
    pub fn of(&self, radius: f32) -> &Level {
        &self.levels[self.level_of_class[class_of(radius)] as usize]
    }

    /// Whether every cell would be in the same bin.
    pub fn same_bins(&self, other: &Self) -> bool {
        self.bins == other.bins
            && self.level_of_class == other.level_of_class
            && self.levels.len() == other.levels.len()
            && std::iter::zip(&self.levels, &other.levels).all(|(a, b)| a.same_bins(b))
    }

    /// Lays out the grids for a population. `reach` is the interaction distance over the sum of radii,
    /// `scale` multiplies the edges of the bins (1 is the fastest; results do not depend on it).
    pub fn plan(&mut self, census: &Census, reach: f32, scale: f32) {
        self.levels.clear();
        self.level_of_class = [0; CLASSES];
        self.bins = 0;
        let cut = cheapest_cut(census, f64::from(reach));
        let mut class = 0;
        for end in cut {
            let classes = class..end;
            class = end.max(class);
            let count: u32 = census.count[classes.clone()].iter().sum();
            if count == 0 {
                continue;
            }
            let radius = census.radius[classes.clone()]
                .iter()
                .copied()
                .fold(0.0, f32::max);
            for class in classes {
                self.level_of_class[class] = self.levels.len() as u8;
            }
            let edge = f64::from(round_up(2.0 * reach * radius.max(SMALLEST_UM) * scale));
            let level = lay_out(census, f64::from(count), edge, radius, self.bins);
            self.bins += level.area * (level.last[2] as u32 + 1);
            self.levels.push(level);
        }
    }
}

/// The next larger number with four bits behind the leading one, so that bins keep their place while the
/// largest cell grows.
fn round_up(edge: f32) -> f32 {
    f32::from_bits(edge.to_bits().next_multiple_of(1 << 19))
}

fn lay_out(census: &Census, count: f64, edge: f64, radius: f32, first_bin: u32) -> Level {
    let most = BINS_PER_CELL * count + FREE_BINS / MOST_LEVELS as f64;
    let mut edge = edge;
    // Cells that are nowhere (not a number) or at the end of all numbers count for the nearest bin.
    let within = |at: f32| f64::from(at.clamp(-FARTHEST_UM, FARTHEST_UM));
    let (mut low, mut high) = (census.low.map(within), census.high.map(within));
    for axis in 0..3 {
        if low[axis] > high[axis] {
            (low[axis], high[axis]) = (0.0, 0.0);
        }
    }
    loop {
        let first = low.map(|low| (low / edge).floor());
        let bins: [f64; 3] =
            std::array::from_fn(|axis| (high[axis] / edge).floor() - first[axis] + 1.0);
        if bins[0] * bins[1] * bins[2] <= most {
            return Level {
                origin: first.map(|first| (first * edge) as f32),
                edge: edge as f32,
                inverse: (1.0 / edge) as f32,
                last: bins.map(|bins| bins as f32 - 1.0),
                width: bins[0] as u32,
                area: (bins[0] * bins[1]) as u32,
                first_bin,
                radius,
            };
        }
        edge *= 1.25;
    }
}

/// Where to cut the classes of radius into up to three grids, as ends of ranges of classes.
///
/// The cost of a cell is a search of each grid plus the candidates met there, were the cells packed at
/// random (0.64 of the volume filled).
fn cheapest_cut(census: &Census, reach: f64) -> [usize; MOST_LEVELS] {
    let mut ends = [0; CLASSES];
    let mut occupied = 0;
    let mut volume = 0.0;
    for class in 0..CLASSES {
        if census.count[class] > 0 {
            ends[occupied] = class + 1;
            occupied += 1;
            let radius = f64::from(census.radius[class]);
            volume += f64::from(census.count[class]) * radius * radius * radius;
        }
    }
    let ends = &ends[..occupied];
    let mut best = ([CLASSES; MOST_LEVELS], f64::INFINITY);
    if occupied < 2 {
        return best.0;
    }
    // Candidates per cell of radius r in a grid of n cells up to radius R: 14.5 (reach (r + R))^3 of volume
    // (the nine rows of bins, cut to the ball) at n cells per volume.
    let volume = volume * (4.0 / 3.0 * std::f64::consts::PI / 0.64);
    for (i, &a) in ends.iter().enumerate() {
        for &b in &ends[i..] {
            let cut = [a, b, CLASSES];
            let mut begin = 0;
            let mut cost = 0.0;
            for end in cut {
                let held = begin..end;
                begin = end;
                let count: u32 = census.count[held.clone()].iter().sum();
                if count == 0 {
                    continue;
                }
                let largest = census.radius[held].iter().copied().fold(0.0, f32::max);
                for &class in ends {
                    let class = class - 1;
                    let sum = reach * f64::from(census.radius[class] + largest);
                    let met = 14.5 * sum * sum * sum * f64::from(count) / volume;
                    cost += f64::from(census.count[class]) * (SEARCH_COST + met);
                }
            }
            if cost < best.1 {
                best = (cut, cost);
            }
        }
    }
    best.0
}
