//! Cells that help others into the blood by touching them (capability `escort`).
//!
//! A cancer cell that a macrophage touches enters a vessel far more often than one by itself: where both lie at a wall, the macrophage opens it
//! (Wyckoff et al. 2007, doi:10.1158/0008-5472.CAN-06-1823; Harney et al. 2015, doi:10.1158/2159-8290.CD-15-0012). Each living escort touches with the strength of the input
//! `escort.help`; a cell with the capability `intravasation` feels the strongest that touches it (`intravasation.escort`), and rules on `intravasation.rate`
//! say what that does.
//!
//! [`usher`] runs in `Signal`. Escorts are few: each asks whom it touches, and cells look themselves up.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::circuit::Circulation;
use super::intravasation::IntravasationParameters;
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::neighbourhood::{Asking, Neighbourhood, UseNeighbourhood};
use crate::cell::{Body, CellType, Living, Position, Resident, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::state::RegisterState;
use crate::core::{CellId, SimSchedule, SimSystems};

/// How cells of a type help others into vessels (capability `escort`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct EscortParameters {
    /// How strongly it helps those that it touches, without any rule, 0-1; 1.
    pub help: f32,
}

impl Default for EscortParameters {
    fn default() -> Self {
        Self { help: 1.0 }
    }
}

impl Parameters for EscortParameters {
    fn limits(_: &str) -> Limits {
        Limits::FRACTION
    }
}

/// That a cell is an escort.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Escort {
    /// How strongly it helps in this step.
    pub help: f32,
}

/// What a cell that may enter vessels feels of escorts in this step.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Escorted {
    /// The strongest that touches it, 0-1.
    pub help: f32,
}

/// The input.
const HELP: &str = "escort.help";

/// Escorts tell whom they touch, and those feel it.
pub fn usher(
    circulation: Res<Circulation>,
    parameters: Res<PerType<EscortParameters>>,
    inputs: Regulated,
    near: Neighbourhood,
    mut escorts: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        &Body,
        Option<&Vital>,
        &mut Escort,
    )>,
    mut cells: Query<(&CellId, &mut Escorted)>,
    mut touched: Local<Vec<(CellId, f32)>>,
) {
    if circulation.get().is_none() {
        return;
    }
    touched.clear();
    let help = inputs.input(HELP);
    for (entities, ids, types, residents, positions, bodies, vitals, mut states) in
        escorts.contiguous_iter_mut().expect(IN_TABLES)
    {
        let help = help.in_table(entities);
        let living = Living::of(types, vitals, &parameters);
        let states = states.bypass_change_detection();
        for row in 0..ids.len() {
            let site = residents[row].0;
            let own = living
                .at(row)
                .filter(|_| !site.is_transit())
                .map_or(0.0, |(of, _)| help.at(row, of));
            states[row].help = own;
            if own <= 0.0 {
                continue;
            }
            let asking = Asking {
                id: ids[row],
                site,
                at_um: positions[row].0,
            };
            near.touching(asking, bodies[row].radius_um, &[], |others| {
                touched.extend(others.iter().map(|other| (other.id, own)));
            });
        }
    }
    // Of several the strongest comes first.
    touched.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let touched = &**touched;
    for (ids, mut states) in cells.contiguous_iter_mut().expect(IN_TABLES) {
        for_each_row_mut(states.bypass_change_detection(), |row, state| {
            let at = touched.partition_point(|(id, _)| *id < ids[row]);
            let found = touched.get(at).filter(|(id, _)| *id == ids[row]);
            state.help = found.map_or(0.0, |(_, help)| *help);
        });
    }
}

/// Registers the capability.
pub(super) fn register(app: &mut App) {
    app.register_capability::<EscortParameters>("escort")
        .register_cell_state::<Escort>("escort")
        .register_cell_state::<Escorted>("escorted")
        .register_input::<EscortParameters>(
            InputInfo::new(
                HELP,
                "",
                "How strongly a cell helps those that it touches into vessels, 0-1.",
            ),
            "help",
        )
        .register_quantity::<Escorted>(
            Quantity::new(
                "intravasation.escort",
                "",
                "How strongly a cell that touches this one, such as a macrophage, helps it into vessels.",
            )
            .label("escorted")
            .no_column(),
            |state| state.help,
        )
        .use_neighbourhood_of::<Escort>()
        .begin_cells(|place| {
            let of = place.parameters::<EscortParameters>()?;
            Some(Beginning::settled(Escort { help: of.help }))
        })
        .begin_cells(|place| {
            place.parameters::<IntravasationParameters>()?;
            Some(Beginning::settled(Escorted::default()))
        })
        .register_cell_invariant::<Escorted>(SimSystems::Signal, "usher", |state| {
            outside("the help of its escort", state.help, 0.0, 1.0)
        })
        .while_in_transit(
            usher,
            InTransit::Runs,
            "who is in no site touches nobody and is touched by nobody",
        )
        .add_systems(
            SimSchedule,
            usher
                .run_if(any_with_component::<Escorted>)
                .in_set(SimSystems::Signal),
        );
}
