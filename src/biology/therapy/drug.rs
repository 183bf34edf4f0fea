//! What a drug is, as data: a RON file in `assets/drugs`.
//!
//! A drug says how it goes through a body ([`Kinetics`]), how it moves in tissue ([`InTissue`]), what it binds there ([`Binding`]), what it turns
//! into ([`Activation`]), what it hides from cells and vessels ([`Hidden`]), and what else it changes ([`Effect`]): rules on inputs, each with its
//! source; never an outcome.

use std::collections::BTreeMap;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::kinetics::{Kinetics, Route};
use crate::core::ColourMap;
use crate::core::parameters::{Limits, Parameters};
use crate::core::rule::{Law, Rule};
use crate::tissue::Molecule;

/// Whose body it is that is treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub enum Patient {
    /// A mouse.
    #[default]
    Mouse,
    /// A person.
    Human,
}

impl Patient {
    /// What it is called in a sentence.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Mouse => "a mouse",
            Self::Human => "a person",
        }
    }
}

/// A drug.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Drug {
    /// Name by which scenes refer to it, and that of its molecule in tissue; that of its file without `.ron`.
    pub name: String,
    /// Name as shown to a person.
    pub label: String,
    /// What it is and does, one or a few sentences.
    pub about: String,
    /// Mass of a mole, g.
    pub molar_mass_g_per_mol: f64,
    /// How it goes through a mouse, if that is known.
    #[serde(default)]
    pub mouse: Option<Kinetics>,
    /// How it goes through a person, if that is known.
    #[serde(default)]
    pub human: Option<Kinetics>,
    /// How it moves in tissue.
    pub tissue: InTissue,
    /// The molecule that it binds in tissue, if it does.
    #[serde(default)]
    pub binds: Option<Binding>,
    /// What it turns into where oxygen is short, if it does.
    #[serde(default)]
    pub becomes: Option<Activation>,
    /// Molecules that it hides from those who perceive them, because it holds their receptor, by name of the molecule.
    #[serde(default)]
    pub hides: BTreeMap<String, Hidden>,
    /// What else it changes, by name.
    #[serde(default)]
    pub effects: BTreeMap<String, Effect>,
    /// Where the numbers are from that are not said with each effect.
    pub source: String,
}

/// How a drug moves in tissue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct InTissue {
    /// Effective diffusivity, um2/min.
    pub diffusivity_um2_per_min: f32,
    /// Hydrodynamic radius, nm, by which matrix hinders it; 0 for molecules that are small beside any pore.
    #[serde(default)]
    pub radius_nm: f32,
    /// First-order loss from tissue (cells take it up, lymph takes it along), 1/min.
    #[serde(default)]
    pub loss_per_min: f32,
    /// Whether capillaries exchange it freely with blood (small molecules).
    #[serde(default)]
    pub crosses_vessel_walls: bool,
    /// How easily it diffuses through the walls of capillaries, um/min.
    #[serde(default)]
    pub wall_permeability_um_per_min: f32,
    /// Share of it that these walls hold back of what water carries through them, 0-1.
    #[serde(default)]
    pub wall_reflection: f32,
    /// Time between two solves, min.
    #[serde(default = "five")]
    pub every_minutes: f32,
    /// Voxels of the site, along each axis, in a voxel of its grid; that of what it binds, if it binds something.
    #[serde(default = "one")]
    pub coarsen: u16,
    /// Upper end of its colours unless there is more of it, nM.
    #[serde(default)]
    pub scale_max_nm: Option<f32>,
    /// Levels drawn as contour lines, at most four, nM.
    #[serde(default)]
    pub contours_nm: Vec<f32>,
}

const fn five() -> f32 {
    5.0
}

const fn one() -> u16 {
    1
}

/// What a drug binds in tissue, and what becomes of both: `D + V <-> C`, with mass action. Secretion of `V` goes on; what is bound counts no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The molecule.
    pub molecule: String,
    /// Binding, 1/(nM min).
    pub on_per_nm_min: f32,
    /// Unbinding, 1/min.
    pub off_per_min: f32,
    /// First-order loss of both together, 1/min.
    pub loss_per_min: f32,
}

