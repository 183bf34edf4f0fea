//! From RON text to values, with every mistake of the text and not only the first.
//!
//! ron and serde decide what is valid, and stop at the first mistake. So the mistake is noted, the smallest
//! repair is made in a copy of the text (a likely name for an unknown one, a stand-in for a wrong or missing
//! value, a missing comma) and the copy is read again, until it is valid. Places in the copy are traced back
//! to the original. What was repaired is remembered, so that checks of meaning keep silent about it.

use std::ops::Range;

use bevy::reflect::{TypeInfo, Typed};
use ron::error::SpannedError;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::draft::Draft;
use super::forms::{Form, other_form};
use super::keys::repeated_keys;
use super::report::Problem;
use super::shape::{describe, example, field_type, join_with_or, locate, path_to_byte, type_at};
use super::spans::{FieldPath, MAX_DEPTH, Slip, SyntaxBody, SyntaxNode, Tree};
use super::words::{excerpt, in_lower_case, innermost_named, likely, offset_of, quoted_name};
use crate::core::dialect::{Mistake, read_ron};

/// After this many mistakes in the text the rest is left for the next time.
const MAX_ROUNDS: usize = 100;

/// So many slips of the grammar are told and mended; with more the rest of the text is left for the next time.
const MAX_SLIPS: usize = 1_000;

/// What was read from a text, and where it stands.
pub(super) struct Reading<T> {
    /// The value; with stand-ins where the text was wrong; `None` if the text could not be mended.
    pub value: Option<T>,
    /// Where fields stand in the text.
    pub tree: Tree,
    /// The text as it was mended.
    pub draft: Draft,
    /// What was repaired and so says nothing about what its author meant.
    pub repaired: Vec<FieldPath>,
    /// The mistakes.
    pub problems: Vec<Problem>,
}

/// Reads a value of `T` from RON text.
pub(super) fn read<T: DeserializeOwned + Typed>(text: &str, file: &str) -> Reading<T> {
    let mut mender = Mender {
        file,
        text,
        root: T::type_info(),
        at: FieldPath::root(),
        draft: Draft::new(text),
        repaired: Vec::new(),
        problems: Vec::new(),
    };
    let value = mender.read(read_ron::<T>);
    let tree = Tree::read(text);
    let twice = repeated_keys((file, text), &tree, &mender.repaired);
    mender.problems.extend(twice);
    Reading {
        value,
        tree,
        draft: mender.draft,
        repaired: mender.repaired,
        problems: mender.problems,
    }
}

/// Something that is read later than the text around it.
pub(super) struct Later<'t, V> {
    /// The file, for reports.
    pub file: &'t str,
    /// Its text.
    pub text: &'t str,
    /// The way to it.
    pub at: FieldPath,
    /// The type of its parameters or fields, for reports.
    pub root: &'static TypeInfo,
    /// Reads it.
    pub attempt: &'t dyn Fn(&str) -> Result<V, Box<Mistake>>,
}

impl<V> Later<'_, V> {
    /// Reads it from its bytes in the mended text; notes mistakes and repairs in `reading`.
    pub fn read<T>(self, span: Range<usize>, reading: &mut Reading<T>) -> Option<V> {
        let mut mender = Mender {
            file: self.file,
            text: self.text,
            root: self.root,
            at: self.at,
            draft: reading.draft.piece(span),
            repaired: Vec::new(),
            problems: Vec::new(),
        };
        let value = mender.read(self.attempt);
        let repaired = mender.repaired.iter().map(|way| mender.at.join(way));
        reading.repaired.extend(repaired);
        reading.problems.append(&mut mender.problems);
        value
    }
}

struct Mender<'t> {
    file: &'t str,
    text: &'t str,
    root: &'static TypeInfo,
    /// The way from the top of the file to what is read.
    at: FieldPath,
    draft: Draft,
    repaired: Vec<FieldPath>,
    problems: Vec<Problem>,
}

