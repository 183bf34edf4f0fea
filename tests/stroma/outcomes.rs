//! What comes of cutting an arrow of the article, over ten seeds.

use tumorscape::simulation::Simulation;

use super::{census, metric, run_to, simulation};

const HOURS: f64 = 30.0;

/// A small tumour, short of oxygen, among fibroblasts in stiff matrix, near the drive at which cells switch; with what the rules of the scene
/// say.
fn tissue(rules: &str, seed: u64) -> Simulation {
    simulation(
        &format!(
            r#"(
    title: "arrows", about: "-", pace: Illustrative, duration: Days(2), step: Minutes(5),
    sites: [(
        name: "breast", organ: Breast, size_um: (480, 480, 480), voxel_um: (40, 40, 40), perfusion_length_um: 100,
        fields: [
            (molecule: "oxygen", level: 10), (molecule: "glucose", level: 5.5),
            (molecule: "vegf_a", level: 0, faces: Closed), (molecule: "tgf_beta", level: 0, faces: Closed),
            (molecule: "il_1", level: 0, faces: Closed), (molecule: "hgf", level: 0, faces: Closed),
            (molecule: "fgf_2", level: 0, faces: Closed), (molecule: "cxcl12", level: 0, faces: Closed),
        ],
        tissue: (matrix: (density: 0.3)),
    )],
    populations: [
        (cell: "cancer", place: Ball(radius_um: 85)),
        (cell: "fibroblast", place: Scatter(per_mm3: 6000, outside_um: 95)),
    ],
    parameters: {{
        "emt_circuit.pace": 12, "fibroblast.fibroblast.pace": 8, "cancer.exchange.tgf_beta.secretes_molecules_per_s": 0.8,
        "cancer.exchange.il_1.secretes_molecules_per_s": 0.5, "fibroblast.remodelling.pull_per_min": 0,
    }},
    rules: [{rules}],
)"#
        ),
        seed,
    )
}

/// How far living cancer cells are from the middle, um: the root of the mean square.
fn spread(simulation: &Simulation) -> f64 {
    let cells = census(simulation, &["emt.e_cadherin"], &[]);
    let alive = cells.quantity("emt.e_cadherin").expect("it is registered");
    let of = cells.positions_um.iter().zip(alive);
    let squares: Vec<f64> = of
        .filter(|(_, alive)| !alive.is_nan())
        .map(|(at, _)| f64::from(at.length_squared()))
        .collect();
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}

/// What cutting an arrow does to what is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Less,
    More,
}

/// Arrows, what is measured by a metric, or `spread`, and what it does without the arrow.
const ARROWS: &[(&str, &str, Way)] = &[
    // TGF-beta, FGF-2, low oxygen and stiffness drive the transition.
    ("cancer.tgf_beta_drives_emt", "e_cadherin_mean", Way::More),
    ("cancer.fgf_2_drives_emt", "e_cadherin_mean", Way::More),
    ("cancer.hypoxia_drives_emt", "e_cadherin_mean", Way::More),
    ("cancer.stiffness_drives_emt", "e_cadherin_mean", Way::More),
    // It costs cells their hold, and lets them walk.
    ("cancer.emt_loses_e_cadherin", "spread", Way::Less),
    ("cancer.emt_loosens_junctions", "bonded_cells", Way::Less),
    ("cancer.emt_speeds_walking", "spread", Way::Less),
    (
        "cancer.mesenchymal_cells_carry_mt1_mmp",
        "mt1_mmp_mean",
        Way::Less,
    ),
    // Low oxygen calls for vessels.
    ("cancer.hypoxia_calls_vessels", "vegf_a_mean_nm", Way::Less),
    // TGF-beta and IL-1 wake fibroblasts, which help.
    (
        "fibroblast.tgf_beta_wakes",
        "myofibroblastic_cafs",
        Way::Less,
    ),
    ("fibroblast.il_1_inflames", "inflammatory_cafs", Way::Less),
    ("fibroblast.tgf_beta_wakes", "matrix_laid_pg", Way::Less),
    ("cancer.hgf_scatters", "spread", Way::Less),
    // Without these resting fibroblasts would give off as much as CAFs.
    ("fibroblast.cafs_secrete_hgf", "hgf_mean_nm", Way::More),
    (
        "fibroblast.cafs_secrete_cxcl12",
        "cxcl12_mean_nm",
        Way::More,
    ),
    ("fibroblast.cafs_call_vessels", "vegf_a_mean_nm", Way::More),
];

fn outcome(simulation: &Simulation, name: &str) -> f64 {
    if name == "spread" {
        spread(simulation)
    } else {
        metric(simulation, name)
    }
}

#[test]
#[ignore = "fifteen tissues of ten seeds: some minutes; run with `cargo test --release -- --ignored`"]
fn without_an_arrow_outcomes_move_as_the_arrow_says_in_nine_of_ten_seeds() {
    let seeds: u64 = std::env::var("SEEDS").map_or(10, |seeds| seeds.parse().expect("a number"));
    let run = |rules: &str, seed: u64| {
        let mut simulation = tissue(rules, seed);
        run_to(&mut simulation, HOURS);
        simulation
    };
    let whole: Vec<Simulation> = (1..=seeds).map(|seed| run("", seed)).collect();
    let mut failed = Vec::new();
    for (arrow, name, way) in ARROWS {
        let mut as_said = 0;
        let (mut with, mut without) = (0.0, 0.0);
        for (seed, whole) in (1..).zip(&whole) {
            let cut = run(&format!(r#"Delete("{arrow}")"#), seed);
            let [before, after] = [whole, &cut].map(|of| outcome(of, name));
            as_said += u64::from(match way {
                Way::Less => after < before,
                Way::More => after > before,
            });
            with += before / seeds as f64;
            without += after / seeds as f64;
        }
        println!(
            "{arrow}: {name} {with:.4}, without {without:.4}; {way:?} in {as_said} of {seeds}"
        );
        if 10 * as_said < 9 * seeds {
            failed.push(*arrow);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}
