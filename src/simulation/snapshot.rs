//! What a picture of the tissue needs, copied out of the simulation after a step.
//!
//! As in Bevy's render world, what is drawn is *extracted*: a [`Snapshot`] owns plain buffers, so a window
//! or a film can draw it while the next step is being computed, and nothing that draws can reach into a
//! simulation. Cells come in canonical order, so equal simulations give equal snapshots.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::Simulation;
use crate::cell::{Phase, State};
use crate::observe::Census;
use crate::tissue::{FieldValues, Molecule, MoleculeName, Molecules, SiteId, Sites};

/// The tissue at one moment, ready to be drawn.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Steps completed.
    pub step: u64,
    /// Tissue time, hours.
    pub hours: f64,
    /// Title of the scene.
    pub title: String,
    /// Names of the cell types, by the index used in [`CellGlyphs::cell_type`].
    pub cell_types: Vec<CellTypeStyle>,
    /// The molecules of the simulation.
    pub molecules: Molecules,
    /// The blocks of tissue, in the order of the scene.
    pub sites: Vec<SiteSnapshot>,
}

/// How a cell type is named and coloured.
#[derive(Clone, Debug, PartialEq)]
pub struct CellTypeStyle {
    /// Name of the prefab.
    pub name: String,
    /// Colour, sRGB, each channel 0-1.
    pub colour: [f32; 3],
}

/// One block of tissue.
#[derive(Clone, Debug, Default)]
pub struct SiteSnapshot {
    /// Name of the site in the scene.
    pub name: String,
    /// Lower corner of the block, site-local um.
    pub min_um: Vec3,
    /// Upper corner of the block, site-local um.
    pub max_um: Vec3,
    /// Its cells.
    pub cells: CellGlyphs,
    /// Its molecules, in the order of the scene.
    pub fields: Vec<FieldSnapshot>,
    /// Measurements of this site at this moment.
    pub metrics: SiteMetrics,
}

/// Cells as parallel arrays, one entry per cell, in canonical order.
#[derive(Clone, Debug, Default)]
pub struct CellGlyphs {
    /// Centre (x, y, z) and radius, um.
    pub sphere_um: Vec<[f32; 4]>,
    /// Identity, see [`crate::core::CellId`].
    pub id: Vec<u64>,
    /// Index into [`Snapshot::cell_types`].
    pub cell_type: Vec<u16>,
    /// Phase of the cell cycle.
    pub phase: Vec<Phase>,
    /// Alive, dying, dead.
    pub state: Vec<State>,
    /// Oxygen at the cell, mmHg.
    pub oxygen_mmhg: Vec<f32>,
    /// HIF-1a level, 0-1.
    pub hif_1a: Vec<f32>,
    /// Radius of the nucleus, um.
    pub nucleus_radius_um: Vec<f32>,
}

impl SiteSnapshot {
    /// The field of the molecule of that name, if the site simulates it.
    pub fn field(&self, molecule: &MoleculeName) -> Option<&FieldSnapshot> {
        let mut fields = self.fields.iter();
        fields.find(|field| field.molecule.name == molecule.as_str())
    }
}

impl CellGlyphs {
    /// Number of cells.
    pub fn len(&self) -> usize {
        self.id.len()
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }
}

/// One molecule in one site, voxel by voxel.
#[derive(Clone, Debug)]
pub struct FieldSnapshot {
    /// Which molecule.
    pub molecule: Molecule,
    /// Voxels along x, y, z.
    pub dims: UVec3,
    /// Lower corner of the first voxel, um.
    pub origin_um: Vec3,
    /// Edge lengths of a voxel, um.
    pub spacing_um: Vec3,
    /// Concentration in the molecule's unit, x fastest, then y, then z.
    pub values: Vec<f32>,
}

/// Measurements of one site at one moment: a row of `metrics.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SiteMetrics {
    /// Name and value of each column, in the order of the file. Units are in the names.
    pub columns: Vec<(String, f64)>,
}

impl SiteMetrics {
    /// The value of a column, if there is one of that name.
    pub fn get(&self, column: &str) -> Option<f64> {
        self.columns
            .iter()
            .find(|(name, _)| name == column)
            .map(|(_, value)| *value)
    }
}

/// Copies out what a picture of this moment needs.
pub(super) fn extract(simulation: &Simulation) -> Snapshot {
    let world = simulation.world();
    let census = simulation.census();
    let metrics = simulation.metrics();
    let sites = world.resource::<Sites>();
    let molecules = world.resource::<Molecules>();
    Snapshot {
        step: simulation.steps(),
        hours: simulation.hours(),
        title: simulation.scene().scene.title.clone(),
        cell_types: simulation
            .scene()
            .library
            .types
            .iter()
            .map(|prefab| CellTypeStyle {
                name: prefab.name.clone(),
                colour: prefab.colour.into(),
            })
            .collect(),
        molecules: molecules.clone(),
        sites: sites
            .list
            .iter()
            .zip(&simulation.scene().scene.sites)
            .zip(metrics)
            .enumerate()
            .map(|(index, ((site, words), metrics))| SiteSnapshot {
                name: site.block.name.clone(),
                min_um: site.block.min_um,
                max_um: site.block.max_um(),
                cells: glyphs(&census, SiteId(index as u16)),
                fields: words
                    .fields
                    .iter()
                    .filter_map(|field| {
                        let field = site.field(molecules.id(field.molecule.as_str())?)?;
                        let block = &field.grid.block;
                        Some(FieldSnapshot {
                            molecule: molecules.get(field.molecule).clone(),
                            dims: block.dims,
                            origin_um: block.min_um,
                            spacing_um: block.voxel_um,
                            values: world.get::<FieldValues>(field.entity)?.0.clone(),
                        })
                    })
                    .collect(),
                metrics,
            })
            .collect(),
    }
}

fn glyphs(census: &Census, site: SiteId) -> CellGlyphs {
    let cells = || census.cells.iter().filter(|cell| cell.site == site);
    CellGlyphs {
        sphere_um: cells()
            .map(|cell| {
                let [x, y, z] = cell.position_um.to_array();
                [x, y, z, cell.radius_um]
            })
            .collect(),
        id: cells().map(|cell| cell.id.0).collect(),
        cell_type: cells().map(|cell| cell.cell_type).collect(),
        phase: cells().map(|cell| cell.phase).collect(),
        state: cells().map(|cell| cell.state).collect(),
        oxygen_mmhg: cells().map(|cell| cell.oxygen_mmhg).collect(),
        hif_1a: cells().map(|cell| cell.hif_1a).collect(),
        nucleus_radius_um: cells().map(|cell| cell.nucleus_radius_um).collect(),
    }
}
