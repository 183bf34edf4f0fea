//! Basement membranes hold what they should hold, open when they should open, and are part of the state like anything else.

mod barriers;
#[path = "../cost/mod.rs"]
mod cost;
#[path = "cost.rs"]
mod costs;
mod duct;
#[path = "../program/mod.rs"]
mod program;
#[path = "../saving/mod.rs"]
mod saving;

use std::sync::Arc;

use bevy::prelude::*;
use program::{state, succeeds};
use saving::save;
use tumorscape::biology::membrane::{BasementMembrane, MembraneElement, MembraneTally};
use tumorscape::cell::{ActSystems, Motility, Position};
use tumorscape::core::state::StateRegistry;
use tumorscape::core::{CellId, MemberId, SimSchedule};
use tumorscape::journal::checkpoint;
use tumorscape::simulation::{Program, Simulation};
use tumorscape::tissue::Sites;

/// A molecule of that level for ever: it neither decays nor is taken up.
const CONSTANT_MMP: &str = r#"(
    name: "mmp", label: "MMP", about: "Constant.", unit: "nM", nm_per_unit: 1,
    diffusivity_um2_per_min: 702, decay_per_min: 0, half_saturation: 1, quasi_steady: false, every_minutes: 60,
    crosses_vessel_walls: false, source: "made up",
)"#;

/// A cell that does what the test says, beside the shipped defaults.
pub fn cell(name: &str, more: &str) -> String {
    format!(
        r#"(name: "{name}", about: "A cell of a test.", colour: (1, 0.5, 0.5), tumour: true, {more})"#
    )
}

/// The program with the shipped plugins.
pub fn program() -> Program {
    Program::default()
}

/// Sets a scene up.
pub fn open(program: &Program, scene: &str, seed: u64) -> Simulation {
    let scene = program.parse_scene(scene, "membrane.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(scene), seed).expect("its parameters are valid")
}

/// The last value of a metric of the first site.
pub fn metric(simulation: &Simulation, name: &str) -> f64 {
    let metrics = simulation.metrics();
    let found = metrics.first().and_then(|site| site.get(name));
    found.unwrap_or_else(|| panic!("there is no metric {name}"))
}

fn tally(simulation: &Simulation) -> MembraneTally {
    let site = simulation.world().resource::<Sites>().list[0].entity;
    *simulation
        .world()
        .get::<MembraneTally>(site)
        .expect("the site has a membrane")
}

#[test]
fn a_membrane_opens_when_digestion_says_whatever_its_elements_and_the_step() {
    // rho = s + (1 - s) exp(-(a + k) t) with s = k / (a + k), until 100 (1 - rho)^2 = 7: 3.56 d at 1 nM by digestion alone, and with
    // mending in 20 d as well 3.97 d.
    let days = |nm: f64, mending_per_day: f64| {
        let (digestion, mending) = (6.0e-5 * nm, mending_per_day / 1440.0);
        let settles_at = mending / (digestion + mending);
        let open = 1.0 - 0.07_f64.sqrt();
        -((open - settles_at) / (1.0 - settles_at)).ln() / (digestion + mending) / 1440.0
    };
    assert!((days(1.0, 0.0) - 3.56).abs() < 0.01);
    assert!((days(1.0, 0.05) - 3.97).abs() < 0.01);
    for (element_um, nm, minutes, mending) in [
        (5, 1, 10, 0.0),
        (8, 1, 10, 0.0),
        (12, 1, 5, 0.0),
        (20, 1, 10, 0.0),
        (8, 3, 10, 0.0),
        (8, 1, 10, 0.05),
    ] {
        let scene = format!(
            r#"(
    title: "a membrane", about: "it opens", pace: Illustrative, duration: Days(5), step: Minutes({minutes}),
    sites: [(name: "dish", organ: Medium, size_um: (200, 200, 200), fields: [(molecule: "mmp", level: {nm}, faces: Closed)],
        tissue: (membranes: [(around: Acinus(radius_um: 60), element_um: {element_um})]))],
    molecules: [{CONSTANT_MMP}],
    cell_types: [{}],
    populations: [(cell: "still", place: Single(at_um: (90, 0, 0)))],
    parameters: {{"membranes.regeneration_per_day": {mending}}},
)"#,
            cell("still", "motility: (speed_um_per_min: 0)")
        );
        let mut simulation = open(&program(), &scene, 1);
        let expected = days(f64::from(nm), mending) * 24.0;
        while simulation.hours() < expected * 0.99 {
            simulation.step();
        }
        assert!(metric(&simulation, "membrane_first_opening_h").is_nan());
        while simulation.hours() < expected * 1.01 {
            simulation.step();
        }
        let found = metric(&simulation, "membrane_first_opening_h");
        assert!(
            (found / expected - 1.0).abs() < 0.01,
            "{found} h, {expected} h"
        );
        let area = metric(&simulation, "membrane_open_um2");
        let whole = 4.0 * std::f64::consts::PI * 3600.0;
        assert!((area / whole - 1.0).abs() < 1e-3, "all of it opens: {area}");
    }
}

