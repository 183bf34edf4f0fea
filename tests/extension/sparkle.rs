//! The mechanism: what somebody else would write in a crate of his own.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};
use tumorscape::cell::CellType;
use tumorscape::cell::life::{Beginning, RegisterLife};
use tumorscape::core::parameters::{
    Contradiction, Limits, Parameters, PerType, RegisterParameters,
};
use tumorscape::core::state::RegisterState;
use tumorscape::core::{Clock, SimSchedule, SimSystems};

/// How cells of a type glow (capability `sparkle`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct SparkleParameters {
    /// How fast a fresh cell lights up, 1/h.
    pub rise_per_hour: f32,
    /// By how much a tired one does so less, 1/h.
    pub tire_per_hour: f32,
}

impl Default for SparkleParameters {
    fn default() -> Self {
        Self {
            rise_per_hour: 1.0,
            tire_per_hour: 0.5,
        }
    }
}

impl Parameters for SparkleParameters {
    fn limits(_: &str) -> Limits {
        Limits::NON_NEGATIVE
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        if self.tire_per_hour <= self.rise_per_hour {
            return Vec::new();
        }
        vec![Contradiction {
            field: "tire_per_hour",
            other: "rise_per_hour",
            message: format!(
                "it tires faster than it rises ({} per hour)",
                self.rise_per_hour
            ),
        }]
    }
}

/// How bright a cell is, and how tired.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sparkle {
    /// Brightness.
    pub glow: f32,
    /// Tiredness, 0-1.
    pub fatigue: f32,
}

fn light_up(
    clock: Res<Clock>,
    parameters: Res<PerType<SparkleParameters>>,
    mut cells: Query<(&CellType, &mut Sparkle)>,
) {
    for (cell_type, mut sparkle) in &mut cells {
        let Some(parameters) = parameters.get(cell_type.0) else {
            continue;
        };
        let rate = parameters.rise_per_hour - parameters.tire_per_hour * sparkle.fatigue;
        sparkle.glow += rate * clock.dt_hours();
        sparkle.fatigue = (sparkle.fatigue + 0.1 * clock.dt_hours()).min(1.0);
    }
}

/// The plugin.
pub fn sparkle(app: &mut App) {
    app.register_capability::<SparkleParameters>("sparkle")
        .register_cell_state::<Sparkle>("sparkle")
        .begin_cells(|place| {
            place.parameters::<SparkleParameters>()?;
            let dark = Sparkle {
                glow: 0.0,
                fatigue: 0.0,
            };
            Some(Beginning::settled(dark).and_draw(|cell, random| {
                let glow = random.uniform();
                cell.insert(Sparkle { glow, fatigue: 0.0 });
            }))
        })
        .divide_cells(|cell, _| {
            if let Some(mut sparkle) = cell.get_mut::<Sparkle>() {
                sparkle.glow *= 0.5;
                sparkle.fatigue = 0.0;
            }
        })
        .add_systems(SimSchedule, light_up.in_set(SimSystems::Signal));
}
