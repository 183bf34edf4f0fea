//! What is written over the picture: title, caption, tissue time, scale bar, colour bars, legend, figures.
//!
//! Drawn with egui on the lowest layer, so that film and sandbox look alike and panels lie on top. All sizes are in
//! points of a picture 720 points high and scale with the picture, less than in proportion when it gets smaller, so that
//! text stays readable at 640 x 360.

mod pen;
mod words;

use bevy::prelude::*;
use bevy_egui::egui::{LayerId, Painter, Rect};
use bevy_egui::{EguiContexts, EguiPrimaryContextPass};

use crate::cell::{Phase, State};
use crate::scene::ColourBy;
use crate::simulation::{SiteSnapshot, Snapshot};

use super::camera::um_per_pixel;
use super::cells::CellColours;
use super::palette;
use super::slice::slice_scale;
use super::{Shown, ViewCamera, ViewSettings};
use pen::{Entry, Pen};
use words::pretty;
pub use words::{count_text, time_text};

/// What is written over the picture, and which parts of the overlay are drawn.
#[derive(Resource, Clone, Debug, PartialEq)]
pub struct OverlayContent {
    /// Title, upper left; empty for none.
    pub title: String,
    /// Caption in the lower third; empty for none.
    pub caption: String,
    /// How opaque the caption is, 0-1, for fading it in and out.
    pub caption_opacity: f32,
    /// Whether the tissue time is written.
    pub time: bool,
    /// Whether the scale bar is drawn.
    pub scale_bar: bool,
    /// Whether colour bars and legend are drawn.
    pub legend: bool,
    /// Whether the number of cells and other figures are written.
    pub figures: bool,
    /// Further figures: name and value.
    pub more_figures: Vec<(String, String)>,
    /// The part of the picture that is free for the overlay, in points; all of it where `None`.
    pub area: Option<Rect>,
}

impl Default for OverlayContent {
    fn default() -> Self {
        Self {
            title: String::new(),
            caption: String::new(),
            caption_opacity: 1.0,
            time: true,
            scale_bar: true,
            legend: true,
            figures: true,
            more_figures: Vec::new(),
            area: None,
        }
    }
}

impl OverlayContent {
    /// An overlay that draws nothing.
    pub fn nothing() -> Self {
        Self {
            time: false,
            scale_bar: false,
            legend: false,
            figures: false,
            ..Self::default()
        }
    }
}

/// The systems that draw the overlay; panels that narrow [`OverlayContent::area`] run before.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OverlaySystems;

/// Columns of the measurements that are written as figures, if a snapshot has them: column, name, unit, digits.
const FIGURES: [(&str, &str, &str, usize); 4] = [
    ("tumour_radius_um", "tumour radius", "um", 0),
    ("necrotic_radius_um", "necrotic radius", "um", 0),
    ("hypoxic_fraction", "hypoxic fraction", "", 2),
    ("oxygen_min_mmhg", "lowest oxygen", "mmHg", 1),
];

/// Types, phases and states that occur, with their colours and numbers.
fn legend_entries(snapshot: &Snapshot, site: &SiteSnapshot, colour_by: ColourBy) -> Vec<Entry> {
    let cells = &site.cells;
    let mut types = vec![0_usize; snapshot.cell_types.len()];
    let mut phases = [0_usize; Phase::ALL.len()];
    let mut states = [0_usize; State::ALL.len()];
    for (i, state) in cells.state.iter().enumerate() {
        states[*state as usize] += 1;
        if *state == State::Alive {
            if let Some(slot) = cells
                .cell_type
                .get(i)
                .and_then(|kind| types.get_mut(usize::from(*kind)))
            {
                *slot += 1;
            }
            if let Some(phase) = cells.phase.get(i) {
                phases[*phase as usize] += 1;
            }
        }
    }
    let mut entries = Vec::new();
    match colour_by {
        ColourBy::Type => {
            for (style, count) in snapshot.cell_types.iter().zip(types) {
                entries.push(Entry {
                    colour: style.colour,
                    text: style.name.replace('_', " "),
                    count,
                });
            }
        }
        ColourBy::Phase => {
            for (phase, count) in Phase::ALL.into_iter().zip(phases) {
                entries.push(Entry {
                    colour: palette::phase(phase),
                    text: phase.label().to_owned(),
                    count,
                });
            }
        }
        ColourBy::Oxygen | ColourBy::Hif => {}
    }
    if colour_by != ColourBy::Oxygen {
        for (state, count) in State::ALL.into_iter().zip(states) {
            if let Some(colour) = palette::state(state) {
                entries.push(Entry {
                    colour,
                    text: state.label().to_owned(),
                    count,
                });
            }
        }
    }
    entries.retain(|entry| entry.count > 0);
    entries
}

