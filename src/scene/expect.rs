//! What must come true in a run, checked against what was measured.
//!
//! A [`Judge`] follows a run measurement by measurement and keeps of each condition only what its verdict
//! needs, so what it holds, and what a checkpoint stores of it, does not grow with the run.

use serde::{Deserialize, Serialize};

use super::schema::{Condition, Expectation, Scene, Test};
use crate::core::metric::SiteMetrics;
use crate::core::printable::rounded;

/// The measurements of one site at one time: a row of `metrics.csv`.
#[derive(Clone, Copy, Debug)]
pub struct Measurement<'a> {
    /// Tissue time, hours.
    pub hours: f64,
    /// Name of the site.
    pub site: &'a str,
    /// Its columns.
    pub metrics: &'a SiteMetrics,
}

/// Whether an expectation came true.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Whether it did.
    pub holds: bool,
    /// What was found and what was expected, in a sentence.
    pub sentence: String,
}

/// Tissue time, hours, and the value measured then.
type Found = (f64, f64);

/// What was seen of a condition's column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Seen {
    /// At the time the expectation names, if it names one.
    due: Option<Found>,
    /// When the condition was first met.
    met: Option<Found>,
    /// When it was first not met.
    unmet: Option<Found>,
    /// Last.
    last: Option<Found>,
}

/// Follows the expectations of a scene through a run; always to be used with the same scene.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Judge {
    /// Of each expectation its first condition, and the second if there is one.
    seen: Vec<[Seen; 2]>,
}

impl Judge {
    /// One who has seen nothing yet.
    pub fn of(scene: &Scene) -> Self {
        Self {
            seen: vec![Default::default(); scene.expect.len()],
        }
    }

    /// Takes note of a measurement. They come in the order of time.
    pub fn see(&mut self, scene: &Scene, row: Measurement) {
        let first = scene.sites.first().map_or("", |site| site.name.as_str());
        for (expectation, seen) in scene.expect.iter().zip(&mut self.seen) {
            let (due, conditions) = parts(expectation);
            for (condition, seen) in conditions.into_iter().flatten().zip(seen) {
                let value = row.metrics.get(&condition.metric);
                let Some(value) = value.filter(|_| {
                    let site = condition.site.as_deref().unwrap_or(first);
                    site == row.site
                }) else {
                    continue;
                };
                if value.is_nan() && row.hours == 0.0 {
                    // What the first step finds out is not known before it.
                    continue;
                }
                let found = (row.hours, value);
                if due.is_some_and(|hours| row.hours >= hours - 1e-9) {
                    seen.due.get_or_insert(found);
                }
                let first = if met(condition.is, value) {
                    &mut seen.met
                } else {
                    &mut seen.unmet
                };
                first.get_or_insert(found);
                seen.last = Some(found);
            }
        }
    }

    /// The verdicts at the end of a run. Where it `stopped` before its scene was over, hours, only what is
    /// already decided is judged.
    pub fn verdicts(&self, scene: &Scene, stopped: Option<f64>) -> Vec<Verdict> {
        let decided = |expectation: &Expectation| match (expectation, stopped) {
            (_, None) | (Expectation::Always(_), _) => true,
            (Expectation::At(time, _), Some(end)) => time.hours() <= end,
            _ => false,
        };
        scene
            .expect
            .iter()
            .zip(&self.seen)
            .filter(|(expectation, _)| decided(expectation))
            .map(|(expectation, seen)| verdict_on(expectation, seen))
            .collect()
    }
}

/// The time that an expectation names, hours, and its conditions.
const fn parts(expectation: &Expectation) -> (Option<f64>, [Option<&Condition>; 2]) {
    match expectation {
        Expectation::At(time, condition) => (Some(time.hours()), [Some(condition), None]),
        Expectation::AtEnd(condition)
        | Expectation::Always(condition)
        | Expectation::Eventually(condition) => (None, [Some(condition), None]),
        Expectation::Before(first, second) => (None, [Some(first), Some(second)]),
    }
}

fn verdict_on(expectation: &Expectation, [seen, other]: &[Seen; 2]) -> Verdict {
    match expectation {
        Expectation::At(time, condition) => {
            state(condition, seen.due, &format!("at {} h", time.hours()))
        }
        Expectation::AtEnd(condition) => state(condition, seen.last, "at the end"),
        Expectation::Always(condition) => match (seen.unmet, seen.last) {
            (Some(first), _) => state(condition, Some(first), "always"),
            (None, None) => state(condition, None, ""),
            (None, Some(_)) => verdict(
                true,
                &format!("{} is always {}", name(condition), wanted(condition.is)),
            ),
        },
        Expectation::Eventually(condition) => match (seen.met, seen.last) {
            (Some(first), _) => state(condition, Some(first), ""),
            (None, Some(last)) => verdict(
                false,
                &format!(
                    "{} is never {}; at {} h it is {}",
                    name(condition),
                    wanted(condition.is),
                    number(last.0),
                    number(last.1)
                ),
            ),
            (None, None) => state(condition, None, ""),
        },
        Expectation::Before(first, second) => {
            let when = |seen: &Seen| seen.met.map(|(hours, _)| hours);
            let (early, late) = (when(seen), when(other));
            let holds = match (early, late) {
                (Some(early), Some(late)) => early < late,
                (Some(_), None) => true,
                (None, _) => false,
            };
            let told = |condition: &Condition, hours: Option<f64>| {
                let when = hours.map_or("never".into(), |hours| format!("at {} h", number(hours)));
                format!("{} is {} {when}", name(condition), wanted(condition.is))
            };
            let text = format!(
                "{}, {}, expected the first to come earlier",
                told(first, early),
                told(second, late)
            );
            verdict(holds, &text)
        }
    }
}

