//! The parts of the overlay, each measured first and then painted into the place that the layout found.

use std::cell::RefCell;

use bevy_egui::egui::epaint::{Vertex, WHITE_UV};
use bevy_egui::egui::{
    Align2, Color32, CornerRadius, FontId, Mesh, Painter, Pos2, Rect, Shape, Stroke, Vec2, pos2,
    vec2,
};

use super::ink::Inks;
use super::words::{number_text, pretty};
use crate::core::layer::GlyphKind;
use crate::core::quantity::Build;
use crate::view::colour_map::TABLE_LEN;
use crate::view::palette::{Scale, ticks};

/// Longest scale bar, in points of a picture 720 points high.
pub(super) const SCALE_BAR_POINTS: f32 = 170.0;
/// Room between letters and the edge of their plate, in units of the design.
pub(super) const PAD: f32 = 8.0;
/// Height of a line of a list, in units of the design.
pub(super) const LINE: f32 = 20.0;
/// Sizes of letters, in units of the design.
const TITLE: f32 = 22.0;
const CHAPTER: f32 = 17.0;
const ARROWS: f32 = 15.0;
const TIME: f32 = 17.0;
pub(super) const NOTE: f32 = 13.5;
pub(super) const LIST: f32 = 14.0;
pub(super) const TICK: f32 = 13.0;
const CAPTION: f32 = 20.0;
/// Width and height of a colour bar, in units of the design.
const BAR: Vec2 = vec2(14.0, 150.0);

/// A colour, sRGB, each channel 0-1.
pub fn colour32([r, g, b]: [f32; 3]) -> Color32 {
    let [r, g, b] = [r, g, b].map(|channel| (channel.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
    Color32::from_rgb(r, g, b)
}

/// An entry of the legend.
#[derive(Clone)]
pub(super) struct Entry {
    /// Colour, sRGB.
    pub colour: [f32; 3],
    /// What it looks like.
    pub form: Form,
    /// How such cells are built.
    pub build: Build,
    /// Colour of the rim that such cells have.
    pub rim: Option<[f32; 3]>,
    /// Whether they lack what is shown.
    pub is_hatched: bool,
    /// Name.
    pub text: String,
    /// How many cells, as text; empty for none.
    pub count: String,
    /// The same as a number; 0 for what is no cell.
    pub number: usize,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            colour: [0.5; 3],
            form: Form::Cell,
            build: Build::Plain,
            rim: None,
            is_hatched: false,
            text: String::new(),
            count: String::new(),
            number: 0,
        }
    }
}

/// What an entry of the legend stands for, by its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing of its own: a remark.
    Nothing,
    /// A cell that is a ball.
    Cell,
    /// A cell that is drawn out.
    Spindle,
    /// Glyphs of a kind.
    Glyph(GlyphKind),
}

/// A text as it stands on the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedText {
    /// What is written.
    pub text: String,
    /// Where, points.
    pub rect: Rect,
}

/// Title, chapter with its arrows, time and what is said of the pace.
pub(super) struct Heading<'a> {
    pub title: &'a str,
    pub chapter: &'a str,
    pub arrows: &'a str,
    pub time: Option<&'a str>,
    pub pace: &'a str,
}

/// Paints in units of the design, a picture 720 points high.
pub(super) struct Pen<'a> {
    /// Where it is painted.
    pub painter: &'a Painter,
    /// Points for a unit of the design.
    pub scale: f32,
    /// Colours of letters and plates.
    pub inks: Inks,
    /// What has been written so far.
    pub written: RefCell<Vec<PlacedText>>,
    /// The plates painted so far.
    pub plates: RefCell<Vec<Rect>>,
}

