//! A plane through the tissue that shows the concentration of one molecule.
//!
//! The voxels that the plane meets are resampled, with a monotone cubic, to a finer texture whenever the
//! snapshot or the plane changed; the shader (`slice.wgsl`) colours it and draws contour lines. A pixel of the plane has
//! exactly the colour that the colour bar has for its value; where there is no value it is hatched. The plane is seen
//! through a round window around the tissue, so that the tissue stays what the picture is about. Where the plane
//! coincides with a cut, its colours lie just behind the cut faces of the cells and its contour lines just
//! before them, so that section and field are read together.

mod plane;

use std::sync::Arc;

use bevy::asset::{RenderAssetUsages, load_internal_asset, uuid_handle};
use bevy::camera::visibility::NoFrustumCulling;
use bevy::mesh::MeshVertexBufferLayoutRef;
use bevy::pbr::{Material, MaterialPipeline, MaterialPipelineKey, MaterialPlugin, MeshPipelineKey};
use bevy::prelude::*;
use bevy::render::render_resource::{
    AsBindGroup, Extent3d, RenderPipelineDescriptor, ShaderType, SpecializedMeshPipelineError,
    TextureDimension, TextureFormat,
};
use bevy::shader::ShaderRef;

use crate::scene::Look;
use crate::simulation::{SiteSnapshot, Snapshot};

use super::cells::tissue_ball;
use super::colour_map::TABLE_LEN;
use super::palette::Scale;
use super::quads::{quads, specialise, translucent};
use super::{Shown, ViewSettings, ViewSystems, cut_plane, paint_order, prepare_after_bindings};
use crate::scene::look::Style;
use plane::axes_of;
pub use plane::{Plane, has_gaps, place_where, plane_of};

const SHADER: Handle<Shader> = uuid_handle!("f3d9a1c7-5e28-4a06-b1f4-7c8e2d60913b");

/// A plane closer than this to the cut coincides with it, um.
const COINCIDES_UM: f32 = 1.0;
/// How far the two layers of a coinciding plane lie off the cut, um.
const LAYER_UM: f32 = 0.9;
/// Radius of the window through which the plane is seen, in radii of the tissue, and in um at least.
const WINDOW_PER_RADIUS: f32 = 1.38;
const LEAST_WINDOW_UM: f32 = 120.0;
/// A level that no value reaches, for unused contour lines.
const NO_LEVEL: f32 = -1.0e30;

#[derive(ShaderType, Clone, Copy, Debug, Default)]
struct SliceUniform {
    origin: Vec4,
    along: Vec4,
    across: Vec4,
    scale: Vec4,
    levels: Vec4,
    cut: Vec4,
    window: Vec4,
    mode: Vec4,
}

#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
struct SliceMaterial {
    #[uniform(0)]
    slice: SliceUniform,
    #[texture(1, sample_type = "float", filterable = false)]
    field: Handle<Image>,
    #[texture(2, sample_type = "float", filterable = false)]
    colours: Handle<Image>,
    order: f32,
}

impl SliceMaterial {
    /// Whether it draws marks on what is there, not a ground of its own.
    const fn is_translucent(&self) -> bool {
        self.order >= paint_order::CONTOURS
    }
}

impl Material for SliceMaterial {
    fn vertex_shader() -> ShaderRef {
        SHADER.into()
    }
    fn fragment_shader() -> ShaderRef {
        SHADER.into()
    }
    fn alpha_mode(&self) -> AlphaMode {
        if self.is_translucent() {
            AlphaMode::Blend
        } else {
            AlphaMode::Opaque
        }
    }
    fn depth_bias(&self) -> f32 {
        self.order
    }
    fn enable_prepass() -> bool {
        false
    }
    fn enable_shadows() -> bool {
        false
    }
    fn specialize(
        _: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        layout: &MeshVertexBufferLayoutRef,
        key: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        if key.mesh_key.contains(MeshPipelineKey::BLEND_ALPHA) {
            translucent(descriptor);
        }
        specialise(descriptor, layout)
    }
}

