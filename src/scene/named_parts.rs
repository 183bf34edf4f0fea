//! Parts of a tissue or a body by name, as people write them: a struct with a field for each.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use ron::value::RawValue;
use serde::de::{MapAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserializer, Serialize, Serializer};

use super::prefab::{FieldName, Written, read_written};
use crate::core::capability::{Capability, CapabilityValue};

/// Parts by name. The text of each is kept, and read when the program says what its modules have registered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NamedParts {
    /// The parts, by name.
    pub parts: BTreeMap<String, Written>,
}

impl NamedParts {
    /// The part of that name, if there is one.
    pub fn get(&self, name: &str) -> Option<&CapabilityValue> {
        match self.parts.get(name)? {
            Written::Value(value) => Some(value),
            Written::Text(_) => None,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Reads them from a text that the program itself has written.
    pub(super) fn read<'k>(
        &mut self,
        known: impl Fn(&str) -> Option<&'k Capability>,
    ) -> Result<(), String> {
        read_written(&mut self.parts, known)
    }

    /// Writes them as a scene holds them.
    pub(super) fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::from("(");
        for (name, written) in &self.parts {
            let value = match written {
                Written::Text(text) => text.clone(),
                Written::Value(value) => value.to_ron().map_err(S::Error::custom)?,
            };
            write!(text, "{name}: {value}, ").map_err(S::Error::custom)?;
        }
        text.push(')');
        RawValue::from_boxed_ron(text.into_boxed_str())
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }

    /// Reads them, each as the text that stands there, of a struct of that name; `expected` is what is said where there is something
    /// else.
    pub(super) fn from_struct<'de, D: Deserializer<'de>>(
        deserializer: D,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Self, D::Error> {
        struct PartsVisitor(&'static str);

        impl<'de> Visitor<'de> for PartsVisitor {
            type Value = BTreeMap<String, Written>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut parts = BTreeMap::new();
                while let Some(FieldName(field)) = map.next_key()? {
                    let text: Box<RawValue> = map.next_value()?;
                    let text = Written::Text(text.get_ron().trim().to_owned());
                    parts.entry(field).or_insert(text);
                }
                Ok(parts)
            }
        }
        let parts = deserializer.deserialize_struct(name, &[], PartsVisitor(expected))?;
        Ok(Self { parts })
    }
}
