//! `tumorscape trial`: the arms of a scene, each with as many seeds. `tumorscape sweep`: values of parameters, or arrows one by
//! one. `tumorscape status` and `tumorscape collect`: how far such a trial is, and what it has found.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgGroup, Args};

use super::interruption;
use super::progress::{Progress, in_words};
use super::run::open_or_shipped;
use super::span::parse_span;
use super::{Failure, complain, say, warn};
use crate::core::files::{is_taken, write_whole};
use crate::core::metric::Metric;
use crate::core::printable::shell_word;
use crate::measure::metrics;
use crate::scene::ParsedScene;
use crate::scene::schema::Span;
use crate::simulation::{Program, Simulation};
use crate::trial::analysis::Analysis;
use crate::trial::design::{self, Range};
use crate::trial::folder::{PLAN, Stage, Trial};
use crate::trial::plan::{Asked, Condition, Kind, Plan, RunOf, conditions_of_arms};
use crate::trial::results::Results;
use crate::trial::runner::{Manner, compute, this_program};
use crate::trial::{TrialError, report, slurm, tables};

/// Failures that are told, one by one.
const MOST_FAILURES: usize = 10;

/// Options of `trial`.
#[derive(Debug, Args)]
pub(crate) struct TrialArguments {
    /// A scene with arms, or the folder of a trial to go on with.
    scene: PathBuf,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    work: Work,
}

/// Options of `sweep`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("design").args(["grid", "latin", "morris", "ablate"]).required(true))]
pub(crate) struct SweepArguments {
    /// The scene.
    scene: PathBuf,
    /// Vary this arm of the scene; the scene as it stands if left out.
    #[arg(long, value_name = "NAME")]
    arm: Option<String>,
    /// A parameter and its range, PATH=LOW..HIGH, with `:log` behind it for equal factors; as often as there are parameters.
    #[arg(long, value_name = "RANGE", value_parser = Range::parse)]
    over: Vec<Range>,
    /// All combinations of so many values of each parameter.
    #[arg(long, value_name = "VALUES")]
    grid: Option<u32>,
    /// So many points of a Latin hypercube.
    #[arg(long, value_name = "POINTS")]
    latin: Option<u32>,
    /// A screening by so many paths of Morris: of the parameters of --over, or of all that are marked as uncertain.
    #[arg(long, value_name = "PATHS")]
    morris: Option<u32>,
    /// Without each arrow in turn: every rule of the sites and of the cell types that the scene uses.
    #[arg(long)]
    ablate: bool,
    /// Only parameters or arrows whose path begins so; several times for several.
    #[arg(long, value_name = "PATH")]
    only: Vec<String>,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    work: Work,
}

/// What is computed and measured.
#[derive(Debug, Args)]
struct Extent {
    /// Runs of each condition, with as many seeds; what the scene's `trial` says if left out (1 in a sweep).
    #[arg(long, value_name = "N")]
    replicates: Option<u32>,
    /// The first seed; the scene's if left out. The others follow it, the same for all conditions.
    #[arg(long)]
    seed: Option<u64>,
    /// Stop runs at this tissue time, such as 48h or 3d; at the end of the scene if left out.
    #[arg(long, value_name = "TIME", value_parser = parse_span, allow_hyphen_values = true)]
    until: Option<Span>,
    /// Write checkpoints this often in tissue time; ten times in a run if left out.
    #[arg(long, value_name = "TIME", value_parser = parse_span, allow_hyphen_values = true)]
    checkpoint_every: Option<Span>,
    /// A column of metrics.csv that is compared, of the first site or of that behind an `@`; several times for several. What
    /// the scene's `trial` says if left out.
    #[arg(long, value_name = "COLUMN[@SITE]")]
    metric: Vec<String>,
}

impl Extent {
    fn is_given(&self) -> bool {
        let Self {
            replicates,
            seed,
            until,
            checkpoint_every,
            metric,
        } = self;
        replicates.is_some()
            || seed.is_some()
            || until.is_some()
            || checkpoint_every.is_some()
            || !metric.is_empty()
    }

    fn asked(&self, replicates: Option<u32>) -> Asked {
        Asked {
            replicates: self.replicates.or(replicates),
            seed: self.seed,
            until: self.until,
            checkpoint_every: self.checkpoint_every,
            metrics: self.metric.clone(),
        }
    }
}

