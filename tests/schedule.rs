//! The order of a step leaves nothing to chance, and every component of a cell is known by name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bevy::ecs::system::System;
use bevy::prelude::{Component, Entity, Schedules, World};
use tumorscape::core::in_transit::{InTransit, WhileInTransit};
use tumorscape::core::random::PurposeRegistry;
use tumorscape::core::state::{self, StateRegistry};
use tumorscape::core::{CellId, SimSchedule};
use tumorscape::scene::CellLibrary;
use tumorscape::simulation::{
    Action, Simulation, open_scene, prototype_world, schedule_ambiguities,
};
use tumorscape::tissue::Sites;

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

/// The components of an entity that no module registered or declared.
fn forgotten(world: &World, entity: Entity) -> Vec<String> {
    let registry = world.resource::<StateRegistry>();
    world
        .entity(entity)
        .archetype()
        .components()
        .iter()
        .filter(|id| !registry.knows(**id))
        .map(|id| {
            world
                .components()
                .get_name(*id)
                .map_or_else(String::new, |name| name.to_string())
        })
        .collect()
}

#[test]
fn every_component_of_a_cell_is_registered_as_state() {
    let mut simulation = simulation(1);
    simulation.step();
    let world = simulation.world();
    let mut cells = world.try_query::<(Entity, &CellId)>().expect("cells exist");
    let identity = world.component_id::<CellId>().expect("cells have it");
    let registry = world.resource::<StateRegistry>();
    assert!(
        !registry.knows(identity),
        "identities are stored on their own"
    );
    let found: BTreeSet<String> = cells
        .iter(world)
        .flat_map(|(cell, _)| forgotten(world, cell))
        .collect();
    let identity = std::any::type_name::<CellId>();
    assert!(
        found.iter().all(|name| name == identity),
        "not registered with register_cell_state: {found:?}"
    );
}

#[test]
fn every_component_of_sites_and_fields_and_every_resource_is_registered_or_declared() {
    let mut simulation = simulation(1);
    simulation.step();
    let world = simulation.world();
    for site in &world.resource::<Sites>().list {
        let fields = site.fields.iter().map(|field| field.entity);
        for entity in fields.chain([site.entity]) {
            let found = forgotten(world, entity);
            assert!(
                found.is_empty(),
                "neither register_kept nor declare_remade: {found:?}"
            );
        }
    }
    let registry = world.resource::<StateRegistry>();
    let found: Vec<String> = world
        .iter_resources()
        .filter(|(info, _)| !registry.knows(info.id()))
        .map(|(info, _)| info.name().to_string())
        .filter(|name| name.contains("tumorscape"))
        .collect();
    assert!(
        found.is_empty(),
        "neither register_kept nor declare_remade: {found:?}"
    );
}

#[test]
fn no_entity_has_a_component_that_is_neither_registered_nor_declared() {
    let mut simulation = simulation(1);
    simulation.step();
    let found = state::forgotten(simulation.world());
    assert!(found.is_empty(), "{found:?}");

    #[derive(Component)]
    struct Stray;
    let library = CellLibrary::shipped().expect("shipped cell types are valid");
    let mut world = prototype_world(&library);
    world.spawn(Stray);
    let found = state::forgotten(&world);
    assert!(
        found.len() == 1
            && found
                .iter()
                .all(|name| name.ends_with("Stray` on an entity")),
        "{found:?}"
    );
}

#[test]
fn a_component_nobody_registered_is_named() {
    #[derive(Component)]
    struct Forgotten;
    let library = CellLibrary::shipped().expect("shipped cell types are valid");
    let mut world = prototype_world(&library);
    let entity = world.spawn((CellId(1), Forgotten)).id();
    let found = forgotten(&world, entity);
    assert!(
        found.iter().any(|name| name.ends_with("Forgotten")),
        "{found:?}"
    );
}

