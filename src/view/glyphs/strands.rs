//! Fine fibres: lines of their own width, of at least a pixel, fainter where they are thinner than that.

use bevy::asset::{load_internal_asset, uuid_handle};
use bevy::prelude::*;

use super::Drawn;
use super::pick::{Look, between};
use crate::core::layer::{Glyph, GlyphKind};
use crate::view::paint_order;

const SHADER: Handle<Shader> = uuid_handle!("36f675cc-81e7-4ef5-a8e2-5d940ed90475");

/// How they are drawn.
pub(super) const DRAWN: Drawn = Drawn {
    kind: GlyphKind::Strands,
    shader: SHADER,
    load,
    alpha: AlphaMode::Blend,
    order: paint_order::STRANDS,
    distance,
};

fn distance(glyph: &Glyph, look: &Look) -> Option<f32> {
    let [from, to, _] = glyph.points_um;
    // A person aims at a line with a pixel or two to spare.
    let aim = |point: Vec3, half_um: f32| half_um.max(look.slack_um(point));
    let widened = Glyph {
        sizes: [aim(from, glyph.sizes[0]), aim(to, glyph.sizes[1]), 0.0],
        ..*glyph
    };
    look.first(between(&widened, look))
}

fn load(app: &mut App) {
    load_internal_asset!(app, SHADER, "strands.wgsl", Shader::from_wgsl);
}
