//! Computes the runs of a trial, each as a process of this program.
//!
//! What is done is not done again; what has begun goes on from its checkpoint. Nothing that ends this process at any moment
//! loses more than what came after the last checkpoints: a run is noted as done only when its process has ended and said in
//! what state. The log of a run is its lock, which its process inherits: two trials in one folder, on one machine or on
//! several that share it, never compute the same run, and a run whose trial was killed is left to itself until it ends.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::TrialError;
use super::folder::{Done, Stage, Trial, scene_file};
use super::plan::RunOf;
use crate::scene::schema::Span;

/// Time between two looks at what processes do.
const LOOK: Duration = Duration::from_millis(20);
/// Time between two tries to take a run that another process has.
const RETRY: Duration = Duration::from_millis(500);
/// Bytes at the end of a log that are read.
const TAIL: u64 = 1 << 16;

/// How runs are computed.
#[derive(Clone, Debug)]
pub struct Manner {
    /// The program that computes a run.
    pub program: PathBuf,
    /// Runs at the same time.
    pub jobs: usize,
    /// Threads of each.
    pub threads: usize,
    /// The part of all runs that is computed here, and of how many parts, counted from 1.
    pub part: (u32, u32),
}

/// How far a trial is.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    /// Runs that are done.
    pub done: usize,
    /// Of which this process computed so many.
    pub computed: usize,
    /// Runs that are being computed by it.
    pub running: usize,
    /// Runs that wait for another process to let go of them.
    pub elsewhere: usize,
    /// All runs that are to be computed here.
    pub total: usize,
    /// Runs that failed, and why.
    pub failures: Vec<(RunOf, String)>,
    /// Whether it was asked to stop before all was done.
    pub stopped: bool,
}

/// A run that is being computed.
struct Active {
    run: RunOf,
    child: Child,
    log: File,
    began: Instant,
}

/// Computes all runs that are not done. `is_asked` says whether to stop: runs then write a checkpoint first. `tell` hears how
/// far it is whenever that changes.
///
/// # Errors
/// When the system does not tell of a process whether it has ended. What goes wrong with a run is told in
/// [`Reached::failures`], and the others go on.
pub fn compute(
    trial: &Trial,
    manner: &Manner,
    is_asked: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(&Reached),
) -> Result<Reached, TrialError> {
    let runs = trial.plan.part(manner.part);
    let mut reached = Reached {
        total: runs.len(),
        ..Reached::default()
    };
    let mut waiting = VecDeque::new();
    for run in runs {
        match trial.stage(run) {
            Stage::Done(_) => reached.done += 1,
            Stage::Waiting | Stage::Begun => waiting.push_back(run),
        }
    }
    let mut active: Vec<Active> = Vec::new();
    let mut elsewhere: VecDeque<RunOf> = VecDeque::new();
    let mut retry_at = Instant::now();
    tell(&reached);
    loop {
        if is_asked() && !reached.stopped {
            reached.stopped = true;
            for of in &active {
                ask_to_stop(&of.child);
            }
        }
        let mut changed = false;
        let mut index = 0;
        while index < active.len() {
            match active[index].child.try_wait() {
                Ok(None) => index += 1,
                Ok(Some(status)) => {
                    let of = active.swap_remove(index);
                    finish(trial, of, status, &mut reached);
                    changed = true;
                }
                Err(source) => {
                    let path = manner.program.clone();
                    return Err(TrialError::io("wait for", path)(source));
                }
            }
        }
        if !reached.stopped {
            if Instant::now() >= retry_at {
                waiting.append(&mut elsewhere);
                retry_at = Instant::now() + RETRY;
            }
            while active.len() < manner.jobs
                && let Some(run) = waiting.pop_front()
            {
                changed = true;
                match begin(trial, manner, run) {
                    Ok(Begun::Here(of)) => active.push(of),
                    Ok(Begun::Elsewhere) => elsewhere.push_back(run),
                    Ok(Begun::Done) => reached.done += 1,
                    Err(error) => reached.failures.push((run, error.to_string())),
                }
            }
        }
        reached.running = active.len();
        reached.elsewhere = elsewhere.len();
        if changed {
            tell(&reached);
        }
        let is_over = reached.stopped || waiting.is_empty() && elsewhere.is_empty();
        if active.is_empty() && is_over {
            break;
        }
        std::thread::sleep(LOOK);
    }
    Ok(reached)
}

/// What came of the attempt to begin a run.
enum Begun {
    Here(Active),
    /// Another process has it.
    Elsewhere,
    /// Another process has done it meanwhile.
    Done,
}

