//! Numbers and names as people write them.

use crate::core::printable::rounded;
use crate::scene::{Pace, Scene};

/// Tissue time as a person reads it: "6 h 30 min", "2 d 06 h".
pub fn time_text(hours: f64) -> String {
    let minutes = (hours * 60.0).round().max(0.0) as u64;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    if days == 0 {
        format!("{hours} h {minutes:02} min")
    } else {
        format!("{days} d {hours:02} h")
    }
}

/// A whole number with thin groups of three digits.
pub fn count_text(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// How the times of a scene are to be read: whether they may be compared with experiments, what goes faster than in life
/// and how much, and how much tissue time a second of film shows.
pub fn pace_text(scene: &Scene, hours_per_second: Option<f64>) -> String {
    let mut text = match scene.pace {
        Pace::Calibrated => "Calibrated: times as measured".to_owned(),
        Pace::Illustrative if scene.faster.is_empty() => {
            "Illustrative: times are not those of life".to_owned()
        }
        Pace::Illustrative => {
            let factors = scene.faster.iter();
            let factors = factors.map(|(what, factor)| format!("{what} {}×", number_text(*factor)));
            let factors: Vec<String> = factors.collect();
            format!("Illustrative. Faster than in life: {}", factors.join("; "))
        }
    };
    if let Some(hours) = hours_per_second {
        let (amount, unit) = match hours {
            h if h >= 48.0 => (h / 24.0, "d"),
            h if h >= 1.0 => (h, "h"),
            h => (h * 60.0, "min"),
        };
        let amount = number_text((amount * 10.0).round() as f32 / 10.0);
        text.push_str(&format!(" · 1 s = {amount} {unit}"));
    }
    text
}

/// Units are stored in ASCII; people read the real letters.
pub fn pretty(unit: &str) -> String {
    let part = |part: &str| {
        let base = part.trim_end_matches(['2', '3']);
        let power = match &part[base.len()..] {
            "2" if !base.is_empty() => "²",
            "3" if !base.is_empty() => "³",
            other => other,
        };
        let base = match base {
            "um" => "µm",
            "uM" => "µM",
            "ug" => "µg",
            "ul" => "µl",
            other => other,
        };
        format!("{base}{power}")
    };
    unit.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// A name with a capital letter, as it stands at the beginning of a line; names such as pH keep theirs.
pub fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), second) if !second.is_some_and(char::is_uppercase) => {
            first.to_uppercase().chain(letters).collect()
        }
        _ => name.to_owned(),
    }
}

/// A number on a scale, without needless zeros.
pub fn number_text(value: f32) -> String {
    rounded(f64::from(value), 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_write_them() {
        assert_eq!(time_text(0.0), "0 h 00 min");
        assert_eq!(time_text(6.5), "6 h 30 min");
        assert_eq!(time_text(54.0), "2 d 06 h");
        assert_eq!(time_text(23.999_9), "1 d 00 h");
    }

    #[test]
    fn units_and_names_are_written_with_their_own_letters() {
        let units = ["um", "um3", "mmHg", "amol/s", "um2/min", "1/mm3", "", "2"].map(pretty);
        assert_eq!(
            units,
            ["µm", "µm³", "mmHg", "amol/s", "µm²/min", "1/mm³", "", "2"]
        );
        let names = ["sea salt", "TGF-β", "pH", ""].map(capitalised);
        assert_eq!(names, ["Sea salt", "TGF-β", "pH", ""]);
    }

    #[test]
    fn what_goes_faster_than_in_life_is_said_with_its_factor() {
        let scene = |pace: &str| {
            let text = format!(
                r#"(title: "T", about: "A", {pace}, duration: Hours(1), sites: [
                    (name: "s", organ: Breast, size_um: (100, 100, 100))])"#
            );
            let context = crate::scene::SceneContext::default();
            let parsed = crate::scene::parse_scene(&text, "t.ron", &context);
            parsed.expect("the scene is valid").scene
        };
        let of = |pace: &str, hours| pace_text(&scene(pace), hours);
        assert_eq!(
            of("pace: Calibrated", None),
            "Calibrated: times as measured"
        );
        assert_eq!(
            of(r#"pace: Illustrative, faster: {"growth": 44}"#, Some(9.23)),
            "Illustrative. Faster than in life: growth 44× · 1 s = 9.2 h"
        );
        let slow = of("pace: Illustrative", Some(0.5));
        assert_eq!(
            slow,
            "Illustrative: times are not those of life · 1 s = 30 min"
        );
    }

    #[test]
    fn counts_are_grouped_by_three() {
        assert_eq!(count_text(7), "7");
        assert_eq!(count_text(1234), "1 234");
        assert_eq!(count_text(1_000_000), "1 000 000");
    }
}
