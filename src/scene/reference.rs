//! What scene and cell files hold: every struct, enum, field and default, with what its doc comment says.
//!
//! Names, types and comments are those of the schema itself, read through [`TypeInfo`]. What may be left out, and what
//! it is then, is found by leaving it out: each type is read from a small text without the field.
//!
//! The types inside the parts of tissue are known to their modules alone. They are read as pieces of the part that holds them.

use std::any::TypeId;
use std::rc::Rc;

use bevy::reflect::enums::VariantInfo;
use bevy::reflect::{NamedField, PartialReflect, ReflectRef, TypeInfo, Typed};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::arms::{Arm, Endpoints, Measured};
use super::body_parts::BodyParts;
use super::causes::{CauseArrow, Causes};
use super::look::{CameraKey, Cut, Label, Look, PlotShown, Slice, Target};
use super::prefab::CellPrefab;
use super::schema::{
    Beside, CellAt, Condition, Event, Field, Output, Place, Population, Recording, Scene, Site,
    Source,
};
use super::shape::example;
use super::stage::StageLayout;
use super::tissue_parts::TissueParts;
use super::treatment::{CellTransfer, Dosing, Injection, Irradiation, Resection};
use super::variants::Variant;
use crate::biology::therapy::drug::{Activation, Binding, Effect, Hidden, InTissue};
use crate::biology::therapy::{Absorption, Drug, Kinetics};
use crate::core::capability::{Capability, CapabilityRegistry, CellTypeName};
use crate::core::clones::Heritability;
use crate::core::dialect::read_ron;
use crate::core::documentation::{inside_option, names_only, of_type, plain, written};
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
fn readers() -> [(TypeId, Read); 48] {
    [
        reads::<Scene>(),
        reads::<Site>(),
        reads::<Field>(),
        reads::<Source>(),
        reads::<Region>(),
        reads::<TissueParts>(),
        reads::<BodyParts>(),
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
        reads::<Causes>(),
        reads::<CauseArrow>(),
        reads::<Slice>(),
        reads::<Cut>(),
        reads::<Heritability>(),
        reads::<Molecule>(),
        reads::<Output>(),
        reads::<Recording>(),
        reads::<Beside>(),
        reads::<Condition>(),
        reads::<Dosing>(),
        reads::<Injection>(),
        reads::<Irradiation>(),
        reads::<Resection>(),
        reads::<CellTransfer>(),
        reads::<Drug>(),
        reads::<Kinetics>(),
        reads::<Absorption>(),
        reads::<InTissue>(),
        reads::<Binding>(),
        reads::<Activation>(),
        reads::<Hidden>(),
        reads::<Effect>(),
        reads::<Arm>(),
        reads::<Endpoints>(),
        reads::<Measured>(),
    ]
}

/// Every type that stands in a scene or cell file, in the order in which one comes upon them; those in the parts of tissue
/// that modules have registered come last.
pub fn file_types(known: &CapabilityRegistry) -> Vec<FileType> {
    let mut infos = Vec::new();
    for root in [Scene::type_info(), CellPrefab::type_info()] {
        reach(root, &mut infos);
    }
    let readers = readers();
    let described = infos.iter().map(|info| {
        let read = readers.iter().find(|(id, _)| *id == info.type_id());
        describe(info, &|text| read.and_then(|(_, read)| read(text)))
    });
    let mut found = Found {
        types: described.collect(),
        ids: infos.iter().map(|info| info.type_id()).collect(),
    };
    for part in known.site_parts() {
        found.reach_in_part(Piece::of_part(&part.file));
    }
    for part in known.body_parts() {
        found.reach_in_part(Piece::of_part(&part.file));
    }
    found.types
}

/// What was found so far.
struct Found {
    types: Vec<FileType>,
    /// The types that are told, here or where they stand.
    ids: Vec<TypeId>,
}

impl Found {
    /// Notes what is inside a struct of a part of tissue, but not what the table of the part tells: fields of structs, and
    /// the names of a choice that has nothing else.
    fn reach_in_part(&mut self, piece: Piece) {
        for inner in piece.pieces() {
            if matches!(inner.info, TypeInfo::Struct(_)) {
                self.reach_in_part(inner);
            } else if names_only(inner.info).is_none() {
                self.reach(inner);
            }
        }
    }

