//! Chance does what the model says, in whole simulations: how often things happen does not depend on the step,
//! phases of the cycle last as long as their distributions have it, and division makes nothing and moves nothing.
//!
//! Every seed is fixed, so a verdict at the 5 % level is the same in every run of the tests. The quantiles come from the
//! functions at the end, which are tested against tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use tumorscape::cell::body::VolumeStep;
use tumorscape::cell::{Body, BodyParameters, Cycle, Phase, Position, State, Surroundings};
use tumorscape::core::CellId;
use tumorscape::core::parallel::set_threads;
use tumorscape::observe::EventKind;
use tumorscape::scene::schema::{Scene, Span};
use tumorscape::scene::{SceneContext, parse_scene};
use tumorscape::simulation::{Lineage, Simulation};

/// Verdicts are given at this level.
const LEVEL: f64 = 0.05;

fn simulation(text: &str, seed: u64, change: impl Fn(&mut Scene)) -> Simulation {
    set_threads(None);
    let mut scene =
        parse_scene(text, "statistics.ron", &SceneContext::default()).expect("the scene is valid");
    change(&mut scene.scene);
    Simulation::new(Arc::new(scene), seed).expect("its parameters are valid")
}

/// A small tumour with a dead core, in which cells divide, commit suicide and starve.
const STARVING: &str = r#"(
    title: "starving", about: "-", pace: Illustrative, duration: Hours(12),
    sites: [(
        name: "medium", organ: Medium, size_um: (400, 400, 400),
        fields: [(molecule: Oxygen, level: 30)], perfusion_length_um: 10,
    )],
    populations: [(cell: "cancer", place: Ball(radius_um: 165))],
    parameters: {
        "cancer.metabolism.oxygen_uptake_mmhg_per_s": 22.1,
        "cancer.death.apoptosis_per_hour": 0.02,
    },
)"#;

/// Events in five tissues of their own: by kind and by thirds of twelve hours.
fn events(step_minutes: f64, seeds: std::ops::Range<u64>, apoptosis_per_hour: f64) -> Vec<u64> {
    const KINDS: [EventKind; 3] = [
        EventKind::Division,
        EventKind::Apoptosis,
        EventKind::Necrosis,
    ];
    let mut counts = vec![0; 3 * KINDS.len()];
    for seed in seeds {
        let mut tissue = simulation(STARVING, seed, |scene| {
            scene.step = Span::Minutes(step_minutes);
            let path = "cancer.death.apoptosis_per_hour".to_owned();
            scene.parameters.insert(path, apoptosis_per_hour);
        });
        let steps = (12.0 * 60.0 / step_minutes).round() as usize;
        for step in 0..steps {
            tissue.step();
            for event in tissue.events() {
                if let Some(kind) = KINDS.iter().position(|kind| *kind == event.kind) {
                    counts[3 * kind + 3 * step / steps] += 1;
                }
            }
        }
    }
    counts
}

/// Probability that two sets of counts of one distribution differ at least as much. Each class is compared for
/// itself, `(a - b)^2 / (a + b)`, for totals may differ too; counts that vary less than Poisson's (a cell divides at
/// most once in the time) make it only harder to call them different.
fn probability_of_difference(a: &[u64], b: &[u64]) -> f64 {
    let chi_square = a
        .iter()
        .zip(b)
        .map(|(a, b)| (*a as f64 - *b as f64).powi(2) / (*a + *b) as f64)
        .sum();
    chi_square_tail(chi_square, a.len())
}

#[test]
fn events_are_as_frequent_with_half_the_step() {
    let minute = events(1.0, 1..6, 0.02);
    let half = events(0.5, 11..16, 0.02);
    assert!(
        minute.iter().chain(&half).all(|count| *count >= 50),
        "enough of every kind at any time: {minute:?}, {half:?}"
    );
    let probability = probability_of_difference(&minute, &half);
    println!("1 min {minute:?}, 0.5 min {half:?}: p = {probability:.2}");
    assert!(
        probability > LEVEL,
        "{minute:?}, {half:?}: p = {probability}"
    );
    // The test is sharp enough to find a rate that is off by a quarter.
    let other = events(1.0, 21..26, 0.025);
    let probability = probability_of_difference(&minute, &other);
    assert!(
        probability < LEVEL,
        "{minute:?}, {other:?}: p = {probability}"
    );
}

