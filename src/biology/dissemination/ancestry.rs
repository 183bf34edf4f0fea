//! Ancestry: every journey through the blood or the lymph, from whom, from where, with whom, how long, to where, and what came of it; and the books of
//! all cells on the way.
//!
//! A journey begins when a cell enters a vessel. The cell, and what descends from it, knows its last journey by number ([`Voyage::journey`]); a journey
//! knows the one before it. So each metastasis leads back, journey by journey, to a cell of the first tumour: `ancestry.nwk` is that tree, `journeys.csv` the
//! list.
//!
//! [`keep_books`] runs in `Turnover`, when cells have come and gone.

use std::collections::BTreeMap;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::circuit::{Circulation, EntryRoute};
use super::circulation::{DIES, INJECTED, Voyage};
use super::colonisation::{Colonist, DIES_THERE, SHED};
use super::intravasation::ENTERS;
use crate::cell::doors::lymph::LymphRoutes;
use crate::cell::event::{EventKinds, Passage};
use crate::cell::turnover::{Lineage, Transit};
use crate::cell::{CellType, StepEvents};
use crate::core::inbox::Inbox;
use crate::core::invariant::Breach;
use crate::core::state::WhollyKept;
use crate::core::{CellId, Clock};
use crate::tissue::{Organ, SiteId, Sites};

/// So many lines of first cells are told apart.
pub(super) const LINES_KEPT: u64 = 8;

/// The number of the line of a first cell, counted from 0.
pub(super) const fn line_of(founder: u64) -> usize {
    (founder % LINES_KEPT) as usize
}

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
    /// It is in the lymph, and has not come to the node.
    InLymph,
    /// It died in the lymph.
    DiedInLymph,
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
            Self::InLymph => "in_lymph",
            Self::DiedInLymph => "died_in_lymph",
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

/// The last journey of each cell that has made one itself.
#[derive(Resource, Debug, Default)]
pub struct LastJourneys {
    /// So many of the journeys are in it.
    known: usize,
    of_cells: BTreeMap<CellId, u32>,
}

impl LastJourneys {
    /// Takes in what has been added to the list.
    fn keep_up(&mut self, journeys: &[Journey]) {
        for (number, journey) in journeys.iter().enumerate().skip(self.known) {
            self.of_cells.insert(journey.cell, number as u32);
        }
        self.known = journeys.len();
    }
}

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
    (events, kinds, routes): (Res<StepEvents>, Res<EventKinds>, Res<LymphRoutes>),
    (transit, sites): (Res<Transit>, Res<Sites>),
    circulation: Res<Circulation>,
    organs: Query<&Organ>,
    (mut books, mut journeys): (ResMut<TransitBooks>, ResMut<Journeys>),
    mut last: ResMut<LastJourneys>,
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
            books.count_lodged(organ);
        }
        books.died_in_blood += u64::from(change == JourneyChange::DiedInBlood);
        if let Some(journey) = journeys.0.get_mut(journey as usize) {
            journey.write_on(change, step);
        }
    }
    last.keep_up(&journeys.0);
    let mut group: Option<(CellId, u16)> = None;
    for event in &events.0 {
        let in_transit = event.site.is_transit();
        let passage = kinds.passage(event.kind);
        // Whoever can travel with the blood is carried by it, whichever module let it into lymph.
        let traveller = transit.find(event.cell);
        let by_lymph = circulation.get().is_some()
            && routes.of(event.kind).is_some()
            && traveller.is_some_and(|of| cells.contains(of.entity));
        match passage {
            Some(Passage::Departure) => match event.kind {
                // Cells that enter are counted when it is known how many entered together.
                ENTERS => {}
                _ if by_lymph => books.lymph += 1,
                _ => books.others += 1,
            },
            Some(Passage::Recruitment) if in_transit => match event.kind {
                INJECTED | SHED => books.injected += 1,
                _ => books.others += 1,
            },
            Some(Passage::Birth) if in_transit => books.others += 1,
            Some(Passage::Removal) => {
                books.removed += u64::from(in_transit);
                // One that was in the blood or the lymph died there of itself; one that slept was cut out, say. A colony is more than the cell that founded it.
                let of = last
                    .of_cells
                    .get(&event.cell)
                    .filter(|_| !matches!(event.kind, DIES | DIES_THERE));
                let of = of.and_then(|at| journeys.0.get_mut(*at as usize));
                let change = of.as_ref().and_then(|of| match of.now {
                    JourneyChange::Travels if in_transit => Some(JourneyChange::DiedInBlood),
                    JourneyChange::InLymph if in_transit => Some(JourneyChange::DiedInLymph),
                    JourneyChange::Lodged(_) | JourneyChange::Crossed | JourneyChange::Slept => {
                        Some(JourneyChange::Died)
                    }
                    _ => None,
                });
                if let (Some(journey), Some(change)) = (of, change) {
                    journey.write_on(change, step);
                    books.died_in_blood += u64::from(change == JourneyChange::DiedInBlood);
                }
            }
            Some(Passage::Arrival) => books.arrived += 1,
            _ => {}
        }
        let sets_out = by_lymph || matches!(event.kind, ENTERS | INJECTED | SHED);
        let is_departure = passage == Some(Passage::Departure);
        if !sets_out && !is_departure {
            continue;
        }
        let Some(traveller) = traveller else { continue };
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
            let entry = if by_lymph {
                EntryRoute::Lymph
            } else {
                EntryRoute::from_organ(organ)
            };
            *voyage = Voyage {
                entry,
                is_fresh: true,
                organ: None,
                group: event.other.or(Some(event.cell)),
                cloak: 0.0,
                platelets: None,
                companions: 1,
                line: voyage.line,
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
        // What a colony of an organ without a site sheds, and what descends from that, is of the line of the colony.
        let founder = before
            .and_then(|before| journeys.0.get(before as usize))
            .map_or(lineage.founder, |of| of.founder);
        voyage.journey = Some(journeys.0.len() as u32);
        voyage.line = line_of(founder.0) as u8 + 1;
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
            now: if by_lymph {
                JourneyChange::InLymph
            } else {
                JourneyChange::Travels
            },
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
    if new.is_empty() {
        return;
    }
    let mut groups: Vec<CellId> = new.iter().map(|of| of.group).collect();
    groups.sort_unstable();
    for of in new {
        if of.from.is_transit() || of.entry == EntryRoute::Lymph {
            continue;
        }
        let leader = of.group;
        let from = groups.partition_point(|group| *group < leader);
        let together = groups[from..].partition_point(|group| *group == leader) as u16;
        of.together = together;
        if together == 1 {
            books.singles += 1;
            continue;
        }
        books.in_clusters += 1;
        books.clusters += u64::from(of.cell == leader);
        if let Some(traveller) = transit.find(of.cell)
            && let Ok((_, _, mut voyage, _)) = cells.get_mut(traveller.entity)
        {
            voyage.companions = together;
        }
    }
}

impl TransitBooks {
    fn count_lodged(&mut self, organ: u8) {
        let organ = usize::from(organ);
        if self.lodged.len() <= organ {
            self.lodged.resize(organ + 1, 0);
        }
        self.lodged[organ] += 1;
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
