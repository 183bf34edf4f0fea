//! What a person meets at the command line: messages, exit codes, and nothing half-written.

#[cfg(unix)]
mod broken_off;
#[path = "../program/mod.rs"]
mod program;
#[cfg(unix)]
#[path = "../program/signals.rs"]
mod signals;
mod split;

use std::path::Path;
use std::process::Command;

use program::{state, succeeds, tumorscape};

fn refused(folder: &Path, arguments: &[&str], says: &str) {
    let before = entries(folder);
    let output = tumorscape(folder, arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    assert!(text.contains(says), "{arguments:?} says: {text}");
    assert_eq!(
        entries(folder),
        before,
        "{arguments:?} leaves nothing behind"
    );
}

fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

/// A scene of one cell and no field, with one expectation.
fn scene(expect: &str) -> String {
    format!(
        r#"(title: "one cell", about: "lives", pace: Illustrative, duration: Minutes(30),
            sites: [(name: "dish", organ: Medium, size_um: (200, 200, 200))],
            populations: [(cell: "cancer", place: Single(at_um: (0, 0, 0)))],
            expect: [{expect}])"#
    )
}

fn folder_with(name: &str, text: impl AsRef<[u8]>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join(name), text).expect("the folder is writable");
    folder
}

#[test]
fn a_scene_that_is_not_there_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    refused(
        folder.path(),
        &["run", "none.ron"],
        "none.ron: there is no such file",
    );
    refused(
        folder.path(),
        &["check", "none.ron"],
        "none.ron: there is no such file",
    );
}

#[test]
fn shipped_scenes_run_from_any_folder_unless_a_file_of_their_name_is_there() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = |arguments: &[&str], note: bool, title: &str| {
        let output = tumorscape(
            folder.path(),
            &[&["run", "--quiet", "--until", "1min"], arguments].concat(),
        );
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success() && text.contains(title),
            "{text}{said}"
        );
        assert_eq!(
            said.contains("taking the one that is part of the program"),
            note,
            "{said}"
        );
    };
    run(&[], true, "The tumour microenvironment");
    run(&["scenes/spheroid.ron"], true, "A spheroid in culture");
    let checked = tumorscape(folder.path(), &["check", "scenes/spheroid.ron"]);
    assert!(checked.status.success(), "{checked:?}");
    std::fs::create_dir(folder.path().join("scenes")).expect("writable");
    std::fs::write(folder.path().join("scenes/spheroid.ron"), scene("")).expect("writable");
    run(&["scenes/spheroid.ron"], false, "one cell");
    refused(
        folder.path(),
        &["run", "scenes/other.ron"],
        "there is no such file",
    );
}

#[test]
fn bad_scenes_exit_with_2_and_write_nothing() {
    let misspelt = scene("").replace("duration", "durations");
    let folder = folder_with("bad.ron", misspelt);
    for verb in ["run", "check"] {
        refused(
            folder.path(),
            &[verb, "bad.ron"],
            "did you mean `duration`?",
        );
    }
    let folder = folder_with("bad.ron", scene("").replace("(200, 200", "(-200, 200"));
    refused(
        folder.path(),
        &["run", "bad.ron"],
        "must be greater than 0, found -200",
    );
    let folder = folder_with("bad.ron", scene("").replace("Minutes(30)", "Seconds(30)"));
    refused(
        folder.path(),
        &["run", "bad.ron"],
        "`Seconds` does not exist",
    );
    let folder = folder_with("bad.ron", scene("").replace("\"cancer\"", "\"cancre\""));
    refused(folder.path(), &["run", "bad.ron"], "did you mean `cancer`?");
    let folder = folder_with("bad.ron", scene("").replace("(0, 0, 0)", "(0, 0, 900)"));
    refused(
        folder.path(),
        &["run", "bad.ron"],
        "is not inside the site `dish`",
    );
    let folder = folder_with(
        "bad.ron",
        [b"(title: \"".as_slice(), &[0xff, 0xfe], b"\")"].concat(),
    );
    refused(folder.path(), &["run", "bad.ron"], "not a UTF-8 text");
}

