//! One table of how fast the program is and what a cell costs, on stated work.
//!
//! `cargo bench --no-default-features --bench table` runs everything; words after `--` keep only the rows
//! whose work contains all of them (`-- mechanics lattice`), `--quick` takes fewer repetitions. Each figure is
//! a median of repetitions on a quiet machine (see `quiet`), on one thread and on two. The number of threads is
//! fixed once per process, and memory is that of a process, so each row runs in a child process of its own: this
//! program again, with `--row`.
//!
//! | file | measures |
//! | --- | --- |
//! | `mechanics` | the kernel of contact forces on a ball of tissue |
//! | `fields` | the field solver on oxygen in a tumour |
//! | `scenes` | whole steps of the shipped scenes, and what memory goes where |
//! | `quiet` | durations on a machine that others use too |
//! | `print` | how the table looks |

mod fields;
mod mechanics;
mod print;
mod quiet;
mod scenes;

use std::process::{Command, ExitCode};
use std::time::Duration;

use print::Line;
use quiet::{Meter, Speed};
use tumorscape::cell::mechanics::InstructionSet;
use tumorscape::core::parallel;

/// Numbers of threads that are compared.
const THREADS: [usize; 2] = [1, 2];

/// What a figure must reach.
#[derive(Clone, Copy)]
pub enum Goal {
    /// This much or more.
    AtLeast(f64),
    /// This much or less.
    AtMost(f64),
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

/// A measured value and what it is.
pub struct Figure {
    name: String,
    value: f64,
}

impl Figure {
    /// A value under a name.
    pub fn new(name: impl Into<String>, value: f64) -> Self {
        Self {
            name: name.into(),
            value,
        }
    }
}

/// A piece of work that is measured.
pub struct Case {
    /// What the work is; names the row.
    pub work: String,
    /// Measures it in this process.
    pub measure: Box<dyn Fn(Meter) -> Vec<Figure>>,
    /// What its figures must reach on two threads.
    pub goals: Vec<(&'static str, Goal)>,
    /// The figure of which two threads must give 1.8 times as much as one.
    pub speed: &'static str,
}

/// Two threads over one.
const SPEED_UP: Goal = Goal::AtLeast(1.8);

fn cases() -> Vec<Case> {
    let mut cases = vec![quiet::case()];
    cases.extend(mechanics::cases());
    cases.extend(fields::cases());
    cases.extend(scenes::cases());
    cases
}

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let mut take = |flag: &str| {
        let before = words.len();
        words.retain(|word| word != flag);
        words.len() < before
    };
    let quick = take("--quick");
    // Given by `cargo bench` to every bench.
    take("--bench");
    if let [flag, threads] = words.as_slice()
        && flag == "--calibrate"
        && let Ok(threads) = threads.parse()
    {
        parallel::set_threads(Some(threads));
        let Speed(best) = quiet::best_speed(Duration::from_secs(2));
        for speed in best {
            println!("{speed}");
        }
        return ExitCode::SUCCESS;
    }
    if let [flag, work, threads, best @ ..] = words.as_slice()
        && flag == "--row"
    {
        return measure_row(work, threads, best, quick);
    }
    if let Some(unknown) = words.iter().find(|word| word.starts_with('-')) {
        eprintln!("unknown option `{unknown}`; known are words to search for, and `--quick`");
        return ExitCode::FAILURE;
    }
    print_table(&words, quick)
}

fn measure_row(work: &str, threads: &str, best: &[String], quick: bool) -> ExitCode {
    let best: Vec<f64> = best.iter().filter_map(|word| word.parse().ok()).collect();
    let (Some(case), Ok(threads), Ok(best)) = (
        cases().into_iter().find(|case| case.work == work),
        threads.parse(),
        best.try_into().map(Speed),
    ) else {
        return ExitCode::FAILURE;
    };
    parallel::set_threads(Some(threads));
    for Figure { name, value } in (case.measure)(Meter { quick, best }) {
        println!("{name}\t{value}");
    }
    ExitCode::SUCCESS
}

fn print_table(words: &[String], quick: bool) -> ExitCode {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "{}, {cores} cores, {:?}{}",
        processor(),
        InstructionSet::detect(),
        if quick { ", few repetitions" } else { "" }
    );
    let mut cases = cases();
    let asked_for = |case: &Case| words.iter().all(|word| case.work.contains(word.as_str()));
    if !cases.iter().any(asked_for) {
        let words = words.join(" and ");
        eprintln!("no row contains {words}; these are the rows:");
        for case in cases {
            eprintln!("  {}", case.work);
        }
        return ExitCode::from(2);
    }
    // What the machine can do stands above whatever was asked for.
    cases.retain(|case| case.work == quiet::WORK || asked_for(case));
    let best = THREADS.map(best_speed);
    println!("{}", print::head());
    let mut speeds: Vec<(String, f64)> = Vec::new();
    let mut failed = false;
    for case in cases {
        let columns = [0, 1].map(|at| in_child(&case.work, THREADS[at], best[at], quick));
        let [Some(one), Some(two)] = columns else {
            eprintln!("{}: could not be measured", case.work);
            failed = true;
            continue;
        };
        for (one, two) in one.iter().zip(&two) {
            let goal = case.goals.iter().find(|(name, _)| *name == one.name);
            println!(
                "{}",
                Line {
                    work: &case.work,
                    figure: &one.name,
                    values: [one.value, two.value],
                    goal: goal.map(|(_, goal)| (*goal, goal.is_met(two.value))),
                }
            );
            if one.name == case.speed {
                let ratio = two.value / one.value;
                println!(
                    "{}",
                    Line {
                        work: &case.work,
                        figure: "two threads over one",
                        values: [1.0, ratio],
                        goal: Some((SPEED_UP, SPEED_UP.is_met(ratio))),
                    }
                );
                speeds.push((case.work.clone(), two.value));
            }
        }
        if let Some(line) = mechanics::order_matters(&case.work, &speeds) {
            println!("{line}");
        }
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// The figures of a row, measured by this program in a process of its own.
fn in_child(work: &str, threads: usize, best: Speed, quick: bool) -> Option<Vec<Figure>> {
    let mut words = vec!["--row".into(), work.into(), threads.to_string()];
    words.extend(best.0.map(|speed| speed.to_string()));
    if quick {
        words.push("--quick".into());
    }
    said_by_child(&words)?
        .lines()
        .map(|line| {
            let (name, value) = line.split_once('\t')?;
            Some(Figure::new(name, value.parse().ok()?))
        })
        .collect()
}

/// How fast so many threads are while the machine is quiet; zero, which every machine is, if that cannot be told.
fn best_speed(threads: usize) -> Speed {
    let said = said_by_child(&["--calibrate".into(), threads.to_string()]).unwrap_or_default();
    let mut speeds = said.lines().filter_map(|line| line.parse().ok());
    Speed([0, 1].map(|_| speeds.next().unwrap_or(0.0)))
}

/// What this program says in a process of its own.
fn said_by_child(words: &[String]) -> Option<String> {
    let output = Command::new(std::env::current_exe().ok()?)
        .args(words)
        .stderr(std::process::Stdio::inherit())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

fn processor() -> String {
    std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}
