//! Stroma and switch from outside, in whole simulations: who lets go and leaves, who dies of it, whom fibroblasts draw, and which arrow
//! is for what.

#[path = "../ablation/mod.rs"]
mod ablation;
mod arrows;
mod cost;
mod duct;
mod halo;
mod long;
mod outcomes;
mod polarity;
#[path = "../program/mod.rs"]
mod program;
mod signals;
mod strands;
mod wiring;

use std::sync::Arc;

use tumorscape::core::parallel::set_threads;
use tumorscape::measure::{Census, Wanted};
use tumorscape::simulation::{Program, Simulation};

/// A simulation of a scene that stands in a text.
fn simulation(text: &str, seed: u64) -> Simulation {
    set_threads(None);
    let scene = Program::default().parse_scene(text, "stroma.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(scene), seed).expect("its parameters are valid")
}

/// Steps until that many hours are over.
fn run_to(simulation: &mut Simulation, hours: f64) {
    while simulation.hours() < hours - 1e-6 {
        simulation.step();
    }
}

/// A measurement of the first site.
fn metric(simulation: &Simulation, name: &str) -> f64 {
    let all = simulation.metrics();
    all[0].get(name).unwrap_or_else(|| panic!("no `{name}`"))
}

/// Cells with these quantities and categories.
fn census(simulation: &Simulation, quantities: &[&str], categories: &[&str]) -> Census {
    simulation.census(&Wanted {
        quantities: quantities.iter().map(|name| (*name).to_owned()).collect(),
        categories: categories.iter().map(|name| (*name).to_owned()).collect(),
    })
}
