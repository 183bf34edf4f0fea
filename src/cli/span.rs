//! Lengths of tissue time on the command line: `90min`, `48h`, `3d`.

use crate::scene::schema::Span;

/// Reads a length of tissue time.
pub fn parse_span(text: &str) -> Result<Span, String> {
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let wrong = || {
        format!("`{text}` is not a time: write a number and min, h or d, such as 90min, 48h or 3d")
    };
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    if !number.is_finite() || number <= 0.0 {
        return Err(format!(
            "`{text}` is not a time that can be simulated: it must be longer than 0"
        ));
    }
    match unit {
        "min" => Ok(Span::Minutes(number)),
        "h" => Ok(Span::Hours(number)),
        "d" => Ok(Span::Days(number)),
        _ => Err(wrong()),
    }
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
        for wrong in ["", "48", "h", "-3h", "0h", "48 hours", "nanh", "3m"] {
            assert!(parse_span(wrong).is_err(), "{wrong}");
        }
    }
}
