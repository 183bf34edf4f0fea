//! The cycle against its distributions, and populations against the Euler-Lotka equation.

use super::*;
use crate::cell::State;
use crate::cell::testing::*;
use crate::core::quantity::Quantity;
use crate::core::regulate::Rules;
use crate::core::rule::{Law, Rule, RuleBook};

const CELLS: u64 = 20_000;

/// Lets cells enter S as a quantity of theirs says, by a rule.
fn wait_for_food(app: &mut App, food: impl Fn(&CellId) -> f32 + Send + Sync + Copy + 'static) {
    app.register_quantity::<CellId>(Quantity::new("food", "", ""), food);
    let rule = Rule {
        input: ENTRY.into(),
        by: "food".into(),
        law: Law::Share,
        scale: 1.0,
        floor: None,
        about: String::new(),
        source: String::new(),
    };
    let mut book = RuleBook::default();
    book.rules.insert("food".into(), rule);
    app.world_mut().resource_mut::<Rules>().of_types = vec![book];
}

/// Runs cells from the start of G0/G1 until each has divided, and hands back when each entered S and when it
/// divided, h.
fn run_until_divided(
    step_minutes: f64,
    cells: u64,
    parameters: &CycleParameters,
    growth: f32,
    around: Surroundings,
) -> Vec<(f64, f64)> {
    let mut app = bench(step_minutes);
    app.add_plugins(CyclePlugin);
    set(&mut app, parameters.clone());
    wait_for_food(&mut app, move |_| growth);
    let cells: Vec<Entity> = (0..cells)
        .map(|id| {
            app.world_mut()
                .spawn((cell(id, around), Cycle::default()))
                .id()
        })
        .collect();
    let mut entered = vec![None; cells.len()];
    let mut divided = vec![None; cells.len()];
    while divided.iter().any(Option::is_none) {
        step(&mut app);
        let now = app.world().resource::<Clock>().hours();
        assert!(now < 500.0, "all cells divide in the end");
        for (index, entity) in cells.iter().enumerate() {
            let cycle = app.world().get::<Cycle>(*entity).unwrap();
            if cycle.phase == Phase::S && entered[index].is_none() {
                entered[index] = Some(now - f64::from(cycle.elapsed_hours));
            }
            if cycle.divides() && divided[index].is_none() {
                divided[index] = Some(now - f64::from(cycle.overtime_hours));
            }
        }
    }
    entered
        .into_iter()
        .zip(divided)
        .map(|(s, end)| (s.unwrap(), end.unwrap()))
        .collect()
}

#[test]
fn g0g1_waits_are_exponential_and_the_rest_is_fixed() {
    let times = run_until_divided(
        5.0,
        CELLS,
        &CycleParameters::default(),
        1.0,
        Surroundings::default(),
    );
    let n = times.len();
    let waits: Vec<f64> = times.iter().map(|(s, _)| *s).collect();
    assert_mean(waits.iter().sum::<f64>() / n as f64, 4.98, 4.98, n);
    // Ten classes of equal probability; 27.9 is the 99.9 % quantile of chi-square with 9 degrees of freedom.
    let mut counts = [0_usize; 10];
    for wait in &waits {
        counts[((1.0 - (-wait / 4.98).exp()) * 10.0) as usize] += 1;
    }
    let expected = n as f64 / 10.0;
    let chi_square: f64 = counts
        .iter()
        .map(|count| (*count as f64 - expected).powi(2) / expected)
        .sum();
    assert!(chi_square < 27.9, "{chi_square}");
    for (entered, divided) in &times {
        assert!((divided - entered - 13.0).abs() < 1e-4);
    }
    let total = times.iter().map(|(_, end)| *end).sum::<f64>() / n as f64;
    assert_mean(total, 17.98, 4.98, n);
}

#[test]
fn times_do_not_depend_on_the_step() {
    let run = |minutes| {
        run_until_divided(
            minutes,
            300,
            &CycleParameters::default(),
            1.0,
            Surroundings::default(),
        )
    };
    let (one, half, long) = (run(1.0), run(0.5), run(37.0));
    for ((one, half), long) in one.iter().zip(&half).zip(&long) {
        assert!((one.1 - half.1).abs() < 1e-4);
        assert!((one.1 - long.1).abs() < 1e-4);
    }
}

