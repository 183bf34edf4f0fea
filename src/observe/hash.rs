//! The state of a simulation as 64 bits.
//!
//! Covers the clock, the counter of identities, all parameters, every registered component of every cell in
//! the order of identity, every field value and the host vessels. Equal hashes at different thread counts, with and without a view, before and after
//! a resume: that is how reproducibility is tested.

use bevy::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use crate::core::parameters::list_parameters;
use crate::core::state::StateRegistry;
use crate::core::{CellId, CellIdCounter, Clock};
use crate::tissue::transport::HostVessels;
use crate::tissue::{FieldValues, Sites};

/// The hash of the state of a world.
pub fn state_hash(world: &World) -> u64 {
    let mut hash = Xxh3::new();
    if let Some(clock) = world.get_resource::<Clock>() {
        hash.update(&clock.step.to_le_bytes());
    }
    if let Some(counter) = world.get_resource::<CellIdCounter>() {
        hash.update(&counter.taken().to_le_bytes());
    }
    for parameter in list_parameters(world) {
        hash.update(&parameter.value.to_le_bytes());
    }
    if let Some(registry) = world.get_resource::<StateRegistry>() {
        let mut bytes = Vec::new();
        for (id, entity) in cells_by_identity(world) {
            bytes.clear();
            bytes.extend_from_slice(&id.0.to_le_bytes());
            let cell = world.entity(entity);
            for (column, state) in registry.cells.iter().enumerate() {
                if (state.write)(cell, &mut bytes) {
                    bytes.push(column as u8);
                }
            }
            hash.update(&bytes);
        }
    }
    if let Some(sites) = world.get_resource::<Sites>() {
        for site in &sites.list {
            if let Some(vessels) = world.get::<HostVessels>(site.entity) {
                update_with_floats(&mut hash, &vessels.0);
            }
            for field in site.fields.iter().flatten() {
                if let Some(values) = world.get::<FieldValues>(*field) {
                    update_with_floats(&mut hash, &values.0);
                }
            }
        }
    }
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

fn update_with_floats(hash: &mut Xxh3, values: &[f32]) {
    let mut bytes = [0_u8; 4096];
    for piece in values.chunks(1024) {
        for (slot, value) in bytes.chunks_exact_mut(4).zip(piece) {
            // Adding zero folds the two zeros into one.
            slot.copy_from_slice(&(value + 0.0).to_le_bytes());
        }
        hash.update(&bytes[..piece.len() * 4]);
    }
}
