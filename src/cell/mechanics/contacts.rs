//! What the neighbours of one cell do to it.
//!
//! Each cell sums over its neighbours (see `search`) sixteen at a time, in slot order and in fixed lanes. The
//! sums therefore depend neither on the instruction set nor on what else is near, only on the neighbours.
//!
//! Distances are counted in sums of contact radii, `s = d / R`, and `c_r`, `c_a` are the geometric means of the
//! strengths of the two cells. Adhesion may have two channels, as E- and N-cadherin, each of which holds to its own kind
//! alone (Duguay et al. 2003, doi 10.1016/S0012-1606(02)00016-7): `c_a` is then the sum of the geometric means of both.
//! Which law holds is said by [`ContactLaw`]:
//!
//! - `Cohesive`: cells push at `c_r u (1 + q u)`, `u = 1 - s`, where they are closer than their contact radii, and pull at
//!   `4 c_a (s - 1)(S - s) / (S - 1)^2` for `1 < s < S`: nothing at rest, `c_a` in the middle of the reach, nothing beyond.
//!   Stiffness is finite near rest (`c_r / R` and `4 c_a / ((S - 1) R)`), so that strong cohesion asks for no short
//!   substeps; the growing stiffness of what is pressed keeps cells of several shells from falling into one.
//! - `PhysiCell`: cells push at `c_r (1 - s)^2` for `s < 1` and pull at `c_a (1 - s/S)^2` for `s < S`
//!   (Macklin et al. 2012, doi 10.1016/j.jtbi.2012.02.002; Ghaffarizadeh et al. 2018,
//!   doi 10.1371/journal.pcbi.1005991).
//!
//! For the choice of the substep the pass also bounds the stiffness matrix `A = sum k n n^T + t I`, where
//! `k` is the slope of the force where it restores and `t` the tension per length of net attraction
//! (its stiffness across the line of centres): at once by its trace `sum (k + t)`, and where that is not
//! good enough for the time to be covered, by the largest row sum.

use std::ops::Range;

use super::lanes::{FAR_AWAY, LANES, Lanes};
use super::neighbours::{Accumulate, GROUP, Near, NeighbourRows, Own};
use super::search::{Search, rows_around};
use super::sort::Sorted;
use super::{ContactBody, ContactLaw, MechanicsParameters};
use crate::core::identity::CellId;

// Traces are added up four at a time.
const _: () = assert!(GROUP.is_multiple_of(4));

/// Squared distance below which two centres count as coincident, um2.
const COINCIDENT: f32 = 1.0e-12;
/// PhysiCell's unit of pressure: twelve neighbours at the spacing of a hexagonal packing of equal area,
/// `12 u^2` with the overlap `u = 1 - sqrt(pi / (2 sqrt 3))`.
const PHYSICELL_PRESSURE_UNIT: f32 = 0.027_288_82;
/// That overlap.
const UNIT_OVERLAP: f32 = 0.047_687_2;

/// Sums over the neighbours of one cell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Contact {
    /// Velocity, um/min.
    pub velocity: [f32; 3],
    /// Sum of forces away from neighbours, um/min; by PhysiCell `sum (1 - s)^2` over overlapping neighbours.
    pub pressure: f32,
    /// `sum (1 - s/S)` over neighbours: a measure of how many there are and how close.
    pub crowding: f32,
    /// Bound of the stiffness, 1/min: the trace.
    pub trace: f32,
    /// Cells closer than the interaction distance.
    pub contacts: u32,
    /// Cells that overlap.
    pub touching: u32,
    /// Other cells at the very place, to be added by [`separate`].
    pub coincident: u32,
}

/// The stiffness of one cell, 1/min.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stiffness {
    /// The matrix, xx, xy, xz, yy, yz, zz.
    pub matrix: [f32; 6],
    /// Tension per length of attraction, the same along every axis.
    pub tension: f32,
}

