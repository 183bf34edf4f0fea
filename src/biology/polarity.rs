//! Polarity: whether a cell knows up from down, or fore from aft.
//!
//! An epithelial cell at a basement membrane has a basal side, towards the membrane, and an apical one. Rules say where its basal side
//! is, by the inputs `polarity.basal_x`, `_y` and `_z` (a vector of length 1 at a membrane, of length 0 where there is none), and how
//! far it can keep such an axis, `polarity.epithelial`, which falls with its E-cadherin. Its axis follows
//! their product within `remodelling_hours`. A mesenchymal cell has a front, where it walks to, and a rear, by the input
//! `polarity.front_rear`.
//!
//! [`polarise`] runs in `Signal` and writes only [`Polarity`].

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::death::is_alive;
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::{CellType, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Category, CategoryValue, Quantity, RegisterQuantities};
use crate::core::random::probability;
use crate::core::state::RegisterState;
use crate::core::{Clock, SimSchedule, SimSystems};

/// How cells of a type are polarised (capability `polarity`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct PolarityParameters {
    /// Where the basal side is without any rule, along x, -1 to 1.
    pub basal_x: f32,
    /// The same along y.
    pub basal_y: f32,
    /// The same along z.
    pub basal_z: f32,
    /// How far a cell keeps an axis from apex to base, 0-1, without any rule; 1.
    pub epithelial: f32,
    /// How far it has a front and a rear, 0-1, without any rule; 0.
    pub front_rear: f32,
    /// Time in which it changes its axis, h; 3. Assumed.
    pub remodelling_hours: f32,
}

impl Default for PolarityParameters {
    fn default() -> Self {
        Self {
            basal_x: 0.0,
            basal_y: 0.0,
            basal_z: 0.0,
            epithelial: 1.0,
            front_rear: 0.0,
            remodelling_hours: 3.0,
        }
    }
}

impl Parameters for PolarityParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "basal_x" | "basal_y" | "basal_z" => Limits {
                min: -1.0,
                max: 1.0,
            },
            "remodelling_hours" => Limits {
                min: 1.0e-3,
                max: 1.0e4,
            },
            _ => Limits::FRACTION,
        }
    }
}

/// How a cell is polarised.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Polarity {
    /// Towards its base; the length, 0-1, says how far it is polarised.
    pub basal: Vec3,
    /// How far it has a front and a rear, 0-1.
    pub front_rear: f32,
}

impl Polarity {
    /// From one half a cell counts as polarised.
    const COUNTS: f32 = 0.5;

    /// Not polarised, from apex to base, or from front to rear.
    pub fn kind(&self) -> u8 {
        if self.basal.length() >= Self::COUNTS {
            1
        } else if self.front_rear >= Self::COUNTS {
            2
        } else {
            0
        }
    }
}

/// The inputs.
const BASAL: [&str; 3] = ["polarity.basal_x", "polarity.basal_y", "polarity.basal_z"];
const EPITHELIAL: &str = "polarity.epithelial";
const FRONT_REAR: &str = "polarity.front_rear";

/// Living cells turn their axis as what surrounds them says.
pub fn polarise(
    clock: Res<Clock>,
    parameters: Res<PerType<PolarityParameters>>,
    inputs: Regulated,
    mut cells: Query<(Entity, &CellType, Option<&Vital>, &mut Polarity)>,
) {
    let (parameters, hours) = (&*parameters, clock.dt_hours());
    let basal = BASAL.map(|name| inputs.input(name));
    let [epithelial, front_rear] = [EPITHELIAL, FRONT_REAR].map(|name| inputs.input(name));
    for (entities, types, vitals, mut polarities) in cells.contiguous_iter_mut().expect(IN_TABLES) {
        let basal = basal.map(|axis| axis.in_table(entities));
        let epithelial = epithelial.in_table(entities);
        let front_rear = front_rear.in_table(entities);
        for_each_row_mut(polarities.bypass_change_detection(), |row, polarity| {
            let cell_type = types[row].0;
            let Some(parameters) = parameters.get(cell_type) else {
                return;
            };
            let (towards, front) = if is_alive(vitals.map(|vitals| &vitals[row])) {
                let axis = [0, 1, 2].map(|axis: usize| basal[axis].at(row, cell_type));
                let side = Vec3::from_array(axis).clamp_length_max(1.0);
                let kept = epithelial.at(row, cell_type);
                (side * kept, front_rear.at(row, cell_type))
            } else {
                (Vec3::ZERO, 0.0)
            };
            let way = probability(1.0 / parameters.remodelling_hours, hours);
            polarity.basal += (towards - polarity.basal) * way;
            polarity.front_rear += (front - polarity.front_rear) * way;
        });
    }
}

