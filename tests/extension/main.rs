//! A mechanism that is written outside the crate, against its public interface alone, is one like any other.
//!
//! `sparkle` lets cells glow up, tire and flash. Its plugin registers its parameters, its state of two numbers, how cells
//! begin with it and what daughters inherit; what can be known of a cell and of a site, an input, two measurements and
//! a kind of event. The cell type that has it, with a rule that drives the input, and the molecule that the cells give
//! off are files beside a scene. `swarm` calls cells, sends them from site to site and keeps a population of entities that
//! are no cells.
//!
//! `fog` is a second one, about the medium: a component of sites, voxel by voxel, that hinders what spreads.

mod comings;
mod fog;
mod layer;
#[path = "../saving/mod.rs"]
mod saving;
mod sparkle;
mod swarm;
mod tables;
#[path = "../threads/mod.rs"]
mod threads;

use std::path::Path;
use std::sync::Arc;

use bevy::prelude::*;
use fog::{Fog, fog};
use saving::save;
use sparkle::{FLICKERS, Sparkle, broken_sparkle, sparkle};
use tumorscape::core::regulate::RuleChange;
use tumorscape::core::state::StateRegistry;
use tumorscape::core::{CellId, Purpose, RandomKey};
use tumorscape::journal::run_folder::RunFolder;
use tumorscape::journal::{Journal, checkpoint};
use tumorscape::measure::{Census, Wanted};
use tumorscape::scene::{CellLibrary, ParsedScene};
use tumorscape::simulation::describe::Description;
use tumorscape::simulation::snapshot::SnapshotRequest;
use tumorscape::simulation::{Action, Lineage, Program, Simulation};
use tumorscape::tissue::{FieldValues, Sites};

const FIREFLY: &str = r#"(
    name: "firefly",
    about: "A cell that glows.",
    colour: (1, 1, 0.3),
    cycle: (g0g1_hours: 1, s_hours: 1, g2_hours: 0.5, m_hours: 0.5),
    exchange: [(molecule: "luciferin", secretes_molecules_per_s: 10)],
    sparkle: (rise_per_hour: 0.5),
    rules: {
        "light_breeds_light": (input: "sparkle.rise", by: "luciferin", law: Hill(half: 0.01, to: 1)),
    },
)"#;

const LUCIFERIN: &str = r#"(
    name: "luciferin", label: "luciferin", about: "What fireflies burn.", unit: "nM", nm_per_unit: 1,
    diffusivity_um2_per_min: 3e4, decay_per_min: 0.1, half_saturation: 1, quasi_steady: true, every_minutes: 1,
    crosses_vessel_walls: false, source: "made up",
)"#;

const SCENE: &str = r#"(
    title: "fireflies", about: "they glow", pace: Illustrative, duration: Hours(8),
    sites: [(name: "dish", organ: Medium, size_um: (400, 400, 400),
        fields: [(molecule: "luciferin", level: 0, faces: Closed)])],
    populations: [
        (cell: "firefly", place: Ball(radius_um: 30)),
        (cell: "fibroblast", place: Single(at_um: (120, 0, 0))),
    ],
    parameters: { "firefly.sparkle.tire_per_hour": 0.25 },
    output: (metrics_every: Hours(1), cells_at: [Hours(2)]),
    recording: (look: (colour_by: Quantity("sparkle.glow"), slice: (molecule: "luciferin"))),
    expect: [
        Eventually(metric: "light", is: Above(1)),
        Always(metric: "glow_mean", is: Between(0, 1.5)),
        AtEnd(metric: "luciferin_mean_nm", is: Above(0)),
    ],
)"#;

fn program() -> Program {
    Program::default().with(sparkle).with(fog)
}

