//! Which cell is under the pointer.
//!
//! The pictures draw cells as exact spheres, cut by a plane, so the question has an exact answer: the first
//! sphere that the ray of the pixel meets in the part that is kept, on its skin or on its cut face.

use bevy::math::ops;
use bevy::prelude::*;

use crate::scene::CameraPose;
use crate::simulation::CellGlyphs;

use super::rig::{Axes, axes};

/// A half-line from the eye.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ray {
    /// Where it starts, um.
    pub origin_um: Vec3,
    /// Where it goes, unit length.
    pub direction: Vec3,
}

/// The ray through a pixel of a picture of `size` pixels (x right, y down, from the upper left corner).
pub(super) fn ray_through(
    pose: &CameraPose,
    pixel: Vec2,
    size: Vec2,
    field_of_view_deg: f32,
) -> Ray {
    let half = ops::tan(field_of_view_deg.to_radians() * 0.5);
    let at = (pixel / size * 2.0 - 1.0) * Vec2::new(size.x / size.y, -1.0) * half;
    let Axes { forward, right, up } = axes(pose);
    Ray {
        origin_um: pose.eye_um(),
        direction: (forward + right * at.x + up * at.y).normalize(),
    }
}

/// Index of the first cell that the ray meets, and how far away, um.
///
/// `kept` is the part of space that is drawn: `p` where `dot(kept.xyz, p) + kept.w >= 0`.
pub(super) fn first_hit(cells: &CellGlyphs, ray: Ray, kept: Vec4) -> Option<(usize, f32)> {
    cells
        .sphere_um
        .iter()
        .enumerate()
        .filter_map(|(index, sphere)| Some((index, distance_to(*sphere, ray, kept)?)))
        .min_by(|(_, a), (_, b)| a.total_cmp(b))
}

