//! How long the parts of a step take.

use std::collections::BTreeMap;

use bevy::prelude::*;

use super::Simulation;
use crate::core::stages::{self, HasRun, StageTimes};
use crate::core::{SimSchedule, SimSystems};

impl Simulation {
    /// Measures from now on how long the stages of a step take, see [`Simulation::stage_seconds`]. Changes
    /// no result.
    pub fn measure_stages(&mut self) {
        let measured = self.world.resource_mut::<StageTimes>().restart();
        let mut schedules = self.world.resource_mut::<Schedules>();
        if let Some(schedule) = schedules.get_mut(SimSchedule)
            && !measured
        {
            stages::measure(schedule);
        }
    }

    /// Wall time spent in each stage since [`Simulation::measure_stages`], s; empty if that was not called.
    pub fn stage_seconds(&self) -> Vec<(SimSystems, f64)> {
        self.world
            .get_resource::<StageTimes>()
            .filter(|times| times.is_on())
            .map_or_else(Vec::new, |times| times.seconds().collect())
    }

    /// Measures how long the systems of a step take from now on, and from each later call of
    /// [`Simulation::measure_stages`] on anew. Changes no result.
    ///
    /// # Errors
    /// If a step was made already.
    pub fn measure_systems(&mut self) -> Result<(), HasRun> {
        self.measure_stages();
        self.world
            .resource_scope(|world, mut times: Mut<StageTimes>| {
                let mut schedules = world.resource_mut::<Schedules>();
                match schedules.get_mut(SimSchedule) {
                    Some(schedule) => stages::measure_systems(schedule, &mut times),
                    None => Ok(()),
                }
            })
    }

    /// Wall time spent in the systems of each module, as `cell::cycle`, s; empty if they are not measured. Where
    /// systems run at the same time, each counts in full; see [`Simulation::keep_to_calling_thread`].
    pub fn module_seconds(&self) -> BTreeMap<&str, f64> {
        self.world
            .get_resource::<StageTimes>()
            .map_or_else(BTreeMap::new, StageTimes::modules)
    }
}
