//! The cell that was clicked.

use bevy::prelude::*;
use bevy_egui::egui::Ui;

use crate::cell::State;
use crate::simulation::Snapshot;
use crate::view::{Shown, ViewCamera, ViewSettings};

use super::super::theme;

/// What a snapshot says about a cell.
#[derive(Clone, Debug, PartialEq)]
struct Portrait {
    centre_um: Vec3,
    rows: Vec<(&'static str, String)>,
}

/// Looks a cell up by its identity.
fn portrait(snapshot: &Snapshot, site: usize, id: u64) -> Option<Portrait> {
    let cells = &snapshot.sites.get(site)?.cells;
    let index = cells.id.iter().position(|other| *other == id)?;
    let [x, y, z, radius] = *cells.sphere_um.get(index)?;
    let kind = *cells.cell_type.get(index)?;
    let state = *cells.state.get(index)?;
    let name = snapshot.cell_types.get(usize::from(kind)).map_or_else(
        || format!("type {kind}"),
        |style| style.name.replace('_', " "),
    );
    let mut rows = vec![
        ("Identity", format!("#{id}")),
        ("Type", name),
        ("State", state.label().to_owned()),
    ];
    if state == State::Alive {
        rows.push(("Cycle phase", cells.phase.get(index)?.label().to_owned()));
    }
    rows.push((
        "Oxygen",
        format!("{:.1} mmHg", cells.oxygen_mmhg.get(index)?),
    ));
    if state == State::Alive {
        rows.push(("HIF-1α", format!("{:.2}", cells.hif_1a.get(index)?)));
    }
    rows.push(("Diameter", format!("{:.1} µm", radius * 2.0)));
    rows.push(("Place", format!("{x:.0}, {y:.0}, {z:.0} µm")));
    Some(Portrait {
        centre_um: Vec3::new(x, y, z),
        rows,
    })
}

/// Fills its part of the right panel.
pub(super) fn show(
    ui: &mut Ui,
    shown: &Shown,
    settings: &mut ViewSettings,
    camera: &mut ViewCamera,
) {
    ui.label(theme::heading("Selected cell"));
    let Some(id) = settings.selected else {
        ui.label(theme::faint("Click a cell to see what it is doing."));
        return;
    };
    let Some(portrait) = portrait(&shown.0, settings.site, id) else {
        ui.label(theme::faint(format!("Cell #{id} is no longer there.")));
        if ui.button("Let go").clicked() {
            settings.selected = None;
        }
        return;
    };
    theme::value_grid(ui, "portrait", &portrait.rows);
    ui.horizontal(|ui| {
        if ui.button("Look at it").clicked() {
            camera.pose.target_um = portrait.centre_um.into();
        }
        if ui.button("Let go").clicked() {
            settings.selected = None;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Phase;
    use crate::simulation::{CellGlyphs, CellTypeStyle, SiteSnapshot};

    #[test]
    fn a_cell_is_found_by_its_identity_and_described() {
        let snapshot = Snapshot {
            cell_types: vec![CellTypeStyle {
                name: "cancer_cell".into(),
                colour: [1.0; 3],
            }],
            sites: vec![SiteSnapshot {
                cells: CellGlyphs {
                    sphere_um: vec![[0.0; 4], [1.0, 2.0, 3.0, 8.0]],
                    id: vec![5, 9],
                    cell_type: vec![0, 0],
                    phase: vec![Phase::S, Phase::M],
                    state: vec![State::NecroticLysed, State::Alive],
                    oxygen_mmhg: vec![0.0, 12.34],
                    hif_1a: vec![0.0, 0.567],
                    nucleus_radius_um: vec![0.0, 4.0],
                },
                ..SiteSnapshot::default()
            }],
            ..Snapshot::default()
        };
        let portrait_of = |id| portrait(&snapshot, 0, id);
        let living = portrait_of(9).unwrap();
        assert_eq!(living.centre_um, Vec3::new(1.0, 2.0, 3.0));
        let value = |name: &str| {
            living
                .rows
                .iter()
                .find(|(row, _)| *row == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(value("Type"), Some("cancer cell"));
        assert_eq!(value("Cycle phase"), Some("M"));
        assert_eq!(value("Oxygen"), Some("12.3 mmHg"));
        assert_eq!(value("HIF-1α"), Some("0.57"));
        assert_eq!(value("Diameter"), Some("16.0 µm"));
        let dead = portrait_of(5).unwrap();
        assert!(dead.rows.iter().all(|(row, _)| *row != "Cycle phase"));
        assert_eq!(portrait_of(6), None);
    }
}
