//! Whether the rules of cell types, and what a scene changes about them, join things that exist.
//!
//! Each fault is told where it stands: in the cell file, in the scene that brings its own cell types, in the scene's
//! `rules` or in its timeline.

use bevy::prelude::World;

use super::checker::Checker;
use super::library::CellLibrary;
use super::prefab::CellPrefab;
use super::report::SceneReport;
use super::schema::{Action, Event, Scene};
use super::spans::{FieldPath, Tree};
use crate::core::input::Inputs;
use crate::core::parameters::{CellTypeNames, Limits};
use crate::core::regulate::{RuleChange, Rules, check_change, check_rule};

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

/// Checks the rules of the types that a scene brings along, and its changes.
pub(super) fn check_scene_rules(
    checker: &mut Checker,
    scene: &Scene,
    library: &CellLibrary,
    world: &mut World,
) {
    let root = FieldPath::root();
    for (place, prefab) in scene.cell_types.iter().enumerate() {
        if let Some(index) = library.index_of(&prefab.name) {
            let at = root.field("cell_types").item(place);
            check_book(checker, &at, prefab, index, world);
        }
    }
    let names = scene.sites.iter().map(|site| site.name.clone()).collect();
    let mut rules = world.get_resource_or_init::<Rules>();
    rules.of_sites = vec![Default::default(); scene.sites.len()];
    rules.sites = names;
    let at_start = scene.rules.iter().enumerate();
    let mut changes: Vec<(FieldPath, &RuleChange)> = at_start
        .map(|(place, change)| (root.field("rules").item(place), change))
        .collect();
    for (place, event) in scene.timeline.iter().enumerate() {
        let at = root.field("timeline").item(place);
        let (at, action) = match event {
            Event::At(_, action) => (at.nth(1), action),
            Event::Every { action, .. } => (at.field("action"), action),
        };
        if let Action::Rule(change) = action {
            changes.push((at, change));
        }
    }
    for (at, change) in changes {
        if let Err(fault) = check_change(world, change) {
            let at = match (change, fault.part) {
                (RuleChange::Add { .. }, "of" | "name") => at.field(fault.part),
                (RuleChange::Add { .. }, part) => at.field("rule").field(part),
                (RuleChange::Scale(..), "path") => at.nth(0),
                (RuleChange::Scale(..), _) => at.nth(1),
                (RuleChange::Delete(_), _) => at,
            };
            checker.problem(&at, fault.message);
            continue;
        }
        // A rule may be deleted in one branch of the story and scaled in a later one: what follows is checked against
        // the rules as they are then.
        let types = world.resource::<CellTypeNames>().clone();
        world.resource_mut::<Rules>().change(&types, change);
    }
}
