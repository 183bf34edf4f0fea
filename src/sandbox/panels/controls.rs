//! The left panel: the scene, its time, and what is shown of it.

use bevy_egui::egui::{self, Ui, vec2};

use crate::scene::look::Axis;
use crate::scene::{Cut, Slice, Style};
use crate::simulation::WHOLE_STAGE;
use crate::tissue::{Molecule, MoleculeName};
use crate::view::overlay::{count_text, time_text};
use crate::view::{Shown, ViewCamera, ViewSettings};

use super::super::choices::{WITH_KEY, choices};
use super::super::layout::Theme;
use super::super::state::{PACES, Sandbox, TEXT_FACTOR, extent, whole_view};
use super::super::theme;
use super::{bookmarks, scenes, types};

/// Fills the panel.
pub(super) fn show(
    ui: &mut Ui,
    sandbox: &mut Sandbox,
    shown: &Shown,
    settings: &mut ViewSettings,
    camera: &mut ViewCamera,
) {
    ui.label(
        egui::RichText::new(&sandbox.visit.scene().title)
            .heading()
            .strong(),
    );
    ui.label(theme::faint(sandbox.visit.scene().about.trim()));
    scenes::buttons(ui, sandbox);
    site_choice(ui, shown, settings);
    theme::section(ui, "Time", true, |ui| time(ui, sandbox, shown, settings));
    theme::section(ui, "Colour of the cells", true, |ui| {
        colours(ui, shown, settings);
    });
    theme::section(ui, "Types of cells", true, |ui| {
        types::show(ui, sandbox, shown, settings);
    });
    theme::section(ui, "Field slice", true, |ui| slice(ui, shown, settings));
    theme::section(ui, "Cut", true, |ui| cut(ui, shown, settings));
    theme::section(ui, "Camera", true, |ui| {
        if sandbox.visit.has_film() {
            let mut follows = sandbox.follows;
            if ui
                .checkbox(&mut follows, "Follow the film")
                .on_hover_text(
                    "Camera and colours as in the film, until you move or choose something (G)",
                )
                .changed()
            {
                sandbox.set_following(follows);
                sandbox.follow_film(shown.0.hours, settings, camera);
            }
        }
        style(ui, settings);
        window(ui, sandbox);
        eye(ui, sandbox, shown, settings, camera);
    });
    bookmarks::show(ui, sandbox, shown, settings, camera);
}

fn site_choice(ui: &mut Ui, shown: &Shown, settings: &mut ViewSettings) {
    if shown.0.sites.len() < 2 {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        if shown.0.whole.is_some() {
            ui.selectable_value(&mut settings.site, WHOLE_STAGE, "all");
        }
        for (index, site) in shown.0.sites.iter().enumerate() {
            ui.selectable_value(&mut settings.site, index, &site.name);
        }
    });
}

fn time(ui: &mut Ui, sandbox: &mut Sandbox, shown: &Shown, settings: &ViewSettings) {
    ui.horizontal(|ui| {
        ui.label(theme::figure(time_text(shown.0.hours)));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Max), |ui| {
            ui.label(theme::faint(format!("step {}", shown.0.step)));
        });
    });
    if let Some(site) = shown.site(settings.site) {
        ui.label(theme::faint(format!(
            "{} cells",
            count_text(site.cells.len())
        )));
    }
    if sandbox.is_broken {
        ui.label(theme::alarm(
            ui,
            "The simulation has stopped because of a fault; the terminal says which.",
        ));
        return;
    }
    if shown.0.hours >= sandbox.visit.end_hours() {
        ui.label(theme::changed(
            ui,
            "The scene is over. Time can go on, but nothing more is scripted.",
        ));
    }
    ui.horizontal(|ui| {
        let size = vec2(118.0, 30.0);
        let play = if sandbox.is_running {
            "⏸ Pause"
        } else {
            "▶ Play"
        };
        if ui
            .add(theme::main_button(ui, play).min_size(size))
            .on_hover_text("Space")
            .clicked()
        {
            sandbox.set_running(!sandbox.is_running);
        }
        if ui
            .add(egui::Button::new("⏭ One step").min_size(size))
            .on_hover_text(".")
            .clicked()
        {
            sandbox.take_steps(1);
        }
    });
    let mut pace = sandbox.hours_per_second;
    let slider = egui::Slider::new(&mut pace, PACES.0..=PACES.1)
        .logarithmic(true)
        .suffix(" h/s")
        .max_decimals(2);
    let label = ui.label("Tissue time per second").id;
    let is_bounded = !sandbox.is_unbounded;
    let turned = ui.add_enabled(is_bounded, slider).labelled_by(label);
    if turned.changed() {
        sandbox.set_pace(pace, false);
    }
    let mut is_unbounded = sandbox.is_unbounded;
    if ui
        .checkbox(&mut is_unbounded, "As fast as possible")
        .changed()
    {
        sandbox.set_pace(pace, is_unbounded);
    }
    let step = sandbox.last_step.as_secs_f64();
    if step > 0.0 {
        let mut text = format!("A step is computed in {}", duration_text(step));
        if sandbox.is_running && sandbox.measured_pace > 0.0 {
            text.push_str(&format!("; {:.2} h/s reached", sandbox.measured_pace));
        }
        ui.label(theme::faint(text));
    }
}

