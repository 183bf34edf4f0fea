//! Time: let run, gone back in, and kept by bookmarks.

use bevy_egui::egui::{self, Key, Pos2};

use super::super::super::engine::tests::set;
use super::*;
use crate::scene::Style;

#[test]
fn time_is_let_run_stopped_and_taken_step_by_step() {
    let mut bench = Bench::new();
    bench.wait(|bench| !bench.shown.0.sites.is_empty());
    let mut harness = bench.show(left_panel);
    assert!(says(&harness, "A dish") && says(&harness, "Cells."));
    click(&mut harness, "▶ Play");
    assert!(harness.state().sandbox.is_running);
    click(&mut harness, "⏸ Pause");
    assert!(!harness.state().sandbox.is_running);
    let before = harness.state().shown.0.step;
    click(&mut harness, "⏭ One step");
    harness
        .state_mut()
        .wait(|bench| bench.shown.0.step > before);
    let pace = harness.state().sandbox.hours_per_second;
    harness.get_by_label("Tissue time per second").focus();
    harness.run_steps(2);
    harness.key_press(Key::ArrowRight);
    harness.run_steps(2);
    assert!(harness.state().sandbox.hours_per_second > pace);
    click(&mut harness, "As fast as possible");
    assert!(harness.state().sandbox.is_unbounded);
    harness.state_mut().sandbox.go_to(10.0);
    harness
        .state_mut()
        .wait(|bench| bench.shown.0.hours >= 10.0);
    harness.run_steps(2);
    assert!(says(&harness, "The scene is over."));
}

#[test]
fn the_time_line_leads_back_on_and_to_other_futures() {
    let mut bench = Bench::new();
    bench.sandbox.take_steps(10);
    bench.wait(|bench| bench.shown.0.step == 10);
    let mut harness = bench.show(|ui, bench| {
        let (settings, camera) = (&bench.settings, &bench.camera);
        time_line::show(ui, &mut bench.sandbox, &bench.shown, settings, camera);
    });
    click(&mut harness, "⏮");
    harness.state_mut().wait(|bench| bench.shown.0.step == 0);
    let bar = harness
        .get_by_label("Time line")
        .rect()
        .shrink2(vec2(8.0, 0.0));
    let press = |harness: &mut Harness<'_, Bench>, share: f32| {
        let pos = Pos2::new(bar.left() + share * bar.width(), bar.center().y);
        harness.event(egui::Event::PointerMoved(pos));
        for pressed in [true, false] {
            harness.event(egui::Event::PointerButton {
                pos,
                button: egui::PointerButton::Primary,
                pressed,
                modifiers: egui::Modifiers::NONE,
            });
        }
        harness.run_steps(3);
    };
    press(&mut harness, 0.3);
    let bench = harness.state_mut();
    bench.wait(|bench| bench.shown.0.step >= 6 && bench.sandbox.past.goal.is_none());
    assert!(
        (bench.shown.0.hours - 3.0).abs() <= 0.5,
        "{}",
        bench.shown.0.hours
    );
    bench.sandbox.treat(set("gain", 5.0));
    bench.wait(|bench| bench.sandbox.past.branches.len() == 2);
    harness.run_steps(2);
    click(&mut harness, "as it was");
    harness
        .state_mut()
        .wait(|bench| bench.sandbox.past.active == 0 && bench.shown.0.step == 10);
    harness.run_steps(2);
    harness.get_by_label_contains("2: changed at").click();
    harness.run_steps(3);
    harness
        .state_mut()
        .wait(|bench| bench.sandbox.past.active == 1);
    click(&mut harness, "▶");
    assert!(harness.state().sandbox.is_running);
    click(&mut harness, "⏸");
    click(&mut harness, "⏺");
    assert!(harness.state().sandbox.film.is_some());
    click(&mut harness, "⚑");
    let bookmarks = &harness.state().sandbox.bookmarks;
    assert_eq!((bookmarks.len(), bookmarks[0].branch), (1, 1));
}

