//! Balls.

use bevy::asset::{load_internal_asset, uuid_handle};
use bevy::prelude::*;

use super::Drawn;
use super::pick::{Look, round};
use crate::core::layer::{Glyph, GlyphKind};

const SHADER: Handle<Shader> = uuid_handle!("6513270e-269e-4d37-b2a7-4de452e6b438");

/// How they are drawn.
pub(super) const DRAWN: Drawn = Drawn {
    kind: GlyphKind::Spheres,
    shader: SHADER,
    load,
    alpha: AlphaMode::Opaque,
    order: 0.0,
    distance,
};

fn distance(glyph: &Glyph, look: &Look) -> Option<f32> {
    let [ball, ..] = round(glyph);
    look.first(ball.stretch(look))
}

fn load(app: &mut App) {
    load_internal_asset!(app, SHADER, "spheres.wgsl", Shader::from_wgsl);
}