/// Where and how it is computed.
#[derive(Debug, Args)]
struct Work {
    /// The folder of the trial; `trials/SCENE` if left out. One that holds the same trial is gone on with.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Runs at the same time; one for each core if left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Threads of each run; the cores shared out among them if left out. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Compute only the runs of this part, such as 2/8: every eighth from the second on.
    #[arg(long, value_name = "PART/PARTS", value_parser = parse_part)]
    part: Option<(u32, u32)>,
    /// Set the trial up and compute nothing.
    #[arg(long)]
    set_up: bool,
    /// Hand the runs in to Slurm as a job array and return.
    #[arg(long)]
    slurm: bool,
    /// Tasks of the job array; each computes several runs, one after the other.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    tasks: u32,
    /// A further option of `sbatch`, such as --sbatch=--time=12:00:00; several times for several.
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    sbatch: Vec<OsString>,
    /// No progress bar.
    #[arg(long)]
    quiet: bool,
}

/// Options of `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The folder of a trial.
    folder: PathBuf,
}

/// Options of `collect`.
#[derive(Debug, Args)]
pub(crate) struct CollectArguments {
    /// Folders of one trial: one, or several in which parts of it were computed.
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Where tables and report are written; the first folder if left out.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Reads a part, such as `2/8`.
fn parse_part(text: &str) -> Result<(u32, u32), String> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
    let parts = text
        .split_once('/')
        .and_then(|(part, of)| Some((number(part)?, number(of)?)));
    parts
        .filter(|(part, of)| part <= of)
        .ok_or_else(|| format!("`{text}` is no part: write PART/PARTS, such as 2/8"))
}

impl From<TrialError> for Failure {
    fn from(error: TrialError) -> Self {
        match error {
            TrialError::Io { .. } => Self::run(error),
            _ => Self::input(error),
        }
    }
}

pub(crate) fn trial(program: &Program, arguments: &TrialArguments) -> Result<ExitCode, Failure> {
    let TrialArguments {
        scene,
        extent,
        work,
    } = arguments;
    if scene.is_dir() {
        if extent.is_given() || work.out.is_some() {
            return Err(Failure::Input(format!(
                "`{}` is the folder of a trial: what is computed in it and where is settled",
                scene.display()
            )));
        }
        return go_on(&Trial::open(scene)?, work);
    }
    let parsed = open_or_shipped(program, scene)?;
    warn(&parsed.warnings);
    let (conditions, control) = conditions_of_arms(&parsed)?;
    let known = metrics::known(begin(&parsed)?.world());
    let asked = extent.asked(None);
    let trial = set_up(
        scene,
        (&parsed, &known),
        (Kind::Arms, conditions, control),
        &asked,
        work,
    )?;
    go_on(&trial, work)
}

pub(crate) fn sweep(program: &Program, arguments: &SweepArguments) -> Result<ExitCode, Failure> {
    let mut parsed = open_or_shipped(program, &arguments.scene)?;
    warn(&parsed.warnings);
    match &arguments.arm {
        Some(arm) => parsed = parsed.arm(arm).map_err(Failure::Input)?,
        None => parsed.scene.arms.clear(),
    }
    let simulation = begin(&parsed)?;
    let world = simulation.world();
    let used = parsed.used_cell_types();
    let mut ranges = arguments.over.clone();
    design::check_ranges(world, &mut ranges)?;
    if ranges.is_empty() && arguments.morris.is_some() {
        ranges = design::uncertain(world, &used, &arguments.only);
    }
    if ranges.is_empty() && !arguments.ablate {
        return Err(Failure::Input(
            "there is no parameter to vary: give one with --over PATH=LOW..HIGH".into(),
        ));
    }
    let seed = arguments.extent.seed.unwrap_or(parsed.scene.seed);
    let (kind, conditions) = if let Some(steps) = arguments.grid {
        design::grid(&parsed, &ranges, steps)?
    } else if let Some(points) = arguments.latin {
        design::latin(&parsed, &ranges, points, seed)?
    } else if let Some(paths) = arguments.morris {
        design::screening_of(&parsed, &ranges, paths, seed)?
    } else {
        // One of the four must be given.
        design::ablation(&parsed, world, &used, &arguments.only)?
    };
    // Of what no scene says nobody has seen whether it makes sense together.
    for (_, scene) in [conditions.first(), conditions.last()]
        .into_iter()
        .flatten()
    {
        let text = scene.to_ron(seed).map_err(Failure::Input)?;
        program
            .parse_scene(&text, &parsed.name, None)
            .map_err(Failure::input)?;
    }
    let asked = arguments.extent.asked(Some(1));
    let trial = set_up(
        &arguments.scene,
        (&parsed, &metrics::known(world)),
        (kind, conditions, 0),
        &asked,
        &arguments.work,
    )?;
    go_on(&trial, &arguments.work)
}

/// A simulation of a scene, to ask what it knows.
fn begin(parsed: &ParsedScene) -> Result<Simulation, Failure> {
    Simulation::new(std::sync::Arc::new(parsed.clone()), parsed.scene.seed).map_err(Failure::input)
}

