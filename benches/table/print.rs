//! How the table looks: Markdown, one figure a line.

use std::fmt::{Display, Formatter, Result};

use crate::Goal;

/// One line of the table.
pub struct Line<'a> {
    pub work: &'a str,
    pub figure: &'a str,
    /// On one thread and on two.
    pub values: [f64; 2],
    /// What it must reach, and whether it does.
    pub goal: Option<(Goal, bool)>,
}

/// The first two lines.
pub fn head() -> String {
    format!(
        "| {:40} | {:28} | {:>9} | {:>9} | {:>9} | {:6} |\n| {:-<40} | {:-<28} | {:->8}: | {:->8}: | {:->8}: | {:-<6} |",
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
        let [one, two] = self.values.map(short);
        write!(
            formatter,
            "| {:40} | {:28} | {one:>9} | {two:>9} | {goal:>9} | {verdict:6} |",
            self.work, self.figure
        )
    }
}

const fn said(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

/// A number to three figures.
fn short(value: f64) -> String {
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
