//! What can be known of vessels: of each segment for rules, and of a site as a whole.

use bevy::prelude::*;

use super::flow::{inflow_um3_per_min, residual};
use super::life::SolidStress;
use super::network::{Network, Segment, Sprouts};
use super::{
    ADHESION, COMPRESSION, MATURATION, PERICYTE_LOSS, PERMEABILITY, PRUNING, REGRESSION, SEGMENT,
    VesselParameters,
};
use crate::core::input::{InputInfo, RegisterInputs};
use crate::core::parameters::Limits;
use crate::core::quantity::Quantity;
use crate::core::site_number::{RegisterSiteNumbers, SiteNumber};
use crate::tissue::Scaffold;
use crate::tissue::member_rules::RegisterPlacedElements;

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    register_inputs(app);
    register_of_segments(app);
    app.register_site_numbers(&OF_NETWORKS);
}

/// Appends a number of each segment of a site.
fn each(
    world: &World,
    site: Entity,
    to: &mut Vec<f32>,
    of: impl Fn(&Network, usize, &Segment) -> f32,
) {
    if let Some(network) = world.get::<Network>(site) {
        let segments = network.segments().iter().enumerate();
        to.extend(segments.map(|(at, segment)| of(network, at, segment)));
    }
}

/// The mean of a number of voxels along each segment of a site.
fn along(world: &World, site: Entity, of_voxel: &dyn Fn(u32) -> f32, to: &mut Vec<f32>) {
    each(world, site, to, |network, at, _| {
        network.mean_along(at, of_voxel).unwrap_or(f32::NAN)
    });
}

fn register_inputs(app: &mut App) {
    let most = |max| Limits { min: 0.0, max };
    app.register_element_input(
        SEGMENT,
        InputInfo::new(
            PERMEABILITY,
            "",
            "By how much the wall of a vessel segment leaks more than that of a normal vessel.",
        )
        .limits(most(1.0e3)),
        |world, site, to| each(world, site, to, |_, _, segment| segment.own_permeability),
    )
    .register_element_input(
        SEGMENT,
        InputInfo::new(
            ADHESION,
            "",
            "How much of what leukocytes hold on to the wall of a vessel segment bears, over that of a normal vessel: ICAM-1, VCAM-1.",
        )
        .limits(most(1.0e3)),
        |world, site, to| each(world, site, to, |_, _, _| 1.0),
    )
    .register_element_input(
        SEGMENT,
        InputInfo::new(
            COMPRESSION,
            "mmHg",
            "What presses on a vessel segment from outside: the cells around it, and what rules add.",
        )
        .limits(most(1.0e4)),
        |world, site, to| {
            let stress = world.get::<SolidStress>(site);
            each(world, site, to, |_, at, _| {
                let found = stress.and_then(|stress| stress.of_segments.get(at));
                found.copied().unwrap_or(0.0)
            });
        },
    )
    .register_element_input(
        SEGMENT,
        InputInfo::new(
            MATURATION,
            "1/d",
            "How fast pericytes cover a vessel segment; those that are not perfused are not covered.",
        )
        .limits(most(1.0e3)),
        |world, site, to| {
            let parameters = world.get_resource::<VesselParameters>();
            let rate = parameters.map_or(0.0, |parameters| parameters.maturation_per_day);
            each(world, site, to, |_, _, segment| {
                if segment.perfused { rate } else { 0.0 }
            });
        },
    )
    .register_element_input(
        SEGMENT,
        InputInfo::new(
            PERICYTE_LOSS,
            "1/d",
            "How fast pericytes leave a vessel segment.",
        )
        .limits(most(1.0e3)),
        |world, site, to| each(world, site, to, |_, _, _| 0.0),
    )
    .register_element_input(
        SEGMENT,
        InputInfo::new(
            PRUNING,
            "1/h",
            "How often a vessel segment without pericytes is taken back where blood hardly moves in it.",
        )
        .limits(most(1.0e3)),
        |world, site, to| {
            let parameters = world.get_resource::<VesselParameters>();
            let rate = parameters.map_or(0.0, |parameters| parameters.pruning_per_hour);
            each(world, site, to, |_, _, segment| {
                // Cords that have not opened yet are not there for blood.
                if segment.is_solid() { 0.0 } else { rate }
            });
        },
    )
    .register_element_input(
        SEGMENT,
        InputInfo::new(
            REGRESSION,
            "1/d",
            "How often 200 um of a vessel that has sprouted and has no pericytes die back, though blood flows in it.",
        )
        .limits(most(1.0e3)),
        |world, site, to| {
            let parameters = world.get_resource::<VesselParameters>();
            let rate = parameters.map_or(0.0, |parameters| parameters.regression_per_day);
            each(world, site, to, |_, _, segment| {
                let is_new = segment.sprout != Sprouts::NONE && !segment.is_solid();
                if is_new { rate } else { 0.0 }
            });
        },
    );
}

