//! How long the stages of a step take.
//!
//! Off unless [`measure`] is called on a schedule; then a marker runs between each two sets of
//! [`SimSystems`] and adds the wall time since the last one to [`StageTimes`]. The sets are chained, so
//! nothing of one stage runs while another is measured. This is the only clock on the wall in the step, and
//! nothing of the simulation reads it.

use std::time::Instant;

use bevy::prelude::*;

use super::SimSystems;

/// Wall time spent in each stage so far.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct StageTimes {
    seconds: [f64; SimSystems::ORDER.len()],
    /// When the last stage ended, or the step began.
    last: Option<Instant>,
    is_on: bool,
}

impl StageTimes {
    /// Begins to measure, or begins anew; says whether it did already.
    pub fn restart(&mut self) -> bool {
        let was_on = self.is_on;
        *self = Self {
            is_on: true,
            ..Self::default()
        };
        was_on
    }

    /// Whether anything is measured.
    pub const fn is_on(&self) -> bool {
        self.is_on
    }

    /// Each stage with its wall time, s, in the order in which they run.
    pub fn seconds(&self) -> impl Iterator<Item = (SimSystems, f64)> {
        SimSystems::ORDER.into_iter().zip(self.seconds)
    }

    fn begin(&mut self) {
        self.last = Some(Instant::now());
    }

    fn end(&mut self, stage: usize) {
        let now = Instant::now();
        if let Some(last) = self.last.replace(now) {
            self.seconds[stage] += (now - last).as_secs_f64();
        }
    }
}

/// Adds the markers to a schedule; its world must have [`StageTimes`].
pub fn measure(schedule: &mut Schedule) {
    let stages = SimSystems::ORDER;
    schedule.add_systems((|mut times: ResMut<StageTimes>| times.begin()).before(stages[0]));
    for (index, stage) in stages.into_iter().enumerate() {
        let marker = (move |mut times: ResMut<StageTimes>| times.end(index)).after(stage);
        match stages.get(index + 1) {
            Some(next) => schedule.add_systems(marker.before(*next)),
            None => schedule.add_systems(marker),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::core::SimSchedule;

    #[test]
    fn time_is_booked_for_the_stage_in_which_it_was_spent() {
        let mut schedule = Schedule::new(SimSchedule);
        for pair in SimSystems::ORDER.windows(2) {
            schedule.configure_sets(pair[0].before(pair[1]));
        }
        let sleep = |millis| move || std::thread::sleep(Duration::from_millis(millis));
        schedule.add_systems((
            sleep(30).in_set(SimSystems::Act),
            sleep(60).in_set(SimSystems::Turnover),
        ));
        measure(&mut schedule);
        let mut world = World::new();
        world.init_resource::<StageTimes>();
        schedule.run(&mut world);
        for (stage, seconds) in world.resource::<StageTimes>().seconds() {
            // A sleep is never shorter than asked for, however busy the machine.
            match stage {
                SimSystems::Act => assert!(seconds >= 0.03, "{seconds}"),
                SimSystems::Turnover => assert!(seconds >= 0.06, "{seconds}"),
                _ => {}
            }
        }
    }
}
