//! Synapses: the bonds between killers and their targets, and what passes through them.
//!
//! All of it runs among the decisions of `Act`, in [`ActSystems::Kill`], one after the other:
//!
//! 1. [`pair_up`] lists who holds whom, in the order of targets and killers;
//! 2. [`strike`] lets killers see that they hold something, or no longer, and then goes through the targets: T cells strike, each hit at its
//!    moment; natural killer cells come to the end of their contacts. Who dies does so once, by the killer of the last hit, and the event
//!    names both;
//! 3. [`engage`] lets killers that look for targets form a synapse with one that they touch, drawn by how strongly each is recognised.
//!
//! Bonds that are booked here form and end in `Move`, before cells go anywhere; those of the dead end there, too.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::killer::{Doing, Killer};
use super::natural_killer::{LYSIS, NaturalKiller, NaturalKillerParameters};
use super::t_cell::{Cytotoxic, CytotoxicParameters};
use super::target::{DAMAGE, Target, TargetParameters};
use crate::cell::barrier::{Displaced, SiteBarriers};
use crate::cell::bonds::{
    BondBook, BondKind, BondKinds, BondLaw, BondParameters, DaughterRule, RegisterBonds,
};
use crate::cell::death::is_alive;
use crate::cell::event::{EventBook, EventKind, RegisterEvent};
use crate::cell::movement::SiteMechanics;
use crate::cell::neighbourhood::{Asking, Neighbour, Neighbourhood, UseNeighbourhood};
use crate::cell::{ActSystems, Body, CellType, Position, Resident, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::invariant::{Breach, RegisterInvariant};
use crate::core::parallel::{IN_TABLES, for_each_row, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType};
use crate::core::random::probability;
use crate::core::state::RegisterState;
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule, SimSystems};
use crate::tissue::Sites;

/// How synapses hold (group `immunity.synapse`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct SynapseParameters {
    /// Stiffness, 1/min; 0.2. Assumed: it holds a T cell to a target that moves.
    pub stiffness_per_min: f32,
    /// Distance of the two centres, um; 13: a T cell of radius 4 on a cancer cell of 8.4.
    pub rest_um: f32,
    /// Tension at which it tears at once, um/min; 3. Assumed.
    pub strength_um_per_min: f32,
    /// Rate at which a killer lets go of a target that lives, 1/h; 0: T cells stay until it is dead.
    pub leaving_per_hour: f32,
}

impl Default for SynapseParameters {
    fn default() -> Self {
        Self {
            stiffness_per_min: 0.2,
            rest_um: 13.0,
            strength_um_per_min: 3.0,
            leaving_per_hour: 0.0,
        }
    }
}

impl Parameters for SynapseParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "stiffness_per_min" => Limits { min: 0.0, max: 1.0 },
            "leaving_per_hour" => Limits {
                min: 0.0,
                max: 1.0e3,
            },
            _ => Limits {
                min: 1.0e-3,
                max: 1.0e3,
            },
        }
    }
}

impl BondParameters for SynapseParameters {
    fn law(&self) -> BondLaw {
        BondLaw {
            stiffness_per_min: self.stiffness_per_min,
            rest_um: Some(self.rest_um),
            strength_um_per_min: self.strength_um_per_min,
            off_per_hour: self.leaving_per_hour,
            load_scale_um_per_min: 0.0,
        }
    }
}

/// The kind of bond.
pub const SYNAPSE: BondKind = BondKind {
    name: "immunity.synapse",
    about: "A killer holds its target.",
    daughters: DaughterRule::Nearer,
    outlives_death: false,
};

/// A killer struck a cell; the row names the cell, and the killer as the other.
pub const HIT: EventKind = EventKind::of("immunity.hit");
/// A T cell killed a cell, which entered apoptosis; the row names the cell, and the killer as the other.
pub const KILL: EventKind = EventKind::of("immunity.kill");
/// A natural killer cell killed a cell, which entered apoptosis; the row names the cell, and the killer as the other.
pub const LYSIS_KILL: EventKind = EventKind::of("immunity.nk_kill");

/// Whom a killer takes hold of.
const BINDING: Purpose = Purpose::of("immunity.binding");

/// A killer and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The target.
    pub target: CellId,
    /// The killer.
    pub killer: CellId,
    target_entity: Entity,
    killer_entity: Entity,
}

