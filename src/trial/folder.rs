//! The folder of a trial.
//!
//! | file | holds |
//! | --- | --- |
//! | `trial.ron` | the [`Plan`]: conditions, seeds, what is measured |
//! | `scenes/CONDITION.ron` | the scene of each condition, with everything it refers to |
//! | `runs/CONDITION/seed-N/` | the run folder of each run |
//! | `runs/CONDITION/seed-N.log` | what the run says; whoever computes it holds its lock |
//! | `runs/CONDITION/seed-N.done` | that it is done: its last state and how long it took |
//!
//! All names in it are relative, so the folder can be moved, copied to other machines, and continued there. No link in it is
//! followed where runs lie, and what lies there is gone on with only if it is the run of the plan.

use std::collections::BTreeMap;
use std::fs::{self, File, FileType, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::TrialError;
use super::plan::{Condition, Plan, RunOf};
use crate::core::dialect::{dialect, read_ron};
use crate::core::files::{free_name, is_link, is_taken, read_plain, reopen_own, write_whole};
use crate::journal::checkpoint;
use crate::scene::ParsedScene;
use crate::scene::schema::Scene;

/// The file that says what the trial is.
pub const PLAN: &str = "trial.ron";
/// Bytes of the longest file of a trial that is read.
pub(super) const LONGEST: u64 = 1 << 30;
/// More than any run takes, s: a century.
const LONGEST_RUN: f64 = 3.2e9;

/// A trial in its folder.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The folder.
    pub folder: PathBuf,
    /// What it is.
    pub plan: Plan,
}

/// That a run is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// The hash of its last state, as `run` prints it.
    pub state: String,
    /// Whether what its condition expects came true.
    pub holds: bool,
    /// Time that its last process took, s.
    pub seconds: f64,
}

impl Done {
    /// Whether it says what a run can have said: a hash, and a time that one can take.
    fn can_be(&self) -> bool {
        (0.0..=LONGEST_RUN).contains(&self.seconds)
            && (1..=16).contains(&self.state.len())
            && self.state.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Nothing is there.
    Waiting,
    /// It has begun, and is not done.
    Begun,
    /// It is done.
    Done(Done),
}

impl Trial {
    /// Sets a trial up in a folder, or opens it again where the same one lies there already. Where setting it up was cut short,
    /// that is taken up.
    ///
    /// # Errors
    /// When the folder holds another trial or anything else, or cannot be written.
    pub fn create(folder: &Path, plan: Plan, scenes: &[ParsedScene]) -> Result<Self, TrialError> {
        let trial = Self {
            folder: folder.to_owned(),
            plan,
        };
        let texts: Vec<String> = scenes
            .iter()
            .map(|scene| scene.to_ron(trial.plan.seeds.first().copied().unwrap_or(1)))
            .collect::<Result<_, _>>()
            .map_err(TrialError::Asked)?;
        if is_taken(&folder.join(PLAN)) {
            let found = Self::open(folder)?;
            found.compare(&trial.plan, &texts)?;
            return Ok(found);
        }
        if is_taken(folder) && !trial.is_set_up_in_part(&texts) {
            return Err(TrialError::Asked(format!(
                "`{}` is there already and holds no trial; choose another folder with --out",
                folder.display()
            )));
        }
        for name in ["scenes", "runs"] {
            let path = folder.join(name);
            fs::create_dir_all(&path).map_err(TrialError::io("make", path))?;
        }
        for (condition, text) in trial.plan.conditions.iter().zip(&texts) {
            let path = folder.join(scene_file(condition));
            write_whole(&path, text.as_bytes()).map_err(TrialError::io("write", path))?;
        }
        // Last: a folder with a plan is whole.
        let text = dialect()
            .to_string_pretty(&trial.plan, ron::ser::PrettyConfig::new().depth_limit(4))
            .map_err(|error| TrialError::Asked(error.to_string()))?;
        let path = folder.join(PLAN);
        let text = format!("// A trial: tumorscape trial FOLDER goes on with it.\n{text}\n");
        write_whole(&path, text.as_bytes()).map_err(TrialError::io("write", path))?;
        Ok(trial)
    }

