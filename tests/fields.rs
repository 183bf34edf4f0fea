//! The field solver against analytic solutions of diffusion, uptake and flow.
//!
//! The first five groups are the analytic validation targets for transport: point source, free
//! spread, spheroid with zero-order uptake, spheroid with first-order uptake, Krogh cylinder.

#![expect(
    clippy::disallowed_methods,
    reason = "analytic answers are compared with a tolerance; no bits depend on them"
)]

use bevy::math::{UVec3, Vec3};
use tumorscape::tissue::solver::{
    Diffusivity, Exchange, FaceCondition, FieldSolver, Grid, HeldVoxels, LocalTerms, Medium,
    Reservoir, Saturating, Side, SolveReport, Stopping, TimeScheme, Velocity,
};

const STEADY: TimeScheme = TimeScheme::QuasiSteady;
const TIGHT: Stopping = Stopping {
    relative_residual: 1.0e-6,
    max_cycles: 60,
};

fn solve(
    grid: Grid,
    medium: &Medium,
    terms: &LocalTerms,
    stopping: Stopping,
    values: &mut [f32],
) -> SolveReport {
    let mut solver = FieldSolver::new(grid);
    solver.set_medium(medium);
    let report = solver.solve(terms, STEADY, stopping, values);
    assert!(report.converged, "{report:?}");
    assert!(values.iter().all(|v| v.is_finite() && *v >= 0.0));
    report
}

fn over(grid: &Grid, f: impl Fn(Vec3) -> f32) -> Vec<f32> {
    (0..grid.len())
        .map(|n| f(grid.centre_um(grid.voxel(n))))
        .collect()
}

/// Numbers in 0..1 that look random and are the same every time.
fn noise(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32) / ((1_u64 << 24) as f32)
    }
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

// Target 1: point and plane sources.

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
    // nothing: the mean over a shell one voxel thick is what converges.
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

// Target 2: free spread and decay.

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

#[test]
fn closed_boxes_keep_their_mass_to_a_millionth() {
    let grid = Grid::new([23, 14, 9], Vec3::ZERO, Vec3::new(20.0, 10.0, 40.0));
    let mut random = noise(5);
    let start: Vec<f32> = (0..grid.len()).map(|_| random() * random()).collect();
    let uneven: Vec<f32> = (0..grid.len()).map(|_| 50.0 + 2000.0 * random()).collect();
    let flow: Vec<Vec3> = (0..grid.len())
        .map(|_| Vec3::new(random() - 0.3, random() - 0.5, random() - 0.5) * 30.0)
        .collect();
    let mass = |values: &[f32]| values.iter().map(|v| f64::from(*v)).sum::<f64>();
    let uniform = Medium::closed(1.0e3);
    let layered = Medium {
        diffusivity: Diffusivity::PerVoxel(&uneven),
        velocity: Some(Velocity::PerVoxel(&flow)),
        ..uniform
    };
    for medium in [uniform, layered] {
        let mut values = start.clone();
        let mut solver = FieldSolver::new(grid);
        solver.set_medium(&medium);
        for _ in 0..50 {
            let scheme = TimeScheme::BackwardEuler { dt_minutes: 1.0 };
            let report = solver.solve(
                &LocalTerms::default(),
                scheme,
                Stopping::default(),
                &mut values,
            );
            assert!(report.converged, "{report:?}");
        }
        let drift = mass(&values) / mass(&start) - 1.0;
        assert!(drift.abs() < 1e-6, "drift {drift:e}");
    }
}

// Target 3: spheroid with zero-order uptake (Grimes et al. 2014, J R Soc Interface 11:20131124).

const GRIMES_D: f32 = 2000.0 * 60.0;
const GRIMES_Q: f32 = 22.1 * 60.0;

/// One eighth of a ball in a bath held at `p0`; hands back the values and where the ball is.
fn ball_in_bath(
    radius: f32,
    p0: f32,
    h: f32,
    d: f32,
    terms: impl Fn(&[bool], &mut dyn FnMut(&LocalTerms)),
) -> (Grid, Vec<bool>, Vec<f32>) {
    let n = (radius / h).ceil() as usize + 1;
    let grid = Grid::cubic([n; 3], h);
    // A surface of steps acts like a smooth one about 0.15 voxel outside the first held centres.
    let bath: Vec<bool> = (0..grid.len())
        .map(|n| grid.centre_um(grid.voxel(n)).length() > radius - 0.15 * h)
        .collect();
    let held = vec![p0; grid.len()];
    let medium = Medium {
        held: Some(HeldVoxels {
            mask: &bath,
            values: &held,
        }),
        ..Medium::closed(d)
    };
    let mut values = vec![p0; grid.len()];
    let stopping = Stopping {
        relative_residual: 1.0e-5,
        max_cycles: 80,
    };
    terms(&bath, &mut |terms| {
        solve(grid, &medium, terms, stopping, &mut values);
    });
    (grid, bath, values)
}

