//! What the doc comments of types and fields say, in plain words.
//!
//! Reference pages, `describe` and tooltips read the same comments that stand in the code, through [`TypeInfo`], so that
//! there is no second text to keep.

use bevy::reflect::PartialReflect;
use bevy::reflect::enums::{EnumInfo, VariantInfo};
use bevy::reflect::{ReflectRef, TypeInfo};

/// A doc comment as one paragraph: lines joined, links to code as plain names.
pub fn plain(docs: Option<&str>) -> String {
    let words: Vec<&str> = docs.unwrap_or_default().split_whitespace().collect();
    unlinked(&words.join(" "))
}

/// The first paragraph of a doc comment.
pub fn first_paragraph(docs: Option<&str>) -> String {
    let docs = docs.unwrap_or_default();
    let lines = docs.lines().map(str::trim);
    let lines = lines
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty());
    plain(Some(&lines.collect::<Vec<_>>().join(" ")))
}

/// Turns the links of rustdoc (a path in back quotes between brackets) into the last name of their path.
fn unlinked(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("[`") {
        let (before, link) = rest.split_at(start);
        plain.push_str(before);
        let Some(end) = link.find("`]") else {
            plain.push_str(link);
            return plain;
        };
        let path = &link[2..end];
        plain.push('`');
        plain.push_str(path.rsplit("::").next().unwrap_or(path));
        plain.push('`');
        rest = &link[end + 2..];
        // Where the link leads to, if it is written behind it.
        if let Some(target) = rest.strip_prefix('(')
            && let Some(end) = target.find(')')
        {
            rest = &target[end + 1..];
        }
    }
    plain.push_str(rest);
    plain.replace("`Self::", "`")
}

/// The doc comment of a type.
pub fn of_type(info: &'static TypeInfo) -> Option<&'static str> {
    match info {
        TypeInfo::Struct(of) => of.docs(),
        TypeInfo::TupleStruct(of) => of.docs(),
        TypeInfo::Enum(of) => of.docs(),
        _ => None,
    }
}

/// The doc comment of the field at a dotted path inside a struct.
pub fn of_field(info: &'static TypeInfo, path: &str) -> Option<&'static str> {
    let TypeInfo::Struct(of) = info else {
        return None;
    };
    match path.split_once('.') {
        Some((name, rest)) => of_field(of.field(name)?.type_info()?, rest),
        None => of.field(path)?.docs(),
    }
}

/// What an `Option` holds, if the type is one.
pub fn inside_option(info: &'static TypeInfo) -> Option<&'static TypeInfo> {
    let TypeInfo::Enum(of) = info else {
        return None;
    };
    if info.type_path_table().ident() != Some("Option") {
        return None;
    }
    match of.variant("Some")? {
        VariantInfo::Tuple(some) => some.field_at(0)?.type_info(),
        _ => None,
    }
}

/// The enum that a type, or what an `Option` of it holds, is, if it is nothing but names.
pub fn names_only(info: &'static TypeInfo) -> Option<&'static EnumInfo> {
    match inside_option(info).unwrap_or(info) {
        TypeInfo::Enum(of) => {
            let is_plain = |variant: &VariantInfo| matches!(variant, VariantInfo::Unit(_));
            of.iter().all(is_plain).then_some(of)
        }
        _ => None,
    }
}

/// A number without more digits than tell it apart in single precision.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let single = value as f32;
    if size != 0.0 && !(1e-3..1e5).contains(&size) {
        format!("{single:e}")
    } else {
        format!("{single}")
    }
}

/// A value as it is written in a file.
pub fn written(value: &dyn PartialReflect) -> String {
    if let Some(number) = as_number(value) {
        return number;
    }
    if let Some(text) = value.try_downcast_ref::<String>() {
        return format!("\"{text}\"");
    }
    let joined = |parts: Vec<String>| parts.join(", ");
    match value.reflect_ref() {
        ReflectRef::Enum(of) => {
            let parts: Vec<String> = of
                .iter_fields()
                .map(|field| {
                    let name = field.name().map(|name| format!("{name}: "));
                    format!("{}{}", name.unwrap_or_default(), written(field.value()))
                })
                .collect();
            match (of.variant_name(), parts.is_empty()) {
                ("None", true) => "none".into(),
                ("Some", _) => joined(parts),
                (name, true) => name.into(),
                (name, false) => format!("{name}({})", joined(parts)),
            }
        }
        ReflectRef::Tuple(of) => format!("({})", joined(of.iter_fields().map(written).collect())),
        ReflectRef::List(of) => format!("[{}]", joined(of.iter().map(written).collect())),
        // A name of its own kind: what it is in quotes.
        ReflectRef::Opaque(of) => format!("{of:?}"),
        ReflectRef::Map(of) if of.is_empty() => "{}".into(),
        _ => "()".into(),
    }
}

fn as_number(value: &dyn PartialReflect) -> Option<String> {
    if let Some(value) = value.try_downcast_ref::<f32>() {
        return Some(number(f64::from(*value)));
    }
    if let Some(value) = value.try_downcast_ref::<f64>() {
        return Some(number(*value));
    }
    if let Some(value) = value.try_downcast_ref::<bool>() {
        return Some(value.to_string());
    }
    let whole = value.try_downcast_ref::<u32>().copied().map(u64::from);
    let whole = whole.or_else(|| value.try_downcast_ref::<u16>().copied().map(u64::from));
    let whole = whole.or_else(|| value.try_downcast_ref::<u8>().copied().map(u64::from));
    let whole = whole.or_else(|| value.try_downcast_ref::<u64>().copied());
    whole.map(|value| value.to_string())
}

#[cfg(test)]
mod tests {
    use bevy::prelude::*;
    use bevy::reflect::Typed;

    use super::*;

    /// What it is,
    /// see [`crate::core::clock`].
    ///
    /// More of it.
    #[derive(Reflect, Default)]
    struct Outer {
        /// The inner one.
        inner: Inner,
        size: (f32, f32),
        name: Option<String>,
    }

    #[derive(Reflect, Default)]
    struct Inner {
        /// How deep, um; at most [`Self::deep_um`](Inner).
        deep_um: f32,
    }

    #[test]
    fn comments_are_read_as_plain_sentences() {
        let info = Outer::type_info();
        assert_eq!(first_paragraph(of_type(info)), "What it is, see `clock`.");
        assert_eq!(plain(of_field(info, "inner")), "The inner one.");
        assert_eq!(
            plain(of_field(info, "inner.deep_um")),
            "How deep, um; at most `deep_um`."
        );
        assert_eq!(of_field(info, "inner.shallow"), None);
    }

    #[test]
    fn values_are_written_as_in_a_file() {
        let value = Outer {
            size: (20.0, 1e-6),
            ..Outer::default()
        };
        assert_eq!(written(&value.size), "(20, 1e-6)");
        assert_eq!(written(&value.name), "none");
        assert_eq!(written(&Some("a".to_owned())), "\"a\"");
        assert_eq!(number(f64::from(0.1_f32)), "0.1");
    }
}
