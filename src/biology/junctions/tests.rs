//! Rates of letting go against their law.

use super::*;

#[test]
fn an_end_lets_go_sooner_under_load_and_with_less_grip() {
    let p = JunctionParameters::default();
    let rate = |grip, load| p.leaving_per_hour(grip, load);
    assert!((rate(1.0, 0.0) - 0.005).abs() < 1e-7);
    // Pressed together it is as without load.
    assert_eq!(rate(1.0, -1.0), rate(1.0, 0.0));
    // Half the grip: four times as often, and the same load counts double.
    let expected = 0.005 * 4.0 * bevy::math::ops::exp(2.0 * 0.5);
    assert!((rate(0.5, 0.5) / expected - 1.0).abs() < 1e-5);
    assert_eq!(rate(0.09, 0.0), f32::INFINITY);
    assert_eq!(rate(0.0, 0.0), f32::INFINITY);
    // However strong the pull, a rate and no infinity, as chances are worked out from it.
    assert!(rate(0.2, 1.0e6).is_finite());
}
