//! What the sandbox needs of a simulation.

use std::path::{Path, PathBuf};

use crate::core::parameters::Limits;
use crate::journal::keep_as_run;
use crate::journal::moment::Moment;
use crate::scene::schema::Action;
use crate::simulation::{SideBySide, Simulation, Snapshot, SnapshotRequest};

/// A simulation that can be stepped and changed.
pub trait Engine: Send + 'static {
    /// Its whole state between two steps.
    type Moment: Send + 'static;

    /// Called once by the thread that will step it.
    fn settle_in(&mut self) {}
    /// Takes one step.
    fn step(&mut self);
    /// Changes something between two steps; the reason if that cannot be.
    fn apply(&mut self, action: &Action) -> Result<(), String>;
    /// The tissue as it is, with what is asked for.
    fn snapshot(&mut self, request: &SnapshotRequest) -> Snapshot;
    /// Keeps its state, and says how much memory that takes, bytes; the reason if it cannot be kept.
    fn keep(&self) -> Result<(Self::Moment, usize), String>;
    /// Takes up a state of its own again; the reason if that cannot be.
    fn go_back(&mut self, moment: &Self::Moment) -> Result<(), String>;
    /// Saves its state as a run that can be resumed, in this folder or one with a number, and says where; the reason if that
    /// cannot be.
    fn save_as_run(&self, folder: &Path) -> Result<PathBuf, String> {
        Err(format!("no run can be saved in `{}`", folder.display()))
    }
    /// Tissue time, minutes.
    fn minutes(&self) -> f64;
    /// Length of a step, hours of tissue time.
    fn step_hours(&self) -> f64;
    /// All parameters with their values.
    fn knobs(&self) -> Vec<Knob>;

    /// Tissue time, hours.
    fn hours(&self) -> f64 {
        self.minutes() / 60.0
    }
}

/// A parameter that can be changed while the simulation runs.
pub type Knob = crate::core::parameters::ParameterValue;

impl Engine for Simulation {
    type Moment = Moment;

    fn settle_in(&mut self) {
        self.keep_to_calling_thread();
    }

    fn step(&mut self) {
        Self::step(self);
    }

    fn apply(&mut self, action: &Action) -> Result<(), String> {
        Self::apply(self, action.clone()).map_err(|error| error.to_string())
    }

    fn snapshot(&mut self, request: &SnapshotRequest) -> Snapshot {
        Self::snapshot(self, request)
    }

    fn keep(&self) -> Result<(Moment, usize), String> {
        let moment = Moment::of(self).map_err(|error| error.to_string())?;
        let bytes = moment.bytes();
        Ok((moment, bytes))
    }

    fn go_back(&mut self, moment: &Moment) -> Result<(), String> {
        *self = moment.restore(self)?;
        self.keep_to_calling_thread();
        Ok(())
    }

    fn save_as_run(&self, folder: &Path) -> Result<PathBuf, String> {
        keep_as_run(self, folder)
    }

    fn minutes(&self) -> f64 {
        self.clock().minutes()
    }

    fn step_hours(&self) -> f64 {
        self.clock().step_minutes / 60.0
    }

    fn knobs(&self) -> Vec<Knob> {
        self.parameters()
    }
}

/// Several at once. Parameters are those of the first; what is changed is changed in all.
impl Engine for SideBySide {
    type Moment = Vec<Moment>;

    fn settle_in(&mut self) {
        for simulation in self.simulations_mut() {
            simulation.keep_to_calling_thread();
        }
    }

    fn step(&mut self) {
        Self::step(self);
    }

    fn apply(&mut self, action: &Action) -> Result<(), String> {
        Self::apply(self, action)
    }

    fn snapshot(&mut self, request: &SnapshotRequest) -> Snapshot {
        Self::snapshot(self, request)
    }

    fn keep(&self) -> Result<(Vec<Moment>, usize), String> {
        let moments = self.arms().map(|(_, simulation)| Moment::of(simulation));
        let moments: std::io::Result<Vec<Moment>> = moments.collect();
        let moments = moments.map_err(|error| error.to_string())?;
        let bytes = moments.iter().map(Moment::bytes).sum();
        Ok((moments, bytes))
    }

    fn go_back(&mut self, moments: &Vec<Moment>) -> Result<(), String> {
        let arms = self.arms().zip(moments);
        let restored = arms.map(|((_, simulation), moment)| moment.restore(simulation));
        // All of them or none: arms at different times are no state at all.
        let restored: Vec<Simulation> = restored.collect::<Result<_, _>>()?;
        for (simulation, restored) in self.simulations_mut().zip(restored) {
            *simulation = restored;
        }
        self.settle_in();
        Ok(())
    }

