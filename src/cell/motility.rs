//! Walking: a persistent random walk, biased along gradients.
//!
//! A cell walks straight at its own speed `S` and turns at the rate `1/P`. A velocity that is forgotten at that
//! rate gives the mean squared displacement `2 S^2 P [t - P (1 - exp(-t/P))]`, in the long run a diffusivity
//! `S^2 P / 3`. A new direction is uniform on the sphere, unless the cell follows molecules. Each pulls along its relative
//! gradient `g = grad c / c` with the vector `I g / (|g| + g_half)`: its length is the chemotactic index `I` where the
//! gradient is strong, and fades where it is too faint to be read; with a negative index the pull is away. The pulls add
//! up to one, of length `J`, at most 1. The cosine of the angle between it and the new direction is drawn as `2 u^a - 1`
//! with `u` uniform and `a = (1 - J) / (1 + J)`, whose mean is `J` exactly, and which is the uniform sphere at `J = 0`. So
//! as long as `J` is below 1 the mean of new directions is the sum of what it would be by each molecule alone.
//!
//! A cell type lists what it follows, `follows: [(molecule: "vegf_a", chemotactic_index: 0.2)]`; each number of the list
//! is a parameter, `"cancer.follows.vegf_a.chemotactic_index"`, and the index an input, `motility.bias.vegf_a`.
//!
//! Turns come at the moments at which they come, not at the ends of steps: a step adds up the ways between them, so
//! that cells go the distance above at any step.
//!
//! Cells with the capability `co_option` are drawn to perfused vessels as well, and along their walls (`co_option`).
//!
//! [`turn`] runs among the decisions of `Act` and writes only [`Motility`].
//! `Move` adds [`Motility::velocity_um_per_min`] to the velocities of mechanics.

mod co_option;
mod follows;
mod guidance;

use std::ops::Range;

use bevy::math::ops;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::body::{Body, CellType, Position, Resident};
use super::death::{Vital, is_alive};
use super::doors::Ways;
use super::life::{Beginning, RegisterLife};
use super::{ActSystems, order_act};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{CellValues, InputColumn, InputInfo, RegisterInputs, Regulated};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::random::probability;
use crate::core::state::RegisterState;
use crate::core::{CellId, Clock, Purpose, Random, RandomKey, RegisterPurpose, SimSchedule};
use crate::tissue::{FieldReader, Fields, Sites};

pub use co_option::CoOptionParameters;
use co_option::{Wall, Walls};
pub use follows::{Following, FollowsParameters, biased_direction, register_biases};
use follows::{bias_of, pull};
use guidance::Guide;
pub use guidance::{Guidance, GuidanceParameters};

/// How far before a cell its leading edge reaches, um beyond its radius: what it touches, digests and pulls lies there. 4: assumed, of the
/// few um that lamellipodia and invadopodia reach.
pub const LEADING_EDGE_UM: f32 = 4.0;

/// How a cell walks just now.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Motility {
    /// Direction of walking, a unit vector.
    pub direction: Vec3,
    /// Speed, um/min; 0 for a cell that cannot walk.
    pub speed_um_per_min: f32,
    /// Mean of its directions over this step, shorter than 1 if it turns in the midst of it.
    pub mean_direction: Vec3,
}

impl Motility {
    /// A cell that sets out in a random direction.
    pub fn new(random: &mut Random, parameters: &MotilityParameters) -> Self {
        let direction = random.direction();
        Self {
            direction,
            speed_um_per_min: parameters.speed_um_per_min,
            mean_direction: direction,
        }
    }

    /// The cell's own velocity over this step, um/min.
    pub fn velocity_um_per_min(&self) -> Vec3 {
        self.mean_direction * self.speed_um_per_min
    }

