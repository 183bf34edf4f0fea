//! The panels: left what is shown and when, right what is measured and can be changed, and cards over the
//! picture between them.

mod bookmarks;
mod changes;
mod controls;
mod diagrams;
mod inspector;
mod panel_layout;
mod parameters;
mod plots;
mod scenes;
#[cfg(test)]
mod tests;
mod time_line;
mod treatments;
mod types;
mod wiring;

use bevy::prelude::*;
use bevy_egui::egui::{self, Align2, LayerId, UiBuilder, vec2};
use bevy_egui::{EguiContexts, EguiPrimaryContextPass};

use crate::simulation::Catalogue;
use crate::view::overlay::pace_text;
use crate::view::{OverlayContent, OverlaySystems, Shown, ViewCamera, ViewSettings};

use super::choices::{WITH_KEY, choices};
use super::layout::{PanelPage, Theme};
use super::state::{Sandbox, labels_of};
use super::theme;

use panel_layout::PanelLayout;

pub(super) use controls::{FIRST_CUT, first_slice};

pub(super) fn plugin(app: &mut App) {
    app.add_systems(EguiPrimaryContextPass, show_panels.before(OverlaySystems));
}

/// Draws everything and leaves the free part of the window in [`Sandbox::free`].
fn show_panels(
    mut contexts: EguiContexts,
    mut sandbox: ResMut<Sandbox>,
    mut settings: ResMut<ViewSettings>,
    mut camera: ResMut<ViewCamera>,
    mut overlay: ResMut<OverlayContent>,
    shown: Res<Shown>,
    mut dressed: Local<Option<Theme>>,
) -> Result {
    let ctx = contexts.ctx_mut()?;
    let sandbox = &mut *sandbox;
    if *dressed != Some(sandbox.layout.theme) {
        theme::apply(ctx, sandbox.layout.theme);
        *dressed = Some(sandbox.layout.theme);
    }
    let frame = theme::panel_frame(&ctx.global_style());
    ctx.set_zoom_factor(sandbox.layout.text_scale);
    let whole = ctx.viewport_rect();
    let mut root = egui::Ui::new(
        ctx.clone(),
        "panels".into(),
        UiBuilder::new()
            .layer_id(LayerId::background())
            .max_rect(whole),
    );
    let mut free = whole;
    // A working copy: change detection must only see real changes.
    let mut new_settings = settings.clone();
    if sandbox.layout.are_panels_open {
        let panels = PanelLayout::of(whole.width());
        let mut show_page = |page, ui: &mut egui::Ui, sandbox: &mut Sandbox| {
            page_of(page, ui, sandbox, &shown, &mut new_settings, &mut camera);
        };
        if panels != PanelLayout::Hidden {
            let width = match panels {
                PanelLayout::Two => theme::LEFT_WIDTH,
                _ => theme::RIGHT_WIDTH,
            };
            fixed_panel(egui::Panel::left("left"), frame)
                .exact_size(width)
                .show(&mut root, |ui| match panels {
                    PanelLayout::Two => show_page(PanelPage::Scene, ui, sandbox),
                    _ => {
                        page_tabs(ui, &mut sandbox.layout.page);
                        show_page(sandbox.layout.page, ui, sandbox);
                    }
                });
            // A panel is as wide as it is said to be, however much there is in it; what lies between is bounded by that.
            free.min.x = (free.min.x + width).min(free.max.x);
        }
        if panels == PanelLayout::Two {
            fixed_panel(egui::Panel::right("right"), frame)
                .exact_size(theme::RIGHT_WIDTH)
                .show(&mut root, |ui| show_page(PanelPage::Measures, ui, sandbox));
            free.max.x = (free.max.x - theme::RIGHT_WIDTH).max(free.min.x);
        }
        let mut middle = egui::Ui::new(
            ctx.clone(),
            "middle".into(),
            UiBuilder::new()
                .layer_id(LayerId::background())
                .max_rect(free),
        );
        middle.set_clip_rect(free);
        let line = fixed_panel(egui::Panel::bottom("time line"), frame).show(&mut middle, |ui| {
            time_line::show(ui, sandbox, &shown, &new_settings, &camera);
        });
        free.max.y = line.response.rect.min.y.max(free.min.y);
    }
    // In points of the window, whatever the size of the text.
    let scale = sandbox.layout.text_scale;
    sandbox.free = Rect::new(
        free.min.x * scale,
        free.min.y * scale,
        free.max.x * scale,
        free.max.y * scale,
    );
    let below_hints = hints(ctx, free, sandbox);
    let below_hints = notices(ctx, free.with_min_y(below_hints.min(free.max.y)), sandbox);
    help(ctx, free, &shown.0.catalogue, sandbox);
    scenes::card(ctx, free, sandbox);

    settings.set_if_neq(new_settings);
    let (timeline, hours) = (sandbox.visit.timeline(), shown.0.hours);
    let scene = sandbox.visit.scene();
    let story = OverlayContent::of_story(scene, timeline, hours);
    let content = OverlayContent {
        time: !sandbox.layout.are_panels_open,
        scale_bar: true,
        legend: true,
        figures: false,
        pace: pace_text(scene, None),
        labels: labels_of(timeline, &shown.0, settings.site),
        // Somebody who has taken over sees the tissue.
        cover: story.cover.clone().filter(|_| sandbox.follows),
        picture: Some(free),
        area: Some(free.with_min_y(below_hints.clamp(free.min.y, free.max.y))),
        ..story
    };
    overlay.set_if_neq(content);
    Ok(())
}

