//! The scene file, as people write it.
//!
//! A scene is a RON file. Times and sizes carry their unit in the variant (`Hours(6)`) or in the field's
//! name (`radius_um`). Unknown fields are errors everywhere. What is left out takes the documented default.

use std::collections::BTreeMap;
use std::fmt;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::arms::{Arm, Endpoints};
use super::body_parts::BodyParts;
use super::causes::Causes;
use super::look::{CameraKey, Label, Look, PlotShown};
use super::prefab::CellPrefab;
use super::spans::FieldPath;
use super::stage::StageLayout;
use super::tissue_parts::TissueParts;
use super::treatment::{CellTransfer, Dosing, Injection, Irradiation, Resection};
use super::variants::Variant;
use crate::biology::therapy::{Drug, Patient};
use crate::core::regulate::RuleChange;
use crate::core::units::{MINUTES_PER_DAY, MINUTES_PER_HOUR};
pub use crate::tissue::Organ;
use crate::tissue::placed::{PlacedRate, Region};
use crate::tissue::{Molecule, MoleculeName};

/// One experiment, film or playground.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// Name shown in window and film.
    pub title: String,
    /// What it shows and what to look for, one or a few sentences.
    pub about: String,
    /// Whether times may be compared with experiments.
    pub pace: Pace,
    /// What goes faster than in life, and how many times: `{"growth": 44}`. Written over the picture; only where `pace` is
    /// `Illustrative`.
    #[serde(default)]
    pub faster: BTreeMap<String, f32>,
    /// Seed of all random numbers; `--seed` overrides it. Same scene, seed and program give the same bits.
    #[serde(default = "defaults::seed")]
    pub seed: u64,
    /// Tissue time simulated.
    pub duration: Span,
    /// Tissue time of one step, 0.01 to 60 min.
    #[serde(default = "defaults::step")]
    pub step: Span,
    /// Blocks of tissue, at least one.
    pub sites: Vec<Site>,
    /// What the body around the sites is made of, by name of the part: `(circulation: (species: Mouse))`.
    #[serde(default)]
    pub body: BodyParts,
    /// How the sites stand in the one world of the picture, if there are several.
    #[serde(default)]
    pub stage: StageLayout,
    /// Cells present at the start.
    #[serde(default)]
    pub populations: Vec<Population>,
    /// All cell types there are, in place of the library; those of the library if left out. A scene that lists them
    /// uses these and no others.
    #[serde(default)]
    pub cell_types: Vec<CellPrefab>,
    /// Cell types that are as others but for some rules: `(name: "deaf", like: "cancer", without: ["tgf_beta_drives_emt"])`.
    #[serde(default)]
    pub variants: Vec<Variant>,
    /// Molecules beside those of the library, or in place of those of the same name.
    #[serde(default)]
    pub molecules: Vec<Molecule>,
    /// Drugs beside those of the library, or in place of those of the same name.
    #[serde(default)]
    pub drugs: Vec<Drug>,
    /// Names of drugs that can be given while the scene runs, beside those that its timeline gives: their molecules are simulated.
    #[serde(default)]
    pub on_call: Vec<String>,
    /// Names of sites of another body, to compare with: blood brings no drug there.
    #[serde(default)]
    pub untreated: Vec<String>,
    /// Whose body is treated: how drugs go through it, and what it weighs.
    #[serde(default)]
    pub patient: Patient,
    /// Parameters that differ from the library, by path: `"hypoxia.degradation_per_hour"` for what concerns
    /// all cells, `"cancer.cycle.s_hours"` for one cell type. Values are numbers; switches are 0 and 1.
    #[serde(default)]
    pub parameters: BTreeMap<String, f64>,
    /// Parameters that are one of several names, by path: `{"movement.law": "PhysiCell"}`. Chosen at the start, for the whole scene.
    #[serde(default)]
    pub choices: BTreeMap<String, String>,
    /// What is different about the rules of cell types and sites, in this order: `Delete("cancer.hypoxia_calls_vessels")`.
    #[serde(default)]
    pub rules: Vec<RuleChange>,
    /// What happens when.
    #[serde(default)]
    pub timeline: Vec<Event>,
    /// The arms of a trial, each with something else about it: `tumorscape run SCENE --arm NAME` runs one, `tumorscape trial`
    /// all. Without `--arm` the scene runs as it stands without them.
    #[serde(default)]
    pub arms: Vec<Arm>,
    /// What a trial of the arms measures.
    #[serde(default)]
    pub trial: Endpoints,
    /// What is written to the run folder, and how often.
    #[serde(default)]
    pub output: Output,
    /// How a film of it is made.
    #[serde(default)]
    pub recording: Recording,
    /// What causes what in it, in words, for its film.
    #[serde(default)]
    pub causes: Causes,
    /// What must come true: a scene with expectations is a test.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// How to read the times of a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub enum Pace {
    /// Rates are those of the literature; times may be compared with experiments.
    Calibrated,
    /// Paced for the eye: processes are right, times are not.
    Illustrative,
}