/// A folder with the cell type and the scene.
fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cells = folder.path().join("assets/cells");
    std::fs::create_dir_all(&cells).expect("writable");
    std::fs::write(cells.join("firefly.ron"), FIREFLY).expect("writable");
    let molecules = folder.path().join("assets/molecules");
    std::fs::create_dir_all(&molecules).expect("writable");
    std::fs::write(molecules.join("luciferin.ron"), LUCIFERIN).expect("writable");
    std::fs::write(folder.path().join("dusk.ron"), SCENE).expect("writable");
    folder
}

fn open(folder: &Path) -> ParsedScene {
    let scene = program().open_scene(&folder.join("dusk.ron"));
    scene.unwrap_or_else(|report| panic!("{report}"))
}

fn simulation(folder: &Path) -> Simulation {
    Simulation::new(Arc::new(open(folder)), 7).expect("its parameters are valid")
}

/// Every glowing cell: identity, mother, state.
fn glowing(simulation: &Simulation) -> Vec<(CellId, CellId, Sparkle)> {
    let world = simulation.world();
    let mut query = world
        .try_query::<(&CellId, &Lineage, &Sparkle)>()
        .expect("there are such cells");
    let cells = query.iter(world);
    let mut cells: Vec<_> = cells
        .map(|(id, of, state)| (*id, of.parent, *state))
        .collect();
    cells.sort_by_key(|(id, ..)| *id);
    cells
}

#[test]
fn its_mistakes_in_a_cell_file_are_told_with_line_and_column() {
    let folder = workplace();
    let file = folder.path().join("assets/cells/firefly.ron");
    let told = |from: &str, to: &str| {
        std::fs::write(&file, FIREFLY.replace(from, to)).expect("writable");
        match program().check_file(&file) {
            Ok(fine) => vec![fine.value],
            Err(report) => {
                let lines = report.headlines();
                let short = |line: String| line.replace(&file.display().to_string(), "@");
                lines.into_iter().map(short).collect()
            }
        }
    };
    assert_eq!(told("", ""), ["cell type `firefly`, no problem found"]);
    assert_eq!(
        told("rise_per_hour", "rise_hourly"),
        [
            "@:7:15: sparkle.rise_hourly: there is no field `rise_hourly` here; did you mean `rise_per_hour`?"
        ]
    );
    assert_eq!(
        told(
            "rise_per_hour: 0.5",
            "rise_per_hour: -1, tire_per_hour: \"much\""
        ),
        [
            "@:7:30: sparkle.rise_per_hour: must be a number from 0 to 1000, found -1",
            "@:7:49: sparkle.tire_per_hour: expected a number, found `\"much\"`",
        ]
    );
    assert_eq!(
        told("sparkle:", "sparkel:"),
        ["@:7:5: sparkel: there is no field `sparkel` here; did you mean `sparkle`?"]
    );
    assert_eq!(
        told("sparkle: (", "sparkle: (rise_per_hour: 3), sparkle: ("),
        ["@:7:34: sparkle: the field `sparkle` stands twice, first in line 7"]
    );
    assert_eq!(
        told(
            "sparkle: (rise_per_hour: 0.5)",
            "sparkle: (rise_per_hour: 0.5, tire_per_hour: 3)"
        ),
        ["@:7:50: sparkle.tire_per_hour: it tires faster than it rises (0.5 per hour)"]
    );
    // The shipped program does not know it.
    std::fs::write(&file, FIREFLY).expect("writable");
    let report = Program::default()
        .check_file(&file)
        .expect_err("it is unknown");
    assert!(
        report.headlines()[0].contains("there is no field `sparkle` here"),
        "{report}"
    );
}

