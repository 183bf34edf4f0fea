//! The tables of a trial: columns of one type each, as CSV and as Parquet.
//!
//! | table | a row for each |
//! | --- | --- |
//! | `runs` | run and site: all columns of `metrics.csv` at its end |
//! | `summary` | condition and measure: mean, against the control |
//! | `courses` | condition, measure and time |
//! | `survival` | step of each curve of what is awaited |
//! | `times` | condition: median time of what is awaited, log-rank test |
//! | `combinations` | combination and measure: Bliss, Loewe |
//! | `influences` | parameter or arrow and measure |

use std::path::{Path, PathBuf};

use super::TrialError;
use super::analysis::{Against, Analysis};
use super::parquet::to_parquet;
use super::plan::Kind;
use super::results::Results;
use super::statistics::Estimate;
use crate::core::files::write_whole;

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Texts.
    Texts(Vec<String>),
    /// Whole numbers.
    Whole(Vec<i64>),
    /// Numbers; what is none is written as nothing.
    Numbers(Vec<f64>),
}

impl Values {
    /// How many there are.
    pub const fn len(&self) -> usize {
        match self {
            Self::Texts(of) => of.len(),
            Self::Whole(of) => of.len(),
            Self::Numbers(of) => of.len(),
        }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn text(&self, row: usize) -> String {
        match self {
            Self::Texts(of) => of[row].clone(),
            Self::Whole(of) => of[row].to_string(),
            // Of zero there is but one.
            Self::Numbers(of) if of[row].is_finite() => (of[row] + 0.0).to_string(),
            Self::Numbers(_) => String::new(),
        }
    }
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its name: that of its file without ending.
    pub name: &'static str,
    /// Its columns: name and values, all of one length.
    pub columns: Vec<(String, Values)>,
}

impl Table {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            columns: Vec::new(),
        }
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, values)| values.len())
    }

    fn texts(&mut self, name: &str, of: impl Iterator<Item = String>) {
        self.columns
            .push((name.into(), Values::Texts(of.collect())));
    }

    fn whole(&mut self, name: &str, of: impl Iterator<Item = usize>) {
        let of = of.map(|number| number as i64).collect();
        self.columns.push((name.into(), Values::Whole(of)));
    }

    fn numbers(&mut self, name: &str, of: impl Iterator<Item = f64>) {
        self.columns
            .push((name.into(), Values::Numbers(of.collect())));
    }

    /// A number with the ends of its interval, in three columns.
    fn estimates(&mut self, name: &str, of: &[Option<Estimate>]) {
        let part = |part: fn(&Estimate) -> f64| {
            let of: Vec<f64> = of
                .iter()
                .map(|of| of.as_ref().map_or(f64::NAN, part))
                .collect();
            of.into_iter()
        };
        self.numbers(name, part(|of| of.value));
        self.numbers(&format!("{name}_low"), part(|of| of.low));
        self.numbers(&format!("{name}_high"), part(|of| of.high));
    }

    /// It as CSV.
    ///
    /// # Errors
    /// In words, when a text cannot be written.
    pub fn to_csv(&self) -> Result<Vec<u8>, String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let names = self.columns.iter().map(|(name, _)| name);
        writer
            .write_record(names)
            .map_err(|error| error.to_string())?;
        for row in 0..self.rows() {
            let values = self.columns.iter().map(|(_, values)| values.text(row));
            writer
                .write_record(values)
                .map_err(|error| error.to_string())?;
        }
        writer.into_inner().map_err(|error| error.to_string())
    }
}

/// All tables that have rows.
pub fn tables(results: &Results, analysis: &Analysis) -> Vec<Table> {
    let of = [
        runs(results),
        summary(results, analysis),
        courses(results, analysis),
        survival(results, analysis),
        times(results, analysis),
        combinations(results, analysis),
        influences(results, analysis),
    ];
    of.into_iter().filter(|table| table.rows() > 0).collect()
}

/// Writes them to a folder, which must be there. Those of an earlier time are replaced.
///
/// # Errors
/// When one cannot be written.
pub fn write(folder: &Path, tables: &[Table]) -> Result<Vec<PathBuf>, TrialError> {
    let mut written = Vec::new();
    for table in tables {
        let text = table.to_csv().map_err(TrialError::Asked)?;
        for (end, bytes) in [("csv", text), ("parquet", to_parquet(table))] {
            let path = folder.join(format!("{}.{end}", table.name));
            write_whole(&path, &bytes).map_err(TrialError::io("write", path.clone()))?;
            written.push(path);
        }
    }
    Ok(written)
}

fn name(results: &Results, condition: usize) -> String {
    results.plan.conditions[condition].name.clone()
}

