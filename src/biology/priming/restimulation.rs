//! What cells that present antigen in a tissue show T cells there (capability `restimulation`).
//!
//! A T cell that touches a cell which shows antigen, a macrophage or dendritic cell, meets as much of it as the one shows that shows the most
//! (`restimulation.antigen`). What that does is said by rules of its type, on `cytotoxic.shown`.
//!
//! [`meet_shown`] runs in `Signal`, after what is shown in the step is known, and writes only [`Restimulation`].

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::presenting::{Presentation, take_up_antigen};
use crate::cell::Vital;
use crate::cell::death::is_alive;
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::neighbourhood::{FeelingCells, UseNeighbourhood};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parameters::{Parameters, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::state::RegisterState;
use crate::core::{SimSchedule, SimSystems};

/// That cells of a type meet the antigen which others show.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct RestimulationParameters {}

impl Parameters for RestimulationParameters {}

/// What others show a cell in this step.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Restimulation {
    /// Antigen, the most that one that touches it shows, 0-1.
    pub antigen: f32,
}

/// Living cells meet what those show that touch them.
pub fn meet_shown(
    shown: Query<(Option<&Vital>, &Presentation)>,
    mut cells: FeelingCells<RestimulationParameters, Restimulation>,
) {
    let shows = |(vital, presentation): (Option<&Vital>, &Presentation)| {
        if is_alive(vital) {
            presentation.antigen
        } else {
            0.0
        }
    };
    // Mostly nobody shows any: then nobody is asked.
    let is_shown = shown.iter().any(|of| shows(of) > 0.0);
    let antigen = |other| shown.get(other).map_or(0.0, shows);
    cells.feel(|_, cell| Restimulation {
        antigen: if is_shown {
            cell.strongest_touching(antigen)
        } else {
            0.0
        },
    });
}

/// Registers the capability.
pub(super) fn register(app: &mut App) {
    app.register_capability::<RestimulationParameters>("restimulation")
        .register_cell_state::<Restimulation>("restimulation")
        .use_neighbourhood_of::<Restimulation>()
        .begin_cells(|place| {
            place.parameters::<RestimulationParameters>()?;
            Some(Beginning::settled(Restimulation::default()))
        })
        .register_quantity::<Restimulation>(
            Quantity::new(
                "restimulation.antigen",
                "",
                "Antigen that a cell which touches this one shows it.",
            )
            .label("antigen shown to it")
            .of_the_living()
            .no_column(),
            |state| state.antigen,
        )
        .register_cell_invariant::<Restimulation>(SimSystems::Signal, "meet_shown", |state| {
            outside("the antigen that it is shown", state.antigen, 0.0, 1.0)
        })
        .while_in_transit(
            meet_shown,
            InTransit::Pauses,
            "who is in no site has nobody near",
        )
        .add_systems(
            SimSchedule,
            meet_shown
                .run_if(any_with_component::<Restimulation>)
                .after(take_up_antigen)
                .in_set(SimSystems::Signal),
        );
}
