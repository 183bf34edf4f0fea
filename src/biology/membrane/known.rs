//! What can be known of membranes: at each cell, and of a site as a whole.

use bevy::prelude::*;

use super::sheet::Membranes;
use super::surface::Seen;
use super::{MembraneTally, MembranesParameters};
use crate::cell::barrier::SiteBarriers;
use crate::cell::{Body, Position, Resident};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::quantity::{NONE, Quantity, Reader, RegisterQuantities};
use crate::tissue::Sites;

/// Reads a number of how each cell stands to the membrane nearest to it among those within some distance of its surface, um, or
/// `otherwise` where there is none: of where it is seen from, and of the density of the element.
fn at_cells<'w>(
    world: &'w World,
    within_um: f32,
    otherwise: f32,
    of: impl Fn(&Seen, f32) -> f32 + Send + Sync + 'w,
) -> Reader<'w, f32> {
    let sites = world.get_resource::<Sites>();
    let places: Vec<Option<&Membranes>> = sites
        .iter()
        .flat_map(|sites| &sites.list)
        .map(|site| world.get::<SiteBarriers>(site.entity)?.get())
        .collect();
    if places.iter().all(Option::is_none) {
        return Box::new(move |_, _, values| values.fill(otherwise));
    }
    Box::new(move |table, rows, values| {
        let (Some(residents), Some(positions), Some(bodies)) = (
            table.get::<Resident>(),
            table.get::<Position>(),
            table.get::<Body>(),
        ) else {
            values.fill(otherwise);
            return;
        };
        for (value, row) in values.iter_mut().zip(rows) {
            let membranes = places.get(usize::from(residents[row].0.0));
            let (at, reach) = (positions[row].0, bodies[row].radius_um + within_um);
            let nearest = membranes.copied().flatten().and_then(|membranes| {
                // Most cells are far from any: of those no element is looked for.
                let sheets = membranes.sheets.iter();
                let found = sheets.filter_map(|sheet| sheet.touch(at, reach));
                found.min_by(|(a, ..), (b, ..)| a.distance_um.abs().total_cmp(&b.distance_um.abs()))
            });
            *value = nearest.map_or(otherwise, |(seen, _, density)| of(&seen, density));
        }
    })
}

/// The same of membranes that a cell touches.
fn at_touching<'w>(
    world: &'w World,
    otherwise: f32,
    of: impl Fn(&Seen, f32) -> f32 + Send + Sync + 'w,
) -> Reader<'w, f32> {
    let reach_um = world.resource::<MembranesParameters>().reach_um;
    at_cells(world, reach_um, otherwise, of)
}

/// Area of the elements whose density is one of these, um2, and of all; NaN where there is no membrane.
fn area(world: &World, site: Entity, counts: impl Fn(f32) -> f32) -> (f32, f32) {
    let membranes = world
        .get::<SiteBarriers>(site)
        .and_then(SiteBarriers::get::<Membranes>);
    let Some(membranes) = membranes else {
        return (NONE, NONE);
    };
    let (mut counted, mut all) = (0.0_f64, 0.0_f64);
    for sheet in &membranes.sheets {
        for (element, density) in sheet.tiling.elements.iter().zip(&sheet.density) {
            if !density.is_nan() {
                let area = f64::from(element.area_um2);
                counted += area * f64::from(counts(*density));
                all += area;
            }
        }
    }
    (counted as f32, all as f32)
}

/// Area that is open, um2, and that of all.
fn open_area(world: &World, site: Entity) -> (f32, f32) {
    let parameters = world.resource::<MembranesParameters>();
    area(world, site, |density| {
        f32::from(u8::from(
            parameters.pore_um2(density) >= parameters.open_pore_um2,
        ))
    })
}

/// A number of the tally of a site.
fn tallied(world: &World, site: Entity, of: impl Fn(&MembraneTally) -> Option<f64>) -> f32 {
    let tally = world.get::<MembraneTally>(site);
    tally.and_then(of).map_or(NONE, |number| number as f32)
}

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    register_of_cells(app);
    register_of_sites(app);
}

