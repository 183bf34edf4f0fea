//! Ancestry: every journey through the blood or the lymph, from whom, from where, with whom, how long, to where, and what came of it; and the books of
//! all cells on the way.
//!
//! A journey begins when a cell enters a vessel. The cell, and what descends from it, knows its last journey by number ([`Voyage::journey`]); a journey
//! knows the one before it. So each metastasis leads back, journey by journey, to a cell of the first tumour: `ancestry.nwk` is that tree, `journeys.csv` the
//! list.
//!
//! [`keep_books`] runs in `Turnover`, when cells have come and gone.

use std::fmt::Write;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::circuit::{Circulation, EntryRoute};
use super::circulation::{DIES, INJECTED, Voyage};
use super::colonisation::{Colonist, DIES_THERE, SHED};
use super::intravasation::{ENTERS, ENTERS_LYMPH};
use crate::cell::event::{EventKinds, Passage};
use crate::cell::turnover::{Lineage, Transit};
use crate::cell::{CellType, EventRecord, StepEvents};
use crate::core::columns::tables_with;
use crate::core::inbox::Inbox;
use crate::core::invariant::Breach;
use crate::core::parameters::CellTypeNames;
use crate::core::state::WhollyKept;
use crate::core::{CellId, Clock};
use crate::tissue::{Organ, SiteId, Sites};

/// What became of the cell of a journey, as far as is known.
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
pub enum JourneyChange {
    /// It is in the blood.
    #[default]
    Travels,
    /// It lodged in an organ, by its place in the list of organs.
    Lodged(u8),
    /// It crossed the wall.
    Crossed,
    /// It does not divide.
    Slept,
    /// It began to divide.
    Grew,
    /// It began to divide after a sleep.
    Woke,
    /// It died where it lodged.
    Died,
    /// It died in the blood.
    DiedInBlood,
}

impl JourneyChange {
    /// As written in tables.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Travels => "in_blood",
            Self::Lodged(_) => "arrested",
            Self::Crossed => "crossed",
            Self::Slept => "asleep",
            Self::Grew => "growing",
            Self::Woke => "woken",
            Self::Died => "dead",
            Self::DiedInBlood => "died_in_blood",
        }
    }
}

/// What happened to the cells of journeys in a step, handed in from many threads.
#[derive(Resource, Debug, Default)]
pub struct Notes(Inbox<Vec<(u32, CellId, JourneyChange)>>);

impl Notes {
    /// Notes it, if the cell has made a journey.
    pub fn add(&self, journey: Option<u32>, cell: CellId, change: JourneyChange) {
        if let Some(journey) = journey {
            self.0.add(|notes| notes.push((journey, cell, change)));
        }
    }
}

/// One journey of one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Journey {
    /// Who.
    pub cell: CellId,
    /// The first cell of its line.
    pub founder: CellId,
    /// Divisions since then.
    pub generation: u32,
    /// Its type, by index.
    pub cell_type: u16,
    /// The journey by which it, or the cell that it descends from, had come to where it left.
    pub before: Option<u32>,
    /// The site that it left; [`SiteId::TRANSIT`] for one that was injected or came from an organ without a site.
    pub from: SiteId,
    /// How it entered.
    pub entry: EntryRoute,
    /// The cell that led those that entered together.
    pub group: CellId,
    /// How many they were.
    pub together: u16,
    /// Steps completed when it had left.
    pub left: u64,
    /// Steps completed when it had lodged.
    pub lodged: Option<u64>,
    /// The organ where it lodged, by its place in the list of organs.
    pub organ: Option<u8>,
    /// What became of it.
    pub now: JourneyChange,
    /// Steps completed when that happened.
    pub since: u64,
    /// Whether it ever began to divide there.
    pub grew: bool,
}

/// All journeys, by number.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Journeys(pub Vec<Journey>);

impl WhollyKept for Journeys {}

