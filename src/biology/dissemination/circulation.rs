//! Cells in the blood (capability `circulation`; part of the body `circulation`).
//!
//! A cell that has left a site is carried by the blood until it dies or is held in a bed of capillaries. It comes round `P` times a
//! minute, each time through the lungs and then through one systemic bed, picked by the shares of the cardiac output. A bed holds the share `a` of
//! those that come (that of an organ with sites times the mean of their input `circulation.hold`), so a full circuit holds `c = 1 - (1 - a)^2`, and `t` minutes hold `1 - (1 - c)^(P t)`: in the lungs and in the systemic beds
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
//! Platelets cover it: of its surface `C`, `dC/dt = (p - C) / tau`, `p` the input `circulation.platelets`. Those rates are of cells that are covered as in life; rules by
//! `circulation.bare` say what kills a bare one. That is the mean of `1 - C` over the step, `(1 - p) + (p - C) tau (1 - exp(-dt/tau))/dt`: a cell is bare for as long as it is, however
//! long the step.
//!
//! Where it enters decides what it meets first: veins lead to the lungs; the portal vein to the liver; arteries (and the veins of the lungs)
//! to a systemic bed; lymph, after its time ([`crate::cell::doors::lymph`]), to a node, which holds the share `node_retention`, and then to the veins. An organ of which the scene has a site is
//! that site: who lodges there lies in a capillary of it. Others are kept as compartments: the cell goes on as an entity in no site.
//!
//! In a calibrated scene a block is its share of the tumour and of the organ: each cell in the blood stands for `weight` of them, and each that lodges
//! for one of the block. What is told of the blood is multiplied by it.

use bevy::math::ops;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::ancestry::{JourneyChange, Notes};
use super::circuit::{Beds, Circuit, Circulation, EntryRoute, LUNG, NODE};
use super::colonisation::{Colonist, ColonyStage};
use crate::cell::body::CellType;
use crate::cell::death::is_alive;
use crate::cell::doors::{Extravasation, LymphWays, Ways};
use crate::cell::event::{EventBook, EventKind};
use crate::cell::turnover::{Arrival, Passages, Recruit, Transit, Traveller};
use crate::cell::{Body, Cycle, CycleParameters, Resident, Vital};
use crate::core::input::{Inputs, Regulated};
use crate::core::parallel::IN_TABLES;
use crate::core::parameters::{Limits, Parameters, PerType};
use crate::core::random::{Random, probability};
use crate::core::{CellId, Clock, Purpose, RandomKey};
use crate::tissue::{SiteId, Sites};

/// How cells of a type fare in the blood (capability `circulation`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct CirculationParameters {
    /// Diameter to which a cell can make itself in a capillary, um. 8: a cell that a tumour sheds, which passes; cells from culture, 15-20 um, do not.
    pub diameter_um: f32,
    /// How much of it platelets come to cover in the blood, 0-1; 1: as in life.
    pub platelets: f32,
    /// Time in which they do, min; 1: within minutes (Palumbo et al. 2005, doi:10.1182/blood-2004-06-2272, for the arrow). Assumed.
    pub cloaking_min: f32,
}

impl Default for CirculationParameters {
    fn default() -> Self {
        Self {
            diameter_um: 8.0,
            platelets: 1.0,
            cloaking_min: 1.0,
        }
    }
}

impl Parameters for CirculationParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "platelets" => Limits::FRACTION,
            "cloaking_min" => Limits {
                min: 1.0e-3,
                max: 1.0e5,
            },
            _ => Limits {
                min: 0.1,
                max: 100.0,
            },
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
    /// How much of it platelets cover, 0-1, while it is in the blood; 1 once it has lodged.
    pub cloak: f32,
    /// How much of it they come to cover, 0-1, as rules had it in the last step; none before its first in the blood.
    pub platelets: Option<f32>,
    /// How many entered together, itself among them; 0 for a cell that never was in the blood.
    pub companions: u16,
    /// The line of the first cell from which it descends, once it has travelled: one of eight, counted from 1; 0 before.
    pub line: u8,
    /// The last journey that it, or the cell that it descends from, has made: its number in [`Journeys`](super::ancestry::Journeys).
    pub journey: Option<u32>,
}

