//! A film of a simulation: steps it, draws a frame whenever tissue time asks for one, hands the frames to
//! an encoder.
//!
//! The frame number alone decides everything: frame `i` of `n` shows tissue time `i / (n - 1)` of the
//! duration, whatever the machine is doing, so the same scene gives the same film.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::FilmError;
use super::filmed::{Filmed, note};
use super::plan::{Part, Plan, Seen};
use super::sink::{self, FilmFormat, Summary};
use super::studio::Studio;
use super::twin::{self, Halves};
use super::way::CameraWay;
use crate::journal::Journal;
use crate::scene::{Stage, Style};
use crate::simulation::{Simulation, drawn_site};

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
