//! What a scene says of membranes and of cells at them, and what is usual.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::surface::{self, Around};
use crate::cell::motility::LEADING_EDGE_UM;
use crate::core::parameters::{Contradiction, Limits, Parameters};

/// How membranes are digested, mended and passed, the same in all tissues (group `membranes`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct MembranesParameters {
    /// Mending, `k_b`, 1/d; 1/20. Calibrated: a membrane opens only where digestion is above 0.36 of this, which keeps epithelial
    /// ducts closed.
    pub regeneration_per_day: f32,
    /// Cross-section of pores without any membrane, `A_max`, um2; 100. Calibrated.
    pub pore_area_um2: f32,
    /// Cross-section of pores that do not slow cells, `A_ref`, um2; 30. Calibrated to Wolf et al. 2013.
    pub free_pore_area_um2: f32,
    /// Cross-section of pores from which on an element counts as open, um2; 7: where tumour cells begin to pass (Wolf et al. 2013).
    pub open_pore_um2: f32,
    /// How far beyond its radius a cell touches a membrane, with its adhesions and the proteases on its surface, um; 4. Assumed.
    pub reach_um: f32,
}

impl Default for MembranesParameters {
    fn default() -> Self {
        Self {
            regeneration_per_day: 0.05,
            pore_area_um2: 100.0,
            free_pore_area_um2: 30.0,
            open_pore_um2: 7.0,
            reach_um: LEADING_EDGE_UM,
        }
    }
}

impl Parameters for MembranesParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "reach_um" => Limits {
                min: 0.0,
                max: 100.0,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e4,
            },
        }
    }
}

impl MembranesParameters {
    /// Cross-section of the pores at that density, um2.
    pub fn pore_um2(&self, density: f32) -> f32 {
        let gone = 1.0 - density;
        self.pore_area_um2 * gone * gone
    }

    /// Whether an element of that density counts as open.
    pub fn is_open(&self, density: f32) -> bool {
        self.pore_um2(density) >= self.open_pore_um2
    }
}

/// What cells of a type do to membranes, and how they pass them (capability `membrane`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct MembraneParameters {
    /// Digestion of a membrane that its leading edge reaches by proteases on its surface, 1/min of what is there; 3e-4 with the MT1-MMP of a
    /// mesenchymal cell. Calibrated: first crossings of such a duct after 2-5 days.
    pub contact_digestion_per_min: f32,
    /// Cross-section of pores in which the cell is stuck, `A_0`, um2: tumour cells 7, T cells 4, neutrophils 2 (Wolf et al. 2013,
    /// doi:10.1083/jcb.201210152) [A].
    pub arrest_pore_um2: f32,
}

impl Default for MembraneParameters {
    fn default() -> Self {
        Self {
            contact_digestion_per_min: 0.0,
            arrest_pore_um2: 7.0,
        }
    }
}

impl Parameters for MembraneParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "contact_digestion_per_min" => Limits {
                min: 0.0,
                max: 10.0,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e4,
            },
        }
    }
}

/// One membrane of a tissue at the start; a site lists them as its part `membranes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct MembraneDescription {
    /// What it lies around.
    pub around: Around,
    /// Width of its elements, um. Decides how fine holes are, and little else.
    #[serde(default = "element_um")]
    pub element_um: f32,
    /// How much of it is there, 0-1.
    #[serde(default = "whole")]
    pub density: f32,
}

const fn element_um() -> f32 {
    8.0
}

const fn whole() -> f32 {
    1.0
}

/// At most so many elements are in a site.
const MOST_ELEMENTS: f32 = 100_000.0;

impl Parameters for Vec<MembraneDescription> {
    fn limits(field: &str) -> Limits {
        match field {
            "density" => Limits::FRACTION,
            "element_um" | "around.radius_um" => Limits {
                min: 1.0,
                max: 1.0e5,
            },
            _ => Limits {
                min: -1.0e6,
                max: 1.0e6,
            },
        }
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        let mut found = Vec::new();
        let mut wrong = |message: String| {
            found.push(Contradiction {
                field: "",
                other: "",
                message,
            });
        };
        for (number, of) in self.iter().enumerate() {
            match of.around {
                Around::Duct { from_um, to_um, .. } if from_um == to_um => {
                    wrong(format!(
                        "the duct of membrane {number} has no length: its ends are the same"
                    ));
                }
                Around::Plane { normal, .. } if Vec3::from(normal).try_normalize().is_none() => {
                    wrong(format!(
                        "the plane of membrane {number} needs a normal that is not 0"
                    ));
                }
                _ => {}
            }
        }
        found
    }

    fn contradictions_in(&self, size_um: Vec3) -> Vec<Contradiction> {
        let wide = self.iter().filter(|of| of.element_um >= 1.0);
        let elements: f32 = wide
            .map(|of| {
                surface::rough_area_um2(&of.around, size_um) / (of.element_um * of.element_um)
            })
            .sum();
        let wrong = (elements > MOST_ELEMENTS).then(|| Contradiction {
            field: "",
            other: "",
            message: format!(
                "the membranes have {elements:.0} elements, more than {MOST_ELEMENTS}: make these wider"
            ),
        });
        wrong.into_iter().collect()
    }
}
