//! What is known of the tissue and done to it: the right panel.

use bevy_egui::egui::Key;
use bevy_egui::egui::accesskit::Role;

use super::super::super::engine::tests::set;
use super::super::super::state::Plan;
use super::*;
use crate::core::diagram::{DiagramInfo, Drawing, TreeLine};

#[test]
fn a_selected_cell_is_told_looked_at_and_let_go() {
    let mut bench = Bench::new();
    bench.shown = Shown(Arc::new(snapshot()));
    let mut harness = bench.show(|ui, bench| {
        inspector::show(
            ui,
            &mut bench.sandbox,
            &bench.shown,
            &mut bench.settings,
            &mut bench.camera,
        );
    });
    assert!(says(&harness, "Click a cell to see what it is doing."));
    harness.state_mut().settings.selected = Some(2);
    harness.run_steps(2);
    for text in ["#2", "round cell", "12.3 µm", "10, 2, 3 µm"] {
        assert!(says(&harness, text), "{text}");
    }
    click(&mut harness, "Look at it");
    assert_eq!(harness.state().camera.pose.target_um, (10.0, 2.0, 3.0));
    click(&mut harness, "Stay with it");
    assert!(harness.state().sandbox.stays_with_cell);
    click(&mut harness, "Let go");
    assert_eq!(harness.state().settings.selected, None);
    harness.state_mut().settings.selected = Some(77);
    harness.run_steps(2);
    assert!(says(&harness, "Cell #77 is no longer there."));
    click(&mut harness, "Let go");
    assert_eq!(harness.state().settings.selected, None);
}

#[test]
fn a_line_of_a_tree_leads_to_its_cell() {
    let line = |label: &str, from: Option<u32>, cell: u64| TreeLine {
        from,
        from_hours: from.map_or(0.0, |_| 1.0),
        to_hours: None,
        label: label.into(),
        about: "About it.".into(),
        colour: [0.5; 3],
        cell: Some(cell),
    };
    let tree = Drawing::Tree {
        lines: vec![line("mother", None, 5), line("daughter", Some(0), 9)],
        left_out: 3,
    };
    let info = DiagramInfo::new("sea.tree", "Who comes from whom", "A tree.");
    let mut bench = Bench::new();
    bench.shown = Shown(Arc::new(Snapshot {
        hours: 2.0,
        diagrams: vec![(info.into(), tree)],
        ..snapshot()
    }));
    let mut harness = bench.show(|ui, bench| {
        if let Some(cell) = diagrams::show(ui, &bench.shown.0) {
            bench.settings.selected = Some(cell);
        }
    });
    assert!(says(&harness, "Who comes from whom") && says(&harness, "and 3 more"));
    click(&mut harness, "daughter");
    assert_eq!(harness.state().settings.selected, Some(9));
}

/// The plots of three steps of both sites.
fn plots_after_three_steps() -> Harness<'static, Bench> {
    let mut bench = Bench::new();
    bench.sandbox.take_steps(3);
    bench.wait(|bench| bench.shown.0.step == 3);
    bench.shown = Shown(Arc::new(Snapshot {
        step: 3,
        hours: 1.5,
        ..snapshot()
    }));
    bench.show(|ui, bench| plots::show(ui, &mut bench.sandbox, &bench.shown))
}

#[test]
fn plots_are_chosen_and_the_choice_is_kept() {
    let mut harness = plots_after_three_steps();
    assert!(says(&harness, "in breast"), "whose curves they are");
    assert!(says(&harness, "sum 3"), "and what they say");
    click(&mut harness, "Plots: 1 of 1");
    let choice = |harness: &Harness<'_, Bench>| {
        harness
            .get_by(|node| node.role() == Role::CheckBox && node.label().as_deref() == Some("Sums"))
            .click();
    };
    choice(&harness);
    harness.run_steps(3);
    let hidden = &harness.state().sandbox.layout.hidden_plots;
    assert!(hidden.contains("Sums"));
    assert!(!says(&harness, "sum 3"));
    choice(&harness);
    harness.run_steps(3);
    assert!(harness.state().sandbox.layout.hidden_plots.is_empty());
    assert!(says(&harness, "sum 3"));
}

#[test]
fn one_panel_shows_either_page() {
    let mut bench = Bench::new();
    bench.shown = Shown(Arc::new(snapshot()));
    let mut harness = bench.show(|ui, bench| {
        page_tabs(ui, &mut bench.sandbox.layout.page);
        let page = bench.sandbox.layout.page;
        page_of(
            page,
            ui,
            &mut bench.sandbox,
            &bench.shown,
            &mut bench.settings,
            &mut bench.camera,
        );
    });
    let asks = "Click a cell to see what it is doing.";
    assert!(says(&harness, "A dish") && !says(&harness, asks));
    click(&mut harness, "Cell, plots, changes");
    assert!(!says(&harness, "A dish") && says(&harness, asks));
    click(&mut harness, "Scene and view");
    assert!(says(&harness, "A dish"));
}

