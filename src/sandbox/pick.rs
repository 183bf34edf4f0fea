//! Which cell is under the pointer.
//!
//! The pictures draw cells as exact spheres and spheroids, cut by a plane, so the question has an exact answer: the first
//! body that the ray of the pixel meets in the part that is kept, on its skin or on its cut face. Where cut faces
//! overlap it is that of the smaller power distance, as in the picture.

use bevy::math::ops;
use bevy::prelude::*;

use crate::scene::CameraPose;
use crate::simulation::CellGlyphs;

use crate::view::cells::drawn_radius_um;

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
/// `kept` is the part of space that is drawn: `p` where `dot(kept.xyz, p) + kept.w >= 0`. `reach` says how far from its
/// centre a cell with this centre and drawn radius fills the cut, um.
pub(super) fn first_hit(
    cells: &CellGlyphs,
    ray: Ray,
    kept: Vec4,
    reach: impl Fn(Vec3, f32) -> f32,
) -> Option<(usize, f32)> {
    let stretches = cells.stretches();
    cells
        .sphere_um
        .iter()
        .enumerate()
        .filter_map(|(index, &[x, y, z, radius])| {
            let (centre, radius) = (Vec3::new(x, y, z), drawn_radius_um(radius));
            let body = Body {
                centre,
                radius,
                stretch: stretches.of(index),
            };
            Some((index, hit_of(body, ray, kept, &reach)?))
        })
        .min_by(|(_, a), (_, b)| {
            let nearer = a.distance_um.total_cmp(&b.distance_um);
            nearer.then(a.power_um2.total_cmp(&b.power_um2))
        })
        .map(|(index, hit)| (index, hit.distance_um))
}

/// Where a ray meets a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Hit {
    /// Distance along the ray, um; the same for all cells whose cut face is hit.
    distance_um: f32,
    /// Power distance of the place to the cell, um2: negative inside its body, zero on its skin.
    power_um2: f32,
}

/// A cell as it is drawn.
struct Body {
    centre: Vec3,
    /// Radius of a ball of its volume, um.
    radius: f32,
    /// Its long axis, and its length over width.
    stretch: Option<(Vec3, f32)>,
}

impl Body {
    /// A way in the space in which it is a ball.
    fn as_ball(&self, way: Vec3) -> Vec3 {
        self.stretch.map_or(way, |(axis, ratio)| {
            way + axis * (axis.dot(way) * (1.0 / ratio - 1.0))
        })
    }

    /// The radius of that ball, um.
    fn width_um(&self) -> f32 {
        self.stretch
            .map_or(self.radius, |(_, ratio)| self.radius / ops::cbrt(ratio))
    }
}

