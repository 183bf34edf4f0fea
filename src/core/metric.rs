//! What is measured of a site: the columns of `metrics.csv`, by name.
//!
//! A module declares from its plugin what its quantities and categories are worth counting for: how many cells have
//! a value, the mean, least or most of a quantity, the share of cells up to a level, a quantity of
//! the site, or anything it works out for a site itself. Run folder, expectations, plots and figures read this list.
//!
//! Means, extremes and shares are those of living cells that have the quantity.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::quantity::{LISTED, NamedTwice};
use super::state::RegisterState;

/// What a person has to know about a measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its column, with the unit: `oxygen_min_mmhg`.
    pub name: String,
    /// Its unit; empty for a pure number.
    pub unit: String,
    /// What it is, in a sentence.
    pub about: String,
    /// What it is called in a picture, if it is a figure or a curve there.
    pub label: String,
    /// The plot of which it is a curve, by title.
    pub plot: Option<String>,
    /// Whether its plot shows its curves as shares of their sum, one on the other.
    pub is_share: bool,
    /// Decimals with which it is written over a picture, if it is.
    pub figure: Option<usize>,
    /// Its colour as a curve, sRGB; that of the theme where `None`.
    pub colour: Option<[f32; 3]>,
    /// The molecule that some site must carry for it to be measured, if it is of one.
    pub molecule: Option<String>,
}

impl Metric {
    /// A measurement of that name and unit.
    pub fn new(name: impl Into<String>, unit: impl Into<String>, about: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            label: name.replace('_', " "),
            name,
            unit: unit.into(),
            about: about.into(),
            plot: None,
            is_share: false,
            figure: None,
            colour: None,
            molecule: None,
        }
    }

    /// What it is called in a picture.
    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        self.label = label.into();
        self
    }

    /// It is a curve of the plot of that title.
    #[must_use]
    pub fn plot(mut self, title: &str) -> Self {
        self.plot = Some(title.into());
        self
    }

    /// It is one of the parts of a whole: the plot of that title shows their shares.
    #[must_use]
    pub fn share_of(mut self, title: &str) -> Self {
        self.is_share = true;
        self.plot(title)
    }

    /// Its colour as a curve, sRGB.
    #[must_use]
    pub const fn colour(mut self, colour: [f32; 3]) -> Self {
        self.colour = Some(colour);
        self
    }

    /// It is measured only where some site carries this molecule.
    #[must_use]
    pub fn of_molecule(mut self, molecule: &str) -> Self {
        self.molecule = Some(molecule.into());
        self
    }

    /// It is written over pictures, and told at the end of a run, with so many decimals.
    #[must_use]
    pub const fn figure(mut self, decimals: usize) -> Self {
        self.figure = Some(decimals);
        self
    }
}

/// Measurements of one site at one moment: a row of `metrics.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SiteMetrics {
    /// Name and value of each column, in the order of the file. Units are in the names.
    pub columns: Vec<(String, f64)>,
}

impl SiteMetrics {
    /// The value of a column, if there is one of that name.
    pub fn get(&self, column: &str) -> Option<f64> {
        self.columns
            .iter()
            .find(|(name, _)| name == column)
            .map(|(_, value)| *value)
    }
}

/// A level that may be a parameter.
pub type Level = Box<dyn Fn(&World) -> f32 + Send + Sync>;

/// Works out numbers of a site, given its place in the list of sites.
pub type OfSite = Box<dyn Fn(&World, usize) -> Vec<f64> + Send + Sync>;

/// How something is measured.
pub enum Measure {
    /// How many cells there are.
    Cells,
    /// How many cells have one of these values of a category.
    Count {
        /// The category.
        category: String,
        /// Numbers of the values.
        values: Vec<u8>,
        /// Whether only living cells count.
        of_the_living: bool,
    },
    /// How many cells of a type have one of these values of a category, by index of the type.
    CountOfType {
        /// The type.
        cell_type: usize,
        /// The category.
        category: String,
        /// Numbers of the values.
        values: Vec<u8>,
    },
    /// How many cells of a type there are, by index of the type.
    OfType(usize),
    /// How many living cells of a type there are, by index of the type.
    LivingOfType(usize),
    /// The mean of a quantity.
    Mean(String),
    /// The least value of a quantity.
    Least(String),
    /// The largest value of a quantity.
    Most(String),
    /// The share of cells in which a quantity is at most this.
    ShareUpTo(String, Level),
    /// The share of cells in which a quantity is above this.
    ShareAbove(String, Level),
    /// A quantity of the site itself.
    OfSite(String),
}

