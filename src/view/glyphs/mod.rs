//! Layers of glyphs: all that a picture shows besides cells and field planes.
//!
//! All glyphs of a kind, of whatever layer, are one entity and one draw: quads expanded from the vertex number, as for
//! cells. Each kind has a file that says how it is drawn and what a ray meets of it, a shader of the same name and a line in a
//! list; what the shaders share is `glyph.wgsl`. Buffers are refilled in fixed chunks only when the snapshot, the layers
//! shown, the cut or the selection changed. What lies buried among cells is left out.
//!
//! - [`spheres`], [`capsules`], [`tubes`]: solid, exact to the pixel
//! - [`strands`], [`sheets`], [`voxels`]: translucent
//! - [`grains`]: points that glow
//! - [`paint`]: what colour a glyph has; [`pick`]: which one a ray meets

mod capsules;
mod grains;
pub mod paint;
pub mod pick;
mod sheets;
mod spheres;
mod strands;
mod tubes;
mod voxels;

use std::sync::Arc;

use bevy::asset::{RenderAssetUsages, load_internal_asset, uuid_handle};
use bevy::camera::visibility::NoFrustumCulling;
use bevy::mesh::MeshVertexBufferLayoutRef;
use bevy::pbr::{Material, MaterialPipeline, MaterialPipelineKey, MaterialPlugin};
use bevy::prelude::*;
use bevy::render::render_resource::{
    AsBindGroup, RenderPipelineDescriptor, ShaderType, SpecializedMeshPipelineError,
};
use bevy::render::storage::ShaderBuffer;
use bevy::shader::ShaderRef;

use crate::core::layer::{FilledLayer, Glyph, GlyphKind};
use crate::core::parallel::map_chunks;
use crate::scene::look::Style;
use crate::scene::{LayersShown, Look};
use crate::simulation::{SiteSnapshot, Snapshot};

use super::cells::tissue_ball;
use super::colours::ColouredBy;
use super::crowding::Crowding;
use super::quads::{quads, specialise, translucent};
use super::{Shown, ViewSettings, ViewSystems, cut_plane, prepare_after_bindings};
use paint::LayerPaint;

const SHADER: Handle<Shader> = uuid_handle!("5e1c7a90-42bd-4f1e-a0c3-8d6b7f2e9a14");

/// Glyphs handled by one task.
const CHUNK: usize = 4096;
/// The buffers grow in steps of this many glyphs, so that most snapshots reuse them.
const CAPACITY_STEP: usize = 1024;

/// How one kind of glyph is drawn.
pub(super) struct Drawn {
    /// Its kind.
    pub kind: GlyphKind,
    /// Its shader.
    pub shader: Handle<Shader>,
    /// Brings the shader into an app.
    pub load: fn(&mut App),
    /// How it mixes with what lies behind it.
    pub alpha: AlphaMode,
    /// When it is painted among what is translucent.
    pub order: f32,
    /// Distance along a ray at which it is first met, um.
    pub distance: fn(&Glyph, &pick::Look) -> Option<f32>,
}

/// All kinds: one that comes has a file of its own and a line here.
static DRAWN: [Drawn; GlyphKind::ALL.len()] = [
    spheres::DRAWN,
    capsules::DRAWN,
    tubes::DRAWN,
    strands::DRAWN,
    sheets::DRAWN,
    grains::DRAWN,
    voxels::DRAWN,
];

/// How a kind is drawn.
pub(super) fn drawn(kind: GlyphKind) -> &'static Drawn {
    let mut all = DRAWN.iter();
    all.find(|drawn| drawn.kind == kind)
        .expect("there are as many as kinds, each once: a test sees to it")
}

/// What the shaders need to know about all glyphs of a kind.
#[derive(ShaderType, Clone, Copy, Debug, Default)]
struct GlyphUniform {
    cut: Vec4,
    bounds: Vec4,
    count: u32,
    is_plain: u32,
    pad_b: u32,
    pad_c: u32,
}

/// A glyph as the shaders read it.
#[derive(Clone, Copy, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct GlyphData {
    places: [[f32; 4]; 3],
    paint: [u32; 4],
}

/// The material of the entity that draws all glyphs of a kind.
#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
#[bind_group_data(GlyphKind)]
struct GlyphMaterial {
    #[uniform(0)]
    scene: GlyphUniform,
    #[storage(1, read_only)]
    glyphs: Handle<ShaderBuffer>,
    kind: GlyphKind,
}

impl From<&GlyphMaterial> for GlyphKind {
    fn from(material: &GlyphMaterial) -> Self {
        material.kind
    }
}