#[test]
fn hunger_and_crowding_multiply_the_wait_and_full_pressure_ends_it() {
    let parameters = CycleParameters::default();
    let around = Surroundings {
        pressure: 0.2 * parameters.max_pressure,
        ..Surroundings::default()
    };
    let times = run_until_divided(5.0, 4000, &parameters, 0.5, around);
    let mean = times.iter().map(|(s, _)| *s).sum::<f64>() / times.len() as f64;
    let expected = 4.98 / (0.5 * 0.8);
    assert_mean(mean, expected, expected, times.len());
    assert_eq!(
        parameters.s_entry_share(1.0, parameters.max_pressure, 0.0),
        0.0
    );
    assert_eq!(parameters.s_entry_share(1.0, 0.0, 1.0), 0.0);
    assert_eq!(parameters.s_entry_share(0.0, 0.0, 0.0), 0.0);
}

#[test]
fn lengths_of_phases_have_mean_one_and_the_variance_of_their_stages() {
    let n = 40_000_usize;
    let key = RandomKey(5);
    let fixed = PhaseLaw {
        mean_hours: 8.0,
        stages: 0,
    };
    let mut random = key.stream(CellId(0), 0, PHASE_LENGTH);
    assert_eq!(fixed.draw_length(&mut random), 1.0);
    for stages in [1, 2, 9] {
        let law = PhaseLaw {
            mean_hours: 8.0,
            stages,
        };
        let lengths: Vec<f64> = (0..n)
            .map(|id| {
                let mut random = key.stream(CellId(id as u64), 0, PHASE_LENGTH);
                f64::from(law.draw_length(&mut random))
            })
            .collect();
        let variance = 1.0 / f64::from(stages);
        let mean = lengths.iter().sum::<f64>() / n as f64;
        assert_mean(mean, 1.0, variance.sqrt(), n);
        let squares: Vec<f64> = lengths.iter().map(|l| (l - 1.0).powi(2)).collect();
        let found = squares.iter().sum::<f64>() / n as f64;
        // The fourth central moment of an Erlang distribution of mean 1 is (3 + 6/k)/k^2.
        let deviation = variance * (2.0 + 6.0 * variance).sqrt();
        assert_mean(found, variance, deviation, n);
    }
}

#[test]
fn dead_cells_and_cells_without_growth_stay_where_they_are() {
    let mut app = bench(60.0);
    app.add_plugins(CyclePlugin);
    set(&mut app, CycleParameters::default());
    let start = Cycle {
        phase: Phase::S,
        ..Cycle::default()
    };
    let dead = Vital {
        state: State::Apoptotic,
        ..Vital::default()
    };
    let around = Surroundings::default();
    let dead = app.world_mut().spawn((cell(0, around), start, dead)).id();
    wait_for_food(&mut app, |_| 0.0);
    let starved = (cell(1, around), Cycle::default());
    let starved = app.world_mut().spawn(starved).id();
    for _ in 0..200 {
        step(&mut app);
    }
    assert_eq!(*app.world().get::<Cycle>(dead).unwrap(), start);
    let starved = app.world().get::<Cycle>(starved).unwrap();
    assert_eq!((starved.phase, starved.progress), (Phase::G0G1, 0.0));
}

/// Phases in a row that are fixed, exponential, or something in between.
fn laws() -> [CycleParameters; 3] {
    [
        CycleParameters::default(),
        CycleParameters {
            s_stages: 1,
            g2_stages: 1,
            m_stages: 1,
            ..CycleParameters::default()
        },
        CycleParameters {
            g0g1_stages: 2,
            s_stages: 9,
            g2_stages: 0,
            m_stages: 4,
            ..CycleParameters::default()
        },
    ]
}

