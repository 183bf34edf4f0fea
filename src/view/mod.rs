//! Floor 4: drawing a snapshot.
//!
//! [`ViewPlugin`] draws what lies in [`Shown`] the way [`ViewSettings`] asks for, seen from [`ViewCamera`]. It
//! never touches a simulation; film and sandbox both fill these resources and get the same picture.
//!
//! - [`cells`]: all cells of a site as one entity, ray-traced spheres on quads
//! - [`colours`]: what colour a cell has, and why
//! - [`crowding`]: how deep in the tissue a place lies, for shading and for leaving out what nobody can see
//! - [`glyphs`]: layers of spheres, capsules, tubes, strands, sheets, grains and voxels that modules fill
//! - [`slice`]: a plane that shows a field, with contour lines
//! - `outline`: lines between cells
//! - [`surroundings`]: background and the edges of the blocks
//! - [`camera`]: poses, the way between them, automatic framing, micrometres per pixel
//! - [`palette`], [`colour_map`]: what colours mean
//! - [`history`], [`plot`]: measurements over tissue time, and curves of them
//! - [`overlay`]: title, time, scale bar, legend, drawn with egui over the picture
//!
//! Everything is prepared in `PostUpdate` before assets are handed to the renderer, so a picture shows what the
//! resources held in the same frame, never what they held a frame ago. z is up; lengths are micrometres.

pub mod camera;
pub mod cells;
pub mod colour_map;
pub mod colours;
pub mod crowding;
pub mod glyphs;
pub mod history;
mod outline;
pub mod overlay;
pub mod palette;
pub mod plot;
mod quads;
pub mod slice;
pub mod surroundings;

use std::hash::Hash;
use std::sync::Arc;

use bevy::asset::{AssetEventSystems, load_internal_asset, uuid_handle};
use bevy::camera::visibility::VisibilitySystems;
use bevy::pbr::MeshMaterial3d;
use bevy::prelude::*;
use bevy::render::erased_render_asset::prepare_erased_assets;
use bevy::render::render_asset::prepare_assets;
use bevy::render::storage::GpuShaderBuffer;
use bevy::render::texture::GpuImage;
use bevy::render::{Render, RenderApp, RenderSystems};
use bevy_egui::{EguiPlugin, EguiPostUpdateSet};

use crate::scene::{CameraPose, Cut, Look};
use crate::simulation::{SiteSnapshot, Snapshot};

pub use camera::{automatic_pose, pose_between};
pub use glyphs::PickedGlyph;
pub use overlay::{OverlayContent, OverlaySystems};

/// The tissue that is drawn.
#[derive(Resource, Clone, Default)]
pub struct Shown(pub Arc<Snapshot>);

impl Shown {
    /// The site with this index, or all of them as one, see [`Snapshot::site`].
    pub fn site(&self, index: usize) -> Option<&SiteSnapshot> {
        self.0.site(index)
    }
}

/// What of the tissue is drawn, and how.
#[derive(Resource, Clone, Debug, PartialEq)]
pub struct ViewSettings {
    /// Index of the site that is drawn; [`crate::simulation::WHOLE_STAGE`] for all sites on their stage.
    pub site: usize,
    /// Colours, field plane and cut.
    pub look: Look,
    /// Identity of a cell to be highlighted.
    pub selected: Option<u64>,
    /// A glyph to be highlighted.
    pub selected_glyph: Option<PickedGlyph>,
    /// Whether the edges of the block of tissue are drawn.
    pub block_edges: bool,
    /// Ends of the colour scale of the field plane; chosen from the data where `None`.
    pub field_range: Option<(f32, f32)>,
}

impl Default for ViewSettings {
    fn default() -> Self {
        Self {
            site: 0,
            look: Look::default(),
            selected: None,
            selected_glyph: None,
            block_edges: true,
            field_range: None,
        }
    }
}

impl ViewSettings {
    /// Settings that show the first site with the given look.
    pub fn of_look(look: Look) -> Self {
        Self {
            look,
            ..Self::default()
        }
    }
}

/// Where the picture is taken from.
#[derive(Resource, Clone, Copy, Debug, PartialEq)]
pub struct ViewCamera {
    /// The pose; its target also says at which depth the scale bar holds.
    pub pose: CameraPose,
    /// Overrides the pose's position and direction, for a camera flown by hand. The scale bar then holds at the
    /// distance of the pose's target.
    pub free: Option<Transform>,
}

impl Default for ViewCamera {
    fn default() -> Self {
        Self {
            pose: CameraPose {
                target_um: (0.0, 0.0, 0.0),
                distance_um: 1000.0,
                azimuth_deg: -60.0,
                elevation_deg: 25.0,
            },
            free: None,
        }
    }
}

