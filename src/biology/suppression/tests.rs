use super::*;
use crate::cell::body::BodyParameters;
use crate::cell::testing::{bench, cell, step};
use crate::cell::{Position, Resident, State, Surroundings};
use crate::core::CellId;
use crate::tissue::{SiteEntry, SiteId, Sites, TissueBlock};

/// A world with one site, one cell of type 0 in its middle that can be suppressed, and suppressors of type 1 at these places.
fn felt_at(suppressors: &[(f32, Suppressor, State)]) -> Suppressible {
    let mut app = bench(1.0);
    app.add_plugins((crate::cell::body::BodyPlugin, SuppressionPlugin));
    let block = TissueBlock {
        name: "block".into(),
        min_um: Vec3::splat(-200.0),
        dims: UVec3::splat(20),
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
    let body = |x: f32| {
        (
            Position(Vec3::new(x, 0.0, 0.0)),
            BodyParameters {
                volume_um3: 523.6,
                nucleus_um3: 100.0,
                ..BodyParameters::default()
            }
            .resting_body(),
        )
    };
    let around = Surroundings::default();
    let asks = (cell(0, around), body(0.0), Suppressible::default());
    let asks = app.world_mut().spawn(asks).id();
    for (number, (x, suppressor, state)) in suppressors.iter().enumerate() {
        let vital = Vital {
            state: *state,
            ..Vital::default()
        };
        app.world_mut().spawn((
            CellId(number as u64 + 1),
            CellType(1),
            Resident(SiteId(0)),
            around,
            body(*x),
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
