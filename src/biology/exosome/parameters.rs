//! Parameters of vesicles: how cells make them and take them up, how they move, and whence they come that no cell of the scene makes.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::parameters::{Limits, Parameters};

/// What vesicles carry, in the order in which it is kept.
pub const CARGO: [&str; 5] = ["tgf_beta", "mif", "met", "pd_l1", "rna"];

/// The place of MIF in it.
pub(super) const MIF: usize = 1;
/// The place of MET in it.
pub(super) const MET: usize = 2;

/// The integrins on them, in the order in which they are kept.
pub const INTEGRINS: [&str; 3] = ["a6b4", "avb5", "b3"];

/// What a vesicle carries, each over what the vesicle of a breast cancer cell does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct Cargo {
    /// TGF-beta on its surface (Webber et al. 2010, doi:10.1158/0008-5472.CAN-10-1722).
    pub tgf_beta: f32,
    /// Macrophage migration inhibitory factor (Costa-Silva et al. 2015, doi:10.1038/ncb3169).
    pub mif: f32,
    /// The receptor MET (Peinado et al. 2012, doi:10.1038/nm.2753).
    pub met: f32,
    /// PD-L1 on its surface (Chen et al. 2018, doi:10.1038/s41586-018-0392-8).
    pub pd_l1: f32,
    /// RNA that makes cells which take it up move as those do that sent it (Zomer et al. 2015, doi:10.1016/j.cell.2015.04.042).
    pub rna: f32,
}

impl Default for Cargo {
    fn default() -> Self {
        Self {
            tgf_beta: 1.0,
            mif: 1.0,
            met: 1.0,
            pd_l1: 0.0,
            rna: 0.0,
        }
    }
}

impl Cargo {
    /// In the order of [`CARGO`].
    pub const fn loads(&self) -> [f32; CARGO.len()] {
        [self.tgf_beta, self.mif, self.met, self.pd_l1, self.rna]
    }
}

/// The integrins on a vesicle, each over what makes it bind to the organ that it binds to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct Integrins {
    /// Alpha-6 beta-4 and alpha-6 beta-1, which bind in the lung.
    pub a6b4: f32,
    /// Alpha-v beta-5, which binds in the liver.
    pub avb5: f32,
    /// Beta-3, of those which bind in the brain.
    pub b3: f32,
}

impl Integrins {
    /// In the order of [`INTEGRINS`].
    pub const fn levels(&self) -> [f32; INTEGRINS.len()] {
        [self.a6b4, self.avb5, self.b3]
    }
}

/// How cells of a type make vesicles (capability `exosome`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct ExosomeParameters {
    /// Vesicles that a cell sets free, 1/min; 1.03, 60-65 an hour of breast cancer cells (Chiu et al. 2016).
    pub vesicles_per_min: f32,
    /// How much of its Rab27a works, 0-1: without it vesicles are not set free (Ostrowski et al. 2010, doi:10.1038/ncb2000).
    pub rab27a: f32,
    /// Share of the integrins on vesicles that bind, 0-1.
    pub integrin_share: f32,
    /// What they carry.
    pub cargo: Cargo,
    /// Which integrins they carry.
    pub integrins: Integrins,
}

impl Default for ExosomeParameters {
    fn default() -> Self {
        Self {
            vesicles_per_min: 1.03,
            rab27a: 1.0,
            integrin_share: 1.0,
            cargo: Cargo::default(),
            integrins: Integrins::default(),
        }
    }
}

impl Parameters for ExosomeParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "vesicles_per_min" => Limits {
                min: 0.0,
                max: 1.0e4,
            },
            "rab27a" | "integrin_share" => Limits::FRACTION,
            _ => LOADS,
        }
    }
}

/// What a load may be.
const LOADS: Limits = Limits {
    min: 0.0,
    max: 1.0e3,
};

/// How cells of a type take vesicles up (capability `uptake`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct UptakeParameters {
    /// Volume that a cell clears of vesicles, um3/min; 240: in packed tissue (1.67e5 cells in a mm3) 0.04 /min, so that they reach
    /// 50 um. That of a cell that stands for others around it which are not simulated is larger by these. Calibrated.
    pub um3_per_min: f32,
    /// Whether vesicles bind to it by the integrins of its organ, 1 or 0: it is one of the residents whom they educate.
    pub binds: bool,
    /// How long what it took up acts, h; 24. Assumed: signals in tissue last hours.
    pub acts_hours: f32,
}

impl Default for UptakeParameters {
    fn default() -> Self {
        Self {
            um3_per_min: 240.0,
            binds: false,
            acts_hours: 24.0,
        }
    }
}

impl Parameters for UptakeParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "um3_per_min" => Limits {
                min: 0.0,
                max: 1.0e6,
            },
            "acts_hours" => Limits {
                min: 0.01,
                max: 1.0e4,
            },
            _ => Limits::FRACTION,
        }
    }
}

