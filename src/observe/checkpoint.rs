//! A run put on disk, to go on from there to the same bits.
//!
//! A checkpoint is one file: a header (magic, format version, length and XXH3 checksum of what follows) and a
//! zstd stream of sections in the postcard format. The first section is the [`RunState`]: program version,
//! the resolved scene with its cell types and tables, so that a resumed run does not depend on files that may
//! have changed, the seed, the end, and the journal. The state of the world follows (`world_state`).
//!
//! A new file is written beside the old one, handed to the disk and swapped in by renaming; the one before is
//! kept. Whenever the machine stops, one whole checkpoint is there. A damaged file is recognised by its
//! checksum, put aside under another name, and the one before is used.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bevy::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::journal::JournalState;
use super::summed::{Sum, Summed};
use super::world_state::{Unpacked, put, restore_world, write_world};
use crate::scene::ParsedScene;
use crate::simulation::Simulation;

/// First bytes of every checkpoint.
const MAGIC: [u8; 8] = *b"TUMORSCP";
/// Version of the format; files of other versions are refused by name.
const VERSION: u32 = 1;
/// Magic, version, length and checksum of the stream.
const HEADER_BYTES: usize = 8 + 4 + 8 + 8;
/// zstd level: fast, and already small because columns of alike numbers lie together.
const COMPRESSION: i32 = 1;
/// Name of the newest checkpoint in a run folder.
pub const NEWEST: &str = "checkpoint.tumorscape";
/// Name of the one before.
pub const BEFORE: &str = "checkpoint-before.tumorscape";

/// Name under which a damaged checkpoint is put aside.
pub const DAMAGED: &str = "checkpoint-damaged.tumorscape";

/// Why there is no checkpoint to go on from, or none could be written.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The operating system refused.
    #[error("cannot use `{}`: {source}", path.display())]
    Io {
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
    /// There is none.
    #[error(
        "`{}` holds no checkpoint; a run writes them with `tumorscape run SCENE --checkpoint-every 6h`",
        .0.display()
    )]
    None(PathBuf),
}

/// What a checkpoint holds besides the world.
#[derive(Debug, Serialize, Deserialize)]
pub struct RunState {
    /// Version of the program that wrote it.
    pub program: String,
    /// The scene as its user named it.
    pub scene_name: String,
    /// The resolved scene, RON.
    pub scene: String,
    /// Seed of the random numbers.
    pub seed: u64,
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
        move |source| CheckpointError::Io { path, source }
    };
    let size = write_file(&fresh, run, world).map_err(refused(&fresh))?;
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

fn write_file(path: &Path, run: &RunState, world: &World) -> io::Result<u64> {
    let mut file = File::create(path)?;
    file.write_all(&[0; HEADER_BYTES])?;
    let summed = Summed::new(BufWriter::new(file));
    let mut stream = zstd::Encoder::new(summed, COMPRESSION)?;
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

/// The newest whole checkpoint of a folder; `warn` is told about a damaged one before it. Nothing is changed.
///
/// # Errors
/// When there is none, none is whole, or the newest cannot be read.
pub fn open(
    folder: &Path,
    mut warn: impl FnMut(&CheckpointError),
) -> Result<(Checkpoint, Damage), CheckpointError> {
    let newest = folder.join(NEWEST);
    let before = folder.join(BEFORE);
    let damage = match Checkpoint::open(&newest) {
        Ok(checkpoint) => return Ok((checkpoint, Damage(None))),
        // Between two renamings there is only the one before.
        Err(CheckpointError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
        Err(damage @ CheckpointError::Damaged { .. }) => Some(damage),
        Err(error) => return Err(error),
    };
    match (Checkpoint::open(&before), damage) {
        (Ok(checkpoint), Some(damage)) => {
            warn(&damage);
            Ok((checkpoint, Damage(Some(newest))))
        }
        (Ok(checkpoint), None) => Ok((checkpoint, Damage(None))),
        (Err(_), Some(damage)) => Err(damage),
        (Err(CheckpointError::Io { source, .. }), None)
            if source.kind() == io::ErrorKind::NotFound =>
        {
            Err(CheckpointError::None(folder.to_owned()))
        }
        (Err(error), None) => Err(error),
    }
}

/// Puts a damaged checkpoint out of the way, or the next one written would push the good one out.
///
/// # Errors
/// When it cannot be renamed.
pub fn put_aside(damage: Damage) -> Result<(), CheckpointError> {
    let Some(path) = damage.0 else {
        return Ok(());
    };
    let aside = path.with_file_name(DAMAGED);
    fs::rename(&path, &aside).map_err(|source| CheckpointError::Io {
        path: aside,
        source,
    })
}

impl Checkpoint {
    /// Opens a file whose checksum is right.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let bytes = fs::read(path).map_err(|source| CheckpointError::Io {
            path: path.to_owned(),
            source,
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
        let run = rest
            .take()
            .and_then(|run| run.ok_or_else(|| "is damaged: it is empty".to_owned()))
            .map_err(damaged)?;
        Ok(Self {
            path: path.to_owned(),
            run,
            rest,
        })
    }

    /// The scene of the run.
    ///
    /// # Errors
    /// When it is not one that this program knows.
    pub fn scene(&self) -> Result<ParsedScene, CheckpointError> {
        ParsedScene::from_ron(&self.run.scene_name, &self.run.scene)
            .map_err(|error| self.does_not_fit(&error))
    }

    /// The error that says why it cannot be used by this program.
    pub fn does_not_fit(&self, why: &dyn std::fmt::Display) -> CheckpointError {
        CheckpointError::Damaged {
            path: self.path.clone(),
            what: format!("does not fit this program: {why}"),
        }
    }

    /// Gives the state to a world that has the scene's sites but no cells.
    ///
    /// # Errors
    /// When the state does not fit the world: an unknown parameter or component, another grid.
    pub fn restore(self, world: &mut World) -> Result<RunState, CheckpointError> {
        let Self {
            path,
            run,
            mut rest,
        } = self;
        match restore_world(&mut rest, world) {
            Ok(()) => Ok(run),
            Err(what) => Err(CheckpointError::Damaged { path, what }),
        }
    }
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
    if xxhash_rust::xxh3::xxh3_64(packed) != number(20, 8) {
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
        scene_name: scene.name.clone(),
        scene: scene.to_ron()?,
        seed: simulation.seed(),
        end_minutes: simulation.end_minutes(),
        checkpoint_every,
        journal,
    })
}
