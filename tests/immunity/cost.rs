//! What killers cost.

use super::*;

/// Milliseconds that a step takes of a tumour with so many T cells around it per mm3, by module, and cells.
fn step(per_mm3: u32) -> (f64, usize, Vec<(String, f64)>) {
    let text = format!(
        r#"(
    title: "cost", about: "-", pace: Illustrative, duration: Hours(2), step: Minutes(1),
    sites: [(name: "breast", organ: Breast, size_um: (1300, 1300, 1300), perfusion_length_um: 50,
        fields: [
            (molecule: "oxygen", level: 38), (molecule: "ifn_gamma", level: 0), (molecule: "il_2", level: 0),
            (molecule: "cxcl9", level: 0),
        ])],
    populations: [
        (cell: "cancer", place: Ball(radius_um: 520)),
        (cell: "cd8_t_cell", place: Scatter(per_mm3: {per_mm3}, outside_um: 530)),
    ],
    parameters: {{"transport.vessels_lost_at_cell_share": 100, "cd8_t_cell.immigrant.per_mm3_per_day": 0}},
)"#
    );
    let mut simulation = simulation(&text, 1);
    simulation.measure_systems().expect("no step was made");
    for _ in 0..10 {
        simulation.step();
    }
    simulation.measure_stages();
    let begin = std::time::Instant::now();
    for _ in 0..20 {
        simulation.step();
    }
    let ms = 1e3 * begin.elapsed().as_secs_f64() / 20.0;
    let modules = simulation.module_seconds().into_iter();
    let modules = modules.map(|(name, of)| (name.to_owned(), 1e3 * of / 20.0));
    (ms, simulation.cell_count(), modules.collect())
}

#[test]
#[ignore = "takes the machine for itself; run with `cargo test --release -- --ignored`"]
fn a_fifth_of_a_hundred_thousand_cells_that_are_t_cells_cost_a_few_steps() {
    let (without, _, bare) = step(1);
    let (with, cells, modules) = step(12_500);
    let mut more: Vec<(String, f64)> = modules
        .into_iter()
        .map(|(name, ms)| {
            let before = bare.iter().find(|(other, _)| *other == name);
            (name, ms - before.map_or(0.0, |(_, ms)| *ms))
        })
        .collect();
    more.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (name, ms) in more.iter().take(12) {
        println!("{name}: {ms:.1} ms more");
    }
    println!("{cells} cells: {without:.1} ms without, {with:.1} ms with");
    assert!(cells > 100_000);
    // The goal is 2, and is missed: see `docs/performance.md`. A mistake costs many times as much.
    assert!(with < 6.0 * without, "{with}, {without} ms");
}
