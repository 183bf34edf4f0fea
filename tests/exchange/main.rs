//! What passes the walls of drawn vessels: oxygen after Krogh, books of blood and tissue, water and proteins, cells on their way in
//! and out; the same at any number of threads and when a run goes on from a file.

#[path = "../saving/mod.rs"]
mod saving;

mod cells;
mod fluid;
mod krogh;
mod same;
#[path = "../threads/mod.rs"]
mod threads;
mod timing;

use std::sync::Arc;

use bevy::prelude::*;
use tumorscape::biology::vasculature::exchange::BloodExchange;
use tumorscape::simulation::{Program, Simulation};
use tumorscape::tissue::{FieldValues, Molecules, SiteEntry, Sites};

fn begin(scene: &str, seed: u64) -> Simulation {
    let scene = Program::default().parse_scene(scene, "vessel.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(scene), seed).expect("its parameters are valid")
}

fn site(simulation: &Simulation) -> &SiteEntry {
    &simulation.world().resource::<Sites>().list[0]
}

fn field(simulation: &Simulation, molecule: &str) -> Entity {
    let world = simulation.world();
    let id = world.resource::<Molecules>().id(molecule);
    let field = site(simulation).field(id.expect("it is there"));
    field.expect("it is simulated").entity
}

fn values<'a>(simulation: &'a Simulation, molecule: &str) -> &'a [f32] {
    let values = simulation
        .world()
        .get::<FieldValues>(field(simulation, molecule));
    &values.expect("fields have values").0
}

/// What blood has given and what tissue has taken of a molecule, unit um3/min.
fn books(simulation: &Simulation, molecule: &str) -> [f64; 2] {
    let exchange = simulation
        .world()
        .get::<BloodExchange>(field(simulation, molecule))
        .expect("there are vessels");
    let values = values(simulation, molecule);
    let volume = site(simulation).block.voxel_volume_um3();
    [
        exchange.given,
        exchange.taken(volume, |voxel| values[voxel]),
    ]
}
