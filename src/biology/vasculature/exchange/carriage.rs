//! What blood carries to the tissue and takes from it, along its flow.
//!
//! From high pressure to low each segment takes over what the segments before it have left, mixed by their flows. In a piece that crosses a
//! voxel it gives `a P_b - b p` (unit um3/min), `p` being the level in the voxel. What is known of `p` is from the last solve, in which the
//! tissue took what it needed at the level `P_0` of blood; so blood is taken to give
//!
//! `a P_0 - b p + w a (P_b - P_0)`, `w =` [`YIELD`]:
//!
//! what tissue took, and a part of what a change of the level would make of it. Where both have met, blood gives exactly what tissue takes.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::super::flow::net_outflow;
use super::super::network::{Network, Segment};
use super::haemoglobin::{Carrier, Curve};
use super::{OXYGEN, VesselExchangeParameters};
use crate::core::Clock;
use crate::core::state::WhollyKept;
use crate::tissue::interstitium::{Interstitium, WallPassage, through_wall};
use crate::tissue::medium::{ExchangesWithVessels, VesselExchange};
use crate::tissue::transport::{FieldSupply, is_due};
use crate::tissue::{FieldValues, Molecule, Molecules, Sites};

/// How much of its full effect a change of the level of blood is taken to have on what tissue takes. Tissue that burns what it needs takes as
/// much at any level, tissue that is short takes more by a third to a half of the full effect; at a half both are met from solve to solve, and nothing
/// overshoots.
const YIELD: f32 = 0.5;

/// Distance from the middle of a voxel at which a line source has the mean of the voxel, over its width (Peaceman 1978, SPE J 18:183).
const PEACEMAN: f32 = 0.2;

/// What a field exchanges with the blood of drawn vessels.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BloodExchange {
    exchange: VesselExchange,
    /// Mean level in each piece of a segment within a voxel, in the order of [`Crossings::all`](super::super::Crossings::all); empty if it is not
    /// known.
    pub level: Vec<f32>,
    /// What enters by arteries less what leaves by veins, unit um3/min.
    pub given: f64,
    /// The shape of the network that it is of.
    shape: Shape,
    /// When the flow was as it is taken to be, and of which solve of the fluid it is.
    of: Option<(Option<u64>, u64)>,
    /// Of a molecule that walls hold up, the level in blood that it is of.
    blood: f32,
}

/// What tells the shapes that a network has one after the other from each other: how many segments there are and were taken back, and the number of the
/// last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Shape {
    segments: u64,
    pruned: u64,
    last: u32,
}

impl Shape {
    fn of(network: &Network) -> Self {
        let segments = network.segments();
        Self {
            segments: segments.len() as u64,
            pruned: network.pruned(),
            last: segments.last().map_or(0, |segment| segment.id.0),
        }
    }
}

impl WhollyKept for BloodExchange {}

impl ExchangesWithVessels for BloodExchange {
    fn exchange(&self) -> &VesselExchange {
        &self.exchange
    }
}

impl BloodExchange {
    /// What the tissue takes from blood at these values, unit um3/min.
    pub fn taken(&self, voxel_um3: f32, values_of_site: impl Fn(usize) -> f32) -> f64 {
        let rates = self.exchange.rate_per_min().iter();
        let mut sum = 0.0;
        for (voxel, (rate, level)) in rates.zip(self.exchange.level()).enumerate() {
            sum += f64::from(*rate) * f64::from(level - values_of_site(voxel));
        }
        sum * f64::from(voxel_um3)
    }
}

/// The way of the blood: segments from high pressure to low, with what they come from and lead to. Worked out when the flow has changed.
#[derive(Component, Clone, Debug, Default)]
pub struct FlowOrder {
    /// Indices of perfused segments, each after all that lead to it.
    pub segments: Vec<u32>,
}

