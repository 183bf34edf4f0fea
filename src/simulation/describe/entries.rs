//! What a description holds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::scene::reference::FileType;

/// All that a program knows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// What cells of a type can do.
    pub capabilities: Vec<CapabilityEntry>,
    /// Parameters that are the same for the whole tissue.
    pub groups: Vec<GroupEntry>,
    /// What can be known of cells, of sites and of their elements.
    pub quantities: Vec<QuantityEntry>,
    /// What cells can be told apart by.
    pub categories: Vec<CategoryEntry>,
    /// What rules can change.
    pub inputs: Vec<InputEntry>,
    /// The rules of the cell types.
    pub rules: Vec<RuleEntry>,
    /// What diffuses in the tissue.
    pub molecules: Vec<MoleculeEntry>,
    /// The shipped drugs.
    pub drugs: Vec<DrugEntry>,
    /// What can happen to a cell, as `events.csv` has it.
    pub events: Vec<EventEntry>,
    /// The columns of `metrics.csv`.
    pub metrics: Vec<MetricEntry>,
    /// The cell types.
    pub cell_types: Vec<CellTypeEntry>,
    /// What the tissue of a site can be made of besides its cells and molecules.
    pub site_parts: Vec<CapabilityEntry>,
    /// What the body around the sites can be made of.
    pub body_parts: Vec<CapabilityEntry>,
    /// What scene and cell files hold.
    pub files: Vec<FileType>,
}

/// A capability of cell types.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CapabilityEntry {
    /// Its name, that of the field in a cell file.
    pub name: String,
    /// What it is.
    pub about: String,
    /// Whether every cell type has it.
    pub of_all_types: bool,
    /// Whether it is a list of such parameters, one for each name.
    pub is_list: bool,
    /// Its parameters; their paths begin with the cell type and the capability.
    pub parameters: Vec<ParameterEntry>,
}

/// A group of parameters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupEntry {
    /// Its name, with which paths begin.
    pub name: String,
    /// What it is.
    pub about: String,
    /// Its parameters.
    pub parameters: Vec<ParameterEntry>,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParameterEntry {
    /// Its name, dotted where it lies in another one.
    pub name: String,
    /// Its default, as it is written in a file; nothing for what holds other parameters.
    pub default: Option<String>,
    /// Its unit; empty for a pure number.
    pub unit: String,
    /// What it may be, in words; empty for what holds other parameters.
    pub allowed: String,
    /// Whether it is a number that a path reaches.
    pub is_number: bool,
    /// What it is.
    pub about: String,
}

/// A quantity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuantityEntry {
    /// Its name.
    pub name: String,
    /// What it is known of: `cell`, `site`, or the kind of elements.
    pub of: String,
    /// What it is called in a picture.
    pub label: String,
    /// Its unit; empty for a pure number.
    pub unit: String,
    /// The values it usually takes, where that is known.
    pub range: Option<(f32, f32)>,
    /// Its column in tables of cells, if it has one.
    pub column: Option<String>,
    /// Whether it says nothing of a dead cell.
    pub of_the_living: bool,
    /// What it is.
    pub about: String,
    /// Where it comes from.
    pub source: String,
}

/// A category of cells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CategoryEntry {
    /// Its name, also that of its column in tables.
    pub name: String,
    /// What it is.
    pub about: String,
    /// Its values: as written in tables, and as shown to a person.
    pub values: Vec<(String, String)>,
}

/// An input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InputEntry {
    /// Its name.
    pub name: String,
    /// What it belongs to: `cell`, `site`, or the kind of elements.
    pub of: String,
    /// Its unit; empty for a pure number.
    pub unit: String,
    /// What it may be, in words; rules cannot lead beyond.
    pub allowed: String,
    /// What it is.
    pub about: String,
}

/// A rule of a cell type.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleEntry {
    /// Its path: cell type and name.
    pub path: String,
    /// The input that is changed.
    pub input: String,
    /// The quantity that changes it.
    pub by: String,
    /// How, as it is written in a file.
    pub law: String,
    /// How, in words.
    pub in_words: String,
    /// What it stands for.
    pub about: String,
    /// Where its numbers are from.
    pub source: String,
}

/// A molecule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MoleculeEntry {
    /// Its name in files.
    pub name: String,
    /// Its name as shown to a person.
    pub label: String,
    /// Unit of its concentration.
    pub unit: String,
    /// What it is.
    pub about: String,
    /// Where its numbers are from.
    pub source: String,
}

/// A shipped drug.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DrugEntry {
    /// Its name in files.
    pub name: String,
    /// What it is and does.
    pub about: String,
    /// In whom it is known how it goes through the body.
    pub bodies: Vec<String>,
    /// What it binds, hides and changes.
    pub acts_on: Vec<String>,
    /// Where its numbers are from.
    pub source: String,
}

/// A kind of event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventEntry {
    /// Its name in `events.csv`.
    pub name: String,
    /// What it is.
    pub about: String,
}

/// A measurement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricEntry {
    /// Its column in `metrics.csv`.
    pub name: String,
    /// Its unit; empty for a pure number.
    pub unit: String,
    /// What it is.
    pub about: String,
}

/// A cell type.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CellTypeEntry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: String,
    /// What its cells can do.
    pub capabilities: Vec<String>,
    /// Its parameters, by path behind its name.
    pub parameters: BTreeMap<String, f64>,
}
