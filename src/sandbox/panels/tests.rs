//! Every panel as a person finds it: each control by its label, doing what it says.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::math::Vec3;
use bevy_egui::egui::accesskit::{Role, Toggled};
use bevy_egui::egui::{self, Key, Pos2, Ui, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};

use super::super::arrival::{Arrival, Load};
use super::super::browser::Browser;
use super::super::engine::tests::{Counter, set};
use super::super::layout::Theme;
use super::super::state::{Plan, Sandbox};
use super::super::visit::Visit;
use super::*;
use crate::core::diagram::{DiagramInfo, Drawing, TreeLine};
use crate::core::metric::Metric;
use crate::core::quantity::{Category, Quantity};
use crate::scene::look::Axis;
use crate::scene::{ColourBy, ParsedScene, Style};
use crate::simulation::{
    CellGlyphs, CellTypeStyle, FieldSnapshot, Portrait, SiteSnapshot, Snapshot, WHOLE_STAGE,
};

/// What the panels share, without a window.
struct Bench {
    sandbox: Sandbox,
    shown: Shown,
    settings: ViewSettings,
    camera: ViewCamera,
}

const SCENE: &str = r#"(title: "A dish", about: "Cells.", pace: Calibrated, duration: Hours(10), sites: [],
    timeline: [
        At(Hours(0), Chapter("1", "It begins")), At(Hours(1), Caption("Something happens.")),
        At(Hours(4), Chapter("2", "It goes on")), At(Hours(0), Camera(distance_um: 500)), At(Hours(5), Look(style: Plain)), At(Hours(0), Look(style: Rich)),
    ])"#;

fn arrival(scene: &str, name: &str) -> Arrival {
    let scene = ParsedScene::from_ron("test.ron", scene).expect("it can be read");
    let visit = Visit::new(Arc::new(scene), name.into(), 1);
    Arrival::new(visit, Counter::default())
}

impl Bench {
    fn new() -> Self {
        let sandbox = Sandbox::begin(arrival(SCENE, "dish"), Arc::new(|_: bool| {}));
        Self {
            sandbox: sandbox.expect("a thread"),
            shown: Shown::default(),
            settings: ViewSettings::default(),
            camera: ViewCamera::default(),
        }
    }

    fn receive(&mut self) {
        self.sandbox
            .welcome(&mut self.shown, &mut self.settings, &mut self.camera);
        self.sandbox
            .receive(&mut self.shown, &mut self.settings, &mut self.camera);
    }

