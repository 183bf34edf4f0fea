//! What can be known of polarisation: quantities, five classes from M1 to M2, counts and a plot.

use bevy::prelude::*;

use super::Polarisation;
use crate::core::colour_map::ColourMap;
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::quantity::{Category, CategoryValue, Quantity, RegisterQuantities};

/// Title of the plot of classes: the histogram, one bar for each moment.
const CLASSES_PLOT: &str = "Macrophages from M1 to M2";
/// Title of the plot of the mean.
const MEAN_PLOT: &str = "Polarisation of macrophages";

/// The classes: key, label, name of the count, what is counted, colour.
const CLASSES: [(&str, &str, &str, &str, [f32; 3]); 5] = [
    (
        "m1",
        "M1 macrophage",
        "macrophages_m1",
        "Living macrophages below 0.2 on the way from M1 to M2.",
        [0.72, 0.68, 0.71],
    ),
    (
        "rather_m1",
        "rather M1",
        "macrophages_rather_m1",
        "Living macrophages from 0.2 to 0.4 on the way from M1 to M2.",
        [0.74, 0.62, 0.69],
    ),
    (
        "between",
        "between M1 and M2",
        "macrophages_between",
        "Living macrophages from 0.4 to 0.6 on the way from M1 to M2.",
        [0.76, 0.55, 0.67],
    ),
    (
        "rather_m2",
        "rather M2",
        "macrophages_rather_m2",
        "Living macrophages from 0.6 to 0.8 on the way from M1 to M2.",
        [0.76, 0.42, 0.62],
    ),
    (
        "m2",
        "M2 macrophage",
        "macrophages_m2",
        "Living macrophages from 0.8 on the way from M1 to M2.",
        [0.72, 0.24, 0.55],
    ),
];

/// The class of a value.
fn class(m: f32) -> u8 {
    ((m * CLASSES.len() as f32) as u8).min(CLASSES.len() as u8 - 1)
}

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    app.register_quantity::<Polarisation>(
        Quantity::new(
            "polarisation.m2",
            "",
            "Where a macrophage lies between M1, 0, and M2, 1.",
        )
        .label("polarisation, M1 to M2")
        .colours(ColourMap::Ember)
        .of_the_living()
        .featured(),
        |state| state.m,
    )
    .register_quantity::<Polarisation>(
        Quantity::new(
            "polarisation.m1",
            "",
            "How near a macrophage is to M1: what is missing to M2.",
        )
        .of_the_living()
        .no_column(),
        |state| 1.0 - state.m,
    )
    .register_category::<Polarisation>(
        Category {
            name: "polarisation_class".into(),
            label: "Macrophages".into(),
            about: "Where a macrophage lies between M1 and M2, in five classes.".into(),
            values: CLASSES
                .iter()
                .map(|(key, label, .., colour)| CategoryValue::new(key, label).colour(*colour))
                .collect(),
            prevails: false,
            of_the_living: true,
        },
        |state| class(state.m),
    )
    .register_metric(
        Metric::new(
            "polarisation_mean",
            "",
            "Mean polarisation of living macrophages, from M1, 0, to M2, 1.",
        )
        .label("polarisation")
        .plot(MEAN_PLOT)
        .colour([0.72, 0.24, 0.55]),
        Measure::Mean("polarisation.m2".into()),
    );
    for (number, (_, label, name, about, colour)) in CLASSES.into_iter().enumerate() {
        app.register_metric(
            Metric::new(name, "", about)
                .label(label)
                .share_of(CLASSES_PLOT)
                .colour(colour),
            Measure::Count {
                category: "polarisation_class".into(),
                values: vec![number as u8],
                of_the_living: true,
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::class;

    #[test]
    fn classes_are_fifths_of_the_way() {
        for (m, expected) in [
            (0.0, 0),
            (0.19, 0),
            (0.21, 1),
            (0.5, 2),
            (0.79, 3),
            (0.81, 4),
            (1.0, 4),
        ] {
            assert_eq!(class(m), expected, "{m}");
        }
    }
}