impl FlowOrder {
    /// Finds the way of the blood in a network.
    pub fn follow(&mut self, network: &Network) {
        self.segments.clear();
        let segments = network.segments().iter().enumerate();
        let perfused = segments.filter(|(_, segment)| segment.perfused);
        self.segments.extend(perfused.map(|(at, _)| at as u32));
        // Blood flows from high pressure to low, so that the pressure where a segment begins puts them in order.
        let upstream = |at: u32| {
            let [from, to] = network.pressures_mmhg(at as usize);
            from.max(to)
        };
        self.segments
            .sort_unstable_by(|a, b| upstream(*b).total_cmp(&upstream(*a)).then(a.cmp(b)));
    }
}

/// Finds the way of the blood where the flow has changed.
pub fn find_flow_order(mut networks: Query<(Ref<Network>, &mut FlowOrder)>) {
    for (network, mut order) in &mut networks {
        if network.is_changed() {
            order.follow(&network);
        }
    }
}

/// Nodes from which blood comes into the segment at an index and to which it goes.
pub fn up_and_down(network: &Network, at: usize) -> [usize; 2] {
    let [from, to] = network.ends()[at].map(|node| node as usize);
    if network.segments()[at].flow_um3_per_min >= 0.0 {
        [from, to]
    } else {
        [to, from]
    }
}

/// What a micrometre of vessel exchanges of a molecule at a difference of one unit, um2/min.
pub fn conductance_um2_per_min(
    molecule: &Molecule,
    segment: &Segment,
    parameters: &VesselExchangeParameters,
    voxel_um: f32,
) -> f32 {
    use std::f32::consts::{PI, TAU};
    let d = molecule.diffusivity_um2_per_min;
    let lumen = 1.0 / (PI * parameters.sherwood * d);
    let permeability = molecule.wall_permeability_um_per_min * segment.permeability;
    let wall = if permeability > 0.0 {
        1.0 / (TAU * segment.radius_um * permeability)
    } else {
        0.0
    };
    let away = (PEACEMAN * voxel_um / segment.radius_um).max(1.0);
    let tissue = bevy::math::ops::ln(away) / (TAU * d);
    1.0 / (lumen + wall + tissue)
}

/// How much the level at the end of a piece counts for the mean along it, and the level at its beginning for the rest: `1/(1 - e^-x) - 1/x`, where
/// it falls exponentially by `e^-x`; a half where it hardly falls.
fn share_of_end(x: f32) -> f32 {
    // A series, off by 1e-8.
    if x < 0.5 {
        let square = x * x;
        return 0.5 + x * (1.0 / 12.0 - square * (1.0 / 720.0 - square * (1.0 / 30_240.0)));
    }
    -1.0 / bevy::math::ops::exp_m1(-x) - 1.0 / x
}

/// Blood that has come into a node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arrived {
    /// How much, um3/min.
    flow: f64,
    /// What it holds of the molecule, unit um3/min.
    holds: f64,
    /// Red cells, um3/min.
    cells: f64,
}

impl Arrived {
    fn add(&mut self, flow: f64, holds: f64, haematocrit: f32) {
        self.flow += flow;
        self.holds += flow * holds;
        self.cells += flow * f64::from(haematocrit);
    }

    /// The level in it, of all mixed, found from a guess on; `otherwise` where nothing that is perfused has come.
    fn level(&self, carrier: &Carrier, guess: f32, otherwise: f32) -> f32 {
        if self.flow <= 0.0 {
            return otherwise;
        }
        let haematocrit = (self.cells / self.flow) as f32;
        let holds = (self.holds / self.flow) as f32;
        carrier.level((1.0, 0.0), haematocrit, holds, guess)
    }
}

