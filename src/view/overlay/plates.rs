//! Name plates: which site is which, where several stand on one stage.

use bevy::prelude::*;
use bevy_egui::egui::{Pos2, Rect, vec2};

use super::labels::{nearest_clear, nearest_point};
use super::pen::Pen;
use super::words::capitalised;
use crate::simulation::Snapshot;
use crate::view::camera::projected;
use crate::view::{ViewCamera, ViewSettings};

/// Size of the letters.
const LETTERS: f32 = 17.0;

/// Writes the name of each site above its block, nearest first; a name whose place is taken is moved to where there is room,
/// with a line to its block.
pub(super) fn draw(
    pen: &Pen,
    screen: Rect,
    area: Rect,
    snapshot: &Snapshot,
    settings: &ViewSettings,
    camera: &ViewCamera,
) {
    let sites = snapshot.sites_in(settings.site);
    if sites.len() < 2 {
        return;
    }
    let size = Vec2::new(screen.width(), screen.height());
    let mut plates: Vec<(f32, Rect, Pos2, String)> = Vec::new();
    for index in sites {
        let Some(site) = snapshot.sites.get(index) else {
            continue;
        };
        let place = snapshot.place_um(index, settings.site);
        // Above the middle of the upper face.
        let mut top = 0.5 * (site.min_um + site.max_um);
        top.z = site.max_um.z;
        let Some((at, depth)) = projected(camera, top + place, size) else {
            continue;
        };
        let text = capitalised(&site.name.replace('_', " "));
        let letters = pen.label_size(&text, LETTERS);
        let top = screen.min + vec2(at.x, at.y);
        let over = top - vec2(0.0, 8.0 * pen.scale + 0.5 * letters.y);
        if area.contains(top) {
            plates.push((depth, Rect::from_center_size(over, letters), top, text));
        }
    }
    plates.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
    let gap = 6.0 * pen.scale;
    for (_, wanted, top, text) in plates {
        let Some(rect) = nearest_clear(wanted, area, &pen.taken(), gap) else {
            continue;
        };
        if rect.center().distance(wanted.center()) > 1.2 * rect.height() {
            pen.pointing_line(&[nearest_point(rect, top), top]);
        }
        pen.label(rect, &text, LETTERS);
    }
}
