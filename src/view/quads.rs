//! A mesh of quads without places: each vertex carries only its own number, `4 x quad + corner`, and the vertex
//! shader puts it where it belongs. One vertex layout and one mesh per capacity serve all glyphs.

use bevy::asset::RenderAssetUsages;
use bevy::mesh::{Indices, MeshVertexAttribute, MeshVertexBufferLayoutRef, PrimitiveTopology};
use bevy::prelude::*;
use bevy::render::render_resource::{
    BlendComponent, BlendFactor, BlendOperation, BlendState, RenderPipelineDescriptor,
    SpecializedMeshPipelineError, VertexFormat,
};

/// The number of a vertex.
const ATTRIBUTE_CORNER: MeshVertexAttribute =
    MeshVertexAttribute::new("Corner", 719_203_441, VertexFormat::Uint32);

/// A mesh of `count` quads.
pub(super) fn quads(count: u32) -> Mesh {
    let corners: Vec<u32> = (0..count * 4).collect();
    let indices = (0..count)
        .flat_map(|quad| [0, 1, 2, 2, 1, 3].map(|corner| quad * 4 + corner))
        .collect();
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::RENDER_WORLD,
    )
    .with_inserted_attribute(ATTRIBUTE_CORNER, corners)
    .with_inserted_indices(Indices::U32(indices))
}

/// Makes a pipeline read the vertex numbers of [`quads`] at location 0 and draw both sides.
pub(super) fn specialise(
    descriptor: &mut RenderPipelineDescriptor,
    layout: &MeshVertexBufferLayoutRef,
) -> Result<(), SpecializedMeshPipelineError> {
    descriptor.vertex.buffers = vec![
        layout
            .0
            .get_layout(&[ATTRIBUTE_CORNER.at_shader_location(0)])?,
    ];
    descriptor.primitive.cull_mode = None;
    Ok(())
}

/// Lets a pipeline mix its colours into the picture by their alpha and leave the alpha of the picture alone, which says
/// which cell is seen (see `shade.wgsl`).
pub(super) fn translucent(descriptor: &mut RenderPipelineDescriptor) {
    let blend = BlendState {
        color: BlendComponent {
            src_factor: BlendFactor::SrcAlpha,
            dst_factor: BlendFactor::OneMinusSrcAlpha,
            operation: BlendOperation::Add,
        },
        alpha: BlendComponent {
            src_factor: BlendFactor::Zero,
            dst_factor: BlendFactor::One,
            operation: BlendOperation::Add,
        },
    };
    let targets = descriptor
        .fragment
        .iter_mut()
        .flat_map(|fragment| fragment.targets.iter_mut().flatten());
    for target in targets {
        target.blend = Some(blend);
    }
}
