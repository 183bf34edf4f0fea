//! Several sites on one stage, cameras on their way, and one kind of action for script, window and log.

use std::sync::Arc;

use tumorscape::measure::Wanted;
use tumorscape::scene::schema::{Action, Place, Population};
use tumorscape::scene::{ParsedScene, Timeline};
use tumorscape::simulation::{Program, Simulation};

fn scene_text(rest: &str) -> String {
    format!(
        r#"(title: "t", about: "a", pace: Illustrative, duration: Hours(6), step: Minutes(10),
    sites: [
        (name: "breast", organ: Breast, size_um: (400, 400, 400), fields: [(molecule: "oxygen", level: 38)]),
        (name: "lung", organ: Lung, size_um: (200, 200, 200), voxel_um: (40, 40, 40),
            fields: [(molecule: "oxygen", level: 38)]),
    ],
    populations: [
        (cell: "cancer", place: Ball(radius_um: 50)),
        (cell: "cancer", site: "lung", place: Ball(center_um: (20, 0, 0), radius_um: 40)),
    ],
    {rest}
)"#
    )
}

fn parse(rest: &str) -> Result<ParsedScene, Vec<String>> {
    let program = Program::default();
    let parsed = program.parse_scene(&scene_text(rest), "t.ron", None);
    parsed.map_err(|report| report.headlines())
}

#[test]
fn stages_and_cameras_that_make_no_sense_are_refused_at_their_field() {
    for (rest, says) in [
        (
            "stage: Beside(gap_um: -5),",
            "stage.gap_um: must be at least 0, found -5",
        ),
        (
            r#"stage: At({"breast": (0, 0, 0), "lungs": (900, 0, 0)}),"#,
            "there is no site `lungs`; did you mean `lung`?",
        ),
        (
            r#"stage: At({"breast": (0, 0, 0)}),"#,
            "the site `lung` has no place",
        ),
        (
            r#"stage: At({"breast": (0, 0, 0), "lung": (250, 0, 50)}),"#,
            "`lung` overlaps `breast`",
        ),
        (
            "timeline: [At(Hours(1), Camera(azimuth_deg: 9))],",
            "timeline[0].1: the camera needs `distance_um`",
        ),
        (
            r#"timeline: [At(Hours(1), Camera(at: Site("lunge")))],"#,
            "there is no site `lunge`; did you mean `lung`?",
        ),
        (
            r#"timeline: [At(Hours(1), Camera(at: Event(kind: "divisoin"), distance_um: 90))],"#,
            "there is no kind of event `divisoin`; did you mean `division`?",
        ),
        (
            r#"timeline: [At(Hours(1), Camera(at: Event(kind: "division", nth: 0), distance_um: 90))],"#,
            "must be at least 1",
        ),
        (
            "timeline: [At(Hours(1), Camera(at: Stage, distance_um: -4))],",
            "distance_um: must be greater than 0, found -4",
        ),
        (
            r#"timeline: [At(Hours(1), Label(text: "x", at: Site("lunge"), lasts: Hours(1)))],"#,
            "there is no site `lunge`; did you mean `lung`?",
        ),
        (
            r#"timeline: [At(Hours(1), Label(text: "x", at: Event(kind: "divisoin"), lasts: Hours(1)))],"#,
            "there is no kind of event `divisoin`; did you mean `division`?",
        ),
        (
            r#"timeline: [At(Hours(1), Label(text: " ", lasts: Hours(1)))],"#,
            "a label needs a word",
        ),
        (
            r#"timeline: [At(Hours(1), Label(text: "x", lasts: Hours(0)))],"#,
            "lasts: must be greater than 0, found 0",
        ),
        (
            r#"timeline: [At(Hours(1), Plot(title: "EMT state"))],"#,
            "there is no plot `EMT state`; did you mean `EMT states`?",
        ),
        (
            r#"timeline: [At(Hours(1), Plot(title: "EMT states", site: "lunge"))],"#,
            "there is no site `lunge`; did you mean `lung`?",
        ),
        (
            r#"recording: (look: (layers: Only(["fibres"]))),"#,
            "there is no layer `fibres`",
        ),
    ] {
        let told = parse(rest).map(|_| ()).expect_err(rest);
        let fits = |line: &&String| line.starts_with("t.ron:") && line.contains(says);
        assert_eq!(told.iter().filter(fits).count(), 1, "{rest}: {told:#?}");
    }
    for fine in [
        "",
        "stage: Alone,",
        "stage: Around(),",
        r#"stage: At({"breast": (0, 0, 0), "lung": (500, 0, 0)}),"#,
        r#"timeline: [At(Hours(1), Camera(at: Site("lung"))), At(Hours(2), Camera(distance_um: 90))],"#,
        r#"timeline: [At(Hours(1), Chapter("1", "One")), At(Hours(1), Plot(title: "EMT states", site: "lung")),
            At(Hours(1), Label(text: "x", at: Cell(3), off_um: (1, 2, 3), lasts: Minutes(9)))],"#,
    ] {
        if let Err(told) = parse(fine) {
            panic!("{fine}: {told:#?}");
        }
    }
}

