//! Rare events: one run is made many where it comes nearer to what is rare, with weights that make up for it.
//!
//! A run starts with the weight 1. Where a measurement first reaches a level, the whole simulation is forked into so many copies, which go on
//! from the same state with random numbers of their own, each with an equal share of the weight. Of what a run ends with, the sum over all branches of a root,
//! each times its weight, has the same mean as one run without forks, whatever the measurement and the levels are: given the state at the fork the
//! copies are alike, and their weights add up to that of the run that was forked (fixed splitting: Kahn and Harris 1951, Natl Bur Stand Appl Math
//! Ser 12:27; Villen-Altamirano 1991; L'Ecuyer et al. 2007, doi:10.1145/1225275.1225276). Errors come from the spread between roots, which are independent.
//!
//! [`split`] runs one root; [`Estimate`] sums roots up.

use std::sync::Arc;

use crate::core::{CellId, Purpose, RandomKey};
use crate::journal::moment::Moment;
use crate::simulation::{Simulation, SiteMetrics};

/// The random numbers of a copy.
const BRANCH: Purpose = Purpose::of("trial.splitting.branch");

/// Most branches of a root.
pub const MOST_BRANCHES: u32 = 1_000_000;

/// Where runs are forked.
#[derive(Clone, Debug, PartialEq)]
pub struct Splitting {
    /// The measurement that tells how near a run has come: a column of `metrics.csv`.
    pub metric: String,
    /// The site of which it is measured, by number.
    pub site: usize,
    /// Levels at which a run is forked, each above the one before.
    pub levels: Vec<f64>,
    /// Copies made of it at each, itself among them.
    pub copies: u32,
    /// It is measured every so many steps.
    pub every_steps: u64,
}

/// One way that a root took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Branch {
    /// Its number among those of its root; 0 is the root itself.
    pub number: u32,
    /// The branch of which it was forked, and the step at which that was.
    pub from: Option<(u32, u64)>,
    /// Levels that had been reached when it was forked.
    pub levels: u32,
    /// Its share of the root.
    pub weight: f64,
}

/// Why a root cannot be split.
#[derive(Debug, thiserror::Error)]
pub enum SplittingError {
    /// The measurement is not among those of the scene, or its site is not.
    #[error("there is no measurement `{metric}` of the site number {site}")]
    NoMetric {
        /// Its column.
        metric: String,
        /// The number of its site.
        site: usize,
    },
    /// It has no level, one that is not above the one before, or no copies.
    #[error("{0}")]
    Senseless(&'static str),
    /// The state of a simulation could not be kept or taken up again.
    #[error("a run cannot be forked: {0}")]
    State(String),
    /// It was split too often.
    #[error("one root has more than {MOST_BRANCHES} branches: fewer levels or copies would do")]
    TooMany,
    /// A step broke an invariant.
    #[error("{0}")]
    Broken(String),
    /// The person asked to stop.
    #[error("stopped on request")]
    Stopped,
}

impl Splitting {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// What does not.
    pub fn check(&self, simulation: &Simulation) -> Result<(), SplittingError> {
        if self.levels.is_empty() {
            return Err(SplittingError::Senseless("there is no level to split at"));
        }
        if !self.levels.iter().all(|level| level.is_finite())
            || self.levels.windows(2).any(|pair| pair[0] >= pair[1])
        {
            return Err(SplittingError::Senseless(
                "levels are numbers, each above the one before",
            ));
        }
        if !(2..=10_000).contains(&self.copies) {
            return Err(SplittingError::Senseless(
                "2 to 10 000 copies are made at a level",
            ));
        }
        if self.every_steps == 0 {
            return Err(SplittingError::Senseless(
                "it is measured every step, or every few",
            ));
        }
        self.measured(simulation).map(|_| ())
    }

