//! What a frame costs, and what fibres and basement membranes add to it.

use tumorscape::simulation::{Program, Simulation, SnapshotRequest};

use super::cost::{least, seconds};
use super::*;

/// A duct of 10^4 cells within its membrane, in a stroma of fibres.
const DUCT: &str = r#"(
    title: "duct", about: "-", pace: Illustrative, duration: Hours(1),
    sites: [(
        name: "breast", organ: Breast, size_um: (600, 600, 600),
        fields: [(molecule: "oxygen", level: 38), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1.5)],
        tissue: (
            matrix: (density: 0.5, fibres: Around, outside_um: 180),
            membranes: [(around: Duct(from_um: (-300, 0, 0), to_um: (300, 0, 0), radius_um: 185))],
        ),
    )],
    populations: [
        (cell: "cancer", place: Cylinder(from_um: (-300, 0, 0), to_um: (300, 0, 0), radius_um: 180)),
        (cell: "fibroblast", place: Scatter(per_mm3: 5000, outside_um: 200)),
    ],
)"#;

#[test]
#[ignore = "takes the machine for itself; run with `cargo test --release -- --ignored`"]
fn fibres_and_a_membrane_add_part_of_a_frame() {
    let Some((_turn, mut studio)) = studio(1280, 720) else {
        return;
    };
    let scene = Program::default().parse_scene(DUCT, "duct.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    let mut simulation = Simulation::new(Arc::new(scene), 1).expect("its parameters are valid");
    simulation.step();
    let layers = [
        LayersShown::Nothing,
        LayersShown::Only(vec!["matrix.fibres".into(), "membrane.sheets".into()]),
    ];
    for cut in [
        None,
        Some(Cut {
            axis: Axis::X,
            at_um: 0.0,
            flip: false,
        }),
    ] {
        let views = layers.clone().map(|layers| {
            let look = Look {
                layers,
                cut,
                ..Look::default()
            };
            let snapshot = simulation.snapshot(&SnapshotRequest::of_look(&look));
            let pose = automatic_pose(&snapshot, 0, &look);
            (snapshot, ViewSettings::of_look(look), pose)
        });
        let glyphs: usize = views[1].0.sites[0]
            .layers
            .iter()
            .map(|of| of.glyphs.len())
            .sum();
        assert!(glyphs > 20_000, "{glyphs} glyphs");
        let mut took = [Vec::new(), Vec::new()];
        for _ in 0..6 {
            for ((snapshot, settings, pose), took) in views.iter().zip(&mut took) {
                // A new value each time: all is filled and uploaded again.
                let again = Arc::new(Snapshot::clone(snapshot));
                took.push(seconds(|| {
                    studio
                        .render(
                            Arc::clone(&again),
                            settings,
                            *pose,
                            &OverlayContent::nothing(),
                        )
                        .expect("the driver works");
                }));
            }
        }
        let [without, with] = took.map(|took| least(&took));
        println!(
            "{} cells {without:.2} s of the processor a frame, with {glyphs} glyphs {with:.2} s, cut: {}",
            simulation.cell_count(),
            cut.is_some()
        );
        // The goal is 1.3, and is missed: see `docs/performance.md`. A mistake costs many times as much.
        assert!(with < 2.5 * without, "{without}, {with} s");
    }
}

#[test]
#[ignore = "takes the machine for itself; run with `cargo test --release -- --ignored`"]
fn a_hundred_thousand_cells_take_four_tenths_of_a_second_a_frame() {
    let Some((_turn, mut studio)) = studio(1280, 720) else {
        return;
    };
    println!("drawn by {}", studio.driver());
    let snapshot = tumour(100_000);
    let cut = Some(Cut {
        axis: Axis::Y,
        at_um: 0.0,
        flip: false,
    });
    for (name, cut) in [("whole", None), ("cut open", cut)] {
        let look = Look {
            cut,
            ..Look::default()
        };
        let pose = automatic_pose(&snapshot, 0, &look);
        let settings = ViewSettings::of_look(look);
        studio
            .render(
                Arc::clone(&snapshot),
                &settings,
                pose,
                &OverlayContent::nothing(),
            )
            .expect("the driver works");
        let took: Vec<f64> = (0..5)
            .map(|_| {
                seconds(|| {
                    studio.draw().expect("the driver works");
                })
            })
            .collect();
        // A software driver shares a frame out to both cores.
        let frame = least(&took) / 2.0;
        println!("{name}: {frame:.3} s a frame on two cores");
        assert!(frame < 0.4, "{name}: {frame} s");
    }
}
