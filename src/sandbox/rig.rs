//! Moving the eye by hand: orbit, pan, zoom, fly.
//!
//! All of it works on a [`CameraPose`], the same description that scenes use for their keyframes. Flying is
//! no second camera: the eye stays, the target is the point straight ahead, and both move together. z is up
//! and the horizon stays level.

use bevy::math::ops;
use bevy::prelude::*;

use crate::scene::CameraPose;

/// Turn per pixel of a drag, degrees.
const TURN_DEG_PER_PIXEL: f32 = 0.35;
/// Turn per pixel of a look around while flying, degrees.
const LOOK_DEG_PER_PIXEL: f32 = 0.15;
/// Share of the distance covered by one notch of the wheel.
const ZOOM_PER_NOTCH: f32 = 0.12;
/// Steepest view, degrees; straight up or down has no level horizon.
const STEEPEST_DEG: f32 = 89.0;
/// Nearest and farthest the eye goes from its target, um.
const NEAREST_UM: f32 = 15.0;
const FARTHEST_UM: f32 = 50_000.0;
/// From this far a cell is seen well, um.
const NEAR_UM: f32 = 160.0;
/// Share of the distance to the target flown per second.
const FLY_SHARE_PER_SECOND: f32 = 0.35;
/// How much faster shift flies.
pub(super) const FAST_FLIGHT: f32 = 4.0;

/// The directions of a picture taken from a pose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axes {
    /// Into the picture.
    pub forward: Vec3,
    /// To the right in the picture.
    pub right: Vec3,
    /// Upwards in the picture.
    pub up: Vec3,
}

/// The directions of the picture from this pose.
pub(super) fn axes(pose: &CameraPose) -> Axes {
    let (sin_a, cos_a) = ops::sin_cos(pose.azimuth_deg.to_radians());
    let (sin_e, cos_e) = ops::sin_cos(pose.elevation_deg.to_radians());
    let forward = -Vec3::new(cos_e * cos_a, cos_e * sin_a, sin_e);
    let right = Vec3::new(-sin_a, cos_a, 0.0);
    Axes {
        forward,
        right,
        up: right.cross(forward),
    }
}

fn set_target(pose: &mut CameraPose, target: Vec3) {
    pose.target_um = target.into();
}

fn turned(pose: &CameraPose, azimuth_deg: f32, elevation_deg: f32) -> CameraPose {
    CameraPose {
        azimuth_deg: (pose.azimuth_deg + azimuth_deg + 540.0).rem_euclid(360.0) - 180.0,
        elevation_deg: (pose.elevation_deg + elevation_deg).clamp(-STEEPEST_DEG, STEEPEST_DEG),
        ..*pose
    }
}

/// Turns around the target: the tissue follows the pointer (x right, y down, pixels).
pub(super) fn orbit(pose: &mut CameraPose, drag: Vec2) {
    *pose = turned(
        pose,
        -drag.x * TURN_DEG_PER_PIXEL,
        drag.y * TURN_DEG_PER_PIXEL,
    );
}

/// Moves the target in the plane of the picture, so that it follows the pointer.
pub(super) fn pan(pose: &mut CameraPose, drag: Vec2, um_per_pixel: f32) {
    let Axes { right, up, .. } = axes(pose);
    let shift = (up * drag.y - right * drag.x) * um_per_pixel;
    set_target(pose, Vec3::from(pose.target_um) + shift);
}

/// Goes nearer (positive notches) or farther.
pub(super) fn zoom(pose: &mut CameraPose, notches: f32) {
    let factor = ops::powf(1.0 - ZOOM_PER_NOTCH, notches);
    pose.distance_um = (pose.distance_um * factor).clamp(NEAREST_UM, FARTHEST_UM);
}

/// Turns the head while the eye stays where it is.
pub(super) fn look_around(pose: &mut CameraPose, drag: Vec2) {
    let eye = pose.eye_um();
    *pose = turned(
        pose,
        -drag.x * LOOK_DEG_PER_PIXEL,
        drag.y * LOOK_DEG_PER_PIXEL,
    );
    set_target(pose, eye + axes(pose).forward * pose.distance_um);
}

/// Flies for `seconds`; `course` is right, up, forward, each -1 to 1.
pub(super) fn fly(pose: &mut CameraPose, course: Vec3, seconds: f32, fast: bool) {
    let Axes { forward, right, up } = axes(pose);
    let direction = (right * course.x + up * course.y + forward * course.z).normalize_or_zero();
    let speed = pose.distance_um * FLY_SHARE_PER_SECOND * if fast { FAST_FLIGHT } else { 1.0 };
    set_target(
        pose,
        Vec3::from(pose.target_um) + direction * speed * seconds,
    );
}

