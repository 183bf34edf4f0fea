//! Killers from outside, in whole simulations: how many cells they kill, whom they find, that the books balance, and that the bits are
//! the same at any number of threads and across a save.

mod books;
mod cost;
mod entering;
mod hits;
mod natural_killers;
mod parted;
mod patrol;
mod pinned;
#[path = "../saving/mod.rs"]
mod saving;
#[path = "../threads/mod.rs"]
mod threads;
mod walking;

use std::sync::Arc;

use tumorscape::core::parallel::set_threads;
use tumorscape::simulation::{Program, Simulation};

/// Cancer cells that only live until they are killed, T cells that meet no antigen enough to tire, and natural killer cells.
const CELLS: &str = r#"
    (
        name: "cancer", about: "a target that neither grows nor dies of itself", colour: (0.86, 0.47, 0.55), tumour: true,
        body: (volume_um3: 2494, nucleus_um3: 540, fluid_fraction: 0.75),
        death: (apoptosis_per_hour: 0, apoptosis_hours: 8.6, necrosis_onset_mmhg: 0, necrosis_full_mmhg: 0),
        motility: (speed_um_per_min: 0.1, persistence_min: 15),
        target: (),
    ),
    (
        name: "t_cell", about: "a T cell that does not tire", colour: (0.34, 0.71, 0.91),
        body: (volume_um3: 268, nucleus_um3: 134),
        mechanics: (adhesion_um_per_min: 0, e_cadherin: 0, n_cadherin: 0, repulsion_um_per_min: 0.5, friction: 0.3),
        death: (apoptosis_per_hour: 0, necrosis_onset_mmhg: 0, necrosis_full_mmhg: 0),
        motility: (speed_um_per_min: 8, persistence_min: 4),
        cytotoxic: (exhaustion_per_day: 0),
        rules: { "stops": (input: "motility.speed", by: "killer.engaged", law: Fold(-1)) },
    ),
"#;

/// A simulation of a scene that stands in a text.
fn simulation(text: &str, seed: u64) -> Simulation {
    set_threads(None);
    let scene = Program::default().parse_scene(text, "immunity.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(scene), seed).expect("its parameters are valid")
}

/// A measurement of a site.
fn metric(simulation: &Simulation, site: usize, name: &str) -> f64 {
    let all = simulation.metrics();
    all[site].get(name).unwrap_or_else(|| panic!("no `{name}`"))
}
