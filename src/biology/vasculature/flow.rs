//! Blood in a network: pressures, flow, red cells, shear at the walls, and which vessels are perfused.
//!
//! In each segment `Q = pi r^4 (p_from - p_to)/(8 mu L)` (Poiseuille), `mu` after [`super::rheology`] with the haematocrit of the last time,
//! so that both settle over a few; in each node what flows in flows out. The shear stress at the wall is `4 mu |Q|/(pi r^3)`.

use bevy::prelude::*;

use super::VesselParameters;
use super::network::{Held, Network, Node, Port, VesselKind};
use super::rheology::{Branch, relative_viscosity, share_out};
use super::solver::Plan;
use crate::core::units::SECONDS_PER_MINUTE;

/// mmHg in Pa.
const PA_PER_MMHG: f64 = 133.322;

/// Pressures that differ by less than this share of them are the same.
const ROUNDING: f64 = 1.0e-12;

/// Less than a hundredth of a red cell in a minute is no flow to compare with, um3/min.
const LEAST_FLOW: f64 = 1.0;

/// How the flow of a site is worked out; kept so that it need not be found anew.
#[derive(Component, Debug, Default)]
pub struct FlowWork {
    plan: Plan,
    /// Which shape of the network the plan is for.
    planned_for: Option<u64>,
    conductance: Vec<f64>,
    viscosity: Vec<f32>,
    inflow: Vec<f64>,
    pressure: Vec<f64>,
    /// Nodes from high to low pressure.
    order: Vec<u32>,
    is_fed: Vec<bool>,
    is_drained: Vec<bool>,
    branches: Vec<(u32, Branch)>,
    bare: Vec<Branch>,
}

impl FlowWork {
    /// Rounds that the last solve took.
    pub const fn rounds(&self) -> usize {
        self.plan.rounds
    }

    /// Works out the flow of blood in a network.
    pub fn circulate(&mut self, network: &mut Network, parameters: &VesselParameters) {
        if self.planned_for != Some(network.version()) {
            let is_held: Vec<bool> = network.nodes().iter().map(is_held).collect();
            self.plan = Plan::of(network.ends(), &is_held);
            self.planned_for = Some(network.version());
        }
        self.fill(network, parameters);
        self.plan
            .solve(&self.conductance, &self.inflow, &mut self.pressure);
        self.write_flow(network);
        self.sort_nodes(network);
        self.carry_cells(network);
        self.find_perfused(network, parameters);
    }

    /// Conductances, um3/(min mmHg), what is held, and where the solve begins.
    fn fill(&mut self, network: &Network, parameters: &VesselParameters) {
        let plasma = f64::from(parameters.plasma_viscosity_mpa_s) * 1.0e-3
            / PA_PER_MMHG
            / SECONDS_PER_MINUTE;
        self.conductance.clear();
        self.viscosity.clear();
        for segment in network.segments() {
            let relative = relative_viscosity(
                2.0 * segment.radius_um,
                segment.haematocrit,
                parameters.in_vivo_viscosity,
            );
            self.viscosity.push(relative);
            let r2 = f64::from(segment.radius_um) * f64::from(segment.radius_um);
            let resistance = 8.0 * plasma * f64::from(relative) * f64::from(segment.length_um);
            self.conductance
                .push(std::f64::consts::PI * r2 * r2 / resistance);
        }
        self.pressure.clear();
        self.inflow.clear();
        for node in network.nodes() {
            let held = node.port.map(|port| port.held);
            self.pressure.push(match held {
                Some(Held::Pressure(mmhg)) => mmhg,
                _ => node.pressure_mmhg,
            });
            self.inflow.push(match held {
                Some(Held::Inflow(inflow)) => inflow,
                _ => 0.0,
            });
        }
    }

    /// Writes pressures, flow and shear.
    fn write_flow(&mut self, network: &mut Network) {
        let (nodes, segments, ends) = network.parts_mut();
        for (node, pressure) in nodes.iter_mut().zip(&self.pressure) {
            node.pressure_mmhg = *pressure;
        }
        for (at, segment) in segments.iter_mut().enumerate() {
            let [from, to] = ends[at].map(|node| node as usize);
            let drop = self.pressure[from] - self.pressure[to];
            // Where nothing holds the pressure nothing flows, nor where pressures differ by their rounding alone.
            let rounding = ROUNDING * self.pressure[from].abs().max(self.pressure[to].abs());
            let drop = if self.plan.is_fed[from] && drop.abs() > rounding {
                drop
            } else {
                0.0
            };
            segment.flow_um3_per_min = self.conductance[at] * drop;
            // 4 mu Q / (pi r^3) with Poiseuille's law is r dp / 2 L.
            let shear = f64::from(segment.radius_um) * drop.abs() * PA_PER_MMHG
                / (2.0 * f64::from(segment.length_um));
            segment.shear_pa = shear as f32;
        }
    }

    fn sort_nodes(&mut self, network: &Network) {
        self.order.clear();
        self.order.extend(0..network.nodes().len() as u32);
        let pressure = &self.pressure;
        self.order.sort_unstable_by(|a, b| {
            pressure[*b as usize]
                .total_cmp(&pressure[*a as usize])
                .then(a.cmp(b))
        });
    }

