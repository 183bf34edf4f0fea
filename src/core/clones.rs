//! Clones: cells of one type that have inherited other parameters.
//!
//! A cell type may declare any number among its capabilities *heritable*, with the probability that a division changes
//! it and the spread of that change. Cells whose heritable parameters are alike are a *clone*. A clone has a row of its
//! own in every table of parameters ([`super::parameters::PerType`]), behind the types, and its cells carry the number
//! of that row: systems look parameters up as ever. What is kept of a clone are the *factors* by which its heritable
//! parameters differ from those of its type. When a parameter of the type is set, those of its clones follow: value
//! times factor, held within the parameter's limits.
//!
//! At a division each of the two cells draws for each heritable parameter whether it changes, and if so multiplies its
//! factor by `exp(spread z)` with a standard normal `z`: steps are log-normal, so a parameter never changes its sign, and
//! halving is as likely as doubling. A factor goes no further than the limits of its parameter allow. A change that
//! alters no number, or after which parameters of a capability contradict each other, does not take place. A new clone
//! takes the row of the first that has died out. There are at most [`MAX_CLONES`]; while so many live, daughters
//! inherit unchanged.

use bevy::math::ops;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::identity::CellId;
use super::parameters::{
    contradict_in_clone, factor_range, make_row, value_in_clone, value_in_row,
};
use super::random::{Purpose, RandomKey};
use super::state::WhollyKept;

/// Most clones that live at the same time.
pub const MAX_CLONES: usize = 4096;

/// Whether and how a division changes a heritable parameter.
pub const MUTATION: Purpose = Purpose::of("core.clones.mutation");

/// How a parameter is inherited.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Heritability {
    /// Standard deviation of the logarithm of a change, 0-1: 0.1 for about 10 %.
    pub spread: f32,
    /// Probability that a cell which comes from a division has changed, 0-1.
    pub mutation: f32,
}

/// The heritable parameters of each cell type, by index; made from its file.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct HeritableTraits(pub Vec<Vec<(String, Heritability)>>);

/// A clone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellClone {
    /// Its number; no two clones of a run share one. 1 is the first.
    pub number: u32,
    /// The number of the clone it comes from, or of the next before it whose row has not been taken by another; 0 for
    /// cells that are as their type says.
    pub mother: u32,
    /// The cell that was its first.
    pub founder: CellId,
    /// The step in which it began.
    pub since_step: u64,
    /// The cell type, by index.
    pub cell_type: u16,
    /// What each heritable parameter is relative to that of the type, in the order of [`HeritableTraits`].
    pub factors: Vec<f32>,
    /// Cells it has. None: it has died out.
    pub cells: u32,
}

/// All clones of a simulation.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Clones {
    /// Number of cell types; the rows of clones come after theirs.
    types: u16,
    last_number: u32,
    rows: Vec<CellClone>,
}

impl WhollyKept for Clones {}

impl Clones {
    /// No clones yet, of so many types.
    pub const fn of_types(types: u16) -> Self {
        Self {
            types,
            last_number: 0,
            rows: Vec::new(),
        }
    }

    /// Whether there never was one.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The clone that a row of the tables belongs to, if it is not a type.
    pub fn get(&self, row: u16) -> Option<&CellClone> {
        self.rows.get(usize::from(row.checked_sub(self.types)?))
    }

    fn get_mut(&mut self, row: u16) -> Option<&mut CellClone> {
        self.rows.get_mut(usize::from(row.checked_sub(self.types)?))
    }

    /// The cell type that a row of the tables belongs to, by index.
    #[inline]
    pub fn type_of(&self, row: u16) -> u16 {
        self.get(row).map_or(row, |of| of.cell_type)
    }

