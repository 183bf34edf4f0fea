//! Cells stretch: the axis along which one is drawn out, and by how much.
//!
//! Forces take cells for balls; the shape is what pictures show and what modules may go by. The aspect ratio of a cell
//! with the capability `shape` approaches the input `shape.aspect_ratio`, which switches to a mesenchymal state or to an
//! activated fibroblast may raise, and its axis turns to where it walks, both at the rate `1/T` of remodelling its
//! skeleton. An axis has no head: `u` and `-u` are one. A cell that divides rounds up (Stewart et al. 2011, Nature
//! 469:226), and a dead one slowly.
//!
//! [`stretch`] runs in `Act` after bodies have grown, and writes only [`Stretch`].

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::body::CellType;
use super::death::{Vital, is_alive};
use super::life::{Beginning, RegisterLife};
use super::motility::Motility;
use super::{ActSystems, order_act};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::random::probability;
use crate::core::state::RegisterState;
use crate::core::{Clock, Purpose, RegisterPurpose, SimSchedule};

/// How a cell is drawn out.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Stretch {
    /// Its long axis, a unit vector; which of its two ends does not matter.
    pub axis: Vec3,
    /// Length over width, at least 1.
    pub aspect_ratio: f32,
}

/// How cells of a type are drawn out (capability `shape`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct ShapeParameters {
    /// Length over width of a resting cell; 1 is a ball. Fibroblasts on fibres measure 3-6; assumed.
    pub aspect_ratio: f32,
    /// Time in which a cell changes its shape, min; 60: assumed.
    pub remodelling_min: f32,
}

impl Default for ShapeParameters {
    fn default() -> Self {
        Self {
            aspect_ratio: 1.0,
            remodelling_min: 60.0,
        }
    }
}

impl Parameters for ShapeParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "aspect_ratio" => Limits {
                min: 1.0,
                max: 20.0,
            },
            _ => Limits {
                min: 1.0e-3,
                max: 1.0e6,
            },
        }
    }
}

/// The input that is the aspect ratio a cell approaches.
const ASPECT_RATIO: &str = "shape.aspect_ratio";
/// Names of the quantities that are the ratio and the axis, for whoever draws them.
pub const STRETCH: [&str; 4] = [ASPECT_RATIO, "shape.axis_x", "shape.axis_y", "shape.axis_z"];

/// Cells are drawn out as asked for, along the way they walk.
pub fn stretch(
    clock: Res<Clock>,
    parameters: Res<PerType<ShapeParameters>>,
    inputs: Regulated,
    mut cells: Query<(
        Entity,
        &CellType,
        Option<&Vital>,
        Option<&Motility>,
        &mut Stretch,
    )>,
) {
    let changes: Vec<f32> = parameters
        .0
        .iter()
        .map(|of| {
            of.as_ref().map_or(0.0, |of| {
                probability(1.0 / of.remodelling_min, clock.dt_minutes())
            })
        })
        .collect();
    let ratio = inputs.input(ASPECT_RATIO);
    for (entities, types, vitals, motilities, mut stretches) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let ratio = ratio.in_table(entities);
        for_each_row_mut(stretches.bypass_change_detection(), |row, stretch| {
            let cell_type = types[row].0;
            let Some(change) = changes.get(usize::from(cell_type)) else {
                return;
            };
            let is_alive = is_alive(vitals.map(|vitals| &vitals[row]));
            let wanted = if is_alive {
                ratio.at(row, cell_type)
            } else {
                1.0
            };
            stretch.aspect_ratio += change * (wanted.max(1.0) - stretch.aspect_ratio);
            let walks = motilities.map(|motilities| &motilities[row]);
            if let Some(walks) = walks.filter(|walks| walks.speed_um_per_min > 0.0) {
                let way = walks.direction;
                // By the end that is nearer.
                let to = if way.dot(stretch.axis) < 0.0 {
                    -way
                } else {
                    way
                };
                let turned = stretch.axis + (to - stretch.axis) * *change;
                stretch.axis = turned.try_normalize().unwrap_or(to);
            }
        });
    }
}

/// Along what a cell is drawn out when it begins.
const INITIAL_AXIS: Purpose = Purpose::of("cell.shape.initial_axis");

