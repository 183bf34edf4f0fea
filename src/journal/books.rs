//! Keeps the books of a run: measures when the scene says so, hands rows and events to the run folder and
//! follows the scene's expectations. What it remembers itself does not grow with the run.
//!
//! The journal looks at a simulation between steps and never changes it, so a run with a folder, a run
//! without and a recorded one go through the same states.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::run_folder::{FolderState, RunFolder, RunFolderError};
use crate::core::Clock;
use crate::scene::schema::Span;
use crate::scene::{Judge, Measurement, Verdict};
use crate::simulation::{Simulation, SiteMetrics};

/// The books of a run as a checkpoint stores them: the rows are in the files, whose lengths and checksums
/// stand for them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JournalState {
    last_hours: Option<f64>,
    judge: Judge,
    event_counts: Vec<(String, u64)>,
    folder: FolderState,
}

/// Whether what is done every so many minutes is due at this moment: the first step, and each that starts at or after a
/// multiple of them which the one before did not reach.
fn is_due(clock: Clock, every_minutes: f64) -> bool {
    let reached = |step: u64| (Clock { step, ..clock }.minutes() / every_minutes + 1e-9).floor();
    clock.step == 0 || reached(clock.step) > reached(clock.step - 1)
}

/// The books of a run.
pub struct Journal {
    folder: Option<RunFolder>,
    /// Time between two measurements, minutes.
    metrics_every: f64,
    cells_at: Vec<u64>,
    fields_at: Vec<u64>,
    /// Tissue time of the last measurement, hours.
    last_hours: Option<f64>,
    /// The last measurement, one entry for each site; empty before the first one made by this process.
    pub last: Vec<SiteMetrics>,
    judge: Judge,
    /// How often each kind of event happened.
    pub event_counts: Vec<(String, u64)>,
}

impl Journal {
    /// Opens the books, before the first step; `folder` is where they are written to, if anywhere.
    pub fn new(simulation: &Simulation, folder: Option<RunFolder>) -> Self {
        let clock = simulation.clock();
        let output = &simulation.scene().scene.output;
        let steps_of = |spans: &[Span]| {
            let steps = spans.iter().map(|span| clock.step_at(span.minutes()));
            steps.collect()
        };
        Self {
            folder,
            metrics_every: output.metrics_every.minutes(),
            cells_at: steps_of(&output.cells_at),
            fields_at: steps_of(&output.fields_at),
            last_hours: None,
            last: Vec::new(),
            judge: Judge::of(&simulation.scene().scene),
            event_counts: Vec::new(),
        }
    }

    /// Opens the books where a checkpoint left them.
    ///
    /// # Errors
    /// When the run folder does not hold what it held then, or cannot be written.
    pub fn reopen(
        simulation: &Simulation,
        path: &Path,
        state: JournalState,
    ) -> Result<Self, RunFolderError> {
        let folder = RunFolder::reopen(path, simulation, state.folder)?;
        let journal = Self {
            last_hours: state.last_hours,
            judge: state.judge,
            event_counts: state.event_counts,
            ..Self::new(simulation, Some(folder))
        };
        let clock = simulation.clock();
        let is_to_come = |step: &&u64| **step > clock.step;
        let hours_at = |step: u64| Clock { step, ..clock }.hours();
        if let Some(folder) = &journal.folder {
            for step in journal.cells_at.iter().filter(is_to_come) {
                folder.forget_cells(hours_at(*step))?;
            }
            for step in journal.fields_at.iter().filter(is_to_come) {
                folder.forget_fields(hours_at(*step), simulation)?;
            }
        }
        Ok(journal)
    }

    /// What a checkpoint needs to open them again here. Everything written so far is on the disk then; `None`
    /// without a run folder.
    ///
    /// # Errors
    /// When the run folder cannot be written, or is not what was written there.
    pub fn state(&mut self) -> Result<Option<JournalState>, RunFolderError> {
        let Some(folder) = &mut self.folder else {
            return Ok(None);
        };
        Ok(Some(JournalState {
            folder: folder.state()?,
            last_hours: self.last_hours,
            judge: self.judge.clone(),
            event_counts: self.event_counts.clone(),
        }))
    }

