//! How strongly cells of a type hold to and push off each other (capability `mechanics`).
//!
//! Read by the forces of the `Move` stage. The potentials are PhysiCell's (Ghaffarizadeh et al. 2018, PLoS
//! Comput Biol 14:e1005991): repulsion `(1 - d/R)^2` and adhesion `(1 - d/S)^2`; a pair uses the geometric
//! mean of its two strengths. Adhesion goes by two cadherins, E and N, each of which holds to its own kind alone (Duguay et
//! al. 2003, Dev Biol 253:309): with `A` the adhesion and `e`, `n` the levels of a cell, a pair has
//! `sqrt(A_1 e_1 A_2 e_2) + sqrt(A_1 n_1 A_2 n_2)`.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::parameters::{Limits, Parameters};

/// Distance of the centres of neighbours in relaxed confluent tissue, over the sum of their radii: where adhesion
/// and repulsion balance, [`ContactParameters::resting_distance`], with the defaults. In close packing only the
/// twelve nearest neighbours are within reach (the next are 1.41 times as far), so that what holds for a pair
/// holds for the lattice.
pub const CONFLUENT_SPACING: f32 = 20.0 / 21.0;

/// Share of relaxed confluent tissue that is cells: that of close-packed balls, `pi / (3 sqrt 2)`, which overlap
/// as far as [`CONFLUENT_SPACING`] says.
pub const CONFLUENT_SHARE: f32 =
    0.740_480_5 / (CONFLUENT_SPACING * CONFLUENT_SPACING * CONFLUENT_SPACING);

/// Strengths of contact between cells. The defaults are those of tumour cells in PhysiCell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct ContactParameters {
    /// Adhesion, um/min; 0.4 (Ghaffarizadeh et al. 2018).
    pub adhesion_um_per_min: f32,
    /// Repulsion, um/min; 10 (Ghaffarizadeh et al. 2018).
    pub repulsion_um_per_min: f32,
    /// E-cadherin on the cell, over that of an epithelial one, for which adhesion is given; 1. It holds to E-cadherin
    /// alone (Duguay et al. 2003).
    pub e_cadherin: f32,
    /// N-cadherin on the cell, in the same unit; 0. It holds to N-cadherin alone (Duguay et al. 2003).
    pub n_cadherin: f32,
}

impl Default for ContactParameters {
    fn default() -> Self {
        Self {
            adhesion_um_per_min: 0.4,
            repulsion_um_per_min: 10.0,
            e_cadherin: 1.0,
            n_cadherin: 0.0,
        }
    }
}

impl Parameters for ContactParameters {
    fn limits(field: &str) -> Limits {
        let max = match field {
            "e_cadherin" | "n_cadherin" => 100.0,
            _ => 1000.0,
        };
        Limits { min: 0.0, max }
    }
}

impl ContactParameters {
    /// The distance of centres, over the sum of radii, at which two cells of this type neither push nor pull:
    /// `c_r (1 - x)^2 = c_a (1 - x/reach)^2`. None where adhesion is the stronger one at any distance.
    pub fn resting_distance(&self, reach: f32) -> Option<f32> {
        let (push, pull) = (
            self.repulsion_um_per_min.sqrt(),
            (self.adhesion_um_per_min * (self.e_cadherin + self.n_cadherin)).sqrt(),
        );
        (push > pull).then(|| (push - pull) / (push - pull / reach))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::mechanics::{Body, Mechanics, MechanicsParameters, Surroundings};
    use crate::core::CellId;

    #[test]
    fn confluent_spacing_is_where_the_potentials_balance() {
        let reach = MechanicsParameters::default().reach;
        let distance = ContactParameters::default()
            .resting_distance(reach)
            .expect("cells do not collapse");
        assert!((distance - CONFLUENT_SPACING).abs() < 1e-6, "{distance}");
        assert!(
            2.0_f32.sqrt() * distance > reach,
            "only twelve within reach"
        );
        // One cell in a rhombic dodecahedron of volume d^3 / sqrt 2.
        let d = 2.0 * distance;
        let share = 4.0 / 3.0 * std::f32::consts::PI / (d * d * d / 2.0_f32.sqrt());
        assert!((share - CONFLUENT_SHARE).abs() < 1e-5, "{share}");
    }

    /// Velocity, radially outwards, of the twelve neighbours of a cell in a close-packed cluster of thirteen.
    fn swelling(spacing: f32) -> f32 {
        let mut kernel = Mechanics::new(MechanicsParameters {
            rest_speed: 0.0,
            ..Default::default()
        });
        let radius = 8.4_f32;
        let step = 2.0 * radius * spacing / 2.0_f32.sqrt();
        let mut at = vec![[0.0; 3]];
        for (a, b) in [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)] {
            at.extend([[a, b, 0.0], [a, 0.0, b], [0.0, a, b]]);
        }
        *kernel.bodies_mut() = at
            .iter()
            .enumerate()
            .map(|(id, at)| Body {
                id: CellId(id as u64),
                position: at.map(|x| x * step),
                radius,
                adhesion: Body::ADHESION,
                repulsion: Body::REPULSION,
            })
            .collect();
        kernel.sort();
        kernel.evaluate(&Surroundings::default());
        let outwards = |row: usize| {
            let velocity = kernel.outcome(row).expect("all were evaluated").velocity;
            (0..3).map(|i| velocity[i] * at[row][i]).sum::<f32>()
        };
        (1..13).map(outwards).sum::<f32>() / 12.0
    }

    #[test]
    fn a_close_packed_cluster_neither_swells_nor_shrinks_at_that_spacing() {
        assert!(swelling(CONFLUENT_SPACING).abs() < 1e-4);
        assert!(swelling(0.98 * CONFLUENT_SPACING) > 1e-2);
        assert!(swelling(1.02 * CONFLUENT_SPACING) < -1e-3);
    }
}
