//! Cells of a simulation as columns, in the order of their identity.
//!
//! The order of rows in the ECS depends on the history of births and deaths; the order here does not. What is copied
//! is what was asked for, by the names of quantities and categories ([`crate::core::quantity`]).

use bevy::prelude::*;

use crate::cell::{Body, CellType, Position, Resident};
use crate::core::CellId;
use crate::core::clones::Clones;
use crate::core::columns::{Columns, tables_with};
use crate::core::parallel::for_each_chunk_mut;
use crate::core::quantity::{NO_VALUE, NONE, Quantities, Reader, named};
use crate::tissue::SiteId;

/// Cells copied in one piece of a parallel loop.
const CHUNK: usize = 16_384;

/// What is to be known of each cell, by name. Names that nobody registered are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Quantities.
    pub quantities: Vec<String>,
    /// Categories.
    pub categories: Vec<String>,
}

impl Wanted {
    /// Everything that is offered of what is registered.
    pub fn all(world: &World) -> Self {
        let Some(known) = world.get_resource::<Quantities>() else {
            return Self::default();
        };
        Self {
            quantities: known
                .cells
                .iter()
                .filter(|quantity| quantity.is_offered)
                .map(|quantity| quantity.info.name.clone())
                .collect(),
            categories: known
                .categories
                .iter()
                .map(|category| category.info.name.clone())
                .collect(),
        }
    }
}

/// The cells of a simulation, sorted by identity; all columns have one entry for each.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// Identity.
    pub ids: Vec<CellId>,
    /// Index of the type.
    pub types: Vec<u16>,
    /// Site.
    pub sites: Vec<SiteId>,
    /// Centre, um.
    pub positions_um: Vec<Vec3>,
    /// Radius, um.
    pub radii_um: Vec<f32>,
    /// Quantities by name; [`NONE`] where a cell has none.
    pub quantities: Vec<(String, Vec<f32>)>,
    /// Categories by name; [`NO_VALUE`] where a cell has none.
    pub categories: Vec<(String, Vec<u8>)>,
}

impl Census {
    /// Copies what is wanted of the cells of a world.
    pub fn take(world: &World, wanted: &Wanted) -> Self {
        let is_tissue = |table: &Columns| {
            table.get::<CellType>().is_some()
                && table.get::<Resident>().is_some()
                && table.get::<Position>().is_some()
        };
        let tables: Vec<Columns> = tables_with::<CellId>(world).filter(is_tissue).collect();
        let none = Clones::default();
        let clones = world.get_resource::<Clones>().unwrap_or(&none);
        let mut order: Vec<(CellId, u32)> = Vec::new();
        let mut cells: Vec<(u16, SiteId, Vec3, f32)> = Vec::new();
        for table in &tables {
            let (Some(ids), Some(types), Some(residents), Some(positions)) = (
                table.get::<CellId>(),
                table.get::<CellType>(),
                table.get::<Resident>(),
                table.get::<Position>(),
            ) else {
                continue;
            };
            let bodies = table.get::<Body>();
            for (row, id) in ids.iter().enumerate() {
                order.push((*id, order.len() as u32));
                let radius = bodies.map_or(0.0, |bodies| bodies[row].radius_um);
                let cell_type = clones.type_of(types[row].0);
                cells.push((cell_type, residents[row].0, positions[row].0, radius));
            }
        }
        order.sort_unstable();
        let mut census = Self {
            ids: order.iter().map(|(id, _)| *id).collect(),
            types: sorted(&order, &cells, |cell| cell.0),
            sites: sorted(&order, &cells, |cell| cell.1),
            positions_um: sorted(&order, &cells, |cell| cell.2),
            radii_um: sorted(&order, &cells, |cell| cell.3),
            ..Self::default()
        };
        drop(cells);
        let Some(known) = world.get_resource::<Quantities>() else {
            return census;
        };
        for name in &wanted.quantities {
            if let Some(quantity) = known.of_cells(name) {
                let values = read(&tables, &order, NONE, &quantity.reader_of_the_known(world));
                census.quantities.push((name.clone(), values));
            }
        }
        for name in &wanted.categories {
            if let Some(category) = known.category(name) {
                let values = read(&tables, &order, NO_VALUE, &category.reader(world));
                census.categories.push((name.clone(), values));
            }
        }
        census
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// A quantity that was asked for.
    pub fn quantity(&self, name: &str) -> Option<&[f32]> {
        named(&self.quantities, name)
    }

    /// A category that was asked for.
    pub fn category(&self, name: &str) -> Option<&[u8]> {
        named(&self.categories, name)
    }

    /// The rows of a site.
    pub fn of_site(&self, site: SiteId) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).filter(move |row| self.sites[*row] == site)
    }
}

/// All values of a reader, in the order of identity.
fn read<'w, T: Copy + Send + Sync>(
    tables: &[Columns<'w>],
    order: &[(CellId, u32)],
    none: T,
    reader: &Reader<'w, T>,
) -> Vec<T> {
    let mut values = vec![none; order.len()];
    let mut rest = values.as_mut_slice();
    for table in tables {
        let (piece, left) = rest.split_at_mut(table.len());
        rest = left;
        for_each_chunk_mut(piece, CHUNK, |start, values| {
            reader(table, start..start + values.len(), values);
        });
    }
    sorted(order, &values, |value| *value)
}

/// A column in the order of identity.
fn sorted<T, R>(order: &[(CellId, u32)], column: &[T], of: impl Fn(&T) -> R) -> Vec<R> {
    order
        .iter()
        .map(|(_, row)| of(&column[*row as usize]))
        .collect()
}
