//! The organ of which a site is a part, by which modules know what its tissue is like where a scene says no more.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

/// An organ; a component of each site.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Reflect)]
pub enum Organ {
    /// Breast: the organ of the primary tumour.
    Breast,
    /// Lung.
    Lung,
    /// Liver.
    Liver,
    /// Bone.
    Bone,
    /// Brain.
    Brain,
    /// Lymph node.
    LymphNode,
    /// No organ: cells in culture medium.
    Medium,
}

impl Organ {
    /// Its name, as scenes and the files of modules write it.
    pub fn name(self) -> String {
        format!("{self:?}")
    }
}
