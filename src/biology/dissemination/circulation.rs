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
use super::colonisation::{Colonist, ColonyStage};
use super::species::{Bed, Bloodstream, Species};
use crate::cell::body::CellType;
use crate::cell::death::is_alive;
use crate::cell::doors::Ways;
use crate::cell::event::{EventBook, EventKind};
use crate::cell::turnover::{Arrival, Passages, Recruit, Transit};
use crate::cell::{Body, Resident, Vital};
use crate::core::input::Regulated;
use crate::core::invariant::{Breach, Refused, Violation};
use crate::core::parallel::IN_TABLES;
use crate::core::parameters::{CellTypeNames, Contradiction, Limits, Parameters};
use crate::core::random::Random;
use crate::core::{CellId, Clock, Purpose, RandomKey, SimSystems};
use crate::tissue::{Organ, SiteId, Sites};

/// The circulation that joins the sites (part of the body `circulation`). Without it no cell enters the blood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct CirculationDescription {
    /// Whose it is.
    pub species: Species,
    /// Cells that each cell in the blood stands for: mass of the tumour over that of its block; 8000 for a tumour of 1 g and a block of 500 um. 1: the
    /// blocks stand for all of it.
    pub weight: f64,
    /// Share of the cells in lymph that a node holds; 0.5. Assumed.
    pub node_retention: f32,
    /// Cells that are injected into the blood.
    pub injections: Vec<Injection>,
}

impl Default for CirculationDescription {
    fn default() -> Self {
        Self {
            species: Species::Mouse,
            weight: 1.0,
            node_retention: 0.5,
            injections: Vec::new(),
        }
    }
}

impl Parameters for CirculationDescription {
    fn limits(field: &str) -> Limits {
        match field {
            "weight" => Limits {
                min: 1.0e-6,
                max: 1.0e12,
            },
            "node_retention" => Limits::FRACTION,
            _ => Limits::NON_NEGATIVE,
        }
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        let wrong = |message: String| Contradiction {
            field: "injections",
            other: "",
            message,
        };
        let mut found = Vec::new();
        for (number, injection) in self.injections.iter().enumerate() {
            if !(1..=MOST_INJECTED).contains(&injection.cells) {
                found.push(wrong(format!(
                    "injection {number} is of 1 to {MOST_INJECTED} cells, found {}",
                    injection.cells
                )));
            }
            if !(1..=MOST_TOGETHER).contains(&injection.together) {
                found.push(wrong(format!(
                    "cells of injection {number} come 1 to {MOST_TOGETHER} together, found {}",
                    injection.together
                )));
            }
            if !(injection.at_hours >= 0.0 && injection.at_hours.is_finite()) {
                found.push(wrong(format!(
                    "the time of injection {number} is 0 h or later, found {}",
                    injection.at_hours
                )));
            }
        }
        found
    }
}

/// Cells that are injected into the blood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Injection {
    /// Their type.
    pub cell: String,
    /// How many.
    pub cells: u32,
    /// Where the needle is.
    #[serde(default)]
    pub into: EntryRoute,
    /// When, hours from the start.
    #[serde(default)]
    pub at_hours: f64,
    /// How many come bound together; 1: single cells.
    #[serde(default = "one")]
    pub together: u32,
}

const fn one() -> u32 {
    1
}

/// Most cells of an injection, and of a cluster of it.
const MOST_INJECTED: u32 = 10_000_000;
const MOST_TOGETHER: u32 = 100;

/// Where a cell enters the circulation.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Reflect,
)]
#[repr(u8)]
pub enum EntryRoute {
    /// A systemic vein: the lungs come first.
    #[default]
    Vein,
    /// An artery, or a vein of the lungs: a systemic bed comes first.
    Artery,
    /// The portal vein: the liver comes first.
    PortalVein,
    /// Lymph: a node comes first, then a vein.
    Lymph,
}

impl EntryRoute {
    /// Where what leaves an organ by its blood enters.
    pub const fn from_organ(organ: Option<Organ>) -> Self {
        match organ {
            Some(Organ::Lung) => Self::Artery,
            _ => Self::Vein,
        }
    }

    /// As written in tables.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Vein => "vein",
            Self::Artery => "artery",
            Self::PortalVein => "portal_vein",
            Self::Lymph => "lymph",
        }
    }
}

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
    /// The organ that holds it, by its place in [`Circulation::organs`], while that is one without a site.
    pub organ: Option<u8>,
    /// The first of those that entered with it, in the order of identity: they travel together.
    pub group: Option<CellId>,
    /// How many entered together, itself among them; 0 for a cell that never was in the blood.
    pub companions: u16,
    /// The last journey that it, or the cell that it descends from, has made: its number in [`Journeys`](super::ancestry::Journeys).
    pub journey: Option<u32>,
}

/// An organ of the body.
#[derive(Clone, Debug, PartialEq)]
pub struct OrganOfBody {
    /// Its name.
    pub name: String,
    /// The organ, if it is one that sites can be part of.
    pub tissue: Option<Organ>,
    /// How easily a normal wall of it lets molecules pass, over a capillary of muscle.
    pub wall: f32,
    /// How fast arrested cells cross such a wall, over the liver.
    pub crossing: f32,
    /// Its share of the cardiac output; 0 for lungs and lymph nodes, which are not among the systemic beds.
    pub share: f64,
    /// The sites of the scene that are part of it.
    pub sites: Vec<SiteId>,
}

