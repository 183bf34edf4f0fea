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

/// What it says on standard output, if it succeeds.
pub fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = tumorscape(folder, arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("plain text")
}

/// The line with which a run tells its state.
pub fn state(text: &str) -> &str {
    text.lines()
        .find(|line| line.starts_with("state "))
        .expect("a run prints its state")
}
