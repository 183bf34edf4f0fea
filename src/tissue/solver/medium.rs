//! What a caller says about the tissue and about one solve: the vocabulary of the field solver.
//!
//! A [`Medium`] is what a molecule moves through (diffusivity, flow, walls, held voxels) and changes
//! seldom; [`LocalTerms`] are what cells and vessels do to it in this step and change every time.

use bevy::math::{Vec3, Vec3Swizzles};
use serde::{Deserialize, Serialize};

/// The six outer faces of a grid, in the order of [`Medium::faces`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Lower `x` face.
    LowerX,
    /// Upper `x` face.
    UpperX,
    /// Lower `y` face.
    LowerY,
    /// Upper `y` face.
    UpperY,
    /// Lower `z` face.
    LowerZ,
    /// Upper `z` face.
    UpperZ,
}

/// What happens at an outer face of the grid. `c` is the unit of the field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaceCondition {
    /// The concentration on the face itself, half a voxel from the outermost centres, is given
    /// (second-order Dirichlet condition). Flow into the box carries this value.
    Held(f32),
    /// Nothing crosses, neither by diffusion nor by flow.
    Closed,
    /// A given influx per area, c um/min; positive brings molecules in. A negative flux is not
    /// limited by what is there: values stop at zero and the shortfall shows as mass imbalance.
    Flux(f32),
    /// No diffusion across; flow out of the box carries the concentration with it, flow in is clean.
    Open,
}

/// Effective diffusivity, um2/min.
#[derive(Clone, Copy, Debug)]
pub enum Diffusivity<'a> {
    /// The same everywhere.
    Uniform(f32),
    /// One value per voxel; a face between two voxels takes their harmonic mean.
    PerVoxel(&'a [f32]),
    /// A factor times one value per voxel: what molecules of one size have in common, and what each has for
    /// itself. Solvers for them can share their couplings, see
    /// [`FieldSolver::set_medium_sharing`](super::FieldSolver::set_medium_sharing).
    Scaled {
        /// The factor, um2/min.
        by: f32,
        /// The share of it in each voxel.
        relative: &'a [f32],
    },
}

impl Diffusivity<'_> {
    /// That of the voxel at a place in an array over the grid, um2/min.
    #[inline]
    pub(super) fn at(&self, voxel: usize) -> f32 {
        match self {
            Self::Uniform(d) => *d,
            Self::PerVoxel(each) => each[voxel],
            Self::Scaled { by, relative } => by * relative[voxel],
        }
    }
}

/// Velocity of the interstitial fluid, um/min.
#[derive(Clone, Copy, Debug)]
pub enum Velocity<'a> {
    /// The same everywhere.
    Uniform(Vec3),
    /// One vector per voxel; a face takes the mean of its two voxels.
    PerVoxel(&'a [Vec3]),
    /// Normal velocity on every face, lower to upper: `x` holds `(nx+1) ny nz` values with `x`
    /// fastest, `y` holds `nx (ny+1) nz`, `z` holds `nx ny (nz+1)`. The form to use when the flow
    /// comes from a pressure solve and is free of divergence on the grid.
    Faces {
        /// Velocity through the faces normal to `x`.
        x: &'a [f32],
        /// Velocity through the faces normal to `y`.
        y: &'a [f32],
        /// Velocity through the faces normal to `z`.
        z: &'a [f32],
    },
}

/// Voxels inside the grid whose value is given, such as the lumen of a vessel.
#[derive(Clone, Copy, Debug)]
pub struct HeldVoxels<'a> {
    /// Which voxels are held.
    pub mask: &'a [bool],
    /// Their values; read only where `mask` is true.
    pub values: &'a [f32],
}

/// What a molecule moves through.
#[derive(Clone, Copy, Debug)]
pub struct Medium<'a> {
    /// Effective diffusivity, um2/min.
    pub diffusivity: Diffusivity<'a>,
    /// Interstitial flow, if any (first-order upwind, conservative).
    pub velocity: Option<Velocity<'a>>,
    /// Conditions on the outer faces: lower x, upper x, lower y, upper y, lower z, upper z.
    pub faces: [FaceCondition; 6],
    /// Held voxels inside the grid, if any.
    pub held: Option<HeldVoxels<'a>>,
}

impl<'a> Medium<'a> {
    /// The same medium of a grid that is one voxel high, with `y` and `z` exchanged; `flow` takes the velocities
    /// that must be written anew for it, in voxels or through faces. Rows along x hold `nx` voxels.
    pub(super) fn turned(&self, nx: usize, flow: &'a mut (Vec<Vec3>, Vec<f32>)) -> Self {
        let [lower_x, upper_x, lower_y, upper_y, lower_z, upper_z] = self.faces;
        let velocity = match self.velocity {
            None => None,
            Some(Velocity::Uniform(v)) => Some(Velocity::Uniform(v.xzy())),
            Some(Velocity::PerVoxel(each)) => {
                flow.0.extend(each.iter().map(|v| v.xzy()));
                Some(Velocity::PerVoxel(&flow.0))
            }
            Some(Velocity::Faces { x, y, z }) => {
                // Lower and upper faces, all of one and then all of the other, come side by side row by row.
                let (lower, upper) = z.split_at(z.len() / 2);
                for (lower, upper) in lower.chunks(nx).zip(upper.chunks(nx)) {
                    flow.1.extend_from_slice(lower);
                    flow.1.extend_from_slice(upper);
                }
                Some(Velocity::Faces {
                    x,
                    y: &flow.1,
                    z: y,
                })
            }
        };
        Self {
            velocity,
            faces: [lower_x, upper_x, lower_z, upper_z, lower_y, upper_y],
            ..*self
        }
    }

