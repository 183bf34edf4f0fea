//! What the matrix of a site is in each voxel, and how a scene says so.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::Turnover;
use crate::core::parameters::{Limits, Parameters};
use crate::core::state::WhollyKept;
use crate::tissue::{Fibres, TissueBlock};

/// How the fibres of a tissue lie at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub enum FibreLayout {
    /// At random.
    #[default]
    Random,
    /// All along an axis, by its parts along x, y and z: `Along(1, 0, 0)`.
    Along(f32, f32, f32),
    /// Around the middle of the site: tangential, at random in the tangential plane.
    Around,
}

/// What factors are stored in a matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct BoundFactors {
    /// Latent TGF-beta, nM.
    pub tgf_beta_nm: f32,
    /// VEGF-A, nM.
    pub vegf_a_nm: f32,
    /// FGF-2, nM.
    pub fgf_2_nm: f32,
}

/// Whose matrix a tissue has where a scene says no more of it.
///
/// | tissue | density | crosslinking | latent TGF-beta, nM | why |
/// | --- | --- | --- | --- | --- |
/// | `Breast` | 0.4 | 0.1 | 5 | stroma around a tumour: 2 mg of collagen per mL, of 1-5 [M] |
/// | `Lung` | 0.15 | 0.1 | 5 | walls of alveoli, most of the volume is air. Assumed |
/// | `Liver` | 0.1 | 0.05 | 2 | the space of Disse has hardly any fibrils. Assumed |
/// | `Bone` | 0.15 | 0.1 | 10 | marrow between bone, whose matrix is the largest store of TGF-beta. Assumed |
/// | `Brain` | 0.03 | 0.05 | 1 | almost no fibrillar collagen. Assumed |
/// | `LymphNode` | 0.2 | 0.1 | 2 | a network of reticular fibres. Assumed |
/// | `Scar` | 0.75 | 0.5 | 10 | a desmoplastic tumour or a scar: no pores for a tumour cell. Assumed |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub enum Like {
    /// Stroma of the breast.
    #[default]
    Breast,
    /// Lung.
    Lung,
    /// Liver.
    Liver,
    /// Bone marrow.
    Bone,
    /// Brain.
    Brain,
    /// Lymph node.
    LymphNode,
    /// A scar, or the stroma of a desmoplastic tumour.
    Scar,
}

impl Like {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Breast,
        Self::Lung,
        Self::Liver,
        Self::Bone,
        Self::Brain,
        Self::LymphNode,
        Self::Scar,
    ];

    /// Density, crosslinking, and latent TGF-beta at density 1, nM.
    const fn numbers(self) -> (f32, f32, f32) {
        match self {
            Self::Breast => (0.4, 0.1, 5.0),
            Self::Lung => (0.15, 0.1, 5.0),
            Self::Liver => (0.1, 0.05, 2.0),
            Self::Bone => (0.15, 0.1, 10.0),
            Self::Brain => (0.03, 0.05, 1.0),
            Self::LymphNode => (0.2, 0.1, 2.0),
            Self::Scar => (0.75, 0.5, 10.0),
        }
    }
}

/// The matrix of a tissue at the start (part `matrix` of a site). What is left out is as in the tissue that it is `like`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(from = "Written")]
pub struct MatrixDescription {
    /// Whose matrix it is where nothing else is said: `Breast`, `Lung`, `Liver`, `Bone`, `Brain`, `LymphNode` or `Scar`.
    pub like: Like,
    /// Density, 0-1; 1 is 5 mg of collagen per mL. 0.4: loose stroma of the breast. Assumed.
    pub density: f32,
    /// Share of the bonds between fibres that are crosslinked, 0-1.
    pub crosslinking: f32,
    /// How the fibres lie.
    pub fibres: FibreLayout,
    /// No matrix in this ball around the middle of the site, um: where a tumour or a duct is.
    pub outside_um: f32,
    /// What is stored in it, at density 1. 5 nM of latent TGF-beta, of 1-10, are enough to be felt when matrix is digested. Assumed.
    pub bound: BoundFactors,
}

