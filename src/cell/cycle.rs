//! The cell cycle: a flow-cytometry model of four phases.
//!
//! G0/G1 ends at random, with the rate `b g (1 - pressure/p_max)^+ (1 - senescence)`, where `b` is one over its
//! mean duration and `g` the growth factor that metabolism allows; S, G2 and M last a time of their own
//! (PhysiCell's flow-cytometry model, Ghaffarizadeh et al. 2018, PLoS Comput Biol 14:e1005991). On entry to S
//! the targets of the body double; at the end of M the cell asks to divide.
//!
//! How long a phase lasts for a cell is drawn once, when it enters it, as a multiple of the phase's mean
//! ([`Cycle::length`]), and the cell then advances through it ([`Cycle::progress`]). For G0/G1 the multiple is
//! exponential, which makes `progress` the integrated rate of a Poisson process: the rate may change from step
//! to step and the result is still exact. What is left of a step at a transition is lived in the next phase, so
//! durations do not hinge on the step. [`advance_cycle`] runs among the decisions of `Act`, after death, and
//! writes only [`Cycle`]; `Turnover` divides the cells that ask for it.

use bevy::math::ops;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::body::{BodyParameters, CellType};
use super::death::{Vital, advance_death, is_alive};
use super::surroundings::Surroundings;
use super::{ActSystems, order_act};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parallel::{IN_TABLES, ROWS, for_each_chunk_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::state::RegisterState;
use crate::core::units::{MINUTES_PER_HOUR, ball_radius_um};
use crate::core::{CellId, Clock, Purpose, Random, RandomKey, SimSchedule, SimSystems};

/// Phase of the cell cycle (flow-cytometry model: G0/G1, S, G2, M).
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Reflect,
)]
#[repr(u8)]
pub enum Phase {
    /// Gap 0 or 1: resting or growing.
    #[default]
    G0G1,
    /// DNA synthesis.
    S,
    /// Gap 2.
    G2,
    /// Mitosis.
    M,
}

impl Phase {
    /// All phases, in the order of the cycle.
    pub const ALL: [Self; 4] = [Self::G0G1, Self::S, Self::G2, Self::M];

    /// The phase as biologists write it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::G0G1 => "G0/G1",
            Self::S => "S",
            Self::G2 => "G2",
            Self::M => "M",
        }
    }
}

/// Where a cell stands in its cycle. Only cells that can divide have it. 32 bytes.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Cycle {
    /// The phase.
    pub phase: Phase,
    /// Time since the cell entered it, h; shown, never computed with.
    pub elapsed_hours: f32,
    /// Share of the phase that lies behind the cell, 0-1; 1 starts the next one.
    pub progress: f64,
    /// How long the phase lasts for this cell at full rate, as a multiple of the phase's mean; 0 until it is
    /// drawn, when the cell first lives in the phase.
    pub length: f32,
    /// Time already lived but not yet counted, h: what was left of the step in which the cell was born.
    pub overtime_hours: f32,
    /// Lasting slow-down of entry into S, 0-1.
    pub senescence: f32,
    /// Share of the full rate of entry into S that nutrients allow, 0-1. Written in `Signal` by metabolism; cells
    /// without metabolism grow freely.
    pub growth: f32,
    /// Mitosis is over.
    pub mitosis_over: bool,
}

impl Default for Cycle {
    fn default() -> Self {
        Self {
            phase: Phase::default(),
            elapsed_hours: 0.0,
            progress: 0.0,
            length: 0.0,
            overtime_hours: 0.0,
            senescence: 0.0,
            growth: 1.0,
            mitosis_over: false,
        }
    }
}

impl Cycle {
    /// Whether `Turnover` has to divide the cell.
    pub const fn divides(&self) -> bool {
        self.mitosis_over
    }

