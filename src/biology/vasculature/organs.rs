//! What the vessels of an organ are like, where a scene says no more: numbers of `assets/vessels/organs.ron`.

use std::sync::OnceLock;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::dialect::read_ron;
use crate::tissue::Organ;

/// Whose vessels they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub enum VesselsLike {
    /// Breast.
    #[default]
    Breast,
    /// Lung.
    Lung,
    /// Liver.
    Liver,
    /// Bone marrow.
    Bone,
    /// Brain.
    Brain,
    /// Lymph node.
    LymphNode,
    /// A tumour: wide, leaky, hardly any pericytes.
    Tumour,
}

impl VesselsLike {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Breast,
        Self::Lung,
        Self::Liver,
        Self::Bone,
        Self::Brain,
        Self::LymphNode,
        Self::Tumour,
    ];

    /// Those that an organ has where nothing grows in it; tissue in culture medium is taken to be from a breast.
    pub const fn native_to(organ: Organ) -> Self {
        match organ {
            Organ::Breast | Organ::Medium => Self::Breast,
            Organ::Lung => Self::Lung,
            Organ::Liver => Self::Liver,
            Organ::Bone => Self::Bone,
            Organ::Brain => Self::Brain,
            Organ::LymphNode => Self::LymphNode,
        }
    }

    /// Their numbers.
    pub fn vessels(self) -> &'static OrganVessels {
        let list = shipped();
        let found = list.iter().find(|of| of.tissue == self);
        found.expect("a test asks for every tissue in the shipped file")
    }
}

/// The vessels of an organ.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganVessels {
    /// Whose they are.
    pub tissue: VesselsLike,
    /// Length in the tissue, mm/mm3.
    pub density_mm_per_mm3: f32,
    /// Radius of capillaries, um.
    pub capillary_radius_um: f32,
    /// Pressure where arterioles of the size of a tissue block enter it, mmHg.
    pub artery_mmhg: f32,
    /// Pressure where venules leave it, mmHg.
    pub vein_mmhg: f32,
    /// Haematocrit of the blood that enters, 0-1.
    pub haematocrit: f32,
    /// How far pericytes cover the walls, 0-1.
    pub maturity: f32,
    /// By how much the walls are leakier than those of most capillaries.
    pub permeability: f32,
    /// Where these are from.
    pub source: String,
}

impl OrganVessels {
    /// Wall in a volume of tissue, `2 pi r L`, 1/um.
    pub fn surface_per_um(&self) -> f32 {
        // A millimetre in a cubic millimetre is 1e-6 um in a cubic micrometre.
        std::f32::consts::TAU * self.capillary_radius_um * self.density_mm_per_mm3 * 1e-6
    }
}

/// The shipped file.
const FILE: &str = include_str!("../../../assets/vessels/organs.ron");

/// All organs.
fn shipped() -> &'static [OrganVessels] {
    static LIST: OnceLock<Vec<OrganVessels>> = OnceLock::new();
    LIST.get_or_init(|| read_ron(FILE).expect("a test reads the shipped file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tissue_has_vessels_with_a_source_through_which_blood_flows() {
        for like in VesselsLike::ALL {
            let of = like.vessels();
            assert!(of.artery_mmhg > of.vein_mmhg, "{like:?}");
            assert!((0.0..=1.0).contains(&of.maturity), "{like:?}");
            assert!((0.2..0.6).contains(&of.haematocrit), "{like:?}");
            assert!((2.0..10.0).contains(&of.capillary_radius_um), "{like:?}");
            assert!(of.permeability >= 1.0, "{like:?}");
            assert!(!of.source.is_empty(), "{like:?}");
        }
    }
}
