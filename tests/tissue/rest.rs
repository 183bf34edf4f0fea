//! A spheroid whose rim grows and whose core is lost at constant rates comes to rest where births make up for losses, whatever its size at
//! the start (Greenspan 1972, Stud Appl Math 51:317).

use super::*;

/// Medium around the spheroid, and what cells need, mmHg.
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

/// How thick a layer of medium does not move around the spheroid, um: medium counts as stirred where less than 0.3 of a cube of 20 um is
/// tissue, from 4 um off a flat surface on, and stirring acts within the length below.
const STILL_UM: f64 = 4.0 + STIRRING_UM;
const STIRRING_UM: f64 = 2.0;

/// Volume of the core over that of the whole, and radius of the whole, at rest.
struct Rest {
    core_share: f64,
    radius_um: f64,
}

/// The balance, without anything of the program, with so thick a still layer.
///
/// A free population grows at the rate `b` of the equation of Euler and Lotka, `2 prod 1/(1 + b T_i) = 1`; what has died at `t = 0` is
/// `exp(-l t)` of it until it counts as gone, so that a core into which `F` flows holds `F (1 - f)/l`. At rest `b (R^3 - c^3) = F`. The core
/// takes up nothing, so that with a constant uptake `u` in the rim `p_s - p_c = u/(6 D) (R^2 - 3 c^2 + 2 c^3/R)`, and all of it comes through
/// the still layer `d`: `p_0 - p_s = u d/(3 D) (R^3 - c^3)/R^2`.
fn at_rest(still_um: f64) -> Rest {
    let grown = |b: f64| 2.0 / PHASES_HOURS.iter().map(|t| 1.0 + b * t).product::<f64>();
    let births = root(0.0, 1.0, |b| 1.0 - grown(b));
    let losses = LOSS_PER_HOUR / (1.0 - CLEARED_UM3 / LIVING_UM3);
    let core_share = births / (births + losses);
    let x = core_share.cbrt();
    let drop = |radius: f64| {
        let within = radius.powi(2) / 6.0 * (1.0 - 3.0 * x.powi(2) + 2.0 * x.powi(3));
        let outside = still_um * radius / 3.0 * (1.0 - core_share);
        UPTAKE / DIFFUSIVITY * (within + outside)
    };
    Rest {
        core_share,
        radius_um: root(1.0, 1e4, |radius| {
            drop(radius) - (SURFACE_MMHG - NEEDED_MMHG)
        }),
    }
}

