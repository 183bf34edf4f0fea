//! Keeping a simulation that nobody has kept the books of as a run that can be resumed.

use std::path::{Path, PathBuf};

use super::Journal;
use super::checkpoint;
use super::run_folder::RunFolder;
use crate::simulation::Simulation;

/// Makes a run folder of the state that a simulation is in, and says which: this one, or the first of its name with a number
/// that is free. `tumorscape resume` goes on from there; its tables begin there.
///
/// # Errors
/// When it cannot be written, in words.
pub fn keep_as_run(simulation: &Simulation, folder: &Path) -> Result<PathBuf, String> {
    let folder = RunFolder::create_numbered(folder, simulation).map_err(|e| e.to_string())?;
    let path = folder.path().to_owned();
    let mut journal = Journal::new(simulation, Some(folder));
    journal.note(simulation).map_err(|e| e.to_string())?;
    journal.flush().map_err(|e| e.to_string())?;
    if let Some(books) = journal.state().map_err(|e| e.to_string())? {
        // Written at the end of the resumed run only.
        let run = checkpoint::run_state(simulation, u64::MAX, books)?;
        checkpoint::write(&path, &run, simulation.world()).map_err(|e| e.to_string())?;
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::simulation::Program;

    #[test]
    fn what_is_kept_goes_on_as_it_would_have() {
        let text = r#"(
            title: "T", about: "A", pace: Illustrative, duration: Hours(4), step: Minutes(2), seed: 4,
            sites: [(name: "dish", organ: Breast, size_um: (200, 200, 200), perfusion_length_um: 100, fields: [
                (molecule: "oxygen", level: 38), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1.5),
                (molecule: "vegf_a", level: 0), (molecule: "tgf_beta", level: 0),
            ])],
            populations: [(cell: "cancer", place: Ball(radius_um: 30))],
        )"#;
        let program = Program::default();
        let scene = program.parse_scene(text, "t.ron", None);
        let scene = scene.unwrap_or_else(|report| panic!("{report}"));
        let mut simulation = Simulation::new(Arc::new(scene), 4).expect("it is valid");
        for _ in 0..15 {
            simulation.step();
        }
        let place = tempfile::tempdir().expect("there is room");
        let folders: Vec<PathBuf> = (0..2)
            .map(|_| keep_as_run(&simulation, &place.path().join("kept")).expect("there is room"))
            .collect();
        assert!(folders[0].ends_with("kept") && folders[1].ends_with("kept-2"));
        let (found, _) = checkpoint::open(&folders[0], |trouble| panic!("{trouble}"))
            .unwrap_or_else(|error| panic!("{error}"));
        let (mut again, run) = program
            .resume(found)
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            (again.steps(), again.state_hash()),
            (15, simulation.state_hash())
        );
        let books = Journal::reopen(&again, &folders[0], run.journal);
        assert!(books.is_ok(), "its tables go on");
        for _ in 0..5 {
            simulation.step();
            again.step();
        }
        assert_eq!(again.state_hash(), simulation.state_hash());
    }
}
