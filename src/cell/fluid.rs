//! The fluid between the cells, as a cell feels it.

use bevy::prelude::*;

use super::{Resident, Surroundings};
use crate::core::quantity::{NONE, Quantity, Reader, RegisterQuantities};
use crate::tissue::Sites;
use crate::tissue::interstitium::Interstitium;

/// Reads a number of the voxel in which each cell lies; [`NONE`] where there is no fluid.
fn at_cells<'w>(
    world: &'w World,
    of: impl Fn(&Interstitium, usize) -> f32 + Send + Sync + 'w,
) -> Reader<'w, f32> {
    let sites = world.get_resource::<Sites>();
    let fluids: Vec<Option<&Interstitium>> = sites
        .iter()
        .flat_map(|sites| &sites.list)
        .map(|site| {
            world
                .get::<Interstitium>(site.entity)
                .filter(|fluid| fluid.is_known())
        })
        .collect();
    Box::new(move |table, rows, values| {
        let (Some(residents), Some(around)) =
            (table.get::<Resident>(), table.get::<Surroundings>())
        else {
            values.fill(NONE);
            return;
        };
        for (value, row) in values.iter_mut().zip(rows) {
            let fluid = fluids.get(usize::from(residents[row].0.0));
            *value = match fluid {
                Some(Some(fluid)) => of(fluid, around[row].voxel as usize),
                _ => NONE,
            };
        }
    })
}

/// What cells feel of the fluid around them.
pub struct FluidPlugin;

impl Plugin for FluidPlugin {
    fn build(&self, app: &mut App) {
        app.register_cell_reader(
            Quantity::new(
                "interstitium.pressure",
                "mmHg",
                "Pressure of the fluid between the cells at the cell.",
            )
            .label("interstitial pressure")
            .no_column()
            .range(0.0, 12.0),
            |world| at_cells(world, |fluid, voxel| fluid.pressure_mmhg[voxel]),
        )
        .register_cell_reader(
            Quantity::new(
                "interstitium.speed",
                "um/s",
                "Speed at which the fluid between the cells seeps past the cell.",
            )
            .label("interstitial flow")
            .no_column()
            .range(0.0, 1.0),
            |world| at_cells(world, |fluid, voxel| fluid.speed_um_per_s[voxel]),
        );
    }
}