/// Cells far apart, with all they need, that do not walk: each goes through its cycle undisturbed.
const LONELY: &str = r#"(
    title: "lonely", about: "-", pace: Illustrative, duration: Hours(60), step: Minutes(5),
    sites: [(name: "medium", organ: Medium, size_um: (2000, 2000, 2000), walls: false)],
    populations: [(cell: "cancer", place: Scatter(per_mm3: 75))],
    parameters: {
        "cancer.death.apoptosis_per_hour": 0,
        "cancer.motility.speed_um_per_min": 0,
        // Siblings touch; that is not to slow them.
        "cancer.cycle.max_pressure": 1e6,
        // Background oxygen is 38 mmHg, and glucose 5.5 mM: it takes this to be exactly enough.
        "cancer.metabolism.growth_glucose_mm": 0,
    },
)"#;

/// How long each phase lasted, h, of those that began within 25 h; all have ended 35 h later.
fn durations(length_variation: f64, seed: u64) -> BTreeMap<Phase, Vec<f64>> {
    let mut tissue = simulation(LONELY, seed, |scene| {
        let path = "cancer.cycle.length_variation".to_owned();
        scene.parameters.insert(path, length_variation);
    });
    let mut found: BTreeMap<Phase, Vec<f64>> = BTreeMap::new();
    // The phase of each cell, and when it began; not known for the phase in which a cell was put there.
    let mut began: BTreeMap<CellId, (Phase, Option<f64>)> = BTreeMap::new();
    for _ in 0..tissue.total_steps() {
        tissue.step();
        let now = tissue.hours();
        let first = tissue.steps() == 1;
        let world = tissue.world();
        let mut cells = world
            .try_query::<(&CellId, &Cycle)>()
            .expect("there are cells");
        for (id, cycle) in cells.iter(world) {
            let start = now - f64::from(cycle.elapsed_hours) - f64::from(cycle.overtime_hours);
            let before = began.get(id).copied();
            match before {
                Some((phase, _)) if phase == cycle.phase => {}
                None if first => {
                    began.insert(*id, (cycle.phase, None));
                }
                _ => {
                    if let Some((phase, Some(from))) = before
                        && from < 25.0
                    {
                        found.entry(phase).or_default().push(start - from);
                    }
                    began.insert(*id, (cycle.phase, Some(start)));
                }
            }
        }
    }
    found
}

#[test]
fn waits_in_g0g1_are_exponential_and_other_phases_last_their_time() {
    let found = durations(0.0, 1);
    let waits = &found[&Phase::G0G1];
    assert!(waits.len() > 500, "{}", waits.len());
    let probability = kolmogorov_smirnov(waits, |hours| 1.0 - (-hours / 4.98).exp());
    println!("G0/G1: {} waits, p = {probability:.2}", waits.len());
    assert!(probability > LEVEL, "p = {probability}");
    // A mean that is off by a tenth would be found.
    assert!(kolmogorov_smirnov(waits, |hours| 1.0 - (-hours / 5.5).exp()) < LEVEL);
    for (phase, hours) in [(Phase::S, 8.0), (Phase::G2, 4.0), (Phase::M, 1.0)] {
        assert!(found[&phase].len() > 500);
        for found in &found[&phase] {
            assert!((found - hours).abs() < 1e-4, "{phase:?} of {found} h");
        }
    }
}

#[test]
fn phases_with_spread_are_log_normal() {
    let variation = 0.3;
    let found = durations(variation, 2);
    let variance = (1.0_f64 + variation * variation).ln();
    for (phase, mean) in [(Phase::S, 8.0_f64), (Phase::G2, 4.0), (Phase::M, 1.0)] {
        let log_mean = mean.ln() - 0.5 * variance;
        let log_normal = |hours: f64| {
            0.5 * (1.0 + error_function((hours.ln() - log_mean) / (2.0 * variance).sqrt()))
        };
        let probability = kolmogorov_smirnov(&found[&phase], log_normal);
        println!(
            "{phase:?}: {} times, p = {probability:.2}",
            found[&phase].len()
        );
        assert!(probability > LEVEL, "{phase:?}: p = {probability}");
    }
}

