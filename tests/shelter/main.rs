//! The cells that shelter a tumour, from outside, in whole simulations: what each arrow between them and killers does, who is called and
//! who leaves, whom the dead feed, and how killers are primed.

#[path = "../ablation/mod.rs"]
mod ablation;
mod bridging;
mod digestion;
mod eating;
mod fewer;
mod paradox;
mod pinned;
mod presenting;
mod priming;
#[path = "../program/mod.rs"]
mod program;
mod streaming;
mod wiring;

use std::sync::Arc;

use tumorscape::core::CellId;
use tumorscape::core::parallel::set_threads;
use tumorscape::measure::Wanted;
use tumorscape::simulation::{Program, Simulation};

/// A simulation of a scene that stands in a text.
fn simulation(text: &str, seed: u64) -> Simulation {
    set_threads(None);
    let scene = Program::default().parse_scene(text, "shelter.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(scene), seed).expect("its parameters are valid")
}

/// Steps until that many hours are over.
fn run_to(simulation: &mut Simulation, hours: f64) {
    while simulation.hours() < hours - 1e-6 {
        simulation.step();
    }
}

/// A measurement of a site.
fn metric(simulation: &Simulation, site: usize, name: &str) -> f64 {
    let all = simulation.metrics();
    all[site].get(name).unwrap_or_else(|| panic!("no `{name}`"))
}

/// A quantity of each cell that has it, in the order of identity.
fn values(simulation: &Simulation, name: &str) -> Vec<(CellId, f32)> {
    let census = simulation.census(&Wanted {
        quantities: vec![name.to_owned()],
        categories: Vec::new(),
    });
    let ids = census.ids.iter().copied();
    let all = ids.zip(census.quantities[0].1.iter().copied());
    all.filter(|(_, value)| !value.is_nan()).collect()
}
