//! The vessels of the host tissue, and how cells displace them.
//!
//! What supplies a perfused site besides its faces is the blood of the host, everywhere alike at the start; what supplies a
//! stirred one is the medium between the cells. Either gives way where cells crowd: of the supply of a voxel
//! `w = max(0, 1 - s / s_0)` is left, where `s` is the share of space that is tissue made up of cells *around* it, in a cube as wide as a
//! capillary with the tissue it feeds at once is ([`TransportParameters::vessel_reach_um`]), or as the largest cells are
//! ([`TransportParameters::stirring_reach_um`]). A finer grid thus sees no supply in the gaps between the centres of cells, and the
//! same tissue is supplied alike on grids of 10, 20 and 40 um. What was lost does not come back by itself.
//!
//! [`share_out_cells`] and [`lose_host_vessels`] run first in `Transport`.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::TissueBlock;
use super::transport::{CellVolume, TransportParameters};
use crate::core::parallel::for_each_chunk_mut;

/// Voxels handled by one piece of a parallel loop.
const CHUNK: usize = 16_384;

/// Share of the host's vessels that is left in each voxel of a site, 0-1; never grows by itself.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostVessels(pub Vec<f32>);

/// A site whose vessels are drawn: what supplies it are they, and none of the host's besides.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct DrawnVessels;

/// The share of space around each voxel of a site that is tissue made up of cells ([`CellVolume`]); worked out in every step.
#[derive(Component, Clone, Debug, Default)]
pub struct CellShare {
    /// Whether medium is stirred around the cells, in place of blood in vessels.
    pub is_stirred: bool,
    shares: Vec<f32>,
    scratch: Vec<f32>,
    taps: Vec<f32>,
}

impl CellShare {
    /// That of a site that is perfused or stirred.
    pub fn new(is_stirred: bool) -> Self {
        Self {
            is_stirred,
            ..Self::default()
        }
    }

    /// The share around each voxel, `x` fastest; may be above 1 where more is booked than a voxel holds.
    pub fn shares(&self) -> &[f32] {
        &self.shares
    }

    /// Works it out from the shares of the voxels themselves.
    fn fill(&mut self, block: &TissueBlock, own: impl Fn(usize) -> f32 + Sync, reach_um: f32) {
        let voxels = block.voxels();
        self.shares.resize(voxels, 0.0);
        for_each_chunk_mut(&mut self.shares, CHUNK, |start, piece| {
            for (i, share) in piece.iter_mut().enumerate() {
                *share = own(start + i);
            }
        });
        let dims = block.dims.to_array().map(|n| n as usize);
        let strides = [1, dims[0], dims[0] * dims[1]];
        for axis in 0..3 {
            taps(block.voxel_um[axis], reach_um, &mut self.taps);
            if self.taps.len() == 1 || dims[axis] == 1 {
                continue;
            }
            self.scratch.resize(voxels, 0.0);
            let (from, taps) = (&self.shares, &self.taps);
            let (stride, n) = (strides[axis], dims[axis]);
            for_each_chunk_mut(&mut self.scratch, CHUNK, |start, piece| {
                for (i, mean) in piece.iter_mut().enumerate() {
                    let voxel = start + i;
                    *mean = mean_along(from, voxel, voxel / stride % n, stride, n, taps);
                }
            });
            std::mem::swap(&mut self.shares, &mut self.scratch);
        }
    }
}

/// How much the voxel itself and those at each distance from it count, along an axis: by the part of the reach that is in them.
fn taps(voxel_um: f32, reach_um: f32, taps: &mut Vec<f32>) {
    let half = 0.5 * reach_um / voxel_um;
    taps.clear();
    if half <= 0.5 {
        taps.push(1.0);
        return;
    }
    taps.push(0.5 / half);
    let mut inner = 0.5_f32;
    while inner < half {
        taps.push(0.5 * (half - inner).min(1.0) / half);
        inner += 1.0;
    }
}

/// The mean over the voxels around one along an axis, as far as there are any.
#[inline]
fn mean_along(
    from: &[f32],
    voxel: usize,
    place: usize,
    stride: usize,
    n: usize,
    taps: &[f32],
) -> f32 {
    let (mut sum, mut weight) = (taps[0] * from[voxel], taps[0]);
    for (distance, tap) in taps.iter().enumerate().skip(1) {
        if place >= distance {
            sum += tap * from[voxel - distance * stride];
            weight += tap;
        }
        if place + distance < n {
            sum += tap * from[voxel + distance * stride];
            weight += tap;
        }
    }
    sum / weight
}

