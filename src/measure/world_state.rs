//! The state of a world as a stream of sections, for a checkpoint.
//!
//! The layouts of all states come first, by which a file of another build is told from one that fits; then
//! everything that is registered in [`StateRegistry`] of the simulation, all parameters, everything of its sites and
//! its fields, and one column for each component of the cells, in the order of identity. Each piece is in the postcard format
//! with its length before it.

use std::io::{self, Read, Write};

use bevy::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::hash::{cells_by_identity, entities_of};
use crate::core::CellId;
use crate::core::parameters::{list_parameters, set_parameter};
use crate::core::state::{CellState, KeptState, Owner, StateRegistry};

/// Longest section that is believed, bytes.
const LONGEST_SECTION: u64 = 1 << 40;

/// What follows in the stream.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Section {
    /// Name and layout of every registered state.
    Layouts(Vec<(String, String)>),
    /// Path and value of every parameter.
    Parameters(Vec<(String, f64)>),
    /// A registered state of the site or field of that number, or of the simulation; its bytes follow.
    Kept {
        owner: u8,
        number: u32,
        name: String,
    },
    /// Identities of all cells, each as the difference from the one before.
    Cells(Vec<u64>),
    /// One component: which cells have it, unless all have, and then its bytes.
    Column { name: String, present: Vec<bool> },
}

/// Writes bytes with their number before them.
fn put_bytes(stream: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(&(bytes.len() as u64).to_le_bytes())?;
    stream.write_all(bytes)
}

/// Writes a value with its length before it.
pub(crate) fn put(stream: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    put_bytes(
        stream,
        &postcard::to_stdvec(value).map_err(io::Error::other)?,
    )
}

/// Name and layout of every state that this program registers.
fn layouts(registry: &StateRegistry) -> Vec<(String, String)> {
    let kept = registry.kept.iter().map(|state| (state.name, state.layout));
    let cells = registry
        .cells
        .iter()
        .map(|state| (state.name, state.layout));
    kept.chain(cells)
        .map(|(name, layout)| (name.to_owned(), layout()))
        .collect()
}

/// Compares the layouts of a file with those of this program, and says how they differ.
fn compare_layouts(found: &[(String, String)], known: &[(String, String)]) -> Result<(), String> {
    let of = |list: &[(String, String)], name: &str| {
        let entry = list.iter().find(|(known, _)| known == name);
        entry.map(|(_, layout)| layout.clone())
    };
    let mut differences = Vec::new();
    for (name, layout) in found {
        match of(known, name) {
            None => differences.push(format!("it does not know the state `{name}`")),
            Some(ours) if ours != *layout => {
                differences.push(format!("its `{name}` is {ours}, not {layout}"));
            }
            Some(_) => {}
        }
    }
    for (name, _) in known {
        if of(found, name).is_none() {
            differences.push(format!("the file lacks its state `{name}`"));
        }
    }
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences.join("; "))
    }
}

/// Writes a state of the simulation, or of every site or field that has it.
fn write_kept(stream: &mut impl Write, world: &World, state: &KeptState) -> io::Result<()> {
    for (number, entity) in entities_of(world, state) {
        let mut bytes = Vec::new();
        if (state.write)(world.entity(entity), &mut bytes) {
            let section = Section::Kept {
                owner: state.owner as u8,
                number,
                name: state.name.to_owned(),
            };
            put(stream, &section)?;
            put_bytes(stream, &bytes)?;
        }
    }
    Ok(())
}

