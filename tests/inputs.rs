//! Whatever rules make of an input, a step can reckon with it; and what they make does not depend on how a file is written.

use std::sync::Arc;

use tumorscape::core::input::Inputs;
use tumorscape::scene::CellLibrary;
use tumorscape::simulation::{Program, Simulation, prototype_world};

/// Molecules that ship, each of which the cells exchange and follow.
fn molecules() -> Vec<String> {
    let shipped = tumorscape::scene::molecules::shipped_molecules().expect("they are valid");
    let list = shipped.list().iter();
    list.map(|molecule| molecule.name.clone()).collect()
}

/// A scene of a few cells that have every capability, with these rules.
fn scene(rules: &str) -> String {
    let molecules = molecules();
    let list = |of: &dyn Fn(&str) -> String| {
        let of_each: Vec<String> = molecules.iter().map(|name| of(name)).collect();
        of_each.join(", ")
    };
    let exchange = list(&|name| format!("(molecule: {name:?}, secretes_molecules_per_s: 1)"));
    let follows = list(&|name| format!("(molecule: {name:?}, chemotactic_index: 0.1)"));
    let fields = list(&|name| format!("(molecule: {name:?}, level: 5, faces: Held)"));
    format!(
        r#"(
    title: "extremes", about: "inputs are driven to their limits", pace: Illustrative, duration: Hours(1),
    sites: [(name: "dish", organ: Medium, size_um: (160, 160, 160), walls: true, fields: [{fields}],
        tissue: (membranes: [(around: Acinus(radius_um: 40))], exosomes: (), niche: (patch_um: 40)))],
    cell_types: [(
        name: "driven", about: "has everything", colour: (1, 1, 1), tumour: true,
        cycle: (), death: (), metabolism: (), hif: (), motility: (), shape: (), emt: (), fibroblast: (), remodelling: (), protease: (), guidance: (),
        junctions: (), polarity: (), anoikis: (),
        in_vessels: (),
        exosome: (), uptake: (binds: true), education: (), marrow_derived: (),
        escort: (), intravasation: (), circulation: (), colonisation: (),
        visibility: (), checkpoint: (), death_receptor: (),
        co_option: (), lymph_entry: (), tip: (),
        chaperone: (), chaperoned: (), restimulation: (),
        target: (), cytotoxic: (), natural_killer: (), immigrant: (),
        edible: (), effector: (), naive: (), phagocytosis: (), polarisation: (), presentation: (), recruit: (), suppressible: (), suppressor: (),
        chemosensitivity: (), radiosensitivity: (),
        exchange: [{exchange}], follows: [{follows}],
        rules: {{ {rules} }},
    )],
    body: (circulation: (injections: [(cell: "driven", cells: 5)])),
    populations: [(cell: "driven", place: Ball(radius_um: 25))],
)"#
    )
}

/// A folder with the scene, opened as `run` opens it.
fn simulation(rules: &str) -> Simulation {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("extremes.ron");
    std::fs::write(&file, scene(rules)).expect("writable");
    let scene = Program::default().open_scene(&file);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(scene), 3).expect("its parameters are valid")
}

/// A rule that drives an input as far as it goes.
fn driven(name: &str, input: &str, gain: &str) -> String {
    format!("{name:?}: (input: {input:?}, by: \"body.volume\", law: Add({gain})),")
}

/// Runs a few steps, each verified.
fn assert_sound(what: &str, rules: &str) {
    let mut simulation = simulation(rules);
    simulation.verify();
    for _ in 0..12 {
        simulation.step();
        if let Some(violation) = simulation.violation() {
            panic!("{what}: {violation}");
        }
    }
}

#[test]
fn every_input_can_be_driven_to_its_limits() {
    let library = CellLibrary::shipped().unwrap_or_else(|report| panic!("{report}"));
    let world = prototype_world(&library);
    let inputs = world.resource::<Inputs>().cell_names();
    assert!(inputs.len() > 12, "{inputs:?}");
    let (mut all_up, mut all_down) = (String::new(), String::new());
    for (place, input) in inputs.iter().enumerate() {
        for (gain, all) in [("1e12", &mut all_up), ("-1e12", &mut all_down)] {
            let rule = driven(&format!("r{place}"), input, gain);
            assert_sound(&format!("`{input}` by {gain}"), &rule);
            all.push_str(&rule);
        }
    }
    assert_sound("all up", &all_up);
    assert_sound("all down", &all_down);
}

#[test]
fn rules_in_either_order_of_the_file_give_the_same_bits() {
    let rules = [
        r#""c": (input: "cycle.entry", by: "oxygen", law: Add(0.1)),"#,
        r#""a": (input: "cycle.entry", by: "glucose", law: Fold(0.37)),"#,
        r#""b": (input: "cycle.entry", by: "oxygen", law: Inhibit(half: 0.7, exponent: 2)),"#,
        r#""d": (input: "cycle.entry", by: "lactate", law: Fold(1.9)),"#,
    ];
    let hash_after = |rules: &str| {
        let mut simulation = simulation(rules);
        for _ in 0..30 {
            simulation.step();
        }
        simulation.state_hash()
    };
    let forwards = hash_after(&rules.concat());
    let mut backwards = rules;
    backwards.reverse();
    assert_eq!(hash_after(&backwards.concat()), forwards);
    // They do something: without one of them it is another state.
    assert_ne!(hash_after(&rules[1..].concat()), forwards);
}
