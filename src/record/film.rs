//! A film of a simulation: steps it, draws a frame whenever tissue time asks for one, hands the frames to
//! an encoder.
//!
//! The frame number alone decides everything: frame `i` of `n` shows tissue time `i / (n - 1)` of the
//! duration, whatever the machine is doing, so the same scene gives the same film.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

use super::filmed::{Filmed, note};
use super::sink::{self, FilmFormat, SinkError, Summary};
use super::studio::{Studio, StudioError};
use super::twin::{self, Halves};
use super::way::CameraWay;
use crate::journal::Journal;
use crate::journal::run_folder::RunFolderError;
use crate::scene::{Look, ParsedScene, Stage, Style};
use crate::simulation::{Catalogue, Simulation, Snapshot, SnapshotRequest, drawn_site};
use crate::view::camera::pose_for_shape;
use crate::view::history::History;
use crate::view::overlay::{Pointer, pace_text};
use crate::view::plot::Plot;
use crate::view::{OverlayContent, ViewCamera, ViewSettings};

/// Seconds of film a caption takes to appear and to vanish.
const CAPTION_FADE_S: f64 = 0.4;
/// Seconds of film in which one look goes over into the next.
const LOOK_FADE_S: f64 = 0.8;

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
    /// One picture, of this tissue time in hours, as it stands in the film, instead of all of it.
    pub still_hours: Option<f64>,
    /// How everything is drawn, whatever the scene says; as it says where `None`.
    pub style: Option<Style>,
    /// Whether it may take the place of a film that is there.
    pub may_replace: bool,
}

impl FilmOptions {
    /// Number of frames.
    pub fn frames(&self) -> u64 {
        if self.still_hours.is_some() {
            return 1;
        }
        ((self.seconds * f64::from(self.fps)).round() as u64).max(1)
    }

