//! Who is near whom: the neighbours of cells, by type, in the order of identity.
//!
//! A module that asks calls [`UseNeighbourhood::use_neighbourhood`] from its plugin, or
//! [`UseNeighbourhood::use_neighbourhood_of`] if only cells with a certain component ask: where none does and there are none, nothing is
//! computed, and nobody has neighbours. Neighbours are found once a step, in `Perceive`, and asked for with the system parameter
//! [`Neighbourhood`] in any stage up to `Act`: cells do not move before `Move`. Questions may be asked from parallel
//! loops over cells. Distances up to 100 um are what it is made for.
//!
//! Systems by which living cells feel those around them, and do nothing else, go over them with [`FeelingCells`].

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};

use bevy::ecs::component::Mutable;
use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::body::{Body, CellType, Position, Resident};
use super::death::Vital;
use super::living::Living;
use super::mechanics::{self, ContactLaw, Mechanics, MechanicsParameters, Vicinity};
use super::movement::{MovementParameters, contact_radius_um};
use crate::core::ball::share_in_box;
use crate::core::clones::Clones;
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Parameters, PerType};
use crate::core::state::RegisterState;
use crate::core::units::{UM3_PER_MM3, ball_volume_um3};
use crate::core::{CellId, SimSchedule, SimSystems};
use crate::tissue::{SiteId, Sites, TissueBlock};

/// A cell that is near.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Its identity.
    pub id: CellId,
    /// Its entity.
    pub entity: Entity,
    /// Its type, by index.
    pub cell_type: u16,
    /// Its centre, um.
    pub at_um: Vec3,
    /// Its radius, um.
    pub radius_um: f32,
    /// Distance of the centres, um.
    pub distance_um: f32,
}

/// What is known of a row besides its body.
#[derive(Clone, Copy)]
struct Seen {
    entity: Entity,
    cell_type: u16,
    radius_um: f32,
}

/// The cells of one site.
#[derive(Default)]
struct SiteNeighbours {
    vicinity: Vicinity,
    seen: Vec<Seen>,
}

/// The cells of all sites, as they lay in `Perceive`.
#[derive(Resource, Default)]
pub struct Neighbours {
    sites: Vec<SiteNeighbours>,
    /// The law by which cells touch.
    law: ContactLaw,
    /// Whether they were looked for in this step.
    are_found: bool,
}

impl Neighbours {
    /// Offers what was found to whoever moves the cells of a site: until the next `Perceive` nobody asks.
    pub(super) fn offer(&mut self, site: SiteId, kernel: &mut Mechanics) {
        if self.are_found
            && let Some(site) = self.sites.get_mut(usize::from(site.0))
        {
            kernel.offer(&mut site.vicinity);
        }
    }
}

/// Whether somebody asks in this step.
#[derive(Resource, Debug, Default)]
struct NeighboursAsked {
    /// Somebody may ask in any step.
    always: bool,
    /// There are cells that ask.
    now: AtomicBool,
}

/// Notes whether there are cells that ask.
fn note_asking<C: Component>(cells: Query<(), With<C>>, asked: Res<NeighboursAsked>) {
    if !cells.is_empty() {
        asked.now.store(true, Ordering::Relaxed);
    }
}

thread_local! {
    /// Room for an answer.
    static FOUND: RefCell<Vec<Neighbour>> = const { RefCell::new(Vec::new()) };
}

/// Answers who is near; see [`self`].
#[derive(SystemParam)]
pub struct Neighbourhood<'w> {
    neighbours: Res<'w, Neighbours>,
}

/// A cell that asks.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    /// Its identity; it is not its own neighbour.
    pub id: CellId,
    /// Its site.
    pub site: SiteId,
    /// Its centre, um.
    pub at_um: Vec3,
}

