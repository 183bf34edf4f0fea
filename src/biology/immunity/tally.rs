//! What has happened to killers and targets in each site so far.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::comings::{COMES, LEAVES};
use super::{HIT, KILL, Killer, LYSIS_KILL};
use crate::cell::death::is_alive;
use crate::cell::event_count::RegisterEventCount;
use crate::cell::{EventKind, Resident, StepEvents, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::quantity::{NONE, Quantity, RegisterQuantities};
use crate::core::random::probability;
use crate::core::state::{Owner, RegisterState, WhollyKept};
use crate::core::units::MINUTES_PER_DAY;
use crate::core::{Clock, SimSchedule, SimSystems};
use crate::tissue::population::{RegisterPopulation, turn_members_over};
use crate::tissue::{SiteId, Sites};

/// How killers of a site have fared so far; a component of it.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImmunityTally {
    /// Time that all killers together have lived there, days.
    pub killer_days: f64,
    /// Kills of a killer in a day, the mean over the last hours.
    pub kills_per_killer_day: f64,
}

impl WhollyKept for ImmunityTally {}

/// Time over which kills are averaged, min: half a day.
const OVER_MIN: f32 = 720.0;

/// Counts what happened in the step.
pub fn keep_tally(
    clock: Res<Clock>,
    sites: Res<Sites>,
    events: Res<StepEvents>,
    killers: Query<(&Resident, Option<&Vital>), With<Killer>>,
    mut tallies: Query<(&SiteId, &mut ImmunityTally)>,
    mut living: Local<Vec<u64>>,
) {
    living.clear();
    living.resize(sites.list.len(), 0);
    for (resident, vital) in &killers {
        if is_alive(vital)
            && let Some(count) = living.get_mut(usize::from(resident.0.0))
        {
            *count += 1;
        }
    }
    let days = f64::from(clock.dt_minutes()) / MINUTES_PER_DAY;
    let way = f64::from(probability(1.0 / OVER_MIN, clock.dt_minutes()));
    for (site, mut tally) in &mut tallies {
        let tally = tally.bypass_change_detection();
        let here = events.0.iter().filter(|event| event.site == *site);
        let kills = here.filter(|event| matches!(event.kind, KILL | LYSIS_KILL));
        let kills = kills.count() as f64;
        let killers = living.get(usize::from(site.0)).copied().unwrap_or(0) as f64;
        tally.killer_days += killers * days;
        let rate = if killers > 0.0 {
            kills / (killers * days)
        } else {
            0.0
        };
        tally.kills_per_killer_day += way * (rate - tally.kills_per_killer_day);
    }
}

/// Titles of plots.
const KILLS_PLOT: &str = "Cells killed";
const RATE_PLOT: &str = "Kills of a killer in a day";
const PASSAGE_PLOT: &str = "Killers that came and left";

/// A count: quantity, metric, what it is, label, plot, colour, the events.
type Count = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    [f32; 3],
    &'static [EventKind],
);

const COUNTS: [Count; 5] = [
    (
        "immunity.hits",
        "hits",
        "Hits that killers have struck in the site so far.",
        "hits",
        None,
        [0.84, 0.37, 0.0],
        &[HIT],
    ),
    (
        "immunity.t_cell_kills",
        "t_cell_kills",
        "Cells that T cells have killed in the site so far.",
        "by T cells",
        Some(KILLS_PLOT),
        [0.34, 0.71, 0.91],
        &[KILL],
    ),
    (
        "immunity.nk_kills",
        "nk_kills",
        "Cells that natural killer cells have killed in the site so far.",
        "by NK cells",
        Some(KILLS_PLOT),
        [0.0, 0.62, 0.55],
        &[LYSIS_KILL],
    ),
    (
        "immunity.came",
        "killers_came",
        "Killers that have come into the site with the blood so far.",
        "came",
        Some(PASSAGE_PLOT),
        [0.34, 0.71, 0.91],
        &[COMES],
    ),
    (
        "immunity.left",
        "killers_left",
        "Killers that have left the site with the lymph so far.",
        "left",
        Some(PASSAGE_PLOT),
        [0.62, 0.62, 0.62],
        &[LEAVES],
    ),
];

/// Registers it.
pub(super) fn register(app: &mut App) {
    app.register_kept::<ImmunityTally>(Owner::Site, "immunity_tally")
        .begin_sites(|world, site| {
            let entry = world.resource::<Sites>().find(site);
            if let Some(entity) = entry.map(|entry| entry.entity) {
                world.entity_mut(entity).insert(ImmunityTally::default());
            }
        });
    for (quantity, metric, about, label, plot, colour, kinds) in COUNTS {
        let metric = Metric::new(metric, "", about).label(label).colour(colour);
        let metric = match plot {
            Some(plot) => metric.plot(plot),
            None => metric,
        };
        app.count_events(kinds, quantity, metric);
    }
    const RATE: &str = "immunity.kills_per_killer_day";
    const ABOUT: &str = "Kills of a killer in a day, averaged over the last half day.";
    app.register_site_quantity(
        Quantity::new(RATE, "1/d", ABOUT)
            .label("kills of a killer in a day")
            .range(0.0, 100.0),
        |world, site| {
            let tally = world.get::<ImmunityTally>(site);
            tally.map_or(NONE, |tally| tally.kills_per_killer_day as f32)
        },
    )
    .register_metric(
        Metric::new("kills_per_killer_day", "1/d", ABOUT)
            .label("kills of a killer in a day")
            .plot(RATE_PLOT)
            .colour([0.84, 0.37, 0.0]),
        Measure::OfSite(RATE.into()),
    );
    app.while_in_transit(
        keep_tally,
        InTransit::Pauses,
        "it counts what happens in sites",
    )
    .add_systems(
        SimSchedule,
        keep_tally
            .after(turn_members_over)
            .in_set(SimSystems::Turnover),
    );
}
