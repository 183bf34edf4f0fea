//! Cells are born, come, go and are removed: the `Turnover` stage.
//!
//! The one exclusive place where entities come and go. What happens was decided before by the modules, in
//! the components of each cell and as requests ([`Passages`]); here it is carried out in the order of cell identity, so
//! identities are handed out in a stable order: cells are removed and divide, then recruits come ([`nursery`]), then cells
//! leave for transit and arrive from it ([`transit`]). Then modules tell what they noted of it, and all events of the step are
//! handed on ([`TurnoverSystems`]).
//!
//! A dividing mother keeps her identity as one of the two
//! daughters; the other inherits a copy of all her components ([`copier`]), and each module says what becomes of
//! its own ([`crate::cell::life`]). Both lie at equal distance from where she was, so the centre of mass does not move.
//!
//! All cells are looked at in parallel pieces, and what is due is joined in the order of pieces. The lists
//! live from step to step, so a step takes memory only when there are more cells, or more happens, than ever
//! before; rows of removed cells are used again by those born next.

mod asked;
pub mod copier;
pub mod lineage;
pub mod nursery;
pub mod passages;
pub mod transit;

use bevy::ecs::query::QueryState;
use bevy::prelude::*;

use super::barrier::hold_daughter;
use super::bonds;

pub use lineage::Lineage;
pub use passages::{Arrival, Departure, Passages, Recruit};
pub use transit::{Transit, Traveller};

use self::asked::refusal;
use self::copier::CellCopier;
use self::nursery::Nursery;
use self::passages::{Asked, Removal};
use self::transit::wrong_with_transit;
use super::clones::leave_clone;
use super::event::{EventBook, EventKinds, Passage, RegisterEvent, put_in_order};
use super::life::{CellLife, Division};
use super::movement::{hold_inside, place_in};
use super::plane::Plane;
use super::{CellType, Cycle, EventKind, EventRecord, Position, Resident, StepEvents, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::invariant::{Breach, Refused, RegisterInvariant};
use crate::core::parallel::for_each_chunk_mut;
use crate::core::state::{Owner, RegisterState};
use crate::core::{
    CellId, CellIdCounter, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule, SimSystems,
};
use crate::tissue::{Sites, population};

/// The order inside [`SimSystems::Turnover`].
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TurnoverSystems {
    /// Cells come and go.
    Change,
    /// Modules book the events of what they have noted in this step, the coming and going of cells included.
    Tell,
    /// All that was booked becomes the events of the step.
    HandOn,
}

/// A cell was born by division; the row names the daughter, and her mother as the other.
pub const DIVISION: EventKind = EventKind::of("division");
/// A cell left the tissue through an open face of its site.
pub const EXIT: EventKind = EventKind::of("exit");

/// The axis along which a cell divides.
const DIVISION_AXIS: Purpose = Purpose::numbered(3, "simulation.turnover.division_axis");

/// Adds the `Turnover` stage.
pub struct TurnoverPlugin;

impl Plugin for TurnoverPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<StepEvents>()
            .init_resource::<CellIdCounter>()
            .init_resource::<Passages>()
            .init_resource::<Transit>()
            .init_resource::<Refused>()
            .register_kept::<Clock>(Owner::Simulation, "clock")
            .register_kept::<CellIdCounter>(Owner::Simulation, "next_cell")
            .register_kept::<Transit>(Owner::Simulation, "transit")
            .declare_remade::<StepEvents>("the events of the step just over")
            .declare_remade::<Passages>("carried out in the step in which they are asked for")
            .declare_remade::<Refused>("a run in which something is refused ends")
            .register_passage(
                DIVISION,
                Passage::Birth,
                "A cell was born by division; the row names the daughter, and her mother as the other.",
            )
            .register_passage(
                EXIT,
                Passage::Removal,
                "A cell left the tissue through an open face of its site.",
            )
            .register_purpose(DIVISION_AXIS)
            .register_cell_state::<CellType>("cell_type")
            .register_cell_state::<Resident>("resident")
            .register_invariant(SimSystems::Turnover, "turn_over", wrong_with_transit)
            .while_in_transit(
                turn_over,
                InTransit::Runs,
                "cells divide, die and arrive wherever they are",
            )
            .register_invariant(SimSystems::Turnover, "turn_over", request_left)
            .register_invariant(SimSystems::Turnover, "hand_events_on", event_left)
            .configure_sets(
                SimSchedule,
                (
                    TurnoverSystems::Change,
                    TurnoverSystems::Tell,
                    TurnoverSystems::HandOn,
                )
                    .chain()
                    .in_set(SimSystems::Turnover),
            )
            .add_systems(
                SimSchedule,
                (
                    turn_over.in_set(TurnoverSystems::Change),
                    (hand_events_on, population::turn_members_over)
                        .chain()
                        .in_set(TurnoverSystems::HandOn),
                ),
            );
        lineage::register(app);
        population::register(app);
    }
}

