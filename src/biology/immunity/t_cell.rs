//! Cytotoxic T cells (capability `cytotoxic`).
//!
//! A T cell that touches a cell which it recognises forms a synapse with it, stays until that is dead, and strikes it at the rate
//!
//! `lambda = phi (1 - X) r / tau`,
//!
//! `tau` 30 min, `phi` what suppression leaves of it, `r` how well it recognises the cell and `X` its own exhaustion. What hits do to
//! the cell is said in [`super::target`]: at full strength a T cell then kills 8.7 cells a day that it need not look for, at half
//! strength 2.5. Antigen exhausts it, and it recovers:
//!
//! `dX/dt = k_x A (1 - X) - k_r X`, with `A` the antigen that it meets, 0-1, `k_x` 0.15 and `k_r` 0.05 a day,
//!
//! `k_r` being an input by which drugs act. Antigen also drives it to divide, for about as long as `stimulation_hours` after it met some:
//! `dS/dt = (max(A, P) - S)/T`, with `P` the antigen that cells which present it show a T cell, the input `cytotoxic.shown`.
//!
//! [`tire`] runs in `Signal` and solves both exactly over the step, for what the cell held at its beginning.

use bevy::math::ops;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::killer::Killer;
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

/// How T cells of a type kill, tire and divide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct CytotoxicParameters {
    /// Mean time between two hits at full strength, `tau`, min; 30: with damage that lives 50 min it gives the 2-16 kills a day that are
    /// seen in mice (Halle et al. 2016, doi:10.1016/j.immuni.2016.01.010). Calibrated.
    pub minutes_per_hit: f32,
    /// Rate at which it forms a synapse with a cell that it touches and fully recognises, 1/min; 1. Assumed.
    pub binding_per_min: f32,
    /// Exhaustion by full antigen, `k_x`, 1/d; 0.15: half exhausted after five days. Calibrated to 3-10 days [M].
    pub exhaustion_per_day: f32,
    /// Recovery without drugs, `k_r`, 1/d; 0.05. Assumed.
    pub recovery_per_day: f32,
    /// Time for which antigen that it met drives it to divide, `T`, h; 24. Assumed.
    pub stimulation_hours: f32,
    /// Antigen that others show it without any rule, `P`, 0-1.
    pub shown: f32,
}

impl Default for CytotoxicParameters {
    fn default() -> Self {
        Self {
            minutes_per_hit: 30.0,
            binding_per_min: 1.0,
            exhaustion_per_day: 0.15,
            recovery_per_day: 0.05,
            stimulation_hours: 24.0,
            shown: 0.0,
        }
    }
}

impl Parameters for CytotoxicParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "shown" => Limits::FRACTION,
            "minutes_per_hit" | "stimulation_hours" => Limits {
                min: 0.1,
                max: 1.0e5,
            },
            _ => Limits {
                min: 0.0,
                max: 100.0,
            },
        }
    }
}

/// What antigen has made of a T cell.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Cytotoxic {
    /// Exhaustion, `X`, 0-1: the share of its hits that is lost.
    pub exhaustion: f32,
    /// How far antigen drives it to divide, `S`, 0-1.
    pub stimulation: f32,
}

impl Cytotoxic {
    /// Hits a minute, given what suppression leaves and how well it recognises what it holds.
    pub fn hits_per_min(
        &self,
        parameters: &CytotoxicParameters,
        function: f32,
        recognition: f32,
    ) -> f32 {
        function * (1.0 - self.exhaustion) * recognition / parameters.minutes_per_hit
    }

    /// Lets so many hours pass under the antigen of what it holds and that which others show it.
    fn advance(&mut self, rates: Rates, [antigen, shown]: [f32; 2], hours: f32) {
        let gain = rates.exhaustion_per_hour * antigen;
        let both = gain + rates.recovery_per_hour;
        if both > 0.0 {
            let end = gain / both;
            self.exhaustion = end + (self.exhaustion - end) * ops::exp(-both * hours);
        }
        let way = probability(1.0 / rates.stimulation_hours, hours);
        self.stimulation += way * (antigen.max(shown) - self.stimulation);
    }
}

#[derive(Clone, Copy)]
struct Rates {
    exhaustion_per_hour: f32,
    recovery_per_hour: f32,
    stimulation_hours: f32,
}

/// Hours in a day.
const HOURS_PER_DAY: f32 = 24.0;

/// The inputs.
const EXHAUSTION: &str = "cytotoxic.exhaustion";
const RECOVERY: &str = "cytotoxic.recovery";
const SHOWN: &str = "cytotoxic.shown";

/// Living T cells tire of antigen, recover, and are driven to divide.
pub fn tire(
    clock: Res<Clock>,
    parameters: Res<PerType<CytotoxicParameters>>,
    inputs: Regulated,
    mut cells: Query<(Entity, &CellType, Option<&Vital>, &Killer, &mut Cytotoxic)>,
) {
    let (parameters, hours) = (&*parameters, clock.dt_hours());
    let [exhaustion, recovery, shown] =
        [EXHAUSTION, RECOVERY, SHOWN].map(|name| inputs.input(name));
    for (entities, types, vitals, killers, mut states) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let [exhaustion, recovery, shown] =
            [&exhaustion, &recovery, &shown].map(|input| input.in_table(entities));
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(states.bypass_change_detection(), |row, state| {
            let Some((cell_type, parameters)) = living.at(row) else {
                return;
            };
            let rates = Rates {
                exhaustion_per_hour: exhaustion.at(row, cell_type) / HOURS_PER_DAY,
                recovery_per_hour: recovery.at(row, cell_type) / HOURS_PER_DAY,
                stimulation_hours: parameters.stimulation_hours,
            };
            let antigen = [killers[row].antigen, shown.at(row, cell_type)];
            state.advance(rates, antigen, hours);
        });
    }
}