    /// Makes this the cycle of a daughter: at the start of G0/G1, with what was left of the mother's step and
    /// with her senescence.
    pub const fn restart(&mut self) {
        self.phase = Phase::G0G1;
        self.elapsed_hours = 0.0;
        self.progress = 0.0;
        self.length = 0.0;
        self.mitosis_over = false;
    }

    /// Time since the cell entered S phase, h, if it is past G0/G1.
    pub fn hours_since_s_entry(&self, parameters: &CycleParameters) -> Option<f32> {
        let before = match self.phase {
            Phase::G0G1 => return None,
            Phase::S => 0.0,
            Phase::G2 => parameters.s_hours,
            Phase::M => parameters.s_hours + parameters.g2_hours,
        };
        Some(before + self.elapsed_hours)
    }
}

/// How cells of a type cycle (capability `cycle`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct CycleParameters {
    /// Mean duration of G0/G1 in a well-fed, uncrowded cell, h; 4.98 [P]. Waiting times are exponential.
    pub g0g1_hours: f32,
    /// Duration of S, h; 8 [P].
    pub s_hours: f32,
    /// Duration of G2, h; 4 [P].
    pub g2_hours: f32,
    /// Duration of M, h; 1 [P].
    pub m_hours: f32,
    /// Coefficient of variation of the durations of S, G2 and M (log-normal); 0 gives fixed times [P].
    pub length_variation: f32,
    /// Pressure at which entry into S stops. The unit is the pressure of twelve neighbours at their equilibrium
    /// distance (overlap 4.8 % of the contact distance); pressure grows with overlap squared, so 10 stands for
    /// an overlap of 15 %. Assumed; cancer cells are hardly inhibited by contact.
    pub max_pressure: f32,
}

impl Default for CycleParameters {
    fn default() -> Self {
        Self {
            g0g1_hours: 4.98,
            s_hours: 8.0,
            g2_hours: 4.0,
            m_hours: 1.0,
            length_variation: 0.0,
            max_pressure: 10.0,
        }
    }
}

impl Parameters for CycleParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "length_variation" => Limits { min: 0.0, max: 2.0 },
            "max_pressure" => Limits::POSITIVE,
            _ => Limits {
                min: 0.0,
                max: 1.0e6,
            },
        }
    }
}

impl CycleParameters {
    /// Mean duration of a phase at full rate, h.
    pub const fn mean_hours(&self, phase: Phase) -> f32 {
        match phase {
            Phase::G0G1 => self.g0g1_hours,
            Phase::S => self.s_hours,
            Phase::G2 => self.g2_hours,
            Phase::M => self.m_hours,
        }
    }

    /// Duration of S, G2 and M together, h.
    pub const fn committed_hours(&self) -> f32 {
        self.s_hours + self.g2_hours + self.m_hours
    }

    /// Share of the full rate of entry into S under those conditions, 0-1.
    pub fn s_entry_share(&self, growth: f32, pressure: f32, senescence: f32) -> f32 {
        let room = (1.0 - pressure / self.max_pressure).max(0.0);
        growth.clamp(0.0, 1.0) * room * (1.0 - senescence).clamp(0.0, 1.0)
    }

    /// Rate of steady exponential growth of an undisturbed population, 1/h: the root `r` of
    /// `2 exp(-r T_c) = 1 + r T_1`, with an exponential G0/G1 of mean `T_1` and a fixed rest `T_c`
    /// (Euler-Lotka equation). With the defaults 0.0395 per hour, a doubling in 17.5 h.
    pub fn steady_growth_per_hour(&self) -> f32 {
        let (waiting, fixed) = (self.g0g1_hours, self.committed_hours());
        if waiting + fixed <= 0.0 {
            return 0.0;
        }
        // The left side falls and is convex, the right side rises: Newton from 0 climbs to the only root.
        let mut rate = 0.0;
        for _ in 0..12 {
            let born = 2.0 * ops::exp(-rate * fixed);
            rate += (born - 1.0 - rate * waiting) / (fixed * born + waiting);
        }
        rate
    }

