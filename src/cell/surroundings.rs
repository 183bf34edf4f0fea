//! What a cell notices of its surroundings, refreshed at every step: its voxel in `Perceive`, its neighbours in `Move`.
//! Molecules are read in that voxel, see [`crate::tissue::Fields`].

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

/// What a cell notices in this step. Written only in `Perceive` and `Move`; read by everyone.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Surroundings {
    /// Index of the voxel the cell is in.
    pub voxel: u32,
    /// Pressure from neighbours (dimensionless; 1 is that of twelve neighbours 4.8 % closer than contact).
    pub pressure: f32,
    /// How many cells are near and how close, over that in relaxed tissue; 0 for a cell that lies alone.
    pub crowding: f32,
    /// Number of cells in contact.
    pub contacts: u16,
}

impl Surroundings {
    /// Volume of tissue that a cell makes up which has this volume of tissue at rest, um3. Cells that are pressed together
    /// deform and share no volume: where they are more than at rest, each makes up less.
    #[inline]
    pub fn pressed_um3(&self, at_rest_um3: f32) -> f32 {
        at_rest_um3 / self.crowding.max(1.0)
    }
}
