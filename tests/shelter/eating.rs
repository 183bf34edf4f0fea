//! Macrophages eat the dead: nobody alive, nobody twice, at the rate that is said, and the books balance.

use std::collections::BTreeSet;

use tumorscape::biology::phagocytosis::EATEN;

use super::{metric, simulation, values};

/// A tumour that dies, with macrophages in it.
fn dying(parameters: &str) -> String {
    format!(
        r#"(
    title: "dying", about: "-", pace: Calibrated, duration: Days(2), step: Minutes(2),
    sites: [(name: "breast", organ: Breast, size_um: (240, 240, 240), fields: [])],
    populations: [
        (cell: "cancer", place: Ball(radius_um: 70)),
        (cell: "macrophage", place: Scatter(per_mm3: 15000)),
    ],
    parameters: {{
        "cancer.death.apoptosis_per_hour": 0.05, "macrophage.death.apoptosis_per_hour": 0,
        {parameters}
    }},
)"#
    )
}

#[test]
fn only_the_dead_are_eaten_once_and_the_books_balance() {
    let mut simulation = simulation(&dying(""), 2);
    simulation.verify();
    let mut alive: BTreeSet<_> = values(&simulation, "target.hours_here")
        .into_iter()
        .map(|(cell, _)| cell)
        .collect();
    let mut eaten = BTreeSet::new();
    for _ in 0..600 {
        simulation.step();
        assert_eq!(simulation.violation(), None);
        let dies = |kind: &str| matches!(kind, "apoptosis" | "necrosis" | "immunity.kill");
        // One may die and be eaten in the same step.
        for event in simulation.events() {
            if dies(event.kind.name()) {
                alive.remove(&event.cell);
            }
        }
        for event in simulation.events() {
            if event.kind == EATEN {
                assert!(!alive.contains(&event.cell), "{:?} lives", event.cell);
                assert!(eaten.insert(event.cell), "{:?} is eaten twice", event.cell);
                assert!(event.other.is_some());
            }
        }
    }
    assert!(eaten.len() > 20, "{}", eaten.len());
    assert_eq!(metric(&simulation, 0, "cells_eaten"), eaten.len() as f64);
    let told: f32 = values(&simulation, "phagocytosis.eaten")
        .iter()
        .map(|(_, count)| count)
        .sum();
    assert_eq!(told, eaten.len() as f32);
}

#[test]
fn macrophages_near_m1_eat_faster() {
    let eaten = |rest: f64| {
        let text = dying(&format!(
            "\"macrophage.polarisation.rest\": {rest}, \"macrophage.phagocytosis.uptake_per_hour\": 0.3, \
             \"macrophage.phagocytosis.digestion_hours\": 0.1, \"macrophage.motility.speed_um_per_min\": 0"
        ));
        let mut sum = 0.0;
        for seed in [1, 2, 3] {
            let mut simulation = simulation(&text, seed);
            while simulation.hours() < 12.0 {
                simulation.step();
            }
            sum += metric(&simulation, 0, "cells_eaten");
        }
        sum
    };
    // Uptake is slow enough for one touched cell to be touched for long: 1 + 2 at M1, 1 at M2.
    let (m1, m2) = (eaten(0.0), eaten(1.0));
    println!("{m1} eaten by M1, {m2} by M2");
    assert!(m2 > 10.0 && m1 / m2 > 1.7 && m1 / m2 < 3.6, "{m1} {m2}");
}
