//! A run put on disk, to go on from there to the same bits.
//!
//! A checkpoint is one file: a header (magic, version, length and XXH3 checksum of what follows) and a
//! zstd-compressed body in the postcard format. The body holds the resolved scene with its cell types, so a
//! resumed run does not depend on files that may have changed; the clock, the random key and the counter of
//! identities; all parameters; the host vessels, field values and bonds of each site; and one column for each
//! component in [`StateRegistry`], cells in the order of identity.
//!
//! A new file is written beside the old one, handed to the disk and swapped in by renaming; the one before is
//! kept. Whenever the machine stops, one whole checkpoint is there. A damaged file is recognised by its
//! checksum and the one before is used.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use bevy::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use super::hash::cells_by_identity;
use crate::cell::movement::SiteMechanics;
use crate::core::state::StateRegistry;
use crate::core::{CellId, CellIdCounter, Clock};
use crate::tissue::transport::HostVessels;
use crate::tissue::{FieldValues, Sites};

/// First bytes of every checkpoint.
const MAGIC: [u8; 8] = *b"TUMORSCP";
/// Version of the format; files of other versions are refused by name.
const VERSION: u32 = 1;
/// Magic, version, length, checksum.
const HEADER_BYTES: usize = 8 + 4 + 8 + 8;
/// zstd level: fast, and already small because columns of alike numbers lie together.
const COMPRESSION: i32 = 1;

/// Name of the newest checkpoint in a run folder.
pub const NEWEST: &str = "checkpoint.tumorscape";
/// Name of the one before.
pub const BEFORE: &str = "checkpoint-before.tumorscape";

/// Why there is no checkpoint to go on from, or none could be written.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The operating system refused.
    #[error("cannot use `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not a whole checkpoint of this version.
    #[error("`{}` {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, in words.
        what: String,
    },
    /// There is none.
    #[error(
        "`{}` holds no checkpoint; start the run with `--checkpoint-every 6h` to be able to resume it",
        .0.display()
    )]
    None(PathBuf),
}

/// The state of a world as plain data.
#[derive(Debug, Serialize, Deserialize)]
pub struct WorldState {
    clock: Clock,
    next_cell: u64,
    parameters: Vec<(String, f64)>,
    sites: Vec<SiteState>,
    cells: Vec<CellId>,
    columns: Vec<Column>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SiteState {
    host_vessels: Vec<f32>,
    /// By `Molecule as usize`; empty where the site has no such field.
    fields: Vec<Vec<f32>>,
    bonds: Vec<(CellId, CellId, f32, f32)>,
}

/// One component of all cells that have it.
#[derive(Debug, Serialize, Deserialize)]
struct Column {
    name: String,
    /// For each cell whether it has the component; empty if all have it.
    present: Vec<bool>,
    bytes: Vec<u8>,
}

impl WorldState {
    /// Copies the state out of a world, between two steps.
    pub fn of(world: &World) -> Self {
        let cells = cells_by_identity(world);
        let registry = world.resource::<StateRegistry>();
        let columns = registry
            .cells
            .iter()
            .map(|state| {
                let mut bytes = Vec::with_capacity(cells.len() * 8);
                let mut present: Vec<bool> = cells
                    .iter()
                    .map(|(_, entity)| (state.write)(world.entity(*entity), &mut bytes))
                    .collect();
                if present.iter().all(|has| *has) {
                    present = Vec::new();
                }
                Column { name: state.name.to_owned(), present, bytes }
            })
            .collect();
        let sites = world
            .resource::<Sites>()
            .list
            .iter()
            .map(|site| SiteState {
                host_vessels: world.get::<HostVessels>(site.entity).map_or_else(Vec::new, |v| v.0.clone()),
                fields: site
                    .fields
                    .iter()
                    .map(|field| {
                        field
                            .and_then(|field| world.get::<FieldValues>(field))
                            .map_or_else(Vec::new, |values| values.0.clone())
                    })
                    .collect(),
                bonds: world.get::<SiteMechanics>(site.entity).map_or_else(Vec::new, |mechanics| {
                    mechanics
                        .bonds
                        .iter()
                        .map(|bond| (bond.a, bond.b, bond.rest, bond.stiffness))
                        .collect()
                }),
            })
            .collect();
        Self {
            clock: *world.resource::<Clock>(),
            next_cell: world.resource::<CellIdCounter>().taken(),
            parameters: crate::core::parameters::list_parameters(world)
                .into_iter()
                .map(|parameter| (parameter.path, parameter.value))
                .collect(),
            sites,
            cells: cells.into_iter().map(|(id, _)| id).collect(),
            columns,
        }
    }

    /// Puts the state into a world that has the scene's sites but no cells.
    ///
    /// # Errors
    /// In words, when the state does not fit the world: an unknown parameter or component, another grid.
    pub fn restore(&self, world: &mut World) -> Result<(), String> {
        for (path, value) in &self.parameters {
            crate::core::parameters::set_parameter(world, path, *value).map_err(|error| error.to_string())?;
        }
        world.insert_resource(self.clock);
        world.insert_resource(CellIdCounter::starting_at(self.next_cell));
        let sites = world.resource::<Sites>().clone();
        if sites.list.len() != self.sites.len() {
            return Err("it has another number of sites than its scene".into());
        }
        for (site, state) in sites.list.iter().zip(&self.sites) {
            if let Some(mut vessels) = world.get_mut::<HostVessels>(site.entity) {
                same_length(vessels.0.len(), state.host_vessels.len())?;
                vessels.0.clone_from(&state.host_vessels);
            }
            for (field, stored) in site.fields.iter().zip(&state.fields) {
                if let Some(mut values) = field.and_then(|field| world.get_mut::<FieldValues>(field)) {
                    same_length(values.0.len(), stored.len())?;
                    values.0.clone_from(stored);
                }
            }
            if let Some(mut mechanics) = world.get_mut::<SiteMechanics>(site.entity) {
                for (a, b, rest, stiffness) in &state.bonds {
                    mechanics.bonds.add(*a, *b, *rest, *stiffness);
                }
            }
        }
        self.restore_cells(world)
    }

