//! What a cell notices of its surroundings, refreshed in `Perceive` at every step.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

/// What a cell notices in this step. Written only in `Perceive` and `Move`; read by everyone.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Surroundings {
    /// Index of the voxel the cell is in.
    pub voxel: u32,
    /// Oxygen, mmHg.
    pub oxygen_mmhg: f32,
    /// Glucose, mM.
    pub glucose_mm: f32,
    /// Lactate, mM.
    pub lactate_mm: f32,
    /// Simple pressure from neighbours (dimensionless, 1 = close packing at equilibrium distance).
    pub pressure: f32,
    /// Number of cells in contact.
    pub contacts: u16,
}
