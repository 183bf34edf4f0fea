//! Sessions, saved and read again.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::super::engine::tests::set;
use super::super::engine::{Engine, Knob};
use super::super::worker::{Order, Worker};
use super::*;
use crate::journal::moment::Moment;
use crate::simulation::{Program, Simulation, Snapshot, SnapshotRequest};

fn parsed() -> ParsedScene {
    let text = r#"(title: "A dish", about: "Cells.", pace: Calibrated, duration: Hours(2),
        sites: [(name: "dish", organ: Medium, size_um: (100, 100, 100))],
        timeline: [
            At(Hours(1), Caption("one")),
            Every(every: Minutes(30), action: Caption("again")),
        ])"#;
    let read = Program::default().parse_scene(text, "dish.ron", None);
    read.unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn the_last_of_several_changes_at_one_boundary_counts() {
    let mut session = Session::default();
    session.log(30.0, set("a", 1.0));
    session.log(30.0, set("b", 9.0));
    session.log(30.0, set("a", 2.0));
    session.log(60.0, set("a", 3.0));
    let texts: Vec<String> = session.changes.iter().map(Change::text).collect();
    assert_eq!(
        texts,
        [
            "At(Hours(0.5), Set(\"b\", 9))",
            "At(Hours(0.5), Set(\"a\", 2))",
            "At(Hours(1), Set(\"a\", 3))",
        ]
    );
}

#[test]
fn the_replay_has_the_changes_at_their_exact_times_and_repeats_only_what_was_repeated() {
    let scene = parsed().scene;
    let mut session = Session::default();
    for step in [0.0, 7.0, 181.0] {
        session.log(step, set("a.b", step / 3.0));
    }
    session.minutes_seen = 100.0;
    let shorter = session.replay(&scene, 42);
    assert_eq!((shorter.seed, shorter.duration), (42, Span::Hours(2.0)));
    assert_eq!(shorter.timeline[..2], scene.timeline[..]);
    session.minutes_seen = 315.0;
    let longer = session.replay(&scene, 42);
    assert_eq!(longer.duration, Span::Minutes(315.0));
    assert_eq!(longer.timeline[0], scene.timeline[0]);
    let Event::Every { until, .. } = &longer.timeline[1] else {
        panic!("it is repeated: {:?}", longer.timeline[1]);
    };
    assert_eq!(*until, Some(Span::Hours(2.0)));
    assert_eq!(
        longer.timeline[4],
        Event::At(Span::Minutes(181.0), set("a.b", 181.0 / 3.0))
    );
}

#[test]
fn a_visit_without_changes_leaves_no_file() {
    let folder = tempfile::tempdir().expect("there is room");
    let saved = Session::default().save(&parsed(), "dish", 1, folder.path());
    assert_eq!(saved.expect("nothing is written"), None);
    let left = folder.path().read_dir().expect("it is there").count();
    assert_eq!(left, 0);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let mut session = Session::default();
    session.log(0.0, set("a", 1.0));
    let saved = session.save(&parsed(), "dish", 1, Path::new("/nowhere/at/all"));
    let error = saved.expect_err("there is no such folder").to_string();
    assert!(
        error.contains("/nowhere/at/all/explore_dish.ron"),
        "{error}"
    );
}

/// A simulation that notes its state after each step.
struct Noted {
    simulation: Simulation,
    states: Arc<Mutex<BTreeMap<u64, u64>>>,
}

impl Engine for Noted {
    type Moment = Moment;

    fn step(&mut self) {
        self.simulation.step();
        let (step, state) = (self.simulation.steps(), self.simulation.state_hash());
        let mut states = self.states.lock().expect("nobody panicked");
        let before = states.insert(step, state);
        // A step that is taken again leads to the same state, as long as nothing else was changed.
        assert!(before.is_none_or(|before| before == state), "step {step}");
    }

    fn apply(&mut self, action: &Action) -> Result<(), String> {
        Engine::apply(&mut self.simulation, action)
    }

    fn snapshot(&mut self, request: &SnapshotRequest) -> Snapshot {
        self.simulation.snapshot(request)
    }

    fn keep(&self) -> Result<(Moment, usize), String> {
        self.simulation.keep()
    }

    fn go_back(&mut self, moment: &Moment) -> Result<(), String> {
        self.simulation.go_back(moment)
    }

