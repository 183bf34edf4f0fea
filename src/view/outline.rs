//! Lines between cells: a pass over the finished picture.
//!
//! Cells write into the alpha of the picture which cell is seen (`shade.wgsl`); where it changes from pixel to pixel there
//! is a membrane or an outline (`outline.wgsl`). The pass costs the same for ten cells and for a million. In the rich look
//! lines are a darker shade of the cell, in the plain look ink. They fade where cells are too small on the picture to have
//! an outline.

use bevy::asset::{load_internal_asset, uuid_handle};
use bevy::core_pipeline::fullscreen_material::{FullscreenMaterial, FullscreenMaterialPlugin};
use bevy::prelude::*;
use bevy::render::extract_component::ExtractComponent;
use bevy::render::render_resource::ShaderType;
use bevy::shader::ShaderRef;

use crate::scene::look::Style;

use super::camera::um_per_pixel;
use super::cells::CellsDrawn;
use super::{ViewCamera, ViewEye, ViewSettings, ViewSystems};

const SHADER: Handle<Shader> = uuid_handle!("5d6a1c52-2f0e-4d7a-9a43-0c8be1f7a6d4");

/// Radius of a cell on the picture, pixels of a picture 720 pixels high, at which outlines begin to be seen and from which
/// they are drawn in full.
const SEEN_FROM_PIXELS: f32 = 1.6;
const FULL_FROM_PIXELS: f32 = 4.5;
/// Thickness of a membrane with what surrounds it, um: lines are drawn so thick where that is more than a pixel.
const MEMBRANE_UM: f32 = 0.55;
/// Widest line, pixels of a picture 720 pixels high.
const WIDEST_PIXELS: f32 = 2.5;

/// How lines between cells are drawn; see `outline.wgsl`.
#[derive(Component, ExtractComponent, ShaderType, Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Outline {
    ink: Vec4,
    style: Vec4,
}

impl FullscreenMaterial for Outline {
    fn fragment_shader() -> ShaderRef {
        SHADER.into()
    }
}

impl Outline {
    /// The lines of a look, where a cell has this radius and a picture this height, pixels.
    fn of(style: Style, radius_px: f32, um_per_px: f32, height: f32) -> Self {
        let scale = (height / 720.0).max(0.25);
        let share = (radius_px / scale - SEEN_FROM_PIXELS) / (FULL_FROM_PIXELS - SEEN_FROM_PIXELS);
        let seen = share.clamp(0.0, 1.0);
        let width = (MEMBRANE_UM / um_per_px.max(1.0e-6)).clamp(scale, WIDEST_PIXELS * scale);
        match style {
            Style::Rich => Self {
                ink: Vec4::ZERO,
                style: Vec4::new(seen * 0.85, width.round(), 0.30, 0.6),
            },
            Style::Plain => Self {
                ink: Vec4::new(0.012, 0.010, 0.016, 1.0),
                style: Vec4::new(seen, width.round(), 0.0, 0.6),
            },
        }
    }
}

/// Fits the lines to the look and to how large cells are on the picture.
fn fit_outline(
    settings: Res<ViewSettings>,
    camera: Res<ViewCamera>,
    drawn: Res<CellsDrawn>,
    mut eyes: Query<(&Camera, &mut Outline), With<ViewEye>>,
) {
    for (eye, mut outline) in &mut eyes {
        let height = eye
            .physical_viewport_size()
            .map_or(720.0, |size| size.y as f32);
        let um_per_px = um_per_pixel(&camera.pose, height);
        let radius_px = drawn.mean_radius_um / um_per_px.max(1.0e-6);
        outline.set_if_neq(Outline::of(
            settings.look.style,
            radius_px,
            um_per_px,
            height,
        ));
    }
}

pub(super) fn plugin(app: &mut App) {
    load_internal_asset!(app, SHADER, "outline.wgsl", Shader::from_wgsl);
    app.add_plugins(FullscreenMaterialPlugin::<Outline>::default())
        .add_systems(
            PostUpdate,
            fit_outline
                .in_set(ViewSystems::Fill)
                .after(super::cells::fill_cells),
        );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_thin_from_afar_and_never_wider_than_a_membrane_looks() {
        let of = |radius_px: f32, um_per_px| Outline::of(Style::Rich, radius_px, um_per_px, 720.0);
        assert_eq!(of(1.0, 9.0).style.x, 0.0);
        assert!(of(3.0, 3.0).style.x > 0.2);
        assert_eq!(of(10.0, 0.9).style.y, 1.0);
        assert_eq!(of(40.0, 0.25).style.y, 2.0);
        assert_eq!(of(400.0, 0.02).style.y, WIDEST_PIXELS.round());
    }
}
