//! Works out the inputs of a step: the `Regulate` stage.
//!
//! Between `Perceive` and `Signal` the [`Rules`] of cell types and sites are applied to the bases of their inputs. All
//! quantities are read as the last step and `Perceive` left them, and nothing is written but [`InputValues`], so rules
//! may form a circle and the order of inputs does not matter. A piece of cells is worked out from its own rows alone:
//! results are the same bits at any number of threads. Cells without a rule on an input cost nothing.

use std::cell::RefCell;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::clones::Clones;
use super::columns::{Columns, tables_with};
use super::identity::CellId;
use super::input::{InputValues, Inputs, TableValues, ValuesOfCells, declare, run_of};
use super::parallel::{ROWS, for_each_chunk_mut};
use super::parameters::{CellTypeNames, Limits, nearest};
use super::quantity::{NONE, Quantities, Reader};
use super::rule::{BLOCK, Law, Program, Rule, RuleBook};
use super::state::{Owner, RegisterState, WhollyKept};
use super::{SimSchedule, SimSystems};

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
    fn book(&self, types: &CellTypeNames, of: &str) -> Option<&RuleBook> {
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

/// What is wrong with a rule, and with which part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFault {
    /// The part: `input`, `by`, `law`, `scale`, `floor`, or empty for the rule as a whole.
    pub part: &'static str,
    /// What is wrong, in words.
    pub message: String,
}

impl RuleFault {
    const fn new(part: &'static str, message: String) -> Self {
        Self { part, message }
    }
}

/// Says that a name is not known, with the nearest one that is.
fn unknown<S: AsRef<str>>(what: &str, name: &str, known: &[S]) -> String {
    let mut message = format!("there is no {what} `{name}`");
    if let Some(guess) = nearest(name, known) {
        message.push_str(&format!("; did you mean `{guess}`?"));
    }
    message
}

/// Inputs, and the quantities that rules can join to them: those of one subject.
struct Joints<'w> {
    /// What has them, in words.
    subject: String,
    inputs: Vec<&'w str>,
    quantities: Vec<&'w str>,
}

/// What the rules of a cell type, or those of a site, can join.
fn joints(world: &World, of_cells: bool) -> Vec<Joints<'_>> {
    let (inputs, known) = (
        world.get_resource::<Inputs>(),
        world.get_resource::<Quantities>(),
    );
    if of_cells {
        return vec![Joints {
            subject: "a cell".into(),
            inputs: inputs.map_or_else(Vec::new, Inputs::cell_names),
            quantities: known.map_or_else(Vec::new, Quantities::cell_names),
        }];
    }
    let of_sites = known.into_iter().flat_map(|known| &known.sites);
    let mut joints = vec![Joints {
        subject: "the whole site".into(),
        inputs: Vec::new(),
        quantities: of_sites
            .map(|quantity| quantity.info.name.as_str())
            .collect(),
    }];
    let Some(inputs) = inputs else { return joints };
    let of_sites = inputs.sites.iter().map(|input| input.info.name.as_str());
    joints[0].inputs.extend(of_sites);
    let mut kinds: Vec<&str> = inputs.elements.iter().map(|input| input.kind).collect();
    kinds.extend(inputs.element_quantities.iter().map(|known| known.kind));
    kinds.sort_unstable();
    kinds.dedup();
    joints.extend(kinds.into_iter().map(|kind| {
        let of_kind = inputs.elements.iter().filter(|input| input.kind == kind);
        let by = inputs.element_quantities.iter();
        let by = by.filter(|quantity| quantity.kind == kind);
        Joints {
            subject: format!("each {kind} of the site"),
            inputs: of_kind.map(|input| input.info.name.as_str()).collect(),
            quantities: by.map(|quantity| quantity.info.name.as_str()).collect(),
        }
    }));
    joints
}