/// Writes the state of a world.
pub(crate) fn write_world(stream: &mut impl Write, world: &World) -> io::Result<()> {
    put(stream, &Section::Layouts(layouts(world.resource())))?;
    // What belongs to the whole simulation comes first: some parameters exist only with it, as those of a rule
    // that a timeline added.
    let registry = world.resource::<StateRegistry>();
    let of_simulation = |state: &&KeptState| matches!(state.owner, Owner::Simulation);
    for state in registry.kept.iter().filter(of_simulation) {
        write_kept(stream, world, state)?;
    }
    let parameters = list_parameters(world)
        .into_iter()
        .map(|parameter| (parameter.path, parameter.value));
    put(stream, &Section::Parameters(parameters.collect()))?;
    for state in registry.kept.iter().filter(|state| !of_simulation(state)) {
        write_kept(stream, world, state)?;
    }
    let mut bytes = Vec::new();
    let cells = cells_by_identity(world);
    let mut last = 0;
    let identities = cells
        .iter()
        .map(|(id, _)| id.0 - std::mem::replace(&mut last, id.0));
    put(stream, &Section::Cells(identities.collect()))?;
    for state in &registry.cells {
        bytes.clear();
        let mut present: Vec<bool> = cells
            .iter()
            .map(|(_, entity)| (state.write)(world.entity(*entity), &mut bytes))
            .collect();
        if present.iter().all(|has| *has) {
            present.clear();
        }
        let name = state.name.to_owned();
        put(stream, &Section::Column { name, present })?;
        put_bytes(stream, &bytes)?;
    }
    Ok(())
}

/// The sections of a checkpoint as they come out of the packed file.
pub(crate) struct Unpacked(Box<dyn Read + Send>);

impl Unpacked {
    /// Unpacks from where the cursor stands.
    pub(crate) fn new(packed: io::Cursor<Box<[u8]>>) -> Result<Self, String> {
        let stream = zstd::Decoder::with_buffer(packed).map_err(cannot_be_unpacked)?;
        Ok(Self(Box::new(stream)))
    }

    /// The next piece; none at the end.
    fn bytes(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut length = [0; 8];
        let mut filled = 0;
        while filled < length.len() {
            match self
                .0
                .read(&mut length[filled..])
                .map_err(cannot_be_unpacked)?
            {
                0 if filled == 0 => return Ok(None),
                0 => return Err("is damaged: it ends inside a section".into()),
                read => filled += read,
            }
        }
        let length = u64::from_le_bytes(length);
        if length > LONGEST_SECTION {
            return Err("is damaged: a section states an impossible length".into());
        }
        let mut bytes = Vec::new();
        let read = (&mut self.0)
            .take(length)
            .read_to_end(&mut bytes)
            .map_err(cannot_be_unpacked)?;
        if read as u64 != length {
            return Err("is damaged: it ends inside a section".into());
        }
        Ok(Some(bytes))
    }

    pub(crate) fn take<T: DeserializeOwned>(&mut self) -> Result<Option<T>, String> {
        self.bytes()?
            .map(|bytes| {
                postcard::from_bytes(&bytes).map_err(|error| format!("cannot be decoded: {error}"))
            })
            .transpose()
    }

    /// The bytes that must follow a section.
    fn following(&mut self) -> Result<Vec<u8>, String> {
        self.bytes()?
            .ok_or_else(|| "is damaged: it ends inside a section".into())
    }
}

fn cannot_be_unpacked(error: io::Error) -> String {
    format!("is damaged: it cannot be unpacked ({error})")
}

/// A column of the cells, being read.
struct Column {
    state: CellState,
    present: Vec<bool>,
    bytes: Vec<u8>,
    read: usize,
}

impl Column {
    fn has(&self, cell: usize) -> bool {
        self.present.is_empty() || self.present.get(cell).copied().unwrap_or(false)
    }
}

