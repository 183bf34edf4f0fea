//! Oxygen around one vessel in a cylinder of tissue that burns it at a constant rate, after Krogh and Erlang (Krogh 1919, J Physiol 52:409).

use super::*;

/// Radius of the cylinder, which has the area of the 37 voxels of 20 um whose middles lie in it, and of the vessel, um.
const CYLINDER_UM: f32 = 68.6;
const VESSEL_UM: f32 = 4.0;
/// Uptake, mmHg/min: 10 mmHg/s.
const UPTAKE: f32 = 600.0;
/// Diffusivity of the library, um2/min.
const DIFFUSIVITY: f32 = 1.05e5;
/// Length of the vessel, um.
const LENGTH_UM: f32 = 200.0;

/// The cylinder as boxes, one for each row of voxels of 20 um whose middles lie in it.
fn sinks(uptake: f32) -> String {
    let mut boxes = String::new();
    for row in -4..=4 {
        let y = 20.0 * row as f32;
        let half = (CYLINDER_UM * CYLINDER_UM - y * y).max(0.0).sqrt();
        if half > 0.0 {
            boxes.push_str(&format!(
                "(place: Box(min_um: ({}, {}, -100), max_um: ({half}, {}, 100)), rate: PerMinute(-{uptake})),",
                -half,
                y - 5.0,
                y + 5.0
            ));
        }
    }
    boxes
}

fn scene(level: f32, uptake: f32, parameters: &str) -> String {
    format!(
        r#"(title: "Krogh", about: "one vessel", pace: Calibrated, duration: Hours(1),
        sites: [(name: "muscle", organ: Breast, size_um: (180, 180, {LENGTH_UM}),
            fields: [(molecule: "oxygen", level: {level}, faces: Closed, sources: [{}])],
            tissue: (vessels: [(place: Parent(from_um: (0, 0, -100), to_um: (0, 0, 100), radius_um: {VESSEL_UM}),
                artery_mmhg: 30, vein_mmhg: 27)]))],
        parameters: {{ "transport.tolerance": 1e-6, {parameters} }})"#,
        sinks(uptake)
    )
}

/// Pressure below that at the wall, mmHg.
fn fall(r: f64) -> f64 {
    let (q, d) = (f64::from(UPTAKE), f64::from(DIFFUSIVITY));
    let (cylinder, vessel) = (f64::from(CYLINDER_UM), f64::from(VESSEL_UM));
    q / (4.0 * d) * (r * r - vessel * vessel)
        - q * cylinder * cylinder / (2.0 * d) * (r / vessel).ln()
}

/// The most by which a voxel of the cylinder differs from Krogh and Erlang, given the pressure in the vessel's voxel of its slice, mmHg.
fn worst(simulation: &Simulation) -> f64 {
    let values = values(simulation, "oxygen");
    let mut worst = 0.0_f64;
    for k in 0..10 {
        let middle = f64::from(values[4 + 9 * (4 + 9 * k)]);
        for j in 0..9 {
            for i in 0..9 {
                let (x, y) = (20.0 * (i as f64 - 4.0), 20.0 * (j as f64 - 4.0));
                let r = x.hypot(y);
                if r > 1.0 && r < f64::from(CYLINDER_UM) {
                    let found = f64::from(values[i + 9 * (j + 9 * k)]);
                    worst = worst.max((found - middle - fall(r)).abs());
                }
            }
        }
    }
    worst
}

#[test]
fn oxygen_around_a_vessel_falls_as_krogh_and_erlang_say() {
    // Blood that gives without hindrance, and so much of it that it stays at 40 mmHg.
    let held = r#""vessel_exchange.sherwood": 200, "vessel_exchange.red_cell_oxygen_mm": 900"#;
    let mut simulation = begin(&scene(40.0, UPTAKE, held), 1);
    simulation.verify();
    for _ in 0..30 {
        simulation.step();
        assert!(
            simulation.violation().is_none(),
            "{:?}",
            simulation.violation()
        );
    }
    for k in 0..10 {
        let middle = values(&simulation, "oxygen")[4 + 9 * (4 + 9 * k)];
        assert!((middle - 40.0).abs() < 0.5, "{middle}");
    }
    let worst = worst(&simulation);
    assert!(worst < 0.03 * 40.0, "{worst} mmHg");
}

