//! Floor 3: the simulation as a value.
//!
//! A [`Simulation`] owns an ECS world and its schedule. It needs no [`App`] and no window: tests, runs and
//! films make as many as they like, on any thread. [`program`] says what it is made of, [`describe`] what that knows. [`command`] is how anything gets in, [`snapshot`] how the
//! picture gets out, [`wiring`] how a cell is wired, [`side_by_side`] how the arms of a scene are stepped and seen together;
//! [`verify`] checks that what must be true is.

pub mod command;
pub mod describe;
mod portrait;
pub mod program;
mod restored;
pub mod side_by_side;
pub mod snapshot;
pub mod spawn;
mod timing;
pub mod verify;
pub mod wiring;

use std::sync::Arc;

use bevy::ecs::schedule::{LogLevel, ScheduleBuildSettings, SingleThreadedExecutor};
use bevy::prelude::*;

pub use crate::cell::turnover::Lineage;
pub use crate::core::metric::SiteMetrics;
pub use crate::scene::schema::Action;
pub use command::{ActionError, LoggedAction};
pub use portrait::Portrait;
pub use program::{Program, open_scene, prototype_world};
pub use side_by_side::{ArmsShown, SideBySide};
#[cfg(feature = "view")]
pub(crate) use snapshot::drawn_on_the_way;
pub use snapshot::{
    Catalogue, CellGlyphs, CellTypeStyle, FieldSnapshot, SiteSnapshot, Snapshot, SnapshotRequest,
    Stretches, WHOLE_STAGE, drawn_site,
};
pub use verify::Violation;
pub use wiring::{Arrow, InputNow, QuantityNow, Strength, Wiring};

use crate::biology::BiologyPlugins;
use crate::cell::life::CellLife;
use crate::cell::movement::feel_surroundings;
use crate::cell::turnover::TurnoverPlugin;
use crate::cell::{CellPlugins, CellType, EventRecord, StepEvents};
use crate::core::capability::CapabilityRegistry;
use crate::core::clones::fill_rows;
use crate::core::columns::tables_with;
use crate::core::input::InputValues;
use crate::core::invariant::Refused;
use crate::core::parameters::{
    self, CellTypeNames, ParameterError, ParameterRegistry, ParameterValue,
};
use crate::core::random::PurposeRegistry;
use crate::core::stages::{self, StageTimes};
use crate::core::state::{RegisterState, StateRegistry};
use crate::core::{CellId, Clock, RandomKey, RegisterPurpose, SimSchedule, SimSystems};
use crate::measure::{Census, Wanted, metrics};
use crate::scene::population::PLACEMENT;
use crate::scene::{CellLibrary, ParsedScene};
use crate::tissue::transport::{FieldWork, SolveTally, TransportPlugin};
use crate::tissue::{FieldValues, Molecules, SiteId, Sites, population};
use command::{CommandPlugin, CommandQueue, Script};

/// A block of tissue being simulated.
pub struct Simulation {
    world: World,
    scene: Arc<ParsedScene>,
    seed: u64,
    end_minutes: f64,
    catalogue: Arc<Catalogue>,
    /// What is wrong with the state that it was given.
    fault: Option<String>,
}

/// Every plugin of the step, and nothing else: what a prototype world needs to know all parameters.
pub struct SimulationPlugins;

