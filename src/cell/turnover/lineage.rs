//! Where cells come from.
//!
//! The same can be read from `events.csv`: the row of a division names daughter and mother.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::life::{Beginning, RegisterLife};
use crate::core::CellId;
use crate::core::state::RegisterState;

/// Whose daughter a cell is.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub struct Lineage {
    /// The cell it came from by its last division; itself for one that has not come from a division.
    pub parent: CellId,
    /// The cell that all of this clone descend from: one of the start, or a recruit.
    pub founder: CellId,
    /// Divisions since the founder.
    pub generation: u32,
}

impl Lineage {
    /// The lineage of a cell that descends from no other.
    pub const fn of_founder(id: CellId) -> Self {
        Self {
            parent: id,
            founder: id,
            generation: 0,
        }
    }
}

/// Every cell has a lineage.
pub(super) fn register(app: &mut App) {
    app.register_cell_state::<Lineage>("lineage")
        .begin_cells(|_| {
            let unnamed = CellId(u64::MAX);
            let settled = Beginning::settled(Lineage::of_founder(unnamed));
            Some(settled.and_give(|cell| {
                if let Some(id) = cell.get::<CellId>().copied()
                    && let Some(mut lineage) = cell.get_mut::<Lineage>()
                {
                    *lineage = Lineage::of_founder(id);
                }
            }))
        })
        .divide_cells(|cell, division| {
            if let Some(mut lineage) = cell.get_mut::<Lineage>() {
                lineage.generation += 1;
                lineage.parent = division.mother;
            }
        });
}
