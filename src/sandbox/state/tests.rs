//! What the window knows, with a simulation of next to nothing.

use super::super::arrival::Arrival;
use super::super::engine::tests::Counter;
use super::*;
use crate::scene::{ColourBy, ParsedScene, Stage};
use crate::simulation::Snapshot;

fn sandbox(scene: &str) -> Sandbox {
    sandbox_of(scene, Counter::default())
}

fn sandbox_of(scene: &str, engine: Counter) -> Sandbox {
    let visit = Visit::new(Arc::new(parsed(scene)), "test".into(), 1);
    Sandbox::begin(Arrival::new(visit, engine), Arc::new(|_: bool| {})).expect("a thread")
}

fn parsed(scene: &str) -> ParsedScene {
    ParsedScene::from_ron("test.ron", scene).expect("it can be read")
}

const SCENE: &str = r#"(title: "T", about: "A", pace: Calibrated, duration: Hours(2), sites: [],
    timeline: [At(Hours(1), Label(text: "here", lasts: Hours(1))), At(Hours(1), Label(text: "who", at: Cell(9), lasts: Hours(1)))])"#;

fn visit(scene: &str) -> Visit {
    Visit::new(Arc::new(parsed(scene)), "test".into(), 1)
}

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
    let timeline = parsed(SCENE).timeline;
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
    let scene = |stage: &str| {
        format!(
            r#"(title: "T", about: "A", pace: Calibrated, duration: Hours(2), sites: [
            (name: "a", organ: Breast, size_um: (9, 9, 9)), (name: "b", organ: Lung, size_um: (9, 9, 9))],
            {stage} recording: (site: "b", look: (colour_by: Category("mood"))))"#
        )
    };
    let settings = first_settings(&visit(&scene("stage: Alone,")));
    assert_eq!(
        (settings.site, settings.look.colour_by.clone()),
        (1, ColourBy::Category("mood".into()))
    );
    assert_eq!(request_of(&settings).categories, ["mood"]);
    assert_eq!(first_settings(&visit(&scene(""))).site, WHOLE_STAGE);
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
    shown.0 = Arc::new(Snapshot {
        sites: vec![SiteSnapshot {
            min_um: Vec3::splat(-900.0),
            max_um: Vec3::splat(900.0),
            ..SiteSnapshot::default()
        }],
        ..Snapshot::default()
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
fn a_hand_on_the_camera_takes_over_from_the_film_and_nothing_moves_it_then() {
    let film = SCENE.replace(
        "[At(",
        "[At(Hours(0), Look(style: Plain)), At(Hours(2), Look(style: Rich)), At(",
    );
    let mut sandbox = sandbox(&film);
    let (mut shown, mut settings) = (Shown::default(), ViewSettings::default());
    let mut camera = ViewCamera::default();
    let mut step = |sandbox: &mut Sandbox, settings: &mut ViewSettings, camera: &mut ViewCamera| {
        let before = shown.0.step;
        sandbox.take_steps(1);
        let start = Instant::now();
        while shown.0.step == before {
            assert!(start.elapsed() < Duration::from_secs(20));
            sandbox.receive(&mut shown, settings, camera);
        }
    };
    step(&mut sandbox, &mut settings, &mut camera);
    assert!(sandbox.follows);
    assert_eq!(settings.look.style, crate::scene::Style::Plain);
    camera.pose.azimuth_deg += 3.0;
    let moved = camera.pose;
    for _ in 0..6 {
        step(&mut sandbox, &mut settings, &mut camera);
        assert_eq!(camera.pose, moved);
    }
    assert!(!sandbox.follows);
    assert_eq!(settings.look.style, crate::scene::Style::Plain);
    sandbox.set_following(true);
    step(&mut sandbox, &mut settings, &mut camera);
    assert_eq!(settings.look.style, crate::scene::Style::Rich);
}

#[test]
fn orders_are_taken_at_once_while_a_step_takes_a_second() {
    let slow = Counter {
        step_time: Duration::from_secs(1),
        ..Counter::default()
    };
    let mut sandbox = sandbox_of(SCENE, slow);
    let (mut shown, mut settings) = (Shown::default(), ViewSettings::default());
    let mut camera = ViewCamera::default();
    wait(&mut sandbox, &mut shown, |s, _| !s.dials.is_empty());
    sandbox.set_pace(1.0, true);
    sandbox.set_running(true);
    // In the middle of the first step.
    std::thread::sleep(Duration::from_millis(300));
    let mut slowest = Duration::ZERO;
    let mut answer = |what: &mut dyn FnMut()| {
        let start = Instant::now();
        what();
        slowest = slowest.max(start.elapsed());
    };
    answer(&mut || sandbox.set_dial("gain", 3.0));
    assert_eq!(
        sandbox.dials[0].knob.value, 3.0,
        "the slider stays where it was put"
    );
    answer(&mut || sandbox.receive(&mut shown, &mut settings, &mut camera));
    answer(&mut || sandbox.add_bookmark(shown.0.hours, &settings, &camera));
    answer(&mut || {
        sandbox.ask_for(&ViewSettings {
            selected: Some(3),
            ..settings.clone()
        })
    });
    answer(&mut || sandbox.set_pace(4.0, false));
    answer(&mut || sandbox.go_to(0.0));
    answer(&mut || sandbox.take_steps(1));
    answer(&mut || sandbox.set_running(true));
    answer(&mut || sandbox.set_running(false));
    assert!(!sandbox.is_running);
    answer(&mut || sandbox.go_to_bookmark(0, &mut settings, &mut camera));
    assert!(slowest < Duration::from_millis(100), "{slowest:?}");
}

#[test]
fn what_breaks_down_in_the_window_does_not_take_the_simulation_along() {
    let folder = tempfile::tempdir().expect("there is room");
    let mut sandbox = sandbox(SCENE);
    sandbox.save_to = folder.path().to_owned();
    let lifeline = super::super::parting::SharedLifeline::default();
    sandbox.hold_on_to(Arc::clone(&lifeline));
    let mut shown = Shown::default();
    wait(&mut sandbox, &mut shown, |s, _| !s.dials.is_empty());
    sandbox.set_dial("gain", 2.0);
    sandbox.take_steps(3);
    wait(&mut sandbox, &mut shown, |_, shown| shown.0.step == 3);
    let kept = super::super::parting::rescue(&lifeline);
    let [run, changes] = &kept[..] else {
        panic!("a run and what was changed: {kept:?}");
    };
    assert_eq!(*run, Ok(folder.path().join("explore_test_run at step 3")));
    let changes = changes.as_ref().expect("it can be written");
    assert!(changes.is_file());
    assert!(super::super::parting::rescue(&lifeline).is_empty(), "once");
    // And with a lifeline that was let go of, closing does not hang.
    sandbox.hold_on_to(lifeline);
    assert_eq!(sandbox.finish().expect("it can be written").len(), 1);
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

#[test]
fn an_injection_goes_into_the_block_that_was_clicked_in_its_own_coordinates() {
    let mut sandbox = sandbox(SCENE);
    let block = |name: &str| SiteSnapshot {
        name: name.into(),
        min_um: Vec3::splat(-50.0),
        max_um: Vec3::splat(50.0),
        ..SiteSnapshot::default()
    };
    let mut snapshot = Snapshot {
        sites: vec![block("left"), block("right")],
        ..Snapshot::default()
    };
    snapshot.set_stage(Stage {
        places_um: vec![Vec3::X * -100.0, Vec3::X * 100.0],
        focus: 0,
        is_shared: true,
    });
    let shown = Shown(Arc::new(snapshot));
    sandbox.inject(&shown, WHOLE_STAGE, Vec3::X * 110.0);
    assert_eq!(sandbox.notice, None, "there is nothing in the syringe");
    sandbox.syringe.drug = Some("dye".into());
    sandbox.inject(&shown, WHOLE_STAGE, Vec3::Y * 200.0);
    assert!(sandbox.notice.is_some(), "there is no tissue");
    sandbox.syringe.drug = Some("dye".into());
    sandbox.inject(&shown, WHOLE_STAGE, Vec3::X * 110.0);
    assert_eq!(sandbox.syringe.drug, None);
    let mut shown = Shown::default();
    wait(&mut sandbox, &mut shown, |sandbox, _| {
        sandbox.refusal.is_some()
    });
    let refused = sandbox.refusal.clone().expect("the counter knows no drugs");
    assert!(
        refused.contains("\"right\"") && refused.contains("(10.0, 0.0, 0.0)"),
        "{refused}"
    );
}