#[test]
fn parameters_of_a_scene_must_be_what_cell_files_may_say() {
    for (parameters, says) in [
        (
            r#""cancer.cycle.s_stages": 1.5"#,
            "must be a whole number, found 1.5",
        ),
        (
            r#""molecules.oxygen.quasi_steady": 0.5"#,
            "must be 0 (off) or 1 (on), found 0.5",
        ),
        (
            r#""cancer.death.necrosis_full_mmhg": 50"#,
            "must not be above `necrosis_onset_mmhg`",
        ),
        (
            r#""cancer.cycle.s_hours": inf"#,
            "must be a finite number, found inf",
        ),
        (r#""%%%": 1"#, "the groups are `"),
    ] {
        let text = scene("").replace("expect", &format!("parameters: {{{parameters}}}, expect"));
        let folder = folder_with("bad.ron", text);
        refused(folder.path(), &["check", "bad.ron"], says);
    }
    let text = scene("").replace(
        "expect",
        r#"timeline: [At(Minutes(9), Set("cancer.cycle.s_stages", 2.5))], expect"#,
    );
    let folder = folder_with("bad.ron", text);
    refused(
        folder.path(),
        &["check", "bad.ron"],
        "must be a whole number, found 2.5",
    );
}

#[test]
fn bad_options_exit_with_2() {
    let folder = folder_with("one.ron", scene(""));
    refused(
        folder.path(),
        &["run", "one.ron", "--until", "3 fortnights"],
        "is not a unit of time",
    );
    refused(
        folder.path(),
        &["run", "one.ron", "--threads", "0"],
        "0 is not in 1..=1024",
    );
    refused(
        folder.path(),
        &["run", "one.ron", "--seed", "x"],
        "invalid digit",
    );
    refused(folder.path(), &["walk"], "unrecognized subcommand");
}

#[test]
fn a_run_folder_that_cannot_be_made_is_named() {
    let folder = folder_with("one.ron", scene(""));
    refused(
        folder.path(),
        &["run", "one.ron", "--out", "one.ron/inside"],
        "cannot write `one.ron/inside`",
    );
    refused(
        folder.path(),
        &["run", "one.ron", "--out", "one.ron"],
        "`one.ron` is there already and is not overwritten",
    );
    std::fs::create_dir(folder.path().join("mine")).expect("writable");
    std::fs::write(folder.path().join("mine/events.csv"), "").expect("writable");
    refused(
        folder.path(),
        &["run", "one.ron", "--out", "mine"],
        "`mine/events.csv` is there already",
    );
    let text = scene("").replace("expect", "output: (cells_at: [Minutes(15)]), expect");
    let folder = folder_with("one.ron", text);
    std::fs::create_dir(folder.path().join("mine")).expect("writable");
    std::fs::write(folder.path().join("mine/cells_0.25h.csv"), "").expect("writable");
    refused(
        folder.path(),
        &["run", "one.ron", "--out", "mine"],
        "`mine/cells_0.25h.csv` is there already",
    );
    assert_eq!(entries(&folder.path().join("mine")), ["cells_0.25h.csv"]);
}

#[test]
fn the_record_of_a_run_is_a_scene_that_gives_the_same_run_again() {
    let text = r#"(title: "many", about: "a bit of everything", pace: Illustrative, duration: Hours(2),
        sites: [(name: "dish", organ: Medium, size_um: (200, 200, 200), fields: [(molecule: "oxygen", level: 38)])],
        populations: [(cell: "cancer", place: Csv("cells.csv"))],
        parameters: {"zebra.cycle.g0g1_hours": 1.5},
        timeline: [
            At(Hours(0.5), Look(colour_by: Quantity("hif.level"), slice: (molecule: "oxygen"))),
            Every(every: Hours(1), action: Add(cell: "zebra", place: Csv("cells.csv"))),
        ],
        expect: [Before((metric: "cells", is: Above(2)), (metric: "cells", is: Above(9)))])"#;
    let folder = folder_with("many.ron", text);
    let folder = folder.path();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).expect("the folder is writable");
    };
    write(
        "cells.csv",
        "x,y,z,type\n0,0,0,\n30,0.1,0,zebra\n-30,0,0,cancer\n",
    );
    std::fs::create_dir_all(folder.join("assets/cells")).expect("writable");
    write(
        "assets/cells/zebra.ron",
        r#"(name: "zebra", about: "striped", colour: (1, 1, 1), cycle: (s_hours: 0.3),
            motility: (), follows: [(molecule: "oxygen", chemotactic_index: 0.3)])"#,
    );
    let run = |folder: &Path, scene: &str, out: &str, more: &[&str]| {
        let arguments = [&["run", scene, "--quiet", "--out", out], more].concat();
        state(&succeeds(folder, &arguments)).to_owned()
    };
    let first = run(
        folder,
        "many.ron",
        "first",
        &["--seed", "12345678901234567890"],
    );
    // Elsewhere, where neither the list of cells nor the cell type is at hand.
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let elsewhere = elsewhere.path();
    std::fs::copy(folder.join("first/run.ron"), elsewhere.join("run.ron")).expect("writable");
    let checked = tumorscape(elsewhere, &["check", "run.ron"]);
    assert!(checked.status.success(), "{checked:?}");
    assert_eq!(first, run(elsewhere, "run.ron", "again", &[]));
    for file in ["run.ron", "metrics.csv", "events.csv"] {
        let read = |path: std::path::PathBuf| std::fs::read(path).expect("written");
        assert!(
            read(folder.join("first").join(file)) == read(elsewhere.join("again").join(file)),
            "{file}"
        );
    }
    // Where it was to end is told in a comment.
    run(folder, "many.ron", "short", &["--until", "45min"]);
    let record = std::fs::read_to_string(folder.join("short/run.ron")).expect("written");
    assert!(
        record.contains("tumorscape run run.ron --until 45min"),
        "{record}"
    );
}

