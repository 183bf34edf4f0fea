//! The cell that was clicked.

use bevy::prelude::*;
use bevy_egui::egui::Ui;

use crate::core::layer::{LayerColours, Tint};
use crate::core::spoken::spoken;
use crate::simulation::side_by_side::own_identity;
use crate::simulation::{SiteSnapshot, Snapshot};
use crate::view::overlay::{capitalised, pretty};
use crate::view::{PickedGlyph, Shown, ViewCamera, ViewSettings};

use super::super::rig;
use super::super::state::Sandbox;
use super::super::theme;

/// A cell on its way between two sites that a picture shows, and what it is called there.
fn a_traveller(site: &SiteSnapshot) -> Option<(u64, &str)> {
    let mut layers = site.layers.iter();
    let filled = layers.find(|filled| filled.layer.stands_for_cells)?;
    Some((filled.glyphs.first()?.id, filled.layer.label.as_str()))
}

/// What a snapshot says about a cell that is on its way between two sites.
fn describe_traveller(snapshot: &Snapshot, site: &SiteSnapshot, id: u64) -> Option<Description> {
    let centre_um = site.place_of_cell(id)?;
    let mut layers = site.layers.iter();
    let filled = layers.find(|filled| filled.layer.stands_for_cells)?;
    let mut rows = vec![
        ("Identity".to_owned(), format!("#{}", own_identity(id))),
        ("What".to_owned(), capitalised(&filled.layer.label)),
    ];
    add_portrait(&mut rows, snapshot, id);
    Some(Description { centre_um, rows })
}

/// What a snapshot says about a cell.
#[derive(Clone, Debug, PartialEq)]
struct Description {
    centre_um: Vec3,
    rows: Vec<(String, String)>,
}

/// Looks a cell up by its identity. What it is and where comes with every snapshot, the rest once it was asked for.
fn describe(snapshot: &Snapshot, site: usize, id: u64) -> Option<Description> {
    let drawn = snapshot.site(site)?;
    let cells = &drawn.cells;
    let Some(index) = cells.id.iter().position(|other| *other == id) else {
        return describe_traveller(snapshot, drawn, id);
    };
    let [x, y, z, _] = *cells.sphere_um.get(index)?;
    let kind = *cells.cell_type.get(index)?;
    let name = snapshot
        .cell_types
        .get(usize::from(kind))
        .map_or_else(|| format!("type {kind}"), |style| spoken(&style.name));
    let mut rows = vec![
        ("Identity".to_owned(), format!("#{}", own_identity(id))),
        ("Type".to_owned(), name),
    ];
    add_portrait(&mut rows, snapshot, id);
    rows.push(("Place".to_owned(), format!("{x:.0}, {y:.0}, {z:.0} µm")));
    Some(Description {
        centre_um: Vec3::new(x, y, z),
        rows,
    })
}

/// Adds what is known of a cell, once it was asked for.
fn add_portrait(rows: &mut Vec<(String, String)>, snapshot: &Snapshot, id: u64) {
    let portrait = snapshot.portrait.as_ref();
    let Some(portrait) = portrait.filter(|portrait| portrait.id == id) else {
        return;
    };
    for (label, value) in &portrait.categories {
        rows.push((capitalised(label), value.clone()));
    }
    for (label, value, unit) in &portrait.quantities {
        rows.push((capitalised(label), value_text(*value, unit)));
    }
}

/// A value with its unit.
pub(super) fn value_text(value: f32, unit: &str) -> String {
    if value.is_nan() {
        return "no value".to_owned();
    }
    let gap = if unit.is_empty() { "" } else { " " };
    format!("{}{gap}{}", three_digits(value), pretty(unit))
}

/// A number with three digits that count.
pub(super) fn three_digits(value: f32) -> String {
    let size = value.abs();
    if size == 0.0 || !size.is_finite() {
        format!("{value}")
    } else if !(1e-3..1e6).contains(&size) {
        format!("{value:.2e}")
    } else {
        let before_point = bevy::math::ops::log10(size).floor() as i32;
        let decimals = (2 - before_point).clamp(0, 3) as usize;
        format!("{value:.decimals$}")
    }
}

