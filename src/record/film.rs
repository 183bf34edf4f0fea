//! A film of a simulation: steps it, draws a frame whenever tissue time asks for one, hands the frames to
//! an encoder.
//!
//! The frame number alone decides everything: frame `i` of `n` shows tissue time `i / (n - 1)` of the
//! duration, whatever the machine is doing, so the same scene gives the same film.

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use super::sink::{self, FilmFormat, SinkError, Summary};
use super::studio::{Studio, StudioError};
use crate::journal::Journal;
use crate::journal::run_folder::RunFolderError;
use crate::scene::{Look, ParsedScene};
use crate::simulation::{Simulation, Snapshot, SnapshotRequest};
use crate::view::{OverlayContent, ViewCamera, ViewSettings, automatic_pose, pose_between};

/// Seconds of film a caption takes to appear and to vanish.
const CAPTION_FADE_S: f64 = 0.4;

/// What film to make.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmOptions {
    /// Where to; the ending chooses the format.
    pub output: PathBuf,
    /// Width and height, pixels.
    pub size: (u32, u32),
    /// Frames a second.
    pub fps: u32,
    /// Length, seconds.
    pub seconds: f64,
}

impl FilmOptions {
    /// Number of frames.
    pub fn frames(&self) -> u64 {
        ((self.seconds * f64::from(self.fps)).round() as u64).max(1)
    }
}

/// Why there is no film.
#[derive(Debug, Error)]
pub enum FilmError {
    /// The picture could not be drawn.
    #[error(transparent)]
    Studio(#[from] StudioError),
    /// The film could not be encoded or written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The run folder could not be written.
    #[error(transparent)]
    Folder(#[from] RunFolderError),
}

/// A film about to be made: output and drawing are open, nothing is simulated yet.
pub struct Film {
    options: FilmOptions,
    studio: Studio,
    sink: Box<dyn sink::FrameSink>,
}

impl Film {
    /// Opens the output and sets up the drawing.
    ///
    /// # Errors
    /// When the output cannot be written or there is no driver to draw with.
    pub fn open(options: FilmOptions) -> Result<Self, FilmError> {
        let (width, height) = options.size;
        let format = FilmFormat {
            width,
            height,
            frames_per_second: options.fps,
        };
        let sink = sink::open(&options.output, format)?;
        let studio = Studio::new(width, height)?;
        Ok(Self {
            options,
            studio,
            sink,
        })
    }

    /// Name of the device that draws.
    pub fn driver(&self) -> String {
        self.studio.driver()
    }

    /// Simulates and films; `progress` is told the frames done and the simulation.
    ///
    /// # Errors
    /// When drawing, encoding or the run folder fails.
    pub fn shoot(
        mut self,
        simulation: &mut Simulation,
        journal: &mut Journal,
        mut progress: impl FnMut(u64, &Simulation),
    ) -> Result<Summary, FilmError> {
        let frames = self.options.frames();
        let steps = simulation.total_steps();
        let scene = simulation.scene().clone();
        let mut shown: Option<(SnapshotRequest, Arc<Snapshot>)> = None;
        journal.note(simulation)?;
        for frame in 0..frames {
            // A film of one frame shows the end.
            let share = if frames == 1 {
                1.0
            } else {
                frame as f64 / (frames - 1) as f64
            };
            let due = (share * steps as f64).round() as u64;
            while simulation.steps() < due {
                simulation.step();
                journal.note(simulation)?;
                shown = None;
            }
            let hours = share * simulation.clock().step_minutes / 60.0 * steps as f64;
            let look = scene
                .timeline
                .look_at(hours, scene.scene.recording.look.clone());
            let request = SnapshotRequest::of_look(&look);
            let snapshot = match shown {
                Some((of, snapshot)) if of == request => snapshot,
                _ => Arc::new(simulation.snapshot(&request)),
            };
            shown = Some((request, snapshot.clone()));
            let shot = self.compose(&scene, &snapshot, look, hours);
            let pixels =
                self.studio
                    .render(snapshot, &shot.settings, shot.camera, &shot.overlay)?;
            self.sink.push(pixels)?;
            progress(frame + 1, simulation);
        }
        journal.finish(simulation)?;
        Ok(self.sink.finish()?)
    }

    /// What frame shows the tissue at `hours`.
    fn compose(&self, scene: &ParsedScene, snapshot: &Snapshot, look: Look, hours: f64) -> Shot {
        let recording = &scene.scene.recording;
        let site = scene
            .site(recording.site.as_deref())
            .map_or(0, |site| usize::from(site.0));
        let keys = scene.timeline.camera_keys();
        let pose = if keys.is_empty() {
            automatic_pose(snapshot, site, &look)
        } else {
            pose_between(&keys, hours)
        };
        let fade_hours = CAPTION_FADE_S / self.options.seconds * scene.scene.duration.hours();
        Shot {
            settings: ViewSettings {
                site,
                ..ViewSettings::of_look(look)
            },
            camera: pose.into(),
            overlay: OverlayContent {
                title: snapshot.title.clone(),
                caption: scene
                    .timeline
                    .caption_at(hours)
                    .unwrap_or_default()
                    .to_owned(),
                caption_opacity: caption_opacity(scene, hours, fade_hours),
                ..OverlayContent::default()
            },
        }
    }
}

/// How far the caption at `hours` has appeared, or has still to vanish, 0-1: the share of nearby moments,
/// before or after, at which it is the same.
fn caption_opacity(scene: &ParsedScene, hours: f64, fade_hours: f64) -> f32 {
    const MOMENTS: u8 = 12;
    let caption = scene.timeline.caption_at(hours);
    let share = |direction: f64| {
        let same = (1..=MOMENTS)
            .filter(|moment| {
                let then = hours + direction * fade_hours * f64::from(*moment) / f64::from(MOMENTS);
                then >= 0.0 && scene.timeline.caption_at(then) == caption
            })
            .count();
        same as f32 / f32::from(MOMENTS)
    };
    share(-1.0).min(share(1.0))
}

/// One frame, described.
struct Shot {
    settings: ViewSettings,
    camera: ViewCamera,
    overlay: OverlayContent,
}
