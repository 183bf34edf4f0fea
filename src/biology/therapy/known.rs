//! What can be known of drugs: how much is in blood and in tissue.

use bevy::prelude::*;

use super::drug::Drugs;
use super::pharmacy::Pharmacy;
use crate::core::metric::{Metric, RegisterMetrics};
use crate::tissue::spread::Spread;

/// Colours of curves, after Okabe & Ito 2008.
const PLASMA_COLOUR: [f32; 3] = [0.835, 0.369, 0.0];
const TISSUE_COLOUR: [f32; 3] = [0.0, 0.447, 0.698];

/// Registers what is measured of the drugs of a simulation.
pub(super) fn install(world: &mut World) {
    let Some(drugs) = world.get_resource::<Drugs>().cloned() else {
        return;
    };
    for (index, drug) in drugs.list.iter().enumerate() {
        let (name, label) = (&drug.name, &drug.label);
        let metrics = vec![
            Metric::new(
                format!("{name}_plasma_nm"),
                "nM",
                format!("{label} in plasma that is free to leave it."),
            )
            .label("in plasma")
            .plot(label)
            .colour(PLASMA_COLOUR),
            Metric::new(
                format!("{name}_tissue_nm"),
                "nM",
                format!("Mean {label} in the tissue of the site."),
            )
            .label("in tissue")
            .plot(label)
            .colour(TISSUE_COLOUR),
            Metric::new(
                format!("{name}_plasma_ug_per_ml"),
                "ug/mL",
                format!("All {label} in plasma."),
            )
            .label(&format!("{label} in plasma")),
            Metric::new(
                format!("{name}_given_mg"),
                "mg",
                format!("{label} that was given so far and reaches blood."),
            )
            .label(&format!("{label} given")),
        ];
        let name = name.clone();
        world.register_metrics(metrics, move |world, site| {
            let (Some(drugs), Some(pharmacy)) = (
                world.get_resource::<Drugs>(),
                world.get_resource::<Pharmacy>(),
            ) else {
                return vec![f64::NAN; 4];
            };
            let tissue = Spread::in_site(world, site, &name).map_or(f64::NAN, |of| of.mean);
            let given = pharmacy.amounts.get(index).map_or(0.0, |of| of.given_ug);
            vec![
                pharmacy.free_nm(drugs, index),
                tissue,
                pharmacy.plasma_ug_per_ml(drugs, index),
                given / 1000.0,
            ]
        });
    }
}