    fn minutes(&self) -> f64 {
        Engine::minutes(&self.simulation)
    }

    fn step_hours(&self) -> f64 {
        self.simulation.step_hours()
    }

    fn knobs(&self) -> Vec<Knob> {
        self.simulation.knobs()
    }
}

/// Waits until the simulation has come to a step and stands still.
fn wait_for(worker: &Worker, step: u64) {
    let start = Instant::now();
    loop {
        if let Some(report) = worker.report() {
            assert_eq!(report.refusal, None);
            if report.snapshot.step == step && report.past.goal.is_none() {
                return;
            }
        }
        assert!(worker.is_alive() && start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Writes a scene with a cell type, a table and repeated changes of its own into a folder, and opens it.
fn scene_with_files(folder: &Path) -> ParsedScene {
    let cells = folder.join("assets/cells");
    std::fs::create_dir_all(&cells).expect("there is room");
    let write = |path: PathBuf, text: &str| std::fs::write(path, text).expect("there is room");
    let own = include_str!("../../../assets/cells/cancer.ron")
        .replace("name: \"cancer\"", "name: \"own\"");
    write(cells.join("own.ron"), &own);
    write(
        folder.join("rows.csv"),
        "x,y,z\n0,0,0\n14,0,0\n0,14,3\n-14,2,0\n",
    );
    write(
        folder.join("own.ron"),
        r#"(
        title: "Own cells", about: "A", pace: Illustrative, duration: Hours(1), step: Minutes(2), seed: 4,
        sites: [(name: "dish", organ: Breast, size_um: (200, 200, 200), perfusion_length_um: 100, fields: [
            (molecule: "oxygen", level: 38), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1.5),
            (molecule: "vegf_a", level: 0), (molecule: "tgf_beta", level: 0),
        ])],
        populations: [(cell: "own", place: Csv("rows.csv")), (cell: "cancer", place: Ball(radius_um: 30))],
        timeline: [Every(every: Minutes(20), action: Add(cell: "own", place: Single(at_um: (0, 0, 60))))],
    )"#,
    );
    let opened = Program::default().open_scene(&folder.join("own.ron"));
    opened.unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn a_session_beyond_the_end_of_its_scene_is_repeated_from_any_folder_to_the_same_state() {
    const STEPS: u64 = 75;
    let folder = tempfile::tempdir().expect("there is room");
    let scene = scene_with_files(folder.path());
    let states = Arc::new(Mutex::new(BTreeMap::new()));
    let engine = Noted {
        simulation: Simulation::new(Arc::new(scene.clone()), 11).expect("it is valid"),
        states: Arc::clone(&states),
    };
    let worker = Worker::spawn(engine, SnapshotRequest::default(), |_| {}).expect("a thread");
    worker.order(Order::Steps(10));
    wait_for(&worker, 10);
    worker.order(Order::Change(set("own.motility.speed_um_per_min", 0.7)));
    worker.order(Order::Steps(45));
    wait_for(&worker, 55);
    worker.order(Order::Change(set("cancer.motility.speed_um_per_min", 0.2)));
    worker.order(Order::Steps(STEPS - 55));
    wait_for(&worker, STEPS);
    // Back over both changes, and forward again to the same states, which the engine checks.
    worker.order(Order::Go(8.0));
    wait_for(&worker, 4);
    worker.order(Order::Go(STEPS as f64 * 2.0));
    wait_for(&worker, STEPS);
    let sessions = worker.finish().expect("it did not break down");
    let [session] = &sessions[..] else {
        panic!("there is one branch: {sessions:?}");
    };

    let elsewhere = tempfile::tempdir().expect("there is room");
    let saved = session.save(&scene, "own", 11, elsewhere.path());
    let path = saved
        .expect("it can be saved")
        .expect("something was changed");
    let again = Program::default().open_scene(&path);
    let again = again.unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(again.scene.seed, 11);
    let mut again = Simulation::new(Arc::new(again), 11).expect("it is valid");
    let states = states.lock().expect("nobody panicked");
    for (step, state) in states.iter() {
        again.step();
        assert_eq!((again.steps(), again.state_hash()), (*step, *state));
    }
    assert_eq!(again.clock().minutes(), again.end_minutes());
}
