//! What lymphatics take up: water, past their one-way walls and towards their outlets; and the CCL21 that they give off.

use bevy::prelude::*;

use super::{CALLING, CCL21, LymphaticParameters, Lymphatics};
use crate::core::Clock;
use crate::core::input::{Inputs, Regulated};
use crate::tissue::interstitium::{DrawnLymph, Interstitium};
use crate::tissue::network::Network;
use crate::tissue::{Bookings, SiteId};

/// How what comes into a network flows out of it: for each node the segment by which it goes on, and the nodes from the outlets on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WayOut {
    /// For each node the index of the segment towards its outlet; none for outlets and for what is cut off.
    pub by: Vec<Option<u32>>,
    /// Nodes that lead to an outlet, outlets first, each after that to which it leads.
    pub order: Vec<u32>,
}

impl WayOut {
    /// The shortest ways, by number of open segments, to the ports of a network.
    pub fn of(network: &Network) -> Self {
        let nodes = network.nodes().len();
        let mut by = vec![None; nodes];
        let mut is_known = vec![false; nodes];
        let mut order: Vec<u32> = Vec::with_capacity(nodes);
        for (at, node) in network.nodes().iter().enumerate() {
            if node.port.is_some() {
                is_known[at] = true;
                order.push(at as u32);
            }
        }
        let mut done = 0;
        while let Some(node) = order.get(done).copied() {
            done += 1;
            for at in network.around(node as usize) {
                if network.segments()[*at as usize].is_solid() {
                    continue;
                }
                let [from, to] = network.ends()[*at as usize];
                let other = if from == node { to } else { from };
                if !is_known[other as usize] {
                    is_known[other as usize] = true;
                    by[other as usize] = Some(*at);
                    order.push(other);
                }
            }
        }
        Self { by, order }
    }
}

/// What a piece of lymphatic lets in, `L_p S/V`, 1/(mmHg min), of a voxel of that volume.
pub fn intake(
    parameters: &LymphaticParameters,
    radius_um: f32,
    length_um: f32,
    voxel_um3: f32,
) -> f32 {
    let surface = std::f32::consts::TAU * radius_um * length_um / voxel_um3;
    parameters.wall_conductivity_um_per_mmhg_min * surface
}

/// Works out what lymphatics drain, and how lymph flows in them.
pub fn drain(
    clock: Res<Clock>,
    parameters: Res<LymphaticParameters>,
    mut sites: Query<(&mut Lymphatics, &mut DrawnLymph, Option<&Interstitium>)>,
) {
    let is_due = clock.is_turn(f64::from(parameters.every_min));
    for (mut lymphatics, mut drawn, fluid) in &mut sites {
        let is_known = !drawn.rate_per_mmhg_min.is_empty();
        if is_known && !is_due {
            continue;
        }
        let fluid = fluid.filter(|fluid| fluid.is_known());
        let network = &mut lymphatics.network;
        let way = WayOut::of(network);
        set_rates(network, &way, &parameters, fluid, &mut drawn);
        set_flow(network, &way, fluid);
    }
}

/// What walls let in, voxel by voxel: those that lead to an outlet, where the fluid has a higher pressure than the lymph.
fn set_rates(
    network: &Network,
    way: &WayOut,
    parameters: &LymphaticParameters,
    fluid: Option<&Interstitium>,
    drawn: &mut DrawnLymph,
) {
    let block = network.block();
    drawn.pressure_mmhg = parameters.pressure_mmhg;
    drawn.rate_per_mmhg_min.clear();
    drawn.rate_per_mmhg_min.resize(block.voxels(), 0.0);
    for (at, segment) in network.segments().iter().enumerate() {
        if segment.is_solid() || !leads_out(network, way, at) {
            continue;
        }
        for piece in network.crossings().of_segment(at) {
            let voxel = piece.voxel as usize;
            let is_open = fluid.is_none_or(|fluid| {
                // The flaps of the wall close where lymph would leak out.
                fluid.pressure_mmhg[voxel] > parameters.pressure_mmhg
            });
            if is_open {
                drawn.rate_per_mmhg_min[voxel] += intake(
                    parameters,
                    segment.radius_um,
                    piece.length_um,
                    block.voxel_volume_um3(),
                );
            }
        }
    }
}