/// The first columns of a table of conditions and measures.
fn about<'a, T>(
    table: &mut Table,
    results: &Results,
    rows: &'a [T],
    of: impl Fn(&'a T) -> (usize, usize),
) {
    let measure = |row: &'a T| &results.plan.measures[of(row).1];
    table.texts("condition", rows.iter().map(|row| name(results, of(row).0)));
    table.texts("metric", rows.iter().map(|row| measure(row).metric.clone()));
    table.texts("site", rows.iter().map(|row| measure(row).site.clone()));
}

fn runs(results: &Results) -> Table {
    let mut table = Table::new("runs");
    let rows: Vec<_> = results
        .runs
        .iter()
        .flat_map(|run| run.last.iter().map(move |last| (run, last)))
        .collect();
    let plan = &results.plan;
    let condition = |run: &super::results::RunResult| &plan.conditions[run.run.condition];
    table.texts(
        "condition",
        rows.iter().map(|(run, _)| condition(run).name.clone()),
    );
    // Seeds use all 64 bits.
    table.texts(
        "seed",
        rows.iter()
            .map(|(run, _)| plan.seeds[run.run.seed].to_string()),
    );
    let varied: Vec<&String> = match &plan.kind {
        Kind::Sweep { parameters } => parameters.iter().collect(),
        Kind::Screening { ranges, .. } => ranges.iter().map(|range| &range.path).collect(),
        Kind::Arms | Kind::Ablation => Vec::new(),
    };
    for path in varied {
        let value = |run: &super::results::RunResult| condition(run).parameters.get(path).copied();
        table.numbers(
            path,
            rows.iter().map(|(run, _)| value(run).unwrap_or(f64::NAN)),
        );
    }
    table.texts("state", rows.iter().map(|(run, _)| run.done.state.clone()));
    table.texts(
        "expectations",
        rows.iter()
            .map(|(run, _)| if run.done.holds { "hold" } else { "fail" }.into()),
    );
    table.numbers("hours", rows.iter().map(|(run, _)| run.hours));
    table.texts("site", rows.iter().map(|(_, (site, _))| site.clone()));
    for (place, column) in results.columns.iter().enumerate() {
        let value = |values: &[f64]| values.get(place).copied().unwrap_or(f64::NAN);
        table.numbers(column, rows.iter().map(|(_, (_, values))| value(values)));
    }
    table
}

/// The columns of a comparison with the control.
fn compare(table: &mut Table, rows: &[Option<&Against>]) {
    table.whole("pairs", rows.iter().map(|of| of.map_or(0, |of| of.pairs)));
    table.whole(
        "pairs_without_value",
        rows.iter().map(|of| of.map_or(0, |of| of.without_value)),
    );
    let part = |part: fn(&Against) -> Estimate| -> Vec<Option<Estimate>> {
        rows.iter().map(|of| of.map(part)).collect()
    };
    table.estimates("difference", &part(|of| of.difference));
    table.estimates("ratio", &part(|of| of.ratio));
    table.numbers(
        "effect",
        rows.iter().map(|of| of.map_or(f64::NAN, |of| of.effect)),
    );
    table.numbers(
        "chance",
        rows.iter().map(|of| of.map_or(f64::NAN, |of| of.chance)),
    );
    let replicates = |of: &Option<&Against>| of.and_then(|of| of.replicates).map(f64::from);
    table.numbers(
        "replicates_for_power_0.8",
        rows.iter().map(|of| replicates(of).unwrap_or(f64::NAN)),
    );
}

fn summary(results: &Results, analysis: &Analysis) -> Table {
    let mut table = Table::new("summary");
    let rows = &analysis.summaries;
    about(&mut table, results, rows, |of| (of.condition, of.measure));
    table.whole("runs", rows.iter().map(|of| of.runs));
    table.whole("runs_without_value", rows.iter().map(|of| of.without_value));
    table.estimates(
        "mean",
        &rows.iter().map(|of| Some(of.mean)).collect::<Vec<_>>(),
    );
    table.numbers("deviation", rows.iter().map(|of| of.deviation));
    compare(
        &mut table,
        &rows
            .iter()
            .map(|of| of.against.as_ref())
            .collect::<Vec<_>>(),
    );
    table
}

fn courses(results: &Results, analysis: &Analysis) -> Table {
    let mut table = Table::new("courses");
    let rows: Vec<_> = analysis
        .courses
        .iter()
        .flat_map(|course| course.points.iter().map(move |point| (course, point)))
        .collect();
    about(&mut table, results, &rows, |(of, _)| {
        (of.condition, of.measure)
    });
    table.numbers("hours", rows.iter().map(|(_, (hours, ..))| *hours));
    table.whole("runs", rows.iter().map(|(_, (_, runs, _))| *runs));
    table.estimates(
        "mean",
        &rows
            .iter()
            .map(|(_, (.., of))| Some(*of))
            .collect::<Vec<_>>(),
    );
    table
}

