//! What the runs of a trial have measured, read back from their run folders.
//!
//! The folder may be one, or several that hold parts of the same trial, computed on machines that share nothing.

use super::TrialError;
use super::folder::{Done, LONGEST, Stage, Trial};
use super::plan::{Plan, RunOf};
use super::statistics::survival::Followed;
use crate::core::files::read_plain;
use crate::scene::expect::met;

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// What the trial is.
    pub plan: Plan,
    /// The columns of `metrics.csv`, of all runs.
    pub columns: Vec<String>,
    /// The runs that are done, in the order of the plan.
    pub runs: Vec<RunResult>,
}

/// What a run has measured.
#[derive(Clone, Debug, PartialEq)]
pub struct RunResult {
    /// Which it is.
    pub run: RunOf,
    /// How it ended.
    pub done: Done,
    /// Tissue time of its last measurement, hours.
    pub hours: f64,
    /// The last measurement of each site: its name, and the values of all columns that runs before it had
    /// or it has itself.
    pub last: Vec<(String, Vec<f64>)>,
    /// Of each measure of the plan its course: hours and value.
    pub courses: Vec<Vec<(f64, f64)>>,
    /// When that came about whose time is compared.
    pub followed: Option<Followed>,
}

impl RunResult {
    /// The last value of a measure, by its place in the plan; no number where there is none.
    pub fn at_end(&self, measure: usize) -> f64 {
        self.courses[measure]
            .last()
            .map_or(f64::NAN, |(_, value)| *value)
    }
}

impl Results {
    /// Reads what is done of a trial that lies in these folders. A run that is done in several is read from the first.
    ///
    /// # Errors
    /// When the folders hold different trials, runs that should be the same differ, or a file is not what it should be.
    pub fn read(trials: &[Trial]) -> Result<Self, TrialError> {
        let Some(first) = trials.first() else {
            return Err(TrialError::Asked("there is no folder to read".into()));
        };
        for other in &trials[1..] {
            if other.plan != first.plan {
                return Err(TrialError::Other {
                    folder_path: other.folder.clone(),
                    what: format!("it is not that of `{}`", first.folder.display()),
                });
            }
        }
        let mut results = Self {
            plan: first.plan.clone(),
            columns: Vec::new(),
            runs: Vec::new(),
        };
        for run in first.plan.runs() {
            let mut found: Option<(&Trial, Done)> = None;
            for trial in trials {
                let Stage::Done(done) = trial.stage(run) else {
                    continue;
                };
                match &found {
                    None => found = Some((trial, done)),
                    Some((before, known)) if known.state != done.state => {
                        return Err(TrialError::Asked(format!(
                            "`{}` ended in other states in `{}` and `{}`: one of them was computed by another build of the \
                             program",
                            trial.name_of(run),
                            before.folder.display(),
                            trial.folder.display()
                        )));
                    }
                    Some(_) => {}
                }
            }
            if let Some((trial, done)) = found {
                let read = results.read_run(trial, run, done)?;
                results.runs.push(read);
            }
        }
        Ok(results)
    }

    /// The place of a column among those of all runs.
    fn place_of(&mut self, column: &str) -> usize {
        let known = self.columns.iter().position(|known| known == column);
        known.unwrap_or_else(|| {
            self.columns.push(column.to_owned());
            self.columns.len() - 1
        })
    }

