//! What has happened to killers and targets in each site so far.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::comings::{COMES, LEAVES};
use super::{HIT, KILL, Killer, LYSIS_KILL};
use crate::cell::death::is_alive;
use crate::cell::{Resident, StepEvents, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::quantity::{NONE, Quantity, RegisterQuantities};
use crate::core::random::probability;
use crate::core::state::{Owner, RegisterState, WhollyKept};
use crate::core::units::MINUTES_PER_DAY;
use crate::core::{Clock, SimSchedule, SimSystems};
use crate::tissue::population::{RegisterPopulation, turn_members_over};
use crate::tissue::{SiteId, Sites};

/// What has happened in a site so far; a component of it.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImmunityTally {
    /// Hits that were struck.
    pub hits: u64,
    /// Cells that T cells killed.
    pub t_cell_kills: u64,
    /// Cells that natural killer cells killed.
    pub nk_kills: u64,
    /// Cells that came with the blood.
    pub came: u64,
    /// Cells that left with the lymph.
    pub left: u64,
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
        let before = tally.t_cell_kills + tally.nk_kills;
        for event in events.0.iter().filter(|event| event.site == *site) {
            match event.kind {
                HIT => tally.hits += 1,
                KILL => tally.t_cell_kills += 1,
                LYSIS_KILL => tally.nk_kills += 1,
                COMES => tally.came += 1,
                LEAVES => tally.left += 1,
                _ => {}
            }
        }
        let kills = (tally.t_cell_kills + tally.nk_kills - before) as f64;
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

/// A figure of the tally, as a quantity and as a metric.
struct Figure {
    quantity: &'static str,
    metric: &'static str,
    unit: &'static str,
    about: &'static str,
    label: &'static str,
    plot: Option<&'static str>,
    colour: [f32; 3],
    of: fn(&ImmunityTally) -> f64,
}

const FIGURES: [Figure; 6] = [
    Figure {
        quantity: "immunity.hits",
        metric: "hits",
        unit: "",
        about: "Hits that killers have struck in the site so far.",
        label: "hits",
        plot: None,
        colour: [0.84, 0.37, 0.0],
        of: |tally| tally.hits as f64,
    },
    Figure {
        quantity: "immunity.t_cell_kills",
        metric: "t_cell_kills",
        unit: "",
        about: "Cells that T cells have killed in the site so far.",
        label: "by T cells",
        plot: Some(KILLS_PLOT),
        colour: [0.34, 0.71, 0.91],
        of: |tally| tally.t_cell_kills as f64,
    },
    Figure {
        quantity: "immunity.nk_kills",
        metric: "nk_kills",
        unit: "",
        about: "Cells that natural killer cells have killed in the site so far.",
        label: "by NK cells",
        plot: Some(KILLS_PLOT),
        colour: [0.0, 0.62, 0.55],
        of: |tally| tally.nk_kills as f64,
    },
    Figure {
        quantity: "immunity.kills_per_killer_day",
        metric: "kills_per_killer_day",
        unit: "1/d",
        about: "Kills of a killer in a day, averaged over the last half day.",
        label: "kills of a killer in a day",
        plot: Some(RATE_PLOT),
        colour: [0.84, 0.37, 0.0],
        of: |tally| tally.kills_per_killer_day,
    },
    Figure {
        quantity: "immunity.came",
        metric: "killers_came",
        unit: "",
        about: "Killers that have come into the site with the blood so far.",
        label: "came",
        plot: Some(PASSAGE_PLOT),
        colour: [0.34, 0.71, 0.91],
        of: |tally| tally.came as f64,
    },
    Figure {
        quantity: "immunity.left",
        metric: "killers_left",
        unit: "",
        about: "Killers that have left the site with the lymph so far.",
        label: "left",
        plot: Some(PASSAGE_PLOT),
        colour: [0.62, 0.62, 0.62],
        of: |tally| tally.left as f64,
    },
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
    for figure in FIGURES {
        let of = figure.of;
        app.register_site_quantity(
            Quantity::new(figure.quantity, figure.unit, figure.about)
                .label(figure.label)
                .range(0.0, 100.0),
            move |world, site| {
                let tally = world.get::<ImmunityTally>(site);
                tally.map_or(NONE, |tally| of(tally) as f32)
            },
        );
        let metric = Metric::new(figure.metric, figure.unit, figure.about)
            .label(figure.label)
            .colour(figure.colour);
        let metric = match figure.plot {
            Some(plot) => metric.plot(plot),
            None => metric,
        };
        app.register_metric(metric, Measure::OfSite(figure.quantity.into()));
    }
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
