//! The law of fibronectin against its closed form.

use super::ripening::laid;

#[test]
fn fibronectin_follows_its_equation_whatever_the_step() {
    // dF/dt = d (1 - F) - F / tau from 0 is d tau / (1 + d tau) (1 - exp(-(d + 1/tau) t)).
    let (drive, days) = (0.2_f64, 10.0_f64);
    let rate = drive + 1.0 / days;
    for steps in [1, 7, 480] {
        let mut now = 0.0;
        for _ in 0..steps {
            now = laid(now, drive as f32, days as f32, 10.0 / steps as f32);
        }
        let expected = drive / rate * (1.0 - (-rate * 10.0).exp());
        assert!((f64::from(now) - expected).abs() < 1e-4, "{now} {expected}");
    }
}