/// The same as people write it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename = "MatrixDescription")]
struct Written {
    like: Like,
    density: Option<f32>,
    crosslinking: Option<f32>,
    fibres: FibreLayout,
    outside_um: f32,
    bound: Option<BoundFactors>,
}

impl From<Written> for MatrixDescription {
    fn from(written: Written) -> Self {
        let (density, crosslinking, tgf_beta_nm) = written.like.numbers();
        Self {
            like: written.like,
            density: written.density.unwrap_or(density),
            crosslinking: written.crosslinking.unwrap_or(crosslinking),
            fibres: written.fibres,
            outside_um: written.outside_um,
            bound: written.bound.unwrap_or(BoundFactors {
                tgf_beta_nm,
                ..BoundFactors::default()
            }),
        }
    }
}

impl Default for MatrixDescription {
    fn default() -> Self {
        Written::default().into()
    }
}

impl Parameters for MatrixDescription {
    fn limits(field: &str) -> Limits {
        match field {
            "density" | "crosslinking" => Limits::FRACTION,
            "outside_um" => Limits {
                min: 0.0,
                max: 1.0e5,
            },
            field if field.starts_with("bound") => Limits {
                min: 0.0,
                max: 1.0e4,
            },
            _ => Limits {
                min: -1.0e6,
                max: 1.0e6,
            },
        }
    }
}

/// Factors that the matrix binds, in the order in which their stores are kept: the names of the molecules that are set free.
pub const FACTORS: [&str; 3] = ["tgf_beta", "vegf_a", "fgf_2"];

/// The matrix of a site, voxel by voxel, `x` fastest.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    /// Density, 0-1; 1 is 5 mg of collagen per mL.
    pub density: Vec<f32>,
    /// Density to which the tissue comes back of itself.
    pub native: Vec<f32>,
    /// Share of bonds between fibres that are crosslinked, 0-1.
    pub crosslinking: Vec<f32>,
    /// Directions of the fibres.
    pub fibres: Vec<Fibres>,
    /// Stores of [`FACTORS`], nM of the voxel.
    pub bound: [Vec<f32>; 3],
    /// What became of its collagen since the beginning.
    pub turnover: Turnover,
}

impl WhollyKept for Matrix {}

impl Matrix {
    /// The matrix that a description says a block has.
    pub fn new(block: &TissueBlock, description: &MatrixDescription) -> Self {
        let voxels = block.voxels();
        let middle = 0.5 * (block.min_um + block.max_um());
        let mut matrix = Self {
            density: Vec::with_capacity(voxels),
            crosslinking: vec![description.crosslinking; voxels],
            fibres: Vec::with_capacity(voxels),
            ..Self::default()
        };
        for voxel in 0..voxels as u32 {
            let out = centre_of(block, voxel) - middle;
            let is_free = out.length() < description.outside_um;
            matrix
                .density
                .push(if is_free { 0.0 } else { description.density });
            matrix.fibres.push(match description.fibres {
                FibreLayout::Random => Fibres::RANDOM,
                FibreLayout::Along(x, y, z) => Fibres::along(Vec3::new(x, y, z)),
                FibreLayout::Around => around(out),
            });
        }
        matrix.native.clone_from(&matrix.density);
        let factors = [
            description.bound.tgf_beta_nm,
            description.bound.vegf_a_nm,
            description.bound.fgf_2_nm,
        ];
        matrix.bound =
            factors.map(|nm| matrix.density.iter().map(|density| nm * density).collect());
        matrix
    }
}

/// The middle of a voxel, um.
pub(super) fn centre_of(block: &TissueBlock, voxel: u32) -> Vec3 {
    let [nx, ny, _] = block.dims.to_array();
    let at = UVec3::new(voxel % nx, voxel / nx % ny, voxel / (nx * ny));
    block.min_um + (at.as_vec3() + 0.5) * block.voxel_um
}

/// Fibres at random in the plane perpendicular to a vector: half of what is no projection on it.
fn around(out: Vec3) -> Fibres {
    let Some(n) = out.try_normalize() else {
        return Fibres::RANDOM;
    };
    Fibres {
        diagonal: 0.5 * (Vec3::ONE - n * n),
        sides: -0.5 * Vec3::new(n.y * n.z, n.x * n.z, n.x * n.y),
    }
}
