//! Works out the inputs of a step: the `Regulate` stage.
//!
//! Between `Perceive` and `Signal` the [`Rules`] of cell types and sites are applied to the bases of their inputs. All
//! quantities are read as the last step and `Perceive` left them, and nothing is written but [`InputValues`], so rules
//! may form a circle and the order of inputs does not matter. A piece of cells is worked out from its own rows alone:
//! results are the same bits at any number of threads. Cells without a rule on an input cost nothing.

use std::cell::RefCell;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::{Columns, tables_with};
use super::identity::CellId;
use super::in_transit::{InTransit, RegisterInTransit};
use super::input::{CellInput, InputValues, Inputs, TableValues, ValuesOfCells, declare, run_of};
use super::invariant::{Breach, RegisterInvariant};
use super::parallel::{ROWS, for_each_chunk_mut};
use super::parameters::{CellTypeNames, Entry, Numbers, ParameterRegistry, last_changed};
use super::quantity::{NONE, Quantities, Reader};
use super::rule::{BLOCK, Rule, RuleBook, RuleProgram, Scratch};
use super::state::{Owner, RegisterState, WhollyKept};
use super::{SimSchedule, SimSystems};

mod groundwork;
mod sites;

pub(super) use groundwork::Groundwork;
pub(super) use sites::SiteGroundwork;

/// The rules in force.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// Of each cell type, by index.
    pub of_types: Vec<RuleBook>,
    /// Of each site, in the order of the scene.
    pub of_sites: Vec<RuleBook>,
    /// Names of the sites, in the same order.
    pub sites: Vec<String>,
}

impl WhollyKept for Rules {}

/// Something done to the rules while a scene runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub enum RuleChange {
    /// A new rule, or another one in place of the one of that name.
    Add {
        /// Name of the cell type or site.
        of: String,
        /// Name of the rule.
        name: String,
        /// The rule.
        rule: Rule,
    },
    /// A rule counts so many times as much as it does: path (`"cancer.hypoxia_calls_vessels"`) and factor.
    Scale(String, f32),
    /// A rule is no more: path.
    Delete(String),
}

impl Rules {
    /// The book of a cell type or a site, if it has one.
    pub(super) fn book(&self, types: &CellTypeNames, of: &str) -> Option<&RuleBook> {
        match types.0.iter().position(|name| name == of) {
            Some(index) => self.of_types.get(index),
            None => {
                let index = self.sites.iter().position(|name| name == of)?;
                self.of_sites.get(index)
            }
        }
    }

    /// The book of a cell type or a site.
    fn book_mut(&mut self, types: &CellTypeNames, of: &str) -> Option<&mut RuleBook> {
        if let Some(index) = types.0.iter().position(|name| name == of) {
            if self.of_types.len() <= index {
                self.of_types.resize(index + 1, RuleBook::default());
            }
            return self.of_types.get_mut(index);
        }
        let index = self.sites.iter().position(|name| name == of)?;
        self.of_sites.get_mut(index)
    }

    /// The owner and the name of the rule with a path. Names of rules have no dots; those of sites may.
    pub fn owner_and_name(path: &str) -> Option<(&str, &str)> {
        path.rsplit_once('.')
    }

    /// A rule, by the path `OWNER.NAME`.
    pub fn find_mut(&mut self, types: &CellTypeNames, path: &str) -> Option<&mut Rule> {
        let (of, name) = Self::owner_and_name(path)?;
        self.book_mut(types, of)?.rules.get_mut(name)
    }

    /// Every rule with its path, types first.
    pub fn paths(&self, types: &CellTypeNames) -> Vec<String> {
        let of_types = types.0.iter().zip(&self.of_types);
        let of_sites = self.sites.iter().zip(&self.of_sites);
        of_types
            .chain(of_sites)
            .flat_map(|(of, book)| book.rules.keys().map(move |name| format!("{of}.{name}")))
            .collect()
    }

