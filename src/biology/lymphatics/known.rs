//! What rules can change of lymphatics, and what can be known of them.

use bevy::prelude::*;

use super::drain::outflow_um3_per_min;
use super::{CALLING, LymphaticParameters, Lymphatics, TIP_SELECTION};
use crate::core::input::{InputInfo, RegisterInputs};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parameters::Limits;
use crate::core::quantity::{NONE, Quantity, RegisterQuantities};
use crate::tissue::member_rules::RegisterPlacedElements;
use crate::tissue::network::{LYMPH_SEGMENT, Sprouts};

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    let most = |max| Limits { min: 0.0, max };
    app.register_element_input(
        LYMPH_SEGMENT,
        InputInfo::new(
            TIP_SELECTION,
            "1/h",
            "How often a tip cell begins in 10 um of a lymphatic, where no other holds it back.",
        )
        .limits(most(100.0)),
        |world, site, to| {
            if let Some(lymphatics) = world.get::<Lymphatics>(site) {
                to.resize(to.len() + lymphatics.vessels().segments().len(), 0.0);
            }
        },
    )
    .register_element_input(
        LYMPH_SEGMENT,
        InputInfo::new(
            CALLING,
            "molecules/(s um)",
            "How much CCL21 a micrometre of lymphatic gives off.",
        )
        .limits(most(1.0e6)),
        |world, site, to| {
            let parameters = world.get_resource::<LymphaticParameters>();
            let rate = parameters.map_or(0.0, |of| of.ccl21_molecules_per_s_um);
            if let Some(lymphatics) = world.get::<Lymphatics>(site) {
                let segments = lymphatics.vessels().segments().iter();
                to.extend(segments.map(|of| if of.is_solid() { 0.0 } else { rate }));
            }
        },
    )
    .register_element_quantity(
        LYMPH_SEGMENT,
        Quantity::new(
            "lymph.flow",
            "um3/min",
            "Flow of lymph in a segment of a lymphatic.",
        ),
        |world, site, to| {
            if let Some(lymphatics) = world.get::<Lymphatics>(site) {
                let segments = lymphatics.vessels().segments().iter();
                to.extend(segments.map(|of| of.flow_um3_per_min.abs() as f32));
            }
        },
    )
    .place_elements(LYMPH_SEGMENT, |world, site, of_voxel, to| {
        let Some(lymphatics) = world.get::<Lymphatics>(site) else {
            return;
        };
        let network = lymphatics.vessels();
        let along = |at| network.mean_along(at, of_voxel).unwrap_or(NONE);
        to.extend((0..network.segments().len()).map(along));
    });
    for (name, column, unit, [label, plot], about, of) in OF_SITES {
        let quantity = Quantity::new(name, unit, about);
        app.register_site_quantity(quantity, move |world, site| {
            world.get::<Lymphatics>(site).map_or(NONE, of)
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

/// What is known of the lymphatics of a site: name, column, unit, label and plot, what it is, how it is worked out.
type OfSite = (
    &'static str,
    &'static str,
    &'static str,
    [&'static str; 2],
    &'static str,
    fn(&Lymphatics) -> f32,
);

/// All of it.
const OF_SITES: [OfSite; 5] = [
    (
        "lymph.density",
        "lymphatic_density_mm_per_mm3",
        "mm/mm3",
        ["all", "Lymphatic density, mm/mm³"],
        "Length of the lymphatics of the site, over its volume.",
        |of| of.vessels().density_mm_per_mm3(|_| true) as f32,
    ),
    (
        "lymph.sprout_density",
        "lymphatic_sprout_density_mm_per_mm3",
        "mm/mm3",
        ["new", "Lymphatic density, mm/mm³"],
        "Length of the lymphatics that have sprouted, over the volume of the site.",
        |of| {
            of.vessels()
                .density_mm_per_mm3(|segment| segment.sprout != Sprouts::NONE) as f32
        },
    ),
    (
        "lymph.sprouts",
        "lymphatic_sprouts",
        "",
        ["sprouts of lymphatics", ""],
        "Sprouts of lymphatics that have begun so far.",
        |of| of.vessels().sprouts().begun.len() as f32,
    ),
    (
        "lymph.outflow",
        "lymph_outflow_um3_per_min",
        "um3/min",
        ["lymph", "Lymph, um3/min"],
        "Lymph that leaves the site by the outlets of its lymphatics.",
        |of| outflow_um3_per_min(of.vessels()) as f32,
    ),
    (
        "lymph.entered",
        "cells_in_lymph",
        "",
        ["entered lymphatics", "Cells that entered lymphatics"],
        "Cells that have entered the lymphatics of the site so far.",
        |of| of.entered() as f32,
    ),
];
