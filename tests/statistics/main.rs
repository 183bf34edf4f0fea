//! Chance does what the model says, in whole simulations: how often things happen does not depend on the step,
//! phases of the cycle last as long as their distributions have it, and division makes nothing and moves nothing.
//!
//! Every seed is fixed, so a verdict at the 5 % level is the same in every run of the tests. The quantiles come from
//! `probability`, which is tested against tables.

mod probability;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use probability::{chi_square_tail, kolmogorov_smirnov, student_quantile, student_tail};
use tumorscape::cell::EventKind;
use tumorscape::cell::body::VolumeStep;
use tumorscape::cell::{Body, BodyParameters, Cycle, Phase, Position, State, Surroundings};
use tumorscape::core::CellId;
use tumorscape::core::parallel::set_threads;
use tumorscape::measure::Wanted;
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
    title: "starving", about: "-", pace: Illustrative, duration: Hours(36),
    sites: [(
        name: "medium", organ: Medium, size_um: (400, 400, 400),
        fields: [(molecule: "oxygen", level: 18)], stirring_length_um: 10,
    )],
    populations: [(cell: "cancer", place: Ball(radius_um: 120))],
    parameters: {
        "cancer.metabolism.oxygen_uptake_mmhg_per_s": 22.1,
        "cancer.death.apoptosis_per_hour": 0.02,
    },
)"#;

/// How often an event happened, in each of [`TISSUES`] and in each quarter of 36 h: more than two cycles, so that cells
/// divide that had not yet decided to at the start.
type Counts = [[f64; 4]; TISSUES];

const TISSUES: usize = 8;
const KINDS: [EventKind; 3] = [
    EventKind::of("division"),
    EventKind::of("apoptosis"),
    EventKind::of("necrosis"),
];

/// Counts of each kind of event in tissues of their own, two at a time.
fn events(step_minutes: f64, first_seed: u64, change: &[(&str, f64)]) -> [Counts; KINDS.len()] {
    let in_tissue = |seed: u64| {
        let mut tissue = simulation(STARVING, seed, |scene| {
            scene.step = Span::Minutes(step_minutes);
            for (path, value) in change {
                scene.parameters.insert((*path).to_owned(), *value);
            }
        });
        tissue.keep_to_calling_thread();
        let mut counts = [[0.0; 4]; KINDS.len()];
        let steps = tissue.total_steps();
        for step in 0..steps {
            tissue.step();
            for event in tissue.events() {
                if let Some(kind) = KINDS.iter().position(|kind| *kind == event.kind) {
                    counts[kind][(4 * step / steps) as usize] += 1.0;
                }
            }
        }
        counts
    };
    let mut found = [[[0.0; 4]; TISSUES]; KINDS.len()];
    let half = |seeds: std::ops::Range<usize>| -> Vec<_> {
        seeds
            .map(|tissue| (tissue, in_tissue(first_seed + tissue as u64)))
            .collect()
    };
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| half(TISSUES / 2..TISSUES));
        let first = half(0..TISSUES / 2);
        (first, other.join().expect("no tissue panics"))
    });
    for (tissue, counts) in first.into_iter().chain(second) {
        for (kind, quarters) in counts.into_iter().enumerate() {
            found[kind][tissue] = quarters;
        }
    }
    found
}

/// Counts with steps of a minute.
fn usual_events() -> &'static [Counts; KINDS.len()] {
    static USUAL: OnceLock<[Counts; KINDS.len()]> = OnceLock::new();
    USUAL.get_or_init(|| events(1.0, 1, &[]))
}

/// Mean and variance between tissues.
fn moments(counts: &[f64; TISSUES]) -> (f64, f64) {
    let mean = counts.iter().sum::<f64>() / TISSUES as f64;
    let squares: f64 = counts.iter().map(|count| (count - mean).powi(2)).sum();
    (mean, squares / (TISSUES - 1) as f64)
}

/// Two sets of counts of one kind of event, compared.
struct Comparison {
    /// Probability that totals of one distribution differ as much: Student's test on the tissues, so that the
    /// variance is the one found between them, whatever it is.
    totals: f64,
    /// Chi-square of the quarters, each with its own mean and with the dispersion of this kind.
    quarters: f64,
    /// Quarters in which it happened at all.
    classes: usize,
    /// Variance between tissues over the mean; 1 is Poisson's.
    dispersion: f64,
    /// Relative difference of the totals that the test finds in four cases of five.
    visible: f64,
}

