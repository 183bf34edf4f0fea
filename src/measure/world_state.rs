//! The state of a world as a stream of sections, for a checkpoint.
//!
//! The layouts of all states come first, by which a file of another build is told from one that fits; then
//! everything that is registered in [`StateRegistry`] of the simulation, all parameters, everything of its sites and
//! its fields, and one column for each component of the cells and of each population, in the order of identity. Each piece is in the postcard format
//! with its length before it.

use std::io::{self, Read, Write};

use bevy::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::hash::{cells_by_identity, entities_of};
use crate::cell::turnover::Transit;
use crate::core::parameters::{list_parameters, set_parameter};
use crate::core::state::{CellState, KeptState, Owner, PopulationState, StateRegistry};
use crate::core::{CellId, MemberId};
use crate::tissue::population::members_by_identity;

/// What any checkpoint may hold unpacked, bytes, however small its file is.
const ALWAYS_ALLOWED: u64 = 256 << 20;
/// How many times its packed size a checkpoint may hold unpacked, besides what its scene has room for. What cells are is
/// full of random numbers, and comes down to about a fifth.
const MOST_UNPACKED: u64 = 200;

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
    /// The same of all members of a population.
    Members {
        population: String,
        identities: Vec<u64>,
    },
    /// One component of the cells or members that came last: which have it, unless all have, and then its bytes.
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
    let members = registry.populations.iter().flat_map(|population| {
        let states = population.states.iter();
        states.map(|state| (format!("{}.{}", population.name, state.name), state.layout))
    });
    kept.chain(cells)
        .map(|(name, layout)| (name.to_owned(), layout))
        .chain(members)
        .map(|(name, layout)| (name, layout()))
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
    let cells = cells_by_identity(world);
    let cells: Vec<(u64, Entity)> = cells.iter().map(|(id, cell)| (id.0, *cell)).collect();
    put(stream, &Section::Cells(differences(&cells)))?;
    write_columns(stream, world, &cells, &registry.cells)?;
    for population in &registry.populations {
        let members = members_by_identity(world, population.mark);
        let members: Vec<(u64, Entity)> =
            members.iter().map(|(id, member)| (id.0, *member)).collect();
        let section = Section::Members {
            population: population.name.to_owned(),
            identities: differences(&members),
        };
        put(stream, &section)?;
        write_columns(stream, world, &members, &population.states)?;
    }
    Ok(())
}

/// Identities as differences, each from the one before.
fn differences(rows: &[(u64, Entity)]) -> Vec<u64> {
    let mut last = 0;
    let next = |(id, _): &(u64, Entity)| id - std::mem::replace(&mut last, *id);
    rows.iter().map(next).collect()
}

