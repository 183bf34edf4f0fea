//! Who knows its base from its apex, and what attaches a cell that has no neighbour.

use bevy::math::Vec3Swizzles;
use tumorscape::biology::EmtState;
use tumorscape::simulation::Simulation;

use super::{census, run_to, simulation};

/// A duct of 50 um in radius, full of cells that neither divide nor die, under a constant drive, ng/mL.
fn duct(drive: f32) -> Simulation {
    simulation(
        &format!(
            r#"(
    title: "duct", about: "-", pace: Illustrative, duration: Days(1), step: Minutes(5),
    sites: [(
        name: "breast", organ: Breast, size_um: (120, 240, 240),
        tissue: (membranes: [(around: Duct(from_um: (-60, 0, 0), to_um: (60, 0, 0), radius_um: 50))]),
    )],
    variants: [(name: "cell", like: "cancer", heritable: {{}})],
    populations: [(cell: "cell", place: Cylinder(from_um: (-60, 0, 0), to_um: (60, 0, 0), radius_um: 49))],
    parameters: {{
        "cell.emt.drive_ng_per_ml": {drive}, "emt_circuit.pace": 50,
        "cell.death.apoptosis_per_hour": 0, "cell.cycle.g0g1_hours": 1000000,
    }},
    rules: [Delete("cell.hypoxia_drives_emt"), Delete("cell.nutrients_allow_growth")],
)"#
        ),
        2,
    )
}

/// Of the cells of a duct after a day: how many are epithelial, have an apex and a base, and a front and a rear.
fn polarised(drive: f32) -> [usize; 4] {
    const APICAL_BASAL: u8 = 1;
    const FRONT_REAR: u8 = 2;
    let mut simulation = duct(drive);
    run_to(&mut simulation, 24.0);
    let cells = census(&simulation, &[], &["emt_state", "polarity"]);
    let states = cells.category("emt_state").expect("it is registered");
    let kinds = cells.category("polarity").expect("it is registered");
    for row in 0..cells.len() {
        let away_um = cells.positions_um[row].yz().length();
        let is_near = away_um > 50.0 - 2.0 * cells.radii_um[row];
        let is_epithelial = states[row] == EmtState::Epithelial as u8;
        assert!(
            kinds[row] != APICAL_BASAL || (is_epithelial && is_near),
            "{away_um} um"
        );
    }
    let count = |of: &[u8], value: u8| of.iter().filter(|of| **of == value).count();
    [
        count(states, EmtState::Epithelial as u8),
        count(kinds, APICAL_BASAL),
        count(kinds, FRONT_REAR),
        cells.len(),
    ]
}

#[test]
fn only_epithelial_cells_at_a_membrane_have_an_apex_and_a_base() {
    let [epithelial, apical_basal, front_rear, all] = polarised(0.0);
    // Those that touch the membrane: they hold to each other more than to it, so that gaps open there.
    assert_eq!(epithelial, all);
    assert!(apical_basal >= 10, "{apical_basal} of {all}");
    assert_eq!(front_rear, 0);
    let [epithelial, apical_basal, _, _] = polarised(1.5);
    assert_eq!([epithelial, apical_basal], [0, 0], "hybrid cells");
    let [epithelial, apical_basal, front_rear, all] = polarised(5.0);
    assert_eq!(
        [epithelial, apical_basal, front_rear],
        [0, 0, all],
        "mesenchymal cells"
    );
}

#[test]
fn a_membrane_attaches_single_epithelial_cells() {
    let mut places = String::new();
    for x in -4..=4 {
        for y in -4..=4 {
            for z in [9, 150] {
                places += &format!("(at_um: ({}, {}, {z}), cell: \"cancer\"), ", 60 * x, 60 * y);
            }
        }
    }
    let mut simulation = simulation(
        &format!(
            r#"(
    title: "on a membrane", about: "-", pace: Illustrative, duration: Days(4), step: Minutes(10),
    sites: [(
        name: "dish", organ: Medium, size_um: (600, 600, 600), voxel_um: (60, 60, 60),
        tissue: (membranes: [(around: Plane(normal: (0, 0, -1)))]),
    )],
    populations: [(cell: "cancer", place: Cells([{places}]))],
    parameters: {{
        "cancer.death.apoptosis_per_hour": 0, "cancer.cycle.g0g1_hours": 1000000, "cancer.motility.speed_um_per_min": 0,
    }},
)"#
        ),
        6,
    );
    run_to(&mut simulation, 72.0);
    let cells = census(&simulation, &["emt.e_cadherin"], &[]);
    let alive = cells.quantity("emt.e_cadherin").expect("it is registered");
    let living = |near: bool| {
        let of = cells.positions_um.iter().zip(alive);
        of.filter(|(at, alive)| (at.z < 50.0) == near && !alive.is_nan())
            .count()
    };
    assert_eq!(living(true), 81);
    // Twelve hours of grace, then 0.05 /h: 4 of 81 are left.
    assert!(living(false) < 15, "{} live without it", living(false));
}
