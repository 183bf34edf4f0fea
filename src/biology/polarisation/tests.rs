use super::*;
use crate::biology::testing::shipped_input_of;

/// What the rules of the shipped macrophage make of tissue: TGF-beta, nM, IL-10, pM, HIF-1a, IFN-gamma, pM, IL-12, pM.
fn drives([tgf_beta, il_10, hif, ifn_gamma, il_12]: [f32; 5]) -> Drives {
    let quantities = [
        ("tgf_beta", tgf_beta),
        ("il_10", il_10),
        ("hif.level", hif),
        ("ifn_gamma", ifn_gamma),
        ("il_12", il_12),
    ];
    let of = |name| shipped_input_of("macrophage", name, &quantities);
    Drives {
        to_m2: of(TO_M2),
        to_m1: of(TO_M1),
    }
}

#[test]
fn tissues_polarise_macrophages_as_far_as_they_were_calibrated_to() {
    let parameters = PolarisationParameters::default();
    for (tissue, levels, expected) in [
        ("normal tissue", [0.004, 0.3, 0.08, 0.1, 0.01], 0.47),
        ("hypoxic core", [0.06, 15.0, 0.9, 0.5, 0.02], 0.82),
        ("nest of T cells", [0.02, 4.0, 0.1, 10.0, 0.3], 0.30),
    ] {
        let (end, _) = parameters.end(drives(levels));
        assert!(
            (end / expected - 1.0).abs() < 0.1,
            "{tissue}: {end}, not {expected}"
        );
    }
}

#[test]
fn half_of_each_signal_leads_to_the_middle_within_two_days_at_any_step() {
    let drives = drives([0.07, 8.0, 0.0, 2.9, 0.14]);
    let parameters = PolarisationParameters::default();
    let (end, rate) = parameters.end(drives);
    assert!((end - 0.482).abs() < 0.002, "{end}");
    assert!((1.0 / rate - 1.82).abs() < 0.01, "{}", 1.0 / rate);
    // The differential equation, by Runge's and Kutta's method of order four in double precision, for four days.
    let slope = |m: f64| {
        0.25 * f64::from(drives.to_m2) * (1.0 - m) - 0.25 * f64::from(drives.to_m1) * m
            + 0.05 * (0.3 - m)
    };
    let (mut m, h) = (0.9_f64, 0.01);
    for _ in 0..400 {
        let a = slope(m);
        let b = slope(m + 0.5 * h * a);
        let c = slope(m + 0.5 * h * b);
        let d = slope(m + h * c);
        m += h / 6.0 * (a + 2.0 * b + 2.0 * c + d);
    }
    for steps in [1, 96, 5760] {
        let mut state = Polarisation { m: 0.9 };
        for _ in 0..steps {
            state.advance(&parameters, drives, 4.0 / steps as f32);
        }
        assert!(
            (f64::from(state.m) - m).abs() < 2e-4,
            "{steps}: {}, {m}",
            state.m
        );
    }
}
