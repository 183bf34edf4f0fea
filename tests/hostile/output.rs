//! What is written is made anew: no link is followed, nothing is removed that was not made, nothing is lost in silence.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{ONE, folder_with, said, scene};

/// What lies in a folder: names and contents, links as such.
fn contents(folder: &Path) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = fs::read_dir(folder)
        .expect("it is there")
        .map(|entry| {
            let path = entry.expect("readable").path();
            let what = match fs::read_link(&path) {
                Ok(target) => format!("-> {}", target.display()),
                Err(_) => fs::read_to_string(&path).unwrap_or_default(),
            };
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            (name, what)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn links_in_a_run_folder_are_neither_followed_nor_removed() {
    for name in [
        "run.ron",
        "metrics.csv",
        "events.csv",
        "checkpoint.tumorscape",
        "checkpoint-before.tumorscape",
        "cells_0.166667h.csv",
        "fields_0.166667h",
    ] {
        for target in ["../victim", "../nowhere"] {
            let rest = "output: (cells_at: [Minutes(10)], fields_at: [Minutes(10)])";
            let folder = folder_with(&scene(ONE, rest));
            fs::write(folder.path().join("victim"), "mine").expect("writable");
            let out = folder.path().join("o");
            fs::create_dir(&out).expect("writable");
            symlink(target, out.join(name)).expect("writable");
            let before = contents(&out);
            let (code, told) = said(folder.path(), &["run", "s.ron", "--quiet", "--out", "o"]);
            assert_eq!(code, 2, "{name} {target}: {told}");
            assert_eq!(contents(&out), before, "{name} {target}");
            let victim = fs::read_to_string(folder.path().join("victim"));
            assert_eq!(victim.expect("it is there"), "mine", "{name}");
            assert!(!folder.path().join("nowhere").exists(), "{name}");
        }
    }
}

/// A run of half an hour with two checkpoints.
fn run_folder() -> tempfile::TempDir {
    let folder = folder_with(&scene(ONE, "output: (cells_at: [Minutes(25)])"));
    let arguments = [
        "run",
        "s.ron",
        "--quiet",
        "--out",
        "o",
        "--checkpoint-every",
        "10min",
    ];
    let (code, told) = said(folder.path(), &arguments);
    assert_eq!(code, 0, "{told}");
    folder
}

#[test]
fn a_checkpoint_is_not_written_through_a_link() {
    let folder = run_folder();
    let out = folder.path().join("o");
    let victim = folder.path().join("victim");
    fs::write(&victim, "mine").expect("writable");
    let part = out.join("checkpoint.tumorscape.part");
    symlink(&victim, &part).expect("writable");
    let resume = ["resume", "o", "--quiet", "--until", "40min"];
    let (code, told) = said(folder.path(), &resume);
    assert_eq!(code, 1, "{told}");
    assert_eq!(fs::read_to_string(&victim).expect("there"), "mine");
    assert!(part.is_symlink());
    // Somebody's file stays, a piece that a killed run left is replaced.
    fs::remove_file(&part).expect("it is there");
    fs::write(&part, "somebody's").expect("writable");
    assert_eq!(said(folder.path(), &resume).0, 1);
    assert_eq!(fs::read_to_string(&part).expect("there"), "somebody's");
    fs::write(&part, [0; 28]).expect("writable");
    let (code, told) = said(folder.path(), &resume);
    assert_eq!(code, 0, "{told}");
    assert!(!part.exists());
}

#[test]
fn a_table_that_is_a_link_is_not_cut() {
    for is_hard in [false, true] {
        let folder = run_folder();
        let out = folder.path().join("o");
        let victim = folder.path().join("victim");
        fs::rename(out.join("events.csv"), &victim).expect("it is there");
        if is_hard {
            fs::hard_link(&victim, out.join("events.csv")).expect("writable");
        } else {
            symlink(&victim, out.join("events.csv")).expect("writable");
        }
        let before = fs::read_to_string(&victim).expect("there");
        let (code, told) = said(
            folder.path(),
            &["resume", "o", "--quiet", "--until", "40min"],
        );
        assert!(code == 2 && told.contains("link"), "{told}");
        assert_eq!(fs::read_to_string(&victim).expect("there"), before);
    }
}

#[test]
fn a_verdict_that_cannot_be_written_is_a_failure() {
    let folder = folder_with(&scene(
        ONE,
        r#"expect: [AtEnd(metric: "cells", is: Above(0))]"#,
    ));
    for arguments in [
        &["run", "s.ron", "--quiet"][..],
        &["check", "s.ron"],
        &["describe"],
    ] {
        let full = fs::File::options().write(true).open("/dev/full");
        let output = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
            .args(arguments)
            .current_dir(folder.path())
            .stdout(full.expect("the device is there"))
            .output()
            .expect("it starts");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains("standard output"), "{told}");
    }
}

#[test]
fn runs_that_begin_at_once_get_a_folder_each() {
    let folder = folder_with(&scene(ONE, ""));
    let children: Vec<_> = (0..8)
        .map(|_| {
            Command::new(env!("CARGO_BIN_EXE_tumorscape"))
                .args([
                    "run",
                    "s.ron",
                    "--quiet",
                    "--until",
                    "1min",
                    "--threads",
                    "1",
                ])
                .current_dir(folder.path())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("it starts")
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{told}");
    }
    let runs = fs::read_dir(folder.path().join("runs")).expect("it is there");
    assert_eq!(runs.count(), 8);
}

#[test]
fn hints_are_words_of_a_shell() {
    let folder = folder_with(&scene(ONE, ""));
    let arguments = [
        "run",
        "s.ron",
        "--quiet",
        "--out",
        "my run",
        "--checkpoint-every",
        "10min",
    ];
    assert_eq!(said(folder.path(), &arguments).0, 0);
    let (code, told) = said(folder.path(), &arguments);
    assert!(
        code == 2 && told.contains("tumorscape resume 'my run'"),
        "{told}"
    );
}

#[cfg(feature = "view")]
#[test]
fn a_film_that_is_there_is_kept() {
    let folder = folder_with(&scene(ONE, ""));
    for name in ["f.mp4", "f.gif", "f_00000.png"] {
        fs::write(folder.path().join(name), "mine").expect("writable");
    }
    for film in ["f.mp4", "f.gif", "f.png"] {
        let arguments = [
            "record",
            "s.ron",
            "--size",
            "64x64",
            "--seconds",
            "1",
            "-o",
            film,
        ];
        let (code, told) = said(folder.path(), &arguments);
        assert!(code == 2 && told.contains("--replace"), "{told}");
    }
    let arguments = ["record", "s.ron", "--size", "641x361"];
    let (code, told) = said(folder.path(), &arguments);
    assert!(
        code == 2 && told.contains("an even number of pixels"),
        "{told}"
    );
    let arguments = ["explore", "s.ron", "--screenshot", "a.jpg"];
    let (code, told) = said(folder.path(), &arguments);
    assert!(code == 2 && told.contains("ends in .png"), "{told}");
    assert_eq!(
        fs::read_to_string(folder.path().join("f.mp4")).expect("there"),
        "mine"
    );
}

#[cfg(all(feature = "view", unix))]
#[test]
fn a_film_that_is_interrupted_ends_whole_and_leaves_nothing_else() {
    let folder = folder_with(&scene(ONE, ""));
    let child = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
        .args([
            "record", "s.ron", "--quiet", "--size", "64x64", "--fps", "100",
        ])
        .args(["--seconds", "3600", "-o", "f.gif"])
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let is_begun = || {
        let names = fs::read_dir(folder.path()).expect("it is there");
        names.count() > 1
    };
    while !is_begun() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_secs(5));
    let sent = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(sent.expect("it can be sent").success());
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    let names: Vec<String> = contents(folder.path())
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    if told.contains("before its first frame") {
        assert_eq!(names, ["s.ron"], "{told}");
    } else {
        assert_eq!(names, ["f.gif", "s.ron"], "{told}");
    }
}
