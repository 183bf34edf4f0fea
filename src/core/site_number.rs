//! Numbers of a site that rules can read and that are measured as well: a quantity and a column of `metrics.csv` in one line of a table.

use bevy::prelude::*;

use super::metric::{Measure, Metric, RegisterMetrics};
use super::quantity::{NONE, Quantity, RegisterQuantities};

/// A number of a site that is worked out from a component `T` of it.
pub struct SiteNumber<T: 'static> {
    /// Name of the quantity.
    pub quantity: &'static str,
    /// Its column in `metrics.csv`, with the unit.
    pub column: &'static str,
    /// Its unit; empty for a pure number.
    pub unit: &'static str,
    /// What it is called in a picture.
    pub label: &'static str,
    /// The plot of which it is a curve, by title; empty where it is of none.
    pub plot: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// How it is worked out.
    pub of: fn(&T) -> f32,
}

/// Registration, from a module's plugin.
pub trait RegisterSiteNumbers {
    /// Registers numbers of sites that have a component; of other sites there are none.
    fn register_site_numbers<T: Component>(&mut self, numbers: &[SiteNumber<T>]) -> &mut Self;
}

impl RegisterSiteNumbers for App {
    fn register_site_numbers<T: Component>(&mut self, numbers: &[SiteNumber<T>]) -> &mut Self {
        for number in numbers {
            let SiteNumber {
                quantity,
                column,
                unit,
                label,
                plot,
                about,
                of,
            } = *number;
            self.register_site_quantity(
                Quantity::new(quantity, unit, about),
                move |world, site| world.get::<T>(site).map_or(NONE, of),
            );
            let metric = Metric::new(column, unit, about).label(label);
            let metric = if plot.is_empty() {
                metric
            } else {
                metric.plot(plot)
            };
            self.register_metric(metric, Measure::OfSite(quantity.into()));
        }
        self
    }
}
