//! Hits and their repair against the chain that they are, and who comes and goes against their rates.

use tumorscape::biology::immunity::{Target, TargetParameters};
use tumorscape::core::{CellId, Purpose, RandomKey};
use tumorscape::measure::Wanted;

use super::{metric, simulation};

const DICE: Purpose = Purpose::of("test.hits");

/// Mean time to so many hits at once, min: of the chain, hits at the rate `gain` and each repaired at the rate `repair`, per minute.
fn first_passage(hits: u32, gain: f64, repair: f64) -> f64 {
    let mut step = 0.0;
    let mut sum = 0.0;
    for borne in 0..hits {
        step = 1.0 / gain + f64::from(borne) * repair / gain * step;
        sum += step;
    }
    sum
}

fn target(resistance: f32) -> Target {
    let shown = TargetParameters::default();
    Target {
        damage: 0,
        recognition: shown.recognition,
        stress: shown.stress,
        mhc_1: shown.mhc_1,
        pd_l1: shown.pd_l1_per_um2,
        resistance,
        hours_here: 0.0,
    }
}

#[test]
fn hits_kill_after_the_mean_first_passage_at_any_step() {
    for (resistance, gain, hits) in [
        (3.0, 1.0 / 30.0, 3),
        (3.0, 0.1, 3),
        (1.0, 0.05, 1),
        (4.5, 0.1, 5),
    ] {
        let expected = first_passage(hits, gain, 1.0 / 50.0);
        for minutes in [1.0_f32, 10.0, 60.0] {
            // Where most die in their first step its length is all that is seen.
            if expected < 2.0 * f64::from(minutes) {
                continue;
            }
            let cells = 6000;
            let (mut sum, mut squares) = (0.0, 0.0);
            for cell in 0..cells {
                let mut target = target(resistance);
                let (mut step, mut struck) = (0, 0);
                loop {
                    let mut random = RandomKey(4).stream(CellId(cell), step, DICE);
                    // The moment within the last step is not told: half a step is taken off on average, below.
                    if target.suffer(minutes, gain as f32, 50.0, &mut random, |_| struck += 1) {
                        break;
                    }
                    step += 1;
                }
                assert!(struck >= hits, "{struck} hits");
                let time = f64::from(minutes) * (step as f64 + 1.0);
                sum += time;
                squares += time * time;
            }
            let n = cells as f64;
            let mean = sum / n;
            let error = ((squares / n - mean * mean) / n).sqrt();
            // A time that is rounded up to whole steps is too long by half of one where steps are short against it.
            let found = mean - 0.5 * f64::from(minutes);
            let rounding = if minutes > 30.0 {
                0.1 * f64::from(minutes)
            } else {
                0.0
            };
            assert!(
                (found - expected).abs() < 4.0 * error + rounding,
                "{resistance} hits at {gain}, steps of {minutes} min: {found:.1} min, {expected:.1} expected"
            );
        }
    }
}

#[test]
fn what_nobody_strikes_is_repaired_in_50_minutes() {
    let (mut left, cells) = (0, 4000);
    for cell in 0..cells {
        let mut target = Target {
            damage: 2,
            ..target(3.0)
        };
        for step in 0..6 {
            let mut random = RandomKey(5).stream(CellId(cell), step, DICE);
            assert!(!target.suffer(10.0, 0.0, 50.0, &mut random, |_| ()));
        }
        left += u64::from(target.damage);
    }
    let (n, p) = (2.0 * cells as f64, (-60.0_f64 / 50.0).exp());
    let error = (n * p * (1.0 - p)).sqrt();
    assert!((left as f64 - n * p).abs() < 4.0 * error, "{left} of {n}");
}

/// A site that lets T cells in, and none that leave.
fn gate(scale: f32, leaving: f32, step: f64) -> String {
    format!(
        r#"(
    title: "gate", about: "comings and goings", pace: Calibrated, duration: Days(5), step: Minutes({step:?}),
    sites: [(name: "tissue", organ: Breast, size_um: (200, 300, 400), fields: [], tissue: (immigration: (scale: {scale:?})))],
    cell_types: [(
        name: "t_cell", about: "comes and goes", colour: (0, 0, 1),
        body: (volume_um3: 268, nucleus_um3: 134),
        mechanics: (adhesion_um_per_min: 0, repulsion_um_per_min: 0),
        cytotoxic: (), immigrant: (per_mm3_per_day: 10000, leaving_per_hour: {leaving:?}, door_um: 1000),
    )],
    populations: [(cell: "t_cell", place: Scatter(per_mm3: 2000))],
)"#
    )
}

#[test]
fn cells_come_through_the_faces_at_their_rate_at_any_step() {
    for step in [1.0, 30.0] {
        let mut simulation = simulation(&gate(2.0, 0.0, step), 8);
        simulation.verify();
        let begun = simulation.cell_count() as f64;
        let half = [100.0, 150.0, 200.0];
        while simulation.hours() < 24.0 - 1e-6 {
            simulation.step();
            assert_eq!(simulation.violation(), None);
            for event in simulation.events() {
                if event.kind.name() == "immunity.comes" {
                    let away = event.position_um.abs().to_array();
                    let gaps = [0, 1, 2].map(|axis| half[axis] - away[axis]);
                    let nearest = gaps.into_iter().fold(f32::INFINITY, f32::min);
                    assert!((0.0..6.0).contains(&nearest), "{gaps:?}");
                }
            }
        }
        // 20 000 a day in a mm3, of which there are 0.024.
        let (came, expected) = (metric(&simulation, 0, "killers_came"), 480.0_f64);
        assert!((came - expected).abs() < 4.0 * expected.sqrt(), "{came}");
        assert_eq!(simulation.cell_count() as f64, begun + came);
    }
}

#[test]
fn a_site_that_lets_nobody_in_gets_nobody_and_those_near_a_door_leave_at_their_rate() {
    let mut simulation = simulation(&gate(0.0, 0.1, 10.0), 8);
    let begun = simulation.cell_count() as f64;
    while simulation.hours() < 12.0 - 1e-6 {
        simulation.step();
    }
    assert_eq!(metric(&simulation, 0, "killers_came"), 0.0);
    let p = (-0.1_f64 * 12.0).exp();
    let (left, error) = (
        simulation.cell_count() as f64,
        (begun * p * (1.0 - p)).sqrt(),
    );
    assert!((left - begun * p).abs() < 4.0 * error, "{left} of {begun}");
    assert_eq!(begun - left, metric(&simulation, 0, "killers_left"));
    let wanted = Wanted {
        quantities: vec!["killer.contacts".into()],
        categories: Vec::new(),
    };
    let contacts = &simulation.census(&wanted).quantities[0].1;
    assert!(contacts.iter().all(|count| *count == 0.0));
}
