//! Killers that come with the blood and leave with the lymph (capability `immigrant`).
//!
//! Into a site that has `immigration`, cells of each type with the capability come at the rate `per_mm3_per_day`, times the volume of the
//! site and the input `immigration.scale` of the site, each at a moment of its own and at a door of the site ([`crate::cell::doors`]): in the wall of a
//! perfused vessel where vessels are drawn, in a face of the site where none are. The rate is that of native tissue: where vessels are drawn it is
//! multiplied by how much perfused wall there is to hold on to over that of native tissue ([`SiteWays::vascularity`](crate::cell::doors::SiteWays::vascularity)),
//! as adhesion sites times the share of vessels in the tissue are (Zhu et al. 1996, PMID 8706023), so that a pruned network lets in
//! fewer. One that holds no target and lies near a way into lymph ([`crate::cell::doors::lymph`]) leaves for good at the rate
//! `leaving_per_hour`. Where vessels are drawn the share `patrol_share` of those with the capability `in_vessels` stays in them and patrols
//! along their walls ([`crate::cell::doors::riding`]), until blood carries it off where the vessel ends.
//!
//! [`come_and_go`] runs among the decisions of `Act`; cells come and go in `Turnover`.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Doing, Killer};
use crate::cell::body::BodyParameters;
use crate::cell::death::is_alive;
use crate::cell::doors::{Extravasation, InVessel, InVesselParameters, LymphWays, Ways};
use crate::cell::event::{EventKind, Passage, RegisterEvent};
use crate::cell::turnover::{Passages, Recruit};
use crate::cell::{ActSystems, CellType, Position, Resident, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, Inputs, RegisterInputs, Regulated};
use crate::core::parallel::{IN_TABLES, for_each_row};
use crate::core::parameters::{CellTypeNames, Limits, Parameters, PerType, RegisterParameters};
use crate::core::random::probability;
use crate::core::site_part::RegisterSitePart;
use crate::core::state::RegisterState;
use crate::core::units::{MINUTES_PER_DAY, UM3_PER_MM3};
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule};
use crate::tissue::{SiteId, Sites};

/// How cells of a type come and go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct ImmigrantParameters {
    /// Cells that come, in a mm3 of a site that lets them in and has as many vessels as its organ, 1/d; 0: none unless a scene says so.
    pub per_mm3_per_day: f32,
    /// Rate at which one that lies near a way into lymph and holds nothing leaves, 1/h; 0.02. Assumed.
    pub leaving_per_hour: f32,
    /// How near a lymphatic that is, or a door where none is drawn, um; 30. Assumed.
    pub door_um: f32,
    /// Share of those that come where vessels are drawn that stays in these and patrols them, for cells that also have `in_vessels`; 0.
    pub patrol_share: f32,
}

impl Default for ImmigrantParameters {
    fn default() -> Self {
        Self {
            per_mm3_per_day: 0.0,
            leaving_per_hour: 0.02,
            door_um: 30.0,
            patrol_share: 0.0,
        }
    }
}

impl Parameters for ImmigrantParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "patrol_share" => Limits::FRACTION,
            "per_mm3_per_day" => Limits {
                min: 0.0,
                max: 1.0e7,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e3,
            },
        }
    }
}

/// How a site lets cells in (part `immigration`).
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct Immigration {
    /// Of what its cell types say, so much comes; 1.
    pub scale: f32,
}

impl Default for Immigration {
    fn default() -> Self {
        Self { scale: 1.0 }
    }
}

impl Parameters for Immigration {
    fn limits(_: &str) -> Limits {
        SCALE
    }
}

/// What the scale of a site may be.
const SCALE: Limits = Limits {
    min: 0.0,
    max: 1.0e3,
};

/// A cell came with the blood.
pub const COMES: EventKind = EventKind::of("immunity.comes");
/// A cell left with the lymph.
pub const LEAVES: EventKind = EventKind::of("immunity.leaves");

/// The input of sites.
const SITE_SCALE: &str = "immigration.scale";
/// The input of cells.
const LEAVING: &str = "immigrant.leaving";

/// When and where cells come.
const COMING: Purpose = Purpose::of("immunity.coming");
/// Whether a cell leaves.
const GOING: Purpose = Purpose::of("immunity.going");

/// Most cells of a type that come into a site in one step.
const MOST_AT_ONCE: u32 = 100_000;