/// The books of cells on the way.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransitBooks {
    /// Cells that entered the blood of themselves, alone.
    pub singles: u64,
    /// Clusters that entered.
    pub clusters: u64,
    /// Cells of these.
    pub in_clusters: u64,
    /// Cells that entered the lymph.
    pub lymph: u64,
    /// Cells that were injected, or shed by colonies of organs without a site.
    pub injected: u64,
    /// All others that came on the way: carried off by a vessel, born there, immune cells.
    pub others: u64,
    /// Cells that arrived in a site.
    pub arrived: u64,
    /// Cells that were removed on the way: they died in the blood, or in an organ without a site.
    pub removed: u64,
    /// Cells that died in the blood.
    pub died_in_blood: u64,
    /// Cells that lodged in each organ, in a site of it or not.
    pub lodged: Vec<u64>,
}

impl WhollyKept for TransitBooks {}

impl TransitBooks {
    /// All that came on the way.
    pub const fn came(&self) -> u64 {
        self.singles + self.in_clusters + self.lymph + self.injected + self.others
    }
}

/// Books who came on the way and who left it, and writes the journeys on.
pub fn keep_books(
    clock: Res<Clock>,
    (events, kinds): (Res<StepEvents>, Res<EventKinds>),
    (transit, sites): (Res<Transit>, Res<Sites>),
    organs: Query<&Organ>,
    (mut books, mut journeys): (ResMut<TransitBooks>, ResMut<Journeys>),
    mut notes: ResMut<Notes>,
    mut cells: Query<(&CellType, &Lineage, &mut Voyage, Option<&mut Colonist>)>,
) {
    let step = clock.step + 1;
    let notes = notes.0.taken();
    if events.0.is_empty() && notes.is_empty() {
        return;
    }
    // What had happened before somebody left belongs to the journey before.
    notes.sort_unstable();
    for (journey, _, change) in notes.drain(..) {
        if let JourneyChange::Lodged(organ) = change {
            let organ = usize::from(organ);
            if books.lodged.len() <= organ {
                books.lodged.resize(organ + 1, 0);
            }
            books.lodged[organ] += 1;
        }
        books.died_in_blood += u64::from(change == JourneyChange::DiedInBlood);
        if let Some(journey) = journeys.0.get_mut(journey as usize) {
            journey.write_on(change, step);
        }
    }
    let mut group: Option<(CellId, u16)> = None;
    for event in &events.0 {
        let in_transit = event.site.is_transit();
        let passage = kinds.passage(event.kind);
        match passage {
            Some(Passage::Departure) => books.note_departure(event),
            Some(Passage::Recruitment) if in_transit => match event.kind {
                INJECTED | SHED => books.injected += 1,
                _ => books.others += 1,
            },
            Some(Passage::Birth) if in_transit => books.others += 1,
            Some(Passage::Removal) if in_transit => {
                books.removed += 1;
                if !matches!(event.kind, DIES | DIES_THERE) {
                    // One that was in the blood died there of itself.
                    let last = journeys.0.iter_mut().rfind(|of| of.cell == event.cell);
                    if let Some(journey) = last.filter(|of| of.now == JourneyChange::Travels) {
                        journey.write_on(JourneyChange::DiedInBlood, step);
                        books.died_in_blood += 1;
                    }
                }
            }
            Some(Passage::Arrival) => books.arrived += 1,
            _ => {}
        }
        let sets_out = matches!(event.kind, ENTERS | ENTERS_LYMPH | INJECTED | SHED);
        let is_departure = passage == Some(Passage::Departure);
        if !sets_out && !is_departure {
            continue;
        }
        let Some(traveller) = transit.find(event.cell) else {
            continue;
        };
        let Ok((cell_type, lineage, mut voyage, colonist)) = cells.get_mut(traveller.entity) else {
            continue;
        };
        let before = voyage.journey;
        if let Some(mut colonist) = colonist {
            *colonist = Colonist::default();
        }
        if is_departure {
            let organ = sites.find(event.site);
            let organ = organ.and_then(|site| organs.get(site.entity).ok()).copied();
            let entry = match event.kind {
                ENTERS_LYMPH => EntryRoute::Lymph,
                _ => EntryRoute::from_organ(organ),
            };
            *voyage = Voyage {
                entry,
                is_fresh: true,
                organ: None,
                group: event.other.or(Some(event.cell)),
                companions: 1,
                journey: before,
            };
        } else {
            // Of those that come together the first leads.
            let leads = match group {
                Some((leader, left)) if left > 0 => {
                    group = Some((leader, left - 1));
                    leader
                }
                _ => {
                    group = Some((event.cell, voyage.companions.saturating_sub(1)));
                    event.cell
                }
            };
            voyage.group = Some(leads);
        }
        if !sets_out {
            // What the blood carries off goes on with its journey.
            if let Some(journey) = before.and_then(|at| journeys.0.get_mut(at as usize)) {
                journey.write_on(JourneyChange::Travels, step);
            }
            continue;
        }
        // What a colony of an organ without a site sheds is of the line of the colony.
        let founder = before
            .filter(|_| event.kind == SHED)
            .and_then(|before| journeys.0.get(before as usize))
            .map_or(lineage.founder, |of| of.founder);
        voyage.journey = Some(journeys.0.len() as u32);
        journeys.0.push(Journey {
            cell: event.cell,
            founder,
            generation: lineage.generation,
            cell_type: cell_type.0,
            before,
            from: event.site,
            entry: voyage.entry,
            group: voyage.group.unwrap_or(event.cell),
            together: voyage.companions,
            left: step,
            lodged: None,
            organ: None,
            now: JourneyChange::Travels,
            since: step,
            grew: false,
        });
    }
    count_clusters(&mut books, &mut journeys.0, &transit, &mut cells, step);
}

