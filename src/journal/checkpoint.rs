//! A run put on disk, to go on from there to the same bits.
//!
//! A checkpoint is one file: a header (magic, format version, length and XXH3 checksum of what follows) and a
//! zstd stream of sections in the postcard format. The first is the [`RunState`], after its layout: program
//! and build, the scene with everything it refers to, so that a resumed run does not depend on files that may
//! have changed, the end, and the journal. The state of the world follows (`world_state`). A file of another build
//! whose layout differs is refused with the names of what differs, one of another build with the same layout is
//! warned about.
//!
//! A new file is written beside the old one, handed to the disk and swapped in by renaming; the one before is
//! kept. Whenever the machine stops, one whole checkpoint is there. A damaged file is recognised by its
//! checksum, put aside under another name, and the one before is used.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use super::books::JournalState;
use super::run_folder::RECORD;
use super::summed::{Sum, Summed};
use crate::core::files::{Unreadable, free_name, is_link, is_taken, read_plain, reopen_own};
use crate::core::layout::layout_of;
use crate::core::printable::shell_word;
use crate::measure::world_state::{Section, Unpacked, put, restore_world, write_world};
use crate::simulation::Simulation;

/// First bytes of every checkpoint.
const MAGIC: [u8; 8] = *b"TUMORSCP";
/// Version of the format; files of other versions are refused by name.
const VERSION: u32 = 2;
/// Magic, version, length and checksum.
const HEADER_BYTES: usize = 8 + 4 + 8 + 8;
/// Of them those that the checksum covers too.
const SUMMED_BYTES: usize = HEADER_BYTES - 8;
/// Bytes of the longest checkpoint that is read.
const LONGEST_FILE: u64 = 1 << 37;
/// zstd level: fast, and already small because columns of alike numbers lie together.
pub(super) const COMPRESSION: i32 = 1;
/// Name of the newest checkpoint in a run folder.
pub const NEWEST: &str = "checkpoint.tumorscape";
/// Name of the one before.
pub const BEFORE: &str = "checkpoint-before.tumorscape";

/// Name under which a damaged checkpoint is put aside.
const DAMAGED: &str = "checkpoint-damaged.tumorscape";

/// Whether there is a checkpoint in a folder, whole or not.
pub fn exists(folder: &Path) -> bool {
    [NEWEST, BEFORE]
        .iter()
        .any(|name| is_taken(&folder.join(name)))
}

/// Why there is no checkpoint to go on from, or none could be written.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The operating system refused.
    #[error("cannot {verb} `{}`: {source}", path.display())]
    Io {
        /// What it was asked to do.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not a whole checkpoint of this version.
    #[error("`{}` {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, in words.
        what: String,
    },
    /// The file was written by a program with another format.
    #[error(
        "`{}` is of format version {found}; this program reads version {VERSION}: resume with the version of the program that wrote it",
        path.display()
    )]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// The file is whole, but holds other things than this program keeps.
    #[error(
        "`{}` was written by another build of this program, and this one cannot read it: {what}; resume with the program \
         that wrote it",
        path.display()
    )]
    OtherBuild {
        /// The file.
        path: PathBuf,
        /// What differs, in words.
        what: String,
    },
    /// There is no newest, only the one before.
    #[error(
        "`{}` is missing (it was removed, or the run was stopped just when it was to be replaced)",
        .0.display()
    )]
    Missing(PathBuf),
    /// Neither the newest nor the one before can be used.
    #[error(
        "{newest}; {before}. To start the run anew: tumorscape run {} --out OTHER_FOLDER",
        shell_word(&folder.join(RECORD))
    )]
    NoneWhole {
        /// The run folder.
        folder: PathBuf,
        /// What is wrong with the newest.
        newest: Box<CheckpointError>,
        /// What is wrong with the one before.
        before: Box<CheckpointError>,
    },
    /// There is none.
    #[error(
        "`{folder}` holds no checkpoint, so there is nothing to resume: the run was started without \
         --checkpoint-every, or stopped before its first checkpoint. To start it anew: tumorscape run \
         {record} --out OTHER_FOLDER --checkpoint-every 6h",
        folder = .0.display(),
        record = shell_word(&.0.join(RECORD))
    )]
    None(PathBuf),
    /// It is no run folder.
    #[error(
        "`{}` is not a run folder: it has neither a checkpoint nor a `{RECORD}`. One is made by: tumorscape run SCENE --out \
         FOLDER --checkpoint-every 6h",
        .0.display()
    )]
    NoRun(PathBuf),
}

/// What a checkpoint holds besides the world.
#[derive(Debug, Serialize, Deserialize)]
pub struct RunState {
    /// Version of the program that wrote it.
    pub program: String,
    /// Its build, see [`build`].
    pub build: u64,
    /// The scene as its user named it.
    pub scene_name: String,
    /// The scene with everything it refers to and the seed, RON.
    pub scene: String,
    /// Tissue time at which the run ends, minutes.
    pub end_minutes: f64,
    /// Steps between two checkpoints.
    pub checkpoint_every: u64,
    /// The books of the run.
    pub journal: JournalState,
}

