//! What rules can change of sprouting vessels, and what can be known of sprouts.

use bevy::prelude::*;

use super::TIP_SELECTION;
use crate::core::input::{InputInfo, RegisterInputs};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parameters::Limits;
use crate::core::quantity::{NONE, Quantity, RegisterQuantities};
use crate::tissue::network::{BLOOD_SEGMENT, Network, Segment, Sprouts};

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    app.register_element_input(
        BLOOD_SEGMENT,
        InputInfo::new(
            TIP_SELECTION,
            "1/h",
            "How often a tip cell begins in 10 um of a vessel, where no other holds it back.",
        )
        .limits(Limits {
            min: 0.0,
            max: 100.0,
        }),
        |world, site, to| {
            if let Some(network) = world.get::<Network>(site) {
                to.resize(to.len() + network.segments().len(), 0.0);
            }
        },
    )
    .register_element_quantity(
        BLOOD_SEGMENT,
        Quantity::new(
            "vessel.lumen",
            "",
            "How far its lumen has opened: 0 for the cord of a sprout, 1 for a vessel.",
        ),
        |world, site, to| {
            if let Some(network) = world.get::<Network>(site) {
                to.extend(network.segments().iter().map(|of| of.lumen));
            }
        },
    );
    for (name, column, unit, [label, plot], about, of) in OF_SPROUTS {
        let quantity = Quantity::new(name, unit, about);
        app.register_site_quantity(quantity, move |world, site| {
            world.get::<Network>(site).map_or(NONE, of)
        });
        let metric = Metric::new(column, unit, about).label(label);
        let metric = if plot.is_empty() {
            metric
        } else {
            metric.plot(plot)
        };
        app.register_metric(metric, Measure::OfSite(name.into()));
    }
}

/// What is known of the sprouts of a site: name, column, unit, label and plot, what it is, how it is worked out.
type OfSprouts = (
    &'static str,
    &'static str,
    &'static str,
    [&'static str; 2],
    &'static str,
    fn(&Network) -> f32,
);

/// All numbers of sprouts.
const OF_SPROUTS: [OfSprouts; 6] = [
    (
        "vessel.sprouts",
        "vessel_sprouts",
        "",
        ["begun", "Sprouts"],
        "Sprouts of blood vessels that have begun so far.",
        |network| network.sprouts().begun.len() as f32,
    ),
    (
        "vessel.sprouts_joined",
        "vessel_sprouts_joined",
        "",
        ["joined", "Sprouts"],
        "Sprouts of blood vessels that have met a vessel so far.",
        |network| network.sprouts().joined as f32,
    ),
    (
        "vessel.sprouts_withered",
        "vessel_sprouts_withered",
        "",
        ["withered", "Sprouts"],
        "Sprouts of blood vessels that have died so far.",
        |network| network.sprouts().withered as f32,
    ),
    (
        "vessel.sprout_density",
        "sprout_density_mm_per_mm3",
        "mm/mm3",
        ["new", "Vessel density, mm/mm³"],
        "Length of the blood vessels that have sprouted, over the volume of the site.",
        |network| network.density_mm_per_mm3(is_new) as f32,
    ),
    (
        "vessel.new_perfused_density",
        "new_perfused_density_mm_per_mm3",
        "mm/mm3",
        ["new and perfused", "Vessel density, mm/mm³"],
        "Length of the blood vessels that have sprouted and carry blood, over the volume of the site.",
        |network| network.density_mm_per_mm3(|of| is_new(of) && of.perfused) as f32,
    ),
    (
        "vessel.sprout_front",
        "sprout_front_um",
        "um",
        ["front of sprouts", "Front of sprouts, um"],
        "How far the farthest sprout is from the vessels that were there at the start.",
        front_um,
    ),
];

fn is_new(segment: &Segment) -> bool {
    segment.sprout != Sprouts::NONE
}

/// The largest distance of a place of a sprout from the nearest vessel that was there from the start, um.
pub(super) fn front_um(network: &Network) -> f32 {
    let segments = network.segments();
    let old: Vec<usize> = (0..segments.len())
        .filter(|at| !is_new(&segments[*at]))
        .collect();
    let mut front = 0.0_f32;
    for (at, segment) in segments.iter().enumerate() {
        if !is_new(segment) {
            continue;
        }
        let end = network.places_um(at)[1];
        let mut least = f32::INFINITY;
        for other in &old {
            least = least.min(network.nearest_on(*other, end).1);
            if least <= front {
                break;
            }
        }
        if least.is_finite() {
            front = front.max(least);
        }
    }
    front
}
