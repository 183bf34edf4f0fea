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
//! [`turn`] runs among the decisions of `Act` and writes only [`Motility`].
//! `Move` adds [`Motility::velocity_um_per_min`] to the velocities of mechanics.

use std::ops::Range;

use bevy::math::ops;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::body::{CellType, Position, Resident};
use super::death::{Vital, is_alive};
use super::life::{Beginning, RegisterLife};
use super::{ActSystems, order_act};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{CellValues, InputColumn, InputInfo, RegisterInputs, Regulated};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, NamedParameters, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::random::probability;
use crate::core::state::RegisterState;
use crate::core::{CellId, Clock, Purpose, Random, RandomKey, RegisterPurpose, SimSchedule};
use crate::tissue::{FieldReader, Fields, MoleculeName, Molecules};

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

/// How a walking cell follows one molecule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Following {
    /// Name of the molecule.
    pub molecule: MoleculeName,
    /// Mean cosine between steps and a strong gradient, -1 to 1 (negative: away); 0.1-0.3 for most cells [S].
    pub chemotactic_index: f32,
    /// Relative gradient at which the index is half its full value, 1/um. A difference of 1-2 % over the 17 um
    /// of a cell is about what cells can read; assumed.
    #[serde(default = "readable_gradient_per_um")]
    pub half_gradient_per_um: f32,
}

const fn readable_gradient_per_um() -> f32 {
    1.0e-3
}

impl Parameters for Following {
    fn limits(field: &str) -> Limits {
        match field {
            "chemotactic_index" => Limits {
                min: -1.0,
                max: 1.0,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e6,
            },
        }
    }
}

/// What walking cells of a type follow (capability `follows`), each molecule once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FollowsParameters(pub Vec<Following>);

impl NamedParameters for FollowsParameters {
    type Item = Following;

    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|of| of.molecule.as_str()).collect()
    }

    fn item(&self, index: usize) -> Option<&Following> {
        self.0.get(index)
    }

    fn item_mut(&mut self, index: usize) -> Option<&mut Following> {
        self.0.get_mut(index)
    }

    fn from_items(items: Vec<Following>) -> Self {
        Self(items)
    }
}

/// What a relative gradient, 1/um, pulls a cell to, given the chemotactic index and the gradient at which half of it is
/// left.
fn pull(gradient: Vec3, index: f32, half_gradient_per_um: f32) -> Vec3 {
    let strength = gradient.length();
    if strength > 0.0 {
        gradient * (index / (strength + half_gradient_per_um))
    } else {
        Vec3::ZERO
    }
}

/// A new direction whose mean cosine with `axis` is `index`.
pub fn biased_direction(random: &mut Random, axis: Vec3, index: f32) -> Vec3 {
    let Some(axis) = axis.try_normalize() else {
        return random.direction();
    };
    let index = index.clamp(-1.0, 1.0);
    let cosine = if index <= -1.0 {
        -1.0
    } else {
        2.0 * ops::powf(random.uniform(), (1.0 - index) / (1.0 + index)) - 1.0
    };
    let ring = (1.0 - cosine * cosine).max(0.0).sqrt();
    let (sin, cos) = ops::sin_cos(std::f32::consts::TAU * random.uniform());
    let (right, up) = axis.any_orthonormal_pair();
    (axis * cosine + (right * cos + up * sin) * ring).normalize()
}

/// The input that is the speed of walking.
const SPEED: &str = "motility.speed";
/// The input that is the mean time between two turns.
const PERSISTENCE: &str = "motility.persistence";

/// Name of the input that is the chemotactic index for a molecule.
fn bias_of(molecule: &str) -> String {
    format!("motility.bias.{molecule}")
}

/// Registers how strongly each molecule is followed as an input, `motility.bias.NAME`.
pub fn register_biases(world: &mut World, molecules: &Molecules) {
    for molecule in molecules.list() {
        let name = molecule.name.clone();
        let about = format!(
            "Chemotactic index for {}: mean cosine between steps and a strong gradient of it alone.",
            molecule.label
        );
        let info = InputInfo::new(bias_of(&name), "", about)
            .limits(Following::limits("chemotactic_index"));
        world.register_input_with(info, move |world, cell_type| {
            let table = world.get_resource::<PerType<FollowsParameters>>()?;
            let mut list = table.get(cell_type)?.0.iter();
            let of = list.find(|of| of.molecule.as_str() == name)?;
            Some(of.chemotactic_index)
        });
    }
}

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
    inputs: Regulated,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
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
    for (entities, ids, cell_types, residents, positions, vitals, mut motilities) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let speed = speed.in_table(entities);
        let persistence = persistence.in_table(entities);
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
                let own = ranges.get(usize::from(cell_type)).cloned();
                let mut sum = Vec3::ZERO;
                for (place, half_gradient_per_um) in &followed[own.unwrap_or(0..0)] {
                    let (_, field, _) = &molecules[*place];
                    let gradient = field.relative_gradient(residents[row].0, positions[row].0);
                    let index = biases[*place].at(row, cell_type);
                    sum += pull(gradient, index, *half_gradient_per_um);
                }
                let time = (clock.dt_minutes(), persistence_min, chance);
                motility.turn_within(&mut random, time, |random| {
                    biased_direction(random, sum, sum.length())
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
        app.register_purpose(TURNS)
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
                Some(Beginning::settled(resting).and_draw(move |cell, random| {
                    cell.insert(Motility::new(random, &parameters));
                }))
            })
            .while_in_transit(turn, InTransit::Pauses, "there is nothing to walk on")
            .add_systems(SimSchedule, turn.in_set(ActSystems::Walk));
    }
}