/// What is wrong with the two ends of a rule: its input, its quantity, or that these are of different subjects.
fn check_ends(world: &World, cell_type: Option<u16>, rule: &Rule) -> Vec<RuleFault> {
    let mut faults = Vec::new();
    let (input, by) = (rule.input.as_str(), rule.by.as_str());
    let joints = joints(world, cell_type.is_some());
    let has_input = |joints: &&Joints| joints.inputs.contains(&input);
    let mut able: Vec<&Joints> = joints.iter().filter(has_input).collect();
    if able.is_empty() {
        let inputs: Vec<&str> = joints.iter().flat_map(|j| j.inputs.clone()).collect();
        faults.push(RuleFault::new("input", unknown("input", input, &inputs)));
        able = joints.iter().collect();
    } else if let (Some(cell_type), Some(known)) = (cell_type, world.get_resource::<Inputs>())
        && let Some(known) = known.of_cells(input)
        && known.base(world, cell_type).is_none()
    {
        let message = format!("this cell type has no `{input}`");
        faults.push(RuleFault::new("input", message));
    }
    let has_quantity = |joints: &&Joints| joints.quantities.contains(&by);
    if !able.iter().any(has_quantity) {
        let message = match joints.iter().find(has_quantity) {
            Some(other) => format!(
                "`{by}` is a quantity of {}, and `{input}` an input of {}: a rule joins two of the same",
                other.subject, able[0].subject
            ),
            None => {
                let quantities: Vec<&str> =
                    able.iter().flat_map(|j| j.quantities.clone()).collect();
                unknown("quantity", by, &quantities)
            }
        };
        faults.push(RuleFault::new("by", message));
    }
    faults
}

/// Checks a rule of a cell type (by index), or of a site where there is none, against what is registered in a world.
///
/// # Errors
/// What is wrong: every part that is.
pub fn check_rule(
    world: &World,
    cell_type: Option<u16>,
    rule: &Rule,
) -> Result<(), Vec<RuleFault>> {
    let mut faults = check_ends(world, cell_type, rule);
    let mut law = rule.law;
    for name in law.numbers() {
        let limits = Law::limits(name);
        if let Some(value) = law.number_mut(name).map(|number| f64::from(*number))
            && !limits.contain(value)
        {
            let message = format!("its {name} must be {}, found {value}", limits.describe());
            faults.push(RuleFault::new("law", message));
        }
    }
    let numbers = [("scale", Some(rule.scale)), ("floor", rule.floor)];
    for (part, value) in numbers {
        if let Some(value) = value.filter(|value| !Limits::NON_NEGATIVE.contain(f64::from(*value)))
        {
            let message = format!("must be {}, found {value}", Limits::NON_NEGATIVE.describe());
            faults.push(RuleFault::new(part, message));
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

/// Checks a change of the rules in force.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_change(world: &World, change: &RuleChange) -> Result<(), RuleFault> {
    let none = CellTypeNames::default();
    let types = world.get_resource::<CellTypeNames>().unwrap_or(&none);
    let rules = world.resource::<Rules>();
    match change {
        RuleChange::Add { of, name, rule } => {
            let cell_type = types.0.iter().position(|known| known == of);
            if cell_type.is_none() && !rules.sites.contains(of) {
                let owners: Vec<String> = types.0.iter().chain(&rules.sites).cloned().collect();
                let message = unknown("cell type or site", of, &owners);
                return Err(RuleFault::new("of", message));
            }
            if name.is_empty() || name.contains('.') {
                let message =
                    format!("the name of a rule has no dots and is not empty, found `{name}`");
                return Err(RuleFault::new("name", message));
            }
            check_rule(world, cell_type.map(|index| index as u16), rule)
                .map_err(|mut faults| faults.swap_remove(0))?;
            let combine = rules
                .book(types, of)
                .map(|book| book.combine_of(&rule.input));
            if combine.unwrap_or_default().takes(rule.law) {
                return Ok(());
            }
            let message = format!(
                "the rules on `{}` of `{of}` are combined by `MultiHill`, which takes only those of the form `Hill`",
                rule.input
            );
            Err(RuleFault::new("law", message))
        }
        RuleChange::Scale(path, factor) => {
            check_path(rules, types, path)?;
            if Limits::NON_NEGATIVE.contain(f64::from(*factor)) {
                return Ok(());
            }
            let allowed = Limits::NON_NEGATIVE.describe();
            let message = format!("must be {allowed}, found {factor}");
            Err(RuleFault::new("scale", message))
        }
        RuleChange::Delete(path) => check_path(rules, types, path),
    }
}

fn check_path(rules: &Rules, types: &CellTypeNames, path: &str) -> Result<(), RuleFault> {
    let paths = rules.paths(types);
    if paths.iter().any(|known| known == path) {
        return Ok(());
    }
    Err(RuleFault::new("path", unknown("rule", path, &paths)))
}

/// Adds the `Regulate` stage; doing so twice is harmless.
pub(super) fn plugin(app: &mut App) {
    if app.world().contains_resource::<Rules>() {
        return;
    }
    declare(app);
    super::parameters::register_rules(app);
    app.init_resource::<Rules>()
        .declare_remade::<SitesInOrder>("made from the scene")
        .register_kept::<Rules>(Owner::Simulation, "rules")
        .add_systems(SimSchedule, regulate.in_set(SimSystems::Regulate));
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
        work_out_sites(world, values);
    });
}

