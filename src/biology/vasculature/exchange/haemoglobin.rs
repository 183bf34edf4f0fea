//! How blood carries a molecule: dissolved, and oxygen bound to haemoglobin as well.
//!
//! Blood of the haematocrit `H` in which oxygen has the pressure `P` holds `P + H C S(P)`, in the unit of the molecule, with Hill's saturation
//! `S = P^n / (P_50^n + P^n)` and what red cells can bind, `C`.

use bevy::math::ops;

/// What blood binds besides what is dissolved in it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Carrier {
    /// Bound at most in a volume of red cells, unit of the molecule; 0 for a molecule that is dissolved only.
    pub capacity: f32,
    /// Where half of that is bound, unit of the molecule.
    pub half: f32,
    /// Hill's exponent.
    pub exponent: f32,
}

impl Carrier {
    /// Share of it that is loaded, at a level.
    pub fn saturation(&self, level: f32) -> f32 {
        if level <= 0.0 || self.half <= 0.0 {
            return 0.0;
        }
        let x = ops::powf(level / self.half, self.exponent);
        x / (1.0 + x)
    }

    /// What blood of a haematocrit holds at a level, and by how much it is more for a level higher by one.
    pub fn content(&self, level: f32, haematocrit: f32) -> (f32, f32) {
        let bound = haematocrit * self.capacity;
        if bound <= 0.0 || level <= 0.0 {
            return (level.max(0.0), 1.0);
        }
        let s = self.saturation(level);
        // n S (1 - S) / P.
        let slope = self.exponent * s * (1.0 - s) / level;
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
            let next = if next > low && next < high {
                next
            } else {
                0.5 * (low + high)
            };
            let moved = (next - level).abs();
            level = next;
            if moved <= NEAR * level {
                break;
            }
        }
        level
    }
}

/// Rounds in which a level is found: a bisection would need no more.
const MOST_ROUNDS: usize = 32;
/// A change of the level that is none, relative.
const NEAR: f32 = 3e-7;

#[cfg(test)]
mod tests {
    use super::*;

    const HAEMOGLOBIN: Carrier = Carrier {
        // 20.3 mM over 1.3 uM/mmHg.
        capacity: 15_600.0,
        half: 27.0,
        exponent: 2.7,
    };

    #[test]
    fn saturation_is_hills_and_arterial_blood_is_full() {
        assert!((HAEMOGLOBIN.saturation(27.0) - 0.5).abs() < 1e-6);
        // (40/27)^2.7 = 2.889: 0.743; (95/27)^2.7 = 29.85: 0.968.
        assert!((HAEMOGLOBIN.saturation(40.0) - 0.743).abs() < 1e-3);
        assert!((HAEMOGLOBIN.saturation(95.0) - 0.968).abs() < 1e-3);
        // Arterial blood: 0.45 x 20.3 mM x 0.968 + 0.12 mM = 8.97 mM, 20 mL in 100 mL.
        let (content, _) = HAEMOGLOBIN.content(95.0, 0.45);
        assert!((content * 1.3e-3 - 8.97).abs() < 0.02, "{content}");
    }

    #[test]
    fn a_level_is_that_at_which_blood_holds_so_much() {
        for haematocrit in [0.0, 0.05, 0.45] {
            for level in [0.0, 1e-3, 0.7, 12.0, 40.0, 95.0, 600.0] {
                for (flow, pull) in [(1.0, 0.0), (2e6, 3e9), (1e6, 1e3)] {
                    let (content, _) = HAEMOGLOBIN.content(level, haematocrit);
                    let sum = flow * content + pull * level;
                    for guess in [0.0, 3.0, 90.0, 1e5] {
                        let found = HAEMOGLOBIN.level((flow, pull), haematocrit, sum, guess);
                        assert!(
                            (found - level).abs() <= 2e-5 * level.max(1e-2),
                            "{level} at {haematocrit}: {found}"
                        );
                    }
                }
            }
        }
        assert_eq!(HAEMOGLOBIN.level((1.0, 0.0), 0.45, -3.0, 40.0), 0.0);
    }
}
