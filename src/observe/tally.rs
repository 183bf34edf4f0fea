//! Counts and sums over all cells, without a list of them.
//!
//! Rows of the ECS come in an order that depends on the history of births and deaths, and pieces of them are
//! visited side by side; what is added up here does not depend on either. Sums are whole numbers of a tiny
//! quantum ([`ExactSum`]), so that adding is associative. Looking at a million cells therefore takes no memory
//! that grows with them, and gives the same bits after a resume.

use bevy::prelude::*;

use crate::biology::hypoxia::HifAxis;
use crate::cell::{Body, CellType, Cycle, Phase, Position, Resident, State, Surroundings, Vital};
use crate::core::clones::Clones;
use crate::core::parallel::{IN_TABLES, map_chunks};
use crate::tissue::SiteId;

/// Cells looked at in one piece of the parallel loop.
const CHUNK: usize = 16_384;

/// A sum that does not depend on the order of its terms: in units of 2^-40, about 1e-12.
///
/// It cannot overflow: a term is below 2^94 units (1.8e16), or lost like one that is no number, and the cells of a
/// world, numbered with 32 bits, add up to less than 2^126.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExactSum {
    quanta: i128,
    /// Terms that are no numbers, or too large; they make the sum none.
    lost: u64,
}

impl ExactSum {
    const QUANTA: f64 = 1_099_511_627_776.0;
    /// Terms are smaller than this many quanta: 2^94.
    const LARGEST: f64 = (1_u128 << 94) as f64;

    /// Adds a term.
    #[inline]
    pub fn add(&mut self, term: f32) {
        let quanta = f64::from(term) * Self::QUANTA;
        // Most terms fit into 64 bits, which are much quicker to make.
        if quanta.abs() < 9.0e18 {
            self.quanta += i128::from(quanta as i64);
        } else if quanta.abs() < Self::LARGEST {
            self.quanta += quanta as i128;
        } else {
            self.lost += 1;
        }
    }

    /// The sum; NaN if a term was no number or too large.
    pub const fn value(self) -> f64 {
        if self.lost > 0 {
            f64::NAN
        } else {
            self.quanta as f64 / Self::QUANTA
        }
    }

    const fn merge(&mut self, other: Self) {
        self.quanta += other.quanta;
        self.lost += other.lost;
    }
}

/// The part of a tally that living cells make up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Living {
    /// Their number.
    pub cells: u64,
    /// How many are in each phase of the cycle.
    pub phases: [u64; Phase::ALL.len()],
    /// How many have no more oxygen than asked for.
    pub hypoxic: u64,
    /// Oxygen, mmHg.
    pub oxygen_mmhg: ExactSum,
    /// HIF-1a, 0-1.
    pub hif_1a: ExactSum,
    /// The highest HIF-1a.
    pub hif_1a_max: f32,
    /// Pressure.
    pub pressure: ExactSum,
    /// Volume, um3.
    pub volume_um3: ExactSum,
}

/// What there is of cells in a site.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Number of cells in each state, in the order of [`State::ALL`].
    pub states: [u64; State::ALL.len()],
    /// Number of cells of each type.
    pub types: Vec<u64>,
    /// The living ones.
    pub living: Living,
    /// Number of cells of the tumour.
    pub tumour: u64,
    /// Sum of their centres, um.
    pub tumour_centres_um: [ExactSum; 3],
    /// Sum of their radii, um.
    pub tumour_radii_um: ExactSum,
}

/// What is looked at in a cell.
type Seen = (
    &'static CellType,
    &'static Resident,
    &'static Position,
    &'static Body,
    &'static Surroundings,
    Option<&'static Cycle>,
    Option<&'static Vital>,
    Option<&'static HifAxis>,
);

/// What counts as what.
pub struct Questions<'a> {
    /// Number of sites.
    pub sites: usize,
    /// Which types of cells make up the tumour, by index; all of them if left out.
    pub tumour: Option<&'a [bool]>,
    /// Number of types.
    pub types: usize,
    /// A living cell with no more oxygen than this is hypoxic, mmHg.
    pub hypoxic_below_mmhg: f32,
}

