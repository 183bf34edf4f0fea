//! The field solver against analytic solutions of diffusion, uptake and flow.
//!
//! The first five groups are the analytic validation targets for transport: point source, free
//! spread, spheroid with zero-order uptake, spheroid with first-order uptake, Krogh cylinder.

#![expect(
    clippy::disallowed_methods,
    reason = "analytic answers are compared with a tolerance; no bits depend on them"
)]

mod accounts;
mod media;
mod past;
mod robustness;
mod sources;
mod spheroids;
mod stepping;
mod tolerance;
mod uptake;

use bevy::math::{UVec3, Vec3};
use tumorscape::tissue::solver::{
    Diffusivity, Exchange, FaceCondition, FieldSolver, Grid, HeldVoxels, LocalTerms, Medium,
    Reservoir, Saturating, Side, SolveReport, Stopping, TimeScheme, Velocity,
};

const STEADY: TimeScheme = TimeScheme::QuasiSteady;
const TIGHT: Stopping = Stopping {
    relative_residual: 1.0e-6,
    max_cycles: 60,
};

fn solve(
    grid: Grid,
    medium: &Medium,
    terms: &LocalTerms,
    stopping: Stopping,
    values: &mut [f32],
) -> SolveReport {
    let mut solver = FieldSolver::new(grid);
    solver.set_medium(medium);
    let report = solver.solve(terms, STEADY, stopping, values);
    assert!(report.converged, "{report:?}");
    assert!(values.iter().all(|v| v.is_finite() && *v >= 0.0));
    report
}

fn over(grid: &Grid, f: impl Fn(Vec3) -> f32) -> Vec<f32> {
    (0..grid.len())
        .map(|n| f(grid.centre_um(grid.voxel(n))))
        .collect()
}

/// Numbers in 0..1 that look random and are the same every time.
fn noise(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32) / ((1_u64 << 24) as f32)
    }
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

const GRIMES_D: f32 = 2000.0 * 60.0;
const GRIMES_Q: f32 = 22.1 * 60.0;

struct Tissue {
    vmax: Vec<f32>,
    wall: Vec<f32>,
    d: Vec<f32>,
    flow: Vec<Vec3>,
    lumen: Vec<bool>,
}

fn tissue(len: usize, seed: u64) -> Tissue {
    let mut random = noise(seed);
    Tissue {
        vmax: (0..len).map(|_| 900.0 * random()).collect(),
        wall: (0..len)
            .map(|_| if random() < 0.03 { 200.0 } else { 0.0 })
            .collect(),
        d: (0..len).map(|_| 2.0e4 + 1.0e5 * random()).collect(),
        flow: (0..len)
            .map(|_| 60.0 * Vec3::new(random() - 0.5, random() - 0.2, random() - 0.5))
            .collect(),
        lumen: (0..len).map(|_| random() < 0.01).collect(),
    }
}
