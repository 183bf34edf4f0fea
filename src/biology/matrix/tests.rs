//! Digestion, stores, pores and fibres against closed forms.

use bevy::math::ops;

use super::change::{Change, Unbinding};
use super::state::BoundFactors;
use super::*;
use crate::core::random::probability;
use crate::tissue::Fibres;

fn block(dims: UVec3) -> TissueBlock {
    TissueBlock {
        name: "block".into(),
        min_um: -10.0 * dims.as_vec3(),
        dims,
        voxel_um: Vec3::splat(20.0),
        walls: true,
        perfusion_length_um: None,
    }
}

/// One voxel of matrix.
fn matrix(density: f32, crosslinking: f32) -> Matrix {
    let description = MatrixDescription {
        density: Some(density),
        crosslinking: Some(crosslinking),
        bound: Some(BoundFactors {
            tgf_beta_nm: 5.0,
            ..BoundFactors::default()
        }),
        ..MatrixDescription::default()
    };
    Matrix::new(&block(UVec3::ONE), &description, Organ::Breast)
}

fn change(digestion_per_min: f32, minutes: f32) -> Change {
    Change {
        digestion_per_min,
        deposition_per_min: 0.0,
        crosslinking_per_min: 0.0,
        regeneration_per_min: 0.0,
        native: 0.0,
        minutes,
    }
}

/// Carries a change out in a voxel, and returns the share of its stores that is set free.
fn carry_out(by: &Change, matrix: &mut Matrix) -> f32 {
    let resistance = MatrixParameters::default().crosslink_resistance;
    let changed = by.of(matrix.density[0], matrix.crosslinking[0], resistance);
    matrix.density[0] = changed.density;
    matrix.crosslinking[0] = changed.crosslinking;
    changed.freed
}

/// Days after which pores in a matrix of density 1 are as wide as `area_um2`, at that much MMP, 6e-5 /(min nM).
fn days_to_pores(area_um2: f32, mmp_nm: f32, crosslinking: f32, minutes: f32) -> f32 {
    let parameters = MatrixParameters::default();
    let mut matrix = matrix(1.0, crosslinking);
    let by = change(6.0e-5 * mmp_nm, minutes);
    let mut steps = 0;
    while parameters.pore_um2(matrix.density[0]) < area_um2 {
        carry_out(&by, &mut matrix);
        steps += 1;
    }
    steps as f32 * minutes / 1440.0
}

#[test]
fn a_barrier_opens_after_the_time_of_its_digestion_at_any_step() {
    // exp(-k t) = 1 - sqrt(A / 100): t = -ln(1 - sqrt(0.07)) / 6e-5 min = 3.56 d at 1 nM.
    let expected = -ops::ln(1.0 - 0.07_f32.sqrt()) / 6.0e-5 / 1440.0;
    assert!((expected - 3.56).abs() < 0.01);
    for minutes in [0.5, 1.0, 10.0] {
        let found = days_to_pores(7.0, 1.0, 0.0, minutes);
        assert!((found / expected - 1.0).abs() < 0.01, "{found} d");
        let three = days_to_pores(7.0, 3.0, 0.0, minutes);
        assert!((three / (expected / 3.0) - 1.0).abs() < 0.01, "{three} d");
        // Crosslinks slow it by the stated factor.
        let crosslinked = days_to_pores(7.0, 1.0, 0.5, minutes);
        assert!((crosslinked / (3.5 * expected) - 1.0).abs() < 0.01);
    }
}

#[test]
fn what_is_digested_sets_its_share_of_the_stores_free() {
    let latent = Unbinding {
        unbinding_per_min: 0.0,
        active_share: 1.0,
    };
    let mut matrix = matrix(0.6, 0.0);
    let mut free = 0.0;
    let before = matrix.bound[0][0];
    assert_eq!(before, 3.0);
    for _ in 0..2000 {
        let share = carry_out(&change(3.0e-4, 1.0), &mut matrix);
        let (left, given) = latent.of(matrix.bound[0][0], share, 1.0);
        matrix.bound[0][0] = left;
        free += given;
    }
    // Store and density fall together, and nothing is lost.
    let left = matrix.density[0] / 0.6;
    assert!((left - ops::exp(-0.6)).abs() < 1e-3, "{left}");
    assert!((matrix.bound[0][0] / before - left).abs() < 1e-4);
    assert!((free + matrix.bound[0][0] - before).abs() < 1e-4);
}

