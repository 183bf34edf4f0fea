//! Whether the rules of cell types join things that exist.
//!
//! Each fault is told where it stands: in the cell file, or in the scene that brings its own cell types. What a scene
//! changes about rules is checked in [`super::changes`].

use bevy::prelude::World;

use super::checker::Checker;
use super::library::CellLibrary;
use super::prefab::CellPrefab;
use super::report::SceneReport;
use super::schema::Scene;
use super::spans::{FieldPath, Tree};
use crate::core::input::Inputs;
use crate::core::parameters::Limits;
use crate::core::rule_check::check_rule;

/// Checks the rules of the cell type that stands at a place of a file; `index` is that of the type in the world.
fn check_book(
    checker: &mut Checker,
    root: &FieldPath,
    prefab: &CellPrefab,
    index: u16,
    world: &World,
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
            checker.problem(&at.field(fault.part), fault.message);
        }
    }
    let inputs = world
        .get_resource::<Inputs>()
        .map_or_else(Vec::new, Inputs::cell_names);
    for (input, floor) in &prefab.floors {
        let at = root.field("floors").key(input);
        if checker.known(&at, "input", input, &inputs)
            && !Limits::NON_NEGATIVE.contain(f64::from(*floor))
        {
            let allowed = Limits::NON_NEGATIVE.describe();
            checker.problem(&at, format!("must be {allowed}, found {floor}"));
        }
    }
    for (input, combine) in &prefab.combine {
        let at = root.field("combine").key(input);
        let known = checker.known(&at, "input", input, &inputs);
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

/// Checks the rules of all types of a library that come from files.
pub(super) fn check_library(report: &mut SceneReport, library: &CellLibrary, world: &World) {
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
            report: SceneReport::default(),
        };
        check_book(
            &mut checker,
            &FieldPath::root(),
            prefab,
            index as u16,
            world,
        );
        if !checker.report.is_empty() {
            checker.report.add_source(file, text);
            report.absorb(checker.report);
        }
    }
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
            check_book(checker, &list.item(place), prefab, index, world);
        }
    }
}
