//! Counts and sums over all cells, without a list of them.
//!
//! Rows of the ECS come in an order that depends on the history of births and deaths, and pieces of them are
//! visited side by side; what is added up here does not depend on either. Sums are whole numbers of a tiny
//! quantum ([`ExactSum`]), so that adding is associative. Looking at a million cells therefore takes no memory
//! that grows with them, and gives the same bits after a resume.

use bevy::prelude::*;

use crate::cell::death::is_alive;
use crate::cell::{Body, CellType, Position, Resident, Vital};
use crate::core::CellId;
use crate::core::clones::Clones;
use crate::core::columns::{Columns, tables_with};
use crate::core::exact_sum::ExactSum;
use crate::core::parallel::map_chunks;
use crate::core::quantity::{NO_VALUE, Quantities, Reader};
use crate::tissue::SiteId;

/// Cells looked at in one piece of the parallel loop.
const CHUNK: usize = 16_384;

/// A sum over cells, in quanta of 2^-40, about 1e-12 of the unit.
pub type CellSum = ExactSum<40>;

/// What there is of a quantity in the living cells of a site.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Cells that have it.
    pub cells: u64,
    /// The sum over them.
    pub sum: CellSum,
    /// The least value; infinite without cells.
    pub least: f32,
    /// The largest value; infinitely negative without cells.
    pub most: f32,
    /// How many have at most each of the levels asked for.
    pub up_to: Vec<u64>,
}

impl Summary {
    fn empty(levels: usize) -> Self {
        Self {
            least: f32::INFINITY,
            most: f32::NEG_INFINITY,
            up_to: vec![0; levels],
            ..Self::default()
        }
    }

    /// The mean; NaN without cells.
    pub fn mean(&self) -> f64 {
        self.sum.value() / self.cells as f64
    }

    /// An extreme value; NaN without cells.
    pub fn extreme(&self, value: f32) -> f64 {
        if self.cells > 0 {
            f64::from(value)
        } else {
            f64::NAN
        }
    }

    #[inline]
    fn add(&mut self, value: f32, levels: &[f32]) {
        if value.is_nan() {
            return;
        }
        self.cells += 1;
        self.sum.add(value);
        self.least = self.least.min(value);
        self.most = self.most.max(value);
        for (count, level) in self.up_to.iter_mut().zip(levels) {
            *count += u64::from(value <= *level);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.cells += other.cells;
        self.sum.merge(other.sum);
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        counts(&mut self.up_to, &other.up_to);
    }
}

/// How many cells have each value of a category.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Of all cells.
    pub all: Vec<u64>,
    /// Of the living ones.
    pub living: Vec<u64>,
    /// Of those of each type, one type after the other.
    pub of_types: Vec<u64>,
}

/// What there is of cells in a site.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Number of cells.
    pub cells: u64,
    /// Number of living cells.
    pub living: u64,
    /// Number of cells of each type.
    pub types: Vec<u64>,
    /// Number of living cells of each type.
    pub living_types: Vec<u64>,
    /// What there is of each quantity asked for.
    pub quantities: Vec<Summary>,
    /// What there is of each category asked for.
    pub categories: Vec<Counts>,
}

fn counts(into: &mut [u64], from: &[u64]) {
    for (into, from) in into.iter_mut().zip(from) {
        *into += from;
    }
}

impl Tally {
    fn merge(&mut self, other: &Self) {
        self.cells += other.cells;
        self.living += other.living;
        counts(&mut self.types, &other.types);
        counts(&mut self.living_types, &other.living_types);
        for (into, from) in self.quantities.iter_mut().zip(&other.quantities) {
            into.merge(from);
        }
        for (into, from) in self.categories.iter_mut().zip(&other.categories) {
            counts(&mut into.all, &from.all);
            counts(&mut into.living, &from.living);
            counts(&mut into.of_types, &from.of_types);
        }
    }
}

/// What is to be counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Questions {
    /// Number of sites.
    pub sites: usize,
    /// Number of types.
    pub types: usize,
    /// Names of quantities, and the levels up to which their cells are counted.
    pub quantities: Vec<(String, Vec<f32>)>,
    /// Names of categories.
    pub categories: Vec<String>,
}

/// How one question is answered.
struct Readers<'w> {
    quantities: Vec<Option<Reader<'w, f32>>>,
    categories: Vec<Option<Reader<'w, u8>>>,
}

impl Questions {
    /// The place of a quantity among those asked for, after asking for it if nobody has.
    pub fn ask(&mut self, name: &str) -> usize {
        let known = self.quantities.iter().position(|(known, _)| known == name);
        known.unwrap_or_else(|| {
            self.quantities.push((name.to_owned(), Vec::new()));
            self.quantities.len() - 1
        })
    }

    /// The place of a level among those of a quantity.
    pub fn ask_up_to(&mut self, name: &str, level: f32) -> (usize, usize) {
        let quantity = self.ask(name);
        let levels = &mut self.quantities[quantity].1;
        levels.push(level);
        (quantity, levels.len() - 1)
    }

