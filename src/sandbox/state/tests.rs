//! What the window knows, with a simulation of next to nothing.

use super::super::engine::tests::Counter;
use super::*;
use crate::scene::{ColourBy, Scene};

fn sandbox(scene: &str) -> Sandbox {
    sandbox_of(scene, Counter::default())
}

fn sandbox_of(scene: &str, engine: Counter) -> Sandbox {
    let visit = Visit::new(ron::from_str(scene).unwrap(), "test".into(), 1);
    Sandbox::open(visit, engine, |_| {}).unwrap()
}

const SCENE: &str = r#"(title: "T", about: "A", pace: Calibrated, duration: Hours(2), sites: [],
    timeline: [At(Hours(1), Label((text: "here", lasts: Hours(1)))), At(Hours(1), Label((text: "who", at: Some(Cell(9)), lasts: Hours(1))))])"#;

/// Receives reports until something holds.
fn wait(sandbox: &mut Sandbox, shown: &mut Shown, wanted: impl Fn(&Sandbox, &Shown) -> bool) {
    let start = Instant::now();
    let mut camera = ViewCamera::default();
    while !wanted(sandbox, shown) {
        assert!(start.elapsed() < Duration::from_secs(20));
        sandbox.receive(shown, &mut ViewSettings::default(), &mut camera);
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn labels_follow_the_timeline_where_what_they_point_at_is_there() {
    let timeline = Timeline::new(&ron::from_str(SCENE).unwrap());
    let labels = |hours| {
        let snapshot = Snapshot {
            hours,
            sites: vec![SiteSnapshot::default()],
            ..Snapshot::default()
        };
        let labels = labels_of(&timeline, &snapshot, 0).into_iter();
        labels.map(|label| label.text).collect::<Vec<_>>()
    };
    assert_eq!(labels(1.5), ["here"]);
    assert!(labels(2.5).is_empty());
}

#[test]
fn the_first_picture_is_the_one_the_scene_asks_for() {
    let scene: Scene = ron::from_str(
        r#"(title: "T", about: "A", pace: Calibrated, duration: Hours(2), sites: [
            (name: "a", organ: Breast, size_um: (9, 9, 9)), (name: "b", organ: Lung, size_um: (9, 9, 9))],
            stage: Alone, recording: (site: Some("b"), look: (colour_by: Category("mood"))))"#,
    )
    .unwrap();
    let settings = first_settings(&scene);
    assert_eq!(
        (settings.site, settings.look.colour_by.clone()),
        (1, ColourBy::Category("mood".into()))
    );
    assert_eq!(request_of(&settings).categories, ["mood"]);
    let scene = Scene {
        stage: crate::scene::StageLayout::default(),
        ..scene
    };
    assert_eq!(first_settings(&scene).site, WHOLE_STAGE);
}

#[test]
fn steps_fill_the_curves_and_running_can_be_paused() {
    let mut sandbox = sandbox(SCENE);
    let mut shown = Shown::default();
    sandbox.take_steps(3);
    wait(&mut sandbox, &mut shown, |_, shown| shown.0.step == 3);
    assert_eq!(sandbox.history().curve("sum").last(), Some(&[1.5, 3.0]));
    sandbox.set_pace(PACES.1 * 100.0, false);
    assert_eq!(sandbox.hours_per_second, PACES.1);
    sandbox.set_pace(1.0, true);
    sandbox.set_running(true);
    wait(&mut sandbox, &mut shown, |_, shown| shown.0.step > 20);
    sandbox.set_running(false);
    assert!(!sandbox.is_running);
}

#[test]
fn what_the_settings_show_is_asked_for_once_and_comes_while_time_stands_still() {
    let mut sandbox = sandbox(SCENE);
    let mut shown = Shown::default();
    wait(&mut sandbox, &mut shown, |_, shown| {
        !shown.0.sites.is_empty()
    });
    let settings = ViewSettings {
        selected: Some(7),
        ..ViewSettings::of_look(Look {
            colour_by: ColourBy::Quantity("warmth".into()),
            ..Look::default()
        })
    };
    sandbox.ask_for(&settings);
    assert_eq!(sandbox.asked_for.portrait, Some(7));
    wait(&mut sandbox, &mut shown, |_, shown| {
        let cells = shown.site(0).map(|site| &site.cells);
        cells.is_some_and(|cells| cells.quantity("warmth").is_some())
    });
    assert_eq!(shown.0.step, 0);
}

#[test]
fn a_turned_dial_shows_its_wish_at_once_and_is_marked_as_changed() {
    let mut sandbox = sandbox(SCENE);
    let mut shown = Shown::default();
    wait(&mut sandbox, &mut shown, |s, _| !s.dials.is_empty());
    assert!(!sandbox.dials[0].is_changed());
    sandbox.set_dial("gain", 4.0);
    assert_eq!(sandbox.dials[0].knob.value, 4.0);
    assert!(sandbox.dials[0].is_changed());
    wait(&mut sandbox, &mut shown, |s, _| {
        s.session.changes.len() == 1
    });
    assert_eq!(sandbox.dials[0].knob.value, 4.0);
    assert_eq!(sandbox.dials[0].initial, 1.0);
    // What was switched off comes back as it was.
    assert_eq!(sandbox.scale_when_on("gain"), 1.0);
    sandbox.set_dial("gain", 0.0);
    assert_eq!(sandbox.scale_when_on("gain"), 4.0);
    assert_eq!(sandbox.finish()[0].changes.len(), 1);
}

#[test]
fn a_refused_wish_falls_back_to_the_true_value() {
    let mut sandbox = sandbox(SCENE);
    let mut shown = Shown::default();
    wait(&mut sandbox, &mut shown, |s, _| !s.dials.is_empty());
    sandbox.set_dial("nonsense", 4.0);
    wait(&mut sandbox, &mut shown, |s, _| s.refusal.is_some());
    assert_eq!(sandbox.dials[0].knob.value, 1.0);
}

#[test]
fn the_picture_is_framed_by_itself_until_somebody_moves_the_camera() {
    let mut sandbox = sandbox(SCENE);
    let (mut shown, settings) = (Shown::default(), ViewSettings::default());
    let mut camera = ViewCamera::default();
    sandbox.follow_growth(&shown, &settings, &mut camera);
    assert_eq!(camera.pose, whole_view(&shown, &settings));
    let near = camera.pose;
    shown.0 = Arc::new(crate::simulation::Snapshot {
        sites: vec![SiteSnapshot {
            min_um: Vec3::splat(-900.0),
            max_um: Vec3::splat(900.0),
            ..SiteSnapshot::default()
        }],
        ..crate::simulation::Snapshot::default()
    });
    sandbox.follow_growth(&shown, &settings, &mut camera);
    assert!(camera.pose.distance_um > near.distance_um);
    camera.pose.azimuth_deg += 1.0;
    let moved = camera.pose;
    shown.0 = Arc::default();
    sandbox.follow_growth(&shown, &settings, &mut camera);
    assert_eq!(camera.pose, moved);
}

#[test]
fn a_breakdown_stops_the_clock() {
    let breaking = Counter {
        break_at: Some(1),
        ..Counter::default()
    };
    let mut sandbox = sandbox_of(SCENE, breaking);
    let mut shown = Shown::default();
    sandbox.set_running(true);
    wait(&mut sandbox, &mut shown, |s, _| s.is_broken);
    assert!(!sandbox.is_running);
}
