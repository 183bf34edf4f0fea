//! Rules: what changes what, as data.
//!
//! A rule joins a quantity to an input: `(input: "exchange.vegf_a", by: "hif.level", law: Fold(6))`. With the base
//! `b` of the input and the quantity `q` each rule gives a factor `f` or an addend,
//!
//! - `Fold(g)`: `f = 1 + g q`;
//! - `Share`: `f = q`, held between 0 and 1: what another module allows of something;
//! - `Inhibit(half: K, exponent: n)`: `f = 1 / (1 + (q/K)^n)`;
//! - `Hill(half: K, exponent: n, to: t)`: `f = 1 + (t/b - 1) h`, `h = q^n / (K^n + q^n)`, which leads from `b` to `t`;
//!   where the base is 0, of the other sign, or so near to 0 that `t/b` is beyond 2^24, the addend `(t - b) h`;
//! - `HillFold(half: K, exponent: n, fold: g)`: `f = 1 + (g - 1) h`, which multiplies any base by `g` where there is plenty of
//!   `q`: a floor where `g` is below 1;
//! - `Add(g)`: the addend `g q`;
//! - `HillAdd(half: K, exponent: n, gain: g)`: the addend `g h`, whatever the base is.
//!
//! `scale` says how much of it counts: `f` becomes `1 + scale (f - 1)`, never below 0 nor the
//! `floor` of the rule, an addend is multiplied. A rule with the scale 0 is as if it were not there. The input is `b` times the
//! product of all factors plus the sum of all addends, in the order of the names of the rules, held within the limits
//! of the input. `floor` keeps a factor from falling below it, [`RuleBook::floors`] the whole product. A quantity
//! that a cell does not have changes nothing.
//!
//! [`Combine::MultiHill`] combines rules of the form `Hill` as PhysiCell's rules do (Johnson et al. 2025, Cell,
//! doi:10.1016/j.cell.2025.06.048): with `U` the sum of `(q/K)^n` over the rules that raise and `D` over those
//! that lower, `b` first goes to the largest `to` by the share `U/(1+U)`, then to the least by `D/(1+D)`.

use std::collections::BTreeMap;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::parameters::Limits;
use super::saturation::{hill, power};

/// How a quantity changes an input.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub enum Law {
    /// Multiplies by `1 + gain q`.
    Fold(f32),
    /// Multiplies by `q`, held between 0 and 1.
    Share,
    /// Multiplies by `1 / (1 + (q/half)^exponent)`.
    Inhibit {
        /// Where half is left, unit of the quantity.
        half: f32,
        /// Steepness.
        #[serde(default = "one")]
        exponent: f32,
    },
    /// Leads from the base to another value.
    Hill {
        /// Where the way is half done, unit of the quantity.
        half: f32,
        /// Steepness.
        #[serde(default = "one")]
        exponent: f32,
        /// Where it leads to, unit of the input.
        to: f32,
    },
    /// Multiplies by `1 + (fold - 1) h`, `h = q^exponent / (half^exponent + q^exponent)`: the same fold of any base, where clones
    /// differ in it, say.
    HillFold {
        /// Where the way is half done, unit of the quantity.
        half: f32,
        /// Steepness.
        #[serde(default = "one")]
        exponent: f32,
        /// What it multiplies by in the end: more than 1 raises, less is a floor.
        fold: f32,
    },
    /// Adds `gain q`.
    Add(f32),
    /// Adds `gain h`, `h = q^exponent / (half^exponent + q^exponent)`: as much to any base, up to `gain`.
    HillAdd {
        /// Where half of it is added, unit of the quantity.
        half: f32,
        /// Steepness.
        #[serde(default = "one")]
        exponent: f32,
        /// What it adds in the end, unit of the input.
        gain: f32,
    },
}

const fn one() -> f32 {
    1.0
}

impl Law {
    /// Its numbers by name.
    pub const fn numbers(&self) -> &'static [&'static str] {
        match self {
            Self::Fold(_) | Self::Add(_) => &["gain"],
            Self::Share => &[],
            Self::Inhibit { .. } => &["half", "exponent"],
            Self::Hill { .. } => &["half", "exponent", "to"],
            Self::HillFold { .. } => &["half", "exponent", "fold"],
            Self::HillAdd { .. } => &["half", "exponent", "gain"],
        }
    }

    /// One of its numbers, to read or change.
    pub fn number_mut(&mut self, name: &str) -> Option<&mut f32> {
        match (self, name) {
            (Self::Fold(gain) | Self::Add(gain) | Self::HillAdd { gain, .. }, "gain") => Some(gain),
            (
                Self::Inhibit { half, .. }
                | Self::Hill { half, .. }
                | Self::HillFold { half, .. }
                | Self::HillAdd { half, .. },
                "half",
            ) => Some(half),
            (
                Self::Inhibit { exponent, .. }
                | Self::Hill { exponent, .. }
                | Self::HillFold { exponent, .. }
                | Self::HillAdd { exponent, .. },
                "exponent",
            ) => Some(exponent),
            (Self::Hill { to, .. }, "to") => Some(to),
            (Self::HillFold { fold, .. }, "fold") => Some(fold),
            _ => None,
        }
    }

    /// What one of its numbers may be.
    pub fn limits(name: &str) -> Limits {
        match name {
            "half" => Limits::POSITIVE,
            "exponent" => Limits {
                min: 0.1,
                max: 20.0,
            },
            "fold" => Limits {
                min: 0.0,
                max: 1e12,
            },
            _ => Limits {
                min: -1e12,
                max: 1e12,
            },
        }
    }
}