    /// Opens a trial that lies in a folder.
    ///
    /// # Errors
    /// When there is none, or its plan is not one.
    pub fn open(folder: &Path) -> Result<Self, TrialError> {
        let path = folder.join(PLAN);
        if !is_taken(&path) {
            return Err(TrialError::None(folder.to_owned()));
        }
        let plan: Plan = read_written(&path)?;
        let damaged = |what| TrialError::Damaged { path, what };
        plan.check().map_err(damaged)?;
        let trial = Self {
            folder: folder.to_owned(),
            plan,
        };
        for condition in 0..trial.plan.conditions.len() {
            trial.inside(&trial.runs_folder(condition))?;
        }
        Ok(trial)
    }

    /// Whether its folder holds nothing but what setting it up makes before the plan: no run yet, and no scene but its own.
    fn is_set_up_in_part(&self, texts: &[String]) -> bool {
        let scenes: BTreeMap<PathBuf, &String> = (self.plan.conditions.iter().zip(texts))
            .map(|(condition, text)| (self.folder.join(scene_file(condition)), text))
            .collect();
        // A file that was not swapped in any more.
        let is_part = |path: &Path, kind: FileType| {
            kind.is_file() && path.extension().is_some_and(|end| end == "part")
        };
        let is_scene = |path: &Path, kind: FileType| {
            let found = scenes.get(path).filter(|_| kind.is_file());
            found.is_some_and(|text| {
                read_plain(path, LONGEST).is_ok_and(|bytes| bytes == text.as_bytes())
            })
        };
        holds_only(&self.folder, |path, kind| {
            let is_folder = |name: &str| kind.is_dir() && path.ends_with(name);
            is_part(path, kind)
                || is_folder("runs") && holds_only(path, |_, _| false)
                || is_folder("scenes")
                    && holds_only(path, |path, kind| {
                        is_part(path, kind) || is_scene(path, kind)
                    })
        })
    }

    /// A place of a run in the folder.
    ///
    /// # Errors
    /// When a link lies on the way to it: where that leads nothing is the trial's.
    pub(super) fn inside(&self, relative: &Path) -> Result<PathBuf, TrialError> {
        let mut path = self.folder.clone();
        for part in relative {
            path.push(part);
            if is_link(&path) {
                let what = "it is a link, which is not followed".into();
                return Err(TrialError::Damaged { path, what });
            }
        }
        Ok(path)
    }

    /// Makes sure that this is the trial of that plan and these scenes.
    fn compare(&self, plan: &Plan, texts: &[String]) -> Result<(), TrialError> {
        let other = |what: &str| TrialError::Other {
            folder_path: self.folder.clone(),
            what: what.into(),
        };
        if self.plan.seeds != plan.seeds {
            return Err(other("of other seeds or another number of replicates"));
        }
        if self.plan != *plan {
            return Err(other("its plan, `trial.ron`, says something else"));
        }
        for (condition, text) in plan.conditions.iter().zip(texts) {
            let found = read_plain(&self.folder.join(scene_file(condition)), LONGEST);
            if found.is_ok_and(|found| found == text.as_bytes()) {
                continue;
            }
            return Err(other(&format!(
                "the scene of `{}` is another",
                condition.name
            )));
        }
        Ok(())
    }

    /// How far a run is.
    pub fn stage(&self, run: RunOf) -> Stage {
        if let Ok(path) = self.inside(&self.done_file(run))
            && let Ok(text) = read_plain(&path, 1 << 16)
            && let Ok(text) = String::from_utf8(text)
            && let Ok(done) = read_ron::<Done>(&text)
            && done.can_be()
        {
            return Stage::Done(done);
        }
        if is_taken(&self.folder.join(self.run_folder(run))) {
            return Stage::Begun;
        }
        Stage::Waiting
    }

    /// Notes that a run is done.
    pub(super) fn note_done(&self, run: RunOf, done: &Done) -> Result<(), TrialError> {
        let path = self.folder.join(self.done_file(run));
        let text = dialect()
            .to_string(done)
            .map_err(|error| TrialError::Asked(error.to_string()))?;
        write_whole(&path, text.as_bytes()).map_err(TrialError::io("write", path))
    }

