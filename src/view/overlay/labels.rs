//! Words that point at places of the picture: labels of a scene, name plates of its sites.

use bevy::prelude::Vec3;
use bevy_egui::egui::{CornerRadius, Pos2, Rect, Stroke, Vec2, pos2, vec2};

use super::pen::Pen;
use crate::scene::{Label, Target};
use crate::simulation::Snapshot;
use crate::view::ViewCamera;
use crate::view::camera::projected;

/// Size of the letters of a label.
const LETTERS: f32 = 15.0;
/// Radius of the ring around what a label points at, in units of the design.
const RING: f32 = 9.0;
/// How far from its place the middle of a label may lie, in units of the design, nearest first.
const REACH: [f32; 6] = [44.0, 62.0, 86.0, 118.0, 160.0, 220.0];
/// In which directions it is looked for, degrees from right towards up, the best first.
const TURNS_DEG: [f32; 12] = [
    40.0, 140.0, 65.0, 115.0, 15.0, 165.0, 90.0, -30.0, -150.0, -60.0, -120.0, -90.0,
];

/// What a run before the film has found of what a label points at.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Foreseen {
    /// Nothing: it is found in each picture, or not at all.
    #[default]
    Nothing,
    /// The place of its event, on the stage, um.
    Place(Vec3),
    /// The cells from which its cell descends, the oldest first, and itself.
    Line(Vec<u64>),
}

/// A word and the place it points at.
#[derive(Clone, Debug, PartialEq)]
pub struct Pointer {
    /// What is there.
    pub text: String,
    /// Where, in the coordinates of the picture, um.
    pub place_um: Vec3,
}

impl Pointer {
    /// What a label points at in a snapshot drawn as the site with the index `drawn`, where that or what is foreseen of it is there.
    pub fn of(
        label: &Label,
        snapshot: &Snapshot,
        drawn: usize,
        foreseen: &Foreseen,
    ) -> Option<Self> {
        let place = match &label.at {
            None => snapshot.place_um(snapshot.stage.focus, drawn),
            Some(Target::Stage) => Vec3::ZERO,
            Some(Target::Site(name)) => {
                let index = snapshot.sites.iter().position(|site| site.name == *name)?;
                snapshot.place_um(index, drawn)
            }
            Some(Target::Cell(id)) => snapshot.site(drawn)?.place_of_cell(*id)?,
            Some(Target::Event { .. } | Target::ForebearOf { .. }) => match foreseen {
                Foreseen::Nothing => return None,
                Foreseen::Place(place) => *place,
                Foreseen::Line(line) => {
                    let site = snapshot.site(drawn)?;
                    let mut latest = line.iter().rev();
                    latest.find_map(|id| site.place_of_cell(*id))?
                }
            },
        };
        Some(Self {
            text: label.text.clone(),
            place_um: place + Vec3::from(label.off_um),
        })
    }
}

/// Whether a rectangle keeps clear of others by some distance.
pub(super) fn is_clear(rect: Rect, taken: &[Rect], gap: f32) -> bool {
    let room = rect.expand(gap);
    taken.iter().all(|other| !other.intersects(room))
}

/// The place nearest to the wanted one that lies in an area and keeps clear of others; none where there is no room at all.
pub(super) fn nearest_clear(wanted: Rect, area: Rect, taken: &[Rect], gap: f32) -> Option<Rect> {
    if area.width() < wanted.width() || area.height() < wanted.height() {
        return None;
    }
    let inside = |rect: Rect| {
        let most = area.max - rect.size();
        let corner = pos2(
            rect.min.x.clamp(area.min.x, most.x),
            rect.min.y.clamp(area.min.y, most.y),
        );
        Rect::from_min_size(corner, rect.size())
    };
    let step = 0.5 * wanted.height().max(1.0);
    let rings = (area.size().length() / step).ceil() as usize;
    (0..=rings).find_map(|ring| {
        let turns = (6 * ring).max(1);
        let places = (0..turns).map(|turn| {
            let angle = turn as f32 / turns as f32 * std::f32::consts::TAU;
            let (sin, cos) = bevy::math::ops::sin_cos(angle);
            inside(wanted.translate(vec2(cos, -sin) * (ring as f32 * step)))
        });
        let mut places = places.filter(|rect| is_clear(*rect, taken, gap));
        places.next()
    })
}