impl Neighbourhood<'_> {
    /// Calls `work` with the cells of these types (all, if none are given) that touch a cell of that radius (um): those
    /// closer than the distance at which forces end. In the order of identity.
    pub fn touching<R>(
        &self,
        cell: Asking,
        radius_um: f32,
        types: &[u16],
        work: impl FnOnce(&[Neighbour]) -> R,
    ) -> R {
        self.ask(cell, types, work, |vicinity, found| {
            let radius_um = contact_radius_um(self.neighbours.law, radius_um);
            vicinity.touching(cell.at_um.to_array(), radius_um, found);
        })
    }

    /// Calls `work` with the cells of these types (all, if none are given) whose centres are closer to that of a cell
    /// than `radius_um`. In the order of identity.
    pub fn within<R>(
        &self,
        cell: Asking,
        radius_um: f32,
        types: &[u16],
        work: impl FnOnce(&[Neighbour]) -> R,
    ) -> R {
        self.ask(cell, types, work, |vicinity, found| {
            vicinity.within(cell.at_um.to_array(), radius_um, found);
        })
    }

    fn ask<R>(
        &self,
        cell: Asking,
        types: &[u16],
        work: impl FnOnce(&[Neighbour]) -> R,
        visit: impl FnOnce(&Vicinity, &mut dyn FnMut(usize, f32)),
    ) -> R {
        let Some(site) = self.neighbours.sites.get(usize::from(cell.site.0)) else {
            return work(&[]);
        };
        // Taken, so that `work` may ask again.
        let mut found = FOUND.take();
        found.clear();
        let bodies = site.vicinity.bodies();
        visit(&site.vicinity, &mut |row, square| {
            let (body, seen) = (&bodies[row], site.seen[row]);
            if body.id != cell.id && (types.is_empty() || types.contains(&seen.cell_type)) {
                found.push(Neighbour {
                    id: body.id,
                    entity: seen.entity,
                    cell_type: seen.cell_type,
                    at_um: Vec3::from_array(body.position),
                    radius_um: seen.radius_um,
                    distance_um: square.sqrt(),
                });
            }
        });
        found.sort_unstable_by_key(|neighbour| neighbour.id);
        let answer = work(&found);
        FOUND.set(found);
        answer
    }
}

/// The cells with the capability `P`, by which they feel those around them, and the state `S` that keeps what each feels.
#[derive(SystemParam)]
pub struct FeelingCells<'w, 's, P: Parameters, S: Component<Mutability = Mutable>> {
    parameters: Res<'w, PerType<P>>,
    near: Neighbourhood<'w>,
    sites: Res<'w, Sites>,
    cells: Query<
        'w,
        's,
        (
            &'static CellId,
            &'static CellType,
            &'static Resident,
            &'static Position,
            &'static Body,
            Option<&'static Vital>,
            &'static mut S,
        ),
    >,
}

impl<P: Parameters, S: Component<Mutability = Mutable> + Default> FeelingCells<'_, '_, P, S> {
    /// Lets each living one that is in a site feel what `feel` says, and the others nothing.
    pub fn feel(&mut self, feel: impl Fn(&P, FeelingCell) -> S + Sync) {
        let (parameters, near, sites) = (&*self.parameters, &self.near, &self.sites);
        for (ids, types, residents, positions, bodies, vitals, mut states) in
            self.cells.contiguous_iter_mut().expect(IN_TABLES)
        {
            let living = Living::of(types, vitals, parameters);
            for_each_row_mut(states.bypass_change_detection(), |row, state| {
                let site = residents[row].0;
                let of = living.at(row).filter(|_| !site.is_transit());
                *state = of.map_or_else(S::default, |(_, of)| {
                    let asking = Asking {
                        id: ids[row],
                        site,
                        at_um: positions[row].0,
                    };
                    let cell = FeelingCell {
                        near,
                        block: sites.find(site).map(|entry| &entry.block),
                        asking,
                        radius_um: bodies[row].radius_um,
                    };
                    feel(of, cell)
                });
            });
        }
    }
}

/// A living cell that feels those around it.
#[derive(Clone, Copy)]
pub struct FeelingCell<'a> {
    near: &'a Neighbourhood<'a>,
    block: Option<&'a TissueBlock>,
    asking: Asking,
    radius_um: f32,
}

