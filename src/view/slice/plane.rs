//! Cutting a plane out of a voxel field, finely enough to look smooth.

use crate::scene::Slice;
use crate::scene::look::Axis;
use bevy::math::{UVec3, Vec3};

use crate::simulation::FieldSnapshot;

/// Texels along the longer side of the resampled plane, at most.
const MAX_TEXELS: usize = 384;

/// A field along a plane, row by row, with the side lengths in texels; NaN where there is no value.
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
    if !value.is_finite() {
        // Beside a place without a value: that of the nearer of the two, which may have none itself.
        return if s < 0.5 { p[1] } else { p[2] };
    }
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
            values: vec![f32::NAN],
        };
    }
    if !is_inside(field, slice) {
        // Nothing is known beside the block.
        return Plane {
            size: [1, 1],
            values: vec![f32::NAN],
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

/// Whether a plane shows places of which nothing is known: beside the block, or where the field has no value.
pub fn has_gaps(field: &FieldSnapshot, slice: &Slice) -> bool {
    !is_inside(field, slice) || field.values.iter().any(|value| !value.is_finite())
}

/// Whether the plane meets the block of the field.
fn is_inside(field: &FieldSnapshot, slice: &Slice) -> bool {
    let [.., w] = axes_of(slice.axis);
    let depth_um = field.dims.to_array()[w] as f32 * field.spacing_um[w];
    (0.0..=depth_um).contains(&(slice.at_um - field.origin_um[w]))
}

/// The field at a place inside its block, linear between the middles of voxels.
fn value_at(field: &FieldSnapshot, place: Vec3) -> Option<f32> {
    let at = (place - field.origin_um) / field.spacing_um - 0.5;
    let last = field.dims.as_vec3() - 1.0;
    if at.cmplt(Vec3::splat(-0.5)).any() || at.cmpgt(last + 0.5).any() {
        return None;
    }
    let at = at.clamp(Vec3::ZERO, last.max(Vec3::ZERO));
    let low = at.floor();
    let part = at - low;
    let low = low.as_uvec3();
    let high = (low + 1).min(field.dims.saturating_sub(UVec3::ONE));
    let read = |x: u32, y: u32, z: u32| {
        let index = x + field.dims.x * (y + field.dims.y * z);
        field.values.get(index as usize).copied()
    };
    let mut sum = 0.0;
    for corner in 0..8_u32 {
        let pick = |bit: u32, low: u32, high: u32, part: f32| {
            if corner >> bit & 1 == 1 {
                (high, part)
            } else {
                (low, 1.0 - part)
            }
        };
        let (x, along_x) = pick(0, low.x, high.x, part.x);
        let (y, along_y) = pick(1, low.y, high.y, part.y);
        let (z, along_z) = pick(2, low.z, high.z, part.z);
        sum += along_x * along_y * along_z * read(x, y, z)?;
    }
    Some(sum)
}

/// The first place, going from `from` in a direction of the plane (from its first axis towards its second, radians), at
/// which the field crosses a level; nothing if it does not.
pub fn place_where(
    field: &FieldSnapshot,
    slice: &Slice,
    from: Vec3,
    turn: f32,
    level: f32,
) -> Option<Vec3> {
    let [u, v, w] = axes_of(slice.axis);
    let (sin, cos) = bevy::math::ops::sin_cos(turn);
    let mut step = Vec3::ZERO;
    (step[u], step[v]) = (cos, sin);
    step *= 0.25 * field.spacing_um.min_element();
    let mut start = from;
    start[w] = slice.at_um;
    let mut before = value_at(field, start)?;
    for number in 1_u32.. {
        let here = value_at(field, start + step * number as f32)?;
        if (before - level) * (here - level) <= 0.0 && before != here {
            let part = (level - before) / (here - before);
            return Some(start + step * (number as f32 - 1.0 + part));
        }
        before = here;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tissue::molecule::testing::molecule;

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
    fn the_place_of_a_level_lies_on_the_level() {
        let field = field(UVec3::new(10, 20, 30), |p| 3.0 + 0.2 * p.x + 0.1 * p.y);
        let slice = Slice {
            molecule: "oxygen".into(),
            axis: Axis::Z,
            at_um: 12.0,
        };
        let from = Vec3::new(-40.0, 60.0, 0.0);
        for turn in [0.0_f32, 0.4, -0.3] {
            let place = place_where(&field, &slice, from, turn, 10.0).expect("it is crossed");
            let value = 3.0 + 0.2 * place.x + 0.1 * place.y;
            assert!((value - 10.0).abs() < 0.01, "{place} has {value}");
            assert_eq!(place.z, 12.0);
        }
        assert_eq!(place_where(&field, &slice, from, 0.0, 1.0e3), None);
    }

    #[test]
    fn where_nothing_is_known_there_is_no_value_and_beside_it_the_known_ones_stay() {
        let mut field = field(UVec3::new(6, 6, 6), |p| p.x);
        let at = |field: &FieldSnapshot, at_um| {
            let slice = Slice {
                molecule: "oxygen".into(),
                axis: Axis::Z,
                at_um,
            };
            plane_of(field, &slice)
        };
        let beside = at(&field, -31.0).values;
        assert!(beside.iter().all(|value| value.is_nan()), "{beside:?}");
        field.values.fill(2.0);
        for z in 0..6 {
            field.values[3 + 6 * (2 + 6 * z)] = f32::NAN;
        }
        let plane = at(&field, -16.0);
        let finer = plane.size[0] / 6;
        for (index, value) in plane.values.iter().enumerate() {
            let (i, j) = (index % plane.size[0] / finer, index / plane.size[0] / finer);
            assert_eq!(value.is_nan(), (i, j) == (3, 2), "voxel {i} {j}: {value}");
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