    /// The place of a category among those asked for.
    pub fn ask_category(&mut self, name: &str) -> usize {
        let known = self.categories.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            self.categories.push(name.to_owned());
            self.categories.len() - 1
        })
    }

    fn empty(&self, world: &World) -> Tally {
        let known = world.get_resource::<Quantities>();
        let values = |name: &String| {
            let category = known.and_then(|known| known.category(name));
            category.map_or(0, |category| category.info.values.len())
        };
        Tally {
            types: vec![0; self.types],
            living_types: vec![0; self.types],
            quantities: self
                .quantities
                .iter()
                .map(|(_, levels)| Summary::empty(levels.len()))
                .collect(),
            categories: self
                .categories
                .iter()
                .map(|name| Counts {
                    all: vec![0; values(name)],
                    living: vec![0; values(name)],
                    of_types: vec![0; values(name) * self.types],
                })
                .collect(),
            ..Tally::default()
        }
    }

    /// A tally of each site.
    pub fn tally(&self, world: &World) -> Vec<Tally> {
        let empty = self.empty(world);
        let mut sites = vec![empty.clone(); self.sites];
        let Some(known) = world.get_resource::<Quantities>() else {
            return sites;
        };
        let readers = Readers {
            quantities: self
                .quantities
                .iter()
                .map(|(name, _)| Some(known.of_cells(name)?.reader_of_the_known(world)))
                .collect(),
            categories: self
                .categories
                .iter()
                .map(|name| Some(known.category(name)?.reader(world)))
                .collect(),
        };
        let none = Clones::default();
        let clones = world.get_resource::<Clones>().unwrap_or(&none);
        for table in tables_with::<CellId>(world) {
            let pieces = map_chunks(table.len(), CHUNK, |_, rows| {
                let mut sites = vec![empty.clone(); self.sites];
                self.count(&table, clones, rows, &readers, &mut sites);
                sites
            });
            for piece in pieces {
                for (site, part) in sites.iter_mut().zip(&piece) {
                    site.merge(part);
                }
            }
        }
        sites
    }

    /// Counts some rows of a table.
    fn count<'w>(
        &self,
        table: &Columns<'w>,
        clones: &Clones,
        rows: std::ops::Range<usize>,
        readers: &Readers<'w>,
        sites: &mut [Tally],
    ) {
        let (Some(residents), Some(types)) = (table.get::<Resident>(), table.get::<CellType>())
        else {
            return;
        };
        let vitals = table.get::<Vital>();
        let (residents, types) = (&residents[rows.clone()], &types[rows.clone()]);
        let vitals = vitals.map(|vitals| &vitals[rows.clone()]);
        let living = |row: usize| is_alive(vitals.map(|vitals| &vitals[row]));
        for (row, (resident, cell_type)) in residents.iter().zip(types).enumerate() {
            let Some(site) = sites.get_mut(usize::from(resident.0.0)) else {
                continue;
            };
            site.cells += 1;
            let (kind, living) = (
                usize::from(clones.type_of(cell_type.0)),
                u64::from(living(row)),
            );
            site.living += living;
            if let (Some(all), Some(alive)) =
                (site.types.get_mut(kind), site.living_types.get_mut(kind))
            {
                *all += 1;
                *alive += living;
            }
        }
        let mut values = vec![0.0; rows.len()];
        for (which, reader) in readers.quantities.iter().enumerate() {
            let Some(reader) = reader else { continue };
            reader(table, rows.clone(), &mut values);
            let levels = &self.quantities[which].1;
            for (row, (resident, value)) in residents.iter().zip(&values).enumerate() {
                if let Some(site) = sites.get_mut(usize::from(resident.0.0))
                    && living(row)
                {
                    site.quantities[which].add(*value, levels);
                }
            }
        }
        let mut values = vec![NO_VALUE; rows.len()];
        for (which, reader) in readers.categories.iter().enumerate() {
            let Some(reader) = reader else { continue };
            reader(table, rows.clone(), &mut values);
            for (row, (resident, value)) in residents.iter().zip(&values).enumerate() {
                let Some(site) = sites.get_mut(usize::from(resident.0.0)) else {
                    continue;
                };
                let counts = &mut site.categories[which];
                if let Some(count) = counts.all.get_mut(usize::from(*value)) {
                    *count += 1;
                    counts.living[usize::from(*value)] += u64::from(living(row));
                    let kind = usize::from(clones.type_of(types[row].0));
                    let place = kind * counts.all.len() + usize::from(*value);
                    if let Some(count) = counts.of_types.get_mut(place) {
                        *count += 1;
                    }
                }
            }
        }
    }
}

/// What `add` makes of place, body and life of each cell of some types in a site, piece by piece; all types where
/// they are left out.
pub fn fold_types<A: Send>(
    world: &World,
    site: SiteId,
    types: Option<&[bool]>,
    empty: impl Fn() -> A + Sync,
    add: impl Fn(&mut A, Vec3, &Body, Option<&Vital>) + Sync,
) -> Vec<A> {
    let none = Clones::default();
    let clones = world.get_resource::<Clones>().unwrap_or(&none);
    let mut all = Vec::new();
    for table in tables_with::<CellId>(world) {
        let (Some(kinds), Some(residents), Some(positions), Some(bodies)) = (
            table.get::<CellType>(),
            table.get::<Resident>(),
            table.get::<Position>(),
            table.get::<Body>(),
        ) else {
            continue;
        };
        let vitals = table.get::<Vital>();
        let counts = |row: &usize| {
            let chosen = |types: &[bool]| {
                let kind = usize::from(clones.type_of(kinds[*row].0));
                types.get(kind).copied().unwrap_or_default()
            };
            residents[*row].0 == site && types.is_none_or(chosen)
        };
        all.extend(map_chunks(table.len(), CHUNK, |_, rows| {
            let mut piece = empty();
            for row in rows.filter(counts) {
                let vital = vitals.map(|vitals| &vitals[row]);
                add(&mut piece, positions[row].0, &bodies[row], vital);
            }
            piece
        }));
    }
    all
}
