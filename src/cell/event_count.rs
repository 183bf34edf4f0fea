//! Counts of events in each site so far: a module says which kinds count as what, and there is a quantity of the site, which rules
//! can read, and a metric of it.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::event::{EventKind, StepEvents};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::quantity::{NONE, Quantity, RegisterQuantities};
use crate::core::state::{Owner, RegisterState, WhollyKept};
use crate::core::{SimSchedule, SimSystems};
use crate::tissue::population::{RegisterPopulation, turn_members_over};
use crate::tissue::{SiteId, Sites};

/// Counts of a site, in the order in which they are registered; a component of it.
#[derive(Component, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCounts(Vec<(String, u64)>);

impl WhollyKept for EventCounts {}

impl EventCounts {
    /// These counts by the names of others: a file may be of a program that had registered others, or in another order. What it did not
    /// count begins at zero.
    fn by_names_of(&self, counted: &CountedEvents) -> Self {
        let of = |name: &str| self.0.iter().find(|(known, _)| known == name);
        let counts = counted.0.iter().map(|(name, _)| {
            let count = of(name).map_or(0, |(_, count)| *count);
            (name.clone(), count)
        });
        Self(counts.collect())
    }
}

/// The quantities and the kinds that each count is of.
#[derive(Resource, Clone, Debug, Default)]
pub struct CountedEvents(Vec<(String, &'static [EventKind])>);

/// Registration, from a module's plugin.
pub trait RegisterEventCount {
    /// Counts events of these kinds in each site, under the name of a quantity of sites and as a metric.
    fn count_events(
        &mut self,
        kinds: &'static [EventKind],
        quantity: &str,
        metric: Metric,
    ) -> &mut Self;
}

impl RegisterEventCount for App {
    fn count_events(
        &mut self,
        kinds: &'static [EventKind],
        quantity: &str,
        metric: Metric,
    ) -> &mut Self {
        if !self.world().contains_resource::<CountedEvents>() {
            begin(self);
        }
        let mut counted = self.world_mut().resource_mut::<CountedEvents>();
        let place = counted.0.len();
        counted.0.push((quantity.to_owned(), kinds));
        let of_site = Quantity::new(quantity, "", &metric.about)
            .label(&metric.label)
            .range(0.0, 100.0);
        self.register_site_quantity(of_site, move |world, site| {
            let counts = world.get::<EventCounts>(site);
            let count = counts.and_then(|counts| counts.0.get(place));
            count.map_or(NONE, |(_, count)| *count as f32)
        })
        .register_metric(metric, Measure::OfSite(quantity.into()))
    }
}

/// What the first count brings with it.
fn begin(app: &mut App) {
    app.init_resource::<CountedEvents>()
        .declare_remade::<CountedEvents>("a list of what the program knows")
        .register_kept::<EventCounts>(Owner::Site, "event_counts")
        .settle_sites(settle)
        .add_systems(
            SimSchedule,
            count.after(turn_members_over).in_set(SimSystems::Turnover),
        );
}

/// Gives a site its counts, and those of a file their order.
fn settle(world: &mut World, site: SiteId) {
    let entry = world.resource::<Sites>().find(site);
    let Some(entity) = entry.map(|entry| entry.entity) else {
        return;
    };
    let counts = world.get::<EventCounts>(entity).cloned();
    let counts = counts.unwrap_or_default();
    let counts = counts.by_names_of(world.resource::<CountedEvents>());
    world.entity_mut(entity).insert(counts);
}

/// Counts what happened in the step.
pub fn count(
    events: Res<StepEvents>,
    counted: Res<CountedEvents>,
    mut sites: Query<(&SiteId, &mut EventCounts)>,
) {
    if events.0.is_empty() {
        return;
    }
    for (site, mut counts) in &mut sites {
        let counts = counts.bypass_change_detection();
        for event in events.0.iter().filter(|event| event.site == *site) {
            for ((_, kinds), (_, count)) in counted.0.iter().zip(&mut counts.0) {
                *count += u64::from(kinds.contains(&event.kind));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_a_file_are_found_by_their_names() {
        let counts = |list: &[(&str, u64)]| {
            EventCounts(
                list.iter()
                    .map(|(name, count)| ((*name).to_owned(), *count))
                    .collect(),
            )
        };
        let counted =
            ["rings", "stops", "falls"].map(|name| (name.to_owned(), &[] as &[EventKind]));
        let of_file = counts(&[("stops", 2), ("swings", 9), ("rings", 1)]);
        let found = of_file.by_names_of(&CountedEvents(counted.into()));
        assert_eq!(found, counts(&[("rings", 1), ("stops", 2), ("falls", 0)]));
    }
}
