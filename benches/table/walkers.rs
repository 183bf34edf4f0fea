//! Few cells that walk fast among many that do not: what their hurry costs all.

use std::sync::Arc;
use std::time::Instant;

use tumorscape::simulation::{Program, Simulation};

use crate::repeat::repeat;
use crate::{Case, Figure, Goal, RATIO, SPEED_UP};

const SPEED: &str = "steps/s";
const OVER: &str = "time over that of standing ones";

/// A tumour of 10^4 cells, and 500 of the size of lymphocytes that walk at this speed, um/min.
fn scene(speed: f32) -> String {
    format!(
        r#"(
    title: "walkers", about: "Few walk fast.", pace: Illustrative, duration: Days(1), step: Minutes(1),
    sites: [(name: "tissue", organ: Medium, size_um: (460, 460, 460), fields: [(molecule: "oxygen", level: 100)])],
    cell_types: [(
        name: "walker", about: "It walks.", colour: (1, 1, 1),
        body: (volume_um3: 1000, nucleus_um3: 300), death: (apoptosis_per_hour: 0),
        motility: (speed_um_per_min: {speed}, persistence_min: 5),
    )],
    populations: [
        (cell: "cancer", place: Ball(radius_um: 223)),
        (cell: "walker", place: Scatter(per_mm3: 5140)),
    ],
    output: (metrics_every: Hours(24)),
)"#
    )
}

pub fn cases() -> Vec<Case> {
    vec![Case {
        work: "scene walkers, 500 of 10^4 at 10 um/min".to_owned(),
        measure: Box::new(measure),
        goals: vec![(OVER, Goal::AtMost(1.5)), (RATIO, SPEED_UP)],
        speed: SPEED,
    }]
}

fn measure(quick: bool) -> Vec<Figure> {
    let mut arms = [0.0, 10.0].map(|speed| {
        let parsed = Program::default().parse_scene(&scene(speed), "walkers.ron", None);
        let parsed = parsed.unwrap_or_else(|report| panic!("{report}"));
        let mut simulation = Simulation::new(Arc::new(parsed), 1).expect("the scene is valid");
        for _ in 0..10 {
            simulation.step();
        }
        simulation
    });
    let pieces = if quick { 3 } else { 12 };
    let [still, walking] = &mut arms;
    let piece = |arm: &mut Simulation| {
        let start = Instant::now();
        for _ in 0..10 {
            arm.step();
        }
        start.elapsed().as_secs_f64() / 10.0
    };
    // In turns, so that both meet the same machine.
    let mut ratios = Vec::new();
    let timed = repeat(pieces, || {
        let (still, walking) = (piece(still), piece(walking));
        ratios.push(walking / still);
        walking
    });
    ratios.sort_unstable_by(f64::total_cmp);
    vec![
        timed.figure(SPEED, |seconds| 1.0 / seconds),
        Figure::new(OVER, ratios[ratios.len() / 2]),
        Figure::new("cells", walking.cell_count() as f64),
        timed.repetitions(),
    ]
}
