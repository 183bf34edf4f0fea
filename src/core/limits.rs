//! Which values a parameter may have.

/// The allowed range of a parameter, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Smallest allowed value.
    pub min: f64,
    /// Largest allowed value.
    pub max: f64,
}

impl Limits {
    /// Zero or more.
    pub const NON_NEGATIVE: Self = Self {
        min: 0.0,
        max: f32::MAX as f64,
    };
    /// More than zero.
    pub const POSITIVE: Self = Self {
        min: f32::MIN_POSITIVE as f64,
        max: f32::MAX as f64,
    };
    /// A share between none and all.
    pub const FRACTION: Self = Self { min: 0.0, max: 1.0 };
    /// Any finite number.
    pub const FINITE: Self = Self {
        min: f32::MIN as f64,
        max: f32::MAX as f64,
    };

    /// Whether `value` is inside. NaN never is. A limit is inside as well when it was kept in single precision,
    /// which may have rounded it outwards.
    pub fn contain(self, value: f64) -> bool {
        let kept = |limit: f64| value != 0.0 && value == f64::from(limit as f32);
        (value >= self.min && value <= self.max) || kept(self.min) || kept(self.max)
    }

    /// What would be allowed, in words.
    pub fn describe(self) -> String {
        if self == Self::NON_NEGATIVE {
            "a number of at least 0".into()
        } else if self == Self::POSITIVE {
            "a number greater than 0".into()
        } else if self == Self::FINITE {
            "a finite number".into()
        } else {
            format!("a number from {} to {}", self.min, self.max)
        }
    }
}
