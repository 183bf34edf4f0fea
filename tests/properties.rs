//! Whatever scene: no panic, no broken invariant, and the same state when it is run again.
//!
//! Scenes are drawn at random, the same ones every time: sizes, shapes of voxels, molecules, faces, walls,
//! populations, lengths of steps, any parameter within its limits, changes on the way.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tumorscape::core::parameters::list_parameters;
use tumorscape::core::{Clock, parallel};
use tumorscape::observe::EventKind;
use tumorscape::scene::{CellLibrary, Change, ParsedScene};
use tumorscape::simulation::{Simulation, open_scene, prototype_world};
use tumorscape::tissue::{Molecule, SiteId};

/// Number of scenes.
const CASES: u32 = 64;
/// Steps of each.
const STEPS: u64 = 25;

/// What a random scene is made of; shares are 0-1.
#[derive(Clone, Debug)]
struct Draw {
    /// Voxels and their edges, um, along x, y, z.
    block: [(u32, f32); 3],
    walls: bool,
    perfusion_um: Option<f32>,
    /// Level and whether faces are held, for each molecule that there is.
    fields: Vec<Option<(f32, bool)>>,
    step_minutes: f32,
    /// Kind, whether fibroblasts, size.
    populations: Vec<(u8, bool, f32)>,
    /// Which parameter, factor on its value, when (from the start if before the first step).
    changes: Vec<(prop::sample::Index, f64, u64)>,
    /// When a cell is added, and where.
    added: Vec<(u64, [f32; 3])>,
    seed: u64,
}

fn draw() -> impl Strategy<Value = Draw> {
    let edge = || (3_u32..12, 20_u32..90).prop_map(|(voxels, half)| (voxels, half as f32 / 2.0));
    let factor = prop::sample::select(vec![0.0, 0.1, 0.5, 0.9, 1.5, 3.0, 10.0]);
    (
        (
            [edge(), edge(), edge()],
            any::<bool>(),
            prop::option::of(10.0_f32..300.0),
            prop::collection::vec(
                prop::option::weighted(0.7, (0.0_f32..60.0, any::<bool>())),
                Molecule::ALL.len(),
            ),
            prop::sample::select(vec![0.1_f32, 0.5, 1.0, 3.0, 10.0]),
        ),
        prop::collection::vec((0_u8..3, any::<bool>(), 0.0_f32..1.0), 1..4),
        prop::collection::vec((any::<prop::sample::Index>(), factor, 0..STEPS), 0..8),
        prop::collection::vec(
            (
                0..STEPS,
                [-0.95_f32..0.95, -0.95_f32..0.95, -0.95_f32..0.95],
            ),
            0..3,
        ),
        any::<u64>(),
    )
        .prop_map(|(site, populations, changes, added, seed)| {
            let (block, walls, perfusion_um, fields, step_minutes) = site;
            Draw {
                block,
                walls,
                perfusion_um,
                fields,
                step_minutes,
                populations,
                changes,
                added,
                seed,
            }
        })
}

impl Draw {
    fn size_um(&self) -> [f32; 3] {
        self.block.map(|(voxels, edge)| voxels as f32 * edge)
    }

    fn at(&self, share: [f32; 3]) -> String {
        let size = self.size_um();
        let [x, y, z] = [0, 1, 2].map(|axis| 0.5 * size[axis] * share[axis]);
        format!("({x:?}, {y:?}, {z:?})")
    }

