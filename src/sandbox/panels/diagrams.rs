//! Diagrams that modules register: trees over time and maps with counts and arrows.
//!
//! A line of a tree begins where it leaves its mother and ends where it ended, or now; a click on one selects its cell. On a map an arrow is the thicker the more
//! has gone that way.

use bevy_egui::egui::{
    self, Align2, FontId, Pos2, Rect, Sense, Shape, Stroke, Ui, Vec2, pos2, vec2,
};

use crate::core::diagram::{Drawing, MapPlace, MapWay, TreeLine, rows_of};
use crate::simulation::Snapshot;
use crate::view::overlay::colour32;

use super::super::theme::{self, Colours};

/// Height of a row of a tree, points.
const ROW: f32 = 17.0;
/// Room for what stands at the ends of its lines.
const LABELS: f32 = 104.0;
/// Radius of a place of a map, points.
const PLACE: f32 = 17.0;
/// Height of a map over its width.
const MAP_HEIGHT: f32 = 0.92;
/// How far an arrow lies beside that which leads back.
const ASIDE: f32 = 5.0;

/// Fills its part of the right panel; a cell that was clicked.
pub(super) fn show(ui: &mut Ui, snapshot: &Snapshot) -> Option<u64> {
    let mut clicked = None;
    for (info, drawing) in &snapshot.diagrams {
        theme::section(ui, &info.title, true, |ui| {
            ui.label(theme::faint(&info.about));
            match drawing {
                Drawing::Tree { lines, left_out } => {
                    clicked = clicked.or(tree(ui, lines, snapshot.hours));
                    if *left_out > 0 {
                        ui.label(theme::faint(format!("and {left_out} more")));
                    }
                }
                Drawing::Map { places, ways } => map(ui, places, ways),
            }
        });
    }
    clicked
}

/// Draws a tree and tells the cell of a line that was clicked.
fn tree(ui: &mut Ui, lines: &[TreeLine], now_hours: f64) -> Option<u64> {
    let rows = rows_of(lines);
    let size = vec2(ui.available_width(), ROW * lines.len() as f32 + 4.0);
    let (place, _) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter_at(place.expand(2.0));
    let first = lines.iter().map(|line| line.from_hours);
    let begin = first.fold(now_hours, f64::min);
    let span = (now_hours - begin).max(1.0e-6);
    let wide = (place.width() - LABELS).max(20.0);
    let x = |hours: f64| place.min.x + 3.0 + wide * ((hours - begin) / span).clamp(0.0, 1.0) as f32;
    let y = |row: usize| place.min.y + 2.0 + ROW * (row as f32 + 0.5);
    let mut clicked = None;
    let colours = theme::colours(ui);
    for (line, row) in lines.iter().zip(&rows) {
        let colour = colour32(line.colour);
        let from = pos2(x(line.from_hours), y(*row));
        let to = pos2(x(line.to_hours.unwrap_or(now_hours)), y(*row));
        let mother = line.from.and_then(|from| rows.get(from as usize));
        if let Some(mother) = mother {
            painter.line_segment([pos2(from.x, y(*mother)), from], Stroke::new(1.0, colour));
        }
        painter.line_segment([from, to], Stroke::new(2.0, colour));
        painter.circle_filled(from, 2.6, colour);
        if line.to_hours.is_some() {
            // It has ended.
            let bar = vec2(0.0, 3.5);
            painter.line_segment([to - bar, to + bar], Stroke::new(1.5, colour));
        }
        let font = FontId::proportional(11.0);
        let at = to + vec2(6.0, 0.0);
        painter.text(
            at,
            Align2::LEFT_CENTER,
            &line.label,
            font,
            colours.in_diagram,
        );
        let reach = Rect::from_min_max(
            pos2(from.x - 3.0, y(*row) - 0.5 * ROW),
            pos2(place.max.x, y(*row) + 0.5 * ROW),
        );
        let id = ui.id().with(("line", row, line.cell));
        let response = ui.interact(reach, id, Sense::click());
        response
            .widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Button, true, &line.label));
        if response.clicked() {
            clicked = line.cell;
        }
        response.on_hover_text(&line.about);
    }
    clicked
}

