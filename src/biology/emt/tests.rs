//! The circuit against the nine equations of which it keeps four, integrated here on their own.

use super::*;
use crate::cell::testing::*;
use crate::cell::{State, Surroundings};

/// The nine equations of Tian, Zhang and Xing 2013, in double precision: `T, s, S, R3, z, Z, R2, E, N`.
#[derive(Clone)]
struct Nine {
    x: [f64; 9],
    autocrine_gain: f64,
}

impl Nine {
    /// An epithelial cell at rest.
    fn epithelial(autocrine_gain: f64) -> Self {
        let mut cell = Self {
            x: [0.1, 0.01, 0.0, 0.37, 0.03, 0.0, 0.34, 3.2, 0.0],
            autocrine_gain,
        };
        cell.run(0.0, 3000.0);
        cell
    }

    fn slopes(&self, x: &[f64; 9], drive: f64) -> [f64; 9] {
        let [t, s, snail, r3, z, zeb, r2, e, n] = *x;
        let sq = |x: f64, k: f64| (x / k).powi(2);
        let on = |x: f64, k: f64| sq(x, k) / (1.0 + sq(x, k));
        [
            0.06 + self.autocrine_gain / (1.0 + sq(r2, 0.06)) - 0.6 * t,
            0.0006 + 0.03 * on(t + drive, 1.6) - 0.09 * s,
            17.0 * s / (1.0 + sq(r3, 0.08)) - 1.66 * snail,
            0.0012 + 0.012 / (1.0 + sq(snail, 0.15) + sq(zeb, 0.36)) - 0.035 * r3,
            0.003 + 0.06 * on(snail, 3.5) - 0.09 * z,
            17.0 * z / (1.0 + sq(r2, 0.06)) - 1.66 * zeb,
            0.0002 + 0.012 / (1.0 + sq(snail, 5.0) + sq(zeb, 0.2)) - 0.035 * r2,
            1.0 / (1.0 + sq(snail, 0.2)) + 0.6 / (1.0 + sq(zeb, 0.5)) - 0.5 * e,
            on(snail, 0.2) + 0.6 * on(zeb, 0.5) - 0.5 * n,
        ]
    }

    /// Runge and Kutta's fourth-order steps of 0.1 h.
    fn run(&mut self, drive: f64, hours: f64) {
        let h = 0.1;
        let moved =
            |x: &[f64; 9], k: &[f64; 9], by: f64| std::array::from_fn(|at| x[at] + by * k[at]);
        for _ in 0..(hours / h).round() as usize {
            let x = self.x;
            let a = self.slopes(&x, drive);
            let b = self.slopes(&moved(&x, &a, h / 2.0), drive);
            let c = self.slopes(&moved(&x, &b, h / 2.0), drive);
            let d = self.slopes(&moved(&x, &c, h), drive);
            self.x = std::array::from_fn(|at| {
                x[at] + h / 6.0 * (a[at] + 2.0 * b[at] + 2.0 * c[at] + d[at])
            });
        }
    }

    fn e_cadherin(&self) -> f64 {
        self.x[7] / 3.2
    }
}

/// A cell of the simulation, run through the systems of the step.
struct Tissue {
    app: App,
    cell: Entity,
}

impl Tissue {
    fn epithelial(step_minutes: f64, autocrine_gain: f32) -> Self {
        let parameters = EmtParameters {
            autocrine_gain,
            ..EmtParameters::default()
        };
        let constants = EmtCircuitParameters::default();
        let mut app = bench(step_minutes);
        app.add_plugins(EmtPlugin);
        set(&mut app, parameters);
        let bundle = (
            cell(0, Surroundings::default()),
            Position::default(),
            EmtCircuit::epithelial(&constants, autocrine_gain),
            EmtState::Epithelial,
        );
        let cell = app.world_mut().spawn(bundle).id();
        Self { app, cell }
    }

    fn run(&mut self, drive_ng_per_ml: f32, hours: f64) {
        let world = self.app.world_mut();
        world.resource_mut::<PerType<EmtParameters>>().0[0]
            .as_mut()
            .expect("the cell type can switch")
            .drive_ng_per_ml = drive_ng_per_ml;
        let steps = hours * 60.0 / self.app.world().resource::<Clock>().step_minutes;
        for _ in 0..steps.round() as usize {
            step(&mut self.app);
        }
    }

    fn circuit(&self) -> EmtCircuit {
        let circuit = self.app.world().get::<EmtCircuit>(self.cell);
        *circuit.expect("the cell has it")
    }

    fn e_cadherin(&self) -> f64 {
        f64::from(self.circuit().e_cadherin(&EmtCircuitParameters::default()))
    }

    fn state(&self) -> EmtState {
        let state = self.app.world().get::<EmtState>(self.cell);
        *state.expect("the cell has it")
    }
}

/// The drive at which a test of a held drive changes its answer, by bisection.
fn threshold(low: f64, high: f64, passed: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low, high);
    let rising = passed(high);
    for _ in 0..9 {
        let middle = 0.5 * (low + high);
        if passed(middle) == rising {
            high = middle;
        } else {
            low = middle;
        }
    }
    0.5 * (low + high)
}

/// Long enough for a cell to settle even near a threshold, h.
const LONG_HOURS: f64 = 2400.0;

