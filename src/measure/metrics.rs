//! Measurements of a site: the columns of `metrics.csv`.
//!
//! Radii are taken from the cells themselves. With `d` the distance of tumour cells from their centroid:
//!
//! - `tumour_radius_um`: the 95th percentile of `d`, divided by `0.95^(1/3)`, plus the mean radius of
//!   a cell. For a ball of evenly spread cells this is its radius, and unlike the radius of gyration it does not
//!   change when the core empties.
//! - `viable_rim_um`: their difference, once there is a core.
//! - `necrotic_radius_um`: the radius that best separates the dead core from the viable rim, that is the one
//!   at which the number of necrotic cells inside minus the number of viable cells inside is largest; 0
//!   while there is no necrosis.

use std::collections::BTreeSet;

use bevy::math::DVec3;
use bevy::prelude::*;

use super::tally::{CellSum, Questions, Tally, fold_types};
use crate::cell::death::{COUNTS_PLOT, is_alive};
use crate::cell::{Body, CellType, Resident, Vital};
use crate::core::CellId;
use crate::core::clones::Clones;
use crate::core::columns::tables_with;
use crate::core::metric::{Entry, Measure, Metric, Metrics, RegisterMetrics};
use crate::core::parallel::for_each_chunk_mut;
use crate::core::parameters::CellTypeNames;
use crate::core::quantity::{NONE, Quantities};
use crate::core::state::RegisterState;
use crate::tissue::{SiteEntry, SiteId, Sites};

/// Which cell types make up the tumour, by index of the type.
#[derive(Resource, Clone, Debug, Default)]
pub struct TumourTypes(pub Vec<bool>);

/// What is measured of any tissue: how many cells there are, how large the tumour is, what is in the fields.
pub struct MetricsPlugin;

impl Plugin for MetricsPlugin {
    fn build(&self, app: &mut App) {
        app.declare_remade::<TumourTypes>("made from the scene")
            .register_metric(
                Metric::new("cells", "", "Cells, dead ones included.").figure(0),
                Measure::Cells,
            )
            .register_metrics(
                vec![
                    Metric::new(
                        "tumour_radius_um",
                        "um",
                        "Radius of the tumour: the distance of its cells from their centroid that 95 % do not exceed, as \
                         that of a ball of evenly spread cells, plus their mean radius.",
                    )
                    .label("tumour radius")
                    .figure(0),
                    Metric::new(
                        "necrotic_radius_um",
                        "um",
                        "Radius that best parts the dead core of the tumour from its living rim; 0 without necrosis.",
                    )
                    .label("necrotic radius")
                    .figure(0),
                    Metric::new(
                        "viable_rim_um",
                        "um",
                        "Their difference, once there is a core.",
                    ),
                ],
                |world, site| {
                    let (radius, necrotic) = tumour_radii(world, SiteId(site as u16));
                    let rim = if necrotic > 0.0 {
                        radius - necrotic
                    } else {
                        f64::NAN
                    };
                    vec![radius, necrotic, rim]
                },
            );
    }
}

/// Registers how many cells of each type there are; a type has a name and a colour, sRGB.
pub fn register_types<'a>(world: &mut World, types: impl Iterator<Item = (&'a str, [f32; 3])>) {
    for (index, (name, colour)) in types.enumerate() {
        let about = format!("Cells of the type `{name}`, dead ones included.");
        let metric = Metric::new(format!("cells_{name}"), "", about);
        world.register_metric(metric, Measure::OfType(index));
        let about = format!("Living cells of the type `{name}`.");
        let metric = Metric::new(format!("living_{name}"), "", about)
            .label(&name.replace('_', " "))
            .plot(COUNTS_PLOT)
            .colour(colour);
        world.register_metric(metric, Measure::LivingOfType(index));
    }
}

/// Registers how many clones there are, for a world in which some type has heritable parameters.
pub fn register_clones(world: &mut World) {
    let about =
        "Clones of which living cells are there; those that are as their type says are none.";
    world.register_metrics(vec![Metric::new("clones", "", about)], |world, site| {
        vec![living_clones(world, SiteId(site as u16)) as f64]
    });
}

/// Number of clones with living cells in a site.
fn living_clones(world: &World, site: SiteId) -> usize {
    let Some(clones) = world.get_resource::<Clones>() else {
        return 0;
    };
    let mut rows = BTreeSet::new();
    for table in tables_with::<CellId>(world) {
        let (Some(types), Some(residents)) = (table.get::<CellType>(), table.get::<Resident>())
        else {
            continue;
        };
        let vitals = table.get::<Vital>();
        let is_living = |row: &usize| is_alive(vitals.map(|vitals| &vitals[*row]));
        let here = (0..table.len()).filter(|row| residents[*row].0 == site);
        let of_clones = here.filter(|row| clones.get(types[*row].0).is_some());
        rows.extend(of_clones.filter(is_living).map(|row| types[row].0));
    }
    rows.len()
}

