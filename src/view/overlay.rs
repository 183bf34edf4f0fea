//! What is written over the picture: title, caption, tissue time, scale bar, colour bars, legend, figures.
//!
//! Drawn with egui on the lowest layer, so that film and sandbox look alike and panels lie on top. All sizes are in
//! points of a picture 720 points high and scale with the picture, less than in proportion when it gets smaller, so that
//! text stays readable at 640 x 360.

use bevy::prelude::*;
use bevy_egui::egui::{
    Align2, Color32, CornerRadius, FontId, LayerId, Painter, Pos2, Rect, Shape, Stroke, pos2, vec2,
};
use bevy_egui::egui::{Mesh, epaint::Vertex};
use bevy_egui::{EguiContexts, EguiPrimaryContextPass};

use crate::cell::{Phase, State};
use crate::scene::ColourBy;
use crate::simulation::{SiteSnapshot, Snapshot};

use super::camera::{scale_bar, um_per_pixel};
use super::cells::CellColours;
use super::palette::{self, Scale, ticks};
use super::slice::slice_scale;
use super::{Shown, ViewCamera, ViewSettings};

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

/// Longest scale bar, in points of a picture 720 points high.
const SCALE_BAR_POINTS: f32 = 170.0;

/// Columns of the measurements that are written as figures, if a snapshot has them: column, name, unit, digits.
const FIGURES: [(&str, &str, &str, usize); 5] = [
    ("tumour_radius_um", "tumour radius", "um", 0),
    ("necrotic_radius_um", "necrotic radius", "um", 0),
    ("hypoxic_fraction", "hypoxic fraction", "", 2),
    ("viable_rim_um", "viable rim", "um", 0),
    ("oxygen_min_mmhg", "lowest oxygen", "mmHg", 1),
];

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

/// Units and names are stored in ASCII; people read the real letters.
fn pretty(text: &str) -> String {
    let text = if text == "um" { "µm" } else { text };
    text.replace("HIF-1a", "HIF-1α")
}