    /// The cell types of the rows behind those of the types, in order.
    pub fn types_of_rows(&self) -> impl Iterator<Item = u16> + '_ {
        self.rows.iter().map(|of| of.cell_type)
    }

    /// The clones that live, with their rows.
    pub fn living(&self) -> impl Iterator<Item = (u16, &CellClone)> {
        let rows = (self.types..).zip(&self.rows);
        rows.filter(|(_, of)| of.cells > 0)
    }

    /// Notes that a row has one cell more.
    pub fn gain(&mut self, row: u16) {
        if let Some(of) = self.get_mut(row) {
            of.cells += 1;
        }
    }

    /// Notes that a row has one cell less.
    pub fn lose(&mut self, row: u16) {
        if let Some(of) = self.get_mut(row) {
            of.cells = of.cells.saturating_sub(1);
        }
    }

    /// Whether so many live that no other can begin.
    pub fn is_full(&self) -> bool {
        self.rows.len() >= MAX_CLONES && self.rows.iter().all(|of| of.cells > 0)
    }

    /// The number of the clone of each row; 0 for the rows of the types.
    pub fn numbers(&self) -> Vec<u32> {
        let of_types = std::iter::repeat_n(0, usize::from(self.types));
        of_types
            .chain(self.rows.iter().map(|of| of.number))
            .collect()
    }

    /// Makes a clone without cells; none if there are too many. Its row.
    fn found(&mut self, mother: u16, founder: CellId, factors: Vec<f32>, step: u64) -> Option<u16> {
        // The mother's row stays even if she was its last cell: her other daughter may be of it.
        let own = mother.checked_sub(self.types).map(usize::from);
        let mut rows = self.rows.iter().enumerate();
        let dead = rows.position(|(index, of)| of.cells == 0 && own != Some(index));
        let index = dead.unwrap_or(self.rows.len());
        let row = u16::try_from(usize::from(self.types) + index).ok();
        let row = row.filter(|_| index < MAX_CLONES)?;
        self.last_number += 1;
        let clone = CellClone {
            number: self.last_number,
            mother: self.get(mother).map_or(0, |of| of.number),
            founder,
            since_step: step,
            cell_type: self.type_of(mother),
            factors,
            cells: 0,
        };
        match self.rows.get_mut(index) {
            Some(place) => {
                let gone = std::mem::replace(place, clone);
                for child in &mut self.rows {
                    if child.mother == gone.number {
                        child.mother = gone.mother;
                    }
                }
            }
            None => self.rows.push(clone),
        }
        Some(row)
    }
}

/// The row of a cell that comes from a division of a cell of this row: the same, or that of a new clone. The cells of
/// clones are not counted here.
pub fn inherit(world: &mut World, row: u16, cell: CellId, step: u64) -> u16 {
    let Some(clones) = world.get_resource::<Clones>() else {
        return row;
    };
    let cell_type = clones.type_of(row);
    let traits = world
        .get_resource::<HeritableTraits>()
        .and_then(|all| all.0.get(usize::from(cell_type)));
    let Some(traits) = traits.filter(|traits| !traits.is_empty()) else {
        return row;
    };
    let mut random = world.resource::<RandomKey>().stream(cell, step, MUTATION);
    let mut steps = Vec::new();
    for (index, (_, how)) in traits.iter().enumerate() {
        if random.chance(how.mutation) {
            steps.push((index, how.spread * random.normal()));
        }
    }
    let mother = clones.get(row).map(|of| &*of.factors);
    let Some(factors) = change(world, cell_type, traits, mother, &steps) else {
        return row;
    };
    let found = world
        .resource_mut::<Clones>()
        .found(row, cell, factors, step);
    let Some(new) = found else {
        return row;
    };
    fill_row(world, new);
    new
}

/// The factors after steps of some of their logarithms; none where cells stay as they are.
fn change(
    world: &World,
    cell_type: u16,
    traits: &[(String, Heritability)],
    mother: Option<&[f32]>,
    steps: &[(usize, f32)],
) -> Option<Vec<f32>> {
    let mut factors = mother.map_or_else(|| vec![1.0; traits.len()], <[f32]>::to_vec);
    let mut changed = Vec::new();
    for &(index, step) in steps {
        let path = traits[index].0.as_str();
        let Some((least, most)) = factor_range(world, cell_type, path) else {
            continue;
        };
        let before = factors[index];
        let after = (before * ops::exp(step)).max(least).min(most);
        let value = |factor| value_in_clone(world, cell_type, path, factor);
        if value(before) != value(after) {
            factors[index] = after;
            changed.push(capability_of(path));
        }
    }
    if changed.is_empty() {
        return None;
    }
    let paths = traits.iter().map(|(path, _)| path.as_str());
    let concerned: Vec<(&str, f32)> = paths
        .zip(factors.iter().copied())
        .filter(|(path, _)| changed.contains(&capability_of(path)))
        .collect();
    (!contradict_in_clone(world, cell_type, &concerned)).then_some(factors)
}

/// Whether the parameters of a clone with these factors, by path without the type, would contradict each other.
pub fn would_contradict(world: &World, cell_type: u16, factors: &[(&str, f32)]) -> bool {
    contradict_in_clone(world, cell_type, factors)
}

/// The least and the largest factor that a parameter of a cell type, by path without the type, can have in a clone;
/// none where no factor changes it.
pub fn possible_factors(world: &World, cell_type: u16, path: &str) -> Option<(f32, f32)> {
    factor_range(world, cell_type, path)
}

/// The capability that a parameter belongs to, by path without the type.
fn capability_of(path: &str) -> &str {
    path.split_once('.').map_or(path, |(name, _)| name)
}

