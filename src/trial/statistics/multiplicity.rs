//! What is left of a chance of one comparison among many.
//!
//! Of a hundred arrows that do nothing five differ from the control at a level of 0.05. Holm (1979, Scand J Stat 6:65) raises the chances so that among
//! all comparisons there is one such with the chance that the level says, whatever they have to do with each other: in the order of
//! their sizes the `i`-th of `m` is multiplied by `m - i + 1`, and none is below one before it.

use super::distribution::student;
use super::{deviation, mean};

/// The chance of so large a mean difference of pairs, or a larger one, where there is none: Student's test of both sides. No number where fewer than three pairs
/// scatter.
pub fn chance_of_pairs(differences: &[f64]) -> f64 {
    let count = differences.len() as f64;
    let (middle, scatter) = (mean(differences), deviation(differences));
    if differences.len() < super::FEWEST || scatter <= 0.0 {
        return f64::NAN;
    }
    let t = middle / scatter * count.sqrt();
    2.0 * student(-t.abs(), count - 1.0)
}

/// The chances raised for so many comparisons; what is no number is none of these.
pub fn holm(chances: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..chances.len())
        .filter(|at| chances[*at].is_finite())
        .collect();
    order.sort_by(|one, other| chances[*one].total_cmp(&chances[*other]));
    let mut raised = vec![f64::NAN; chances.len()];
    let mut least = 0.0_f64;
    for (place, at) in order.iter().enumerate() {
        let left = (order.len() - place) as f64;
        least = least.max((left * chances[*at]).min(1.0));
        raised[*at] = least;
    }
    raised
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::CellId;
    use crate::core::random::{Purpose, RandomKey};

    #[test]
    fn the_chance_is_that_of_student() {
        // His ten patients (1908): t 4.062, of which `t.test` of R gives 0.002833.
        let gained = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4];
        let found = chance_of_pairs(&gained);
        assert!((found - 0.002_833).abs() < 1e-6, "{found}");
        assert!(chance_of_pairs(&[1.0, 2.0]).is_nan());
        assert!(chance_of_pairs(&[0.0; 5]).is_nan());
    }

    #[test]
    fn chances_are_raised_as_by_hand() {
        // Four times the least, thrice the next, twice 0.03, and 0.04 is below that.
        let found = holm(&[0.01, 0.04, f64::NAN, 0.03, 0.005]);
        let expected = [0.03, 0.06, f64::NAN, 0.06, 0.02];
        for (found, expected) in found.iter().zip(expected) {
            let are_none = expected.is_nan() && found.is_nan();
            assert!(are_none || (found - expected).abs() < 1e-12);
        }
        assert_eq!(holm(&[0.7, 0.9]), [1.0, 1.0]);
    }

    #[test]
    fn among_a_hundred_arrows_that_do_nothing_one_seems_to_matter_in_five_of_a_hundred_trials() {
        let (mut plain, mut raised) = (0, 0);
        let trials = 400;
        for trial in 0..trials {
            let purpose = Purpose::of("trial.statistics.multiplicity.test");
            let chances: Vec<f64> = (0..100)
                .map(|arrow| {
                    let mut random = RandomKey(trial).stream(CellId(arrow), 0, purpose);
                    let pairs = [(); 5].map(|()| f64::from(random.normal()));
                    chance_of_pairs(&pairs)
                })
                .collect();
            let has_any = |of: &[f64]| u32::from(of.iter().any(|chance| *chance < 0.05));
            plain += has_any(&chances);
            raised += has_any(&holm(&chances));
        }
        // 1 - 0.9995^100 = 0.049 of the trials, four standard errors of 0.011 either way.
        let share = f64::from(raised) / trials as f64;
        assert!(share < 0.049 + 0.044, "{share}");
        assert!(f64::from(plain) > 0.98 * trials as f64, "{plain}");
    }
}
