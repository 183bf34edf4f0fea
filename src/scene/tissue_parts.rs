//! What the tissue of a site is made of, as people write it: a struct with a field for each part.
//!
//! Which parts there are is not known here. The text of each is kept, and read when the program says what its modules
//! have registered, see [`crate::core::site_part`].

use std::collections::BTreeMap;
use std::path::Path;

use bevy::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::capabilities::{HoldsParts, check_value, tell};
use super::checker::Checker;
use super::named_parts::NamedParts;
use super::prefab::Written;
use super::report::{Problem, SceneReport};
use super::schema::{Scene, Site};
use super::spans::FieldPath;
use super::{LONGEST_TEXT, read_text_below};
use crate::biology::therapy::effects::rules_of_sites;
use crate::core::capability::{Capability, CapabilityRegistry};
use crate::core::rule::RuleBook;

/// What the tissue of a site is made of besides its cells and molecules: `(matrix: (density: 0.4))`. A part that is left out is one that
/// it does not have.
#[derive(Clone, Debug, Default, PartialEq, Deref, DerefMut, Reflect)]
pub struct TissueParts {
    /// The parts.
    #[reflect(ignore)]
    named: NamedParts,
}

impl TissueParts {
    /// Reads its parts from a text that the program itself has written.
    ///
    /// # Errors
    /// In words, when one is unknown or cannot be read.
    pub fn read_parts(&mut self, known: &CapabilityRegistry) -> Result<(), String> {
        self.read(|name| <Self as HoldsParts>::known(known, name))
    }
}

/// The rules of each site of a scene: those of its parts, and those by which drugs act on what it holds.
pub(crate) fn site_rule_books(
    scene: &Scene,
    known: &CapabilityRegistry,
    world: &World,
) -> Vec<RuleBook> {
    let by_drugs = rules_of_sites(world);
    let of_site = |site: &Site| {
        let mut book = RuleBook::default();
        for part in known.site_parts() {
            if site.tissue.get(part.file.name).is_some() {
                book.rules.extend(part.rules.clone());
            }
        }
        book.rules.extend(by_drugs.clone());
        book
    };
    scene.sites.iter().map(of_site).collect()
}

impl HoldsParts for TissueParts {
    const FIELDS: &'static [&'static str] = &[];

    fn known<'k>(known: &'k CapabilityRegistry, name: &str) -> Option<&'k Capability> {
        known.site_part(name).map(|part| &part.file)
    }

    fn names(known: &CapabilityRegistry) -> Vec<&'static str> {
        known.site_parts().map(|part| part.file.name).collect()
    }

    fn parts(&mut self) -> &mut BTreeMap<String, Written> {
        &mut self.parts
    }

    fn complete(&mut self, _: &CapabilityRegistry) {}
}

/// Reads the files that parts of the tissue of a scene name, from a folder, and puts what stands in them in their place.
pub(super) fn read_files(
    scene: &mut Scene,
    known: &CapabilityRegistry,
    folder: &Path,
    report: &mut SceneReport,
) {
    for site in &mut scene.sites {
        for part in known.site_parts() {
            let Some(Written::Value(value)) = site.tissue.parts.get(part.file.name) else {
                continue;
            };
            let shown = |file: &str| folder.join(file).display().to_string();
            let mut texts: Vec<(String, String)> = Vec::new();
            let found = part.read_files(value, &mut |file| {
                let shown = shown(file);
                match read_text_below(folder, Path::new(file), LONGEST_TEXT, &shown) {
                    Ok(text) => {
                        texts.push((shown, text.clone()));
                        Some(text)
                    }
                    Err(problem) => {
                        report.problems.push(*problem);
                        None
                    }
                }
            });
            for (name, text) in &texts {
                report.add_source(name, text);
            }
            match found {
                Ok(Some(read)) => {
                    let name = part.file.name.to_owned();
                    site.tissue.parts.insert(name, Written::Value(read));
                }
                Ok(None) => {}
                Err(faults) => {
                    for fault in faults {
                        let name = shown(&fault.file);
                        let mut texts = texts.iter();
                        let text = texts.find(|(known, _)| *known == name);
                        let text = text.map_or("", |(_, text)| text.as_str());
                        let problem =
                            Problem::at(&name, text, fault.span, &fault.column, fault.message);
                        report.problems.push(problem);
                    }
                }
            }
        }
    }
}

/// Checks the parts of the tissue at a place of a scene, in a site of that size, um.
pub(super) fn check_parts(
    checker: &mut Checker,
    root: &FieldPath,
    (tissue, size_um): (&TissueParts, Vec3),
    known: &CapabilityRegistry,
) {
    for part in known.site_parts() {
        let Some(value) = tissue.get(part.file.name) else {
            continue;
        };
        let path = root.field(part.file.name);
        check_value(checker, &path, &part.file, value);
        if size_um.is_finite() && size_um.cmpgt(Vec3::ZERO).all() {
            tell(checker, &path, part.contradictions_in(value, size_um));
        }
    }
}

impl Serialize for TissueParts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer)
    }
}

impl<'de> Deserialize<'de> for TissueParts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let named = NamedParts::from_struct(deserializer, "TissueParts", "struct TissueParts")?;
        Ok(Self { named })
    }
}
