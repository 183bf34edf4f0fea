//! Dissemination in whole simulations: how long cells last in the blood and where they lodge, what becomes of them, that the books balance, that
//! every metastasis can be traced, and that the bits are the same at any number of threads and across a save.

mod ancestry;
mod blood;
mod cascade;
mod clusters;
mod entry;
mod helped;
mod lymph;
mod rare;
#[path = "../saving/mod.rs"]
mod saving;
mod seen;
mod soil;
#[path = "../threads/mod.rs"]
mod threads;

use std::sync::Arc;

use tumorscape::biology::dissemination::EntryRoute;
use tumorscape::core::parallel::set_threads;
use tumorscape::simulation::{Program, Simulation};

/// A cell that does not die of itself, and fares in the blood and elsewhere as the defaults say; with rules.
fn native(more: &str, rules: &str) -> String {
    format!(
        r#"(
    name: "native", about: "a cell that a tumour sheds", colour: (0.86, 0.47, 0.55), tumour: true,
    body: (volume_um3: 700, nucleus_um3: 200),
    mechanics: (adhesion_um_per_min: 0, friction: 20),
    death: (apoptosis_per_hour: 0, necrosis_onset_mmhg: 0, necrosis_full_mmhg: 0),
    circulation: (), colonisation: (), {more}
    rules: {{
        "nk": (input: "circulation.nk", by: "circulation.in_cluster", law: Fold(-0.875)),
        "shear": (input: "circulation.shear", by: "circulation.in_cluster", law: Fold(-0.875)),
        "anoikis": (input: "circulation.anoikis", by: "circulation.in_cluster", law: Fold(-0.875)),
        "death": (input: "death.apoptosis", by: "colonisation.death", law: Add(1)),
        {rules}
    }},
)"#
    )
}

/// A scene with these sites, cell types, circulation, populations and step.
fn scene(sites: &str, cells: &str, circulation: &str, populations: &str, step: &str) -> String {
    format!(
        r#"(
    title: "the body", about: "cells on their way", pace: Calibrated, duration: Days(400), step: {step}, output: (metrics_every: Days(1)),
    sites: [{sites}], cell_types: [{cells}], body: (circulation: ({circulation})), populations: [{populations}],
)"#
    )
}

/// A dish that is no organ: all organs are compartments.
const NO_ORGAN: &str = r#"(name: "dish", organ: Medium, size_um: (60, 60, 60), fields: [])"#;

/// A simulation of a scene that stands in a text.
fn simulation(text: &str, seed: u64) -> Simulation {
    set_threads(None);
    let scene = Program::default().parse_scene(text, "body.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(scene), seed).expect("its parameters are valid")
}

/// A measurement of the first site.
fn metric(simulation: &Simulation, name: &str) -> f64 {
    let all = simulation.metrics();
    all[0].get(name).unwrap_or_else(|| panic!("no `{name}`"))
}

/// Goes on for so many steps.
fn run(simulation: &mut Simulation, steps: u64) {
    for _ in 0..steps {
        simulation.step();
        assert_eq!(simulation.violation(), None);
    }
}