    /// Hands what was booked to the operating system.
    ///
    /// # Errors
    /// When the run folder cannot be written.
    pub fn flush(&mut self) -> Result<(), RunFolderError> {
        self.folder.as_mut().map_or(Ok(()), RunFolder::flush)
    }

    /// Closes the books: measures once more if nothing was measured at this moment, and lets modules write their files.
    ///
    /// # Errors
    /// When the run folder cannot be written, or is not what was written there.
    pub fn finish(&mut self, simulation: &Simulation) -> Result<(), RunFolderError> {
        self.measure(simulation)?;
        let Some(folder) = &mut self.folder else {
            return Ok(());
        };
        folder.write_files_of_modules(simulation)?;
        folder.close()
    }

    /// Books what there is to book at this moment: after a step, or before the first.
    ///
    /// # Errors
    /// When the run folder cannot be written.
    pub fn note(&mut self, simulation: &Simulation) -> Result<(), RunFolderError> {
        let step = simulation.steps();
        let sites = simulation.site_names();
        for event in simulation.events() {
            match self
                .event_counts
                .iter_mut()
                .find(|(kind, _)| kind == event.kind.name())
            {
                Some((_, count)) => *count += 1,
                None => self.event_counts.push((event.kind.name().into(), 1)),
            }
        }
        if let Some(folder) = &mut self.folder {
            folder.write_events(&simulation.clock(), &sites, simulation.events())?;
        }
        if is_due(simulation.clock(), self.metrics_every) {
            self.measure(simulation)?;
        }
        if let Some(folder) = &self.folder
            && self.cells_at.contains(&step)
        {
            folder.write_cells(simulation)?;
        }
        if let Some(folder) = &self.folder
            && self.fields_at.contains(&step)
        {
            folder.write_fields(simulation)?;
        }
        Ok(())
    }

    /// Measures every site, unless that was done at this moment.
    fn measure(&mut self, simulation: &Simulation) -> Result<(), RunFolderError> {
        let hours = simulation.hours();
        let done = self.last_hours.is_some_and(|last| last >= hours);
        if done && !self.last.is_empty() {
            return Ok(());
        }
        self.last = simulation.metrics();
        if done {
            return Ok(());
        }
        self.last_hours = Some(hours);
        let sites = simulation.site_names();
        if let Some(folder) = &mut self.folder {
            folder.write_metrics(hours, &sites, &self.last)?;
            folder.write_clones(simulation)?;
            folder.flush()?;
        }
        for (site, metrics) in sites.into_iter().zip(&self.last) {
            let row = Measurement {
                hours,
                site,
                metrics,
            };
            self.judge.see(&simulation.scene().scene, row);
        }
        Ok(())
    }

    /// Judges the scene's expectations by what was measured. Where the simulation ends before the scene does,
    /// only what is already decided is judged.
    pub fn judge(&self, simulation: &Simulation) -> Vec<Verdict> {
        let stopped = simulation.is_short_of_end().then(|| simulation.hours());
        self.judge.verdicts(&simulation.scene().scene, stopped)
    }

    /// The run folder, if there is one.
    pub const fn folder(&self) -> Option<&RunFolder> {
        self.folder.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_every_so_often_keeps_to_its_multiples() {
        let due = |step_minutes: f64, every: f64| -> Vec<f64> {
            let clocks = (0..=12).map(|step| Clock { step, step_minutes });
            let due = clocks.filter(|clock| is_due(*clock, every));
            due.map(|clock| clock.minutes()).collect()
        };
        // The first multiple of 25 min at or after 0, 30, 60, 90... min.
        let expected = [
            0.0, 50.0, 75.0, 100.0, 125.0, 150.0, 200.0, 225.0, 250.0, 275.0, 300.0,
        ];
        assert_eq!(due(25.0, 30.0), expected);
        assert_eq!(due(1.0, 3.0), [0.0, 3.0, 6.0, 9.0, 12.0]);
        // A tenth has no exact binary form, and nothing is lost or doubled by it.
        assert_eq!(due(0.1, 0.3).len(), 5);
    }
}
