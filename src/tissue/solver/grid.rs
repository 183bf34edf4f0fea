//! The finite-volume grid of a block of tissue.
//!
//! A grid is a box of equal voxels, `x` fastest. It may have any size along any axis, one voxel
//! included (a plane or a line of tissue with closed sides), and its voxels need not be cubes.

use bevy::math::{UVec3, Vec3};

/// A box of equal voxels; site-local micrometres, `x` fastest in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Number of voxels along each axis, at least one.
    pub dims: [usize; 3],
    /// Lower corner of the box (not the centre of its first voxel), um.
    pub origin_um: Vec3,
    /// Edge lengths of a voxel, um.
    pub spacing_um: Vec3,
}

impl Grid {
    /// A grid of `dims` voxels whose lower corner lies at `origin_um`.
    ///
    /// # Panics
    /// If an axis has no voxel or a spacing that is not positive and finite.
    pub fn new(dims: [usize; 3], origin_um: Vec3, spacing_um: Vec3) -> Self {
        assert!(
            dims.iter().all(|n| *n > 0),
            "a grid has at least one voxel along each axis, found {dims:?}"
        );
        assert!(
            spacing_um.is_finite() && spacing_um.min_element() > 0.0,
            "voxel edges are positive, found {spacing_um} um"
        );
        Self {
            dims,
            origin_um,
            spacing_um,
        }
    }

    /// A grid of cubic voxels with its lower corner at the origin.
    pub fn cubic(dims: [usize; 3], spacing_um: f32) -> Self {
        Self::new(dims, Vec3::ZERO, Vec3::splat(spacing_um))
    }

    /// Number of voxels.
    pub fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// Whether the grid has no voxel; never true for a grid made by [`Grid::new`].
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Volume of one voxel, um3.
    pub fn voxel_volume_um3(&self) -> f32 {
        self.spacing_um.x * self.spacing_um.y * self.spacing_um.z
    }

    /// Edge lengths of the whole box, um.
    pub fn size_um(&self) -> Vec3 {
        self.spacing_um
            * Vec3::new(
                self.dims[0] as f32,
                self.dims[1] as f32,
                self.dims[2] as f32,
            )
    }

    /// Place of voxel `(i, j, k)` in an array over the grid.
    #[inline]
    pub fn index(&self, voxel: UVec3) -> usize {
        debug_assert!(self.holds(voxel));
        voxel.x as usize + self.dims[0] * (voxel.y as usize + self.dims[1] * voxel.z as usize)
    }

    /// Voxel `(i, j, k)` at a place in an array over the grid.
    #[inline]
    pub fn voxel(&self, index: usize) -> UVec3 {
        let row = index / self.dims[0];
        UVec3::new(
            (index % self.dims[0]) as u32,
            (row % self.dims[1]) as u32,
            (row / self.dims[1]) as u32,
        )
    }

    /// Centre of voxel `(i, j, k)`, um.
    #[inline]
    pub fn centre_um(&self, voxel: UVec3) -> Vec3 {
        self.origin_um + (voxel.as_vec3() + 0.5) * self.spacing_um
    }

    /// The voxel that contains a point, or `None` outside the box. A point on a face between two
    /// voxels belongs to the upper one.
    #[inline]
    pub fn voxel_containing(&self, point_um: Vec3) -> Option<UVec3> {
        let scaled = ((point_um - self.origin_um) / self.spacing_um).floor();
        let inside = scaled.min_element() >= 0.0
            && scaled.x < self.dims[0] as f32
            && scaled.y < self.dims[1] as f32
            && scaled.z < self.dims[2] as f32;
        inside.then(|| scaled.as_uvec3())
    }

    /// The voxel nearest to a point, wherever it lies.
    #[inline]
    pub fn nearest_voxel(&self, point_um: Vec3) -> UVec3 {
        let scaled = ((point_um - self.origin_um) / self.spacing_um).floor();
        let last = Vec3::new(
            (self.dims[0] - 1) as f32,
            (self.dims[1] - 1) as f32,
            (self.dims[2] - 1) as f32,
        );
        scaled.max(Vec3::ZERO).min(last).as_uvec3()
    }

    /// Whether `(i, j, k)` names a voxel of this grid.
    #[inline]
    pub fn holds(&self, voxel: UVec3) -> bool {
        (voxel.x as usize) < self.dims[0]
            && (voxel.y as usize) < self.dims[1]
            && (voxel.z as usize) < self.dims[2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_voxel_and_centre_agree_on_every_voxel() {
        let grid = Grid::new(
            [5, 1, 7],
            Vec3::new(-30.0, 4.0, 100.0),
            Vec3::new(20.0, 10.0, 40.0),
        );
        for index in 0..grid.len() {
            let voxel = grid.voxel(index);
            assert_eq!(grid.index(voxel), index);
            assert_eq!(grid.voxel_containing(grid.centre_um(voxel)), Some(voxel));
            assert_eq!(grid.nearest_voxel(grid.centre_um(voxel)), voxel);
        }
        assert_eq!(grid.voxel(1), UVec3::new(1, 0, 0), "x is fastest");
    }

    #[test]
    fn points_outside_have_no_voxel_but_a_nearest_one() {
        let grid = Grid::cubic([4, 3, 2], 20.0);
        for (point, nearest) in [
            (Vec3::new(-0.1, 10.0, 10.0), UVec3::new(0, 0, 0)),
            (Vec3::new(80.0, 10.0, 10.0), UVec3::new(3, 0, 0)),
            (Vec3::new(10.0, 1e6, 39.0), UVec3::new(0, 2, 1)),
        ] {
            assert_eq!(grid.voxel_containing(point), None);
            assert_eq!(grid.nearest_voxel(point), nearest);
        }
    }
}