/// Identity, place and radius of each cell, to the bit.
fn cells(simulation: &Simulation) -> Vec<(u64, [u32; 4])> {
    let census = simulation.census(&Wanted::default());
    let rows = census
        .ids
        .iter()
        .zip(&census.positions_um)
        .zip(&census.radii_um);
    rows.map(|((id, at), radius)| (id.0, [at.x, at.y, at.z, *radius].map(f32::to_bits)))
        .collect()
}

#[test]
fn the_log_of_a_live_session_is_a_timeline_that_gives_the_same_bits() {
    let timeline =
        r#"timeline: [At(Hours(2), Add(cell: "fibroblast", place: Scatter(per_mm3: 200)))],"#;
    let scene = Arc::new(parse(timeline).expect("it makes sense"));
    let mut live = Simulation::new(scene.clone(), 4).expect("its parameters are valid");
    let at_the_start = live.cell_count();
    let add = |per_mm3| {
        Action::Add(Population {
            cell: "cancer".into(),
            site: Some("lung".into()),
            place: Place::Scatter {
                per_mm3,
                outside_um: 70.0,
            },
        })
    };
    for step in 0..36 {
        let action = match step {
            3 => add(1500.0),
            9 => Action::Set("cancer.motility.speed_um_per_min".into(), 0.4),
            20 => add(900.0),
            _ => {
                live.step();
                continue;
            }
        };
        live.apply(action).expect("it makes sense");
        live.step();
    }
    let mut replay = ParsedScene::clone(&scene);
    let events = live.log().iter().map(|entry| entry.event(10.0));
    replay.scene.timeline.extend(events);
    replay.timeline = Timeline::new(&replay.scene);
    assert_eq!(replay.scene.timeline.len(), 4);
    let mut again = Simulation::new(Arc::new(replay), 4).expect("its parameters are valid");
    for _ in 0..36 {
        again.step();
    }
    // The timeline and the session each added some.
    assert!(live.cell_count() > at_the_start + 10);
    assert_eq!(cells(&live), cells(&again));
}

#[test]
fn what_concerns_the_picture_changes_nothing_in_a_simulation() {
    let scene = Arc::new(parse("").expect("it makes sense"));
    let mut simulation = Simulation::new(scene, 4).expect("its parameters are valid");
    let before = simulation.state_hash();
    let caption = Action::Caption("here".into());
    assert!(!caption.changes_tissue());
    let refused = simulation
        .apply(caption)
        .expect_err("it is about the picture");
    assert!(refused.to_string().contains("picture"), "{refused}");
    assert_eq!(simulation.state_hash(), before);
}

#[cfg(feature = "view")]
mod film {
    use super::*;
    use bevy::math::{Vec2, Vec3};
    use tumorscape::journal::Journal;
    use tumorscape::record::{CameraWay, Film, FilmError, FilmOptions, StudioError};
    use tumorscape::simulation::WHOLE_STAGE;
    use tumorscape::view::camera::{projected, um_per_pixel};

