//! Where a cell is and what it is made of.
//!
//! A cell is an overdamped sphere. Its volume is kept in parts, as in PhysiCell's standard volume model
//! (Ghaffarizadeh et al. 2018, PLoS Comput Biol 14:e1005991, supplement): water and solids, of nucleus and
//! cytoplasm, each relaxing to its own target at its own rate.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::units::ball_radius_um;
use crate::tissue::SiteId;

/// Index of a cell type in the library of prefabs.
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
pub struct CellType(pub u16);

/// The site in which a cell lives.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Reflect)]
pub struct Resident(pub SiteId);

/// Centre of a cell, site-local um.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Position(pub Vec3);

/// The matter of a cell, um3. Radius follows from the total volume.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Body {
    /// Water, um3.
    pub fluid_um3: f32,
    /// Solids of the nucleus, um3.
    pub nuclear_solid_um3: f32,
    /// Solids of the cytoplasm, um3.
    pub cytoplasmic_solid_um3: f32,
    /// Radius of the ball of this volume, um; kept up to date by whoever changes the volume.
    pub radius_um: f32,
}

impl Body {
    /// Total volume, um3.
    pub const fn volume_um3(&self) -> f32 {
        self.fluid_um3 + self.nuclear_solid_um3 + self.cytoplasmic_solid_um3
    }

    /// Recomputes [`Body::radius_um`] from the volume.
    pub fn refresh_radius(&mut self) {
        self.radius_um = ball_radius_um(self.volume_um3());
    }
}
