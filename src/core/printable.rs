//! What a text for a person may hold: no characters that a terminal, a table or a shell would obey.

use std::path::Path;

/// Whether a character is a command rather than a sign: a control character, a line separator of Unicode, or a mark
/// that turns the direction of writing or is not seen at all.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A path as a word of a command line: in quotes if it holds anything that a shell would take for itself.
pub fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:=@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_hints_are_one_word_of_a_shell() {
        for (path, word) in [
            ("runs/a-2", "runs/a-2"),
            ("my run", "'my run'"),
            ("it's", "'it'\\''s'"),
            ("$(x)", "'$(x)'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(Path::new(path)), word);
        }
    }
}
