//! Goes on from a file beside the simulation that was saved.

use tumorscape::journal::checkpoint;
use tumorscape::simulation::{Program, Simulation};

use super::saving::save;

/// Saves a simulation, resumes it from the file, and lets both make so many steps: nothing tells them apart after any.
pub fn goes_on(whole: &mut Simulation, steps: u32) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let saved = folder.path().join("saved");
    save(whole, &saved);
    let (checkpoint, _) = checkpoint::open(&saved, |_| {}).expect("it is whole");
    let (mut resumed, _) = Program::default()
        .resume(checkpoint)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(resumed.state_hash(), whole.state_hash());
    resumed.verify();
    for step in 0..steps {
        for simulation in [&mut *whole, &mut resumed] {
            simulation.step();
            assert!(
                simulation.violation().is_none(),
                "{:?}",
                simulation.violation()
            );
        }
        assert_eq!(resumed.state_hash(), whole.state_hash(), "{step}");
    }
}
