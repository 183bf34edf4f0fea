//! How cells die: apoptosis, and necrosis with swelling, lysis and clearance.
//!
//! As in PhysiCell's standard death models (Ghaffarizadeh et al. 2018, PLoS Comput Biol 14:e1005991): a cell
//! enters apoptosis at a base rate, shrinks and is gone after a fixed time; a cell short of oxygen turns
//! necrotic at the rate `1/delay x clamp((onset - p) / (onset - full), 0, 1)`, swells until its membrane bursts,
//! and its remains lose water, calcify and are cleared over weeks. Rules can change that rate, and add another that hinges on anything
//! else than oxygen. Rates become probabilities
//! `1 - exp(-rate dt)`. [`advance_death`] runs first among the decisions of `Act` and writes only [`Vital`];
//! what happened stays in [`Vital::event`] until the cell's next step, so that `Turnover` and `Observe` can
//! collect events in the order of [`crate::core::CellId`]. Dead cells neither cycle, walk nor feed.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::body::{Body, CellType, Resident, VolumeRates};
use super::event::{EventKind, Passage, RegisterEvent};
use super::life::{Beginning, RegisterLife};
use super::surroundings::Surroundings;
use super::{ActSystems, order_act};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Contradiction, Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Build, Category, CategoryValue, RegisterQuantities};
use crate::core::random::probability;
use crate::core::state::RegisterState;
use crate::core::units::MINUTES_PER_HOUR;
use crate::core::{CellId, Clock, Purpose, Random, RandomKey, RegisterPurpose, SimSchedule};
use crate::tissue::{Fields, RegisterMoleculeUse};

/// Alive, dying or dead.
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
pub enum State {
    /// Alive.
    #[default]
    Alive,
    /// Programmed death: the cell shrinks and is taken up by its neighbours.
    Apoptotic,
    /// Necrosis: the cell swells until its membrane bursts.
    NecroticSwelling,
    /// Necrosis after rupture: the remains lose water, calcify and are cleared slowly.
    NecroticLysed,
}

impl State {
    /// All states.
    pub const ALL: [Self; 4] = [
        Self::Alive,
        Self::Apoptotic,
        Self::NecroticSwelling,
        Self::NecroticLysed,
    ];

    /// The state as shown to a person.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Apoptotic => "apoptotic",
            Self::NecroticSwelling => "necrotic, swelling",
            Self::NecroticLysed => "necrotic, lysed",
        }
    }

    /// The state as written in files.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Apoptotic => "apoptotic",
            Self::NecroticSwelling => "necrotic_swelling",
            Self::NecroticLysed => "necrotic_lysed",
        }
    }

    /// Whether the cell is necrotic, lysed or not.
    pub const fn is_necrotic(self) -> bool {
        matches!(self, Self::NecroticSwelling | Self::NecroticLysed)
    }
}

/// What happened to a cell in this step.
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
pub enum LifeEvent {
    /// Nothing.
    #[default]
    None,
    /// It entered apoptosis.
    Apoptosis,
    /// It turned necrotic and began to swell.
    Necrosis,
    /// Its membrane burst.
    Lysis,
    /// Nothing of it is left; `Turnover` removes it.
    Clearance,
}

/// A cell entered apoptosis.
pub const ENTERS_APOPTOSIS: EventKind = EventKind::of("apoptosis");
/// A cell turned necrotic.
pub const TURNS_NECROTIC: EventKind = EventKind::of("necrosis");
/// The membrane of a necrotic cell burst.
pub const BURSTS: EventKind = EventKind::of("lysis");
/// The remains of a dead cell are gone.
pub const IS_CLEARED: EventKind = EventKind::of("clearance");

impl LifeEvent {
    /// As what it is told, unless nothing happened.
    pub const fn kind(self) -> Option<EventKind> {
        match self {
            Self::None => None,
            Self::Apoptosis => Some(ENTERS_APOPTOSIS),
            Self::Necrosis => Some(TURNS_NECROTIC),
            Self::Lysis => Some(BURSTS),
            Self::Clearance => Some(IS_CLEARED),
        }
    }
}

