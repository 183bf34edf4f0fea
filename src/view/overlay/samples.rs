//! What stands before the names of the legend: a small picture of the thing, told apart by its shape.

use bevy_egui::egui::{Color32, CornerRadius, Pos2, Rect, Shape, Stroke, StrokeKind, vec2};

use super::pen::{Entry, Form, Pen, colour32};
use crate::core::layer::GlyphKind;
use crate::core::quantity::Build;

impl Pen<'_> {
    /// A small picture of what an entry stands for.
    pub(super) fn sample(&self, at: Pos2, entry: &Entry) {
        match entry.form {
            Form::Nothing => {}
            Form::Cell => self.small_cell(at, entry),
            Form::Spindle => self.small_spindle(at, entry),
            Form::Glyph(kind) => self.small_glyph(at, entry, kind),
        }
    }

    /// The line around it.
    fn edge(&self, entry: &Entry) -> Stroke {
        match entry.rim {
            Some(rim) => Stroke::new(2.0 * self.scale, colour32(rim)),
            None => Stroke::new(1.1 * self.scale, self.inks.line),
        }
    }

    /// A cell that is drawn out, with its nucleus.
    fn small_spindle(&self, at: Pos2, entry: &Entry) {
        let k = self.scale;
        let outline = |length: f32, width: f32| -> Vec<Pos2> {
            (0..24)
                .map(|corner| {
                    let (sin, cos) =
                        bevy::math::ops::sin_cos(corner as f32 / 24.0 * std::f32::consts::TAU);
                    // Turned a little, as cells lie.
                    let (x, y) = (length * cos, width * sin);
                    at + vec2(x * 0.92 + y * 0.39, y * 0.92 - x * 0.39) * k
                })
                .collect()
        };
        let colour = colour32(entry.colour);
        let body = outline(8.2, 3.1);
        self.painter
            .add(Shape::convex_polygon(body, colour, self.edge(entry)));
        let dark = colour32(entry.colour.map(|channel| channel * 0.45));
        let nucleus = outline(2.9, 1.5);
        self.painter
            .add(Shape::convex_polygon(nucleus, dark, Stroke::NONE));
    }

    /// A glyph of a kind.
    fn small_glyph(&self, at: Pos2, entry: &Entry, kind: GlyphKind) {
        let k = self.scale;
        let colour = colour32(entry.colour);
        let edge = self.edge(entry);
        let line = |from: (f32, f32), to: (f32, f32), width: f32, colour: Color32| {
            let ends = [at + vec2(from.0, from.1) * k, at + vec2(to.0, to.1) * k];
            self.painter
                .line_segment(ends, Stroke::new(width * k, colour));
        };
        match kind {
            GlyphKind::Spheres => {
                self.painter.circle(at, 5.8 * k, colour, edge);
            }
            GlyphKind::Capsules => self.small_spindle(at, entry),
            GlyphKind::Tubes => {
                line((-6.5, 2.0), (6.5, -2.0), 7.5, self.inks.line);
                line((-6.5, 2.0), (6.5, -2.0), 5.6, colour);
            }
            GlyphKind::Strands => {
                for y in [-3.4, 0.0, 3.4] {
                    line((-6.5, y + 1.6), (6.5, y - 1.6), 1.3, colour);
                }
            }
            GlyphKind::Sheets => {
                let corner = |x: f32, y: f32| at + vec2(x, y) * k;
                let corners = [(-6.8, 3.6), (-2.6, -4.2), (6.8, -3.6), (2.6, 4.2)];
                let corners = corners.map(|(x, y)| corner(x, y)).to_vec();
                self.painter.add(Shape::convex_polygon(
                    corners,
                    colour.gamma_multiply(0.7),
                    Stroke::new(1.0 * k, colour),
                ));
            }
            GlyphKind::Grains => {
                for (x, y) in [(-3.6, 1.8), (0.4, -2.8), (3.8, 2.2)] {
                    let grain = at + vec2(x, y) * k;
                    self.painter
                        .circle_filled(grain, 2.6 * k, colour.gamma_multiply(0.35));
                    self.painter.circle_filled(grain, 1.3 * k, colour);
                }
            }
            GlyphKind::Voxels => {
                let cube = Rect::from_center_size(at, vec2(10.0, 10.0) * k);
                let round = CornerRadius::ZERO;
                self.painter.rect(
                    cube,
                    round,
                    colour.gamma_multiply(0.75),
                    edge,
                    StrokeKind::Inside,
                );
            }
        }
    }

    /// A ball, told apart by its build, not by its colour alone.
    fn small_cell(&self, at: Pos2, entry: &Entry) {
        let k = self.scale;
        let colour = colour32(entry.colour);
        let dark = colour32(entry.colour.map(|channel| channel * 0.45));
        let edge = self.edge(entry);
        let radius = match entry.build {
            Build::Shrunken => 4.2,
            Build::Swollen => 6.6,
            _ => 5.8,
        } * k;
        self.painter.circle(at, radius, colour, edge);
        if entry.is_hatched {
            for shift in [-3.0, 0.0, 3.0] {
                let reach = (5.4 * 5.4 - shift * shift * 0.5_f32).sqrt() * 0.7;
                let middle = at + vec2(shift, shift) * 0.7 * k;
                let half = vec2(reach, -reach) * k;
                self.painter
                    .line_segment([middle - half, middle + half], Stroke::new(1.2 * k, dark));
            }
            return;
        }
        match entry.build {
            Build::Plain => {
                self.painter.circle_filled(at, 2.6 * k, dark);
            }
            Build::Shrunken => {
                self.painter.circle_filled(at, 2.7 * k, dark);
            }
            Build::Swollen => {
                self.painter
                    .circle_stroke(at, 2.6 * k, Stroke::new(0.9 * k, dark));
            }
            Build::Remains => {
                for (x, y) in [(-2.2, -1.2), (1.6, -2.4), (0.3, 2.3), (2.6, 1.2)] {
                    self.painter
                        .circle_filled(at + vec2(x, y) * k, 0.9 * k, dark);
                }
            }
            Build::Dividing => {
                let half = vec2(1.2, 3.6) * k;
                let plate = Rect::from_min_max(at - half, at + half);
                self.painter.rect_filled(plate, CornerRadius::ZERO, dark);
            }
        }
    }
}
