//! Cells in the blood (capability `circulation`; part of the body `circulation`).
//!
//! A cell that has left a site is carried by the blood until it dies or is held in a bed of capillaries. It comes round `P` times a
//! minute, each time through the lungs and then through one systemic bed, picked by the shares of the cardiac output. A bed holds the share `a` of
//! those that come, so a full circuit holds `c = 1 - (1 - a)^2`, and `t` minutes hold `1 - (1 - c)^(P t)`: in the lungs and in the systemic beds
//! in the proportion `a : (1 - a) a` (AMENDMENTS 3.16 of the reference data; the form of one pass a step would be nine times too slow in a mouse). Arrest and
//! death compete: both have moments of their own, and the earlier counts.
//!
//! `a = s (a_0 + (0.9 - a_0) d^26 / (12.5^26 + d^26))`, `d` the diameter to which a cell can make itself (input `circulation.diameter`, um),
//! `s` the input `circulation.arrest`, `a_0` what a bed holds of cells that pass: next to nothing below 10 um, nine in ten above 15, as cultured
//! cells in injection assays. Cells that entered together travel, and lodge, together; `a_0` is larger for them.
//!
//! It dies by natural killer cells, shear and want of attachment, at the rates of the species times the inputs `circulation.nk`,
//! `circulation.shear` and `circulation.anoikis`, by which rules say how clusters, platelets and EMT protect it.
//!
//! Where it enters decides what it meets first: veins lead to the lungs; the portal vein to the liver; arteries (and the veins of the lungs)
//! to a systemic bed; lymph to a node, which holds the share `node_retention`, and then to the veins. An organ of which the scene has a site is
//! that site: who lodges there lies in a capillary of it. Others are kept as compartments: the cell goes on as an entity in no site.
//!
//! In a calibrated scene a block is its share of the tumour and of the organ: each cell in the blood stands for `weight` of them, and each that lodges
//! for one of the block. What is told of the blood is multiplied by it.

use bevy::math::ops;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::ancestry::{JourneyChange, Notes};
use super::circuit::{Circuit, Circulation, EntryRoute, LUNG, NODE};
use super::colonisation::{Colonist, ColonyStage};
use crate::cell::body::CellType;
use crate::cell::death::is_alive;
use crate::cell::doors::Ways;
use crate::cell::event::{EventBook, EventKind};
use crate::cell::turnover::{Arrival, Passages, Recruit, Transit};
use crate::cell::{Body, Cycle, CycleParameters, Resident, Vital};
use crate::core::input::Regulated;
use crate::core::parallel::IN_TABLES;
use crate::core::parameters::{Limits, Parameters, PerType};
use crate::core::random::Random;
use crate::core::{CellId, Clock, Purpose, RandomKey};
use crate::tissue::{SiteId, Sites};

/// How cells of a type fare in the blood (capability `circulation`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct CirculationParameters {
    /// Diameter to which a cell can make itself in a capillary, um. 8: a cell that a tumour sheds, which passes; cells from culture, 15-20 um, do not.
    pub diameter_um: f32,
}

impl Default for CirculationParameters {
    fn default() -> Self {
        Self { diameter_um: 8.0 }
    }
}

impl Parameters for CirculationParameters {
    fn limits(_: &str) -> Limits {
        Limits {
            min: 0.1,
            max: 100.0,
        }
    }
}

/// How a cell travels, and by which journey it came to where it is. Daughters inherit it.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Voyage {
    /// Where it entered last.
    pub entry: EntryRoute,
    /// Whether what it meets first is still ahead of it.
    pub is_fresh: bool,
    /// The organ that holds it, by its place in [`Circuit::organs`], while that is one without a site.
    pub organ: Option<u8>,
    /// The first of those that entered with it, in the order of identity: they travel together.
    pub group: Option<CellId>,
    /// How many entered together, itself among them; 0 for a cell that never was in the blood.
    pub companions: u16,
    /// The last journey that it, or the cell that it descends from, has made: its number in [`Journeys`](super::ancestry::Journeys).
    pub journey: Option<u32>,
}

/// A cell died in the blood.
pub const DIES: EventKind = EventKind::of("circulation.dies");
/// A cell lodged in a capillary of a site.
pub const LODGES: EventKind = EventKind::of("circulation.lodges");
/// A cell lodged in an organ of which the scene has no site.
pub const LODGES_ELSEWHERE: EventKind = EventKind::of("circulation.lodges_elsewhere");
/// A cell was injected into the blood.
pub const INJECTED: EventKind = EventKind::of("circulation.injected");

