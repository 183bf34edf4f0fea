//! What can be known of the matrix: at each cell, and of a site as a whole.

use bevy::prelude::*;

use super::{Matrix, MatrixParameters, RemodellingParameters};
use crate::cell::{CellType, Position, Resident};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parameters::PerType;
use crate::core::quantity::{NONE, Quantity, Reader, RegisterQuantities};
use crate::tissue::Sites;

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

/// Registers all of it.
pub(super) fn register(app: &mut App) {
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
                remodelling.map_or(NONE, |remodelling| {
                    parameters.passage(matrix.density[voxel], remodelling.arrest_pore_um2)
                })
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
    .register_site_quantity(
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
    .register_metric(
        Metric::new(
            "matrix_density",
            "",
            "Mean density of the matrix of the site.",
        ),
        Measure::OfSite("matrix.mean_density".into()),
    )
    .register_metric(
        Metric::new(
            "bound_tgf_beta_nm",
            "nM",
            "Mean store of latent TGF-beta in the matrix of the site.",
        ),
        Measure::OfSite("matrix.bound_tgf_beta".into()),
    );
}
