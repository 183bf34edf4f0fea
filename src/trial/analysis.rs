//! What follows from the results of a trial: each condition by itself, against the control, and what combinations, parameters and
//! arrows do.

use super::plan::Kind;
use super::results::Results;
use super::statistics::combination::{DoseResponse, bliss, combination_index, loewe};
use super::statistics::distribution::student_quantile;
use super::statistics::jackknife::student_of_ratio;
use super::statistics::multiplicity::{chance_of_pairs, holm};
use super::statistics::power::replicates_for;
use super::statistics::screening::{self, Effect};
use super::statistics::survival::{Followed, Step, kaplan_meier, log_rank, median};
use super::statistics::{Estimate, deviation, estimated, mean};

/// The power that numbers of replicates are worked out for, and the level of significance.
const POWER: (f64, f64) = (0.8, 0.05);

/// What a condition has of a measure at the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Place of the condition.
    pub condition: usize,
    /// Place of the measure.
    pub measure: usize,
    /// Runs that have a value of it at the end.
    pub runs: usize,
    /// Runs that have none, and are left out: of a mean over cells those in which none is left.
    pub without_value: usize,
    /// Mean.
    pub mean: Estimate,
    /// Standard deviation.
    pub deviation: f64,
    /// Against the control; none for the control itself, and for points of a sweep, which have none.
    pub against: Option<Against>,
}

/// A condition against the control, seed by seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Against {
    /// Seeds of which both have a value.
    pub pairs: usize,
    /// Seeds that both have and that are left out, as one of them or both have no value.
    pub without_value: usize,
    /// Mean difference.
    pub difference: Estimate,
    /// Ratio of the means.
    pub ratio: Estimate,
    /// The difference in its standard deviations.
    pub effect: f64,
    /// The chance of so large a difference where there is none (Student's test of pairs), by itself.
    pub chance: f64,
    /// Replicates that show a difference of that size with a power of 0.8, if any number does.
    pub replicates: Option<u32>,
}

/// The mean of a measure over time.
#[derive(Clone, Debug, PartialEq)]
pub struct MeanCourse {
    /// Place of the condition.
    pub condition: usize,
    /// Place of the measure.
    pub measure: usize,
    /// Hours, runs, and the mean with its interval (Student's).
    pub points: Vec<(f64, usize, Estimate)>,
}

/// When something comes about in the runs of a condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Survival {
    /// Place of the condition.
    pub condition: usize,
    /// Its runs.
    pub runs: Vec<Followed>,
    /// The curve.
    pub steps: Vec<Step>,
    /// The time by which it has come about in half of them, hours.
    pub median: Option<f64>,
    /// The log-rank test against the control: chi-square and chance.
    pub against: Option<(f64, f64)>,
}

/// What a combination does.
#[derive(Clone, Debug, PartialEq)]
pub struct Combination {
    /// Place of the condition.
    pub condition: usize,
    /// Place of the measure.
    pub measure: usize,
    /// Seeds of which it, its parts and the control have a value.
    pub runs: usize,
    /// Seeds that all of them have and that are left out, as one of them has no value.
    pub without_value: usize,
    /// The share that is left under it.
    pub left: Estimate,
    /// The share that its parts would leave if they acted independently (Bliss).
    pub bliss: f64,
    /// By how much less is left.
    pub bliss_excess: Estimate,
    /// The same by Loewe, with the combination index, or why it cannot be said.
    pub loewe: Result<Loewe, String>,
}

/// What a combination does by Loewe's reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loewe {
    /// The share that its doses would leave if they only added up.
    pub expected: f64,
    /// By how much less is left.
    pub excess: Estimate,
    /// The combination index.
    pub index: f64,
}

/// How much a parameter or an arrow matters.
#[derive(Clone, Debug, PartialEq)]
pub struct Influence {
    /// The path of the parameter or the arrow.
    pub path: String,
    /// Place of the measure.
    pub measure: usize,
    /// What a screening says of it.
    pub screened: Option<Effect>,
    /// What the measure loses without it, of an ablation.
    pub without: Option<Against>,
    /// The chance of that, raised for all arrows that are compared in this measure (Holm).
    pub chance_among_all: f64,
}

