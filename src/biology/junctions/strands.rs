//! Bonds that are made and left: once every few minutes, of those cells alone that have loosened.
//!
//! Such cells are listed by site and identity, and gone through in that order: first each end lets go of what it can hold no longer,
//! then each cell that has too few bonds takes, by chance, the nearest of those whose membrane touches its own and that have too few as well.

use bevy::prelude::*;

use super::{ADHERENS, CHANCES, EVERY_MINUTES, JunctionParameters, Junctions, TOUCH};
use crate::cell::body::Body;
use crate::cell::bonds::{BondBook, BondKinds};
use crate::cell::death::is_alive;
use crate::cell::mechanics::{self, BondKindId, Bonds, MechanicsParameters, Vicinity};
use crate::cell::movement::{MovementParameters, SiteMechanics, contact_radius_um};
use crate::cell::{CellType, Position, Resident, Vital};
use crate::core::parallel::IN_TABLES;
use crate::core::parameters::PerType;
use crate::core::random::probability;
use crate::core::{CellId, Clock, Random, RandomKey};
use crate::tissue::{SiteEntry, SiteId, Sites};

/// A cell that has loosened.
#[derive(Clone, Copy)]
struct Loose {
    site: SiteId,
    id: CellId,
    entity: Entity,
    cell_type: u16,
    grip: f32,
    at: Vec3,
    /// At which it is in contact, um.
    radius: f32,
    /// Bonds of the kind that it has, or is to have.
    bonds: u32,
}

/// Lists that live from step to step.
#[derive(Default)]
pub struct Lists {
    loose: Vec<Loose>,
    vicinity: Vicinity,
    /// Rows that a cell touches, each with the square of the distance.
    touched: Vec<(f32, usize)>,
    randoms: Vec<Random>,
    /// Entities of cells that have loosened or are bonded, by identity.
    partners: Vec<(CellId, Entity)>,
}

/// What happens to the bonds of one site.
struct Turn<'a> {
    kind: BondKindId,
    bonds: &'a Bonds,
    book: &'a BondBook,
    hours: f32,
    /// Entities by identity.
    entities: &'a [(CellId, Entity)],
}

/// Cells that have loosened let go of bonds and form new ones.
pub fn make_and_leave(
    clock: Res<Clock>,
    key: Res<RandomKey>,
    sites: Res<Sites>,
    kinds: Res<BondKinds>,
    book: Res<BondBook>,
    parameters: Res<PerType<JunctionParameters>>,
    movement: Res<MovementParameters>,
    mechanics: Query<&SiteMechanics>,
    cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        &Body,
        Option<&Vital>,
        &Junctions,
    )>,
    mut lists: Local<Lists>,
) {
    let Lists {
        loose,
        vicinity,
        touched,
        randoms,
        partners,
    } = &mut *lists;
    loose.clear();
    partners.clear();
    let bonds_of = |site: &SiteEntry| Some(&mechanics.get(site.entity).ok()?.bonds);
    let bonds: Vec<Option<&Bonds>> = sites.list.iter().map(bonds_of).collect();
    for (entities, ids, types, residents, positions, bodies, vitals, junctions) in
        cells.contiguous_iter().expect(IN_TABLES)
    {
        for row in 0..ids.len() {
            let cell_type = types[row].0;
            let Some(of_type) = parameters.get(cell_type) else {
                continue;
            };
            let grip = junctions[row].grip;
            let alive = is_alive(vitals.map(|vitals| &vitals[row]));
            let site = residents[row].0;
            if !alive || site.is_transit() {
                continue;
            }
            let is_loose = grip < of_type.loosened_below;
            let here = bonds.get(usize::from(site.0)).copied().flatten();
            // A cell that has its grip back keeps what bonds it has, but a partner may let go of it.
            if is_loose || here.is_some_and(|bonds| bonds.binds(ids[row])) {
                partners.push((ids[row], entities[row]));
            }
            if is_loose {
                loose.push(Loose {
                    site,
                    id: ids[row],
                    entity: entities[row],
                    cell_type,
                    grip,
                    at: positions[row].0,
                    radius: contact_radius_um(movement.law, bodies[row].radius_um),
                    bonds: 0,
                });
            }
        }
    }
    if loose.is_empty() {
        return;
    }
    loose.sort_unstable_by_key(|cell| (cell.site, cell.id));
    partners.sort_unstable_by_key(|(id, _)| *id);
    let kind = kinds.id(ADHERENS.name);
    let hours = clock.turn_hours(EVERY_MINUTES);
    let mut rest = loose.as_mut_slice();
    while let Some(first) = rest.first() {
        let site = first.site;
        let count = rest.partition_point(|cell| cell.site == site);
        let (own, others) = std::mem::take(&mut rest).split_at_mut(count);
        rest = others;
        let found = sites.find(site).map(|known| mechanics.get(known.entity));
        let Some(Ok(found)) = found else {
            continue;
        };
        let turn = Turn {
            kind,
            bonds: &found.bonds,
            book: &book,
            hours,
            entities: partners,
        };
        let stream = |id: CellId| key.stream(id, clock.step, CHANCES);
        randoms.clear();
        randoms.extend(own.iter().map(|cell| stream(cell.id)));
        for (cell, random) in own.iter_mut().zip(&mut *randoms) {
            if let Some(of_type) = parameters.get(cell.cell_type) {
                turn.leave(cell, of_type, random);
            }
        }
        let bodies = vicinity.bodies_mut();
        bodies.clear();
        bodies.extend(own.iter().map(|cell| mechanics::ContactBody {
            id: cell.id,
            position: cell.at.to_array(),
            radius: cell.radius,
            adhesion: 0.0,
            repulsion: 0.0,
        }));
        vicinity.sort(TOUCH, MechanicsParameters::of(movement.law).bin_scale);
        for (row, random) in randoms.iter_mut().enumerate() {
            turn.make(own, row, &parameters, random, vicinity, touched);
        }
    }
}

