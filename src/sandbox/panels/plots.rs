//! Curves over tissue time: how many cells of each kind, how much oxygen they have.

use bevy_egui::egui::{Color32, Id, Ui};
use egui_plot::{GridInput, GridMark, Line, Plot, PlotPoints};

use crate::view::Shown;
use crate::view::palette::ticks;

use super::super::history::{History, Point};
use super::super::state::Sandbox;
use super::super::theme;

/// Tissue time that a plot shows at least, hours.
const SHORTEST_SPAN_HOURS: f64 = 1.0;

/// A curve to be drawn.
struct Curve<'a> {
    name: String,
    colour: Color32,
    value: Box<dyn Fn(&Point) -> Option<f64> + 'a>,
}

/// Fills its part of the right panel.
pub(super) fn show(ui: &mut Ui, sandbox: &Sandbox, shown: &Shown) {
    theme::section(ui, "Living and dying cells", true, |ui| {
        let mut curves: Vec<Curve> = shown
            .0
            .cell_types
            .iter()
            .enumerate()
            .map(|(index, style)| {
                let [r, g, b] = style.colour.map(|channel| (channel * 255.0) as u8);
                Curve {
                    name: style.name.replace('_', " "),
                    colour: Color32::from_rgb(r, g, b),
                    value: Box::new(move |point: &Point| {
                        point.alive.get(index).map(|count| f64::from(*count))
                    }),
                }
            })
            .collect();
        curves.push(Curve {
            name: "apoptotic".into(),
            colour: theme::APOPTOTIC_CURVE,
            value: Box::new(|point| Some(f64::from(point.apoptotic))),
        });
        curves.push(Curve {
            name: "necrotic".into(),
            colour: theme::NECROTIC_CURVE,
            value: Box::new(|point| Some(f64::from(point.necrotic))),
        });
        plot(ui, "populations", "", &sandbox.history, curves);
    });
    theme::section(ui, "Oxygen at living cells, mmHg", true, |ui| {
        let curves = vec![
            Curve {
                name: "mean".into(),
                colour: theme::MEAN_CURVE,
                value: Box::new(|point| point.oxygen_mmhg.map(|(mean, _)| mean)),
            },
            Curve {
                name: "lowest".into(),
                colour: theme::LOWEST_CURVE,
                value: Box::new(|point| point.oxygen_mmhg.map(|(_, lowest)| lowest)),
            },
        ];
        plot(ui, "oxygen", "mmHg", &sandbox.history, curves);
    });
}

/// Draws curves, leaving out those that are zero throughout.
fn plot(ui: &mut Ui, id: &'static str, unit: &'static str, history: &History, curves: Vec<Curve>) {
    let lines: Vec<_> = curves
        .into_iter()
        .map(|curve| {
            let points = history.curve(&*curve.value);
            (curve, points)
        })
        .filter(|(_, points)| points.iter().any(|[_, value]| *value != 0.0))
        .collect();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (curve, points) in &lines {
            let now = points.last().map_or(0.0, |[_, value]| *value);
            theme::swatch(ui, curve.colour);
            ui.label(theme::faint(format!("{} {}", curve.name, trimmed(now))));
            ui.add_space(6.0);
        }
    });
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
            for (curve, points) in lines {
                plot.line(
                    Line::new(curve.name.clone(), PlotPoints::from(points))
                        .id(Id::new((id, &curve.name)))
                        .color(curve.colour)
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
    use super::trimmed;

    #[test]
    fn axis_numbers_are_short() {
        let texts = [0.0, 0.5, 2.25, 150.0, 125_000.0, -3.0].map(trimmed);
        assert_eq!(texts, ["0", "0.5", "2.25", "150", "125k", "-3"]);
    }
}
