//! What can be known of the visibility of cells: quantities, categories and metrics.

use bevy::prelude::*;

use super::Visibility;
use crate::core::colour_map::ColourMap;
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::quantity::{
    Category, CategoryValue, HELD_BY_A_DRUG, Quantity, RegisterQuantities,
};

/// PD-L1 from which a cell is drawn with a rim, molecules/um2: twice what tumour cells show without IFN-gamma.
const MUCH_PD_L1: f32 = 260.0;
/// Presented antigen from which T cells see a cell well, and below which hardly.
const SEEN_FROM: f32 = 0.5;
const HIDDEN_BELOW: f32 = 0.15;

/// How well T cells see a cell, or how much antigen its clone has: from plenty (0) to little (2).
const fn rank(share: f32) -> u8 {
    if share >= SEEN_FROM {
        0
    } else if share >= HIDDEN_BELOW {
        1
    } else {
        2
    }
}

/// Blue, amber and dark red: hues that stay apart for the colour-blind.
const RANKS: [[f32; 3]; 3] = [[0.34, 0.71, 0.91], [0.90, 0.62, 0.0], [0.55, 0.24, 0.42]];
/// The rim of much PD-L1: orange.
const ORANGE: [f32; 3] = [0.96, 0.50, 0.10];
/// Share of PD-L1 from which it counts as held by a drug.
const HELD_FROM: f32 = 0.5;

/// Whether a cell shows the usual (0) or much PD-L1 (1), or much that a drug holds (2).
fn pd_l1_level(shown: &Visibility) -> u8 {
    let is_much = u8::from(shown.pd_l1_per_um2 >= MUCH_PD_L1);
    is_much + is_much * u8::from(shown.pd_l1_blocked >= HELD_FROM)
}

fn numbers(app: &mut App) {
    app.register_quantity::<Visibility>(
        Quantity::new(
            "visibility.antigen",
            "",
            "Antigen of the cell's clone that T cells know, of what there can be.",
        )
        .label("antigen")
        .column("antigen")
        .range(0.0, 1.0)
        .of_the_living()
        .featured(),
        |shown| shown.antigen,
    )
    .register_quantity::<Visibility>(
        Quantity::new(
            "visibility.mhc_1",
            "",
            "MHC-I on the surface, over that of healthy cells.",
        )
        .label("MHC-I")
        .column("mhc_1")
        .range(0.0, 2.0)
        .colours(ColourMap::Cividis)
        .of_the_living()
        .featured(),
        |shown| shown.mhc_1,
    )
    .register_quantity::<Visibility>(
        Quantity::new(
            "visibility.presented",
            "",
            "Antigen that T cells find on the surface: that of the clone, by as much MHC-I as shows it.",
        )
        .label("presented antigen")
        .column("presented_antigen")
        .range(0.0, 1.0)
        .source("antigen times MHC-I")
        .of_the_living()
        .featured(),
        Visibility::presented,
    )
    .register_quantity::<Visibility>(
        Quantity::new(
            "visibility.stress_ligands",
            "",
            "Stress ligands (MICA, MICB) on the surface.",
        )
        .label("stress ligands")
        .column("stress_ligands")
        .range(0.0, 1.0)
        .colours(ColourMap::Ember)
        .of_the_living(),
        |shown| shown.stress_ligands,
    )
    .register_quantity::<Visibility>(
        Quantity::new(
            "visibility.pd_l1",
            "1/um2",
            "PD-L1 on the surface.",
        )
        .label("PD-L1")
        .column("pd_l1_per_um2")
        .range(0.0, 800.0)
        .colours(ColourMap::Ember)
        .source("Shin et al. 2017, PMID 27903500")
        .of_the_living()
        .featured(),
        |shown| shown.pd_l1_per_um2,
    )
    .register_quantity::<Visibility>(
        Quantity::new(
            "visibility.pd_l1_blocked",
            "",
            "Share of the cell's PD-L1 that a drug holds.",
        )
        .label("PD-L1 held by a drug")
        .range(0.0, 1.0)
        .of_the_living()
        .no_column(),
        |shown| shown.pd_l1_blocked,
    )
    .register_quantity::<Visibility>(
        Quantity::new(
            "visibility.resistance",
            "",
            "Hits that kill the cell, over those that kill one that does not resist.",
        )
        .label("resistance to hits")
        .range(1.0, 3.0)
        .of_the_living(),
        |shown| shown.resistance,
    )
    .register_quantity::<Visibility>(
        Quantity::new(
            "visibility.more_hits",
            "",
            "Hits that the cell stands more than one that does not resist, over those that kill such a one.",
        )
        .range(0.0, 2.0)
        .of_the_living()
        .no_column(),
        |shown| shown.resistance - 1.0,
    )
    .register_quantity::<Visibility>(
        Quantity::new(
            "visibility.death_ligands",
            "",
            "Death ligands (FasL, TRAIL) on the surface, of what there can be.",
        )
        .label("death ligands")
        .range(0.0, 1.0)
        .of_the_living(),
        |shown| shown.death_ligands,
    );
}

