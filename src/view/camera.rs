//! The eye: poses, the way between them, automatic framing, and how many micrometres a pixel is.

use bevy::camera::RenderTarget;
use bevy::core_pipeline::tonemapping::{DebandDither, Tonemapping};
use bevy::prelude::*;

use crate::scene::look::Axis;
use crate::scene::{CameraPose, Look};
use crate::simulation::Snapshot;

use super::cells::tissue_ball;
use super::outline::Outline;
use super::{ViewCamera, ViewEye, ViewSystems};

/// Vertical field of view, degrees: long enough a lens that round things look round near the border.
pub const FIELD_OF_VIEW_DEG: f32 = 32.0;
/// Nothing closer than this is drawn, um.
const NEAR_UM: f32 = 2.0;
/// Smallest ball that automatic framing zooms in on, um: a few cells do not fill the picture.
const MIN_FRAMED_RADIUS_UM: f32 = 60.0;
/// Room around the framed ball.
const FRAME_MARGIN: f32 = 1.22;
/// Room around a framed stage, for its name plates and what is written around the picture.
const STAGE_MARGIN: f32 = 1.35;

/// Micrometres per pixel at the depth of the pose's target, for a picture of this height.
pub fn um_per_pixel(pose: &CameraPose, height: f32) -> f32 {
    let half = bevy::math::ops::tan(FIELD_OF_VIEW_DEG.to_radians() * 0.5);
    2.0 * pose.distance_um * half / height.max(1.0)
}

/// The longest round length (1, 2 or 5 times a power of ten) that takes at most `max_pixels` at `um_per_pixel`: its
/// um and its pixels.
pub fn scale_bar(um_per_pixel: f32, max_pixels: f32) -> (f32, f32) {
    let longest = (um_per_pixel * max_pixels).max(1.0e-6);
    let power = bevy::math::ops::powf(10.0, bevy::math::ops::log10(longest).floor());
    let um = [5.0, 2.0, 1.0]
        .into_iter()
        .map(|step| step * power)
        .find(|um| *um <= longest * 1.000_01)
        .unwrap_or(power);
    (um, um / um_per_pixel)
}

/// The pose that shows the tissue of a site from the side where a cut opens them, in a picture of the usual shape.
pub fn automatic_pose(snapshot: &Snapshot, site: usize, look: &Look) -> CameraPose {
    pose_for_shape(snapshot, site, look, USUAL_SHAPE)
}

/// The pose that shows the tissue of a site from the side where a cut opens them, in a picture of this width in heights.
pub fn pose_for_shape(snapshot: &Snapshot, site: usize, look: &Look, shape: f32) -> CameraPose {
    let (azimuth_deg, elevation_deg) = match look.cut.map(|cut| (cut.axis, cut.flip)) {
        None => (-60.0, 22.0),
        Some((Axis::X, false)) => (-158.0, 18.0),
        Some((Axis::X, true)) => (22.0, 18.0),
        Some((Axis::Y, false)) => (-68.0, 18.0),
        Some((Axis::Y, true)) => (112.0, 18.0),
        Some((Axis::Z, false)) => (-60.0, -52.0),
        Some((Axis::Z, true)) => (-60.0, 52.0),
    };
    if snapshot.sites_in(site).len() > 1 {
        let pose = CameraPose {
            target_um: (0.0, 0.0, 0.0),
            distance_um: 1.0,
            azimuth_deg,
            elevation_deg,
        };
        return framed(&corners_of(snapshot, site, None), pose, shape);
    }
    let ball = snapshot
        .site(site)
        .map_or(Vec4::new(0.0, 0.0, 0.0, 100.0), tissue_ball);
    let radius = ball.w.max(MIN_FRAMED_RADIUS_UM);
    let half = (FIELD_OF_VIEW_DEG * 0.5).to_radians();
    let pose = CameraPose {
        target_um: (ball.x, ball.y, ball.z),
        distance_um: radius / bevy::math::ops::sin(half) * FRAME_MARGIN,
        azimuth_deg,
        elevation_deg,
    };
    fitted(pose, shape)
}

/// Width of a usual picture in heights.
pub const USUAL_SHAPE: f32 = 16.0 / 9.0;

