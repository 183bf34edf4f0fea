//! How a drug goes through a body: depots, two compartments, linear and saturating clearance.
//!
//! With the amounts `A_1` in blood, `A_2` in the rest of the body and `A_d` in depots (ug), the volumes `V_1`, `V_2` (mL) and `C = A_1 / V_1`,
//!
//! `dA_1/dt = sum k_a A_d + r - (CL + Q + V_max / (K_m + C)) C + Q A_2 / V_2`, `dA_2/dt = Q (C - A_2 / V_2)`, `dA_d/dt = -k_a A_d`.
//!
//! Without saturation the system is linear and is carried on exactly, by the exponential of its matrix: a Taylor series of the matrix over a power of
//! two, squared as often (Moler and Van Loan 2003, doi:10.1137/S00361445024180). With saturation the rate `V_max / (K_m + C)` is held over a piece
//! of a step at its value in the middle, which is found by half a step: of second order, stable at any length of step, never negative.
//! What leaves is counted, so that what was given is in the body or has left it.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::parameters::Limits;
use crate::core::units::MINUTES_PER_DAY;

/// By what way a drug comes into a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub enum Route {
    /// Into a vein.
    Intravenous,
    /// Into the belly cavity.
    Intraperitoneal,
    /// Under the skin.
    Subcutaneous,
    /// Swallowed.
    Oral,
}

impl Route {
    /// All ways.
    pub const ALL: [Self; 4] = [
        Self::Intravenous,
        Self::Intraperitoneal,
        Self::Subcutaneous,
        Self::Oral,
    ];

    /// The field of [`Kinetics`] that says how it comes into blood that way.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Intravenous => "intravenous",
            Self::Intraperitoneal => "intraperitoneal",
            Self::Subcutaneous => "subcutaneous",
            Self::Oral => "oral",
        }
    }

    const fn place(self) -> usize {
        match self {
            Self::Intravenous => 0,
            Self::Intraperitoneal => 1,
            Self::Subcutaneous => 2,
            Self::Oral => 3,
        }
    }
}

/// How a dose comes into blood.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Absorption {
    /// Time over which it flows in evenly, min; 0: at once. Into a vein.
    #[serde(default)]
    pub over_minutes: f64,
    /// Rate at which a depot empties into blood, 1/h. Any other way.
    #[serde(default)]
    pub per_hour: f64,
    /// Share of the dose that reaches blood, 0-1.
    #[serde(default = "whole")]
    pub share: f64,
}

const fn whole() -> f64 {
    1.0
}

/// How a drug goes through the body of one species.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Kinetics {
    /// Weight of the body, kg.
    pub weight_kg: f64,
    /// Volume in which what is in blood is spread, mL.
    pub central_ml: f64,
    /// Blood that is cleared of it for good, mL/d.
    pub clearance_ml_per_day: f64,
    /// Volume of the second compartment, mL; 0: there is none.
    #[serde(default)]
    pub peripheral_ml: f64,
    /// Blood that is exchanged with it, mL/d.
    #[serde(default)]
    pub exchange_ml_per_day: f64,
    /// What a saturating way of clearance takes at most, ug/d.
    #[serde(default)]
    pub saturable_ug_per_day: f64,
    /// Level at which it takes half of that, ug/mL.
    #[serde(default = "whole")]
    pub half_saturation_ug_per_ml: f64,
    /// Share of what is in plasma that is free to leave it, 0-1.
    #[serde(default = "whole")]
    pub unbound: f64,
    /// How it comes into blood from a vein.
    #[serde(default)]
    pub intravenous: Option<Absorption>,
    /// From the belly cavity.
    #[serde(default)]
    pub intraperitoneal: Option<Absorption>,
    /// From under the skin.
    #[serde(default)]
    pub subcutaneous: Option<Absorption>,
    /// From the gut.
    #[serde(default)]
    pub oral: Option<Absorption>,
}