/// What is needed to follow the blood of a site.
pub struct Carried<'a> {
    /// The vessels.
    pub network: &'a Network,
    /// Their segments in the order of the flow.
    pub order: &'a FlowOrder,
    /// The molecule.
    pub molecule: &'a Molecule,
    /// What blood binds of it.
    pub carrier: Carrier<'a>,
    /// Its level in the blood that enters.
    pub entering: f32,
    /// How it passes walls.
    pub parameters: &'a VesselExchangeParameters,
    /// The fluid in the tissue, if it is looked at.
    pub fluid: Option<&'a Interstitium>,
}

impl Carried<'_> {
    /// Follows the blood; `value` is the level in a voxel of the site.
    pub fn follow(
        &self,
        exchange: &mut BloodExchange,
        arrived: &mut Vec<Arrived>,
        value: impl Fn(u32) -> f32,
    ) {
        let network = self.network;
        let block = network.block();
        let (voxels, voxel_um3) = (block.voxels(), block.voxel_volume_um3());
        let width = bevy::math::ops::cbrt(voxel_um3);
        let pieces = network.crossings().all();
        let shape = Shape::of(network);
        let is_known = exchange.level.len() == pieces.len() && exchange.shape == shape;
        if !is_known {
            exchange.shape = shape;
            exchange.level.clear();
            exchange.level.resize(pieces.len(), 0.0);
            exchange.exchange = VesselExchange::none(voxels);
        }
        let (rates, levels) = exchange.exchange.parts_mut();
        for voxel in network.crossings().voxels() {
            rates[*voxel as usize] = 0.0;
            levels[*voxel as usize] = 0.0;
        }
        self.enter(arrived);
        let mut given = 0.0;
        for at in &self.order.segments {
            let at = *at as usize;
            let segment = &network.segments()[at];
            let [up, down] = up_and_down(network, at);
            let flow = segment.flow_um3_per_min.abs();
            let g = conductance_um2_per_min(self.molecule, segment, self.parameters, width);
            let range = network.crossings().places_of_segment(at);
            let count = range.len();
            let is_along = up == network.ends()[at][0] as usize;
            let place_of = |n: usize| range.start + if is_along { n } else { count - 1 - n };
            // It is mostly what it was before.
            let guess = if is_known && count > 0 {
                exchange.level[place_of(0)]
            } else {
                self.entering
            };
            let mut level = arrived[up].level(&self.carrier, guess, self.entering);
            let begins = f64::from(self.carrier.content(level, segment.haematocrit).0);
            let mut holds = begins;
            for n in 0..count {
                let place = place_of(n);
                let piece = &pieces[place];
                let wall = WallPassage {
                    diffusion_per_min: g * piece.length_um / voxel_um3,
                    water_per_min: self.water(segment, piece.voxel, piece.length_um),
                    reflection: self.molecule.wall_reflection,
                };
                // `rate (factor P_b - p)`.
                let (rate, factor) = through_wall(wall, 1.0);
                let (a, b) = (rate * factor * voxel_um3, rate * voxel_um3);
                let p = value(piece.voxel);
                // What it gives is `fixed + pull P`, of the mean `P` along the piece, and that follows from the level at both ends.
                let (fixed, pull) = if is_known {
                    let was = exchange.level[place];
                    ((1.0 - YIELD) * a * was - b * p, YIELD * a)
                } else {
                    (-b * p, a)
                };
                let slope = self.carrier.content(level, segment.haematocrit).1;
                let late = share_of_end(a / (flow as f32 * slope));
                let begin = (1.0 - late) * level;
                let brought = flow * holds;
                let sum = brought - f64::from(fixed) - f64::from(pull) * f64::from(begin);
                level = self.carrier.level(
                    (flow as f32, pull * late),
                    segment.haematocrit,
                    sum as f32,
                    level,
                );
                let mean = begin + late * level;
                let gives = f64::from(fixed) + f64::from(pull) * f64::from(mean);
                holds = ((brought - gives) / flow).max(0.0);
                exchange.level[place] = mean;
                let voxel = piece.voxel as usize;
                rates[voxel] += rate;
                levels[voxel] += rate * factor * mean;
            }
            given += flow * (begins - holds);
            arrived[down].add(flow, holds, segment.haematocrit);
        }
        for voxel in network.crossings().voxels() {
            let voxel = *voxel as usize;
            if rates[voxel] > 0.0 {
                levels[voxel] /= rates[voxel];
            }
        }
        exchange.given = given;
    }

    /// What enters each node from outside.
    fn enter(&self, arrived: &mut Vec<Arrived>) {
        arrived.clear();
        for (at, node) in self.network.nodes().iter().enumerate() {
            let mut into = Arrived::default();
            if let Some(port) = node.port {
                let enters = net_outflow(self.network, at);
                if enters > 0.0 {
                    let (holds, _) = self.carrier.content(self.entering, port.haematocrit);
                    into.add(enters, f64::from(holds), port.haematocrit);
                }
            }
            arrived.push(into);
        }
    }

    /// Water that a piece of a segment lets into its voxel, 1/min: its share of what all walls there do.
    fn water(&self, segment: &Segment, voxel: u32, length_um: f32) -> f32 {
        let Some(fluid) = self.fluid.filter(|fluid| fluid.is_known()) else {
            return 0.0;
        };
        let all = fluid.terms.drawn_rate.get(voxel as usize).copied();
        let own = super::walls::filtration(
            self.parameters,
            segment,
            length_um,
            self.network.block().voxel_volume_um3(),
        );
        match all {
            Some(all) if all > 0.0 => fluid.drawn_per_min(voxel as usize) * (own / all).min(1.0),
            _ => 0.0,
        }
    }
}

