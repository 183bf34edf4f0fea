//! What all killers have in common: what they do just now, what holds them back, and their history.
//!
//! Rules on `killer.function` say what share of its hits a killer has left under all that suppresses it, `phi`: receptors that are
//! bound, cytokines, adenosine, lack of oxygen. Each of these has a floor of its own, and what is left of all together is never
//! less than [`ImmunityParameters::least_function`].

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::natural_killer::NaturalKillerParameters;
use super::t_cell::CytotoxicParameters;
use crate::cell::death::is_alive;
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::{CellType, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::state::RegisterState;
use crate::core::{SimSchedule, SimSystems};
use crate::measure::shares::ExplainInput;

/// What holds for all killers (group `immunity`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct ImmunityParameters {
    /// The least that all suppression together leaves of what a killer does; 0.1. Calibrated: a product of five factors would end all
    /// killing, which is not seen.
    pub least_function: f32,
}

impl Default for ImmunityParameters {
    fn default() -> Self {
        Self {
            least_function: 0.1,
        }
    }
}

impl Parameters for ImmunityParameters {
    fn limits(_: &str) -> Limits {
        Limits::FRACTION
    }
}

/// What a killer does just now.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Reflect,
)]
#[repr(u8)]
pub enum Doing {
    /// It looks for targets.
    #[default]
    Searching,
    /// It holds one in a synapse.
    Engaged,
    /// It takes a rest after one, and looks for none.
    Recovering,
}

/// A killer: what it does and what it did.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Killer {
    /// What it does just now.
    pub doing: Doing,
    /// Time until it lets go of what it holds, or looks for targets again, min.
    pub left_min: f32,
    /// What suppression leaves of it in this step, `phi`.
    pub function: f32,
    /// How well it recognises what it holds, 0-1; 0 if it holds nothing.
    pub antigen: f32,
    /// PD-L1 of what it holds, molecules/um2; 0 if it holds nothing.
    pub met_pd_l1: f32,
    /// Synapses that it formed.
    pub contacts: u32,
    /// Hits that it struck.
    pub hits: u32,
    /// Hits of the step.
    pub hits_now: u32,
    /// Cells that it killed.
    pub kills: u32,
}

/// The input that is the function.
const FUNCTION: &str = "killer.function";

/// Living killers heed what suppresses them.
pub fn heed_suppression(
    immunity: Res<ImmunityParameters>,
    inputs: Regulated,
    mut cells: Query<(Entity, &CellType, Option<&Vital>, &mut Killer)>,
) {
    let least = immunity.least_function;
    let function = inputs.input(FUNCTION);
    for (entities, types, vitals, mut killers) in cells.contiguous_iter_mut().expect(IN_TABLES) {
        let function = function.in_table(entities);
        for_each_row_mut(killers.bypass_change_detection(), |row, killer| {
            if is_alive(vitals.map(|vitals| &vitals[row])) {
                killer.function = function.at(row, types[row].0).max(least);
            } else {
                *killer = Killer {
                    doing: Doing::Searching,
                    left_min: 0.0,
                    antigen: 0.0,
                    met_pd_l1: 0.0,
                    hits_now: 0,
                    ..*killer
                };
            }
        });
    }
}

/// Whether cells of a type kill.
fn kills(world: &World, cell_type: u16) -> bool {
    fn has<P: Parameters>(world: &World, cell_type: u16) -> bool {
        let table = world.get_resource::<PerType<P>>();
        table.is_some_and(|table| table.get(cell_type).is_some())
    }
    has::<CytotoxicParameters>(world, cell_type) || has::<NaturalKillerParameters>(world, cell_type)
}

/// Registers what killers have in common.
pub(super) fn register(app: &mut App) {
    app.explain_input(FUNCTION, "What holds killers back")
        .register_group::<ImmunityParameters>("immunity")
        .register_cell_state::<Killer>("killer")
        .register_input_with(
            InputInfo::new(
                FUNCTION,
                "",
                "What suppression leaves of the hits of a killer, 1 without any.",
            )
            .limits(Limits {
                min: 0.0,
                max: 10.0,
            }),
            |world, cell_type| kills(world, cell_type).then_some(1.0),
        )
        .begin_cells(|place| {
            kills(place.world, place.cell_type).then(|| {
                Beginning::settled(Killer {
                    function: 1.0,
                    ..Killer::default()
                })
            })
        })
        .divide_cells(|cell, division| {
            if let Some(mut killer) = cell.get_mut::<Killer>() {
                // The new one has no history, and holds nothing.
                if division.side > 0.0 {
                    *killer = Killer {
                        function: killer.function,
                        ..Killer::default()
                    };
                }
            }
        })
        .register_cell_invariant::<Killer>(SimSystems::Signal, "heed_suppression", |killer| {
            outside("its function", killer.function, 0.0, 10.0)
        })
        .while_in_transit(
            heed_suppression,
            InTransit::Runs,
            "what suppresses a killer needs no place; rules find the background of molecules",
        )
        .add_systems(SimSchedule, heed_suppression.in_set(SimSystems::Signal));
}
