//! Folders of trials that somebody has prepared: nothing outside is written or read, and no other run passes for one of the plan.

use std::fs;
use std::os::unix::fs::symlink;

use tumorscape::simulation::Program;

use super::*;

/// The first condition, and the place of its run in the folder of a trial.
const FIRST: &str = "001-untreated";
const RUN: &str = "runs/001-untreated/seed-11";

/// Sets up a trial of four short runs.
fn set_up(at: &Path, name: &str) -> PathBuf {
    let arguments = ["trial", "few.ron", "--replicates", "1", "--until", "10min"];
    succeeds(at, &[&arguments[..], &["--out", name, "--set-up"]].concat());
    let trial = at.join(name);
    fs::create_dir_all(trial.join("runs").join(FIRST)).expect("writable");
    trial
}

fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo is there").success());
}

/// What the program complains of, if it ends with this code.
fn complains(at: &Path, arguments: &[&str], code: i32) -> String {
    let output = tumorscape(at, arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    text
}

fn compute(name: &str) -> [&str; 5] {
    ["trial", name, "--jobs", "2", "--quiet"]
}

fn is_empty(folder: &Path) -> bool {
    let mut found = fs::read_dir(folder).expect("it is there");
    found.next().is_none()
}

#[test]
fn a_log_that_is_not_the_trials_own_is_left_and_the_other_runs_go_on() {
    let folder = folder();
    let at = folder.path();
    let trial = set_up(at, "trial");
    let mine = at.join("mine.txt");
    fs::write(&mine, "mine").expect("writable");
    let log = |condition: &str| {
        let runs = trial.join("runs").join(condition);
        fs::create_dir_all(&runs).expect("writable");
        runs.join("seed-11.log")
    };
    let logs = [
        log(FIRST),
        log("002-slow-touch-pwned"),
        log("003-dying-touch-pwned"),
    ];
    fs::hard_link(&mine, &logs[0]).expect("writable");
    symlink(&mine, &logs[1]).expect("writable");
    make_pipe(&logs[2]);
    let output = tumorscape(at, &compute("trial"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{complained}");
    assert!(said.contains("1 of 4 runs are done"), "{said}");
    for says in ["a hard link", "it is a link", "this is a pipe"] {
        assert!(complained.contains(says), "{complained}");
    }
    assert_eq!(fs::read(&mine).expect("readable"), b"mine");
    for log in &logs {
        fs::remove_file(log).expect("removable");
    }
    let said = succeeds(at, &compute("trial"));
    assert!(
        said.contains("4 of 4 runs are done, 3 of them now"),
        "{said}"
    );
}

#[test]
fn no_link_is_followed_to_where_runs_lie() {
    let folder = folder();
    let at = folder.path();
    let outside = at.join("outside");
    fs::create_dir(&outside).expect("writable");
    for place in ["runs", "runs/001-untreated"] {
        let name = place.replace('/', "-");
        let trial = set_up(at, &name);
        fs::remove_dir_all(trial.join(place)).expect("removable");
        symlink(&outside, trial.join(place)).expect("writable");
        for verb in ["trial", "status", "collect"] {
            let text = complains(at, &[verb, &name], 2);
            assert!(text.contains("it is a link"), "{text}");
        }
    }
    let trial = set_up(at, "run");
    symlink(&outside, trial.join(RUN)).expect("writable");
    let text = complains(at, &compute("run"), 1);
    assert!(text.contains("it is a link"), "{text}");
    let said = succeeds(at, &["status", "run"]);
    assert!(said.contains("3 done, 1 begun, 0 waiting"), "{said}");
    assert!(is_empty(&outside));
}

#[test]
fn another_run_in_the_place_of_one_is_put_aside() {
    let folder = folder();
    let at = folder.path();
    set_up(at, "whole");
    succeeds(at, &compute("whole"));
    let scene = "whole/scenes/001-untreated.ron";
    let slow = "whole/scenes/002-slow-touch-pwned.ron";
    for (name, scene, seed, until, is_other) in [
        ("own", scene, "11", "10min", false),
        ("seed", scene, "12", "10min", true),
        ("end", scene, "11", "20min", true),
        ("arm", slow, "11", "10min", true),
    ] {
        let trial = set_up(at, name);
        let run = format!("{name}/{RUN}");
        let arguments = ["run", scene, "--seed", seed, "--until", until, "--quiet"];
        let every = ["--checkpoint-every", "4min", "--out", &run];
        succeeds(at, &[&arguments[..], &every].concat());
        succeeds(at, &compute(name));
        let log = fs::read_to_string(trial.join(format!("{RUN}.log"))).expect("readable");
        assert_eq!(log.contains("resumed at"), !is_other, "{name}: {log}");
        let aside = trial.join("runs").join(FIRST).join("unfinished-11");
        assert_eq!(aside.join("run.ron").exists(), is_other, "{name}");
        assert_same(&at.join("whole"), &trial);
    }
}

#[test]
fn what_no_run_can_have_said_does_not_make_it_done() {
    let folder = folder();
    let at = folder.path();
    let trial = set_up(at, "trial");
    for (state, seconds, is_done) in [
        ("5b5bf888bd7fb9c6", "1.5", true),
        ("5b5bf888bd7fb9c6", "-1.5", false),
        ("5b5bf888bd7fb9c6", "NaN", false),
        ("5b5bf888bd7fb9c6", "inf", false),
        ("5b5bf888bd7fb9c6", "1e308", false),
        ("", "1.5", false),
        ("\\u{1b}[31m", "1.5", false),
    ] {
        let done = format!("(state:\"{state}\",holds:true,seconds:{seconds})");
        fs::write(trial.join(format!("{RUN}.done")), &done).expect("writable");
        let said = succeeds(at, &["status", "trial"]);
        let counts = if is_done {
            "1 done, 0 begun, 3 waiting"
        } else {
            "0 done, 0 begun, 4 waiting"
        };
        assert!(said.contains(counts), "{done}: {said}");
    }
}

#[test]
fn measurements_are_read_from_plain_files_in_the_folder() {
    let folder = folder();
    let at = folder.path();
    let trial = set_up(at, "trial");
    succeeds(at, &compute("trial"));
    let metrics = trial.join(RUN).join("metrics.csv");
    let kept = at.join("kept.csv");
    fs::rename(&metrics, &kept).expect("movable");
    let refused = |says: &str| {
        let text = complains(at, &["collect", "trial"], 2);
        assert!(
            text.contains("metrics.csv") && text.contains(says),
            "{text}"
        );
        fs::remove_file(&metrics).expect("removable");
    };
    symlink(&kept, &metrics).expect("writable");
    refused("it is a link");
    symlink("/dev/zero", &metrics).expect("writable");
    refused("it is a link");
    make_pipe(&metrics);
    refused("this is a pipe");
    fs::rename(&kept, &metrics).expect("movable");
    succeeds(at, &["collect", "trial"]);
}

#[test]
fn setting_up_that_was_cut_short_is_taken_up_and_nothing_else_is() {
    let folder = folder();
    let at = folder.path();
    let arguments = ["trial", "few.ron", "--set-up", "--out"];
    succeeds(at, &[&arguments[..], &["whole"]].concat());
    // What is there when it is cut short: some scenes, and one on its way.
    let begin = |name: &str| {
        let trial = at.join(name);
        fs::create_dir_all(trial.join("scenes")).expect("writable");
        fs::create_dir_all(trial.join("runs")).expect("writable");
        let scene = Path::new("scenes").join(format!("{FIRST}.ron"));
        fs::copy(at.join("whole").join(&scene), trial.join(scene)).expect("writable");
        fs::write(trial.join("scenes/.x3Yz.part"), "(tit").expect("writable");
        trial
    };
    let trial = begin("cut");
    succeeds(at, &[&arguments[..], &["cut"]].concat());
    for file in ["trial.ron", "scenes/004-both.ron"] {
        let read = |trial: &Path| fs::read(trial.join(file)).expect("readable");
        assert_eq!(read(&trial), read(&at.join("whole")), "{file}");
    }
    for (name, file) in [
        ("beside", "mine.txt"),
        ("among", "scenes/mine.ron"),
        ("changed", "scenes/001-untreated.ron"),
        ("begun", "runs/mine.txt"),
    ] {
        let trial = begin(name);
        fs::write(trial.join(file), "mine").expect("writable");
        let text = complains(at, &[&arguments[..], &[name]].concat(), 2);
        assert!(text.contains("holds no trial"), "{text}");
        assert_eq!(fs::read(trial.join(file)).expect("readable"), b"mine");
        assert!(!trial.join("scenes/004-both.ron").exists(), "{name}");
    }
}

#[test]
fn a_plan_that_no_trial_can_have_is_refused_before_anything_is_made_of_it() {
    let folder = folder();
    let at = folder.path();
    let range = "cancer.cycle.s_hours=6..12";
    let sweep = ["sweep", "few.ron", "--over", range, "--morris", "2"];
    succeeds(at, &[&sweep[..], &["--set-up", "--out", "sweep"]].concat());
    let plan = fs::read_to_string(at.join("sweep/trial.ron")).expect("readable");
    for (from, to) in [
        ("paths: 2", "paths: 18446744073709551615"),
        ("paths: 2", "paths: 200000000"),
    ] {
        assert!(plan.contains(from), "{plan}");
        fs::write(at.join("sweep/trial.ron"), plan.replace(from, to)).expect("writable");
        for verb in ["trial", "status", "collect"] {
            let text = complains(at, &[verb, "sweep"], 2);
            assert!(text.contains("paths of 1 parameters"), "{text}");
        }
    }
}

#[test]
fn an_arm_that_gives_nothing_has_the_drugs_of_the_others_however_often_it_is_written() {
    let program = Program::default();
    let path = Path::new("scenes/therapy_antiangiogenic.ron");
    let shipped = program.open_scene(path);
    let shipped = shipped.unwrap_or_else(|report| panic!("{report}"));
    let mut arm = shipped.arm("untreated").expect("it is the control");
    let molecules = arm.library.molecules.clone();
    assert!(molecules.named("anti_vegfr2").is_some());
    for _ in 0..2 {
        let text = arm.to_ron(1).expect("it can be written");
        let again = program.parse_scene(&text, "again.ron", None);
        arm = again.unwrap_or_else(|report| panic!("{report}"));
        assert_eq!(arm.library.molecules.list(), molecules.list());
    }
}
