//! A made-up tumour to draw: cells packed in a ball, starved in the middle, with a catalogue of what can be known of them.

use std::sync::Arc;

use bevy::math::{UVec3, Vec3, ops};
use tumorscape::core::ColourMap;
use tumorscape::core::metric::Metric;
use tumorscape::core::quantity::{Build, Category, CategoryValue, NO_VALUE, NONE, Quantity};
use tumorscape::scene::molecules::shipped_molecules;
use tumorscape::simulation::snapshot::NUCLEUS;
use tumorscape::simulation::{
    Catalogue, CellGlyphs, CellTypeStyle, FieldSnapshot, SiteMetrics, SiteSnapshot, Snapshot,
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

/// Colour of cells that die of hunger, sRGB.
pub const STARVING: [f32; 3] = [0.72, 0.60, 0.44];

/// What can be known of the cells of a [`tumour`]: some of it the names of the program, some of it names that it does
/// not know.
pub fn catalogue() -> Catalogue {
    let value = |key: &str| CategoryValue::new(key, key);
    let fate = Category {
        name: "fate".into(),
        label: "Fate".into(),
        about: "Whether the cell lives.".into(),
        values: vec![
            value("well"),
            value("shrinking")
                .colour([0.50, 0.20, 0.14])
                .build(Build::Shrunken),
            value("starving").colour(STARVING).build(Build::Swollen),
            value("gone")
                .colour([0.37, 0.33, 0.31])
                .build(Build::Remains),
        ],
        prevails: true,
        of_the_living: false,
    };
    let stage = Category {
        name: "stage".into(),
        label: "Stage".into(),
        about: "How far a cancer cell is on its way to division.".into(),
        values: vec![
            value("resting").colour([0.34, 0.71, 0.91]),
            value("copying").colour([0.94, 0.89, 0.26]),
            value("growing").colour([0.90, 0.62, 0.10]),
            value("parting")
                .colour([0.84, 0.32, 0.08])
                .build(Build::Dividing),
        ],
        prevails: false,
        of_the_living: true,
    };
    let hunger = Quantity::new("hunger", "", "How much a cancer cell lacks oxygen.");
    Catalogue {
        quantities: vec![
            Quantity::new("oxygen", "mmHg", "Oxygen at the cell.")
                .range(0.0, 38.0)
                .colours(ColourMap::Ember)
                .contours(&[5.0, 13.0]),
            hunger.of_the_living(),
        ],
        categories: vec![fate, stage],
        metrics: vec![
            Metric::new("cells", "", "Cells.").figure(0),
            Metric::new("tumour_radius_um", "um", "Radius of the tumour.")
                .label("tumour radius")
                .figure(0),
            Metric::new("speed", "um/min", "Not written over pictures."),
        ],
        ..Catalogue::default()
    }
}

/// A ball of about `count` cells with a dead core of 40 % of its radius.
pub fn tumour(count: usize) -> Arc<Snapshot> {
    let cell_radius = 8.4_f32;
    let spacing = 1.72 * cell_radius;
    // Face-centred cubic packing: one cell in spacing^3 / sqrt(2).
    let volume = count as f32 * spacing * spacing * spacing / 2.0_f32.sqrt();
    let radius = ops::cbrt(volume * 3.0 / (4.0 * std::f32::consts::PI));
    let lattice = spacing * 2.0_f32.sqrt();
    let n = (radius / lattice) as i32 + 2;
    let mut cells = CellGlyphs::default();
    let (mut fates, mut stages) = (Vec::new(), Vec::new());
    let (mut oxygens, mut hungers, mut nuclei) = (Vec::new(), Vec::new(), Vec::new());
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
                    let (fate, swell) = if s < 0.30 {
                        (3, 0.72)
                    } else if s < 0.40 + 0.05 * (dice - 0.5) {
                        if dice < 0.5 { (2, 1.16) } else { (3, 0.78) }
                    } else if dice < 0.012 {
                        (1, 0.66)
                    } else {
                        (0, 1.0)
                    };
                    let cycling = noise(id * 17) < ((o2 - 6.0) / 20.0).clamp(0.0, 0.7);
                    let stage = match (cycling, (noise(id * 19) * 10.0) as u32) {
                        (true, 0..=5) => 1,
                        (true, 6..=8) => 2,
                        (true, _) => 3,
                        _ => 0,
                    };
                    let r = cell_radius * swell * (0.93 + 0.14 * noise(id * 23));
                    cells.sphere_um.push([centre.x, centre.y, centre.z, r]);
                    cells.id.push(id);
                    // Fibroblasts neither divide nor hunger.
                    let fibroblast = noise(id * 29) < 0.06 && s > 0.55;
                    cells.cell_type.push(u16::from(fibroblast));
                    fates.push(fate);
                    stages.push(if fibroblast { NO_VALUE } else { stage });
                    oxygens.push(o2);
                    let relative = o2 / 5.0;
                    let hunger = 1.0 / (1.0 + relative * relative * relative);
                    hungers.push(if fibroblast { NONE } else { hunger });
                    nuclei.push(cell_radius * 0.6);
                }
            }
        }
    }
    let count = cells.len() as f64;
    cells.categories = vec![("fate".into(), fates), ("stage".into(), stages)];
    cells.quantities = vec![
        ("oxygen".into(), oxygens),
        ("hunger".into(), hungers),
        (NUCLEUS.into(), nuclei),
    ];
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
                    ("cells".to_owned(), count),
                    ("tumour_radius_um".to_owned(), f64::from(radius)),
                    ("speed".to_owned(), 3.0),
                ],
            },
            ..SiteSnapshot::default()
        }],
        catalogue: Arc::new(catalogue()),
        ..Snapshot::default()
    })
}
