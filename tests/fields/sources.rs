//! Sources whose field is known: a point, a plane, a blot that spreads, a manufactured solution (targets 1
//! and 2).

use super::*;

/// Relative error of a point source at each voxel, with its distance in um.
fn point_source_errors(n: usize, h: f32) -> Vec<(f32, f32)> {
    let (d, reach, amount) = (1.0e4_f32, 60.0_f32, 5.0e6_f32);
    let grid = Grid::cubic([n; 3], h);
    let centre = UVec3::splat(n as u32 / 2);
    let mut source = vec![0.0; grid.len()];
    source[grid.index(centre)] = amount / grid.voxel_volume_um3();
    let terms = LocalTerms {
        decay_per_min: d / (reach * reach),
        source_per_min: Some(&source),
        ..LocalTerms::default()
    };
    let mut values = vec![0.0; grid.len()];
    solve(grid, &Medium::closed(d), &terms, TIGHT, &mut values);
    (0..grid.len())
        .map(|n| {
            let r = grid
                .centre_um(grid.voxel(n))
                .distance(grid.centre_um(centre));
            let exact = amount / (4.0 * std::f32::consts::PI * d * r) * (-r / reach).exp();
            (r, values[n] / exact - 1.0)
        })
        .collect()
}

#[test]
fn point_source_falls_as_exp_over_r() {
    let h = 10.0;
    let errors = point_source_errors(61, h);
    // On the axes a seven-point scheme is off by (h/r)^2 / 4 and more, between them by less than
    // nothing: the mean over a shell one voxel thick is what converges, from three voxels on; each voxel from five on.
    for shell in 3..18 {
        let (inner, outer) = (shell as f32 * h, (shell + 1) as f32 * h);
        let of_shell = errors.iter().filter(|(r, _)| *r > inner && *r <= outer);
        let mean = of_shell.clone().map(|(_, e)| e).sum::<f32>() / of_shell.count() as f32;
        assert!(mean.abs() < 0.02, "shell {shell}: {mean}");
    }
    for (r, error) in errors.iter().filter(|(r, _)| *r > 5.0 * h && *r < 180.0) {
        assert!(error.abs() < 0.02, "r {r}: {error}");
    }
}

#[test]
fn point_source_error_falls_with_the_square_of_the_spacing() {
    let worst = |n, h| {
        point_source_errors(n, h)
            .into_iter()
            .filter(|(r, _)| (39.9..80.1).contains(r))
            .map(|(_, error)| error.abs())
            .fold(0.0, f32::max)
    };
    let order = (worst(61, 10.0) / worst(121, 5.0)).log2();
    assert!(order > 1.8, "order {order}");
}

#[test]
fn plane_source_falls_exponentially() {
    let (d, reach, h) = (1.0e4_f32, 100.0_f32, 5.0);
    let grid = Grid::cubic([240, 1, 1], h);
    let medium = Medium::closed(d).with_face(Side::LowerX, FaceCondition::Held(1.0));
    let terms = LocalTerms {
        decay_per_min: d / (reach * reach),
        ..LocalTerms::default()
    };
    let mut values = vec![0.0; grid.len()];
    solve(grid, &medium, &terms, TIGHT, &mut values);
    for (n, value) in values.iter().enumerate().take(100) {
        let exact = (-(n as f32 + 0.5) * h / reach).exp();
        assert!((value / exact - 1.0).abs() < 2.0e-3, "{n}: {value} {exact}");
    }
}

