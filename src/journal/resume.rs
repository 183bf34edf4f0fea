//! From a checkpoint back to a simulation.

use super::checkpoint::{Checkpoint, CheckpointError, RunState};
use crate::simulation::{Program, Simulation};

impl Program {
    /// Sets a simulation up as a checkpoint left it.
    ///
    /// # Errors
    /// In words, when the checkpoint does not fit this program.
    pub fn resume(
        &self,
        checkpoint: Checkpoint,
    ) -> Result<(Simulation, RunState), CheckpointError> {
        let run = &checkpoint.run;
        let end_minutes = run.end_minutes;
        let scene = self
            .scene_from_ron(&run.scene_name, &run.scene)
            .map_err(|error| checkpoint.does_not_fit(&error))?;
        let mut simulation =
            Simulation::before_its_cells(scene).map_err(|error| checkpoint.does_not_fit(&error))?;
        let run = simulation.take_state(|world| checkpoint.restore(world))?;
        simulation.set_end(end_minutes);
        Ok((simulation, run))
    }
}

impl Simulation {
    /// Sets a simulation of the program with the shipped plugins up as a checkpoint left it, see [`Program::resume`].
    ///
    /// # Errors
    /// In words, when the checkpoint does not fit this program.
    pub fn resume(checkpoint: Checkpoint) -> Result<(Self, RunState), CheckpointError> {
        Program::default().resume(checkpoint)
    }
}
