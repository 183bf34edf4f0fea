//! Packets walk as what diffuses does, also between fibres, and are as many in a tumour as its cells send and take up.

use bevy::prelude::*;
use tumorscape::biology::exosome::Packets;
use tumorscape::biology::exosome::packets::{Load, NO_CELL};
use tumorscape::core::{Clock, SimSchedule, SimSystems};
use tumorscape::simulation::{Program, Simulation};
use tumorscape::tissue::medium::share_over_reference;

use super::{assert_within, begin, packets, run_to, simulation};

/// Packets of one vesicle at these places of the first site, from the beginning.
fn with_packets(
    at_um: impl Fn(u32) -> Vec3 + Send + Sync + Clone + 'static,
    count: u32,
) -> Program {
    Program::default().with(move |app| {
        let at_um = at_um.clone();
        let put = move |clock: Res<Clock>, mut sites: Query<&mut Packets>| {
            if clock.step > 0 {
                return;
            }
            for mut packets in &mut sites {
                let load = Load {
                    origin: NO_CELL,
                    cargo: [0.0; 5],
                    integrins: [0.0; 3],
                };
                for number in 0..count {
                    packets.add(load, at_um(number), 1, false);
                }
                packets.books.secreted += u64::from(count);
            }
        };
        app.add_systems(SimSchedule, put.in_set(SimSystems::Perceive));
    })
}

/// Stroma without cells.
fn stroma(matrix: &str, size_um: u32) -> String {
    format!(
        r#"(
    title: "stroma", about: "nobody takes vesicles up", pace: Illustrative, duration: Days(2),
    sites: [(
        name: "breast", organ: Breast, size_um: ({size_um}, {size_um}, {size_um}), voxel_um: (40, 40, 40), fields: [],
        tissue: (matrix: ({matrix}), exosomes: ()),
    )],
    parameters: {{"exosomes.escape_per_min": 0, "matrix.regeneration_per_day": 0}},
)"#
    )
}

/// Mean of the squared distance from the middle, um2.
fn spread(simulation: &Simulation) -> f64 {
    let list = &packets(simulation, 0).list;
    let squares = list.iter().map(|of| f64::from(of.at_um.length_squared()));
    squares.sum::<f64>() / list.len() as f64
}

#[test]
fn packets_spread_as_diffusion_with_hindrance_says() {
    for density in [0.1_f32, 0.4, 0.8] {
        let text = stroma(&format!("density: {density}"), 1200);
        let program = with_packets(|_| Vec3::ZERO, 20_000);
        let mut simulation = begin(&program, &text, 3);
        simulation.verify();
        for _ in 0..30 {
            simulation.step();
        }
        assert_eq!(simulation.violation(), None);
        // Against a tissue of 0.4, fibrils of 20 nm and 0.0095 of the volume at density 1, vesicles of 50 nm.
        let volumes = (density * 0.0095, 0.4 * 0.0095);
        let share = share_over_reference(volumes, 20.0, 50.0);
        let expected = 6.0 * 100.0 * f64::from(share) * 30.0;
        assert_within(
            &format!("at {density}"),
            spread(&simulation),
            expected,
            0.03,
        );
    }
}

#[test]
fn packets_gather_neither_where_they_move_freely_nor_where_they_are_held_up() {
    // No matrix in a ball, dense matrix around it: evenly spread packets stay so.
    let text = stroma("density: 0.95, outside_um: 200", 640);
    let side = 34_u32;
    let place = move |number: u32| {
        let at = UVec3::new(number % side, number / side % side, number / (side * side));
        (at.as_vec3() + 0.5) / side as f32 * 640.0 - 320.0
    };
    let mut simulation = begin(&with_packets(place, side * side * side), &text, 5);
    let inside = |simulation: &Simulation| {
        let list = &packets(simulation, 0).list;
        let inside = list.iter().filter(|of| of.at_um.length() < 200.0).count();
        inside as f64 / list.len() as f64
    };
    simulation.step();
    let before = inside(&simulation);
    for _ in 0..400 {
        simulation.step();
    }
    let mut after = 0.0;
    for _ in 0..50 {
        for _ in 0..10 {
            simulation.step();
        }
        after += inside(&simulation) / 50.0;
    }
    assert_within("in the ball", after, before, 0.05);
}

#[test]
fn a_packed_tumour_holds_34_vesicles_in_a_voxel() {
    let text = r#"(
    title: "packed", about: "a tumour among nothing", pace: Illustrative, duration: Hours(6),
    sites: [(
        name: "breast", organ: Breast, size_um: (320, 320, 320), voxel_um: (20, 20, 20), walls: true, fields: [],
        tissue: (exosomes: ()),
    )],
    populations: [(cell: "cancer", place: Ball(radius_um: 140))],
    parameters: {"exosomes.escape_per_min": 0, "exosomes.per_packet": 20, "cancer.cycle.g0g1_hours": 1000, "cancer.death.apoptosis_per_hour": 0},
    rules: [Delete("cancer.hypoxia_frees_vesicles")],
)"#;
    let mut simulation = simulation(text, 1);
    simulation.verify();
    run_to(&mut simulation, 3.0);
    let mut level = 0.0;
    let radius = 90.0_f32;
    for _ in 0..60 {
        simulation.step();
        let list = &packets(&simulation, 0).list;
        let near = list.iter().filter(|of| of.at_um.length() < radius);
        let vesicles: u32 = near.map(|of| of.vesicles).sum();
        let volume_um3 = 4.0 / 3.0 * std::f64::consts::PI * f64::from(radius).powi(3);
        level += f64::from(vesicles) / volume_um3 * 8000.0 / 60.0;
    }
    assert_eq!(simulation.violation(), None);
    // 1.03 a minute of each cell, each of which clears 240 um3 a minute: 34.3 in 8000 um3, however densely they lie.
    assert_within("vesicles in a voxel", level, 34.0, 0.1);
}

#[test]
fn a_tenth_of_what_a_tumour_sets_free_reaches_the_blood_with_drawn_vessels_and_without() {
    let escaped = |vessels: &str| {
        let text = format!(
            r#"(
    title: "escape", about: "vesicles of packed tissue", pace: Illustrative, duration: Hours(8),
    sites: [(
        name: "breast", organ: Breast, size_um: (280, 280, 280), voxel_um: (20, 20, 20), walls: true, fields: [],
        tissue: (exosomes: (), {vessels}),
    )],
    populations: [(cell: "cancer", place: Scatter(per_mm3: 167000))],
    parameters: {{"exosomes.per_packet": 20, "cancer.cycle.g0g1_hours": 1000, "cancer.death.apoptosis_per_hour": 0}},
)"#
        );
        let mut simulation = simulation(&text, 1);
        let books = |simulation: &Simulation| {
            let books = packets(simulation, 0).books;
            [books.escaped, books.taken_up].map(|count| count as f64)
        };
        run_to(&mut simulation, 2.0);
        let before = books(&simulation);
        run_to(&mut simulation, 5.0);
        let after = books(&simulation);
        let [escaped, taken] = [0, 1].map(|of| after[of] - before[of]);
        escaped / (escaped + taken)
    };
    // 0.0044 /min beside 0.04 /min everywhere; or through the leaky walls of a tumour, less what vesicles are the fewer near them.
    let without = escaped("");
    assert_within("without vessels", without, 0.0044 / 0.0444, 0.1);
    let with = escaped("vessels: [(place: Tree(density_mm_per_mm3: 100), like: Tumour)]");
    assert!((0.06..0.15).contains(&with), "with vessels: {with}");
}
