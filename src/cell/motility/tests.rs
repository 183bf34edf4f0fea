//! Walks against the theory of persistent and of biased random walks.

use bevy::math::DVec3;

use super::*;
use crate::cell::testing::*;
use crate::cell::{State, Surroundings};
use crate::core::SimSystems;
use crate::tissue::{FieldValues, Molecules, SiteId, TissueBlock};

fn block(dims: UVec3) -> TissueBlock {
    TissueBlock {
        name: "block".into(),
        min_um: Vec3::splat(-500.0),
        dims,
        voxel_um: Vec3::new(20.0, 25.0, 10.0),
        walls: false,
        perfusion_length_um: None,
    }
}

/// Cells walk freely; mechanics is replaced by `dx = v dt`.
fn drift(clock: Res<Clock>, mut cells: Query<(&Motility, &mut Position)>) {
    for (motility, mut position) in &mut cells {
        position.0 += motility.velocity_um_per_min() * clock.dt_minutes();
    }
}

fn walkers(n: u64, parameters: &MotilityParameters) -> App {
    let mut app = bench(1.0);
    app.add_plugins(MotilityPlugin)
        .add_systems(SimSchedule, drift.in_set(SimSystems::Move));
    set(&mut app, parameters.clone());
    for id in 0..n {
        let mut random =
            RandomKey(9).stream(CellId(id), 0, crate::cell::motility::INITIAL_DIRECTION);
        let motility = Motility::new(&mut random, parameters);
        let bundle = (
            cell(id, Surroundings::default()),
            Position::default(),
            motility,
        );
        app.world_mut().spawn(bundle);
    }
    app
}

#[test]
fn mean_squared_displacement_is_that_of_a_persistent_random_walk() {
    let (speed, persistence) = (0.5_f64, 60.0_f64);
    let parameters = MotilityParameters {
        speed_um_per_min: 0.5,
        persistence_min: 60.0,
    };
    let n = 20_000;
    let mut app = walkers(n, &parameters);
    for minute in 1..=1440 {
        step(&mut app);
        if ![30, 120, 480, 1440].contains(&minute) {
            continue;
        }
        let world = app.world_mut();
        let sum: f64 = world
            .query::<&Position>()
            .iter(world)
            .map(|position| f64::from(position.0.length_squared()))
            .sum();
        let t = f64::from(minute);
        let expected = 2.0
            * speed
            * speed
            * persistence
            * (t - persistence * (1.0 - (-t / persistence).exp()));
        let found = sum / n as f64;
        assert!(
            (found / expected - 1.0).abs() < 0.03,
            "{t} min: {found}, {expected}"
        );
    }
}

#[test]
fn the_chemotactic_index_is_the_mean_cosine() {
    let axis = Vec3::new(1.0, -2.0, 0.5);
    let n = 40_000;
    for index in [-1.0, -0.4, 0.0, 0.13, 0.28, 0.8, 1.0] {
        let mut sum = Vec3::ZERO;
        for id in 0..n {
            let mut random = RandomKey(4).stream(CellId(id), 0, TURNS);
            let direction = biased_direction(&mut random, axis, index);
            assert!((direction.length() - 1.0).abs() < 1e-5);
            sum += direction;
        }
        let mean = sum / n as f32;
        let along = mean.dot(axis.normalize());
        let across = (mean - axis.normalize() * along).length();
        assert!((along - index).abs() < 0.012, "{index}: {along}");
        assert!(across < 0.015, "{index}: {across}");
    }
}

fn following(molecule: &str, chemotactic_index: f32, half_gradient_per_um: f32) -> Following {
    Following {
        molecule: molecule.into(),
        chemotactic_index,
        half_gradient_per_um,
    }
}

