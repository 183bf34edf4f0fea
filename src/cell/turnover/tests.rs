//! Cells come and go.

mod bonds;

use super::*;
use crate::cell::LifeEvent;
use crate::cell::body::{Body, BodyPlugin};
use crate::cell::bonds::{BOND_BROKEN, BondsInTransit, BondsPlugin};
use crate::cell::cycle::CyclePlugin;
use crate::cell::death::IS_CLEARED;
use crate::cell::movement::SiteMechanics;
use crate::cell::testing::{bench, step};
use crate::tissue::{SiteEntry, SiteId, TissueBlock};

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
    .add_plugins((BodyPlugin, BondsPlugin, CyclePlugin, TurnoverPlugin));
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

const LURED: EventKind = EventKind::of("test.lured");
const LEFT: EventKind = EventKind::of("test.left");
const CAME: EventKind = EventKind::of("test.came");
const EATEN: EventKind = EventKind::of("test.eaten");

/// The same, with reasons to come and go.
fn with_reasons() -> App {
    let mut app = app();
    app.register_passage(CAME, Passage::Arrival, "It came.")
        .register_passage(LEFT, Passage::Departure, "It left.")
        .register_passage(LURED, Passage::Recruitment, "It was lured.")
        .register_passage(EATEN, Passage::Removal, "It was eaten.");
    for number in 0..2 {
        let site = app.world_mut().spawn(SiteMechanics::default()).id();
        app.world_mut().resource_mut::<Sites>().list[number].entity = site;
    }
    app
}

fn asks(app: &App) -> &Passages {
    app.world().resource()
}

/// Cell, kind, site and other cell of what happened.
fn happened(app: &App) -> Vec<(u64, EventKind, SiteId, Option<u64>)> {
    let events = app.world().resource::<StepEvents>().0.iter();
    events
        .map(|event| {
            let other = event.other.map(|other| other.0);
            (event.cell.0, event.kind, event.site, other)
        })
        .collect()
}

fn bonds(app: &mut App, site: u16) -> Mut<'_, SiteMechanics> {
    let entity = app.world().resource::<Sites>().get(SiteId(site)).entity;
    app.world_mut()
        .get_mut(entity)
        .expect("the site has mechanics")
}

fn bond(a: u64, b: u64, rest: f32) -> crate::cell::mechanics::Bond {
    crate::cell::mechanics::Bond::new(Default::default(), [CellId(a), CellId(b)], rest, 0.01)
}

fn pairs(bonds: impl Iterator<Item = crate::cell::mechanics::Bond>) -> Vec<(u64, u64, f32)> {
    bonds.map(|bond| (bond.a.0, bond.b.0, bond.rest)).collect()
}

fn whole(app: &App) {
    assert_eq!(transit::wrong_with_transit(app.world()), None);
    assert!(app.world().resource::<Refused>().0.is_none());
}

#[test]
fn a_cell_outside_an_open_site_is_gone_and_one_that_changes_its_site_goes_on_living() {
    let mut app = with_reasons();
    let outside = spawn(&mut app, 1, Vec3::splat(60.0), false, LifeEvent::None);
    let traveller = spawn(&mut app, 2, Vec3::splat(20.0), false, LifeEvent::None);
    let removed = spawn(&mut app, 3, Vec3::ZERO, false, LifeEvent::Clearance);
    for (cell, entity) in [(3, removed), (2, traveller), (1, outside)] {
        asks(&app).arrive(Arrival::of(CellId(cell), SiteId(1), Vec3::splat(7.0), CAME));
        asks(&app).depart(Departure::of(CellId(cell), entity, LEFT).by(CellId(9)));
    }
    step(&mut app);
    let [(id, resident, at, _)] = cells(&mut app)[..] else {
        panic!("one cell is left");
    };
    assert_eq!(
        (id, resident.0, at),
        (CellId(2), SiteId(1), Vec3::splat(7.0))
    );
    assert_eq!(
        happened(&app),
        [
            (1, EXIT, SiteId(0), None),
            (2, LEFT, SiteId(0), Some(9)),
            (2, CAME, SiteId(1), None),
            (3, IS_CLEARED, SiteId(0), None),
        ]
    );
    assert!(app.world().get_entity(outside).is_err());
    assert!(app.world().get_entity(traveller).is_ok());
    whole(&app);
    step(&mut app);
    assert!(happened(&app).is_empty(), "what was asked for is done once");
}