/// One entry of the list: a measurement, or several that are worked out together.
#[expect(
    clippy::large_enum_variant,
    reason = "there are a few hundred of them, and most are the larger"
)]
pub enum Entry {
    /// One, from the cells.
    One(Metric, Measure),
    /// Several, from whatever the function looks at.
    Several(Vec<Metric>, OfSite),
}

impl Entry {
    /// What it measures.
    pub fn metrics(&self) -> &[Metric] {
        match self {
            Self::One(metric, _) => std::slice::from_ref(metric),
            Self::Several(metrics, _) => metrics,
        }
    }
}

/// All that is registered, in the order of registration.
#[derive(Resource, Default)]
pub struct Metrics(pub Vec<Entry>);

impl Metrics {
    /// What is measured, in the order of the columns.
    pub fn iter(&self) -> impl Iterator<Item = &Metric> {
        self.0.iter().flat_map(Entry::metrics)
    }

    /// Keeps of what is measured of molecules only that of molecules for which `carried` says so.
    pub fn keep_of(&mut self, carried: impl Fn(&str) -> bool) {
        self.0.retain(|entry| {
            let mut molecules = entry
                .metrics()
                .iter()
                .filter_map(|of| of.molecule.as_deref());
            molecules.all(&carried)
        });
    }

    /// The name of a metric of this entry that is there already.
    fn twice(&self, entry: &Entry) -> Option<String> {
        let mut metrics = entry.metrics().iter();
        let found = metrics.find(|metric| self.iter().any(|known| known.name == metric.name));
        found.map(|metric| metric.name.clone())
    }
}

/// Registration, from a module's plugin, which panics if another has the name of a metric; or of what a scene brings,
/// in a world: a name that is there already is then noted in [`NamedTwice`].
pub trait RegisterMetrics {
    /// Registers a measurement.
    fn register_metric(&mut self, metric: Metric, measure: Measure) -> &mut Self;
    /// Registers measurements of a site that are worked out together: as many values as there are metrics.
    fn register_metrics(
        &mut self,
        metrics: Vec<Metric>,
        of: impl Fn(&World, usize) -> Vec<f64> + Send + Sync + 'static,
    ) -> &mut Self;
}

/// Adds an entry; what would have a name that is there already goes to [`NamedTwice`].
fn add(world: &mut World, entry: Entry) {
    let mut metrics = world.get_resource_or_init::<Metrics>();
    match metrics.twice(&entry) {
        None => metrics.0.push(entry),
        Some(name) => world.get_resource_or_init::<NamedTwice>().0.push(name),
    }
}

impl RegisterMetrics for World {
    fn register_metric(&mut self, metric: Metric, measure: Measure) -> &mut Self {
        add(self, Entry::One(metric, measure));
        self
    }

    fn register_metrics(
        &mut self,
        metrics: Vec<Metric>,
        of: impl Fn(&World, usize) -> Vec<f64> + Send + Sync + 'static,
    ) -> &mut Self {
        add(self, Entry::Several(metrics, Box::new(of)));
        self
    }
}

impl RegisterMetrics for App {
    fn register_metric(&mut self, metric: Metric, measure: Measure) -> &mut Self {
        self.declare_remade::<Metrics>(LISTED);
        self.world_mut().register_metric(metric, measure);
        NamedTwice::refuse(self.world());
        self
    }

    fn register_metrics(
        &mut self,
        metrics: Vec<Metric>,
        of: impl Fn(&World, usize) -> Vec<f64> + Send + Sync + 'static,
    ) -> &mut Self {
        self.declare_remade::<Metrics>(LISTED);
        self.world_mut().register_metrics(metrics, of);
        NamedTwice::refuse(self.world());
        self
    }
}
