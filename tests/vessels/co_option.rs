//! Cells that take over the vessels of the host.

use bevy::math::Vec3;
use tumorscape::biology::vasculature::Network;
use tumorscape::cell::Position;

use super::{network, simulation};

/// How far from the middle of a vessel a cell is at its wall, um.
const AT_WALL_UM: f32 = 18.0;

/// Walkers among capillaries, drawn to vessels with an index; and the share of them that is at a wall, with that of the places of the block.
fn share_at_walls(index: f32) -> [f64; 2] {
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
    populations: [(cell: "walker", place: Scatter(per_mm3: 20000))],
)"#
    );
    let mut simulation = simulation(&text);
    simulation.verify();
    for _ in 0..288 {
        simulation.step();
    }
    assert_eq!(simulation.violation(), None);
    let network: &Network = network(&simulation);
    // Whatever finds vessels near a place, each of them is asked here.
    let vessels: Vec<[Vec3; 2]> = (0..network.segments().len())
        .map(|segment| network.places_um(segment))
        .collect();
    let is_at_wall = |at_um: &Vec3| {
        vessels.iter().any(|[from, to]| {
            let along = *to - *from;
            let share = (*at_um - *from).dot(along) / along.length_squared().max(1.0e-6);
            at_um.distance(*from + along * share.clamp(0.0, 1.0)) < AT_WALL_UM
        })
    };
    let share = |places: &[Vec3]| {
        places.iter().filter(|at| is_at_wall(at)).count() as f64 / places.len() as f64
    };
    let world = simulation.world();
    let mut query = world.try_query::<&Position>().expect("cells have places");
    let cells: Vec<Vec3> = query.iter(world).map(|position| position.0).collect();
    let at = |number: u32| -145.0 + 10.0 * (number as f32);
    let block: Vec<Vec3> = (0..30_u32.pow(3))
        .map(|place| Vec3::new(at(place % 30), at(place / 30 % 30), at(place / 900)))
        .collect();
    [share(&cells), share(&block)]
}

#[test]
fn cells_that_take_over_vessels_gather_at_their_walls() {
    let [alone, by_chance] = share_at_walls(0.0);
    // Some 500 cells: three standard errors.
    let error = 3.0 * (by_chance * (1.0 - by_chance) / 500.0).sqrt();
    assert!((alone - by_chance).abs() < error, "{alone}, {by_chance}");
    let [drawn, _] = share_at_walls(0.6);
    assert!(drawn > 2.0 * by_chance, "{drawn} against {by_chance}");
}
