//! Cells of a planar site stay in their plane while they walk, push each other and divide, and walk there at their whole speed.

use std::sync::Arc;

use tumorscape::cell::{EventKind, Position};
use tumorscape::simulation::{Program, Simulation};

fn simulation(text: &str) -> Simulation {
    let scene = Program::default().parse_scene(text, "plane.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(scene), 3).expect("its parameters are valid")
}

fn places(simulation: &Simulation) -> Vec<bevy::prelude::Vec3> {
    let world = simulation.world();
    let mut cells = world.try_query::<&Position>().expect("cells have places");
    cells.iter(world).map(|at| at.0).collect()
}

#[test]
fn cells_divide_and_push_within_their_plane() {
    let mut dish = simulation(
        r#"(
    title: "a dish", about: "-", pace: Illustrative, duration: Hours(24), step: Minutes(5),
    sites: [(
        name: "dish", organ: Medium, size_um: (300, 300, 60), tissue: (plane: (z_um: 4)),
        fields: [(molecule: "oxygen", level: 100), (molecule: "glucose", level: 5.5)],
    )],
    populations: [(cell: "cancer", place: Scatter(per_mm3: 9000))],
)"#,
    );
    dish.verify();
    let mut divisions = 0;
    for _ in 0..dish.total_steps() {
        dish.step();
        let events = dish.events().iter();
        divisions += events
            .filter(|event| event.kind == EventKind::of("division"))
            .count();
        assert!(places(&dish).iter().all(|at| at.z == 4.0));
    }
    assert!(dish.violation().is_none());
    assert!(divisions > 20, "{divisions}");
}

#[test]
fn walkers_spread_in_a_plane_as_a_persistent_walk_of_their_speed_does() {
    // Speed 1 um/min, persistence 10 min: after t the mean squared displacement is 2 S^2 P (t - P (1 - exp(-t/P))).
    let text = |z: f32| {
        format!(
            r#"(
    title: "walkers", about: "-", pace: Illustrative, duration: Hours(4), step: Minutes(1),
    sites: [(name: "dish", organ: Medium, size_um: (4000, 4000, 60), tissue: (plane: (z_um: {z})))],
    cell_types: [(
        name: "walker", about: "walks", colour: (1, 1, 1), body: (volume_um3: 100, nucleus_um3: 20),
        mechanics: (adhesion_um_per_min: 0), motility: (speed_um_per_min: 1, persistence_min: 10),
    )],
    populations: [(cell: "walker", place: Scatter(per_mm3: 2000))],
)"#
        )
    };
    let mut dish = simulation(&text(0.0));
    let start = places(&dish);
    for _ in 0..dish.total_steps() {
        dish.step();
    }
    let end = places(&dish);
    assert_eq!(start.len(), end.len());
    let squares: Vec<f64> = std::iter::zip(&start, &end)
        .map(|(from, to)| f64::from(from.distance_squared(*to)))
        .collect();
    let count = squares.len() as f64;
    let found = squares.iter().sum::<f64>() / count;
    let expected = 2.0 * 10.0 * (240.0 - 10.0);
    // Squares of a plane walk are nearly exponential: their spread is their mean. Three standard errors, and 3 % for what walkers meet.
    let allowed = 3.0 / count.sqrt() + 0.03;
    assert!(
        (found / expected - 1.0).abs() < allowed,
        "{found:.0} of {expected:.0} um2, {count} walkers"
    );
}
