//! Cells push, pull and walk: the `Move` stage.
//!
//! Bodies are gathered from the ECS into the buffers of [`super::mechanics`], one set of buffers for each
//! site, relaxed there in stable substeps, and written back: position, pressure and number of contacts.
//! Cells that walk add their own velocity ([`Motility`]). Cells that rest among resting cells cost nothing but
//! the gather and the sort.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

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
use crate::core::input::{CellValues, InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{Breach, RegisterInvariant};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parallel::{
    IN_TABLES, ROWS, cut, for_each_chunk_mut, for_each_chunk_mut2, for_each_piece,
    reserve_sparingly,
};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::state::{Kept, Owner, RegisterState};
use crate::core::{CellId, Clock, SimSchedule, SimSystems};
use crate::tissue::{SiteId, Sites, TissueBlock};

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
}

impl Default for MovementParameters {
    fn default() -> Self {
        Self {
            law: ContactLaw::Cohesive,
            walking_force_um_per_min: 0.6,
            rest_speed_um_per_min: 1.0e-3,
        }
    }
}

impl Parameters for MovementParameters {
    fn limits(_: &str) -> Limits {
        Limits { min: 0.0, max: 1.0 }
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
                .range(0.0, 5.0),
                |around| around.pressure,
            )
            .register_quantity::<Surroundings>(
                Quantity::new("mechanics.contacts", "", "Cells in contact with it.")
                    .label("contacts")
                    .column("contacts")
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
            ..usual
        }
    }
}

/// Radius at which a cell of that radius is in contact with others, um.
pub(super) fn contact_radius_um(law: ContactLaw, radius_um: f32) -> f32 {
    radius_um * law.contact_per_body()
}

/// How crowded a cell is for what it exchanges: by PhysiCell cells are never.
fn crowding(law: ContactLaw, sum: f32) -> f32 {
    match law {
        ContactLaw::Cohesive => sum / RELAXED_CROWDING,
        ContactLaw::PhysiCell => 0.0,
    }
}

/// Why there are as many rows as expected.
const COUNTED: &str = "the cells were counted";

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

/// N-cadherin that counts for nothing: as long as no cell has more, as in a tissue of epithelial cells, the second channel is left out.
const FAINT: f32 = 0.02;

/// How strongly cells hold to others, by the two channels.
struct Adhesion<'a> {
    strength: CellValues<'a>,
    e_cadherin: CellValues<'a>,
    n_cadherin: CellValues<'a>,
}

/// The strength of a channel, um/min; none for a cell that lacks the capability.
fn channel(strength: f32, level: f32) -> f32 {
    let held = strength * level;
    if held.is_nan() { 0.0 } else { held }
}

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
    mut division: Local<Division>,
) {
    let adhesion = Adhesion {
        strength: inputs.input(ADHESION),
        e_cadherin: inputs.input(E_CADHERIN),
        n_cadherin: inputs.input(N_CADHERIN),
    };
    let friction = inputs.input(FRICTION);
    division.count(sites.iter().map(|(id, ..)| *id), &cells);
    for (id, block, plane, mut mechanics, barriers) in &mut sites {
        let share = division.of(*id);
        mechanics.kernel.set_parameters(movement.of_kernel());
        if let Some(neighbours) = &mut neighbours {
            neighbours.offer(*id, &mut mechanics.kernel);
        }
        gather(
            &mut mechanics,
            &share,
            (&contact, movement.law),
            &adhesion,
            &cells,
        );
        gather_second(&mut mechanics, &share, &adhesion, &cells);
        gather_friction(&mut mechanics, &share, &friction, &cells);
        let barriers = barriers.filter(|barriers| !barriers.is_empty());
        if barriers.is_some() {
            gather_types(&mut mechanics, &share, &cells);
        }
        if plane.is_some() {
            mechanics.turn_into_plane();
        }
        relax(&mut mechanics, (block, plane), barriers, clock.dt_minutes());
    }
    for (id, _, _, mechanics, _) in &sites {
        write_back(mechanics, &division.of(*id), &mut cells);
    }
}