/// Lets every cell walk along z at 0.1 um/min, the usual speed.
fn push(mut cells: Query<&mut Motility>) {
    for mut motility in &mut cells {
        motility.direction = Vec3::Z;
        motility.mean_direction = Vec3::Z;
        motility.speed_um_per_min = 0.1;
    }
}

fn pushing(app: &mut App) {
    app.add_systems(
        SimSchedule,
        push.in_set(ActSystems::Walk)
            .after(tumorscape::cell::motility::turn),
    );
}

#[test]
fn sixty_dividing_cells_pushed_for_twelve_days_do_not_pass_a_closed_membrane() {
    let scene = format!(
        r#"(
    title: "pushed", about: "cells are pushed against a membrane", pace: Illustrative, duration: Days(12), step: Minutes(2),
    sites: [(name: "dish", organ: Medium, size_um: (160, 160, 200),
        tissue: (membranes: [(around: Plane(through_um: (0, 0, 40), normal: (0, 0, 1)))]))],
    cell_types: [{}],
    populations: [(cell: "pushed", place: Cells([{}]))],
)"#,
        cell("pushed", "cycle: (), motility: ()"),
        (0..60)
            .map(|i| format!(
                "(at_um: ({}, {}, {})),",
                -60 + 24 * (i % 6),
                -60 + 24 * (i / 6 % 5),
                -20 + 24 * (i / 30)
            ))
            .collect::<String>()
    );
    let mut simulation = open(&program().with(pushing), &scene, 3);
    assert_eq!(simulation.cell_count(), 60);
    for _ in 0..12 * 720 {
        simulation.step();
    }
    assert!(
        simulation.cell_count() > 200,
        "they divide: {}",
        simulation.cell_count()
    );
    assert_eq!(tally(&simulation).outward, 0);
    let world = simulation.world();
    let mut cells = world
        .try_query::<(&CellId, &Position)>()
        .expect("there are cells");
    let beyond = cells
        .iter(world)
        .filter(|(_, position)| position.0.z >= 40.0);
    assert_eq!(beyond.count(), 0);
    // They do lean on it.
    let leaning = cells
        .iter(world)
        .filter(|(_, position)| position.0.z > 25.0);
    assert!(leaning.count() > 30);
}

#[test]
fn runners_do_not_jump_a_membrane() {
    let scene = format!(
        r#"(
    title: "fast", about: "fast cells in an acinus", pace: Illustrative, duration: Days(1), step: Minutes(1),
    sites: [(name: "dish", organ: Medium, size_um: (200, 200, 200),
        tissue: (membranes: [(around: Acinus(radius_um: 60))]))],
    cell_types: [{}, {}],
    populations: [(cell: "fast", place: Ball(radius_um: 24)), (cell: "slow", place: Shell(inner_um: 24, outer_um: 55)),
        (cell: "fast", place: Shell(inner_um: 70, outer_um: 95))],
)"#,
        cell(
            "fast",
            "motility: (speed_um_per_min: 12, persistence_min: 20)"
        ),
        cell("slow", "motility: (speed_um_per_min: 0.05)")
    );
    let mut simulation = open(&program(), &scene, 5);
    let outside = |simulation: &Simulation| {
        let world = simulation.world();
        let mut cells = world
            .try_query::<(&CellId, &Position)>()
            .expect("there are cells");
        let mut list: Vec<CellId> = cells
            .iter(world)
            .filter(|(_, position)| position.0.length() > 60.0)
            .map(|(id, _)| *id)
            .collect();
        list.sort_unstable();
        list
    };
    let before = outside(&simulation);
    for _ in 0..600 {
        simulation.step();
    }
    assert_eq!(outside(&simulation), before);
    assert_eq!(tally(&simulation), MembraneTally::default());
}

