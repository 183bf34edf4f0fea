//! A film made by `record` decodes, has the promised size, rate and length, is not blank and changes over time.
#![cfg(feature = "view")]

use std::process::Command;

use openh264::decoder::Decoder;
use openh264::formats::YUVSource;
use shiguredo_mp4::boxes::SampleEntry;
use shiguredo_mp4::demux::{Input, Mp4FileDemuxer};

const SCENE: &str = r#"(
    title: "a film", about: "of a growing tumour", pace: Illustrative, duration: Hours(10),
    sites: [(
        name: "breast", organ: Breast, size_um: (400, 400, 400),
        fields: [(molecule: "oxygen", level: 38)], perfusion_length_um: 100,
    )],
    populations: [(cell: "cancer", place: Ball(radius_um: 60))],
    timeline: [
        At(Hours(0), Camera(distance_um: 500, azimuth_deg: 0)),
        At(Hours(1), Chapter("1", "It grows")),
        At(Hours(2), Plot(title: "Living and dying cells")),
        At(Hours(2), Label(text: "the middle", lasts: Hours(3))),
        At(Hours(4), Label(text: "a cell divides", at: Event(kind: "division"), lasts: Hours(2))),
        At(Hours(5), Look(cut: (axis: Y), slice: (molecule: "oxygen"))),
        At(Hours(10), Camera(distance_um: 400, azimuth_deg: 90)),
    ],
)"#;

/// Mean and spread of the luma of a frame, and its pixels.
fn luma(frame: &impl YUVSource) -> (f64, f64, Vec<u8>) {
    let (width, height) = frame.dimensions();
    let (stride, _, _) = frame.strides();
    let pixels: Vec<u8> = (0..height)
        .flat_map(|row| frame.y()[row * stride..row * stride + width].to_vec())
        .collect();
    let count = pixels.len() as f64;
    let mean = pixels.iter().map(|y| f64::from(*y)).sum::<f64>() / count;
    let spread = (pixels
        .iter()
        .map(|y| (f64::from(*y) - mean).powi(2))
        .sum::<f64>()
        / count)
        .sqrt();
    (mean, spread, pixels)
}

#[test]
fn a_recorded_film_is_what_was_asked_for_and_shows_something_that_changes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("film.ron"), SCENE).expect("the folder is writable");
    let output = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
        .args([
            "record",
            "film.ron",
            "--size",
            "480x270",
            "--fps",
            "12",
            "--seconds",
            "2",
            "--quiet",
        ])
        .current_dir(folder.path())
        .output()
        .expect("the program starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let file =
        std::fs::read(folder.path().join("film.mp4")).expect("the film is named after the scene");
    let mut demuxer = Mp4FileDemuxer::new();
    demuxer.handle_input(Input {
        position: 0,
        data: &file,
    });
    let track = &demuxer.tracks().expect("an MP4 file")[0];
    let seconds = track.duration as f64 / f64::from(track.timescale.get());
    assert!((seconds - 2.0).abs() < 1e-6, "{seconds} s");

    let mut decoder = Decoder::new().expect("the decoder is bundled");
    let mut frames = Vec::new();
    while let Some(sample) = demuxer.next_sample().expect("whole samples") {
        let mut stream = Vec::new();
        if let Some(SampleEntry::Avc1(avc)) = sample.sample_entry {
            for set in avc.avcc_box.sps_list.iter().chain(&avc.avcc_box.pps_list) {
                stream.extend([0, 0, 0, 1]);
                stream.extend(set);
            }
        }
        let mut units = &file[sample.data_offset as usize..][..sample.data_size];
        while let Some((length, rest)) = units.split_first_chunk::<4>() {
            let (unit, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
            stream.extend([0, 0, 0, 1]);
            stream.extend(unit);
            units = rest;
        }
        if let Some(frame) = decoder.decode(&stream).expect("a frame") {
            assert_eq!(frame.dimensions(), (480, 270));
            frames.push(luma(&frame));
        }
    }
    for frame in decoder.flush_remaining().expect("the last frames") {
        frames.push(luma(&frame));
    }
    assert_eq!(frames.len(), 24, "two seconds at twelve frames a second");
    for (mean, spread, _) in &frames {
        assert!(
            (5.0..250.0).contains(mean) && *spread > 4.0,
            "not blank: mean {mean}, spread {spread}"
        );
    }
    let changed = |a: &[u8], b: &[u8]| {
        let many = a
            .iter()
            .zip(b)
            .filter(|(a, b)| a.abs_diff(**b) > 12)
            .count();
        many as f64 / a.len() as f64
    };
    let (first, middle, last) = (&frames[0].2, &frames[13].2, &frames[23].2);
    assert!(
        changed(first, middle) > 0.02 && changed(middle, last) > 0.02,
        "it changes over time"
    );
}

/// Width, height and pixels of a still, three bytes each.
fn still(file: &std::path::Path) -> (usize, usize, Vec<u8>) {
    let file = std::fs::File::open(file).expect("the still is there");
    let mut reader = png::Decoder::new(std::io::BufReader::new(file))
        .read_info()
        .expect("a PNG file");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a small picture")];
    let frame = reader.next_frame(&mut pixels).expect("a picture");
    (frame.width as usize, frame.height as usize, pixels)
}

#[test]
fn an_arm_is_filmed_beside_its_scene_from_its_time_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // The arm loses its tumour after five hours: what is rose on the left is not there on the right.
    let scene = r#"(
        title: "two", about: "one is cut out", pace: Illustrative, duration: Hours(8), step: Minutes(10),
        sites: [(
            name: "breast", organ: Breast, size_um: (200, 200, 200),
            fields: [(molecule: "oxygen", level: 38)], perfusion_length_um: 100,
        )],
        populations: [(cell: "cancer", place: Ball(radius_um: 60))],
        timeline: [At(Hours(0), Camera(distance_um: 350, azimuth_deg: -90))],
        arms: [(name: "cut out", timeline: [At(Hours(5), Resect())])],
        recording: (beside: (arm: "cut out", from: Hours(5), names: ("left alone", "cut out"))),
    )"#;
    std::fs::write(folder.path().join("two.ron"), scene).expect("the folder is writable");
    let shoot = |time: &str, name: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
            .args(["record", "two.ron", "--quiet", "--size", "480x270"])
            .args(["--still", time, "-o", name])
            .current_dir(folder.path())
            .output()
            .expect("the program starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
        let stem = name.trim_end_matches(".png");
        still(&folder.path().join(format!("{stem}_00000.png")))
    };
    // Pixels that are more red than green and blue, in the left and in the right half, beside the plates of the texts.
    let rose = |(width, height, pixels): &(usize, usize, Vec<u8>)| {
        let mut counts = [0_usize; 2];
        for y in height / 3..height / 2 {
            for x in 0..*width {
                let at = 3 * (y * width + x);
                let [r, g, b] = [0, 1, 2].map(|channel| i32::from(pixels[at + channel]));
                if r > g + 30 && r > b + 10 {
                    counts[usize::from(x >= width / 2)] += 1;
                }
            }
        }
        counts
    };
    let [left, right] = rose(&shoot("4h", "before.png"));
    assert!(
        left > 300 && right > 300,
        "one tumour in the middle: {left}, {right}"
    );
    let [left, right] = rose(&shoot("7h", "after.png"));
    assert!(left > 600, "the tumour on the left: {left}");
    assert!(
        right < left / 10,
        "nothing is left on the right: {right} of {left}"
    );
}
