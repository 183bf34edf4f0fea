//! Whether two treatments together do more than each alone lets one expect.
//!
//! What is left under a treatment is told as a share of what is left without it. *Bliss* (1939, Ann Appl Biol 26:585):
//! treatments that act independently leave the product of their shares. *Loewe* (1926): a treatment combined with itself
//! only adds up doses, so doses `a`, `b` together leave the share `s` for which `a/A(s) + b/B(s) = 1`, where `A(s)` alone
//! leaves `s`. What is less than expected is the *excess*: positive is synergy.
//!
//! Loewe's expectation needs the dose-response of each alone: the median-effect law `s = 1/(1 + (dose/half)^slope)`, fitted
//! as a line of `ln(1/s - 1)` over `ln dose` (Chou and Talalay 1984, Adv Enzyme Regul 22:27).

use super::distribution::root_of;

/// The share that independent treatments leave together.
pub fn bliss(one: f64, other: f64) -> f64 {
    one * other
}

/// How what is left falls with the dose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoseResponse {
    /// The dose that leaves half.
    pub half: f64,
    /// How steeply.
    pub slope: f64,
}

impl DoseResponse {
    /// Fits the law to doses and the shares that they leave. Shares of 1 or more and of 0 have no place on the line and are
    /// left out.
    ///
    /// # Errors
    /// In words, when fewer than two doses are left, or more does not leave less.
    pub fn fit(points: &[(f64, f64)]) -> Result<Self, String> {
        let usable = |(dose, share): &&(f64, f64)| *dose > 0.0 && *share > 0.0 && *share < 1.0;
        let points: Vec<(f64, f64)> = points
            .iter()
            .filter(usable)
            .map(|(dose, share)| (dose.ln(), (1.0 / share - 1.0).ln()))
            .collect();
        let count = points.len() as f64;
        let (x, y) = points
            .iter()
            .fold((0.0, 0.0), |(x, y), of| (x + of.0, y + of.1));
        let (x, y) = (x / count, y / count);
        let (mut square, mut product) = (0.0, 0.0);
        for point in &points {
            square += (point.0 - x) * (point.0 - x);
            product += (point.0 - x) * (point.1 - y);
        }
        if square <= 1e-12 || points.len() < 2 {
            return Err("it takes two doses of each alone that leave some, but not all".into());
        }
        let slope = product / square;
        if slope <= 0.0 {
            return Err("more of it does not leave less".into());
        }
        Ok(Self {
            half: (x - y / slope).exp(),
            slope,
        })
    }

    /// The share that a dose leaves.
    pub fn left(&self, dose: f64) -> f64 {
        1.0 / (1.0 + (dose / self.half).powf(self.slope))
    }

    /// The dose that leaves a share.
    pub fn dose_for(&self, share: f64) -> f64 {
        self.half * (1.0 / share - 1.0).powf(1.0 / self.slope)
    }
}

/// The share that doses leave together which are as doses of one and the same.
pub fn loewe(parts: &[(f64, DoseResponse)]) -> f64 {
    let index = |share: f64| {
        parts
            .iter()
            .map(|(dose, of)| dose / of.dose_for(share))
            .sum::<f64>()
    };
    if parts.iter().all(|(dose, _)| *dose <= 0.0) {
        return 1.0;
    }
    // The more is left, the smaller the doses that leave it, and the larger their parts.
    root_of(|share| index(share) - 1.0, 0.0, 1.0)
}

/// The combination index of Chou and Talalay: below 1 less of both is needed than of either.
pub fn combination_index(parts: &[(f64, DoseResponse)], left: f64) -> f64 {
    parts
        .iter()
        .map(|(dose, of)| dose / of.dose_for(left))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEEP: DoseResponse = DoseResponse {
        half: 3.0,
        slope: 2.5,
    };
    const FLAT: DoseResponse = DoseResponse {
        half: 0.4,
        slope: 1.0,
    };

    #[test]
    fn a_treatment_with_itself_only_adds_up_doses() {
        for (one, other) in [(0.5, 1.0), (2.0, 7.0), (0.0, 3.0)] {
            let together = loewe(&[(one, STEEP), (other, STEEP)]);
            assert!((together - STEEP.left(one + other)).abs() < 1e-12);
            let index = combination_index(&[(one, STEEP), (other, STEEP)], together);
            assert!((index - 1.0).abs() < 1e-9);
        }
        assert_eq!(loewe(&[(0.0, STEEP), (0.0, FLAT)]), 1.0);
    }

    #[test]
    fn laws_of_slope_one_add_up_their_halves() {
        // 1/s - 1 = a/A + b/B then: written out by hand.
        let other = DoseResponse {
            half: 5.0,
            slope: 1.0,
        };
        let left = loewe(&[(0.8, FLAT), (10.0, other)]);
        assert!((left - 1.0 / (1.0 + 0.8 / 0.4 + 10.0 / 5.0)).abs() < 1e-12);
        // Independent, they would leave 1/3 of 1/3, which is less: Loewe expects more to be left.
        assert!((bliss(FLAT.left(0.8), other.left(10.0)) - 1.0 / 9.0).abs() < 1e-12);
    }

    #[test]
    fn a_law_is_found_again_from_what_it_leaves() {
        let points: Vec<(f64, f64)> = [0.5, 1.0, 2.0, 4.0, 8.0]
            .into_iter()
            .map(|dose| (dose, STEEP.left(dose)))
            .collect();
        let found = DoseResponse::fit(&points).expect("five doses");
        assert!((found.half - 3.0).abs() < 1e-9 && (found.slope - 2.5).abs() < 1e-9);
        assert!(DoseResponse::fit(&points[..1]).is_err());
        assert!(DoseResponse::fit(&[(1.0, 0.2), (2.0, 0.8)]).is_err());
        // What leaves all or nothing has no place on the line.
        let more = [points.as_slice(), &[(0.01, 1.02), (100.0, 0.0)]].concat();
        assert_eq!(DoseResponse::fit(&more), Ok(found));
    }
}
