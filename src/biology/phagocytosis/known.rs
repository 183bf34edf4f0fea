//! What can be known of phagocytes: what they digest, how many they have taken up, and the meal in the picture.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::{EATEN, Phagocyte, StepEvents};
use crate::cell::mechanics::ContactLaw;
use crate::cell::{Body, Position, Resident};
use crate::core::SimSchedule;
use crate::core::SimSystems;
use crate::core::columns::tables_with;
use crate::core::layer::{Layer, RegisterLayer, Sphere, Tint};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::quantity::{NONE, Quantity, RegisterQuantities};
use crate::core::random::RandomKey;
use crate::core::state::{Owner, RegisterState, WhollyKept};
use crate::core::{CellId, Purpose, RegisterPurpose};
use crate::tissue::population::{RegisterPopulation, turn_members_over};
use crate::tissue::{SiteId, Sites};

/// Where a meal lies in its eater; it is for the eye and changes nothing.
const MEAL: Purpose = Purpose::of("phagocytosis.meal");

/// Radius of a body as it is drawn, of that which mechanics has.
const DRAWN: f32 = ContactLaw::Cohesive.contact_per_body();

/// Time before the end of a meal from which on it shrinks in the picture, h: all of it at the default `digestion_hours`.
const SHRINKS_HOURS: f32 = 3.0;

/// What has been eaten in a site so far; a component of it.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhagocytosisTally {
    /// Dead and dying cells that were taken up.
    pub eaten: u64,
}

impl WhollyKept for PhagocytosisTally {}

/// Counts who was eaten in the step.
pub fn count_meals(events: Res<StepEvents>, mut tallies: Query<(&SiteId, &mut PhagocytosisTally)>) {
    for (site, mut tally) in &mut tallies {
        let eaten = events.0.iter();
        let eaten = eaten.filter(|event| event.kind == EATEN && event.site == *site);
        tally.bypass_change_detection().eaten += eaten.count() as u64;
    }
}

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    app.register_quantity::<Phagocyte>(
        Quantity::new(
            "phagocytosis.antigen",
            "",
            "Antigen of what a phagocyte digests.",
        )
        .label("antigen eaten")
        .of_the_living()
        .no_column(),
        |state| state.antigen,
    )
    .register_quantity::<Phagocyte>(
        Quantity::new(
            "phagocytosis.eaten",
            "",
            "Dead and dying cells that a phagocyte has taken up.",
        )
        .label("cells taken up")
        .range(0.0, 20.0)
        .featured(),
        |state| state.eaten as f32,
    )
    .register_quantity::<Phagocyte>(
        Quantity::new(
            "phagocytosis.digesting",
            "",
            "1 for a phagocyte that digests a cell, else 0.",
        )
        .of_the_living()
        .no_column(),
        |state| f32::from(u8::from(state.digesting_hours > 0.0)),
    )
    .register_kept::<PhagocytosisTally>(Owner::Site, "phagocytosis_tally")
    .begin_sites(|world, site| {
        let entry = world.resource::<Sites>().find(site);
        if let Some(entity) = entry.map(|entry| entry.entity) {
            world
                .entity_mut(entity)
                .insert(PhagocytosisTally::default());
        }
    })
    .register_site_quantity(
        Quantity::new(
            "phagocytosis.eaten_here",
            "",
            "Dead and dying cells that phagocytes have taken up in the site so far.",
        )
        .label("dead cells eaten")
        .range(0.0, 100.0),
        |world, site| {
            let tally = world.get::<PhagocytosisTally>(site);
            tally.map_or(NONE, |tally| tally.eaten as f32)
        },
    )
    .register_metric(
        Metric::new(
            "cells_eaten",
            "",
            "Dead and dying cells that phagocytes have taken up in the site so far.",
        )
        .label("dead cells eaten")
        .plot("Dead cells eaten")
        .colour([0.72, 0.24, 0.55]),
        Measure::OfSite("phagocytosis.eaten_here".into()),
    )
    .add_systems(
        SimSchedule,
        count_meals
            .after(turn_members_over)
            .in_set(SimSystems::Turnover),
    );
    draw_meals(app);
}

fn draw_meals(app: &mut App) {
    app.register_purpose(MEAL);
    let layer = Layer::new(
        "phagocytosis.meals",
        "A dead cell that a phagocyte has taken up: it shrinks as it is digested.",
    )
    .label("dead cell, being eaten")
    .colour([0.36, 0.22, 0.14, 1.0]);
    app.register_layer::<Sphere>(layer, |world, site, glyphs| {
        for table in tables_with::<Phagocyte>(world) {
            let (Some(ids), Some(residents), Some(positions), Some(bodies), Some(states)) = (
                table.get::<CellId>(),
                table.get::<Resident>(),
                table.get::<Position>(),
                table.get::<Body>(),
                table.get::<Phagocyte>(),
            ) else {
                continue;
            };
            for row in 0..table.len() {
                let left = states[row].digesting_hours;
                if left <= 0.0 || usize::from(residents[row].0.0) != site {
                    continue;
                }
                // It pokes out of the eater at first, and sinks in.
                let radius_um = bodies[row].radius_um * DRAWN;
                let share = (left / SHRINKS_HOURS).min(1.0);
                let mut random = RandomKey(5).stream(ids[row], u64::from(states[row].eaten), MEAL);
                let way = random.direction();
                glyphs.add(
                    Sphere {
                        centre_um: positions[row].0 + way * (radius_um * (0.55 + 0.4 * share)),
                        radius_um: radius_um * (0.2 + 0.3 * share),
                    },
                    Tint::Layer,
                );
            }
        }
    });
}