/// Which layer of the plane an entity draws.
#[derive(Component, Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// Colours and contours.
    Field,
    /// Contours alone, before the cut faces.
    Contours,
}

#[derive(Resource)]
struct SliceDrawing {
    field: Handle<Image>,
    colours: Handle<Image>,
    shown: Option<(Arc<Snapshot>, ViewSettings)>,
}

/// The colour scale of the field plane of a site, if it shows one and the site has that field.
pub fn slice_scale(site: &SiteSnapshot, settings: &ViewSettings) -> Option<Scale> {
    let field = site.field(&settings.look.slice.as_ref()?.molecule)?;
    if field.values.is_empty() {
        // Nobody has asked for it yet.
        return None;
    }
    let finite = field
        .values
        .iter()
        .copied()
        .filter(|value| value.is_finite());
    let top = finite.fold(0.0, f32::max);
    let mut scale = Scale::of_molecule(&field.molecule, top);
    if let Some((min, max)) = settings.field_range {
        (scale.min, scale.max) = (min, max);
    }
    Some(scale)
}

/// Whether the field plane lies on the cut, so that section and field are read together.
pub fn lies_on_cut(look: &Look) -> bool {
    let (Some(cut), Some(slice)) = (look.cut, &look.slice) else {
        return false;
    };
    cut.axis == slice.axis && (cut.at_um - slice.at_um).abs() < COINCIDES_UM
}

fn spawn_drawing(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut images: ResMut<Assets<Image>>,
    mut materials: ResMut<Assets<SliceMaterial>>,
) {
    let field = images.add(field_image([1, 1], vec![0; 8]));
    let colours = images.add(colour_image(vec![[0; 4]; TABLE_LEN]));
    let mesh = meshes.add(quads(1));
    for (layer, order) in [
        (Layer::Field, paint_order::FIELD),
        (Layer::Contours, paint_order::CONTOURS),
    ] {
        commands.spawn((
            Name::new("field plane"),
            layer,
            Mesh3d(mesh.clone()),
            MeshMaterial3d(materials.add(SliceMaterial {
                slice: SliceUniform::default(),
                field: field.clone(),
                colours: colours.clone(),
                order,
            })),
            NoFrustumCulling,
            Visibility::Hidden,
        ));
    }
    commands.insert_resource(SliceDrawing {
        field,
        colours,
        shown: None,
    });
}

fn field_image(size: [usize; 2], data: Vec<u8>) -> Image {
    Image::new(
        Extent3d {
            width: size[0] as u32,
            height: size[1] as u32,
            depth_or_array_layers: 1,
        },
        TextureDimension::D2,
        data,
        TextureFormat::Rg32Float,
        RenderAssetUsages::RENDER_WORLD,
    )
}

fn colour_image(table: Vec<[u8; 4]>) -> Image {
    Image::new(
        Extent3d {
            width: table.len() as u32,
            height: 1,
            depth_or_array_layers: 1,
        },
        TextureDimension::D2,
        table.into_flattened(),
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::RENDER_WORLD,
    )
}

/// The window through which a plane is seen: its middle in parts of the plane's edges, and its radius, um; no window
/// where there is no tissue.
fn window_of(site: &SiteSnapshot, origin: Vec3, along: Vec3, across: Vec3) -> Vec4 {
    if site.cells.is_empty() {
        return Vec4::ZERO;
    }
    let ball = tissue_ball(site);
    let middle = ball.truncate() - origin;
    let part = |edge: Vec3| middle.dot(edge) / edge.length_squared().max(1.0e-6);
    let radius = (ball.w * WINDOW_PER_RADIUS).max(LEAST_WINDOW_UM);
    Vec4::new(part(along), part(across), radius, 0.0)
}