#[test]
fn a_scene_that_holds_the_cell_type_itself_is_read_and_its_mistakes_are_told() {
    let scene = |cell: &str| {
        let text = SCENE.replace(
            "populations:",
            &format!("cell_types: [{cell}],\n    populations:"),
        );
        let text = text.replace("\"fibroblast\"", "\"firefly\"");
        let text = text.replace(
            "parameters:",
            &format!("molecules: [{LUCIFERIN}],\n    parameters:"),
        );
        program().parse_scene(&text, "own.ron", None)
    };
    let own = scene(FIREFLY).unwrap_or_else(|report| panic!("{report}"));
    let found = own.library.get("firefly").expect("it is there");
    assert_eq!(
        found
            .get::<sparkle::SparkleParameters>()
            .expect("it glows")
            .rise_per_hour,
        0.5
    );
    let report = scene(&FIREFLY.replace("rise_per_hour: 0.5", "rise_per_hour: \"a\""))
        .expect_err("it is wrong");
    assert_eq!(
        report.headlines(),
        ["own.ron:11:30: cell_types[0].sparkle.rise_per_hour: expected a number, found `\"a\"`"]
    );
}

#[test]
fn a_scene_is_written_and_read_again_as_an_equal_one() {
    let folder = workplace();
    let parsed = open(folder.path());
    let text = parsed.to_ron(7).expect("it can be written");
    let again = parsed
        .another_from_ron("again.ron", &text)
        .expect("it can be read");
    assert_eq!(again.library.types, parsed.library.types);
    let twice = again.to_ron(7).expect("it can be written");
    assert_eq!(twice, text);
    // And it is a scene like any other.
    let read = program().parse_scene(&text, "again.ron", None);
    let read = read.unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(read.scene, again.scene);
    assert_eq!(read.library.types, parsed.library.types);
}

#[test]
fn its_parameters_are_set_by_path() {
    let folder = workplace();
    let mut simulation = simulation(folder.path());
    let value = |simulation: &Simulation, path: &str| {
        let all = simulation.parameters();
        let found = all.into_iter().find(|parameter| parameter.path == path);
        found.map(|parameter| parameter.value)
    };
    assert_eq!(
        value(&simulation, "firefly.sparkle.tire_per_hour"),
        Some(0.25)
    );
    assert_eq!(
        value(&simulation, "firefly.sparkle.rise_per_hour"),
        Some(0.5)
    );
    assert_eq!(value(&simulation, "fibroblast.sparkle.rise_per_hour"), None);
    let path = "firefly.sparkle.rise_per_hour".to_owned();
    simulation
        .apply(Action::Set(path, 2.0))
        .expect("it is there");
    simulation.step();
    assert_eq!(
        value(&simulation, "firefly.sparkle.rise_per_hour"),
        Some(2.0)
    );
    let text = SCENE.replace("tire_per_hour", "tyre_per_hour");
    let report = program()
        .parse_scene(&text, "dusk.ron", Some(folder.path()))
        .expect_err("it is misspelt");
    assert!(
        report.headlines()[0].contains("did you mean `firefly.sparkle.tire_per_hour`?"),
        "{report}"
    );
    let text = SCENE.replace("0.25", "0.75");
    let report = program()
        .parse_scene(&text, "dusk.ron", Some(folder.path()))
        .expect_err("it contradicts the cell file");
    assert!(
        report.headlines()[0].contains("it tires faster than it rises"),
        "{report}"
    );
}

#[test]
fn its_system_races_with_no_other() {
    let library = CellLibrary::empty(program().capabilities().clone());
    if let Err(report) = program().schedule_ambiguities(&library) {
        panic!("{report}");
    }
}