    /// Notes a type and all inside it that have names of their own.
    fn reach(&mut self, piece: Piece) {
        let id = piece.info.type_id();
        if self.ids.contains(&id) {
            return;
        }
        if has_name(piece.info) {
            self.ids.push(id);
            self.types.push(describe(piece.info, &*piece.read));
        }
        for inner in piece.pieces() {
            self.reach(inner);
        }
    }
}

/// A type that lies in a part of tissue.
struct Piece<'k> {
    info: &'static TypeInfo,
    /// Reads a value of it from a text, by way of the part.
    read: Rc<dyn Fn(&str) -> Option<Box<dyn PartialReflect>> + 'k>,
}

impl<'k> Piece<'k> {
    /// The part itself, or what it is a list of.
    fn of_part(part: &'k Capability) -> Self {
        let whole = Self {
            info: part.parameters,
            read: Rc::new(|text| {
                let value = (part.read)(text).ok().flatten()?;
                Some(value.reflect().to_dynamic())
            }),
        };
        match whole.info {
            TypeInfo::List(_) => whole.pieces().pop().unwrap_or(whole),
            _ => whole,
        }
    }

    /// A type inside it: how a text of that is made one of this, and where its value is then.
    fn piece(
        &self,
        info: Option<&'static TypeInfo>,
        wrap: impl Fn(&str) -> String + 'k,
        find: impl Fn(&dyn PartialReflect) -> Option<&dyn PartialReflect> + 'k,
    ) -> Option<Self> {
        let read = Rc::clone(&self.read);
        Some(Self {
            info: info?,
            read: Rc::new(move |text| {
                let whole = read(&wrap(text))?;
                find(&*whole).map(PartialReflect::to_dynamic)
            }),
        })
    }

    /// The types directly inside it.
    fn pieces(&self) -> Vec<Self> {
        match self.info {
            TypeInfo::Struct(of) => self.of_fields(of.iter().collect(), ""),
            TypeInfo::List(of) => {
                let wrap = |text: &str| format!("[{text}]");
                let item = self.piece(of.item_info(), wrap, |value| match value.reflect_ref() {
                    ReflectRef::List(list) => list.get(0),
                    _ => None,
                });
                item.into_iter().collect()
            }
            TypeInfo::Enum(_) if inside_option(self.info).is_some() => {
                let inner = inside_option(self.info);
                let inner = self.piece(inner, str::to_owned, |value| unnamed_in(value, 0));
                inner.into_iter().collect()
            }
            TypeInfo::Enum(of) => of.iter().flat_map(|of| self.of_variant(of)).collect(),
            _ => Vec::new(),
        }
    }

    fn of_variant(&self, variant: &'static VariantInfo) -> Vec<Self> {
        match variant {
            VariantInfo::Unit(_) => Vec::new(),
            VariantInfo::Struct(of) => self.of_fields(of.iter().collect(), variant.name()),
            VariantInfo::Tuple(of) => {
                let parts: Vec<String> = of
                    .iter()
                    .map(|field| field.type_info().map_or_else(|| "1".into(), example))
                    .collect();
                let pieces = of.iter().enumerate().filter_map(|(index, field)| {
                    let (name, parts) = (variant.name(), parts.clone());
                    let wrap = move |text: &str| {
                        if parts.len() == 1 && text.starts_with('(') {
                            // As files are written: `Add(cell: "cancer")`.
                            return format!("{name}{text}");
                        }
                        let mut parts = parts.clone();
                        parts[index] = text.to_owned();
                        format!("{name}({})", parts.join(", "))
                    };
                    self.piece(field.type_info(), wrap, move |value| {
                        unnamed_in(value, index)
                    })
                });
                pieces.collect()
            }
        }
    }

