//! Niches in the picture: the ground takes a warm hue as fibronectin is laid.

use bevy::prelude::*;

use super::Niche;
use crate::core::layer::{Layer, RegisterLayer, Tint, Voxel};
use crate::tissue::Sites;

/// Amber, sRGB.
const GROUND: [f32; 3] = [0.95, 0.55, 0.18];
/// Opacity along the edge of a patch where there is as much fibronectin as there may be.
const OPACITY: f32 = 0.34;
/// Fibronectin below which nothing is seen.
const FAINTEST: f32 = 0.02;

/// Registers the layer.
pub(super) fn register(app: &mut App) {
    let [r, g, b] = GROUND;
    let layer = Layer::new(
        "niche.ground",
        "Ground that vesicles have readied: the more fibronectin, the deeper its hue.",
    )
    .label("fibronectin of the niche")
    .colour([r, g, b, OPACITY]);
    app.register_layer::<Voxel>(layer, move |world, site, glyphs| {
        let site = world
            .get_resource::<Sites>()
            .and_then(|sites| sites.list.get(site));
        let Some(niche) = site.and_then(|site| world.get::<Niche>(site.entity)) else {
            return;
        };
        let patches = &niche.patches;
        for (patch, fibronectin) in niche.fibronectin.iter().enumerate() {
            if *fibronectin < FAINTEST {
                continue;
            }
            let min_um = patches.min_um + patches.voxel(patch as u32).as_vec3() * patches.voxel_um;
            let voxel = Voxel {
                min_um,
                max_um: min_um + patches.voxel_um,
            };
            glyphs.add(voxel, Tint::Colour([r, g, b, OPACITY * fibronectin]));
        }
    });
}
