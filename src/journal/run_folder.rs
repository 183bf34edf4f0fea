//! The folder a run leaves behind.
//!
//! | file | holds |
//! | --- | --- |
//! | `run.ron` | the scene with everything it refers to and the seed: a scene file that gives the same run again |
//! | `metrics.csv` | a row for each measurement time and site; units are in the column names |
//! | `events.csv` | what happened to cells: `hours,site,kind,cell,other,x_um,y_um,z_um` |
//! | `clones.csv` | the living clones at each measurement time, where cells inherit; see `clone_table` |
//! | `cells_<hours>h.csv` | every cell at the times the scene asks for |
//! | `fields_<hours>h/` | every molecule of every site then, for NumPy and ParaView, see [`super::field_files`] |
//! | files of modules | what a module writes when the run ends, see [`crate::core::run_file`] |
//! | `checkpoint.tumorscape` | everything the run needs to go on, if checkpoints were asked for |
//! | `checkpoint-before.tumorscape` | the checkpoint before that one |
//!
//! Files are written as the run goes, so a run that is stopped keeps what was computed. `run.ron` comes first
//! and whole. A folder that already holds a run is not overwritten.

mod moments;

use std::fs::{self, File, TryLockError};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use moments::files_to_come;

use super::cell_table::name_of;
use super::checkpoint::{BEFORE, NEWEST};
use super::clone_table;
use super::record::write_record;
use super::summed::{Sum, Summed};
use crate::cell::EventRecord;
use crate::core::Clock;
use crate::core::files::{
    Unreadable, is_link, is_taken, numbered_names, read_plain, reopen_own, write_whole,
};
use crate::core::printable::shell_word;
use crate::core::run_file::{RunFile, RunFiles};
use crate::measure::metrics;
use crate::simulation::{Simulation, SiteMetrics};

pub use super::record::RECORD;

/// A run folder that cannot be made or written.
#[derive(Debug, Error)]
pub enum RunFolderError {
    /// There is a run in it already.
    #[error(
        "`{folder}` already holds a run (it has a `run.ron`); choose another folder with --out{}",
        if super::checkpoint::exists(.0) {
            format!(", remove it, or go on with that run: tumorscape resume {}", shell_word(.0))
        } else {
            " or remove it".into()
        },
        folder = .0.display()
    )]
    Occupied(PathBuf),
    /// There is a file where the folder, or a file of it, is to be.
    #[error("`{}` is there already and is not overwritten; choose another folder with --out", .0.display())]
    InTheWay(PathBuf),
    /// `run.ron` says something else than the checkpoint.
    #[error(
        "`{record}` is not the scene that this run began with, and a run that has begun cannot be changed: put the \
         file back, or remove it and it is written again; to simulate what it says now: tumorscape run {}",
        shell_word(.0),
        record = .0.display()
    )]
    Edited(PathBuf),
    /// The operating system refused.
    #[error("cannot write `{}`: {source}", path.display())]
    Io {
        /// What was to be written.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file is not what the checkpoint says it was.
    #[error(
        "`{}` {what} since the checkpoint was written: the run cannot be continued without a gap; put the file back, or start the run anew",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// What was done to it, in words.
        what: String,
    },
    /// A file was taken away under the hands of the run that writes it.
    #[error(
        "`{}` {what} while the run was writing it, so rows of it are lost",
        path.display()
    )]
    Lost {
        /// The file.
        path: PathBuf,
        /// What was done to it, in words.
        what: String,
    },
    /// Somebody else is writing.
    #[error("`{}` is in use: another process is running in this folder", .0.display())]
    InUse(PathBuf),
}

/// How far the files of a run folder were written.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct FolderState {
    metrics: Sum,
    events: Sum,
    /// Where there can be clones.
    clones: Option<Sum>,
}

/// A table that grows as the run goes.
type Table = BufWriter<Summed<File>>;

/// Bytes of the longest `run.ron` that is read again: it lists every cell of a list.
const LONGEST_RECORD: u64 = 4 << 30;

const METRICS: &str = "metrics.csv";
const EVENTS: &str = "events.csv";
const CLONES: &str = "clones.csv";
/// What a run writes itself besides its record.
const OURS: [&str; 5] = [METRICS, EVENTS, CLONES, NEWEST, BEFORE];

/// An open run folder.
pub struct RunFolder {
    path: PathBuf,
    metrics: Table,
    events: Table,
    /// Where there can be clones.
    clones: Option<Table>,
}

