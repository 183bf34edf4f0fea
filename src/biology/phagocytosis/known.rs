//! What can be known of phagocytes: what they digest, how many they have taken up, and the meal in the picture.

use bevy::prelude::*;

use super::{EATEN, Phagocyte};
use crate::cell::event_count::RegisterEventCount;
use crate::cell::mechanics::ContactLaw;
use crate::cell::{Body, Position, Resident};
use crate::core::columns::tables_with;
use crate::core::layer::{Layer, RegisterLayer, Sphere, Tint};
use crate::core::metric::Metric;
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::random::RandomKey;
use crate::core::{CellId, Purpose, RegisterPurpose};

/// Where a meal lies in its eater; it is for the eye and changes nothing.
const MEAL: Purpose = Purpose::of("phagocytosis.meal");

/// Radius of a body as it is drawn, of that which mechanics has.
const DRAWN: f32 = ContactLaw::Cohesive.contact_per_body();

/// Time before the end of a meal from which on it shrinks in the picture, h: all of it at the default `digestion_hours`.
const SHRINKS_HOURS: f32 = 3.0;

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
    .count_events(
        &[EATEN],
        "phagocytosis.eaten_here",
        Metric::new(
            "cells_eaten",
            "",
            "Dead and dying cells that phagocytes have taken up in the site so far.",
        )
        .label("dead cells eaten")
        .plot("Dead cells eaten")
        .colour([0.72, 0.24, 0.55]),
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
