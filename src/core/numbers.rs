//! The numbers inside a struct, and what in it is chosen by name, by dotted path.

use bevy::reflect::enums::{DynamicEnum, DynamicVariant, EnumInfo, VariantInfo};
use bevy::reflect::{PartialReflect, Reflect, ReflectMut, ReflectRef, TypeInfo};

/// Attribute of a field, `#[reflect(@Fixed)]`, that no parameter reaches, as of a switch of how a thing is shown.
#[derive(Clone, Copy, Debug, Reflect)]
pub struct Fixed;

/// Dotted paths of all numbers and switches in a struct that are not [`Fixed`].
pub fn number_fields(info: &TypeInfo) -> Vec<String> {
    let mut fields = Vec::new();
    collect_fields(info, "", &mut fields);
    fields
}

fn collect_fields(info: &TypeInfo, prefix: &str, fields: &mut Vec<String>) {
    let TypeInfo::Struct(info) = info else { return };
    for field in info.iter() {
        if field.has_attribute::<Fixed>() {
            continue;
        }
        let path = format!("{prefix}{}", field.name());
        if field.is::<f32>() || field.is::<f64>() || field.is::<u32>() || field.is::<bool>() {
            fields.push(path);
        } else if let Some(inner) = field.type_info() {
            collect_fields(inner, &format!("{path}."), fields);
        }
    }
}

/// Dotted paths of all that is one of several names in a struct, with the names.
pub fn choice_fields(info: &TypeInfo) -> Vec<(String, Vec<&'static str>)> {
    let mut fields = Vec::new();
    collect_choices(info, "", &mut fields);
    fields
}

fn collect_choices(info: &TypeInfo, prefix: &str, fields: &mut Vec<(String, Vec<&'static str>)>) {
    let TypeInfo::Struct(info) = info else { return };
    for field in info.iter() {
        let path = format!("{prefix}{}", field.name());
        match field.type_info() {
            Some(TypeInfo::Enum(of)) => fields.extend(names_of(of).map(|names| (path, names))),
            Some(inner) => collect_choices(inner, &format!("{path}."), fields),
            None => {}
        }
    }
}

/// The names of an enum that is nothing but names.
fn names_of(of: &EnumInfo) -> Option<Vec<&'static str>> {
    let is_plain = |variant: &VariantInfo| matches!(variant, VariantInfo::Unit(_));
    let names = of.iter().map(VariantInfo::name);
    of.iter().all(is_plain).then(|| names.collect())
}

/// Chooses the name at a dotted path; nothing where there is no such choice.
pub(super) fn write_choice(value: &mut dyn PartialReflect, path: &str, name: &str) {
    let (first, rest) = path
        .split_once('.')
        .map_or((path, None), |(first, rest)| (first, Some(rest)));
    let ReflectMut::Struct(inside) = value.reflect_mut() else {
        return;
    };
    let Some(field) = inside.field_mut(first) else {
        return;
    };
    match rest {
        Some(rest) => write_choice(field, rest, name),
        None => {
            let chosen = DynamicEnum::new(name.to_owned(), DynamicVariant::Unit);
            // What is no choice of that name stays as it is.
            let _ = field.try_apply(&chosen);
        }
    }
}

/// The field at a dotted path inside a struct.
pub(crate) fn field_at<'v>(
    value: &'v dyn PartialReflect,
    path: &str,
) -> Option<&'v dyn PartialReflect> {
    path.split('.').try_fold(value, |value, name| {
        match value.reflect_ref() {
            ReflectRef::Struct(value) => value.field(name),
            // The one value of a variant without names has whatever name it is asked for by.
            ReflectRef::Enum(value) if value.field_len() == 1 => value.field_at(0),
            ReflectRef::Enum(value) => value.field(name),
            _ => None,
        }
    })
}

/// The number at a dotted path; 0 or 1 for a switch.
pub(crate) fn read_number(value: &dyn PartialReflect, path: &str) -> Option<f64> {
    let field = field_at(value, path)?;
    field
        .try_downcast_ref::<f32>()
        .map(|v| f64::from(*v))
        .or_else(|| field.try_downcast_ref::<f64>().copied())
        .or_else(|| field.try_downcast_ref::<u32>().map(|v| f64::from(*v)))
        .or_else(|| {
            field
                .try_downcast_ref::<bool>()
                .map(|v| f64::from(u8::from(*v)))
        })
}

/// Sets the number at a dotted path.
pub(super) fn write_number(value: &mut dyn PartialReflect, path: &str, number: f64) {
    let (name, rest) = path
        .split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    let field = match value.reflect_mut() {
        ReflectMut::Struct(value) => value.field_mut(name),
        ReflectMut::Enum(value) if value.field_len() == 1 => value.field_at_mut(0),
        ReflectMut::Enum(value) => value.field_mut(name),
        _ => None,
    };
    let Some(field) = field else {
        return;
    };
    if let Some(rest) = rest {
        write_number(field, rest, number);
    } else if let Some(slot) = field.try_downcast_mut::<f32>() {
        *slot = number as f32;
    } else if let Some(slot) = field.try_downcast_mut::<f64>() {
        *slot = number;
    } else if let Some(slot) = field.try_downcast_mut::<u32>() {
        *slot = number.round() as u32;
    } else if let Some(slot) = field.try_downcast_mut::<bool>() {
        *slot = number != 0.0;
    }
}