impl RunFolder {
    /// Makes the folder and its files; what cannot be made whole is not there.
    ///
    /// # Errors
    /// When the folder holds a run already, or cannot be written.
    pub fn create(path: &Path, simulation: &Simulation) -> Result<Self, RunFolderError> {
        if is_taken(&path.join(RECORD)) {
            return Err(RunFolderError::Occupied(path.to_owned()));
        }
        if is_taken(path) && !path.is_dir() {
            return Err(RunFolderError::InTheWay(path.to_owned()));
        }
        let ours = OURS.map(|name| path.join(name));
        let of_modules = run_files(simulation);
        let of_modules: Vec<PathBuf> = of_modules.iter().map(|file| path.join(file.name)).collect();
        let to_come = files_to_come(path, simulation);
        if let Some(file) = ours
            .iter()
            .chain(&of_modules)
            .chain(&to_come)
            .find(|file| is_taken(file))
        {
            return Err(RunFolderError::InTheWay(file.clone()));
        }
        let is_new = !path.exists();
        fs::create_dir_all(path).map_err(|source| RunFolderError::Io {
            path: path.to_owned(),
            source,
        })?;
        let made = Self::begin(path, simulation);
        if made.is_err() && is_new {
            let _somebody_elses = fs::remove_dir(path);
        }
        made
    }

    /// Makes the first of the folders `NAME`, `NAME-2`, `NAME-3`... that nothing is called yet. Of several processes that
    /// ask for the same name at once each gets a folder of its own.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create_numbered(path: &Path, simulation: &Simulation) -> Result<Self, RunFolderError> {
        let refused = |path: &Path, source| RunFolderError::Io {
            path: path.to_owned(),
            source,
        };
        if let Some(parent) = path.parent().filter(|path| !path.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(|source| refused(parent, source))?;
        }
        for name in numbered_names(path) {
            match fs::create_dir(&name) {
                Ok(()) => {
                    return Self::begin(&name, simulation).inspect_err(|_| {
                        let _somebody_elses = fs::remove_dir(&name);
                    });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(refused(&name, source)),
            }
        }
        Err(RunFolderError::InTheWay(path.to_owned()))
    }

    /// Writes the record and makes the tables of a new run; what was made goes again where not all can be.
    fn begin(path: &Path, simulation: &Simulation) -> Result<Self, RunFolderError> {
        let mut made = Vec::new();
        Self::fill(path, simulation, &mut made).inspect_err(|_| {
            for file in &made {
                let _absent = fs::remove_file(file);
            }
        })
    }

    /// Makes the tables of a new run, and notes which files are there then.
    fn fill(
        path: &Path,
        simulation: &Simulation,
        made: &mut Vec<PathBuf>,
    ) -> Result<Self, RunFolderError> {
        write_record(path, simulation, false)?;
        made.push(path.join(RECORD));
        let mut create_table = |name: &str| {
            let file = path.join(name);
            let table = create(&file).map(|file| BufWriter::new(Summed::new(file)))?;
            made.push(file);
            Ok(table)
        };
        let mut folder = Self {
            path: path.to_owned(),
            metrics: create_table(METRICS)?,
            events: create_table(EVENTS)?,
            clones: clone_table::is_kept(simulation)
                .then(|| create_table(CLONES))
                .transpose()?,
        };
        folder.claim()?;
        if let Some(clones) = &mut folder.clones {
            let written = writeln!(clones, "{}", clone_table::header(simulation));
            written.map_err(|source| folder.failed(CLONES, source))?;
        }
        let columns = metrics::columns(simulation.world()).join(",");
        writeln!(folder.metrics, "hours,site,{columns}")
            .map_err(|source| folder.failed(METRICS, source))?;
        writeln!(folder.events, "hours,site,kind,cell,other,x_um,y_um,z_um")
            .map_err(|source| folder.failed(EVENTS, source))?;
        folder.flush()?;
        Ok(folder)
    }

    /// Makes sure that `run.ron`, if it is there, says what is simulated. Comments and layout are free.
    fn check_record(&self, simulation: &Simulation) -> Result<(), RunFolderError> {
        let edited = || RunFolderError::Edited(self.path.join(RECORD));
        let record = self.path.join(RECORD);
        if is_link(&record) {
            return Err(edited());
        }
        match read_plain(&record, LONGEST_RECORD) {
            Ok(bytes) => String::from_utf8(bytes)
                .ok()
                .and_then(|text| simulation.scene().another_from_ron(RECORD, &text).ok())
                .filter(|found| found.scene == simulation.scene().scene)
                .map(drop)
                .ok_or_else(edited),
            Err(Unreadable::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(Unreadable::Io(source)) => Err(self.failed(RECORD, source)),
            Err(_) => Err(edited()),
        }
    }

    /// Whether `run.ron` is there; somebody may have removed it.
    pub fn has_record(&self) -> bool {
        is_taken(&self.path.join(RECORD))
    }

    /// Writes `run.ron` again: because it is gone, or because the run is to end at another time.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn rewrite_record(&self, simulation: &Simulation) -> Result<(), RunFolderError> {
        write_record(&self.path, simulation, true)
    }

