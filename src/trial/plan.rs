//! Which runs a trial has: conditions times seeds, and what is measured of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::TrialError;
use crate::core::metric::Metric;
use crate::core::parameters::nearest;
use crate::scene::schema::{self, Span};
use crate::scene::{Arm, ParsedScene};

/// Most runs of a trial.
pub const MAX_RUNS: usize = 100_000;
/// Of figures that are measured where a scene names none, the first so many.
const MAX_FIGURES: usize = 8;

/// What a trial is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Title of the scene.
    pub title: String,
    /// Version of the program that has set it up.
    pub program: String,
    /// What its conditions are.
    pub kind: Kind,
    /// The conditions.
    pub conditions: Vec<Condition>,
    /// Place of the condition with which the others are compared; points of a sweep are compared with none.
    pub control: usize,
    /// Seeds of the runs of each condition.
    pub seeds: Vec<u64>,
    /// What is compared at the end.
    pub measures: Vec<Measure>,
    /// The time of this is compared, if anything's: the first measurement at which it holds, and the name of its site.
    pub time_to: Option<schema::Condition>,
    /// Tissue time at which runs end; at the end of the scene if left out.
    pub until: Option<Span>,
    /// Tissue time between two checkpoints of a run.
    pub checkpoint_every: Span,
}

/// What the conditions of a trial are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    /// The arms of a scene.
    Arms,
    /// Values of parameters, on a grid or drawn.
    Sweep {
        /// The parameters, by path.
        parameters: Vec<String>,
    },
    /// Paths of a screening by Morris.
    Screening {
        /// The parameters with their ranges.
        ranges: Vec<super::design::Range>,
        /// Number of paths.
        paths: u64,
        /// What they are drawn by.
        seed: u64,
    },
    /// The scene as it is, and without each of its arrows.
    Ablation,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Its name in tables and pictures.
    pub name: String,
    /// Name of the file of its scene, without ending, and of the folder of its runs: plain letters, digits and `-`.
    pub file: String,
    /// Parameters that are its own, by path.
    #[serde(default)]
    pub parameters: BTreeMap<String, f64>,
    /// The arrow that it lacks, of an ablation.
    #[serde(default)]
    pub without: Option<String>,
    /// How much of what it gives, by name.
    #[serde(default)]
    pub doses: BTreeMap<String, f64>,
    /// The conditions that it combines, by their places.
    #[serde(default)]
    pub combines: Vec<usize>,
}

/// Something that is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Name of the column of `metrics.csv`.
    pub metric: String,
    /// Name of the site.
    pub site: String,
    /// What it is called in a picture.
    pub label: String,
    /// Its unit; empty for a pure number.
    pub unit: String,
}

/// A run of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunOf {
    /// Place of its seed in the plan. Runs are ordered by it, so that all conditions are equally far.
    pub seed: usize,
    /// Place of its condition.
    pub condition: usize,
}

