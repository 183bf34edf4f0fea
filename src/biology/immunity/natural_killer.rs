//! Natural killer cells (capability `natural_killer`).
//!
//! They need no priming and no antigen. A natural killer cell that touches a cell with ligands of stress, or without the MHC-I of a
//! normal one, holds it for some minutes and then kills it with the probability
//!
//! `p = v p_0 max(s, m (1 - M)) (1 + g (1 - M)) phi`, at most 1,
//!
//! `s` being the ligands of stress, `M` the MHC-I of the cell, 0-1, `p_0` the mean over all natural killer cells (0.5 on a cell with all
//! ligands: Ichise et al. 2022), `g` what lost MHC-I adds (half again), `m` what its loss alone counts as, and `v` the vigour of the
//! killer. Between a quarter and a half of them kill at all, and few of those kill several (Vanherberghen et al. 2013, Blood 121:1326;
//! Guldevall et al. 2016, doi:10.3389/fimmu.2016.00119): `v` is 0 for the inert ones and such for the others that the mean is 1.
//! After a kill it recovers, serial killers in less time than others; after a contact without one it goes on at once, but for a pause in
//! which it leaves.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::target::Target;
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::{CellType, Living, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::random::Random;
use crate::core::state::RegisterState;
use crate::core::{Purpose, RegisterPurpose, SimSchedule, SimSystems};

/// How natural killer cells of a type kill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct NaturalKillerParameters {
    /// Probability that a contact with a cell of all ligands of stress kills it, the mean over all natural killer cells, `p_0`; 0.5 (Ichise
    /// et al. 2022).
    pub kill_chance: f32,
    /// Share that kills at all; 0.5, of 0.25-0.5 (Vanherberghen et al. 2013).
    pub lytic_share: f32,
    /// Share of those that are serial killers; 0.2. Assumed, after Guldevall et al. 2016.
    pub serial_share: f32,
    /// What the loss of MHC-I adds to the probability, `g`; 0.5.
    pub missing_self_gain: f32,
    /// What the loss of MHC-I alone counts as in ligands of stress, `m`; 0.5. Assumed.
    pub missing_self: f32,
    /// What counts as a target: product of ligands and their gain above which it stops for a cell; 0.02. Assumed.
    pub least_drive: f32,
    /// Rate at which it forms a synapse with a target that it touches, 1/min; 2. Assumed.
    pub binding_per_min: f32,
    /// Time for which it holds a target before it kills or leaves it, min; 6. Assumed: lytic contacts last 10 min or less [M].
    pub contact_min: f32,
    /// Time after a contact without a kill in which it forms none, min; 3: it walks two bodies away. Assumed.
    pub pause_min: f32,
    /// Mean time of recovery after a kill, min; 240: one or two kills in 12 h. Assumed.
    pub recovery_min: f32,
    /// The same of a serial killer, min; 30. Assumed.
    pub serial_recovery_min: f32,
}

impl Default for NaturalKillerParameters {
    fn default() -> Self {
        Self {
            kill_chance: 0.5,
            lytic_share: 0.5,
            serial_share: 0.2,
            missing_self_gain: 0.5,
            missing_self: 0.5,
            least_drive: 0.02,
            binding_per_min: 2.0,
            contact_min: 6.0,
            pause_min: 3.0,
            recovery_min: 240.0,
            serial_recovery_min: 30.0,
        }
    }
}

impl Parameters for NaturalKillerParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "kill_chance" | "serial_share" | "missing_self" | "least_drive" => Limits::FRACTION,
            "lytic_share" => Limits {
                min: 0.01,
                max: 1.0,
            },
            "missing_self_gain" | "binding_per_min" => Limits {
                min: 0.0,
                max: 100.0,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e5,
            },
        }
    }
}

impl NaturalKillerParameters {
    /// How much a cell drives natural killers to kill it.
    pub fn drive(&self, target: &Target) -> f32 {
        let missing = (1.0 - target.mhc_1).clamp(0.0, 1.0);
        target.stress.max(self.missing_self * missing) * (1.0 + self.missing_self_gain * missing)
    }
}

