//! Polarisation of macrophages, between the two ends of one axis (capability `polarisation`).
//!
//! A macrophage lies at `m` between 0, where it eats the dead and helps killers (M1), and 1, where it feeds the tumour and holds killers
//! back (M2). Most lie in between, and none for good:
//!
//! `dm/dt = a_2 U (1 - m) - a_1 D m + r (m_0 - m)`,
//!
//! with `U` the sum of what leads it to M2 (TGF-beta and IL-10, each as it saturates, and a lack of oxygen), `D` the sum of what leads it
//! to M1 (IFN-gamma, IL-12), both rates 0.25 a day, and a return of 0.05 a day to `m_0` = 0.3. The form and half-points are those of a
//! published model of the whole body; there M1 is left so slowly that all macrophages of the body would be M2, so `a_1` and the return are
//! calibrated: 0.47 in normal tissue, 0.5 at the edge of a tumour, 0.8 in its hypoxic core, 0.3 in a nest of T cells.
//!
//! `U` and `D` are inputs, `polarisation.to_m2` and `polarisation.to_m1`, and rules say what drives them. Where these are held, `m` goes
//! exponentially to its end, and so [`polarise`] solves it over a step of any length. It runs in `Signal` and writes only
//! [`Polarisation`].

use bevy::math::ops;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::{CellType, Living, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::state::RegisterState;
use crate::core::units::MINUTES_PER_DAY;
use crate::core::{Clock, SimSchedule, SimSystems};

mod known;
mod picture;

#[cfg(test)]
mod tests;

/// How cells of a type polarise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct PolarisationParameters {
    /// Rate towards M2 at a drive of 1, `a_2`, 1/d; 0.25 (published model of the whole body [Q]).
    pub to_m2_per_day: f32,
    /// Rate towards M1 at a drive of 1, `a_1`, 1/d; 0.25. Calibrated to tissues.
    pub to_m1_per_day: f32,
    /// Rate of return to rest, `r`, 1/d; 0.05. Calibrated to tissues.
    pub return_per_day: f32,
    /// Where it rests, `m_0`, and begins; 0.3. Calibrated to tissues.
    pub rest: f32,
    /// What leads to M2 without any rule, `U`.
    pub m2_drive: f32,
    /// What leads to M1 without any rule, `D`.
    pub m1_drive: f32,
    /// How many times as fast as in life it polarises, for scenes paced for the eye; 1.
    pub pace: f32,
}

impl Default for PolarisationParameters {
    fn default() -> Self {
        Self {
            to_m2_per_day: 0.25,
            to_m1_per_day: 0.25,
            return_per_day: 0.05,
            rest: 0.3,
            m2_drive: 0.0,
            m1_drive: 0.0,
            pace: 1.0,
        }
    }
}

impl Parameters for PolarisationParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "rest" => Limits::FRACTION,
            "pace" => Limits {
                min: 0.01,
                max: 100.0,
            },
            _ => Limits {
                min: 0.0,
                max: 100.0,
            },
        }
    }
}

/// Where a macrophage lies between M1 and M2.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Polarisation {
    /// 0 at M1, 1 at M2.
    pub m: f32,
}

/// What drives a cell in a step.
#[derive(Clone, Copy, Debug)]
struct Drives {
    to_m2: f32,
    to_m1: f32,
}

impl PolarisationParameters {
    /// Where it comes to rest under these drives, and the rate at which it does, 1/d.
    fn end(&self, drives: Drives) -> (f32, f32) {
        let up = self.to_m2_per_day * drives.to_m2;
        let down = self.to_m1_per_day * drives.to_m1;
        let rate = up + down + self.return_per_day;
        if rate > 0.0 {
            (
                ((up + self.return_per_day * self.rest) / rate).clamp(0.0, 1.0),
                rate,
            )
        } else {
            (self.rest, 0.0)
        }
    }
}

impl Polarisation {
    fn advance(&mut self, parameters: &PolarisationParameters, drives: Drives, days: f32) {
        let (end, rate) = parameters.end(drives);
        // Between two numbers of 0-1 it stays there.
        let left = ops::exp(-rate * days);
        self.m = (end + (self.m - end) * left).clamp(0.0, 1.0);
    }
}

/// The inputs.
const TO_M2: &str = "polarisation.to_m2";
const TO_M1: &str = "polarisation.to_m1";

/// Living cells with the axis go along it.
pub fn polarise(
    clock: Res<Clock>,
    parameters: Res<PerType<PolarisationParameters>>,
    inputs: Regulated,
    mut cells: Query<(Entity, &CellType, Option<&Vital>, &mut Polarisation)>,
) {
    let parameters = &*parameters;
    let days = clock.dt_minutes() / MINUTES_PER_DAY as f32;
    let [to_m2, to_m1] = [TO_M2, TO_M1].map(|name| inputs.input(name));
    for (entities, types, vitals, mut states) in cells.contiguous_iter_mut().expect(IN_TABLES) {
        let (to_m2, to_m1) = (to_m2.in_table(entities), to_m1.in_table(entities));
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(states.bypass_change_detection(), |row, state| {
            let Some((cell_type, parameters)) = living.at(row) else {
                return;
            };
            let drives = Drives {
                to_m2: to_m2.at(row, cell_type),
                to_m1: to_m1.at(row, cell_type),
            };
            state.advance(parameters, drives, days * parameters.pace);
        });
    }
}

/// The axis of macrophages.
pub struct PolarisationPlugin;

impl Plugin for PolarisationPlugin {
    fn build(&self, app: &mut App) {
        app.register_capability::<PolarisationParameters>("polarisation")
            .register_cell_state::<Polarisation>("polarisation")
            .register_input::<PolarisationParameters>(
                InputInfo::new(
                    TO_M2,
                    "",
                    "What leads a macrophage to M2, as so many saturated signals.",
                ),
                "m2_drive",
            )
            .register_input::<PolarisationParameters>(
                InputInfo::new(
                    TO_M1,
                    "",
                    "What leads a macrophage to M1, as so many saturated signals.",
                ),
                "m1_drive",
            )
            .begin_cells(|place| {
                let m = place.parameters::<PolarisationParameters>()?.rest;
                Some(Beginning::settled(Polarisation { m }))
            })
            .register_cell_invariant::<Polarisation>(SimSystems::Signal, "polarise", |state| {
                outside("its polarisation", state.m, 0.0, 1.0)
            })
            .while_in_transit(
                polarise,
                InTransit::Runs,
                "it returns to rest wherever it is; rules find the background of molecules",
            )
            .add_systems(SimSchedule, polarise.in_set(SimSystems::Signal));
        known::register(app);
        picture::register(app);
    }
}