/// Who holds whom: those of each pair live. Made anew in every step.
#[derive(Resource, Clone, Debug, Default)]
pub struct Pairs {
    /// By target, then killer.
    pub list: Vec<Pair>,
    /// The killers among them, in order.
    bound: Vec<CellId>,
    killers: Vec<(CellId, Entity)>,
    targets: Vec<(CellId, Entity)>,
}

/// Lists who holds whom.
pub fn pair_up(
    sites: Res<Sites>,
    kinds: Res<BondKinds>,
    mechanics: Query<&SiteMechanics>,
    killers: Query<(Entity, &CellId, &Resident, Option<&Vital>), With<Killer>>,
    targets: Query<(Entity, &CellId, &Resident, Option<&Vital>), With<Target>>,
    mut pairs: ResMut<Pairs>,
) {
    let pairs = &mut *pairs;
    pairs.list.clear();
    pairs.bound.clear();
    pairs.killers.clear();
    pairs.targets.clear();
    let kind = kinds.id(SYNAPSE.name);
    let sites: Vec<Option<&SiteMechanics>> = sites
        .list
        .iter()
        .map(|site| mechanics.get(site.entity).ok())
        .collect();
    let all = || sites.iter().copied().flatten();
    if all().all(|site| site.bonds.iter().all(|bond| bond.kind != kind)) {
        return;
    }
    let is_bound = |id: CellId, resident: &Resident| {
        let site = sites.get(usize::from(resident.0.0)).copied().flatten();
        site.is_some_and(|site| site.bonds.binds(id))
    };
    for (entity, id, resident, vital) in &killers {
        if is_alive(vital) && is_bound(*id, resident) {
            pairs.killers.push((*id, entity));
        }
    }
    for (entity, id, resident, vital) in &targets {
        if is_alive(vital) && is_bound(*id, resident) {
            pairs.targets.push((*id, entity));
        }
    }
    pairs.killers.sort_unstable_by_key(|(id, _)| *id);
    pairs.targets.sort_unstable_by_key(|(id, _)| *id);
    let find = |list: &[(CellId, Entity)], cell: CellId| {
        let place = list.binary_search_by_key(&cell, |(id, _)| *id).ok()?;
        Some(list[place].1)
    };
    for bond in all().flat_map(|site| site.bonds.iter()) {
        if bond.kind != kind {
            continue;
        }
        // Whichever of the two can be the killer, the one with the lower identity if both can.
        let ways = [(bond.a, bond.b), (bond.b, bond.a)];
        let pair = ways.into_iter().find_map(|(killer, target)| {
            Some(Pair {
                target,
                killer,
                target_entity: find(&pairs.targets, target)?,
                killer_entity: find(&pairs.killers, killer)?,
            })
        });
        pairs.list.extend(pair);
    }
    pairs.list.sort_unstable();
    pairs
        .bound
        .extend(pairs.list.iter().map(|pair| pair.killer));
    pairs.bound.sort_unstable();
}

