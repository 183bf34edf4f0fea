//! The causes of a scene over the darkened picture: its words on plates, and the arrows between them, those that the film has shown
//! bright, the others faint, those that a treatment weakens grey, those of deleted rules cut.

use bevy_egui::egui::{Align2, Color32, CornerRadius, Pos2, Rect, Shape, Stroke, Vec2, pos2, vec2};

use super::pen::{PAD, Pen};
use crate::scene::causes::CauseArrow;
use crate::scene::{Scene, Timeline};

/// Size of the letters of heading, words and notes, in units of the design.
const HEADING: f32 = 26.0;
const WORDS: f32 = 17.0;
const NOTES: f32 = 15.0;
/// Room between an arrow and the plates it joins, in units of the design.
const GAP: f32 = 5.0;
/// Length and half the width of the head of an arrow, in units of the design.
const HEAD: Vec2 = vec2(11.0, 5.5);
/// Least size of letters, in sizes as designed.
const SMALLEST: f32 = 0.25;
/// What stands on an arrow of which a rule is deleted.
const CUT: &str = "cut";
/// What the signs mean.
const SIGNS: &str = "→ drives   ⊣ holds back";

/// Causes as they are drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CauseDiagram {
    /// Its heading.
    pub heading: String,
    /// What stands below.
    pub note: String,
    /// Its words, with column and row.
    pub words: Vec<(String, [f32; 2])>,
    /// Its arrows.
    pub arrows: Vec<CauseLine>,
}

/// An arrow as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct CauseLine {
    /// The places of the words that it joins, among those of the diagram.
    pub ends: [usize; 2],
    /// Whether it holds back.
    pub holds_back: bool,
    /// How far it is so.
    pub state: CauseState,
}

/// How far an arrow has been told, and holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CauseState {
    /// The film has not come to it.
    Ahead,
    /// It has been shown.
    Shown,
    /// It has been shown, and this weakens it.
    WeakenedBy(String),
    /// A rule that stands for it is deleted.
    Cut,
}

impl CauseDiagram {
    /// The causes of a scene as its timeline shows them at this time, hours; nothing where it does not.
    pub fn at(scene: &Scene, timeline: &Timeline, hours: f64) -> Option<Self> {
        let (heading, note) = timeline.causes_at(hours)?;
        let shown = timeline.arrows_until(hours);
        let causes = &scene.causes;
        let place = |word: &String| causes.words.keys().position(|known| known == word);
        let beside = scene.recording.beside.as_ref();
        let has_arm = beside.is_some_and(|beside| hours >= beside.from.hours());
        let state = |arrow: &CauseArrow| {
            if scene.is_cut(arrow, timeline, hours) {
                CauseState::Cut
            } else if !shown.contains(&(arrow.from.as_str(), arrow.to.as_str())) {
                CauseState::Ahead
            } else {
                let weakened_by = arrow.weakened_by.clone().filter(|_| has_arm);
                weakened_by.map_or(CauseState::Shown, CauseState::WeakenedBy)
            }
        };
        let arrows = causes.arrows.iter().filter_map(|arrow| {
            Some(CauseLine {
                ends: [place(&arrow.from)?, place(&arrow.to)?],
                holds_back: arrow.holds_back,
                state: state(arrow),
            })
        });
        let words = causes.words.iter();
        Some(Self {
            heading: heading.to_owned(),
            note: note.to_owned(),
            arrows: arrows.collect(),
            words: words
                .map(|(word, (column, row))| (word.clone(), [*column, *row]))
                .collect(),
        })
    }
}

/// Where everything of a diagram lies.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct CausePlaces {
    /// Size of letters, in sizes as designed.
    pub fits: f32,
    /// The plates of the words.
    pub plates: Vec<Rect>,
    /// Both ends of each arrow.
    pub arrows: Vec<[Pos2; 2]>,
}

