//! Lengths of tissue time on the command line: `90min`, `48h`, `3d`.

use crate::scene::schema::Span;

/// Reads a length of tissue time.
pub fn parse_span(text: &str) -> Result<Span, String> {
    const WRITE: &str = "write a number and min, h or d, such as 90min, 48h or 3d";
    let number = text.trim_end_matches(char::is_alphabetic);
    let unit = &text[number.len()..];
    let number = number.trim();
    let Ok(length) = number.parse::<f64>() else {
        return Err(format!("`{text}` is not a time: {WRITE}"));
    };
    let span = match unit {
        "min" => Span::Minutes(length),
        "h" => Span::Hours(length),
        "d" => Span::Days(length),
        "" => {
            return Err(format!(
                "`{text}` has no unit: write {number}min, {number}h or {number}d"
            ));
        }
        _ => {
            return Err(format!(
                "`{unit}` is not a unit of time: {WRITE}; here {number}min, {number}h or {number}d"
            ));
        }
    };
    if !length.is_finite() || length <= 0.0 {
        return Err(format!(
            "a time must be longer than 0 and finite, found `{text}`: {WRITE}"
        ));
    }
    Ok(span)
}

/// Tissue time as a person reads it: `2 d 06 h`, `5 h 30 min`.
pub fn describe_hours(hours: f64) -> String {
    let minutes = (hours * 60.0).round() as u64;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    if days > 0 {
        format!("{days} d {hours:02} h")
    } else {
        format!("{hours} h {minutes:02} min")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_need_a_number_and_a_unit() {
        assert_eq!(parse_span("48h"), Ok(Span::Hours(48.0)));
        assert_eq!(parse_span("90min"), Ok(Span::Minutes(90.0)));
        assert_eq!(parse_span("1.5d"), Ok(Span::Days(1.5)));
        assert_eq!(parse_span("6e-1 h"), Ok(Span::Hours(0.6)));
        for (wrong, says) in [
            ("", "is not a time"),
            ("h", "is not a time"),
            ("nan", "is not a time"),
            ("nanh", "is not a time"),
            ("6", "write 6min, 6h or 6d"),
            ("48 hours", "`hours` is not a unit"),
            ("3m", "here 3min, 3h or 3d"),
            ("-3h", "longer than 0"),
            ("0h", "longer than 0"),
            ("1e999h", "longer than 0"),
        ] {
            let message = parse_span(wrong).unwrap_err();
            assert!(message.contains(says), "{wrong}: {message}");
        }
    }
}