/// The corners of the blocks in a picture of the site with the index `drawn`, in its coordinates: of one of them, or of
/// all.
pub fn corners_of(snapshot: &Snapshot, drawn: usize, only: Option<usize>) -> Vec<Vec3> {
    let sites = snapshot.sites_in(drawn);
    let wanted = sites.filter(|site| only.is_none_or(|only| only == *site));
    wanted
        .filter_map(|site| Some((snapshot.sites.get(site)?, snapshot.place_um(site, drawn))))
        .flat_map(|(site, place)| {
            (0..8).map(move |corner| {
                let high = |bit: usize| corner >> bit & 1 == 1;
                let side = |axis: usize| {
                    if high(axis) {
                        site.max_um[axis]
                    } else {
                        site.min_um[axis]
                    }
                };
                Vec3::new(side(0), side(1), side(2)) + place
            })
        })
        .collect()
}

/// A pose with the direction of another that has all these places in a picture of this shape (width in heights), with
/// some room around them.
pub fn framed(places: &[Vec3], pose: CameraPose, shape: f32) -> CameraPose {
    let (mut low, mut high) = (Vec3::MAX, Vec3::MIN);
    for place in places {
        low = low.min(*place);
        high = high.max(*place);
    }
    if places.is_empty() {
        (low, high) = (Vec3::splat(-100.0), Vec3::splat(100.0));
    }
    let target = 0.5 * (low + high);
    let up_share = bevy::math::ops::tan((FIELD_OF_VIEW_DEG * 0.5).to_radians()) / STAGE_MARGIN;
    let across_share = up_share * shape;
    let seen =
        Transform::from_translation(pose.eye_um()).looking_at(Vec3::from(pose.target_um), Vec3::Z);
    let (right, up, forward) = (*seen.right(), *seen.up(), *seen.forward());
    let distance_um = places
        .iter()
        .map(|place| {
            let off = *place - target;
            let wide = off.dot(right).abs() / across_share;
            wide.max(off.dot(up).abs() / up_share) - off.dot(forward)
        })
        .fold(MIN_FRAMED_RADIUS_UM, f32::max);
    CameraPose {
        target_um: target.into(),
        distance_um,
        ..pose
    }
}

/// A pose that was chosen for a picture at least as wide as it is high, moved back so far that a narrower one, of this
/// width in heights, shows as much from side to side.
pub fn fitted(pose: CameraPose, shape: f32) -> CameraPose {
    CameraPose {
        distance_um: pose.distance_um / shape.clamp(0.05, 1.0),
        ..pose
    }
}

/// Where a place is in a picture of `size`, from its upper left corner, and how far it lies in front of the eye, um;
/// nothing if it lies behind.
pub fn projected(camera: &ViewCamera, place_um: Vec3, size: Vec2) -> Option<(Vec2, f32)> {
    let at = eye_transform(camera)
        .to_matrix()
        .inverse()
        .transform_point3(place_um);
    let depth = -at.z;
    let half = bevy::math::ops::tan((FIELD_OF_VIEW_DEG * 0.5).to_radians());
    let off = Vec2::new(at.x, -at.y) / (depth * half) * size.y * 0.5;
    (depth > NEAR_UM).then_some((size * 0.5 + off, depth))
}

/// Where the eye is and how it is turned.
fn eye_transform(camera: &ViewCamera) -> Transform {
    camera.free.unwrap_or_else(|| {
        Transform::from_translation(camera.pose.eye_um())
            .looking_at(Vec3::from(camera.pose.target_um), Vec3::Z)
    })
}

