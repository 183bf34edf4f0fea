//! How the fibres of the matrix hinder diffusion, by the size of the molecule (Ogston et al. 1973).
//!
//! A molecule keeps [`share_between_fibres`](crate::tissue::medium::share_between_fibres) of its diffusivity in water; what is said of
//! it is for a tissue of the density `reference_density`, so that share over the one there counts ([`share_over_reference`]). What
//! hinders follows the density every hour or so, where that has changed by more than a trifle, as fitting fields to it is dear.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::MatrixParameters;
use crate::core::state::WhollyKept;
use crate::tissue::medium::{Diffusing, Hinders, share_over_reference};

/// By how much the root of the density may differ: the share that a molecule of 5 nm keeps then differs by 0.12 % of itself, that of a vesicle of 50 nm
/// by 0.35 %.
const SAME_ROOT: f32 = 0.01;

/// The density by which fibres hinder diffusion just now: that of the matrix, as it was at most an hour ago but for what hardly matters.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MatrixHindrance {
    density: Vec<f32>,
    fibril_radius_nm: f32,
    fibril_share: f32,
    reference_density: f32,
}

impl WhollyKept for MatrixHindrance {}

impl MatrixHindrance {
    pub(super) fn of(density: &[f32], parameters: &MatrixParameters) -> Self {
        Self {
            density: density.to_vec(),
            fibril_radius_nm: parameters.fibril_radius_nm,
            fibril_share: parameters.fibril_share,
            reference_density: parameters.reference_density,
        }
    }
}

impl MatrixHindrance {
    /// Whether it is that of this density still, but for what no field would notice.
    pub(super) fn is_of(&self, density: &[f32], parameters: &MatrixParameters) -> bool {
        let near = |(was, is): (&f32, &f32)| (was.sqrt() - is.sqrt()).abs() <= SAME_ROOT;
        self.density.len() == density.len()
            && self.density.iter().zip(density).all(near)
            && self.fibril_radius_nm == parameters.fibril_radius_nm
            && self.fibril_share == parameters.fibril_share
            && self.reference_density == parameters.reference_density
    }

    /// Follows the matrix.
    pub(super) fn follow(&mut self, density: &[f32], parameters: &MatrixParameters) {
        self.density.clear();
        self.density.extend_from_slice(density);
        self.fibril_radius_nm = parameters.fibril_radius_nm;
        self.fibril_share = parameters.fibril_share;
        self.reference_density = parameters.reference_density;
    }
}

impl Hinders for MatrixHindrance {
    fn hinder(&self, molecule: Diffusing, shares: &mut [f32]) {
        let reference = self.reference_density * self.fibril_share;
        for (kept, density) in shares.iter_mut().zip(&self.density) {
            let volumes = (density * self.fibril_share, reference);
            *kept *= share_over_reference(volumes, self.fibril_radius_nm, molecule.radius_nm);
        }
    }
}