/// Sets a trial of a scene with these columns up in its folder, or opens it again.
fn set_up(
    scene: &Path,
    (parsed, known): (&ParsedScene, &[Metric]),
    (kind, conditions, control): (Kind, Vec<(Condition, ParsedScene)>, usize),
    asked: &Asked,
    work: &Work,
) -> Result<Trial, Failure> {
    let (conditions, scenes): (Vec<_>, Vec<_>) = conditions.into_iter().unzip();
    let plan = Plan::new(parsed, known, (kind, conditions, control), asked)?;
    let folder = work.out.clone().unwrap_or_else(|| {
        let name = scene.file_stem().unwrap_or_default();
        Path::new("trials").join(name)
    });
    let is_there = is_taken(&folder.join(PLAN));
    // From the first file on nothing is cut off half way: half a folder can be gone on with by the same command alone.
    interruption::listen();
    let trial = Trial::create(&folder, plan, &scenes)?;
    say(format!(
        "{}: {} conditions, {} seeds each, in {}{}",
        trial.plan.title,
        trial.plan.conditions.len(),
        trial.plan.seeds.len(),
        folder.display(),
        if is_there { ", gone on with" } else { "" }
    ));
    Ok(trial)
}

/// Computes what is not done, or hands it in, and says what came of it.
fn go_on(trial: &Trial, work: &Work) -> Result<ExitCode, Failure> {
    if work.set_up {
        return Ok(ExitCode::SUCCESS);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = work.jobs.map_or(cores, usize::from);
    let threads = work
        .threads
        .map_or_else(|| (cores / jobs).max(1), usize::from);
    let program = this_program()?;
    if work.slurm {
        let job = slurm::Job {
            tasks: work.tasks,
            jobs: work.jobs.map_or(1, usize::from),
            threads: work.threads.map_or(1, usize::from),
            options: work.sbatch.clone(),
            sbatch: "sbatch".into(),
            program,
        };
        let number = slurm::submit(trial, &job)?;
        let word = shell_word(&trial.folder);
        say(format!(
            "job {number}: {} tasks. `tumorscape status {word}` says how far they are, `tumorscape collect {word}` what they found",
            job.tasks
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let manner = Manner {
        program,
        jobs,
        threads,
        part: work.part.unwrap_or((1, 1)),
    };
    interruption::listen();
    let mut progress: Option<Progress> = None;
    let mut told_elsewhere = false;
    let reached = compute(trial, &manner, &interruption::is_asked, &mut |reached| {
        let (done, total) = (reached.done as u64, reached.total as u64);
        let progress = progress.get_or_insert_with(|| Progress::new(done, total, work.quiet));
        if reached.elsewhere > 0 && reached.running == 0 && !told_elsewhere {
            told_elsewhere = true;
            let count = reached.elsewhere;
            progress.note(format_args!(
                "note: {count} of the runs are being computed by another process; waiting for them"
            ));
        }
        progress.reached(done, || {
            format!("{done} of {total} runs, {} running", reached.running)
        });
    })?;
    if let Some(progress) = &progress {
        progress.end();
    }
    for (run, why) in reached.failures.iter().take(MOST_FAILURES) {
        complain(format_args!(
            "failed: {}: {why}; see `{}`",
            trial.name_of(*run),
            trial.folder.join(trial.log_file(*run)).display()
        ));
    }
    if reached.failures.len() > MOST_FAILURES {
        complain(format_args!(
            "and {} more",
            reached.failures.len() - MOST_FAILURES
        ));
    }
    say(format!(
        "{} of {} runs are done, {} of them now",
        reached.done, reached.total, reached.computed
    ));
    let word = shell_word(&trial.folder);
    if reached.stopped {
        return Err(Failure::Run(format!(
            "stopped; `tumorscape trial {word}` goes on from here"
        )));
    }
    if work.part.is_none() {
        write_findings(std::slice::from_ref(trial), &trial.folder)?;
    }
    if reached.failures.is_empty() {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(Failure::Run(format!(
            "{} runs failed; `tumorscape trial {word}` tries them again",
            reached.failures.len()
        )))
    }
}

pub(crate) fn status(arguments: &StatusArguments) -> Result<ExitCode, Failure> {
    let trial = Trial::open(&arguments.folder)?;
    let plan = &trial.plan;
    let mut totals = [0; 3];
    let mut seconds = Vec::new();
    let mut lines = Vec::new();
    for (place, condition) in plan.conditions.iter().enumerate() {
        let mut counts = [0; 3];
        for seed in 0..plan.seeds.len() {
            let run = RunOf {
                seed,
                condition: place,
            };
            let at = match trial.stage(run) {
                Stage::Done(done) => {
                    seconds.push(done.seconds);
                    0
                }
                Stage::Begun => 1,
                Stage::Waiting => 2,
            };
            counts[at] += 1;
            totals[at] += 1;
        }
        let [done, begun, waiting] = counts;
        lines.push(format!(
            "{}: {done} done, {begun} begun, {waiting} waiting",
            condition.name
        ));
    }
    let [done, begun, waiting] = totals;
    say(format!(
        "{}: {done} done, {begun} begun, {waiting} waiting",
        plan.title
    ));
    // Of a sweep of hundreds nobody reads every line.
    if lines.len() <= 50 {
        for line in lines {
            say(format!("  {line}"));
        }
    }
    let left = begun + waiting;
    if left > 0 && !seconds.is_empty() {
        let each = seconds.iter().sum::<f64>() / seconds.len() as f64;
        say(format!(
            "a run takes {} on average: about {} of computing left",
            in_words(each),
            in_words(each * f64::from(left))
        ));
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn collect(arguments: &CollectArguments) -> Result<ExitCode, Failure> {
    let trials: Vec<Trial> = arguments
        .folders
        .iter()
        .map(|folder| Trial::open(folder))
        .collect::<Result<_, _>>()?;
    let out = arguments.out.as_ref().unwrap_or(&trials[0].folder);
    if !out.is_dir() {
        std::fs::create_dir_all(out)
            .map_err(|error| Failure::Input(format!("cannot make `{}`: {error}", out.display())))?;
    }
    write_findings(&trials, out)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes tables and report of what is done, and says what is in them.
fn write_findings(trials: &[Trial], out: &Path) -> Result<(), Failure> {
    let results = Results::read(trials)?;
    if results.runs.is_empty() {
        say("no run is done yet");
        return Ok(());
    }
    let analysis = Analysis::of(&results);
    tables::write(out, &tables::tables(&results, &analysis))?;
    let page = out.join("report.svg");
    write_whole(&page, report::draw(&results, &analysis).as_bytes())
        .map_err(|error| Failure::Run(format!("cannot write `{}`: {error}", page.display())))?;
    for line in findings(&results, &analysis) {
        say(line);
    }
    let all = results.plan.conditions.len() * results.plan.seeds.len();
    say(format!(
        "tables and report.svg of {} of {all} runs are in {}",
        results.runs.len(),
        out.display()
    ));
    Ok(())
}

/// What was found, a line each: conditions against the control, combinations, what matters most.
fn findings(results: &Results, analysis: &Analysis) -> Vec<String> {
    /// Lines of a kind.
    const MOST: usize = 30;
    let plan = &results.plan;
    let interval = |of: &crate::trial::statistics::Estimate| {
        if of.low.is_finite() {
            format!("{:.3} ({:.3} to {:.3})", of.value, of.low, of.high)
        } else {
            format!("{:.3}", of.value)
        }
    };
    let left_out = |what: &str, count: usize| match count {
        0 => String::new(),
        count => format!(" ({count} {what} without a value are left out)"),
    };
    let mut lines = Vec::new();
    if matches!(plan.kind, Kind::Arms) {
        for of in &analysis.summaries {
            let (name, label) = (
                &plan.conditions[of.condition].name,
                &plan.measures[of.measure].label,
            );
            let against = of.against.as_ref().map_or_else(String::new, |against| {
                let left_out = left_out("pairs", against.without_value);
                format!("; over the control {}{left_out}", interval(&against.ratio))
            });
            let left_out = left_out("runs", of.without_value);
            let mean = interval(&of.mean);
            lines.push(format!("{name}: {label} {mean}{left_out}{against}"));
        }
        for of in &analysis.combinations {
            let (name, label) = (
                &plan.conditions[of.condition].name,
                &plan.measures[of.measure].label,
            );
            lines.push(format!(
                "{name}: Bliss excess of {label} {}{}",
                interval(&of.bliss_excess),
                left_out("runs", of.without_value)
            ));
        }
    }
    for of in analysis.influences.iter().take(MOST) {
        let label = &plan.measures[of.measure].label;
        if let Some(effect) = of.screened {
            lines.push(format!(
                "{}: {label} mu* {:.3}, sigma {:.3}",
                of.path, effect.mu_star, effect.sigma
            ));
        } else if let Some(against) = &of.without {
            lines.push(format!(
                "without {}: {label} {} more{}{}",
                of.path,
                interval(&against.difference),
                if of.chance_among_all.is_finite() {
                    format!(", p {:.2e} among all", of.chance_among_all)
                } else {
                    String::new()
                },
                left_out("pairs", against.without_value)
            ));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_they_are_written() {
        assert_eq!(parse_part("2/8"), Ok((2, 8)));
        for wrong in ["", "2", "0/8", "9/8", "a/b", "1/2/3", "-1/2"] {
            assert!(parse_part(wrong).is_err(), "{wrong}");
        }
    }
}