#[test]
fn recruits_come_in_an_order_that_depends_on_what_they_are_alone() {
    let recruit = |k: u32| {
        let at = Vec3::new((k % 9) as f32, (k % 5) as f32, 0.0);
        let cycle = Cycle {
            senescence: (k % 4) as f32 / 8.0,
            ..Cycle::default()
        };
        let site = [SiteId(0), SiteId(1), SiteId::TRANSIT][k as usize % 3];
        Recruit::new(0, site, at, LURED)
            .by(CellId(u64::from(k % 2)))
            .carrying(cycle)
    };
    let mut seen = Vec::new();
    for turned in [false, true] {
        let mut app = with_reasons();
        spawn(&mut app, 5, Vec3::ZERO, true, LifeEvent::None);
        let mut recruits: Vec<Recruit> = (0..60).map(recruit).collect();
        if turned {
            recruits.reverse();
        }
        asks(&app).recruit_all(recruits);
        step(&mut app);
        whole(&app);
        assert_eq!(app.world().resource::<Transit>().len(), 20);
        let world = app.world_mut();
        let mut states: Vec<_> = world
            .query::<(&CellId, &Cycle, &Body)>()
            .iter(world)
            .map(|(id, cycle, body)| (*id, cycle.senescence, *body))
            .collect();
        states.sort_by_key(|(id, ..)| *id);
        let events = app.world().resource::<StepEvents>().0.clone();
        seen.push((cells(&mut app), states, events));
    }
    assert!(seen[0] == seen[1]);
    let (all, states, events) = &seen[0];
    // Two of the division, then the recruits.
    assert_eq!(all.len(), 62);
    assert!(
        all.iter()
            .skip(2)
            .map(|(id, ..)| id.0)
            .eq(1_000_001..=1_000_060)
    );
    assert!(
        all.iter()
            .skip(2)
            .all(|(id, .., lineage)| *lineage == Lineage::of_founder(*id))
    );
    assert_eq!(
        states
            .iter()
            .filter(|(_, senescence, _)| *senescence == 0.375)
            .count(),
        15
    );
    let lured = events.iter().filter(|event| event.kind == LURED);
    assert_eq!(
        lured.filter(|event| event.other == Some(CellId(1))).count(),
        30
    );
}

