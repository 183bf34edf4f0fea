//! What water carries through the walls of vessels, and what lymph takes along.
//!
//! Through a wall of the permeability `P`, the surface `S` in a volume `V` and the reflection `sigma` that lets the water `J` through (1/min)
//! there pass, of a molecule at `c_v` in the blood and `c` in the tissue (Patlak, Goldstein and Hoffman 1963, J Theor Biol 5:426),
//!
//! `J (1 - sigma) (c_v e^Pe - c) / (e^Pe - 1)`, `Pe = J (1 - sigma) / (P S/V)`:
//!
//! diffusion `P S/V (c_v - c)` where no water flows, `J (1 - sigma) c_v` where it carries all. This is an exchange with a level: its rate and its level,
//! which may be above that of blood, are those of [`through_wall`], neither of which is ever negative. Lymph takes along what is in the tissue.
//!
//! What of a wall's properties is a molecule's is in its file ([`Molecule`]): `wall_permeability_um_per_min` and `wall_reflection`.

use bevy::math::ops;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::fluid::{Ground, Interstitium};
use crate::core::Clock;
use crate::core::state::WhollyKept;
use crate::tissue::host_vessels::{DrawnVessels, HostVessels};
use crate::tissue::medium::{ExchangesWithVessels, VesselExchange};
use crate::tissue::transport::{FieldSupply, is_due};
use crate::tissue::{Molecule, Molecules, Sites};

/// `Pe` beyond which diffusion counts for nothing: to a part in 5e8.
const MOST_PECLET: f32 = 20.0;

/// What a piece of wall is to a molecule.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WallPassage {
    /// Permeability times surface in a volume, `P S/V`, 1/min.
    pub diffusion_per_min: f32,
    /// Water that passes it, 1/min; into the tissue where positive.
    pub water_per_min: f32,
    /// Share of the molecules in it that it holds back, 0-1.
    pub reflection: f32,
}

/// Rate, 1/min, and level of the exchange through a wall with blood in which a molecule is at `blood`, by Patlak's law.
pub fn through_wall(wall: WallPassage, blood: f32) -> (f32, f32) {
    let carried = wall.water_per_min * (1.0 - wall.reflection);
    let least = carried.abs() / MOST_PECLET;
    let diffusion = wall.diffusion_per_min.max(least);
    if diffusion <= 0.0 {
        return (0.0, 0.0);
    }
    let peclet = carried / diffusion;
    // Below, a series: rate P S (1 - Pe/2), and level c_v (1 + Pe).
    if peclet.abs() < 1e-3 {
        return (diffusion * (1.0 - 0.5 * peclet), blood * (1.0 + peclet));
    }
    let rate = carried / ops::exp_m1(peclet);
    (rate, blood * ops::exp(peclet))
}

impl Molecule {
    /// How a wall that is so many times as leaky as a normal one, and of the surface `S/V` (1/um), lets it pass with this much water (1/min).
    /// A wall lets through `1 - sigma` of what water carries, so many times more the leakier it is, up to all of it.
    pub fn passage(&self, leakiness: f32, surface_per_um: f32, water_per_min: f32) -> WallPassage {
        WallPassage {
            diffusion_per_min: self.wall_permeability_um_per_min * leakiness * surface_per_um,
            water_per_min,
            reflection: (1.0 - (1.0 - self.wall_reflection) * leakiness).max(0.0),
        }
    }
}

/// What a molecule exchanges with vessels and lymphatics of a site that are not drawn, as far as water carries it.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InterstitialExchange {
    exchange: VesselExchange,
    /// What it was worked out for; none before the first time.
    of: Option<WorkedOutFor>,
}

/// When what water carries is worked out anew: kept, so that a resumed run does so when the whole one does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct WorkedOutFor {
    /// Number of the solve of the fluid.
    solve: u64,
    /// Permeability of a normal wall to the molecule, um/min.
    permeability_um_per_min: f32,
    /// Share of it that such a wall holds back.
    reflection: f32,
    /// Its level in blood.
    blood: f32,
}

impl WhollyKept for InterstitialExchange {}

impl ExchangesWithVessels for InterstitialExchange {
    fn exchange(&self) -> &VesselExchange {
        &self.exchange
    }
}

/// Works out what water carries, where it flows otherwise than before.
pub(super) fn carry_through_walls(
    clock: Res<Clock>,
    molecules: Res<Molecules>,
    sites: Res<Sites>,
    fluids: Query<(&Interstitium, &Ground, &HostVessels, Has<DrawnVessels>)>,
    mut fields: Query<(&FieldSupply, &mut InterstitialExchange)>,
) {
    for site in &sites.list {
        let Ok((fluid, ground, host, is_drawn)) = fluids.get(site.entity) else {
            continue;
        };
        for field in &site.fields {
            let Ok((supply, mut of_field)) = fields.get_mut(field.entity) else {
                continue;
            };
            let molecule = molecules.get(field.molecule);
            let now = Some(WorkedOutFor {
                solve: fluid.solves,
                permeability_um_per_min: molecule.wall_permeability_um_per_min,
                reflection: molecule.wall_reflection,
                blood: supply.level,
            });
            // What is in blood may change in every step, and counts when the field is solved.
            let but_for_blood = of_field.of.map(|of| WorkedOutFor {
                blood: supply.level,
                ..of
            });
            let waits = but_for_blood == now && !is_due(&clock, molecule);
            if of_field.of == now || waits {
                continue;
            }
            let voxels = site.block.voxels();
            let mut exchange = VesselExchange::none(voxels);
            let (rates, levels) = exchange.parts_mut();
            for voxel in 0..voxels {
                let water = fluid.filtered_per_min(voxel);
                let surface = ground.surface[voxel] * ground.undrawn(host, is_drawn, voxel);
                let mut wall = molecule.passage(ground.leakiness[voxel], surface, water);
                // What crosses walls freely is brought by perfusion.
                if molecule.crosses_vessel_walls {
                    wall.diffusion_per_min = 0.0;
                }
                let (rate, level) = through_wall(wall, supply.level);
                let drained = fluid.drained_per_min(voxel).max(0.0);
                let whole = rate + drained;
                rates[voxel] = whole;
                levels[voxel] = if whole > 0.0 {
                    rate * level / whole
                } else {
                    0.0
                };
            }
            of_field.exchange = exchange;
            of_field.of = now;
        }
    }
}