/// The inputs.
pub(super) const DIAMETER: &str = "circulation.diameter";
pub(super) const ARREST: &str = "circulation.arrest";
pub(super) const NK: &str = "circulation.nk";
pub(super) const SHEAR: &str = "circulation.shear";
pub(super) const ANOIKIS: &str = "circulation.anoikis";

/// When and where cells that travel together lodge.
pub(super) const LODGING: Purpose = Purpose::of("circulation.lodging");
/// When a cell dies in the blood.
pub(super) const DEATH: Purpose = Purpose::of("circulation.death");

/// A cell in the blood.
#[derive(Clone, Copy, Debug)]
pub struct Passenger {
    group: CellId,
    cell: CellId,
    entity: Entity,
    radius_um: f32,
    diameter_um: f32,
    fold: f32,
    /// Rate of death, 1/min.
    death: f32,
    voyage: Voyage,
    /// Whether it died in this step.
    is_dead: bool,
}

/// What carries cells, and what it asks for.
type Ask<'w> = (Res<'w, Passages>, Res<'w, Notes>, Res<'w, EventBook>);

/// Carries the cells in the blood for a step: they die, go on, or lodge.
pub fn circulate(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    (circulation, cycles): (Res<Circulation>, Option<Res<PerType<CycleParameters>>>),
    (sites, transit): (Res<Sites>, Res<Transit>),
    ways: Ways,
    inputs: Regulated,
    (passages, notes, events): Ask,
    mut passengers: Local<Vec<Passenger>>,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Body,
        Option<&Vital>,
        &mut Voyage,
        Option<&mut Colonist>,
    )>,
) {
    let Some(circuit) = circulation.get() else {
        return;
    };
    inject(circuit, &clock, cycles.as_deref(), &passages);
    if transit.is_empty() {
        return;
    }
    let [diameter, arrest, nk, shear, anoikis] =
        [DIAMETER, ARREST, NK, SHEAR, ANOIKIS].map(|name| inputs.input(name));
    let stream = circuit.stream;
    let [nk_0, shear_0, anoikis_0] = [
        stream.nk_per_min,
        stream.shear_per_min,
        stream.anoikis_per_min,
    ]
    .map(|rate| rate as f32);
    passengers.clear();
    for (entities, ids, types, residents, bodies, vitals, voyages, _) in
        cells.contiguous_iter().expect(IN_TABLES)
    {
        if !residents.iter().any(|resident| resident.0.is_transit()) {
            continue;
        }
        let [diameter, arrest, nk, shear, anoikis] =
            [diameter, arrest, nk, shear, anoikis].map(|input| input.in_table(entities));
        for row in 0..ids.len() {
            let voyage = voyages[row];
            let is_carried = residents[row].0.is_transit() && voyage.organ.is_none();
            // Who has died of itself on the way is cleared there.
            if !is_carried || !is_alive(vitals.map(|vitals| &vitals[row])) {
                continue;
            }
            let of = types[row].0;
            passengers.push(Passenger {
                group: voyage.group.unwrap_or(ids[row]),
                cell: ids[row],
                entity: entities[row],
                radius_um: bodies[row].radius_um,
                diameter_um: diameter.at(row, of),
                fold: arrest.at(row, of),
                death: nk_0 * nk.at(row, of)
                    + shear_0 * shear.at(row, of)
                    + anoikis_0 * anoikis.at(row, of),
                voyage,
                is_dead: false,
            });
        }
    }
    passengers.sort_unstable_by_key(|of| (of.group, of.cell));
    for group in passengers.chunk_by_mut(|a, b| a.group == b.group) {
        let mut random = key.stream(group[0].group, clock.step, LODGING);
        let held = travel(circuit, group, clock.dt_minutes(), &mut random, |cell| {
            key.stream(cell, clock.step, DEATH).exponential()
        });
        for of in group.iter().filter(|of| of.is_dead) {
            passages.remove(of.cell, of.entity, DIES, None);
            notes.add(of.voyage.journey, of.cell, JourneyChange::DiedInBlood);
        }
        if let Some(organ) = held {
            lodge(
                (circuit, &sites, &ways),
                organ,
                group,
                &mut random,
                &passages,
            );
        }
        for of in group.iter().filter(|of| !of.is_dead) {
            let Ok((.., mut voyage, colonist)) = cells.get_mut(of.entity) else {
                continue;
            };
            voyage.is_fresh = false;
            let Some(organ) = held else { continue };
            if let Some(mut colonist) = colonist {
                *colonist = Colonist::at(ColonyStage::Arrested);
            }
            notes.add(
                of.voyage.journey,
                of.cell,
                JourneyChange::Lodged(organ as u8),
            );
            if circuit.organs[organ].sites.is_empty() {
                voyage.organ = Some(organ as u8);
                events.book(LODGES_ELSEWHERE, of.cell, SiteId::TRANSIT, Vec3::ZERO);
            }
        }
    }
}