    /// Carries out a change; false where what it names is not there.
    pub fn change(&mut self, types: &CellTypeNames, change: &RuleChange) -> bool {
        match change {
            RuleChange::Add { of, name, rule } => match self.book_mut(types, of) {
                Some(book) => {
                    book.rules.insert(name.clone(), rule.clone());
                    true
                }
                None => false,
            },
            RuleChange::Scale(path, factor) => match self.find_mut(types, path) {
                Some(rule) => {
                    rule.scale_by(*factor);
                    true
                }
                None => false,
            },
            RuleChange::Delete(path) => {
                let found = Self::owner_and_name(path).and_then(|(of, name)| {
                    let book = self.book_mut(types, of)?;
                    book.rules.remove(name)
                });
                found.is_some()
            }
        }
    }
}

/// Adds the `Regulate` stage; doing so twice is harmless.
pub(super) fn plugin(app: &mut App) {
    if app.world().contains_resource::<Rules>() {
        return;
    }
    declare(app);
    register_numbers(app);
    app.init_resource::<Rules>()
        .declare_remade::<SitesInOrder>("made from the scene")
        .register_kept::<Rules>(Owner::Simulation, "rules")
        .while_in_transit(
            regulate,
            InTransit::Runs,
            "rules read what the cell is, and molecules at their background or as the organ that holds it has them",
        )
        .register_invariant(SimSystems::Regulate, "regulate", no_number)
        .add_systems(SimSchedule, regulate.in_set(SimSystems::Regulate));
}

/// Makes the rules of each cell type parameters, `cancer.rules.NAME.scale`. They are state of their own.
fn register_numbers(app: &mut App) {
    let mut registry = app.world_mut().get_resource_or_init::<ParameterRegistry>();
    registry.add(Entry {
        name: "rules",
        per_type: true,
        items: Some(|world, cell_type| {
            let book = world.get_resource::<Rules>();
            let book = book.and_then(|rules| rules.of_types.get(cell_type));
            book.map_or_else(Vec::new, |book| book.rules.keys().cloned().collect())
        }),
        get: |world, at| {
            let book = world.get_resource::<Rules>()?.of_types.get(at.cell_type)?;
            let rule = book.rules.values().nth(at.item)?;
            Some(rule.as_partial_reflect())
        },
        get_mut: |world, at| {
            let rules = world.get_resource_mut::<Rules>()?;
            let book = rules.of_types.get(at.cell_type)?;
            book.rules.values().nth(at.item)?;
            Some(rules.map_unchanged(|rules| {
                rules.of_types[at.cell_type]
                    .rules
                    .values_mut()
                    .nth(at.item)
                    .expect("presence was checked above")
                    .as_partial_reflect_mut()
            }))
        },
        changed: last_changed::<Rules>,
        copy_row: |_, _, _| {},
        contradicts: |_, _, _| false,
        limits: Rule::limits,
        choices: Vec::new(),
        fields: Numbers::Of(|value| {
            let rule = value.try_downcast_ref::<Rule>();
            let numbers = rule.map_or(&[][..], |rule| rule.law.numbers());
            let of_law = numbers.iter().map(|name| format!("law.{name}"));
            std::iter::once("scale".to_owned()).chain(of_law).collect()
        }),
    });
}

/// The index of the type of each cell, whatever component holds it.
///
/// Floor 1 says which one ([`RegisterTypes`]).
#[derive(Resource)]
pub struct TypesOfCells(Box<dyn for<'w> Fn(&Columns<'w>) -> Option<&'w [u16]> + Send + Sync>);

/// Says what component of a cell is the index of its type.
pub trait RegisterTypes {
    /// Registers the component; it is nothing but the index.
    fn register_types<C: Component + bytemuck::TransparentWrapper<u16>>(&mut self) -> &mut Self;
}

impl RegisterTypes for App {
    fn register_types<C: Component + bytemuck::TransparentWrapper<u16>>(&mut self) -> &mut Self {
        self.declare_remade::<TypesOfCells>(super::quantity::LISTED)
            .insert_resource(TypesOfCells(Box::new(|table| {
                Some(C::peel_slice(table.get::<C>()?))
            })))
    }
}

/// Works out all inputs.
fn regulate(world: &mut World) {
    world.resource_scope(|world, mut values: Mut<InputValues>| {
        let values = &mut *values;
        work_out_cells(world, values);
        sites::work_out(world, values);
    });
}