/// The path of each system of a step that visits cells: it reads or writes a component that all or some of them have, or
/// has the whole world at hand.
fn systems_that_visit_cells(world: &mut World) -> BTreeSet<String> {
    let registry = world.resource::<StateRegistry>().clone();
    let mut schedules = world.resource_mut::<Schedules>();
    let mut schedule = schedules.remove(SimSchedule).expect("it has one");
    let systems = &mut schedule.graph_mut().systems;
    let keys: Vec<_> = systems.iter().map(|(key, ..)| key).collect();
    let mut found = BTreeSet::new();
    for key in keys {
        let system = systems.get_mut(key).expect("it was listed");
        let access = system.initialize(world);
        let reaches = access.combined_access();
        let mut components = registry.cells.iter().map(|state| state.id);
        if system.is_exclusive()
            || components.any(|id| reaches.has_read(id) || reaches.has_write(id))
        {
            found.insert(system.name().to_string());
        }
    }
    found
}

#[test]
fn every_system_that_visits_cells_says_what_it_does_with_those_in_transit() {
    let library = CellLibrary::shipped().expect("shipped cell types are valid");
    let mut world = prototype_world(&library);
    // Of these the whole world is at hand, but they visit no cells: commands come from people and scenes, and other
    // populations are no cells.
    let aside = [
        "tumorscape::simulation::command::run_commands",
        "tumorscape::tissue::population::turn_members_over",
    ];
    let found = systems_that_visit_cells(&mut world);
    let found: Vec<&str> = found
        .iter()
        .map(String::as_str)
        .filter(|path| !aside.contains(path))
        .collect();
    let says = world.resource::<WhileInTransit>().clone();
    let says: BTreeMap<&str, InTransit> = says.iter().map(|(path, says, _)| (path, says)).collect();
    let silent: Vec<_> = found
        .iter()
        .filter(|path| !says.contains_key(*path))
        .collect();
    assert!(
        silent.is_empty(),
        "declare with while_in_transit: {silent:?}"
    );
    let gone: Vec<_> = says.keys().filter(|path| !found.contains(path)).collect();
    assert!(gone.is_empty(), "visits no cells: {gone:?}");
    let of = |says_so: InTransit| -> Vec<&str> {
        let chosen = says.iter().filter(|(_, says)| **says == says_so);
        chosen
            .map(|(path, _)| path.trim_start_matches("tumorscape::"))
            .collect()
    };
    assert_eq!(
        of(InTransit::Runs),
        [
            "biology::chaperone::assist",
            "biology::checkpoint::bind_pd_1",
            "biology::dissemination::ancestry::keep_books",
            "biology::dissemination::circulation::circulate",
            "biology::dissemination::colonisation::colonise",
            "biology::dissemination::escort::usher",
            "biology::emt::switch",
            "biology::exosome::travel::travel",
            "biology::fibroblast::wake",
            "biology::hypoxia::update_hif",
            "biology::immunity::killer::heed_suppression",
            "biology::immunity::natural_killer::make_ready",
            "biology::immunity::t_cell::tire",
            "biology::immunity::target::show_targets",
            "biology::junctions::let_go_of_the_left",
            "biology::metabolism::update_metabolism",
            "biology::niche::resident::educate",
            "biology::phagocytosis::engulf",
            "biology::phagocytosis::mark_edible",
            "biology::polarisation::polarise",
            "biology::polarity::polarise",
            "biology::priming::presenting::take_up_antigen",
            "biology::priming::travel::arrive",
            "biology::protease::express",
            "biology::suppression::suppress",
            "biology::therapy::chemosensitivity::die_of_drugs",
            "biology::therapy::radiosensitivity::die_of_radiation",
            "biology::visibility::show_surface",
            "cell::bonds::settle_bonds",
            "cell::death::advance_death",
            "cell::doors::lymph::leave_lymph",
            "cell::growth::grow_bodies",
            "cell::shape::stretch",
            "cell::turnover::turn_over",
            "core::regulate::regulate",
        ]
    );
    assert_eq!(
        of(InTransit::Pauses),
        [
            "biology::anoikis::die_unattached",
            "biology::chaperone::meet_chaperones",
            "biology::dissemination::intravasation::enter_vessels",
            "biology::dissemination::intravasation::leave_with_others",
            "biology::exosome::release::release",
            "biology::immunity::comings::come_and_go",
            "biology::immunity::synapse::engage",
            "biology::immunity::synapse::pair_up",
            "biology::immunity::synapse::strike",
            "biology::immunity::tally::keep_tally",
            "biology::junctions::hold_on",
            "biology::junctions::strands::make_and_leave",
            "biology::lymphatics::escape::enter",
            "biology::matrix::remodelling::work_on_matrix",
            "biology::membrane::meet_membranes",
            "biology::metabolism::exchange_metabolites",
            "biology::niche::ripening::ripen",
            "biology::priming::naive::meet_antigen",
            "biology::priming::restimulation::meet_shown",
            "biology::priming::travel::set_out",
            "biology::protease::secrete",
            "biology::suppression::feel",
            "biology::vasculature::life::measure_stress",
            "biology::visibility::counterattack::feel_death_ligands",
            "cell::cycle::advance_cycle",
            "cell::doors::riding::ride",
            "cell::exchange::exchange_molecules",
            "cell::motility::turn",
            "cell::movement::move_cells",
            "cell::neighbourhood::find_neighbours",
            "cell::perception::perceive",
            "cell::sprouting::grow::sprout<tumorscape::biology::lymphatics::Lymphatics>",
            "cell::sprouting::grow::sprout<tumorscape::tissue::network::Network>",
            "cell::sprouting::grow::withdraw<tumorscape::biology::lymphatics::Lymphatics>",
            "cell::sprouting::grow::withdraw<tumorscape::tissue::network::Network>",
        ]
    );
}

