//! The mechanics kernel: one whole call (sort, forces, one move) on a ball of tissue at contact density.

use tumorscape::cell::mechanics::{Mechanics, MechanicsParameters, Surroundings};

use crate::print::Line;
use crate::{Case, Figure, Goal, median_seconds};

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
                measure: Box::new(move |quick| measure(count, shuffled, quick)),
                goals: vec![(SPEED, Goal::AtLeast(least))],
                speed: SPEED,
            });
        }
    }
    cases
}

const LATTICE: &str = "lattice order";
const RANDOM: &str = "random order";

fn measure(count: usize, shuffled: bool, quick: bool) -> Vec<Figure> {
    let mut bodies = ball::ball(count);
    if shuffled {
        ball::shuffle(&mut bodies);
    }
    let mut kernel = Mechanics::new(MechanicsParameters {
        rest_speed: 0.0,
        ..Default::default()
    });
    *kernel.bodies_mut() = bodies;
    // About the same time whatever the number of cells.
    let repetitions = (if quick { 2_000_000 } else { 20_000_000 } / count).clamp(5, 400);
    let seconds = median_seconds(repetitions, || {
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
    vec![
        Figure::new(SPEED, count as f64 / seconds / 1e6),
        Figure::new("neighbours a cell", neighbours),
        Figure::new("bytes a cell", kernel.memory() as f64 / count as f64),
    ]
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
