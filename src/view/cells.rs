//! Cells: one entity, one draw.
//!
//! Each cell is a quad on which the fragment shader (`cells.wgsl`) finds where the eye's ray meets the sphere and
//! writes colour and depth. Bodies are drawn a little larger than they are to the mechanics
//! ([`DRAWN_PER_MECHANICAL`]), so that cells that touch meet in facets: where two drawn spheres overlap, the surface that
//! is seen changes from one to the other at their radical plane, where `|p - a|^2 - A^2 = |p - b|^2 - B^2`. On a cut the
//! smaller of these power distances wins each pixel, also a little beyond the body where tissue is dense
//! ([`MOST_REACH`]), which makes the section a tessellation (a power diagram: Aurenhammer 1987, SIAM J Comput 16:78,
//! doi:10.1137/0216006). Two buffers hold centre and radius, and colour, build and shape; they are refilled in
//! parallel, in fixed chunks, only when the snapshot, the colours or the cut changed. Cells that no ray can
//! reach ([`Crowding::is_buried`]) are left out.
//!
//! A cell that is drawn out ([`crate::simulation::Stretches`]) is a spheroid of the volume of its ball: the shader squeezes space along its
//! axis until it is a ball again. A category may give the cells of a value a rim.

use std::sync::Arc;

use bevy::asset::{RenderAssetUsages, load_internal_asset, uuid_handle};
use bevy::camera::visibility::NoFrustumCulling;
use bevy::math::DVec3;
use bevy::mesh::MeshVertexBufferLayoutRef;
use bevy::pbr::{Material, MaterialPipeline, MaterialPipelineKey, MaterialPlugin};
use bevy::prelude::*;
use bevy::render::render_resource::{
    AsBindGroup, RenderPipelineDescriptor, ShaderType, SpecializedMeshPipelineError,
};
use bevy::render::storage::ShaderBuffer;
use bevy::shader::ShaderRef;

use crate::cell::mechanics::ContactLaw;
use crate::core::parallel::{for_each_chunk_mut2, map_chunks};
use crate::scene::look::Style;
use crate::scene::{ColourBy, Look};
use crate::simulation::snapshot::NUCLEUS;
use crate::simulation::{SiteSnapshot, Snapshot};

use super::colours::{CellColours, ColourSource, ColouredBy};
use super::crowding::Crowding;
use super::quads::{quads, specialise};
use super::slice::slice_scale;
use super::{Shown, ViewSettings, ViewSystems, cut_plane, prepare_after_bindings};

const SHADER: Handle<Shader> = uuid_handle!("0a4f6b3d-9c57-4e83-8d21-52b6c7e0f8a2");

/// Cells handled by one task.
const CHUNK: usize = 4096;
/// The buffers grow in steps of this many cells, so that most snapshots reuse them.
const CAPACITY_STEP: usize = 4096;
/// Bytes of a sphere and of its paint in the buffers.
const SPHERE_BYTES: usize = 16;
const PAINT_BYTES: usize = 16;
/// Flags of a cell, above the kind of its build; as in `cells.wgsl`.
const SELECTED: u32 = 16;
const NO_VALUE: u32 = 32;

/// Radius of a body as it is drawn, of that which mechanics has: cells at their distance of rest, which overlap by
/// little, then meet in facets.
pub const DRAWN_PER_MECHANICAL: f32 = ContactLaw::Cohesive.contact_per_body();
/// How far beyond its drawn body a cell may fill a cut in dense tissue, in drawn radii; as in `cells.wgsl`. In a dense
/// packing of equal spheres no point is farther than 1.42 radii from the nearest centre.
pub const MOST_REACH: f32 = 0.5;
/// Packing, 1 for dense tissue, up to which a cell on a cut keeps to its body, and from which it fills all it can reach.
const FILLS_FROM: f32 = 0.45;
const FILLS_AT: f32 = 0.85;

/// Longest cell that is drawn, of its width; as in `cells.wgsl`.
const LONGEST: f32 = 20.0;

/// Half of the length of a drawn cell, for its radius as a ball and its length over width.
pub fn half_length_um(radius_um: f32, aspect_ratio: f32) -> f32 {
    let narrow = bevy::math::ops::cbrt(aspect_ratio);
    radius_um * narrow * narrow
}

