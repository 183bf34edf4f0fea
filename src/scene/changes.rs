//! Whether a scene can make the changes it asks for: its `rules`, `choices` and `parameters`, and those of its timeline.
//!
//! They build on each other: a parameter may be a number of a rule that `rules` adds, or of one that the timeline has deleted
//! by then. So they are made one after the other in a world made for trying, in the order in which the simulation makes
//! them, and each fault is told where the change stands.

use std::collections::BTreeSet;
use std::ops::Range;

use bevy::prelude::World;

use super::causes::check_rules_of_causes;
use super::checker::Checker;
use super::course;
use super::library::CellLibrary;
use super::schema::Scene;
use super::spans::{FieldPath, SyntaxBody, unquoted};
use super::timeline::Timeline;
use super::tissue_parts::site_rule_books;
use crate::core::parameters::{
    CellTypeNames, ParameterError, check_exact, set_choice, set_parameter,
};
use crate::core::regulate::{RuleChange, Rules};
use crate::core::rule_check::check_change;

/// Makes all changes of a scene in a world that has its cell types.
pub(super) fn check_changes(
    checker: &mut Checker,
    (scene, timeline): (&Scene, &Timeline),
    library: &CellLibrary,
    world: &mut World,
) {
    let books = site_rule_books(scene, &library.known, world);
    let mut rules = world.get_resource_or_init::<Rules>();
    rules.of_sites = books;
    rules.sites = scene.sites.iter().map(|site| site.name.clone()).collect();
    check_rules_of_causes(checker, scene, world);
    let root = FieldPath::root();
    let types = world.get_resource::<CellTypeNames>();
    let types = types.cloned().unwrap_or_default();
    let mut replay = Replay {
        checker,
        world,
        types,
        deleted: BTreeSet::new(),
    };
    let list = root.field("rules");
    for (place, change) in scene.rules.iter().enumerate() {
        replay.rule(&list.item(place), change);
    }
    let map = root.field("choices");
    for (path, name) in &scene.choices {
        replay.choose(&map.key(path), path, name);
    }
    let map = root.field("parameters");
    for (path, value) in &scene.parameters {
        let at = map.key(path);
        replay.set((&at, &at), path, *value);
    }
    if !scene.parameters.is_empty() {
        check_together(replay.checker, &map, scene, library, replay.world);
    }
    course::check_course(replay, scene, timeline, library);
}

/// What is said of a rule that an earlier change deleted.
const DELETED: &str = "the scene has deleted this rule by then";

/// Changes one after the other.
pub(super) struct Replay<'c, 'a> {
    pub checker: &'c mut Checker<'a>,
    pub world: &'c mut World,
    /// The names of the cell types.
    pub types: CellTypeNames,
    /// Owners and names of the rules that are no more.
    deleted: BTreeSet<(String, String)>,
}

impl Replay<'_, '_> {
    /// Checks a change of the rules and makes it; says whether it is fine.
    pub fn rule(&mut self, at: &FieldPath, change: &RuleChange) -> bool {
        let checked = check_change(self.world, change);
        let named = match change {
            RuleChange::Add { of, rule, .. } => vec![of, &rule.by, &rule.input],
            RuleChange::Scale(path, _) | RuleChange::Delete(path) => vec![path],
        };
        let is_unread = named.iter().any(|name| self.checker.is_unread(name));
        if let Err(fault) = &checked
            && !(fault.is_unknown && is_unread)
        {
            let at = match (change, fault.part) {
                (RuleChange::Add { .. }, "of" | "name") => at.field(fault.part),
                (RuleChange::Add { .. }, part) => at.field("rule").field(part),
                (RuleChange::Scale(..), "path") => at.nth(0),
                (RuleChange::Scale(..), _) => at.nth(1),
                (RuleChange::Delete(_), _) => at.clone(),
            };
            let problem = self.checker.problem(&at, fault.message.as_str());
            if let (Some(problem), RuleChange::Scale(path, _) | RuleChange::Delete(path)) =
                (problem, change)
                && let Some((of, name)) = Rules::owner_and_name(path)
                && self.deleted.contains(&(of.to_owned(), name.to_owned()))
            {
                problem.help = Some(DELETED.into());
            }
        }
        // A wrong rule is there too, or everything that is said about it later would be called wrong as well.
        self.change(change);
        checked.is_ok()
    }

