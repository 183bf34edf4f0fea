//! What the body around the sites of a scene is made of, as people write it: a struct with a field for each part.
//!
//! Which parts there are is not known here. The text of each is kept, and read when the program says what its modules
//! have registered, see [`crate::core::body_part`].

use std::collections::BTreeMap;

use bevy::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::capabilities::{HoldsParts, check_value};
use super::checker::{Checker, names_in};
use super::library::CellLibrary;
use super::named_parts::NamedParts;
use super::prefab::Written;
use super::schema::Scene;
use super::spans::FieldPath;
use crate::core::capability::{Capability, CapabilityRegistry, CellTypeName};

/// What the body around the sites is made of: `(circulation: (species: Mouse))`. A part that is left out is one that it does not have.
#[derive(Clone, Debug, Default, PartialEq, Deref, DerefMut, Reflect)]
pub struct BodyParts {
    /// The parts.
    #[reflect(ignore)]
    named: NamedParts,
}

impl BodyParts {
    /// The cell types that its parts name.
    pub fn cell_types(&self) -> Vec<&str> {
        let parts = self.parts.keys().filter_map(|name| self.get(name));
        parts
            .flat_map(|value| names_in::<CellTypeName>(&FieldPath::root(), value.reflect()))
            .map(|(_, name)| name.0.as_str())
            .collect()
    }

    /// Reads its parts from a text that the program itself has written.
    ///
    /// # Errors
    /// In words, when one is unknown or cannot be read.
    pub fn read_parts(&mut self, known: &CapabilityRegistry) -> Result<(), String> {
        self.read(|name| <Self as HoldsParts>::known(known, name))
    }
}

impl HoldsParts for BodyParts {
    const FIELDS: &'static [&'static str] = &[];

    fn known<'k>(known: &'k CapabilityRegistry, name: &str) -> Option<&'k Capability> {
        known.body_part(name).map(|part| &part.file)
    }

    fn names(known: &CapabilityRegistry) -> Vec<&'static str> {
        known.body_parts().map(|part| part.file.name).collect()
    }

    fn parts(&mut self) -> &mut BTreeMap<String, Written> {
        &mut self.parts
    }

    fn complete(&mut self, _: &CapabilityRegistry) {}
}

/// Checks the parts of the body of a scene, and asks for the cell types that they name.
pub(super) fn check_body_parts(
    checker: &mut Checker,
    root: &FieldPath,
    scene: &Scene,
    library: &CellLibrary,
) {
    let body = &scene.body;
    let mut events = scene.timeline.iter();
    let given = events.any(|event| event.action().drug().is_some());
    let patient = given.then(|| format!("{:?}", scene.patient));
    for part in library.known.body_parts() {
        let Some(value) = body.get(part.file.name) else {
            continue;
        };
        let path = root.field(part.file.name);
        check_value(checker, &path, &part.file, value);
        let species = (part.file.species)(value);
        if let (Some(species), Some(patient)) = (&species, &patient)
            && species != patient
        {
            let message = format!(
                "this is the body of a {species}, and drugs are given to a {patient}: say `patient: {species}`, or the same species here"
            );
            checker.problem(&path, message);
        }
        for (at, name) in names_in::<CellTypeName>(&path, value.reflect()) {
            checker.cell_type(&at, &name.0, library);
            let Some(of) = library.get(&name.0) else {
                continue;
            };
            for need in part.file.named_types_need {
                if of.capability(need).is_none() {
                    let message = format!(
                        "cells of the type `{}` cannot do this: it has no `{need}`; give its file `{need}: ()`",
                        name.0
                    );
                    checker.problem(&at, message);
                }
            }
        }
    }
}

impl Serialize for BodyParts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer)
    }
}

impl<'de> Deserialize<'de> for BodyParts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let named = NamedParts::from_struct(deserializer, "BodyParts", "struct BodyParts")?;
        Ok(Self { named })
    }
}
