//! What a field of a scene may be, in words and as the smallest valid text.
//!
//! Read from the types themselves through [`TypeInfo`], so that what a report says is expected is what the
//! schema asks for, without a second list.

use bevy::reflect::TypeInfo;
use bevy::reflect::enums::{EnumInfo, VariantInfo};
use serde_path_to_error::Segment;

use super::spans::{FieldPath, PathStep, SyntaxBody, SyntaxNode, unquoted};
use crate::core::capability::CellTypeName;
use crate::core::documentation::inside_option;
use crate::tissue::MoleculeName;

/// A place in the schema.
#[derive(Clone, Copy)]
enum Place {
    Type(&'static TypeInfo),
    Variant(&'static VariantInfo),
}

/// The type itself, or what an `Option` of it holds.
pub(super) fn without_option(info: &'static TypeInfo) -> &'static TypeInfo {
    inside_option(info).map_or(info, without_option)
}

impl Place {
    fn step(self, segment: &Segment) -> Option<Self> {
        let place = match self {
            Self::Type(info) => Self::Type(without_option(info)),
            // The one value of a newtype variant has no step of its own in the path.
            Self::Variant(VariantInfo::Tuple(variant))
                if variant.field_len() == 1 && !matches!(segment, Segment::Enum { .. }) =>
            {
                Self::Type(without_option(variant.field_at(0)?.type_info()?))
            }
            Self::Variant(variant) => Self::Variant(variant),
        };
        let next = match (segment, place) {
            (Segment::Map { key }, Self::Type(TypeInfo::Struct(of))) => {
                of.field(key)?.type_info()?
            }
            (Segment::Map { key }, Self::Variant(VariantInfo::Struct(of))) => {
                of.field(key)?.type_info()?
            }
            (Segment::Map { .. }, Self::Type(TypeInfo::Map(of))) => of.value_info()?,
            (Segment::Seq { .. }, Self::Type(TypeInfo::List(of))) => of.item_info()?,
            (Segment::Seq { index }, Self::Type(TypeInfo::Tuple(of))) => {
                of.field_at(*index)?.type_info()?
            }
            (Segment::Seq { index }, Self::Variant(VariantInfo::Tuple(of))) => {
                of.field_at(*index)?.type_info()?
            }
            (Segment::Enum { variant }, Self::Type(TypeInfo::Enum(of))) => {
                return of.variant(variant).map(Self::Variant);
            }
            _ => return None,
        };
        Some(Self::Type(next))
    }
}

/// The type that a path of serde leads to; for a newtype variant that of its value.
pub(super) fn type_at(root: &'static TypeInfo, path: &[Segment]) -> Option<&'static TypeInfo> {
    let mut place = Place::Type(root);
    for segment in path {
        // An unknown variant ends the path: what is wrong is the enum itself.
        place = match place.step(segment) {
            Some(next) => next,
            None if matches!(segment, Segment::Enum { .. }) => break,
            None => return None,
        };
    }
    match place {
        Place::Type(info) => Some(info),
        Place::Variant(VariantInfo::Tuple(of)) if of.field_len() == 1 => {
            of.field_at(0)?.type_info()
        }
        Place::Variant(_) => None,
    }
}

/// The type of a field of the struct or struct variant that a path leads to.
pub(super) fn field_type(
    root: &'static TypeInfo,
    path: &[Segment],
    field: &str,
) -> Option<&'static TypeInfo> {
    let mut place = Place::Type(root);
    for segment in path {
        place = place.step(segment)?;
    }
    let key = Segment::Map {
        key: field.to_owned(),
    };
    match place.step(&key)? {
        Place::Type(info) => Some(info),
        Place::Variant(_) => None,
    }
}

/// The path of serde as a path into the text, and the value it leads to.
pub(super) fn locate<'t>(
    root: &'t SyntaxNode,
    path: &[Segment],
    text: &str,
) -> (FieldPath, &'t SyntaxNode) {
    let mut node = root;
    let mut way = FieldPath::root();
    for segment in path {
        let step = match segment {
            Segment::Map { key } if matches!(node.unwrapped().body, SyntaxBody::Map(_)) => {
                PathStep::Key(key.clone())
            }
            Segment::Map { key } => PathStep::Field(key.clone()),
            Segment::Seq { index } if matches!(node.unwrapped().body, SyntaxBody::List(_)) => {
                PathStep::Item(*index)
            }
            Segment::Seq { index } => PathStep::Nth(*index),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        let Some(next) = node.step(&step, text) else {
            break;
        };
        node = next;
        way.0.push(step);
    }
    (way, node)
}

/// The path of serde to the innermost value at a byte of the text.
pub(super) fn path_to_byte(
    root: &SyntaxNode,
    info: &'static TypeInfo,
    at: usize,
    text: &str,
) -> Vec<Segment> {
    let mut path = Vec::new();
    let mut node = root;
    loop {
        let here = |node: &SyntaxNode| node.span.contains(&at);
        let is_enum = type_at(info, &path)
            .is_some_and(|found| matches!(without_option(found), TypeInfo::Enum(_)));
        if let (true, Some(name)) = (is_enum, &node.name) {
            let variant = text[name.clone()].to_owned();
            if variant != "Some" {
                path.push(Segment::Enum { variant });
            }
        }
        node = match &node.body {
            SyntaxBody::Struct(entries) => {
                let Some(entry) = entries.iter().find(|entry| here(&entry.value)) else {
                    return path;
                };
                let key = text[entry.name.clone()].to_owned();
                path.push(Segment::Map { key });
                &entry.value
            }
            SyntaxBody::Map(pairs) => {
                let Some((key, value)) = pairs.iter().find(|(_, value)| here(value)) else {
                    return path;
                };
                let key = unquoted(&text[key.span.clone()]).to_owned();
                path.push(Segment::Map { key });
                value
            }
            SyntaxBody::Tuple(items) | SyntaxBody::List(items) => {
                let Some(index) = items.iter().position(here) else {
                    return path;
                };
                if items.len() > 1 || matches!(node.body, SyntaxBody::List(_)) {
                    path.push(Segment::Seq { index });
                }
                &items[index]
            }
            SyntaxBody::Scalar | SyntaxBody::Text => return path,
        };
    }
}

/// What may stand for a value of this type, in words.
pub(super) fn describe(info: &'static TypeInfo) -> String {
    let info = without_option(info);
    match info {
        TypeInfo::Struct(of) => {
            let names: Vec<String> = of
                .iter()
                .map(|field| format!("{}: ...", field.name()))
                .collect();
            if names.len() > 4 {
                format!("`({}, ...)`", names[..3].join(", "))
            } else {
                format!("`({})`", names.join(", "))
            }
        }
        TypeInfo::Tuple(of) => {
            let parts: Vec<String> = of
                .iter()
                .map(|field| field.type_info().map_or_else(String::new, describe))
                .collect();
            let same = parts.windows(2).all(|pair| pair[0] == pair[1]);
            match parts.first() {
                Some(first) if same => {
                    let whole = first.starts_with("a whole number");
                    let plural = if whole { "whole numbers" } else { "numbers" };
                    format!(
                        "{} {plural} in parentheses, as in `{}`",
                        parts.len(),
                        example(info)
                    )
                }
                _ => format!("({})", parts.join(", ")),
            }
        }
        TypeInfo::List(_) => "a list in `[` and `]`".into(),
        TypeInfo::Map(_) => "a map, as in `{ \"name\": 1.0 }`".into(),
        TypeInfo::Enum(of) => format!("one of {}", variants(of)),
        _ if info.is::<String>() => "a text in quotes".into(),
        _ if info.is::<MoleculeName>() => "the name of a molecule in quotes".into(),
        _ if info.is::<CellTypeName>() => "the name of a cell type in quotes".into(),
        _ if info.is::<bool>() => "`true` or `false`".into(),
        _ if info.is::<f32>() || info.is::<f64>() => "a number".into(),
        _ if info.is::<u8>() || info.is::<u16>() || info.is::<u32>() || info.is::<u64>() => {
            "a whole number of at least 0".into()
        }
        _ => "another kind of value".into(),
    }
}

/// The variants of an enum as they are written, for a person.
fn variants(of: &EnumInfo) -> String {
    let written: Vec<String> = of
        .iter()
        .map(|variant| match variant {
            VariantInfo::Unit(unit) => format!("`{}`", unit.name()),
            VariantInfo::Tuple(tuple) => format!("`{}(...)`", tuple.name()),
            VariantInfo::Struct(fields) => format!("`{}(...)`", fields.name()),
        })
        .collect();
    join_with_or(&written)
}

/// `a`, `b` or `c`.
pub(super) fn join_with_or<S: AsRef<str>>(parts: &[S]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} or {}", most.join(", "), last.as_ref())
        }
    }
}