/// What is known of a segment: name, unit, what it is, how it is worked out.
type OfSegment = (
    &'static str,
    &'static str,
    &'static str,
    fn(&Network, usize, &Segment) -> f32,
);

/// All numbers of segments.
const OF_SEGMENTS: [OfSegment; 9] = [
    (
        "vessel.radius",
        "um",
        "Radius of its lumen.",
        |_, _, segment| segment.radius_um,
    ),
    (
        "vessel.openness",
        "",
        "Radius of its lumen over that where nothing presses on it.",
        |_, _, segment| segment.radius_um / segment.open_radius_um(1.0),
    ),
    (
        "vessel.maturity",
        "",
        "How far pericytes cover its wall.",
        |_, _, segment| segment.maturity,
    ),
    (
        "vessel.shear",
        "Pa",
        "Shear stress at its wall.",
        |_, _, segment| segment.shear_pa,
    ),
    (
        "vessel.flow",
        "um3/min",
        "Flow of blood in it, whichever way.",
        |_, _, segment| segment.flow_um3_per_min.abs() as f32,
    ),
    (
        "vessel.velocity",
        "um/s",
        "Velocity of the blood in it, whichever way.",
        |_, _, segment| segment.velocity_um_per_s().abs() as f32,
    ),
    (
        "vessel.haematocrit",
        "",
        "Haematocrit of the blood in it.",
        |_, _, segment| segment.haematocrit,
    ),
    (
        "vessel.pressure",
        "mmHg",
        "Pressure of the blood in its middle.",
        |network, at, _| {
            let [from, to] = network.pressures_mmhg(at);
            (0.5 * (from + to)) as f32
        },
    ),
    (
        "vessel.perfused",
        "",
        "1 where it lies on a way of moving blood from an artery to a vein, else 0.",
        |_, _, segment| f32::from(u8::from(segment.perfused)),
    ),
];

fn register_of_segments(app: &mut App) {
    for (name, unit, about, of) in OF_SEGMENTS {
        app.register_element_quantity(
            SEGMENT,
            Quantity::new(name, unit, about),
            move |world, site, to| each(world, site, to, of),
        );
    }
    app.register_element_quantity(
        SEGMENT,
        Quantity::new(
            "vessel.matrix_density",
            "",
            "Density of the fibres around it, 0-1.",
        ),
        |world, site, to| {
            if let Some(scaffold) = world.get::<Scaffold>(site) {
                let density = &scaffold.density;
                let at = |voxel: u32| density.get(voxel as usize).copied().unwrap_or(0.0);
                along(world, site, &at, to);
            }
        },
    )
    .place_elements(SEGMENT, along);
}

/// The mean of a number over the length of the vessels of a site; of all, or of those that are perfused.
fn mean(network: &Network, only_perfused: bool, of: impl Fn(usize, &Segment) -> f64) -> f32 {
    let (mut sum, mut length) = (0.0, 0.0);
    for (at, segment) in network.segments().iter().enumerate() {
        if segment.perfused || !only_perfused {
            sum += f64::from(segment.length_um) * of(at, segment);
            length += f64::from(segment.length_um);
        }
    }
    if length > 0.0 {
        (sum / length) as f32
    } else {
        f32::NAN
    }
}

