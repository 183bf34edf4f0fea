//! Vesicles and niches from outside, in whole simulations: how they walk, where they end, what they ready, and that nothing is lost on the way.

mod blood;
mod books;
mod long;
mod lymph;
mod niche;
#[path = "../saving/mod.rs"]
mod saving;
#[path = "../threads/mod.rs"]
mod threads;
mod walking;

use std::sync::Arc;

use tumorscape::biology::exosome::Packets;
use tumorscape::core::parallel::set_threads;
use tumorscape::simulation::{Program, Simulation};
use tumorscape::tissue::Sites;

/// A simulation of a scene that stands in a text.
fn simulation(text: &str, seed: u64) -> Simulation {
    set_threads(None);
    begin(&Program::default(), text, seed)
}

/// The same in another program.
fn begin(program: &Program, text: &str, seed: u64) -> Simulation {
    let scene = program.parse_scene(text, "exosomes.ron", None);
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

/// The packets of a site.
fn packets(simulation: &Simulation, site: usize) -> &Packets {
    let world = simulation.world();
    let site = world.resource::<Sites>().list[site].entity;
    world.get(site).expect("it has the part")
}

/// Says so where a number is not within a share of what is expected.
fn assert_within(what: &str, found: f64, expected: f64, share: f64) {
    assert!(
        (found / expected - 1.0).abs() <= share,
        "{what}: {found}, expected {expected}"
    );
}
