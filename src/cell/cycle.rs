//! The cell cycle: a flow-cytometry model of four phases.
//!
//! How long a phase lasts for a cell is drawn when it enters it, from an Erlang distribution: the phase is a chain
//! of `k` memoryless stages of equal mean, whose number is a parameter ([`PhaseLaw`]). One stage makes it exponential,
//! as all four are in PhysiCell's flow-cytometry model (Ghaffarizadeh et al. 2018, PLoS Comput Biol 14:e1005991), from
//! which the means are; none stands for a fixed time. Measured durations of all phases are Erlang, each with a number of
//! stages of its own, and independent of each other (Chao et al. 2019, Mol Syst Biol 15:e8604,
//! doi:10.15252/msb.20188604). Growth of the population follows from the means *and* the stages, by the Euler-Lotka
//! equation ([`CycleParameters::steady_growth_per_hour`]).
//!
//! A cell goes through G0/G1 at the rate `e (1 - pressure/p_max)^+ (1 - senescence)`, with what rules make of the input
//! `cycle.entry`, `e`: 1 unless they change it, as the one does by which a shipped cancer cell waits for nutrients. It
//! goes through S, G2 and M at full rate. On entry to S the targets of the body double; at the end of M the cell asks
//! to divide.
//!
//! What is drawn is the length of the phase as a multiple of its mean ([`Cycle::length`]); the cell then advances
//! through it ([`Cycle::progress`]), so that the rate may change from step to step. (With one stage `progress` is the
//! integrated rate of a Poisson process.) What is left of a step at a transition is lived in the next phase, so
//! durations do not hinge on the step. [`advance_cycle`] runs among the decisions of `Act`, after death, and
//! writes only [`Cycle`]; `Turnover` divides the cells that ask for it.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::body::{BodyParameters, CellType, Resident};
use super::death::{Vital, is_alive};
use super::life::{Beginning, RegisterLife};
use super::surroundings::Surroundings;
use super::{ActSystems, order_act};
use crate::core::advice::RegisterAdvice;
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Build, Category, CategoryValue, RegisterQuantities};
use crate::core::state::RegisterState;
use crate::core::units::MINUTES_PER_HOUR;
use crate::core::{
    CellId, Clock, Purpose, Random, RandomKey, RegisterPurpose, SimSchedule, SimSystems,
};

mod ages;

pub use ages::{AgeStructure, Aged, PhaseLaw, mean_radius_um};

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

    /// The phase in the names of columns.
    pub const fn key(self) -> &'static str {
        match self {
            Self::G0G1 => "g0g1",
            Self::S => "s",
            Self::G2 => "g2",
            Self::M => "m",
        }
    }

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
}

/// How cells of a type cycle (capability `cycle`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct CycleParameters {
    /// Mean duration of G0/G1 in a well-fed, uncrowded cell, h; 4.98 [P].
    pub g0g1_hours: f32,
    /// Mean duration of S, h; 8 [P].
    pub s_hours: f32,
    /// Mean duration of G2, h; 4 [P].
    pub g2_hours: f32,
    /// Mean duration of M, h; 1 [P].
    pub m_hours: f32,
    /// Memoryless stages that G0/G1 consists of: its duration is Erlang with that shape. 1: exponential [P]; 0: always
    /// the mean.
    pub g0g1_stages: u32,
    /// Memoryless stages that S consists of; as for G0/G1. 0, a fixed time: cycle times vary far less than with
    /// exponential phases (Yates et al. 2017, doi:10.1007/s11538-017-0356-4). [P] has 1.
    pub s_stages: u32,
    /// Memoryless stages that G2 consists of; as for S.
    pub g2_stages: u32,
    /// Memoryless stages that M consists of; as for S.
    pub m_stages: u32,
    /// Pressure at which entry into S stops. The unit is what twelve neighbours push that are 4.8 % closer than contact;
    /// 4.5 is about what they push at 15 %, which is a density of 1.6 times that at contact. Assumed. That compression holds cells back at the end of G1 is measured (Delarue et al. 2014,
    /// doi:10.1016/j.bpj.2014.08.031), and the stress that stops spheroids: 45 to 120 mmHg (Helmlinger et al. 1997,
    /// doi:10.1038/nbt0897-778); but the potentials of contact have no unit of stress to tell it in.
    pub max_pressure: f32,
}

