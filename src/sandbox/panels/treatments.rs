//! Drugs that can be given while the simulation runs: at once or in a course, with their levels; radiation beside them.
//!
//! A drug can also be injected: the next click on the picture says where.
//!
//! What is given is an action as any other: it takes effect at the next step, is logged, and is part of the scene that repeats the session. The curves of a
//! drug in plasma and in tissue stand among the plots.

use std::sync::Arc;

use bevy_egui::egui::{self, DragValue, Ui};

use super::super::state::{Plan, Sandbox};
use super::super::theme;
use super::inspector::three_digits;
use crate::scene::schema::{Action, Span};
use crate::scene::treatment::{Dosing, Irradiation};
use crate::view::Shown;

/// Fills its part of the right panel.
pub(super) fn show(ui: &mut Ui, sandbox: &mut Sandbox, shown: &Shown, site: usize) {
    let parsed = Arc::clone(&sandbox.visit.parsed);
    let drugs = &parsed.scene.drugs;
    // Of all sites at once it is that whose curves are plotted.
    let place = shown
        .0
        .sites
        .get(site)
        .map_or(sandbox.plotted_site(), |_| site);
    let shown_site = shown.0.sites.get(place);
    let site_name = sandbox.scene_site(shown, place);
    theme::section(ui, "Treatments", !drugs.is_empty(), |ui| {
        if drugs.is_empty() {
            ui.label(theme::faint(
                "This scene has no drugs. Name some in it: on_call: [\"anti_vegf\", \"chemotherapy\"]",
            ));
        }
        let metrics = shown_site.map(|site| &site.metrics);
        let of = |name: String| metrics.and_then(|metrics| metrics.get(&name));
        for drug in drugs {
            let name = &drug.name;
            let mut plan = sandbox.plans.get(name).copied().unwrap_or_default();
            let label = ui.label(&drug.label).on_hover_text(&drug.about).id;
            let level = |what: &str| {
                let value = of(format!("{name}_{what}_nm"));
                value.map_or_else(|| "–".to_owned(), |value| three_digits(value as f32))
            };
            ui.label(theme::faint(format!(
                "{} nM in plasma, {} nM in tissue",
                level("plasma"),
                level("tissue")
            )));
            let mut is_given = false;
            ui.horizontal_wrapped(|ui| {
                ui.add(
                    DragValue::new(&mut plan.mg_per_kg)
                        .range(0.01..=1000.0)
                        .speed(0.1)
                        .suffix(" mg/kg"),
                )
                .labelled_by(label);
                ui.add(
                    DragValue::new(&mut plan.times)
                        .range(1..=100)
                        .speed(0.1)
                        .suffix(" ×"),
                )
                .labelled_by(label);
                if plan.times > 1 {
                    ui.add(
                        DragValue::new(&mut plan.every_days)
                            .range(0.1..=60.0)
                            .speed(0.1)
                            .prefix("every ")
                            .suffix(" d"),
                    )
                    .labelled_by(label);
                }
                is_given = ui.button("Give").clicked();
                let is_drawn_up = sandbox.syringe.drug.as_ref() == Some(name);
                let inject = ui.selectable_label(is_drawn_up, "Inject");
                let inject = inject.on_hover_text("Then click where in the tissue it goes");
                if inject.clicked() {
                    sandbox.syringe.drug = (!is_drawn_up).then(|| name.clone());
                }
            });
            if sandbox.syringe.drug.as_ref() == Some(name) {
                ui.horizontal_wrapped(|ui| {
                    let syringe = &mut sandbox.syringe;
                    ui.add(
                        DragValue::new(&mut syringe.fmol)
                            .range(0.001..=1e6)
                            .speed(0.1)
                            .suffix(" fmol"),
                    );
                    ui.add(
                        DragValue::new(&mut syringe.radius_um)
                            .range(1.0..=1000.0)
                            .speed(1.0)
                            .prefix("into a ball of ")
                            .suffix(" µm"),
                    );
                });
                ui.label(theme::changed(ui, "Click where in the tissue it goes."));
            }
            sandbox.plans.insert(name.clone(), plan);
            if is_given {
                sandbox.treat(dosing(name, plan));
            }
        }
        ui.horizontal_wrapped(|ui| {
            let label = ui.label("Radiation").id;
            ui.add(
                DragValue::new(&mut sandbox.gray)
                    .range(0.1..=30.0)
                    .speed(0.1)
                    .suffix(" Gy"),
            )
            .labelled_by(label);
            if ui.add(egui::Button::new("Irradiate")).clicked() {
                sandbox.treat(Action::Irradiate(Irradiation {
                    gray: sandbox.gray,
                    site: site_name.clone(),
                    place: None,
                }));
            }
        });
    });
}

/// What a plan says, as an action.
fn dosing(drug: &str, plan: Plan) -> Action {
    Action::Give(Dosing {
        drug: drug.to_owned(),
        mg_per_kg: Some(plan.mg_per_kg),
        mg: None,
        route: None,
        every: (plan.times > 1).then_some(Span::Days(plan.every_days)),
        times: plan.times,
    })
}