#[cfg(test)]
mod tests {
    use bevy::math::DVec3;

    use super::*;
    use crate::cell::testing::*;
    use crate::cell::{State, Surroundings};
    use crate::core::SimSystems;
    use crate::tissue::{FieldValues, SiteId, TissueBlock};

    fn block(dims: UVec3) -> TissueBlock {
        TissueBlock {
            name: "block".into(),
            min_um: Vec3::splat(-500.0),
            dims,
            voxel_um: Vec3::new(20.0, 25.0, 10.0),
            walls: false,
            perfusion_length_um: None,
        }
    }

    /// Cells walk freely; mechanics is replaced by `dx = v dt`.
    fn drift(clock: Res<Clock>, mut cells: Query<(&Motility, &mut Position)>) {
        for (motility, mut position) in &mut cells {
            position.0 += motility.velocity_um_per_min() * clock.dt_minutes();
        }
    }

    fn walkers(n: u64, parameters: &MotilityParameters) -> App {
        let mut app = bench(1.0);
        app.add_plugins(MotilityPlugin)
            .add_systems(SimSchedule, drift.in_set(SimSystems::Move));
        set(&mut app, parameters.clone());
        for id in 0..n {
            let mut random = RandomKey(9).stream(CellId(id), 0, crate::cell::life::INITIAL_STATE);
            let motility = Motility::new(&mut random, parameters);
            let bundle = (
                cell(id, Surroundings::default()),
                Position::default(),
                motility,
            );
            app.world_mut().spawn(bundle);
        }
        app
    }

    #[test]
    fn mean_squared_displacement_is_that_of_a_persistent_random_walk() {
        let (speed, persistence) = (0.5_f64, 60.0_f64);
        let parameters = MotilityParameters {
            speed_um_per_min: 0.5,
            persistence_min: 60.0,
        };
        let n = 20_000;
        let mut app = walkers(n, &parameters);
        for minute in 1..=1440 {
            step(&mut app);
            if ![30, 120, 480, 1440].contains(&minute) {
                continue;
            }
            let world = app.world_mut();
            let sum: f64 = world
                .query::<&Position>()
                .iter(world)
                .map(|position| f64::from(position.0.length_squared()))
                .sum();
            let t = f64::from(minute);
            let expected = 2.0
                * speed
                * speed
                * persistence
                * (t - persistence * (1.0 - (-t / persistence).exp()));
            let found = sum / n as f64;
            assert!(
                (found / expected - 1.0).abs() < 0.03,
                "{t} min: {found}, {expected}"
            );
        }
    }

    #[test]
    fn the_chemotactic_index_is_the_mean_cosine() {
        let axis = Vec3::new(1.0, -2.0, 0.5);
        let n = 40_000;
        for index in [-1.0, -0.4, 0.0, 0.13, 0.28, 0.8, 1.0] {
            let mut sum = Vec3::ZERO;
            for id in 0..n {
                let mut random = RandomKey(4).stream(CellId(id), 0, TURNS);
                let direction = biased_direction(&mut random, axis, index);
                assert!((direction.length() - 1.0).abs() < 1e-5);
                sum += direction;
            }
            let mean = sum / n as f32;
            let along = mean.dot(axis.normalize());
            let across = (mean - axis.normalize() * along).length();
            assert!((along - index).abs() < 0.012, "{index}: {along}");
            assert!(across < 0.015, "{index}: {across}");
        }
    }

    fn following(molecule: &str, chemotactic_index: f32, half_gradient_per_um: f32) -> Following {
        Following {
            molecule: molecule.into(),
            chemotactic_index,
            half_gradient_per_um,
        }
    }

