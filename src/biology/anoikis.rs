//! Anoikis: epithelial cells that hold on to nothing die.
//!
//! What a cell is attached by adds up in the input `anoikis.attachment`: rules of its type say what counts, contacts with cells,
//! matrix, a basement membrane. Below `needed` it is unattached, and after `onset_hours` without a break it enters apoptosis at the
//! rate
//!
//! `r (1 - attachment / needed)`, with the input `anoikis.rate`, `r`,
//!
//! which a rule may take from cells that have turned mesenchymal (Frisch & Francis 1994, J Cell Biol 124:619; Frisch et al. 2013,
//! J Cell Sci 126:21).
//!
//! [`die_unattached`] runs among the decisions of `Act`, after the other deaths of a cell's own, so that a cell dies of one cause.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::death::{advance_death, is_alive};
use crate::cell::event::{EventBook, EventKind, RegisterEvent};
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::{ActSystems, CellType, Position, Resident, Vital, order_act};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parallel::{IN_TABLES, for_each_row_mut2};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::random::probability;
use crate::core::state::RegisterState;
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule, SimSystems};

/// How cells of a type need to be attached (capability `anoikis`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct AnoikisParameters {
    /// Attachment without any rule: that to a coated dish, say.
    pub attachment: f32,
    /// Attachment that a cell needs; 1: one contact, where a rule counts each as 1.
    pub needed: f32,
    /// How long it does without, h; 12. Assumed: epithelial cells in suspension begin to die within half a day.
    pub onset_hours: f32,
    /// Rate at which a cell without any attachment enters apoptosis after that, 1/h; 0.05. Assumed: most have died after two days.
    pub rate_per_hour: f32,
}

impl Default for AnoikisParameters {
    fn default() -> Self {
        Self {
            attachment: 0.0,
            needed: 1.0,
            onset_hours: 12.0,
            rate_per_hour: 0.05,
        }
    }
}

impl Parameters for AnoikisParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "needed" => Limits {
                min: 1.0e-6,
                max: 1.0e6,
            },
            "rate_per_hour" => Limits {
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

/// How long a cell has been without attachment.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Unattached {
    /// Hours without a break.
    pub hours: f32,
}

/// A cell died for want of attachment: it entered apoptosis.
pub const DIES_UNATTACHED: EventKind = EventKind::of("anoikis");

/// The inputs.
const ATTACHMENT: &str = "anoikis.attachment";
const RATE: &str = "anoikis.rate";

/// Whether an unattached cell enters apoptosis.
const DEATH: Purpose = Purpose::of("anoikis.death");

/// What adding up hours in single precision may be off by, 4 s.
const ROUNDING_HOURS: f32 = 1.0e-3;

/// Longest time that is counted, h: nothing depends on more.
const COUNTED_HOURS: f32 = 1.0e4;

/// Living cells count how long they have been without attachment, and die of it.
pub fn die_unattached(
    clock: Res<Clock>,
    key: Res<RandomKey>,
    parameters: Res<PerType<AnoikisParameters>>,
    inputs: Regulated,
    events: Res<EventBook>,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        &mut Vital,
        &mut Unattached,
    )>,
) {
    let (key, step, hours) = (*key, clock.step, clock.dt_hours());
    let parameters = &*parameters;
    let [attachment, rate] = [ATTACHMENT, RATE].map(|name| inputs.input(name));
    for (entities, ids, types, residents, positions, mut vitals, mut unattached) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let (attachment, rate) = (attachment.in_table(entities), rate.in_table(entities));
        let (vitals, unattached) = (
            vitals.bypass_change_detection(),
            unattached.bypass_change_detection(),
        );
        for_each_row_mut2(vitals, unattached, |row, vital, unattached| {
            let cell_type = types[row].0;
            // Who is carried by blood holds on to nothing either, but no rule says so there: it waits.
            if !is_alive(Some(vital)) || residents[row].0.is_transit() {
                return;
            }
            let Some(parameters) = parameters.get(cell_type) else {
                return;
            };
            let lack = 1.0 - attachment.at(row, cell_type) / parameters.needed;
            if lack <= 0.0 {
                unattached.hours = 0.0;
                return;
            }
            unattached.hours = (unattached.hours + hours).min(COUNTED_HOURS);
            if unattached.hours <= parameters.onset_hours + ROUNDING_HOURS {
                return;
            }
            let per_hour = rate.at(row, cell_type) * lack;
            let mut random = key.stream(ids[row], step, DEATH);
            if per_hour > 0.0 && random.chance(probability(per_hour, hours)) {
                vital.start_apoptosis();
                events.book(
                    DIES_UNATTACHED,
                    ids[row],
                    residents[row].0,
                    positions[row].0,
                );
            }
        });
    }
}

