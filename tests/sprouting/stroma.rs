//! Fibroblasts of a tumour call for vessels as well.

use super::{network, simulation};
use tumorscape::biology::vasculature::network::Sprouts;

/// A small tumour in much stroma between an arteriole and a venule; its fibroblasts, which TGF-beta has woken, make so many molecules of VEGF-A per second.
fn scene(rate: f32) -> String {
    format!(
        r#"(
    title: "stroma", about: "-", pace: Illustrative, duration: Days(9), step: Minutes(20),
    sites: [(name: "breast", organ: Breast, size_um: (400, 300, 100),
        fields: [(molecule: "vegf_a", level: 0, faces: Closed), (molecule: "tgf_beta", level: 0.2, faces: Held)],
        tissue: (vessels: [
            (place: Parent(from_um: (-150, -150, 0), to_um: (-150, 150, 0), radius_um: 8), artery_mmhg: 31, vein_mmhg: 29),
            (place: Parent(from_um: (150, -150, 0), to_um: (150, 150, 0), radius_um: 8), artery_mmhg: 21, vein_mmhg: 19),
        ]))],
    populations: [
        (cell: "cancer", place: Cylinder(from_um: (0, 0, -50), to_um: (0, 0, 50), radius_um: 70)),
        (cell: "fibroblast", place: Scatter(per_mm3: 40000, outside_um: 75)),
    ],
    parameters: {{
        "fibroblast.exchange.vegf_a.secretes_molecules_per_s": {rate}, "cancer.exchange.vegf_a.secretes_molecules_per_s": 0.2,
        "cancer.cycle.g0g1_hours": 1000, "cancer.death.apoptosis_per_hour": 0,
    }},
)"#
    )
}

#[test]
#[ignore = "eight small tumours take minutes"]
fn without_vegf_a_of_fibroblasts_fewer_vessels_are_perfused() {
    // Perfused new vessels on day 9, mm/mm3, added up over seeds.
    let perfused = |rate: f32| -> f64 {
        let of_seed = |seed: u64| {
            let mut simulation = simulation(&scene(rate), seed);
            for _ in 0..9 * 72 {
                simulation.step();
            }
            let network = network(&simulation);
            network.density_mm_per_mm3(|of| of.sprout != Sprouts::NONE && of.perfused)
        };
        (1..=4).map(of_seed).sum()
    };
    let (with, without) = (perfused(0.3), perfused(0.0));
    eprintln!("{with} mm/mm3 with, {without} mm/mm3 without");
    assert!(with > 1.3 * without, "{with} {without}");
}