#[test]
fn bonded_cells_leave_and_arrive_together_and_keep_their_bonds_and_their_places() {
    let mut app = with_reasons();
    // 1 - 2 - 3 leave together, 3 - 4 is cut where 4 is cleared, 5 - 6 stays behind.
    let entities: Vec<Entity> = (1..=6)
        .map(|id| {
            let event = if id == 4 {
                LifeEvent::Clearance
            } else {
                LifeEvent::None
            };
            spawn(
                &mut app,
                id,
                Vec3::new(4.0 * id as f32, 0.0, 0.0),
                false,
                event,
            )
        })
        .collect();
    for (a, b) in [(1, 2), (2, 3), (3, 4), (5, 6)] {
        let rest = 10.0 * a as f32;
        bonds(&mut app, 0).bonds.add(bond(a, b, rest));
    }
    asks(&app).depart(Departure::of(CellId(2), entities[1], LEFT).with_bonded());
    step(&mut app);
    whole(&app);
    assert_eq!(
        happened(&app),
        [
            (1, LEFT, SiteId(0), None),
            (2, LEFT, SiteId(0), None),
            (3, BOND_BROKEN, SiteId(0), Some(4)),
            (3, LEFT, SiteId(0), None),
            (4, IS_CLEARED, SiteId(0), None),
        ]
    );
    let (transit, BondsInTransit(bound)) = (
        app.world().resource::<Transit>(),
        app.world().resource::<BondsInTransit>(),
    );
    assert_eq!(bound.group_of(CellId(3)), [CellId(1), CellId(2), CellId(3)]);
    assert_eq!(pairs(bound.iter()), [(1, 2, 10.0), (2, 3, 20.0)]);
    let first = *transit.find(CellId(1)).expect("it is on the way");
    assert_eq!(
        (first.from, first.since_step, first.kind),
        (SiteId(0), 1, LEFT)
    );
    assert_eq!(pairs(bonds(&mut app, 0).bonds.iter()), [(5, 6, 50.0)]);
    // Nothing happens to them on the way of itself.
    for _ in 0..3 {
        step(&mut app);
        whole(&app);
        assert!(happened(&app).is_empty());
    }
    asks(&app)
        .arrive(Arrival::of(CellId(3), SiteId(1), Vec3::new(0.0, 10.0, 0.0), CAME).with_bonded());
    step(&mut app);
    whole(&app);
    assert!(app.world().resource::<Transit>().is_empty());
    assert_eq!(
        pairs(bonds(&mut app, 1).bonds.iter()),
        [(1, 2, 10.0), (2, 3, 20.0)]
    );
    let places: Vec<_> = cells(&mut app)
        .into_iter()
        .map(|(id, resident, at, _)| (id.0, resident.0.0, at))
        .collect();
    assert_eq!(
        places,
        [
            (1, 1, Vec3::new(-4.0, 10.0, 0.0)),
            (2, 1, Vec3::new(0.0, 10.0, 0.0)),
            (3, 1, Vec3::new(4.0, 10.0, 0.0)),
            (5, 0, Vec3::new(20.0, 0.0, 0.0)),
            (6, 0, Vec3::new(24.0, 0.0, 0.0)),
        ]
    );
}

#[test]
fn cells_die_divide_and_part_on_the_way() {
    let mut app = with_reasons();
    let entities: Vec<Entity> = (1..=3)
        .map(|id| spawn(&mut app, id, Vec3::ZERO, false, LifeEvent::None))
        .collect();
    for (a, b) in [(1, 2), (2, 3), (1, 3)] {
        bonds(&mut app, 0).bonds.add(bond(a, b, 9.0));
    }
    for (id, entity) in (1..=3).zip(&entities) {
        asks(&app).depart(Departure::of(CellId(id), *entity, LEFT));
    }
    step(&mut app);
    whole(&app);
    asks(&app).remove(CellId(2), entities[1], EATEN, Some(CellId(77)));
    asks(&app).divide(CellId(1), entities[0]);
    step(&mut app);
    whole(&app);
    assert_eq!(
        happened(&app),
        [
            (1, BOND_BROKEN, SiteId::TRANSIT, Some(2)),
            (2, BOND_BROKEN, SiteId::TRANSIT, Some(3)),
            (2, EATEN, SiteId::TRANSIT, Some(77)),
            (1_000_000, DIVISION, SiteId::TRANSIT, Some(1)),
        ]
    );
    let transit = app.world().resource::<Transit>();
    let ids: Vec<_> = transit.iter().map(|of| of.cell.0).collect();
    assert_eq!(ids, [1, 3, 1_000_000]);
    let BondsInTransit(bound) = app.world().resource();
    assert_eq!(pairs(bound.iter()), [(1, 3, 9.0)]);
    // One of two arrives alone: their bond is cut. One that is not on the way stays where it is.
    asks(&app).arrive(Arrival::of(CellId(3), SiteId(0), Vec3::ONE, CAME));
    asks(&app).arrive(Arrival::of(CellId(99), SiteId(0), Vec3::ONE, CAME));
    step(&mut app);
    whole(&app);
    assert!(app.world().resource::<BondsInTransit>().0.is_empty());
    assert!(bonds(&mut app, 0).bonds.is_empty());
    assert_eq!(
        happened(&app),
        [
            (1, BOND_BROKEN, SiteId::TRANSIT, Some(3)),
            (3, CAME, SiteId(0), None)
        ]
    );
}

