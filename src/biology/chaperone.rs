//! Chaperones: cells along which others find each other (capabilities `chaperone` and `chaperoned`).
//!
//! Macrophages lie at the tips of new vessels, touch two at a time, and lead them to each other; without them vessels join less often
//! (Fantin et al. 2010, doi:10.1182/blood-2009-12-257832). A cell with `chaperoned` feels the strongest chaperone that touches it
//! (`chaperone.met`). How strong one is is the input `chaperone.strength`, which rules drive; what it does to those that it touches is said by
//! rules of their type, on the reach of tips.
//!
//! [`assist`] and then [`meet_chaperones`] run in `Signal`; each writes only its own component.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::neighbourhood::{FeelingCells, UseNeighbourhood};
use crate::cell::{CellType, Living, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::state::RegisterState;
use crate::core::{SimSchedule, SimSystems};

/// How cells of a type lead others, without any rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct ChaperoneParameters {
    /// How well those that touch it find each other along it, 0-1; 1.
    pub strength: f32,
}

impl Default for ChaperoneParameters {
    fn default() -> Self {
        Self { strength: 1.0 }
    }
}

impl Parameters for ChaperoneParameters {
    fn limits(_: &str) -> Limits {
        Limits::FRACTION
    }
}

/// That cells of a type feel chaperones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct ChaperonedParameters {}

impl Parameters for ChaperonedParameters {}

/// How strongly a cell leads others in this step.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Chaperone {
    /// How well those that touch it find each other along it, 0-1; none of the dead.
    pub strength: f32,
}

/// What a cell feels of chaperones in this step.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Chaperoned {
    /// The strongest of those that touch it, 0-1.
    pub met: f32,
}

/// The input.
const STRENGTH: &str = "chaperone.strength";

/// Chaperones lead as rules say.
pub fn assist(
    parameters: Res<PerType<ChaperoneParameters>>,
    inputs: Regulated,
    mut cells: Query<(Entity, &CellType, Option<&Vital>, &mut Chaperone)>,
) {
    let parameters = &*parameters;
    let strength = inputs.input(STRENGTH);
    for (entities, types, vitals, mut chaperones) in cells.contiguous_iter_mut().expect(IN_TABLES) {
        let strength = strength.in_table(entities);
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(chaperones.bypass_change_detection(), |row, chaperone| {
            let alive = living.at(row);
            chaperone.strength = alive.map_or(0.0, |(cell_type, _)| strength.at(row, cell_type));
        });
    }
}

/// Living cells feel the chaperones that touch them.
pub fn meet_chaperones(
    chaperones: Query<&Chaperone>,
    mut cells: FeelingCells<ChaperonedParameters, Chaperoned>,
) {
    // Mostly there are none: then nobody is asked.
    let are_there = chaperones.iter().any(|one| one.strength > 0.0);
    let strength = |other| chaperones.get(other).map_or(0.0, |of| of.strength);
    cells.feel(|_, cell| Chaperoned {
        met: if are_there {
            cell.strongest_touching(strength)
        } else {
            0.0
        },
    });
}

/// Cells along which others find each other.
pub struct ChaperonePlugin;

impl Plugin for ChaperonePlugin {
    fn build(&self, app: &mut App) {
        app.register_capability::<ChaperoneParameters>("chaperone")
            .register_capability::<ChaperonedParameters>("chaperoned")
            .register_cell_state::<Chaperone>("chaperone")
            .register_cell_state::<Chaperoned>("chaperoned")
            .register_input::<ChaperoneParameters>(
                InputInfo::new(
                    STRENGTH,
                    "",
                    "How well those that touch the cell find each other along it, 0-1.",
                ),
                "strength",
            )
            .use_neighbourhood_of::<Chaperoned>()
            .begin_cells(|place| {
                let strength = place.parameters::<ChaperoneParameters>()?.strength;
                Some(Beginning::settled(Chaperone { strength }))
            })
            .begin_cells(|place| {
                place.parameters::<ChaperonedParameters>()?;
                Some(Beginning::settled(Chaperoned::default()))
            })
            .register_quantity::<Chaperoned>(
                Quantity::new(
                    "chaperone.met",
                    "",
                    "The strongest chaperone that touches the cell.",
                )
                .label("chaperone met")
                .of_the_living()
                .no_column(),
                |state| state.met,
            )
            .register_cell_invariant::<Chaperoned>(SimSystems::Signal, "meet_chaperones", |state| {
                outside("the chaperone that it meets", state.met, 0.0, 1.0)
            })
            .while_in_transit(
                assist,
                InTransit::Runs,
                "how strongly it would lead needs no place",
            )
            .while_in_transit(
                meet_chaperones,
                InTransit::Pauses,
                "who is in no site has nobody near",
            )
            .add_systems(
                SimSchedule,
                (
                    assist,
                    meet_chaperones.run_if(any_with_component::<Chaperoned>),
                )
                    .chain()
                    .in_set(SimSystems::Signal),
            );
    }
}