impl Plugin for SimulationPlugins {
    fn build(&self, app: &mut App) {
        app.add_schedule(schedule());
        app.add_plugins((
            metrics::MetricsPlugin,
            TransportPlugin,
            CellPlugins,
            BiologyPlugins,
            TurnoverPlugin,
            CommandPlugin,
        ))
        .declare_remade::<RandomKey>("the seed of the run")
        .declare_remade::<CellTypeNames>("made from the scene")
        .declare_remade::<StateRegistry>("a list of what the program knows")
        .declare_remade::<ParameterRegistry>("a list of what the program knows")
        .declare_remade::<CapabilityRegistry>("a list of what the program knows")
        .register_purpose(PLACEMENT)
        .declare_remade::<PurposeRegistry>("a list of what the program knows")
        .declare_remade::<CellLife>("a list of what the program knows")
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

impl Simulation {
    /// Sets the scene up at time zero.
    ///
    /// # Errors
    /// When a parameter of the scene does not exist or has a value out of range; a scene that was checked
    /// has no such problem.
    pub fn new(scene: Arc<ParsedScene>, seed: u64) -> Result<Self, ParameterError> {
        let mut simulation = Self::without_cells(scene, seed)?;
        for site in 0..scene_sites(&simulation.world) {
            population::begin_site(&mut simulation.world, SiteId(site));
        }
        let scene = simulation.scene.clone();
        for (number, population) in scene.scene.populations.iter().enumerate() {
            spawn::spawn_population(&mut simulation.world, &scene, population, number as u32);
        }
        feel_surroundings(&mut simulation.world);
        Ok(simulation)
    }

    /// The tissue of a scene before any cell is put into it.
    fn without_cells(scene: Arc<ParsedScene>, seed: u64) -> Result<Self, ParameterError> {
        let program = Program::of(scene.extensions.clone());
        let mut world = program.prototype_world(&scene.library);
        world.insert_resource(Clock::new(scene.scene.step.minutes()));
        world.insert_resource(RandomKey(seed));
        world.insert_resource(Script(scene.clone()));
        spawn::spawn_sites(&mut world, &scene.scene);
        for change in &scene.scene.rules {
            command::change_rule(&mut world, change);
        }
        for (path, name) in &scene.scene.choices {
            parameters::set_choice(&mut world, path, name)?;
        }
        for (path, value) in &scene.scene.parameters {
            parameters::set_parameter(&mut world, path, *value)?;
        }
        let end_minutes = scene.scene.duration.minutes();
        let catalogue = Arc::new(Catalogue::of(&world));
        Ok(Self {
            catalogue,
            world,
            scene,
            seed,
            end_minutes,
            fault: None,
        })
    }

    /// The tissue of a scene before any cell is put into it, with the seed that the scene says.
    pub(crate) fn before_its_cells(scene: ParsedScene) -> Result<Self, ParameterError> {
        let seed = scene.scene.seed;
        Self::without_cells(Arc::new(scene), seed)
    }

    /// The tissue of its scene before any cell is put into it, with its seed and its end.
    pub(crate) fn without_its_cells(&self) -> Result<Self, ParameterError> {
        let mut bare = Self::without_cells(Arc::clone(&self.scene), self.seed)?;
        bare.end_minutes = self.end_minutes;
        Ok(bare)
    }

    /// Gives the tissue a state that was kept, cells and all.
    pub(crate) fn take_state<T, E>(
        &mut self,
        restore: impl FnOnce(&mut World) -> Result<T, E>,
    ) -> Result<T, E> {
        let restored = restore(&mut self.world)?;
        self.fault = restored::wrong_with_cells(&self.world, &self.scene.scene);
        if self.fault.is_some() {
            return Ok(restored);
        }
        fill_rows(&mut self.world);
        for site in 0..scene_sites(&self.world) {
            population::settle_site(&mut self.world, SiteId(site));
        }
        self.fault = restored::broken_promise(&self.world);
        Ok(restored)
    }

    /// What is wrong with the state that it was given, if anything is; it must not be stepped then.
    pub(crate) fn first_fault(&self) -> Option<String> {
        self.fault.clone()
    }

    /// The scene it was made from.
    pub fn scene(&self) -> &Arc<ParsedScene> {
        &self.scene
    }

    /// The seed of its random numbers.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// Goes on by the random numbers of another seed.
    pub(crate) fn reseed(&mut self, seed: u64) {
        self.seed = seed;
        self.world.insert_resource(RandomKey(seed));
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
    /// unfinished then. Or, whether it verifies itself or not, the first request that a module made of `Turnover` and that
    /// makes no sense ([`Refused`]). It must not be stepped any further.
    pub fn violation(&self) -> Option<&Violation> {
        let found = self.world.get_resource::<verify::Verification>();
        let refused = self.world.get_resource::<Refused>();
        found
            .and_then(|verification| verification.violation.as_ref())
            .or_else(|| refused?.0.as_ref())
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

    /// Takes an action; it is carried out at the start of the next step and logged.
    ///
    /// # Errors
    /// When it cannot be carried out: an unknown parameter, a value out of range, cells that are unknown or lie
    /// outside their site, something that concerns the picture alone. Nothing changes then.
    pub fn apply(&mut self, action: Action) -> Result<(), ActionError> {
        match &action {
            Action::Set(path, value) => {
                parameters::check_parameter(&self.world, path, *value)?;
            }
            Action::Add(population) => self.scene.check_population(population, &self.world)?,
            treatment if treatment.is_treatment() => self
                .scene
                .check_treatment(treatment)
                .map_err(ActionError::Treatment)?,
            Action::Rule(change) => {
                crate::core::rule_check::check_change(&self.world, change)
                    .map_err(|fault| ActionError::Rule(fault.message))?;
            }
            _ => return Err(ActionError::Picture),
        }
        self.world
            .resource_mut::<CommandQueue>()
            .waiting
            .push(action);
        Ok(())
    }

    /// The actions given live so far, with the steps at which they took effect.
    pub fn log(&self) -> &[LoggedAction] {
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

    /// Whether it has not come to the end of the scene, so that not all of the scene's expectations can be judged.
    pub fn is_short_of_end(&self) -> bool {
        self.end_minutes < self.scene.scene.duration.minutes() || self.steps() < self.total_steps()
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

    /// All cells, with what is wanted of them.
    pub fn census(&self, wanted: &Wanted) -> Census {
        Census::take(&self.world, wanted)
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
        crate::measure::hash::state_hash(&self.world)
    }

    /// What rules made of an input of cells in the last step, by name, in the order of identity; nothing where no module has
    /// registered it. Cells that came to be in that step have none yet, so ask after one in which none did.
    pub fn inputs(&self, name: &str) -> Vec<(CellId, f32)> {
        let values = self.world.get_resource::<InputValues>();
        let Some(input) = values.and_then(|values| values.of_cells(&self.world, name)) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for table in tables_with::<CellId>(&self.world) {
            let (Some(ids), Some(types)) = (table.get::<CellId>(), table.get::<CellType>()) else {
                continue;
            };
            let column = input.in_table(table.entities());
            let rows = ids.iter().zip(types).enumerate();
            found.extend(rows.map(|(row, (id, of))| (*id, column.at(row, of.0))));
        }
        found.sort_unstable_by_key(|(id, _)| *id);
        found
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

    /// Everything that could be shown of it.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.clone()
    }

    /// The world, to look at.
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// What a picture of this moment needs, with what is asked for.
    pub fn snapshot(&self, request: &SnapshotRequest) -> Snapshot {
        snapshot::extract(self, request)
    }
}

/// Number of sites of a world.
fn scene_sites(world: &World) -> u16 {
    world.resource::<Sites>().list.len() as u16
}

/// Pairs of systems whose order matters but is not fixed, as Bevy reports them; must be none.
///
/// # Errors
/// The report, when there are any.
pub fn schedule_ambiguities(library: &CellLibrary) -> Result<(), String> {
    ambiguities_in(prototype_world(library))
}

/// Pairs of systems in a world whose order matters but is not fixed.
fn ambiguities_in(mut world: World) -> Result<(), String> {
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
