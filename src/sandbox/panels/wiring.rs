//! The wiring of the selected cell: boxes for what its rules read and for what they change, an arrow for each rule with its
//! present strength, and a switch on each.
//!
//! An arrow with a head raises its input, one with a bar lowers it; the more it does, the thicker it is. A switch sets the
//! scale of the rule, an action that is logged like any other.

use bevy_egui::egui::text::{LayoutJob, TextWrapping};
use bevy_egui::egui::{
    self, Align2, Color32, FontId, Pos2, Rect, Sense, Shape, Stroke, Ui, pos2, vec2,
};

use crate::simulation::{Snapshot, Strength, Wiring};

use super::super::state::Sandbox;
use super::super::theme;
use super::inspector::{three_digits, value_text};

/// Height of the place of an arrow at its input, and of a box, points.
const PORT: f32 = 30.0;
const BOX: f32 = 28.0;
/// Free height between two boxes.
const GAP: f32 = 6.0;
/// Widths of the boxes, and of the part in which strengths and switches stand.
const QUANTITY_WIDTH: f32 = 100.0;
const INPUT_WIDTH: f32 = 96.0;
const SWITCH_WIDTH: f32 = 52.0;
/// Radius of a switch.
const SWITCH: f32 = 5.5;
/// Pull, as a logarithm, from which an arrow is as thick as any: eight-fold.
const FULL_PULL: f32 = 2.08;

/// Where things stand, points from the top.
#[derive(Clone, Debug, Default, PartialEq)]
struct Arrangement {
    /// Middle of the box of each quantity.
    quantities: Vec<f32>,
    /// Upper and lower edge of the box of each input.
    inputs: Vec<[f32; 2]>,
    /// Where each arrow ends.
    ports: Vec<f32>,
    height: f32,
}

impl Arrangement {
    /// Inputs in their order from above; quantities so that they stand about where their arrows end.
    fn of(wiring: &Wiring) -> Self {
        let mut found = Self {
            ports: vec![0.0; wiring.arrows.len()],
            ..Self::default()
        };
        let mut y = 0.0;
        for input in 0..wiring.inputs.len() {
            let top = y;
            for (arrow, port) in wiring.arrows.iter().zip(&mut found.ports) {
                if arrow.to == input {
                    *port = y + 0.5 * PORT;
                    y += PORT;
                }
            }
            found.inputs.push([top, y]);
            y += GAP;
        }
        let mean = |quantity: usize| {
            let ends = wiring.arrows.iter().zip(&found.ports);
            let ends: Vec<f32> = ends
                .filter(|(arrow, _)| arrow.from == quantity)
                .map(|(_, port)| *port)
                .collect();
            ends.iter().sum::<f32>() / ends.len().max(1) as f32
        };
        let mut order: Vec<(usize, f32)> = (0..wiring.quantities.len())
            .map(|quantity| (quantity, mean(quantity)))
            .collect();
        order.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        found.quantities = vec![0.0; order.len()];
        let mut free = 0.5 * BOX;
        for (quantity, wanted) in order {
            let middle = wanted.max(free);
            found.quantities[quantity] = middle;
            free = middle + BOX + GAP;
        }
        let lowest = found.quantities.iter().map(|middle| middle + 0.5 * BOX);
        found.height = lowest.fold((y - GAP).max(0.0), f32::max);
        found
    }
}

/// What an arrow does, in few letters.
fn strength_text(strength: Strength) -> String {
    let short = |value: f32| {
        let text = three_digits(value);
        let is_long = text.len() > 5 && !text.contains('e');
        if is_long { format!("{value:.0}") } else { text }
    };
    match strength {
        Strength::Factor(factor) if factor >= 99.5 => format!("×{factor:.0}"),
        Strength::Factor(factor) => format!("×{factor:.2}"),
        // Too little to be seen on any scale.
        Strength::Addend(added) if added.abs() < 5.0e-4 => "+0".to_owned(),
        Strength::Addend(added) if added < 0.0 => format!("−{}", short(-added)),
        Strength::Addend(added) => format!("+{}", short(added)),
        Strength::Off => "off".to_owned(),
        Strength::Unread => "no value".to_owned(),
    }
}