impl Kinetics {
    /// What its fields may be.
    pub fn limits(field: &str) -> Limits {
        let between = |min, max| Limits { min, max };
        match field.rsplit('.').next().unwrap_or(field) {
            "weight_kg" => between(1e-3, 1e4),
            "central_ml" => between(1e-3, 1e7),
            "unbound" | "share" => Limits::FRACTION,
            "half_saturation_ug_per_ml" => Limits::POSITIVE,
            "per_hour" => between(0.0, 1e3),
            "over_minutes" => between(0.0, 1e5),
            _ => between(0.0, 1e9),
        }
    }

    /// How a dose comes into blood by a way, if it can be given so.
    pub const fn absorption(&self, route: Route) -> Option<&Absorption> {
        match route {
            Route::Intravenous => self.intravenous.as_ref(),
            Route::Intraperitoneal => self.intraperitoneal.as_ref(),
            Route::Subcutaneous => self.subcutaneous.as_ref(),
            Route::Oral => self.oral.as_ref(),
        }
    }

    /// Rates, 1/min: out of blood for good, out of it into the second compartment, and back.
    fn rates_per_min(&self) -> [f64; 3] {
        let per_min = |ml_per_day: f64, ml: f64| {
            if ml > 0.0 {
                ml_per_day / ml / MINUTES_PER_DAY
            } else {
                0.0
            }
        };
        let exchange = if self.peripheral_ml > 0.0 {
            self.exchange_ml_per_day
        } else {
            0.0
        };
        [
            per_min(self.clearance_ml_per_day, self.central_ml),
            per_min(exchange, self.central_ml),
            per_min(exchange, self.peripheral_ml),
        ]
    }

    /// The time after which half is left once it is spread through the body, d, of a drug whose clearance does not saturate: that of the slower
    /// of its two exponentials.
    pub fn half_life_days(&self) -> f64 {
        let [out, away, back] = self.rates_per_min();
        let sum = out + away + back;
        let slow = if back > 0.0 {
            0.5 * (sum - (sum * sum - 4.0 * out * back).max(0.0).sqrt())
        } else {
            out
        };
        std::f64::consts::LN_2 / slow / MINUTES_PER_DAY
    }
}

/// Longest piece in which saturating clearance is held, min.
const PIECE_MINUTES: f64 = 15.0;

/// What flows into a vein just now.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Infusion {
    /// How fast, ug/min.
    pub ug_per_min: f64,
    /// How much is still to come, min.
    pub minutes_left: f64,
}

/// What of a drug is where in a body, ug.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Amounts {
    /// In depots: belly cavity, skin, gut.
    pub depots_ug: [f64; 3],
    /// In blood.
    pub central_ug: f64,
    /// In the second compartment.
    pub peripheral_ug: f64,
    /// Has left the body.
    pub gone_ug: f64,
    /// Was given in all and reached, or will reach, blood.
    pub given_ug: f64,
    /// Flows in.
    pub infusions: Vec<Infusion>,
}

/// Three depots, blood, the second compartment, what has left, and 1.
const N: usize = 7;
type Matrix = [[f64; N]; N];

impl Amounts {
    /// Takes a dose.
    pub fn give(&mut self, kinetics: &Kinetics, route: Route, ug: f64) {
        let Some(absorption) = kinetics.absorption(route) else {
            return;
        };
        let ug = ug * absorption.share;
        self.given_ug += ug;
        match route.place().checked_sub(1) {
            Some(depot) => self.depots_ug[depot] += ug,
            None if absorption.over_minutes > 0.0 => self.infusions.push(Infusion {
                ug_per_min: ug / absorption.over_minutes,
                minutes_left: absorption.over_minutes,
            }),
            None => self.central_ug += ug,
        }
    }

    /// Level in blood, ug/mL.
    pub fn level_ug_per_ml(&self, kinetics: &Kinetics) -> f64 {
        self.central_ug / kinetics.central_ml
    }

    /// What is still to flow in.
    pub fn to_come_ug(&self) -> f64 {
        let infusions = self.infusions.iter();
        infusions.map(|of| of.ug_per_min * of.minutes_left).sum()
    }

