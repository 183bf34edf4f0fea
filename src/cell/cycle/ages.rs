//! How long phases last, and how the cells of a population are spread over them.
//!
//! In a population that grows at the steady rate `r`, for each cell that enters a phase of duration `T` in an hour
//! `E[1 - exp(-r T)]/r` cells are in it and `E[exp(-r T)]` leave it (the stable age structure of Euler and Lotka). For a
//! chain of memoryless stages all of that has a closed form, and what lies behind and ahead of a cell found in the phase
//! can be drawn exactly. Cells that a scene places get their state from here; no system runs.

use bevy::math::ops;

use super::{Cycle, CycleParameters, Phase};
use crate::cell::body::BodyParameters;
use crate::core::Random;
use crate::core::random::probability;
use crate::core::units::ball_radius_um;

/// How long a phase lasts in a well-fed, uncrowded cell: an Erlang distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhaseLaw {
    /// Mean duration, h.
    pub mean_hours: f32,
    /// Memoryless stages in a row, of equal mean: the coefficient of variation is one over the root of their number.
    /// 1: exponential; 0: always the mean.
    pub stages: u32,
}

impl PhaseLaw {
    /// `-ln E[exp(-r T)]` for the duration `T`: `r T` if it is fixed, `k ln(1 + r T/k)` with `k` stages. A share of
    /// `exp` of minus this goes on from the phase to the next, in a population that grows at the rate `r`, 1/h.
    pub(super) fn log_dilution(self, growth_per_hour: f32) -> f32 {
        let x = growth_per_hour * self.mean_hours;
        match self.stages {
            0 => x,
            stages => stages as f32 * ops::ln_1p(x / stages as f32),
        }
    }

    /// Derivative of [`Self::log_dilution`] by the rate, h: the mean age at which the phase is left.
    pub(super) fn mean_age_at_exit(self, growth_per_hour: f32) -> f32 {
        match self.stages {
            0 => self.mean_hours,
            stages => self.mean_hours / (1.0 + growth_per_hour * self.mean_hours / stages as f32),
        }
    }

    /// Cells in the phase for each that enters it in an hour, in a population that grows at that rate, h.
    fn cells_per_entry(self, growth_per_hour: f32) -> f32 {
        let x = growth_per_hour * self.mean_hours;
        if x < 1e-4 {
            let spread = if self.stages == 0 {
                0.0
            } else {
                1.0 / self.stages as f32
            };
            return self.mean_hours * (1.0 - 0.5 * x * (1.0 + spread));
        }
        -ops::exp_m1(-self.log_dilution(growth_per_hour)) / growth_per_hour
    }

    /// Draws how long the phase lasts for a cell that enters it, as a multiple of the mean.
    pub(super) fn draw_length(self, random: &mut Random) -> f32 {
        match self.stages {
            0 => 1.0,
            stages => exponentials(random, stages) / stages as f32,
        }
    }

    /// Draws, for a cell found in the phase in a population that grows at that rate, its age in the phase and what is
    /// still ahead of it, h.
    ///
    /// Looking back, each stage was left, or is being lived in, at the age-corrected rate `k/T + r`; looking ahead,
    /// at the rate `k/T`. `u`, 0-1, says how far down the phase the cell is.
    fn draw_age(self, growth_per_hour: f32, u: f32, random: &mut Random) -> (f32, f32) {
        let x = growth_per_hour * self.mean_hours;
        if self.stages == 0 {
            let age = if x < 1e-4 {
                u * self.mean_hours
            } else {
                -ops::ln_1p(u * ops::exp_m1(-x)) / growth_per_hour
            };
            let age = age.clamp(0.0, self.mean_hours);
            return (age, self.mean_hours - age);
        }
        // A stage holds `q` times as many cells as the one before.
        let (stages, q) = (self.stages as f32, 1.0 / (1.0 + x / self.stages as f32));
        let (mut stage, mut weight) = (0, 1.0);
        let mut left = u * if x < 1e-4 {
            stages
        } else {
            -ops::exp_m1(-self.log_dilution(growth_per_hour)) / (1.0 - q)
        };
        while left >= weight && stage + 1 < self.stages {
            left -= weight;
            weight *= q;
            stage += 1;
        }
        let stage_hours = self.mean_hours / stages;
        let age = exponentials(random, stage + 1) * stage_hours * q;
        let ahead = exponentials(random, self.stages - stage) * stage_hours;
        (age, ahead)
    }

    /// Draws how long the phase lasted for a cell that has left it, in a population that grows at that rate, h.
    fn draw_past(self, growth_per_hour: f32, random: &mut Random) -> f32 {
        match self.stages {
            0 => self.mean_hours,
            stages => {
                let mean = self.mean_hours / stages as f32;
                exponentials(random, stages) * mean / (1.0 + growth_per_hour * mean)
            }
        }
    }
}

/// Sum of so many exponential waiting times of mean 1.
fn exponentials(random: &mut Random, count: u32) -> f32 {
    (0..count).map(|_| random.exponential()).sum()
}

/// How the cells of a population are spread over the cycle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AgeStructure {
    laws: [PhaseLaw; 4],
    growth_per_hour: f32,
}