/// Refills the textures of the field plane when what they show is out of date.
fn fill_slice(
    shown: Res<Shown>,
    settings: Res<ViewSettings>,
    mut drawing: ResMut<SliceDrawing>,
    mut layers: Query<(&Layer, &MeshMaterial3d<SliceMaterial>, &mut Visibility)>,
    mut images: ResMut<Assets<Image>>,
    mut materials: ResMut<Assets<SliceMaterial>>,
) {
    let current = drawing
        .shown
        .as_ref()
        .is_some_and(|(snapshot, of)| Arc::ptr_eq(snapshot, &shown.0) && *of == *settings);
    if current {
        return;
    }
    drawing.shown = Some((Arc::clone(&shown.0), settings.clone()));

    let found = shown.site(settings.site).and_then(|site| {
        let slice = settings.look.slice.as_ref()?;
        let field = site.field(&slice.molecule)?;
        Some((site, slice, field, slice_scale(site, &settings)?))
    });
    let Some((site, slice, field, scale)) = found else {
        for (_, _, mut visibility) in &mut layers {
            visibility.set_if_neq(Visibility::Hidden);
        }
        return;
    };

    let [u, v, w] = axes_of(slice.axis);
    let extent = field.dims.as_vec3() * field.spacing_um;
    let unit = |axis: usize| Vec3::AXES[axis];
    let mut origin = field.origin_um;
    origin[w] = slice.at_um;
    let along = unit(u) * extent[u];
    let across = unit(v) * extent[v];

    let plane = plane_of(field, slice);
    let mut texels = Vec::with_capacity(plane.values.len() * 8);
    for value in &plane.values {
        let (value, is_there) = if value.is_finite() {
            (*value, 1.0_f32)
        } else {
            (0.0, 0.0)
        };
        texels.extend_from_slice(&value.to_ne_bytes());
        texels.extend_from_slice(&is_there.to_ne_bytes());
    }
    let window = window_of(site, origin, along, across);
    let stored = images
        .insert(&drawing.field, field_image(plane.size, texels))
        .and_then(|()| images.insert(&drawing.colours, colour_image(scale.map.table())));
    if stored.is_err() {
        return;
    }

    let is_plain = f32::from(u8::from(settings.look.style == Style::Plain));
    let cut = cut_plane(settings.look.cut);
    let coincides = lies_on_cut(&settings.look);
    let mut levels = [NO_LEVEL; 4];
    for (slot, level) in levels.iter_mut().zip(&scale.contours) {
        *slot = *level;
    }
    for (layer, handle, mut visibility) in &mut layers {
        let (is_shown, off, mode) = match layer {
            Layer::Field => (true, if coincides { LAYER_UM } else { 0.0 }, 0.0),
            Layer::Contours => (coincides, -LAYER_UM, 1.0),
        };
        visibility.set_if_neq(if is_shown {
            Visibility::Inherited
        } else {
            Visibility::Hidden
        });
        if let Some(mut material) = materials.get_mut(&handle.0) {
            material.slice = SliceUniform {
                origin: (origin + cut.truncate() * off).extend(0.0),
                along: along.extend(0.0),
                across: across.extend(0.0),
                scale: Vec4::new(scale.min, scale.max, 0.0, 0.0),
                levels: if coincides && *layer == Layer::Field {
                    Vec4::splat(NO_LEVEL)
                } else {
                    Vec4::from_array(levels)
                },
                cut,
                window,
                mode: Vec4::new(mode, is_plain, 0.0, 0.0),
            };
        }
    }
}

pub(super) fn plugin(app: &mut App) {
    load_internal_asset!(app, SHADER, "slice.wgsl", Shader::from_wgsl);
    app.add_plugins(MaterialPlugin::<SliceMaterial>::default())
        .add_systems(PreStartup, spawn_drawing)
        .add_systems(PostUpdate, fill_slice.in_set(ViewSystems::Fill));
    prepare_after_bindings::<SliceMaterial>(app);
}