/// Cells that open their way within an hour, go out, divide and die; two membranes in one of two sites.
fn busy() -> String {
    format!(
        r#"(
    title: "busy", about: "all happens to it quickly", pace: Illustrative, duration: Hours(6), step: Minutes(2),
    sites: [
        (name: "duct", organ: Breast, size_um: (240, 160, 160),
            fields: [(molecule: "mmp", level: 0, faces: Closed), (molecule: "oxygen", level: 38)],
            tissue: (membranes: [
                (around: Duct(from_um: (-120, 0, 0), to_um: (120, 0, 0), radius_um: 40)),
                (around: Plane(through_um: (0, 0, 60), normal: (0, 0, 1)), element_um: 12, density: 0.9),
            ])),
        (name: "bare", organ: Liver, size_um: (100, 100, 100)),
    ],
    cell_types: [{}],
    populations: [
        (cell: "digger", place: Cylinder(from_um: (-100, 0, 0), to_um: (100, 0, 0), radius_um: 38)),
        (cell: "digger", site: "bare", place: Ball(radius_um: 20)),
    ],
    output: (metrics_every: Minutes(30), cells_at: [Hours(6)]),
)"#,
        cell(
            "digger",
            r#"cycle: (g0g1_hours: 1, s_hours: 1, g2_hours: 1, m_hours: 0.5), death: (apoptosis_per_hour: 0.05),
            motility: (speed_um_per_min: 0.7, persistence_min: 30), membrane: (contact_digestion_per_min: 0.02),
            exchange: [(molecule: "mmp", secretes_molecules_per_s: 15)]"#
        )
    )
}

#[test]
fn holes_crossings_and_who_made_them_are_told_and_nothing_is_broken() {
    let mut simulation = open(&program(), &busy(), 7);
    simulation.verify();
    let (mut told, mut returned, mut breaches) = (0, 0, 0);
    for _ in 0..180 {
        simulation.step();
        if let Some(violation) = simulation.violation() {
            panic!("{violation}");
        }
        for event in simulation.events() {
            let at = event.position_um;
            let on_duct = (at.yz().length() - 40.0).abs() < 1.0;
            match event.kind.name() {
                "membrane.crossing" => {
                    assert!(on_duct || (at.z - 60.0).abs() < 0.1, "{at}");
                    told += 1;
                }
                "membrane.return" => returned += 1,
                "membrane.breach" => {
                    assert!(on_duct || (at.z - 60.0).abs() < 0.1, "{at}");
                    breaches += 1;
                }
                _ => {}
            }
        }
    }
    assert!(told > 5 && breaches > 20, "{told} {breaches}");
    let tally = tally(&simulation);
    assert_eq!((tally.outward, tally.inward), (told, returned));
    assert_eq!(metric(&simulation, "membrane_crossings"), told as f64);
    assert!(tally.first_opening_h < tally.first_crossing_h);
    assert!(metric(&simulation, "membrane_open_share") > 0.01);
    let bare = simulation.metrics().remove(1);
    assert!(bare.get("membrane_open_share").is_some_and(f64::is_nan));
}

/// All elements: identity and state.
fn elements(simulation: &Simulation) -> Vec<(MemberId, MembraneElement)> {
    let world = simulation.world();
    let mut query = world
        .try_query_filtered::<(&MemberId, &MembraneElement), With<BasementMembrane>>()
        .expect("there are elements");
    let mut list: Vec<_> = query
        .iter(world)
        .map(|(id, element)| (*id, *element))
        .collect();
    list.sort_by_key(|(id, _)| *id);
    list
}

