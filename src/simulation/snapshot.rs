//! What a picture of the tissue needs, copied out of the simulation after a step.
//!
//! As in Bevy's render world, what is drawn is *extracted*: a [`Snapshot`] owns plain buffers, so a window
//! or a film can draw it while the next step is being computed, and nothing that draws can reach into a
//! simulation. Cells come in canonical order, so equal simulations give equal snapshots.

use std::sync::Arc;

use bevy::prelude::*;

use super::Simulation;
use crate::core::CellId;
use crate::core::columns::tables_with;
use crate::core::metric::{Metric, Metrics, SiteMetrics};
use crate::core::quantity::{Category, NO_VALUE, NONE, Quantities, Quantity, named};
use crate::measure::{Census, Wanted};
use crate::scene::{ColourBy, Look};
use crate::tissue::{FieldValues, Molecule, MoleculeName, Molecules, SiteId, Sites};

/// What is to be copied out; the rest is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotRequest {
    /// Quantities of cells, by name.
    pub quantities: Vec<String>,
    /// Categories of cells, by name, besides those that say how cells are built.
    pub categories: Vec<String>,
    /// Molecules whose fields are shown.
    pub fields: Vec<MoleculeName>,
    /// A cell of which everything is to be known, by identity.
    pub portrait: Option<u64>,
}

impl SnapshotRequest {
    /// What a look shows.
    pub fn of_look(look: &Look) -> Self {
        let mut request = Self::default();
        match &look.colour_by {
            ColourBy::Type => {}
            ColourBy::Category(name) => request.categories.push(name.clone()),
            ColourBy::Quantity(name) => request.quantities.push(name.clone()),
        }
        request
            .fields
            .extend(look.slice.as_ref().map(|slice| slice.molecule.clone()));
        request
    }
}

/// Everything that could be shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogue {
    /// Quantities of cells.
    pub quantities: Vec<Quantity>,
    /// Categories of cells.
    pub categories: Vec<Category>,
    /// Columns of the measurements.
    pub metrics: Vec<Metric>,
}

impl Catalogue {
    /// All that is registered in a world.
    pub fn of(world: &World) -> Self {
        let mut catalogue = Self::default();
        if let Some(known) = world.get_resource::<Quantities>() {
            let quantities = known.cells.iter();
            catalogue.quantities = quantities.map(|known| known.info.clone()).collect();
            let categories = known.categories.iter();
            catalogue.categories = categories.map(|known| known.info.clone()).collect();
        }
        if let Some(metrics) = world.get_resource::<Metrics>() {
            catalogue.metrics = metrics.iter().cloned().collect();
        }
        catalogue
    }

    /// The quantity of that name.
    pub fn quantity(&self, name: &str) -> Option<&Quantity> {
        self.quantities.iter().find(|known| known.name == name)
    }

    /// The category of that name.
    pub fn category(&self, name: &str) -> Option<&Category> {
        self.categories.iter().find(|known| known.name == name)
    }
}

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
    /// What could be shown.
    pub catalogue: Arc<Catalogue>,
    /// The cell asked for, if it is there.
    pub portrait: Option<Portrait>,
}

