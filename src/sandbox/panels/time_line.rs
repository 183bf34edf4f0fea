//! The time line under the picture: where the run is, what is kept of it, and the way back.

use bevy_egui::egui::{self, Align2, FontId, Pos2, Rect, Sense, Stroke, Ui, pos2, vec2};

use crate::view::overlay::{chapter_text, time_text};
use crate::view::{Shown, ViewCamera, ViewSettings};

use super::super::state::Sandbox;
use super::super::theme;

/// Height of the bar with its marks, points.
const BAR_HEIGHT: f32 = 46.0;
/// Where the line runs in it, from its top, points.
const LINE_AT: f32 = 30.0;
/// Room beside the bar, points.
const MARGIN: f32 = 12.0;
/// Room for a chapter's title, points.
const TITLE_ROOM: f32 = 90.0;

/// How near the pointer must come to a bookmark to be told its name, points.
const FLAG_REACH: f32 = 6.0;

/// Times of a run on a line from `left` to `right`, points.
#[derive(Clone, Copy, Debug)]
struct Ruler {
    left: f32,
    right: f32,
    end_hours: f64,
}

impl Ruler {
    fn x(&self, hours: f64) -> f32 {
        let share = (hours / self.end_hours).clamp(0.0, 1.0) as f32;
        self.left + share * (self.right - self.left)
    }

    fn hours(&self, x: f32) -> f64 {
        let share = (x - self.left) / (self.right - self.left).max(1.0);
        f64::from(share.clamp(0.0, 1.0)) * self.end_hours
    }
}

/// Fills the panel under the picture.
pub(super) fn show(
    ui: &mut Ui,
    sandbox: &mut Sandbox,
    shown: &Shown,
    settings: &ViewSettings,
    camera: &ViewCamera,
) {
    // However much stands before it, the bar ends where the panel does.
    let end = ui.max_rect().right().min(ui.clip_rect().right() - MARGIN);
    ui.horizontal(|ui| {
        let play = if sandbox.is_running { "⏸" } else { "▶" };
        let play = theme::main_button(ui, play).min_size(vec2(34.0, 34.0));
        if ui.add(play).on_hover_text("Play, pause (Space)").clicked() {
            sandbox.set_running(!sandbox.is_running);
        }
        if ui
            .add(egui::Button::new("⏮").min_size(vec2(30.0, 34.0)))
            .on_hover_text("Back to the start (Home)")
            .clicked()
        {
            sandbox.go_to(0.0);
        }
        chapters(ui, sandbox, shown.0.hours);
        if ui
            .add(
                egui::Button::new("⏺")
                    .selected(sandbox.film.is_some())
                    .min_size(vec2(30.0, 34.0)),
            )
            .on_hover_text("Record a film of the window, or complete it (M)")
            .clicked()
        {
            sandbox.set_filming(sandbox.film.is_none());
        }
        if ui
            .add(egui::Button::new("⚑").min_size(vec2(30.0, 34.0)))
            .on_hover_text("Bookmark this time and what is shown (B)")
            .clicked()
        {
            sandbox.add_bookmark(shown.0.hours, settings, camera);
        }
        bar(ui, sandbox, shown, end);
    });
    branches(ui, sandbox);
}

/// The guided tour, where the scene has chapters: the one before, the one after, and all of them.
fn chapters(ui: &mut Ui, sandbox: &mut Sandbox, now: f64) {
    let list: Vec<(f64, String)> = sandbox
        .visit
        .timeline()
        .chapters()
        .into_iter()
        .map(|(hours, number, title)| (hours, chapter_text((number, title))))
        .collect();
    if list.is_empty() {
        return;
    }
    let mut goal = None;
    let button = |sign| egui::Button::new(sign).min_size(vec2(30.0, 34.0));
    let back = ui.add(button("⏪"));
    if back.on_hover_text("The chapter before (Page up)").clicked() {
        goal = Some(sandbox.visit.previous_chapter(now));
    }
    let next = sandbox.visit.next_chapter(now);
    let on = ui.add_enabled(next.is_some(), button("⏩"));
    if on.on_hover_text("The next chapter (Page down)").clicked() {
        goal = next;
    }
    ui.menu_button("Chapters", |ui| {
        for (hours, text) in &list {
            let is_now = sandbox.visit.previous_chapter(now + 0.3) == *hours;
            if ui.selectable_label(is_now, text).clicked() {
                goal = Some(*hours);
                ui.close();
            }
        }
    })
    .response
    .on_hover_text("Go to a chapter; what is on the way is computed first");
    if let Some(goal) = goal {
        sandbox.go_to_chapter(goal);
    }
}

