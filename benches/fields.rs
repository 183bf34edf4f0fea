//! How long the field solver takes: oxygen (Michaelis-Menten uptake, vessels as exchange) quasi-steady
//! from a cold start and after 1 % of the vessels changed, and one implicit step of a cytokine.
//!
//! `cargo bench --no-default-features --bench fields`; throughput is voxels per second.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tumorscape::tissue::solver::{
    Exchange, FaceCondition, FieldSolver, Grid, LocalTerms, Medium, Reservoir, Saturating,
    Stopping, TimeScheme,
};

/// Oxygen uptake and vessel walls of a dense tumour: cells in 60 % of the voxels, vessels in 1 %.
struct Tumour {
    vmax: Vec<f32>,
    walls: [Vec<f32>; 2],
}

impl Tumour {
    fn new(len: usize) -> Self {
        let mut state = 1_u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32) / ((1_u64 << 24) as f32)
        };
        let vmax = (0..len)
            .map(|_| if random() < 0.6 { 520.0 } else { 0.0 })
            .collect();
        let before: Vec<f32> = (0..len)
            .map(|_| if random() < 0.01 { 300.0 } else { 0.0 })
            .collect();
        let mut after = before.clone();
        for wall in after.iter_mut().filter(|wall| **wall > 0.0) {
            if random() < 0.01 {
                *wall = 0.0;
            }
        }
        Self {
            vmax,
            walls: [before, after],
        }
    }

    fn solve(&self, solver: &mut FieldSolver, which: usize, values: &mut [f32]) {
        let saturating = [Saturating {
            vmax_per_min: &self.vmax,
            half_saturation: 2.0,
        }];
        let terms = LocalTerms {
            saturating: &saturating,
            exchange: Some(Exchange {
                rate_per_min: &self.walls[which],
                reservoir: Reservoir::Uniform(70.0),
            }),
            ..LocalTerms::default()
        };
        let report = solver.solve(&terms, TimeScheme::QuasiSteady, Stopping::default(), values);
        assert!(report.converged);
        black_box(report);
    }
}

fn fields(criterion: &mut Criterion) {
    for n in [64_usize, 100, 200] {
        let grid = Grid::cubic([n; 3], 20.0);
        let mut group = criterion.benchmark_group("fields");
        group.throughput(Throughput::Elements(grid.len() as u64));
        group.sample_size(10);
        let tumour = Tumour::new(grid.len());
        let mut solver = FieldSolver::new(grid);
        let oxygen = Medium::closed(1.0e5).with_all_faces(FaceCondition::Held(38.0));
        solver.set_medium(&oxygen);

        let cold = vec![38.0; grid.len()];
        group.bench_function(BenchmarkId::new("oxygen cold", n), |bencher| {
            bencher.iter_batched_ref(
                || cold.clone(),
                |values| tumour.solve(&mut solver, 0, values),
                BatchSize::LargeInput,
            );
        });

        let mut warm = cold.clone();
        tumour.solve(&mut solver, 0, &mut warm);
        group.bench_function(BenchmarkId::new("oxygen warm", n), |bencher| {
            bencher.iter_batched_ref(
                || warm.clone(),
                |values| tumour.solve(&mut solver, 1, values),
                BatchSize::LargeInput,
            );
        });

        solver.set_medium(&Medium::closed(1.6e3));
        let terms = LocalTerms {
            decay_per_min: 0.01,
            exchange: Some(Exchange {
                rate_per_min: &tumour.walls[0],
                reservoir: Reservoir::Uniform(1.0),
            }),
            ..LocalTerms::default()
        };
        let scheme = TimeScheme::BackwardEuler { dt_minutes: 1.0 };
        let mut settled = vec![0.5; grid.len()];
        for _ in 0..3 {
            solver.solve(&terms, scheme, Stopping::default(), &mut settled);
        }
        group.bench_function(BenchmarkId::new("cytokine step", n), |bencher| {
            bencher.iter_batched_ref(
                || settled.clone(),
                |values| black_box(solver.solve(&terms, scheme, Stopping::default(), values)),
                BatchSize::LargeInput,
            );
        });
        group.finish();
    }
}

criterion_group!(benches, fields);
criterion_main!(benches);