/// Where a rising function is none, between two places.
fn root(low: f64, high: f64, of: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (low, high);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if of(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// A ball of that radius of the shipped cell, with these rates and no others.
fn ball(radius_um: f64) -> Simulation {
    let [g0g1, s, g2, m] = PHASES_HOURS;
    simulation(&format!(
        "duration: Hours(2000), step: Minutes(10), \
         sites: [(name: \"medium\", organ: Medium, size_um: (630, 630, 630), voxel_um: (15, 15, 15), \
             stirring_length_um: {STIRRING_UM}, fields: [(molecule: \"oxygen\", level: {SURFACE_MMHG})])], \
         populations: [(cell: \"cancer\", place: Ball(radius_um: {radius_um}))], \
         parameters: {{ \
             \"molecules.oxygen.diffusivity_um2_per_min\": 1.2e5, \"molecules.oxygen.half_saturation\": 0.2, \
             \"cancer.metabolism.oxygen_uptake_mmhg_per_s\": {UPTAKE}, \"cancer.metabolism.glucose_shortage_gain\": 0, \
             \"cancer.cycle.g0g1_hours\": {g0g1}, \"cancer.cycle.s_hours\": {s}, \
             \"cancer.cycle.g2_hours\": {g2}, \"cancer.cycle.m_hours\": {m}, \
             \"cancer.cycle.g0g1_stages\": 1, \"cancer.cycle.s_stages\": 1, \
             \"cancer.cycle.g2_stages\": 1, \"cancer.cycle.m_stages\": 1, \
             \"cancer.cycle.max_pressure\": 1000, \"cancer.death.apoptosis_per_hour\": 0, \
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

/// What there is at a time: radius of an even ball of as much volume of cells and remains as far from their middle, and the share of
/// that volume that is dead.
#[derive(Clone, Copy, Debug)]
struct Found {
    radius_um: f64,
    core_share: f64,
}

fn found(simulation: &Simulation) -> Found {
    let cells = cells(simulation);
    let all: f64 = cells.iter().map(|cell| cell.volume_um3).sum();
    let dead: f64 = cells
        .iter()
        .filter(|cell| !cell.is_alive)
        .map(|cell| cell.volume_um3)
        .sum();
    let middle = cells
        .iter()
        .map(|cell| cell.volume_um3 * cell.from_middle)
        .sum::<DVec3>()
        / all;
    let squares = cells
        .iter()
        .map(|cell| cell.volume_um3 * cell.from_middle.distance_squared(middle));
    Found {
        radius_um: (5.0 / 3.0 * squares.sum::<f64>() / all).sqrt(),
        core_share: dead / all,
    }
}

#[test]
#[ignore = "three weeks of three spheroids: eight minutes; run with `cargo test --release -- --ignored`"]
fn with_constant_rates_a_spheroid_comes_to_rest_at_the_radius_of_the_balance_from_below_and_above()
{
    let rest = at_rest(STILL_UM);
    println!(
        "at rest {:.1} um ({:.1} um without a still layer), {:.3} of it core",
        rest.radius_um,
        at_rest(0.0).radius_um,
        rest.core_share
    );
    // The smallest has a core soon, the largest is a quarter wider than at rest.
    for start_um in [130.0, 165.0, 240.0] {
        let mut simulation = ball(start_um);
        let mut days = Vec::new();
        for day in 0..=10 {
            live(&mut simulation, 48.0 * f64::from(day));
            let now = found(&simulation);
            println!(
                "from {start_um} um, day {}: {:.1} um, {:.3} of it core, {} cells and remains",
                2 * day,
                now.radius_um,
                now.core_share,
                simulation.cell_count()
            );
            days.push(now);
        }
        let [before, last] = [days[days.len() - 3], days[days.len() - 1]];
        // It has gone some way, and over the last four days it rests.
        assert!(
            (last.radius_um / days[0].radius_um - 1.0).abs() > 0.1,
            "{days:?}"
        );
        assert!(
            (last.radius_um / before.radius_um - 1.0).abs() < 0.03,
            "{days:?}"
        );
        assert!(
            (last.radius_um / rest.radius_um - 1.0).abs() < 0.1,
            "{days:?}"
        );
        assert!(
            (last.core_share / rest.core_share - 1.0).abs() < 0.15,
            "{days:?}"
        );
    }
}

#[test]
fn the_balance_has_its_known_limits() {
    let rest = at_rest(0.0);
    // Births of 0.0144 /h in the rim against losses of 0.0448 /h in the core.
    assert!(
        (rest.core_share - 0.2430).abs() < 1e-3,
        "{}",
        rest.core_share
    );
    // `sqrt(6 D p/u)`, where the middle runs out of oxygen, is 116.5 um.
    assert!((rest.radius_um - 206.7).abs() < 0.1, "{}", rest.radius_um);
    // A layer of a millimetre is all that counts: `p_0 - p_c = u d R/(3 D)` times the living share, with a quarter dead.
    let behind = at_rest(1000.0).radius_um;
    let expected = 3.0 * DIFFUSIVITY * (SURFACE_MMHG - NEEDED_MMHG) / (UPTAKE * 1000.0 * 0.757);
    assert!(
        (behind / expected - 1.0).abs() < 5e-3,
        "{behind}, {expected}"
    );
}
