//! What the matrix of a site is in each voxel, and how a scene says so.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::Turnover;
use super::organs::{OrganMatrix, of_tissue, organs};
use crate::core::parameters::{Contradiction, Limits, Parameters, nearest};
use crate::core::state::WhollyKept;
use crate::tissue::{Fibres, Organ, TissueBlock};

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

/// The matrix of a tissue at the start (part `matrix` of a site). What is left out is as in the tissue that it is `like`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct MatrixDescription {
    /// Whose matrix it is where nothing else is said: a tissue of `assets/matrix/organs.ron`, as `"Scar"`. The organ of the site if left
    /// out.
    pub like: Option<String>,
    /// Density, 0-1; 1 is 5 mg of collagen per mL.
    pub density: Option<f32>,
    /// Share of the bonds between fibres that are crosslinked, 0-1.
    pub crosslinking: Option<f32>,
    /// How the fibres lie.
    pub fibres: FibreLayout,
    /// No matrix in this ball around the middle of the site, um: where a tumour or a duct is.
    pub outside_um: f32,
    /// What is stored in it, at density 1.
    pub bound: Option<BoundFactors>,
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

    fn contradictions(&self) -> Vec<Contradiction> {
        let of_none = self.like.iter().filter(|like| of_tissue(like).is_none());
        let wrong = of_none.map(|like| {
            let known: Vec<&str> = organs().iter().map(|of| of.tissue.as_str()).collect();
            let near = nearest(like, &known);
            let near =
                near.map_or_else(|| ".".into(), |near| format!("; did you mean \"{near}\"?"));
            Contradiction {
                field: "like",
                other: "like",
                message: format!(
                    "there is no matrix of a tissue called \"{like}\"{near} Known are {}",
                    known.join(", ")
                ),
            }
        });
        wrong.collect()
    }
}

impl MatrixDescription {
    /// What its tissue usually has: that which it is like, or the organ.
    fn usual(&self, organ: Organ) -> &'static OrganMatrix {
        let like = self.like.as_deref().and_then(of_tissue);
        like.unwrap_or_else(|| OrganMatrix::of(organ))
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
    /// The matrix that a description says a block has in an organ.
    pub fn new(block: &TissueBlock, description: &MatrixDescription, organ: Organ) -> Self {
        let usual = description.usual(organ);
        let of_density = description.density.unwrap_or(usual.density);
        let crosslinking = description.crosslinking.unwrap_or(usual.crosslinking);
        let stored = description.bound.unwrap_or(BoundFactors {
            tgf_beta_nm: usual.latent_tgf_beta_nm,
            ..BoundFactors::default()
        });
        let voxels = block.voxels();
        let middle = 0.5 * (block.min_um + block.max_um());
        let mut matrix = Self {
            density: Vec::with_capacity(voxels),
            crosslinking: vec![crosslinking; voxels],
            fibres: Vec::with_capacity(voxels),
            ..Self::default()
        };
        for voxel in 0..voxels as u32 {
            let out = block.centre_of(voxel) - middle;
            let is_free = out.length() < description.outside_um;
            matrix.density.push(if is_free { 0.0 } else { of_density });
            matrix.fibres.push(match description.fibres {
                FibreLayout::Random => Fibres::RANDOM,
                FibreLayout::Along(x, y, z) => Fibres::along(Vec3::new(x, y, z)),
                FibreLayout::Around => around(out),
            });
        }
        matrix.native.clone_from(&matrix.density);
        let factors = [stored.tgf_beta_nm, stored.vegf_a_nm, stored.fgf_2_nm];
        matrix.bound =
            factors.map(|nm| matrix.density.iter().map(|density| nm * density).collect());
        matrix
    }
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