#[test]
fn chapters_are_gone_through_one_by_one_and_from_a_list() {
    let mut bench = Bench::new();
    bench.sandbox.take_steps(2);
    bench.wait(|bench| bench.shown.0.step == 2);
    bench.sandbox.set_following(false);
    let mut harness = bench.show(|ui, bench| {
        let (settings, camera) = (&bench.settings, &bench.camera);
        time_line::show(ui, &mut bench.sandbox, &bench.shown, settings, camera);
    });
    click(&mut harness, "⏩");
    let is_at =
        |bench: &Bench, step| bench.shown.0.step == step && bench.sandbox.past.goal.is_none();
    harness.state_mut().wait(|bench| is_at(bench, 8));
    assert!(harness.state().sandbox.follows, "a tour is led");
    harness.run_steps(2);
    click(&mut harness, "⏪");
    harness.state_mut().wait(|bench| is_at(bench, 0));
    harness.run_steps(2);
    click(&mut harness, "Chapters");
    harness.get_by_label_contains("It goes on").click();
    harness.run_steps(3);
    harness.state_mut().wait(|bench| is_at(bench, 8));
}

#[test]
fn bookmarks_lead_back_and_things_are_taken_along() {
    let folder = tempfile::tempdir().expect("there is room");
    let mut bench = Bench::new();
    bench.sandbox.save_to = folder.path().to_owned();
    bench.sandbox.take_steps(4);
    bench.wait(|bench| bench.shown.0.step == 4);
    bench.settings.look.style = Style::Plain;
    bench.camera.pose.distance_um = 123.0;
    let mut harness = bench.show(|ui, bench| {
        bookmarks::show(
            ui,
            &mut bench.sandbox,
            &bench.shown,
            &mut bench.settings,
            &mut bench.camera,
        );
    });
    click(&mut harness, "Add bookmark");
    let name = harness.state().sandbox.bookmarks[0].name.clone();
    let bench = harness.state_mut();
    bench.sandbox.take_steps(3);
    bench.wait(|bench| bench.shown.0.step == 7);
    bench.settings = ViewSettings::default();
    bench.camera.pose.distance_um = 9.0;
    click(&mut harness, &name);
    let bench = harness.state_mut();
    bench.wait(|bench| bench.shown.0.step == 4);
    assert_eq!(bench.camera.pose.distance_um, 123.0);
    assert_eq!(bench.settings.look.style, Style::Plain);
    assert!(!bench.sandbox.follows);
    click(&mut harness, "✖ 1");
    assert!(harness.state().sandbox.bookmarks.is_empty());

    click(&mut harness, "Keep picture");
    assert!(harness.state().sandbox.wants_picture);
    click(&mut harness, "Keep curves");
    let notice = harness.state().sandbox.notice.clone();
    assert!(notice.is_some_and(|notice| notice.starts_with("curves: ")));
    assert!(folder.path().join("explore_dish_curves.csv").is_file());
    click(&mut harness, "⏺ Record");
    assert!(harness.state().sandbox.film.is_some());
    click(&mut harness, "⏹ Stop at frame 0");
    assert!(harness.state().sandbox.film.is_none());
    let notice = harness.state().sandbox.notice.clone();
    assert!(notice.is_some_and(|notice| notice.contains("no frames")));
}

#[test]
fn a_bookmark_on_another_branch_leads_there() {
    let mut bench = Bench::new();
    bench.sandbox.take_steps(6);
    bench.wait(|bench| bench.shown.0.step == 6);
    let (settings, camera) = (bench.settings.clone(), bench.camera);
    bench
        .sandbox
        .add_bookmark(bench.shown.0.hours, &settings, &camera);
    bench.sandbox.go_to(1.0);
    bench.wait(|bench| bench.shown.0.step == 2 && bench.sandbox.past.goal.is_none());
    bench.sandbox.treat(set("gain", 5.0));
    bench.sandbox.take_steps(1);
    bench.wait(|bench| bench.shown.0.step == 3 && bench.sandbox.past.active == 1);
    let Bench {
        sandbox,
        settings,
        camera,
        ..
    } = &mut bench;
    sandbox.go_to_bookmark(0, settings, camera);
    bench.wait(|bench| {
        bench.shown.0.step == 6
            && bench.sandbox.past.active == 0
            && bench.sandbox.past.goal.is_none()
    });
}
