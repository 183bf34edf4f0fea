//! Floor 3: the simulation as a value.
//!
//! A [`Simulation`] owns an ECS world and its schedule. It needs no [`App`] and no window: tests, runs and
//! films make as many as they like, on any thread. [`command`] is how anything gets in, [`snapshot`] how the
//! picture gets out; [`turnover`] is where cells come and go, [`verify`] checks that what must be true is.

pub mod command;
pub mod snapshot;
pub mod spawn;
pub mod turnover;
mod twin;
pub mod verify;

use std::path::Path;
use std::sync::Arc;

use bevy::ecs::schedule::{LogLevel, ScheduleBuildSettings, SingleThreadedExecutor};
use bevy::prelude::*;

pub use command::{Command, CommandError, LoggedCommand};
pub use snapshot::{CellGlyphs, CellTypeStyle, FieldSnapshot, SiteMetrics, SiteSnapshot, Snapshot};
pub use turnover::Lineage;
pub use verify::Violation;

use crate::biology::BiologyPlugins;
use crate::cell::CellPlugins;
use crate::core::invariant::Invariants;
use crate::core::parameters::{
    self, CellTypeNames, ParameterError, ParameterRegistry, ParameterValue, RegisterParameters,
};
use crate::core::stages::{self, StageTimes};
use crate::core::state::{RegisterState, StateRegistry};
use crate::core::{Clock, RandomKey, SimSchedule, SimSystems};
use crate::observe::checkpoint::{Checkpoint, CheckpointError, RunState};
use crate::observe::metrics::{self, MetricsParameters, TumourTypes};
use crate::observe::{Census, EventRecord, StepEvents};
use crate::scene::{self, CellLibrary, ParsedScene, SceneContext, SceneReport};
use crate::tissue::transport::{FieldWork, SolveTally, TransportPlugin};
use crate::tissue::{FieldValues, Molecules, SiteId, Sites};
use command::{CommandPlugin, CommandQueue, Script};

/// A block of tissue being simulated.
pub struct Simulation {
    world: World,
    scene: Arc<ParsedScene>,
    seed: u64,
    end_minutes: f64,
}

/// Every plugin of the step, and nothing else: what a prototype world needs to know all parameters.
pub struct SimulationPlugins;

impl Plugin for SimulationPlugins {
    fn build(&self, app: &mut App) {
        app.add_schedule(schedule());
        app.add_plugins((
            TransportPlugin,
            CellPlugins,
            BiologyPlugins,
            turnover::TurnoverPlugin,
            CommandPlugin,
        ))
        .register_group::<MetricsParameters>("metrics")
        .declare_remade::<RandomKey>("the seed of the run")
        .declare_remade::<CellTypeNames>("made from the scene")
        .declare_remade::<TumourTypes>("made from the scene")
        .declare_remade::<StateRegistry>("a list of what the program knows")
        .declare_remade::<ParameterRegistry>("a list of what the program knows")
        .declare_remade::<Invariants>("a list of what the program knows")
        // Here and not when it is first needed: what is added to a world full of cells takes memory for each.
        .init_resource::<StageTimes>()
        .declare_remade::<StageTimes>("a measurement of this process")
        .add_systems(SimSchedule, advance_clock.in_set(SimSystems::Observe));
    }
}

/// The schedule of a step: chained sets on Bevy's multi-threaded executor.
fn schedule() -> Schedule {
    let mut schedule = Schedule::new(SimSchedule);
    for pair in SimSystems::ORDER.windows(2) {
        schedule.configure_sets(pair[0].before(pair[1]));
    }
    schedule
}

fn advance_clock(mut clock: ResMut<Clock>) {
    clock.step += 1;
}

/// A world with all plugins and the cell types of a library, but no tissue: enough to know every parameter.
pub fn prototype_world(library: &CellLibrary) -> World {
    let mut app = App::empty();
    app.insert_resource(Clock::new(1.0))
        .insert_resource(RandomKey(0))
        .add_plugins(SimulationPlugins);
    let mut world = std::mem::take(app.world_mut());
    world.insert_resource(library.molecules.clone());
    spawn::install_cell_types(&mut world, &library.types);
    world
}

impl Simulation {
    /// Sets the scene up at time zero.
    ///
    /// # Errors
    /// When a parameter of the scene does not exist or has a value out of range; a scene that was checked
    /// has no such problem.
    pub fn new(scene: Arc<ParsedScene>, seed: u64) -> Result<Self, ParameterError> {
        let mut simulation = Self::without_cells(scene, seed)?;
        let scene = simulation.scene.clone();
        for (number, population) in scene.scene.populations.iter().enumerate() {
            spawn::spawn_population(&mut simulation.world, &scene, population, number as u32);
        }
        Ok(simulation)
    }

