//! What can be filmed: a simulation, or the arms of a scene side by side.

use std::ops::ControlFlow;

use super::error::FilmError;
use super::way::CameraWay;
use crate::journal::Journal;
use crate::scene::Stage;
use crate::simulation::{SideBySide, Simulation, Snapshot, SnapshotRequest, drawn_site};
use crate::view::camera::corners_of;

/// What can be filmed: a simulation, or several side by side.
pub trait Filmed {
    /// The simulation whose scene says what is shown.
    fn first(&self) -> &Simulation;
    /// The simulation of that number, from 0 for the first.
    fn simulation(&self, number: usize) -> Option<&Simulation>;
    /// Takes a step.
    fn step(&mut self);
    /// What a picture of this moment needs.
    fn snapshot(&self, request: &SnapshotRequest) -> Snapshot;
    /// Where the sites of its pictures stand.
    fn stage(&self) -> Stage;
    /// The way of the camera; all as in [`CameraWay::of_unless_stopped`].
    ///
    /// # Errors
    /// As there.
    fn way(
        &self,
        picture: (f32, Option<f64>),
        progress: &mut dyn FnMut(&Simulation) -> ControlFlow<()>,
    ) -> Result<CameraWay, FilmError>;
}

impl Filmed for Simulation {
    fn first(&self) -> &Simulation {
        self
    }

    fn simulation(&self, number: usize) -> Option<&Simulation> {
        (number == 0).then_some(self)
    }

    fn step(&mut self) {
        Self::step(self);
    }

    fn snapshot(&self, request: &SnapshotRequest) -> Snapshot {
        Self::snapshot(self, request)
    }

    fn stage(&self) -> Stage {
        Stage::of(&self.scene().scene)
    }

    fn way(
        &self,
        picture: (f32, Option<f64>),
        progress: &mut dyn FnMut(&Simulation) -> ControlFlow<()>,
    ) -> Result<CameraWay, FilmError> {
        let drawn = drawn_site(&Filmed::stage(self));
        CameraWay::of_unless_stopped(self, drawn, picture, progress)
    }
}

impl Filmed for SideBySide {
    fn first(&self) -> &Simulation {
        Self::first(self)
    }

    fn simulation(&self, number: usize) -> Option<&Simulation> {
        self.arms().nth(number).map(|(_, simulation)| simulation)
    }

    fn step(&mut self) {
        Self::step(self);
    }

    fn snapshot(&self, request: &SnapshotRequest) -> Snapshot {
        Self::snapshot(self, request)
    }

    fn stage(&self) -> Stage {
        Self::stage(self).clone()
    }

    fn way(
        &self,
        (shape, _): (f32, Option<f64>),
        _: &mut dyn FnMut(&Simulation) -> ControlFlow<()>,
    ) -> Result<CameraWay, FilmError> {
        Ok(way_around(self, shape))
    }
}

/// The turns of the camera of a scene, around all its arms.
pub fn way_around(arms: &SideBySide, shape: f32) -> CameraWay {
    let first = arms.first();
    let own = drawn_site(&Stage::of(&first.scene().scene));
    let snapshot = arms.snapshot(&SnapshotRequest::default());
    let places = corners_of(&snapshot, drawn_site(arms.stage()), None);
    CameraWay::known_beforehand(first, own, shape).around(&places, shape)
}

/// Notes in the journals what the simulations have come to.
pub(super) fn note(filmed: &impl Filmed, journals: &mut [Journal]) -> Result<(), FilmError> {
    for (number, journal) in journals.iter_mut().enumerate() {
        if let Some(simulation) = filmed.simulation(number) {
            journal.note(simulation)?;
        }
    }
    Ok(())
}