    /// Each as a run of its own; it says where the first is.
    fn save_as_run(&self, folder: &Path) -> Result<PathBuf, String> {
        let mut first = None;
        for (_, simulation) in self.arms() {
            let saved = simulation.save_as_run(folder)?;
            first.get_or_insert(saved);
        }
        first.ok_or_else(|| "there is nothing to be saved".into())
    }

    fn minutes(&self) -> f64 {
        self.first().clock().minutes()
    }

    fn step_hours(&self) -> f64 {
        self.first().step_hours()
    }

    fn knobs(&self) -> Vec<Knob> {
        self.first().parameters()
    }
}

/// The range a slider offers: the limits where they are finite and telling, otherwise from nothing (or the
/// twentieth part) to five times the value at the start.
pub(super) fn slider_range(limits: Limits, initial: f64) -> (f64, f64) {
    /// Limits beyond this are no limits.
    const ENDLESS: f64 = 1e9;
    let reach = if initial == 0.0 {
        1.0
    } else {
        initial.abs() * 5.0
    };
    let high = if limits.max < ENDLESS {
        limits.max
    } else {
        reach
    };
    let low = if limits.min == Limits::POSITIVE.min {
        initial.abs() / 20.0
    } else if limits.min > -ENDLESS {
        limits.min
    } else {
        -reach
    };
    (low, high.max(low))
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::simulation::{CellGlyphs, SiteMetrics, SiteSnapshot};

    /// A simulation of next to nothing: each step of half an hour adds `gain` to a sum.
    pub struct Counter {
        pub steps: u64,
        pub sum: f64,
        pub gain: f64,
        pub step_time: Duration,
        pub break_at: Option<u64>,
        /// How often it can be taken back.
        pub restores: u32,
    }

    impl Default for Counter {
        fn default() -> Self {
            Self {
                steps: 0,
                sum: 0.0,
                gain: 1.0,
                step_time: Duration::ZERO,
                break_at: None,
                restores: u32::MAX,
            }
        }
    }

    pub fn set(path: &str, value: f64) -> Action {
        Action::Set(path.into(), value)
    }

    impl Engine for Counter {
        type Moment = (u64, f64, f64);

        fn keep(&self) -> Result<(Self::Moment, usize), String> {
            Ok(((self.steps, self.sum, self.gain), 24))
        }

        fn go_back(&mut self, moment: &Self::Moment) -> Result<(), String> {
            if self.restores == 0 {
                return Err("the moment is damaged".into());
            }
            self.restores -= 1;
            (self.steps, self.sum, self.gain) = *moment;
            Ok(())
        }

        fn save_as_run(&self, folder: &Path) -> Result<PathBuf, String> {
            Ok(PathBuf::from(format!(
                "{} at step {}",
                folder.display(),
                self.steps
            )))
        }

        fn step(&mut self) {
            std::thread::sleep(self.step_time);
            self.steps += 1;
            if self.break_at == Some(self.steps) {
                std::panic::resume_unwind(Box::new("broken on purpose"));
            }
            self.sum += self.gain;
        }

        fn apply(&mut self, action: &Action) -> Result<(), String> {
            match action {
                Action::Set(path, value) if path == "gain" => {
                    self.gain = *value;
                    Ok(())
                }
                other => Err(format!("no such thing: {other:?}")),
            }
        }

        fn snapshot(&mut self, request: &SnapshotRequest) -> Snapshot {
            let column = |name: &String| (name.clone(), Vec::new());
            let cells = CellGlyphs {
                quantities: request.quantities.iter().map(column).collect(),
                ..CellGlyphs::default()
            };
            Snapshot {
                step: self.steps,
                hours: self.hours(),
                sites: vec![SiteSnapshot {
                    cells,
                    metrics: SiteMetrics {
                        columns: vec![("sum".into(), self.sum)],
                    },
                    ..SiteSnapshot::default()
                }],
                ..Snapshot::default()
            }
        }

        fn minutes(&self) -> f64 {
            self.steps as f64 * 30.0
        }

        fn step_hours(&self) -> f64 {
            0.5
        }

        fn knobs(&self) -> Vec<Knob> {
            vec![Knob {
                path: "gain".into(),
                value: self.gain,
                limits: Limits::NON_NEGATIVE,
                about: "",
            }]
        }
    }

    #[test]
    fn sliders_offer_the_limits_or_a_sensible_stretch_around_the_start() {
        assert_eq!(slider_range(Limits::FRACTION, 0.3), (0.0, 1.0));
        assert_eq!(slider_range(Limits::NON_NEGATIVE, 2.0), (0.0, 10.0));
        assert_eq!(slider_range(Limits::NON_NEGATIVE, 0.0), (0.0, 1.0));
        assert_eq!(slider_range(Limits::POSITIVE, 2.0), (0.1, 10.0));
        assert_eq!(slider_range(Limits::FINITE, -2.0), (-10.0, 10.0));
    }
}
