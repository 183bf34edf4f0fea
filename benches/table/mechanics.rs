//! The mechanics kernel: one whole call (sort, forces, one move) on a ball of tissue at contact density.

use tumorscape::cell::mechanics::{Body, Mechanics, MechanicsParameters, Surroundings};

use crate::print::Line;
use crate::quiet::Meter;
use crate::{Case, Figure, Goal};

#[path = "../support/ball.rs"]
mod ball;

const SPEED: &str = "million cell updates/s";

/// How much faster cells in lattice order may be than the same in random order.
const ORDER: Goal = Goal::AtMost(1.3);

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (count, least) in [(10_000, 25.0), (100_000, 20.0), (1_000_000, 16.0)] {
        for shuffled in [false, true] {
            let order = if shuffled { RANDOM } else { LATTICE };
            cases.push(Case {
                work: format!("mechanics, {count} cells, {order}"),
                measure: Box::new(move |meter| measure(count, shuffled, meter)),
                goals: vec![(SPEED, Goal::AtLeast(least))],
                speed: SPEED,
            });
        }
    }
    cases.push(Case {
        work: "mechanics, 100000 cells at rest, 1 in 1000 touched".into(),
        measure: Box::new(|meter| measure_at_rest(100_000, meter)),
        goals: Vec::new(),
        speed: SPEED,
    });
    cases
}

const LATTICE: &str = "lattice order";
const RANDOM: &str = "random order";

fn measure(count: usize, shuffled: bool, meter: Meter) -> Vec<Figure> {
    let mut bodies = ball::ball(count);
    if shuffled {
        ball::shuffle(&mut bodies);
    }
    let mut kernel = Mechanics::new(MechanicsParameters::default());
    *kernel.bodies_mut() = bodies;
    // About the same time whatever the number of cells.
    let repetitions = (if meter.quick { 2_000_000 } else { 20_000_000 } / count).clamp(5, 400);
    let timed = meter.median(repetitions, || {
        let done = kernel.relax(0.02, &Surroundings::default());
        assert_eq!(done.substeps, 1, "one update of each cell in a call");
    });
    let neighbours = (0..count)
        .map(|row| {
            kernel
                .outcome(row)
                .map_or(f64::NAN, |found| f64::from(found.contacts))
        })
        .sum::<f64>()
        / count as f64;
    let mut figures = vec![
        Figure::new(SPEED, count as f64 / timed.seconds / 1e6),
        Figure::new("neighbours a cell", neighbours),
        Figure::new("bytes a cell", kernel.memory() as f64 / count as f64),
    ];
    figures.extend(timed.figures());
    figures
}

/// Tissue that has come to rest, of which a few cells are moved in each step: what skipping the others spares.
fn measure_at_rest(count: usize, meter: Meter) -> Vec<Figure> {
    let mut seconds = [0.0; 2];
    let mut evaluated = [0; 2];
    let mut repeated = Vec::new();
    let repetitions = if meter.quick { 20 } else { 100 };
    for (skip_resting, (seconds, evaluated)) in [true, false]
        .into_iter()
        .zip(seconds.iter_mut().zip(&mut evaluated))
    {
        let mut bodies = ball::ball(count);
        let mut kernel = Mechanics::new(MechanicsParameters {
            rest_speed: 0.02,
            skip_resting,
            ..Default::default()
        });
        let mut step = |bodies: &mut [Body]| {
            let (rows, watch) = kernel.update(&[bodies.len()]);
            for (row, body) in rows.iter_mut().zip(&*bodies) {
                watch.put(row, *body);
            }
            let done = kernel.relax(1.0, &Surroundings::default());
            for (row, body) in bodies.iter_mut().enumerate() {
                if let Some(found) = kernel.outcome(row) {
                    body.position = found.position;
                }
            }
            done.evaluated
        };
        for _ in 0..300 {
            step(&mut bodies);
        }
        let mut side = 0.5;
        let timed = meter.median(repetitions, || {
            side = -side;
            for body in bodies.iter_mut().step_by(1000) {
                body.position[0] += side;
            }
            *evaluated = step(&mut bodies);
        });
        *seconds = timed.seconds;
        repeated.extend(timed.figures());
    }
    let mut figures = vec![
        Figure::new(SPEED, count as f64 / seconds[0] / 1e6),
        Figure::new(
            "% of cells evaluated",
            100.0 * evaluated[0] as f64 / count as f64,
        ),
        Figure::new("times as fast as without skipping", seconds[1] / seconds[0]),
    ];
    figures.extend(repeated.into_iter().take(2));
    figures
}

/// Lattice over random order, once both have been measured.
pub fn order_matters<'a>(work: &'a str, speeds: &[(String, f64)]) -> Option<Line<'a>> {
    let lattice = work.strip_suffix(RANDOM)?.to_owned() + LATTICE;
    let speed = |name: &str| speeds.iter().find(|(work, _)| work == name).map(|s| s.1);
    let ratio = speed(&lattice)? / speed(work)?;
    Some(Line {
        work,
        figure: "lattice order over random",
        values: [f64::NAN, ratio],
        goal: Some((ORDER, ORDER.is_met(ratio))),
    })
}
