//! Tests of the inputs that rules make.

use super::*;
use crate::core::Clock;
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::rule::{Combine, Law};
use crate::core::rule_check::{check_change, check_rule};

#[derive(Reflect, Clone, Serialize, Deserialize)]
struct Engine {
    thrust: f32,
    grip: f32,
}

impl Parameters for Engine {
    fn limits(_: &str) -> Limits {
        LIMITS
    }
}

const LIMITS: Limits = Limits { min: 0.0, max: 1e4 };

#[derive(Component, Clone, Copy, bytemuck::TransparentWrapper)]
#[repr(transparent)]
struct Kind(u16);

#[derive(Component, Clone, Copy, PartialEq, Debug)]
struct Wheels {
    front: f32,
    back: f32,
}

fn turn(inputs: Regulated, mut cells: Query<(Entity, &Kind, &mut Wheels)>) {
    let (front, back) = (inputs.input("wheels.front"), inputs.input("wheels.back"));
    for (entities, kinds, mut wheels) in cells.contiguous_iter_mut().unwrap() {
        let (front, back) = (front.in_table(entities), back.in_table(entities));
        for (row, wheels) in wheels.bypass_change_detection().iter_mut().enumerate() {
            wheels.front = front.at(row, kinds[row].0);
            wheels.back = back.at(row, kinds[row].0);
        }
    }
}

fn rule(input: &str, by: &str, law: Law) -> Rule {
    Rule {
        input: input.into(),
        by: by.into(),
        law,
        scale: 1.0,
        floor: None,
        about: String::new(),
        source: String::new(),
    }
}

fn app() -> App {
    let mut app = App::empty();
    app.init_resource::<Schedules>();
    for pair in SimSystems::ORDER.windows(2) {
        app.configure_sets(SimSchedule, pair[1].after(pair[0]));
    }
    app.register_types::<Kind>()
        .register_capability::<Engine>("engine")
        .register_input::<Engine>(InputInfo::new("wheels.front", "", ""), "thrust")
        .register_input::<Engine>(InputInfo::new("wheels.back", "", ""), "grip")
        .register_quantity::<Wheels>(Quantity::new("front", "", ""), |wheels| wheels.front)
        .register_quantity::<Wheels>(Quantity::new("back", "", ""), |wheels| wheels.back)
        .insert_resource(CellTypeNames(vec![
            "car".into(),
            "cart".into(),
            "sled".into(),
        ]))
        .insert_resource(PerType(vec![
            Some(Engine {
                thrust: 1.0,
                grip: 2.0,
            }),
            Some(Engine {
                thrust: 3.0,
                grip: 2.0,
            }),
            None,
        ]))
        .add_systems(SimSchedule, turn.in_set(SimSystems::Signal));
    app
}

#[test]
fn rules_in_a_circle_read_the_values_of_the_last_step() {
    let mut app = app();
    let mut car = RuleBook::default();
    car.rules
        .insert("a".into(), rule("wheels.front", "back", Law::Add(1.0)));
    car.rules
        .insert("b".into(), rule("wheels.back", "front", Law::Add(10.0)));
    app.world_mut().resource_mut::<Rules>().of_types = vec![car];
    let start = Wheels {
        front: 0.5,
        back: 0.25,
    };
    let car = app.world_mut().spawn((CellId(0), Kind(0), start)).id();
    let cart = app.world_mut().spawn((CellId(1), Kind(1), start)).id();
    let (mut front, mut back) = (start.front, start.back);
    for _ in 0..3 {
        app.world_mut().run_schedule(SimSchedule);
        (front, back) = (1.0 + back, 2.0 + 10.0 * front);
        let of = |entity| *app.world().get::<Wheels>(entity).unwrap();
        assert_eq!(of(car), Wheels { front, back });
        assert_eq!(
            of(cart),
            Wheels {
                front: 3.0,
                back: 2.0
            },
            "it has no rules"
        );
    }
}

