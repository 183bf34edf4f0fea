//! What a niche is: patches of the ground of a site.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::parameters::{Limits, Parameters};
use crate::core::state::Kept;
use crate::tissue::TissueBlock;

/// The ground of a site that may become a niche (part `niche`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct NicheDescription {
    /// Edge of a patch, um; 100: what one place knows of another. Assumed.
    pub patch_um: f32,
    /// How readily marrow cells come without any rule, over what comes with plenty of MET; 0.3. Assumed.
    pub recruitment: f32,
}

impl Default for NicheDescription {
    fn default() -> Self {
        Self {
            patch_um: 100.0,
            recruitment: 0.3,
        }
    }
}

impl Parameters for NicheDescription {
    fn limits(field: &str) -> Limits {
        match field {
            "patch_um" => Limits {
                min: 10.0,
                max: 1.0e4,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e3,
            },
        }
    }
}

/// The patches of a site, `x` fastest.
#[derive(Component, Clone, Debug, PartialEq)]
pub struct Niche {
    /// The block, divided into patches.
    pub patches: TissueBlock,
    /// How readily marrow cells come, without rules.
    pub recruitment: f32,
    /// Mean education of the residents of each, `X`.
    pub education: Vec<f32>,
    /// Fibronectin of each, over the most there may be, `F`.
    pub fibronectin: Vec<f32>,
    /// Marrow cells in each, over those for which there is room, `B`.
    pub marrow: Vec<f32>,
}

/// What of it is kept.
#[derive(Serialize, Deserialize)]
pub struct KeptNiche {
    education: Vec<f32>,
    fibronectin: Vec<f32>,
    marrow: Vec<f32>,
}

impl Kept for Niche {
    type State = KeptNiche;

    fn keep(&self) -> KeptNiche {
        KeptNiche {
            education: self.education.clone(),
            fibronectin: self.fibronectin.clone(),
            marrow: self.marrow.clone(),
        }
    }

    fn restore(&mut self, state: KeptNiche) -> Result<(), String> {
        let lengths = [&state.education, &state.fibronectin, &state.marrow].map(Vec::len);
        let patches = self.patches.voxels();
        if lengths != [patches; 3] {
            return Err(format!("it has {lengths:?} patches, the site {patches}"));
        }
        self.education = state.education;
        self.fibronectin = state.fibronectin;
        self.marrow = state.marrow;
        Ok(())
    }
}

impl Niche {
    /// Ground that nothing has readied yet.
    pub fn new(block: &TissueBlock, part: &NicheDescription) -> Self {
        let size = block.max_um() - block.min_um;
        // None is smaller than a voxel: a scene is held to so many of these.
        let patch_um = block.voxel_um.max(Vec3::splat(part.patch_um));
        let dims = (size / patch_um).round().max(Vec3::ONE).as_uvec3();
        let patches = TissueBlock {
            dims,
            voxel_um: size / dims.as_vec3(),
            ..block.clone()
        };
        let none = vec![0.0; patches.voxels()];
        Self {
            patches,
            recruitment: part.recruitment,
            education: none.clone(),
            fibronectin: none.clone(),
            marrow: none,
        }
    }

    /// The patch at a point.
    pub fn patch_at(&self, at_um: Vec3) -> usize {
        self.patches.voxel_at(at_um) as usize
    }

    /// How ripe a patch is, `F B`.
    pub fn ripeness(&self, patch: usize) -> f32 {
        self.fibronectin[patch] * self.marrow[patch]
    }
}
