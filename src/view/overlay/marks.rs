//! Labels on the picture itself: what the contour lines of a field plane stand for.

use bevy::prelude::*;
use bevy_egui::egui::{Rect, pos2, vec2};

use super::pen::Pen;
use super::words::{number_text, pretty};
use crate::simulation::SiteSnapshot;
use crate::view::camera::projected;
use crate::view::cells::tissue_ball;
use crate::view::palette::Scale;
use crate::view::slice::{lies_on_cut, place_where};
use crate::view::{ViewCamera, ViewSettings};

/// Lowest picture that is labelled, points: in a smaller one a label hides what it stands for.
const LEAST_HEIGHT: f32 = 300.0;
/// Size of the letters.
const LETTERS: f32 = 13.0;
/// Where around the tissue a label is looked for, degrees, the best place first: beside the middle, off the axes along which
/// other texts stand.
const TURNS_DEG: [f32; 12] = [
    40.0, 140.0, 25.0, 155.0, 60.0, 120.0, 5.0, 175.0, -25.0, 205.0, 80.0, 100.0,
];

/// Writes its level on each contour line that lies open on a cut, where there is room beside what is already written.
pub(super) fn label_contours(
    pen: &Pen,
    screen: Rect,
    area: Rect,
    site: &SiteSnapshot,
    settings: &ViewSettings,
    camera: &ViewCamera,
    scale: &Scale,
) {
    let Some(slice) = &settings.look.slice else {
        return;
    };
    let Some(field) = site.field(&slice.molecule) else {
        return;
    };
    if !lies_on_cut(&settings.look) || screen.height() < LEAST_HEIGHT {
        return;
    }
    let middle = tissue_ball(site).truncate();
    let size = Vec2::new(screen.width(), screen.height());
    let mut taken = pen.taken();
    let is_inside = |level: &&f32| **level > scale.min && **level < scale.max;
    for (number, level) in scale.contours.iter().filter(is_inside).enumerate() {
        let unit = pretty(&scale.unit);
        let text = format!("{} {unit}", number_text(*level));
        let letters = pen.label_size(text.trim(), LETTERS);
        let place = |turn: &f32| {
            let turn = turn + 14.0 * number as f32;
            let at = place_where(field, slice, middle, turn.to_radians(), *level)?;
            let (at, _) = projected(camera, at, size)?;
            let at = pos2(screen.min.x + at.x, screen.min.y + at.y);
            let rect = Rect::from_center_size(at, letters);
            let room = rect.expand2(vec2(6.0, 4.0) * pen.scale);
            let is_free = taken.iter().all(|other: &Rect| !other.intersects(room));
            (area.contains_rect(rect) && is_free).then_some(rect)
        };
        if let Some(rect) = TURNS_DEG.iter().find_map(place) {
            taken.push(rect);
            pen.label(rect, text.trim(), LETTERS);
        }
    }
}
