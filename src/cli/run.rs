//! `tumorscape run`: simulate without drawing, for numbers. `tumorscape resume`: go on with such a run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::interruption;
use super::progress::Progress;
use super::span::{describe_hours, parse_span};
use super::{DEFAULT_SCENE, Failure, complain, say, warn};
use crate::core::clones::{Clones, MAX_CLONES};
use crate::core::parallel;
use crate::core::printable::shell_word;
use crate::journal::run_folder::{RECORD, RunFolder, RunFolderError};
use crate::journal::{Journal, checkpoint};
use crate::scene::schema::Span;
use crate::scene::{MAX_STEPS, ParsedScene};
#[cfg(feature = "view")]
use crate::simulation::SideBySide;
use crate::simulation::{Program, Simulation};
use clap::Args;

/// Options that say what is simulated, shared by `run` and `record`.
#[derive(Clone, Debug, Args)]
pub(crate) struct SimulationArguments {
    /// The scene, a RON file. The shipped ones, such as scenes/spheroid.ron, need not be there.
    #[arg(default_value = DEFAULT_SCENE)]
    pub scene: PathBuf,
    /// Run this arm of the scene; the scene as it stands, without any, if left out.
    #[arg(long, value_name = "NAME")]
    pub arm: Option<String>,
    /// Seed of all random numbers; the scene's if left out.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Stop at this tissue time, such as 90min, 48h or 3d, even beyond the scene's own end; there if left out.
    #[arg(long, value_name = "TIME", value_parser = parse_span, allow_hyphen_values = true)]
    pub until: Option<Span>,
    /// Number of worker threads; all cores if left out. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    simulation: SimulationArguments,
    /// The run folder; must not hold a run. A new one under `runs` if left out.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write a checkpoint this often in tissue time, such as 6h, so that the run can be resumed.
    #[arg(long, value_name = "TIME", value_parser = parse_span, allow_hyphen_values = true)]
    checkpoint_every: Option<Span>,
    #[command(flatten)]
    manner: Manner,
}

/// Options of `resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArguments {
    /// The run folder.
    folder: PathBuf,
    /// Stop at this tissue time instead of where the run was to end, even beyond the scene's own end.
    #[arg(long, value_name = "TIME", value_parser = parse_span, allow_hyphen_values = true)]
    until: Option<Span>,
    /// Number of worker threads; all cores if left out. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Write a checkpoint this often in tissue time; as often as before if left out.
    #[arg(long, value_name = "TIME", value_parser = parse_span, allow_hyphen_values = true)]
    checkpoint_every: Option<Span>,
    #[command(flatten)]
    manner: Manner,
}

/// Options that say how a run is watched.
#[derive(Clone, Copy, Debug, Args)]
struct Manner {
    /// Check the invariants of the simulation in every step and stop at the first that is broken.
    #[arg(long)]
    verify: bool,
    /// No progress bar.
    #[arg(long)]
    quiet: bool,
}

impl SimulationArguments {
    /// Reads the scene and sets it up.
    pub fn prepare(&self, program: &Program) -> Result<Simulation, Failure> {
        self.set_up(self.open(program)?)
    }

    /// Reads the scene.
    pub fn open(&self, program: &Program) -> Result<ParsedScene, Failure> {
        start_threads(self.threads);
        let scene = open_or_shipped(program, &self.scene)?;
        warn(&scene.warnings);
        Ok(scene)
    }

    /// Sets it up, or the arm of it that is asked for.
    pub fn set_up(&self, mut scene: ParsedScene) -> Result<Simulation, Failure> {
        if let Some(arm) = &self.arm {
            scene = scene.arm(arm).map_err(Failure::Input)?;
        }
        let seed = self.seed.unwrap_or(scene.scene.seed);
        let mut simulation = Simulation::new(Arc::new(scene), seed).map_err(Failure::input)?;
        if let Some(until) = self.until {
            end_at(&mut simulation, until)?;
        }
        Ok(simulation)
    }

    /// A scene as it stands.
    #[cfg(feature = "view")]
    pub const fn of_scene(scene: PathBuf) -> Self {
        Self {
            scene,
            arm: None,
            seed: None,
            until: None,
            threads: None,
        }
    }

    /// Sets all its arms up.
    #[cfg(feature = "view")]
    pub fn set_up_arms(&self, scene: &ParsedScene) -> Result<SideBySide, Failure> {
        let seed = self.seed.unwrap_or(scene.scene.seed);
        let mut arms = SideBySide::new(scene, seed).map_err(Failure::Input)?;
        if let Some(until) = self.until {
            for simulation in arms.simulations_mut() {
                end_at(simulation, until)?;
            }
        }
        Ok(arms)
    }

