//! How strongly cells of a type hold to and push off each other (capability `mechanics`).
//!
//! Read by the forces of the `Move` stage. The potentials are PhysiCell's (Ghaffarizadeh et al. 2018, PLoS
//! Comput Biol 14:e1005991): repulsion `(1 - d/R)^2` and adhesion `(1 - d/S)^2`; a pair uses the geometric
//! mean of its two strengths.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::parameters::{Limits, Parameters};

/// Strengths of contact between cells. The defaults are those of tumour cells in PhysiCell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct ContactParameters {
    /// Adhesion, um/min; 0.4 (Ghaffarizadeh et al. 2018).
    pub adhesion_um_per_min: f32,
    /// Repulsion, um/min; 10 (Ghaffarizadeh et al. 2018).
    pub repulsion_um_per_min: f32,
}

impl Default for ContactParameters {
    fn default() -> Self {
        Self {
            adhesion_um_per_min: 0.4,
            repulsion_um_per_min: 10.0,
        }
    }
}

impl Parameters for ContactParameters {
    fn limits(_field: &str) -> Limits {
        Limits {
            min: 0.0,
            max: 1000.0,
        }
    }
}
