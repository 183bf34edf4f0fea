//! Water and proteins through the walls of drawn vessels.
//!
//! A wall of the permeability `k` over a normal one lets `k^2 L_p` of water through (its pores are wider, not more), `k P` of a molecule, and holds
//! back a share `1 - k (1 - sigma)` of what is in the water, but not less than none.

use bevy::prelude::*;

use super::super::network::{Network, Segment};
use super::VesselExchangeParameters;
use super::carriage::FlowOrder;
use crate::tissue::Molecule;
use crate::tissue::interstitium::{DrawnWalls, Interstitium, through_wall};
use crate::tissue::medium::VesselExchange;

/// What a piece of a segment lets through of water, `L_p S/V`, 1/(mmHg min).
pub fn filtration(
    parameters: &VesselExchangeParameters,
    segment: &Segment,
    length_um: f32,
    voxel_um3: f32,
) -> f32 {
    let surface = std::f32::consts::TAU * segment.radius_um * length_um / voxel_um3;
    let wider = bevy::math::ops::powf(segment.permeability, parameters.wall_conductivity_exponent);
    parameters.wall_conductivity_um_per_mmhg_min * wider * surface
}

/// Says what water the walls of vessels let through, where the flow has changed.
pub fn filter_water(
    parameters: Res<VesselExchangeParameters>,
    mut networks: Query<(Ref<Network>, &FlowOrder, &mut DrawnWalls), With<Interstitium>>,
) {
    for (network, order, mut walls) in &mut networks {
        if !network.is_changed() && !parameters.is_changed() && !walls.rate_per_mmhg_min.is_empty()
        {
            continue;
        }
        let block = network.block();
        let DrawnWalls {
            rate_per_mmhg_min: rates,
            effective_mmhg: effective,
        } = &mut *walls;
        for list in [&mut *rates, &mut *effective] {
            list.clear();
            list.resize(block.voxels(), 0.0);
        }
        let mut perfused: Vec<u32> = order.segments.clone();
        perfused.sort_unstable();
        for at in perfused {
            let at = at as usize;
            let segment = &network.segments()[at];
            let [from, to] = network.pressures_mmhg(at);
            let oncotic = parameters.reflection_of(segment.permeability)
                * (parameters.plasma_oncotic_mmhg - parameters.tissue_oncotic_mmhg);
            let mut along = 0.0;
            for piece in network.crossings().of_segment(at) {
                let middle = (along + 0.5 * piece.length_um) / segment.length_um;
                along += piece.length_um;
                let pressure = (from + (to - from) * f64::from(middle)) as f32;
                let rate = filtration(
                    &parameters,
                    segment,
                    piece.length_um,
                    block.voxel_volume_um3(),
                );
                rates[piece.voxel as usize] += rate;
                effective[piece.voxel as usize] += rate * (pressure - oncotic);
            }
        }
        for (effective, rate) in effective.iter_mut().zip(&*rates) {
            if *rate > 0.0 {
                *effective /= rate;
            }
        }
    }
}

/// What is needed to know how a protein passes the walls of a site.
pub struct Proteins<'a> {
    /// The vessels.
    pub network: &'a Network,
    /// Those that are perfused.
    pub order: &'a FlowOrder,
    /// The molecule.
    pub molecule: &'a Molecule,
    /// Its level in blood.
    pub blood: f32,
    /// How it passes walls.
    pub parameters: &'a VesselExchangeParameters,
    /// The fluid in the tissue, if it is looked at.
    pub fluid: Option<&'a Interstitium>,
}

impl Proteins<'_> {
    /// Works out what it exchanges.
    pub fn pass(&self, exchange: &mut VesselExchange) {
        let network = self.network;
        let block = network.block();
        let voxel_um3 = block.voxel_volume_um3();
        *exchange = VesselExchange::none(block.voxels());
        let (rates, levels) = exchange.parts_mut();
        let fluid = self.fluid.filter(|fluid| fluid.is_known());
        for (place, voxel) in network.crossings().voxels().iter().enumerate() {
            let voxel = *voxel as usize;
            for piece in network.crossings().in_voxel(place) {
                let segment = &network.segments()[piece.segment as usize];
                if !segment.perfused {
                    continue;
                }
                let surface =
                    std::f32::consts::TAU * segment.radius_um * piece.length_um / voxel_um3;
                let own = filtration(self.parameters, segment, piece.length_um, voxel_um3);
                let all = fluid.and_then(|fluid| fluid.terms.drawn_rate.get(voxel).copied());
                let water = match (fluid, all) {
                    (Some(fluid), Some(all)) if all > 0.0 => {
                        fluid.drawn_per_min(voxel) * (own / all).min(1.0)
                    }
                    _ => 0.0,
                };
                let wall = self.molecule.passage(segment.permeability, surface, water);
                let (rate, level) = through_wall(wall, self.blood);
                rates[voxel] += rate;
                levels[voxel] += rate * level;
            }
            if rates[voxel] > 0.0 {
                levels[voxel] /= rates[voxel];
            }
        }
    }
}
