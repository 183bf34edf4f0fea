//! The molecules of the microenvironment.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

/// A molecule that diffuses in a site. One field entity per molecule and site.
#[derive(
    Component,
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Reflect,
)]
pub enum Molecule {
    /// Oxygen, as partial pressure, mmHg.
    Oxygen,
    /// Glucose, mM.
    Glucose,
    /// Lactate, mM.
    Lactate,
    /// Vascular endothelial growth factor A, nM.
    VegfA,
}

impl Molecule {
    /// All molecules, in the order in which they are stored and written.
    pub const ALL: [Self; 4] = [Self::Oxygen, Self::Glucose, Self::Lactate, Self::VegfA];

    /// Name as shown to a person.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Oxygen => "oxygen",
            Self::Glucose => "glucose",
            Self::Lactate => "lactate",
            Self::VegfA => "VEGF-A",
        }
    }

    /// Unit of the stored values.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Oxygen => "mmHg",
            Self::Glucose | Self::Lactate => "mM",
            Self::VegfA => "nM",
        }
    }
}
