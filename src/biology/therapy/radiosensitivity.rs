//! Cells that radiation kills (capability `radiosensitivity`): the linear-quadratic law with the effect of oxygen.
//!
//! Of cells that get a dose `d` at the oxygen pressure `p` a share
//!
//! `S = exp(-alpha d m - beta (d m)^2)`, `m = (M p + K) / (M (p + K))`
//!
//! survives: `m` is 1 in plenty of oxygen and `1/M` without any, with half of the way at `p = K` (Alper and Howard-Flanders 1956, Nature 178:978;
//! linear-quadratic: Fowler 1989, Br J Radiol 62:679). Each cell is struck by itself. A cell that is struck dies, by apoptosis, when it comes to the
//! end of G2, or, if it does not cycle on, after `delay_hours` on average.
//!
//! [`strike`] acts at the start of a step, in `Timeline`; [`die_of_radiation`] runs among the decisions of `Act`.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::TherapyDeaths;
use crate::cell::cycle::Phase;
use crate::cell::death::is_alive;
use crate::cell::event::{EventBook, EventKind, RegisterEvent};
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::{ActSystems, CellType, Cycle, Position, Resident, Vital, order_act};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::random::probability;
use crate::core::state::RegisterState;
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule};
use crate::tissue::placed::Region;
use crate::tissue::{FieldReader, SiteId};

/// How radiation kills cells of a type (capability `radiosensitivity`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct RadiosensitivityParameters {
    /// Linear part of the logarithm of survival, 1/Gy; 0.3. Assumed, with `alpha / beta` of 10 Gy as of most tumours.
    pub alpha_per_gy: f32,
    /// Quadratic part, 1/Gy2; 0.03. Assumed.
    pub beta_per_gy2: f32,
    /// By how much a dose must be larger without oxygen for the same effect, `M`; 3 (Alper and Howard-Flanders 1956).
    pub oxygen_enhancement: f32,
    /// Oxygen at which half of that is reached, `K`, mmHg; 3 (the same).
    pub half_mmhg: f32,
    /// Mean time to death of a struck cell that does not come to mitosis, h; 48. Assumed.
    pub delay_hours: f32,
}

impl Default for RadiosensitivityParameters {
    fn default() -> Self {
        Self {
            alpha_per_gy: 0.3,
            beta_per_gy2: 0.03,
            oxygen_enhancement: 3.0,
            half_mmhg: 3.0,
            delay_hours: 48.0,
        }
    }
}

impl Parameters for RadiosensitivityParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "oxygen_enhancement" => Limits {
                min: 1.0,
                max: 10.0,
            },
            "half_mmhg" | "delay_hours" => Limits {
                min: 1.0e-3,
                max: 1.0e4,
            },
            _ => Limits {
                min: 0.0,
                max: 100.0,
            },
        }
    }
}

impl RadiosensitivityParameters {
    /// Share of cells that survives a dose, Gy, at an oxygen pressure.
    pub fn survival(&self, gray: f32, oxygen_mmhg: f32) -> f32 {
        let (most, half) = (self.oxygen_enhancement, self.half_mmhg);
        let modified = gray * (most * oxygen_mmhg + half) / (most * (oxygen_mmhg + half));
        let log = self.alpha_per_gy * modified + self.beta_per_gy2 * modified * modified;
        bevy::math::ops::exp(-log)
    }
}

/// What radiation did to a cell.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Irradiated {
    /// What it got in all, Gy.
    pub gray: f32,
    /// Whether it will die of it.
    pub is_struck: bool,
}

/// A cell died of radiation: it entered apoptosis.
pub const DIES_OF_RADIATION: EventKind = EventKind::of("therapy.dies_of_radiation");

/// Whether radiation strikes a cell.
const STRIKE: Purpose = Purpose::of("therapy.radiation_strikes");
/// When a struck cell that rests dies.
const DEATH: Purpose = Purpose::of("therapy.dies_of_radiation");