/// A panel without an edge, of a size that is said.
fn fixed_panel(panel: egui::Panel, frame: egui::Frame) -> egui::Panel {
    panel
        .resizable(false)
        .show_separator_line(false)
        .frame(frame)
}

/// Which page a panel shows that is the only one.
fn page_tabs(ui: &mut egui::Ui, page: &mut PanelPage) {
    ui.horizontal(|ui| {
        ui.selectable_value(page, PanelPage::Scene, "Scene and view");
        ui.selectable_value(page, PanelPage::Measures, "Cell, plots, changes");
    });
    ui.separator();
}

/// Shows a page of a panel.
fn page_of(
    page: PanelPage,
    ui: &mut egui::Ui,
    sandbox: &mut Sandbox,
    shown: &Shown,
    settings: &mut ViewSettings,
    camera: &mut ViewCamera,
) {
    scrolled(ui, page, |ui| match page {
        PanelPage::Scene => controls::show(ui, sandbox, shown, settings, camera),
        PanelPage::Measures => {
            inspector::show(ui, sandbox, shown, settings, camera);
            wiring::show(ui, sandbox, &shown.0, settings.selected);
            plots::show(ui, sandbox, shown);
            if let Some(cell) = diagrams::show(ui, &shown.0) {
                settings.selected = Some(cell);
                settings.selected_glyph = None;
            }
            treatments::show(ui, sandbox, shown, settings.site);
            parameters::show(ui, sandbox);
            changes::show(ui, sandbox);
        }
    });
}

fn scrolled(ui: &mut egui::Ui, page: PanelPage, contents: impl FnOnce(&mut egui::Ui)) {
    egui::ScrollArea::vertical()
        .id_salt(page)
        .auto_shrink([false, false])
        .show(ui, contents);
}

/// A line at the top of the picture that says what the mouse does. Returns where it ends.
fn hints(ctx: &egui::Context, free: egui::Rect, sandbox: &Sandbox) -> f32 {
    if sandbox.is_help_open || (sandbox.layout.knows_mouse && !sandbox.is_flying) {
        return free.min.y;
    }
    let text = if sandbox.is_flying {
        "Flying: W A S D and Q E, drag to look around, Shift is faster. F to go back to turning."
    } else {
        "Drag to turn, wheel to zoom, right drag to move, click a cell to inspect it. H for all controls."
    };
    egui::Area::new("hints".into())
        .fixed_pos(free.center_top() + vec2(0.0, 10.0))
        .pivot(Align2::CENTER_TOP)
        .constrain_to(free)
        .interactable(false)
        .show(ctx, |ui| {
            ui.set_max_width(free.width() - 24.0);
            theme::card_frame(&ctx.global_style()).show(ui, |ui| ui.label(theme::faint(text)));
        })
        .response
        .rect
        .max
        .y
}

