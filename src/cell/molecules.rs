//! What is known of molecules at cells and in sites: quantities and measurements for each molecule there is.
//!
//! A scene may bring molecules of its own, so they are registered when the molecules of a simulation are put into
//! force. Once the sites are known, what would be measured of a molecule that none of them carries is left out
//! ([`keep_carried`]); rules may still ask for it, and find its background, or the level in an organ without a site ([`super::compartment`]). After a step a cell's value is that of the field where the cell is; in `Signal` and `Act` its systems read
//! the voxel that it was in at the start of the step ([`crate::tissue::Fields`]).

use std::collections::BTreeSet;

use bevy::prelude::*;

use super::compartment::Compartments;
use super::{Position, Resident};
use crate::core::metric::{Measure, Metric, Metrics, RegisterMetrics};
use crate::core::quantity::{NONE, Quantities, Quantity, Reader, RegisterQuantities};
use crate::tissue::spread::Spread;
use crate::tissue::{FieldReader, Molecules, Sites};

/// Colours of curves, after Okabe & Ito 2008.
const MEAN_COLOUR: [f32; 3] = [0.337, 0.706, 0.914];
const LOWEST_COLOUR: [f32; 3] = [0.902, 0.624, 0.0];

/// Registers what is known of each molecule: at a cell, and in a site its mean, lowest and highest concentration.
pub fn register_molecules(world: &mut World, molecules: &Molecules) {
    for molecule in molecules.list() {
        let (name, label, unit) = (&molecule.name, &molecule.label, &molecule.unit);
        let suffix = unit_suffix(unit);
        let column = format!("{name}_{suffix}");
        let top = molecule.scale_max.unwrap_or(1.0);
        let about = format!("{label} at the cell.");
        let mut info = Quantity::new(name, unit, about)
            .label(label)
            .column(&column)
            .range(0.0, top)
            .colours(molecule.colour_map)
            .contours(&molecule.contours)
            .of_molecule(name)
            .source(&molecule.source);
        info.featured = molecule.featured;
        let wanted = name.clone();
        world.register_cell_reader(info, move |world| read_at_cells(world, &wanted));
        let metric = |kind: &str, what: &str| {
            let name = format!("{name}_{kind}_{suffix}");
            Metric::new(name, unit, format!("{what} {label} of the site."))
                .of_molecule(&molecule.name)
        };
        let metrics = vec![
            metric("mean", "Mean"),
            metric("min", "Lowest"),
            metric("max", "Highest"),
        ];
        let wanted = name.clone();
        world.register_metrics(metrics, move |world, site| {
            let spread = Spread::in_site(world, site, &wanted).unwrap_or(Spread::NONE);
            vec![spread.mean, spread.min, spread.max]
        });
        let at_cells = |kind: &str, what: &str, colour| {
            let name = format!("{name}_at_cells_{kind}_{suffix}");
            let metric = Metric::new(name, unit, format!("{what} {label} at living cells."));
            let plotted = metric
                .of_molecule(&molecule.name)
                .label(&what.to_lowercase())
                .plot(&format!("{label} at living cells"))
                .colour(colour);
            Metric {
                plot: plotted.plot.clone().filter(|_| molecule.featured),
                ..plotted
            }
        };
        world
            .register_metric(
                at_cells("mean", "Mean", MEAN_COLOUR),
                Measure::Mean(molecule.name.clone()),
            )
            .register_metric(
                at_cells("min", "Lowest", LOWEST_COLOUR),
                Measure::Least(molecule.name.clone()),
            );
    }
}

/// What holds a receptor of a molecule, and so hides it from cells that go by it: they perceive `c (1 - most D / (D + half))` of it where
/// there are `D` of what holds the receptor.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceptorBlock {
    /// The molecule that is hidden.
    pub molecule: String,
    /// What holds its receptor, a molecule as well.
    pub by: String,
    /// Of that, where half of what it can hide is hidden, in its unit.
    pub half: f32,
    /// The most that it hides, 0-1.
    pub most: f32,
    /// By type of cell, whether it is hidden from such cells.
    pub from: Vec<bool>,
}

impl ReceptorBlock {
    /// The share of the molecule that is left at a level of what hides it.
    pub fn left(&self, level: f32) -> f32 {
        let level = level.max(0.0);
        1.0 - self.most * level / (level + self.half)
    }

    /// Whether it is hidden from cells of a type.
    pub fn hides_from(&self, cell_type: u16) -> bool {
        self.from.get(usize::from(cell_type)) == Some(&true)
    }
}

/// All that hides molecules from cells. Cells that there are read what is left as a quantity of their own; who asks for a place where no cell
/// is yet reckons with these.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct ReceptorBlocks(pub Vec<ReceptorBlock>);

/// Leaves out what would be measured of molecules that no site carries, from tables of cells as well.
pub fn keep_carried(world: &mut World) {
    let (molecules, sites) = (
        world.resource::<Molecules>().clone(),
        world.resource::<Sites>(),
    );
    let fields = sites.list.iter().flat_map(|site| &site.fields);
    let carried: BTreeSet<&str> = fields
        .map(|field| molecules.get(field.molecule).name.as_str())
        .collect();
    if let Some(mut metrics) = world.get_resource_mut::<Metrics>() {
        metrics.keep_of(|molecule| carried.contains(molecule));
    }
    if let Some(mut quantities) = world.get_resource_mut::<Quantities>() {
        for quantity in &mut quantities.cells {
            let molecule = quantity.info.molecule.as_deref();
            quantity.is_offered = molecule.is_none_or(|molecule| carried.contains(molecule));
        }
    }
}

/// A unit as the names of columns end.
fn unit_suffix(unit: &str) -> String {
    let plain = unit.chars().filter(char::is_ascii_alphanumeric);
    plain.map(|c| c.to_ascii_lowercase()).collect()
}

/// Reads the concentration of a molecule where each cell is: its background where the site
/// does not simulate it, and what residents send in an organ without a site that holds the cell.
pub fn read_at_cells<'w>(world: &'w World, name: &str) -> Reader<'w, f32> {
    let field = FieldReader::in_world(world, name);
    let compartments = world.get_resource::<Compartments>();
    let in_compartments = compartments.and_then(|of| of.levels_of(name));
    Box::new(move |table, rows, values| {
        let (Some(field), Some(residents), Some(positions)) =
            (&field, table.get::<Resident>(), table.get::<Position>())
        else {
            values.fill(NONE);
            return;
        };
        let places = residents[rows.clone()].iter().zip(&positions[rows.clone()]);
        for (value, (resident, position)) in values.iter_mut().zip(places) {
            *value = field.at_point(resident.0, position.0);
        }
        if let Some(write) = &in_compartments {
            write(table, rows, values);
        }
    })
}