    fn draw_length(&self, phase: Phase, random: &mut Random) -> f32 {
        if phase == Phase::G0G1 {
            return random.exponential();
        }
        if self.length_variation <= 0.0 {
            return 1.0;
        }
        // A log-normal of mean 1 and the wanted coefficient of variation.
        let variance = ops::ln_1p(self.length_variation * self.length_variation);
        ops::exp(variance.sqrt() * random.normal() - 0.5 * variance)
    }
}

/// How the cells of a population are spread over the cycle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AgeStructure {
    g0g1_hours: f32,
    ends_hours: [f32; 3],
    growth_per_hour: f32,
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

    const fn with_growth(parameters: &CycleParameters, growth_per_hour: f32) -> Self {
        let s = parameters.s_hours;
        let g2 = s + parameters.g2_hours;
        Self {
            g0g1_hours: parameters.g0g1_hours,
            ends_hours: [s, g2, g2 + parameters.m_hours],
            growth_per_hour,
        }
    }

    /// Mean number of cells past G0/G1 for each cell that enters S in an hour, up to that time after entry.
    fn committed(&self, hours: f32) -> f32 {
        let x = self.growth_per_hour * hours;
        if x < 1e-4 {
            hours * (1.0 - 0.5 * x)
        } else {
            -ops::exp_m1(-x) / self.growth_per_hour
        }
    }

    /// Mean volume of the cells of this population, um3, with bodies as [`BodyParameters::growing_body`] has them.
    pub fn mean_volume_um3(&self, body: &BodyParameters) -> f32 {
        const PIECES: u16 = 64;
        let width = self.ends_hours[2] / f32::from(PIECES);
        let (mut cells, mut volume) = (self.g0g1_hours, self.g0g1_hours * body.volume_um3);
        for piece in 0..PIECES {
            let start = f32::from(piece) * width;
            let weight = self.committed(start + width) - self.committed(start);
            cells += weight;
            volume += weight * body.growing_body(start + 0.5 * width).volume_um3();
        }
        if cells > 0.0 {
            volume / cells
        } else {
            body.volume_um3
        }
    }

    /// Draws where a cell of this population stands.
    pub fn draw(&self, random: &mut Random) -> Cycle {
        let mut cycle = Cycle::default();
        let total = self.committed(self.ends_hours[2]);
        let point = random.uniform() * (self.g0g1_hours + total);
        if point < self.g0g1_hours || total <= 0.0 {
            // What is left of an exponential wait is as long as a whole one.
            let age_rate = 1.0 / self.g0g1_hours.max(f32::MIN_POSITIVE) + self.growth_per_hour;
            cycle.elapsed_hours = random.exponential() / age_rate;
            return cycle;
        }
        let share = (point - self.g0g1_hours).min(total) * self.growth_per_hour;
        let since_s = if share < 1e-4 {
            point - self.g0g1_hours
        } else {
            -ops::ln_1p(-share) / self.growth_per_hour
        };
        let [s, g2, m] = self.ends_hours;
        let (phase, start, end) = if since_s < s {
            (Phase::S, 0.0, s)
        } else if since_s < g2 {
            (Phase::G2, s, g2)
        } else {
            (Phase::M, g2, m)
        };
        cycle.phase = phase;
        cycle.length = 1.0;
        cycle.elapsed_hours = since_s - start;
        cycle.progress = (f64::from(since_s - start) / f64::from(end - start)).min(1.0);
        cycle
    }
}

/// The cycle of a cell that is put into a scene: asynchronous, with the ages of a growing population.
pub fn initial_cycle(random: &mut Random, parameters: &CycleParameters) -> Cycle {
    AgeStructure::growing(parameters).draw(random)
}

/// Radius of a ball that takes up as much room as a cell of the type does on average, um: with the ages of a
/// growing population if it cycles, else that of a resting cell.
pub fn mean_radius_um(body: &BodyParameters, cycle: Option<&CycleParameters>) -> f32 {
    match cycle {
        Some(cycle) => ball_radius_um(AgeStructure::growing(cycle).mean_volume_um3(body)),
        None => body.resting_radius_um(),
    }
}