    /// Opens the folder again as it was at a checkpoint; what was written later is cut off, for it comes
    /// again.
    ///
    /// # Errors
    /// When a file is missing, changed or shorter than it was, is in use, or cannot be written.
    pub fn reopen(
        path: &Path,
        simulation: &Simulation,
        state: FolderState,
    ) -> Result<Self, RunFolderError> {
        let open = |name: &str, expected: Sum| {
            let path = path.join(name);
            let refused = |source: std::io::Error| match source.kind() {
                std::io::ErrorKind::NotFound => RunFolderError::Changed {
                    path: path.clone(),
                    what: "was removed".into(),
                },
                _ => RunFolderError::Io {
                    path: path.clone(),
                    source,
                },
            };
            let file = reopen_own(&path).map_err(refused)?;
            let table = Summed::after(file, expected.bytes).map_err(refused)?;
            let found = table.sum();
            if found == expected {
                return Ok(BufWriter::new(table));
            }
            let what = if found.bytes < expected.bytes {
                format!("was cut from {} to {} bytes", expected.bytes, found.bytes)
            } else {
                "was changed".into()
            };
            Err(RunFolderError::Changed { path, what })
        };
        let folder = Self {
            path: path.to_owned(),
            metrics: open(METRICS, state.metrics)?,
            events: open(EVENTS, state.events)?,
            clones: state.clones.map(|sum| open(CLONES, sum)).transpose()?,
        };
        folder.claim()?;
        folder.check_record(simulation)?;
        let sums = [Some(state.metrics), Some(state.events), state.clones];
        for ((name, table), sum) in folder.tables().zip(sums.into_iter().flatten()) {
            let file = table.get_ref().get_ref();
            file.set_len(sum.bytes)
                .map_err(|source| folder.failed(name, source))?;
        }
        Ok(folder)
    }

    /// Its tables with their names.
    fn tables(&self) -> impl Iterator<Item = (&'static str, &Table)> {
        let clones = self.clones.as_ref().map(|clones| (CLONES, clones));
        [(METRICS, &self.metrics), (EVENTS, &self.events)]
            .into_iter()
            .chain(clones)
    }

    /// Makes sure that nobody else writes here for as long as this process does.
    fn claim(&self) -> Result<(), RunFolderError> {
        match self.events.get_ref().get_ref().try_lock() {
            Err(TryLockError::WouldBlock) => Err(RunFolderError::InUse(self.path.clone())),
            // A file system without locks is no reason not to run.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
        }
    }

    /// How far its files are written; all of that is on the disk.
    ///
    /// # Errors
    /// When a file cannot be written, or somebody removed or replaced it.
    pub fn state(&mut self) -> Result<FolderState, RunFolderError> {
        self.flush()?;
        for (name, table) in self.tables() {
            self.check_there(name, table)?;
        }
        let look = |name: &str, table: &Table| {
            let table = table.get_ref();
            table
                .get_ref()
                .sync_data()
                .map(|()| table.sum())
                .map_err(|source| self.failed(name, source))
        };
        Ok(FolderState {
            metrics: look(METRICS, &self.metrics)?,
            events: look(EVENTS, &self.events)?,
            clones: self
                .clones
                .as_ref()
                .map(|clones| look(CLONES, clones))
                .transpose()?,
        })
    }

    /// Makes sure, at the end of a run, that its tables are whole: every byte of them where the system lets it be
    /// read while it is locked.
    ///
    /// # Errors
    /// When a table cannot be written, or somebody removed, replaced or changed it.
    pub fn close(&mut self) -> Result<(), RunFolderError> {
        self.flush()?;
        for (name, table) in self.tables() {
            self.check_there(name, table)?;
            if cfg!(unix) {
                let written = table.get_ref().sum();
                let found = File::open(self.path.join(name))
                    .and_then(|file| Summed::after(file, written.bytes))
                    .map_err(|source| self.failed(name, source))?
                    .sum();
                if found != written {
                    return Err(self.lost(name, "was changed"));
                }
            }
        }
        Ok(())
    }

