//! Vesicles in the picture: fine glowing grains that wander and flash where they are taken up.

use bevy::prelude::*;

use super::packets::{Flash, Packet, Packets};
use super::parameters::{ExosomesParameters, INTEGRINS};
use crate::core::layer::{Glyphs, Grain, Layer, RegisterLayer, Tint};
use crate::core::quantity::{Category, CategoryValue};
use crate::tissue::Sites;

/// Orange-yellow, sRGB and opacity.
const GLOW: [f32; 4] = [1.0, 0.72, 0.22, 0.95];
/// A flash.
const FLASH: [f32; 3] = [1.0, 0.93, 0.66];
/// Diameters, pixels of a picture 720 pixels high.
const GRAIN_PIXELS: f32 = 2.2;
const FLASH_PIXELS: f32 = 7.0;
/// At most so many grains are drawn in a site, and of flashes the latest, as many.
const MOST_GRAINS: usize = 60_000;

/// The packets of a site.
fn packets_of(world: &World, site: usize) -> Option<&Packets> {
    let site = world.get_resource::<Sites>()?.list.get(site)?;
    world.get::<Packets>(site.entity)
}

/// Adds those that are drawn: all, or every so many.
fn add(
    world: &World,
    site: usize,
    glyphs: &mut Glyphs<Grain>,
    tint: impl Fn(&Packet) -> Tint,
    flash: impl Fn(&Flash) -> Tint,
) {
    let Some(packets) = packets_of(world, site) else {
        return;
    };
    let every = packets.list.len().div_ceil(MOST_GRAINS).max(1) as u64;
    for packet in packets.list.iter().filter(|of| of.id.is_multiple_of(every)) {
        let grain = Grain {
            at_um: packet.at_um,
            pixels: GRAIN_PIXELS,
        };
        glyphs.add(grain, tint(packet));
    }
    let latest = packets.flashes.len().saturating_sub(MOST_GRAINS);
    for of in &packets.flashes[latest..] {
        let grain = Grain {
            at_um: of.at_um,
            pixels: FLASH_PIXELS,
        };
        glyphs.add(grain, flash(of));
    }
}

/// How far a flash has faded that is seen for so long, min.
fn opacity(flash: &Flash, flash_min: f32) -> f32 {
    (flash.left_min / flash_min.max(1.0)).clamp(0.15, 0.9)
}

/// Registers the layers.
pub(super) fn register(app: &mut App) {
    let vesicles = Layer::new(
        "exosome.vesicles",
        "Packets of exosomes: grains that wander, and flash where a cell takes them up.",
    )
    .label("exosomes")
    .colour(GLOW);
    app.register_layer::<Grain>(vesicles, |world, site, glyphs| {
        let flash_min = world.resource::<ExosomesParameters>().flash_min;
        add(
            world,
            site,
            glyphs,
            |_| Tint::Layer,
            |flash| {
                let [r, g, b] = FLASH;
                Tint::Colour([r, g, b, opacity(flash, flash_min)])
            },
        );
    });
    let value = |key: &str, label: &str, colour| CategoryValue::new(key, label).colour(colour);
    let category = Category {
        name: "exosome_integrin".into(),
        label: "exosomes".into(),
        about: "The integrin of which the vesicles of a packet carry most.".into(),
        values: vec![
            value(INTEGRINS[0], "exosomes, α6β4", [0.34, 0.71, 0.91]),
            value(INTEGRINS[1], "exosomes, αvβ5", [0.90, 0.62, 0.0]),
            value(INTEGRINS[2], "exosomes, β3", [0.80, 0.47, 0.74]),
            value("none", "exosomes without integrin", [0.85, 0.85, 0.80]),
        ],
        prevails: false,
        of_the_living: false,
    };
    let by_integrin = Layer::new(
        "exosome.by_integrin",
        "Packets of exosomes by their integrin, in place of `exosome.vesicles`.",
    )
    .label("exosomes")
    .colour(GLOW)
    .by_category(category)
    .on_request();
    app.register_layer::<Grain>(by_integrin, |world, site, glyphs| {
        add(
            world,
            site,
            glyphs,
            |packet| Tint::Class(packet.load.profile() as u8),
            |flash| Tint::Class(flash.profile),
        );
    });
}
