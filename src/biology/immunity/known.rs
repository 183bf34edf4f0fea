//! What can be known of killers and their targets: quantities, categories, counts, and plots.

use bevy::prelude::*;

use super::{Bent, Cytotoxic, Doing, Killer, NaturalKiller, Target};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::quantity::{Category, CategoryValue, Quantity, RegisterQuantities};

/// Titles of plots.
const EXHAUSTION_PLOT: &str = "What is left of killers";
const DOING_PLOT: &str = "What killers do";

/// Exhaustion from which a T cell tires, and counts as exhausted.
const TIRING: f32 = 0.25;
const EXHAUSTED: f32 = 0.5;

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    of_killers(app);
    of_kinds(app);
    of_targets(app);
}

fn of_killers(app: &mut App) {
    let count = |name: &str, about: &str, label: &str| {
        Quantity::new(name, "", about).label(label).range(0.0, 20.0)
    };
    app.register_quantity::<Killer>(
        Quantity::new(
            "killer.engaged",
            "",
            "1 for a killer that holds a target in a synapse, else 0.",
        )
        .of_the_living()
        .no_column(),
        |killer| f32::from(u8::from(killer.doing == Doing::Engaged)),
    )
    .register_quantity::<Killer>(
        Quantity::new(
            "killer.antigen",
            "",
            "How well a killer recognises what it holds; 0 if it holds nothing.",
        )
        .of_the_living()
        .no_column(),
        |killer| killer.antigen,
    )
    .register_quantity::<Killer>(
        Quantity::new(
            "killer.met_pd_l1",
            "1/um2",
            "PD-L1 of what a killer holds; 0 if it holds nothing.",
        )
        .label("PD-L1 met")
        .range(0.0, 200.0)
        .of_the_living()
        .no_column(),
        |killer| killer.met_pd_l1,
    )
    .register_quantity::<Killer>(
        Quantity::new(
            "killer.function",
            "",
            "What suppression leaves of the hits of a killer.",
        )
        .label("function left")
        .of_the_living(),
        |killer| killer.function,
    )
    .register_quantity::<Killer>(
        Quantity::new(
            "killer.held_back",
            "",
            "Share of its hits that suppression takes from a killer.",
        )
        .label("held back")
        .range(0.0, 1.0)
        .of_the_living()
        .featured()
        .no_column(),
        |killer| (1.0 - killer.function).clamp(0.0, 1.0),
    )
    .register_quantity::<Killer>(
        count(
            "killer.contacts",
            "Synapses that a killer has formed.",
            "synapses formed",
        ),
        |killer| killer.contacts as f32,
    )
    .register_quantity::<Killer>(
        count(
            "killer.hits",
            "Hits that a killer has struck.",
            "hits struck",
        ),
        |killer| killer.hits as f32,
    )
    .register_quantity::<Killer>(
        count(
            "killer.kills",
            "Cells that a killer has killed.",
            "cells killed",
        )
        .featured(),
        |killer| killer.kills as f32,
    )
    .register_category::<Killer>(
        Category {
            name: "killer_doing".into(),
            label: "Killers".into(),
            about: "What a killer does just now.".into(),
            values: vec![
                CategoryValue::new("searching", "searching").colour([0.34, 0.71, 0.91]),
                CategoryValue::new("engaged", "holding a target").colour([0.84, 0.37, 0.0]),
                CategoryValue::new("recovering", "recovering").colour([0.62, 0.62, 0.62]),
            ],
            prevails: false,
            of_the_living: true,
        },
        |killer| killer.doing as u8,
    )
    .register_category::<Killer>(
        Category {
            name: "killer_held_back".into(),
            label: "Killers held back".into(),
            about: "How far suppression holds a killer back; one that has lost half of its hits is dim at its rim.".into(),
            values: vec![
                CategoryValue::new("free", "free killer").colour([0.34, 0.71, 0.91]),
                CategoryValue::new("held_back", "killer held back")
                    .colour([0.20, 0.40, 0.52])
                    .rim([0.16, 0.30, 0.40]),
                CategoryValue::new("quelled", "killer almost wholly held back")
                    .colour([0.10, 0.18, 0.24])
                    .rim([0.05, 0.10, 0.14]),
            ],
            prevails: false,
            of_the_living: true,
        },
        |killer| {
            if killer.function > 0.5 {
                0
            } else if killer.function > 0.2 {
                1
            } else {
                2
            }
        },
    )
    .register_metric(
        Metric::new(
            "killer_function_mean",
            "",
            "Mean over living killers of what suppression leaves of them.",
        )
        .label("after suppression")
        .plot(EXHAUSTION_PLOT)
        .colour([0.34, 0.71, 0.91]),
        Measure::Mean("killer.function".into()),
    );
    for (doing, name, about, label, colour) in [
        (
            Doing::Searching,
            "killers_searching",
            "Living killers that look for targets.",
            "searching",
            [0.34, 0.71, 0.91],
        ),
        (
            Doing::Engaged,
            "killers_engaged",
            "Living killers that hold a target.",
            "holding a target",
            [0.84, 0.37, 0.0],
        ),
        (
            Doing::Recovering,
            "killers_recovering",
            "Living killers that recover from a kill or a contact.",
            "recovering",
            [0.62, 0.62, 0.62],
        ),
    ] {
        app.register_metric(
            Metric::new(name, "", about)
                .label(label)
                .share_of(DOING_PLOT)
                .colour(colour),
            Measure::Count {
                category: "killer_doing".into(),
                values: vec![doing as u8],
                of_the_living: true,
            },
        );
    }
}

