//! Tissue time and the order of a step.
//!
//! One run of [`SimSchedule`] is one step of [`Clock::step_minutes`] of tissue time. The sets of
//! [`SimSystems`] run one after the other; inside a set, systems that touch different data run side by
//! side on Bevy's multi-threaded executor. No wall clock enters.

use bevy::ecs::schedule::ScheduleLabel;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::state::WhollyKept;
use super::units::MINUTES_PER_HOUR;

/// The schedule of one step.
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SimSchedule;

/// The chained stages of a step.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SimSystems {
    /// Scripted events and commands change parameters, add cells.
    Timeline,
    /// Cells learn what surrounds them: neighbours, contacts, pressure, field values.
    Perceive,
    /// Rules work out what quantities make of inputs, as the last step left them.
    Regulate,
    /// Each system updates its own component from what was perceived.
    Signal,
    /// Cells act on their surroundings and on themselves: uptake, secretion, cycle and death decisions.
    Act,
    /// Motility and mechanics, in substeps.
    Move,
    /// Molecules diffuse, react, are exchanged with cells.
    Transport,
    /// The one place where cells are born and removed.
    Turnover,
    /// Measurements, events, end of the step: the clock advances last.
    Observe,
}

impl SimSystems {
    /// The stages, in the order in which they run.
    pub const ORDER: [Self; 9] = [
        Self::Timeline,
        Self::Perceive,
        Self::Regulate,
        Self::Signal,
        Self::Act,
        Self::Move,
        Self::Transport,
        Self::Turnover,
        Self::Observe,
    ];
}

/// Tissue time.
///
/// Time is `steps x step_minutes`, never a running sum, so it carries no rounding error.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Clock {
    /// Steps completed.
    pub step: u64,
    /// Length of a step, minutes of tissue time.
    pub step_minutes: f64,
}

impl WhollyKept for Clock {}

/// Share of a step by which a number of steps may be off for its rounding.
const ROUNDING: f64 = 1e-9;

impl Clock {
    /// A clock at time zero.
    pub const fn new(step_minutes: f64) -> Self {
        Self {
            step: 0,
            step_minutes,
        }
    }

    /// Tissue time at the start of the running step, minutes.
    pub const fn minutes(&self) -> f64 {
        self.step as f64 * self.step_minutes
    }

    /// Tissue time at the start of the running step, hours.
    pub const fn hours(&self) -> f64 {
        self.minutes() / MINUTES_PER_HOUR
    }

    /// Length of a step, minutes, as the systems use it.
    pub const fn dt_minutes(&self) -> f32 {
        self.step_minutes as f32
    }

    /// Length of a step, hours, as the systems use it.
    pub const fn dt_hours(&self) -> f32 {
        (self.step_minutes / MINUTES_PER_HOUR) as f32
    }

    /// Steps that fit in `minutes`, at least one: after how many steps comes the turn of what goes on that often.
    pub fn steps_in(&self, minutes: f64) -> u64 {
        ((minutes / self.step_minutes + ROUNDING) as u64).max(1)
    }

    /// Whether it is the turn, in the running step, of what goes on every so many minutes.
    pub fn is_turn(&self, every_minutes: f64) -> bool {
        self.step.is_multiple_of(self.steps_in(every_minutes))
    }

    /// Tissue time between two turns of what goes on every so many minutes, h.
    pub fn turn_hours(&self, every_minutes: f64) -> f32 {
        self.dt_hours() * self.steps_in(every_minutes) as f32
    }

    /// The first step that starts at or after `minutes`.
    pub fn step_at(&self, minutes: f64) -> u64 {
        (minutes / self.step_minutes - ROUNDING).ceil().max(0.0) as u64
    }
}
