//! What cells and vessels perceive of a molecule whose receptor a drug holds.
//!
//! Rules by the molecule then go by a number that is named `MOLECULE.perceived`: `c prod (1 - most D / (D + half))` over all drugs that hide it. Where
//! no drug is it is the concentration, to the bit.

use bevy::prelude::*;

use super::drug::{Drug, Drugs, Hidden};
use crate::cell::CellType;
use crate::cell::molecules::{ReceptorBlock, ReceptorBlocks, read_at_cells};
use crate::core::capability::CapabilityRegistry;
use crate::core::input::{Inputs, RegisterInputs};
use crate::core::parameters::CellTypeNames;
use crate::core::quantity::{NONE, Quantities, Quantity, RegisterQuantities};
use crate::core::rule::BLOCK;
use crate::tissue::Molecules;

/// One drug that hides a molecule.
#[derive(Clone, Debug)]
struct Hider {
    block: ReceptorBlock,
    /// Whether it is hidden from what a site holds.
    from_site: bool,
}

/// The name of what is perceived of a molecule.
fn perceived(molecule: &str) -> String {
    format!("{molecule}.perceived")
}

/// Whether cells of a type have one of these capabilities or names, or nothing is asked of them.
pub(super) fn has_any(world: &World, cell_type: u16, only: &[String]) -> bool {
    let known = world.get_resource::<CapabilityRegistry>();
    let types = world.get_resource::<CellTypeNames>();
    let own = types.and_then(|types| types.0.get(usize::from(cell_type)));
    only.is_empty()
        || only.iter().any(|name| Some(name) == own)
        || only.iter().any(|name| {
            let capability = known.and_then(|known| known.get(name));
            capability.is_some_and(|of| (of.is_in_force)(world, cell_type))
        })
}

/// Registers what is perceived of all molecules that drugs hide, and lets rules go by that.
pub(super) fn install(world: &mut World, types: u16) {
    let Some(drugs) = world.get_resource::<Drugs>().cloned() else {
        return;
    };
    let hidden = drugs.list.iter().flat_map(|drug| drug.hides.keys());
    let mut hidden: Vec<String> = hidden.cloned().collect();
    hidden.sort();
    hidden.dedup();
    for molecule in hidden {
        let of = world
            .get_resource::<Molecules>()
            .and_then(|known| known.named(&molecule).cloned());
        let Some(of) = of else { continue };
        let hider = |drug: &Drug, hidden: &Hidden| Hider {
            block: ReceptorBlock {
                molecule: molecule.clone(),
                by: drug.name.clone(),
                half: hidden.half_nm,
                most: hidden.most,
                from: (0..types)
                    .map(|cell_type| has_any(world, cell_type, &hidden.only))
                    .collect(),
            },
            from_site: hidden.only.is_empty(),
        };
        let hiders: Vec<Hider> = drugs
            .list
            .iter()
            .filter_map(|drug| Some(hider(drug, drug.hides.get(&molecule)?)))
            .collect();
        let name = perceived(&molecule);
        let about = format!("{} of which a drug does not hold the receptor.", of.label);
        let label = format!("{} perceived", of.label);
        let mut info = Quantity::new(&name, &of.unit, about)
            .label(&label)
            .no_column();
        info.range = (0.0, of.scale_max.unwrap_or(1.0));
        let (wanted, own) = (molecule.clone(), hiders.clone());
        world.register_cell_reader(info, move |world| {
            let base = read_at_cells(world, &wanted);
            let drugs: Vec<_> = own
                .iter()
                .map(|of| read_at_cells(world, &of.block.by))
                .collect();
            let own = own.clone();
            Box::new(move |table, rows, values| {
                base(table, rows.clone(), values);
                let Some(types) = table.get::<CellType>() else {
                    return;
                };
                let mut levels = [NONE; BLOCK];
                let starts = (rows.start..).step_by(BLOCK);
                for (piece, start) in values.chunks_mut(BLOCK).zip(starts) {
                    let rows = start..start + piece.len();
                    let levels = &mut levels[..piece.len()];
                    for (hider, drug) in own.iter().zip(&drugs) {
                        levels.fill(NONE);
                        drug(table, rows.clone(), levels);
                        let all = piece.iter_mut().zip(&*levels).zip(&types[rows.clone()]);
                        for ((value, level), of) in all {
                            if hider.block.hides_from(of.0) {
                                *value *= hider.block.left(*level);
                            }
                        }
                    }
                }
            })
        });
        if let Some(mut known) = world.get_resource_mut::<Quantities>() {
            known.read_as.push((molecule.clone(), name.clone()));
        }
        hide_from_elements(world, &molecule, &name, &hiders);
        let blocks = hiders.into_iter().map(|of| of.block);
        if let Some(mut known) = world.get_resource_mut::<ReceptorBlocks>() {
            known.0.extend(blocks);
        }
    }
}

/// The same for what sites hold.
fn hide_from_elements(world: &mut World, molecule: &str, name: &str, hiders: &[Hider]) {
    let hiders: Vec<Hider> = hiders.iter().filter(|of| of.from_site).cloned().collect();
    if hiders.is_empty() {
        return;
    }
    let Some(inputs) = world.get_resource::<Inputs>() else {
        return;
    };
    let of_molecule = inputs.element_quantities.iter();
    let of_molecule = of_molecule.filter(|known| known.info.name == molecule);
    let found: Vec<(&'static str, Quantity)> = of_molecule
        .map(|known| (known.kind, known.info.clone()))
        .collect();
    for (kind, known) in found {
        let info = Quantity {
            name: name.to_owned(),
            ..known
        };
        let of_molecule_name = molecule.to_owned();
        let (molecule, hiders) = (molecule.to_owned(), hiders.clone());
        world.register_element_quantity(kind, info, move |world, site, to| {
            let of = |name: &str, to: &mut Vec<f32>| {
                let inputs = world.get_resource::<Inputs>();
                let known = inputs.and_then(|inputs| {
                    let mut all = inputs.element_quantities.iter();
                    all.find(|known| known.kind == kind && known.info.name == name)
                });
                if let Some(known) = known {
                    known.read(world, site, to);
                }
            };
            let start = to.len();
            of(&molecule, to);
            let mut levels = Vec::new();
            for hider in &hiders {
                levels.clear();
                of(&hider.block.by, &mut levels);
                for (value, level) in to[start..].iter_mut().zip(&levels) {
                    *value *= hider.block.left(*level);
                }
            }
        });
        if let Some(mut inputs) = world.get_resource_mut::<Inputs>() {
            inputs
                .read_as
                .push((kind, of_molecule_name.clone(), name.to_owned()));
        }
    }
}
