//! Every panel as a person finds it: each control by its label, doing what it says.

mod cards;
mod picture;
mod time;
mod tissue;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::math::Vec3;
use bevy_egui::egui::{Ui, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use super::super::arrival::Arrival;
use super::super::engine::tests::Counter;
use super::super::state::Sandbox;
use super::super::visit::Visit;
use super::*;
use crate::core::metric::Metric;
use crate::core::quantity::{Category, Quantity};
use crate::scene::ParsedScene;
use crate::simulation::{CellGlyphs, CellTypeStyle, Portrait, SiteSnapshot, Snapshot};

/// What the panels share, without a window.
struct Bench {
    sandbox: Sandbox,
    shown: Shown,
    settings: ViewSettings,
    camera: ViewCamera,
}

const SCENE: &str = r#"(title: "A dish", about: "Cells.", pace: Calibrated, duration: Hours(10), sites: [],
    timeline: [
        At(Hours(0), Chapter("1", "It begins")), At(Hours(1), Caption("Something happens.")),
        At(Hours(4), Chapter("2", "It goes on")), At(Hours(0), Camera(distance_um: 500)), At(Hours(5), Look(style: Plain)), At(Hours(0), Look(style: Rich)),
    ])"#;

fn arrival(scene: &str, name: &str) -> Arrival {
    let scene = ParsedScene::from_ron("test.ron", scene).expect("it can be read");
    let visit = Visit::new(Arc::new(scene), name.into(), 1);
    Arrival::new(visit, Counter::default())
}

impl Bench {
    fn new() -> Self {
        let sandbox = Sandbox::begin(arrival(SCENE, "dish"), Arc::new(|_: bool| {}));
        Self {
            sandbox: sandbox.expect("a thread"),
            shown: Shown::default(),
            settings: ViewSettings::default(),
            camera: ViewCamera::default(),
        }
    }

    fn receive(&mut self) {
        self.sandbox
            .welcome(&mut self.shown, &mut self.settings, &mut self.camera);
        self.sandbox
            .receive(&mut self.shown, &mut self.settings, &mut self.camera);
    }

    /// Takes in reports until something holds.
    fn wait(&mut self, wanted: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !wanted(self) {
            assert!(start.elapsed() < Duration::from_secs(20), "it never holds");
            self.receive();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Shows a panel of it.
    fn show(self, panel: fn(&mut Ui, &mut Self)) -> Harness<'static, Self> {
        let tall = Harness::builder().with_size(vec2(460.0, 3200.0));
        let mut is_dressed = false;
        let mut harness = tall.build_ui_state(
            move |ui, bench: &mut Self| {
                if !is_dressed {
                    theme::apply(ui.ctx(), bench.sandbox.layout.theme);
                    is_dressed = true;
                }
                panel(ui, bench);
            },
            self,
        );
        harness.run_steps(4);
        harness
    }
}

/// Clicks what has this label.
fn click(harness: &mut Harness<'_, Bench>, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(3);
}

/// Whether something has this label.
fn says(harness: &Harness<'_, Bench>, label: &str) -> bool {
    harness.query_all_by_label_contains(label).next().is_some()
}

/// A snapshot of two sites with cells of two types, a field and something to colour by.
fn snapshot() -> Snapshot {
    let site = |name: &str, types: Vec<u16>| SiteSnapshot {
        name: name.into(),
        min_um: Vec3::splat(-50.0),
        max_um: Vec3::splat(50.0),
        cells: CellGlyphs {
            sphere_um: (0..types.len())
                .map(|cell| [10.0 * cell as f32, 2.0, 3.0, 8.0])
                .collect(),
            id: (1..=types.len() as u64).collect(),
            cell_type: types,
            ..CellGlyphs::default()
        },
        ..SiteSnapshot::default()
    };
    let style = |name: &str| CellTypeStyle {
        name: name.into(),
        colour: [0.5; 3],
    };
    let category = Category {
        name: "mood".into(),
        label: "mood".into(),
        about: "How it feels.".into(),
        values: Vec::new(),
        prevails: false,
        of_the_living: false,
    };
    let metric = |name: &str, plot: &str| Metric::new(name, "", "About it.").plot(plot);
    Snapshot {
        cell_types: vec![style("round_cell"), style("long_cell")],
        catalogue: Arc::new(Catalogue {
            categories: vec![category],
            quantities: vec![Quantity::new("sea.depth", "m", "How deep.").featured()],
            metrics: vec![metric("sum", "Sums"), metric("rain", "Weather")],
            ..Catalogue::default()
        }),
        sites: vec![site("breast", vec![0, 0, 1]), site("lung", vec![1])],
        portrait: Some(Portrait {
            id: 2,
            quantities: vec![("depth".into(), 12.34, "um".into())],
            ..Portrait::default()
        }),
        ..Snapshot::default()
    }
}

fn left_panel(ui: &mut Ui, bench: &mut Bench) {
    controls::show(
        ui,
        &mut bench.sandbox,
        &bench.shown,
        &mut bench.settings,
        &mut bench.camera,
    );
}