    /// The scene's file name without its ending.
    pub fn name(&self) -> String {
        self.scene.file_stem().map_or_else(
            || "scene".into(),
            |stem| stem.to_string_lossy().into_owned(),
        )
    }
}

/// Reads a scene; the shipped one of its name where there is no such file.
pub(super) fn open_or_shipped(program: &Program, path: &Path) -> Result<ParsedScene, Failure> {
    let scene = match program.open_shipped_scene(path) {
        None => program.open_scene(path),
        Some(shipped) => {
            complain(format_args!(
                "note: there is no `{}` here; taking the one that is part of the program",
                path.display()
            ));
            shipped
        }
    };
    scene.map_err(Failure::input)
}

/// Starts the threads asked for, or says how many there are where the system allows fewer.
fn start_threads(wanted: Option<u16>) {
    let found = parallel::set_threads(wanted.map(usize::from));
    if wanted.is_some_and(|wanted| found < usize::from(wanted)) || found == 0 {
        complain(format_args!(
            "note: the system lets this program start no more than {found} threads; results do not depend on it"
        ));
    }
}

/// Ends a simulation at a time that the command line names.
fn end_at(simulation: &mut Simulation, until: Span) -> Result<(), Failure> {
    let step = simulation.scene().scene.step;
    if until.minutes() / step.minutes() > MAX_STEPS {
        return Err(Failure::Input(format!(
            "--until {} is more than {MAX_STEPS:e} steps of {}",
            until, step
        )));
    }
    simulation.set_end(until.minutes());
    if simulation.ends_late() {
        complain(format_args!(
            "note: the scene ends at {}; the run goes on to {}, where nothing more happens in its timeline",
            simulation.scene().scene.duration,
            until
        ));
    }
    Ok(())
}

/// The steps between two checkpoints.
fn steps_between(simulation: &Simulation, every: Span) -> Result<u64, Failure> {
    let step = simulation.scene().scene.step;
    if every.minutes() < step.minutes() {
        return Err(Failure::Input(format!(
            "--checkpoint-every {} is shorter than a step of the scene ({})",
            every, step
        )));
    }
    Ok(simulation.clock().step_at(every.minutes()))
}

pub(crate) fn run(program: &Program, arguments: &RunArguments) -> Result<ExitCode, Failure> {
    let simulation = arguments.simulation.prepare(program)?;
    let every = arguments
        .checkpoint_every
        .map(|span| steps_between(&simulation, span))
        .transpose()?;
    // From the first file on nothing is cut off half way.
    interruption::listen();
    let folder = match &arguments.out {
        Some(path) => RunFolder::create(path, &simulation),
        None => {
            let plain = Path::new("runs").join(arguments.simulation.name());
            RunFolder::create_numbered(&plain, &simulation)
        }
    };
    let folder = folder.map_err(Failure::input)?;
    let mut journal = Journal::new(&simulation, Some(folder));
    journal.note(&simulation).map_err(Failure::run)?;
    if every.is_some() {
        // From here on the run can be resumed, whatever happens.
        save(&simulation, &mut journal, every)?;
    }
    go_on(simulation, journal, every, arguments.manner)
}

pub(crate) fn resume(program: &Program, arguments: &ResumeArguments) -> Result<ExitCode, Failure> {
    let folder = &arguments.folder;
    if !folder.is_dir() {
        let what = if folder.exists() {
            "is not a folder"
        } else {
            "does not exist"
        };
        return Err(Failure::Input(format!(
            "the run folder `{}` {what}",
            folder.display()
        )));
    }
    start_threads(arguments.threads);
    let (checkpoint, damaged) = checkpoint::open(folder, |trouble| {
        complain(format_args!(
            "warning: {trouble}; going on from the checkpoint before it, `{}`",
            checkpoint::BEFORE
        ));
    })
    .map_err(Failure::input)?;
    let (mut simulation, run) = program.resume(checkpoint).map_err(Failure::input)?;
    let version = env!("CARGO_PKG_VERSION");
    if run.program != version || run.build != checkpoint::build() {
        complain(format_args!(
            "warning: the checkpoint was written by another build of this program (version {}, this is {version}): \
             results may differ from those of an unbroken run",
            run.program,
        ));
    }
    if let Some(until) = arguments.until {
        if simulation.clock().step_at(until.minutes()) < simulation.steps() {
            return Err(Failure::Input(format!(
                "the run is at {} already; --until must not be earlier",
                describe_hours(simulation.hours())
            )));
        }
        end_at(&mut simulation, until)?;
    }
    let every = match arguments.checkpoint_every {
        Some(span) => steps_between(&simulation, span)?,
        None => run.checkpoint_every,
    };
    // From here on files are written, and nothing is cut off half way.
    interruption::listen();
    let mut journal = Journal::reopen(&simulation, folder, run.journal).map_err(Failure::input)?;
    // Only now that nobody else writes here.
    if let Some(folder) = journal.folder() {
        if !folder.has_record() {
            complain(format_args!(
                "warning: `{}` is missing; it is written again from the checkpoint",
                folder.path().join(RECORD).display()
            ));
        }
        if !folder.has_record() || arguments.until.is_some() {
            folder.rewrite_record(&simulation).map_err(Failure::run)?;
        }
    }
    if let Some(aside) = checkpoint::put_aside(damaged).map_err(Failure::run)? {
        complain(format_args!(
            "warning: the damaged one is put aside as `{}`",
            aside.display()
        ));
    }
    if arguments.until.is_some() {
        // The new end must outlast whatever stops the run.
        save(&simulation, &mut journal, Some(every))?;
    }
    say(format!("resumed at {}", describe_hours(simulation.hours())));
    go_on(simulation, journal, Some(every), arguments.manner)
}

