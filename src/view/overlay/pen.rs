//! The parts of the overlay, each painted into a corner of the picture.

use bevy_egui::egui::epaint::{Vertex, WHITE_UV};
use bevy_egui::egui::{
    Align2, Color32, CornerRadius, FontId, Mesh, Painter, Pos2, Rect, Shape, Stroke, pos2, vec2,
};

use super::words::{count_text, number_text, pretty};
use crate::view::camera::scale_bar;
use crate::view::palette::{Scale, ticks};

/// Longest scale bar, in points of a picture 720 points high.
const SCALE_BAR_POINTS: f32 = 170.0;

fn colour32([r, g, b]: [f32; 3]) -> Color32 {
    let [r, g, b] = [r, g, b].map(|channel| (channel.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
    Color32::from_rgb(r, g, b)
}

/// An entry of the legend.
pub(super) struct Entry {
    /// Colour, sRGB.
    pub colour: [f32; 3],
    /// Name.
    pub text: String,
    /// How many cells.
    pub count: usize,
}

/// Paints in units of the design, a picture 720 points high.
pub(super) struct Pen<'a> {
    /// Where it is painted.
    pub painter: &'a Painter,
    /// Points for a unit of the design.
    pub scale: f32,
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

    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
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

    /// A name on a small dark plate.
    pub(super) fn plate(&self, rect: Rect, anchor: Align2, text: &str, size: f32) {
        self.painter.rect_filled(
            rect.expand2(vec2(7.0, 1.0) * self.scale),
            CornerRadius::same((4.0 * self.scale) as u8),
            Color32::from_rgba_unmultiplied(8, 12, 18, 170),
        );
        self.text(rect.center(), anchor, text, size, INK);
    }

    /// Title and time; returns the lower edge.
    pub(super) fn heading(&self, area: Rect, title: &str, time: Option<&str>) {
        let mut at = area.min;
        if !title.is_empty() {
            at.y = self.text(at, Align2::LEFT_TOP, title, 23.0, INK).max.y + 2.0 * self.scale;
        }
        if let Some(time) = time {
            self.text(at, Align2::LEFT_TOP, time, 18.0, FAINT_INK);
        }
    }

    /// Names and values in two columns, upper right.
    pub(super) fn figures(&self, area: Rect, figures: &[(String, String)]) {
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
    pub(super) fn scale_bar(&self, area: Rect, um_per_point: f32) {
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
    pub(super) fn legend(&self, bottom_right: Pos2, entries: &[Entry]) -> f32 {
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
    pub(super) fn colour_bar(&self, bottom_right: Pos2, scale: &Scale) -> f32 {
        let name = if scale.unit.is_empty() {
            scale.name.clone()
        } else {
            format!("{}, {}", scale.name, pretty(&scale.unit))
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
                    uv: WHITE_UV,
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
    pub(super) fn caption(&self, area: Rect, text: &str, opacity: f32) {
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
