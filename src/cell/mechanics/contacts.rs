//! What the neighbours of one cell do to it.
//!
//! Two passes per cell. The first walks the rows of bins within reach, eight candidates at a time, and
//! keeps the slots of those closer than the interaction distance. The second gathers the survivors (about a
//! dozen), again eight at a time, and sums what they contribute. The sum runs over survivors in slot order
//! in fixed lanes, so it depends neither on the instruction set nor on where rows of bins begin and end.
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
use super::lanes::{LANES, Lanes};
use super::sort::Sorted;
use crate::core::identity::CellId;

/// Survivors held before the second pass must run.
const HELD: usize = 248;
/// Room for the survivors of the first pass.
pub(super) type Held = [u32; HELD + LANES];
/// Room for survivors, to be lent to [`sum_contacts`].
pub(super) const NONE_HELD: Held = [0; HELD + LANES];
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

/// Calls `$visit(first, end)` for every row of slots that may hold a neighbour of a cell.
macro_rules! for_each_row {
    ($cells:expr, $search:expr, $position:expr, $radius:expr, |$first:ident, $end:ident| $visit:block) => {
        for level in &$cells.grids.levels {
            let [x, y, z]: [f32; 3] = $position;
            let distance = $search.reach * ($radius + level.radius) * SLACK + $search.drift;
            let square = distance * distance;
            let (z_first, z_last) = span(level, 2, z, distance);
            let (y_first, y_last) = span(level, 1, y, distance);
            for z_bin in z_first..=z_last {
                let z_gap = gap(level, 2, z_bin, z);
                let left = square - z_gap * z_gap;
                let plane = level.first_bin + z_bin * level.area;
                for y_bin in y_first..=y_last {
                    let y_gap = gap(level, 1, y_bin, y);
                    let left = left - y_gap * y_gap;
                    if left <= 0.0 {
                        continue;
                    }
                    let (x_first, x_last) = span(level, 0, x, left.sqrt());
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

#[inline(always)]
fn span(level: &Level, axis: usize, centre: f32, distance: f32) -> (u32, u32) {
    (
        level.index(axis, centre - distance),
        level.index(axis, centre + distance),
    )
}

/// Distance along `axis` from `centre` to a bin, um; zero inside it.
#[inline(always)]
fn gap(level: &Level, axis: usize, bin: u32, centre: f32) -> f32 {
    let low = level.origin[axis] + bin as f32 * level.edge[axis] - centre;
    let high = -low - level.edge[axis];
    let gap = if low > high { low } else { high };
    if gap > 0.0 { gap } else { 0.0 }
}

/// Sums over the neighbours of the cell in `slot`.
///
/// # Safety
/// The processor has the instruction set of `V`; `slot` is below the number of cells; `cells` is as
/// [`Sorted::sort`] left it but for positions that moved by at most `search.drift`.
#[inline(always)]
pub(super) unsafe fn sum_contacts<V: Lanes>(
    cells: &Sorted,
    search: Search,
    slot: usize,
    held: &mut Held,
) -> Contact {
    // SAFETY: slots below the number of cells are inside the arrays, whose padding of one batch lets loads
    // of eight begin at any of them; the instruction set is vouched for by the caller.
    unsafe {
        let (px, py, pz) = (cells.x.as_ptr(), cells.y.as_ptr(), cells.z.as_ptr());
        let p_radius = cells.radius.as_ptr();
        let position = [*px.add(slot), *py.add(slot), *pz.add(slot)];
        let radius = *p_radius.add(slot);
        let [x, y, z] = position.map(|value| V::splat(value));
        let (own_radius, reach) = (V::splat(radius), V::splat(search.reach));
        let mut sums = Sums::<V>::new(cells, slot, search.reach);
        let held = held.as_mut_ptr();
        let mut count = 0;
        for_each_row!(cells, search, position, radius, |first, end| {
            let mut at = first;
            while at < end {
                let from = at as usize;
                let dx = x.sub(V::load(px.add(from)));
                let dy = y.sub(V::load(py.add(from)));
                let dz = z.sub(V::load(pz.add(from)));
                let square = dx.mul(dx).add(dy.mul(dy)).add(dz.mul(dz));
                let limit = own_radius.add(V::load(p_radius.add(from))).mul(reach);
                let left = end - at;
                let tail = if left < LANES as u32 {
                    (1 << left) - 1
                } else {
                    255
                };
                let near = square.less(limit.mul(limit)) & tail;
                V::store_set_bits(near, at, held.add(count));
                count += V::ones(near) as usize;
                if count > HELD {
                    let whole = count / LANES * LANES;
                    sums.add(held, whole, whole);
                    for kept in 0..count - whole {
                        *held.add(kept) = *held.add(whole + kept);
                    }
                    count -= whole;
                }
                at += LANES as u32;
            }
        });
        for filler in 0..LANES {
            *held.add(count + filler) = slot as u32;
        }
        sums.add(held, count, count.next_multiple_of(LANES));
        let mut contact = sums.finish();
        if sums.coincident > 1 {
            separate(cells, search, slot, &mut contact);
        }
        contact
    }
}

/// Running sums of the second pass.
struct Sums<'a, V> {
    cells: &'a Sorted,
    x: V,
    y: V,
    z: V,
    radius: V,
    adhesion: V,
    repulsion: V,
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

impl<'a, V: Lanes> Sums<'a, V> {
    #[inline(always)]
    unsafe fn new(cells: &'a Sorted, slot: usize, reach: f32) -> Self {
        // SAFETY: as for `sum_contacts`.
        unsafe {
            let zero = V::splat(0.0);
            let own = cells.records.get_unchecked(slot);
            let [x, y, z] = own.position.map(|value| V::splat(value));
            Self {
                cells,
                x,
                y,
                z,
                radius: V::splat(own.radius),
                adhesion: V::splat(own.adhesion),
                repulsion: V::splat(own.repulsion),
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

    /// Adds the first `count` of the `padded` slots at `held`; the others repeat the cell itself.
    #[inline(always)]
    unsafe fn add(&mut self, held: *const u32, count: usize, padded: usize) {
        // SAFETY: as for `sum_contacts`; every held slot is below the number of cells.
        unsafe {
            let (zero, one, two) = (V::splat(0.0), V::splat(1.0), V::splat(2.0));
            let tiny = V::splat(COINCIDENT);
            self.contacts += count as u32;
            let mut at = 0;
            while at < padded {
                let [x, y, z, radius, adhesion, repulsion] =
                    V::gather(self.cells.records.as_ptr(), held.add(at));
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
            self.coincident -= (padded - count) as u32;
        }
    }

    #[inline(always)]
    unsafe fn finish(&self) -> Contact {
        // SAFETY: as for `sum_contacts`.
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
    for_each_row!(cells, search, own.position, own.radius, |first, end| {
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
