//! Fibroblasts that wake: from resident cells to cancer-associated fibroblasts, and back.
//!
//! A fibroblast remembers how long and how strongly it has met TGF-beta. Its memory `M`, in hours, obeys
//!
//! `dM/dt = k_in h(T; K, n) - 1` while that leaves it between 0 and its cap,
//!
//! with `T` the signal in ng/mL of TGF-beta and `h` the Hill function; while `M > 0` the cell is *myofibroblastic*: it lays
//! collagen, pulls, and secretes. The constants give what was measured on human fibroblasts: after 30 minutes of 5-10 ng/mL they
//! make more collagen and alpha-SMA for seven days, after a second such pulse a day later for fourteen (Fibrogenesis & Tissue Repair
//! 6:12, doi:10.1186/1755-1536-6-12). What is gained and lost in a step is added up before the memory is held within its bounds, so
//! that a signal below the threshold `k_in h = 1` never wakes a cell.
//!
//! Where TGF-beta is low but signals as IL-1 reach, fibroblasts turn *inflammatory* instead and secrete what helps the tumour from
//! afar; TGF-beta prevails where both reach, and both ways are reversible (Ohlund et al. 2017, J Exp Med 214:579; Biffi et al. 2019,
//! Cancer Discov 9:282). Their inflammation `I` follows `dI/dt = (h(S; K_I, 2) - I) / tau`, and counts from one half.
//!
//! What wakes them are rules on the inputs `fibroblast.signal` and `fibroblast.inflammation`, what they do then are rules by
//! `fibroblast.myofibroblastic` and `fibroblast.inflammatory`. [`wake`] runs in `Signal` and writes only
//! [`Fibroblast`].

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::event::{EventBook, EventKind, RegisterEvent};
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::{CellType, Living, Position, Resident, Vital};
use crate::core::advice::RegisterAdvice;
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Category, CategoryValue, Quantity, RegisterQuantities};
use crate::core::random::probability;
use crate::core::saturation::hill;
use crate::core::state::RegisterState;
use crate::core::{CellId, Clock, SimSchedule, SimSystems};

mod feedback;

/// How cells of a type wake (capability `fibroblast`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct FibroblastParameters {
    /// Hours of memory that an hour of plentiful TGF-beta leaves, `k_in`. 336: 30 minutes leave seven days. Calibrated to
    /// doi:10.1186/1755-1536-6-12 [A].
    pub memory_gain: f32,
    /// TGF-beta at which it leaves half of that, `K`, ng/mL; 1, of 0.5-2 [M].
    pub half_signal_ng_per_ml: f32,
    /// Steepness of that, `n`. 4: with the gain above, 0.23 ng/mL is too little to wake a cell, as in resting tissue. Calibrated.
    pub signal_exponent: f32,
    /// What wakes it without any rule, ng/mL of TGF-beta.
    pub signal_ng_per_ml: f32,
    /// What turns it inflammatory without any rule, nM of IL-1.
    pub inflammation_nm: f32,
    /// The most it remembers, h; 504, three weeks. Assumed.
    pub memory_cap_hours: f32,
    /// Inflammatory signal at which inflammation is half in the long run, `K_I`, nM of IL-1; 0.01, about 0.2 ng/mL. Assumed.
    pub half_inflammation_nm: f32,
    /// Time in which inflammation follows its signal, `tau`, h; 24. Assumed.
    pub inflammation_hours: f32,
    /// How many times as fast as in life it wakes and forgets, for scenes paced for the eye; 1.
    pub pace: f32,
}

impl Default for FibroblastParameters {
    fn default() -> Self {
        Self {
            memory_gain: 336.0,
            half_signal_ng_per_ml: 1.0,
            signal_exponent: 4.0,
            signal_ng_per_ml: 0.0,
            inflammation_nm: 0.0,
            memory_cap_hours: 504.0,
            half_inflammation_nm: 0.01,
            inflammation_hours: 24.0,
            pace: 1.0,
        }
    }
}

impl Parameters for FibroblastParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "signal_ng_per_ml" | "inflammation_nm" => Limits {
                min: 0.0,
                max: 1.0e4,
            },
            "memory_gain" | "memory_cap_hours" => Limits {
                min: 0.0,
                max: 1.0e5,
            },
            "pace" => Limits {
                min: 0.01,
                max: 100.0,
            },
            "signal_exponent" => Limits {
                min: 0.1,
                max: 20.0,
            },
            _ => Limits {
                min: 1.0e-6,
                max: 1.0e4,
            },
        }
    }
}

impl FibroblastParameters {
    /// The signal above which a fibroblast wakes, ng/mL of TGF-beta: where `k_in h = 1`. None where no signal does.
    pub fn threshold_ng_per_ml(&self) -> Option<f32> {
        let share = 1.0 / (self.memory_gain - 1.0);
        let power = bevy::math::ops::powf(share, 1.0 / self.signal_exponent);
        (self.memory_gain > 1.0).then_some(self.half_signal_ng_per_ml * power)
    }
}