#[test]
fn a_run_folder_is_never_overwritten() {
    let folder = folder_with("one.ron", scene(""));
    assert!(
        tumorscape(folder.path(), &["run", "one.ron", "--out", "out"])
            .status
            .success()
    );
    let metrics = std::fs::read(folder.path().join("out/metrics.csv")).expect("written");
    refused(
        folder.path(),
        &["run", "one.ron", "--out", "out"],
        "`out` already holds a run (it has a `run.ron`); choose another folder with --out or remove it",
    );
    assert_eq!(
        metrics,
        std::fs::read(folder.path().join("out/metrics.csv")).expect("still there")
    );
}

#[test]
fn expectations_decide_the_exit_code_and_the_run_is_kept() {
    let folder = folder_with("one.ron", scene(r#"AtEnd(metric: "cells", is: Above(5))"#));
    let output = tumorscape(folder.path(), &["run", "one.ron", "--out", "out"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("FAILS"), "{text}");
    assert!(folder.path().join("out/metrics.csv").exists());
    let folder = folder_with(
        "one.ron",
        scene(r#"AtEnd(metric: "cells", is: Between(1, 2))"#),
    );
    assert_eq!(
        tumorscape(folder.path(), &["run", "one.ron"]).status.code(),
        Some(0)
    );
    assert!(
        folder.path().join("runs/one/run.ron").exists(),
        "the folder has a name of its own"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = folder_with("one.ron", scene(""));
    let mut child = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
        .args(["run", "one.ron", "--quiet"])
        .current_dir(folder.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn mistakes_without_end_are_told_in_a_few_lines() {
    let long = scene("").replace('\n', " ").replace(
        "expect: [",
        &format!(
            "parameters: {{{}}}, expect: [",
            (0..3_000)
                .map(|n| format!("\"x{n}\": 1, "))
                .collect::<String>()
        ),
    );
    for (text, says) in [
        (long, "and 2950 more"),
        ("(".repeat(200_000), "this bracket is inside 100 others"),
        ("[1 ".repeat(200_000), "this bracket is inside 100 others"),
    ] {
        let folder = folder_with("bad.ron", text);
        let output = tumorscape(folder.path(), &["check", "bad.ron"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2));
        assert!(text.len() < 60_000, "{} bytes", text.len());
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn nobody_need_read_what_is_wrong() {
    let mistakes = "expect: 1,".repeat(300);
    let folder = folder_with(
        "bad.ron",
        scene("").replace("expect", &format!("{mistakes} expect")),
    );
    for verb in ["check", "run"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
            .args([verb, "bad.ron"])
            .current_dir(folder.path())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("the program starts");
        drop(child.stderr.take());
        assert_eq!(child.wait().expect("it ends").code(), Some(2), "{verb}");
    }
}

#[cfg(feature = "view")]
#[test]
fn films_that_cannot_be_written_are_refused_before_anything_is_simulated() {
    let folder = folder_with("one.ron", scene(""));
    refused(
        folder.path(),
        &["record", "one.ron", "-o", "film.avi"],
        "film.avi",
    );
    refused(
        folder.path(),
        &["record", "one.ron", "-o", "nowhere/film.mp4"],
        "nowhere",
    );
    refused(
        folder.path(),
        &["record", "one.ron", "--size", "7"],
        "is not a size",
    );
    refused(
        folder.path(),
        &["record", "one.ron", "--seconds", "0"],
        "is not a length of a film",
    );
    refused(
        folder.path(),
        &["record", "one.ron", "--fps", "0"],
        "0 is not in 1..=120",
    );
}

#[test]
fn what_the_program_knows_is_told_to_persons_programs_and_pages() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let told = |arguments: &[&str]| {
        let output = tumorscape(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let all = told(&["describe"]);
    for said in [
        "CAPABILITIES",
        "cycle.s_hours",
        "hypoxia.normoxia_mmhg",
        "cells_alive",
        "lysis",
    ] {
        assert!(all.contains(said), "{said}");
    }
    let one = told(&["describe", "cancer.cycle.s_hours"]);
    assert!(
        one.contains("(parameter)") && one.contains("Mean duration of S"),
        "{one}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&told(&["describe", "--json"])).expect("valid JSON");
    for part in [
        "capabilities",
        "groups",
        "quantities",
        "inputs",
        "metrics",
        "files",
    ] {
        assert!(
            json[part].as_array().is_some_and(|list| !list.is_empty()),
            "{part}"
        );
    }
    let rule = told(&["describe", "hypoxia_raises_glycolysis"]);
    assert!(
        rule.starts_with("cancer.hypoxia_raises_glycolysis (rule)"),
        "{rule}"
    );
    let page = told(&["describe", "--markdown", "quantities"]);
    told(&["describe", "--docs", "pages"]);
    let written = std::fs::read_to_string(folder.path().join("pages/quantities.md"));
    assert_eq!(written.expect("a page").trim_end(), page.trim_end());
    refused(
        folder.path(),
        &["describe", "cycle.s_hour"],
        "did you mean `cycle.s_hours`",
    );
    refused(
        folder.path(),
        &["describe", "--markdown", "cycles"],
        "the pages are `scenes`",
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_description_that_cannot_be_written_is_a_failure() {
    let full = std::fs::File::options().write(true).open("/dev/full");
    let output = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
        .args(["describe", "--json"])
        .stdout(full.expect("the device is there"))
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("standard output"), "{said}");
}

#[test]
fn what_has_no_effect_is_told_and_run_all_the_same() {
    let rule = r#"rules: [Add(of: "cancer", name: "z", rule: (input: "cycle.entry", by: "vegf_a", law: Fold(1)))], expect"#;
    let folder = folder_with("one.ron", scene("").replace("expect", rule));
    for arguments in [
        &["check", "one.ron"][..],
        &["run", "--quiet", "--until", "1min", "one.ron"],
    ] {
        let output = tumorscape(folder.path(), arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        let expected = "warning: rules[0].rule.by: `vegf_a` is not simulated in `dish`";
        assert!(
            said.contains(expected) && said.contains("1 warning\n"),
            "{said}"
        );
    }
}
