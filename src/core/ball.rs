//! How much of a ball lies in a box: of what a cell counts within a radius, the part in which there can be anybody.
//!
//! The volume is exact. Opposite faces cut off parts that do not meet, so that with `C_i` what lies beyond a face, `C_ij` beyond two that meet
//! in an edge and `C_ijk` beyond three that meet in a corner, `V = B - sum C_i + sum C_ij - sum C_ijk`. Each of these is a cone from the centre over
//! a patch of the sphere, less cones over plane pieces: `(R S - a A_a - b A_b - c A_c)/3`, with the distances `a`, `b`, `c` of the planes, the areas
//! `A` of what lies in them, and the area `S` of the patch by the theorem of Gauss and Bonnet,
//!
//! `S/R^2 = 2 pi - sum (a/R) phi_a - sum epsilon`,
//!
//! where `phi_a` is the angle over which the circle in the plane at `a` goes along the patch, and `epsilon` the angle by which its rim turns where the circles of two
//! planes cross, `cos epsilon = -a b / sqrt((R^2 - a^2)(R^2 - b^2))`.

use std::f64::consts::{PI, TAU};

use bevy::prelude::*;
use libm::{acos, asin, sqrt};

/// The share of a ball that lies in a box in which its centre is, 0.125-1 where the box is wider than the ball; exact.
pub fn share_in_box(center: Vec3, radius: f32, [min, max]: [Vec3; 2]) -> f32 {
    // Distances of the faces, of a ball of the radius 1. What is a little outside counts as on the face.
    let of = |distance: f32| f64::from(distance / radius).max(0.0);
    let faces = [0, 1, 2].map(|axis| [of(center[axis] - min[axis]), of(max[axis] - center[axis])]);
    if faces.as_flattened().iter().all(|face| *face >= 1.0) {
        return 1.0;
    }
    let mut volume = 4.0 / 3.0 * PI;
    for (x, y) in [(0, 1), (1, 2), (2, 0)] {
        for a in faces[x] {
            volume -= cap(a);
            for b in faces[y] {
                volume += beyond_edge(a, b);
            }
        }
    }
    for a in faces[0] {
        for b in faces[1] {
            for c in faces[2] {
                volume -= beyond_corner(a, b, c);
            }
        }
    }
    (volume / (4.0 / 3.0 * PI)).clamp(0.0, 1.0) as f32
}

/// Volume of a ball of the radius 1 beyond a plane.
fn cap(a: f64) -> f64 {
    if a >= 1.0 {
        return 0.0;
    }
    PI / 3.0 * (1.0 - a) * (1.0 - a) * (2.0 + a)
}

/// By how much the rim of a patch turns where the circles of two planes cross.
fn turn(a: f64, b: f64) -> f64 {
    acos((-a * b / sqrt((1.0 - a * a) * (1.0 - b * b))).clamp(-1.0, 1.0))
}

/// Volume beyond two planes at right angles.
fn beyond_edge(a: f64, b: f64) -> f64 {
    if a * a + b * b >= 1.0 {
        return 0.0;
    }
    // In the plane at `a` lies a segment of a disc, cut off at `b`.
    let in_plane = |a: f64, b: f64| {
        let square = 1.0 - a * a;
        let half = acos((b / sqrt(square)).min(1.0));
        (2.0 * half, square * half - b * sqrt(square - b * b))
    };
    let ((along_a, area_a), (along_b, area_b)) = (in_plane(a, b), in_plane(b, a));
    let patch = TAU - a * along_a - b * along_b - 2.0 * turn(a, b);
    ((patch - a * area_a - b * area_b) / 3.0).max(0.0)
}

/// Volume beyond three planes at right angles.
fn beyond_corner(a: f64, b: f64, c: f64) -> f64 {
    if a * a + b * b + c * c >= 1.0 {
        return 0.0;
    }
    // In the plane at `a` lies what a disc has beyond `b` and `c`.
    let in_plane = |a: f64, b: f64, c: f64| {
        let square = 1.0 - a * a;
        let wide = sqrt(square);
        let along = acos((b / wide).min(1.0)) - asin((c / wide).min(1.0));
        let end = sqrt(square - c * c);
        let below = |y: f64| {
            0.5 * (y * sqrt((square - y * y).max(0.0)) + square * asin((y / wide).min(1.0)))
        };
        (along, below(end) - below(b) - c * (end - b))
    };
    let (along_a, area_a) = in_plane(a, b, c);
    let (along_b, area_b) = in_plane(b, c, a);
    let (along_c, area_c) = in_plane(c, a, b);
    let turns = turn(a, b) + turn(b, c) + turn(c, a);
    let patch = TAU - a * along_a - b * along_b - c * along_c - turns;
    ((patch - a * area_a - b * area_b - c * area_c) / 3.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of the points of a fine lattice in a ball that lie in a box.
    fn counted(center: Vec3, radius: f32, [min, max]: [Vec3; 2]) -> f32 {
        let n = 120;
        let (mut inside, mut all) = (0_u32, 0_u32);
        let at = |i: i32| radius * ((i as f32 + 0.5) / n as f32 * 2.0 - 1.0);
        for x in 0..n {
            for y in 0..n {
                for z in 0..n {
                    let off = Vec3::new(at(x), at(y), at(z));
                    if off.length_squared() < radius * radius {
                        let point = center + off;
                        all += 1;
                        inside += u32::from(point.cmpge(min).all() && point.cmple(max).all());
                    }
                }
            }
        }
        inside as f32 / all as f32
    }

    #[test]
    fn half_of_a_ball_is_in_at_a_face_a_quarter_at_an_edge_and_an_eighth_in_a_corner() {
        let block = [Vec3::splat(-150.0), Vec3::splat(150.0)];
        for (center, share) in [
            (Vec3::ZERO, 1.0),
            (Vec3::new(50.0, 0.0, -50.0), 1.0),
            (Vec3::new(150.0, 0.0, 0.0), 0.5),
            (Vec3::new(150.0, -150.0, 0.0), 0.25),
            (Vec3::new(-150.0, 150.0, 150.0), 0.125),
            // A cap of half the radius high, pi h^2 (3 R - h)/3, is 5/32 of the ball.
            (Vec3::new(0.0, 100.0, 0.0), 27.0 / 32.0),
        ] {
            let found = share_in_box(center, 100.0, block);
            assert!((found - share).abs() < 1e-5, "{center}: {found}, {share}");
        }
    }

    #[test]
    fn the_share_is_that_of_the_points_of_a_lattice_that_lie_in_the_box() {
        for (half, center) in [
            // Near an edge and a corner, whose cuts meet within the ball.
            (Vec3::splat(150.0), Vec3::new(110.0, 90.0, 0.0)),
            (Vec3::splat(150.0), Vec3::new(-110.0, 100.0, 105.0)),
            (Vec3::splat(150.0), Vec3::new(145.0, -100.0, 120.0)),
            // In blocks that it reaches out of on all sides, and beside a corner in one of them.
            (Vec3::splat(70.0), Vec3::ZERO),
            (Vec3::splat(70.0), Vec3::new(50.0, -60.0, 30.0)),
            (Vec3::splat(40.0), Vec3::new(10.0, 0.0, -20.0)),
            // In a thin slice.
            (Vec3::new(300.0, 300.0, 10.0), Vec3::new(0.0, 0.0, 3.0)),
        ] {
            let block = [-half, half];
            let found = share_in_box(center, 100.0, block);
            let expected = counted(center, 100.0, block);
            assert!(
                (found - expected).abs() < 3e-3,
                "{center} in {half}: {found}, {expected}"
            );
        }
    }
}