/// A length of tissue time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
pub enum Span {
    /// Minutes.
    Minutes(f64),
    /// Hours.
    Hours(f64),
    /// Days of 24 hours.
    Days(f64),
}

impl Span {
    /// The span in minutes.
    pub const fn minutes(self) -> f64 {
        match self {
            Self::Minutes(minutes) => minutes,
            Self::Hours(hours) => hours * MINUTES_PER_HOUR,
            Self::Days(days) => days * MINUTES_PER_DAY,
        }
    }

    /// The span in hours.
    pub const fn hours(self) -> f64 {
        self.minutes() / MINUTES_PER_HOUR
    }
}

/// In the unit in which it was given.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self {
            Self::Minutes(number) => (number, "min"),
            Self::Hours(number) => (number, "h"),
            Self::Days(number) => (number, "d"),
        };
        if (1e-3..1e7).contains(number) {
            write!(f, "{number} {unit}")
        } else {
            write!(f, "{number:e} {unit}")
        }
    }
}

/// A block of tissue, centred on the origin of its own coordinates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Name by which the rest of the scene refers to it; unique.
    pub name: String,
    /// The organ it is part of.
    pub organ: Organ,
    /// Edge lengths along x, y, z, um; whole numbers of voxels.
    pub size_um: (f32, f32, f32),
    /// Edge lengths of a voxel of the fields, um.
    #[serde(default = "defaults::voxel_um")]
    pub voxel_um: (f32, f32, f32),
    /// The molecules in it. A molecule that is not listed is not simulated there.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// Length over which blood in the host tissue around the tumour evens out concentrations, um; the
    /// tumour itself has no vessels. Left out: nothing but the faces supplies the block (a dish at rest).
    #[serde(default)]
    pub perfusion_length_um: Option<f32>,
    /// Length over which stirring evens out concentrations in the medium around the cells, um, instead of blood; what
    /// cells fill is not stirred. The same law, `D/L^2 (level - c)`: `L` is about the layer of medium around the
    /// outermost cells that does not move, to within a share of a voxel. What cells fill is found in cubes of
    /// `transport.stirring_reach_um`, or in voxels where these are wider; cells must not be wider than that, or gaps between
    /// their centres would count as medium.
    #[serde(default)]
    pub stirring_length_um: Option<f32>,
    /// Whether cells are held inside the block by its faces; otherwise they leave it, and are gone.
    #[serde(default = "defaults::walls")]
    pub walls: bool,
    /// What else its tissue is made of, by name of the part: `(matrix: (density: 0.4))`.
    #[serde(default)]
    pub tissue: TissueParts,
}

/// One molecule of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name of the molecule: a file in `assets/molecules`, or one of the scene's own.
    pub molecule: MoleculeName,
    /// Concentration at the start, at held faces, in blood where the block is perfused, and in fresh medium; unit of the molecule.
    pub level: f64,
    /// Concentration at the start where it is another: a medium that was used before. It tells in molecules that are
    /// stepped in time, and in closed blocks.
    #[serde(default)]
    pub start: Option<f64>,
    /// What the six faces of the block do.
    #[serde(default)]
    pub faces: Faces,
    /// Sources and sinks of it at places of the block.
    #[serde(default)]
    pub sources: Vec<Source>,
}

/// A source or sink of a molecule that is put into a site. What it gives or takes does not hinge on how much is there, except that
/// a sink finds nothing where nothing is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Where it is.
    pub place: Region,
    /// How much it gives; a sink where it is negative.
    pub rate: PlacedRate,
    /// Time from which on it is there; the start if left out.
    #[serde(default)]
    pub from: Option<Span>,
    /// Time at which it is taken away; never if left out.
    #[serde(default)]
    pub until: Option<Span>,
}

/// What the faces of a block do to a molecule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub enum Faces {
    /// Held at the field's level.
    #[default]
    Held,
    /// The upper face (along z) is held, nothing passes the others: medium over cells in a dish.
    Top,
    /// Nothing passes.
    Closed,
}

/// A group of cells of one type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// Name of the prefab in `assets/cells`; for `Csv` the type of rows that name none.
    pub cell: String,
    /// Name of the site; the first one if left out.
    #[serde(default)]
    pub site: Option<String>,
    /// Where the cells are put.
    pub place: Place,
}

