//! The list of bonds against a plain one.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What can happen to bonds.
#[derive(Clone, Debug)]
enum Event {
    Bind(u64, u64, u16, f32),
    Cut(u64, u64, u16),
    Die(u64),
    Divide(u64, u8),
    Weaken(f32),
    Leave(Vec<u64>),
}

fn event() -> impl Strategy<Value = Event> {
    let cell = || 0_u64..12;
    prop_oneof![
        6 => (cell(), cell(), 0_u16..3, 1.0_f32..50.0)
            .prop_map(|(a, b, kind, rest)| Event::Bind(a, b, kind, rest)),
        3 => (cell(), cell(), 0_u16..3).prop_map(|(a, b, kind)| Event::Cut(a, b, kind)),
        1 => cell().prop_map(Event::Die),
        2 => (cell(), 0_u8..4).prop_map(|(mother, rule)| Event::Divide(mother, rule)),
        1 => (1.0_f32..50.0).prop_map(Event::Weaken),
        1 => prop::collection::vec(cell(), 1..5).prop_map(Event::Leave),
    ]
}

type Plain = BTreeMap<(u64, u64, u16), f32>;

fn key(a: u64, b: u64, kind: u16) -> (u64, u64, u16) {
    (a.min(b), a.max(b), kind)
}

fn bond((a, b, kind): (u64, u64, u16), rest: f32) -> Bond {
    Bond::new(BondKindId(kind), [CellId(a), CellId(b)], rest, 0.01)
}

const HEIRS: [Heir; 4] = [Heir::Mother, Heir::Daughter, Heir::Both, Heir::Neither];

/// Lets it happen to the plain list; returns what was cut.
fn happen(plain: &mut Plain, event: &Event, next: u64) -> Plain {
    let mut cut = Plain::new();
    let before = plain.clone();
    match event {
        Event::Bind(a, b, kind, rest) => {
            plain.insert(key(*a, *b, *kind), *rest);
        }
        Event::Cut(a, b, kind) => {
            let key = key(*a, *b, *kind);
            cut.extend(plain.remove(&key).map(|rest| (key, rest)));
        }
        Event::Die(cell) => {
            plain.retain(|(a, b, _), _| a != cell && b != cell);
            cut.extend(
                before
                    .into_iter()
                    .filter(|(key, _)| !plain.contains_key(key)),
            );
        }
        Event::Weaken(most) => {
            plain.retain(|_, rest| *rest <= *most);
            cut.extend(
                before
                    .into_iter()
                    .filter(|(key, _)| !plain.contains_key(key)),
            );
        }
        Event::Divide(mother, rule) => {
            for ((a, b, kind), rest) in before {
                if a != *mother && b != *mother {
                    continue;
                }
                let partner = if a == *mother { b } else { a };
                match HEIRS[usize::from(*rule)] {
                    Heir::Mother => {}
                    Heir::Both => {
                        plain.insert(key(next, partner, kind), rest);
                    }
                    Heir::Daughter => {
                        plain.remove(&(a, b, kind));
                        plain.insert(key(next, partner, kind), rest);
                    }
                    Heir::Neither => {
                        plain.remove(&(a, b, kind));
                        cut.insert((a, b, kind), rest);
                    }
                }
            }
        }
        Event::Leave(cells) => {
            plain.retain(|(a, b, _), _| !cells.contains(a) && !cells.contains(b));
            let is_cut = |(a, b, _): &(u64, u64, u16)| cells.contains(a) != cells.contains(b);
            cut.extend(before.into_iter().filter(|(key, _)| is_cut(key)));
        }
    }
    cut
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn bonds_are_those_of_a_plain_list_whatever_happens(
        events in prop::collection::vec(event(), 1..80)
    ) {
        let (mut bonds, mut plain) = (Bonds::default(), Plain::new());
        let mut next = 100;
        for event in events {
            if matches!(event, Event::Bind(a, b, ..) if a == b) {
                continue;
            }
            let left: Plain = plain.clone();
            let cut = happen(&mut plain, &event, next);
            match &event {
                Event::Bind(a, b, kind, rest) => {
                    let new = bonds.add(bond((*a, *b, *kind), *rest));
                    prop_assert_eq!(new, !left.contains_key(&key(*a, *b, *kind)));
                }
                Event::Cut(a, b, kind) => {
                    bonds.remove([CellId(*a), CellId(*b)], BondKindId(*kind));
                }
                Event::Die(cell) => bonds.cut(&[CellId(*cell)]),
                Event::Weaken(most) => bonds.cut_where(|bond| bond.rest > *most),
                Event::Divide(mother, rule) => {
                    let heir = HEIRS[usize::from(*rule)];
                    bonds.divide(CellId(*mother), CellId(next), |_| heir);
                    next += 1;
                }
                Event::Leave(cells) => {
                    let mut ids: Vec<CellId> = cells.iter().map(|cell| CellId(*cell)).collect();
                    ids.sort_unstable();
                    let mut away = Bonds::default();
                    bonds.move_between(&ids, &mut away);
                    let is_gone = |(a, b, _): &(u64, u64, u16)| cells.contains(a) && cells.contains(b);
                    let expected: Vec<Bond> = left.iter()
                        .filter(|(key, _)| is_gone(key))
                        .map(|(key, rest)| bond(*key, *rest))
                        .collect();
                    prop_assert_eq!(away.state(), expected);
                }
            }
            let list = |plain: &Plain| -> Vec<Bond> {
                plain.iter().map(|(key, rest)| bond(*key, *rest)).collect()
            };
            prop_assert_eq!(bonds.state(), list(&plain));
            let mut broken = Vec::new();
            bonds.take_broken(&mut broken);
            let broken: Vec<Bond> = broken.into_iter().map(|(bond, _)| bond).collect();
            prop_assert_eq!(broken, list(&cut));
            for cell in (0..12).chain(100..next) {
                let of: Vec<Bond> = bonds.of(CellId(cell)).copied().collect();
                let mut expected: Vec<Bond> = list(&plain).into_iter()
                    .filter(|bond| bond.a.0 == cell || bond.b.0 == cell)
                    .collect();
                expected.sort_by_key(|bond| (bond.partner_of(CellId(cell)), bond.kind));
                prop_assert_eq!(bonds.count_of(CellId(cell)), expected.len());
                prop_assert_eq!(bonds.binds(CellId(cell)), !expected.is_empty());
                prop_assert_eq!(of, expected);
            }
            prop_assert_eq!(Bonds::of_state(bonds.state()).map(|again| again.state()), Ok(list(&plain)));
        }
    }
}

