//! Macrophages bridge tips of vessels: a tip that one touches joins vessels on its other side.

use super::{simulation, values};

#[test]
fn a_tip_reaches_farther_where_it_touches_a_macrophage_near_m2() {
    // In each row a tip and a macrophage: touching, and 60 um apart. Macrophages stay at 0.8 on the way to M2.
    let text = |rules: &str| {
        format!(
            r#"(
    title: "bridged", about: "-", pace: Calibrated, duration: Hours(1), step: Minutes(1),
    sites: [(name: "breast", organ: Breast, size_um: (240, 240, 240))],
    populations: [
        (cell: "endothelial_tip", place: Cells([(at_um: (-60, 0, 0)), (at_um: (60, 0, 0))])),
        (cell: "macrophage", place: Cells([(at_um: (-46, 0, 0)), (at_um: (60, 60, 0))])),
    ],
    parameters: {{
        "macrophage.polarisation.rest": 0.8, "macrophage.polarisation.to_m2_per_day": 0, "macrophage.polarisation.to_m1_per_day": 0,
        "macrophage.motility.speed_um_per_min": 0, "endothelial_tip.motility.speed_um_per_min": 0,
        "macrophage.death.apoptosis_per_hour": 0,
    }},
    rules: [{rules}],
)"#
        )
    };
    for (rules, expected) in [
        ("", [15.0 + 20.0 * 0.8, 15.0]),
        (
            r#"Delete("endothelial_tip.macrophages_bridge_tips")"#,
            [15.0; 2],
        ),
        (
            r#"Delete("macrophage.m2_macrophages_bridge_tips")"#,
            [35.0, 15.0],
        ),
    ] {
        let mut simulation = simulation(&text(rules), 1);
        for _ in 0..5 {
            simulation.step();
        }
        // Those of tips, in the order of identity.
        let reach = simulation.inputs("tip.reach");
        let tips = values(&simulation, "chaperone.met");
        assert_eq!(tips.len(), 2);
        for ((cell, _), expected) in tips.iter().zip(expected) {
            let found = reach.iter().find(|(known, _)| known == cell);
            let found = found.expect("it is a tip").1;
            assert!(
                (found - expected).abs() < 1e-3,
                "{rules} {cell:?}: {found}, not {expected}"
            );
        }
    }
}
