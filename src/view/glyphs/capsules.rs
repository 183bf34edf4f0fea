//! Long cells: cylinders with round ends.

use bevy::asset::{load_internal_asset, uuid_handle};
use bevy::prelude::*;

use super::Drawn;
use super::pick::{Look, between};
use crate::core::layer::{Glyph, GlyphKind};

const SHADER: Handle<Shader> = uuid_handle!("d23f0824-128b-4f33-8c5c-7fd0a6a3a450");

/// How they are drawn.
pub(super) const DRAWN: Drawn = Drawn {
    kind: GlyphKind::Capsules,
    shader: SHADER,
    load,
    alpha: AlphaMode::Opaque,
    order: 0.0,
    distance,
};

fn distance(glyph: &Glyph, look: &Look) -> Option<f32> {
    look.first(between(glyph, look))
}

fn load(app: &mut App) {
    load_internal_asset!(app, SHADER, "capsules.wgsl", Shader::from_wgsl);
}
