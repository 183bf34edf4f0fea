//! What rules can change of lymphatics, and what can be known of them.

use bevy::prelude::*;

use super::drain::outflow_um3_per_min;
use super::{CALLING, LymphaticParameters, Lymphatics, TIP_SELECTION};
use crate::core::input::{InputInfo, RegisterInputs};
use crate::core::parameters::Limits;
use crate::core::quantity::{NONE, Quantity};
use crate::core::site_number::{RegisterSiteNumbers, SiteNumber};
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
    app.register_site_numbers(&OF_SITES);
}

/// All of it.
const OF_SITES: [SiteNumber<Lymphatics>; 5] = [
    SiteNumber {
        quantity: "lymph.density",
        column: "lymphatic_density_mm_per_mm3",
        unit: "mm/mm3",
        label: "all",
        plot: "Lymphatic density, mm/mm³",
        about: "Length of the lymphatics of the site, over its volume.",
        of: |of| of.vessels().density_mm_per_mm3(|_| true) as f32,
    },
    SiteNumber {
        quantity: "lymph.sprout_density",
        column: "lymphatic_sprout_density_mm_per_mm3",
        unit: "mm/mm3",
        label: "new",
        plot: "Lymphatic density, mm/mm³",
        about: "Length of the lymphatics that have sprouted, over the volume of the site.",
        of: |of| {
            of.vessels()
                .density_mm_per_mm3(|segment| segment.sprout != Sprouts::NONE) as f32
        },
    },
    SiteNumber {
        quantity: "lymph.sprouts",
        column: "lymphatic_sprouts",
        unit: "",
        label: "sprouts of lymphatics",
        plot: "",
        about: "Sprouts of lymphatics that have begun so far.",
        of: |of| of.vessels().sprouts().begun.len() as f32,
    },
    SiteNumber {
        quantity: "lymph.outflow",
        column: "lymph_outflow_um3_per_min",
        unit: "um3/min",
        label: "lymph",
        plot: "Lymph, um3/min",
        about: "Lymph that leaves the site by the outlets of its lymphatics.",
        of: |of| outflow_um3_per_min(of.vessels()) as f32,
    },
    SiteNumber {
        quantity: "lymph.entered",
        column: "left_by_lymphatics",
        unit: "",
        label: "left by lymphatics",
        plot: "Cells that left by lymphatics",
        about: "Cells that have entered the lymphatics of the site so far.",
        of: |of| of.entered() as f32,
    },
];
