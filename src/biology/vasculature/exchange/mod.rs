//! What passes the walls of drawn vessels, where they are: oxygen, glucose and lactate, proteins, water, and cells.
//!
//! - **What crosses walls freely** is carried by the blood ([`carriage`]): each piece of a vessel gives the voxel that it crosses
//!   `g l / V (P_b - p)`, and what it gives is missing further down. `1/g` is the sum of the resistances of a micrometre of its length: of the lumen,
//!   `1/(pi Sh D)` (Hellums 1996); of the wall, `1/(2 pi r P)` for a molecule that it holds up; and of the tissue
//!   between the wall and where the voxel has its mean, `ln(0.2 h / r)/(2 pi D)` (Peaceman 1978). A vessel of 4 um in a voxel of 20 um exchanges oxygen
//!   at 1000 /min.
//! - **Oxygen** is bound to haemoglobin as well ([`haemoglobin`]). Blood enters by arteries at the level of the field.
//! - **Water** passes walls by Starling's law with the pressure of the blood where they are; permeability (VEGF-A) makes it so many times as much. It
//!   counts in sites with the part `interstitium`.
//! - **Proteins** diffuse through walls and are carried by that water, by Patlak's law ([`walls`]), from blood at the level of the field.
//! - **Cells** find their ways in and out ([`ways`]).
//!
//! A vessel that is not perfused exchanges nothing. What the tissue takes from a piece follows its level of the time before; both meet over a few
//! solves, and then blood gives what tissue takes.
//!
//! It runs in `Transport`, in the sets of [`FluidSystems`](crate::tissue::interstitium::FluidSystems), after the blood has flowed.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::BloodFlowSystems;
use super::network::Network;
use super::organs::VesselsLike;
use crate::core::parameters::{Limits, Parameters, RegisterParameters};
use crate::core::site_part::RegisterSitePart;
use crate::core::state::{Owner, RegisterState};
use crate::core::{SimSchedule, SimSystems};
use crate::tissue::Organ;
use crate::tissue::host_vessels::DrawnVessels;
use crate::tissue::interstitium::{DrawnWalls, FluidSystems, order_fluid};
use crate::tissue::medium::RegisterMedium;
use crate::tissue::{RegisterMoleculeUse, Sites};

pub mod carriage;
pub mod haemoglobin;
mod known;
pub mod walls;
pub mod ways;

pub use carriage::{BloodExchange, FlowOrder};
pub use haemoglobin::{Carrier, Curve};
pub use ways::VesselWays;

/// The molecule that haemoglobin binds.
pub const OXYGEN: &str = "oxygen";

/// What blood carries and how it passes the walls of vessels (group `vessel_exchange`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct VesselExchangeParameters {
    /// Pressure of oxygen at which haemoglobin is half saturated, mmHg; 27 [T].
    pub half_saturation_mmhg: f32,
    /// Hill's exponent of its saturation; 2.7 [T].
    pub hill_exponent: f32,
    /// Oxygen that red cells bind at most, mM of their volume; 20.3: 340 g/L of haemoglobin, 1.34 mL/g [M].
    pub red_cell_oxygen_mm: f32,
    /// Sherwood number of the lumen, by which blood in it holds molecules up; 1.2, of 1-3 (Hellums 1996, Ann Biomed Eng 24:1) [M]. Calibrated: a
    /// capillary exchanges at 1000 /min with a voxel of 20 um.
    pub sherwood: f32,
    /// Hydraulic conductivity of a normal wall, um/(mmHg min); 0.0216, 3.6e-8 cm/(mmHg s) (Baxter and Jain 1989) [M].
    pub wall_conductivity_um_per_mmhg_min: f32,
    /// How steeply it grows with the permeability of a wall to molecules, `n` in `L_p k^n`; 2, by Poiseuille's law in pores that widen: tumour walls let 10
    /// times as many proteins through [A] and 100 times as much water [T].
    pub wall_conductivity_exponent: f32,
    /// Reflection of the proteins of plasma by a normal wall; 0.91 (Baxter and Jain 1989) [M].
    pub reflection: f32,
    /// Oncotic pressure of plasma, mmHg; 20 [T].
    pub plasma_oncotic_mmhg: f32,
    /// Oncotic pressure of the fluid between cells, mmHg; 10 [T].
    pub tissue_oncotic_mmhg: f32,
}