/// What a fibroblast remembers.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Fibroblast {
    /// Memory of TGF-beta, h: for so long it stays myofibroblastic if it meets no more.
    pub memory_hours: f32,
    /// How far inflammatory signals have changed it, 0-1.
    pub inflammation: f32,
    /// What it was when that was last told.
    pub told: FibroblastState,
    /// For how long it has been something else, h.
    pub other_for_hours: f32,
}

/// What a fibroblast is just now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Reflect)]
#[repr(u8)]
pub enum FibroblastState {
    /// It rests.
    #[default]
    Quiescent,
    /// A myofibroblastic CAF: it lays and pulls matrix.
    Myofibroblastic,
    /// An inflammatory CAF: it secretes what helps the tumour.
    Inflammatory,
}

/// A fibroblast woke: it has been a myofibroblastic CAF for an hour of its own pace.
pub const WAKES: EventKind = EventKind::of("fibroblast.wakes");
/// A fibroblast turned inflammatory, for as long.
pub const IS_INFLAMED: EventKind = EventKind::of("fibroblast.inflamed");
/// A CAF came to rest, for as long.
pub const COMES_TO_REST: EventKind = EventKind::of("fibroblast.rests");

/// How long a change must last to be told, h: near its threshold a fibroblast wakes and rests many times a day. Assumed.
const LASTING_HOURS: f32 = 1.0;

/// Inflammation from which a fibroblast counts as inflammatory.
const INFLAMED: f32 = 0.5;

impl Fibroblast {
    /// What it is just now; TGF-beta prevails.
    pub const fn state(&self) -> FibroblastState {
        if self.memory_hours > 0.0 {
            FibroblastState::Myofibroblastic
        } else if self.inflammation > INFLAMED {
            FibroblastState::Inflammatory
        } else {
            FibroblastState::Quiescent
        }
    }

    /// What it has become, if that has lasted and is not told yet; it is told with that.
    fn tell(&mut self, hours: f32) -> Option<FibroblastState> {
        let now = self.state();
        if now == self.told {
            self.other_for_hours = 0.0;
            return None;
        }
        self.other_for_hours += hours;
        if self.other_for_hours < LASTING_HOURS {
            return None;
        }
        self.told = now;
        self.other_for_hours = 0.0;
        Some(now)
    }

    fn advance(&mut self, parameters: &FibroblastParameters, met: Met, hours: f32) {
        let signal = hill(
            met.signal_ng_per_ml,
            parameters.half_signal_ng_per_ml,
            parameters.signal_exponent,
        );
        let net = met.memory_gain * signal - 1.0;
        let cap = parameters.memory_cap_hours;
        self.memory_hours = (self.memory_hours + hours * net).max(0.0).min(cap);
        let inflamed = hill(met.inflammation_nm, parameters.half_inflammation_nm, 2.0);
        let way = probability(1.0 / parameters.inflammation_hours, hours);
        self.inflammation += way * (inflamed - self.inflammation);
    }
}

/// What a fibroblast meets in a step.
#[derive(Clone, Copy, Debug)]
struct Met {
    signal_ng_per_ml: f32,
    inflammation_nm: f32,
    memory_gain: f32,
}

/// The inputs.
const SIGNAL: &str = "fibroblast.signal";
const INFLAMMATION: &str = "fibroblast.inflammation";
const MEMORY_GAIN: &str = "fibroblast.memory_gain";

/// Living fibroblasts remember what they meet.
pub fn wake(
    clock: Res<Clock>,
    parameters: Res<PerType<FibroblastParameters>>,
    inputs: Regulated,
    events: Res<EventBook>,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        Option<&Vital>,
        &mut Fibroblast,
    )>,
) {
    let parameters = &*parameters;
    let hours = clock.dt_hours();
    let [signal, inflammation, gain] =
        [SIGNAL, INFLAMMATION, MEMORY_GAIN].map(|name| inputs.input(name));
    for (entities, ids, types, residents, positions, vitals, mut fibroblasts) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let signal = signal.in_table(entities);
        let inflammation = inflammation.in_table(entities);
        let gain = gain.in_table(entities);
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(fibroblasts.bypass_change_detection(), |row, fibroblast| {
            let Some((cell_type, parameters)) = living.at(row) else {
                return;
            };
            let met = Met {
                signal_ng_per_ml: signal.at(row, cell_type),
                inflammation_nm: inflammation.at(row, cell_type),
                memory_gain: gain.at(row, cell_type),
            };
            let hours = hours * parameters.pace;
            fibroblast.advance(parameters, met, hours);
            if let Some(now) = fibroblast.tell(hours) {
                let kind = match now {
                    FibroblastState::Myofibroblastic => WAKES,
                    FibroblastState::Inflammatory => IS_INFLAMED,
                    FibroblastState::Quiescent => COMES_TO_REST,
                };
                events.book(kind, ids[row], residents[row].0, positions[row].0);
            }
        });
    }
}

/// Fibroblasts and CAFs.
pub struct FibroblastPlugin;

