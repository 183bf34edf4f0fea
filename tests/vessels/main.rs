//! Vessels in whole simulations: read from files, pressed by tissue, saved, and the same bits at any number of threads.

mod co_option;
mod files;
#[path = "../program/mod.rs"]
mod program;
#[path = "../saving/mod.rs"]
mod saving;

use std::sync::Arc;

use tumorscape::biology::vasculature::Network;
use tumorscape::journal::checkpoint;
use tumorscape::scene::ParsedScene;
use tumorscape::simulation::{Program, Simulation};
use tumorscape::tissue::Sites;

/// A ball of cells in a bed of capillaries, in a block with so much matrix.
fn scene(matrix: &str, vessels: &str, cells: &str) -> String {
    format!(
        r#"(
    title: "a bed of capillaries", about: "to see what becomes of it", pace: Calibrated, duration: Hours(12),
    sites: [(
        name: "flank", organ: Breast, size_um: (400, 400, 400), perfusion_length_um: 100,
        fields: [(molecule: "oxygen", level: 38), (molecule: "vegf_a", level: 0.05, faces: Closed)],
        tissue: ({matrix} vessels: [{vessels}]),
    )],
    populations: [{cells}],
)"#
    )
}

fn parsed(text: &str) -> ParsedScene {
    let scene = Program::default().parse_scene(text, "vessels.ron", None);
    scene.unwrap_or_else(|report| panic!("{report}"))
}

fn simulation(text: &str) -> Simulation {
    Simulation::new(Arc::new(parsed(text)), 3).expect("its parameters are valid")
}

fn network(simulation: &Simulation) -> &Network {
    let world = simulation.world();
    let site = world.resource::<Sites>().list[0].entity;
    world.get::<Network>(site).expect("it has vessels")
}

/// Share of the length of vessels that is perfused.
fn perfused(simulation: &Simulation) -> f64 {
    let network = network(simulation);
    network.density_mm_per_mm3(|of| of.perfused) / network.density_mm_per_mm3(|_| true)
}

const GRID: &str = "(place: Grid(spacing_um: 80))";
/// Capillaries of a tumour: few pericytes.
const SOFT: &str = "(place: Grid(spacing_um: 80), like: Tumour)";

#[test]
fn blood_flows_through_a_bed_from_the_first_step_on() {
    let mut simulation = simulation(&scene("", GRID, ""));
    simulation.verify();
    for _ in 0..21 {
        simulation.step();
    }
    assert_eq!(simulation.violation(), None);
    assert!(perfused(&simulation) > 0.9, "{}", perfused(&simulation));
    let metrics = simulation
        .snapshot(&Default::default())
        .sites
        .remove(0)
        .metrics;
    let residual = metrics.get("vessel_flow_residual").expect("it is measured");
    assert!(residual < 1e-6, "{residual}");
    let density = metrics.get("vessel_density_mm_per_mm3").expect("it is");
    // Three edges of 80 um for each node, and those that run into the faces.
    assert!((300.0..620.0).contains(&density), "{density}");
}

#[test]
fn vessels_and_the_blood_in_them_are_seen_and_coloured_by_what_is_known_of_them() {
    use tumorscape::scene::LayersShown;
    use tumorscape::simulation::snapshot::SnapshotRequest;
    let mut simulation = simulation(&scene("", GRID, ""));
    simulation.step();
    let hash = simulation.state_hash();
    let shown = |layers| {
        let request = SnapshotRequest {
            layers: Some(layers),
            ..SnapshotRequest::default()
        };
        let site = simulation.snapshot(&request).sites.remove(0);
        let names = site.layers.iter();
        let names = names.map(|filled| (filled.layer.name.clone(), filled.glyphs.len()));
        names.collect::<Vec<_>>()
    };
    let all = shown(LayersShown::All);
    let count = |name: &str| all.iter().find(|(known, _)| known == name).map(|(_, n)| *n);
    let segments = network(&simulation).segments().len();
    assert!(count("vessel.walls") > Some(segments), "{all:?}");
    assert!(count("vessel.red_cells") > Some(segments), "{all:?}");
    assert_eq!(count("vessel.by_pressure"), None, "it is not asked for");
    let pressure = shown(LayersShown::Only(vec!["vessel.by_pressure".into()]));
    assert_eq!(pressure.len(), 1);
    assert_eq!(Some(pressure[0].1), count("vessel.walls"));
    assert_eq!(simulation.state_hash(), hash);
}

#[test]
fn vessels_in_which_nothing_flows_stay_as_long_as_vegf_a_keeps_them() {
    let pruned = |level: f32| {
        let text = scene("matrix: (density: 0.75),", SOFT, "");
        let held = text.replace(
            "level: 0.05, faces: Closed",
            &format!("level: {level}, faces: Held"),
        );
        assert_ne!(text, held);
        let mut simulation = simulation(&held);
        let first = network(&simulation).segments().len();
        for _ in 0..288 {
            simulation.step();
        }
        network(&simulation).pruned() as f64 / first as f64
    };
    // At ten times the level of half effect the hazard is a hundredth.
    let (kept, withdrawn) = (pruned(1.0), pruned(0.0));
    println!("taken back within two days: {kept:.3} under VEGF-A, {withdrawn:.3} without");
    assert!(withdrawn > 0.1, "{withdrawn}");
    assert!(kept < 0.1 * withdrawn, "{kept} of {withdrawn}");
}

