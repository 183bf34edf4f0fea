//! Names that outlive the ECS: a cell keeps its [`CellId`] from birth to death, in every site and file.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::state::WhollyKept;

/// The serial number of a cell, given at birth and never reused.
///
/// Everything that must come in a stable order (sorting, seeding, ties, files) goes by it, never by
/// [`Entity`], whose value depends on the history of the world.
#[derive(
    Component,
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Reflect,
)]
pub struct CellId(pub u64);

/// Hands out [`CellId`]s. Only the one place where cells are born may use it.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub struct CellIdCounter(u64);

impl WhollyKept for CellIdCounter {}

impl CellIdCounter {
    /// A counter that will hand out `next` first.
    pub const fn starting_at(next: u64) -> Self {
        Self(next)
    }

    /// The next unused identity.
    pub const fn take(&mut self) -> CellId {
        let id = CellId(self.0);
        self.0 += 1;
        id
    }

    /// How many identities have been handed out.
    pub const fn taken(&self) -> u64 {
        self.0
    }
}