    /// The types of the fields of a struct, or of the struct variant of that name.
    fn of_fields(&self, fields: Vec<&'static NamedField>, variant: &'static str) -> Vec<Self> {
        let pieces = fields.iter().filter_map(|field| {
            let name = field.name();
            let others = fields.iter().filter(|other| other.name() != name);
            let others: String = others
                .map(|field| format!(", {}", smallest(field)))
                .collect();
            let wrap = move |text: &str| format!("{variant}({name}: {text}{others})");
            self.piece(field.type_info(), wrap, move |value| named_in(value, name))
        });
        pieces.collect()
    }
}

/// A field with the smallest text that it may have.
fn smallest(field: &NamedField) -> String {
    let value = field.type_info().map_or_else(|| "1".into(), example);
    format!("{}: {value}", field.name())
}

/// Whether a type is called by its name where it stands.
fn has_name(info: &'static TypeInfo) -> bool {
    matches!(info, TypeInfo::Struct(_) | TypeInfo::Enum(_)) && inside_option(info).is_none()
}

/// Notes a type and all inside it that have names of their own.
fn reach(info: &'static TypeInfo, seen: &mut Vec<&'static TypeInfo>) {
    if seen.iter().any(|known| known.type_id() == info.type_id()) {
        return;
    }
    if has_name(info) {
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

fn describe(info: &'static TypeInfo, read: ReadValue) -> FileType {
    let name = info.type_path_table().ident().unwrap_or_default();
    let (mut fields, mut variants) = (Vec::new(), Vec::new());
    match info {
        TypeInfo::Struct(of) => {
            fields = named(of.iter(), "", read);
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
                        VariantInfo::Struct(of) => named(of.iter(), variant.name(), read),
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
        let parts: Vec<String> = kept.map(|field| smallest(field)).collect();
        format!("{variant}({})", parts.join(", "))
    };
    let parsed = |text: String| read(&text);
    let required: Vec<&str> = fields
        .iter()
        .map(|field| field.name())
        .filter(|name| parsed(text(&|other| other != *name)).is_none())
        .collect();
    let shortest = text(&|name| required.contains(&name));
    let least = parsed(shortest.clone());
    let default = |name: &str| {
        let value = named_in(least.as_deref()?, name)?;
        // What is left out of a struct may be something else than what the struct is where it is left out itself.
        let emptied = parsed(shortest.replacen('(', &format!("({name}: (), "), 1));
        let emptied = emptied.as_deref().and_then(|whole| named_in(whole, name));
        Some(written_beside(value, emptied))
    };
    fields
        .iter()
        .map(|field| FileField {
            name: field.name().into(),
            holds: holds(field.type_info(), field.type_path_table().short_path()),
            default: Some(field.name())
                .filter(|name| !required.contains(name))
                .and_then(default),
            about: plain(field.docs()),
        })
        .collect()
}

/// A value as it is written in a file; of a struct the fields that are not as in another one, which is written `()`.
fn written_beside(value: &dyn PartialReflect, emptied: Option<&dyn PartialReflect>) -> String {
    let (ReflectRef::Struct(of), Some(ReflectRef::Struct(emptied))) = (
        value.reflect_ref(),
        emptied.map(PartialReflect::reflect_ref),
    ) else {
        return written(value);
    };
    let names = (0..of.field_len()).filter_map(|index| of.name_at(index));
    let fields = names.filter_map(|name| {
        let here = written(of.field(name)?);
        let is_same = emptied.field(name).map(written).as_ref() == Some(&here);
        (!is_same).then(|| format!("{name}: {here}"))
    });
    format!("({})", fields.collect::<Vec<_>>().join(", "))
}

fn named_in<'v>(value: &'v dyn PartialReflect, name: &str) -> Option<&'v dyn PartialReflect> {
    match value.reflect_ref() {
        ReflectRef::Struct(of) => of.field(name),
        ReflectRef::Enum(of) => of.field(name),
        _ => None,
    }
}

fn unnamed_in(value: &dyn PartialReflect, index: usize) -> Option<&dyn PartialReflect> {
    match value.reflect_ref() {
        ReflectRef::Enum(of) => of.field_at(index),
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
        _ if info.is::<CellTypeName>() => "name of a cell type".into(),
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
        let types = file_types(&CapabilityRegistry::default());
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