/// All of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// Each condition and measure.
    pub summaries: Vec<Summary>,
    /// Their courses.
    pub courses: Vec<MeanCourse>,
    /// Times of what is awaited; empty where nothing is.
    pub survival: Vec<Survival>,
    /// Combinations.
    pub combinations: Vec<Combination>,
    /// Parameters or arrows, those that matter most first.
    pub influences: Vec<Influence>,
}

impl Analysis {
    /// Works it all out.
    pub fn of(results: &Results) -> Self {
        let plan = &results.plan;
        let pairs = || {
            let conditions = 0..plan.conditions.len();
            conditions.flat_map(|of| (0..plan.measures.len()).map(move |measure| (of, measure)))
        };
        let is_comparison = matches!(plan.kind, Kind::Arms);
        let combined = pairs().filter(|(of, _)| plan.conditions[*of].combines.len() > 1);
        let summaries: Vec<Summary> = pairs().filter_map(|of| summary(results, of)).collect();
        Self {
            courses: if is_comparison {
                pairs().map(|of| course(results, of)).collect()
            } else {
                Vec::new()
            },
            survival: survival(results),
            combinations: combined.filter_map(|of| combination(results, of)).collect(),
            influences: influences(results, &summaries),
            summaries,
        }
    }
}

fn summary(results: &Results, (condition, measure): (usize, usize)) -> Option<Summary> {
    let ends: Vec<f64> = results
        .ends(condition, measure)
        .into_iter()
        .map(|of| of.1)
        .collect();
    let all = results.of_condition(condition).count();
    if all == 0 {
        return None;
    }
    let mean_of = |units: &[usize]| mean(&taken(&ends, units));
    let has_control = matches!(results.plan.kind, Kind::Arms | Kind::Ablation);
    Some(Summary {
        condition,
        measure,
        runs: ends.len(),
        without_value: all - ends.len(),
        mean: estimate(results, ends.len(), mean_of),
        deviation: deviation(&ends),
        against: (has_control && condition != results.plan.control)
            .then(|| against(results, condition, measure))
            .flatten(),
    })
}

/// A statistic with its interval; alone where there are so many conditions that their intervals would take minutes.
fn estimate(results: &Results, units: usize, statistic: impl Fn(&[usize]) -> f64) -> Estimate {
    const MOST: usize = 500;
    if results.plan.conditions.len() <= MOST {
        estimated(units, statistic)
    } else {
        let all: Vec<usize> = (0..units).collect();
        Estimate::alone(statistic(&all))
    }
}

/// The values of these units.
fn taken(values: &[f64], units: &[usize]) -> Vec<f64> {
    units.iter().map(|unit| values[*unit]).collect()
}

fn against(results: &Results, condition: usize, measure: usize) -> Option<Against> {
    let compared = [condition, results.plan.control];
    let paired = results.paired(&compared, measure);
    let [of, control] = paired.as_slice() else {
        return None;
    };
    let all = results.of_all(&compared);
    if all == 0 {
        return None;
    }
    let differences: Vec<f64> = of
        .iter()
        .zip(control)
        .map(|(of, control)| of - control)
        .collect();
    let effect = mean(&differences) / deviation(&differences);
    Some(Against {
        pairs: of.len(),
        without_value: all - of.len(),
        difference: estimate(results, of.len(), |units| mean(&taken(&differences, units))),
        ratio: student_of_ratio(of.len(), |units| {
            mean(&taken(of, units)) / mean(&taken(control, units))
        }),
        effect,
        chance: chance_of_pairs(&differences),
        replicates: replicates_for(effect, POWER.0, POWER.1),
    })
}

