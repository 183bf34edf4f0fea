//! What makes up the state of a simulation, listed once.
//!
//! A module registers each component that a cell carries from step to step with
//! [`RegisterState::register_cell_state`], and each component of a site or a field, and each resource, with
//! [`RegisterState::register_kept`]. The list serves everything that must see the state as a whole: the state
//! hash covers it, a checkpoint stores it, a daughter inherits it. What is made again from the scene, or computed
//! afresh in every step, is declared with [`RegisterState::declare_remade`] and the reason why. A test compares the
//! lists with what is really there, so nothing can be forgotten silently.

use std::collections::BTreeSet;

use bevy::ecs::component::{ComponentId, Mutable};
use bevy::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::identity::{CellId, MemberId};
use super::layout::layout_of;

/// How one component of cells is read, written and inherited.
#[derive(Clone)]
pub struct CellState {
    /// Short name of the component, unique; names its column in checkpoints.
    pub name: &'static str,
    /// Its id in the world it was registered in.
    pub id: ComponentId,
    /// Appends the component of `cell`, if it has one, and says whether it did.
    pub write: fn(EntityRef, &mut Vec<u8>) -> bool,
    /// How it lies in a file, see [`layout_of`].
    pub layout: fn() -> String,
    /// Inserts the component read from the front of `bytes`, and returns the rest.
    pub read: for<'b> fn(&mut EntityWorldMut, &'b [u8]) -> Option<&'b [u8]>,
}

impl CellState {
    /// That of a component with this id in its world.
    fn of<C>(name: &'static str, id: ComponentId) -> Self
    where
        C: Component<Mutability = Mutable> + Serialize + DeserializeOwned,
    {
        Self {
            name,
            id,
            write: |cell, bytes| {
                let Some(component) = cell.get::<C>() else {
                    return false;
                };
                append(component, bytes);
                true
            },
            layout: layout_of::<C>,
            read: |cell, bytes| {
                let (component, rest) = postcard::take_from_bytes::<C>(bytes).ok()?;
                match cell.get_mut::<C>() {
                    Some(mut present) => *present = component,
                    None => {
                        cell.insert(component);
                    }
                }
                Some(rest)
            },
        }
    }
}

/// A kind of entities that are no cells: exosome packets, elements of a membrane. Their components are read and written
/// as those of cells are.
#[derive(Clone)]
pub struct PopulationState {
    /// Short name, unique; names its members in checkpoints.
    pub name: &'static str,
    /// The component by which its members are known.
    pub mark: ComponentId,
    /// Gives an entity that component.
    pub put_mark: fn(&mut EntityWorldMut),
    /// What its members carry from step to step.
    pub states: Vec<CellState>,
}

/// What a kept component belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Every site.
    Site,
    /// Every field of a site.
    Field,
    /// The simulation: a resource.
    Simulation,
}

/// A component or resource of which a part is state; the rest is memory that the step fills again.
pub trait Kept: Component<Mutability = Mutable> {
    /// The part that is state.
    type State: Serialize + DeserializeOwned;
    /// Copies it out.
    fn keep(&self) -> Self::State;
    /// Takes it back, into a value that was made anew from the scene.
    ///
    /// # Errors
    /// In words, when it does not fit the scene.
    fn restore(&mut self, state: Self::State) -> Result<(), String>;
    /// The component with this state, for an entity on which the scene puts none: a module inserted it on the way. None
    /// where the state is only a part of it.
    fn anew(_: Self::State) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

/// A component or resource that is state as a whole.
pub trait WhollyKept:
    Component<Mutability = Mutable> + Clone + Serialize + DeserializeOwned
{
}

impl<C: WhollyKept> Kept for C {
    type State = Self;

    fn keep(&self) -> Self {
        self.clone()
    }

    fn restore(&mut self, state: Self) -> Result<(), String> {
        *self = state;
        Ok(())
    }

