//! Cells are born and removed: the `Turnover` stage.
//!
//! The one exclusive place where entities come and go. What happens was decided in `Act` by the modules, in
//! the components of each cell and as [`Transfers`]; here it is carried out in the order of cell identity, so
//! identities are handed out in a stable order. A dividing mother keeps her identity as one of the two
//! daughters; the other inherits a copy of all her components ([`super::twin`]), and each module says what becomes of
//! its own ([`crate::cell::life`]). Both lie at equal distance from where she was, so the centre of mass does not move.
//!
//! All cells are looked at in parallel pieces, and what is due is joined in the order of pieces. The lists
//! live from step to step, so a step takes memory only when there are more cells, or more happens, than ever
//! before; rows of removed cells are used again by those born next.

use bevy::ecs::query::QueryState;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::twin::Twins;
use crate::cell::clones::leave_clone;
use crate::cell::event::{EventBook, EventKinds, RegisterEvent, put_in_order};
use crate::cell::life::{Beginning, CellLife, Division, RegisterLife};
use crate::cell::movement::SiteMechanics;
use crate::cell::{CellType, Cycle, EventKind, EventRecord, Position, Resident, StepEvents, Vital};
use crate::core::parallel::for_each_chunk_mut;
use crate::core::{
    CellId, CellIdCounter, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule, SimSystems,
};
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

impl Lineage {
    /// The lineage of a cell that is there from the start.
    const fn of_founder(id: CellId) -> Self {
        Self {
            parent: id,
            founder: id,
            generation: 0,
        }
    }
}

/// A cell that goes to another site, or to another place in its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transfer {
    /// The cell.
    pub cell: CellId,
    /// Its entity.
    pub entity: Entity,
    /// Where it goes.
    pub to: SiteId,
    /// Its new centre, um.
    pub at_um: Vec3,
}

/// Cells that change their site at the end of this step; filled in `Act`, in any order.
///
/// The cell keeps its identity and all it carries. It is reported as leaving ([`EXIT`]) and as
/// entering ([`ENTRY`]). Of several transfers of one cell that to the first site counts; a cell that is
/// removed in the same step goes nowhere, one that divides leaves her daughter behind.
#[derive(Resource, Clone, Debug, Default)]
pub struct Transfers(pub Vec<Transfer>);

/// A cell was born by division; the row names the daughter.
pub const DIVISION: EventKind = EventKind::of("division");
/// A cell left its site, through an open face or for another site.
pub const EXIT: EventKind = EventKind::of("exit");
/// A cell that left a site entered this one.
pub const ENTRY: EventKind = EventKind::of("entry");

/// The axis along which a cell divides.
const DIVISION_AXIS: Purpose = Purpose::numbered(3, "simulation.turnover.division_axis");

/// Adds the `Turnover` stage.
pub struct TurnoverPlugin;

