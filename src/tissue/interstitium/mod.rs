//! The fluid between the cells: its pressure, and its flow through the tissue (part `interstitium` of a site).
//!
//! Walls of vessels let water through by Starling's law, lymphatics drain it, and in between it seeps by Darcy's law. With the hydraulic conductivity
//! `K`, the pressure `p`, and for each kind of wall the hydraulic conductivity `L_p` of a surface `S` in a volume `V`:
//!
//! `-div(K grad p) = sum L_p S/V (p_v - sigma (pi_v - pi_i) - p) - k_L (p - p_L)`
//!
//! This is in balance at any time: water is not compressed. It is solved by the same multigrid as molecules are ([`crate::tissue::solver`]),
//! of `p` less the least pressure that anything holds, below which it cannot fall. The faces of the block are held at a
//! pressure, or closed. Baxter and Jain 1989, Microvasc Res 37:77, doi:10.1016/0026-2862(89)90074-5.
//!
//! The fluid carries molecules: its Darcy velocity is the site's [`InterstitialFlow`]. What water takes through walls that are
//! not drawn, and what lymph takes away, is in [`molecules`]; whoever draws vessels does the same for theirs, and says in [`DrawnWalls`]
//! what water they let through.
//!
//! | file | holds |
//! | --- | --- |
//! | `fluid` | what is solved, and when |
//! | `molecules` | what water carries through walls, by Patlak's law |
//! | `known` | what can be known of it |
//!
//! It runs in `Transport` before media are read ([`FluidSystems`]), every few minutes, and solves anew only where something has changed by
//! more than is worth it: `K`, which is an input of voxels, what walls let through, or how much of the host's vessels is left.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::host_vessels::{DrawnVessels, lose_host_vessels};
use super::medium::{InterstitialFlow, MediumSystems, RegisterMedium};
use super::member_rules::RegisterPlacedElements;
use super::placed::Region;
use super::{Scaffold, Sites, TissueBlock};
use crate::core::input::{InputInfo, RegisterInputs};
use crate::core::parameters::{Contradiction, Limits, Parameters, RegisterParameters};
use crate::core::quantity::Quantity;
use crate::core::site_part::RegisterSitePart;
use crate::core::state::{Owner, RegisterState};
use crate::core::{SimSchedule, SimSystems};

mod fluid;
mod known;
pub mod molecules;

pub use fluid::{
    DrawnLymph, DrawnWalls, FluidFaces, FluidTerms, Interstitium, flow_of, solve_pressure, velocity,
};
pub use molecules::{InterstitialExchange, WallPassage, through_wall};

/// What voxels are called as elements of a site.
const VOXEL: &str = "voxel";
/// Name of the input of voxels that is their hydraulic conductivity.
const CONDUCTIVITY: &str = "interstitium.conductivity";

/// When the fluid is looked at again (group `interstitium`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct InterstitiumParameters {
    /// Time between two looks at what has changed, min.
    pub every_minutes: f32,
    /// Relative change of a conductivity from which on it is worth solving anew. Assumed.
    pub least_change: f32,
    /// The same of a pressure that drives water through walls, mmHg. Assumed.
    pub least_change_mmhg: f32,
    /// Relative residual to which the pressure is solved, see [`Stopping`](super::solver::Stopping).
    pub tolerance: f32,
}

impl Default for InterstitiumParameters {
    fn default() -> Self {
        Self {
            every_minutes: 10.0,
            least_change: 0.02,
            least_change_mmhg: 0.1,
            tolerance: 1e-5,
        }
    }
}

impl Parameters for InterstitiumParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "tolerance" => Limits {
                min: 1e-7,
                max: 1e-2,
            },
            "every_minutes" => Limits {
                min: 0.0,
                max: 1440.0,
            },
            _ => Limits {
                min: 0.0,
                max: 100.0,
            },
        }
    }
}

