//! `tumorscape run`: simulate without drawing, for numbers.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::span::{describe_hours, parse_span};
use super::{DEFAULT_SCENE, Failure, say};
use crate::core::parallel;
use crate::observe::Journal;
use crate::observe::run_folder::RunFolder;
use crate::scene::schema::Span;
use crate::simulation::{Simulation, open_scene};

/// Options that say what is simulated, shared by `run` and `record`.
#[derive(Debug, Args)]
pub(crate) struct SimulationArguments {
    /// The scene, a RON file.
    #[arg(default_value = DEFAULT_SCENE)]
    pub scene: PathBuf,
    /// Seed of all random numbers; the scene's if left out.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Stop at this tissue time, such as 90min, 48h or 3d; the scene's duration if left out.
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
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
    /// No progress bar.
    #[arg(long)]
    quiet: bool,
}

impl SimulationArguments {
    /// Reads the scene and sets it up.
    pub fn prepare(&self) -> Result<Simulation, Failure> {
        parallel::set_threads(self.threads.map(usize::from));
        let scene = open_scene(&self.scene).map_err(Failure::input)?;
        let seed = self.seed.unwrap_or(scene.scene.seed);
        let mut simulation = Simulation::new(Arc::new(scene), seed).map_err(Failure::input)?;
        if let Some(until) = self.until {
            simulation.set_end(until.minutes());
        }
        Ok(simulation)
    }

    /// The scene's file name without its ending.
    pub fn name(&self) -> String {
        self.scene.file_stem().map_or_else(
            || "scene".into(),
            |stem| stem.to_string_lossy().into_owned(),
        )
    }
}

pub(crate) fn run(arguments: &RunArguments) -> Result<ExitCode, Failure> {
    let mut simulation = arguments.simulation.prepare()?;
    let path = match &arguments.out {
        Some(path) => path.clone(),
        None => free_folder(Path::new("runs"), &arguments.simulation.name()),
    };
    let folder = RunFolder::create(&path, &simulation).map_err(Failure::input)?;
    let mut journal = Journal::new(&simulation, Some(folder));
    let steps = simulation.total_steps();
    let bar = progress_bar(steps, arguments.quiet);
    journal
        .note(&simulation, steps == 0)
        .map_err(Failure::run)?;
    for step in 1..=steps {
        simulation.step();
        journal
            .note(&simulation, step == steps)
            .map_err(Failure::run)?;
        bar.set_position(step);
        if step % 10 == 0 {
            bar.set_message(format!(
                "{}, {} cells",
                describe_hours(simulation.hours()),
                simulation.cell_count()
            ));
        }
    }
    bar.finish_and_clear();
    Ok(report(&simulation, &journal, bar.elapsed()))
}

/// Prints what came of a run and returns the exit code: 1 if an expectation does not hold.
pub(crate) fn report(simulation: &Simulation, journal: &Journal, elapsed: Duration) -> ExitCode {
    let scene = &simulation.scene().scene;
    say(format!("{} (seed {})", scene.title, simulation.seed()));
    say(format!(
        "simulated {} in {:.1} s: {} steps, {:.1} steps/s, {} threads",
        describe_hours(simulation.hours()),
        elapsed.as_secs_f64(),
        simulation.steps(),
        simulation.steps() as f64 / elapsed.as_secs_f64().max(1e-9),
        parallel::threads(),
    ));
    if let Some(last) = journal.measurements.last() {
        for (site, metrics) in simulation.site_names().iter().zip(&last.sites) {
            let value = |name| metrics.get(name).unwrap_or(f64::NAN);
            say(format!(
                "{site}: {} cells ({} alive, {} apoptotic, {} necrotic), tumour radius {:.0} um, necrotic radius {:.0} um, oxygen {:.1} mmHg at the lowest",
                value("cells"),
                value("cells_alive"),
                value("cells_apoptotic"),
                value("cells_necrotic"),
                value("tumour_radius_um"),
                value("necrotic_radius_um"),
                value("oxygen_min_mmhg"),
            ));
        }
    }
    let events: Vec<String> = journal
        .event_counts
        .iter()
        .map(|(kind, count)| format!("{count} {}", kind.label()))
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
    if simulation.ends_early() && !scene.expect.is_empty() {
        say("expectations that need the whole scene were not judged");
    }
    say(format!("state {:016x}", simulation.state_hash()));
    if all_hold {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}

/// A progress bar on standard error, hidden when asked or when there is no terminal.
pub(crate) fn progress_bar(steps: u64, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  {per_sec}  {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps).with_style(style)
}

/// The first of `NAME`, `NAME-2`, `NAME-3`... that does not exist yet.
fn free_folder(parent: &Path, name: &str) -> PathBuf {
    let plain = parent.join(name);
    if !plain.exists() {
        return plain;
    }
    (2_u32..)
        .map(|number| parent.join(format!("{name}-{number}")))
        .find(|path| !path.exists())
        .unwrap_or(plain)
}