    /// Whether each frame is looked at by itself: a caption then is there or not, never half of it.
    fn is_of_stills(&self) -> bool {
        let ending = self.output.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| ending.eq_ignore_ascii_case("png")) || self.frames() == 1
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
    /// The camera looks at an event that does not happen, or a label points at it.
    #[error(
        "the camera or a label looks at event {nth} of the kind `{kind}`, but in this run there {} of it",
        if *.seen == 1 { "is only 1".to_owned() } else { format!("are only {}", .seen) }
    )]
    NoSuchEvent {
        /// Its kind.
        kind: String,
        /// Which of them is looked at.
        nth: u32,
        /// How many there are.
        seen: u32,
    },
    /// The camera follows a cell that is not there.
    #[error("the camera looks at cell {id} at {hours:.2} h, but in this run it is not there then")]
    NoSuchCell {
        /// Its identity.
        id: u64,
        /// When it was looked for.
        hours: f64,
    },
    /// It was asked to end before there was a frame.
    #[error("the film was broken off before its first frame, and is not there")]
    BrokenOff,
    /// The run before the film could not be set up.
    #[error("cannot rehearse the film: {0}")]
    Rehearsal(String),
    /// The arm beside the scene could not go on from where that is.
    #[error("cannot film the arm beside the scene: {0}")]
    Twin(String),
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
        sink::check_place(&options.output, options.frames(), options.may_replace)?;
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

    /// Simulates and films; `journals` are those of the simulations, in their order, and `progress` is told the frames drawn or begun
    /// and the (first) simulation, and says whether to go on. A film that is broken off ends with the frame that was drawn last;
    /// one of no frame is not there.
    ///
    /// While a frame is drawn and encoded the simulation goes on to the next one: a frame needs nothing but its snapshot.
    ///
    /// # Errors
    /// When drawing, encoding or the run folder fails, or it is broken off before its first frame.
    pub fn shoot(
        mut self,
        filmed: &mut (impl Filmed + Send),
        journals: &mut [Journal],
        mut progress: impl FnMut(u64, &Simulation) -> ControlFlow<()> + Send,
    ) -> Result<Summary, FilmError> {
        let frames = self.options.frames();
        let size = self.options.size;
        let shape = size.0 as f32 / size.1 as f32;
        let way = filmed.way((shape, self.options.still_hours), &mut |rehearsal| {
            progress(0, rehearsal)
        })?;
        let first = filmed.first();
        let steps = first.total_steps();
        let whole_hours = first.clock().step_minutes / 60.0 * steps as f64;
        let scene = first.scene().clone();
        let drawn = drawn_site(&Stage::of(&scene.scene));
        let plan = Plan {
            hours_per_second: whole_hours / self.options.seconds,
            shape,
            style: self.options.style,
            is_of_stills: self.options.is_of_stills(),
            way_of_halves: CameraWay::known_beforehand(first, drawn, 0.5 * shape),
            scene,
            stage: filmed.stage(),
            way,
        };
        let still_hours = self.options.still_hours;
        let share_of = |frame: u64| match still_hours {
            Some(hours) if whole_hours > 0.0 => (hours / whole_hours).clamp(0.0, 1.0),
            // A film of one frame shows the end.
            _ if frames == 1 => 1.0,
            _ => frame as f64 / (frames - 1) as f64,
        };
        let due = |frame: u64| (share_of(frame) * steps as f64).round() as u64;
        let mut seen = Seen::of(plan.stage.places_um.len());
        note(filmed, journals)?;
        let mut ahead = SteppedAhead {
            // Of arms that are side by side each is there already.
            is_alone: filmed.simulation(1).is_none(),
            filmed,
            journals,
            twin: None,
            is_in_vain: Arc::default(),
            progress,
        };
        if ahead.go_on(due(0), 0)?.is_break() {
            return Err(FilmError::BrokenOff);
        }
        let mut halves: Option<Halves> = None;
        for frame in 0..frames {
            let hours = share_of(frame) * whole_hours;
            let snapshot = plan.see(&mut seen, &*ahead.filmed, hours);
            let right = match &ahead.twin {
                Some(twin) => {
                    let halves = match &mut halves {
                        Some(halves) => halves,
                        // Until the last frame both were the same.
                        none => none.insert(Halves::of(&seen, size)?),
                    };
                    Some(plan.see(halves.seen(), twin, hours))
                }
                None => None,
            };
            // What covers the picture covers all of it.
            let beside = halves.as_mut().zip(right);
            let beside = beside.filter(|_| !plan.scene.timeline.is_covered(hours));
            let until = due((frame + 1).min(frames - 1));
            let (studio, sink) = (&mut self.studio, &mut self.sink);
            let (ahead, seen) = (&mut ahead, &seen);
            let draw = || {
                let mut joined;
                let pixels = match beside {
                    Some((halves, right)) => {
                        joined = halves.draw(&plan, (seen, &snapshot), &right, hours)?;
                        joined.as_mut_slice()
                    }
                    None => plan.draw(studio, (seen, 0.0), &snapshot, (hours, Part::Whole))?,
                };
                sink.push(pixels)?;
                Ok::<(), FilmError>(())
            };
            // Both share a pool of threads, and may take over tasks of each other: neither waits for a person.
            let (drawn, goes_on) = std::thread::scope(|scope| {
                let in_vain = Arc::clone(&ahead.is_in_vain);
                let stepped = scope.spawn(|| ahead.go_on(until, frame + 1));
                let drawn = draw();
                in_vain.store(drawn.is_err(), Ordering::Relaxed);
                (drawn, stepped.join())
            });
            let goes_on = goes_on.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            drawn?;
            if goes_on?.is_break() {
                break;
            }
        }
        for (number, journal) in ahead.journals.iter_mut().enumerate() {
            if let Some(simulation) = ahead.filmed.simulation(number) {
                journal.finish(simulation)?;
            }
        }
        Ok(self.sink.finish()?)
    }
}