/// Error of a manufactured solution on `n` voxels a side.
fn manufactured_error(n: usize, held: bool) -> f32 {
    let side = 400.0_f32;
    let pi = std::f32::consts::PI;
    let (d, decay) = (1.0e4_f32, 0.5_f32);
    // Unlike axes, so that each one's couplings count.
    let grid = Grid::new(
        [n, n + n / 2, n],
        Vec3::ZERO,
        Vec3::new(side / n as f32, side / (n + n / 2) as f32, side / n as f32),
    );
    let wave = |x: f32| {
        if held {
            (pi * x / side).sin()
        } else {
            (pi * x / side).cos()
        }
    };
    let base = if held { 0.0 } else { 2.0 };
    let exact = over(&grid, |x| base + wave(x.x) * wave(x.y) * wave(x.z));
    let curvature = 3.0 * d * (pi / side) * (pi / side);
    let source: Vec<f32> = exact
        .iter()
        .map(|c| curvature * (c - base) + decay * c)
        .collect();
    // The source must not be negative: more decay, balanced exactly.
    let lift = 5.0_f32;
    let source: Vec<f32> = source
        .iter()
        .zip(&exact)
        .map(|(s, c)| s + lift * c)
        .collect();
    let terms = LocalTerms {
        decay_per_min: decay + lift,
        source_per_min: Some(&source),
        ..LocalTerms::default()
    };
    let medium = if held {
        Medium::closed(d).with_all_faces(FaceCondition::Held(0.0))
    } else {
        Medium::closed(d)
    };
    let mut values = vec![0.0; grid.len()];
    solve(grid, &medium, &terms, TIGHT, &mut values);
    largest_difference(&values, &exact)
}

#[test]
fn error_falls_with_the_square_of_the_spacing() {
    for held in [false, true] {
        let (coarse, fine) = (manufactured_error(8, held), manufactured_error(32, held));
        let order = (coarse / fine).ln() / 4.0_f32.ln();
        assert!(order > 1.8, "held {held}: {coarse} {fine}, order {order}");
    }
}

#[test]
fn free_spread_has_variance_two_d_t_on_each_axis() {
    let d = 1600.0_f32;
    let grid = Grid::new([41, 61, 31], Vec3::ZERO, Vec3::new(20.0, 15.0, 30.0));
    let start = UVec3::new(20, 30, 15);
    let mut values = vec![0.0; grid.len()];
    values[grid.index(start)] = 1000.0;
    let mut solver = FieldSolver::new(grid);
    solver.set_medium(&Medium::closed(d));
    let (dt, steps) = (0.05, 40);
    let stopping = Stopping {
        relative_residual: 1.0e-5,
        max_cycles: 20,
    };
    for _ in 0..steps {
        let scheme = TimeScheme::BackwardEuler { dt_minutes: dt };
        let report = solver.solve(&LocalTerms::default(), scheme, stopping, &mut values);
        assert!(report.converged, "{report:?}");
    }
    let expected = 2.0 * f64::from(d) * f64::from(dt) * f64::from(steps);
    let mass: f64 = values.iter().map(|v| f64::from(*v)).sum();
    assert!((mass / 1000.0 - 1.0).abs() < 1e-6, "mass {mass}");
    let middle = grid.centre_um(start);
    for axis in 0..3 {
        let spread: f64 = (0..grid.len())
            .map(|n| {
                let away = f64::from(grid.centre_um(grid.voxel(n))[axis] - middle[axis]);
                f64::from(values[n]) * away * away
            })
            .sum();
        let variance = spread / mass;
        assert!(
            (variance / expected - 1.0).abs() < 0.01,
            "{variance} {expected}"
        );
    }
}

#[test]
fn mass_decays_as_exp_of_minus_k_t() {
    let grid = Grid::cubic([17, 13, 11], 20.0);
    let mut random = noise(3);
    let mut values: Vec<f32> = (0..grid.len()).map(|_| random()).collect();
    let mass = |values: &[f32]| values.iter().map(|v| f64::from(*v)).sum::<f64>();
    let first = mass(&values);
    let (k, dt, steps) = (0.01_f32, 0.5_f32, 200);
    let terms = LocalTerms {
        decay_per_min: k,
        ..LocalTerms::default()
    };
    let mut solver = FieldSolver::new(grid);
    solver.set_medium(&Medium::closed(1.0e3));
    for _ in 0..steps {
        let scheme = TimeScheme::BackwardEuler { dt_minutes: dt };
        solver.solve(&terms, scheme, Stopping::default(), &mut values);
    }
    let left = mass(&values) / first;
    let implicit = (1.0 + f64::from(k) * f64::from(dt)).powi(-steps);
    assert!((left / implicit - 1.0).abs() < 1e-4, "{left} {implicit}");
    assert!((left / (-1.0_f64).exp() - 1.0).abs() < 0.01, "{left}");
}