/// Measurements of one site at one moment: a row of `metrics.csv`.
pub use crate::core::metric::SiteMetrics;

/// The names of all columns. The same for every site.
pub fn columns(world: &World) -> Vec<String> {
    world
        .get_resource::<Metrics>()
        .map_or_else(Vec::new, |metrics| {
            metrics.iter().map(|metric| metric.name.clone()).collect()
        })
}

/// Where a measurement finds its answer in a tally.
enum Answer {
    Cells,
    Count {
        category: usize,
        values: Vec<u8>,
        of_the_living: bool,
    },
    OfType(usize),
    LivingOfType(usize),
    Mean(usize),
    Least(usize),
    Most(usize),
    ShareUpTo((usize, usize)),
    ShareAbove((usize, usize)),
    /// The value of each site.
    OfSite(Vec<f64>),
}

impl Answer {
    /// Puts the question that a measurement asks.
    fn to(measure: &Measure, questions: &mut Questions, world: &World) -> Self {
        match measure {
            Measure::Cells => Self::Cells,
            Measure::Count {
                category,
                values,
                of_the_living,
            } => Self::Count {
                category: questions.ask_category(category),
                values: values.clone(),
                of_the_living: *of_the_living,
            },
            Measure::OfType(index) => Self::OfType(*index),
            Measure::LivingOfType(index) => Self::LivingOfType(*index),
            Measure::Mean(name) => Self::Mean(questions.ask(name)),
            Measure::Least(name) => Self::Least(questions.ask(name)),
            Measure::Most(name) => Self::Most(questions.ask(name)),
            Measure::ShareUpTo(name, level) => {
                Self::ShareUpTo(questions.ask_up_to(name, level(world)))
            }
            Measure::ShareAbove(name, level) => {
                Self::ShareAbove(questions.ask_up_to(name, level(world)))
            }
            Measure::OfSite(name) => {
                let known = world.get_resource::<Quantities>();
                let quantity = known.and_then(|known| known.of_sites(name));
                let value =
                    |site: &SiteEntry| quantity.map_or(NONE, |of| of.of(world, site.entity));
                let sites = world.resource::<Sites>().list.iter();
                Self::OfSite(sites.map(|site| f64::from(value(site))).collect())
            }
        }
    }

    fn value(&self, site: usize, tally: &Tally) -> f64 {
        let share_up_to = |(quantity, level): (usize, usize)| {
            let summary = &tally.quantities[quantity];
            summary.up_to[level] as f64 / summary.cells as f64
        };
        match self {
            Self::Cells => tally.cells as f64,
            Self::Count {
                category,
                values,
                of_the_living,
            } => {
                let counts = &tally.categories[*category];
                let counts = if *of_the_living {
                    &counts.living
                } else {
                    &counts.all
                };
                let of = |value: &u8| counts.get(usize::from(*value)).copied().unwrap_or_default();
                values.iter().map(of).sum::<u64>() as f64
            }
            Self::OfType(index) => tally.types.get(*index).copied().unwrap_or_default() as f64,
            Self::LivingOfType(index) => {
                tally.living_types.get(*index).copied().unwrap_or_default() as f64
            }
            Self::Mean(of) => tally.quantities[*of].mean(),
            Self::Least(of) => {
                let summary = &tally.quantities[*of];
                summary.extreme(summary.least)
            }
            Self::Most(of) => {
                let summary = &tally.quantities[*of];
                summary.extreme(summary.most)
            }
            Self::ShareUpTo(of) => share_up_to(*of),
            Self::ShareAbove(of) => 1.0 - share_up_to(*of),
            Self::OfSite(values) => values[site],
        }
    }
}

/// Measures every site of a world. Values that do not exist (oxygen where there is none) are NaN.
pub fn measure(world: &World) -> Vec<SiteMetrics> {
    let Some(metrics) = world.get_resource::<Metrics>() else {
        return Vec::new();
    };
    let mut questions = Questions {
        sites: world.resource::<Sites>().list.len(),
        types: world.resource::<CellTypeNames>().0.len(),
        ..Questions::default()
    };
    let answers: Vec<Option<Answer>> = metrics
        .0
        .iter()
        .map(|entry| match entry {
            Entry::One(_, measure) => Some(Answer::to(measure, &mut questions, world)),
            Entry::Several(..) => None,
        })
        .collect();
    let tallies = questions.tally(world);
    let measure_site = |(site, tally): (usize, &Tally)| {
        let values =
            metrics
                .0
                .iter()
                .zip(&answers)
                .flat_map(|(entry, answer)| match (entry, answer) {
                    (Entry::Several(_, of), _) => of(world, site),
                    (_, Some(answer)) => vec![answer.value(site, tally)],
                    (_, None) => Vec::new(),
                });
        let names = metrics.iter().map(|metric| metric.name.clone());
        SiteMetrics {
            columns: names.zip(values).collect(),
        }
    };
    tallies.iter().enumerate().map(measure_site).collect()
}

