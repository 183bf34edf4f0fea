//! Residents that vesicles educate (capability `education`).

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::NicheParameters;
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::{CellType, Living, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::random::probability;
use crate::core::state::RegisterState;
use crate::core::{Clock, SimSchedule, SimSystems};

/// How residents of a type are educated (capability `education`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct EducationParameters {
    /// The dose without any rule, over the one that educates by half.
    pub dose: f32,
    /// How much of the fibronectin that its education would have it lay it lays, without any rule; 1.
    pub laying: f32,
}

impl Default for EducationParameters {
    fn default() -> Self {
        Self {
            dose: 0.0,
            laying: 1.0,
        }
    }
}

impl Parameters for EducationParameters {
    fn limits(_: &str) -> Limits {
        Limits {
            min: 0.0,
            max: 1.0e6,
        }
    }
}

/// How far a resident is educated.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Educated {
    /// Its education, `X`: 1 where it lays half of what it may.
    pub education: f32,
    /// How much of what its education would have it lay it lays.
    pub laying: f32,
}

/// The inputs.
const DOSE: &str = "niche.dose";
const LAYING: &str = "niche.laying";

/// Living residents follow their dose.
pub fn educate(
    clock: Res<Clock>,
    niche: Res<NicheParameters>,
    parameters: Res<PerType<EducationParameters>>,
    inputs: Regulated,
    mut cells: Query<(Entity, &CellType, Option<&Vital>, &mut Educated)>,
) {
    let parameters = &*parameters;
    let days = clock.dt_hours() / 24.0 * niche.pace;
    let way = probability(1.0 / niche.education_days, days);
    let [dose, laying] = [DOSE, LAYING].map(|name| inputs.input(name));
    for (entities, types, vitals, mut educated) in cells.contiguous_iter_mut().expect(IN_TABLES) {
        let [dose, laying] = [&dose, &laying].map(|input| input.in_table(entities));
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(educated.bypass_change_detection(), |row, educated| {
            let Some((cell_type, _)) = living.at(row) else {
                return;
            };
            educated.education += way * (dose.at(row, cell_type) - educated.education);
            educated.laying = laying.at(row, cell_type);
        });
    }
}

/// Registers the capability.
pub(super) fn register(app: &mut App) {
    app.register_capability::<EducationParameters>("education")
        .register_cell_state::<Educated>("educated")
        .register_input::<EducationParameters>(
            InputInfo::new(
                DOSE,
                "",
                "What educates a resident, over the dose that does so by half.",
            ),
            "dose",
        )
        .register_input::<EducationParameters>(
            InputInfo::new(
                LAYING,
                "",
                "How much of the fibronectin that its education would have it lay a resident lays.",
            ),
            "laying",
        )
        .begin_cells(|place| {
            place.parameters::<EducationParameters>()?;
            Some(Beginning::settled(Educated::default()))
        })
        .register_cell_invariant::<Educated>(SimSystems::Signal, "educate", |educated| {
            outside("its education", educated.education, 0.0, 1.0e6)
        })
        .while_in_transit(
            educate,
            InTransit::Runs,
            "what a cell has learned fades wherever it is",
        )
        .add_systems(SimSchedule, educate.in_set(SimSystems::Signal));
}
