//! Mean and extremes of fields.

use bevy::prelude::*;

use super::{FieldValues, Molecules, Sites};
use crate::core::parallel::map_chunks;

/// Mean, smallest and largest value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The mean over all voxels.
    pub mean: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl Spread {
    /// That of no field.
    pub const NONE: Self = Self {
        mean: f64::NAN,
        min: f64::NAN,
        max: f64::NAN,
    };

    /// That of a molecule in a site, by its number; none where it is not simulated.
    pub fn in_site(world: &World, site: usize, molecule: &str) -> Option<Self> {
        let molecule = world.get_resource::<Molecules>()?.id(molecule)?;
        let field = world.resource::<Sites>().list.get(site)?.field(molecule)?;
        Some(Self::of(&world.get::<FieldValues>(field.entity)?.0))
    }

    /// That of these values.
    pub fn of(values: &[f32]) -> Self {
        let pieces = map_chunks(values.len(), 65_536, |_, range| {
            values[range]
                .iter()
                .fold((0.0, f32::MAX, f32::MIN), |(sum, min, max), value| {
                    (sum + f64::from(*value), min.min(*value), max.max(*value))
                })
        });
        let (sum, min, max) = pieces
            .into_iter()
            .fold((0.0, f32::MAX, f32::MIN), |all, piece| {
                (all.0 + piece.0, all.1.min(piece.1), all.2.max(piece.2))
            });
        Self {
            mean: sum / values.len() as f64,
            min: min.into(),
            max: max.into(),
        }
    }
}