/// What is simulated while a frame is drawn.
struct SteppedAhead<'a, F, P> {
    filmed: &'a mut F,
    journals: &'a mut [Journal],
    /// Whether an arm may go its own way beside it.
    is_alone: bool,
    /// The arm that does.
    twin: Option<Simulation>,
    /// Set when the frame could not be drawn: no other will be.
    is_in_vain: Arc<AtomicBool>,
    progress: P,
}

impl<F: Filmed, P: FnMut(u64, &Simulation) -> ControlFlow<()>> SteppedAhead<'_, F, P> {
    /// Simulates until so many steps are completed, so many frames being drawn or begun; says whether to go on.
    fn go_on(&mut self, until: u64, frames: u64) -> Result<ControlFlow<()>, FilmError> {
        while self.filmed.first().steps() < until {
            if self.is_alone && self.twin.is_none() {
                self.twin = twin::fork_if_due(self.filmed.first())?;
            }
            self.filmed.step();
            note(&*self.filmed, self.journals)?;
            if let Some(twin) = &mut self.twin {
                twin.step();
            }
            let is_in_vain = self.is_in_vain.load(Ordering::Relaxed);
            if is_in_vain || (self.progress)(frames, self.filmed.first()).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok((self.progress)(frames, self.filmed.first()))
    }
}

/// Mixes one picture into another: `share` of 0-1 of the second.
fn fade(picture: &mut [u8], with: &[u8], share: f32) {
    let share = (share.clamp(0.0, 1.0) * 256.0) as u32;
    for (to, from) in picture.iter_mut().zip(with) {
        let mixed = u32::from(*to) * (256 - share) + u32::from(*from) * share;
        *to = ((mixed + 128) >> 8) as u8;
    }
}

/// What a film shows when.
pub(super) struct Plan {
    scene: Arc<ParsedScene>,
    stage: Stage,
    way: CameraWay,
    /// The same for halves of the picture, as far as it is known before the run.
    way_of_halves: CameraWay,
    /// Hours of tissue time in a second of film.
    hours_per_second: f64,
    /// Width of the picture in heights.
    shape: f32,
    /// How everything is drawn, whatever the scene says.
    style: Option<Style>,
    /// Whether each frame is looked at by itself.
    is_of_stills: bool,
}

impl Plan {
    /// The look that is going over into that of `hours`, and how far the new one has come, 0-1.
    fn look_going_out(&self, hours: f64, at_start: Look) -> Option<(f32, Look)> {
        if self.is_of_stills {
            return None;
        }
        let (since, before) = self.scene.timeline.look_before(hours, at_start)?;
        let share = ((hours - since) / (self.hours_per_second * LOOK_FADE_S)) as f32;
        (share < 1.0).then_some((share * share * (3.0 - 2.0 * share), before))
    }

    /// Looks at the tissue as the frame at `hours` shows it.
    pub(super) fn see(&self, seen: &mut Seen, filmed: &impl Filmed, hours: f64) -> Arc<Snapshot> {
        let at_start = || self.scene.scene.recording.look.clone();
        let look = self.scene.timeline.look_at(hours, at_start());
        let mut request = SnapshotRequest::of_look(&look);
        if let Some((_, before)) = self.look_going_out(hours, at_start()) {
            request = request.and(SnapshotRequest::of_look(&before));
        }
        seen.snapshot(filmed, request)
    }

    /// The largest value of the plots of all that was seen.
    pub(super) fn reach_of_plots(
        &self,
        catalogue: &Catalogue,
        seen: [&Seen; 2],
        hours: f64,
    ) -> f64 {
        let plots = seen.map(|seen| self.plot_at(catalogue, seen, hours));
        let tops = plots.iter().flatten().map(|plot| plot.extent().2);
        tops.fold(0.0, f64::max)
    }

