//! Keeps the books of a run: measures when the scene says so, hands rows and events to the run folder and
//! remembers the measurements for the verdict.
//!
//! The journal looks at a simulation between steps and never changes it, so a run with a folder, a run
//! without and a recorded one go through the same states.

use super::run_folder::{RunFolder, RunFolderError};
use super::{Census, EventKind};
use crate::scene::schema::Expectation;
use crate::scene::{self, Verdict};
use crate::simulation::{Simulation, SiteMetrics};

/// Measurements of all sites at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Tissue time, hours.
    pub hours: f64,
    /// One entry for each site.
    pub sites: Vec<SiteMetrics>,
}

/// The books of a run.
pub struct Journal {
    folder: Option<RunFolder>,
    metrics_every: u64,
    cells_at: Vec<u64>,
    census: Census,
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
            census: Census::default(),
            measurements: Vec::new(),
            event_counts: Vec::new(),
        }
    }

    /// Books what there is to book at this moment: after a step, or before the first; `last` forces a
    /// measurement.
    ///
    /// # Errors
    /// When the run folder cannot be written.
    pub fn note(&mut self, simulation: &Simulation, last: bool) -> Result<(), RunFolderError> {
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
        let measure = step.is_multiple_of(self.metrics_every) || last;
        let list_cells = self.folder.is_some() && self.cells_at.contains(&step);
        if !(measure || list_cells) {
            return Ok(());
        }
        self.census.retake(simulation.world());
        if measure
            && self
                .measurements
                .last()
                .is_none_or(|row| row.hours < simulation.hours())
        {
            let metrics = simulation.metrics(&self.census);
            if let Some(folder) = &mut self.folder {
                folder.write_metrics(simulation.hours(), &sites, &metrics)?;
                folder.flush()?;
            }
            self.measurements.push(Measurement {
                hours: simulation.hours(),
                sites: metrics,
            });
        }
        if let (true, Some(folder)) = (list_cells, &self.folder) {
            let types: Vec<String> = simulation
                .scene()
                .library
                .types
                .iter()
                .map(|prefab| prefab.name.clone())
                .collect();
            folder.write_cells(simulation.hours(), &sites, &types, &self.census)?;
        }
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
