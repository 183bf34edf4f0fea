//! The cell cycle.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

/// Phase of the cell cycle (flow-cytometry model: G0/G1, S, G2, M).
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
pub enum Phase {
    /// Gap 0 or 1: resting or growing.
    #[default]
    G0G1,
    /// DNA synthesis.
    S,
    /// Gap 2.
    G2,
    /// Mitosis.
    M,
}

impl Phase {
    /// All phases, in the order of the cycle.
    pub const ALL: [Self; 4] = [Self::G0G1, Self::S, Self::G2, Self::M];

    /// The phase as biologists write it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::G0G1 => "G0/G1",
            Self::S => "S",
            Self::G2 => "G2",
            Self::M => "M",
        }
    }
}
