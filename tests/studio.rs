//! Pictures made without a window: complete, exact, and the same every time.
#![cfg(feature = "view")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use support::tumour;
use tumorscape::record::studio::Studio;
use tumorscape::scene::look::Axis;
use tumorscape::scene::{ColourBy, Cut, Look, Slice};
use tumorscape::simulation::Snapshot;
use tumorscape::tissue::Molecule;
use tumorscape::view::{OverlayContent, ViewSettings, automatic_pose};

const CUT: Cut = Cut {
    axis: Axis::Y,
    at_um: 0.0,
    flip: false,
};
const SLICE: Slice = Slice {
    molecule: Molecule::Oxygen,
    axis: Axis::Y,
    at_um: 0.0,
};

fn overlay(snapshot: &Snapshot, caption: &str) -> OverlayContent {
    OverlayContent {
        title: snapshot.title.clone(),
        caption: caption.to_owned(),
        ..OverlayContent::default()
    }
}

fn write_png(path: &Path, size: (u32, u32), pixels: &[u8]) {
    let file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let mut encoder = png::Encoder::new(file, size.0, size.1);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(pixels)
        .unwrap();
}

/// Writes plates for the eye to the folder named in `TUMORSCAPE_PLATES`.
#[test]
#[ignore = "writes pictures for a person to look at"]
fn plates() {
    let folder = std::env::var("TUMORSCAPE_PLATES").unwrap_or_else(|_| "/tmp/plates".to_owned());
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).unwrap();
    let wanted = std::env::var("TUMORSCAPE_ONLY").unwrap_or_default();
    let snapshot = tumour(20_000);
    for (width, height) in [(1280, 720), (640, 360)] {
        let started = Instant::now();
        let mut studio = Studio::new(width, height).unwrap();
        println!("studio {:?} on {}", started.elapsed(), studio.driver());
        let whole = Look::default();
        let open = Look {
            cut: Some(CUT),
            ..whole
        };
        let section = Look {
            slice: Some(SLICE),
            ..open
        };
        let by = |colour_by, look: Look| Look { colour_by, ..look };
        let plates = [
            ("whole", whole),
            ("open", open),
            ("section", section),
            ("oxygen", by(ColourBy::Oxygen, section)),
            ("hif", by(ColourBy::Hif, section)),
            ("phase", by(ColourBy::Phase, open)),
            (
                "slice_whole",
                Look {
                    slice: Some(SLICE),
                    ..whole
                },
            ),
        ];
        for (name, look) in plates {
            if !wanted.is_empty() && !wanted.split(',').any(|part| part == name) {
                continue;
            }
            let mut settings = ViewSettings::of_look(look);
            settings.site = 0;
            let pose = automatic_pose(&snapshot, 0, &look);
            let overlay = overlay(
                &snapshot,
                "The core has run out of oxygen: cells in the middle die.",
            );
            let started = Instant::now();
            let pixels = studio
                .render(Arc::clone(&snapshot), &settings, pose, &overlay)
                .unwrap()
                .to_vec();
            println!("{name} {width}x{height}: {:?}", started.elapsed());
            write_png(
                &folder.join(format!("{name}_{height}.png")),
                (width, height),
                &pixels,
            );
        }
    }
}
