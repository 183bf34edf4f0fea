//! A layer of glyphs from outside the crate: what it adds is in the snapshot when it is asked for, and in the picture where
//! geometry says it is.

use std::sync::Arc;

use bevy::prelude::*;
use tumorscape::core::layer::{Glyphs, Layer, RegisterLayer, Sphere, Tint};
use tumorscape::scene::LayersShown;
use tumorscape::simulation::snapshot::SnapshotRequest;
use tumorscape::simulation::{Program, Simulation};
use tumorscape::tissue::Sites;

/// Radius of a lantern, um.
const RADIUS_UM: f32 = 25.0;

/// Lanterns hang in a row through the middle of each site.
fn lanterns(app: &mut App) {
    let layer = Layer::new("sparkle.lanterns", "Lanterns.")
        .label("lantern")
        .colour([0.1, 0.3, 1.0, 1.0]);
    app.register_layer(layer, |world: &World, site, glyphs: &mut Glyphs<Sphere>| {
        let half = world.resource::<Sites>().list[site].block.max_um().x;
        for (id, share) in [-0.6, 0.0, 0.6].into_iter().enumerate() {
            let centre_um = Vec3::new(half * share, 0.0, 150.0);
            let lantern = Sphere {
                centre_um,
                radius_um: RADIUS_UM,
            };
            glyphs.add_known(lantern, Tint::Layer, id as u64);
        }
    });
}

fn simulation(program: &Program) -> Simulation {
    let folder = super::workplace();
    let scene = program.open_scene(&folder.path().join("dusk.ron"));
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(scene), 7).expect("its parameters are valid")
}

#[test]
fn its_glyphs_are_in_a_snapshot_when_they_are_asked_for() {
    let program = super::program().with(lanterns);
    let simulation = simulation(&program);
    let names: Vec<&str> = simulation
        .world()
        .resource::<tumorscape::core::layer::Layers>()
        .iter()
        .map(|layer| layer.name.as_str())
        .filter(|name| name.starts_with("sparkle."))
        .collect();
    assert_eq!(names, ["sparkle.lanterns"]);
    let lanterns_of = |layers| {
        let request = SnapshotRequest {
            layers,
            ..SnapshotRequest::default()
        };
        let site = simulation.snapshot(&request).sites.remove(0);
        let layers = site.layers.into_iter();
        let found = layers.filter(|filled| filled.layer.name == "sparkle.lanterns");
        found.map(|filled| filled.glyphs.len()).sum::<usize>()
    };
    assert_eq!(lanterns_of(None), 0);
    assert_eq!(lanterns_of(Some(LayersShown::Nothing)), 0);
    assert_eq!(lanterns_of(Some(LayersShown::All)), 3);
    // With or without them the state is the same.
    assert_eq!(
        simulation.state_hash(),
        self::simulation(&super::program()).state_hash()
    );
}

#[cfg(feature = "view")]
#[test]
fn its_glyphs_are_seen_where_they_hang() {
    use tumorscape::record::studio::{Studio, StudioError};
    use tumorscape::scene::CameraPose;
    use tumorscape::scene::Look;
    use tumorscape::view::camera::projected;
    use tumorscape::view::{OverlayContent, ViewCamera, ViewSettings};

    let mut studio = match Studio::new(320, 180) {
        Ok(studio) => studio,
        Err(error @ StudioError::NoDriver { .. }) => {
            println!("skipped: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let simulation = simulation(&super::program().with(lanterns));
    let look = Look::default();
    let snapshot = Arc::new(simulation.snapshot(&SnapshotRequest::of_look(&look)));
    let pose = CameraPose {
        target_um: (0.0, 0.0, 60.0),
        distance_um: 900.0,
        azimuth_deg: -80.0,
        elevation_deg: 10.0,
    };
    let settings = ViewSettings::of_look(look);
    let pixels = studio
        .render(snapshot, &settings, pose, &OverlayContent::nothing())
        .expect("the driver works");
    for x in [-120.0, 0.0, 120.0] {
        let camera = ViewCamera::from(pose);
        let place = Vec3::new(x, 0.0, 150.0);
        let (at, _) = projected(&camera, place, Vec2::new(320.0, 180.0)).expect("in front");
        let pixel = (at.y as usize * 320 + at.x as usize) * 4;
        let [r, g, b] = [pixels[pixel], pixels[pixel + 1], pixels[pixel + 2]].map(i32::from);
        assert!(b > r + 40 && b > g + 20, "at {x}: {r} {g} {b}");
    }
}
