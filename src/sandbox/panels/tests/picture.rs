//! What is shown and how: the left panel beside its time.

use bevy_egui::egui::Key;
use bevy_egui::egui::accesskit::{Role, Toggled};
use egui_kittest::kittest::NodeT;

use super::*;
use crate::scene::look::Axis;
use crate::scene::{ColourBy, Style};
use crate::simulation::{FieldSnapshot, WHOLE_STAGE};

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