fn course(results: &Results, (condition, measure): (usize, usize)) -> MeanCourse {
    let runs = results.of_condition(condition);
    let courses: Vec<&Vec<(f64, f64)>> = runs.map(|of| &of.courses[measure]).collect();
    let longest = courses.iter().max_by_key(|course| course.len());
    let points = longest
        .into_iter()
        .flat_map(|longest| longest.iter().enumerate());
    let points = points.filter_map(|(place, (hours, _))| {
        let values = courses.iter().filter_map(|course| course.get(place));
        let values = values.filter(|(at, value)| at == hours && value.is_finite());
        let values: Vec<f64> = values.map(|(_, value)| *value).collect();
        let count = values.len();
        if count == 0 {
            return None;
        }
        let middle = mean(&values);
        let mut estimate = Estimate::alone(middle);
        if count > 2 {
            let error = deviation(&values) / (count as f64).sqrt();
            let wide = student_quantile(0.975, count as f64 - 1.0) * error;
            (estimate.low, estimate.high) = (middle - wide, middle + wide);
        }
        Some((*hours, count, estimate))
    });
    MeanCourse {
        condition,
        measure,
        points: points.collect(),
    }
}

fn survival(results: &Results) -> Vec<Survival> {
    if results.plan.time_to.is_none() || !matches!(results.plan.kind, Kind::Arms) {
        return Vec::new();
    }
    let control = results.followed(results.plan.control);
    let conditions = 0..results.plan.conditions.len();
    let curves = conditions.map(|condition| {
        let runs = results.followed(condition);
        let steps = kaplan_meier(&runs);
        let is_other = condition != results.plan.control;
        Survival {
            condition,
            median: median(&steps),
            against: (is_other && !runs.is_empty() && !control.is_empty())
                .then(|| log_rank(&runs, &control)),
            steps,
            runs,
        }
    });
    curves.filter(|of| !of.runs.is_empty()).collect()
}

fn combination(results: &Results, (condition, measure): (usize, usize)) -> Option<Combination> {
    let plan = &results.plan;
    let parts = &plan.conditions[condition].combines;
    let mut of = vec![plan.control, condition];
    of.extend(parts);
    let paired = results.paired(&of, measure);
    let (control, whole, alone) = (&paired[0], &paired[1], &paired[2..]);
    if control.is_empty() || mean(control) <= 0.0 {
        return None;
    }
    let share =
        |of: &[f64], units: &[usize]| mean(&taken(of, units)) / mean(&taken(control, units));
    let expected = |units: &[usize]| {
        alone
            .iter()
            .fold(1.0, |left, of| bliss(left, share(of, units)))
    };
    let count = control.len();
    let all: Vec<usize> = (0..count).collect();
    Some(Combination {
        condition,
        measure,
        runs: count,
        without_value: results.of_all(&of) - count,
        left: student_of_ratio(count, |units| share(whole, units)),
        bliss: expected(&all),
        bliss_excess: estimated(count, |units| expected(units) - share(whole, units)),
        loewe: loewe_of(results, condition, measure),
    })
}

/// What a combination does by Loewe's reference, where the dose-response of each of its drugs is known.
fn loewe_of(results: &Results, condition: usize, measure: usize) -> Result<Loewe, String> {
    let plan = &results.plan;
    let doses = &plan.conditions[condition].doses;
    if doses.len() < 2 {
        return Err("its arms state no `doses`".into());
    }
    let mut of = vec![plan.control, condition];
    // The conditions that give a drug alone, with its dose.
    let mut alone: Vec<(f64, Vec<(usize, f64)>)> = Vec::new();
    for (drug, dose) in doses {
        let mut curve = Vec::new();
        for (place, other) in plan.conditions.iter().enumerate() {
            if let (1, Some(given)) = (other.doses.len(), other.doses.get(drug)) {
                curve.push((of.len(), *given));
                of.push(place);
            }
        }
        alone.push((*dose, curve));
    }
    let paired = results.paired(&of, measure);
    let count = paired[0].len();
    let fitted = |units: &[usize]| -> Result<(f64, f64, f64), String> {
        let control = mean(&taken(&paired[0], units));
        let share = |place: usize| mean(&taken(&paired[place], units)) / control;
        let mut parts = Vec::new();
        for (dose, curve) in &alone {
            let points: Vec<(f64, f64)> = curve
                .iter()
                .map(|(place, given)| (*given, share(*place)))
                .collect();
            parts.push((*dose, DoseResponse::fit(&points)?));
        }
        let left = share(1);
        Ok((loewe(&parts), left, combination_index(&parts, left)))
    };
    let all: Vec<usize> = (0..count).collect();
    let (expected, _, index) = fitted(&all)?;
    let excess = estimated(count, |units| {
        fitted(units).map_or(f64::NAN, |(expected, left, _)| expected - left)
    });
    Ok(Loewe {
        expected,
        excess,
        index,
    })
}