fn compare(a: &Counts, b: &Counts) -> Comparison {
    let freedom = 2 * TISSUES - 2;
    let total = |counts: &Counts| moments(&counts.map(|quarters| quarters.iter().sum()));
    let ((mean_a, variance_a), (mean_b, variance_b)) = (total(a), total(b));
    let (mean, variance) = (0.5 * (mean_a + mean_b), 0.5 * (variance_a + variance_b));
    let error = (2.0 * variance / TISSUES as f64).sqrt();
    let pieces: Vec<_> = (0..4)
        .map(|quarter| {
            let of = |counts: &Counts| moments(&counts.map(|quarters| quarters[quarter]));
            (of(a), of(b))
        })
        // Nothing starves in the first hours.
        .filter(|(a, b)| a.0 + b.0 > 0.0)
        .collect();
    let dispersion = pieces.iter().map(|(a, b)| (a.1 + b.1) / (a.0 + b.0));
    let dispersion = dispersion.sum::<f64>() / pieces.len() as f64;
    let quarters = pieces.iter().map(|(a, b)| {
        let variance = dispersion * 0.5 * (a.0 + b.0) * 2.0 / TISSUES as f64;
        (a.0 - b.0).powi(2) / variance
    });
    // Both quantiles of Student's distribution with 14 degrees of freedom: two-sided 5 % over the three kinds (the
    // sharpest step of Holm's method) and one-sided 20 %.
    let quantiles = student_quantile(LEVEL / KINDS.len() as f64, freedom)
        + student_quantile(2.0 * 0.2, freedom);
    Comparison {
        totals: student_tail((mean_a - mean_b) / error, freedom),
        quarters: quarters.sum(),
        classes: pieces.len(),
        dispersion: variance / mean,
        visible: quantiles * error / mean,
    }
}

#[test]
fn events_are_as_frequent_with_half_the_step() {
    let minute = usual_events();
    let half = events(0.5, 101, &[]);
    let mut totals = Vec::new();
    let (mut chi_square, mut classes) = (0.0, 0);
    for (kind, (a, b)) in KINDS.iter().zip(minute.iter().zip(&half)) {
        let found = compare(a, b);
        let sum = |counts: &Counts| counts.iter().flatten().sum::<f64>();
        println!(
            "{kind:?}: {} with 1 min, {} with 0.5 min, p = {:.2}; variance {:.2} of Poisson's; a difference of {:.1} % \
             would be found",
            sum(a),
            sum(b),
            found.totals,
            found.dispersion,
            100.0 * found.visible
        );
        assert!(sum(a) > 1000.0, "enough of every kind");
        // What the test is worth: no kind may be off by a tenth without notice.
        assert!(found.visible < 0.1, "{kind:?}: {}", found.visible);
        totals.push(found.totals);
        chi_square += found.quarters;
        classes += found.classes;
    }
    assert!(none_rejected(&totals), "{totals:?}");
    let probability = chi_square_tail(chi_square, classes);
    println!("chi-square of kinds and quarters {chi_square:.1}, p = {probability:.2}");
    assert!(probability > LEVEL, "p = {probability}");
}

#[test]
fn other_rates_give_other_counts_of_events() {
    let usual = usual_events();
    let other = events(
        1.0,
        201,
        &[
            ("cancer.cycle.g0g1_hours", 6.0),
            ("cancer.death.apoptosis_per_hour", 0.023),
            ("cancer.death.necrosis_onset_mmhg", 6.0),
        ],
    );
    for (kind, (a, b)) in KINDS.iter().zip(usual.iter().zip(&other)) {
        let found = compare(a, b).totals;
        println!("{kind:?}: p = {found:.1e}");
        assert!(found < LEVEL / KINDS.len() as f64, "{kind:?}: p = {found}");
    }
}

/// Whether none of these hypotheses can be rejected at [`LEVEL`] for all of them together. Holm's method rejects any
/// if it rejects the least probable one, which is measured as Bonferroni has it; it holds however they depend.
fn none_rejected(probabilities: &[f64]) -> bool {
    let least = probabilities.iter().copied().fold(1.0, f64::min);
    least * probabilities.len() as f64 > LEVEL
}