impl Default for CycleParameters {
    fn default() -> Self {
        Self {
            g0g1_hours: 4.98,
            s_hours: 8.0,
            g2_hours: 4.0,
            m_hours: 1.0,
            g0g1_stages: 1,
            s_stages: 0,
            g2_stages: 0,
            m_stages: 0,
            max_pressure: 4.5,
        }
    }
}

impl Parameters for CycleParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "max_pressure" => Limits::POSITIVE,
            field if field.ends_with("_stages") => Limits {
                min: 0.0,
                max: 1000.0,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e6,
            },
        }
    }
}

impl CycleParameters {
    /// How long a phase lasts at full rate.
    pub const fn law(&self, phase: Phase) -> PhaseLaw {
        let (mean_hours, stages) = match phase {
            Phase::G0G1 => (self.g0g1_hours, self.g0g1_stages),
            Phase::S => (self.s_hours, self.s_stages),
            Phase::G2 => (self.g2_hours, self.g2_stages),
            Phase::M => (self.m_hours, self.m_stages),
        };
        PhaseLaw { mean_hours, stages }
    }

    /// Rate of entry into S under those conditions, relative to the full one; `entry` is what rules make of it.
    pub fn s_entry_share(&self, entry: f32, pressure: f32, senescence: f32) -> f32 {
        let room = (1.0 - pressure.max(0.0) / self.max_pressure).max(0.0);
        entry * room * (1.0 - senescence).clamp(0.0, 1.0)
    }

    /// Rate of steady exponential growth of an undisturbed population, 1/h: the root `r` of the Euler-Lotka equation
    /// `2 E[exp(-r T)] = 1` for the cycle time `T`, that is of `2 exp(-r F) prod (1 + r T_i/k_i)^-k_i = 1` with fixed
    /// phases of `F` together and Erlang phases of mean `T_i` and `k_i` stages. With the defaults 0.0395 per hour, a
    /// doubling in 17.5 h; with four exponential phases 0.0432 per hour, in 16.0 h.
    pub fn steady_growth_per_hour(&self) -> f32 {
        let laws = Phase::ALL.map(|phase| self.law(phase));
        let sum = |of: &dyn Fn(PhaseLaw) -> f32| laws.iter().map(|law| of(*law)).sum::<f32>();
        if sum(&|law| law.mean_hours) <= 0.0 {
            return 0.0;
        }
        // The dilution over a cycle rises with the rate and is concave: Newton from 0 climbs to the only root.
        let mut rate = 0.0;
        for _ in 0..30 {
            let missing = std::f32::consts::LN_2 - sum(&|law| law.log_dilution(rate));
            rate += missing / sum(&|law| law.mean_age_at_exit(rate));
        }
        rate
    }
}

/// The input that scales entry into S.
const ENTRY: &str = "cycle.entry";
/// Where a cell stands in its cycle when it begins.
const INITIAL_STATE: Purpose = Purpose::numbered(1, "cell.cycle.initial_state");
/// How long a phase lasts for a cell.
const PHASE_LENGTH: Purpose = Purpose::numbered(7, "cell.cycle.phase_length");

