//! What must be true after each stage of a step, whatever the scene.
//!
//! A module registers what its systems promise: [`RegisterInvariant::register_cell_invariant`] for a
//! component of a cell, [`RegisterInvariant::register_invariant`] for anything else. Nothing is checked
//! unless a simulation is asked to verify itself; then all promises of a stage are checked when it is over,
//! and the first that is broken stops the run with the name of the system that made it.

use bevy::prelude::*;
use thiserror::Error;

use super::state::RegisterState;
use super::{CellId, SimSystems};

/// A broken promise.
#[derive(Clone, Debug, PartialEq)]
pub struct Breach {
    /// The cell, if it is about one.
    pub cell: Option<CellId>,
    /// What was found, in words.
    pub found: String,
}

impl Breach {
    /// A breach that is not about a cell.
    pub const fn new(found: String) -> Self {
        Self { cell: None, found }
    }
}

/// A broken promise, and where it was broken.
#[derive(Clone, Debug, PartialEq, Error)]
#[error(
    "step {step} ({hours:.2} h) breaks an invariant: after `{system}` in {stage:?}{}: {}",
    breach.cell.map_or_else(String::new, |cell| format!(", cell {}", cell.0)),
    breach.found
)]
pub struct Violation {
    /// The step, counted from 1.
    pub step: u64,
    /// Tissue time at its start, hours.
    pub hours: f64,
    /// The stage after which it was found.
    pub stage: SimSystems,
    /// The system that should have seen to it.
    pub system: &'static str,
    /// What was found.
    pub breach: Breach,
}

/// A request that made no sense, if there was one: the first. The run must end then.
#[derive(Resource, Clone, Debug, Default)]
pub struct Refused(pub Option<Violation>);

/// One promise.
pub struct Invariant {
    /// The stage after which it must hold.
    pub stage: SimSystems,
    /// The system that sees to it.
    pub system: &'static str,
    /// Whether it is about a component of each cell by itself.
    pub is_of_cells: bool,
    /// Looks for a breach.
    pub check: Box<dyn Fn(&World) -> Option<Breach> + Send + Sync>,
}

impl Invariant {
    /// Whether it holds between two steps as well, when the last stage that changes anything is over: what is said of a
    /// component by itself, and what `Turnover` leaves behind.
    pub fn holds_between_steps(&self) -> bool {
        self.is_of_cells || self.stage == SimSystems::Turnover
    }
}

/// All promises, in the order of registration.
#[derive(Resource, Default)]
pub struct Invariants(pub Vec<Invariant>);

/// Registration, from a module's plugin.
pub trait RegisterInvariant {
    /// Registers what a system promises of anything but single cells.
    fn register_invariant(
        &mut self,
        stage: SimSystems,
        system: &'static str,
        check: impl Fn(&World) -> Option<Breach> + Send + Sync + 'static,
    ) -> &mut Self;
    /// Registers what a system promises of a component of each cell: `wrong` says what is wrong with it.
    fn register_cell_invariant<C: Component>(
        &mut self,
        stage: SimSystems,
        system: &'static str,
        wrong: fn(&C) -> Option<String>,
    ) -> &mut Self;
}

impl RegisterInvariant for App {
    fn register_invariant(
        &mut self,
        stage: SimSystems,
        system: &'static str,
        check: impl Fn(&World) -> Option<Breach> + Send + Sync + 'static,
    ) -> &mut Self {
        assert!(
            stage != SimSystems::Observe,
            "the step is over after `Observe`: what is to hold then must hold before"
        );
        self.init_resource::<Invariants>()
            .declare_remade::<Invariants>("a list of what the program knows");
        let invariant = Invariant {
            stage,
            system,
            is_of_cells: false,
            check: Box::new(check),
        };
        self.world_mut()
            .resource_mut::<Invariants>()
            .0
            .push(invariant);
        self
    }

    fn register_cell_invariant<C: Component>(
        &mut self,
        stage: SimSystems,
        system: &'static str,
        wrong: fn(&C) -> Option<String>,
    ) -> &mut Self {
        self.register_invariant(stage, system, move |world| first_wrong(world, wrong));
        let mut invariants = self.world_mut().resource_mut::<Invariants>();
        if let Some(last) = invariants.0.last_mut() {
            last.is_of_cells = true;
        }
        self
    }
}

/// The wrong cell of lowest identity.
fn first_wrong<C: Component>(world: &World, wrong: fn(&C) -> Option<String>) -> Option<Breach> {
    let mut query = world.try_query::<(&CellId, &C)>()?;
    query
        .iter(world)
        .filter_map(|(id, component)| Some((*id, wrong(component)?)))
        .min_by_key(|(id, _)| *id)
        .map(|(id, found)| Breach {
            cell: Some(id),
            found,
        })
}

/// Says so if a quantity is not a number from `least` to `most`.
pub fn outside(name: &str, value: f32, least: f32, most: f32) -> Option<String> {
    (!(least..=most).contains(&value))
        .then(|| format!("{name} is {value}, which is not from {least} to {most}"))
}