#[test]
fn cells_begin_with_it_change_by_its_system_and_hand_it_on() {
    let folder = workplace();
    let mut simulation = simulation(folder.path());
    let first = glowing(&simulation);
    assert_eq!(
        first.len() + 1,
        simulation.cell_count(),
        "all but the fibroblast glow"
    );
    assert!(
        first
            .iter()
            .all(|(.., state)| (0.0..1.0).contains(&state.glow))
    );
    assert!(
        first.windows(2).any(|pair| pair[0].2 != pair[1].2),
        "each begins with its own"
    );
    simulation.step();
    let second = glowing(&simulation);
    // There is no luciferin before the first step. A cell in twenty flickers.
    let mut flickered = 0.0;
    for ((id, _, before), (_, _, after)) in first.iter().zip(&second) {
        let expected = before.glow + (0.5 - 0.25 * before.fatigue) / 60.0;
        let steady = (after.glow - expected).abs() < 1e-6;
        let flickers = (after.glow - 0.99 * expected).abs() < 1e-6;
        assert!(steady || flickers, "{id:?}: {before:?}, {after:?}");
        flickered += f32::from(u8::from(flickers));
    }
    let (n, p) = (first.len() as f32, FLICKERS);
    assert!((flickered - n * p).abs() < 4.0 * (n * p * (1.0 - p)).sqrt());
    let mut daughters = 0;
    let mut before = second;
    for _ in 0..120 {
        simulation.step();
        let now = glowing(&simulation);
        for (id, mother, state) in &now {
            if before.iter().all(|(known, ..)| known != id) {
                let mother = now.iter().find(|(known, ..)| known == mother);
                let (.., mother) = mother.expect("she goes on as the other daughter");
                assert_eq!(state.glow, mother.glow, "both have half of her glow");
                assert_eq!((state.fatigue, mother.fatigue), (0.0, 0.0));
                daughters += 1;
            }
        }
        before = now;
    }
    assert!(daughters > 5, "{daughters}");
}

#[test]
fn it_is_part_of_the_state_and_is_saved_and_resumed() {
    let folder = workplace();
    let mut whole = simulation(folder.path());
    let hash = whole.state_hash();
    let mut other = simulation(folder.path());
    assert_eq!(other.state_hash(), hash);
    for _ in 0..90 {
        whole.step();
        other.step();
    }
    assert_eq!(other.state_hash(), whole.state_hash());
    let saved = folder.path().join("saved");
    save(&whole, &saved);
    // The cell file may be gone by then.
    std::fs::remove_dir_all(folder.path().join("assets")).expect("it is there");
    let open = || {
        let (checkpoint, _) = checkpoint::open(&saved, |_| {}).expect("it is whole");
        checkpoint
    };
    let refused = Program::default()
        .resume(open())
        .map(|_| ())
        .expect_err("it lacks sparkle");
    assert!(refused.to_string().contains("sparkle"), "{refused}");
    let (mut resumed, _) = program()
        .resume(open())
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(resumed.state_hash(), whole.state_hash());
    assert_eq!(glowing(&resumed), glowing(&whole));
    for _ in 0..90 {
        resumed.step();
        whole.step();
    }
    assert_eq!(resumed.state_hash(), whole.state_hash());
    // The books are reopened with the same scene, capability and all.
    let reopened = Journal::reopen(
        &resumed,
        &saved,
        program().resume(open()).expect("again").1.journal,
    );
    assert!(reopened.is_ok(), "{:?}", reopened.err());
    let registry = resumed.world().resource::<StateRegistry>();
    assert!(registry.cells.iter().any(|state| state.name == "sparkle"));
}

#[test]
fn it_is_described_as_what_ships_is() {
    let folder = workplace();
    let description = Description::in_folder(&program(), folder.path());
    let description = description.unwrap_or_else(|report| panic!("{report}"));
    let found = description.find("firefly.sparkle.rise_per_hour").unwrap();
    assert_eq!(found[0].kind, "parameter");
    assert_eq!(found[0].facts[0], "here 0.5");
    assert!(!found[0].about.is_empty());
    let known = description.find("sparkle").unwrap();
    assert_eq!(known[0].kind, "capability");
    let can = description.find("firefly").unwrap();
    assert!(can[0].facts[0].contains("sparkle"), "{:?}", can[0]);
    for (name, kind) in [
        ("sparkle.glow", "quantity of a cell"),
        ("sparkle.light", "quantity of a site"),
        ("sparkle.rise", "input of a cell"),
        ("sparkle.flash", "event"),
        ("glow_mean", "metric"),
        ("luciferin", "molecule"),
    ] {
        let found = description.find(name).unwrap_or_default();
        assert!(
            found.iter().any(|item| item.kind == kind),
            "{name}: {found:?}"
        );
    }
    let shipped = Description::of(&Program::default());
    let shipped = shipped.unwrap_or_else(|report| panic!("{report}"));
    assert!(shipped.find("sparkle").is_err());
}