impl Pen<'_> {
    pub(super) fn font(&self, size: f32) -> FontId {
        FontId::proportional(size * self.scale)
    }

    pub(super) fn text(&self, at: Pos2, anchor: Align2, text: &str, size: f32, colour: Color32) {
        let rect = self.painter.text(at, anchor, text, self.font(size), colour);
        self.note(text, rect);
    }

    fn note(&self, text: &str, rect: Rect) {
        self.written.borrow_mut().push(PlacedText {
            text: text.to_owned(),
            rect,
        });
    }

    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        self.wrapped(text, size, f32::INFINITY).x
    }

    pub(super) fn wrapped(&self, text: &str, size: f32, width: f32) -> Vec2 {
        self.painter
            .layout(text.to_owned(), self.font(size), self.inks.ink, width)
            .size()
    }

    pub(super) fn padding(&self) -> Vec2 {
        Vec2::splat(2.0 * PAD * self.scale)
    }

    /// The places of all texts so far, with the plates they stand on.
    pub(super) fn taken(&self) -> Vec<Rect> {
        self.plates.borrow().clone()
    }

    /// Paints a plate and returns the place on it.
    pub(super) fn plate(&self, rect: Rect) -> Rect {
        self.plates.borrow_mut().push(rect);
        self.painter.rect_filled(
            rect,
            CornerRadius::same((5.0 * self.scale) as u8),
            self.inks.plate,
        );
        rect.shrink(PAD * self.scale)
    }

    fn lines_of_heading<'a>(&self, heading: &Heading<'a>) -> Vec<(&'a str, f32, Color32)> {
        let Inks {
            ink, faint, accent, ..
        } = self.inks;
        [
            (heading.title, TITLE, ink),
            (heading.chapter, CHAPTER, accent),
            (heading.arrows, ARROWS, ink),
            (heading.time.unwrap_or_default(), TIME, faint),
            (heading.pace, NOTE, accent),
        ]
        .into_iter()
        .filter(|(text, ..)| !text.is_empty())
        .collect()
    }

    /// Size of the heading where it may have this width.
    pub(super) fn heading_size(&self, heading: &Heading, width: f32) -> Vec2 {
        let inner = width - self.padding().x;
        let lines = self.lines_of_heading(heading);
        let mut size = vec2(0.0, 2.0 * self.scale * lines.len().saturating_sub(1) as f32);
        for (text, letters, _) in lines {
            let line = self.wrapped(text, letters, inner);
            size = vec2(size.x.max(line.x), size.y + line.y);
        }
        size + self.padding()
    }

    /// Title, time and pace, one below the other.
    pub(super) fn heading(&self, rect: Rect, heading: &Heading) {
        let inside = self.plate(rect);
        let mut at = inside.min;
        for (text, letters, colour) in self.lines_of_heading(heading) {
            let galley = self.painter.layout(
                text.to_owned(),
                self.font(letters),
                colour,
                // What just fits must not be broken anew.
                inside.width() + 0.5,
            );
            let line = Rect::from_min_size(at, galley.size());
            self.painter.galley(at, galley, colour);
            self.note(text, line);
            at.y = line.max.y + 2.0 * self.scale;
        }
    }

    /// Size of names and values in two columns.
    pub(super) fn figures_size(&self, figures: &[(String, String)]) -> Vec2 {
        let widest = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|text| self.width(text, LIST)).fold(0.0, f32::max)
        };
        let names = widest(&mut figures.iter().map(|(name, _)| name));
        let values = widest(&mut figures.iter().map(|(_, value)| value));
        let inner = vec2(
            names + values + 16.0 * self.scale,
            LINE * self.scale * figures.len() as f32,
        );
        inner + self.padding()
    }

    /// Names and values in two columns.
    pub(super) fn figures(&self, rect: Rect, figures: &[(String, String)]) {
        let inside = self.plate(rect);
        let line = LINE * self.scale;
        for (i, (name, value)) in figures.iter().enumerate() {
            let y = inside.min.y + line * (i as f32 + 0.5);
            let (left, right) = (pos2(inside.min.x, y), pos2(inside.max.x, y));
            self.text(left, Align2::LEFT_CENTER, name, LIST, self.inks.faint);
            self.text(right, Align2::RIGHT_CENTER, value, LIST, self.inks.ink);
        }
    }

    /// Size of a scale bar of this length, points, with its text.
    pub(super) fn scale_bar_size(&self, length: f32, text: &str) -> Vec2 {
        let letters = self.wrapped(text, NOTE, f32::INFINITY);
        vec2(length.max(letters.x), letters.y + 7.0 * self.scale) + self.padding()
    }

    /// A bar of this length, points, and what it says.
    pub(super) fn scale_bar(&self, rect: Rect, length: f32, text: &str) {
        let inside = self.plate(rect);
        let thick = (4.0 * self.scale).round().max(2.0);
        let left = (inside.center().x - 0.5 * length).round();
        let bar = Rect::from_min_size(pos2(left, inside.max.y - thick), vec2(length, thick));
        self.painter
            .rect_filled(bar, CornerRadius::ZERO, self.inks.ink);
        let above = pos2(inside.center().x, inside.min.y);
        self.text(above, Align2::CENTER_TOP, text, NOTE, self.inks.ink);
    }

    /// Widths of the names and of the numbers of some entries.
    fn legend_widths(&self, entries: &[Entry]) -> (f32, f32) {
        let names = entries.iter().map(|entry| self.width(&entry.text, LIST));
        let numbers = entries.iter().map(|entry| self.width(&entry.count, LIST));
        (names.fold(0.0, f32::max), numbers.fold(0.0, f32::max))
    }

    /// Size of the legend in columns of at most `rows`.
    pub(super) fn legend_size(&self, entries: &[Entry], rows: usize) -> Vec2 {
        let k = self.scale;
        let mut size = Vec2::ZERO;
        for (i, column) in entries.chunks(rows.max(1)).enumerate() {
            let (names, numbers) = self.legend_widths(column);
            let between = if i > 0 { 16.0 * k } else { 0.0 };
            size.x += between + 18.0 * k + names + 14.0 * k + numbers;
            size.y = size.y.max(LINE * k * column.len() as f32);
        }
        size + self.padding()
    }

    /// Small pictures with names and numbers.
    pub(super) fn legend(&self, rect: Rect, entries: &[Entry], rows: usize) {
        let inside = self.plate(rect);
        let k = self.scale;
        let mut left = inside.min.x;
        for column in entries.chunks(rows.max(1)) {
            let (names, numbers) = self.legend_widths(column);
            let right = left + 18.0 * k + names + 14.0 * k + numbers;
            for (i, entry) in column.iter().enumerate() {
                let y = inside.min.y + LINE * k * (i as f32 + 0.5);
                self.sample(pos2(left + 6.0 * k, y), entry);
                let name = pos2(left + 18.0 * k, y);
                self.text(name, Align2::LEFT_CENTER, &entry.text, LIST, self.inks.ink);
                if !entry.count.is_empty() {
                    let number = pos2(right, y);
                    let ink = self.inks.faint;
                    self.text(number, Align2::RIGHT_CENTER, &entry.count, LIST, ink);
                }
            }
            left = right + 16.0 * k;
        }
    }

    /// Size of a colour bar with its ticks, name and unit.
    pub(super) fn colour_bar_size(&self, scale: &Scale) -> Vec2 {
        let labels = marks_of(scale).into_iter().map(number_text);
        let labels = labels
            .map(|label| self.width(&label, TICK))
            .fold(0.0, f32::max);
        let k = self.scale;
        let width = (BAR.x * k + 8.0 * k + labels).max(self.width(&name_of(scale), LIST));
        vec2(width, (BAR.y + 32.0) * k) + self.padding()
    }

    /// A vertical colour bar with ticks, name and unit; contour levels are marked on it.
    pub(super) fn colour_bar(&self, rect: Rect, scale: &Scale) {
        let inside = self.plate(rect);
        let k = self.scale;
        let ink = self.inks.ink;
        self.text(inside.min, Align2::LEFT_TOP, &name_of(scale), LIST, ink);
        let size = (BAR * k).round();
        let corner = pos2(inside.min.x, inside.max.y - size.y - 6.0 * k).round();
        let bar = Rect::from_min_size(corner, size);
        self.painter.add(Shape::mesh(strips(bar, scale)));
        let height_of = |value: f32| bar.max.y - bar.height() * scale.position(value);
        for (i, level) in scale.contours.iter().enumerate() {
            if *level < scale.max {
                let y = height_of(*level);
                let width = if i == 0 { 2.2 * k } else { 1.2 * k };
                let across = bar.min.x..=bar.max.x;
                self.painter.hline(
                    across.clone(),
                    y,
                    Stroke::new(width + 1.6 * k, Color32::BLACK),
                );
                self.painter
                    .hline(across, y, Stroke::new(width, Color32::WHITE));
            }
        }
        for mark in marks_of(scale) {
            let y = height_of(mark);
            let tick = bar.max.x..=bar.max.x + 4.0 * k;
            self.painter.hline(tick, y, Stroke::new(k, self.inks.faint));
            let beside = pos2(bar.max.x + 7.0 * k, y);
            self.text(beside, Align2::LEFT_CENTER, &number_text(mark), TICK, ink);
        }
    }

    /// Size of the caption where it may have this width: no wider than its lines need, so that they are of about the same
    /// length.
    pub(super) fn caption_size(&self, text: &str, width: f32) -> Vec2 {
        let room = self.caption_padding();
        let mut size = self.wrapped(text, CAPTION, width - room.x);
        let (mut narrow, mut wide) = (0.4 * size.x, size.x);
        for _ in 0..6 {
            let between = 0.5 * (narrow + wide);
            let tried = self.wrapped(text, CAPTION, between);
            if tried.y <= size.y + 0.5 {
                (wide, size.x) = (between, tried.x);
            } else {
                narrow = between;
            }
        }
        size + room
    }

    fn caption_padding(&self) -> Vec2 {
        vec2(32.0, 20.0) * self.scale
    }

    /// Caption.
    pub(super) fn caption(&self, rect: Rect, text: &str, opacity: f32) {
        let mut painter = self.painter.clone();
        painter.multiply_opacity(opacity.clamp(0.0, 1.0));
        self.plates.borrow_mut().push(rect);
        let corner = CornerRadius::same((7.0 * self.scale) as u8);
        painter.rect_filled(rect, corner, self.inks.plate);
        let width = rect.width() - self.caption_padding().x + 0.5;
        let font = self.font(CAPTION);
        let galley = painter.layout(text.to_owned(), font, self.inks.ink, width);
        let at = rect.min + 0.5 * self.caption_padding();
        self.note(text, Rect::from_min_size(at, galley.size()));
        painter.galley(at, galley, self.inks.ink);
    }
}

