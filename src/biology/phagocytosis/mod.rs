//! Phagocytosis: cells that take up the dead (capability `phagocytosis`).
//!
//! A phagocyte that touches a dead or dying cell takes it up at the rate `phagocytosis.rate`, whole and at once: the event names both. It
//! then digests it, for `digestion_hours`, and takes up no other meanwhile. Of several that would take up the same cell in a step the one
//! with the lowest identity does. What a cell leaves to whoever eats it, its antigen, is said by the capability `edible`: it is the input
//! `edible.antigen` as it was when the cell died, and fades in the eater as the meal is digested (`phagocytosis.antigen`).
//!
//! The systems: [`mark_edible`] notes in `Signal` what living cells would leave; [`engulf`] runs among the decisions of `Act`, when it is
//! decided who dies; the eaten are removed in `Turnover`.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::event::{EventKind, Passage, RegisterEvent};
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::neighbourhood::{Asking, Neighbour, Neighbourhood, UseNeighbourhood};
use crate::cell::turnover::Passages;
use crate::cell::{ActSystems, Body, CellType, Living, Position, Resident, Vital, order_act};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::random::probability;
use crate::core::state::RegisterState;
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule, SimSystems};

mod known;

/// How cells of a type eat the dead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct PhagocytosisParameters {
    /// Rate at which it takes up a dead cell that it touches, 1/h; 0.5. Assumed: uptake takes minutes to hours.
    pub uptake_per_hour: f32,
    /// How long it digests a cell and takes up no other, h; 3. Assumed.
    pub digestion_hours: f32,
}

impl Default for PhagocytosisParameters {
    fn default() -> Self {
        Self {
            uptake_per_hour: 0.5,
            digestion_hours: 3.0,
        }
    }
}

impl Parameters for PhagocytosisParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "digestion_hours" => Limits {
                min: 0.01,
                max: 1.0e4,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e3,
            },
        }
    }
}

/// What a cell of a type leaves to whoever eats it when it is dead (capability `edible`). Cells without it leave nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct EdibleParameters {
    /// Antigen without any rule, 0-1: that by which T cells know it.
    pub antigen: f32,
}

impl Parameters for EdibleParameters {
    fn limits(_: &str) -> Limits {
        Limits::FRACTION
    }
}

/// A cell that eats.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Phagocyte {
    /// How long it will digest what it has taken up, h; 0 if there is nothing.
    pub digesting_hours: f32,
    /// Antigen of what it digests, 0-1: as much of it as is not digested yet.
    pub antigen: f32,
    /// Cells that it has taken up.
    pub eaten: u32,
}

/// What a cell leaves.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Edible {
    /// Antigen, 0-1; of a dead cell that which it had when it died.
    pub antigen: f32,
}

/// The inputs.
const RATE: &str = "phagocytosis.rate";
const ANTIGEN: &str = "edible.antigen";

/// Whether a phagocyte takes up what it touches, and which.
const UPTAKE: Purpose = Purpose::of("phagocytosis.uptake");

/// A dead or dying cell was taken up; the row names it, and who did it as the other.
pub const EATEN: EventKind = EventKind::of("phagocytosis.eaten");

/// Living cells note what they would leave.
pub fn mark_edible(
    parameters: Res<PerType<EdibleParameters>>,
    inputs: Regulated,
    mut cells: Query<(Entity, &CellType, Option<&Vital>, &mut Edible)>,
) {
    let parameters = &*parameters;
    let antigen = inputs.input(ANTIGEN);
    for (entities, types, vitals, mut edibles) in cells.contiguous_iter_mut().expect(IN_TABLES) {
        let antigen = antigen.in_table(entities);
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(edibles.bypass_change_detection(), |row, edible| {
            if let Some((cell_type, _)) = living.at(row) {
                edible.antigen = antigen.at(row, cell_type);
            }
        });
    }
}

/// A cell that would be taken up, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Meal {
    prey: CellId,
    eater: CellId,
    prey_entity: Entity,
    eater_entity: Entity,
}

