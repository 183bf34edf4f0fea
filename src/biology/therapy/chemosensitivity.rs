//! Cells that drugs kill (capability `chemosensitivity`).
//!
//! A drug damages a cell at the rate `chemosensitivity.damage` in every phase, and at `chemosensitivity.mitotic_damage` in G2 and M alone: what its
//! rules make of its level there. The cell dies of it, by apoptosis, at the rate
//!
//! `s (damage + mitotic_damage [G2/M])`,
//!
//! with its sensitivity `s`, which daughters inherit and clones can lose: `heritable: {"chemosensitivity.sensitivity": ...}`. Cells that rest in
//! G0/G1 are not harmed by what acts in G2 and M, whatever their oxygen.
//!
//! [`die_of_drugs`] runs among the decisions of `Act`, after the deaths of a cell's own.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::TherapyDeaths;
use super::radiosensitivity::die_of_radiation;
use crate::cell::cycle::Phase;
use crate::cell::death::is_alive;
use crate::cell::event::{EventBook, EventKind, RegisterEvent};
use crate::cell::{CellType, Cycle, Position, Resident, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::random::probability;
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule};

/// How drugs kill cells of a type (capability `chemosensitivity`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct ChemosensitivityParameters {
    /// How fast a cell dies of a damage, over one that is fully sensitive; 1. Heritable resistance is a lower one.
    pub sensitivity: f32,
    /// Damage in every phase without any rule, 1/h; 0.
    pub damage_per_hour: f32,
    /// Damage in G2 and M without any rule, 1/h; 0.
    pub mitotic_damage_per_hour: f32,
}

impl Default for ChemosensitivityParameters {
    fn default() -> Self {
        Self {
            sensitivity: 1.0,
            damage_per_hour: 0.0,
            mitotic_damage_per_hour: 0.0,
        }
    }
}

impl Parameters for ChemosensitivityParameters {
    fn limits(_: &str) -> Limits {
        Limits {
            min: 0.0,
            max: 1000.0,
        }
    }
}

/// A drug killed a cell: it entered apoptosis.
pub const DIES_OF_DRUG: EventKind = EventKind::of("therapy.dies_of_drug");

const SENSITIVITY: &str = "chemosensitivity.sensitivity";
const DAMAGE: &str = "chemosensitivity.damage";
const MITOTIC: &str = "chemosensitivity.mitotic_damage";

/// Whether a cell dies of a drug.
const DEATH: Purpose = Purpose::of("therapy.dies_of_drug");

/// Living cells die of drugs.
pub fn die_of_drugs(
    clock: Res<Clock>,
    key: Res<RandomKey>,
    parameters: Res<PerType<ChemosensitivityParameters>>,
    inputs: Regulated,
    events: Res<EventBook>,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        Option<&Cycle>,
        &mut Vital,
    )>,
) {
    let (key, step, hours) = (*key, clock.step, clock.dt_hours());
    let parameters = &*parameters;
    if parameters.0.iter().all(Option::is_none) {
        return;
    }
    let [sensitivity, damage, mitotic] =
        [SENSITIVITY, DAMAGE, MITOTIC].map(|name| inputs.input(name));
    let bases = damage.bases().iter().chain(mitotic.bases());
    let is_damaged = bases.into_iter().any(|per_hour| *per_hour > 0.0);
    for (entities, ids, types, residents, positions, cycles, mut vitals) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let columns = [sensitivity, damage, mitotic].map(|input| input.in_table(entities));
        let [sensitivity, damage, mitotic] = columns;
        // Mostly there is no drug: no rule, and types that are not damaged without.
        if !damage.is_ruled() && !mitotic.is_ruled() && !is_damaged {
            continue;
        }
        for_each_row_mut(vitals.bypass_change_detection(), |row, vital| {
            let cell_type = types[row].0;
            if parameters.get(cell_type).is_none() || !is_alive(Some(vital)) {
                return;
            }
            let mut per_hour = damage.at(row, cell_type);
            let is_dividing =
                cycles.is_some_and(|cycles| matches!(cycles[row].phase, Phase::G2 | Phase::M));
            if is_dividing {
                per_hour += mitotic.at(row, cell_type);
            }
            per_hour *= sensitivity.at(row, cell_type);
            if per_hour <= 0.0 {
                return;
            }
            let mut random = key.stream(ids[row], step, DEATH);
            if random.chance(probability(per_hour, hours)) {
                vital.start_apoptosis();
                events.book(DIES_OF_DRUG, ids[row], residents[row].0, positions[row].0);
            }
        });
    }
}

/// Registers the capability.
pub(super) fn register(app: &mut App) {
    app.register_capability::<ChemosensitivityParameters>("chemosensitivity")
        .register_purpose(DEATH)
        .register_event(
            DIES_OF_DRUG,
            "A cell entered apoptosis that a drug had damaged.",
        );
    for (name, unit, about, field) in [
        (
            SENSITIVITY,
            "",
            "How fast a cell dies of what drugs do to it, over one that is fully sensitive.",
            "sensitivity",
        ),
        (
            DAMAGE,
            "1/h",
            "Rate at which a fully sensitive cell dies of drugs, in every phase.",
            "damage_per_hour",
        ),
        (
            MITOTIC,
            "1/h",
            "Rate at which a fully sensitive cell dies of drugs while it is in G2 or M.",
            "mitotic_damage_per_hour",
        ),
    ] {
        app.register_input::<ChemosensitivityParameters>(InputInfo::new(name, unit, about), field);
    }
    app.while_in_transit(
        die_of_drugs,
        InTransit::Runs,
        "rules find the background of a drug in blood, which is none",
    )
    .add_systems(
        SimSchedule,
        die_of_drugs.in_set(TherapyDeaths).after(die_of_radiation),
    );
}
