//! Cells push, pull and walk: the `Move` stage.
//!
//! Bodies are gathered from the ECS into the buffers of [`super::mechanics`], one set of buffers for each
//! site, relaxed there in stable substeps, and written back: position, pressure and number of contacts.
//! Cells that walk add their own velocity ([`Motility`]).

use bevy::prelude::*;

use super::body::{Body, CellType, Position, Resident};
use super::contact::ContactParameters;
use super::mechanics::{self, Bonds, Faces, Mechanics};
use super::motility::Motility;
use super::surroundings::Surroundings;
use crate::core::invariant::{Breach, RegisterInvariant};
use crate::core::parallel::{for_each_chunk_mut2, reserve_sparingly};
use crate::core::parameters::{PerType, RegisterParameters};
use crate::core::state::{Kept, Owner, RegisterState};
use crate::core::{CellId, Clock, SimSchedule, SimSystems};
use crate::tissue::{Sites, TissueBlock};

/// The mechanics buffers of a site; a component of the site entity.
#[derive(Component)]
pub struct SiteMechanics {
    /// The kernel and its buffers.
    pub kernel: Mechanics,
    /// Springs between cells of this site.
    pub bonds: Bonds,
    active: Vec<[f32; 3]>,
}

impl Default for SiteMechanics {
    fn default() -> Self {
        Self {
            kernel: Mechanics::new(mechanics::MechanicsParameters::default()),
            bonds: Bonds::default(),
            active: Vec::new(),
        }
    }
}

/// Of the mechanics only the bonds are state; the kernel's buffers are filled in every step.
impl Kept for SiteMechanics {
    type State = Vec<(CellId, CellId, f32, f32)>;

    fn keep(&self) -> Self::State {
        self.bonds
            .iter()
            .map(|bond| (bond.a, bond.b, bond.rest, bond.stiffness))
            .collect()
    }

    fn restore(&mut self, state: Self::State) -> Result<(), String> {
        self.bonds = Bonds::default();
        for (a, b, rest, stiffness) in state {
            if a == b || !self.bonds.add(a, b, rest, stiffness) {
                return Err(format!("cells {} and {} are bound twice", a.0, b.0));
            }
        }
        Ok(())
    }
}

/// Adds the `Move` stage.
pub struct MovementPlugin;

impl Plugin for MovementPlugin {
    fn build(&self, app: &mut App) {
        app.register_capability::<ContactParameters>("mechanics")
            .register_cell_state::<Position>("position")
            .register_cell_state::<Surroundings>("surroundings")
            .register_kept::<SiteMechanics>(Owner::Site, "bonds")
            .register_cell_invariant::<Position>(SimSystems::Move, "move_cells", |position| {
                (!position.0.is_finite()).then(|| format!("its position is {}", position.0))
            })
            .register_invariant(SimSystems::Move, "move_cells", cell_outside_walls)
            .register_invariant(SimSystems::Move, "move_cells", broken_bond)
            .add_systems(SimSchedule, move_cells.in_set(SimSystems::Move));
    }
}

/// Cells handled by one piece of a parallel loop.
const CHUNK: usize = 4096;

/// What the gather reads and the write-back changes; every cell has all of it.
type Moving = (
    &'static CellId,
    &'static Resident,
    &'static CellType,
    &'static Body,
    Option<&'static Motility>,
    &'static mut Position,
    &'static mut Surroundings,
);

/// Moves all cells of all sites by one step.
fn move_cells(
    clock: Res<Clock>,
    contact: Res<PerType<ContactParameters>>,
    mut sites: Query<(&crate::tissue::SiteId, &TissueBlock, &mut SiteMechanics)>,
    mut cells: Query<Moving>,
) {
    let mut sites: Vec<_> = sites.iter_mut().collect();
    sites.sort_by_key(|(id, ..)| **id);
    if let [(_, block, mechanics)] = sites.as_mut_slice() {
        gather_all(mechanics, &contact, &cells);
        relax(mechanics, block, clock.dt_minutes());
        write_back_all(mechanics, &mut cells);
        return;
    }
    for (id, block, mechanics) in &mut sites {
        gather_site(mechanics, **id, &contact, &cells);
        relax(mechanics, block, clock.dt_minutes());
        let mut rows = 0..mechanics.kernel.bodies().len();
        for (_, resident, _, _, _, position, surroundings) in &mut cells {
            if resident.0 == **id {
                let row = rows
                    .next()
                    .expect("the same cells are visited in the same order");
                adopt(
                    &mechanics.kernel.outcome(row),
                    position.into_inner(),
                    surroundings.into_inner(),
                );
            }
        }
    }
}