/// Distances sorted in one piece of a parallel loop.
const RUN: usize = 65_536;

/// Sums over the cells of a tumour.
#[derive(Default)]
struct Sums {
    cells: u64,
    centres_um: [CellSum; 3],
    radii_um: CellSum,
}

impl Sums {
    fn add(&mut self, centre: Vec3, body: &Body, _: Option<&Vital>) {
        self.cells += 1;
        for (sum, term) in self.centres_um.iter_mut().zip(centre.to_array()) {
            sum.add(term);
        }
        self.radii_um.add(body.radius_um);
    }

    fn merge(&mut self, other: &Self) {
        self.cells += other.cells;
        for (sum, part) in self.centres_um.iter_mut().zip(other.centres_um) {
            sum.merge(part);
        }
        self.radii_um.merge(other.radii_um);
    }
}

/// Radius of the tumour of a site and of its necrotic core, um; see the module's page for the definitions.
fn tumour_radii(world: &World, site: SiteId) -> (f64, f64) {
    let types = world
        .get_resource::<TumourTypes>()
        .map(|types| types.0.as_slice());
    let mut sums = Sums::default();
    for piece in fold_types(world, site, types, Sums::default, Sums::add) {
        sums.merge(&piece);
    }
    if sums.cells == 0 {
        return (0.0, 0.0);
    }
    let cells = sums.cells as f64;
    let centroid = DVec3::from(sums.centres_um.map(CellSum::value)) / cells;
    // A distance and whether the cell is necrotic, in one word: distances are not negative, so their bits are in
    // their order, and the last one can be spared.
    let note = |words: &mut Vec<u32>, at: Vec3, _: &Body, vital: Option<&Vital>| {
        let distance = at.as_dvec3().distance(centroid) as f32;
        let necrotic = vital.is_some_and(|vital| vital.state.is_necrotic());
        words.push(distance.to_bits() & !1 | u32::from(necrotic));
    };
    let mut from_centre = fold_types(world, site, types, Vec::new, note).concat();
    // The stable sort finds the sorted runs and joins them.
    for_each_chunk_mut(&mut from_centre, RUN, |_, run| run.sort_unstable());
    from_centre.sort();
    let distance = |word: u32| f64::from(f32::from_bits(word & !1));
    const SHARE: f64 = 0.95;
    /// Cube root of [`SHARE`].
    const CBRT_SHARE: f64 = 0.983_047_572_5;
    let last = from_centre.len() - 1;
    let percentile = distance(from_centre[(SHARE * last as f64).round() as usize]);
    let radius = percentile / CBRT_SHARE + sums.radii_um.value() / cells;
    let (mut balance, mut best, mut necrotic) = (0_i64, 0_i64, 0.0);
    for word in from_centre {
        balance += if word & 1 == 1 { 1 } else { -1 };
        if balance > best {
            (best, necrotic) = (balance, distance(word));
        }
    }
    (radius, necrotic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{BodyParameters, CellType, Position, Resident, State};
    use crate::core::{CellId, RandomKey};
    use crate::scene::population::PLACEMENT;

    #[test]
    fn radii_of_an_even_ball_with_a_dead_core_are_found_in_any_order() {
        let (outer, inner) = (250.0_f32, 120.0_f32);
        let n = 40_000;
        let mut measured = Vec::new();
        for stride in [1, 7_919] {
            let mut world = World::new();
            world.init_resource::<Sites>();
            for k in 0..n {
                let id = CellId(k * stride % n);
                let mut random = RandomKey(1).stream(id, 0, PLACEMENT);
                let distance = (outer - 8.4) * bevy::math::ops::cbrt(random.uniform());
                let at = distance * random.direction() + Vec3::new(30.0, -20.0, 5.0);
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
            let radii = tumour_radii(&world, SiteId(0));
            let (radius, necrotic) = radii;
            assert!((radius / 250.0 - 1.0).abs() < 0.01, "{radius}");
            assert!((necrotic / 120.0 - 1.0).abs() < 0.02, "{necrotic}");
            measured.push(radii);
        }
        assert_eq!(measured[0], measured[1]);
    }
}
