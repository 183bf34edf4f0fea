//! Two sites on one stage.

use super::*;

/// Two sites, each with a ball of cells and one glyph, beside each other.
fn two_sites() -> Snapshot {
    let with_cell = |name: &str, x: f32, id: u64| SiteSnapshot {
        cells: CellGlyphs {
            sphere_um: vec![[x, 0.0, 0.0, 30.0]],
            id: vec![id],
            cell_type: vec![0],
            ..CellGlyphs::default()
        },
        ..site(
            name,
            vec![FilledLayer {
                glyphs: vec![glyph(
                    Sphere {
                        centre_um: Vec3::new(0.0, 0.0, 60.0),
                        radius_um: 20.0,
                    },
                    Tint::Layer,
                    id + 100,
                )],
                ..layer::<Sphere>(&[])
            }],
        )
    };
    let mut snapshot = Snapshot {
        cell_types: vec![CellTypeStyle {
            name: "cancer".into(),
            colour: [0.9, 0.3, 0.3],
        }],
        sites: vec![with_cell("breast", 5.0, 1), with_cell("lung", -10.0, 2)],
        ..Snapshot::default()
    };
    snapshot.set_stage(Stage {
        places_um: vec![Vec3::new(-180.0, 0.0, 0.0), Vec3::new(180.0, 0.0, 0.0)],
        focus: 0,
        is_shared: true,
    });
    snapshot
}

#[test]
fn two_sites_on_one_stage_are_both_seen_named_and_picked_rightly() {
    let (width, height) = (640, 360);
    let Some((_turn, mut studio)) = studio(width, height) else {
        return;
    };
    let snapshot = Arc::new(two_sites());
    let whole = ViewSettings {
        site: WHOLE_STAGE,
        ..ViewSettings::default()
    };
    let pose = CameraPose {
        azimuth_deg: -90.0,
        ..automatic_pose(&snapshot, WHOLE_STAGE, &whole.look)
    };
    let mut shot = |settings: &ViewSettings, overlay: &OverlayContent| {
        let pixels = studio.render(Arc::clone(&snapshot), settings, pose, overlay);
        pixels.expect("the driver works").to_vec()
    };
    let nothing = OverlayContent::nothing();
    let picture = shot(&whole, &nothing);
    let size = Vec2::new(width as f32, height as f32);
    let camera = ViewCamera::from(pose);
    let at = |place| projected(&camera, place, size).expect("in front").0;
    let colour = |picture: &[u8], at: Vec2| {
        let pixel = at.y as usize * width as usize + at.x as usize;
        [picture[pixel * 4], picture[pixel * 4 + 1]].map(i32::from)
    };
    for x in [-175.0, 170.0] {
        let [r, g] = colour(&picture, at(Vec3::new(x, 0.0, 12.0)));
        assert!(r > g + 40, "the cell at {x} is red: {r} {g}");
    }
    for x in [-180.0, 180.0] {
        let [r, g] = colour(&picture, at(Vec3::new(x, 0.0, 60.0)));
        assert!(g > r + 40, "the glyph at {x} is green: {r} {g}");
    }

    // Names: above each block there is writing.
    let plates = |picture: &[u8], middle: Vec2| {
        let mut bright = 0;
        for y in (middle.y as i32 - 40)..(middle.y as i32) {
            for x in (middle.x as i32 - 40)..(middle.x as i32 + 40) {
                let [r, g] = colour(picture, Vec2::new(x as f32, y as f32));
                bright += i32::from(r > 150 && g > 150);
            }
        }
        bright
    };
    for x in [-180.0, 180.0] {
        let above = at(Vec3::new(x, 0.0, 100.0));
        assert!(
            plates(&picture, above) > 20,
            "a name above the block at {x}"
        );
    }

    // Picked: what a ray through a pixel of a body meets is that body, of that site.
    let ray = |place: Vec3| pick::Look {
        origin_um: pose.eye_um(),
        direction: (place - pose.eye_um()).normalize(),
        kept: Vec4::W,
        pixel: 1.0e-3,
    };
    let site = snapshot.site(WHOLE_STAGE).expect("both");
    for (x, id) in [(-180.0, 101), (180.0, 102)] {
        let found = first_glyph(site, &LayersShown::All, &ray(Vec3::new(x, 0.0, 60.0)));
        let (_, picked) = found.expect("it is met");
        assert_eq!((picked.layer.as_str(), picked.id), ("test.glyphs", id));
    }
    assert_eq!(site.cells.id, [1, 2]);
    assert_eq!(site.cells.sphere_um[1][0], 170.0);

    // A site by itself is drawn in its own coordinates, as if there were no other.
    let alone = ViewSettings {
        site: 1,
        ..ViewSettings::default()
    };
    let single = Snapshot {
        sites: vec![snapshot.sites[1].clone()],
        whole: None,
        stage: Stage::default(),
        ..Snapshot::clone(&snapshot)
    };
    let of_one = shot(&alone, &nothing);
    let pixels = studio.render(Arc::new(single), &ViewSettings::default(), pose, &nothing);
    assert!(pixels.expect("the driver works") == of_one);
}
