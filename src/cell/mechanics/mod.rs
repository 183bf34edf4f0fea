//! How cells push, pull and hold each other.
//!
//! A kernel on plain buffers, without the ECS: the caller writes one [`ContactBody`] per cell into
//! [`Mechanics::bodies_mut`] or [`Mechanics::update`], calls [`Mechanics::relax`] in the `Move` set of the step,
//! and reads an [`Outcome`] per row. What is remembered from one call to the next is the memory itself, and
//! which cells rest; results do not depend on either.
//!
//! | file | holds |
//! | --- | --- |
//! | `grid` | bins over the occupied box, one grid per class of size |
//! | `sort` | parallel counting sort into the bins, canonical order |
//! | `search` | where to look for the neighbours of a cell |
//! | `neighbours` | the neighbours of each cell, side by side |
//! | `vicinity` | which cells are near, for whoever asks |
//! | `contacts` | the potentials, summed over the neighbours of a cell |
//! | `lanes` | sixteen lanes of `f32` with the same bits on every processor |
//! | `evaluate` | one evaluation of all cells |
//! | `hurry` | how short substeps must be |
//! | `relax` | stable substeps on the buffers |
//! | `runners` | substeps of their own for cells in a hurry |
//! | `row_numbers` | numbers of cells besides place and size |
//! | `rest` | which cells need not be looked at again |
//! | `bonds` | springs between named cells |
//! | `faces` | the walls of a site |
//!
//! Cells have no inertia: friction with the matrix turns the sum of forces into a velocity, and the
//! strengths below are velocities (um/min) of a cell of the usual friction. How cells push and pull is stated in
//! `contacts`.
//!
//! A cell that walks adds its own velocity. In the open that is all. Between neighbours, which hold it back, it makes its
//! way: a crawling cell is a motor of a given speed that yields only to a load near its stall force (DiMilla et al.
//! 1991, doi 10.1016/S0006-3495(91)82027-6), and it needs others to crawl along, so that force grows with the number of
//! its neighbours. Tissue so flows like a liquid and does not evaporate.
//!
//! The result is a function of the set of bodies: the same bits whatever the order of rows, the number of
//! threads and the instruction set, and the same to rounding whatever the size of bins.

mod bonds;
mod contacts;
mod disjoint;
mod evaluate;
mod faces;
mod grid;
mod hurry;
mod lanes;
mod neighbours;
mod relax;
mod rest;
mod row_numbers;
mod runners;
mod search;
mod sort;
#[cfg(test)]
mod tests;
mod vicinity;

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use crate::cell::barrier::{Displaced, SiteBarriers};
use crate::core::identity::CellId;
use crate::core::parallel::reserve_sparingly;

pub use bonds::{Bond, BondKindId, Bonds, BondsState, Heir};
pub use faces::Faces;
pub use lanes::InstructionSet;
pub use relax::{Extremes, Relaxation};
pub use rest::ChangeNotes;
pub use row_numbers::{RowFiller, RowNumbers};
pub use vicinity::Vicinity;

use bonds::BondIndex;
use evaluate::Found;
use hurry::Hurried;
use rest::Rest;
use runners::Runners;
use sort::Sorted;

/// What the kernel needs to know of a cell; 32 bytes, never across two cache lines.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(32))]
pub struct ContactBody {
    /// Orders cells that share a bin, and names them in bonds. No two rows may carry the same.
    pub id: CellId,
    /// Centre in the site, um.
    pub position: [f32; 3],
    /// Radius, um; positive.
    pub radius: f32,
    /// Strength of the first channel of adhesion, um/min. A pair uses the geometric mean of its two.
    pub adhesion: f32,
    /// Strength of repulsion, um/min. A pair uses the geometric mean of its two.
    pub repulsion: f32,
}

impl ContactBody {
    /// Centre, radius, adhesion and repulsion, and two zeros: as many numbers as a register has lanes.
    #[inline(always)]
    fn numbers(&self) -> [f32; 8] {
        let [x, y, z] = self.position;
        [
            x,
            y,
            z,
            self.radius,
            self.adhesion,
            self.repulsion,
            0.0,
            0.0,
        ]
    }
}

/// How cells push and pull each other (see `contacts`).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, bevy::reflect::Reflect,
)]
pub enum ContactLaw {
    /// Tissue: cells keep their distance of contact, and hold together against walking.
    #[default]
    Cohesive,
    /// The potentials of PhysiCell (Ghaffarizadeh et al. 2018, doi 10.1371/journal.pcbi.1005991), for comparison.
    PhysiCell,
}

impl ContactLaw {
    /// Usual strength of adhesion, um/min. 0.2: calibrated, so that cells that walk hold together and still change places;
    /// PhysiCell: 0.4.
    pub const fn adhesion(self) -> f32 {
        match self {
            Self::Cohesive => 0.2,
            Self::PhysiCell => 0.4,
        }
    }