#[test]
fn sites_are_plotted_beside_each_other() {
    let mut harness = plots_after_three_steps();
    click(&mut harness, "All sites in one plot");
    assert!(harness.state().sandbox.layout.are_sites_beside);
    for text in ["Sums: sum", "breast 3", "lung 0"] {
        assert!(says(&harness, text), "{text}");
    }
    click(&mut harness, "All sites in one plot");
    assert!(says(&harness, "sum 3") && !says(&harness, "breast 3"));
}

#[test]
fn treatments_are_given_as_they_are_set() {
    let folder = tempfile::tempdir().expect("there is room");
    let drugs = crate::scene::shipped_drugs().expect("they can be read");
    let drug = drugs.first().expect("there are some").clone();
    let mut parsed = ParsedScene::from_ron("test.ron", SCENE).expect("it can be read");
    parsed.scene.drugs = vec![drug.clone()];
    let visit = Visit::new(Arc::new(parsed), "dish".into(), 1);
    let mut bench = Bench::new();
    bench.sandbox = Sandbox::begin(
        Arrival::new(visit, Counter::default()),
        Arc::new(|_: bool| {}),
    )
    .expect("a thread");
    bench.sandbox.save_to = folder.path().to_owned();
    bench.shown = Shown(Arc::new(snapshot()));
    let plan = Plan {
        mg_per_kg: 7.0,
        times: 3,
        every_days: 2.0,
    };
    bench.sandbox.plans.insert(drug.name.clone(), plan);
    bench.sandbox.gray = 8.0;
    let mut harness = bench.show(|ui, bench| {
        treatments::show(ui, &mut bench.sandbox, &bench.shown, 0);
    });
    let values = harness.get_all_by_label(&drug.label).count();
    assert_eq!(values, 3, "dose, number and interval of {}", drug.label);
    // The engine of the test refuses what it does not know, and says what that was.
    click(&mut harness, "Give");
    harness
        .state_mut()
        .wait(|bench| bench.sandbox.refusal.is_some());
    let told = harness.state().sandbox.refusal.clone().unwrap_or_default();
    for part in [drug.name.as_str(), "7.0", "times: 3", "Days(2.0)"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    click(&mut harness, "Inject");
    let drawn_up = harness.state().sandbox.syringe.drug.clone();
    assert_eq!(drawn_up, Some(drug.name.clone()));
    assert!(says(&harness, "Click where in the tissue it goes."));
    // Reports of the engine have no names of sites.
    harness.state_mut().shown = Shown(Arc::new(snapshot()));
    harness.run_steps(2);
    click(&mut harness, "Irradiate");
    harness.state_mut().wait(|bench| {
        let refusal = bench.sandbox.refusal.as_deref();
        refusal.is_some_and(|told| told.contains("Irradiat"))
    });
    let told = harness.state().sandbox.refusal.clone().unwrap_or_default();
    assert!(told.contains("8.0") && told.contains("breast"), "{told}");
}

#[test]
fn a_parameter_is_found_turned_and_put_back() {
    let mut bench = Bench::new();
    bench.wait(|bench| !bench.sandbox.dials.is_empty());
    let mut harness = bench.show(|ui, bench| parameters::show(ui, &mut bench.sandbox));
    harness.get_by_role(Role::TextInput).focus();
    harness.run_steps(2);
    harness.get_by_role(Role::TextInput).type_text("ai");
    harness.run_steps(10);
    harness.get_by_label("gain").focus();
    harness.run_steps(2);
    harness.key_press(Key::ArrowRight);
    harness.run_steps(2);
    harness
        .state_mut()
        .wait(|bench| !bench.sandbox.session.changes.is_empty());
    assert!(harness.state().sandbox.dials[0].knob.value > 1.0);
    harness.run_steps(2);
    click(&mut harness, "⟲");
    harness
        .state_mut()
        .wait(|bench| bench.sandbox.dials[0].knob.value == 1.0);
    harness.state_mut().sandbox.search = "glucose".into();
    harness.run_steps(10);
    assert!(!says(&harness, "gain"));
    harness.state_mut().sandbox.refusal = Some("too much".into());
    harness.run_steps(2);
    assert!(says(&harness, "too much"));
}

#[test]
fn what_was_changed_is_listed_as_it_will_be_saved() {
    let mut bench = Bench::new();
    bench.sandbox.treat(set("gain", 5.0));
    bench.wait(|bench| !bench.sandbox.session.changes.is_empty());
    let harness = bench.show(|ui, bench| changes::show(ui, &bench.sandbox));
    assert!(says(&harness, "explore_dish.ron"));
    assert!(says(&harness, "At(Hours(0), Set(\"gain\", 5))"));
}
