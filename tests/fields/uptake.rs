//! Saturating uptake by more than one kind of cell, against the equations summed up plainly in `f64`.

use super::*;

/// The balance that each voxel of a closed box of uniform diffusivity is left with, c/min, and what moves in
/// it, added up voxel by voxel from the definition.
fn imbalance(grid: &Grid, d: f32, terms: &LocalTerms, values: &[f32]) -> Vec<(f64, f64)> {
    let of = |array: Option<&[f32]>, n: usize| array.map_or(0.0, |a| f64::from(a[n]));
    (0..grid.len())
        .map(|n| {
            let voxel = grid.voxel(n);
            let c = f64::from(values[n]);
            let gain = of(terms.source_per_min, n);
            let mut loss = (f64::from(terms.decay_per_min) + of(terms.rate_per_min, n)) * c;
            for term in terms.saturating {
                let half = f64::from(term.half_saturation);
                loss += f64::from(term.vmax_per_min[n]) * c / (half + c);
            }
            let mut diffusion = 0.0;
            for axis in 0..3 {
                let width = f64::from(grid.spacing_um[axis]);
                for up in [false, true] {
                    let edge = if up { grid.dims[axis] as u32 - 1 } else { 0 };
                    if voxel[axis] == edge {
                        continue;
                    }
                    let mut other = voxel;
                    other[axis] = if up { voxel[axis] + 1 } else { voxel[axis] - 1 };
                    let there = f64::from(values[grid.index(other)]);
                    diffusion += f64::from(d) * (there - c) / (width * width);
                }
            }
            (gain - loss + diffusion, gain.max(loss))
        })
        .collect()
}

#[test]
fn two_populations_of_unlike_half_saturation_share_a_voxel() {
    let grid = Grid::new([18, 15, 11], Vec3::ZERO, Vec3::new(20.0, 15.0, 30.0));
    let (first, second) = (tissue(grid.len(), 51), tissue(grid.len(), 52));
    let (d, tolerance) = (6.6e3, 1.0e-5);
    let saturating = [
        Saturating {
            vmax_per_min: &first.vmax,
            half_saturation: 2.0,
        },
        Saturating {
            vmax_per_min: &second.vmax,
            half_saturation: 0.05,
        },
    ];
    // A third of what they could take up: values about the half-saturations.
    let source: Vec<f32> = first.wall.iter().map(|w| 50.0 * w).collect();
    let terms = LocalTerms {
        decay_per_min: 0.2,
        source_per_min: Some(&source),
        saturating: &saturating,
        ..LocalTerms::default()
    };
    let stopping = Stopping {
        relative_residual: tolerance,
        max_cycles: 60,
    };
    let mut values = vec![5.0; grid.len()];
    let report = solve(grid, &Medium::closed(d), &terms, stopping, &mut values);
    assert!(report.mass_balance_error.abs() < 1.0e-6, "{report:?}");
    let (mut left, mut moved) = (0.0, 0.0);
    for (imbalance, turnover) in imbalance(&grid, d, &terms, &values) {
        left += imbalance * imbalance;
        moved += turnover * turnover;
    }
    let relative = (left / moved).sqrt();
    // Values handed back were scaled to close the balance, which moves the residual by as little again.
    assert!(
        relative < 2.0 * f64::from(tolerance),
        "{relative:e} {report:?}"
    );
    let reported = f64::from(report.residual);
    assert!(
        relative < 2.0 * reported + 1e-6,
        "{relative:e} {reported:e}"
    );
}

#[test]
fn a_voxel_with_two_uptakes_balances_its_source() {
    let grid = Grid::cubic([1; 3], 20.0);
    for (source, k) in [(2.0_f32, 0.1_f32), (0.02, 0.001), (4.4, 0.1), (50.0, 10.0)] {
        let terms = LocalTerms {
            decay_per_min: 0.5,
            source_per_min: Some(&[source]),
            saturating: &[
                Saturating {
                    vmax_per_min: &[3.0],
                    half_saturation: 2.0,
                },
                Saturating {
                    vmax_per_min: &[1.5],
                    half_saturation: k,
                },
            ],
            ..LocalTerms::default()
        };
        let lost = |c: f64| 0.5 * c + 3.0 * c / (2.0 + c) + 1.5 * c / (f64::from(k) + c);
        let (mut low, mut high) = (0.0, 200.0);
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            if lost(middle) < f64::from(source) {
                low = middle;
            } else {
                high = middle;
            }
        }
        let mut values = vec![0.0];
        solve(grid, &Medium::closed(1.0e5), &terms, TIGHT, &mut values);
        let found = f64::from(values[0]);
        assert!((found / low - 1.0).abs() < 1e-5, "{found} against {low}");
    }
}

#[test]
fn splitting_a_population_in_two_changes_nothing() {
    let grid = Grid::cubic([20, 16, 12], 20.0);
    let source = tissue(grid.len(), 61);
    let halves: [Vec<f32>; 2] =
        [0.25, 0.75].map(|part| source.vmax.iter().map(|v| part * v).collect());
    let of = |vmax| Saturating {
        vmax_per_min: vmax,
        half_saturation: 2.0,
    };
    let (whole, split) = ([of(&source.vmax)], [of(&halves[0]), of(&halves[1])]);
    let answer = |saturating: &[Saturating]| {
        let terms = LocalTerms {
            saturating,
            exchange: &[Exchange {
                rate_per_min: &source.wall,
                scale: 1.0,
                reservoir: Reservoir::Uniform(70.0),
            }],
            ..LocalTerms::default()
        };
        let mut values = vec![30.0; grid.len()];
        solve(grid, &Medium::closed(1.0e5), &terms, TIGHT, &mut values);
        values
    };
    let difference = largest_difference(&answer(&whole), &answer(&split));
    assert!(difference < 1.0e-3, "{difference} mmHg");
}
