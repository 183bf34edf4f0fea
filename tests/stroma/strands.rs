//! Who lets go, who leaves in groups, and who dies of it.

use std::collections::BTreeSet;

use bevy::math::Vec3;
use tumorscape::biology::EmtState;
use tumorscape::cell::EventKind;
use tumorscape::core::CellId;
use tumorscape::simulation::Simulation;

use super::{census, metric, run_to, simulation};

/// Radius of the ball at the start, um.
const BALL_UM: f32 = 70.0;

/// A ball in a coated dish, whose cells neither divide nor die, under a constant drive (ng/mL) and with that circuit's pace.
fn ball(drive: f32, seed: u64) -> Simulation {
    simulation(
        &format!(
            r#"(
    title: "ball", about: "-", pace: Illustrative, duration: Days(20), step: Minutes(2),
    sites: [(name: "dish", organ: Medium, size_um: (700, 700, 700))],
    variants: [(name: "cell", like: "cancer", heritable: {{}})],
    populations: [(cell: "cell", place: Ball(radius_um: {BALL_UM}))],
    parameters: {{
        "cell.emt.drive_ng_per_ml": {drive}, "emt_circuit.pace": 8, "cell.anoikis.attachment": 1,
        "cell.death.apoptosis_per_hour": 0, "cell.cycle.g0g1_hours": 1000000,
    }},
    rules: [Delete("cell.hypoxia_drives_emt"), Delete("cell.nutrients_allow_growth")],
)"#
        ),
        seed,
    )
}

/// The groups of cells that have left: those whose centre is so far out that a whole cell lies between them and the ball as it was, joined
/// where two touch.
fn groups_out(simulation: &Simulation) -> Vec<usize> {
    let cells = census(simulation, &[], &[]);
    let out: Vec<(Vec3, f32)> = cells
        .positions_um
        .iter()
        .zip(&cells.radii_um)
        .filter(|(at, radius)| at.length() > BALL_UM + 3.0 * *radius)
        .map(|(at, radius)| (*at, *radius))
        .collect();
    let mut group: Vec<usize> = (0..out.len()).collect();
    for a in 0..out.len() {
        for b in 0..a {
            let reach = 1.25 * (out[a].1 + out[b].1);
            if out[a].0.distance(out[b].0) < reach && group[a] != group[b] {
                let (from, to) = (group[a].max(group[b]), group[a].min(group[b]));
                for of in &mut group {
                    if *of == from {
                        *of = to;
                    }
                }
            }
        }
    }
    let mut sizes = vec![0; out.len()];
    for of in group {
        sizes[of] += 1;
    }
    sizes.retain(|size| *size > 0);
    sizes
}

fn mean(sizes: &[usize]) -> f64 {
    sizes.iter().sum::<usize>() as f64 / sizes.len() as f64
}

#[test]
fn hybrid_cells_leave_in_strands_mesenchymal_ones_alone_and_epithelial_ones_never() {
    let [mut epithelial, mut hybrid, mut mesenchymal] = [0.0, 1.5, 5.0].map(|drive| ball(drive, 1));
    for simulation in [&mut epithelial, &mut hybrid, &mut mesenchymal] {
        run_to(simulation, 72.0);
    }
    let cells = metric(&epithelial, "cells");
    assert_eq!(metric(&epithelial, "epithelial_cells"), cells);
    assert_eq!(groups_out(&epithelial), [0_usize; 0]);
    assert_eq!(metric(&epithelial, "detached_cells"), 0.0);
    assert_eq!(metric(&epithelial, "bonded_cells"), 0.0);

    assert_eq!(metric(&hybrid, "hybrid_cells"), cells);
    let strands = groups_out(&hybrid);
    assert!(mean(&strands) > 3.0, "{strands:?}");
    assert!(metric(&hybrid, "bonded_group_mean") > 3.0);

    assert_eq!(metric(&mesenchymal, "mesenchymal_cells"), cells);
    let singles = groups_out(&mesenchymal);
    assert!(singles.len() > 20 && mean(&singles) < 1.5, "{singles:?}");
    assert_eq!(metric(&mesenchymal, "bonded_cells"), 0.0);
}

