//! A run that is stopped goes on to the same bits: checkpoints, `tumorscape resume`, `run --verify`.

mod other_builds;
#[path = "../program/mod.rs"]
mod program;
#[cfg(unix)]
#[path = "../program/signals.rs"]
mod signals;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use program::{state, succeeds, tumorscape};
use tumorscape::core::{CellId, RandomKey};
use tumorscape::journal::checkpoint::{BEFORE, NEWEST};
use tumorscape::scene::population::PLACEMENT;

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
            (molecule: "oxygen", level: 38), (molecule: "glucose", level: 5.5),
            (molecule: "lactate", level: 1), (molecule: "vegf_a", level: 0),
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

/// What it says on standard error when it refuses.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = tumorscape(folder, arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    text
}

/// A folder with the scene in it.
fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("busy.ron"), SCENE).expect("the folder is writable");
    folder
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("writable");
    for entry in std::fs::read_dir(from).expect("it is there") {
        let entry = entry.expect("readable");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("writable");
    }
}

/// What it says on standard error when it succeeds.
fn warned(folder: &Path, arguments: &[&str]) -> String {
    let output = tumorscape(folder, arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {text}");
    text
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
    let mut dice = RandomKey(7).stream(CellId(0), 0, PLACEMENT);
    for kill in 0..20 {
        let threads = ["1", "2", "3", "8"][kill % 4];
        let mut manner = vec!["--quiet", "--threads", threads];
        if kill / 4 % 2 == 1 {
            manner.push("--verify");
        }
        let arguments = if kill == 0 {
            run_to("killed", &["--threads", "2"])
        } else {
            [&["resume", "killed"], &manner[..]].concat()
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
        // Gone on with from here, at any number of threads, verified or not, it ends in the same state.
        let copy = folder.join("copy");
        copy_folder(&killed, &copy);
        let ended = succeeds(folder, &[&["resume", "copy"], &manner[..]].concat());
        assert_eq!(state(&whole), state(&ended), "kill {kill}, {manner:?}");
        std::fs::remove_dir_all(&copy).expect("writable");
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

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_a_checkpoint_and_says_how_to_go_on() {
    let folder = workplace();
    let folder = folder.path();
    let whole = succeeds(folder, &run_to("whole", &[]));
    for signal in ["-INT", "-TERM", "-HUP"] {
        let out = format!("asked{signal}");
        // Checkpoints at the start and at the end, if nothing asks for one.
        let arguments = [
            "run",
            "busy.ron",
            "--quiet",
            "--checkpoint-every",
            "1000h",
            "--out",
            &out,
        ];
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumorscape"));
        let process = signals::ignoring(&mut command, false)
            .args(arguments)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let began = Instant::now();
        while !folder.join(&out).join(NEWEST).exists() {
            assert!(began.elapsed() < Duration::from_secs(60), "no checkpoint");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(20));
        signals::send(signal, process.id());
        let output = process.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(
            text.contains("stopped at") && text.contains(&format!("tumorscape resume {out}")),
            "{text}"
        );
        let ended = succeeds(folder, &["resume", &out, "--quiet"]);
        assert!(!ended.contains("resumed at 0 min"), "{ended}");
        assert_eq!(state(&whole), state(&ended));
    }
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
    // A version number that rotted is damage; one that was written is another version.
    let rotted = later_version.clone();
    let header_sum = |bytes: &[u8]| xxhash_rust::xxh3::xxh3_64(&bytes[..20]);
    let stated = u64::from_le_bytes(good[20..28].try_into().expect("eight bytes"));
    let stated = stated ^ header_sum(&good) ^ header_sum(&later_version);
    later_version[20..28].copy_from_slice(&stated.to_le_bytes());
    let damages: [(&str, &[u8], &str); 5] = [
        ("rotted", &rotted, "checksum does not match"),
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
fn a_checkpoint_does_not_grow_with_what_was_measured() {
    let folder = workplace();
    let folder = folder.path();
    // One cell that does nothing, measured every minute.
    let still = r#"(title: "still", about: "", pace: Illustrative, duration: Days(4),
        sites: [(name: "dish", organ: Medium, size_um: (200, 200, 200))],
        populations: [(cell: "still", place: Single(at_um: (0, 0, 0)))],
        cell_types: [(name: "still", about: "", colour: (0, 0, 0))],
        output: (metrics_every: Minutes(1)),
        expect: [Always(metric: "cells", is: Above(0)), AtEnd(metric: "cells", is: Below(2))])"#;
    std::fs::write(folder.join("still.ron"), still).expect("writable");
    let size = |until: &str| {
        succeeds(
            folder,
            &[
                "run",
                "still.ron",
                "--quiet",
                "--until",
                until,
                "--out",
                until,
                "--checkpoint-every",
                until,
            ],
        );
        let stream = other_builds::pieces(&folder.join(until).join(NEWEST));
        stream.iter().map(Vec::len).sum::<usize>()
    };
    let (short, long) = (size("1h"), size("4d"));
    assert!(
        long < short + 100,
        "{short} bytes after 1 h, {long} after 4 d"
    );
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
    assert!(
        text.contains("holds no checkpoint") && text.contains("run plain/run.ron --out"),
        "{text}"
    );
    let text = refused(folder, &["resume", "."]);
    assert!(text.contains("is not a run folder"), "{text}");
    for (every, says) in [
        ("0h", "must be longer than 0"),
        ("-3h", "must be longer than 0"),
        ("6", "write 6min, 6h or 6d"),
        ("1e-9h", "is shorter than a step of the scene (1 min)"),
    ] {
        let text = refused(folder, &["run", "busy.ron", "--checkpoint-every", every]);
        assert!(text.contains(says), "{every}: {text}");
    }
    let text = refused(folder, &["run", "busy.ron", "--until", "1e300h"]);
    assert!(text.contains("is more than 1e8 steps"), "{text}");
    assert!(!folder.join("runs").exists(), "nothing is written");
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

#[test]
fn what_is_missing_is_named_and_made_good_from_the_checkpoint() {
    let folder = workplace();
    let folder = folder.path();
    let whole = succeeds(folder, &run_to("whole", &[]));
    let record = folder.join("whole/run.ron");
    let original = std::fs::read(&record).expect("it is there");
    std::fs::remove_file(&record).expect("writable");
    let text = warned(folder, &["resume", "whole", "--quiet"]);
    assert!(text.contains("run.ron` is missing"), "{text}");
    assert!(std::fs::read(&record).expect("it is back") == original);
    // A note of one's own is welcome, another scene is not.
    let edit = |from: &str, to: &str| {
        let text = String::from_utf8_lossy(&original).replacen(from, to, 1);
        std::fs::write(&record, text).expect("writable");
    };
    edit("(", "// my best run\n(");
    assert_eq!(warned(folder, &["resume", "whole", "--quiet"]), "");
    let metrics = || std::fs::read(folder.join("whole/metrics.csv")).expect("readable");
    let before = metrics();
    for (from, to) in [("level: 38", "level: 39"), ("(", "[")] {
        edit(from, to);
        let text = refused(folder, &["resume", "whole"]);
        assert!(text.contains("run.ron` is not the scene"), "{text}");
    }
    assert!(metrics() == before);
    std::fs::write(&record, original).expect("writable");
    std::fs::remove_file(folder.join("whole").join(NEWEST)).expect("writable");
    let output = tumorscape(folder, &["resume", "whole", "--quiet"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        text.contains(&format!("{NEWEST}` is missing")) && text.contains(BEFORE),
        "{text}"
    );
    assert_eq!(
        state(&whole),
        state(&String::from_utf8_lossy(&output.stdout))
    );
}

#[test]
fn a_run_goes_on_beyond_the_end_of_its_scene_and_says_so() {
    let folder = workplace();
    let folder = folder.path();
    let beyond = ["--until", "11h"];
    let note = "the scene ends at 10 h; the run goes on to 11 h";
    let text = warned(folder, &run_to("once", &beyond));
    assert!(text.contains(note), "{text}");
    succeeds(folder, &run_to("twice", &[]));
    let text = warned(
        folder,
        &[&["resume", "twice", "--quiet"], &beyond[..]].concat(),
    );
    assert!(text.contains(note), "{text}");
    assert!(written(&folder.join("once")) == written(&folder.join("twice")));
}

#[cfg(unix)]
#[test]
fn a_run_that_can_write_no_more_keeps_what_it_has_and_can_be_resumed() {
    let folder = workplace();
    let folder = folder.path();
    // More cells, so that a checkpoint is larger than the scene with all that it stands on.
    let large = SCENE.replace("radius_um: 60", "radius_um: 130");
    std::fs::write(folder.join("busy.ron"), large).expect("the folder is writable");
    let whole = succeeds(folder, &run_to("whole", &[]));
    // A limit on the size of files, 200 or 400 kB, stands for a disk that is full.
    let shell = format!(
        "trap '' XFSZ; ulimit -f 400; exec {} {}",
        env!("CARGO_BIN_EXE_tumorscape"),
        run_to("full", &[]).join(" ")
    );
    let output = Command::new("sh")
        .args(["-c", &shell])
        .current_dir(folder)
        .output()
        .expect("there is a shell");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains(&format!("cannot write `full/{NEWEST}`"))
            && text.contains("tumorscape resume full"),
        "{text}"
    );
    let part = format!("{NEWEST}.part");
    assert!(!folder.join("full").join(part).exists(), "no piece is left");
    let resumed = succeeds(folder, &["resume", "full", "--quiet"]);
    assert_eq!(state(&whole), state(&resumed));
    assert!(written(&folder.join("whole")) == written(&folder.join("full")));
}