/// A long axis and a length over width in 32 bits: the axis as a place on an octahedron (Cigolle et al. 2014, J Comput
/// Graph Tech 3(2):1), 12 bits a coordinate, and the root of how much longer than wide; 0 for a ball.
fn packed_stretch(stretch: Option<(Vec3, f32)>) -> u32 {
    let Some((axis, ratio)) = stretch else {
        return 0;
    };
    let longer = ((ratio - 1.0) / (LONGEST - 1.0)).clamp(0.0, 1.0).sqrt();
    let axis = axis.normalize_or(Vec3::X);
    let flat = axis / axis.abs().element_sum();
    let mut at = flat.truncate();
    if flat.z < 0.0 {
        at = (1.0 - Vec2::new(at.y, at.x).abs())
            * Vec2::new(1.0_f32.copysign(at.x), 1.0_f32.copysign(at.y));
    }
    let twelve = |value: f32| ((value * 0.5 + 0.5).clamp(0.0, 1.0) * 4095.0 + 0.5) as u32;
    twelve(at.x) | twelve(at.y) << 12 | byte(longer) << 24
}

/// Radius of a cell as it is drawn, um.
pub const fn drawn_radius_um(radius_um: f32) -> f32 {
    radius_um * DRAWN_PER_MECHANICAL
}

/// What the shader needs to know about all cells.
#[derive(ShaderType, Clone, Copy, Debug, Default)]
struct SceneUniform {
    cut: Vec4,
    bounds: Vec4,
    count: u32,
    is_plain: u32,
    is_scale: u32,
    pad: u32,
}

/// The material of the entity that draws all cells of a site.
#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
pub(super) struct CellMaterial {
    #[uniform(0)]
    scene: SceneUniform,
    #[storage(1, read_only)]
    spheres: Handle<ShaderBuffer>,
    #[storage(2, read_only)]
    paints: Handle<ShaderBuffer>,
}