/// Distance along the ray to the visible surface of a cut sphere, um.
fn distance_to([x, y, z, radius]: [f32; 4], ray: Ray, kept: Vec4) -> Option<f32> {
    let from_eye = Vec3::new(x, y, z) - ray.origin_um;
    let middle = from_eye.dot(ray.direction);
    let off_axis = from_eye - ray.direction * middle;
    let inside = radius * radius - off_axis.length_squared();
    if inside < 0.0 {
        return None;
    }
    let half_chord = inside.sqrt();
    let (enter, leave) = (middle - half_chord, middle + half_chord);
    // Where the ray is in the part that is kept: before or behind its crossing of the plane.
    let start = kept.truncate().dot(ray.origin_um) + kept.w;
    let slope = kept.truncate().dot(ray.direction);
    let (mut from, mut to) = (0.0_f32, f32::INFINITY);
    if slope > 0.0 {
        from = from.max(-start / slope);
    } else if slope < 0.0 {
        to = to.min(-start / slope);
    } else if start < 0.0 {
        return None;
    }
    let hit = enter.max(from);
    // An eye inside a cell does not see that cell.
    (enter > 0.0 && hit <= leave && hit <= to).then_some(hit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Vec4 = Vec4::W;

    fn cells(spheres: &[[f32; 4]]) -> CellGlyphs {
        CellGlyphs {
            sphere_um: spheres.to_vec(),
            ..CellGlyphs::default()
        }
    }

    fn index_of(hit: Option<(usize, f32)>) -> Option<usize> {
        hit.map(|(index, _)| index)
    }

    fn along_x(y: f32) -> Ray {
        Ray {
            origin_um: Vec3::new(-100.0, y, 0.0),
            direction: Vec3::X,
        }
    }

    #[test]
    fn the_nearest_cell_on_the_ray_is_hit_and_not_one_beside_it() {
        let cells = cells(&[
            [50.0, 0.0, 0.0, 5.0],
            [20.0, 0.0, 0.0, 5.0],
            [0.0, 30.0, 0.0, 5.0],
        ]);
        assert_eq!(index_of(first_hit(&cells, along_x(0.0), ALL)), Some(1));
        assert_eq!(index_of(first_hit(&cells, along_x(4.9), ALL)), Some(1));
        assert_eq!(index_of(first_hit(&cells, along_x(5.1), ALL)), None);
        assert_eq!(index_of(first_hit(&cells, along_x(30.0), ALL)), Some(2));
    }

    #[test]
    fn cells_behind_the_eye_are_not_hit() {
        let cells = cells(&[[-150.0, 0.0, 0.0, 5.0]]);
        assert_eq!(index_of(first_hit(&cells, along_x(0.0), ALL)), None);
    }

    #[test]
    fn what_the_cut_took_away_is_not_hit() {
        let cells = cells(&[[0.0, 0.0, 0.0, 5.0], [30.0, 0.0, 0.0, 5.0]]);
        // Kept: x >= 10.
        let kept = Vec4::new(1.0, 0.0, 0.0, -10.0);
        assert_eq!(index_of(first_hit(&cells, along_x(0.0), kept)), Some(1));
        // Kept: x <= 10.
        let kept = Vec4::new(-1.0, 0.0, 0.0, 10.0);
        assert_eq!(index_of(first_hit(&cells, along_x(0.0), kept)), Some(0));
        // Kept: y >= 1, the ray runs at y = 0.
        let kept = Vec4::new(0.0, 1.0, 0.0, -1.0);
        assert_eq!(index_of(first_hit(&cells, along_x(0.0), kept)), None);
    }

    #[test]
    fn a_cut_face_is_hit_and_lies_in_front_of_what_is_deeper() {
        // The plane x = 2 opens the large cell; the small one sits on its skin, already cut away.
        let cells = cells(&[[5.0, 0.0, 0.0, 8.0], [-5.0, 0.0, 0.0, 2.0]]);
        let kept = Vec4::new(1.0, 0.0, 0.0, -2.0);
        assert_eq!(index_of(first_hit(&cells, along_x(0.0), kept)), Some(0));
        let distance = distance_to(cells.sphere_um[0], along_x(0.0), kept).unwrap();
        assert!((distance - 102.0).abs() < 1e-3, "{distance}");
        // Beside the cut face the skin behind the plane is hit.
        let distance = distance_to(cells.sphere_um[0], along_x(7.9), kept).unwrap();
        assert!(distance > 102.0);
    }

    #[test]
    fn the_ray_through_the_centre_meets_the_target_and_corners_follow_the_lens() {
        let pose = CameraPose {
            target_um: (5.0, 6.0, 7.0),
            distance_um: 300.0,
            azimuth_deg: 20.0,
            elevation_deg: -10.0,
        };
        let size = Vec2::new(800.0, 400.0);
        let ray = ray_through(&pose, size / 2.0, size, 32.0);
        let end = ray.origin_um + ray.direction * 300.0;
        assert!(end.distance(pose.target_um.into()) < 0.01);
        let top = ray_through(&pose, Vec2::new(400.0, 0.0), size, 32.0);
        let angle = top.direction.angle_between(ray.direction).to_degrees();
        assert!((angle - 16.0).abs() < 0.01);
        assert!(top.direction.dot(axes(&pose).up) > 0.0);
        let right = ray_through(&pose, Vec2::new(800.0, 200.0), size, 32.0);
        assert!(right.direction.dot(axes(&pose).right) > 0.0);
    }

    #[test]
    fn rays_agree_with_projecting_the_cell_by_a_camera_matrix() {
        let pose = CameraPose {
            target_um: (0.0, 0.0, 0.0),
            distance_um: 500.0,
            azimuth_deg: -75.0,
            elevation_deg: 33.0,
        };
        let size = Vec2::new(640.0, 480.0);
        let camera = Transform::from_translation(pose.eye_um()).looking_at(Vec3::ZERO, Vec3::Z);
        let clip_from_world =
            Mat4::perspective_infinite_reverse_rh(32.0_f32.to_radians(), size.x / size.y, 1.0)
                * camera.to_matrix().inverse();
        for at in [Vec3::new(40.0, 10.0, -30.0), Vec3::new(-60.0, 80.0, 50.0)] {
            let ndc = clip_from_world.project_point3(at);
            let pixel = Vec2::new(ndc.x + 1.0, 1.0 - ndc.y) / 2.0 * size;
            let cells = cells(&[[at.x, at.y, at.z, 0.5]]);
            let ray = ray_through(&pose, pixel, size, 32.0);
            assert_eq!(index_of(first_hit(&cells, ray, ALL)), Some(0));
        }
    }
}