/// Gives what follows to a world that has the scene's sites but no cells.
pub(crate) fn restore_world(from: &mut Unpacked, world: &mut World) -> Result<(), String> {
    let registry = world.resource::<StateRegistry>().clone();
    let unknown = |name: &str| format!("it does not know the state `{name}`");
    let mut missing: Vec<(Owner, u32, &'static str)> = registry
        .kept
        .iter()
        .flat_map(|state| {
            let entities = entities_of(world, state).into_iter();
            let world = &*world;
            // What a module inserts on the way need not be there.
            entities
                .filter(|(_, entity)| world.entity(*entity).contains_id(state.id))
                .map(|(number, _)| (state.owner, number, state.name))
        })
        .collect();
    let mut cells = Vec::new();
    let mut columns: Vec<Column> = Vec::new();
    while let Some(section) = from.take::<Section>()? {
        match section {
            Section::Layouts(found) => compare_layouts(&found, &layouts(&registry))?,
            Section::Parameters(parameters) => {
                for known in list_parameters(world) {
                    if parameters.iter().all(|(path, _)| *path != known.path) {
                        return Err(format!("the file lacks its parameter `{}`", known.path));
                    }
                }
                for (path, value) in parameters {
                    set_parameter(world, &path, value).map_err(|error| error.to_string())?;
                }
            }
            Section::Kept {
                owner,
                number,
                name,
            } => {
                let bytes = from.following()?;
                let state: &KeptState = registry
                    .kept
                    .iter()
                    .find(|state| state.name == name && state.owner as u8 == owner)
                    .ok_or_else(|| unknown(&name))?;
                let (_, entity) = entities_of(world, state)
                    .into_iter()
                    .find(|(at, _)| *at == number)
                    .ok_or_else(|| {
                        format!("the file has `{name}` of a site that its scene has not")
                    })?;
                (state.read)(&mut world.entity_mut(entity), &bytes)
                    .map_err(|what| format!("`{name}` of the file does not fit: {what}"))?;
                missing.retain(|known| *known != (state.owner, number, state.name));
            }
            Section::Cells(differences) => {
                cells = differences;
                let mut last = 0;
                for id in &mut cells {
                    last += *id;
                    *id = last;
                }
            }
            Section::Column { name, present } => {
                let bytes = from.following()?;
                let state = registry
                    .cells
                    .iter()
                    .find(|state| state.name == name)
                    .ok_or_else(|| unknown(&name))?;
                columns.push(Column {
                    state: state.clone(),
                    present,
                    bytes,
                    read: 0,
                });
            }
        }
    }
    if let Some((_, number, name)) = missing.first() {
        return Err(format!(
            "the file lacks the state `{name}` of number {number}"
        ));
    }
    if let Some(lacking) = registry
        .cells
        .iter()
        .find(|state| columns.iter().all(|column| column.state.name != state.name))
    {
        return Err(format!(
            "the file lacks the state `{}` of its cells",
            lacking.name
        ));
    }
    restore_cells(world, &cells, &mut columns)
}

fn restore_cells(world: &mut World, cells: &[u64], columns: &mut [Column]) -> Result<(), String> {
    // Cells with the same components as an earlier one start as its clone, in the right table at once.
    let mut kinds: Vec<(Vec<bool>, Entity)> = Vec::new();
    let mut signature = Vec::new();
    for (index, id) in cells.iter().enumerate() {
        signature.clear();
        signature.extend(columns.iter().map(|column| column.has(index)));
        let alike = kinds
            .iter()
            .find(|(known, _)| *known == signature)
            .map(|(_, entity)| *entity);
        let entity = match alike {
            Some(entity) => world.entity_mut(entity).clone_and_spawn(),
            None => world.spawn_empty().id(),
        };
        let mut cell = world.entity_mut(entity);
        for column in columns.iter_mut().filter(|column| column.has(index)) {
            let left = &column.bytes[column.read..];
            let rest = (column.state.read)(&mut cell, left).ok_or_else(|| {
                format!(
                    "the file has too little of `{}` for its cells",
                    column.state.name
                )
            })?;
            column.read = column.bytes.len() - rest.len();
        }
        cell.insert(CellId(*id));
        if alike.is_none() {
            kinds.push((signature.clone(), entity));
        }
    }
    let wrong = |column: &&Column| {
        let marks = column.present.len();
        column.read != column.bytes.len() || (marks > 0 && marks != cells.len())
    };
    columns.iter().find(wrong).map_or(Ok(()), |column| {
        Err(format!(
            "the file has more of `{}` than its cells",
            column.state.name
        ))
    })
}