/// E-cadherin of a cell from the simulation that was settled at each of these drives in turn.
fn settled(drives: &[f64]) -> f64 {
    let constants = EmtCircuitParameters::default();
    let mut circuit = EmtCircuit::epithelial(&constants, 1.2);
    for drive in drives {
        for _ in 0..(LONG_HOURS / 0.2) as usize {
            circuit.advance(&constants, 1.2, *drive as f32, 0.2);
        }
    }
    f64::from(circuit.e_cadherin(&constants))
}

/// The same by the nine equations.
fn settled_by_nine(drives: &[f64]) -> f64 {
    let mut cell = Nine::epithelial(1.2);
    for drive in drives {
        cell.run(*drive, LONG_HOURS);
    }
    cell.e_cadherin()
}

#[test]
fn three_states_meet_at_the_thresholds_of_the_nine_equations() {
    let tolerance = 0.03;
    for e_after in [settled as fn(&[f64]) -> f64, settled_by_nine] {
        let up = threshold(0.6, 1.4, |drive| e_after(&[drive]) < 0.625);
        assert!((up / 1.02 - 1.0).abs() < tolerance, "to hybrid at {up}");
        let over = threshold(1.6, 2.4, |drive| e_after(&[drive]) < 0.093_75);
        assert!(
            (over / 2.02 - 1.0).abs() < tolerance,
            "to mesenchymal at {over}"
        );
        let back = threshold(0.3, 1.0, |drive| e_after(&[1.5, drive]) < 0.625);
        assert!(
            (back / 0.64 - 1.0).abs() < tolerance,
            "back to epithelial at {back}"
        );
        // Once mesenchymal, a cell with that gain stays so.
        assert!(e_after(&[3.0, 0.0]) < 0.093_75);
    }
}

/// Days after which a cell at that drive is hybrid, and mesenchymal; `e_after_hours` goes on and says its E-cadherin.
fn days_to_switch(mut e_after_hours: impl FnMut(f64) -> f64) -> [f64; 2] {
    let parameters = EmtParameters::default();
    let mut days = [0.0; 2];
    for hour in 1..=480 {
        let state = EmtState::of(e_after_hours(1.0) as f32, &parameters);
        for (day, reached) in days
            .iter_mut()
            .zip([EmtState::Hybrid, EmtState::Mesenchymal])
        {
            if *day == 0.0 && state as u8 >= reached as u8 {
                *day = f64::from(hour) / 24.0;
            }
        }
    }
    days
}

#[test]
fn cells_at_a_strong_drive_switch_when_the_nine_equations_do() {
    let mut nine = Nine::epithelial(1.2);
    let expected = days_to_switch(|hours| {
        nine.run(3.0, hours);
        nine.e_cadherin()
    });
    for step_minutes in [1.0, 10.0] {
        let mut tissue = Tissue::epithelial(step_minutes, 1.2);
        let found = days_to_switch(|hours| {
            tissue.run(3.0, hours);
            tissue.e_cadherin()
        });
        for ((found, expected), days) in found.iter().zip(expected).zip([2.0..=4.0, 9.0..=14.0]) {
            // In the course of the second to fourth day, and of the ninth to fourteenth.
            assert!(days.contains(&found.ceil()), "after {found} d");
            // What is at balance here takes up to two hours there, four in all, and is passed slowly once.
            assert!((found - expected).abs() < 0.5, "{found}, not {expected} d");
        }
    }
}

#[test]
fn a_weak_autocrine_loop_lets_mesenchymal_cells_go_back() {
    let days_back = |gain: f32| {
        let mut tissue = Tissue::epithelial(10.0, gain);
        tissue.run(5.0, 480.0);
        assert_eq!(tissue.state(), EmtState::Mesenchymal, "gain {gain}");
        for half_days in 1..=60 {
            tissue.run(0.0, 12.0);
            if tissue.state() == EmtState::Epithelial {
                return Some(0.5 * f64::from(half_days));
            }
        }
        None
    };
    // As computed from the nine equations for the gains of BIOLOGY.
    for (gain, days) in [(0.7, 9.0), (0.4, 3.8), (0.2, 2.5)] {
        let found = days_back(gain).expect("goes back");
        assert!((found - days).abs() <= 1.0, "gain {gain}: {found} d");
    }
    for gain in [0.9, 1.2] {
        assert_eq!(days_back(gain), None, "gain {gain}");
    }
}

#[test]
fn dead_cells_do_not_switch() {
    let mut tissue = Tissue::epithelial(10.0, 1.2);
    let dead = Vital {
        state: State::Apoptotic,
        ..Vital::default()
    };
    let before = tissue.circuit();
    tissue.app.world_mut().entity_mut(tissue.cell).insert(dead);
    tissue.run(5.0, 48.0);
    assert_eq!(tissue.circuit(), before);
}

#[test]
fn fgf_2_hypoxia_and_stiffness_raise_the_drive_by_themselves() {
    use crate::biology::testing::shipped_input;
    let drive = |quantities: &[(&str, f32)]| shipped_input(DRIVE, quantities);
    let is = |found: f32, expected: f32| assert!((found - expected).abs() < 1e-5, "{found}");
    is(drive(&[]), 0.0);
    // 1 ng/mL is 0.04 nM.
    is(drive(&[("tgf_beta", 0.04)]), 1.0);
    is(drive(&[("fgf_2", 0.2)]), 0.15);
    is(drive(&[("hif.level", 1.0)]), 0.5);
    is(drive(&[("matrix.stiffness", 2.0)]), 0.15);
    is(
        drive(&[("tgf_beta", 0.04), ("fgf_2", 0.2), ("hif.level", 0.5)]),
        1.4,
    );
}
