//! The list of scenes that can be opened, on a card over the picture, and what opens it.

use std::sync::Arc;

use bevy_egui::egui::{self, Ui, vec2};

use super::super::state::Sandbox;
use super::super::theme;

/// Width and height of the list, points.
const SIZE: [f32; 2] = [440.0, 460.0];

/// The buttons above the left panel: other scenes, and this one from its start.
pub(super) fn buttons(ui: &mut Ui, sandbox: &mut Sandbox) {
    if !sandbox.browser.can_open() {
        return;
    }
    ui.horizontal(|ui| {
        let scenes =
            egui::Button::selectable(sandbox.browser.is_open, "Scenes…").frame_when_inactive(true);
        if ui
            .add(scenes)
            .on_hover_text("All scenes, to open another one (O)")
            .clicked()
        {
            sandbox.browser.toggle();
        }
        if ui
            .button("Restart")
            .on_hover_text("Set this scene up again. What you changed is saved first.")
            .clicked()
        {
            sandbox.restart();
        }
    });
    progress(ui, sandbox);
}

/// What is being set up, or why it could not be.
fn progress(ui: &mut Ui, sandbox: &Sandbox) {
    if let Some(path) = sandbox.browser.loading() {
        ui.horizontal(|ui| {
            ui.spinner();
            ui.label(theme::faint(format!("setting up {}", path.display())));
        });
    }
    if let Some(problem) = &sandbox.browser.problem {
        ui.label(theme::alarm(ui, problem));
    }
}

/// Shows the card, if it is open.
pub(super) fn card(ctx: &egui::Context, free: egui::Rect, sandbox: &mut Sandbox) {
    if !sandbox.browser.is_open {
        return;
    }
    let stays = theme::titled_card(ctx, free, "Scenes", |ui| {
        let room = free.size() - vec2(60.0, 90.0);
        ui.set_width(SIZE[0].min(room.x.max(160.0)));
        list(ui, sandbox, SIZE[1].min(room.y.max(120.0)));
    });
    if !stays {
        sandbox.browser.is_open = false;
    }
}

/// All scenes with a line each; one that is clicked is opened.
pub(super) fn list(ui: &mut Ui, sandbox: &mut Sandbox, height: f32) {
    let search = ui.add(
        egui::TextEdit::singleline(&mut sandbox.browser.search)
            .hint_text("Find a scene by a word; Enter opens the first")
            .desired_width(f32::INFINITY),
    );
    if std::mem::take(&mut sandbox.browser.wants_focus) {
        search.request_focus();
    }
    let opens_first = search.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    progress(ui, sandbox);
    let wake = Arc::clone(&sandbox.wake);
    let wanted = sandbox.browser.search.trim().to_lowercase();
    let shown = sandbox.browser.file.clone();
    let Some(scenes) = sandbox.browser.scenes(&wake) else {
        ui.spinner();
        return;
    };
    let mut chosen = None;
    let mut found = 0;
    egui::ScrollArea::vertical()
        .max_height(height)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            for scene in scenes.iter().filter(|scene| scene.matches(&wanted)) {
                found += 1;
                if opens_first && found == 1 {
                    chosen = Some(scene.path.clone());
                }
                let is_shown = scene.path == shown;
                let mut title = egui::RichText::new(&scene.title);
                if !is_shown {
                    title = title.strong();
                }
                let button = egui::Button::selectable(is_shown, title).truncate();
                let path = scene.path.display().to_string();
                if ui.add(button).on_hover_text(path).clicked() {
                    chosen = Some(scene.path.clone());
                }
                ui.label(theme::faint(&scene.about));
                ui.add_space(2.0);
            }
        });
    if found == 0 {
        ui.label(theme::faint("No scene has that word."));
    }
    if let Some(path) = chosen {
        sandbox.open_scene(&path);
    }
}
