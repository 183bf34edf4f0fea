//! What is written over the picture: title, caption, tissue time, scale bar, colour bars, legend, figures.
//!
//! Drawn with egui on the lowest layer, so that film and sandbox look alike and panels lie on top. All sizes are in
//! points of a picture 720 points high and scale with the picture, less than in proportion when it gets smaller, so that
//! text stays readable at 640 x 360.

mod pen;
mod plates;
mod words;

use bevy::prelude::*;
use bevy_egui::egui::{LayerId, Painter, Rect};
use bevy_egui::{EguiContexts, EguiPrimaryContextPass};

use crate::core::quantity::Category;
use crate::scene::ColourBy;
use crate::simulation::{SiteSnapshot, Snapshot};

use super::camera::um_per_pixel;
use super::colours::{CellColours, ColourSource, ColouredBy};
use super::glyphs::layers_shown;
use super::glyphs::paint::LayerPaint;
use super::palette;
use super::slice::slice_scale;
use super::{Shown, ViewCamera, ViewSettings};
use pen::{Entry, Pen};
pub use words::{capitalised, count_text, number_text, pretty, time_text};

/// What is written over the picture, and which parts of the overlay are drawn.
#[derive(Resource, Clone, Debug, PartialEq)]
pub struct OverlayContent {
    /// Title, upper left; empty for none.
    pub title: String,
    /// Caption in the lower third; empty for none.
    pub caption: String,
    /// How opaque the caption is, 0-1, for fading it in and out.
    pub caption_opacity: f32,
    /// Whether the tissue time is written.
    pub time: bool,
    /// Whether the scale bar is drawn.
    pub scale_bar: bool,
    /// Whether colour bars and legend are drawn.
    pub legend: bool,
    /// Whether the number of cells and other figures are written.
    pub figures: bool,
    /// Further figures: name and value.
    pub more_figures: Vec<(String, String)>,
    /// The part of the picture that is free for the overlay, in points; all of it where `None`.
    pub area: Option<Rect>,
}

impl Default for OverlayContent {
    fn default() -> Self {
        Self {
            title: String::new(),
            caption: String::new(),
            caption_opacity: 1.0,
            time: true,
            scale_bar: true,
            legend: true,
            figures: true,
            more_figures: Vec::new(),
            area: None,
        }
    }
}

impl OverlayContent {
    /// An overlay that draws nothing.
    pub fn nothing() -> Self {
        Self {
            time: false,
            scale_bar: false,
            legend: false,
            figures: false,
            ..Self::default()
        }
    }
}

/// The systems that draw the overlay; panels that narrow [`OverlayContent::area`] run before.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OverlaySystems;

/// Types and values of categories that occur, with their colours and numbers.
fn legend_entries(snapshot: &Snapshot, colours: &CellColours) -> Vec<Entry> {
    let mut types = vec![0_usize; snapshot.cell_types.len()];
    let values_of = |category: &Category| vec![0_usize; category.values.len()];
    let mut values = colours.category().map(values_of).unwrap_or_default();
    let mut prevailing: Vec<Vec<usize>> = colours.prevailing().map(values_of).collect();
    let mut without = 0;
    for i in 0..colours.cells().len() {
        let slot = match colours.source(i) {
            ColourSource::Type(kind) => types.get_mut(usize::from(kind)),
            ColourSource::Value(value) => values.get_mut(usize::from(value)),
            ColourSource::Prevailing(place, value) => prevailing[place].get_mut(usize::from(value)),
            ColourSource::NoValue => Some(&mut without),
            ColourSource::Number(_) => None,
        };
        if let Some(count) = slot {
            *count += 1;
        }
    }
    let mut entries = Vec::new();
    for (style, count) in snapshot.cell_types.iter().zip(types) {
        entries.push(Entry {
            colour: style.colour,
            text: style.name.replace('_', " "),
            count,
        });
    }
    let add_category = |entries: &mut Vec<Entry>, category: &Category, counts: Vec<usize>| {
        for (value, count) in category.values.iter().zip(counts) {
            entries.push(Entry {
                colour: value.colour.unwrap_or(palette::PLAIN),
                text: value.label.clone(),
                count,
            });
        }
    };
    if let Some(category) = colours.category() {
        add_category(&mut entries, category, values);
    }
    entries.push(Entry {
        colour: palette::NO_VALUE,
        text: "no value".to_owned(),
        count: without,
    });
    for (category, counts) in colours.prevailing().zip(prevailing) {
        add_category(&mut entries, category, counts);
    }
    entries.retain(|entry| entry.count > 0);
    entries
}

/// The layers of glyphs in view, with their colours and numbers.
fn layer_entries(site: &SiteSnapshot, settings: &ViewSettings) -> Vec<Entry> {
    let layers = layers_shown(site, &settings.look.layers);
    let entries = layers.flat_map(|filled| LayerPaint::new(filled).entries());
    entries
        .map(|(colour, text, count)| Entry {
            colour,
            text,
            count,
        })
        .collect()
}

/// The figures a snapshot can give: the measurements that are written over pictures.
fn figures_of(
    snapshot: &Snapshot,
    site: &SiteSnapshot,
    content: &OverlayContent,
) -> Vec<(String, String)> {
    let mut figures = Vec::new();
    for metric in &snapshot.catalogue.metrics {
        let value = site.metrics.get(&metric.name);
        if let (Some(digits), Some(value)) = (metric.figure, value)
            && value.is_finite()
        {
            let unit = pretty(&metric.unit);
            let text = match (digits, unit.as_str()) {
                (0, "") => count_text(value.round().max(0.0) as usize),
                (_, "") => format!("{value:.digits$}"),
                (_, unit) => format!("{value:.digits$} {unit}"),
            };
            figures.push((metric.label.clone(), text));
        }
    }
    figures.extend(content.more_figures.iter().cloned());
    figures
}