impl Pen<'_> {
    /// Finds places for a diagram in `area`: letters are as large as no two words touch.
    pub(super) fn place_causes(&self, area: Rect, diagram: &CauseDiagram) -> CausePlaces {
        let mut fits = 1.0;
        loop {
            let plates = self.plates_of_causes(area, diagram, fits);
            let gap = 2.0 * GAP * fits * self.scale;
            let is_apart = plates.iter().enumerate().all(|(index, plate)| {
                let others = &plates[..index];
                others
                    .iter()
                    .all(|other| !other.expand(gap).intersects(*plate))
            });
            if is_apart || fits <= SMALLEST {
                let ends = |line: &CauseLine| {
                    let [from, to] = line
                        .ends
                        .map(|end| plates[end].expand(GAP * fits * self.scale));
                    [edge(from, to.center()), edge(to, from.center())]
                };
                let arrows = diagram.arrows.iter().map(ends).collect();
                return CausePlaces {
                    fits,
                    plates,
                    arrows,
                };
            }
            fits *= 0.94;
        }
    }

    fn plates_of_causes(&self, area: Rect, diagram: &CauseDiagram, fits: f32) -> Vec<Rect> {
        let k = self.scale * fits;
        let room = vec2(2.0 * PAD, PAD) * k;
        let sizes: Vec<Vec2> = diagram
            .words
            .iter()
            .map(|(word, _)| self.wrapped(word, WORDS * fits, f32::INFINITY) + room)
            .collect();
        let widest = sizes.iter().fold(Vec2::ZERO, |most, size| most.max(*size));
        let mut inside = area;
        inside.min.y += 2.0 * HEADING * self.scale;
        inside.max.y -= 2.5 * NOTES * self.scale;
        let inside = inside.shrink2(0.5 * widest);
        let bounds = |of: fn(f32, f32) -> f32, from: f32| {
            let of_all = |axis: usize| {
                let at = diagram.words.iter().map(|(_, place)| place[axis]);
                at.fold(from, of)
            };
            [of_all(0), of_all(1)]
        };
        let (least, most) = (
            bounds(f32::min, f32::INFINITY),
            bounds(f32::max, f32::NEG_INFINITY),
        );
        let share = |place: &[f32; 2], axis: usize| {
            let span = most[axis] - least[axis];
            if span > 0.0 {
                (place[axis] - least[axis]) / span
            } else {
                0.5
            }
        };
        // Columns are rows where the picture is higher than wide.
        let (x, y) = if area.height() > area.width() {
            (1, 0)
        } else {
            (0, 1)
        };
        let places = diagram.words.iter().zip(sizes).map(|((_, place), size)| {
            let at = inside.min + vec2(share(place, x), share(place, y)) * inside.size();
            Rect::from_center_size(at, size)
        });
        places.collect()
    }

    /// Draws a diagram over a picture of `screen` points.
    pub(super) fn causes(&self, screen: Rect, area: Rect, diagram: &CauseDiagram) {
        let ground = self.inks.plate;
        self.painter.rect_filled(screen, CornerRadius::ZERO, ground);
        let places = self.place_causes(area, diagram);
        let fits = places.fits;
        let (ink, accent, faint) = (self.inks.ink, self.inks.accent, self.inks.faint);
        // Both lines are as large as fit.
        let as_fits = |text: &str, letters: f32| {
            let width = self.width(text, letters);
            letters * (area.width() / width.max(1.0)).min(1.0)
        };
        let heading = &diagram.heading;
        let letters = as_fits(heading, HEADING);
        self.text(area.min, Align2::LEFT_TOP, heading, letters, accent);
        let below = [diagram.note.as_str(), SIGNS].join("   ");
        let letters = as_fits(below.trim(), NOTES);
        let corner = area.left_bottom();
        self.text(corner, Align2::LEFT_BOTTOM, below.trim(), letters, faint);
        for (line, ends) in diagram.arrows.iter().zip(&places.arrows) {
            let colour = match line.state {
                CauseState::Shown if line.holds_back => accent,
                CauseState::Shown => ink,
                CauseState::WeakenedBy(_) => self.inks.line,
                CauseState::Ahead | CauseState::Cut => self.inks.line.gamma_multiply(0.4),
            };
            self.cause_line(*ends, line.holds_back, colour, fits);
        }
        for (index, plate) in places.plates.iter().enumerate() {
            let of_word = |line: &&CauseLine| line.ends.contains(&index);
            let mut lines = diagram.arrows.iter().filter(of_word);
            let is_shown = lines.any(|line| line.state != CauseState::Ahead);
            let colour = if is_shown { ink } else { self.inks.line };
            let corner = CornerRadius::same((5.0 * self.scale) as u8);
            let rim = Stroke::new(1.2 * self.scale * fits, self.inks.line);
            self.painter.rect_filled(*plate, corner, ground.to_opaque());
            self.painter
                .rect_stroke(*plate, corner, rim, bevy_egui::egui::StrokeKind::Inside);
            let word = &diagram.words[index].0;
            self.text(
                plate.center(),
                Align2::CENTER_CENTER,
                word,
                WORDS * fits,
                colour,
            );
        }
        for (line, [from, to]) in diagram.arrows.iter().zip(&places.arrows) {
            let beside = match &line.state {
                CauseState::WeakenedBy(what) => what.as_str(),
                CauseState::Cut => CUT,
                CauseState::Ahead | CauseState::Shown => continue,
            };
            let size = self.label_size(beside, NOTES * fits);
            let rect = Rect::from_center_size(from.lerp(*to, 0.5), size);
            self.label(rect, beside, NOTES * fits);
        }
    }

    /// An arrow from one place to another: a head for one that drives, a bar for one that holds back.
    fn cause_line(&self, [from, to]: [Pos2; 2], holds_back: bool, colour: Color32, fits: f32) {
        let k = self.scale * fits;
        let along = (to - from).normalized();
        let across = along.rot90();
        let stroke = Stroke::new(1.8 * k, colour);
        if holds_back {
            let bar = across * HEAD.y * 1.3 * k;
            self.painter.line_segment([from, to], stroke);
            let stroke = Stroke::new(3.0 * k, colour);
            self.painter.line_segment([to - bar, to + bar], stroke);
        } else {
            let neck = to - along * HEAD.x * k;
            let side = across * HEAD.y * k;
            self.painter.line_segment([from, neck], stroke);
            let head = vec![to, neck + side, neck - side];
            self.painter
                .add(Shape::convex_polygon(head, colour, Stroke::NONE));
        }
    }
}

/// Where the way from the middle of a rectangle to a place leaves it.
fn edge(rect: Rect, towards: Pos2) -> Pos2 {
    let way = towards - rect.center();
    let half = 0.5 * rect.size();
    let reach = |half: f32, way: f32| half / way.abs().max(1e-6);
    let share = reach(half.x, way.x).min(reach(half.y, way.y)).min(1.0);
    pos2(
        rect.center().x + share * way.x,
        rect.center().y + share * way.y,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_leaves_a_rectangle_at_its_edge() {
        let rect = Rect::from_center_size(pos2(10.0, 10.0), vec2(20.0, 10.0));
        assert_eq!(edge(rect, pos2(110.0, 10.0)), pos2(20.0, 10.0));
        assert_eq!(edge(rect, pos2(10.0, -90.0)), pos2(10.0, 5.0));
        assert_eq!(edge(rect, pos2(30.0, 20.0)), pos2(20.0, 15.0));
    }
}
