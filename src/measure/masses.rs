//! How large the tumours of a site are: connected masses of tumour cells, the largest first.
//!
//! Space is divided into cubes of [`CUBE_UM`]; cells whose cubes are the same or touch, by faces, edges or corners, belong to one mass. Cells less
//! than a cube apart are thus always in one mass, and masses more than 3.5 cubes apart never. Which cubes there are, and so what
//! is measured, does not depend on the order of cells. Of masses of as many cells the one with the lowest cube along z, then y, then x
//! comes first.
//!
//! Radii are taken from the cells themselves. With `d` the distance of the cells of a mass from their centroid:
//!
//! - `tumour_radius_um`: the 95th percentile of `d`, divided by `0.95^(1/3)`, plus the mean radius of
//!   a cell. For a ball of evenly spread cells this is its radius, and unlike the radius of gyration it does not
//!   change when the core empties.
//! - `necrotic_radius_um`: the radius that best separates the dead core from the viable rim, that is the one
//!   at which the number of necrotic cells inside minus the number of viable cells inside is largest; 0
//!   while there is no necrosis.
//! - `viable_rim_um`: their difference, once there is a core.
//!
//! Where there is no tumour cell, nothing is said.

use bevy::math::DVec3;
use bevy::prelude::*;

use super::metrics::TumourTypes;
use super::tally::{CellSum, fold_types};
use crate::cell::{Body, Vital};
use crate::core::metric::{Metric, RegisterMetrics};
use crate::core::parallel::for_each_chunk_mut;
use crate::tissue::SiteId;

/// Edge of the cubes by which cells are connected, um: a little more than a cell is wide.
pub const CUBE_UM: f32 = 20.0;
/// Distances sorted in one piece of a parallel loop.
const RUN: usize = 65_536;

/// Registers what is measured of tumours.
pub(super) fn register(app: &mut App) {
    app.register_metrics(
        vec![
            Metric::new(
                "tumour_radius_um",
                "um",
                "Radius of the largest tumour mass: the distance of its cells from their centroid that 95 % do not exceed, as \
                 that of a ball of evenly spread cells, plus their mean radius.",
            )
            .label("tumour radius")
            .figure(0),
            Metric::new(
                "necrotic_radius_um",
                "um",
                "Radius that best parts the dead core of the largest tumour mass from its living rim; 0 without necrosis.",
            )
            .label("necrotic radius")
            .figure(0),
            Metric::new(
                "viable_rim_um",
                "um",
                "Their difference, once there is a core.",
            ),
            Metric::new(
                "tumour_masses",
                "",
                "Connected masses of tumour cells, single cells included.",
            ),
            Metric::new(
                "largest_mass_cells",
                "",
                "Cells of the largest tumour mass, dead ones included.",
            ),
            Metric::new(
                "second_mass_cells",
                "",
                "Cells of the second largest tumour mass, dead ones included.",
            ),
            Metric::new(
                "second_mass_radius_um",
                "um",
                "Radius of the second largest tumour mass, as that of the largest.",
            ),
            Metric::new(
                "second_mass_necrotic_radius_um",
                "um",
                "Radius of its dead core; 0 without necrosis.",
            ),
        ],
        |world, site| {
            let site = SiteId(site as u16);
            let masses = Masses::of(world, site);
            let measured = |rank: usize| masses.measure(world, site, rank);
            let (first, second) = (measured(0), measured(1));
            let of = |mass: &Option<Mass>, value: fn(&Mass) -> f64| mass.as_ref().map_or(f64::NAN, value);
            let rim = of(&first, |mass| mass.radius_um - mass.necrotic_um);
            let has_core = of(&first, |mass| mass.necrotic_um) > 0.0;
            vec![
                of(&first, |mass| mass.radius_um),
                of(&first, |mass| mass.necrotic_um),
                if has_core { rim } else { f64::NAN },
                masses.sizes.len() as f64,
                first.as_ref().map_or(0.0, |mass| mass.cells as f64),
                second.as_ref().map_or(0.0, |mass| mass.cells as f64),
                of(&second, |mass| mass.radius_um),
                of(&second, |mass| mass.necrotic_um),
            ]
        },
    );
}

/// One connected mass of tumour cells.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Mass {
    cells: u64,
    radius_um: f64,
    necrotic_um: f64,
}

/// Cubes that hold tumour cells, and which of them are connected.
#[derive(Debug, Default)]
struct Masses {
    /// The cubes, sorted.
    cubes: Vec<u64>,
    /// For each cube the first cube of its mass.
    roots: Vec<u32>,
    /// Cells and first cube of each mass, the largest first.
    sizes: Vec<(u64, u32)>,
}

/// Cubes along an axis on either side of the origin.
const HALF: i64 = 1 << 20;

/// The number of the cube of a point, from its places along z, y and x.
#[inline]
fn cube_of(at: Vec3) -> u64 {
    let place = |x: f32| ((x / CUBE_UM).floor() as i64).clamp(-HALF, HALF - 1) + HALF;
    joined(place(at.z), place(at.y), place(at.x))
}

const fn joined(z: i64, y: i64, x: i64) -> u64 {
    ((z as u64) << 42) | ((y as u64) << 21) | x as u64
}

