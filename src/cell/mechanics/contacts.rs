//! What the neighbours of one cell do to it.
//!
//! Cells that follow each other in the sorted order are neighbours in space, so up to [`GROUP`] of them
//! share one search: the rows of bins within reach of their common box are walked eight candidates at a
//! time, and those within reach of the box (some fifty) are copied side by side. Each cell of the group then
//! picks its own neighbours among them (about a dozen) and sums over these, again eight at a time, in slot
//! order and in fixed lanes. The sums therefore depend neither on the instruction set nor (but for rounding, in
//! crowds of more than [`COPIED`] candidates) on the grouping.
//!
//! With `d` the distance of centres, `R` the sum of radii and `S = reach R` (reach 1.25), cell `i` moves
//! away from `j` at `c_r (1 - d/R)^2` for `d < R` and towards it at `c_a (1 - d/S)^2` for `d < S`
//! (Macklin et al. 2012, doi 10.1016/j.jtbi.2012.02.002; Ghaffarizadeh et al. 2018,
//! doi 10.1371/journal.pcbi.1005991), `c` being the geometric mean of the strengths of the two cells.
//!
//! For the choice of the substep the pass also sums the stiffness matrix `A = sum k n n^T + t I`, where
//! `k = 2 c_r (1 - d/R) / R` is the slope of repulsion and `t` the tension per length of net attraction
//! (its stiffness across the line of centres).

use super::grid::Level;
use super::lanes::{FAR_AWAY, LANES, Lanes, Record};
use super::sort::Sorted;
use crate::core::identity::CellId;

/// Most cells that share a search.
pub(super) const GROUP: usize = 8;
/// Candidates that are copied before cells sum over them.
const COPIED: usize = 256;
/// Relative widening of searches, so that no rounding loses a neighbour.
const SLACK: f32 = 1.0005;
/// Squared distance below which two centres count as coincident, um2.
const COINCIDENT: f32 = 1.0e-12;
/// Pressure of PhysiCell's unit: twelve neighbours at the spacing of a hexagonal packing of equal area,
/// `12 (1 - sqrt(pi / (2 sqrt 3)))^2`.
pub(super) const PRESSURE_UNIT: f32 = 0.027_288_82;

/// Sums over the neighbours of one cell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Contact {
    /// Velocity, um/min.
    pub velocity: [f32; 3],
    /// `sum (1 - d/R)^2` over overlapping neighbours.
    pub pressure: f32,
    /// Stiffness matrix xx, xy, xz, yy, yz, zz, 1/min.
    pub stiffness: [f32; 6],
    /// Tension per length of attraction, 1/min.
    pub tension: f32,
    /// Cells closer than the interaction distance.
    pub contacts: u32,
    /// Cells that overlap.
    pub touching: u32,
}

/// What a search needs besides the sorted cells.
#[derive(Clone, Copy)]
pub(super) struct Search {
    /// Interaction distance over the sum of radii.
    pub reach: f32,
    /// Farthest any cell may be from where it was when it was sorted, um.
    pub drift: f32,
}

/// The box of a group, and its largest radius.
#[derive(Clone, Copy)]
struct Bounds {
    low: [f32; 3],
    high: [f32; 3],
    radius: f32,
}

impl Bounds {
    fn of(cell: &Record) -> Self {
        Self {
            low: cell.position,
            high: cell.position,
            radius: cell.radius,
        }
    }

