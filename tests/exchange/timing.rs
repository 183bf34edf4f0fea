//! What exchange with drawn vessels costs.

use std::collections::BTreeMap;

use super::begin;

/// A small tumour in a bed of capillaries, or in one that is not drawn.
fn scene(vessels: &str) -> String {
    format!(
        r#"(title: "cost", about: "-", pace: Illustrative, duration: Hours(2), step: Minutes(1),
    sites: [(name: "breast", organ: Breast, size_um: (480, 480, 480), {vessels},
        fields: [(molecule: "oxygen", level: 60, faces: Closed), (molecule: "glucose", level: 5.5, faces: Closed)])],
    populations: [(cell: "cancer", place: Ball(radius_um: 130))],
)"#
    )
}

/// Seconds that the modules of a step take in an hour, after one in which fields come to rest.
fn seconds(text: &str) -> BTreeMap<String, f64> {
    let mut simulation = begin(text, 1);
    simulation.keep_to_calling_thread();
    simulation
        .measure_systems()
        .expect("no step was made before");
    for step in 0..120 {
        if step == 60 {
            simulation.measure_stages();
        }
        simulation.step();
    }
    let modules = simulation.module_seconds();
    modules
        .into_iter()
        .map(|(name, of)| (name.to_owned(), of))
        .collect()
}

#[test]
#[ignore = "a timing: run alone, with `cargo test --release --test exchange timing -- --ignored --nocapture`"]
fn exchange_with_drawn_vessels_costs_some_field_solves() {
    let mut ratios: Vec<f64> = (0..5)
        .map(|_| {
            let without = seconds(&scene("perfusion_length_um: 60"));
            let with = seconds(&scene("tissue: (vessels: [(place: Grid(spacing_um: 60))])"));
            let solve = |of: &BTreeMap<String, f64>| of["tissue::transport"];
            let own = with.iter();
            let own = own.filter(|(name, _)| name.starts_with("biology::vasculature::exchange"));
            let exchange: f64 = own.map(|(_, seconds)| seconds).sum();
            let ratio = (solve(&with) + exchange) / solve(&without);
            println!(
                "solve {:.3} s without, {:.3} s with vessels, exchange {exchange:.3} s: {ratio:.2}",
                solve(&without),
                solve(&with)
            );
            ratio
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    // The goal is 2, and is missed in a bed as dense as this: see `docs/performance.md`. A mistake costs many times as much.
    assert!(ratios[2] <= 4.0, "{ratios:?}");
}