impl Material for GlyphMaterial {
    fn vertex_shader() -> ShaderRef {
        spheres::DRAWN.shader.into()
    }
    fn fragment_shader() -> ShaderRef {
        spheres::DRAWN.shader.into()
    }
    fn alpha_mode(&self) -> AlphaMode {
        drawn(self.kind).alpha
    }
    fn depth_bias(&self) -> f32 {
        drawn(self.kind).order
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
        if matches!(drawn(key.bind_group_data).alpha, AlphaMode::Blend) {
            translucent(descriptor);
        }
        let shader = drawn(key.bind_group_data).shader.clone();
        descriptor.vertex.shader = shader.clone();
        if let Some(fragment) = &mut descriptor.fragment {
            fragment.shader = shader;
        }
        specialise(descriptor, layout)
    }
}

/// What the buffers show at present.
#[derive(Clone)]
struct Filled {
    snapshot: Arc<Snapshot>,
    site: usize,
    look: Look,
    coloured: ColouredBy,
    selected: Option<PickedGlyph>,
}

/// A glyph that a person has picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickedGlyph {
    /// Name of its layer.
    pub layer: String,
    /// Its identity in that layer.
    pub id: u64,
}

/// The entity that draws a kind, and its assets.
struct Drawing {
    kind: GlyphKind,
    entity: Entity,
    mesh: Handle<Mesh>,
    material: Handle<GlyphMaterial>,
    glyphs: Handle<ShaderBuffer>,
    capacity: usize,
}

/// The entities that draw glyphs.
#[derive(Resource)]
struct Drawings {
    list: Vec<Drawing>,
    filled: Option<Filled>,
}

/// The layers of a site that are shown.
pub fn layers_shown<'a>(
    site: &'a SiteSnapshot,
    shown: &'a LayersShown,
) -> impl Iterator<Item = &'a FilledLayer> {
    let layers = site.layers.iter();
    layers.filter(|filled| shown.shows(&filled.layer))
}

/// Whether a plane may leave something of a glyph that reaches `reach_um` around its places.
fn is_kept(glyph: &Glyph, plane: Vec4, reach_um: f32) -> bool {
    let side = |point: &Vec3| plane.truncate().dot(*point) + plane.w >= -reach_um;
    glyph.points_um.iter().any(side)
}

/// The glyphs of a kind that can be seen, as the shaders read them.
fn fill(
    paints: &[LayerPaint],
    settings: &ViewSettings,
    crowding: &Crowding,
    how: &Drawn,
) -> Vec<GlyphData> {
    let plane = cut_plane(settings.look.cut);
    let mut data = Vec::new();
    for paint in paints.iter().filter(|paint| paint.kind() == how.kind) {
        let filled = paint.filled();
        let selected = settings.selected_glyph.as_ref();
        let selected = selected.filter(|picked| picked.layer == filled.layer.name);
        let glyphs = &filled.glyphs;
        let chunks = map_chunks(glyphs.len(), CHUNK, |_, range| {
            let mut chunk = Vec::with_capacity(range.len());
            for glyph in &glyphs[range] {
                let solid = matches!(how.kind, GlyphKind::Sheets | GlyphKind::Grains);
                let reach = if solid {
                    0.0
                } else {
                    glyph.sizes[0].max(glyph.sizes[1])
                };
                let is_finite = glyph.points_um.iter().all(|point| point.is_finite());
                if !is_finite || !is_kept(glyph, plane, reach) {
                    continue;
                }
                let buried = |point: &Vec3| crowding.is_buried(*point);
                if glyph.points_um.iter().all(buried) {
                    continue;
                }
                let middle = (glyph.points_um[0] + glyph.points_um[1]) * 0.5;
                let place = |i: usize| glyph.points_um[i].extend(glyph.sizes[i]).to_array();
                let is_selected = selected.is_some_and(|picked| picked.id == glyph.id);
                chunk.push(GlyphData {
                    places: [place(0), place(1), place(2)],
                    paint: [
                        packed(paint.of(glyph.tint)),
                        packed([
                            crowding.openness(middle),
                            f32::from(u8::from(is_selected)),
                            0.0,
                            0.0,
                        ]),
                        0,
                        0,
                    ],
                });
            }
            chunk
        });
        data.extend(chunks.into_iter().flatten());
    }
    data
}

/// Four numbers of 0-1 in the bytes of one, the first in the lowest.
fn packed(channels: [f32; 4]) -> u32 {
    u32::from_le_bytes(channels.map(|channel| (channel.clamp(0.0, 1.0) * 255.0 + 0.5) as u8))
}