    /// The box widened to hold another cell, unless an edge would then exceed `longest`.
    #[inline(always)]
    fn with(&self, cell: &Record, longest: f32) -> Option<Self> {
        let mut wider = *self;
        let mut fits = true;
        for axis in 0..3 {
            wider.low[axis] = smaller(self.low[axis], cell.position[axis]);
            wider.high[axis] = larger(self.high[axis], cell.position[axis]);
            fits &= wider.high[axis] - wider.low[axis] <= longest;
        }
        wider.radius = larger(self.radius, cell.radius);
        fits.then_some(wider)
    }
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// Calls `$visit` for every row of slots that may hold a neighbour of a cell inside the bounds.
macro_rules! for_each_row {
    ($cells:expr, $search:expr, $bounds:expr, |$first:ident, $end:ident| $visit:block) => {
        for level in &$cells.grids.levels {
            let Bounds { low, high, radius } = $bounds;
            let distance = $search.reach * (radius + level.radius) * SLACK + $search.drift;
            let square = distance * distance;
            let (z_first, z_last) = span(level, 2, low, high, distance);
            let (y_first, y_last) = span(level, 1, low, high, distance);
            for z_bin in z_first..=z_last {
                let z_gap = gap(level, 2, z_bin, low, high);
                let left = square - z_gap * z_gap;
                let plane = level.first_bin + z_bin * level.area;
                for y_bin in y_first..=y_last {
                    let y_gap = gap(level, 1, y_bin, low, high);
                    let left = left - y_gap * y_gap;
                    if left <= 0.0 {
                        continue;
                    }
                    let (x_first, x_last) = span(level, 0, low, high, left.sqrt());
                    let row = plane + y_bin * level.width;
                    let ($first, $end) = slots_of($cells, row + x_first, row + x_last);
                    $visit
                }
            }
        }
    };
}

/// The slots of a row of bins.
#[inline(always)]
fn slots_of(cells: &Sorted, first_bin: u32, last_bin: u32) -> (u32, u32) {
    debug_assert!((last_bin as usize) + 1 < cells.starts.len());
    // SAFETY: `span` stays inside the grid, and `starts` has one element more than there are bins.
    unsafe {
        (
            *cells.starts.get_unchecked(first_bin as usize),
            *cells.starts.get_unchecked(last_bin as usize + 1),
        )
    }
}

/// The bins along `axis` within `distance` of a box.
#[inline(always)]
fn span(level: &Level, axis: usize, low: [f32; 3], high: [f32; 3], distance: f32) -> (u32, u32) {
    (
        level.index(axis, low[axis] - distance),
        level.index(axis, high[axis] + distance),
    )
}

/// Distance along `axis` from a box to a bin, um; zero where they overlap.
#[inline(always)]
fn gap(level: &Level, axis: usize, bin: u32, low: [f32; 3], high: [f32; 3]) -> f32 {
    let bin_low = level.origin[axis] + bin as f32 * level.edge[axis];
    let bin_high = bin_low + level.edge[axis];
    larger(larger(bin_low - high[axis], low[axis] - bin_high), 0.0)
}

/// Candidates of a group side by side, padded by one batch, and the neighbours of a cell among them.
pub(super) struct Copied {
    slot: [u32; COPIED + LANES],
    place: [[f32; COPIED + LANES]; 4],
    near: [u32; COPIED + LANES],
}

impl Copied {
    pub const EMPTY: Self = Self {
        slot: [0; COPIED + LANES],
        place: [[0.0; COPIED + LANES]; 4],
        near: [0; COPIED + LANES],
    };

