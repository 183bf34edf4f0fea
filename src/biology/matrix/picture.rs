//! The matrix in the picture: fine strands along the fibres, the fainter the less is left.

use bevy::prelude::*;

use super::Matrix;
use crate::core::layer::{Layer, RegisterLayer, Strand, Tint};
use crate::core::random::RandomKey;
use crate::core::{CellId, Purpose, RegisterPurpose};
use crate::tissue::Sites;

/// Where strands lie in their voxel and how they stray from the main direction; it is for the eye and changes nothing.
const STRANDS: Purpose = Purpose::of("matrix.strands");

/// About so many strands are drawn in a site at most: more of them cost more than the cells among them, and are finer than a picture shows.
const MOST_STRANDS: f32 = 20_000.0;
/// Strands in a voxel.
const STRANDS_IN_VOXEL: f32 = 2.0;

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
            // Where there would be too many, fewer stand for them, each as much longer and wider as voxels would be of which each has its own.
            let thinned = STRANDS_IN_VOXEL * matrix.density.len() as f32 / MOST_STRANDS;
            let thinned = thinned.max(1.0);
            let size = bevy::math::ops::cbrt(thinned);
            let [r, g, b] = COLLAGEN;
            for (voxel, density) in matrix.density.iter().enumerate() {
                if *density < FAINTEST {
                    continue;
                }
                let mut random = key.stream(CellId(voxel as u64), 0, STRANDS);
                let wanted = STRANDS_IN_VOXEL / thinned;
                let strands = wanted.floor() + f32::from(u8::from(random.chance(wanted.fract())));
                if strands == 0.0 {
                    continue;
                }
                let (main, order) = matrix.fibres[voxel].main_direction();
                for _ in 0..strands as u32 {
                    let place = Vec3::new(random.uniform(), random.uniform(), random.uniform());
                    let stray = random.direction();
                    // Half of them lie one way round, which is the same fibre.
                    let along = if stray.dot(main) < 0.0 { -main } else { main };
                    let direction = stray.lerp(along, order).normalize_or(main);
                    let middle = block.centre_of(voxel as u32) + (place - 0.5) * block.voxel_um;
                    let half = direction * (0.5 + 0.6 * order) * block.voxel_um.max_element();
                    glyphs.add(
                        Strand {
                            from_um: middle - half * size,
                            to_um: middle + half * size,
                            width_um: (0.6 + 1.2 * density) * size,
                        },
                        Tint::Colour([r, g, b, (0.15 + 0.75 * density).min(0.9)]),
                    );
                }
            }
        });
}
