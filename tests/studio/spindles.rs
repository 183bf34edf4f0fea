//! A cell that is drawn out covers the pixels whose rays meet its spheroid, whole and cut.

use bevy::math::ops;
use tumorscape::cell::shape::STRETCH;

use super::*;

const SIZE: (u32, u32) = (400, 300);

/// From the front and above.
const POSE: CameraPose = CameraPose {
    target_um: (0.0, 0.0, 0.0),
    distance_um: 220.0,
    azimuth_deg: -70.0,
    elevation_deg: 20.0,
};

/// A red cell of that radius as a ball, drawn out along an axis.
#[derive(Clone, Copy)]
struct Spindle {
    centre: Vec3,
    radius: f32,
    axis: Vec3,
    ratio: f32,
}

impl Spindle {
    /// A way in the space in which it is a ball.
    fn as_ball(&self, way: Vec3) -> Vec3 {
        way + self.axis * (self.axis.dot(way) * (1.0 / self.ratio - 1.0))
    }

    /// Whether a ray from a place meets it in front of the plane y = 0 or, where that is cut, behind it.
    fn is_met(&self, from: Vec3, way: Vec3, cut: bool) -> bool {
        let half_width = drawn_radius_um(self.radius) / ops::cbrt(self.ratio);
        let (to, run) = (self.as_ball(self.centre - from), self.as_ball(way));
        let middle = to.dot(run) / run.length_squared();
        let inside = half_width * half_width - to.distance_squared(run * middle);
        if inside < 0.0 {
            return false;
        }
        let leaves = middle + (inside / run.length_squared()).sqrt();
        // The eye lies on the side that is taken away and looks to the other one.
        !cut || from.y + way.y * leaves > 0.0
    }
}

#[test]
fn a_cell_that_is_drawn_out_covers_what_its_spheroid_covers() {
    let Some((_turn, mut studio)) = studio(SIZE.0, SIZE.1) else {
        return;
    };
    let spindle = |x: f32, axis: Vec3, ratio| Spindle {
        centre: Vec3::new(x, 2.0, 0.4 * x),
        radius: 9.0,
        axis: axis.normalize(),
        ratio,
    };
    let spindles = [
        spindle(-40.0, Vec3::new(0.3, 0.2, 1.0), 4.0),
        spindle(2.0, Vec3::new(1.0, -2.0, 0.3), 6.0),
        spindle(38.0, Vec3::new(-1.0, 0.1, 0.4), 2.0),
    ];
    let column = |of: fn(&Spindle) -> f32| spindles.iter().map(of).collect::<Vec<f32>>();
    let columns = [
        column(|of| of.ratio),
        column(|of| of.axis.x),
        column(|of| of.axis.y),
        column(|of| of.axis.z),
    ];
    let snapshot = Arc::new(Snapshot {
        cell_types: vec![CellTypeStyle {
            name: "long".into(),
            colour: [1.0, 0.0, 0.0],
        }],
        sites: vec![SiteSnapshot {
            min_um: Vec3::splat(-80.0),
            max_um: Vec3::splat(80.0),
            cells: CellGlyphs {
                sphere_um: spindles
                    .iter()
                    .map(|of| of.centre.extend(of.radius).to_array())
                    .collect(),
                id: vec![1, 2, 3],
                cell_type: vec![0; 3],
                quantities: STRETCH
                    .iter()
                    .zip(columns)
                    .map(|(name, column)| ((*name).to_owned(), column))
                    .collect(),
                ..CellGlyphs::default()
            },
            ..SiteSnapshot::default()
        }],
        ..Snapshot::default()
    });
    let eye = POSE.eye_um();
    let forward = -eye.normalize();
    let right = forward.cross(Vec3::Z).normalize();
    let up = right.cross(forward);
    let half = ops::tan(16.0_f32.to_radians());
    for cut in [None, Some(CUT)] {
        let settings = ViewSettings {
            block_edges: false,
            ..ViewSettings::of_look(Look {
                cut,
                style: Style::Plain,
                ..Look::default()
            })
        };
        let pixels = studio
            .render(
                Arc::clone(&snapshot),
                &settings,
                POSE,
                &OverlayContent::nothing(),
            )
            .expect("the driver works");
        let (width, height) = (SIZE.0 as i32, SIZE.1 as i32);
        let met: Vec<bool> = (0..width * height)
            .map(|pixel| {
                let at = |of: i32, all: i32| (of as f32 + 0.5) / all as f32 * 2.0 - 1.0;
                let (x, y) = (at(pixel % width, width), at(pixel / width, height));
                let shape = width as f32 / height as f32;
                let way = forward + right * (x * half * shape) - up * (y * half);
                spindles.iter().any(|of| of.is_met(eye, way, cut.is_some()))
            })
            .collect();
        let mut covered = 0;
        for pixel in 0..width * height {
            let (x, y) = (pixel % width, pixel / width);
            // Lines are drawn along outlines, a few pixels wide.
            let mut around = (-4..=4).flat_map(|dy| (-4..=4).map(move |dx| (x + dx, y + dy)));
            let is_outline = around.any(|(x, y)| {
                (0..width).contains(&x)
                    && (0..height).contains(&y)
                    && met[(y * width + x) as usize] != met[pixel as usize]
            });
            let colour = &pixels[4 * pixel as usize..4 * pixel as usize + 3];
            let is_red = colour[0] > 90 && colour[1] < 60;
            let is_paper = colour[1] > 200;
            if is_outline {
                continue;
            }
            if met[pixel as usize] {
                covered += 1;
                assert!(!is_paper, "{cut:?} at {x}, {y}: {colour:?}");
            } else {
                assert!(!is_red, "{cut:?} at {x}, {y}: {colour:?}");
            }
        }
        assert!(covered > 1500, "{covered}");
    }
}
