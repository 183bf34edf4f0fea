//! From the text of capabilities in a cell file to their parameters, and whether these make sense.
//!
//! What the modules of the program have registered says how each is read. Every mistake is told at its place in the
//! file, as those of the fields around it are.

use std::collections::BTreeMap;

use bevy::reflect::PartialReflect;

use super::check::MAX_NAMED;
use super::checker::{Checker, names_in};
use super::prefab::{CellPrefab, Written};
use super::read::{Later, Reading};
use super::report::{Problem, line_and_column};
use super::spans::{FieldPath, SyntaxBody, Tree};
use super::words::likely;
use crate::core::capability::{Capability, CapabilityRegistry, CapabilityValue};
use crate::core::numbers::{field_at, number_fields, read_number};
use crate::core::parameters::Contradiction;
use crate::tissue::MoleculeName;

/// What has fields that modules have registered: a cell type its capabilities, a site the parts of its tissue.
pub(super) trait HoldsParts {
    /// The fields that are none of these.
    const FIELDS: &'static [&'static str];

    /// The registered field of that name.
    fn known<'k>(known: &'k CapabilityRegistry, name: &str) -> Option<&'k Capability>;

    /// The names of all registered fields.
    fn names(known: &CapabilityRegistry) -> Vec<&'static str>;

    /// What it has, by name.
    fn parts(&mut self) -> &mut BTreeMap<String, Written>;

    /// Gives it what it has where nothing is said.
    fn complete(&mut self, known: &CapabilityRegistry);
}

impl HoldsParts for CellPrefab {
    const FIELDS: &'static [&'static str] = &Self::FIELDS;

    fn known<'k>(known: &'k CapabilityRegistry, name: &str) -> Option<&'k Capability> {
        known.get(name)
    }

    fn names(known: &CapabilityRegistry) -> Vec<&'static str> {
        known.names()
    }

    fn parts(&mut self) -> &mut BTreeMap<String, Written> {
        &mut self.capabilities
    }

    fn complete(&mut self, known: &CapabilityRegistry) {
        Self::complete(self, known);
    }
}

/// Reads what modules have registered, of the struct that stands at a place of a file.
pub(super) fn read_parts<H: HoldsParts, T>(
    (file, text): (&str, &str),
    at: &FieldPath,
    prefab: &mut H,
    known: &CapabilityRegistry,
    reading: &mut Reading<T>,
) {
    prefab.parts().clear();
    let mended = reading.draft.text.clone();
    let tree = Tree::read(&mended);
    let (node, exact) = tree.find(at, &mended);
    let SyntaxBody::Struct(entries) = &node.unwrapped().body else {
        prefab.complete(known);
        return;
    };
    if !exact {
        prefab.complete(known);
        return;
    }
    let name_of = |range: &std::ops::Range<usize>| mended[range.clone()].trim_start_matches("r#");
    let present: Vec<&str> = entries.iter().map(|entry| name_of(&entry.name)).collect();
    let mut found: BTreeMap<&'static str, usize> = BTreeMap::new();
    for entry in entries {
        let name = name_of(&entry.name);
        if H::FIELDS.contains(&name) {
            continue;
        }
        let place = reading.draft.original(&entry.name);
        let meant = match H::known(known, name) {
            Some(capability) => Some(capability),
            None => {
                let all: Vec<&str> = H::FIELDS.iter().copied().chain(H::names(known)).collect();
                let free = all.iter().copied().filter(|name| !present.contains(name));
                let guess = likely(name, &free.collect::<Vec<_>>());
                let mut message = format!("there is no field `{name}` here");
                if let Some(guess) = &guess {
                    message.push_str(&format!("; did you mean `{guess}`?"));
                }
                let quoted: Vec<String> = all.iter().map(|name| format!("`{name}`")).collect();
                let problem = Problem::at(file, text, place.clone(), at.field(name), message)
                    .with_help(format!("the fields are {}", quoted.join(", ")));
                reading.problems.push(problem);
                let guess = guess.and_then(|guess| H::known(known, &guess));
                if let Some(guess) = guess {
                    reading.repaired.push(at.field(guess.name));
                }
                guess
            }
        };
        let Some(capability) = meant else {
            continue;
        };
        let way = at.field(capability.name);
        if let Some(first) = found.get(capability.name) {
            let (line, _) = line_and_column(text, *first);
            let message = format!("the field `{name}` stands twice, first in line {line}");
            let problem = Problem::at(file, text, place, &way, message);
            reading.problems.push(problem);
            continue;
        }
        found.insert(capability.name, place.start);
        if name == capability.name && reading.repaired.contains(&way) {
            // Its text was beyond repair, which has been said.
            continue;
        }
        let later = Later {
            file,
            text,
            at: way,
            root: capability.parameters,
            attempt: &capability.read,
        };
        if let Some(Some(value)) = later.read(entry.value.span.clone(), reading) {
            let name = capability.name.to_owned();
            prefab.parts().insert(name, Written::Value(value));
        }
    }
    prefab.complete(known);
}