/// Whether a cell lives, and how far its death has come. Every cell carries it.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Vital {
    /// Alive, dying or dead.
    pub state: State,
    /// Time spent in that state, h; not counted while alive.
    pub elapsed_hours: f64,
    /// Volume at which a swelling cell bursts, um3.
    pub rupture_volume_um3: f32,
    /// What happened in this step.
    pub event: LifeEvent,
}

impl Vital {
    /// Whether the cell lives.
    pub const fn is_alive(&self) -> bool {
        matches!(self.state, State::Alive)
    }

    /// A living cell enters apoptosis; a dead one stays as it is.
    pub const fn start_apoptosis(&mut self) {
        if self.is_alive() {
            self.enter(State::Apoptotic, LifeEvent::Apoptosis);
        }
    }

    /// A living cell turns necrotic, to burst at the given volume; a dead one stays as it is.
    pub const fn start_necrosis(&mut self, rupture_volume_um3: f32) {
        if self.is_alive() {
            self.rupture_volume_um3 = rupture_volume_um3;
            self.enter(State::NecroticSwelling, LifeEvent::Necrosis);
        }
    }

    /// Share of the remains that has calcified, 0-1: a first-order process since the membrane burst.
    pub fn calcified_fraction(&self, parameters: &DeathParameters) -> f32 {
        match self.state {
            State::NecroticLysed => {
                probability(parameters.calcification_per_hour, self.elapsed_hours as f32)
            }
            _ => 0.0,
        }
    }

    /// Whether nothing is left of the cell, so that `Turnover` has to remove it.
    pub const fn is_cleared(&self) -> bool {
        matches!(self.event, LifeEvent::Clearance)
    }

    const fn enter(&mut self, state: State, event: LifeEvent) {
        self.state = state;
        self.elapsed_hours = 0.0;
        self.event = event;
    }
}

/// Whether a cell lives; one without [`Vital`] always does.
pub const fn is_alive(vital: Option<&Vital>) -> bool {
    match vital {
        Some(vital) => vital.is_alive(),
        None => true,
    }
}

/// How cells of a type die (capability `death`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct DeathParameters {
    /// Base rate of apoptosis, 1/h; 5e-4 to 2e-3, 1e-3 by default: assumed. PhysiCell has 5.32e-5 /min, 3.19e-3 /h [P]:
    /// of a population that doubles in 16 h, 2.3 % of the cells are then in the 8.6 h of dying.
    pub apoptosis_per_hour: f32,
    /// Time from the start of apoptosis until nothing is left, h; 8.6 [P].
    pub apoptosis_hours: f32,
    /// How fast an apoptotic cell shrinks: water 3, nucleus 0.35, cytoplasm 1 per hour [P].
    pub apoptotic: VolumeRates,
    /// Oxygen below which cells begin to turn necrotic, mmHg; 5 [P].
    pub necrosis_onset_mmhg: f32,
    /// Oxygen below which they do so at the full rate, mmHg; 2.5 [P].
    pub necrosis_full_mmhg: f32,
    /// Mean time to necrosis at the full rate, h; 6 [P].
    pub necrosis_delay_hours: f32,
    /// Rate of necrosis that does not come from a lack of oxygen, 1/h; 0: what rules add to it, starvation and acid in the shipped
    /// cancer cell.
    pub other_necrosis_per_hour: f32,
    /// How fast a necrotic cell swells: water 0.67, nucleus 0.013, cytoplasm 0.0032 per hour [P].
    pub swelling: VolumeRates,
    /// Volume at which it bursts, relative to its volume when it turned necrotic; 2 [P].
    pub relative_rupture_volume: f32,
    /// How fast burst remains shrink: water 0.05, nucleus 0.013, cytoplasm 0.0032 per hour [P].
    pub lysed: VolumeRates,
    /// How fast burst remains calcify, 1/h; 0.0042 [P].
    pub calcification_per_hour: f32,
    /// Longest time that burst remains stay, h; 60 days [P].
    pub clearance_hours: f32,
    /// Volume below which burst remains count as gone, um3. Assumed: 1 % of a resting cell.
    pub cleared_below_um3: f32,
}

