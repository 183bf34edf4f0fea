//! A closed basement membrane keeps a killer from what lies behind it, and an open one does not.

use super::simulation;

/// Kills in half a day of a T cell beside a target, with a membrane of that density between them.
fn kills(density: f32) -> u64 {
    let text = format!(
        r#"(
    title: "parted", about: "a killer, a membrane, a target", pace: Calibrated, duration: Hours(12), step: Minutes(2),
    sites: [(
        name: "dish", organ: Medium, size_um: (160, 160, 160), voxel_um: (40, 40, 40), fields: [],
        tissue: (membranes: [(around: Plane(normal: (1, 0, 0)), density: {density:?})]),
    )],
    cell_types: [
        (
            name: "behind", about: "a target", colour: (1, 0, 0), tumour: true,
            body: (volume_um3: 2494, nucleus_um3: 540, fluid_fraction: 0.75),
            mechanics: (adhesion_um_per_min: 0, repulsion_um_per_min: 0),
            death: (apoptosis_per_hour: 0, necrosis_onset_mmhg: 0, necrosis_full_mmhg: 0),
            membrane: (),
            target: (),
        ),
        (
            name: "before", about: "a T cell that stands still", colour: (0, 0, 1),
            body: (volume_um3: 268, nucleus_um3: 134),
            mechanics: (adhesion_um_per_min: 0, repulsion_um_per_min: 0),
            death: (apoptosis_per_hour: 0, necrosis_onset_mmhg: 0, necrosis_full_mmhg: 0),
            membrane: (arrest_pore_um2: 4),
            cytotoxic: (exhaustion_per_day: 0, binding_per_min: 100),
        ),
    ],
    parameters: {{ "immunity.synapse.stiffness_per_min": 0, "membranes.regeneration_per_day": 0 }},
    populations: [(cell: "behind", place: Cells([(at_um: (-7, 0, 0), cell: "behind"), (at_um: (6, 0, 0), cell: "before")]))],
)"#
    );
    let mut simulation = simulation(&text, 3);
    simulation.verify();
    while simulation.hours() < 12.0 {
        simulation.step();
    }
    let kills = simulation.metrics()[0].get("t_cell_kills");
    kills.expect("it is measured") as u64
}

#[test]
fn nobody_kills_through_a_closed_membrane() {
    assert_eq!(kills(1.0), 0);
    assert_eq!(kills(0.2), 1);
}
