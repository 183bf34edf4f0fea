//! What is written over the picture: title, caption, tissue time, pace, scale bar, colour bars, legend, figures.
//!
//! Everything is measured, given a place by [`layout`](self), and only then painted, so that no two texts overlap in a
//! picture of any shape; letters stand on plates on which they can be read whatever lies behind.
//!
//! Drawn with egui on the lowest layer, so that film and sandbox look alike and panels lie on top. All sizes are in
//! points of a picture 720 points high and scale with the picture, less than in proportion when it gets smaller, so that
//! text stays readable at 640 x 360.

mod body;
mod card;
mod causes;
mod fonts;
mod ink;
mod inset;
mod labels;
mod layout;
mod legend;
mod marks;
mod pen;
#[cfg(test)]
mod placing;
mod plates;
mod samples;
mod words;

use std::cell::RefCell;

use bevy::prelude::*;
use bevy_egui::egui::{LayerId, Painter, Rect, Vec2};
use bevy_egui::{EguiContexts, EguiPrimaryContextPass};

use crate::scene::{ColourBy, Scene, Timeline};
use crate::simulation::{SiteSnapshot, Snapshot};

use super::camera::{scale_bar, um_per_pixel};
use super::colours::{CellColours, ColouredBy};
use super::glyphs::paint::LayerPaint;
use super::plot::Plot;
use super::slice::slice_scale;
use super::{Shown, ViewCamera, ViewSettings};
use body::{BodyMap, looked_at};
use layout::{Wanted, arrange};
use legend::{layer_entries, legend_entries, no_data_entry, shortened};
use pen::{Heading, Pen, SCALE_BAR_POINTS};

pub use causes::{CauseDiagram, CauseLine, CauseState};
pub use fonts::fonts;
pub use ink::Inks;
pub use labels::{Foreseen, Pointer};
pub use pen::{PlacedText, colour32};
pub use words::{capitalised, count_text, number_text, pace_text, pretty, time_text};

/// What is written over the picture, and which parts of the overlay are drawn.
#[derive(Resource, Clone, Debug, PartialEq)]
pub struct OverlayContent {
    /// Title, upper left; empty for none.
    pub title: String,
    /// Number and title of the chapter, below the title; empty for none.
    pub chapter: String,
    /// The arrows of the chapter, below its title; empty for none.
    pub arrows: String,
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
    /// A plot in a corner.
    pub plot: Option<Plot>,
    /// Words that point at places.
    pub labels: Vec<Pointer>,
    /// What lies over the picture, alone.
    pub cover: Option<Cover>,
    /// Whether a small body says which organ is looked at, where there are several.
    pub body_map: bool,
    /// Where the picture lies in its window, in points; all over it where `None`.
    pub picture: Option<Rect>,
    /// The part of the picture that is free for the overlay, in points; all of it where `None`.
    pub area: Option<Rect>,
}

impl Default for OverlayContent {
    fn default() -> Self {
        Self {
            title: String::new(),
            chapter: String::new(),
            arrows: String::new(),
            caption: String::new(),
            caption_opacity: 1.0,
            pace: String::new(),
            time: true,
            scale_bar: true,
            legend: true,
            figures: true,
            plot: None,
            labels: Vec::new(),
            cover: None,
            body_map: true,
            picture: None,
            area: None,
        }
    }
}

impl OverlayContent {
    /// What the timeline of a scene writes at this time, hours.
    pub fn of_story(scene: &Scene, timeline: &Timeline, hours: f64) -> Self {
        Self {
            caption: timeline.caption_at(hours).unwrap_or_default().to_owned(),
            chapter: timeline
                .chapter_at(hours)
                .map(chapter_text)
                .unwrap_or_default(),
            arrows: scene.arrows_of_chapter(timeline, hours),
            cover: Cover::at(scene, timeline, hours),
            ..Self::default()
        }
    }

    /// An overlay that draws nothing.
    pub fn nothing() -> Self {
        Self {
            time: false,
            scale_bar: false,
            legend: false,
            figures: false,
            body_map: false,
            ..Self::default()
        }
    }
}