/// Draws a map.
fn map(ui: &mut Ui, places: &[MapPlace], ways: &[MapWay]) {
    let wide = ui.available_width();
    let size = vec2(wide, MAP_HEIGHT * wide);
    let (place, _) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter_at(place);
    let colours = theme::colours(ui);
    let inside = place.shrink2(vec2(PLACE + 8.0, PLACE + 10.0));
    let at =
        |of: &MapPlace| inside.min + vec2(of.at[0] * inside.width(), of.at[1] * inside.height());
    for way in ways {
        let (Some(from), Some(to)) = (places.get(way.from), places.get(way.to)) else {
            continue;
        };
        arrow(&painter, colours, at(from), at(to), way);
    }
    for of in places {
        let middle = at(of);
        let edge = Stroke::new(2.0, colour32(of.colour));
        painter.circle(middle, PLACE, colours.box_ground, edge);
        let font = FontId::proportional(12.0);
        painter.text(
            middle,
            Align2::CENTER_CENTER,
            &of.says,
            font,
            colours.in_diagram,
        );
        let below = middle + vec2(0.0, PLACE + 2.0);
        let font = FontId::proportional(11.0);
        painter.text(
            below,
            Align2::CENTER_TOP,
            &of.label,
            font,
            colours.faint_in_diagram,
        );
    }
}

/// How thick an arrow is, points: with each ten times as much a little more.
fn thickness(amount: f64) -> f32 {
    1.2 + 1.1 * (amount.max(1.0).log10() as f32).min(6.0)
}

fn arrow(painter: &egui::Painter, colours: &Colours, from: Pos2, to: Pos2, way: &MapWay) {
    let along: Vec2 = (to - from).normalized();
    let aside = vec2(-along.y, along.x);
    let (from, to) = (
        from + along * (PLACE + 2.0) + aside * ASIDE,
        to - along * (PLACE + 3.0) + aside * ASIDE,
    );
    let wide = thickness(way.amount);
    let colour = colours.idle;
    let head = 5.0 + wide;
    let neck = to - along * head;
    painter.line_segment([from, neck], Stroke::new(wide, colour));
    let corners = vec![to, neck + aside * (0.6 * head), neck - aside * (0.6 * head)];
    painter.add(Shape::convex_polygon(corners, colour, Stroke::NONE));
    let beside = from.lerp(to, 0.42) + aside * (5.0 + 0.5 * wide);
    let font = FontId::proportional(10.5);
    let middle = Align2::CENTER_CENTER;
    painter.text(beside, middle, &way.says, font, colours.in_diagram);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws in a window of its own and tells what was clicked at a place.
    fn clicked_at(lines: &[TreeLine], at: Pos2) -> Option<u64> {
        let ctx = egui::Context::default();
        let button = |pressed| egui::Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        };
        let passes = [
            vec![],
            vec![egui::Event::PointerMoved(at)],
            vec![button(true)],
            vec![button(false)],
        ];
        let mut found = None;
        for events in passes {
            let whole = Rect::from_min_size(Pos2::ZERO, vec2(300.0, 200.0));
            let input = egui::RawInput {
                screen_rect: Some(whole),
                events,
                ..egui::RawInput::default()
            };
            let _ = ctx.run_ui(input, |ui| {
                let layer = egui::LayerId::background();
                let builder = egui::UiBuilder::new().layer_id(layer).max_rect(whole);
                let mut inner = egui::Ui::new(ui.ctx().clone(), "tree".into(), builder);
                found = found.or(tree(&mut inner, lines, 10.0));
            });
        }
        found
    }

    #[test]
    fn a_click_on_a_line_of_a_tree_finds_its_cell() {
        let line = |from, from_hours, cell| TreeLine {
            from,
            from_hours,
            to_hours: None,
            label: "lung".into(),
            about: "it went".into(),
            colour: [1.0, 0.5, 0.0],
            cell: Some(cell),
        };
        let lines = [line(None, 0.0, 7), line(Some(0), 5.0, 8)];
        assert_eq!(clicked_at(&lines, pos2(150.0, 2.0 + 0.5 * ROW)), Some(7));
        assert_eq!(clicked_at(&lines, pos2(150.0, 2.0 + 1.5 * ROW)), Some(8));
        assert_eq!(clicked_at(&lines, pos2(20.0, 2.0 + 1.5 * ROW)), None);
    }

    #[test]
    fn what_has_more_is_thicker() {
        assert!(thickness(1.0) < thickness(10.0) && thickness(10.0) < thickness(1.0e4));
        assert_eq!(thickness(0.0), thickness(1.0));
    }
}
