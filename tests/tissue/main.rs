//! Balls of cells as tissue: arrested they stay as they are, and what dies in the middle is followed by the rim. Cells at their
//! usual strengths, walking as shipped, in scenes of a few lines; and cells that walk fast among others.

mod arrested;
mod core;
mod rest;
mod slabs;
mod sorting;
mod walkers;

use std::path::Path;
use std::sync::Arc;

use bevy::math::DVec3;
use tumorscape::cell::{Body, Position, Vital};
use tumorscape::simulation::{Program, Simulation};

/// Nobody enters S, and nobody dies.
const ARRESTED: &str = "\"cancer.cycle.g0g1_hours\": 1e6, \"cancer.death.apoptosis_per_hour\": 0";

/// A cell, from the middle of all of them.
struct Cell {
    from_middle: DVec3,
    volume_um3: f64,
    is_alive: bool,
}

/// A scene from what stands between its outer parentheses, set up.
fn simulation(text: &str) -> Simulation {
    let text = format!("(title: \"a test\", about: \"a test\", pace: Calibrated, {text})");
    let found = Program::default().parse_scene(&text, "test.ron", Some(Path::new("scenes")));
    let scene = found.unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(scene), 1).expect("its parameters are valid")
}

fn live(simulation: &mut Simulation, until_hours: f64) {
    while simulation.hours() < until_hours - 1e-6 {
        simulation.step();
    }
}

fn cells(simulation: &Simulation) -> Vec<Cell> {
    let world = simulation.world();
    let mut query = world
        .try_query::<(&Position, &Body, &Vital)>()
        .expect("there are cells");
    let at = |position: &Position| position.0.as_dvec3();
    let places: Vec<DVec3> = query.iter(world).map(|(place, ..)| at(place)).collect();
    let middle = places.iter().sum::<DVec3>() / places.len() as f64;
    let cells = query.iter(world).map(|(place, body, vital)| Cell {
        from_middle: at(place) - middle,
        volume_um3: f64::from(body.volume_um3()),
        is_alive: vital.is_alive(),
    });
    cells.collect()
}

fn ball_um3(radius_um: f64) -> f64 {
    4.0 / 3.0 * std::f64::consts::PI * radius_um.powi(3)
}

/// Radius of the outermost centres, um: in the mean over directions, of the volume.
fn outermost_um(cells: &[Cell]) -> f64 {
    const DIRECTIONS: usize = 500;
    /// Half the width of what is looked at in a direction, um: a cell is met in each.
    const ASIDE_UM: f64 = 10.0;
    let golden = std::f64::consts::PI * (3.0 - 5.0_f64.sqrt());
    let cubes = (0..DIRECTIONS).map(|number| {
        let z = 1.0 - (2 * number + 1) as f64 / DIRECTIONS as f64;
        let (sin, cos) = (golden * number as f64).sin_cos();
        let along = DVec3::new((1.0 - z * z).sqrt() * cos, (1.0 - z * z).sqrt() * sin, z);
        let farthest = cells.iter().map(|cell| {
            let far = cell.from_middle.dot(along);
            let aside = (cell.from_middle - far * along).length();
            if aside < ASIDE_UM { far } else { 0.0 }
        });
        farthest.fold(0.0, f64::max).powi(3)
    });
    (cubes.sum::<f64>() / DIRECTIONS as f64).cbrt()
}

/// Cells in a um3 of the ball of that radius.
fn density(cells: &[Cell], radius_um: f64) -> f64 {
    let inside = cells
        .iter()
        .filter(|cell| cell.from_middle.length() < radius_um);
    inside.count() as f64 / ball_um3(radius_um)
}
