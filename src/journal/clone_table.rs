//! The rows of `clones.csv`: the living clones of each site at each time of measurement.
//!
//! | column | holds |
//! | --- | --- |
//! | `hours`, `site` | when and where |
//! | `type` | the cell type |
//! | `clone` | its number, 0 for cells that are as their type says |
//! | `parent` | the clone that it comes from, or the next before it whose place has not been taken by another |
//! | `founder`, `born_hours` | the cell that was the first of it, and when it came from a division; both empty for 0 |
//! | `cells` | how many of it live |
//!
//! and a column for each heritable parameter with what it is in the clone. A clone that begins and dies out between two
//! times is not told.

use std::io::Write;

use super::cell_table::name_of;
use super::run_folder::Number;
use crate::core::clones::{Clones, heritable_paths, heritable_values};
use crate::measure::metrics::living_by_clone;
use crate::simulation::Simulation;

/// The first row.
pub(super) fn header(simulation: &Simulation) -> String {
    let mut header = "hours,site,type,clone,parent,founder,born_hours,cells".to_owned();
    for path in heritable_paths(simulation.world()) {
        header.push(',');
        header.push_str(&path.replace('.', "_"));
    }
    header
}

/// Whether any cell type of a simulation inherits something, so that there can be clones.
pub(super) fn is_kept(simulation: &Simulation) -> bool {
    !heritable_paths(simulation.world()).is_empty()
}

/// Writes a row for each clone and site, in the order of sites and of numbers within a type.
pub(super) fn write(file: &mut impl Write, simulation: &Simulation) -> std::io::Result<()> {
    let world = simulation.world();
    let Some(clones) = world.get_resource::<Clones>() else {
        return Ok(());
    };
    let paths = heritable_paths(world);
    let values: Vec<Vec<Option<f32>>> = paths
        .iter()
        .map(|path| heritable_values(world, path))
        .collect();
    let (sites, types) = (simulation.site_names(), simulation.scene().library.names());
    let mut rows: Vec<_> = living_by_clone(world)
        .into_iter()
        .map(|((site, row), cells)| {
            let number = clones.get(row).map_or(0, |of| of.number);
            (site, clones.type_of(row), number, row, cells)
        })
        .collect();
    rows.sort_unstable();
    for (site, cell_type, number, row, cells) in rows {
        let own = values
            .iter()
            .map(|of| of.get(usize::from(row)).copied().flatten());
        if own.clone().all(|value| value.is_none()) {
            // A type that inherits nothing.
            continue;
        }
        let site = name_of(&sites, site);
        let cell_type = &types[usize::from(cell_type)];
        write!(
            file,
            "{},{site},{cell_type},{number},",
            Number(simulation.hours())
        )?;
        match clones.get(row) {
            Some(of) => {
                let born = of.since_step as f64 * simulation.clock().step_minutes / 60.0;
                write!(
                    file,
                    "{},{},{},{cells}",
                    of.mother,
                    of.founder.0,
                    Number(born)
                )?;
            }
            None => write!(file, ",,,{cells}")?,
        }
        for value in own {
            write!(file, ",")?;
            if let Some(value) = value {
                write!(file, "{value}")?;
            }
        }
        writeln!(file)?;
    }
    Ok(())
}