impl FeelingCell<'_> {
    /// The strength of the strongest cell that touches it; 0 if none has any.
    pub fn strongest_touching(&self, strength: impl Fn(Entity) -> f32) -> f32 {
        let (near, radius_um) = (self.near, self.radius_um);
        near.touching(self.asking, radius_um, &[], |touching| {
            let each = touching.iter().map(|other| strength(other.entity));
            each.fold(0.0, f32::max)
        })
    }

    /// The sum of the strengths of cells whose centres are closer to its own than `reach_um`.
    pub fn sum_within(&self, reach_um: f32, strength: impl Fn(Entity) -> f32) -> f32 {
        self.near.within(self.asking, reach_um, &[], |around| {
            let each = around.iter().map(|other| strength(other.entity));
            each.fold(0.0, |sum, strength| sum + strength)
        })
    }

    /// The same in a mm3 of what of the ball lies in the block of the site: beyond its faces there is nobody to be found, and tissue all the same.
    pub fn density_within(&self, reach_um: f32, strength: impl Fn(Entity) -> f32) -> f32 {
        let share = self.block.map_or(1.0, |block| {
            let faces = [block.min_um, block.max_um()];
            share_in_box(self.asking.at_um, reach_um, faces)
        });
        let volume_um3 = ball_volume_um3(reach_um) * share;
        self.sum_within(reach_um, strength) * (UM3_PER_MM3 as f32 / volume_um3)
    }
}

/// When neighbours are found; a system of `Perceive` that asks runs after it.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FindNeighbours;

/// Asking for neighbours, from a module's plugin.
pub trait UseNeighbourhood {
    /// Lets neighbours be found in every step; doing so twice is harmless.
    fn use_neighbourhood(&mut self) -> &mut Self;
    /// Lets neighbours be found in steps in which there are cells with this component, which alone ask.
    fn use_neighbourhood_of<C: Component>(&mut self) -> &mut Self;
}

impl UseNeighbourhood for App {
    fn use_neighbourhood(&mut self) -> &mut Self {
        plugin(self);
        let mut asked = self.world_mut().resource_mut::<NeighboursAsked>();
        asked.always = true;
        self
    }

    fn use_neighbourhood_of<C: Component>(&mut self) -> &mut Self {
        plugin(self);
        self.add_systems(
            SimSchedule,
            note_asking::<C>
                .before(FindNeighbours)
                .in_set(SimSystems::Perceive),
        )
    }
}

/// Adds what finds neighbours; doing so twice is harmless.
fn plugin(app: &mut App) {
    if app.world().contains_resource::<Neighbours>() {
        return;
    }
    app.init_resource::<Neighbours>()
        .init_resource::<NeighboursAsked>()
        .declare_remade::<Neighbours>("found in every `Perceive`")
        .declare_remade::<NeighboursAsked>("noted in every `Perceive`")
        .while_in_transit(
            find_neighbours,
            InTransit::Pauses,
            "who is in no site has no neighbours",
        )
        .add_systems(
            SimSchedule,
            find_neighbours
                .in_set(FindNeighbours)
                .in_set(SimSystems::Perceive),
        );
}

/// Sorts the cells of each site by where they are.
fn find_neighbours(
    sites: Res<Sites>,
    clones: Option<Res<Clones>>,
    movement: Option<Res<MovementParameters>>,
    asked: Res<NeighboursAsked>,
    mut neighbours: ResMut<Neighbours>,
    cells: Query<(Entity, &CellId, &Resident, &CellType, &Position, &Body)>,
) {
    let law = movement.map_or_else(ContactLaw::default, |movement| movement.law);
    neighbours.law = law;
    neighbours.are_found = asked.now.swap(false, Ordering::Relaxed) || asked.always;
    if !neighbours.are_found {
        neighbours.sites.clear();
        return;
    }
    let list = &mut neighbours.sites;
    list.resize_with(sites.list.len(), SiteNeighbours::default);
    for site in list.iter_mut() {
        let bodies = site.vicinity.bodies_mut();
        bodies.clear();
        site.seen.clear();
    }
    for (entity, id, resident, cell_type, position, body) in &cells {
        let Some(site) = list.get_mut(usize::from(resident.0.0)) else {
            continue;
        };
        site.vicinity.bodies_mut().push(mechanics::ContactBody {
            id: *id,
            position: position.0.to_array(),
            radius: contact_radius_um(law, body.radius_um),
            adhesion: 0.0,
            repulsion: 0.0,
        });
        let row = cell_type.0;
        let cell_type = clones.as_ref().map_or(row, |clones| clones.type_of(row));
        site.seen.push(Seen {
            entity,
            cell_type,
            radius_um: body.radius_um,
        });
    }
    let MechanicsParameters {
        reach, bin_scale, ..
    } = MechanicsParameters::of(law);
    for site in list.iter_mut() {
        site.vicinity.sort(reach, bin_scale);
    }
}