    /// Uniform diffusion in a box that nothing leaves.
    pub fn closed(diffusivity_um2_per_min: f32) -> Self {
        Self {
            diffusivity: Diffusivity::Uniform(diffusivity_um2_per_min),
            velocity: None,
            faces: [FaceCondition::Closed; 6],
            held: None,
        }
    }

    /// The same medium with another condition on one side.
    #[must_use]
    pub fn with_face(mut self, side: Side, condition: FaceCondition) -> Self {
        self.faces[side as usize] = condition;
        self
    }

    /// The same medium with one condition on all six sides.
    #[must_use]
    pub fn with_all_faces(mut self, condition: FaceCondition) -> Self {
        self.faces = [condition; 6];
        self
    }
}

/// Saturating (Michaelis-Menten) uptake `vmax(x) c / (half_saturation + c)`.
#[derive(Clone, Copy, Debug)]
pub struct Saturating<'a> {
    /// Largest uptake per voxel, c/min, not negative.
    pub vmax_per_min: &'a [f32],
    /// Concentration of half-maximal uptake, c, positive.
    pub half_saturation: f32,
}

/// Linear exchange with a reservoir, `rate(x) (reservoir - c)`: vessel walls, lymphatics, a bath.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// Exchange rate per voxel (permeability times surface per volume), 1/min, not negative; over `scale`.
    pub rate_per_min: &'a [f32],
    /// Factor on all rates, so that one array serves molecules that pass more or less easily.
    pub scale: f32,
    /// Concentration in the reservoir, c.
    pub reservoir: Reservoir<'a>,
}

impl Exchange<'_> {
    /// Whether anything passes worth speaking of: in some voxel the level follows the reservoir within a week.
    pub fn is_open(&self) -> bool {
        const SLOWEST_PER_MIN: f32 = 1e-4;
        let mut rates = self.rate_per_min.iter();
        rates.any(|rate| rate * self.scale > SLOWEST_PER_MIN)
    }
}

/// Concentration in a reservoir.
#[derive(Clone, Copy, Debug)]
pub enum Reservoir<'a> {
    /// The same everywhere.
    Uniform(f32),
    /// One value per voxel.
    PerVoxel(&'a [f32]),
}

/// What happens to a molecule inside each voxel. Absent terms are zero.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalTerms<'a> {
    /// First-order loss that is the same everywhere, 1/min.
    pub decay_per_min: f32,
    /// First-order loss per voxel, 1/min, not negative.
    pub rate_per_min: Option<&'a [f32]>,
    /// Saturating uptakes (one entry for each half-saturation constant).
    pub saturating: &'a [Saturating<'a>],
    /// Bulk source per voxel, c/min, not negative (write sinks as rates or uptakes).
    pub source_per_min: Option<&'a [f32]>,
    /// Exchange with reservoirs; several act side by side.
    pub exchange: &'a [Exchange<'a>],
}

/// How time enters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TimeScheme {
    /// The field is in balance with its sources and sinks.
    QuasiSteady,
    /// One implicit (backward Euler, L-stable) step. The values handed to the solver are the old
    /// ones and serve as the first guess.
    BackwardEuler {
        /// Length of the step, min.
        dt_minutes: f32,
    },
}

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stopping {
    /// Largest relative residual accepted: the imbalance of all voxels over what moves in them, both as
    /// root-mean-square over voxels.
    ///
    /// What moves in a voxel is the larger of what it is brought (sources, exchange, faces) and of what it loses
    /// (decay, uptake, exchange); exchange and held faces count with what they bring *on balance*. Stirred medium, which takes back at once all it gives, thus adds nothing. A
    /// quasi-steady field departs from the level of its surroundings because of what moves, and the error it
    /// is left with obeys the same equation with the imbalance in that place. So the error is about this
    /// part of the departure, whatever lies around (less where the imbalance changes sign from voxel to
    /// voxel). In a step in time what moves counts together with the rate at which the old values change, so that
    /// however short the steps, each is right to this part of what happens in it, and a field that is stepped comes as
    /// near to its balance as one that is solved for it; and the error is at most this part of the old value, both as
    /// root-mean-square.
    pub relative_residual: f32,
    /// Largest number of multigrid cycles.
    pub max_cycles: u32,
}

impl Default for Stopping {
    fn default() -> Self {
        Self {
            relative_residual: 1.0e-4,
            max_cycles: 40,
        }
    }
}

/// What one solve did. Amounts are in c um3 per minute unless stated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SolveReport {
    /// Multigrid cycles spent.
    pub cycles: u32,
    /// Times the saturating uptake was linearised anew (0 for a linear problem).
    pub nonlinear_iterations: u32,
    /// Relative residual of the values handed in.
    pub initial_residual: f32,
    /// Relative residual of the values handed back.
    pub residual: f32,
    /// Whether the residual is below the tolerance, or at the floor that `f32` storage sets.
    pub converged: bool,
    /// Total amount in the box, c um3 (held voxels included).
    pub mass: f64,
    /// Brought in by sources, exchange and outer faces.
    pub supplied: f64,
    /// Taken out by decay, uptake, exchange and outer faces.
    pub removed: f64,
    /// Gained by the tissue (0 when quasi-steady).
    pub stored: f64,
    /// `(supplied - removed - stored)` over the largest of the three: the mass-balance error.
    pub mass_balance_error: f64,
}
