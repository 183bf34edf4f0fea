//! What a voxel does with its own molecules: loss in proportion to the value, and saturating uptake.
//!
//! With loss `a c` and one saturating uptake the balance `a c + v c / (k + c) = sum` is a quadratic equation
//! whose one root that is not negative is taken in the form that does not cancel, so a voxel is relaxed
//! exactly and the coarse levels alone see a tangent. Several uptakes with unlike half-saturation are
//! relaxed by Newton's method, all but the first being linearised; uptake is concave, so the iterates rise
//! to the root from below and stay positive.

use super::level::{Level, Uptake};

/// The larger of two numbers, as one instruction (`f32::max` also sorts out NaN).
#[inline(always)]
pub(super) fn at_least(x: f32, floor: f32) -> f32 {
    if x > floor { x } else { floor }
}

/// The balance of the voxels of one row.
pub(super) trait Local: Copy {
    /// The part from place `start` on.
    fn cut(self, start: usize, n: usize) -> Self;
    /// Value of place `m` that is in balance with what supply and neighbours bring; `c` is that before.
    fn solve(&self, m: usize, sum: f32, c: f32) -> f32;
    /// What is brought less what is lost at the value `c`, 0 for held voxels and empty places. A value of
    /// zero is not pushed below.
    fn residual(&self, m: usize, sum: f32, c: f32) -> f32;
    /// What rounding acts on: diagonal times value.
    fn weight(&self, m: usize, c: f32) -> f32;
    /// Diagonal with the growth of the saturating uptake, 1/min; infinite for held voxels and empty places.
    fn diagonal(&self, m: usize, c: f32) -> f32;
}

/// Loss in proportion to the value only; knows the reciprocal of the diagonal.
#[derive(Clone, Copy)]
pub(super) struct FirstOrder<'a> {
    inverse: &'a [f32],
    /// Lowest value allowed: 0 for concentrations, minus infinity for corrections.
    floor: f32,
}

impl Local for FirstOrder<'_> {
    #[inline(always)]
    fn cut(self, start: usize, n: usize) -> Self {
        Self {
            inverse: &self.inverse[start..start + n],
            ..self
        }
    }

    #[inline(always)]
    fn solve(&self, m: usize, sum: f32, _: f32) -> f32 {
        at_least(self.inverse[m] * sum, self.floor)
    }

    #[inline(always)]
    fn residual(&self, m: usize, sum: f32, c: f32) -> f32 {
        // Held voxels and empty places have c = 0 and balance at 0.
        let balanced = at_least(self.inverse[m] * sum, self.floor);
        (balanced - c) / at_least(self.inverse[m], f32::MIN_POSITIVE)
    }

    #[inline(always)]
    fn weight(&self, m: usize, c: f32) -> f32 {
        c / at_least(self.inverse[m], f32::MIN_POSITIVE)
    }

    #[inline(always)]
    fn diagonal(&self, m: usize, _: f32) -> f32 {
        1.0 / self.inverse[m]
    }
}

/// Proportional loss and one saturating uptake.
#[derive(Clone, Copy)]
pub(super) struct Saturated<'a> {
    diagonal: &'a [f32],
    vmax: &'a [f32],
    half_saturation: f32,
}

/// The root that is not negative of `a c + v c / (k + c) = sum`; 0 where the diagonal is infinite.
#[inline(always)]
fn root(diagonal: f32, vmax: f32, half_saturation: f32, sum: f32) -> f32 {
    let sum = at_least(sum, 0.0);
    let linear = diagonal * half_saturation;
    let b = sum - linear - vmax;
    let width = (b * b + 4.0 * linear * sum).sqrt();
    let is_high = b >= 0.0;
    let above = if is_high {
        b + width
    } else {
        2.0 * half_saturation * sum
    };
    let below = if is_high { 2.0 * diagonal } else { width - b };
    let c = above / below;
    // An infinite diagonal leaves 0 or, in `width`, no number.
    if below > 0.0 { c } else { 0.0 }
}

/// Saturating uptake at a value, c/min.
#[inline(always)]
pub(super) fn uptake(vmax: f32, half_saturation: f32, c: f32) -> f32 {
    vmax * c / (half_saturation + c)
}

/// Growth of the uptake with the value, 1/min.
#[inline(always)]
fn slope(vmax: f32, half_saturation: f32, c: f32) -> f32 {
    let whole = 1.0 / (half_saturation + c);
    vmax * half_saturation * whole * whole
}

