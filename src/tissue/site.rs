//! Blocks of tissue, and the molecules in them.
//!
//! A site is an entity; each molecule in it is a child entity with a [`FieldValues`] component. Cells refer
//! to their site by its number ([`SiteId`]), so that nothing a file stores depends on [`Entity`] values.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::Molecule;

/// Number of a site, in the order of the scene.
#[derive(
    Component,
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
pub struct SiteId(pub u16);

/// A block of tissue: where it lies and how it is divided into voxels.
#[derive(Component, Clone, Debug, PartialEq)]
pub struct TissueBlock {
    /// Name in the scene.
    pub name: String,
    /// Lower corner, um.
    pub min_um: Vec3,
    /// Voxels along x, y, z.
    pub dims: UVec3,
    /// Edge lengths of a voxel, um.
    pub voxel_um: Vec3,
    /// Whether the faces hold cells back.
    pub walls: bool,
    /// Length over which the blood of the host tissue evens out concentrations, um.
    pub perfusion_length_um: Option<f32>,
}

impl TissueBlock {
    /// Upper corner, um.
    pub fn max_um(&self) -> Vec3 {
        self.min_um + self.dims.as_vec3() * self.voxel_um
    }

    /// Number of voxels.
    pub const fn voxels(&self) -> usize {
        self.dims.x as usize * self.dims.y as usize * self.dims.z as usize
    }

    /// Volume of a voxel, um3.
    pub fn voxel_volume_um3(&self) -> f32 {
        self.voxel_um.x * self.voxel_um.y * self.voxel_um.z
    }

    /// Index of the voxel that holds a point; points outside belong to the nearest voxel.
    #[inline]
    pub fn voxel_at(&self, position_um: Vec3) -> u32 {
        // Cut off as it becomes an integer, which is the same as `floor` for what is not negative.
        let cell = ((position_um - self.min_um) / self.voxel_um)
            .clamp(Vec3::ZERO, (self.dims - UVec3::ONE).as_vec3())
            .as_uvec3();
        cell.x + self.dims.x * (cell.y + self.dims.y * cell.z)
    }
}

/// The sites of the simulation and the field entities in each, for quick access by number.
#[derive(Resource, Clone, Debug, Default)]
pub struct Sites {
    /// One entry for each site, by [`SiteId`].
    pub list: Vec<SiteEntry>,
}

/// One site.
#[derive(Clone, Debug)]
pub struct SiteEntry {
    /// The site entity.
    pub entity: Entity,
    /// The field entity of each molecule, by `Molecule as usize`.
    pub fields: [Option<Entity>; Molecule::ALL.len()],
    /// A copy of the block's geometry.
    pub block: TissueBlock,
}

impl Sites {
    /// The site of that number.
    #[inline]
    pub fn get(&self, site: SiteId) -> &SiteEntry {
        &self.list[usize::from(site.0)]
    }
}

/// Concentration of one molecule in each voxel of its site, x fastest.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FieldValues(pub Vec<f32>);
