//! Who leaves a duct, when, and in what company: the shipped cancer cell within a basement membrane, held in each of its three states.

use bevy::math::{Vec3, Vec3Swizzles};
use tumorscape::cell::movement::SiteMechanics;
use tumorscape::core::CellId;
use tumorscape::simulation::Simulation;
use tumorscape::tissue::Sites;

use super::{census, metric, simulation};

const DUCT_UM: f32 = 100.0;
/// Cells out at which they are looked at.
const OUT: usize = 12;

/// A duct of 100 um in radius, full of cells that neither divide nor die, under a constant drive, ng/mL.
fn duct(drive: f32, seed: u64) -> Simulation {
    simulation(
        &format!(
            r#"(
    title: "duct", about: "-", pace: Illustrative, duration: Days(12), step: Minutes(2),
    sites: [(
        name: "breast", organ: Breast, size_um: (160, 800, 800), voxel_um: (20, 40, 40),
        fields: [(molecule: "mmp", level: 0, faces: Closed)],
        tissue: (membranes: [(around: Duct(from_um: (-80, 0, 0), to_um: (80, 0, 0), radius_um: {DUCT_UM}))]),
    )],
    variants: [(name: "cell", like: "cancer", heritable: {{}})],
    populations: [(cell: "cell", place: Cylinder(from_um: (-80, 0, 0), to_um: (80, 0, 0), radius_um: 99))],
    parameters: {{
        "cell.emt.drive_ng_per_ml": {drive}, "emt_circuit.pace": 50, "cell.anoikis.attachment": 1,
        "cell.death.apoptosis_per_hour": 0, "cell.cycle.g0g1_hours": 1000000,
    }},
    rules: [Delete("cell.hypoxia_drives_emt"), Delete("cell.hypoxia_raises_mmp"), Delete("cell.nutrients_allow_growth")],
)"#
        ),
        seed,
    )
}

/// Those whose whole body lies beyond the membrane: where they are.
fn out(simulation: &Simulation) -> Vec<(CellId, Vec3)> {
    let cells = census(simulation, &[], &[]);
    let all = cells
        .ids
        .iter()
        .zip(&cells.positions_um)
        .zip(&cells.radii_um);
    all.filter(|((_, at), radius)| at.yz().length() > DUCT_UM + **radius)
        .map(|((id, at), _)| (*id, *at))
        .collect()
}

/// Sizes of the groups in which these cells, whoever else is with them, are joined by bonds; who has none is alone.
fn groups(simulation: &Simulation, cells: &[(CellId, Vec3)]) -> Vec<usize> {
    let world = simulation.world();
    let site = world.resource::<Sites>().list[0].entity;
    let bonds = &world
        .get::<SiteMechanics>(site)
        .expect("the site has mechanics")
        .bonds;
    let mut group: Vec<usize> = (0..cells.len()).collect();
    let row = |id: CellId| cells.iter().position(|(cell, _)| *cell == id);
    for bond in bonds.iter() {
        let (Some(a), Some(b)) = (row(bond.a), row(bond.b)) else {
            continue;
        };
        let (from, to) = (group[a].max(group[b]), group[a].min(group[b]));
        for of in &mut group {
            if *of == from {
                *of = to;
            }
        }
    }
    let mut sizes = vec![0; cells.len()];
    for of in group {
        sizes[of] += 1;
    }
    sizes.retain(|size| *size > 0);
    sizes
}

fn mean(sizes: &[usize]) -> f64 {
    sizes.iter().sum::<usize>() as f64 / sizes.len() as f64
}

/// Days until the first has passed, and until so many are out, and in what groups those are.
fn leave(drive: f32, seed: u64, days: f64) -> Option<(f64, f64, Vec<usize>)> {
    let mut simulation = duct(drive, seed);
    while simulation.hours() < 24.0 * days {
        simulation.step();
        if simulation.steps().is_multiple_of(60) {
            let out = out(&simulation);
            if out.len() >= OUT {
                let first = metric(&simulation, "membrane_first_crossing_h") / 24.0;
                return Some((first, simulation.hours() / 24.0, groups(&simulation, &out)));
            }
        }
    }
    println!(
        "drive {drive}: {} crossings in {days} d, membrane {:.2} left",
        metric(&simulation, "membrane_crossings"),
        metric(&simulation, "membrane_density"),
    );
    None
}

#[test]
#[ignore = "weeks of a duct: five minutes; run with `cargo test --release -- --ignored`"]
fn hybrid_cells_leave_a_duct_bonded_mesenchymal_ones_single_and_epithelial_ones_never() {
    for seed in 1..=2 {
        assert!(leave(0.0, seed, 12.0).is_none(), "epithelial cells stay in");
        let (first, day, strands) = leave(1.5, seed, 9.0).expect("hybrid cells leave");
        println!("seed {seed}: hybrid, first on day {first:.2}, on day {day:.2} in {strands:?}");
        assert!((4.0..=9.0).contains(&first), "day {first}");
        assert!(mean(&strands) > 3.0, "{strands:?}");
        let (first, day, singles) = leave(5.0, seed, 9.0).expect("mesenchymal cells leave");
        println!(
            "seed {seed}: mesenchymal, first on day {first:.2}, on day {day:.2} in {singles:?}"
        );
        assert!((2.0..=5.0).contains(&first), "day {first}");
        assert!(mean(&singles) < 1.2, "{singles:?}");
    }
}
