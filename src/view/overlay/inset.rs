//! A plot in a corner of the picture: curves over tissue time, or shares of a whole lying on each other.

use bevy_egui::egui::epaint::{Vertex, WHITE_UV};
use bevy_egui::egui::{Align2, Color32, Mesh, Pos2, Rect, Shape, Stroke, Vec2, pos2, vec2};

use super::pen::{LINE, LIST, Pen, TICK, colour32};
use super::words::{number_text, time_text};
use crate::view::plot::Plot;

/// Width and height of the part with the curves, in units of the design.
const FIELD: Vec2 = vec2(196.0, 88.0);
/// Height of a line that names a curve, in units of the design.
const ROW: f32 = 17.0;
/// Points of a curve that are drawn, at most.
const MOST_POINTS: usize = 160;

/// A share in per cent, or a number with what digits it needs.
fn value_text(plot: &Plot, value: f64) -> String {
    if plot.is_share {
        format!("{:.0} %", value * 100.0)
    } else if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else {
        number_text((value * 100.0).round() as f32 / 100.0)
    }
}

/// Every so many points, and the last one.
fn thinned<T: Copy>(points: &[T]) -> Vec<T> {
    let every = points.len().div_ceil(MOST_POINTS).max(1);
    let mut few: Vec<T> = points.iter().step_by(every).copied().collect();
    if let Some(last) = points.last()
        && !(points.len() - 1).is_multiple_of(every)
    {
        few.push(*last);
    }
    few
}

impl Pen<'_> {
    /// Size of a plot with its title, its axis and the names of its curves.
    pub(super) fn plot_size(&self, plot: &Plot) -> Vec2 {
        let widest = |texts: &mut dyn Iterator<Item = f32>| texts.fold(0.0, f32::max);
        let title = self.width(&plot.heading(), LIST);
        let names = plot.curves.iter().map(|curve| {
            self.width(&curve.label, TICK)
                + self.width(&value_text(plot, curve.now()), TICK)
                + 30.0 * self.scale
        });
        let inner = widest(&mut names.chain([title, FIELD.x * self.scale]));
        let rows = LINE + FIELD.y + ROW * (plot.curves.len() + 1) as f32;
        vec2(inner, rows * self.scale) + self.padding()
    }

    /// A plot with its title, its axis and the names of its curves.
    pub(super) fn plot(&self, rect: Rect, plot: &Plot) {
        let inside = self.plate(rect);
        let k = self.scale;
        let ink = self.inks.ink;
        let heading = plot.heading();
        self.text(inside.min, Align2::LEFT_TOP, &heading, LIST, ink);
        let field = Rect::from_min_size(
            inside.min + vec2(0.0, LINE * k),
            vec2(inside.width(), FIELD.y * k),
        );
        let (from, to, top) = plot.extent();
        let span = (to - from).max(1.0);
        let place = |hours: f64, value: f64| {
            pos2(
                field.min.x + field.width() * ((hours - from) / span) as f32,
                field.max.y - field.height() * (value / top.max(1.0e-12)) as f32,
            )
        };
        if plot.is_share {
            for (curve, edges) in plot.curves.iter().zip(plot.stacked()) {
                let edges = thinned(&edges).into_iter();
                let ribbon: Vec<[Pos2; 2]> = edges
                    .map(|[hours, low, high]| [place(hours, low), place(hours, high)])
                    .collect();
                let colour = colour32(curve.colour);
                self.painter.add(Shape::mesh(band(&ribbon, colour)));
                let line: Vec<Pos2> = ribbon.iter().map(|[_, high]| *high).collect();
                let between = Stroke::new(k, self.inks.plate.to_opaque());
                self.painter.add(Shape::line(line, between));
            }
        } else {
            for curve in &plot.curves {
                let points = thinned(&curve.points).into_iter();
                let line: Vec<Pos2> = points.map(|[hours, value]| place(hours, value)).collect();
                let stroke = Stroke::new(1.8 * k, colour32(curve.colour));
                self.painter.add(Shape::line(line, stroke));
            }
            let most = value_text(plot, top);
            let size = self.label_size(&most, TICK);
            let ground = Rect::from_min_size(field.min, size);
            self.painter.rect_filled(ground, 0.0, self.inks.plate);
            let at = ground.center();
            self.text(at, Align2::CENTER_CENTER, &most, TICK, self.inks.faint);
        }
        let axis = Stroke::new(k, self.inks.faint);
        let floor = field.min.x..=field.max.x;
        self.painter.hline(floor, field.max.y, axis);
        let mut y = field.max.y + 0.5 * ROW * k;
        for (x, anchor, hours) in [
            (field.min.x, Align2::LEFT_CENTER, from),
            (field.max.x, Align2::RIGHT_CENTER, from + span),
        ] {
            let text = time_text(hours);
            self.text(pos2(x, y), anchor, &text, TICK, self.inks.faint);
        }
        for curve in &plot.curves {
            y += ROW * k;
            let dot = Rect::from_center_size(pos2(inside.min.x + 5.0 * k, y), Vec2::splat(9.0 * k));
            self.painter
                .rect_filled(dot, 1.5 * k, colour32(curve.colour));
            let name = pos2(inside.min.x + 15.0 * k, y);
            self.text(name, Align2::LEFT_CENTER, &curve.label, TICK, ink);
            let value = value_text(plot, curve.now());
            let right = pos2(inside.max.x, y);
            self.text(right, Align2::RIGHT_CENTER, &value, TICK, self.inks.faint);
        }
    }
}

/// The area between a lower and an upper line.
fn band(edges: &[[Pos2; 2]], colour: Color32) -> Mesh {
    let mut mesh = Mesh::default();
    for (number, pair) in edges.iter().enumerate() {
        mesh.vertices.extend(pair.map(|pos| Vertex {
            pos,
            uv: WHITE_UV,
            color: colour,
        }));
        if number > 0 {
            let base = 2 * number as u32 - 2;
            mesh.indices
                .extend([0, 1, 2, 2, 1, 3].map(|corner| base + corner));
        }
    }
    mesh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_curves_are_thinned_and_keep_both_ends() {
        let long: Vec<usize> = (0..1000).collect();
        let few = thinned(&long);
        assert!(few.len() <= MOST_POINTS + 1);
        assert_eq!((few[0], few[few.len() - 1]), (0, 999));
        assert_eq!(thinned(&[1, 2, 3]), [1, 2, 3]);
        assert!(thinned::<u8>(&[]).is_empty());
    }
}
