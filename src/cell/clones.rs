//! Cells inherit, now and then with a change: which clone each belongs to.
//!
//! The clones themselves, and how their parameters change, are in [`crate::core::clones`]. What a cell carries is its
//! [`CellType`], the row of its clone in the tables of parameters. Runs in `Turnover`, with the divisions.

use bevy::prelude::*;

use super::CellType;
use super::life::{Division, RegisterLife};
use crate::core::RegisterPurpose;
use crate::core::clones::{Clones, HeritableTraits, MUTATION, inherit};
use crate::core::state::{Owner, RegisterState};

/// Clones and their mutations.
pub struct ClonesPlugin;

impl Plugin for ClonesPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Clones>()
            .init_resource::<HeritableTraits>()
            .register_purpose(MUTATION)
            .register_kept::<Clones>(Owner::Simulation, "clones")
            .declare_remade::<HeritableTraits>("made from the scene")
            .divide_cells(join_clone);
    }
}

/// Finds the clone of a cell that comes from a division.
fn join_clone(cell: &mut EntityWorldMut, division: &Division) {
    let Some(CellType(old)) = cell.get::<CellType>().copied() else {
        return;
    };
    let is_mother = division.side < 0.0;
    let id = if is_mother {
        division.mother
    } else {
        division.daughter
    };
    let new = cell.world_scope(|world| {
        let new = inherit(world, old, id, division.step);
        // She who was the mother is counted already.
        if !(is_mother && new == old) {
            let mut clones = world.resource_mut::<Clones>();
            clones.gain(new);
            if is_mother {
                clones.lose(old);
            }
        }
        new
    });
    if new != old
        && let Some(mut cell_type) = cell.get_mut::<CellType>()
    {
        cell_type.0 = new;
    }
}

/// Notes that a cell is about to be removed.
pub fn leave_clone(world: &mut World, cell: Entity) {
    if let Some(CellType(row)) = world.get::<CellType>(cell).copied()
        && world
            .get_resource::<Clones>()
            .is_some_and(|clones| clones.get(row).is_some())
    {
        world.resource_mut::<Clones>().lose(row);
    }
}
