//! What MMP, LOX and cells change, against closed forms, and the books.

use super::*;

/// Nothing but matrix and molecules in a closed block.
fn block(tissue: &str, fields: &str, parameters: &str) -> Simulation {
    simulation(
        &format!(
            "(title: \"block\", about: \"matrix and molecules\", pace: Illustrative, duration: Days(4), step: Minutes(5), \
             sites: [(name: \"s\", organ: Breast, size_um: (80, 80, 80), tissue: (matrix: ({tissue})), fields: [{fields}])], \
             cell_types: [(name: \"none\", about: \"nothing\", colour: (1, 1, 1))], \
             populations: [(cell: \"none\", place: Single(at_um: (0, 0, 0)))], parameters: {{{parameters}}})"
        ),
        1,
    )
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64
}

/// MMP that stays.
const STEADY_MMP: &str = "\"molecules.mmp.decay_per_min\": 0, \"matrix.regeneration_per_day\": 0";

#[test]
fn digested_matrix_raises_tgf_beta_by_what_was_stored_and_an_empty_store_does_not() {
    for stored in [5.0, 0.0] {
        let mut simulation = block(
            &format!("density: 1, crosslinking: 0, bound: (tgf_beta_nm: {stored})"),
            "(molecule: \"mmp\", level: 5, faces: Closed), (molecule: \"tgf_beta\", level: 0, faces: Closed)",
            STEADY_MMP,
        );
        let mut most = 0.0_f64;
        for step in 1..=576 {
            simulation.step();
            // b k_m P exp(-k_m P t), at first 1.5e-3 nM/min at 5 nM of MMP, against loss of 0.0099 /min.
            let (digestion, loss) = (5.0 * 6.0e-5, 0.0099);
            let t = f64::from(step) * 5.0;
            let source = stored * digestion;
            let exact = source * ((-digestion * t).exp() - (-loss * t).exp()) / (loss - digestion);
            let found = mean(field(&simulation, 0, "tgf_beta"));
            most = most.max(found);
            // The field is stepped by 5 min, implicitly: to half a step of the loss.
            assert!(
                (found - exact).abs() <= 0.03 * exact + 1e-6,
                "{t} min: {found}, {exact}"
            );
        }
        // Half again what wakes a fibroblast halfway (0.04 nM), and nothing from an empty store.
        if stored > 0.0 {
            assert!(most > 0.1, "{most} nM");
        } else {
            assert_eq!(most, 0.0);
        }
    }
}

#[test]
fn bound_free_and_degraded_factor_add_up_to_what_was_there() {
    let mut simulation = block(
        "density: 0.6, crosslinking: 0.2, bound: (tgf_beta_nm: 5, vegf_a_nm: 1, fgf_2_nm: 2)",
        "(molecule: \"mmp\", level: 3, faces: Closed), (molecule: \"tgf_beta\", level: 0.1, faces: Closed), \
         (molecule: \"vegf_a\", level: 2, faces: Closed), (molecule: \"fgf_2\", level: 0, faces: Closed)",
        &format!(
            "{STEADY_MMP}, \"molecules.tgf_beta.decay_per_min\": 0, \"molecules.vegf_a.decay_per_min\": 0, \
             \"molecules.fgf_2.decay_per_min\": 0"
        ),
    );
    let names = ["tgf_beta", "vegf_a", "fgf_2"];
    let total = |simulation: &Simulation| {
        [0, 1, 2].map(|factor| {
            mean(field(simulation, 0, names[factor])) + mean(&matrix(simulation, 0).bound[factor])
        })
    };
    let before = total(&simulation);
    let bound_at_first = matrix(&simulation, 0).bound[1][0];
    for _ in 0..288 {
        simulation.step();
    }
    for (was, now) in before.into_iter().zip(total(&simulation)) {
        assert!((now / was - 1.0).abs() < 1e-4, "{now} nM of {was}");
    }
    // VEGF-A was taken up: 2 nM free against 0.6 bound at first.
    assert!(matrix(&simulation, 0).bound[1][0] > bound_at_first);

    // With loss of the free, at 0.02 /min: what is missing is what was lost, the sum of k c over the steps that the field is stepped with.
    let mut simulation = block(
        "density: 0.6, crosslinking: 0.2, bound: (fgf_2_nm: 2)",
        "(molecule: \"mmp\", level: 3, faces: Closed), (molecule: \"fgf_2\", level: 0, faces: Closed)",
        &format!("{STEADY_MMP}, \"molecules.fgf_2.decay_per_min\": 0.02"),
    );
    let total = |simulation: &Simulation| {
        mean(field(simulation, 0, "fgf_2")) + mean(&matrix(simulation, 0).bound[2])
    };
    let before = total(&simulation);
    let mut degraded = 0.0;
    for _ in 0..288 {
        simulation.step();
        degraded += 0.02 * 5.0 * mean(field(&simulation, 0, "fgf_2"));
    }
    let after = total(&simulation) + degraded;
    assert!(degraded > 0.1 * before, "{degraded} nM of {before}");
    assert!(
        (after / before - 1.0).abs() < 1e-4,
        "{after} nM of {before}"
    );
}

