//! Where cells come into a site: through its faces, each as often as it is large.

use bevy::prelude::*;

use crate::tissue::TissueBlock;

/// A place on a face at random, from three numbers between 0 and 1, a body's radius (um) inside.
pub(super) fn door(block: &TissueBlock, [which, along, across]: [f32; 3], radius_um: f32) -> Vec3 {
    let size = block.max_um() - block.min_um;
    let areas = [size.y * size.z, size.z * size.x, size.x * size.y];
    let mut left = which * 2.0 * (areas[0] + areas[1] + areas[2]);
    let mut chosen = (0, false);
    for face in (0..3).flat_map(|axis| [(axis, false), (axis, true)]) {
        chosen = face;
        left -= areas[face.0];
        if left < 0.0 {
            break;
        }
    }
    let (axis, is_upper) = chosen;
    let mut share = Vec3::splat(if is_upper { 1.0 } else { 0.0 });
    share[(axis + 1) % 3] = along;
    share[(axis + 2) % 3] = across;
    let inset = Vec3::splat(radius_um).min(0.5 * size);
    (block.min_um + share * size).clamp(block.min_um + inset, block.max_um() - inset)
}
