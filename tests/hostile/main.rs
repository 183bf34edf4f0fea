//! What strangers' files and odd input do to the program: nothing is read or written outside the named folders, nothing
//! that was not made is removed, and nothing is believed because it is there.

mod odd_scenes;
#[cfg(unix)]
mod output;
#[cfg(unix)]
mod reading;
#[cfg(target_os = "linux")]
mod watched;

use std::path::Path;
use std::process::Command;

/// A scene of a dish, 200 um wide, with these populations and whatever else.
pub fn scene(populations: &str, rest: &str) -> String {
    format!(
        r#"(title: "t", about: "", pace: Illustrative, duration: Minutes(30),
            sites: [(name: "dish", organ: Medium, size_um: (200, 200, 200))],
            populations: [{populations}], {rest})"#
    )
}

/// A single cell.
pub const ONE: &str = r#"(cell: "cancer", place: Single(at_um: (0, 0, 0)))"#;

/// A folder with a scene in it.
pub fn folder_with(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("s.ron"), text).expect("writable");
    folder
}

/// What `check` says of `s.ron` in a folder: its exit code, and what stands on both outputs.
pub fn checked(folder: &Path) -> (i32, String) {
    said(folder, &["check", "s.ron"])
}

/// What the program says, and its exit code.
pub fn said(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program starts");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().expect("it ends by itself"),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// Makes sure that a scene is refused with these words.
pub fn refused(text: &str, says: &str) {
    let folder = folder_with(text);
    let (code, told) = checked(folder.path());
    assert_eq!(code, 2, "{text}\n{told}");
    assert!(told.contains(says), "{told}");
}

/// Makes sure that a scene is accepted with these words.
pub fn warned(text: &str, says: &str) {
    let folder = folder_with(text);
    let (code, told) = checked(folder.path());
    assert_eq!(code, 0, "{text}\n{told}");
    assert!(told.contains("warning:") && told.contains(says), "{told}");
}