/// Asks that cells come into sites that let them in, and that those near a way into lymph leave.
pub fn come_and_go(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    (sites, ways, lymph): (Res<Sites>, Ways, LymphWays),
    types: Res<CellTypeNames>,
    (immigrants, bodies, riders): (
        Res<PerType<ImmigrantParameters>>,
        Res<PerType<BodyParameters>>,
        Option<Res<PerType<InVesselParameters>>>,
    ),
    (known, inputs): (Res<Inputs>, Regulated),
    passages: Res<Passages>,
    immigrations: Query<(), With<Immigration>>,
    killers: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        Option<&Vital>,
        &Killer,
    )>,
) {
    let (key, step, minutes) = (*key, clock.step, clock.dt_minutes());
    let types = types.0.len().min(usize::from(u16::MAX)) as u16;
    for (number, site) in sites.list.iter().enumerate() {
        if !immigrations.contains(site.entity) {
            continue;
        }
        let scale = inputs
            .of_site(&known, SITE_SCALE, site.entity)
            .unwrap_or(0.0);
        let block = &site.block;
        let Some(ways) = ways.of(SiteId(number as u16)) else {
            continue;
        };
        let vascularity = ways.vascularity();
        let volume_mm3 = f64::from(block.voxel_volume_um3()) * block.voxels() as f64 / UM3_PER_MM3;
        for cell_type in 0..types {
            let Some(of) = immigrants.get(cell_type) else {
                continue;
            };
            let per_mm3_per_day = f64::from(of.per_mm3_per_day * scale * vascularity);
            let per_min = per_mm3_per_day * volume_mm3 / MINUTES_PER_DAY;
            if per_min <= 0.0 {
                continue;
            }
            let own = CellId((number as u64) << 16 | u64::from(cell_type));
            let mut random = key.stream(own, step, COMING);
            let radius_um = bodies
                .get(cell_type)
                .map_or(0.0, BodyParameters::resting_radius_um);
            let rides = riders
                .as_ref()
                .is_some_and(|of| of.get(cell_type).is_some());
            let can_patrol = rides && ways.has_vessels() && of.patrol_share > 0.0;
            let mut left = f64::from(minutes);
            for _ in 0..MOST_AT_ONCE {
                left -= f64::from(random.exponential()) / per_min;
                if left <= 0.0 {
                    break;
                }
                let dice = [(); 3].map(|()| random.uniform());
                // Where vessels are drawn and none is perfused nobody comes.
                let Some(door) = ways.pick(Extravasation::Adhesion, dice) else {
                    continue;
                };
                if can_patrol && random.chance(of.patrol_share) {
                    let lumen_um = door.lumen_um();
                    let at_um = block.nearest_inside(lumen_um);
                    let newcomer = Recruit::new(cell_type, SiteId(number as u16), at_um, COMES);
                    passages.recruit(newcomer.carrying(InVessel(Some(lumen_um))));
                    continue;
                }
                let at_um = door.beside_um(block, radius_um);
                passages.recruit(Recruit::new(cell_type, SiteId(number as u16), at_um, COMES));
            }
        }
    }
    let leaving = inputs.input(LEAVING);
    for (entities, ids, types, residents, positions, vitals, killers) in
        killers.contiguous_iter().expect(IN_TABLES)
    {
        let leaving = leaving.in_table(entities);
        for_each_row(ids.len(), |row| {
            let cell_type = types[row].0;
            let Some(of) = immigrants.get(cell_type) else {
                return;
            };
            let alive = is_alive(vitals.map(|vitals| &vitals[row]));
            let Some(site) = sites.find(residents[row].0).filter(|_| alive) else {
                return;
            };
            if killers[row].doing == Doing::Engaged || !immigrations.contains(site.entity) {
                return;
            }
            // Few would leave in a step, and whether one is near a way takes longer to find.
            let rate = leaving.at(row, cell_type);
            let mut random = key.stream(ids[row], step, GOING);
            if rate <= 0.0 || !random.chance(probability(rate, minutes / 60.0)) {
                return;
            }
            let ways = lymph.of(residents[row].0);
            if ways.is_some_and(|ways| ways.is_near(positions[row].0, of.door_um)) {
                passages.remove(ids[row], entities[row], LEAVES, None);
            }
        });
    }
}

/// Registers the capability and the part of sites.
pub(super) fn register(app: &mut App) {
    app.register_capability::<ImmigrantParameters>("immigrant")
        .register_site_part::<Immigration>("immigration", |world, site, immigration| {
            world.entity_mut(site).insert(immigration.clone());
        })
        .declare_remade::<Immigration>("made from the scene")
        .give_site_part_rules(
            "immigration",
            include_str!("../../../assets/entry/immigration.ron"),
        )
        .register_site_input(
            InputInfo::new(
                SITE_SCALE,
                "",
                "How many cells come into the site, over what their types say.",
            )
            .limits(SCALE),
            |world, site| Some(world.get::<Immigration>(site)?.scale),
        )
        .register_input::<ImmigrantParameters>(
            InputInfo::new(
                LEAVING,
                "1/h",
                "Rate at which a cell near a door that holds nothing leaves.",
            ),
            "leaving_per_hour",
        )
        .register_purpose(COMING)
        .register_purpose(GOING)
        .register_passage(COMES, Passage::Recruitment, "A cell came with the blood.")
        .register_passage(LEAVES, Passage::Removal, "A cell left with the lymph.")
        .while_in_transit(
            come_and_go,
            InTransit::Pauses,
            "who is on the way comes when it arrives",
        )
        .add_systems(SimSchedule, come_and_go.in_set(ActSystems::Walk));
}