/// The inputs of cells.
fn work_out_cells(world: &World, values: &mut InputValues) {
    let InputValues {
        groundwork,
        cells,
        tables,
        ..
    } = values;
    if groundwork.is_outdated(world) {
        groundwork.make(world, cells);
    }
    let (Some(kinds), Some(known)) = (
        world.get_resource::<TypesOfCells>(),
        world.get_resource::<Quantities>(),
    ) else {
        tables.clear();
        return;
    };
    let mut used = 0;
    if !groundwork.programs.is_empty() {
        let readers: Vec<Option<Reader<f32>>> = groundwork
            .quantities
            .iter()
            .map(|place| Some(known.cells.get(*place)?.reader(world)))
            .collect();
        for table in tables_with::<CellId>(world) {
            let Some(rows) = (kinds.0)(&table) else {
                continue;
            };
            if tables.len() == used {
                tables.push(TableValues::default());
            }
            let to = &mut tables[used];
            if work_out_table(&table, rows, groundwork, cells, &readers, to) {
                used += 1;
            }
        }
    }
    tables.truncate(used);
}

/// What a thread works with.
struct Workspace {
    /// Values of all quantities in a block of rows.
    columns: Vec<f32>,
    scratch: Scratch,
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = const {
        RefCell::new(Workspace {
            columns: Vec::new(),
            scratch: [[0.0; BLOCK]; 2],
        })
    };
}

/// The cells of a block: rows of the tables of parameters, and the types these belong to.
struct Block<'a> {
    rows: &'a [u16],
    types: &'a [u16],
    /// The row that all cells have, if they have the same.
    row: Option<u16>,
    /// The type that all cells have, if they have the same.
    cell_type: Option<u16>,
}

impl<'a> Block<'a> {
    fn new(rows: &'a [u16], types: &'a [u16]) -> Self {
        let of = |row: &u16| types[usize::from(*row)];
        let (row, cell_type) = (rows[0], of(&rows[0]));
        Self {
            rows,
            types,
            row: rows.iter().all(|other| *other == row).then_some(row),
            cell_type: rows
                .iter()
                .all(|other| of(other) == cell_type)
                .then_some(cell_type),
        }
    }
}

/// Works out the inputs of the cells of a table; says whether any has a rule.
fn work_out_table<'w>(
    table: &Columns<'w>,
    kinds: &[u16],
    Groundwork {
        types, programs, ..
    }: &Groundwork,
    cells: &[ValuesOfCells],
    readers: &[Option<Reader<'w, f32>>],
    to: &mut TableValues,
) -> bool {
    let mut present: Vec<u16> = Vec::new();
    let mut last = None;
    for kind in kinds {
        if last != Some(*kind) {
            last = Some(*kind);
            let of = types[usize::from(*kind)];
            if !present.contains(&of) {
                present.push(of);
            }
        }
    }
    to.table = Some(table.id());
    to.inputs.clear();
    let ruled: Vec<(usize, &Vec<Option<RuleProgram>>)> = programs
        .iter()
        .filter(|(_, of_types)| {
            let has_rule = |kind: &u16| matches!(of_types.get(usize::from(*kind)), Some(Some(_)));
            present.iter().any(has_rule)
        })
        .map(|(place, of_types)| (*place, of_types))
        .collect();
    if ruled.is_empty() {
        return false;
    }
    to.inputs.extend(ruled.iter().map(|(place, _)| *place));
    let stride = ruled.len() * ROWS;
    to.values.resize(kinds.len().div_ceil(ROWS) * stride, 0.0);
    for_each_chunk_mut(&mut to.values, stride, |start, values| {
        let first = start / ruled.len();
        let rows = ROWS.min(kinds.len() - first);
        WORKSPACE.with_borrow_mut(|Workspace { columns, scratch }| {
            columns.resize(readers.len() * BLOCK, NONE);
            for from in (0..rows).step_by(BLOCK) {
                let len = BLOCK.min(rows - from);
                let rows = first + from..first + from + len;
                for (reader, column) in readers.iter().zip(columns.chunks_mut(BLOCK)) {
                    match reader {
                        Some(reader) => reader(table, rows.clone(), &mut column[..len]),
                        None => column[..len].fill(NONE),
                    }
                }
                let block = Block::new(&kinds[rows], types);
                for (nth, (place, of_types)) in ruled.iter().enumerate() {
                    let values = &mut values[run_of(nth, ROWS)][from..from + len];
                    let bases = &cells[*place].bases;
                    apply(&block, bases, of_types, columns, scratch, values);
                }
            }
        });
    });
    true
}