/// Thickness of the rim that still breathes, from the total uptake.
fn breathing_rim(radius: f32, p0: f32, h: f32) -> f32 {
    let half_saturation = 0.02;
    let (grid, bath, values) = ball_in_bath(radius, p0, h, GRIMES_D, |bath, run| {
        let vmax: Vec<f32> = bath
            .iter()
            .map(|b| if *b { 0.0 } else { GRIMES_Q })
            .collect();
        run(&LocalTerms {
            saturating: &[Saturating {
                vmax_per_min: &vmax,
                half_saturation,
            }],
            ..LocalTerms::default()
        });
    });
    let breathing: f64 = values
        .iter()
        .zip(&bath)
        .filter(|(_, bath)| !**bath)
        .map(|(p, _)| f64::from(p / (half_saturation + p)))
        .sum();
    let ball = bath.iter().filter(|bath| !**bath).count() as f64;
    // Fractions of the ball as it is on the grid, so that its ragged surface does not count.
    let _ = grid;
    radius * (1.0 - (1.0 - breathing / ball).cbrt() as f32)
}

#[test]
fn zero_order_spheroid_has_the_rim_of_grimes() {
    for (radius, p0, h, rim) in [
        (300.0, 100.0, 5.0, 171.0),
        (400.0, 100.0, 8.0, 157.0),
        (1000.0, 100.0, 12.5, 141.0),
        (200.0, 38.0, 4.0, 102.0),
    ] {
        let found = breathing_rim(radius, p0, h);
        assert!(
            (found - rim).abs() < 0.03 * rim,
            "R {radius}: rim {found} um against {rim}"
        );
    }
}

#[test]
fn zero_order_spheroid_turns_anoxic_at_233_um() {
    let centre = |radius: f32| {
        let (_, _, values) = ball_in_bath(radius, 100.0, 5.0, GRIMES_D, |bath, run| {
            let vmax: Vec<f32> = bath
                .iter()
                .map(|b| if *b { 0.0 } else { GRIMES_Q })
                .collect();
            run(&LocalTerms {
                saturating: &[Saturating {
                    vmax_per_min: &vmax,
                    half_saturation: 0.02,
                }],
                ..LocalTerms::default()
            });
        });
        values[0]
    };
    assert!(centre(233.0 * 0.97) > 2.0);
    assert!(centre(233.0 * 1.03) < 0.1);
}

#[test]
fn zero_order_slab_is_134_um_deep() {
    let grid = Grid::cubic([300, 1, 1], 1.0);
    let medium = Medium::closed(GRIMES_D).with_face(Side::LowerX, FaceCondition::Held(100.0));
    let vmax = vec![GRIMES_Q; grid.len()];
    let half_saturation = 0.01;
    let terms = LocalTerms {
        saturating: &[Saturating {
            vmax_per_min: &vmax,
            half_saturation,
        }],
        ..LocalTerms::default()
    };
    let mut values = vec![100.0; grid.len()];
    solve(
        grid,
        &medium,
        &terms,
        Stopping {
            max_cycles: 60,
            relative_residual: 1e-5,
        },
        &mut values,
    );
    let depth: f32 = values.iter().map(|p| p / (half_saturation + p)).sum();
    assert!((depth - 134.5).abs() < 2.0, "{depth} um");
}

// Target 4: spheroid with first-order uptake.