fn register_of_cells(app: &mut App) {
    app.register_cell_reader(
        Quantity::new(
            "membrane.contact",
            "",
            "How much is left of the basement membrane where the cell touches it; 0 for a cell that touches none.",
        )
        .label("contact with membrane")
        .column("membrane_contact")
        .range(0.0, 1.0)
        .featured(),
        |world| at_touching(world, 0.0, |_, density| density),
    )
    .register_cell_reader(
        Quantity::new(
            "membrane.distance",
            "um",
            "Distance of the cell from the nearest basement membrane; negative within it.",
        )
        .label("distance from membrane")
        .column("membrane_distance_um")
        .range(-100.0, 100.0),
        |world| at_cells(world, f32::INFINITY, NONE, |seen, _| seen.distance_um),
    )
    .register_cell_reader(
        Quantity::new(
            "membrane.pore_area",
            "um2",
            "Cross-section of the pores of the basement membrane where the cell touches it.",
        )
        .label("pores of the membrane")
        .no_column()
        .range(0.0, 100.0)
        .source("100 (1 - rho)^2, calibrated to Wolf et al. 2013, doi:10.1083/jcb.201210152"),
        |world| {
            let parameters = world.resource::<MembranesParameters>().clone();
            at_touching(world, NONE, move |_, density| parameters.pore_um2(density))
        },
    );
    for (axis, name) in ["x", "y", "z"].into_iter().enumerate() {
        app.register_cell_reader(
            Quantity::new(
                format!("membrane.outwards_{name}"),
                "",
                format!(
                    "Part along {name} of the direction out through the basement membrane that the cell touches: from apical to basal."
                ),
            )
            .no_column()
            .range(-1.0, 1.0),
            move |world| {
                at_touching(world, NONE, move |seen, _| seen.outwards[axis])
            },
        );
    }
}

fn register_of_sites(app: &mut App) {
    let quantities: [(Quantity, fn(&World, Entity) -> f32); 6] = [
        (
            Quantity::new(
                "membrane.open_area",
                "um2",
                "Area of basement membrane whose pores let tumour cells pass.",
            ),
            |world, site| open_area(world, site).0,
        ),
        (
            Quantity::new(
                "membrane.open_share",
                "",
                "Share of the basement membrane whose pores let tumour cells pass.",
            ),
            |world, site| {
                let (open, all) = open_area(world, site);
                open / all
            },
        ),
        (
            Quantity::new(
                "membrane.mean_density",
                "",
                "Mean density of the basement membrane.",
            ),
            |world, site| {
                let (left, all) = area(world, site, |density| density);
                left / all
            },
        ),
        (
            Quantity::new(
                "membrane.crossings",
                "",
                "Times that a cell has gone out through a basement membrane.",
            )
            .range(0.0, 100.0),
            |world, site| tallied(world, site, |tally| Some(tally.outward as f64)),
        ),
        (
            Quantity::new(
                "membrane.first_crossing",
                "h",
                "When the first cell went out through a basement membrane.",
            ),
            |world, site| tallied(world, site, |tally| tally.first_crossing_h),
        ),
        (
            Quantity::new(
                "membrane.first_opening",
                "h",
                "When the pores of the first element of a basement membrane let tumour cells pass.",
            ),
            |world, site| tallied(world, site, |tally| tally.first_opening_h),
        ),
    ];
    for (quantity, of) in quantities {
        app.register_site_quantity(quantity, of);
    }
    for (name, unit, of, about) in [
        (
            "membrane_open_um2",
            "um2",
            "membrane.open_area",
            "Area of basement membrane whose pores let tumour cells pass.",
        ),
        (
            "membrane_open_share",
            "",
            "membrane.open_share",
            "Share of the basement membrane whose pores let tumour cells pass.",
        ),
        (
            "membrane_density",
            "",
            "membrane.mean_density",
            "Mean density of the basement membrane.",
        ),
        (
            "membrane_crossings",
            "",
            "membrane.crossings",
            "Times that a cell has gone out through a basement membrane.",
        ),
        (
            "membrane_first_crossing_h",
            "h",
            "membrane.first_crossing",
            "When the first cell went out through a basement membrane.",
        ),
        (
            "membrane_first_opening_h",
            "h",
            "membrane.first_opening",
            "When the pores of the first element of a basement membrane let tumour cells pass.",
        ),
    ] {
        let metric = Metric::new(name, unit, about);
        let metric = match name {
            "membrane_crossings" => metric.label("crossings").plot("Basement membrane"),
            "membrane_open_share" => metric.label("open share").plot("Basement membrane, open"),
            _ => metric,
        };
        app.register_metric(metric, Measure::OfSite(of.into()));
    }
}
