//! All that is wrong with a file, said in one go: where, what was found, what would work.
//!
//! Each problem opens with one line that a program can read, `scenes/bad.ron:12:7: sites[0].size_um: ...`,
//! and goes on with the lines of the file for a person.

use std::fmt;
use std::ops::Range;

use codespan_reporting::diagnostic::{Diagnostic, Label};
use codespan_reporting::files::SimpleFiles;
use codespan_reporting::term::{self, Chars, Config, Styles, StylesWriter, termcolor};

/// So many problems of a file are shown; the rest is counted.
const MAX_SHOWN: usize = 50;
/// Of a longer line only the surroundings of the problem are shown, columns.
const MAX_COLUMNS: usize = 160;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as its user named it.
    pub file: String,
    /// The bytes of the file that are wrong; `None` when it is the file as a whole.
    pub span: Option<Range<usize>>,
    /// Line, from 1; 0 when it is the file as a whole.
    pub line: usize,
    /// Column in characters, from 1; 0 when it is the file as a whole.
    pub column: usize,
    /// The field, as in `populations[2].place.radius_um`; empty for the file as a whole.
    pub path: String,
    /// What is wrong, in one line.
    pub message: String,
    /// What would work, if there is more to say.
    pub help: Option<String>,
    /// Another place that has to do with it, and why.
    pub related: Option<(Range<usize>, String)>,
    /// Whether it only has no effect: the file can be used all the same.
    pub is_warning: bool,
}

impl Problem {
    /// A problem with a file as a whole: it is missing, unreadable, not text.
    pub fn whole_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            span: None,
            line: 0,
            column: 0,
            path: String::new(),
            message: message.into(),
            help: None,
            related: None,
            is_warning: false,
        }
    }

    /// A problem with a piece of a file. Line and column follow from the text.
    pub fn at(
        file: &str,
        text: &str,
        span: Range<usize>,
        path: impl fmt::Display,
        message: impl Into<String>,
    ) -> Self {
        let (line, column) = line_and_column(text, span.start);
        Self {
            span: Some(span),
            line,
            column,
            path: path.to_string(),
            ..Self::whole_file(file, message)
        }
    }

    /// The same, with advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The line by which programs know it: `file:line:column: field: message`, with `warning:` before the field of a
    /// warning.
    pub fn headline(&self) -> String {
        let mut line = self.file.clone();
        if self.line > 0 {
            line.push_str(&format!(":{}:{}", self.line, self.column));
        }
        line.push_str(": ");
        if self.is_warning {
            line.push_str("warning: ");
        }
        if !self.path.is_empty() {
            line.push_str(&format!("{}: ", self.path));
        }
        line.push_str(&self.message);
        line
    }
}

/// Line and column, both from 1, of a byte of a text.
pub fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        1 + before.matches('\n').count(),
        1 + before[line_start..].chars().count(),
    )
}

/// Everything that is wrong with a scene and the files it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SceneReport {
    /// The problems and warnings: file by file, from top to bottom.
    pub problems: Vec<Problem>,
    /// Name and text of the files, for showing their lines.
    pub sources: Vec<(String, String)>,
}

impl SceneReport {
    /// Whether there is nothing to say: neither a problem nor a warning.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Problems and warnings, each with the texts of all files.
    pub(super) fn apart(self) -> (Self, Self) {
        let (warnings, problems) = self
            .problems
            .into_iter()
            .partition(|problem| problem.is_warning);
        let with = |problems| Self {
            problems,
            sources: self.sources.clone(),
        };
        (with(problems), with(warnings))
    }

    /// The text of a file that problems can point into.
    pub(super) fn add_source(&mut self, file: &str, text: &str) {
        if self.sources.iter().all(|(name, _)| name != file) {
            self.sources.push((file.to_owned(), text.to_owned()));
        }
    }

