//! What the inputs of cells are worked out from that seldom changes: bases, and rules made ready to be applied.

use bevy::ecs::change_detection::Tick;
use bevy::prelude::*;

use super::Rules;
use crate::core::clones::Clones;
use crate::core::input::{Inputs, ValuesOfCells};
use crate::core::parameters::{CellTypeNames, ParameterRegistry, last_changed};
use crate::core::quantity::{NONE, Quantities};
use crate::core::rule::RuleProgram;

/// Bases of inputs and programs of rules: made anew only when parameters, rules or what is registered have changed.
#[derive(Default)]
pub(in crate::core) struct Groundwork {
    /// When all that it is made of was last changed.
    made_of: Vec<Option<Tick>>,
    /// The type of each row of the tables of parameters.
    pub(super) types: Vec<u16>,
    /// The programs of each input that has any, by type.
    pub(super) programs: Vec<(usize, Vec<Option<RuleProgram>>)>,
    /// The quantities they read, by their place in [`Quantities::cells`].
    pub(super) quantities: Vec<usize>,
}

impl Groundwork {
    /// Whether something has changed since it was made; notes what is the case now.
    pub(super) fn is_outdated(&mut self, world: &World) -> bool {
        let names = world.get_resource::<CellTypeNames>();
        let own_rows = 0..names.map_or(0, |names| names.0.len()) as u16;
        // Clones have bases of their own, and the rules of their type.
        let clones = world.get_resource::<Clones>().into_iter();
        let types = own_rows.chain(clones.flat_map(Clones::types_of_rows));
        let registry = world.get_resource::<ParameterRegistry>().into_iter();
        let made_of = [
            last_changed::<Inputs>(world),
            last_changed::<Quantities>(world),
            last_changed::<ParameterRegistry>(world),
        ];
        let made_of = made_of.into_iter();
        let made_of = made_of.chain(registry.flat_map(|registry| registry.changed(world)));
        // The registry holds the ticks of all parameters, and of the rules.
        let types_changed = replace_if_other(&mut self.types, types);
        let values_changed = replace_if_other(&mut self.made_of, made_of);
        types_changed || values_changed
    }

    pub(super) fn make(&mut self, world: &World, cells: &mut Vec<ValuesOfCells>) {
        let (inputs, rules) = (world.resource::<Inputs>(), world.resource::<Rules>());
        cells.resize_with(inputs.cells.len(), ValuesOfCells::default);
        for (input, of_cells) in inputs.cells.iter().zip(cells) {
            of_cells.name.clone_from(&input.info.name);
            of_cells.bases.clear();
            let rows = 0..self.types.len();
            let bases = rows.map(|row| (input.base)(world, row as u16).unwrap_or(NONE));
            of_cells.bases.extend(bases);
        }
        self.programs.clear();
        self.quantities.clear();
        let Some(known) = world.get_resource::<Quantities>() else {
            return;
        };
        for (place, input) in inputs.cells.iter().enumerate() {
            let limits = (input.info.limits.min as f32, input.info.limits.max as f32);
            let program = |book| {
                RuleProgram::new(book, &input.info.name, limits, |by| {
                    column_of(known, &mut self.quantities, by)
                })
            };
            let of_types: Vec<Option<RuleProgram>> = rules.of_types.iter().map(program).collect();
            if of_types.iter().any(Option::is_some) {
                self.programs.push((place, of_types));
            }
        }
    }
}

/// Makes a list what an iterator hands out; says whether it was something else.
fn replace_if_other<T: PartialEq>(list: &mut Vec<T>, with: impl Iterator<Item = T>) -> bool {
    let mut len = 0;
    let mut is_other = false;
    for item in with {
        match list.get_mut(len) {
            Some(known) if *known == item => {}
            Some(known) => {
                *known = item;
                is_other = true;
            }
            None => {
                list.push(item);
                is_other = true;
            }
        }
        len += 1;
    }
    is_other |= list.len() > len;
    list.truncate(len);
    is_other
}

/// The place of a quantity among those that are read, which it joins; one that is not known is never there.
fn column_of(known: &Quantities, quantities: &mut Vec<usize>, by: &str) -> usize {
    let mut instead = known.read_as.iter();
    let instead = instead.find(|(name, _)| name == by);
    let by = instead.map_or(by, |(_, instead)| instead.as_str());
    let place = known
        .cells
        .iter()
        .position(|quantity| quantity.info.name == by);
    let place = place.unwrap_or(usize::MAX);
    let column = quantities.iter().position(|other| *other == place);
    column.unwrap_or_else(|| {
        quantities.push(place);
        quantities.len() - 1
    })
}
