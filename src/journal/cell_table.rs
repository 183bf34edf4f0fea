//! The rows of `cells_<hours>h.csv`, and what places are called in tables.

use std::io::Write;

use crate::core::quantity::Quantities;
use crate::measure::{Census, Wanted};
use crate::simulation::Simulation;
use crate::tissue::SiteId;

/// The name of a site, or of the way between two.
pub(super) fn name_of<'a>(sites: &[&'a str], site: SiteId) -> &'a str {
    sites
        .get(usize::from(site.0))
        .copied()
        .unwrap_or(SiteId::TRANSIT_NAME)
}

/// Writes a row for each cell, in the order of identity. What a cell has not is left empty.
pub(super) fn write_cell_table(
    file: &mut impl Write,
    simulation: &Simulation,
) -> std::io::Result<()> {
    let world = simulation.world();
    let census = Census::take(world, &Wanted::all(world));
    let sites = simulation.site_names();
    let types = simulation.scene().library.names();
    let known = world.get_resource::<Quantities>();
    let categories: Vec<_> = census
        .categories
        .iter()
        .filter_map(|(name, values)| Some((&known?.category(name)?.info, values)))
        .collect();
    let quantities: Vec<_> = census
        .quantities
        .iter()
        .filter_map(|(name, values)| {
            let column = known?.of_cells(name)?.info.column.as_ref()?;
            Some((column, values))
        })
        .collect();
    write!(file, "cell,site,type")?;
    for (category, _) in &categories {
        write!(file, ",{}", category.name)?;
    }
    write!(file, ",x_um,y_um,z_um")?;
    for (column, _) in &quantities {
        write!(file, ",{column}")?;
    }
    writeln!(file)?;
    for row in 0..census.len() {
        let [x, y, z] = census.positions_um[row].to_array();
        let (site, kind) = (census.sites[row], census.types[row]);
        write!(
            file,
            "{},{},{}",
            census.ids[row].0,
            name_of(&sites, site),
            types[usize::from(kind)]
        )?;
        for (category, values) in &categories {
            let value = category.values.get(usize::from(values[row]));
            write!(file, ",{}", value.map_or("", |value| value.key.as_str()))?;
        }
        if site.is_transit() {
            write!(file, ",,,")?;
        } else {
            write!(file, ",{x},{y},{z}")?;
        }
        for (_, values) in &quantities {
            match values[row] {
                value if value.is_nan() => write!(file, ",")?,
                value => write!(file, ",{value}")?,
            }
        }
        writeln!(file)?;
    }
    Ok(())
}
