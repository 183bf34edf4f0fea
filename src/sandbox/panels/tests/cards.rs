//! Cards over the picture: other scenes, what has to be said, the help.

use std::path::{Path, PathBuf};

use bevy_egui::egui::accesskit::Role;

use super::super::super::arrival::Load;
use super::super::super::browser::Browser;
use super::super::super::engine::tests::set;
use super::*;

/// Loads scenes of next to nothing; those that are called wrong are.
fn loader() -> Load {
    Arc::new(|path: &Path| {
        if path.ends_with("scenes/krogh.ron") {
            return Err("krogh.ron:7: there is no such molecule".to_owned());
        }
        let scene = SCENE.replace("A dish", "Another dish");
        Ok(arrival(&scene, "another"))
    })
}

#[test]
fn another_scene_is_chosen_from_the_list_and_what_was_changed_in_this_one_is_saved() {
    let folder = tempfile::tempdir().expect("there is room");
    let mut bench = Bench::new();
    bench.sandbox.browser = Browser::new(loader(), PathBuf::from("scenes/dish.ron"));
    bench.sandbox.save_to = folder.path().to_owned();
    bench.sandbox.layout.text_scale = 1.3;
    bench.sandbox.treat(set("gain", 2.0));
    bench.sandbox.take_steps(2);
    bench.wait(|bench| bench.shown.0.step == 2);
    let mut harness = bench.show(|ui, bench| {
        bench.receive();
        scenes::buttons(ui, &mut bench.sandbox);
        if bench.sandbox.browser.is_open {
            scenes::list(ui, &mut bench.sandbox, 2500.0);
        }
    });
    let until = |harness: &mut Harness<'_, Bench>, wanted: &dyn Fn(&Harness<'_, Bench>) -> bool| {
        let start = Instant::now();
        while !wanted(harness) {
            assert!(start.elapsed() < Duration::from_secs(20), "it never comes");
            std::thread::sleep(Duration::from_millis(5));
            harness.step();
        }
    };
    click(&mut harness, "Scenes…");
    until(&mut harness, &|harness| says(harness, "Krogh's cylinder"));
    harness.get_by_role(Role::TextInput).focus();
    harness.run_steps(2);
    harness
        .get_by_role(Role::TextInput)
        .type_text("capillary feeds");
    harness.run_steps(3);
    assert!(!says(&harness, "The hypoxic core"));

    click(&mut harness, "Krogh's cylinder");
    until(&mut harness, &|harness| {
        says(harness, "there is no such molecule")
    });
    assert_eq!(harness.state().sandbox.visit.name, "dish");
    assert_eq!(harness.state().shown.0.step, 2);

    harness.state_mut().sandbox.browser.search.clear();
    harness.run_steps(3);
    click(&mut harness, "The hypoxic core");
    until(&mut harness, &|harness| {
        let sandbox = &harness.state().sandbox;
        sandbox.visit.name == "another" && !sandbox.kept.is_empty()
    });
    let saved = folder.path().join("explore_dish.ron");
    assert_eq!(harness.state().sandbox.kept, std::slice::from_ref(&saved));
    let text = std::fs::read_to_string(saved).expect("it was written");
    assert!(text.contains("Set(\"gain\", 2)"), "{text}");
    let sandbox = &harness.state().sandbox;
    assert_eq!(sandbox.visit.scene().title, "Another dish");
    assert_eq!(sandbox.layout.text_scale, 1.3, "the window stays as it was");
    assert!(!sandbox.browser.is_open && sandbox.browser.problem.is_none());
    assert!(sandbox.session.changes.is_empty() && !sandbox.is_running);
    harness
        .state_mut()
        .wait(|bench| !bench.shown.0.sites.is_empty());

    let bench = harness.state_mut();
    bench.sandbox.take_steps(3);
    bench.wait(|bench| bench.shown.0.step == 3);
    harness.run_steps(2);
    click(&mut harness, "Restart");
    until(&mut harness, &|harness| harness.state().shown.0.step == 0);
    let kept = harness.state_mut().sandbox.finish();
    assert_eq!(kept.expect("all is saved").len(), 1);
}

#[test]
fn what_has_to_be_said_stays_until_it_is_put_away() {
    let mut bench = Bench::new();
    bench.sandbox.notice = Some("curves: here.csv".into());
    bench.sandbox.set_dial("nonsense", 4.0);
    bench.wait(|bench| bench.sandbox.refusal.is_some());
    let mut harness = bench.show(|ui, bench| {
        let free = ui.max_rect();
        let below = notices(ui.ctx(), free, &mut bench.sandbox);
        assert!(below >= free.min.y);
    });
    assert!(says(&harness, "curves: here.csv") && says(&harness, "no such thing"));
    click(&mut harness, "OK");
    assert!(!says(&harness, "curves: here.csv") && !says(&harness, "no such thing"));
    let bench = harness.state_mut();
    bench.sandbox.set_dial("gain", 4.0);
    bench.wait(|bench| bench.sandbox.refusal.is_none());
    bench.sandbox.set_dial("nonsense", 4.0);
    bench.wait(|bench| bench.sandbox.refusal.is_some());
    harness.run_steps(2);
    assert!(
        says(&harness, "no such thing"),
        "the next one is told again"
    );
}

#[test]
fn the_help_names_every_key() {
    let mut bench = Bench::new();
    bench.shown = Shown(Arc::new(snapshot()));
    bench.sandbox.is_help_open = true;
    let harness = bench.show(|ui, bench| {
        let free = ui.max_rect();
        help(ui.ctx(), free, &bench.shown.0.catalogue, &mut bench.sandbox);
    });
    for text in ["Space", "bookmark", "record a film", "other scenes", "Mood"] {
        assert!(says(&harness, text), "{text}");
    }
}
