//! Killers edit a tumour: clones that they see lose share, and keep it where there are no killers.

use super::{metric, run_to, simulation};

/// A tumour of patches of two clones in two sites, the first with T cells.
fn scene(half_um: i32, size_um: i32, t_cells_per_mm3: u32) -> String {
    let mut populations = Vec::new();
    for site in ["attacked", "alone"] {
        for corner in 0..8_u32 {
            let at = [1, 2, 4].map(|bit| if corner & bit == 0 { -half_um } else { half_um });
            let clone = if corner.count_ones() % 2 == 0 {
                "bright"
            } else {
                "dim"
            };
            populations.push(format!(
                r#"(cell: "{clone}", site: "{site}", place: Ball(center_um: ({}, {}, {}), radius_um: {}))"#,
                at[0],
                at[1],
                at[2],
                half_um - 1
            ));
        }
    }
    let outside = f64::from(half_um) * 2.4;
    populations.push(format!(
        r#"(cell: "cd8_t_cell", site: "attacked", place: Scatter(per_mm3: {t_cells_per_mm3}, outside_um: {outside}))"#
    ));
    let site = |name: &str| {
        format!(
            r#"(name: "{name}", organ: Breast, size_um: ({size_um}, {size_um}, {size_um}), perfusion_length_um: 100, fields: [
            (molecule: "oxygen", level: 60), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1.5),
            (molecule: "ifn_gamma", level: 0), (molecule: "cxcl9", level: 0)])"#
        )
    };
    let heritable = r#"heritable: {"visibility.antigen": (spread: 0.5, mutation: 0.1)}"#;
    format!(
        r#"(
    title: "edited", about: "-", pace: Calibrated, duration: Days(9), step: Minutes(2),
    sites: [{}, {}],
    variants: [(name: "bright", like: "cancer", {heritable}), (name: "dim", like: "cancer", {heritable})],
    populations: [{}],
    parameters: {{"bright.visibility.antigen": 0.9, "dim.visibility.antigen": 0.06,
        "bright.cycle.g0g1_hours": 27, "dim.cycle.g0g1_hours": 27}},
)"#,
        site("attacked"),
        site("alone"),
        populations.join(", ")
    )
}

/// Share of the living cancer cells whose clone has plenty of antigen, in each site, before and after.
fn shares(text: &str, seed: u64, hours: f64) -> [[f64; 2]; 2] {
    let mut simulation = simulation(text, seed);
    let share = |simulation: &_, site| {
        let of = |name: &str| metric(simulation, site, name);
        let all = of("much_antigen_cells") + of("some_antigen_cells") + of("little_antigen_cells");
        of("much_antigen_cells") / all
    };
    let before = [0, 1].map(|site| share(&simulation, site));
    run_to(&mut simulation, hours);
    let after = [0, 1].map(|site| share(&simulation, site));
    [before, after]
}

#[test]
fn a_clone_that_t_cells_see_loses_share_and_keeps_it_without_them() {
    let [before, after] = shares(&scene(36, 320, 3000), 1, 16.0);
    assert!((before[0] - 0.5).abs() < 0.06 && before[0] == before[1]);
    assert!(
        after[0] < before[0] - 0.2,
        "under attack: {before:?}, {after:?}"
    );
    assert!(
        (after[1] - before[1]).abs() < 0.08,
        "alone: {before:?}, {after:?}"
    );
}

#[test]
#[ignore = "twenty tumours for three days: minutes"]
fn killers_edit_tumours_of_most_seeds() {
    let mut edited = 0;
    let (mut attacked, mut alone) = (0.0, 0.0);
    const SEEDS: u64 = 10;
    for seed in 1..=SEEDS {
        let [_, after] = shares(&scene(46, 360, 1800), seed, 72.0);
        attacked += after[0] / SEEDS as f64;
        alone += after[1] / SEEDS as f64;
        edited += u32::from(after[0] < after[1] - 0.1);
    }
    println!("share of the clone with antigen: {attacked:.3} under attack, {alone:.3} alone");
    assert!(edited >= 9, "{edited} of {SEEDS}");
    assert!((alone - 0.5).abs() < 0.05, "{alone}");
}
