//! Saves a simulation as a run does.

use std::path::Path;

use tumorscape::journal::run_folder::RunFolder;
use tumorscape::journal::{Journal, checkpoint};
use tumorscape::simulation::Simulation;

/// Makes a run folder and writes a checkpoint of the simulation into it.
pub fn save(simulation: &Simulation, folder: &Path) {
    let run_folder = RunFolder::create(folder, simulation).expect("writable");
    let state = Journal::new(simulation, Some(run_folder)).state();
    let state = state.expect("writable").expect("there is a folder");
    let run = checkpoint::run_state(simulation, 1, state).expect("a scene can be written");
    checkpoint::write(folder, &run, simulation.world()).expect("writable");
}