#[test]
fn each_of_many_cells_of_mixed_types_gets_what_its_own_rules_say() {
    let mut app = app();
    let mut cart = RuleBook::default();
    cart.rules
        .insert("a".into(), rule("wheels.front", "front", Law::Fold(1.0)));
    app.world_mut().resource_mut::<Rules>().of_types = vec![RuleBook::default(), cart];
    let cells: Vec<(Entity, u16, f32)> = (0..10_000_u64)
        .map(|id| {
            let (kind, front) = ((id / 7 % 3) as u16, id as f32 * 1e-3);
            let wheels = Wheels { front, back: 0.0 };
            let cell = app.world_mut().spawn((CellId(id), Kind(kind), wheels)).id();
            (cell, kind, front)
        })
        .collect();
    app.world_mut().run_schedule(SimSchedule);
    for (cell, kind, front) in cells {
        let found = app.world().get::<Wheels>(cell).unwrap().front;
        match kind {
            0 => assert_eq!(found, 1.0),
            1 => assert_eq!(found, 3.0 * (1.0 + front)),
            _ => assert!(found.is_nan(), "a sled has no engine"),
        }
    }
}

#[test]
fn changes_add_scale_and_delete_and_wrong_ones_are_told_with_the_nearest_name() {
    let mut app = app();
    let world = app.world_mut();
    let types = world.resource::<CellTypeNames>().clone();
    let add = |by: &str| RuleChange::Add {
        of: "car".into(),
        name: "pull".into(),
        rule: rule("wheels.front", by, Law::Fold(1.0)),
    };
    let fault = check_change(world, &add("bck")).unwrap_err();
    assert_eq!(fault.part, "by");
    assert_eq!(
        fault.message,
        "there is no quantity `bck`; did you mean `back`?"
    );
    check_change(world, &add("back")).unwrap();
    world.resource_mut::<Rules>().change(&types, &add("back"));
    let scale = RuleChange::Scale("car.pull".into(), 0.5);
    check_change(world, &scale).unwrap();
    world.resource_mut::<Rules>().change(&types, &scale);
    let path = "car.pull";
    let mut rules = world.resource_mut::<Rules>();
    assert_eq!(rules.find_mut(&types, path).unwrap().scale, 0.5);
    let delete = RuleChange::Delete(path.into());
    assert!(rules.change(&types, &delete));
    assert!(!rules.change(&types, &delete));
    let fault = check_change(world, &RuleChange::Delete("car.pul".into())).unwrap_err();
    assert_eq!(fault.message, "there is no rule `car.pul`: `car` has none");
    let lacking = check_rule(
        world,
        Some(2),
        &rule("wheels.front", "back", Law::Fold(1.0)),
    );
    let message = &lacking.unwrap_err()[0].message;
    assert_eq!(message, "this cell type has no `wheels.front`");
}

#[test]
fn sites_and_their_elements_have_inputs_too() {
    #[derive(Component)]
    struct Ground(Vec<f32>);
    let mut app = app();
    app.register_site_input(
        InputInfo::new("weather.rain", "", "").limits(LIMITS),
        |_, _| Some(4.0),
    )
    .register_site_quantity(Quantity::new("weather.warmth", "", ""), |_, _| 0.5)
    .register_element_input(
        "voxel",
        InputInfo::new("ground.wet", "", "").limits(LIMITS),
        |world, site, to| {
            to.extend(
                world
                    .get::<Ground>(site)
                    .map_or(&[][..], |ground| &ground.0),
            );
        },
    )
    .register_element_quantity(
        "voxel",
        Quantity::new("ground.slope", "", ""),
        |world, site, to| {
            to.extend(
                world
                    .get::<Ground>(site)
                    .map_or(&[][..], |ground| &ground.0),
            );
        },
    );
    let world = app.world_mut();
    let ground: Vec<f32> = (0..1000).map(|voxel| voxel as f32).collect();
    let site = world.spawn(Ground(ground.clone())).id();
    world.insert_resource(SitesInOrder(vec![site]));
    let mut book = RuleBook::default();
    book.rules.insert(
        "a".into(),
        rule("weather.rain", "weather.warmth", Law::Fold(2.0)),
    );
    book.rules.insert(
        "b".into(),
        rule("ground.wet", "ground.slope", Law::Add(0.5)),
    );
    book.combine.insert("ground.wet".into(), Combine::Product);
    world.resource_mut::<Rules>().of_sites = vec![book];
    world.run_schedule(SimSchedule);
    let found = world
        .run_system_cached_with(
            |In(site): In<Entity>, inputs: Res<Inputs>, values: Regulated| {
                (
                    values.of_site(&inputs, "weather.rain", site),
                    values
                        .of_elements(&inputs, "ground.wet", site)
                        .map(<[f32]>::to_vec),
                )
            },
            site,
        )
        .unwrap();
    assert_eq!(found.0, Some(8.0));
    let expected: Vec<f32> = ground.iter().map(|voxel| voxel + 0.5 * voxel).collect();
    assert_eq!(found.1, Some(expected));
}

