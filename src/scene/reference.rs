//! What scene and cell files hold: every struct, enum, field and default, with what its doc comment says.
//!
//! Names, types and comments are those of the schema itself, read through [`TypeInfo`]. What may be left out, and what
//! it is then, is found by leaving it out: each type is read from a small text without the field.

use std::any::TypeId;

use bevy::reflect::enums::VariantInfo;
use bevy::reflect::{NamedField, PartialReflect, ReflectRef, TypeInfo, Typed};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::look::{CameraKey, Cut, Label, Look, PlotShown, Slice, Target};
use super::prefab::CellPrefab;
use super::schema::{
    CellAt, Condition, Event, Field, Output, Place, Population, Recording, Scene, Site, Source,
};
use super::shape::example;
use super::stage::StageLayout;
use super::tissue_parts::TissueParts;
use super::variants::Variant;
use crate::core::clones::Heritability;
use crate::core::dialect::read_ron;
use crate::core::documentation::{inside_option, of_type, plain, written};
use crate::core::regulate::RuleChange;
use crate::core::rule::{Law, Rule};
use crate::tissue::placed::Region;
use crate::tissue::{Molecule, MoleculeName};

/// A type of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FileType {
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: String,
    /// Its fields, if it is a struct.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FileField>,
    /// What it may be, if it is a choice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<FileVariant>,
}

/// A field of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FileField {
    /// Its name.
    pub name: String,
    /// What stands in it, in words; names of types in back quotes.
    pub holds: String,
    /// What it is where it is left out; it is required where there is nothing.
    pub default: Option<String>,
    /// What it is.
    pub about: String,
}

/// One of the things that a choice may be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FileVariant {
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: String,
    /// What stands in its parentheses, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<String>,
    /// Its fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FileField>,
}

/// Reads a value from a text.
type ReadValue<'a> = &'a dyn Fn(&str) -> Option<Box<dyn PartialReflect>>;

/// Reads a value of a type from a text.
type Read = fn(&str) -> Option<Box<dyn PartialReflect>>;

fn reads<T: PartialReflect + Typed + DeserializeOwned>() -> (TypeId, Read) {
    (TypeId::of::<T>(), |text| {
        let value = read_ron::<T>(text).ok()?;
        Some(Box::new(value) as Box<dyn PartialReflect>)
    })
}

/// How the types that have named fields are read; a test sees to it that all are here.
fn readers() -> [(TypeId, Read); 28] {
    [
        reads::<Scene>(),
        reads::<Site>(),
        reads::<Field>(),
        reads::<Source>(),
        reads::<Region>(),
        reads::<TissueParts>(),
        reads::<Population>(),
        reads::<Place>(),
        reads::<CellAt>(),
        reads::<CellPrefab>(),
        reads::<Variant>(),
        reads::<Rule>(),
        reads::<Law>(),
        reads::<RuleChange>(),
        reads::<Event>(),
        reads::<CameraKey>(),
        reads::<Target>(),
        reads::<StageLayout>(),
        reads::<Look>(),
        reads::<Label>(),
        reads::<PlotShown>(),
        reads::<Slice>(),
        reads::<Cut>(),
        reads::<Heritability>(),
        reads::<Molecule>(),
        reads::<Output>(),
        reads::<Recording>(),
        reads::<Condition>(),
    ]
}

/// Every type that stands in a scene or cell file, in the order in which one comes upon them.
pub fn file_types() -> Vec<FileType> {
    let mut infos = Vec::new();
    for root in [Scene::type_info(), CellPrefab::type_info()] {
        reach(root, &mut infos);
    }
    infos.into_iter().map(describe).collect()
}

/// Notes a type and all inside it that have names of their own.
fn reach(info: &'static TypeInfo, seen: &mut Vec<&'static TypeInfo>) {
    if seen.iter().any(|known| known.type_id() == info.type_id()) {
        return;
    }
    if matches!(info, TypeInfo::Struct(_) | TypeInfo::Enum(_)) && inside_option(info).is_none() {
        seen.push(info);
    }
    let inner: Vec<Option<&'static TypeInfo>> = match info {
        TypeInfo::Struct(of) => of.iter().map(NamedField::type_info).collect(),
        TypeInfo::Enum(of) => of.iter().flat_map(inside_variant).collect(),
        TypeInfo::List(of) => vec![of.item_info()],
        TypeInfo::Map(of) => vec![of.value_info()],
        TypeInfo::Tuple(of) => of.iter().map(|field| field.type_info()).collect(),
        _ => Vec::new(),
    };
    for info in inner.into_iter().flatten() {
        reach(info, seen);
    }
}

