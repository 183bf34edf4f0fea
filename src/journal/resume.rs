//! From a checkpoint back to a simulation.

use bevy::prelude::Vec3;

use super::checkpoint::{Checkpoint, CheckpointError, RunState};
use crate::scene::{MAX_STEPS, Scene};
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
        if !(0.0..=MAX_STEPS * scene.scene.step.minutes()).contains(&end_minutes) {
            return Err(checkpoint.does_not_fit(&format_args!("it ends at {end_minutes} min")));
        }
        let room = room_for(&scene.scene);
        let mut simulation =
            Simulation::before_its_cells(scene).map_err(|error| checkpoint.does_not_fit(&error))?;
        let path = checkpoint.path().to_owned();
        let run = simulation.take_state(|world| checkpoint.restore(world, room))?;
        if let Some(what) = simulation.first_fault() {
            return Err(CheckpointError::OtherBuild { path, what });
        }
        simulation.set_end(end_minutes);
        Ok((simulation, run))
    }
}

/// Bytes that the fields and tissue of a scene may take in a checkpoint, before it is packed.
pub(super) fn room_for(scene: &Scene) -> u64 {
    /// Numbers of a voxel that are kept, beside those of its molecules.
    const OF_TISSUE: f64 = 64.0;
    /// Bytes of a molecule in a voxel: its value, and what is booked there.
    const OF_MOLECULE: f64 = 64.0;
    let bytes = scene.sites.iter().map(|site| {
        let voxels = Vec3::from(site.size_um) / Vec3::from(site.voxel_um);
        let voxels = f64::from(voxels.x) * f64::from(voxels.y) * f64::from(voxels.z);
        voxels * (OF_TISSUE * 4.0 + OF_MOLECULE * site.fields.len() as f64)
    });
    bytes.sum::<f64>() as u64
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
