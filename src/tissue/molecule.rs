//! The molecules of the microenvironment. A molecule is data: a RON file in `assets/molecules`, or an entry of a
//! scene's own list.
//!
//! [`Molecules`] lists those of a simulation in the order of their names, so that neither the order of files nor that
//! of a scene's list changes anything. Systems ask for a molecule by name, once in each run; in between it is a
//! [`MoleculeId`].

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::ColourMap;
use crate::core::numbers::Fixed;
use crate::core::parameters::{Limits, NamedParameters, Parameters};
use crate::core::quantity::Quantity;

/// Index of a molecule in [`Molecules`].
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MoleculeId(pub u16);

/// Name of a molecule, where a scene or a cell type refers to it. That there is one is checked when the file is read.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Reflect,
)]
#[serde(transparent)]
#[reflect(opaque)]
pub struct MoleculeName(pub String);

impl MoleculeName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for MoleculeName {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

/// A molecule: how it moves, decays and is taken up, what cells find of it where it is not simulated, and how it is
/// shown. Its numbers are parameters, `"molecules.NAME.decay_per_min"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Molecule {
    /// Name by which scenes and cell types refer to it; that of its file without `.ron`.
    pub name: String,
    /// Name as shown to a person.
    pub label: String,
    /// What it is and does, one or a few sentences.
    pub about: String,
    /// Unit of its concentration.
    pub unit: String,
    /// Concentration of one unit, nM: 1 for nM, 1e6 for mM; for a partial pressure the solubility.
    pub nm_per_unit: f32,
    /// Effective diffusivity in tissue, um2/min.
    pub diffusivity_um2_per_min: f32,
    /// Diffusivity in culture medium between and around cells, um2/min; 0 where it is as in tissue. It counts in sites with the part
    /// `medium`.
    #[serde(default)]
    pub diffusivity_in_medium_um2_per_min: f32,
    /// Hydrodynamic radius, nm, by which matrix hinders it; 0 for molecules that are small beside any pore.
    #[serde(default)]
    pub radius_nm: f32,
    /// First-order decay, 1/min.
    #[serde(default)]
    pub decay_per_min: f32,
    /// Concentration of half-maximal uptake by cells, in its unit.
    pub half_saturation: f32,
    /// Whether it is in balance with its sources within a step; otherwise it is stepped in time.
    pub quasi_steady: bool,
    /// Time between two solves, min; not less than a step.
    pub every_minutes: f32,
    /// Whether capillaries of the host exchange it freely with blood (small molecules do).
    pub crosses_vessel_walls: bool,
    /// How easily it diffuses through the walls of capillaries, um/min; 0 where nothing holds it up, as with oxygen, or, of a molecule that
    /// does not cross them freely, where nothing of it gets through.
    #[serde(default)]
    pub wall_permeability_um_per_min: f32,
    /// Share of it that these walls hold back of what water carries through them, `sigma`, 0-1.
    #[serde(default)]
    pub wall_reflection: f32,
    /// Whether air brings it, so that its level in culture medium is not used up.
    #[serde(default)]
    pub in_air: bool,
    /// What cells perceive where a site does not simulate it, in its unit.
    #[serde(default)]
    pub background: f32,
    /// Voxels of the site, along each axis, in a voxel of this molecule's grid.
    #[serde(default = "one")]
    pub coarsen: u16,
    /// Colours of its concentrations.
    #[serde(default)]
    pub colour_map: ColourMap,
    /// Upper end of the colours unless there is more of it, in its unit; the largest value if left out.
    #[serde(default)]
    pub scale_max: Option<f32>,
    /// Concentrations drawn as contour lines, at most four, in its unit.
    #[serde(default)]
    pub contours: Vec<f32>,
    /// Whether it is among what is offered first: as a colour of cells, as a plot.
    #[serde(default)]
    #[reflect(@Fixed)]
    pub featured: bool,
    /// Where the numbers are from.
    pub source: String,
}

const fn one() -> u16 {
    1
}

impl Parameters for Molecule {
    fn limits(field: &str) -> Limits {
        match field {
            // From next to nothing to far more than any fluid; beyond, 32 bits do not hold what is computed.
            "diffusivity_um2_per_min" => Limits {
                min: 1e-3,
                max: 1e9,
            },
            "half_saturation" => Limits {
                min: 1e-6,
                max: 1e6,
            },
            "nm_per_unit" => Limits {
                min: 1e-9,
                max: 1e12,
            },
            "diffusivity_in_medium_um2_per_min" => Limits { min: 0.0, max: 1e9 },
            "crosses_vessel_walls" | "quasi_steady" | "in_air" | "wall_reflection" => {
                Limits::FRACTION
            }
            // Gone within 0.1 ms at the fastest.
            "decay_per_min" => Limits { min: 0.0, max: 1e6 },
            "background" => Self::LEVEL_LIMITS,
            "every_minutes" => Limits {
                min: 0.0,
                max: 1440.0,
            },
            _ => Limits::NON_NEGATIVE,
        }
    }
}

