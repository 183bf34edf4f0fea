//! Primed T cells come only after antigen arrived in the node, and only if there was any.

use tumorscape::biology::priming::naive::{BURSTS, INTO_BLOOD, PRIMED};
use tumorscape::biology::priming::travel::{HOMES, IN_NODE, TO_NODE};
use tumorscape::cell::EventRecord;

use super::simulation;

fn tissue(antigen: f32, node: &str) -> String {
    format!(
        r#"(
    title: "node", about: "-", pace: Illustrative, duration: Days(3), step: Minutes(4),
    sites: [
        (name: "breast", organ: Breast, size_um: (240, 240, 240), tissue: (homing: ())),
        (name: "node", organ: LymphNode, size_um: (160, 160, 160), tissue: ({node})),
    ],
    populations: [
        (cell: "cancer", site: "breast", place: Ball(radius_um: 60)),
        (cell: "dendritic_cell", site: "breast", place: Scatter(per_mm3: 3000, outside_um: 60)),
        (cell: "naive_t_cell", site: "node", place: Scatter(per_mm3: 20000)),
    ],
    parameters: {{
        "cancer.death.apoptosis_per_hour": 0.02, "cancer.visibility.antigen": {antigen:?},
        "dendritic_cell.presentation.journey_hours": 4, "naive_t_cell.naive.expansion_hours": 6, "naive_t_cell.naive.burst": 3,
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
    let events = told(&tissue(1.0, "lymph_node: ()"), 40.0);
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
    for text in [tissue(0.0, "lymph_node: ()"), tissue(1.0, "")] {
        let events = told(&text, 24.0);
        assert!(
            events
                .iter()
                .all(|(_, event)| { ![PRIMED, INTO_BLOOD, HOMES, IN_NODE].contains(&event.kind) })
        );
    }
}
