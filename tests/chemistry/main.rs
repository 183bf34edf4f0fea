//! What cells live on, from outside: scenes with their cells, molecules, sources and media, against figures worked out here or
//! published.

mod burning;
mod dish;
mod dying;
mod levels;
mod output;
#[path = "../saving/mod.rs"]
mod saving;
mod sources;
mod sphere;
mod voxels;

use std::path::Path;
use std::sync::Arc;

use tumorscape::measure::Wanted;
use tumorscape::scene::ParsedScene;
use tumorscape::simulation::{Program, Simulation};

/// Parameters of cancer cells whose phases last for ever, so that nobody divides.
const ARRESTED: &str = "\"cancer.cycle.g0g1_hours\": 1e6, \"cancer.cycle.s_hours\": 1e6, \
                        \"cancer.cycle.g2_hours\": 1e6, \"cancer.cycle.m_hours\": 1e6";

/// A scene from what stands between its outer parentheses, as `run` opens it.
fn scene(text: &str) -> ParsedScene {
    let text = format!("(title: \"a test\", about: \"a test\", pace: Calibrated, {text})");
    let found = Program::default().parse_scene(&text, "test.ron", Some(Path::new("scenes")));
    found.unwrap_or_else(|report| panic!("{report}"))
}

/// The scene, set up.
fn simulation(text: &str) -> Simulation {
    Simulation::new(Arc::new(scene(text)), 1).expect("its parameters are valid")
}

/// A quantity of all cells, in the order of their identity.
fn quantity(simulation: &Simulation, name: &str) -> Vec<f32> {
    let census = simulation.census(&Wanted {
        quantities: vec![name.into()],
        categories: Vec::new(),
    });
    census.quantity(name).expect("it is registered").to_vec()
}

/// A measurement of the first site.
fn metric(simulation: &Simulation, name: &str) -> f64 {
    let metrics = simulation.metrics();
    metrics[0].get(name).expect("there is such a metric")
}

/// Whether a number is another within that share of it.
fn assert_near(what: &str, found: f64, expected: f64, share: f64) {
    assert!(
        (found - expected).abs() <= share * expected.abs(),
        "{what}: {found}, not {expected}"
    );
}
