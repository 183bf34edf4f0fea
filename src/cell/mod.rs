//! Floor 1: cells. Identity, body, cycle, death, motility, neighbours, mechanics.

use bevy::prelude::*;

use crate::core::{SimSchedule, SimSystems};

pub mod body;
pub mod cycle;
pub mod death;
pub mod mechanics;
pub mod motility;
pub mod surroundings;

pub use body::{Body, BodyParameters, CellType, Position, Resident};
pub use cycle::{Cycle, CycleParameters, Growth, Phase};
pub use death::{DeathParameters, LifeEvent, State, Vital};
pub use motility::{Motility, MotilityParameters};
pub use surroundings::Surroundings;

/// The order inside [`SimSystems::Act`].
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActSystems {
    /// Cells book what they take up and secrete, as they are at the start of the step.
    Exchange,
    /// Cells decide: to die, to go on in the cycle, to turn.
    Decide,
    /// Bodies grow, shrink or swell as decided.
    Grow,
}

/// Puts the sets of [`ActSystems`] in their order; every plugin that uses them calls it, doing so twice is harmless.
pub fn order_act(app: &mut App) {
    app.configure_sets(
        SimSchedule,
        (ActSystems::Exchange, ActSystems::Decide, ActSystems::Grow)
            .chain()
            .in_set(SimSystems::Act),
    );
}

/// Everything a cell does on its own: grow, cycle, die, walk.
pub struct CellPlugins;

impl Plugin for CellPlugins {
    fn build(&self, app: &mut App) {
        app.add_plugins((
            body::BodyPlugin,
            cycle::CyclePlugin,
            death::DeathPlugin,
            motility::MotilityPlugin,
        ));
    }
}