/// Anoikis.
pub struct AnoikisPlugin;

impl Plugin for AnoikisPlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        app.register_purpose(DEATH)
            .register_capability::<AnoikisParameters>("anoikis")
            .register_cell_state::<Unattached>("unattached")
            .register_event(
                DIES_UNATTACHED,
                "A cell that held on to nothing entered apoptosis.",
            )
            .register_input::<AnoikisParameters>(
                InputInfo::new(
                    ATTACHMENT,
                    "",
                    "What a cell is attached by, so that 1 is enough by default.",
                ),
                "attachment",
            )
            .register_input::<AnoikisParameters>(
                InputInfo::new(
                    RATE,
                    "1/h",
                    "Rate at which cells without attachment enter apoptosis.",
                ),
                "rate_per_hour",
            )
            .register_quantity::<Unattached>(
                Quantity::new(
                    "anoikis.unattached",
                    "h",
                    "How long the cell has been attached to nothing.",
                )
                .label("unattached for")
                .range(0.0, 48.0)
                .of_the_living(),
                |unattached| unattached.hours,
            )
            .register_metric(
                Metric::new(
                    "unattached_share",
                    "",
                    "Share of the living cells that need attachment and have none.",
                )
                .label("unattached"),
                Measure::ShareAbove("anoikis.unattached".into(), Box::new(|_| 0.0)),
            )
            .begin_cells(|place| {
                place.parameters::<AnoikisParameters>()?;
                Some(Beginning::settled(Unattached::default()))
            })
            .register_cell_invariant::<Unattached>(
                SimSystems::Act,
                "die_unattached",
                |unattached| {
                    outside(
                        "its time without attachment, h,",
                        unattached.hours,
                        0.0,
                        COUNTED_HOURS,
                    )
                },
            )
            .while_in_transit(
                die_unattached,
                InTransit::Pauses,
                "what a circulating cell dies of is said by those that carry it",
            )
            .add_systems(
                SimSchedule,
                die_unattached.in_set(ActSystems::Die).after(advance_death),
            );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::testing::{bench, cell, set, step};
    use crate::cell::{State, Surroundings};
    use bevy::math::ops;

    /// How many of 4000 cells with that attachment and rate live after so many hours.
    fn living(attachment: f32, rate_per_hour: f32, step_minutes: f64, hours: f64) -> usize {
        let mut app = bench(step_minutes);
        app.add_plugins(AnoikisPlugin);
        set(
            &mut app,
            AnoikisParameters {
                attachment,
                rate_per_hour,
                ..AnoikisParameters::default()
            },
        );
        for id in 0..4000 {
            app.world_mut().spawn((
                cell(id, Surroundings::default()),
                Position::default(),
                Vital::default(),
                Unattached::default(),
            ));
        }
        for _ in 0..(hours * 60.0 / step_minutes).round() as usize {
            step(&mut app);
        }
        let mut vitals = app.world_mut().query::<&Vital>();
        let alive = vitals.iter(app.world());
        alive.filter(|vital| vital.state == State::Alive).count()
    }

    #[test]
    fn cells_without_attachment_die_at_their_rate_after_the_onset() {
        for minutes in [2.0, 20.0] {
            assert_eq!(living(0.0, 0.05, minutes, 12.0), 4000);
            for (attachment, share) in [
                (0.0, ops::exp(-0.05 * 24.0)),
                (0.5, ops::exp(-0.025 * 24.0)),
            ] {
                let left = living(attachment, 0.05, minutes, 36.0) as f32;
                let expected = 4000.0 * share;
                let error = (expected * (1.0 - share)).sqrt();
                assert!(
                    (left - expected).abs() < 4.0 * error,
                    "{left} of {expected}"
                );
            }
        }
    }

    #[test]
    fn attached_cells_and_those_that_resist_live() {
        assert_eq!(living(1.0, 0.05, 20.0, 48.0), 4000);
        assert_eq!(living(0.0, 0.0, 20.0, 48.0), 4000);
    }
}