impl Turn<'_> {
    /// Lets a cell let go of bonds that it can hold no longer, and counts the others.
    fn leave(&self, cell: &mut Loose, of_type: &JunctionParameters, random: &mut Random) {
        for bond in self.bonds.of(cell.id) {
            if bond.kind != self.kind {
                continue;
            }
            let rate = of_type.leaving_per_hour(cell.grip, bond.load);
            let lets_go = rate == f32::INFINITY || random.chance(probability(rate, self.hours));
            let partner = bond.partner_of(cell.id);
            match self.entity_of(partner) {
                Some(partner) if lets_go => self.book.cut(self.kind, [cell.entity, partner]),
                _ => cell.bonds += 1,
            }
        }
    }

    /// The entity of a partner.
    fn entity_of(&self, partner: CellId) -> Option<Entity> {
        let place = self
            .entities
            .binary_search_by_key(&partner, |(id, _)| *id)
            .ok()?;
        Some(self.entities[place].1)
    }

    /// Lets a cell of a site form a bond.
    fn make(
        &self,
        own: &mut [Loose],
        row: usize,
        parameters: &PerType<JunctionParameters>,
        random: &mut Random,
        vicinity: &Vicinity,
        touched: &mut Vec<(f32, usize)>,
    ) {
        let cell = own[row];
        let takes = |cell: &Loose| {
            let of_type = parameters.get(cell.cell_type)?;
            let free = cell.grip >= of_type.least_grip && cell.bonds < of_type.most;
            free.then_some(of_type)
        };
        let Some(of_type) = takes(&cell) else {
            return;
        };
        let rate = of_type.forming_per_hour;
        if !random.chance(probability(rate, self.hours)) {
            return;
        }
        touched.clear();
        vicinity.touching(cell.at.to_array(), cell.radius, |other, square| {
            if other != row {
                touched.push((square, other));
            }
        });
        let nearest = touched
            .iter()
            .filter(|(_, other)| {
                let other = &own[*other];
                let joined = self.bonds.between([cell.id, other.id], self.kind);
                takes(other).is_some() && joined.is_none()
            })
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        if let Some((_, other)) = nearest {
            let other = *other;
            self.book.form(self.kind, [cell.entity, own[other].entity]);
            own[row].bonds += 1;
            own[other].bonds += 1;
        }
    }
}