    fn measured(&self, simulation: &Simulation) -> Result<f64, SplittingError> {
        let metrics = simulation.metrics();
        let value = metrics.get(self.site).and_then(|of| of.get(&self.metric));
        value.ok_or_else(|| SplittingError::NoMetric {
            metric: self.metric.clone(),
            site: self.site,
        })
    }
}

/// A branch that waits for its turn.
struct Waiting {
    branch: Branch,
    seed: u64,
    moment: Arc<Moment>,
}

/// Runs a root to its end, and all that is forked of it; `ended` is told of each branch with the simulation as it is then. Returns how many there
/// were.
///
/// # Errors
/// As [`SplittingError`] says.
pub fn split(
    root: Simulation,
    how: &Splitting,
    is_stopped: impl Fn() -> bool,
    mut ended: impl FnMut(&Branch, &Simulation),
) -> Result<u32, SplittingError> {
    how.check(&root)?;
    let key = RandomKey(root.seed());
    let end = root.total_steps();
    let mut known = 1_u32;
    let mut waiting: Vec<Waiting> = Vec::new();
    let mut simulation = root;
    let mut branch = Branch {
        number: 0,
        from: None,
        levels: 0,
        weight: 1.0,
    };
    loop {
        loop {
            let is_asked =
                simulation.steps().is_multiple_of(how.every_steps) || simulation.steps() >= end;
            while is_asked
                && let Some(level) = how.levels.get(branch.levels as usize)
                && how.measured(&simulation)? >= *level
            {
                branch.levels += 1;
                branch.weight /= f64::from(how.copies);
                if simulation.steps() >= end {
                    // Copies of what has ended are all alike.
                    branch.weight *= f64::from(how.copies);
                    continue;
                }
                let moment = Moment::of(&simulation)
                    .map_err(|error| SplittingError::State(error.to_string()))?;
                let moment = Arc::new(moment);
                for _ in 1..how.copies {
                    let number = known;
                    known += 1;
                    if known > MOST_BRANCHES {
                        return Err(SplittingError::TooMany);
                    }
                    let mut random = key.stream(CellId(u64::from(number)), 0, BRANCH);
                    let [low, high] = [random.bits(), random.bits()].map(u64::from);
                    waiting.push(Waiting {
                        branch: Branch {
                            number,
                            from: Some((branch.number, simulation.steps())),
                            ..branch
                        },
                        seed: high << 32 | low,
                        moment: Arc::clone(&moment),
                    });
                }
            }
            if simulation.steps() >= end {
                break;
            }
            if is_stopped() {
                return Err(SplittingError::Stopped);
            }
            simulation.step();
            if let Some(violation) = simulation.violation() {
                return Err(SplittingError::Broken(violation.to_string()));
            }
        }
        ended(&branch, &simulation);
        let Some(next) = waiting.pop() else {
            return Ok(known);
        };
        simulation = next
            .moment
            .fork(&simulation, next.seed)
            .map_err(SplittingError::State)?;
        branch = next.branch;
    }
}

/// Weighted sums over the branches of each root, and what they tell of the mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    /// For each root the sum over its branches.
    roots: Vec<f64>,
}

impl Estimate {
    /// Begins another root.
    pub fn begin_root(&mut self) {
        self.roots.push(0.0);
    }

    /// Adds what a branch of the last root ended with.
    pub fn add(&mut self, weight: f64, value: f64) {
        if let Some(last) = self.roots.last_mut() {
            *last += weight * value;
        }
    }

    /// The mean of a run without forks, as estimated.
    pub fn mean(&self) -> f64 {
        self.roots.iter().sum::<f64>() / self.roots.len() as f64
    }

    /// Standard error of it; not known of fewer than two roots.
    pub fn standard_error(&self) -> f64 {
        let (n, mean) = (self.roots.len() as f64, self.mean());
        if self.roots.len() < 2 {
            return f64::NAN;
        }
        let squares = self.roots.iter().map(|of| (of - mean) * (of - mean));
        (squares.sum::<f64>() / (n - 1.0) / n).sqrt()
    }
}

/// Estimates of all measurements of all sites.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimates {
    /// Site by number, column and estimate, in the order in which they were first seen.
    list: Vec<(usize, String, Estimate)>,
}

impl Estimates {
    /// Begins another root.
    pub fn begin_root(&mut self) {
        self.list.iter_mut().for_each(|(.., of)| of.begin_root());
    }

    /// Adds what a branch of the last root ended with, of the first root first.
    pub fn add(&mut self, weight: f64, sites: &[SiteMetrics]) {
        if self.list.is_empty() {
            for (site, metrics) in sites.iter().enumerate() {
                let columns = metrics.columns.iter();
                self.list.extend(columns.map(|(name, _)| {
                    let mut estimate = Estimate::default();
                    estimate.begin_root();
                    (site, name.clone(), estimate)
                }));
            }
        }
        let values = sites.iter().flat_map(|metrics| &metrics.columns);
        for ((.., estimate), (_, value)) in self.list.iter_mut().zip(values) {
            estimate.add(weight, *value);
        }
    }

    /// Site by number, column and estimate.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &str, &Estimate)> {
        let list = self.list.iter();
        list.map(|(site, name, estimate)| (*site, name.as_str(), estimate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_the_mean_over_roots_and_its_error_theirs() {
        let mut of = Estimate::default();
        for branches in [[1.0, 3.0], [2.0, 2.0], [4.0, 6.0]] {
            of.begin_root();
            branches.iter().for_each(|value| of.add(0.5, *value));
        }
        // Roots 2, 2 and 5.
        assert!((of.mean() - 3.0).abs() < 1e-12);
        assert!((of.standard_error() - 1.0).abs() < 1e-12);
        let mut one = Estimate::default();
        one.begin_root();
        one.add(1.0, 4.0);
        assert!(one.standard_error().is_nan());
    }
}
