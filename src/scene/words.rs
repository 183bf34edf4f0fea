//! Small helps for whoever reads and mends a text: pieces of it in words, places in it, likely names.

use bevy::reflect::TypeInfo;

use super::molecules::shipped_names;
use super::shape::without_option;
use super::spans::{SyntaxBody, SyntaxNode};
use crate::core::parameters::nearest;
use crate::tissue::MoleculeName;

/// The value that bears this name: the given one, or one wrapped in it.
pub(super) fn innermost_named<'n>(node: &'n SyntaxNode, name: &str, text: &str) -> &'n SyntaxNode {
    if node
        .name
        .as_ref()
        .is_some_and(|range| &text[range.clone()] == name)
    {
        return node;
    }
    match &node.body {
        SyntaxBody::Tuple(items) if items.len() == 1 => innermost_named(&items[0], name, text),
        _ => node,
    }
}

/// The known name that was probably meant.
pub(super) fn likely(found: &str, known: &[&str]) -> Option<String> {
    let lower = found.to_lowercase();
    known
        .iter()
        .find(|name| name.to_lowercase() == lower)
        .map(|name| (*name).to_owned())
        .or_else(|| nearest(found, known))
}

/// How the name of a molecule is probably spelled that stands without quotes: `VegfA` as `"vegf_a"`.
pub(super) fn quoted_name(info: &'static TypeInfo, found: &str) -> Option<String> {
    let is_name = found.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !without_option(info).is::<MoleculeName>() || !is_name || found.is_empty() {
        return None;
    }
    let mut name = String::new();
    for c in found.chars() {
        if c.is_ascii_uppercase() && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    let name = nearest(&name, &shipped_names()).unwrap_or(name);
    Some(format!("\"{name}\""))
}

/// A piece of the file, short enough for a line.
pub(super) fn excerpt(text: &str) -> String {
    let line = text.lines().next().unwrap_or("").trim();
    let short: String = line.chars().take(40).collect();
    if short.len() < text.trim().len() {
        format!("{short}...")
    } else {
        short
    }
}

pub(super) fn in_lower_case(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

/// The byte at a line and column of ron (both from 1, columns in characters).
pub(super) fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match text[start..].find('\n') {
            Some(newline) => start += newline + 1,
            None => return text.len(),
        }
    }
    text[start..]
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(text.len(), |(offset, _)| start + offset)
}