    /// Takes over what another report says.
    pub(super) fn absorb(&mut self, other: Self) {
        for (name, text) in other.sources {
            self.add_source(&name, &text);
        }
        self.problems.extend(other.problems);
    }

    /// Takes over what another report says, and puts its files before those of this one.
    pub(super) fn absorb_first(&mut self, mut other: Self) {
        std::mem::swap(self, &mut other);
        self.absorb(other);
    }

    /// Sorts the problems by file, in the order in which files were read, and place, and drops doubles.
    pub(super) fn put_in_order(&mut self) {
        let sources = &self.sources;
        let rank = |file: &str| sources.iter().position(|(name, _)| name == file);
        self.problems.sort_by_cached_key(|problem| {
            let start = problem.span.as_ref().map_or(0, |span| span.start);
            (rank(&problem.file), start)
        });
        self.problems.dedup();
    }

    /// Only the one-line form of each problem.
    pub fn headlines(&self) -> Vec<String> {
        self.problems.iter().map(Problem::headline).collect()
    }

    /// The report for a person: each problem's line, the lines of the file it points to, advice.
    pub fn render(&self, colour: bool) -> String {
        let mut files = SimpleFiles::new();
        let ids: Vec<usize> = self
            .sources
            .iter()
            .map(|(name, text)| files.add(name.as_str(), text.as_str()))
            .collect();
        let config = Config {
            chars: if colour {
                Chars::box_drawing()
            } else {
                Chars::ascii()
            },
            ..Config::default()
        };
        let styles = Styles::default();
        let mut text = String::new();
        let mut shown_of: Vec<(&str, usize)> = Vec::new();
        for problem in &self.problems {
            let position = shown_of
                .iter()
                .position(|(file, _)| *file == problem.file)
                .unwrap_or_else(|| {
                    shown_of.push((&problem.file, 0));
                    shown_of.len() - 1
                });
            shown_of[position].1 += 1;
            if shown_of[position].1 > MAX_SHOWN {
                continue;
            }
            if colour {
                text.push_str(&format!("\u{1b}[1m{}\u{1b}[0m\n", problem.headline()));
            } else {
                text.push_str(&problem.headline());
                text.push('\n');
            }
            let file = self
                .sources
                .iter()
                .position(|(name, _)| *name == problem.file)
                .map(|position| ids[position]);
            let windows = self.windows(problem, &config.chars);
            if let Some(windows) = windows {
                text.push_str(&windows);
            } else if let (Some(file), Some(span)) = (file, &problem.span) {
                let mut labels = vec![Label::primary(file, span.clone())];
                if let Some((span, why)) = &problem.related {
                    labels.push(Label::secondary(file, span.clone()).with_message(why));
                }
                let diagnostic = Diagnostic::error().with_labels(labels);
                let mut drawn = termcolor::Buffer::no_color();
                if colour {
                    drawn = termcolor::Buffer::ansi();
                }
                let shown = term::emit_to_write_style(
                    &mut StylesWriter::new(&mut drawn, &styles),
                    &config,
                    &files,
                    &diagnostic,
                );
                if shown.is_ok() {
                    // The first line is codespan's own headline; ours has been written.
                    let drawn = String::from_utf8_lossy(drawn.as_slice()).into_owned();
                    let lines = drawn.lines().skip(1).filter(|line| !line.trim().is_empty());
                    for line in lines {
                        text.push_str(line.trim_end());
                        text.push('\n');
                    }
                }
            }
            if let Some(help) = &problem.help {
                text.push_str(&format!("  help: {help}\n"));
            }
            text.push('\n');
        }
        for (file, count) in shown_of {
            if count > MAX_SHOWN {
                text.push_str(&format!("{file}: and {} more\n", count - MAX_SHOWN));
            }
        }
        let warnings = self.problems.iter().filter(|known| known.is_warning);
        let warnings = warnings.count();
        let problems = self.problems.len() - warnings;
        let counted = |count: usize, noun: &str| {
            let plural = if count == 1 { "" } else { "s" };
            format!("{count} {noun}{plural}\n")
        };
        if problems > 0 || warnings == 0 {
            text.push_str(&counted(problems, "problem"));
        }
        if warnings > 0 {
            text.push_str(&counted(warnings, "warning"));
        }
        text
    }
}

