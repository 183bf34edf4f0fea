//! Whatever scene: no panic, no broken invariant, and the same state when it is stopped, resumed and run again.
//!
//! Scenes are drawn at random, the same ones every time: one or two sites with their sizes, shapes of voxels,
//! molecules, faces, walls and supply; populations of all kinds of places, of the shipped cell types and of one with
//! any set of capabilities; lengths of steps, any parameter within its limits, single and repeated changes on the way.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tumorscape::cell::EventKind;
use tumorscape::core::parameters::{check_exact, list_parameters};
use tumorscape::core::{Clock, parallel};
use tumorscape::journal::run_folder::{RECORD, RunFolder};
use tumorscape::journal::{Journal, checkpoint};
use tumorscape::measure::Wanted;
use tumorscape::scene::schema::Place;
use tumorscape::scene::{CellLibrary, Change, ParsedScene};
use tumorscape::simulation::{Simulation, open_scene, prototype_world};
use tumorscape::tissue::SiteId;

/// Number of scenes.
const CASES: u32 = 300;
/// Steps of each.
const STEPS: u64 = 25;

/// What a random scene is made of; shares are 0-1.
#[derive(Clone, Debug)]
struct Draw {
    sites: Vec<Block>,
    wild: Wild,
    step_minutes: f32,
    populations: Vec<Group>,
    /// Which parameter, factor on its value, when (from the start if before the first step), whether again and again.
    changes: Vec<(Index, f64, u64, bool)>,
    /// What is added on the way, when, and whether again and again.
    added: Vec<(Group, u64, bool)>,
    /// The step after which the run is stopped and resumed.
    stop: u64,
    seed: u64,
}

/// A site.
#[derive(Clone, Debug)]
struct Block {
    /// Voxels and their edges, um, along x, y, z.
    voxels: [(u32, f32); 3],
    walls: bool,
    perfusion_um: Option<f32>,
    /// Level and whether faces are held, for each molecule that there is.
    fields: Vec<Option<(f32, bool)>>,
}

/// A cell type: which of its capabilities it has, its size, and what it follows how strongly.
#[derive(Clone, Debug)]
struct Wild {
    capabilities: [bool; 5],
    volume_um3: f32,
    follows: Vec<(&'static str, f32)>,
}

/// A population.
#[derive(Clone, Debug)]
struct Group {
    /// Its kind of place, and how large or where it is.
    place: (u8, f32, [f32; 3]),
    cell: &'static str,
    site: Index,
}

/// The shipped molecules.
const MOLECULES: [&str; 4] = ["oxygen", "glucose", "lactate", "vegf_a"];

/// The file of the drawn cell type.
const WILD: &str = "assets/cells/wild.ron";

fn draw() -> impl Strategy<Value = Draw> {
    let edge = || (3_u32..12, 20_u32..90).prop_map(|(voxels, half)| (voxels, half as f32 / 2.0));
    let block = (
        [edge(), edge(), edge()],
        any::<bool>(),
        prop::option::of(10.0_f32..300.0),
        prop::collection::vec(
            prop::option::weighted(0.7, (0.0_f32..60.0, any::<bool>())),
            MOLECULES.len(),
        ),
    )
        .prop_map(|(voxels, walls, perfusion_um, fields)| Block {
            voxels,
            walls,
            perfusion_um,
            fields,
        });
    let wild = (
        any::<[bool; 5]>(),
        300.0_f32..9000.0,
        prop::sample::subsequence(MOLECULES.to_vec(), 0..=MOLECULES.len()),
        [-1.0_f32..1.0, -1.0..1.0, -1.0..1.0, -1.0..1.0],
    )
        .prop_map(|(capabilities, volume_um3, molecules, indices)| Wild {
            capabilities,
            volume_um3,
            follows: molecules.into_iter().zip(indices).collect(),
        });
    let group = || {
        let side = || -0.95_f32..0.95;
        let place = (0_u8..5, 0.0_f32..1.0, [side(), side(), side()]);
        let cell = select(vec!["cancer", "fibroblast", "wild"]);
        (place, cell, any::<Index>()).prop_map(|(place, cell, site)| Group { place, cell, site })
    };
    let factor = select(vec![0.0, 0.1, 0.5, 0.9, 1.5, 3.0, 10.0]);
    let change = (any::<Index>(), factor, 0..STEPS, any::<bool>());
    (
        prop::collection::vec(block, 1..3),
        wild,
        select(vec![0.1_f32, 0.5, 1.0, 3.0, 10.0]),
        prop::collection::vec(group(), 1..4),
        prop::collection::vec(change, 0..8),
        prop::collection::vec((group(), 0..STEPS, prop::bool::weighted(0.2)), 0..3),
        1..STEPS,
        any::<u64>(),
    )
        .prop_map(
            |(sites, wild, step_minutes, populations, changes, added, stop, seed)| Draw {
                sites,
                wild,
                step_minutes,
                populations,
                changes,
                added,
                stop,
                seed,
            },
        )
}

impl Block {
    fn size_um(&self) -> [f32; 3] {
        self.voxels.map(|(voxels, edge)| voxels as f32 * edge)
    }