/// The names of purposes of random numbers that the sources in a folder declare.
fn declared_purposes(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            declared_purposes(&path, names);
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("sources are text");
        for piece in text.split("const ").skip(1) {
            let declaration = piece.split(';').next().unwrap_or_default();
            if declaration.contains(": Purpose = Purpose::") {
                let name = declaration.split('"').nth(1).expect("a purpose has a name");
                names.insert(name.to_owned());
            }
        }
    }
}

#[test]
fn every_purpose_of_random_numbers_is_registered_by_its_module() {
    let mut declared = BTreeSet::new();
    declared_purposes(Path::new("src"), &mut declared);
    // What evaluates trials draws outside of any simulation.
    declared.retain(|name| !name.starts_with("test.") && !name.starts_with("trial."));
    let library = CellLibrary::shipped().expect("shipped cell types are valid");
    let world = prototype_world(&library);
    let registered = world.resource::<PurposeRegistry>().iter();
    let registered: BTreeSet<String> = registered.map(|known| known.name().to_owned()).collect();
    assert_eq!(declared, registered);
    assert!(registered.len() > 5);
}

#[test]
fn commands_given_live_and_replayed_end_in_the_same_state() {
    let change = |value| Action::Set("cancer.death.apoptosis_per_hour".into(), value);
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
                .apply(entry.action.clone())
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
    let wrong = Action::Set("cancer.cycle.s_hour".into(), 1.0);
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

#[test]
fn cells_that_cannot_be_added_are_refused_and_change_nothing() {
    use tumorscape::scene::schema::{Place, Population};
    let mut simulation = simulation(1);
    let add = |cell: &str, at_um| {
        Action::Add(Population {
            cell: cell.into(),
            site: None,
            place: Place::Single { at_um },
        })
    };
    let cells = simulation.cell_count();
    for (command, says) in [
        (add("cancre", (0.0, 0.0, 0.0)), "did you mean `cancer`?"),
        (add("cancer", (0.0, 0.0, 9000.0)), "is not inside the site"),
        (add("cancer", (f32::NAN, 0.0, 0.0)), "finite"),
    ] {
        let error = simulation.apply(command).expect_err("it makes no sense");
        assert!(error.to_string().contains(says), "{error}");
    }
    simulation.step();
    assert!(simulation.log().is_empty());
    assert_eq!(simulation.cell_count(), cells);
    simulation
        .apply(add("cancer", (300.0, 0.0, 0.0)))
        .expect("there is room");
    simulation.step();
    assert_eq!(simulation.cell_count(), cells + 1);
}
