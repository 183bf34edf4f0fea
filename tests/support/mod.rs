//! A made-up tumour to draw: cells packed in a ball, starved in the middle.

use std::sync::Arc;

use bevy::math::{UVec3, Vec3, ops};
use tumorscape::cell::{Phase, State};
use tumorscape::scene::molecules::shipped_molecules;
use tumorscape::simulation::{
    CellGlyphs, CellTypeStyle, FieldSnapshot, SiteMetrics, SiteSnapshot, Snapshot,
};

/// Half the edge of the block, um.
pub const BLOCK_HALF_UM: f32 = 500.0;

fn noise(seed: u64) -> f32 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x ^= x >> 31;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^= x >> 29;
    (x >> 40) as f32 / (1_u64 << 24) as f32
}

/// Oxygen at a distance from the middle of a tumour of this radius, mmHg.
fn oxygen(distance: f32, radius: f32) -> f32 {
    let s = distance / radius;
    if s < 1.0 {
        let rim = (s - 0.3).max(0.0) / 0.7;
        0.6 + 24.0 * rim * rim
    } else {
        38.0 - 13.4 / (s * s)
    }
}

/// A ball of about `count` cells with a necrotic core of 40 % of its radius.
pub fn tumour(count: usize) -> Arc<Snapshot> {
    let cell_radius = 8.4_f32;
    let spacing = 1.72 * cell_radius;
    // Face-centred cubic packing: one cell in spacing^3 / sqrt(2).
    let volume = count as f32 * spacing * spacing * spacing / 2.0_f32.sqrt();
    let radius = ops::cbrt(volume * 3.0 / (4.0 * std::f32::consts::PI));
    let lattice = spacing * 2.0_f32.sqrt();
    let n = (radius / lattice) as i32 + 2;
    let mut cells = CellGlyphs::default();
    let basis = [
        (0.0, 0.0, 0.0),
        (0.5, 0.5, 0.0),
        (0.5, 0.0, 0.5),
        (0.0, 0.5, 0.5),
    ];
    let mut id = 0_u64;
    for z in -n..=n {
        for y in -n..=n {
            for x in -n..=n {
                for (dx, dy, dz) in basis {
                    id += 1;
                    let jitter = |k: u64| (noise(id * 7 + k) - 0.5) * 0.45 * spacing;
                    let centre = Vec3::new(
                        (x as f32 + dx) * lattice + jitter(1),
                        (y as f32 + dy) * lattice + jitter(2),
                        (z as f32 + dz) * lattice + jitter(3),
                    );
                    let away = centre.length();
                    let waves = ops::sin(centre.x * 0.021) * ops::cos(centre.z * 0.017);
                    let bumpy = radius * (0.96 + 0.08 * waves);
                    if away > bumpy {
                        continue;
                    }
                    let s = away / radius;
                    let o2 = oxygen(away, radius);
                    let dice = noise(id * 13);
                    let (state, swell) = if s < 0.30 {
                        (State::NecroticLysed, 0.72)
                    } else if s < 0.40 + 0.05 * (dice - 0.5) {
                        if dice < 0.5 {
                            (State::NecroticSwelling, 1.16)
                        } else {
                            (State::NecroticLysed, 0.78)
                        }
                    } else if dice < 0.012 {
                        (State::Apoptotic, 0.66)
                    } else {
                        (State::Alive, 1.0)
                    };
                    let cycling = noise(id * 17) < ((o2 - 6.0) / 20.0).clamp(0.0, 0.7);
                    let phase = match (cycling, (noise(id * 19) * 10.0) as u32) {
                        (true, 0..=5) => Phase::S,
                        (true, 6..=8) => Phase::G2,
                        (true, _) => Phase::M,
                        _ => Phase::G0G1,
                    };
                    let r = cell_radius * swell * (0.93 + 0.14 * noise(id * 23));
                    cells.sphere_um.push([centre.x, centre.y, centre.z, r]);
                    cells.id.push(id);
                    cells
                        .cell_type
                        .push(u16::from(noise(id * 29) < 0.06 && s > 0.55));
                    cells.phase.push(phase);
                    cells.state.push(state);
                    cells.oxygen_mmhg.push(o2);
                    let relative = o2 / 5.0;
                    cells
                        .hif_1a
                        .push(1.0 / (1.0 + relative * relative * relative));
                    cells.nucleus_radius_um.push(cell_radius * 0.6);
                }
            }
        }
    }
    let voxels = 50_u32;
    let step = 2.0 * BLOCK_HALF_UM / voxels as f32;
    let mut values = Vec::new();
    for z in 0..voxels {
        for y in 0..voxels {
            for x in 0..voxels {
                let at = (UVec3::new(x, y, z).as_vec3() + 0.5) * step - BLOCK_HALF_UM;
                values.push(oxygen(at.length(), radius));
            }
        }
    }
    let molecules = shipped_molecules().expect("the shipped molecules are valid");
    Arc::new(Snapshot {
        step: 3240,
        hours: 54.0,
        title: "A tumour outgrows its oxygen".to_owned(),
        cell_types: vec![
            CellTypeStyle {
                name: "cancer".to_owned(),
                colour: [0.84, 0.52, 0.66],
            },
            CellTypeStyle {
                name: "fibroblast".to_owned(),
                colour: [0.0, 0.62, 0.45],
            },
        ],
        molecules: molecules.clone(),
        sites: vec![SiteSnapshot {
            name: "breast".to_owned(),
            min_um: Vec3::splat(-BLOCK_HALF_UM),
            max_um: Vec3::splat(BLOCK_HALF_UM),
            cells,
            fields: vec![FieldSnapshot {
                molecule: molecules.named("oxygen").expect("it is shipped").clone(),
                dims: UVec3::splat(voxels),
                origin_um: Vec3::splat(-BLOCK_HALF_UM),
                spacing_um: Vec3::splat(step),
                values,
            }],
            metrics: SiteMetrics {
                columns: vec![
                    ("tumour_radius_um".to_owned(), f64::from(radius)),
                    ("necrotic_radius_um".to_owned(), f64::from(radius * 0.4)),
                ],
            },
        }],
    })
}