/// What a drug turns into where oxygen is short: at the rate `per_min / (1 + p / half)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    /// Rate without any oxygen, 1/min.
    pub per_min: f32,
    /// Oxygen at which half of that is left, mmHg.
    pub half_mmhg: f32,
    /// Diffusivity of what it becomes, um2/min.
    pub diffusivity_um2_per_min: f32,
    /// First-order loss of that, 1/min.
    pub loss_per_min: f32,
}

/// How far a drug hides a molecule from those whose receptor it holds: they perceive `c (1 - most D / (D + half))` of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Hidden {
    /// Level of the drug at which half of `most` is hidden, nM.
    pub half_nm: f32,
    /// Share that is hidden where there is plenty of the drug, 0-1.
    #[serde(default = "whole")]
    pub most: f32,
    /// Capabilities or types of the cells from which it is hidden; from all cells, and from all that a site holds, where there is none.
    #[serde(default)]
    pub only: Vec<String>,
    /// Where the numbers are from.
    pub source: String,
}

const fn whole() -> f32 {
    1.0
}

/// What of a drug an effect goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub enum Form {
    /// What is free of it.
    #[default]
    Free,
    /// What it has become ([`Activation`]).
    Active,
}

/// What a drug changes: a rule on an input of cells, vessel segments, voxels or sites. It goes by the level of the drug there, nM; on inputs of
/// whole sites by that in blood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// The input.
    pub input: String,
    /// How the level changes it.
    pub law: Law,
    /// What of the drug it goes by.
    #[serde(default)]
    pub form: Form,
    /// A quantity of the cell, held between 0 and 1, that the level is multiplied by: `fibroblast.active`, for a drug that reaches what only such
    /// cells carry.
    #[serde(default)]
    pub within: Option<String>,
    /// Capabilities or types of which a cell must have one, besides the input.
    #[serde(default)]
    pub only: Vec<String>,
    /// The factor is never below this.
    #[serde(default)]
    pub floor: Option<f32>,
    /// What it stands for, in a sentence.
    pub about: String,
    /// Where its numbers are from.
    pub source: String,
}

impl Parameters for Drug {
    fn limits(field: &str) -> Limits {
        match field {
            "molar_mass_g_per_mol" => Limits { min: 1.0, max: 1e7 },
            field => {
                let known = ["mouse.", "human."];
                let inside = known.iter().find_map(|part| field.strip_prefix(part));
                inside.map_or_else(|| of_tissue(field), Kinetics::limits)
            }
        }
    }
}

/// Limits of what is said of tissue.
fn of_tissue(field: &str) -> Limits {
    match field.rsplit('.').next().unwrap_or(field) {
        "diffusivity_um2_per_min" => Limits {
            min: 1e-3,
            max: 1e9,
        },
        "every_minutes" => Limits {
            min: 0.0,
            max: 1440.0,
        },
        "wall_reflection" | "most" => Limits::FRACTION,
        "half_nm" | "half_mmhg" => Limits::POSITIVE,
        _ => Limits { min: 0.0, max: 1e6 },
    }
}

impl Drug {
    /// How it goes through a body, if that is known.
    pub const fn kinetics(&self, body: Patient) -> Option<&Kinetics> {
        match body {
            Patient::Mouse => self.mouse.as_ref(),
            Patient::Human => self.human.as_ref(),
        }
    }

    /// Level in nM of so many ug in a mL.
    pub fn nm(&self, ug_per_ml: f64) -> f64 {
        1e6 * ug_per_ml / self.molar_mass_g_per_mol
    }

    /// Name of the molecule that is it and what it binds, together.
    pub fn bound_name(&self) -> String {
        format!("{}_bound", self.name)
    }

    /// Name of the molecule that it turns into.
    pub fn active_name(&self) -> String {
        format!("{}_active", self.name)
    }

