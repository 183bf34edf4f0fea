//! What surrounds the tissue: a background that keeps the eye on the picture, and the edges of the blocks.

use bevy::asset::{load_internal_asset, uuid_handle};
use bevy::camera::visibility::NoFrustumCulling;
use bevy::mesh::MeshVertexBufferLayoutRef;
use bevy::pbr::{Material, MaterialPipeline, MaterialPipelineKey, MaterialPlugin};
use bevy::prelude::*;
use bevy::render::render_resource::{
    AsBindGroup, RenderPipelineDescriptor, ShaderType, SpecializedMeshPipelineError,
};
use bevy::shader::ShaderRef;

use super::quads::{quads, specialise, translucent};
use super::{Shown, ViewSettings, ViewSystems, paint_order};
use crate::scene::look::Style;

const BACKDROP_SHADER: Handle<Shader> = uuid_handle!("6e0b6f0c-58d1-4f3f-9d57-0a1f5b3c2e90");
const LINES_SHADER: Handle<Shader> = uuid_handle!("b7f2c1a4-0de8-45d3-8f66-9a3e1c7d4b55");

/// Edges of a block.
const EDGES: u32 = 12;

#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
struct BackdropMaterial {
    #[uniform(0)]
    style: Vec4,
}

impl Material for BackdropMaterial {
    fn vertex_shader() -> ShaderRef {
        BACKDROP_SHADER.into()
    }
    fn fragment_shader() -> ShaderRef {
        BACKDROP_SHADER.into()
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

#[derive(ShaderType, Clone, Copy, Debug, Default, PartialEq)]
struct LinesUniform {
    colour: Vec4,
    low: Vec4,
    high: Vec4,
    style: Vec4,
}

#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
struct LinesMaterial {
    #[uniform(0)]
    lines: LinesUniform,
}

impl Material for LinesMaterial {
    fn vertex_shader() -> ShaderRef {
        LINES_SHADER.into()
    }
    fn fragment_shader() -> ShaderRef {
        LINES_SHADER.into()
    }
    fn alpha_mode(&self) -> AlphaMode {
        AlphaMode::Blend
    }
    fn depth_bias(&self) -> f32 {
        paint_order::BLOCK_EDGES
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
        translucent(descriptor);
        specialise(descriptor, layout)
    }
}

/// Gives the background the look that is chosen.
fn dress_backdrop(
    settings: Res<ViewSettings>,
    backdrops: Query<&MeshMaterial3d<BackdropMaterial>>,
    mut materials: ResMut<Assets<BackdropMaterial>>,
) {
    let is_plain = f32::from(u8::from(settings.look.style == Style::Plain));
    for handle in &backdrops {
        let stale = materials
            .get(&handle.0)
            .is_some_and(|material| material.style.x != is_plain);
        if stale && let Some(mut material) = materials.get_mut(&handle.0) {
            material.style.x = is_plain;
        }
    }
}

/// Draws the edges of one block, by its place among those in the picture.
#[derive(Component)]
struct BlockEdges(usize);

/// What all edges of blocks are drawn with.
#[derive(Resource)]
struct EdgeMesh(Handle<Mesh>);

/// An entity that draws the edges of the block at this place.
fn edges_of(
    number: usize,
    mesh: &EdgeMesh,
    lines: LinesUniform,
    materials: &mut Assets<LinesMaterial>,
) -> impl Bundle {
    (
        Name::new("edges of a block"),
        BlockEdges(number),
        Mesh3d(mesh.0.clone()),
        MeshMaterial3d(materials.add(LinesMaterial { lines })),
        NoFrustumCulling,
    )
}

fn spawn_surroundings(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut backdrops: ResMut<Assets<BackdropMaterial>>,
    mut lines: ResMut<Assets<LinesMaterial>>,
) {
    commands.spawn((
        Name::new("background"),
        Mesh3d(meshes.add(quads(1))),
        MeshMaterial3d(backdrops.add(BackdropMaterial { style: Vec4::ZERO })),
        NoFrustumCulling,
    ));
    let mesh = EdgeMesh(meshes.add(quads(EDGES)));
    commands.spawn(edges_of(0, &mesh, LinesUniform::default(), &mut lines));
    commands.insert_resource(mesh);
}

/// Fits the edges to the blocks of the sites shown.
fn fit_blocks(
    shown: Res<Shown>,
    settings: Res<ViewSettings>,
    mesh: Res<EdgeMesh>,
    mut commands: Commands,
    mut edges: Query<(&BlockEdges, &MeshMaterial3d<LinesMaterial>, &mut Visibility)>,
    mut materials: ResMut<Assets<LinesMaterial>>,
) {
    let sites = shown.0.sites_in(settings.site);
    let blocks: Vec<LinesUniform> = sites
        .filter(|_| settings.block_edges)
        .filter_map(|index| {
            let site = shown.0.sites.get(index)?;
            let place = shown.0.place_um(index, settings.site);
            Some(LinesUniform {
                colour: match settings.look.style {
                    Style::Rich => Vec4::new(0.32, 0.42, 0.55, 0.42),
                    Style::Plain => Vec4::new(0.05, 0.06, 0.08, 0.55),
                },
                low: (site.min_um + place).extend(0.0),
                high: (site.max_um + place).extend(0.0),
                style: Vec4::new(1.1, 0.0, 0.0, 0.0),
            })
        })
        .collect();
    let mut drawn = 0;
    for (number, handle, mut visibility) in &mut edges {
        drawn = drawn.max(number.0 + 1);
        let lines = blocks.get(number.0);
        let wanted = if lines.is_some() {
            Visibility::Inherited
        } else {
            Visibility::Hidden
        };
        visibility.set_if_neq(wanted);
        let Some(lines) = lines else { continue };
        let material = materials.get(&handle.0);
        let stale = material.is_some_and(|material| material.lines != *lines);
        if stale && let Some(mut material) = materials.get_mut(&handle.0) {
            material.lines = *lines;
        }
    }
    for (number, lines) in blocks.iter().enumerate().skip(drawn) {
        commands.spawn(edges_of(number, &mesh, *lines, &mut materials));
    }
}

pub(super) fn plugin(app: &mut App) {
    load_internal_asset!(app, BACKDROP_SHADER, "backdrop.wgsl", Shader::from_wgsl);
    load_internal_asset!(app, LINES_SHADER, "lines.wgsl", Shader::from_wgsl);
    app.add_plugins((
        MaterialPlugin::<BackdropMaterial>::default(),
        MaterialPlugin::<LinesMaterial>::default(),
    ))
    .add_systems(PreStartup, spawn_surroundings)
    .add_systems(
        PostUpdate,
        (fit_blocks, dress_backdrop).in_set(ViewSystems::Fill),
    );
}
