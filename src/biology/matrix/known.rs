//! What can be known of the matrix: at each cell, and of a site as a whole.

use bevy::prelude::*;

use super::{Matrix, MatrixParameters, RemodellingParameters};
use crate::cell::motility::LEADING_EDGE_UM;
use crate::cell::{Body, CellType, Position, Resident};
use crate::core::ColourMap;
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parameters::PerType;
use crate::core::quantity::{NONE, Quantity, Reader, RegisterQuantities};
use crate::core::voxels::RegisterVoxels;
use crate::tissue::{Sites, TissueBlock};

/// Reads a number of the voxel in which each cell lies; [`NONE`] where its site has no matrix.
fn at_cells<'w>(
    world: &'w World,
    of: impl Fn(&Matrix, usize, Option<u16>) -> f32 + Send + Sync + 'w,
) -> Reader<'w, f32> {
    let sites = world.get_resource::<Sites>();
    let places: Vec<_> = sites
        .iter()
        .flat_map(|sites| &sites.list)
        .map(|site| Some((world.get::<Matrix>(site.entity)?, &site.block)))
        .collect();
    Box::new(move |table, rows, values| {
        let (Some(residents), Some(positions)) = (table.get::<Resident>(), table.get::<Position>())
        else {
            values.fill(NONE);
            return;
        };
        let types = table.get::<CellType>();
        for (value, row) in values.iter_mut().zip(rows) {
            let place = places.get(usize::from(residents[row].0.0));
            *value = match place {
                Some(Some((matrix, block))) => {
                    let voxel = block.voxel_at(positions[row].0) as usize;
                    of(matrix, voxel, types.map(|types| types[row].0))
                }
                _ => NONE,
            };
        }
    })
}

/// Reads how far each cell touches matrix: the most there is in its voxel and before its surface in the six directions of the axes, over what
/// it takes to touch some everywhere.
fn contact(world: &World) -> Reader<'_, f32> {
    let full = world.resource::<MatrixParameters>().contact_density;
    let places: Vec<Option<(&Matrix, &TissueBlock)>> = world
        .get_resource::<Sites>()
        .iter()
        .flat_map(|sites| &sites.list)
        .map(|site| Some((world.get::<Matrix>(site.entity)?, &site.block)))
        .collect();
    Box::new(move |table, rows, values| {
        let (Some(residents), Some(positions), Some(bodies)) = (
            table.get::<Resident>(),
            table.get::<Position>(),
            table.get::<Body>(),
        ) else {
            values.fill(NONE);
            return;
        };
        for (value, row) in values.iter_mut().zip(rows) {
            *value = match places.get(usize::from(residents[row].0.0)) {
                Some(Some((matrix, block))) => {
                    let (at, reach) = (positions[row].0, bodies[row].radius_um + LEADING_EDGE_UM);
                    let around = [Vec3::X, Vec3::Y, Vec3::Z];
                    let around = around.into_iter().flat_map(|axis| [axis, -axis]);
                    let most = around
                        .map(|axis| at + reach * axis)
                        .chain([at])
                        .map(|point| matrix.density[block.voxel_at(point) as usize])
                        .fold(0.0_f32, f32::max);
                    (most / full).min(1.0)
                }
                _ => NONE,
            };
        }
    })
}

/// The mean of a number over the voxels that hold matrix.
fn mean(world: &World, site: Entity, of: impl Fn(&Matrix, usize) -> f32) -> f32 {
    let Some(matrix) = world.get::<Matrix>(site) else {
        return f32::NAN;
    };
    let voxels = (0..matrix.density.len()).filter(|voxel| matrix.native[*voxel] > 0.0);
    let (mut sum, mut count) = (0.0_f64, 0_u32);
    for voxel in voxels {
        sum += f64::from(of(matrix, voxel));
        count += 1;
    }
    if count == 0 {
        f32::NAN
    } else {
        (sum / f64::from(count)) as f32
    }
}

/// The stores of [`FACTORS`](super::FACTORS), and what they are called in a picture.
const STORES: [(&str, &str); 3] = [
    ("matrix.bound_latent_tgf_beta", "bound latent TGF-β"),
    ("matrix.bound_vegf_a", "bound VEGF-A"),
    ("matrix.bound_fgf_2", "bound FGF-2"),
];