/// Lets killers see what they hold, and kill it.
pub fn strike(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    (targets_of, t_cells, natural_killers): (
        Res<PerType<TargetParameters>>,
        Res<PerType<CytotoxicParameters>>,
        Res<PerType<NaturalKillerParameters>>,
    ),
    (kinds, book, events): (Res<BondKinds>, Res<BondBook>, Res<EventBook>),
    pairs: Res<Pairs>,
    mut killers: Query<(
        &CellId,
        &CellType,
        &mut Killer,
        Option<&Cytotoxic>,
        Option<&NaturalKiller>,
    )>,
    mut targets: Query<(&CellType, &Resident, &Position, &mut Vital, &mut Target)>,
    mut rates: Local<Vec<(f32, Pair)>>,
) {
    let (step, minutes) = (clock.step, clock.dt_minutes());
    for (ids, types, mut column, _, _) in killers.contiguous_iter_mut().expect(IN_TABLES) {
        for_each_row_mut(column.bypass_change_detection(), |row, killer| {
            killer.hits_now = 0;
            killer.antigen = 0.0;
            killer.met_pd_l1 = 0.0;
            let holds = pairs.bound.binary_search(&ids[row]).is_ok();
            killer.doing = match (killer.doing, holds) {
                (Doing::Engaged, true) => Doing::Engaged,
                (Doing::Searching | Doing::Recovering, true) => {
                    killer.contacts += 1;
                    let of = natural_killers.get(types[row].0);
                    killer.left_min = of.map_or(0.0, |of| of.contact_min);
                    Doing::Engaged
                }
                (Doing::Engaged, false) => {
                    killer.left_min = 0.0;
                    Doing::Searching
                }
                (Doing::Recovering, false) if killer.left_min > minutes => {
                    killer.left_min -= minutes;
                    Doing::Recovering
                }
                (Doing::Recovering | Doing::Searching, false) => {
                    killer.left_min = 0.0;
                    Doing::Searching
                }
            };
        });
    }
    let kind = kinds.id(SYNAPSE.name);
    for group in pairs.list.chunk_by(|a, b| a.target == b.target) {
        let first = group[0];
        let Ok((cell_type, resident, position, mut vital, mut target)) =
            targets.get_mut(first.target_entity)
        else {
            continue;
        };
        let Some(of_target) = targets_of.get(cell_type.0) else {
            continue;
        };
        if !vital.is_alive() {
            continue;
        }
        // T cells: each hit at its moment.
        rates.clear();
        for pair in group {
            let Ok((_, cell_type, mut killer, state, _)) = killers.get_mut(pair.killer_entity)
            else {
                continue;
            };
            killer.antigen = target.recognition;
            killer.met_pd_l1 = target.pd_l1;
            if let (Some(of), Some(state)) = (t_cells.get(cell_type.0), state) {
                let rate = state.hits_per_min(of, killer.function, target.recognition);
                rates.push((rate, *pair));
                if target.recognition <= 0.0 {
                    book.cut(kind, [pair.killer_entity, pair.target_entity]);
                }
            }
        }
        let sum: f32 = rates.iter().map(|(rate, _)| rate).sum();
        let mut random = key.stream(first.target, step, DAMAGE);
        let mut last = first;
        let (site, at) = (resident.0, position.0);
        let dies = target.suffer(
            minutes,
            sum,
            of_target.damage_life_min,
            &mut random,
            |random| {
                let mut place = random.uniform() * sum;
                let struck = rates.iter().find(|(rate, _)| {
                    place -= rate;
                    place < 0.0
                });
                let Some((_, pair)) = struck.or(rates.last()) else {
                    return;
                };
                last = *pair;
                if let Ok((_, _, mut killer, _, _)) = killers.get_mut(pair.killer_entity) {
                    killer.hits += 1;
                    killer.hits_now += 1;
                }
                events.book_with(HIT, pair.target, pair.killer, site, at);
            },
        );
        let mut killed_by = dies.then_some((last, KILL));
        // Natural killer cells whose contact is over.
        for pair in group {
            let Ok((_, cell_type, mut killer, _, state)) = killers.get_mut(pair.killer_entity)
            else {
                continue;
            };
            let (Some(of), Some(state)) = (natural_killers.get(cell_type.0), state) else {
                continue;
            };
            if killer.left_min > minutes {
                killer.left_min -= minutes;
                continue;
            }
            let mut random = key.stream(pair.killer, step, LYSIS);
            let chance = state.chance(of, killer.function, &target);
            killer.doing = Doing::Recovering;
            killer.left_min = of.pause_min;
            if killed_by.is_none() && random.chance(chance) {
                killer.hits += 1;
                killer.hits_now += 1;
                killer.left_min = state.recovery_min(of) * random.exponential();
                events.book_with(HIT, pair.target, pair.killer, site, at);
                killed_by = Some((*pair, LYSIS_KILL));
            } else {
                book.cut(kind, [pair.killer_entity, pair.target_entity]);
            }
        }
        if let Some((pair, kind)) = killed_by {
            vital.start_apoptosis();
            if let Ok((_, _, mut killer, _, _)) = killers.get_mut(pair.killer_entity) {
                killer.kills += 1;
            }
            events.book_with(kind, pair.target, pair.killer, site, at);
        }
    }
}

