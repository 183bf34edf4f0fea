//! The epithelial-mesenchymal transition: cells that let go of their neighbours and walk.
//!
//! Each cell carries the [`circuit`] of Tian, Zhang and Xing 2013. It switches in two steps, epithelial to hybrid to
//! mesenchymal, of which the first goes back when the drive goes and the second only in cells whose own TGF-beta is weak
//! (`autocrine_gain`, heritable where a scene says so). What drives it, TGF-beta, FGF-2, HIF-1a, stiff matrix, are rules on the
//! input `emt.drive`; what it does to a cell, its grip, speed, division, proteases, are rules by `emt.e_cadherin_loss` and
//! `emt.n_cadherin`.
//!
//! [`switch`] runs in `Signal`, every six minutes, and writes only [`EmtCircuit`] and [`EmtState`].

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::event::{EventBook, EventKind, RegisterEvent};
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::{CellType, Living, Position, Resident, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parallel::{IN_TABLES, for_each_row_mut2};
use crate::core::parameters::{Contradiction, Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Category, CategoryValue, Quantity, RegisterQuantities};
use crate::core::state::RegisterState;
use crate::core::{CellId, Clock, SimSchedule, SimSystems};

pub mod circuit;

pub use circuit::{EmtCircuit, EmtCircuitParameters};

/// How cells of a type switch (capability `emt`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct EmtParameters {
    /// Own TGF-beta that the cell makes when its miR-200 is gone, `k_T`, ng/mL/h. 1.2 [E]: from 0.9 a mesenchymal cell stays so when
    /// the drive goes; at 0.7 it is back in nine days, at 0.4 in four.
    pub autocrine_gain: f32,
    /// Drive without any rule, ng/mL of TGF-beta.
    pub drive_ng_per_ml: f32,
    /// Relative E-cadherin above which the cell counts as epithelial, 2 of 3.2.
    pub epithelial_above: f32,
    /// Relative E-cadherin below which it counts as mesenchymal, 0.3 of 3.2.
    pub mesenchymal_below: f32,
}

impl Default for EmtParameters {
    fn default() -> Self {
        Self {
            autocrine_gain: 1.2,
            drive_ng_per_ml: 0.0,
            epithelial_above: 0.625,
            mesenchymal_below: 0.093_75,
        }
    }
}

impl Parameters for EmtParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "autocrine_gain" => Limits {
                min: 0.0,
                max: 100.0,
            },
            "drive_ng_per_ml" => Limits {
                min: 0.0,
                max: 1000.0,
            },
            _ => Limits::FRACTION,
        }
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        let (low, high) = (self.mesenchymal_below, self.epithelial_above);
        if low <= high {
            return Vec::new();
        }
        vec![Contradiction {
            field: "mesenchymal_below",
            other: "epithelial_above",
            message: format!("must not be above `epithelial_above` ({high}), found {low}"),
        }]
    }
}

/// Epithelial, between, or mesenchymal, by its E-cadherin.
#[derive(
    Component, Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Reflect,
)]
#[repr(u8)]
pub enum EmtState {
    /// Holds on to its neighbours.
    #[default]
    Epithelial,
    /// Holds on, and moves.
    Hybrid,
    /// Walks alone.
    Mesenchymal,
}

impl EmtState {
    /// What a cell with so much of the E-cadherin that there can be counts as.
    pub fn of(e_cadherin: f32, parameters: &EmtParameters) -> Self {
        if e_cadherin > parameters.epithelial_above {
            Self::Epithelial
        } else if e_cadherin < parameters.mesenchymal_below {
            Self::Mesenchymal
        } else {
            Self::Hybrid
        }
    }

    /// As what it is told that a cell came to be so.
    const fn kind(self) -> EventKind {
        match self {
            Self::Epithelial => TURNS_EPITHELIAL,
            Self::Hybrid => TURNS_HYBRID,
            Self::Mesenchymal => TURNS_MESENCHYMAL,
        }
    }
}

