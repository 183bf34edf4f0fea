//! A spheroid in which nobody divides or dies.

use tumorscape::biology::Metabolism;
use tumorscape::biology::metabolism::OxygenLaw;
use tumorscape::cell::{Body, Position, Surroundings};
use tumorscape::tissue::Sites;
use tumorscape::tissue::host_vessels::CellShare;

use super::*;

/// The constants of `scenes/spheroid.ron` that count here; no cell dies of a lack of oxygen.
fn arrested() -> Simulation {
    simulation(&format!(
        "duration: Hours(120), step: Minutes(10), \
         sites: [(name: \"medium\", organ: Medium, size_um: (640, 640, 640), stirring_length_um: 5, \
             fields: [(molecule: \"oxygen\", level: 100)])], \
         populations: [(cell: \"cancer\", place: Ball(radius_um: 160))], \
         parameters: {{{ARRESTED}, \"cancer.death.necrosis_onset_mmhg\": 0, \"cancer.death.necrosis_full_mmhg\": 0, \
             \"molecules.oxygen.half_saturation\": 2, \"molecules.oxygen.diffusivity_um2_per_min\": 1.2e5, \
             \"cancer.metabolism.glucose_shortage_gain\": 0, \"cancer.metabolism.oxygen_uptake_mmhg_per_s\": 22.1}}"
    ))
}

/// Volume of an even ball of the same spread of centres, um3.
fn volume_um3(simulation: &Simulation) -> f64 {
    let cells = cells(simulation);
    let squares = cells.iter().map(|cell| cell.from_middle.length_squared());
    ball_um3((squares.sum::<f64>() / cells.len() as f64 * 5.0 / 3.0).sqrt())
}

/// What tissue in the middle half of the ball would take up at saturation, mmHg/s.
fn uptake_inside(simulation: &Simulation, radius_um: f64) -> f64 {
    let world = simulation.world();
    let mut query = world
        .try_query::<(&Position, &Body, &Metabolism, &Surroundings)>()
        .expect("there are cells");
    let inside = query
        .iter(world)
        .filter(|(at, ..)| f64::from(at.0.length()) < radius_um);
    let taken = inside.map(|(_, body, metabolism, around)| {
        let pressed = around.pressed_um3(body.volume_um3());
        f64::from(metabolism.oxygen_per_min * OxygenLaw::MichaelisMenten.breathing_um3(pressed))
    });
    taken.sum::<f64>() / 60.0 / ball_um3(radius_um)
}

/// The share of the voxels inside that count as tissue, for molecules that spread differently in medium.
fn counts_as_tissue(simulation: &Simulation, radius_um: f32) -> (f64, f64) {
    let world = simulation.world();
    let site = &world.resource::<Sites>().list[0];
    let shares = world
        .get::<CellShare>(site.entity)
        .expect("it is stirred")
        .shares();
    let (mut inside, mut sum, mut full) = (0.0, 0.0, 0.0);
    for (voxel, share) in (0..).zip(shares) {
        if site.block.centre_of(voxel).length() < radius_um {
            inside += 1.0;
            sum += f64::from(*share);
            full += f64::from((share / 0.6).min(1.0));
        }
    }
    (sum / inside, full / inside)
}

#[test]
fn an_arrested_spheroid_keeps_its_volume_for_five_days_and_takes_up_what_is_said_of_tissue() {
    let mut simulation = arrested();
    let start = volume_um3(&simulation);
    println!(
        "0 h: {start:.4e} um3, pressure {:?}",
        simulation.metrics()[0].get("pressure_mean")
    );
    for hours in [1.0, 6.0, 24.0, 48.0, 72.0, 96.0, 120.0] {
        live(&mut simulation, hours);
        let volume = volume_um3(&simulation);
        let uptake = uptake_inside(&simulation, 120.0);
        println!(
            "{hours} h: {:+.2} % of volume, {uptake:.2} mmHg/s, {:.3e} cells/mL, pressure {:?}",
            100.0 * (volume / start - 1.0),
            1e12 * density(&cells(&simulation), 120.0),
            simulation.metrics()[0].get("pressure_mean")
        );
        let (mean, counted) = counts_as_tissue(&simulation, 120.0);
        println!("tissue is {mean:.3} of the space inside, {counted:.3} of the voxels count as it");
        assert!(
            (mean - 1.0).abs() < 0.03 && counted > 0.96,
            "{mean}, {counted}"
        );
        assert!((volume / start - 1.0).abs() < 0.03, "at {hours} h");
        assert!(
            (uptake / 22.1 - 1.0).abs() < 0.03,
            "{uptake} mmHg/s at {hours} h"
        );
    }
}