/// Whether a value is as wanted. NaN never is.
pub(crate) fn met(test: Test, value: f64) -> bool {
    match test {
        Test::Above(least) => value > least,
        Test::Below(most) => value < most,
        Test::Between(least, most) => value >= least && value <= most,
    }
}

fn wanted(test: Test) -> String {
    match test {
        Test::Above(least) => format!("above {least}"),
        Test::Below(most) => format!("below {most}"),
        Test::Between(least, most) => format!("between {least} and {most}"),
    }
}

fn name(condition: &Condition) -> String {
    match &condition.site {
        Some(site) => format!("{} in {site}", condition.metric),
        None => condition.metric.clone(),
    }
}

/// A value as it stands in a verdict.
fn number(value: f64) -> String {
    rounded(value, 5)
}

fn verdict(holds: bool, text: &str) -> Verdict {
    Verdict {
        holds,
        sentence: text.to_owned(),
    }
}

/// The verdict on one measured value; `when` says what was asked where the time of the value does not.
fn state(condition: &Condition, found: Option<(f64, f64)>, when: &str) -> Verdict {
    let Some((hours, value)) = found else {
        let text = format!(
            "{} was not measured {when}, expected {}",
            name(condition),
            wanted(condition.is)
        );
        return verdict(false, &text.replace("  ", " ").replace(" ,", ","));
    };
    let text = format!(
        "{} at {} h is {}, expected {}{}",
        name(condition),
        number(hours),
        number(value),
        wanted(condition.is),
        if when == "always" {
            " at all times"
        } else {
            ""
        }
    );
    verdict(met(condition.is, value), &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::tests::scene;

    /// Cell counts 10, 20, 40 and an oxygen that falls, at 0, 48 and 96 h.
    fn judged(expect: &str) -> (bool, String) {
        let text = format!(
            r#"(title: "t", about: "", pace: Calibrated, duration: Hours(96),
                sites: [(name: "breast", organ: Breast, size_um: (200, 200, 200))], expect: [{expect}])"#
        );
        let row = |cells: f64, oxygen: f64| SiteMetrics {
            columns: vec![("cells".into(), cells), ("oxygen_mmhg".into(), oxygen)],
        };
        let metrics = [row(10.0, 38.0), row(20.0, 143.2049), row(40.0, f64::NAN)];
        let scene = scene(&text);
        let mut judge = Judge::of(&scene);
        for (metrics, hours) in metrics.iter().zip([0.0, 48.0, 96.0]) {
            let row = |site, metrics| Measurement {
                hours,
                site,
                metrics,
            };
            judge.see(&scene, row("breast", metrics));
            judge.see(&scene, row("elsewhere", &SiteMetrics::default()));
        }
        let verdict = judge.verdicts(&scene, None).remove(0);
        (verdict.holds, verdict.sentence)
    }

    #[test]
    fn verdicts_say_what_was_found_and_what_was_expected() {
        let cases = [
            (
                r#"At(Hours(30), (metric: "oxygen_mmhg", is: Above(50)))"#,
                true,
                "oxygen_mmhg at 48 h is 143.2, expected above 50",
            ),
            (
                r#"AtEnd(metric: "cells", is: Between(1, 39.5))"#,
                false,
                "cells at 96 h is 40, expected between 1 and 39.5",
            ),
            (
                r#"Always(metric: "cells", is: Above(9))"#,
                true,
                "cells is always above 9",
            ),
            (
                r#"Always(metric: "oxygen_mmhg", is: Below(1e9))"#,
                false,
                "oxygen_mmhg at 96 h is NaN, expected below 1000000000 at all times",
            ),
            (
                r#"Eventually(metric: "cells", site: "breast", is: Above(15))"#,
                true,
                "cells in breast at 48 h is 20, expected above 15",
            ),
            (
                r#"Eventually(metric: "cells", is: Above(100))"#,
                false,
                "cells is never above 100; at 96 h it is 40",
            ),
            (
                r#"Before((metric: "cells", is: Above(15)), (metric: "cells", is: Above(100)))"#,
                true,
                "cells is above 15 at 48 h, cells is above 100 never, expected the first to come earlier",
            ),
            (
                r#"Eventually(metric: "lactate", is: Above(0))"#,
                false,
                "lactate was not measured, expected above 0",
            ),
        ];
        for (expect, holds, sentence) in cases {
            assert_eq!(judged(expect), (holds, sentence.to_owned()));
        }
    }

    #[test]
    fn of_a_run_that_stopped_early_only_what_is_decided_is_judged() {
        let condition = r#"(metric: "cells", is: Above(1))"#;
        let expect = format!(
            "At(Hours(24), {condition}), At(Hours(48), {condition}), AtEnd{condition}, \
             Eventually{condition}, Always{condition}, Before({condition}, {condition})"
        );
        let text = format!(
            r#"(title: "t", about: "", pace: Calibrated, duration: Hours(96),
                sites: [(name: "breast", organ: Breast, size_um: (200, 200, 200))], expect: [{expect}])"#
        );
        let scene = scene(&text);
        let judge = Judge::of(&scene);
        assert_eq!(judge.verdicts(&scene, Some(24.0)).len(), 2);
        assert_eq!(judge.verdicts(&scene, None).len(), 6);
    }
}
