//! Cells push, pull and walk: the `Move` stage.
//!
//! Bodies are gathered from the ECS into the buffers of [`super::mechanics`], one set of buffers for each
//! site, relaxed there in stable substeps, and written back: position, pressure, crowding and number of contacts.
//! Cells that walk add their own velocity ([`Motility`]). Cells that rest among resting cells cost nothing but
//! the gather and the sort.

mod first;
mod gather;
mod rows;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::barrier::{self, SiteBarriers};
use super::body::{Body, CellType, Position, Resident};
use super::contact::{ContactParameters, RELAXED_CROWDING};
use super::mechanics::{
    self, Barriers, Bonds, BondsState, ContactLaw, Faces, Mechanics, MechanicsParameters,
    RowNumbers,
};
use super::motility::Motility;
use super::neighbourhood::Neighbours;
use super::plane::Plane;
use super::surroundings::Surroundings;
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{Breach, RegisterInvariant};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parallel::{IN_TABLES, ROWS, for_each_chunk_mut2};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::state::{Kept, Owner, RegisterState};
use crate::core::{CellId, Clock, SimSchedule, SimSystems};
use crate::tissue::{SiteId, Sites, TissueBlock};
pub(crate) use first::feel_surroundings;
use gather::{Adhesion, gather, gather_friction, gather_second, gather_types};
use rows::{RowCounts, SiteRows};

/// The mechanics buffers of a site; a component of the site entity.
#[derive(Component)]
pub struct SiteMechanics {
    /// The kernel and its buffers.
    pub kernel: Mechanics,
    /// Springs between cells of this site.
    pub bonds: Bonds,
    active: Vec<[f32; 3]>,
    /// The second channel of adhesion.
    second: RowNumbers,
    /// Friction with what cells move through, over the usual one.
    friction: RowNumbers,
    /// Cells of the site in each table.
    tables: Vec<usize>,
    /// The type of each cell, where there are barriers.
    types: Vec<u16>,
}

impl Default for SiteMechanics {
    fn default() -> Self {
        Self {
            kernel: Mechanics::new(mechanics::MechanicsParameters::default()),
            bonds: Bonds::default(),
            active: Vec::new(),
            second: RowNumbers::new(0.0),
            friction: RowNumbers::new(1.0),
            tables: Vec::new(),
            types: Vec::new(),
        }
    }
}

impl SiteMechanics {
    /// Lets walking cells go along the plane of the site at their whole speed.
    fn turn_into_plane(&mut self) {
        for velocity in &mut self.active {
            *velocity = Plane::turn(Vec3::from_array(*velocity)).to_array();
        }
    }
}

/// Where a cell comes to that is to come to a place in a site: into its plane, if it has one.
pub(super) fn place_in(world: &World, site: SiteId, at_um: Vec3) -> Vec3 {
    let sites = world.get_resource::<Sites>();
    let plane = sites.and_then(|sites| world.get::<Plane>(sites.find(site)?.entity));
    plane.map_or(at_um, |plane| plane.flatten(at_um))
}

/// Puts a cell that has just come to where it is back inside the walls of its site, if these hold cells.
pub(super) fn hold_inside(world: &mut World, cell: Entity) {
    let Some(resident) = world.get::<Resident>(cell).copied() else {
        return;
    };
    let sites = world.get_resource::<Sites>();
    let Some(block) = sites.and_then(|sites| Some(&sites.find(resident.0)?.block)) else {
        return;
    };
    let (walls, low, high) = (block.walls, block.min_um, block.max_um());
    if let Some(mut position) = world.get_mut::<Position>(cell)
        && walls
    {
        position.0 = position.0.clamp(low, high);
    }
}

/// Of the mechanics only the bonds are state; the kernel's buffers are filled in every step.
impl Kept for SiteMechanics {
    type State = BondsState;

    fn keep(&self) -> Self::State {
        self.bonds.state()
    }

    fn restore(&mut self, state: Self::State) -> Result<(), String> {
        self.bonds = Bonds::of_state(state)?;
        Ok(())
    }
}

