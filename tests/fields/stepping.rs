//! Fields stepped in time, in steps of any length.

use super::*;

/// What fields of a site are solved to, if nothing else is said.
const SHIPPED: Stopping = Stopping {
    relative_residual: 5.0e-4,
    max_cycles: 40,
};
const LEVEL: f32 = 38.0;
const DIFFUSIVITY: f32 = 2.0e3;

/// The largest uptake of each voxel: `sinks` of them, spread at random, 300 /min together.
fn sinks(grid: &Grid, sinks: usize) -> Vec<f32> {
    let mut vmax = vec![0.0; grid.len()];
    let mut random = noise(3);
    if sinks == 1 {
        vmax[grid.len() / 2] = 300.0;
        return vmax;
    }
    for _ in 0..sinks {
        let voxel = (random() * grid.len() as f32) as usize;
        vmax[voxel.min(grid.len() - 1)] += 300.0 / sinks as f32;
    }
    vmax
}

/// Steps a box that is at its level everywhere for so many minutes.
fn stepped(
    medium: &Medium,
    grid: Grid,
    vmax: &[f32],
    half_saturation: f32,
    (dt_minutes, minutes): (f32, f32),
) -> Vec<f32> {
    let mut solver = FieldSolver::new(grid);
    solver.set_medium(medium);
    let uptake = [Saturating {
        vmax_per_min: vmax,
        half_saturation,
    }];
    let terms = LocalTerms {
        saturating: &uptake,
        ..LocalTerms::default()
    };
    let mut values = vec![LEVEL; grid.len()];
    for step in 0..(minutes / dt_minutes).round() as usize {
        let scheme = TimeScheme::BackwardEuler { dt_minutes };
        let report = solver.solve(&terms, scheme, SHIPPED, &mut values);
        assert!(report.converged, "step {step}: {report:?}");
        assert!(report.mass_balance_error.abs() < 1e-6, "{step}: {report:?}");
    }
    values
}

/// What is missing to the level, in the whole box.
fn deficit(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(LEVEL - v)).sum()
}

#[test]
fn sinks_in_a_held_box_come_to_their_balance_whatever_the_step() {
    let grid = Grid::cubic([13; 3], 20.0);
    let medium = Medium::closed(DIFFUSIVITY).with_all_faces(FaceCondition::Held(LEVEL));
    for count in [1, 1000] {
        let vmax = sinks(&grid, count);
        let terms = LocalTerms {
            saturating: &[Saturating {
                vmax_per_min: &vmax,
                half_saturation: 2.0,
            }],
            ..LocalTerms::default()
        };
        let mut balance = vec![LEVEL; grid.len()];
        solve(grid, &medium, &terms, TIGHT, &mut balance);
        // The slowest mode of the box fades within 260^2 / (3 pi^2 D) = 1.14 min.
        for dt in [0.01, 0.1, 1.0] {
            let minutes = if dt < 1.0 { 8.0 } else { 20.0 };
            let found = stepped(&medium, grid, &vmax, 2.0, (dt, minutes));
            let ratio = deficit(&found) / deficit(&balance);
            assert!(
                (ratio - 1.0).abs() < 0.01,
                "{count} sinks, {dt} min: {ratio}"
            );
            let deepest = balance.iter().map(|v| LEVEL - v).fold(0.0, f32::max);
            let wrong = largest_difference(&found, &balance);
            assert!(
                wrong < 0.01 * deepest,
                "{count} sinks, {dt} min: {wrong} of {deepest}"
            );
        }
    }
}

#[test]
fn sinks_in_a_closed_box_take_what_they_take_whatever_the_step() {
    let grid = Grid::cubic([13; 3], 20.0);
    let medium = Medium::closed(DIFFUSIVITY);
    for count in [1, 1000] {
        let vmax = sinks(&grid, count);
        // Uptake of zero order but for a ten-thousandth.
        let half_saturation = 1e-3;
        for (dt, minutes) in [(0.01, 3.0), (0.1, 10.0), (1.0, 10.0)] {
            let found = stepped(&medium, grid, &vmax, half_saturation, (dt, minutes));
            let taken: f64 = vmax.iter().map(|v| f64::from(*v)).sum::<f64>() * f64::from(minutes);
            assert!(found.iter().all(|v| *v > 1.0), "it lasts");
            let ratio = deficit(&found) / taken;
            assert!(
                (ratio - 1.0).abs() < 0.01,
                "{count} sinks, {dt} min: {ratio}"
            );
        }
    }
}

#[test]
fn flat_voxels_account_for_what_is_secreted_and_decays() {
    // VEGF-A in a closed sheet whose voxels are twenty times as wide as they are thick.
    let grid = Grid::new([12, 12, 20], Vec3::ZERO, Vec3::new(20.0, 20.0, 1.0));
    let mut source = vec![0.0; grid.len()];
    source[grid.len() / 2] = 1.0;
    let terms = LocalTerms {
        decay_per_min: 0.0115,
        source_per_min: Some(&source),
        ..LocalTerms::default()
    };
    let mut solver = FieldSolver::new(grid);
    solver.set_medium(&Medium::closed(1630.0));
    let mut values = vec![0.0; grid.len()];
    for step in 1..=200 {
        let scheme = TimeScheme::BackwardEuler { dt_minutes: 5.0 };
        let report = solver.solve(&terms, scheme, SHIPPED, &mut values);
        assert!(report.converged, "step {step}: {report:?}");
        assert!(report.mass_balance_error.abs() < 1e-6, "{step}: {report:?}");
        let total: f64 = values.iter().map(|v| f64::from(*v)).sum();
        let exact = (1.0 - (1.0_f64 + 0.0575).powi(-step)) / 0.0115;
        assert!(
            (total / exact - 1.0).abs() < 1e-3,
            "{step}: {total}, {exact}"
        );
    }
}
