//! Macrophages in the picture: ruffles that are the more strongly coloured the nearer to M2, and the spikes of those near M1.

use bevy::prelude::*;

use super::Polarisation;
use crate::cell::mechanics::ContactLaw;
use crate::cell::{Body, Position, Resident, Vital};
use crate::core::columns::tables_with;
use crate::core::layer::{Capsule, Layer, RegisterLayer, Sphere, Tint};
use crate::core::random::RandomKey;
use crate::core::{CellId, Purpose, RegisterPurpose};

/// Where ruffles and spikes lie; it is for the eye and changes nothing.
const FOLDS: Purpose = Purpose::of("polarisation.folds");

/// Radius of a body as it is drawn, of that which mechanics has.
const DRAWN: f32 = ContactLaw::Cohesive.contact_per_body();
/// Ruffles on a macrophage.
const RUFFLES: usize = 16;
/// Spikes on one at M1.
const SPIKES: usize = 18;
/// Colours at M1 and at M2, sRGB: what lies between is mixed.
const AT_M1: [f32; 3] = [0.74, 0.70, 0.73];
const AT_M2: [f32; 3] = [0.70, 0.13, 0.48];

/// The colour of a macrophage.
fn colour(m: f32) -> [f32; 4] {
    let mix = |k: usize| AT_M1[k] + (AT_M2[k] - AT_M1[k]) * m;
    [mix(0), mix(1), mix(2), 1.0]
}

/// Hands out each living macrophage of a site: who it is, its centre, its radius as it is drawn, um, and its polarisation.
fn each(world: &World, site: usize, mut draw: impl FnMut(CellId, Vec3, f32, f32)) {
    for table in tables_with::<Polarisation>(world) {
        let (Some(ids), Some(residents), Some(positions), Some(bodies), Some(states)) = (
            table.get::<CellId>(),
            table.get::<Resident>(),
            table.get::<Position>(),
            table.get::<Body>(),
            table.get::<Polarisation>(),
        ) else {
            continue;
        };
        let vitals = table.get::<Vital>();
        for row in 0..table.len() {
            let lives = vitals.is_none_or(|vitals| vitals[row].is_alive());
            if usize::from(residents[row].0.0) == site && lives {
                let radius_um = bodies[row].radius_um * DRAWN;
                draw(ids[row], positions[row].0, radius_um, states[row].m);
            }
        }
    }
}

/// Registers the layers.
pub(super) fn register(app: &mut App) {
    app.register_purpose(FOLDS);
    let ruffles = Layer::new(
        "polarisation.ruffles",
        "The ruffled surface of a macrophage: grey at M1, purple at M2.",
    )
    .label("ruffles of a macrophage, purple at M2")
    .part_of_cells()
    .colour(colour(0.8));
    app.register_layer::<Sphere>(ruffles, |world, site, glyphs| {
        each(world, site, |id, centre_um, radius_um, m| {
            let mut random = RandomKey(3).stream(id, 0, FOLDS);
            for _ in 0..RUFFLES {
                let (way, size) = (random.direction(), 0.30 + 0.12 * random.uniform());
                glyphs.add(
                    Sphere {
                        centre_um: centre_um + way * (0.82 * radius_um),
                        radius_um: size * radius_um,
                    },
                    Tint::Colour(colour(m)),
                );
            }
        });
    });
    let spikes = Layer::new(
        "polarisation.spikes",
        "The spikes of a macrophage, long at M1 and none at M2.",
    )
    .label("spikes of an M1 macrophage")
    .part_of_cells()
    .colour(colour(0.0));
    app.register_layer::<Capsule>(spikes, |world, site, glyphs| {
        each(world, site, |id, centre_um, radius_um, m| {
            // From the middle of the axis on they are drawn in.
            let length = 0.75 * (1.0 - 2.0 * m).max(0.0);
            if length < 0.05 {
                return;
            }
            let mut random = RandomKey(4).stream(id, 0, FOLDS);
            for _ in 0..SPIKES {
                let way = random.direction();
                glyphs.add(
                    Capsule {
                        from_um: centre_um + way * (0.8 * radius_um),
                        to_um: centre_um + way * ((1.05 + length) * radius_um),
                        radius_um: 0.07 * radius_um,
                    },
                    Tint::Colour(colour(m)),
                );
            }
        });
    });
}
