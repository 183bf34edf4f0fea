//! The program as its users meet it, for tests of the command line.

use std::path::Path;
use std::process::{Command, Output};

/// Runs `tumorscape` in a folder to its end.
pub fn tumorscape(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tumorscape"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program starts")
}
