//! The circulation of a body: what a scene says of it, and the organs that it joins.

use std::collections::BTreeMap;

use bevy::math::ops;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::soil::resident_levels;
use super::species::{Bed, Bloodstream, Species};
use crate::core::capability::CellTypeName;
use crate::core::parameters::{CellTypeNames, Contradiction, Limits, Parameters};
use crate::tissue::{Organ, SiteId, Sites};

/// The circulation that joins the sites (part of the body `circulation`). Without it no cell enters the blood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct CirculationDescription {
    /// Whose it is.
    pub species: Species,
    /// Cells that each cell in the blood stands for: mass of the tumour over that of its block; 8000 for a tumour of 1 g and a block of 500 um. 1: the
    /// blocks stand for all of it.
    pub weight: f64,
    /// Share of the cells in lymph that a node holds; 0.5. Assumed.
    pub node_retention: f32,
    /// Cells that are injected into the blood.
    pub injections: Vec<CellInjection>,
}

impl Default for CirculationDescription {
    fn default() -> Self {
        Self {
            species: Species::Mouse,
            weight: 1.0,
            node_retention: 0.5,
            injections: Vec::new(),
        }
    }
}

impl Parameters for CirculationDescription {
    fn limits(field: &str) -> Limits {
        match field {
            "weight" => Limits {
                min: 1.0e-6,
                max: 1.0e12,
            },
            "node_retention" => Limits::FRACTION,
            _ => Limits::NON_NEGATIVE,
        }
    }

    fn species(&self) -> Option<String> {
        Some(format!("{:?}", self.species))
    }

    fn named_types_need() -> &'static [&'static str] {
        &["circulation"]
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        let wrong = |message: String| Contradiction {
            field: "injections",
            other: "",
            message,
        };
        let mut found = Vec::new();
        for (number, injection) in self.injections.iter().enumerate() {
            if !(1..=MOST_INJECTED).contains(&injection.cells) {
                found.push(wrong(format!(
                    "injection {number} is of 1 to {MOST_INJECTED} cells, found {}",
                    injection.cells
                )));
            }
            if !(1..=MOST_TOGETHER).contains(&injection.together) {
                found.push(wrong(format!(
                    "cells of injection {number} come 1 to {MOST_TOGETHER} together, found {}",
                    injection.together
                )));
            } else if !injection.cells.is_multiple_of(injection.together) {
                found.push(wrong(format!(
                    "cells of injection {number} come {} together, and {} of them leave some over",
                    injection.together, injection.cells
                )));
            }
            if !(injection.at_hours >= 0.0 && injection.at_hours.is_finite()) {
                found.push(wrong(format!(
                    "the time of injection {number} is 0 h or later, found {}",
                    injection.at_hours
                )));
            }
        }
        found
    }
}

/// Cells that are injected into the blood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct CellInjection {
    /// Their type.
    pub cell: CellTypeName,
    /// How many.
    pub cells: u32,
    /// Where the needle is.
    #[serde(default)]
    pub into: EntryRoute,
    /// When, hours from the start.
    #[serde(default)]
    pub at_hours: f64,
    /// How many come bound together; 1: single cells.
    #[serde(default = "one")]
    pub together: u32,
}

const fn one() -> u32 {
    1
}

/// Most cells of an injection, and of a cluster of it.
const MOST_INJECTED: u32 = 10_000_000;
const MOST_TOGETHER: u32 = 100;

/// Where a cell enters the circulation.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Reflect,
)]
#[repr(u8)]
pub enum EntryRoute {
    /// A systemic vein: the lungs come first.
    #[default]
    Vein,
    /// An artery, or a vein of the lungs: a systemic bed comes first.
    Artery,
    /// The portal vein: the liver comes first.
    PortalVein,
    /// Lymph: a node comes first, then a vein.
    Lymph,
}

impl EntryRoute {
    /// Where what leaves an organ by its blood enters.
    pub const fn from_organ(organ: Option<Organ>) -> Self {
        match organ {
            Some(Organ::Lung) => Self::Artery,
            _ => Self::Vein,
        }
    }

    /// As written in tables.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Vein => "vein",
            Self::Artery => "artery",
            Self::PortalVein => "portal_vein",
            Self::Lymph => "lymph",
        }
    }
}

/// An organ of the body.
#[derive(Clone, Debug, PartialEq)]
pub struct OrganOfBody {
    /// Its name.
    pub name: String,
    /// The organ, if it is one that sites can be part of.
    pub tissue: Option<Organ>,
    /// How easily a normal wall of it lets molecules pass, over a capillary of muscle.
    pub wall: f32,
    /// How fast arrested cells cross such a wall, over the liver.
    pub crossing: f32,
    /// Its share of the cardiac output; 0 for lungs and lymph nodes, which are not among the systemic beds.
    pub share: f64,
    /// The sites of the scene that are part of it.
    pub sites: Vec<SiteId>,
}

impl OrganOfBody {
    /// What its residents send, by molecule.
    pub fn soil(&self) -> &'static BTreeMap<String, f32> {
        resident_levels(self.tissue)
    }
}

/// Places of lungs and lymph nodes in the list of organs.
pub const LUNG: usize = 0;
/// See [`LUNG`].
pub const NODE: usize = 1;

/// The circulation of the body, made from the scene.
#[derive(Resource, Clone, Debug, Default)]
pub struct Circulation(Option<Circuit>);