#[test]
fn what_is_laid_down_is_what_is_there_and_new_fibres_are_not_crosslinked() {
    let parameters = MatrixParameters::default();
    // A fibroblast in each voxel of 8000 um3, 1.25e8 per mL; 5 pg/d each of 40 pg: 1 - exp(-t / 8 d) of what is free.
    let mut matrix = matrix(0.3, 0.8);
    let per_min = 5.0 / 1440.0 / (parameters.collagen_pg_per_um3 * 8000.0);
    let by = Change {
        deposition_per_min: per_min,
        ..change(0.0, 1.0)
    };
    for _ in 0..1440 {
        carry_out(&by, &mut matrix);
    }
    let expected = 1.0 - 0.7 * ops::exp(-1.0 / 8.0);
    assert!((matrix.density[0] - expected).abs() < 1e-3);
    let crosslinked = matrix.crosslinking[0] * matrix.density[0];
    assert!((crosslinked - 0.24).abs() < 1e-3, "as much as there was");
}

#[test]
fn tissue_comes_back_to_its_own_density_slowly() {
    let parameters = MatrixParameters::default();
    let mut matrix = matrix(0.4, 0.0);
    matrix.density[0] = 0.1;
    let by = Change {
        regeneration_per_min: parameters.regeneration_per_day / 1440.0,
        native: 0.4,
        ..change(0.0, 10.0)
    };
    for _ in 0..20 * 144 {
        carry_out(&by, &mut matrix);
    }
    let expected = 0.4 - 0.3 * ops::exp(-1.0);
    assert!((matrix.density[0] - expected).abs() < 1e-3);
}

#[test]
fn what_binds_comes_to_its_balance_with_what_is_free() {
    // At a density of 0.5, 2e-3 * 0.5 of what is free against 1e-3 of what is bound: as much of each.
    let unbinding = Unbinding {
        unbinding_per_min: 1.0e-3,
        active_share: 1.0,
    };
    let (mut store, mut free) = (0.0, 2.0);
    for _ in 0..10_000 {
        let (left, given) = unbinding.of(store, 0.0, 1.0);
        // As the field is solved, and what it lost to the matrix is bound.
        let clears = 0.5 * 2.0e-3;
        free = (free + given) / (1.0 + clears);
        store = left + clears * free;
    }
    assert!((store + free - 2.0).abs() < 1e-3);
    assert!((store / free - 1.0).abs() < 1e-2, "{store} {free}");
}

#[test]
fn cells_are_stuck_at_the_densities_that_follow() {
    let parameters = MatrixParameters::default();
    for (arrest, density) in [(7.0, 0.735), (4.0, 0.8), (2.0, 0.859)] {
        assert_eq!(parameters.passage(density + 1e-3, arrest), 0.0);
        assert!(parameters.passage(density - 1e-3, arrest) > 0.0);
    }
    assert_eq!(parameters.passage(0.45, 7.0), 1.0);
}

#[test]
fn a_tissue_has_the_matrix_of_its_organ_or_that_it_is_like_but_for_what_is_said() {
    let made = |text: &str, organ: Organ| -> (f32, f32, f32) {
        let description: MatrixDescription =
            crate::core::dialect::read_ron(text).unwrap_or_else(|_| panic!("{text} is a matrix"));
        assert!(description.contradictions().is_empty(), "{text}");
        let made = Matrix::new(&block(UVec3::ONE), &description, organ);
        (made.density[0], made.crosslinking[0], made.bound[0][0])
    };
    assert_eq!(made("()", Organ::Breast), (0.4, 0.1, 2.0));
    assert_eq!(made("()", Organ::Brain), (0.03, 0.05, 0.03));
    assert_eq!(made("(like: \"Scar\")", Organ::Brain), (0.75, 0.5, 7.5));
    assert_eq!(made("(density: 0.1)", Organ::Brain), (0.1, 0.05, 0.1));
    assert_eq!(
        made("(like: \"Liver\", crosslinking: 0.3)", Organ::Bone),
        (0.1, 0.3, 0.2)
    );
    let unknown = MatrixDescription {
        like: Some("Brein".into()),
        ..MatrixDescription::default()
    };
    let says = unknown.contradictions().remove(0).message;
    assert!(says.contains("did you mean \"Brain\""), "{says}");
}