impl Stiffness {
    /// A bound of the largest eigenvalue, the walls' share along each axis added: the largest row sum.
    pub fn bound(&self, walls: [f32; 3]) -> f32 {
        let [xx, xy, xz, yy, yz, zz] = self.matrix;
        let rows = [
            walls[0] + xx + xy.abs() + xz.abs(),
            walls[1] + yy + xy.abs() + yz.abs(),
            walls[2] + zz + xz.abs() + yz.abs(),
        ];
        rows[0].max(rows[1]).max(rows[2]) + self.tension
    }
}

/// Sums over the neighbours of the cells in some slots, at most [`GROUP`], which [`NeighbourRows::pick`] put in the
/// places of as many members.
///
/// # Safety
/// As for [`NeighbourRows::hold`].
#[inline(always)]
pub(super) unsafe fn sum<V: Lanes, const CHANNELS: usize, const LAW: u8>(
    cells: &Sorted,
    search: Search,
    slots: Range<usize>,
    room: &mut NeighbourRows,
    contacts: &mut [Contact; GROUP],
) {
    let members = slots.len();
    // SAFETY: the caller's promises.
    unsafe {
        let mut traces = [V::splat(0.0); GROUP];
        let mut crowds = traces;
        for (member, slot) in slots.enumerate() {
            let own = Own::<V>::new(cells, slot, search);
            let mut sums = Sums::<V>::new();
            let near = &mut room.near[member];
            let count;
            if room.crowded {
                count =
                    near.search_alone::<V, CHANNELS, LAW>(cells, search, (slot, &own), &mut sums);
            } else {
                count = near.count;
                sums.add::<CHANNELS, LAW>(&own, near, count);
            }
            contacts[member] = sums.finish(count);
            traces[member] = sums.trace;
            crowds[member] = sums.crowding;
        }
        let mut member = 0;
        while member < members {
            let (traces, crowds) = (four_sums(&traces, member), four_sums(&crowds, member));
            let both = traces.into_iter().zip(crowds);
            for (contact, (trace, crowding)) in contacts[member..].iter_mut().zip(both) {
                contact.trace = trace;
                contact.crowding = crowding;
            }
            member += 4;
        }
    }
}

/// The sums over the lanes of four members from one on. No closure does it: what it calls would not be compiled for the instruction set, and
/// each addition be a call of its own, which took a fifth of the time of tissue that moves.
///
/// # Safety
/// As for [`NeighbourRows::hold`].
#[inline(always)]
unsafe fn four_sums<V: Lanes>(of: &[V; GROUP], first: usize) -> [f32; 4] {
    // SAFETY: the caller's promises.
    unsafe { V::sum_four([of[first], of[first + 1], of[first + 2], of[first + 3]]) }
}

/// The stiffness matrix of the same cell.
///
/// # Safety
/// As for [`sum`].
#[inline(always)]
pub(super) unsafe fn stiffness<V: Lanes, const CHANNELS: usize, const LAW: u8>(
    cells: &Sorted,
    search: Search,
    (slot, member): (usize, usize),
    room: &mut NeighbourRows,
) -> Stiffness {
    // SAFETY: the caller's promises.
    unsafe {
        let own = Own::<V>::new(cells, slot, search);
        let mut sums = StiffnessSums::<V>([V::splat(0.0); 7]);
        let near = &mut room.near[member];
        if room.crowded {
            near.search_alone::<V, CHANNELS, LAW>(cells, search, (slot, &own), &mut sums);
        } else {
            sums.add::<CHANNELS, LAW>(&own, near, near.count);
        }
        sums.finish()
    }
}

/// What sixteen neighbours do.
struct Pairs<V> {
    offset: [V; 3],
    square: V,
    one_over_distance: V,
    /// `1 - s`, at least zero.
    overlap: V,
    /// What they add to the pressure.
    pressure: V,
    /// `1 - s/S`, at least zero.
    span: V,
    /// Net repulsion over the distance, 1/min.
    net: V,
    /// Slope of the force where it restores, 1/min.
    slope: V,
    /// Tension per length of net attraction, 1/min.
    tension: V,
}