fn name_of(scale: &Scale) -> String {
    if scale.unit.is_empty() {
        scale.name.clone()
    } else {
        format!("{}, {}", scale.name, pretty(&scale.unit))
    }
}

/// The bar itself: a strip for each entry of the table that planes and cells are coloured by, so that the colours agree
/// to the bit. Each strip is centred on its value.
fn strips(bar: Rect, scale: &Scale) -> Mesh {
    let mut mesh = Mesh::default();
    let last = (TABLE_LEN - 1) as f32;
    for (i, [r, g, b, _]) in scale.map.table().into_iter().enumerate() {
        let y = |at: f32| bar.max.y - bar.height() * (at / last).clamp(0.0, 1.0);
        let base = mesh.vertices.len() as u32;
        for (x, y) in [
            (bar.min.x, y(i as f32 - 0.5)),
            (bar.max.x, y(i as f32 - 0.5)),
            (bar.min.x, y(i as f32 + 0.5)),
            (bar.max.x, y(i as f32 + 0.5)),
        ] {
            mesh.vertices.push(Vertex {
                pos: pos2(x, y),
                uv: WHITE_UV,
                color: Color32::from_rgb(r, g, b),
            });
        }
        let corners = [0, 1, 2, 2, 1, 3].map(|corner| base + corner);
        mesh.indices.extend(corners);
    }
    mesh
}

/// Values written beside a colour bar: the contour levels, and round values that keep clear of them.
fn marks_of(scale: &Scale) -> Vec<f32> {
    let span = scale.max - scale.min;
    let clear = 0.1 * span;
    let inside = |level: &f32| *level > scale.min && *level < scale.max;
    let mut marks: Vec<f32> = Vec::new();
    for level in scale.contours.iter().copied().filter(inside) {
        if marks.iter().all(|mark| (mark - level).abs() > clear) {
            marks.push(level);
        }
    }
    for tick in ticks(scale.min, scale.max, 4) {
        if marks.iter().all(|mark| (mark - tick).abs() > clear) {
            marks.push(tick);
        }
    }
    marks
}
