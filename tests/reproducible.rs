//! The step is sacred: the same seed gives the same bits at any thread count, with and without a film.

mod program;

use std::path::Path;

use program::{state, succeeds};

/// A small tumour that divides, starves and dies within two days of tissue time.
const SCENE: &str = r#"
Scene(
    title: "small tumour",
    about: "everything happens to it quickly",
    pace: Illustrative,
    duration: Hours(16),
    sites: [Site(
        name: "breast", organ: Breast, size_um: (480, 440, 400),
        fields: [
            Field(molecule: "oxygen", level: 12),
            Field(molecule: "glucose", level: 5.5),
            Field(molecule: "lactate", level: 1),
            Field(molecule: "vegf_a", level: 0),
        ],
        perfusion_length_um: 100,
    )],
    populations: [Population(cell: "cancer", place: Ball(radius_um: 110))],
    timeline: [
        At(Hours(4), Set("cancer.death.apoptosis_per_hour", 0.05)),
        At(Hours(6), Add(cell: "cancer", place: Single(at_um: (150, 0, 0)))),
        At(Hours(8), Caption("half way")),
    ],
    output: Output(metrics_every: Hours(1), cells_at: [Hours(16)]),
)
"#;

/// Twenty thousand cells in 44^3 voxels, so that every loop has many pieces, with division and death going on.
const LARGE: &str = r#"
Scene(
    title: "large tumour",
    about: "as large as a test can be",
    pace: Illustrative,
    duration: Minutes(20),
    sites: [Site(
        name: "breast", organ: Breast, size_um: (880, 880, 880),
        fields: [
            Field(molecule: "oxygen", level: 38),
            Field(molecule: "glucose", level: 5.5),
            Field(molecule: "lactate", level: 1),
            Field(molecule: "vegf_a", level: 0),
        ],
        perfusion_length_um: 100,
    )],
    populations: [
        Population(cell: "cancer", place: Ball(radius_um: 330)),
        Population(cell: "fibroblast", place: Scatter(per_mm3: 3000, outside_um: 295)),
    ],
    parameters: {"cancer.death.apoptosis_per_hour": 0.02, "cancer.death.apoptosis_hours": 0.1},
    output: Output(metrics_every: Minutes(10), cells_at: [Minutes(20)]),
)
"#;

/// The state with which a run ends.
fn end_of(folder: &Path, arguments: &[&str]) -> String {
    let text = succeeds(folder, arguments);
    let line = state(&text);
    assert_eq!(line.len(), "state ".len() + 16, "{line}");
    line.to_owned()
}

fn folder_with_scene() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, scene) in [("small.ron", SCENE), ("large.ron", LARGE)] {
        std::fs::write(folder.path().join(name), scene).expect("the folder is writable");
    }
    folder
}

#[test]
fn thread_count_changes_neither_state_nor_events_nor_metrics_nor_cells() {
    let folder = folder_with_scene();
    let mut reference: Option<(String, Vec<Vec<u8>>)> = None;
    for threads in ["1", "2", "3", "8"] {
        let out = format!("out{threads}");
        let state = end_of(
            folder.path(),
            &[
                "run",
                "small.ron",
                "--threads",
                threads,
                "--out",
                &out,
                "--quiet",
            ],
        );
        let files = ["events.csv", "metrics.csv", "cells_16h.csv"].map(|name| {
            std::fs::read(folder.path().join(&out).join(name)).expect("the run wrote it")
        });
        assert!(
            files[0].split(|byte| *byte == b'\n').count() > 20,
            "enough happened to tell runs apart"
        );
        let found = (state, files.to_vec());
        match &reference {
            None => reference = Some(found),
            Some(reference) => assert!(*reference == found, "{threads} threads differ from one"),
        }
    }
}

#[test]
fn thread_count_changes_nothing_of_a_tumour_of_many_pieces() {
    let folder = folder_with_scene();
    let run = |threads: &str| {
        let out = format!("large{threads}");
        let arguments = [
            "run",
            "large.ron",
            "--threads",
            threads,
            "--out",
            &out,
            "--quiet",
        ];
        let state = end_of(folder.path(), &arguments);
        let files = ["events.csv", "metrics.csv"].map(|name| {
            std::fs::read_to_string(folder.path().join(&out).join(name)).expect("the run wrote it")
        });
        (state, files)
    };
    let reference = run("1");
    let [events, metrics] = &reference.1;
    for kind in ["division", "apoptosis", "clearance"] {
        assert!(events.contains(kind), "no {kind}");
    }
    let cells = metrics.lines().nth(1).and_then(|row| {
        let column = metrics
            .lines()
            .next()?
            .split(',')
            .position(|name| name == "cells")?;
        row.split(',').nth(column)?.parse::<f64>().ok()
    });
    assert!(cells.is_some_and(|cells| cells > 20_000.0), "{cells:?}");
    for threads in ["2", "3", "8"] {
        assert!(
            run(threads) == reference,
            "{threads} threads differ from one"
        );
    }
}

#[test]
fn another_seed_gives_another_state() {
    let folder = folder_with_scene();
    let run = |seed: &str, out: &str| {
        end_of(
            folder.path(),
            &[
                "run",
                "small.ron",
                "--until",
                "4h",
                "--seed",
                seed,
                "--out",
                out,
                "--quiet",
            ],
        )
    };
    assert_ne!(run("1", "a"), run("2", "b"));
}

#[cfg(feature = "view")]
#[test]
fn recording_does_not_change_the_state_or_the_events() {
    let folder = folder_with_scene();
    let plain = end_of(
        folder.path(),
        &["run", "small.ron", "--out", "plain", "--quiet"],
    );
    let filmed = end_of(
        folder.path(),
        &[
            "record",
            "small.ron",
            "--out",
            "filmed",
            "--quiet",
            "-o",
            "film.mp4",
            "--size",
            "320x180",
            "--fps",
            "5",
            "--seconds",
            "2",
            "--threads",
            "2",
        ],
    );
    assert_eq!(plain, filmed);
    let events =
        |out: &str| std::fs::read(folder.path().join(out).join("events.csv")).expect("written");
    assert!(events("plain") == events("filmed"));
}
