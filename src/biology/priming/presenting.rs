//! Dendritic cells: they take up antigen and show it (capability `presentation`).
//!
//! `dA/dt = u (1 - A) - A / T`, with `A` the antigen shown, 0-1, `u` the input `presentation.uptake`, which rules drive by what the cell
//! digests, and `T` the time for which a complex of peptide and MHC stays on the surface of a mature cell, some days. Both are held over a
//! step, over which it is solved exactly. From `mature_at` on it is mature, for good: it goes to a lymph node, and rules let it eat no
//! more.

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
use crate::core::{Clock, SimSchedule, SimSystems};

/// How cells of a type present antigen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct PresentationParameters {
    /// Rate at which it loads antigen without any rule, `u`, 1/h; 0.
    pub uptake_per_hour: f32,
    /// How long antigen stays on it, `T`, h; 48. Assumed: complexes of peptide and MHC on mature dendritic cells last for days.
    pub antigen_hours: f32,
    /// Antigen from which on it is mature, 0-1; 0.25. Assumed.
    pub mature_at: f32,
    /// Rate at which a mature one that lies near a way into lymph enters it, 1/h; 0.5. Assumed.
    pub leaving_per_hour: f32,
    /// How near a lymphatic that is, or a door where none is drawn, um; 40. Assumed.
    pub door_um: f32,
}

impl Default for PresentationParameters {
    fn default() -> Self {
        Self {
            uptake_per_hour: 0.0,
            antigen_hours: 48.0,
            mature_at: 0.25,
            leaving_per_hour: 0.5,
            door_um: 40.0,
        }
    }
}

impl Parameters for PresentationParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "mature_at" => Limits::FRACTION,
            "antigen_hours" => Limits {
                min: 0.1,
                max: 1.0e5,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e3,
            },
        }
    }
}

/// What a dendritic cell shows.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Presentation {
    /// Antigen on it, 0-1.
    pub antigen: f32,
    /// Whether it has matured, for good.
    pub is_mature: bool,
}

impl Presentation {
    fn advance(&mut self, parameters: &PresentationParameters, uptake_per_hour: f32, hours: f32) {
        let rate = uptake_per_hour + 1.0 / parameters.antigen_hours;
        let end = uptake_per_hour / rate;
        let left = ops::exp(-rate * hours);
        self.antigen = (end + (self.antigen - end) * left).clamp(0.0, 1.0);
        self.is_mature |= self.antigen > parameters.mature_at;
    }
}

/// The input that is the uptake.
const UPTAKE: &str = "presentation.uptake";

/// Living cells that present gain and lose antigen.
pub fn take_up_antigen(
    clock: Res<Clock>,
    parameters: Res<PerType<PresentationParameters>>,
    inputs: Regulated,
    mut cells: Query<(Entity, &CellType, Option<&Vital>, &mut Presentation)>,
) {
    let (parameters, hours) = (&*parameters, clock.dt_hours());
    let uptake = inputs.input(UPTAKE);
    for (entities, types, vitals, mut states) in cells.contiguous_iter_mut().expect(IN_TABLES) {
        let uptake = uptake.in_table(entities);
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(states.bypass_change_detection(), |row, state| {
            if let Some((cell_type, parameters)) = living.at(row) {
                state.advance(parameters, uptake.at(row, cell_type), hours);
            }
        });
    }
}

/// Registers the capability.
pub(super) fn register(app: &mut App) {
    app.register_capability::<PresentationParameters>("presentation")
        .register_cell_state::<Presentation>("presentation")
        .register_input::<PresentationParameters>(
            InputInfo::new(
                UPTAKE,
                "1/h",
                "Rate at which a cell loads antigen that it then shows.",
            ),
            "uptake_per_hour",
        )
        .begin_cells(|place| {
            place.parameters::<PresentationParameters>()?;
            Some(Beginning::settled(Presentation::default()))
        })
        .register_cell_invariant::<Presentation>(SimSystems::Signal, "take_up_antigen", |state| {
            outside("the antigen that it shows", state.antigen, 0.0, 1.0)
        })
        .while_in_transit(
            take_up_antigen,
            InTransit::Runs,
            "what it shows is lost on the way as elsewhere",
        )
        .add_systems(SimSchedule, take_up_antigen.in_set(SimSystems::Signal));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn antigen_goes_exponentially_to_where_gain_and_loss_agree_at_any_step() {
        let parameters = PresentationParameters::default();
        let (uptake, hours) = (0.05_f64, 20.0);
        let rate = uptake + 1.0 / 48.0;
        let expected = uptake / rate * (1.0 - (-rate * hours).exp());
        for steps in [1, 20, 1200] {
            let mut state = Presentation::default();
            for _ in 0..steps {
                state.advance(&parameters, uptake as f32, hours as f32 / steps as f32);
            }
            let found = f64::from(state.antigen);
            assert!(
                (found - expected).abs() < 2e-4,
                "{steps}: {found}, {expected}"
            );
            assert!(state.is_mature);
        }
        // It stays mature when the antigen is gone.
        let mut state = Presentation {
            antigen: 0.3,
            is_mature: true,
        };
        state.advance(&parameters, 0.0, 480.0);
        assert!(state.antigen < 1e-4 && state.is_mature);
    }
}
