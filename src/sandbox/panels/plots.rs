//! Curves over tissue time: a plot for each title that metrics name, a curve for each metric.

use bevy_egui::egui::{Id, Ui};
use egui_plot::{GridInput, GridMark, Line, Plot, PlotPoints};

use crate::core::metric::Metric;
use crate::view::Shown;
use crate::view::overlay::pretty;
use crate::view::palette::ticks;

use super::super::history::History;
use super::super::state::Sandbox;
use super::super::theme;

/// Tissue time that a plot shows at least, hours.
const SHORTEST_SPAN_HOURS: f64 = 1.0;

/// The metrics of each plot, by its title, in the order of the catalogue.
fn plots_of(metrics: &[Metric]) -> Vec<(&str, Vec<&Metric>)> {
    let mut plots: Vec<(&str, Vec<&Metric>)> = Vec::new();
    for metric in metrics {
        let Some(title) = metric.plot.as_deref() else {
            continue;
        };
        match plots.iter_mut().find(|(known, _)| *known == title) {
            Some((_, curves)) => curves.push(metric),
            None => plots.push((title, vec![metric])),
        }
    }
    plots
}

/// The unit that all metrics of a plot have; empty if there is none.
fn unit_of(metrics: &[&Metric]) -> String {
    let first = metrics.first().map_or("", |metric| metric.unit.as_str());
    let same = metrics.iter().all(|metric| metric.unit == first);
    if same { pretty(first) } else { String::new() }
}

/// Fills its part of the right panel.
pub(super) fn show(ui: &mut Ui, sandbox: &Sandbox, shown: &Shown) {
    for (title, metrics) in plots_of(&shown.0.catalogue.metrics) {
        let unit = unit_of(&metrics);
        let heading = if unit.is_empty() {
            title.to_owned()
        } else {
            format!("{title}, {unit}")
        };
        theme::section(ui, &heading, true, |ui| {
            plot(ui, title, &unit, &sandbox.history, &metrics);
        });
    }
}

/// Draws the curves of some metrics, leaving out those that are zero throughout.
fn plot(ui: &mut Ui, id: &str, unit: &str, history: &History, metrics: &[&Metric]) {
    let lines: Vec<_> = metrics
        .iter()
        .enumerate()
        .map(|(number, metric)| {
            let colour = theme::curve(metric.colour, number);
            (&metric.label, colour, history.curve(&metric.name))
        })
        .filter(|(_, _, points)| points.iter().any(|[_, value]| *value != 0.0))
        .collect();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        for (label, colour, points) in &lines {
            let now = points.last().map_or(0.0, |[_, value]| *value);
            theme::swatch(ui, *colour, format!("{label} {}", trimmed(now)));
        }
    });
    let unit = unit.to_owned();
    let start = history.start_hours().unwrap_or(0.0);
    Plot::new(id)
        .height(theme::PLOT_HEIGHT)
        .show_background(false)
        .allow_scroll(false)
        .allow_zoom(false)
        .allow_drag(false)
        .allow_boxed_zoom(false)
        .include_y(0.0)
        .include_x(start)
        .include_x(start + SHORTEST_SPAN_HOURS)
        .x_grid_spacer(marks)
        .y_grid_spacer(marks)
        .x_axis_formatter(|mark, _| format!("{} h", trimmed(mark.value)))
        .y_axis_formatter(|mark, _| trimmed(mark.value))
        .label_formatter(move |position| match position {
            egui_plot::HoverPosition::NearDataPoint {
                plot_name,
                position,
                ..
            } => Some(format!(
                "{plot_name}: {} {unit}\nat {:.1} h",
                trimmed(position.y),
                position.x
            )),
            egui_plot::HoverPosition::Elsewhere { .. } => None,
        })
        .show(ui, |plot| {
            for (label, colour, points) in lines {
                plot.line(
                    Line::new(label, PlotPoints::from(points))
                        .id(Id::new((id, label)))
                        .color(colour)
                        .width(1.8),
                );
            }
        });
}

/// A few lines at round values.
fn marks(input: GridInput) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    let values = ticks(low as f32, high as f32, 4);
    let step_size = match values.as_slice() {
        [first, second, ..] => f64::from(second - first),
        _ => 1.0,
    };
    values
        .into_iter()
        .map(|value| GridMark {
            value: f64::from(value),
            step_size,
        })
        .collect()
}

/// A number without needless digits.
fn trimmed(value: f64) -> String {
    if value.abs() >= 100_000.0 {
        format!("{}k", trimmed(value / 1000.0))
    } else if value.abs() >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        let text = format!("{value:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_of_one_title_share_a_plot_and_others_are_in_none() {
        let metric = |name: &str, unit: &str| Metric::new(name, unit, "About it.");
        let metrics = [
            metric("warmth_mean", "C").plot("Warmth"),
            metric("rain", "mm"),
            metric("boats", "").plot("Traffic"),
            metric("warmth_max", "C").plot("Warmth"),
            metric("speed", "um/h").plot("Traffic"),
        ];
        let plots = plots_of(&metrics);
        let names = |(title, metrics): &(&str, Vec<&Metric>)| {
            let names: Vec<String> = metrics.iter().map(|metric| metric.name.clone()).collect();
            format!("{title}: {} [{}]", names.join(" "), unit_of(metrics))
        };
        assert_eq!(
            plots.iter().map(names).collect::<Vec<_>>(),
            [
                "Warmth: warmth_mean warmth_max [C]",
                "Traffic: boats speed []"
            ]
        );
    }

    #[test]
    fn axis_numbers_are_short() {
        let texts = [0.0, 0.5, 2.25, 150.0, 125_000.0, -3.0].map(trimmed);
        assert_eq!(texts, ["0", "0.5", "2.25", "150", "125k", "-3"]);
    }
}