/// Fills its part of the right panel.
pub(super) fn show(
    ui: &mut Ui,
    sandbox: &mut Sandbox,
    shown: &Shown,
    settings: &mut ViewSettings,
    camera: &mut ViewCamera,
) {
    ui.label(theme::heading("Selected cell"));
    let Some(id) = settings.selected else {
        if let Some(picked) = settings.selected_glyph.clone() {
            show_glyph(ui, shown, settings, camera, &picked);
        } else {
            ui.label(theme::faint("Click a cell to see what it is doing."));
        }
        if let Some((traveller, what)) = shown.site(settings.site).and_then(a_traveller)
            && ui.button(format!("Ride with a {what}")).clicked()
        {
            settings.selected = Some(traveller);
            settings.selected_glyph = None;
            sandbox.stays_with_cell = true;
            if let Some(at_um) = shown
                .site(settings.site)
                .and_then(|of| of.place_of_cell(traveller))
            {
                rig::go_near(&mut camera.pose, at_um);
            }
        }
        return;
    };
    let Some(description) = describe(&shown.0, settings.site, id) else {
        let id = own_identity(id);
        ui.label(theme::faint(format!("Cell #{id} is no longer there.")));
        if ui.button("Let go").clicked() {
            settings.selected = None;
        }
        return;
    };
    theme::value_grid(ui, "portrait", &description.rows);
    ui.horizontal(|ui| {
        if ui.button("Look at it").clicked() {
            rig::go_near(&mut camera.pose, description.centre_um);
        }
        if ui.button("Let go").clicked() {
            settings.selected = None;
        }
        ui.checkbox(&mut sandbox.stays_with_cell, "Stay with it");
    });
}

/// What a snapshot says about a glyph.
fn describe_glyph(snapshot: &Snapshot, site: usize, picked: &PickedGlyph) -> Option<Description> {
    let layers = &snapshot.site(site)?.layers;
    let filled = layers
        .iter()
        .find(|filled| filled.layer.name == picked.layer)?;
    let glyph = filled.glyphs.iter().find(|glyph| glyph.id == picked.id)?;
    let centre_um = (glyph.points_um[0] + glyph.points_um[1]) * 0.5;
    let mut rows = vec![
        ("What".to_owned(), capitalised(&filled.layer.label)),
        ("Identity".to_owned(), format!("#{}", glyph.id)),
    ];
    match (glyph.tint, &filled.layer.colours) {
        (Tint::Value(value), LayerColours::Quantity(quantity)) if !value.is_nan() => {
            let value = value_text(value, &quantity.unit);
            rows.push((capitalised(&quantity.label), value));
        }
        (Tint::Class(number), LayerColours::Category(category)) => {
            if let Some(value) = category.values.get(usize::from(number)) {
                rows.push((capitalised(&category.label), value.label.clone()));
            }
        }
        _ => {}
    }
    let Vec3 { x, y, z } = centre_um;
    rows.push(("Place".to_owned(), format!("{x:.0}, {y:.0}, {z:.0} µm")));
    Some(Description { centre_um, rows })
}

