//! Days of tissue: run them with `cargo test --release --test stroma -- --ignored`.

use bevy::math::Vec3;
use tumorscape::simulation::Simulation;

use super::{census, metric, run_to, simulation};

/// How far beyond the rim woken fibroblasts reach: the distance within which half of a shell is awake, um.
fn halo_um(simulation: &Simulation, radius_um: f32) -> f32 {
    const SHELL_UM: f32 = 20.0;
    let cells = census(simulation, &["fibroblast.myofibroblastic"], &[]);
    let awake = cells
        .quantity("fibroblast.myofibroblastic")
        .expect("it is registered");
    let mut shells = vec![[0_u32; 2]; 40];
    for (at, awake) in cells.positions_um.iter().zip(awake) {
        let out = ((at.length() - radius_um) / SHELL_UM).max(0.0) as usize;
        if let (false, Some(shell)) = (awake.is_nan(), shells.get_mut(out)) {
            shell[0] += 1;
            shell[1] += u32::from(*awake > 0.0);
        }
    }
    let asleep = |[all, awake]: &[u32; 2]| *all > 0 && 2 * awake < *all;
    let first = shells.iter().position(asleep).unwrap_or(shells.len());
    first as f32 * SHELL_UM
}

#[test]
#[ignore = "sixty days of tissue: two minutes; run with `cargo test --release -- --ignored`"]
fn the_halo_of_woken_fibroblasts_stays_where_it_is() {
    // A tumour that neither grows nor dies, and fibroblasts that stay where they are.
    let mut simulation = simulation(
        r#"(
    title: "halo", about: "-", pace: Calibrated, duration: Days(60), step: Minutes(60),
    sites: [(
        name: "breast", organ: Breast, size_um: (1800, 1800, 1800), voxel_um: (30, 30, 30),
        fields: [(molecule: "tgf_beta", level: 0, faces: Closed)],
    )],
    variants: [
        (name: "tumour", like: "cancer", heritable: {}, without: ["tgf_beta_drives_emt", "hypoxia_drives_emt"]),
    ],
    populations: [
        (cell: "tumour", place: Ball(radius_um: 300)),
        (cell: "fibroblast", place: Scatter(per_mm3: 16000, outside_um: 300)),
    ],
    parameters: {
        "tumour.cycle.g0g1_hours": 1000000, "tumour.death.apoptosis_per_hour": 0, "tumour.motility.speed_um_per_min": 0,
        "fibroblast.motility.speed_um_per_min": 0,
    },
)"#,
        1,
    );
    let mut found = Vec::new();
    for day in [20.0, 60.0] {
        run_to(&mut simulation, 24.0 * day);
        found.push(halo_um(&simulation, 300.0));
    }
    for halo in &found {
        assert!((halo - 130.0).abs() <= 40.0, "{found:?}");
    }
    assert!((found[0] - found[1]).abs() <= 20.0, "{found:?}");
}

/// The distance from the middle beyond which one in a hundred living tumour cells lies, um, in a site.
fn depth_um(simulation: &Simulation, site: u16) -> f32 {
    let cells = census(simulation, &["emt.e_cadherin"], &[]);
    let alive = cells.quantity("emt.e_cadherin").expect("it is registered");
    let mut out: Vec<f32> = (0..cells.len())
        .filter(|row| cells.sites[*row].0 == site && !alive[*row].is_nan())
        .map(|row| cells.positions_um[row].distance(Vec3::ZERO))
        .collect();
    out.sort_by(f32::total_cmp);
    out[out.len() * 99 / 100]
}

#[test]
#[ignore = "ten seeds of four days of two tumours: an hour; run with `cargo test --release -- --ignored`"]
fn tumours_invade_deeper_with_fibroblasts_that_can_wake() {
    let text = std::fs::read_to_string("scenes/caf_invasion.ron").expect("it is shipped");
    let seeds: u64 = std::env::var("SEEDS").map_or(10, |seeds| seeds.parse().expect("a number"));
    let mut deeper = 0;
    for seed in 1..=seeds {
        let mut simulation = simulation(&text, seed);
        run_to(&mut simulation, 96.0);
        let (with, without) = (depth_um(&simulation, 0), depth_um(&simulation, 1));
        println!("seed {seed}: {with} um with, {without} um without");
        deeper += u64::from(with > without);
        let drawn = metric(&simulation, "detached_cells");
        println!("  {drawn} detached");
    }
    assert!(10 * deeper >= 9 * seeds, "{deeper} of {seeds}");
}