    fn text(&self, number: usize) -> String {
        let fields = MOLECULES.into_iter().zip(&self.fields);
        let fields: String = fields
            .filter_map(|(molecule, field)| Some((molecule, (*field)?)))
            .map(|(molecule, (level, held))| {
                let faces = if held { "Held" } else { "Closed" };
                format!("(molecule: {molecule:?}, level: {level:?}, faces: {faces}),")
            })
            .collect();
        let perfusion = self
            .perfusion_um
            .map_or_else(|| "None".into(), |length| format!("Some({length:?})"));
        format!(
            "(name: \"site {number}\", organ: Breast, size_um: {:?}, voxel_um: {:?}, fields: [{fields}], \
             perfusion_length_um: {perfusion}, walls: {}),",
            <(f32, f32, f32)>::from(self.size_um()),
            <(f32, f32, f32)>::from(self.voxels.map(|(_, edge)| edge)),
            self.walls,
        )
    }
}

impl Wild {
    fn text(&self) -> String {
        let names = ["cycle", "death", "metabolism", "hif"];
        let mut capabilities: String = names
            .iter()
            .zip(self.capabilities)
            .filter(|(_, has)| *has)
            .map(|(name, _)| format!("{name}: (),"))
            .collect();
        if self.capabilities[4] {
            let follows: String = self
                .follows
                .iter()
                .map(|(molecule, index)| {
                    format!("(molecule: {molecule:?}, chemotactic_index: {index:?}),")
                })
                .collect();
            capabilities += &format!("motility: (speed_um_per_min: 2), follows: [{follows}],");
        }
        format!(
            "(name: \"wild\", about: \"any\", colour: (1, 1, 1), \
             body: (volume_um3: {:?}, nucleus_um3: 200), {capabilities})",
            self.volume_um3
        )
    }
}

impl Draw {
    fn group_text(&self, group: &Group) -> String {
        let (number, block) = {
            let number = group.site.index(self.sites.len());
            (number, &self.sites[number])
        };
        let size = block.size_um();
        let smallest = size.into_iter().fold(f32::MAX, f32::min);
        let (kind, share, at) = group.place;
        let [x, y, z] = [0, 1, 2].map(|axis| 0.5 * size[axis] * at[axis]);
        // No cell is wider than 26 um; the smallest block has three voxels of 10 um.
        let (most, least) = (0.5 * smallest - 0.01, 14.0);
        let place = match kind {
            1 if most > least => {
                format!("Ball(radius_um: {:?})", (least + 66.0 * share).min(most))
            }
            2 if most > 3.0 * least => {
                let outer = (3.0 * least + 40.0 * share).min(most);
                format!("Shell(inner_um: {:?}, outer_um: {outer:?})", 8.0 * share)
            }
            3 => format!(
                "Scatter(per_mm3: {:?}, outside_um: {:?})",
                100.0 + 20_000.0 * share,
                0.3 * smallest * share
            ),
            4 => format!(
                "Cells([(at_um: ({x:?}, {y:?}, {z:?})), (at_um: ({:?}, {y:?}, {z:?}), cell: \"wild\")])",
                -x
            ),
            _ => format!("Single(at_um: ({x:?}, {y:?}, {z:?}))"),
        };
        format!(
            "(cell: \"{}\", site: \"site {number}\", place: {place})",
            group.cell
        )
    }