/// How many cells of which site each chunk of cells holds; chunks follow each other in the order of tables.
#[derive(Default)]
pub(super) struct Division {
    sites: Vec<SiteId>,
    /// Cells of each site (minor) before each chunk (major), and in total at the end.
    starts: Vec<usize>,
    /// Whether any cell of each site moves itself.
    walks: Vec<AtomicBool>,
}

impl Division {
    /// Counts the cells of each site, chunk by chunk.
    fn count(&mut self, sites: impl Iterator<Item = SiteId>, cells: &Query<Moving>) {
        let Self {
            sites: list,
            starts,
            walks,
        } = self;
        list.clear();
        list.extend(sites);
        list.sort_unstable();
        let count = list.len();
        walks.clear();
        walks.resize_with(count, AtomicBool::default);
        starts.clear();
        if count == 0 {
            return;
        }
        for (_, _, residents, _, _, motility, ..) in cells.contiguous_iter().expect(IN_TABLES) {
            let first = starts.len();
            starts.resize(first + residents.len().div_ceil(ROWS) * count, 0);
            for_each_chunk_mut(&mut starts[first..], count, |start, counts| {
                for row in chunk_rows(start / count, residents.len()) {
                    if let Ok(site) = list.binary_search(&residents[row].0) {
                        counts[site] += 1;
                        let velocity = velocity_of(motility.map(|motility| &motility[row]));
                        // Read before writing: a flag that is only read is shared by all threads.
                        if velocity != [0.0; 3] && !walks[site].load(Ordering::Relaxed) {
                            walks[site].store(true, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
        let chunks = starts.len() / count;
        starts.resize((chunks + 1) * count, 0);
        for site in 0..count {
            let mut rows = 0;
            for chunk in 0..=chunks {
                rows += std::mem::replace(&mut starts[chunk * count + site], rows);
            }
        }
    }

    /// What belongs to a site.
    fn of(&self, site: SiteId) -> Share<'_> {
        Share {
            division: self,
            site,
            number: self.sites.binary_search(&site).expect("sites were listed"),
        }
    }
}

/// The cells of one site.
struct Share<'a> {
    division: &'a Division,
    site: SiteId,
    /// Place of the site in the list.
    number: usize,
}

impl Share<'_> {
    /// The rows of the site that come from a chunk.
    fn rows(&self, chunk: usize) -> Range<usize> {
        let Division { sites, starts, .. } = self.division;
        let at = chunk * sites.len() + self.number;
        starts[at]..starts[at + sites.len()]
    }

    /// Number of cells.
    fn total(&self) -> usize {
        let Division { sites, starts, .. } = self.division;
        starts[starts.len() - sites.len() + self.number]
    }

    /// Whether any cell moves itself.
    fn walks(&self) -> bool {
        self.division.walks[self.number].load(Ordering::Relaxed)
    }
}

/// The rows of a table that its chunk of this number holds.
fn chunk_rows(chunk: usize, len: usize) -> Range<usize> {
    chunk * ROWS..((chunk + 1) * ROWS).min(len)
}

/// The velocity a cell gives itself, um/min.
fn velocity_of(motility: Option<&Motility>) -> [f32; 3] {
    motility.map_or([0.0; 3], |motility| {
        motility.velocity_um_per_min().to_array()
    })
}

/// Gathers the cells of one site, in the order of tables.
fn gather(
    mechanics: &mut SiteMechanics,
    share: &Share,
    (contact, law): (&PerType<ContactParameters>, ContactLaw),
    adhesion: &Adhesion,
    cells: &Query<Moving>,
) {
    let SiteMechanics {
        kernel,
        active,
        tables,
        ..
    } = mechanics;
    let walkers = if share.walks() { share.total() } else { 0 };
    reserve_sparingly(active, walkers);
    active.resize(walkers, [0.0; 3]);
    let mut active_left = active.as_mut_slice();
    tables.clear();
    let mut first_chunk = 0;
    for (_, ids, ..) in cells.contiguous_iter().expect(IN_TABLES) {
        let chunks = ids.len().div_ceil(ROWS);
        tables.push(
            (first_chunk..first_chunk + chunks)
                .map(|chunk| share.rows(chunk).len())
                .sum(),
        );
        first_chunk += chunks;
    }
    let (mut bodies_left, watch) = kernel.update(tables);
    let mut first_chunk = 0;
    for (entities, ids, residents, types, body, motility, positions, _) in
        cells.contiguous_iter().expect(IN_TABLES)
    {
        let strength = adhesion.strength.in_table(entities);
        let e_cadherin = adhesion.e_cadherin.in_table(entities);
        let chunks = ids.len().div_ceil(ROWS);
        let counts = (first_chunk..first_chunk + chunks).map(|chunk| share.rows(chunk).len());
        let count: usize = counts.clone().sum();
        let walkers = |count| if walkers > 0 { count } else { 0 };
        let bodies = bodies_left.split_off_mut(..count).expect(COUNTED);
        let active = active_left.split_off_mut(..walkers(count)).expect(COUNTED);
        let pieces = (0..chunks)
            .map(|chunk| chunk_rows(chunk, ids.len()))
            .zip(cut(bodies, counts.clone()))
            .zip(cut(active, counts.map(walkers)));
        for_each_piece(pieces, |((rows, bodies), active)| {
            if bodies.is_empty() {
                return;
            }
            let rows = || rows.clone().filter(|row| residents[*row].0 == share.site);
            for (row, target) in rows().zip(bodies) {
                let cell_type = types[row].0;
                let held = channel(strength.at(row, cell_type), e_cadherin.at(row, cell_type));
                let repulsion = contact
                    .get(cell_type)
                    .map_or(law.repulsion(), |contact| contact.repulsion_um_per_min);
                let body = mechanics::Body {
                    id: ids[row],
                    position: positions[row].0.to_array(),
                    radius: contact_radius_um(law, body[row].radius_um),
                    adhesion: held,
                    repulsion,
                };
                watch.put(target, body);
            }
            for (row, velocity) in rows().zip(active) {
                *velocity = velocity_of(motility.map(|motility| &motility[row]));
            }
        });
        first_chunk += chunks;
    }
}

/// Gathers the second channel of adhesion, where any cell has it.
fn gather_second(
    mechanics: &mut SiteMechanics,
    share: &Share,
    adhesion: &Adhesion,
    cells: &Query<Moving>,
) {
    let SiteMechanics {
        kernel,
        second,
        tables,
        ..
    } = mechanics;
    let levels = &adhesion.n_cadherin;
    let is_used = levels.bases().iter().any(|level| *level > FAINT)
        || cells
            .contiguous_iter()
            .expect(IN_TABLES)
            .any(|(entities, ..)| levels.in_table(entities).is_ruled());
    if is_used {
        gather_numbers(kernel, second, tables, share, cells, |entities| {
            let strength = adhesion.strength.in_table(entities);
            let level = levels.in_table(entities);
            move |row, cell_type| match level.at(row, cell_type) {
                level if level > FAINT => channel(strength.at(row, cell_type), level),
                _ => 0.0,
            }
        });
    } else {
        second.leave_out(kernel);
    }
    let filled = kernel.second_adhesion_mut();
    reserve_sparingly(filled, second.of_rows().len());
    filled.clear();
    filled.extend_from_slice(second.of_rows());
}

/// Gathers a number of each cell of one site besides its body, in the order of [`gather`]. `of` makes, for the cells of a
/// table, the number of the cell in a row that is of a type.
fn gather_numbers<F: Fn(usize, u16) -> f32 + Sync>(
    kernel: &Mechanics,
    numbers: &mut RowNumbers,
    tables: &[usize],
    share: &Share,
    cells: &Query<Moving>,
    of: impl Fn(&[Entity]) -> F,
) {
    let (mut kept_left, filler) = numbers.update(kernel, tables);
    let bodies = filler.bodies();
    let mut first_chunk = 0;
    for (entities, _, residents, types, ..) in cells.contiguous_iter().expect(IN_TABLES) {
        let number = of(entities);
        let chunks = types.len().div_ceil(ROWS);
        let own_rows = |chunk: usize| share.rows(first_chunk + chunk);
        let counts = (0..chunks).map(|chunk| own_rows(chunk).len());
        let kept = kept_left
            .split_off_mut(..counts.clone().sum())
            .expect(COUNTED);
        let pieces = (0..chunks)
            .map(|chunk| (chunk_rows(chunk, types.len()), own_rows(chunk)))
            .zip(cut(kept, counts));
        for_each_piece(pieces, |((rows, own_rows), kept)| {
            let own = rows.filter(|row| residents[*row].0 == share.site);
            for ((row, kept), body) in own.zip(kept).zip(&bodies[own_rows]) {
                filler.put(kept, body, number(row, types[row].0));
            }
        });
        first_chunk += chunks;
    }
}

/// Gathers the type of each cell; in the order of [`gather`].
fn gather_types(mechanics: &mut SiteMechanics, share: &Share, cells: &Query<Moving>) {
    let types = &mut mechanics.types;
    types.clear();
    reserve_sparingly(types, share.total());
    for (_, _, residents, of, ..) in cells.contiguous_iter().expect(IN_TABLES) {
        let own = of.iter().zip(residents);
        let own = own.filter(|(_, resident)| resident.0 == share.site);
        types.extend(own.map(|(of, _)| of.0));
    }
}

/// Gathers friction, where any cell has another than the usual one.
fn gather_friction(
    mechanics: &mut SiteMechanics,
    share: &Share,
    values: &CellValues,
    cells: &Query<Moving>,
) {
    let SiteMechanics {
        kernel,
        friction,
        tables,
        ..
    } = mechanics;
    // One that lacks the capability has the usual friction.
    let usual = |value: f32| if value > 0.0 { value } else { 1.0 };
    let is_used = values.bases().iter().any(|value| usual(*value) != 1.0)
        || cells
            .contiguous_iter()
            .expect(IN_TABLES)
            .any(|(entities, ..)| values.in_table(entities).is_ruled());
    if is_used {
        gather_numbers(kernel, friction, tables, share, cells, |entities| {
            let values = values.in_table(entities);
            move |row, cell_type| usual(values.at(row, cell_type))
        });
    } else {
        friction.leave_out(kernel);
    }
}

/// Gives the cells of one site what became of them.
fn write_back(mechanics: &SiteMechanics, share: &Share, cells: &mut Query<Moving>) {
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
                let rows = share.rows(first_chunk + start / ROWS);
                if rows.is_empty() {
                    return;
                }
                let cells = positions.iter_mut().zip(surroundings);
                let own = cells
                    .zip(&residents[start..])
                    .filter(|(_, resident)| resident.0 == share.site);
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

fn relax(
    mechanics: &mut SiteMechanics,
    (block, plane): (&TissueBlock, Option<&Plane>),
    barriers: Option<&SiteBarriers>,
    minutes: f32,
) {
    let mut faces = if block.walls {
        Faces::closed(block.min_um.to_array(), block.max_um().to_array())
    } else {
        Faces::default()
    };
    if let Some(plane) = plane {
        faces = faces.in_plane(plane.z_um);
    }
    let SiteMechanics {
        kernel,
        bonds,
        active,
        types,
        friction,
        ..
    } = mechanics;
    let surroundings = mechanics::Surroundings {
        faces,
        active,
        bonds: Some(bonds),
        barriers: barriers.map(|barriers| Barriers { barriers, types }),
        friction: friction.of_rows(),
    };
    kernel.relax(minutes, &surroundings);
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
