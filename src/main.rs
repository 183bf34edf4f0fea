//! The `tumorscape` program; everything is in the library's `cli`.

use std::process::ExitCode;

use tumorscape::simulation::Program;

fn main() -> ExitCode {
    tumorscape::cli::run(Program::default())
}
