//! How the pores of the matrix hold back whatever moves through it.
//!
//! The speed of cells falls linearly with the cross-section `A` of pores, from full at `A_ref` to none at `A_0`, where their nucleus is
//! stuck: `clamp((A - A_0) / (A_ref - A_0), 0, 1)` (Wolf et al. 2013, J Cell Biol 201:1069, doi:10.1083/jcb.201210152). The pore that
//! counts is the one in front of the leading edge in the direction of the displacement, and *every* displacement is scaled by it,
//! walking, a push, a pull or the division of a mother: pushed at 0.1 um/min, most cells would otherwise leak through a closed layer.
//! So the pores are a [`Barrier`] of their site; [`show_pores`] fills them in `Perceive`.

use bevy::prelude::*;

use super::{Matrix, MatrixParameters, RemodellingParameters};
use crate::cell::barrier::{Barrier, BarrierKind, Displaced, SiteBarriers};
use crate::cell::motility::LEADING_EDGE_UM;
use crate::core::parallel::for_each_chunk_mut2;
use crate::core::parameters::PerType;
use crate::core::saturation::ramp;
use crate::tissue::{Scaffold, TissueBlock};

/// Pores looked at on one way, at most.
const MOST_STRIDES: f32 = 64.0;

/// Voxels for one piece of work.
const VOXELS: usize = 8192;

/// Share of a displacement that pores of `pore_um2` let through, where cells are stuck in pores of `arrest_um2` and pores of `free_um2`
/// slow nobody.
#[inline]
pub fn passage(pore_um2: f32, arrest_um2: f32, free_um2: f32) -> f32 {
    ramp(pore_um2, arrest_um2, free_um2)
}

/// The pores of a site in this step.
#[derive(Clone, Debug)]
pub struct Pores {
    block: TissueBlock,
    /// Cross-section in each voxel, um2.
    pore_um2: Vec<f32>,
    /// The least of these, um2.
    tightest_um2: f32,
    /// Cross-section without any matrix of which that was worked out, um2.
    of_um2: f32,
    /// That of pores that slow nobody, `A_ref`, um2.
    free_um2: f32,
    /// Where cells of each type are stuck, `A_0`, um2.
    arrest_um2: Vec<f32>,
}

impl Pores {
    /// Those of a site, without any matrix yet.
    pub fn of(block: TissueBlock) -> Self {
        Self {
            pore_um2: vec![f32::INFINITY; block.voxels()],
            tightest_um2: f32::INFINITY,
            of_um2: f32::NAN,
            block,
            free_um2: 0.0,
            arrest_um2: Vec::new(),
        }
    }

    /// Share of its way from one place to another, um, that a cell goes: that of the tightest pore from its leading edge to where that
    /// would come to lie.
    #[inline]
    fn room(&self, (from, to): (Vec3, Vec3), radius_um: f32, arrest_um2: f32) -> f32 {
        let way = to - from;
        let length = way.length();
        if length <= 0.0 {
            return 1.0;
        }
        let edge = from + way * ((radius_um + LEADING_EDGE_UM) / length);
        let passes = |point: Vec3| {
            let pore = self.pore_um2[self.block.voxel_at(point) as usize];
            passage(pore, arrest_um2, self.free_um2)
        };
        let mut share = passes(edge);
        // Across a corner the edge may lie in the open and the way not.
        if self.block.voxel_at(to) != self.block.voxel_at(from) {
            share = share.min(passes(to));
        }
        // A displacement as long as a voxel must not jump one.
        let stride = self.block.voxel_um.min_element() * 0.5;
        if length > stride {
            let strides = (length / stride).ceil().min(MOST_STRIDES);
            for stride in 1..=strides as u32 {
                share = share.min(passes(edge + way * (stride as f32 / strides)));
            }
        }
        share
    }
}

impl Barrier for Pores {
    fn kind(&self) -> BarrierKind {
        BarrierKind::Slows
    }

    fn hold(&self, body: Displaced, from: Vec3, to: Vec3) -> Vec3 {
        let of_type = self.arrest_um2.get(usize::from(body.cell_type));
        let arrest_um2 = of_type.copied().unwrap_or(0.0);
        // In loose tissue no pore slows anybody.
        if self.tightest_um2 >= self.free_um2.max(arrest_um2) {
            return to;
        }
        let share = self.room((from, to), body.radius_um, arrest_um2);
        if share >= 1.0 {
            to
        } else {
            from + share * (to - from)
        }
    }
}

