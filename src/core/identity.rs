//! Names that outlive the ECS: a cell keeps its [`CellId`] from birth to death, in every site and file, a member of
//! another population its [`MemberId`].

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

/// The serial number of an entity that is no cell but a member of a registered population, given at birth and never
/// reused; one series for all populations.
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
pub struct MemberId(pub u64);

/// Hands out [`MemberId`]s. Only the one place where members are born may use it.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub struct MemberIdCounter(u64);

impl WhollyKept for MemberIdCounter {}

impl MemberIdCounter {
    /// The next unused identity.
    pub const fn take(&mut self) -> MemberId {
        let id = MemberId(self.0);
        self.0 += 1;
        id
    }
}