/// Checks the cell type that stands at a place of a file.
pub(super) fn check_prefab(
    checker: &mut Checker,
    root: &FieldPath,
    prefab: &CellPrefab,
    known: &CapabilityRegistry,
) {
    checker.plain_name(&root.field("name"), &prefab.name);
    check_colour(checker, &root.field("colour"), prefab.colour);
    let rules = prefab.rules.len();
    if rules > MAX_NAMED {
        let message = format!("at most {MAX_NAMED} are possible, found {rules}");
        checker.problem(&root.field("rules"), message);
    }
    check_heritable(checker, &root.field("heritable"), prefab, known);
    for capability in known.iter() {
        let Some(value) = prefab.capability(capability.name) else {
            continue;
        };
        check_value(checker, &root.field(capability.name), capability, value);
    }
}

/// Checks the numbers of a capability, or of a part of tissue, that stands at a place of a file.
pub(super) fn check_value(
    checker: &mut Checker,
    path: &FieldPath,
    capability: &Capability,
    value: &CapabilityValue,
) {
    checker.limits(path, capability.limits, value.reflect());
    tell(checker, path, (capability.contradictions)(value));
}

/// Tells what contradicts each other in a value that stands at a place of a file.
pub(super) fn tell(checker: &mut Checker, path: &FieldPath, contradictions: Vec<Contradiction>) {
    for contradiction in contradictions {
        let fields = contradiction.field.split('.');
        let fields = fields.filter(|field| !field.is_empty());
        let at = fields.fold(path.clone(), |path, field| path.field(field));
        checker.problem(&at, contradiction.message);
    }
}

/// Asks for three channels of sRGB.
pub(super) fn check_colour(
    checker: &mut Checker,
    path: &FieldPath,
    (red, green, blue): (f32, f32, f32),
) {
    for (channel, value) in [red, green, blue].into_iter().enumerate() {
        if !(0.0..=1.0).contains(&value) {
            let message = format!("must be from 0 to 1, found {value}");
            checker.problem(&path.nth(channel), message);
        }
    }
}

/// Asks for every molecule that the capabilities of a cell type name.
pub(super) fn check_molecules_of(
    checker: &mut Checker,
    root: &FieldPath,
    prefab: &CellPrefab,
    known: &CapabilityRegistry,
) {
    for (at, molecule) in molecules_of(root, prefab, known) {
        checker.molecule(&at, molecule);
    }
}

/// Every molecule that the capabilities of a cell type name, with the place of the name.
pub(super) fn molecules_of<'p>(
    root: &FieldPath,
    prefab: &'p CellPrefab,
    known: &CapabilityRegistry,
) -> Vec<(FieldPath, &'p MoleculeName)> {
    let names = known.iter().map(|capability| capability.name);
    let values = names.filter_map(|name| Some((name, prefab.capability(name)?)));
    values
        .flat_map(|(name, value)| names_in::<MoleculeName>(&root.field(name), value.reflect()))
        .collect()
}

/// Checks what a cell type says its cells inherit with changes.
pub(super) fn check_heritable(
    checker: &mut Checker,
    map: &FieldPath,
    prefab: &CellPrefab,
    known: &CapabilityRegistry,
) {
    if prefab.heritable.is_empty() {
        return;
    }
    // Every number and switch, with what keeps it from being multiplied.
    let mut numbers: BTreeMap<String, Option<String>> = BTreeMap::new();
    for capability in known.iter() {
        let Some(value) = prefab.capability(capability.name) else {
            continue;
        };
        for (name, of) in (capability.structs)(value) {
            let item = name.map_or_else(String::new, |name| format!("{name}."));
            let info = of.get_represented_type_info();
            for field in info.map_or_else(Vec::new, number_fields) {
                let path = format!("{}.{item}{field}", capability.name);
                numbers.insert(path, unfit(of, &field));
            }
        }
    }
    let fit = numbers.iter().filter(|(_, unfit)| unfit.is_none());
    let fit: Vec<&String> = fit.map(|(path, _)| path).collect();
    for (path, how) in &prefab.heritable {
        let at = map.key(path);
        match numbers.get(path) {
            None => {
                checker.known(&at, "parameter of this cell type", path, &fit);
                continue;
            }
            Some(Some(why)) => {
                checker.problem(&at, format!("`{path}` cannot be heritable: {why}"));
            }
            Some(None) => {}
        }
        if checker.not_negative(&at.field("spread"), how.spread) && how.spread > 1.0 {
            checker.problem_with_help(
                &at.field("spread"),
                format!("must be at most 1, found {}", how.spread),
                "it is the standard deviation of the logarithm: with 0.1 a change is one of about 10 %, with 1 one to \
                 about a third or threefold",
            );
        }
        if !(0.0..=1.0).contains(&how.mutation) {
            let message = format!("must be from 0 to 1, found {}", how.mutation);
            checker.problem(&at.field("mutation"), message);
        }
    }
}

/// Why a number of a struct is none that changes when it is multiplied.
fn unfit(of: &dyn PartialReflect, field: &str) -> Option<String> {
    let kind = field_at(of, field);
    let kind = match kind {
        Some(kind) if kind.try_downcast_ref::<bool>().is_some() => "a switch",
        Some(kind) if kind.try_downcast_ref::<u32>().is_some() => "a whole number",
        _ => {
            let is_zero = read_number(of, field) == Some(0.0);
            return is_zero.then(|| {
                "a division multiplies it, and it is 0; give it another value in the cell file"
                    .into()
            });
        }
    };
    Some(format!(
        "a division multiplies it by some factor, and it is {kind}; only numbers that may have a fraction can be"
    ))
}
