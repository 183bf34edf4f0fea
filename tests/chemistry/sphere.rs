//! A spheroid in medium: oxygen, glucose and lactate by the shipped laws on the grid of a site, against the same equations
//! written out for a sphere and solved along its radius.

use tumorscape::biology::hypoxia::HypoxiaParameters;
use tumorscape::biology::metabolism::{MetabolismChemistry, MetabolismParameters};
use tumorscape::tissue::solver::{
    FieldSolver, Grid, HeldVoxels, LocalTerms, Medium, Saturating, Stopping, TimeScheme,
};

const RADIUS_UM: f64 = 350.0;
const CELLS_PER_UM3: f64 = 1.67e8 * 1e-12;
const DIFFUSIVITY: [f64; 3] = [1.0e5, 6.6e3, 1.4e4];
/// Oxygen in mmHg, glucose and lactate in mM.
const MEDIUM: [f64; 3] = [100.0, 5.5, 1.0];

/// Below 0.5 mmHg tissue is dead and takes up nothing: this part of the way there goes each solve, so that it does not swing.
const DYING: f64 = 0.1;

/// Rate of an amol per second and cell in such tissue, mM/min.
fn mm_per_min(amol_per_s: f64) -> f64 {
    // 1 mM is 1 amol/um3.
    amol_per_s * CELLS_PER_UM3 * 60.0
}

/// Depth at which 5 mmHg of oxygen are left, um, and glucose in the middle, mM.
struct Found {
    depth_um: f64,
    glucose_mm: f64,
}

/// Depth of a level below the surface, between places that come with their distance from the centre.
fn depth_of(level: f64, profile: impl Iterator<Item = (f64, f64)>) -> f64 {
    let mut last: Option<(f64, f64)> = None;
    for (r, value) in profile {
        if let Some((inner, lower)) = last
            && lower < level
            && value >= level
        {
            return RADIUS_UM - (inner + (r - inner) * (level - lower) / (value - lower));
        }
        last = Some((r, value));
    }
    RADIUS_UM
}