/// A cell, as a test needs it.
#[derive(Clone, Copy)]
struct Seen {
    at: Position,
    body: Body,
    parent: CellId,
    contacts: u16,
}

fn cells(tissue: &Simulation) -> BTreeMap<CellId, Seen> {
    let world = tissue.world();
    world
        .try_query::<(&CellId, &Position, &Body, &Lineage, &Surroundings)>()
        .expect("there are cells")
        .iter(world)
        .map(|(id, at, body, lineage, around)| {
            let seen = Seen {
                at: *at,
                body: *body,
                parent: lineage.parent,
                contacts: around.contacts,
            };
            (*id, seen)
        })
        .collect()
}

#[test]
fn daughters_hold_exactly_their_mother_and_lie_around_where_she_was() {
    let mut tissue = simulation(LONELY, 3, |_| {});
    let parameters = BodyParameters::default();
    // What a step makes of a cell that prepares to divide.
    let growth = VolumeStep::new(
        parameters.growth,
        parameters.living(true),
        tissue.clock().dt_hours(),
    );
    let (mut divisions, mut lonely) = (0, 0);
    for _ in 0..300 {
        let before = cells(&tissue);
        tissue.step();
        let after = cells(&tissue);
        for (id, daughter) in &after {
            if before.contains_key(id) {
                continue;
            }
            divisions += 1;
            let (was, mother) = (before[&daughter.parent], after[&daughter.parent]);
            let mut grown = was.body;
            growth.apply(&mut grown);
            let parts = |body: &Body| {
                [
                    body.fluid_um3,
                    body.nuclear_solid_um3,
                    body.cytoplasmic_solid_um3,
                ]
            };
            let halves = [mother.body, daughter.body].map(|body| parts(&body));
            for (part, whole) in parts(&grown).into_iter().enumerate() {
                // To the bit.
                assert_eq!(halves[0][part] + halves[1][part], whole);
            }
            // Only a cell that nothing touches has not moved in the step.
            if was.contacts == 0 && mother.contacts == 0 {
                lonely += 1;
                let middle = 0.5 * (mother.at.0.as_dvec3() + daughter.at.0.as_dvec3());
                let apart = middle.distance(was.at.0.as_dvec3());
                // Half a unit in the last place of 1000 um, for each daughter and axis.
                assert!(apart < 1.1e-4, "{apart} um");
                let distance = mother.at.0.distance(daughter.at.0);
                assert!((distance - 2.0 * daughter.body.radius_um).abs() < 1e-3);
            }
        }
    }
    assert!(divisions > 300 && lonely > 100, "{divisions}, {lonely}");
}

#[test]
fn a_crowd_that_divides_without_growing_keeps_its_volume() {
    let mut tissue = simulation(STARVING, 4, |scene| {
        for (path, value) in [
            ("cancer.body.growth.fluid_per_hour", 0.0),
            ("cancer.body.growth.nucleus_per_hour", 0.0),
            ("cancer.body.growth.cytoplasm_per_hour", 0.0),
            ("cancer.death.apoptosis_per_hour", 0.0),
            // Nothing starves.
            ("cancer.metabolism.oxygen_uptake_mmhg_per_s", 0.0),
        ] {
            scene.parameters.insert(path.to_owned(), value);
        }
    });
    let volume = |tissue: &Simulation| -> f64 {
        let cells = cells(tissue);
        let parts = cells.values().map(|cell| {
            f64::from(cell.body.fluid_um3)
                + f64::from(cell.body.nuclear_solid_um3)
                + f64::from(cell.body.cytoplasmic_solid_um3)
        });
        parts.sum()
    };
    let (cells_before, volume_before) = (tissue.cell_count(), volume(&tissue));
    for _ in 0..600 {
        tissue.step();
    }
    let divisions = tissue.cell_count() - cells_before;
    assert!(divisions > 500, "{divisions}");
    assert!(
        tissue
            .census()
            .cells
            .iter()
            .all(|cell| cell.state == State::Alive)
    );
    // Halves are exact; what is left is the rounding of the sum.
    let change = volume(&tissue) / volume_before - 1.0;
    assert!(change.abs() < 1e-12, "{change}");
}

