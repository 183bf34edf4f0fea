//! Texts of files, as people write them.

use std::path::Path;

use super::Problem;
use crate::core::files::{self, Unreadable};

/// Bytes of the longest scene or table of cells that is read.
pub(super) const LONGEST_TEXT: u64 = 1 << 30;

/// Reads the text of a file that a person has named. A byte order mark is taken off.
pub(super) fn read_text(path: &Path, shown: &str) -> Result<String, Box<Problem>> {
    as_text(files::read_plain(path, LONGEST_TEXT), shown)
}

/// Reads the text of a file that another one names, or that was found: it lies below the folder in which it is looked
/// for. A byte order mark is taken off.
pub(super) fn read_text_below(
    folder: &Path,
    name: &Path,
    most: u64,
    shown: &str,
) -> Result<String, Box<Problem>> {
    as_text(files::read_below(folder, name, most), shown)
}

fn as_text(read: Result<Vec<u8>, Unreadable>, shown: &str) -> Result<String, Box<Problem>> {
    let bytes = read.map_err(|error| Box::new(Problem::whole_file(shown, error.to_string())))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message = format!(
            "not a UTF-8 text: byte {at} is 0x{:02x}",
            error.as_bytes()[at]
        );
        let problem = Problem::whole_file(shown, message);
        Box::new(problem.with_help("save the file as UTF-8 in your editor"))
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}
