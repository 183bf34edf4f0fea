//! Curves over tissue time: a plot for each title that metrics name, a curve for each metric.

use bevy_egui::egui::containers::menu::{MenuButton, MenuConfig};
use bevy_egui::egui::{Id, PopupCloseBehavior, Ui};
use egui_plot::{FilledArea, GridInput, GridMark, Line, LineStyle, PlotPoints, VLine};

use crate::core::metric::Metric;
use crate::view::Shown;
use crate::view::overlay::colour32;
use crate::view::palette::ticks;
use crate::view::plot::Plot;

use super::super::state::Sandbox;
use super::super::theme;

/// Tissue time that a plot shows at least, hours.
const SHORTEST_SPAN_HOURS: f64 = 1.0;

/// The titles of all plots, in the order of the catalogue.
fn titles(metrics: &[Metric]) -> Vec<&str> {
    let mut titles: Vec<&str> = Vec::new();
    for title in metrics.iter().filter_map(|metric| metric.plot.as_deref()) {
        if !titles.contains(&title) {
            titles.push(title);
        }
    }
    titles
}

/// Fills its part of the right panel.
pub(super) fn show(ui: &mut Ui, sandbox: &mut Sandbox, shown: &Shown) {
    let metrics = &shown.0.catalogue.metrics;
    let places = places(sandbox, shown);
    choice(ui, sandbox, metrics, &places);
    let are_arms = shown.0.arms.site_at(sandbox.plotted_site()).is_some();
    if shown.0.sites.len() > 1 && !are_arms {
        let is_beside = &mut sandbox.layout.are_sites_beside;
        ui.checkbox(is_beside, "All sites in one plot")
            .on_hover_text("A curve for each site, rather than plots of the site that is shown; other futures are left out");
    }
    if are_arms || places.len() > 1 {
        beside(ui, sandbox, shown, &places);
        return;
    }
    let start = sandbox.history().start_hours().unwrap_or(0.0);
    for title in titles(metrics) {
        let history = sandbox.history();
        // Of what a scene has nothing of there is nothing to show.
        if sandbox.layout.hidden_plots.contains(title) || !Plot::has_curves(metrics, history, title)
        {
            continue;
        }
        let Some(bare) = Plot::bare(metrics, title) else {
            continue;
        };
        theme::section(ui, &bare.heading(), true, |ui| {
            if shown.0.sites.len() > 1
                && let Some(site) = shown.site(sandbox.plotted_site())
            {
                ui.label(theme::faint(format!("in {}", site.name)));
            }
            let of = |history| Plot::of(metrics, history, title);
            let others: Vec<Plot> = sandbox.other_futures().filter_map(of).collect();
            if let Some(curves) = of(history) {
                plot(ui, &curves, &others, (start, shown.0.hours));
            }
        });
    }
}

/// Whose curves are plotted: the site that is shown, or where arms or sites are compared all of them; name and number.
fn places<'a>(sandbox: &Sandbox, shown: &'a Shown) -> Vec<(&'a str, usize)> {
    let (arms, at) = (&shown.0.arms, sandbox.plotted_site());
    if let Some(site) = arms.site_at(at) {
        return arms.at_site(site).collect();
    }
    let sites = shown.0.sites.iter().enumerate();
    let mut places: Vec<(&str, usize)> = sites.map(|(at, site)| (&*site.name, at)).collect();
    if !sandbox.layout.are_sites_beside {
        places.retain(|(_, place)| *place == at);
    }
    places
}

/// A plot for each metric, with a curve for each place. What a trial measures comes first.
fn beside(ui: &mut Ui, sandbox: &Sandbox, shown: &Shown, places: &[(&str, usize)]) {
    let metrics = &shown.0.catalogue.metrics;
    let measured = &sandbox.visit.scene().trial.measures;
    let is_measured = |metric: &&Metric| measured.iter().any(|of| of.metric == metric.name);
    let others = metrics
        .iter()
        .filter(|metric| metric.plot.is_some() && !is_measured(metric));
    let hidden = &sandbox.layout.hidden_plots;
    let is_shown = |metric: &&Metric| {
        let title = metric.plot.as_ref();
        title.is_none_or(|title| !hidden.contains(title))
            && places
                .iter()
                .any(|(_, at)| sandbox.history_at(*at).has_values(&metric.name))
    };
    let start = sandbox.history().start_hours().unwrap_or(0.0);
    let all = metrics.iter().filter(is_measured).chain(others);
    for metric in all.filter(is_shown) {
        theme::section(ui, &Plot::bare_beside(metric).heading(), true, |ui| {
            let curves = places.iter();
            let curves = curves.map(|(name, at)| (*name, sandbox.history_at(*at)));
            if let Some(curves) = Plot::beside(metric, curves) {
                plot(ui, &curves, &[], (start, shown.0.hours));
            }
        });
    }
}