/// Along the radius, in shells: implicit diffusion, uptake by the last values, half of each change taken.
fn along_the_radius(oxygen_mmhg_per_s: f64) -> Found {
    const SHELLS: usize = 175;
    let dr = RADIUS_UM / SHELLS as f64;
    let faces: Vec<f64> = (0..=SHELLS).map(|n| n as f64 * dr).collect();
    let volume = |n: usize| (faces[n + 1].powi(3) - faces[n].powi(3)) / 3.0;
    let solve = |d: f64, level: f64, loss: &dyn Fn(usize) -> f64, gain: &dyn Fn(usize) -> f64| {
        // Thomas' algorithm, from the centre outwards.
        let (mut c, mut v) = (vec![0.0; SHELLS], vec![0.0; SHELLS]);
        for n in 0..SHELLS {
            let lower = d * faces[n].powi(2) / dr / volume(n);
            let outer = d * faces[n + 1].powi(2) / dr / volume(n);
            let is_last = n + 1 == SHELLS;
            let upper = if is_last { 0.0 } else { outer };
            let edge = if is_last { 2.0 * outer } else { 0.0 };
            let (mut pivot, mut right) = (lower + upper + edge + loss(n), gain(n) + edge * level);
            if n > 0 {
                pivot -= lower * c[n - 1];
                right += lower * v[n - 1];
            }
            (c[n], v[n]) = (upper / pivot, right / pivot);
        }
        for n in (0..SHELLS - 1).rev() {
            v[n] += c[n] * v[n + 1];
        }
        v
    };
    let mut values = MEDIUM.map(|level| vec![level; SHELLS]);
    let hill = |x: f64, k: f64, n: i32| x.powi(n) / (k.powi(n) + x.powi(n));
    let relax = |old: &mut Vec<f64>, new: Vec<f64>| {
        for (old, new) in old.iter_mut().zip(new) {
            *old += 0.5 * (new - *old);
        }
    };
    let mut lives = vec![1.0; SHELLS];
    for _ in 0..1000 {
        let [oxygen, glucose, lactate] = values.clone();
        for (lives, oxygen) in lives.iter_mut().zip(&oxygen) {
            *lives += DYING * (((oxygen - 0.5) / 0.5).clamp(0.0, 1.0) - *lives);
        }
        let ph: Vec<f64> = lactate.iter().map(|lactate| 7.4 - lactate / 18.0).collect();
        let living = |n: usize| lives[n];
        let hif = |n: usize| 0.396 / (0.396 + 7.92 * hill(oxygen[n].max(1e-9), 34.7, 3));
        let uptake = |n: usize| {
            let acid = (1.0 - 2.0 * (7.25 - ph[n])).clamp(0.1, 1.0);
            let relative = 1.0 + 0.4 * (1.0 - hill(oxygen[n], 10.0, 2)) + 1.5 * hif(n);
            mm_per_min(50.0) * relative * acid * living(n)
        };
        let breathing = |n: usize| {
            let crabtree =
                1.0 + 1.1 / (1.0 + glucose[n].powi(2)) * ((ph[n] - 6.6) / 0.65).clamp(0.0, 1.0);
            60.0 * oxygen_mmhg_per_s * crabtree * living(n)
        };
        let loss = |n: usize| breathing(n) / (oxygen[n] + 2.0);
        let new = solve(DIFFUSIVITY[0], MEDIUM[0], &loss, &|_| 0.0);
        relax(&mut values[0], new);
        let loss = |n: usize| uptake(n) / (glucose[n] + 0.5);
        let new = solve(DIFFUSIVITY[1], MEDIUM[1], &loss, &|_| 0.0);
        relax(&mut values[1], new);
        let gain = |n: usize| {
            let burnt = uptake(n) * glucose[n] / (glucose[n] + 0.5);
            let by_oxygen = breathing(n) * oxygen[n] / (oxygen[n] + 2.0) * 1.3e-3 / 6.0;
            2.0 * (burnt - (0.2 * (1.0 - hif(n)) * burnt).min(by_oxygen))
        };
        let new = solve(DIFFUSIVITY[2], MEDIUM[2], &|_| 0.0, &gain);
        relax(&mut values[2], new);
    }
    let profile = (0..SHELLS).map(|n| (0.5 * (faces[n] + faces[n + 1]), values[0][n]));
    Found {
        depth_um: depth_of(5.0, profile),
        glucose_mm: values[1][0],
    }
}

