//! Blocks of tissue, and the molecules in them.
//!
//! A site is an entity; each molecule in it is a child entity with a [`FieldValues`] component. Cells refer
//! to their site by its number ([`SiteId`]), so that nothing a file stores depends on [`Entity`] values.

use std::sync::Arc;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::MoleculeId;
use super::medium::SiteMedium;

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

impl SiteId {
    /// Where a cell is that has left one site and not yet come to another. No entry of [`Sites`] has this number.
    pub const TRANSIT: Self = Self(u16::MAX);
    /// What [`SiteId::TRANSIT`] is called in tables; no site of a scene may have this name.
    pub const TRANSIT_NAME: &'static str = "transit";

    /// Whether it stands for no site but for the way between two.
    pub const fn is_transit(self) -> bool {
        self.0 == Self::TRANSIT.0
    }
}

/// A block of tissue: where it lies and how it is divided into voxels.
#[derive(Component, Clone, Debug, PartialEq)]
#[require(SiteMedium)]
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

    /// The nearest point of the block, um: what cells come in by may stand just outside.
    pub fn nearest_inside(&self, at_um: Vec3) -> Vec3 {
        at_um.clamp(self.min_um, self.max_um())
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

    /// Gives every voxel that a box along the axes, `min` to `max`, um, reaches into, and the volume that they share, um3; what of the
    /// box is outside shares none.
    #[inline]
    pub fn for_each_shared(&self, min: Vec3, max: Vec3, mut each: impl FnMut(u32, f32)) {
        let last = (self.dims - UVec3::ONE).as_vec3();
        let place = |point: Vec3| {
            let cell = (point - self.min_um) / self.voxel_um;
            cell.clamp(Vec3::ZERO, last).as_uvec3()
        };
        let (first, end) = (place(min), place(max));
        for z in first.z..=end.z {
            for y in first.y..=end.y {
                for x in first.x..=end.x {
                    let cell = UVec3::new(x, y, z);
                    let low = self.min_um + cell.as_vec3() * self.voxel_um;
                    let shared = max.min(low + self.voxel_um) - min.max(low);
                    let shared = shared.max(Vec3::ZERO);
                    let volume = shared.x * shared.y * shared.z;
                    if volume > 0.0 {
                        each(x + self.dims.x * (y + self.dims.y * z), volume);
                    }
                }
            }
        }
    }

    /// The voxel of that index, along x, y and z.
    #[inline]
    pub fn voxel(&self, index: u32) -> UVec3 {
        let [nx, ny, _] = self.dims.to_array();
        UVec3::new(index % nx, index / nx % ny, index / (nx * ny))
    }

    /// The middle of the voxel of that index, um.
    pub fn centre_of(&self, index: u32) -> Vec3 {
        self.min_um + (self.voxel(index).as_vec3() + 0.5) * self.voxel_um
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
    /// The molecules simulated in it, in the order of [`MoleculeId`].
    pub fields: Vec<SiteField>,
    /// A copy of the block's geometry.
    pub block: TissueBlock,
}

/// A molecule that is simulated in a site.
#[derive(Clone, Debug)]
pub struct SiteField {
    /// Which one.
    pub molecule: MoleculeId,
    /// Its field entity.
    pub entity: Entity,
    /// Its voxels.
    pub grid: FieldGrid,
}

/// The voxels of a field: those of its site, or larger ones of several of these.
#[derive(Clone, Debug)]
pub struct FieldGrid {
    /// The block of the site, divided into the voxels of the field.
    pub block: TissueBlock,
    /// For each voxel of the site the one of the field that it is part of; none where they are the same.
    part_of: Option<Arc<[u32]>>,
}

impl FieldGrid {
    /// The grid whose voxels hold `coarsen` voxels of the site along each axis, all of them along an axis that has fewer.
    /// The numbers of voxels must be multiples of it.
    pub fn new(site: &TissueBlock, coarsen: u16) -> Self {
        let factor = UVec3::splat(u32::from(coarsen.max(1))).min(site.dims);
        if factor == UVec3::ONE {
            return Self {
                block: site.clone(),
                part_of: None,
            };
        }
        let dims = site.dims / factor;
        let block = TissueBlock {
            dims,
            voxel_um: site.voxel_um * factor.as_vec3(),
            ..site.clone()
        };
        let [nx, ny, nz] = site.dims.to_array();
        let mut part_of = Vec::with_capacity(site.voxels());
        for z in 0..nz {
            for y in 0..ny {
                for x in 0..nx {
                    let at = (UVec3::new(x, y, z) / factor).min(dims - UVec3::ONE);
                    part_of.push(at.x + dims.x * (at.y + dims.y * at.z));
                }
            }
        }
        Self {
            block,
            part_of: Some(part_of.into()),
        }
    }

    /// The voxel of the field in which a voxel of the site lies.
    #[inline]
    pub fn voxel(&self, of_site: u32) -> u32 {
        match &self.part_of {
            None => of_site,
            Some(part_of) => part_of[of_site as usize],
        }
    }

    /// Writes the mean over each voxel of a quantity given for the voxels of the site to `means`, or hands the quantity
    /// back as it is where the voxels are the same.
    pub fn means<'a>(&self, of_site: &'a [f32], means: &'a mut Vec<f32>) -> &'a [f32] {
        let Some(part_of) = &self.part_of else {
            return of_site;
        };
        means.clear();
        means.resize(self.block.voxels(), 0.0);
        for (voxel, value) in part_of.iter().zip(of_site) {
            means[*voxel as usize] += value;
        }
        let parts = (part_of.len() / means.len().max(1)) as f32;
        for mean in means.iter_mut() {
            *mean /= parts;
        }
        means
    }
}

impl SiteEntry {
    /// The field of a molecule, if the site simulates it.
    pub fn field(&self, molecule: MoleculeId) -> Option<&SiteField> {
        self.fields.iter().find(|field| field.molecule == molecule)
    }
}

impl Sites {
    /// The entry of a number; none for [`SiteId::TRANSIT`] and numbers that no site has.
    #[inline]
    pub fn find(&self, site: SiteId) -> Option<&SiteEntry> {
        self.list.get(usize::from(site.0))
    }

    /// The site of that number.
    #[inline]
    pub fn get(&self, site: SiteId) -> &SiteEntry {
        &self.list[usize::from(site.0)]
    }
}

/// Concentration of one molecule in each voxel of its site, x fastest.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FieldValues(pub Vec<f32>);
