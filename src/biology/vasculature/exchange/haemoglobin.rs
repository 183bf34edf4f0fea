//! How blood carries a molecule: dissolved, and oxygen bound to haemoglobin as well.
//!
//! Blood of the haematocrit `H` in which oxygen has the pressure `P` holds `P + H C S(P)`, in the unit of the molecule, with Hill's saturation
//! `S = P^n / (P_50^n + P^n)` and what red cells can bind, `C`.

use bevy::math::ops;

/// Intervals of a table of Hill's curve for each half-saturation, and half-saturations that it reaches up to.
const FINENESS: f32 = 64.0;
const REACH: f32 = 16.0;

/// Hill's curve from a table, by Hermite's cubics between exact values and slopes: the power of each piece of each vessel in each step costs more
/// than all else that blood does. It is off by less than 1e-6.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    exponent: f32,
    /// Saturation, and its slope over an interval.
    knots: Vec<[f32; 2]>,
}

/// Hill's saturation at so many half-saturations, and its slope.
pub fn hill(x: f32, exponent: f32) -> (f32, f32) {
    if x <= 0.0 {
        return (0.0, 0.0);
    }
    let power = ops::powf(x, exponent);
    let s = power / (1.0 + power);
    (s, exponent * s * (1.0 - s) / x)
}

impl Curve {
    /// Makes it that of an exponent, if it is of another.
    pub fn follow(&mut self, exponent: f32) {
        if self.exponent == exponent && !self.knots.is_empty() {
            return;
        }
        self.exponent = exponent;
        self.knots.clear();
        let all = 0..=(REACH * FINENESS) as u32 + 1;
        self.knots.extend(all.map(|knot| {
            let (s, slope) = hill(knot as f32 / FINENESS, exponent);
            [s, slope / FINENESS]
        }));
    }

    /// Saturation at so many half-saturations, and its slope.
    fn at(&self, x: f32) -> (f32, f32) {
        // Where the curve begins to rise steeper than any cubic, or has hardly any way left, it is looked at itself.
        if x >= REACH || x <= 0.0 || (self.exponent < 2.0 && x < 16.0 / FINENESS) {
            return hill(x, self.exponent);
        }
        let along = x * FINENESS;
        let at = along as usize;
        let t = along - at as f32;
        let [[s_0, d_0], [s_1, d_1]] = [self.knots[at], self.knots[at + 1]];
        let rise = s_1 - s_0;
        // s_0 + t (d_0 + t (b + t a)).
        let (a, b) = (d_0 + d_1 - 2.0 * rise, 3.0 * rise - 2.0 * d_0 - d_1);
        let s = s_0 + t * (d_0 + t * (b + t * a));
        // Rounding must not make it fall where it is flat.
        let slope = (d_0 + t * (2.0 * b + 3.0 * t * a)) * FINENESS;
        (s, slope.max(0.0))
    }
}

/// What blood binds besides what is dissolved in it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Carrier<'a> {
    /// Bound at most in a volume of red cells, unit of the molecule; 0 for a molecule that is dissolved only.
    pub capacity: f32,
    /// Where half of that is bound, unit of the molecule.
    pub half: f32,
    /// Hill's curve of it.
    pub curve: Option<&'a Curve>,
}

impl Carrier<'_> {
    /// Share of it that is loaded, at a level.
    pub fn saturation(&self, level: f32) -> f32 {
        self.loaded(level).0
    }

    /// The same, and by how much it is more for a level higher by one.
    fn loaded(&self, level: f32) -> (f32, f32) {
        match self.curve {
            Some(curve) if self.half > 0.0 => {
                let (s, slope) = curve.at(level / self.half);
                (s, slope / self.half)
            }
            _ => (0.0, 0.0),
        }
    }

    /// What blood of a haematocrit holds at a level, and by how much it is more for a level higher by one.
    pub fn content(&self, level: f32, haematocrit: f32) -> (f32, f32) {
        let bound = haematocrit * self.capacity;
        if bound <= 0.0 || level <= 0.0 {
            return (level.max(0.0), 1.0);
        }
        let (s, slope) = self.loaded(level);
        (level + bound * s, 1.0 + bound * slope)
    }

    /// The level `P >= 0` at which `flow content(P) + pull P = sum`, found from a guess on; 0 where there is none. `flow` and `pull` are not
    /// negative, and not both 0.
    pub fn level(&self, (flow, pull): (f32, f32), haematocrit: f32, sum: f32, guess: f32) -> f32 {
        if sum <= 0.0 {
            return 0.0;
        }
        if haematocrit * self.capacity <= 0.0 {
            return sum / (flow + pull);
        }
        // What it holds grows with the level, so that it lies in between.
        let (mut low, mut high) = (0.0_f32, sum / (flow + pull));
        let mut level = guess.clamp(low, high);
        for _ in 0..MOST_ROUNDS {
            let (content, slope) = self.content(level, haematocrit);
            let over = flow * content + pull * level - sum;
            if over > 0.0 {
                high = level;
            } else {
                low = level;
            }
            let next = level - over / (flow * slope + pull);
            if next > low && next < high {
                let moved = (next - level).abs();
                level = next;
                // The next round would move it by the square of that.
                if moved <= NEAR * level {
                    break;
                }
            } else {
                let middle = 0.5 * (low + high);
                if middle <= low || middle >= high {
                    break;
                }
                level = middle;
            }
        }
        level
    }
}

