//! The ways between tissues and lymph nodes: dendritic cells with the lymph, killers with the blood.
//!
//! A mature dendritic cell near a way into lymph leaves ([`set_out`]): to the lymph node if the scene has one, else for good. What such a way is, to which
//! site it leads and how long that takes is said by [`crate::cell::doors::lymph`]; there it is at a place at random, as if it had walked on. Killers that
//! left a node are in the blood for an exponential time, and then come in at a door of a site with the part `homing` ([`arrive`]), each site the more often the
//! more perfused wall it has for them to hold on to, times its input `homing.scale`; that a wall leaks draws none. The mean of the time is
//! `circulation_hours` where these sites have as much wall as native tissue, and the longer the less of it they have. Where there is no such
//! site they stay in the blood.
//!
//! Both run among the decisions of `Act`; who travels is known by how it left ([`Transit`]).

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::naive::{EffectorParameters, INTO_BLOOD};
use super::presenting::{Presentation, PresentationParameters};
use crate::cell::body::BodyParameters;
use crate::cell::doors::lymph::{LymphRoute, RegisterLymphRoute};
use crate::cell::doors::{Extravasation, LymphWays, Ways};
use crate::cell::event::{EventKind, Passage, RegisterEvent};
use crate::cell::turnover::{Arrival, Passages, Transit};
use crate::cell::{ActSystems, CellType, Living, Position, Resident, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, Inputs, RegisterInputs, Regulated};
use crate::core::parallel::{IN_TABLES, for_each_row};
use crate::core::parameters::{Limits, Parameters, PerType};
use crate::core::random::probability;
use crate::core::site_part::RegisterSitePart;
use crate::core::state::RegisterState;
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule};
use crate::tissue::{SiteId, Sites};

/// That killers come into a site out of the blood (part `homing`).
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct Homing {
    /// How easily, over other sites; 1.
    pub scale: f32,
}

impl Default for Homing {
    fn default() -> Self {
        Self { scale: 1.0 }
    }
}

impl Parameters for Homing {
    fn limits(_: &str) -> Limits {
        SCALE
    }
}

/// What the scale of a site may be.
const SCALE: Limits = Limits {
    min: 0.0,
    max: 1.0e3,
};

/// A mature dendritic cell left for a lymph node.
pub const TO_NODE: EventKind = EventKind::of("priming.to_node");
/// A mature dendritic cell left for good, as there is no lymph node.
pub const LEAVES: EventKind = EventKind::of("priming.leaves");
/// A dendritic cell arrived in a lymph node.
pub const IN_NODE: EventKind = EventKind::of("priming.in_node");
/// A killer came out of the blood.
pub const HOMES: EventKind = EventKind::of("priming.homes");

/// How dendritic cells travel.
const ROUTE: LymphRoute = LymphRoute {
    enters: TO_NODE,
    arrives: IN_NODE,
    leaves: LEAVES,
    depth: LymphRoute::ANYWHERE,
};

/// Whether a dendritic cell leaves.
const LEAVING: Purpose = Purpose::of("priming.leaving");
/// When and where killers arrive.
const ARRIVING: Purpose = Purpose::of("priming.arriving");

/// The input of sites.
const SITE_SCALE: &str = "homing.scale";

/// Mature dendritic cells near a way into lymph leave by it.
pub fn set_out(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    parameters: Res<PerType<PresentationParameters>>,
    (lymph, passages): (LymphWays, Res<Passages>),
    cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        Option<&Vital>,
        &Presentation,
    )>,
) {
    let (key, step, hours) = (*key, clock.step, clock.dt_hours());
    let parameters = &*parameters;
    for (entities, ids, types, residents, positions, vitals, states) in
        cells.contiguous_iter().expect(IN_TABLES)
    {
        let living = Living::of(types, vitals, parameters);
        for_each_row(ids.len(), |row| {
            let Some((cell_type, of)) = living.at(row).filter(|_| states[row].is_mature) else {
                return;
            };
            let mut random = key.stream(ids[row], step, LEAVING);
            if !random.chance(probability(of.leaving_per_hour, hours)) {
                return;
            }
            let ways = lymph.of(residents[row].0);
            if ways.is_some_and(|ways| ways.is_near(positions[row].0, of.door_um)) {
                lymph.take(&passages, &ROUTE, (ids[row], entities[row], cell_type));
            }
        });
    }
}