#[test]
fn first_order_spheroid_has_sinh_profile() {
    let reach = 99.5_f32;
    let d = 1.0e5;
    for (radius, h, centre) in [(250.0, 5.0, 15.6), (400.0, 8.0, 5.5), (600.0, 8.0, 1.1)] {
        let (grid, bath, values) = ball_in_bath(radius, 38.0, h, d, |bath, run| {
            let rate: Vec<f32> = bath
                .iter()
                .map(|b| if *b { 0.0 } else { d / (reach * reach) })
                .collect();
            run(&LocalTerms {
                rate_per_min: Some(&rate),
                ..LocalTerms::default()
            });
        });
        assert!(
            (values[0] - centre).abs() < 0.03 * centre + 0.05,
            "R {radius}: centre {}",
            values[0]
        );
        for n in 0..grid.len() {
            let r = grid.centre_um(grid.voxel(n)).length();
            if !bath[n] && r < 0.9 * radius {
                let exact = 38.0 * radius / r * (r / reach).sinh() / (radius / reach).sinh();
                assert!(
                    (values[n] - exact).abs() < 0.03 * exact,
                    "R {radius}, r {r}: {} against {exact}",
                    values[n]
                );
            }
        }
    }
}

#[test]
fn first_order_slab_falls_to_five_mmhg_at_202_um() {
    let grid = Grid::cubic([120, 1, 1], 10.0);
    let medium = Medium::closed(1.0e5).with_face(Side::LowerX, FaceCondition::Held(38.0));
    let terms = LocalTerms {
        decay_per_min: 1.0e5 / (99.5 * 99.5),
        ..LocalTerms::default()
    };
    let mut values = vec![38.0; grid.len()];
    solve(grid, &medium, &terms, TIGHT, &mut values);
    let n = values.iter().position(|p| *p < 5.0).expect("falls below");
    let part = (values[n - 1] - 5.0) / (values[n - 1] - values[n]);
    let depth = 10.0 * (n as f32 - 0.5 + part);
    assert!((depth - 202.0).abs() < 0.03 * 202.0, "{depth} um");
}

// Target 5: Krogh cylinder.

/// Lowest value around a capillary of 4 um that feeds tissue out to `radius`.
fn krogh(radius: f32, p_c: f32, q: f32, probe: f32) -> (f32, f32) {
    let (h, r_c) = (0.5, 4.0);
    let n = (radius / h).ceil() as usize + 1;
    let grid = Grid::cubic([n, n, 1], h);
    let r = |n: usize| grid.centre_um(grid.voxel(n)).truncate().length();
    let lumen: Vec<bool> = (0..grid.len()).map(|n| r(n) < r_c + 0.15 * h).collect();
    let tissue: Vec<bool> = (0..grid.len())
        .map(|n| !lumen[n] && r(n) < radius)
        .collect();
    // Beyond the radius nothing moves: a closed outer wall.
    let d: Vec<f32> = (0..grid.len())
        .map(|n| if r(n) < radius { GRIMES_D } else { 0.0 })
        .collect();
    let vmax: Vec<f32> = tissue
        .iter()
        .map(|t| if *t { q * 60.0 } else { 0.0 })
        .collect();
    let held = vec![p_c; grid.len()];
    let medium = Medium {
        diffusivity: Diffusivity::PerVoxel(&d),
        held: Some(HeldVoxels {
            mask: &lumen,
            values: &held,
        }),
        ..Medium::closed(0.0)
    };
    let terms = LocalTerms {
        saturating: &[Saturating {
            vmax_per_min: &vmax,
            half_saturation: 0.02,
        }],
        ..LocalTerms::default()
    };
    let mut values: Vec<f32> = tissue.iter().map(|t| if *t { p_c } else { 0.0 }).collect();
    let stopping = Stopping {
        relative_residual: 1.0e-4,
        max_cycles: 100,
    };
    solve(grid, &medium, &terms, stopping, &mut values);
    let (mut lowest, mut at_probe, mut count) = (f32::INFINITY, 0.0, 0.0_f32);
    for n in 0..grid.len() {
        if tissue[n] {
            lowest = lowest.min(values[n]);
            if (r(n) - probe).abs() < h {
                at_probe += values[n];
                count += 1.0;
            }
        }
    }
    (lowest, at_probe / count.max(1.0))
}

#[test]
fn krogh_cylinder_has_its_profile() {
    let (p_c, q, radius, r_c) = (40.0_f32, 22.1_f32, 50.0_f32, 4.0_f32);
    for r in [8.0_f32, 15.0, 30.0, 48.0] {
        let exact = p_c + q / (4.0 * 2000.0) * (r * r - r_c * r_c)
            - q * radius * radius / (2.0 * 2000.0) * (r / r_c).ln();
        let found = krogh(radius, p_c, q, r).1;
        assert!(
            (found - exact).abs() < 0.03 * p_c,
            "r {r}: {found} against {exact}"
        );
    }
}