/// What is to be done with a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    id: CellId,
    entity: Entity,
    divides: bool,
    removed: bool,
}

/// What was found in one piece of the cells, or in all of them.
#[derive(Default)]
struct Found {
    due: Vec<Due>,
    events: Vec<EventRecord>,
}

/// Buffers that live from step to step.
#[derive(Default)]
struct Buffers {
    pieces: Vec<Found>,
    due: Vec<Due>,
    /// What was asked for.
    asked: Asked,
    /// Cells that were removed.
    gone: Vec<CellId>,
    copier: CellCopier,
}

/// Why a daughter has a component.
const COMPLETE: &str = "a dividing cell has what every cell has, and so has its twin";

/// Cells looked at in one piece of the parallel loop.
const CHUNK: usize = 4096;

type Noted = (
    Entity,
    &'static CellId,
    &'static Resident,
    &'static Position,
    Option<&'static Cycle>,
    Option<&'static Vital>,
);

fn turn_over(world: &mut World, cells: &mut QueryState<Noted>, mut buffers: Local<Buffers>) {
    // An event is in force when the step is completed, and is dated so.
    let step = world.resource::<Clock>().step + 1;
    let mut events = std::mem::take(&mut world.resource_mut::<StepEvents>().0);
    events.clear();
    let Buffers {
        pieces,
        due,
        asked,
        gone,
        copier,
    } = &mut *buffers;
    world.resource_mut::<Passages>().hand_over(asked);
    asked.put_in_order();
    if let Some(violation) = refusal(world, asked) {
        // What can be carried out is, so that the step is whole; the run ends after it.
        world.resource_mut::<Refused>().0.get_or_insert(violation);
    }
    due.clear();
    for found in look_at_all(world, cells, pieces, step) {
        due.extend_from_slice(&found.due);
        events.extend_from_slice(&found.events);
    }
    due.sort_unstable();
    add_requests(world, due, asked, step, &mut events);
    gone.clear();
    carry_out(world, due, gone, copier, step, &mut events);
    recruit(world, &asked.recruits, copier, step, &mut events);
    transit::depart(world, &asked.departures, step, &mut events);
    transit::arrive(world, &asked.arrivals, step, &mut events);
    asked.clear();
    bonds::tell_broken(world);
    world.resource_mut::<StepEvents>().0 = events;
}

/// Adds what was booked to the events of the step, and puts these in order.
fn hand_events_on(
    clock: Res<Clock>,
    kinds: Res<EventKinds>,
    mut book: ResMut<EventBook>,
    mut events: ResMut<StepEvents>,
) {
    book.hand_on(clock.step + 1, &mut events.0);
    put_in_order(&mut events.0, &kinds);
}

/// A request that would be carried out in another step than that in which it was made.
fn request_left(world: &World) -> Option<Breach> {
    let passages = world.get_resource::<Passages>();
    let left = passages.is_some_and(|passages| !passages.is_empty());
    left.then(|| {
        Breach::new("a cell was asked to come or go when it was too late in the step".into())
    })
}