/// How all cells move (group `movement`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct MovementParameters {
    /// How cells push and pull each other. `Cohesive` is tissue that holds together; `PhysiCell` has the potentials of
    /// Ghaffarizadeh et al. 2018, for comparison, and then wants their strengths: `mechanics.adhesion_um_per_min` 0.4,
    /// `repulsion_um_per_min` 10.
    pub law: ContactLaw,
    /// Force with which a walking cell that is surrounded by others makes its way among them, over the friction that it has
    /// alone; no faster than it walks alone, and the less the fewer neighbours it has. 0.6: calibrated together with
    /// the strength of adhesion, so that tissue flows and holds together. PhysiCell: 0.
    pub walking_force_um_per_min: f32,
    /// Speed up to which a cell stays where it is, um/min: its adhesions hold it, as static friction does. 1e-3, a
    /// micrometre in 17 hours: assumed. The rim of a growing spheroid moves forty times as fast.
    pub rest_speed_um_per_min: f32,
    /// Farthest that a cell goes in a substep of its own or of all, over its radius of contact; 0.2, at which no two cells that begin to overlap
    /// pass through each other. Tissue never gets there; many fast walkers, as T cells all over a tumour, make all cells take substeps as short
    /// as that, and with 0.5 fewer of them. Two walkers meet less exactly then; what they meet that is larger is as before.
    pub substep_over_radius: f32,
}

impl Default for MovementParameters {
    fn default() -> Self {
        Self {
            law: ContactLaw::Cohesive,
            walking_force_um_per_min: MechanicsParameters::of(ContactLaw::Cohesive).walking_force,
            rest_speed_um_per_min: 1.0e-3,
            substep_over_radius: MechanicsParameters::of(ContactLaw::Cohesive).largest_displacement,
        }
    }
}

impl Parameters for MovementParameters {
    fn limits(field: &str) -> Limits {
        let min = match field {
            "substep_over_radius" => 0.02,
            _ => 0.0,
        };
        Limits { min, max: 1.0 }
    }
}

/// Adds the `Move` stage.
pub struct MovementPlugin;

impl Plugin for MovementPlugin {
    fn build(&self, app: &mut App) {
        barrier::declare(app);
        app.register_group::<MovementParameters>("movement")
            .register_common_capability::<ContactParameters>("mechanics")
            .register_cell_state::<Position>("position")
            .register_cell_state::<Surroundings>("surroundings")
            .register_kept::<SiteMechanics>(Owner::Site, "bonds")
            .register_input::<ContactParameters>(
                InputInfo::new(
                    ADHESION,
                    "um/min",
                    "Strength with which a cell holds to others.",
                ),
                "adhesion_um_per_min",
            )
            .register_input::<ContactParameters>(
                InputInfo::new(
                    E_CADHERIN,
                    "",
                    "E-cadherin over that of an epithelial cell: holds to E-cadherin.",
                ),
                "e_cadherin",
            )
            .register_input::<ContactParameters>(
                InputInfo::new(
                    N_CADHERIN,
                    "",
                    "N-cadherin in the same unit: holds to N-cadherin.",
                ),
                "n_cadherin",
            )
            .register_input::<ContactParameters>(
                InputInfo::new(
                    FRICTION,
                    "",
                    "Friction of a cell with what it moves through, over the usual one.",
                )
                .limits(ContactParameters::limits("friction")),
                "friction",
            )
            .register_quantity::<Surroundings>(
                Quantity::new(
                    "mechanics.pressure",
                    "",
                    "What neighbours push less what they pull; 1 is the push of twelve that are 4.8 % too close.",
                )
                .label("pressure")
                .column("pressure")
                .found_in_step()
                .range(0.0, 5.0),
                |around| around.pressure,
            )
            .register_quantity::<Surroundings>(
                Quantity::new("mechanics.contacts", "", "Cells in contact with it.")
                    .label("contacts")
                    .column("contacts")
                    .found_in_step()
                    .range(0.0, 14.0),
                |around| f32::from(around.contacts),
            )
            .register_metric(
                Metric::new("pressure_mean", "", "Mean pressure on living cells."),
                Measure::Mean("mechanics.pressure".into()),
            )
            .register_cell_invariant::<Position>(SimSystems::Move, "move_cells", |position| {
                (!position.0.is_finite()).then(|| format!("its position is {}", position.0))
            })
            .register_invariant(SimSystems::Move, "move_cells", cell_outside_walls)
            .register_invariant(SimSystems::Move, "move_cells", cell_outside_plane)
            .register_invariant(SimSystems::Turnover, "turn_over", cell_outside_walls)
            .register_invariant(SimSystems::Turnover, "turn_over", cell_outside_plane)
            .register_invariant(SimSystems::Move, "move_cells", broken_bond)
            .while_in_transit(
                move_cells,
                InTransit::Pauses,
                "there is no place, and nobody to push",
            )
            .add_systems(SimSchedule, move_cells.in_set(SimSystems::Move));
    }
}