/// Which plots are shown: those that have something to show in these places, by title.
fn choice(ui: &mut Ui, sandbox: &mut Sandbox, metrics: &[Metric], places: &[(&str, usize)]) {
    let has_curves = |title: &&str| {
        places
            .iter()
            .any(|(_, at)| Plot::has_curves(metrics, sandbox.history_at(*at), title))
    };
    let titles: Vec<&str> = titles(metrics).into_iter().filter(has_curves).collect();
    if titles.is_empty() {
        return;
    }
    let hidden = &mut sandbox.layout.hidden_plots;
    let shown = titles.iter().filter(|title| !hidden.contains(**title));
    let text = format!("Plots: {} of {}", shown.count(), titles.len());
    ui.separator();
    let behaviour = PopupCloseBehavior::CloseOnClickOutside;
    let config = MenuConfig::default().close_behavior(behaviour);
    MenuButton::new(text).config(config).ui(ui, |ui| {
        for title in titles {
            let mut is_shown = !hidden.contains(title);
            if ui.checkbox(&mut is_shown, title).changed() {
                if is_shown {
                    hidden.remove(title);
                } else {
                    hidden.insert(title.to_owned());
                }
            }
        }
    });
}

/// A value of a plot as it is written.
fn value_text(is_share: bool, value: f64) -> String {
    if is_share {
        format!("{:.0} %", value * 100.0)
    } else {
        trimmed(value)
    }
}

/// Draws the curves of a plot, those of other futures thin, and where the run is.
fn plot(ui: &mut Ui, curves: &Plot, others: &[Plot], (start, now): (f64, f64)) {
    let is_share = curves.is_share;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        for curve in &curves.curves {
            let now = value_text(is_share, curve.now());
            let text = format!("{} {now}", curve.label);
            theme::swatch(ui, colour32(curve.colour), text);
        }
    });
    let unit = curves.unit.clone();
    let idle = theme::colours(ui).idle;
    let mut field = egui_plot::Plot::new(&curves.title)
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
        .y_axis_formatter(move |mark, _| value_text(is_share, mark.value))
        .label_formatter(move |position| match position {
            egui_plot::HoverPosition::NearDataPoint {
                plot_name,
                position,
                ..
            } if !is_share => Some(format!(
                "{plot_name}: {} {unit}\nat {:.1} h",
                trimmed(position.y),
                position.x
            )),
            _ => None,
        });
    if is_share {
        field = field.include_y(1.0);
    }
    field.show(ui, |plot| {
        plot.vline(
            VLine::new("now", now)
                .color(idle)
                .allow_hover(false)
                .width(1.0),
        );
        for (number, other) in others.iter().enumerate() {
            for curve in other.curves.iter().filter(|_| !is_share) {
                plot.line(
                    Line::new(&curve.label, PlotPoints::from(curve.points.clone()))
                        .id(Id::new((&curves.title, &curve.label, number)))
                        .color(colour32(curve.colour).gamma_multiply(0.55))
                        .style(LineStyle::dashed_dense())
                        .width(1.2),
                );
            }
        }
        let id = |label: &str| Id::new((&curves.title, label));
        if is_share {
            for (curve, edges) in curves.curves.iter().zip(curves.stacked()) {
                let column =
                    |place: usize| -> Vec<f64> { edges.iter().map(|edge| edge[place]).collect() };
                let area = FilledArea::new(&curve.label, &column(0), &column(1), &column(2));
                let colour = colour32(curve.colour);
                plot.add(area.fill_color(colour).id(id(&curve.label)));
            }
            return;
        }
        for curve in &curves.curves {
            plot.line(
                Line::new(&curve.label, PlotPoints::from(curve.points.clone()))
                    .id(id(&curve.label))
                    .color(colour32(curve.colour))
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
    fn each_title_that_metrics_name_is_a_plot() {
        let metric = |name: &str| Metric::new(name, "", "About it.");
        let metrics = [
            metric("warmth_mean").plot("Warmth"),
            metric("rain"),
            metric("boats").plot("Traffic"),
            metric("warmth_max").plot("Warmth"),
        ];
        assert_eq!(titles(&metrics), ["Warmth", "Traffic"]);
    }

    #[test]
    fn axis_numbers_are_short() {
        let texts = [0.0, 0.5, 2.25, 150.0, 125_000.0, -3.0].map(trimmed);
        assert_eq!(texts, ["0", "0.5", "2.25", "150", "125k", "-3"]);
    }
}
