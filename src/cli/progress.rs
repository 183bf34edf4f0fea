//! How far a long piece of work has come: a bar where there is a terminal, a line a minute where there is none.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::complain;

/// Time between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(60);

/// Tells how far a piece of work has come.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// When the next line is due; never where there is a bar or nothing is wanted.
    next_line: Option<Instant>,
    began: Instant,
    first: u64,
    total: u64,
}

impl Progress {
    /// Of a piece of work of `total` parts, of which `first` are done; `quiet` tells nothing.
    pub fn new(first: u64, total: u64, quiet: bool) -> Self {
        let began = Instant::now();
        let has_terminal = stderr().is_terminal();
        let bar = if quiet || !has_terminal {
            ProgressBar::hidden()
        } else {
            let template = "{bar:40} {percent:>3} %  {msg}  {per_sec}  {eta} left";
            let style = ProgressStyle::with_template(template);
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(total).with_style(style)
        };
        bar.set_position(first);
        Self {
            bar,
            next_line: (!quiet && !has_terminal).then(|| began + BETWEEN_LINES),
            began,
            first,
            total,
        }
    }

    /// So many parts are done; `message` says what was reached, and is asked only if it is shown.
    pub fn reached(&mut self, done: u64, message: impl FnOnce() -> String) {
        if !self.bar.is_hidden() {
            self.bar.set_position(done);
            self.bar.set_message(message());
            return;
        }
        let now = Instant::now();
        if self.next_line.is_some_and(|due| now >= due) {
            self.next_line = Some(now + BETWEEN_LINES);
            let here = (done - self.first).max(1) as f64;
            let left = now.duration_since(self.began).as_secs_f64() / here
                * self.total.saturating_sub(done) as f64;
            complain(format_args!(
                "{} %: {}, about {} left",
                100 * done / self.total.max(1),
                message(),
                in_words(left)
            ));
        }
    }

    /// Writes a line beside the bar.
    pub fn note(&self, line: impl std::fmt::Display) {
        self.bar.suspend(|| complain(line));
    }

    /// Takes the bar away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// Time since it began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// A time in the unit in which a person says it.
pub(super) fn in_words(seconds: f64) -> String {
    match seconds {
        0.0..90.0 => format!("{seconds:.0} s"),
        0.0..5400.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        for (seconds, words) in [(12.3, "12 s"), (600.0, "10 min"), (9000.0, "2.5 h")] {
            assert_eq!(in_words(seconds), words);
        }
    }
}