    /// What is in the body or has left it, beside what was given: the two are equal.
    pub fn found_ug(&self) -> f64 {
        let depots: f64 = self.depots_ug.iter().sum();
        depots + self.central_ug + self.peripheral_ug + self.gone_ug + self.to_come_ug()
    }

    /// Whether nothing is in the body nor will come.
    pub fn is_none(&self) -> bool {
        self.given_ug <= 0.0
    }

    /// Carries it on by a time, min.
    pub fn advance(&mut self, kinetics: &Kinetics, minutes: f64) {
        let mut left = minutes;
        while left > 0.0 && !self.is_none() {
            // Up to where the next infusion ends.
            let ends = self.infusions.iter().map(|of| of.minutes_left);
            let piece = ends.fold(left, f64::min);
            self.advance_evenly(kinetics, piece);
            for infusion in &mut self.infusions {
                infusion.minutes_left -= piece;
            }
            self.infusions.retain(|of| of.minutes_left > 0.0);
            left -= piece;
        }
    }

    /// The same while what flows in does not change.
    fn advance_evenly(&mut self, kinetics: &Kinetics, minutes: f64) {
        if minutes <= 0.0 {
            return;
        }
        if kinetics.saturable_ug_per_day <= 0.0 {
            self.multiply(&exponential(&self.matrix(kinetics, 0.0), minutes));
            return;
        }
        let pieces = (minutes / PIECE_MINUTES).ceil().max(1.0);
        let piece = minutes / pieces;
        for _ in 0..pieces as u64 {
            let mut middle = self.clone();
            let now = saturating_per_min(kinetics, self.level_ug_per_ml(kinetics));
            middle.multiply(&exponential(&self.matrix(kinetics, now), 0.5 * piece));
            let then = saturating_per_min(kinetics, middle.level_ug_per_ml(kinetics));
            self.multiply(&exponential(&self.matrix(kinetics, then), piece));
        }
    }

    /// The matrix of the system; `saturating` is the rate of that way of clearance, 1/min.
    fn matrix(&self, kinetics: &Kinetics, saturating: f64) -> Matrix {
        let mut matrix = [[0.0; N]; N];
        let [out, away, back] = kinetics.rates_per_min();
        for (depot, route) in Route::ALL[1..].iter().enumerate() {
            let per_hour = kinetics.absorption(*route).map_or(0.0, |of| of.per_hour);
            matrix[depot][depot] = -per_hour / 60.0;
            matrix[3][depot] = per_hour / 60.0;
        }
        matrix[3][3] = -(out + saturating + away);
        matrix[3][4] = back;
        matrix[4][3] = away;
        matrix[4][4] = -back;
        matrix[5][3] = out + saturating;
        matrix[3][6] = self.infusions.iter().map(|of| of.ug_per_min).sum();
        matrix
    }

    fn multiply(&mut self, by: &Matrix) {
        let [first, second, third] = self.depots_ug;
        let old = [
            first,
            second,
            third,
            self.central_ug,
            self.peripheral_ug,
            self.gone_ug,
            1.0,
        ];
        let new = by.map(|row| row.iter().zip(old).map(|(a, b)| a * b).sum::<f64>());
        self.depots_ug = [new[0], new[1], new[2]].map(|ug| ug.max(0.0));
        self.central_ug = new[3].max(0.0);
        self.peripheral_ug = new[4].max(0.0);
        self.gone_ug = new[5];
    }
}

/// Rate of saturating clearance at a level, 1/min.
fn saturating_per_min(kinetics: &Kinetics, ug_per_ml: f64) -> f64 {
    let at = kinetics.half_saturation_ug_per_ml + ug_per_ml;
    kinetics.saturable_ug_per_day / (at * kinetics.central_ml) / MINUTES_PER_DAY
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let mut out = [[0.0; N]; N];
    for (row, of_a) in out.iter_mut().zip(a) {
        for (k, left) in of_a.iter().enumerate() {
            if *left != 0.0 {
                for (value, right) in row.iter_mut().zip(&b[k]) {
                    *value += left * right;
                }
            }
        }
    }
    out
}