impl MovementParameters {
    /// What the kernel needs to know of them.
    fn of_kernel(&self) -> MechanicsParameters {
        let usual = MechanicsParameters::of(self.law);
        let walking_force = match self.law {
            ContactLaw::Cohesive => self.walking_force_um_per_min,
            ContactLaw::PhysiCell => usual.walking_force,
        };
        MechanicsParameters {
            walking_force,
            rest_speed: self.rest_speed_um_per_min,
            largest_displacement: self.substep_over_radius,
            ..usual
        }
    }
}

/// Radius at which a cell of that radius is in contact with others, um.
pub fn contact_radius_um(law: ContactLaw, radius_um: f32) -> f32 {
    radius_um * law.contact_per_body()
}

/// How crowded a cell is for what it exchanges: by PhysiCell cells are never.
fn crowding(law: ContactLaw, sum: f32) -> f32 {
    match law {
        ContactLaw::Cohesive => sum / RELAXED_CROWDING,
        ContactLaw::PhysiCell => 0.0,
    }
}

/// What the gather reads and the write-back changes; every cell has all of it.
type Moving = (
    Entity,
    &'static CellId,
    &'static Resident,
    &'static CellType,
    &'static Body,
    Option<&'static Motility>,
    &'static mut Position,
    &'static mut Surroundings,
);

/// The input that is the strength of adhesion.
const ADHESION: &str = "mechanics.adhesion";
/// The inputs that are its two channels.
const E_CADHERIN: &str = "mechanics.e_cadherin";
const N_CADHERIN: &str = "mechanics.n_cadherin";
/// The input that is the friction.
const FRICTION: &str = "mechanics.friction";

/// The sites, and what moves their cells.
type Moved = (
    &'static SiteId,
    &'static TissueBlock,
    Option<&'static Plane>,
    &'static mut SiteMechanics,
    Option<&'static SiteBarriers>,
);

/// Moves all cells of all sites by one step.
pub(super) fn move_cells(
    clock: Res<Clock>,
    movement: Res<MovementParameters>,
    contact: Res<PerType<ContactParameters>>,
    inputs: Regulated,
    mut sites: Query<Moved>,
    mut cells: Query<Moving>,
    mut neighbours: Option<ResMut<Neighbours>>,
    mut counted: Local<RowCounts>,
) {
    let adhesion = Adhesion {
        strength: inputs.input(ADHESION),
        e_cadherin: inputs.input(E_CADHERIN),
        n_cadherin: inputs.input(N_CADHERIN),
    };
    let friction = inputs.input(FRICTION);
    counted.count(sites.iter().map(|(id, ..)| *id), &cells);
    for (id, block, plane, mut mechanics, barriers) in &mut sites {
        let here = counted.of(*id);
        mechanics.kernel.set_parameters(movement.of_kernel());
        if let Some(neighbours) = &mut neighbours {
            neighbours.offer(*id, &mut mechanics.kernel);
        }
        gather(
            &mut mechanics,
            &here,
            (&contact, movement.law),
            &adhesion,
            &cells,
        );
        gather_second(&mut mechanics, &here, &adhesion, &cells);
        gather_friction(&mut mechanics, &here, &friction, &cells);
        let barriers = barriers.filter(|barriers| !barriers.is_empty());
        if barriers.is_some() {
            gather_types(&mut mechanics, &here, &cells);
        }
        if plane.is_some() {
            mechanics.turn_into_plane();
        }
        relax(&mut mechanics, (block, plane), barriers, clock.dt_minutes());
    }
    for (id, _, _, mechanics, _) in &sites {
        write_back(mechanics, &counted.of(*id), &mut cells);
    }
}

/// Gives the cells of one site what became of them.
fn write_back(mechanics: &SiteMechanics, here: &SiteRows, cells: &mut Query<Moving>) {
    let kernel = &mechanics.kernel;
    let law = kernel.parameters().law;
    let mut first_chunk = 0;
    for (_, ids, residents, _, _, _, mut positions, mut surroundings) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        for_each_chunk_mut2(
            positions.bypass_change_detection(),
            surroundings.bypass_change_detection(),
            ROWS,
            |start, positions, surroundings| {
                let rows = here.rows(first_chunk + start / ROWS);
                if rows.is_empty() {
                    return;
                }
                let cells = positions.iter_mut().zip(surroundings);
                let own = cells
                    .zip(&residents[start..])
                    .filter(|(_, resident)| resident.0 == here.site);
                for (row, ((position, around), _)) in rows.zip(own) {
                    if let Some(outcome) = kernel.outcome(row) {
                        position.0 = Vec3::from_array(outcome.position);
                        around.pressure = outcome.pressure;
                        around.crowding = crowding(law, outcome.crowding);
                        around.contacts = outcome.contacts;
                    }
                }
            },
        );
        first_chunk += ids.len().div_ceil(ROWS);
    }
}