fn inside_variant(variant: &'static VariantInfo) -> Vec<Option<&'static TypeInfo>> {
    match variant {
        VariantInfo::Unit(_) => Vec::new(),
        VariantInfo::Tuple(of) => of.iter().map(|field| field.type_info()).collect(),
        VariantInfo::Struct(of) => of.iter().map(NamedField::type_info).collect(),
    }
}

fn describe(info: &'static TypeInfo) -> FileType {
    let read = readers()
        .into_iter()
        .find_map(|(id, read)| (id == info.type_id()).then_some(read));
    let read = |text: &str| read.and_then(|read| read(text));
    let name = info.type_path_table().ident().unwrap_or_default();
    let (mut fields, mut variants) = (Vec::new(), Vec::new());
    match info {
        TypeInfo::Struct(of) => {
            fields = named(of.iter(), "", &read);
        }
        TypeInfo::Enum(of) => {
            variants.extend(of.iter().map(|variant| {
                FileVariant {
                    name: variant.name().into(),
                    about: plain(variant.docs()),
                    holds: match variant {
                        VariantInfo::Tuple(of) => of
                            .iter()
                            .map(|field| {
                                holds(field.type_info(), field.type_path_table().short_path())
                            })
                            .collect(),
                        _ => Vec::new(),
                    },
                    fields: match variant {
                        VariantInfo::Struct(of) => named(of.iter(), variant.name(), &read),
                        _ => Vec::new(),
                    },
                }
            }));
        }
        _ => {}
    }
    FileType {
        name: name.into(),
        about: plain(of_type(info)),
        fields,
        variants,
    }
}

/// The fields of a struct that is read in this way.
pub fn fields_of(info: &'static TypeInfo, read: ReadValue) -> Vec<FileField> {
    match info {
        TypeInfo::Struct(of) => named(of.iter(), "", read),
        _ => Vec::new(),
    }
}

/// The fields of a struct, or of the struct variant of that name.
fn named<'a>(
    fields: impl Iterator<Item = &'a NamedField>,
    variant: &str,
    read: ReadValue,
) -> Vec<FileField> {
    let fields: Vec<&NamedField> = fields.collect();
    let text = |keep: &dyn Fn(&str) -> bool| {
        let kept = fields.iter().filter(|field| keep(field.name()));
        let parts: Vec<String> = kept
            .map(|field| {
                let value = field.type_info().map_or_else(|| "1".into(), example);
                format!("{}: {value}", field.name())
            })
            .collect();
        format!("{variant}({})", parts.join(", "))
    };
    let parsed = |text: String| read(&text);
    let required: Vec<&str> = fields
        .iter()
        .map(|field| field.name())
        .filter(|name| parsed(text(&|other| other != *name)).is_none())
        .collect();
    let least = parsed(text(&|name| required.contains(&name)));
    fields
        .iter()
        .map(|field| FileField {
            name: field.name().into(),
            holds: holds(field.type_info(), field.type_path_table().short_path()),
            default: least
                .as_deref()
                .filter(|_| !required.contains(&field.name()))
                .and_then(|value| field_of(value, field.name())),
            about: plain(field.docs()),
        })
        .collect()
}

fn field_of(value: &dyn PartialReflect, name: &str) -> Option<String> {
    match value.reflect_ref() {
        ReflectRef::Struct(of) => of.field(name).map(written),
        ReflectRef::Enum(of) => of.field(name).map(written),
        _ => None,
    }
}

/// What a value of a type is, in words; names of types in back quotes.
pub fn holds(info: Option<&'static TypeInfo>, otherwise: &str) -> String {
    let Some(info) = info else {
        return otherwise.to_lowercase();
    };
    if let Some(inner) = inside_option(info) {
        return holds(Some(inner), otherwise);
    }
    match info {
        TypeInfo::List(of) => format!("list of {}", holds(of.item_info(), otherwise)),
        TypeInfo::Map(of) => format!("{} by name", holds(of.value_info(), otherwise)),
        TypeInfo::Tuple(of) => {
            let parts: Vec<String> = of
                .iter()
                .map(|field| holds(field.type_info(), otherwise))
                .collect();
            format!("({})", parts.join(", "))
        }
        TypeInfo::Struct(_) | TypeInfo::Enum(_) => {
            format!("`{}`", info.type_path_table().ident().unwrap_or(otherwise))
        }
        _ if info.is::<String>() => "text".into(),
        _ if info.is::<MoleculeName>() => "name of a molecule".into(),
        _ if info.is::<bool>() => "true or false".into(),
        _ if info.is::<f32>() || info.is::<f64>() => "number".into(),
        _ if info.is::<u8>() || info.is::<u16>() || info.is::<u32>() || info.is::<u64>() => {
            "whole number".into()
        }
        _ => "name".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_with_named_fields_can_be_read() {
        let mut infos = Vec::new();
        reach(Scene::type_info(), &mut infos);
        reach(CellPrefab::type_info(), &mut infos);
        for info in infos {
            let has_fields = match info {
                TypeInfo::Struct(_) => true,
                TypeInfo::Enum(of) => of
                    .iter()
                    .any(|variant| matches!(variant, VariantInfo::Struct(_))),
                _ => false,
            };
            let known = readers().iter().any(|(id, _)| *id == info.type_id());
            assert!(known || !has_fields, "{} is not read", info.type_path());
        }
    }

    #[test]
    fn what_may_be_left_out_is_told_with_what_it_is_then() {
        let types = file_types();
        let field = |of: &str, name: &str| {
            let found = types.iter().find(|known| known.name == of).unwrap();
            let variants = found.variants.iter().flat_map(|variant| &variant.fields);
            let mut fields = found.fields.iter().chain(variants);
            fields.find(|field| field.name == name).unwrap().clone()
        };
        assert_eq!(field("Scene", "title").default, None);
        assert_eq!(field("Scene", "seed").default.as_deref(), Some("1"));
        assert_eq!(field("Site", "size_um").default, None);
        assert_eq!(
            field("Site", "voxel_um").default.as_deref(),
            Some("(20, 20, 20)")
        );
        assert_eq!(field("Place", "radius_um").default, None);
        assert_eq!(
            field("Place", "center_um").default.as_deref(),
            Some("(0, 0, 0)")
        );
        assert_eq!(field("Slice", "axis").default.as_deref(), Some("Y"));
        assert_eq!(field("Recording", "fps").default.as_deref(), Some("30"));
        assert_eq!(field("CellPrefab", "name").default, None);
        assert_eq!(field("Event", "action").default, None);
        assert_eq!(field("Scene", "sites").holds, "list of `Site`");
    }
}