/// How much larger than in the design everything is drawn in a picture of this height.
fn design_scale(height: f32) -> f32 {
    let ratio = (height / 720.0).max(0.05);
    if ratio >= 1.0 { ratio } else { ratio.sqrt() }
}

/// Draws the whole overlay with a painter over a picture of `screen` points.
pub fn draw_overlay(
    painter: &Painter,
    screen: Rect,
    content: &OverlayContent,
    snapshot: &Snapshot,
    settings: &ViewSettings,
    colour_by: &ColourBy,
    camera: &ViewCamera,
) {
    let whole = content.area.unwrap_or(screen);
    let scale = design_scale(whole.height());
    let pen = Pen { painter, scale };
    let area = whole.shrink(24.0 * scale);

    let time = content.time.then(|| time_text(snapshot.hours));
    pen.heading(area, &content.title, time.as_deref());
    if content.scale_bar {
        pen.scale_bar(area, um_per_pixel(&camera.pose, screen.height()));
    }
    plates::draw(&pen, screen, area, snapshot, settings, camera);
    if let Some(site) = snapshot.site(settings.site) {
        if content.figures {
            pen.figures(area, &figures_of(snapshot, site, content));
        }
        if content.legend {
            let colours = CellColours::new(snapshot, site, colour_by);
            let mut corner = area.max;
            let mut entries = legend_entries(snapshot, &colours);
            entries.extend(layer_entries(site, settings));
            corner.y = pen.legend(corner, &entries);
            let of_field = slice_scale(site, settings);
            if let Some(scale) = &of_field {
                corner.x = pen.colour_bar(corner, scale);
            }
            let of_cells = colours.scale();
            if let Some(scale) = of_cells.filter(|scale| of_field.as_ref() != Some(*scale)) {
                corner.x = pen.colour_bar(corner, scale);
            }
            for filled in layers_shown(site, &settings.look.layers) {
                if let Some(scale) = LayerPaint::new(filled).scale() {
                    corner.x = pen.colour_bar(corner, scale);
                }
            }
        }
    }
    pen.caption(area, &content.caption, content.caption_opacity);
}

fn show_overlay(
    mut contexts: EguiContexts,
    content: Res<OverlayContent>,
    shown: Res<Shown>,
    settings: Res<ViewSettings>,
    coloured: Res<ColouredBy>,
    camera: Res<ViewCamera>,
) -> Result {
    let ctx = contexts.ctx_mut()?;
    let painter = ctx.layer_painter(LayerId::background());
    draw_overlay(
        &painter,
        ctx.viewport_rect(),
        &content,
        &shown.0,
        &settings,
        &coloured.0,
        &camera,
    );
    Ok(())
}

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<OverlayContent>()
        .add_systems(EguiPrimaryContextPass, show_overlay.in_set(OverlaySystems));
}

#[cfg(test)]
mod tests {
    use super::super::colours::tests::{fish, of_category, quantity};
    use super::*;
    use crate::core::metric::Metric;

    #[test]
    fn the_legend_counts_each_cell_by_what_gives_it_its_colour() {
        let snapshot = fish();
        let legend = |colour_by: &ColourBy| {
            let colours = CellColours::new(&snapshot, &snapshot.sites[0], colour_by);
            let entries = legend_entries(&snapshot, &colours).into_iter();
            let words: Vec<String> = entries
                .map(|entry| format!("{} {}", entry.text, entry.count))
                .collect();
            words.join(", ")
        };
        assert_eq!(legend(&ColourBy::Type), "small fish 3, eaten 1");
        assert_eq!(legend(&of_category("fate")), "swims 3, eaten 1");
        assert_eq!(
            legend(&of_category("mood")),
            "small fish 1, sunny 1, no value 1, eaten 1"
        );
        assert_eq!(legend(&quantity("sea.depth")), "no value 1");
        assert_eq!(legend(&quantity("sea.salt")), "eaten 1");
    }

    #[test]
    fn figures_are_the_measurements_that_say_so_where_they_have_a_value() {
        let metric = |name: &str, unit: &str| Metric::new(name, unit, "About it.");
        let mut snapshot = fish();
        let mut catalogue = crate::simulation::Catalogue::clone(&snapshot.catalogue);
        catalogue.metrics = vec![
            metric("boats", "").figure(0),
            metric("wave_height_um", "um").label("waves").figure(1),
            metric("rain", "mm"),
            metric("wind", "").figure(2),
        ];
        snapshot.catalogue = std::sync::Arc::new(catalogue);
        let site = &mut snapshot.sites[0];
        let values = [("boats", 1234.0), ("wave_height_um", 2.34), ("rain", 3.0)];
        site.metrics.columns = values
            .iter()
            .chain(&[("wind", f64::NAN)])
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect();
        let figures = figures_of(&snapshot, &snapshot.sites[0], &OverlayContent::default());
        let words: Vec<String> = figures
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        assert_eq!(words, ["boats: 1 234", "waves: 2.3 µm"]);
    }

    #[test]
    fn small_pictures_get_relatively_larger_letters() {
        assert_eq!(design_scale(720.0), 1.0);
        assert_eq!(design_scale(1440.0), 2.0);
        assert!(design_scale(360.0) > 0.7);
    }
}