/// Applies the programs of an input to a block of cells.
fn apply(
    block: &Block,
    bases: &[f32],
    of_types: &[Option<RuleProgram>],
    columns: &[f32],
    scratch: &mut Scratch,
    values: &mut [f32],
) {
    let len = values.len();
    if let Some(row) = block.row {
        values.fill(bases[usize::from(row)]);
    } else {
        for (value, row) in values.iter_mut().zip(block.rows) {
            *value = bases[usize::from(*row)];
        }
    }
    let columns = |column: usize| &columns[column * BLOCK..][..len];
    let program = |cell_type: u16| {
        of_types
            .get(usize::from(cell_type))
            .and_then(Option::as_ref)
    };
    if let Some(cell_type) = block.cell_type {
        if let Some(program) = program(cell_type) {
            program.apply(values, columns, scratch);
        }
        return;
    }
    let of = |row: &u16| block.types[usize::from(*row)];
    let mut done = [0; BLOCK];
    let mut types_done = 0;
    let mut of_type = [0.0; BLOCK];
    for cell_type in block.rows.iter().map(of) {
        if done[..types_done].contains(&cell_type) {
            continue;
        }
        done[types_done] = cell_type;
        types_done += 1;
        if let Some(program) = program(cell_type) {
            let of_type = &mut of_type[..len];
            // Cells of this type still have their bases; what comes out for others is not used.
            of_type.copy_from_slice(values);
            program.apply(of_type, columns, scratch);
            for ((value, other), found) in values.iter_mut().zip(block.rows).zip(of_type) {
                if of(other) == cell_type {
                    *value = *found;
                }
            }
        }
    }
}

/// Looks for an input that rules have made no number of: that of the cell of lowest identity, or else that of a site.
fn no_number(world: &World) -> Option<Breach> {
    let (inputs, values) = (world.resource::<Inputs>(), world.resource::<InputValues>());
    let kinds = world.get_resource::<TypesOfCells>();
    let mut first: Option<(CellId, &CellInput)> = None;
    for table in tables_with::<CellId>(world) {
        let of_table = values.tables.iter().find(|of| of.table == Some(table.id()));
        let (Some(of_table), Some(kinds)) = (of_table, kinds.and_then(|of| (of.0)(&table))) else {
            continue;
        };
        let ids = table.get::<CellId>().unwrap_or_default();
        for (nth, place) in of_table.inputs.iter().enumerate() {
            let bases = &values.cells[*place].bases;
            for (row, (id, kind)) in ids.iter().zip(kinds).enumerate() {
                let chunk = &of_table.values[row / ROWS * of_table.inputs.len() * ROWS..];
                let value = chunk[nth * ROWS + row % ROWS];
                // A type that lacks the input has no base.
                let is_wrong = value.is_nan() && !bases[usize::from(*kind)].is_nan();
                if is_wrong && first.is_none_or(|(known, _)| *id < known) {
                    first = Some((*id, &inputs.cells[*place]));
                }
            }
        }
    }
    let told = |name: &str| format!("its input `{name}` is no number");
    if let Some((cell, input)) = first {
        return Some(Breach {
            cell: Some(cell),
            found: told(&input.info.name),
        });
    }
    let of_sites = inputs.sites.iter().zip(&values.sites);
    let of_sites = of_sites.map(|(input, of)| (&input.info, of.iter().any(|(_, v)| v.is_nan())));
    let of_elements = inputs.elements.iter().zip(&values.elements);
    let of_elements = of_elements.map(|(input, of)| {
        let mut all = of.iter().flat_map(|(_, values)| values);
        (&input.info, all.any(|value| value.is_nan()))
    });
    let (info, _) = of_sites
        .chain(of_elements)
        .find(|(_, is_wrong)| *is_wrong)?;
    Some(Breach::new(format!(
        "the input `{}` of a site is no number",
        info.name
    )))
}

/// The entities of all sites, in the order of the scene.
#[derive(Resource, Clone, Debug, Default)]
pub struct SitesInOrder(pub Vec<Entity>);

#[cfg(test)]
mod tests;