impl From<CameraPose> for ViewCamera {
    fn from(pose: CameraPose) -> Self {
        Self { pose, free: None }
    }
}

/// Marks the camera entity that [`ViewPlugin`] spawns.
#[derive(Component, Clone, Copy, Debug)]
pub struct ViewEye;

/// The stages in `PostUpdate` in which a snapshot becomes something to draw.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViewSystems {
    /// [`crowding::Crowding`] is brought up to date.
    Survey,
    /// Buffers, textures, materials and the camera follow the resources.
    Fill,
}

/// Draws [`Shown`]. Needs Bevy's `DefaultPlugins`; adds [`EguiPlugin`] if it is not there.
#[derive(Default)]
pub struct ViewPlugin {
    /// The image to draw on; the primary window where `None`.
    pub target: Option<Handle<Image>>,
}

const SHADE_SHADER: Handle<Shader> = uuid_handle!("4c1d8f6e-37a2-4b0c-9b8e-6a2f0a7d5c11");

impl Plugin for ViewPlugin {
    fn build(&self, app: &mut App) {
        if !app.is_plugin_added::<EguiPlugin>() {
            app.add_plugins(EguiPlugin::default());
        }
        load_internal_asset!(app, SHADE_SHADER, "shade.wgsl", Shader::from_wgsl);
        app.init_resource::<Shown>()
            .init_resource::<ViewSettings>()
            .init_resource::<ViewCamera>()
            .configure_sets(
                PostUpdate,
                (
                    ViewSystems::Survey,
                    ViewSystems::Fill,
                    EguiPostUpdateSet::EndPass,
                )
                    .chain(),
            )
            // What is shown or moved is seen in the same frame: Bevy reads it where these begin.
            .configure_sets(
                PostUpdate,
                ViewSystems::Fill
                    .before(TransformSystems::Propagate)
                    .before(VisibilitySystems::VisibilityPropagate),
            )
            .configure_sets(
                PostUpdate,
                AssetEventSystems
                    .after(ViewSystems::Fill)
                    .after(EguiPostUpdateSet::PostProcessOutput),
            )
            .add_plugins((
                camera::plugin,
                crowding::plugin,
                colours::plugin,
                cells::plugin,
                glyphs::plugin,
                slice::plugin,
                outline::plugin,
                surroundings::plugin,
                overlay::plugin,
            ));
        camera::spawn_eye(app, self.target.clone());
    }
}

/// Lets the materials `M` be prepared only when the buffers and images they bind are: Bevy itself leaves the order
/// open, and a material prepared first would show the buffer of the frame before.
fn prepare_after_bindings<M: Material<Data: PartialEq + Eq + Hash + Clone>>(app: &mut App) {
    let Some(render_app) = app.get_sub_app_mut(RenderApp) else {
        return;
    };
    render_app.add_systems(
        Render,
        (|| {})
            .in_set(RenderSystems::PrepareAssets)
            .after(prepare_assets::<GpuShaderBuffer>)
            .after(prepare_assets::<GpuImage>)
            .before(prepare_erased_assets::<MeshMaterial3d<M>>),
    );
}

/// In which order translucent things are painted, as depth biases. All lie at the origin as far as Bevy can tell, and
/// without a bias their order would depend on what was drawn before.
mod paint_order {
    /// The field plane.
    pub(super) const FIELD: f32 = 0.0;
    /// The edges of the block.
    pub(super) const BLOCK_EDGES: f32 = 1.0;
    /// Boxes.
    pub(super) const VOXELS: f32 = 1.2;
    /// Sheets.
    pub(super) const SHEETS: f32 = 1.4;
    /// Fibres.
    pub(super) const STRANDS: f32 = 1.6;
    /// The contour lines before a cut.
    pub(super) const CONTOURS: f32 = 2.0;
    /// Points that glow.
    pub(super) const GRAINS: f32 = 3.0;
}

/// Unit vector along an axis of the site.
pub(crate) const fn axis_vector(axis: crate::scene::look::Axis) -> Vec3 {
    match axis {
        crate::scene::look::Axis::X => Vec3::X,
        crate::scene::look::Axis::Y => Vec3::Y,
        crate::scene::look::Axis::Z => Vec3::Z,
    }
}

/// A cut as a plane: `xyz` is the unit normal towards the part that is kept, and a place `p` is kept where
/// `dot(xyz, p) + w >= 0`. Without a cut the normal is zero and everything is kept.
pub fn cut_plane(cut: Option<Cut>) -> Vec4 {
    match cut {
        None => Vec4::W,
        Some(cut) => {
            let side = if cut.flip { -1.0 } else { 1.0 };
            (axis_vector(cut.axis) * side).extend(-cut.at_um * side)
        }
    }
}
