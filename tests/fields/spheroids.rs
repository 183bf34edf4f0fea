//! Spheroids and slabs that breathe, and the tissue around a capillary (targets 3 to 5).
//!
//! Zero-order uptake: Grimes et al. 2014, J R Soc Interface 11:20131124.

use super::*;

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
        // Short by the layer in which uptake falls below its maximum, 2 um, and by the steps of the surface.
        assert!(
            (found - rim).abs() < 0.025 * rim,
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
    assert!(centre(233.0 * 0.98) > 2.0);
    assert!(centre(233.0 * 1.01) < 0.1);
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
    // The root of 2 D p / q; half a voxel is 0.5 um.
    assert!((depth - 134.5).abs() < 0.5, "{depth} um");
}

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
            (values[0] - centre).abs() < 0.02 * centre,
            "R {radius}: centre {}",
            values[0]
        );
        for n in 0..grid.len() {
            let r = grid.centre_um(grid.voxel(n)).length();
            if !bath[n] && r < 0.9 * radius {
                let exact = 38.0 * radius / r * (r / reach).sinh() / (radius / reach).sinh();
                assert!(
                    // A tenth of a voxel more or less of radius: a hundredth of what is left.
                    (values[n] - exact).abs() < 0.02 * exact,
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
    // 99.5 um times the logarithm of 38/5; the scheme is off by (h / 99.5 um)^2 / 24, a part in 2400.
    assert!((depth - 201.8).abs() < 0.2, "{depth} um");
}

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
            // The steps of the capillary's surface act like a radius smaller by 0.05 um, 0.5 mmHg.
            (found - exact).abs() < 0.015 * p_c,
            "r {r}: {found} against {exact}"
        );
    }
}

#[test]
fn krogh_cylinder_starves_beyond_its_critical_radius() {
    for (p_c, q, critical) in [(40.0, 22.1, 57.7), (40.0, 10.0, 80.0), (70.0, 10.0, 101.0)] {
        let fed = krogh(0.98 * critical, p_c, q, 0.0).0;
        let starved = krogh(1.02 * critical, p_c, q, 0.0).0;
        assert!(fed > 1.0, "{p_c} {q}: {fed}");
        assert!(starved < 0.15, "{p_c} {q}: {starved}");
    }
}
