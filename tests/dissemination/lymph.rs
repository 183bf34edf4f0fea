//! Ways into lymph: cells that carry antigen, cells that touch a lymphatic and cells that spread come by them to one node in one time, and who is carried
//! by the blood has made a journey.

use std::collections::BTreeMap;

use tumorscape::biology::dissemination::Journeys;
use tumorscape::cell::CellType;
use tumorscape::core::CellId;
use tumorscape::core::run_file::RunFiles;
use tumorscape::tissue::SiteId;

use super::ancestry::{resumes_on_the_way, tell_on_some_threads};
use super::*;

/// A tissue with a lymphatic through its middle. Of its cells `native` and `guest` travel with the blood, one by `lymph_entry` and the other by
/// `intravasation`; `walker` and `sampler`, who shows antigen, do not.
fn drained() -> String {
    let sites = r#"
        (
            name: "breast", organ: Breast, size_um: (240, 240, 240),
            fields: [(molecule: "vegf_c", level: 0, faces: Closed), (molecule: "ccl21", level: 0, faces: Closed)],
            tissue: (lymphatics: [(from_um: (0, -110, 0), to_um: (0, 120, 0), radius_um: 12)]),
        ),
        (name: "lung", organ: Lung, size_um: (120, 120, 120), fields: []),
        (name: "node", organ: LymphNode, size_um: (160, 160, 160), fields: [])"#;
    let entry = "lymph_entry: (per_hour: 2, reach_um: 50),";
    let guest = native(
        "intravasation: (per_day: 0, lymph_per_day: 48, reach_um: 60),",
        "",
    );
    let guest = guest.replace(r#""native""#, r#""guest""#);
    let native = native(entry, "");
    let others = [
        ("walker", entry),
        (
            "sampler",
            "presentation: (uptake_per_hour: 5, leaving_per_hour: 2),",
        ),
    ]
    .map(|(name, has)| {
        format!(
            r#"(name: "{name}", about: "the blood does not carry it", colour: (0.3, 0.4, 0.8),
            mechanics: (adhesion_um_per_min: 0, friction: 20),
            death: (apoptosis_per_hour: 0, necrosis_onset_mmhg: 0, necrosis_full_mmhg: 0), {has})"#
        )
    });
    let populations = ["native", "guest", "walker", "sampler"]
        .map(|name| format!(r#"(cell: "{name}", site: "breast", place: Scatter(per_mm3: 6000))"#));
    let text = scene(
        sites,
        &format!("{native}, {guest}, {}", others.join(", ")),
        "node_retention: 1",
        &populations.join(", "),
        "Minutes(2)",
    );
    let parameters = r#" parameters: {"lymph.journey_hours": 1}, body: (circulation"#;
    text.replace(" body: (circulation", parameters)
}

#[test]
fn all_that_lymph_takes_come_to_one_node_in_one_time_and_by_lymphatics_alone() {
    let mut simulation = simulation(&drained(), 3);
    simulation.verify();
    let mut left = BTreeMap::new();
    let mut came: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for _ in 0..90 {
        run(&mut simulation, 1);
        for event in simulation.events() {
            let kind = event.kind.name();
            match kind {
                "priming.to_node" | "lymphatics.enters" | "intravasation.enters_lymph" => {
                    let away = event.position_um.with_y(0.0).length();
                    // In reach of its wall, with the radius of the cell and what it goes in the rest of the step.
                    assert!(away < 12.0 + 60.0 + 20.0, "{kind} {away} um from it");
                    left.insert(event.cell, (kind, event.step));
                }
                "priming.in_node" | "lymphatics.arrives" | "circulation.lodges" => {
                    let (by, since) = left[&event.cell];
                    assert_eq!(event.site, SiteId(2), "{kind}");
                    assert!((30..=32).contains(&(event.step - since)), "{kind}");
                    *came.entry((by, kind)).or_default() += 1;
                }
                _ => {}
            }
        }
    }
    let kinds: Vec<_> = came.keys().copied().collect();
    assert_eq!(
        kinds,
        [
            ("intravasation.enters_lymph", "circulation.lodges"),
            ("lymphatics.enters", "circulation.lodges"),
            ("lymphatics.enters", "lymphatics.arrives"),
            ("priming.to_node", "priming.in_node"),
        ]
    );
    assert!(came.values().all(|count| *count > 3), "{came:?}");
    assert_eq!(metric(&simulation, "left_by_lymphatics"), left.len() as f64);
}

#[test]
fn who_enters_a_lymphatic_and_travels_with_the_blood_has_made_a_journey_from_its_founder() {
    let mut simulation = simulation(&drained(), 4);
    simulation.verify();
    let mut entered: Vec<CellId> = Vec::new();
    for _ in 0..90 {
        run(&mut simulation, 1);
        let events = simulation.events().iter();
        let events = events.filter(|event| event.kind.name() == "lymphatics.enters");
        entered.extend(events.map(|event| event.cell));
    }
    let world = simulation.world();
    let mut types = world
        .try_query::<(&CellId, &CellType)>()
        .expect("there are cells");
    let types: BTreeMap<CellId, u16> = types.iter(world).map(|(cell, of)| (*cell, of.0)).collect();
    let [native, guest] = ["native", "guest"].map(|name| {
        let library = &simulation.scene().library;
        library.index_of(name).expect("it is of the scene")
    });
    entered.retain(|cell| types.get(cell) == Some(&native));
    let journeys = &world.resource::<Journeys>().0;
    let mut lodged = 0;
    for cell in &entered {
        let of = journeys.iter().find(|of| of.cell == *cell);
        let of = of.unwrap_or_else(|| panic!("no journey of cell {}", cell.0));
        assert_eq!((of.founder, of.from), (*cell, SiteId(0)));
        assert_eq!(of.entry, EntryRoute::Lymph);
        lodged += usize::from(of.lodged.is_some() && of.organ == Some(1));
    }
    assert!(lodged > 3, "{lodged} of {}", entered.len());
    // Those that the blood does not carry make none.
    let mut others = journeys.iter().map(|of| of.cell_type);
    assert!(others.all(|of| [native, guest].contains(&of)));
    // Who is in the lymph is not in the blood.
    assert_eq!(metric(&simulation, "circulating_singles"), 0.0);
    let files = &world.resource::<RunFiles>().0;
    let text = |name| {
        let file = files.iter().find(|file| file.name == name);
        let text = file.expect("it is registered").text(world);
        text.expect("there were journeys")
    };
    let (list, tree) = (text("journeys.csv"), text("ancestry.nwk"));
    let in_node = list.lines().filter(|line| line.contains(",lymph_node,"));
    assert!(in_node.count() >= lodged);
    for (number, of) in journeys.iter().enumerate() {
        let is_in_tree = tree.contains(&format!("j{number}_lymph_node:"));
        assert_eq!(is_in_tree, of.lodged.is_some());
        assert!(!is_in_tree || tree.contains(&format!("cell{}", of.founder.0)));
    }
}

#[test]
fn cells_in_lymph_are_saved_and_resumed_to_the_bit() {
    let mut whole = simulation(&drained(), 5);
    run(&mut whole, 25);
    assert_eq!(metric(&whole, "circulating_singles"), 0.0);
    resumes_on_the_way(&mut whole);
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn on_some_threads() {
    tell_on_some_threads(&drained(), 6, 60, "lymph: ");
}

#[test]
fn ways_into_lymph_are_the_same_at_any_number_of_threads() {
    let [one, three] = threads::told("lymph::on_some_threads", "lymph: ");
    assert!(one.len() > 20, "{}", one.len());
    assert_eq!(one, three);
}