    /// Mean velocity, in units of the speed, of cells that follow these molecules where `c = exp(k . x)` with the
    /// relative gradients `k` of `vegf_a` and `glucose`, 1/um.
    fn drift_along(gradients: [Vec3; 2], follows: Vec<Following>) -> DVec3 {
        let parameters = MotilityParameters {
            speed_um_per_min: 1.0,
            persistence_min: 1.0,
        };
        let n = 4000;
        let mut app = walkers(n, &parameters);
        app.insert_resource(PerType(vec![Some(FollowsParameters(follows))]));
        let molecules = app.world().resource::<Molecules>().clone();
        register_biases(app.world_mut(), &molecules);
        let block = TissueBlock {
            min_um: Vec3::splat(-600.0),
            ..block(UVec3::new(60, 48, 1))
        };
        let fields = gradients.map(|gradient| {
            let values = (0..60 * 48).map(|voxel| {
                let at = Vec3::new((voxel % 60) as f32 * 20.0, (voxel / 60) as f32 * 25.0, 0.0);
                ops::exp(gradient.dot(at))
            });
            let values = FieldValues(values.collect());
            app.world_mut().spawn(values).id()
        });
        add_site(
            &mut app,
            block,
            &[("vegf_a", fields[0]), ("glucose", fields[1])],
        );
        let minutes = 200;
        for _ in 0..minutes {
            step(&mut app);
        }
        let world = app.world_mut();
        let climbed: DVec3 = world
            .query::<(&Position, &Resident)>()
            .iter(world)
            .map(|(position, resident)| {
                assert_eq!(resident.0, SiteId(0));
                position.0.as_dvec3()
            })
            .sum();
        climbed / n as f64 / f64::from(minutes)
    }

    /// The relative gradient that central differences over two voxels of an exponential give.
    fn seen(gradient: f64, voxel_um: f64) -> f64 {
        (voxel_um * gradient).sinh() / voxel_um
    }

    #[test]
    fn cells_climb_the_gradient_of_a_molecule_with_the_stated_index() {
        let gradients = [Vec3::X * 3.0e-3, Vec3::Y * 2.0e-3];
        for index in [0.28, -0.28] {
            let found = drift_along(gradients, vec![following("vegf_a", index, 1.0e-3)]);
            let gradient = seen(3.0e-3, 20.0);
            let expected = f64::from(index) * gradient / (gradient + 1.0e-3);
            assert!(
                (found.x / expected - 1.0).abs() < 0.03,
                "{found}, {expected}"
            );
            // Four standard errors of a mean over 4000 cells and 200 turns.
            assert!(
                found.y.abs() < 4.0 * (1.0_f64 / 3.0 / 8e5).sqrt(),
                "{found}"
            );
        }
    }

    #[test]
    fn cells_that_follow_several_molecules_drift_by_the_sum_of_their_pulls() {
        let both = || {
            vec![
                following("vegf_a", 0.3, 1.0e-3),
                following("glucose", -0.25, 2.0e-3),
            ]
        };
        // At right angles to each other: each along its own axis what it would be alone.
        let found = drift_along([Vec3::X * 3.0e-3, Vec3::Y * 2.0e-3], both());
        let (x, y) = (seen(3.0e-3, 20.0), seen(2.0e-3, 25.0));
        let expected = DVec3::new(0.3 * x / (x + 1.0e-3), -0.25 * y / (y + 2.0e-3), 0.0);
        assert!((found - expected).length() < 0.006, "{found}, {expected}");
        // Along one axis one holds back the other.
        let found = drift_along([Vec3::X * 3.0e-3, Vec3::X * 2.0e-3], both());
        let (x, y) = (seen(3.0e-3, 20.0), seen(2.0e-3, 20.0));
        let expected = 0.3 * x / (x + 1.0e-3) - 0.25 * y / (y + 2.0e-3);
        assert!((found.x - expected).abs() < 0.006, "{found}, {expected}");
    }

    #[test]
    fn pulls_beyond_all_steps_in_one_direction_are_no_more_than_that() {
        let strong = |molecule| following(molecule, 1.0, 0.0);
        let found = drift_along(
            [Vec3::X * 3.0e-3; 2],
            vec![strong("vegf_a"), strong("glucose")],
        );
        // All but the first minute, after which all cells have turned with probability 1 - 1/e each.
        assert!((0.98..=1.0).contains(&found.x), "{found}");
    }

    #[test]
    fn dead_cells_do_not_walk() {
        let mut app = walkers(1, &MotilityParameters::default());
        let world = app.world_mut();
        let walker = world
            .query_filtered::<Entity, With<Motility>>()
            .single(world)
            .unwrap();
        let dead = Vital {
            state: State::Apoptotic,
            ..Vital::default()
        };
        world.entity_mut(walker).insert(dead);
        step(&mut app);
        assert_eq!(app.world().get::<Position>(walker).unwrap().0, Vec3::ZERO);
    }
}