/// Cells far apart, with all they need, that do not walk: each goes through its cycle undisturbed.
const LONELY: &str = r#"(
    title: "lonely", about: "-", pace: Illustrative, duration: Hours(60), step: Minutes(5),
    sites: [(name: "medium", organ: Medium, size_um: (2000, 2000, 2000), walls: false)],
    populations: [(cell: "cancer", place: Scatter(per_mm3: 75))],
    parameters: {
        "cancer.death.apoptosis_per_hour": 0,
        "cancer.motility.speed_um_per_min": 0,
        // A coated dish holds them.
        "cancer.anoikis.attachment": 1,
        // Siblings touch; that is not to slow them.
        "cancer.cycle.max_pressure": 1e6,
        // Background oxygen is 38 mmHg, and glucose 5.5 mM: it takes this to be exactly enough.
        "cancer.metabolism.growth_glucose_mm": 0,
    },
)"#;

/// Stages of G0/G1, S, G2 and M: the library's, PhysiCell's (all exponential), and others.
const LAWS: [[u32; 4]; 3] = [[1, 0, 0, 0], [1, 1, 1, 1], [3, 9, 2, 4]];
/// Their means, h.
const MEANS: [f64; 4] = [4.98, 8.0, 4.0, 1.0];
/// A phase is looked at if it begins before that hour, which leaves [`LONGEST`] until the end.
const BEGUN_BEFORE: f64 = 25.0;
/// Longest duration that all phases that are looked at could have shown, h.
const LONGEST: f64 = 35.0;
/// Time between two looks at the cells, h.
const LOOK: f64 = 2.0 / 60.0;

/// What became of cells with phases of so many stages.
struct Lives {
    /// How long each phase lasted, h, where beginning and end are known.
    durations: BTreeMap<Phase, Vec<f64>>,
    /// Cells at the start and at the end.
    cells: [usize; 2],
}

/// Lives under each of [`LAWS`].
fn lives() -> &'static [Lives; 3] {
    static LIVES: OnceLock<[Lives; 3]> = OnceLock::new();
    LIVES.get_or_init(|| LAWS.map(|stages| live(stages, 1)))
}

fn live(stages: [u32; 4], seed: u64) -> Lives {
    let mut tissue = simulation(LONELY, seed, |scene| {
        scene.step = Span::Hours(LOOK);
        for (phase, stages) in ["g0g1", "s", "g2", "m"].iter().zip(stages) {
            let path = format!("cancer.cycle.{phase}_stages");
            scene.parameters.insert(path, f64::from(stages));
        }
    });
    let cells_at_start = tissue.cell_count();
    let mut durations: BTreeMap<Phase, Vec<f64>> = BTreeMap::new();
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
            // Not the time of the look: a cell knows when in the step it went on.
            let start = now - f64::from(cycle.elapsed_hours) - f64::from(cycle.overtime_hours);
            let before = began.get(id).copied();
            match before {
                Some((phase, _)) if phase == cycle.phase => {}
                None if first => {
                    began.insert(*id, (cycle.phase, None));
                }
                _ => {
                    if let Some((phase, Some(from))) = before
                        && from < BEGUN_BEFORE
                        && start - from <= LONGEST
                        && follows(phase, cycle.phase)
                    {
                        durations.entry(phase).or_default().push(start - from);
                    }
                    began.insert(*id, (cycle.phase, Some(start)));
                }
            }
        }
    }
    Lives {
        durations,
        cells: [cells_at_start, tissue.cell_count()],
    }
}

/// Whether no phase lies between the two. (One that begins and ends between two looks is not seen, and leaves the end
/// of the one before unknown.)
fn follows(phase: Phase, next: Phase) -> bool {
    let at = |phase: Phase| phase as usize;
    at(next) == (at(phase) + 1) % Phase::ALL.len()
}

/// Probability that an Erlang time of that mean and number of stages is at most `x`.
fn erlang(x: f64, mean: f64, stages: u32) -> f64 {
    let x = x * f64::from(stages) / mean;
    let (mut term, mut sum) = (1.0, 0.0);
    for i in 0..stages {
        sum += term;
        term *= x / f64::from(i + 1);
    }
    1.0 - (-x).exp() * sum
}

