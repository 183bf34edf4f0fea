//! T cells that have not met their antigen (capability `naive`), and what they become (capability `effector`).
//!
//! A naive T cell that touches a cell which shows antigen is primed at the rate `naive.priming` times the antigen shown, the most of those
//! that it touches. Its clone then grows for `expansion_hours`, while the cell itself holds still in the picture: a lymph node of the size
//! of a scene has no room for thousands of daughters, and what happens to them there is not told. When the time is over the cell is
//! replaced by `burst` cells of the type that has the capability `effector`, which go into the blood.
//!
//! [`meet_antigen`] runs among the decisions of `Act`; who is primed is told with who did it.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::presenting::Presentation;
use crate::cell::death::is_alive;
use crate::cell::event::{EventBook, EventKind, Passage, RegisterEvent};
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::neighbourhood::{Asking, Neighbourhood, UseNeighbourhood};
use crate::cell::turnover::{Passages, Recruit};
use crate::cell::{ActSystems, Body, CellType, Living, Position, Resident, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{CellTypeNames, Limits, Parameters, PerType, RegisterParameters};
use crate::core::random::probability;
use crate::core::state::RegisterState;
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule, SimSystems};
use crate::tissue::SiteId;

/// How naive T cells of a type are primed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct NaiveParameters {
    /// Rate at which one is primed that touches a cell of full antigen, 1/h; 0.3. Assumed: it takes hours of contact.
    pub priming_per_hour: f32,
    /// Time from then until its daughters go into the blood, h; 72: T cells leave nodes some three days after they met antigen [M].
    pub expansion_hours: f32,
    /// How many daughters go into the blood; 8. Assumed: far fewer than the thousands of a clone, as tissues of scenes are small.
    pub burst: f32,
}

impl Default for NaiveParameters {
    fn default() -> Self {
        Self {
            priming_per_hour: 0.3,
            expansion_hours: 72.0,
            burst: 8.0,
        }
    }
}

impl Parameters for NaiveParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "burst" => Limits {
                min: 0.0,
                max: 1.0e4,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e5,
            },
        }
    }
}

/// That cells of a type are what primed T cells become (capability `effector`), the first such type if there are several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct EffectorParameters {
    /// Mean time in the blood until it comes into a tissue that lets it in, h; 6. Assumed.
    pub circulation_hours: f32,
}

impl Default for EffectorParameters {
    fn default() -> Self {
        Self {
            circulation_hours: 6.0,
        }
    }
}

impl Parameters for EffectorParameters {
    fn limits(_: &str) -> Limits {
        Limits {
            min: 0.01,
            max: 1.0e4,
        }
    }
}

/// A naive T cell.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Naive {
    /// Whether it is primed.
    pub is_primed: bool,
    /// For how long its clone has grown since, h.
    pub grown_hours: f32,
}

/// The input that is the rate.
const PRIMING: &str = "naive.priming";

/// Whether a naive T cell is primed.
const MEETING: Purpose = Purpose::of("priming.meeting");

/// A naive T cell was primed; the row names it, and the cell that showed the antigen as the other.
pub const PRIMED: EventKind = EventKind::of("priming.primed");
/// The clone of a primed T cell is grown: the cell is gone, its daughters are in the blood.
pub const BURSTS: EventKind = EventKind::of("priming.bursts");
/// A killer went from a lymph node into the blood; the row names the primed T cell that it descends from as the other.
pub const INTO_BLOOD: EventKind = EventKind::of("priming.into_blood");

/// Naive T cells meet antigen, and the clones of those that have met it grow.
pub fn meet_antigen(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    (parameters, effectors): (
        Res<PerType<NaiveParameters>>,
        Res<PerType<EffectorParameters>>,
    ),
    types: Res<CellTypeNames>,
    (inputs, near): (Regulated, Neighbourhood),
    (events, passages): (Res<EventBook>, Res<Passages>),
    shown: Query<(Option<&Vital>, &Presentation)>,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        &Body,
        Option<&Vital>,
        &mut Naive,
    )>,
) {
    let (key, step, hours) = (*key, clock.step, clock.dt_hours());
    let parameters = &*parameters;
    let priming = inputs.input(PRIMING);
    let becomes = (0..types.0.len() as u16).find(|row| effectors.get(*row).is_some());
    for (entities, ids, types, residents, positions, bodies, vitals, mut states) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let priming = priming.in_table(entities);
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(states.bypass_change_detection(), |row, state| {
            let Some((cell_type, of)) = living.at(row) else {
                return;
            };
            let (id, site) = (ids[row], residents[row].0);
            if site.is_transit() {
                return;
            }
            if state.is_primed {
                state.grown_hours += hours;
                if state.grown_hours >= of.expansion_hours
                    && let Some(becomes) = becomes
                {
                    passages.remove(id, entities[row], BURSTS, None);
                    let daughter =
                        || Recruit::new(becomes, SiteId::TRANSIT, Vec3::ZERO, INTO_BLOOD).by(id);
                    passages.recruit_all((0..of.burst as u32).map(|_| daughter()));
                }
                return;
            }
            let asking = Asking {
                id,
                site,
                at_um: positions[row].0,
            };
            // Who shows most of it, the first of them.
            let most = near.touching(asking, bodies[row].radius_um, &[], |touching| {
                let mut most: Option<(f32, CellId)> = None;
                for other in touching {
                    let Ok((vital, presentation)) = shown.get(other.entity) else {
                        continue;
                    };
                    let more = most.is_none_or(|(antigen, _)| presentation.antigen > antigen);
                    if is_alive(vital) && presentation.antigen > 0.0 && more {
                        most = Some((presentation.antigen, other.id));
                    }
                }
                most
            });
            let Some((antigen, by)) = most else {
                return;
            };
            let rate = priming.at(row, cell_type) * antigen;
            let mut random = key.stream(id, step, MEETING);
            if random.chance(probability(rate, hours)) {
                state.is_primed = true;
                events.book_with(PRIMED, id, by, site, positions[row].0);
            }
        });
    }
}

/// Registers both capabilities.
pub(super) fn register(app: &mut App) {
    app.register_capability::<NaiveParameters>("naive")
        .register_capability::<EffectorParameters>("effector")
        .register_cell_state::<Naive>("naive")
        .register_purpose(MEETING)
        .register_input::<NaiveParameters>(
            InputInfo::new(
                PRIMING,
                "1/h",
                "Rate at which a naive T cell is primed that touches a cell of full antigen.",
            ),
            "priming_per_hour",
        )
        .register_event(
            PRIMED,
            "A naive T cell was primed by a cell that shows antigen.",
        )
        .register_passage(
            BURSTS,
            Passage::Removal,
            "The clone of a primed T cell is grown: its daughters went into the blood.",
        )
        .register_passage(
            INTO_BLOOD,
            Passage::Recruitment,
            "A killer went from a lymph node into the blood.",
        )
        .use_neighbourhood_of::<Naive>()
        .begin_cells(|place| {
            place.parameters::<NaiveParameters>()?;
            Some(Beginning::settled(Naive::default()))
        })
        .register_cell_invariant::<Naive>(SimSystems::Act, "meet_antigen", |state| {
            outside("the age of its clone, h,", state.grown_hours, 0.0, 1.0e7)
        })
        .while_in_transit(
            meet_antigen,
            InTransit::Pauses,
            "who is in no site touches nobody",
        )
        .add_systems(
            SimSchedule,
            meet_antigen
                .run_if(any_with_component::<Naive>)
                .in_set(ActSystems::Cycle),
        );
}