/// What parameters or arrows do, those that matter most to the first measure first.
fn influences(results: &Results, summaries: &[Summary]) -> Vec<Influence> {
    let plan = &results.plan;
    let measures = 0..plan.measures.len();
    match &plan.kind {
        Kind::Screening {
            ranges,
            paths,
            seed,
        } => {
            let of = measures.flat_map(|measure| {
                let found: Vec<(screening::Path, Vec<f64>)> = (0..*paths)
                    .map(|number| {
                        let path = screening::path(ranges.len(), *seed, number);
                        let first = number as usize * path.points.len();
                        let places = first..first + path.points.len();
                        let ends = places.map(|place| {
                            let ends = results.ends(place, measure);
                            mean(&ends.into_iter().map(|of| of.1).collect::<Vec<_>>())
                        });
                        let ends = ends.collect();
                        (path, ends)
                    })
                    .collect();
                let effects = screening::effects(ranges.len(), &found);
                let of = ranges
                    .iter()
                    .zip(effects)
                    .map(move |(range, effect)| Influence {
                        path: range.path.clone(),
                        measure,
                        screened: Some(effect),
                        without: None,
                        chance_among_all: f64::NAN,
                    });
                let mut of: Vec<Influence> = of.collect();
                sort(&mut of, |of| {
                    of.screened.map_or(f64::NAN, |effect| effect.mu_star)
                });
                of
            });
            of.collect()
        }
        Kind::Ablation => {
            let of = measures.flat_map(|measure| {
                let cut = plan.conditions.iter().enumerate();
                let of = cut.filter_map(|(place, condition)| {
                    let is_of = |of: &&Summary| of.condition == place && of.measure == measure;
                    let summary = summaries.iter().find(is_of);
                    Some(Influence {
                        path: condition.without.clone()?,
                        measure,
                        screened: None,
                        without: summary.and_then(|of| of.against.clone()),
                        chance_among_all: f64::NAN,
                    })
                });
                let mut of: Vec<Influence> = of.collect();
                let chance = |of: &Influence| of.without.as_ref().map_or(f64::NAN, |of| of.chance);
                let raised = holm(&of.iter().map(chance).collect::<Vec<_>>());
                for (influence, raised) in of.iter_mut().zip(raised) {
                    influence.chance_among_all = raised;
                }
                sort(&mut of, |of| {
                    of.without
                        .as_ref()
                        .map_or(f64::NAN, |of| of.difference.value.abs())
                });
                of
            });
            of.collect()
        }
        Kind::Arms | Kind::Sweep { .. } => Vec::new(),
    }
}