    /// An event at the start of a step, or from there on every four steps.
    fn event(&self, step: u64, again: bool, action: &str) -> String {
        let minutes = |steps: u64| steps as f32 * self.step_minutes;
        if again {
            format!(
                "Every(every: Minutes({:?}), from: Minutes({:?}), action: {action}),",
                minutes(4),
                minutes(step)
            )
        } else {
            format!("At(Minutes({:?}), {action}),", minutes(step))
        }
    }

    /// The scene as people would write it; `known` are the parameters, see [`known_parameters`].
    fn text(&self, known: &[(String, f64, f64, f64)]) -> String {
        let numbered = self.sites.iter().enumerate();
        let sites: String = numbered.map(|(number, site)| site.text(number)).collect();
        let populations: Vec<String> = self
            .populations
            .iter()
            .map(|group| self.group_text(group))
            .collect();
        let (mut first, mut timeline) = (Vec::new(), String::new());
        for (which, factor, step, again) in &self.changes {
            let (path, value, least, most) = which.get(known);
            // Tiny cells would fill a ball by the million.
            let factor = if path.ends_with("body.volume_um3") {
                factor.max(0.5)
            } else {
                *factor
            };
            let mut value = (value * factor).clamp(*least, *most);
            if ["crosses_vessel_walls", "quasi_steady", "in_air"]
                .iter()
                .any(|switch| path.ends_with(switch))
            {
                value = f64::from(factor > 0.5);
            }
            if path.ends_with("_stages") {
                value = value.round();
            }
            if path.ends_with("nm_per_unit") {
                // With a tiny unit the smallest secretion is more of it than ledgers add up, which is told.
                value = value.max(1.0);
            }
            if path.ends_with("every_minutes") {
                // Less than a step is refused.
                value = value.max(f64::from(self.step_minutes));
            }
            if *step < STEPS / 3 {
                if first.iter().all(|(known, _)| known != path) {
                    first.push((path.clone(), value));
                }
            } else {
                timeline += &self.event(*step, *again, &format!("Set({path:?}, {value:?})"));
            }
        }
        for (group, step, again) in &self.added {
            let population = self.group_text(group);
            timeline += &self.event(*step, *again, &format!("Add{population}"));
        }
        let parameters: String = first
            .iter()
            .map(|(path, value)| format!("{path:?}: {value:?},"))
            .collect();
        format!(
            "(title: \"any\", about: \"any\", pace: Illustrative, seed: 1, duration: Minutes({:?}), \
             step: Minutes({:?}), sites: [{sites}], populations: [{}], parameters: {{{parameters}}}, \
             timeline: [{timeline}])",
            STEPS as f32 * self.step_minutes,
            self.step_minutes,
            populations.join(", "),
        )
    }
}

/// Path, value and limits of every parameter, of the cell types at hand in a folder.
fn known_parameters(folder: &Path) -> Vec<(String, f64, f64, f64)> {
    let library = CellLibrary::for_folder(folder).expect("the cell types are valid");
    let world = prototype_world(&library);
    list_parameters(&world)
        .into_iter()
        // A switch is on or off, and nothing between, and what is counted is whole.
        .filter(|known| {
            let refused = check_exact(&world, &known.path, known.value.floor() + 0.5);
            let between = ["(off)", "whole number"];
            !refused.is_err_and(|error| {
                between
                    .iter()
                    .any(|words| error.to_string().contains(words))
            })
        })
        .map(|known| (known.path, known.value, known.limits.min, known.limits.max))
        .collect()
}

/// Stops a run by a checkpoint in its folder and takes it up again from there.
fn stop_and_resume(
    simulation: &Simulation,
    mut journal: Journal,
    folder: &Path,
) -> (Simulation, Journal) {
    let state = journal.state().expect("the folder is writable");
    let state = state.expect("there is a folder");
    let run = checkpoint::run_state(simulation, 1, state).expect("a scene can be written");
    checkpoint::write(folder, &run, simulation.world()).expect("the folder is writable");
    drop(journal);
    let (checkpoint, _) = checkpoint::open(folder, |trouble| panic!("{trouble}"))
        .unwrap_or_else(|error| panic!("{error}"));
    let (resumed, run) = Simulation::resume(checkpoint).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(resumed.state_hash(), simulation.state_hash());
    let journal = Journal::reopen(&resumed, folder, run.journal);
    (resumed, journal.unwrap_or_else(|error| panic!("{error}")))
}

/// Runs a scene in a folder, looking at all of it in every step, and stops and resumes it once; its state at the end.
fn run_watched(
    scene: &Arc<ParsedScene>,
    seed: u64,
    folder: &Path,
    stop: u64,
) -> Result<u64, TestCaseError> {
    let mut simulation = Simulation::new(scene.clone(), seed).expect("its parameters were checked");
    simulation.verify();
    let run_folder = RunFolder::create(folder, &simulation).expect("the folder is writable");
    let mut journal = Journal::new(&simulation, Some(run_folder));
    journal.note(&simulation).expect("the folder is writable");
    let added_in = |step| {
        let mut clock = Clock::new(scene.scene.step.minutes());
        clock.step = step;
        let changes = scene.timeline.changes_in(clock);
        let count = |place: &Place| match place {
            Place::Single { .. } => Some(1),
            Place::Cells(cells) => Some(cells.len()),
            // As many as have room.
            _ => None,
        };
        changes
            .iter()
            .filter_map(|change| match change {
                Change::Add(population, _) => Some(count(&population.place)),
                Change::Set(..) | Change::Rule(_) | Change::Treat(_) => None,
            })
            .sum::<Option<usize>>()
    };
    let mut before: BTreeSet<u64> = identities(&simulation);
    for step in 0..STEPS {
        simulation.step();
        prop_assert!(
            simulation.violation().is_none(),
            "{}",
            simulation.violation().expect("there is one")
        );
        let after = identities(&simulation);
        let count = |kinds: &[EventKind]| {
            let events = simulation.events().iter();
            events.filter(|event| kinds.contains(&event.kind)).count()
        };
        let births = count(&[EventKind::of("division")]);
        let gone = count(&[EventKind::of("clearance"), EventKind::of("exit")]);
        let vanished = before.difference(&after).count();
        match added_in(step) {
            Some(added) => {
                prop_assert_eq!(before.len() + added + births, after.len() + gone);
                // One that is put beside an open face may leave in the same step.
                prop_assert!(vanished <= gone && gone <= vanished + added);
            }
            None => prop_assert!(after.difference(&before).count() >= births),
        }
        before = after;
        journal.note(&simulation).expect("the folder is writable");
        if step + 1 == stop {
            (simulation, journal) = stop_and_resume(&simulation, journal, folder);
            simulation.verify();
        }
    }
    let site_of = |site: SiteId| &scene.scene.sites[usize::from(site.0)];
    for site in (0..scene.scene.sites.len() as u16).map(SiteId) {
        for molecule in MOLECULES {
            if let Some((values, _)) = simulation.field(site, molecule) {
                prop_assert!(
                    values
                        .iter()
                        .all(|value| value.is_finite() && *value >= 0.0)
                );
            }
        }
    }
    let cells = simulation.census(&Wanted::default());
    for row in 0..cells.len() {
        let (id, at) = (cells.ids[row], cells.positions_um[row]);
        prop_assert!(
            at.is_finite() && cells.radii_um[row] > 0.0,
            "{id:?} at {at}"
        );
        let block = site_of(cells.sites[row]);
        let half = bevy::math::Vec3::from(block.size_um) * 0.5;
        // Faces lie on whole multiples of voxels, which rounds.
        let inside = at.abs().cmple(half * 1.000_01).all();
        prop_assert!(!block.walls || inside, "outside the walls: {id:?} at {at}");
    }
    Ok(simulation.state_hash())
}

/// Runs the record of a run to its end, unwatched; its state.
fn run_again(record: &Path) -> Result<u64, TestCaseError> {
    let scene = open(record).map_err(TestCaseError::fail)?;
    let seed = scene.scene.seed;
    let mut simulation =
        Simulation::new(Arc::new(scene), seed).expect("its parameters were checked");
    for _ in 0..STEPS {
        simulation.step();
    }
    Ok(simulation.state_hash())
}

/// All identities; each is there once.
fn identities(simulation: &Simulation) -> BTreeSet<u64> {
    let cells = simulation.census(&Wanted::default()).ids;
    let identities: BTreeSet<u64> = cells.iter().map(|id| id.0).collect();
    assert_eq!(identities.len(), cells.len(), "an identity is there twice");
    identities
}

#[test]
fn any_scene_runs_without_a_broken_invariant_and_ends_the_same_when_resumed_and_run_again() {
    parallel::set_threads(Some(2));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let (path, run_folder) = (folder.join("any.ron"), folder.join("run"));
    let wild = folder.join(WILD);
    std::fs::create_dir_all(wild.parent().expect("a folder")).expect("writable");
    let mut runner = TestRunner::new_with_rng(
        Config {
            cases: CASES,
            failure_persistence: None,
            max_shrink_iters: 200,
            ..Config::default()
        },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let outcome = runner.run(&draw(), |draw| {
        std::fs::write(&wild, draw.wild.text()).expect("the folder is writable");
        let text = draw.text(&known_parameters(folder));
        std::fs::write(&path, &text).expect("the folder is writable");
        let _absent = std::fs::remove_dir_all(&run_folder);
        let explain = |error: TestCaseError| match error {
            TestCaseError::Fail(reason) => {
                TestCaseError::fail(format!("{reason}\n{}\n{text}", draw.wild.text()))
            }
            rejected => rejected,
        };
        // Values that are sound each may contradict each other, and are refused then; nothing else may be.
        let refused = |report: String| {
            let contradict = ["must not be", "is larger than its cell"];
            // Nor may a place be too narrow for a cell.
            let narrow = [
                "no cell finds room here",
                "holds no cell",
                "so there is none",
            ];
            if narrow.iter().any(|words| report.contains(words)) {
                return TestCaseError::reject(report);
            }
            let contradicts = contradict.iter().any(|words| report.contains(words));
            let set = report.contains("parameters[") || report.contains("timeline[");
            if set && contradicts {
                TestCaseError::reject(report)
            } else {
                TestCaseError::fail(report)
            }
        };
        let scene = open(&path).map_err(refused).map_err(explain)?;
        let state =
            run_watched(&Arc::new(scene), draw.seed, &run_folder, draw.stop).map_err(explain)?;
        let again = run_again(&run_folder.join(RECORD)).map_err(explain)?;
        prop_assert_eq!(state, again, "{}\n{}", draw.wild.text(), text);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

fn open(path: &Path) -> Result<ParsedScene, String> {
    open_scene(path).map_err(|report| report.to_string())
}
