//! Which types of cells are drawn.

use bevy_egui::egui::Ui;

use crate::core::spoken::spoken;
use crate::view::overlay::{colour32, count_text};
use crate::view::{Shown, ViewSettings};

use super::super::state::Sandbox;
use super::super::theme;

/// Fills its part of the left panel.
pub(super) fn show(ui: &mut Ui, sandbox: &Sandbox, shown: &Shown, settings: &mut ViewSettings) {
    let mut counts = vec![0_usize; shown.0.cell_types.len()];
    let site = shown.site(settings.site).into_iter();
    for number in site.flat_map(|site| &site.cells.cell_type) {
        if let Some(count) = counts.get_mut(usize::from(*number)) {
            *count += 1;
        }
    }
    let hidden = &mut settings.look.hidden_types;
    for number in &sandbox.types {
        let number = usize::from(*number);
        let (Some(style), Some(count)) = (shown.0.cell_types.get(number), counts.get(number))
        else {
            continue;
        };
        let mut is_shown = !hidden.contains(&style.name);
        let words = spoken(&style.name);
        let text = if is_shown {
            format!("{words}, {}", count_text(*count))
        } else {
            format!("{words}, hidden")
        };
        ui.horizontal(|ui| {
            theme::spot(ui, colour32(style.colour));
            let about = "Drawn or left out of the picture; the simulation has them all the same";
            let is_changed = ui
                .checkbox(&mut is_shown, text)
                .on_hover_text(about)
                .changed();
            if is_changed {
                hidden.retain(|name| *name != style.name);
                if !is_shown {
                    hidden.push(style.name.clone());
                }
            }
        });
    }
    if !hidden.is_empty() && ui.button("Show all types").clicked() {
        hidden.clear();
    }
}
