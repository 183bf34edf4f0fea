//! Therapy from the outside: drugs in blood and tissue against closed forms and published levels, what they do to cells counted on cells, books that
//! balance, mistakes that are told, the same bits at any number of threads and when a run goes on from a file.

#[path = "../saving/going_on.rs"]
mod going_on;
#[path = "../saving/mod.rs"]
mod saving;
#[path = "../threads/mod.rs"]
mod threads;

mod blood;
mod cells;
mod mistakes;
mod same;
mod targets;
mod tissue;

use std::sync::Arc;

use tumorscape::biology::therapy::Drug;
use tumorscape::core::dialect::dialect;
use tumorscape::scene::shipped_drugs;
use tumorscape::simulation::{Program, Simulation};
use tumorscape::tissue::{FieldValues, Molecules, Sites};

fn begin(scene: &str, seed: u64) -> Simulation {
    let scene = Program::default().parse_scene(scene, "therapy.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(scene), seed).expect("its parameters are valid")
}

/// Runs on by a time, minutes, each step verified.
fn run(simulation: &mut Simulation, minutes: f64) {
    simulation.verify();
    let end = simulation.clock().minutes() + minutes - 1e-6;
    while simulation.clock().minutes() < end {
        simulation.step();
        if let Some(violation) = simulation.violation() {
            panic!("{violation}");
        }
    }
}

/// Values of the field of a molecule in a site.
fn values<'a>(simulation: &'a Simulation, site: usize, molecule: &str) -> &'a [f32] {
    let world = simulation.world();
    let id = world
        .resource::<Molecules>()
        .id(molecule)
        .expect("it is there");
    let field = world.resource::<Sites>().list[site].field(id);
    let entity = field.expect("it is simulated").entity;
    &world
        .get::<FieldValues>(entity)
        .expect("fields have values")
        .0
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64
}

/// A shipped drug.
fn shipped(name: &str) -> Drug {
    let drugs = shipped_drugs().unwrap_or_else(|report| panic!("{report}"));
    let found = drugs.into_iter().find(|drug| drug.name == name);
    found.unwrap_or_else(|| panic!("`{name}` is shipped"))
}

/// How a drug goes through a body of a kg and a mL that never loses it: its level stays, in ug/mL as many as the mg that were given, times 1000.
const STAYS: &str = "(weight_kg: 1, central_ml: 1, clearance_ml_per_day: 0, intravenous: ())";

/// A shipped drug whose level in blood stays, with another change, as a scene has it among its `drugs`.
fn kept(name: &str, change: impl FnOnce(&mut Drug)) -> String {
    let options = dialect();
    let mut drug = shipped(name);
    drug.mouse = Some(options.from_str(STAYS).expect("it is well written"));
    drug.human = None;
    change(&mut drug);
    options.to_string(&drug).expect("it can be written")
}

/// The dose, mg, that makes a level of so many nM of a drug in a body of a mL.
fn mg(drug: &Drug, nm: f64) -> f64 {
    nm / drug.nm(1.0) / 1000.0
}
