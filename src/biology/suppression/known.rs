//! What can be known of suppression: what cells feel, how many suppressors a site holds, and plots.

use bevy::prelude::*;

use super::{Suppressible, Suppressor};
use crate::cell::{Resident, Vital};
use crate::core::columns::tables_with;
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::quantity::{NONE, Quantity, RegisterQuantities};
use crate::core::units::UM3_PER_MM3;
use crate::tissue::{SiteId, TissueBlock};

/// Title of the plot of what cells feel.
const FELT_PLOT: &str = "Suppressors around killers";

/// Parts of a suppressor that are told apart where those of a site are summed up: whole numbers, so that the sum is the same in any order.
const PARTS: f64 = 65_536.0;

/// Suppressors of a site, each counted as strongly as it acts.
fn sum_in(world: &World, site: SiteId, of: impl Fn(&Suppressor) -> f32) -> f64 {
    let mut sum: u64 = 0;
    for table in tables_with::<Suppressor>(world) {
        let (Some(residents), Some(suppressors)) =
            (table.get::<Resident>(), table.get::<Suppressor>())
        else {
            continue;
        };
        let vitals = table.get::<Vital>();
        for (row, (resident, suppressor)) in residents.iter().zip(suppressors).enumerate() {
            let lives = vitals.is_none_or(|vitals| vitals[row].is_alive());
            if resident.0 == site && lives {
                sum += (f64::from(of(suppressor)) * PARTS).round() as u64;
            }
        }
    }
    sum as f64 / PARTS
}

/// Living cells of a site with a component of which this holds.
fn count_in<C: Component>(world: &World, site: SiteId, counts: impl Fn(&C) -> bool) -> u64 {
    let mut count = 0;
    for table in tables_with::<C>(world) {
        let (Some(residents), Some(states)) = (table.get::<Resident>(), table.get::<C>()) else {
            continue;
        };
        let vitals = table.get::<Vital>();
        for (row, (resident, state)) in residents.iter().zip(states).enumerate() {
            let lives = vitals.is_none_or(|vitals| vitals[row].is_alive());
            count += u64::from(resident.0 == site && lives && counts(state));
        }
    }
    count
}

/// Living cells of a site that can be suppressed, killers, for each living cell that suppresses in any way.
fn ratio(world: &World, site: SiteId) -> f32 {
    let acts = |of: &Suppressor| of.contact > 0.0 || of.nearby > 0.0 || of.crowd > 0.0;
    let suppressors = count_in(world, site, acts);
    if suppressors == 0 {
        return NONE;
    }
    count_in(world, site, |_: &Suppressible| true) as f32 / suppressors as f32
}

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    app.register_quantity::<Suppressible>(
        Quantity::new(
            "suppression.contact",
            "",
            "The strongest suppression by a cell that touches this one.",
        )
        .label("suppressed in contact")
        .of_the_living()
        .featured(),
        |state| state.contact,
    )
    .register_quantity::<Suppressible>(
        Quantity::new(
            "suppression.nearby",
            "",
            "Suppressors within reach of this cell, each counted as strongly as it acts.",
        )
        .label("suppressors nearby")
        .range(0.0, 5.0)
        .of_the_living(),
        |state| state.nearby,
    )
    .register_quantity::<Suppressible>(
        Quantity::new(
            "suppression.crowd",
            "1/mm3",
            "Suppressors that crowd around this cell, each counted as strongly as it acts.",
        )
        .label("crowd of suppressors")
        .column("suppressor_crowd_per_mm3")
        .range(0.0, 10_000.0)
        .of_the_living(),
        |state| state.crowd_per_mm3,
    )
    .register_site_quantity(
        Quantity::new(
            "suppression.crowd_of_site",
            "1/mm3",
            "Suppressors that make the whole site hostile to killers, each counted as strongly as it acts.",
        )
        .label("suppressor density")
        .range(0.0, 10_000.0),
        |world, site| {
            let (Some(id), Some(block)) = (
                world.get::<SiteId>(site),
                world.get::<TissueBlock>(site),
            ) else {
                return NONE;
            };
            let volume = f64::from(block.voxel_volume_um3()) * block.voxels() as f64;
            (sum_in(world, *id, |of| of.crowd) * UM3_PER_MM3 / volume) as f32
        },
    );
    app.register_site_quantity(
        Quantity::new(
            "suppression.killers_per_suppressor",
            "",
            "Living killers of the site for each living cell that suppresses them.",
        )
        .label("killers for each suppressor")
        .range(0.0, 5.0),
        |world, site| {
            world
                .get::<SiteId>(site)
                .map_or(NONE, |id| ratio(world, *id))
        },
    )
    .register_metric(
        Metric::new(
            "killers_per_suppressor",
            "",
            "Living killers of the site for each living cell that suppresses them; none where none does.",
        )
        .label("killers for each suppressor")
        .plot("Killers to suppressors")
        .colour([0.34, 0.71, 0.91]),
        Measure::OfSite("suppression.killers_per_suppressor".into()),
    );
    for (name, about, label, quantity, colour) in [
        (
            "suppressed_in_contact_mean",
            "Mean suppression of living cells by those that touch them.",
            "in contact",
            "suppression.contact",
            [0.80, 0.62, 0.0],
        ),
        (
            "suppressors_nearby_mean",
            "Mean number of suppressors within reach of living cells that can be suppressed.",
            "nearby",
            "suppression.nearby",
            [0.50, 0.50, 0.50],
        ),
    ] {
        app.register_metric(
            Metric::new(name, "", about)
                .label(label)
                .plot(FELT_PLOT)
                .colour(colour),
            Measure::Mean(quantity.into()),
        );
    }
    app.register_metric(
        Metric::new(
            "suppressor_crowd_per_mm3",
            "1/mm3",
            "Suppressors that make the whole site hostile to killers, each counted as strongly as it acts.",
        )
        .label("suppressor density"),
        Measure::OfSite("suppression.crowd_of_site".into()),
    );
}
