//! Bookmarks, and what is taken along: pictures, curves, a film.

use bevy_egui::egui::Ui;

use crate::view::overlay::count_text;
use crate::view::{Shown, ViewCamera, ViewSettings};

use super::super::state::Sandbox;
use super::super::theme;

/// Fills its part of the left panel.
pub(super) fn show(
    ui: &mut Ui,
    sandbox: &mut Sandbox,
    shown: &Shown,
    settings: &mut ViewSettings,
    camera: &mut ViewCamera,
) {
    theme::section(ui, "Bookmarks", true, |ui| {
        if ui
            .button("Add bookmark")
            .on_hover_text("Keep this time and what is shown, to come back to it (B)")
            .clicked()
        {
            sandbox.add_bookmark(shown.0.hours, settings, camera);
        }
        let (mut chosen, mut removed) = (None, None);
        for (number, bookmark) in sandbox.bookmarks.iter().enumerate() {
            ui.horizontal(|ui| {
                if ui
                    .button(&bookmark.name)
                    .on_hover_text("Go back to this time, place and look")
                    .clicked()
                {
                    chosen = Some(number);
                }
                let remove = ui.small_button(format!("✖ {}", number + 1));
                if remove.on_hover_text("Forget it").clicked() {
                    removed = Some(number);
                }
            });
        }
        if let Some(number) = chosen {
            sandbox.go_to_bookmark(number, settings, camera);
        }
        if let Some(number) = removed {
            sandbox.bookmarks.remove(number);
        }
    });
    keep(ui, sandbox);
}

/// What is taken along.
fn keep(ui: &mut Ui, sandbox: &mut Sandbox) {
    theme::section(ui, "Take along", true, |ui| {
        ui.horizontal_wrapped(|ui| {
            if ui
                .button("Keep picture")
                .on_hover_text(
                    "A picture of the window, in the folder in which the program was started (K)",
                )
                .clicked()
            {
                sandbox.wants_picture = true;
            }
            if ui
                .button("Keep curves")
                .on_hover_text("All measurements of this site over time, as a CSV table")
                .clicked()
            {
                sandbox.save_curves();
            }
            let (text, about) = match &sandbox.film {
                None => (
                    "⏺ Record".to_owned(),
                    "A film of the window, a frame for each report of the simulation, in the folder in which the program was \
                     started (M)",
                ),
                Some(film) => (
                    format!("⏹ Stop at frame {}", count_text(film.frames() as usize)),
                    "Complete the film (M)",
                ),
            };
            if ui.button(text).on_hover_text(about).clicked() {
                sandbox.set_filming(sandbox.film.is_none());
            }
        });
    });
}