/// Where a cell of a population stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aged {
    /// Its cycle.
    pub cycle: Cycle,
    /// Time since it entered S, h, if it is past G0/G1.
    pub hours_since_s_entry: Option<f32>,
}

impl AgeStructure {
    /// The stable structure of a population that grows exponentially: young cells are frequent.
    pub fn growing(parameters: &CycleParameters) -> Self {
        Self::with_growth(parameters, parameters.steady_growth_per_hour())
    }

    /// The structure of a population of constant size: phases are as frequent as they are long.
    pub fn steady(parameters: &CycleParameters) -> Self {
        Self::with_growth(parameters, 0.0)
    }

    fn with_growth(parameters: &CycleParameters, growth_per_hour: f32) -> Self {
        Self {
            laws: Phase::ALL.map(|phase| parameters.law(phase)),
            growth_per_hour,
        }
    }

    /// Cells in each phase, relative to those that enter G0/G1 in an hour.
    fn weights(&self) -> [f32; 4] {
        let mut entries = 1.0;
        self.laws.map(|law| {
            let cells = entries * law.cells_per_entry(self.growth_per_hour);
            entries *= ops::exp(-law.log_dilution(self.growth_per_hour));
            cells
        })
    }

    /// Mean volume of the cells of this population, um3, with bodies as [`BodyParameters::growing_body`] has them.
    ///
    /// Of the cells that entered S at the same time, those that have passed a stage follow those that have passed the
    /// one before, `dG/dt = (G_before - G)/tau`, and a fixed phase only delays them; who has not passed the last one
    /// has the body of that time.
    pub fn mean_volume_um3(&self, body: &BodyParameters) -> f32 {
        /// Points in the mean time from S to division.
        const POINTS: usize = 64;
        /// Mean times looked at.
        const TIMES: usize = 12;
        let [waiting, committed @ ..] = self.laws;
        let mean: f32 = committed.iter().map(|law| law.mean_hours).sum();
        let width = mean / POINTS as f32;
        let mut passed = vec![1.0_f32; if mean > 0.0 { POINTS * TIMES + 1 } else { 0 }];
        for law in committed {
            if law.stages == 0 {
                let delay = law.mean_hours / width;
                passed = (0..passed.len())
                    .map(|point| {
                        let from = point as f32 - delay;
                        if from < 0.0 {
                            return 0.0;
                        }
                        let (low, share) = (from as usize, from.fract());
                        let high = (low + 1).min(passed.len() - 1);
                        passed[low] + share * (passed[high] - passed[low])
                    })
                    .collect();
            } else if law.mean_hours > 0.0 {
                let gain = probability(law.stages as f32 / law.mean_hours, width);
                for _ in 0..law.stages {
                    let (mut before, mut now) = (passed.first().copied().unwrap_or(0.0), 0.0);
                    for value in &mut passed {
                        now += gain * (0.5 * (before + *value) - now);
                        before = std::mem::replace(value, now);
                    }
                }
            }
        }
        let mut cells = waiting.cells_per_entry(self.growth_per_hour);
        let mut volume = cells * body.volume_um3;
        let entries = ops::exp(-waiting.log_dilution(self.growth_per_hour));
        for (point, pair) in passed.windows(2).enumerate() {
            let hours = (point as f32 + 0.5) * width;
            let there = 1.0 - 0.5 * (pair[0] + pair[1]);
            let weight = entries * there * width * ops::exp(-self.growth_per_hour * hours);
            cells += weight;
            volume += weight * body.growing_body(hours).volume_um3();
        }
        if cells > 0.0 {
            volume / cells
        } else {
            body.volume_um3
        }
    }

    /// Draws where a cell of this population stands.
    pub fn draw(&self, random: &mut Random) -> Aged {
        let mut cycle = Cycle::default();
        let weights = self.weights();
        let mut point = random.uniform() * weights.iter().sum::<f32>();
        let mut found = 0;
        while found < 3 && point >= weights[found] {
            point -= weights[found];
            found += 1;
        }
        let law = self.laws[found];
        if weights[found] <= 0.0 {
            return Aged {
                cycle,
                hours_since_s_entry: None,
            };
        }
        let u = (point / weights[found]).min(1.0);
        let (age, ahead) = law.draw_age(self.growth_per_hour, u, random);
        cycle.phase = Phase::ALL[found];
        cycle.elapsed_hours = age;
        cycle.length = (age + ahead) / law.mean_hours;
        cycle.progress = (f64::from(age) / f64::from(age + ahead)).min(1.0);
        let hours_since_s_entry = (found > 0).then(|| {
            let past = self.laws[1..found].iter();
            let past = past.map(|law| law.draw_past(self.growth_per_hour, random));
            past.sum::<f32>() + age
        });
        Aged {
            cycle,
            hours_since_s_entry,
        }
    }
}

/// Radius of a ball that takes up as much room as a cell of the type does on average, um: with the ages of a
/// growing population if it cycles, else that of a resting cell.
pub fn mean_radius_um(body: &BodyParameters, cycle: Option<&CycleParameters>) -> f32 {
    match cycle {
        Some(cycle) => ball_radius_um(AgeStructure::growing(cycle).mean_volume_um3(body)),
        None => body.resting_radius_um(),
    }
}
