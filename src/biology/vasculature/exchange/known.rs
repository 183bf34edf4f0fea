//! What can be known of what blood carries: in segments, and of a site as a whole.

use bevy::prelude::*;

use super::super::SEGMENT;
use super::super::network::Network;
use super::carriage::BloodExchange;
use super::haemoglobin::hill;
use super::{OXYGEN, VesselExchangeParameters};
use crate::core::input::RegisterInputs;
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::quantity::{NONE, Quantity, RegisterQuantities};
use crate::tissue::{FieldValues, Molecules, SiteEntry, Sites};

/// The exchange of oxygen in a site, with the molecule's solubility and the site.
fn oxygen(world: &World, site: Entity) -> Option<(&Network, &BloodExchange, f32, &SiteEntry)> {
    let network = world.get::<Network>(site)?;
    let molecules = world.get_resource::<Molecules>()?;
    let id = molecules.id(OXYGEN)?;
    let sites = &world.get_resource::<Sites>()?.list;
    let entry = sites.iter().find(|entry| entry.entity == site)?;
    let exchange = world.get::<BloodExchange>(entry.field(id)?.entity)?;
    let pieces = network.crossings().all().len();
    (exchange.level.len() == pieces).then_some((
        network,
        exchange,
        molecules.get(id).nm_per_unit,
        entry,
    ))
}

/// Mean level of oxygen along each segment, mmHg; none in one that is not perfused.
pub fn segment_oxygen(world: &World, site: Entity) -> Vec<f32> {
    let Some((network, exchange, ..)) = oxygen(world, site) else {
        return Vec::new();
    };
    let segments = network.segments().iter().enumerate();
    segments
        .map(|(at, segment)| {
            if !segment.perfused {
                return NONE;
            }
            let (mut sum, mut length) = (0.0, 0.0);
            for place in network.crossings().places_of_segment(at) {
                let piece = &network.crossings().all()[place];
                sum += exchange.level[place] * piece.length_um;
                length += piece.length_um;
            }
            if length > 0.0 { sum / length } else { NONE }
        })
        .collect()
}

/// Saturation of the haemoglobin in each segment; none in one that is not perfused.
pub fn segment_saturation(world: &World, site: Entity) -> Vec<f32> {
    let parameters = world.resource::<VesselExchangeParameters>();
    let levels = segment_oxygen(world, site).into_iter();
    levels
        .map(|level| {
            if level.is_nan() {
                NONE
            } else {
                hill(
                    level / parameters.half_saturation_mmhg,
                    parameters.hill_exponent,
                )
                .0
            }
        })
        .collect()
}

/// Oxygen that blood gives and that tissue takes of it, fmol/min.
fn books(world: &World, site: Entity) -> Option<[f64; 2]> {
    let (_, exchange, nm_per_unit, entry) = oxygen(world, site)?;
    let id = world.resource::<Molecules>().id(OXYGEN)?;
    let field = entry.field(id)?;
    let values = &world.get::<FieldValues>(field.entity)?.0;
    let value = |voxel: usize| values[field.grid.voxel(voxel as u32) as usize];
    let taken = exchange.taken(entry.block.voxel_volume_um3(), value);
    // A nM um3 is 1e-24 mol, 1e-9 fmol.
    let fmol = f64::from(nm_per_unit) * 1e-9;
    Some([exchange.given * fmol, taken * fmol])
}

/// The mean over the length of perfused segments of a number of each.
fn mean(world: &World, site: Entity, of: &[f32]) -> f32 {
    let Some(network) = world.get::<Network>(site) else {
        return NONE;
    };
    let (mut sum, mut length) = (0.0_f64, 0.0_f64);
    for (segment, value) in network.segments().iter().zip(of) {
        if !value.is_nan() {
            sum += f64::from(segment.length_um * value);
            length += f64::from(segment.length_um);
        }
    }
    (sum / length) as f32
}

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    app.register_element_quantity(
        SEGMENT,
        Quantity::new(
            "vessel.oxygen",
            "mmHg",
            "Oxygen in its blood; none where it is not perfused.",
        )
        .range(0.0, 100.0),
        |world, site, to| to.extend(segment_oxygen(world, site)),
    )
    .register_element_quantity(
        SEGMENT,
        Quantity::new(
            "vessel.saturation",
            "",
            "Saturation of its haemoglobin with oxygen; none where it is not perfused.",
        ),
        |world, site, to| to.extend(segment_saturation(world, site)),
    );
    let of_sites: [(&str, &str, &str, &str, fn(&World, Entity) -> f32); 4] = [
        (
            "vessel.mean_oxygen",
            "vessel_oxygen_mmhg",
            "mmHg",
            "Mean oxygen in the blood of perfused vessels, by length.",
            |world, site| mean(world, site, &segment_oxygen(world, site)),
        ),
        (
            "vessel.mean_saturation",
            "vessel_saturation",
            "",
            "Mean saturation of haemoglobin in perfused vessels, by length.",
            |world, site| mean(world, site, &segment_saturation(world, site)),
        ),
        (
            "vessel.oxygen_given",
            "vessel_oxygen_given_fmol_per_min",
            "fmol/min",
            "Oxygen that blood has given on its way through the site.",
            |world, site| books(world, site).map_or(NONE, |books| books[0] as f32),
        ),
        (
            "vessel.oxygen_taken",
            "vessel_oxygen_taken_fmol_per_min",
            "fmol/min",
            "Oxygen that the tissue of the site takes from blood.",
            |world, site| books(world, site).map_or(NONE, |books| books[1] as f32),
        ),
    ];
    for (name, column, unit, about, of) in of_sites {
        app.register_site_quantity(Quantity::new(name, unit, about), move |world, site| {
            of(world, site)
        })
        .register_metric(
            Metric::new(column, unit, about),
            Measure::OfSite(name.into()),
        );
    }
}
