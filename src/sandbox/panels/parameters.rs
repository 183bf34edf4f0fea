//! Parameters that can be turned while the simulation runs.

use bevy_egui::egui::{self, Ui};

use super::super::engine::slider_range;
use super::super::state::{Dial, Sandbox};
use super::super::theme;
use crate::core::documentation::plain;
use crate::core::units;

/// Fills its part of the right panel.
pub(super) fn show(ui: &mut Ui, sandbox: &mut Sandbox) {
    theme::section(ui, "Parameters", true, |ui| {
        ui.label(theme::faint(
            "Turn one while it runs: it takes effect at the next step.",
        ));
        ui.add(
            egui::TextEdit::singleline(&mut sandbox.search)
                .hint_text("Find a parameter by a part of its name")
                .desired_width(f32::INFINITY),
        );
        if let Some(refusal) = &sandbox.refusal {
            ui.label(theme::alarm(ui, refusal));
        }
        let wanted = sandbox.search.trim().to_lowercase();
        let mut turned = Vec::new();
        for (group, dials) in groups(&sandbox.dials, &wanted) {
            let is_any_changed = dials.iter().any(|dial| dial.is_changed());
            let title = if is_any_changed {
                theme::changed(ui, &group)
            } else {
                egui::RichText::new(&group)
            };
            egui::CollapsingHeader::new(title)
                .id_salt(("group", &group))
                .open((!wanted.is_empty()).then_some(true))
                .show(ui, |ui| {
                    for dial in dials {
                        if let Some(value) = show_dial(ui, dial, group.len()) {
                            turned.push((dial.knob.path.clone(), value));
                        }
                    }
                });
        }
        for (path, value) in turned {
            sandbox.set_dial(&path, value);
        }
    });
}

/// Dials whose path contains `wanted`, by the part of the path before the last name.
fn groups<'a>(dials: &'a [Dial], wanted: &str) -> Vec<(String, Vec<&'a Dial>)> {
    let mut groups: Vec<(String, Vec<&Dial>)> = Vec::new();
    for dial in dials {
        let path = &dial.knob.path;
        if !wanted.is_empty() && !path.to_lowercase().contains(wanted) {
            continue;
        }
        let group = group_of(path);
        match groups.iter_mut().find(|(name, _)| name == group) {
            Some((_, members)) => members.push(dial),
            None => groups.push((group.to_owned(), vec![dial])),
        }
    }
    groups
}

/// The part of a path that its neighbours share.
fn group_of(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(group, _)| group)
}

/// Shows a dial and returns its new value if it was turned.
fn show_dial(ui: &mut Ui, dial: &Dial, group_length: usize) -> Option<f64> {
    let knob = &dial.knob;
    let name = knob.path[group_length..].trim_start_matches('.');
    let (words, unit) = name_and_unit(name);
    let label = if dial.is_changed() {
        theme::changed(ui, words)
    } else {
        egui::RichText::new(words)
    };
    let about = plain(Some(knob.about));
    let mut tooltip = format!("{}\n{about}", knob.path);
    if !unit.is_empty() {
        tooltip.push_str(&format!("\nUnit: {unit}"));
    }
    let label = ui.label(label).on_hover_text(tooltip.trim_end()).id;
    let suffix = match unit.as_str() {
        "" | "°" => unit.clone(),
        _ => format!(" {unit}"),
    };
    let mut value = knob.value;
    let (low, high) = slider_range(knob.limits, dial.initial);
    let turned = ui
        .horizontal(|ui| {
            let slider = egui::Slider::new(&mut value, low..=high)
                .clamping(egui::SliderClamping::Never)
                .logarithmic(is_by_factors((low, high), dial.initial))
                .smallest_positive((dial.initial.abs() / 1e3).max(1e-12))
                .custom_formatter(|value, _| short(value))
                .suffix(suffix);
            let is_turned = ui.add(slider).labelled_by(label).changed();
            let is_reset = dial.is_changed()
                && ui
                    .small_button("⟲")
                    .on_hover_text(format!("Back to {}", short(dial.initial)))
                    .clicked();
            if is_reset {
                value = dial.initial;
            }
            is_turned || is_reset
        })
        .inner;
    // A number typed beyond the slider's end still has to be allowed.
    let allowed = value.clamp(knob.limits.min, knob.limits.max);
    (turned && allowed != knob.value).then_some(allowed)
}

/// Whether a slider over a range goes by factors: where the value at the start would lie in its first twentieth.
fn is_by_factors((low, high): (f64, f64), initial: f64) -> bool {
    low >= 0.0 && initial > 0.0 && high > 20.0 * initial
}

/// A parameter's name in words, and its unit.
fn name_and_unit(name: &str) -> (String, String) {
    let (stem, unit) = units::name_and_unit(name);
    (
        stem.replace('_', " ").replace('.', ": "),
        units::in_picture(unit),
    )
}

/// A number with three or four digits.
fn short(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        "0".into()
    } else if !(1e-3..1e5).contains(&size) {
        format!("{value:.2e}")
    } else {
        let digits = (3.0 - size.log10().floor()).clamp(0.0, 6.0) as usize;
        let text = format!("{value:.digits$}");
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::parameters::{Limits, ParameterValue};

    fn dial(path: &str) -> Dial {
        Dial {
            knob: ParameterValue {
                path: path.into(),
                value: 1.0,
                limits: Limits::NON_NEGATIVE,
                about: "",
            },
            initial: 1.0,
        }
    }

    #[test]
    fn dials_are_grouped_by_their_path_and_found_by_any_part_of_it() {
        let dials = [
            dial("hypoxia.rate_per_hour"),
            dial("cancer.cycle.s_hours"),
            dial("hypoxia.threshold_mmhg"),
        ];
        let names = |wanted| -> Vec<(String, usize)> {
            groups(&dials, wanted)
                .into_iter()
                .map(|(name, members)| (name, members.len()))
                .collect()
        };
        assert_eq!(
            names(""),
            [("hypoxia".to_owned(), 2), ("cancer.cycle".to_owned(), 1)]
        );
        assert_eq!(names("cycle"), [("cancer.cycle".to_owned(), 1)]);
        assert!(names("glucose").is_empty());
    }

    #[test]
    fn names_are_written_in_words_with_their_unit() {
        assert_eq!(
            name_and_unit("degradation_per_hour"),
            ("degradation".into(), "1/h".into())
        );
        assert_eq!(name_and_unit("s_hours"), ("s".into(), "h".into()));
        assert_eq!(
            name_and_unit("adhesion"),
            ("adhesion".into(), String::new())
        );
    }

    #[test]
    fn sliders_go_by_factors_where_the_start_would_be_lost_at_one_end() {
        assert!(is_by_factors((0.0, 10_000.0), 900.0 / 24.0));
        assert!(!is_by_factors((0.0, 1.0), 0.3));
        assert!(!is_by_factors((-10.0, 1000.0), 1.0));
        assert!(!is_by_factors((0.0, 1.0), 0.0));
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.0, 1.0, 0.25, 12.3456, 38_000.0, 1.0e7, 2.0e-5, -0.5].map(short);
        assert_eq!(
            texts,
            [
                "0", "1", "0.25", "12.35", "38000", "1.00e7", "2.00e-5", "-0.5"
            ]
        );
    }
}