    fn restore_cells(&self, world: &mut World) -> Result<(), String> {
        let registry = world.resource::<StateRegistry>().clone();
        let states = self
            .columns
            .iter()
            .map(|column| {
                registry
                    .cells
                    .iter()
                    .find(|state| state.name == column.name)
                    .ok_or_else(|| format!("holds the component `{}`, which this program does not know", column.name))
            })
            .collect::<Result<Vec<_>, String>>()?;
        let mut left: Vec<&[u8]> = self.columns.iter().map(|column| column.bytes.as_slice()).collect();
        for (index, id) in self.cells.iter().enumerate() {
            let mut cell = world.spawn(*id);
            for ((column, state), bytes) in self.columns.iter().zip(&states).zip(&mut left) {
                if column.present.is_empty() || column.present.get(index).copied().unwrap_or(false) {
                    *bytes = (state.read)(&mut cell, bytes)
                        .ok_or_else(|| format!("ends inside the column `{}`", column.name))?;
                }
            }
        }
        Ok(())
    }
}

fn same_length(expected: usize, found: usize) -> Result<(), String> {
    if expected == found {
        Ok(())
    } else {
        Err(format!("has {found} voxels where its scene has {expected}"))
    }
}

/// Writes a checkpoint into a folder: beside the old one first, then swapped in.
///
/// # Errors
/// When it cannot be written; the old checkpoint is untouched then. Returns its size in bytes.
pub fn write<T: Serialize>(folder: &Path, body: &T) -> Result<u64, CheckpointError> {
    let (newest, before, fresh) =
        (folder.join(NEWEST), folder.join(BEFORE), folder.join(format!("{NEWEST}.part")));
    let refused = |path: &Path, source| CheckpointError::Io { path: path.to_owned(), source };
    let damaged = |what: String| CheckpointError::Damaged { path: fresh.clone(), what };
    let raw = postcard::to_stdvec(body).map_err(|error| damaged(format!("cannot be encoded: {error}")))?;
    let packed = zstd::bulk::compress(&raw, COMPRESSION).map_err(|source| refused(&fresh, source))?;
    let write_all = || {
        let mut file = File::create(&fresh)?;
        file.write_all(&MAGIC)?;
        file.write_all(&VERSION.to_le_bytes())?;
        file.write_all(&(raw.len() as u64).to_le_bytes())?;
        file.write_all(&xxh3_64(&packed).to_le_bytes())?;
        file.write_all(&packed)?;
        file.sync_all()
    };
    write_all().map_err(|source| refused(&fresh, source))?;
    if newest.exists() {
        fs::rename(&newest, &before).map_err(|source| refused(&before, source))?;
    }
    fs::rename(&fresh, &newest).map_err(|source| refused(&newest, source))?;
    Ok((HEADER_BYTES + packed.len()) as u64)
}

/// Reads the newest whole checkpoint of a folder; `warn` is told about damaged ones.
///
/// # Errors
/// When there is none, or none is whole.
pub fn read<T: for<'de> Deserialize<'de>>(folder: &Path, mut warn: impl FnMut(&CheckpointError)) -> Result<T, CheckpointError> {
    let mut last = CheckpointError::None(folder.to_owned());
    for name in [NEWEST, BEFORE] {
        let path = folder.join(name);
        if !path.exists() {
            continue;
        }
        match read_file(&path) {
            Ok(body) => return Ok(body),
            Err(error) => {
                warn(&error);
                last = error;
            }
        }
    }
    Err(last)
}

fn read_file<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, CheckpointError> {
    let refused = |source| CheckpointError::Io { path: path.to_owned(), source };
    let damaged = |what: &str| CheckpointError::Damaged { path: path.to_owned(), what: what.into() };
    let mut bytes = Vec::new();
    File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(refused)?;
    let Some((header, packed)) = bytes.split_at_checked(HEADER_BYTES) else {
        return Err(damaged("is cut off: its header is not whole"));
    };
    if header[..8] != MAGIC {
        return Err(damaged("is not a checkpoint"));
    }
    let number = |at: usize| {
        let mut eight = [0; 8];
        eight.copy_from_slice(&header[at..at + 8]);
        u64::from_le_bytes(eight)
    };
    let mut four = [0; 4];
    four.copy_from_slice(&header[8..12]);
    let version = u32::from_le_bytes(four);
    if version != VERSION {
        return Err(damaged(&format!(
            "is of format version {version}; this program reads version {VERSION}"
        )));
    }
    if xxh3_64(packed) != number(20) {
        return Err(damaged("is damaged: its checksum does not match"));
    }
    let length = usize::try_from(number(12)).map_err(|_| damaged("states an impossible length"))?;
    let raw = zstd::bulk::decompress(packed, length).map_err(|_| damaged("is damaged: it cannot be unpacked"))?;
    postcard::from_bytes(&raw).map_err(|error| damaged(&format!("cannot be decoded: {error}")))
}