    /// Changes the rules, where what is changed is there.
    pub fn change(&mut self, change: &RuleChange) {
        let mut rules = self.world.resource_mut::<Rules>();
        if !rules.change(&self.types, change) {
            return;
        }
        match change {
            RuleChange::Add { of, name, .. } => {
                self.deleted.remove(&(of.clone(), name.clone()));
            }
            RuleChange::Delete(path) => {
                let rule = Rules::owner_and_name(path);
                let owned = rule.map(|(of, name)| (of.to_owned(), name.to_owned()));
                self.deleted.extend(owned);
            }
            RuleChange::Scale(..) => {}
        }
    }

    /// Makes a choice of `choices` that stands there.
    fn choose(&mut self, at: &FieldPath, path: &str, name: &str) {
        let Err(error) = set_choice(self.world, path, name) else {
            return;
        };
        let is_unknown = matches!(error, ParameterError::Unknown { .. });
        if is_unknown && self.checker.is_unread(path) {
            return;
        }
        match key_span(self.checker, "choices", path).filter(|_| is_unknown) {
            Some(span) => self.checker.problem_in(span, at, error.to_string()),
            None => self.checker.problem(at, error.to_string()),
        };
    }

    /// Sets a parameter whose path and value stand at these places, which are one in `parameters`; says whether it can
    /// be set.
    pub fn set(
        &mut self,
        (name_at, value_at): (&FieldPath, &FieldPath),
        path: &str,
        value: f64,
    ) -> bool {
        let fits = check_exact(self.world, path, value);
        match fits.and_then(|()| set_parameter(self.world, path, value)) {
            Ok(()) => return true,
            Err(ParameterError::Unknown { .. }) if self.checker.is_unread(path) => {}
            Err(
                error @ (ParameterError::ByName { .. }
                | ParameterError::NoSuchName { .. }
                | ParameterError::Number { .. }),
            ) => {
                self.checker.problem(name_at, error.to_string());
            }
            Err(error @ ParameterError::Unknown { .. }) => {
                let is_deleted = self
                    .deleted
                    .iter()
                    .any(|(of, name)| path.starts_with(&format!("{of}.rules.{name}.")));
                let key = (name_at == value_at).then(|| key_span(self.checker, "parameters", path));
                let problem = match key.flatten() {
                    Some(span) => self.checker.problem_in(span, name_at, error.to_string()),
                    None => self.checker.problem(name_at, error.to_string()),
                };
                if let (Some(problem), true) = (problem, is_deleted) {
                    problem.message = format!("there is no parameter `{path}` then");
                    problem.help = Some(DELETED.into());
                }
            }
            Err(ParameterError::OutOfRange { value, allowed, .. }) => {
                // That a value of the timeline is finite is checked with its event.
                if value.is_finite() || value_at == name_at {
                    let message = format!("must be {allowed}, found {value}");
                    self.checker.problem(value_at, message);
                }
            }
        }
        false
    }
}

/// Checks that the cell types make sense with the scene's parameters.
fn check_together(
    checker: &mut Checker,
    map: &FieldPath,
    scene: &Scene,
    library: &CellLibrary,
    world: &World,
) {
    for (name, index) in library.names().iter().zip(0..) {
        for capability in library.known.iter() {
            for contradiction in (capability.contradictions_in_force)(world, index) {
                let paths = [contradiction.field, contradiction.other]
                    .map(|field| format!("{name}.{}.{field}", capability.name));
                // Neither is the scene's doing if a cell file is wrong, which is told there.
                if let Some(set) = paths
                    .iter()
                    .find(|path| scene.parameters.contains_key(*path))
                {
                    let message = format!("`{}`: {}", paths[0], contradiction.message);
                    checker.problem(&map.key(set), message);
                }
            }
        }
    }
}

/// Where a key of a map of the scene stands.
fn key_span(checker: &Checker, map: &str, key: &str) -> Option<Range<usize>> {
    let mut map = checker.place(&FieldPath::root().field(map).key(key));
    map.0.pop();
    let (node, _) = checker.tree.find(&map, checker.text);
    let SyntaxBody::Map(pairs) = &node.unwrapped().body else {
        return None;
    };
    pairs
        .iter()
        .map(|(name, _)| name.span.clone())
        .rfind(|span| unquoted(&checker.text[span.clone()]) == key)
}
