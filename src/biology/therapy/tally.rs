//! What therapy has done to the cells of each site so far.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::chemosensitivity::DIES_OF_DRUG;
use super::procedures::{RESECTED, TRANSFERRED};
use super::radiosensitivity::DIES_OF_RADIATION;
use crate::cell::StepEvents;
use crate::core::metric::{Metric, RegisterMetrics};
use crate::core::state::{Owner, RegisterState, WhollyKept};
use crate::core::{SimSchedule, SimSystems};
use crate::tissue::{SiteId, Sites};

/// What happened in a site so far; a component of it.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TherapyTally {
    /// Cells that drugs killed.
    pub by_drugs: u64,
    /// Cells that radiation killed.
    pub by_radiation: u64,
    /// Cells that were cut out.
    pub resected: u64,
    /// Cells that came and had been given.
    pub transferred: u64,
}

impl WhollyKept for TherapyTally {}

/// Counts what happened in the step.
fn keep_tally(events: Res<StepEvents>, mut tallies: Query<(&SiteId, &mut TherapyTally)>) {
    for (site, mut tally) in &mut tallies {
        let tally = tally.bypass_change_detection();
        for event in events.0.iter().filter(|event| event.site == *site) {
            match event.kind {
                DIES_OF_DRUG => tally.by_drugs += 1,
                DIES_OF_RADIATION => tally.by_radiation += 1,
                RESECTED => tally.resected += 1,
                TRANSFERRED => tally.transferred += 1,
                _ => {}
            }
        }
    }
}

/// Puts it on every site.
pub(super) fn install(world: &mut World) {
    let Some(sites) = world.get_resource::<Sites>() else {
        return;
    };
    let sites: Vec<Entity> = sites.list.iter().map(|site| site.entity).collect();
    for site in sites {
        world.entity_mut(site).insert(TherapyTally::default());
    }
}

/// A figure of the tally: its metric, what it is, its label, whether it is plotted.
type Figure = (
    &'static str,
    &'static str,
    &'static str,
    Option<[f32; 3]>,
    fn(&TherapyTally) -> u64,
);

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    const PLOT: &str = "Cells killed by treatment";
    const FIGURES: [Figure; 4] = [
        (
            "drug_kills",
            "Cells that drugs have killed in the site so far.",
            "by drugs",
            Some([0.835, 0.369, 0.0]),
            |tally| tally.by_drugs,
        ),
        (
            "radiation_kills",
            "Cells that radiation has killed in the site so far.",
            "by radiation",
            Some([0.941, 0.894, 0.259]),
            |tally| tally.by_radiation,
        ),
        (
            "resected_cells",
            "Cells that were cut out of the site so far.",
            "cut out",
            None,
            |tally| tally.resected,
        ),
        (
            "transferred_cells",
            "Cells that came into the site so far and had been given.",
            "given",
            None,
            |tally| tally.transferred,
        ),
    ];
    let metrics = FIGURES.map(|(name, about, label, colour, _)| {
        let metric = Metric::new(name, "", about).label(label);
        match colour {
            Some(colour) => metric.plot(PLOT).colour(colour),
            None => metric,
        }
    });
    app.register_kept::<TherapyTally>(Owner::Site, "therapy_tally")
        .add_systems(SimSchedule, keep_tally.in_set(SimSystems::Observe))
        .register_metrics(metrics.to_vec(), |world, site| {
            let sites = world.get_resource::<Sites>();
            let site = sites.and_then(|sites| sites.list.get(site));
            let tally = site.and_then(|site| world.get::<TherapyTally>(site.entity));
            let tally = tally.copied().unwrap_or_default();
            FIGURES.map(|(.., of)| of(&tally) as f64).to_vec()
        });
}