fn colour32([r, g, b]: [f32; 3]) -> Color32 {
    let [r, g, b] = [r, g, b].map(|channel| (channel.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
    Color32::from_rgb(r, g, b)
}

/// An entry of the legend.
struct Entry {
    colour: [f32; 3],
    text: String,
    count: usize,
}

/// Types, phases and states that occur, with their colours and numbers.
fn legend_entries(snapshot: &Snapshot, site: &SiteSnapshot, colour_by: ColourBy) -> Vec<Entry> {
    let cells = &site.cells;
    let mut types = vec![0_usize; snapshot.cell_types.len()];
    let mut phases = [0_usize; Phase::ALL.len()];
    let mut states = [0_usize; State::ALL.len()];
    for (i, state) in cells.state.iter().enumerate() {
        states[*state as usize] += 1;
        if *state == State::Alive {
            if let Some(slot) = cells
                .cell_type
                .get(i)
                .and_then(|kind| types.get_mut(usize::from(*kind)))
            {
                *slot += 1;
            }
            if let Some(phase) = cells.phase.get(i) {
                phases[*phase as usize] += 1;
            }
        }
    }
    let mut entries = Vec::new();
    match colour_by {
        ColourBy::Type => {
            for (style, count) in snapshot.cell_types.iter().zip(types) {
                entries.push(Entry {
                    colour: style.colour,
                    text: style.name.replace('_', " "),
                    count,
                });
            }
        }
        ColourBy::Phase => {
            for (phase, count) in Phase::ALL.into_iter().zip(phases) {
                entries.push(Entry {
                    colour: palette::phase(phase),
                    text: phase.label().to_owned(),
                    count,
                });
            }
        }
        ColourBy::Oxygen | ColourBy::Hif => {}
    }
    if colour_by != ColourBy::Oxygen {
        for (state, count) in State::ALL.into_iter().zip(states) {
            if let Some(colour) = palette::state(state) {
                entries.push(Entry {
                    colour,
                    text: state.label().to_owned(),
                    count,
                });
            }
        }
    }
    entries.retain(|entry| entry.count > 0);
    entries
}

/// Paints in units of the design, a picture 720 points high.
struct Pen<'a> {
    painter: &'a Painter,
    scale: f32,
}

const INK: Color32 = Color32::from_rgb(236, 240, 245);
const FAINT_INK: Color32 = Color32::from_rgb(165, 176, 190);

impl Pen<'_> {
    fn font(&self, size: f32) -> FontId {
        FontId::proportional(size * self.scale)
    }

    fn text(&self, at: Pos2, anchor: Align2, text: &str, size: f32, colour: Color32) -> Rect {
        // A soft dark edge keeps letters readable on any picture.
        for shift in [vec2(0.0, 1.0), vec2(1.0, 0.0)] {
            self.painter.text(
                at + shift,
                anchor,
                text,
                self.font(size),
                Color32::from_black_alpha(130),
            );
        }
        self.painter.text(at, anchor, text, self.font(size), colour)
    }

    fn width(&self, text: &str, size: f32) -> f32 {
        self.painter
            .layout_no_wrap(text.to_owned(), self.font(size), INK)
            .size()
            .x
    }

    fn panel(&self, rect: Rect) {
        self.painter.rect_filled(
            rect.expand(8.0 * self.scale),
            CornerRadius::same((6.0 * self.scale) as u8),
            Color32::from_rgba_unmultiplied(8, 12, 18, 132),
        );
    }

    /// Title and time; returns the lower edge.
    fn heading(&self, area: Rect, title: &str, time: Option<&str>) {
        let mut at = area.min;
        if !title.is_empty() {
            at.y = self.text(at, Align2::LEFT_TOP, title, 23.0, INK).max.y + 2.0 * self.scale;
        }
        if let Some(time) = time {
            self.text(at, Align2::LEFT_TOP, time, 18.0, FAINT_INK);
        }
    }

    /// Names and values in two columns, upper right.
    fn figures(&self, area: Rect, figures: &[(String, String)]) {
        if figures.is_empty() {
            return;
        }
        let line = 20.0 * self.scale;
        let names = figures
            .iter()
            .map(|(name, _)| self.width(name, 14.0))
            .fold(0.0, f32::max);
        let values = figures
            .iter()
            .map(|(_, value)| self.width(value, 14.0))
            .fold(0.0, f32::max);
        let size = vec2(
            names + values + 16.0 * self.scale,
            line * figures.len() as f32,
        );
        let rect = Rect::from_min_size(pos2(area.max.x - size.x, area.min.y), size);
        self.panel(rect);
        for (i, (name, value)) in figures.iter().enumerate() {
            let y = rect.min.y + line * (i as f32 + 0.5);
            self.text(
                pos2(rect.min.x, y),
                Align2::LEFT_CENTER,
                name,
                14.0,
                FAINT_INK,
            );
            self.text(pos2(rect.max.x, y), Align2::RIGHT_CENTER, value, 14.0, INK);
        }
    }

    /// A bar of a round length, lower left.
    fn scale_bar(&self, area: Rect, um_per_point: f32) {
        let (um, length) = scale_bar(um_per_point, SCALE_BAR_POINTS * self.scale);
        let text = if um >= 1000.0 {
            format!("{} mm", um / 1000.0)
        } else {
            format!("{um} µm")
        };
        let thick = (4.0 * self.scale).round().max(2.0);
        let bar = Rect::from_min_size(pos2(area.min.x, area.max.y - thick), vec2(length, thick));
        self.painter.rect_filled(
            bar.expand(1.0),
            CornerRadius::ZERO,
            Color32::from_black_alpha(140),
        );
        self.painter
            .rect_filled(bar, CornerRadius::ZERO, Color32::WHITE);
        self.text(
            pos2(bar.center().x, bar.min.y - 3.0 * self.scale),
            Align2::CENTER_BOTTOM,
            &text,
            15.0,
            INK,
        );
    }

    /// Coloured dots with names and numbers; `bottom_right` is the lower right corner. Returns the upper edge.
    fn legend(&self, bottom_right: Pos2, entries: &[Entry]) -> f32 {
        if entries.is_empty() {
            return bottom_right.y;
        }
        let line = 20.0 * self.scale;
        let counts: Vec<String> = entries
            .iter()
            .map(|entry| count_text(entry.count))
            .collect();
        let names = entries
            .iter()
            .map(|entry| self.width(&entry.text, 14.0))
            .fold(0.0, f32::max);
        let numbers = counts
            .iter()
            .map(|count| self.width(count, 14.0))
            .fold(0.0, f32::max);
        let dot = 18.0 * self.scale;
        let size = vec2(
            dot + names + 14.0 * self.scale + numbers,
            line * entries.len() as f32,
        );
        let rect = Rect::from_min_size(bottom_right - size, size);
        self.panel(rect);
        for (i, (entry, count)) in entries.iter().zip(&counts).enumerate() {
            let y = rect.min.y + line * (i as f32 + 0.5);
            self.painter.circle(
                pos2(rect.min.x + 6.0 * self.scale, y),
                5.5 * self.scale,
                colour32(entry.colour),
                Stroke::new(1.2 * self.scale, Color32::from_white_alpha(150)),
            );
            self.text(
                pos2(rect.min.x + dot, y),
                Align2::LEFT_CENTER,
                &entry.text,
                14.0,
                INK,
            );
            self.text(
                pos2(rect.max.x, y),
                Align2::RIGHT_CENTER,
                count,
                14.0,
                FAINT_INK,
            );
        }
        rect.min.y - 26.0 * self.scale
    }

    /// A vertical colour bar with ticks, name and unit; contour levels are marked on it. `bottom_right` is the lower
    /// right corner. Returns the left edge.
    fn colour_bar(&self, bottom_right: Pos2, scale: &Scale) -> f32 {
        let name = if scale.unit.is_empty() {
            pretty(scale.name)
        } else {
            format!("{}, {}", pretty(scale.name), pretty(scale.unit))
        };
        let marks = marks_of(scale);
        let labels: Vec<String> = marks.iter().map(|mark| number_text(*mark)).collect();
        let label_width = labels
            .iter()
            .map(|label| self.width(label, 13.0))
            .fold(0.0, f32::max);
        let k = self.scale;
        let (bar_width, bar_height) = (14.0 * k, 150.0 * k);
        let width = (bar_width + 8.0 * k + label_width).max(self.width(&name, 14.0));
        let size = vec2(width, bar_height + 30.0 * k);
        let rect = Rect::from_min_size(bottom_right - size, size);
        self.panel(rect);
        self.text(rect.min, Align2::LEFT_TOP, &name, 14.0, INK);
        let bar = Rect::from_min_size(
            pos2(rect.min.x, rect.max.y - bar_height - 4.0 * k),
            vec2(bar_width, bar_height),
        );
        let steps = 64;
        let mut mesh = Mesh::default();
        for i in 0..=steps {
            let at = i as f32 / steps as f32;
            let colour = colour32(scale.map.sample(at));
            let y = bar.max.y - bar.height() * at;
            for x in [bar.min.x, bar.max.x] {
                mesh.vertices.push(Vertex {
                    pos: pos2(x, y),
                    uv: bevy_egui::egui::epaint::WHITE_UV,
                    color: colour,
                });
            }
            if i > 0 {
                let base = 2 * (i - 1);
                mesh.indices
                    .extend([base, base + 1, base + 2, base + 2, base + 1, base + 3]);
            }
        }
        self.painter.add(Shape::mesh(mesh));
        let height_of = |value: f32| bar.max.y - bar.height() * scale.position(value);
        for (i, level) in scale.contours.iter().enumerate() {
            if *level < scale.max {
                self.painter.hline(
                    bar.min.x..=bar.max.x,
                    height_of(*level),
                    Stroke::new(if i == 0 { 2.2 * k } else { 1.2 * k }, Color32::WHITE),
                );
            }
        }
        for (mark, label) in marks.iter().zip(&labels) {
            let y = height_of(*mark);
            self.painter.hline(
                bar.max.x..=bar.max.x + 4.0 * k,
                y,
                Stroke::new(k, FAINT_INK),
            );
            self.text(
                pos2(bar.max.x + 7.0 * k, y),
                Align2::LEFT_CENTER,
                label,
                13.0,
                INK,
            );
        }
        rect.min.x - 28.0 * k
    }

    /// Caption, centred in the lower third.
    fn caption(&self, area: Rect, text: &str, opacity: f32) {
        if text.is_empty() || opacity <= 0.0 {
            return;
        }
        let opacity = opacity.min(1.0);
        let galley =
            self.painter
                .layout(text.to_owned(), self.font(21.0), INK, area.width() * 0.52);
        let size = galley.size();
        let rect = Rect::from_center_size(
            pos2(
                area.center().x,
                area.max.y - 20.0 * self.scale - size.y * 0.5,
            ),
            size,
        );
        let mut painter = self.painter.clone();
        painter.multiply_opacity(opacity);
        painter.rect_filled(
            rect.expand2(vec2(18.0, 10.0) * self.scale),
            CornerRadius::same((8.0 * self.scale) as u8),
            Color32::from_rgba_unmultiplied(6, 9, 14, 190),
        );
        painter.galley(rect.min, galley, INK);
    }
}