/// What lies over the darkened picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Cover {
    /// A card: its heading and its lines.
    Card(String, Vec<String>),
    /// All causes of the scene.
    Causes(CauseDiagram),
}

impl Cover {
    /// What the timeline of a scene lays over the picture at this time, hours: a card before causes.
    pub fn at(scene: &Scene, timeline: &Timeline, hours: f64) -> Option<Self> {
        match timeline.card_at(hours) {
            Some((heading, lines)) => Some(Self::Card(heading.to_owned(), lines.to_vec())),
            None => CauseDiagram::at(scene, timeline, hours).map(Self::Causes),
        }
    }
}

/// A chapter as it is written.
pub fn chapter_text((number, title): (&str, &str)) -> String {
    if number.is_empty() {
        title.to_owned()
    } else {
        format!("{number} · {title}")
    }
}

/// The systems that draw the overlay; panels that narrow [`OverlayContent::area`] run before.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OverlaySystems;

/// The figures a snapshot can give: the measurements that are written over pictures.
fn figures_of(snapshot: &Snapshot, site: &SiteSnapshot) -> Vec<(String, String)> {
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
    // Where there are several sites, of which one these are.
    if snapshot.sites.len() > 1 && !figures.is_empty() {
        figures.insert(
            0,
            (capitalised(&site.name.replace('_', " ")), String::new()),
        );
    }
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
        chapter: &content.chapter,
        arrows: &content.arrows,
        time: time.as_deref(),
        pace: &content.pace,
    };
    let has_heading = !heading.title.is_empty()
        || !heading.chapter.is_empty()
        || time.is_some()
        || !heading.pace.is_empty();
    if let Some(cover) = &content.cover {
        match cover {
            Cover::Card(heading, lines) => pen.card(screen, area, (heading, lines)),
            Cover::Causes(diagram) => pen.causes(screen, area, diagram),
        }
        return pen.written.into_inner();
    }
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
        // Of the site that fills the picture, as the small body says.
        let near = looked_at(snapshot, settings, camera, screen.size());
        if content.figures {
            let of = near.and_then(|index| snapshot.sites.get(index));
            figures = figures_of(snapshot, of.unwrap_or(site));
        }
        if content.legend {
            of_field = slice_scale(site, settings);
            let colours = CellColours::new(snapshot, site, colour_by).beside(of_field.as_ref());
            let all = 0..site.cells.len();
            let rows = near.map_or(all, |index| snapshot.rows_in(index, settings.site));
            legend = legend_entries(snapshot, &colours, rows);
            legend.extend(no_data_entry(site, settings));
            let of_cells = colours.scale().cloned();
            bars.extend(of_cells.filter(|scale| of_field.as_ref() != Some(scale)));
            bars.extend(of_field.clone());
            let paints = LayerPaint::of_site(snapshot, site, settings, colour_by);
            legend = shortened(legend, layer_entries(&paints));
            for bar in paints.iter().filter_map(LayerPaint::scale) {
                if !bars.contains(bar) {
                    bars.push(bar.clone());
                }
            }
        }
    }
    let map = BodyMap::of(snapshot, settings, camera, screen.size());
    let map = map.filter(|_| content.body_map);
    let plot = content.plot.as_ref().filter(|plot| !plot.curves.is_empty());

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
            plot: plot.map(|plot| pen.plot_size(plot)),
            map: map.as_ref().map(|map| pen.body_map_size(map)),
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
    if let (Some(rect), Some(plot)) = (places.plot, plot) {
        pen.plot(rect, plot);
    }
    if let (Some(rect), Some(map)) = (places.map, &map) {
        pen.body_map(rect, map);
    }
    labels::draw(&pen, screen, area, &content.labels, camera);
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
        content.picture.unwrap_or_else(|| ctx.viewport_rect()),
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
    use super::super::colours::tests::fish;
    use super::*;
    use crate::core::metric::Metric;

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
        let figures = figures_of(&snapshot, &snapshot.sites[0]);
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
