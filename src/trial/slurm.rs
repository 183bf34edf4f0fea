//! Trials on a cluster: a job array of Slurm, each task of which computes a part of the runs.
//!
//! The script says nothing that anybody has named but the program itself, in quotes: tasks begin in the folder of the trial,
//! and everything else is handed to `sbatch` as an argument of its own, past any shell. A task that is requeued, or whose time
//! is up, goes on from the checkpoints of its runs: Slurm asks it to stop two minutes before it is killed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::TrialError;
use super::folder::Trial;
use crate::core::files::write_whole;

/// The folder of what belongs to the scheduler, in that of the trial.
const FOLDER: &str = "slurm";
/// The script of a task.
const SCRIPT: &str = "task.sh";
/// How long before the end of its time a task is asked to stop, s: a step and a checkpoint must fit.
const WARNING_SECONDS: u32 = 120;

/// What is asked of the scheduler.
#[derive(Clone, Debug)]
pub struct Job {
    /// Tasks of the array.
    pub tasks: u32,
    /// Runs at the same time in a task.
    pub jobs: usize,
    /// Threads of each.
    pub threads: usize,
    /// Further options of `sbatch`, one argument each: `--time=12:00:00`, `--partition=short`.
    pub options: Vec<OsString>,
    /// The `sbatch` that is called; looked for where programs lie.
    pub sbatch: OsString,
    /// The program that tasks call.
    pub program: PathBuf,
}

/// A text in quotes that a POSIX shell takes as it is, whatever bytes it has.
#[cfg(unix)]
fn quoted(text: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    let mut word = vec![b'\''];
    for byte in text.as_os_str().as_bytes() {
        match byte {
            b'\'' => word.extend_from_slice(b"'\\''"),
            byte => word.push(*byte),
        }
    }
    word.push(b'\'');
    word
}

#[cfg(not(unix))]
fn quoted(text: &Path) -> Vec<u8> {
    format!("'{}'", text.display().to_string().replace('\'', "'\\''")).into_bytes()
}

/// The script of a task.
pub fn script(job: &Job) -> Vec<u8> {
    let mut text = b"#!/bin/sh\n# A task of a job array: computes every N-th run of the trial in whose folder it begins.\nexec ".to_vec();
    text.extend(quoted(&job.program));
    text.extend(
        format!(
            " trial . --part \"${{SLURM_ARRAY_TASK_ID}}/{}\" --jobs {} --threads {} --quiet\n",
            job.tasks, job.jobs, job.threads
        )
        .into_bytes(),
    );
    text
}

/// The arguments of `sbatch`.
pub fn arguments(trial: &Trial, job: &Job) -> Vec<OsString> {
    let cores = job.jobs * job.threads;
    let mut arguments: Vec<OsString> = vec![
        "--parsable".into(),
        format!("--array=1-{}", job.tasks).into(),
        "--requeue".into(),
        // To the shell alone, which has become the program by then.
        format!("--signal=B:TERM@{WARNING_SECONDS}").into(),
        "--job-name=tumorscape".into(),
        format!("--cpus-per-task={cores}").into(),
        "--open-mode=append".into(),
        // Relative to where tasks begin: no name of a folder is read as a pattern.
        format!("--output={FOLDER}/%A_%a.log").into(),
    ];
    let mut begins_in = OsString::from("--chdir=");
    begins_in.push(std::path::absolute(&trial.folder).unwrap_or_else(|_| trial.folder.clone()));
    arguments.push(begins_in);
    arguments.extend(job.options.iter().cloned());
    arguments.push(Path::new(FOLDER).join(SCRIPT).into());
    arguments
}

/// Writes the script and hands the job in. Returns what Slurm says: the number of the job.
///
/// # Errors
/// When the script cannot be written, or `sbatch` is not there or refuses.
pub fn submit(trial: &Trial, job: &Job) -> Result<String, TrialError> {
    let folder = trial.folder.join(FOLDER);
    fs::create_dir_all(&folder).map_err(TrialError::io("make", folder.clone()))?;
    let path = folder.join(SCRIPT);
    write_whole(&path, &script(job)).map_err(TrialError::io("write", path))?;
    let mut sbatch = Command::new(&job.sbatch);
    let output = sbatch
        .args(arguments(trial, job))
        .current_dir(&trial.folder)
        .output()
        .map_err(|source| {
            TrialError::Asked(format!(
                "cannot call `{}`: {source}; the script of a task is there, to be handed in by other means",
                Path::new(&job.sbatch).display()
            ))
        })?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if !output.status.success() {
        return Err(TrialError::Asked(format!(
            "`sbatch` refuses the job: {}",
            said(&output.stderr)
        )));
    }
    Ok(said(&output.stdout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_one_word_of_the_script_whatever_it_is_called() {
        let job = Job {
            tasks: 3,
            jobs: 2,
            threads: 4,
            options: Vec::new(),
            sbatch: "sbatch".into(),
            program: "/opt/it's $(touch x)/tumorscape".into(),
        };
        let text = String::from_utf8(script(&job)).expect("a text");
        let last = text.lines().last().expect("a line");
        assert_eq!(
            last,
            "exec '/opt/it'\\''s $(touch x)/tumorscape' trial . --part \"${SLURM_ARRAY_TASK_ID}/3\" --jobs 2 --threads 4 --quiet"
        );
    }
}