/// Steps to the end, keeps the books, and reports.
fn go_on(
    mut simulation: Simulation,
    mut journal: Journal,
    checkpoint_every: Option<u64>,
    manner: Manner,
) -> Result<ExitCode, Failure> {
    if manner.verify {
        simulation.verify();
    }
    let steps = simulation.total_steps();
    let first = simulation.steps();
    let mut progress = Progress::new(first, steps, manner.quiet);
    let mut checkpoint_bytes = None;
    let mut clones_are_full = false;
    for step in first + 1..=steps {
        simulation.step();
        if let Some(violation) = simulation.violation() {
            let violation = violation.to_string();
            // What was booked so far is kept; the broken state itself is not measured.
            journal.flush().map_err(Failure::run)?;
            return Err(Failure::Run(violation));
        }
        journal
            .note(&simulation)
            .map_err(|error| broken_off(&journal, &error))?;
        if !clones_are_full && simulation.world().resource::<Clones>().is_full() {
            clones_are_full = true;
            progress.note(format_args!(
                "note: at {} there are {MAX_CLONES} clones, as many as there can be; while all of them live, \
                 daughters inherit unchanged",
                describe_hours(simulation.hours())
            ));
        }
        let stop = interruption::is_asked() && step < steps;
        if checkpoint_every.is_some_and(|every| step.is_multiple_of(every) || step == steps || stop)
        {
            checkpoint_bytes = save(&simulation, &mut journal, checkpoint_every)?;
        }
        if stop {
            journal.flush().map_err(Failure::run)?;
            progress.end();
            return Err(interrupted(
                &simulation,
                &journal,
                checkpoint_every.is_some(),
            ));
        }
        if step % 10 == 0 {
            progress.reached(step, || {
                let hours = describe_hours(simulation.hours());
                format!("{hours}, {} cells", simulation.cell_count())
            });
        }
    }
    journal
        .finish(&simulation)
        .map_err(|error| broken_off(&journal, &error))?;
    progress.end();
    let pace = Pace {
        steps: steps - first,
        elapsed: progress.elapsed(),
    };
    let code = report(&simulation, &journal, pace);
    if let Some(bytes) = checkpoint_bytes {
        say(format!(
            "the last checkpoint has {:.1} MB, {:.0} bytes a cell",
            bytes as f64 / 1e6,
            bytes as f64 / simulation.cell_count().max(1) as f64
        ));
    }
    if manner.verify {
        say(format!(
            "verified {} steps: every invariant holds",
            steps - first
        ));
    }
    Ok(code)
}

/// Writes a checkpoint, and returns its size in bytes; nothing without a run folder.
fn save(
    simulation: &Simulation,
    journal: &mut Journal,
    every: Option<u64>,
) -> Result<Option<u64>, Failure> {
    let state = match journal.state() {
        Ok(state) => state,
        Err(error) => return Err(broken_off(journal, &error)),
    };
    let (Some(state), Some(folder)) = (state, journal.folder()) else {
        return Ok(None);
    };
    let every = every.unwrap_or(u64::MAX);
    let run = checkpoint::run_state(simulation, every, state).map_err(Failure::Run)?;
    checkpoint::write(folder.path(), &run, simulation.world())
        .map(Some)
        .map_err(|error| stopped(journal, error))
}