impl Material for CellMaterial {
    fn vertex_shader() -> ShaderRef {
        SHADER.into()
    }
    fn fragment_shader() -> ShaderRef {
        SHADER.into()
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

/// What the buffers show at present.
#[derive(Clone)]
struct Filled {
    snapshot: Arc<Snapshot>,
    site: usize,
    colour_by: ColourBy,
    look: Look,
    selected: Option<u64>,
}

/// The entity that draws the cells, and its assets.
#[derive(Resource)]
pub(super) struct CellDrawing {
    mesh: Handle<Mesh>,
    material: Handle<CellMaterial>,
    spheres: Handle<ShaderBuffer>,
    paints: Handle<ShaderBuffer>,
    capacity: usize,
    filled: Option<Filled>,
}

/// How many cells the last fill put in the buffers, of how many there are.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct CellsDrawn {
    /// Cells that can be seen from somewhere.
    pub drawn: usize,
    /// All cells of the site.
    pub present: usize,
    /// Mean radius of a body as it is drawn, um.
    pub mean_radius_um: f32,
}

/// Ball around the bulk of the cells of a site (around its block where there are none): centre and radius, um.
///
/// It is centred on the mean of all places and holds 98 of 100 cells, so that a few cells that wander off do not make
/// a camera that follows it restless.
pub fn tissue_ball(site: &SiteSnapshot) -> Vec4 {
    let spheres = &site.cells.sphere_um;
    if spheres.is_empty() {
        let half = (site.max_um - site.min_um) * 0.5;
        return (site.min_um + half).extend(half.length().max(1.0));
    }
    let mut sum = DVec3::ZERO;
    for &[x, y, z, _] in spheres {
        sum += Vec3::new(x, y, z).as_dvec3();
    }
    let centre = (sum / spheres.len() as f64).as_vec3();
    let mut reach: Vec<f32> = spheres
        .iter()
        .map(|&[x, y, z, r]| centre.distance(Vec3::new(x, y, z)) + r)
        .collect();
    let bulk = (reach.len() - 1) * 98 / 100;
    let (_, radius, _) = reach.select_nth_unstable_by(bulk, f32::total_cmp);
    centre.extend(radius.max(1.0))
}

fn byte(value: f32) -> u32 {
    (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u32
}

/// A number that scatters with the identity, so that each cell keeps its own small differences for life.
const fn scatter(id: u64) -> u64 {
    let mixed = (id ^ (id >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 29)
}

/// How far beyond its drawn body a cell may fill the cut, as a share of [`MOST_REACH`]: all of it in dense tissue, nothing
/// at a free edge.
fn reach(crowding: &Crowding, plane: Vec4, centre: Vec3, radius_um: f32) -> f32 {
    let off = plane.truncate().dot(centre) + plane.w;
    if plane.truncate() == Vec3::ZERO || off.abs() > radius_um * (1.0 + MOST_REACH) {
        return 0.0;
    }
    // Crowding knows only what the cut leaves; a little behind the cut the tissue is as it was.
    let behind = centre + plane.truncate() * (3.0 * radius_um - off);
    let share = (crowding.density(behind) - FILLS_FROM) / (FILLS_AT - FILLS_FROM);
    share.clamp(0.0, 1.0)
}

/// How far from its centre a cell of this drawn radius fills the cut, um.
pub fn reach_on_cut_um(crowding: &Crowding, plane: Vec4, centre: Vec3, radius_um: f32) -> f32 {
    radius_um * (1.0 + MOST_REACH * reach(crowding, plane, centre, radius_um))
}

/// Colour, build and shape of cell `i` as the shader unpacks them.
fn paint(
    colours: &CellColours,
    nuclei_um: &[f32],
    (crowding, plane): (&Crowding, Vec4),
    i: usize,
    (sphere, stretch): ([f32; 4], Option<(Vec3, f32)>),
    selected: bool,
) -> [u32; 4] {
    let id = colours.cells().id.get(i).copied().unwrap_or(i as u64);
    let noise = scatter(id);
    let mut colour = colours.of(i);
    if colours.scale().is_none() {
        // No two cells are quite alike; a measured quantity is left exactly as it is.
        let tint = 1.0 + ((noise & 0xFF) as f32 / 255.0 - 0.5) * 0.13;
        colour = colour.map(|channel| channel * tint);
    }
    let centre = Vec3::new(sphere[0], sphere[1], sphere[2]);
    let openness = crowding.openness(centre);
    let nucleus = nuclei_um.get(i).copied().unwrap_or(0.0).max(0.0) / sphere[3].max(1.0e-3);
    let flags = colours.build(i) as u32
        | if selected { SELECTED } else { 0 }
        | if colours.source(i) == ColourSource::NoValue {
            NO_VALUE
        } else {
            0
        };
    // Also says in the picture which cell is seen: 0 and 255 are kept free.
    let seed = 1 + (noise >> 8) as u32 % 254;
    let of_colour = |[r, g, b]: [f32; 3]| byte(r) | byte(g) << 8 | byte(b) << 16;
    [
        of_colour(colour) | byte(openness) << 24,
        byte(nucleus.min(0.95))
            | seed << 8
            | byte(reach(crowding, plane, centre, sphere[3])) << 16
            | flags << 24,
        packed_stretch(stretch),
        colours.rim(i).map_or(0, |rim| of_colour(rim) | 0xFF00_0000),
    ]
}

/// Puts the cells that can be seen into new buffers of `capacity_of(count)` cells.
fn fill(
    snapshot: &Snapshot,
    site: &SiteSnapshot,
    settings: &ViewSettings,
    colour_by: &ColourBy,
    crowding: &Crowding,
) -> Buffers {
    let cells = &site.cells;
    let plane = cut_plane(settings.look.cut);
    let stretches = cells.stretches();
    let visible: Vec<u32> = map_chunks(cells.sphere_um.len(), CHUNK, |_, range| {
        range
            .filter(|&i| {
                let [x, y, z, r] = cells.sphere_um[i];
                let centre = Vec3::new(x, y, z);
                let ratio = stretches.of(i).map_or(1.0, |(_, ratio)| ratio);
                let reach = half_length_um(drawn_radius_um(r), ratio) * (1.0 + MOST_REACH);
                plane.truncate().dot(centre) + plane.w > -reach && !crowding.is_buried(centre)
            })
            .map(|i| i as u32)
            .collect::<Vec<u32>>()
    })
    .concat();
    let capacity = capacity_of(visible.len());
    let colours =
        CellColours::new(snapshot, site, colour_by).beside(slice_scale(site, settings).as_ref());
    let nuclei_um = cells.quantity(NUCLEUS).unwrap_or_default();
    let mut spheres = vec![[0_u8; SPHERE_BYTES]; capacity];
    let mut paints = vec![[0_u8; PAINT_BYTES]; capacity];
    let count = visible.len();
    for_each_chunk_mut2(
        &mut spheres[..count],
        &mut paints[..count],
        CHUNK,
        |start, spheres, paints| {
            for (offset, (to_sphere, to_paint)) in spheres.iter_mut().zip(paints).enumerate() {
                let i = visible[start + offset] as usize;
                let mut sphere = cells.sphere_um[i];
                sphere[3] = drawn_radius_um(sphere[3]);
                let selected =
                    settings.selected.is_some() && cells.id.get(i).copied() == settings.selected;
                *to_sphere = bytemuck::cast(sphere);
                *to_paint = bytemuck::cast(paint(
                    &colours,
                    nuclei_um,
                    (crowding, plane),
                    i,
                    (sphere, stretches.of(i)),
                    selected,
                ));
            }
        },
    );
    Buffers {
        spheres: spheres.into_flattened(),
        paints: paints.into_flattened(),
        count,
        is_scale: colours.scale().is_some(),
    }
}

/// What a fill puts out.
struct Buffers {
    spheres: Vec<u8>,
    paints: Vec<u8>,
    count: usize,
    /// Whether colours are values of a scale.
    is_scale: bool,
}

fn mean_drawn_radius_um(site: &SiteSnapshot) -> f32 {
    let spheres = &site.cells.sphere_um;
    let sum: f64 = spheres.iter().map(|sphere| f64::from(sphere[3])).sum();
    drawn_radius_um((sum / spheres.len().max(1) as f64) as f32)
}

const fn capacity_of(count: usize) -> usize {
    let steps = count.div_ceil(CAPACITY_STEP);
    (if steps == 0 { 1 } else { steps }) * CAPACITY_STEP
}

fn spawn_drawing(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut buffers: ResMut<Assets<ShaderBuffer>>,
    mut materials: ResMut<Assets<CellMaterial>>,
) {
    let capacity = capacity_of(0);
    let empty = |bytes: usize| {
        ShaderBuffer::new(&vec![0; capacity * bytes], RenderAssetUsages::RENDER_WORLD)
    };
    let spheres = buffers.add(empty(SPHERE_BYTES));
    let paints = buffers.add(empty(PAINT_BYTES));
    let mesh = meshes.add(quads(capacity as u32));
    let material = materials.add(CellMaterial {
        scene: SceneUniform::default(),
        spheres: spheres.clone(),
        paints: paints.clone(),
    });
    commands.spawn((
        Name::new("cells"),
        Mesh3d(mesh.clone()),
        MeshMaterial3d(material.clone()),
        NoFrustumCulling,
    ));
    commands.insert_resource(CellDrawing {
        mesh,
        material,
        spheres,
        paints,
        capacity,
        filled: None,
    });
}

/// Refills the buffers when what they show is out of date.
pub(super) fn fill_cells(
    shown: Res<Shown>,
    settings: Res<ViewSettings>,
    coloured: Res<ColouredBy>,
    crowding: Res<Crowding>,
    mut drawing: ResMut<CellDrawing>,
    mut drawn: ResMut<CellsDrawn>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut buffers: ResMut<Assets<ShaderBuffer>>,
    mut materials: ResMut<Assets<CellMaterial>>,
) {
    let current = drawing.filled.as_ref().is_some_and(|filled| {
        Arc::ptr_eq(&filled.snapshot, &shown.0)
            && filled.site == settings.site
            && filled.colour_by == coloured.0
            && filled.look == settings.look
            && filled.selected == settings.selected
    });
    if current {
        return;
    }
    let empty = SiteSnapshot::default();
    let site = shown.site(settings.site).unwrap_or(&empty);
    let Buffers {
        spheres,
        paints,
        count,
        is_scale,
    } = fill(&shown.0, site, &settings, &coloured.0, &crowding);
    *drawn = CellsDrawn {
        drawn: count,
        present: site.cells.len(),
        mean_radius_um: mean_drawn_radius_um(site),
    };
    let capacity = capacity_of(count);
    for (handle, data) in [(&drawing.spheres, spheres), (&drawing.paints, paints)] {
        if let Some(mut buffer) = buffers.get_mut(handle) {
            buffer.data = Some(data);
        }
    }
    if capacity != drawing.capacity {
        if meshes
            .insert(&drawing.mesh, quads(capacity as u32))
            .is_err()
        {
            return;
        }
        drawing.capacity = capacity;
    }
    if let Some(mut material) = materials.get_mut(&drawing.material) {
        material.scene = SceneUniform {
            cut: cut_plane(settings.look.cut),
            bounds: tissue_ball(site),
            count: count as u32,
            is_plain: u32::from(settings.look.style == Style::Plain),
            is_scale: u32::from(is_scale),
            pad: 0,
        };
    }
    drawing.filled = Some(Filled {
        snapshot: Arc::clone(&shown.0),
        site: settings.site,
        colour_by: coloured.0.clone(),
        look: settings.look.clone(),
        selected: settings.selected,
    });
}

pub(super) fn plugin(app: &mut App) {
    load_internal_asset!(app, SHADER, "cells.wgsl", Shader::from_wgsl);
    app.init_resource::<CellsDrawn>()
        .add_plugins(MaterialPlugin::<CellMaterial>::default())
        .add_systems(PreStartup, spawn_drawing)
        .add_systems(PostUpdate, fill_cells.in_set(ViewSystems::Fill));
    prepare_after_bindings::<CellMaterial>(app);
}