fn show_glyph(
    ui: &mut Ui,
    shown: &Shown,
    settings: &mut ViewSettings,
    camera: &mut ViewCamera,
    picked: &PickedGlyph,
) {
    match describe_glyph(&shown.0, settings.site, picked) {
        Some(description) => {
            theme::value_grid(ui, "portrait", &description.rows);
            if ui.button("Look at it").clicked() {
                camera.pose.target_um = description.centre_um.into();
            }
        }
        None => {
            ui.label(theme::faint("It is no longer there."));
        }
    }
    if ui.button("Let go").clicked() {
        settings.selected_glyph = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::core::quantity::Category;
    use crate::measure::{Census, Wanted};
    use crate::simulation::{
        CellGlyphs, CellTypeStyle, Portrait, Program, Simulation, SiteSnapshot, SnapshotRequest,
    };

    #[test]
    fn a_cell_is_found_by_its_identity_and_described_by_whatever_is_known_of_it() {
        let mut snapshot = Snapshot {
            cell_types: vec![CellTypeStyle {
                name: "cancer_cell".into(),
                colour: [1.0; 3],
            }],
            sites: vec![SiteSnapshot {
                cells: CellGlyphs {
                    sphere_um: vec![[0.0; 4], [1.0, 2.0, 3.0, 8.0]],
                    id: vec![5, 9],
                    cell_type: vec![0, 0],
                    ..CellGlyphs::default()
                },
                ..SiteSnapshot::default()
            }],
            portrait: Some(Portrait {
                id: 9,
                categories: vec![("mood".into(), "sunny".into())],
                quantities: vec![
                    ("depth".into(), 12.34, "um".into()),
                    ("salt".into(), 0.567, String::new()),
                ],
                ..Portrait::default()
            }),
            ..Snapshot::default()
        };
        let rows_of = |snapshot: &Snapshot, id| {
            let rows = describe(snapshot, 0, id)?.rows;
            let rows = rows.into_iter().map(|(name, value)| [name, value]);
            Some(rows.collect::<Vec<_>>())
        };
        let found = describe(&snapshot, 0, 9).unwrap();
        assert_eq!(found.centre_um, Vec3::new(1.0, 2.0, 3.0));
        let expected = [
            ["Identity", "#9"],
            ["Type", "cancer cell"],
            ["Mood", "sunny"],
            ["Depth", "12.3 µm"],
            ["Salt", "0.567"],
            ["Place", "1, 2, 3 µm"],
        ];
        assert_eq!(rows_of(&snapshot, 9).unwrap(), expected);
        let other = rows_of(&snapshot, 5).unwrap();
        assert_eq!(other.len(), 3, "a portrait of another cell says nothing");
        assert_eq!(rows_of(&snapshot, 6), None);
        snapshot.portrait = None;
        assert_eq!(rows_of(&snapshot, 9).unwrap().len(), 3);
    }

    #[test]
    fn numbers_have_three_digits_that_count() {
        let texts = [0.0, 0.0123, 0.5, 12.345, 123.4, 54_321.0, 1.2e-5].map(three_digits);
        assert_eq!(
            texts,
            ["0", "0.012", "0.500", "12.3", "123", "54321", "1.20e-5"]
        );
    }

    #[test]
    fn every_value_of_a_known_cell_is_that_of_the_world() {
        let text = r#"(
            title: "T", about: "A", pace: Illustrative, duration: Hours(4), step: Minutes(2), seed: 4,
            sites: [(name: "dish", organ: Breast, size_um: (200, 200, 200), perfusion_length_um: 100, fields: [
                (molecule: "oxygen", level: 9), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1.5),
                (molecule: "vegf_a", level: 0), (molecule: "tgf_beta", level: 0),
            ])],
            populations: [(cell: "cancer", place: Ball(radius_um: 50))],
        )"#;
        let scene = Program::default().parse_scene(text, "t.ron", None);
        let scene = scene.unwrap_or_else(|report| panic!("{report}"));
        let mut simulation = Simulation::new(Arc::new(scene), 4).expect("it is valid");
        for _ in 0..40 {
            simulation.step();
        }
        let world = simulation.world();
        // Read for all cells at once, as tables and measurements are; a portrait reads the one cell.
        let census = Census::take(world, &Wanted::all(world));
        let mut seen = 0;
        for row in (0..census.len()).step_by(7) {
            let id = census.ids[row].0;
            let request = SnapshotRequest {
                portrait: Some(id),
                ..SnapshotRequest::default()
            };
            let snapshot = simulation.snapshot(&request);
            let rows = describe(&snapshot, 0, id).expect("it is there").rows;
            let says = |label: &str, value: String| {
                let row = (capitalised(label), value);
                assert!(rows.contains(&row), "{row:?} of #{id}: {rows:?}");
            };
            let Vec3 { x, y, z } = census.positions_um[row];
            says("Place", format!("{x:.0}, {y:.0}, {z:.0} µm"));
            let catalogue = &snapshot.catalogue;
            let class_of = |info: &Category| {
                let number = census.category(&info.name)?[row];
                info.values.get(usize::from(number)).cloned()
            };
            let is_dead = catalogue.categories.iter().any(|info| {
                info.prevails && class_of(info).is_some_and(|value| value.colour.is_some())
            });
            for info in &catalogue.categories {
                if let Some(value) = class_of(info)
                    && !(is_dead && info.of_the_living)
                {
                    says(&info.label, value.label);
                }
            }
            for info in &catalogue.quantities {
                let column = census.quantity(&info.name);
                if let Some(value) = column.map(|column| column[row])
                    && !value.is_nan()
                    && !(is_dead && info.of_the_living)
                {
                    says(&info.label, value_text(value, &info.unit));
                    seen += 1;
                }
            }
        }
        assert!(seen > 100, "{seen} values");
    }
}
