//! The letters of film and window: DejaVu Sans Condensed (`assets/fonts`, with its licence), which has Greek, arrows,
//! superscripts and subscripts. A letter that it lacks is looked for in the fonts that come with egui; one that nobody
//! has is drawn as an empty box, so that it is seen to be missing.

use std::sync::Arc;

use bevy::prelude::*;
use bevy_egui::egui::{Context, FontData, FontDefinitions, FontFamily};
use bevy_egui::{EguiContexts, EguiPrimaryContextPass};

use super::OverlaySystems;

const NAME: &str = "DejaVu Sans Condensed";
const DATA: &[u8] = include_bytes!("../../../assets/fonts/DejaVuSansCondensed.ttf");

/// The fonts, in the order in which letters are looked for.
pub fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    fonts
        .font_data
        .insert(NAME.to_owned(), Arc::new(FontData::from_static(DATA)));
    fonts
        .families
        .entry(FontFamily::Proportional)
        .or_default()
        .insert(0, NAME.to_owned());
    // What is written in letters of one width keeps them; those it lacks come from here.
    fonts
        .families
        .entry(FontFamily::Monospace)
        .or_default()
        .insert(1, NAME.to_owned());
    fonts
}

/// Gives the fonts to egui, once.
fn load_fonts(mut contexts: EguiContexts, mut given: Local<bool>) -> Result {
    if !*given {
        let ctx: &Context = contexts.ctx_mut()?;
        ctx.set_fonts(fonts());
        *given = true;
    }
    Ok(())
}

pub(super) fn plugin(app: &mut App) {
    app.add_systems(EguiPrimaryContextPass, load_fonts.before(OverlaySystems));
}
