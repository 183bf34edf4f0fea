//! Floor 6: the command line.
//!
//! Bad input of any kind (an option, a scene, a folder that cannot be used) is told in words and exits with
//! 2 before anything is written; what goes wrong while running, or an expectation that does not hold, exits
//! with 1 and keeps what was computed.

mod check;
mod describe;
#[cfg(feature = "view")]
mod explore;
mod interruption;
#[cfg(feature = "view")]
mod record;
mod run;
mod span;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    /// Simulate a scene and make a film of it; needs no window and no GPU.
    #[cfg(feature = "view")]
    Record(record::RecordArguments),
    /// Open a scene in the 3D window.
    #[cfg(feature = "view")]
    Explore(explore::ExploreArguments),
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

/// Writes a line to standard output. A reader that has gone away (`| head`) is no reason to fail.
fn say(line: impl std::fmt::Display) {
    use std::io::Write;
    let _gone = writeln!(std::io::stdout(), "{line}");
}

/// Writes a line to standard error. That too may be read by somebody who has gone away.
fn complain(line: impl std::fmt::Display) {
    use std::io::Write;
    let _gone = writeln!(std::io::stderr(), "{line}");
}

/// Tells what has no effect, if there is anything.
fn warn(warnings: &SceneReport) {
    if !warnings.is_empty() {
        complain(warnings);
    }
}

/// Writes a text to standard output for somebody who asked for nothing else. A reader that has gone away is no reason to
/// fail; a device that is full is.
fn print(text: &str) -> Result<(), Failure> {
    use std::io::{ErrorKind, Write};
    let mut out = std::io::stdout().lock();
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::run(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// The scene that is opened when none is named.
pub const DEFAULT_SCENE: &str = "scenes/hypoxic_core.ron";

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
        #[cfg(feature = "view")]
        Some(Verb::Record(arguments)) => record::record(&program, &arguments),
        #[cfg(feature = "view")]
        Some(Verb::Explore(arguments)) => explore::explore(&program, &arguments),
        #[cfg(feature = "view")]
        None => explore::open_default(&program),
        #[cfg(not(feature = "view"))]
        None => Err(Failure::Input(
            "this build has no window; try `tumorscape run scenes/hypoxic_core.ron`, or see --help"
                .into(),
        )),
    };
    match result {
        Ok(code) => code,
        Err(Failure::Input(message)) => {
            complain(with_label(&message));
            ExitCode::from(2)
        }
        Err(Failure::Run(message)) => {
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
