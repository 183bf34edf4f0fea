//! Cells between two sites: who is on the way since when, and how they leave and arrive.
//!
//! A cell in transit is the same entity with the same components. Its site is [`SiteId::TRANSIT`], a value that no site
//! has, so it is in no table of mechanics, fields or measurements; what its systems do meanwhile each of them says
//! ([`crate::core::in_transit`]). Bonds between cells that leave together go on the way with them
//! ([`BondsInTransit`](crate::cell::bonds::BondsInTransit)). The module that brings cells on the way is the one that decides when and where they arrive, or that they die.

use std::collections::BTreeMap;

use bevy::prelude::*;

use super::passages::{Arrival, Departure};
use crate::cell::bonds::BondsInTransit;
use crate::cell::event::{EventKinds, EventRecord};
use crate::cell::mechanics::Bonds;
use crate::cell::movement::{SiteMechanics, place_in};
use crate::cell::{EventKind, Position, Resident, Surroundings};
use crate::core::CellId;
use crate::core::invariant::Breach;
use crate::core::state::Kept;
use crate::tissue::{SiteId, Sites};

/// A cell on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traveller {
    /// The cell.
    pub cell: CellId,
    /// Its entity.
    pub entity: Entity,
    /// The site it left; [`SiteId::TRANSIT`] for one recruited on the way.
    pub from: SiteId,
    /// Where its centre was then, um.
    pub from_um: Vec3,
    /// Steps completed when it had left.
    pub since_step: u64,
    /// How it left.
    pub kind: EventKind,
}

/// All cells on the way.
#[derive(Resource, Debug, Default)]
pub struct Transit {
    /// In the order of identity.
    travellers: Vec<Traveller>,
    /// Of travellers just read from a file, the names of how they left; see [`Transit::settle`].
    kinds: Vec<String>,
}

impl Transit {
    /// Every cell on the way, in the order of identity.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Traveller> {
        self.travellers.iter()
    }

    /// Number of cells on the way.
    pub const fn len(&self) -> usize {
        self.travellers.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.travellers.is_empty()
    }

    /// A cell, if it is on the way.
    pub fn find(&self, cell: CellId) -> Option<&Traveller> {
        let place = self.place(cell).ok()?;
        self.travellers.get(place)
    }

    fn place(&self, cell: CellId) -> Result<usize, usize> {
        self.travellers
            .binary_search_by_key(&cell, |traveller| traveller.cell)
    }

    pub(super) fn add(&mut self, traveller: Traveller) {
        match self.place(traveller.cell) {
            Ok(at) => self.travellers[at] = traveller,
            Err(at) => self.travellers.insert(at, traveller),
        }
    }

    /// Forgets cells, given in order, that were removed on the way.
    pub(super) fn lose(&mut self, cells: &[CellId]) {
        if self.is_empty() {
            return;
        }
        self.travellers
            .retain(|traveller| cells.binary_search(&traveller.cell).is_err());
    }

    /// Finds the entities of travellers that were read from a file, now that these are there.
    ///
    /// # Errors
    /// In words, when the cells of the file are not where its travellers say.
    pub(crate) fn settle(world: &mut World) -> Result<(), String> {
        if !world.contains_resource::<Self>() {
            return Ok(());
        }
        let mut on_the_way = cells_on_the_way(world);
        on_the_way.sort_unstable();
        world.resource_scope(|world, mut transit: Mut<Self>| {
            let known = world.resource::<EventKinds>();
            let Self {
                travellers, kinds, ..
            } = &mut *transit;
            if travellers.len() != on_the_way.len() {
                return Err(format!(
                    "the file tells of {} cells in transit, and has {}",
                    travellers.len(),
                    on_the_way.len()
                ));
            }
            for ((traveller, kind), (cell, entity)) in
                travellers.iter_mut().zip(kinds.drain(..)).zip(on_the_way)
            {
                if traveller.cell != cell {
                    return Err(format!(
                        "cell {} of the file is in transit, but no traveller",
                        cell.0
                    ));
                }
                traveller.entity = entity;
                traveller.kind = known
                    .named(&kind)
                    .ok_or_else(|| format!("it does not know the event `{kind}`"))?;
            }
            Ok(())
        })
    }
}

/// A traveller as a checkpoint stores it: cell, site and place it left, when, and how.
type TravellerState = (CellId, SiteId, [f32; 3], u64, String);

impl Kept for Transit {
    type State = Vec<TravellerState>;

    fn keep(&self) -> Self::State {
        let travellers = self.travellers.iter().map(|of| {
            let kind = of.kind.name().to_owned();
            (of.cell, of.from, of.from_um.to_array(), of.since_step, kind)
        });
        travellers.collect()
    }