/// One arrow: a quantity changes an input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The input that is changed.
    pub input: String,
    /// The quantity that changes it.
    pub by: String,
    /// How.
    pub law: Law,
    /// How much of it counts: 1 is all, 0 nothing; more than 1 strengthens it.
    #[serde(default = "one")]
    pub scale: f32,
    /// The factor is never below this, nor below 0.
    #[serde(default)]
    pub floor: Option<f32>,
    /// What it stands for, in a sentence.
    #[serde(default)]
    pub about: String,
    /// Where its numbers are from.
    #[serde(default)]
    pub source: String,
}

impl Rule {
    /// Beyond, a timeline that scales it again and again would come to what is no number.
    const SCALE_LIMITS: Limits = Limits { min: 0.0, max: 1e6 };

    /// Multiplies its scale, within its limits.
    pub fn scale_by(&mut self, factor: f32) {
        let Limits { min, max } = Self::SCALE_LIMITS;
        let scale = f64::from(self.scale) * f64::from(factor);
        self.scale = scale.clamp(min, max) as f32;
    }

    /// What a number of a rule may be, by its path: `scale`, `law.gain`.
    pub fn limits(path: &str) -> Limits {
        path.strip_prefix("law.")
            .map_or(Self::SCALE_LIMITS, Law::limits)
    }
}

/// How several rules on one input are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub enum Combine {
    /// The product of factors and the sum of addends.
    #[default]
    Product,
    /// As PhysiCell's rules; all must be `Hill`, without floors, and `scale` multiplies `(q / half)^exponent`.
    MultiHill,
}

impl Combine {
    /// Whether rules of that form can be combined so.
    pub const fn takes(self, law: Law) -> bool {
        match self {
            Self::Product => true,
            Self::MultiHill => matches!(law, Law::Hill { .. }),
        }
    }
}

/// The rules of a cell type or a site, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct RuleBook {
    /// The rules.
    pub rules: BTreeMap<String, Rule>,
    /// What the product of all factors on an input does not fall below, by input.
    pub floors: BTreeMap<String, f32>,
    /// How the rules on an input are combined, where not as a product.
    pub combine: BTreeMap<String, Combine>,
}

impl RuleBook {
    /// How the rules on an input are combined.
    pub fn combine_of(&self, input: &str) -> Combine {
        self.combine.get(input).copied().unwrap_or_default()
    }
}

/// A rule, ready to be applied to columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// Which column holds the quantity.
    pub column: usize,
    /// How it acts.
    pub law: Law,
    /// How much of it counts.
    pub scale: f32,
    /// The factor is never below this.
    pub floor: f32,
}

/// All rules of one book on one input, ready to be applied.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleProgram {
    /// The rules, in the order of their names.
    pub terms: Vec<Term>,
    /// What the product does not fall below.
    pub floor: f32,
    /// How they are combined.
    pub combine: Combine,
    /// What the input may be.
    pub limits: (f32, f32),
}

impl RuleProgram {
    /// The rules of a book on an input that count; `column` says where a quantity stands. `None` without any.
    pub fn new(
        book: &RuleBook,
        input: &str,
        limits: (f32, f32),
        mut column: impl FnMut(&str) -> usize,
    ) -> Option<Self> {
        let terms: Vec<Term> = book
            .rules
            .values()
            .filter(|rule| rule.input == input && rule.scale != 0.0)
            .map(|rule| Term {
                column: column(&rule.by),
                law: rule.law,
                scale: rule.scale,
                floor: rule.floor.unwrap_or(0.0),
            })
            .collect();
        (!terms.is_empty()).then(|| Self {
            terms,
            floor: book.floors.get(input).copied().unwrap_or(0.0),
            combine: book.combine.get(input).copied().unwrap_or_default(),
            limits,
        })
    }