/// Writes a checkpoint into a run folder: beside the old one first, then swapped in. Returns its size, bytes.
///
/// # Errors
/// When it cannot be written; the old checkpoint is untouched then.
pub fn write(folder: &Path, run: &RunState, world: &World) -> Result<u64, CheckpointError> {
    let newest = folder.join(NEWEST);
    let before = folder.join(BEFORE);
    let fresh = folder.join(format!("{NEWEST}.part"));
    let refused = |path: &Path| {
        let path = path.to_owned();
        let verb = "write";
        move |source| CheckpointError::Io { verb, path, source }
    };
    for path in [&newest, &before] {
        if is_link(path) {
            let what = "it is a link, which this program has not made";
            return Err(refused(path)(io::Error::other(what)));
        }
    }
    let file = create_fresh(&fresh).map_err(refused(&fresh))?;
    let size = write_file(file, run, world).map_err(|source| {
        // A piece is of no use, and takes up room that may be what is short.
        let _absent = fs::remove_file(&fresh);
        refused(&newest)(source)
    })?;
    if newest.exists() {
        fs::rename(&newest, &before).map_err(refused(&before))?;
    }
    fs::rename(&fresh, &newest).map_err(refused(&newest))?;
    // The renaming itself reaches the disk with the folder; not every system can do that.
    if let Ok(folder) = File::open(folder) {
        let _unsupported = folder.sync_all();
    }
    Ok(size)
}

/// Makes the file of a checkpoint that is being written. What a run that was killed left there is replaced, but nothing
/// else.
fn create_fresh(path: &Path) -> io::Result<File> {
    match File::create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => return other,
    }
    let mut start = [0; HEADER_BYTES];
    let mut left = reopen_own(path)?;
    let length = left.read(&mut start)?;
    let is_begun = start[..length].iter().all(|byte| *byte == 0);
    if !is_begun && !start[..length].starts_with(&MAGIC) {
        return Err(io::Error::other(
            "it is there already, and this program has not made it",
        ));
    }
    fs::remove_file(path)?;
    File::create_new(path)
}

fn write_file(mut file: File, run: &RunState, world: &World) -> io::Result<u64> {
    file.write_all(&[0; HEADER_BYTES])?;
    let summed = Summed::new(BufWriter::new(file));
    let mut stream = zstd::Encoder::new(summed, COMPRESSION)?;
    put(&mut stream, &layout())?;
    put(&mut stream, run)?;
    write_world(&mut stream, world)?;
    let mut summed = stream.finish()?;
    summed.flush()?;
    let Sum { bytes, checksum } = summed.sum();
    let mut file = summed
        .into_inner()
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&bytes.to_le_bytes());
    let checksum = checksum ^ xxh3_64(&header);
    header.extend_from_slice(&checksum.to_le_bytes());
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&header)?;
    file.sync_all()?;
    Ok(HEADER_BYTES as u64 + bytes)
}

/// An opened checkpoint: what the run was, and the state of its world, still packed.
pub struct Checkpoint {
    path: PathBuf,
    /// The run.
    pub run: RunState,
    rest: Unpacked,
}

/// A checkpoint that turned out damaged beside a whole one, to be put aside by [`put_aside`].
#[derive(Debug, Default)]
#[must_use]
pub struct Damage(Option<PathBuf>);

/// The newest whole checkpoint of a folder; `warn` is told if that is not the newest there should be. Nothing is
/// changed.
///
/// # Errors
/// When there is none, none is whole, or the newest cannot be read.
pub fn open(
    folder: &Path,
    mut warn: impl FnMut(&CheckpointError),
) -> Result<(Checkpoint, Damage), CheckpointError> {
    let newest = folder.join(NEWEST);
    let absent = |error: &CheckpointError| match error {
        CheckpointError::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
        _ => false,
    };
    let trouble = match Checkpoint::open(&newest) {
        Ok(checkpoint) => return Ok((checkpoint, Damage(None))),
        Err(error) if absent(&error) => CheckpointError::Missing(newest.clone()),
        Err(damage @ CheckpointError::Damaged { .. }) => damage,
        Err(error) => return Err(error),
    };
    let damaged = matches!(trouble, CheckpointError::Damaged { .. });
    match Checkpoint::open(&folder.join(BEFORE)) {
        Ok(checkpoint) => {
            warn(&trouble);
            Ok((checkpoint, Damage(damaged.then_some(newest))))
        }
        Err(error) if absent(&error) && damaged => Err(trouble),
        Err(error) if absent(&error) => Err(if folder.join(RECORD).exists() {
            CheckpointError::None(folder.to_owned())
        } else {
            CheckpointError::NoRun(folder.to_owned())
        }),
        Err(error) => Err(CheckpointError::NoneWhole {
            folder: folder.to_owned(),
            newest: trouble.into(),
            before: error.into(),
        }),
    }
}

