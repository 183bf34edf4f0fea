//! `tumorscape check`: every mistake in scenes and cell prefabs, with file, line and column.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Failure, complain, say, warn};
use crate::simulation::Program;

/// Options of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// Scenes (`.ron`) or cell prefabs.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(crate) fn check(program: &Program, arguments: &CheckArguments) -> Result<ExitCode, Failure> {
    let mut code = ExitCode::SUCCESS;
    for file in &arguments.files {
        match program.check_file(file) {
            Ok(found) => {
                warn(&found.warnings);
                say(format!("{}: {}", file.display(), found.value));
            }
            Err(report) => {
                complain(report);
                code = ExitCode::from(2);
            }
        }
    }
    Ok(code)
}
