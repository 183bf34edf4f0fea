//! What therapy has done to the cells of each site so far.

use bevy::prelude::*;

use super::chemosensitivity::DIES_OF_DRUG;
use super::procedures::{RESECTED, TRANSFERRED};
use super::radiosensitivity::DIES_OF_RADIATION;
use crate::cell::event_count::RegisterEventCount;
use crate::core::metric::Metric;

/// Title of the plot.
const PLOT: &str = "Cells killed by treatment";

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    let metric = |name, about, label| Metric::new(name, "", about).label(label);
    app.count_events(
        &[DIES_OF_DRUG],
        "therapy.drug_kills",
        metric(
            "drug_kills",
            "Cells that drugs have killed in the site so far.",
            "by drugs",
        )
        .plot(PLOT)
        .colour([0.835, 0.369, 0.0]),
    )
    .count_events(
        &[DIES_OF_RADIATION],
        "therapy.radiation_kills",
        metric(
            "radiation_kills",
            "Cells that radiation has killed in the site so far.",
            "by radiation",
        )
        .plot(PLOT)
        .colour([0.941, 0.894, 0.259]),
    )
    .count_events(
        &[RESECTED],
        "therapy.resected",
        metric(
            "resected_cells",
            "Cells that were cut out of the site so far.",
            "cut out",
        ),
    )
    .count_events(
        &[TRANSFERRED],
        "therapy.transferred",
        metric(
            "transferred_cells",
            "Cells that came into the site so far and had been given.",
            "given",
        ),
    );
}