fn of_kinds(app: &mut App) {
    app.register_quantity::<Cytotoxic>(
        Quantity::new(
            "cytotoxic.exhaustion",
            "",
            "Share of its hits that a T cell has lost to exhaustion.",
        )
        .label("exhaustion")
        .of_the_living()
        .featured(),
        |state| state.exhaustion,
    )
    .register_quantity::<Cytotoxic>(
        Quantity::new(
            "cytotoxic.vigour",
            "",
            "Share of its hits that exhaustion leaves a T cell.",
        )
        .label("vigour")
        .of_the_living()
        .no_column(),
        |state| 1.0 - state.exhaustion,
    )
    .register_quantity::<Cytotoxic>(
        Quantity::new(
            "cytotoxic.stimulation",
            "",
            "How far antigen drives a T cell to divide.",
        )
        .label("stimulation")
        .of_the_living(),
        |state| state.stimulation,
    )
    .register_category::<Cytotoxic>(
        Category {
            name: "t_cell_exhaustion".into(),
            label: "T cells".into(),
            about: "Whether a T cell has kept its vigour; one that has lost a quarter of it fades at its rim.".into(),
            values: vec![
                CategoryValue::new("fresh", "fresh T cell").colour([0.34, 0.71, 0.91]),
                CategoryValue::new("tiring", "tiring T cell")
                    .colour([0.55, 0.72, 0.82])
                    .rim([0.66, 0.76, 0.82]),
                CategoryValue::new("exhausted", "exhausted T cell")
                    .colour([0.72, 0.74, 0.76])
                    .rim([0.80, 0.81, 0.82]),
            ],
            prevails: false,
            of_the_living: true,
        },
        |state| {
            if state.exhaustion < TIRING {
                0
            } else if state.exhaustion < EXHAUSTED {
                1
            } else {
                2
            }
        },
    )
    .register_metric(
        Metric::new("exhaustion_mean", "", "Mean exhaustion of living T cells.")
            .label("exhaustion")
            .plot(EXHAUSTION_PLOT)
            .colour([0.80, 0.47, 0.65]),
        Measure::Mean("cytotoxic.exhaustion".into()),
    )
    .register_category::<NaturalKiller>(
        Category {
            name: "natural_killer_bent".into(),
            label: "Natural killer cells".into(),
            about: "Whether a natural killer cell ever kills.".into(),
            values: vec![
                CategoryValue::new("inert", "never kills").colour([0.62, 0.62, 0.62]),
                CategoryValue::new("lytic", "kills").colour([0.0, 0.62, 0.45]),
                CategoryValue::new("serial", "serial killer").colour([0.84, 0.37, 0.0]),
            ],
            prevails: false,
            of_the_living: false,
        },
        |killer| match killer.bent {
            Bent::Inert => 0,
            Bent::Lytic => 1,
            Bent::Serial => 2,
        },
    );
}

fn of_targets(app: &mut App) {
    app.register_quantity::<Target>(
        Quantity::new(
            "target.damage",
            "",
            "Hits of killers that a cell has not yet repaired.",
        )
        .label("hits borne")
        .range(0.0, 3.0)
        .of_the_living(),
        |target| target.damage as f32,
    )
    .register_quantity::<Target>(
        Quantity::new(
            "target.hours_here",
            "h",
            "Time since the cell came into its site or began there.",
        )
        .label("time here")
        .range(0.0, 48.0)
        .no_column(),
        |target| target.hours_here,
    )
    .register_quantity::<Target>(
        Quantity::new(
            "target.recognition",
            "",
            "How well T cells recognise the cell.",
        )
        .label("seen by T cells")
        .of_the_living(),
        |target| target.recognition,
    )
    .register_quantity::<Target>(
        Quantity::new(
            "target.stress",
            "",
            "Ligands of stress, by which natural killer cells know the cell.",
        )
        .label("stress ligands shown")
        .of_the_living(),
        |target| target.stress,
    )
    .register_metric(
        Metric::new(
            "damaged_cells_share",
            "",
            "Share of living targets that bear hits.",
        )
        .label("bear hits"),
        Measure::ShareAbove("target.damage".into(), Box::new(|_| 0.0)),
    );
}