    /// Draws the frame at `hours`, or half of it, from a snapshot and from what was seen before; plots reach up to a value at least.
    pub(super) fn draw<'a>(
        &self,
        studio: &'a mut Studio,
        (seen, reach): (&Seen, f64),
        snapshot: &Arc<Snapshot>,
        (hours, part): (f64, Part),
    ) -> Result<&'a mut [u8], FilmError> {
        let at_start = || self.scene.scene.recording.look.clone();
        let look = self.scene.timeline.look_at(hours, at_start());
        let before = self.look_going_out(hours, at_start());
        let faded = match before {
            Some((share, before)) => {
                let shot = self.compose(snapshot, (seen, reach), before, (hours, part));
                Some((share, studio.shoot(snapshot, &shot)?.to_vec()))
            }
            None => None,
        };
        let shot = self.compose(snapshot, (seen, reach), look, (hours, part));
        let pixels = studio.shoot(snapshot, &shot)?;
        if let Some((share, before)) = faded {
            fade(pixels, &before, 1.0 - share);
        }
        Ok(pixels)
    }

    /// What the timeline plots, of what was seen.
    fn plot_at(&self, catalogue: &Catalogue, seen: &Seen, hours: f64) -> Option<Plot> {
        let scene = &self.scene;
        let plot = scene.timeline.plot_at(hours)?;
        let of = match &plot.site {
            None => self.stage.focus,
            Some(name) => usize::from(scene.site(Some(name))?.0),
        };
        Plot::of(&catalogue.metrics, seen.histories.get(of)?, &plot.title)
    }

    /// What the timeline plots, or else what a trial measures first, of each arm.
    fn plot_of_arms(&self, snapshot: &Snapshot, histories: &[History], hours: f64) -> Option<Plot> {
        let scene = &self.scene;
        let wanted = scene.timeline.plot_at(hours);
        let measured = scene.scene.trial.measures.first();
        let site = match wanted {
            Some(plot) => plot.site.as_deref(),
            None => measured?.site.as_deref(),
        };
        let site = match site {
            None => snapshot.arms.site_at(self.stage.focus)?,
            Some(name) => usize::from(scene.site(Some(name))?.0),
        };
        let mut metrics = snapshot.catalogue.metrics.iter().filter(|metric| {
            wanted.map_or_else(
                || measured.is_some_and(|measured| measured.metric == metric.name),
                |plot| metric.plot.as_deref() == Some(plot.title.as_str()),
            )
        });
        metrics.find_map(|metric| {
            let places = snapshot.arms.at_site(site);
            Plot::beside(
                metric,
                places.filter_map(|(name, at)| Some((name, histories.get(at)?))),
            )
        })
    }

    /// What is written over a part of the picture: what holds for both halves stands once.
    fn in_part(
        &self,
        whole: OverlayContent,
        part: Part,
        names: Option<&(String, String)>,
    ) -> OverlayContent {
        let (left, right) = names.cloned().unwrap_or_default();
        match part {
            Part::Whole => whole,
            Part::Left => OverlayContent {
                title: left,
                legend: false,
                ..whole
            },
            Part::Right => OverlayContent {
                title: right,
                chapter: String::new(),
                arrows: String::new(),
                pace: String::new(),
                caption: String::new(),
                scale_bar: false,
                body_map: false,
                ..whole
            },
        }
    }

    /// What the frame at `hours`, or a half of it, shows with this look.
    fn compose(
        &self,
        snapshot: &Snapshot,
        (seen, reach): (&Seen, f64),
        look: Look,
        (hours, part): (f64, Part),
    ) -> Shot {
        let scene = &self.scene;
        let way = match part {
            Part::Whole => &self.way,
            Part::Left | Part::Right => &self.way_of_halves,
        };
        let shape = match part {
            Part::Whole => self.shape,
            Part::Left | Part::Right => 0.5 * self.shape,
        };
        let names = scene.scene.recording.beside.as_ref();
        let names = names.map(|beside| &beside.names);
        let site = drawn_site(&self.stage);
        let plot = if snapshot.arms.is_empty() {
            let plot = self.plot_at(&snapshot.catalogue, seen, hours);
            plot.map(|plot| Plot {
                reaches: reach,
                ..plot
            })
        } else {
            self.plot_of_arms(snapshot, &seen.histories, hours)
        };
        let labels = scene.timeline.labels_at(hours).into_iter();
        let labels = labels.filter_map(|(number, label)| {
            let foreseen = way.foreseen_of_label(number);
            Pointer::of(label, snapshot, site, foreseen)
        });
        let labels = labels.collect();
        let mut look = self.stage.look(look);
        if let Some(style) = self.style {
            look.style = style;
        }
        let pose = way.pose_at(hours);
        let pose = pose.unwrap_or_else(|| pose_for_shape(snapshot, site, &look, shape));
        let fade_hours = CAPTION_FADE_S * self.hours_per_second;
        let overlay = OverlayContent {
            title: snapshot.title.clone(),
            caption_opacity: if self.is_of_stills {
                1.0
            } else {
                caption_opacity(scene, hours, fade_hours)
            },
            pace: pace_text(&scene.scene, Some(self.hours_per_second)),
            plot,
            labels,
            // Of several arms they would be those of one.
            figures: snapshot.arms.is_empty(),
            ..OverlayContent::of_story(&scene.scene, &scene.timeline, hours)
        };
        Shot {
            settings: ViewSettings {
                site,
                ..ViewSettings::of_look(look)
            },
            camera: pose.into(),
            overlay: self.in_part(overlay, part, names),
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

impl Studio {
    /// Draws a frame.
    fn shoot(&mut self, snapshot: &Arc<Snapshot>, shot: &Shot) -> Result<&mut [u8], StudioError> {
        self.render(
            Arc::clone(snapshot),
            &shot.settings,
            shot.camera,
            &shot.overlay,
        )
    }
}

/// What of the picture is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// The left half: the scene.
    Left,
    /// The right half: its arm.
    Right,
}

/// What has been seen of a simulation.
#[derive(Clone)]
pub(super) struct Seen {
    /// The tissue as it was seen last: after how many steps, what was asked for, and what was seen.
    shown: Option<(u64, SnapshotRequest, Arc<Snapshot>)>,
    /// The curves of each site.
    histories: Vec<History>,
}

impl Seen {
    /// Nothing yet, of so many sites.
    fn of(sites: usize) -> Self {
        Self {
            shown: None,
            histories: vec![History::default(); sites],
        }
    }

    /// What was seen until another simulation goes on from there.
    pub(super) fn for_fork(&self) -> Self {
        Self {
            shown: None,
            histories: self.histories.clone(),
        }
    }

    /// The tissue as it is now.
    fn snapshot(&mut self, filmed: &impl Filmed, request: SnapshotRequest) -> Arc<Snapshot> {
        let steps = filmed.first().steps();
        let snapshot = match self.shown.take() {
            Some((at, of, snapshot)) if at == steps && of == request => snapshot,
            _ => Arc::new(filmed.snapshot(&request)),
        };
        self.shown = Some((steps, request, Arc::clone(&snapshot)));
        for (history, site) in self.histories.iter_mut().zip(&snapshot.sites) {
            history.push(snapshot.hours, &site.metrics);
        }
        snapshot
    }
}

/// One frame, described.
struct Shot {
    settings: ViewSettings,
    camera: ViewCamera,
    overlay: OverlayContent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stills_are_told_from_films_and_fade_no_caption() {
        let options = |output: &str, seconds| FilmOptions {
            output: output.into(),
            size: (64, 64),
            fps: 2,
            seconds,
            still_hours: None,
            style: None,
            may_replace: false,
        };
        assert!(options("a.png", 9.0).is_of_stills());
        assert!(options("a.PNG", 9.0).is_of_stills());
        assert!(options("a.gif", 0.5).is_of_stills(), "one frame is a still");
        assert!(!options("a.mp4", 9.0).is_of_stills());
    }
}