impl Molecule {
    /// A number of the voxels of a site in the place of a molecule, for whoever shows molecules: it has a name, a unit and colours, and neither
    /// moves nor is taken up.
    pub fn in_place_of(quantity: &Quantity) -> Self {
        Self {
            name: quantity.name.clone(),
            label: quantity.label.clone(),
            about: quantity.about.clone(),
            unit: quantity.unit.clone(),
            nm_per_unit: 1.0,
            diffusivity_um2_per_min: 1.0,
            diffusivity_in_medium_um2_per_min: 0.0,
            in_air: false,
            radius_nm: 0.0,
            decay_per_min: 0.0,
            half_saturation: 1.0,
            quasi_steady: false,
            every_minutes: 0.0,
            crosses_vessel_walls: false,
            wall_permeability_um_per_min: 0.0,
            wall_reflection: 0.0,
            background: 0.0,
            coarsen: 1,
            colour_map: quantity.colours,
            scale_max: Some(quantity.range.1),
            contours: quantity.contours.clone(),
            featured: quantity.featured,
            source: quantity.source.clone(),
        }
    }

    /// What a concentration may be, in any unit: beyond, 32 bits do not hold what a voxel is given and gives.
    pub const LEVEL_LIMITS: Limits = Limits { min: 0.0, max: 1e9 };

    /// Where it stands among molecules of the same interval, which take turns at being solved: a number made of its
    /// name alone (64-bit FNV-1a of Fowler, Noll and Vo), so that no other molecule changes it.
    pub fn turn(&self) -> u64 {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0100_0000_01b3;
        self.name.bytes().fold(OFFSET, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(PRIME)
        })
    }
}

/// The molecules of a simulation, by name; a [`MoleculeId`] is a place in the list.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct Molecules {
    list: Vec<Molecule>,
}

impl Molecules {
    /// These molecules; of two of one name the later one.
    pub fn new(molecules: impl IntoIterator<Item = Molecule>) -> Self {
        let mut list: Vec<Molecule> = molecules.into_iter().collect();
        // The later of two comes first, and stays.
        list.reverse();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list.dedup_by(|later, first| later.name == first.name);
        Self { list }
    }

    /// All of them, by name.
    pub fn list(&self) -> &[Molecule] {
        &self.list
    }

    /// The molecule of that index.
    pub fn get(&self, id: MoleculeId) -> &Molecule {
        &self.list[usize::from(id.0)]
    }

    /// The index of the molecule of that name.
    pub fn id(&self, name: &str) -> Option<MoleculeId> {
        let place = self
            .list
            .binary_search_by(|known| known.name.as_str().cmp(name));
        place
            .ok()
            .and_then(|place| u16::try_from(place).ok())
            .map(MoleculeId)
    }

    /// The molecule of that name.
    pub fn named(&self, name: &str) -> Option<&Molecule> {
        self.id(name).map(|id| self.get(id))
    }
}

impl NamedParameters for Molecules {
    type Item = Molecule;

    fn names(&self) -> Vec<&str> {
        self.list
            .iter()
            .map(|molecule| molecule.name.as_str())
            .collect()
    }

    fn item(&self, index: usize) -> Option<&Molecule> {
        self.list.get(index)
    }

    fn item_mut(&mut self, index: usize) -> Option<&mut Molecule> {
        self.list.get_mut(index)
    }

    fn from_items(items: Vec<Molecule>) -> Self {
        Self::new(items)
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Molecules for tests of what reads and books them.

    use super::*;

    /// A molecule of that name, concentration of one unit (nM) and background.
    pub fn molecule(name: &str, nm_per_unit: f32, background: f32) -> Molecule {
        Molecule {
            name: name.into(),
            label: name.into(),
            about: "for a test".into(),
            unit: "units".into(),
            nm_per_unit,
            diffusivity_um2_per_min: 1000.0,
            diffusivity_in_medium_um2_per_min: 0.0,
            radius_nm: 0.0,
            decay_per_min: 0.0,
            half_saturation: 1.0,
            quasi_steady: false,
            every_minutes: 1.0,
            crosses_vessel_walls: false,
            wall_permeability_um_per_min: 0.0,
            wall_reflection: 0.0,
            in_air: false,
            background,
            coarsen: 1,
            colour_map: ColourMap::Viridis,
            scale_max: None,
            contours: Vec::new(),
            featured: false,
            source: "a test".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_by_name_whatever_its_order_and_the_later_of_two_counts() {
        let [a, b] = ["glucose", "oxygen"].map(|name| testing::molecule(name, 1.0, 0.0));
        let later = Molecule {
            background: 7.0,
            ..a.clone()
        };
        let list = Molecules::new([b.clone(), a.clone(), later.clone()]);
        assert_eq!(list, Molecules::new([a, later, b]));
        assert_eq!(
            list.named("glucose").map(|found| found.background),
            Some(7.0)
        );
        assert_eq!(list.id("oxygen"), Some(MoleculeId(1)));
        assert_eq!(list.id("oxyge"), None);
    }

    #[test]
    fn slow_molecules_of_the_same_interval_take_different_turns() {
        let turns = ["glucose", "lactate", "vegf_a"]
            .map(|name| testing::molecule(name, 1.0, 0.0).turn() % 5);
        let [a, b, c] = turns;
        assert!(a != b && b != c && a != c, "{turns:?}");
    }
}
