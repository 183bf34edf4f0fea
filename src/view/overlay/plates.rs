//! Name plates: which site is which, where several stand on one stage.

use bevy::prelude::*;
use bevy_egui::egui::{Rect, pos2, vec2};

use super::pen::Pen;
use super::words::capitalised;
use crate::simulation::Snapshot;
use crate::view::camera::projected;
use crate::view::{ViewCamera, ViewSettings};

/// Size of the letters.
const LETTERS: f32 = 17.0;

/// Writes the name of each site above its block, nearest first; a name that has no place beside the other texts is left out.
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
    let mut plates: Vec<(f32, Rect, String)> = Vec::new();
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
        let at = screen.min + vec2(at.x, at.y - 8.0 * pen.scale);
        let rect = Rect::from_min_size(pos2(at.x - 0.5 * letters.x, at.y - letters.y), letters);
        if area.contains_rect(rect) {
            plates.push((depth, rect, text));
        }
    }
    plates.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
    let mut taken = pen.taken();
    for (_, rect, text) in plates {
        let wide = rect.expand(6.0 * pen.scale);
        if taken.iter().any(|other| other.intersects(wide)) {
            continue;
        }
        taken.push(wide);
        pen.label(rect, &text, LETTERS);
    }
}