impl Default for DeathParameters {
    fn default() -> Self {
        Self {
            apoptosis_per_hour: 1.0e-3,
            apoptosis_hours: 8.6,
            apoptotic: VolumeRates {
                fluid_per_hour: 3.0,
                nucleus_per_hour: 0.35,
                cytoplasm_per_hour: 1.0,
            },
            necrosis_onset_mmhg: 5.0,
            necrosis_full_mmhg: 2.5,
            necrosis_delay_hours: 6.0,
            other_necrosis_per_hour: 0.0,
            swelling: VolumeRates {
                fluid_per_hour: 0.67,
                nucleus_per_hour: 0.013,
                cytoplasm_per_hour: 0.0032,
            },
            relative_rupture_volume: 2.0,
            lysed: VolumeRates {
                fluid_per_hour: 0.05,
                nucleus_per_hour: 0.013,
                cytoplasm_per_hour: 0.0032,
            },
            calcification_per_hour: 0.0042,
            clearance_hours: 1440.0,
            cleared_below_um3: 25.0,
        }
    }
}

impl Parameters for DeathParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "relative_rupture_volume" => Limits {
                min: 1.0,
                max: 10.0,
            },
            "necrosis_delay_hours" => Limits::POSITIVE,
            "necrosis_onset_mmhg" | "necrosis_full_mmhg" => Limits {
                min: 0.0,
                max: 760.0,
            },
            field if field.ends_with("_per_hour") => Limits {
                min: 0.0,
                max: 1000.0,
            },
            _ => Limits::NON_NEGATIVE,
        }
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        let (full, onset) = (self.necrosis_full_mmhg, self.necrosis_onset_mmhg);
        if full <= onset {
            return Vec::new();
        }
        vec![Contradiction {
            field: "necrosis_full_mmhg",
            other: "necrosis_onset_mmhg",
            message: format!("must not be above `necrosis_onset_mmhg` ({onset}), found {full}"),
        }]
    }
}

impl DeathParameters {
    /// Rate at which a living cell turns necrotic at that oxygen pressure, 1/h.
    pub fn necrosis_per_hour(&self, oxygen_mmhg: f32) -> f32 {
        let span = self.necrosis_onset_mmhg - self.necrosis_full_mmhg;
        let lack = self.necrosis_onset_mmhg - oxygen_mmhg;
        let share = if lack <= 0.0 {
            0.0
        } else if lack >= span {
            1.0
        } else {
            lack / span
        };
        share / self.necrosis_delay_hours
    }
}

/// Below which 32 random bits mean that something happens at `per_hour` within `hours`. All of them are compared,
/// so that rates of one in a million steps are still met.
fn happens_below(per_hour: f32, hours: f32) -> f64 {
    const TWO_TO_32: f64 = 4_294_967_296.0;
    f64::from(probability(per_hour, hours)) * TWO_TO_32
}

fn happens(mut random: Random, below: f64) -> bool {
    f64::from(random.bits()) < below
}

/// How cells of a type die in a step of that length.
struct DeathStep<'a> {
    parameters: &'a DeathParameters,
    hours: f32,
    /// See [`happens_below`].
    apoptosis_below: f64,
}

/// How fast a cell dies just now.
struct Rates<N> {
    /// See [`happens_below`].
    apoptosis_below: f64,
    /// Necrosis, 1/h; looked up for living cells only.
    necrosis_per_hour: N,
}

/// The input that is the rate of apoptosis.
const APOPTOSIS_RATE: &str = "death.apoptosis";
/// The input that scales necrosis.
const NECROSIS_RATE: &str = "death.necrosis";
/// The input that is the rate of necrosis from anything else than a lack of oxygen.
const OTHER_NECROSIS_RATE: &str = "death.other_necrosis";