fn kernel_body(
    contact: &PerType<ContactParameters>,
    id: CellId,
    cell_type: CellType,
    position: Position,
    body: &Body,
) -> mechanics::Body {
    let contact = contact.get(cell_type.0);
    mechanics::Body {
        id,
        position: position.0.to_array(),
        radius: body.radius_um,
        adhesion: contact.map_or(0.0, |contact| contact.adhesion_um_per_min),
        repulsion: contact.map_or(mechanics::Body::REPULSION, |contact| {
            contact.repulsion_um_per_min
        }),
    }
}

/// The velocity a cell gives itself, um/min.
fn velocity_of(motility: Option<&Motility>) -> [f32; 3] {
    motility.map_or([0.0; 3], |motility| {
        motility.velocity_um_per_min().to_array()
    })
}

fn gather_site(
    mechanics: &mut SiteMechanics,
    site: crate::tissue::SiteId,
    contact: &PerType<ContactParameters>,
    cells: &Query<Moving>,
) {
    mechanics.kernel.bodies_mut().clear();
    mechanics.active.clear();
    for (id, resident, cell_type, body, motility, position, _) in cells {
        if resident.0 == site {
            let body = kernel_body(contact, *id, *cell_type, *position, body);
            mechanics.kernel.bodies_mut().push(body);
            mechanics.active.push(velocity_of(motility));
        }
    }
}

/// The gather when there is one site: whole tables at once, in parallel pieces.
fn gather_all(
    mechanics: &mut SiteMechanics,
    contact: &PerType<ContactParameters>,
    cells: &Query<Moving>,
) {
    const EMPTY: mechanics::Body = mechanics::Body {
        id: CellId(0),
        position: [0.0; 3],
        radius: 1.0,
        adhesion: 0.0,
        repulsion: 0.0,
    };
    let tables = || {
        cells
            .contiguous_iter()
            .expect("components of cells are stored in tables")
    };
    let total = tables().map(|(ids, ..)| ids.len()).sum();
    let SiteMechanics { kernel, active, .. } = mechanics;
    reserve_sparingly(kernel.bodies_mut(), total);
    kernel.bodies_mut().resize(total, EMPTY);
    reserve_sparingly(active, total);
    active.resize(total, [0.0; 3]);
    let (mut bodies_left, mut active_left) =
        (kernel.bodies_mut().as_mut_slice(), active.as_mut_slice());
    for (ids, _, types, body, motility, positions, _) in tables() {
        let bodies = bodies_left
            .split_off_mut(..ids.len())
            .expect("the total was counted");
        let active = active_left
            .split_off_mut(..ids.len())
            .expect("the total was counted");
        for_each_chunk_mut2(bodies, active, CHUNK, |start, bodies, active| {
            for (i, (target, velocity)) in bodies.iter_mut().zip(active).enumerate() {
                let row = start + i;
                *target = kernel_body(contact, ids[row], types[row], positions[row], &body[row]);
                *velocity = velocity_of(motility.map(|motility| &motility[row]));
            }
        });
    }
}

fn write_back_all(mechanics: &SiteMechanics, cells: &mut Query<Moving>) {
    let mut base = 0;
    for (ids, _, _, _, _, mut positions, mut surroundings) in cells
        .contiguous_iter_mut()
        .expect("components of cells are stored in tables")
    {
        for_each_chunk_mut2(
            positions.bypass_change_detection(),
            surroundings.bypass_change_detection(),
            CHUNK,
            |start, positions, surroundings| {
                for (i, (position, around)) in positions.iter_mut().zip(surroundings).enumerate() {
                    adopt(
                        &mechanics.kernel.outcome(base + start + i),
                        position,
                        around,
                    );
                }
            },
        );
        base += ids.len();
    }
}

fn adopt(outcome: &mechanics::Outcome, position: &mut Position, around: &mut Surroundings) {
    position.0 = Vec3::from_array(outcome.position);
    around.pressure = outcome.pressure;
    around.contacts = outcome.contacts;
}

fn relax(mechanics: &mut SiteMechanics, block: &TissueBlock, minutes: f32) {
    let faces = if block.walls {
        Faces::closed(block.min_um.to_array(), block.max_um().to_array())
    } else {
        Faces::default()
    };
    let SiteMechanics {
        kernel,
        bonds,
        active,
    } = mechanics;
    let walks = active.iter().any(|velocity| *velocity != [0.0; 3]);
    kernel.relax(
        minutes,
        &mechanics::Surroundings {
            faces,
            active: if walks { active } else { &[] },
            bonds: Some(bonds),
        },
    );
}

/// A cell that a wall should hold back but did not.
fn cell_outside_walls(world: &World) -> Option<Breach> {
    let sites = world.get_resource::<Sites>()?;
    let mut query = world.try_query::<(&CellId, &Resident, &Position)>()?;
    query
        .iter(world)
        .filter(|(_, resident, position)| {
            let block = &sites.get(resident.0).block;
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
