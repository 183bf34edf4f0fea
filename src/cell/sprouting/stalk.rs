//! How the vessel behind a tip grows, meets others, opens, and is taken back.

use bevy::prelude::*;

use super::TipParameters;
use crate::core::random::probability;
use crate::tissue::network::{
    Growth, Network, NetworkError, NewSegment, NodeId, SegmentId, Sprouts, VesselKind, blocks,
};

/// How near the end of a segment a sprout joins its node rather than split it, um.
const END_UM: f32 = 2.0;

/// A lumen that has begun to open.
const BEGUN: f32 = 1.0e-3;

/// A piece of stalk from a node on.
pub fn cord(from: NodeId, to: NodeId, sprout: u32, parameters: &TipParameters) -> NewSegment {
    NewSegment {
        from,
        to,
        kind: VesselKind::Capillary,
        radius_um: parameters.radius_um,
        length_um: None,
        maturity: 0.0,
        sprout,
    }
}

/// The node of a segment at a share of its way: one of its ends where that is near, else a new one.
///
/// # Errors
/// When there is no such segment.
pub fn node_at(growth: &mut Growth, id: SegmentId, share: f32) -> Result<NodeId, NetworkError> {
    let segment = *growth.segment(id)?;
    let along = share * segment.length_um;
    if along < END_UM {
        Ok(segment.from)
    } else if segment.length_um - along < END_UM {
        Ok(segment.to)
    } else {
        growth.split_segment(id, share)
    }
}

/// The vessel that a tip at a place joins: the nearest of those that count, with the share of the way along it.
pub fn meets(
    network: &Network,
    at_um: Vec3,
    reach_um: f32,
    counts: impl Fn(u32) -> bool,
    near: &mut Vec<u32>,
) -> Option<(SegmentId, f32)> {
    network.segments_near(at_um, reach_um, near);
    let mut best: Option<(SegmentId, f32, f32)> = None;
    for at in near.iter() {
        let segment = &network.segments()[*at as usize];
        let (share, away) = network.nearest_on(*at as usize, at_um);
        if counts(segment.sprout) && best.is_none_or(|(.., least)| away < least) {
            best = Some((segment.id, share, away));
        }
    }
    best.map(|(id, share, _)| (id, share))
}

/// Joins the last node of a stalk to a vessel; whether it could.
pub fn join(
    network: &mut Network,
    last: NodeId,
    (to, share): (SegmentId, f32),
    sprout: u32,
    parameters: &TipParameters,
) -> bool {
    let joined = network.change(|growth| {
        let target = node_at(growth, to, share)?;
        if growth.joined(last, target).is_none() {
            growth.add_segment(cord(last, target, sprout, parameters))?;
        }
        Ok::<_, NetworkError>(())
    });
    joined.is_ok()
}

/// Lets lumens begin to open in those cords that lie on loops.
pub fn open_loops(network: &mut Network) {
    let block = blocks(network);
    // Ports may be blocks of their own, so that there can be more of them than segments.
    let most = block.iter().max().map_or(0, |most| *most as usize + 1);
    let mut members = vec![0_u32; most];
    for of in &block {
        members[*of as usize] += 1;
    }
    for (segment, block) in network.segments_mut().iter_mut().zip(&block) {
        if members[*block as usize] > 1 {
            segment.lumen = segment.lumen.max(BEGUN);
        }
    }
}

/// Lets lumens open that have begun to; all of them, if they need not have.
pub fn open_lumens(network: &mut Network, hours: f32, lumen_hours: f32, all: bool) {
    let opens = |lumen: f32| lumen < 1.0 && (all || lumen > 0.0);
    if !network.segments().iter().any(|of| opens(of.lumen)) {
        return;
    }
    for segment in network.segments_mut() {
        if opens(segment.lumen) {
            let was = segment.open_radius_um(1.0);
            segment.lumen = (segment.lumen + hours / lumen_hours).min(1.0);
            segment.radius_um *= segment.open_radius_um(1.0) / was;
        }
    }
}

/// Takes back cords that lead to nobody: those without any lumen that end at a node which no tip holds, one after the other. Returns how many
/// went.
pub fn take_back(network: &mut Network, held: &[NodeId]) -> usize {
    let segments = network.segments();
    let is_cord = |at: usize| segments[at].sprout != Sprouts::NONE && segments[at].lumen <= 0.0;
    let mut degree: Vec<usize> = (0..network.nodes().len())
        .map(|node| network.around(node).len())
        .collect();
    let mut gone = vec![false; segments.len()];
    let ends_blindly = |node: usize, degree: &[usize]| {
        let of = &network.nodes()[node];
        degree[node] == 1 && of.port.is_none() && !held.contains(&of.id)
    };
    let mut open: Vec<usize> = (0..degree.len())
        .filter(|node| ends_blindly(*node, &degree))
        .collect();
    let mut going: Vec<SegmentId> = Vec::new();
    while let Some(node) = open.pop() {
        let mut around = network.around(node).iter().map(|at| *at as usize);
        let Some(at) = around.find(|at| !gone[*at]) else {
            continue;
        };
        if !is_cord(at) {
            continue;
        }
        gone[at] = true;
        going.push(segments[at].id);
        for end in network.ends()[at].map(|end| end as usize) {
            degree[end] -= 1;
            if end != node && ends_blindly(end, &degree) {
                open.push(end);
            }
        }
    }
    if !going.is_empty() {
        network.change(|growth| {
            for id in &going {
                // It is there: it was found above.
                let _ = growth.remove_segment(*id);
            }
        });
        network.count_pruned(going.len() as u64);
    }
    going.len()
}

/// The chance of a tip in a piece of vessel within a time.
pub fn chance_of_tip(per_hour: f32, length_um: f32, hours: f32) -> f32 {
    probability(per_hour * length_um / super::choose::UNIT_UM, hours)
}
