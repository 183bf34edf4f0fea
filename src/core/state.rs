//! The components that make up the state of a cell, listed once.
//!
//! A module registers each component that a cell carries from step to step with
//! [`RegisterState::register_cell_state`]. The list serves everything that must see a cell as a whole:
//! the state hash covers it, a checkpoint stores it, a daughter inherits it. A component that is forgotten here would be lost by
//! both, so a test compares the list with what cells in the world really carry.

use bevy::ecs::component::{ComponentId, Mutable};
use bevy::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How one component is read, written and inherited.
#[derive(Clone)]
pub struct CellState {
    /// Short name of the component, unique; names its column in checkpoints.
    pub name: &'static str,
    /// Its id in the world it was registered in.
    pub id: ComponentId,
    /// Appends the component of `cell`, if it has one, and says whether it did.
    pub write: fn(EntityRef, &mut Vec<u8>) -> bool,
    /// Inserts the component read from the front of `bytes`, and returns the rest.
    pub read: for<'b> fn(&mut EntityWorldMut, &'b [u8]) -> Option<&'b [u8]>,
}

/// All registered components, in the order of registration.
#[derive(Resource, Clone, Default)]
pub struct StateRegistry {
    /// The entries.
    pub cells: Vec<CellState>,
}

/// Registration, from a module's plugin.
pub trait RegisterState {
    /// Registers a component that cells carry from step to step. It is plain data: a daughter gets a copy of
    /// its bytes.
    fn register_cell_state<C>(&mut self, name: &'static str) -> &mut Self
    where
        C: Component<Mutability = Mutable> + Copy + Serialize + DeserializeOwned;
}

impl RegisterState for App {
    fn register_cell_state<C>(&mut self, name: &'static str) -> &mut Self
    where
        C: Component<Mutability = Mutable> + Copy + Serialize + DeserializeOwned,
    {
        self.init_resource::<StateRegistry>();
        let world = self.world_mut();
        let id = world.register_component::<C>();
        let mut registry = world.resource_mut::<StateRegistry>();
        assert!(
            registry.cells.iter().all(|known| known.name != name),
            "the state `{name}` is registered twice"
        );
        registry.cells.push(CellState {
            name,
            id,
            write: |cell, bytes| {
                let Some(component) = cell.get::<C>() else {
                    return false;
                };
                let taken = std::mem::take(bytes);
                *bytes = postcard::to_extend(component, taken)
                    .expect("plain data always fits into a growing buffer");
                true
            },
            read: |cell, bytes| {
                let (component, rest) = postcard::take_from_bytes::<C>(bytes).ok()?;
                cell.insert(component);
                Some(rest)
            },
        });
        self
    }
}
