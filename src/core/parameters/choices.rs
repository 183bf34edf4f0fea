//! Parameters that are one of several names, such as the law by which cells push each other.
//!
//! A scene chooses at its start (`choices: {"movement.law": "PhysiCell"}`): what follows from a choice is set up with the tissue.

use bevy::prelude::*;

use super::{
    At, CellTypeNames, Entry, ParameterError, ParameterRegistry, all_paths, beginnings, below,
    for_each_target, nearest,
};
use crate::core::numbers::write_choice;

/// A choice that a path leads to.
struct Choice<'a> {
    entry: &'a Entry,
    at: At,
    field: &'a str,
    names: &'a [&'static str],
}

fn find<'a>(world: &World, registry: &'a ParameterRegistry, path: &str) -> Option<Choice<'a>> {
    let none = CellTypeNames::default();
    let types = world.get_resource::<CellTypeNames>().unwrap_or(&none);
    registry.entries.iter().find_map(|entry| {
        let (at, rest) = if entry.per_type {
            types.0.iter().enumerate().find_map(|(index, name)| {
                entry.inside(world, index, below(entry.name, below(name, path)?)?)
            })?
        } else {
            entry.inside(world, 0, below(entry.name, path)?)?
        };
        (entry.get)(world, at)?;
        let (field, names) = entry.choices.iter().find(|(field, _)| field == rest)?;
        Some(Choice {
            entry,
            at,
            field,
            names,
        })
    })
}

/// The names, in words.
fn in_words(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// What is wrong with giving a number to what is chosen by name; nothing where the path leads to no choice.
pub(super) fn by_name(
    world: &World,
    registry: &ParameterRegistry,
    path: &str,
) -> Option<ParameterError> {
    let found = find(world, registry, path)?;
    Some(ParameterError::ByName {
        path: path.to_owned(),
        allowed: in_words(found.names),
        example: found.names.last().copied().unwrap_or_default().to_owned(),
    })
}

/// Chooses one of the names that a parameter may have.
///
/// # Errors
/// When no parameter that is chosen by name has this path, or it has no such name. Nothing is changed then.
pub fn set_choice(world: &mut World, path: &str, name: &str) -> Result<(), ParameterError> {
    world.init_resource::<ParameterRegistry>();
    world.resource_scope(|world, registry: Mut<ParameterRegistry>| {
        let Some(found) = find(world, &registry, path) else {
            return Err(unknown(world, &registry, path));
        };
        if !found.names.contains(&name) {
            return Err(ParameterError::NoSuchName {
                path: path.to_owned(),
                found: name.to_owned(),
                allowed: in_words(found.names),
            });
        }
        if let Some(mut value) = (found.entry.get_mut)(world, found.at) {
            write_choice(&mut *value, found.field, name);
        }
        Ok(())
    })
}

fn unknown(world: &World, registry: &ParameterRegistry, path: &str) -> ParameterError {
    if all_paths(world, registry).iter().any(|known| known == path) {
        return ParameterError::Number {
            path: path.to_owned(),
        };
    }
    let mut paths = Vec::new();
    for_each_target(world, registry, |owner, entry, at| {
        if (entry.get)(world, at).is_some() {
            let choices = entry.choices.iter();
            paths.extend(choices.map(|(field, _)| format!("{owner}.{field}")));
        }
    });
    let none = CellTypeNames::default();
    let types = world.get_resource::<CellTypeNames>().unwrap_or(&none);
    ParameterError::Unknown {
        path: path.to_owned(),
        suggestion: nearest(path, &paths),
        known: beginnings(types, registry),
    }
}