/// Tells cells that entered together how many they were.
fn count_clusters(
    books: &mut TransitBooks,
    journeys: &mut [Journey],
    transit: &Transit,
    cells: &mut Query<(&CellType, &Lineage, &mut Voyage, Option<&mut Colonist>)>,
    step: u64,
) {
    let first = journeys.partition_point(|journey| journey.left < step);
    let new = &mut journeys[first..];
    for at in 0..new.len() {
        let entered = !new[at].from.is_transit() && new[at].entry != EntryRoute::Lymph;
        if !entered {
            continue;
        }
        let leader = new[at].group;
        let together = new.iter().filter(|of| of.group == leader).count() as u16;
        new[at].together = together;
        if together == 1 {
            books.singles += 1;
            continue;
        }
        books.in_clusters += 1;
        books.clusters += u64::from(new[at].cell == leader);
        if let Some(traveller) = transit.find(new[at].cell)
            && let Ok((_, _, mut voyage, _)) = cells.get_mut(traveller.entity)
        {
            voyage.companions = together;
        }
    }
}

impl TransitBooks {
    fn note_departure(&mut self, event: &EventRecord) {
        match event.kind {
            // Cells that enter are counted when it is known how many entered together.
            ENTERS => {}
            ENTERS_LYMPH => self.lymph += 1,
            _ => self.others += 1,
        }
    }
}

impl Journey {
    fn write_on(&mut self, change: JourneyChange, step: u64) {
        if let JourneyChange::Lodged(organ) = change {
            self.lodged = Some(step);
            self.organ = Some(organ);
        }
        self.grew |= matches!(change, JourneyChange::Grew | JourneyChange::Woke);
        self.now = change;
        self.since = step;
    }
}

/// What is wrong with the books: all that came on the way and did not leave it are there.
pub(super) fn unbalanced(world: &World) -> Option<Breach> {
    let books = world.get_resource::<TransitBooks>()?;
    let there = world.get_resource::<Transit>()?.len() as u64;
    (books.came() != there + books.arrived + books.removed).then(|| {
        Breach::new(format!(
            "{} cells came on the way, {} arrived and {} were removed, and {there} are there",
            books.came(),
            books.arrived,
            books.removed
        ))
    })
}