/// A cell came back to be epithelial.
pub const TURNS_EPITHELIAL: EventKind = EventKind::of("emt.epithelial");
/// A cell came to be between epithelial and mesenchymal.
pub const TURNS_HYBRID: EventKind = EventKind::of("emt.hybrid");
/// A cell turned mesenchymal.
pub const TURNS_MESENCHYMAL: EventKind = EventKind::of("emt.mesenchymal");

/// The input that drives the switch.
const DRIVE: &str = "emt.drive";

/// How often the circuits go on, min: its fastest variable turns over in 11 h.
const EVERY_MINUTES: f64 = 6.0;

/// Whether the circuits go on in this step.
fn is_due(clock: Res<Clock>) -> bool {
    clock.is_turn(EVERY_MINUTES)
}

/// The circuits of living cells go on, and it is told what cells turn into.
pub fn switch(
    clock: Res<Clock>,
    constants: Res<EmtCircuitParameters>,
    parameters: Res<PerType<EmtParameters>>,
    inputs: Regulated,
    events: Res<EventBook>,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        Option<&Vital>,
        &mut EmtCircuit,
        &mut EmtState,
    )>,
) {
    let (constants, parameters) = (&*constants, &*parameters);
    let hours = clock.turn_hours(EVERY_MINUTES) * constants.pace;
    let drive = inputs.input(DRIVE);
    for (entities, ids, types, residents, positions, vitals, mut circuits, mut states) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let drive = drive.in_table(entities);
        let living = Living::of(types, vitals, parameters);
        let (circuits, states) = (
            circuits.bypass_change_detection(),
            states.bypass_change_detection(),
        );
        for_each_row_mut2(circuits, states, |row, circuit, state| {
            let Some((cell_type, parameters)) = living.at(row) else {
                return;
            };
            circuit.advance(
                constants,
                parameters.autocrine_gain,
                drive.at(row, cell_type),
                hours,
            );
            let now = EmtState::of(circuit.e_cadherin(constants), parameters);
            if now != *state {
                *state = now;
                events.book(now.kind(), ids[row], residents[row].0, positions[row].0);
            }
        });
    }
}

/// The epithelial-mesenchymal transition.
pub struct EmtPlugin;

impl Plugin for EmtPlugin {
    fn build(&self, app: &mut App) {
        app.register_group::<EmtCircuitParameters>("emt_circuit")
            .register_capability::<EmtParameters>("emt")
            .register_cell_state::<EmtCircuit>("emt_circuit")
            .register_cell_state::<EmtState>("emt_state")
            .register_input::<EmtParameters>(
                InputInfo::new(
                    DRIVE,
                    "ng/mL",
                    "What drives the transition from outside, as so much TGF-beta.",
                ),
                "drive_ng_per_ml",
            )
            .register_event(TURNS_EPITHELIAL, "A cell came back to be epithelial.")
            .register_event(
                TURNS_HYBRID,
                "A cell came to be between epithelial and mesenchymal.",
            )
            .register_event(TURNS_MESENCHYMAL, "A cell turned mesenchymal.");
        register_what_can_be_known(app);
        app.begin_cells(|place| {
            let parameters = place.parameters::<EmtParameters>()?;
            let constants = place.world.resource::<EmtCircuitParameters>();
            let circuit = EmtCircuit::epithelial(constants, parameters.autocrine_gain);
            let state = EmtState::of(circuit.e_cadherin(constants), parameters);
            Some(Beginning::settled((circuit, state)))
        })
        .register_cell_invariant::<EmtCircuit>(SimSystems::Signal, "switch", |circuit| {
            let is = |what, value| outside(what, value, 0.0, 1.0e4);
            is("its SNAIL1 messenger", circuit.snail_rna)
                .or_else(|| is("its miR-34", circuit.mir_34))
                .or_else(|| is("its ZEB messenger", circuit.zeb_rna))
                .or_else(|| is("its miR-200", circuit.mir_200))
        })
        .while_in_transit(
            switch,
            InTransit::Runs,
            "circuits go on wherever cells are; rules find the background of molecules",
        )
        .add_systems(
            SimSchedule,
            switch.run_if(is_due).in_set(SimSystems::Signal),
        );
    }
}

