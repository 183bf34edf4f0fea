//! What leads the cells that walk through a tissue: its fibres.
//!
//! Whoever models the matrix of a site puts a [`Scaffold`] on it and fills it in `Perceive`; cells with the capability `guidance` follow it.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

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

/// Density and directions of the fibres in each voxel of a site, `x` fastest.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct Scaffold {
    /// Density, 0-1.
    pub density: Vec<f32>,
    /// Density from which a cell finds fibres wherever it touches.
    pub full_density: f32,
    /// Directions.
    pub fibres: Vec<Fibres>,
}

impl Scaffold {
    /// How likely a cell in a voxel touches a fibre, 0-1.
    #[inline]
    pub fn touch(&self, voxel: usize) -> f32 {
        (self.density[voxel] / self.full_density).min(1.0)
    }
}
