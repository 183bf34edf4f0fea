//! What cells that present antigen in a tissue show T cells there (capability `restimulation`).
//!
//! A T cell that touches a cell which shows antigen, a macrophage or dendritic cell, meets as much of it as the one shows that shows the most
//! (`restimulation.antigen`). What that does is said by rules of its type, on `cytotoxic.shown`.
//!
//! [`meet_shown`] runs in `Signal`, after what is shown in the step is known, and writes only [`Restimulation`].

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::presenting::{Presentation, take_up_antigen};
use crate::cell::death::is_alive;
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::neighbourhood::{Asking, Neighbourhood, UseNeighbourhood};
use crate::cell::{Body, CellType, Living, Position, Resident, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::state::RegisterState;
use crate::core::{CellId, SimSchedule, SimSystems};

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
    parameters: Res<PerType<RestimulationParameters>>,
    near: Neighbourhood,
    shown: Query<(Option<&Vital>, &Presentation)>,
    mut cells: Query<(
        &CellId,
        &CellType,
        &Resident,
        &Position,
        &Body,
        Option<&Vital>,
        &mut Restimulation,
    )>,
) {
    let parameters = &*parameters;
    let shows = |(vital, presentation): (Option<&Vital>, &Presentation)| {
        if is_alive(vital) {
            presentation.antigen
        } else {
            0.0
        }
    };
    // Mostly nobody shows any: then nobody is asked.
    let is_shown = shown.iter().any(|of| shows(of) > 0.0);
    for (ids, types, residents, positions, bodies, vitals, mut states) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(states.bypass_change_detection(), |row, state| {
            *state = Restimulation::default();
            let site = residents[row].0;
            if !is_shown || living.at(row).is_none() || site.is_transit() {
                return;
            }
            let asking = Asking {
                id: ids[row],
                site,
                at_um: positions[row].0,
            };
            state.antigen = near.touching(asking, bodies[row].radius_um, &[], |touching| {
                touching.iter().fold(0.0, |most: f32, other| {
                    most.max(shown.get(other.entity).map_or(0.0, shows))
                })
            });
        });
    }
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
