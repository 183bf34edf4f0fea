//! A plane through the tissue that shows the concentration of one molecule.
//!
//! The voxels that the plane meets are resampled, with a monotone cubic, to a finer texture whenever the
//! snapshot or the plane changed; the shader (`slice.wgsl`) colours it and draws contour lines. Where the plane
//! coincides with a cut, its colours lie just behind the cut faces of the cells and its contour lines just
//! before them, so that section and field are read together.

mod plane;

use std::sync::Arc;

use bevy::asset::{RenderAssetUsages, load_internal_asset, uuid_handle};
use bevy::camera::visibility::NoFrustumCulling;
use bevy::mesh::MeshVertexBufferLayoutRef;
use bevy::pbr::{Material, MaterialPipeline, MaterialPipelineKey, MaterialPlugin};
use bevy::prelude::*;
use bevy::render::render_resource::{
    AsBindGroup, Extent3d, RenderPipelineDescriptor, ShaderType, SpecializedMeshPipelineError,
    TextureDimension, TextureFormat,
};
use bevy::shader::ShaderRef;

use crate::simulation::{SiteSnapshot, Snapshot};

use super::colour_map::TABLE_LEN;
use super::crowding::Crowding;
use super::palette::Scale;
use super::quads::{quads, specialise};
use super::{Shown, ViewSettings, ViewSystems, cut_plane, paint_order, prepare_after_bindings};
use plane::axes_of;
pub use plane::{Plane, plane_of};

const SHADER: Handle<Shader> = uuid_handle!("f3d9a1c7-5e28-4a06-b1f4-7c8e2d60913b");

/// A plane closer than this to the cut coincides with it, um.
const COINCIDES_UM: f32 = 1.0;
/// How far the two layers of a coinciding plane lie off the cut, um.
const LAYER_UM: f32 = 0.9;
/// Opacity of the plane outside and inside the tissue.
const OPACITY_OUTSIDE: f32 = 0.34;
const OPACITY_INSIDE: f32 = 0.94;
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

impl Material for SliceMaterial {
    fn vertex_shader() -> ShaderRef {
        SHADER.into()
    }
    fn fragment_shader() -> ShaderRef {
        SHADER.into()
    }
    fn alpha_mode(&self) -> AlphaMode {
        AlphaMode::Blend
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
        _: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
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
    let top = field.values.iter().copied().fold(0.0, f32::max);
    let mut scale = Scale::of_molecule(&field.molecule, top);
    if let Some((min, max)) = settings.field_range {
        (scale.min, scale.max) = (min, max);
    }
    Some(scale)
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

/// Refills the textures of the field plane when what they show is out of date.
fn fill_slice(
    shown: Res<Shown>,
    settings: Res<ViewSettings>,
    crowding: Res<Crowding>,
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
        Some((slice, field, slice_scale(site, &settings)?))
    });
    let Some((slice, field, scale)) = found else {
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
    let [width, height] = plane.size;
    let mut texels = Vec::with_capacity(plane.values.len() * 8);
    for (index, value) in plane.values.iter().enumerate() {
        let (i, j) = (index % width, index / width);
        let place = origin
            + along * ((i as f32 + 0.5) / width as f32)
            + across * ((j as f32 + 0.5) / height as f32);
        let tissue = ((crowding.density(place) - 0.15) * 2.0).clamp(0.0, 1.0);
        texels.extend_from_slice(&value.to_ne_bytes());
        texels.extend_from_slice(&tissue.to_ne_bytes());
    }
    let stored = images
        .insert(&drawing.field, field_image(plane.size, texels))
        .and_then(|()| images.insert(&drawing.colours, colour_image(scale.map.table())));
    if stored.is_err() {
        return;
    }

    let cut = cut_plane(settings.look.cut);
    let coincides = settings.look.cut.is_some_and(|cut| {
        cut.axis == slice.axis && (cut.at_um - slice.at_um).abs() < COINCIDES_UM
    });
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
                scale: Vec4::new(scale.min, scale.max, OPACITY_OUTSIDE, OPACITY_INSIDE),
                levels: if coincides && *layer == Layer::Field {
                    Vec4::splat(NO_LEVEL)
                } else {
                    Vec4::from_array(levels)
                },
                cut,
                mode: Vec4::new(mode, 0.0, 0.0, 0.0),
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