/// The law `Cohesive`, as a constant.
pub(super) const COHESIVE: u8 = 0;
/// The law `PhysiCell`, as a constant.
pub(super) const PHYSICELL: u8 = 1;

impl<V: Lanes> Pairs<V> {
    #[inline(always)]
    unsafe fn of<const CHANNELS: usize, const LAW: u8>(
        own: &Own<V>,
        near: &Near,
        at: usize,
    ) -> Self {
        // SAFETY: as for [`NeighbourRows::hold`]; neighbours are padded to whole batches.
        unsafe {
            let (zero, one) = (V::splat(0.0), V::splat(1.0));
            let tiny = V::splat(COINCIDENT);
            let near = near.of.each_ref().map(|of| of.as_ptr().add(at));
            // Cells at infinity fill the last batch; their distance must be a number.
            let far = V::splat(-FAR_AWAY);
            let dx = own.position[0].sub(V::load(near[0])).max(far);
            let dy = own.position[1].sub(V::load(near[1]));
            let dz = own.position[2].sub(V::load(near[2]));
            let sum = own.radius.add(V::load(near[3]));
            let [mut adhesion, repulsion] = if CHANNELS == 0 {
                let [adhesion, repulsion, _] = own.strength;
                [adhesion.mul(adhesion), repulsion.mul(repulsion)]
            } else {
                [
                    own.strength[0].mul(V::load(near[4])),
                    own.strength[1].mul(V::load(near[5])),
                ]
            };
            if CHANNELS == 2 {
                adhesion = adhesion.add(own.strength[2].mul(V::load(near[6])));
            }
            let square = dx.mul(dx).add(dy.mul(dy)).add(dz.mul(dz));
            let distance = square.max(tiny).sqrt();
            // One division for both 1/d and 1/R; lanes at the very place (the cell itself) count zero.
            let inverse = one.div(distance.mul(sum)).where_not_less(square, tiny);
            let one_over_sum = distance.mul(inverse);
            let one_over_distance = sum.mul(inverse);
            let relative = distance.mul(one_over_sum);
            let overlap = one.sub(relative).where_not_less(square, tiny).max(zero);
            let span = one.sub(relative.mul(own.one_over_reach));
            let span = span.where_not_less(square, tiny).max(zero);
            let (pressure, force, slope) = if LAW == PHYSICELL {
                let squared_overlap = overlap.mul(overlap);
                let force = repulsion
                    .mul(squared_overlap)
                    .sub(adhesion.mul(span.mul(span)));
                let slope = repulsion.add(repulsion).mul(overlap);
                (squared_overlap, force, slope)
            } else {
                let stretch = relative.sub(one).max(zero);
                let pull = adhesion.mul(own.pull).mul(stretch.mul(span));
                let stiffer = own.stiffening.mul(overlap);
                let force = repulsion.mul(overlap.add(overlap.mul(stiffer))).sub(pull);
                // Where a pair is stretched, stiffness falls from `4 c_a / (S - 1)` at rest to nothing in the middle.
                let left = own.one_and_reach.sub(relative.add(relative)).max(zero);
                let stretched = adhesion.mul(own.pull_slope).mul(left);
                let pressed = repulsion.mul(one.add(stiffer.add(stiffer)));
                let slope = stretched
                    .where_not_less(relative, one)
                    .add(pressed.where_not_less(overlap, V::splat(f32::MIN_POSITIVE)));
                (force, force, slope)
            };
            let net = force.mul(one_over_distance);
            Self {
                offset: [dx, dy, dz],
                square,
                one_over_distance,
                overlap,
                pressure,
                span,
                net,
                slope: slope.mul(one_over_sum),
                tension: zero.sub(net).max(zero),
            }
        }
    }
}

