//! The file system, watched from outside: what the program opens, makes, renames and removes while it is given hostile
//! input. `strace` does the watching; without it the test says so and watches nothing.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use super::{ONE, folder_with, scene};

/// Where a program of this kind reads by itself: libraries, time zones, the kernel's word on processors and memory.
const OF_THE_SYSTEM: [&str; 7] = [
    "/lib",
    "/usr",
    "/etc/ld.so.cache",
    "/proc",
    "/sys",
    "/dev",
    "/lib64",
];

/// A call that names a file, as `strace` wrote it down.
struct Touch {
    line: String,
    path: PathBuf,
    changes: bool,
}

/// A path without `.` and `..`, from a folder.
fn plain(folder: &Path, path: &str) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in folder.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    plain
}

/// All calls that name a file, of the program with these arguments in that folder.
fn touches(folder: &Path, arguments: &[&str]) -> Vec<Touch> {
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let status = Command::new("strace")
        .args(["-f", "-qq", "-s", "4096", "-e", "trace=%file", "-o"])
        .arg(log.path())
        .arg(env!("CARGO_BIN_EXE_tumorscape"))
        .args(arguments)
        // Where the loader looks first is said by who starts the program, not by the program.
        .env_remove("LD_LIBRARY_PATH")
        .current_dir(folder)
        .output()
        .expect("it starts")
        .status;
    assert!(status.code().is_some_and(|code| code <= 2), "{arguments:?}");
    let text = fs::read_to_string(log.path()).expect("it was written");
    let mut found = Vec::new();
    // Processes that have gone into another folder.
    let mut folders: BTreeMap<&str, PathBuf> = BTreeMap::new();
    for line in text.lines() {
        // `12 openat(AT_FDCWD, "s.ron", O_RDONLY) = 3`: a process, the call, and one or two names.
        let Some((process, (call, rest))) = line
            .split_once(char::is_whitespace)
            .and_then(|(process, line)| Some((process, line.trim_start().split_once('(')?)))
        else {
            continue;
        };
        if call.starts_with('<') {
            continue;
        }
        let folder = folders.get(process).map_or(folder, PathBuf::as_path);
        if call == "chdir" {
            let into = rest.split('"').nth(1).unwrap_or_default();
            folders.insert(process, plain(folder, into));
            continue;
        }
        // What is asked about a file, without opening it, tells nothing of what is in it.
        let asks = ["stat", "access", "readlink", "getcwd", "statx"];
        if asks.iter().any(|ask| call.contains(ask)) || call == "execve" {
            continue;
        }
        let changes = !call.starts_with("open")
            || ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"]
                .iter()
                .any(|flag| rest.contains(flag));
        for path in rest.split('"').skip(1).step_by(2) {
            found.push(Touch {
                line: line.to_owned(),
                path: plain(folder, path),
                changes,
            });
        }
    }
    assert!(!found.is_empty(), "nothing was seen");
    found
}

/// Makes sure that all is read below the folder or by the system's leave, and changed in `own` alone.
fn kept_to(folder: &Path, own: &[&str], arguments: &[&str]) {
    let scratch = std::env::temp_dir();
    for touch in touches(folder, arguments) {
        let path = &touch.path;
        let is_own = own.iter().any(|name| path.starts_with(folder.join(name)));
        let is_terminal = path.starts_with("/dev/tty") || path == Path::new("/dev/null");
        if touch.changes {
            assert!(
                is_own || is_terminal,
                "{arguments:?} changes: {}",
                touch.line
            );
            continue;
        }
        let of_system = OF_THE_SYSTEM.iter().any(|of| path.starts_with(of));
        // The search for a project's own assets goes up from the scene, and looks at folders only.
        let is_search = path.ends_with("assets")
            || path.components().any(|part| part.as_os_str() == "assets")
                && !path.starts_with(&scratch);
        assert!(
            is_own
                || of_system
                || is_search
                || path.starts_with(folder)
                || path == Path::new(env!("CARGO_BIN_EXE_tumorscape")),
            "{arguments:?} reads: {}",
            touch.line
        );
        assert!(
            !path.ends_with("passwd") && !path.ends_with("zero"),
            "{}",
            touch.line
        );
    }
}

#[test]
fn nothing_is_read_or_written_outside_the_named_folders() {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("no strace here: nothing is watched");
        return;
    }
    let outside = tempfile::tempdir().expect("a temporary folder");
    let victim = outside.path().join("victim");
    fs::write(&victim, "mine").expect("writable");
    let csv = |file: &str| format!(r#"(cell: "cancer", place: Csv("{file}"))"#);
    // Scenes that ask for what is not theirs.
    for place in ["/etc/passwd", "../../etc/passwd", "/dev/zero", "link.csv"] {
        let folder = folder_with(&scene(&csv(place), ""));
        symlink("/etc/passwd", folder.path().join("link.csv")).expect("writable");
        kept_to(folder.path(), &[], &["check", "s.ron"]);
        kept_to(
            folder.path(),
            &["o"],
            &["run", "s.ron", "--quiet", "--out", "o"],
        );
    }
    // A whole run, its resumption, and a trial, in folders full of links.
    let text = scene(
        ONE,
        "output: (cells_at: [Minutes(10)], fields_at: [Minutes(10)])",
    );
    let folder = folder_with(&text);
    let linked = folder.path().join("l");
    fs::create_dir(&linked).expect("writable");
    symlink(&victim, linked.join("checkpoint.tumorscape.part")).expect("writable");
    let into_links = ["run", "s.ron", "--quiet", "--checkpoint-every", "10min"];
    kept_to(
        folder.path(),
        &["l"],
        &[&into_links[..], &["--out", "l"]].concat(),
    );
    let run = [
        "run",
        "s.ron",
        "--quiet",
        "--checkpoint-every",
        "10min",
        "--out",
        "o",
    ];
    kept_to(folder.path(), &["o"], &run);
    kept_to(
        folder.path(),
        &["o"],
        &["resume", "o", "--until", "40min", "--quiet"],
    );
    let arms =
        r#"arms: [(name: "as it is"), (name: "longer", parameters: {"cancer.cycle.m_hours": 2})]"#;
    let of_arms = folder_with(&scene(ONE, arms));
    kept_to(
        of_arms.path(),
        &["t"],
        &[
            "trial",
            "s.ron",
            "--replicates",
            "2",
            "--quiet",
            "--out",
            "t",
        ],
    );
    kept_to(of_arms.path(), &["t"], &["status", "t"]);
    assert_eq!(fs::read_to_string(&victim).expect("it is there"), "mine");
}
