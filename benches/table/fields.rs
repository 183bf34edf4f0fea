//! The field solver: oxygen in a tumour, in balance with its uptake (Michaelis-Menten), from the solution for
//! slightly other sources on.

use tumorscape::tissue::solver::{
    Exchange, FaceCondition, FieldSolver, Grid, LocalTerms, Medium, Reservoir, Saturating,
    SolveReport, Stopping, TimeScheme,
};

use crate::{Case, Figure, Goal, median};

const SPEED: &str = "million voxels/s";
const TIME: &str = "ms a warm solve";
const RESIDUAL: &str = "relative residual";

/// Relative residual to which is solved.
const TOLERANCE: f32 = 1.0e-4;

pub fn cases() -> Vec<Case> {
    [64, 100, 200]
        .into_iter()
        .map(|n| {
            let mut goals = vec![(RESIDUAL, Goal::AtMost(f64::from(TOLERANCE)))];
            if n == 100 {
                goals.push((TIME, Goal::AtMost(15.0)));
            }
            Case {
                work: format!("fields, oxygen in {n}^3 voxels"),
                measure: Box::new(move |quick| measure(n, quick)),
                goals,
                speed: SPEED,
            }
        })
        .collect()
}

/// Oxygen uptake and vessel walls of a dense tumour: cells in 60 % of the voxels, vessels in 1 %, of which one in
/// a hundred closes.
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
        let mut voxels = |share: f32, value: f32| -> Vec<f32> {
            (0..len)
                .map(|_| if random() < share { value } else { 0.0 })
                .collect()
        };
        let vmax = voxels(0.6, 520.0);
        let before = voxels(0.01, 300.0);
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

    fn solve(&self, solver: &mut FieldSolver, which: usize, values: &mut [f32]) -> SolveReport {
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
        let stopping = Stopping {
            relative_residual: TOLERANCE,
            ..Stopping::default()
        };
        solver.solve(&terms, TimeScheme::QuasiSteady, stopping, values)
    }
}

fn measure(n: usize, quick: bool) -> Vec<Figure> {
    let grid = Grid::cubic([n; 3], 20.0);
    let voxels = grid.len() as f64;
    let tumour = Tumour::new(grid.len());
    let mut values = vec![38.0; grid.len()];
    let mut solver = FieldSolver::new(grid);
    solver.set_medium(&Medium::closed(1.0e5).with_all_faces(FaceCondition::Held(38.0)));
    tumour.solve(&mut solver, 0, &mut values);
    let repetitions = (if quick { 4_000_000 } else { 40_000_000 } / values.len()).clamp(4, 40);
    let mut worst = 0.0_f32;
    // The vessels close and open in turn, so that each solve starts from the solution of the other case.
    let seconds = median(
        (0..=repetitions)
            .map(|turn| {
                let start = std::time::Instant::now();
                let report = tumour.solve(&mut solver, (turn + 1) % 2, &mut values);
                let seconds = start.elapsed().as_secs_f64();
                worst = worst.max(report.residual);
                seconds
            })
            .collect(),
    );
    vec![
        Figure::new(SPEED, voxels / seconds / 1e6),
        Figure::new(TIME, seconds * 1e3),
        Figure::new(RESIDUAL, f64::from(worst)),
        Figure::new("bytes a voxel", solver.memory_bytes() as f64 / voxels),
    ]
}
