//! Trials as people meet them at the command line: whatever happens to one, its tables are those of an unbroken one.

#[cfg(unix)]
mod cluster;
#[cfg(unix)]
mod prepared;
#[path = "../program/mod.rs"]
mod program;
mod sweeps;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use program::{succeeds, tumorscape};

/// A scene of a few dividing cells with arms, some of them with names that nobody should choose.
const SCENE: &str = r#"(
title: "A few cells", about: "They divide, in one arm more slowly.", pace: Illustrative, seed: 11, duration: Hours(16), step: Minutes(2),
sites: [(name: "dish", organ: Medium, size_um: (200, 200, 200))],
populations: [(cell: "cancer", place: Ball(radius_um: 30))],
parameters: {"cancer.cycle.g0g1_hours": 3, "cancer.cycle.s_hours": 3},
arms: [
    (name: "untreated"),
    (name: "slow; $(touch pwned)", doses: {"a": 1}, parameters: {"cancer.cycle.s_hours": 9}),
    (name: "'dying' `touch pwned`", doses: {"b": 1}, parameters: {"cancer.death.apoptosis_per_hour": 0.03}),
    (name: "both", combines: ["slow; $(touch pwned)", "'dying' `touch pwned`"]),
],
trial: (
    replicates: 3,
    measures: [(metric: "living_cancer")],
    time_to: (metric: "cells", is: Above(20)),
),
output: (metrics_every: Hours(2)),
)"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("few.ron"), SCENE).expect("writable");
    folder
}

/// The files that a trial found: tables and report, by name.
fn findings(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|end| end == "csv" || end == "svg" || end == "parquet")
    });
    files.sort();
    let read = |file: PathBuf| {
        let name = file
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        (name, std::fs::read(file).expect("readable"))
    };
    files.into_iter().map(read).collect()
}

fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (findings(one), findings(other));
    let names = |of: &[(String, Vec<u8>)]| of.iter().map(|of| of.0.clone()).collect::<Vec<_>>();
    assert_eq!(names(&one), names(&other));
    for ((name, one), (_, other)) in one.iter().zip(&other) {
        assert!(one == other, "{name}");
    }
}

