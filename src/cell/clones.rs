//! Cells inherit, now and then with a change: which clone each belongs to.
//!
//! The clones themselves, and how their parameters change, are in [`crate::core::clones`]. What a cell carries is its
//! [`CellType`], the row of its clone in the tables of parameters. Runs in `Turnover`, with the divisions.

use bevy::prelude::*;

use super::CellType;
use super::life::{Division, RegisterLife};
use crate::core::RegisterPurpose;
use crate::core::clones::{
    Clones, HeritableTraits, MUTATION, heritable_paths, heritable_values, inherit,
};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::quantity::{NONE, Quantities, Quantity, Reader, RegisterQuantities};
use crate::core::state::{Owner, RegisterState};
use crate::core::units::name_and_unit;

/// Name of the quantity that is the number of a cell's clone.
const CLONE_NUMBER: &str = "clone.number";

/// Clones and their mutations.
pub struct ClonesPlugin;

impl Plugin for ClonesPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Clones>()
            .init_resource::<HeritableTraits>()
            .register_purpose(MUTATION)
            .register_kept::<Clones>(Owner::Simulation, "clones")
            .declare_remade::<HeritableTraits>("made from the scene")
            .register_quantity_with::<CellType, _>(
                Quantity::new(
                    CLONE_NUMBER,
                    "",
                    "Number of the clone that a cell belongs to; 0 for one that is as its type says.",
                )
                .label("clone")
                .range(0.0, 100.0)
                .no_column(),
                |world| {
                    let clones = world.get_resource::<Clones>();
                    let numbers = clones.map_or_else(Vec::new, Clones::numbers);
                    move |row| {
                        let number = numbers.get(usize::from(row.0));
                        number.map_or(0.0, |number| *number as f32)
                    }
                },
            )
            .divide_cells(join_clone);
    }
}

/// For a world in which some type has heritable parameters: gives tables of cells a column `clone`, and makes each
/// parameter a quantity, `clone.cycle.s_hours`, that has a column and whose mean over living cells is measured.
pub fn tell_clones(world: &mut World) {
    for path in heritable_paths(world) {
        let name = format!("clone.{path}");
        let (_, unit) = name_and_unit(&path);
        let about = format!("`{path}` of the cell's clone, which is heritable.");
        let info = Quantity::new(&name, unit, about).of_the_living();
        let column = name.replace('.', "_");
        let mean = format!("Mean `{path}` of living cells in which it is heritable.");
        world
            .register_cell_reader(info, move |world| read_trait(world, &path))
            .register_metric(
                Metric::new(format!("{column}_mean"), unit, mean),
                Measure::Mean(name),
            );
    }

    if let Some(mut known) = world.get_resource_mut::<Quantities>() {
        let mut all = known.cells.iter_mut();
        if let Some(of) = all.find(|of| of.info.name == CLONE_NUMBER) {
            of.info.column = Some("clone".into());
        }
    }
}

/// Reads a heritable parameter (path without the type) of each cell's clone.
fn read_trait<'w>(world: &'w World, path: &str) -> Reader<'w, f32> {
    let of_rows = heritable_values(world, path);
    Box::new(move |table, rows, values| {
        let Some(types) = table.get::<CellType>() else {
            values.fill(NONE);
            return;
        };
        for (value, row) in values.iter_mut().zip(&types[rows]) {
            let known = of_rows.get(usize::from(row.0)).copied().flatten();
            *value = known.unwrap_or(NONE);
        }
    })
}

/// Finds the clone of a cell that comes from a division.
fn join_clone(cell: &mut EntityWorldMut, division: &Division) {
    let Some(CellType(old)) = cell.get::<CellType>().copied() else {
        return;
    };
    let is_mother = division.side < 0.0;
    let id = if is_mother {
        division.mother
    } else {
        division.daughter
    };
    let new = cell.world_scope(|world| {
        let new = inherit(world, old, id, division.step);
        // She who was the mother is counted already.
        if !(is_mother && new == old) {
            let mut clones = world.resource_mut::<Clones>();
            clones.gain(new);
            if is_mother {
                clones.lose(old);
            }
        }
        new
    });
    if new != old
        && let Some(mut cell_type) = cell.get_mut::<CellType>()
    {
        cell_type.0 = new;
    }
}

/// Notes that a cell is about to be removed.
pub fn leave_clone(world: &mut World, cell: Entity) {
    if let Some(CellType(row)) = world.get::<CellType>(cell).copied()
        && world
            .get_resource::<Clones>()
            .is_some_and(|clones| clones.get(row).is_some())
    {
        world.resource_mut::<Clones>().lose(row);
    }
}
