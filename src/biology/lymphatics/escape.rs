//! Cells that enter lymphatics (capability `lymph_entry`), and where they come to.
//!
//! One that touches the wall of an open lymphatic enters it at the rate of the input `lymph_entry.rate`: little by itself, as fluid sweeps it in, and more by
//! rules, such as one by CCL21 on cells with CCR7. Lymph takes it to the lymph node ([`crate::cell::doors::lymph`]), where it comes out under the capsule, unless
//! the circulation of a body carries it; it is gone where the scene has no node.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::Lymphatics;
use crate::cell::doors::LymphWays;
use crate::cell::doors::lymph::{
    LymphRoute, LymphRoutes, OpenLymphatic, RegisterLymphRoute, SiteLymph,
};
use crate::cell::event::{EventKind, Passage, RegisterEvent};
use crate::cell::turnover::Passages;
use crate::cell::{ActSystems, Body, CellType, Living, Position, Resident, StepEvents, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::parallel::IN_TABLES;
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::random::probability;
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule, SimSystems};
use crate::tissue::SiteId;

/// How cells of a type enter lymphatics (capability `lymph_entry`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct LymphEntryParameters {
    /// How often one that touches a lymphatic enters it, 1/h; 0.01: swept in with the fluid. Assumed.
    pub per_hour: f32,
    /// How far from the wall it touches it, um; 4: as far as processes reach. Assumed.
    pub reach_um: f32,
}

impl Default for LymphEntryParameters {
    fn default() -> Self {
        Self {
            per_hour: 0.01,
            reach_um: 4.0,
        }
    }
}

impl Parameters for LymphEntryParameters {
    fn limits(_: &str) -> Limits {
        Limits {
            min: 0.0,
            max: 1.0e3,
        }
    }
}

/// Input: how often a cell that touches a lymphatic enters it, 1/h.
pub const RATE: &str = "lymph_entry.rate";

/// A cell entered a lymphatic, and went with it to a lymph node.
pub const ENTERS: EventKind = EventKind::of("lymphatics.enters");
/// A cell came to a lymph node with the lymph.
pub const ARRIVES: EventKind = EventKind::of("lymphatics.arrives");
/// A cell entered a lymphatic and left the tissues of the scene with it.
pub const LEAVES: EventKind = EventKind::of("lymphatics.leaves");

/// How they travel.
const ROUTE: LymphRoute = LymphRoute {
    enters: ENTERS,
    arrives: ARRIVES,
    leaves: LEAVES,
    depth: LymphRoute::SINUS,
};

/// Who enters.
const ENTRY: Purpose = Purpose::of("lymphatics.entry");

/// Cells that touch lymphatics enter them.
pub fn enter(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    of: Res<PerType<LymphEntryParameters>>,
    inputs: Regulated,
    (lymph, passages): (LymphWays, Res<Passages>),
    cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        &Body,
        Option<&Vital>,
    )>,
) {
    if of.0.iter().all(Option::is_none) {
        return;
    }
    let rates = inputs.input(RATE);
    let hours = clock.dt_hours();
    for (entities, ids, types, residents, positions, bodies, vitals) in
        cells.contiguous_iter().expect(IN_TABLES)
    {
        let rates = rates.in_table(entities);
        let living = Living::of(types, vitals, &of);
        for row in 0..ids.len() {
            let Some((cell_type, of)) = living.at(row) else {
                continue;
            };
            let rate = rates.at(row, cell_type);
            if rate <= 0.0 {
                continue;
            }
            // Few would enter in a step, and whether one touches a lymphatic takes longer to find.
            let mut random = key.stream(ids[row], clock.step, ENTRY);
            if !random.chance(probability(rate, hours)) {
                continue;
            }
            let ways = lymph.of(residents[row].0);
            let reach_um = bodies[row].radius_um + of.reach_um;
            if ways.is_some_and(|ways| ways.is_near(positions[row].0, reach_um)) {
                lymph.take(&passages, &ROUTE, (ids[row], entities[row], cell_type));
            }
        }
    }
}

/// Shows those who want to enter where lymphatics are open.
pub fn show_open(mut sites: Query<(Ref<Lymphatics>, &mut SiteLymph)>) {
    for (lymphatics, mut shown) in &mut sites {
        if !lymphatics.is_changed() {
            continue;
        }
        let network = lymphatics.vessels();
        let open = network.segments().iter().enumerate();
        shown.0.clear();
        shown.0.extend(
            open.filter(|(_, of)| !of.is_solid())
                .map(|(at, of)| OpenLymphatic {
                    ends_um: network.places_um(at),
                    radius_um: of.radius_um,
                }),
        );
    }
}

/// Counts who has entered.
fn count_entered(
    events: Res<StepEvents>,
    routes: Res<LymphRoutes>,
    mut lymphatics: Query<(&SiteId, &mut Lymphatics)>,
) {
    for (site, mut lymphatics) in &mut lymphatics {
        let entered = events.0.iter();
        let entered = entered.filter(|event| event.site == *site && routes.is_entry(event.kind));
        let count = entered.count() as u64;
        if count > 0 {
            lymphatics.entered += count;
        }
    }
}

/// Registers the capability.
pub(super) fn register(app: &mut App) {
    app.register_capability::<LymphEntryParameters>("lymph_entry")
        .register_input::<LymphEntryParameters>(
            InputInfo::new(
                RATE,
                "1/h",
                "How often a cell that touches a lymphatic enters it.",
            ),
            "per_hour",
        )
        .register_purpose(ENTRY)
        .register_lymph_route(ROUTE)
        .register_passage(
            ENTERS,
            Passage::Departure,
            "A cell entered a lymphatic, and goes with it to a lymph node.",
        )
        .register_passage(
            ARRIVES,
            Passage::Arrival,
            "A cell came to a lymph node with the lymph.",
        )
        .register_passage(
            LEAVES,
            Passage::Removal,
            "A cell entered a lymphatic, and left the tissues of the scene with it.",
        )
        .while_in_transit(
            enter,
            InTransit::Pauses,
            "who is on the way has left the tissue",
        )
        .add_systems(
            SimSchedule,
            (
                show_open.in_set(SimSystems::Perceive),
                enter.in_set(ActSystems::Walk),
                count_entered.in_set(SimSystems::Observe),
            ),
        );
}