/// Values written beside a colour bar: the contour levels, and round values that keep clear of them.
fn marks_of(scale: &Scale) -> Vec<f32> {
    let mut marks: Vec<f32> = scale
        .contours
        .iter()
        .copied()
        .filter(|level| *level > scale.min && *level < scale.max)
        .collect();
    for tick in ticks(scale.min, scale.max, 4) {
        let clear = 0.1 * (scale.max - scale.min);
        if scale
            .contours
            .iter()
            .all(|level| (level - tick).abs() > clear)
        {
            marks.push(tick);
        }
    }
    marks
}

/// A number on a scale, without needless zeros.
fn number_text(value: f32) -> String {
    if value == value.round() {
        format!("{value:.0}")
    } else if (value * 10.0 - (value * 10.0).round()).abs() < 1.0e-3 {
        format!("{value:.1}")
    } else {
        format!("{value:.3}")
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    }
}

/// The figures a snapshot can give.
fn figures_of(site: &SiteSnapshot, content: &OverlayContent) -> Vec<(String, String)> {
    let mut figures = vec![("cells".to_owned(), count_text(site.cells.len()))];
    for (column, name, unit, digits) in FIGURES {
        if let Some(value) = site.metrics.get(column) {
            let gap = if unit.is_empty() { "" } else { " " };
            figures.push((
                name.to_owned(),
                format!("{value:.digits$}{gap}{}", pretty(unit)),
            ));
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
    if let Some(site) = snapshot.sites.get(settings.site) {
        if content.figures {
            pen.figures(area, &figures_of(site, content));
        }
        if content.legend {
            let colour_by = settings.look.colour_by;
            let mut corner = area.max;
            corner.y = pen.legend(corner, &legend_entries(snapshot, site, colour_by));
            let of_cells = CellColours::new(snapshot, site, colour_by).scale().copied();
            let of_field = slice_scale(site, settings);
            if let Some(scale) = &of_field {
                corner.x = pen.colour_bar(corner, scale);
            }
            if let Some(scale) = of_cells.filter(|scale| of_field.as_ref() != Some(scale)) {
                pen.colour_bar(corner, &scale);
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
    use super::*;

    #[test]
    fn times_read_as_people_write_them() {
        assert_eq!(time_text(0.0), "0 h 00 min");
        assert_eq!(time_text(6.5), "6 h 30 min");
        assert_eq!(time_text(54.0), "2 d 06 h");
        assert_eq!(time_text(23.999_9), "1 d 00 h");
    }

    #[test]
    fn counts_are_grouped_by_three() {
        assert_eq!(count_text(7), "7");
        assert_eq!(count_text(1234), "1 234");
        assert_eq!(count_text(1_000_000), "1 000 000");
    }

    #[test]
    fn small_pictures_get_relatively_larger_letters() {
        assert_eq!(design_scale(720.0), 1.0);
        assert_eq!(design_scale(1440.0), 2.0);
        assert!(design_scale(360.0) > 0.7);
    }
}