/// The failure of a run whose folder gave way: what is kept, and how it can go on.
fn broken_off(journal: &Journal, error: &RunFolderError) -> Failure {
    let (RunFolderError::Lost { .. }, Some(folder)) =
        (error, journal.folder().map(RunFolder::path))
    else {
        return stopped(journal, error);
    };
    let (shown, word) = (folder.display(), shell_word(folder));
    let mut message = format!("{error}; the other files in `{shown}` are kept. ");
    if folder.join(checkpoint::NEWEST).exists() {
        message += &format!(
            "If you put that file back as it was, `tumorscape resume {word}` goes on from the last checkpoint. "
        );
    }
    let record = shell_word(&folder.join(RECORD));
    message += &format!("The same run anew: tumorscape run {record} --out OTHER_FOLDER");
    Failure::Run(message)
}

/// What to say of a run that was asked to stop.
fn interrupted(simulation: &Simulation, journal: &Journal, is_saved: bool) -> Failure {
    let mut message = format!("stopped at {}", describe_hours(simulation.hours()));
    if let Some(folder) = journal.folder().map(RunFolder::path) {
        let (shown, word) = (folder.display(), shell_word(folder));
        message += &if is_saved {
            format!("; `tumorscape resume {word}` goes on from here")
        } else {
            format!(
                "; what was measured so far is in `{shown}`. A run that is started with --checkpoint-every can go on"
            )
        };
    }
    Failure::Run(message)
}

/// The failure of a run that cannot write any more: what went wrong, and how it can go on.
fn stopped(journal: &Journal, error: impl std::fmt::Display) -> Failure {
    let mut message = error.to_string();
    if let Some(folder) = journal.folder().map(RunFolder::path) {
        let shown = folder.display();
        message += &format!("; what was computed so far is kept in `{shown}`");
        if folder.join(checkpoint::NEWEST).exists() {
            let word = shell_word(folder);
            message += &format!(", and `tumorscape resume {word}` goes on when this is mended");
        }
    }
    Failure::Run(message)
}

/// How much was simulated in which time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Steps computed by this process.
    pub steps: u64,
    /// Time they took.
    pub elapsed: Duration,
}

/// Prints what came of a run and returns the exit code: 1 if an expectation does not hold.
pub(crate) fn report(simulation: &Simulation, journal: &Journal, pace: Pace) -> ExitCode {
    let scene = &simulation.scene().scene;
    say(format!("{} (seed {})", scene.title, simulation.seed()));
    let simulated = pace.steps as f64 * simulation.clock().step_minutes / 60.0;
    let goes_on = pace.steps < simulation.clock().step;
    say(format!(
        "simulated {}{} in {:.1} s: {} steps, {:.1} steps/s, {} threads",
        describe_hours(simulated),
        if goes_on {
            format!(", up to {},", describe_hours(simulation.hours()))
        } else {
            String::new()
        },
        pace.elapsed.as_secs_f64(),
        pace.steps,
        pace.steps as f64 / pace.elapsed.as_secs_f64().max(1e-9),
        parallel::threads(),
    ));
    for (site, metrics) in simulation.site_names().iter().zip(&journal.last) {
        // Of what there is not nothing is said.
        let catalogue = simulation.catalogue();
        let told = catalogue.metrics.iter().filter_map(|metric| {
            let decimals = metric.figure?;
            let value = metrics
                .get(&metric.name)
                .filter(|value| value.is_finite())?;
            let unit = if metric.unit.is_empty() {
                String::new()
            } else {
                format!(" {}", metric.unit)
            };
            Some(format!("{} {value:.decimals$}{unit}", metric.label))
        });
        let line = format!("{site}: {}", told.collect::<Vec<_>>().join(", "));
        say(line);
    }
    for (site, molecule, tally) in simulation.solves() {
        if tally.overflowed > 0 {
            say(format!(
                "warning: {site}: in {} of {} solves of {molecule} cells gave off or took up more than can be added up, so \
                 molecules are lost; see `exchange`, or use larger voxels",
                tally.overflowed, tally.solves,
            ));
        }
        if tally.unconverged > 0 {
            say(format!(
                "{site}: {} of {} solves of {} did not reach their tolerance, relative residual {:.1e} at worst; see `transport.tolerance`",
                tally.unconverged, tally.solves, molecule, tally.worst_residual,
            ));
        }
    }
    let events: Vec<String> = journal
        .event_counts
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    if !events.is_empty() {
        say(format!("events: {}", events.join(", ")));
    }
    if let Some(folder) = journal.folder() {
        say(format!("written to {}", folder.path().display()));
    }
    let mut all_hold = true;
    for verdict in journal.judge(simulation) {
        all_hold &= verdict.holds;
        say(format!(
            "{} {}",
            if verdict.holds { "holds: " } else { "FAILS: " },
            verdict.sentence
        ));
    }
    if simulation.is_short_of_end() && !scene.expect.is_empty() {
        say("expectations that need the whole scene were not judged");
    }
    say(format!("state {:016x}", simulation.state_hash()));
    if all_hold {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}