#[test]
fn crosslinks_slow_digestion_by_the_stated_factor_and_lox_makes_them() {
    let left = |crosslinking: f32| {
        let mut simulation = block(
            &format!("density: 0.8, crosslinking: {crosslinking}"),
            "(molecule: \"mmp\", level: 3, faces: Closed)",
            STEADY_MMP,
        );
        for _ in 0..288 {
            simulation.step();
        }
        mean(&matrix(&simulation, 0).density) / 0.8
    };
    // ln of what is left goes as 1 / (1 + 5 x).
    let (free, half, all) = (left(0.0).ln(), left(0.5).ln(), left(1.0).ln());
    assert!(
        (free / (-6.0e-5 * 3.0 * 1440.0) - 1.0).abs() < 0.01,
        "{free}"
    );
    assert!((free / half - 3.5).abs() < 0.02, "{}", free / half);
    assert!((free / all - 6.0).abs() < 0.04, "{}", free / all);

    let mut simulation = block(
        "density: 0.8, crosslinking: 0.1",
        "(molecule: \"lox\", level: 2, faces: Closed)",
        "\"molecules.lox.decay_per_min\": 0",
    );
    for _ in 0..288 {
        simulation.step();
    }
    let expected = 1.0 - 0.9 * (-6.0e-5_f64 * 2.0 * 1440.0).exp();
    let found = mean(&matrix(&simulation, 0).crosslinking);
    assert!((found - expected).abs() < 1e-3, "{found}, {expected}");
}

#[test]
fn what_is_laid_down_is_what_is_there_and_what_was_digested() {
    let mut simulation = simulation(
        "(title: \"laid\", about: \"fibroblasts and MMP\", pace: Illustrative, duration: Days(4), step: Minutes(5), \
         sites: [(name: \"s\", organ: Breast, size_um: (100, 100, 100), tissue: (matrix: (density: 0.3)), \
             fields: [(molecule: \"mmp\", level: 1, faces: Closed)])], \
         cell_types: [(name: \"layer\", about: \"lays matrix\", colour: (1, 1, 1), motility: (speed_um_per_min: 0.5), \
             remodelling: (deposition_pg_per_day: 20, contact_digestion_per_min: 1.0e-3))], \
         populations: [(cell: \"layer\", place: Scatter(per_mm3: 60000))])",
        5,
    );
    // 5 mg/mL at density 1.
    let pg = |simulation: &Simulation| {
        let density = &matrix(simulation, 0).density;
        density.iter().map(|rho| f64::from(*rho)).sum::<f64>() * 5.0e-3 * 8000.0
    };
    let before = pg(&simulation);
    for _ in 0..576 {
        simulation.step();
    }
    let turnover = matrix(&simulation, 0).turnover;
    let after = pg(&simulation);
    let expected = before + turnover.laid_pg + turnover.regrown_pg - turnover.digested_pg;
    assert!(
        (after / expected - 1.0).abs() < 1e-4,
        "{after} pg, not {expected}"
    );
    assert!(
        turnover.laid_pg > 0.2 * before && turnover.digested_pg > 0.2 * before,
        "{turnover:?}"
    );
}