    /// The tissue of a scene before any cell is put into it.
    fn without_cells(scene: Arc<ParsedScene>, seed: u64) -> Result<Self, ParameterError> {
        let mut world = prototype_world(&scene.library);
        world.insert_resource(Clock::new(scene.scene.step.minutes()));
        world.insert_resource(RandomKey(seed));
        world.insert_resource(Script(scene.clone()));
        for (path, value) in &scene.scene.parameters {
            parameters::set_parameter(&mut world, path, *value)?;
        }
        spawn::spawn_sites(&mut world, &scene.scene);
        let end_minutes = scene.scene.duration.minutes();
        Ok(Self {
            world,
            scene,
            seed,
            end_minutes,
        })
    }

    /// Sets a simulation up as a checkpoint left it.
    ///
    /// # Errors
    /// In words, when the checkpoint does not fit this program.
    pub fn resume(checkpoint: Checkpoint) -> Result<(Self, RunState), CheckpointError> {
        let scene = checkpoint.scene()?;
        let (seed, end_minutes) = (scene.scene.seed, checkpoint.run.end_minutes);
        let mut simulation = Self::without_cells(Arc::new(scene), seed)
            .map_err(|error| checkpoint.does_not_fit(&error))?;
        let run = checkpoint.restore(&mut simulation.world)?;
        simulation.end_minutes = end_minutes;
        Ok((simulation, run))
    }

    /// The scene it was made from.
    pub fn scene(&self) -> &Arc<ParsedScene> {
        &self.scene
    }

    /// The seed of its random numbers.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// Computes one step.
    pub fn step(&mut self) {
        self.world.run_schedule(SimSchedule);
        self.world.clear_trackers();
        self.world.check_change_ticks();
    }

    /// Checks in every step from now on that what must be true is true. The states it goes through are the
    /// same.
    pub fn verify(&mut self) {
        verify::install(&mut self.world);
    }

    /// The first broken invariant, if the simulation verifies itself and one was broken; its step is left
    /// unfinished then, and it must not be stepped any further.
    pub fn violation(&self) -> Option<&Violation> {
        self.world
            .get_resource::<verify::Verification>()?
            .violation
            .as_ref()
    }

    /// Runs the systems of a step one after the other on the thread that calls [`Simulation::step`], not on
    /// the common pool; their loops stay parallel. The results are the same. For a simulation beside a
    /// window, which uses that pool too.
    pub fn keep_to_calling_thread(&mut self) {
        let mut schedules = self.world.resource_mut::<Schedules>();
        if let Some(schedule) = schedules.get_mut(SimSchedule) {
            schedule.set_executor(SingleThreadedExecutor::new());
        }
    }

    /// Measures from now on how long the stages of a step take, see [`Simulation::stage_seconds`]. Changes
    /// no result.
    pub fn measure_stages(&mut self) {
        let measured = self.world.resource_mut::<StageTimes>().restart();
        let mut schedules = self.world.resource_mut::<Schedules>();
        if let Some(schedule) = schedules.get_mut(SimSchedule)
            && !measured
        {
            stages::measure(schedule);
        }
    }

    /// Wall time spent in each stage since [`Simulation::measure_stages`], s; empty if that was not called.
    pub fn stage_seconds(&self) -> Vec<(SimSystems, f64)> {
        self.world
            .get_resource::<StageTimes>()
            .filter(|times| times.is_on())
            .map_or_else(Vec::new, |times| times.seconds().collect())
    }

    /// Takes a command; it is carried out at the start of the next step and logged.
    ///
    /// # Errors
    /// When it cannot be carried out: an unknown parameter, a value out of range, cells that are unknown or lie
    /// outside their site. Nothing changes then.
    pub fn apply(&mut self, command: Command) -> Result<(), CommandError> {
        match &command {
            Command::Set { path, value } => {
                parameters::check_parameter(&self.world, path, *value)?;
            }
            Command::Add(population) => self.scene.check_population(population)?,
        }
        self.world
            .resource_mut::<CommandQueue>()
            .waiting
            .push(command);
        Ok(())
    }

    /// The commands given live so far, with the steps at which they took effect.
    pub fn log(&self) -> &[LoggedCommand] {
        &self.world.resource::<CommandQueue>().log
    }

    /// Steps completed.
    pub fn steps(&self) -> u64 {
        self.world.resource::<Clock>().step
    }

    /// Its clock.
    pub fn clock(&self) -> Clock {
        *self.world.resource::<Clock>()
    }

    /// Tissue time, hours.
    pub fn hours(&self) -> f64 {
        self.clock().hours()
    }

    /// Ends at this tissue time instead of the scene's duration, minutes.
    pub const fn set_end(&mut self, minutes: f64) {
        self.end_minutes = minutes;
    }

    /// Tissue time at which it ends, minutes.
    pub const fn end_minutes(&self) -> f64 {
        self.end_minutes
    }

    /// Whether it ends before the scene does, so that not all of the scene's expectations can be judged.
    pub fn ends_early(&self) -> bool {
        self.end_minutes < self.scene.scene.duration.minutes()
    }

    /// Whether it goes on after the scene's timeline is over.
    pub fn ends_late(&self) -> bool {
        self.end_minutes > self.scene.scene.duration.minutes()
    }

    /// Number of steps until its end.
    pub fn total_steps(&self) -> u64 {
        self.clock().step_at(self.end_minutes)
    }

