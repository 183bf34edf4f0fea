//! Translucent triangles with ragged holes.

use bevy::asset::{load_internal_asset, uuid_handle};
use bevy::prelude::*;

use super::Drawn;
use super::pick::Look;
use crate::core::layer::{Glyph, GlyphKind};
use crate::view::paint_order;

const SHADER: Handle<Shader> = uuid_handle!("6b0d549b-6f03-475a-9600-a35a099950d8");

/// How they are drawn.
pub(super) const DRAWN: Drawn = Drawn {
    kind: GlyphKind::Sheets,
    shader: SHADER,
    load,
    alpha: AlphaMode::Blend,
    order: paint_order::SHEETS,
    distance,
};

/// Where the ray passes the triangle (Moeller & Trumbore 1997, J Graph Tools 2:21), if it is not quite gone there.
fn distance(glyph: &Glyph, look: &Look) -> Option<f32> {
    let [a, b, c] = glyph.points_um;
    let (along, across) = (b - a, c - a);
    let p = look.direction.cross(across);
    let volume = along.dot(p);
    if volume.abs() < 1.0e-9 {
        return None;
    }
    let from = look.origin_um - a;
    let u = from.dot(p) / volume;
    let q = from.cross(along);
    let v = look.direction.dot(q) / volume;
    if u < 0.0 || v < 0.0 || u + v > 1.0 {
        return None;
    }
    let [at_a, at_b, at_c] = glyph.sizes;
    let integrity = at_a + (at_b - at_a) * u + (at_c - at_a) * v;
    let t = across.dot(q) / volume;
    // In the middle of the noise that opens it.
    (integrity > 0.5 && t > 0.0 && look.keeps(t)).then_some(t)
}

fn load(app: &mut App) {
    load_internal_asset!(app, SHADER, "sheets.wgsl", Shader::from_wgsl);
}
