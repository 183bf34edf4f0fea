//! Water and proteins through drawn walls.

use super::*;
use tumorscape::tissue::interstitium::Interstitium;

const SCENE: &str = r#"(title: "leak", about: "a vessel that leaks", pace: Calibrated, duration: Hours(4),
    molecules: [(name: "albumin", label: "albumin", about: "a protein of plasma", unit: "nM", nm_per_unit: 1,
        diffusivity_um2_per_min: 600, half_saturation: 1, quasi_steady: false, every_minutes: 5,
        crosses_vessel_walls: false, wall_permeability_um_per_min: 0.02, wall_reflection: 0.9, source: "made up")],
    sites: [(name: "breast", organ: Breast, size_um: (200, 200, 200),
        fields: [(molecule: "albumin", level: 100, start: 0, faces: Closed)],
        tissue: (
            interstitium: (host: (vessel_surface_per_um: 0)),
            vessels: [(place: Parent(from_um: (0, 0, -100), to_um: (0, 0, 100), radius_um: 8), artery_mmhg: 30, vein_mmhg: 28)],
        ))])"#;

#[test]
fn water_of_a_vessel_is_drained_or_leaves_and_brings_protein() {
    let mut simulation = begin(SCENE, 1);
    simulation.verify();
    for _ in 0..240 {
        simulation.step();
        assert!(
            simulation.violation().is_none(),
            "{:?}",
            simulation.violation()
        );
    }
    let metrics = tumorscape::measure::metrics::measure(simulation.world());
    let row = &metrics[0];
    let of = |name: &str| row.get(name).expect("it is measured");
    let (filtered, drained, left) = (
        of("water_filtered_um3_per_min"),
        of("water_drained_um3_per_min"),
        of("water_left_um3_per_min"),
    );
    assert!(filtered > 0.0 && drained > 0.0 && left > 0.0);
    assert!((filtered - drained - left).abs() < 1e-3 * filtered);
    // Lp S (p_v - sigma dpi - p), with the pressure of the tissue at the vessel.
    let fluid = simulation
        .world()
        .get::<Interstitium>(site(&simulation).entity)
        .expect("it has fluid");
    let surface = std::f64::consts::TAU * 8.0 * 200.0;
    let mut expected = 0.0;
    for k in 0..10 {
        let p_v = 30.0 - 2.0 * (k as f64 + 0.5) / 10.0;
        let p = f64::from(fluid.pressure_mmhg[5 + 10 * (5 + 10 * k)]);
        expected += 0.0216 * surface / 10.0 * (p_v - 0.91 * 10.0 - p);
    }
    assert!(
        (filtered / expected - 1.0).abs() < 0.01,
        "{filtered} {expected}"
    );
    let albumin = values(&simulation, "albumin");
    assert!(albumin.iter().all(|c| *c < 100.0));
    assert!(albumin[5 + 10 * (5 + 10 * 5)] > 1.02 * albumin[0]);
}

#[test]
fn drawn_vessels_take_the_place_of_those_of_the_host() {
    let with = |vessels: &str| {
        let scene = format!(
            r#"(title: "supply", about: "a sink in a box", pace: Calibrated, duration: Hours(1),
            sites: [(name: "breast", organ: Breast, size_um: (200, 200, 200), perfusion_length_um: 50,
                fields: [(molecule: "oxygen", level: 40, faces: Closed, sources: [(place: Box(min_um: (-100, -100, -100),
                    max_um: (100, 100, 100)), rate: PerMinute(-60))])],
                tissue: ({vessels}))])"#
        );
        let mut simulation = begin(&scene, 1);
        for _ in 0..20 {
            simulation.step();
        }
        values(&simulation, "oxygen").to_vec()
    };
    let host = with("");
    assert!(
        host.iter().all(|p| (p - host[0]).abs() < 0.01),
        "supplied alike everywhere"
    );
    let drawn =
        with("vessels: [(place: Parent(from_um: (0, 0, -100), to_um: (0, 0, 100), radius_um: 4))]");
    let (axis, corner) = (drawn[5 + 10 * (5 + 10 * 5)], drawn[10 * 10 * 5]);
    assert!(axis > corner + 2.0, "{axis} {corner}");
}

#[test]
fn protein_of_tissue_is_what_walls_let_in_over_what_lymph_takes_along() {
    let scene = |molecule: &str| {
        format!(
            r#"(title: "lymph", about: "tissue alike everywhere", pace: Calibrated, duration: Hours(1),
            molecules: [(name: "albumin", label: "albumin", about: "a protein of plasma", unit: "nM", nm_per_unit: 1,
                diffusivity_um2_per_min: 600, half_saturation: 1, quasi_steady: true, every_minutes: 1,
                crosses_vessel_walls: false, {molecule}, source: "made up")],
            sites: [(name: "breast", organ: Breast, size_um: (80, 80, 80),
                fields: [(molecule: "albumin", level: 100, start: 0, faces: Closed)],
                tissue: (interstitium: (closed: true)))])"#
        )
    };
    let (filtration, lymph) = (0.0216 * 7e-3, 8e-4);
    let effective = 15.6 - 0.91 * 10.0;
    let pressure = filtration * effective / (filtration + lymph);
    let water: f64 = lymph * pressure;
    for (permeability, reflection) in [(0.0, 0.9), (0.02, 0.9), (0.5, 0.5)] {
        let molecule =
            format!("wall_permeability_um_per_min: {permeability}, wall_reflection: {reflection}");
        let mut simulation = begin(&scene(&molecule), 1);
        simulation.verify();
        for _ in 0..3 {
            simulation.step();
            assert!(
                simulation.violation().is_none(),
                "{:?}",
                simulation.violation()
            );
        }
        let fluid = simulation
            .world()
            .get::<Interstitium>(site(&simulation).entity)
            .expect("it has fluid");
        for mmhg in &fluid.pressure_mmhg {
            assert!(
                (f64::from(*mmhg) - pressure).abs() < 1e-3,
                "{mmhg} {pressure}"
            );
        }
        let (carried, diffusion) = (water * (1.0 - reflection), permeability * 7e-3);
        let exact = if diffusion > 0.0 {
            let pe: f64 = carried / diffusion;
            let rate = carried / pe.exp_m1();
            rate * 100.0 * pe.exp() / (rate + water)
        } else {
            100.0 * (1.0 - reflection)
        };
        for found in values(&simulation, "albumin") {
            assert!(
                (f64::from(*found) / exact - 1.0).abs() < 2e-3,
                "{found} {exact}"
            );
        }
    }
}