    fn anew(state: Self) -> Option<Self> {
        Some(state)
    }
}

/// How one kept component is read and written.
#[derive(Clone)]
pub struct KeptState {
    /// What it belongs to.
    pub owner: Owner,
    /// Short name, unique.
    pub name: &'static str,
    /// Whether it is a record of what was done, see [`RegisterState::register_record`].
    pub is_record: bool,
    /// Its id in the world it was registered in.
    pub id: ComponentId,
    /// Appends the state of the component of an entity, if it has one, and says whether it did.
    pub write: fn(EntityRef, &mut Vec<u8>) -> bool,
    /// How it lies in a file, see [`layout_of`].
    pub layout: fn() -> String,
    /// Gives the component of an entity the state in `bytes`.
    pub read: fn(&mut EntityWorldMut, &[u8]) -> Result<(), String>,
}

/// All that is registered, in the order of registration.
#[derive(Resource, Clone, Default)]
pub struct StateRegistry {
    /// Components of cells.
    pub cells: Vec<CellState>,
    /// Kinds of entities that are no cells.
    pub populations: Vec<PopulationState>,
    /// Components of sites and fields, and resources.
    pub kept: Vec<KeptState>,
    /// What is no state, and why.
    pub remade: Vec<(ComponentId, &'static str)>,
}

impl StateRegistry {
    /// Whether a component is state, or declared not to be.
    pub fn knows(&self, id: ComponentId) -> bool {
        let of_population = |population: &PopulationState| {
            population.mark == id || population.states.iter().any(|state| state.id == id)
        };
        self.cells.iter().any(|state| state.id == id)
            || self.populations.iter().any(of_population)
            || self.kept.iter().any(|state| state.id == id)
            || self.remade.iter().any(|(remade, _)| *remade == id)
    }