    /// Usual strength of repulsion, um/min. 1.4: as stiff as substeps of a minute allow; PhysiCell: 10.
    pub const fn repulsion(self) -> f32 {
        match self {
            Self::Cohesive => 1.4,
            Self::PhysiCell => 10.0,
        }
    }

    /// Distance at which adhesion ends, over the distance of contact. 1.4: up to the second neighbours of a close
    /// packing, which are too far; PhysiCell: 1.25.
    pub const fn reach(self) -> f32 {
        match self {
            Self::Cohesive => 1.4,
            Self::PhysiCell => 1.25,
        }
    }

    /// Radius at which a cell is in contact, over that of its body: half of the space between two cells belongs to each.
    /// 1.16 brings tissue to the measured 1.7e8 to 2.1e8 cells/mL; PhysiCell: 1.
    pub const fn contact_per_body(self) -> f32 {
        match self {
            Self::Cohesive => 1.16,
            Self::PhysiCell => 1.0,
        }
    }
}

/// How the kernel works.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MechanicsParameters {
    /// How cells push and pull each other.
    pub law: ContactLaw,
    /// Distance at which adhesion ends, over the sum of radii.
    pub reach: f32,
    /// By how much a pair stiffens that is pressed, see `contacts`; not by PhysiCell.
    pub stiffening: f32,
    /// Strength with which a walking cell that has [`Self::SURROUNDED`] neighbours makes its way against them, um/min; with
    /// fewer it falls with their number squared. 0.6: calibrated with the strength of adhesion.
    pub walking_force: f32,
    /// Strength with which a wall repels a cell that overlaps it, um/min (see [`Faces`]). That between cells by
    /// PhysiCell, whatever the law; whatever this is, centres stay inside.
    pub wall_repulsion: f32,
    /// Farthest a cell moves in a substep, over its radius. A fifth keeps a pair that starts to overlap
    /// from passing through each other.
    pub largest_displacement: f32,
    /// Substep over the largest one without overshoot of a spring of the largest stiffness found; below 2 it is stable.
    pub caution: f32,
    /// Most substeps of one call, but for what walking cells need to go as far as their speed has it; when they do not suffice,
    /// displacements are cut to the largest allowed.
    pub most_substeps: u32,
    /// Edges of bins over the interaction distance of the largest cells. Decides speed, not results.
    pub bin_scale: f32,
    /// Speed up to which a cell stays where it is, held by its adhesions, um/min. Zero, the default, lets every
    /// cell creep, as PhysiCell does.
    pub rest_speed: f32,
    /// Whether cells that rest among resting cells are skipped. Decides speed, not results.
    pub skip_resting: bool,
    /// Whether few cells that hurry take substeps of their own (see `runners`); else all take the shortest.
    pub local_substeps: bool,
}

impl Default for MechanicsParameters {
    fn default() -> Self {
        Self::of(ContactLaw::default())
    }
}

impl MechanicsParameters {
    /// Neighbours of a cell that is surrounded.
    pub const SURROUNDED: f32 = 12.0;

    /// What is usual with a law.
    pub const fn of(law: ContactLaw) -> Self {
        let (caution, walking_force) = match law {
            ContactLaw::Cohesive => (1.7, 0.6),
            ContactLaw::PhysiCell => (1.0, 0.0),
        };
        Self {
            law,
            reach: law.reach(),
            stiffening: 6.0,
            walking_force,
            wall_repulsion: ContactLaw::PhysiCell.repulsion(),
            largest_displacement: 0.2,
            caution,
            most_substeps: 100,
            bin_scale: 1.0,
            rest_speed: 0.0,
            skip_resting: true,
            local_substeps: true,
        }
    }

    /// Strength with which a walking cell of so many neighbours makes its way against them, um/min.
    #[inline]
    fn grip(&self, contacts: u32) -> f32 {
        let share = (contacts as f32 / Self::SURROUNDED).min(1.0);
        self.walking_force * share * share
    }
}

/// What acts on cells besides their neighbours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Influences<'a> {
    /// The walls of the site.
    pub faces: Faces,
    /// Velocity of each input row by its own motility, um/min; empty where no cell moves itself.
    pub active: &'a [[f32; 3]],
    /// Springs between cells.
    pub bonds: Option<&'a Bonds>,
    /// What displacements are held to.
    pub barriers: Option<Barriers<'a>>,
    /// Friction of each input row with what it moves through, over the usual one; empty where all have that.
    pub friction: &'a [f32],
}

impl Influences<'_> {
    /// One over the friction of an input row.
    #[inline]
    fn mobility(&self, row: u32) -> f32 {
        mobility_of(self.friction, row)
    }
}

