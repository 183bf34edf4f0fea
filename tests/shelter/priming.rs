//! Primed T cells come only after antigen arrived in the node, and only if there was any.

use bevy::prelude::*;
use tumorscape::biology::priming::naive::{BURSTS, INTO_BLOOD, PRIMED};
use tumorscape::biology::priming::travel::{HOMES, IN_NODE, TO_NODE};
use tumorscape::cell::EventRecord;

use super::simulation;

fn tissue(antigen: f32, organ: &str) -> String {
    format!(
        r#"(
    title: "node", about: "-", pace: Illustrative, duration: Days(3), step: Minutes(4),
    sites: [
        (name: "breast", organ: Breast, size_um: (240, 240, 240), tissue: (homing: ())),
        (name: "node", organ: {organ}, size_um: (160, 160, 160)),
    ],
    populations: [
        (cell: "cancer", site: "breast", place: Ball(radius_um: 60)),
        (cell: "dendritic_cell", site: "breast", place: Scatter(per_mm3: 3000, outside_um: 60)),
        (cell: "naive_t_cell", site: "node", place: Scatter(per_mm3: 20000)),
    ],
    parameters: {{
        "cancer.death.apoptosis_per_hour": 0.02, "cancer.visibility.antigen": {antigen:?},
        "lymph.journey_hours": 4, "naive_t_cell.naive.expansion_hours": 6, "naive_t_cell.naive.burst": 3,
        "cd8_t_cell.effector.circulation_hours": 1,
    }},
)"#
    )
}

/// Everything that happens in so many hours.
fn told(text: &str, hours: f64) -> Vec<(f64, EventRecord)> {
    let mut simulation = simulation(text, 4);
    simulation.verify();
    let mut events = Vec::new();
    while simulation.hours() < hours {
        simulation.step();
        assert_eq!(simulation.violation(), None);
        let hours = simulation.hours();
        events.extend(simulation.events().iter().map(|event| (hours, *event)));
    }
    events
}

#[test]
fn killers_come_after_antigen_arrived_and_a_clone_has_grown() {
    let events = told(&tissue(1.0, "LymphNode"), 64.0);
    let first = |kind| {
        let mut of_kind = events.iter().filter(|(_, event)| event.kind == kind);
        of_kind.next().map(|(hours, _)| *hours)
    };
    let count = |kind| {
        events
            .iter()
            .filter(|(_, event)| event.kind == kind)
            .count()
    };
    let [left, arrived, primed, sent, homed] = [TO_NODE, IN_NODE, PRIMED, INTO_BLOOD, HOMES]
        .map(|kind| first(kind).unwrap_or_else(|| panic!("no {}", kind.name())));
    println!("left {left} h, arrived {arrived}, primed {primed}, sent {sent}, homed {homed}");
    assert!(arrived - left >= 4.0 - 0.1);
    assert!(primed > arrived && sent - primed >= 6.0 - 0.1 && homed >= sent);
    // Each clone sends three, each of which names the cell that it descends from.
    assert_eq!(count(INTO_BLOOD), 3 * count(BURSTS));
    for (_, event) in events.iter().filter(|(_, event)| event.kind == INTO_BLOOD) {
        let by = event.other.expect("it is named");
        let is_primed = |of: &(f64, EventRecord)| of.1.kind == PRIMED && of.1.cell == by;
        assert!(events.iter().any(is_primed));
    }
}

#[test]
fn without_antigen_or_without_a_node_nobody_is_primed() {
    for text in [tissue(0.0, "LymphNode"), tissue(1.0, "Liver")] {
        let events = told(&text, 24.0);
        assert!(
            events
                .iter()
                .all(|(_, event)| { ![PRIMED, INTO_BLOOD, HOMES, IN_NODE].contains(&event.kind) })
        );
    }
}

#[test]
fn where_lymphatics_are_drawn_dendritic_cells_leave_by_them_alone() {
    // A blood vessel is never further than 43 um; the lymphatic goes along y at one side.
    let text = r#"(
    title: "drained", about: "-", pace: Illustrative, duration: Days(1), step: Minutes(2),
    sites: [
        (
            name: "breast", organ: Breast, size_um: (360, 240, 240),
            fields: [(molecule: "vegf_c", level: 0, faces: Closed), (molecule: "ccl21", level: 0, faces: Closed)],
            tissue: (
                vessels: [(place: Grid(spacing_um: 60))],
                lymphatics: [(from_um: (140, -110, 0), to_um: (140, 120, 0), radius_um: 12)],
            ),
        ),
        (name: "node", organ: LymphNode, size_um: (160, 160, 160)),
    ],
    populations: [(cell: "dendritic_cell", site: "breast", place: Scatter(per_mm3: 8000))],
    parameters: {"dendritic_cell.presentation.uptake_per_hour": 1},
)"#;
    let events = told(text, 6.0);
    let left = events.iter().filter(|(_, event)| event.kind == TO_NODE);
    let away: Vec<f32> = left
        .map(|(_, event)| event.position_um.with_y(0.0).distance(Vec3::X * 140.0))
        .collect();
    assert!(away.len() > 5, "{away:?}");
    // Within 40 um of its wall, and what one goes in the rest of the step.
    assert!(away.iter().all(|away| *away < 52.0 + 20.0), "{away:?}");
}

#[test]
fn killers_stay_in_blood_the_longer_the_less_wall_there_is_to_leave_it_by() {
    // They home to a site with one vessel of 200 um and 6 um, where a breast has 880 um of 4 um.
    let flank = r#"(name: "flank", organ: Breast, size_um: (200, 200, 200), fields: [], tissue: (homing: (), vessels: [
            (place: Parent(from_um: (-100, 0, 0), to_um: (100, 0, 0), radius_um: 6), artery_mmhg: 30, vein_mmhg: 28, maturity: 1)])),
        (name: "node""#;
    let text = tissue(1.0, "LymphNode")
        .replace(", tissue: (homing: ())", "")
        .replace(r#"(name: "node""#, flank)
        .replace(
            r#""naive_t_cell.naive.burst": 3"#,
            r#""naive_t_cell.naive.burst": 100"#,
        )
        .replace(
            r#"circulation_hours": 1"#,
            r#"circulation_hours": 2, "cd8_t_cell.death.apoptosis_per_hour": 0"#,
        );
    let hours = 72.0;
    let mut in_blood = std::collections::BTreeMap::new();
    let (mut homed, mut waited) = (0.0, 0.0);
    for (at, event) in told(&text, hours) {
        if event.kind == INTO_BLOOD {
            in_blood.insert(event.cell, at);
        } else if event.kind == HOMES {
            let since = in_blood.remove(&event.cell);
            waited += at - since.expect("who homes was in the blood");
            homed += 1.0;
        }
    }
    waited += in_blood.values().map(|since| hours - since).sum::<f64>();
    assert!(homed > 40.0, "{homed}");
    // Of an exponential time the number over the hours waited is the rate, to one over the root of the number.
    let (found, expected) = (homed / waited, 200.0 * 6.0 / (880.0 * 4.0) / 2.0);
    assert!(
        (found / expected - 1.0).abs() < 4.0 / homed.sqrt(),
        "{found}, {expected} in an hour"
    );
}
