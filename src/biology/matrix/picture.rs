//! The matrix in the picture: fine strands along the fibres, the fainter the less is left.

use bevy::prelude::*;

use super::Matrix;
use crate::core::layer::{Layer, RegisterLayer, Strand, Tint};
use crate::core::random::RandomKey;
use crate::core::{CellId, Purpose, RegisterPurpose};
use crate::tissue::Sites;

/// Where strands lie in their voxel and how they stray from the main direction; it is for the eye and changes nothing.
const STRANDS: Purpose = Purpose::of("matrix.strands");

/// At most so many strands are drawn in a site.
const MOST_STRANDS: usize = 60_000;

/// Colour of collagen, sRGB.
const COLLAGEN: [f32; 3] = [0.86, 0.83, 0.74];

/// Below this density nothing is drawn.
const FAINTEST: f32 = 0.02;

/// Registers the layer.
pub(super) fn register(app: &mut App) {
    let layer = Layer::new(
        "matrix.fibres",
        "Collagen fibres of the matrix, along their main direction; digested ones fade.",
    )
    .label("collagen fibre")
    .colour([COLLAGEN[0], COLLAGEN[1], COLLAGEN[2], 0.6]);
    app.register_purpose(STRANDS)
        .register_layer::<Strand>(layer, |world, site, glyphs| {
            let Some(entry) = world
                .get_resource::<Sites>()
                .and_then(|sites| sites.list.get(site))
            else {
                return;
            };
            let Some(matrix) = world.get::<Matrix>(entry.entity) else {
                return;
            };
            let block = &entry.block;
            let key = RandomKey(site as u64);
            // Every so many voxels have strands where there are too many of them.
            let every = matrix.density.len().div_ceil(MOST_STRANDS / 2).max(1);
            for voxel in (0..matrix.density.len()).step_by(every) {
                let density = matrix.density[voxel];
                if density < FAINTEST {
                    continue;
                }
                let (main, order) = matrix.fibres[voxel].main_direction();
                let mut random = key.stream(CellId(voxel as u64), 0, STRANDS);
                for _ in 0..2 {
                    let place = Vec3::new(random.uniform(), random.uniform(), random.uniform());
                    let stray = random.direction();
                    // Half of them lie one way round, which is the same fibre.
                    let along = if stray.dot(main) < 0.0 { -main } else { main };
                    let direction = stray.lerp(along, order).normalize_or(main);
                    let middle = block.centre_of(voxel as u32) + (place - 0.5) * block.voxel_um;
                    let half = direction * (0.5 + 0.6 * order) * block.voxel_um.max_element();
                    let [r, g, b] = COLLAGEN;
                    glyphs.add(
                        Strand {
                            from_um: middle - half,
                            to_um: middle + half,
                            width_um: 0.6 + 1.2 * density,
                        },
                        Tint::Colour([r, g, b, (0.15 + 0.75 * density).min(0.9)]),
                    );
                }
            }
        });
}