/// Where cells are put.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub enum Place {
    /// A single cell.
    Single {
        /// Its centre, um.
        at_um: (f32, f32, f32),
    },
    /// A ball of touching cells. They lie inside with their whole body, hexagonally close-packed, as dense
    /// as relaxed tissue: 1.13 diameters of the body of a cell of mean size apart (a growing population's mean is 1.4
    /// times a resting cell's volume).
    Ball {
        /// Its centre, um.
        #[serde(default)]
        center_um: (f32, f32, f32),
        /// Its radius, um.
        radius_um: f32,
    },
    /// The space between two balls, filled in the same way.
    Shell {
        /// The common centre, um.
        #[serde(default)]
        center_um: (f32, f32, f32),
        /// Radius of the inner ball, um.
        inner_um: f32,
        /// Radius of the outer ball, um.
        outer_um: f32,
    },
    /// A cylinder, as a duct, filled in the same way.
    Cylinder {
        /// One end of its axis, um.
        from_um: (f32, f32, f32),
        /// The other end, um.
        to_um: (f32, f32, f32),
        /// Its radius, um.
        radius_um: f32,
    },
    /// Cells scattered at random over the whole site.
    Scatter {
        /// Cells in a cubic millimetre.
        per_mm3: f64,
        /// Keep this ball around the origin free, um.
        #[serde(default)]
        outside_um: f32,
    },
    /// Rows `x,y,z,type` (um) of a CSV file beside the scene: `Csv("cells.csv")`.
    Csv(String),
    /// These cells, one by one: `Cells([(at_um: (0, 0, 0)), (at_um: (20, 0, 0), cell: "fibroblast")])`.
    Cells(Vec<CellAt>),
}

/// A cell of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct CellAt {
    /// Its centre, um.
    pub at_um: (f32, f32, f32),
    /// Name of its type; the population's if left out.
    #[serde(default)]
    pub cell: Option<String>,
}

/// Something that happens at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub enum Event {
    /// Once: `At(Hours(6), Caption("..."))`. It happens in the first step that starts at or after its time.
    At(Span, Action),
    /// Again and again.
    Every {
        /// Time between two.
        every: Span,
        /// Time of the first; `every` if left out.
        #[serde(default)]
        from: Option<Span>,
        /// None after this; the end of the scene if left out.
        #[serde(default)]
        until: Option<Span>,
        /// What happens.
        action: Action,
    },
}

impl Event {
    /// What happens.
    pub const fn action(&self) -> &Action {
        match self {
            Self::At(_, action) | Self::Every { action, .. } => action,
        }
    }

    /// Where that stands in an event at a place of a file.
    pub(super) fn place_of_action(&self, at: &FieldPath) -> FieldPath {
        match self {
            Self::At(..) => at.nth(1),
            Self::Every { .. } => at.field("action"),
        }
    }
}

/// What can happen: by a scene's timeline, by a person at the window, by a program.
///
/// What changes the tissue is taken at the start of a step and logged there, so that a live session is a timeline that
/// can be replayed to the same bits. What concerns the picture alone changes nothing in a simulation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
pub enum Action {
    /// Sets a parameter: path and value, `Set("cancer.cycle.s_hours", 9)`.
    Set(String, f64),
    /// Adds cells.
    Add(Population),
    /// Changes a rule: `Rule(Delete("cancer.hypoxia_calls_vessels"))`.
    Rule(RuleChange),
    /// Gives a drug, once or in a course: `Give(drug: "anti_pd_1", mg_per_kg: 10, every: Days(3), times: 4)`.
    Give(Dosing),
    /// Injects a drug into the tissue itself: `Inject(drug: "collagenase", place: Ball(radius_um: 50), fmol: 3)`.
    Inject(Injection),
    /// Irradiates a site or a part of it: `Irradiate(gray: 2)`.
    Irradiate(Irradiation),
    /// Cuts cells out: `Resect(place: Ball(radius_um: 200))`.
    Resect(Resection),
    /// Gives cells into blood: `Transfer(cell: "cd8_t_cell", cells: 300)`.
    Transfer(CellTransfer),
    /// Shows a sentence; an empty one removes it.
    Caption(String),
    /// Where the camera is at this time; between two of these it moves smoothly.
    Camera(CameraKey),
    /// Changes what is shown.
    Look(Look),
    /// Begins a chapter: its number and its title, `Chapter("1", "Short of oxygen")`; one without a title ends it.
    Chapter(String, String),
    /// Shows a plot in a corner of the film, `Plot(title: "EMT states")`; an empty title removes it.
    Plot(PlotShown),
    /// Names what is at a place of the picture, for a while: `Label(text: "first division", at: Event(kind: "division"),
    /// lasts: Hours(3))`.
    Label(Label),
    /// Lays a card over the film, at its end for instance: a heading and lines; one without lines takes it away:
    /// `Card("What you saw", ["oxygen runs short > HIF-1α > VEGF-A"])`.
    Card(String, Vec<String>),
    /// Shows an arrow of `causes` from here on, below the title of the chapter while that lasts: `Arrow("low oxygen", "HIF-1α")`.
    Arrow(String, String),
    /// Lays all `causes` over the film, bright what it has shown, faint the rest, with a heading and a note:
    /// `Causes("What you saw", "Every arrow is a line of a file.")`. An empty heading takes them away.
    Causes(String, String),
}

