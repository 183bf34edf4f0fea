//! Organs of which a scene has no site: what surrounds the cells that they hold.
//!
//! A cell in transit has no voxel, and finds molecules at their background. Where a module keeps it in an organ all the same, a *compartment*
//! ([`RegisterCompartments::register_compartments`]), it finds there what the residents of that organ send: levels by the name of the molecule
//! ([`Compartments::furnish`]), which [`read_at_cells`](super::molecules::read_at_cells) hands out as it does what a voxel holds.

use std::collections::BTreeMap;
use std::ops::Range;

use bevy::prelude::*;

use super::Resident;
use crate::core::columns::Columns;
use crate::core::quantity::NONE;
use crate::core::state::RegisterState;

/// Writes the level of a molecule for those cells of some rows that a compartment holds, given its level in each compartment.
type Levels = Box<dyn for<'w> Fn(&Columns<'w>, Range<usize>, &[f32], &mut [f32]) + Send + Sync>;

/// Organs of which the scene has no site, by their places in the list of whoever keeps cells in them.
#[derive(Resource, Default)]
pub struct Compartments {
    write: Option<Levels>,
    /// By molecule, of each compartment; [`NONE`] where nothing is known of it.
    levels: BTreeMap<String, Vec<f32>>,
}

impl Compartments {
    /// Says what residents of each compartment send: levels by the name of the molecule, in its unit, in the order of the compartments.
    pub fn furnish<'a>(&mut self, of_each: impl IntoIterator<Item = &'a BTreeMap<String, f32>>) {
        self.levels.clear();
        for (place, levels) in of_each.into_iter().enumerate() {
            for (molecule, level) in levels {
                let all = self.levels.entry(molecule.clone()).or_default();
                all.resize(place, NONE);
                all.push(*level);
            }
        }
    }

    /// What writes the levels of a molecule; none where no compartment has any of it.
    pub(super) fn levels_of<'a>(
        &'a self,
        molecule: &str,
    ) -> Option<impl Fn(&Columns<'_>, Range<usize>, &mut [f32]) + use<'a>> {
        let (write, levels) = (self.write.as_ref()?, self.levels.get(molecule)?);
        Some(move |table: &Columns<'_>, rows, values: &mut [f32]| {
            write(table, rows, levels, values);
        })
    }
}

/// Registration, from a module's plugin.
pub trait RegisterCompartments {
    /// Says by which component a cell in transit knows the compartment that holds it, if one does.
    ///
    /// # Panics
    /// When another module keeps cells in compartments already.
    fn register_compartments<C: Component>(
        &mut self,
        place: impl Fn(&C) -> Option<usize> + Send + Sync + 'static,
    ) -> &mut Self;
}

impl RegisterCompartments for App {
    fn register_compartments<C: Component>(
        &mut self,
        place: impl Fn(&C) -> Option<usize> + Send + Sync + 'static,
    ) -> &mut Self {
        let write =
            move |table: &Columns<'_>, rows: Range<usize>, levels: &[f32], values: &mut [f32]| {
                let (Some(of_cells), Some(residents)) = (table.get::<C>(), table.get::<Resident>())
                else {
                    return;
                };
                let cells = of_cells[rows.clone()].iter().zip(&residents[rows]);
                for (value, (of, resident)) in values.iter_mut().zip(cells) {
                    let place = place(of).filter(|_| resident.0.is_transit());
                    let level = place.and_then(|place| levels.get(place));
                    if let Some(level) = level.filter(|level| !level.is_nan()) {
                        *value = *level;
                    }
                }
            };
        self.init_resource::<Compartments>()
            .declare_remade::<Compartments>("made from the scene");
        let mut compartments = self.world_mut().resource_mut::<Compartments>();
        assert!(
            compartments.write.is_none(),
            "one module keeps cells in compartments"
        );
        compartments.write = Some(Box::new(write));
        self
    }
}
