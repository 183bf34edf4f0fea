//! The mechanism: what somebody else would write in a crate of his own.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};
use tumorscape::cell::event::{EventBook, EventKind, RegisterEvent};
use tumorscape::cell::life::{Beginning, RegisterLife};
use tumorscape::cell::{CellType, Position, Resident};
use tumorscape::core::input::{InputInfo, RegisterInputs, Regulated};
use tumorscape::core::invariant::{RegisterInvariant, outside};
use tumorscape::core::metric::{Measure, Metric, RegisterMetrics};
use tumorscape::core::parameters::{
    Contradiction, Limits, Parameters, PerType, RegisterParameters,
};
use tumorscape::core::quantity::{Quantity, RegisterQuantities};
use tumorscape::core::state::RegisterState;
use tumorscape::core::{
    CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule, SimSystems,
};
use tumorscape::tissue::{SiteId, Sites};

/// How cells of a type glow (capability `sparkle`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct SparkleParameters {
    /// How fast a fresh cell lights up, 1/h.
    pub rise_per_hour: f32,
    /// By how much a tired one does so less, 1/h.
    pub tire_per_hour: f32,
}

impl Default for SparkleParameters {
    fn default() -> Self {
        Self {
            rise_per_hour: 1.0,
            tire_per_hour: 0.5,
        }
    }
}

impl Parameters for SparkleParameters {
    fn limits(_: &str) -> Limits {
        Limits {
            min: 0.0,
            max: 1000.0,
        }
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        if self.tire_per_hour <= self.rise_per_hour {
            return Vec::new();
        }
        vec![Contradiction {
            field: "tire_per_hour",
            other: "rise_per_hour",
            message: format!(
                "it tires faster than it rises ({} per hour)",
                self.rise_per_hour
            ),
        }]
    }
}

/// How bright a cell is, and how tired.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sparkle {
    /// Brightness.
    pub glow: f32,
    /// Tiredness, 0-1.
    pub fatigue: f32,
}

/// Probability that a cell flickers in a step.
pub const FLICKERS: f32 = 0.05;

/// A cell flashed: its glow came to 1.5, and it is dark again.
pub const FLASH: EventKind = EventKind::of("sparkle.flash");

/// Whether a cell flickers, and loses a hundredth of its glow.
const FLICKER: Purpose = Purpose::of("sparkle.flicker");
/// How bright a cell begins.
const FIRST_GLOW: Purpose = Purpose::of("sparkle.first_glow");

/// Name of the input that is how fast cells light up.
const RISE: &str = "sparkle.rise";

/// Both numbers of each cell follow their equations, `dG/dt = rise - tire F` and `dF/dt = 0.1`; now and then one flickers.
fn light_up(
    clock: Res<Clock>,
    key: Res<RandomKey>,
    parameters: Res<PerType<SparkleParameters>>,
    inputs: Regulated,
    events: Res<EventBook>,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        &mut Sparkle,
    )>,
) {
    let rise = inputs.input(RISE);
    let hours = clock.dt_hours();
    let tables = cells.contiguous_iter_mut().expect("they are in tables");
    for (entities, ids, types, residents, positions, mut sparkles) in tables {
        let rise = rise.in_table(entities);
        for (row, sparkle) in sparkles.iter_mut().enumerate() {
            let Some(parameters) = parameters.get(types[row].0) else {
                continue;
            };
            let rate = rise.at(row, types[row].0) - parameters.tire_per_hour * sparkle.fatigue;
            sparkle.glow += rate * hours;
            sparkle.fatigue = (sparkle.fatigue + 0.1 * hours).min(1.0);
            if key.stream(ids[row], clock.step, FLICKER).chance(FLICKERS) {
                sparkle.glow *= 0.99;
            }
            if sparkle.glow >= 1.5 {
                sparkle.glow = 0.0;
                events.book(FLASH, ids[row], residents[row].0, positions[row].0);
            }
        }
    }
}

/// The light of all cells of a site.
fn light(world: &World, site: Entity) -> f32 {
    let mut sites = world.resource::<Sites>().list.iter();
    let Some(number) = sites.position(|known| known.entity == site) else {
        return f32::NAN;
    };
    let Some(mut cells) = world.try_query::<(&CellId, &Resident, &Sparkle)>() else {
        return 0.0;
    };
    // In the order of identity, so that the sum does not hang on where cells lie in memory.
    let here = cells
        .iter(world)
        .filter(|(_, of, _)| of.0 == SiteId(number as u16));
    let mut glows: Vec<(CellId, f32)> = here.map(|(id, _, sparkle)| (*id, sparkle.glow)).collect();
    glows.sort_by_key(|(id, _)| *id);
    glows.into_iter().map(|(_, glow)| glow).sum()
}

/// The plugin.
pub fn sparkle(app: &mut App) {
    app.register_purpose(FLICKER)
        .register_purpose(FIRST_GLOW)
        .register_cell_invariant::<Sparkle>(SimSystems::Signal, "light_up", |sparkle| {
            outside("its glow", sparkle.glow, 0.0, 1.5)
                .or_else(|| outside("its tiredness", sparkle.fatigue, 0.0, 1.0))
        })
        .register_capability::<SparkleParameters>("sparkle")
        .register_cell_state::<Sparkle>("sparkle")
        .register_quantity::<Sparkle>(
            Quantity::new("sparkle.glow", "", "How bright it is.")
                .column("glow")
                .range(0.0, 1.5)
                .featured(),
            |sparkle| sparkle.glow,
        )
        .register_quantity::<Sparkle>(
            Quantity::new("sparkle.fatigue", "", "How tired it is.").column("fatigue"),
            |sparkle| sparkle.fatigue,
        )
        .register_site_quantity(
            Quantity::new("sparkle.light", "", "Light of all cells."),
            light,
        )
        .register_metric(
            Metric::new("glow_mean", "", "Mean glow of cells that glow."),
            Measure::Mean("sparkle.glow".into()),
        )
        .register_metric(
            Metric::new("light", "", "Light of all cells of the site."),
            Measure::OfSite("sparkle.light".into()),
        )
        .register_input::<SparkleParameters>(
            InputInfo::new(RISE, "1/h", "How fast a cell lights up."),
            "rise_per_hour",
        )
        .register_event(FLASH, "A cell flashed, and is dark again.")
        .begin_cells(|place| {
            place.parameters::<SparkleParameters>()?;
            let dark = Sparkle {
                glow: 0.0,
                fatigue: 0.0,
            };
            Some(
                Beginning::settled(dark).and_draw(FIRST_GLOW, |cell, random| {
                    let glow = random.uniform();
                    cell.insert(Sparkle { glow, fatigue: 0.0 });
                }),
            )
        })
        .divide_cells(|cell, _| {
            if let Some(mut sparkle) = cell.get_mut::<Sparkle>() {
                sparkle.glow *= 0.5;
                sparkle.fatigue = 0.0;
            }
        })
        .add_systems(SimSchedule, light_up.in_set(SimSystems::Signal));
}

/// The same with a fault: cells tire beyond all measure.
pub fn broken_sparkle(app: &mut App) {
    let overtire = |mut cells: Query<(&CellId, &mut Sparkle)>| {
        for (id, mut sparkle) in &mut cells {
            if id.0 >= 3 {
                sparkle.fatigue = 1.25;
            }
        }
    };
    sparkle(app);
    app.add_systems(
        SimSchedule,
        overtire.in_set(SimSystems::Signal).after(light_up),
    );
}
