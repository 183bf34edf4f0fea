//! All that is known of one cell, for the inspector.

use bevy::prelude::*;

use super::Wiring;
use crate::core::CellId;
use crate::core::columns::tables_with;
use crate::core::quantity::{NO_VALUE, NONE, Quantities};

/// All that is known of a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Portrait {
    /// Its identity.
    pub id: u64,
    /// Each category it has, as a label, and its value.
    pub categories: Vec<(String, String)>,
    /// Each quantity it has: label, value, unit.
    pub quantities: Vec<(String, f32, String)>,
    /// The rules that act on it.
    pub wiring: Wiring,
}

/// All that is known of a cell.
pub(super) fn portrait(world: &World, id: u64) -> Option<Portrait> {
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
        wiring: Wiring::of(world, &table, row).unwrap_or_default(),
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
        quantity.reader_of_the_known(world)(&table, row..row + 1, &mut value);
        if !value[0].is_nan() && (living || !info.of_the_living) {
            portrait
                .quantities
                .push((info.label.clone(), value[0], info.unit.clone()));
        }
    }
    Some(portrait)
}