/// What two cells do to each other at a distance: outwards, um/min, pull and all.
#[inline]
pub(super) fn force_between(
    parameters: &MechanicsParameters,
    relative: f32,
    [adhesion, repulsion]: [f32; 2],
) -> f32 {
    let reach = parameters.reach;
    let span = (1.0 - relative / reach).max(0.0);
    let pull = match parameters.law {
        ContactLaw::PhysiCell => adhesion * span * span,
        ContactLaw::Cohesive => adhesion * pull_factor(reach) * (relative - 1.0).max(0.0) * span,
    };
    push_of(parameters, relative, repulsion) - pull
}

/// How two cells that overlap push each other, um/min.
#[inline]
pub(super) fn push_of(parameters: &MechanicsParameters, relative: f32, repulsion: f32) -> f32 {
    let overlap = (1.0 - relative).max(0.0);
    match parameters.law {
        ContactLaw::PhysiCell => repulsion * overlap * overlap,
        ContactLaw::Cohesive => repulsion * overlap * (1.0 + parameters.stiffening * overlap),
    }
}

/// `4 S / (S - 1)^2`, so that a pair in the middle of its reach is pulled with the whole strength.
pub(super) fn pull_factor(reach: f32) -> f32 {
    4.0 * reach / ((reach - 1.0) * (reach - 1.0))
}

/// The unit of pressure: twelve neighbours of the usual strength at an overlap of 4.8 %.
pub(super) fn pressure_unit(parameters: &MechanicsParameters) -> f32 {
    match parameters.law {
        ContactLaw::PhysiCell => PHYSICELL_PRESSURE_UNIT,
        ContactLaw::Cohesive => {
            let relative = 1.0 - UNIT_OVERLAP;
            12.0 * push_of(parameters, relative, ContactLaw::Cohesive.repulsion())
        }
    }
}

/// Running sums over the neighbours of one cell.
#[derive(Clone, Copy)]
struct Sums<V> {
    velocity: [V; 3],
    pressure: V,
    crowding: V,
    trace: V,
    touching: usize,
    /// Cells at the very place, this one among them.
    coincident: usize,
}

impl<V: Lanes> Sums<V> {
    #[inline(always)]
    unsafe fn new() -> Self {
        // SAFETY: as for [`NeighbourRows::hold`].
        let zero = unsafe { V::splat(0.0) };
        Self {
            velocity: [zero; 3],
            pressure: zero,
            crowding: zero,
            trace: zero,
            touching: 0,
            coincident: 0,
        }
    }

    #[inline(always)]
    unsafe fn finish(&self, count: usize) -> Contact {
        // SAFETY: as for [`NeighbourRows::hold`].
        unsafe {
            let [x, y, z] = self.velocity;
            let [vx, vy, vz, pressure] = V::sum_four([x, y, z, self.pressure]);
            Contact {
                velocity: [vx, vy, vz],
                pressure,
                // Added up for four cells at a time, see [`sum`].
                crowding: 0.0,
                trace: 0.0,
                // A cell that is nowhere (not a number) does not even find itself.
                contacts: (count as u32).saturating_sub(1),
                touching: self.touching as u32,
                coincident: (self.coincident as u32).saturating_sub(1),
            }
        }
    }
}

impl<V: Lanes> Accumulate<V> for Sums<V> {
    #[inline(always)]
    unsafe fn add<const CHANNELS: usize, const LAW: u8>(
        &mut self,
        own: &Own<V>,
        near: &Near,
        count: usize,
    ) {
        // SAFETY: as for [`NeighbourRows::hold`].
        unsafe {
            let mut at = 0;
            while at < count {
                let pairs = Pairs::of::<CHANNELS, LAW>(own, near, at);
                let [dx, dy, dz] = pairs.offset;
                let [vx, vy, vz] = self.velocity;
                self.velocity = [
                    vx.add(pairs.net.mul(dx)),
                    vy.add(pairs.net.mul(dy)),
                    vz.add(pairs.net.mul(dz)),
                ];
                self.pressure = self.pressure.add(pairs.pressure);
                self.crowding = self.crowding.add(pairs.span);
                self.trace = self.trace.add(pairs.slope.add(pairs.tension));
                self.touching += V::ones(V::splat(0.0).less(pairs.overlap));
                self.coincident += V::ones(pairs.square.less(V::splat(COINCIDENT)));
                at += LANES;
            }
        }
    }
}