/// Shows the matrix of each site to what moves in it: pores to all that displaces cells, fibres to those who follow them.
pub fn show_pores(
    parameters: Res<MatrixParameters>,
    remodelling: Res<PerType<RemodellingParameters>>,
    mut sites: Query<(Ref<Matrix>, &mut SiteBarriers, &mut Scaffold)>,
) {
    let parameters = &*parameters;
    for (matrix, mut barriers, mut scaffold) in &mut sites {
        let Some(pores) = barriers.bypass_change_detection().get_mut::<Pores>() else {
            continue;
        };
        pores.free_um2 = parameters.free_pore_area_um2;
        pores.arrest_um2.clear();
        let of_types = remodelling.0.iter();
        pores.arrest_um2.extend(of_types.map(|of| {
            of.as_ref()
                .map_or(RemodellingParameters::TUMOUR_ARREST_UM2, |of| {
                    of.arrest_pore_um2
                })
        }));
        let scaffold = scaffold.bypass_change_detection();
        let is_shown = pores.of_um2 == parameters.pore_area_um2
            && scaffold.full_density == parameters.contact_density;
        if is_shown && !matrix.is_changed() {
            continue;
        }
        pores.of_um2 = parameters.pore_area_um2;
        scaffold.full_density = parameters.contact_density;
        scaffold.fibres.clone_from(&matrix.fibres);
        scaffold.density.resize(matrix.density.len(), 0.0);
        for_each_chunk_mut2(
            &mut pores.pore_um2,
            &mut scaffold.density,
            VOXELS,
            |start, pores, densities| {
                let now = &matrix.density[start..];
                for ((pore, shown), density) in pores.iter_mut().zip(densities).zip(now) {
                    *pore = parameters.pore_um2(*density);
                    *shown = *density;
                }
            },
        );
        pores.tightest_um2 = pores.pore_um2.iter().copied().fold(f32::INFINITY, f32::min);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::CellId;

    /// Open but for the third of five voxels, with pores as given.
    fn with_barrier(pore_um2: f32) -> Pores {
        let block = TissueBlock {
            name: "block".into(),
            min_um: Vec3::ZERO,
            dims: UVec3::new(5, 1, 1),
            voxel_um: Vec3::splat(20.0),
            walls: true,
            perfusion_length_um: None,
        };
        Pores {
            pore_um2: vec![100.0, 100.0, pore_um2, 100.0, 100.0],
            tightest_um2: pore_um2,
            free_um2: 30.0,
            arrest_um2: vec![7.0],
            ..Pores::of(block)
        }
    }

    /// Where a cell of 8 um comes to that is displaced along x.
    fn reached(pores: &Pores, from: f32, to: f32) -> f32 {
        let at = |x: f32| Vec3::new(x, 10.0, 10.0);
        let body = Displaced {
            cell: CellId(0),
            cell_type: 0,
            radius_um: 8.0,
            in_plane: false,
        };
        pores.hold(body, at(from), at(to)).x
    }

    #[test]
    fn the_pore_ahead_holds_back_whatever_the_cause_and_the_one_behind_does_not() {
        let barrier = with_barrier(18.5);
        // The edge is 12 um ahead: free at 27, in the pore at 29, and free to go back.
        assert_eq!(reached(&barrier, 27.0, 27.5), 27.5);
        assert!((reached(&barrier, 29.0, 29.5) - 29.25).abs() < 1e-5);
        assert_eq!(reached(&barrier, 29.0, 28.5), 28.5);
    }

    #[test]
    fn no_displacement_jumps_a_closed_voxel() {
        let closed = with_barrier(6.9);
        for (from, to) in [(29.0, 29.5), (29.0, 45.0), (29.0, 95.0), (10.0, 95.0)] {
            assert_eq!(reached(&closed, from, to), from, "to {to}");
        }
    }

    #[test]
    fn cells_pass_pores_as_wolf_found() {
        // Full speed in pores of 30 um2 and more, none at the arrest area, half in the middle, linear between.
        for arrest in [7.0, 4.0, 2.0] {
            assert_eq!(passage(30.1, arrest, 30.0), 1.0);
            assert_eq!(passage(arrest * 0.99, arrest, 30.0), 0.0);
            assert_eq!(passage(0.5 * (30.0 + arrest), arrest, 30.0), 0.5);
        }
    }
}