#[test]
fn cells_detach_only_once_they_have_lost_e_cadherin() {
    const DETACHES: EventKind = EventKind::of("junctions.detaches");
    const BREAKS: EventKind = EventKind::of("bond_broken");
    let mut simulation = ball(5.0, 2);
    let (mut detached, mut broken) = (0, 0);
    while simulation.hours() < 60.0 {
        simulation.step();
        let events = simulation.events();
        broken += events.iter().filter(|event| event.kind == BREAKS).count();
        let gone: BTreeSet<CellId> = events
            .iter()
            .filter(|event| event.kind == DETACHES)
            .map(|event| event.cell)
            .collect();
        if gone.is_empty() {
            continue;
        }
        let cells = census(&simulation, &[], &["emt_state"]);
        let states = cells.category("emt_state").expect("it is registered");
        for (id, state) in cells.ids.iter().zip(states) {
            if gone.contains(id) {
                detached += 1;
                assert_ne!(*state, EmtState::Epithelial as u8, "cell {}", id.0);
            }
        }
    }
    assert!(detached > 20 && broken > 20, "{detached}, {broken}");
}

/// The share of 120 single cells in suspension that live after that many hours, and how many died for want of attachment.
fn single_cells(drive: f32, hours: f64) -> (f64, usize) {
    let mut simulation = simulation(
        &format!(
            r#"(
    title: "suspension", about: "-", pace: Illustrative, duration: Days(20), step: Minutes(10),
    sites: [(name: "dish", organ: Medium, size_um: (2000, 2000, 2000), voxel_um: (100, 100, 100))],
    variants: [(name: "cell", like: "cancer", heritable: {{}})],
    populations: [(cell: "cell", place: Scatter(per_mm3: 15))],
    parameters: {{
        "cell.emt.drive_ng_per_ml": {drive}, "emt_circuit.pace": 50,
        "cell.death.apoptosis_per_hour": 0, "cell.cycle.g0g1_hours": 1000000,
    }},
)"#
        ),
        4,
    );
    let before = metric(&simulation, "cells_alive");
    let mut died = 0;
    while simulation.hours() < hours {
        simulation.step();
        let events = simulation.events().iter();
        died += events
            .filter(|event| event.kind == EventKind::of("anoikis"))
            .count();
    }
    (metric(&simulation, "cells_alive") / before, died)
}

#[test]
fn anoikis_kills_detached_epithelial_cells_and_spares_mesenchymal_ones() {
    let hours = 48.0;
    let (epithelial, died) = single_cells(0.0, hours);
    // Twelve hours of grace, then 0.05 /h: exp(-1.8).
    let expected = (-0.05 * (hours - 12.0)).exp();
    assert!(
        (epithelial - expected).abs() < 0.12,
        "{epithelial}, not {expected}"
    );
    assert!(died > 80);
    let (mesenchymal, died) = single_cells(5.0, hours);
    assert!(mesenchymal > 0.97 && died < 5, "{mesenchymal}");
}

#[test]
fn matrix_attaches_single_epithelial_cells() {
    let mut simulation = simulation(
        r#"(
    title: "in a gel", about: "-", pace: Illustrative, duration: Days(4), step: Minutes(10),
    sites: [(name: "gel", organ: Medium, size_um: (1000, 1000, 1000), voxel_um: (50, 50, 50), tissue: (matrix: (density: 0.4)))],
    populations: [(cell: "cancer", place: Scatter(per_mm3: 60))],
    parameters: {"cancer.death.apoptosis_per_hour": 0, "cancer.cycle.g0g1_hours": 1000000},
)"#,
        5,
    );
    let before = metric(&simulation, "cells_alive");
    run_to(&mut simulation, 48.0);
    assert_eq!(metric(&simulation, "cells_alive"), before);
}
