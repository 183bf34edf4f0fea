//! The books of cells on the way, the journeys that are told, and the same bits whatever the threads and saves.

use std::collections::BTreeMap;

use tumorscape::biology::dissemination::Journeys;
use tumorscape::cell::turnover::Transit;
use tumorscape::core::CellId;
use tumorscape::journal::checkpoint;

use super::*;

/// A breast that sheds many cells, and a lung and a liver with and without vessels where they come to.
pub fn body() -> String {
    let sites = r#"
        (name: "breast", organ: Breast, size_um: (200, 200, 200), fields: []),
        (name: "lung", organ: Lung, size_um: (200, 200, 200), fields: [], tissue: (vessels: [(place: Grid(spacing_um: 60))])),
        (name: "liver", organ: Liver, size_um: (200, 200, 200), fields: [])"#;
    let more = "intravasation: (per_day: 400, first_joins: 0.3, lymph_per_day: 4), junctions: (grip: 0.4), cycle: (), in_vessels: (crawl_um_per_min: 0),";
    let rules = r#""asleep": (input: "cycle.entry", by: "colonisation.asleep", law: Fold(-1)),
        "sticky": (input: "circulation.arrest", by: "body.volume", law: Hill(half: 1e-6, to: 60)),
        "hasty": (input: "colonisation.extravasation", by: "body.volume", law: Hill(half: 1e-6, to: 2)),
        "fertile": (input: "colonisation.growth", by: "body.volume", law: Hill(half: 1e-6, to: 0.5)),"#;
    let cells =
        native(more, rules).replace("colonisation: ()", "colonisation: (settling_hours: 0.5)");
    let population = r#"(cell: "native", site: "breast", place: Ball(radius_um: 60))"#;
    scene(
        sites,
        &cells,
        r#"injections: [(cell: "native", cells: 39, together: 3, at_hours: 0.5)]"#,
        population,
        "Minutes(2)",
    )
    .replace(
        " body: (circulation",
        r#" parameters: {"lymph.journey_hours": 1}, body: (circulation"#,
    )
}

#[test]
fn every_cell_that_set_out_is_accounted_for_and_every_journey_is_in_the_log() {
    let mut simulation = simulation(&body(), 8);
    simulation.verify();
    let mut told: BTreeMap<CellId, usize> = BTreeMap::new();
    let mut lodged = 0;
    for _ in 0..150 {
        run(&mut simulation, 1);
        for event in simulation.events() {
            match event.kind.name() {
                "intravasation.enters" | "intravasation.enters_lymph" | "circulation.injected" => {
                    *told.entry(event.cell).or_default() += 1;
                }
                "circulation.lodges" | "circulation.lodges_elsewhere" => lodged += 1,
                _ => {}
            }
        }
    }
    let world = simulation.world();
    let journeys = &world.resource::<Journeys>().0;
    let mut known: BTreeMap<CellId, usize> = BTreeMap::new();
    for journey in journeys {
        *known.entry(journey.cell).or_default() += 1;
        if let Some(before) = journey.before {
            assert!(journeys[before as usize].left < journey.left);
        }
    }
    assert_eq!(known, told);
    assert!(lodged > 20, "{lodged}");
    assert_eq!(
        journeys.iter().filter(|of| of.lodged.is_some()).count(),
        lodged
    );
    assert!(
        journeys
            .iter()
            .any(|of| of.together > 1 && !of.from.is_transit())
    );
    assert!(journeys.iter().any(|of| of.grew));
    // All of one group have one leader, who is among them, and as many as is said.
    let mut groups: BTreeMap<(CellId, u64), Vec<u16>> = BTreeMap::new();
    for journey in journeys {
        groups
            .entry((journey.group, journey.left))
            .or_default()
            .push(journey.together);
    }
    for ((leader, left), sizes) in &groups {
        let leads = journeys
            .iter()
            .any(|of| of.cell == *leader && of.left == *left);
        assert!(leads, "cell {}", leader.0);
        assert!(sizes.iter().all(|of| usize::from(*of) == sizes.len()));
    }
    assert!(metric(&simulation, "entered_clusters") > 1.0);
    assert!(metric(&simulation, "lodged_lymph_node") > 0.0);
}

/// The hashes of the next forty steps.
fn hashes(simulation: &mut Simulation) -> Vec<u64> {
    (0..40)
        .map(|_| {
            run(simulation, 1);
            simulation.state_hash()
        })
        .collect()
}

/// Makes sure that one that has cells on their way is the same, to the bit, when it is saved and resumed.
pub fn resumes_on_the_way(whole: &mut Simulation) {
    assert!(!whole.world().resource::<Transit>().is_empty());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let saved = folder.path().join("saved");
    saving::save(whole, &saved);
    let (checkpoint, _) = checkpoint::open(&saved, |_| {}).expect("it is whole");
    let (mut resumed, _) = Program::default()
        .resume(checkpoint)
        .unwrap_or_else(|error| panic!("{error}"));
    resumed.verify();
    assert_eq!(resumed.state_hash(), whole.state_hash());
    assert_eq!(hashes(&mut resumed), hashes(whole));
}

/// Tells what happens in so many steps of a scene and what comes of it, on as many threads as [`threads::told`] asks for.
pub fn tell_on_some_threads(text: &str, seed: u64, steps: u64, mark: &str) {
    if !threads::taken() {
        return;
    }
    let scene = Program::default().parse_scene(text, "body.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    let mut simulation = Simulation::new(Arc::new(scene), seed).expect("its parameters are valid");
    for _ in 0..steps {
        simulation.step();
        for event in simulation.events() {
            println!("{mark}{event:?}");
        }
    }
    println!("{mark}{:016x}", simulation.state_hash());
}

#[test]
fn cells_in_mid_transit_are_saved_and_resumed_to_the_bit() {
    let mut whole = simulation(&body(), 8);
    run(&mut whole, 40);
    resumes_on_the_way(&mut whole);
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn on_some_threads() {
    tell_on_some_threads(&body(), 8, 80, "body: ");
}

#[test]
fn journeys_are_the_same_at_any_number_of_threads() {
    let [one, three] = threads::told("ancestry::on_some_threads", "body: ");
    assert!(one.len() > 50, "{}", one.len());
    assert_eq!(one, three);
}