/// One over the friction of an input row.
#[inline(always)]
fn mobility_of(friction: &[f32], row: u32) -> f32 {
    friction
        .get(row as usize)
        .map_or(1.0, |friction| 1.0 / friction)
}

/// The velocity of a cell that walks: its own is added to what others give it, and where they hold it back it makes its
/// way against them with up to `grip` (um/min), no faster than it walks alone.
#[inline]
fn drive(velocity: [f32; 3], active: [f32; 3], grip: f32) -> [f32; 3] {
    let square = active[0] * active[0] + active[1] * active[1] + active[2] * active[2];
    if square <= 0.0 {
        return velocity;
    }
    let along = velocity[0] * active[0] + velocity[1] * active[1] + velocity[2] * active[2];
    let mut factor = 1.0;
    if along < 0.0 && grip > 0.0 {
        let speed = square.sqrt();
        factor += (-along / square).min(grip / speed);
    }
    std::array::from_fn(|axis| velocity[axis] + factor * active[axis])
}

/// Barriers in the site, and what they ask of a cell.
#[derive(Clone, Copy, Debug)]
pub struct Barriers<'a> {
    /// Themselves.
    pub barriers: &'a SiteBarriers,
    /// Type of each input row; 0 where it is left empty.
    pub types: &'a [u16],
}

impl Barriers<'_> {
    /// Where the cell of an input row comes to within these faces.
    fn hold(
        &self,
        (row, body): (usize, &ContactBody),
        radius_um: f32,
        [from, to]: [[f32; 3]; 2],
        faces: &Faces,
    ) -> [f32; 3] {
        let body = Displaced {
            cell: body.id,
            cell_type: self.types.get(row).copied().unwrap_or_default(),
            radius_um,
            in_plane: faces.plane.is_some(),
        };
        let held = self.barriers.hold(body, from.into(), to.into(), faces);
        held.to_array()
    }
}

/// What became of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Centre, um.
    pub position: [f32; 3],
    /// Velocity in the last substep: contacts, walls, bonds and own motility, um/min.
    pub velocity: [f32; 3],
    /// What neighbours push, less what they pull: 1 is what twelve of the usual strength push at an overlap of 4.8 %; less
    /// than 0 where the cell is pulled. By PhysiCell its simple pressure: `sum (1 - s)^2` over overlapping
    /// neighbours, over 0.02729, that of twelve at the same overlap.
    pub pressure: f32,
    /// `sum (1 - s/S)` over neighbours: how many there are, and how close.
    pub crowding: f32,
    /// Cells closer than the interaction distance.
    pub contacts: u16,
    /// Cells that overlap.
    pub touching: u16,
}

/// The buffers of one site.
pub struct Mechanics {
    parameters: MechanicsParameters,
    instructions: InstructionSet,
    bodies: Vec<ContactBody>,
    /// Strength of the second channel of adhesion of each row, um/min; empty where no cell has it.
    second: Vec<f32>,
    /// Lengths of the parts in which rows were last given.
    parts: Vec<usize>,
    cells: Sorted,
    /// What was found before, and whether it was in this step.
    offered: Vicinity,
    is_offered: bool,
    motion: Motion,
    bonds: BondIndex,
    rest: Rest,
    runners: Runners,
    hurried: Hurried,
    /// Largest values of the last evaluation.
    extremes: Extremes,
    /// Whether nothing has been evaluated since the cells were sorted.
    fresh: bool,
    /// Whether the last call found all cells at rest and did nothing.
    asleep: bool,
    /// Farthest any cell may be from where it was sorted, um.
    drift: f32,
}

/// In place of a number of contacts: the cell was skipped.
const SKIPPED: u16 = u16::MAX;

/// What was found for each slot, and in each piece of them.
#[derive(Default)]
struct Motion {
    vx: Vec<f32>,
    vy: Vec<f32>,
    vz: Vec<f32>,
    pressure: Vec<f32>,
    crowding: Vec<f32>,
    /// Substeps a minute that a cell needs, if the time to be covered was too long for one; else zero.
    rate: Vec<f32>,
    /// Cells closer than the interaction distance, [`SKIPPED`] if not counted; cells that overlap.
    contacts: Vec<[u16; 2]>,
    found: Vec<Found>,
    farthest: Vec<f32>,
}

impl Mechanics {
    /// Empty buffers, on the best instruction set of this processor.
    pub fn new(parameters: MechanicsParameters) -> Self {
        Self::on(parameters, InstructionSet::detect())
    }