#[test]
fn krogh_cylinder_starves_beyond_its_critical_radius() {
    for (p_c, q, critical) in [(40.0, 22.1, 57.7), (40.0, 10.0, 80.0), (70.0, 10.0, 101.0)] {
        let fed = krogh(0.97 * critical, p_c, q, 0.0).0;
        let starved = krogh(1.03 * critical, p_c, q, 0.0).0;
        assert!(fed > 1.0, "{p_c} {q}: {fed}");
        assert!(starved < 0.15, "{p_c} {q}: {starved}");
    }
}

// Layers, flow, walls.

#[test]
fn layers_of_unlike_diffusivity_have_a_broken_line() {
    let n = 90;
    let (d_a, d_b) = (1.0e4_f32, 5.0e2_f32);
    let grid = Grid::cubic([n, 3, 2], 10.0);
    let half = 10.0 * n as f32 / 3.0;
    let d = over(&grid, |x| if x.x < half { d_a } else { d_b });
    let medium = Medium {
        diffusivity: Diffusivity::PerVoxel(&d),
        ..Medium::closed(0.0)
    }
    .with_face(Side::LowerX, FaceCondition::Held(10.0))
    .with_face(Side::UpperX, FaceCondition::Held(1.0));
    let mut values = vec![5.0; grid.len()];
    solve(grid, &medium, &LocalTerms::default(), TIGHT, &mut values);
    let flux = 9.0 / (half / d_a + 2.0 * half / d_b);
    let exact = over(&grid, |x| {
        if x.x < half {
            10.0 - flux * x.x / d_a
        } else {
            1.0 + flux * (3.0 * half - x.x) / d_b
        }
    });
    assert!(largest_difference(&values, &exact) < 1.0e-2);
}

#[test]
fn flow_against_diffusion_has_an_exponential_profile() {
    let (d, v, n) = (1.0e3_f32, 12.0_f32, 160);
    let side = 400.0;
    let error = |n: usize| {
        let grid = Grid::cubic([n, 1, 1], side / n as f32);
        let medium = Medium {
            velocity: Some(Velocity::Uniform(Vec3::new(v, 0.0, 0.0))),
            ..Medium::closed(d)
        }
        .with_face(Side::LowerX, FaceCondition::Held(1.0))
        .with_face(Side::UpperX, FaceCondition::Held(0.0));
        let mut values = vec![0.5; grid.len()];
        solve(grid, &medium, &LocalTerms::default(), TIGHT, &mut values);
        let peclet = v * side / d;
        let exact = over(&grid, |x| {
            1.0 - ((peclet * (x.x / side - 1.0)).exp() - (-peclet).exp()) / (1.0 - (-peclet).exp())
        });
        largest_difference(&values, &exact)
    };
    let (coarse, fine) = (error(n / 4), error(n));
    assert!(fine < 0.02, "{fine}");
    assert!(
        coarse / fine > 3.0,
        "upwind is first order: {coarse} {fine}"
    );
}

#[test]
fn flux_through_a_wall_equals_what_decays_inside() {
    let grid = Grid::new([12, 7, 5], Vec3::ZERO, Vec3::new(20.0, 10.0, 40.0));
    let medium = Medium::closed(1.0e4).with_face(Side::UpperZ, FaceCondition::Flux(3.0));
    let terms = LocalTerms {
        decay_per_min: 0.2,
        ..LocalTerms::default()
    };
    let mut values = vec![0.0; grid.len()];
    let report = solve(grid, &medium, &terms, TIGHT, &mut values);
    let size = f64::from(grid.size_um().x * grid.size_um().y);
    assert!((report.supplied / (3.0 * size) - 1.0).abs() < 1e-6);
    assert!((report.mass * 0.2 / (3.0 * size) - 1.0).abs() < 1e-5);
}

// Robustness.

struct Tissue {
    vmax: Vec<f32>,
    wall: Vec<f32>,
    d: Vec<f32>,
    flow: Vec<Vec3>,
    lumen: Vec<bool>,
}