#[test]
fn an_input_of_elements_that_is_asked_for_now_and_then_keeps_its_values_in_between() {
    #[derive(Component)]
    struct Ground(f32);
    let mut app = app();
    let info = InputInfo::new("ground.wet", "", "").limits(LIMITS);
    app.register_element_input("voxel", info.every_min(10.0), |world, site, to| {
        to.extend(world.get::<Ground>(site).map(|ground| ground.0));
    });
    let world = app.world_mut();
    let site = world.spawn(Ground(0.0)).id();
    world.insert_resource(SitesInOrder(vec![site]));
    world.insert_resource(Clock::new(5.0));
    let mut found = Vec::new();
    for step in 0..4_u8 {
        world.resource_mut::<Clock>().step = step.into();
        world.entity_mut(site).insert(Ground(step.into()));
        world.run_schedule(SimSchedule);
        let values = world.run_system_cached_with(
            |In(site): In<Entity>, inputs: Res<Inputs>, values: Regulated| {
                let values = values.of_elements(&inputs, "ground.wet", site);
                values.map(<[f32]>::to_vec)
            },
            site,
        );
        found.push(values.unwrap().unwrap());
    }
    assert_eq!(found, [[0.0], [0.0], [2.0], [2.0]]);
}

/// An app with two sites, one of them named with a dot, inputs and quantities of all subjects.
fn app_with_sites() -> App {
    let mut app = app();
    let input = |name: &str| InputInfo::new(name, "", "").limits(LIMITS);
    let quantity = |name: &str| Quantity::new(name, "", "");
    app.register_site_input(input("weather.rain"), |_, _| Some(4.0))
        .register_site_quantity(quantity("weather.warmth"), |_, _| 0.5)
        .register_element_input("voxel", input("ground.wet"), |_, _, _| ())
        .register_element_quantity("voxel", quantity("ground.slope"), |_, _, _| ())
        .register_element_quantity("segment", quantity("pipe.flow"), |_, _, _| ());
    let mut rules = app.world_mut().resource_mut::<Rules>();
    rules.sites = vec!["yard".into(), "st. moritz".into()];
    rules.of_sites = vec![RuleBook::default(); 2];
    app
}

#[test]
fn a_rule_of_a_site_joins_an_input_and_a_quantity_of_the_same_subject() {
    let app = app_with_sites();
    let check = |input: &str, by: &str| {
        let add = RuleChange::Add {
            of: "yard".into(),
            name: "r".into(),
            rule: rule(input, by, Law::Fold(1.0)),
        };
        check_change(app.world(), &add).map_err(|fault| (fault.part, fault.message))
    };
    assert_eq!(check("weather.rain", "weather.warmth"), Ok(()));
    assert_eq!(check("ground.wet", "ground.slope"), Ok(()));
    let joined = |by: &str, of: &str, input: &str, other: &str| {
        let message = format!(
            "`{by}` is a quantity of {of}, and `{input}` an input of {other}: a rule joins two of the same"
        );
        Err(("by", message))
    };
    let (site, voxel) = ("the whole site", "each voxel of the site");
    let segment = "each segment of the site";
    for (input, other, by, of) in [
        ("weather.rain", site, "ground.slope", voxel),
        ("ground.wet", voxel, "weather.warmth", site),
        ("ground.wet", voxel, "pipe.flow", segment),
    ] {
        assert_eq!(check(input, by), joined(by, of, input, other));
    }
    // The nearest name is one that would work.
    let message = "there is no quantity `ground.slop`; did you mean `ground.slope`?";
    assert_eq!(
        check("ground.wet", "ground.slop"),
        Err(("by", message.into()))
    );
    let message = "there is no quantity `ground.slop`";
    assert_eq!(
        check("weather.rain", "ground.slop"),
        Err(("by", message.into()))
    );
}