impl Plan {
    /// All runs, in the order in which they are computed.
    pub fn runs(&self) -> impl Iterator<Item = RunOf> + '_ {
        (0..self.seeds.len()).flat_map(move |seed| {
            (0..self.conditions.len()).map(move |condition| RunOf { seed, condition })
        })
    }

    /// The runs of part `part` of `of` parts, both counted from 1: every `of`-th.
    pub fn part(&self, (part, of): (u32, u32)) -> Vec<RunOf> {
        let is_in = |number: usize| number % of as usize == part as usize - 1;
        let numbered = self.runs().enumerate();
        numbered
            .filter(|(number, _)| is_in(*number))
            .map(|(_, run)| run)
            .collect()
    }

    /// Makes sure that a plan that was read from a file is one that a trial can have.
    ///
    /// # Errors
    /// In words, what it cannot be.
    pub(super) fn check(&self) -> Result<(), String> {
        let is_plain = |file: &str| {
            !file.is_empty() && file.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        if let Some(odd) = self.conditions.iter().find(|of| !is_plain(&of.file)) {
            return Err(format!("`{}` is no name of a file of a trial", odd.file));
        }
        let count = self.conditions.len();
        let mut places = self.conditions.iter().flat_map(|of| &of.combines);
        if self.control >= count || places.any(|place| *place >= count) {
            return Err("it names a condition that it does not have".into());
        }
        let runs = count.saturating_mul(self.seeds.len());
        if !(1..=MAX_RUNS).contains(&runs) {
            return Err(format!(
                "it has {runs} runs; from 1 to {MAX_RUNS} are possible"
            ));
        }
        let files: BTreeSet<&str> = self.conditions.iter().map(|of| of.file.as_str()).collect();
        let seeds: BTreeSet<u64> = self.seeds.iter().copied().collect();
        if files.len() < count || seeds.len() < self.seeds.len() {
            return Err("it has the same run twice".into());
        }
        if let Kind::Screening { ranges, paths, .. } = &self.kind {
            let points = (ranges.len() as u64 + 1).checked_mul(*paths);
            if points != Some(count as u64) {
                return Err(format!(
                    "{paths} paths of {} parameters are not its {count} conditions",
                    ranges.len()
                ));
            }
        }
        Ok(())
    }
}

/// Seeds of replicates: those of the scene on, one after the other.
pub fn seeds_from(first: u64, replicates: u32) -> Vec<u64> {
    (0..u64::from(replicates))
        .map(|number| first.wrapping_add(number))
        .collect()
}

/// What is asked of a trial on the command line, and else follows from the scene.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Runs of each condition.
    pub replicates: Option<u32>,
    /// Seed of the first.
    pub seed: Option<u64>,
    /// Tissue time at which runs end.
    pub until: Option<Span>,
    /// Tissue time between two checkpoints.
    pub checkpoint_every: Option<Span>,
    /// Columns that are compared, in place of those of the scene; of the first site, or of that named behind an `@`.
    pub metrics: Vec<String>,
}

impl Plan {
    /// The plan of these conditions of a scene; `known` are the columns that its runs have.
    ///
    /// # Errors
    /// When what is asked for does not exist, or there are too many runs.
    pub fn new(
        parsed: &ParsedScene,
        known: &[Metric],
        (kind, conditions, control): (Kind, Vec<Condition>, usize),
        asked: &Asked,
    ) -> Result<Self, TrialError> {
        let scene = &parsed.scene;
        let replicates = asked.replicates.unwrap_or(scene.trial.replicates);
        if replicates == 0 {
            return Err(TrialError::Asked("--replicates must be at least 1".into()));
        }
        let runs = conditions.len().saturating_mul(replicates as usize);
        if runs > MAX_RUNS {
            return Err(TrialError::Asked(format!(
                "these are {runs} runs; at most {MAX_RUNS} are possible"
            )));
        }
        let first_site = scene.sites.first().map_or("", |site| site.name.as_str());
        let end = asked.until.unwrap_or(scene.duration);
        let time_to = scene.trial.time_to.clone().map(|mut test| {
            test.site.get_or_insert_with(|| first_site.to_owned());
            test
        });
        Ok(Self {
            title: scene.title.clone(),
            program: env!("CARGO_PKG_VERSION").into(),
            kind,
            conditions,
            control,
            seeds: seeds_from(asked.seed.unwrap_or(scene.seed), replicates),
            measures: measures(parsed, known, &asked.metrics)?,
            time_to,
            until: asked.until,
            // Ten in a run: what is lost when it is ended is a twentieth of it on average.
            checkpoint_every: asked
                .checkpoint_every
                .unwrap_or_else(|| Span::Minutes((end.minutes() / 10.0).max(scene.step.minutes()))),
        })
    }
}