/// Irradiates the cells of a site, of a region of it if one is given.
pub fn strike(world: &mut World, site: SiteId, region: Option<&Region>, gray: f32) {
    let (Some(clock), Some(key)) = (
        world.get_resource::<Clock>().copied(),
        world.get_resource::<RandomKey>().copied(),
    ) else {
        return;
    };
    let mut query = world.query::<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        &Vital,
        &Irradiated,
    )>();
    let mut struck: Vec<(Entity, Irradiated)> = Vec::new();
    {
        let world = &*world;
        let Some(parameters) = world.get_resource::<PerType<RadiosensitivityParameters>>() else {
            return;
        };
        let oxygen = FieldReader::in_world(world, "oxygen");
        for (entity, id, of, resident, position, vital, known) in query.iter(world) {
            let is_there = resident.0 == site && region.is_none_or(|of| of.holds(position.0));
            let Some(parameters) = parameters.get(of.0).filter(|_| is_there) else {
                continue;
            };
            if !is_alive(Some(vital)) {
                continue;
            }
            let mmhg = oxygen
                .as_ref()
                .map_or(0.0, |oxygen| oxygen.at_point(site, position.0));
            let mut random = key.stream(*id, clock.step, STRIKE);
            let dies = random.chance(1.0 - parameters.survival(gray, mmhg));
            let now = Irradiated {
                gray: known.gray + gray,
                is_struck: known.is_struck || dies,
            };
            struck.push((entity, now));
        }
    }
    for (entity, now) in struck {
        if let Some(mut of) = world.get_mut::<Irradiated>(entity) {
            *of = now;
        }
    }
}

/// Struck cells die.
pub fn die_of_radiation(
    clock: Res<Clock>,
    key: Res<RandomKey>,
    parameters: Res<PerType<RadiosensitivityParameters>>,
    events: Res<EventBook>,
    mut cells: Query<(
        &CellId,
        &CellType,
        &Resident,
        &Position,
        Option<&Cycle>,
        &mut Vital,
        &Irradiated,
    )>,
) {
    let (key, step, hours) = (*key, clock.step, clock.dt_hours());
    let parameters = &*parameters;
    for (ids, types, residents, positions, cycles, mut vitals, irradiated) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        for_each_row_mut(vitals.bypass_change_detection(), |row, vital| {
            if !irradiated[row].is_struck || !is_alive(Some(vital)) {
                return;
            }
            let Some(parameters) = parameters.get(types[row].0) else {
                return;
            };
            let is_dividing = cycles.is_some_and(|cycles| cycles[row].phase == Phase::M);
            let dies = is_dividing || {
                let mut random = key.stream(ids[row], step, DEATH);
                random.chance(probability(1.0 / parameters.delay_hours, hours))
            };
            if dies {
                vital.start_apoptosis();
                events.book(
                    DIES_OF_RADIATION,
                    ids[row],
                    residents[row].0,
                    positions[row].0,
                );
            }
        });
    }
}

/// Registers the capability.
pub(super) fn register(app: &mut App) {
    order_act(app);
    app.register_capability::<RadiosensitivityParameters>("radiosensitivity")
        .register_cell_state::<Irradiated>("irradiated")
        .register_purpose(STRIKE)
        .register_purpose(DEATH)
        .register_event(
            DIES_OF_RADIATION,
            "A cell entered apoptosis that radiation had struck.",
        )
        .register_quantity::<Irradiated>(
            Quantity::new(
                "radiosensitivity.dose",
                "Gy",
                "Radiation that the cell got in all.",
            )
            .label("radiation")
            .range(0.0, 10.0),
            |of| of.gray,
        )
        .register_quantity::<Irradiated>(
            Quantity::new(
                "radiosensitivity.struck",
                "",
                "1 where radiation has struck the cell so that it will die.",
            )
            .label("struck by radiation")
            .of_the_living(),
            |of| f32::from(u8::from(of.is_struck)),
        )
        .begin_cells(|place| {
            place.parameters::<RadiosensitivityParameters>()?;
            Some(Beginning::settled(Irradiated::default()))
        })
        .while_in_transit(
            die_of_radiation,
            InTransit::Runs,
            "a struck cell dies wherever it is",
        )
        .configure_sets(
            SimSchedule,
            TherapyDeaths
                .in_set(ActSystems::Decide)
                .after(ActSystems::Die)
                .before(ActSystems::Kill),
        )
        .add_systems(SimSchedule, die_of_radiation.in_set(TherapyDeaths));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survival_is_linear_quadratic_and_oxygen_enhances_the_dose_threefold() {
        let of = RadiosensitivityParameters::default();
        let plenty = of.survival(2.0, 1.0e6);
        assert!((plenty - bevy::math::ops::exp(-0.3_f32 * 2.0 - 0.03 * 4.0)).abs() < 1e-5);
        // Three times the dose does the same without oxygen.
        assert!((of.survival(6.0, 0.0) - plenty).abs() < 1e-5);
        // Half of the way between 1 and 3 in the effect at 3 mmHg: 2 of 3.
        assert!((of.survival(3.0, 3.0) - plenty).abs() < 1e-5);
    }
}
