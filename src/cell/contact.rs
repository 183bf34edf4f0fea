//! How strongly cells of a type hold to and push off each other (capability `mechanics`).
//!
//! Read by the forces of the `Move` stage, whose law is [`crate::cell::mechanics::ContactLaw`]: cells push where they are
//! closer than their radii of contact and pull beyond, up to the reach of adhesion; a pair uses the geometric
//! mean of its two strengths. Adhesion goes by two cadherins, E and N, each of which holds to its own kind alone (Duguay et
//! al. 2003, Dev Biol 253:309): with `A` the adhesion and `e`, `n` the levels of a cell, a pair has
//! `sqrt(A_1 e_1 A_2 e_2) + sqrt(A_1 n_1 A_2 n_2)`. Two types of different strength so sort, and two that share no cadherin
//! do not hold to each other at all.
//!
//! Overlap of two radii of contact is a deformed contact, not volume that both fill: what a cell makes up of the tissue
//! is [`crate::cell::Surroundings::pressed_um3`] of its volume at rest.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::mechanics::ContactLaw;
use crate::core::parameters::{Limits, Parameters};

/// Distance of the centres of neighbours in relaxed confluent tissue, over the sum of the radii of their bodies, if they
/// lay in a close packing. With the usual strengths a ball of equal cells that walk 0.1 um/min comes to rest at 2.06e8
/// cells/mL for bodies of 8.41 um (measured; without walking at 2.1e8).
pub const CONFLUENT_SPACING: f32 = 1.13;

/// Share of relaxed confluent tissue that is bodies of cells: that of balls in a close packing, `pi / (3 sqrt 2)`,
/// at [`CONFLUENT_SPACING`]. The rest is the space between them.
pub const CONFLUENT_SHARE: f32 =
    0.740_480_5 / (CONFLUENT_SPACING * CONFLUENT_SPACING * CONFLUENT_SPACING);

/// `sum (1 - s/S)` over the neighbours of a cell in relaxed tissue, with `s` their distance over that of contact and `S`
/// the reach of adhesion: 3.8 with a spread of 0.4, measured as [`CONFLUENT_SPACING`]. Somewhat more, so that of
/// relaxed cells few count as pressed.
pub const RELAXED_CROWDING: f32 = 4.0;

/// Strengths of contact between cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct ContactParameters {
    /// Adhesion, um/min: the strongest pull of a pair. 0.2: calibrated, so that tissue holds together against walking and
    /// cells still change places.
    pub adhesion_um_per_min: f32,
    /// Repulsion, um/min: a pair pushes with this times its overlap `u` times `1 + 6 u`. 1.4: as stiff as substeps of
    /// a minute allow.
    pub repulsion_um_per_min: f32,
    /// E-cadherin on the cell, over that of an epithelial one, for which adhesion is given; 1. It holds to E-cadherin
    /// alone (Duguay et al. 2003).
    pub e_cadherin: f32,
    /// N-cadherin on the cell, in the same unit; 0. It holds to N-cadherin alone (Duguay et al. 2003).
    pub n_cadherin: f32,
    /// Friction with what the cell moves through, over the usual one: divides what others make it move; 1.
    pub friction: f32,
}

impl Default for ContactParameters {
    fn default() -> Self {
        let law = ContactLaw::Cohesive;
        Self {
            adhesion_um_per_min: law.adhesion(),
            repulsion_um_per_min: law.repulsion(),
            e_cadherin: 1.0,
            n_cadherin: 0.0,
            friction: 1.0,
        }
    }
}

impl Parameters for ContactParameters {
    fn limits(field: &str) -> Limits {
        if field == "friction" {
            return Limits {
                min: 0.01,
                max: 1000.0,
            };
        }
        let max = match field {
            "e_cadherin" | "n_cadherin" => 100.0,
            _ => 1000.0,
        };
        Limits { min: 0.0, max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::mechanics::{ContactBody, Influences, Mechanics, MechanicsParameters};
    use crate::core::CellId;
    use std::f32::consts::PI;

    #[test]
    fn relaxed_tissue_is_as_dense_as_measured_and_its_bodies_fill_the_share_that_is_said() {
        // One cell in a rhombic dodecahedron of volume d^3 / sqrt 2.
        let d = 2.0 * CONFLUENT_SPACING;
        let share = 4.0 / 3.0 * PI / (d * d * d / 2.0_f32.sqrt());
        assert!((share - CONFLUENT_SHARE).abs() < 1e-5, "{share}");
        // Cells in a millilitre, for bodies of 2494 um3: 1.7e8 to 2.1e8 are found in spheroids.
        let per_ml = CONFLUENT_SHARE / 2494.0 * 1.0e12;
        assert!((1.7e8..2.1e8).contains(&per_ml), "{per_ml}");
    }

    /// Two cells of the usual strengths at a distance, over that of contact: the speed at which the second leaves.
    fn leaves(relative: f32) -> f32 {
        let contact = ContactParameters::default();
        let mut kernel = Mechanics::new(MechanicsParameters::default());
        *kernel.bodies_mut() = [0.0, 20.0 * relative]
            .into_iter()
            .enumerate()
            .map(|(id, x)| ContactBody {
                id: CellId(id as u64),
                position: [x, 0.0, 0.0],
                radius: 10.0,
                adhesion: contact.adhesion_um_per_min,
                repulsion: contact.repulsion_um_per_min,
            })
            .collect();
        kernel.sort();
        kernel.evaluate(&Influences::default());
        kernel.outcome(1).expect("all were evaluated").velocity[0]
    }

    #[test]
    fn a_pair_rests_at_contact_and_is_pulled_by_its_adhesion_at_most() {
        let contact = ContactParameters::default();
        assert!(leaves(1.0).abs() < 1e-6);
        // By the law, in the middle of the reach of 1.4 and at an overlap of a tenth.
        assert!((leaves(1.2) + contact.adhesion_um_per_min).abs() < 1e-5);
        let expected = contact.repulsion_um_per_min * 0.1 * 1.6;
        assert!((leaves(0.9) - expected).abs() < 1e-5);
        let strongest = (0..100).map(|i| -leaves(1.0 + 0.005 * i as f32));
        let strongest = strongest.fold(0.0, f32::max);
        assert!((strongest - contact.adhesion_um_per_min).abs() < 1e-4);
        assert_eq!(leaves(1.41), 0.0);
    }
}