    /// Red cells, from high pressure to low.
    fn carry_cells(&mut self, network: &mut Network) {
        for node in &self.order {
            let node = *node as usize;
            let (mut blood, mut cells) = (0.0, 0.0);
            let mut wide = 0.0;
            self.branches.clear();
            for at in network.around(node) {
                let segment = &network.segments()[*at as usize];
                let begins = network.ends()[*at as usize][0] as usize == node;
                let out = if begins {
                    segment.flow_um3_per_min
                } else {
                    -segment.flow_um3_per_min
                };
                if out > 0.0 {
                    let branch = Branch {
                        diameter_um: 2.0 * f64::from(segment.radius_um),
                        flow: out,
                        cells: 0.0,
                    };
                    self.branches.push((*at, branch));
                } else if out < 0.0 {
                    blood -= out;
                    cells -= out * f64::from(segment.haematocrit);
                    wide -= out * 2.0 * f64::from(segment.radius_um);
                }
            }
            let leaves: f64 = self.branches.iter().map(|(_, branch)| branch.flow).sum();
            if let Some(port) = network.nodes()[node].port {
                let enters = leaves - blood;
                if enters > 0.0 {
                    cells += enters * f64::from(port.haematocrit);
                } else {
                    // What leaves by the port takes its share.
                    cells *= if blood > 0.0 { leaves / blood } else { 0.0 };
                }
            }
            if self.branches.is_empty() {
                continue;
            }
            self.bare.clear();
            self.bare
                .extend(self.branches.iter().map(|(_, branch)| *branch));
            let haematocrit = if leaves > 0.0 { cells / leaves } else { 0.0 };
            if blood > 0.0 && self.bare.len() > 1 {
                share_out(cells, wide / blood, haematocrit, &mut self.bare);
            } else {
                let all = &mut self.bare;
                all.iter_mut()
                    .for_each(|branch| branch.cells = haematocrit * branch.flow);
            }
            let segments = network.segments_mut();
            for ((at, _), branch) in self.branches.iter().zip(&self.bare) {
                segments[*at as usize].haematocrit = (branch.cells / branch.flow) as f32;
            }
        }
    }

    /// Which segments lie on a way of moving blood from an artery to a vein.
    fn find_perfused(&mut self, network: &mut Network, parameters: &VesselParameters) {
        let nodes = network.nodes().len();
        for list in [&mut self.is_fed, &mut self.is_drained] {
            list.clear();
            list.resize(nodes, false);
        }
        let moves = |segment: &super::Segment| {
            segment.radius_um > parameters.closed_radius_um
                && segment.velocity_um_per_s().abs()
                    >= f64::from(parameters.least_velocity_um_per_s)
        };
        // The node at the other end of a segment, if blood moves away from this one.
        let downstream = |network: &Network, at: u32, node: usize| {
            let segment = &network.segments()[at as usize];
            let [from, to] = network.ends()[at as usize].map(|node| node as usize);
            let goes = if from == node {
                segment.flow_um3_per_min > 0.0
            } else {
                segment.flow_um3_per_min < 0.0
            };
            let other = if from == node { to } else { from };
            (goes && moves(segment)).then_some(other)
        };
        for node in &self.order {
            let node = *node as usize;
            let from_artery = |port: Port| port.side != VesselKind::Vein;
            if network.nodes()[node].port.is_some_and(from_artery) {
                self.is_fed[node] = true;
            }
            if !self.is_fed[node] {
                continue;
            }
            for at in network.around(node) {
                if let Some(other) = downstream(network, *at, node) {
                    self.is_fed[other] = true;
                }
            }
        }
        for node in self.order.iter().rev() {
            let node = *node as usize;
            let to_vein = |port: Port| port.side == VesselKind::Vein;
            self.is_drained[node] = network.nodes()[node].port.is_some_and(to_vein)
                || network.around(node).iter().any(|at| {
                    downstream(network, *at, node).is_some_and(|other| self.is_drained[other])
                });
        }
        let (_, segments, ends) = network.parts_mut();
        for (segment, ends) in segments.iter_mut().zip(ends) {
            let [from, to] = ends.map(|node| node as usize);
            let (up, down) = if segment.flow_um3_per_min >= 0.0 {
                (from, to)
            } else {
                (to, from)
            };
            segment.perfused = moves(segment) && self.is_fed[up] && self.is_drained[down];
        }
    }
}

/// Whether the pressure of a node is held.
fn is_held(node: &Node) -> bool {
    matches!(node.port.map(|port| port.held), Some(Held::Pressure(_)))
}

/// Blood that enters a network by its ports, um3/min.
pub fn inflow_um3_per_min(network: &Network) -> f64 {
    let ports = network.nodes().iter().enumerate();
    let ports = ports.filter(|(_, node)| node.port.is_some());
    ports
        .map(|(node, _)| net_outflow(network, node).max(0.0))
        .sum()
}

/// What flows out of a node into its segments, less what flows in, um3/min.
pub fn net_outflow(network: &Network, node: usize) -> f64 {
    let around = network.around(node).iter();
    around
        .map(|at| {
            let flow = network.segments()[*at as usize].flow_um3_per_min;
            let begins = network.ends()[*at as usize][0] as usize == node;
            if begins { flow } else { -flow }
        })
        .sum()
}

/// The largest imbalance of a node without a port, over the largest flow.
pub fn residual(network: &Network) -> f64 {
    let flows = network.segments().iter();
    let most = flows.fold(LEAST_FLOW, |most, of| most.max(of.flow_um3_per_min.abs()));
    let inner = network.nodes().iter().enumerate();
    let inner = inner.filter(|(_, node)| node.port.is_none());
    inner.fold(0.0_f64, |worst, (node, _)| {
        worst.max(net_outflow(network, node).abs())
    }) / most
}
