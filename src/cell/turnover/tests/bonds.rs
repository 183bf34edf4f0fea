//! Bonds on the way from site to site.

use super::*;
use crate::cell::bonds::{
    BOND_FORMED, BondBook, BondKind, BondKinds, BondLaw, BondParameters, DaughterRule,
    RegisterBonds,
};
use crate::cell::mechanics::{Bond, BondKindId};

/// How bonds of the test act.
#[derive(
    Resource, Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, Reflect,
)]
struct Grip<const KIND: usize> {
    unused: f32,
}

impl<const KIND: usize> crate::core::parameters::Parameters for Grip<KIND> {}

impl<const KIND: usize> BondParameters for Grip<KIND> {
    fn law(&self) -> BondLaw {
        BondLaw {
            stiffness_per_min: 0.25,
            rest_um: None,
            strength_um_per_min: 2.0,
            off_per_hour: 0.0,
            load_scale_um_per_min: 1.0,
        }
    }
}

#[test]
fn bonds_on_the_way_keep_what_they_are_and_go_by_the_rules_of_their_kinds() {
    let mut app = with_reasons();
    let kind = |name, daughters, outlives_death| BondKind {
        name,
        about: "Holds.",
        daughters,
        outlives_death,
    };
    app.register_bond::<Grip<0>>(kind("test.mother", DaughterRule::Mother, false))
        .register_bond::<Grip<1>>(kind("test.nearer", DaughterRule::Nearer, true))
        .register_bond::<Grip<2>>(kind("test.both", DaughterRule::Both, true))
        .register_bond::<Grip<3>>(kind("test.cut", DaughterRule::Cut, true));
    let entities: Vec<Entity> = (0..=40)
        .map(|id| spawn(&mut app, id, Vec3::X * id as f32, false, LifeEvent::None))
        .collect();
    let held = |kind: u16, other: u64| Bond {
        formed: 7 + other,
        load: 0.125 * f32::from(kind),
        ..Bond::new(BondKindId(kind), [CellId(0), CellId(other)], 9.0, 0.25)
    };
    // Cell 0 is bound to all others, in turn by each kind.
    let all: Vec<Bond> = (1..=40)
        .map(|other| held((other % 4) as u16, other))
        .collect();
    for bond in &all {
        bonds(&mut app, 0).bonds.add(*bond);
    }
    asks(&app).depart(Departure::of(CellId(5), entities[5], LEFT).with_bonded());
    step(&mut app);
    whole(&app);
    let there = |app: &App| app.world().resource::<BondsInTransit>().0.state();
    assert_eq!(there(&app), all);
    for _ in 0..3 {
        step(&mut app);
    }
    assert_eq!(there(&app), all);
    // It divides: those of its kinds go on as each kind says.
    asks(&app).divide(CellId(0), entities[0]);
    step(&mut app);
    whole(&app);
    let of = |app: &App, cell: u64, kind: u16| {
        let of = there(app).into_iter().filter(|bond| bond.kind.0 == kind);
        of.filter(|bond| bond.a.0 == cell || bond.b.0 == cell)
            .count()
    };
    let counts = |app: &App, cell| [0, 1, 2, 3].map(|kind| of(app, cell, kind));
    let (mother, daughter) = (counts(&app, 0), counts(&app, 1_000_000));
    assert_eq!([mother[0], mother[2], mother[3]], [10, 10, 0]);
    assert_eq!([daughter[0], daughter[2], daughter[3]], [0, 10, 0]);
    assert_eq!(mother[1] + daughter[1], 10);
    // Each with a chance of a half: all to one of the two comes once in 512 times.
    assert!((1..10).contains(&mother[1]), "{mother:?}");
    let inherited = there(&app).into_iter().find(|bond| bond.b.0 == 1_000_000);
    let inherited = inherited.expect("it has inherited some");
    assert_eq!(inherited.formed, 7 + inherited.a.0);
    // Beyond its strength one tears, with a death end those of a kind that does not outlive it, and new ones form.
    let mut bound = app.world_mut().resource_mut::<BondsInTransit>();
    bound.0.add(Bond {
        load: 2.5,
        ..held(2, 2)
    });
    let mut vital = app
        .world_mut()
        .get_mut::<Vital>(entities[4])
        .expect("it lives");
    vital.state = crate::cell::State::Apoptotic;
    let formed = app.world().resource::<BondKinds>().id("test.both");
    app.world()
        .resource::<BondBook>()
        .form(formed, [entities[1], entities[3]]);
    step(&mut app);
    whole(&app);
    assert_eq!(
        happened(&app),
        [
            (0, BOND_BROKEN, SiteId::TRANSIT, Some(2)),
            (0, BOND_BROKEN, SiteId::TRANSIT, Some(4)),
            (1, BOND_FORMED, SiteId::TRANSIT, Some(3)),
        ]
    );
    let radius = app
        .world()
        .get::<Body>(entities[1])
        .expect("it has one")
        .radius_um;
    let BondsInTransit(bound) = app.world().resource();
    let new = bound
        .between([CellId(1), CellId(3)], formed)
        .expect("it formed");
    assert_eq!((new.rest, new.load), (2.0 * radius, 0.0));
    // What is left arrives with all that it is.
    let left = there(&app);
    asks(&app).arrive(Arrival::of(CellId(0), SiteId(1), Vec3::ZERO, CAME).with_bonded());
    step(&mut app);
    whole(&app);
    assert!(there(&app).is_empty());
    assert_eq!(bonds(&mut app, 1).bonds.state(), left);
}