    /// Empty buffers, on an instruction set that the processor must have.
    pub fn on(parameters: MechanicsParameters, instructions: InstructionSet) -> Self {
        assert!(
            InstructionSet::available().contains(&instructions),
            "this processor has no {instructions:?}"
        );
        Self {
            parameters,
            instructions,
            bodies: Vec::new(),
            second: Vec::new(),
            parts: Vec::new(),
            cells: Sorted::default(),
            offered: Vicinity::default(),
            is_offered: false,
            motion: Motion::default(),
            bonds: BondIndex::default(),
            rest: Rest::default(),
            runners: Runners::default(),
            hurried: Hurried::default(),
            extremes: Extremes::default(),
            fresh: true,
            asleep: false,
            drift: 0.0,
        }
    }

    /// How the kernel works.
    pub fn parameters(&self) -> &MechanicsParameters {
        &self.parameters
    }

    /// Changes how the kernel works.
    pub fn set_parameters(&mut self, parameters: MechanicsParameters) {
        if self.parameters != parameters {
            self.parameters = parameters;
            self.rest.forget();
        }
    }

    /// The input rows, for the caller to fill; earlier outcomes are void once they change in number. All of
    /// them count as changed: see [`Self::update`].
    pub fn bodies_mut(&mut self) -> &mut Vec<ContactBody> {
        self.rest.forget();
        self.parts.clear();
        &mut self.bodies
    }

    /// The input rows, and what notes their changes: the caller puts a body into each with [`ChangeNotes::put`], so
    /// that what rests need not be looked at again. The rows come in parts of these lengths, as cells do from
    /// several tables: a part that grows or shrinks at its end does not change the others.
    pub fn update(&mut self, parts: &[usize]) -> (&mut [ContactBody], ChangeNotes<'_>) {
        let len = parts.iter().sum();
        let watch = self.rest.watch(&self.cells.grids);
        reserve_sparingly(&mut self.bodies, len);
        if watch.is_idle() {
            self.bodies.resize(len, ChangeNotes::VACANT);
        } else {
            rest::rearrange(
                &mut self.bodies,
                &self.parts,
                parts,
                ChangeNotes::VACANT,
                |gone| watch.disturb(gone),
            );
        }
        self.parts.clear();
        self.parts.extend_from_slice(parts);
        (&mut self.bodies, watch)
    }

    /// Strengths of the second channel of adhesion, um/min, for as many input rows as there are; for the caller to fill,
    /// or to leave empty where no cell has it. A pair adds the geometric mean of its two to that of the first.
    pub fn second_adhesion_mut(&mut self) -> &mut Vec<f32> {
        &mut self.second
    }

    /// Offers what was found of the cells before, in `Perceive`: where they are still there, they are not sorted anew.
    pub fn offer(&mut self, found: &mut Vicinity) {
        std::mem::swap(&mut self.offered, found);
        self.is_offered = true;
    }

    /// The input rows.
    pub fn bodies(&self) -> &[ContactBody] {
        &self.bodies
    }

    /// Number of cells sorted.
    pub fn len(&self) -> usize {
        self.cells.len
    }

    /// Whether no cell is sorted.
    pub fn is_empty(&self) -> bool {
        self.cells.len == 0
    }

    /// Number of bins in use.
    pub fn bins(&self) -> usize {
        self.cells.grids.bins as usize
    }

    /// Number of grids in use, one per class of size.
    pub fn grids(&self) -> usize {
        self.cells.grids.levels.len()
    }

    /// First slot of each bin; the last element is the number of cells.
    pub fn starts(&self) -> &[u32] {
        &self.cells.starts
    }

    /// The place of an input row in the sorted order.
    pub fn slot(&self, row: usize) -> usize {
        self.cells.slot[row].load(Ordering::Relaxed) as usize
    }

    /// Input rows in sorted order.
    pub fn rows(&self) -> &[u32] {
        &self.cells.row
    }

    /// What became of an input row in the last [`Self::relax`] or [`Self::evaluate`]; nothing if it was skipped,
    /// for then all is as it was after the call before.
    #[inline]
    pub fn outcome(&self, row: usize) -> Option<Outcome> {
        if self.asleep {
            return None;
        }
        let slot = self.slot(row);
        let (cells, motion) = (&self.cells, &self.motion);
        let [contacts, touching] = motion.contacts[slot];
        (contacts != SKIPPED).then(|| Outcome {
            position: [cells.x[slot], cells.y[slot], cells.z[slot]],
            velocity: [motion.vx[slot], motion.vy[slot], motion.vz[slot]],
            pressure: motion.pressure[slot],
            crowding: motion.crowding[slot],
            contacts,
            touching,
        })
    }

    /// Bytes held by the buffers.
    pub fn memory(&self) -> usize {
        fn of<T>(values: &Vec<T>) -> usize {
            values.capacity() * size_of::<T>()
        }
        let motion = &self.motion;
        of(&self.bodies)
            + self.cells.memory()
            + of(&motion.vx) * 6
            + of(&motion.contacts)
            + of(&motion.found)
            + of(&motion.farthest)
            + self.rest.memory()
    }
}