    fn restore(&mut self, travellers: Self::State) -> Result<(), String> {
        const UNKNOWN: EventKind = EventKind::of("");
        self.travellers.clear();
        self.kinds.clear();
        for (cell, from, from_um, since_step, kind) in travellers {
            self.travellers.push(Traveller {
                cell,
                entity: Entity::PLACEHOLDER,
                from,
                from_um: Vec3::from_array(from_um),
                since_step,
                kind: UNKNOWN,
            });
            self.kinds.push(kind);
        }
        Ok(())
    }
}

/// The cells of a world that are in no site.
fn cells_on_the_way(world: &World) -> Vec<(CellId, Entity)> {
    let Some(mut query) = world.try_query::<(&CellId, Entity, &Resident)>() else {
        return Vec::new();
    };
    let cells = query.iter(world);
    cells
        .filter(|(_, _, resident)| resident.0.is_transit())
        .map(|(cell, entity, _)| (*cell, entity))
        .collect()
}

/// What is wrong with the list of travellers: it must be that of the cells in no site, with bonds among them only.
pub(super) fn wrong_with_transit(world: &World) -> Option<Breach> {
    let transit = world.get_resource::<Transit>()?;
    let mut cells = cells_on_the_way(world);
    cells.sort_unstable();
    let listed: Vec<_> = transit.iter().map(|of| (of.cell, of.entity)).collect();
    if cells != listed {
        let odd = |a: &[(CellId, Entity)], b: &[(CellId, Entity)]| {
            let mut a = a.iter();
            a.find(|cell| b.binary_search(cell).is_err())
                .map(|(cell, _)| *cell)
        };
        return Some(Breach {
            cell: odd(&cells, &listed).or_else(|| odd(&listed, &cells)),
            found: format!(
                "{} cells are in no site, {} are listed as in transit",
                cells.len(),
                listed.len()
            ),
        });
    }
    let mut bonds = world.get_resource::<BondsInTransit>()?.0.iter();
    let broken =
        bonds.find(|bond| transit.find(bond.a).is_none() || transit.find(bond.b).is_none());
    broken.map(|bond| Breach {
        cell: Some(bond.a),
        found: format!(
            "in transit it is bound to cell {}, and one of them is not there",
            bond.b.0
        ),
    })
}

/// Brings cells on the way, as was asked; those that were removed meanwhile go nowhere.
pub(super) fn depart(
    world: &mut World,
    departures: &[Departure],
    step: u64,
    events: &mut Vec<EventRecord>,
) {
    if departures.is_empty() {
        return;
    }
    let is_there = |departure: &&Departure| {
        world.get::<CellId>(departure.entity) == Some(&departure.cell)
            && world
                .get::<Resident>(departure.entity)
                .is_some_and(|resident| !resident.0.is_transit())
    };
    let mut leaving: BTreeMap<CellId, Departure> = departures
        .iter()
        .filter(is_there)
        .map(|departure| (departure.cell, *departure))
        .collect();
    follow_departures(world, &mut leaving);
    let cells: Vec<CellId> = leaving.keys().copied().collect();
    world.resource_scope(|world, mut transit: Mut<Transit>| {
        for departure in leaving.values() {
            let mut cell = world.entity_mut(departure.entity);
            let (Some(from), Some(position)) = (
                cell.get::<Resident>().copied(),
                cell.get::<Position>().copied(),
            ) else {
                continue;
            };
            events.push(EventRecord {
                step,
                site: from.0,
                kind: departure.kind,
                cell: departure.cell,
                other: departure.by,
                position_um: position.0,
            });
            transit.add(Traveller {
                cell: departure.cell,
                entity: departure.entity,
                from: from.0,
                from_um: position.0,
                since_step: step,
                kind: departure.kind,
            });
            settle_in(&mut cell, SiteId::TRANSIT, Vec3::ZERO, 0);
        }
    });
    world.resource_scope(|world, mut bonds: Mut<BondsInTransit>| {
        for number in 0..world.resource::<Sites>().list.len() {
            let site = world.resource::<Sites>().list[number].entity;
            if let Some(mut mechanics) = world.get_mut::<SiteMechanics>(site)
                && !mechanics.bonds.is_empty()
            {
                mechanics.bonds.move_between(&cells, &mut bonds.0);
            }
        }
    });
}

/// Lets those leave as well that are bound to cells that leave with their partners.
fn follow_departures(world: &World, leaving: &mut BTreeMap<CellId, Departure>) {
    let leaders: Vec<Departure> = leaving
        .values()
        .filter(|departure| departure.with_bonded)
        .copied()
        .collect();
    if leaders.is_empty() {
        return;
    }
    let sites = world.resource::<Sites>();
    let mut following: BTreeMap<CellId, Departure> = BTreeMap::new();
    for leader in leaders {
        let site = world
            .get::<Resident>(leader.entity)
            .map(|resident| resident.0);
        let site = site.and_then(|site| sites.find(site));
        let mechanics = site.and_then(|site| world.get::<SiteMechanics>(site.entity));
        for cell in mechanics.map_or_else(Vec::new, |of| of.bonds.group_of(leader.cell)) {
            if !leaving.contains_key(&cell) {
                following.entry(cell).or_insert(leader);
            }
        }
    }
    if following.is_empty() {
        return;
    }
    let Some(mut query) = world.try_query::<(&CellId, Entity)>() else {
        return;
    };
    for (cell, entity) in query.iter(world) {
        if let Some(leader) = following.get(cell) {
            let departure = Departure {
                cell: *cell,
                entity,
                ..*leader
            };
            leaving.insert(*cell, departure);
        }
    }
}