/// Whether a cell enters apoptosis.
const APOPTOSIS: Purpose = Purpose::numbered(4, "cell.death.apoptosis");
/// Whether a cell turns necrotic.
const NECROSIS: Purpose = Purpose::numbered(5, "cell.death.necrosis");

/// Lets cells die, and the dead go on dying.
pub fn advance_death(
    clock: Res<Clock>,
    key: Res<RandomKey>,
    parameters: Res<PerType<DeathParameters>>,
    inputs: Regulated,
    fields: Fields,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Body,
        &Surroundings,
        &mut Vital,
    )>,
) {
    let oxygen = fields.of("oxygen");
    let (clock, key, hours) = (*clock, *key, clock.dt_hours());
    let steps: Vec<Option<DeathStep>> = parameters
        .0
        .iter()
        .map(|parameters| {
            let parameters = parameters.as_ref()?;
            Some(DeathStep {
                parameters,
                hours,
                apoptosis_below: happens_below(parameters.apoptosis_per_hour, hours),
            })
        })
        .collect();
    let [apoptosis, necrosis, other] =
        [APOPTOSIS_RATE, NECROSIS_RATE, OTHER_NECROSIS_RATE].map(|name| inputs.input(name));
    for (entities, ids, types, residents, bodies, around, mut vitals) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let [apoptosis, necrosis, other] =
            [&apoptosis, &necrosis, &other].map(|input| input.in_table(entities));
        for_each_row_mut(vitals.bypass_change_detection(), |row, vital| {
            vital.event = LifeEvent::None;
            if let Some(Some(step)) = steps.get(usize::from(types[row].0)) {
                let random = |purpose| key.stream(ids[row], clock.step, purpose);
                let rates = Rates {
                    apoptosis_below: if apoptosis.is_ruled() {
                        happens_below(apoptosis.at(row, types[row].0), hours)
                    } else {
                        step.apoptosis_below
                    },
                    necrosis_per_hour: || {
                        let oxygen_mmhg = oxygen.at(residents[row].0, around[row].voxel);
                        step.parameters.necrosis_per_hour(oxygen_mmhg)
                            * necrosis.at(row, types[row].0)
                            + other.at(row, types[row].0)
                    },
                };
                advance(vital, step, &bodies[row], &rates, &clock, random);
            }
        });
    }
}

fn advance(
    vital: &mut Vital,
    step: &DeathStep,
    body: &Body,
    rates: &Rates<impl Fn() -> f32>,
    clock: &Clock,
    random: impl Fn(Purpose) -> Random,
) {
    let parameters = step.parameters;
    match vital.state {
        State::Alive => {
            let necrosis = (rates.necrosis_per_hour)();
            if happens(random(APOPTOSIS), rates.apoptosis_below) {
                vital.start_apoptosis();
            } else if necrosis > 0.0
                && happens(random(NECROSIS), happens_below(necrosis, step.hours))
            {
                vital.start_necrosis(parameters.relative_rupture_volume * body.volume_um3());
            }
        }
        State::Apoptotic => {
            vital.elapsed_hours += clock.step_minutes / MINUTES_PER_HOUR;
            if reached(vital.elapsed_hours, parameters.apoptosis_hours) {
                vital.event = LifeEvent::Clearance;
            }
        }
        State::NecroticSwelling => {
            vital.elapsed_hours += clock.step_minutes / MINUTES_PER_HOUR;
            if body.volume_um3() >= vital.rupture_volume_um3 {
                vital.enter(State::NecroticLysed, LifeEvent::Lysis);
            }
        }
        State::NecroticLysed => {
            vital.elapsed_hours += clock.step_minutes / MINUTES_PER_HOUR;
            let tiny = body.volume_um3() < parameters.cleared_below_um3;
            if tiny || reached(vital.elapsed_hours, parameters.clearance_hours) {
                vital.event = LifeEvent::Clearance;
            }
        }
    }
}