/// A computing time as people read it.
fn duration_text(seconds: f64) -> String {
    if seconds < 0.01 {
        format!("{:.1} ms", seconds * 1e3)
    } else if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1e3)
    } else {
        format!("{seconds:.1} s")
    }
}

fn colours(ui: &mut Ui, shown: &Shown, settings: &mut ViewSettings) {
    let all = choices(&shown.0.catalogue);
    let look = &mut settings.look;
    for (row, pair) in all[..all.len().min(WITH_KEY)].chunks(2).enumerate() {
        ui.columns_const(|columns: &mut [Ui; 2]| {
            for ((place, column), choice) in columns.iter_mut().enumerate().zip(pair) {
                let key = row * 2 + place + 1;
                let width = column.available_width();
                let is_chosen = look.colour_by == choice.colour_by;
                let text = format!("{key}  {}", choice.label);
                let button = egui::Button::selectable(is_chosen, text)
                    .frame_when_inactive(true)
                    .truncate()
                    .min_size(vec2(width, 26.0));
                if column.add(button).on_hover_text(&choice.about).clicked() {
                    look.colour_by = choice.colour_by.clone();
                }
            }
        });
    }
    if all.len() <= WITH_KEY {
        return;
    }
    let mut rest = all[WITH_KEY..].iter();
    let chosen = rest.find(|choice| choice.colour_by == look.colour_by);
    egui::ComboBox::from_id_salt("colours")
        .width(ui.available_width() - 8.0)
        .selected_text(chosen.map_or("More to choose from", |choice| choice.label.as_str()))
        .show_ui(ui, |ui| {
            for choice in &all {
                let value = choice.colour_by.clone();
                ui.selectable_value(&mut look.colour_by, value, &choice.label)
                    .on_hover_text(&choice.about);
            }
        });
}

/// The slice shown when one is switched on.
pub(in super::super) fn first_slice(shown: &Shown, settings: &ViewSettings) -> Slice {
    let molecule = shown
        .site(settings.site)
        .and_then(|site| site.fields.first())
        .map_or("oxygen", |field| field.molecule.name.as_str());
    Slice {
        molecule: molecule.into(),
        axis: settings.look.cut.map_or(Axis::Y, |cut| cut.axis),
        at_um: settings.look.cut.map_or(0.0, |cut| cut.at_um),
    }
}

/// The cut made when one is switched on.
pub(in super::super) const FIRST_CUT: Cut = Cut {
    axis: Axis::Y,
    at_um: 0.0,
    flip: false,
};

fn slice(ui: &mut Ui, shown: &Shown, settings: &mut ViewSettings) {
    let mut is_on = settings.look.slice.is_some();
    if ui
        .checkbox(&mut is_on, "Show a molecule on a plane")
        .on_hover_text("X")
        .changed()
    {
        settings.look.slice = is_on.then(|| first_slice(shown, settings));
    }
    let site = shown.site(settings.site);
    let Some(slice) = &mut settings.look.slice else {
        return;
    };
    let chosen = site.and_then(|site| site.field(&slice.molecule));
    let chosen = chosen.map_or_else(
        || slice.molecule.as_str().to_owned(),
        |field| molecule_text(&field.molecule),
    );
    egui::ComboBox::from_id_salt("molecule")
        .width(ui.available_width() - 8.0)
        .selected_text(chosen)
        .show_ui(ui, |ui| {
            for field in site.iter().flat_map(|site| &site.fields) {
                let name = MoleculeName::from(field.molecule.name.as_str());
                let text = molecule_text(&field.molecule);
                ui.selectable_value(&mut slice.molecule, name, text);
            }
        });
    plane(ui, &mut slice.axis, &mut slice.at_um, |axis| {
        extent(site, axis)
    });
}