/// What holds and moves the fluid in a piece of tissue whose vessels are not drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct FluidOf {
    /// Hydraulic conductivity of the tissue, `K`, um2/(mmHg min): normal 51, 8.53e-9 cm2/(mmHg s), tumour 248 (Baxter and Jain 1989) [M].
    pub conductivity_um2_per_mmhg_min: f32,
    /// Surface of vessels in a volume of tissue, `S/V`, 1/um: normal 7e-3, tumour 2e-2 (Baxter and Jain 1989) [M]. Host tissue loses
    /// it with its vessels, as it does oxygen.
    pub vessel_surface_per_um: f32,
    /// Hydraulic conductivity of their walls, `L_p`, um/(mmHg min): normal 0.0216, 3.6e-8 cm/(mmHg s), tumour 0.168 (Baxter and Jain 1989) [M].
    pub wall_conductivity_um_per_mmhg_min: f32,
    /// Reflection of the proteins of plasma by their walls, `sigma`: normal 0.91, tumour 0.82 (Baxter and Jain 1989) [M].
    pub reflection: f32,
    /// Pressure of the blood in them, `p_v`, mmHg; 15.6 (Baxter and Jain 1989) [M].
    pub vessel_pressure_mmhg: f32,
    /// Oncotic pressure of plasma, `pi_v`, mmHg; 20 [T].
    pub plasma_oncotic_mmhg: f32,
    /// Oncotic pressure of the fluid between cells, `pi_i`, mmHg: 10 [T], tumour 15 (Baxter and Jain 1989) [M].
    pub tissue_oncotic_mmhg: f32,
    /// How many times more easily than through normal ones molecules pass through their walls; tumour 10: VEGF-A 4e-7 and 4e-8 cm/s, IgG
    /// 3e-7 and 3e-8 cm/s [A].
    pub leakiness: f32,
    /// Drainage by lymphatics, `k_L`, 1/(mmHg min): normal 8e-4, 1.33e-5 /(mmHg s), tumour 0 (Baxter and Jain 1990) [M]. Host tissue
    /// loses it with its vessels.
    pub lymph_per_mmhg_min: f32,
    /// Pressure in the lymphatics, `p_L`, mmHg; 0 (Baxter and Jain 1990) [M].
    pub lymph_pressure_mmhg: f32,
}

impl Default for FluidOf {
    fn default() -> Self {
        Self::NORMAL
    }
}

impl FluidOf {
    /// Normal tissue.
    pub const NORMAL: Self = Self {
        conductivity_um2_per_mmhg_min: 51.0,
        vessel_surface_per_um: 7e-3,
        wall_conductivity_um_per_mmhg_min: 0.0216,
        reflection: 0.91,
        vessel_pressure_mmhg: 15.6,
        plasma_oncotic_mmhg: 20.0,
        tissue_oncotic_mmhg: 10.0,
        leakiness: 1.0,
        lymph_per_mmhg_min: 8e-4,
        lymph_pressure_mmhg: 0.0,
    };

    /// A tumour with vessels of its own, and no lymphatics.
    pub const TUMOUR: Self = Self {
        conductivity_um2_per_mmhg_min: 248.0,
        vessel_surface_per_um: 2e-2,
        wall_conductivity_um_per_mmhg_min: 0.168,
        reflection: 0.82,
        tissue_oncotic_mmhg: 15.0,
        leakiness: 10.0,
        lymph_per_mmhg_min: 0.0,
        ..Self::NORMAL
    };

    /// Pressure in the tissue at which nothing passes its walls, `p_v - sigma (pi_v - pi_i)`, mmHg.
    pub fn effective_mmhg(&self) -> f32 {
        self.vessel_pressure_mmhg
            - self.reflection * (self.plasma_oncotic_mmhg - self.tissue_oncotic_mmhg)
    }

    /// What its walls let through, `L_p S/V`, 1/(mmHg min).
    pub fn filtration_per_mmhg_min(&self) -> f32 {
        self.wall_conductivity_um_per_mmhg_min * self.vessel_surface_per_um
    }

    fn limits(field: &str) -> Limits {
        match field {
            "conductivity_um2_per_mmhg_min" => Limits {
                min: 1e-3,
                max: 1e6,
            },
            "reflection" => Limits::FRACTION,
            "vessel_pressure_mmhg"
            | "plasma_oncotic_mmhg"
            | "tissue_oncotic_mmhg"
            | "lymph_pressure_mmhg" => Limits {
                min: -100.0,
                max: 300.0,
            },
            _ => Limits { min: 0.0, max: 1e5 },
        }
    }
}

/// A part of a site whose fluid is another; a tumour where nothing else is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(from = "WrittenRegion")]
pub struct FluidRegion {
    /// Where.
    pub place: Region,
    /// What holds and moves the fluid there: that of a tumour if left out; what is left out of it is as in normal tissue. Cells that
    /// crowd there displace none of its vessels.
    pub of: FluidOf,
}

/// The same as people write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "FluidRegion")]
struct WrittenRegion {
    place: Region,
    #[serde(default = "tumour")]
    of: FluidOf,
}

const fn tumour() -> FluidOf {
    FluidOf::TUMOUR
}

impl From<WrittenRegion> for FluidRegion {
    fn from(WrittenRegion { place, of }: WrittenRegion) -> Self {
        Self { place, of }
    }
}

/// The fluid in the tissue of a site (part `interstitium`); without it nothing flows, and no water passes walls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct InterstitiumDescription {
    /// What holds and moves it where no region says otherwise.
    pub host: FluidOf,
    /// Parts of the site where that is different, later ones over earlier ones: `[(place: Ball(radius_um: 300))]` is a tumour.
    pub regions: Vec<FluidRegion>,
    /// Pressure at the faces of the block, mmHg.
    pub face_pressure_mmhg: f32,
    /// Whether nothing passes the faces.
    pub closed: bool,
}