fn bar(ui: &mut Ui, sandbox: &mut Sandbox, shown: &Shown, end: f32) {
    let room = end - ui.next_widget_position().x;
    let size = vec2(room.max(40.0), BAR_HEIGHT);
    let (response, painter) = ui.allocate_painter(size, Sense::click_and_drag());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Other, true, "Time line"));
    let area = response.rect.shrink2(vec2(8.0, 0.0));
    let ruler = Ruler {
        left: area.left(),
        right: area.right(),
        end_hours: sandbox.span_hours().max(1e-6),
    };
    let y = area.top() + LINE_AT;
    let colours = theme::colours(ui);
    let line = |from: f64, to: f64, height: f32| {
        Rect::from_min_max(
            pos2(ruler.x(from), y - height * 0.5),
            pos2(ruler.x(to), y + height * 0.5),
        )
    };
    let past = sandbox.past.clone();
    let now = shown.0.hours;
    let reached = sandbox.reached_hours();
    painter.rect_filled(line(0.0, ruler.end_hours, 6.0), 3.0, colours.box_ground);
    painter.rect_filled(line(0.0, reached, 6.0), 3.0, colours.box_edge);
    painter.rect_filled(line(0.0, now, 6.0), 3.0, colours.lowers);
    for minutes in &past.moments {
        let at = pos2(ruler.x(minutes / 60.0), y);
        painter.circle_filled(at, 1.6, colours.faint_in_diagram);
    }
    for (hours, _) in sandbox.visit.timeline().captions() {
        let x = ruler.x(hours);
        let mark = [pos2(x, y - 9.0), pos2(x, y - 4.0)];
        painter.line_segment(mark, Stroke::new(1.0, colours.box_edge));
    }
    let mut free = f32::NEG_INFINITY;
    for (hours, number, title) in sandbox.visit.timeline().chapters() {
        let x = ruler.x(hours);
        let mark = [pos2(x, y - 14.0), pos2(x, y + 5.0)];
        painter.line_segment(mark, Stroke::new(1.5, colours.faint_in_diagram));
        // Titles that have no room are said by the pointer.
        if x >= free && x + TITLE_ROOM * 0.4 < area.right() {
            let text = chapter_text((number, title));
            let at = pos2(x + 3.0, area.top());
            let font = FontId::proportional(11.0);
            let drawn = painter.text(at, Align2::LEFT_TOP, text, font, colours.faint_in_diagram);
            free = drawn.right() + 8.0;
        }
    }
    for change in sandbox.session.changes.iter() {
        let x = ruler.x(change.minutes / 60.0);
        painter.add(egui::Shape::convex_polygon(
            vec![
                pos2(x - 4.0, y + 11.0),
                pos2(x + 4.0, y + 11.0),
                pos2(x, y + 4.0),
            ],
            colours.raises,
            Stroke::NONE,
        ));
    }
    for bookmark in &sandbox.bookmarks {
        let x = ruler.x(bookmark.minutes / 60.0);
        let colour = if bookmark.branch == past.active {
            colours.in_diagram
        } else {
            colours.idle
        };
        painter.line_segment([pos2(x, y - 15.0), pos2(x, y)], Stroke::new(1.2, colour));
        let flag = vec![pos2(x, y - 15.0), pos2(x + 8.0, y - 12.0), pos2(x, y - 9.0)];
        painter.add(egui::Shape::convex_polygon(flag, colour, Stroke::NONE));
    }
    let handle = pos2(ruler.x(now), y);
    painter.circle_filled(handle, 7.0, colours.lowers);
    painter.circle_stroke(handle, 7.0, Stroke::new(1.5, colours.in_diagram));
    if let Some(goal) = past.goal {
        let at = pos2(ruler.x(goal / 60.0), y);
        painter.circle_stroke(at, 7.0, Stroke::new(1.5, colours.raises));
    }
    point(ui, sandbox, &response, ruler);
}

/// What the pointer does on the line: it says what lies there, and takes the run there.
fn point(ui: &Ui, sandbox: &mut Sandbox, response: &egui::Response, ruler: Ruler) {
    let Some(at) = response.hover_pos().or(response.interact_pointer_pos()) else {
        return;
    };
    let hours = ruler.hours(at.x);
    if response.dragged() {
        // A kept moment is there at once; what lies between is computed when the pointer is let go.
        sandbox.go_near(hours);
    }
    if response.drag_stopped() || response.clicked() {
        sandbox.go_to(hours);
    }
    let reached = sandbox.reached_hours();
    let mut lines = vec![time_text(hours)];
    let timeline = sandbox.visit.timeline();
    if let Some(chapter) = timeline.chapter_at(hours) {
        lines.push(chapter_text(chapter));
    }
    if let Some(caption) = timeline.caption_at(hours) {
        lines.push(caption.to_owned());
    }
    for bookmark in &sandbox.bookmarks {
        if (ruler.x(bookmark.minutes / 60.0) - at.x).abs() < FLAG_REACH {
            lines.push(format!("bookmark {}", bookmark.name));
        }
    }
    if hours > reached {
        lines.push("not computed yet: click to compute up to here".into());
    }
    let _shown = response.clone().on_hover_ui_at_pointer(|ui| {
        for line in &lines {
            ui.label(line);
        }
    });
    let colours = theme::colours(ui);
    let from: Pos2 = pos2(ruler.x(hours), response.rect.top() + LINE_AT - 6.0);
    ui.painter().line_segment(
        [from, from + vec2(0.0, 12.0)],
        Stroke::new(1.0, colours.in_diagram),
    );
}

/// The branches that time has taken, once there are several.
fn branches(ui: &mut Ui, sandbox: &mut Sandbox) {
    let past = sandbox.past.clone();
    if past.branches.len() < 2 {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::faint("Futures"));
        for (number, branch) in past.branches.iter().enumerate() {
            let name = match branch.from {
                None => "as it was".to_owned(),
                Some((_, minutes)) => {
                    format!("{}: changed at {}", number + 1, time_text(minutes / 60.0))
                }
            };
            let button =
                egui::Button::selectable(number == past.active, name).frame_when_inactive(true);
            let tell = |ui: &mut Ui| {
                if branch.changes.is_empty() {
                    ui.label("nothing changed by hand");
                }
                for change in branch.changes.iter() {
                    ui.label(change.text());
                }
            };
            if ui.add(button).on_hover_ui(tell).clicked() {
                sandbox.turn_to(number);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_on_the_line_is_a_time_and_back() {
        let ruler = Ruler {
            left: 100.0,
            right: 500.0,
            end_hours: 80.0,
        };
        for hours in [0.0, 13.0, 80.0] {
            assert!((ruler.hours(ruler.x(hours)) - hours).abs() < 1e-4);
        }
        assert_eq!(ruler.hours(0.0), 0.0);
        assert_eq!(ruler.hours(900.0), 80.0);
    }
}
