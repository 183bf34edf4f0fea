//! The systems by which vessels sprout.

use bevy::prelude::*;

use super::choose::{Candidate, may_begin};
use super::stalk::{chance_of_tip, cord, join, meets, node_at, open_loops, open_lumens, take_back};
use super::{
    BEGINS, JOINS, REACH, SUPPORT, SproutingParameters, SproutingVessels, Tip, TipParameters,
    WITHERS,
};
use crate::cell::death::{Vital, is_alive};
use crate::cell::turnover::{Passages, Recruit};
use crate::cell::{CellType, Position, Resident};
use crate::core::input::{Inputs, Regulated};
use crate::core::parallel::IN_TABLES;
use crate::core::parameters::PerType;
use crate::core::{CellId, Clock, RandomKey};
use crate::tissue::SiteId;
use crate::tissue::network::{Network, NodeId, SegmentId, Sprout};

/// What tips are looked at by.
type Tips<'w, 's> = Query<
    'w,
    's,
    (
        Entity,
        &'static CellId,
        &'static CellType,
        &'static Resident,
        &'static Position,
        Option<&'static Vital>,
        &'static Tip,
    ),
>;

/// A tip, as it is now.
#[derive(Clone, Copy, Debug)]
struct Found {
    id: CellId,
    entity: Entity,
    site: SiteId,
    at_um: Vec3,
    is_alive: bool,
    cell_type: u16,
    reach_um: f32,
    support: f32,
    tip: Tip,
}

/// The tips of a kind of vessels, in the order of identity.
fn find<V: SproutingVessels>(
    tips: &Tips,
    of: &PerType<TipParameters>,
    regulated: &Regulated,
) -> Vec<Found> {
    let [reach, support] = [REACH, SUPPORT].map(|name| regulated.input(name));
    let mut found = Vec::new();
    for (entities, ids, types, residents, positions, vitals, tips) in
        tips.contiguous_iter().expect(IN_TABLES)
    {
        let (reach, support) = (reach.in_table(entities), support.in_table(entities));
        for (row, tip) in tips.iter().enumerate() {
            let cell_type = types[row].0;
            let is_of = of.get(cell_type).is_some_and(|of| of.of == V::KIND);
            if is_of && !residents[row].0.is_transit() {
                found.push(Found {
                    id: ids[row],
                    entity: entities[row],
                    site: residents[row].0,
                    at_um: positions[row].0,
                    is_alive: is_alive(vitals.map(|vitals| &vitals[row])),
                    cell_type,
                    reach_um: reach.at(row, cell_type),
                    support: support.at(row, cell_type),
                    tip: *tip,
                });
            }
        }
    }
    found.sort_unstable_by_key(|of| of.id);
    found
}

