//! What is written over the picture: title, caption, tissue time, pace, scale bar, colour bars, legend, figures.
//!
//! Everything is measured, given a place by [`layout`](self), and only then painted, so that no two texts overlap in a
//! picture of any shape; letters stand on plates on which they can be read whatever lies behind.
//!
//! Drawn with egui on the lowest layer, so that film and sandbox look alike and panels lie on top. All sizes are in
//! points of a picture 720 points high and scale with the picture, less than in proportion when it gets smaller, so that
//! text stays readable at 640 x 360.

mod fonts;
mod ink;
mod layout;
mod marks;
mod pen;
#[cfg(test)]
mod placing;
mod plates;
mod words;

use std::cell::RefCell;

use bevy::prelude::*;
use bevy_egui::egui::{LayerId, Painter, Rect, Vec2};
use bevy_egui::{EguiContexts, EguiPrimaryContextPass};

use crate::core::quantity::{Build, Category};
use crate::scene::ColourBy;
use crate::simulation::{SiteSnapshot, Snapshot};

use super::camera::{scale_bar, um_per_pixel};
use super::colours::{CellColours, ColourSource, ColouredBy};
use super::glyphs::layers_shown;
use super::glyphs::paint::LayerPaint;
use super::palette;
use super::slice::{has_gaps, slice_scale};
use super::{Shown, ViewCamera, ViewSettings};
use layout::{Wanted, arrange};
use pen::{Entry, Heading, Pen, SCALE_BAR_POINTS};

pub use fonts::fonts;
pub use ink::Inks;
pub use pen::PlacedText;
pub use words::{capitalised, count_text, number_text, pace_text, pretty, time_text};

/// What is written over the picture, and which parts of the overlay are drawn.
#[derive(Resource, Clone, Debug, PartialEq)]
pub struct OverlayContent {
    /// Title, upper left; empty for none.
    pub title: String,
    /// Caption in the lower third; empty for none.
    pub caption: String,
    /// How opaque the caption is, 0-1, for fading it in and out.
    pub caption_opacity: f32,
    /// How the times of the scene are to be read, see [`pace_text`]; empty for none.
    pub pace: String,
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
            pace: String::new(),
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
        entries.push((
            count,
            Entry {
                colour: style.colour,
                build: Build::Plain,
                is_hatched: false,
                text: style.name.replace('_', " "),
                count: count_text(count),
            },
        ));
    }
    let add_category =
        |entries: &mut Vec<(usize, Entry)>, category: &Category, counts: Vec<usize>| {
            for (value, count) in category.values.iter().zip(counts) {
                entries.push((
                    count,
                    Entry {
                        colour: value.colour.unwrap_or(palette::PLAIN),
                        build: value.build,
                        is_hatched: false,
                        text: value.label.clone(),
                        count: count_text(count),
                    },
                ));
            }
        };
    if let Some(category) = colours.category() {
        add_category(&mut entries, category, values);
    }
    entries.push((
        without,
        Entry {
            colour: palette::NO_VALUE,
            build: Build::Plain,
            is_hatched: true,
            text: "no value".to_owned(),
            count: count_text(without),
        },
    ));
    for (category, counts) in colours.prevailing().zip(prevailing) {
        add_category(&mut entries, category, counts);
    }
    entries.retain(|(count, _)| *count > 0);
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// The entry for the parts of a field plane of which nothing is known, if there are any.
fn no_data_entry(site: &SiteSnapshot, settings: &ViewSettings) -> Option<Entry> {
    let slice = settings.look.slice.as_ref()?;
    let field = site.field(&slice.molecule)?;
    let is_patchy = !field.values.is_empty() && has_gaps(field, slice);
    is_patchy.then(|| Entry {
        colour: [0.5; 3],
        build: Build::Plain,
        is_hatched: true,
        text: "no data".to_owned(),
        count: String::new(),
    })
}