impl Default for VesselExchangeParameters {
    fn default() -> Self {
        Self {
            half_saturation_mmhg: 27.0,
            hill_exponent: 2.7,
            red_cell_oxygen_mm: 20.3,
            sherwood: 1.2,
            wall_conductivity_um_per_mmhg_min: 0.0216,
            wall_conductivity_exponent: 2.0,
            reflection: 0.91,
            plasma_oncotic_mmhg: 20.0,
            tissue_oncotic_mmhg: 10.0,
        }
    }
}

impl Parameters for VesselExchangeParameters {
    fn limits(field: &str) -> Limits {
        let between = |min, max| Limits { min, max };
        match field {
            "half_saturation_mmhg" => between(1.0, 1000.0),
            "hill_exponent" => between(0.5, 10.0),
            "sherwood" => between(1e-3, 1e4),
            "reflection" => Limits::FRACTION,
            "wall_conductivity_exponent" => between(0.0, 4.0),
            _ => between(0.0, 1000.0),
        }
    }
}

impl VesselExchangeParameters {
    /// How blood binds oxygen, of which a unit is so many nM, by the table of the curve of these parameters.
    pub fn haemoglobin<'a>(&self, curve: &'a mut Curve, nm_per_unit: f32) -> Carrier<'a> {
        curve.follow(self.hill_exponent);
        Carrier {
            capacity: self.red_cell_oxygen_mm * 1e6 / nm_per_unit,
            half: self.half_saturation_mmhg,
            curve: Some(curve),
        }
    }

    /// How leaky a wall is to proteins: the share of them that it holds back, `sigma`, of so many times the permeability of a normal one.
    pub fn reflection_of(&self, permeability: f32) -> f32 {
        (1.0 - (1.0 - self.reflection) * permeability).max(0.0)
    }
}

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    order_fluid(app);
    app.register_group::<VesselExchangeParameters>("vessel_exchange")
        .register_kept::<BloodExchange>(Owner::Field, "blood_exchange")
        .declare_remade::<FlowOrder>("found from the network")
        .register_vessel_exchange::<BloodExchange>()
        .register_molecule_use("vessels", OXYGEN)
        .supply_by_site_part("vessels")
        .configure_sets(SimSchedule, BloodFlowSystems.before(FluidSystems::Walls))
        .add_systems(
            SimSchedule,
            (
                (
                    carriage::find_flow_order,
                    walls::filter_water,
                    ways::show_ways,
                )
                    .chain()
                    .in_set(FluidSystems::Walls),
                carriage::carry_in_blood.in_set(FluidSystems::Carry),
                // What follows from the network is not saved: at the start and after a resume it is found before anybody asks for it.
                (carriage::find_flow_order, ways::show_ways)
                    .chain()
                    .run_if(ways::are_unknown)
                    .in_set(SimSystems::Perceive),
            ),
        );
    known::register(app);
}

/// Puts into a site that has vessels what they exchange.
pub(super) fn install(world: &mut World, site: Entity) {
    let sites = &world.resource::<Sites>().list;
    let entry = sites.iter().find(|entry| entry.entity == site);
    let fields: Vec<Entity> = entry
        .iter()
        .flat_map(|entry| &entry.fields)
        .map(|field| field.entity)
        .collect();
    for field in fields {
        world.entity_mut(field).insert(BloodExchange::default());
    }
    let Some(network) = world.get::<Network>(site) else {
        return;
    };
    let organ = world.get::<Organ>(site).copied().unwrap_or(Organ::Medium);
    let native = VesselsLike::native_to(organ).vessels();
    let ways = crate::cell::doors::SiteDoors::of(VesselWays::of(network, native));
    world.entity_mut(site).insert((
        DrawnVessels,
        DrawnWalls::default(),
        FlowOrder::default(),
        ways,
    ));
}

#[cfg(test)]
mod tests;