    /// Lets the cell turn as it may within `minutes`, once at least: after each turn it goes straight for a time that
    /// is exponential with mean `persistence` (min), so that however long the step is, it gets as far as it would in
    /// many short ones. `chance` is the probability of a turn.
    fn turn_within(
        &mut self,
        random: &mut Random,
        (minutes, persistence, chance): (f32, f32, f32),
        mut turn: impl FnMut(&mut Random) -> Vec3,
    ) {
        if persistence <= 0.0 {
            self.direction = turn(random);
            self.mean_direction = self.direction;
            return;
        }
        // When the first of at least one turn comes.
        let mut next = -persistence * ops::ln(1.0 - random.uniform() * chance);
        let mut elapsed = 0.0;
        let mut way = Vec3::ZERO;
        for _ in 0..MOST_TURNS {
            if next >= minutes {
                break;
            }
            way += self.direction * (next - elapsed);
            elapsed = next;
            self.direction = turn(random);
            next += persistence * random.exponential();
        }
        way += self.direction * (minutes - elapsed);
        self.mean_direction = way / minutes;
    }
}

/// Turns in one step that are followed; a cell that turns more often goes nowhere.
const MOST_TURNS: u32 = 256;

/// How cells of a type walk (capability `motility`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct MotilityParameters {
    /// Speed, um/min. Epithelial 0.05-0.2, hybrid 0.2-0.5, mesenchymal 0.3-1 [S][M].
    pub speed_um_per_min: f32,
    /// Mean time between two turns, min. Epithelial 10-20, mesenchymal 30-60 [M].
    pub persistence_min: f32,
}

impl Default for MotilityParameters {
    fn default() -> Self {
        Self {
            speed_um_per_min: 0.1,
            persistence_min: 15.0,
        }
    }
}

impl Parameters for MotilityParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "speed_um_per_min" => Limits {
                min: 0.0,
                max: 100.0,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e6,
            },
        }
    }
}

/// The input that is the speed of walking.
const SPEED: &str = "motility.speed";
/// The input that is the mean time between two turns.
const PERSISTENCE: &str = "motility.persistence";

/// Where a cell sets out to when it begins.
pub const INITIAL_DIRECTION: Purpose = Purpose::of("cell.motility.initial_direction");

/// When a walking cell turns, and where to.
const TURNS: Purpose = Purpose::numbered(6, "cell.motility.turns");

