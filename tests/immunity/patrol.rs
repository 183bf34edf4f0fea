//! Natural killer cells that patrol a drawn vessel: they crawl along it, and kill what has lodged there.

use std::collections::BTreeMap;

use bevy::math::Vec3;
use tumorscape::core::CellId;
use tumorscape::measure::Wanted;
use tumorscape::simulation::Simulation;

use super::{metric, simulation};

/// A vessel along y, cells of a tumour in these places, and natural killer cells that come with its blood.
fn vessel(lodged: &str) -> String {
    format!(
        r#"(
    title: "patrol", about: "natural killer cells in a vessel", pace: Calibrated, duration: Days(2), step: Minutes(1),
    sites: [(name: "lung", organ: Breast, size_um: (160, 400, 160), fields: [],
        tissue: (immigration: (), vessels: [(place: Parent(from_um: (0, -200, 0), to_um: (0, 200, 0), radius_um: 12), maturity: 1)]))],
    variants: [(name: "lodged", like: "cancer", about: "a cancer cell that has lodged in a capillary")],
    // Types come that are in use: one walks in the tissue from the start.
    populations: [(cell: "nk_cell", place: Single(at_um: (60, 180, 60))), (cell: "lodged", place: Cells([{lodged}]))],
    parameters: {{
        "nk_cell.immigrant.per_mm3_per_day": 8000, "nk_cell.immigrant.leaving_per_hour": 0, "nk_cell.immigrant.patrol_share": 1,
        "lodged.visibility.stress_ligands": 1, "lodged.cycle.g0g1_hours": 1e6, "lodged.death.apoptosis_per_hour": 0,
        "lodged.motility.speed_um_per_min": 0, "lodged.mechanics.friction": 100, "lodged.anoikis.attachment": 10,
        "nk_cell.death.apoptosis_per_hour": 0, "nk_cell.natural_killer.lytic_share": 1, "nk_cell.natural_killer.kill_chance": 1,
    }},
)"#
    )
}

/// Where natural killer cells are that are in a vessel.
fn on_patrol(simulation: &Simulation) -> BTreeMap<CellId, Vec3> {
    let census = simulation.census(&Wanted {
        quantities: vec!["in_vessels.inside".to_owned()],
        categories: Vec::new(),
    });
    let inside = census.quantities[0].1.iter().zip(&census.ids);
    let all = inside.zip(&census.positions_um);
    all.filter(|((inside, _), _)| **inside > 0.5)
        .map(|((_, id), at)| (*id, *at))
        .collect()
}

#[test]
fn natural_killer_cells_crawl_along_a_vessel_at_their_speed_until_it_ends() {
    let mut simulation = simulation(&vessel("(at_um: (60, -180, -60))"), 4);
    simulation.verify();
    let (mut steps, mut last) = (0, BTreeMap::new());
    while simulation.hours() < 12.0 {
        simulation.step();
        assert_eq!(simulation.violation(), None);
        let now = on_patrol(&simulation);
        for (cell, at) in &now {
            assert!(at.x.abs() < 1e-3 && at.z.abs() < 1e-3, "{cell:?} at {at}");
            if let Some(from) = last.get(cell) {
                let by: f32 = Vec3::distance(*at, *from);
                assert!((by - 5.0).abs() < 1e-2, "{cell:?}: {by} um in a minute");
                steps += 1;
            }
        }
        last = now;
    }
    assert!(steps > 500, "{steps}");
    assert!(metric(&simulation, 0, "killers_came") > 10.0);
}

#[test]
fn what_has_lodged_in_a_vessel_is_killed_by_those_on_patrol() {
    let lodged: String = (-3..=3)
        .map(|n| format!("(at_um: (0, {}, 0)),", n * 50))
        .collect();
    let mut simulation = simulation(&vessel(&lodged), 4);
    while simulation.hours() < 24.0 {
        simulation.step();
    }
    let killed = metric(&simulation, 0, "nk_kills");
    assert!(killed >= 5.0, "{killed} of 7");
}
