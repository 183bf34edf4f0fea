//! A spheroid whose rim grows and whose core is lost at constant rates comes to rest where births make up for losses, whatever its size at
//! the start (Greenspan 1972, Stud Appl Math 51:317).

use tumorscape::cell::contact::CONFLUENT_SHARE;

use super::*;

/// Surface of the spheroid, and what cells need, mmHg.
const SURFACE_MMHG: f64 = 30.0;
const NEEDED_MMHG: f64 = 5.0;
/// Diffusivity, um2/s, and uptake, mmHg/s, of oxygen.
const DIFFUSIVITY: f64 = 2000.0;
const UPTAKE: f64 = 22.1;
/// Mean lengths of the four phases of the cycle, h, all exponential.
const PHASES_HOURS: [f64; 4] = [15.0, 24.0, 12.0, 3.0];
/// Share of its volume that what is dead loses in an hour.
const LOSS_PER_HOUR: f64 = 0.0432;
/// Volume at which remains count as gone, and that of a living cell, which grows from 2494 um3 to twice that, in the mean, um3.
const CLEARED_UM3: f64 = 125.0;
const LIVING_UM3: f64 = 3500.0;

/// Volumes of the core over that of the whole, and radius of the whole, at rest.
struct Rest {
    core_share: f64,
    radius_um: f64,
}

/// The balance, without anything of the program.
///
/// A free population grows at the rate `b` of the equation of Euler and Lotka, `2 prod 1/(1 + b T_i) = 1`; what has died at `t = 0` is
/// `exp(-l t)` of it until it counts as gone, so that a core into which `F` flows holds `F (1 - f)/l`. At rest `b (R^3 - c^3) = F`. The core
/// takes up nothing, so that with a constant uptake `u` in the rim `p_0 - p_c = u/(6 D) (R^2 - 3 c^2 + 2 c^3/R)`.
fn at_rest(loss_per_hour: f64) -> Rest {
    let grown = |b: f64| 2.0 / PHASES_HOURS.iter().map(|t| 1.0 + b * t).product::<f64>();
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if grown(middle) > 1.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    let births = low;
    let losses = loss_per_hour / (1.0 - CLEARED_UM3 / LIVING_UM3);
    let core_share = births / (births + losses);
    let x = core_share.cbrt();
    let square = 6.0 * DIFFUSIVITY * (SURFACE_MMHG - NEEDED_MMHG) / UPTAKE;
    Rest {
        core_share,
        radius_um: (square / (1.0 - 3.0 * x.powi(2) + 2.0 * x.powi(3))).sqrt(),
    }
}

/// A ball of that radius of the shipped cell, with these rates and no others; none turns mesenchymal by itself.
fn ball(radius_um: f64) -> Simulation {
    let [g0g1, s, g2, m] = PHASES_HOURS;
    simulation(&format!(
        "duration: Hours(2000), step: Minutes(10), \
         sites: [(name: \"medium\", organ: Medium, size_um: (630, 630, 630), voxel_um: (15, 15, 15), \
             stirring_length_um: 2, fields: [(molecule: \"oxygen\", level: {SURFACE_MMHG})])], \
         populations: [(cell: \"cancer\", place: Ball(radius_um: {radius_um}))], \
         parameters: {{ \
             \"molecules.oxygen.diffusivity_um2_per_min\": 1.2e5, \"molecules.oxygen.half_saturation\": 0.2, \
             \"cancer.metabolism.oxygen_uptake_mmhg_per_s\": {UPTAKE}, \"cancer.metabolism.glucose_shortage_gain\": 0, \
             \"cancer.cycle.g0g1_hours\": {g0g1}, \"cancer.cycle.s_hours\": {s}, \
             \"cancer.cycle.g2_hours\": {g2}, \"cancer.cycle.m_hours\": {m}, \
             \"cancer.cycle.g0g1_stages\": 1, \"cancer.cycle.s_stages\": 1, \
             \"cancer.cycle.g2_stages\": 1, \"cancer.cycle.m_stages\": 1, \
             \"cancer.cycle.max_pressure\": 1000, \"cancer.death.apoptosis_per_hour\": 0, \
             \"cancer.emt.autocrine_gain\": 0, \
             \"cancer.death.necrosis_onset_mmhg\": {NEEDED_MMHG}, \"cancer.death.necrosis_full_mmhg\": {}, \
             \"cancer.death.necrosis_delay_hours\": 0.5, \"cancer.death.relative_rupture_volume\": 1, \
             \"cancer.death.cleared_below_um3\": {CLEARED_UM3}, \
             \"cancer.death.lysed.fluid_per_hour\": {LOSS_PER_HOUR}, \
             \"cancer.death.lysed.nucleus_per_hour\": {LOSS_PER_HOUR}, \
             \"cancer.death.lysed.cytoplasm_per_hour\": {LOSS_PER_HOUR} \
         }}, \
         rules: [Delete(\"cancer.nutrients_allow_growth\"), Delete(\"cancer.lack_of_atp_hastens_necrosis\"), \
             Delete(\"cancer.hypoxia_drives_emt\"), Delete(\"cancer.emt_slows_division\")]",
        NEEDED_MMHG - 0.1
    ))
}