/// The shapes of cells.
pub struct ShapePlugin;

impl Plugin for ShapePlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        app.register_purpose(INITIAL_AXIS)
            .register_capability::<ShapeParameters>("shape")
            .register_cell_state::<Stretch>("stretch")
            .register_input::<ShapeParameters>(
                InputInfo::new(
                    ASPECT_RATIO,
                    "",
                    "Length over width that the shape of a cell approaches.",
                ),
                "aspect_ratio",
            )
            .register_quantity::<Stretch>(
                Quantity::new(STRETCH[0], "", "Length over width of the cell.")
                    .label("aspect ratio")
                    .no_column()
                    .range(1.0, 5.0),
                |stretch| stretch.aspect_ratio,
            )
            .register_quantity::<Stretch>(
                Quantity::new(STRETCH[1], "", "Long axis of the cell, along x.")
                    .range(-1.0, 1.0)
                    .no_column(),
                |stretch| stretch.axis.x,
            )
            .register_quantity::<Stretch>(
                Quantity::new(STRETCH[2], "", "Long axis of the cell, along y.")
                    .range(-1.0, 1.0)
                    .no_column(),
                |stretch| stretch.axis.y,
            )
            .register_quantity::<Stretch>(
                Quantity::new(STRETCH[3], "", "Long axis of the cell, along z.")
                    .range(-1.0, 1.0)
                    .no_column(),
                |stretch| stretch.axis.z,
            )
            .begin_cells(|place| {
                let aspect_ratio = place.parameters::<ShapeParameters>()?.aspect_ratio;
                let round = Stretch {
                    axis: Vec3::X,
                    aspect_ratio: 1.0,
                };
                Some(
                    Beginning::settled(round).and_draw(INITIAL_AXIS, move |cell, random| {
                        cell.insert(Stretch {
                            axis: random.direction(),
                            aspect_ratio,
                        });
                    }),
                )
            })
            .divide_cells(|cell, _| {
                if let Some(mut stretch) = cell.get_mut::<Stretch>() {
                    stretch.aspect_ratio = 1.0;
                }
            })
            .while_in_transit(stretch, InTransit::Runs, "a shape needs no place")
            .add_systems(SimSchedule, stretch.in_set(ActSystems::Grow));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::testing::{bench, cell, set, step};
    use crate::cell::{State, Surroundings};
    use bevy::math::ops;

    #[test]
    fn a_cell_approaches_its_shape_and_turns_to_where_it_walks_at_any_step() {
        for minutes in [1.0, 10.0] {
            let mut app = bench(minutes);
            app.add_plugins(ShapePlugin);
            set(
                &mut app,
                ShapeParameters {
                    aspect_ratio: 4.0,
                    remodelling_min: 30.0,
                },
            );
            let round = Stretch {
                axis: Vec3::Y,
                aspect_ratio: 1.0,
            };
            let walks = Motility {
                direction: Vec3::new(1.0, -0.2, 0.0).normalize(),
                speed_um_per_min: 1.0,
                mean_direction: Vec3::X,
            };
            let around = Surroundings::default();
            let alive = app.world_mut().spawn((cell(1, around), round, walks)).id();
            let dead = Vital {
                state: State::Apoptotic,
                ..Vital::default()
            };
            let long = Stretch {
                aspect_ratio: 4.0,
                ..round
            };
            let dead = app.world_mut().spawn((cell(2, around), long, dead)).id();
            let mut last = f32::NEG_INFINITY;
            for done in 1..=60 / minutes as u32 {
                step(&mut app);
                let left = ops::exp(-(done as f32) * minutes as f32 / 30.0);
                let of = |cell| *app.world().get::<Stretch>(cell).expect("it has a shape");
                assert!((of(alive).aspect_ratio - (4.0 - 3.0 * left)).abs() < 1e-4);
                assert!((of(dead).aspect_ratio - (1.0 + 3.0 * left)).abs() < 1e-4);
                assert_eq!(of(dead).axis, Vec3::Y);
                let along = of(alive).axis.dot(-walks.direction);
                assert!((of(alive).axis.length() - 1.0).abs() < 1e-5 && along > last);
                last = along;
            }
            // By the nearer end: its axis has no head.
            assert!(last > 0.95, "{last}");
        }
    }
}