/// The thirteen neighbours of a cube that come before it.
fn earlier_neighbours(cube: u64) -> impl Iterator<Item = u64> {
    const MASK: u64 = (1 << 21) - 1;
    let [z, y, x] = [cube >> 42, cube >> 21 & MASK, cube & MASK].map(|place| place as i64);
    let offsets = (0..13).map(|n| (n / 9 - 1, n / 3 % 3 - 1, n % 3 - 1));
    offsets.filter_map(move |(dz, dy, dx)| {
        let [z, y, x] = [z + dz, y + dy, x + dx];
        let is_there = [z, y, x].iter().all(|place| (0..2 * HALF).contains(place));
        is_there.then(|| joined(z, y, x))
    })
}

/// The first cube of a mass so far; ways to it are made shorter.
fn root(roots: &mut [u32], mut at: u32) -> u32 {
    while roots[at as usize] != at {
        let next = roots[roots[at as usize] as usize];
        roots[at as usize] = next;
        at = next;
    }
    at
}

impl Masses {
    /// Those of a site.
    fn of(world: &World, site: SiteId) -> Self {
        let types = world.get_resource::<TumourTypes>();
        let types = types.map(|types| types.0.as_slice());
        let note = |cubes: &mut Vec<u64>, at: Vec3, _: &Body, _: Option<&Vital>| {
            cubes.push(cube_of(at));
        };
        let mut all = fold_types(world, site, types, Vec::new, note).concat();
        for_each_chunk_mut(&mut all, RUN, |_, run| run.sort_unstable());
        all.sort();
        let mut cells: Vec<u64> = Vec::new();
        let mut cubes: Vec<u64> = Vec::new();
        for cube in all {
            if cubes.last() == Some(&cube) {
                if let Some(count) = cells.last_mut() {
                    *count += 1;
                }
            } else {
                cubes.push(cube);
                cells.push(1);
            }
        }
        let mut roots: Vec<u32> = (0..cubes.len() as u32).collect();
        for at in 0..cubes.len() {
            for neighbour in earlier_neighbours(cubes[at]) {
                if let Ok(other) = cubes[..at].binary_search(&neighbour) {
                    let (a, b) = (root(&mut roots, at as u32), root(&mut roots, other as u32));
                    let (first, later) = (a.min(b), a.max(b));
                    roots[later as usize] = first;
                }
            }
        }
        let mut counts = vec![0_u64; cubes.len()];
        for at in 0..cubes.len() {
            let first = root(&mut roots, at as u32);
            roots[at] = first;
            counts[first as usize] += cells[at];
        }
        let found = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        let mut sizes: Vec<(u64, u32)> = found.map(|(at, count)| (*count, at as u32)).collect();
        sizes.sort_by_key(|(count, first)| (std::cmp::Reverse(*count), *first));
        Self {
            cubes,
            roots,
            sizes,
        }
    }

    /// Whether a point lies in a mass.
    #[inline]
    fn holds(&self, mass: u32, at: Vec3) -> bool {
        // As a rule there is but one.
        self.sizes.len() == 1
            || self
                .cubes
                .binary_search(&cube_of(at))
                .is_ok_and(|cube| self.roots[cube] == mass)
    }

    /// The mass of that rank, 0 being the largest; none where there are fewer.
    fn measure(&self, world: &World, site: SiteId, rank: usize) -> Option<Mass> {
        let (cells, first) = *self.sizes.get(rank)?;
        let types = world.get_resource::<TumourTypes>();
        let types = types.map(|types| types.0.as_slice());
        let mut sums = Sums::default();
        let add = |sums: &mut Sums, at: Vec3, body: &Body, _: Option<&Vital>| {
            if self.holds(first, at) {
                sums.add(at, body);
            }
        };
        for piece in fold_types(world, site, types, Sums::default, add) {
            sums.merge(&piece);
        }
        let number = cells as f64;
        let centroid = DVec3::from(sums.centres_um.map(CellSum::value)) / number;
        // A distance and whether the cell is necrotic, in one word: distances are not negative, so their bits are in
        // their order, and the last one can be spared.
        let note = |words: &mut Vec<u32>, at: Vec3, _: &Body, vital: Option<&Vital>| {
            if self.holds(first, at) {
                let distance = at.as_dvec3().distance(centroid) as f32;
                let necrotic = vital.is_some_and(|vital| vital.state.is_necrotic());
                words.push(distance.to_bits() & !1 | u32::from(necrotic));
            }
        };
        let mut from_centre = fold_types(world, site, types, Vec::new, note).concat();
        // The stable sort finds the sorted runs and joins them.
        for_each_chunk_mut(&mut from_centre, RUN, |_, run| run.sort_unstable());
        from_centre.sort();
        let (of_centres, necrotic_um) = radii(&from_centre);
        Some(Mass {
            cells,
            radius_um: of_centres + sums.radii_um.value() / number,
            necrotic_um,
        })
    }
}

/// Sums over the cells of a mass.
#[derive(Default)]
struct Sums {
    centres_um: [CellSum; 3],
    radii_um: CellSum,
}

