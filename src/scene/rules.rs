//! Whether the rules of cell types join things that exist.
//!
//! Each fault is told where it stands: in the cell file, or in the scene that brings its own cell types. What a scene
//! changes about rules is checked in [`super::changes`].
//!
//! A cell file may name a molecule that only some scenes bring. So names that could be such a one are asked for where a
//! scene uses the type. A type that a scene does not use, and that names what it does not have, is no type of that
//! scene.

use bevy::prelude::*;
use bevy::reflect::TypeInfo;

use super::capabilities::check_molecules_of;
use super::checker::Checker;
use super::library::CellLibrary;
use super::prefab::CellPrefab;
use super::report::SceneReport;
use super::schema::Scene;
use super::spans::{FieldPath, Tree};
use crate::cell::life::CellLife;
use crate::cell::{CellType, Position, Resident, Surroundings};
use crate::core::CellId;
use crate::core::capability::CapabilityRegistry;
use crate::core::input::Inputs;
use crate::core::parameters::Limits;
use crate::core::quantity::{LackedQuantities, Quantities};
use crate::core::rule::Combine;
use crate::core::rule_check::{NO_FLOORS, check_rule};
use crate::tissue::{SiteEntry, SiteId, Sites, TissueBlock};

/// Where cell types stand that are checked.
#[derive(Clone, Copy)]
pub(super) enum Use<'u> {
    /// In a scene that uses these.
    InScene(&'u [&'u str]),
    /// In no scene: what could be a molecule that a scene brings is worth a warning.
    Alone,
}

/// What is said of a name, in a file that is checked by itself, that could be a molecule of a scene.
const BROUGHT: &str = "a scene that uses this cell type has to bring it, if it is a molecule";

/// Whether an unknown input could be that of a molecule: one of a capability that is a list.
fn could_be_of_molecule(known: &CapabilityRegistry, input: &str) -> bool {
    let capability = input.split_once('.').and_then(|(of, _)| known.get(of));
    capability.is_some_and(|of| matches!(of.parameters, TypeInfo::List(_)))
}

/// Checks the rules of the cell type that stands at a place of a file; `index` is that of the type in the world. What
/// could be a molecule that a scene brings is noted as a warning.
fn check_book(
    checker: &mut Checker,
    root: &FieldPath,
    prefab: &CellPrefab,
    (world, index): (&World, u16),
    known: &CapabilityRegistry,
) {
    let list = root.field("rules");
    for (name, rule) in &prefab.rules {
        let at = list.key(name);
        if name.is_empty() || name.contains('.') {
            checker.problem(&at, "the name of a rule has no dots and is not empty");
        }
        for fault in check_rule(world, Some(index), rule)
            .err()
            .unwrap_or_default()
        {
            let (named, could_be) = match fault.part {
                "by" => (
                    &rule.by,
                    !rule.by.contains('.') && !is_named(world, &rule.by),
                ),
                _ => (&rule.input, could_be_of_molecule(known, &rule.input)),
            };
            if fault.is_unknown && checker.is_unread(named) {
                continue;
            }
            if let Some(problem) = checker.problem(&at.field(fault.part), fault.message) {
                problem.is_warning = fault.is_unknown && could_be;
            }
        }
        if rule.floor.is_some() && is_multi_hill(prefab, &rule.input) {
            checker.problem(&at.field("floor"), NO_FLOORS);
        }
    }
    for (input, floor) in &prefab.floors {
        let at = root.field("floors").key(input);
        if !check_input(checker, &at, input, (world, index), known) {
            continue;
        }
        if !Limits::NON_NEGATIVE.contain(f64::from(*floor)) {
            let allowed = Limits::NON_NEGATIVE.describe();
            checker.problem(&at, format!("must be {allowed}, found {floor}"));
        } else if is_multi_hill(prefab, input) {
            checker.problem(&at, NO_FLOORS);
        }
    }
    for (input, combine) in &prefab.combine {
        let at = root.field("combine").key(input);
        let known = check_input(checker, &at, input, (world, index), known);
        let other = prefab
            .rules
            .iter()
            .find(|(_, rule)| rule.input == *input && !combine.takes(rule.law));
        if let (true, Some((name, _))) = (known, other) {
            let message =
                format!("`MultiHill` combines rules of the form `Hill`, and `{name}` is none");
            checker.problem(&at, message);
        }
    }
}

fn is_multi_hill(prefab: &CellPrefab, input: &str) -> bool {
    prefab.combine.get(input) == Some(&Combine::MultiHill)
}

/// Whether something else that is known of cells bears a name: a category, a column.
fn is_named(world: &World, name: &str) -> bool {
    world.get_resource::<Quantities>().is_some_and(|known| {
        let mut cells = known.cells.iter();
        known.category(name).is_some()
            || cells.any(|known| known.info.column.as_deref() == Some(name))
    })
}