    /// The molecules that it brings into tissue, given what it binds: all three are on one grid, and solved as often as that if not more often.
    pub fn molecules(&self, partner: Option<&Molecule>) -> Vec<Molecule> {
        let tissue = &self.tissue;
        let own = Molecule {
            name: self.name.clone(),
            label: self.label.clone(),
            about: self.about.clone(),
            unit: "nM".into(),
            nm_per_unit: 1.0,
            diffusivity_um2_per_min: tissue.diffusivity_um2_per_min,
            diffusivity_in_medium_um2_per_min: 0.0,
            radius_nm: tissue.radius_nm,
            decay_per_min: tissue.loss_per_min,
            half_saturation: 1.0,
            quasi_steady: false,
            // No less often than what it binds: it cannot be bound twice.
            every_minutes: partner.map_or(tissue.every_minutes, |of| {
                tissue.every_minutes.min(of.every_minutes)
            }),
            crosses_vessel_walls: tissue.crosses_vessel_walls,
            wall_permeability_um_per_min: tissue.wall_permeability_um_per_min,
            wall_reflection: tissue.wall_reflection,
            in_air: false,
            background: 0.0,
            coarsen: partner.map_or(tissue.coarsen, |of| of.coarsen),
            colour_map: ColourMap::Cividis,
            scale_max: tissue.scale_max_nm,
            contours: tissue.contours_nm.clone(),
            featured: false,
            source: self.source.clone(),
        };
        // Neither comes from blood.
        let inside = |name: String, label: String, diffusivity: f32, loss: f32| Molecule {
            name,
            label,
            diffusivity_um2_per_min: diffusivity,
            decay_per_min: loss,
            crosses_vessel_walls: false,
            wall_permeability_um_per_min: 0.0,
            wall_reflection: 1.0,
            scale_max: None,
            contours: Vec::new(),
            ..own.clone()
        };
        let bound = self.binds.as_ref().map(|binding| {
            let label = format!("{} bound to {}", self.label, binding.molecule);
            let diffusivity = tissue.diffusivity_um2_per_min;
            Molecule {
                every_minutes: partner.map_or(tissue.every_minutes, |of| of.every_minutes),
                ..inside(self.bound_name(), label, diffusivity, binding.loss_per_min)
            }
        });
        let active = self.becomes.as_ref().map(|becomes| {
            let label = format!("active {}", self.label);
            let (diffusivity, loss) = (becomes.diffusivity_um2_per_min, becomes.loss_per_min);
            inside(self.active_name(), label, diffusivity, loss)
        });
        std::iter::once(own.clone())
            .chain(bound)
            .chain(active)
            .collect()
    }

    /// The names of the molecules that it brings.
    pub fn molecule_names(&self) -> Vec<String> {
        let bound = self.binds.iter().map(|_| self.bound_name());
        let active = self.becomes.iter().map(|_| self.active_name());
        std::iter::once(self.name.clone())
            .chain(bound)
            .chain(active)
            .collect()
    }

    /// The quantity that an effect on cells goes by.
    pub fn by(&self, effect: &Effect) -> String {
        let level = match effect.form {
            Form::Free => self.name.clone(),
            Form::Active => self.active_name(),
        };
        match &effect.within {
            Some(quantity) => format!("{level}.within.{quantity}"),
            None => level,
        }
    }

    /// An effect as a rule: its name and what it says.
    pub fn rule(&self, name: &str, effect: &Effect) -> (String, Rule) {
        let rule = Rule {
            input: effect.input.clone(),
            by: self.by(effect),
            law: effect.law,
            scale: 1.0,
            floor: effect.floor,
            about: effect.about.clone(),
            source: effect.source.clone(),
        };
        (format!("{}_{name}", self.name), rule)
    }

    /// By what way it is given if nothing is said: the first that there is.
    pub fn usual_route(&self, body: Patient) -> Option<Route> {
        let kinetics = self.kinetics(body)?;
        Route::ALL
            .into_iter()
            .find(|route| kinetics.absorption(*route).is_some())
    }
}

/// The drugs of a simulation, and whose body it is.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct Drugs {
    /// The drugs that can be given, by name.
    pub list: Vec<Drug>,
    /// Whose body it is.
    pub body: Patient,
}

impl Drugs {
    /// The place of the drug of that name.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.list.iter().position(|drug| drug.name == name)
    }
}
