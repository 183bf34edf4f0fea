//! What panels show of the body: the map with counts and arrows, and the tree of journeys.

use tumorscape::biology::dissemination::{Journeys, TransitBooks};
use tumorscape::core::diagram::Drawing;
use tumorscape::simulation::SnapshotRequest;

use super::ancestry::body;
use super::*;

/// The drawing of that title.
fn drawing(simulation: &Simulation, title: &str) -> Option<Drawing> {
    let request = SnapshotRequest {
        diagrams: true,
        ..SnapshotRequest::default()
    };
    let diagrams = simulation.snapshot(&request).diagrams;
    let mut found = diagrams.into_iter().filter(|(info, _)| info.title == title);
    found.next().map(|(_, drawing)| drawing)
}

#[test]
fn the_map_counts_who_went_which_way_and_the_tree_leads_back_to_first_cells() {
    let mut simulation = simulation(&body(), 8);
    assert_eq!(drawing(&simulation, "Body map"), None, "nobody has set out");
    run(&mut simulation, 150);
    let books = simulation.world().resource::<TransitBooks>().clone();
    let Some(Drawing::Map { places, ways }) = drawing(&simulation, "Body map") else {
        panic!("there is no map");
    };
    let place = |label: &str| {
        places
            .iter()
            .position(|of| of.label == label)
            .expect("it is on the map")
    };
    let blood = place("blood");
    let into: f64 = ways
        .iter()
        .filter(|way| way.from == blood)
        .map(|way| way.amount)
        .sum();
    // What lodged in a node with the lymph is on the arrow that leads there.
    let journeys = &simulation.world().resource::<Journeys>().0;
    let with_lymph = journeys
        .iter()
        .filter(|of| of.entry == EntryRoute::Lymph && of.organ == Some(1));
    let with_lymph = with_lymph.count() as f64;
    assert_eq!(into + with_lymph, books.lodged.iter().sum::<u64>() as f64);
    let of = |from: &str, to: &str| {
        let [from, to] = [from, to].map(place);
        let way = ways.iter().find(|way| way.from == from && way.to == to);
        way.map_or(0.0, |way| way.amount)
    };
    assert_eq!(
        of("breast", "lymph node") + of("lung", "lymph node") + of("liver", "lymph node"),
        books.lymph as f64
    );
    assert_eq!(of("injected", "blood"), 39.0);
    assert!(of("blood", "lung") > 0.0 && of("breast", "blood") > 0.0);
    for of in &places {
        assert!(
            of.at.iter().all(|along| (0.0..=1.0).contains(along)),
            "{of:?}"
        );
    }
    let Some(Drawing::Tree { lines, left_out }) = drawing(&simulation, "Lineages") else {
        panic!("there is no tree");
    };
    let lodged = journeys.iter().filter(|of| of.lodged.is_some()).count();
    assert!(
        lines.len() >= 20 && lines.len() + left_out >= lodged,
        "{} {left_out}",
        lines.len()
    );
    let now = simulation.hours();
    for (at, line) in lines.iter().enumerate() {
        assert!(line.from_hours <= now && line.to_hours.is_none_or(|to| to >= line.from_hours));
        if let Some(from) = line.from {
            assert!((from as usize) < at && lines[from as usize].from_hours < line.from_hours);
            assert_eq!(
                lines[from as usize].colour, line.colour,
                "one line of cells has one colour"
            );
        }
        let cell = line.cell.expect("a journey is one of a cell");
        assert!(
            journeys
                .iter()
                .any(|of| of.cell.0 == cell && of.lodged.is_some())
        );
    }
}
