//! Junctions in the picture: a short cord between the two cells of each bond.

use bevy::prelude::*;

use super::known::kind;
use crate::cell::movement::SiteMechanics;
use crate::core::layer::{Layer, RegisterLayer, Strand, Tint};
use crate::tissue::Sites;

/// Colour of a cord, sRGB and opacity: that of hybrid cells.
const CORD: [f32; 4] = [0.98, 0.75, 0.25, 0.95];

/// Registers the layer.
pub(super) fn register(app: &mut App) {
    let layer = Layer::new(
        "junctions.bonds",
        "Junctions by which cells that have loosened hold on to each other.",
    )
    .label("junction")
    .colour(CORD);
    app.register_layer::<Strand>(layer, |world, site, glyphs| {
        let mechanics = world
            .get_resource::<Sites>()
            .and_then(|sites| sites.list.get(site))
            .and_then(|site| world.get::<SiteMechanics>(site.entity));
        let (Some(mechanics), Some(kind)) = (mechanics, kind(world)) else {
            return;
        };
        let bonds = &mechanics.bonds;
        for bond in bonds.iter().filter(|bond| bond.kind == kind) {
            // One that was never moved has no place yet.
            let ends = [bond.a, bond.b].map(|cell| bonds.position(cell).map(Vec3::from_array));
            if let [Some(from_um), Some(to_um)] = ends
                && from_um.is_finite()
                && to_um.is_finite()
            {
                let width_um = 2.5;
                glyphs.add(
                    Strand {
                        from_um,
                        to_um,
                        width_um,
                    },
                    Tint::Layer,
                );
            }
        }
    });
}