/// Begins a run, or goes on with it.
fn begin(trial: &Trial, manner: &Manner, run: RunOf) -> Result<Begun, TrialError> {
    let Some(log) = trial.claim(run)? else {
        return Ok(Begun::Elsewhere);
    };
    let mut command = Command::new(&manner.program);
    command.current_dir(&trial.folder);
    match trial.stage(run) {
        Stage::Done(_) => return Ok(Begun::Done),
        Stage::Begun if trial.can_resume(run)? => {
            command.arg("resume").arg(trial.run_folder(run));
        }
        stage => {
            if stage == Stage::Begun {
                trial.put_aside(run)?;
            }
            let plan = &trial.plan;
            command
                .arg("run")
                .arg(scene_file(&plan.conditions[run.condition]))
                .arg("--seed")
                .arg(plan.seeds[run.seed].to_string())
                .arg("--out")
                .arg(trial.run_folder(run))
                .arg("--checkpoint-every")
                .arg(option_of(plan.checkpoint_every));
            if let Some(until) = plan.until {
                command.arg("--until").arg(option_of(until));
            }
        }
    }
    command
        .arg("--threads")
        .arg(manner.threads.to_string())
        .arg("--quiet");
    let path = trial.folder.join(trial.log_file(run));
    let refused = |source| TrialError::io("write", path.clone())(source);
    log.set_len(0).map_err(refused)?;
    let share = || {
        log.try_clone()
            .map_err(|source| TrialError::io("write", path.clone())(source))
    };
    command
        .stdin(Stdio::null())
        .stdout(share()?)
        .stderr(share()?);
    apart(&mut command);
    let child = command
        .spawn()
        .map_err(TrialError::io("start", manner.program.clone()))?;
    Ok(Begun::Here(Active {
        run,
        child,
        log,
        began: Instant::now(),
    }))
}

/// A time as an option of the command line.
fn option_of(span: Span) -> String {
    match span {
        Span::Minutes(number) => format!("{number}min"),
        Span::Hours(number) => format!("{number}h"),
        Span::Days(number) => format!("{number}d"),
    }
}

/// Notes what came of a run whose process has ended.
fn finish(trial: &Trial, mut of: Active, status: ExitStatus, reached: &mut Reached) {
    let said = tail(&mut of.log);
    let state = said
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("state "));
    let code = status.code();
    match state.filter(|_| matches!(code, Some(0 | 1))) {
        Some(state) => {
            let done = Done {
                state: state.trim().to_owned(),
                holds: code == Some(0),
                seconds: of.began.elapsed().as_secs_f64(),
            };
            match trial.note_done(of.run, &done) {
                Ok(()) => {
                    reached.done += 1;
                    reached.computed += 1;
                }
                Err(error) => reached.failures.push((of.run, error.to_string())),
            }
        }
        // It goes on from its checkpoint another time.
        None if reached.stopped => {}
        None => {
            let why = said.lines().rev().find(|line| !line.trim().is_empty());
            let why = why.map_or_else(|| format!("it ended with {status}"), str::to_owned);
            reached.failures.push((of.run, why));
        }
    }
}

/// The last that a log says.
fn tail(log: &mut File) -> String {
    let length = log.metadata().map_or(0, |of| of.len());
    let mut bytes = Vec::new();
    let read = log
        .seek(SeekFrom::Start(length.saturating_sub(TAIL)))
        .and_then(|_| log.read_to_end(&mut bytes));
    match read {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => String::new(),
    }
}

/// Keeps Ctrl-C at the terminal from the process: it is asked to stop by this one, once. Where the system can, it is also
/// asked when this one is killed.
fn apart(command: &mut Command) {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        command.process_group(0);
    }
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt;
        let parent = std::process::id();
        let ask = move || {
            // SAFETY: between fork and exec only system calls are made, which are allowed there.
            unsafe {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM as libc::c_ulong);
                if u32::try_from(libc::getppid()) != Ok(parent) {
                    // The trial has ended meanwhile. An error in words would be allocated, which is not allowed here.
                    return Err(std::io::Error::from_raw_os_error(libc::ESRCH));
                }
            }
            Ok(())
        };
        // SAFETY: see above.
        unsafe {
            command.pre_exec(ask);
        }
    }
    #[cfg(not(unix))]
    let _ = command;
}

/// Asks a run to write a checkpoint and end.
fn ask_to_stop(child: &Child) {
    #[cfg(unix)]
    if let Ok(id) = libc::pid_t::try_from(child.id()) {
        // SAFETY: it is a signal to a process of ours that nobody has waited for yet.
        unsafe {
            libc::kill(id, libc::SIGTERM);
        }
    }
    // Elsewhere whoever sits at the terminal has asked it already.
    #[cfg(not(unix))]
    let _ = child;
}

/// This program itself.
///
/// # Errors
/// When the system does not tell.
pub fn this_program() -> Result<PathBuf, TrialError> {
    std::env::current_exe().map_err(TrialError::io("find", Path::new("the program itself")))
}