    /// Copies centres and radii of the first `count` candidates; fills the last batch with cells far away.
    #[inline(always)]
    unsafe fn fetch<V: Lanes>(&mut self, cells: &Sorted, count: usize) {
        // SAFETY: as for `sum_group`; slots above `count` were set to ones below the number of cells.
        unsafe {
            let mut at = 0;
            while at < count {
                let batches = V::gather_places(cells.records.as_ptr(), self.slot.as_ptr().add(at));
                for (place, batch) in self.place.iter_mut().zip(batches) {
                    batch.store(place.as_mut_ptr().add(at));
                }
                at += LANES;
            }
            V::splat(FAR_AWAY).store(self.place[0].as_mut_ptr().add(count));
            V::splat(1.0).store(self.place[3].as_mut_ptr().add(count));
        }
    }
}

/// Sums over the neighbours of the first of `slots` and of those that follow it and lie close by, at most
/// [`GROUP`]; returns how many were done.
///
/// # Safety
/// The processor has the instruction set of `V`; `slots` is a range of at least one slot, all below the
/// number of cells; `cells` is as [`Sorted::sort`] left it but for positions that moved by at most
/// `search.drift`.
#[inline(always)]
pub(super) unsafe fn sum_group<V: Lanes>(
    cells: &Sorted,
    search: Search,
    slots: std::ops::Range<usize>,
    copied: &mut Copied,
    out: &mut [Contact; GROUP],
) -> usize {
    // SAFETY: slots below the number of cells are inside the arrays, whose padding of one batch lets loads
    // of eight begin at any of them; the instruction set is vouched for by the caller.
    unsafe {
        let first_slot = slots.start;
        let own = cells.records.get_unchecked(first_slot);
        let longest = 2.0 * search.reach * own.radius;
        let mut bounds = Bounds::of(own);
        let mut sums = [Sums::<V>::new(own, search.reach); GROUP];
        let mut members = 1;
        while members < GROUP && first_slot + members < slots.end {
            let own = cells.records.get_unchecked(first_slot + members);
            let Some(wider) = bounds.with(own, longest) else {
                break;
            };
            bounds = wider;
            sums[members] = Sums::new(own, search.reach);
            members += 1;
        }

        let (px, py, pz) = (cells.x.as_ptr(), cells.y.as_ptr(), cells.z.as_ptr());
        let p_radius = cells.radius.as_ptr();
        let [low_x, low_y, low_z] = bounds.low.map(|value| V::splat(value));
        let [high_x, high_y, high_z] = bounds.high.map(|value| V::splat(value));
        let own_radius = V::splat(bounds.radius);
        let reach = V::splat(search.reach * SLACK);
        let zero = V::splat(0.0);
        let mut count = 0;
        for_each_row!(cells, search, bounds, |first, end| {
            let mut at = first;
            while at < end {
                let from = at as usize;
                let (x, y, z) = (
                    V::load(px.add(from)),
                    V::load(py.add(from)),
                    V::load(pz.add(from)),
                );
                let dx = low_x.sub(x).max(x.sub(high_x)).max(zero);
                let dy = low_y.sub(y).max(y.sub(high_y)).max(zero);
                let dz = low_z.sub(z).max(z.sub(high_z)).max(zero);
                let square = dx.mul(dx).add(dy.mul(dy)).add(dz.mul(dz));
                let limit = own_radius.add(V::load(p_radius.add(from))).mul(reach);
                let left = end - at;
                let tail = if left < LANES as u32 {
                    (1 << left) - 1
                } else {
                    255
                };
                let near = square.less(limit.mul(limit)) & tail;
                V::store_set_bits(near, at, copied.slot.as_mut_ptr().add(count));
                count += V::ones(near) as usize;
                if count > COPIED - LANES {
                    let whole = count / LANES * LANES;
                    let kept: [u32; LANES] = std::array::from_fn(|kept| copied.slot[whole + kept]);
                    copied.slot[whole..whole + LANES].fill(cells.len as u32);
                    copied.fetch::<V>(cells, whole);
                    for sums in &mut sums[..members] {
                        sums.add(cells, copied, whole);
                    }
                    copied.slot[..LANES].copy_from_slice(&kept);
                    count -= whole;
                }
                at += LANES as u32;
            }
        });
        copied.slot[count..count + LANES].fill(cells.len as u32);
        copied.fetch::<V>(cells, count);
        for member in 0..members {
            let sums = &mut sums[member];
            sums.add(cells, copied, count);
            out[member] = sums.finish();
            if sums.coincident > 1 {
                separate(cells, search, first_slot + member, &mut out[member]);
            }
        }
        members
    }
}

/// Running sums over the neighbours of one cell.
#[derive(Clone, Copy)]
struct Sums<V> {
    x: V,
    y: V,
    z: V,
    radius: V,
    adhesion: V,
    repulsion: V,
    reach: V,
    one_over_reach: V,
    vx: V,
    vy: V,
    vz: V,
    pressure: V,
    xx: V,
    xy: V,
    xz: V,
    yy: V,
    yz: V,
    zz: V,
    tension: V,
    contacts: u32,
    touching: u32,
    /// Cells at the very place, this one among them.
    coincident: u32,
}

impl<V: Lanes> Sums<V> {
    #[inline(always)]
    unsafe fn new(own: &Record, reach: f32) -> Self {
        // SAFETY: as for `sum_group`.
        unsafe {
            let zero = V::splat(0.0);
            let [x, y, z] = own.position.map(|value| V::splat(value));
            Self {
                x,
                y,
                z,
                radius: V::splat(own.radius),
                adhesion: V::splat(own.adhesion),
                repulsion: V::splat(own.repulsion),
                reach: V::splat(reach),
                one_over_reach: V::splat(1.0 / reach),
                vx: zero,
                vy: zero,
                vz: zero,
                pressure: zero,
                xx: zero,
                xy: zero,
                xz: zero,
                yy: zero,
                yz: zero,
                zz: zero,
                tension: zero,
                contacts: 0,
                touching: 0,
                coincident: 0,
            }
        }
    }

