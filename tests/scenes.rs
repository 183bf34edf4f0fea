//! What a scene author sees.

use bevy::prelude::*;
use std::path::Path;
use tumorscape::core::parameters::*;
use tumorscape::scene::*;

#[derive(Resource, Reflect, Clone, Default)]
struct Weather {
    warmth_c: f32,
    rain: f32,
}
impl Parameters for Weather {
    fn limits(field: &str) -> Limits {
        if field == "warmth_c" {
            Limits {
                min: -50.0,
                max: 60.0,
            }
        } else {
            Limits::NON_NEGATIVE
        }
    }
}

#[test]
fn show() {
    let prototype = |library: &CellLibrary| {
        let mut app = App::empty();
        app.register_group::<Weather>("weather");
        app.insert_resource(CellTypeNames(library.names()));
        std::mem::take(app.world_mut())
    };
    let context = SceneContext {
        metrics: Some(&|_| vec!["cells".into(), "hypoxic_fraction".into()]),
        prototype: Some(&prototype),
        ..Default::default()
    };
    let mut files: Vec<_> = std::fs::read_dir("tests/bad_scenes")
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().unwrap() == "ron")
        .collect();
    files.sort();
    for file in files {
        println!("##### {}", file.display());
        match load_scene(&file, &context) {
            Ok(_) => println!("FINE"),
            Err(report) => println!("{report}"),
        }
    }
    let _ = Path::new("");
}