/// The smallest valid text of a type: it stands in for a wrong value while the rest is read.
pub(super) fn example(info: &'static TypeInfo) -> String {
    let list = |parts: Vec<String>| parts.join(", ");
    let of = |info: Option<&'static TypeInfo>| info.map_or_else(|| "1".into(), example);
    if inside_option(info).is_some() {
        return "None".into();
    }
    match info {
        TypeInfo::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|field| format!("{}: {}", field.name(), of(field.type_info())))
                .collect();
            format!("({})", list(fields))
        }
        TypeInfo::Tuple(parts) => {
            format!(
                "({})",
                list(parts.iter().map(|part| of(part.type_info())).collect())
            )
        }
        TypeInfo::List(_) => "[]".into(),
        TypeInfo::Map(_) => "{}".into(),
        TypeInfo::Enum(variants) => match variants.variant_at(0) {
            Some(VariantInfo::Unit(unit)) => unit.name().into(),
            Some(VariantInfo::Tuple(tuple)) => {
                let parts = tuple.iter().map(|part| of(part.type_info())).collect();
                format!("{}({})", tuple.name(), list(parts))
            }
            Some(VariantInfo::Struct(fields)) => {
                let parts = fields
                    .iter()
                    .map(|field| format!("{}: {}", field.name(), of(field.type_info())))
                    .collect();
                format!("{}({})", fields.name(), list(parts))
            }
            None => "()".into(),
        },
        _ if info.is::<String>() || info.is::<MoleculeName>() || info.is::<CellTypeName>() => {
            "\"\"".into()
        }
        _ if info.is::<bool>() => "false".into(),
        _ => "1".into(),
    }
}
