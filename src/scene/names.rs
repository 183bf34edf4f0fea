//! What the cell types and molecules of a scene are called, and what columns and metrics are called after them.

use bevy::prelude::*;

use super::report::{Problem, SceneReport};
use crate::core::quantity::{NamedTwice, Quantities};
use crate::tissue::Molecules;
use crate::tissue::needs::missing_molecules;

/// Columns that every cell table has.
const ALWAYS: [&str; 6] = ["cell", "site", "type", "x_um", "y_um", "z_um"];

/// Notes names that would stand for two things, given the world in which all there is has been registered.
pub(super) fn check_names(report: &mut SceneReport, file: &str, world: &World) {
    let twice = world.get_resource::<NamedTwice>();
    let mut twice: Vec<&str> = twice.map_or_else(Vec::new, |twice| {
        twice.0.iter().map(String::as_str).collect()
    });
    if let Some(known) = world.get_resource::<Quantities>() {
        let categories = known.categories.iter().map(|of| of.info.name.as_str());
        let quantities = known
            .cells
            .iter()
            .filter_map(|of| of.info.column.as_deref());
        let mut columns: Vec<&str> = ALWAYS
            .into_iter()
            .chain(categories)
            .chain(quantities)
            .collect();
        columns.sort_unstable();
        twice.extend(
            columns
                .windows(2)
                .filter(|pair| pair[0] == pair[1])
                .map(|pair| pair[0]),
        );
    }
    twice.sort_unstable();
    twice.dedup();
    for name in twice {
        let mut problem = Problem::whole_file(
            file,
            format!("`{name}` would be the name of two measurements or columns"),
        );
        problem.help =
            Some("give the cell type or molecule that it is made of another name".into());
        report.problems.push(problem);
    }
    if let Some(molecules) = world.get_resource::<Molecules>() {
        let missing = missing_molecules(world, molecules).into_iter();
        let problems = missing.map(|message| Problem::whole_file(file, message));
        report.problems.extend(problems);
    }
}