/// Whether a cell flickered in the last step: drawn here once more, from the purpose of that name.
fn flickers(simulation: &Simulation, id: CellId) -> bool {
    let key = *simulation.world().resource::<RandomKey>();
    let mut random = key.stream(id, simulation.steps() - 1, Purpose::of("sparkle.flicker"));
    random.chance(FLICKERS)
}

#[test]
fn the_rule_in_its_cell_file_drives_its_input() {
    let folder = workplace();
    let rises = |simulation: &mut Simulation| {
        for _ in 0..30 {
            simulation.step();
        }
        let before = glowing(simulation);
        let around = Census::take(
            simulation.world(),
            &Wanted {
                quantities: vec!["luciferin".into()],
                ..Wanted::default()
            },
        );
        simulation.step();
        let after = glowing(simulation);
        let luciferin = around.quantity("luciferin").expect("it was asked for");
        let of = |id: CellId| around.ids.iter().position(|known| *known == id);
        let mut found = Vec::new();
        for (id, _, state) in before {
            let later = after.iter().find(|(known, ..)| *known == id);
            let Some((.., later)) = later.filter(|(.., later)| later.glow > state.glow) else {
                continue;
            };
            if flickers(simulation, id) {
                continue;
            }
            let rise = (later.glow - state.glow) * 60.0 + 0.25 * state.fatigue;
            found.push((luciferin[of(id).expect("it is there")], rise));
        }
        assert!(found.len() > 5);
        found
    };
    let mut ruled = simulation(folder.path());
    for (q, rise) in rises(&mut ruled) {
        let expected = 0.5 + 0.5 * q / (q + 0.01);
        assert!(
            q > 0.0 && (rise / expected - 1.0).abs() < 1e-3,
            "{q}: {rise}, {expected}"
        );
    }
    let mut bare = simulation(folder.path());
    let rule = RuleChange::Delete("firefly.light_breeds_light".into());
    bare.apply(Action::Rule(rule)).expect("it is there");
    for (_, rise) in rises(&mut bare) {
        assert!((rise / 0.5 - 1.0).abs() < 1e-3, "{rise}");
    }
}

#[test]
fn it_breaks_no_invariant() {
    let folder = workplace();
    let mut simulation = simulation(folder.path());
    simulation.verify();
    for _ in 0..120 {
        simulation.step();
        assert!(simulation.violation().is_none());
    }
}

#[test]
fn a_fault_in_it_is_told_by_the_invariant_it_registers() {
    let folder = workplace();
    let program = Program::default().with(broken_sparkle);
    let scene = program.open_scene(&folder.path().join("dusk.ron"));
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    let mut simulation = Simulation::new(Arc::new(scene), 7).expect("its parameters are valid");
    simulation.verify();
    simulation.step();
    let violation = simulation.violation().expect("cells are too tired");
    assert_eq!(
        violation.to_string(),
        "step 1 (0.00 h) breaks an invariant: after `light_up` in Signal, cell 3: its tiredness is 1.25, which is not \
         from 0 to 1"
    );
}

#[test]
fn what_it_knows_can_be_shown_and_inspected() {
    let folder = workplace();
    let mut simulation = simulation(folder.path());
    simulation.step();
    let look = simulation.scene().scene.recording.look.clone();
    let mut request = SnapshotRequest::of_look(&look);
    let (id, _, state) = glowing(&simulation)[0];
    request.portrait = Some(id.0);
    let snapshot = simulation.snapshot(&request);
    let glow = snapshot.catalogue.quantity("sparkle.glow");
    assert!(glow.is_some_and(|glow| glow.featured && glow.range == (0.0, 1.5)));
    let portrait = snapshot.portrait.expect("it was asked for");
    let shown = portrait
        .quantities
        .iter()
        .find(|(label, ..)| label == "sparkle glow");
    assert_eq!(shown.map(|(_, value, _)| *value), Some(state.glow));
    assert!(snapshot.molecules.named("luciferin").is_some());
}

