//! What a cell notices of its surroundings, refreshed at every step: its voxel in `Perceive`, its neighbours in `Move`.
//! Molecules are read in that voxel, see [`crate::tissue::Fields`].

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

/// What a cell notices in this step. Written only in `Perceive` and `Move`; read by everyone.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Surroundings {
    /// Index of the voxel the cell is in.
    pub voxel: u32,
    /// Simple pressure from neighbours (dimensionless, 1 = close packing at equilibrium distance).
    pub pressure: f32,
    /// Number of cells in contact.
    pub contacts: u16,
}
