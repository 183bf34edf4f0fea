//! Cell types of a scene that are as others but for some rules, or for what they inherit with changes.
//!
//! A variant is a type of its own: populations, parameters and metrics name it as they do any other. So the same tumour can stand in
//! several sites of one scene, in each with another of its rules gone.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::capabilities::{check_colour, check_heritable};
use super::checker::Checker;
use super::library::CellLibrary;
use super::prefab::{CellPrefab, Origin};
use super::schema::Scene;
use super::spans::FieldPath;
use crate::core::clones::Heritability;

/// A cell type that is as another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Its name, by which populations and parameters refer to it.
    pub name: String,
    /// The cell type that it is like.
    pub like: String,
    /// What it is, in a sentence; that of the other type if left out.
    #[serde(default)]
    pub about: Option<String>,
    /// Its colour, sRGB, each channel 0-1; that of the other type if left out.
    #[serde(default)]
    pub colour: Option<(f32, f32, f32)>,
    /// Names of the rules that it lacks.
    #[serde(default)]
    pub without: Vec<String>,
    /// What its cells inherit with changes, in place of what the other type says.
    #[serde(default)]
    pub heritable: Option<BTreeMap<String, Heritability>>,
}

/// Adds the variants of a scene to its types, those that make sense.
pub(super) fn add_variants(library: &mut CellLibrary, scene: &Scene) {
    for variant in &scene.variants {
        if library.get(&variant.name).is_some() {
            continue;
        }
        let Some(like) = library.get(&variant.like) else {
            continue;
        };
        let mut of = CellPrefab {
            name: variant.name.clone(),
            origin: Origin::default(),
            ..like.clone()
        };
        of.rules.retain(|name, _| !variant.without.contains(name));
        if let Some(about) = &variant.about {
            of.about.clone_from(about);
        }
        if let Some(colour) = variant.colour {
            of.colour = colour;
        }
        if let Some(heritable) = &variant.heritable {
            of.heritable.clone_from(heritable);
        }
        library.types.push(of);
    }
}

/// Checks the variants of a scene; the library has them already.
pub(super) fn check_variants(checker: &mut Checker, scene: &Scene, library: &CellLibrary) {
    let list = FieldPath::root().field("variants");
    let mut before: Vec<String> = library.names();
    before.retain(|name| scene.variants.iter().all(|variant| variant.name != *name));
    for (index, variant) in scene.variants.iter().enumerate() {
        let at = list.item(index);
        let name = at.field("name");
        checker.plain_name(&name, &variant.name);
        let is_own = scene.cell_types.iter().any(|own| own.name == variant.name);
        let earlier = &scene.variants[..index];
        if let Some(first) = earlier.iter().position(|v| v.name == variant.name) {
            let message = format!(
                "`{}` is already the name of variants[{first}]",
                variant.name
            );
            checker.problem(&name, message);
        } else if is_own || is_shadowed(variant, library) {
            let message = format!("`{}` is already the name of a cell type", variant.name);
            checker.problem_with_help(&name, message, "give the variant another name");
        }
        if !checker.known(&at.field("like"), "cell type", &variant.like, &before) {
            before.push(variant.name.clone());
            continue;
        }
        before.push(variant.name.clone());
        if let Some(like) = library.get(&variant.like) {
            let known: Vec<&String> = like.rules.keys().collect();
            for (place, rule) in variant.without.iter().enumerate() {
                checker.known(&at.field("without").item(place), "rule", rule, &known);
            }
        }
        if let Some(colour) = variant.colour {
            check_colour(checker, &at.field("colour"), colour);
        }
        if let (Some(heritable), Some(like)) = (&variant.heritable, library.get(&variant.like)) {
            let of = CellPrefab {
                heritable: heritable.clone(),
                ..like.clone()
            };
            check_heritable(checker, &at.field("heritable"), &of, &library.known);
        }
    }
}

/// Whether the library has another type of that name, which came from a file.
fn is_shadowed(variant: &Variant, library: &CellLibrary) -> bool {
    let found = library.get(&variant.name);
    found.is_some_and(|found| found.origin.get().is_some())
}

#[cfg(test)]
mod tests {
    use crate::scene::{SceneContext, parse_scene};

    #[test]
    fn what_a_variant_inherits_is_checked_as_that_of_any_type() {
        let text = r#"(title: "t", about: "", pace: Calibrated, duration: Hours(1),
            sites: [(name: "a", organ: Breast, size_um: (200, 200, 200))],
            variants: [(name: "odd", like: "cancer", heritable: {
                "cycle.g0g1_hour": (spread: 0.1, mutation: 0), "cycle.g0g1_hours": (spread: -3, mutation: 7)})])"#;
        let read = parse_scene(text, "t.ron", &SceneContext::default());
        let told = read.expect_err("it is wrong").to_string();
        for what in [
            "did you mean `cycle.g0g1_hours`?",
            "at least 0",
            "from 0 to 1",
        ] {
            assert!(told.contains(what), "{what}: {told}");
        }
    }
}
