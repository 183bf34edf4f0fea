//! The distributions that tests and intervals are made of.
//!
//! Error and gamma functions are those of `libm`; from Abramowitz and Stegun (1964) are 26.5.8 (incomplete beta function) and 26.7
//! (Student's t). Good to about twelve digits.

use std::f64::consts::SQRT_2;

use libm::{erfc, lgamma};

/// Terms after which a continued fraction has long settled.
const TERMS: u32 = 500;
/// Change by a term that is no longer felt.
const SETTLED: f64 = 1e-16;

/// Share of a standard normal distribution below `z`.
pub fn normal(z: f64) -> f64 {
    0.5 * erfc(-z / SQRT_2)
}

/// The value below which this share of a standard normal distribution lies.
pub fn normal_quantile(share: f64) -> f64 {
    root_of(|z| normal(z) - share, -40.0, 40.0)
}

/// The regularised incomplete beta function, by its continued fraction.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let front = lgamma(a + b) - lgamma(a) - lgamma(b) + a * x.ln() + b * (1.0 - x).ln();
    // Lentz's way of working a continued fraction out from its front.
    let (mut c, mut d) = (1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for step in [even, odd] {
            d = 1.0 / (1.0 + step * d);
            c = 1.0 + step / c;
            fraction *= c * d;
        }
        if (fraction - before).abs() < SETTLED * fraction.abs() {
            break;
        }
    }
    front.exp() / a * fraction
}

/// Share of Student's t distribution with so many degrees of freedom below `t`.
pub fn student(t: f64, freedom: f64) -> f64 {
    let tail = 0.5 * incomplete_beta(freedom / (freedom + t * t), 0.5 * freedom, 0.5);
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// The value below which this share of Student's t distribution lies.
pub fn student_quantile(share: f64, freedom: f64) -> f64 {
    root_of(|t| student(t, freedom) - share, -1e4, 1e4)
}

/// Share of the noncentral t distribution below `t`: that of `(Z + shift) / s`, `Z` standard normal and `s^2` a chi-square
/// divided by its degrees of freedom. Integrated over `s`.
pub fn noncentral(t: f64, freedom: f64, shift: f64) -> f64 {
    const PIECES: u32 = 2_000;
    // Beyond, less than 1e-12 of `s` lies.
    let spread = 1.0 / (2.0 * freedom).sqrt();
    let (least, most) = ((1.0 - 9.0 * spread).max(0.0), 1.0 + 9.0 * spread);
    let front = 2.0_f64.ln() + 0.5 * freedom * (0.5 * freedom).ln() - lgamma(0.5 * freedom);
    let density = |s: f64| {
        if s <= 0.0 {
            return if freedom > 1.0 { 0.0 } else { front.exp() };
        }
        (front + (freedom - 1.0) * s.ln() - 0.5 * freedom * s * s).exp()
    };
    let wide = (most - least) / f64::from(PIECES);
    let sum: f64 = (0..=PIECES)
        .map(|index| {
            let s = least + wide * f64::from(index);
            let weight = match index {
                0 | PIECES => 1.0,
                _ if index % 2 == 1 => 4.0,
                _ => 2.0,
            };
            weight * density(s) * normal(t * s - shift)
        })
        .sum();
    sum * wide / 3.0
}

/// Share of the chi-square distribution with one degree of freedom above a value.
pub fn chi_square_tail(value: f64) -> f64 {
    erfc((0.5 * value.max(0.0)).sqrt())
}

/// Where a rising function is zero, by halving.
pub(super) fn root_of(of: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if of(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_quantiles_are_those_of_the_tables() {
        for (z, share) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746),
            (-1.959_963_985, 0.025),
            (3.5, 0.999_767_371),
        ] {
            assert!((normal(z) - share).abs() < 1e-9, "{z}");
            assert!((normal_quantile(share) - z).abs() < 1e-6, "{share}");
        }
        assert!((normal(-6.0) / 9.865_876_45e-10 - 1.0).abs() < 1e-7);
        // Abramowitz and Stegun, table 26.10.
        for (freedom, t) in [
            (1.0, 12.706),
            (4.0, 2.776),
            (10.0, 2.228),
            (30.0, 2.042),
            (120.0, 1.980),
        ] {
            assert!(
                (student_quantile(0.975, freedom) - t).abs() < 6e-4,
                "{freedom}"
            );
        }
        assert!((chi_square_tail(3.841_459) - 0.05).abs() < 1e-6);
        assert!((chi_square_tail(6.634_897) - 0.01).abs() < 1e-6);
    }

    #[test]
    fn without_a_shift_noncentral_is_students() {
        for (t, freedom) in [(0.3, 3.0), (-1.2, 7.0), (2.5, 40.0)] {
            assert!(
                (noncentral(t, freedom, 0.0) - student(t, freedom)).abs() < 1e-7,
                "{t}"
            );
        }
    }
}