/// Whether lymph of a segment finds a way out.
fn leads_out(network: &Network, way: &WayOut, segment: usize) -> bool {
    let ends = network.ends()[segment];
    ends.into_iter().any(|node| {
        way.by[node as usize].is_some() || network.nodes()[node as usize].port.is_some()
    })
}

/// Lymph flows on by the way out, and gathers there: what each segment takes in comes to its end that lies downstream.
fn set_flow(network: &mut Network, way: &WayOut, fluid: Option<&Interstitium>) {
    let block = network.block();
    let voxel_um3 = f64::from(block.voxel_volume_um3());
    let mut taken = vec![0.0_f64; network.segments().len()];
    if let Some(fluid) = fluid {
        for (place, voxel) in network.crossings().voxels().iter().enumerate() {
            let here = || {
                network.crossings().in_voxel(place).filter(|piece| {
                    let at = piece.segment as usize;
                    !network.segments()[at].is_solid() && leads_out(network, way, at)
                })
            };
            let share = |piece: &crate::tissue::network::Crossing| {
                let segment = &network.segments()[piece.segment as usize];
                f64::from(segment.radius_um * piece.length_um)
            };
            let all: f64 = here().map(share).sum();
            if all <= 0.0 {
                continue;
            }
            let drained = f64::from(fluid.drained_per_min(*voxel as usize)).max(0.0) * voxel_um3;
            for piece in here() {
                taken[piece.segment as usize] += drained * share(piece) / all;
            }
        }
    }
    // From the far ends on; what comes into a node goes on by its way out.
    let nodes = network.nodes().len();
    let mut rank = vec![usize::MAX; nodes];
    for (place, node) in way.order.iter().enumerate() {
        rank[*node as usize] = place;
    }
    let mut arrived = vec![0.0_f64; nodes];
    let mut through = vec![0.0_f64; network.segments().len()];
    for (at, taken) in taken.iter().enumerate() {
        let [from, to] = network.ends()[at].map(|node| node as usize);
        let is_way = |node: usize| way.by[node] == Some(at as u32);
        if !(is_way(from) || is_way(to)) && *taken > 0.0 {
            // A segment that closes a loop: its lymph goes to the end that is nearer to the outlet.
            let down = if rank[from] < rank[to] { from } else { to };
            arrived[down] += taken;
            through[at] = if down == to { *taken } else { -taken };
        }
    }
    for node in way.order.iter().rev().map(|node| *node as usize) {
        let Some(at) = way.by[node].map(|at| at as usize) else {
            continue;
        };
        let [from, to] = network.ends()[at].map(|node| node as usize);
        let flow = arrived[node] + taken[at];
        let down = if from == node { to } else { from };
        arrived[down] += flow;
        through[at] = if down == to { flow } else { -flow };
    }
    for (segment, flow) in network.segments_mut().iter_mut().zip(through) {
        segment.flow_um3_per_min = flow;
        segment.perfused = flow != 0.0;
    }
}

/// Lymph that leaves a network, um3/min.
pub fn outflow_um3_per_min(network: &Network) -> f64 {
    let ports = network.nodes().iter().enumerate();
    let ports = ports.filter(|(_, node)| node.port.is_some());
    let mut sum = 0.0;
    for (node, _) in ports {
        for at in network.around(node) {
            let flow = network.segments()[*at as usize].flow_um3_per_min;
            let ends_here = network.ends()[*at as usize][1] as usize == node;
            sum += if ends_here { flow } else { -flow };
        }
    }
    sum
}

/// The walls of lymphatics give off CCL21.
pub fn give_off_ccl21(
    inputs: Res<Inputs>,
    regulated: Regulated,
    bookings: Bookings,
    sites: Query<(Entity, &SiteId, &Lymphatics)>,
) {
    if sites.is_empty() {
        return;
    }
    let booking = bookings.of(CCL21);
    for (entity, site, lymphatics) in &sites {
        if !booking.is_in(*site) {
            continue;
        }
        let rates = regulated.of_elements(&inputs, CALLING, entity);
        let network = &lymphatics.network;
        for at in 0..network.segments().len() {
            let rate = rates.and_then(|rates| rates.get(at)).copied();
            let rate = rate.filter(|rate| *rate > 0.0).unwrap_or(0.0);
            for piece in network.crossings().of_segment(at) {
                booking.secrete(*site, piece.voxel, rate * piece.length_um);
            }
        }
    }
}