/// The list of journeys, as `journeys.csv` holds it; none where there was none.
pub(super) fn journeys_csv(world: &World) -> Option<String> {
    let journeys = world.get_resource::<Journeys>()?;
    if journeys.0.is_empty() {
        return None;
    }
    let mut living = vec![0_u64; journeys.0.len()];
    for table in tables_with::<Voyage>(world) {
        let (Some(voyages), vitals) = (table.get::<Voyage>(), table.get::<crate::cell::Vital>())
        else {
            continue;
        };
        let colonists = table.get::<Colonist>();
        for (row, voyage) in voyages.iter().enumerate() {
            let is_alive = vitals.is_none_or(|vitals| vitals[row].is_alive());
            if let Some(journey) = voyage.journey.filter(|_| is_alive) {
                let cells = colonists.map_or(1, |colonists| colonists[row].cells.max(1));
                living[journey as usize] += u64::from(cells);
            }
        }
    }
    let step_hours = world.resource::<Clock>().step_minutes / 60.0;
    let hours = |step: u64| step as f64 * step_hours;
    let sites = world.resource::<Sites>();
    let types = world.resource::<CellTypeNames>();
    let organs = world.resource::<Circulation>().get();
    let mut text = String::from(
        "journey,cell,type,founder,generation,before,from,entry,group,together,left_hours,transit_hours,organ,now,since_hours,grew,living_cells\n",
    );
    for (number, of) in journeys.0.iter().enumerate() {
        let name = |organ: u8| {
            let organ = organs?.organs.get(usize::from(organ))?;
            Some(organ.name.as_str())
        };
        let _written = writeln!(
            text,
            "{number},{},{},{},{},{},{},{},{},{},{:.4},{},{},{},{:.4},{},{}",
            of.cell.0,
            types
                .0
                .get(usize::from(of.cell_type))
                .map_or("", String::as_str),
            of.founder.0,
            of.generation,
            of.before
                .map_or_else(String::new, |before| before.to_string()),
            sites
                .find(of.from)
                .map_or("", |site| site.block.name.as_str()),
            of.entry.key(),
            of.group.0,
            of.together,
            hours(of.left),
            of.lodged.map_or_else(String::new, |lodged| format!(
                "{:.4}",
                hours(lodged - of.left)
            )),
            of.organ.and_then(name).unwrap_or_default(),
            of.now.key(),
            hours(of.since),
            u8::from(of.grew),
            living[number],
        );
    }
    Some(text)
}

/// The tree of journeys in the Newick format, of those that lodged: a root for each first cell; the length of a branch is the time in hours from the
/// journey before, or from the start, to the journey.
pub(super) fn ancestry_newick(world: &World) -> Option<String> {
    let journeys = &world.get_resource::<Journeys>()?.0;
    let shown = |of: &Journey| of.lodged.is_some();
    if !journeys.iter().any(shown) {
        return None;
    }
    let step_hours = world.resource::<Clock>().step_minutes / 60.0;
    let organs = world.resource::<Circulation>().get();
    // Children of each journey, and of each founder of first journeys. A later journey has a larger number than the one before it.
    let mut below: Vec<String> = vec![String::new(); journeys.len()];
    let mut roots: std::collections::BTreeMap<CellId, Vec<String>> =
        std::collections::BTreeMap::new();
    for (number, of) in journeys.iter().enumerate().rev() {
        if !shown(of) && below[number].is_empty() {
            continue;
        }
        let since = of.before.map_or(0, |before| journeys[before as usize].left);
        let organ = of
            .organ
            .and_then(|organ| organs?.organs.get(usize::from(organ)));
        let organ = organ.map_or("lost", |organ| organ.name.as_str());
        let children = std::mem::take(&mut below[number]);
        let children = if children.is_empty() {
            children
        } else {
            format!("({children})")
        };
        let length = of.left.saturating_sub(since) as f64 * step_hours;
        let node = format!("{children}j{number}_{organ}:{length:.4}");
        match of.before {
            Some(before) => {
                let siblings = &mut below[before as usize];
                if !siblings.is_empty() {
                    siblings.push(',');
                }
                siblings.push_str(&node);
            }
            None => roots.entry(of.founder).or_default().push(node),
        }
    }
    let roots = roots
        .into_iter()
        .map(|(founder, nodes)| format!("({})cell{}", nodes.join(","), founder.0));
    Some(format!("({})body;\n", roots.collect::<Vec<_>>().join(",")))
}