/// Writes a column for each state of these entities.
fn write_columns(
    stream: &mut impl Write,
    world: &World,
    rows: &[(u64, Entity)],
    states: &[CellState],
) -> io::Result<()> {
    let mut bytes = Vec::new();
    for state in states {
        bytes.clear();
        let mut present: Vec<bool> = rows
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

/// The sections of a checkpoint as they come out of the packed file. Whoever has written it: no more comes out than
/// what such a file can hold.
pub(crate) struct Unpacked {
    stream: Box<dyn Read + Send>,
    /// Bytes that may still come.
    allowed: u64,
}

impl Unpacked {
    /// Unpacks from where the cursor stands.
    pub(crate) fn new(packed: io::Cursor<Box<[u8]>>) -> Result<Self, String> {
        let length = packed.get_ref().len() as u64;
        let stream = zstd::Decoder::with_buffer(packed).map_err(cannot_be_unpacked)?;
        Ok(Self {
            stream: Box::new(stream),
            allowed: ALWAYS_ALLOWED.saturating_add(length.saturating_mul(MOST_UNPACKED)),
        })
    }

    /// Lets so many more bytes come: what a scene has room for, such as fields that are alike everywhere.
    pub(crate) const fn allow(&mut self, bytes: u64) {
        self.allowed = self.allowed.saturating_add(bytes);
    }

    /// The next piece; none at the end.
    fn bytes(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut length = [0; 8];
        let mut filled = 0;
        while filled < length.len() {
            match self
                .stream
                .read(&mut length[filled..])
                .map_err(cannot_be_unpacked)?
            {
                0 if filled == 0 => return Ok(None),
                0 => return Err("is damaged: it ends inside a section".into()),
                read => filled += read,
            }
        }
        let length = u64::from_le_bytes(length);
        if length > self.allowed {
            return Err("is damaged: a section states an impossible length".into());
        }
        self.allowed -= length;
        let mut bytes = Vec::new();
        let read = (&mut self.stream)
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

/// A column of the cells or of members, being read.
struct Column {
    state: CellState,
    present: Vec<bool>,
    bytes: Vec<u8>,
    read: usize,
}

impl Column {
    fn has(&self, row: usize) -> bool {
        self.present.is_empty() || self.present.get(row).copied().unwrap_or(false)
    }
}

/// The cells, or the members of a population, being read.
struct Rows {
    /// None for cells.
    population: Option<PopulationState>,
    identities: Vec<u64>,
    columns: Vec<Column>,
}

impl Rows {
    /// Those of a population, or cells, with identities given as differences.
    fn new(population: Option<PopulationState>, mut identities: Vec<u64>) -> Result<Self, String> {
        let mut last: u64 = 0;
        let are_distinct = identities.iter().skip(1).all(|more| *more > 0);
        for id in &mut identities {
            let Some(next) = last.checked_add(*id).filter(|_| are_distinct) else {
                return Err("is damaged: identities do not rise".into());
            };
            last = next;
            *id = last;
        }
        Ok(Self {
            population,
            identities,
            columns: Vec::new(),
        })
    }

    /// Whether they are the members of the population of that name.
    fn is_of(&self, population: &str) -> bool {
        let own = self.population.as_ref();
        own.is_some_and(|own| own.name == population)
    }

    fn whose(&self) -> String {
        match &self.population {
            None => "its cells".to_owned(),
            Some(population) => format!("its `{}`", population.name),
        }
    }

    /// The states of which there must be a column each.
    fn states<'a>(&'a self, registry: &'a StateRegistry) -> &'a [CellState] {
        match &self.population {
            None => &registry.cells,
            Some(population) => &population.states,
        }
    }

    fn restore(&mut self, world: &mut World) -> Result<(), String> {
        let rows = self.identities.len();
        let is_wrong =
            |column: &Column| !matches!(column.present.len(), 0) && column.present.len() != rows;
        if let Some(column) = self.columns.iter().find(|column| is_wrong(column)) {
            return Err(format!(
                "the file says of another number of cells whether they have `{}`",
                column.state.name
            ));
        }
        // Those with the same components as an earlier one start as its clone, in the right table at once.
        let mut kinds: Vec<(Vec<bool>, Entity)> = Vec::new();
        let mut signature = Vec::new();
        let whose = self.whose();
        let Self {
            population,
            identities,
            columns,
        } = self;
        for (row, id) in identities.iter().enumerate() {
            signature.clear();
            signature.extend(columns.iter().map(|column| column.has(row)));
            let alike = kinds
                .iter()
                .find(|(known, _)| *known == signature)
                .map(|(_, entity)| *entity);
            let entity = match alike {
                Some(entity) => world.entity_mut(entity).clone_and_spawn(),
                None => world.spawn_empty().id(),
            };
            let mut entity_mut = world.entity_mut(entity);
            for column in columns.iter_mut().filter(|column| column.has(row)) {
                let left = &column.bytes[column.read..];
                let rest = (column.state.read)(&mut entity_mut, left).ok_or_else(|| {
                    format!(
                        "the file has too little of `{}` for {whose}",
                        column.state.name
                    )
                })?;
                column.read = column.bytes.len() - rest.len();
            }
            match population {
                None => {
                    entity_mut.insert(CellId(*id));
                }
                Some(population) => {
                    entity_mut.insert(MemberId(*id));
                    (population.put_mark)(&mut entity_mut);
                }
            }
            if alike.is_none() {
                kinds.push((signature.clone(), entity));
            }
        }
        let rows = identities.len();
        let wrong = |column: &&Column| {
            let marks = column.present.len();
            column.read != column.bytes.len() || (marks > 0 && marks != rows)
        };
        columns.iter().find(wrong).map_or(Ok(()), |column| {
            Err(format!(
                "the file has more of `{}` than {whose}",
                column.state.name
            ))
        })
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
    let mut all: Vec<Rows> = Vec::new();
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
            Section::Cells(_) if all.iter().any(|rows| rows.population.is_none()) => {
                return Err("is damaged: it has cells twice".into());
            }
            Section::Members { population, .. }
                if all.iter().any(|rows| rows.is_of(&population)) =>
            {
                return Err(format!("is damaged: it has its `{population}` twice"));
            }
            Section::Cells(identities) => all.push(Rows::new(None, identities)?),
            Section::Members {
                population,
                identities,
            } => {
                let known = registry.populations.iter();
                let known = known.clone().find(|known| known.name == population);
                let known = known
                    .ok_or_else(|| format!("it does not know the population `{population}`"))?;
                all.push(Rows::new(Some(known.clone()), identities)?);
            }
            Section::Column { name, present } => {
                let bytes = from.following()?;
                let rows = all
                    .last_mut()
                    .ok_or("is damaged: it has a column of nothing")?;
                if rows.columns.iter().any(|column| column.state.name == name) {
                    return Err(format!("is damaged: it has `{name}` twice"));
                }
                let mut states = rows.states(&registry).iter();
                let state = states.find(|state| state.name == name).cloned();
                rows.columns.push(Column {
                    state: state.ok_or_else(|| unknown(&name))?,
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
    if all.iter().all(|rows| rows.population.is_some()) {
        return Err("the file lacks its cells".into());
    }
    for population in &registry.populations {
        let is_it = |rows: &Rows| {
            let known = rows.population.as_ref();
            known.is_some_and(|known| known.name == population.name)
        };
        if !all.iter().any(is_it) {
            return Err(format!("the file lacks its `{}`", population.name));
        }
    }
    for rows in &mut all {
        let lacks = |state: &&CellState| {
            let mut columns = rows.columns.iter();
            columns.all(|column| column.state.name != state.name)
        };
        if let Some(lacking) = rows.states(&registry).iter().find(lacks) {
            return Err(format!(
                "the file lacks the state `{}` of {}",
                lacking.name,
                rows.whose()
            ));
        }
        rows.restore(world)?;
    }
    Transit::settle(world)
}
