//! Floor 6: the command line.
//!
//! Bad input of any kind (an option, a scene, a folder that cannot be used) is told in words and exits with
//! 2 before anything is written; what goes wrong while running, or an expectation that does not hold, exits
//! with 1 and keeps what was computed.

mod check;
mod describe;
#[cfg(feature = "view")]
mod explore;
mod gallery;
mod interruption;
mod progress;
#[cfg(feature = "view")]
mod record;
mod run;
mod span;
mod split;
mod trial;

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::{Parser, Subcommand};

use crate::core::printable::is_unprintable;
use crate::scene::SceneReport;
use crate::simulation::Program;

/// Walk through a tumour: an explorable, scriptable, recordable 3D simulation of the tumour
/// microenvironment.
#[derive(Debug, Parser)]
#[command(name = "tumorscape", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Simulate a scene without drawing and write a run folder.
    Run(run::RunArguments),
    /// Go on with a run that was stopped, from its newest checkpoint.
    Resume(run::ResumeArguments),
    /// Report every mistake in scenes and cell prefabs.
    Check(check::CheckArguments),
    /// Say what the program knows: parameters, quantities, inputs, rules, molecules and more.
    Describe(describe::DescribeArguments),
    /// Run all arms of a scene, each with many seeds, and compare them; or go on with such a trial.
    Trial(trial::TrialArguments),
    /// Run a scene with many values of its parameters, or without each of its arrows.
    Sweep(trial::SweepArguments),
    /// Find how often something rare happens: fork runs that come near it, with weights that make up for it.
    Split(split::SplitArguments),
    /// Say how far a trial is.
    Status(trial::StatusArguments),
    /// Make tables and report of what is done of a trial, here or in several folders.
    Collect(trial::CollectArguments),
    /// Simulate a scene and make a film of it; needs no window and no GPU.
    #[cfg(feature = "view")]
    Record(record::RecordArguments),
    /// Open a scene in the 3D window.
    #[cfg(feature = "view")]
    Explore(explore::ExploreArguments),
    /// Make the pictures of the shipped scenes and their list in the README, where these are out of date.
    Gallery(gallery::GalleryArguments),
}

/// Why the program stops before its work is done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The input is wrong: exit code 2.
    Input(String),
    /// Something went wrong while running: exit code 1.
    Run(String),
}

impl Failure {
    /// What is said of it.
    #[cfg(feature = "view")]
    fn into_message(self) -> String {
        match self {
            Self::Input(message) | Self::Run(message) => message,
        }
    }

    fn input(error: impl std::fmt::Display) -> Self {
        Self::Input(error.to_string())
    }

    fn run(error: impl std::fmt::Display) -> Self {
        Self::Run(error.to_string())
    }
}

/// Where no session of a desktop runs, Mesa's device-selection layer complains on standard error about the
/// missing `XDG_RUNTIME_DIR`. There is nothing to select then, so it is left out.
#[cfg(feature = "view")]
fn silence_device_selection() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none()
        && std::env::var_os("NODEVICE_SELECT").is_none()
    {
        // SAFETY: the program has only just started and has no other thread that could read the environment.
        unsafe {
            std::env::set_var("NODEVICE_SELECT", "1");
        }
    }
}

/// Set when standard output could not be written, and not because its reader has gone away.
static LOST: Mutex<Option<String>> = Mutex::new(None);

/// Writes a line to standard output. A reader that has gone away (`| head`) is no reason to fail; what cannot be written
/// for any other reason is told at the end by [`run`].
fn say(line: impl Display) {
    let line = format!("{}\n", printable(&line.to_string()));
    write_out(line.as_bytes());
}

fn write_out(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_all(bytes).and_then(|()| out.flush())
        && error.kind() != ErrorKind::BrokenPipe
        && let Ok(mut lost) = LOST.lock()
    {
        lost.get_or_insert(error.to_string());
    }
}

/// Writes a line to standard error. That too may be read by somebody who has gone away.
fn complain(line: impl Display) {
    let _gone = writeln!(io::stderr(), "{}", printable(&line.to_string()));
}

/// A text as it may go to a terminal: what stands in names of files, scenes and sites cannot move the cursor, change
/// colours, turn the direction of writing or hide anything. Only line breaks and tabs are kept.
fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(commands_a_terminal) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if commands_a_terminal(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

fn commands_a_terminal(c: char) -> bool {
    is_unprintable(c) && c != '\n' && c != '\t'
}

/// Tells what has no effect, if there is anything.
fn warn(warnings: &SceneReport) {
    if !warnings.is_empty() {
        complain(warnings);
    }
}

/// The scene that is opened when none is named.
pub const DEFAULT_SCENE: &str = "scenes/microenvironment.ron";

/// Runs a program on the arguments of the process.
pub fn run(program: Program) -> ExitCode {
    #[cfg(feature = "view")]
    silence_device_selection();
    let cli = Cli::parse();
    let result = match cli.verb {
        Some(Verb::Run(arguments)) => run::run(&program, &arguments),
        Some(Verb::Resume(arguments)) => run::resume(&program, &arguments),
        Some(Verb::Check(arguments)) => check::check(&program, &arguments),
        Some(Verb::Describe(arguments)) => describe::describe(&program, &arguments),
        Some(Verb::Trial(arguments)) => trial::trial(&program, &arguments),
        Some(Verb::Sweep(arguments)) => trial::sweep(&program, &arguments),
        Some(Verb::Split(arguments)) => split::split_runs(&program, &arguments),
        Some(Verb::Status(arguments)) => trial::status(&arguments),
        Some(Verb::Collect(arguments)) => trial::collect(&arguments),
        #[cfg(feature = "view")]
        Some(Verb::Record(arguments)) => record::record(&program, &arguments),
        #[cfg(feature = "view")]
        Some(Verb::Explore(arguments)) => explore::explore(&program, &arguments),
        Some(Verb::Gallery(arguments)) => gallery::gallery(&program, &arguments),
        #[cfg(feature = "view")]
        None => explore::open_default(&program),
        #[cfg(not(feature = "view"))]
        None => Err(Failure::Input(format!(
            "this build has no window; try `tumorscape run {DEFAULT_SCENE}`, or see --help"
        ))),
    };
    let lost = LOST.lock().ok().and_then(|mut lost| lost.take());
    match (result, lost) {
        (Ok(_), Some(error)) => {
            complain(format_args!("error: standard output: {error}"));
            ExitCode::from(1)
        }
        (Ok(code), None) => code,
        (Err(Failure::Input(message)), _) => {
            complain(with_label(&message));
            ExitCode::from(2)
        }
        (Err(Failure::Run(message)), _) => {
            complain(with_label(&message));
            ExitCode::from(1)
        }
    }
}

/// Reports of scenes carry their own labels; everything else gets one.
fn with_label(message: &str) -> String {
    if message.starts_with("error") {
        message.to_owned()
    } else {
        format!("error: {message}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_commands_a_terminal() {
        assert_eq!(
            printable("a\tb\n\u{b5}m, \u{3b1}"),
            "a\tb\n\u{b5}m, \u{3b1}"
        );
        let shown = printable("\u{1b}[2Jx\r\u{9b}1m\u{202e}\u{2028}\u{7f}");
        assert_eq!(shown, "\\u{1b}[2Jx\\u{d}\\u{9b}1m\\u{202e}\\u{2028}\\u{7f}");
    }
}