    /// Takes in reports until something holds.
    fn wait(&mut self, wanted: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !wanted(self) {
            assert!(start.elapsed() < Duration::from_secs(20), "it never holds");
            self.receive();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Shows a panel of it.
    fn show(self, panel: fn(&mut Ui, &mut Self)) -> Harness<'static, Self> {
        let tall = Harness::builder().with_size(vec2(460.0, 3200.0));
        let mut is_dressed = false;
        let mut harness = tall.build_ui_state(
            move |ui, bench: &mut Self| {
                if !is_dressed {
                    theme::apply(ui.ctx(), bench.sandbox.layout.theme);
                    is_dressed = true;
                }
                panel(ui, bench);
            },
            self,
        );
        harness.run_steps(4);
        harness
    }
}

/// Clicks what has this label.
fn click(harness: &mut Harness<'_, Bench>, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(3);
}

/// Whether something has this label.
fn says(harness: &Harness<'_, Bench>, label: &str) -> bool {
    harness.query_all_by_label_contains(label).next().is_some()
}

/// A snapshot of two sites with cells of two types, a field and something to colour by.
fn snapshot() -> Snapshot {
    let site = |name: &str, types: Vec<u16>| SiteSnapshot {
        name: name.into(),
        min_um: Vec3::splat(-50.0),
        max_um: Vec3::splat(50.0),
        cells: CellGlyphs {
            sphere_um: (0..types.len())
                .map(|cell| [10.0 * cell as f32, 2.0, 3.0, 8.0])
                .collect(),
            id: (1..=types.len() as u64).collect(),
            cell_type: types,
            ..CellGlyphs::default()
        },
        ..SiteSnapshot::default()
    };
    let style = |name: &str| CellTypeStyle {
        name: name.into(),
        colour: [0.5; 3],
    };
    let category = Category {
        name: "mood".into(),
        label: "mood".into(),
        about: "How it feels.".into(),
        values: Vec::new(),
        prevails: false,
        of_the_living: false,
    };
    let metric = |name: &str, plot: &str| Metric::new(name, "", "About it.").plot(plot);
    Snapshot {
        cell_types: vec![style("round_cell"), style("long_cell")],
        catalogue: Arc::new(Catalogue {
            categories: vec![category],
            quantities: vec![Quantity::new("sea.depth", "m", "How deep.").featured()],
            metrics: vec![metric("sum", "Sums"), metric("rain", "Weather")],
            ..Catalogue::default()
        }),
        sites: vec![site("breast", vec![0, 0, 1]), site("lung", vec![1])],
        portrait: Some(Portrait {
            id: 2,
            quantities: vec![("depth".into(), 12.34, "um".into())],
            ..Portrait::default()
        }),
        ..Snapshot::default()
    }
}

fn left_panel(ui: &mut Ui, bench: &mut Bench) {
    controls::show(
        ui,
        &mut bench.sandbox,
        &bench.shown,
        &mut bench.settings,
        &mut bench.camera,
    );
}

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
fn what_is_shown_is_chosen() {
    let mut bench = Bench::new();
    bench.shown = Shown(Arc::new(Snapshot {
        whole: Some(SiteSnapshot::default()),
        ..snapshot()
    }));
    let mut harness = bench.show(left_panel);
    click(&mut harness, "lung");
    assert_eq!(harness.state().settings.site, 1);
    click(&mut harness, "all");
    assert_eq!(harness.state().settings.site, WHOLE_STAGE);
    click(&mut harness, "breast");
    assert_eq!(harness.state().settings.site, 0);
    click(&mut harness, "2  Mood");
    let mood = ColourBy::Category("mood".into());
    assert_eq!(harness.state().settings.look.colour_by, mood);
    click(&mut harness, "3  Sea depth");
    let depth = ColourBy::Quantity("sea.depth".into());
    assert_eq!(harness.state().settings.look.colour_by, depth);

    click(&mut harness, "Cut the tissue open");
    click(&mut harness, "z");
    click(&mut harness, "Take away the other side");
    harness.get_by_label("Across").focus();
    harness.run_steps(2);
    harness.key_press(Key::ArrowRight);
    harness.run_steps(2);
    let cut = harness.state().settings.look.cut.expect("it is cut open");
    assert!(
        cut.axis == Axis::Z && cut.flip && cut.at_um > 0.0,
        "{cut:?}"
    );
    click(&mut harness, "Show a molecule on a plane");
    click(&mut harness, "Cut the tissue open");
    click(&mut harness, "x");
    let slice = harness.state().settings.look.slice.clone();
    let slice = slice.expect("there is a plane");
    assert_eq!((slice.molecule.as_str(), slice.axis), ("oxygen", Axis::X));
    click(&mut harness, "Cut the tissue open");
    click(&mut harness, "Put the slice on the cut");
    let look = &harness.state().settings.look;
    let place = look.slice.as_ref().map(|slice| (slice.axis, slice.at_um));
    assert_eq!(place, look.cut.map(|cut| (cut.axis, cut.at_um)));
}

#[test]
fn the_molecule_of_the_plane_is_chosen_from_those_there_are() {
    let mut bench = Bench::new();
    let mut snapshot = snapshot();
    let shipped = crate::scene::CellLibrary::shipped().expect("it can be read");
    let field = |name: &str| FieldSnapshot {
        molecule: shipped
            .molecules
            .list()
            .iter()
            .find(|molecule| molecule.name == name)
            .expect("it is shipped")
            .clone(),
        dims: bevy::math::UVec3::ONE,
        origin_um: Vec3::splat(-50.0),
        spacing_um: Vec3::splat(100.0),
        values: vec![1.0],
    };
    let (oxygen, glucose) = (field("oxygen"), field("glucose"));
    let text = |field: &FieldSnapshot| format!("{}, {}", field.molecule.label, field.molecule.unit);
    let (first, second) = (text(&oxygen), text(&glucose));
    snapshot.sites[0].fields = vec![oxygen, glucose];
    bench.shown = Shown(Arc::new(snapshot));
    let mut harness = bench.show(left_panel);
    click(&mut harness, "Show a molecule on a plane");
    let says_it = |text: Option<String>| text.is_some_and(|text| text.contains(&first));
    harness
        .get_by(|node| {
            node.role() == Role::ComboBox && (says_it(node.label()) || says_it(node.value()))
        })
        .click();
    harness.run_steps(3);
    click(&mut harness, &second);
    let slice = harness.state().settings.look.slice.clone();
    assert_eq!(slice.expect("it is on").molecule.as_str(), "glucose");
}

#[test]
fn camera_drawing_and_window_are_set() {
    let mut bench = Bench::new();
    bench.shown = Shown(Arc::new(snapshot()));
    let mut harness = bench.show(left_panel);
    assert!(harness.state().sandbox.follows, "there is a film");
    click(&mut harness, "Follow the film");
    assert!(!harness.state().sandbox.follows);
    click(&mut harness, "plain");
    assert_eq!(harness.state().settings.look.style, Style::Plain);
    click(&mut harness, "rich");
    assert_eq!(harness.state().settings.look.style, Style::Rich);
    click(&mut harness, "light");
    assert_eq!(harness.state().sandbox.layout.theme, Theme::Light);
    click(&mut harness, "dark");
    assert_eq!(harness.state().sandbox.layout.theme, Theme::Dark);
    click(&mut harness, "A+");
    assert!(harness.state().sandbox.layout.text_scale > 1.0);
    click(&mut harness, "A−");
    click(&mut harness, "A−");
    assert!(harness.state().sandbox.layout.text_scale < 1.0);
    click(&mut harness, "Fly");
    click(&mut harness, "Help");
    assert!(harness.state().sandbox.is_flying && harness.state().sandbox.is_help_open);
    harness.state_mut().camera.pose.distance_um = 7.0;
    click(&mut harness, "Show everything");
    assert!(harness.state().camera.pose.distance_um > 50.0);
}

#[test]
fn types_of_cells_are_left_out_and_shown_again() {
    let mut bench = Bench::new();
    bench.shown = Shown(Arc::new(snapshot()));
    bench.sandbox.types = [0, 1].into();
    let mut harness = bench.show(|ui, bench| {
        types::show(ui, &bench.sandbox, &bench.shown, &mut bench.settings);
    });
    let hidden = |harness: &Harness<'_, Bench>| harness.state().settings.look.hidden_types.clone();
    assert!(says(&harness, "long cell, 1"));
    let of_round = harness
        .get_by_label("round cell, 2")
        .accesskit_node()
        .toggled();
    assert_eq!(of_round, Some(Toggled::True));
    click(&mut harness, "round cell, 2");
    assert_eq!(hidden(&harness), ["round_cell"]);
    click(&mut harness, "long cell, 1");
    click(&mut harness, "round cell, hidden");
    assert_eq!(hidden(&harness), ["long_cell"]);
    click(&mut harness, "Show all types");
    assert!(hidden(&harness).is_empty());
    assert!(!says(&harness, "Show all types"));
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
fn plots_are_chosen_and_the_choice_is_kept() {
    let mut bench = Bench::new();
    bench.sandbox.take_steps(3);
    bench.wait(|bench| bench.shown.0.step == 3);
    bench.shown = Shown(Arc::new(Snapshot {
        step: 3,
        hours: 1.5,
        ..snapshot()
    }));
    let mut harness = bench.show(|ui, bench| plots::show(ui, &mut bench.sandbox, &bench.shown));
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