/// The pose at `hours` on the way through `keyframes` (hours of tissue time, ascending).
///
/// The way rests at both ends, passes every keyframe and never leaves the range between two neighbours
/// (monotone cubic interpolation, Fritsch & Butland 1984, SIAM J Sci Stat Comput 5:300). Distances are
/// interpolated as logarithms, so that zooming looks even. Angles are taken as written: 0 to 360 degrees is a
/// full turn.
///
/// # Panics
///
/// If there is no keyframe.
pub fn pose_between(keyframes: &[(f64, CameraPose)], hours: f64) -> CameraPose {
    assert!(!keyframes.is_empty(), "a way needs at least one pose");
    let last = keyframes.len() - 1;
    if hours <= keyframes[0].0 {
        return keyframes[0].1;
    }
    if hours >= keyframes[last].0 {
        return keyframes[last].1;
    }
    let to = keyframes.partition_point(|(time, _)| *time <= hours);
    let along = |value: &dyn Fn(&CameraPose) -> f64| {
        let secant = |k: usize| {
            let ((t0, a), (t1, b)) = (&keyframes[k], &keyframes[k + 1]);
            let step = t1 - t0;
            if step > 0.0 {
                (value(b) - value(a)) / step
            } else {
                0.0
            }
        };
        let slope = |k: usize| {
            if k == 0 || k == last {
                return 0.0;
            }
            let (before, after) = (secant(k - 1), secant(k));
            if before * after <= 0.0 {
                return 0.0;
            }
            let (h0, h1) = (
                keyframes[k].0 - keyframes[k - 1].0,
                keyframes[k + 1].0 - keyframes[k].0,
            );
            let (w0, w1) = (2.0 * h1 + h0, h1 + 2.0 * h0);
            (w0 + w1) / (w0 / before + w1 / after)
        };
        let (t0, t1) = (keyframes[to - 1].0, keyframes[to].0);
        let step = t1 - t0;
        let s = (hours - t0) / step;
        let (a, b) = (value(&keyframes[to - 1].1), value(&keyframes[to].1));
        let (from_slope, to_slope) = (slope(to - 1) * step, slope(to) * step);
        let rest = 1.0 - s;
        a * rest * rest * (1.0 + 2.0 * s)
            + from_slope * s * rest * rest
            + b * s * s * (3.0 - 2.0 * s)
            - to_slope * s * s * rest
    };
    let log_distance = along(&|pose| f64::from(bevy::math::ops::ln(pose.distance_um.max(1.0e-3))));
    CameraPose {
        target_um: (
            along(&|pose| f64::from(pose.target_um.0)) as f32,
            along(&|pose| f64::from(pose.target_um.1)) as f32,
            along(&|pose| f64::from(pose.target_um.2)) as f32,
        ),
        distance_um: bevy::math::ops::exp(log_distance as f32),
        azimuth_deg: along(&|pose| f64::from(pose.azimuth_deg)) as f32,
        elevation_deg: along(&|pose| f64::from(pose.elevation_deg)) as f32,
    }
}

/// Spawns the camera that looks at the tissue.
pub(super) fn spawn_eye(app: &mut App, target: Option<Handle<Image>>) {
    let mut eye = app.world_mut().spawn((
        Name::new("eye"),
        ViewEye,
        Outline::default(),
        Camera3d::default(),
        Camera {
            clear_color: ClearColorConfig::Custom(Color::BLACK),
            ..default()
        },
        Projection::Perspective(PerspectiveProjection {
            fov: FIELD_OF_VIEW_DEG.to_radians(),
            near: NEAR_UM,
            far: 1.0e6,
            near_clip_plane: Vec4::new(0.0, 0.0, -1.0, -NEAR_UM),
            ..default()
        }),
        Msaa::Off,
        Tonemapping::None,
        DebandDither::Disabled,
    ));
    if let Some(image) = target {
        eye.insert(RenderTarget::Image(image.into()));
    }
}

/// Puts the eye where [`ViewCamera`] says.
fn move_eye(camera: Res<ViewCamera>, mut eyes: Query<&mut Transform, With<ViewEye>>) {
    let wanted = eye_transform(&camera);
    for mut transform in &mut eyes {
        transform.set_if_neq(wanted);
    }
}