fn molecule_text(molecule: &Molecule) -> String {
    format!("{}, {}", molecule.label, molecule.unit)
}

fn cut(ui: &mut Ui, shown: &Shown, settings: &mut ViewSettings) {
    let mut is_on = settings.look.cut.is_some();
    if ui
        .checkbox(&mut is_on, "Cut the tissue open")
        .on_hover_text("C")
        .changed()
    {
        settings.look.cut = is_on.then_some(FIRST_CUT);
    }
    let site = shown.site(settings.site);
    let Some(cut) = &mut settings.look.cut else {
        return;
    };
    plane(ui, &mut cut.axis, &mut cut.at_um, |axis| extent(site, axis));
    ui.checkbox(&mut cut.flip, "Take away the other side");
    if let Some(slice) = &mut settings.look.slice
        && (slice.axis, slice.at_um) != (cut.axis, cut.at_um)
        && ui.button("Put the slice on the cut").clicked()
    {
        (slice.axis, slice.at_um) = (cut.axis, cut.at_um);
    }
}

/// Axis and position of a plane.
fn plane(ui: &mut Ui, axis: &mut Axis, at_um: &mut f32, extent: impl Fn(Axis) -> (f32, f32)) {
    let across = ui.horizontal(|ui| {
        let label = ui.label("Across").id;
        for (choice, name) in [(Axis::X, "x"), (Axis::Y, "y"), (Axis::Z, "z")] {
            let button = egui::Button::selectable(*axis == choice, name)
                .frame_when_inactive(true)
                .min_size(vec2(34.0, 24.0));
            if ui.add(button).clicked() {
                *axis = choice;
            }
        }
        label
    });
    let (low, high) = extent(*axis);
    let slider = egui::Slider::new(at_um, low..=high)
        .suffix(" µm")
        .max_decimals(0);
    ui.add(slider).labelled_by(across.inner);
}

/// How things are drawn.
fn style(ui: &mut Ui, settings: &mut ViewSettings) {
    ui.horizontal(|ui| {
        ui.label("Drawn");
        for (choice, name, about) in [
            (Style::Rich, "rich", "Bodies with light and shade (V)"),
            (Style::Plain, "plain", "Flat colours with outlines (V)"),
        ] {
            let button = egui::Button::selectable(settings.look.style == choice, name)
                .frame_when_inactive(true);
            if ui.add(button).on_hover_text(about).clicked() {
                settings.look.style = choice;
            }
        }
    });
}

/// How the window looks.
fn window(ui: &mut Ui, sandbox: &mut Sandbox) {
    ui.horizontal(|ui| {
        ui.label("Panels");
        let theme = &mut sandbox.layout.theme;
        for (choice, name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
            let button = egui::Button::selectable(*theme == choice, name).frame_when_inactive(true);
            if ui.add(button).clicked() {
                *theme = choice;
            }
        }
        for (name, by) in [("A−", 1.0 / TEXT_FACTOR), ("A+", TEXT_FACTOR)] {
            if ui
                .button(name)
                .on_hover_text("Smaller and larger text (Ctrl − and Ctrl +)")
                .clicked()
            {
                sandbox.scale_text(by);
            }
        }
    });
}

fn eye(
    ui: &mut Ui,
    sandbox: &mut Sandbox,
    shown: &Shown,
    settings: &ViewSettings,
    camera: &mut ViewCamera,
) {
    ui.horizontal(|ui| {
        if ui.button("Show everything").on_hover_text("R").clicked() {
            camera.pose = whole_view(shown, settings);
        }
        for (is_on, name, key) in [
            (&mut sandbox.is_flying, "Fly", "F"),
            (&mut sandbox.is_help_open, "Help", "H"),
        ] {
            let button = egui::Button::selectable(*is_on, name).frame_when_inactive(true);
            if ui.add(button).on_hover_text(key).clicked() {
                *is_on = !*is_on;
            }
        }
    });
}
