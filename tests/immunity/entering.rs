//! How many leukocytes come in: as many as perfused wall is there for them to hold on to.

use super::{metric, simulation};

/// Sites of 0.2 mm with none, one and two drawn vessels of 6 um, into which both who is called and who comes by itself come.
fn sites(vessels: [&str; 3]) -> String {
    let site = |name: &str, vessels: &str| {
        format!(
            r#"(name: "{name}", organ: Breast, size_um: (200, 200, 200), fields: [],
            tissue: (immigration: (), recruitment: (), {vessels})),"#
        )
    };
    let sites: String = ["none", "one", "two"]
        .iter()
        .zip(vessels)
        .map(|(name, vessels)| site(name, vessels))
        .collect();
    format!(
        r#"(
    title: "entry", about: "leukocytes out of vessels", pace: Calibrated, duration: Days(1), step: Minutes(2),
    sites: [{sites}],
    // Types come that are in use.
    populations: [(cell: "nk_cell", site: "none", place: Single(at_um: (0, 0, 0))), (cell: "macrophage", site: "none", place: Single(at_um: (50, 0, 0)))],
    parameters: {{
        "nk_cell.immigrant.per_mm3_per_day": 300000, "nk_cell.immigrant.leaving_per_hour": 0, "nk_cell.immigrant.patrol_share": 0,
        "nk_cell.death.apoptosis_per_hour": 0, "macrophage.recruit.per_mm3_per_day": 100000,
    }},
    // Nobody keeps anybody out.
    rules: [
        Delete("none.m2_macrophages_slow_entry"), Delete("one.m2_macrophages_slow_entry"), Delete("two.m2_macrophages_slow_entry"),
    ],
)"#
    )
}

const ONE: &str = "(place: Parent(from_um: (-100, 40, 0), to_um: (100, 40, 0), radius_um: 6), artery_mmhg: 30, vein_mmhg: 28, maturity: 1)";
const OTHER: &str = "(place: Parent(from_um: (-100, -40, 0), to_um: (100, -40, 0), radius_um: 6), artery_mmhg: 30, vein_mmhg: 28, maturity: 1)";

#[test]
fn as_many_come_as_perfused_wall_is_there_over_that_of_native_tissue() {
    let (one, two) = (
        format!("vessels: [{ONE}]"),
        format!("vessels: [{ONE}, {OTHER}]"),
    );
    let mut simulation = simulation(&sites(["", &one, &two]), 6);
    simulation.verify();
    let hours = 8.0;
    while simulation.hours() < hours {
        simulation.step();
        assert_eq!(simulation.violation(), None);
    }
    // By hand: 200 um of 6 um, of the 110 mm of 4 um in a mm3 that a breast has, which are 880 um in 0.008 mm3.
    let wall = 200.0 * 6.0 / (110.0e3 * 0.008 * 4.0);
    for (site, vascularity) in [1.0, wall, 2.0 * wall].into_iter().enumerate() {
        for (name, per_mm3_per_day) in [("killers_came", 3.0e5), ("cells_called_in", 1.0e5)] {
            let expected = per_mm3_per_day * 0.008 * hours / 24.0 * vascularity;
            let found = metric(&simulation, site, name);
            // Poisson numbers, and a step more or less.
            assert!(
                (found - expected).abs() < 4.0 * expected.sqrt() + 0.01 * expected,
                "{name} in site {site}: {found}, {expected}"
            );
        }
    }
}

#[test]
fn nobody_comes_out_of_vessels_without_blood_that_moves() {
    // Hardly any enters.
    let stopped = format!("vessels: [{ONE}]").replace("artery_mmhg: 30", "artery_um3_per_min: 1");
    let open = format!("vessels: [{ONE}]");
    let mut simulation = simulation(&sites(["", &stopped, &open]), 6);
    while simulation.hours() < 4.0 {
        simulation.step();
    }
    for name in ["killers_came", "cells_called_in"] {
        assert_eq!(metric(&simulation, 1, name), 0.0);
        assert!(metric(&simulation, 2, name) > 0.0);
    }
}