    /// Applies the rules to some rows: `values` holds the bases and then the inputs; `columns` hands out the values of a
    /// quantity in these rows.
    pub fn apply<'c>(
        &self,
        values: &mut [f32],
        columns: impl Fn(usize) -> &'c [f32],
        scratch: &mut Scratch,
    ) {
        let rows = values.len();
        let [first, second] = scratch;
        let (first, second) = (&mut first[..rows], &mut second[..rows]);
        match self.combine {
            Combine::Product => {
                first.fill(1.0);
                second.fill(0.0);
                for term in &self.terms {
                    term.act(values, columns(term.column), first, second);
                }
                for ((value, product), sum) in values.iter_mut().zip(first).zip(second) {
                    *value = *value * product.max(self.floor) + *sum;
                }
            }
            Combine::MultiHill => {
                first.fill(0.0);
                second.fill(0.0);
                let (mut highest, mut lowest) =
                    ([f32::NEG_INFINITY; BLOCK], [f32::INFINITY; BLOCK]);
                for term in &self.terms {
                    let Law::Hill { half, exponent, to } = term.law else {
                        continue;
                    };
                    // Bases differ: by type, and between the clones of one.
                    for (row, q) in columns(term.column).iter().enumerate() {
                        if q.is_nan() {
                            continue;
                        }
                        let pull = if *q > 0.0 {
                            term.scale * power(*q / half, exponent)
                        } else {
                            0.0
                        };
                        if to >= values[row] {
                            highest[row] = highest[row].max(to);
                            first[row] += pull;
                        } else {
                            lowest[row] = lowest[row].min(to);
                            second[row] += pull;
                        }
                    }
                }
                for (row, value) in values.iter_mut().enumerate() {
                    let (up, down) = (first[row], second[row]);
                    if up > 0.0 {
                        *value += (highest[row] - *value) * (1.0 - 1.0 / (1.0 + up));
                    }
                    if down > 0.0 {
                        *value += (lowest[row] - *value) * (1.0 - 1.0 / (1.0 + down));
                    }
                }
            }
        }
        let (least, most) = self.limits;
        for value in values {
            // What is no number stays none: verification tells it.
            if *value < least {
                *value = least;
            } else if *value > most {
                *value = most;
            }
        }
    }
}

/// Largest ratio of the two ends of a `Hill` that is taken as a factor, 2^24: of what a base is beyond, not a bit is left
/// in the other end.
const MOST_FOLD: f32 = 16_777_216.0;

/// Rows to which rules are applied at once.
pub const BLOCK: usize = 256;

/// Where products and sums of a block are worked out; what it holds does not matter.
pub type Scratch = [[f32; BLOCK]; 2];

impl Term {
    /// Multiplies `products` and adds to `sums` what the rule makes of the quantity in each row.
    fn act(&self, bases: &[f32], column: &[f32], products: &mut [f32], sums: &mut [f32]) {
        let Self { scale, floor, .. } = *self;
        // A factor of 1 changes not a bit, so a quantity that is not there is one.
        let counted = |q: f32, factor: f32| {
            if q.is_nan() {
                1.0
            } else if scale == 1.0 {
                factor.max(floor)
            } else {
                (1.0 + scale * (factor - 1.0)).max(floor)
            }
        };
        match self.law {
            Law::Fold(gain) => {
                for (product, q) in products.iter_mut().zip(column) {
                    *product *= counted(*q, 1.0 + gain * *q);
                }
            }
            Law::Share => {
                for (product, q) in products.iter_mut().zip(column) {
                    *product *= counted(*q, q.clamp(0.0, 1.0));
                }
            }
            Law::Inhibit { half, exponent } => {
                for (product, q) in products.iter_mut().zip(column) {
                    *product *= counted(*q, 1.0 - hill(*q, half, exponent));
                }
            }
            Law::Hill { half, exponent, to } => {
                let rows = products.iter_mut().zip(sums).zip(bases.iter().zip(column));
                for ((product, sum), (base, q)) in rows {
                    let share = hill(*q, half, exponent);
                    let fold = to / *base;
                    // NaN, where both are 0, lies nowhere.
                    if !(0.0..=MOST_FOLD).contains(&fold) {
                        if !q.is_nan() {
                            *sum += scale * (to - *base) * share;
                        }
                    } else {
                        *product *= counted(*q, 1.0 + (fold - 1.0) * share);
                    }
                }
            }
            Law::HillFold {
                half,
                exponent,
                fold,
            } => {
                for (product, q) in products.iter_mut().zip(column) {
                    *product *= counted(*q, 1.0 + (fold - 1.0) * hill(*q, half, exponent));
                }
            }
            Law::HillAdd {
                half,
                exponent,
                gain,
            } => {
                for (sum, q) in sums.iter_mut().zip(column) {
                    if !q.is_nan() {
                        *sum += scale * gain * hill(*q, half, exponent);
                    }
                }
            }
            Law::Add(gain) => {
                for (sum, q) in sums.iter_mut().zip(column) {
                    if !q.is_nan() {
                        *sum += scale * gain * *q;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