/// Advances every living cell through its cycle.
pub fn advance_cycle(
    clock: Res<Clock>,
    key: Res<RandomKey>,
    parameters: Res<PerType<CycleParameters>>,
    mut cells: Query<(
        &CellId,
        &CellType,
        &Surroundings,
        Option<&Vital>,
        &mut Cycle,
    )>,
) {
    let (clock, key, parameters) = (*clock, *key, &*parameters);
    let hours = clock.step_minutes / MINUTES_PER_HOUR;
    for (ids, types, around, vitals, mut cycles) in cells.contiguous_iter_mut().expect(IN_TABLES) {
        for_each_chunk_mut(cycles.bypass_change_detection(), ROWS, |start, cycles| {
            for (row, cycle) in (start..).zip(cycles) {
                let Some(parameters) = parameters.get(types[row].0) else {
                    continue;
                };
                if cycle.mitosis_over || !is_alive(vitals.map(|vitals| &vitals[row])) {
                    continue;
                }
                let pressure = around[row].pressure;
                let share = parameters.s_entry_share(cycle.growth, pressure, cycle.senescence);
                let random = || key.stream(ids[row], clock.step, Purpose::PhaseLength);
                cycle.advance(parameters, share, hours, random);
            }
        });
    }
}

impl Cycle {
    /// Lives through `hours` with the given share of the full rate of entry into S.
    fn advance(
        &mut self,
        parameters: &CycleParameters,
        s_entry_share: f32,
        hours: f64,
        random: impl Fn() -> Random,
    ) {
        let mut left = hours + f64::from(std::mem::take(&mut self.overtime_hours));
        let mut stream = None;
        loop {
            let speed = if self.phase == Phase::G0G1 {
                f64::from(s_entry_share)
            } else {
                1.0
            };
            if self.length == 0.0 {
                let stream = stream.get_or_insert_with(&random);
                self.length = parameters.draw_length(self.phase, stream);
            }
            let duration = f64::from(parameters.mean_hours(self.phase)) * f64::from(self.length);
            // What is to be lived at full rate until the phase ends.
            let ahead = duration * (1.0 - self.progress).max(0.0);
            if left * speed < ahead {
                self.elapsed_hours += left as f32;
                self.progress += left * speed / duration;
                return;
            }
            if speed <= 0.0 {
                // A phase of no length at no rate: the cell waits.
                self.elapsed_hours += left as f32;
                return;
            }
            left = (left - ahead / speed).max(0.0);
            let next = match self.phase {
                Phase::G0G1 => Phase::S,
                Phase::S => Phase::G2,
                Phase::G2 => Phase::M,
                Phase::M => {
                    self.elapsed_hours += ahead as f32;
                    self.progress = 1.0;
                    self.overtime_hours = left as f32;
                    self.mitosis_over = true;
                    return;
                }
            };
            self.phase = next;
            self.elapsed_hours = 0.0;
            self.progress = 0.0;
            self.length = 0.0;
        }
    }
}

/// The cell cycle.
pub struct CyclePlugin;

impl Plugin for CyclePlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        app.register_capability::<CycleParameters>("cycle")
            .register_cell_state::<Cycle>("cycle")
            .register_cell_invariant::<Cycle>(SimSystems::Act, "advance_cycle", |cycle| {
                outside("its progress in the phase", cycle.progress as f32, 0.0, 1.0)
                    .or_else(|| outside("its senescence", cycle.senescence, 0.0, 1.0))
                    .or_else(|| outside("its growth factor", cycle.growth, 0.0, 1.0))
            })
            .add_systems(
                SimSchedule,
                advance_cycle
                    .in_set(ActSystems::Decide)
                    .after(advance_death),
            );
    }
}

#[cfg(test)]
mod tests;
