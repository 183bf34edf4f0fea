//! Where each field of a RON file stands in its text.
//!
//! ron and serde decide what is valid; they do not keep the place of a value once it is read, and stop at
//! the first mistake. [`Tree`] is a reading of the same text that never fails: brackets, names and commas
//! only. It finds the bytes of `populations[2].place.radius_um`, so that a mistake found late can be shown
//! where it was written, and it knows every missing comma and every bracket that is never closed.

use std::fmt;
use std::ops::Range;

/// Deeper nesting than this is not followed: no scene needs a tenth of it, and ron itself stops at 128.
pub(super) const MAX_DEPTH: usize = 100;

/// One step from a value to a value inside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathStep {
    /// A field of a struct.
    Field(String),
    /// An element of a list.
    Item(usize),
    /// The n-th value between parentheses.
    Nth(usize),
    /// The value of a key in a map.
    Key(String),
}

/// The way to a field from the top of the file; names of enum variants are not part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldPath(pub Vec<PathStep>);

impl FieldPath {
    /// The top of the file.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    fn with(&self, step: PathStep) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// A field of what this path leads to.
    pub fn field(&self, name: &str) -> Self {
        self.with(PathStep::Field(name.to_owned()))
    }

    /// An element of the list this path leads to.
    pub fn item(&self, index: usize) -> Self {
        self.with(PathStep::Item(index))
    }

    /// The n-th value between the parentheses this path leads to.
    pub fn nth(&self, index: usize) -> Self {
        self.with(PathStep::Nth(index))
    }

    /// The value of a key in the map this path leads to.
    pub fn key(&self, key: &str) -> Self {
        self.with(PathStep::Key(key.to_owned()))
    }

    /// This path and then that one.
    pub fn join(&self, inner: &Self) -> Self {
        Self(self.0.iter().chain(&inner.0).cloned().collect())
    }

    /// Whether `other` is this path or leads to something inside it.
    pub fn holds(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Field(name) if position == 0 => f.write_str(name)?,
                PathStep::Field(name) => write!(f, ".{name}")?,
                PathStep::Item(index) => write!(f, "[{index}]")?,
                PathStep::Nth(index) => write!(f, ".{index}")?,
                PathStep::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

/// A value in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntaxNode {
    /// Its bytes, name included.
    pub span: Range<usize>,
    /// The struct or variant name in front of it, or the value itself where it is a bare word.
    pub name: Option<Range<usize>>,
    /// First byte after the opening bracket, if it has one.
    pub inside: Option<usize>,
    /// What it is made of.
    pub body: SyntaxBody,
}

/// What a value is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum SyntaxBody {
    /// A number, a word, a character, or nothing.
    Scalar,
    /// A string.
    Text,
    /// `name: value` pairs between parentheses.
    Struct(Vec<SyntaxEntry>),
    /// Values between parentheses.
    Tuple(Vec<SyntaxNode>),
    /// Values between square brackets.
    List(Vec<SyntaxNode>),
    /// `key: value` pairs between braces.
    Map(Vec<(SyntaxNode, SyntaxNode)>),
}

/// One `name: value` pair.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntaxEntry {
    /// The bytes of the name.
    pub name: Range<usize>,
    /// The value.
    pub value: SyntaxNode,
    /// The pair with the comma behind it.
    pub whole: Range<usize>,
}

/// A mistake in the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slip {
    /// A comma is missing at this byte.
    MissingComma(usize),
    /// The bracket at this byte is never closed.
    Unclosed(usize),
    /// The bracket at the first byte is closed by the unlike one at the second.
    Mismatched(usize, usize),
    /// A string that starts at this byte never ends.
    UnclosedText(usize),
    /// A comment that starts at this byte never ends.
    UnclosedComment(usize),
    /// Something stands here after the end of the value.
    Trailing(usize),
    /// The bracket at this byte is in more others than [`MAX_DEPTH`]; what follows was not read.
    TooDeep(usize),
}

/// A RON text, taken apart.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The whole value.
    pub root: SyntaxNode,
    /// Mistakes in the grammar, in the order of the text.
    pub slips: Vec<Slip>,
}

