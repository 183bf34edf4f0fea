//! Whether CAFs would keep each other awake: what `check` says of a crowd of fibroblasts.
//!
//! CAFs give off what wakes fibroblasts. If all of a crowd were awake, its own signal would be
//!
//! `b = s n / k` over the signal at which `k_in h = 1`,
//!
//! with the secretion `s` of a woken cell, the density `n` and the loss `k` of the molecule. Run as a front that spreads from a
//! tumour of radius 300 um, CAFs stay local and go when it goes up to 1.5; beyond, they stay when the tumour is gone, and from 4 on the
//! front never stops.

use bevy::prelude::*;

use super::{FibroblastParameters, SIGNAL};
use crate::core::advice::Crowd;
use crate::core::input::Inputs;
use crate::core::parameters::PerType;
use crate::core::regulate::Rules;
use crate::core::rule::{BLOCK, Law, RuleBook, RuleProgram};
use crate::core::units::{MOLECULES_PER_UM3_PER_NM, SECONDS_PER_MINUTE};
use crate::tissue::Molecules;

/// Up to this a crowd of CAFs stays where a tumour wakes it.
const LOCAL: f64 = 1.5;
/// From this on the front of waking never stops.
const WITHOUT_END: f64 = 4.0;
/// Cubic micrometres in a millilitre.
const UM3_PER_ML: f64 = 1.0e12;

/// Says so where CAFs of a crowd would keep each other awake.
pub(super) fn keep_each_other_awake(world: &World, crowd: &Crowd) -> Option<String> {
    let parameters = world
        .get_resource::<PerType<FibroblastParameters>>()?
        .get(crowd.cell_type)?;
    let threshold = parameters.threshold_ng_per_ml()?;
    let book = world
        .get_resource::<Rules>()?
        .of_types
        .get(usize::from(crowd.cell_type))?;
    let molecules = world.get_resource::<Molecules>()?;
    for rule in book.rules.values().filter(|rule| rule.input == SIGNAL) {
        let (Law::Add(gain), Some(molecule)) = (rule.law, molecules.named(&rule.by)) else {
            continue;
        };
        // At rest, and with all that may raise it besides, such as lack of oxygen.
        let [usual, most] = [f32::NAN, 1.0].map(|others| {
            let secreted = secretion(world, crowd.cell_type, book, &rule.by, others);
            let nm_per_min = f64::from(secreted) * SECONDS_PER_MINUTE * crowd.per_ml
                / (UM3_PER_ML * MOLECULES_PER_UM3_PER_NM);
            let level =
                nm_per_min / f64::from(molecule.decay_per_min) / f64::from(molecule.nm_per_unit);
            f64::from(gain * rule.scale) * level / f64::from(threshold)
        });
        if usual > LOCAL || most > WITHOUT_END {
            let what = &molecule.label;
            return Some(format!(
                "the {what} of these fibroblasts would be {usual:.1} times what wakes them, were all awake, and up to \
                 {most:.1} times where they are stimulated: above {LOCAL} they stay awake by themselves, from \
                 {WITHOUT_END} on they wake all of the tissue; fewer cells, or less secretion of {what}, would keep it local"
            ));
        }
    }
    None
}

/// What a woken cell of a type gives off of a molecule, molecules/s, where all quantities that are not of this module have that value.
fn secretion(world: &World, cell_type: u16, book: &RuleBook, molecule: &str, others: f32) -> f32 {
    let name = format!("exchange.{molecule}");
    let input = world
        .get_resource::<Inputs>()
        .and_then(|inputs| inputs.of_cells(&name));
    let Some(base) = input.and_then(|input| input.base(world, cell_type)) else {
        return 0.0;
    };
    let mut value = [base];
    let mut columns: Vec<[f32; 1]> = Vec::new();
    let limits = (0.0, f32::INFINITY);
    let program = RuleProgram::new(book, &name, limits, |by| {
        columns.push([match by {
            "fibroblast.myofibroblastic" | "fibroblast.active" => 1.0,
            "fibroblast.inflammatory" => 0.0,
            _ => others,
        }]);
        columns.len() - 1
    });
    if let Some(program) = program {
        program.apply(
            &mut value,
            |column| &columns[column],
            &mut [[0.0; BLOCK]; 2],
        );
    }
    value[0]
}
