//! What can be known of vesicles: at cells, in sites, in the blood.

use bevy::prelude::*;

use super::blood::BloodVesicles;
use super::organs::number_of_organ;
use super::packets::Packets;
use super::parameters::{CARGO, ExosomesParameters, MIF};
use super::release::Secretor;
use super::uptake::Uptake;
use crate::core::metric::{Metric, RegisterMetrics};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::tissue::{Organ, Sites};

/// Quantities of what cells hold of each cargo, and what these are called.
const HELD: [(&str, &str); CARGO.len()] = [
    ("exosome.held_tgf_beta", "TGF-beta"),
    ("exosome.held_mif", "MIF"),
    ("exosome.held_met", "MET"),
    ("exosome.held_pd_l1", "PD-L1"),
    ("exosome.held_rna", "RNA of moving cells"),
];

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    app.register_quantity::<Secretor>(
        Quantity::new(
            "exosome.release",
            "1/min",
            "Vesicles that a cell sets free.",
        )
        .label("exosome release")
        .range(0.0, 3.0)
        .of_the_living()
        .no_column(),
        |secretor| secretor.vesicles_per_min,
    )
    .register_quantity::<Uptake>(
        Quantity::new(
            "exosome.held",
            "",
            "Vesicles that the cell took up and that act still.",
        )
        .label("exosomes taken up")
        .column("exosomes_held")
        .range(0.0, 2000.0)
        .of_the_living(),
        |uptake| uptake.held,
    )
    .register_quantity::<Uptake>(
        Quantity::new(
            "exosome.dose",
            "",
            "What bound to a resident in the last step, over the rate that educates its organ by half.",
        )
        .label("dose of exosomes")
        .range(0.0, 10.0)
        .no_column(),
        |uptake| uptake.dose,
    )
    .register_quantity::<Uptake>(
        Quantity::new(
            "exosome.mif",
            "",
            "MIF in a vesicle of those that act in the cell, over that of a breast cancer cell's.",
        )
        .range(0.0, 2.0)
        .no_column(),
        |uptake| uptake.load(MIF),
    );
    for (number, (name, cargo)) in HELD.into_iter().enumerate() {
        let about = format!(
            "{cargo} of the vesicles that act in the cell, in vesicles with the load of one."
        );
        app.register_quantity::<Uptake>(
            Quantity::new(name, "", about)
                .range(0.0, 2000.0)
                .no_column(),
            move |uptake| uptake.cargo[number],
        );
    }
    app.register_site_quantity(
        Quantity::new(
            "exosome.marrow_met",
            "",
            "MET that the bone marrow took up a day, lately, over what vesicles bring there of 1.5e7 breast cancer cells.",
        )
        .range(0.0, 2.0),
        |world, _| {
            let blood = world.get_resource::<BloodVesicles>();
            let exosomes = world.get_resource::<ExosomesParameters>();
            blood.zip(exosomes).map_or(f32::NAN, |(blood, exosomes)| {
                blood.marrow_met(exosomes.half_per_day) as f32
            })
        },
    );
    app.register_metrics(
        vec![
            Metric::new(
                "exosomes_in_tissue",
                "",
                "Vesicles on their way in the tissue of the site.",
            )
            .label("in the tissue")
            .plot("Exosomes"),
            Metric::new(
                "exosomes_secreted",
                "",
                "Vesicles that cells of the site have set free so far.",
            ),
            Metric::new(
                "exosomes_arrived",
                "",
                "Vesicles that have come into the site with the blood so far.",
            ),
            Metric::new(
                "exosomes_taken_up",
                "",
                "Vesicles that cells of the site have taken up so far.",
            )
            .label("taken up")
            .plot("Exosomes"),
            Metric::new(
                "exosomes_bound",
                "",
                "Of these those that bound to residents of the organ, and educate them.",
            ),
            Metric::new(
                "exosomes_escaped",
                "",
                "Vesicles that have gone from the tissue of the site into the blood so far.",
            )
            .label("gone into the blood")
            .plot("Exosomes"),
            Metric::new(
                "exosomes_drained",
                "",
                "Vesicles that have gone from the tissue of the site into the lymph so far.",
            )
            .label("gone into the lymph")
            .plot("Exosomes"),
            Metric::new(
                "exosomes_in_blood",
                "",
                "Vesicles in the blood of the animal.",
            )
            .label("in the blood")
            .plot("Exosomes in blood and organ"),
            Metric::new(
                "exosomes_organ_uptake",
                "",
                "Vesicles that the organ of the site has taken up from the blood so far.",
            )
            .label("taken up by the organ")
            .plot("Exosomes in blood and organ"),
            Metric::new(
                "exosomes_organ_educating",
                "",
                "Of these those that bound in it, and educate it.",
            )
            .label("bound in it")
            .plot("Exosomes in blood and organ"),
        ],
        |world, site| {
            let sites = world.get_resource::<Sites>();
            let site = sites.and_then(|sites| sites.list.get(site));
            let packets = site.and_then(|site| world.get::<Packets>(site.entity));
            let Some((site, packets)) = site.zip(packets) else {
                return vec![f64::NAN; 10];
            };
            let books = packets.books;
            let local = [
                packets.in_tissue(),
                books.secreted,
                books.arrived,
                books.taken_up,
                books.bound,
                books.escaped,
                books.drained,
            ];
            let blood = world.get_resource::<BloodVesicles>();
            let organ = world.get::<Organ>(site.entity).copied();
            let organ = organ.and_then(number_of_organ);
            let of_organ = blood
                .zip(organ)
                .and_then(|(blood, organ)| blood.taken_up.get(organ));
            let mut all: Vec<f64> = local.map(|count| count as f64).to_vec();
            all.extend([
                blood.map_or(f64::NAN, BloodVesicles::in_blood),
                of_organ.map_or(f64::NAN, |of| of.vesicles),
                of_organ.map_or(f64::NAN, |of| of.binding),
            ]);
            all
        },
    );
}