fn tissue(len: usize, seed: u64) -> Tissue {
    let mut random = noise(seed);
    Tissue {
        vmax: (0..len).map(|_| 900.0 * random()).collect(),
        wall: (0..len)
            .map(|_| if random() < 0.03 { 200.0 } else { 0.0 })
            .collect(),
        d: (0..len).map(|_| 2.0e4 + 1.0e5 * random()).collect(),
        flow: (0..len)
            .map(|_| 60.0 * Vec3::new(random() - 0.5, random() - 0.2, random() - 0.5))
            .collect(),
        lumen: (0..len).map(|_| random() < 0.01).collect(),
    }
}

#[test]
fn exchanging_the_axes_exchanges_the_answer() {
    let dims = [19, 12, 7];
    let spacing = Vec3::new(20.0, 10.0, 40.0);
    let base = Grid::new(dims, Vec3::ZERO, spacing);
    let source = tissue(base.len(), 11);
    let held = vec![60.0; base.len()];
    let mut answers = Vec::new();
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0]] {
        let grid = Grid::new(
            order.map(|a| dims[a]),
            Vec3::ZERO,
            Vec3::new(spacing[order[0]], spacing[order[1]], spacing[order[2]]),
        );
        // Place in `base` of each voxel of `grid`.
        let from: Vec<usize> = (0..grid.len())
            .map(|n| {
                let voxel = grid.voxel(n);
                let mut original = UVec3::ZERO;
                for (new, old) in order.iter().enumerate() {
                    original[*old] = voxel[new];
                }
                base.index(original)
            })
            .collect();
        let moved = |values: &[f32]| from.iter().map(|n| values[*n]).collect::<Vec<_>>();
        let (d, vmax, wall) = (moved(&source.d), moved(&source.vmax), moved(&source.wall));
        let lumen: Vec<bool> = from.iter().map(|n| source.lumen[*n]).collect();
        let flow: Vec<Vec3> = from
            .iter()
            .map(|n| {
                let v = source.flow[*n];
                Vec3::new(v[order[0]], v[order[1]], v[order[2]])
            })
            .collect();
        let conditions = [
            FaceCondition::Held(38.0),
            FaceCondition::Closed,
            FaceCondition::Open,
            FaceCondition::Flux(100.0),
            FaceCondition::Closed,
            FaceCondition::Held(20.0),
        ];
        let mut faces = [FaceCondition::Closed; 6];
        for (new, old) in order.iter().enumerate() {
            faces[2 * new] = conditions[2 * old];
            faces[2 * new + 1] = conditions[2 * old + 1];
        }
        let medium = Medium {
            diffusivity: Diffusivity::PerVoxel(&d),
            velocity: Some(Velocity::PerVoxel(&flow)),
            faces,
            held: Some(HeldVoxels {
                mask: &lumen,
                values: &held,
            }),
        };
        let terms = LocalTerms {
            saturating: &[Saturating {
                vmax_per_min: &vmax,
                half_saturation: 2.0,
            }],
            exchange: Some(Exchange {
                rate_per_min: &wall,
                scale: 1.0,
                reservoir: Reservoir::Uniform(50.0),
            }),
            ..LocalTerms::default()
        };
        let mut values = vec![30.0; grid.len()];
        solve(grid, &medium, &terms, TIGHT, &mut values);
        let mut back = vec![0.0; base.len()];
        for (n, from) in from.iter().enumerate() {
            back[*from] = values[n];
        }
        answers.push(back);
    }
    for other in &answers[1..] {
        let difference = largest_difference(&answers[0], other);
        assert!(difference < 1.0e-3, "{difference} mmHg");
    }
}

