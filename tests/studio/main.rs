//! Pictures made without a window: complete, exact, and the same every time.
#![cfg(feature = "view")]

#[path = "../support/mod.rs"]
mod support;

mod facets;
mod planes;
mod spindles;
mod vessels;

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bevy::math::Vec3;
use support::{STARVING, tumour};
use tumorscape::record::studio::{Studio, StudioError};
use tumorscape::scene::look::Axis;
use tumorscape::scene::{CameraPose, ColourBy, Cut, Look, Slice, Style};
use tumorscape::simulation::{CellGlyphs, CellTypeStyle, SiteSnapshot, Snapshot};
use tumorscape::view::camera::{scale_bar, um_per_pixel};
use tumorscape::view::cells::drawn_radius_um;
use tumorscape::view::{OverlayContent, ViewSettings, automatic_pose, palette};

const CUT: Cut = Cut {
    axis: Axis::Y,
    at_um: 0.0,
    flip: false,
};

/// Oxygen on a plane through the middle.
fn slice() -> Slice {
    Slice {
        molecule: "oxygen".into(),
        axis: Axis::Y,
        at_um: 0.0,
    }
}

/// Software drivers share the machine's cores: one studio at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A studio, or `None` (and a line that says so) where there is no driver to draw with.
fn studio(width: u32, height: u32) -> Option<(MutexGuard<'static, ()>, Studio)> {
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    match Studio::new(width, height) {
        Ok(studio) => Some((turn, studio)),
        Err(error @ StudioError::NoDriver { .. }) => {
            println!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn section() -> ViewSettings {
    ViewSettings::of_look(Look {
        cut: Some(CUT),
        slice: Some(slice()),
        ..Look::default()
    })
}

fn overlay(snapshot: &Snapshot, caption: &str) -> OverlayContent {
    OverlayContent {
        title: snapshot.title.clone(),
        caption: caption.to_owned(),
        ..OverlayContent::default()
    }
}

fn picture(studio: &mut Studio, snapshot: &Arc<Snapshot>, settings: &ViewSettings) -> Vec<u8> {
    let pose = automatic_pose(snapshot, 0, &settings.look);
    studio
        .render(
            Arc::clone(snapshot),
            settings,
            pose,
            &overlay(snapshot, "caption"),
        )
        .expect("the driver works")
        .to_vec()
}

/// How many pixels have, within 24 steps of lightness along the way to black, the hue of an sRGB colour.
fn pixels_of_hue(pixels: &[u8], colour: [f32; 3]) -> usize {
    let wanted = Vec3::from_array(colour).normalize();
    pixels
        .chunks_exact(4)
        .filter(|pixel| {
            let here = Vec3::new(pixel[0].into(), pixel[1].into(), pixel[2].into());
            here.length() > 60.0 && here.normalize().dot(wanted) > 0.9985
        })
        .count()
}

/// Fails, saying how much differs, unless two pictures are the same to the bit.
#[track_caller]
fn assert_same(a: &[u8], b: &[u8]) {
    assert_eq!(a.len(), b.len());
    let off: Vec<u8> = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).collect();
    let count = off.iter().filter(|d| **d > 0).count();
    let most = off.iter().max();
    let at = off.iter().position(|d| *d > 0);
    assert!(
        count == 0,
        "{count} bytes differ, by at most {most:?}, first at {at:?}"
    );
}

/// One living cell of this radius in the middle of an empty block.
fn lone_cell(radius: f32) -> Arc<Snapshot> {
    Arc::new(Snapshot {
        sites: vec![SiteSnapshot {
            min_um: Vec3::splat(-200.0),
            max_um: Vec3::splat(200.0),
            cells: CellGlyphs {
                sphere_um: vec![[0.0, 0.0, 0.0, radius]],
                id: vec![1],
                cell_type: vec![0],
                ..CellGlyphs::default()
            },
            ..SiteSnapshot::default()
        }],
        ..Snapshot::default()
    })
}

#[test]
fn the_same_input_gives_the_same_picture_whatever_was_drawn_before() {
    let Some((_turn, mut first)) = studio(320, 180) else {
        return;
    };
    let large = tumour(9_000);
    let small = tumour(60);
    let settings = section();
    let of_large = picture(&mut first, &large, &settings);
    let of_small = picture(&mut first, &small, &settings);
    assert!(of_large != of_small);
    assert_same(&of_large, &picture(&mut first, &large, &settings));
    assert_same(&of_small, &picture(&mut first, &small, &settings));

    // A fresh studio, other order: nothing of a picture comes from the frames before it.
    drop(first);
    let mut second = Studio::new(320, 180).unwrap();
    assert_same(&of_small, &picture(&mut second, &small, &settings));
    assert_same(&of_large, &picture(&mut second, &large, &settings));
}

#[test]
fn every_frame_of_a_growing_tumour_shows_that_tumour() {
    let Some((_turn, mut studio)) = studio(240, 136) else {
        return;
    };
    // The buffers grow several times on the way; captions bring letters that were not drawn before.
    let stages = [40, 300, 5_000, 14_000];
    let mut draw = |count: usize| {
        let snapshot = tumour(count);
        let settings = ViewSettings::default();
        let pose = automatic_pose(&snapshot, 0, &settings.look);
        let text = overlay(&snapshot, &format!("{count} cells: ÄÖ&%§ {}", count * 7919));
        studio
            .render(snapshot, &settings, pose, &text)
            .unwrap()
            .to_vec()
    };
    let once: Vec<Vec<u8>> = stages.iter().map(|count| draw(*count)).collect();
    let again: Vec<Vec<u8>> = stages.iter().map(|count| draw(*count)).collect();
    for (i, (first, second)) in once.iter().zip(&again).enumerate() {
        println!("stage {i}");
        assert_same(first, second);
    }
}

#[test]
fn a_cut_shows_the_dead_core_and_without_it_the_core_is_hidden() {
    let Some((_turn, mut studio)) = studio(640, 360) else {
        return;
    };
    let snapshot = tumour(6_000);
    let mut count = |look: Look| {
        let pose = automatic_pose(&snapshot, 0, &look);
        let pixels = studio
            .render(
                Arc::clone(&snapshot),
                &ViewSettings::of_look(look),
                pose,
                &OverlayContent::nothing(),
            )
            .unwrap();
        pixels_of_hue(pixels, STARVING)
    };
    let whole = count(Look::default());
    let open = count(Look {
        cut: Some(CUT),
        ..Look::default()
    });
    assert!(whole < 20, "{whole} pixels of dead cells on the outside");
    assert!(open > 300, "{open} pixels of dead cells in the section");
}

#[test]
fn whatever_the_catalogue_holds_colours_the_cells_and_those_without_a_value_are_grey() {
    let Some((_turn, mut studio)) = studio(320, 180) else {
        return;
    };
    let snapshot = tumour(2_000);
    let mut draw = |snapshot: &Arc<Snapshot>, colour_by| {
        let look = Look {
            colour_by,
            cut: Some(CUT),
            ..Look::default()
        };
        let pose = automatic_pose(snapshot, 0, &look);
        let settings = ViewSettings::of_look(look);
        studio
            .render(
                Arc::clone(snapshot),
                &settings,
                pose,
                &OverlayContent::nothing(),
            )
            .unwrap()
            .to_vec()
    };
    let by_type = draw(&snapshot, ColourBy::Type);
    let by_stage = draw(&snapshot, ColourBy::Category("stage".into()));
    let by_hunger = draw(&snapshot, ColourBy::Quantity("hunger".into()));
    assert!(by_type != by_stage && by_stage != by_hunger);
    let grey = |pixels: &[u8]| pixels_of_hue(pixels, palette::NO_VALUE);
    let (of_types, of_stages) = (grey(&by_type), grey(&by_stage));
    assert!(
        of_stages > of_types + 200,
        "fibroblasts have no stage: {of_stages} grey pixels, {of_types} without"
    );
    let unknown = draw(&snapshot, ColourBy::Quantity("nobody.knows".into()));
    assert_same(&by_type, &unknown);

    // Until values of a quantity come, cells stay as they were.
    let mut waiting = Snapshot::clone(&snapshot);
    let cells = &mut waiting.sites[0].cells;
    cells.quantities.retain(|(name, _)| name != "hunger");
    let waiting = Arc::new(waiting);
    assert_same(
        &by_stage,
        &draw(&waiting, ColourBy::Category("stage".into())),
    );
    assert_same(
        &by_stage,
        &draw(&waiting, ColourBy::Quantity("hunger".into())),
    );
    assert_same(
        &by_hunger,
        &draw(&snapshot, ColourBy::Quantity("hunger".into())),
    );
}

#[test]
fn a_field_without_values_shows_no_plane() {
    let Some((_turn, mut studio)) = studio(160, 90) else {
        return;
    };
    let full = tumour(60);
    let mut waiting = Snapshot::clone(&full);
    waiting.sites[0].fields[0].values.clear();
    let waiting = Arc::new(waiting);
    let whole = ViewSettings::of_look(Look {
        cut: Some(CUT),
        ..Look::default()
    });
    let mut draw = |snapshot: &Arc<Snapshot>, settings: &ViewSettings| {
        let pose = automatic_pose(&full, 0, &whole.look);
        let overlay = OverlayContent::nothing();
        let pixels = studio.render(Arc::clone(snapshot), settings, pose, &overlay);
        pixels.unwrap().to_vec()
    };
    let without_plane = draw(&full, &whole);
    assert_same(&without_plane, &draw(&waiting, &section()));
    assert!(without_plane != draw(&full, &section()));
}

#[test]
fn a_micrometre_is_as_long_in_the_picture_as_the_scale_bar_says() {
    let (width, height) = (1280, 720);
    let Some((_turn, mut studio)) = studio(width, height) else {
        return;
    };
    let radius = 60.0;
    let pose = CameraPose {
        target_um: (0.0, 0.0, 0.0),
        distance_um: 1500.0,
        azimuth_deg: -70.0,
        elevation_deg: 20.0,
    };
    let settings = ViewSettings {
        block_edges: false,
        ..ViewSettings::default()
    };
    let overlay = OverlayContent {
        scale_bar: true,
        ..OverlayContent::nothing()
    };
    let pixels = studio
        .render(lone_cell(radius), &settings, pose, &overlay)
        .unwrap();
    let row = |y: u32| &pixels[(y * width * 4) as usize..((y + 1) * width * 4) as usize];

    // The cell is the only thing in the middle row that is brighter than the background.
    let bright = row(height / 2)
        .chunks_exact(4)
        .filter(|pixel| pixel[0] > 75)
        .count() as f32;
    let radius = drawn_radius_um(radius);
    let per_pixel = um_per_pixel(&pose, height as f32);
    let outline = radius / (1.0 - (radius / pose.distance_um) * (radius / pose.distance_um)).sqrt();
    let expected = 2.0 * outline / per_pixel;
    assert!(
        (bright - expected).abs() < 3.0,
        "cell: {bright} px, expected {expected}"
    );

    let longest = (height * 3 / 4..height)
        .map(|y| {
            let mut run = 0;
            let mut best = 0;
            for pixel in row(y)[..(width * 2) as usize].chunks_exact(4) {
                run = if pixel[..3].iter().all(|c| *c > 235) {
                    run + 1
                } else {
                    0
                };
                best = best.max(run);
            }
            best
        })
        .max()
        .unwrap();
    let (um, length) = scale_bar(per_pixel, 170.0);
    assert!(
        (longest as f32 - length).abs() <= 1.5,
        "bar of {um} um: {longest} px, expected {length}"
    );
}

#[test]
fn any_size_works_and_rows_are_not_sheared() {
    for (width, height) in [(333, 201), (64, 64), (101, 57)] {
        let Some((_turn, mut studio)) = studio(width, height) else {
            return;
        };
        let pose = CameraPose {
            target_um: (0.0, 0.0, 0.0),
            distance_um: 900.0,
            azimuth_deg: 0.0,
            elevation_deg: 0.0,
        };
        let settings = ViewSettings {
            block_edges: false,
            ..ViewSettings::default()
        };
        let pixels = studio
            .render(
                lone_cell(100.0),
                &settings,
                pose,
                &OverlayContent::nothing(),
            )
            .unwrap();
        assert_eq!(pixels.len(), (width * height * 4) as usize);
        let (mut sum, mut count) = ((0.0, 0.0), 0.0);
        for (i, pixel) in pixels.chunks_exact(4).enumerate() {
            assert_eq!(pixel[3], 255);
            if pixel[0] > 75 {
                sum.0 += (i as u32 % width) as f64 + 0.5;
                sum.1 += (i as u32 / width) as f64 + 0.5;
                count += 1.0;
            }
        }
        let radius = f64::from(drawn_radius_um(100.0) / um_per_pixel(&pose, height as f32));
        let area = std::f64::consts::PI * radius * radius;
        assert!((count / area - 1.0).abs() < 0.15, "{count} px of {area}");
        assert!((sum.0 / count - f64::from(width) / 2.0).abs() < 1.5);
        assert!((sum.1 / count - f64::from(height) / 2.0).abs() < 1.5);
    }
}

#[test]
fn a_picture_of_nothing_and_of_a_missing_site_can_be_taken() {
    let Some((_turn, mut studio)) = studio(160, 90) else {
        return;
    };
    let mut settings = section();
    settings.site = 7;
    let snapshot = Arc::new(Snapshot::default());
    let pose = automatic_pose(&snapshot, 7, &settings.look);
    let overlay = OverlayContent::default();
    assert!(studio.render(snapshot, &settings, pose, &overlay).is_ok());
}

#[test]
fn impossible_sizes_are_refused() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    for (width, height) in [(0, 90), (160, 0), (u32::MAX, 1)] {
        assert!(matches!(
            Studio::new(width, height),
            Err(StudioError::Size { .. } | StudioError::NoDriver { .. })
        ));
    }
}

#[test]
fn without_a_driver_the_error_names_the_package_to_install() {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args(["--exact", "driverless_child", "--ignored", "--nocapture"])
        .env("VK_DRIVER_FILES", "/nowhere")
        .env("VK_ICD_FILENAMES", "/nowhere")
        .env("WGPU_BACKEND", "vulkan")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("mesa-vulkan-drivers"), "{text}");
}

