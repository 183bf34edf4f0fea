//! Points of a pixel or two that add light.

use bevy::asset::{load_internal_asset, uuid_handle};
use bevy::prelude::*;

use super::Drawn;
use super::pick::{Look, Round};
use crate::core::layer::{Glyph, GlyphKind};
use crate::view::paint_order;

const SHADER: Handle<Shader> = uuid_handle!("8d116ece-1738-47d9-bd9c-172411e20b8f");

/// How they are drawn.
pub(super) const DRAWN: Drawn = Drawn {
    kind: GlyphKind::Grains,
    shader: SHADER,
    load,
    alpha: AlphaMode::Add,
    order: paint_order::GRAINS,
    distance,
};

fn distance(glyph: &Glyph, look: &Look) -> Option<f32> {
    let [at, ..] = glyph.points_um;
    let ball = Round {
        centre_um: at,
        radius_um: look.slack_um(at) * glyph.sizes[0].max(2.0),
    };
    let t = look.first(ball.stretch(look))? + ball.radius_um;
    look.keeps(t).then_some(t)
}

fn load(app: &mut App) {
    load_internal_asset!(app, SHADER, "grains.wgsl", Shader::from_wgsl);
}
