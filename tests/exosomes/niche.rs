//! Niches follow their equations, integrated independently.

use tumorscape::biology::exosome::BloodVesicles;
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

/// Education, fibronectin and marrow cells by the equations, at those days, for a dose over that which educates by half, and for the MET that has come to the
/// marrow lately, over that of 1.5e7 tumour cells, as a function of the day.
fn integrated(dose: f64, met: impl Fn(f64) -> f64, days: &[f64]) -> Vec<[f64; 3]> {
    let hill = |x: f64, half: f64, n: i32| x.powi(n) / (half.powi(n) + x.powi(n));
    // Three tenths come without any MET, all with plenty.
    let recruitment = |t: f64| 0.3 + 0.7 * hill(met(t), 0.1, 2);
    let (dt, mut t) = (1e-3, 0.0);
    let [mut x, mut f, mut b] = [0.0_f64; 3];
    let mut found = Vec::new();
    for day in days {
        while t < *day {
            let dx = (dose - x) / 3.0;
            let df = 0.2 * hill(x, 1.0, 2) * (1.0 - f) - f / 10.0;
            let db = 0.5 * recruitment(t) * hill(f, 0.4, 3) * (1.0 - b) - b / 5.0;
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
    // To marrow go 0.03 over 2.2 of them, and what it took up counts half as much after a day.
    let met = |day: f64| 3.0 / 2.2 * (1.0 - 0.5_f64.powf(day));
    let expected = integrated(3.0, met, &days);
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
fn without_mif_no_fibronectin_is_laid() {
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
}

/// MET that came to the marrow lately, over that of 1.5e7 tumour cells.
fn met(simulation: &Simulation) -> f64 {
    let blood: &BloodVesicles = simulation.world().resource();
    blood.marrow_met(2.232e9)
}

#[test]
fn met_of_marrow_is_the_amount_of_a_day_and_fades_when_no_more_comes() {
    // A dose of as many vesicles as 1.5e7 cells send in a day, at the beginning: of what came within minutes half counts after a day.
    let dose = r#""exosome_source.dose_vesicles": 2.232e9, "exosome_source.dose_until_days": 1"#;
    let mut once = simulation(&lung(0.0, dose), 1);
    for day in [1.0, 2.0, 4.0] {
        run_to(&mut once, 24.0 * day);
        let expected = std::f64::consts::LN_2 * 0.5_f64.powf(day) / 2.2;
        assert_within(&format!("{day} d after a dose"), met(&once), expected, 5e-3);
    }
    // What comes evenly is told as it comes, in proportion.
    for cells in [1.5e5, 1.5e7] {
        let mut evenly = simulation(&lung(cells, r#""exosome_source.doubling_days": 1e4"#), 1);
        run_to(&mut evenly, 48.0);
        let expected = cells / 1.5e7 * 0.75 / 2.2;
        assert_within(&format!("{cells} cells"), met(&evenly), expected, 5e-3);
    }
    let mut none = simulation(&lung(0.0, ""), 1);
    run_to(&mut none, 24.0);
    assert_eq!(met(&none), 0.0);
}

#[test]
fn marrow_cells_come_by_the_amount_of_met_and_three_tenths_of_them_without() {
    // A lung that is educated alike, by itself or by vesicles: none; as many as hardly any tumour sends; those of 1.5e7 cells without MET, and with it.
    let steady = |met: f64| move |day: f64| met / 2.2 * (1.0 - 0.5_f64.powf(day));
    let few = 1.0e5 / (62.0 * 24.0 * 0.1);
    for (what, cells, own, cargo, amount) in [
        ("no vesicles", 0.0, 3.0, 1.0, 0.0),
        ("1e5 vesicles a day", few, 3.0, 1.0, few / 1.5e7),
        ("vesicles without MET", 1.5e7, 2.0, 0.0, 0.0),
        ("vesicles with MET", 1.5e7, 2.0, 1.0, 1.0),
    ] {
        let more = format!(
            r#""exosome_source.doubling_days": 1e4, "exosome_source.cargo.met": {cargo:?}, "lung_epithelial_cell.education.dose": {own:?},
            "marrow_derived_cell.marrow_derived.most_per_mm3": 80000"#
        );
        let mut simulation = simulation(&lung(cells, &more), 2);
        run_to(&mut simulation, 24.0 * 9.0);
        let found = means(&simulation, 0);
        let expected = integrated(3.0, steady(amount), &[9.0])[0];
        assert_within(&format!("F with {what}"), found[1], expected[1], 0.1);
        assert_within(&format!("B with {what}"), found[2], expected[2], 0.12);
    }
}