#[test]
fn rules_of_a_site_whose_name_has_dots_are_found() {
    let mut app = app_with_sites();
    let world = app.world_mut();
    let types = world.resource::<CellTypeNames>().clone();
    let add = RuleChange::Add {
        of: "st. moritz".into(),
        name: "r".into(),
        rule: rule("weather.rain", "weather.warmth", Law::Fold(1.0)),
    };
    for change in [
        add,
        RuleChange::Scale("st. moritz.r".into(), 2.0),
        RuleChange::Delete("st. moritz.r".into()),
    ] {
        check_change(world, &change).unwrap();
        assert!(world.resource_mut::<Rules>().change(&types, &change));
    }
}

#[test]
fn a_law_that_the_rules_of_an_input_cannot_be_combined_with_is_refused() {
    let mut app = app();
    let mut car = RuleBook::default();
    car.combine
        .insert("wheels.front".into(), Combine::MultiHill);
    let world = app.world_mut();
    world.resource_mut::<Rules>().of_types = vec![car];
    let check = |of: &str, input: &str, law| {
        let add = RuleChange::Add {
            of: of.into(),
            name: "r".into(),
            rule: rule(input, "back", law),
        };
        check_change(world, &add).map_err(|fault| (fault.part, fault.message))
    };
    let hill = Law::Hill {
        half: 1.0,
        exponent: 1.0,
        to: 2.0,
    };
    let message = "the rules on `wheels.front` of `car` are combined by `MultiHill`, which takes only those of the form `Hill`";
    let fold = Law::Fold(1.0);
    assert_eq!(check("car", "wheels.front", hill), Ok(()));
    assert_eq!(
        check("car", "wheels.front", fold),
        Err(("law", message.into()))
    );
    assert_eq!(check("car", "wheels.back", fold), Ok(()));
    assert_eq!(check("cart", "wheels.front", fold), Ok(()));
}

#[test]
fn a_rule_that_is_accepted_has_numbers_that_its_parameters_can_have() {
    let mut app = app();
    let world = app.world_mut();
    for (scale, is_fine) in [
        (0.0, true),
        (1e6, true),
        (1.1e6, false),
        (-0.5, false),
        (f32::INFINITY, false),
        (f32::NAN, false),
    ] {
        let accepted = check_rule(
            world,
            Some(0),
            &Rule {
                scale,
                ..rule("wheels.front", "back", Law::Fold(1.0))
            },
        );
        assert_eq!(accepted.is_ok(), is_fine, "{scale}");
    }
    let hill = |half, exponent, to| Law::Hill { half, exponent, to };
    for (law, is_fine) in [
        (Law::Share, true),
        (Law::Fold(1e12), true),
        (Law::Fold(1.1e12), false),
        (Law::Add(-1.1e12), false),
        (hill(1.0, 0.1, 0.0), true),
        (hill(1.0, 20.0, 0.0), true),
        (hill(0.0, 1.0, 0.0), false),
        (hill(1.0, 0.05, 0.0), false),
        (hill(1.0, 21.0, 0.0), false),
        (hill(1.0, 1.0, f32::INFINITY), false),
    ] {
        let accepted = check_rule(world, Some(0), &rule("wheels.front", "back", law));
        assert_eq!(accepted.is_ok(), is_fine, "{law:?}");
    }
}

