//! The order of a step leaves nothing to chance, and every component of a cell is known by name.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use tumorscape::core::CellId;
use tumorscape::core::state::StateRegistry;
use tumorscape::scene::CellLibrary;
use tumorscape::simulation::{Command, Simulation, open_scene, schedule_ambiguities};

fn simulation(seed: u64) -> Simulation {
    let scene = open_scene(Path::new("scenes/hypoxic_core.ron")).expect("the scene is valid");
    Simulation::new(Arc::new(scene), seed).expect("its parameters are valid")
}

#[test]
fn the_schedule_has_no_ambiguity() {
    let library = CellLibrary::shipped().expect("shipped cell types are valid");
    if let Err(report) = schedule_ambiguities(&library) {
        panic!("{report}");
    }
}

#[test]
fn every_component_of_a_cell_is_registered_as_state() {
    let mut simulation = simulation(1);
    simulation.step();
    let world = simulation.world();
    let registered: BTreeSet<_> = world
        .resource::<StateRegistry>()
        .cells
        .iter()
        .map(|state| state.id)
        .collect();
    let mut cells = world
        .try_query::<(bevy::prelude::Entity, &CellId)>()
        .expect("cells exist");
    let (cell, _) = cells.iter(world).next().expect("there is a cell");
    let identity = world.component_id::<CellId>().expect("cells have it");
    let forgotten: Vec<String> = world
        .entity(cell)
        .archetype()
        .components()
        .iter()
        .filter(|id| **id != identity && !registered.contains(id))
        .map(|id| {
            world
                .components()
                .get_name(*id)
                .map_or_else(String::new, |name| name.to_string())
        })
        .collect();
    assert!(
        forgotten.is_empty(),
        "not registered with register_cell_state: {forgotten:?}"
    );
}

#[test]
fn commands_given_live_and_replayed_end_in_the_same_state() {
    let change = |value| Command::Set {
        path: "cancer.death.apoptosis_per_hour".into(),
        value,
    };
    let mut live = simulation(5);
    for step in 0..40 {
        if step == 7 {
            live.apply(change(0.5)).expect("the parameter exists");
        }
        if step == 21 {
            live.apply(change(0.0)).expect("the parameter exists");
        }
        live.step();
    }
    let mut replay = simulation(5);
    for step in 0..40 {
        for entry in live.log().iter().filter(|entry| entry.step == step) {
            replay
                .apply(entry.command.clone())
                .expect("it was accepted before");
        }
        replay.step();
    }
    assert_eq!(live.state_hash(), replay.state_hash());
    let mut untouched = simulation(5);
    for _ in 0..40 {
        untouched.step();
    }
    assert_ne!(
        live.state_hash(),
        untouched.state_hash(),
        "the commands did something"
    );
}

#[test]
fn a_command_that_cannot_be_carried_out_is_refused_and_changes_nothing() {
    let mut simulation = simulation(1);
    let wrong = Command::Set {
        path: "cancer.cycle.s_hour".into(),
        value: 1.0,
    };
    let error = simulation
        .apply(wrong)
        .expect_err("there is no such parameter");
    assert!(
        error
            .to_string()
            .contains("did you mean `cancer.cycle.s_hours`?"),
        "{error}"
    );
    simulation.step();
    assert!(simulation.log().is_empty());
}
