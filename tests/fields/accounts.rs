//! Nothing is lost and nothing is made: mass, supply and removal.

use super::*;

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

#[test]
fn a_closed_dish_breathed_empty_accounts_for_what_is_left() {
    let grid = Grid::new([3; 3], Vec3::ZERO, Vec3::new(28.0, 23.5, 10.0));
    for (vmax_per_min, dt_minutes) in [(500.0, 3.0), (20.0, 0.1), (5000.0, 10.0), (30.0, 1.0)] {
        let mut vmax = vec![0.0; grid.len()];
        vmax[13] = vmax_per_min;
        let terms = LocalTerms {
            saturating: &[Saturating {
                vmax_per_min: &vmax,
                half_saturation: 2.0,
            }],
            ..LocalTerms::default()
        };
        let mut solver = FieldSolver::new(grid);
        solver.set_medium(&Medium::closed(1.05e5));
        let mut values = vec![5.02; grid.len()];
        for step in 0..6000 {
            let before = values.iter().map(|v| f64::from(*v)).sum::<f64>();
            let scheme = TimeScheme::BackwardEuler { dt_minutes };
            let report = solver.solve(&terms, scheme, Stopping::default(), &mut values);
            let what = format!("{vmax_per_min}/min, step {step} from {before:e}: {report:?}");
            assert!(report.converged, "{what}");
            assert!(report.mass_balance_error.abs() < 1.0e-6, "{what}");
            assert!(values.iter().all(|v| *v >= 0.0), "{what}");
        }
        assert!(values.iter().all(|v| *v == 0.0), "nothing is left");
    }
}