/// Finds how much of the space around each voxel is tissue made up of cells.
pub(super) fn share_out_cells(
    parameters: Res<TransportParameters>,
    mut sites: Query<(&TissueBlock, &CellVolume, &mut CellShare)>,
) {
    for (block, volume, mut share) in &mut sites {
        let reach_um = if share.is_stirred {
            parameters.stirring_reach_um
        } else {
            parameters.vessel_reach_um
        };
        share.fill(block, |voxel| volume.0.share(voxel), reach_um);
    }
}

/// The share of its supply that a voxel has left where that share of the space around it is tissue.
fn supply_left(share: f32, gone_at: f32) -> f32 {
    (1.0 - share / gone_at).max(0.0)
}

/// Host vessels give way where cells crowd.
pub(super) fn lose_host_vessels(
    parameters: Res<TransportParameters>,
    mut sites: Query<(&CellShare, &mut HostVessels)>,
) {
    let gone_at = parameters.vessels_lost_at_cell_share;
    for (share, mut vessels) in &mut sites {
        for_each_chunk_mut(&mut vessels.0, CHUNK, |start, piece| {
            let shares = &share.shares[start..start + piece.len()];
            for (left, share) in piece.iter_mut().zip(shares) {
                *left = left.min(supply_left(*share, gone_at));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reach_is_shared_out_among_the_voxels_it_covers() {
        for (voxel_um, reach_um, expected) in [
            (40.0, 40.0, vec![1.0]),
            (50.0, 40.0, vec![1.0]),
            (20.0, 40.0, vec![0.5, 0.25]),
            (10.0, 40.0, vec![0.25, 0.25, 0.125]),
            (10.0, 20.0, vec![0.5, 0.25]),
        ] {
            let mut found = Vec::new();
            taps(voxel_um, reach_um, &mut found);
            assert_eq!(found, expected, "{voxel_um} um");
            let sum = 2.0 * found.iter().sum::<f32>() - found[0];
            assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        }
    }

    #[test]
    fn a_lone_cell_leaves_three_quarters_of_the_supply_and_the_surface_of_a_mass_none() {
        let parameters = TransportParameters::default();
        let edge_um = parameters.vessel_reach_um;
        let cube_um3 = edge_um * edge_um * edge_um;
        let of_a_cell_um3 = 2494.0 / crate::cell::contact::CONFLUENT_SHARE;
        let cells_left = |cells: f32| {
            let share = cells * of_a_cell_um3 / cube_um3;
            supply_left(share, parameters.vessels_lost_at_cell_share)
        };
        assert!((cells_left(1.0) - 0.75).abs() < 0.01);
        assert!(cells_left(3.0) > 0.2 && cells_left(4.0) == 0.0);
        assert!((cube_um3 / of_a_cell_um3 - 13.0).abs() < 0.3);
        assert_eq!(supply_left(0.5, parameters.vessels_lost_at_cell_share), 0.0);
    }

    #[test]
    fn the_share_around_a_point_is_the_same_on_any_grid_and_nothing_is_lost_at_walls() {
        // Tissue that fills the half with x < 0 of a block of 240 um.
        let share_at = |voxel_um: f32| {
            let n = (240.0 / voxel_um) as u32;
            let block = TissueBlock {
                name: "block".into(),
                min_um: Vec3::splat(-120.0),
                dims: UVec3::splat(n),
                voxel_um: Vec3::splat(voxel_um),
                walls: true,
                perfusion_length_um: Some(100.0),
            };
            let mut share = CellShare::new(false);
            let is_full = |voxel: usize| {
                let x = -120.0 + (voxel as u32 % n) as f32 * voxel_um;
                f32::from(u8::from(x < -1.0))
            };
            share.fill(&block, is_full, 40.0);
            // Means over 40 um, in which both grids fit.
            let row = |range: std::ops::Range<f32>| {
                let mut found = Vec::new();
                for x in 0..n {
                    let middle = -120.0 + (x as f32 + 0.5) * voxel_um;
                    if range.contains(&middle) {
                        found.push(share.shares()[x as usize]);
                    }
                }
                found.iter().sum::<f32>() / found.len() as f32
            };
            [
                row(-120.0..-80.0),
                row(-40.0..0.0),
                row(0.0..40.0),
                row(80.0..120.0),
            ]
        };
        for voxel_um in [10.0, 20.0] {
            let found = share_at(voxel_um);
            // Within 20 um of the face the share falls evenly from 1 over 1/2 to 0.
            for (found, expected) in found.into_iter().zip([1.0, 0.875, 0.125, 0.0]) {
                assert!(
                    (found - expected).abs() < 1e-5,
                    "{voxel_um} um: {found}, not {expected}"
                );
            }
        }
    }
}
