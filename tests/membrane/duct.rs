//! A duct of cancer cells within its membrane: how long it holds, by what cells make, over several seeds.

use super::{cell, metric, open, program};

/// What cells do to the membrane, and how they walk.
#[derive(Clone, Copy)]
struct Phenotype {
    /// Soluble MMP, molecules/s: 3 (1 + 4 N/3.2).
    mmp: f32,
    /// Contact digestion, 1/min: 3e-4 with the MT1-MMP of a mesenchymal cell.
    contact: f32,
    speed: f32,
}

const EPITHELIAL: Phenotype = Phenotype {
    mmp: 3.0,
    contact: 0.0,
    speed: 0.1,
};
const MESENCHYMAL: Phenotype = Phenotype {
    mmp: 15.0,
    contact: 3.0e-4,
    speed: 0.7,
};

/// A duct of 100 um in radius, as full of cells as tissue is (1.7e8 in a mL), in stroma that is wide beside the 153 um that MMP
/// gets.
fn scene(of: Phenotype, left: f32, element_um: f32) -> String {
    let (mmp, contact) = (of.mmp * left, of.contact * left);
    format!(
        r#"(
    title: "a duct", about: "cancer cells within a membrane", pace: Calibrated, duration: Days(12), step: Minutes(2),
    sites: [(name: "breast", organ: Breast, size_um: (160, 800, 800), voxel_um: (20, 40, 40),
        fields: [(molecule: "mmp", level: 0, faces: Closed)],
        tissue: (membranes: [
            (around: Duct(from_um: (-80, 0, 0), to_um: (80, 0, 0), radius_um: 100), element_um: {element_um}),
        ]))],
    cell_types: [{}],
    populations: [(cell: "cancer", place: Cylinder(from_um: (-80, 0, 0), to_um: (80, 0, 0), radius_um: 99))],
)"#,
        cell(
            "cancer",
            &format!(
                r#"body: (volume_um3: 3500), motility: (speed_um_per_min: {}, persistence_min: 30),
                membrane: (contact_digestion_per_min: {contact}),
                exchange: [(molecule: "mmp", secretes_molecules_per_s: {mmp})]"#,
                of.speed
            )
        )
    )
}

/// Day of the first crossing within twelve.
fn first_crossing(of: Phenotype, left: f32, element_um: f32, seed: u64) -> Option<f64> {
    let mut simulation = open(&program(), &scene(of, left, element_um), seed);
    while simulation.hours() < 12.0 * 24.0 {
        simulation.step();
        if simulation.steps().is_multiple_of(60) && metric(&simulation, "membrane_crossings") > 0.0
        {
            break;
        }
    }
    let day = metric(&simulation, "membrane_first_crossing_h") / 24.0;
    println!(
        "{} molecules/s, {:e} /min, x {left}, {element_um} um, seed {seed}: day {day:.2}, {} cells, {:.2} nM, {:.4} open",
        of.mmp,
        of.contact,
        simulation.cell_count(),
        metric(&simulation, "mmp_mean_nm"),
        metric(&simulation, "membrane_open_share"),
    );
    day.is_finite().then_some(day)
}

#[test]
#[ignore = "days of a duct over five seeds: three minutes; run with `cargo test --release -- --ignored`"]
fn mesenchymal_cells_get_out_of_a_duct_after_days_and_others_do_not() {
    let mut days = [Vec::new(), Vec::new()];
    for seed in 1..=5 {
        for (days, element_um) in days.iter_mut().zip([8.0, 12.0]) {
            let day = first_crossing(MESENCHYMAL, 1.0, element_um, seed);
            days.push(day.expect("mesenchymal cells get out"));
        }
        assert_eq!(first_crossing(EPITHELIAL, 1.0, 8.0, seed), None);
        assert_eq!(first_crossing(MESENCHYMAL, 0.1, 8.0, seed), None);
    }
    let all = days.iter().flatten();
    assert!(all.clone().all(|day| (2.0..=5.0).contains(day)), "{days:?}");
    for (fine, coarse) in days[0].iter().zip(&days[1]) {
        assert!((fine - coarse).abs() < 1.0, "{days:?}");
    }
}
