//! Floor 2: the systems of tumour biology, one module each.
//!
//! Each module acts on whatever cell carries its component, so that a cell type is a list of capabilities and
//! not code.

use bevy::prelude::*;

pub mod hypoxia;
pub mod metabolism;

pub use hypoxia::{HifAxis, HifParameters, HypoxiaParameters};
pub use metabolism::{Metabolism, MetabolismParameters};

/// All systems of tumour biology.
pub struct BiologyPlugins;

impl Plugin for BiologyPlugins {
    fn build(&self, app: &mut App) {
        app.add_plugins((hypoxia::HypoxiaPlugin, metabolism::MetabolismPlugin));
    }
}

/// The Hill function `x^n / (K^n + x^n)`: how far `x` switches something on, 0-1.
pub fn hill(x: f32, half: f32, exponent: f32) -> f32 {
    if x <= 0.0 {
        return 0.0;
    }
    if half <= 0.0 {
        return 1.0;
    }
    // 1 / (1 + (K/x)^n) cannot overflow to NaN: an infinite power gives 0.
    1.0 / (1.0 + bevy::math::ops::powf(half / x, exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hill_is_zero_at_nothing_half_at_its_constant_and_one_at_plenty() {
        for exponent in [1.0, 2.0, 3.0] {
            assert_eq!(hill(0.0, 2.0, exponent), 0.0);
            assert!((hill(2.0, 2.0, exponent) - 0.5).abs() < 1e-6);
            assert!((hill(1.0, 2.0, exponent) - 1.0 / (1.0 + 2.0_f32.powf(exponent))).abs() < 1e-6);
            assert!(hill(1e9, 2.0, exponent) > 0.999_999);
            assert_eq!(
                hill(1e-30, 2.0, exponent),
                hill(1e-30, 2.0, exponent).max(0.0)
            );
        }
    }
}
