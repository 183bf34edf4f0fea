//! Niches follow their equations, integrated independently.

use tumorscape::simulation::Simulation;

use super::{assert_within, metric, run_to, simulation};

/// A lung of an animal with a tumour of that many cells, whose vesicles carry integrin a6b4.
pub fn lung(cells: f64, more: &str) -> String {
    format!(
        r#"(
    title: "lung", about: "it is readied", pace: Calibrated, duration: Days(28), step: Minutes(10),
    sites: [(
        name: "lung", organ: Lung, size_um: (400, 400, 200), voxel_um: (25, 25, 25), fields: [],
        tissue: (exosomes: (), niche: ()),
    )],
    populations: [(cell: "lung_epithelial_cell", place: Scatter(per_mm3: 16000))],
    parameters: {{
        "exosomes.per_packet": 40, "exosome_source.cells": {cells:?}, "exosome_source.integrins.a6b4": 1, {more}
    }},
)"#
    )
}

/// Education, fibronectin and marrow cells by the equations, at those days, for a dose over that which educates by half.
fn integrated(dose: f64, days: &[f64]) -> Vec<[f64; 3]> {
    let hill = |x: f64, half: f64, n: i32| x.powi(n) / (half.powi(n) + x.powi(n));
    let (dt, mut t) = (1e-3, 0.0);
    let [mut x, mut f, mut b] = [0.0_f64; 3];
    let mut found = Vec::new();
    for day in days {
        while t < *day {
            let dx = (dose - x) / 3.0;
            let df = 0.2 * hill(x, 1.0, 2) * (1.0 - f) - f / 10.0;
            let db = 0.5 * hill(f, 0.4, 3) * (1.0 - b) - b / 5.0;
            x += dt * dx;
            f += dt * df;
            b += dt * db;
            t += dt;
        }
        found.push([x, f, b]);
    }
    found
}

/// Education, fibronectin and marrow cells of a site.
pub fn means(simulation: &Simulation, site: usize) -> [f64; 3] {
    ["niche_education", "niche_fibronectin", "niche_marrow"]
        .map(|name| metric(simulation, site, name))
}

#[test]
fn means_over_patches_follow_the_equations() {
    // Three times the cells whose vesicles educate by half, and room for enough marrow cells that chance evens out.
    let more = r#""exosome_source.doubling_days": 1e4, "marrow_derived_cell.marrow_derived.most_per_mm3": 40000"#;
    let mut simulation = simulation(&lung(4.5e7, more), 2);
    simulation.verify();
    let days = [5.0, 8.0, 12.0];
    let expected = integrated(3.0, &days);
    for (day, expected) in days.iter().zip(expected) {
        run_to(&mut simulation, day * 24.0);
        assert_eq!(simulation.violation(), None);
        let found = means(&simulation, 0);
        for (name, (found, expected)) in ["X", "F", "B"].iter().zip(found.iter().zip(expected)) {
            assert_within(&format!("{name} after {day} d"), *found, expected, 0.1);
        }
    }
}

#[test]
fn without_mif_no_fibronectin_is_laid_and_without_met_fewer_marrow_cells_come() {
    let steady = r#""exosome_source.doubling_days": 1e4, "niche.pace": 4, "marrow_derived_cell.marrow_derived.most_per_mm3": 20000"#;
    let ends = |more: &str| {
        let mut simulation = simulation(&lung(6e7, &format!("{steady}, {more}")), 2);
        run_to(&mut simulation, 48.0);
        means(&simulation, 0)
    };
    let whole = ends("");
    let without_mif = ends(r#""exosome_source.cargo.mif": 0"#);
    assert_within("education without MIF", without_mif[0], whole[0], 0.1);
    assert!(
        without_mif[1] < 0.2 * whole[1] && without_mif[2] < 0.1 * whole[2],
        "{without_mif:?} {whole:?}"
    );
    let without_met = ends(r#""exosome_source.cargo.met": 0"#);
    assert_within("fibronectin without MET", without_met[1], whole[1], 0.1);
    assert!(
        without_met[2] < 0.6 * whole[2] && without_met[2] > 0.1 * whole[2],
        "{without_met:?} {whole:?}"
    );
}