/// Killers come out of the blood.
pub fn arrive(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    (effectors, bodies): (
        Res<PerType<EffectorParameters>>,
        Res<PerType<BodyParameters>>,
    ),
    (known, inputs): (Res<Inputs>, Regulated),
    (ways, passages, transit, sites): (Ways, Res<Passages>, Res<Transit>, Res<Sites>),
    homes: Query<(), With<Homing>>,
    cells: Query<(&CellType, Option<&Vital>)>,
    mut weights: Local<Vec<(f32, usize)>>,
) {
    if transit.is_empty() {
        return;
    }
    let hours = clock.dt_hours();
    weights.clear();
    let mut native = 0.0;
    for (number, site) in sites.list.iter().enumerate() {
        if homes.contains(site.entity)
            && let Some(ways) = ways.of(SiteId(number as u16))
        {
            let scale = inputs.of_site(&known, SITE_SCALE, site.entity);
            let scale = scale.unwrap_or(0.0);
            native += ways.native_um2() * scale;
            let weight = ways.open_um2(Extravasation::Adhesion) * scale;
            if weight > 0.0 {
                weights.push((weight, number));
            }
        }
    }
    let sum: f32 = weights.iter().map(|(weight, _)| weight).sum();
    for traveller in transit.iter() {
        if traveller.kind != INTO_BLOOD {
            continue;
        }
        let Ok((cell_type, vital)) = cells.get(traveller.entity) else {
            continue;
        };
        if vital.is_some_and(|vital| !vital.is_alive()) {
            continue;
        }
        let radius_um = bodies
            .get(cell_type.0)
            .map_or(0.0, BodyParameters::resting_radius_um);
        let mut random = key.stream(traveller.cell, clock.step, ARRIVING);
        let Some(of) = effectors.get(cell_type.0) else {
            continue;
        };
        if weights.is_empty() {
            continue;
        }
        // By the wall that there is, over that of native tissue.
        let per_hour = sum / native / of.circulation_hours;
        if !random.chance(probability(per_hour, hours)) {
            continue;
        }
        let mut place = random.uniform() * sum;
        let chosen = weights.iter().find(|(weight, _)| {
            place -= weight;
            place < 0.0
        });
        let Some((_, number)) = chosen.or(weights.last()) else {
            continue;
        };
        let to = SiteId(*number as u16);
        let dice = [(); 3].map(|()| random.uniform());
        let door = ways
            .of(to)
            .and_then(|ways| ways.pick(Extravasation::Adhesion, dice));
        let Some(door) = door else {
            continue;
        };
        let block = &sites.list[*number].block;
        let at_um = door.beside_um(block, radius_um);
        passages.arrive(Arrival::of(traveller.cell, to, at_um, HOMES));
    }
}

/// Registers parts of sites and systems.
pub(super) fn register(app: &mut App) {
    app.register_site_part::<Homing>("homing", |world, site, homing| {
        world.entity_mut(site).insert(homing.clone());
    })
    .declare_remade::<Homing>("made from the scene")
    .give_site_part_rules("homing", include_str!("../../../assets/entry/homing.ron"))
    .register_site_input(
        InputInfo::new(
            SITE_SCALE,
            "",
            "How easily killers come into the site out of the blood, over other sites.",
        )
        .limits(SCALE),
        |world, site| Some(world.get::<Homing>(site)?.scale),
    )
    .register_lymph_route(ROUTE)
    .register_purpose(LEAVING)
    .register_purpose(ARRIVING)
    .register_passage(
        TO_NODE,
        Passage::Departure,
        "A mature dendritic cell left for a lymph node.",
    )
    .register_passage(
        LEAVES,
        Passage::Removal,
        "A mature dendritic cell left with the lymph for good.",
    )
    .register_passage(
        IN_NODE,
        Passage::Arrival,
        "A dendritic cell arrived in a lymph node.",
    )
    .register_passage(
        HOMES,
        Passage::Arrival,
        "A killer came out of the blood into a tissue.",
    )
    .while_in_transit(set_out, InTransit::Pauses, "it has set out")
    .while_in_transit(arrive, InTransit::Runs, "it is about those on the way")
    .add_systems(
        SimSchedule,
        (set_out.run_if(any_with_component::<Presentation>), arrive).in_set(ActSystems::Walk),
    );
}