#[test]
fn main_directions_are_those_of_the_tensor() {
    let (_, order) = Fibres::RANDOM.main_direction();
    assert_eq!(order, 0.0);
    for axis in [
        Vec3::X,
        Vec3::new(1.0, 2.0, -0.5),
        Vec3::new(-3.0, 0.1, 0.2),
    ] {
        let axis = axis.normalize();
        let (found, order) = Fibres::along(axis).main_direction();
        assert!(found.dot(axis).abs() > 0.9999 && order > 0.9999, "{axis}");
        // Half random, half along: l = (1/3 + 1) / 2 = 2/3, order (3 l - 1) / 2 = 1/2.
        let half = Fibres::RANDOM.towards(Fibres::along(axis), 0.5);
        let (found, order) = half.main_direction();
        assert!(found.dot(axis).abs() > 0.9999);
        assert!((order - 0.5).abs() < 1e-3, "{order}");
    }
    // Around a middle: the radial direction is the one that no fibre takes.
    let matrix = Matrix::new(
        &block(UVec3::new(5, 5, 5)),
        &MatrixDescription {
            fibres: FibreLayout::Around,
            outside_um: 15.0,
            ..MatrixDescription::default()
        },
        Organ::Breast,
    );
    let out = Vec3::X;
    let voxel = block(UVec3::new(5, 5, 5)).voxel_at(Vec3::X * 40.0) as usize;
    let tensor = matrix.fibres[voxel].matrix();
    assert!((tensor * out).length() < 1e-6);
    let trace = tensor.x_axis.x + tensor.y_axis.y + tensor.z_axis.z;
    assert!((trace - 1.0).abs() < 1e-6);
    assert_eq!(matrix.density[62], 0.0, "no matrix in the middle");
}

#[test]
fn pulling_turns_fibres_towards_the_axis_of_the_pull() {
    let book = MatrixBook::new(1);
    let axis = Vec3::new(1.0, 1.0, 0.0).normalize();
    // Two cells that go opposite ways pull alike.
    book.pull_along(0, axis, 0.01);
    book.pull_along(0, -axis, 0.01);
    let (per_min, pulled) = book.pulled(0, UVec3::ONE, 0.5).expect("cells pull");
    assert!((per_min - 0.02).abs() < 1e-6);
    let mut fibres = Fibres::RANDOM;
    for _ in 0..100 {
        fibres = fibres.towards(pulled, probability(per_min, 1.0));
    }
    let (found, order) = fibres.main_direction();
    assert!(found.dot(axis).abs() > 0.999);
    // 1 - exp(-2).
    assert!((order - 0.8647).abs() < 2e-3, "{order}");
}

#[test]
fn a_pull_is_felt_by_fibres_around_and_no_farther() {
    let dims = UVec3::new(4, 3, 1);
    let book = MatrixBook::new(12);
    book.pull_along(5, Vec3::X, 0.04);
    // Itself, its four neighbours in the plane, and nobody else.
    for voxel in 0..12 {
        let expected = match voxel {
            5 => Some(0.04),
            1 | 4 | 6 | 9 => Some(0.02),
            _ => None,
        };
        let found = book.pulled(voxel, dims, 0.5);
        assert_eq!(
            found.map(|(_, fibres)| fibres),
            expected.map(|_| Fibres::along(Vec3::X))
        );
        let rates = found.map(|(per_min, _)| per_min).zip(expected);
        assert!(rates.is_none_or(|(found, expected)| (found - expected).abs() < 1e-6));
    }
}
