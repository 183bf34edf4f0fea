//! What the matrix of a site is in each voxel, and how a scene says so.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::parameters::{Limits, Parameters};
use crate::core::state::WhollyKept;
use crate::tissue::TissueBlock;

/// Directions of fibres in a voxel: the mean of `n n^T` over the directions `n` of its fibres, a symmetric tensor of trace 1. A third of
/// the identity where they lie at random.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fibres {
    /// `xx, yy, zz`.
    pub diagonal: Vec3,
    /// `yz, xz, xy`.
    pub sides: Vec3,
}

impl Default for Fibres {
    fn default() -> Self {
        Self::RANDOM
    }
}

impl Fibres {
    /// At random.
    pub const RANDOM: Self = Self {
        diagonal: Vec3::splat(1.0 / 3.0),
        sides: Vec3::ZERO,
    };

    /// All along an axis; at random where it has no length.
    pub fn along(axis: Vec3) -> Self {
        axis.try_normalize().map_or(Self::RANDOM, |n| Self {
            diagonal: n * n,
            sides: Vec3::new(n.y * n.z, n.x * n.z, n.x * n.y),
        })
    }

    /// This share of the way to another; the trace stays 1.
    #[must_use]
    pub fn towards(self, other: Self, share: f32) -> Self {
        Self {
            diagonal: self.diagonal.lerp(other.diagonal, share),
            sides: self.sides.lerp(other.sides, share),
        }
    }

    /// The tensor.
    pub fn matrix(self) -> Mat3 {
        let (d, s) = (self.diagonal, self.sides);
        Mat3::from_cols(
            Vec3::new(d.x, s.z, s.y),
            Vec3::new(s.z, d.y, s.x),
            Vec3::new(s.y, s.x, d.z),
        )
    }

    /// The main direction, of length 1 and of no particular sign, and how far fibres keep to it: 0 at random, 1 all along it. In a
    /// plane without a preferred direction in it they count as half.
    ///
    /// The largest eigenvalue `l` of the tensor by Cardano's formula, and `(3 l - 1) / 2`.
    pub fn main_direction(self) -> (Vec3, f32) {
        let m = self.matrix();
        let off = self.sides.length_squared();
        let centred = self.diagonal - Vec3::splat(1.0 / 3.0);
        let spread = ((centred.length_squared() + 2.0 * off) / 6.0).sqrt();
        if spread < 1.0e-6 {
            return (Vec3::X, 0.0);
        }
        let scaled = (m - Mat3::IDENTITY * (1.0 / 3.0)) * (1.0 / spread);
        let half_determinant = (0.5 * scaled.determinant()).clamp(-1.0, 1.0);
        let angle = bevy::math::ops::acos(half_determinant) / 3.0;
        let largest = 1.0 / 3.0 + 2.0 * spread * bevy::math::ops::cos(angle);
        // A vector that all others of the tensor are perpendicular to: the longest product of two rows of M - l I.
        let rest = m - Mat3::IDENTITY * largest;
        let products = [
            rest.x_axis.cross(rest.y_axis),
            rest.y_axis.cross(rest.z_axis),
            rest.z_axis.cross(rest.x_axis),
        ];
        let longest = products.into_iter().fold(Vec3::ZERO, |best, next| {
            if next.length_squared() > best.length_squared() {
                next
            } else {
                best
            }
        });
        let order = (1.5 * largest - 0.5).clamp(0.0, 1.0);
        match longest.try_normalize() {
            Some(direction) => (direction, order),
            // Two directions are as frequent: any in their plane.
            None => (rest.x_axis.any_orthonormal_vector(), order),
        }
    }
}

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

/// The matrix of a tissue at the start (part `matrix` of a site).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct MatrixDescription {
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

impl Default for MatrixDescription {
    fn default() -> Self {
        Self {
            density: 0.4,
            crosslinking: 0.1,
            fibres: FibreLayout::Random,
            outside_um: 0.0,
            bound: BoundFactors {
                tgf_beta_nm: 5.0,
                vegf_a_nm: 0.0,
                fgf_2_nm: 0.0,
            },
        }
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
