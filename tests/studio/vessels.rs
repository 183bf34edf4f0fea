//! What it costs to draw vessels.

use std::sync::Arc;
use std::time::Instant;

use tumorscape::scene::{LayersShown, Look};
use tumorscape::simulation::snapshot::SnapshotRequest;
use tumorscape::simulation::{Program, Simulation};
use tumorscape::view::ViewSettings;

use super::{picture, studio};

/// The shipped scene of a tumour among drawn vessels.
const SUPPLY: &str = include_str!("../../scenes/blood_supply.ron");

#[test]
#[ignore = "a timing: run alone, with `cargo test --release --test studio vessels -- --ignored --nocapture`"]
fn vessels_add_at_most_three_tenths_to_a_frame() {
    let Some((_turn, mut studio)) = studio(1280, 720) else {
        return;
    };
    let scene = Program::default().parse_scene(SUPPLY, "supply.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    let mut simulation = Simulation::new(Arc::new(scene), 1).expect("its parameters are valid");
    simulation.step();
    let settings = [LayersShown::Nothing, LayersShown::All].map(|layers| {
        ViewSettings::of_look(Look {
            layers,
            ..Look::default()
        })
    });
    let mut seconds = [Vec::new(), Vec::new()];
    for round in 0..12 {
        for (settings, seconds) in settings.iter().zip(&mut seconds) {
            // New to the view, as in a film.
            let snapshot = Arc::new(simulation.snapshot(&SnapshotRequest {
                layers: Some(settings.look.layers.clone()),
                ..SnapshotRequest::default()
            }));
            let begin = Instant::now();
            picture(&mut studio, &snapshot, settings);
            // The first two make what all share.
            if round > 1 {
                seconds.push(begin.elapsed().as_secs_f64());
            }
        }
    }
    let [without, with] = seconds.map(|mut of| {
        of.sort_by(f64::total_cmp);
        of[of.len() / 2]
    });
    println!("{without:.3} s without vessels, {with:.3} s with them");
    assert!(with <= 1.3 * without, "{with} {without}");
}