/// Polarity.
pub struct PolarityPlugin;

impl Plugin for PolarityPlugin {
    fn build(&self, app: &mut App) {
        app.register_capability::<PolarityParameters>("polarity")
            .register_cell_state::<Polarity>("polarity");
        for (name, field) in BASAL.into_iter().zip(["basal_x", "basal_y", "basal_z"]) {
            let axis = &field[6..];
            app.register_input::<PolarityParameters>(
                InputInfo::new(
                    name,
                    "",
                    format!("Where the basal side of a cell is, along {axis}."),
                ),
                field,
            );
        }
        app.register_input::<PolarityParameters>(
            InputInfo::new(
                EPITHELIAL,
                "",
                "How far a cell keeps an axis from apex to base.",
            ),
            "epithelial",
        )
        .register_input::<PolarityParameters>(
            InputInfo::new(FRONT_REAR, "", "How far a cell has a front and a rear."),
            "front_rear",
        );
        for (axis, name) in ["x", "y", "z"].into_iter().enumerate() {
            app.register_quantity::<Polarity>(
                Quantity::new(
                    format!("polarity.base_{name}"),
                    "",
                    format!("Axis of the cell from apex to base, along {name}."),
                )
                .range(-1.0, 1.0)
                .no_column(),
                move |polarity| polarity.basal[axis],
            );
        }
        app.register_quantity::<Polarity>(
            Quantity::new(
                "polarity.apical_basal",
                "",
                "How far the cell is polarised from apex to base.",
            )
            .label("apical-basal polarity")
            .column("apical_basal")
            .range(0.0, 1.0)
            .of_the_living(),
            |polarity| polarity.basal.length(),
        )
        .register_category::<Polarity>(
            Category {
                name: "polarity".into(),
                label: "Polarity".into(),
                about: "Whether the cell has an apex and a base, or a front and a rear.".into(),
                values: vec![
                    CategoryValue::new("none", "not polarised").colour([0.62, 0.62, 0.62]),
                    CategoryValue::new("apical_basal", "apex and base").colour([0.80, 0.47, 0.65]),
                    CategoryValue::new("front_rear", "front and rear").colour([0.94, 0.89, 0.26]),
                ],
                prevails: false,
                of_the_living: true,
            },
            Polarity::kind,
        )
        .register_metric(
            Metric::new(
                "apical_basal_cells",
                "",
                "Living cells polarised from apex to base.",
            ),
            Measure::Count {
                category: "polarity".into(),
                values: vec![1],
                of_the_living: true,
            },
        )
        .begin_cells(|place| {
            place.parameters::<PolarityParameters>()?;
            Some(Beginning::settled(Polarity::default()))
        })
        .register_cell_invariant::<Polarity>(SimSystems::Signal, "polarise", |polarity| {
            outside("its axis", polarity.basal.length(), 0.0, 1.001)
                .or_else(|| outside("its front and rear", polarity.front_rear, 0.0, 1.0))
        })
        .while_in_transit(polarise, InTransit::Runs, "an axis needs no place")
        .add_systems(SimSchedule, polarise.in_set(SimSystems::Signal));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::testing::{bench, cell, set, step};
    use crate::cell::{State, Surroundings};
    use bevy::math::ops;

    #[test]
    fn an_axis_is_taken_up_and_lost_in_its_time_at_any_step() {
        for minutes in [1.0, 10.0] {
            let mut app = bench(minutes);
            app.add_plugins(PolarityPlugin);
            set(
                &mut app,
                PolarityParameters {
                    basal_z: -1.0,
                    epithelial: 0.8,
                    ..PolarityParameters::default()
                },
            );
            let around = Surroundings::default();
            let alive = app
                .world_mut()
                .spawn((cell(1, around), Polarity::default()))
                .id();
            let polarised = Polarity {
                basal: Vec3::Y,
                front_rear: 0.5,
            };
            let dead = Vital {
                state: State::Apoptotic,
                ..Vital::default()
            };
            let dead = app
                .world_mut()
                .spawn((cell(2, around), polarised, dead))
                .id();
            for _ in 0..(180.0 / minutes) as usize {
                step(&mut app);
            }
            let left = ops::exp(-1.0);
            let of = |cell| *app.world().get::<Polarity>(cell).expect("it has one");
            let axis = of(alive).basal;
            assert!((axis - Vec3::NEG_Z * 0.8 * (1.0 - left)).length() < 1e-4);
            assert_eq!((of(alive).kind(), of(dead).kind()), (1, 0));
            assert!((of(dead).basal.y - left).abs() < 1e-4);
            assert!((of(dead).front_rear - 0.5 * left).abs() < 1e-4);
        }
    }
}