/// Walking cells turn now and then, those that follow molecules by their gradients; dead ones stop.
pub fn turn(
    clock: Res<Clock>,
    key: Res<RandomKey>,
    (parameters, follows): (
        Res<PerType<MotilityParameters>>,
        Res<PerType<FollowsParameters>>,
    ),
    fields: Fields,
    guidance: Guidance,
    (co_option, ways, sites): (Res<PerType<CoOptionParameters>>, Ways, Res<Sites>),
    inputs: Regulated,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        Option<&Body>,
        Option<&Vital>,
        &mut Motility,
    )>,
) {
    let (clock, key) = (*clock, *key);
    let chances: Vec<Option<f32>> = parameters
        .0
        .iter()
        .map(|parameters| {
            let per_min = 1.0 / parameters.as_ref()?.persistence_min;
            Some(probability(per_min, clock.dt_minutes()))
        })
        .collect();
    let [speed, persistence] = [SPEED, PERSISTENCE].map(|name| inputs.input(name));
    // Each molecule that is followed, and the input that says how strongly: looked up once, however many types and
    // clones follow it.
    let mut molecules: Vec<(&str, FieldReader, CellValues)> = Vec::new();
    for of in follows.0.iter().flatten().flat_map(|list| &list.0) {
        let name = of.molecule.as_str();
        if molecules.iter().all(|(known, ..)| *known != name) {
            molecules.push((name, fields.of(name), inputs.input(&bias_of(name))));
        }
    }
    // What the cells of each row of the table follow: the place of the molecule, and the gradient of half the index.
    let mut followed: Vec<(usize, f32)> = Vec::new();
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for list in &follows.0 {
        let start = followed.len();
        for of in list.iter().flat_map(|list| &list.0) {
            let name = of.molecule.as_str();
            let place = molecules.iter().position(|(known, ..)| *known == name);
            followed.extend(place.map(|place| (place, of.half_gradient_per_um)));
        }
        ranges.push(start..followed.len());
    }
    let guides = guidance.read(&inputs);
    let walls = Walls::read(&co_option, &ways, sites.list.len(), &inputs);
    for (entities, ids, cell_types, residents, positions, bodies, vitals, mut motilities) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let speed = speed.in_table(entities);
        let persistence = persistence.in_table(entities);
        let guides = guides.as_ref().map(|guides| guides.in_table(entities));
        let walls = walls.as_ref().map(|walls| walls.in_table(entities));
        let biases: Vec<InputColumn> = molecules
            .iter()
            .map(|(.., bias)| bias.in_table(entities))
            .collect();
        for_each_row_mut(motilities.bypass_change_detection(), |row, motility| {
            let cell_type = cell_types[row].0;
            let Some(Some(chance)) = chances.get(usize::from(cell_type)) else {
                return;
            };
            let is_carried = residents[row].0.is_transit();
            if is_carried || !is_alive(vitals.map(|vitals| &vitals[row])) {
                motility.speed_um_per_min = 0.0;
                return;
            }
            motility.speed_um_per_min = speed.at(row, cell_type);
            motility.mean_direction = motility.direction;
            if motility.speed_um_per_min <= 0.0 {
                return;
            }
            let persistence_min = persistence.at(row, cell_type);
            let chance = if persistence.is_ruled() {
                probability(1.0 / persistence_min, clock.dt_minutes())
            } else {
                *chance
            };
            let mut random = key.stream(ids[row], clock.step, TURNS);
            if persistence_min <= 0.0 || random.chance(chance) {
                let at = (residents[row].0, positions[row].0);
                let guide = guides
                    .as_ref()
                    .map_or_else(Guide::default, |guides| guides.at(row, cell_type, at));
                let radius_um = bodies.map_or(0.0, |bodies| bodies[row].radius_um);
                let wall = walls.as_ref().map_or_else(Wall::default, |walls| {
                    walls.at(row, cell_type, at, radius_um)
                });
                let own = ranges.get(usize::from(cell_type)).cloned();
                let mut sum = guide.pull + wall.pull;
                for (place, half_gradient_per_um) in &followed[own.unwrap_or(0..0)] {
                    let (_, field, _) = &molecules[*place];
                    let gradient = field.relative_gradient(residents[row].0, positions[row].0);
                    let index = biases[*place].at(row, cell_type);
                    sum += pull(gradient, index, *half_gradient_per_um);
                }
                let time = (clock.dt_minutes(), persistence_min, chance);
                motility.turn_within(&mut random, time, |random| {
                    let drawn = biased_direction(random, sum, sum.length());
                    let drawn = guide.lead(random, drawn);
                    wall.lead(random, drawn)
                });
            }
        });
    }
}

/// Walking.
pub struct MotilityPlugin;

impl Plugin for MotilityPlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        co_option::register(app);
        guidance::register(app);
        app.register_purpose(TURNS)
            .register_purpose(INITIAL_DIRECTION)
            .register_capability::<MotilityParameters>("motility")
            .register_cell_state::<Motility>("motility")
            .register_capability_list::<FollowsParameters>("follows")
            .register_input::<MotilityParameters>(
                InputInfo::new(SPEED, "um/min", "Speed of walking."),
                "speed_um_per_min",
            )
            .register_input::<MotilityParameters>(
                InputInfo::new(PERSISTENCE, "min", "Mean time between two turns."),
                "persistence_min",
            )
            .register_quantity::<Motility>(
                Quantity::new("motility.speed", "um/min", "Speed at which the cell walks.")
                    .label("walking speed")
                    .column("walking_um_per_min"),
                |motility| motility.speed_um_per_min,
            )
            .begin_cells(|place| {
                let parameters = place.parameters::<MotilityParameters>()?.clone();
                let resting = Motility {
                    direction: Vec3::ZERO,
                    speed_um_per_min: 0.0,
                    mean_direction: Vec3::ZERO,
                };
                Some(Beginning::settled(resting).and_draw(
                    INITIAL_DIRECTION,
                    move |cell, random| {
                        cell.insert(Motility::new(random, &parameters));
                    },
                ))
            })
            .while_in_transit(turn, InTransit::Pauses, "there is nothing to walk on")
            .add_systems(SimSchedule, turn.in_set(ActSystems::Walk));
    }
}

#[cfg(test)]
mod tests;
