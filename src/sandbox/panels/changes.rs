//! What was changed by hand, as it would stand in a scene.

use bevy_egui::egui::{RichText, Ui};

use super::super::session::Change;
use super::super::state::Sandbox;
use super::super::theme;

/// Changes listed; older ones are counted.
const LISTED: usize = 12;

/// Fills its part of the right panel.
pub(super) fn show(ui: &mut Ui, sandbox: &Sandbox) {
    let changes = &sandbox.session.changes;
    if changes.is_empty() {
        return;
    }
    theme::section(ui, "Your changes", true, |ui| {
        ui.label(theme::faint(format!(
            "Saved on closing as explore_{}.ron, a scene that repeats them.",
            sandbox.visit.name
        )));
        let skipped = changes.len().saturating_sub(LISTED);
        if skipped > 0 {
            ui.label(theme::faint(format!("{skipped} earlier ones")));
        }
        for text in changes[skipped..].iter().map(Change::text) {
            ui.label(RichText::new(text).monospace());
        }
    });
}