impl Questions<'_> {
    fn is_tumour(&self, cell_type: u16) -> bool {
        self.tumour.is_none_or(|types| {
            types
                .get(usize::from(cell_type))
                .copied()
                .unwrap_or_default()
        })
    }

    /// A tally of each site.
    pub fn tally(&self, world: &World) -> Vec<Tally> {
        let mut sites = vec![Tally::empty(self.types); self.sites];
        let Some(mut query) = world.try_query::<Seen>() else {
            return sites;
        };
        let none = Clones::default();
        let clones = world.get_resource::<Clones>().unwrap_or(&none);
        let tables = query.contiguous_iter(world).expect(IN_TABLES);
        for (types, residents, positions, bodies, around, cycles, vitals, hif) in tables {
            let pieces = map_chunks(types.len(), CHUNK, |_, rows| {
                let mut sites = vec![Tally::empty(self.types); self.sites];
                for row in rows {
                    let Some(site) = sites.get_mut(usize::from(residents[row].0.0)) else {
                        continue;
                    };
                    let state = vitals.map_or(State::Alive, |vitals| vitals[row].state);
                    site.states[state as usize] += 1;
                    let cell_type = clones.type_of(types[row].0);
                    if let Some(count) = site.types.get_mut(usize::from(cell_type)) {
                        *count += 1;
                    }
                    if state == State::Alive {
                        site.living.add(
                            cycles.map_or(Phase::G0G1, |cycles| cycles[row].phase),
                            &around[row],
                            self.hypoxic_below_mmhg,
                            hif.map_or(0.0, |hif| hif[row].hif_1a),
                            bodies[row].radius_um,
                        );
                    }
                    if self.is_tumour(cell_type) {
                        site.add_to_tumour(positions[row].0, bodies[row].radius_um);
                    }
                }
                sites
            });
            for piece in pieces {
                for (site, part) in sites.iter_mut().zip(&piece) {
                    site.merge(part);
                }
            }
        }
        sites
    }

    /// What `of` makes of place and state of each cell of the tumour in a site, in no particular order.
    pub fn of_tumour(
        &self,
        world: &World,
        site: SiteId,
        of: impl Fn(Vec3, State) -> u32 + Sync,
    ) -> Vec<u32> {
        let mut all = Vec::new();
        let Some(mut query) =
            world.try_query::<(&CellType, &Resident, &Position, Option<&Vital>)>()
        else {
            return all;
        };
        let none = Clones::default();
        let clones = world.get_resource::<Clones>().unwrap_or(&none);
        let tables = query.contiguous_iter(world).expect(IN_TABLES);
        for (types, residents, positions, vitals) in tables {
            let pieces = map_chunks(types.len(), CHUNK, |_, rows| {
                rows.filter(|row| {
                    residents[*row].0 == site && self.is_tumour(clones.type_of(types[*row].0))
                })
                .map(|row| {
                    let state = vitals.map_or(State::Alive, |vitals| vitals[row].state);
                    of(positions[row].0, state)
                })
                .collect::<Vec<u32>>()
            });
            all.reserve_exact(pieces.iter().map(Vec::len).sum());
            for piece in pieces {
                all.extend(piece);
            }
        }
        all
    }
}

impl Living {
    fn add(&mut self, phase: Phase, around: &Surroundings, hypoxic: f32, hif: f32, radius: f32) {
        self.cells += 1;
        self.phases[phase as usize] += 1;
        self.hypoxic += u64::from(around.oxygen_mmhg <= hypoxic);
        self.oxygen_mmhg.add(around.oxygen_mmhg);
        self.hif_1a.add(hif);
        self.hif_1a_max = self.hif_1a_max.max(hif);
        self.pressure.add(around.pressure);
        self.volume_um3
            .add(crate::core::units::ball_volume_um3(radius));
    }
}

impl Tally {
    fn empty(types: usize) -> Self {
        Self {
            types: vec![0; types],
            ..Self::default()
        }
    }

    /// Number of cells.
    pub fn cells(&self) -> u64 {
        self.states.iter().sum()
    }

    fn add_to_tumour(&mut self, centre: Vec3, radius: f32) {
        self.tumour += 1;
        for (sum, term) in self.tumour_centres_um.iter_mut().zip(centre.to_array()) {
            sum.add(term);
        }
        self.tumour_radii_um.add(radius);
    }

    fn merge(&mut self, other: &Self) {
        fn counts(into: &mut [u64], from: &[u64]) {
            for (into, from) in into.iter_mut().zip(from) {
                *into += from;
            }
        }
        counts(&mut self.states, &other.states);
        counts(&mut self.types, &other.types);
        let (living, others) = (&mut self.living, &other.living);
        living.cells += others.cells;
        counts(&mut living.phases, &others.phases);
        living.hypoxic += others.hypoxic;
        living.oxygen_mmhg.merge(others.oxygen_mmhg);
        living.hif_1a.merge(others.hif_1a);
        living.hif_1a_max = living.hif_1a_max.max(others.hif_1a_max);
        living.pressure.merge(others.pressure);
        living.volume_um3.merge(others.volume_um3);
        self.tumour += other.tumour;
        for (sum, part) in self
            .tumour_centres_um
            .iter_mut()
            .zip(other.tumour_centres_um)
        {
            sum.merge(part);
        }
        self.tumour_radii_um.merge(other.tumour_radii_um);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_terms_does_not_change_a_sum_and_rounding_is_that_of_a_quantum() {
        let terms: Vec<f32> = (1..5000)
            .map(|i| (i as f32 * 0.7).sqrt() * if i % 3 == 0 { -1e4 } else { 3e-3 })
            .chain([1e9, -1e9, 1e-7])
            .collect();
        let (mut forward, mut backward) = (ExactSum::default(), ExactSum::default());
        terms.iter().for_each(|term| forward.add(*term));
        terms.iter().rev().for_each(|term| backward.add(*term));
        assert_eq!(forward, backward);
        let exact: f64 = terms.iter().map(|term| f64::from(*term)).sum();
        assert!((forward.value() / exact - 1.0).abs() < 1e-12);
        forward.add(f32::NAN);
        assert!(forward.value().is_nan());
    }

    #[test]
    fn a_sum_is_exact_up_to_the_largest_term_and_number_of_cells_and_lost_beyond() {
        let mut sum = ExactSum::default();
        // The largest term, as often as there can be cells: doubled 32 times.
        let largest = f32::from_bits(1.8e16_f32.to_bits() - 1);
        sum.add(largest);
        for _ in 0..32 {
            sum.merge(sum);
        }
        assert_eq!(sum.value(), f64::from(largest) * 4_294_967_296.0);
        for term in [2e16, f32::MAX, f32::INFINITY] {
            for signed in [term, -term] {
                let mut lost = ExactSum::default();
                lost.add(1.0);
                lost.add(signed);
                lost.add(-signed);
                assert!(lost.value().is_nan(), "{signed}");
            }
        }
    }
}
