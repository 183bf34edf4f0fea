//! Tests of what cells show: by closed forms.

use bevy::math::ops;

use super::*;
use crate::biology::testing::shipped_input;
use crate::cell::testing::{bench, cell, set, step};
use crate::cell::{State, Surroundings};

#[test]
fn what_is_on_the_surface_follows_in_its_time_at_any_step() {
    for minutes in [1.0, 20.0] {
        let mut app = bench(minutes);
        app.add_plugins(VisibilityPlugin);
        let parameters = VisibilityParameters {
            antigen: 0.7,
            mhc_1: 2.0,
            stress_ligands: 0.6,
            pd_l1_per_um2: 500.0,
            resistance: 1.5,
            death_ligands: 0.2,
            ..VisibilityParameters::default()
        };
        set(&mut app, parameters);
        let around = Surroundings::default();
        let alive = (cell(1, around), Visibility::default());
        let alive = app.world_mut().spawn(alive).id();
        let vital = Vital {
            state: State::Apoptotic,
            ..Vital::default()
        };
        let dead = (cell(2, around), Visibility::default(), vital);
        let dead = app.world_mut().spawn(dead).id();
        for _ in 0..(720.0 / minutes) as usize {
            step(&mut app);
        }
        let of = |cell| *app.world().get::<Visibility>(cell).expect("it has one");
        let shown = of(alive);
        // x* (1 - exp(-t / tau)) after twelve hours.
        for (found, end, hours) in [
            (shown.mhc_1, 2.0, 24.0),
            (shown.stress_ligands, 0.6, 6.0),
            (shown.pd_l1_per_um2, 500.0, 12.0),
        ] {
            let expected = end * (1.0 - ops::exp(-12.0 / hours));
            assert!((found / expected - 1.0).abs() < 1e-4, "{found}, {expected}");
        }
        let of_clone = [shown.antigen, shown.resistance, shown.death_ligands];
        assert_eq!(of_clone, [0.7, 1.5, 0.2]);
        assert_eq!(of(dead), Visibility::default());
    }
}

#[test]
fn antigen_is_found_by_as_much_mhc_as_shows_it() {
    for (antigen, mhc_1, expected) in [
        (1.0, 1.0, 1.0),
        (0.5, 0.5, 0.25),
        (1.0, 3.0, 1.0),
        (0.3, 0.0, 0.0),
    ] {
        let shown = Visibility {
            antigen,
            mhc_1,
            ..Visibility::default()
        };
        assert_eq!(shown.presented(), expected);
    }
}

#[test]
fn ifn_gamma_and_hif_raise_pd_l1_of_the_shipped_cancer_cell_as_published() {
    // 130 (1 + 5 c / (2.96 pM + c)) (1 + 0.4 H).
    for (pm, hif, expected) in [
        (0.0_f32, 0.0_f32, 130.0_f32),
        (2.96, 0.0, 130.0 * 3.5),
        (1.0e6, 0.0, 130.0 * 6.0),
        (0.0, 1.0, 130.0 * 1.4),
        (2.96, 0.5, 130.0 * 3.5 * 1.2),
    ] {
        let found = shipped_input(PD_L1, &[("ifn_gamma", pm), ("hif.level", hif)]);
        assert!((found / expected - 1.0).abs() < 1e-4, "{found}, {expected}");
    }
}

#[test]
fn ifn_gamma_gives_back_mhc_that_a_clone_has_only_turned_down() {
    let found = shipped_input(MHC_1, &[("ifn_gamma", 2.96)]);
    assert!((found - 2.0).abs() < 1e-4, "{found}");
}

#[test]
fn the_shipped_cancer_cell_is_a_target_as_it_shows_itself() {
    let at = |input: &str, by: &str, value: f32| shipped_input(input, &[(by, value)]);
    assert_eq!(at("target.recognition", "visibility.presented", 0.3), 0.3);
    assert_eq!(at("target.mhc_1", "visibility.mhc_1", 0.2), 0.2);
    assert_eq!(at("target.mhc_1", "visibility.mhc_1", 3.0), 1.0);
    assert_eq!(at("target.stress", "visibility.stress_ligands", 0.4), 0.4);
    assert_eq!(at("target.pd_l1", "visibility.pd_l1", 130.0), 130.0);
    // Half as many hits again.
    let ratio = at("target.resistance", "visibility.more_hits", 0.5);
    let usual = at("target.resistance", "visibility.more_hits", 0.0);
    assert_eq!(ratio / usual, 1.5);
}

#[test]
fn a_cell_with_death_receptors_feels_the_most_ligands_that_touch_it() {
    use crate::cell::{Body, BodyParameters, Position};
    let mut app = bench(1.0);
    app.add_plugins(VisibilityPlugin);
    let block = crate::tissue::TissueBlock {
        name: "block".into(),
        min_um: Vec3::splat(-100.0),
        dims: UVec3::splat(10),
        voxel_um: Vec3::splat(20.0),
        walls: true,
        perfusion_length_um: None,
    };
    crate::cell::testing::add_site(&mut app, block, &[]);
    set(&mut app, VisibilityParameters::default());
    set(&mut app, DeathReceptorParameters::default());
    let body: Body = BodyParameters::default().resting_body();
    let mut spawn = |id: u64, x: f32, death_ligands: f32| {
        let shown = Visibility {
            death_ligands,
            ..Visibility::default()
        };
        let receptor = DeathReceptor { ligands_met: 0.7 };
        let at = Position(Vec3::new(x, 0.0, 0.0));
        let of = cell(id, Surroundings::default());
        app.world_mut().spawn((of, at, body, shown, receptor)).id()
    };
    // Left, middle and right touch in a row, the last lies apart.
    let cells = [
        spawn(1, 0.0, 0.2),
        spawn(2, 17.0, 0.0),
        spawn(3, 34.0, 0.6),
        spawn(4, 90.0, 0.9),
    ];
    step(&mut app);
    let met = cells.map(|cell| {
        let receptor = app.world().get::<DeathReceptor>(cell);
        receptor.expect("it has one").ligands_met
    });
    assert_eq!(met, [0.0, 0.6, 0.0, 0.0]);
}
