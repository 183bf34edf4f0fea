//! The field solver on the stated work of `tumour`.

use std::time::Instant;

use crate::repeat::repeat;
use crate::tumour::{FieldCase, FieldWorkload, SIZES};
use crate::{Case, Figure, Goal, RATIO, SPEED_UP};

const SPEED: &str = "million voxels/s";
const TIME: &str = "ms";
const RESIDUAL: &str = "relative residual";

pub fn cases() -> Vec<Case> {
    let of_sizes = |workload: FieldWorkload| SIZES.map(|n| case(workload, n));
    FieldWorkload::ALL.into_iter().flat_map(of_sizes).collect()
}

fn case(workload: FieldWorkload, n: usize) -> Case {
    let mut goals = vec![(RESIDUAL, Goal::AtMost(1e-4))];
    if workload == FieldWorkload::WarmSaturating {
        goals.push((RATIO, SPEED_UP));
        if n == 100 {
            goals.push((TIME, Goal::AtMost(15.0)));
        }
    }
    Case {
        work: format!("fields, {n}^3 voxels, {}", workload.name()),
        measure: Box::new(move |quick| measure(workload, n, quick)),
        goals,
        speed: SPEED,
    }
}

fn measure(workload: FieldWorkload, n: usize, quick: bool) -> Vec<Figure> {
    let mut case = FieldCase::new(workload, n);
    let voxels = case.voxels() as f64;
    let repetitions = ((if quick { 4e6 } else { 4e7 } / voxels) as usize).clamp(4, 40);
    let (mut worst, mut cycles, mut linearisations) = (0.0_f32, 0, 0);
    let timed = repeat(repetitions, || {
        case.reset();
        let start = Instant::now();
        let report = case.run();
        let seconds = start.elapsed().as_secs_f64();
        worst = worst.max(report.residual);
        cycles = report.cycles;
        linearisations = report.nonlinear_iterations;
        seconds
    });
    let mut figures = vec![
        timed.figure(SPEED, |seconds| voxels / seconds / 1e6),
        timed.figure(TIME, |seconds| seconds * 1e3),
    ];
    if workload != FieldWorkload::FitVaryingDiffusivity {
        figures.extend([
            Figure::new(RESIDUAL, f64::from(worst)),
            Figure::new("cycles", f64::from(cycles)),
            Figure::new("linearisations", f64::from(linearisations)),
        ]);
    }
    figures.extend([
        Figure::new("bytes a voxel", case.memory_bytes() as f64 / voxels),
        timed.repetitions(),
    ]);
    figures
}
