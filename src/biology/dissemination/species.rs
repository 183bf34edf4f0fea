//! Whose circulation it is: numbers of `assets/body/*.ron`.

use std::sync::OnceLock;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::dialect::read_ron;
use crate::tissue::Organ;

/// Whose body it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub enum Species {
    /// A mouse of 25 g.
    #[default]
    Mouse,
    /// A rat of 250 g.
    Rat,
    /// A human of 70 kg.
    Human,
}

impl Species {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mouse, Self::Rat, Self::Human];

    /// Its circulation.
    pub fn bloodstream(self) -> &'static Bloodstream {
        static SHIPPED: OnceLock<Vec<Bloodstream>> = OnceLock::new();
        let shipped = SHIPPED.get_or_init(|| {
            let texts = [
                include_str!("../../../assets/body/mouse.ron"),
                include_str!("../../../assets/body/rat.ron"),
                include_str!("../../../assets/body/human.ron"),
            ];
            let read = |text| read_ron(text).expect("a test reads the shipped files");
            texts.into_iter().map(read).collect()
        });
        let mut all = shipped.iter();
        let found = all.find(|of| of.species == self);
        found.expect("a test asks for every species")
    }
}

/// The circulation of a species.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bloodstream {
    /// Whose it is.
    pub species: Species,
    /// What it is, in a sentence.
    pub about: String,
    /// Blood, mL.
    pub blood_ml: f64,
    /// How often a cell comes round, through lungs and one systemic bed each time, 1/min.
    pub circuits_per_min: f64,
    /// Share of single cells, small enough to pass, that one bed of capillaries holds.
    pub arrest: f64,
    /// Share of clusters that it holds.
    pub cluster_arrest: f64,
    /// Rate at which natural killer cells kill a cell in the blood, 1/min.
    pub nk_per_min: f64,
    /// Rate at which shear kills it, 1/min.
    pub shear_per_min: f64,
    /// Rate at which it dies for want of attachment, 1/min.
    pub anoikis_per_min: f64,
    /// The systemic beds. Shares add up to 1.
    pub organs: Vec<Bed>,
}

/// A systemic bed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bed {
    /// Its name.
    pub name: String,
    /// The organ, if it is one that sites can be part of.
    #[serde(default)]
    pub tissue: Option<Organ>,
    /// Its share of the cardiac output.
    pub share: f64,
    /// How easily a normal wall of it lets molecules pass, over a capillary of muscle: what is leaky there is measured by it.
    #[serde(default = "normal")]
    pub wall: f64,
    /// How fast arrested cells cross such a wall, over the liver.
    #[serde(default = "normal")]
    pub crossing: f64,
    /// Whether what comes by the portal vein comes here first.
    #[serde(default)]
    pub is_portal: bool,
}

const fn normal() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_bodies_are_whole_and_their_shares_add_up() {
        for species in Species::ALL {
            let of = species.bloodstream();
            let sum: f64 = of.organs.iter().map(|bed| bed.share).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{species:?}: {sum}");
            assert_eq!(of.organs.iter().filter(|bed| bed.is_portal).count(), 1);
        }
    }

    #[test]
    fn the_loss_of_native_cells_is_that_of_the_literature() {
        // Half-life in min by death and arrest in full circuits of two beds of the same arrest.
        let half_life = |species: Species, arrest: f64, fewer_die: f64| {
            let of = species.bloodstream();
            let death = (of.nk_per_min + of.shear_per_min + of.anoikis_per_min) / fewer_die;
            let lost = -2.0 * (-arrest).ln_1p() * of.circuits_per_min;
            std::f64::consts::LN_2 / (death + lost)
        };
        let single = |species: Species| half_life(species, species.bloodstream().arrest, 1.0);
        let cluster =
            |species: Species| half_life(species, species.bloodstream().cluster_arrest, 8.0);
        assert!(
            (single(Species::Mouse) - 27.0).abs() < 0.2,
            "{}",
            single(Species::Mouse)
        );
        assert!(
            (cluster(Species::Mouse) - 8.0).abs() < 0.1,
            "{}",
            cluster(Species::Mouse)
        );
        // Meng et al. 2004: 1-2.4 h; 0.6 % a circuit.
        let human = single(Species::Human);
        assert!((60.0..144.0).contains(&human), "{human}");
        assert!((1.0 - (-std::f64::consts::LN_2 / human).exp() - 0.006).abs() < 1e-4);
        // Butler and Gullino 1975: arterial over efferent 1/8-1/16 at 0.3 mL/min.
        let rat = Species::Rat.bloodstream();
        let per_min = std::f64::consts::LN_2 / single(Species::Rat);
        let ratio = rat.blood_ml * per_min / 0.3;
        assert!((8.0..16.0).contains(&ratio), "{ratio}");
        assert!((1.0 - (-per_min / rat.circuits_per_min).exp() - 0.036).abs() < 1e-3);
    }
}
