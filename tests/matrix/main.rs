//! What the matrix does, from outside: pores hold back, fibres lead, MMP digests and sets free, density hinders.

mod changes;
#[path = "../cost/mod.rs"]
mod cost;
#[path = "cost.rs"]
mod costs;
#[path = "../program/mod.rs"]
mod program;
mod rules;
#[path = "../saving/mod.rs"]
mod saving;
mod state;
mod walking;

use std::sync::Arc;

use tumorscape::biology::Matrix;
use tumorscape::cell::{CellType, Position, Resident, Surroundings};
use tumorscape::core::CellId;
use tumorscape::simulation::{Program, Simulation};
use tumorscape::tissue::{FieldValues, Molecules, Sites};

/// A simulation of a scene that is written down here.
fn simulation(text: &str, seed: u64) -> Simulation {
    let scene = Program::default().parse_scene(text, "matrix.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(scene), seed).expect("its parameters are valid")
}

/// A cell as tests look at it.
#[derive(Clone, Copy, Debug)]
struct Seen {
    id: CellId,
    cell_type: u16,
    site: u16,
    at_um: bevy::math::Vec3,
    contacts: u16,
}

/// All cells, by identity.
fn cells(simulation: &Simulation) -> Vec<Seen> {
    let world = simulation.world();
    let mut query = world
        .try_query::<(&CellId, &CellType, &Resident, &Position, &Surroundings)>()
        .expect("there are cells");
    let mut seen: Vec<Seen> = query
        .iter(world)
        .map(|(id, cell_type, resident, position, around)| Seen {
            id: *id,
            cell_type: cell_type.0,
            site: resident.0.0,
            at_um: position.0,
            contacts: around.contacts,
        })
        .collect();
    seen.sort_unstable_by_key(|seen| seen.id);
    seen
}

/// The matrix of a site.
fn matrix(simulation: &Simulation, site: usize) -> &Matrix {
    let world = simulation.world();
    let entity = world.resource::<Sites>().list[site].entity;
    world.get::<Matrix>(entity).expect("the site has a matrix")
}

/// A field of a site.
fn field<'a>(simulation: &'a Simulation, site: usize, molecule: &str) -> &'a [f32] {
    let world = simulation.world();
    let id = world
        .resource::<Molecules>()
        .id(molecule)
        .expect("it is shipped");
    let field = world.resource::<Sites>().list[site]
        .field(id)
        .expect("it is simulated");
    &world
        .get::<FieldValues>(field.entity)
        .expect("it has values")
        .0
}
