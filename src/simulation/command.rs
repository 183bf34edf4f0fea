//! What a person or a script can do to the tissue.
//!
//! Both speak [`Action`]. Actions are taken at the start of a step, in the `Timeline` stage, and those given live are
//! logged with their time: a live session is a timeline, replayed to the bit by giving the same actions at the same steps.

use std::sync::Arc;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::spawn::spawn_population;
use crate::biology::therapy::{
    Course, Drugs, Pharmacy, Transfer, Transfers, prescribe, procedures, radiosensitivity,
};
use crate::core::parameters::{CellTypeNames, ParameterError, set_parameter};
use crate::core::regulate::{RuleChange, Rules};
use crate::core::state::{RegisterState, WhollyKept};
use crate::core::{Clock, SimSchedule, SimSystems};
use crate::scene::schema::{Action, Event, Span};
use crate::scene::{Change, ParsedScene, SceneReport};

/// An action that cannot be carried out.
#[derive(Debug, Error)]
pub enum ActionError {
    /// The parameter is unknown or the value out of range.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The rule makes no sense.
    #[error("{0}")]
    Rule(String),
    /// The cells make no sense in this scene.
    #[error(transparent)]
    Population(#[from] SceneReport),
    /// The treatment makes no sense in this scene.
    #[error("{0}")]
    Treatment(SceneReport),
    /// It is about the picture.
    #[error("this changes the picture, not the tissue")]
    Picture,
}

/// The scene whose timeline is followed.
#[derive(Resource, Clone, Debug)]
pub struct Script(pub Arc<ParsedScene>);

/// Actions given live.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CommandQueue {
    /// Given since the last step.
    pub(super) waiting: Vec<Action>,
    /// What was given, with the step at which it took effect.
    pub(super) log: Vec<LoggedAction>,
}

/// A live action and when it took effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedAction {
    /// The step at whose start it took effect.
    pub step: u64,
    /// The action.
    pub action: Action,
}

/// Adds the `Timeline` stage.
pub struct CommandPlugin;

impl LoggedAction {
    /// The event of a timeline that does the same. Appended in order to the timeline of the scene, the events of a log give
    /// the same bits as the live session.
    pub fn event(&self, step_minutes: f64) -> Event {
        let start = Clock {
            step: self.step,
            step_minutes,
        };
        Event::At(Span::Minutes(start.minutes()), self.action.clone())
    }
}

impl WhollyKept for CommandQueue {}

impl Plugin for CommandPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<CommandQueue>()
            .register_record::<CommandQueue>("commands")
            .declare_remade::<Script>("the scene itself")
            .declare_remade::<RefusedEvents>("only keeps a warning from being repeated")
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
    for occurrence in script.timeline.occurrences_in(clock) {
        match occurrence.change {
            Change::Set(path, value) => {
                if let Err(error) = set_parameter(world, path, value) {
                    tell_refused(world, &clock, occurrence.event, path, &error);
                }
            }
            Change::Add(population, number) => spawn_population(world, &script, population, number),
            Change::Rule(change) => change_rule(world, change),
            Change::Treat(action) => treat(world, &script, action),
        }
    }
    if world.resource::<CommandQueue>().waiting.is_empty() {
        return;
    }
    let waiting = std::mem::take(&mut world.resource_mut::<CommandQueue>().waiting);
    for action in waiting {
        match &action {
            Action::Set(path, value) => {
                if let Err(error) = set_parameter(world, path, *value) {
                    warn(format_args!("at {} h: {error}", clock.hours()));
                }
            }
            Action::Rule(change) => change_rule(world, change),
            Action::Add(population) => {
                let log = &world.resource::<CommandQueue>().log;
                let added = log
                    .iter()
                    .filter(|entry| matches!(entry.action, Action::Add(_)));
                let number = script.timeline.next_population() + added.count() as u32;
                spawn_population(world, &script, population, number);
            }
            // `Simulation::apply` lets nothing in that is about the picture alone.
            treatment => treat(world, &script, treatment),
        }
        let entry = LoggedAction {
            step: clock.step,
            action,
        };
        world.resource_mut::<CommandQueue>().log.push(entry);
    }
}

