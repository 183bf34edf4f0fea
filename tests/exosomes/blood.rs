//! Vesicles in the blood: what organs take up is what comes in, whatever the half-life.

use super::{assert_within, metric, run_to, simulation};
use tumorscape::biology::exosome::BloodVesicles;

/// A lung, a liver and a brain in an animal with a tumour of that many cells which does not grow.
fn animal(half_life_min: f64, integrins: &str, step: u32) -> String {
    format!(
        r#"(
    title: "animal", about: "vesicles in its blood", pace: Illustrative, duration: Days(1), step: Minutes({step}),
    sites: [
        (name: "lung", organ: Lung, size_um: (200, 200, 200), fields: [], tissue: (exosomes: ())),
        (name: "liver", organ: Liver, size_um: (200, 200, 200), fields: [], tissue: (exosomes: ())),
        (name: "brain", organ: Brain, size_um: (200, 200, 200), fields: [], tissue: (exosomes: ())),
    ],
    parameters: {{
        "exosomes.half_life_min": {half_life_min:?}, "exosome_source.cells": 1e8, "exosome_source.doubling_days": 1e4, {integrins}
    }},
)"#
    )
}

/// Vesicles that all organs take up in a minute, over those that come into the blood in it.
fn balance(half_life_min: f64, hours: f64) -> f64 {
    let mut simulation = simulation(&animal(half_life_min, "", 1), 1);
    simulation.verify();
    run_to(&mut simulation, hours);
    assert_eq!(simulation.violation(), None);
    let taken = |simulation: &tumorscape::simulation::Simulation| {
        let blood: &BloodVesicles = simulation.world().resource();
        [blood.taken_up(), blood.from_source]
    };
    let before = taken(&simulation);
    simulation.step();
    let after = taken(&simulation);
    (after[0] - before[0]) / (after[1] - before[1])
}

#[test]
fn what_organs_take_up_is_what_is_set_free_at_either_half_life() {
    // After an hour at 2 min; at 30 min it is 1 - 2^-2 then, and as good after seven half-lives.
    assert_within("2 min, after 1 h", balance(2.0, 1.0), 1.0, 0.01);
    assert_within("30 min, after 1 h", balance(30.0, 1.0), 0.75, 0.02);
    assert_within("30 min, after 3.5 h", balance(30.0, 3.5), 1.0, 0.01);
}

#[test]
fn the_blood_holds_what_its_half_life_lets_it_whatever_the_step() {
    // 62 an hour of 1e8 cells, a tenth of which reaches the blood: s t/ln 2 of them are in it in the end, and s t/ln 2 (1 - 2^(-h/t)) after h.
    let per_min = 62.0 / 60.0 * 1.0e8 * 0.1;
    for (half_life, hours) in [(2.0, 2.0), (30.0, 8.0), (30.0, 0.5)] {
        for step in [1, 5, 10] {
            let mut simulation = simulation(&animal(half_life, "", step), 1);
            run_to(&mut simulation, hours);
            let so_far = 1.0 - 0.5_f64.powf(60.0 * hours / half_life);
            let expected = per_min * half_life / std::f64::consts::LN_2 * so_far;
            let found = metric(&simulation, 0, "exosomes_in_blood");
            assert_within(
                &format!("{half_life} min, steps of {step}"),
                found,
                expected,
                1e-4,
            );
        }
    }
}

#[test]
fn of_a_dose_the_blood_holds_what_its_half_life_leaves_whatever_the_step() {
    for step in [1, 5, 10] {
        let dose = r#""exosome_source.dose_vesicles": 1e10, "exosome_source.cells": 0"#;
        let text = animal(30.0, dose, step).replace(r#""exosome_source.cells": 1e8, "#, "");
        let mut simulation = simulation(&text, 1);
        run_to(&mut simulation, 1.0);
        let found = metric(&simulation, 0, "exosomes_in_blood");
        assert_within(&format!("steps of {step}"), found, 0.25e10, 1e-5);
        let blood: &BloodVesicles = simulation.world().resource();
        assert_within("taken up", blood.taken_up(), 0.75e10, 1e-5);
    }
}

#[test]
fn integrins_send_vesicles_to_their_organ() {
    for (integrin, site, share) in [
        ("a6b4", 0, 0.6),
        ("avb5", 1, 3.25 / 3.6),
        ("b3", 2, 0.305 / 1.3),
    ] {
        let integrins = format!("\"exosome_source.integrins.{integrin}\": 1");
        let mut simulation = simulation(&animal(2.0, &integrins, 1), 1);
        run_to(&mut simulation, 4.0);
        let blood: &BloodVesicles = simulation.world().resource();
        let all = blood.taken_up();
        assert_within(
            integrin,
            metric(&simulation, site, "exosomes_organ_uptake") / all,
            share,
            1e-3,
        );
    }
    // Without integrins the liver has most, and hardly any of it educates.
    let mut simulation = simulation(&animal(2.0, "", 1), 1);
    run_to(&mut simulation, 4.0);
    let blood: &BloodVesicles = simulation.world().resource();
    let all = blood.taken_up();
    assert_within(
        "liver",
        metric(&simulation, 1, "exosomes_organ_uptake") / all,
        0.65,
        1e-3,
    );
    let educating = metric(&simulation, 1, "exosomes_organ_educating") / all;
    assert_within("of it", educating, 0.65 * 0.05, 1e-3);
}