/// The inputs of cells.
fn work_out_cells(world: &World, values: &mut InputValues) {
    let inputs = world.resource::<Inputs>();
    let rules = world.resource::<Rules>();
    let types = world
        .get_resource::<CellTypeNames>()
        .map_or(0, |names| names.0.len());
    // Clones have bases of their own, and the rules of their type.
    let mut types: Vec<u16> = (0..types as u16).collect();
    if let Some(clones) = world.get_resource::<Clones>() {
        types.extend(clones.types_of_rows());
    }
    values
        .cells
        .resize_with(inputs.cells.len(), ValuesOfCells::default);
    for (input, of_cells) in inputs.cells.iter().zip(&mut values.cells) {
        if of_cells.name != input.info.name {
            of_cells.name.clone_from(&input.info.name);
        }
        of_cells.bases.clear();
        let rows = 0..types.len();
        let bases = rows.map(|row| (input.base)(world, row as u16).unwrap_or(NONE));
        of_cells.bases.extend(bases);
    }
    let (Some(kinds), Some(known)) = (
        world.get_resource::<TypesOfCells>(),
        world.get_resource::<Quantities>(),
    ) else {
        values.tables.clear();
        return;
    };
    // The programs of each input, by type, and the quantities they read.
    let mut quantities: Vec<usize> = Vec::new();
    let mut programs: Vec<(usize, Vec<Option<Program>>)> = Vec::new();
    for (place, input) in inputs.cells.iter().enumerate() {
        let limits = (input.info.limits.min as f32, input.info.limits.max as f32);
        let of_types: Vec<Option<Program>> = rules
            .of_types
            .iter()
            .map(|book| {
                Program::new(book, &input.info.name, limits, |by| {
                    column_of(known, &mut quantities, by)
                })
            })
            .collect();
        if of_types.iter().any(Option::is_some) {
            programs.push((place, of_types));
        }
    }
    let readers: Vec<Option<Reader<f32>>> = quantities
        .iter()
        .map(|place| Some(known.cells.get(*place)?.reader(world)))
        .collect();
    let mut used = 0;
    if !programs.is_empty() {
        for table in tables_with::<CellId>(world) {
            let Some(rows) = (kinds.0)(&table) else {
                continue;
            };
            if values.tables.len() == used {
                values.tables.push(TableValues::default());
            }
            let to = &mut values.tables[used];
            if work_out_table(
                &table,
                (rows, &types),
                &programs,
                &values.cells,
                &readers,
                to,
            ) {
                used += 1;
            }
        }
    }
    values.tables.truncate(used);
}