/// Sprouts begin, grow behind their tips, and meet other vessels.
pub fn sprout<V: SproutingVessels>(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    (parameters, of): (Res<SproutingParameters>, Res<PerType<TipParameters>>),
    (inputs, regulated): (Res<Inputs>, Regulated),
    passages: Res<Passages>,
    mut vessels: Query<(Entity, &SiteId, &mut V)>,
    mut tips: ParamSet<(Tips, Query<&mut Tip>)>,
) {
    if vessels.is_empty() {
        return;
    }
    let types = of.0.iter().enumerate();
    let mut types = types.filter_map(|(at, of)| Some((at as u16, of.as_ref()?)));
    let Some((newcomer, own)) = types.find(|(_, of)| of.of == V::KIND) else {
        return;
    };
    let hours = clock.turn_hours(f64::from(parameters.every_min));
    let found = find::<V>(&tips.p0(), &of, &regulated);
    let mut near = Vec::new();
    for (entity, site, mut vessels) in &mut vessels {
        let mut here: Vec<Found> = found
            .iter()
            .filter(|of| of.site == *site)
            .copied()
            .collect();
        let hazards = regulated.of_elements(&inputs, V::SELECTION, entity);
        let candidates = hazards.map_or_else(Vec::new, |hazards| {
            candidates::<V>(vessels.network(), hazards, (*key, *site, clock.step), hours)
        });
        let is_opening = vessels.network().segments().iter().any(|of| of.lumen < 1.0);
        if here.is_empty() && candidates.is_empty() && !is_opening {
            continue;
        }
        let network = vessels.network_mut();
        // Those whose vessel is gone, who are dead or have waited too long.
        here.retain(|tip| {
            let Some(last) = tip.tip.node() else {
                return false;
            };
            let Some(of) = of.get(tip.cell_type) else {
                return false;
            };
            let is_old = age_hours(&tip.tip, &clock) > of.patience_hours;
            let gives_up = is_old && tip.support < of.least_support;
            let lives = tip.is_alive && network.node_index(last).is_some() && !gives_up;
            if !lives {
                passages.remove(tip.id, tip.entity, WITHERS, None);
                network.sprouts_mut().withered += 1;
            }
            lives
        });
        extend(network, &mut here, &of);
        let mut is_joined = false;
        here.retain(|tip| {
            let Some(parameters) = of.get(tip.cell_type) else {
                return false;
            };
            let meets = joins(network, tip, parameters, &clock, &mut near);
            if meets {
                is_joined = true;
                passages.remove(tip.id, tip.entity, JOINS, None);
                network.sprouts_mut().joined += 1;
            }
            !meets
        });
        if is_joined {
            open_loops(network);
        }
        open_lumens(network, hours, own.lumen_hours, V::BLIND_ENDED);
        let mut places: Vec<Vec3> = here.iter().map(|tip| tip.at_um).collect();
        begin(
            network,
            candidates,
            (newcomer, own),
            &mut places,
            (*site, clock.step),
            (&passages, &mut near),
        );
        for tip in &here {
            if let Ok(mut kept) = tips.p1().get_mut(tip.entity)
                && *kept != tip.tip
            {
                *kept = tip.tip;
            }
        }
    }
}

fn age_hours(tip: &Tip, clock: &Clock) -> f32 {
    let steps = clock.step.saturating_sub(tip.since_step);
    (steps as f64 * clock.step_minutes / 60.0) as f32
}

/// Places where tips would begin if nothing held them back, in the order in which they do; each named by the number of its segment.
fn candidates<V: SproutingVessels>(
    network: &Network,
    hazards: &[f32],
    (key, site, step): (RandomKey, SiteId, u64),
    hours: f32,
) -> Vec<(SegmentId, Candidate)> {
    let mut found = Vec::new();
    for (at, segment) in network.segments().iter().enumerate() {
        let hazard = hazards.get(at).copied().unwrap_or(0.0);
        if hazard.is_nan() || hazard <= 0.0 {
            continue;
        }
        let who = CellId(u64::from(site.0) << 32 | u64::from(segment.id.0));
        let mut random = key.stream(who, step, V::CHOICE);
        if random.chance(chance_of_tip(hazard, segment.length_um, hours)) {
            let candidate = Candidate {
                segment: at,
                share: random.uniform(),
                turn: random.uniform(),
            };
            found.push((segment.id, candidate));
        }
    }
    found.sort_by(|(_, a), (_, b)| a.turn.total_cmp(&b.turn));
    found
}

/// Stalks grow to where their tips are.
fn extend(network: &mut Network, tips: &mut [Found], of: &PerType<TipParameters>) {
    let block = network.block();
    let (low, high) = (block.min_um, block.max_um());
    let nodes = network.nodes();
    let due: Vec<usize> = (0..tips.len())
        .filter(|at| {
            let tip = &tips[*at];
            let last = tip.tip.node().and_then(|node| network.node_index(node));
            let is_inside = tip.at_um.cmpge(low).all() && tip.at_um.cmple(high).all();
            let piece = of
                .get(tip.cell_type)
                .map_or(f32::INFINITY, |of| of.piece_um);
            is_inside && last.is_some_and(|last| nodes[last].at_um.distance(tip.at_um) >= piece)
        })
        .collect();
    if due.is_empty() {
        return;
    }
    network.change(|growth| {
        for at in due {
            let tip = &mut tips[at];
            let (Some(last), Some(of)) = (tip.tip.node(), of.get(tip.cell_type)) else {
                continue;
            };
            if let Ok(node) = growth.add_node(tip.at_um, None)
                && growth
                    .add_segment(cord(last, node, tip.tip.sprout, of))
                    .is_ok()
            {
                tip.tip.last = node.0;
            }
        }
    });
}