fn survival(results: &Results, analysis: &Analysis) -> Table {
    let mut table = Table::new("survival");
    let rows: Vec<_> = analysis
        .survival
        .iter()
        .flat_map(|of| of.steps.iter().map(move |step| (of.condition, step)))
        .collect();
    table.texts("condition", rows.iter().map(|(of, _)| name(results, *of)));
    table.numbers("hours", rows.iter().map(|(_, step)| step.hours));
    table.whole("at_risk", rows.iter().map(|(_, step)| step.at_risk));
    table.whole("came", rows.iter().map(|(_, step)| step.came));
    table.estimates(
        "left",
        &rows
            .iter()
            .map(|(_, step)| Some(step.left))
            .collect::<Vec<_>>(),
    );
    table.numbers("error", rows.iter().map(|(_, step)| step.error));
    table
}

fn times(results: &Results, analysis: &Analysis) -> Table {
    let mut table = Table::new("times");
    let rows = &analysis.survival;
    table.texts(
        "condition",
        rows.iter().map(|of| name(results, of.condition)),
    );
    table.whole("runs", rows.iter().map(|of| of.runs.len()));
    table.whole(
        "came",
        rows.iter()
            .map(|of| of.runs.iter().filter(|run| run.came).count()),
    );
    table.numbers(
        "median_hours",
        rows.iter().map(|of| of.median.unwrap_or(f64::NAN)),
    );
    let test = |of: &super::analysis::Survival| of.against.unwrap_or((f64::NAN, f64::NAN));
    table.numbers("log_rank", rows.iter().map(|of| test(of).0));
    table.numbers("chance", rows.iter().map(|of| test(of).1));
    table
}

fn combinations(results: &Results, analysis: &Analysis) -> Table {
    let mut table = Table::new("combinations");
    let rows = &analysis.combinations;
    about(&mut table, results, rows, |of| (of.condition, of.measure));
    table.whole("runs", rows.iter().map(|of| of.runs));
    table.whole("runs_without_value", rows.iter().map(|of| of.without_value));
    table.estimates(
        "left",
        &rows.iter().map(|of| Some(of.left)).collect::<Vec<_>>(),
    );
    table.numbers("bliss_expected", rows.iter().map(|of| of.bliss));
    table.estimates(
        "bliss_excess",
        &rows
            .iter()
            .map(|of| Some(of.bliss_excess))
            .collect::<Vec<_>>(),
    );
    let loewe = |of: &super::analysis::Combination| of.loewe.as_ref().ok().copied();
    let number = |part: fn(&super::analysis::Loewe) -> f64| -> Vec<f64> {
        rows.iter()
            .map(|of| loewe(of).as_ref().map_or(f64::NAN, part))
            .collect()
    };
    table.numbers("loewe_expected", number(|of| of.expected).into_iter());
    let excess: Vec<_> = rows
        .iter()
        .map(|of| loewe(of).map(|of| of.excess))
        .collect();
    table.estimates("loewe_excess", &excess);
    table.numbers("combination_index", number(|of| of.index).into_iter());
    let why = rows
        .iter()
        .map(|of| of.loewe.as_ref().err().cloned().unwrap_or_default());
    table.texts("loewe_not_said_because", why);
    table
}

fn influences(results: &Results, analysis: &Analysis) -> Table {
    let mut table = Table::new("influences");
    let rows = &analysis.influences;
    let measure = |place: usize| &results.plan.measures[place];
    table.texts("path", rows.iter().map(|of| of.path.clone()));
    table.texts(
        "metric",
        rows.iter().map(|of| measure(of.measure).metric.clone()),
    );
    table.texts(
        "site",
        rows.iter().map(|of| measure(of.measure).site.clone()),
    );
    if matches!(results.plan.kind, Kind::Screening { .. }) {
        let part = |part: fn(&super::statistics::screening::Effect) -> f64| -> Vec<f64> {
            rows.iter()
                .map(|of| of.screened.as_ref().map_or(f64::NAN, part))
                .collect()
        };
        table.numbers("mu", part(|of| of.mu).into_iter());
        table.numbers("mu_star", part(|of| of.mu_star).into_iter());
        table.numbers("sigma", part(|of| of.sigma).into_iter());
    } else {
        compare(
            &mut table,
            &rows
                .iter()
                .map(|of| of.without.as_ref())
                .collect::<Vec<_>>(),
        );
        table.numbers(
            "chance_among_all",
            rows.iter().map(|of| of.chance_among_all),
        );
    }
    table
}
