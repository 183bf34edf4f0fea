//! What must come true in a run, checked against what was measured.

use super::schema::{Condition, Expectation, Scene, Test};
use crate::simulation::SiteMetrics;

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

/// Judges the expectations of a scene by the measurements of a run, which come in the order of time.
pub fn judge(scene: &Scene, rows: &[Measurement]) -> Vec<Verdict> {
    scene
        .expect
        .iter()
        .map(|expectation| judge_one(expectation, scene, rows))
        .collect()
}

fn judge_one(expectation: &Expectation, scene: &Scene, rows: &[Measurement]) -> Verdict {
    let values = |condition: &Condition| values_of(condition, scene, rows);
    match expectation {
        Expectation::At(time, condition) => {
            let hours = time.hours();
            let found = values(condition)
                .into_iter()
                .find(|(t, _)| *t >= hours - 1e-9);
            state(condition, found, &format!("at {hours} h"))
        }
        Expectation::AtEnd(condition) => {
            state(condition, values(condition).last().copied(), "at the end")
        }
        Expectation::Always(condition) => {
            let values = values(condition);
            match values.iter().find(|(_, value)| !met(condition.is, *value)) {
                None if values.is_empty() => state(condition, None, ""),
                None => verdict(
                    true,
                    &format!("{} is always {}", name(condition), wanted(condition.is)),
                ),
                Some(first) => state(condition, Some(*first), "always"),
            }
        }
        Expectation::Eventually(condition) => {
            let values = values(condition);
            let first = values.iter().find(|(_, value)| met(condition.is, *value));
            match (first, values.last()) {
                (Some(first), _) => state(condition, Some(*first), ""),
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
            }
        }
        Expectation::Before(first, second) => {
            let when = |condition: &Condition| {
                let values = values(condition);
                let found = values.iter().find(|(_, value)| met(condition.is, *value));
                found.map(|(hours, _)| *hours)
            };
            let (early, late) = (when(first), when(second));
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

/// Time and value of the condition's column at the condition's site.
fn values_of(condition: &Condition, scene: &Scene, rows: &[Measurement]) -> Vec<(f64, f64)> {
    let first = scene.sites.first().map_or("", |site| site.name.as_str());
    let site = condition.site.as_deref().unwrap_or(first);
    rows.iter()
        .filter(|row| row.site == site)
        .filter_map(|row| Some((row.hours, row.metrics.get(&condition.metric)?)))
        .collect()
}

/// Whether a value is as wanted. NaN never is.
fn met(test: Test, value: f64) -> bool {
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

/// A value in at most five digits, without trailing zeros.
fn number(value: f64) -> String {
    if !value.is_finite() || value == 0.0 {
        return value.to_string();
    }
    let magnitude = value.abs();
    if !(1e-3..1e7).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let decimals = [10_000.0, 1000.0, 100.0, 10.0, 1.0, 0.1, 0.01]
        .iter()
        .position(|power| magnitude >= *power)
        .unwrap_or(7);
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
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
        let rows: Vec<Measurement> = metrics
            .iter()
            .zip([0.0, 48.0, 96.0])
            .map(|(metrics, hours)| Measurement {
                hours,
                site: "breast",
                metrics,
            })
            .collect();
        let verdict = judge(&scene(&text), &rows).remove(0);
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
}