    /// Number of cells, dead ones included.
    pub fn cell_count(&self) -> usize {
        self.world
            .try_query::<&crate::core::CellId>()
            .map_or(0, |mut query| query.iter(&self.world).count())
    }

    /// Names of the sites, in order.
    pub fn site_names(&self) -> Vec<&str> {
        self.world
            .resource::<Sites>()
            .list
            .iter()
            .map(|site| site.block.name.as_str())
            .collect()
    }

    /// All cells as rows.
    pub fn census(&self) -> Census {
        Census::take(&self.world)
    }

    /// Measurements of every site.
    pub fn metrics(&self) -> Vec<SiteMetrics> {
        metrics::measure(&self.world)
    }

    /// What happened in the last step.
    pub fn events(&self) -> &[EventRecord] {
        &self.world.resource::<StepEvents>().0
    }

    /// 64 bits that stand for the whole state.
    pub fn state_hash(&self) -> u64 {
        crate::observe::hash::state_hash(&self.world)
    }

    /// Every parameter with its value.
    pub fn parameters(&self) -> Vec<ParameterValue> {
        parameters::list_parameters(&self.world)
    }

    /// Values of the field of the molecule of that name, and what its last solve did.
    pub fn field(&self, site: SiteId, molecule: &str) -> Option<(&[f32], &FieldWork)> {
        let molecule = self.world.resource::<Molecules>().id(molecule)?;
        let field = self.world.resource::<Sites>().get(site).field(molecule)?;
        Some((
            &self.world.get::<FieldValues>(field.entity)?.0,
            self.world.get::<FieldWork>(field.entity)?,
        ))
    }

    /// What the solves of each field did, by name of the site and of the molecule as shown to a person.
    pub fn solves(&self) -> Vec<(&str, &str, SolveTally)> {
        let molecules = self.world.resource::<Molecules>();
        let sites = &self.world.resource::<Sites>().list;
        sites
            .iter()
            .flat_map(|site| {
                site.fields.iter().filter_map(|field| {
                    let work = self.world.get::<FieldWork>(field.entity)?;
                    let label = molecules.get(field.molecule).label.as_str();
                    Some((site.block.name.as_str(), label, *work.tally()))
                })
            })
            .collect()
    }

    /// The world, to look at.
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// What a picture of this moment needs.
    pub fn snapshot(&self) -> Snapshot {
        snapshot::extract(self)
    }
}

/// Pairs of systems whose order matters but is not fixed, as Bevy reports them; must be none.
///
/// # Errors
/// The report, when there are any.
pub fn schedule_ambiguities(library: &CellLibrary) -> Result<(), String> {
    let mut world = prototype_world(library);
    world.resource_scope(|world, mut schedules: Mut<Schedules>| {
        let schedule = schedules
            .get_mut(SimSchedule)
            .expect("the plugins add the schedule");
        stages::measure(schedule);
        schedule.set_build_settings(ScheduleBuildSettings {
            ambiguity_detection: LogLevel::Error,
            ..default()
        });
        schedule
            .initialize(world)
            .map(|_| ())
            .map_err(|error| error.to_string(schedule.graph(), world))
    })
}

/// Reads a scene and everything it refers to, and checks it against this program: its parameters, its
/// measurements.
///
/// # Errors
/// When anything is wrong: everything that is.
pub fn open_scene(path: &Path) -> Result<ParsedScene, SceneReport> {
    scene::load_scene(path, &SCENE_CONTEXT)
}

/// Reads the shipped scene that is named like this file, `scenes/NAME.ron`, if there is one and no such file.
///
/// # Errors
/// When anything is wrong with it or the cell types at hand: everything that is.
pub fn open_shipped_scene(path: &Path) -> Option<Result<ParsedScene, SceneReport>> {
    let text = scene::shipped_scene(path).filter(|_| !path.exists())?;
    let name = path.display().to_string();
    Some(scene::parse_scene(text, &name, &SCENE_CONTEXT))
}

/// Checks a scene, the shipped one of that name where there is no such file, or a cell prefab or a molecule if it lies
/// in a folder named `cells` or `molecules`, and says what it is.
///
/// # Errors
/// When anything is wrong: everything that is.
pub fn check_file(path: &Path) -> Result<String, SceneReport> {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = whole.parent().and_then(Path::file_name);
    if folder.is_some_and(|folder| folder == "cells") {
        return scene::load_prefab(path)
            .map(|prefab| format!("cell type `{}`, no problem found", prefab.name));
    }
    if folder.is_some_and(|folder| folder == "molecules") {
        return scene::load_molecule(path)
            .map(|molecule| format!("molecule `{}`, no problem found", molecule.name));
    }
    let parsed = open_shipped_scene(path).unwrap_or_else(|| open_scene(path))?;
    Ok(format!(
        "`{}`, {} h of tissue time, no problem found",
        parsed.scene.title,
        parsed.scene.duration.hours()
    ))
}

/// What this program knows that a scene can refer to.
const SCENE_CONTEXT: SceneContext = SceneContext {
    folder: None,
    metrics: Some(&|library| metrics::columns(&library.names())),
    prototype: Some(&prototype_world),
};