    fn read_run(&mut self, trial: &Trial, run: RunOf, done: Done) -> Result<RunResult, TrialError> {
        let path = trial.inside(&trial.run_folder(run).join("metrics.csv"))?;
        let damaged = |what: String| TrialError::Damaged {
            path: path.clone(),
            what,
        };
        let text = read_plain(&path, LONGEST).map_err(|error| damaged(error.to_string()))?;
        let mut reader = csv::Reader::from_reader(text.as_slice());
        let headers = reader
            .headers()
            .map_err(|error| damaged(error.to_string()))?;
        let columns: Vec<String> = headers.iter().skip(2).map(str::to_owned).collect();
        // Without a rule there are no columns that tell what it does, so runs of an ablation differ in some.
        let places: Vec<usize> = columns.iter().map(|column| self.place_of(column)).collect();
        let width = self.columns.len();
        let plan = &self.plan;
        let place = |name: &str| columns.iter().position(|column| column == name);
        let measured: Vec<Option<usize>> =
            plan.measures.iter().map(|of| place(&of.metric)).collect();
        let awaited = plan.time_to.as_ref();
        let awaited = awaited.and_then(|test| Some((place(&test.metric)?, test)));
        let mut result = RunResult {
            run,
            done,
            hours: 0.0,
            last: Vec::new(),
            courses: vec![Vec::new(); measured.len()],
            followed: None,
        };
        let mut came = None;
        for row in reader.records() {
            let row = row.map_err(|error| damaged(error.to_string()))?;
            // What has no value is written as nothing.
            let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
            let hours = row.get(0).map_or(f64::NAN, number);
            let site = row.get(1).unwrap_or_default();
            if !hours.is_finite() || row.len() != columns.len() + 2 {
                return Err(damaged(format!(
                    "its row `{}` is not whole",
                    row.as_slice()
                )));
            }
            let values: Vec<f64> = row.iter().skip(2).map(number).collect();
            let measures = plan.measures.iter().zip(&measured).zip(&mut result.courses);
            for ((measure, column), course) in measures {
                if let (true, Some(column)) = (measure.site == site, column) {
                    course.push((hours, values[*column]));
                }
            }
            if let Some((column, test)) = awaited
                && test.site.as_deref() == Some(site)
                && came.is_none()
                && met(test.is, values[column])
            {
                came = Some(hours);
            }
            result.hours = hours;
            let mut all = vec![f64::NAN; width];
            for (place, value) in places.iter().zip(&values) {
                all[*place] = *value;
            }
            match result.last.iter_mut().find(|(name, _)| name == site) {
                Some((_, last)) => *last = all,
                None => result.last.push((site.to_owned(), all)),
            }
        }
        result.followed = awaited.map(|_| Followed {
            hours: came.unwrap_or(result.hours),
            came: came.is_some(),
        });
        Ok(result)
    }

    /// The runs of a condition that are done, in the order of their seeds.
    pub fn of_condition(&self, condition: usize) -> impl Iterator<Item = &RunResult> {
        // Runs lie in their order: none is looked for among all those of thousands of conditions.
        (0..self.plan.seeds.len()).filter_map(move |seed| {
            let run = RunOf { seed, condition };
            let place = self.runs.binary_search_by_key(&run, |of| of.run).ok()?;
            Some(&self.runs[place])
        })
    }

    /// What the runs of a condition have at the end of a measure, by place of the seed; those that have no value are missing.
    pub fn ends(&self, condition: usize, measure: usize) -> Vec<(usize, f64)> {
        let of = self.of_condition(condition);
        let ends = of.map(|of| (of.run.seed, of.at_end(measure)));
        ends.filter(|(_, value)| value.is_finite()).collect()
    }

    /// What several conditions have at the end of a measure, for the seeds that all of them have: a list for each condition.
    pub fn paired(&self, conditions: &[usize], measure: usize) -> Vec<Vec<f64>> {
        let ends: Vec<Vec<(usize, f64)>> = conditions
            .iter()
            .map(|of| self.ends(*of, measure))
            .collect();
        // They lie in the order of their seeds.
        let value = |of: &Vec<(usize, f64)>, seed: usize| {
            let place = of.binary_search_by_key(&seed, |(known, _)| *known).ok()?;
            Some(of[place].1)
        };
        let mut paired = vec![Vec::new(); conditions.len()];
        for (seed, _) in ends.first().into_iter().flatten() {
            let values: Option<Vec<f64>> = ends.iter().map(|of| value(of, *seed)).collect();
            for (value, list) in values.into_iter().flatten().zip(&mut paired) {
                list.push(value);
            }
        }
        paired
    }

    /// How many seeds all of these conditions have a run of that is done, whether it has a value at the end or not.
    pub fn of_all(&self, conditions: &[usize]) -> usize {
        let has = |seed: usize, condition: usize| {
            let run = RunOf { seed, condition };
            self.runs.binary_search_by_key(&run, |of| of.run).is_ok()
        };
        (0..self.plan.seeds.len())
            .filter(|seed| conditions.iter().all(|condition| has(*seed, *condition)))
            .count()
    }

    /// How long the runs of a condition were followed.
    pub fn followed(&self, condition: usize) -> Vec<Followed> {
        let of = self.of_condition(condition);
        of.filter_map(|of| of.followed).collect()
    }
}
