//! A fifth of the cells are T cells that walk and kill among the others: what that costs a whole step.

use std::sync::Arc;
use std::time::Instant;

use tumorscape::simulation::{Program, Simulation};

use crate::repeat::repeat;
use crate::{Case, Figure, Goal, RATIO, SPEED_UP};

const SPEED: &str = "steps/s";
const OVER: &str = "time over that without T cells";
const OVER_LONG: &str = "the same with substeps of up to half a radius";

/// A tumour of 8 10^4 cells in tissue with blood, and so many T cells in a mm3 all over it.
fn scene(t_cells: &str, substep_over_radius: f32) -> String {
    format!(
        r#"(
    title: "killers", about: "Many walk and kill.", pace: Calibrated, duration: Days(1), step: Minutes(1),
    sites: [(name: "tissue", organ: Breast, size_um: (1200, 1200, 1200), perfusion_length_um: 100, fields: [
        (molecule: "oxygen", level: 60), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1.5),
        (molecule: "ifn_gamma", level: 0), (molecule: "cxcl9", level: 0),
    ])],
    populations: [(cell: "cancer", place: Ball(radius_um: 516)), {t_cells}],
    parameters: {{"movement.substep_over_radius": {substep_over_radius}}},
    output: (metrics_every: Hours(24)),
)"#
    )
}

pub fn cases() -> Vec<Case> {
    vec![Case {
        work: "scene killers, 2 10^4 T cells among 8 10^4".to_owned(),
        measure: Box::new(measure),
        goals: vec![(OVER, Goal::AtMost(2.0)), (RATIO, SPEED_UP)],
        speed: SPEED,
    }]
}

fn measure(quick: bool) -> Vec<Figure> {
    let with = r#"(cell: "cd8_t_cell", place: Scatter(per_mm3: 11600))"#;
    let mut arms = [("", 0.2), (with, 0.2), (with, 0.5)].map(|(t_cells, substep)| {
        let text = scene(t_cells, substep);
        let parsed = Program::default().parse_scene(&text, "killers.ron", None);
        let parsed = parsed.unwrap_or_else(|report| panic!("{report}"));
        let mut simulation = Simulation::new(Arc::new(parsed), 1).expect("the scene is valid");
        for _ in 0..10 {
            simulation.step();
        }
        simulation
    });
    let pieces = if quick { 3 } else { 9 };
    let [alone, hunted, long] = &mut arms;
    let piece = |arm: &mut Simulation| {
        let start = Instant::now();
        for _ in 0..10 {
            arm.step();
        }
        start.elapsed().as_secs_f64() / 10.0
    };
    // In turns, so that both meet the same machine.
    let (mut ratios, mut of_long) = (Vec::new(), Vec::new());
    let timed = repeat(pieces, || {
        let (alone, hunted, long) = (piece(alone), piece(hunted), piece(long));
        ratios.push(hunted / alone);
        of_long.push(long / alone);
        hunted
    });
    for ratios in [&mut ratios, &mut of_long] {
        ratios.sort_unstable_by(f64::total_cmp);
    }
    vec![
        timed.figure(SPEED, |seconds| 1.0 / seconds),
        Figure::new(OVER, ratios[ratios.len() / 2]),
        Figure::new(OVER_LONG, of_long[of_long.len() / 2]),
        Figure::new("cells", hunted.cell_count() as f64),
        timed.repetitions(),
    ]
}
