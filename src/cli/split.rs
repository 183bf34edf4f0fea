//! `tumorscape split`: how often something happens that is too rare for runs as they are.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::interruption;
use super::progress::Progress;
use super::run::SimulationArguments;
use super::span::{describe_hours, parse_span};
use super::{Failure, say};
use crate::core::files::{is_taken, write_whole};
use crate::measure::metrics;
use crate::scene::schema::Span;
use crate::simulation::{Program, Simulation};
use crate::trial::plan::{column_and_site, measured};
use crate::trial::splitting::{Estimates, Splitting, SplittingError, split};

/// Options of `split`.
#[derive(Debug, Args)]
pub(crate) struct SplitArguments {
    #[command(flatten)]
    simulation: SimulationArguments,
    /// The measurement that tells how near a run has come to what is rare: a column of metrics.csv, of the first site or of that behind an `@`.
    #[arg(long, value_name = "COLUMN[@SITE]")]
    by: String,
    /// Levels of it at which a run is forked, each above the one before, such as 1,3,10.
    #[arg(long, value_name = "LEVELS", value_delimiter = ',', required = true)]
    levels: Vec<f64>,
    /// Copies made of a run at each level, itself among them.
    #[arg(long, value_name = "N", default_value_t = 4)]
    copies: u32,
    /// Runs that begin at the beginning, with as many seeds.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    roots: u32,
    /// Measure this often in tissue time; every step if left out.
    #[arg(long, value_name = "TIME", value_parser = parse_span, allow_hyphen_values = true)]
    every: Option<Span>,
    /// A column that is told at the end, of the first site or of that behind an `@`; several times for several. `estimates.csv` has all of them.
    #[arg(long, value_name = "COLUMN[@SITE]")]
    metric: Vec<String>,
    /// The folder for branches.csv and estimates.csv; `splits/SCENE` if left out.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// No progress bar.
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn split_runs(
    program: &Program,
    arguments: &SplitArguments,
) -> Result<ExitCode, Failure> {
    let first = arguments.simulation.prepare(program)?;
    let (known, sites) = (metrics::known(first.world()), first.site_names());
    let named = |text: &String| {
        let (metric, site) = measured(column_and_site(text), &known, &sites)?;
        Ok::<_, Failure>((metric.name.clone(), site))
    };
    let (metric, site) = named(&arguments.by)?;
    let told: Vec<_> = arguments
        .metric
        .iter()
        .map(named)
        .collect::<Result<_, _>>()?;
    let step_minutes = first.clock().step_minutes;
    let every = arguments
        .every
        .map_or(1.0, |every| every.minutes() / step_minutes);
    let how = Splitting {
        metric,
        site,
        levels: arguments.levels.clone(),
        copies: arguments.copies,
        every_steps: every.round().max(1.0) as u64,
    };
    how.check(&first).map_err(Failure::input)?;
    let folder = arguments.out.clone();
    let folder =
        folder.unwrap_or_else(|| PathBuf::from("splits").join(arguments.simulation.name()));
    let [branches_file, estimates_file] =
        ["branches.csv", "estimates.csv"].map(|name| folder.join(name));
    if let Some(taken) = [&branches_file, &estimates_file]
        .into_iter()
        .find(|file| is_taken(file))
    {
        return Err(Failure::Input(format!(
            "`{}` is there already: choose another folder with --out",
            taken.display()
        )));
    }
    std::fs::create_dir_all(&folder).map_err(|error| {
        Failure::Input(format!("cannot create `{}`: {error}", folder.display()))
    })?;
    interruption::listen();
    let (scene, seed, end) = (Arc::clone(first.scene()), first.seed(), first.end_minutes());
    let mut estimates = Estimates::default();
    let mut table = String::from("root,seed,branch,from,forked_hours,levels,weight,reached\n");
    let mut progress = Progress::new(0, u64::from(arguments.roots), arguments.quiet);
    let mut next = Some(first);
    let mut branches = 0_u64;
    for root in 0..arguments.roots {
        let own_seed = seed.wrapping_add(u64::from(root));
        let simulation = match next.take() {
            Some(first) => first,
            None => {
                let mut other =
                    Simulation::new(Arc::clone(&scene), own_seed).map_err(Failure::input)?;
                other.set_end(end);
                other
            }
        };
        estimates.begin_root();
        let found = split(
            simulation,
            &how,
            interruption::is_asked,
            |branch, simulation| {
                let metrics = simulation.metrics();
                let reached = metrics.get(how.site).and_then(|of| of.get(&how.metric));
                estimates.add(branch.weight, &metrics);
                let _written = writeln!(
                    table,
                    "{root},{own_seed},{},{},{},{},{},{}",
                    branch.number,
                    branch
                        .from
                        .map_or_else(String::new, |(from, _)| from.to_string()),
                    branch.from.map_or_else(String::new, |(_, step)| {
                        format!("{:.4}", step as f64 * step_minutes / 60.0)
                    }),
                    branch.levels,
                    branch.weight,
                    reached.unwrap_or(f64::NAN),
                );
            },
        );
        branches += match found {
            Ok(found) => u64::from(found),
            Err(SplittingError::Stopped) => {
                progress.end();
                return Err(Failure::Run(
                    "stopped on request; nothing was written".into(),
                ));
            }
            Err(error) => return Err(Failure::run(error)),
        };
        progress.reached(u64::from(root) + 1, || format!("{branches} branches"));
    }
    progress.end();
    let names = scene.scene.sites.iter().map(|site| site.name.as_str());
    let names: Vec<&str> = names.collect();
    let mut text = String::from("site,metric,mean,standard_error\n");
    for (site, name, estimate) in estimates.iter() {
        let _written = writeln!(
            text,
            "{},{name},{},{}",
            names.get(site).copied().unwrap_or_default(),
            estimate.mean(),
            estimate.standard_error(),
        );
    }
    for (file, text) in [(&branches_file, &table), (&estimates_file, &text)] {
        write_whole(file, text.as_bytes())
            .map_err(|error| Failure::Run(format!("cannot write `{}`: {error}", file.display())))?;
    }
    say(format!(
        "{} roots, {branches} branches, each to {}",
        arguments.roots,
        describe_hours(end / 60.0)
    ));
    for (name, site) in std::iter::once(&(how.metric.clone(), how.site)).chain(&told) {
        let of = estimates
            .iter()
            .find(|(at, column, _)| at == site && column == name);
        if let Some((.., estimate)) = of {
            say(format!(
                "{name} in {}: {:.6} +/- {:.6} (standard error)",
                names.get(*site).copied().unwrap_or_default(),
                estimate.mean(),
                estimate.standard_error()
            ));
        }
    }
    say(format!("written to `{}`", folder.display()));
    Ok(ExitCode::SUCCESS)
}
