//! What can be done to a tissue to treat it, as a timeline says it.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::{Action, Span};
use crate::biology::therapy::{Dose, Route};
use crate::tissue::placed::Region;

/// A drug that is given: `Give(drug: "anti_pd_1", mg_per_kg: 10, every: Days(3), times: 4)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Dosing {
    /// Name of the drug: a file in `assets/drugs`, or one of the scene's own.
    pub drug: String,
    /// A dose for a kg of body, mg; this or `mg`.
    #[serde(default)]
    pub mg_per_kg: Option<f64>,
    /// A dose, mg.
    #[serde(default)]
    pub mg: Option<f64>,
    /// By what way; the first that the drug has if left out.
    #[serde(default)]
    pub route: Option<Route>,
    /// Time between two doses, if there are several.
    #[serde(default)]
    pub every: Option<Span>,
    /// How many doses.
    #[serde(default = "once")]
    pub times: u32,
}

const fn once() -> u32 {
    1
}

impl Dosing {
    /// The dose, if one is said.
    pub const fn dose(&self) -> Option<Dose> {
        match (self.mg_per_kg, self.mg) {
            (Some(mg), None) => Some(Dose::MgPerKg(mg)),
            (None, Some(mg)) => Some(Dose::Mg(mg)),
            _ => None,
        }
    }
}

/// A drug that is injected into the tissue itself: `Inject(drug: "collagenase", place: Ball(radius_um: 50), fmol: 3)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Injection {
    /// Name of the drug.
    pub drug: String,
    /// Name of the site; the first one if left out.
    #[serde(default)]
    pub site: Option<String>,
    /// Where it goes: evenly into all of it.
    pub place: Region,
    /// How much in all, fmol (1e-15 mol): 1 fmol in a ball of 100 um is 0.24 nM.
    pub fmol: f64,
}

/// Radiation: `Irradiate(gray: 2)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Irradiation {
    /// The dose, Gy.
    pub gray: f32,
    /// Name of the site; the first one if left out.
    #[serde(default)]
    pub site: Option<String>,
    /// The part of it that is irradiated; all of it if left out.
    #[serde(default)]
    pub place: Option<Region>,
}

/// Surgery: cells are cut out, `Resect(place: Ball(radius_um: 200))`. Matrix, vessels and molecules stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Resection {
    /// Name of the site; the first one if left out.
    #[serde(default)]
    pub site: Option<String>,
    /// The part of it that is cut out; all of it if left out.
    #[serde(default)]
    pub place: Option<Region>,
    /// The types of the cells that are taken away; all if left out.
    #[serde(default)]
    pub cells: Vec<String>,
}

/// Cells that are given into blood and come into a site by its doors: `Transfer(cell: "cd8_t_cell", cells: 300, over: Hours(12))`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct CellTransfer {
    /// Their type.
    pub cell: String,
    /// How many come into the site.
    pub cells: u32,
    /// Name of the site; the first one if left out.
    #[serde(default)]
    pub site: Option<String>,
    /// Over which time; at once if left out.
    #[serde(default)]
    pub over: Option<Span>,
}

impl Action {
    /// Whether it is a treatment.
    pub const fn is_treatment(&self) -> bool {
        matches!(
            self,
            Self::Give(_)
                | Self::Inject(_)
                | Self::Irradiate(_)
                | Self::Resect(_)
                | Self::Transfer(_)
        )
    }

    /// The drug that it gives, if it gives one.
    pub fn drug(&self) -> Option<&str> {
        match self {
            Self::Give(dosing) => Some(&dosing.drug),
            Self::Inject(injection) => Some(&injection.drug),
            _ => None,
        }
    }
}