/// Probability of a chi-square of at least that value with so many degrees of freedom: the regularised incomplete
/// gamma function `Q(n/2, x/2)`, by its series or its continued fraction (Abramowitz & Stegun 6.5.29, 6.5.31).
fn chi_square_tail(chi_square: f64, freedom: usize) -> f64 {
    let (a, x) = (0.5 * freedom as f64, 0.5 * chi_square);
    if x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - log_gamma_of_halves(freedom)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..500 {
            term *= x / (a + f64::from(n));
            sum += term;
        }
        return 1.0 - front * sum;
    }
    // From its end: x + (1-a)/(1 + 1/(x + (2-a)/(1 + 2/(x + ...)))).
    let mut fraction = x;
    for n in (1..500).rev() {
        let n = f64::from(n);
        fraction = x + (n - a) / (1.0 + n / fraction);
    }
    front / fraction
}

/// `ln Gamma(n/2)`, from `Gamma(1/2) = sqrt pi`, `Gamma(1) = 1` and `Gamma(a + 1) = a Gamma(a)`.
fn log_gamma_of_halves(n: usize) -> f64 {
    let (mut a, mut log) = if n % 2 == 1 {
        (0.5, 0.5 * std::f64::consts::PI.ln())
    } else {
        (1.0, 0.0)
    };
    while a < 0.5 * n as f64 {
        log += a.ln();
        a += 1.0;
    }
    log
}

/// Probability that a sample of that distribution lies at least as far from it (Kolmogorov-Smirnov, with the
/// correction of Stephens 1970 for finite samples).
fn kolmogorov_smirnov(sample: &[f64], distribution: impl Fn(f64) -> f64) -> f64 {
    let mut sample = sample.to_vec();
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let farthest = sample
        .iter()
        .enumerate()
        .map(|(i, x)| {
            let expected = distribution(*x);
            (expected - i as f64 / n).max((i + 1) as f64 / n - expected)
        })
        .fold(0.0, f64::max);
    kolmogorov_tail((n.sqrt() + 0.12 + 0.11 / n.sqrt()) * farthest)
}

/// The tail of Kolmogorov's distribution.
fn kolmogorov_tail(x: f64) -> f64 {
    let terms = (1..100).map(|k| {
        let k = f64::from(k);
        let sign = if k % 2.0 == 1.0 { 2.0 } else { -2.0 };
        sign * (-2.0 * (k * x).powi(2)).exp()
    });
    terms.sum()
}

/// The error function, by its series; good to 1e-7.
fn error_function(x: f64) -> f64 {
    if x.abs() > 4.5 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..150 {
        let n = f64::from(n);
        term *= -x * x / n;
        sum += term / (2.0 * n + 1.0);
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}

#[test]
fn the_quantiles_are_those_of_the_tables() {
    // 5 % and 0.1 % points of chi-square.
    for (freedom, five, tenth) in [
        (1, 3.841, 10.828),
        (2, 5.991, 13.816),
        (3, 7.815, 16.266),
        (9, 16.919, 27.877),
        (30, 43.773, 59.703),
    ] {
        assert!((chi_square_tail(five, freedom) - 0.05).abs() < 2e-5);
        assert!((chi_square_tail(tenth, freedom) - 0.001).abs() < 1e-6);
    }
    assert!((chi_square_tail(1.0, 9) - 0.999_44).abs() < 1e-5);
    // 5 % and 1 % points of Kolmogorov's distribution.
    assert!((kolmogorov_tail(1.358) - 0.05).abs() < 1e-4);
    assert!((kolmogorov_tail(1.628) - 0.01).abs() < 1e-4);
    assert!((error_function(0.5) - 0.520_499_877_8).abs() < 1e-9);
    assert!((error_function(-2.0) + 0.995_322_265).abs() < 1e-9);
}