impl Local for Saturated<'_> {
    #[inline(always)]
    fn cut(self, start: usize, n: usize) -> Self {
        Self {
            diagonal: &self.diagonal[start..start + n],
            vmax: &self.vmax[start..start + n],
            ..self
        }
    }

    #[inline(always)]
    fn solve(&self, m: usize, sum: f32, _: f32) -> f32 {
        root(self.diagonal[m], self.vmax[m], self.half_saturation, sum)
    }

    #[inline(always)]
    fn residual(&self, m: usize, sum: f32, c: f32) -> f32 {
        let diagonal = self.diagonal[m];
        let taken = uptake(self.vmax[m], self.half_saturation, c);
        let left = at_least(sum, 0.0) - diagonal * c - taken;
        if diagonal < f32::INFINITY { left } else { 0.0 }
    }

    #[inline(always)]
    fn weight(&self, m: usize, c: f32) -> f32 {
        let diagonal = self.diagonal[m];
        let weight = diagonal * c;
        if diagonal < f32::INFINITY {
            weight
        } else {
            0.0
        }
    }

    #[inline(always)]
    fn diagonal(&self, m: usize, c: f32) -> f32 {
        self.diagonal[m] + slope(self.vmax[m], self.half_saturation, c)
    }
}

/// Proportional loss and several saturating uptakes.
#[derive(Clone, Copy)]
pub(super) struct Several<'a> {
    first: Saturated<'a>,
    others: &'a [Uptake],
    colour: usize,
    at: usize,
}

/// Newton steps for the uptakes beyond the first.
const NEWTON_STEPS: usize = 4;

impl Several<'_> {
    /// Largest uptake and half-saturation of each of the other uptakes.
    #[inline(always)]
    fn others(&self, m: usize) -> impl Iterator<Item = (f32, f32)> {
        let place = self.at + m;
        self.others
            .iter()
            .map(move |u| (u.vmax[self.colour][place], u.half_saturation))
    }
}

impl Local for Several<'_> {
    #[inline(always)]
    fn cut(self, start: usize, n: usize) -> Self {
        Self {
            first: self.first.cut(start, n),
            at: self.at + start,
            ..self
        }
    }

    #[inline(always)]
    fn solve(&self, m: usize, sum: f32, c: f32) -> f32 {
        let first = &self.first;
        let mut new = c;
        for _ in 0..NEWTON_STEPS {
            let (mut sum, mut diagonal) = (sum, first.diagonal[m]);
            for (vmax, half_saturation) in self.others(m) {
                let slope = slope(vmax, half_saturation, new);
                diagonal += slope;
                sum += slope * new - uptake(vmax, half_saturation, new);
            }
            new = root(diagonal, first.vmax[m], first.half_saturation, sum);
        }
        new
    }

    #[inline(always)]
    fn residual(&self, m: usize, sum: f32, c: f32) -> f32 {
        let taken = |(vmax, half_saturation)| uptake(vmax, half_saturation, c);
        self.first.residual(m, sum, c) - self.others(m).map(taken).sum::<f32>()
    }

    #[inline(always)]
    fn weight(&self, m: usize, c: f32) -> f32 {
        self.first.weight(m, c)
    }

    #[inline(always)]
    fn diagonal(&self, m: usize, c: f32) -> f32 {
        let of = |(vmax, half_saturation)| slope(vmax, half_saturation, c);
        self.first.diagonal(m, c) + self.others(m).map(of).sum::<f32>()
    }
}

/// Something done with the balance of a row once its kind is known.
pub(super) trait LocalWork {
    fn with<L: Local>(&mut self, local: L);
}

/// Finds the balance of the row of `colour` that starts at place `at` and hands it to `work`.
#[inline(always)]
pub(super) fn with_local<W: LocalWork>(
    level: &Level,
    colour: usize,
    at: usize,
    floor: f32,
    work: &mut W,
) {
    let run = level.layout.run;
    // Reciprocals of the diagonal, or the diagonal itself where uptake saturates.
    let diagonal = &level.inverse[colour][at..at + run];
    match level.uptakes.as_slice() {
        [] => work.with(FirstOrder {
            inverse: diagonal,
            floor,
        }),
        [first, others @ ..] => {
            let first = Saturated {
                diagonal,
                vmax: &first.vmax[colour][at..at + run],
                half_saturation: first.half_saturation,
            };
            if others.is_empty() {
                work.with(first);
            } else {
                work.with(Several {
                    first,
                    others,
                    colour,
                    at,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_balances_over_the_whole_range() {
        for (a, v, k) in [
            (1500.0, 520.0, 2.0),
            (0.1, 1.0e7, 0.02),
            (1500.0, 0.0, 2.0),
            (1.0e-3, 5.0, 100.0),
        ] {
            for sum in [0.0_f32, 1.0e-20, 1.0e-3, 1.0, 500.0, 1.0e6] {
                let c = f64::from(root(a, v, k, sum));
                let lost = f64::from(a) * c + f64::from(v) * c / (f64::from(k) + c);
                assert!(c >= 0.0);
                let scale = f64::from(sum).max(1e-30);
                assert!(
                    (lost - f64::from(sum)).abs() <= 1e-5 * scale,
                    "{a} {v} {k} {sum}: {lost}"
                );
            }
        }
        assert_eq!(root(f32::INFINITY, 3.0, 2.0, 0.0), 0.0, "a held voxel");
        assert_eq!(root(f32::INFINITY, 3.0, 2.0, 7.0), 0.0, "a held voxel");
        assert_eq!(
            root(10.0, 3.0, 2.0, -4.0),
            0.0,
            "an outflux that finds nothing"
        );
    }
}
