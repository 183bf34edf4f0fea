//! One table of how fast the program is and what a cell costs, on stated work.
//!
//! `cargo bench --no-default-features --bench table` runs everything; words after `--` keep only the rows
//! whose work contains all of them (`-- mechanics lattice`), `--quick` takes fewer repetitions. Figures of time are
//! medians of repetitions, with the least and the most in brackets, on one thread and on two. The number of threads is
//! fixed once per process, and memory is that of a process, so each row runs in a child process of its own: this
//! program again, with `--row`.
//!
//! | file | measures |
//! | --- | --- |
//! | `mechanics` | the kernel of contact forces on a ball of tissue (`ball`) |
//! | `fields` | the field solver on the molecules of a tumour (`tumour`) |
//! | `scenes` | whole steps of the shipped scenes, and where time and memory go |
//! | `walkers` | few cells that walk fast among many that do not |
//! | `repeat` | durations of repeated work |
//! | `print` | how the table looks |

mod ball;
mod fields;
mod killers;
mod mechanics;
mod print;
mod repeat;
mod scenes;
mod tumour;
mod walkers;

use std::process::{Command, ExitCode};

use print::{Line, short};
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
    /// The least and the most among repetitions.
    range: Option<[f64; 2]>,
}

impl Figure {
    /// A value under a name.
    pub fn new(name: impl Into<String>, value: f64) -> Self {
        Self {
            name: name.into(),
            value,
            range: None,
        }
    }
}

/// A piece of work that is measured.
pub struct Case {
    /// What the work is; names the row.
    pub work: String,
    /// Measures it in this process, with fewer repetitions if so told.
    pub measure: Box<dyn Fn(bool) -> Vec<Figure>>,
    /// What its figures must reach on two threads.
    pub goals: Vec<(&'static str, Goal)>,
    /// The figure of which [`RATIO`] is taken.
    pub speed: &'static str,
}

/// Figure of all work: its speed on two threads over that on one.
pub const RATIO: &str = "two threads over one";

/// What [`RATIO`] must reach where it is a goal.
pub const SPEED_UP: Goal = Goal::AtLeast(1.8);

fn cases() -> Vec<Case> {
    let mut cases = mechanics::cases();
    cases.extend(fields::cases());
    cases.extend(scenes::cases());
    cases.extend(walkers::cases());
    cases.extend(killers::cases());
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
    if let [flag, work, threads] = words.as_slice()
        && flag == "--row"
    {
        return measure_row(work, threads, quick);
    }
    if let Some(unknown) = words.iter().find(|word| word.starts_with('-')) {
        eprintln!("unknown option `{unknown}`; known are words to search for, and `--quick`");
        return ExitCode::FAILURE;
    }
    print_table(&words, quick)
}

fn measure_row(work: &str, threads: &str, quick: bool) -> ExitCode {
    let (Some(case), Ok(threads)) = (
        cases().into_iter().find(|case| case.work == work),
        threads.parse(),
    ) else {
        return ExitCode::FAILURE;
    };
    parallel::set_threads(Some(threads));
    for Figure { name, value, range } in (case.measure)(quick) {
        match range {
            Some([min, max]) => println!("{name}\t{value}\t{min}\t{max}"),
            None => println!("{name}\t{value}"),
        }
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
    cases.retain(asked_for);
    println!("{}", print::head());
    let mut speeds: Vec<(String, f64)> = Vec::new();
    let mut failed = false;
    for case in cases {
        let goal_of = |figure: &str, value: f64| {
            let goal = case.goals.iter().find(|(name, _)| *name == figure);
            goal.map(|(_, goal)| (*goal, goal.is_met(value)))
        };
        let columns = THREADS.map(|threads| in_child(&case.work, threads, quick));
        let [Some(one), Some(two)] = columns else {
            eprintln!("{}: could not be measured", case.work);
            failed = true;
            continue;
        };
        for two in &two {
            // A part of the program that took no time on one thread has no line there.
            let one = one.iter().find(|one| one.name == two.name);
            println!(
                "{}",
                Line {
                    work: &case.work,
                    figure: &two.name,
                    values: [
                        one.map_or_else(String::new, Figure::to_string),
                        two.to_string()
                    ],
                    goal: goal_of(&two.name, two.value),
                }
            );
            if let Some(one) = one
                && two.name == case.speed
            {
                let ratio = two.value / one.value;
                println!(
                    "{}",
                    Line {
                        work: &case.work,
                        figure: RATIO,
                        values: [String::new(), short(ratio)],
                        goal: goal_of(RATIO, ratio),
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
fn in_child(work: &str, threads: usize, quick: bool) -> Option<Vec<Figure>> {
    let mut command = Command::new(std::env::current_exe().ok()?);
    command.args(["--row", work, &threads.to_string()]);
    if quick {
        command.arg("--quick");
    }
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    String::from_utf8(output.stdout)
        .ok()?
        .lines()
        .map(|line| {
            let mut words = line.split('\t');
            let name = words.next()?;
            let mut numbers = words.map_while(|word| word.parse().ok());
            let figure = Figure::new(name, numbers.next()?);
            let range = numbers.next().zip(numbers.next());
            Some(Figure {
                range: range.map(|(min, max)| [min, max]),
                ..figure
            })
        })
        .collect()
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
