//! How the vessel behind a tip grows, meets others, opens, and is taken back.

use bevy::prelude::*;

use super::TipParameters;
use crate::core::random::probability;
use crate::tissue::network::{
    Growth, Network, NetworkError, NewSegment, NodeId, Segment, SegmentId, Sprouts, VesselKind,
    blocks,
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

/// The end of a segment that a share of its way is near, if it is.
fn near_end(segment: &Segment, share: f32) -> Option<NodeId> {
    let along = share * segment.length_um;
    if along < END_UM {
        Some(segment.from)
    } else if segment.length_um - along < END_UM {
        Some(segment.to)
    } else {
        None
    }
}

/// The node of a segment at a share of its way: one of its ends where that is near, else a new one.
///
/// # Errors
/// When there is no such segment.
pub fn node_at(growth: &mut Growth, id: SegmentId, share: f32) -> Result<NodeId, NetworkError> {
    match near_end(growth.segment(id)?, share) {
        Some(end) => Ok(end),
        None => growth.split_segment(id, share),
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
    let segment = network.segment_index(to).map(|at| &network.segments()[at]);
    let end = segment.and_then(|segment| near_end(segment, share));
    if end.is_some_and(|end| network.are_joined(last, end)) {
        return true;
    }
    let joined = network.change(|growth| {
        let target = node_at(growth, to, share)?;
        growth.add_segment(cord(last, target, sprout, parameters))
    });
    joined.is_ok()
}

/// Lets lumens begin to open in those cords that lie on loops through vessels which are open: it is their blood that opens them. Loops within a sprout that hangs
/// on a vessel by one root stay solid.
pub fn open_loops(network: &mut Network) {
    let block = blocks(network);
    // Ports may be blocks of their own, so that there can be more of them than segments.
    let most = block.iter().max().map_or(0, |most| *most as usize + 1);
    let mut has_blood = vec![false; most];
    for (segment, of) in network.segments().iter().zip(&block) {
        has_blood[*of as usize] |= segment.lumen > 0.0;
    }
    for (segment, block) in network.segments_mut().iter_mut().zip(&block) {
        if has_blood[*block as usize] {
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

/// Takes back cords that lead to nobody: those without any lumen that end at a node which no tip holds, one after the other, and those that hang together by
/// cords and hold no tip at all, such as a loop within a sprout. Returns how many went.
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
    let lost = without_tips(network, held, &gone);
    going.extend(lost.into_iter().map(|at| network.segments()[at].id));
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

/// Indices of cords without any lumen that hang together with no tip by other such cords; but for those that are gone.
fn without_tips(network: &Network, held: &[NodeId], gone: &[bool]) -> Vec<usize> {
    let segments = network.segments();
    let is_cord =
        |at: usize| !gone[at] && segments[at].sprout != Sprouts::NONE && segments[at].lumen <= 0.0;
    // Nodes of open vessels part what hangs on them.
    let is_open = |node: usize| {
        let mut around = network.around(node).iter();
        around.any(|at| !gone[*at as usize] && !is_cord(*at as usize))
    };
    let mut seen = vec![false; segments.len()];
    let mut lost = Vec::new();
    for first in 0..segments.len() {
        if seen[first] || !is_cord(first) {
            continue;
        }
        seen[first] = true;
        let mut together = vec![first];
        let mut has_tip = false;
        let mut next = 0;
        while let Some(at) = together.get(next).copied() {
            next += 1;
            for node in network.ends()[at].map(|node| node as usize) {
                has_tip |= held.contains(&network.nodes()[node].id);
                if is_open(node) {
                    continue;
                }
                for other in network.around(node).iter().map(|at| *at as usize) {
                    if !seen[other] && is_cord(other) {
                        seen[other] = true;
                        together.push(other);
                    }
                }
            }
        }
        if !has_tip {
            lost.extend(together);
        }
    }
    lost
}

/// The chance of a tip in a piece of vessel within a time.
pub fn chance_of_tip(per_hour: f32, length_um: f32, hours: f32) -> f32 {
    probability(per_hour * length_um / super::choose::UNIT_UM, hours)
}