/// Carries cells that travel together for so many minutes: marks those that die, and tells the organ that holds the others, if one does.
fn travel(
    circuit: &Circuit,
    group: &mut [Passenger],
    minutes: f32,
    random: &mut Random,
    wait: impl Fn(CellId) -> f32,
) -> Option<usize> {
    let first = &group[0];
    let is_cluster = group.len() > 1;
    let largest = group
        .iter()
        .fold(0.0_f32, |most, of| most.max(of.diameter_um));
    let fold = group.iter().map(|of| of.fold).sum::<f32>() / group.len() as f32;
    let share = circuit.arrest(is_cluster, largest, fold);
    if first.voyage.is_fresh {
        // What it meets first takes no time.
        let (chance, dice) = (random.uniform(), random.uniform());
        let held = match first.voyage.entry {
            EntryRoute::Vein => None,
            EntryRoute::Artery => (chance < share).then(|| circuit.systemic(dice)),
            EntryRoute::PortalVein => (chance < share).then_some(circuit.portal),
            EntryRoute::Lymph => (chance < circuit.node_retention).then_some(NODE),
        };
        if held.is_some() {
            return held;
        }
    }
    let per_min = -2.0 * ops::ln_1p(-share) * circuit.stream.circuits_per_min as f32;
    let (waits, dice, which) = (random.exponential(), random.uniform(), random.uniform());
    let until = if per_min > 0.0 {
        waits / per_min
    } else {
        f32::INFINITY
    };
    let is_held = until < minutes;
    let lived = until.min(minutes);
    for of in &mut *group {
        of.is_dead = of.death > 0.0 && wait(of.cell) / of.death < lived;
    }
    let in_lung = 1.0 / (2.0 - share);
    is_held.then(|| {
        if which < in_lung {
            LUNG
        } else {
            circuit.systemic(dice)
        }
    })
}

/// Lets those of a group that live lodge in a site of an organ, if it has one: side by side in a capillary, or anywhere where no vessel is drawn.
fn lodge(
    (circuit, sites, ways): (&Circuit, &Sites, &Ways),
    organ: usize,
    group: &[Passenger],
    random: &mut Random,
    passages: &Passages,
) {
    let of_organ = &circuit.organs[organ].sites;
    if of_organ.is_empty() {
        return;
    }
    let which = (random.uniform() * of_organ.len() as f32) as usize;
    let site = of_organ[which.min(of_organ.len() - 1)];
    let (Some(entry), Some(ways)) = (sites.find(site), ways.of(site)) else {
        return;
    };
    let dice = [(); 3].map(|()| random.uniform());
    let (low, high) = (entry.block.min_um, entry.block.max_um());
    let door = if ways.has_vessels() {
        ways.pick(dice)
    } else {
        None
    };
    let (at_um, along) = match door {
        Some(door) => {
            let along = door.flow_um_per_s.try_normalize();
            let along = along.unwrap_or_else(|| door.into_tissue.any_orthonormal_vector());
            (door.lumen_um(), along)
        }
        None => (
            low + (high - low) * Vec3::from_array(dice),
            random.direction(),
        ),
    };
    let living = group.iter().filter(|of| !of.is_dead);
    let middle = 0.5 * (living.clone().count() as f32 - 1.0);
    for (number, of) in living.enumerate() {
        let inset = Vec3::splat(of.radius_um).min(0.5 * (high - low));
        let at_um = at_um + along * (2.0 * of.radius_um * (number as f32 - middle));
        let at_um = at_um.min(high - inset).max(low + inset);
        passages.arrive(Arrival::of(of.cell, site, at_um, LODGES));
    }
}

/// Asks for the cells that are injected in this step. They have not entered S: in suspension, cells of tissues do not go on.
fn inject(
    circuit: &Circuit,
    clock: &Clock,
    cycles: Option<&PerType<CycleParameters>>,
    passages: &Passages,
) {
    for (injection, cell_type) in &circuit.injections {
        if clock.step_at(injection.at_hours * 60.0) != clock.step {
            continue;
        }
        let voyage = Voyage {
            entry: injection.into,
            is_fresh: true,
            companions: injection.together as u16,
            ..Voyage::default()
        };
        let recruit = Recruit::new(*cell_type, SiteId::TRANSIT, Vec3::ZERO, INJECTED);
        let mut recruit = recruit.carrying(voyage);
        if cycles.is_some_and(|cycles| cycles.get(*cell_type).is_some()) {
            recruit = recruit.carrying(Cycle::default());
        }
        passages.recruit_all((0..injection.cells).map(|_| recruit.clone()));
    }
}