#[test]
fn long_voxels_give_the_answer_of_cubes() {
    let size = Vec3::new(640.0, 640.0, 640.0);
    let at = |spacing: Vec3| {
        let dims = [0, 1, 2].map(|a| (size[a] / spacing[a]) as usize);
        let grid = Grid::new(dims, Vec3::ZERO, spacing);
        let blob =
            |x: Vec3, centre: Vec3| (-x.distance_squared(centre) / (2.0 * 120.0 * 120.0)).exp();
        let source = over(&grid, |x| 300.0 * blob(x, Vec3::new(250.0, 300.0, 350.0)));
        let rate = over(&grid, |x| {
            1.0 + 9.0 * blob(x, Vec3::new(420.0, 300.0, 300.0))
        });
        let terms = LocalTerms {
            rate_per_min: Some(&rate),
            source_per_min: Some(&source),
            ..LocalTerms::default()
        };
        let medium = Medium::closed(1.0e5).with_face(Side::LowerY, FaceCondition::Held(38.0));
        let mut values = vec![0.0; grid.len()];
        let report = solve(grid, &medium, &terms, TIGHT, &mut values);
        assert!(report.cycles <= 14, "{report:?}");
        (grid, values)
    };
    let (cubes, a) = at(Vec3::splat(20.0));
    let (bricks, b) = at(Vec3::new(20.0, 10.0, 40.0));
    // Means over boxes of 20 x 20 x 40 um, which both grids resolve.
    for k in 0..16 {
        for j in 0..32 {
            for i in 0..32 {
                let cube = 0.5
                    * (a[cubes.index(UVec3::new(i, j, 2 * k))]
                        + a[cubes.index(UVec3::new(i, j, 2 * k + 1))]);
                let brick = 0.5
                    * (b[bricks.index(UVec3::new(i, 2 * j, k))]
                        + b[bricks.index(UVec3::new(i, 2 * j + 1, k))]);
                assert!(
                    (cube - brick).abs() < 0.01 * 38.0,
                    "{i} {j} {k}: {cube} {brick}"
                );
            }
        }
    }
}

#[test]
fn strong_uptake_never_makes_a_value_negative() {
    for seed in 0..6 {
        let grid = Grid::cubic([17, 16, 15], 20.0);
        let source = tissue(grid.len(), seed);
        let vmax: Vec<f32> = source.vmax.iter().map(|v| v * 1.0e4).collect();
        let medium = Medium {
            diffusivity: Diffusivity::PerVoxel(&source.d),
            velocity: Some(Velocity::PerVoxel(&source.flow)),
            ..Medium::closed(0.0)
        };
        let terms = LocalTerms {
            saturating: &[Saturating {
                vmax_per_min: &vmax,
                half_saturation: 0.5,
            }],
            exchange: Some(Exchange {
                rate_per_min: &source.wall,
                scale: 1.0,
                reservoir: Reservoir::Uniform(70.0),
            }),
            ..LocalTerms::default()
        };
        // However few cycles are allowed.
        for max_cycles in [1, 2, 3, 40] {
            let mut solver = FieldSolver::new(grid);
            solver.set_medium(&medium);
            let mut values = vec![70.0; grid.len()];
            let stopping = Stopping {
                relative_residual: 1.0e-5,
                max_cycles,
            };
            let report = solver.solve(&terms, STEADY, stopping, &mut values);
            assert!(values.iter().all(|v| *v >= 0.0 && v.is_finite()));
            assert!(report.cycles <= max_cycles);
            if max_cycles == 40 {
                assert!(report.converged, "{report:?}");
            }
        }
    }
}

#[test]
fn odd_and_prime_sizes_take_about_as_many_cycles_as_powers_of_two() {
    let cycles = |dims: [usize; 3]| {
        let grid = Grid::cubic(dims, 20.0);
        let source = tissue(grid.len(), 7);
        let terms = LocalTerms {
            source_per_min: Some(&source.wall),
            ..LocalTerms::default()
        };
        let medium = Medium::closed(1.0e4)
            .with_face(Side::UpperX, FaceCondition::Held(5.0))
            .with_face(Side::LowerZ, FaceCondition::Held(5.0));
        let mut values = vec![0.0; grid.len()];
        solve(grid, &medium, &terms, Stopping::default(), &mut values).cycles
    };
    let reference = cycles([32, 32, 32]);
    assert!(reference <= 9, "{reference} cycles");
    for dims in [
        [31; 3],
        [33; 3],
        [37, 29, 41],
        [47, 5, 3],
        [100, 1, 1],
        [35, 35, 1],
    ] {
        let needed = cycles(dims);
        assert!(
            needed <= reference + 3,
            "{dims:?}: {needed} against {reference}"
        );
    }
}