#[test]
fn a_trial_that_is_killed_moved_or_shared_finds_what_an_unbroken_one_does() {
    let folder = folder();
    let at = folder.path();
    let said = succeeds(
        at,
        &[
            "trial", "few.ron", "--out", "whole", "--jobs", "2", "--quiet",
        ],
    );
    assert!(
        said.contains("12 of 12 runs are done, 12 of them now"),
        "{said}"
    );
    assert!(said.contains("both: Bliss excess of"), "{said}");
    let mut names: Vec<String> = findings(&at.join("whole"))
        .into_iter()
        .map(|of| of.0)
        .collect();
    names.retain(|name| !name.ends_with(".parquet"));
    assert_eq!(
        names,
        [
            "combinations.csv",
            "courses.csv",
            "report.svg",
            "runs.csv",
            "summary.csv",
            "survival.csv",
            "times.csv"
        ]
    );
    // What is done is not done again.
    let said = succeeds(at, &["trial", "whole", "--quiet"]);
    assert!(
        said.contains("12 of 12 runs are done, 0 of them now"),
        "{said}"
    );

    // Killed again and again, and moved while it is half done.
    let mut place = "killed".to_owned();
    for (number, wait) in [150, 400, 90, 700, 250, 500].into_iter().enumerate() {
        let arguments: &[&str] = if number == 0 {
            &["trial", "few.ron", "--out", "killed", "--jobs", "2"]
        } else {
            &["trial", &place, "--jobs", "2"]
        };
        let mut trial = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
            .args(arguments)
            .current_dir(at)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        if number == 0 {
            while !at.join("killed/trial.ron").exists() {
                let ended = trial.try_wait().expect("it is ours");
                assert!(ended.is_none(), "it ended before it was set up");
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        std::thread::sleep(Duration::from_millis(wait));
        trial.kill().expect("it is ours");
        trial.wait().expect("it ends");
        if number == 3 {
            // Its runs are asked to stop when it is killed, and must have let go of their files.
            std::thread::sleep(Duration::from_millis(500));
            std::fs::rename(at.join("killed"), at.join("moved elsewhere")).expect("movable");
            place = "moved elsewhere".into();
        }
    }
    succeeds(at, &["trial", &place, "--jobs", "2", "--quiet"]);
    assert_same(&at.join("whole"), &at.join(&place));

    // Two halves on machines that share nothing.
    for (part, out) in [("1/2", "here"), ("2/2", "there")] {
        let said = succeeds(
            at,
            &[
                "trial", "few.ron", "--out", out, "--part", part, "--jobs", "2", "--quiet",
            ],
        );
        assert!(said.contains("6 of 6 runs are done"), "{said}");
    }
    let said = succeeds(at, &["status", "here"]);
    assert!(said.contains("6 done, 0 begun, 6 waiting"), "{said}");
    let said = succeeds(at, &["collect", "here", "there", "--out", "together"]);
    assert!(said.contains("of 12 of 12 runs"), "{said}");
    assert_same(&at.join("whole"), &at.join("together"));
    assert!(!at.join("pwned").exists(), "a name was obeyed");
}

#[test]
fn seeds_are_paired_and_tables_hold_what_run_folders_say() {
    let folder = folder();
    let at = folder.path();
    succeeds(
        at,
        &[
            "trial",
            "few.ron",
            "--out",
            "trial",
            "--replicates",
            "2",
            "--until",
            "6h",
            "--quiet",
        ],
    );
    let whole = at.join("trial/runs/001-untreated/seed-12");
    let said = succeeds(
        at,
        &[
            "run", "few.ron", "--seed", "12", "--until", "6h", "--out", "alone", "--quiet",
        ],
    );
    let state = program::state(&said).trim_start_matches("state ");
    let read = |file: PathBuf| std::fs::read_to_string(file).expect("readable");
    assert_eq!(
        read(whole.join("metrics.csv")),
        read(at.join("alone/metrics.csv"))
    );
    let table = read(at.join("trial/runs.csv"));
    assert!(
        table
            .lines()
            .any(|line| line.starts_with(&format!("untreated,12,{state},hold,6,dish,"))),
        "{table}"
    );
    // An arm alone is the same run as in the trial.
    let arm = [
        "run", "few.ron", "--arm", "both", "--seed", "11", "--until", "6h", "--quiet",
    ];
    let said = succeeds(at, &[&arm[..], &["--out", "both"]].concat());
    let state = program::state(&said).trim_start_matches("state ");
    assert!(table.contains(&format!("both,11,{state},")), "{table}");
}

#[test]
fn what_makes_no_trial_is_refused() {
    let folder = folder();
    let at = folder.path();
    let plain = "(title: \"t\", about: \"\", pace: Calibrated, duration: Hours(1), \
        sites: [(name: \"a\", organ: Breast, size_um: (200, 200, 200))])";
    std::fs::write(at.join("bare.ron"), plain).expect("writable");
    let misspelt = SCENE.replace("\"cancer.cycle.s_hours\": 9", "\"cancer.cycle.s_hour\": 9");
    std::fs::write(at.join("misspelt.ron"), misspelt).expect("writable");
    let twice = SCENE.replace("[\"slow;", "[\"untreated\", \"untreated\", \"slow;");
    std::fs::write(at.join("twice.ron"), twice).expect("writable");
    succeeds(at, &["trial", "few.ron", "--out", "there", "--set-up"]);
    std::fs::create_dir(at.join("full")).expect("writable");
    std::fs::write(at.join("full/mine.txt"), "mine").expect("writable");
    for (arguments, says) in [
        (vec!["trial", "bare.ron"], "has no arms to compare"),
        (vec!["trial", "misspelt.ron"], "misspelt.ron:8:"),
        (vec!["trial", "twice.ron"], "this arm is combined already"),
        (vec!["trial", "none.ron"], "there is no such file"),
        (
            vec!["trial", "few.ron", "--metric", "cels"],
            "did you mean `cells`?",
        ),
        (
            vec!["trial", "few.ron", "--metric", "cells@dash"],
            "there is no site `dash`",
        ),
        (vec!["trial", "few.ron", "--replicates", "0"], "at least 1"),
        (
            vec!["trial", "few.ron", "--part", "3/2"],
            "`3/2` is no part",
        ),
        (vec!["trial", "few.ron", "--out", "full"], "holds no trial"),
        (
            vec!["trial", "few.ron", "--out", "there", "--seed", "5"],
            "holds another trial",
        ),
        (vec!["trial", "there", "--seed", "5"], "is settled"),
        (vec!["status", "full"], "holds no trial"),
        (vec!["collect", "there", "full"], "holds no trial"),
        (
            vec!["run", "few.ron", "--arm", "bath"],
            "did you mean `both`?",
        ),
    ] {
        let output = tumorscape(at, &arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(says), "{arguments:?} says: {text}");
    }
    assert!(!at.join("trials").exists(), "nothing is left behind");
    // A plan that somebody has changed cannot lead out of its folder.
    let plan = std::fs::read_to_string(at.join("there/trial.ron")).expect("readable");
    std::fs::write(
        at.join("there/trial.ron"),
        plan.replace("001-untreated", "../../out"),
    )
    .expect("writable");
    let output = tumorscape(at, &["trial", "there"]);
    assert_eq!(output.status.code(), Some(2));
}