/// The place of a quantity among those that are read, which it joins; one that is not known is never there.
fn column_of(known: &Quantities, quantities: &mut Vec<usize>, by: &str) -> usize {
    let place = known
        .cells
        .iter()
        .position(|quantity| quantity.info.name == by);
    let place = place.unwrap_or(usize::MAX);
    let column = quantities.iter().position(|other| *other == place);
    column.unwrap_or_else(|| {
        quantities.push(place);
        quantities.len() - 1
    })
}

thread_local! {
    /// Values of all quantities in a block of rows.
    static COLUMNS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Works out the inputs of the cells of a table; says whether any has a rule.
fn work_out_table<'w>(
    table: &Columns<'w>,
    (kinds, types): (&[u16], &[u16]),
    programs: &[(usize, Vec<Option<Program>>)],
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
    let ruled: Vec<(usize, &Vec<Option<Program>>)> = programs
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
        COLUMNS.with_borrow_mut(|columns| {
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
                let kinds = &kinds[rows];
                for (nth, (place, of_types)) in ruled.iter().enumerate() {
                    let values = &mut values[run_of(nth, ROWS)][from..from + len];
                    apply(
                        (kinds, types),
                        &cells[*place].bases,
                        of_types,
                        columns,
                        values,
                    );
                }
            }
        });
    });
    true
}

/// Applies the programs of an input to a block of cells.
fn apply(
    (kinds, types): (&[u16], &[u16]),
    bases: &[f32],
    of_types: &[Option<Program>],
    columns: &[f32],
    values: &mut [f32],
) {
    let len = kinds.len();
    for (value, kind) in values.iter_mut().zip(kinds) {
        *value = bases[usize::from(*kind)];
    }
    let columns = |column: usize| &columns[column * BLOCK..][..len];
    let mut scratch = [[0.0; BLOCK]; 2];
    let program = |kind: u16| of_types.get(usize::from(kind)).and_then(Option::as_ref);
    let of = |kind: &u16| types[usize::from(*kind)];
    let first = of(&kinds[0]);
    if kinds.iter().all(|kind| of(kind) == first) {
        if let Some(program) = program(first) {
            program.apply(values, columns, &mut scratch);
        }
        return;
    }
    let mut done = [0; BLOCK];
    let mut kinds_done = 0;
    let mut of_kind = [0.0; BLOCK];
    for kind in kinds.iter().map(of) {
        if done[..kinds_done].contains(&kind) {
            continue;
        }
        done[kinds_done] = kind;
        kinds_done += 1;
        if let Some(program) = program(kind) {
            let of_kind = &mut of_kind[..len];
            // Cells of this kind still have their bases; what comes out for others is not used.
            of_kind.copy_from_slice(values);
            program.apply(of_kind, columns, &mut scratch);
            for ((value, other), found) in values.iter_mut().zip(kinds).zip(of_kind) {
                if of(other) == kind {
                    *value = *found;
                }
            }
        }
    }
}