/// An event that would be told with those of another step.
fn event_left(world: &World) -> Option<Breach> {
    let book = world.get_resource::<EventBook>();
    let left = book.is_some_and(|book| !book.is_empty());
    left.then(|| Breach::new("an event was booked when those of the step were told".into()))
}

/// Adds the divisions and removals that were asked for to what the cells themselves say, each cell once.
fn add_requests(
    world: &World,
    due: &mut Vec<Due>,
    asked: &Asked,
    step: u64,
    events: &mut Vec<EventRecord>,
) {
    if asked.divisions.is_empty() && asked.removals.is_empty() {
        return;
    }
    let known = due.len();
    let place = |due: &[Due], cell: CellId| due.binary_search_by_key(&cell, |due| due.id);
    for (cell, entity) in &asked.divisions {
        if world.get::<CellId>(*entity) != Some(cell) {
            continue;
        }
        match place(&due[..known], *cell) {
            Ok(at) => due[at].divides = true,
            Err(_) => due.push(Due {
                id: *cell,
                entity: *entity,
                divides: true,
                removed: false,
            }),
        }
    }
    due.sort_unstable();
    let known = due.len();
    for Removal {
        kind,
        cell,
        entity,
        by,
    } in &asked.removals
    {
        let (Some(id), Some(resident), Some(position)) = (
            world.get::<CellId>(*entity).filter(|id| *id == cell),
            world.get::<Resident>(*entity),
            world.get::<Position>(*entity),
        ) else {
            continue;
        };
        match place(&due[..known], *cell) {
            Ok(at) if due[at].removed => continue,
            Ok(at) => due[at].removed = true,
            Err(_) => due.push(Due {
                id: *id,
                entity: *entity,
                divides: false,
                removed: true,
            }),
        }
        events.push(EventRecord {
            step,
            site: resident.0,
            kind: *kind,
            cell: *cell,
            other: *by,
            position_um: position.0,
        });
    }
    due.sort_unstable();
}

/// Removes cells and lets others divide, in the order given.
fn carry_out(
    world: &mut World,
    due: &[Due],
    gone: &mut Vec<CellId>,
    copier: &mut CellCopier,
    step: u64,
    events: &mut Vec<EventRecord>,
) {
    let key = *world.resource::<RandomKey>();
    let life = world
        .get_resource::<CellLife>()
        .cloned()
        .unwrap_or_default();
    for cell in due {
        if cell.removed {
            leave_clone(world, cell.entity);
            world.despawn(cell.entity);
            gone.push(cell.id);
        } else if cell.divides {
            let entity = copier.spawn(world, cell.entity);
            let id = world.resource_mut::<CellIdCounter>().take();
            let axis = key.stream(cell.id, step - 1, DIVISION_AXIS).direction();
            let axis = match is_flat(world, cell.entity) {
                true => Plane::turn_axis(axis),
                false => axis,
            };
            let division = |side| Division {
                mother: cell.id,
                daughter: id,
                axis,
                side,
                step: step - 1,
            };
            let mother_um = world.get::<Position>(cell.entity).expect(COMPLETE).0;
            life.divide(&mut world.entity_mut(cell.entity), &division(-1.0));
            let mut daughter = world.entity_mut(entity);
            *daughter.get_mut::<CellId>().expect(COMPLETE) = id;
            life.divide(&mut daughter, &division(1.0));
            for daughter in [cell.entity, entity] {
                hold_inside(world, daughter);
                hold_daughter(world, daughter, mother_um);
            }
            bonds::divide(world, cell.entity, entity);
            let daughter = world.entity(entity);
            let site = daughter.get::<Resident>().expect(COMPLETE).0;
            events.push(EventRecord {
                step,
                site,
                kind: DIVISION,
                cell: id,
                other: Some(cell.id),
                position_um: daughter.get::<Position>().expect(COMPLETE).0,
            });
            if site.is_transit() {
                let mut transit = world.resource_mut::<Transit>();
                if let Some(mother) = transit.find(cell.id).copied() {
                    transit.add(Traveller {
                        cell: id,
                        entity,
                        ..mother
                    });
                }
            }
        }
    }
    world.resource_mut::<Transit>().lose(gone);
    bonds::cut_all_of(world, gone);
}