    /// Six stills about to be made; nothing, and a word of that, where there is no driver to draw with.
    fn opened(folder: &std::path::Path, size: (u32, u32)) -> Option<Film> {
        let options = FilmOptions {
            output: folder.join("film.png"),
            size,
            fps: 3,
            seconds: 2.0,
            still_hours: None,
            style: None,
            may_replace: false,
        };
        match Film::open(options) {
            Ok(film) => Some(film),
            Err(FilmError::Studio(error @ StudioError::NoDriver { .. })) => {
                println!("skipped: {error}");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_film_that_is_broken_off_has_the_frames_that_were_drawn_and_the_state_of_a_run() {
        let scene = Arc::new(parse("stage: Beside(gap_um: 100),").expect("it makes sense"));
        let new = || Simulation::new(Arc::clone(&scene), 4).expect("its parameters are valid");
        let (mut filmed, mut plain) = (new(), new());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let Some(film) = opened(folder.path(), (64, 36)) else {
            return;
        };
        let mut journal = Journal::new(&filmed, None);
        // Frames are 72 minutes apart: the fourth begins at 3.6 h.
        let until_hours = 3.0;
        let summary = film.shoot(
            &mut filmed,
            std::slice::from_mut(&mut journal),
            |_, simulation| {
                if simulation.hours() >= until_hours {
                    std::ops::ControlFlow::Break(())
                } else {
                    std::ops::ControlFlow::Continue(())
                }
            },
        );
        assert_eq!(summary.expect("it has frames").frames, 3);
        while plain.hours() < until_hours {
            plain.step();
        }
        assert_eq!(filmed.steps(), plain.steps());
        assert_eq!(filmed.state_hash(), plain.state_hash());
    }

    #[test]
    fn a_film_of_two_sites_shows_both() {
        // Nothing dies, so that no legend moves the colour bar before the tumour in so small a picture.
        let rest = r#"stage: Beside(gap_um: 100), parameters: {"cancer.death.apoptosis_per_hour": 0},
            timeline: [At(Hours(0), Camera(at: Stage, azimuth_deg: -90, elevation_deg: 10)),
                At(Hours(3), Look(colour_by: Quantity("oxygen"))),
                At(Hours(6), Camera(at: Site("lung"), azimuth_deg: -90, elevation_deg: 10))],"#;
        let scene = Arc::new(parse(rest).expect("it makes sense"));
        let mut simulation = Simulation::new(scene, 4).expect("its parameters are valid");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let Some(film) = opened(folder.path(), (320, 180)) else {
            return;
        };
        let shape = 320.0 / 180.0;
        let way = CameraWay::of(&simulation, WHOLE_STAGE, shape).expect("it looks at sites alone");
        let mut journal = Journal::new(&simulation, None);
        let filmed = film.shoot(
            &mut simulation,
            std::slice::from_mut(&mut journal),
            |_, _| std::ops::ControlFlow::Continue(()),
        );
        assert_eq!(filmed.expect("it can be filmed").frames, 6);
        let mut files: Vec<_> = std::fs::read_dir(folder.path())
            .expect("readable")
            .map(|entry| entry.expect("readable").path())
            .collect();
        while let [only] = files.as_slice() {
            if !only.is_dir() {
                break;
            }
            let inner = std::fs::read_dir(only).expect("readable");
            files = inner.map(|entry| entry.expect("readable").path()).collect();
        }
        files.retain(|file| file.extension().is_some_and(|ending| ending == "png"));
        files.sort();
        assert_eq!(files.len(), 6);
        let pixels_of = |file: &std::path::Path| {
            let decoder = png::Decoder::new(std::io::BufReader::new(
                std::fs::File::open(file).expect("readable"),
            ));
            let mut reader = decoder.read_info().expect("a picture");
            let mut pixels = vec![0; reader.output_buffer_size().expect("it fits")];
            let info = reader.next_frame(&mut pixels).expect("a picture");
            let bytes = info.color_type.samples();
            let pixels = pixels.chunks_exact(bytes);
            let pixels = pixels.map(|pixel| [pixel[0], pixel[1], pixel[2]].map(i32::from));
            pixels.collect::<Vec<[i32; 3]>>()
        };
        // Where geometry puts each tumour, and what share of the pixels within a reach of its middle, in radii, is lit.
        let breast = (Vec3::new(-150.0, 0.0, 0.0), 50.0);
        let lung = (Vec3::new(250.0 + 20.0, 0.0, 0.0), 40.0);
        let seen = |frame: usize, (place, radius_um): (Vec3, f32)| {
            let pose = way.pose_at(frame as f64 * 6.0 / 5.0).expect("keyframes");
            let size = Vec2::new(320.0, 180.0);
            let (middle, depth) = projected(&pose.into(), place, size).expect("in front");
            let at_target = radius_um / um_per_pixel(&pose, size.y);
            (middle, at_target * pose.distance_um / depth)
        };
        let lit = |frame: usize, tumour, is_lit: fn([i32; 3]) -> bool, reach: [f32; 2]| {
            let (middle, radius) = seen(frame, tumour);
            let pixels = pixels_of(&files[frame]);
            let (mut all, mut found) = (0, 0);
            for (i, pixel) in pixels.into_iter().enumerate() {
                let at = Vec2::new((i % 320) as f32, (i / 320) as f32) + 0.5;
                let off = at.distance(middle) / radius;
                if (reach[0]..reach[1]).contains(&off) {
                    all += 1;
                    found += i32::from(is_lit(pixel));
                }
            }
            assert!(all > 20, "{all} pixels to be compared");
            found as f32 / all as f32
        };
        // The scale of oxygen has more green than blue where it is as red.
        let is_rose = |[r, g, b]: [i32; 3]| r > 60 && r > g + 18 && b > g;
        let is_bright = |[r, g, b]: [i32; 3]| r.max(g).max(b) > 95;
        for tumour in [breast, lung] {
            let (inside, around) = (
                lit(0, tumour, is_rose, [0.0, 0.6]),
                lit(0, tumour, is_rose, [1.7, 2.4]),
            );
            assert!(inside > 0.75 && around < 0.1, "{inside} {around}");
        }
        // The camera has arrived at the lung, whose cells have other colours by now; the other tumour is out of the picture.
        let (inside, around) = (
            lit(5, lung, is_bright, [0.0, 0.6]),
            lit(5, lung, is_bright, [1.7, 2.2]),
        );
        assert!(inside > 0.9 && around < 0.25, "{inside} {around}");
        assert!(lit(5, lung, is_rose, [0.0, 1.2]) < 0.02);
        let (middle, radius) = seen(5, breast);
        assert!(middle.x + radius < 0.0, "{middle} {radius}");
    }
}