/// What holds the cells of a site inside.
pub(super) fn faces_of(block: &TissueBlock, plane: Option<&Plane>) -> Faces {
    let faces = if block.walls {
        Faces::closed(block.min_um.to_array(), block.max_um().to_array())
    } else {
        Faces::default()
    };
    match plane {
        Some(plane) => faces.in_plane(plane.z_um),
        None => faces,
    }
}

fn relax(
    mechanics: &mut SiteMechanics,
    (block, plane): (&TissueBlock, Option<&Plane>),
    barriers: Option<&SiteBarriers>,
    minutes: f32,
) {
    let faces = faces_of(block, plane);
    let SiteMechanics {
        kernel,
        bonds,
        active,
        types,
        friction,
        second,
        ..
    } = mechanics;
    let surroundings = mechanics::Influences {
        faces,
        active,
        bonds: Some(bonds),
        barriers: barriers.map(|barriers| Barriers { barriers, types }),
        friction: friction.of_rows(),
    };
    kernel.relax(minutes, &surroundings);
    second.take_back(kernel.second_adhesion_mut());
    bonds.settle(kernel);
}

/// A cell that a wall should hold back but did not.
fn cell_outside_walls(world: &World) -> Option<Breach> {
    let sites = world.get_resource::<Sites>()?;
    let mut query = world.try_query::<(&CellId, &Resident, &Position)>()?;
    query
        .iter(world)
        .filter(|(_, resident, position)| {
            let Some(site) = sites.find(resident.0) else {
                return false;
            };
            let block = &site.block;
            let (low, high) = (block.min_um, block.max_um());
            block.walls && (position.0.cmplt(low).any() || position.0.cmpgt(high).any())
        })
        .min_by_key(|(id, ..)| **id)
        .map(|(id, resident, position)| Breach {
            cell: Some(*id),
            found: format!(
                "it is at {} um, outside the walls of `{}`",
                position.0,
                sites.get(resident.0).block.name
            ),
        })
}

/// A cell that has left the plane of its site.
fn cell_outside_plane(world: &World) -> Option<Breach> {
    let sites = world.get_resource::<Sites>()?;
    let planes = sites
        .list
        .iter()
        .map(|site| world.get::<Plane>(site.entity));
    let planes: Vec<Option<&Plane>> = planes.collect();
    if planes.iter().all(Option::is_none) {
        return None;
    }
    let mut query = world.try_query::<(&CellId, &Resident, &Position)>()?;
    query
        .iter(world)
        .filter_map(|(id, resident, position)| {
            let plane = planes.get(usize::from(resident.0.0)).copied().flatten()?;
            (position.0.z != plane.z_um).then_some((*id, position.0, plane.z_um))
        })
        .min_by_key(|(id, ..)| *id)
        .map(|(id, at, z_um)| Breach {
            cell: Some(id),
            found: format!("it is at {at} um, outside the plane of its site at {z_um} um"),
        })
}

/// A bond whose cells are not both in the site.
fn broken_bond(world: &World) -> Option<Breach> {
    let sites = world.get_resource::<Sites>()?;
    for (number, site) in sites.list.iter().enumerate() {
        let bonds = &world.get::<SiteMechanics>(site.entity)?.bonds;
        if bonds.is_empty() {
            continue;
        }
        let mut query = world.try_query::<(&CellId, &Resident)>()?;
        let mut residents: Vec<CellId> = query
            .iter(world)
            .filter(|(_, resident)| usize::from(resident.0.0) == number)
            .map(|(id, _)| *id)
            .collect();
        residents.sort_unstable();
        for bond in bonds.iter() {
            for (cell, other) in [(bond.a, bond.b), (bond.b, bond.a)] {
                if residents.binary_search(&cell).is_err() {
                    return Some(Breach {
                        cell: Some(other),
                        found: format!(
                            "it is bound to cell {}, which is not in `{}`",
                            cell.0, site.block.name
                        ),
                    });
                }
            }
        }
    }
    None
}
