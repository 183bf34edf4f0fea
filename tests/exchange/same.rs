//! The same bits at any number of threads, and when a run goes on from a file.

use super::saving::save;
use super::*;
use tumorscape::journal::checkpoint;

/// Cancer cells, vessels that leak, fluid that flows.
const SCENE: &str = r#"(title: "same", about: "all of it", pace: Calibrated, duration: Hours(4),
    sites: [(name: "breast", organ: Breast, size_um: (240, 240, 240),
        fields: [(molecule: "oxygen", level: 70, start: 38, faces: Closed), (molecule: "glucose", level: 5.5, faces: Closed),
            (molecule: "lactate", level: 1, faces: Closed), (molecule: "vegf_a", level: 0, faces: Closed)],
        tissue: (interstitium: (), matrix: (), vessels: [(place: Grid(spacing_um: 80))]))],
    populations: [(cell: "cancer", place: Ball(radius_um: 60))])"#;

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn on_some_threads() {
    if !threads::taken() {
        return;
    }
    let mut simulation = begin(SCENE, 5);
    for _ in 0..45 {
        simulation.step();
    }
    println!("exchange: {:016x}", simulation.state_hash());
}

#[test]
fn what_passes_walls_is_the_same_at_any_number_of_threads() {
    let [one, three] = threads::told("same::on_some_threads", "exchange: ");
    assert_eq!(one, three);
}

/// Killers that come through the wall of a vessel.
const VISITED: &str = r#"(title: "visited", about: "by killers", pace: Illustrative, duration: Hours(4),
    sites: [(name: "breast", organ: Breast, size_um: (200, 200, 200), fields: [(molecule: "oxygen", level: 38)],
        tissue: (vessels: [(place: Parent(from_um: (-100, 0, 0), to_um: (100, 0, 0), radius_um: 4))], immigration: ()))],
    parameters: {"nk_cell.immigrant.per_mm3_per_day": 1e6},
    populations: [(cell: "nk_cell", place: Single(at_um: (0, 0, 60)))])"#;

#[test]
fn what_passes_walls_goes_on_from_a_file_as_if_nothing_had_been() {
    for scene in [SCENE, VISITED] {
        goes_on(scene);
    }
}

fn goes_on(scene: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let saved = folder.path().join("saved");
    let mut whole = begin(scene, 5);
    for _ in 0..23 {
        whole.step();
    }
    save(&whole, &saved);
    let (checkpoint, _) = checkpoint::open(&saved, |_| {}).expect("it is whole");
    let (mut resumed, _) = Program::default()
        .resume(checkpoint)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(resumed.state_hash(), whole.state_hash());
    resumed.verify();
    for step in 0..25 {
        for simulation in [&mut whole, &mut resumed] {
            simulation.step();
            assert!(
                simulation.violation().is_none(),
                "{:?}",
                simulation.violation()
            );
        }
        assert_eq!(resumed.state_hash(), whole.state_hash(), "{step}");
    }
}
