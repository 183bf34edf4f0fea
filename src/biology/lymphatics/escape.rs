//! Cells that enter lymphatics (capability `lymph_entry`), and where they come to.
//!
//! One that touches the wall of an open lymphatic enters it at the rate of the input `lymph_entry.rate`: little by itself, as fluid sweeps it in, and more by
//! rules, such as one by CCL21 on cells with CCR7. Lymph takes it to a site that is a lymph node, where it arrives within the step under the
//! capsule; it is gone where the scene has none.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::Lymphatics;
use crate::cell::death::is_alive;
use crate::cell::event::{EventKind, Passage, RegisterEvent};
use crate::cell::turnover::{Arrival, Departure, Passages};
use crate::cell::{ActSystems, Body, CellType, Position, Resident, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::parallel::IN_TABLES;
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::random::probability;
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule, SimSystems};
use crate::tissue::network::Network;
use crate::tissue::{Organ, SiteId, Sites};

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

/// Who enters.
const ENTRY: Purpose = Purpose::of("lymphatics.entry");
/// Where one arrives.
const PLACE: Purpose = Purpose::of("lymphatics.place");

/// Cells that touch lymphatics enter them.
pub fn enter(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    of: Res<PerType<LymphEntryParameters>>,
    sites: Res<Sites>,
    inputs: Regulated,
    passages: Res<Passages>,
    organs: Query<&Organ>,
    lymphatics: Query<&Lymphatics>,
    cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        &Body,
        Option<&Vital>,
    )>,
    mut near: Local<Vec<u32>>,
) {
    if lymphatics.is_empty() || of.0.iter().all(Option::is_none) {
        return;
    }
    let node = sites.list.iter().position(|site| {
        organs
            .get(site.entity)
            .is_ok_and(|organ| *organ == Organ::LymphNode)
    });
    // Of each site that has some, with the radius of the widest.
    let of_sites: Vec<Option<(&Network, f32)>> = sites
        .list
        .iter()
        .map(|site| {
            let network = lymphatics.get(site.entity).ok()?.vessels();
            let radii = network.segments().iter().map(|of| of.radius_um);
            Some((network, radii.fold(0.0, f32::max)))
        })
        .collect();
    let rates = inputs.input(RATE);
    let hours = clock.dt_hours();
    for (entities, ids, types, residents, positions, bodies, vitals) in
        cells.contiguous_iter().expect(IN_TABLES)
    {
        let rates = rates.in_table(entities);
        for row in 0..ids.len() {
            let cell_type = types[row].0;
            let here = of_sites.get(usize::from(residents[row].0.0));
            let (Some(of), Some(Some(here))) = (of.get(cell_type), here) else {
                continue;
            };
            if !is_alive(vitals.map(|vitals| &vitals[row])) {
                continue;
            }
            let rate = rates.at(row, cell_type);
            if rate <= 0.0 {
                continue;
            }
            // Few would enter in a step, and whether one touches a lymphatic takes longer to find.
            let mut random = key.stream(ids[row], clock.step, ENTRY);
            let reach = bodies[row].radius_um + of.reach_um;
            if !random.chance(probability(rate, hours))
                || !touches(*here, positions[row].0, reach, &mut near)
            {
                continue;
            }
            match node {
                Some(node) if node != usize::from(residents[row].0.0) => {
                    passages.depart(Departure::of(ids[row], entities[row], ENTERS));
                    let block = &sites.list[node].block;
                    let mut random = key.stream(ids[row], clock.step, PLACE);
                    let inset = Vec3::splat(2.0 * bodies[row].radius_um);
                    let low = block.min_um + inset;
                    let size = (block.max_um() - inset - low).max(Vec3::ZERO);
                    // Afferent lymph comes in under the capsule: along the faces across x and y.
                    let [a, b, c, d] = [(); 4].map(|()| random.uniform());
                    let rim = 0.15 * c;
                    let across = if b < 0.5 { rim } else { 1.0 - rim };
                    let place = if a < 0.5 {
                        Vec3::new(2.0 * a, across, d)
                    } else {
                        Vec3::new(across, 2.0 * a - 1.0, d)
                    };
                    let at_um = low + size * place;
                    let to = SiteId(node as u16);
                    passages.arrive(Arrival::of(ids[row], to, at_um, ARRIVES));
                }
                Some(_) => {}
                None => passages.remove(ids[row], entities[row], LEAVES, None),
            }
        }
    }
}

/// Whether a cell that reaches so far from its middle touches an open lymphatic of a network, given the radius of the widest.
fn touches(
    (network, widest_um): (&Network, f32),
    at_um: Vec3,
    reach_um: f32,
    near: &mut Vec<u32>,
) -> bool {
    network.segments_near(at_um, reach_um + widest_um, near);
    near.iter().any(|at| {
        let segment = &network.segments()[*at as usize];
        let (_, away) = network.nearest_on(*at as usize, at_um);
        !segment.is_solid() && away <= segment.radius_um + reach_um
    })
}

/// Counts who has entered.
fn count_entered(
    events: Res<crate::cell::StepEvents>,
    mut lymphatics: Query<(&SiteId, &mut Lymphatics)>,
) {
    for (site, mut lymphatics) in &mut lymphatics {
        let entered = events.0.iter();
        let entered = entered
            .filter(|event| event.site == *site && (event.kind == ENTERS || event.kind == LEAVES));
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
        .register_purpose(PLACE)
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
                enter.in_set(ActSystems::Walk),
                count_entered.in_set(SimSystems::Observe),
            ),
        );
}