/// A name of the program as people read it: what it is before whose it is, for the room is small.
fn in_words(name: &str) -> String {
    let (of, what) = name.split_once('.').unwrap_or(("", name));
    let words = |part: &str| part.replace(['.', '_'], " ");
    if of.is_empty() {
        words(what)
    } else {
        format!("{} ({})", words(what), words(of))
    }
}

/// Fills its part of the right panel.
pub(super) fn show(ui: &mut Ui, sandbox: &mut Sandbox, snapshot: &Snapshot, selected: Option<u64>) {
    let portrait = snapshot.portrait.as_ref();
    let Some(portrait) = portrait.filter(|portrait| Some(portrait.id) == selected) else {
        return;
    };
    let wiring = &portrait.wiring;
    if wiring.arrows.is_empty() {
        return;
    }
    theme::section(ui, "What drives it", true, |ui| {
        ui.label(theme::faint(
            "Rules of its type: what each reads, what it makes of what. A dot switches one off.",
        ));
        for (path, value) in draw(ui, wiring, |path| sandbox.scale_when_on(path)) {
            sandbox.set_dial(&path, value);
        }
    });
}

/// Draws the diagram and returns the scales that were switched.
fn draw(ui: &mut Ui, wiring: &Wiring, scale_when_on: impl Fn(&str) -> f64) -> Vec<(String, f64)> {
    let arrangement = Arrangement::of(wiring);
    let size = vec2(ui.available_width(), arrangement.height + 2.0);
    let (place, _) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter_at(place.expand(2.0));
    let colours = theme::colours(ui);
    let left = place.min.x + QUANTITY_WIDTH;
    let right = place.max.x - INPUT_WIDTH;
    let at = |x: f32, y: f32| pos2(x, place.min.y + 1.0 + y);

    for (quantity, middle) in wiring.quantities.iter().zip(&arrangement.quantities) {
        let corner = at(place.min.x, middle - 0.5 * BOX);
        let rect = Rect::from_min_size(corner, vec2(QUANTITY_WIDTH, BOX));
        let value = value_text(quantity.value, &quantity.unit);
        labelled_box(&painter, colours, rect, &quantity.label, &value);
        let id = ui.id().with(("quantity", &quantity.name));
        ui.interact(rect, id, Sense::hover())
            .on_hover_text(format!("{}: {value}", quantity.name));
    }
    for (input, [top, bottom]) in wiring.inputs.iter().zip(&arrangement.inputs) {
        let rect = Rect::from_min_max(at(right, top + 1.0), at(place.max.x, bottom - 1.0));
        let value = value_text(input.value, &input.unit);
        labelled_box(&painter, colours, rect, &in_words(&input.name), &value);
        let id = ui.id().with(("input", &input.name));
        ui.interact(rect, id, Sense::hover()).on_hover_text(format!(
            "{}\n{}\nwithout rules {}, now {value}",
            input.name,
            input.about,
            value_text(input.base, &input.unit)
        ));
    }
    let mut switched = Vec::new();
    for (arrow, port) in wiring.arrows.iter().zip(&arrangement.ports) {
        let pull = arrow.strength.pull(wiring.inputs[arrow.to].base);
        let colour = match arrow.strength {
            Strength::Off | Strength::Unread => colours.idle,
            _ if pull > 0.0 => colours.raises,
            _ if pull < 0.0 => colours.lowers,
            _ => colours.idle,
        };
        let width = 1.0 + 2.4 * (pull.abs() / FULL_PULL).min(1.0);
        let from = at(left + 1.0, arrangement.quantities[arrow.from]);
        let end = at(right - 2.0, *port);
        let switch = pos2(right - SWITCH_WIDTH + SWITCH + 2.0, end.y);
        let is_off = arrow.strength == Strength::Off;
        wire(
            &painter,
            from,
            switch - vec2(SWITCH, 0.0),
            Stroke::new(width, colour),
            is_off,
        );
        let line = Stroke::new(width, colour);
        painter.line_segment([switch + vec2(SWITCH, 0.0), end - vec2(5.0, 0.0)], line);
        tip(&painter, end, pull, colour);
        let dot = if is_off { Color32::TRANSPARENT } else { colour };
        painter.circle(switch, SWITCH, dot, Stroke::new(1.5, colour));
        let text = strength_text(arrow.strength);
        let above = pos2(0.5 * (switch.x + SWITCH + end.x), end.y - 8.5);
        let font = FontId::proportional(10.5);
        painter.text(above, Align2::CENTER_CENTER, text, font, colours.in_diagram);
        let reach = Rect::from_min_max(
            pos2(switch.x - SWITCH - 3.0, end.y - 0.5 * PORT),
            pos2(right, end.y + 0.5 * PORT),
        );
        let response = ui.interact(reach, ui.id().with(("switch", &arrow.path)), Sense::click());
        response.widget_info(|| {
            egui::WidgetInfo::selected(egui::WidgetType::Checkbox, true, !is_off, &arrow.path)
        });
        let state = if is_off { "on" } else { "off" };
        let response = response.on_hover_text(format!(
            "{}\n{}\n{}\nSource: {}\nClick to switch it {state}.",
            arrow.path,
            arrow.about,
            law_text(wiring, arrow.from, arrow.to, &arrow.law),
            arrow.source,
        ));
        if response.clicked() {
            let scale = if is_off {
                scale_when_on(&arrow.scale_path)
            } else {
                0.0
            };
            switched.push((arrow.scale_path.clone(), scale));
        }
    }
    switched
}