/// Puts a damaged checkpoint out of the way, or the next one written would push the good one out. Its new name,
/// if there is one.
///
/// # Errors
/// When it cannot be renamed.
pub fn put_aside(damage: Damage) -> Result<Option<PathBuf>, CheckpointError> {
    let Some(path) = damage.0 else {
        return Ok(None);
    };
    let aside = free_name(&path.with_file_name(DAMAGED));
    match fs::rename(&path, &aside) {
        Ok(()) => Ok(Some(aside)),
        Err(source) => Err(CheckpointError::Io {
            verb: "write",
            path: aside,
            source,
        }),
    }
}

impl Checkpoint {
    /// Opens a file whose checksum is right.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let bytes = read_plain(path, LONGEST_FILE).map_err(|error| CheckpointError::Io {
            verb: "read",
            path: path.to_owned(),
            source: match error {
                Unreadable::Io(source) => source,
                other => io::Error::other(other.to_string()),
            },
        })?;
        let damaged = |what: String| CheckpointError::Damaged {
            path: path.to_owned(),
            what,
        };
        let found = check_header(&bytes).map_err(damaged)?;
        if found != u64::from(VERSION) {
            let path = path.to_owned();
            return Err(CheckpointError::OtherVersion { path, found });
        }
        let mut packed = io::Cursor::new(bytes.into_boxed_slice());
        packed.set_position(HEADER_BYTES as u64);
        let mut rest = Unpacked::new(packed).map_err(damaged)?;
        let empty = || damaged("is damaged: it is empty".into());
        let found: String = rest.take().map_err(damaged)?.ok_or_else(empty)?;
        if found != layout() {
            return Err(CheckpointError::OtherBuild {
                path: path.to_owned(),
                what: format!("it describes a run as {}, not {found}", layout()),
            });
        }
        let run = rest.take().map_err(damaged)?.ok_or_else(empty)?;
        Ok(Self {
            path: path.to_owned(),
            run,
            rest,
        })
    }

    /// The error that says why it cannot be used by this program.
    pub fn does_not_fit(&self, why: &dyn std::fmt::Display) -> CheckpointError {
        CheckpointError::OtherBuild {
            path: self.path.clone(),
            what: why.to_string(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the state to a world that has the scene's sites but no cells; `room` is what those may take, bytes.
    ///
    /// # Errors
    /// When the state does not fit the world: an unknown parameter or component, another grid.
    pub fn restore(self, world: &mut World, room: u64) -> Result<RunState, CheckpointError> {
        let Self {
            path,
            run,
            mut rest,
        } = self;
        rest.allow(room);
        match restore_world(&mut rest, world) {
            Ok(()) => Ok(run),
            Err(what) => Err(CheckpointError::OtherBuild { path, what }),
        }
    }
}

/// The layout of what comes before the state of the world, and of its sections.
fn layout() -> String {
    layout_of::<(RunState, Section)>()
}

/// The build of this program: the checksum of its file, by which two builds of one version are told apart; 0 where
/// it cannot be read.
pub fn build() -> u64 {
    static BUILD: OnceLock<u64> = OnceLock::new();
    *BUILD.get_or_init(|| {
        std::env::current_exe()
            .and_then(File::open)
            .and_then(|program| Summed::after(program, u64::MAX))
            .map_or(0, |program| program.sum().checksum)
    })
}

/// Checks that a file is a whole checkpoint of its version, which is returned.
fn check_header(bytes: &[u8]) -> Result<u64, String> {
    let Some((header, packed)) = bytes.split_at_checked(HEADER_BYTES) else {
        return Err("is cut off: its header is not whole".into());
    };
    if header[..8] != MAGIC {
        return Err("is not a checkpoint".into());
    }
    let number = |at: usize, bytes: usize| {
        let mut eight = [0; 8];
        eight[..bytes].copy_from_slice(&header[at..at + bytes]);
        u64::from_le_bytes(eight)
    };
    let version = number(8, 4);
    let (found, stated) = (packed.len() as u64, number(12, 8));
    if found < stated {
        return Err(format!("is cut off: {found} of {stated} bytes are there"));
    }
    if found > stated {
        return Err(format!(
            "is damaged: {found} bytes are there, it states {stated}"
        ));
    }
    if xxh3_64(packed) ^ xxh3_64(&header[..SUMMED_BYTES]) != number(SUMMED_BYTES, 8) {
        return Err("is damaged: its checksum does not match".into());
    }
    Ok(version)
}

/// What a simulation needs to be set up again, besides the state of its world.
///
/// # Errors
/// When the scene cannot be written as text.
pub fn run_state(
    simulation: &Simulation,
    checkpoint_every: u64,
    journal: JournalState,
) -> Result<RunState, String> {
    let scene = simulation.scene();
    Ok(RunState {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        build: build(),
        scene_name: scene.name.clone(),
        scene: scene.to_ron(simulation.seed())?,
        end_minutes: simulation.end_minutes(),
        checkpoint_every,
        journal,
    })
}