/// Advances every living cell through its cycle.
pub fn advance_cycle(
    clock: Res<Clock>,
    key: Res<RandomKey>,
    parameters: Res<PerType<CycleParameters>>,
    inputs: Regulated,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Surroundings,
        Option<&Vital>,
        &mut Cycle,
    )>,
) {
    let (clock, key, parameters) = (*clock, *key, &*parameters);
    let hours = clock.step_minutes / MINUTES_PER_HOUR;
    let entry = inputs.input(ENTRY);
    for (entities, ids, types, residents, around, vitals, mut cycles) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let entry = entry.in_table(entities);
        for_each_row_mut(cycles.bypass_change_detection(), |row, cycle| {
            let Some(parameters) = parameters.get(types[row].0) else {
                return;
            };
            let rests = residents[row].0.is_transit();
            if rests || cycle.mitosis_over || !is_alive(vitals.map(|vitals| &vitals[row])) {
                return;
            }
            let pressure = around[row].pressure;
            let entry = entry.at(row, types[row].0);
            let share = parameters.s_entry_share(entry, pressure, cycle.senescence);
            let random = || key.stream(ids[row], clock.step, PHASE_LENGTH);
            cycle.advance(parameters, share, hours, random);
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
            let law = parameters.law(self.phase);
            if self.length == 0.0 {
                self.length = law.draw_length(stream.get_or_insert_with(&random));
            }
            let duration = f64::from(law.mean_hours) * f64::from(self.length);
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

/// The phase, for pictures and tables. Hues that stay apart with any kind of colour vision, after Okabe & Ito 2008.
fn phase_category() -> Category {
    let value = |phase: Phase| CategoryValue::new(phase.label(), phase.label());
    let [g0g1, s, g2, m] = Phase::ALL.map(value);
    Category {
        name: "phase".into(),
        label: "Cycle phase".into(),
        about: "Where the cell stands in its cycle.".into(),
        values: vec![
            g0g1.colour([0.34, 0.71, 0.91]),
            s.colour([0.94, 0.89, 0.26]),
            g2.colour([0.90, 0.62, 0.10]),
            m.colour([0.84, 0.32, 0.08]).build(Build::Dividing),
        ],
        prevails: false,
        of_the_living: true,
    }
}

/// The cell cycle.
pub struct CyclePlugin;

/// Says so of cells that are through with their cycle in no time: their number soon has no end.
fn divides_without_end(world: &World, cell_type: u16) -> Option<String> {
    /// Shorter than the cycle of any animal cell but those of early embryos, h.
    const SHORT_HOURS: f32 = 1.0;
    let cycle = world.get_resource::<PerType<CycleParameters>>()?;
    let cycle = cycle.get(cell_type)?;
    let hours = cycle.g0g1_hours + cycle.s_hours + cycle.g2_hours + cycle.m_hours;
    (hours < SHORT_HOURS).then(|| {
        format!("a cycle of its cells lasts {hours} h in all, so that soon there are more of them than can be simulated")
    })
}

impl Plugin for CyclePlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        for phase in Phase::ALL {
            let name = format!("cells_in_{}", phase.key());
            let about = format!("Living cells in {}.", phase.label());
            let measure = Measure::Count {
                category: "phase".into(),
                values: vec![phase as u8],
                of_the_living: true,
            };
            app.register_metric(Metric::new(name, "", about), measure);
        }
        app.register_advice_on_types(divides_without_end);
        app.register_purpose(PHASE_LENGTH)
            .register_purpose(INITIAL_STATE)
            .register_capability::<CycleParameters>("cycle")
            .register_cell_state::<Cycle>("cycle")
            .register_relative_input::<CycleParameters>(
                InputInfo::new(
                    ENTRY,
                    "",
                    "Rate of entry into S, relative to what room allows.",
                )
                .limits(Limits {
                    min: 0.0,
                    max: 100.0,
                }),
            )
            .register_category::<Cycle>(phase_category(), |cycle| cycle.phase as u8)
            .begin_cells(|place| {
                let ages = AgeStructure::growing(place.parameters::<CycleParameters>()?);
                let body = place.parameters::<BodyParameters>().cloned();
                let settled = Beginning::settled(Cycle::default());
                Some(settled.and_draw(INITIAL_STATE, move |cell, random| {
                    let aged = ages.draw(random);
                    if let (Some(hours), Some(body)) = (aged.hours_since_s_entry, &body) {
                        cell.insert(body.growing_body(hours));
                    }
                    cell.insert(aged.cycle);
                }))
            })
            .divide_cells(|cell, _| {
                if let Some(mut cycle) = cell.get_mut::<Cycle>() {
                    cycle.restart();
                }
            })
            .register_cell_invariant::<Cycle>(SimSystems::Act, "advance_cycle", |cycle| {
                outside("its progress in the phase", cycle.progress as f32, 0.0, 1.0)
                    .or_else(|| outside("its senescence", cycle.senescence, 0.0, 1.0))
            })
            .while_in_transit(
                advance_cycle,
                InTransit::Pauses,
                "cells without hold wait where they are in their cycle",
            )
            .add_systems(SimSchedule, advance_cycle.in_set(ActSystems::Cycle));
    }
}

#[cfg(test)]
mod tests;
