//! What a person or a script can do to the tissue.
//!
//! Commands are taken at the start of a step, in the `Timeline` stage, and logged with their time: a live
//! session is replayed to the bit by giving the same commands at the same steps.

use std::sync::Arc;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::spawn::spawn_population;
use crate::core::parameters::{CellTypeNames, ParameterError, set_parameter};
use crate::core::regulate::{RuleChange, Rules};
use crate::core::state::{Owner, RegisterState, WhollyKept};
use crate::core::{Clock, SimSchedule, SimSystems};
use crate::scene::schema::Population;
use crate::scene::{Change, ParsedScene, SceneReport};

/// Something done to the tissue at a step boundary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Sets a parameter: path and value.
    Set {
        /// Path, as in a scene: `"cancer.cycle.s_hours"`.
        path: String,
        /// The new value.
        value: f64,
    },
    /// Adds cells.
    Add(Population),
    /// Changes a rule.
    Rule(RuleChange),
}

/// A command that cannot be carried out.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The parameter is unknown or the value out of range.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The rule makes no sense.
    #[error("{0}")]
    Rule(String),
    /// The cells make no sense in this scene.
    #[error(transparent)]
    Population(#[from] SceneReport),
}

/// The scene whose timeline is followed.
#[derive(Resource, Clone, Debug)]
pub struct Script(pub Arc<ParsedScene>);

/// Commands given live.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CommandQueue {
    /// Given since the last step.
    pub(super) waiting: Vec<Command>,
    /// What was given, with the step at which it took effect.
    pub(super) log: Vec<LoggedCommand>,
}

/// A live command and when it took effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedCommand {
    /// The step at whose start it took effect.
    pub step: u64,
    /// The command.
    pub command: Command,
}

/// Adds the `Timeline` stage.
pub struct CommandPlugin;

impl WhollyKept for CommandQueue {}

impl Plugin for CommandPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<CommandQueue>()
            .register_kept::<CommandQueue>(Owner::Simulation, "commands")
            .declare_remade::<Script>("the scene itself")
            .add_systems(SimSchedule, run_commands.in_set(SimSystems::Timeline));
    }
}

/// Carries out what the scene's timeline has for this step, then what was given live.
///
/// Both were checked when the scene was read or the command was given, so a refusal here is a fault of the
/// program; it is told on standard error.
fn run_commands(world: &mut World) {
    let clock = *world.resource::<Clock>();
    let script = world.resource::<Script>().0.clone();
    for change in script.timeline.changes_in(clock) {
        match change {
            Change::Set(path, value) => set(world, path, value),
            Change::Add(population, number) => spawn_population(world, &script, population, number),
            Change::Rule(change) => change_rule(world, change),
        }
    }
    if world.resource::<CommandQueue>().waiting.is_empty() {
        return;
    }
    let waiting = std::mem::take(&mut world.resource_mut::<CommandQueue>().waiting);
    for command in waiting {
        match &command {
            Command::Set { path, value } => set(world, path, *value),
            Command::Rule(change) => change_rule(world, change),
            Command::Add(population) => {
                let number =
                    FIRST_LIVE_POPULATION + world.resource::<CommandQueue>().log.len() as u32;
                spawn_population(world, &script, population, number);
            }
        }
        let entry = LoggedCommand {
            step: clock.step,
            command,
        };
        world.resource_mut::<CommandQueue>().log.push(entry);
    }
}

/// Populations painted live are numbered from here, so that they share no random numbers with those of the
/// scene.
const FIRST_LIVE_POPULATION: u32 = 1 << 16;

/// Changes a rule; one that is no more there, because it was deleted before, is left alone.
pub(super) fn change_rule(world: &mut World, change: &RuleChange) {
    let types = world.resource::<CellTypeNames>().clone();
    world.resource_mut::<Rules>().change(&types, change);
}

fn set(world: &mut World, path: &str, value: f64) {
    if let Err(error) = set_parameter(world, path, value) {
        // Nobody may be reading.
        let _gone =
            std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("warning: {error}\n"));
    }
}