#[test]
fn a_solved_field_is_left_alone() {
    let grid = Grid::cubic([24; 3], 20.0);
    let source = tissue(grid.len(), 9);
    let terms = LocalTerms {
        saturating: &[Saturating {
            vmax_per_min: &source.vmax,
            half_saturation: 2.0,
        }],
        exchange: Some(Exchange {
            rate_per_min: &source.wall,
            scale: 1.0,
            reservoir: Reservoir::Uniform(70.0),
        }),
        ..LocalTerms::default()
    };
    let medium = Medium::closed(1.0e5);
    let mut values = vec![30.0; grid.len()];
    solve(grid, &medium, &terms, Stopping::default(), &mut values);
    let before = values.clone();
    let report = solve(
        grid,
        &medium,
        &terms,
        Stopping {
            relative_residual: 2.0e-4,
            max_cycles: 10,
        },
        &mut values,
    );
    assert_eq!((report.cycles, report.nonlinear_iterations), (0, 0));
    assert_eq!(values, before);
    assert!(report.mass_balance_error.abs() < 1.0e-6, "{report:?}");
}

#[test]
fn a_single_voxel_balances_its_source_and_sinks() {
    let grid = Grid::cubic([1; 3], 20.0);
    let terms = LocalTerms {
        decay_per_min: 0.5,
        source_per_min: Some(&[2.0]),
        saturating: &[Saturating {
            vmax_per_min: &[3.0],
            half_saturation: 2.0,
        }],
        ..LocalTerms::default()
    };
    let mut values = vec![0.0];
    solve(grid, &Medium::closed(1.0e5), &terms, TIGHT, &mut values);
    // 2 = c/2 + 3 c / (2 + c), so c^2 + 4 c - 8 = 0.
    assert!(
        (values[0] - (12.0_f32.sqrt() - 2.0)).abs() < 1e-5,
        "{}",
        values[0]
    );
}

#[test]
fn the_report_accounts_for_every_molecule() {
    let grid = Grid::cubic([20, 14, 11], 20.0);
    let source = tissue(grid.len(), 21);
    let held = vec![60.0; grid.len()];
    let medium = Medium {
        diffusivity: Diffusivity::PerVoxel(&source.d),
        velocity: Some(Velocity::PerVoxel(&source.flow)),
        held: Some(HeldVoxels {
            mask: &source.lumen,
            values: &held,
        }),
        ..Medium::closed(0.0)
    }
    .with_face(Side::LowerX, FaceCondition::Held(38.0))
    .with_face(Side::UpperY, FaceCondition::Open);
    let terms = LocalTerms {
        decay_per_min: 0.1,
        saturating: &[Saturating {
            vmax_per_min: &source.vmax,
            half_saturation: 2.0,
        }],
        ..LocalTerms::default()
    };
    for scheme in [STEADY, TimeScheme::BackwardEuler { dt_minutes: 0.01 }] {
        let mut solver = FieldSolver::new(grid);
        solver.set_medium(&medium);
        let mut values = vec![20.0; grid.len()];
        let report = solver.solve(&terms, scheme, Stopping::default(), &mut values);
        assert!(report.converged, "{report:?}");
        assert!(report.mass_balance_error.abs() < 1.0e-6, "{report:?}");
        let mass: f64 = values.iter().map(|v| f64::from(*v)).sum();
        let volume = f64::from(grid.voxel_volume_um3());
        assert!((report.mass / (mass * volume) - 1.0).abs() < 1e-6);
    }
}

// What a solver keeps to itself.

/// A solver that has been through other media, other terms and a hard, unfinished solve.
fn solver_with_a_past(grid: Grid, seed: u64) -> FieldSolver {
    let source = tissue(grid.len(), seed);
    let held = vec![55.0; grid.len()];
    let mut solver = FieldSolver::new(grid);
    let steep: Vec<f32> = source.vmax.iter().map(|v| v * 1.0e3).collect();
    let media = [
        Medium {
            diffusivity: Diffusivity::PerVoxel(&source.d),
            velocity: Some(Velocity::PerVoxel(&source.flow)),
            held: Some(HeldVoxels {
                mask: &source.lumen,
                values: &held,
            }),
            ..Medium::closed(0.0)
        },
        Medium::closed(3.0e4).with_all_faces(FaceCondition::Held(7.0)),
        Medium::closed(1.0e5).with_all_faces(FaceCondition::Held(38.0)),
    ];
    for medium in &media {
        solver.set_medium(medium);
        for (scheme, max_cycles) in [
            (STEADY, 1),
            (TimeScheme::BackwardEuler { dt_minutes: 3.0 }, 40),
            (STEADY, 3),
        ] {
            let terms = LocalTerms {
                decay_per_min: 0.3,
                rate_per_min: Some(&source.wall),
                saturating: &[Saturating {
                    vmax_per_min: &steep,
                    half_saturation: 0.1,
                }],
                source_per_min: Some(&source.vmax),
                ..LocalTerms::default()
            };
            let stopping = Stopping {
                max_cycles,
                ..Stopping::default()
            };
            let mut values: Vec<f32> = source.wall.iter().map(|w| 90.0 * w).collect();
            solver.solve(&terms, scheme, stopping, &mut values);
        }
    }
    solver
}