/// Running sums of the stiffness matrix (xx, xy, xz, yy, yz, zz) and the tension.
struct StiffnessSums<V>([V; 7]);

impl<V: Lanes> Accumulate<V> for StiffnessSums<V> {
    #[inline(always)]
    unsafe fn add<const CHANNELS: usize, const LAW: u8>(
        &mut self,
        own: &Own<V>,
        near: &Near,
        count: usize,
    ) {
        // SAFETY: as for [`NeighbourRows::hold`].
        unsafe {
            let mut at = 0;
            while at < count {
                let pairs = Pairs::of::<CHANNELS, LAW>(own, near, at);
                let [dx, dy, dz] = pairs.offset;
                let inverse = pairs.one_over_distance;
                let (nx, ny, nz) = (dx.mul(inverse), dy.mul(inverse), dz.mul(inverse));
                let slope = pairs.slope;
                let (kx, ky, kz) = (nx.mul(slope), ny.mul(slope), nz.mul(slope));
                let [xx, xy, xz, yy, yz, zz, tension] = self.0;
                self.0 = [
                    xx.add(kx.mul(nx)),
                    xy.add(kx.mul(ny)),
                    xz.add(kx.mul(nz)),
                    yy.add(ky.mul(ny)),
                    yz.add(ky.mul(nz)),
                    zz.add(kz.mul(nz)),
                    tension.add(pairs.tension),
                ];
                at += LANES;
            }
        }
    }
}

impl<V: Lanes> StiffnessSums<V> {
    #[inline(always)]
    unsafe fn finish(self) -> Stiffness {
        let Self([xx, xy, xz, yy, yz, zz, tension]) = self;
        // SAFETY: as for [`NeighbourRows::hold`].
        unsafe {
            let [xx, xy, xz, tension] = V::sum_four([xx, xy, xz, tension]);
            let [yy, yz, zz, _] = V::sum_four([yy, yz, zz, zz]);
            Stiffness {
                matrix: [xx, xy, xz, yy, yz, zz],
                tension,
            }
        }
    }
}

/// Adds what cells at the very place of this one do: full overlap, pushed apart along a direction that
/// their identities give. Their stiffness is added to the trace and returned.
#[cold]
#[inline(never)]
pub(super) fn separate(
    cells: &Sorted,
    bodies: &[ContactBody],
    (search, parameters): (Search, &MechanicsParameters),
    slot: usize,
    contact: &mut Contact,
) -> f32 {
    let own = cells.position(slot);
    let id = |slot: usize| bodies[cells.row[slot] as usize].id;
    let mut stiffness = 0.0;
    for level in &cells.grids.levels {
        let mut rows = rows_around(cells, search, slot, level);
        while let Some((first, end)) = rows.next() {
            for other in first..end {
                let position = cells.position(other);
                let d: [f32; 3] = std::array::from_fn(|axis| own[axis] - position[axis]);
                if other == slot || d[0] * d[0] + d[1] * d[1] + d[2] * d[2] >= COINCIDENT {
                    continue;
                }
                let strengths = cells.strengths_of(slot, other);
                let net = force_between(parameters, 0.0, strengths);
                let away = parting(id(slot), id(other));
                for (velocity, away) in contact.velocity.iter_mut().zip(away) {
                    *velocity += net.max(0.0) * away;
                }
                let slope = match parameters.law {
                    ContactLaw::PhysiCell => {
                        contact.pressure += 1.0;
                        2.0
                    }
                    ContactLaw::Cohesive => {
                        contact.pressure += net;
                        1.0 + 2.0 * parameters.stiffening
                    }
                };
                contact.crowding += 1.0;
                contact.touching += 1;
                stiffness += slope * strengths[1] / (cells.radius[slot] + cells.radius[other]);
            }
        }
    }
    contact.trace += stiffness;
    stiffness
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