fn category(name: &str, label: &str, about: &str, values: Vec<CategoryValue>) -> Category {
    Category {
        name: name.into(),
        label: label.into(),
        about: about.into(),
        values,
        prevails: false,
        of_the_living: true,
    }
}

fn categories(app: &mut App) {
    let ranked = |values: [(&str, &str); 3]| {
        let values = values.into_iter().zip(RANKS);
        values
            .map(|((key, label), colour)| CategoryValue::new(key, label).colour(colour))
            .collect()
    };
    app.register_category::<Visibility>(
        category(
            "antigen_level",
            "antigen",
            "Whether the cell's clone has plenty (from 0.5), some (from 0.15) or little of the antigen that T cells know.",
            ranked([
                ("plenty", "much antigen"),
                ("some", "some antigen"),
                ("little", "little antigen"),
            ]),
        ),
        |shown| rank(shown.antigen),
    )
    .register_category::<Visibility>(
        category(
            "seen_by_t_cells",
            "seen by T cells",
            "Whether T cells see the cell well (presented antigen from 0.5), dimly (from 0.15) or hardly.",
            ranked([
                ("well", "seen well"),
                ("dimly", "seen dimly"),
                ("hidden", "hidden"),
            ]),
        ),
        |shown| rank(shown.presented()),
    )
    .register_category::<Visibility>(
        category(
            "pd_l1_level",
            "PD-L1",
            "Whether the cell shows at least twice the PD-L1 of tumour cells without IFN-gamma, 260 molecules/um2, and whether a drug holds half \
of it.",
            vec![
                CategoryValue::new("usual", "usual PD-L1").colour([0.62, 0.62, 0.62]),
                CategoryValue::new("much", "much PD-L1")
                    .colour(ORANGE)
                    .rim(ORANGE),
                CategoryValue::new("held", "PD-L1 held by a drug")
                    .colour(HELD_BY_A_DRUG)
                    .rim(HELD_BY_A_DRUG),
            ],
        ),
        pd_l1_level,
    );
}

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    numbers(app);
    categories(app);
    for (name, unit, about, label, of) in [
        (
            "antigen_mean",
            "",
            "Mean antigen of living cells that show themselves.",
            "antigen",
            "visibility.antigen",
        ),
        (
            "presented_antigen_mean",
            "",
            "Mean antigen that T cells find on living cells.",
            "presented",
            "visibility.presented",
        ),
        (
            "mhc_1_mean",
            "",
            "Mean MHC-I of living cells that show themselves, over that of healthy cells.",
            "MHC-I",
            "visibility.mhc_1",
        ),
    ] {
        app.register_metric(
            Metric::new(name, unit, about)
                .label(label)
                .plot("What T cells see"),
            Measure::Mean(of.into()),
        );
    }
    app.register_metric(
        Metric::new(
            "pd_l1_mean_per_um2",
            "1/um2",
            "Mean PD-L1 on living cells that show themselves.",
        )
        .label("PD-L1")
        .plot("PD-L1"),
        Measure::Mean("visibility.pd_l1".into()),
    )
    .register_metric(
        Metric::new(
            "much_pd_l1_cells",
            "",
            "Living cells with at least 260 molecules/um2 of PD-L1.",
        ),
        Measure::Count {
            category: "pd_l1_level".into(),
            values: vec![1, 2],
            of_the_living: true,
        },
    )
    .register_metric(
        Metric::new(
            "pd_l1_held_cells",
            "",
            "Living cells with much PD-L1, of which a drug holds at least half.",
        ),
        Measure::Count {
            category: "pd_l1_level".into(),
            values: vec![2],
            of_the_living: true,
        },
    );
    for (value, name, about, label) in [
        (
            0,
            "much_antigen_cells",
            "Living cells of clones with plenty of antigen.",
            "much antigen",
        ),
        (
            1,
            "some_antigen_cells",
            "Living cells of clones with some antigen.",
            "some antigen",
        ),
        (
            2,
            "little_antigen_cells",
            "Living cells of clones with little antigen.",
            "little antigen",
        ),
    ] {
        app.register_metric(
            Metric::new(name, "", about)
                .label(label)
                .share_of("Antigen of clones")
                .colour(RANKS[usize::from(value)]),
            Measure::Count {
                category: "antigen_level".into(),
                values: vec![value],
                of_the_living: true,
            },
        );
    }
}