/// What is compared: what is asked for, what the scene names, or the figures that are written over pictures.
fn measures(
    parsed: &ParsedScene,
    known: &[Metric],
    asked: &[String],
) -> Result<Vec<Measure>, TrialError> {
    let scene = &parsed.scene;
    let sites: Vec<&str> = scene.sites.iter().map(|site| site.name.as_str()).collect();
    let named: Vec<(&str, Option<&str>)> = if !asked.is_empty() {
        asked.iter().map(|text| column_and_site(text)).collect()
    } else if !scene.trial.measures.is_empty() {
        let of = scene.trial.measures.iter();
        of.map(|of| (of.metric.as_str(), of.site.as_deref()))
            .collect()
    } else {
        let figures = known.iter().filter(|metric| metric.figure.is_some());
        let figures = figures.map(|metric| (metric.name.as_str(), None));
        figures.take(MAX_FIGURES).collect()
    };
    let mut measures: Vec<Measure> = Vec::new();
    for named in named {
        let (metric, site) = measured(named, known, &sites)?;
        let site = sites.get(site).copied().unwrap_or_default();
        let measure = Measure {
            metric: metric.name.clone(),
            site: site.into(),
            label: metric.label.clone(),
            unit: metric.unit.clone(),
        };
        if !measures.contains(&measure) {
            measures.push(measure);
        }
    }
    Ok(measures)
}

/// The column and the site of `COLUMN` or `COLUMN@SITE`.
pub fn column_and_site(text: &str) -> (&str, Option<&str>) {
    match text.split_once('@') {
        Some((column, site)) => (column, Some(site)),
        None => (text, None),
    }
}

/// What is measured under the name of a column, and the number of the site: the first if none is named.
///
/// # Errors
/// When there is no such column or site.
pub fn measured<'m>(
    (column, site): (&str, Option<&str>),
    known: &'m [Metric],
    sites: &[&str],
) -> Result<(&'m Metric, usize), TrialError> {
    let Some(metric) = known.iter().find(|metric| metric.name == column) else {
        let names: Vec<&str> = known.iter().map(|metric| metric.name.as_str()).collect();
        let guess = nearest(column, &names).map_or_else(
            || "see `tumorscape describe`".into(),
            |guess| format!("did you mean `{guess}`?"),
        );
        return Err(TrialError::Asked(format!(
            "there is no column `{column}`; {guess}"
        )));
    };
    let number = site.map_or(Some(0), |site| sites.iter().position(|of| *of == site));
    let Some(number) = number else {
        return Err(TrialError::Asked(format!(
            "there is no site `{}`; the scene has `{}`",
            site.unwrap_or_default(),
            sites.join("`, `")
        )));
    };
    Ok((metric, number))
}

/// The conditions that the arms of a scene are, with the scene of each, and the place of the control.
///
/// # Errors
/// When the scene has no arms.
pub fn conditions_of_arms(
    parsed: &ParsedScene,
) -> Result<(Vec<(Condition, ParsedScene)>, usize), TrialError> {
    let scene = &parsed.scene;
    if scene.arms.is_empty() {
        return Err(TrialError::Asked(format!(
            "`{}` has no arms to compare: add `arms: [(name: \"untreated\"), (name: \"A\", parameters: {{...}})]`, or try `tumorscape sweep`",
            parsed.name
        )));
    }
    let conditions = scene.arms.iter().enumerate().map(|(place, arm)| {
        let condition = Condition {
            name: arm.name.clone(),
            file: file_name(place, &arm.name),
            parameters: arm.parameters.clone(),
            without: None,
            doses: scene.doses_in(place),
            combines: scene.combined_in(place),
        };
        let of_arm = parsed.arm(&arm.name).map_err(TrialError::Asked)?;
        Ok((condition, of_arm))
    });
    let conditions: Vec<_> = conditions.collect::<Result<_, TrialError>>()?;
    let control = scene.trial.control.as_ref();
    let control = control.and_then(|name| scene.arms.iter().position(|arm| arm.name == *name));
    Ok((conditions, control.unwrap_or(0)))
}