/// The layers of glyphs in view, with their colours and numbers.
fn layer_entries(site: &SiteSnapshot, settings: &ViewSettings) -> Vec<Entry> {
    let layers = layers_shown(site, &settings.look.layers);
    let entries = layers.flat_map(|filled| LayerPaint::new(filled).entries());
    entries
        .map(|(colour, text, count)| Entry {
            colour,
            build: Build::Plain,
            is_hatched: false,
            text,
            count: count_text(count),
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

/// How much larger than in the design everything is drawn in a picture of this size. The design is 960 x 720 and wider;
/// a picture that is narrow for its height counts as the part of it that has this shape.
fn design_scale(size: Vec2) -> f32 {
    let ratio = (size.y.min(size.x * 0.75) / 720.0).max(0.05);
    if ratio >= 1.0 { ratio } else { ratio.sqrt() }
}

/// Rows of the legend, at most: it takes no more than two fifths of the height.
fn legend_rows(area: Rect, scale: f32) -> usize {
    ((0.4 * area.height() / (20.0 * scale)) as usize).max(2)
}

/// Draws the whole overlay with a painter over a picture of `screen` points, and says what was written where.
pub fn draw_overlay(
    painter: &Painter,
    screen: Rect,
    content: &OverlayContent,
    snapshot: &Snapshot,
    settings: &ViewSettings,
    colour_by: &ColourBy,
    camera: &ViewCamera,
) -> Vec<PlacedText> {
    let whole = content.area.unwrap_or(screen);
    let scale = design_scale(whole.size());
    let pen = Pen {
        painter,
        scale,
        inks: Inks::of(settings.look.style),
        written: RefCell::default(),
        plates: RefCell::default(),
    };
    let area = whole.shrink((16.0 * scale).min(0.2 * whole.size().min_elem().max(0.0)));

    let time = content.time.then(|| time_text(snapshot.hours));
    let heading = Heading {
        title: &content.title,
        time: time.as_deref(),
        pace: &content.pace,
    };
    let has_heading = !heading.title.is_empty() || time.is_some() || !heading.pace.is_empty();
    let um_per_point = um_per_pixel(&camera.pose, screen.height());
    let (bar_um, bar_length) = scale_bar(um_per_point, SCALE_BAR_POINTS * scale);
    let bar_text = if bar_um >= 1000.0 {
        format!("{} mm", bar_um / 1000.0)
    } else {
        format!("{bar_um} µm")
    };
    let (mut figures, mut legend, mut bars) = (Vec::new(), Vec::new(), Vec::new());
    let mut of_field = None;
    if let Some(site) = snapshot.site(settings.site) {
        if content.figures {
            figures = figures_of(snapshot, site, content);
        }
        if content.legend {
            of_field = slice_scale(site, settings);
            let colours = CellColours::new(snapshot, site, colour_by).beside(of_field.as_ref());
            legend = legend_entries(snapshot, &colours);
            legend.extend(no_data_entry(site, settings));
            let of_cells = colours.scale().cloned();
            bars.extend(of_cells.filter(|scale| of_field.as_ref() != Some(scale)));
            bars.extend(of_field.clone());
            legend.extend(layer_entries(site, settings));
            let layers = layers_shown(site, &settings.look.layers);
            bars.extend(layers.filter_map(|filled| LayerPaint::new(filled).scale().cloned()));
        }
    }

    let rows = legend_rows(area, scale);
    let opacity = content.caption_opacity;
    let has_caption = !content.caption.is_empty() && opacity > 0.0;
    let heading_size = |width| pen.heading_size(&heading, width);
    let caption_size = |width| pen.caption_size(&content.caption, width);
    let places = arrange(
        area,
        scale,
        &Wanted {
            heading: has_heading.then_some(&heading_size),
            figures: (!figures.is_empty()).then(|| pen.figures_size(&figures)),
            bars: bars.iter().map(|bar| pen.colour_bar_size(bar)).collect(),
            legend: (!legend.is_empty()).then(|| pen.legend_size(&legend, rows)),
            scale_bar: content
                .scale_bar
                .then(|| pen.scale_bar_size(bar_length, &bar_text)),
            caption: has_caption.then_some(&caption_size),
        },
    );
    if let Some(rect) = places.heading {
        pen.heading(rect, &heading);
    }
    if let Some(rect) = places.figures {
        pen.figures(rect, &figures);
    }
    if let Some(rect) = places.scale_bar {
        pen.scale_bar(rect, bar_length, &bar_text);
    }
    if let Some(rect) = places.legend {
        pen.legend(rect, &legend, rows);
    }
    for (rect, bar) in places.bars.iter().zip(&bars) {
        pen.colour_bar(*rect, bar);
    }
    if let Some(rect) = places.caption {
        pen.caption(rect, &content.caption, opacity);
    }
    plates::draw(&pen, screen, area, snapshot, settings, camera);
    if let (Some(site), Some(scale)) = (snapshot.site(settings.site), &of_field) {
        marks::label_contours(&pen, screen, area, site, settings, camera, scale);
    }
    pen.written.into_inner()
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
        .add_plugins(fonts::plugin)
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
        let of = |width, height| design_scale(Vec2::new(width, height));
        assert_eq!(of(1280.0, 720.0), 1.0);
        assert_eq!(of(2560.0, 1440.0), 2.0);
        assert!(of(640.0, 360.0) > 0.7);
        assert_eq!(of(960.0, 720.0), 1.0);
        assert!(of(720.0, 1280.0) < 1.0);
    }
}