const fn capacity_of(count: usize) -> usize {
    let steps = count.div_ceil(CAPACITY_STEP);
    (if steps == 0 { 1 } else { steps }) * CAPACITY_STEP
}

fn spawn_drawings(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut buffers: ResMut<Assets<ShaderBuffer>>,
    mut materials: ResMut<Assets<GlyphMaterial>>,
) {
    let capacity = capacity_of(0);
    let list = GlyphKind::ALL.map(|kind| {
        let empty = vec![0; capacity * size_of::<GlyphData>()];
        let glyphs = buffers.add(ShaderBuffer::new(&empty, RenderAssetUsages::RENDER_WORLD));
        let mesh = meshes.add(quads(capacity as u32));
        let material = materials.add(GlyphMaterial {
            scene: GlyphUniform::default(),
            glyphs: glyphs.clone(),
            kind,
        });
        let entity = commands.spawn((
            Name::new(format!("{kind:?}")),
            Mesh3d(mesh.clone()),
            MeshMaterial3d(material.clone()),
            NoFrustumCulling,
            Visibility::Hidden,
        ));
        Drawing {
            kind,
            entity: entity.id(),
            mesh,
            material,
            glyphs,
            capacity,
        }
    });
    commands.insert_resource(Drawings {
        list: list.into(),
        filled: None,
    });
}

/// Refills the buffers when what they show is out of date; a kind of which there is nothing is not drawn.
fn fill_glyphs(
    shown: Res<Shown>,
    settings: Res<ViewSettings>,
    coloured: Res<ColouredBy>,
    crowding: Res<Crowding>,
    mut drawings: ResMut<Drawings>,
    mut visible: Query<&mut Visibility>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut buffers: ResMut<Assets<ShaderBuffer>>,
    mut materials: ResMut<Assets<GlyphMaterial>>,
) {
    let current = drawings.filled.as_ref().is_some_and(|filled| {
        Arc::ptr_eq(&filled.snapshot, &shown.0)
            && filled.site == settings.site
            && filled.look == settings.look
            && filled.coloured == *coloured
            && filled.selected == settings.selected_glyph
    });
    if current {
        return;
    }
    let empty = SiteSnapshot::default();
    let site = shown.site(settings.site).unwrap_or(&empty);
    let bounds = if site.layers.is_empty() {
        Vec4::ZERO
    } else {
        tissue_ball(site)
    };
    let paints = LayerPaint::of_site(&shown.0, site, &settings, &coloured.0);
    for drawing in &mut drawings.list {
        let mut data = fill(&paints, &settings, &crowding, drawn(drawing.kind));
        if let Ok(mut visibility) = visible.get_mut(drawing.entity) {
            visibility.set_if_neq(if data.is_empty() {
                Visibility::Hidden
            } else {
                Visibility::Inherited
            });
        }
        if data.is_empty() {
            continue;
        }
        let count = data.len();
        let capacity = capacity_of(count);
        data.resize(capacity, GlyphData::default());
        if let Some(mut buffer) = buffers.get_mut(&drawing.glyphs) {
            buffer.data = Some(bytemuck::cast_slice(&data).to_vec());
        }
        if capacity != drawing.capacity {
            let mesh = quads(capacity as u32);
            if meshes.insert(&drawing.mesh, mesh).is_err() {
                return;
            }
            drawing.capacity = capacity;
        }
        if let Some(mut material) = materials.get_mut(&drawing.material) {
            material.scene = GlyphUniform {
                cut: cut_plane(settings.look.cut),
                bounds,
                count: count as u32,
                is_plain: u32::from(settings.look.style == Style::Plain),
                ..default()
            };
        }
    }
    drawings.filled = Some(Filled {
        snapshot: Arc::clone(&shown.0),
        site: settings.site,
        look: settings.look.clone(),
        coloured: coloured.clone(),
        selected: settings.selected_glyph.clone(),
    });
}

pub(super) fn plugin(app: &mut App) {
    load_internal_asset!(app, SHADER, "glyph.wgsl", Shader::from_wgsl);
    for drawn in &DRAWN {
        (drawn.load)(app);
    }
    app.add_plugins(MaterialPlugin::<GlyphMaterial>::default())
        .add_systems(PreStartup, spawn_drawings)
        .add_systems(PostUpdate, fill_glyphs.in_set(ViewSystems::Fill));
    prepare_after_bindings::<GlyphMaterial>(app);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_glyph_is_drawn() {
        for kind in GlyphKind::ALL {
            assert_eq!(drawn(kind).kind, kind);
        }
    }
}