impl SceneReport {
    /// The places of a problem, if a line of them is too long to be shown whole.
    fn windows(&self, problem: &Problem, chars: &Chars) -> Option<String> {
        let (name, source) = self
            .sources
            .iter()
            .find(|(name, _)| *name == problem.file)?;
        let main = problem.span.as_ref()?;
        let related = problem.related.as_ref();
        let places = || {
            [Some((main, ""))]
                .into_iter()
                .chain([related.map(|(span, why)| (span, why.as_str()))])
                .flatten()
        };
        let long = |at: usize| line_around(source, at).len() > MAX_COLUMNS;
        if !places().any(|(span, _)| long(span.start) || long(span.end)) {
            return None;
        }
        let mut text = String::new();
        for (span, why) in places() {
            text.push_str(&window(name, source, span, why, chars));
        }
        Some(text)
    }
}

/// The bytes of the line, without its end, in which a byte of a text stands.
fn line_around(text: &str, at: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let at = at.min(bytes.len());
    let is_end = |byte: &u8| *byte == b'\n';
    let start = bytes[..at]
        .iter()
        .rposition(is_end)
        .map_or(0, |end| end + 1);
    let end = bytes[at..].iter().position(is_end);
    start..end.map_or(bytes.len(), |end| at + end)
}

/// The piece of a long line around a span, and marks under the span.
fn window(name: &str, source: &str, span: &Range<usize>, why: &str, chars: &Chars) -> String {
    let line = line_around(source, span.start);
    let at = span.start.min(line.end);
    let mut start = at.saturating_sub(MAX_COLUMNS / 2).max(line.start);
    let mut end = (start + MAX_COLUMNS).min(line.end);
    while !source.is_char_boundary(start) {
        start -= 1;
    }
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    let dots = |cut: bool| if cut { "..." } else { "" };
    let (head, tail) = (dots(start > line.start), dots(end < line.end));
    let columns = |from: usize, to: usize| source.get(from..to).map_or(0, |s| s.chars().count());
    let (number, column) = line_and_column(source, at);
    let marked = columns(at, span.end.min(end)).max(1);
    let gutter = " ".repeat(number.to_string().len());
    let border = chars.source_border_left;
    let piece = source[start..end].replace(['\t', '\r'], " ");
    let indent = " ".repeat(head.len() + columns(start, at));
    let marks = chars.single_primary_caret.to_string().repeat(marked);
    let note = format!("{marks} {why}");
    format!(
        "{gutter} {} {name}:{number}:{column}\n{gutter} {border}\n{number} {border} {head}{piece}{tail}\n\
         {gutter} {border} {indent}{}\n",
        chars.snippet_start,
        note.trim_end()
    )
}

impl fmt::Display for SceneReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for SceneReport {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_grows_with_neither_the_line_nor_the_number_of_mistakes() {
        let text = "x: 1, ".repeat(5_000);
        let mut report = SceneReport::default();
        report.add_source("long.ron", &text);
        for number in 0..5_000 {
            let at = number * 6;
            let problem = Problem::at("long.ron", &text, at..at + 1, "x", "stands here");
            report.problems.push(problem);
        }
        let shown = report.render(false);
        assert!(shown.len() < 50 * 500, "{}", shown.len());
        assert!(
            shown.contains("long.ron: and 4950 more\n5000 problems\n"),
            "{shown}"
        );
        let lines: Vec<&str> = shown.lines().collect();
        let last = lines.iter().rposition(|line| line.contains('^')).unwrap();
        let column = lines[last].find('^').unwrap();
        assert_eq!(&lines[last - 1][column..column + 4], "x: 1");
    }
}
