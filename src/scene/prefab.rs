//! A cell type as people write it: a few fields that every cell type has, and its capabilities.
//!
//! Which capabilities there are is not known here. The text of a field that is none of the others is kept, and read
//! when the program says what its modules have registered ([`super::capabilities`]).

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::Arc;

use bevy::prelude::*;
use ron::value::RawValue;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::cell::cycle::mean_radius_um;
use crate::cell::{BodyParameters, CycleParameters};
use crate::core::capability::{Capability, CapabilityRegistry, CapabilityValue};
use crate::core::clones::Heritability;
use crate::core::dialect::write_ron;
use crate::core::parameters::Parameters;
use crate::core::rule::{Combine, Rule, RuleBook};

/// A cell type: what its cells look like and what they can do.
///
/// Any field that is not described here is a capability. One that is left out is one that the cells do not have.
#[derive(Clone, Debug, Default, PartialEq, Reflect)]
pub struct CellPrefab {
    /// Name by which scenes refer to it; that of its file without `.ron`.
    pub name: String,
    /// What it is, one or a few sentences.
    pub about: String,
    /// Colour, sRGB, each channel 0-1.
    pub colour: (f32, f32, f32),
    /// Whether its cells are part of the tumour, for measurements of the tumour's size.
    pub tumour: bool,
    /// What its cells inherit with changes: `"cycle.g0g1_hours": (spread: 0.1, mutation: 0.01)` for any number of any of
    /// its capabilities, by path.
    pub heritable: BTreeMap<String, Heritability>,
    /// What changes what in its cells, by name of the rule.
    pub rules: BTreeMap<String, Rule>,
    /// What the product of all rules on an input does not fall below, by input.
    pub floors: BTreeMap<String, f32>,
    /// How the rules on an input are combined, where not as a product.
    pub combine: BTreeMap<String, Combine>,
    /// What its cells can do, by name of the capability.
    #[reflect(ignore)]
    pub capabilities: BTreeMap<String, Written>,
    /// The file it was read from, for reports.
    #[reflect(ignore)]
    pub origin: Origin,
}

/// The name and the text of the file that something was read from. All are equal: what it says counts, not where.
#[derive(Clone, Debug, Default)]
pub struct Origin(Option<Arc<(String, String)>>);

impl Origin {
    /// That file.
    pub fn new(file: &str, text: &str) -> Self {
        Self(Some(Arc::new((file.to_owned(), text.to_owned()))))
    }

    /// Name and text, if it was read from a file of its own.
    pub fn get(&self) -> Option<(&str, &str)> {
        let (file, text) = &**self.0.as_ref()?;
        Some((file, text))
    }
}

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A capability of a cell type.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    /// As it is written, not read yet.
    Text(String),
    /// Read.
    Value(CapabilityValue),
}

impl CellPrefab {
    /// The parameters of a capability, if its cells have it.
    pub fn get<P: Parameters>(&self) -> Option<&P> {
        self.capabilities
            .values()
            .find_map(|written| match written {
                Written::Value(value) => value.get(),
                Written::Text(_) => None,
            })
    }

    /// The parameters of the capability of that name, if its cells have it.
    pub fn capability(&self, name: &str) -> Option<&CapabilityValue> {
        match self.capabilities.get(name)? {
            Written::Value(value) => Some(value),
            Written::Text(_) => None,
        }
    }

    /// Gives it the default of every capability that all cell types have.
    pub fn complete(&mut self, known: &CapabilityRegistry) {
        for capability in known.iter() {
            if let Some(default) = capability.otherwise {
                let name = capability.name.to_owned();
                let missing = || Written::Value(default());
                self.capabilities.entry(name).or_insert_with(missing);
            }
        }
    }

    /// Reads its capabilities from a text that the program itself has written.
    ///
    /// # Errors
    /// In words, when one is unknown or cannot be read.
    pub fn read_capabilities(&mut self, known: &CapabilityRegistry) -> Result<(), String> {
        read_written(&mut self.capabilities, |name| known.get(name))?;
        self.complete(known);
        Ok(())
    }

    /// Its rules, as they are put into force.
    pub fn rule_book(&self) -> RuleBook {
        RuleBook {
            rules: self.rules.clone(),
            floors: self.floors.clone(),
            combine: self.combine.clone(),
        }
    }

    /// Radius of a resting cell, um.
    pub fn radius_um(&self) -> f32 {
        self.get::<BodyParameters>()
            .map_or(0.0, BodyParameters::resting_radius_um)
    }

    /// Radius of the ball that a cell of this type fills on average, um.
    pub fn mean_radius_um(&self) -> f32 {
        self.get::<BodyParameters>().map_or(0.0, |body| {
            mean_radius_um(body, self.get::<CycleParameters>())
        })
    }