/// Quantities, the category and metrics.
fn register_what_can_be_known(app: &mut App) {
    const SOURCE: &str = "Tian, Zhang and Xing 2013, doi:10.1016/j.bpj.2013.07.011";
    fn constants(world: &World) -> EmtCircuitParameters {
        world.resource::<EmtCircuitParameters>().clone()
    }
    app.register_quantity_with::<EmtCircuit, _>(
        Quantity::new(
            "emt.e_cadherin",
            "",
            "E-cadherin relative to the most there can be: what holds epithelial cells together.",
        )
        .label("E-cadherin")
        .column("e_cadherin")
        .range(0.0, 1.0)
        .source(SOURCE)
        .of_the_living()
        .featured(),
        |world| {
            let constants = constants(world);
            move |circuit| circuit.e_cadherin(&constants)
        },
    )
    .register_quantity_with::<EmtCircuit, _>(
        Quantity::new(
            "emt.e_cadherin_loss",
            "",
            "How much of its E-cadherin a cell has lost: 1 less `emt.e_cadherin`.",
        )
        .label("lost E-cadherin")
        .range(0.0, 1.0)
        .source(SOURCE)
        .of_the_living(),
        |world| {
            let constants = constants(world);
            move |circuit| 1.0 - circuit.e_cadherin(&constants)
        },
    )
    .register_quantity_with::<EmtCircuit, _>(
        Quantity::new(
            "emt.n_cadherin",
            "",
            "N-cadherin relative to the most there can be: how mesenchymal a cell is.",
        )
        .label("N-cadherin")
        .column("n_cadherin")
        .range(0.0, 1.0)
        .source(SOURCE)
        .of_the_living()
        .featured(),
        |world| {
            let constants = constants(world);
            move |circuit| circuit.n_cadherin(&constants)
        },
    )
    .register_category::<EmtState>(
        Category {
            name: "emt_state".into(),
            label: "EMT state".into(),
            about: "Epithelial, hybrid or mesenchymal, by its E-cadherin.".into(),
            values: vec![
                CategoryValue::new("epithelial", "epithelial").colour([0.80, 0.47, 0.65]),
                CategoryValue::new("hybrid", "hybrid").colour([0.90, 0.62, 0.0]),
                CategoryValue::new("mesenchymal", "mesenchymal")
                    .colour([0.94, 0.89, 0.26])
                    .rim([1.0, 0.86, 0.86]),
            ],
            prevails: false,
            of_the_living: true,
        },
        |state| *state as u8,
    )
    .register_metric(
        Metric::new(
            "e_cadherin_mean",
            "",
            "Mean relative E-cadherin of living cells that can switch.",
        )
        .label("E-cadherin"),
        Measure::Mean("emt.e_cadherin".into()),
    );
    for (state, name, colour) in [
        (EmtState::Epithelial, "epithelial", [0.80, 0.47, 0.65]),
        (EmtState::Hybrid, "hybrid", [0.90, 0.62, 0.0]),
        (EmtState::Mesenchymal, "mesenchymal", [0.94, 0.89, 0.26]),
    ] {
        app.register_metric(
            Metric::new(
                format!("{name}_cells"),
                "",
                format!("Living cells that can switch and are {name}."),
            )
            .label(name)
            .share_of("EMT states")
            .colour(colour),
            Measure::Count {
                category: "emt_state".into(),
                values: vec![state as u8],
                of_the_living: true,
            },
        );
    }
}

#[cfg(test)]
mod tests;
