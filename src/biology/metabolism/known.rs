//! What can be known of metabolism: quantities of cells, and the lowest pH of a site.

use bevy::prelude::*;

use super::{GLUCOSE, LACTATE, Metabolism, MetabolismChemistry, MetabolismParameters, OXYGEN};
use crate::cell::molecules::read_at_cells;
use crate::cell::{CellType, Position, Resident};
use crate::core::metric::{Metric, RegisterMetrics};
use crate::core::parameters::PerType;
use crate::core::quantity::{NONE, Quantity, Reader, RegisterQuantities};
use crate::tissue::FieldReader;
use crate::tissue::spread::Spread;

/// Reads what a law makes of the molecules at each cell that has a metabolism.
fn read_of_molecules<'w, const N: usize>(
    world: &'w World,
    molecules: [&str; N],
    law: impl Fn(&MetabolismParameters, &MetabolismChemistry, [f32; N]) -> f32 + Send + Sync + 'static,
) -> Reader<'w, f32> {
    let chemistry = world.resource::<MetabolismChemistry>().clone();
    let parameters = world.resource::<PerType<MetabolismParameters>>();
    let fields = molecules.map(|name| FieldReader::in_world(world, name));
    Box::new(move |table, rows, values| {
        let (Some(types), Some(residents), Some(positions), Some(_), true) = (
            table.get::<CellType>(),
            table.get::<Resident>(),
            table.get::<Position>(),
            table.get::<Metabolism>(),
            fields.iter().all(Option::is_some),
        ) else {
            values.fill(NONE);
            return;
        };
        for (value, row) in values.iter_mut().zip(rows) {
            let Some(parameters) = parameters.get(types[row].0) else {
                *value = NONE;
                continue;
            };
            let (site, at) = (residents[row].0, positions[row].0);
            let levels = fields.each_ref().map(|field| {
                field
                    .as_ref()
                    .map_or(NONE, |field| field.at_point(site, at))
            });
            *value = law(parameters, &chemistry, levels);
        }
    })
}

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    app.register_cell_reader(
        Quantity::new("metabolism.ph", "", "Acidity at the cell, by its lactate.")
            .label("pH")
            .column("ph")
            .range(6.4, 7.4)
            .source("carbonate buffer: pH = 7.4 - lactate / buffer"),
        |world| {
            let chemistry = world.resource::<MetabolismChemistry>().clone();
            let lactate = read_at_cells(world, LACTATE);
            Box::new(move |table, rows, values| {
                lactate(table, rows, values);
                for value in values {
                    *value = chemistry.ph(*value);
                }
            })
        },
    )
    .register_cell_reader(
        Quantity::new(
            "metabolism.growth",
            "",
            "Share of full growth that oxygen, glucose and acidity at the cell allow.",
        )
        .label("growth")
        .column("growth")
        .source("the product of a ramp in oxygen, a Hill function of glucose and a ramp in pH")
        .of_the_living(),
        |world| {
            read_of_molecules(
                world,
                [OXYGEN, GLUCOSE, LACTATE],
                |of, chemistry, [oxygen, glucose, lactate]| {
                    of.growth_factor(oxygen, glucose, chemistry.ph(lactate))
                },
            )
        },
    )
    .register_cell_reader(
        Quantity::new(
            "metabolism.starvation",
            "",
            "How far the cell starves for lack of glucose: 0 not at all, 1 fully.",
        )
        .label("starvation")
        .source("a ramp in glucose from `starvation_onset_mm` down to `starvation_full_mm`")
        .of_the_living(),
        |world| read_of_molecules(world, [GLUCOSE], |of, _, [glucose]| of.starvation(glucose)),
    )
    .register_cell_reader(
        Quantity::new(
            "metabolism.acid_harm",
            "",
            "How far acid harms the cell: 0 not at all, 1 fully.",
        )
        .label("harm by acid")
        .source("a ramp in pH from `acid_onset_ph` down to `acid_full_ph`")
        .of_the_living(),
        |world| {
            read_of_molecules(world, [LACTATE], |of, chemistry, [lactate]| {
                of.acid_harm(chemistry.ph(lactate))
            })
        },
    )
    .register_quantity::<Metabolism>(
        Quantity::new(
            "metabolism.atp",
            "",
            "ATP made, relative to what the cell makes with plentiful glucose and oxygen.",
        )
        .label("ATP")
        .column("atp")
        .range(0.0, 1.5)
        .source("4.7 ATP per oxygen, 2 per glucose (Rich 2003, doi:10.1042/bst0311095)")
        .of_the_living(),
        |metabolism| metabolism.atp,
    )
    .register_quantity::<Metabolism>(
        Quantity::new(
            "metabolism.atp_lack",
            "",
            "Share of that ATP which is missing.",
        )
        .label("lack of ATP")
        .of_the_living(),
        Metabolism::atp_lack,
    )
    .register_metrics(
        vec![Metric::new(
            "ph_min",
            "",
            "Lowest pH of the site, that of its highest lactate.",
        )],
        |world, site| {
            let lactate = Spread::in_site(world, site, LACTATE);
            let chemistry = world.resource::<MetabolismChemistry>();
            let ph = |lactate: Spread| f64::from(chemistry.ph(lactate.max as f32));
            vec![lactate.map_or(f64::NAN, ph)]
        },
    )
    .register_quantity::<Metabolism>(
        Quantity::new(
            "metabolism.glucose_uptake",
            "amol/s",
            "Glucose uptake at saturation.",
        )
        .label("glucose uptake at saturation")
        .column("glucose_uptake_amol_per_s")
        .range(0.0, 200.0)
        .of_the_living(),
        |metabolism| metabolism.glucose_capacity_amol_per_s,
    )
    .register_quantity::<Metabolism>(
        Quantity::new("metabolism.lactate_release", "amol/s", "Lactate given off.")
            .label("lactate release")
            .column("lactate_release_amol_per_s")
            .range(0.0, 400.0)
            .of_the_living(),
        |metabolism| metabolism.lactate_amol_per_s,
    );
}
