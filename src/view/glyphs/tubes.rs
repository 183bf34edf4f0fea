//! Vessels: pieces with a radius at each end, round there, so that junctions are closed; hollow where they are cut.

use bevy::asset::{load_internal_asset, uuid_handle};
use bevy::prelude::*;

use super::Drawn;
use super::pick::{Look, between};
use crate::core::layer::{Glyph, GlyphKind};

const SHADER: Handle<Shader> = uuid_handle!("9531985d-5d9d-49f8-9818-e811892f902b");

/// How they are drawn.
pub(super) const DRAWN: Drawn = Drawn {
    kind: GlyphKind::Tubes,
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
    load_internal_asset!(app, SHADER, "tubes.wgsl", Shader::from_wgsl);
}
