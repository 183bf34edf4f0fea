//! What can be known of the fluid: in voxels, and of a site as a whole.

use bevy::prelude::*;

use super::Interstitium;
use crate::core::ColourMap;
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::quantity::{NONE, Quantity, RegisterQuantities};
use crate::core::voxels::RegisterVoxels;
use crate::tissue::TissueBlock;
use crate::tissue::interstitium::FluidFaces;

/// Water that comes in through walls, is drained and leaves through the faces of a site, um3/min.
pub(super) fn balance(block: &TissueBlock, fluid: &Interstitium) -> [f64; 3] {
    if !fluid.is_known() {
        return [f64::NAN; 3];
    }
    let volume = f64::from(block.voxel_volume_um3());
    let (mut filtered, mut drained) = (0.0, 0.0);
    for voxel in 0..block.voxels() {
        filtered += f64::from(fluid.filtered_per_min(voxel) + fluid.drawn_per_min(voxel));
        drained += f64::from(fluid.drained_per_min(voxel));
    }
    [
        filtered * volume,
        drained * volume,
        out_of_faces(block, fluid),
    ]
}

/// Water that leaves through the faces of the block, um3/min.
fn out_of_faces(block: &TissueBlock, fluid: &Interstitium) -> f64 {
    let FluidFaces::Held(mmhg) = fluid.faces else {
        return 0.0;
    };
    let [nx, ny, nz] = block.dims.to_array().map(|n| n as usize);
    let dims = [nx, ny, nz];
    let mut out = 0.0;
    for voxel in 0..block.voxels() {
        let at = [voxel % nx, voxel / nx % ny, voxel / (nx * ny)];
        for axis in 0..3 {
            let h = block.voxel_um[axis];
            let area = block.voxel_volume_um3() / h;
            let faces = u8::from(at[axis] == 0) + u8::from(at[axis] + 1 == dims[axis]);
            if faces > 0 {
                let above = fluid.pressure_mmhg[voxel] - mmhg;
                let through = 2.0 * fluid.terms.conductivity[voxel] * above / h * area;
                out += f64::from(faces) * f64::from(through);
            }
        }
    }
    out
}

fn fluid_of(world: &World, site: Entity) -> Option<(&TissueBlock, &Interstitium)> {
    let fluid = world.get::<Interstitium>(site)?;
    Some((world.get::<TissueBlock>(site)?, fluid)).filter(|(_, fluid)| fluid.is_known())
}

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    app.register_voxels::<Interstitium>(
        Quantity::new(
            "interstitium.pressure",
            "mmHg",
            "Pressure of the fluid between the cells.",
        )
        .label("interstitial pressure")
        .range(0.0, 12.0)
        .colours(ColourMap::Viridis),
        |_, fluid| fluid.pressure_mmhg.clone(),
    )
    .register_voxels::<Interstitium>(
        Quantity::new(
            "interstitium.speed",
            "um/s",
            "Speed at which the fluid between the cells seeps through the tissue.",
        )
        .label("interstitial flow")
        .range(0.0, 1.0)
        .colours(ColourMap::Cividis),
        |_, fluid| fluid.speed_um_per_s.clone(),
    );
    for (name, unit, about, number) in [
        (
            "interstitium.mean_pressure",
            "mmHg",
            "Mean pressure of the fluid between the cells.",
            (|_, fluid| {
                let sum: f64 = fluid.pressure_mmhg.iter().map(|p| f64::from(*p)).sum();
                sum / fluid.pressure_mmhg.len() as f64
            }) as fn(&TissueBlock, &Interstitium) -> f64,
        ),
        (
            "interstitium.most_pressure",
            "mmHg",
            "Highest pressure of the fluid between the cells.",
            |_, fluid| {
                let all = fluid.pressure_mmhg.iter();
                f64::from(all.fold(f32::NEG_INFINITY, |most, p| most.max(*p)))
            },
        ),
        (
            "interstitium.most_speed",
            "um/s",
            "Highest speed at which the fluid between the cells seeps.",
            |_, fluid| f64::from(fluid.speed_um_per_s.iter().copied().fold(0.0_f32, f32::max)),
        ),
        (
            "interstitium.filtered",
            "um3/min",
            "Water that walls of vessels let into the tissue, less what they take up.",
            |block, fluid| balance(block, fluid)[0],
        ),
        (
            "interstitium.drained",
            "um3/min",
            "Water that lymphatics take out of the tissue.",
            |block, fluid| balance(block, fluid)[1],
        ),
        (
            "interstitium.left",
            "um3/min",
            "Water that leaves through the faces of the site.",
            |block, fluid| balance(block, fluid)[2],
        ),
    ] {
        app.register_site_quantity(Quantity::new(name, unit, about), move |world, site| {
            fluid_of(world, site).map_or(NONE, |(block, fluid)| number(block, fluid) as f32)
        });
    }
    for (name, unit, about, of) in [
        (
            "interstitial_pressure_mean_mmhg",
            "mmHg",
            "Mean pressure of the fluid between the cells.",
            "interstitium.mean_pressure",
        ),
        (
            "interstitial_pressure_max_mmhg",
            "mmHg",
            "Highest pressure of the fluid between the cells.",
            "interstitium.most_pressure",
        ),
        (
            "interstitial_flow_max_um_per_s",
            "um/s",
            "Highest speed of the fluid between the cells.",
            "interstitium.most_speed",
        ),
        (
            "water_filtered_um3_per_min",
            "um3/min",
            "Water that walls of vessels let into the tissue.",
            "interstitium.filtered",
        ),
        (
            "water_drained_um3_per_min",
            "um3/min",
            "Water that lymphatics take out of the tissue.",
            "interstitium.drained",
        ),
        (
            "water_left_um3_per_min",
            "um3/min",
            "Water that leaves through the faces of the site.",
            "interstitium.left",
        ),
    ] {
        let metric = Metric::new(name, unit, about);
        let metric = match of {
            "interstitium.mean_pressure" => metric.label("mean").plot(PRESSURE_PLOT),
            "interstitium.most_pressure" => metric.label("highest").plot(PRESSURE_PLOT),
            _ => metric,
        };
        app.register_metric(metric, Measure::OfSite(of.into()));
    }
}

/// The plot of what presses in the fluid between cells.
const PRESSURE_PLOT: &str = "Interstitial pressure, mmHg";