/// What there is at a time: radius of the ball, of cells and remains as an even ball, and share of the core.
#[derive(Clone, Copy, Debug)]
struct Found {
    radius_um: f64,
    core_share: f64,
}

fn found(simulation: &Simulation) -> Found {
    let cells = cells(simulation);
    let volume = |alive: bool| {
        let of = cells.iter().filter(|cell| cell.is_alive == alive);
        of.map(|cell| cell.volume_um3).sum::<f64>() / f64::from(CONFLUENT_SHARE)
    };
    let [rim, core] = [true, false].map(volume);
    Found {
        // The outermost cells reach beyond their centres by half of what a cell takes up.
        radius_um: outermost_um(&cells) + 0.5 * (LIVING_UM3 / f64::from(CONFLUENT_SHARE)).cbrt(),
        core_share: core / (rim + core),
    }
}

#[test]
#[ignore = "weeks of four spheroids: some minutes; run with `cargo test --release -- --ignored`"]
fn with_constant_rates_a_spheroid_comes_to_rest_at_the_radius_of_the_balance_from_below_and_above()
{
    let rest = at_rest(LOSS_PER_HOUR);
    println!(
        "at rest {:.1} um, {:.3} of it core",
        rest.radius_um, rest.core_share
    );
    // The smallest has no core at first; the largest is a third wider than at rest.
    for start_um in [100.0, 140.0, 180.0, 275.0] {
        let mut simulation = ball(start_um);
        let mut radii = Vec::new();
        for day in (0..=32).step_by(4) {
            live(&mut simulation, 24.0 * f64::from(day));
            let now = found(&simulation);
            println!(
                "from {start_um} um, day {day}: {:.1} um, {:.3} of it core, {} cells and remains",
                now.radius_um,
                now.core_share,
                simulation.cell_count()
            );
            radii.push(now);
        }
        let [before, last] = [radii[radii.len() - 3], radii[radii.len() - 1]];
        let way = (last.radius_um - radii[0].radius_um).abs();
        assert!(way > 20.0, "{radii:?}");
        // It rests: over the last eight days it goes a tenth of its way at most.
        assert!(
            (last.radius_um - before.radius_um).abs() < 0.1 * way,
            "{radii:?}"
        );
        assert!(
            (last.radius_um / rest.radius_um - 1.0).abs() < 0.1,
            "{radii:?}"
        );
        assert!(
            (last.core_share / rest.core_share - 1.0).abs() < 0.1,
            "{radii:?}"
        );
    }
}

#[test]
fn the_balance_has_its_known_limits() {
    let square = DIFFUSIVITY * (SURFACE_MMHG - NEEDED_MMHG) / UPTAKE;
    // What is lost at once leaves no core: the ball is so wide that its middle just has what cells need.
    let bare = at_rest(1e6);
    assert!(bare.core_share < 1e-6, "{}", bare.core_share);
    let expected = (6.0 * square).sqrt();
    assert!(
        (bare.radius_um / expected - 1.0).abs() < 1e-3,
        "{}, {expected}",
        bare.radius_um
    );
    // What is hardly ever lost is nearly all core: its rim is as thick as that of a flat tissue.
    let full = at_rest(1e-6);
    assert!(full.core_share > 0.999, "{}", full.core_share);
    let (rim, expected) = (
        full.radius_um * (1.0 - full.core_share.cbrt()),
        (2.0 * square).sqrt(),
    );
    assert!((rim / expected - 1.0).abs() < 1e-3, "{rim}, {expected}");
}
