//! The state of a simulation as 64 bits.
//!
//! Covers all parameters, everything that [`StateRegistry`] lists of the simulation, its sites and its
//! fields, and every registered component of every cell and of every member of a population in the order of identity: what
//! a checkpoint stores.
//! Equal hashes at different thread counts, with and without a view, before and after a resume: that is how
//! reproducibility is tested.

use bevy::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use crate::core::CellId;
use crate::core::parameters::list_parameters;
use crate::core::state::{KeptState, Owner, StateRegistry};
use crate::tissue::Sites;
use crate::tissue::population::members_by_identity;

/// Bytes gathered before they are hashed.
const PIECE: usize = 1 << 16;

/// The hash of the state of a world.
pub fn state_hash(world: &World) -> u64 {
    let mut hash = Xxh3::new();
    for parameter in list_parameters(world) {
        hash.update(&parameter.value.to_le_bytes());
    }
    let Some(registry) = world.get_resource::<StateRegistry>() else {
        return hash.digest();
    };
    let mut bytes = Vec::new();
    for state in registry.kept.iter().filter(|state| !state.is_record) {
        for (_, entity) in entities_of(world, state) {
            bytes.clear();
            (state.write)(world.entity(entity), &mut bytes);
            hash.update(&bytes);
        }
    }
    bytes.clear();
    for (id, entity) in cells_by_identity(world) {
        bytes.extend_from_slice(&id.0.to_le_bytes());
        let cell = world.entity(entity);
        for (column, state) in registry.cells.iter().enumerate() {
            if (state.write)(cell, &mut bytes) {
                bytes.push(column as u8);
            }
        }
        if bytes.len() >= PIECE {
            hash.update(&bytes);
            bytes.clear();
        }
    }
    for population in &registry.populations {
        for (id, entity) in members_by_identity(world, population.mark) {
            bytes.extend_from_slice(&id.0.to_le_bytes());
            let member = world.entity(entity);
            for (column, state) in population.states.iter().enumerate() {
                if (state.write)(member, &mut bytes) {
                    bytes.push(column as u8);
                }
            }
            if bytes.len() >= PIECE {
                hash.update(&bytes);
                bytes.clear();
            }
        }
    }
    hash.update(&bytes);
    hash.digest()
}

/// All cells, in the order of their identity.
pub fn cells_by_identity(world: &World) -> Vec<(CellId, Entity)> {
    let Some(mut query) = world.try_query::<(Entity, &CellId)>() else {
        return Vec::new();
    };
    let mut cells: Vec<_> = query
        .iter(world)
        .map(|(entity, id)| (*id, entity))
        .collect();
    cells.sort_unstable();
    cells
}

/// The entities that have a kept state, each with its number: sites by their number, fields by site and
/// name of the molecule, the resource itself.
pub(super) fn entities_of(world: &World, state: &KeptState) -> Vec<(u32, Entity)> {
    let sites = || {
        world
            .get_resource::<Sites>()
            .map_or(&[][..], |sites| &sites.list)
    };
    match state.owner {
        Owner::Simulation => world
            .resource_entities()
            .get(state.id)
            .map(|entity| (0, entity))
            .into_iter()
            .collect(),
        Owner::Site => (0..).zip(sites().iter().map(|site| site.entity)).collect(),
        Owner::Field => (0..)
            .zip(sites().iter().flat_map(|site| &site.fields))
            .map(|(number, field)| (number, field.entity))
            .collect(),
    }
}