#[test]
#[ignore = "run by without_a_driver_the_error_names_the_package_to_install in an environment without drivers"]
fn driverless_child() {
    if std::env::var_os("VK_DRIVER_FILES").is_none_or(|files| files != "/nowhere") {
        return;
    }
    let error = Studio::new(64, 64).err().unwrap();
    println!("{error}");
    assert!(matches!(error, StudioError::NoDriver { .. }));
}

fn write_png(path: &Path, size: (u32, u32), pixels: &[u8]) {
    let file =
        std::io::BufWriter::new(std::fs::File::create(path).expect("the folder is writable"));
    let mut encoder = png::Encoder::new(file, size.0, size.1);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .expect("the folder is writable")
        .write_image_data(pixels)
        .expect("the folder is writable");
}

/// Writes plates for the eye to the folder named in `TUMORSCAPE_PLATES`, of `TUMORSCAPE_CELLS` cells; those named in
/// `TUMORSCAPE_ONLY`, separated by commas, or all.
#[test]
#[ignore = "writes pictures for a person to look at; run with `cargo test --release -- --ignored`"]
fn plates() {
    let folder = std::env::var("TUMORSCAPE_PLATES").unwrap_or_else(|_| "/tmp/plates".to_owned());
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).unwrap();
    let wanted = std::env::var("TUMORSCAPE_ONLY").unwrap_or_default();
    let count = std::env::var("TUMORSCAPE_CELLS").map_or(20_000, |text| text.parse().unwrap());
    let snapshot = tumour(count);
    for (width, height) in [(1280, 720), (640, 360)] {
        let started = Instant::now();
        let mut studio = Studio::new(width, height).unwrap();
        println!("studio {:?} on {}", started.elapsed(), studio.driver());
        let whole = Look::default();
        let open = Look {
            cut: Some(CUT),
            ..whole.clone()
        };
        let section = Look {
            slice: Some(slice()),
            ..open.clone()
        };
        let by = |colour_by, look: &Look| Look {
            colour_by,
            ..look.clone()
        };
        let plates = [
            ("whole", whole.clone()),
            ("open", open.clone()),
            ("section", section.clone()),
            ("oxygen", by(ColourBy::Quantity("oxygen".into()), &section)),
            ("hunger", by(ColourBy::Quantity("hunger".into()), &section)),
            ("stage", by(ColourBy::Category("stage".into()), &open)),
            (
                "plain",
                Look {
                    style: Style::Plain,
                    ..section.clone()
                },
            ),
            (
                "plain_whole",
                Look {
                    style: Style::Plain,
                    ..whole.clone()
                },
            ),
            (
                "slice_whole",
                Look {
                    slice: Some(slice()),
                    ..whole
                },
            ),
        ];
        for (name, look) in plates {
            if !wanted.is_empty() && !wanted.split(',').any(|part| part == name) {
                continue;
            }
            let pose = automatic_pose(&snapshot, 0, &look);
            let settings = ViewSettings::of_look(look);
            let overlay = overlay(
                &snapshot,
                "The core has run out of oxygen: cells in the middle die.",
            );
            let started = Instant::now();
            let pixels = studio
                .render(Arc::clone(&snapshot), &settings, pose, &overlay)
                .unwrap()
                .to_vec();
            let first = started.elapsed();
            let started = Instant::now();
            let frames = 3;
            for _ in 0..frames {
                studio.draw().unwrap();
            }
            println!(
                "{name} {width}x{height}: {first:?} with filling the buffers, then {:?} a frame",
                started.elapsed() / frames
            );
            write_png(
                &folder.join(format!("{name}_{height}.png")),
                (width, height),
                &pixels,
            );
        }
    }
}