impl Mender<'_> {
    /// Reads and mends until nothing is wrong any more.
    fn read<V>(&mut self, attempt: impl Fn(&str) -> Result<V, Box<Mistake>>) -> Option<V> {
        for round in 1..=MAX_ROUNDS {
            let (path, error) = match attempt(&self.draft.text) {
                Ok(read) => return Some(read),
                Err(mistake) => *mistake,
            };
            let before = self.problems.len();
            if !self.mend(&path, &error) || round == MAX_ROUNDS {
                if self.problems.len() == before {
                    self.note_error(&error);
                }
                break;
            }
        }
        None
    }

    /// Notes a mistake and mends the draft. False when there is no way on.
    fn mend(&mut self, path: &[Segment], error: &SpannedError) -> bool {
        use ron::Error as E;
        let tree = Tree::read(&self.draft.text);
        let (way, node) = locate(&tree.root, path, &self.draft.text);
        match &error.code {
            E::NoSuchStructField {
                expected, found, ..
            } => self.unknown_field(&tree, path, found, expected),
            E::NoSuchEnumVariant {
                expected, found, ..
            } => self.unknown_variant(way, node, path, found, expected),
            E::MissingStructField { field, .. } => self.missing_field(&way, node, path, field),
            E::DuplicateStructField { field, .. } => self.repeated_field(&way, node, field),
            code => {
                // What nests too deep makes no sense whatever else is mended.
                let deep = tree
                    .slips
                    .iter()
                    .position(|slip| matches!(slip, Slip::TooDeep(_)));
                let slips = match deep {
                    Some(deep) => &tree.slips[deep..=deep],
                    None => &tree.slips[..tree.slips.len().min(MAX_SLIPS)],
                };
                if self.slips(slips) {
                    let are_mended = slips
                        .iter()
                        .all(|slip| matches!(slip, Slip::MissingComma(_)));
                    return are_mended && tree.slips.len() <= MAX_SLIPS;
                }
                // Where the path of serde ends early, the place in the text knows more.
                let (line, column) = (error.span.end.line, error.span.end.col);
                let at = offset_of(&self.draft.text, line, column);
                let mut exact = path_to_byte(&tree.root, self.root, at, &self.draft.text);
                while exact.len() > path.len() && type_at(self.root, &exact).is_none() {
                    exact.pop();
                }
                if exact.len() > path.len() {
                    let (way, node) = locate(&tree.root, &exact, &self.draft.text);
                    return self.wrong_value(way, node, &exact, code, error);
                }
                self.wrong_value(way, node, path, code, error)
            }
        }
    }

    /// Notes a problem unless it is a consequence of an earlier repair.
    fn note(
        &mut self,
        way: &FieldPath,
        span: &Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        if self.repaired.iter().any(|repaired| repaired.holds(way)) {
            return;
        }
        let span = self.draft.original(span);
        let way = self.at.join(way);
        let mut problem = Problem::at(self.file, self.text, span, &way, message);
        problem.help = help;
        self.problems.push(problem);
    }

    /// Notes what ron says where ron says it, whatever was repaired there before.
    fn note_error(&mut self, error: &SpannedError) {
        let at = offset_of(&self.draft.text, error.span.end.line, error.span.end.col);
        let end = self.draft.text[at..]
            .chars()
            .next()
            .map_or(at, |next| at + next.len_utf8());
        let what = match &error.code {
            // "tuple variant Action::Arrow with 2 elements": the variant as it is written.
            ron::Error::ExpectedDifferentLength { expected, found } => {
                let expected = expected.rsplit("::").next().unwrap_or(expected);
                format!("expected {expected}, found {found}")
            }
            code => in_lower_case(&code.to_string()),
        };
        let message = format!("this cannot be read: {what}");
        let span = self.draft.original(&(at..end));
        self.problems
            .push(Problem::at(self.file, self.text, span, "", message));
    }

    fn unknown_field(
        &mut self,
        tree: &Tree,
        path: &[Segment],
        found: &str,
        expected: &[&'static str],
    ) -> bool {
        let text = self.draft.text.clone();
        // The path ends with the unknown name itself; its struct is one step up.
        let outer = &path[..path.len().saturating_sub(1)];
        let (outer_way, outer) = locate(&tree.root, outer, &text);
        let SyntaxBody::Struct(entries) = &outer.unwrapped().body else {
            return false;
        };
        let name_of =
            |range: &Range<usize>| text[range.clone()].trim_start_matches("r#").to_owned();
        let Some(entry) = entries.iter().find(|entry| name_of(&entry.name) == found) else {
            return false;
        };
        let present: Vec<String> = entries.iter().map(|entry| name_of(&entry.name)).collect();
        let free: Vec<&str> = expected
            .iter()
            .copied()
            .filter(|name| present.iter().all(|there| there != name))
            .collect();
        let guess = likely(found, &free);
        let way = outer_way.field(found);
        let mut message = format!("there is no field `{found}` here");
        if let Some(guess) = &guess {
            message.push_str(&format!("; did you mean `{guess}`?"));
        }
        let quoted: Vec<String> = expected.iter().map(|name| format!("`{name}`")).collect();
        let help = format!("the fields are {}", quoted.join(", "));
        self.note(&way, &entry.name, message, Some(help));
        if let Some(guess) = guess {
            self.repaired.push(outer_way.field(&guess));
            self.draft.replace(entry.name.clone(), &guess);
        } else {
            self.draft.replace(entry.whole.clone(), "");
        }
        true
    }

    fn unknown_variant(
        &mut self,
        way: FieldPath,
        node: &SyntaxNode,
        path: &[Segment],
        found: &str,
        expected: &[&'static str],
    ) -> bool {
        let node = innermost_named(node, found, &self.draft.text);
        let Some(name) = node.name.clone() else {
            return false;
        };
        let guess = likely(found, expected);
        let quoted: Vec<String> = expected.iter().map(|name| format!("`{name}`")).collect();
        let mut message = format!("`{found}` does not exist; use {}", join_with_or(&quoted));
        if let Some(guess) = &guess {
            message = format!("`{found}` does not exist; did you mean `{guess}`?");
        }
        let help = guess
            .is_some()
            .then(|| format!("possible: {}", join_with_or(&quoted)));
        self.note(&way, &name, message, help);
        let again = self.repaired.contains(&way);
        self.repaired.push(way);
        match guess {
            Some(guess) if !again => self.draft.replace(name, &guess),
            _ => {
                let Some(info) = type_at(self.root, path) else {
                    return false;
                };
                self.draft.replace(node.span.clone(), &example(info));
            }
        }
        true
    }

    fn missing_field(
        &mut self,
        way: &FieldPath,
        node: &SyntaxNode,
        path: &[Segment],
        field: &str,
    ) -> bool {
        let node = node.unwrapped();
        let (Some(inside), Some(info)) = (node.inside, field_type(self.root, path, field)) else {
            return false;
        };
        if self.misspelt_field(way, node, path, field) {
            return true;
        }
        let label = node.name.clone().unwrap_or(node.span.start..inside);
        let message = format!("the field `{field}` is missing");
        let help = format!("add `{field}: ...`, {}", describe(info));
        self.note(way, &label, message, Some(help));
        self.repaired.push(way.field(field));
        let empty = matches!(&node.body, SyntaxBody::Tuple(items) if items.is_empty());
        let comma = if empty { "" } else { ", " };
        self.draft.replace(
            inside..inside,
            &format!("{field}: {}{comma}", example(info)),
        );
        true
    }

    /// Where a struct may hold fields that it does not know: whether one of them was meant to be the missing one.
    fn misspelt_field(
        &mut self,
        way: &FieldPath,
        node: &SyntaxNode,
        path: &[Segment],
        field: &str,
    ) -> bool {
        let SyntaxBody::Struct(entries) = &node.body else {
            return false;
        };
        let text = self.draft.text.clone();
        let misspelt = entries.iter().find(|entry| {
            let name = text[entry.name.clone()].trim_start_matches("r#");
            field_type(self.root, path, name).is_none() && likely(name, &[field]).is_some()
        });
        let Some(entry) = misspelt else {
            return false;
        };
        let found = &text[entry.name.clone()];
        let message = format!("there is no field `{found}` here; did you mean `{field}`?");
        self.note(&way.field(found), &entry.name, message, None);
        self.repaired.push(way.field(field));
        self.draft.replace(entry.name.clone(), field);
        true
    }

    fn repeated_field(&mut self, way: &FieldPath, node: &SyntaxNode, field: &str) -> bool {
        let SyntaxBody::Struct(entries) = &node.unwrapped().body else {
            // The path may already lead to the field.
            return false;
        };
        let text = self.draft.text.clone();
        let same = |entry: &&super::spans::SyntaxEntry| text[entry.name.clone()] == *field;
        let mut found = entries.iter().filter(same);
        let (Some(first), Some(second)) = (found.next(), found.next()) else {
            return false;
        };
        let way = way.field(field);
        let (line, _) =
            super::report::line_and_column(self.text, self.draft.original(&first.name).start);
        self.note(
            &way,
            &second.name,
            format!("the field `{field}` stands twice, first in line {line}"),
            None,
        );
        self.draft.replace(second.whole.clone(), "");
        true
    }

    /// Notes the mistakes of grammar and mends those that can be mended. False if there is none.
    fn slips(&mut self, slips: &[Slip]) -> bool {
        let here = |at: usize| at..at + 1;
        let root = FieldPath::root();
        let mut commas = Vec::new();
        for slip in slips {
            match slip {
                Slip::MissingComma(at) => {
                    self.note(&root, &(*at..*at), "a comma is missing here", None);
                    commas.push(*at);
                }
                Slip::Unclosed(at) => {
                    let bracket = self.draft.text[here(*at)].to_owned();
                    let message = format!("this `{bracket}` is never closed");
                    self.note(&root, &here(*at), message, None);
                }
                Slip::Mismatched(open, close) => {
                    let bracket = self.draft.text[here(*open)].to_owned();
                    let wrong = self.draft.text[here(*close)].to_owned();
                    let start = self.draft.original(&here(*open));
                    let (line, _) = super::report::line_and_column(self.text, start.start);
                    let message =
                        format!("`{wrong}` does not close the `{bracket}` of line {line}");
                    self.note(&root, &here(*close), message.as_str(), None);
                    if let Some(problem) = self.problems.last_mut()
                        && problem.message == message
                    {
                        problem.related = Some((start, "opened here".into()));
                    }
                }
                Slip::UnclosedText(at) => {
                    self.note(&root, &here(*at), "this text has no closing quote", None);
                }
                Slip::UnclosedComment(at) => {
                    self.note(&root, &here(*at), "this comment has no closing `*/`", None);
                }
                Slip::Trailing(at) => {
                    let end = self.draft.text.len();
                    let message = "nothing may stand behind the closing bracket of the file";
                    self.note(&root, &(*at..end), message, None);
                }
                Slip::TooDeep(at) => {
                    let message = format!(
                        "this bracket is inside {MAX_DEPTH} others; a scene or cell type never nests so deep"
                    );
                    self.note(&root, &here(*at), message, None);
                }
            }
        }
        // All at the end, so that no place moves before it is told.
        self.draft.insert(&mut commas, ",");
        !slips.is_empty()
    }

    fn wrong_value(
        &mut self,
        mut way: FieldPath,
        node: &SyntaxNode,
        path: &[Segment],
        code: &ron::Error,
        error: &SpannedError,
    ) -> bool {
        if self.other_form(&way, node, path) {
            return true;
        }
        let text = self.draft.text.clone();
        let expected = type_at(self.root, path);
        let (Some(info), false) = (expected, self.repaired.contains(&way)) else {
            return self.give_up(&way, path, error);
        };
        // The value of a newtype variant has the path of the variant: `Hours("3")` is wrong in its "3".
        let in_newtype = matches!(path.last(), Some(Segment::Enum { .. }));
        let target = match &node.body {
            SyntaxBody::Tuple(items) if in_newtype && items.len() == 1 => &items[0],
            _ => node,
        };
        let found = excerpt(&text[target.span.clone()]);
        if let Some(inner) = self.struct_in_some(node) {
            let message = "leave out `Some(` and its `)`: what is written is there";
            self.note(&way, &node.span, message, None);
            self.draft.replace(node.span.clone(), &text[inner]);
            return true;
        }
        let double =
            in_newtype && matches!(&target.body, SyntaxBody::Struct(_)) && target.name.is_none();
        if double {
            let name = node.name.clone().map_or("", |name| &text[name]);
            let message = format!("write `{name}(...)` with one pair of parentheses");
            self.note(&way, &target.span, message, None);
            let inner = target.span.start + 1..target.span.end.saturating_sub(1);
            self.draft
                .replace(target.span.clone(), text.get(inner).unwrap_or(""));
            return true;
        }
        if let Some(guess) = quoted_name(info, &found) {
            let message = format!(
                "expected {}, found `{found}`; did you mean `{guess}`?",
                describe(info)
            );
            self.note(&way, &target.span, message, None);
            self.repaired.push(way);
            self.draft.replace(target.span.clone(), &guess);
            return true;
        }
        // A bare variant name without its value needs the parentheses too.
        let bare = in_newtype && node.inside.is_none();
        let message = if bare {
            format!("`{found}` needs a value in parentheses: {}", describe(info))
        } else if found.is_empty() {
            format!("a value is missing: expected {}", describe(info))
        } else {
            format!("expected {}, found `{found}`", describe(info))
        };
        let help = match code {
            ron::Error::IntegerOutOfBounds => Some("the number is too large or negative".into()),
            ron::Error::FloatUnderscore | ron::Error::UnderscoreAtBeginning => {
                Some("write the number without `_`".into())
            }
            ron::Error::Message(text) => Some(text.clone()),
            _ => None,
        };
        self.note(&way, &target.span, message, help);
        self.repaired.push(std::mem::take(&mut way));
        if bare {
            let end = node.span.end;
            self.draft
                .replace(end..end, &format!("({})", example(info)));
        } else {
            self.draft.replace(target.span.clone(), &example(info));
        }
        true
    }

    /// A variant whose values are there, but not in the form that it has: notes how it is written and writes it so. False
    /// if it is none.
    fn other_form(&mut self, way: &FieldPath, node: &SyntaxNode, path: &[Segment]) -> bool {
        let outer = match path.split_last() {
            Some((Segment::Enum { .. }, outer)) => outer,
            _ => path,
        };
        let info = type_at(self.root, outer);
        let form = info.and_then(|info| other_form(info, node, &self.draft.text));
        let Some(Form { written, shown }) = form else {
            return false;
        };
        let message = format!("write `{}`", excerpt(&shown));
        self.note(way, &node.span, message, None);
        self.draft.replace(node.span.clone(), &written);
        true
    }

    /// The bytes of the struct in `Some((...))`, if that is what a value is.
    fn struct_in_some(&self, node: &SyntaxNode) -> Option<Range<usize>> {
        let name = node.name.clone()?;
        let SyntaxBody::Tuple(items) = &node.body else {
            return None;
        };
        match items.as_slice() {
            [only] if only.name.is_none() && matches!(only.body, SyntaxBody::Struct(_)) => {
                (self.draft.text[name] == *"Some").then(|| only.span.clone())
            }
            _ => None,
        }
    }

    /// A mistake that cannot be traced to a value: replaces what holds it, or ends the reading.
    fn give_up(&mut self, way: &FieldPath, path: &[Segment], error: &SpannedError) -> bool {
        if !self.repaired.iter().any(|repaired| repaired.holds(way)) {
            self.note_error(error);
        }
        let text = self.draft.text.clone();
        let tree = Tree::read(&text);
        for steps in (1..=path.len()).rev() {
            let outer = &path[..steps];
            let (way, node) = locate(&tree.root, outer, &text);
            let unknown = type_at(self.root, outer).is_none()
                && matches!(outer.last(), Some(Segment::Map { .. }))
                && type_at(self.root, &outer[..steps - 1])
                    .is_some_and(|info| matches!(info, TypeInfo::Struct(_)));
            if unknown && !self.repaired.contains(&way) {
                // A field that is kept as text, and read later.
                self.repaired.push(way);
                self.draft.replace(node.span.clone(), "None");
                return true;
            }
            if !self.repaired.contains(&way)
                && let Some(info) = type_at(self.root, outer)
                && !matches!(outer.last(), Some(Segment::Enum { .. }))
            {
                self.repaired.push(way);
                self.draft.replace(node.span.clone(), &example(info));
                return true;
            }
        }
        false
    }
}
