//! Translucent boxes.

use bevy::asset::{load_internal_asset, uuid_handle};
use bevy::prelude::*;

use super::Drawn;
use super::pick::Look;
use crate::core::layer::{Glyph, GlyphKind};
use crate::view::paint_order;

const SHADER: Handle<Shader> = uuid_handle!("90c192cf-d3ac-44af-8f21-ddb66cad4a26");

/// How they are drawn.
pub(super) const DRAWN: Drawn = Drawn {
    kind: GlyphKind::Voxels,
    shader: SHADER,
    load,
    alpha: AlphaMode::Blend,
    order: paint_order::VOXELS,
    distance,
};

fn distance(glyph: &Glyph, look: &Look) -> Option<f32> {
    let [low, high, _] = glyph.points_um;
    let (to_low, to_high) = (
        (low - look.origin_um) / look.direction,
        (high - look.origin_um) / look.direction,
    );
    let enter = to_low.min(to_high).max_element();
    let leave = to_low.max(to_high).min_element();
    look.first((enter <= leave).then_some((enter, leave)))
}

fn load(app: &mut App) {
    load_internal_asset!(app, SHADER, "voxels.wgsl", Shader::from_wgsl);
}