    /// The kept states of an owner, in the order of registration.
    pub fn kept_by(&self, owner: Owner) -> impl Iterator<Item = &KeptState> {
        self.kept.iter().filter(move |state| state.owner == owner)
    }
}

/// Registration, from a module's plugin.
pub trait RegisterState {
    /// Registers a component that cells carry from step to step. It is plain data: a daughter gets a copy of
    /// its bytes.
    fn register_cell_state<C>(&mut self, name: &'static str) -> &mut Self
    where
        C: Component<Mutability = Mutable> + Copy + Serialize + DeserializeOwned;
    /// Registers a component of sites or fields, or a resource, of which a part is state.
    fn register_kept<C: Kept>(&mut self, owner: Owner, name: &'static str) -> &mut Self;
    /// Registers a resource that records what was done to the simulation. It is saved and resumed as what is kept is, but not
    /// hashed: the same tissue is the same whether its scene said what was to be done or a person did it.
    fn register_record<C: Kept>(&mut self, name: &'static str) -> &mut Self;
    /// Lists a kind of entities that are no cells, known by the component `P`: they are named, hashed, saved, resumed and
    /// verified as cells are. A module registers its population with floor 1, which knows where they live.
    ///
    /// # Panics
    /// When another population has that name or component.
    fn list_population<P: Component + Default>(&mut self, name: &'static str) -> &mut Self;
    /// Registers a component that members of a population carry from step to step; each population names its own.
    ///
    /// # Panics
    /// When there is no such population, or it has such a state already.
    fn register_member_state<P: Component, C>(&mut self, name: &'static str) -> &mut Self
    where
        C: Component<Mutability = Mutable> + Serialize + DeserializeOwned;
    /// Declares that a component or resource is no state: it is made again from the scene when a run is
    /// resumed, or computed afresh in every step.
    fn declare_remade<C: Component>(&mut self, reason: &'static str) -> &mut Self;
}

/// Lists a component that is kept.
fn keep_from_now_on<C: Kept>(app: &mut App, owner: Owner, name: &'static str, is_record: bool) {
    app.init_resource::<StateRegistry>();
    let world = app.world_mut();
    let id = world.register_component::<C>();
    let mut registry = world.resource_mut::<StateRegistry>();
    assert!(
        registry.kept.iter().all(|known| known.name != name),
        "the state `{name}` is registered twice"
    );
    registry.kept.push(KeptState {
        owner,
        name,
        is_record,
        id,
        write: |entity, bytes| {
            let Some(component) = entity.get::<C>() else {
                return false;
            };
            append(&component.keep(), bytes);
            true
        },
        layout: layout_of::<C::State>,
        read: |entity, bytes| {
            let (state, rest) =
                postcard::take_from_bytes(bytes).map_err(|error| error.to_string())?;
            if !rest.is_empty() {
                return Err(format!("{} bytes of it are left over", rest.len()));
            }
            if let Some(mut present) = entity.get_mut::<C>() {
                return present.restore(state);
            }
            entity.insert(C::anew(state).ok_or("its scene has no such thing")?);
            Ok(())
        },
    });
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
        registry.cells.push(CellState::of::<C>(name, id));
        self
    }

    fn register_kept<C: Kept>(&mut self, owner: Owner, name: &'static str) -> &mut Self {
        keep_from_now_on::<C>(self, owner, name, false);
        self
    }

    fn register_record<C: Kept>(&mut self, name: &'static str) -> &mut Self {
        keep_from_now_on::<C>(self, Owner::Simulation, name, true);
        self
    }

    fn list_population<P: Component + Default>(&mut self, name: &'static str) -> &mut Self {
        self.init_resource::<StateRegistry>();
        let world = self.world_mut();
        let mark = world.register_component::<P>();
        let mut registry = world.resource_mut::<StateRegistry>();
        assert!(
            registry
                .populations
                .iter()
                .all(|known| known.name != name && known.mark != mark),
            "the population `{name}` is registered twice"
        );
        registry.populations.push(PopulationState {
            name,
            mark,
            put_mark: |member| {
                member.insert(P::default());
            },
            states: Vec::new(),
        });
        self
    }

    fn register_member_state<P: Component, C>(&mut self, name: &'static str) -> &mut Self
    where
        C: Component<Mutability = Mutable> + Serialize + DeserializeOwned,
    {
        self.init_resource::<StateRegistry>();
        let world = self.world_mut();
        let (mark, id) = (
            world.register_component::<P>(),
            world.register_component::<C>(),
        );
        let mut registry = world.resource_mut::<StateRegistry>();
        let mut populations = registry.populations.iter_mut();
        let Some(population) = populations.find(|population| population.mark == mark) else {
            panic!("the state `{name}` is of a population that nobody registered");
        };
        let mut known = population.states.iter();
        assert!(
            known.all(|known| known.name != name && known.id != id),
            "the state `{name}` of `{}` is registered twice",
            population.name
        );
        population.states.push(CellState::of::<C>(name, id));
        self
    }

    fn declare_remade<C: Component>(&mut self, reason: &'static str) -> &mut Self {
        self.init_resource::<StateRegistry>();
        let world = self.world_mut();
        let id = world.register_component::<C>();
        let mut registry = world.resource_mut::<StateRegistry>();
        if registry.remade.iter().all(|(known, _)| *known != id) {
            registry.remade.push((id, reason));
        }
        self
    }
}

/// The components on entities of a world that a checkpoint would lose, each with whose they are; the engine's own
/// aside. A component of cells is unknown on a member of a population, and the other way round.
pub fn forgotten(world: &World) -> BTreeSet<String> {
    let Some(registry) = world.get_resource::<StateRegistry>() else {
        return BTreeSet::new();
    };
    let identities = [
        world.component_id::<CellId>(),
        world.component_id::<MemberId>(),
    ];
    let mut found = BTreeSet::new();
    let archetypes = world.archetypes().iter();
    for archetype in archetypes.filter(|archetype| !archetype.is_empty()) {
        let population = registry
            .populations
            .iter()
            .find(|population| archetype.contains(population.mark));
        let is_cell = identities[0].is_some_and(|id| archetype.contains(id));
        let knows = |id: ComponentId| match population {
            _ if is_cell => registry.cells.iter().any(|state| state.id == id),
            Some(population) => {
                population.mark == id || population.states.iter().any(|state| state.id == id)
            }
            None => registry.kept.iter().any(|state| state.id == id),
        };
        let whose = match population {
            _ if is_cell => "a cell",
            Some(population) => population.name,
            None => "an entity",
        };
        for id in archetype.components() {
            let is_remade = registry.remade.iter().any(|(remade, _)| remade == id);
            if knows(*id) || is_remade || identities.contains(&Some(*id)) {
                continue;
            }
            let name = world.components().get_name(*id);
            let name = name.map_or_else(String::new, |name| name.to_string());
            if !name.starts_with("bevy_") {
                found.insert(format!("`{name}` on {whose}"));
            }
        }
    }
    found
}

/// Appends a value in the postcard format.
pub(super) fn append(value: &impl Serialize, bytes: &mut Vec<u8>) {
    let taken = std::mem::take(bytes);
    *bytes =
        postcard::to_extend(value, taken).expect("plain data always fits into a growing buffer");
}
