//! A text that is being mended: a copy in which every byte knows where it comes from.

use std::ops::Range;

/// The copy of the text that is mended, and where each of its bytes comes from.
pub(super) struct Draft {
    /// The copy.
    pub text: String,
    origin: Vec<usize>,
    /// Where the original ends.
    end: usize,
}

impl Draft {
    /// A copy of all of it.
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            origin: (0..text.len()).collect(),
            end: text.len(),
        }
    }

    /// A part of it.
    pub fn piece(&self, span: Range<usize>) -> Self {
        Self {
            text: self.text[span.clone()].to_owned(),
            origin: self.origin[span.clone()].to_vec(),
            end: self.original(&span).end,
        }
    }

    /// Puts something else in place of these bytes of the copy.
    pub fn replace(&mut self, span: Range<usize>, with: &str) {
        let origin = self.origin_of(span.start);
        self.text.replace_range(span.clone(), with);
        self.origin
            .splice(span, std::iter::repeat_n(origin, with.len()));
    }

    /// Puts the same text in at all these places of the copy.
    pub fn insert(&mut self, places: &mut [usize], with: &str) {
        if places.is_empty() {
            return;
        }
        places.sort_unstable();
        let mut text = String::with_capacity(self.text.len() + places.len() * with.len());
        let mut origin = Vec::with_capacity(text.capacity());
        let mut from = 0;
        for at in places.iter().copied() {
            text.push_str(&self.text[from..at]);
            origin.extend_from_slice(&self.origin[from..at]);
            text.push_str(with);
            origin.extend(std::iter::repeat_n(self.origin_of(at), with.len()));
            from = at;
        }
        text.push_str(&self.text[from..]);
        origin.extend_from_slice(&self.origin[from..]);
        (self.text, self.origin) = (text, origin);
    }

    fn origin_of(&self, at: usize) -> usize {
        self.origin.get(at).copied().unwrap_or(self.end)
    }

    /// The bytes of the original that a span of the copy comes from.
    pub fn original(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.origin_of(span.start);
        let end = match span.end.checked_sub(1) {
            Some(last) if span.end > span.start => self.origin_of(last) + 1,
            _ => start,
        };
        start..end.max(start).min(self.end.max(start))
    }
}