/// What turned wheels of a car.
fn front_of(app: &App, car: Entity) -> f32 {
    app.world().get::<Wheels>(car).expect("it has wheels").front
}

#[test]
fn an_input_goes_no_further_than_its_parameter_may() {
    let mut app = app();
    let wheels = Wheels {
        front: 1.0,
        back: 1.0,
    };
    let car = app.world_mut().spawn((CellId(0), Kind(0), wheels)).id();
    for (gain, expected) in [(1e12, 1e4), (-1e12, 0.0)] {
        let mut book = RuleBook::default();
        let driven = rule("wheels.front", "back", Law::Add(gain));
        book.rules.insert("a".into(), driven);
        app.world_mut().resource_mut::<Rules>().of_types = vec![book];
        app.world_mut().run_schedule(SimSchedule);
        assert_eq!(front_of(&app, car), expected);
    }
}

#[test]
#[should_panic(expected = "the input `wheels.slip` needs limits")]
fn an_input_without_limits_is_refused() {
    let endless = InputInfo::new("wheels.slip", "", "");
    app().register_relative_input::<Engine>(endless);
}

#[test]
#[should_panic(expected = "based on `thurst`, which is no number of its capability")]
fn an_input_based_on_no_field_is_refused() {
    app().register_input::<Engine>(InputInfo::new("wheels.slip", "", ""), "thurst");
}

#[test]
fn changes_of_parameters_rules_and_rows_reach_the_inputs_of_the_next_step() {
    let mut app = app();
    let wheels = Wheels {
        front: 0.0,
        back: 1.0,
    };
    let car = app.world_mut().spawn((CellId(0), Kind(0), wheels)).id();
    let mut next = |change: &dyn Fn(&mut World)| {
        change(app.world_mut());
        app.world_mut().run_schedule(SimSchedule);
        front_of(&app, car)
    };
    assert_eq!(next(&|_| ()), 1.0);
    assert_eq!(next(&|_| ()), 1.0);
    let thrust = |world: &mut World, value| {
        let mut engines = world.resource_mut::<PerType<Engine>>();
        engines.0[0].as_mut().expect("a car has one").thrust = value;
    };
    assert_eq!(next(&|world| thrust(world, 5.0)), 5.0);
    let double = |world: &mut World, gain| {
        let mut book = RuleBook::default();
        let of = rule("wheels.front", "back", Law::Add(gain));
        book.rules.insert("a".into(), of);
        world.resource_mut::<Rules>().of_types = vec![book];
    };
    // The quantity is 2, the base of the other wheels.
    assert_eq!(next(&|world| double(world, 1.5)), 8.0);
    assert_eq!(next(&|world| double(world, 0.5)), 6.0);
    assert_eq!(next(&|_| ()), 6.0);
    assert_eq!(
        next(&|world| world.resource_mut::<Rules>().of_types.clear()),
        5.0
    );
}

#[test]
fn an_input_that_is_no_number_is_told_with_its_cell() {
    let mut app = app();
    let wheels = |back| Wheels { front: 0.0, back };
    for (id, kind, back) in [(4, 2, 1.0), (7, 0, 1.0), (5, 0, f32::INFINITY)] {
        app.world_mut()
            .spawn((CellId(id), Kind(kind), wheels(back)));
    }
    let mut book = RuleBook::default();
    for (name, gain) in [("a", 1.0), ("b", -1.0)] {
        let of = rule("wheels.front", "back", Law::Add(gain));
        book.rules.insert(name.into(), of);
    }
    app.world_mut().resource_mut::<Rules>().of_types = vec![book];
    assert_eq!(no_number(app.world()), None);
    app.world_mut().run_schedule(SimSchedule);
    let breach = no_number(app.world()).expect("infinity less infinity");
    assert_eq!(breach.cell, Some(CellId(5)));
    assert_eq!(breach.found, "its input `wheels.front` is no number");
}
