//! A cluster is told by a `sbatch` that stands in for the real one: it notes its arguments and computes the array.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// Notes each argument on a line of its own, and runs the script as tasks 1 to 3, as Slurm would: in the folder of `--chdir`.
const SBATCH: &str = r#"#!/bin/sh
printf '%s\n' "$@" > "$NOTES"
for argument; do
    case "$argument" in --chdir=*) cd "${argument#--chdir=}" ;; esac
    script=$argument
done
for task in 1 2 3; do SLURM_ARRAY_TASK_ID=$task sh "$script" >> slurm/out.log 2>&1 || exit 1; done
echo 4711
"#;

#[test]
fn no_name_reaches_a_shell() {
    let outer = tempfile::tempdir().expect("a temporary folder");
    // The folder of the trial, the scene and its arms are called as nobody should call them.
    let at = outer
        .path()
        .join("it's; touch pwned $(touch pwned) `touch pwned` %A \"x\"");
    std::fs::create_dir(&at).expect("writable");
    let scene = "-rf $(touch pwned).ron";
    std::fs::write(at.join(scene), SCENE).expect("writable");
    let tools = outer.path().join("tools");
    std::fs::create_dir(&tools).expect("writable");
    let sbatch = tools.join("sbatch");
    std::fs::write(&sbatch, SBATCH).expect("writable");
    std::fs::set_permissions(&sbatch, PermissionsExt::from_mode(0o755)).expect("writable");
    let notes = outer.path().join("notes");
    let path = std::env::var_os("PATH").expect("there is a PATH");
    let mut paths = vec![tools];
    paths.extend(std::env::split_paths(&path));
    let output = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
        .args([
            "trial",
            &format!("./{scene}"),
            "--out",
            "a trial; touch pwned",
            "--until",
            "4h",
        ])
        .args([
            "--slurm",
            "--tasks",
            "3",
            "--jobs",
            "2",
            "--sbatch=--comment=$(touch pwned) x",
        ])
        .current_dir(&at)
        .env("PATH", std::env::join_paths(paths).expect("paths"))
        .env("NOTES", &notes)
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}{complained}");
    assert!(said.contains("job 4711: 3 tasks"), "{said}");
    let notes = std::fs::read_to_string(notes).expect("sbatch was called");
    let arguments: Vec<&str> = notes.lines().collect();
    for argument in [
        "--array=1-3",
        "--requeue",
        "--signal=B:TERM@120",
        "--job-name=tumorscape",
        "--cpus-per-task=2",
        "--output=slurm/%A_%a.log",
        "--comment=$(touch pwned) x",
    ] {
        assert!(arguments.contains(&argument), "{argument}: {notes}");
    }
    assert_eq!(arguments.last(), Some(&"slurm/task.sh"));
    let script = std::fs::read_to_string(at.join("a trial; touch pwned/slurm/task.sh"));
    let script = script.expect("the script is kept");
    assert!(!script.contains("pwned"), "{script}");
    // All of it was computed by the tasks, and nothing else was done.
    let said = succeeds(&at, &["status", "a trial; touch pwned"]);
    assert!(said.contains("12 done, 0 begun, 0 waiting"), "{said}");
    let said = succeeds(&at, &["collect", "a trial; touch pwned"]);
    assert!(said.contains("12 of 12 runs"), "{said}");
    let mut left = vec![outer.path().to_owned()];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            assert!(
                !path.ends_with("pwned"),
                "a name was obeyed: {}",
                path.display()
            );
            if path.is_dir() {
                left.push(path);
            }
        }
    }
}

#[test]
fn without_slurm_the_script_is_left_and_said_where() {
    let folder = folder();
    let at = folder.path();
    let output = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
        .args(["trial", "few.ron", "--out", "trial", "--slurm"])
        .current_dir(at)
        .env("PATH", at)
        .output()
        .expect("the program starts");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("cannot call `sbatch`"), "{text}");
    assert!(at.join("trial/slurm/task.sh").exists());
}