/// All that is known of a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Portrait {
    /// Its identity.
    pub id: u64,
    /// Each category it has, as a label, and its value.
    pub categories: Vec<(String, String)>,
    /// Each quantity it has: label, value, unit.
    pub quantities: Vec<(String, f32, String)>,
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
    /// Its molecules, in the order of the scene; of those that were not asked for there are no values.
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
    /// Quantities asked for, by name; NaN where a cell has none.
    pub quantities: Vec<(String, Vec<f32>)>,
    /// Categories asked for, by name, and all that say how cells are built; 255 where a cell has none.
    pub categories: Vec<(String, Vec<u8>)>,
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

    /// The values of a quantity, if it was asked for.
    pub fn quantity(&self, name: &str) -> Option<&[f32]> {
        named(&self.quantities, name)
    }

    /// The values of a category, if it was asked for.
    pub fn category(&self, name: &str) -> Option<&[u8]> {
        named(&self.categories, name)
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

/// Name of the quantity that says how large a nucleus is, um; every snapshot has it.
pub const NUCLEUS: &str = "body.nucleus_radius";

/// Copies out what a picture of this moment needs.
pub(super) fn extract(simulation: &Simulation, request: &SnapshotRequest) -> Snapshot {
    let world = simulation.world();
    let catalogue = simulation.catalogue();
    let says_build = |category: &&Category| {
        let mut values = category.values.iter();
        values.any(|value| value.build != crate::core::quantity::Build::Plain)
    };
    let mut wanted = Wanted {
        quantities: request.quantities.clone(),
        categories: request.categories.clone(),
    };
    wanted.quantities.push(NUCLEUS.into());
    let building = catalogue.categories.iter().filter(says_build);
    wanted
        .categories
        .extend(building.map(|category| category.name.clone()));
    for names in [&mut wanted.quantities, &mut wanted.categories] {
        names.sort();
        names.dedup();
    }
    let census = simulation.census(&wanted);
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
                        let is_wanted = request.fields.contains(&field.molecule);
                        let field = site.field(molecules.id(field.molecule.as_str())?)?;
                        let block = &field.grid.block;
                        let values = &world.get::<FieldValues>(field.entity)?.0;
                        Some(FieldSnapshot {
                            molecule: molecules.get(field.molecule).clone(),
                            dims: block.dims,
                            origin_um: block.min_um,
                            spacing_um: block.voxel_um,
                            values: if is_wanted {
                                values.clone()
                            } else {
                                Vec::new()
                            },
                        })
                    })
                    .collect(),
                metrics,
            })
            .collect(),
        portrait: request.portrait.and_then(|id| portrait(world, id)),
        catalogue,
    }
}

fn glyphs(census: &Census, site: SiteId) -> CellGlyphs {
    let rows: Vec<usize> = census.of_site(site).collect();
    CellGlyphs {
        sphere_um: rows
            .iter()
            .map(|row| {
                let [x, y, z] = census.positions_um[*row].to_array();
                [x, y, z, census.radii_um[*row]]
            })
            .collect(),
        id: rows.iter().map(|row| census.ids[*row].0).collect(),
        cell_type: rows.iter().map(|row| census.types[*row]).collect(),
        quantities: pick(&census.quantities, &rows),
        categories: pick(&census.categories, &rows),
    }
}

/// Some rows of named columns.
fn pick<T: Copy>(columns: &[(String, Vec<T>)], rows: &[usize]) -> Vec<(String, Vec<T>)> {
    let of = |values: &[T]| rows.iter().map(|row| values[*row]).collect();
    columns
        .iter()
        .map(|(name, values)| (name.clone(), of(values)))
        .collect()
}

/// All that is known of a cell.
fn portrait(world: &World, id: u64) -> Option<Portrait> {
    let known = world.get_resource::<Quantities>()?;
    let (table, row) = tables_with::<CellId>(world).find_map(|table| {
        let row = table
            .get::<CellId>()?
            .iter()
            .position(|cell| cell.0 == id)?;
        Some((table, row))
    })?;
    let mut portrait = Portrait {
        id,
        ..Portrait::default()
    };
    let mut living = true;
    for category in &known.categories {
        let mut value = [NO_VALUE];
        category.reader(world)(&table, row..row + 1, &mut value);
        if let Some(found) = category.info.values.get(usize::from(value[0])) {
            if category.info.prevails && found.colour.is_some() {
                living = false;
            }
            if living || !category.info.of_the_living {
                portrait
                    .categories
                    .push((category.info.label.clone(), found.label.clone()));
            }
        }
    }
    for quantity in &known.cells {
        let info = &quantity.info;
        let mut value = [NONE];
        quantity.reader(world)(&table, row..row + 1, &mut value);
        if !value[0].is_nan() && (living || !info.of_the_living) {
            portrait
                .quantities
                .push((info.label.clone(), value[0], info.unit.clone()));
        }
    }
    Some(portrait)
}