#[test]
fn the_drop_at_the_wall_is_uptake_over_the_rate_of_exchange() {
    let much = r#""vessel_exchange.red_cell_oxygen_mm": 900"#;
    let mut simulation = begin(&scene(60.0, UPTAKE, much), 1);
    for _ in 0..30 {
        simulation.step();
    }
    // Voxels of the cylinder in a slice.
    let mut count = 0;
    for j in -4..=4_i32 {
        for i in -4..=4_i32 {
            count += i32::from(20.0 * f64::from(i).hypot(f64::from(j)) < f64::from(CYLINDER_UM));
        }
    }
    // pi Sh D l/V: 990 /min.
    let rate = std::f32::consts::PI * 1.2 * DIFFUSIVITY * 20.0 / 8000.0;
    assert!((rate - 990.0).abs() < 1.0);
    let drop = count as f32 * UPTAKE / rate;
    let exchange = simulation
        .world()
        .get::<BloodExchange>(field(&simulation, "oxygen"));
    let level = &exchange.expect("it has vessels").level;
    for (k, level) in level.iter().enumerate().take(9).skip(1) {
        let middle = values(&simulation, "oxygen")[4 + 9 * (4 + 9 * k)];
        // Blood that holds so much loses next to nothing.
        assert!((level - 60.0).abs() < 1.0, "{level}");
        assert!((level - middle - drop).abs() < 0.5, "{middle} {drop}");
    }
}

#[test]
fn blood_gives_what_tissue_takes_and_saturation_falls_along_the_flow() {
    let mut simulation = begin(&scene(80.0, 0.5 * UPTAKE, ""), 1);
    for _ in 0..60 {
        simulation.step();
    }
    let [given, taken] = books(&simulation, "oxygen");
    assert!((given - taken).abs() < 1e-3 * taken, "{given} {taken}");
    // What the tissue burns, voxel by voxel.
    let mut burnt = 0.0;
    for j in -4..=4_i32 {
        for i in -4..=4_i32 {
            if 20.0 * f64::from(i).hypot(f64::from(j)) < f64::from(CYLINDER_UM) {
                burnt += 0.5 * f64::from(UPTAKE) * 8000.0 * 10.0;
            }
        }
    }
    assert!((taken - burnt).abs() < 0.01 * burnt, "{taken} {burnt}");
    // By the oxygen that blood holds: 20.3 mM of red cells over 1.3 uM/mmHg.
    let world = simulation.world();
    let network = world
        .get::<tumorscape::biology::vasculature::Network>(site(&simulation).entity)
        .expect("it has vessels");
    let exchange = world
        .get::<BloodExchange>(field(&simulation, "oxygen"))
        .expect("it has vessels");
    let holds = |p: f64, haematocrit: f64| {
        let x = (p / 27.0).powf(2.7);
        p + haematocrit * 20.3e6 / 1300.0 * x / (1.0 + x)
    };
    let segment = &network.segments()[0];
    let (flow, haematocrit) = (segment.flow_um3_per_min, f64::from(segment.haematocrit));
    let last = f64::from(*exchange.level.last().expect("it crosses voxels"));
    // By the middle of the last of ten pieces it has given all but half of what that gives: 990 /min of the difference of levels.
    let beyond = f64::from(values(&simulation, "oxygen")[4 + 9 * (4 + 9 * 9)]);
    let half = 0.5 * 990.0 * (last - beyond) * 8000.0;
    let lost = flow * (holds(80.0, haematocrit) - holds(last, haematocrit));
    assert!(
        (lost / (taken - half) - 1.0).abs() < 0.01,
        "{lost} {half} {taken}"
    );
    assert!(exchange.level.is_sorted_by(|a, b| a > b));
}

#[test]
fn blood_of_which_too_much_is_asked_gives_all_it_has() {
    let mut simulation = begin(&scene(20.0, UPTAKE, ""), 1);
    simulation.verify();
    for _ in 0..120 {
        simulation.step();
        assert!(simulation.violation().is_none());
    }
    let [given, taken] = books(&simulation, "oxygen");
    assert!((given - taken).abs() < 1e-3 * taken, "{given} {taken}");
    let least = values(&simulation, "oxygen")
        .iter()
        .copied()
        .fold(f32::MAX, f32::min);
    assert!(least < 0.1, "{least}");
}