/// Follows what the blood of each site carries, of molecules that are due; and what passes walls of the others, where that has changed.
pub fn carry_in_blood(
    clock: Res<Clock>,
    molecules: Res<Molecules>,
    parameters: Res<VesselExchangeParameters>,
    sites: Res<Sites>,
    networks: Query<(&Network, &FlowOrder, Option<&Interstitium>)>,
    mut fields: Query<(&FieldSupply, &FieldValues, &mut BloodExchange)>,
    (mut arrived, mut curve): (Local<Vec<Arrived>>, Local<Curve>),
) {
    for site in &sites.list {
        let Ok((network, order, fluid)) = networks.get(site.entity) else {
            continue;
        };
        for field in &site.fields {
            let molecule = molecules.get(field.molecule);
            let Ok((supply, values, mut exchange)) = fields.get_mut(field.entity) else {
                continue;
            };
            if molecule.crosses_vessel_walls {
                if !is_due(&clock, molecule) {
                    continue;
                }
                let carrier = if molecule.name == OXYGEN {
                    parameters.haemoglobin(&mut curve, molecule.nm_per_unit)
                } else {
                    Carrier::default()
                };
                let carried = Carried {
                    network,
                    order,
                    molecule,
                    carrier,
                    entering: supply.level,
                    parameters: &parameters,
                    fluid,
                };
                let exchange = &mut *exchange;
                let value = |voxel| values.0[field.grid.voxel(voxel) as usize];
                carried.follow(exchange, &mut arrived, value);
            } else {
                let solve = fluid.map_or(0, |fluid| fluid.solves);
                let now = Some((network.lived_until(), solve));
                // What is in blood may change in every step, and counts when the field is solved.
                let takes_blood = exchange.of.is_none() || is_due(&clock, molecule);
                let blood = if takes_blood {
                    supply.level
                } else {
                    exchange.blood
                };
                let is_other_blood = exchange.blood != blood;
                let is_other = exchange.of != now
                    || is_other_blood
                    || molecules.is_changed()
                    || parameters.is_changed();
                if is_other {
                    exchange.of = now;
                    exchange.blood = blood;
                    let parts = super::walls::Proteins {
                        network,
                        order,
                        molecule,
                        blood,
                        parameters: &parameters,
                        fluid,
                    };
                    parts.pass(&mut exchange.exchange);
                }
            }
        }
    }
}