/// Asks for an input of cells that a cell type has.
fn check_input(
    checker: &mut Checker,
    at: &FieldPath,
    input: &str,
    (world, index): (&World, u16),
    known: &CapabilityRegistry,
) -> bool {
    let inputs = world.get_resource::<Inputs>();
    let names = inputs.map_or_else(Vec::new, Inputs::cell_names);
    let before = checker.report.problems.len();
    if !checker.known(at, "input", input, &names) {
        if let Some(problem) = checker.report.problems.get_mut(before) {
            problem.is_warning = could_be_of_molecule(known, input);
        }
        return false;
    }
    let of = inputs.and_then(|inputs| inputs.of_cells(input));
    let has = of.is_none_or(|of| of.base(world, index).is_some());
    if !has {
        checker.problem(at, format!("this cell type has no `{input}`"));
    }
    has
}

/// Checks the rules, and the molecules, of all types of a library that come from files. Returns the types that are none
/// of the scene, because it does not use them and does not have what they name.
pub(super) fn check_library(
    report: &mut SceneReport,
    library: &CellLibrary,
    unread: &[String],
    world: &World,
    place: Use,
) -> Vec<String> {
    let mut misfits = Vec::new();
    for (index, prefab) in library.types.iter().enumerate() {
        let Some((file, text)) = prefab.origin.get() else {
            continue;
        };
        let tree = Tree::read(text);
        let mut checker = Checker {
            file,
            text,
            tree: &tree,
            repaired: &[],
            molecules: &library.molecules,
            unread,
            moved: &[],
            report: SceneReport::default(),
        };
        let root = FieldPath::root();
        check_molecules_of(&mut checker, &root, prefab, &library.known);
        for problem in &mut checker.report.problems {
            problem.is_warning = true;
        }
        let known = &library.known;
        check_book(&mut checker, &root, prefab, (world, index as u16), known);
        let problems = &mut checker.report.problems;
        match place {
            Use::InScene(used) if used.contains(&prefab.name.as_str()) => {
                for problem in problems {
                    problem.is_warning = false;
                }
            }
            Use::InScene(_) => {
                let before = problems.len();
                problems.retain(|problem| !problem.is_warning);
                if problems.len() < before {
                    misfits.push(prefab.name.clone());
                }
            }
            Use::Alone => {
                for problem in problems.iter_mut().filter(|known| known.is_warning) {
                    problem.help = Some(BROUGHT.into());
                }
            }
        }
        if !checker.report.is_empty() {
            checker.report.add_source(file, text);
            report.absorb_first(checker.report);
        }
    }
    misfits
}

/// Checks the rules of the types that a scene brings along.
pub(super) fn check_own_types(
    checker: &mut Checker,
    scene: &Scene,
    library: &CellLibrary,
    world: &World,
) {
    let list = FieldPath::root().field("cell_types");
    for (place, prefab) in scene.cell_types.iter().enumerate() {
        if let Some(index) = library.index_of(&prefab.name) {
            let before = checker.report.problems.len();
            let known = &library.known;
            check_book(checker, &list.item(place), prefab, (world, index), known);
            for problem in &mut checker.report.problems[before..] {
                problem.is_warning = false;
            }
        }
    }
}

/// Notes which quantities the cells of each type lack, by beginning a cell of each in a world made for checking. The
/// parameters of the types have been checked.
pub(super) fn note_lacked_quantities(world: &mut World, types: usize) {
    // Cells begin in a site: one of a single voxel without molecules.
    let block = TissueBlock {
        name: String::new(),
        min_um: Vec3::ZERO,
        dims: UVec3::ONE,
        voxel_um: Vec3::ONE,
        walls: true,
        perfusion_length_um: None,
    };
    let (site, entity) = (SiteId::default(), world.spawn_empty().id());
    let sites = Sites {
        list: vec![SiteEntry {
            entity,
            fields: Vec::new(),
            block,
        }],
    };
    let before = world.get_resource::<Sites>().cloned();
    world.insert_resource(sites);
    let mut lacked = Vec::new();
    for cell_type in 0..types {
        let cell_type = cell_type as u16;
        let cell = world
            .spawn((
                CellId(u64::MAX),
                CellType(cell_type),
                Resident(site),
                Position::default(),
                Surroundings::default(),
            ))
            .id();
        drop(CellLife::settle(world, cell, cell_type, site));
        let known = world.get_resource::<Quantities>();
        let all = known.into_iter().flat_map(|known| &known.cells);
        let of = world.entity(cell);
        let names = all
            .filter(|quantity| quantity.is_lacked_by(of))
            .map(|quantity| quantity.info.name.clone());
        lacked.push(names.collect());
        world.despawn(cell);
    }
    world.despawn(entity);
    world.remove_resource::<Sites>();
    if let Some(before) = before {
        world.insert_resource(before);
    }
    world.insert_resource(LackedQuantities(lacked));
}