/// Goes to a place, near enough to see a cell there, but never farther from it than before.
pub(super) fn go_near(pose: &mut CameraPose, at_um: Vec3) {
    pose.target_um = at_um.into();
    pose.distance_um = pose.distance_um.min(NEAR_UM);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pose() -> CameraPose {
        CameraPose {
            target_um: (10.0, -20.0, 30.0),
            distance_um: 400.0,
            azimuth_deg: 35.0,
            elevation_deg: 20.0,
        }
    }

    #[test]
    fn axes_are_those_of_a_camera_that_looks_at_the_target() {
        for (azimuth_deg, elevation_deg) in [(0.0, 0.0), (35.0, 20.0), (-160.0, -70.0)] {
            let pose = CameraPose {
                azimuth_deg,
                elevation_deg,
                ..pose()
            };
            let camera = Transform::from_translation(pose.eye_um())
                .looking_at(Vec3::from(pose.target_um), Vec3::Z);
            let Axes { forward, right, up } = axes(&pose);
            assert!(forward.distance(*camera.forward()) < 1e-4);
            assert!(right.distance(*camera.right()) < 1e-4);
            assert!(up.distance(*camera.up()) < 1e-4);
        }
    }

    #[test]
    fn orbiting_keeps_target_and_distance_and_stops_short_of_the_pole() {
        let mut pose = pose();
        for _ in 0..50 {
            orbit(&mut pose, Vec2::new(33.0, 21.0));
            assert_eq!(pose.target_um, (10.0, -20.0, 30.0));
            assert!((pose.eye_um().distance(pose.target_um.into()) - 400.0).abs() < 0.01);
            assert!((-180.0..=180.0).contains(&pose.azimuth_deg));
        }
        assert_eq!(pose.elevation_deg, STEEPEST_DEG);
    }

    #[test]
    fn dragging_to_the_right_turns_what_is_in_front_to_the_right() {
        let mut pose = pose();
        let in_front = Vec3::from(pose.target_um) - axes(&pose).forward * 100.0;
        orbit(&mut pose, Vec2::new(10.0, 0.0));
        let Axes { right, .. } = axes(&pose);
        assert!((in_front - Vec3::from(pose.target_um)).dot(right) > 0.0);
    }

    #[test]
    fn panning_moves_a_point_at_the_target_by_exactly_the_drag() {
        let mut pose = pose();
        let point = Vec3::from(pose.target_um);
        let um_per_pixel = 0.5;
        pan(&mut pose, Vec2::new(40.0, -16.0), um_per_pixel);
        let Axes { right, up, forward } = axes(&pose);
        let seen = point - Vec3::from(pose.target_um);
        assert!((seen.dot(right) / um_per_pixel - 40.0).abs() < 1e-3);
        assert!((-seen.dot(up) / um_per_pixel + 16.0).abs() < 1e-3);
        assert!(seen.dot(forward).abs() < 1e-3);
    }

    #[test]
    fn zooming_in_and_out_again_returns() {
        let mut pose = pose();
        zoom(&mut pose, 3.0);
        assert!(pose.distance_um < 400.0);
        zoom(&mut pose, -3.0);
        assert!((pose.distance_um - 400.0).abs() < 0.01);
        zoom(&mut pose, 1000.0);
        assert_eq!(pose.distance_um, NEAREST_UM);
    }

    #[test]
    fn looking_around_keeps_the_eye_in_place() {
        let mut pose = pose();
        let eye = pose.eye_um();
        look_around(&mut pose, Vec2::new(80.0, -35.0));
        assert!(pose.eye_um().distance(eye) < 0.01);
        assert!(
            Vec3::from(pose.target_um).distance(pose_target()) > 10.0,
            "the target moves"
        );
    }

    fn pose_target() -> Vec3 {
        pose().target_um.into()
    }

    #[test]
    fn flying_forward_moves_the_eye_along_its_view_and_shift_is_faster() {
        let (mut slow, mut fast) = (pose(), pose());
        let eye = slow.eye_um();
        let forward = axes(&slow).forward;
        fly(&mut slow, Vec3::Z, 0.5, false);
        fly(&mut fast, Vec3::Z, 0.5, true);
        let way = slow.eye_um() - eye;
        assert!(way.normalize().distance(forward) < 1e-3);
        let ratio = (fast.eye_um() - eye).length() / way.length();
        assert!((ratio - FAST_FLIGHT).abs() < 0.01);
        fly(&mut slow, Vec3::ZERO, 1.0, false);
        assert!((slow.eye_um() - eye - way).length() < 1e-4);
    }
}
