//! Measurements of a site: the columns of `metrics.csv`.
//!
//! What is measured of the tumour as a whole is in [`super::masses`].

use std::collections::BTreeMap;

use bevy::prelude::*;

use super::tally::{Questions, Tally};
use crate::cell::death::{COUNTS_PLOT, is_alive};
use crate::cell::{CellType, Resident, State, Vital};
use crate::core::CellId;
use crate::core::clones::Clones;
use crate::core::columns::tables_with;
use crate::core::metric::{Entry, Measure, Metric, Metrics, RegisterMetrics};
use crate::core::parameters::CellTypeNames;
use crate::core::quantity::{NONE, Quantities};
use crate::core::spoken::spoken;
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
            );
        super::masses::register(app);
        super::at_vessels::register(app);
    }
}

/// States that are counted within each type.
const DYING: [(&str, &str, &[State]); 2] = [
    ("apoptotic", "Apoptotic", &[State::Apoptotic]),
    (
        "necrotic",
        "Necrotic",
        &[State::NecroticSwelling, State::NecroticLysed],
    ),
];

/// Registers how many cells of each type there are; a type has a name and a colour, sRGB.
pub fn register_types<'a>(world: &mut World, types: impl Iterator<Item = (&'a str, [f32; 3])>) {
    for (index, (name, colour)) in types.enumerate() {
        let about = format!("Cells of the type `{name}`, dead ones included.");
        let metric = Metric::new(format!("cells_{name}"), "", about);
        world.register_metric(metric, Measure::OfType(index));
        let about = format!("Living cells of the type `{name}`.");
        let metric = Metric::new(format!("living_{name}"), "", about)
            .label(&spoken(name))
            .plot(COUNTS_PLOT)
            .colour(colour);
        world.register_metric(metric, Measure::LivingOfType(index));
        for (state, what, values) in DYING {
            let about = format!("{what} cells of the type `{name}`.");
            let metric = Metric::new(format!("{state}_{name}"), "", about);
            let measure = Measure::CountOfType {
                cell_type: index,
                category: "state".into(),
                values: values.iter().map(|state| *state as u8).collect(),
            };
            world.register_metric(metric, measure);
        }
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
    let living = living_by_clone(world);
    let here = living.range((site, 0)..=(site, u16::MAX));
    let of_clones = here.filter(|((_, row), _)| clones.get(*row).is_some());
    of_clones.count()
}

/// How many living cells each site has of each row of the tables of parameters, that is of each type and clone.
pub fn living_by_clone(world: &World) -> BTreeMap<(SiteId, u16), u64> {
    let mut living: BTreeMap<(SiteId, u16), u64> = BTreeMap::new();
    for table in tables_with::<CellId>(world) {
        let (Some(types), Some(residents)) = (table.get::<CellType>(), table.get::<Resident>())
        else {
            continue;
        };
        let vitals = table.get::<Vital>();
        for row in 0..table.len() {
            if is_alive(vitals.map(|vitals| &vitals[row])) {
                *living.entry((residents[row].0, types[row].0)).or_default() += 1;
            }
        }
    }
    living
}

/// Measurements of one site at one moment: a row of `metrics.csv`.
pub use crate::core::metric::SiteMetrics;

/// The names of all columns. The same for every site.
pub fn columns(world: &World) -> Vec<String> {
    let known = known(world).into_iter();
    known.map(|metric| metric.name).collect()
}

/// All that is measured, in the order of the columns.
pub fn known(world: &World) -> Vec<Metric> {
    let metrics = world.get_resource::<Metrics>();
    metrics.map_or_else(Vec::new, |metrics| metrics.iter().cloned().collect())
}

/// Where a measurement finds its answer in a tally.
enum Answer {
    Cells,
    Count {
        category: usize,
        values: Vec<u8>,
        of_the_living: bool,
    },
    CountOfType {
        cell_type: usize,
        category: usize,
        values: Vec<u8>,
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
            Measure::CountOfType {
                cell_type,
                category,
                values,
            } => Self::CountOfType {
                cell_type: *cell_type,
                category: questions.ask_category(category),
                values: values.clone(),
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
            Self::CountOfType {
                cell_type,
                category,
                values,
            } => {
                let counts = &tally.categories[*category];
                let start = cell_type * counts.all.len();
                let of = |value: &u8| {
                    let place = start + usize::from(*value);
                    counts.of_types.get(place).copied().unwrap_or_default()
                };
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