/// Counts phases, and the growth of a population that starts with the given ages, over `hours`.
fn grow_population(
    parameters: &CycleParameters,
    ages: AgeStructure,
    start: u64,
    hours: f64,
) -> (Vec<Cycle>, Vec<Cycle>) {
    let key = RandomKey(23);
    let first: Vec<Cycle> = (0..start)
        .map(|id| {
            ages.draw(&mut key.stream(CellId(id), 0, INITIAL_STATE))
                .cycle
        })
        .collect();
    let mut cells: Vec<(u64, Cycle)> = (0..start).zip(first.iter().copied()).collect();
    let mut next = start;
    for step in 0..(hours * 10.0) as u64 {
        for index in 0..cells.len() {
            let (id, cycle) = &mut cells[index];
            let stream = || key.stream(CellId(*id), step, PHASE_LENGTH);
            cycle.advance(parameters, 1.0, 0.1, stream);
            if cycle.divides() {
                cycle.restart();
                let daughter = *cycle;
                cells.push((next, daughter));
                next += 1;
            }
        }
    }
    (first, cells.into_iter().map(|(_, cycle)| cycle).collect())
}

fn share(cells: &[Cycle], phase: Phase) -> f64 {
    let count = cells.iter().filter(|cycle| cycle.phase == phase).count();
    count as f64 / cells.len() as f64
}

/// Growth per hour by the Euler-Lotka equation, by bisection.
fn euler_lotka(parameters: &CycleParameters) -> f64 {
    let born = |rate: f64| {
        let shares = Phase::ALL.map(|phase| {
            let PhaseLaw { mean_hours, stages } = parameters.law(phase);
            let x = rate * f64::from(mean_hours);
            match stages {
                0 => (-x).exp(),
                k => (1.0 + x / f64::from(k)).powi(-(k as i32)),
            }
        });
        2.0 * shares.iter().product::<f64>()
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if born(middle) > 1.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[test]
fn populations_double_in_the_time_of_euler_and_lotka() {
    for parameters in laws() {
        let rate = euler_lotka(&parameters);
        let found = f64::from(parameters.steady_growth_per_hour());
        assert!((found / rate - 1.0).abs() < 1e-6, "{found}, not {rate}");
    }
    // Four exponential phases of those means double in 16 h (0.0432 /h, Ghaffarizadeh et al. 2018).
    assert!((euler_lotka(&laws()[1]) - 0.0432).abs() < 5e-5);
}

#[test]
fn a_population_with_growing_ages_grows_exponentially_from_the_first_hour() {
    for parameters in laws() {
        let rate = euler_lotka(&parameters);
        for hours in [3.0, 10.0, 17.0] {
            let ages = AgeStructure::growing(&parameters);
            let (first, last) = grow_population(&parameters, ages, 20_000, hours);
            let fold = last.len() as f64 / first.len() as f64;
            assert!((fold / (rate * hours).exp() - 1.0).abs() < 0.02, "{fold}");
            for phase in Phase::ALL {
                assert!((share(&first, phase) - share(&last, phase)).abs() < 0.015);
            }
        }
    }
}

#[test]
fn in_a_steady_population_phases_are_as_frequent_as_they_are_long() {
    for parameters in laws() {
        let ages = AgeStructure::steady(&parameters);
        let n = 40_000_usize;
        let cells: Vec<Cycle> = (0..n as u64)
            .map(|id| {
                ages.draw(&mut RandomKey(3).stream(CellId(id), 0, INITIAL_STATE))
                    .cycle
            })
            .collect();
        for phase in Phase::ALL {
            let expected = f64::from(parameters.law(phase).mean_hours) / 17.98;
            let deviation = (expected * (1.0 - expected)).sqrt();
            assert_mean(share(&cells, phase), expected, deviation, n);
        }
        assert!(
            cells
                .iter()
                .all(|cycle| (0.0..=1.0).contains(&cycle.progress))
        );
    }
}

#[test]
fn the_mean_volume_is_that_of_the_cells_that_are_drawn() {
    let body = BodyParameters::default();
    let n = 40_000_usize;
    for parameters in laws() {
        let ages = AgeStructure::growing(&parameters);
        let volumes: Vec<f64> = (0..n as u64)
            .map(|id| {
                let mut random = RandomKey(9).stream(CellId(id), 0, INITIAL_STATE);
                let hours = ages.draw(&mut random).hours_since_s_entry.unwrap_or(0.0);
                f64::from(body.growing_body(hours).volume_um3())
            })
            .collect();
        let mean = volumes.iter().sum::<f64>() / n as f64;
        let variance = volumes.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
        let expected = f64::from(ages.mean_volume_um3(&body));
        assert_mean(mean, expected, variance.sqrt(), n);
    }
}