#[test]
fn a_solver_with_a_past_gives_the_bits_of_a_fresh_one() {
    let spacings = [Vec3::splat(20.0), Vec3::new(20.0, 10.0, 40.0)];
    for (dims, spacing) in [
        ([20, 18, 16], spacings[0]),
        ([37, 11, 23], spacings[1]),
        ([35, 29, 1], spacings[0]),
        ([1, 1, 1], spacings[0]),
        ([50, 50, 45], spacings[0]),
    ] {
        let grid = Grid::new(dims, Vec3::ZERO, spacing);
        let source = tissue(grid.len(), 31);
        let held = vec![60.0; grid.len()];
        let plain = Medium::closed(1.0e5).with_all_faces(FaceCondition::Held(38.0));
        let rich = Medium {
            diffusivity: Diffusivity::PerVoxel(&source.d),
            velocity: Some(Velocity::PerVoxel(&source.flow)),
            held: Some(HeldVoxels {
                mask: &source.lumen,
                values: &held,
            }),
            ..Medium::closed(0.0)
        };
        let uptake = [Saturating {
            vmax_per_min: &source.vmax,
            half_saturation: 2.0,
        }];
        let walls = Exchange {
            rate_per_min: &source.wall,
            scale: 1.0,
            reservoir: Reservoir::Uniform(70.0),
        };
        let linear = LocalTerms {
            decay_per_min: 0.01,
            exchange: Some(walls),
            ..LocalTerms::default()
        };
        let saturating = LocalTerms {
            saturating: &uptake,
            exchange: Some(walls),
            ..LocalTerms::default()
        };
        for medium in [&plain, &rich] {
            for terms in [&linear, &saturating] {
                for scheme in [STEADY, TimeScheme::BackwardEuler { dt_minutes: 1.0 }] {
                    let answer = |mut solver: FieldSolver| {
                        solver.set_medium(medium);
                        let mut values: Vec<f32> =
                            source.vmax.iter().map(|v| 20.0 + v / 50.0).collect();
                        let report = solver.solve(terms, scheme, Stopping::default(), &mut values);
                        (
                            report,
                            values.iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
                        )
                    };
                    let fresh = answer(FieldSolver::new(grid));
                    let used = answer(solver_with_a_past(grid, 77));
                    assert_eq!(fresh.0, used.0, "{dims:?}");
                    assert!(fresh.1 == used.1, "{dims:?}: other values");
                }
            }
        }
    }
}

#[test]
fn solves_that_follow_each_other_in_one_solver_are_those_of_fresh_ones() {
    let grid = Grid::cubic([33, 20, 15], 20.0);
    let source = tissue(grid.len(), 41);
    let medium = Medium::closed(1.0e5).with_all_faces(FaceCondition::Held(38.0));
    let mut solver = FieldSolver::new(grid);
    solver.set_medium(&medium);
    let mut kept = vec![30.0; grid.len()];
    let mut resumed = kept.clone();
    let mut vmax = source.vmax.clone();
    for step in 0..6 {
        for v in vmax.iter_mut().skip(step).step_by(17) {
            *v *= 1.3;
        }
        let uptake = [Saturating {
            vmax_per_min: &vmax,
            half_saturation: 2.0,
        }];
        let terms = LocalTerms {
            saturating: &uptake,
            exchange: Some(Exchange {
                rate_per_min: &source.wall,
                scale: 1.0,
                reservoir: Reservoir::Uniform(70.0),
            }),
            ..LocalTerms::default()
        };
        solver.solve(&terms, STEADY, Stopping::default(), &mut kept);
        let mut fresh = FieldSolver::new(grid);
        fresh.set_medium(&medium);
        fresh.solve(&terms, STEADY, Stopping::default(), &mut resumed);
        assert!(
            kept.iter()
                .zip(&resumed)
                .all(|(a, b)| a.to_bits() == b.to_bits()),
            "step {step}"
        );
    }
}