impl Parameters for InterstitiumDescription {
    fn limits(field: &str) -> Limits {
        match field.strip_prefix("host.") {
            Some(field) => FluidOf::limits(field),
            None => Limits {
                min: -100.0,
                max: 300.0,
            },
        }
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        let numbers =
            crate::core::numbers::number_fields(<FluidOf as bevy::reflect::Typed>::type_info());
        let mut found = Vec::new();
        for (index, region) in self.regions.iter().enumerate() {
            for field in &numbers {
                let limits = FluidOf::limits(field);
                let value = crate::core::numbers::read_number(&region.of, field);
                if let Some(value) = value.filter(|value| !limits.contain(*value)) {
                    found.push(Contradiction {
                        field: "regions",
                        other: "host",
                        message: format!(
                            "the `{field}` of entry {index} must be {}, found {value}",
                            limits.describe()
                        ),
                    });
                }
            }
        }
        found
    }
}

/// The parts of the fluid, in `Transport` before media are read.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FluidSystems {
    /// Whoever draws vessels says what water their walls let through.
    Walls,
    /// The pressure is solved.
    Solve,
    /// What water carries through walls is worked out, of each molecule.
    Carry,
}

/// Puts the sets of [`FluidSystems`] in their order; doing so twice is harmless.
pub fn order_fluid(app: &mut App) {
    app.configure_sets(
        SimSchedule,
        (
            FluidSystems::Walls,
            FluidSystems::Solve,
            FluidSystems::Carry,
        )
            .chain()
            .in_set(SimSystems::Transport)
            .after(lose_host_vessels)
            .before(MediumSystems),
    );
}

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    order_fluid(app);
    app.register_group::<InterstitiumParameters>("interstitium")
        .register_kept::<Interstitium>(Owner::Site, "interstitium")
        .register_kept::<DrawnWalls>(Owner::Site, "drawn_walls")
        .register_kept::<DrawnLymph>(Owner::Site, "drawn_lymph")
        .register_kept::<InterstitialExchange>(Owner::Field, "interstitial_exchange")
        .declare_remade::<fluid::Ground>("made from the scene")
        .declare_remade::<DrawnVessels>("made from the scene")
        .declare_remade::<fluid::FluidWork>("written anew in every solve")
        .register_vessel_exchange::<InterstitialExchange>()
        .register_site_part::<InterstitiumDescription>("interstitium", install)
        .give_site_part_rules(
            "interstitium",
            include_str!("../../../assets/interstitium/rules.ron"),
        )
        .register_element_quantity(
            VOXEL,
            Quantity::new(
                "interstitium.matrix_density",
                "",
                "Density of the fibres in a voxel, 0-1.",
            ),
            |world, site, to| {
                if let (Some(_), Some(scaffold)) = (
                    world.get::<fluid::Ground>(site),
                    world.get::<Scaffold>(site),
                ) {
                    to.extend_from_slice(&scaffold.density);
                }
            },
        )
        .place_elements(VOXEL, |world, site, of_voxel, to| {
            if let Some(block) = world.get::<TissueBlock>(site) {
                to.extend((0..block.voxels() as u32).map(of_voxel));
            }
        })
        .register_element_input(
            VOXEL,
            InputInfo::new(
                CONDUCTIVITY,
                "um2/(mmHg min)",
                "Hydraulic conductivity of the tissue in a voxel.",
            )
            .limits(FluidOf::limits("conductivity_um2_per_mmhg_min")),
            |world, site, values| {
                if let Some(ground) = world.get::<fluid::Ground>(site) {
                    values.extend_from_slice(&ground.conductivity);
                }
            },
        )
        .add_systems(
            SimSchedule,
            (
                fluid::move_fluid.in_set(FluidSystems::Solve),
                molecules::carry_through_walls.in_set(FluidSystems::Carry),
            ),
        );
    known::register(app);
}

/// Puts fluid into a site.
fn install(world: &mut World, site: Entity, description: &InterstitiumDescription) {
    let Some(block) = world.get::<TissueBlock>(site).cloned() else {
        return;
    };
    let sites = &world.resource::<Sites>().list;
    let entry = sites.iter().find(|entry| entry.entity == site);
    let fields: Vec<Entity> = entry
        .iter()
        .flat_map(|entry| &entry.fields)
        .map(|field| field.entity)
        .collect();
    for field in fields {
        world
            .entity_mut(field)
            .insert(InterstitialExchange::default());
    }
    world.entity_mut(site).insert((
        fluid::Ground::new(&block, description),
        fluid::FluidWork::new(&block),
        Interstitium::default(),
        InterstitialFlow::default(),
    ));
}

#[cfg(test)]
mod tests;
