//! Cells are born and removed: the `Turnover` stage.
//!
//! The one exclusive place where entities come and go. What happens was decided in `Act` by the modules, in
//! the components of each cell; here it is carried out in the order of cell identity, so identities are
//! handed out in a stable order. A dividing mother keeps her identity as one of the two daughters; the other
//! inherits a copy of all her components. Both lie at equal distance from where she was, so the centre of
//! mass does not move.

use bevy::ecs::query::QueryState;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::{Body, CellType, Cycle, LifeEvent, Position, Resident, Vital};
use crate::core::{CellId, CellIdCounter, Clock, Purpose, RandomKey, SimSchedule, SimSystems};
use crate::observe::{EventKind, EventRecord, StepEvents};
use crate::tissue::{SiteId, Sites};

/// Whose daughter a cell is.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub struct Lineage {
    /// The cell it came from by its last division; itself for a cell present from the start.
    pub parent: CellId,
    /// The cell of the start that all of this clone descend from.
    pub founder: CellId,
    /// Divisions since the founder.
    pub generation: u32,
}

/// Adds the `Turnover` stage.
pub struct TurnoverPlugin;

impl Plugin for TurnoverPlugin {
    fn build(&self, app: &mut App) {
        use crate::core::state::{Owner, RegisterState};
        app.init_resource::<StepEvents>()
            .init_resource::<CellIdCounter>()
            .register_kept::<Clock>(Owner::Simulation, "clock")
            .register_kept::<CellIdCounter>(Owner::Simulation, "next_cell")
            .declare_remade::<StepEvents>("the events of the step just over")
            .register_cell_state::<CellType>("cell_type")
            .register_cell_state::<Resident>("resident")
            .register_cell_state::<Lineage>("lineage")
            .add_systems(SimSchedule, turn_over.in_set(SimSystems::Turnover));
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

/// Buffers that live from step to step.
#[derive(Default)]
struct Buffers {
    due: Vec<Due>,
}

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
    let step = world.resource::<Clock>().step;
    let key = *world.resource::<RandomKey>();
    let mut events = std::mem::take(&mut world.resource_mut::<StepEvents>().0);
    events.clear();
    let due = &mut buffers.due;
    due.clear();

    let sites = world.resource::<Sites>();
    for (entity, id, resident, position, cycle, vital) in cells.iter(world) {
        let divides = cycle.is_some_and(|cycle| cycle.divides());
        let block = &sites.get(resident.0).block;
        let left = !block.walls
            && (position.0.cmplt(block.min_um).any() || position.0.cmpgt(block.max_um()).any());
        let removed = left || vital.is_some_and(|vital| vital.is_cleared());
        let mut note = |kind| {
            events.push(EventRecord {
                step: step + 1,
                site: resident.0,
                kind,
                cell: *id,
                position_um: position.0,
            });
        };
        match vital.map_or(LifeEvent::None, |vital| vital.event) {
            LifeEvent::None => {}
            LifeEvent::Apoptosis => note(EventKind::Apoptosis),
            LifeEvent::Necrosis => note(EventKind::Necrosis),
            LifeEvent::Lysis => note(EventKind::Lysis),
            LifeEvent::Clearance => note(EventKind::Clearance),
        }
        if left && !vital.is_some_and(Vital::is_cleared) {
            note(EventKind::Exit);
        }
        if divides || removed {
            due.push(Due {
                id: *id,
                entity,
                divides,
                removed,
            });
        }
    }
    due.sort_unstable();
    for cell in due.iter() {
        if cell.removed {
            world.despawn(cell.entity);
        } else if cell.divides {
            events.push(divide(world, cell.entity, cell.id, step, key));
        }
    }
    events.sort_unstable_by_key(|event| (event.cell, event.kind as u8));
    world.resource_mut::<StepEvents>().0 = events;
}

/// Divides a cell and reports the birth.
fn divide(world: &mut World, mother: Entity, id: CellId, step: u64, key: RandomKey) -> EventRecord {
    let daughter_id = world.resource_mut::<CellIdCounter>().take();
    let mut random = key.stream(id, step, Purpose::DivisionAxis);
    let axis = random.direction();
    let daughter = world.entity_mut(mother).clone_and_spawn();

    let mut offset = Vec3::ZERO;
    for entity in [mother, daughter] {
        let mut cell = world.entity_mut(entity);
        if let Some(mut body) = cell.get_mut::<Body>() {
            body.halve();
            // Two daughters of the mother's volume just touch at this distance from her centre.
            offset = axis * body.radius_um;
        }
        if let Some(mut cycle) = cell.get_mut::<Cycle>() {
            cycle.restart();
        }
    }
    let (site, position) = {
        let mother = world.entity(mother);
        (
            mother
                .get::<Resident>()
                .map_or(SiteId(0), |resident| resident.0),
            mother
                .get::<Position>()
                .map_or(Vec3::ZERO, |position| position.0),
        )
    };
    let lineage = world.get::<Lineage>(mother).copied();
    let mut place = |entity: Entity, at: Vec3| {
        let mut cell = world.entity_mut(entity);
        if let Some(mut position) = cell.get_mut::<Position>() {
            position.0 = at;
        }
        if let (Some(mut line), Some(before)) = (cell.get_mut::<Lineage>(), lineage) {
            line.generation = before.generation + 1;
            line.parent = id;
        }
    };
    place(mother, position - offset);
    place(daughter, position + offset);
    world.entity_mut(daughter).insert(daughter_id);
    EventRecord {
        step: step + 1,
        site,
        kind: EventKind::Division,
        cell: daughter_id,
        position_um: position + offset,
    }
}