/// Living phagocytes digest, and those that have room take up a dead cell that they touch.
pub fn engulf(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    parameters: Res<PerType<PhagocytosisParameters>>,
    (inputs, near, passages): (Regulated, Neighbourhood, Res<Passages>),
    dead: Query<(&Vital, Option<&Edible>), With<CellId>>,
    mut eaters: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        &Body,
        Option<&Vital>,
        &mut Phagocyte,
    )>,
    mut meals: Local<Vec<Meal>>,
) {
    let parameters = &*parameters;
    let hours = clock.dt_hours();
    let rate = inputs.input(RATE);
    meals.clear();
    for (entities, ids, types, residents, positions, bodies, vitals, mut states) in
        eaters.contiguous_iter_mut().expect(IN_TABLES)
    {
        let rate = rate.in_table(entities);
        let living = Living::of(types, vitals, parameters);
        let states = states.bypass_change_detection();
        // One after the other: they are few, and most have nothing to eat.
        for row in 0..ids.len() {
            let state = &mut states[row];
            let Some((cell_type, _)) = living.at(row) else {
                state.antigen = 0.0;
                state.digesting_hours = 0.0;
                continue;
            };
            let left = (state.digesting_hours - hours).max(0.0);
            if state.digesting_hours > 0.0 {
                state.antigen *= left / state.digesting_hours;
            }
            state.digesting_hours = left;
            let site = residents[row].0;
            if left > 0.0 || site.is_transit() {
                continue;
            }
            // Asked first: in most steps it would take up nothing, and who is near does not matter.
            let mut random = key.stream(ids[row], clock.step, UPTAKE);
            if !random.chance(probability(rate.at(row, cell_type), hours)) {
                continue;
            }
            let asking = Asking {
                id: ids[row],
                site,
                at_um: positions[row].0,
            };
            let found = near.touching(asking, bodies[row].radius_um, &[], |touching| {
                let is_dead = |other: &&Neighbour| {
                    let found = dead.get(other.entity);
                    found.is_ok_and(|(vital, _)| !vital.is_alive() && !vital.is_cleared())
                };
                let count = touching.iter().filter(is_dead).count();
                let last = count.checked_sub(1)?;
                let place = (random.uniform() * count as f32) as usize;
                touching
                    .iter()
                    .filter(is_dead)
                    .nth(place.min(last))
                    .copied()
            });
            if let Some(prey) = found {
                meals.push(Meal {
                    prey: prey.id,
                    eater: ids[row],
                    prey_entity: prey.entity,
                    eater_entity: entities[row],
                });
            }
        }
    }
    meals.sort_unstable_by_key(|meal| (meal.prey, meal.eater));
    meals.dedup_by_key(|meal| meal.prey);
    for meal in &*meals {
        let antigen = dead
            .get(meal.prey_entity)
            .ok()
            .and_then(|(_, edible)| edible);
        let Ok((_, _, cell_type, .., mut state)) = eaters.get_mut(meal.eater_entity) else {
            continue;
        };
        let Some(of) = parameters.get(cell_type.0) else {
            continue;
        };
        let state = state.bypass_change_detection();
        state.eaten += 1;
        state.digesting_hours = of.digestion_hours;
        state.antigen = antigen.map_or(0.0, |edible| edible.antigen);
        passages.remove(meal.prey, meal.prey_entity, EATEN, Some(meal.eater));
    }
}

/// Those that eat the dead.
pub struct PhagocytosisPlugin;

impl Plugin for PhagocytosisPlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        app.register_capability::<PhagocytosisParameters>("phagocytosis")
            .register_capability::<EdibleParameters>("edible")
            .register_cell_state::<Phagocyte>("phagocyte")
            .register_cell_state::<Edible>("edible")
            .register_purpose(UPTAKE)
            .register_input::<PhagocytosisParameters>(
                InputInfo::new(
                    RATE,
                    "1/h",
                    "Rate at which a phagocyte takes up a dead cell that it touches.",
                ),
                "uptake_per_hour",
            )
            .register_input::<EdibleParameters>(
                InputInfo::new(
                    ANTIGEN,
                    "",
                    "Antigen that a cell leaves to whoever eats it when it is dead.",
                ),
                "antigen",
            )
            .register_passage(
                EATEN,
                Passage::Removal,
                "A dead or dying cell was taken up by a phagocyte.",
            )
            .use_neighbourhood_of::<Phagocyte>()
            .begin_cells(|place| {
                place.parameters::<PhagocytosisParameters>()?;
                Some(Beginning::settled(Phagocyte::default()))
            })
            .begin_cells(|place| {
                let antigen = place.parameters::<EdibleParameters>()?.antigen;
                Some(Beginning::settled(Edible { antigen }))
            })
            .divide_cells(|cell, division| {
                // The meal goes on with her who took it up.
                if division.side > 0.0
                    && let Some(mut state) = cell.get_mut::<Phagocyte>()
                {
                    *state = Phagocyte::default();
                }
            })
            .register_cell_invariant::<Phagocyte>(SimSystems::Act, "engulf", |state| {
                outside("the antigen that it digests", state.antigen, 0.0, 1.0).or_else(|| {
                    outside(
                        "its time of digestion, h,",
                        state.digesting_hours,
                        0.0,
                        1.0e4,
                    )
                })
            })
            .while_in_transit(
                mark_edible,
                InTransit::Runs,
                "what it would leave is said by rules",
            )
            .while_in_transit(
                engulf,
                InTransit::Runs,
                "it digests wherever it is, and touches nobody there",
            )
            .add_systems(
                SimSchedule,
                (
                    mark_edible.in_set(SimSystems::Signal),
                    engulf
                        .after(ActSystems::Kill)
                        .before(ActSystems::Cycle)
                        .in_set(ActSystems::Decide),
                ),
            );
        known::register(app);
    }
}
