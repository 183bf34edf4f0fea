//! With constant rates a spheroid comes to rest where what its rim gains is what its core loses (Greenspan 1972, Stud Appl
//! Math 51:317), whatever it started with.
//!
//! Cells divide at one rate wherever they live, die where oxygen falls to a level, and remains lose their volume at one rate. The
//! rim then gains `k (R^3 - c^3)` and the core loses `l c^3`; how far the core `c` lies from the surface `R` follows from diffusion and
//! uptake. Rates are such that the rim has to follow the core at 0.05 um/min: where remains lose an eighth of their volume an hour, tissue of
//! walking cells does not follow, and the core becomes a hollow.

use super::*;

/// Share of their volume that remains lose, 1/h.
const LOSS_PER_HOUR: f64 = 0.06;
/// Mean durations of the four phases of the cycle, all of them exponential, h.
const PHASES_HOURS: [f64; 4] = [9.96, 16.0, 8.0, 2.0];
const MEDIUM_MMHG: f64 = 100.0;
const DEATH_MMHG: f64 = 5.0;
const DIFFUSIVITY_UM2_PER_S: f64 = 2000.0;
const UPTAKE_MMHG_PER_S: f64 = 70.0;
const HALF_SATURATION_MMHG: f64 = 1.0;
/// Layer of medium around the cells that stirring does not reach, um.
const STILL_UM: f64 = 5.0;

/// How fast such cells multiply: `2 prod 1/(1 + k T) = 1` (Euler-Lotka), 1/h.
fn growth_per_hour() -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let k: f64 = 0.5 * (low + high);
        let all: f64 = PHASES_HOURS.iter().map(|hours| 1.0 + k * hours).product();
        if all < 2.0 {
            low = k;
        } else {
            high = k;
        }
    }
    low
}

/// Radius of the ball whose core of that radius has just the oxygen at which cells die: `D (r^2 p')' / r^2 = u p/(p + K)`
/// from the core outwards, with no flow into it, until the still layer around has the level of the medium; by Runge and Kutta's method.
fn radius_around(core_um: f64) -> f64 {
    const STEP_UM: f64 = 0.05;
    let slope = |r: f64, p: f64, flow: f64| {
        let uptake = UPTAKE_MMHG_PER_S / DIFFUSIVITY_UM2_PER_S * p / (p + HALF_SATURATION_MMHG);
        (flow / (r * r), r * r * uptake)
    };
    let (mut r, mut p, mut flow) = (core_um, DEATH_MMHG, 0.0);
    while p + flow * (1.0 / r - 1.0 / (r + STILL_UM)) < MEDIUM_MMHG {
        let half = 0.5 * STEP_UM;
        let (a, b) = slope(r, p, flow);
        let (c, d) = slope(r + half, p + half * a, flow + half * b);
        let (e, f) = slope(r + half, p + half * c, flow + half * d);
        let (g, h) = slope(r + STEP_UM, p + STEP_UM * e, flow + STEP_UM * f);
        p += STEP_UM / 6.0 * (a + 2.0 * c + 2.0 * e + g);
        flow += STEP_UM / 6.0 * (b + 2.0 * d + 2.0 * f + h);
        r += STEP_UM;
    }
    r
}

/// Radii of the core and of the ball at rest, um.
fn at_rest() -> (f64, f64) {
    let (mut low, mut high) = (1.0, 1000.0);
    for _ in 0..30 {
        let core: f64 = 0.5 * (low + high);
        let rim = radius_around(core).powi(3) - core.powi(3);
        if growth_per_hour() * rim > LOSS_PER_HOUR * core.powi(3) {
            low = core;
        } else {
            high = core;
        }
    }
    (low, radius_around(low))
}

fn spheroid(radius_um: f64) -> Simulation {
    let [g0g1, s, g2, m] = PHASES_HOURS;
    let diffusivity = 60.0 * DIFFUSIVITY_UM2_PER_S;
    let mut parameters = format!(
        "\"cancer.cycle.g0g1_hours\": {g0g1}, \"cancer.cycle.s_hours\": {s}, \"cancer.cycle.g2_hours\": {g2}, \
         \"cancer.cycle.m_hours\": {m}, \"cancer.cycle.max_pressure\": 1e6, \"cancer.death.apoptosis_per_hour\": 0, \
         \"cancer.metabolism.growth_min_mmhg\": 0, \"cancer.metabolism.growth_full_mmhg\": 0.01, \
         \"cancer.metabolism.glucose_shortage_gain\": 0, \
         \"cancer.metabolism.oxygen_uptake_mmhg_per_s\": {UPTAKE_MMHG_PER_S}, \
         \"molecules.oxygen.diffusivity_um2_per_min\": {diffusivity}, \
         \"molecules.oxygen.half_saturation\": {HALF_SATURATION_MMHG}, \
         \"cancer.death.necrosis_onset_mmhg\": {DEATH_MMHG}, \"cancer.death.necrosis_full_mmhg\": 4.9, \
         \"cancer.death.necrosis_delay_hours\": 0.5, \"cancer.death.relative_rupture_volume\": 1, \"cancer.death.cleared_below_um3\": 100"
    );
    for part in ["s_stages", "g2_stages", "m_stages"] {
        parameters += &format!(", \"cancer.cycle.{part}\": 1");
    }
    for part in ["fluid", "nucleus", "cytoplasm"] {
        parameters += &format!(", \"cancer.death.lysed.{part}_per_hour\": {LOSS_PER_HOUR}");
    }
    simulation(&format!(
        "duration: Hours(260), step: Minutes(10), \
         sites: [(name: \"medium\", organ: Medium, size_um: (660, 660, 660), stirring_length_um: {STILL_UM}, \
             fields: [(molecule: \"oxygen\", level: {MEDIUM_MMHG})])], \
         populations: [(cell: \"cancer\", place: Ball(radius_um: {radius_um}))], parameters: {{{parameters}}}"
    ))
}

#[test]
#[ignore = "weeks of three spheroids: ten minutes; run with `cargo test --release -- --ignored`"]
fn a_spheroid_of_constant_rates_comes_to_rest_where_its_rim_gains_what_its_core_loses() {
    let (core, radius) = at_rest();
    println!("at rest {radius:.1} um, with a core of {core:.1} um");
    for start in [0.75, 1.0, 1.25] {
        let mut simulation = spheroid(start * radius);
        let mut late = Vec::new();
        for hours in (10..=260).step_by(10) {
            live(&mut simulation, f64::from(hours));
            let metrics = &simulation.metrics()[0];
            let found = metrics.get("tumour_radius_um").expect("it is registered");
            println!("from {start} of it, {hours} h: {found:.1} um");
            if hours > 220 {
                late.push(found);
            }
        }
        let mean = late.iter().sum::<f64>() / late.len() as f64;
        assert!((mean / radius - 1.0).abs() < 0.1, "{mean} um, not {radius}");
    }
}
