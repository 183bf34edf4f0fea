//! A core that loses its volume is followed by the rim.

use tumorscape::cell::contact::CONFLUENT_SHARE;
use tumorscape::simulation::Action;

use super::*;

/// A ball of which the middle is to die.
fn ball() -> Simulation {
    simulation(&format!(
        "duration: Hours(200), step: Minutes(10), \
         sites: [(name: \"medium\", organ: Medium, size_um: (600, 600, 600), fields: [(molecule: \"oxygen\", level: 100)])], \
         variants: [(name: \"doomed\", like: \"cancer\")], \
         populations: [(cell: \"doomed\", place: Ball(radius_um: 125)), \
             (cell: \"cancer\", place: Shell(inner_um: 115, outer_um: 180))], \
         parameters: {{{ARRESTED}, \"cancer.death.necrosis_onset_mmhg\": 0, \"cancer.death.necrosis_full_mmhg\": 0, \
             \"doomed.cycle.g0g1_hours\": 1e6, \"doomed.death.apoptosis_per_hour\": 0, \
             \"doomed.death.necrosis_onset_mmhg\": 0, \"doomed.death.necrosis_full_mmhg\": 0, \
             \"doomed.death.necrosis_delay_hours\": 1}}"
    ))
}

/// What cells and remains fill of a shell around the middle.
fn filled(cells: &[Cell], from_um: f64, to_um: f64) -> f64 {
    let inside = cells.iter().filter(|cell| {
        let far = cell.from_middle.length();
        (from_um..to_um).contains(&far)
    });
    inside.map(|cell| cell.volume_um3).sum::<f64>() / (ball_um3(to_um) - ball_um3(from_um))
}

#[test]
fn the_rim_follows_a_core_that_loses_its_volume() {
    let mut simulation = ball();
    live(&mut simulation, 12.0);
    let before = cells(&simulation);
    // Where a ball ends of so many cells as dense as inside: beyond the centres of the outermost.
    let edge = outermost_um(&before);
    let inside = density(&before, 0.7 * edge);
    let radius = (before.len() as f64 / inside / ball_um3(1.0)).cbrt();
    let beyond = radius - edge;
    let volume = |cells: &[Cell]| cells.iter().map(|cell| cell.volume_um3).sum::<f64>();
    println!(
        "outermost {edge:.1} um, radius {radius:.1}; {:.3} filled",
        filled(&before, 0.0, 0.7 * edge)
    );
    for (path, mmhg) in [
        ("necrosis_onset_mmhg", 700.0),
        ("necrosis_full_mmhg", 600.0),
    ] {
        let path = format!("doomed.death.{path}");
        simulation
            .apply(Action::Set(path, mmhg))
            .expect("it is a parameter");
    }
    for hours in [60.0, 84.0, 108.0] {
        live(&mut simulation, hours);
        let cells = cells(&simulation);
        let now = outermost_um(&cells) + beyond;
        let of_core = (volume(&before) - volume(&cells)) / f64::from(CONFLUENT_SHARE);
        let of_ball = ball_um3(radius) - ball_um3(now);
        // Radius of an even ball of dead cells.
        let dead = cells.iter().filter(|cell| !cell.is_alive);
        let cubes: Vec<f64> = dead.map(|cell| cell.from_middle.length().powi(3)).collect();
        let core = (2.0 * cubes.iter().sum::<f64>() / cubes.len() as f64).cbrt();
        let in_core = filled(&cells, 0.0, core - 15.0);
        let in_rim = filled(&cells, core + 20.0, now - 20.0);
        println!(
            "{hours} h: radius {now:.1}, core {core:.1} um; the core has lost {of_core:.3e} um3, the ball {:.3} of it; \
             filled {in_core:.3} of the core and {in_rim:.3} of the rim",
            of_ball / of_core
        );
        assert!(
            (of_ball / of_core - 1.0).abs() < 0.05,
            "{of_ball} of {of_core} um3"
        );
        assert!(in_core > 0.85 * in_rim, "{in_core} and {in_rim}");
    }
}