#[test]
fn binding_two_cells_wakes_no_others() {
    let mut bodies = Vec::new();
    for at in close_packed(12, 0.952_381 * 16.8) {
        bodies.push(body(bodies.len() as u64, at, 8.4));
    }
    let mut kernel = Mechanics::new(MechanicsParameters {
        rest_speed: 1.0e-3,
        ..creeping()
    });
    kernel.bodies_mut().extend_from_slice(&bodies);
    let mut bonds = Bonds::default();
    let mut step = |bonds: &mut Bonds| {
        let (rows, watch) = kernel.update(&[bodies.len()]);
        for (row, body) in rows.iter_mut().zip(&bodies) {
            watch.put(row, *body);
        }
        let surroundings = Influences {
            bonds: Some(bonds),
            ..Default::default()
        };
        let done = kernel.relax(1.0, &surroundings);
        bonds.settle(&kernel);
        (
            done.evaluated,
            bonds.of(CellId(0)).next().map(|bond| bond.load),
        )
    };
    step(&mut bonds);
    assert_eq!(step(&mut bonds).0, 0, "all rest");
    let length = distance(bodies[0].position, bodies[1].position) as f32;
    // Held at the distance at which they are, they have no reason to move.
    bonds.add(Bond::new(
        BondKindId(0),
        [CellId(0), CellId(1)],
        length,
        0.01,
    ));
    let (evaluated, load) = step(&mut bonds);
    assert!(
        (1..=40).contains(&evaluated),
        "{evaluated} of {}",
        bodies.len()
    );
    assert!(load.expect("it is bound").abs() < 1.0e-5);
    bonds.remove([CellId(0), CellId(1)], BondKindId(0));
    assert!(step(&mut bonds).0 <= 40);
    assert_eq!(step(&mut bonds).0, 0, "all rest again");
}

#[test]
fn the_load_of_a_bond_is_its_stiffness_times_its_stretch() {
    let mut bonds = Bonds::default();
    bonds.add(Bond::new(BondKindId(0), [CellId(0), CellId(1)], 30.0, 0.1));
    let bodies = [body(0, [0.0; 3], 8.0), body(1, [40.0, 0.0, 0.0], 8.0)];
    let mut kernel = kernel(&bodies);
    let surroundings = Influences {
        bonds: Some(&bonds),
        ..Default::default()
    };
    kernel.relax(0.5, &surroundings);
    let ends = [0, 1].map(|row| outcome(&kernel, row).position);
    bonds.settle(&kernel);
    let expected = 0.1 * (distance(ends[0], ends[1]) - 30.0);
    let found = bonds.of(CellId(1)).next().expect("it is bound").load;
    assert!(
        (f64::from(found) - expected).abs() < 1.0e-5,
        "{found}, {expected}"
    );
    assert!((0.85..1.0).contains(&found));
}
