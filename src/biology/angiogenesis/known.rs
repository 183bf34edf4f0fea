//! What rules can change of sprouting vessels, and what can be known of sprouts.

use bevy::prelude::*;

use super::TIP_SELECTION;
use crate::core::input::{InputInfo, RegisterInputs};
use crate::core::parameters::Limits;
use crate::core::quantity::Quantity;
use crate::core::site_number::{RegisterSiteNumbers, SiteNumber};
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
    app.register_site_numbers(&OF_SPROUTS);
}

/// All numbers of sprouts.
const OF_SPROUTS: [SiteNumber<Network>; 7] = [
    SiteNumber {
        quantity: "vessel.tips",
        column: "vessel_tips",
        unit: "",
        label: "growing",
        plot: "Sprouts",
        about: "Sprouts of blood vessels that a tip cell leads just now.",
        of: |network| {
            let sprouts = network.sprouts();
            let ended = sprouts.joined + sprouts.withered;
            (sprouts.begun.len() as u64).saturating_sub(ended) as f32
        },
    },
    SiteNumber {
        quantity: "vessel.sprouts",
        column: "vessel_sprouts",
        unit: "",
        label: "begun",
        plot: "Sprouts",
        about: "Sprouts of blood vessels that have begun so far.",
        of: |network| network.sprouts().begun.len() as f32,
    },
    SiteNumber {
        quantity: "vessel.sprouts_joined",
        column: "vessel_sprouts_joined",
        unit: "",
        label: "joined",
        plot: "Sprouts",
        about: "Sprouts of blood vessels that have met a vessel so far.",
        of: |network| network.sprouts().joined as f32,
    },
    SiteNumber {
        quantity: "vessel.sprouts_withered",
        column: "vessel_sprouts_withered",
        unit: "",
        label: "withered",
        plot: "Sprouts",
        about: "Sprouts of blood vessels that have died so far.",
        of: |network| network.sprouts().withered as f32,
    },
    SiteNumber {
        quantity: "vessel.sprout_density",
        column: "sprout_density_mm_per_mm3",
        unit: "mm/mm3",
        label: "new",
        plot: "Vessel density, mm/mm³",
        about: "Length of the blood vessels that have sprouted, over the volume of the site.",
        of: |network| network.density_mm_per_mm3(is_new) as f32,
    },
    SiteNumber {
        quantity: "vessel.new_perfused_density",
        column: "new_perfused_density_mm_per_mm3",
        unit: "mm/mm3",
        label: "new and perfused",
        plot: "Vessel density, mm/mm³",
        about: "Length of the blood vessels that have sprouted and carry blood, over the volume of the site.",
        of: |network| network.density_mm_per_mm3(|of| is_new(of) && of.perfused) as f32,
    },
    SiteNumber {
        quantity: "vessel.sprout_front",
        column: "sprout_front_um",
        unit: "um",
        label: "front of sprouts",
        plot: "Front of sprouts, um",
        about: "How far the farthest sprout is from the vessels that were there at the start.",
        of: front_um,
    },
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
