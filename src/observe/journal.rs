//! Keeps the books of a run: measures when the scene says so, hands rows and events to the run folder and
//! remembers the measurements for the verdict.
//!
//! The journal looks at a simulation between steps and never changes it, so a run with a folder, a run
//! without and a recorded one go through the same states.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::EventKind;
use super::run_folder::{FolderState, RunFolder, RunFolderError};
use crate::core::Clock;
use crate::scene::schema::Expectation;
use crate::scene::{self, Verdict};
use crate::simulation::{Simulation, SiteMetrics};

/// Measurements of all sites at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Tissue time, hours.
    pub hours: f64,
    /// One entry for each site.
    pub sites: Vec<SiteMetrics>,
}

/// The books of a run as a checkpoint stores them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JournalState {
    measurements: Vec<Measurement>,
    event_counts: Vec<(EventKind, u64)>,
    folder: FolderState,
}

/// The books of a run.
pub struct Journal {
    folder: Option<RunFolder>,
    metrics_every: u64,
    cells_at: Vec<u64>,
    /// All measurements so far.
    pub measurements: Vec<Measurement>,
    /// How often each kind of event happened.
    pub event_counts: Vec<(EventKind, u64)>,
}

impl Journal {
    /// Opens the books, before the first step; `folder` is where they are written to, if anywhere.
    pub fn new(simulation: &Simulation, folder: Option<RunFolder>) -> Self {
        let clock = simulation.clock();
        let output = &simulation.scene().scene.output;
        Self {
            folder,
            metrics_every: clock.step_at(output.metrics_every.minutes()).max(1),
            cells_at: output
                .cells_at
                .iter()
                .map(|span| clock.step_at(span.minutes()))
                .collect(),
            measurements: Vec::new(),
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
        let folder = RunFolder::reopen(path, state.folder)?;
        let journal = Self {
            measurements: state.measurements,
            event_counts: state.event_counts,
            ..Self::new(simulation, Some(folder))
        };
        let clock = simulation.clock();
        for step in journal.cells_at.iter().filter(|step| **step > clock.step) {
            if let Some(folder) = &journal.folder {
                folder.forget_cells(
                    Clock {
                        step: *step,
                        ..clock
                    }
                    .hours(),
                )?;
            }
        }
        Ok(journal)
    }

    /// What a checkpoint needs to open them again here. Everything written so far is on the disk then; `None`
    /// without a run folder.
    ///
    /// # Errors
    /// When the run folder cannot be written.
    pub fn state(&mut self) -> Result<Option<JournalState>, RunFolderError> {
        let Some(folder) = &mut self.folder else {
            return Ok(None);
        };
        Ok(Some(JournalState {
            folder: folder.state()?,
            measurements: self.measurements.clone(),
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

    /// Closes the books: measures once more if nothing was measured at this moment.
    ///
    /// # Errors
    /// When the run folder cannot be written.
    pub fn finish(&mut self, simulation: &Simulation) -> Result<(), RunFolderError> {
        self.measure(simulation)?;
        self.flush()
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
                .find(|(kind, _)| *kind == event.kind)
            {
                Some((_, count)) => *count += 1,
                None => self.event_counts.push((event.kind, 1)),
            }
        }
        if let Some(folder) = &mut self.folder {
            folder.write_events(&simulation.clock(), &sites, simulation.events())?;
        }
        if step.is_multiple_of(self.metrics_every) {
            self.measure(simulation)?;
        }
        if let Some(folder) = &self.folder
            && self.cells_at.contains(&step)
        {
            let types: Vec<String> = simulation
                .scene()
                .library
                .types
                .iter()
                .map(|prefab| prefab.name.clone())
                .collect();
            folder.write_cells(simulation.hours(), &sites, &types, &simulation.census())?;
        }
        Ok(())
    }

    /// Measures every site, unless that was done at this moment.
    fn measure(&mut self, simulation: &Simulation) -> Result<(), RunFolderError> {
        let hours = simulation.hours();
        if self
            .measurements
            .last()
            .is_some_and(|row| row.hours >= hours)
        {
            return Ok(());
        }
        let sites = simulation.metrics();
        if let Some(folder) = &mut self.folder {
            folder.write_metrics(hours, &simulation.site_names(), &sites)?;
            folder.flush()?;
        }
        self.measurements.push(Measurement { hours, sites });
        Ok(())
    }

    /// Judges the scene's expectations by what was measured. Where the simulation ends before the scene does,
    /// only what is already decided is judged.
    pub fn judge(&self, simulation: &Simulation) -> Vec<Verdict> {
        let sites = simulation.site_names();
        let rows: Vec<scene::Measurement> = self
            .measurements
            .iter()
            .flat_map(|row| {
                sites
                    .iter()
                    .zip(&row.sites)
                    .map(|(site, metrics)| scene::Measurement {
                        hours: row.hours,
                        site,
                        metrics,
                    })
            })
            .collect();
        let mut scene = simulation.scene().scene.clone();
        if simulation.ends_early() {
            let end = simulation.hours();
            scene.expect.retain(|expectation| match expectation {
                Expectation::Always(_) => true,
                Expectation::At(time, _) => time.hours() <= end,
                _ => false,
            });
        }
        scene::judge(&scene, &rows)
    }

    /// The folder, if there is one.
    pub const fn folder(&self) -> Option<&RunFolder> {
        self.folder.as_ref()
    }
}