/// The same for those that can be in the sample: of times `t` shorter than that between two looks a share of `t/look` is
/// seen, and none is longer than [`LONGEST`].
fn erlang_as_seen(x: f64, mean: f64, stages: u32) -> f64 {
    // The integral of t f(t) is the mean times the distribution of one stage more, each as long as before.
    let k = f64::from(stages);
    let short = |x: f64| mean / LOOK * erlang(x, mean * (k + 1.0) / k, stages + 1);
    let seen = |x: f64| {
        if x < LOOK {
            short(x)
        } else {
            short(LOOK) + erlang(x, mean, stages) - erlang(LOOK, mean, stages)
        }
    };
    seen(x) / seen(LONGEST)
}

#[test]
fn erlangs_distribution_of_two_stages_is_the_one_in_closed_form() {
    assert!((erlang(3.0, 2.0, 2) - (1.0 - 4.0 * (-3.0_f64).exp())).abs() < 1e-12);
}

#[test]
fn phases_last_as_their_distributions_have_it() {
    for (stages, lives) in LAWS.into_iter().zip(lives()) {
        let found = &lives.durations;
        let mut probabilities = Vec::new();
        for ((phase, mean), stages) in Phase::ALL.into_iter().zip(MEANS).zip(stages) {
            let hours = &found[&phase];
            assert!(hours.len() > 500, "{phase:?}: {}", hours.len());
            if stages == 0 {
                for found in hours {
                    assert!((found - mean).abs() < 1e-4, "{phase:?} of {found} h");
                }
                continue;
            }
            let fits = |mean: f64, stages: u32| {
                kolmogorov_smirnov(hours, |x| erlang_as_seen(x, mean, stages))
            };
            println!(
                "{phase:?} of {stages} stages: {} times, p = {:.2}",
                hours.len(),
                fits(mean, stages)
            );
            probabilities.push(fits(mean, stages));
            // A mean that is off by 15 %, or a stage more, would be found.
            for other in [0.85 * mean, 1.15 * mean] {
                assert!(fits(other, stages) < LEVEL, "{phase:?} of {other} h");
            }
            if stages < 4 {
                assert!(fits(mean, stages + 1) < LEVEL, "{phase:?}, a stage more");
            }
        }
        assert!(none_rejected(&probabilities), "{probabilities:?}");
    }
}

/// Rate of growth by the Euler-Lotka equation, 1/h: twice the mean of `exp(-r T)` over cycle times `T` is 1.
fn euler_lotka(stages: [u32; 4]) -> f64 {
    let excess = |rate: f64| {
        let phases = MEANS.iter().zip(stages).map(|(mean, stages)| match stages {
            0 => rate * mean,
            k => f64::from(k) * (rate * mean / f64::from(k)).ln_1p(),
        });
        2.0_f64.ln() - phases.sum::<f64>()
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if excess(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[test]
fn populations_double_in_the_time_that_the_distributions_of_their_phases_give() {
    let rates = LAWS.map(euler_lotka);
    let mut differ = Vec::new();
    for ((stages, lives), rate) in LAWS.into_iter().zip(lives()).zip(rates) {
        let [start, end] = lives.cells.map(|cells| cells as f64);
        let found = (end / start).ln() / 60.0;
        // Of n cells that divide without memory (Yule 1925) come e^rt n with a relative variance of (1 - e^-rt)/n; a
        // cycle of several phases only lessens it. Two-sided 1 %.
        let error = 2.58 * ((1.0 - (-rate * 60.0).exp()) / start).sqrt() / 60.0;
        let doubling = |rate: f64| 2.0_f64.ln() / rate;
        println!(
            "{stages:?}: doubled every {:.2} h, {:.2} +/- {:.2} h expected",
            doubling(found),
            doubling(rate),
            doubling(rate) * error / rate
        );
        assert!((found - rate).abs() < error, "{found}, not {rate}");
        differ.push(rates.map(|other| (found - other).abs() > error));
    }
    // That tells fixed phases from exponential ones.
    assert!(differ[0][1] && differ[1][0]);
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
    for _ in 0..1200 {
        tissue.step();
    }
    let divisions = tissue.cell_count() - cells_before;
    assert!(divisions > 500, "{divisions}");
    let states = tissue.census(&Wanted {
        categories: vec!["state".into()],
        ..Wanted::default()
    });
    let states = states.category("state").expect("it was asked for");
    assert!(states.iter().all(|state| *state == State::Alive as u8));
    // Halves are exact; what is left is the rounding of the sum.
    let change = volume(&tissue) / volume_before - 1.0;
    assert!(change.abs() < 1e-12, "{change}");
}