/// On an eighth of the ball in voxels of 12.5 um, by the program's laws and solver.
fn by_the_program(oxygen_mmhg_per_s: f64) -> Found {
    const VOXEL_UM: f32 = 12.5;
    let side = (RADIUS_UM as f32 / VOXEL_UM) as usize + 1;
    let grid = Grid::cubic([side; 3], VOXEL_UM);
    let radius = |n: usize| f64::from(grid.centre_um(grid.voxel(n)).length());
    // A surface of steps acts like a smooth one about 0.15 voxel outside the first held centres.
    let bath: Vec<bool> = (0..grid.len())
        .map(|n| radius(n) > RADIUS_UM - 0.15 * f64::from(VOXEL_UM))
        .collect();
    let parameters = MetabolismParameters::default();
    let chemistry = MetabolismChemistry::default();
    let hypoxia = HypoxiaParameters::default();
    let mut values = MEDIUM.map(|level| vec![level as f32; grid.len()]);
    let mut solvers = [0, 1, 2].map(|which| {
        let held = vec![MEDIUM[which] as f32; grid.len()];
        let mut solver = FieldSolver::new(grid);
        solver.set_medium(&Medium {
            held: Some(HeldVoxels {
                mask: &bath,
                values: &held,
            }),
            ..Medium::closed(DIFFUSIVITY[which] as f32)
        });
        solver
    });
    let stopping = Stopping {
        relative_residual: 1e-5,
        max_cycles: 80,
    };
    let mut lives = vec![1.0_f32; grid.len()];
    for _ in 0..200 {
        let mut capacity = [vec![0.0; grid.len()], vec![0.0; grid.len()]];
        let mut secreted = vec![0.0; grid.len()];
        for n in (0..grid.len()).filter(|n| !bath[*n]) {
            let [oxygen, glucose, lactate] = [0, 1, 2].map(|which: usize| values[which][n]);
            let ph = chemistry.ph(lactate);
            let hif = hypoxia.steady_hif_1a(oxygen);
            lives[n] += DYING as f32 * (((oxygen - 0.5) / 0.5).clamp(0.0, 1.0) - lives[n]);
            let living = lives[n];
            let crabtree = parameters.respiration_factor(glucose, ph);
            capacity[0][n] = 60.0 * oxygen_mmhg_per_s as f32 * crabtree * living;
            // The rules of the cancer cell.
            let uptake = parameters.glucose_capacity_amol_per_s(oxygen, 1.0 + 1.5 * hif, ph);
            capacity[1][n] = mm_per_min(f64::from(uptake)) as f32 * living;
            let burnt = capacity[1][n] * glucose / (glucose + 0.5);
            let by_oxygen = capacity[0][n] * oxygen / (oxygen + 2.0) * 1.3e-3 / 6.0;
            secreted[n] =
                2.0 * (burnt - (parameters.oxidised_share * (1.0 - hif) * burnt).min(by_oxygen));
        }
        for (which, half_saturation) in [2.0, 0.5].into_iter().enumerate() {
            let uptake = [Saturating {
                vmax_per_min: &capacity[which],
                half_saturation,
            }];
            let terms = LocalTerms {
                saturating: &uptake,
                ..LocalTerms::default()
            };
            half_way(&mut solvers[which], &terms, stopping, &mut values[which]);
        }
        let terms = LocalTerms {
            source_per_min: Some(&secreted),
            ..LocalTerms::default()
        };
        half_way(&mut solvers[2], &terms, stopping, &mut values[2]);
    }
    // From the centre along an axis.
    let profile = (0..side).map(|n| (radius(n), f64::from(values[0][n])));
    Found {
        depth_um: depth_of(5.0, profile),
        glucose_mm: f64::from(values[1][0]),
    }
}

/// Solves, and takes half of the change: undamped, dying tissue swings near anoxia.
fn half_way(solver: &mut FieldSolver, terms: &LocalTerms, stopping: Stopping, values: &mut [f32]) {
    let mut new = values.to_vec();
    let report = solver.solve(terms, TimeScheme::QuasiSteady, stopping, &mut new);
    assert!(report.converged, "{report:?}");
    for (value, new) in values.iter_mut().zip(new) {
        *value += 0.5 * (new - *value);
    }
}

#[test]
fn a_sphere_in_medium_has_the_depths_and_the_glucose_worked_out_along_its_radius() {
    // Computed before the program was, with voxels of 20 um in mind: 272 and 128 um, 3.2 and 4.1 mM.
    for (uptake, depth_um, glucose_mm) in [(8.7, 272.0, 3.2), (22.1, 128.0, 4.1)] {
        let (exact, found) = (along_the_radius(uptake), by_the_program(uptake));
        let words = format!(
            "{uptake} mmHg/s: {:.1} um and {:.2} mM, along the radius {:.1} um and {:.2} mM",
            found.depth_um, found.glucose_mm, exact.depth_um, exact.glucose_mm
        );
        assert!((found.depth_um - exact.depth_um).abs() < 10.0, "{words}");
        assert!(
            (found.glucose_mm - exact.glucose_mm).abs() < 0.15,
            "{words}"
        );
        assert!((found.depth_um - depth_um).abs() < 20.0, "{words}");
        assert!((found.glucose_mm - glucose_mm).abs() < 0.3, "{words}");
    }
}