#[test]
fn its_fog_hinders_what_spreads_and_is_saved_and_resumed() {
    let folder = workplace();
    let mut simulation = simulation(folder.path());
    let site = |simulation: &Simulation| {
        let sites = &simulation.world().resource::<Sites>().list;
        (sites[0].entity, sites[0].fields[0].entity)
    };
    // Means of luciferin in the lowest and the highest layer of voxels.
    let layers = |simulation: &Simulation| {
        let field = simulation.world().get::<FieldValues>(site(simulation).1);
        let values = &field.expect("fields have values").0;
        let layer = 20 * 20;
        let mean = |layer: &[f32]| layer.iter().sum::<f32>() / layer.len() as f32;
        [
            mean(&values[..layer]),
            mean(&values[values.len() - layer..]),
        ]
    };
    let ratio = |simulation: &Simulation| {
        let [low, high] = layers(simulation);
        low / high
    };
    // The same without fog, where above is as below.
    let clear = Program::default().with(sparkle);
    let clear = clear.open_scene(&folder.path().join("dusk.ron"));
    let clear = clear.unwrap_or_else(|report| panic!("{report}"));
    let mut clear = Simulation::new(Arc::new(clear), 7).expect("its parameters are valid");
    for _ in 0..90 {
        simulation.step();
        clear.step();
    }
    // 3 of fog leaves a quarter of the diffusivity, so luciferin reaches half as far, 275 um instead of 550: over the
    // 200 um to the floor it falls to 1/cosh(200/275), to the ceiling to 1/cosh(200/550) = 0.94 of its level.
    let (clear, foggy) = (ratio(&clear), ratio(&simulation));
    assert!((clear - 1.0).abs() < 0.03, "{clear}");
    assert!(foggy > 0.75 && foggy < 0.9, "{foggy}");
    let fog = |simulation: &Simulation| {
        let fog = simulation.world().get::<Fog>(site(simulation).0);
        fog.expect("every site has it").clone()
    };
    let saved = folder.path().join("fog");
    save(&simulation, &saved);
    let (saved, _) = checkpoint::open(&saved, |_| {}).expect("it is whole");
    let resumed = program().resume(saved);
    let (mut resumed, _) = resumed.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(fog(&resumed), fog(&simulation));
    for _ in 0..15 {
        simulation.step();
        resumed.step();
        assert_eq!(resumed.state_hash(), simulation.state_hash());
    }
}

/// The one answer that spheres and legend are made of.
#[cfg(feature = "view")]
#[test]
fn its_quantity_colours_cells_and_gives_the_legend_its_scale() {
    use tumorscape::view::colours::{CellColours, ColourSource};
    let folder = workplace();
    let mut simulation = simulation(folder.path());
    simulation.step();
    let look = simulation.scene().scene.recording.look.clone();
    let snapshot = simulation.snapshot(&SnapshotRequest::of_look(&look));
    let site = &snapshot.sites[0];
    let colours = CellColours::new(&snapshot, site, &look.colour_by);
    let scale = colours.scale().expect("a quantity has one");
    assert_eq!((scale.min, scale.max), (0.0, 1.5));
    let known = glowing(&simulation);
    let mut without = 0;
    for (i, id) in site.cells.id.iter().enumerate() {
        match known.iter().find(|(known, ..)| known.0 == *id) {
            Some((.., state)) => assert_eq!(colours.source(i), ColourSource::Number(state.glow)),
            None => {
                assert_eq!(colours.source(i), ColourSource::Aside);
                without += 1;
            }
        }
    }
    assert_eq!(
        without, 1,
        "the fibroblast does not glow, nor any of its type"
    );
}