/// Whether the site of a cell is a plane.
fn is_flat(world: &World, cell: Entity) -> bool {
    let resident = world.get::<Resident>(cell);
    let site = resident.and_then(|resident| world.resource::<Sites>().find(resident.0));
    site.is_some_and(|site| world.get::<Plane>(site.entity).is_some())
}

/// Lets those begin that were called, in the order given.
fn recruit(
    world: &mut World,
    recruits: &[Recruit],
    copier: &mut CellCopier,
    step: u64,
    events: &mut Vec<EventRecord>,
) {
    if recruits.is_empty() {
        return;
    }
    let mut nursery = Nursery::new(copier);
    for recruit in recruits {
        let Recruit {
            kind,
            cell_type,
            site,
            at_um,
            by,
            ..
        } = *recruit;
        if asked::wrong_with(world, recruit).is_some() {
            continue;
        }
        let at_um = if site.is_transit() {
            Vec3::ZERO
        } else {
            place_in(world, site, at_um)
        };
        let (id, entity) = nursery.begin(world, cell_type, site, at_um);
        recruit.carried.give(&mut world.entity_mut(entity));
        events.push(EventRecord {
            step,
            site,
            kind,
            cell: id,
            other: by,
            position_um: at_um,
        });
        if site.is_transit() {
            world.resource_mut::<Transit>().add(Traveller {
                cell: id,
                entity,
                from: site,
                from_um: at_um,
                since_step: step,
                kind,
            });
        }
    }
    nursery.close(world);
}

/// Looks at every cell; what was found, in the order of pieces.
fn look_at_all<'a>(
    world: &World,
    cells: &mut QueryState<Noted>,
    pieces: &'a mut Vec<Found>,
    step: u64,
) -> &'a [Found] {
    let sites = world.resource::<Sites>();
    let tables = cells
        .contiguous_iter(world)
        .expect("components of cells are stored in tables");
    let mut used = 0;
    for (entities, ids, residents, positions, cycles, vitals) in tables {
        let first = used;
        used += ids.len().div_ceil(CHUNK);
        if pieces.len() < used {
            pieces.resize_with(used, Found::default);
        }
        for_each_chunk_mut(&mut pieces[first..used], 1, |piece, found| {
            let found = &mut found[0];
            found.due.clear();
            found.events.clear();
            for row in piece * CHUNK..ids.len().min((piece + 1) * CHUNK) {
                found.look_at(
                    sites,
                    step,
                    (
                        entities[row],
                        &ids[row],
                        &residents[row],
                        &positions[row],
                        cycles.map(|cycles| &cycles[row]),
                        vitals.map(|vitals| &vitals[row]),
                    ),
                );
            }
        });
    }
    &pieces[..used]
}

impl Found {
    #[inline]
    fn look_at(
        &mut self,
        sites: &Sites,
        step: u64,
        (entity, id, resident, position, cycle, vital): (
            Entity,
            &CellId,
            &Resident,
            &Position,
            Option<&Cycle>,
            Option<&Vital>,
        ),
    ) {
        let divides = cycle.is_some_and(Cycle::divides);
        let left = sites.find(resident.0).is_some_and(|site| {
            let block = &site.block;
            !block.walls
                && (position.0.cmplt(block.min_um).any() || position.0.cmpgt(block.max_um()).any())
        });
        let cleared = vital.is_some_and(Vital::is_cleared);
        let mut note = |kind| {
            self.events.push(EventRecord {
                step,
                site: resident.0,
                kind,
                cell: *id,
                other: None,
                position_um: position.0,
            });
        };
        if let Some(kind) = vital.and_then(|vital| vital.event.kind()) {
            note(kind);
        }
        if left && !cleared {
            note(EXIT);
        }
        if divides || left || cleared {
            self.due.push(Due {
                id: *id,
                entity,
                divides,
                removed: left || cleared,
            });
        }
    }
}

#[cfg(test)]
mod tests;