/// Sorts by size, the largest first, what has none last.
fn sort(influences: &mut [Influence], size: impl Fn(&Influence) -> f64) {
    let of = |influence: &Influence| {
        let size = size(influence);
        if size.is_nan() { -1.0 } else { size }
    };
    influences.sort_by(|one, other| of(other).total_cmp(&of(one)));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::folder::Done;
    use super::super::plan::{Condition, Measure, Plan, RunOf};
    use super::super::results::RunResult;
    use super::*;
    use crate::scene::schema::Span;

    /// A trial of these conditions, the first of which is the control, and what each seed has at the end of one measure.
    fn results(kind: Kind, of: &[(&str, Vec<f64>)]) -> Results {
        let is_ablation = matches!(kind, Kind::Ablation);
        let conditions = of.iter().enumerate().map(|(place, (name, _))| Condition {
            name: (*name).into(),
            file: (*name).into(),
            parameters: BTreeMap::new(),
            without: (is_ablation && place > 0).then(|| (*name).into()),
            doses: BTreeMap::new(),
            combines: Vec::new(),
        });
        let measure = Measure {
            metric: "mean_hif".into(),
            site: "breast".into(),
            label: "mean HIF".into(),
            unit: String::new(),
        };
        let plan = Plan {
            title: "a trial".into(),
            program: String::new(),
            kind,
            conditions: conditions.collect(),
            control: 0,
            seeds: (0..of[0].1.len() as u64).collect(),
            measures: vec![measure],
            time_to: None,
            until: None,
            checkpoint_every: Span::Hours(1.0),
        };
        let result = |run: RunOf| RunResult {
            run,
            done: Done {
                state: String::new(),
                holds: true,
                seconds: 1.0,
            },
            hours: 24.0,
            last: Vec::new(),
            courses: vec![vec![(24.0, of[run.condition].1[run.seed])]],
            followed: None,
        };
        let runs = plan.runs().map(result).collect();
        Results {
            plan,
            columns: Vec::new(),
            runs,
        }
    }

    #[test]
    fn tumours_that_are_no_more_are_left_out_of_means_and_counted() {
        let gone = f64::NAN;
        let results = results(
            Kind::Arms,
            &[
                ("untreated", vec![0.4, 0.6, 0.5, 0.5]),
                ("some", vec![gone, 0.3, 0.2, gone]),
                ("all", vec![gone; 4]),
            ],
        );
        let found = Analysis::of(&results).summaries;
        let counts: Vec<_> = found.iter().map(|of| (of.runs, of.without_value)).collect();
        assert_eq!(counts, [(4, 0), (2, 2), (0, 4)]);
        let against = found[1].against.as_ref().expect("it has pairs");
        assert_eq!((against.pairs, against.without_value), (2, 2));
        // Of the two pairs that are left, and with nothing said of how surely.
        assert!((against.ratio.value - 0.5 / 1.1).abs() < 1e-12);
        assert!(against.ratio.low.is_nan());
        let against = found[2].against.as_ref().expect("all of it is left out");
        assert_eq!((against.pairs, against.without_value), (0, 4));
        assert!(against.ratio.value.is_nan() && found[2].mean.value.is_nan());
    }

    #[test]
    fn chances_of_arrows_are_raised_for_how_many_there_are() {
        let results = results(
            Kind::Ablation,
            &[
                ("all", vec![10.0, 11.0, 12.0, 13.0]),
                ("strong", vec![5.0, 6.2, 6.9, 8.1]),
                ("weak", vec![10.3, 11.0, 11.8, 13.4]),
                ("none", vec![10.0, 11.0, 12.0, 13.0]),
            ],
        );
        let found = Analysis::of(&results).influences;
        let chances = |of: &Influence| {
            let alone = of.without.as_ref().expect("it was run").chance;
            (of.path.clone(), alone, of.chance_among_all)
        };
        let found: Vec<_> = found.iter().map(chances).collect();
        // In the order of their differences; where nothing differs in any pair there is nothing to test.
        let [strong, weak, none] = found.as_slice() else {
            panic!("three arrows, found {found:?}");
        };
        assert_eq!([&strong.0, &weak.0, &none.0], ["strong", "weak", "none"]);
        assert!((strong.2 - 2.0 * strong.1).abs() < 1e-12 && strong.2 < 0.01);
        assert!((weak.2 - weak.1).abs() < 1e-12 && weak.2 > 0.05);
        assert!(none.1.is_nan() && none.2.is_nan());
    }
}
