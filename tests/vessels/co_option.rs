//! Cells that take over the vessels of the host.

use tumorscape::biology::vasculature::Network;
use tumorscape::cell::Position;

use super::{network, simulation};

/// Walkers among capillaries 100 um apart, drawn to vessels with an index; and the share of them within so many um of a wall.
fn share_at_walls(index: f32) -> f64 {
    let text = format!(
        r#"(
    title: "walkers", about: "-", pace: Illustrative, duration: Hours(24), step: Minutes(5),
    sites: [(name: "brain", organ: Brain, size_um: (300, 300, 300), fields: [],
        tissue: (vessels: [(place: Grid(spacing_um: 100))]))],
    cell_types: [(
        name: "walker", about: "It walks.", colour: (0.9, 0.6, 0.1),
        mechanics: (adhesion_um_per_min: 0), death: (apoptosis_per_hour: 0),
        motility: (speed_um_per_min: 0.5, persistence_min: 20), co_option: (index: {index}),
    )],
    populations: [(cell: "walker", place: Scatter(per_mm3: 6000))],
)"#
    );
    let mut simulation = simulation(&text);
    simulation.verify();
    for _ in 0..288 {
        simulation.step();
    }
    assert_eq!(simulation.violation(), None);
    let network: &Network = network(&simulation);
    let mut near = Vec::new();
    let world = simulation.world();
    let mut query = world.try_query::<&Position>().expect("cells have places");
    let (mut at_wall, mut all) = (0_u32, 0_u32);
    for position in query.iter(world) {
        network.segments_near(position.0, 18.0, &mut near);
        at_wall += u32::from(!near.is_empty());
        all += 1;
    }
    f64::from(at_wall) / f64::from(all)
}

#[test]
#[ignore = "without any pull 0.15 of them are at walls, where geometry says 0.25: not explained yet"]
fn cells_that_take_over_vessels_gather_at_their_walls() {
    // 18 um around edges of a lattice of 100 um: three times pi 18^2 / 100^2, less what overlaps where they cross.
    let chance = share_at_walls(0.0);
    assert!((0.18..0.36).contains(&chance), "{chance}");
    let drawn = share_at_walls(0.6);
    assert!(drawn > 2.0 * chance, "{drawn} against {chance}");
}