/// Registers the capability.
pub(super) fn register(app: &mut App) {
    app.register_capability::<CytotoxicParameters>("cytotoxic")
        .register_cell_state::<Cytotoxic>("cytotoxic")
        .register_input::<CytotoxicParameters>(
            InputInfo::new(EXHAUSTION, "1/d", "Rate at which full antigen exhausts it."),
            "exhaustion_per_day",
        )
        .register_input::<CytotoxicParameters>(
            InputInfo::new(
                RECOVERY,
                "1/d",
                "Rate at which it recovers from exhaustion.",
            ),
            "recovery_per_day",
        )
        .register_input::<CytotoxicParameters>(
            InputInfo::new(
                SHOWN,
                "",
                "Antigen that others show it, 0-1, by which it is driven to divide as by that of a target.",
            ),
            "shown",
        )
        .begin_cells(|place| {
            place.parameters::<CytotoxicParameters>()?;
            Some(Beginning::settled(Cytotoxic::default()))
        })
        .register_cell_invariant::<Cytotoxic>(SimSystems::Signal, "tire", |state| {
            outside("its exhaustion", state.exhaustion, 0.0, 1.0)
                .or_else(|| outside("its stimulation", state.stimulation, 0.0, 1.0))
        })
        .while_in_transit(
            tire,
            InTransit::Runs,
            "a T cell recovers wherever it is; it meets no antigen there",
        )
        .add_systems(
            SimSchedule,
            tire.in_set(SimSystems::Signal)
                .after(super::killer::heed_suppression),
        );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Classical Runge-Kutta of order four, in double precision and with steps of a minute.
    fn integrated(k_x: f64, k_r: f64, antigen: impl Fn(f64) -> f64, hours: f64) -> f64 {
        let (mut x, mut t, step) = (0.0, 0.0, 1.0 / 60.0);
        let slope = |t: f64, x: f64| (k_x * antigen(t) * (1.0 - x) - k_r * x) / 24.0;
        while t < hours - 1e-9 {
            let a = slope(t, x);
            let b = slope(t + 0.5 * step, x + 0.5 * step * a);
            let c = slope(t + 0.5 * step, x + 0.5 * step * b);
            let d = slope(t + step, x + step * c);
            x += step / 6.0 * (a + 2.0 * b + 2.0 * c + d);
            t += step;
        }
        x
    }

    #[test]
    fn exhaustion_is_that_of_an_independent_integrator_at_any_step() {
        // Antigen for six hours of every twelve.
        let antigen = |t: f64| f64::from(u8::from(t.rem_euclid(12.0) < 6.0));
        for (k_r, hours) in [(0.05, 240.0), (0.15, 120.0)] {
            let expected = integrated(0.15, k_r, |t| antigen(t - 1e-6), hours);
            for minutes in [1.0_f32, 10.0, 60.0] {
                let mut state = Cytotoxic::default();
                let rates = Rates {
                    exhaustion_per_hour: 0.15 / 24.0,
                    recovery_per_hour: k_r as f32 / 24.0,
                    stimulation_hours: 24.0,
                };
                for step in 0..(hours as f32 * 60.0 / minutes).round() as u32 {
                    let t = f64::from(step) * f64::from(minutes) / 60.0;
                    let antigen = [antigen(t + 1e-6) as f32, 1.0];
                    state.advance(rates, antigen, minutes / 60.0);
                }
                let error = f64::from(state.exhaustion) - expected;
                assert!(
                    error.abs() < 1e-3,
                    "{minutes} min: {}, {expected}",
                    state.exhaustion
                );
            }
        }
    }

    #[test]
    fn a_t_cell_under_lasting_antigen_comes_to_rest_where_gain_and_recovery_agree() {
        let mut state = Cytotoxic::default();
        let rates = Rates {
            exhaustion_per_hour: 0.15 / 24.0,
            recovery_per_hour: 0.05 / 24.0,
            stimulation_hours: 24.0,
        };
        for _ in 0..100 * 24 {
            state.advance(rates, [1.0, 0.0], 1.0);
        }
        assert!(
            (state.exhaustion - 0.75).abs() < 1e-4,
            "{}",
            state.exhaustion
        );
        assert!((state.stimulation - 1.0).abs() < 1e-4);
        // Antigen that is only shown drives it to divide, and exhausts it no further.
        let mut rests = Cytotoxic::default();
        rests.advance(rates, [0.0, 0.5], 24.0);
        assert_eq!(rests.exhaustion, 0.0);
        let expected = 0.5 * (1.0 - bevy::math::ops::exp(-1.0_f32));
        assert!((rests.stimulation - expected).abs() < 1e-4);
    }
}
