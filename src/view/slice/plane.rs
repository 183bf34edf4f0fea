//! Cutting a plane out of a voxel field, finely enough to look smooth.

use crate::scene::Slice;
use crate::scene::look::Axis;
use crate::simulation::FieldSnapshot;

/// Texels along the longer side of the resampled plane, at most.
const MAX_TEXELS: usize = 384;

/// A field along a plane, row by row, with the side lengths in texels.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    /// Texels along the first and the second axis of the plane.
    pub size: [usize; 2],
    /// Values, first axis fastest.
    pub values: Vec<f32>,
}

/// The two axes that span the plane perpendicular to `axis`, and `axis` itself, as indices.
pub(super) const fn axes_of(axis: Axis) -> [usize; 3] {
    match axis {
        Axis::X => [1, 2, 0],
        Axis::Y => [0, 2, 1],
        Axis::Z => [0, 1, 2],
    }
}

/// Cubic between `p[1]` and `p[2]` that stays between them.
fn cubic(p: [f32; 4], s: f32) -> f32 {
    let value = p[1]
        + 0.5
            * s
            * (p[2] - p[0]
                + s * (2.0 * p[0] - 5.0 * p[1] + 4.0 * p[2] - p[3]
                    + s * (3.0 * (p[1] - p[2]) + p[3] - p[0])));
    value.clamp(p[1].min(p[2]), p[1].max(p[2]))
}

/// Resamples `n` values with a stride to `n x finer` values.
fn refine_line(
    read: impl Fn(usize) -> f32,
    n: usize,
    finer: usize,
    mut write: impl FnMut(usize, f32),
) {
    for i in 0..n * finer {
        let at = (i as f32 + 0.5) / finer as f32 - 0.5;
        let low = at.floor();
        let clamped = |offset: i64| {
            let index = (low as i64 + offset).clamp(0, n as i64 - 1);
            read(index as usize)
        };
        write(
            i,
            cubic([clamped(-1), clamped(0), clamped(1), clamped(2)], at - low),
        );
    }
}

/// Cuts a plane out of a field: linear between the two layers of voxels beside it, cubic within.
pub fn plane_of(field: &FieldSnapshot, slice: &Slice) -> Plane {
    let [u, v, w] = axes_of(slice.axis);
    let dims = field.dims.to_array().map(|n| n as usize);
    let strides = [1, dims[0], dims[0] * dims[1]];
    let (nu, nv) = (dims[u], dims[v]);
    if dims.contains(&0) || field.values.len() < dims.iter().product() {
        return Plane {
            size: [1, 1],
            values: vec![0.0],
        };
    }
    let at = ((slice.at_um - field.origin_um[w]) / field.spacing_um[w] - 0.5)
        .clamp(0.0, (dims[w] - 1) as f32);
    let below = (at as usize).min(dims[w].saturating_sub(2));
    let above = (below + 1).min(dims[w] - 1);
    let part = at - below as f32;
    let voxel = |i: usize, j: usize| {
        let base = i * strides[u] + j * strides[v];
        let low = field.values[base + below * strides[w]];
        let high = field.values[base + above * strides[w]];
        low + (high - low) * part
    };
    let finer = (MAX_TEXELS / nu.max(nv)).clamp(1, 6);
    let mut rows = vec![0.0; nu * finer * nv];
    for j in 0..nv {
        refine_line(
            |i| voxel(i, j),
            nu,
            finer,
            |i, value| {
                rows[i + j * nu * finer] = value;
            },
        );
    }
    let width = nu * finer;
    let mut values = vec![0.0; width * nv * finer];
    for i in 0..width {
        refine_line(
            |j| rows[i + j * width],
            nv,
            finer,
            |j, value| {
                values[i + j * width] = value;
            },
        );
    }
    Plane {
        size: [width, nv * finer],
        values,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tissue::molecule::testing::molecule;
    use bevy::math::{UVec3, Vec3};

    fn field(dims: UVec3, value: impl Fn(Vec3) -> f32) -> FieldSnapshot {
        let spacing_um = Vec3::new(20.0, 10.0, 5.0);
        let origin_um = Vec3::new(-100.0, 7.0, -30.0);
        let mut values = Vec::new();
        for z in 0..dims.z {
            for y in 0..dims.y {
                for x in 0..dims.x {
                    let at = UVec3::new(x, y, z).as_vec3() + 0.5;
                    values.push(value(origin_um + at * spacing_um));
                }
            }
        }
        FieldSnapshot {
            molecule: molecule("oxygen", 1300.0, 38.0),
            dims,
            origin_um,
            spacing_um,
            values,
        }
    }

    #[test]
    fn a_plane_through_a_linear_field_is_linear_on_every_axis() {
        let linear = |p: Vec3| 3.0 + 0.2 * p.x - 0.5 * p.y + 0.7 * p.z;
        let field = field(UVec3::new(9, 12, 14), linear);
        for (axis, at_um) in [(Axis::X, 3.0), (Axis::Y, 61.0), (Axis::Z, 9.5)] {
            let slice = Slice {
                molecule: "oxygen".into(),
                axis,
                at_um,
            };
            let plane = plane_of(&field, &slice);
            let [u, v, w] = axes_of(axis);
            let extent = field.dims.as_vec3() * field.spacing_um;
            for j in 0..plane.size[1] {
                for i in 0..plane.size[0] {
                    let mut place = field.origin_um;
                    place[u] += extent[u] * (i as f32 + 0.5) / plane.size[0] as f32;
                    place[v] += extent[v] * (j as f32 + 0.5) / plane.size[1] as f32;
                    place[w] = at_um;
                    let inset = |axis: usize| {
                        place[axis] - field.origin_um[axis] > field.spacing_um[axis] * 1.5
                            && field.origin_um[axis] + extent[axis] - place[axis]
                                > field.spacing_um[axis] * 1.5
                    };
                    if inset(u) && inset(v) {
                        let got = plane.values[i + j * plane.size[0]];
                        assert!((got - linear(place)).abs() < 0.02, "{axis:?} {got}");
                    }
                }
            }
        }
    }

    #[test]
    fn resampling_never_leaves_the_range_of_the_data() {
        let steps = |p: Vec3| if p.x > 0.0 { 40.0 } else { 0.0 };
        let field = field(UVec3::new(10, 10, 10), steps);
        let slice = Slice {
            molecule: "oxygen".into(),
            axis: Axis::Z,
            at_um: 0.0,
        };
        let plane = plane_of(&field, &slice);
        assert!(plane.values.iter().all(|v| (0.0..=40.0).contains(v)));
    }
}