impl Tree {
    /// Takes a text apart. Never fails: what makes no sense is a [`Slip`].
    pub fn read(text: &str) -> Self {
        let mut reader = Reader {
            bytes: text.as_bytes(),
            text,
            at: 0,
            slips: Vec::new(),
        };
        reader.skip_blank();
        while reader.text[reader.at..].starts_with("#![") {
            let rest = &reader.text[reader.at..];
            reader.at += rest.find(']').map_or(rest.len(), |end| end + 1);
            reader.skip_blank();
        }
        let root = reader.value(0);
        reader.skip_blank();
        if reader.at < text.len() {
            reader.slip(Slip::Trailing(reader.at));
        }
        Self {
            root,
            slips: reader.slips,
        }
    }

    /// The value at the end of a path, or the last one on the way that is in the text; says whether it is
    /// the end of the path.
    pub fn find(&self, path: &FieldPath, text: &str) -> (&SyntaxNode, bool) {
        let mut node = &self.root;
        for step in &path.0 {
            match node.step(step, text) {
                Some(next) => node = next,
                None => return (node, false),
            }
        }
        (node, true)
    }
}

impl SyntaxNode {
    /// One step inwards. `Some(...)` and the parentheses of newtypes are passed through.
    pub fn step(&self, step: &PathStep, text: &str) -> Option<&Self> {
        match (step, &self.body) {
            (PathStep::Field(name), SyntaxBody::Struct(entries)) => entries
                .iter()
                .find(|entry| bare(&text[entry.name.clone()]) == name)
                .map(|entry| &entry.value),
            (PathStep::Item(index), SyntaxBody::List(items)) => items.get(*index),
            (PathStep::Key(key), SyntaxBody::Map(pairs)) => pairs
                .iter()
                .rev()
                .find(|(name, _)| unquoted(&text[name.span.clone()]) == key)
                .map(|(_, value)| value),
            (PathStep::Nth(index), SyntaxBody::Tuple(items)) => match items.as_slice() {
                [only] if matches!(only.body, SyntaxBody::Tuple(_)) => only.step(step, text),
                items => items.get(*index),
            },
            (_, SyntaxBody::Tuple(items)) => match items.as_slice() {
                [only] => only.step(step, text),
                _ => None,
            },
            _ => None,
        }
    }

    /// The innermost value if this one is only wrapped in `Some(...)` or the parentheses of a newtype.
    pub fn unwrapped(&self) -> &Self {
        match &self.body {
            SyntaxBody::Tuple(items) => match items.as_slice() {
                [only] => only.unwrapped(),
                _ => self,
            },
            _ => self,
        }
    }
}

/// A field name without the mark of a raw identifier.
fn bare(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// A string literal without its quotes. Escapes are not resolved: names have none.
pub fn unquoted(literal: &str) -> &str {
    literal
        .trim_start_matches('r')
        .trim_matches('#')
        .trim_matches('"')
}

struct Reader<'t> {
    bytes: &'t [u8],
    text: &'t str,
    at: usize,
    slips: Vec<Slip>,
}

