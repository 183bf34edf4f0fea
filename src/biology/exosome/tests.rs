//! Unit tests of what vesicles do to a cell.

use super::uptake::Uptake;

#[test]
fn what_a_cell_took_up_acts_for_a_while() {
    let mut uptake = Uptake {
        held: 1000.0,
        dose: 3.0,
        ..Uptake::default()
    };
    for _ in 0..1440 {
        uptake.fade(1.0 / 60.0, 24.0);
    }
    assert!((uptake.held / (1000.0 * bevy::math::ops::exp(-1.0)) - 1.0).abs() < 1e-3);
    assert_eq!(uptake.dose, 0.0);
}