/// Whether a fixed time has passed. The slack, 4 ms, absorbs the rounding of the parameter and of the sum.
fn reached(elapsed_hours: f64, hours: f32) -> bool {
    elapsed_hours >= f64::from(hours) - 1e-6
}

/// Title of the plot in which cells are counted.
pub const COUNTS_PLOT: &str = "Living and dying cells";

/// Alive, dying or dead, for pictures and tables.
fn state_category() -> Category {
    let value = |state: State| CategoryValue::new(state.key(), state.label());
    let [alive, apoptotic, swelling, lysed] = State::ALL.map(value);
    Category {
        name: "state".into(),
        label: "State".into(),
        about: "Whether the cell lives, and how far its death has come.".into(),
        values: vec![
            alive,
            apoptotic.colour([0.50, 0.20, 0.14]).build(Build::Shrunken),
            swelling.colour([0.72, 0.60, 0.44]).build(Build::Swollen),
            lysed.colour([0.37, 0.33, 0.31]).build(Build::Remains),
        ],
        prevails: true,
        of_the_living: false,
    }
}

fn count_of(states: &[State]) -> Measure {
    Measure::Count {
        category: "state".into(),
        values: states.iter().map(|state| *state as u8).collect(),
        of_the_living: false,
    }
}

/// Death.
pub struct DeathPlugin;

impl Plugin for DeathPlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        app.register_molecule_use("death", "oxygen")
            .register_purpose(APOPTOSIS)
            .register_purpose(NECROSIS)
            .register_event(ENTERS_APOPTOSIS, "A cell entered apoptosis.")
            .register_event(TURNS_NECROTIC, "A cell turned necrotic.")
            .register_event(BURSTS, "The membrane of a necrotic cell burst.")
            .register_passage(
                IS_CLEARED,
                Passage::Removal,
                "The remains of a dead cell are gone.",
            )
            .register_capability::<DeathParameters>("death")
            .register_cell_state::<Vital>("vital")
            .register_category::<Vital>(state_category(), |vital| vital.state as u8)
            .register_input::<DeathParameters>(
                InputInfo::new(
                    APOPTOSIS_RATE,
                    "1/h",
                    "Rate at which living cells enter apoptosis.",
                ),
                "apoptosis_per_hour",
            )
            .register_relative_input::<DeathParameters>(
                InputInfo::new(
                    NECROSIS_RATE,
                    "",
                    "Rate of necrosis, relative to what the lack of oxygen makes it.",
                )
                .limits(Limits {
                    min: 0.0,
                    max: 1000.0,
                }),
            )
            .register_input::<DeathParameters>(
                InputInfo::new(
                    OTHER_NECROSIS_RATE,
                    "1/h",
                    "Rate of necrosis that does not come from a lack of oxygen.",
                ),
                "other_necrosis_per_hour",
            )
            .register_metric(
                Metric::new("cells_alive", "", "Living cells."),
                count_of(&[State::Alive]),
            )
            .register_metric(
                Metric::new("cells_apoptotic", "", "Cells in apoptosis.")
                    .label("apoptotic")
                    .plot(COUNTS_PLOT)
                    .colour([0.835, 0.369, 0.0]),
                count_of(&[State::Apoptotic]),
            )
            .register_metric(
                Metric::new("cells_necrotic", "", "Necrotic cells, burst ones included.")
                    .label("necrotic")
                    .plot(COUNTS_PLOT)
                    .colour([0.72, 0.60, 0.44]),
                count_of(&[State::NecroticSwelling, State::NecroticLysed]),
            )
            .begin_cells(|_| Some(Beginning::settled(Vital::default())))
            .while_in_transit(advance_death, InTransit::Runs, "cells die and go on dying wherever they are; they find the background of molecules")
            .add_systems(SimSchedule, advance_death.in_set(ActSystems::Die));
    }
}

#[cfg(test)]
mod tests;
