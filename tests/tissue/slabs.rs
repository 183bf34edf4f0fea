//! Cells stay within the walls of their site, however thin it is, at the end of every step.

use super::*;

#[test]
fn no_cell_is_outside_its_walls_at_the_end_of_any_step_in_slabs_of_any_thickness() {
    let places: String = (0..25)
        .map(|n| format!("(at_um: ({}, {}, 0)), ", 20 * (n % 5 - 2), 20 * (n / 5 - 2)))
        .collect();
    // The thinnest is thinner than a cell.
    for thickness_um in [9.0, 17.0, 20.0, 33.0] {
        let mut simulation = simulation(&format!(
            "duration: Hours(72), step: Minutes(10), \
             sites: [(name: \"slab\", organ: Medium, size_um: (160, 160, {thickness_um}), \
                 voxel_um: (20, 20, {thickness_um}), fields: [(molecule: \"oxygen\", level: 100)])], \
             populations: [(cell: \"cancer\", place: Cells([{places}]))], \
             parameters: {{\"cancer.cycle.max_pressure\": 1000}}"
        ));
        simulation.verify();
        let before = simulation.cell_count();
        let half = [80.0, 80.0, 0.5 * thickness_um as f32];
        for _ in 0..simulation.total_steps() {
            simulation.step();
            let world = simulation.world();
            let mut places = world.try_query::<&Position>().expect("there are cells");
            for at in places.iter(world) {
                let outside = std::iter::zip(at.0.abs().to_array(), half).any(|(x, half)| x > half);
                assert!(
                    !outside,
                    "{thickness_um} um: {} after {} h",
                    at.0,
                    simulation.hours()
                );
            }
        }
        assert!(simulation.violation().is_none(), "{thickness_um} um");
        assert!(simulation.cell_count() > 2 * before, "{thickness_um} um");
    }
}