/// Killers that look for targets take hold of one that they touch, unless a closed barrier lies between.
pub fn engage(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    (t_cells, natural_killers): (
        Res<PerType<CytotoxicParameters>>,
        Res<PerType<NaturalKillerParameters>>,
    ),
    (kinds, book): (Res<BondKinds>, Res<BondBook>),
    (sites, barriers): (Res<Sites>, Query<&SiteBarriers>),
    near: Neighbourhood,
    killers: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        &Body,
        Option<&Vital>,
        &Killer,
    )>,
    targets: Query<(Option<&Vital>, &Target)>,
) {
    let kind = kinds.id(SYNAPSE.name);
    let (key, step, minutes) = (*key, clock.step, clock.dt_minutes());
    for (entities, ids, types, residents, positions, bodies, vitals, column) in
        killers.contiguous_iter().expect(IN_TABLES)
    {
        for_each_row(ids.len(), |row| {
            let cell_type = types[row].0;
            let site = residents[row].0;
            let alive = is_alive(vitals.map(|vitals| &vitals[row]));
            if !alive || site.is_transit() || column[row].doing != Doing::Searching {
                return;
            }
            let t_cell = t_cells.get(cell_type);
            let natural_killer = natural_killers.get(cell_type);
            let body = Displaced {
                cell: ids[row],
                cell_type,
                radius_um: bodies[row].radius_um,
                in_plane: false,
            };
            let barriers = barriers.get(sites.list[usize::from(site.0)].entity).ok();
            // How fast it takes hold of a cell, 1/min.
            let rate = |other: &Neighbour| {
                let Ok((vital, target)) = targets.get(other.entity) else {
                    return 0.0;
                };
                if !is_alive(vital) {
                    return 0.0;
                }
                let by_antigen = t_cell.map_or(0.0, |of| of.binding_per_min * target.recognition);
                let by_stress = natural_killer.map_or(0.0, |of| {
                    let drive = of.drive(target);
                    let stops = drive >= of.least_drive && drive > 0.0;
                    f32::from(u8::from(stops)) * of.binding_per_min
                });
                let rate = by_antigen + by_stress;
                let is_barred = rate > 0.0
                    && barriers.is_some_and(|of| of.bar(body, positions[row].0, other.at_um));
                if is_barred { 0.0 } else { rate }
            };
            let asking = Asking {
                id: ids[row],
                site,
                at_um: positions[row].0,
            };
            near.touching(asking, bodies[row].radius_um, &[], |touching| {
                let sum: f32 = touching.iter().map(&rate).sum();
                if sum <= 0.0 {
                    return;
                }
                let mut random = key.stream(ids[row], step, BINDING);
                if !random.chance(probability(sum, minutes)) {
                    return;
                }
                let mut place = random.uniform() * sum;
                let chosen = touching.iter().find(|other| {
                    place -= rate(other);
                    place < 0.0
                });
                if let Some(other) = chosen {
                    book.form(kind, [entities[row], other.entity]);
                }
            });
        });
    }
}

/// A synapse of which one cell does not live.
fn synapse_with_the_dead(world: &World) -> Option<Breach> {
    let kind = world.get_resource::<BondKinds>()?.id(SYNAPSE.name);
    let mut bound: Vec<CellId> = Vec::new();
    for site in &world.get_resource::<Sites>()?.list {
        let mechanics = world.get::<SiteMechanics>(site.entity);
        let bonds = mechanics.into_iter().flat_map(|site| site.bonds.iter());
        let synapses = bonds.filter(|bond| bond.kind == kind);
        bound.extend(synapses.flat_map(|bond| [bond.a, bond.b]));
    }
    bound.sort_unstable();
    let mut cells = world.try_query::<(&CellId, &Vital)>()?;
    let dead = cells
        .iter(world)
        .filter(|(id, vital)| !vital.is_alive() && bound.binary_search(id).is_ok());
    let first = dead.map(|(id, _)| *id).min()?;
    Some(Breach {
        cell: Some(first),
        found: "it is dead, and part of a synapse".into(),
    })
}

/// Registers the bond and what passes through it.
pub(super) fn register(app: &mut App) {
    app.register_bond::<SynapseParameters>(SYNAPSE)
        .init_resource::<Pairs>()
        .declare_remade::<Pairs>("listed in every `Act`")
        .register_purpose(BINDING)
        .register_event(
            HIT,
            "A killer struck a cell; the row names the cell, and the killer as the other.",
        )
        .register_event(
            KILL,
            "A T cell killed a cell, which entered apoptosis; the row names the cell, and the killer as the other.",
        )
        .register_event(
            LYSIS_KILL,
            "A natural killer cell killed a cell, which entered apoptosis; the row names the cell, and the killer as the other.",
        )
        .use_neighbourhood_of::<Killer>()
        .register_invariant(SimSystems::Move, "strike", synapse_with_the_dead)
        .while_in_transit(
            pair_up,
            InTransit::Pauses,
            "who is in transit holds on to nobody but its own cluster",
        )
        .while_in_transit(
            strike,
            InTransit::Pauses,
            "killers find nobody there; what kills circulating cells is said by those that carry them",
        )
        .while_in_transit(
            engage,
            InTransit::Pauses,
            "there is nobody to touch",
        )
        .add_systems(
            SimSchedule,
            (pair_up, strike, engage)
                .chain()
                .in_set(ActSystems::Kill)
                .run_if(any_with_component::<Killer>),
        );
}
