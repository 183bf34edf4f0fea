//! A run that is stopped goes on to the same bits: checkpoints, `tumorscape resume`, `run --verify`.

mod program;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use program::tumorscape;
use tumorscape::core::{CellId, Purpose, RandomKey};
use tumorscape::observe::checkpoint::{BEFORE, NEWEST};

/// Cells that divide, starve, die and burst, molecules solved every step and every few steps, vessels that
/// give way, parameters that change, cells that are added.
const SCENE: &str = r#"(
    title: "a busy tumour",
    about: "everything happens to it quickly",
    pace: Illustrative,
    duration: Hours(10),
    sites: [(
        name: "flank", organ: Breast, size_um: (300, 300, 300), perfusion_length_um: 150,
        fields: [
            (molecule: Oxygen, level: 38), (molecule: Glucose, level: 5.5),
            (molecule: Lactate, level: 1), (molecule: VegfA, level: 0),
        ],
    )],
    populations: [(cell: "cancer", place: Ball(center_um: (0, 0, 0), radius_um: 60))],
    parameters: {
        "cancer.cycle.s_hours": 2, "cancer.cycle.g0g1_hours": 2,
        "cancer.death.apoptosis_per_hour": 0.02,
        "cancer.metabolism.oxygen_uptake_mmhg_per_s": 60,
    },
    timeline: [
        At(Hours(2.3), Set("cancer.death.apoptosis_per_hour", 0.05)),
        At(Hours(4.1), Add(cell: "fibroblast", place: Single(at_um: (90, 0, 0)))),
    ],
    output: (metrics_every: Minutes(7), cells_at: [Hours(3), Hours(8)]),
    expect: [At(Hours(10), (metric: "cells", is: Above(10)))],
)"#;

/// What it says on standard output, if it succeeds.
fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = tumorscape(folder, arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("plain text")
}

/// What it says on standard error when it refuses.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = tumorscape(folder, arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    text
}

fn state(text: &str) -> &str {
    text.lines()
        .find(|line| line.starts_with("state "))
        .expect("a run prints its state")
}

/// A folder with the scene in it.
fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("busy.ron"), SCENE).expect("the folder is writable");
    folder
}

/// Names and contents of what a run leaves besides checkpoints.
fn written(run: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<(PathBuf, Vec<u8>)> = std::fs::read_dir(run)
        .expect("the run folder is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| {
            path.extension()
                .is_none_or(|ending| ending == "csv" || ending == "ron")
        })
        .map(|path| {
            let name = PathBuf::from(path.file_name().expect("a file"));
            (name, std::fs::read(&path).expect("readable"))
        })
        .collect();
    files.sort();
    files
}

const RUN: [&str; 6] = [
    "run",
    "busy.ron",
    "--quiet",
    "--checkpoint-every",
    "20min",
    "--out",
];

fn run_to<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    RUN.into_iter()
        .chain([out])
        .chain(more.iter().copied())
        .collect()
}

