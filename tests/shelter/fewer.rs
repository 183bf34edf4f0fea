//! Fewer macrophages: an inhibitor of CSF1R takes them as it does in mice, and CCL2 calls as many as it says.

use tumorscape::biology::recruitment::CALLED;

use super::{metric, run_to, simulation};

#[test]
fn an_inhibitor_of_csf1r_leaves_as_many_macrophages_as_in_mice() {
    // 8500 in a mm3 come to rest with 600 that come and 0.07 that die in a day; under the inhibitor 0.25 a day die and three tenths come.
    let text = r#"(
    title: "csf1r", about: "-", pace: Calibrated, duration: Days(14), step: Minutes(30),
    sites: [(name: "breast", organ: Breast, size_um: (400, 400, 400), voxel_um: (40, 40, 40), tissue: (recruitment: ()))],
    populations: [(cell: "macrophage", place: Scatter(per_mm3: 8500))],
    parameters: {
        "macrophage.death.apoptosis_per_hour": 0.0104, "macrophage.recruit.per_mm3_per_day": 180,
        "macrophage.motility.speed_um_per_min": 0,
    },
    rules: [
        Delete("macrophage.ccl2_calls_monocytes"),
        Delete("regulatory_t_cell.ccl22_calls_regulatory_t_cells"), Delete("regulatory_t_cell.tgf_beta_induces_regulatory_t_cells"),
        Delete("mdsc.ccl2_calls_myeloid_cells"),
    ],
)"#;
    let mut simulation = simulation(text, 1);
    let start = metric(&simulation, 0, "living_macrophage");
    for (days, left) in [(3.0, 0.52), (7.0, 0.24), (14.0, 0.11)] {
        run_to(&mut simulation, 24.0 * days);
        let found = metric(&simulation, 0, "living_macrophage") / start;
        println!("day {days}: {found:.3}, {left} in mice");
        assert!((found / left - 1.0).abs() < 0.2, "day {days}: {found}");
    }
}

#[test]
fn ccl2_calls_monocytes_as_its_rule_says_where_they_come_in() {
    // 900 x c / (c + 0.23) in a mm3 and day.
    for level in [0.0, 0.1, 0.46] {
        let text = format!(
            r#"(
    title: "called", about: "-", pace: Calibrated, duration: Days(4), step: Minutes(10),
    sites: [(name: "breast", organ: Breast, size_um: (320, 320, 320), voxel_um: (40, 40, 40),
        fields: [(molecule: "ccl2", level: {level}, faces: Held)], tissue: (recruitment: (scale: 2)))],
    parameters: {{ "molecules.ccl2.decay_per_min": 0 }},
    rules: [Delete("mdsc.ccl2_calls_myeloid_cells")],
)"#
        );
        let mut simulation = simulation(&text, 5);
        run_to(&mut simulation, 96.0);
        let came = metric(&simulation, 0, "cells_called_in");
        let volume_mm3 = 0.32_f64.powi(3);
        let expected = 2.0 * 4.0 * volume_mm3 * 900.0 * level / (level + 0.23);
        println!("{level} nM: {came} came, {expected:.1} expected");
        assert!(
            (came - expected).abs() <= 4.0 * expected.sqrt(),
            "{level} nM: {came}, not {expected}"
        );
    }
}

#[test]
fn those_who_are_called_in_one_step_come_in_at_many_places() {
    // 450 in a mm3 and day: some 15 in an hour.
    let text = r#"(
    title: "called", about: "-", pace: Calibrated, duration: Days(1), step: Minutes(60),
    sites: [(name: "breast", organ: Breast, size_um: (400, 400, 400), voxel_um: (40, 40, 40),
        fields: [(molecule: "ccl2", level: 0.23, faces: Held)], tissue: (recruitment: (scale: 12)))],
    parameters: { "molecules.ccl2.decay_per_min": 0 },
    rules: [Delete("mdsc.ccl2_calls_myeloid_cells")],
    output: (metrics_every: Hours(1)),
)"#;
    let mut simulation = simulation(text, 2);
    let (mut came, mut places, mut steps) = (0, 0, 0);
    while simulation.hours() < 20.0 {
        simulation.step();
        let called = simulation.events().iter();
        let called = called.filter(|event| event.kind == CALLED);
        let mut at: Vec<[u32; 3]> = called
            .map(|event| event.position_um.to_array().map(f32::to_bits))
            .collect();
        came += at.len();
        at.sort_unstable();
        at.dedup();
        places += at.len();
        steps += 1;
    }
    println!("{came} came in {steps} steps, at {places} places");
    assert!(came > 200);
    // With four doors for each that is expected hardly more than one in five shares its own.
    assert!(places as f64 > 0.7 * came as f64, "{places} of {came}");
}

#[test]
fn a_drug_that_hides_a_molecule_hides_it_from_those_who_would_be_called() {
    // TGF-beta, half of what induces them, brings 50 regulatory T cells into a mm3 in a day; under plenty of the inhibitor it is hidden
    // but for a twentieth.
    let came = |timeline: &str| {
        let text = format!(
            r#"(
    title: "hidden", about: "-", pace: Calibrated, duration: Days(4), step: Minutes(5),
    sites: [(name: "breast", organ: Breast, size_um: (320, 320, 320), voxel_um: (40, 40, 40), perfusion_length_um: 100,
        fields: [(molecule: "tgf_beta", level: 0.07, faces: Held)], tissue: (recruitment: (scale: 100)))],
    parameters: {{ "molecules.tgf_beta.decay_per_min": 0, "regulatory_t_cell.exchange.tgf_beta.secretes_molecules_per_s": 0 }},
    rules: [Delete("regulatory_t_cell.ccl22_calls_regulatory_t_cells")],
    timeline: [{timeline}],
)"#
        );
        let mut simulation = simulation(&text, 3);
        run_to(&mut simulation, 6.0);
        let start = metric(&simulation, 0, "cells_called_in");
        run_to(&mut simulation, 24.0);
        metric(&simulation, 0, "cells_called_in") - start
    };
    let plain = came("");
    let expected = 100.0 * 0.75 * 0.32_f64.powi(3) * 50.0;
    assert!(
        (plain - expected).abs() < 4.0 * expected.sqrt(),
        "{plain}, not {expected}"
    );
    let give = r#"At(Minutes(5), Give(drug: "tgf_beta_inhibitor", mg_per_kg: 75, route: Oral, every: Hours(4), times: 6))"#;
    let treated = came(give);
    println!("{plain} came, {treated} under the inhibitor");
    assert!(treated < 0.25 * plain, "{treated} of {plain}");
}