/// A law in a line.
fn law_text(wiring: &Wiring, from: usize, to: usize, law: &crate::core::rule::Law) -> String {
    let law = ron::to_string(law).unwrap_or_else(|_| format!("{law:?}"));
    format!(
        "{} → {}, {law}",
        wiring.quantities[from].name, wiring.inputs[to].name
    )
}

/// A box with a name and a value, each on a line as far as there is room.
fn labelled_box(
    painter: &egui::Painter,
    colours: &theme::Colours,
    rect: Rect,
    name: &str,
    value: &str,
) {
    painter.rect(
        rect,
        4.0,
        colours.box_ground,
        Stroke::new(1.0, colours.box_edge),
        egui::StrokeKind::Inside,
    );
    let line = |text: &str, size: f32, colour: Color32| {
        let font = FontId::proportional(size);
        let mut job = LayoutJob::simple_singleline(text.to_owned(), font, colour);
        job.wrap = TextWrapping::truncate_at_width(rect.width() - 8.0);
        painter.layout_job(job)
    };
    let name = line(name, 11.5, colours.in_diagram);
    let value = line(value, 10.5, colours.faint_in_diagram);
    let heights = name.size().y + value.size().y;
    let corner = pos2(rect.min.x + 4.0, rect.center().y - 0.5 * heights);
    let below = corner + vec2(0.0, name.size().y);
    painter.galley(corner, name, colours.in_diagram);
    painter.galley(below, value, colours.faint_in_diagram);
}

/// A smooth line from a box to a switch, dashed where it is off.
fn wire(painter: &egui::Painter, from: Pos2, to: Pos2, stroke: Stroke, is_off: bool) {
    let reach = 0.5 * (to.x - from.x);
    let points: Vec<Pos2> = (0..=24)
        .map(|step| {
            let t = step as f32 / 24.0;
            let (a, b) = (from + vec2(reach, 0.0), to - vec2(reach, 0.0));
            let s = 1.0 - t;
            let sum = from.to_vec2() * (s * s * s)
                + a.to_vec2() * (3.0 * s * s * t)
                + b.to_vec2() * (3.0 * s * t * t)
                + to.to_vec2() * (t * t * t);
            sum.to_pos2()
        })
        .collect();
    if is_off {
        painter.extend(Shape::dashed_line(&points, stroke, 4.0, 4.0));
    } else {
        painter.add(Shape::line(points, stroke));
    }
}