pub(super) fn plugin(app: &mut App) {
    app.add_systems(PostUpdate, move_eye.in_set(ViewSystems::Fill));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pose(distance_um: f32, azimuth_deg: f32) -> CameraPose {
        CameraPose {
            target_um: (1.0, 2.0, 3.0),
            distance_um,
            azimuth_deg,
            elevation_deg: 10.0,
        }
    }

    #[test]
    fn the_way_passes_every_keyframe_and_stays_put_outside() {
        let way = [
            (1.0, pose(500.0, 0.0)),
            (3.0, pose(800.0, 90.0)),
            (4.0, pose(300.0, 60.0)),
        ];
        for (time, at) in &way {
            let got = pose_between(&way, *time);
            assert!((got.distance_um - at.distance_um).abs() < 0.01);
            assert!((got.azimuth_deg - at.azimuth_deg).abs() < 1e-3);
        }
        assert_eq!(pose_between(&way, -5.0), way[0].1);
        assert_eq!(pose_between(&way, 99.0), way[2].1);
        assert_eq!(pose_between(&way[..1], 2.0), way[0].1);
    }

    #[test]
    fn the_way_never_overshoots_between_two_keyframes() {
        let way = [
            (0.0, pose(400.0, 0.0)),
            (1.0, pose(410.0, 5.0)),
            (2.0, pose(2000.0, 170.0)),
            (9.0, pose(2000.0, 170.0)),
            (10.0, pose(700.0, -30.0)),
        ];
        for pair in way.windows(2) {
            let ((t0, a), (t1, b)) = (pair[0], pair[1]);
            for i in 0..=50 {
                let at = pose_between(&way, t0 + (t1 - t0) * f64::from(i) / 50.0);
                let inside = |v: f32, a: f32, b: f32| v >= a.min(b) - 0.01 && v <= a.max(b) + 0.01;
                assert!(inside(at.distance_um, a.distance_um, b.distance_um));
                assert!(inside(at.azimuth_deg, a.azimuth_deg, b.azimuth_deg));
            }
        }
    }

    #[test]
    fn the_way_rests_at_both_ends_and_has_no_kink_between() {
        let way = [
            (0.0, pose(400.0, 0.0)),
            (2.0, pose(600.0, 40.0)),
            (5.0, pose(900.0, 200.0)),
        ];
        let azimuth = |t: f64| f64::from(pose_between(&way, t).azimuth_deg);
        let h = 1.0e-2;
        assert!(((azimuth(h) - azimuth(0.0)) / h).abs() < 1.0);
        assert!(((azimuth(5.0) - azimuth(5.0 - h)) / h).abs() < 1.5);
        let left = (azimuth(2.0) - azimuth(2.0 - h)) / h;
        let right = (azimuth(2.0 + h) - azimuth(2.0)) / h;
        assert!((left - right).abs() < 0.05 * left.abs(), "{left} {right}");
    }

    #[test]
    fn a_full_turn_goes_all_the_way_round() {
        let way = [(0.0, pose(400.0, 0.0)), (1.0, pose(400.0, 360.0))];
        assert!((pose_between(&way, 0.5).azimuth_deg - 180.0).abs() < 1e-3);
    }

    #[test]
    fn a_framed_stage_fills_the_picture_and_stays_inside_it() {
        let mut places = Vec::new();
        for x in [-1400.0, -300.0, 250.0, 1800.0] {
            places.extend([Vec3::new(x, -150.0, 200.0), Vec3::new(x, 400.0, -250.0)]);
        }
        for (azimuth_deg, elevation_deg) in [(-90.0, 15.0), (-60.0, 40.0), (170.0, -10.0)] {
            for shape in [USUAL_SHAPE, 1.0, 0.5625] {
                let from = CameraPose {
                    azimuth_deg,
                    elevation_deg,
                    ..pose(500.0, 0.0)
                };
                let camera = ViewCamera::from(framed(&places, from, shape));
                let size = Vec2::new(720.0 * shape, 720.0);
                let mut reach: f32 = 0.0;
                for place in &places {
                    let (at, _) = projected(&camera, *place, size).expect("in front");
                    let off = (at / size - 0.5).abs() * 2.0;
                    reach = reach.max(off.max_element());
                }
                assert!((reach - 1.0 / STAGE_MARGIN).abs() < 0.02, "{reach}");
            }
        }
    }

    #[test]
    fn a_narrow_picture_shows_as_much_from_side_to_side_as_a_square_one() {
        let width_um = |shape: f32| {
            let fitted = fitted(pose(800.0, 0.0), shape);
            um_per_pixel(&fitted, 1000.0) * 1000.0 * shape
        };
        assert!((width_um(1.0) - width_um(0.5625)).abs() < 0.1);
        assert_eq!(fitted(pose(800.0, 0.0), 1.78), pose(800.0, 0.0));
    }

    #[test]
    fn the_scale_bar_is_round_and_fits() {
        for i in 1..200 {
            let um_per_pixel = i as f32 * 0.037;
            let (um, pixels) = scale_bar(um_per_pixel, 170.0);
            assert!(
                (170.0 / 2.51..=170.1).contains(&pixels),
                "{um} um, {pixels} px"
            );
            assert!((um - pixels * um_per_pixel).abs() < 1e-3 * um);
            let power = bevy::math::ops::log10(um).floor();
            let mantissa = um / bevy::math::ops::powf(10.0, power);
            assert!(
                [1.0, 2.0, 5.0, 10.0]
                    .iter()
                    .any(|step| (mantissa - step).abs() < 1e-3)
            );
        }
    }
}