    /// Adds the first `count` candidates.
    #[inline(always)]
    unsafe fn add(&mut self, cells: &Sorted, copied: &mut Copied, count: usize) {
        // SAFETY: as for `sum_group`; candidates are padded to whole batches.
        unsafe {
            let (zero, one, two) = (V::splat(0.0), V::splat(1.0), V::splat(2.0));
            let tiny = V::splat(COINCIDENT);
            let place = |axis: usize| copied.place[axis].as_ptr();
            let near = copied.near.as_mut_ptr();
            let mut found = 0;
            let mut at = 0;
            while at < count {
                let dx = self.x.sub(V::load(place(0).add(at)));
                let dy = self.y.sub(V::load(place(1).add(at)));
                let dz = self.z.sub(V::load(place(2).add(at)));
                let square = dx.mul(dx).add(dy.mul(dy)).add(dz.mul(dz));
                let limit = self.radius.add(V::load(place(3).add(at))).mul(self.reach);
                let close = square.less(limit.mul(limit));
                V::store_set_bits(close, at as u32, near.add(found));
                found += V::ones(close) as usize;
                at += LANES;
            }
            self.contacts += found as u32;
            // The last batch is filled up with the far-away candidate, whose record is at the padding slot.
            for filler in 0..LANES {
                *near.add(found + filler) = count as u32;
            }
            let mut at = 0;
            while at < found {
                let [x, y, z, radius, adhesion, repulsion] =
                    V::gather(cells.records.as_ptr(), copied.slot.as_ptr(), near.add(at));
                let (dx, dy, dz) = (self.x.sub(x), self.y.sub(y), self.z.sub(z));
                let sum = self.radius.add(radius);
                let adhesion = self.adhesion.mul(adhesion);
                let repulsion = self.repulsion.mul(repulsion);
                let square = dx.mul(dx).add(dy.mul(dy)).add(dz.mul(dz));
                let distance = square.max(tiny).sqrt();
                // One division for both 1/d and 1/R; lanes at the very place (the cell itself) count zero.
                let inverse = one.div(distance.mul(sum)).where_not_less(square, tiny);
                let one_over_sum = distance.mul(inverse);
                let one_over_distance = sum.mul(inverse);
                let relative = distance.mul(one_over_sum);
                let overlap = one.sub(relative).where_not_less(square, tiny).max(zero);
                let span = one.sub(relative.mul(self.one_over_reach)).max(zero);
                let squared_overlap = overlap.mul(overlap);
                let push = repulsion.mul(squared_overlap);
                let net = push.sub(adhesion.mul(span.mul(span)));
                let (nx, ny, nz) = (
                    dx.mul(one_over_distance),
                    dy.mul(one_over_distance),
                    dz.mul(one_over_distance),
                );
                self.vx = self.vx.add(net.mul(nx));
                self.vy = self.vy.add(net.mul(ny));
                self.vz = self.vz.add(net.mul(nz));
                self.pressure = self.pressure.add(squared_overlap);
                let slope = two.mul(repulsion).mul(overlap).mul(one_over_sum);
                let (kx, ky, kz) = (slope.mul(nx), slope.mul(ny), slope.mul(nz));
                self.xx = self.xx.add(kx.mul(nx));
                self.xy = self.xy.add(kx.mul(ny));
                self.xz = self.xz.add(kx.mul(nz));
                self.yy = self.yy.add(ky.mul(ny));
                self.yz = self.yz.add(ky.mul(nz));
                self.zz = self.zz.add(kz.mul(nz));
                let pull = zero.sub(net).max(zero);
                self.tension = self.tension.add(pull.mul(one_over_distance));
                self.touching += V::ones(zero.less(overlap));
                self.coincident += V::ones(square.less(tiny));
                at += LANES;
            }
        }
    }

