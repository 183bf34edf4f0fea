//! Layers of unlike diffusivity, and flow.

use super::*;

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
