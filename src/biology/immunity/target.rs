//! What killers see of a cell, and what their hits leave (capability `target`).
//!
//! A hit of a cytotoxic T cell rarely kills. Each leaves damage that is repaired after an exponential time of 50 min, and the
//! cell dies when so many hits are there at once as its *resistance* asks for: three (Weigelin et al. 2021,
//! doi:10.1038/s41467-021-25282-3). Hits come at a rate and each is repaired at a rate, so how many are there is all that a
//! cell has to keep.
//!
//! What killers see of it are inputs, set by rules: `target.recognition` (antigen on MHC-I) for T cells; `target.stress` and
//! `target.mhc_1` for natural killer cells; `target.pd_l1`, by which it holds T cells back; `target.resistance`.
//!
//! [`show_targets`] runs in `Signal` and writes only [`Target`]: killers read there what they touch.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::synapse::SYNAPSE;
use crate::cell::bonds::BondKinds;
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::movement::SiteMechanics;
use crate::cell::{CellType, Resident, Vital};
use crate::cell::{Living, mechanics::Bonds};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::random::Random;
use crate::core::state::RegisterState;
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule, SimSystems};
use crate::tissue::Sites;

/// What killers see of cells of a type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct TargetParameters {
    /// How well T cells recognise it, 0-1: of the hits that they would strike it at full antigen and MHC-I this share; 1.
    pub recognition: f32,
    /// Ligands of stress (CD155, MICA/B), 0-1, by which natural killer cells know it; 0.
    pub stress: f32,
    /// MHC-I over that of a normal cell, which tells natural killer cells that it is one; 1.
    pub mhc_1: f32,
    /// PD-L1, molecules/um2; 0 without any rule.
    pub pd_l1_per_um2: f32,
    /// Hits that kill when they are there at once; 3 (Weigelin et al. 2021). What lies between two whole numbers is taken for the
    /// higher one.
    pub resistance: f32,
    /// Mean time until a hit is repaired, min; 50 (Weigelin et al. 2021).
    pub damage_life_min: f32,
}

impl Default for TargetParameters {
    fn default() -> Self {
        Self {
            recognition: 1.0,
            stress: 0.0,
            mhc_1: 1.0,
            pd_l1_per_um2: 0.0,
            resistance: 3.0,
            damage_life_min: 50.0,
        }
    }
}

impl Parameters for TargetParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "recognition" | "stress" => Limits::FRACTION,
            "mhc_1" => Limits {
                min: 0.0,
                max: 100.0,
            },
            "pd_l1_per_um2" => Limits {
                min: 0.0,
                max: 1.0e5,
            },
            "resistance" => Limits {
                min: 1.0,
                max: MOST_HITS as f64,
            },
            _ => Limits {
                min: 0.1,
                max: 1.0e5,
            },
        }
    }
}

/// Most hits that a cell can be asked to bear.
pub const MOST_HITS: u32 = 50;

/// What killers see of a cell, and the damage that it bears.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Target {
    /// Hits that are not yet repaired.
    pub damage: u32,
    /// How well T cells recognise it in this step, 0-1.
    pub recognition: f32,
    /// Ligands of stress, 0-1.
    pub stress: f32,
    /// MHC-I over that of a normal cell.
    pub mhc_1: f32,
    /// PD-L1, molecules/um2.
    pub pd_l1: f32,
    /// Hits that kill when they are there at once.
    pub resistance: f32,
    /// Time since it came into its site or began there, h.
    pub hours_here: f32,
}

impl Target {
    fn of(parameters: &TargetParameters) -> Self {
        Self {
            damage: 0,
            recognition: parameters.recognition,
            stress: parameters.stress,
            mhc_1: parameters.mhc_1,
            pd_l1: parameters.pd_l1_per_um2,
            resistance: parameters.resistance,
            hours_here: 0.0,
        }
    }

    /// Lets hits come and be repaired for so many minutes: they come at the rate `hits_per_min`, and each is repaired after
    /// `life_min` on average. Calls `strike` for each hit that comes. Returns whether there were once enough to kill.
    ///
    /// Every hit and every repair comes at its own moment (Gillespie 1977, J Phys Chem 81:2340), so the outcome does not hang on
    /// the length of the step.
    pub fn suffer(
        &mut self,
        minutes: f32,
        hits_per_min: f32,
        life_min: f32,
        random: &mut Random,
        mut strike: impl FnMut(&mut Random),
    ) -> bool {
        let lethal = (self.resistance.ceil() as u32).clamp(1, MOST_HITS);
        let mut left = minutes;
        loop {
            let total = hits_per_min + self.damage as f32 / life_min;
            if total <= 0.0 {
                return false;
            }
            left -= random.exponential() / total;
            if left <= 0.0 {
                return false;
            }
            if random.uniform() * total < hits_per_min {
                strike(random);
                self.damage += 1;
                if self.damage >= lethal {
                    return true;
                }
            } else {
                self.damage -= 1;
            }
        }
    }
}