/// Writes labels beside what they point at, each where there is room, with a line and a ring.
pub(super) fn draw(pen: &Pen, screen: Rect, area: Rect, labels: &[Pointer], camera: &ViewCamera) {
    let size = bevy::math::Vec2::new(screen.width(), screen.height());
    for label in labels {
        let Some((at, _)) = projected(camera, label.place_um, size) else {
            continue;
        };
        let at = screen.min + vec2(at.x, at.y);
        if !area.contains(at) {
            continue;
        }
        let letters = pen.label_size(&label.text, LETTERS);
        let taken = pen.taken();
        let mut tried = REACH.iter().flat_map(|reach| {
            TURNS_DEG.iter().map(move |turn| {
                let (sin, cos) = bevy::math::ops::sin_cos(turn.to_radians());
                let off = vec2(
                    cos * (0.5 * letters.x + reach * pen.scale),
                    -sin * reach * pen.scale,
                );
                Rect::from_center_size(at + off, letters)
            })
        });
        let gap = 4.0 * pen.scale;
        let fits = |rect: &Rect| area.contains_rect(*rect) && is_clear(*rect, &taken, gap);
        let beside = tried.find(fits);
        let rect = beside.or_else(|| {
            let over = Rect::from_center_size(at - vec2(0.0, REACH[0] * pen.scale), letters);
            nearest_clear(over, area, &taken, gap)
        });
        let Some(rect) = rect else { continue };
        let ring = RING * pen.scale;
        let end = nearest_point(rect, at);
        let way = end - at;
        let start = at + way.normalized() * ring;
        pen.pointing_line(&[start, end]);
        pen.pointing_ring(at, ring);
        pen.label(rect, &label.text, LETTERS);
    }
}

/// The place of a rectangle that lies nearest to another.
pub(super) fn nearest_point(rect: Rect, to: Pos2) -> Pos2 {
    pos2(
        to.x.clamp(rect.min.x, rect.max.x),
        to.y.clamp(rect.min.y, rect.max.y),
    )
}

impl Pen<'_> {
    /// A line that is seen on light and on dark.
    pub(super) fn pointing_line(&self, ends: &[Pos2; 2]) {
        let k = self.scale;
        self.painter
            .line_segment(*ends, Stroke::new(3.4 * k, self.inks.plate));
        self.painter
            .line_segment(*ends, Stroke::new(1.5 * k, self.inks.ink));
    }

    fn pointing_ring(&self, at: Pos2, radius: f32) {
        let k = self.scale;
        self.painter
            .circle_stroke(at, radius, Stroke::new(3.6 * k, self.inks.plate));
        self.painter
            .circle_stroke(at, radius, Stroke::new(1.7 * k, self.inks.ink));
    }

    /// Size of a word with a little ground around it.
    pub(super) fn label_size(&self, text: &str, letters: f32) -> Vec2 {
        self.wrapped(text, letters, f32::INFINITY) + vec2(10.0, 2.0) * self.scale
    }

    /// A word on a ground of its own.
    pub(super) fn label(&self, rect: Rect, text: &str, letters: f32) {
        self.plates.borrow_mut().push(rect);
        let corner = CornerRadius::same((4.0 * self.scale) as u8);
        self.painter.rect_filled(rect, corner, self.inks.plate);
        let ink = self.inks.ink;
        self.text(
            rect.center(),
            bevy_egui::egui::Align2::CENTER_CENTER,
            text,
            letters,
            ink,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_collides_is_moved_to_the_nearest_free_place_and_stays_in_the_picture() {
        let area = Rect::from_min_size(Pos2::ZERO, vec2(300.0, 200.0));
        let wanted = Rect::from_min_size(pos2(100.0, 50.0), vec2(60.0, 20.0));
        assert_eq!(nearest_clear(wanted, area, &[], 4.0), Some(wanted));
        let mut taken = vec![wanted];
        for _ in 0..8 {
            let found = nearest_clear(wanted, area, &taken, 4.0).expect("there is room");
            assert!(area.contains_rect(found) && is_clear(found, &taken, 4.0));
            assert!(found.center().distance(wanted.center()) < 140.0);
            taken.push(found);
        }
        let outside = wanted.translate(vec2(-300.0, 0.0));
        let found = nearest_clear(outside, area, &[], 4.0).expect("there is room");
        assert_eq!(found.min, pos2(0.0, 50.0));
        assert_eq!(nearest_clear(wanted, area, &[area], 4.0), None);
    }
}