    /// Whether a run that has begun left a checkpoint to go on from, of the scene, the seed and the end of the plan: somebody
    /// may have put another run there. Where no checkpoint can be read, whoever goes on from it says why.
    ///
    /// # Errors
    /// When the scene of its condition cannot be read.
    pub(super) fn can_resume(&self, run: RunOf) -> Result<bool, TrialError> {
        let folder = self.folder.join(self.run_folder(run));
        if !checkpoint::exists(&folder) {
            return Ok(false);
        }
        let Ok((checkpoint, _)) = checkpoint::open(&folder, |_| {}) else {
            return Ok(true);
        };
        let scene = scene_file(&self.plan.conditions[run.condition]);
        let mut scene: Scene = read_written(&self.folder.join(scene))?;
        scene.seed = self.plan.seeds[run.seed];
        let end = self.plan.until.unwrap_or(scene.duration);
        let run = checkpoint.run;
        let Ok(mut found) = read_ron::<Scene>(&run.scene) else {
            return Ok(false);
        };
        // Drugs that the scene itself does not give, but another arm, have fallen away where it was read.
        let are_known = found.drugs.iter().all(|drug| scene.drugs.contains(drug));
        found.drugs.clone_from(&scene.drugs);
        Ok(run.end_minutes == end.minutes() && are_known && found == scene)
    }

    /// Puts the folder of a run aside that ended before its first checkpoint, or is none of the plan.
    pub(super) fn put_aside(&self, run: RunOf) -> Result<(), TrialError> {
        let path = self.folder.join(self.run_folder(run));
        let aside =
            free_name(&path.with_file_name(format!("unfinished-{}", self.plan.seeds[run.seed])));
        fs::rename(&path, aside).map_err(TrialError::io("rename", path))
    }

    /// Takes the lock of a run and opens its log. `None` where another process has the lock.
    pub(super) fn claim(&self, run: RunOf) -> Result<Option<File>, TrialError> {
        self.inside(&self.run_folder(run))?;
        let of_condition = self.folder.join(self.runs_folder(run.condition));
        fs::create_dir_all(&of_condition).map_err(TrialError::io("make", of_condition))?;
        let path = self.folder.join(self.log_file(run));
        let file = match File::create_new(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => reopen_own(&path),
            made => made,
        };
        let file = file.map_err(TrialError::io("write", path))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            // A file system without locks is no reason not to run.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        Ok(Some(file))
    }

    /// The folder of the runs of a condition, relative to that of the trial.
    pub fn runs_folder(&self, condition: usize) -> PathBuf {
        Path::new("runs").join(&self.plan.conditions[condition].file)
    }

    /// The folder of a run, relative to that of the trial.
    pub fn run_folder(&self, run: RunOf) -> PathBuf {
        self.file_of(run, "")
    }

    /// What a run says, relative to the folder of the trial.
    pub fn log_file(&self, run: RunOf) -> PathBuf {
        self.file_of(run, ".log")
    }

    fn done_file(&self, run: RunOf) -> PathBuf {
        self.file_of(run, ".done")
    }

    fn file_of(&self, run: RunOf, end: &str) -> PathBuf {
        let seed = self.plan.seeds[run.seed];
        self.runs_folder(run.condition)
            .join(format!("seed-{seed}{end}"))
    }

    /// A run in words: its condition and its seed.
    pub fn name_of(&self, run: RunOf) -> String {
        let condition = &self.plan.conditions[run.condition];
        format!("{} (seed {})", condition.name, self.plan.seeds[run.seed])
    }
}

/// Reads a file of a trial that the program has written.
fn read_written<T: DeserializeOwned>(path: &Path) -> Result<T, TrialError> {
    let damaged = |what: String| TrialError::Damaged {
        path: path.to_owned(),
        what,
    };
    let text = read_plain(path, LONGEST).map_err(|error| damaged(error.to_string()))?;
    let text = String::from_utf8(text).map_err(|_| damaged("it is not a text".into()))?;
    read_ron(&text).map_err(|mistake| damaged(mistake.1.to_string()))
}

/// Whether all that a folder holds is of a kind.
fn holds_only(folder: &Path, is_of: impl Fn(&Path, FileType) -> bool) -> bool {
    fs::read_dir(folder).is_ok_and(|mut found| {
        found.all(|entry| {
            let kind = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)));
            kind.is_ok_and(|(path, kind)| is_of(&path, kind))
        })
    })
}

/// The scene of a condition, relative to the folder of the trial.
pub fn scene_file(condition: &Condition) -> PathBuf {
    Path::new("scenes").join(format!("{}.ron", condition.file))
}