impl Reader<'_> {
    /// Notes a slip. After a lost bracket or quote the rest cannot be trusted: what follows is not noted.
    fn slip(&mut self, slip: Slip) {
        let lost = |slip: &Slip| !matches!(slip, Slip::MissingComma(_));
        if !self.slips.iter().any(lost) {
            self.slips.push(slip);
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.skip_block_comment();
            } else {
                return;
            }
        }
    }

    fn skip_block_comment(&mut self) {
        let start = self.at;
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            let rest = &self.bytes[self.at..];
            if rest.starts_with(b"/*") {
                depth += 1;
                self.at += 2;
            } else if rest.starts_with(b"*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else {
                self.at += 1;
            }
        }
        self.slip(Slip::UnclosedComment(start));
    }

    /// Reads a value; an empty scalar where there is none.
    fn value(&mut self, depth: usize) -> SyntaxNode {
        self.skip_blank();
        let start = self.at;
        let node = |end, name, inside, body| SyntaxNode {
            span: start..end,
            name,
            inside,
            body,
        };
        match self.peek() {
            Some(b'(' | b'[' | b'{') if depth >= MAX_DEPTH => {
                self.too_deep();
                node(self.at, None, None, SyntaxBody::Scalar)
            }
            Some(b'(') => {
                self.at += 1;
                let body = self.parentheses(start, depth);
                node(self.at, None, Some(start + 1), body)
            }
            Some(b'[') => {
                self.at += 1;
                let items = self.list(start, depth);
                node(self.at, None, Some(start + 1), SyntaxBody::List(items))
            }
            Some(b'{') => {
                self.at += 1;
                let pairs = self.map(start, depth);
                node(self.at, None, Some(start + 1), SyntaxBody::Map(pairs))
            }
            Some(b'"') => {
                self.string(start, 0);
                node(self.at, None, None, SyntaxBody::Text)
            }
            Some(_) => {
                if let Some(hashes) = self.raw_string_hashes() {
                    self.string(start, hashes);
                    return node(self.at, None, None, SyntaxBody::Text);
                }
                self.word();
                let word = start..self.at;
                let named =
                    self.text[word.clone()].starts_with(|c: char| c.is_alphabetic() || c == '_');
                if !named {
                    return node(self.at, None, None, SyntaxBody::Scalar);
                }
                let end = self.at;
                self.skip_blank();
                if self.peek() == Some(b'(') && depth >= MAX_DEPTH {
                    self.too_deep();
                    node(self.at, Some(word), None, SyntaxBody::Scalar)
                } else if self.peek() == Some(b'(') {
                    let open = self.at;
                    self.at += 1;
                    let body = self.parentheses(open, depth);
                    node(self.at, Some(word), Some(open + 1), body)
                } else {
                    self.at = end;
                    node(end, Some(word), None, SyntaxBody::Scalar)
                }
            }
            None => node(start, None, None, SyntaxBody::Scalar),
        }
    }

    /// Ends the reading at a bracket that is in too many others.
    fn too_deep(&mut self) {
        self.slip(Slip::TooDeep(self.at));
        self.at = self.bytes.len();
    }

    /// Everything up to the next blank, bracket, comma, colon or quote.
    fn word(&mut self) {
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| c.is_whitespace() || "()[]{},:\"".contains(c))
            .unwrap_or(rest.len());
        let comment = rest[..end].find("//").or_else(|| rest[..end].find("/*"));
        self.at += comment.unwrap_or(end);
    }

    /// The number of `#` in front of a raw string that starts here (`r"`, `r#"`, `br"`).
    fn raw_string_hashes(&mut self) -> Option<usize> {
        let rest = &self.text[self.at..];
        let body = rest.strip_prefix('b').unwrap_or(rest);
        if let Some(quoted) = body.strip_prefix('"') {
            self.at += rest.len() - quoted.len() - 1;
            return Some(0);
        }
        let raw = body.strip_prefix('r')?;
        let hashes = raw.bytes().take_while(|b| *b == b'#').count();
        if !raw[hashes..].starts_with('"') {
            return None;
        }
        self.at += rest.len() - raw.len() + hashes;
        // One more than the number, so that a raw string without `#` is not read with escapes.
        Some(hashes + 1)
    }

    /// Reads a string from its quote; `raw` is 0 for one with escapes, else the number of `#` and one.
    fn string(&mut self, start: usize, raw: usize) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' if raw == 0 => self.at = (self.at + 1).min(self.bytes.len()),
                b'"' => {
                    let hashes = raw.saturating_sub(1);
                    let rest = &self.bytes[self.at..];
                    if rest.len() >= hashes && rest[..hashes].iter().all(|b| *b == b'#') {
                        self.at += hashes;
                        return;
                    }
                }
                _ => {}
            }
        }
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        self.slip(Slip::UnclosedText(start));
    }

    /// After a value: takes the comma or notes that it is missing. True when the bracket ends here.
    fn separator(&mut self, open: usize, close: u8) -> bool {
        let end = self.at;
        self.skip_blank();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.closing(open, close)
            }
            // A name in a list: the list should have ended before it.
            Some(b':') if close == b']' => {
                self.slip(Slip::Unclosed(open));
                true
            }
            _ if self.closing(open, close) => true,
            _ => {
                self.slip(Slip::MissingComma(end));
                false
            }
        }
    }

    /// Whether the bracket ends here, and if so steps over its end.
    fn closing(&mut self, open: usize, close: u8) -> bool {
        self.skip_blank();
        match self.peek() {
            None => {
                self.slip(Slip::Unclosed(open));
                true
            }
            Some(byte) if byte == close => {
                self.at += 1;
                true
            }
            Some(b')' | b']' | b'}') => {
                self.slip(Slip::Mismatched(open, self.at));
                self.at += 1;
                true
            }
            _ => false,
        }
    }

    /// A stray comma or colon where a value should be is stepped over, so that reading always advances.
    fn advance_from(&mut self, before: usize) {
        if self.at == before
            && let Some(next) = self.text[self.at..].chars().next()
        {
            self.at += next.len_utf8();
        }
    }

    fn list(&mut self, open: usize, depth: usize) -> Vec<SyntaxNode> {
        let mut items = Vec::new();
        if self.closing(open, b']') {
            return items;
        }
        loop {
            let before = self.at;
            items.push(self.value(depth + 1));
            if self.separator(open, b']') {
                return items;
            }
            self.advance_from(before);
        }
    }

    fn map(&mut self, open: usize, depth: usize) -> Vec<(SyntaxNode, SyntaxNode)> {
        let mut pairs = Vec::new();
        if self.closing(open, b'}') {
            return pairs;
        }
        loop {
            let before = self.at;
            let key = self.value(depth + 1);
            self.skip_blank();
            if self.peek() == Some(b':') {
                self.at += 1;
            }
            let value = self.value(depth + 1);
            pairs.push((key, value));
            if self.separator(open, b'}') {
                return pairs;
            }
            self.advance_from(before);
        }
    }

    fn parentheses(&mut self, open: usize, depth: usize) -> SyntaxBody {
        let (mut entries, mut items) = (Vec::new(), Vec::new());
        let mut ended = self.closing(open, b')');
        while !ended {
            let before = self.at;
            let first = self.value(depth + 1);
            let after = self.at;
            self.skip_blank();
            let is_name = first.inside.is_none() && first.name.is_some();
            if self.peek() == Some(b':') && is_name {
                self.at += 1;
                let value = self.value(depth + 1);
                let start = first.span.start;
                ended = self.separator(open, b')');
                // The comma, if there is one, is the last byte of a pair that does not end the bracket.
                let comma = self.text[value.span.end..]
                    .find(|c: char| !c.is_whitespace())
                    .map(|offset| value.span.end + offset)
                    .filter(|at| self.bytes[*at] == b',');
                entries.push(SyntaxEntry {
                    name: first.span,
                    whole: start..comma.map_or(value.span.end, |at| at + 1),
                    value,
                });
            } else {
                self.at = after;
                items.push(first);
                ended = self.separator(open, b')');
            }
            if !ended {
                self.advance_from(before);
            }
        }
        if entries.is_empty() {
            SyntaxBody::Tuple(items)
        } else {
            SyntaxBody::Struct(entries)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        // A comment with ( and ".
        (title: "a \" ( b", sites: [(size_um: (1, 2.5, 3))], parameters: {"a.b": 4},
         place: Ball(radius_um: -5.0), site: Some("x"), look: /* ( */ Camera((far: 3)),)
    "#;

    fn at(path: &FieldPath) -> &'static str {
        let tree = Tree::read(TEXT);
        assert_eq!(tree.slips, []);
        let (node, exact) = tree.find(path, TEXT);
        assert!(exact, "{path}");
        &TEXT[node.span.clone()]
    }

    #[test]
    fn a_path_leads_to_the_text_of_its_value() {
        let root = FieldPath::root();
        assert_eq!(at(&root.field("title")), r#""a \" ( b""#);
        let size = root.field("sites").item(0).field("size_um");
        assert_eq!(at(&size.nth(1)), "2.5");
        assert_eq!(size.nth(1).to_string(), "sites[0].size_um.1");
        assert_eq!(at(&root.field("parameters").key("a.b")), "4");
        assert_eq!(at(&root.field("place").field("radius_um")), "-5.0");
        assert_eq!(at(&root.field("look").field("far")), "3");
    }

    #[test]
    fn slips_of_the_grammar_are_all_found_where_they_are() {
        assert_eq!(Tree::read("(a: 1 b: 2)").slips, [Slip::MissingComma(5)]);
        assert_eq!(Tree::read("(a: [1, 2, b: 2").slips, [Slip::Unclosed(4)]);
        assert_eq!(
            Tree::read("(a: [1, 2), b: 2)").slips,
            [Slip::Mismatched(4, 9)]
        );
        assert_eq!(Tree::read("(a: \"x)").slips[0], Slip::UnclosedText(4));
        assert_eq!(Tree::read("() ()").slips, [Slip::Trailing(3)]);
        let deep = "(".repeat(200_000);
        assert_eq!(Tree::read(&deep).slips, [Slip::TooDeep(MAX_DEPTH)]);
    }
}
