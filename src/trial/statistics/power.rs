//! How many replicates it takes to show an effect.
//!
//! An effect is told in standard deviations of the difference of a pair (Cohen's d for pairs): the test is Student's of
//! these differences, two-sided, and its power that of the noncentral t distribution (Cohen 1988).

use super::distribution::{noncentral, student_quantile};

/// More replicates than anybody computes.
const MOST: u32 = 100_000;

/// The chance that so many pairs show an effect of that size, at this level of significance.
pub fn power(effect: f64, pairs: u32, level: f64) -> f64 {
    if pairs < 2 {
        return 0.0;
    }
    let freedom = f64::from(pairs - 1);
    let bound = student_quantile(1.0 - 0.5 * level, freedom);
    let shift = effect.abs() * f64::from(pairs).sqrt();
    1.0 - noncentral(bound, freedom, shift) + noncentral(-bound, freedom, shift)
}

/// The fewest pairs that show an effect of that size with this power; none where no number does that anybody computes.
pub fn replicates_for(effect: f64, wanted: f64, level: f64) -> Option<u32> {
    if !(effect.abs() > 0.0 && wanted < 1.0 && level > 0.0) || power(effect, MOST, level) < wanted {
        return None;
    }
    let (mut few, mut enough) = (1, MOST);
    while enough - few > 1 {
        let middle = few + (enough - few) / 2;
        if power(effect, middle, level) < wanted {
            few = middle;
        } else {
            enough = middle;
        }
    }
    Some(enough)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_pairs_are_those_of_the_tables() {
        // G*Power (Faul et al. 2007): difference of matched pairs, two-sided, level 0.05, power 0.8 and 0.95.
        for (effect, wanted, pairs) in [
            (0.2, 0.8, 199),
            (0.5, 0.8, 34),
            (0.8, 0.8, 15),
            (0.5, 0.95, 54),
        ] {
            assert_eq!(
                replicates_for(effect, wanted, 0.05),
                Some(pairs),
                "{effect}"
            );
        }
        assert_eq!(replicates_for(0.0, 0.8, 0.05), None);
    }

    #[test]
    fn without_an_effect_power_is_the_level() {
        assert!((power(0.0, 20, 0.05) - 0.05).abs() < 1e-6);
        assert_eq!(power(1.0, 1, 0.05), 0.0);
    }
}