/// The inputs.
const RECOGNITION: &str = "target.recognition";
const STRESS: &str = "target.stress";
const MHC_1: &str = "target.mhc_1";
const PD_L1: &str = "target.pd_l1";
const RESISTANCE: &str = "target.resistance";

/// When hits come and are repaired.
pub(super) const DAMAGE: Purpose = Purpose::of("immunity.damage");

/// Longest time in a site that is counted, h: nothing depends on more.
const COUNTED_HOURS: f32 = 1.0e4;

/// Living cells show what rules make of them; those that no killer holds repair hits.
pub fn show_targets(
    clock: Res<Clock>,
    key: Res<RandomKey>,
    sites: Res<Sites>,
    kinds: Res<BondKinds>,
    parameters: Res<PerType<TargetParameters>>,
    inputs: Regulated,
    mechanics: Query<&SiteMechanics>,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        Option<&Vital>,
        &mut Target,
    )>,
) {
    let (key, step, minutes) = (*key, clock.step, clock.dt_minutes());
    let hours = clock.dt_hours();
    let parameters = &*parameters;
    let kind = kinds.id(SYNAPSE.name);
    let bonds: Vec<Option<&Bonds>> = sites
        .list
        .iter()
        .map(|site| Some(&mechanics.get(site.entity).ok()?.bonds))
        .collect();
    let [recognition, stress, mhc_1, pd_l1, resistance] =
        [RECOGNITION, STRESS, MHC_1, PD_L1, RESISTANCE].map(|name| inputs.input(name));
    for (entities, ids, types, residents, vitals, mut targets) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let [recognition, stress, mhc_1, pd_l1, resistance] =
            [&recognition, &stress, &mhc_1, &pd_l1, &resistance]
                .map(|input| input.in_table(entities));
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(targets.bypass_change_detection(), |row, target| {
            let Some((cell_type, parameters)) = living.at(row) else {
                return;
            };
            target.recognition = recognition.at(row, cell_type);
            target.stress = stress.at(row, cell_type);
            target.mhc_1 = mhc_1.at(row, cell_type);
            target.pd_l1 = pd_l1.at(row, cell_type);
            target.resistance = resistance.at(row, cell_type);
            let site = residents[row].0;
            target.hours_here = if site.is_transit() {
                0.0
            } else {
                (target.hours_here + hours).min(COUNTED_HOURS)
            };
            if target.damage == 0 {
                return;
            }
            let here = bonds.get(usize::from(site.0)).copied().flatten();
            let id = ids[row];
            let is_held = here
                .is_some_and(|bonds| bonds.binds(id) && bonds.of(id).any(|bond| bond.kind == kind));
            if !is_held {
                let mut random = key.stream(id, step, DAMAGE);
                target.suffer(
                    minutes,
                    0.0,
                    parameters.damage_life_min,
                    &mut random,
                    |_| {},
                );
            }
        });
    }
}

/// Registers the capability.
pub(super) fn register(app: &mut App) {
    app.register_capability::<TargetParameters>("target")
        .register_cell_state::<Target>("target")
        .register_purpose(DAMAGE);
    for (name, unit, about, field) in [
        (
            RECOGNITION,
            "",
            "How well T cells recognise the cell, 0-1: antigen on MHC-I.",
            "recognition",
        ),
        (
            STRESS,
            "",
            "Ligands of stress on the cell, 0-1, by which natural killer cells know it.",
            "stress",
        ),
        (
            MHC_1,
            "",
            "MHC-I over that of a normal cell, which holds natural killer cells back.",
            "mhc_1",
        ),
        (
            PD_L1,
            "1/um2",
            "PD-L1 that the cell shows to a T cell.",
            "pd_l1_per_um2",
        ),
        (
            RESISTANCE,
            "",
            "Hits that kill the cell when they are there at once.",
            "resistance",
        ),
    ] {
        app.register_input::<TargetParameters>(InputInfo::new(name, unit, about), field);
    }
    app.begin_cells(|place| {
        let parameters = place.parameters::<TargetParameters>()?;
        Some(Beginning::settled(Target::of(parameters)))
    })
    .register_cell_invariant::<Target>(SimSystems::Signal, "show_targets", |target| {
        outside("how well it is recognised", target.recognition, 0.0, 1.0)
            .or_else(|| outside("its stress", target.stress, 0.0, 1.0))
            .or_else(|| {
                (target.damage > MOST_HITS).then(|| format!("it bears {} hits", target.damage))
            })
    })
    .while_in_transit(
        show_targets,
        InTransit::Runs,
        "what a cell shows, and its repair, need no place",
    )
    .add_systems(SimSchedule, show_targets.in_set(SimSystems::Signal));
}