/// Mean velocity, in units of the speed, of cells that follow these molecules where `c = exp(k . x)` with the
/// relative gradients `k` of `vegf_a` and `glucose`, 1/um.
fn drift_along(gradients: [Vec3; 2], follows: Vec<Following>) -> DVec3 {
    let parameters = MotilityParameters {
        speed_um_per_min: 1.0,
        persistence_min: 1.0,
    };
    let n = 4000;
    let mut app = walkers(n, &parameters);
    app.insert_resource(PerType(vec![Some(FollowsParameters(follows))]));
    let molecules = app.world().resource::<Molecules>().clone();
    register_biases(app.world_mut(), &molecules);
    let block = TissueBlock {
        min_um: Vec3::splat(-600.0),
        ..block(UVec3::new(60, 48, 1))
    };
    let fields = gradients.map(|gradient| {
        let values = (0..60 * 48).map(|voxel| {
            let at = Vec3::new((voxel % 60) as f32 * 20.0, (voxel / 60) as f32 * 25.0, 0.0);
            ops::exp(gradient.dot(at))
        });
        let values = FieldValues(values.collect());
        app.world_mut().spawn(values).id()
    });
    add_site(
        &mut app,
        block,
        &[("vegf_a", fields[0]), ("glucose", fields[1])],
    );
    let minutes = 200;
    for _ in 0..minutes {
        step(&mut app);
    }
    let world = app.world_mut();
    let climbed: DVec3 = world
        .query::<(&Position, &Resident)>()
        .iter(world)
        .map(|(position, resident)| {
            assert_eq!(resident.0, SiteId(0));
            position.0.as_dvec3()
        })
        .sum();
    climbed / n as f64 / f64::from(minutes)
}

/// The relative gradient that central differences over two voxels of an exponential give.
fn seen(gradient: f64, voxel_um: f64) -> f64 {
    (voxel_um * gradient).sinh() / voxel_um
}

#[test]
fn cells_climb_the_gradient_of_a_molecule_with_the_stated_index() {
    let gradients = [Vec3::X * 3.0e-3, Vec3::Y * 2.0e-3];
    for index in [0.28, -0.28] {
        let found = drift_along(gradients, vec![following("vegf_a", index, 1.0e-3)]);
        let gradient = seen(3.0e-3, 20.0);
        let expected = f64::from(index) * gradient / (gradient + 1.0e-3);
        assert!(
            (found.x / expected - 1.0).abs() < 0.03,
            "{found}, {expected}"
        );
        // Four standard errors of a mean over 4000 cells and 200 turns.
        assert!(
            found.y.abs() < 4.0 * (1.0_f64 / 3.0 / 8e5).sqrt(),
            "{found}"
        );
    }
}

#[test]
fn cells_that_follow_several_molecules_drift_by_the_sum_of_their_pulls() {
    let both = || {
        vec![
            following("vegf_a", 0.3, 1.0e-3),
            following("glucose", -0.25, 2.0e-3),
        ]
    };
    // At right angles to each other: each along its own axis what it would be alone.
    let found = drift_along([Vec3::X * 3.0e-3, Vec3::Y * 2.0e-3], both());
    let (x, y) = (seen(3.0e-3, 20.0), seen(2.0e-3, 25.0));
    let expected = DVec3::new(0.3 * x / (x + 1.0e-3), -0.25 * y / (y + 2.0e-3), 0.0);
    assert!((found - expected).length() < 0.006, "{found}, {expected}");
    // Along one axis one holds back the other.
    let found = drift_along([Vec3::X * 3.0e-3, Vec3::X * 2.0e-3], both());
    let (x, y) = (seen(3.0e-3, 20.0), seen(2.0e-3, 20.0));
    let expected = 0.3 * x / (x + 1.0e-3) - 0.25 * y / (y + 2.0e-3);
    assert!((found.x - expected).abs() < 0.006, "{found}, {expected}");
}

#[test]
fn pulls_beyond_all_steps_in_one_direction_are_no_more_than_that() {
    let strong = |molecule| following(molecule, 1.0, 0.0);
    let found = drift_along(
        [Vec3::X * 3.0e-3; 2],
        vec![strong("vegf_a"), strong("glucose")],
    );
    // All but the first minute, after which all cells have turned with probability 1 - 1/e each.
    assert!((0.98..=1.0).contains(&found.x), "{found}");
}

#[test]
fn dead_cells_do_not_walk() {
    let mut app = walkers(1, &MotilityParameters::default());
    let world = app.world_mut();
    let walker = world
        .query_filtered::<Entity, With<Motility>>()
        .single(world)
        .unwrap();
    let dead = Vital {
        state: State::Apoptotic,
        ..Vital::default()
    };
    world.entity_mut(walker).insert(dead);
    step(&mut app);
    assert_eq!(app.world().get::<Position>(walker).unwrap().0, Vec3::ZERO);
}