/// Treats the tissue.
fn treat(world: &mut World, script: &ParsedScene, action: &Action) {
    let now = world.resource::<Clock>().minutes();
    let site = |name: &Option<String>| script.site(name.as_deref()).unwrap_or_default();
    let cell_type = |name: &String| script.library.index_of(name);
    match action {
        Action::Give(dosing) => {
            let Some(dose) = dosing.dose() else { return };
            let drugs = world.resource::<Drugs>();
            match prescribe(drugs, &dosing.drug, dose, dosing.route) {
                Ok((drug, dose_ug, route)) => {
                    let course = Course {
                        drug: drug as u32,
                        dose_ug,
                        route,
                        start_minutes: now,
                        every_minutes: dosing.every.map_or(0.0, Span::minutes),
                        times: dosing.times,
                        given: 0,
                    };
                    world.resource_mut::<Pharmacy>().begin(course);
                }
                Err(error) => warn(format_args!("at {} h: {error}", now / 60.0)),
            }
        }
        Action::Inject(of) => {
            procedures::inject(world, site(&of.site), &of.place, &of.drug, of.fmol);
        }
        Action::Irradiate(of) => {
            radiosensitivity::strike(world, site(&of.site), of.place.as_ref(), of.gray);
        }
        Action::Resect(of) => {
            let types: Vec<u16> = of.cells.iter().filter_map(cell_type).collect();
            procedures::resect(world, site(&of.site), of.place.as_ref(), &types);
        }
        Action::Transfer(of) => {
            if let Some(cell_type) = cell_type(&of.cell) {
                let transfer = Transfer {
                    cell_type,
                    site: site(&of.site),
                    cells: of.cells,
                    come: 0,
                    start_minutes: now,
                    over_minutes: of.over.map_or(0.0, Span::minutes),
                };
                world.resource_mut::<Transfers>().0.push(transfer);
            }
        }
        _ => {}
    }
}

/// Changes a rule; one that is no more there, because it was deleted before, is left alone.
pub(super) fn change_rule(world: &mut World, change: &RuleChange) {
    let types = world.resource::<CellTypeNames>().clone();
    world.resource_mut::<Rules>().change(&types, change);
}

/// The events of the timeline of which was told that they set what is not there: each once.
#[derive(Resource, Default)]
struct RefusedEvents(Vec<usize>);

fn tell_refused(
    world: &mut World,
    clock: &Clock,
    event: usize,
    path: &str,
    error: &ParameterError,
) {
    let mut told = world.get_resource_or_init::<RefusedEvents>();
    if told.0.contains(&event) {
        return;
    }
    told.0.push(event);
    let hours = clock.hours();
    match error {
        ParameterError::Unknown { .. } => warn(format_args!(
            "timeline[{event}] at {hours} h: there is no parameter `{path}` then; this is told once"
        )),
        error => warn(format_args!(
            "timeline[{event}] at {hours} h: {error}; this is told once"
        )),
    }
}

/// Tells what goes wrong, if anybody reads it.
fn warn(line: std::fmt::Arguments) {
    let _gone =
        std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("warning: {line}\n"));
}

#[cfg(test)]
mod tests {
    use super::super::{Program, Simulation};
    use super::*;

    #[test]
    fn an_event_that_sets_what_is_not_there_is_told_once() {
        let text = r#"(title: "t", about: "", pace: Calibrated, duration: Hours(1),
            sites: [(name: "a", organ: Breast, size_um: (20, 20, 20))],
            timeline: [Every(every: Minutes(2), action: Set("cancer.rules.hypoxia_calls_vessels.scale", 2))])"#;
        let scene = Program::default().parse_scene(text, "t.ron", None);
        let mut scene = scene.expect("a scene without a mistake");
        // What its check would refuse.
        scene.scene.rules = vec![RuleChange::Delete("cancer.hypoxia_calls_vessels".into())];
        let mut simulation = Simulation::new(Arc::new(scene), 1).expect("it can be set up");
        for _ in 0..20 {
            simulation.step();
        }
        assert_eq!(simulation.world.resource::<RefusedEvents>().0, [0]);
    }
}