    #[inline(always)]
    unsafe fn finish(&self) -> Contact {
        // SAFETY: as for `sum_group`.
        unsafe {
            let [vx, vy, vz, pressure] = V::sum_four([self.vx, self.vy, self.vz, self.pressure]);
            let [xx, xy, xz, tension] = V::sum_four([self.xx, self.xy, self.xz, self.tension]);
            let [yy, yz, zz, _] = V::sum_four([self.yy, self.yz, self.zz, self.zz]);
            Contact {
                velocity: [vx, vy, vz],
                pressure,
                stiffness: [xx, xy, xz, yy, yz, zz],
                tension,
                contacts: self.contacts - 1,
                touching: self.touching,
            }
        }
    }
}

/// Adds what cells at the very place of this one do: full overlap, pushed apart along a direction that
/// their identities give.
#[cold]
#[inline(never)]
fn separate(cells: &Sorted, search: Search, slot: usize, contact: &mut Contact) {
    let own = cells.records[slot];
    for_each_row!(cells, search, Bounds::of(&own), |first, end| {
        for other in first as usize..end as usize {
            let record = cells.records[other];
            let d: [f32; 3] =
                std::array::from_fn(|axis| own.position[axis] - record.position[axis]);
            if other == slot || d[0] * d[0] + d[1] * d[1] + d[2] * d[2] >= COINCIDENT {
                continue;
            }
            let repulsion = own.repulsion * record.repulsion;
            let net = repulsion - own.adhesion * record.adhesion;
            let away = parting(CellId(own.id), CellId(record.id));
            for (velocity, away) in contact.velocity.iter_mut().zip(away) {
                *velocity += net.max(0.0) * away;
            }
            contact.pressure += 1.0;
            contact.touching += 1;
            contact.tension += 2.0 * repulsion / (own.radius + record.radius);
        }
    });
}

/// The direction in which `own` leaves `other` when both are at one place; the opposite of what `other`
/// gets.
pub(super) fn parting(own: CellId, other: CellId) -> [f32; 3] {
    let (low, high) = (own.0.min(other.0), own.0.max(other.0));
    let sign = if own.0 < other.0 { 1.0 } else { -1.0 };
    let mut state = low.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ high.rotate_left(32);
    loop {
        // SplitMix64 (Steele et al. 2014, doi 10.1145/2714064.2660195).
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let part = |shift: u32| ((mixed >> shift & 0xFFFF) as f32 + 0.5) / 32_768.0 - 1.0;
        let d = [part(0), part(16), part(32)];
        let square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
        if (0.01..=1.0).contains(&square) {
            let scale = sign / square.sqrt();
            return d.map(|d| d * scale);
        }
    }
}