/// What a natural killer cell is born to.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Reflect,
)]
#[repr(u8)]
pub enum Bent {
    /// It never kills.
    #[default]
    Inert,
    /// It kills.
    Lytic,
    /// It kills one after the other.
    Serial,
}

/// A natural killer cell; daughters are as their mother.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct NaturalKiller {
    /// What it is born to.
    pub bent: Bent,
    /// The mean of all of its type of the chance to kill a cell of all ligands of stress, in this step.
    pub kill_chance: f32,
}

impl NaturalKiller {
    fn drawn(parameters: &NaturalKillerParameters, random: &mut Random) -> Self {
        let (lytic, serial) = (random.uniform(), random.uniform());
        Self {
            bent: if lytic >= parameters.lytic_share {
                Bent::Inert
            } else if serial < parameters.serial_share {
                Bent::Serial
            } else {
                Bent::Lytic
            },
            kill_chance: parameters.kill_chance,
        }
    }

    /// Its chance to kill a target at the end of a contact, given what suppression leaves.
    pub fn chance(
        &self,
        parameters: &NaturalKillerParameters,
        function: f32,
        target: &Target,
    ) -> f32 {
        if self.bent == Bent::Inert {
            return 0.0;
        }
        let own = self.kill_chance / parameters.lytic_share;
        (own * parameters.drive(target) * function).clamp(0.0, 1.0)
    }

    /// Mean time that it recovers after a kill, min.
    pub fn recovery_min(&self, parameters: &NaturalKillerParameters) -> f32 {
        match self.bent {
            Bent::Serial => parameters.serial_recovery_min,
            Bent::Inert | Bent::Lytic => parameters.recovery_min,
        }
    }
}

/// The input that is the chance to kill.
const KILL_CHANCE: &str = "natural_killer.kill_chance";

/// What a natural killer cell is born to.
const BENT: Purpose = Purpose::of("immunity.bent");
/// Whether it kills, and how long it recovers.
pub(super) const LYSIS: Purpose = Purpose::of("immunity.lysis");

/// Living natural killer cells are as ready to kill as rules say.
pub fn make_ready(
    parameters: Res<PerType<NaturalKillerParameters>>,
    inputs: Regulated,
    mut cells: Query<(Entity, &CellType, Option<&Vital>, &mut NaturalKiller)>,
) {
    let parameters = &*parameters;
    let kill_chance = inputs.input(KILL_CHANCE);
    for (entities, types, vitals, mut killers) in cells.contiguous_iter_mut().expect(IN_TABLES) {
        let kill_chance = kill_chance.in_table(entities);
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(killers.bypass_change_detection(), |row, killer| {
            if let Some((cell_type, _)) = living.at(row) {
                killer.kill_chance = kill_chance.at(row, cell_type);
            }
        });
    }
}

/// Registers the capability.
pub(super) fn register(app: &mut App) {
    app.register_capability::<NaturalKillerParameters>("natural_killer")
        .register_cell_state::<NaturalKiller>("natural_killer")
        .register_purpose(BENT)
        .register_purpose(LYSIS)
        .register_input::<NaturalKillerParameters>(
            InputInfo::new(
                KILL_CHANCE,
                "",
                "Probability that a contact with a cell of all ligands of stress kills it.",
            ),
            "kill_chance",
        )
        .begin_cells(|place| {
            let parameters = place.parameters::<NaturalKillerParameters>()?.clone();
            let inert = NaturalKiller::default();
            Some(
                Beginning::settled(inert).and_draw(BENT, move |cell, random| {
                    cell.insert(NaturalKiller::drawn(&parameters, random));
                }),
            )
        })
        .while_in_transit(
            make_ready,
            InTransit::Runs,
            "how ready it is needs no place",
        )
        .add_systems(SimSchedule, make_ready.in_set(SimSystems::Signal))
        .register_cell_invariant::<super::Killer>(SimSystems::Act, "strike", |killer| {
            outside(
                "the time that it has left, min,",
                killer.left_min,
                0.0,
                1.0e7,
            )
        });
}
