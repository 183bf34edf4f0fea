//! How cells die: apoptosis, and necrosis with swelling, lysis and clearance.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

/// Alive, dying or dead.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Reflect,
)]
#[repr(u8)]
pub enum State {
    /// Alive.
    #[default]
    Alive,
    /// Programmed death: the cell shrinks and is taken up by its neighbours.
    Apoptotic,
    /// Necrosis: the cell swells until its membrane bursts.
    NecroticSwelling,
    /// Necrosis after rupture: the remains lose water, calcify and are cleared slowly.
    NecroticLysed,
}

impl State {
    /// All states.
    pub const ALL: [Self; 4] = [
        Self::Alive,
        Self::Apoptotic,
        Self::NecroticSwelling,
        Self::NecroticLysed,
    ];

    /// The state as shown to a person.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Apoptotic => "apoptotic",
            Self::NecroticSwelling => "necrotic, swelling",
            Self::NecroticLysed => "necrotic, lysed",
        }
    }

    /// Whether the cell is necrotic, lysed or not.
    pub const fn is_necrotic(self) -> bool {
        matches!(self, Self::NecroticSwelling | Self::NecroticLysed)
    }
}
