//! How many tumour cells have come to vessels: those near a door in the wall of a vessel that is drawn and perfused.

use bevy::prelude::*;

use super::metrics::TumourTypes;
use crate::cell::doors::{SiteDoors, SiteWays};
use crate::cell::{CellType, Position, Resident, Vital};
use crate::core::clones::Clones;
use crate::core::columns::tables_with;
use crate::core::metric::{Metric, RegisterMetrics};
use crate::tissue::Sites;

/// How near the wall of a vessel counts, um, from the centre of a cell: three cell diameters.
const NEAR_UM: f32 = 50.0;

/// Living tumour cells and all other living cells of a site that are near a perfused vessel; both 0 where no vessels are drawn.
fn count(world: &World, site: usize) -> [u32; 2] {
    let mut counts = [0, 0];
    let (Some(sites), Some(tumour)) = (
        world.get_resource::<Sites>(),
        world.get_resource::<TumourTypes>(),
    ) else {
        return counts;
    };
    let Some(entry) = sites.list.get(site) else {
        return counts;
    };
    let ways = SiteWays::new(&entry.block, world.get::<SiteDoors>(entry.entity), None);
    if !ways.has_vessels() {
        return counts;
    }
    let clones = world.get_resource::<Clones>();
    for table in tables_with::<CellType>(world) {
        let (Some(types), Some(residents), Some(positions)) = (
            table.get::<CellType>(),
            table.get::<Resident>(),
            table.get::<Position>(),
        ) else {
            continue;
        };
        let vitals = table.get::<Vital>();
        for row in 0..table.len() {
            if usize::from(residents[row].0.0) != site
                || vitals.is_some_and(|vitals| !vitals[row].is_alive())
            {
                continue;
            }
            let cell_type = clones.map_or(types[row].0, |clones| clones.type_of(types[row].0));
            let of_tumour = tumour.0.get(usize::from(cell_type)).is_some_and(|of| *of);
            let is_near = ways.nearest(positions[row].0, NEAR_UM).is_some();
            counts[usize::from(!of_tumour)] += u32::from(is_near);
        }
    }
    counts
}

/// Registers what is measured.
pub(super) fn register(app: &mut App) {
    app.register_metrics(
        vec![
            Metric::new(
                "tumour_cells_at_vessels",
                "",
                "Living tumour cells within 50 um of the wall of a perfused vessel that is drawn.",
            )
            .label("tumour cells at vessels")
            .plot("Cells at vessels")
            .colour([0.86, 0.47, 0.55]),
            Metric::new(
                "other_cells_at_vessels",
                "",
                "Other living cells within 50 um of the wall of a perfused vessel that is drawn.",
            )
            .label("other cells at vessels")
            .plot("Cells at vessels")
            .colour([0.72, 0.24, 0.55]),
        ],
        |world, site| count(world, site).map(f64::from).to_vec(),
    );
}
