//! Memory against what was measured on fibroblasts, and against the balance of its equation.

use super::*;
use crate::cell::Surroundings;
use crate::cell::testing::*;
use crate::core::input::Inputs;

/// A fibroblast on its own, in steps of that many minutes.
struct Dish {
    fibroblast: Fibroblast,
    parameters: FibroblastParameters,
    step_minutes: f32,
}

impl Dish {
    fn new(step_minutes: f32) -> Self {
        Self {
            fibroblast: Fibroblast::default(),
            parameters: FibroblastParameters::default(),
            step_minutes,
        }
    }

    /// Keeps it under these signals, and returns the hours for which it was a CAF.
    fn keep(&mut self, tgf_beta_ng_per_ml: f32, il_1_nm: f32, hours: f32) -> [f32; 2] {
        let mut active = [0.0; 2];
        for _ in 0..(hours * 60.0 / self.step_minutes).round() as usize {
            let met = Met {
                signal_ng_per_ml: tgf_beta_ng_per_ml,
                inflammation_nm: il_1_nm,
                memory_gain: self.parameters.memory_gain,
            };
            let step_hours = self.step_minutes / 60.0;
            self.fibroblast.advance(&self.parameters, met, step_hours);
            match self.fibroblast.state() {
                FibroblastState::Quiescent => {}
                FibroblastState::Myofibroblastic => active[0] += step_hours,
                FibroblastState::Inflammatory => active[1] += step_hours,
            }
        }
        active
    }
}

#[test]
fn pulses_of_tgf_beta_are_remembered_for_as_long_as_measured() {
    for step_minutes in [0.5, 1.0, 10.0] {
        let once = |dose: f32| {
            let mut dish = Dish::new(step_minutes);
            let pulse = dish.keep(dose, 0.0, 0.5)[0];
            (pulse + dish.keep(0.0, 0.0, 720.0)[0]) / 24.0
        };
        // Seven days after one pulse; 3.5 at the dose of half effect.
        for (dose, days) in [(5.0, 7.0), (10.0, 7.0), (1.0, 3.5)] {
            let found = once(dose);
            assert!((found - days).abs() < 0.5, "{dose} ng/mL: {found} d");
        }
        // Fourteen after two, a day apart, counted from the first.
        let mut dish = Dish::new(step_minutes);
        let mut active = dish.keep(5.0, 0.0, 0.5)[0];
        active += dish.keep(0.0, 0.0, 23.5)[0];
        active += dish.keep(5.0, 0.0, 0.5)[0];
        active += dish.keep(0.0, 0.0, 720.0)[0];
        assert!((active / 24.0 - 14.0).abs() < 0.5, "{} d", active / 24.0);
    }
}

#[test]
fn too_little_tgf_beta_never_wakes_a_fibroblast() {
    for step_minutes in [0.5, 1.0, 10.0] {
        assert_eq!(Dish::new(step_minutes).keep(0.05, 0.0, 120.0), [0.0; 2]);
        // The threshold: 336 x^4 / (1 + x^4) = 1.
        let threshold = (1.0_f64 / 335.0).powf(0.25) as f32;
        assert_eq!(
            Dish::new(step_minutes).keep(0.99 * threshold, 0.0, 120.0),
            [0.0; 2]
        );
        let above = Dish::new(step_minutes).keep(1.01 * threshold, 0.0, 120.0)[0];
        assert!(above > 119.0, "{above} h");
    }
}

#[test]
fn inflammatory_cafs_come_where_tgf_beta_does_not_and_go_when_the_signal_does() {
    let mut dish = Dish::new(10.0);
    // I = h (1 - exp(-t / 24 h)) with h = 0.9 crosses one half after 24 ln(0.9 / 0.4) = 19.5 h.
    let [myofibroblastic, inflammatory] = dish.keep(0.0, 0.03, 96.0);
    assert_eq!(myofibroblastic, 0.0);
    assert!(
        (inflammatory - (96.0 - 19.46)).abs() < 0.5,
        "{inflammatory} h"
    );
    // TGF-beta prevails while it is there and remembered.
    let [myofibroblastic, inflammatory] = dish.keep(2.0, 0.03, 10.0);
    assert!(inflammatory == 0.0 && myofibroblastic > 9.5);
    let mut dish = Dish::new(10.0);
    dish.keep(0.0, 0.03, 96.0);
    // Without a signal it falls from 0.88 to one half in 24 ln(0.88 / 0.5) = 13.6 h.
    let inflammatory = dish.keep(0.0, 0.0, 96.0)[1];
    assert!((inflammatory - 13.6).abs() < 0.5, "{inflammatory} h");
    assert_eq!(dish.fibroblast.state(), FibroblastState::Quiescent);
}

#[test]
fn a_fibroblast_in_a_tissue_reads_its_inputs() {
    let mut app = bench(1.0);
    app.add_plugins(FibroblastPlugin);
    set(
        &mut app,
        FibroblastParameters {
            signal_ng_per_ml: 1.0,
            inflammation_nm: 0.03,
            ..FibroblastParameters::default()
        },
    );
    let bundle = (
        cell(0, Surroundings::default()),
        Position::default(),
        Fibroblast {
            memory_hours: 2.0,
            ..Fibroblast::default()
        },
    );
    let cell = app.world_mut().spawn(bundle).id();
    for _ in 0..60 {
        step(&mut app);
    }
    let fibroblast = app.world().get::<Fibroblast>(cell).expect("it has one");
    // An hour at half of the gain of 336, less the hour itself.
    let expected = 2.0 + 168.0 - 1.0;
    assert!((fibroblast.memory_hours - expected).abs() < 1e-2);
    // As much of 0.03^2 / (0.03^2 + 0.01^2) as comes in an hour of 24.
    let expected = 0.9 * (1.0 - bevy::math::ops::exp(-1.0 / 24.0));
    assert!((fibroblast.inflammation - expected).abs() < 1e-4);
    let gain = app.world().resource::<Inputs>().of_cells(MEMORY_GAIN);
    let base = gain.expect("it is registered").base(app.world(), 0);
    assert_eq!(base, Some(336.0));
}

#[test]
fn a_change_is_told_when_it_has_lasted_and_flicker_is_not() {
    let mut fibroblast = Fibroblast::default();
    // Awake for six minutes of every twelve.
    for turn in 0..100 {
        fibroblast.memory_hours = if turn % 2 == 0 { 0.1 } else { 0.0 };
        assert_eq!(fibroblast.tell(0.1), None);
    }
    fibroblast.memory_hours = 5.0;
    let told: Vec<_> = (0..8).map(|_| fibroblast.tell(0.25)).collect();
    let mut expected = vec![None; 8];
    expected[3] = Some(FibroblastState::Myofibroblastic);
    assert_eq!(told, expected, "once, after an hour");
    // A short rest is told as little as a short waking.
    fibroblast.memory_hours = 0.0;
    assert_eq!(fibroblast.tell(0.9), None);
    fibroblast.memory_hours = 5.0;
    assert_eq!(fibroblast.tell(0.9), None);
    fibroblast.memory_hours = 0.0;
    assert_eq!(fibroblast.tell(0.9), None);
    assert_eq!(fibroblast.tell(0.9), Some(FibroblastState::Quiescent));
}
