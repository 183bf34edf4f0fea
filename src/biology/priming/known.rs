//! What can be known of priming: what dendritic cells show, whether T cells are primed, and counts of those that came and went.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::naive::{INTO_BLOOD, PRIMED};
use super::travel::{HOMES, IN_NODE, LEAVES, TO_NODE};
use super::{Naive, Presentation};
use crate::cell::event_count::RegisterEventCount;
use crate::cell::{EventKind, StepEvents};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::quantity::{Category, CategoryValue, NONE, Quantity, RegisterQuantities};
use crate::core::state::{Owner, RegisterState, WhollyKept};
use crate::core::{SimSchedule, SimSystems};
use crate::tissue::population::turn_members_over;

/// Killers that have gone into the blood so far, wherever from.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntoBlood(pub u64);

impl WhollyKept for IntoBlood {}

/// Counts who went into the blood in the step.
pub fn count_into_blood(events: Res<StepEvents>, mut sum: ResMut<IntoBlood>) {
    let went = events.0.iter().filter(|event| event.kind == INTO_BLOOD);
    sum.0 += went.count() as u64;
}

/// Title of the plot of the journey.
const JOURNEY_PLOT: &str = "From antigen to killers";

/// A count: quantity, metric, what it is, label, colour, the events.
type Count = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    [f32; 3],
    &'static [EventKind],
);

const COUNTS: [Count; 4] = [
    (
        "priming.left",
        "dendritic_cells_left",
        "Mature dendritic cells that have left the site so far.",
        "dendritic cells left",
        [0.45, 0.65, 0.20],
        &[TO_NODE, LEAVES],
    ),
    (
        "priming.arrived",
        "dendritic_cells_arrived",
        "Dendritic cells that have arrived in the site, a lymph node, so far.",
        "dendritic cells arrived",
        [0.10, 0.45, 0.20],
        &[IN_NODE],
    ),
    (
        "priming.primed",
        "t_cells_primed",
        "T cells that have been primed in the site so far.",
        "T cells primed",
        [0.90, 0.62, 0.0],
        &[PRIMED],
    ),
    (
        "priming.homed",
        "killers_homed",
        "Killers from lymph nodes that have come into the site out of the blood so far.",
        "killers come from a node",
        [0.34, 0.71, 0.91],
        &[HOMES],
    ),
];

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    app.register_quantity::<Presentation>(
        Quantity::new(
            "presentation.antigen",
            "",
            "Antigen that a cell which presents shows: a dendritic cell, a macrophage.",
        )
        .label("antigen shown")
        .of_the_living()
        .featured(),
        |state| state.antigen,
    )
    .register_quantity::<Presentation>(
        Quantity::new(
            "presentation.mature",
            "",
            "1 for a mature dendritic cell, else 0.",
        )
        .of_the_living()
        .no_column(),
        |state| f32::from(u8::from(state.is_mature)),
    )
    .register_category::<Presentation>(
        Category {
            name: "presenting_cell".into(),
            label: "Cells that present antigen".into(),
            about: "Whether a cell that presents has matured; macrophages do not.".into(),
            values: vec![
                CategoryValue::new("sampling", "samples its tissue").colour([0.60, 0.75, 0.45]),
                CategoryValue::new("mature", "mature, shows antigen").colour([0.20, 0.55, 0.15]),
            ],
            prevails: false,
            of_the_living: true,
        },
        |state| u8::from(state.is_mature),
    )
    .register_quantity::<Naive>(
        Quantity::new(
            "naive.primed",
            "",
            "1 for a T cell that has been primed, else 0.",
        )
        .of_the_living()
        .no_column(),
        |state| f32::from(u8::from(state.is_primed)),
    )
    .register_category::<Naive>(
        Category {
            name: "naive_t_cell".into(),
            label: "T cells of the node".into(),
            about: "Whether a T cell has met its antigen.".into(),
            values: vec![
                CategoryValue::new("naive", "naive T cell").colour([0.72, 0.80, 0.88]),
                CategoryValue::new("primed", "primed T cell")
                    .colour([0.90, 0.62, 0.0])
                    .rim([0.98, 0.75, 0.10]),
            ],
            prevails: false,
            of_the_living: true,
        },
        |state| u8::from(state.is_primed),
    )
    .register_kept::<IntoBlood>(Owner::Simulation, "into_blood")
    .init_resource::<IntoBlood>();
    for (quantity, metric, about, label, colour, kinds) in COUNTS {
        let metric = Metric::new(metric, "", about)
            .label(label)
            .plot(JOURNEY_PLOT)
            .colour(colour);
        app.count_events(kinds, quantity, metric);
    }
    app.register_site_quantity(
        Quantity::new(
            "priming.into_blood",
            "",
            "Killers that have gone from lymph nodes into the blood so far.",
        )
        .label("killers sent into the blood")
        .range(0.0, 100.0),
        |world, _| {
            let sum = world.get_resource::<IntoBlood>();
            sum.map_or(NONE, |sum| sum.0 as f32)
        },
    )
    .register_metric(
        Metric::new(
            "killers_sent",
            "",
            "Killers that have gone from lymph nodes into the blood so far, the same for every site.",
        )
        .label("killers sent into the blood"),
        Measure::OfSite("priming.into_blood".into()),
    )
    .add_systems(
        SimSchedule,
        count_into_blood
            .after(turn_members_over)
            .in_set(SimSystems::Turnover),
    );
}