/// The figures a snapshot can give.
fn figures_of(site: &SiteSnapshot, content: &OverlayContent) -> Vec<(String, String)> {
    let mut figures = vec![("cells".to_owned(), count_text(site.cells.len()))];
    for (column, name, unit, digits) in FIGURES {
        if let Some(value) = site.metrics.get(column).filter(|value| value.is_finite()) {
            let gap = if unit.is_empty() { "" } else { " " };
            figures.push((
                name.to_owned(),
                format!("{value:.digits$}{gap}{}", pretty(unit)),
            ));
        }
    }
    figures.extend(content.more_figures.iter().cloned());
    figures
}

/// How much larger than in the design everything is drawn in a picture of this height.
fn design_scale(height: f32) -> f32 {
    let ratio = (height / 720.0).max(0.05);
    if ratio >= 1.0 { ratio } else { ratio.sqrt() }
}

/// Draws the whole overlay with a painter over a picture of `screen` points.
pub fn draw_overlay(
    painter: &Painter,
    screen: Rect,
    content: &OverlayContent,
    snapshot: &Snapshot,
    settings: &ViewSettings,
    camera: &ViewCamera,
) {
    let whole = content.area.unwrap_or(screen);
    let scale = design_scale(whole.height());
    let pen = Pen { painter, scale };
    let area = whole.shrink(24.0 * scale);

    let time = content.time.then(|| time_text(snapshot.hours));
    pen.heading(area, &content.title, time.as_deref());
    if content.scale_bar {
        pen.scale_bar(area, um_per_pixel(&camera.pose, screen.height()));
    }
    if let Some(site) = snapshot.sites.get(settings.site) {
        if content.figures {
            pen.figures(area, &figures_of(site, content));
        }
        if content.legend {
            let colour_by = settings.look.colour_by;
            let mut corner = area.max;
            corner.y = pen.legend(corner, &legend_entries(snapshot, site, colour_by));
            let of_cells = CellColours::new(snapshot, site, colour_by).scale().cloned();
            let of_field = slice_scale(site, settings);
            if let Some(scale) = &of_field {
                corner.x = pen.colour_bar(corner, scale);
            }
            if let Some(scale) = of_cells.filter(|scale| of_field.as_ref() != Some(scale)) {
                pen.colour_bar(corner, &scale);
            }
        }
    }
    pen.caption(area, &content.caption, content.caption_opacity);
}

fn show_overlay(
    mut contexts: EguiContexts,
    content: Res<OverlayContent>,
    shown: Res<Shown>,
    settings: Res<ViewSettings>,
    camera: Res<ViewCamera>,
) -> Result {
    let ctx = contexts.ctx_mut()?;
    let painter = ctx.layer_painter(LayerId::background());
    draw_overlay(
        &painter,
        ctx.viewport_rect(),
        &content,
        &shown.0,
        &settings,
        &camera,
    );
    Ok(())
}

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<OverlayContent>()
        .add_systems(EguiPrimaryContextPass, show_overlay.in_set(OverlaySystems));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pictures_get_relatively_larger_letters() {
        assert_eq!(design_scale(720.0), 1.0);
        assert_eq!(design_scale(1440.0), 2.0);
        assert!(design_scale(360.0) > 0.7);
    }
}
