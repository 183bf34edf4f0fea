//! Variants whose values are all there, but not in the form that the variant has.

use bevy::reflect::enums::VariantInfo;
use bevy::reflect::{NamedField, TypeInfo, UnnamedField};

use super::shape::without_option;
use super::spans::{SyntaxBody, SyntaxNode, unquoted};

/// How a variant is to be written.
pub(super) struct Form {
    /// With the values that it was given.
    pub written: String,
    /// As shown to its author.
    pub shown: String,
}

/// How a value of an enum is to be written that was given a variant's values otherwise: `Fold(gain: 9)` for `Fold(9)`,
/// `Hill(0.2, 2, 0.6)` for one with names, `Delete("a", "b")` for `Delete("a.b")`.
pub(super) fn other_form(info: &'static TypeInfo, node: &SyntaxNode, text: &str) -> Option<Form> {
    let name = &text[node.name.clone()?];
    let TypeInfo::Enum(of) = without_option(info) else {
        return None;
    };
    let word = |part: &SyntaxNode| &text[part.span.clone()];
    match (of.variant(name)?, &node.body) {
        (VariantInfo::Tuple(tuple), SyntaxBody::Struct(entries))
            if tuple.field_len() == entries.len() =>
        {
            let first = tuple.field_at(0).and_then(UnnamedField::type_info);
            let is_struct = |info| matches!(without_option(info), TypeInfo::Struct(_));
            let values: Vec<&str> = entries.iter().map(|entry| word(&entry.value)).collect();
            let written = format!("{name}({})", values.join(", "));
            (!first.is_some_and(is_struct)).then(|| Form {
                shown: written.clone(),
                written,
            })
        }
        (VariantInfo::Tuple(tuple), SyntaxBody::Tuple(items))
            if tuple.field_len() == 1 && items.len() > 1 =>
        {
            let is_text = tuple.field_at(0).is_some_and(|field| field.is::<String>());
            let all_texts = items
                .iter()
                .all(|item| matches!(item.body, SyntaxBody::Text));
            let parts: Vec<&str> = items.iter().map(|item| unquoted(word(item))).collect();
            let written = format!("{name}(\"{}\")", parts.join("."));
            (is_text && all_texts).then(|| Form {
                shown: written.clone(),
                written,
            })
        }
        (VariantInfo::Struct(fields), SyntaxBody::Tuple(items)) if !items.is_empty() => {
            let names = fields.iter().map(NamedField::name);
            let all: Vec<String> = names.clone().map(|name| format!("{name}: ...")).collect();
            let pairs: Vec<String> = names
                .zip(items)
                .map(|(name, item)| format!("{name}: {}", word(item)))
                .collect();
            Some(Form {
                written: format!("{name}({})", pairs.join(", ")),
                shown: format!("{name}({})", all.join(", ")),
            })
        }
        _ => None,
    }
}