impl Action {
    /// Whether it changes the tissue and not only the picture.
    pub const fn changes_tissue(&self) -> bool {
        !matches!(
            self,
            Self::Caption(_)
                | Self::Camera(_)
                | Self::Look(_)
                | Self::Chapter(..)
                | Self::Plot(_)
                | Self::Label(_)
                | Self::Card(..)
                | Self::Arrow(..)
                | Self::Causes(..)
        )
    }
}

/// What a run writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct Output {
    /// Time between two rows of `metrics.csv`.
    pub metrics_every: Span,
    /// Times at which all cells are written to `cells_<hours>h.csv`.
    pub cells_at: Vec<Span>,
    /// Times at which the fields of all molecules are written to the folder `fields_<hours>h`.
    pub fields_at: Vec<Span>,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            metrics_every: Span::Minutes(30.0),
            cells_at: Vec::new(),
            fields_at: Vec::new(),
        }
    }
}

/// How a film is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct Recording {
    /// Length of the film, seconds.
    pub seconds: f64,
    /// Frames a second, 1 to 120.
    pub fps: u32,
    /// Width and height, pixels; even, 16 to 8192.
    pub size: (u32, u32),
    /// The time of the one picture that stands for it, in the gallery for instance; after three quarters of it if left out.
    pub still: Option<Span>,
    /// What is shown at the start.
    pub look: Look,
    /// Name of the site that is filmed, and in whose coordinates camera, cut and slice are given; the first one if left
    /// out.
    pub site: Option<String>,
    /// Whether film and window show all arms of the scene side by side, unless one is asked for.
    pub side_by_side: bool,
    /// An arm of the scene that is filmed beside it from some time on, in the right half of the picture.
    pub beside: Option<Beside>,
}

/// An arm that is filmed beside its scene: `(arm: "treated", from: Hours(120), names: ("untreated", "treated"))`. It goes on from the same
/// bits, and differs in its timeline alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// Name of the arm.
    pub arm: String,
    /// The time from which on both are shown; nothing of the arm happens before.
    pub from: Span,
    /// What stands over the left half, which is the scene, and over the right one.
    pub names: (String, String),
}

impl Scene {
    /// What happens in its timeline, each with the place where it stands.
    pub(super) fn actions(&self) -> impl Iterator<Item = (FieldPath, &Action)> {
        let list = FieldPath::root().field("timeline");
        let events = self.timeline.iter().enumerate();
        events.map(move |(index, event)| {
            let at = list.item(index);
            (event.place_of_action(&at), event.action())
        })
    }

    /// The time of the one picture that stands for it, hours.
    pub fn still_hours(&self) -> f64 {
        let still = self.recording.still.map(Span::hours);
        still.unwrap_or(0.75 * self.duration.hours())
    }
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            seconds: 10.0,
            fps: 30,
            size: (1280, 720),
            still: None,
            look: Look::default(),
            site: None,
            side_by_side: false,
            beside: None,
        }
    }
}

/// Something that must come true in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
pub enum Expectation {
    /// Holds at this time (at the first measurement at or after it): `At(Hours(24), (metric: ..., is: ...))`.
    At(Span, Condition),
    /// Holds at the last measurement.
    AtEnd(Condition),
    /// Holds at every measurement.
    Always(Condition),
    /// Holds at some measurement.
    Eventually(Condition),
    /// The first comes true, and does so earlier than the second (which may never).
    Before(Condition, Condition),
}

/// A test of one column of `metrics.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Name of the column.
    pub metric: String,
    /// Name of the site; the first one if left out.
    #[serde(default)]
    pub site: Option<String>,
    /// What its value must be.
    pub is: Test,
}

/// What a value must be. NaN is none of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
pub enum Test {
    /// Greater than this.
    Above(f64),
    /// Less than this.
    Below(f64),
    /// Not less than the first, not greater than the second.
    Between(f64, f64),
}

mod defaults {
    //! Defaults that serde needs as functions.
    use super::Span;

    pub const fn seed() -> u64 {
        1
    }

    pub const fn step() -> Span {
        Span::Minutes(1.0)
    }

    pub const fn voxel_um() -> (f32, f32, f32) {
        (20.0, 20.0, 20.0)
    }

    pub const fn walls() -> bool {
        true
    }
}