    /// The scene as people would write it.
    fn text(&self) -> String {
        let size = self.size_um();
        let smallest = size.into_iter().fold(f32::MAX, f32::min);
        let fields = Molecule::ALL.into_iter().zip(&self.fields);
        let fields: String = fields
            .filter_map(|(molecule, field)| Some((molecule, (*field)?)))
            .map(|(molecule, (level, held))| {
                let faces = if held { "Held" } else { "Closed" };
                format!("(molecule: {molecule:?}, level: {level:?}, faces: {faces}),")
            })
            .collect();
        let populations: String = self
            .populations
            .iter()
            .map(|(kind, fibroblast, share)| {
                let cell = if *fibroblast { "fibroblast" } else { "cancer" };
                let place = match kind {
                    0 => format!("Single(at_um: {})", self.at([*share, -share, 0.5 * share])),
                    1 => format!(
                        "Ball(radius_um: {:?})",
                        (0.5 * smallest - 0.01).clamp(10.0, 10.0 + 70.0 * share)
                    ),
                    _ => format!("Scatter(per_mm3: {:?})", 100.0 + 20_000.0 * share),
                };
                format!("(cell: \"{cell}\", place: {place}),")
            })
            .collect();
        let known = known_parameters();
        let (mut first, mut timeline) = (Vec::new(), String::new());
        for (which, factor, step) in &self.changes {
            let (path, value, least, most) = which.get(&known);
            let value = (value * factor).clamp(*least, *most);
            if *step < STEPS / 3 {
                if first.iter().all(|(known, _)| known != path) {
                    first.push((path.clone(), value));
                }
            } else {
                let minutes = *step as f32 * self.step_minutes;
                timeline += &format!("At(Minutes({minutes:?}), Set({path:?}, {value:?})),");
            }
        }
        for (step, share) in &self.added {
            let (minutes, at) = (*step as f32 * self.step_minutes, self.at(*share));
            timeline += &format!(
                "At(Minutes({minutes:?}), Add(cell: \"cancer\", place: Single(at_um: {at}))),"
            );
        }
        let parameters: String = first
            .iter()
            .map(|(path, value)| format!("{path:?}: {value:?},"))
            .collect();
        let perfusion = self
            .perfusion_um
            .map_or_else(|| "None".into(), |length| format!("Some({length:?})"));
        format!(
            "(title: \"any\", about: \"any\", pace: Illustrative, seed: 1, duration: Minutes({:?}), \
             step: Minutes({:?}), sites: [(name: \"site\", organ: Breast, size_um: {:?}, \
             voxel_um: {:?}, fields: [{fields}], perfusion_length_um: {perfusion}, walls: {})], \
             populations: [{populations}], parameters: {{{parameters}}}, timeline: [{timeline}])",
            STEPS as f32 * self.step_minutes,
            self.step_minutes,
            <(f32, f32, f32)>::from(size),
            <(f32, f32, f32)>::from(self.block.map(|(_, edge)| edge)),
            self.walls,
        )
    }
}

/// Path, value and limits of every parameter that is a number of its own.
fn known_parameters() -> Vec<(String, f64, f64, f64)> {
    let library = CellLibrary::shipped().expect("shipped cell types are valid");
    list_parameters(&prototype_world(&library))
        .into_iter()
        .filter(|known| {
            !["crosses_vessel_walls", "quasi_steady"]
                .iter()
                .any(|name| known.path.ends_with(name))
        })
        .map(|known| (known.path, known.value, known.limits.min, known.limits.max))
        .collect()
}

/// Runs a scene, looking at all of it in every step; its state at the end.
fn run(scene: &Arc<ParsedScene>, seed: u64) -> Result<u64, TestCaseError> {
    let mut simulation = Simulation::new(scene.clone(), seed).expect("its parameters were checked");
    simulation.verify();
    let added_in = |step| {
        let mut clock = Clock::new(scene.scene.step.minutes());
        clock.step = step;
        let changes = scene.timeline.changes_in(clock);
        let added = |change: &&Change| matches!(change, Change::Add(..));
        changes.iter().filter(added).count()
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
        let births = count(&[EventKind::Division]);
        let gone = count(&[EventKind::Clearance, EventKind::Exit]);
        prop_assert_eq!(before.len() + added_in(step) + births, after.len() + gone);
        prop_assert_eq!(before.difference(&after).count(), gone);
        before = after;
    }
    for molecule in Molecule::ALL {
        if let Some((values, _)) = simulation.field(SiteId(0), molecule) {
            prop_assert!(
                values
                    .iter()
                    .all(|value| value.is_finite() && *value >= 0.0)
            );
        }
    }
    let block = &scene.scene.sites[0];
    for cell in simulation.census().cells {
        prop_assert!(
            cell.position_um.is_finite() && cell.radius_um > 0.0,
            "{cell:?}"
        );
        let half = bevy::math::Vec3::from(block.size_um) * 0.5;
        // Faces lie on whole multiples of voxels, which rounds.
        let inside = cell.position_um.abs().cmple(half * 1.000_01).all();
        prop_assert!(!block.walls || inside, "outside the walls: {cell:?}");
    }
    Ok(simulation.state_hash())
}

/// All identities; each is there once.
fn identities(simulation: &Simulation) -> BTreeSet<u64> {
    let cells = simulation.census().cells;
    let identities: BTreeSet<u64> = cells.iter().map(|cell| cell.id.0).collect();
    assert_eq!(identities.len(), cells.len(), "an identity is there twice");
    identities
}

#[test]
fn any_scene_runs_without_a_broken_invariant_and_ends_the_same_when_run_again() {
    parallel::set_threads(Some(2));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("any.ron");
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
        let text = draw.text();
        std::fs::write(&path, &text).expect("the folder is writable");
        let scene =
            open(&path).map_err(|report| TestCaseError::fail(format!("{report}\n{text}")))?;
        let scene = Arc::new(scene);
        let state = run(&scene, draw.seed).map_err(|error| match error {
            TestCaseError::Fail(reason) => TestCaseError::fail(format!("{reason}\n{text}")),
            rejected => rejected,
        })?;
        prop_assert_eq!(state, run(&scene, draw.seed)?, "{}", text);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

fn open(path: &Path) -> Result<ParsedScene, String> {
    open_scene(path).map_err(|report| report.to_string())
}