/// Where the ray meets the visible surface of a cell: its cut face or its skin.
fn hit_of(body: Body, ray: Ray, kept: Vec4, reach: impl Fn(Vec3, f32) -> f32) -> Option<Hit> {
    let start = kept.truncate().dot(ray.origin_um) + kept.w;
    let slope = kept.truncate().dot(ray.direction);
    let radius = body.width_um();
    let from_eye = body.as_ball(body.centre - ray.origin_um);
    let way = body.as_ball(ray.direction);
    if slope > 0.0 && start < 0.0 {
        let distance_um = -start / slope;
        let off2 = (way * distance_um).distance_squared(from_eye);
        let reach = reach(body.centre, radius);
        if off2 <= reach * reach {
            return Some(Hit {
                distance_um,
                power_um2: off2 - radius * radius,
            });
        }
    }
    let way2 = way.length_squared();
    let middle = from_eye.dot(way) / way2;
    let off_axis = from_eye - way * middle;
    let inside = radius * radius - off_axis.length_squared();
    let distance_um = middle - (inside.max(0.0) / way2).sqrt();
    // An eye inside a cell does not see that cell.
    let is_seen = inside >= 0.0 && distance_um > 0.0 && start + slope * distance_um >= 0.0;
    is_seen.then_some(Hit {
        distance_um,
        power_um2: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Vec4 = Vec4::W;

    /// Cells on a cut keep to their bodies.
    fn body(_: Vec3, radius: f32) -> f32 {
        radius
    }

    fn cells(spheres: &[[f32; 4]]) -> CellGlyphs {
        CellGlyphs {
            sphere_um: spheres.to_vec(),
            ..CellGlyphs::default()
        }
    }

    fn index_of(
        cells: &CellGlyphs,
        ray: Ray,
        kept: Vec4,
        reach: fn(Vec3, f32) -> f32,
    ) -> Option<usize> {
        first_hit(cells, ray, kept, reach).map(|(index, _)| index)
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
        assert_eq!(index_of(&cells, along_x(0.0), ALL, body), Some(1));
        assert_eq!(
            index_of(&cells, along_x(drawn_radius_um(5.0) - 0.1), ALL, body),
            Some(1)
        );
        assert_eq!(
            index_of(&cells, along_x(drawn_radius_um(5.0) + 0.1), ALL, body),
            None
        );
        assert_eq!(index_of(&cells, along_x(30.0), ALL, body), Some(2));
    }

    #[test]
    fn cells_behind_the_eye_are_not_hit() {
        let cells = cells(&[[-150.0, 0.0, 0.0, 5.0]]);
        assert_eq!(index_of(&cells, along_x(0.0), ALL, body), None);
    }

    #[test]
    fn what_the_cut_took_away_is_not_hit() {
        let cells = cells(&[[0.0, 0.0, 0.0, 5.0], [30.0, 0.0, 0.0, 5.0]]);
        // Kept: x >= 10.
        let kept = Vec4::new(1.0, 0.0, 0.0, -10.0);
        assert_eq!(index_of(&cells, along_x(0.0), kept, body), Some(1));
        // Kept: x <= 10.
        let kept = Vec4::new(-1.0, 0.0, 0.0, 10.0);
        assert_eq!(index_of(&cells, along_x(0.0), kept, body), Some(0));
        // Kept: y >= 1, the ray runs at y = 0.
        let kept = Vec4::new(0.0, 1.0, 0.0, -1.0);
        assert_eq!(index_of(&cells, along_x(0.0), kept, body), None);
    }

    #[test]
    fn a_cut_face_is_hit_and_lies_in_front_of_what_is_deeper() {
        // The plane x = 2 opens the large cell; the small one sits on its skin, already cut away.
        let cells = cells(&[[5.0, 0.0, 0.0, 8.0], [-5.0, 0.0, 0.0, 2.0]]);
        let kept = Vec4::new(1.0, 0.0, 0.0, -2.0);
        assert_eq!(index_of(&cells, along_x(0.0), kept, body), Some(0));
        let hit = |y: f32| {
            let centre = Vec3::new(5.0, 0.0, 0.0);
            let ball = Body {
                centre,
                radius: drawn_radius_um(8.0),
                stretch: None,
            };
            hit_of(ball, along_x(y), kept, body).map(|hit| hit.distance_um)
        };
        assert!(hit(0.0).is_some_and(|distance| (distance - 102.0).abs() < 1e-3));
        // Beside the cut face the skin behind the plane is hit.
        assert!(hit(drawn_radius_um(8.0) - 0.1).is_some_and(|distance| distance > 102.1));
    }

    #[test]
    fn on_a_cut_the_smaller_power_distance_is_hit() {
        let cells = cells(&[[0.0, -4.0, 0.0, 5.0], [0.0, 4.0, 0.0, 3.0]]);
        let kept = Vec4::new(1.0, 0.0, 0.0, 0.0);
        // Equal powers: (y + 4)^2 - A^2 = (y - 4)^2 - B^2.
        let (a, b) = (drawn_radius_um(5.0), drawn_radius_um(3.0));
        let boundary = (a * a - b * b) / 16.0;
        let at = |y| index_of(&cells, along_x(y), kept, body);
        assert_eq!(at(boundary - 0.05), Some(0));
        assert_eq!(at(boundary + 0.05), Some(1));
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
            assert_eq!(index_of(&cells, ray, ALL, body), Some(0));
        }
    }
}