/// All numbers of the vessels of a site.
const OF_NETWORKS: [SiteNumber<Network>; 13] = [
    SiteNumber {
        quantity: "vessel.density",
        column: "vessel_density_mm_per_mm3",
        unit: "mm/mm3",
        label: "all",
        plot: "Vessel density, mm/mm³",
        about: "Length of the vessels of the site, over its volume.",
        of: |network| network.density_mm_per_mm3(|_| true) as f32,
    },
    SiteNumber {
        quantity: "vessel.perfused_density",
        column: "perfused_vessel_density_mm_per_mm3",
        unit: "mm/mm3",
        label: "perfused",
        plot: "Vessel density, mm/mm³",
        about: "Length of the vessels of the site in which blood moves from artery to vein, over its volume.",
        of: |network| network.density_mm_per_mm3(|segment| segment.perfused) as f32,
    },
    SiteNumber {
        quantity: "vessel.perfused_share",
        column: "vessel_perfused_share",
        unit: "",
        label: "perfused vessels",
        plot: "Perfused share of vessels",
        about: "Share of the length of vessels in which blood moves from artery to vein.",
        of: |network| mean(network, false, |_, of| f64::from(u8::from(of.perfused))),
    },
    SiteNumber {
        quantity: "vessel.pressed_shut_share",
        column: "vessel_pressed_shut_share",
        unit: "",
        label: "pressed shut",
        plot: "",
        about: "Share of the length of vessels that are pressed to less than half of their radius.",
        of: |network| {
            mean(network, false, |_, of| {
                f64::from(u8::from(of.radius_um < 0.5 * of.open_radius_um(1.0)))
            })
        },
    },
    SiteNumber {
        quantity: "vessel.inflow",
        column: "vessel_inflow_nl_per_min",
        unit: "nL/min",
        label: "blood inflow",
        plot: "Blood inflow, nL/min",
        about: "Blood that enters the site by its arteries.",
        of: |network| (inflow_um3_per_min(network) * 1.0e-6) as f32,
    },
    SiteNumber {
        quantity: "vessel.mean_shear",
        column: "vessel_shear_pa",
        unit: "Pa",
        label: "shear stress",
        plot: "",
        about: "Mean shear stress at the walls of perfused vessels, by length.",
        of: |network| mean(network, true, |_, of| f64::from(of.shear_pa)),
    },
    SiteNumber {
        quantity: "vessel.mean_radius",
        column: "vessel_radius_um",
        unit: "um",
        label: "radius",
        plot: "",
        about: "Mean radius of vessels, by length.",
        of: |network| mean(network, false, |_, of| f64::from(of.radius_um)),
    },
    SiteNumber {
        quantity: "vessel.mean_maturity",
        column: "vessel_maturity",
        unit: "",
        label: "maturity",
        plot: "",
        about: "Mean cover of vessels by pericytes, by length.",
        of: |network| mean(network, false, |_, of| f64::from(of.maturity)),
    },
    SiteNumber {
        quantity: "vessel.mean_permeability",
        column: "vessel_permeability",
        unit: "",
        label: "permeability",
        plot: "",
        about: "Mean of how much vessels leak more than normal ones, by length.",
        of: |network| mean(network, false, |_, of| f64::from(of.permeability)),
    },
    SiteNumber {
        quantity: "vessel.mean_adhesion",
        column: "vessel_adhesion",
        unit: "",
        label: "hold for leukocytes",
        plot: "",
        about: "Mean of how much leukocytes find to hold on to in vessels, over normal ones, by length.",
        of: |network| mean(network, false, |_, of| f64::from(of.adhesion)),
    },
    SiteNumber {
        quantity: "vessel.mean_compression",
        column: "vessel_compression_mmhg",
        unit: "mmHg",
        label: "pressure on vessels",
        plot: "",
        about: "Mean of what presses on vessels from outside, by length.",
        of: |network| mean(network, false, |_, of| f64::from(of.compression_mmhg)),
    },
    SiteNumber {
        quantity: "vessel.pruned",
        column: "vessels_pruned",
        unit: "",
        label: "segments taken back",
        plot: "",
        about: "Vessel segments that were taken back so far.",
        of: |network| network.pruned() as f32,
    },
    SiteNumber {
        quantity: "vessel.flow_residual",
        column: "vessel_flow_residual",
        unit: "",
        label: "imbalance of flow",
        plot: "",
        about: "Largest imbalance of flow at an inner node, over the largest flow.",
        of: |network| residual(network) as f32,
    },
];
