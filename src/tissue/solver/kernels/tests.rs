//! The kernels give the same bits on every instruction set.

use std::sync::atomic::Ordering;

use super::*;
use crate::tissue::solver::{
    Diffusivity, Exchange, FaceCondition, FieldSolver, Grid, LocalTerms, Medium, Reservoir,
    Saturating, Side, Stopping, TimeScheme,
};

/// A field of patches, in balance or stepped, that takes every kernel.
fn solved(is_saturating: bool, scheme: TimeScheme) -> Vec<u32> {
    let grid = Grid::cubic([37, 30, 28], 20.0);
    let patches = |every: usize, value: f32| -> Vec<f32> {
        let of = |at: usize| if at % every < every / 3 { value } else { 0.0 };
        (0..grid.len()).map(of).collect()
    };
    let diffusivity: Vec<f32> = patches(11, 4.0e4).iter().map(|d| 1.0e5 - d).collect();
    let (uptake, walls) = (patches(7, 520.0), patches(29, 300.0));
    let mut medium = Medium::closed(1.0);
    medium.diffusivity = Diffusivity::PerVoxel(&diffusivity);
    let mut solver = FieldSolver::new(grid);
    solver.set_medium(&medium.with_face(Side::UpperX, FaceCondition::Held(38.0)));
    let saturating = [Saturating {
        vmax_per_min: &uptake,
        half_saturation: 2.0,
    }];
    let terms = LocalTerms {
        rate_per_min: (!is_saturating).then_some(&uptake),
        saturating: if is_saturating { &saturating } else { &[] },
        exchange: &[Exchange {
            rate_per_min: &walls,
            scale: 1.0,
            reservoir: Reservoir::Uniform(60.0),
        }],
        ..LocalTerms::default()
    };
    let stopping = Stopping {
        relative_residual: 1e-5,
        max_cycles: 50,
    };
    let mut values = vec![38.0; grid.len()];
    let report = solver.solve(&terms, scheme, stopping, &mut values);
    assert!(report.converged && report.cycles > 1, "{report:?}");
    values.into_iter().map(f32::to_bits).collect()
}

#[test]
fn every_instruction_set_gives_the_same_field() {
    let step = TimeScheme::BackwardEuler { dt_minutes: 0.01 };
    for (is_saturating, scheme) in [
        (true, TimeScheme::QuasiSteady),
        (false, TimeScheme::QuasiSteady),
        (true, step),
    ] {
        // Other tests may solve meanwhile: it is all the same to them.
        let [narrow, avx2, widest] = [0, 1, 2].map(|allowed| {
            ALLOWED.store(allowed, Ordering::Relaxed);
            solved(is_saturating, scheme)
        });
        assert!(narrow == avx2, "with AVX2");
        assert!(narrow == widest, "with AVX-512, where there is");
    }
}
