//! A plane through the tissue that shows the concentration of one molecule.
//!
//! The voxels that the plane meets are resampled, with a monotone cubic, to a finer texture whenever the
//! snapshot or the plane changed; the shader (`slice.wgsl`) colours it and draws contour lines. Where the plane
//! coincides with a cut, its colours lie just behind the cut faces of the cells and its contour lines just
//! before them, so that section and field are read together.

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

use crate::scene::Slice;
use crate::scene::look::Axis;
use crate::simulation::{FieldSnapshot, SiteSnapshot, Snapshot};

use super::colour_map::TABLE_LEN;
use super::crowding::Crowding;
use super::palette::Scale;
use super::quads::{quads, specialise};
use super::{Shown, ViewSettings, ViewSystems, cut_plane, prepare_after_bindings};

const SHADER: Handle<Shader> = uuid_handle!("f3d9a1c7-5e28-4a06-b1f4-7c8e2d60913b");

/// Texels along the longer side of the resampled plane, at most.
const MAX_TEXELS: usize = 384;
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
    let molecule = settings.look.slice?.molecule;
    let field = site
        .fields
        .iter()
        .find(|field| field.molecule == molecule)?;
    let top = field.values.iter().copied().fold(0.0, f32::max);
    let mut scale = Scale::of_molecule(molecule, top);
    if let Some((min, max)) = settings.field_range {
        (scale.min, scale.max) = (min, max);
    }
    Some(scale)
}

/// A field along a plane, row by row, with the side lengths in texels.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    /// Texels along the first and the second axis of the plane.
    pub size: [usize; 2],
    /// Values, first axis fastest.
    pub values: Vec<f32>,
}

/// The two axes that span the plane perpendicular to `axis`, and `axis` itself, as indices.
const fn axes_of(axis: Axis) -> [usize; 3] {
    match axis {
        Axis::X => [1, 2, 0],
        Axis::Y => [0, 2, 1],
        Axis::Z => [0, 1, 2],
    }
}

/// Cubic between `p[1]` and `p[2]` that stays between them.
fn cubic(p: [f32; 4], s: f32) -> f32 {
    let value = p[1]
        + 0.5
            * s
            * (p[2] - p[0]
                + s * (2.0 * p[0] - 5.0 * p[1] + 4.0 * p[2] - p[3]
                    + s * (3.0 * (p[1] - p[2]) + p[3] - p[0])));
    value.clamp(p[1].min(p[2]), p[1].max(p[2]))
}

/// Resamples `n` values with a stride to `n x finer` values.
fn refine_line(
    read: impl Fn(usize) -> f32,
    n: usize,
    finer: usize,
    mut write: impl FnMut(usize, f32),
) {
    for i in 0..n * finer {
        let at = (i as f32 + 0.5) / finer as f32 - 0.5;
        let low = at.floor();
        let clamped = |offset: i64| {
            let index = (low as i64 + offset).clamp(0, n as i64 - 1);
            read(index as usize)
        };
        write(
            i,
            cubic([clamped(-1), clamped(0), clamped(1), clamped(2)], at - low),
        );
    }
}

