//! Parameters that are one of several names.

use std::sync::Arc;

use bevy::prelude::*;
use tumorscape::cell::Position;
use tumorscape::scene::parse_scene;
use tumorscape::simulation::{Action, Simulation};

use super::changes::said_about;
use super::context;

#[test]
fn choices_are_made_by_name_and_mistakes_in_them_are_told() {
    let good =
        r#"choices: {"movement.law": "PhysiCell", "cancer.metabolism.oxygen_law": "FirstOrder"}"#;
    assert_eq!(said_about(good), [""; 0]);
    for (fields, says) in [
        (
            r#"choices: {"movement.law": "Physicell"}"#,
            "choices[\"movement.law\"]: `movement.law` cannot be `Physicell`: it is one of `Cohesive`, `PhysiCell`",
        ),
        (
            r#"choices: {"movement.lwa": "PhysiCell"}"#,
            "choices[\"movement.lwa\"]: there is no parameter `movement.lwa`; did you mean `movement.law`?",
        ),
        (
            r#"choices: {"cancer.cycle.s_hours": "PhysiCell"}"#,
            "choices[\"cancer.cycle.s_hours\"]: `cancer.cycle.s_hours` is a number: it stands in `parameters`",
        ),
        (
            r#"parameters: {"movement.law": 1}"#,
            "parameters[\"movement.law\"]: `movement.law` is no number: it is one of `Cohesive`, `PhysiCell`, \
             chosen at the start by `choices: {\"movement.law\": \"PhysiCell\"}`",
        ),
        (
            r#"choices: {"movement.law": "PhysiCell", "movement.law": "Cohesive"}"#,
            "choices[\"movement.law\"]: the parameter `movement.law` stands twice",
        ),
    ] {
        let said = said_about(fields);
        assert!(said.len() == 1 && said[0].starts_with(says), "{said:#?}");
    }
}

/// Two cells of 2494 um3 at 14 um, without a walk of their own.
fn pair(fields: &str) -> Simulation {
    let text = format!(
        "(title: \"t\", about: \"a\", pace: Illustrative, duration: Hours(1), step: Minutes(0.01), \
         sites: [(name: \"s\", organ: Medium, size_um: (100, 100, 100))], \
         cell_types: [(name: \"ball\", about: \"a\", colour: (1, 1, 1), body: (), \
             mechanics: (adhesion_um_per_min: 0.4, repulsion_um_per_min: 10))], \
         populations: [(cell: \"ball\", place: Cells([(at_um: (-7, 0, 0)), (at_um: (7, 0, 0))]))], {fields})"
    );
    let parsed = parse_scene(&text, "pair.ron", &context());
    let parsed = parsed.unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(parsed), 1).expect("its parameters are valid")
}

#[test]
fn a_scene_can_choose_the_potentials_of_physicell() {
    let contact = 2.0 * (2494.0_f64 * 0.75 / std::f64::consts::PI).cbrt();
    let physicell = |d: f64| {
        let (overlap, near) = (1.0 - d / contact, 1.0 - d / (1.25 * contact));
        10.0 * overlap * overlap - 0.4 * near * near
    };
    let cohesive = |d: f64| {
        let overlap = 1.0 - d / (1.16 * contact);
        10.0 * overlap * (1.0 + 6.0 * overlap)
    };
    let choice = r#"choices: {"movement.law": "PhysiCell"}"#;
    for (fields, law) in [(choice, &physicell as &dyn Fn(f64) -> f64), ("", &cohesive)] {
        let mut pair = pair(fields);
        let refused = pair.apply(Action::Set("movement.law".into(), 0.0));
        let refused = refused.expect_err("it is no number").to_string();
        assert!(refused.contains("chosen at the start"), "{refused}");
        pair.step();
        let world = pair.world();
        let mut places = world.try_query::<&Position>().expect("there are cells");
        let places: Vec<Vec3> = places.iter(world).map(|at| at.0).collect();
        let distance = f64::from(places[0].distance(places[1]));
        // By Euler's method in short steps.
        let mut expected = 14.0;
        for _ in 0..1000 {
            expected += 2.0 * law(expected) * 1e-5;
        }
        let error = (distance - expected).abs();
        assert!(
            error < 0.1 * (expected - 14.0),
            "{fields}: {distance}, {expected}"
        );
    }
}
