//! What drugs change: their effects, as rules of cell types and sites.
//!
//! An effect on an input of cells is a rule of every type that has the input (and the capabilities that the effect asks for); one on an input of
//! voxels, vessel segments or members of a population, or of whole sites, is a rule of every site. They are named `DRUG_EFFECT`, and can be
//! deleted and scaled as any other.

use std::collections::BTreeMap;

use bevy::prelude::*;

use super::drug::{Drug, Drugs, Effect, Form};
use super::perceived::has_any;
use crate::cell::molecules::read_at_cells;
use crate::core::input::Inputs;
use crate::core::quantity::{NONE, Quantities, Quantity, RegisterQuantities};
use crate::core::regulate::Rules;
use crate::core::rule::{BLOCK, Rule};

/// What an input belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Each cell.
    Cells,
    /// Each element of a kind that sites hold.
    Elements(&'static str),
    /// A site as a whole.
    Sites,
}

/// What an input belongs to, by its name; none where no module has registered it.
pub fn subject(world: &World, input: &str) -> Option<Subject> {
    let inputs = world.get_resource::<Inputs>()?;
    if inputs.of_cells(input).is_some() {
        return Some(Subject::Cells);
    }
    let mut elements = inputs.elements.iter();
    if let Some(found) = elements.find(|known| known.info.name == input) {
        return Some(Subject::Elements(found.kind));
    }
    let mut sites = inputs.sites.iter();
    sites
        .any(|known| known.info.name == input)
        .then_some(Subject::Sites)
}

/// Gives the types of cells the rules of the drugs, and registers the quantities these go by.
pub(super) fn install(world: &mut World, types: u16) {
    let Some(drugs) = world.get_resource::<Drugs>().cloned() else {
        return;
    };
    for drug in &drugs.list {
        for (name, effect) in &drug.effects {
            if subject(world, &effect.input) != Some(Subject::Cells) {
                continue;
            }
            register_within(world, drug, effect);
            let (name, rule) = drug.rule(name, effect);
            for cell_type in 0..types {
                let inputs = world.get_resource::<Inputs>();
                let input = inputs.and_then(|inputs| inputs.of_cells(&effect.input));
                let has = input.is_some_and(|input| input.base(world, cell_type).is_some());
                if !has || !has_any(world, cell_type, &effect.only) {
                    continue;
                }
                let mut rules = world.get_resource_or_init::<Rules>();
                if let Some(book) = rules.of_types.get_mut(usize::from(cell_type)) {
                    book.rules.insert(name.clone(), rule.clone());
                }
            }
        }
        register_in_blood(world, drug);
    }
}

/// The rules that every site has by the drugs.
pub fn rules_of_sites(world: &World) -> BTreeMap<String, Rule> {
    let mut found = BTreeMap::new();
    let drugs = world.get_resource::<Drugs>();
    for drug in drugs.iter().flat_map(|drugs| &drugs.list) {
        for (name, effect) in &drug.effects {
            let of = subject(world, &effect.input);
            if matches!(of, Some(Subject::Elements(_) | Subject::Sites)) {
                let (name, rule) = drug.rule(name, effect);
                found.insert(name, rule);
            }
        }
    }
    found
}

/// Registers the level of a drug at cells times a quantity of theirs.
fn register_within(world: &mut World, drug: &Drug, effect: &Effect) {
    let Some(within) = effect.within.clone() else {
        return;
    };
    let name = drug.by(effect);
    let known = world.get_resource::<Quantities>();
    if known.is_some_and(|known| known.of_cells(&name).is_some()) {
        return;
    }
    let level = match effect.form {
        Form::Free => drug.name.clone(),
        Form::Active => drug.active_name(),
    };
    let about = format!("{} at the cell, times its `{within}`.", drug.label);
    let info = Quantity::new(name, "nM", about)
        .label(&format!("{} that acts", drug.label))
        .no_column();
    world.register_cell_reader(info, move |world| {
        let of_drug = read_at_cells(world, &level);
        let known = world.get_resource::<Quantities>();
        let of_cell = known.and_then(|known| Some(known.of_cells(&within)?.reader(world)));
        Box::new(move |table, rows, values| {
            of_drug(table, rows.clone(), values);
            let mut shares = [NONE; BLOCK];
            let starts = (rows.start..).step_by(BLOCK);
            for (piece, start) in values.chunks_mut(BLOCK).zip(starts) {
                let shares = &mut shares[..piece.len()];
                shares.fill(NONE);
                if let Some(read) = &of_cell {
                    read(table, start..start + shares.len(), shares);
                }
                for (value, share) in piece.iter_mut().zip(&*shares) {
                    // A cell without the quantity is not reached.
                    *value *= if share.is_nan() {
                        0.0
                    } else {
                        share.clamp(0.0, 1.0)
                    };
                }
            }
        })
    });
}

/// Registers the level of a drug in blood as a quantity of sites, under the name of the drug.
fn register_in_blood(world: &mut World, drug: &Drug) {
    let name = drug.name.clone();
    let about = format!("{} in blood that is free to leave it.", drug.label);
    let info = Quantity::new(&name, "nM", about).label(&drug.label);
    world.register_site_quantity(info, move |world, _| {
        let (Some(drugs), Some(pharmacy)) = (
            world.get_resource::<Drugs>(),
            world.get_resource::<super::Pharmacy>(),
        ) else {
            return NONE;
        };
        let index = drugs.index(&name);
        index.map_or(NONE, |index| pharmacy.free_nm(drugs, index) as f32)
    });
}
