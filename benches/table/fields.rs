//! The field solver: oxygen in a tumour, in balance with its uptake (Michaelis-Menten), from the solution for
//! slightly other sources on.

use std::time::Instant;

use crate::quiet::Meter;
use crate::{Case, Figure, Goal};

#[expect(dead_code, reason = "only one of the shared workloads is in the table")]
#[path = "../support/fields.rs"]
mod work;

use work::{FieldCase, FieldWorkload};

const SPEED: &str = "million voxels/s";
const TIME: &str = "ms a warm solve";
const RESIDUAL: &str = "relative residual";

pub fn cases() -> Vec<Case> {
    work::SIZES
        .into_iter()
        .map(|n| {
            let mut goals = vec![(RESIDUAL, Goal::AtMost(1e-4))];
            if n == 100 {
                goals.push((TIME, Goal::AtMost(15.0)));
            }
            Case {
                work: format!("fields, oxygen in {n}^3 voxels"),
                measure: Box::new(move |meter| measure(n, meter)),
                goals,
                speed: SPEED,
            }
        })
        .collect()
}

fn measure(n: usize, meter: Meter) -> Vec<Figure> {
    let mut case = FieldCase::new(FieldWorkload::WarmSaturating, n);
    let voxels = case.voxels() as f64;
    let repetitions = ((if meter.quick { 4e6 } else { 4e7 } / voxels) as usize).clamp(4, 40);
    let mut worst = 0.0_f32;
    let timed = meter.timed(repetitions, usize::MAX, |_| {
        case.reset();
        let start = Instant::now();
        let report = case.run();
        let seconds = start.elapsed().as_secs_f64();
        worst = worst.max(report.residual);
        seconds
    });
    let seconds = timed.seconds;
    let mut figures = vec![
        Figure::new(SPEED, voxels / seconds / 1e6),
        Figure::new(TIME, seconds * 1e3),
        Figure::new(RESIDUAL, f64::from(worst)),
        Figure::new("bytes a voxel", case.memory_bytes() as f64 / voxels),
    ];
    figures.extend(timed.figures());
    figures
}