/// What has to be said, on a card that a person puts away. Returns where it ends.
fn notices(ctx: &egui::Context, free: egui::Rect, sandbox: &mut Sandbox) -> f32 {
    let refusal = sandbox.refusal.clone();
    let refusal = refusal.filter(|_| sandbox.refusal != sandbox.refusal_read);
    if refusal.is_none() && sandbox.notice.is_none() {
        return free.min.y;
    }
    let frame = theme::card_frame(&ctx.global_style());
    egui::Area::new("notices".into())
        .fixed_pos(free.center_top() + vec2(0.0, 10.0))
        .pivot(Align2::CENTER_TOP)
        .constrain_to(free)
        .show(ctx, |ui| {
            ui.set_max_width(free.width() - 24.0);
            frame.show(ui, |ui| {
                ui.horizontal(|ui| {
                    ui.vertical(|ui| {
                        ui.set_max_width((free.width() - 100.0).max(60.0));
                        if let Some(refusal) = &refusal {
                            ui.label(theme::alarm(ui, refusal));
                        }
                        if let Some(notice) = &sandbox.notice {
                            ui.label(notice);
                        }
                    });
                    if ui.button("OK").clicked() {
                        sandbox.notice = None;
                        sandbox.refusal_read = refusal;
                    }
                });
            });
        })
        .response
        .rect
        .max
        .y
}

/// Room that two columns of controls take, points.
const TWO_COLUMNS: f32 = 690.0;

/// All controls, on a card.
fn help(ctx: &egui::Context, free: egui::Rect, catalogue: &Catalogue, sandbox: &mut Sandbox) {
    // One card at a time: the list of scenes lies over it.
    if !sandbox.is_help_open || sandbox.browser.is_open {
        return;
    }
    let colours: Vec<String> = choices(catalogue)
        .into_iter()
        .take(WITH_KEY)
        .map(|choice| choice.label)
        .collect();
    let colours = format!("colour by: {}", colours.join(", "));
    let controls: [(&str, &str); 28] = [
        ("Drag", "turn around the tissue"),
        ("Wheel", "nearer, farther"),
        ("Right drag", "move the picture"),
        ("Click", "inspect a cell; beside the cells: let go"),
        ("Double click", "go to a cell"),
        ("F", "fly, or turn again"),
        ("W A S D", "while flying: forward, left, back, right"),
        ("Q E", "while flying: down, up"),
        ("Shift", "while flying: faster"),
        ("R", "show the whole tissue"),
        ("Space", "play, pause"),
        (".", "one step"),
        ("← →", "an hour back, an hour on"),
        ("Home", "back to the start"),
        ("Page up, down", "the chapter before, the next one"),
        ("B", "bookmark this time and what is shown"),
        ("G", "follow the film, or no longer"),
        ("+ -", "faster, slower"),
        ("1 2 3 4", &colours),
        ("X", "field slice on, off"),
        ("C", "cut the tissue open, close it"),
        ("V", "rich or plain drawing"),
        (
            "P",
            "panels on, off; a narrow window has one of two, or none",
        ),
        ("K", "keep a picture of the window"),
        ("M", "record a film of the window, complete it"),
        ("O", "other scenes"),
        ("Ctrl + -", "larger, smaller text; Ctrl 0: as at first"),
        ("H", "this card"),
    ];
    sandbox.is_help_open = theme::titled_card(ctx, free, "Controls", |ui| {
        let room = (free.size() - vec2(40.0, 80.0)).max(vec2(120.0, 60.0));
        // Two by two where there is room, and never higher than the picture.
        let abreast = if room.x > TWO_COLUMNS { 2 } else { 1 };
        egui::ScrollArea::both()
            .max_height(room.y)
            .max_width(room.x)
            .show(ui, |ui| {
                egui::Grid::new("controls")
                    .num_columns(2 * abreast)
                    .spacing(vec2(14.0, 5.0))
                    .show(ui, |ui| {
                        let rows = controls.len().div_ceil(abreast);
                        for row in 0..rows {
                            for (key, meaning) in controls.iter().skip(row).step_by(rows) {
                                ui.label(theme::key(ui, key));
                                ui.label(*meaning);
                            }
                            ui.end_row();
                        }
                    });
            });
    });
}
