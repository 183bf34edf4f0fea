//! What a picture of the tissue needs, copied out of the simulation after a step.
//!
//! As in Bevy's render world, what is drawn is *extracted*: a [`Snapshot`] owns plain buffers, so a window
//! or a film can draw it while the next step is being computed, and nothing that draws can reach into a
//! simulation. Cells come in canonical order, so equal simulations give equal snapshots.

use std::sync::Arc;

use bevy::prelude::*;

use super::portrait::{Portrait, portrait};
use super::{ArmsShown, Simulation};
use crate::cell::shape::{STRETCH, ShapeParameters};
use crate::core::diagram::{DiagramInfo, Diagrams, Drawing};
use crate::core::layer::{FilledLayer, Layer, Layers};
use crate::core::metric::{Metric, Metrics, SiteMetrics};
use crate::core::parameters::PerType;
use crate::core::quantity::{Category, CategoryValue, NO_VALUE, NONE, Quantities, Quantity, named};
use crate::core::voxels::VoxelQuantities;
use crate::measure::{Census, Wanted};
use crate::scene::schema::Organ;
use crate::scene::{ColourBy, LayersShown, Look, Stage};
use crate::tissue::{FieldValues, Molecule, MoleculeName, Molecules, SiteEntry, SiteId, Sites};

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
    /// The layers of glyphs that are shown; none if left out.
    pub layers: Option<LayersShown>,
    /// Whether the diagrams of modules are shown.
    pub diagrams: bool,
    /// Types of cells that are left out, by name.
    pub hidden_types: Vec<String>,
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
        request.layers = Some(look.layers.clone());
        request.hidden_types.clone_from(&look.hidden_types);
        request
    }

    /// What is needed for pictures of both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        fn join<T: PartialEq>(list: &mut Vec<T>, more: Vec<T>) {
            for item in more {
                if !list.contains(&item) {
                    list.push(item);
                }
            }
        }
        join(&mut self.quantities, other.quantities);
        join(&mut self.categories, other.categories);
        join(&mut self.fields, other.fields);
        self.portrait = self.portrait.or(other.portrait);
        self.diagrams |= other.diagrams;
        // What one of them shows is there.
        self.hidden_types
            .retain(|name| other.hidden_types.contains(name));
        self.layers = match (self.layers, other.layers) {
            (None, layers) | (layers, None) => layers,
            (Some(a), Some(b)) if a == b => Some(a),
            (Some(LayersShown::Only(mut names)), Some(LayersShown::Only(more))) => {
                join(&mut names, more);
                Some(LayersShown::Only(names))
            }
            // Who draws takes those of its look.
            (Some(_), Some(_)) => Some(LayersShown::All),
        };
        self
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
    /// Layers of glyphs.
    pub layers: Vec<Arc<Layer>>,
}