/// Registers what can be shown of voxels on a plane.
fn register_voxels(app: &mut App) {
    let of = |name: &str, unit: &str, about: &str, label: &str| {
        let quantity = Quantity::new(name, unit, about).label(label);
        quantity.colours(ColourMap::Cividis)
    };
    /// What a number of a voxel is worked out from: parameters, density, crosslinking.
    type OfVoxel = fn(&MatrixParameters, f32, f32) -> f32;
    let numbers: [(Quantity, OfVoxel); 4] = [
        (
            of(
                "matrix.density",
                "",
                "Density of the matrix.",
                "matrix density",
            ),
            |_, density, _| density,
        ),
        (
            of(
                "matrix.crosslinking",
                "",
                "Share of the bonds between fibres that are crosslinked.",
                "crosslinking",
            ),
            |_, _, crosslinking| crosslinking,
        ),
        (
            of(
                "matrix.stiffness",
                "kPa",
                "Stiffness of the matrix.",
                "stiffness",
            )
            .range(0.0, 8.0),
            MatrixParameters::stiffness_kpa,
        ),
        (
            of(
                "matrix.pore_area",
                "um2",
                "Cross-section of the pores.",
                "pore area",
            )
            .range(0.0, 100.0)
            .contours(&[7.0, 30.0]),
            |parameters, density, _| parameters.pore_um2(density),
        ),
    ];
    for (info, number) in numbers {
        app.register_voxels::<Matrix>(info, move |world, matrix| {
            let parameters = world.resource::<MatrixParameters>();
            let voxels = matrix.density.iter().zip(&matrix.crosslinking);
            voxels
                .map(|(density, crosslinking)| number(parameters, *density, *crosslinking))
                .collect()
        });
    }
    app.register_voxels::<Matrix>(
        of(
            "matrix.alignment",
            "",
            "How far fibres keep to one direction.",
            "fibre alignment",
        ),
        |_, matrix| {
            let fibres = matrix.fibres.iter();
            fibres.map(|fibres| fibres.main_direction().1).collect()
        },
    );
    for (place, (name, label)) in STORES.into_iter().enumerate() {
        let info = of(name, "nM", "Store of this factor in the matrix.", label).range(0.0, 5.0);
        app.register_voxels::<Matrix>(info, move |_, matrix| matrix.bound[place].clone());
    }
}

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    register_voxels(app);
    app.register_cell_reader(
        Quantity::new(
            "matrix.density",
            "",
            "Density of the matrix at the cell; 1 is 5 mg of collagen per mL.",
        )
        .label("matrix density")
        .column("matrix_density")
        .range(0.0, 1.0)
        .featured(),
        |world| at_cells(world, |matrix, voxel, _| matrix.density[voxel]),
    )
    .register_cell_reader(
        Quantity::new(
            "matrix.crosslinking",
            "",
            "Share of the bonds between fibres at the cell that are crosslinked.",
        )
        .label("crosslinking")
        .range(0.0, 1.0),
        |world| at_cells(world, |matrix, voxel, _| matrix.crosslinking[voxel]),
    )
    .register_cell_reader(
        Quantity::new(
            "matrix.stiffness",
            "kPa",
            "Stiffness of the matrix at the cell.",
        )
        .label("stiffness")
        .column("stiffness_kpa")
        .range(0.0, 8.0)
        .source(
            "0.2 + 4 rho (1 + x): normal mammary gland 0.17, tumours 4 kPa, Levental et al. 2009",
        )
        .featured(),
        |world| {
            let parameters = world.resource::<MatrixParameters>().clone();
            at_cells(world, move |matrix, voxel, _| {
                parameters.stiffness_kpa(matrix.density[voxel], matrix.crosslinking[voxel])
            })
        },
    )
    .register_cell_reader(
        Quantity::new(
            "matrix.pore_area",
            "um2",
            "Cross-section of the pores of the matrix at the cell.",
        )
        .label("pore area")
        .range(0.0, 100.0)
        .source("100 (1 - rho)^2, calibrated to Wolf et al. 2013, doi:10.1083/jcb.201210152"),
        |world| {
            let parameters = world.resource::<MatrixParameters>().clone();
            at_cells(world, move |matrix, voxel, _| {
                parameters.pore_um2(matrix.density[voxel])
            })
        },
    )
    .register_cell_reader(
        Quantity::new(
            "matrix.passage",
            "",
            "Share of its speed with which the cell passes the pores of the matrix around it.",
        )
        .label("passage")
        .range(0.0, 1.0)
        .source("Wolf et al. 2013, doi:10.1083/jcb.201210152"),
        |world| {
            let parameters = world.resource::<MatrixParameters>().clone();
            let types = world.get_resource::<PerType<RemodellingParameters>>();
            at_cells(world, move |matrix, voxel, cell_type| {
                let remodelling = cell_type.and_then(|known| types?.get(known));
                let arrest_um2 = remodelling
                    .map_or(RemodellingParameters::TUMOUR_ARREST_UM2, |of| {
                        of.arrest_pore_um2
                    });
                parameters.passage(matrix.density[voxel], arrest_um2)
            })
        },
    )
    .register_cell_reader(
        Quantity::new(
            "matrix.alignment",
            "",
            "How far the fibres at the cell keep to one direction, 0-1.",
        )
        .label("fibre alignment")
        .range(0.0, 1.0),
        |world| {
            at_cells(world, |matrix, voxel, _| {
                matrix.fibres[voxel].main_direction().1
            })
        },
    )
    .register_cell_reader(
        Quantity::new(
            "matrix.contact",
            "",
            "How far the cell touches matrix: 1 where it finds fibres wherever it touches.",
        )
        .label("contact with matrix")
        .source(
            "the densest of its voxel and those before its surface, over `matrix.contact_density`",
        ),
        contact,
    );
    for (place, (name, label)) in STORES.into_iter().enumerate() {
        app.register_cell_reader(
            Quantity::new(
                name,
                "nM",
                "Store of this factor in the matrix at the cell.",
            )
            .label(label)
            .range(0.0, 5.0)
            .no_column(),
            move |world| at_cells(world, move |matrix, voxel, _| matrix.bound[place][voxel]),
        );
    }
    app.register_site_quantity(
        Quantity::new(
            "matrix.mean_density",
            "",
            "Mean density where the tissue has matrix of its own.",
        ),
        |world, site| mean(world, site, |matrix, voxel| matrix.density[voxel]),
    )
    .register_site_quantity(
        Quantity::new(
            "matrix.bound_tgf_beta",
            "nM",
            "Mean store of latent TGF-beta where the tissue has matrix of its own.",
        ),
        |world, site| mean(world, site, |matrix, voxel| matrix.bound[0][voxel]),
    )
    .register_site_quantity(
        Quantity::new(
            "matrix.mean_alignment",
            "",
            "Mean of how far fibres keep to one direction, where the tissue has matrix of its own.",
        ),
        |world, site| {
            mean(world, site, |matrix, voxel| {
                matrix.fibres[voxel].main_direction().1
            })
        },
    )
    .register_site_quantity(
        Quantity::new(
            "matrix.mean_stiffness",
            "kPa",
            "Mean stiffness where the tissue has matrix of its own.",
        ),
        |world, site| {
            let parameters = world.resource::<MatrixParameters>();
            mean(world, site, |matrix, voxel| {
                parameters.stiffness_kpa(matrix.density[voxel], matrix.crosslinking[voxel])
            })
        },
    );
    for (name, about, of) in [
        (
            "matrix.laid",
            "Collagen that cells have laid down in the site.",
            (|matrix| matrix.turnover.laid_pg) as fn(&Matrix) -> f64,
        ),
        (
            "matrix.regrown",
            "Collagen that the tissue of the site has brought back.",
            |matrix| matrix.turnover.regrown_pg,
        ),
        (
            "matrix.digested",
            "Collagen of the site that was digested.",
            |matrix| matrix.turnover.digested_pg,
        ),
    ] {
        app.register_site_quantity(Quantity::new(name, "pg", about), move |world, site| {
            let matrix = world.get::<Matrix>(site);
            matrix.map_or(f32::NAN, |matrix| of(matrix) as f32)
        });
    }
    app.register_metric(
        Metric::new(
            "matrix_density",
            "",
            "Mean density of the matrix of the site.",
        )
        .label("density")
        .plot("matrix"),
        Measure::OfSite("matrix.mean_density".into()),
    )
    .register_metric(
        Metric::new(
            "bound_tgf_beta_nm",
            "nM",
            "Mean store of latent TGF-beta in the matrix of the site.",
        ),
        Measure::OfSite("matrix.bound_tgf_beta".into()),
    )
    .register_metric(
        Metric::new(
            "matrix_alignment",
            "",
            "Mean of how far fibres of the site keep to one direction, 0-1.",
        )
        .label("alignment")
        .plot("matrix"),
        Measure::OfSite("matrix.mean_alignment".into()),
    )
    .register_metric(
        Metric::new(
            "matrix_stiffness_kpa",
            "kPa",
            "Mean stiffness of the matrix of the site.",
        ),
        Measure::OfSite("matrix.mean_stiffness".into()),
    )
    .register_metric(
        Metric::new(
            "matrix_digested_pg",
            "pg",
            "Collagen of the site digested so far.",
        ),
        Measure::OfSite("matrix.digested".into()),
    )
    .register_metric(
        Metric::new(
            "matrix_laid_pg",
            "pg",
            "Collagen laid down in the site so far.",
        ),
        Measure::OfSite("matrix.laid".into()),
    )
    .register_metric(
        Metric::new(
            "matrix_regrown_pg",
            "pg",
            "Collagen that the tissue of the site has brought back so far, whatever cells lay down.",
        ),
        Measure::OfSite("matrix.regrown".into()),
    );
}