impl Sums {
    fn add(&mut self, centre: Vec3, body: &Body) {
        for (sum, term) in self.centres_um.iter_mut().zip(centre.to_array()) {
            sum.add(term);
        }
        self.radii_um.add(body.radius_um);
    }

    fn merge(&mut self, other: &Self) {
        for (sum, part) in self.centres_um.iter_mut().zip(other.centres_um) {
            sum.merge(part);
        }
        self.radii_um.merge(other.radii_um);
    }
}

/// Radius of a ball of evenly spread centres of cells, and of its dead core, um, of distances in order.
fn radii(from_centre: &[u32]) -> (f64, f64) {
    const SHARE: f64 = 0.95;
    /// Cube root of [`SHARE`].
    const CBRT_SHARE: f64 = 0.983_047_572_5;
    let distance = |word: u32| f64::from(f32::from_bits(word & !1));
    let last = from_centre.len().saturating_sub(1);
    let word = from_centre.get((SHARE * last as f64).round() as usize);
    let percentile = word.map_or(0.0, |word| distance(*word));
    let (mut balance, mut best, mut necrotic) = (0_i64, 0_i64, 0.0);
    for word in from_centre {
        balance += if word & 1 == 1 { 1 } else { -1 };
        if balance > best {
            (best, necrotic) = (balance, distance(*word));
        }
    }
    (percentile / CBRT_SHARE, necrotic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{BodyParameters, CellType, Position, Resident, State};
    use crate::core::{CellId, Purpose, RandomKey};
    use crate::tissue::Sites;

    /// Where cells of a ball lie.
    const PLACEMENT: Purpose = Purpose::of("test.placement");

    /// Puts `cells` evenly into a ball, dead where nearer than `inner` to its centre.
    fn put_ball(
        world: &mut World,
        centre: Vec3,
        (outer, inner): (f32, f32),
        cells: u64,
        stride: u64,
    ) {
        for k in 0..cells {
            let id = CellId(k * stride % cells);
            let mut random = RandomKey(1).stream(id, 0, PLACEMENT);
            let distance = (outer - 8.4) * bevy::math::ops::cbrt(random.uniform());
            let at = distance * random.direction() + centre;
            let state = if distance < inner {
                State::NecroticLysed
            } else {
                State::Alive
            };
            world.spawn((
                (id, CellType(0), Resident(SiteId(0)), Position(at)),
                Body {
                    radius_um: 8.4,
                    ..BodyParameters::default().resting_body()
                },
                Vital {
                    state,
                    ..Vital::default()
                },
            ));
        }
    }

    fn assert_near(found: f64, expected: f64, share: f64) {
        assert!(
            (found / expected - 1.0).abs() < share,
            "{found}, not {expected}"
        );
    }

    #[test]
    fn radii_of_an_even_ball_with_a_dead_core_are_found_in_any_order() {
        let mut measured = Vec::new();
        for stride in [1, 7_919] {
            let mut world = World::new();
            world.init_resource::<Sites>();
            let centre = Vec3::new(30.0, -20.0, 5.0);
            put_ball(&mut world, centre, (250.0, 120.0), 40_000, stride);
            let masses = Masses::of(&world, SiteId(0));
            let mass = masses
                .measure(&world, SiteId(0), 0)
                .expect("there are cells");
            assert_eq!((masses.sizes.len(), mass.cells), (1, 40_000));
            assert_near(mass.radius_um, 250.0, 0.01);
            assert_near(mass.necrotic_um, 120.0, 0.02);
            measured.push(mass);
        }
        assert_eq!(measured[0], measured[1]);
    }

    #[test]
    fn two_tumours_are_measured_apart_and_the_larger_comes_first() {
        let mut world = World::new();
        world.init_resource::<Sites>();
        put_ball(
            &mut world,
            Vec3::new(-200.0, 0.0, 0.0),
            (100.0, 0.0),
            3_000,
            1,
        );
        put_ball(
            &mut world,
            Vec3::new(150.0, 0.0, 0.0),
            (150.0, 60.0),
            9_000,
            1,
        );
        let masses = Masses::of(&world, SiteId(0));
        assert_eq!(masses.sizes.len(), 2);
        let [first, second] = [0, 1].map(|rank| {
            masses
                .measure(&world, SiteId(0), rank)
                .expect("there are two")
        });
        assert_eq!((first.cells, second.cells), (9_000, 3_000));
        assert_near(first.radius_um, 150.0, 0.01);
        assert_near(first.necrotic_um, 60.0, 0.03);
        assert_near(second.radius_um, 100.0, 0.01);
        assert_eq!(second.necrotic_um, 0.0);
        assert!(masses.measure(&world, SiteId(0), 2).is_none());
    }

    #[test]
    fn neighbours_before_a_cube_are_half_of_all_and_none_lies_outside() {
        let cube = cube_of(Vec3::ZERO);
        let found: Vec<u64> = earlier_neighbours(cube).collect();
        assert_eq!(found.len(), 13);
        assert!(found.iter().all(|neighbour| *neighbour < cube));
        assert_eq!(earlier_neighbours(0).count(), 0);
    }
}