/// The exponential of a matrix times a time, by additions and multiplications alone.
fn exponential(matrix: &Matrix, minutes: f64) -> Matrix {
    /// Terms of the series; of a matrix of norm below a quarter the rest is below 1e-17.
    const TERMS: u32 = 13;
    // Columns, without the source: that one only adds.
    let norm = |column: usize| matrix.iter().map(|row| row[column].abs()).sum::<f64>();
    let largest = (0..N - 1).map(norm).fold(0.0, f64::max) * minutes;
    let mut halvings = 0;
    let mut scale = minutes;
    let mut left = largest;
    while left > 0.25 && halvings < 60 {
        left *= 0.5;
        scale *= 0.5;
        halvings += 1;
    }
    let small = matrix.map(|row| row.map(|value| value * scale));
    let mut sum = [[0.0; N]; N];
    let mut term = [[0.0; N]; N];
    for at in 0..N {
        sum[at][at] = 1.0;
        term[at][at] = 1.0;
    }
    for n in 1..=TERMS {
        term = product(&term, &small).map(|row| row.map(|value| value / f64::from(n)));
        for (row, other) in sum.iter_mut().zip(&term) {
            for (value, of) in row.iter_mut().zip(other) {
                *value += of;
            }
        }
    }
    for _ in 0..halvings {
        sum = product(&sum, &sum);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinetics() -> Kinetics {
        Kinetics {
            weight_kg: 70.0,
            central_ml: 2880.0,
            clearance_ml_per_day: 216.0,
            peripheral_ml: 2600.0,
            exchange_ml_per_day: 550.0,
            saturable_ug_per_day: 0.0,
            half_saturation_ug_per_ml: 1.0,
            unbound: 1.0,
            intravenous: Some(Absorption {
                over_minutes: 0.0,
                per_hour: 0.0,
                share: 1.0,
            }),
            intraperitoneal: None,
            subcutaneous: None,
            oral: Some(Absorption {
                over_minutes: 0.0,
                per_hour: 0.5,
                share: 0.4,
            }),
        }
    }

    /// Level after a bolus, from the two exponentials of the textbook.
    fn after_bolus(of: &Kinetics, ug: f64, minutes: f64) -> f64 {
        let day = 1440.0;
        let (k10, k12, k21) = (
            of.clearance_ml_per_day / of.central_ml / day,
            of.exchange_ml_per_day / of.central_ml / day,
            of.exchange_ml_per_day / of.peripheral_ml / day,
        );
        let sum = k10 + k12 + k21;
        let root = (sum * sum - 4.0 * k10 * k21).sqrt();
        let (fast, slow) = (0.5 * (sum + root), 0.5 * (sum - root));
        let (a, b) = ((fast - k21) / (fast - slow), (k21 - slow) / (fast - slow));
        ug / of.central_ml * (a * (-fast * minutes).exp() + b * (-slow * minutes).exp())
    }

    #[test]
    fn a_bolus_falls_by_the_two_exponentials_of_its_compartments_at_any_step() {
        let of = kinetics();
        for step in [1.0, 60.0, 1440.0, 20_160.0] {
            let mut amounts = Amounts::default();
            amounts.give(&of, Route::Intravenous, 350_000.0);
            let mut at = 0.0;
            while at < 84.0 * 1440.0 - 1e-6 {
                amounts.advance(&of, step);
                at += step;
            }
            let expected = after_bolus(&of, 350_000.0, at);
            let found = amounts.level_ug_per_ml(&of);
            assert!(
                (found / expected - 1.0).abs() < 1e-9,
                "{step}: {found}, {expected}"
            );
            assert!((amounts.found_ug() / amounts.given_ug - 1.0).abs() < 1e-10);
        }
    }

    #[test]
    fn what_is_swallowed_comes_as_batemans_function_says_and_only_its_share() {
        let of = Kinetics {
            peripheral_ml: 0.0,
            ..kinetics()
        };
        let mut amounts = Amounts::default();
        amounts.give(&of, Route::Oral, 1000.0);
        amounts.advance(&of, 300.0);
        let (ka, k) = (0.5 / 60.0, 216.0 / 2880.0 / 1440.0);
        let expected = 0.4 * 1000.0 / 2880.0 * ka / (ka - k)
            * ((-k * 300.0_f64).exp() - (-ka * 300.0_f64).exp());
        assert!((amounts.level_ug_per_ml(&of) / expected - 1.0).abs() < 1e-9);
        assert!((amounts.found_ug() - 400.0).abs() < 1e-9);
    }

    #[test]
    fn an_infusion_reaches_the_level_that_its_closed_form_says() {
        let mut of = Kinetics {
            peripheral_ml: 0.0,
            ..kinetics()
        };
        of.intravenous = Some(Absorption {
            over_minutes: 90.0,
            per_hour: 0.0,
            share: 1.0,
        });
        let mut amounts = Amounts::default();
        amounts.give(&of, Route::Intravenous, 9000.0);
        // A step that ends long after the infusion.
        amounts.advance(&of, 500.0);
        let k = 216.0 / 2880.0 / 1440.0_f64;
        let at_its_end = 100.0 / k * (1.0 - (-k * 90.0).exp());
        let expected = at_its_end * (-k * 410.0).exp() / 2880.0;
        assert!((amounts.level_ug_per_ml(&of) / expected - 1.0).abs() < 1e-9);
        assert!((amounts.found_ug() - 9000.0).abs() < 1e-6);
    }

    /// The same system by Runge and Kutta's method of fourth order, with a tenth of a minute.
    fn runge_kutta(of: &Kinetics, ug: f64, minutes: f64) -> f64 {
        let day = 1440.0;
        let slope = |a: [f64; 2]| {
            let c = a[0] / of.central_ml;
            let p = if of.peripheral_ml > 0.0 {
                a[1] / of.peripheral_ml
            } else {
                c
            };
            let out = of.clearance_ml_per_day * c
                + of.saturable_ug_per_day * c / (of.half_saturation_ug_per_ml + c);
            let away = of.exchange_ml_per_day * (c - p);
            [-(out + away) / day, away / day]
        };
        let h = 0.1;
        let mut a = [ug, 0.0];
        for _ in 0..(minutes / h).round() as u64 {
            let add = |b: [f64; 2], s: f64| [a[0] + s * b[0], a[1] + s * b[1]];
            let k1 = slope(a);
            let k2 = slope(add(k1, 0.5 * h));
            let k3 = slope(add(k2, 0.5 * h));
            let k4 = slope(add(k3, h));
            for at in 0..2 {
                a[at] += h / 6.0 * (k1[at] + 2.0 * k2[at] + 2.0 * k3[at] + k4[at]);
            }
        }
        a[0] / of.central_ml
    }

    #[test]
    fn saturating_clearance_follows_an_independent_integration_and_is_never_negative() {
        // A mouse and a way of clearance that takes most of it.
        let of = Kinetics {
            weight_kg: 0.02,
            central_ml: 1.26,
            clearance_ml_per_day: 0.334,
            peripheral_ml: 0.819,
            exchange_ml_per_day: 4.82,
            saturable_ug_per_day: 0.518,
            half_saturation_ug_per_ml: 0.366,
            ..kinetics()
        };
        for (ug, days) in [(200.0, 3.0), (1.0, 3.0)] {
            for step in [1.0, 60.0, 1440.0] {
                let mut amounts = Amounts::default();
                amounts.give(&of, Route::Intravenous, ug);
                let mut at = 0.0;
                while at < days * 1440.0 - 1e-6 {
                    amounts.advance(&of, step);
                    at += step;
                }
                let expected = runge_kutta(&of, ug, days * 1440.0);
                let found = amounts.level_ug_per_ml(&of);
                assert!(
                    (found / expected - 1.0).abs() < 1e-4,
                    "{ug}, {step}: {found}, {expected}"
                );
                assert!((amounts.found_ug() / ug - 1.0).abs() < 1e-9);
            }
        }
    }
}