    /// The type as a cell file holds it, a field in each line.
    fn to_ron(&self) -> Result<String, ron::Error> {
        let mut fields = vec![
            ("name", write_ron(&self.name)?),
            ("about", write_ron(&self.about)?),
            ("colour", write_ron(&self.colour)?),
            ("tumour", write_ron(&self.tumour)?),
            ("rules", write_ron(&self.rules)?),
            ("floors", write_ron(&self.floors)?),
            ("combine", write_ron(&self.combine)?),
        ];
        if !self.heritable.is_empty() {
            fields.push(("heritable", write_ron(&self.heritable)?));
        }
        for (name, written) in &self.capabilities {
            fields.push((
                name,
                match written {
                    Written::Text(text) => text.clone(),
                    Written::Value(value) => value.to_ron()?,
                },
            ));
        }
        let mut text = String::from("(\n");
        for (name, value) in fields {
            writeln!(text, "            {name}: {value},").map_err(ron::Error::from)?;
        }
        text.push_str("        )");
        Ok(text)
    }
}

impl Serialize for CellPrefab {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.to_ron().map_err(S::Error::custom)?;
        RawValue::from_boxed_ron(text.into_boxed_str())
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CellPrefab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("CellPrefab", &CellPrefab::FIELDS, PrefabVisitor)
    }
}

impl CellPrefab {
    /// The fields that are no capabilities.
    pub(super) const FIELDS: [&'static str; 8] = [
        "name",
        "about",
        "colour",
        "tumour",
        "heritable",
        "rules",
        "floors",
        "combine",
    ];
}

/// Reads values from texts that the program itself has written.
pub(super) fn read_written<'k>(
    values: &mut BTreeMap<String, Written>,
    known: impl Fn(&str) -> Option<&'k Capability>,
) -> Result<(), String> {
    for (name, written) in std::mem::take(values) {
        let Written::Text(text) = written else {
            values.insert(name, written);
            continue;
        };
        let capability = known(&name).ok_or_else(|| format!("there is no `{name}`"))?;
        let value = (capability.read)(&text).map_err(|mistake| mistake.1.to_string())?;
        if let Some(value) = value {
            values.insert(name, Written::Value(value));
        }
    }
    Ok(())
}

/// The name of a field.
pub(super) struct FieldName(pub String);

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl Visitor<'_> for NameVisitor {
            type Value = FieldName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<FieldName, E> {
                Ok(FieldName(name.to_owned()))
            }
        }
        deserializer.deserialize_identifier(NameVisitor)
    }
}

struct PrefabVisitor;

impl<'de> Visitor<'de> for PrefabVisitor {
    type Value = CellPrefab;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("struct CellPrefab")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<CellPrefab, A::Error> {
        let (mut name, mut about, mut colour, mut tumour) = (None, None, None, None);
        let mut heritable = None;
        let (mut rules, mut floors, mut combine) = (None, None, None);
        let mut capabilities = BTreeMap::new();
        while let Some(FieldName(field)) = map.next_key()? {
            match field.as_str() {
                "name" => fill(&mut name, "name", &mut map)?,
                "about" => fill(&mut about, "about", &mut map)?,
                "colour" => fill(&mut colour, "colour", &mut map)?,
                "tumour" => fill(&mut tumour, "tumour", &mut map)?,
                "heritable" => fill(&mut heritable, "heritable", &mut map)?,
                "rules" => fill(&mut rules, "rules", &mut map)?,
                "floors" => fill(&mut floors, "floors", &mut map)?,
                "combine" => fill(&mut combine, "combine", &mut map)?,
                _ => {
                    let text: Box<RawValue> = map.next_value()?;
                    let text = Written::Text(text.get_ron().trim().to_owned());
                    capabilities.entry(field).or_insert(text);
                }
            }
        }
        let missing = A::Error::missing_field;
        Ok(CellPrefab {
            name: name.ok_or_else(|| missing("name"))?,
            about: about.ok_or_else(|| missing("about"))?,
            colour: colour.ok_or_else(|| missing("colour"))?,
            tumour: tumour.unwrap_or_default(),
            heritable: heritable.unwrap_or_default(),
            rules: rules.unwrap_or_default(),
            floors: floors.unwrap_or_default(),
            combine: combine.unwrap_or_default(),
            capabilities,
            origin: Origin::default(),
        })
    }
}

/// Takes the value of a field that stands there once.
fn fill<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    slot: &mut Option<T>,
    field: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return Err(A::Error::duplicate_field(field));
    }
    *slot = Some(map.next_value()?);
    Ok(())
}
