//! Proteases in the picture: a warm haze where there is soluble MMP, and a glow at the leading edge of cells that carry MT1-MMP.

use bevy::prelude::*;

use super::Protease;
use crate::cell::motility::LEADING_EDGE_UM;
use crate::cell::{Body, Motility, Position, Resident};
use crate::core::columns::tables_with;
use crate::core::layer::{Grain, Layer, RegisterLayer, Tint};
use crate::core::random::RandomKey;
use crate::core::{CellId, Purpose, RegisterPurpose};
use crate::tissue::fields::FieldReader;
use crate::tissue::{SiteId, Sites};

/// Where grains of the haze lie in their voxel; it is for the eye and changes nothing.
const HAZE: Purpose = Purpose::of("protease.haze");

/// Grains in a voxel for a nanomolar of MMP, and at most.
const GRAINS_PER_NM: f32 = 4.0;
const MOST_IN_A_VOXEL: f32 = 6.0;
/// At most so many grains are drawn in a site.
const MOST_GRAINS: usize = 40_000;
/// MT1-MMP from which a leading edge glows.
const FAINTEST: f32 = 0.05;

/// Colour of the haze and of leading edges, sRGB.
const WARM: [f32; 3] = [1.0, 0.58, 0.22];
const HOT: [f32; 3] = [1.0, 0.80, 0.45];

/// Registers the layers.
pub(super) fn register(app: &mut App) {
    let haze = Layer::new(
        "protease.mmp",
        "Soluble MMP: the more of it there is, the denser the grains; 4 in a voxel for each nM.",
    )
    .label("MMP")
    .colour([WARM[0], WARM[1], WARM[2], 0.5]);
    let edges = Layer::new(
        "protease.leading_edge",
        "MT1-MMP at the leading edge of cells that carry it.",
    )
    .label("MT1-MMP")
    .colour([HOT[0], HOT[1], HOT[2], 0.9]);
    app.register_purpose(HAZE)
        .register_layer::<Grain>(haze, |world, site, glyphs| {
            let sites = world.get_resource::<Sites>();
            let Some(entry) = sites.and_then(|sites| sites.list.get(site)) else {
                return;
            };
            let Some(mmp) = FieldReader::in_world(world, "mmp") else {
                return;
            };
            let (id, block) = (SiteId(site as u16), &entry.block);
            let grains = |voxel: usize| {
                (mmp.at(id, voxel as u32) * GRAINS_PER_NM).clamp(0.0, MOST_IN_A_VOXEL)
            };
            let voxels = block.voxels();
            let all: f32 = (0..voxels).map(&grains).sum();
            let kept = (MOST_GRAINS as f32 / all.max(1.0)).min(1.0);
            let key = RandomKey(site as u64);
            for voxel in 0..voxels {
                let count = grains(voxel) * kept;
                if count <= 0.0 {
                    continue;
                }
                let corner = block.voxel(voxel as u32);
                let mut random = key.stream(CellId(voxel as u64), 0, HAZE);
                let count = (count + random.uniform()) as u32;
                for _ in 0..count {
                    let place = Vec3::new(random.uniform(), random.uniform(), random.uniform());
                    let at_um = block.min_um + (corner.as_vec3() + place) * block.voxel_um;
                    glyphs.add(Grain { at_um, pixels: 1.6 }, Tint::Layer);
                }
            }
        })
        .register_layer::<Grain>(edges, |world, site, glyphs| {
            for table in tables_with::<Protease>(world) {
                let (Some(made), Some(residents), Some(positions), Some(bodies), Some(walks)) = (
                    table.get::<Protease>(),
                    table.get::<Resident>(),
                    table.get::<Position>(),
                    table.get::<Body>(),
                    table.get::<Motility>(),
                ) else {
                    continue;
                };
                for row in 0..table.len() {
                    let carried = made[row].mt1_mmp;
                    if usize::from(residents[row].0.0) != site || carried < FAINTEST {
                        continue;
                    }
                    let reach = bodies[row].radius_um + 0.5 * LEADING_EDGE_UM;
                    let [r, g, b] = HOT;
                    glyphs.add(
                        Grain {
                            at_um: positions[row].0 + walks[row].direction * reach,
                            pixels: 4.0 + 6.0 * carried,
                        },
                        Tint::Colour([r, g, b, 0.35 + 0.6 * carried.min(1.0)]),
                    );
                }
            }
        });
}