/// Rounds in which a level is found: a bisection would need no more.
const MOST_ROUNDS: usize = 32;
/// A change of the level after which it is found, relative.
const NEAR: f32 = 3e-4;

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(exponent: f32) -> Curve {
        let mut curve = Curve::default();
        curve.follow(exponent);
        curve
    }

    fn haemoglobin(curve: &Curve) -> Carrier<'_> {
        Carrier {
            // 20.3 mM over 1.3 uM/mmHg.
            capacity: 15_600.0,
            half: 27.0,
            curve: Some(curve),
        }
    }

    #[test]
    fn the_table_is_hills_curve_within_a_millionth() {
        for exponent in [0.5, 1.0, 1.4, 2.7, 4.0, 10.0] {
            let curve = curve(exponent);
            for step in 0..40_000_u32 {
                let x = step as f32 * 5.1e-4;
                let power = f64::from(x).powf(f64::from(exponent));
                let expected = power / (1.0 + power);
                let (found, slope) = curve.at(x);
                // Steeper curves are farther from a cubic.
                let most = if exponent > 5.0 { 1e-5 } else { 1e-6 };
                let off = (f64::from(found) - expected).abs();
                assert!(off < most, "{exponent} at {x}: {found}, {expected}");
                assert!(slope >= 0.0, "{exponent} at {x}: {slope}");
            }
        }
    }

    #[test]
    fn saturation_is_hills_and_arterial_blood_is_full() {
        let curve = curve(2.7);
        let haemoglobin = haemoglobin(&curve);
        assert!((haemoglobin.saturation(27.0) - 0.5).abs() < 1e-6);
        // (40/27)^2.7 = 2.889: 0.743; (95/27)^2.7 = 29.85: 0.968.
        assert!((haemoglobin.saturation(40.0) - 0.743).abs() < 1e-3);
        assert!((haemoglobin.saturation(95.0) - 0.968).abs() < 1e-3);
        // Arterial blood: 0.45 x 20.3 mM x 0.968 + 0.12 mM = 8.97 mM, 20 mL in 100 mL.
        let (content, _) = haemoglobin.content(95.0, 0.45);
        assert!((content * 1.3e-3 - 8.97).abs() < 0.02, "{content}");
    }

    #[test]
    fn a_level_is_that_at_which_blood_holds_so_much() {
        let curve = curve(2.7);
        let haemoglobin = haemoglobin(&curve);
        for haematocrit in [0.0, 0.05, 0.45] {
            for level in [0.0, 1e-3, 0.7, 12.0, 40.0, 95.0, 600.0] {
                for (flow, pull) in [(1.0, 0.0), (2e6, 3e9), (1e6, 1e3)] {
                    let (content, _) = haemoglobin.content(level, haematocrit);
                    let sum = flow * content + pull * level;
                    for guess in [0.0, 3.0, 90.0, 1e5] {
                        let found = haemoglobin.level((flow, pull), haematocrit, sum, guess);
                        assert!(
                            (found - level).abs() <= 2e-5 * level.max(1e-2),
                            "{level} at {haematocrit}: {found}"
                        );
                    }
                }
            }
        }
        assert_eq!(haemoglobin.level((1.0, 0.0), 0.45, -3.0, 40.0), 0.0);
    }
}