/// Places of lungs and lymph nodes in the list of organs.
pub const LUNG: usize = 0;
/// See [`LUNG`].
pub const NODE: usize = 1;

/// The circulation of the body, made from the scene.
#[derive(Resource, Clone, Debug, Default)]
pub struct Circulation(Option<Circuit>);

impl Circulation {
    /// It, if the scene has one.
    pub const fn get(&self) -> Option<&Circuit> {
        self.0.as_ref()
    }

    /// That of a description, in a world that has its sites.
    pub(super) fn of(world: &mut World, of: &CirculationDescription) -> Self {
        let stream = of.species.bloodstream();
        // Walls as the vessels of these organs have them.
        let in_series = [
            ("lung", Organ::Lung, 1.0),
            ("lymph_node", Organ::LymphNode, 1.0),
        ];
        let in_series = in_series.map(|(name, tissue, wall)| OrganOfBody {
            wall,
            crossing: 1.0,
            name: name.into(),
            tissue: Some(tissue),
            share: 0.0,
            sites: Vec::new(),
        });
        let systemic = stream.organs.iter().map(|bed: &Bed| OrganOfBody {
            name: bed.name.clone(),
            tissue: bed.tissue,
            wall: bed.wall as f32,
            crossing: bed.crossing as f32,
            share: bed.share,
            sites: Vec::new(),
        });
        let mut organs: Vec<OrganOfBody> = in_series.into_iter().chain(systemic).collect();
        let sites = &world.resource::<Sites>().list;
        for (number, site) in sites.iter().enumerate() {
            let tissue = world.get::<Organ>(site.entity);
            let mut organs = organs.iter_mut();
            let of_it =
                organs.find(|organ| organ.tissue.is_some() && organ.tissue.as_ref() == tissue);
            if let Some(organ) = of_it {
                organ.sites.push(SiteId(number as u16));
            }
        }
        let portal = stream.organs.iter().position(|bed| bed.is_portal);
        let names = world.resource::<CellTypeNames>();
        let mut injections = Vec::new();
        let mut unknown = None;
        for injection in &of.injections {
            match names.0.iter().position(|name| *name == injection.cell) {
                Some(cell_type) => injections.push((injection.clone(), cell_type as u16)),
                None => unknown = unknown.or(Some((injection.cell.clone(), names.0.join("`, `")))),
            }
        }
        if let Some((name, known)) = unknown {
            world.resource_mut::<Refused>().0.get_or_insert(Violation {
                step: 1,
                hours: 0.0,
                stage: SimSystems::Timeline,
                system: "circulation",
                breach: Breach::new(format!(
                    "`body.circulation.injections` names the cell type `{name}`, and the types are `{known}`"
                )),
            });
        }
        Self(Some(Circuit {
            stream,
            weight: of.weight,
            node_retention: of.node_retention,
            portal: portal.map_or(LUNG, |place| place + 2),
            organs,
            injections,
        }))
    }
}

/// Organs, blood and what is injected.
#[derive(Clone, Debug)]
pub struct Circuit {
    /// The numbers of its species.
    pub stream: &'static Bloodstream,
    /// Cells that each cell in the blood stands for.
    pub weight: f64,
    /// Share of the cells in lymph that a node holds.
    pub node_retention: f32,
    /// The organ to which the portal vein leads.
    pub portal: usize,
    /// Lungs, lymph nodes, and the systemic beds.
    pub organs: Vec<OrganOfBody>,
    /// What is injected, each with its type.
    pub injections: Vec<(Injection, u16)>,
}

impl Circuit {
    /// A systemic bed by its share, from a number between 0 and 1.
    pub fn systemic(&self, dice: f32) -> usize {
        let mut left = f64::from(dice);
        for (place, organ) in self.organs.iter().enumerate() {
            left -= organ.share;
            if left < 0.0 && organ.share > 0.0 {
                return place;
            }
        }
        self.organs.len() - 1
    }

    /// The organ of a site.
    pub fn organ_of(&self, site: SiteId) -> Option<usize> {
        let mut organs = self.organs.iter();
        organs.position(|organ| organ.sites.contains(&site))
    }

    /// Share of cells that one bed holds, of cells alone or in a cluster, that can make themselves so thin, um.
    pub fn arrest(&self, is_cluster: bool, diameter_um: f32, fold: f32) -> f32 {
        let native = if is_cluster {
            self.stream.cluster_arrest
        } else {
            self.stream.arrest
        } as f32;
        let stuck = 1.0 / (1.0 + ops::powf(STUCK_UM / diameter_um.max(1.0e-3), STUCK_EXPONENT));
        let stuck = native + (FIRST_PASS - native).max(0.0) * stuck;
        (stuck * fold).clamp(0.0, MOST_HELD)
    }
}

/// What a bed holds of cells that do not pass, and how wide those are (injection assays: 0.8-0.95 above 15 um; 0.003-0.04 below 10).
const FIRST_PASS: f32 = 0.9;
const STUCK_UM: f32 = 12.5;
const STUCK_EXPONENT: f32 = 26.0;
/// Most of what comes that a bed can hold.
const MOST_HELD: f32 = 0.9999;

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
    circulation: Res<Circulation>,
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
    inject(circuit, &clock, &passages);
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

/// Asks for the cells that are injected in this step.
fn inject(circuit: &Circuit, clock: &Clock, passages: &Passages) {
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
        let recruit = recruit.carrying(voyage);
        passages.recruit_all((0..injection.cells).map(|_| recruit.clone()));
    }
}
