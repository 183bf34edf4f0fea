//! The mechanics kernel: one whole call (sort, forces, one move) on a ball of tissue at contact density.

use tumorscape::cell::mechanics::{
    ContactBody, ContactLaw, Influences, Mechanics, MechanicsParameters,
};
use tumorscape::core::{CellId, RandomKey};
use tumorscape::scene::population::PLACEMENT;

use crate::ball;
use crate::print::{Line, short};
use crate::repeat::time;
use crate::{Case, Figure, Goal, RATIO, SPEED_UP};

const SPEED: &str = "million cell updates/s";

/// How much faster cells in lattice order may be than the same in random order.
const ORDER: Goal = Goal::AtMost(1.3);

/// The ball of tissue, or something else made of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cells {
    /// Rows in the order of the lattice.
    Lattice,
    /// Rows in random order.
    Random,
    /// Radii that differ by up to 30 %.
    Sizes,
    /// One cell of ten times the volume among ten thousand.
    Giant,
}

impl Cells {
    const ALL: [Self; 4] = [Self::Lattice, Self::Random, Self::Sizes, Self::Giant];

    const fn name(self) -> &'static str {
        match self {
            Self::Lattice => "lattice order",
            Self::Random => "random order",
            Self::Sizes => "radii differ by 30 %",
            Self::Giant => "1 giant in 10000",
        }
    }

    fn bodies(self, count: usize) -> Vec<ContactBody> {
        let mut bodies = ball::ball(count);
        let mut random = RandomKey(3).stream(CellId(0), 0, PLACEMENT);
        match self {
            Self::Lattice => {}
            Self::Random => ball::shuffle(&mut bodies),
            Self::Sizes => {
                for body in &mut bodies {
                    body.radius *= 0.85 + 0.3 * random.uniform();
                }
            }
            Self::Giant => {
                for body in bodies.iter_mut().step_by(10_000) {
                    body.radius *= 2.15;
                }
            }
        }
        bodies
    }
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (count, least) in [(10_000, 25.0), (100_000, 20.0), (1_000_000, 16.0)] {
        for cells in Cells::ALL {
            let goals = match cells {
                Cells::Lattice | Cells::Random => {
                    vec![(SPEED, Goal::AtLeast(least)), (RATIO, SPEED_UP)]
                }
                Cells::Sizes | Cells::Giant => Vec::new(),
            };
            cases.push(Case {
                work: format!("mechanics, {count} cells, {}", cells.name()),
                measure: Box::new(move |quick| measure(count, cells, quick)),
                goals,
                speed: SPEED,
            });
        }
    }
    cases.push(Case {
        work: "mechanics, 100000 cells at rest, 1 in 1000 touched".into(),
        measure: Box::new(|quick| measure_at_rest(100_000, quick)),
        goals: vec![(RATIO, SPEED_UP)],
        speed: SPEED,
    });
    cases
}

fn measure(count: usize, cells: Cells, quick: bool) -> Vec<Figure> {
    let mut kernel = Mechanics::new(MechanicsParameters::default());
    *kernel.bodies_mut() = cells.bodies(count);
    // About the same time whatever the number of cells.
    let repetitions = (if quick { 2_000_000 } else { 20_000_000 } / count).clamp(5, 400);
    let timed = time(repetitions, || {
        let done = kernel.relax(0.02, &Influences::default());
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
        timed.figure(SPEED, |seconds| count as f64 / seconds / 1e6),
        Figure::new("neighbours a cell", neighbours),
        Figure::new("bytes a cell", kernel.memory() as f64 / count as f64),
        timed.repetitions(),
    ]
}

/// Tissue that has come to rest, of which a few cells are moved in each step: what skipping the others spares.
fn measure_at_rest(count: usize, quick: bool) -> Vec<Figure> {
    let repetitions = if quick { 20 } else { 100 };
    let mut evaluated = [0; 2];
    let [skipping, plain] = [0, 1].map(|which| {
        let skip_resting = which == 0;
        let mut bodies = ball::ball(count);
        let mut kernel = Mechanics::new(MechanicsParameters {
            rest_speed: 0.02,
            skip_resting,
            ..MechanicsParameters::of(ContactLaw::PhysiCell)
        });
        let mut step = |bodies: &mut [ContactBody]| {
            let (rows, watch) = kernel.update(&[bodies.len()]);
            for (row, body) in rows.iter_mut().zip(&*bodies) {
                watch.put(row, *body);
            }
            let done = kernel.relax(1.0, &Influences::default());
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
        time(repetitions, || {
            side = -side;
            for body in bodies.iter_mut().step_by(1000) {
                body.position[0] += side;
            }
            evaluated[which] = step(&mut bodies);
        })
    });
    vec![
        skipping.figure(SPEED, |seconds| count as f64 / seconds / 1e6),
        Figure::new(
            "% of cells evaluated",
            100.0 * evaluated[0] as f64 / count as f64,
        ),
        Figure::new(
            "times as fast as without skipping",
            plain.median / skipping.median,
        ),
        skipping.repetitions(),
    ]
}

/// Lattice over random order, once both have been measured.
pub fn order_matters<'a>(work: &'a str, speeds: &[(String, f64)]) -> Option<Line<'a>> {
    let lattice = work.strip_suffix(Cells::Random.name())?.to_owned() + Cells::Lattice.name();
    let speed = |name: &str| speeds.iter().find(|(work, _)| work == name).map(|s| s.1);
    let ratio = speed(&lattice)? / speed(work)?;
    Some(Line {
        work,
        figure: "lattice order over random",
        values: [String::new(), short(ratio)],
        goal: Some((ORDER, ORDER.is_met(ratio))),
    })
}
