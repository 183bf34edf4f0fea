//! What the relative residual promises: how far from its balance a field is left.

use super::*;
use tumorscape::tissue::TransportParameters;

/// One eighth of a ball of breathing cells in stirred medium: cells of the spheroid scene, medium that holds its
/// level from a few micrometres off them on.
struct Spheroid {
    grid: Grid,
    solver: FieldSolver,
}

const LEVEL: f32 = 100.0;

impl Spheroid {
    fn new() -> Self {
        let grid = Grid::cubic([24; 3], 20.0);
        let mut solver = FieldSolver::new(grid);
        let mut medium = Medium::closed(GRIMES_D);
        for side in [Side::UpperX, Side::UpperY, Side::UpperZ] {
            medium = medium.with_face(side, FaceCondition::Held(LEVEL));
        }
        solver.set_medium(&medium);
        Self { grid, solver }
    }

    fn solve(&mut self, radius: f32, tolerance: f32, values: &mut [f32]) -> SolveReport {
        // Share of a voxel that cells fill, without steps.
        let cells = over(&self.grid, |x| {
            (0.5 + (radius - x.length()) / 20.0).clamp(0.0, 1.0)
        });
        let vmax: Vec<f32> = cells.iter().map(|share| share * GRIMES_Q).collect();
        let stirring = GRIMES_D / (5.0 * 5.0);
        let walls: Vec<f32> = cells
            .iter()
            .map(|share| stirring * (1.0 - share / 0.3).max(0.0))
            .collect();
        let terms = LocalTerms {
            saturating: &[Saturating {
                vmax_per_min: &vmax,
                half_saturation: 2.0,
            }],
            exchange: &[Exchange {
                rate_per_min: &walls,
                scale: 1.0,
                reservoir: Reservoir::Uniform(LEVEL),
            }],
            ..LocalTerms::default()
        };
        let stopping = Stopping {
            relative_residual: tolerance,
            max_cycles: 60,
        };
        let report = self.solver.solve(&terms, STEADY, stopping, values);
        assert!(report.converged, "{report:?}");
        report
    }
}

#[test]
fn the_centre_of_a_stirred_spheroid_is_right_at_the_default_tolerance() {
    let tolerance = TransportParameters::default().tolerance;
    let mut spheroid = Spheroid::new();
    for radius in [60.0, 120.0, 180.0, 215.0] {
        let mut exact = vec![LEVEL; spheroid.grid.len()];
        spheroid.solve(radius, 1.0e-8, &mut exact);
        // From medium without cells, from no oxygen, and as the spheroid grows to where it is.
        let mut cold = vec![LEVEL; exact.len()];
        spheroid.solve(radius, tolerance, &mut cold);
        let mut empty = vec![0.0; exact.len()];
        spheroid.solve(radius, tolerance, &mut empty);
        let mut grown = vec![LEVEL; exact.len()];
        for step in 0..=40 {
            let now = radius - 0.25 * (40 - step) as f32;
            spheroid.solve(now, tolerance, &mut grown);
        }
        for (start, values) in [("cold", cold), ("empty", empty), ("grown", grown)] {
            let centre = (values[0] - exact[0]).abs();
            let worst = largest_difference(&values, &exact);
            println!(
                "{radius} um {start}: {} mmHg, off by {centre}, at most {worst}",
                exact[0]
            );
            assert!(centre < 0.05, "{radius} um, {start}: off by {centre} mmHg");
            assert!(worst < 0.1, "{radius} um, {start}: off by {worst} mmHg");
        }
    }
}

#[test]
fn stirred_medium_around_does_not_loosen_a_tolerance() {
    let at = |side: usize| {
        let grid = Grid::cubic([side; 3], 20.0);
        let mut solver = FieldSolver::new(grid);
        solver.set_medium(&Medium::closed(GRIMES_D));
        let cells = over(&grid, |x| f32::from(u8::from(x.length() < 130.0)));
        let vmax: Vec<f32> = cells.iter().map(|share| share * GRIMES_Q).collect();
        let walls: Vec<f32> = cells.iter().map(|share| 4800.0 * (1.0 - share)).collect();
        let terms = LocalTerms {
            saturating: &[Saturating {
                vmax_per_min: &vmax,
                half_saturation: 2.0,
            }],
            exchange: &[Exchange {
                rate_per_min: &walls,
                scale: 1.0,
                reservoir: Reservoir::Uniform(LEVEL),
            }],
            ..LocalTerms::default()
        };
        // Values of the level everywhere: all that is out of balance is what the cells take up.
        let stopping = Stopping {
            relative_residual: 1.0,
            max_cycles: 0,
        };
        let mut values = vec![LEVEL; grid.len()];
        solver
            .solve(&terms, STEADY, stopping, &mut values)
            .initial_residual
    };
    let (small, large) = (at(10), at(30));
    assert!((small - 1.0).abs() < 1e-3, "{small}");
    assert!((small - large).abs() < 1e-3, "{small} {large}");
}

#[test]
fn a_step_in_time_is_left_within_the_tolerance_of_its_old_values() {
    let grid = Grid::cubic([21, 17, 13], 20.0);
    let mut random = noise(17);
    let start: Vec<f32> = (0..grid.len()).map(|_| 3.0 * random().powi(4)).collect();
    let after = |tolerance| {
        let mut solver = FieldSolver::new(grid);
        solver.set_medium(&Medium::closed(1.6e3));
        let mut values = start.clone();
        let stopping = Stopping {
            relative_residual: tolerance,
            max_cycles: 60,
        };
        let scheme = TimeScheme::BackwardEuler { dt_minutes: 5.0 };
        solver.solve(&LocalTerms::default(), scheme, stopping, &mut values);
        values
    };
    let norm = |values: &mut dyn Iterator<Item = f32>| {
        values.map(|v| f64::from(v * v)).sum::<f64>().sqrt()
    };
    let exact = after(1.0e-8);
    for tolerance in [1.0e-2, 1.0e-3, 1.0e-4] {
        let found = after(tolerance);
        let error = norm(&mut found.iter().zip(&exact).map(|(a, b)| a - b));
        assert!(error < f64::from(tolerance) * norm(&mut start.iter().copied()));
    }
}