/// The end of an arrow: a head where it raises, a bar where it lowers.
fn tip(painter: &egui::Painter, end: Pos2, pull: f32, colour: Color32) {
    if pull < 0.0 {
        let across = [end + vec2(-4.0, -5.0), end + vec2(-4.0, 5.0)];
        painter.line_segment(across, Stroke::new(2.2, colour));
    } else {
        let head = vec![end, end + vec2(-7.0, -4.0), end + vec2(-7.0, 4.0)];
        painter.add(Shape::convex_polygon(head, colour, Stroke::NONE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::rule::Law;
    use crate::simulation::{Arrow, InputNow, QuantityNow};

    /// Arrows from quantities to inputs, by number.
    fn wiring(arrows: &[(usize, usize)]) -> Wiring {
        let last = |end: fn(&(usize, usize)) -> usize| arrows.iter().map(end).max().unwrap_or(0);
        Wiring {
            quantities: (0..=last(|arrow| arrow.0))
                .map(|number| QuantityNow {
                    name: format!("q{number}"),
                    label: format!("q{number}"),
                    unit: String::new(),
                    value: 1.0,
                })
                .collect(),
            inputs: (0..=last(|arrow| arrow.1))
                .map(|number| InputNow {
                    name: format!("i{number}"),
                    about: String::new(),
                    unit: String::new(),
                    base: 1.0,
                    value: 2.0,
                })
                .collect(),
            arrows: arrows
                .iter()
                .map(|(from, to)| Arrow {
                    path: format!("sea.{from}_{to}"),
                    scale_path: format!("sea.rules.{from}_{to}.scale"),
                    scale: 1.0,
                    law: Law::Share,
                    from: *from,
                    to: *to,
                    strength: Strength::Factor(2.0),
                    about: String::new(),
                    source: String::new(),
                })
                .collect(),
        }
    }

    #[test]
    fn no_two_boxes_and_no_two_arrow_ends_share_a_place() {
        let wiring = wiring(&[
            (0, 0),
            (1, 0),
            (2, 0),
            (0, 1),
            (3, 2),
            (4, 2),
            (5, 2),
            (0, 3),
        ]);
        let found = Arrangement::of(&wiring);
        let mut middles = found.quantities.clone();
        middles.sort_by(f32::total_cmp);
        assert!(middles.windows(2).all(|pair| pair[1] - pair[0] >= BOX));
        assert!(found.inputs.windows(2).all(|pair| pair[1][0] >= pair[0][1]));
        let mut ports = found.ports.clone();
        ports.sort_by(f32::total_cmp);
        assert!(ports.windows(2).all(|pair| pair[1] - pair[0] >= PORT));
        for (arrow, port) in wiring.arrows.iter().zip(&found.ports) {
            let [top, bottom] = found.inputs[arrow.to];
            assert!((top..bottom).contains(port));
        }
        let lowest = middles.last().expect("there are some") + 0.5 * BOX;
        assert!(found.height >= lowest && found.height >= found.inputs[3][1]);
    }

    #[test]
    fn a_click_on_a_switch_asks_for_the_other_scale() {
        let mut wiring = wiring(&[(0, 0), (1, 1)]);
        wiring.arrows[1].strength = Strength::Off;
        let click = |port: usize| {
            let ctx = egui::Context::default();
            let mut found = Vec::new();
            let spot = pos2(
                300.0 - INPUT_WIDTH - SWITCH_WIDTH + SWITCH + 2.0,
                1.0 + Arrangement::of(&wiring).ports[port],
            );
            let button = |pressed| egui::Event::PointerButton {
                pos: spot,
                button: egui::PointerButton::Primary,
                pressed,
                modifiers: egui::Modifiers::NONE,
            };
            let passes = [
                vec![],
                vec![egui::Event::PointerMoved(spot)],
                vec![button(true)],
                vec![button(false)],
            ];
            for events in passes {
                let input = egui::RawInput {
                    screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(300.0, 400.0))),
                    events,
                    ..egui::RawInput::default()
                };
                let _ = ctx.run_ui(input, |ui| {
                    let layer = egui::LayerId::background();
                    let whole = egui::UiBuilder::new()
                        .layer_id(layer)
                        .max_rect(Rect::from_min_size(Pos2::ZERO, vec2(300.0, 400.0)));
                    let mut inner = egui::Ui::new(ui.ctx().clone(), "diagram".into(), whole);
                    found.extend(draw(&mut inner, &wiring, |_| 0.75));
                });
            }
            found
        };
        assert_eq!(click(0), [("sea.rules.0_0.scale".to_owned(), 0.0)]);
        assert_eq!(click(1), [("sea.rules.1_1.scale".to_owned(), 0.75)]);
    }

    #[test]
    fn strengths_are_short() {
        let texts = [
            Strength::Factor(4.7),
            Strength::Factor(123.0),
            Strength::Addend(-0.25),
            Strength::Off,
        ]
        .map(strength_text);
        assert_eq!(texts, ["×4.70", "×123", "−0.250", "off"]);
        assert_eq!(strength_text(Strength::Addend(4.0e-5)), "+0");
        let words = ["exchange.vegf_a", "speed"].map(in_words);
        assert_eq!(words, ["vegf a (exchange)", "speed"]);
    }
}
