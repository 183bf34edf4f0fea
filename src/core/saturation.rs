//! How something comes to its full: the Hill function, by which most things in a cell depend on a concentration, and a straight ramp.

use bevy::math::ops;

/// `x^n` for `x >= 0`; small whole powers by multiplying, which is far cheaper. Beyond the largest number it is that.
#[inline]
pub fn power(x: f32, exponent: f32) -> f32 {
    let power = if exponent == 1.0 {
        x
    } else if exponent == 2.0 {
        x * x
    } else if exponent == 3.0 {
        x * x * x
    } else if exponent == 4.0 {
        (x * x) * (x * x)
    } else {
        ops::powf(x, exponent)
    };
    if power > f32::MAX { f32::MAX } else { power }
}

/// The Hill function `x^n / (K^n + x^n)`: how far `x` switches something on, 0-1.
///
/// 0 where `x` is not above 0 or no number, 1 where it is and `K` is not.
#[inline]
pub fn hill(x: f32, half: f32, exponent: f32) -> f32 {
    if x > 0.0 {
        if half > 0.0 {
            1.0 / (1.0 + power(half / x, exponent))
        } else {
            1.0
        }
    } else {
        0.0
    }
}

/// How far `x` has come from `none` to `full`, 0-1; a step where both are equal, and 0 where `none` is out of reach.
#[inline]
pub fn ramp(x: f32, none: f32, full: f32) -> f32 {
    if x < none {
        0.0
    } else if x >= full {
        1.0
    } else {
        (x - none) / (full - none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hill_is_zero_at_nothing_half_at_its_constant_and_one_at_plenty() {
        for exponent in [0.1, 1.0, 1.5, 2.0, 3.0, 4.0, 20.0] {
            assert_eq!(hill(0.0, 2.0, exponent), 0.0);
            assert_eq!(hill(-1.0, 2.0, exponent), 0.0);
            assert_eq!(hill(f32::NAN, 2.0, exponent), 0.0);
            assert!((hill(2.0, 2.0, exponent) - 0.5).abs() < 1e-6);
            let tripled = 1.0 / (1.0 + 3.0_f64.powf(f64::from(exponent)));
            assert!((f64::from(hill(1.0, 3.0, exponent)) - tripled).abs() < 1e-6);
            assert_eq!(hill(1.0, 0.0, exponent), 1.0);
            assert_eq!(hill(f32::INFINITY, 2.0, exponent), 1.0);
        }
    }

    #[test]
    fn whole_powers_are_those_of_repeated_multiplication_and_none_is_infinite() {
        for x in [0.0_f32, 1e-30, 0.3, 7.0, 1e9, f32::MAX, f32::INFINITY] {
            for exponent in 1_u8..=5 {
                let found = f64::from(power(x, f32::from(exponent)));
                let expected = f64::from(x).powi(i32::from(exponent));
                let expected = expected.min(f64::from(f32::MAX));
                let near = (found - expected).abs() <= 1e-5 * expected + 1e-37;
                assert!(near, "{x}^{exponent}: {found}, not {expected}");
            }
        }
    }
}
