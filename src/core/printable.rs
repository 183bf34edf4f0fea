//! What a text for a person may hold: no characters that a terminal, a table or a shell would obey, and no more digits than one reads.

use std::path::Path;

/// Whether a character is a command rather than a sign: a control character, a line separator of Unicode, or a mark
/// that turns the direction of writing or is not seen at all.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A number of at most so many digits that say something, without needless zeros: whole numbers up to a hundred times as large are
/// written out, and what is larger or very small as `1.5e8`.
pub fn rounded(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let spare = digits.saturating_sub(1);
    let short = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    // As it is after rounding: 9.9996 are five digits, and 10 two.
    let scientific = format!("{value:.spare$e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i64 = exponent.parse().unwrap_or_default();
    if value == 0.0 || (-3..=spare as i64 + 2).contains(&exponent) {
        let decimals = (spare as i64 - exponent).max(0) as usize;
        let text = short(&format!("{value:.decimals$}"));
        return if text == "-0" { "0".to_owned() } else { text };
    }
    format!("{}e{exponent}", short(mantissa))
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
    fn numbers_have_no_more_digits_than_asked_for_and_no_needless_zeros() {
        for (value, digits, text) in [
            (0.0, 4, "0"),
            (-0.0, 4, "0"),
            (1.0, 4, "1"),
            (1234.5, 4, "1234"),
            (0.25, 4, "0.25"),
            (-0.001_234_56, 4, "-0.001235"),
            (9.9996, 4, "10"),
            (123_456.0, 4, "123456"),
            (3.0e7, 4, "3e7"),
            (-2.345_67e-5, 3, "-2.35e-5"),
            (f64::from(0.1_f32), 4, "0.1"),
            (f64::NAN, 4, "NaN"),
            (f64::INFINITY, 4, "inf"),
        ] {
            assert_eq!(rounded(value, digits), text, "{value}");
        }
    }

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