/// The inputs of sites and of what they hold in arrays.
fn work_out_sites(world: &World, values: &mut InputValues) {
    let (inputs, rules) = (world.resource::<Inputs>(), world.resource::<Rules>());
    let sites = world
        .get_resource::<SitesInOrder>()
        .map_or(&[][..], |sites| &sites.0);
    let empty = RuleBook::default();
    let book = |place: usize| rules.of_sites.get(place).unwrap_or(&empty);
    values.sites.resize_with(inputs.sites.len(), Vec::new);
    for (input, of_sites) in inputs.sites.iter().zip(&mut values.sites) {
        of_sites.clear();
        for (place, site) in sites.iter().enumerate() {
            let Some(base) = (input.base)(world, *site) else {
                continue;
            };
            let mut by: Vec<String> = Vec::new();
            let limits = (input.info.limits.min as f32, input.info.limits.max as f32);
            let program = Program::new(book(place), &input.info.name, limits, |name| {
                by.push(name.to_owned());
                by.len() - 1
            });
            let mut value = [base];
            if let Some(program) = program {
                let known = world.get_resource::<Quantities>();
                let of = |name: &String| {
                    let quantity = known.and_then(|known| known.of_sites(name));
                    [quantity.map_or(NONE, |quantity| quantity.of(world, *site))]
                };
                let columns: Vec<[f32; 1]> = by.iter().map(of).collect();
                let column = |place: usize| &columns[place][..];
                program.apply(&mut value, column, &mut [[0.0; BLOCK]; 2]);
            }
            of_sites.push((*site, value[0]));
        }
    }
    values.elements.resize_with(inputs.elements.len(), Vec::new);
    for (input, of_sites) in inputs.elements.iter().zip(&mut values.elements) {
        of_sites.retain(|(site, _)| sites.contains(site));
        for (place, site) in sites.iter().enumerate() {
            let at = of_sites.iter().position(|(known, _)| known == site);
            let at = at.unwrap_or_else(|| {
                of_sites.push((*site, Vec::new()));
                of_sites.len() - 1
            });
            let found = &mut of_sites[at].1;
            found.clear();
            (input.base)(world, *site, found);
            let mut columns: Vec<Option<&[f32]>> = Vec::new();
            let limits = (input.info.limits.min as f32, input.info.limits.max as f32);
            let program = Program::new(book(place), &input.info.name, limits, |name| {
                let quantity = inputs
                    .element_quantities
                    .iter()
                    .find(|known| known.kind == input.kind && known.info.name == name);
                columns.push(quantity.and_then(|quantity| (quantity.of)(world, *site)));
                columns.len() - 1
            });
            let Some(program) = program else { continue };
            let none = [NONE; BLOCK];
            for_each_chunk_mut(found, BLOCK, |start, values| {
                let len = values.len();
                let column = |place: usize| {
                    let values = columns[place].and_then(|all| all.get(start..start + len));
                    values.unwrap_or(&none[..len])
                };
                program.apply(values, column, &mut [[0.0; BLOCK]; 2]);
            });
        }
    }
}

