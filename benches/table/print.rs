//! How the table looks: Markdown, one figure a line.

use std::fmt::{Display, Formatter, Result};

use crate::{Figure, Goal};

/// One line of the table.
pub struct Line<'a> {
    pub work: &'a str,
    pub figure: &'a str,
    /// On one thread and on two, as printed.
    pub values: [String; 2],
    /// What it must reach, and whether it does.
    pub goal: Option<(Goal, bool)>,
}

/// The first two lines.
pub fn head() -> String {
    format!(
        "| {:50} | {:33} | {:>22} | {:>22} | {:>8} | {:6} |\n| {:-<50} | {:-<33} | {:->21}: | {:->21}: | {:->7}: | {:-<6} |",
        "work", "figure", "1 thread", "2 threads", "goal", "", "", "", "", "", "", ""
    )
}

impl Display for Line<'_> {
    fn fmt(&self, formatter: &mut Formatter) -> Result {
        let (goal, verdict) = match self.goal {
            Some((Goal::AtLeast(least), met)) => (format!("> {}", short(least)), said(met)),
            Some((Goal::AtMost(most), met)) => (format!("< {}", short(most)), said(met)),
            None => (String::new(), ""),
        };
        let [one, two] = &self.values;
        write!(
            formatter,
            "| {:50} | {:33} | {one:>22} | {two:>22} | {goal:>8} | {verdict:6} |",
            self.work, self.figure
        )
    }
}

const fn said(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

impl Display for Figure {
    fn fmt(&self, formatter: &mut Formatter) -> Result {
        write!(formatter, "{}", short(self.value))?;
        match self.range {
            Some([min, max]) => write!(formatter, " ({}-{})", short(min), short(max)),
            None => Ok(()),
        }
    }
}

/// A number to three figures.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        String::new()
    } else if value.fract() == 0.0 && size < 1e6 {
        format!("{value:.0}")
    } else if size < 1e-2 {
        format!("{value:.1e}")
    } else if size < 10.0 {
        format!("{value:.2}")
    } else if size < 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}
