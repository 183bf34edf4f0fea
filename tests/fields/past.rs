//! What a solver keeps to itself: nothing that a later solve could tell.

use super::*;

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
            exchange: std::slice::from_ref(&walls),
            ..LocalTerms::default()
        };
        let saturating = LocalTerms {
            saturating: &uptake,
            exchange: std::slice::from_ref(&walls),
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
            exchange: &[Exchange {
                rate_per_min: &source.wall,
                scale: 1.0,
                reservoir: Reservoir::Uniform(70.0),
            }],
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
