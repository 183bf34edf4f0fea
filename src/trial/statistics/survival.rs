//! When something comes about, where in some runs it has not by the end.
//!
//! Kaplan and Meier (1958, J Am Stat Assoc 53:457) with Greenwood's standard error, intervals on the log-log scale, and the
//! log-rank test (Mantel 1966, Cancer Chemother Rep 50:163).

use super::Estimate;
use super::distribution::{chi_square_tail, normal_quantile};

/// How long a run was followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Followed {
    /// Until it came about, or until the end, hours.
    pub hours: f64,
    /// Whether it came about.
    pub came: bool,
}

/// A step of the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// When it comes about in a run or several, hours.
    pub hours: f64,
    /// Runs in which it had not come about before.
    pub at_risk: usize,
    /// Runs in which it comes about then.
    pub came: usize,
    /// Share in which it has not come about from then on, with its interval.
    pub left: Estimate,
    /// Greenwood's standard error of that share.
    pub error: f64,
}

/// The share of runs in which it has not come about, step by step.
pub fn kaplan_meier(runs: &[Followed]) -> Vec<Step> {
    let mut left = 1.0;
    let mut sum = 0.0;
    let z = normal_quantile(0.975);
    times(runs)
        .into_iter()
        .map(|hours| {
            let (at_risk, came) = at(runs, hours);
            let (risk, count) = (at_risk as f64, came as f64);
            left *= 1.0 - count / risk;
            sum += count / (risk * (risk - count));
            let wide = z * f64::sqrt(sum) / f64::ln(left);
            let end = |wide: f64| f64::powf(left, f64::exp(wide));
            let interval = if left > 0.0 && left < 1.0 {
                Estimate {
                    value: left,
                    low: end(-wide),
                    high: end(wide),
                }
            } else {
                Estimate::alone(left)
            };
            Step {
                hours,
                at_risk,
                came,
                left: interval,
                error: left * f64::sqrt(sum),
            }
        })
        .collect()
}

/// The time by which it has come about in half of the runs; none where it has not.
pub fn median(steps: &[Step]) -> Option<f64> {
    let half = steps.iter().find(|step| step.left.value <= 0.5 + 1e-12);
    half.map(|step| step.hours)
}

/// The log-rank test of two groups: chi-square, and the chance of as large a one where they do not differ.
pub fn log_rank(one: &[Followed], other: &[Followed]) -> (f64, f64) {
    let all: Vec<Followed> = one.iter().chain(other).copied().collect();
    let (mut off, mut variance) = (0.0, 0.0);
    for hours in times(&all) {
        let (risk, came) = at(&all, hours);
        let (risk_one, came_one) = at(one, hours);
        let (risk, came) = (risk as f64, came as f64);
        let share = risk_one as f64 / risk;
        off += came_one as f64 - came * share;
        if risk > 1.0 {
            variance += came * share * (1.0 - share) * (risk - came) / (risk - 1.0);
        }
    }
    let square = if variance > 0.0 {
        off * off / variance
    } else {
        0.0
    };
    (square, chi_square_tail(square))
}

/// The times at which it comes about, in order.
fn times(runs: &[Followed]) -> Vec<f64> {
    let came = runs.iter().filter(|run| run.came);
    let mut times: Vec<f64> = came.map(|run| run.hours).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    times
}

/// Runs in which it had not come about before this time, and those in which it comes about then.
fn at(runs: &[Followed], hours: f64) -> (usize, usize) {
    let at_risk = runs.iter().filter(|run| run.hours >= hours).count();
    let came = runs
        .iter()
        .filter(|run| run.came && run.hours == hours)
        .count();
    (at_risk, came)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weeks of remission of children with leukaemia under 6-mercaptopurine and placebo (Freireich et al. 1963, Blood 21:699);
    /// what is negative had not come back.
    const TREATED: [f64; 21] = [
        6., 6., 6., -6., 7., -9., 10., -10., -11., 13., 16., -17., -19., -20., 22., 23., -25.,
        -32., -32., -34., -35.,
    ];
    const PLACEBO: [f64; 21] = [
        1., 1., 2., 2., 3., 4., 4., 5., 5., 8., 8., 8., 8., 11., 11., 12., 12., 15., 17., 22., 23.,
    ];

    fn followed(weeks: &[f64]) -> Vec<Followed> {
        weeks
            .iter()
            .map(|weeks| Followed {
                hours: weeks.abs(),
                came: *weeks > 0.0,
            })
            .collect()
    }

    #[test]
    fn the_curve_of_freireich_is_that_of_the_textbooks() {
        // Cox and Oakes 1984, table 4.1; standard errors by Greenwood (Kleinbaum and Klein 2012).
        let steps = kaplan_meier(&followed(&TREATED));
        let printed = [
            (6.0, 21, 0.857, 0.0764),
            (7.0, 17, 0.807, 0.0869),
            (10.0, 15, 0.753, 0.0963),
            (13.0, 12, 0.690, 0.1068),
            (16.0, 11, 0.627, 0.1141),
            (22.0, 7, 0.538, 0.1282),
            (23.0, 6, 0.448, 0.1346),
        ];
        assert_eq!(steps.len(), printed.len());
        for (step, (hours, at_risk, left, error)) in steps.iter().zip(printed) {
            assert_eq!((step.hours, step.at_risk), (hours, at_risk));
            assert!((step.left.value - left).abs() < 6e-4, "{step:?}");
            assert!((step.error - error).abs() < 6e-5, "{step:?}");
            assert!(step.left.low < left && left < step.left.high, "{step:?}");
        }
        // R, survfit with conf.type log-log, at 6 weeks: 0.620 to 0.952.
        assert!((steps[0].left.low - 0.620).abs() < 1e-3, "{:?}", steps[0]);
        assert!((steps[0].left.high - 0.952).abs() < 1e-3, "{:?}", steps[0]);
        assert_eq!(median(&steps), Some(23.0));
        assert_eq!(median(&kaplan_meier(&followed(&PLACEBO))), Some(8.0));
    }

    #[test]
    fn the_log_rank_test_of_freireich_is_that_of_the_textbooks() {
        let (square, chance) = log_rank(&followed(&TREATED), &followed(&PLACEBO));
        assert!((square - 16.79).abs() < 0.01, "{square}");
        assert!((chance / 4.17e-5 - 1.0).abs() < 0.02, "{chance}");
        let (square, chance) = log_rank(&followed(&TREATED), &followed(&TREATED));
        assert_eq!((square, chance), (0.0, 1.0));
    }

    #[test]
    fn where_nothing_comes_about_all_are_left() {
        assert!(kaplan_meier(&followed(&[-3.0, -5.0])).is_empty());
        assert_eq!(median(&[]), None);
    }
}