/// The entities of all sites, in the order of the scene.
#[derive(Resource, Clone, Debug, Default)]
pub struct SitesInOrder(pub Vec<Entity>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::input::{InputInfo, RegisterInputs, Regulated};
    use crate::core::parameters::{Parameters, PerType};
    use crate::core::quantity::{Quantity, RegisterQuantities};
    use crate::core::rule::Combine;

    #[derive(Reflect, Clone)]
    struct Engine {
        thrust: f32,
    }

    impl Parameters for Engine {}

    #[derive(Component, Clone, Copy, bytemuck::TransparentWrapper)]
    #[repr(transparent)]
    struct Kind(u16);

    #[derive(Component, Clone, Copy, PartialEq, Debug)]
    struct Wheels {
        front: f32,
        back: f32,
    }

    fn turn(inputs: Regulated, mut cells: Query<(Entity, &Kind, &mut Wheels)>) {
        let (front, back) = (inputs.input("wheels.front"), inputs.input("wheels.back"));
        for (entities, kinds, mut wheels) in cells.contiguous_iter_mut().unwrap() {
            let (front, back) = (front.in_table(entities), back.in_table(entities));
            for (row, wheels) in wheels.bypass_change_detection().iter_mut().enumerate() {
                wheels.front = front.at(row, kinds[row].0);
                wheels.back = back.at(row, kinds[row].0);
            }
        }
    }

    fn rule(input: &str, by: &str, law: Law) -> Rule {
        Rule {
            input: input.into(),
            by: by.into(),
            law,
            scale: 1.0,
            floor: None,
            about: String::new(),
            source: String::new(),
        }
    }

    fn app() -> App {
        let mut app = App::empty();
        app.init_resource::<Schedules>();
        for pair in SimSystems::ORDER.windows(2) {
            app.configure_sets(SimSchedule, pair[1].after(pair[0]));
        }
        app.register_types::<Kind>()
            .register_input::<Engine>(InputInfo::new("wheels.front", "", ""), |p| p.thrust)
            .register_input::<Engine>(InputInfo::new("wheels.back", "", ""), |_| 2.0)
            .register_quantity::<Wheels>(Quantity::new("front", "", ""), |wheels| wheels.front)
            .register_quantity::<Wheels>(Quantity::new("back", "", ""), |wheels| wheels.back)
            .insert_resource(CellTypeNames(vec![
                "car".into(),
                "cart".into(),
                "sled".into(),
            ]))
            .insert_resource(PerType(vec![
                Some(Engine { thrust: 1.0 }),
                Some(Engine { thrust: 3.0 }),
                None,
            ]))
            .add_systems(SimSchedule, turn.in_set(SimSystems::Signal));
        app
    }

    #[test]
    fn rules_in_a_circle_read_the_values_of_the_last_step() {
        let mut app = app();
        let mut car = RuleBook::default();
        car.rules
            .insert("a".into(), rule("wheels.front", "back", Law::Add(1.0)));
        car.rules
            .insert("b".into(), rule("wheels.back", "front", Law::Add(10.0)));
        app.world_mut().resource_mut::<Rules>().of_types = vec![car];
        let start = Wheels {
            front: 0.5,
            back: 0.25,
        };
        let car = app.world_mut().spawn((CellId(0), Kind(0), start)).id();
        let cart = app.world_mut().spawn((CellId(1), Kind(1), start)).id();
        let (mut front, mut back) = (start.front, start.back);
        for _ in 0..3 {
            app.world_mut().run_schedule(SimSchedule);
            (front, back) = (1.0 + back, 2.0 + 10.0 * front);
            let of = |entity| *app.world().get::<Wheels>(entity).unwrap();
            assert_eq!(of(car), Wheels { front, back });
            assert_eq!(
                of(cart),
                Wheels {
                    front: 3.0,
                    back: 2.0
                },
                "it has no rules"
            );
        }
    }

    #[test]
    fn each_of_many_cells_of_mixed_types_gets_what_its_own_rules_say() {
        let mut app = app();
        let mut cart = RuleBook::default();
        cart.rules
            .insert("a".into(), rule("wheels.front", "front", Law::Fold(1.0)));
        app.world_mut().resource_mut::<Rules>().of_types = vec![RuleBook::default(), cart];
        let cells: Vec<(Entity, u16, f32)> = (0..10_000_u64)
            .map(|id| {
                let (kind, front) = ((id / 7 % 3) as u16, id as f32 * 1e-3);
                let wheels = Wheels { front, back: 0.0 };
                let cell = app.world_mut().spawn((CellId(id), Kind(kind), wheels)).id();
                (cell, kind, front)
            })
            .collect();
        app.world_mut().run_schedule(SimSchedule);
        for (cell, kind, front) in cells {
            let found = app.world().get::<Wheels>(cell).unwrap().front;
            match kind {
                0 => assert_eq!(found, 1.0),
                1 => assert_eq!(found, 3.0 * (1.0 + front)),
                _ => assert!(found.is_nan(), "a sled has no engine"),
            }
        }
    }

    #[test]
    fn changes_add_scale_and_delete_and_wrong_ones_are_told_with_the_nearest_name() {
        let mut app = app();
        let world = app.world_mut();
        let types = world.resource::<CellTypeNames>().clone();
        let add = |by: &str| RuleChange::Add {
            of: "car".into(),
            name: "pull".into(),
            rule: rule("wheels.front", by, Law::Fold(1.0)),
        };
        let fault = check_change(world, &add("bck")).unwrap_err();
        assert_eq!(fault.part, "by");
        assert_eq!(
            fault.message,
            "there is no quantity `bck`; did you mean `back`?"
        );
        check_change(world, &add("back")).unwrap();
        world.resource_mut::<Rules>().change(&types, &add("back"));
        let scale = RuleChange::Scale("car.pull".into(), 0.5);
        check_change(world, &scale).unwrap();
        world.resource_mut::<Rules>().change(&types, &scale);
        let path = "car.pull";
        let mut rules = world.resource_mut::<Rules>();
        assert_eq!(rules.find_mut(&types, path).unwrap().scale, 0.5);
        let delete = RuleChange::Delete(path.into());
        assert!(rules.change(&types, &delete));
        assert!(!rules.change(&types, &delete));
        let fault = check_change(world, &RuleChange::Delete("car.pul".into())).unwrap_err();
        assert_eq!(fault.message, "there is no rule `car.pul`");
        let lacking = check_rule(
            world,
            Some(2),
            &rule("wheels.front", "back", Law::Fold(1.0)),
        );
        let message = &lacking.unwrap_err()[0].message;
        assert_eq!(message, "this cell type has no `wheels.front`");
    }

    #[test]
    fn sites_and_their_elements_have_inputs_too() {
        #[derive(Component)]
        struct Ground(Vec<f32>);
        let mut app = app();
        app.register_site_input(InputInfo::new("weather.rain", "", ""), |_, _| Some(4.0))
            .register_site_quantity(Quantity::new("weather.warmth", "", ""), |_, _| 0.5)
            .register_element_input(
                "voxel",
                InputInfo::new("ground.wet", "", ""),
                |world, site, to| {
                    to.extend(
                        world
                            .get::<Ground>(site)
                            .map_or(&[][..], |ground| &ground.0),
                    );
                },
            )
            .register_element_quantity(
                "voxel",
                Quantity::new("ground.slope", "", ""),
                |world, site| Some(&world.get::<Ground>(site)?.0),
            );
        let world = app.world_mut();
        let ground: Vec<f32> = (0..1000).map(|voxel| voxel as f32).collect();
        let site = world.spawn(Ground(ground.clone())).id();
        world.insert_resource(SitesInOrder(vec![site]));
        let mut book = RuleBook::default();
        book.rules.insert(
            "a".into(),
            rule("weather.rain", "weather.warmth", Law::Fold(2.0)),
        );
        book.rules.insert(
            "b".into(),
            rule("ground.wet", "ground.slope", Law::Add(0.5)),
        );
        book.combine.insert("ground.wet".into(), Combine::Product);
        world.resource_mut::<Rules>().of_sites = vec![book];
        world.run_schedule(SimSchedule);
        let found = world
            .run_system_cached_with(
                |In(site): In<Entity>, inputs: Res<Inputs>, values: Regulated| {
                    (
                        values.of_site(&inputs, "weather.rain", site),
                        values
                            .of_elements(&inputs, "ground.wet", site)
                            .map(<[f32]>::to_vec),
                    )
                },
                site,
            )
            .unwrap();
        assert_eq!(found.0, Some(8.0));
        let expected: Vec<f32> = ground.iter().map(|voxel| voxel + 0.5 * voxel).collect();
        assert_eq!(found.1, Some(expected));
    }

    /// An app with two sites, one of them named with a dot, inputs and quantities of all subjects.
    fn app_with_sites() -> App {
        let mut app = app();
        let input = |name: &str| InputInfo::new(name, "", "");
        let quantity = |name: &str| Quantity::new(name, "", "");
        app.register_site_input(input("weather.rain"), |_, _| Some(4.0))
            .register_site_quantity(quantity("weather.warmth"), |_, _| 0.5)
            .register_element_input("voxel", input("ground.wet"), |_, _, _| ())
            .register_element_quantity("voxel", quantity("ground.slope"), |_, _| None)
            .register_element_quantity("segment", quantity("pipe.flow"), |_, _| None);
        let mut rules = app.world_mut().resource_mut::<Rules>();
        rules.sites = vec!["yard".into(), "st. moritz".into()];
        rules.of_sites = vec![RuleBook::default(); 2];
        app
    }

    #[test]
    fn a_rule_of_a_site_joins_an_input_and_a_quantity_of_the_same_subject() {
        let app = app_with_sites();
        let check = |input: &str, by: &str| {
            let add = RuleChange::Add {
                of: "yard".into(),
                name: "r".into(),
                rule: rule(input, by, Law::Fold(1.0)),
            };
            check_change(app.world(), &add).map_err(|fault| (fault.part, fault.message))
        };
        assert_eq!(check("weather.rain", "weather.warmth"), Ok(()));
        assert_eq!(check("ground.wet", "ground.slope"), Ok(()));
        let joined = |by: &str, of: &str, input: &str, other: &str| {
            let message = format!(
                "`{by}` is a quantity of {of}, and `{input}` an input of {other}: a rule joins two of the same"
            );
            Err(("by", message))
        };
        let (site, voxel) = ("the whole site", "each voxel of the site");
        let segment = "each segment of the site";
        for (input, other, by, of) in [
            ("weather.rain", site, "ground.slope", voxel),
            ("ground.wet", voxel, "weather.warmth", site),
            ("ground.wet", voxel, "pipe.flow", segment),
        ] {
            assert_eq!(check(input, by), joined(by, of, input, other));
        }
        // The nearest name is one that would work.
        let message = "there is no quantity `ground.slop`; did you mean `ground.slope`?";
        assert_eq!(
            check("ground.wet", "ground.slop"),
            Err(("by", message.into()))
        );
        let message = "there is no quantity `ground.slop`";
        assert_eq!(
            check("weather.rain", "ground.slop"),
            Err(("by", message.into()))
        );
    }

    #[test]
    fn rules_of_a_site_whose_name_has_dots_are_found() {
        let mut app = app_with_sites();
        let world = app.world_mut();
        let types = world.resource::<CellTypeNames>().clone();
        let add = RuleChange::Add {
            of: "st. moritz".into(),
            name: "r".into(),
            rule: rule("weather.rain", "weather.warmth", Law::Fold(1.0)),
        };
        for change in [
            add,
            RuleChange::Scale("st. moritz.r".into(), 2.0),
            RuleChange::Delete("st. moritz.r".into()),
        ] {
            check_change(world, &change).unwrap();
            assert!(world.resource_mut::<Rules>().change(&types, &change));
        }
    }

    #[test]
    fn a_law_that_the_rules_of_an_input_cannot_be_combined_with_is_refused() {
        let mut app = app();
        let mut car = RuleBook::default();
        car.combine
            .insert("wheels.front".into(), Combine::MultiHill);
        let world = app.world_mut();
        world.resource_mut::<Rules>().of_types = vec![car];
        let check = |of: &str, input: &str, law| {
            let add = RuleChange::Add {
                of: of.into(),
                name: "r".into(),
                rule: rule(input, "back", law),
            };
            check_change(world, &add).map_err(|fault| (fault.part, fault.message))
        };
        let hill = Law::Hill {
            half: 1.0,
            exponent: 1.0,
            to: 2.0,
        };
        let message = "the rules on `wheels.front` of `car` are combined by `MultiHill`, which takes only those of the form `Hill`";
        let fold = Law::Fold(1.0);
        assert_eq!(check("car", "wheels.front", hill), Ok(()));
        assert_eq!(
            check("car", "wheels.front", fold),
            Err(("law", message.into()))
        );
        assert_eq!(check("car", "wheels.back", fold), Ok(()));
        assert_eq!(check("cart", "wheels.front", fold), Ok(()));
    }
}
