use super::*;
use crate::cell::body::BodyParameters;
use crate::cell::testing::{bench, cell, step};
use crate::cell::{Position, Resident, State, Surroundings};
use crate::core::CellId;
use crate::tissue::{SiteEntry, SiteId, Sites, TissueBlock};

/// A world with one site that reaches so far from its middle, a cell of type 0 that can be suppressed, and suppressors of type 1 at these places.
fn felt_in(half_um: f32, asks_at: Vec3, suppressors: &[(Vec3, Suppressor, State)]) -> Suppressible {
    let mut app = bench(1.0);
    app.add_plugins((crate::cell::body::BodyPlugin, SuppressionPlugin));
    let block = TissueBlock {
        name: "block".into(),
        min_um: Vec3::splat(-half_um),
        dims: UVec3::splat((half_um / 10.0) as u32),
        voxel_um: Vec3::splat(20.0),
        walls: true,
        perfusion_length_um: None,
    };
    app.insert_resource(Sites {
        list: vec![SiteEntry {
            entity: Entity::PLACEHOLDER,
            fields: Vec::new(),
            block,
        }],
    });
    let body = |at_um: Vec3| {
        (
            Position(at_um),
            BodyParameters {
                volume_um3: 523.6,
                nucleus_um3: 100.0,
                ..BodyParameters::default()
            }
            .resting_body(),
        )
    };
    let around = Surroundings::default();
    let asks = (cell(0, around), body(asks_at), Suppressible::default());
    let asks = app.world_mut().spawn(asks).id();
    for (number, (at_um, suppressor, state)) in suppressors.iter().enumerate() {
        let vital = Vital {
            state: *state,
            ..Vital::default()
        };
        app.world_mut().spawn((
            CellId(number as u64 + 1),
            CellType(1),
            Resident(SiteId(0)),
            around,
            body(*at_um),
            vital,
            *suppressor,
        ));
    }
    // Suppressors of a type without the capability would be idle: it is given here what rules made of it.
    let of = suppressors
        .first()
        .map_or_else(Suppressor::default, |(_, of, _)| *of);
    app.insert_resource(PerType(vec![
        None,
        Some(SuppressorParameters {
            contact: of.contact,
            nearby: of.nearby,
            crowd: of.crowd,
        }),
    ]));
    app.insert_resource(crate::core::parameters::CellTypeNames(vec![
        "asks".into(),
        "suppressor".into(),
    ]));
    app.insert_resource(PerType(vec![Some(SuppressibleParameters::default()), None]));
    step(&mut app);
    *app.world().get::<Suppressible>(asks).expect("it has one")
}

/// The same in the middle of a block of 400 um, with suppressors along x.
fn felt_at(suppressors: &[(f32, Suppressor, State)]) -> Suppressible {
    let along_x = |(x, of, state): &(f32, Suppressor, State)| (Vec3::X * *x, *of, *state);
    let all: Vec<_> = suppressors.iter().map(along_x).collect();
    felt_in(200.0, Vec3::ZERO, &all)
}

#[test]
fn contact_is_the_strongest_nearby_the_sum_and_a_crowd_a_density() {
    let all = Suppressor {
        contact: 0.8,
        nearby: 0.5,
        crowd: 1.0,
    };
    let alive = State::Alive;
    // One that touches, two more within 60 um, one within 100 um, one beyond.
    let at = [9.0, 40.0, -59.0, 90.0, 101.0].map(|x| (x, all, alive));
    let felt = felt_at(&at);
    assert_eq!(felt.contact, 0.8);
    assert!((felt.nearby - 1.5).abs() < 1e-6, "{}", felt.nearby);
    // Four in a ball of 100 um.
    let expected = 4.0 / (4.0 / 3.0 * std::f64::consts::PI * 1e-3);
    let found = f64::from(felt.crowd_per_mm3);
    assert!((found / expected - 1.0).abs() < 1e-5, "{found}");
}

#[test]
fn the_dead_suppress_nobody() {
    let all = Suppressor {
        contact: 1.0,
        nearby: 1.0,
        crowd: 1.0,
    };
    let felt = felt_at(&[
        (9.0, all, State::Apoptotic),
        (30.0, all, State::NecroticLysed),
    ]);
    assert_eq!(felt, Suppressible::default());
}

#[test]
fn a_crowd_is_as_dense_at_the_faces_of_a_block_as_in_its_middle_and_in_a_small_one_as_in_a_large() {
    let one = Suppressor {
        crowd: 1.0,
        ..Suppressor::default()
    };
    // One in each cube of 20 um: 125,000 in a mm3.
    for half_um in [60.0_f32, 100.0, 160.0] {
        let n = (half_um / 10.0) as i32;
        let at = |i: i32| (i as f32 + 0.5) * 20.0 - half_um;
        let mut all = Vec::new();
        for i in 0..n * n * n {
            let place = Vec3::new(at(i % n), at(i / n % n), at(i / n / n));
            all.push((place, one, State::Alive));
        }
        let near = half_um - 1.0;
        for asks_at in [
            Vec3::new(1.0, 2.0, 3.0),
            Vec3::new(near, 2.0, 3.0),
            Vec3::new(-near, near, 3.0),
            Vec3::new(near, -near, near),
            Vec3::new(0.7 * near, 0.8 * near, -0.6 * near),
        ] {
            let felt = felt_in(half_um, asks_at, &all).crowd_per_mm3;
            // In an eighth of the ball there are 65, one or two more or less at the rim.
            assert!(
                (felt / 125_000.0 - 1.0).abs() < 0.03,
                "{half_um} um, at {asks_at}: {felt}"
            );
        }
    }
}