/// Whether a tip meets a vessel; it is joined to it then.
fn joins(
    network: &mut Network,
    tip: &Found,
    parameters: &TipParameters,
    clock: &Clock,
    near: &mut Vec<u32>,
) -> bool {
    let age = age_hours(&tip.tip, clock);
    let Some(last) = tip.tip.node().filter(|_| age > parameters.young_hours) else {
        return false;
    };
    let counts = |sprout: u32| {
        sprout != tip.tip.sprout && (sprout != tip.tip.parent || age >= parameters.leaving_hours)
    };
    meets(network, tip.at_um, tip.reach_um, counts, near)
        .is_some_and(|met| join(network, last, met, tip.tip.sprout, parameters))
}

/// Tips begin. They hold each other back by where they are alone, so that all are chosen before the network is changed, once.
fn begin(
    network: &mut Network,
    candidates: Vec<(SegmentId, Candidate)>,
    (newcomer, parameters): (u16, &TipParameters),
    tips_um: &mut Vec<Vec3>,
    (site, step): (SiteId, u64),
    (passages, near): (&Passages, &mut Vec<u32>),
) {
    // Where each begins, and its sprout.
    let mut chosen: Vec<(SegmentId, f32, Tip)> = Vec::new();
    for (id, mut candidate) in candidates {
        let Some(at) = network.segment_index(id) else {
            continue;
        };
        candidate.segment = at;
        if !may_begin(network, &candidate, tips_um, parameters, near) {
            continue;
        }
        let at_um = candidate.at_um(network);
        let parent = network.segments()[at].sprout;
        let sprout = network.sprouts_mut().begin(Sprout { at_um, parent });
        tips_um.push(at_um);
        let tip = Tip {
            sprout,
            parent,
            last: 0,
            since_step: step,
        };
        chosen.push((id, candidate.share, tip));
    }
    if chosen.is_empty() {
        return;
    }
    network.change(|growth| {
        chosen.retain_mut(|(id, share, tip)| match node_at(growth, *id, *share) {
            Ok(node) => {
                tip.last = node.0;
                true
            }
            Err(_) => false,
        });
    });
    for (.., tip) in chosen {
        let node = network.node_index(NodeId(tip.last));
        let Some(at_um) = node.map(|at| network.nodes()[at].at_um) else {
            continue;
        };
        let inside = network.block().nearest_inside(at_um);
        passages.recruit(Recruit::new(newcomer, site, inside, BEGINS).carrying(tip));
    }
}

/// Cords that lead to nobody are taken back.
pub fn withdraw<V: SproutingVessels>(
    of: Res<PerType<TipParameters>>,
    tips: Query<(&CellType, &Resident, &Tip)>,
    mut vessels: Query<(&SiteId, &mut V)>,
) {
    if V::BLIND_ENDED {
        return;
    }
    for (site, mut vessels) in &mut vessels {
        if vessels.network().segments().iter().all(|of| of.lumen > 0.0) {
            continue;
        }
        let here = tips.iter().filter(|(cell_type, resident, _)| {
            resident.0 == *site && of.get(cell_type.0).is_some_and(|of| of.of == V::KIND)
        });
        let held: Vec<NodeId> = here.filter_map(|(.., tip)| tip.node()).collect();
        take_back(vessels.network_mut(), &held);
    }
}
