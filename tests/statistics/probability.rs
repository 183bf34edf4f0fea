//! Tails of the distributions of test statistics.

/// Probability of a chi-square of at least that value with so many degrees of freedom: the regularised incomplete
/// gamma function `Q(n/2, x/2)`, by its series or its continued fraction (Abramowitz & Stegun 6.5.29, 6.5.31).
pub fn chi_square_tail(chi_square: f64, freedom: usize) -> f64 {
    let (a, x) = (0.5 * freedom as f64, 0.5 * chi_square);
    if x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - log_gamma_of_halves(freedom)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..500 {
            term *= x / (a + f64::from(n));
            sum += term;
        }
        return 1.0 - front * sum;
    }
    // From its end: x + (1-a)/(1 + 1/(x + (2-a)/(1 + 2/(x + ...)))).
    let mut fraction = x;
    for n in (1..500).rev() {
        let n = f64::from(n);
        fraction = x + (n - a) / (1.0 + n / fraction);
    }
    front / fraction
}

/// `ln Gamma(n/2)`, from `Gamma(1/2) = sqrt pi`, `Gamma(1) = 1` and `Gamma(a + 1) = a Gamma(a)`.
fn log_gamma_of_halves(n: usize) -> f64 {
    let (mut a, mut log) = if n % 2 == 1 {
        (0.5, 0.5 * std::f64::consts::PI.ln())
    } else {
        (1.0, 0.0)
    };
    while a < 0.5 * n as f64 {
        log += a.ln();
        a += 1.0;
    }
    log
}

/// Probability that a sample of that distribution lies at least as far from it (Kolmogorov-Smirnov, with the
/// correction of Stephens 1970 for finite samples).
pub fn kolmogorov_smirnov(sample: &[f64], distribution: impl Fn(f64) -> f64) -> f64 {
    let mut sample = sample.to_vec();
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let farthest = sample
        .iter()
        .enumerate()
        .map(|(i, x)| {
            let expected = distribution(*x);
            (expected - i as f64 / n).max((i + 1) as f64 / n - expected)
        })
        .fold(0.0, f64::max);
    kolmogorov_tail((n.sqrt() + 0.12 + 0.11 / n.sqrt()) * farthest)
}

/// The tail of Kolmogorov's distribution.
fn kolmogorov_tail(x: f64) -> f64 {
    let terms = (1..100).map(|k| {
        let k = f64::from(k);
        let sign = if k % 2.0 == 1.0 { 2.0 } else { -2.0 };
        sign * (-2.0 * (k * x).powi(2)).exp()
    });
    terms.sum()
}

/// Probability that Student's `t` with an even number of degrees of freedom is at least that far from 0 (Abramowitz &
/// Stegun 26.7.4).
pub fn student_tail(t: f64, freedom: usize) -> f64 {
    assert!(freedom.is_multiple_of(2));
    let angle = (t.abs() / (freedom as f64).sqrt()).atan();
    let (mut term, mut sum) = (1.0, 1.0);
    for n in (2..freedom).step_by(2) {
        term *= angle.cos().powi(2) * (n as f64 - 1.0) / n as f64;
        sum += term;
    }
    1.0 - angle.sin() * sum
}

/// The `t` of which that is the [`student_tail`].
pub fn student_quantile(tail: f64, freedom: usize) -> f64 {
    let (mut low, mut high) = (0.0, 100.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if student_tail(middle, freedom) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[test]
fn the_quantiles_are_those_of_the_tables() {
    // 5 % and 0.1 % points of chi-square.
    for (freedom, five, tenth) in [
        (1, 3.841, 10.828),
        (2, 5.991, 13.816),
        (3, 7.815, 16.266),
        (9, 16.919, 27.877),
        (30, 43.773, 59.703),
    ] {
        assert!((chi_square_tail(five, freedom) - 0.05).abs() < 2e-5);
        assert!((chi_square_tail(tenth, freedom) - 0.001).abs() < 1e-6);
    }
    assert!((chi_square_tail(1.0, 9) - 0.999_44).abs() < 1e-5);
    // 5 % and 1 % points of Kolmogorov's distribution.
    assert!((kolmogorov_tail(1.358) - 0.05).abs() < 1e-4);
    assert!((kolmogorov_tail(1.628) - 0.01).abs() < 1e-4);
    // Student's two-sided 5 % and 1 % points.
    for (freedom, five, one) in [(2, 4.303, 9.925), (10, 2.228, 3.169), (14, 2.145, 2.977)] {
        assert!((student_tail(five, freedom) - 0.05).abs() < 5e-5);
        assert!((student_quantile(0.01, freedom) - one).abs() < 1e-3);
    }
}