#[test]
fn the_tree_of_all_cells_can_be_drawn_from_their_events() {
    use std::collections::BTreeMap;
    let mut app = with_reasons();
    spawn(&mut app, 0, Vec3::ZERO, true, LifeEvent::None);
    spawn(&mut app, 1, Vec3::ONE, true, LifeEvent::None);
    // Mother of each daughter, and how often each cell divided.
    let mut mothers: BTreeMap<u64, u64> = BTreeMap::new();
    let mut generations: BTreeMap<u64, u32> = BTreeMap::from([(0, 0), (1, 0)]);
    for round in 0..6 {
        step(&mut app);
        for (cell, kind, _, other) in happened(&app) {
            if kind == LURED {
                generations.insert(cell, 0);
                continue;
            }
            let mother = other.expect("a division names the mother");
            mothers.insert(cell, mother);
            let generation = generations[&mother] + 1;
            generations.insert(mother, generation);
            generations.insert(cell, generation);
        }
        if round == 2 {
            asks(&app).recruit(Recruit::new(0, SiteId(1), Vec3::ZERO, LURED));
        }
        let world = app.world_mut();
        let mut dividing = world.query::<(&CellId, &mut Cycle)>();
        for (id, mut cycle) in dividing.iter_mut(world) {
            cycle.mitosis_over = (id.0 + round) % 3 != 0;
        }
    }
    let found = cells(&mut app);
    assert!(found.len() > 20);
    for (id, _, _, lineage) in found {
        let mut founder = id.0;
        while let Some(mother) = mothers.get(&founder) {
            founder = *mother;
        }
        assert_eq!(lineage.founder.0, founder);
        assert_eq!(lineage.generation, generations[&id.0], "cell {}", id.0);
    }
}

#[test]
fn what_makes_no_sense_is_refused_and_said() {
    type Ask = fn(&Passages);
    let cases: [(Ask, &str); 7] = [
        (
            |asks| asks.recruit(Recruit::new(7, SiteId(0), Vec3::ZERO, LURED)),
            "is of type number 7, and there are 1 types",
        ),
        (
            |asks| asks.recruit(Recruit::new(0, SiteId(5), Vec3::ZERO, LURED)),
            "into site number 5, and there are 2",
        ),
        (
            |asks| asks.recruit(Recruit::new(0, SiteId(0), Vec3::NAN, LURED)),
            "in `block`, which reaches from",
        ),
        (
            |asks| asks.recruit(Recruit::new(0, SiteId(0), Vec3::splat(51.0), LURED)),
            "in `block`, which reaches from",
        ),
        (
            |asks| asks.recruit(Recruit::new(0, SiteId(0), Vec3::ZERO, EATEN)),
            "`test.eaten` is given as the reason of a recruitment; register it with",
        ),
        (
            |asks| asks.arrive(Arrival::of(CellId(1), SiteId::TRANSIT, Vec3::ZERO, CAME)),
            "a cell arrives in a site",
        ),
        (
            |asks| {
                let kind = EventKind::of("test.nobody_registered_it");
                asks.depart(Departure::of(CellId(1), Entity::PLACEHOLDER, kind));
            },
            "`test.nobody_registered_it` is given as the reason of a departure",
        ),
    ];
    for (ask, says) in cases {
        let mut app = with_reasons();
        ask(asks(&app));
        step(&mut app);
        let refused = app.world().resource::<Refused>().0.clone();
        let refused = refused.expect("it makes no sense").to_string();
        assert!(refused.contains(says), "{refused}");
        assert!(cells(&mut app).is_empty());
    }
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
        mechanics.bonds.add(bond(a, b, 15.0));
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