    /// Makes sure that the file of a name still is the one that is written, and as long as it was written.
    fn check_there(&self, name: &str, table: &Table) -> Result<(), RunFolderError> {
        let table = table.get_ref();
        let found = match fs::metadata(self.path.join(name)) {
            Ok(found) => found,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(self.lost(name, "was removed"));
            }
            Err(source) => return Err(self.failed(name, source)),
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let ours = table
                .get_ref()
                .metadata()
                .map_err(|source| self.failed(name, source))?;
            if (ours.dev(), ours.ino()) != (found.dev(), found.ino()) {
                return Err(self.lost(name, "was replaced by another file"));
            }
        }
        let (written, found) = (table.sum().bytes, found.len());
        if found == written {
            return Ok(());
        }
        Err(self.lost(name, format!("was changed from {written} to {found} bytes")))
    }

    fn lost(&self, file: &str, what: impl Into<String>) -> RunFolderError {
        RunFolderError::Lost {
            path: self.path.join(file),
            what: what.into(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, file: &str, source: std::io::Error) -> RunFolderError {
        RunFolderError::Io {
            path: self.path.join(file),
            source,
        }
    }

    /// Appends one measurement of every site.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_metrics(
        &mut self,
        hours: f64,
        sites: &[&str],
        metrics: &[SiteMetrics],
    ) -> Result<(), RunFolderError> {
        let mut write = || {
            for (site, metrics) in sites.iter().zip(metrics) {
                write!(self.metrics, "{},{site}", Number(hours))?;
                for (_, value) in &metrics.columns {
                    write!(self.metrics, ",{}", Number(*value))?;
                }
                writeln!(self.metrics)?;
            }
            self.metrics.flush()
        };
        write().map_err(|source| self.failed(METRICS, source))
    }

    /// Appends the living clones, where there can be any.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_clones(&mut self, simulation: &Simulation) -> Result<(), RunFolderError> {
        let Some(clones) = &mut self.clones else {
            return Ok(());
        };
        let written = clone_table::write(clones, simulation);
        written.map_err(|source| self.failed(CLONES, source))
    }

    /// Appends the events of a step.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_events(
        &mut self,
        clock: &Clock,
        sites: &[&str],
        events: &[EventRecord],
    ) -> Result<(), RunFolderError> {
        let mut write = || {
            for event in events {
                let hours = event.step as f64 * clock.step_minutes / 60.0;
                let [x, y, z] = event.position_um.to_array();
                write!(
                    self.events,
                    "{},{},{},{},",
                    Number(hours),
                    name_of(sites, event.site),
                    event.kind.name(),
                    event.cell.0,
                )?;
                if let Some(other) = event.other {
                    write!(self.events, "{}", other.0)?;
                }
                if event.site.is_transit() {
                    writeln!(self.events, ",,,")?;
                } else {
                    writeln!(self.events, ",{x:.2},{y:.2},{z:.2}")?;
                }
            }
            Ok(())
        };
        write().map_err(|source| self.failed(EVENTS, source))
    }

    /// Writes the files of modules, each whole; those of an earlier end of the same run are replaced.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write_files_of_modules(&self, simulation: &Simulation) -> Result<(), RunFolderError> {
        for file in run_files(simulation) {
            if file.name == RECORD || OURS.contains(&file.name) {
                let source =
                    std::io::Error::other("a module wants to write what the run itself writes");
                return Err(self.failed(file.name, source));
            }
            if let Some(text) = file.text(simulation.world()) {
                let written = write_whole(&self.path.join(file.name), text.as_bytes());
                written.map_err(|source| self.failed(file.name, source))?;
            }
        }
        Ok(())
    }

    /// Hands everything to the operating system.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn flush(&mut self) -> Result<(), RunFolderError> {
        let clones = self.clones.as_mut().map(|clones| (CLONES, clones));
        let tables = [(METRICS, &mut self.metrics), (EVENTS, &mut self.events)];
        let flushed = tables.into_iter().chain(clones).map(|(name, table)| {
            let flushed = table.flush();
            flushed.map_err(|source| (name, source))
        });
        let flushed: Result<(), _> = flushed.collect();
        flushed.map_err(|(name, source)| self.failed(name, source))
    }
}

/// What modules write into the folder.
fn run_files(simulation: &Simulation) -> Vec<RunFile> {
    let files = simulation.world().get_resource::<RunFiles>();
    files.cloned().unwrap_or_default().0
}

fn create(path: &Path) -> Result<File, RunFolderError> {
    // Never over somebody's file.
    File::create_new(path).map_err(|source| RunFolderError::Io {
        path: path.to_owned(),
        source,
    })
}

/// A number as it is written in files: as short as possible, at most six decimals, empty when undefined.
pub(super) struct Number(pub f64);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.0.is_finite() {
            return Ok(());
        }
        let text = format!("{:.6}", self.0);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        f.write_str(if text == "-0" { "0" } else { text })
    }
}