/// How vesicles move and are cleared, the same everywhere (group `exosomes`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct ExosomesParameters {
    /// Vesicles in a packet, which walk together; 100, of 100-1000.
    pub per_packet: u32,
    /// Diffusivity in tissue, um2/min; 100, of 20-100: 60-240 free, 1-30 in dense collagen (Stokes-Einstein, hindered) [M].
    pub diffusivity_um2_per_min: f32,
    /// Radius by which matrix hinders them, nm; 50.
    pub radius_nm: f32,
    /// Rate at which they come into vessels that are not drawn, 1/min; 0.0044: a tenth of what packed tissue takes up at 0.04 /min
    /// reaches the blood. Assumed.
    pub escape_per_min: f32,
    /// How near a drawn, perfused wall a packet may pass it, um; 10.
    pub near_wall_um: f32,
    /// Rate at which it does, through a normal wall, 1/min; 0.0092: through the walls of a tumour, 7.6 times as leaky at 0.5 nM of VEGF-A, 0.07, as `escape_per_min`
    /// where 6 % of the tissue lies that near. Calibrated.
    pub wall_per_min: f32,
    /// How readily they go with the fluid that lymph drains, over water; 1: lymphatics that begin blindly let in what is smaller than a micrometre.
    pub lymph_share: f32,
    /// Of what comes with the lymph to a node the share that the node takes up; the rest goes on into the blood. 0.5: macrophages under the capsule
    /// take up vesicles (Pucci et al. 2016, doi:10.1126/science.aaf1328, for the arrow); assumed.
    pub node_takes: f32,
    /// Half-life in the blood, min; 2 (Takahashi et al. 2013) or 30, by the label. How much an organ takes up does not depend on it.
    pub half_life_min: f32,
    /// Of what is cleared without an integrin, the share that educates; 0.05. Assumed.
    pub clearance_educates: f32,
    /// Vesicles a day in the blood of an organ's own integrin that educate it by half; 2.23e9, of 1.5e7 cancer cells. Calibrated to niches
    /// after 12-14 days.
    pub half_per_day: f32,
    /// Whether each uptake is told as an event, and not only the first of a cell.
    pub tells_every_uptake: bool,
    /// How long the flash of an uptake is seen in pictures, min; 30.
    pub flash_min: f32,
}

impl Default for ExosomesParameters {
    fn default() -> Self {
        Self {
            per_packet: 100,
            diffusivity_um2_per_min: 100.0,
            radius_nm: 50.0,
            escape_per_min: 0.0044,
            near_wall_um: 10.0,
            wall_per_min: 0.0092,
            lymph_share: 1.0,
            node_takes: 0.5,
            half_life_min: 2.0,
            clearance_educates: 0.05,
            half_per_day: 2.232e9,
            tells_every_uptake: false,
            flash_min: 30.0,
        }
    }
}

impl Parameters for ExosomesParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "per_packet" => Limits {
                min: 1.0,
                max: 1.0e6,
            },
            "diffusivity_um2_per_min" | "near_wall_um" | "wall_per_min" | "escape_per_min" => {
                Limits {
                    min: 0.0,
                    max: 1.0e4,
                }
            }
            "half_life_min" => Limits {
                min: 0.01,
                max: 1.0e5,
            },
            "half_per_day" => Limits {
                min: 1.0,
                max: 1.0e18,
            },
            "clearance_educates" | "lymph_share" | "node_takes" | "tells_every_uptake" => {
                Limits::FRACTION
            }
            "radius_nm" => Limits {
                min: 1.0,
                max: 500.0,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e5,
            },
        }
    }
}

/// Vesicles that come into the blood without any cell of the scene: those of a tumour that is not drawn, and injected ones (group
/// `exosome_source`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct SourceParameters {
    /// Cells of a tumour that is not drawn, at the beginning.
    pub cells: f32,
    /// Time in which they double, d; 2.5. Assumed.
    pub doubling_days: f32,
    /// The most they become; 1e9, a gram.
    pub most_cells: f32,
    /// Vesicles that each sets free, 1/h; 62 (Chiu et al. 2016).
    pub vesicles_per_cell_per_hour: f32,
    /// Share of these that reaches the blood; 0.1. Assumed.
    pub escape_share: f32,
    /// How much of the Rab27a of these cells works, 0-1.
    pub rab27a: f32,
    /// Vesicles in an injection; 1e10 are 5-10 ug [M].
    pub dose_vesicles: f32,
    /// Time between two injections, d; the first is given at the beginning.
    pub dose_every_days: f32,
    /// None is given from then on, d.
    pub dose_until_days: f32,
    /// Share of the integrins on these vesicles that bind, 0-1.
    pub integrin_share: f32,
    /// What they carry.
    pub cargo: Cargo,
    /// Their integrins.
    pub integrins: Integrins,
}

impl Default for SourceParameters {
    fn default() -> Self {
        Self {
            cells: 0.0,
            doubling_days: 2.5,
            most_cells: 1.0e9,
            vesicles_per_cell_per_hour: 62.0,
            escape_share: 0.1,
            rab27a: 1.0,
            dose_vesicles: 0.0,
            dose_every_days: 2.0,
            dose_until_days: 21.0,
            integrin_share: 1.0,
            cargo: Cargo::default(),
            integrins: Integrins::default(),
        }
    }
}

impl Parameters for SourceParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "cells" | "most_cells" => Limits {
                min: 0.0,
                max: 1.0e12,
            },
            "dose_vesicles" => Limits {
                min: 0.0,
                max: 1.0e15,
            },
            "doubling_days" | "dose_every_days" => Limits {
                min: 0.01,
                max: 1.0e4,
            },
            "escape_share" | "rab27a" | "integrin_share" => Limits::FRACTION,
            "vesicles_per_cell_per_hour" | "dose_until_days" => Limits {
                min: 0.0,
                max: 1.0e6,
            },
            _ => LOADS,
        }
    }
}

/// Vesicles in a site (part `exosomes`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct VesiclesDescription {
    /// For so many blocks like it the site stands: what goes into the blood from it counts so many times. A gram of tumour is 8000 cubes
    /// of 500 um.
    pub stands_for: f32,
    /// How much of what its organ takes up from the blood reaches it; 0 for an organ of another animal.
    pub reach: f32,
}

impl Default for VesiclesDescription {
    fn default() -> Self {
        Self {
            stands_for: 1.0,
            reach: 1.0,
        }
    }
}

impl Parameters for VesiclesDescription {
    fn limits(field: &str) -> Limits {
        match field {
            "stands_for" => Limits {
                min: 0.0,
                max: 1.0e9,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e3,
            },
        }
    }
}