#[test]
fn dense_matrix_closes_vessels_and_a_third_less_collagen_opens_them() {
    let run = |density: f32| {
        let text = scene(&format!("matrix: (density: {density}),"), SOFT, "");
        let mut simulation = simulation(&text);
        for _ in 0..12 {
            simulation.step();
        }
        perfused(&simulation)
    };
    let (normal, scar, loosened) = (run(0.4), run(0.75), run(0.75 * 0.68));
    println!("perfused at 0.4: {normal}, 0.75: {scar}, less 32 %: {loosened}");
    assert!(normal > 0.9);
    assert!(scar < 0.1);
    assert!(loosened > 0.8);
}

#[test]
fn rules_that_come_with_vessels_can_be_deleted_by_a_scene() {
    let run = |rules: &str| {
        let text = scene("matrix: (density: 0.75),", SOFT, "");
        let text = text.replace("populations:", &format!("rules: [{rules}], populations:"));
        let mut simulation = simulation(&text);
        for _ in 0..12 {
            simulation.step();
        }
        perfused(&simulation)
    };
    assert!(run("") < 0.1);
    assert!(run(r#"Delete("flank.matrix_presses_on_vessels")"#) > 0.9);
    let text = scene("", SOFT, "").replace(
        "populations:",
        r#"rules: [Delete("flank.matrix_pressed_on_vessels")], populations:"#,
    );
    let report = Program::default()
        .parse_scene(&text, "vessels.ron", None)
        .expect_err("there is no such rule");
    assert!(
        report.to_string().contains("matrix_presses_on_vessels"),
        "{report}"
    );
}

#[test]
fn every_input_of_vessels_can_be_driven_to_its_limits() {
    let inputs = [
        "vessel.permeability",
        "vessel.adhesion",
        "vessel.compression",
        "vessel.maturation",
        "vessel.pericyte_loss",
        "vessel.pruning",
        "vessel.regression",
        "vessel.tip_selection",
    ];
    for input in inputs {
        for gain in ["1e12", "-1e12"] {
            let rule = format!(
                r#"rules: [Add(of: "flank", name: "drive", rule: (input: "{input}", by: "vessel.radius", law: Add({gain})))],
                populations:"#
            );
            let text = scene("", GRID, "").replace("populations:", &rule);
            let mut simulation = simulation(&text);
            simulation.verify();
            for _ in 0..31 {
                simulation.step();
            }
            if let Some(violation) = simulation.violation() {
                panic!("{input} by {gain}: {violation}");
            }
        }
    }
}

#[test]
fn cells_that_crowd_press_vessels_shut() {
    let cells = r#"(cell: "cancer", place: Ball(radius_um: 130))"#;
    let mut simulation = simulation(&scene("", SOFT, cells));
    for _ in 0..181 {
        simulation.step();
    }
    let network = network(&simulation);
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for (at, segment) in network.segments().iter().enumerate() {
        let [from, to] = network.places_um(at);
        let middle = 0.5 * (from + to);
        if middle.length() < 90.0 {
            inside.push(segment.compression_mmhg);
        } else if middle.length() > 190.0 {
            outside.push(segment.compression_mmhg);
        }
    }
    let mean = |of: &[f32]| of.iter().sum::<f32>() / of.len() as f32;
    println!(
        "inside {:.2?} mmHg, outside {:.2?}",
        mean(&inside),
        mean(&outside)
    );
    assert!(mean(&inside) > 5.0 && mean(&outside) < 0.5);
}

#[test]
fn vessels_are_part_of_the_state_and_a_run_goes_on_to_the_same_bits() {
    let cells = r#"(cell: "cancer", place: Ball(radius_um: 60))"#;
    let text = scene("matrix: (density: 0.6),", SOFT, cells).replace(
        "populations:",
        r#"parameters: {"vessels.pruning_per_hour": 5, "vessels.pruned_below_pa": 0.4}, populations:"#,
    );
    let mut whole = simulation(&text);
    whole.verify();
    let begin = network(&whole).segments().len();
    for _ in 0..47 {
        whole.step();
    }
    assert!(
        network(&whole).segments().len() < begin,
        "some were taken back"
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let saved = folder.path().join("saved");
    saving::save(&whole, &saved);
    let (checkpoint, _) = checkpoint::open(&saved, |_| {}).expect("it is whole");
    let resumed = Program::default().resume(checkpoint);
    let (mut resumed, _) = resumed.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(resumed.state_hash(), whole.state_hash());
    for _ in 0..40 {
        whole.step();
        resumed.step();
    }
    assert_eq!(whole.violation(), None);
    assert_eq!(resumed.state_hash(), whole.state_hash());
    assert_eq!(
        network(&resumed).segments(),
        network(&whole).segments(),
        "to the bit"
    );
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let cells = r#"(cell: "cancer", place: Ball(radius_um: 100))"#;
    let text =
        scene("matrix: (density: 0.6),", "(place: Tree())", cells).replace("Hours(12)", "Hours(1)");
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("bed.ron"), text).expect("writable");
    let run = |threads: &str| {
        let out = format!("out{threads}");
        let text = program::succeeds(
            folder.path(),
            &[
                "run",
                "bed.ron",
                "--threads",
                threads,
                "--out",
                &out,
                "--quiet",
            ],
        );
        program::state(&text).to_owned()
    };
    let one = run("1");
    assert_eq!(one, run("2"));
    assert_eq!(one, run("8"));
}