impl Voyage {
    /// Whether one on its way is still in lymph, which has not come to the node.
    pub const fn is_in_lymph(&self) -> bool {
        self.is_fresh && matches!(self.entry, EntryRoute::Lymph)
    }

    /// Whether it is in the blood, of a cell that is there.
    pub const fn is_in_blood(&self, resident: &Resident) -> bool {
        resident.0.is_transit() && self.organ.is_none() && !self.is_in_lymph()
    }

    /// How much of a cell in the blood platelets leave bare, on average over a step of so many minutes.
    pub(super) fn bare(&self, of: &CirculationParameters, minutes: f32) -> f32 {
        let most = self.platelets.unwrap_or(of.platelets);
        let times = minutes / of.cloaking_min;
        let lasting = if times > 0.0 {
            probability(1.0, times) / times
        } else {
            1.0
        };
        (1.0 - most) + (most - self.cloak) * lasting
    }
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
pub(super) const PLATELETS: &str = "circulation.platelets";

/// The input of sites: how many times as much the capillaries of their organ hold.
pub(super) const HOLD: &str = "circulation.hold";

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
    /// What platelets come to cover, and how much nearer to that they come in this step.
    platelets: f32,
    cloaks: f32,
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
    parameters: Res<PerType<CirculationParameters>>,
    (sites, transit): (Res<Sites>, Res<Transit>),
    (ways, lymph): (Ways, LymphWays),
    (known, inputs): (Res<Inputs>, Regulated),
    (passages, notes, events): Ask,
    (mut passengers, mut holds): (Local<Vec<Passenger>>, Local<Vec<f32>>),
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
    let [diameter, arrest, nk, shear, anoikis, platelets] =
        [DIAMETER, ARREST, NK, SHEAR, ANOIKIS, PLATELETS].map(|name| inputs.input(name));
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
        let [diameter, arrest, nk, shear, anoikis, platelets] =
            [diameter, arrest, nk, shear, anoikis, platelets].map(|input| input.in_table(entities));
        for row in 0..ids.len() {
            let voyage = voyages[row];
            let is_carried = residents[row].0.is_transit() && voyage.organ.is_none();
            let is_early = |of: &Traveller| !lymph.has_come(of, &clock);
            if is_carried && voyage.is_in_lymph() && transit.find(ids[row]).is_some_and(is_early) {
                continue;
            }
            // Who has died of itself on the way is cleared there.
            if !is_carried || !is_alive(vitals.map(|vitals| &vitals[row])) {
                continue;
            }
            let of = types[row].0;
            let cloaking_min = parameters.get(of).map_or(1.0, |of| of.cloaking_min);
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
                platelets: platelets.at(row, of),
                cloaks: probability(1.0 / cloaking_min, clock.dt_minutes()),
                voyage,
                is_dead: false,
            });
        }
    }
    holds.clear();
    holds.extend(circuit.organs.iter().map(|organ| {
        let of_sites = organ.sites.iter().filter_map(|site| {
            let entry = sites.find(*site)?;
            inputs.of_site(&known, HOLD, entry.entity)
        });
        let (sum, count) = of_sites.fold((0.0, 0), |(sum, count), of| (sum + of, count + 1));
        if count == 0 { 1.0 } else { sum / count as f32 }
    }));
    let node = lymph.node();
    passengers.sort_unstable_by_key(|of| (of.group, of.cell));
    for group in passengers.chunk_by_mut(|a, b| a.group == b.group) {
        let mut random = key.stream(group[0].group, clock.step, LODGING);
        let wait = |cell: CellId| key.stream(cell, clock.step, DEATH).exponential();
        let held = travel(
            (circuit, &holds[..]),
            group,
            clock.dt_minutes(),
            &mut random,
            wait,
        );
        for of in group.iter().filter(|of| of.is_dead) {
            passages.remove(of.cell, of.entity, DIES, None);
            notes.add(of.voyage.journey, of.cell, JourneyChange::DiedInBlood);
        }
        let places = (circuit, &*sites, &ways, node);
        let held = held.filter(|organ| lodge(places, *organ, group, &mut random, &passages));
        for of in group.iter().filter(|of| !of.is_dead) {
            let Ok((.., mut voyage, colonist)) = cells.get_mut(of.entity) else {
                continue;
            };
            // The node has let it through.
            if voyage.is_in_lymph() && held.is_none() {
                notes.add(of.voyage.journey, of.cell, JourneyChange::Travels);
            }
            voyage.is_fresh = false;
            voyage.cloak += (of.platelets - voyage.cloak) * of.cloaks;
            voyage.platelets = Some(of.platelets);
            let Some(organ) = held else { continue };
            voyage.cloak = 1.0;
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
    (circuit, holds): (&Circuit, &[f32]),
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
    let beds = Beds {
        circuit,
        share,
        holds,
    };
    let (in_lung, in_systemic) = (beds.of(LUNG), beds.systemic_share());
    if first.voyage.is_fresh {
        // What it meets first takes no time.
        let (chance, dice) = (random.uniform(), random.uniform());
        let held = match first.voyage.entry {
            EntryRoute::Vein => None,
            EntryRoute::Artery => (chance < in_systemic).then(|| beds.systemic(dice)),
            EntryRoute::PortalVein => (chance < beds.of(circuit.portal)).then_some(circuit.portal),
            EntryRoute::Lymph => (chance < circuit.node_retention).then_some(NODE),
        };
        if held.is_some() {
            return held;
        }
    }
    let kept = ops::ln_1p(-in_lung) + ops::ln_1p(-in_systemic);
    let per_min = -kept * circuit.stream.circuits_per_min as f32;
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
    let all = in_lung + (1.0 - in_lung) * in_systemic;
    is_held.then(|| {
        if which * all < in_lung {
            LUNG
        } else {
            beds.systemic(dice)
        }
    })
}

/// Lets those of a group that live lodge in a site of an organ, if it has one: side by side in a capillary, or anywhere where no vessel is drawn. Where
/// vessels are drawn and none is perfused no blood brings them: they go on, and it says so.
fn lodge(
    (circuit, sites, ways, node): (&Circuit, &Sites, &Ways, Option<SiteId>),
    organ: usize,
    group: &[Passenger],
    random: &mut Random,
    passages: &Passages,
) -> bool {
    let of_organ = &circuit.organs[organ].sites;
    if of_organ.is_empty() {
        return true;
    }
    let which = (random.uniform() * of_organ.len() as f32) as usize;
    let site = of_organ[which.min(of_organ.len() - 1)];
    let site = node.filter(|_| organ == NODE).unwrap_or(site);
    let (Some(entry), Some(ways)) = (sites.find(site), ways.of(site)) else {
        return false;
    };
    let dice = [(); 3].map(|()| random.uniform());
    let (low, high) = (entry.block.min_um, entry.block.max_um());
    let door = if ways.has_vessels() {
        match ways.pick(Extravasation::Leak, dice) {
            None => return false,
            door => door,
        }
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
    true
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_bare_for_as_long_however_long_the_step() {
        // The integral of exp(-t/tau) over 20 min, and of 1 - p beside it.
        for (platelets, cloaking_min) in [(1.0_f32, 1.0_f32), (0.4, 1.0), (1.0, 30.0), (0.0, 5.0)] {
            let of = CirculationParameters {
                platelets,
                cloaking_min,
                ..CirculationParameters::default()
            };
            let (p, tau) = (f64::from(platelets), f64::from(cloaking_min));
            let expected = (1.0 - p) * 20.0 + p * tau * (1.0 - (-20.0 / tau).exp());
            for minutes in [0.1_f32, 1.0, 4.0, 10.0, 20.0] {
                let mut voyage = Voyage::default();
                let mut sum = 0.0;
                for _ in 0..(20.0 / minutes).round() as u32 {
                    sum += f64::from(voyage.bare(&of, minutes) * minutes);
                    let way = probability(1.0 / cloaking_min, minutes);
                    voyage.cloak += (platelets - voyage.cloak) * way;
                }
                assert!(
                    (sum / expected - 1.0).abs() < 1e-3,
                    "{platelets} {cloaking_min} {minutes}: {sum} {expected}"
                );
            }
        }
    }
}