/// Gives a row of the tables what its clone says.
fn fill_row(world: &mut World, row: u16) {
    let Some(of) = world.resource::<Clones>().get(row).cloned() else {
        return;
    };
    let traits = world.get_resource::<HeritableTraits>();
    let traits = traits.and_then(|all| all.0.get(usize::from(of.cell_type)));
    let factors: Vec<(String, f32)> = traits
        .into_iter()
        .flatten()
        .zip(&of.factors)
        .map(|((path, _), factor)| (path.clone(), *factor))
        .collect();
    make_row(world, row, of.cell_type, &factors);
}

/// Gives all rows what their clones say; for a world whose clones and parameters have been restored.
pub fn fill_rows(world: &mut World) {
    let Some(clones) = world.get_resource::<Clones>() else {
        return;
    };
    let rows: Vec<u16> = (clones.types..).take(clones.rows.len()).collect();
    for row in rows {
        fill_row(world, row);
    }
}

/// The paths of all heritable parameters, without the type, each once and in the order of the types.
pub fn heritable_paths(world: &World) -> Vec<String> {
    let traits = world.get_resource::<HeritableTraits>();
    let mut paths: Vec<String> = Vec::new();
    for (path, _) in traits.into_iter().flat_map(|all| &all.0).flatten() {
        if !paths.contains(path) {
            paths.push(path.clone());
        }
    }
    paths
}

/// What a parameter (path without the type) is in each row of the tables of parameters, types first; none where the type
/// does not have it heritable.
pub fn heritable_values(world: &World, path: &str) -> Vec<Option<f32>> {
    let (Some(clones), Some(traits)) = (
        world.get_resource::<Clones>(),
        world.get_resource::<HeritableTraits>(),
    ) else {
        return Vec::new();
    };
    let types = (0..clones.types).chain(clones.types_of_rows());
    let is_heritable = |cell_type: u16| {
        let mut of_type = traits.0.get(usize::from(cell_type)).into_iter().flatten();
        of_type.any(|(known, _)| known == path)
    };
    let value = |(row, cell_type): (usize, u16)| {
        let row = u16::try_from(row)
            .ok()
            .filter(|_| is_heritable(cell_type))?;
        value_in_row(world, row, path)
    };
    types.enumerate().map(value).collect()
}

/// The rows of all clones of a type, each with its factor for a parameter (path without the type).
pub(super) fn factors(world: &World, cell_type: u16, path: &str) -> Vec<(u16, f32)> {
    let Some(clones) = world.get_resource::<Clones>() else {
        return Vec::new();
    };
    let traits = world.get_resource::<HeritableTraits>();
    let traits = traits.and_then(|all| all.0.get(usize::from(cell_type)));
    let index = traits.and_then(|traits| traits.iter().position(|(known, _)| known == path));
    let rows = (clones.types..).zip(&clones.rows);
    rows.filter(|(_, of)| of.cell_type == cell_type)
        .map(|(row, of)| {
            let factor = index.and_then(|index| of.factors.get(index));
            (row, factor.copied().unwrap_or(1.0))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_of_a_clone_whose_row_is_taken_go_to_her_mother() {
        let mut clones = Clones::of_types(2);
        let found = |mother: u16, clones: &mut Clones| {
            let row = clones
                .found(mother, CellId(9), vec![1.0], 7)
                .expect("there is room");
            clones.gain(row);
            row
        };
        let first = found(1, &mut clones);
        let second = found(first, &mut clones);
        let third = found(second, &mut clones);
        assert_eq!((first, second, third), (2, 3, 4));
        // The second dies out; while it is a mother still, no child of hers takes her row.
        clones.lose(second);
        let fourth = found(second, &mut clones);
        assert_eq!((fourth, clones.get(fourth).unwrap().mother), (5, 2));
        let fifth = found(third, &mut clones);
        assert_eq!((fifth, clones.get(fifth).unwrap().number), (second, 5));
        let mothers = |row: u16| clones.get(row).unwrap().mother;
        assert_eq!([first, third, fourth, fifth].map(mothers), [0, 1, 1, 3]);
        assert!((2..6).all(|row| clones.type_of(row) == 1));
        assert_eq!(clones.numbers(), [0, 0, 1, 5, 3, 4]);
    }

    #[test]
    fn no_clone_begins_while_all_rows_are_taken() {
        let mut clones = Clones::of_types(1);
        for _ in 0..MAX_CLONES {
            assert!(!clones.is_full());
            let row = clones
                .found(0, CellId(9), Vec::new(), 0)
                .expect("there is room");
            clones.gain(row);
        }
        assert!(clones.is_full());
        assert_eq!(clones.found(0, CellId(9), Vec::new(), 1), None);
        clones.lose(9);
        assert!(!clones.is_full());
        assert_eq!(clones.found(0, CellId(9), Vec::new(), 1), Some(9));
    }
}
