//! The thread that owns the simulation, with one of next to nothing.

use super::super::engine::tests::{Counter, set};
use super::*;

fn spawn(engine: Counter) -> Worker {
    Worker::spawn(engine, SnapshotRequest::default(), |_| {}).unwrap()
}

/// Waits for a report that satisfies `wanted`; the newest one before the time is up otherwise.
fn wait_for(worker: &Worker, wanted: impl Fn(&Report) -> bool) -> Report {
    let start = Instant::now();
    loop {
        if let Some(report) = worker.report()
            && wanted(&report)
        {
            return report;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "no such report");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn it_starts_paused_and_shows_the_beginning() {
    let worker = spawn(Counter::default());
    let report = wait_for(&worker, |_| true);
    assert_eq!(report.snapshot.step, 0);
    std::thread::sleep(Duration::from_millis(30));
    assert!(worker.report().is_none());
    assert_eq!(worker.finish().unwrap()[0].minutes_seen, 0.0);
}

#[test]
fn single_steps_are_counted_exactly_and_the_last_one_is_reported() {
    let worker = spawn(Counter::default());
    worker.order(Order::Steps(3));
    worker.order(Order::Steps(4));
    wait_for(&worker, |report| report.snapshot.step == 7);
    std::thread::sleep(Duration::from_millis(20));
    assert!(worker.report().is_none(), "no step beyond those asked for");
}

#[test]
fn a_pause_stops_it_and_the_report_is_the_final_state() {
    let worker = spawn(Counter::default());
    worker.order(Order::Pace(Pace::AsFastAsPossible));
    wait_for(&worker, |report| report.snapshot.step > 10);
    worker.order(Order::Pace(Pace::Paused));
    std::thread::sleep(Duration::from_millis(30));
    let last = worker.report().map(|report| report.snapshot.step);
    let session = worker.finish().unwrap().remove(0);
    if let Some(step) = last {
        assert_eq!(session.minutes_seen, step as f64 * 30.0);
    }
}

#[test]
fn a_change_takes_effect_at_a_boundary_and_is_logged_with_its_time() {
    // A step that takes a while: the change comes in the middle of the second one.
    let worker = spawn(Counter {
        step_time: Duration::from_millis(60),
        ..Counter::default()
    });
    worker.order(Order::Steps(3));
    wait_for(&worker, |report| report.snapshot.step == 1);
    worker.order(Order::Change(set("gain", 5.0)));
    let report = wait_for(&worker, |report| report.snapshot.step == 3);
    assert_eq!(report.knobs[0].value, 5.0);
    // Step 1 adds 1, step 2 adds 1 (it had begun), step 3 adds 5 — or the change was in time for step 2.
    let sum = report.snapshot.sites[0].metrics.get("sum").unwrap();
    let changes = report.session.changes.clone();
    assert_eq!(changes.len(), 1);
    let at_step = (changes[0].minutes / 30.0) as u64;
    assert_eq!(sum, at_step as f64 + (3 - at_step) as f64 * 5.0);
    assert!((1..=2).contains(&at_step));
}

#[test]
fn a_session_replayed_at_its_times_gives_the_same_state() {
    let worker = spawn(Counter::default());
    for value in [2.0, 7.0, 3.5] {
        worker.order(Order::Steps(5));
        worker.order(Order::Change(set("gain", value)));
    }
    worker.order(Order::Steps(5));
    let report = wait_for(&worker, |report| report.snapshot.step == 20);
    let live = report.snapshot.sites[0].metrics.get("sum").unwrap();
    let session = worker.finish().unwrap().remove(0);

    let mut again = Counter::default();
    let mut changes = session.changes.iter().peekable();
    while again.steps < 20 {
        while let Some(change) = changes.next_if(|change| change.minutes <= again.minutes()) {
            again.apply(&change.action).unwrap();
        }
        again.step();
    }
    let again = again.snapshot(&SnapshotRequest::default());
    assert_eq!(again.sites[0].metrics.get("sum"), Some(live));
}

fn sum(report: &Report) -> f64 {
    let metrics = &report.snapshot.sites[0].metrics;
    metrics.get("sum").expect("it is measured")
}

#[test]
fn back_and_forward_again_gives_the_same_with_all_that_was_changed() {
    let worker = spawn(Counter::default());
    worker.order(Order::Steps(6));
    wait_for(&worker, |report| report.snapshot.step == 6);
    worker.order(Order::Change(set("gain", 5.0)));
    worker.order(Order::Steps(14));
    let there = wait_for(&worker, |report| report.snapshot.step == 20);
    worker.order(Order::Go(150.0));
    let back = wait_for(&worker, |report| {
        report.past.goal.is_none() && report.snapshot.step == 5
    });
    assert_eq!((sum(&back), back.knobs[0].value), (5.0, 1.0));
    worker.order(Order::Go(600.0));
    let again = wait_for(&worker, |report| {
        report.past.goal.is_none() && report.snapshot.step == 20
    });
    assert_eq!(sum(&again), sum(&there));
    assert_eq!(again.knobs[0].value, 5.0);
    assert_eq!(again.past.branches.len(), 1);
    assert_eq!(worker.finish().expect("it did not break down").len(), 1);
}

#[test]
fn a_change_in_the_past_is_another_future_and_both_can_be_lived() {
    let worker = spawn(Counter::default());
    worker.order(Order::Steps(20));
    wait_for(&worker, |report| report.snapshot.step == 20);
    worker.order(Order::Go(300.0));
    worker.order(Order::Steps(0));
    wait_for(&worker, |report| {
        report.past.goal.is_none() && report.snapshot.step == 10
    });
    worker.order(Order::Change(set("gain", 3.0)));
    worker.order(Order::Steps(2));
    let other = wait_for(&worker, |report| report.snapshot.step == 12);
    assert_eq!(sum(&other), 16.0);
    assert_eq!((other.past.active, other.past.branches.len()), (1, 2));
    assert_eq!(other.past.branches[1].from, Some((0, 300.0)));
    worker.order(Order::Branch(0));
    let first = wait_for(&worker, |report| {
        report.past.goal.is_none() && report.past.active == 0
    });
    assert_eq!((first.snapshot.step, sum(&first)), (20, 20.0));
    assert!(first.session.changes.is_empty());
    worker.order(Order::Branch(1));
    let other = wait_for(&worker, |report| {
        report.past.goal.is_none() && report.past.active == 1
    });
    assert_eq!((other.snapshot.step, sum(&other)), (12, 16.0));
    let sessions = worker.finish().expect("it did not break down");
    let changed = sessions.iter().map(|session| session.changes.len());
    assert_eq!(changed.collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn a_branch_whose_moments_cannot_be_restored_is_not_lived() {
    let worker = spawn(Counter {
        restores: 1,
        ..Counter::default()
    });
    worker.order(Order::Steps(20));
    wait_for(&worker, |report| report.snapshot.step == 20);
    worker.order(Order::Change(set("gain", 2.0)));
    worker.order(Order::Go(300.0));
    wait_for(&worker, |report| {
        report.past.goal.is_none() && report.snapshot.step == 10
    });
    worker.order(Order::Change(set("gain", 3.0)));
    worker.order(Order::Steps(2));
    wait_for(&worker, |report| report.snapshot.step == 12);
    for order in [Order::Branch(0), Order::Go(0.0), Order::Branch(7)] {
        worker.order(order);
    }
    worker.order(Order::Steps(1));
    let report = wait_for(&worker, |report| report.snapshot.step == 13);
    assert_eq!((report.past.active, report.past.goal), (1, None));
    assert!(report.refusal.is_some_and(|why| why.contains("damaged")));
    assert_eq!(report.session.changes.len(), 1);
    let sessions = worker.finish().expect("it did not break down");
    assert_eq!(sessions.len(), 2);
}

#[test]
fn what_is_asked_for_comes_at_once_even_while_time_stands_still() {
    let worker = spawn(Counter::default());
    wait_for(&worker, |_| true);
    worker.order(Order::Show(SnapshotRequest {
        quantities: vec!["warmth".into()],
        ..SnapshotRequest::default()
    }));
    let report = wait_for(&worker, |_| true);
    assert_eq!(report.snapshot.step, 0);
    let cells = &report.snapshot.sites[0].cells;
    assert!(cells.quantity("warmth").is_some());
    worker.order(Order::Steps(1));
    let report = wait_for(&worker, |report| report.snapshot.step == 1);
    let cells = &report.snapshot.sites[0].cells;
    assert!(cells.quantity("warmth").is_some(), "and stays");
}

#[test]
fn a_refused_change_is_reported_and_not_logged() {
    let worker = spawn(Counter::default());
    worker.order(Order::Change(set("nonsense", 1.0)));
    let report = wait_for(&worker, |report| report.refusal.is_some());
    assert!(report.refusal.unwrap().contains("nonsense"));
    assert!(worker.finish().unwrap()[0].changes.is_empty());
}

#[test]
fn a_pace_in_tissue_time_is_kept() {
    let worker = spawn(Counter::default());
    // Half an hour a step, 50 hours a second: 100 steps a second.
    let start = Instant::now();
    worker.order(Order::Pace(Pace::Hours(50.0)));
    wait_for(&worker, |report| report.snapshot.step >= 30);
    let seconds = start.elapsed().as_secs_f64();
    assert!((0.25..3.0).contains(&seconds), "30 steps took {seconds} s");
}

#[test]
fn a_breakdown_is_noticed_and_does_not_take_the_window_along() {
    let worker = spawn(Counter {
        break_at: Some(2),
        ..Counter::default()
    });
    worker.order(Order::Steps(5));
    let start = Instant::now();
    while worker.is_alive() {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(1));
    }
    worker.order(Order::Steps(1));
    assert!(worker.finish().is_none());
}