/// Cuts a plane out of a field: linear between the two layers of voxels beside it, cubic within.
pub fn plane_of(field: &FieldSnapshot, slice: &Slice) -> Plane {
    let [u, v, w] = axes_of(slice.axis);
    let dims = field.dims.to_array().map(|n| n as usize);
    let strides = [1, dims[0], dims[0] * dims[1]];
    let (nu, nv) = (dims[u], dims[v]);
    if dims.contains(&0) || field.values.len() < dims.iter().product() {
        return Plane {
            size: [1, 1],
            values: vec![0.0],
        };
    }
    let at = ((slice.at_um - field.origin_um[w]) / field.spacing_um[w] - 0.5)
        .clamp(0.0, (dims[w] - 1) as f32);
    let below = (at as usize).min(dims[w].saturating_sub(2));
    let above = (below + 1).min(dims[w] - 1);
    let part = at - below as f32;
    let voxel = |i: usize, j: usize| {
        let base = i * strides[u] + j * strides[v];
        let low = field.values[base + below * strides[w]];
        let high = field.values[base + above * strides[w]];
        low + (high - low) * part
    };
    let finer = (MAX_TEXELS / nu.max(nv)).clamp(1, 6);
    let mut rows = vec![0.0; nu * finer * nv];
    for j in 0..nv {
        refine_line(
            |i| voxel(i, j),
            nu,
            finer,
            |i, value| {
                rows[i + j * nu * finer] = value;
            },
        );
    }
    let width = nu * finer;
    let mut values = vec![0.0; width * nv * finer];
    for i in 0..width {
        refine_line(
            |j| rows[i + j * width],
            nv,
            finer,
            |j, value| {
                values[i + j * width] = value;
            },
        );
    }
    Plane {
        size: [width, nv * finer],
        values,
    }
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
    for (layer, order) in [(Layer::Field, 0.0), (Layer::Contours, 2.0)] {
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
        let slice = settings.look.slice?;
        let field = site
            .fields
            .iter()
            .find(|field| field.molecule == slice.molecule)?;
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

    let plane = plane_of(field, &slice);
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
    for (slot, level) in levels.iter_mut().zip(scale.contours) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tissue::Molecule;

    fn field(dims: UVec3, value: impl Fn(Vec3) -> f32) -> FieldSnapshot {
        let spacing_um = Vec3::new(20.0, 10.0, 5.0);
        let origin_um = Vec3::new(-100.0, 7.0, -30.0);
        let mut values = Vec::new();
        for z in 0..dims.z {
            for y in 0..dims.y {
                for x in 0..dims.x {
                    let at = UVec3::new(x, y, z).as_vec3() + 0.5;
                    values.push(value(origin_um + at * spacing_um));
                }
            }
        }
        FieldSnapshot {
            molecule: Molecule::Oxygen,
            dims,
            origin_um,
            spacing_um,
            values,
        }
    }

    #[test]
    fn a_plane_through_a_linear_field_is_linear_on_every_axis() {
        let linear = |p: Vec3| 3.0 + 0.2 * p.x - 0.5 * p.y + 0.7 * p.z;
        let field = field(UVec3::new(9, 12, 14), linear);
        for (axis, at_um) in [(Axis::X, 3.0), (Axis::Y, 61.0), (Axis::Z, 9.5)] {
            let slice = Slice {
                molecule: Molecule::Oxygen,
                axis,
                at_um,
            };
            let plane = plane_of(&field, &slice);
            let [u, v, w] = axes_of(axis);
            let extent = field.dims.as_vec3() * field.spacing_um;
            for j in 0..plane.size[1] {
                for i in 0..plane.size[0] {
                    let mut place = field.origin_um;
                    place[u] += extent[u] * (i as f32 + 0.5) / plane.size[0] as f32;
                    place[v] += extent[v] * (j as f32 + 0.5) / plane.size[1] as f32;
                    place[w] = at_um;
                    let inset = |axis: usize| {
                        place[axis] - field.origin_um[axis] > field.spacing_um[axis] * 1.5
                            && field.origin_um[axis] + extent[axis] - place[axis]
                                > field.spacing_um[axis] * 1.5
                    };
                    if inset(u) && inset(v) {
                        let got = plane.values[i + j * plane.size[0]];
                        assert!((got - linear(place)).abs() < 0.02, "{axis:?} {got}");
                    }
                }
            }
        }
    }

    #[test]
    fn resampling_never_leaves_the_range_of_the_data() {
        let steps = |p: Vec3| if p.x > 0.0 { 40.0 } else { 0.0 };
        let field = field(UVec3::new(10, 10, 10), steps);
        let slice = Slice {
            molecule: Molecule::Oxygen,
            axis: Axis::Z,
            at_um: 0.0,
        };
        let plane = plane_of(&field, &slice);
        assert!(plane.values.iter().all(|v| (0.0..=40.0).contains(v)));
    }
}