#[test]
fn diffusion_through_a_slab_whose_hindrance_follows_density_is_as_calculated() {
    // A column of medium, then matrix of density 1, from both ends of which a molecule that decays comes in. Its steady profile in matrix
    // alone is that of cosh(x / L), L^2 = D s / k, with s the share of diffusivity that is left by Ogston's law.
    let mut simulation = simulation(
        "(title: \"slab\", about: \"a slab of matrix\", pace: Illustrative, duration: Days(1), step: Minutes(5), \
         sites: [(name: \"s\", organ: Breast, size_um: (600, 20, 20), tissue: (matrix: (density: 1)), \
             fields: [(molecule: \"mmp\", level: 0, faces: Closed)])], \
         cell_types: [(name: \"source\", about: \"secretes\", colour: (1, 1, 1), \
             exchange: [(molecule: \"mmp\", secretes_molecules_per_s: 50)])], \
         populations: [(cell: \"source\", place: Single(at_um: (-299, 0, 0)))], \
         parameters: {\"matrix.regeneration_per_day\": 0}, \
         timeline: [At(Minutes(0), Rule(Delete(\"s.mmp_digests_matrix\")))])",
        1,
    );
    for _ in 0..200 {
        simulation.step();
    }
    let values = field(&simulation, 0, "mmp");
    // MMP of 4 nm between fibrils of 20 nm that take 0.95 % of the volume, over the same at the density of 0.4.
    let share = |density: f64| (-(density * 0.0095).sqrt() * (4.0 + 20.0) / 20.0).exp();
    let length = (702.0 * share(1.0) / share(0.4) / 0.03_f64).sqrt();
    // Discrete solution of voxels of 20 um, as far as the closed end.
    let step = 2.0 * (20.0 / (2.0 * length)).asinh();
    for voxel in 2..22 {
        let at = |voxel: usize| (step * (29.5 - voxel as f64)).cosh();
        let expected = at(voxel) / at(2);
        let found = f64::from(values[voxel] / values[2]);
        assert!(
            (found / expected - 1.0).abs() < 0.01,
            "{voxel}: {found}, {expected}"
        );
    }
    // Without hindrance it would reach farther.
    assert!(length < 0.99 * (702.0 / 0.03_f64).sqrt());
}

#[test]
fn no_more_binds_than_there_is_however_fast_it_binds() {
    for per_min in [2.0, 60.0, 1.0e4] {
        let mut simulation = block(
            "density: 1, crosslinking: 0, bound: (vegf_a_nm: 0)",
            "(molecule: \"mmp\", level: 0, faces: Closed), (molecule: \"vegf_a\", level: 2, faces: Closed)",
            &format!(
                "{STEADY_MMP}, \"molecules.vegf_a.decay_per_min\": 0, \"matrix.vegf_a_binding_per_min\": {per_min}, \
                 \"matrix.unbinding_per_min\": 0.01"
            ),
        );
        let values = |simulation: &Simulation| {
            let free = mean(field(simulation, 0, "vegf_a"));
            (free, mean(&matrix(simulation, 0).bound[1]))
        };
        for step in 0..200 {
            simulation.step();
            let (free, bound) = values(&simulation);
            assert!(
                (0.0..=2.001).contains(&free),
                "{per_min} /min, step {step}: {free}"
            );
            assert!(
                (free + bound - 2.0).abs() < 2e-3,
                "{per_min} /min, step {step}: {free} + {bound}"
            );
        }
        let (free, bound) = values(&simulation);
        if per_min > 100.0 {
            // Hardly any is free.
            assert!(free < 1.0e-4, "{free}");
            continue;
        }
        // In balance k_on f = k_off b; unbound in a step of 5 min is 1 - exp(-0.05) of what is bound.
        let expected = (1.0 - (-0.05_f64).exp()) / 5.0 / per_min;
        assert!(
            (free / bound / expected - 1.0).abs() < 0.02,
            "{per_min} /min: {}",
            free / bound
        );
    }
}

#[test]
fn whatever_fibrils_are_allowed_leave_every_molecule_a_diffusivity() {
    for (radius_nm, share) in [(0.75, 0.25), (0.75, 0.0), (500.0, 0.25), (5.0, 0.1)] {
        let mut simulation = block(
            "density: 0.7, crosslinking: 0",
            "(molecule: \"mmp\", level: 1), (molecule: \"tgf_beta\", level: 1), (molecule: \"vegf_a\", level: 1)",
            &format!(
                "\"matrix.fibril_radius_nm\": {radius_nm}, \"matrix.fibril_share\": {share}, \
                 \"matrix.reference_density\": 0.05"
            ),
        );
        simulation.verify();
        for _ in 0..5 {
            simulation.step();
            if let Some(violation) = simulation.violation() {
                panic!("{radius_nm} nm: {violation}");
            }
        }
        for name in ["mmp", "tgf_beta", "vegf_a"] {
            let found = field(&simulation, 0, name);
            assert!(
                found.iter().all(|value| value.is_finite() && *value >= 0.0),
                "{name}"
            );
        }
    }
}