#[test]
fn elements_are_saved_and_resumed_to_the_same_bits() {
    let mut whole = open(&program(), &busy(), 7);
    for _ in 0..70 {
        whole.step();
    }
    assert!(
        whole
            .world()
            .resource::<StateRegistry>()
            .populations
            .iter()
            .any(|of| of.name == "membrane_elements")
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let saved = folder.path().join("saved");
    save(&whole, &saved);
    let (checkpoint, _) = checkpoint::open(&saved, |_| {}).expect("it is whole");
    let (mut resumed, _) = program()
        .resume(checkpoint)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(resumed.state_hash(), whole.state_hash());
    assert_eq!(elements(&resumed), elements(&whole));
    assert!(elements(&whole).iter().any(|(_, element)| element.is_open));
    assert_eq!(
        metric(&resumed, "membrane_open_um2"),
        metric(&whole, "membrane_open_um2")
    );
    resumed.verify();
    for step in 0..60 {
        whole.step();
        resumed.step();
        assert_eq!(resumed.state_hash(), whole.state_hash(), "step {step}");
    }
    assert!(resumed.violation().is_none());
    assert!(tally(&whole).outward > 0);
}

#[test]
fn thread_count_changes_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("busy.ron"), busy()).expect("writable");
    let run = |threads: &str| {
        let out = format!("out{threads}");
        let arguments = [
            "run",
            "busy.ron",
            "--threads",
            threads,
            "--out",
            &out,
            "--quiet",
        ];
        let text = succeeds(folder.path(), &arguments);
        let read =
            |name| std::fs::read(folder.path().join(&out).join(name)).expect("it was written");
        (
            state(&text).to_owned(),
            read("events.csv"),
            read("metrics.csv"),
            read("cells_6h.csv"),
        )
    };
    let one = run("1");
    assert!(String::from_utf8_lossy(&one.1).contains("membrane.crossing"));
    assert!(run("2") == one && run("3") == one);
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let told = |membranes: &str| {
        let scene = format!(
            "(title: \"a\", about: \"b\", pace: Illustrative, duration: Hours(1),\n\
             sites: [(name: \"dish\", organ: Medium, size_um: (200, 200, 200), tissue: (\n{membranes}))])"
        );
        match program().parse_scene(&scene, "m.ron", None) {
            Ok(_) => Vec::new(),
            Err(report) => report.headlines(),
        }
    };
    assert_eq!(
        told("membranes: [(around: Acinus(radius_um: 60))]"),
        Vec::<String>::new()
    );
    assert_eq!(
        told("membranes: [(around: Acinus(radius_um: -60), element_um: 0.1, density: 1.5)]"),
        [
            "m.ron:3:40: sites[0].tissue.membranes[0].around.radius_um: must be a number from 1 to 100000, found -60",
            "m.ron:3:58: sites[0].tissue.membranes[0].element_um: must be a number from 1 to 100000, found 0.1",
            "m.ron:3:72: sites[0].tissue.membranes[0].density: must be a number from 0 to 1, found 1.5",
        ]
    );
    assert_eq!(
        told("membranes: [(around: Acinus(radius: 60))]"),
        [
            "m.ron:3:29: sites[0].tissue.membranes[0].around.radius: there is no field `radius` here; did you mean `radius_um`?"
        ]
    );
    assert!(
        told("membranes: [(around: Acinus(radius_um: 60, centre_um: (0, NaN, 0)))]")[0]
            .contains("must be a number from -1000000 to 1000000, found NaN")
    );
    assert!(
        told("membranes: [(around: Duct(from_um: (1, 2, 3), to_um: (1, 2, 3), radius_um: 5))]")[0]
            .contains("the duct of membrane 0 has no length")
    );
    assert!(
        told("membranes: [(around: Plane(normal: (0, 0, 0)))]")[0]
            .contains("needs a normal that is not 0")
    );
    assert!(told("membranes: [(around: Acinus(radius_um: 9000))]")[0].contains("make these wider"));
    // Of a plane what lies in the site counts: 40 000 elements of 1 um, and three such are too many.
    let plane = "(around: Plane(normal: (0, 0, 1)), element_um: 1)";
    assert_eq!(told(&format!("membranes: [{plane}]")), Vec::<String>::new());
    let planes = [plane; 3].join(", ");
    assert!(told(&format!("membranes: [{planes}]"))[0].contains("120000 elements"));
    // A cell file.
    let library = format!(
        "(title: \"a\", about: \"b\", pace: Illustrative, duration: Hours(1),\n\
         sites: [(name: \"dish\", organ: Medium, size_um: (200, 200, 200))],\ncell_types: [\n{}])",
        cell("a", "membrane: (arrest_pore_um2: -7)")
    );
    let report = program()
        .parse_scene(&library, "m.ron", None)
        .expect_err("it is wrong");
    assert!(
        report.headlines()[0]
            .contains("arrest_pore_um2: must be a number from 0 to 10000, found -7")
    );
}