impl Plugin for FibroblastPlugin {
    fn build(&self, app: &mut App) {
        app.register_capability::<FibroblastParameters>("fibroblast")
            .register_cell_state::<Fibroblast>("fibroblast")
            .register_input::<FibroblastParameters>(
                InputInfo::new(
                    SIGNAL,
                    "ng/mL",
                    "What wakes a fibroblast, as so much TGF-beta.",
                ),
                "signal_ng_per_ml",
            )
            .register_input::<FibroblastParameters>(
                InputInfo::new(
                    INFLAMMATION,
                    "nM",
                    "What turns a fibroblast inflammatory, as so much IL-1.",
                ),
                "inflammation_nm",
            )
            .register_input::<FibroblastParameters>(
                InputInfo::new(
                    MEMORY_GAIN,
                    "",
                    "Hours of memory that an hour of plentiful TGF-beta leaves.",
                ),
                "memory_gain",
            )
            .register_event(
                WAKES,
                "A fibroblast woke and has been a myofibroblastic CAF for an hour.",
            )
            .register_event(
                IS_INFLAMED,
                "A fibroblast has been an inflammatory CAF for an hour.",
            )
            .register_event(
                COMES_TO_REST,
                "A CAF came to rest and has been a fibroblast again for an hour.",
            );
        app.register_advice(feedback::keep_each_other_awake);
        register_what_can_be_known(app);
        app.begin_cells(|place| {
            place.parameters::<FibroblastParameters>()?;
            Some(Beginning::settled(Fibroblast::default()))
        })
        .register_cell_invariant::<Fibroblast>(SimSystems::Signal, "wake", |fibroblast| {
            outside("its memory, h,", fibroblast.memory_hours, 0.0, 1.0e5)
                .or_else(|| outside("its inflammation", fibroblast.inflammation, 0.0, 1.0))
        })
        .while_in_transit(
            wake,
            InTransit::Runs,
            "memory fades wherever cells are; rules find the background of molecules",
        )
        .add_systems(SimSchedule, wake.in_set(SimSystems::Signal));
    }
}

/// Quantities, the category and metrics.
fn register_what_can_be_known(app: &mut App) {
    let is = |state: FibroblastState| {
        move |fibroblast: &Fibroblast| f32::from(u8::from(fibroblast.state() == state))
    };
    app.register_quantity::<Fibroblast>(
        Quantity::new(
            "fibroblast.memory",
            "h",
            "Memory of TGF-beta: for so long it stays myofibroblastic if it meets no more.",
        )
        .label("memory of TGF-β")
        .column("caf_memory_h")
        .range(0.0, 504.0)
        .source("doi:10.1186/1755-1536-6-12")
        .of_the_living()
        .featured(),
        |fibroblast| fibroblast.memory_hours,
    )
    .register_quantity::<Fibroblast>(
        Quantity::new(
            "fibroblast.myofibroblastic",
            "",
            "1 for a myofibroblastic CAF, else 0.",
        )
        .of_the_living()
        .no_column(),
        is(FibroblastState::Myofibroblastic),
    )
    .register_quantity::<Fibroblast>(
        Quantity::new(
            "fibroblast.inflammatory",
            "",
            "1 for an inflammatory CAF, else 0.",
        )
        .of_the_living()
        .no_column(),
        is(FibroblastState::Inflammatory),
    )
    .register_quantity::<Fibroblast>(
        Quantity::new(
            "fibroblast.active",
            "",
            "1 for a CAF of either kind, 0 for a resting fibroblast.",
        )
        .of_the_living()
        .no_column(),
        |fibroblast| f32::from(u8::from(fibroblast.state() != FibroblastState::Quiescent)),
    )
    .register_category::<Fibroblast>(
        Category {
            name: "fibroblast_state".into(),
            label: "fibroblasts".into(),
            about: "Whether a fibroblast rests or is a CAF, and which.".into(),
            values: vec![
                CategoryValue::new("quiescent", "resting fibroblast").colour([0.62, 0.78, 0.73]),
                CategoryValue::new("myofibroblastic", "myofibroblastic CAF")
                    .colour([0.0, 0.62, 0.45]),
                CategoryValue::new("inflammatory", "inflammatory CAF").colour([0.34, 0.71, 0.91]),
            ],
            prevails: false,
            of_the_living: true,
        },
        |fibroblast| fibroblast.state() as u8,
    );
    for (state, name, about, label, colour) in [
        (
            FibroblastState::Quiescent,
            "quiescent_fibroblasts",
            "Living fibroblasts that rest.",
            "resting",
            [0.62, 0.78, 0.73],
        ),
        (
            FibroblastState::Myofibroblastic,
            "myofibroblastic_cafs",
            "Living myofibroblastic CAFs.",
            "myofibroblastic CAF",
            [0.0, 0.62, 0.45],
        ),
        (
            FibroblastState::Inflammatory,
            "inflammatory_cafs",
            "Living inflammatory CAFs.",
            "inflammatory CAF",
            [0.34, 0.71, 0.91],
        ),
    ] {
        app.register_metric(
            Metric::new(name, "", about)
                .label(label)
                .share_of("Fibroblast states")
                .colour(colour),
            Measure::Count {
                category: "fibroblast_state".into(),
                values: vec![state as u8],
                of_the_living: true,
            },
        );
    }
}

#[cfg(test)]
mod tests;