impl Plugin for TurnoverPlugin {
    fn build(&self, app: &mut App) {
        use crate::core::state::{Owner, RegisterState};
        app.init_resource::<StepEvents>()
            .init_resource::<CellIdCounter>()
            .init_resource::<Transfers>()
            .register_kept::<Clock>(Owner::Simulation, "clock")
            .register_kept::<CellIdCounter>(Owner::Simulation, "next_cell")
            .declare_remade::<StepEvents>("the events of the step just over")
            .declare_remade::<Transfers>("carried out in the step in which they are asked for")
            .register_event(
                DIVISION,
                "A cell was born by division; the row names the daughter.",
            )
            .register_event(
                EXIT,
                "A cell left its site, through an open face or for another site.",
            )
            .register_event(ENTRY, "A cell that left a site entered this one.")
            .register_purpose(DIVISION_AXIS)
            .register_cell_state::<CellType>("cell_type")
            .register_cell_state::<Resident>("resident")
            .register_cell_state::<Lineage>("lineage")
            .begin_cells(|_| {
                let unnamed = CellId(u64::MAX);
                let settled = Beginning::settled(Lineage::of_founder(unnamed));
                Some(settled.and_draw(|cell, _| {
                    if let Some(id) = cell.get::<CellId>().copied()
                        && let Some(mut lineage) = cell.get_mut::<Lineage>()
                    {
                        *lineage = Lineage::of_founder(id);
                    }
                }))
            })
            .divide_cells(|cell, division| {
                if let Some(mut lineage) = cell.get_mut::<Lineage>() {
                    lineage.generation += 1;
                    lineage.parent = division.mother;
                }
            })
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
    /// Cells that are no longer in the site they were in.
    gone: Vec<CellId>,
    twins: Twins,
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

type Transferred = (
    &'static CellId,
    &'static mut Resident,
    &'static mut Position,
);

fn turn_over(
    world: &mut World,
    cells: &mut QueryState<Noted>,
    transferred: &mut QueryState<Transferred>,
    mut buffers: Local<Buffers>,
) {
    // An event is in force when the step is completed, and is dated so.
    let step = world.resource::<Clock>().step;
    let key = *world.resource::<RandomKey>();
    let life = world
        .get_resource::<CellLife>()
        .cloned()
        .unwrap_or_default();
    let mut events = std::mem::take(&mut world.resource_mut::<StepEvents>().0);
    events.clear();
    let Buffers {
        pieces,
        due,
        gone,
        twins,
    } = &mut *buffers;
    due.clear();
    for found in look_at_all(world, cells, pieces, step + 1) {
        due.extend_from_slice(&found.due);
        events.extend_from_slice(&found.events);
    }
    due.sort_unstable();
    for cell in due.iter() {
        if cell.removed {
            leave_clone(world, cell.entity);
            world.despawn(cell.entity);
        } else if cell.divides {
            let daughter = twins.spawn(world, cell.entity);
            let id = world.resource_mut::<CellIdCounter>().take();
            let division = |side| Division {
                mother: cell.id,
                daughter: id,
                axis: key.stream(cell.id, step, DIVISION_AXIS).direction(),
                side,
                step,
            };
            life.divide(&mut world.entity_mut(cell.entity), &division(-1.0));
            let mut daughter = world.entity_mut(daughter);
            *daughter.get_mut::<CellId>().expect(COMPLETE) = id;
            life.divide(&mut daughter, &division(1.0));
            events.push(EventRecord {
                step: step + 1,
                site: daughter.get::<Resident>().expect(COMPLETE).0,
                kind: DIVISION,
                cell: id,
                position_um: daughter.get::<Position>().expect(COMPLETE).0,
            });
        }
    }
    gone.clear();
    gone.extend(due.iter().filter(|cell| cell.removed).map(|cell| cell.id));
    transfer(world, transferred, step + 1, &mut events, gone);
    cut_bonds(world, gone);
    world
        .resource_mut::<EventBook>()
        .hand_on(step + 1, &mut events);
    put_in_order(&mut events, world.resource::<EventKinds>());
    world.resource_mut::<StepEvents>().0 = events;
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
        let block = &sites.get(resident.0).block;
        let left = !block.walls
            && (position.0.cmplt(block.min_um).any() || position.0.cmpgt(block.max_um()).any());
        let cleared = vital.is_some_and(Vital::is_cleared);
        let mut note = |kind| {
            self.events.push(EventRecord {
                step,
                site: resident.0,
                kind,
                cell: *id,
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

/// Carries out the transfers asked for in this step.
fn transfer(
    world: &mut World,
    cells: &mut QueryState<Transferred>,
    step: u64,
    events: &mut Vec<EventRecord>,
    gone: &mut Vec<CellId>,
) {
    let mut transfers = std::mem::take(&mut world.resource_mut::<Transfers>().0);
    transfers.sort_unstable_by_key(|transfer| {
        let Transfer {
            cell, to, at_um, ..
        } = transfer;
        (*cell, *to, at_um.to_array().map(f32::to_bits))
    });
    transfers.dedup_by_key(|transfer| transfer.cell);
    for Transfer {
        entity, to, at_um, ..
    } in transfers.drain(..)
    {
        let Ok((id, mut resident, mut position)) = cells.get_mut(world, entity) else {
            continue;
        };
        let mut note = |kind, site, position_um| {
            events.push(EventRecord {
                step,
                site,
                kind,
                cell: *id,
                position_um,
            });
        };
        note(EXIT, resident.0, position.0);
        note(ENTRY, to, at_um);
        if resident.0 != to {
            gone.push(*id);
        }
        resident.0 = to;
        position.0 = at_um;
    }
    world.resource_mut::<Transfers>().0 = transfers;
}

/// Cuts the bonds of cells that are no longer in their site: a bond joins two cells of one site.
fn cut_bonds(world: &mut World, gone: &mut [CellId]) {
    if gone.is_empty() {
        return;
    }
    gone.sort_unstable();
    let is_gone = |cell: CellId| gone.binary_search(&cell).is_ok();
    let sites = world.resource::<Sites>().list.len();
    for number in 0..sites {
        let entity = world.resource::<Sites>().list[number].entity;
        if let Some(mut mechanics) = world.get_mut::<SiteMechanics>(entity)
            && !mechanics.bonds.is_empty()
        {
            mechanics
                .bonds
                .retain(|bond| !is_gone(bond.a) && !is_gone(bond.b));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::LifeEvent;
    use crate::cell::body::{Body, BodyPlugin};
    use crate::cell::cycle::CyclePlugin;
    use crate::cell::death::IS_CLEARED;
    use crate::cell::testing::{bench, step};
    use crate::tissue::{SiteEntry, TissueBlock};

    /// Two sites, the first with open faces, and a schedule of little but this stage.
    fn app() -> App {
        let mut app = bench(1.0);
        let site = |walls| SiteEntry {
            entity: Entity::PLACEHOLDER,
            fields: Vec::new(),
            block: TissueBlock {
                name: "block".into(),
                min_um: Vec3::splat(-50.0),
                dims: UVec3::splat(5),
                voxel_um: Vec3::splat(20.0),
                walls,
                perfusion_length_um: None,
            },
        };
        app.insert_resource(Sites {
            list: vec![site(false), site(true)],
        })
        .insert_resource(CellIdCounter::starting_at(1_000_000))
        .add_plugins((BodyPlugin, CyclePlugin, TurnoverPlugin));
        app
    }

    fn spawn(app: &mut App, id: u64, at_um: Vec3, divides: bool, event: LifeEvent) -> Entity {
        let id = CellId(id);
        app.world_mut()
            .spawn((
                (id, CellType(0), Resident(SiteId(0)), Position(at_um)),
                crate::cell::BodyParameters::default().resting_body(),
                Cycle {
                    mitosis_over: divides,
                    ..Cycle::default()
                },
                Vital {
                    event,
                    ..Vital::default()
                },
                Lineage {
                    parent: id,
                    founder: id,
                    generation: 0,
                },
            ))
            .id()
    }

    fn cells(app: &mut App) -> Vec<(CellId, Resident, Vec3, Lineage)> {
        let world = app.world_mut();
        let mut cells: Vec<_> = world
            .query::<(&CellId, &Resident, &Position, &Lineage)>()
            .iter(world)
            .map(|(id, resident, position, lineage)| (*id, *resident, position.0, *lineage))
            .collect();
        cells.sort_unstable_by_key(|(id, ..)| *id);
        cells
    }

    #[test]
    fn the_order_of_births_is_that_of_the_mothers_whatever_their_rows() {
        let n = 3 * CHUNK as u64;
        let found = [1, 7_919].map(|stride| {
            let mut app = app();
            for k in 0..n {
                let id = k * stride % n;
                let at = Vec3::splat((id % 40) as f32 - 20.0);
                let event = if id % 7 == 3 {
                    LifeEvent::Clearance
                } else {
                    LifeEvent::None
                };
                spawn(&mut app, id, at, id.is_multiple_of(5), event);
            }
            for _ in 0..2 {
                step(&mut app);
            }
            let events = app.world().resource::<StepEvents>().0.clone();
            (cells(&mut app), events)
        });
        let removed = (0..n).filter(|id| id % 7 == 3).count();
        let born = (0..n).filter(|id| id % 5 == 0 && id % 7 != 3).count();
        assert_eq!(found[0].0.len(), n as usize - removed + born);
        assert!(found[0] == found[1]);
        let daughters = found[0].0.iter().filter(|(id, ..)| id.0 >= 1_000_000);
        let mothers: Vec<_> = daughters.map(|(.., lineage)| lineage.parent).collect();
        assert!(mothers.is_sorted());
        assert_eq!(mothers.len(), born);
    }

    #[test]
    fn division_conserves_matter_and_the_centre_of_mass() {
        let mut app = app();
        let at = Vec3::new(3.0, -4.0, 5.0);
        let mother = spawn(&mut app, 5, at, true, LifeEvent::None);
        let before = *app.world().get::<Body>(mother).unwrap();
        step(&mut app);
        let world = app.world_mut();
        let pair: Vec<_> = world
            .query::<(&CellId, &Position, &Body, &Lineage, &Cycle)>()
            .iter(world)
            .map(|(id, position, body, lineage, cycle)| {
                assert_eq!(lineage.parent, CellId(5));
                assert_eq!((lineage.founder, lineage.generation), (CellId(5), 1));
                assert!(!cycle.divides());
                (*id, position.0, *body)
            })
            .collect();
        let [a, b] = pair.as_slice() else {
            panic!("{} cells", pair.len());
        };
        assert_eq!([a.0.0, b.0.0], [5, 1_000_000]);
        assert_eq!(a.2.volume_um3() + b.2.volume_um3(), before.volume_um3());
        assert!(((a.1 + b.1) / 2.0 - at).length() < 1e-5);
        let apart = a.1.distance(b.1) / (a.2.radius_um + b.2.radius_um);
        assert!((apart - 1.0).abs() < 1e-5, "{apart}");
    }

    #[test]
    fn a_cell_outside_an_open_site_is_gone_and_one_that_is_transferred_goes_on_living() {
        let mut app = app();
        let outside = spawn(&mut app, 1, Vec3::splat(60.0), false, LifeEvent::None);
        let traveller = spawn(&mut app, 2, Vec3::splat(20.0), false, LifeEvent::None);
        let removed = spawn(&mut app, 3, Vec3::ZERO, false, LifeEvent::Clearance);
        let go = |cell, entity, at| Transfer {
            cell: CellId(cell),
            entity,
            to: SiteId(1),
            at_um: Vec3::splat(at),
        };
        app.insert_resource(Transfers(vec![go(3, removed, 1.0), go(2, traveller, 7.0)]));
        step(&mut app);
        let [(id, resident, at, _)] = cells(&mut app)[..] else {
            panic!("one cell is left");
        };
        assert_eq!(
            (id, resident.0, at),
            (CellId(2), SiteId(1), Vec3::splat(7.0))
        );
        let happened: Vec<_> = app
            .world()
            .resource::<StepEvents>()
            .0
            .iter()
            .map(|event| (event.cell.0, event.kind, event.site.0))
            .collect();
        assert_eq!(
            happened,
            [
                (1, EXIT, 0),
                (2, EXIT, 0),
                (2, ENTRY, 1),
                (3, IS_CLEARED, 0),
            ]
        );
        assert!(app.world().get_entity(outside).is_err());
        assert!(app.world().resource::<Transfers>().0.is_empty());
    }

    #[test]
    fn the_bonds_of_a_cell_end_where_it_ends() {
        let mut app = app();
        let site = app.world_mut().spawn(SiteMechanics::default()).id();
        app.world_mut().resource_mut::<Sites>().list[0].entity = site;
        for (id, event) in [(1, LifeEvent::None), (2, LifeEvent::Clearance)] {
            spawn(&mut app, id, Vec3::ZERO, false, event);
        }
        for id in [3, 4] {
            spawn(&mut app, id, Vec3::ZERO, false, LifeEvent::None);
        }
        let mut mechanics = app.world_mut().get_mut::<SiteMechanics>(site).unwrap();
        for (a, b) in [(1, 2), (1, 3), (2, 4), (3, 4)] {
            mechanics.bonds.add(CellId(a), CellId(b), 15.0, 0.01);
        }
        step(&mut app);
        let mechanics = app.world().get::<SiteMechanics>(site).unwrap();
        let left: Vec<_> = mechanics
            .bonds
            .iter()
            .map(|bond| (bond.a.0, bond.b.0))
            .collect();
        assert_eq!(left, [(1, 3), (3, 4)]);
    }
}