/// A condition of a sweep and its scene.
pub fn condition(parsed: &ParsedScene, place: usize, arm: Arm) -> (Condition, ParsedScene) {
    let condition = Condition {
        name: arm.name.clone(),
        file: file_name(place, &arm.name),
        parameters: arm.parameters.clone(),
        without: arm.without.first().cloned(),
        doses: BTreeMap::new(),
        combines: Vec::new(),
    };
    (condition, parsed.in_unchecked_arm(arm))
}

/// A name that is safe as that of a file on any system: the number, and of the name what are plain letters and digits.
pub fn file_name(place: usize, name: &str) -> String {
    let mut file = format!("{:03}", place + 1);
    for part in name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
    {
        if file.len() + part.len() > 40 {
            break;
        }
        file.push('-');
        file.push_str(&part.to_ascii_lowercase());
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::design::Range;

    #[test]
    fn names_of_files_are_plain_whatever_arms_are_called() {
        for (name, file) in [
            ("anti-PD-1 + anti-VEGFR2", "003-anti-pd-1-anti-vegfr2"),
            ("$(rm -rf ~); '\"\n", "003-rm-rf"),
            ("../../etc", "003-etc"),
            ("\u{4e2d}\u{6587}", "003"),
        ] {
            assert_eq!(file_name(2, name), file);
        }
        assert!(file_name(0, &"long ".repeat(40)).len() <= 45);
    }

    fn plan() -> Plan {
        let condition = |name: &str| Condition {
            name: name.into(),
            file: name.into(),
            parameters: BTreeMap::new(),
            without: None,
            doses: BTreeMap::new(),
            combines: Vec::new(),
        };
        Plan {
            title: String::new(),
            program: String::new(),
            kind: Kind::Arms,
            conditions: vec![condition("a"), condition("b"), condition("c")],
            control: 0,
            seeds: seeds_from(5, 4),
            measures: Vec::new(),
            time_to: None,
            until: None,
            checkpoint_every: Span::Hours(1.0),
        }
    }

    #[test]
    fn parts_share_out_all_runs() {
        let plan = plan();
        let mut runs: Vec<RunOf> = (1..=5).flat_map(|part| plan.part((part, 5))).collect();
        runs.sort_unstable();
        assert_eq!(runs, plan.runs().collect::<Vec<_>>());
        assert_eq!(plan.seeds, [5, 6, 7, 8]);
    }

    fn screening(parameters: usize, paths: u64) -> Kind {
        let range = Range::parse("a.b=0..1").expect("a range");
        Kind::Screening {
            ranges: vec![range; parameters],
            paths,
            seed: 1,
        }
    }

    #[test]
    fn a_plan_that_no_trial_can_have_is_refused() {
        let changed = |change: fn(&mut Plan)| {
            let mut plan = plan();
            change(&mut plan);
            plan.check()
        };
        let wrong: [(fn(&mut Plan), &str); 11] = [
            (|of| of.conditions[1].file = "../b".into(), "no name of"),
            (|of| of.control = 3, "does not have"),
            (|of| of.conditions[2].combines = vec![3], "does not have"),
            (|of| of.seeds = seeds_from(1, 40_000), "120000 runs"),
            (|of| of.seeds.clear(), "0 runs"),
            (|of| of.seeds = vec![4, 5, 4], "twice"),
            (|of| of.conditions[2].file = "a".into(), "twice"),
            (|of| of.kind = screening(2, 2), "2 paths of 2"),
            (|of| of.kind = screening(0, 4), "4 paths of 0"),
            (|of| of.kind = screening(3, 1 << 62), "paths of 3"),
            (|of| of.kind = screening(0, u64::MAX), "paths of 0"),
        ];
        for (change, says) in wrong {
            let message = changed(change).expect_err(says);
            assert!(message.contains(says), "{message}");
        }
        assert_eq!(changed(|_| {}), Ok(()));
        assert_eq!(changed(|of| of.kind = screening(2, 1)), Ok(()));
    }
}
