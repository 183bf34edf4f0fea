//! The angiogenic switch in ten seeds: the tumour that calls for vessels is fed by them, the same without the arrow is not.

use super::simulation;

/// The shipped scene: two sites with the same tumour, in the second of which VEGF-A calls no vessels.
const SWITCH: &str = include_str!("../../scenes/angiogenic_switch.ron");

/// What is compared of a site at a time.
#[derive(Clone, Copy, Debug)]
struct Seen {
    hypoxic: f64,
    living: f64,
    perfused: f64,
    sprouts: f64,
}

/// Both sites, day by day from the start on.
fn days(text: &str, seed: u64, days: usize) -> Vec<[Seen; 2]> {
    let mut simulation = simulation(text, seed);
    (0..=days)
        .map(|day| {
            while simulation.clock().hours() < 24.0 * day as f64 - 1e-6 {
                simulation.step();
            }
            let sites = simulation.metrics();
            [0, 1].map(|site| {
                let of = |column: &str| sites[site].get(column).expect("there is such a metric");
                Seen {
                    hypoxic: of("hypoxic_fraction"),
                    living: of("living_cancer"),
                    perfused: of("new_perfused_density_mm_per_mm3"),
                    sprouts: of("vessel_sprouts"),
                }
            })
        })
        .collect()
}

#[test]
#[ignore = "ten seeds take half an hour"]
fn where_vegf_a_calls_vessels_hypoxia_retreats_and_the_tumour_grows() {
    let (mut retreats, mut grows, mut settles) = (0, 0, 0);
    for seed in 1..=10 {
        let seen = days(SWITCH, seed, 12);
        let (half, last) = (seen[6], seen[12]);
        let [called, deaf] = last;
        eprintln!("seed {seed}: {called:.3?} {deaf:.3?}");
        assert_eq!(deaf.sprouts, 0.0);
        assert!(seen[10][1].hypoxic >= 0.2, "{:?}", seen[10]);
        retreats += u32::from(called.hypoxic < deaf.hypoxic && called.hypoxic < seen[2][0].hypoxic);
        grows += u32::from(called.living / half[0].living > deaf.living / half[1].living);
        // The loop is closed: with less hypoxia fewer vessels are called.
        settles +=
            u32::from(called.perfused < 1.25 * seen[10][0].perfused && called.perfused < 400.0);
    }
    assert!(retreats >= 9, "{retreats} of 10");
    assert!(grows >= 9, "{grows} of 10");
    assert!(settles >= 9, "{settles} of 10");
}