impl Catalogue {
    /// All that is registered in a world.
    pub fn of(world: &World) -> Self {
        let mut catalogue = Self::default();
        if let Some(known) = world.get_resource::<Quantities>() {
            let quantities = known.cells.iter().filter(|known| known.is_offered);
            catalogue.quantities = quantities.map(|known| known.info.clone()).collect();
            let categories = known.categories.iter();
            catalogue.categories = categories.map(|known| known.info.clone()).collect();
        }
        if let Some(metrics) = world.get_resource::<Metrics>() {
            catalogue.metrics = metrics.iter().cloned().collect();
        }
        if let Some(layers) = world.get_resource::<Layers>() {
            catalogue.layers = layers.iter().cloned().collect();
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
    /// The blocks of tissue, in the order of the scene, each in coordinates of its own.
    pub sites: Vec<SiteSnapshot>,
    /// Where the sites stand in the one world of the picture.
    pub stage: Stage,
    /// All sites as one, in the coordinates of the stage, if they share one.
    pub whole: Option<SiteSnapshot>,
    /// Which sites are of which arm, where several are shown side by side.
    pub arms: Arc<ArmsShown>,
    /// What could be shown.
    pub catalogue: Arc<Catalogue>,
    /// The cell asked for, if it is there.
    pub portrait: Option<Portrait>,
    /// The diagrams of modules, where they were asked for.
    pub diagrams: Vec<(Arc<DiagramInfo>, Drawing)>,
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
    /// The organ it is part of, if it is one.
    pub organ: Option<Organ>,
    /// Lower corner of the block, site-local um.
    pub min_um: Vec3,
    /// Upper corner of the block, site-local um.
    pub max_um: Vec3,
    /// Its cells.
    pub cells: CellGlyphs,
    /// Its molecules, in the order of the scene; of those that were not asked for there are no values.
    pub fields: Vec<FieldSnapshot>,
    /// Layers of glyphs that were asked for and are not empty.
    pub layers: Vec<FilledLayer>,
    /// Measurements of this site at this moment.
    pub metrics: SiteMetrics,
}

/// In place of the index of a site: all sites on their stage.
pub const WHOLE_STAGE: usize = usize::MAX;

/// Where layers draw a cell that is between two sites: the site in whose coordinates, and the place, um; none where none does.
#[cfg(feature = "view")]
pub(crate) fn drawn_on_the_way(simulation: &Simulation, id: u64) -> Option<(usize, Vec3)> {
    let world = simulation.world();
    let layers = world.get_resource::<Layers>()?;
    (0..world.resource::<Sites>().list.len()).find_map(|site| {
        let filled = layers.fill(world, site, |layer| layer.stands_for_cells);
        Some((site, place_among(&filled, id)?))
    })
}

/// Where one of the layers whose glyphs stand for cells draws a cell, um.
fn place_among(layers: &[FilledLayer], id: u64) -> Option<Vec3> {
    let layers = layers.iter().filter(|filled| filled.layer.stands_for_cells);
    let mut glyphs = layers.flat_map(|filled| &filled.glyphs);
    glyphs
        .find(|glyph| glyph.id == id)
        .map(|glyph| glyph.points_um[0])
}

/// The index of what a picture of this stage shows at first: all sites where they share it, the filmed one otherwise.
pub const fn drawn_site(stage: &Stage) -> usize {
    if stage.is_shared {
        WHOLE_STAGE
    } else {
        stage.focus
    }
}

impl Snapshot {
    /// The site with this index, or with [`WHOLE_STAGE`] all of them as one; the filmed site alone where they do not share
    /// a stage.
    pub fn site(&self, index: usize) -> Option<&SiteSnapshot> {
        if index == WHOLE_STAGE {
            let alone = || self.sites.get(self.stage.focus);
            return self.whole.as_ref().or_else(alone);
        }
        self.sites.get(index)
    }

    /// Where a site's own origin lies in a picture of the site with the index `drawn`, um.
    pub fn place_um(&self, site: usize, drawn: usize) -> Vec3 {
        if drawn == WHOLE_STAGE {
            self.stage.place_um(site)
        } else {
            Vec3::ZERO
        }
    }

    /// The sites that a picture of the site with the index `drawn` shows.
    pub fn sites_in(&self, drawn: usize) -> std::ops::Range<usize> {
        if drawn == WHOLE_STAGE && self.whole.is_some() {
            return 0..self.sites.len();
        }
        let one = if drawn == WHOLE_STAGE {
            self.stage.focus
        } else {
            drawn
        };
        one..(one + 1).min(self.sites.len()).max(one)
    }

    /// The cells of a site among those that a picture of the site with the index `drawn` shows.
    pub fn rows_in(&self, site: usize, drawn: usize) -> std::ops::Range<usize> {
        let shown = self.sites_in(drawn).start;
        let cells = |sites: &[SiteSnapshot]| sites.iter().map(|site| site.cells.len()).sum();
        let upto = |end: usize| self.sites.get(shown..end).map_or(0, cells);
        upto(site)..upto(site + 1)
    }

    /// Puts the sites on their stage as one, if they share it.
    pub fn set_stage(&mut self, stage: Stage) {
        self.whole = stage.is_shared.then(|| whole(&self.sites, &stage));
        self.stage = stage;
    }
}

/// All sites as one, in the coordinates of their stage. Measurements are those of the filmed site; of several sites that
/// have a molecule the filmed one comes first.
fn whole(sites: &[SiteSnapshot], stage: &Stage) -> SiteSnapshot {
    let mut whole = SiteSnapshot {
        min_um: Vec3::MAX,
        max_um: Vec3::MIN,
        ..SiteSnapshot::default()
    };
    for (index, site) in sites.iter().enumerate() {
        let place = stage.place_um(index);
        whole.min_um = whole.min_um.min(site.min_um + place);
        whole.max_um = whole.max_um.max(site.max_um + place);
        whole.cells.append(&site.cells, place);
        for filled in &site.layers {
            let moved = filled.glyphs.iter().map(|glyph| glyph.moved(place));
            let mut known = whole.layers.iter_mut();
            match known.find(|known| known.layer == filled.layer) {
                Some(known) => known.glyphs.extend(moved),
                None => whole.layers.push(FilledLayer {
                    layer: filled.layer.clone(),
                    glyphs: moved.collect(),
                }),
            }
        }
    }
    let mut order: Vec<usize> = (0..sites.len()).collect();
    order.sort_by_key(|site| *site != stage.focus);
    for site in order {
        let place = stage.place_um(site);
        whole
            .fields
            .extend(sites[site].fields.iter().cloned().map(|mut field| {
                field.origin_um += place;
                field
            }));
    }
    if let Some(focus) = sites.get(stage.focus) {
        whole.name.clone_from(&focus.name);
        whole.metrics.clone_from(&focus.metrics);
    }
    whole
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
    /// Categories asked for, by name, and all that say how cells look; 255 where a cell has none.
    pub categories: Vec<(String, Vec<u8>)>,
}

impl SiteSnapshot {
    /// Where a cell is drawn, um: in the tissue, or on its way between two sites where a layer shows that.
    pub fn place_of_cell(&self, id: u64) -> Option<Vec3> {
        let index = self.cells.id.iter().position(|other| *other == id);
        match index.and_then(|index| self.cells.sphere_um.get(index)) {
            Some([x, y, z, _]) => Some(Vec3::new(*x, *y, *z)),
            None => place_among(&self.layers, id),
        }
    }

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

    /// Adds the cells of another site of the same snapshot, shifted.
    fn append(&mut self, other: &Self, place_um: Vec3) {
        /// Adds columns by name; where a site has no column, its cells have no value.
        fn join<T: Copy>(
            columns: &mut Vec<(String, Vec<T>)>,
            more: &[(String, Vec<T>)],
            (before, after): (usize, usize),
            none: T,
        ) {
            for (name, values) in more {
                let known = columns.iter().position(|(known, _)| known == name);
                let column = known.unwrap_or_else(|| {
                    columns.push((name.clone(), vec![none; before]));
                    columns.len() - 1
                });
                columns[column].1.extend_from_slice(values);
            }
            for (_, values) in columns {
                values.resize(after, none);
            }
        }
        let rows = (self.len(), self.len() + other.len());
        self.sphere_um
            .extend(other.sphere_um.iter().map(|&[x, y, z, radius]| {
                let [x, y, z] = (Vec3::new(x, y, z) + place_um).to_array();
                [x, y, z, radius]
            }));
        self.id.extend_from_slice(&other.id);
        self.cell_type.extend_from_slice(&other.cell_type);
        join(&mut self.quantities, &other.quantities, rows, NONE);
        join(&mut self.categories, &other.categories, rows, NO_VALUE);
    }

    /// How cells are drawn out.
    pub fn stretches(&self) -> Stretches<'_> {
        let [ratio, x, y, z] = STRETCH.map(|name| self.quantity(name));
        Stretches((|| Some([ratio?, x?, y?, z?]))())
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

/// Axes and aspect ratios of cells.
#[derive(Clone, Copy, Debug)]
pub struct Stretches<'a>(Option<[&'a [f32]; 4]>);

impl Stretches<'_> {
    /// The long axis of a cell, a unit vector, and its length over width; none for a ball.
    pub fn of(&self, cell: usize) -> Option<(Vec3, f32)> {
        let [ratio, x, y, z] = self.0?.map(|column| column.get(cell).copied());
        let axis = Vec3::new(x?, y?, z?);
        // A cell that can have no shape has none of it: NaN is not greater.
        ratio
            .filter(|ratio| *ratio > 1.0)
            .map(|ratio| (axis, ratio))
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
        values.any(CategoryValue::tells_by_its_looks)
    };
    let mut wanted = Wanted {
        quantities: request.quantities.clone(),
        categories: request.categories.clone(),
    };
    wanted.quantities.push(NUCLEUS.into());
    let shapes = world.get_resource::<PerType<ShapeParameters>>();
    if shapes.is_some_and(|shapes| shapes.0.iter().any(Option::is_some)) {
        wanted.quantities.extend(STRETCH.map(str::to_owned));
    }
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
    let layers = world.get_resource::<Layers>();
    let layers = |site: usize| match (layers, &request.layers) {
        (Some(layers), Some(shown)) => layers.fill(world, site, |layer| shown.shows(layer)),
        _ => Vec::new(),
    };
    let types = &simulation.scene().library.types;
    let hidden: Vec<u16> = (0..)
        .zip(types)
        .filter(|(_, prefab)| request.hidden_types.contains(&prefab.name))
        .map(|(number, _)| number)
        .collect();
    let mut snapshot = Snapshot {
        step: simulation.steps(),
        hours: simulation.hours(),
        title: simulation.scene().scene.title.clone(),
        cell_types: types
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
                organ: (words.organ != Organ::Medium).then_some(words.organ),
                min_um: site.block.min_um,
                max_um: site.block.max_um(),
                cells: glyphs(&census, SiteId(index as u16), &hidden),
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
                    .chain(voxels_shown(world, site, request))
                    .collect(),
                layers: layers(index),
                metrics,
            })
            .collect(),
        stage: Stage::default(),
        whole: None,
        arms: Arc::default(),
        portrait: request.portrait.and_then(|id| portrait(world, id)),
        diagrams: if request.diagrams {
            Diagrams::of(world)
        } else {
            Vec::new()
        },
        catalogue,
    };
    snapshot.set_stage(Stage::of(&simulation.scene().scene));
    snapshot
}

/// What modules know of the voxels of a site, as fields that can be shown.
fn voxels_shown(
    world: &World,
    site: &SiteEntry,
    request: &SnapshotRequest,
) -> impl Iterator<Item = FieldSnapshot> {
    let known = VoxelQuantities::of(world).iter();
    known
        .filter(|known| known.is_of(world, site.entity))
        .map(|known| {
            let mut wanted = request.fields.iter();
            let is_wanted = wanted.any(|name| name.as_str() == known.info.name);
            let values = is_wanted.then(|| known.values(world, site.entity));
            FieldSnapshot {
                molecule: Molecule::in_place_of(&known.info),
                dims: site.block.dims,
                origin_um: site.block.min_um,
                spacing_um: site.block.voxel_um,
                values: values.flatten().unwrap_or_default(),
            }
        })
}

/// The cells of a site, but for those of hidden types.
fn glyphs(census: &Census, site: SiteId, hidden: &[u16]) -> CellGlyphs {
    let rows: Vec<usize> = census
        .of_site(site)
        .filter(|row| !hidden.contains(&census.types[*row]))
        .collect();
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