#[test]
fn a_run_killed_twenty_times_ends_as_if_nothing_had_happened() {
    let folder = workplace();
    let folder = folder.path();
    let began = Instant::now();
    let whole = succeeds(folder, &run_to("whole", &[]));
    let took = began.elapsed();
    let killed = folder.join("killed");
    let mut dice = RandomKey(7).stream(CellId(0), 0, Purpose::Placement);
    for kill in 0..20 {
        let arguments = if kill == 0 {
            run_to("killed", &["--threads", "2"])
        } else {
            let threads = ["1", "2", "3", "8"][kill % 4];
            vec!["resume", "killed", "--quiet", "--threads", threads]
        };
        let mut process = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
            .args(arguments)
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        // A run can be resumed once its first checkpoint is there.
        while !killed.join(NEWEST).exists() && !killed.join(BEFORE).exists() {
            assert!(
                began.elapsed() < Duration::from_secs(300),
                "no checkpoint comes"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        // At twenty random moments, so that steps, writing of files and swapping of checkpoints are all hit,
        // and the run is not over before the last of them.
        std::thread::sleep(took.mul_f32(0.12 * dice.uniform()));
        process.kill().expect("it can be killed");
        process.wait().expect("it is dead");
    }
    let resumed = succeeds(folder, &["resume", "killed", "--quiet"]);
    assert_eq!(state(&whole), state(&resumed));
    let (expected, found) = (written(&folder.join("whole")), written(&killed));
    for ((name, expected), (other, found)) in expected.iter().zip(&found) {
        assert_eq!(name, other);
        assert!(
            expected == found,
            "{} has a gap or a repeat",
            name.display()
        );
    }
    assert_eq!(expected.len(), found.len());
    let verdict = |text: &str| {
        let lines = text
            .lines()
            .filter(|line| line.starts_with("holds") || line.starts_with("events"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(verdict(&whole), verdict(&resumed), "the books are the same");
    assert!(!verdict(&whole).is_empty());
}

#[test]
fn verifying_changes_nothing() {
    let folder = workplace();
    let folder = folder.path();
    let plain = succeeds(folder, &run_to("plain", &[]));
    let verified = succeeds(folder, &run_to("verified", &["--verify"]));
    assert_eq!(state(&plain), state(&verified));
    assert!(verified.contains("verified 600 steps"), "{verified}");
    assert!(written(&folder.join("plain")) == written(&folder.join("verified")));
}

#[test]
fn a_run_that_was_ended_early_can_be_continued_and_one_that_is_over_says_the_same_again() {
    let folder = workplace();
    let folder = folder.path();
    let whole = succeeds(folder, &run_to("whole", &[]));
    succeeds(folder, &run_to("part", &["--until", "3.35h"]));
    let rest = succeeds(folder, &["resume", "part", "--until", "10h", "--quiet"]);
    assert_eq!(state(&whole), state(&rest));
    let again = succeeds(folder, &["resume", "part", "--quiet"]);
    assert_eq!(state(&whole), state(&again));
    let but_run = |run: &str| {
        let mut files = written(&folder.join(run));
        files.retain(|(name, _)| name.extension().is_some_and(|ending| ending == "csv"));
        files
    };
    assert!(but_run("whole") == but_run("part"));
    let text = refused(folder, &["resume", "part", "--until", "2h"]);
    assert!(text.contains("--until must not be earlier"), "{text}");
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_is_used() {
    let folder = workplace();
    let folder = folder.path();
    let whole = succeeds(folder, &run_to("whole", &[]));
    let newest = folder.join("whole").join(NEWEST);
    let good = std::fs::read(&newest).expect("it is there");
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 4;
    let mut later_version = good.clone();
    later_version[8] = 99;
    let damages: [(&str, &[u8], &str); 4] = [
        ("flipped", &flipped, "checksum does not match"),
        ("cut", &good[..good.len() / 2], "is cut off"),
        ("empty", &[], "its header is not whole"),
        (
            "other",
            b"this is a text file, not a checkpoint",
            "is not a checkpoint",
        ),
    ];
    for (name, bytes, says) in damages {
        std::fs::write(&newest, bytes).expect("writable");
        let output = tumorscape(folder, &["resume", "whole", "--quiet"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{name}: {text}");
        assert!(
            text.contains(says) && text.contains(NEWEST),
            "{name}: {text}"
        );
        assert_eq!(
            state(&whole),
            state(&String::from_utf8_lossy(&output.stdout)),
            "{name}"
        );
    }
    std::fs::write(&newest, &later_version).expect("writable");
    let text = refused(folder, &["resume", "whole"]);
    assert!(text.contains("is of format version 99"), "{text}");
    assert!(
        std::fs::read(&newest).expect("still there") == later_version,
        "a file that another version can read is left alone"
    );
    for name in [NEWEST, BEFORE] {
        std::fs::write(folder.join("whole").join(name), &flipped).expect("writable");
    }
    let text = refused(folder, &["resume", "whole"]);
    assert!(text.contains("checksum does not match"), "{text}");
}

#[test]
fn what_cannot_be_resumed_is_refused_in_words() {
    let folder = workplace();
    let folder = folder.path();
    let text = refused(folder, &["resume", "nowhere"]);
    assert!(text.contains("`nowhere` does not exist"), "{text}");
    let text = refused(folder, &["resume", "busy.ron"]);
    assert!(text.contains("is not a folder"), "{text}");
    succeeds(
        folder,
        &[
            "run", "busy.ron", "--quiet", "--until", "5min", "--out", "plain",
        ],
    );
    let text = refused(folder, &["resume", "plain"]);
    assert!(text.contains("holds no checkpoint"), "{text}");
    let text = refused(folder, &["run", "busy.ron", "--checkpoint-every", "0h"]);
    assert!(text.contains("must be longer than 0"), "{text}");
    succeeds(folder, &run_to("kept", &["--until", "30min"]));
    let events = folder.join("kept").join("metrics.csv");
    std::fs::write(&events, "hours\n").expect("writable");
    let text = refused(folder, &["resume", "kept", "--until", "1h"]);
    assert!(text.contains("metrics.csv` was cut from"), "{text}");
    succeeds(folder, &run_to("other", &["--until", "30min"]));
    let metrics = folder.join("other").join("metrics.csv");
    let text = std::fs::read_to_string(&metrics).expect("readable");
    std::fs::write(&metrics, text.replacen('0', "1", 1)).expect("writable");
    let text = refused(folder, &["resume", "other", "--until", "1h"]);
    assert!(text.contains("metrics.csv` was changed"), "{text}");
    std::fs::remove_file(&metrics).expect("writable");
    let text = refused(folder, &["resume", "other", "--until", "1h"]);
    assert!(text.contains("metrics.csv` was removed"), "{text}");
}

#[test]
fn a_folder_in_use_is_not_written_by_a_second_process() {
    let folder = workplace();
    let folder = folder.path();
    let mut process = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
        .args(run_to("busy", &[]))
        .current_dir(folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    while !folder.join("busy").join(NEWEST).exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let text = refused(folder, &["resume", "busy"]);
    assert!(text.contains("another process is running"), "{text}");
    process.kill().expect("it can be killed");
    process.wait().expect("it is dead");
}