impl Circulation {
    /// It, if the scene has one.
    pub const fn get(&self) -> Option<&Circuit> {
        self.0.as_ref()
    }

    /// That of a description, in a world that has its sites.
    pub(super) fn of(world: &World, of: &CirculationDescription) -> Self {
        let stream = of.species.bloodstream();
        // Walls as the vessels of these organs have them.
        let in_series = [
            ("lung", Organ::Lung, 1.0),
            ("lymph_node", Organ::LymphNode, 1.0),
        ];
        let in_series = in_series.map(|(name, tissue, wall)| OrganOfBody {
            wall,
            crossing: 1.0,
            name: name.into(),
            tissue: Some(tissue),
            share: 0.0,
            sites: Vec::new(),
        });
        let systemic = stream.organs.iter().map(|bed: &Bed| OrganOfBody {
            name: bed.name.clone(),
            tissue: bed.tissue,
            wall: bed.wall as f32,
            crossing: bed.crossing as f32,
            share: bed.share,
            sites: Vec::new(),
        });
        let mut organs: Vec<OrganOfBody> = in_series.into_iter().chain(systemic).collect();
        let sites = &world.resource::<Sites>().list;
        for (number, site) in sites.iter().enumerate() {
            let tissue = world.get::<Organ>(site.entity);
            let mut organs = organs.iter_mut();
            let of_it =
                organs.find(|organ| organ.tissue.is_some() && organ.tissue.as_ref() == tissue);
            if let Some(organ) = of_it {
                organ.sites.push(SiteId(number as u16));
            }
        }
        let portal = stream.organs.iter().position(|bed| bed.is_portal);
        let names = world.resource::<CellTypeNames>();
        let injections = of.injections.iter().filter_map(|injection| {
            let mut names = names.0.iter();
            let cell_type = names.position(|name| *name == injection.cell.0)?;
            Some((injection.clone(), cell_type as u16))
        });
        let injections = injections.collect();
        Self(Some(Circuit {
            stream,
            weight: of.weight,
            node_retention: of.node_retention,
            portal: portal.map_or(LUNG, |place| place + 2),
            organs,
            injections,
        }))
    }
}

/// Organs, blood and what is injected.
#[derive(Clone, Debug)]
pub struct Circuit {
    /// The numbers of its species.
    pub stream: &'static Bloodstream,
    /// Cells that each cell in the blood stands for.
    pub weight: f64,
    /// Share of the cells in lymph that a node holds.
    pub node_retention: f32,
    /// The organ to which the portal vein leads.
    pub portal: usize,
    /// Lungs, lymph nodes, and the systemic beds.
    pub organs: Vec<OrganOfBody>,
    /// What is injected, each with its type.
    pub injections: Vec<(CellInjection, u16)>,
}

impl Circuit {
    /// The organ of a site.
    pub fn organ_of(&self, site: SiteId) -> Option<usize> {
        let mut organs = self.organs.iter();
        organs.position(|organ| organ.sites.contains(&site))
    }

    /// Share of cells that one bed holds, of cells alone or in a cluster, that can make themselves so thin, um.
    pub fn arrest(&self, is_cluster: bool, diameter_um: f32, fold: f32) -> f32 {
        let native = if is_cluster {
            self.stream.cluster_arrest
        } else {
            self.stream.arrest
        } as f32;
        let stuck = 1.0 / (1.0 + ops::powf(STUCK_UM / diameter_um.max(1.0e-3), STUCK_EXPONENT));
        let stuck = native + (FIRST_PASS - native).max(0.0) * stuck;
        (stuck * fold).clamp(0.0, MOST_HELD)
    }
}

/// What the beds of a body hold of cells of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Beds<'a> {
    /// The body.
    pub circuit: &'a Circuit,
    /// What a bed holds of them as it is without any rule.
    pub share: f32,
    /// How many times as much each organ holds, by its place in the list.
    pub holds: &'a [f32],
}

impl Beds<'_> {
    /// What the bed of an organ holds.
    pub fn of(&self, organ: usize) -> f32 {
        let hold = self.holds.get(organ).copied().unwrap_or(1.0);
        (self.share * hold).clamp(0.0, MOST_HELD)
    }

    /// What the systemic beds hold together of what comes to them, by their shares of the blood.
    pub fn systemic_share(&self) -> f32 {
        let organs = self.circuit.organs.iter().enumerate();
        let held = organs.map(|(place, organ)| organ.share * f64::from(self.of(place)));
        held.sum::<f64>() as f32
    }

    /// The systemic bed that holds a cell which one of them does, from a number between 0 and 1.
    pub fn systemic(&self, dice: f32) -> usize {
        let mut left = dice * self.systemic_share();
        let organs = self.circuit.organs.iter().enumerate();
        let mut last = self.circuit.organs.len() - 1;
        for (place, organ) in organs.filter(|(_, organ)| organ.share > 0.0) {
            last = place;
            left -= organ.share as f32 * self.of(place);
            if left < 0.0 {
                break;
            }
        }
        last
    }
}

/// What a bed holds of cells that do not pass, and how wide those are (injection assays: 0.8-0.95 above 15 um; 0.003-0.04 below 10).
const FIRST_PASS: f32 = 0.9;
const STUCK_UM: f32 = 12.5;
const STUCK_EXPONENT: f32 = 26.0;
/// Most of what comes that a bed can hold.
const MOST_HELD: f32 = 0.9999;