/// Brings cells from the way into sites, as was asked; those that are not on the way stay where they are.
pub(super) fn arrive(
    world: &mut World,
    arrivals: &[Arrival],
    step: u64,
    events: &mut Vec<EventRecord>,
) {
    if arrivals.is_empty() {
        return;
    }
    world.resource_scope(|world, mut transit: Mut<Transit>| {
        let mut coming: BTreeMap<CellId, Arrival> = arrivals
            .iter()
            .filter(|arrival| transit.find(arrival.cell).is_some())
            .map(|arrival| (arrival.cell, *arrival))
            .collect();
        let bonds = &world.resource::<BondsInTransit>().0;
        follow_arrivals(&transit, bonds, &mut coming);
        let mut by_site: BTreeMap<SiteId, Vec<CellId>> = BTreeMap::new();
        for arrival in coming.values() {
            let (Some(traveller), Some(site)) = (
                transit.find(arrival.cell).copied(),
                world.resource::<Sites>().find(arrival.to),
            ) else {
                continue;
            };
            let block = &site.block;
            let at_um = block.nearest_inside(arrival.at_um);
            let at_um = place_in(world, arrival.to, at_um);
            let voxel = block.voxel_at(at_um);
            events.push(EventRecord {
                step,
                site: arrival.to,
                kind: arrival.kind,
                cell: arrival.cell,
                other: arrival.by,
                position_um: at_um,
            });
            let mut cell = world.entity_mut(traveller.entity);
            settle_in(&mut cell, arrival.to, at_um, voxel);
            by_site.entry(arrival.to).or_default().push(arrival.cell);
        }
        transit
            .travellers
            .retain(|traveller| !coming.contains_key(&traveller.cell));
        let mut bonds = world.resource_mut::<BondsInTransit>();
        let mut bonds = std::mem::take(&mut bonds.0);
        for (to, cells) in by_site {
            let entity = world.resource::<Sites>().find(to).map(|site| site.entity);
            let mechanics = entity.and_then(|entity| world.get_mut::<SiteMechanics>(entity));
            match mechanics {
                Some(mut mechanics) if !bonds.is_empty() => {
                    bonds.move_between(&cells, &mut mechanics.bonds);
                }
                _ => bonds.cut(&cells),
            }
        }
        world.resource_mut::<BondsInTransit>().0 = bonds;
    });
}

/// Lets those arrive as well that are bound to cells that arrive with their partners, about each other as they left.
fn follow_arrivals(transit: &Transit, bonds: &Bonds, coming: &mut BTreeMap<CellId, Arrival>) {
    let leaders: Vec<Arrival> = coming
        .values()
        .filter(|arrival| arrival.with_bonded)
        .copied()
        .collect();
    if leaders.is_empty() {
        return;
    }
    for leader in leaders {
        let Some(first) = transit.find(leader.cell) else {
            continue;
        };
        let left_together = |of: &&Traveller| {
            of.from == first.from && of.since_step == first.since_step && !of.from.is_transit()
        };
        // Those that follow it, and it.
        let mut group = bonds.group_of(leader.cell);
        group.retain(|cell| *cell == leader.cell || !coming.contains_key(cell));
        let places: Vec<Vec3> = group
            .iter()
            .filter_map(|cell| transit.find(*cell).filter(left_together))
            .map(|of| of.from_um)
            .collect();
        let middle = places.iter().sum::<Vec3>() / places.len().max(1) as f32;
        for cell in group {
            let of = transit.find(cell).filter(left_together);
            let aside = of.map_or(Vec3::ZERO, |of| of.from_um - middle);
            let arrival = Arrival {
                cell,
                at_um: leader.at_um + aside,
                ..leader
            };
            coming.insert(cell, arrival);
        }
    }
}

/// Puts a cell into a site, or on the way: what it perceives there is still to come.
fn settle_in(cell: &mut EntityWorldMut, site: SiteId, at_um: Vec3, voxel: u32) {
    if let Some(mut resident) = cell.get_mut::<Resident>() {
        resident.0 = site;
    }
    if let Some(mut position) = cell.get_mut::<Position>() {
        position.0 = at_um;
    }
    if let Some(mut around) = cell.get_mut::<Surroundings>() {
        *around = Surroundings {
            voxel,
            ..Surroundings::default()
        };
    }
}
