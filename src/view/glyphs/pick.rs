//! Which glyph a ray meets first: the same geometry as that of the shaders, computed once more.

use bevy::prelude::*;

use super::{PickedGlyph, drawn, layers_shown};
use crate::core::layer::{Glyph, NOBODY};
use crate::scene::LayersShown;
use crate::simulation::SiteSnapshot;

/// A ray from the eye into the part of the picture that a cut leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Where the eye is, um.
    pub origin_um: Vec3,
    /// Where it looks, unit length.
    pub direction: Vec3,
    /// What is kept: `p` where `dot(kept.xyz, p) + kept.w >= 0`.
    pub kept: Vec4,
    /// Size of a pixel at a distance of one um, um.
    pub pixel: f32,
}

impl Look {
    /// A pixel's size at a place, um.
    pub(super) fn slack_um(&self, place: Vec3) -> f32 {
        self.pixel * self.origin_um.distance(place) * 1.5
    }

    /// Whether the place at this distance is kept by the cut.
    pub(super) fn keeps(&self, distance: f32) -> bool {
        let place = self.origin_um + self.direction * distance;
        self.kept.truncate().dot(place) + self.kept.w >= 0.0
    }

    /// Where a body that the ray runs through from the first to the second distance is first met in what the cut leaves.
    pub(super) fn first(&self, stretch: Option<(f32, f32)>) -> Option<f32> {
        let (enter, leave) = stretch?;
        let start = self.kept.truncate().dot(self.origin_um) + self.kept.w;
        let slope = self.kept.truncate().dot(self.direction);
        let (mut from, mut to) = (0.0_f32, f32::INFINITY);
        if slope > 0.0 {
            from = from.max(-start / slope);
        } else if slope < 0.0 {
            to = to.min(-start / slope);
        } else if start < 0.0 {
            return None;
        }
        let hit = enter.max(from);
        (leave > 0.0 && hit <= leave && hit <= to).then_some(hit)
    }
}

/// A ball.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    /// Its centre, um.
    pub centre_um: Vec3,
    /// Its radius, um.
    pub radius_um: f32,
}

impl Round {
    /// The stretch of a ray in it.
    pub fn stretch(&self, look: &Look) -> Option<(f32, f32)> {
        let to = self.centre_um - look.origin_um;
        let middle = to.dot(look.direction);
        let off = to - look.direction * middle;
        let inside = self.radius_um * self.radius_um - off.length_squared();
        (inside >= 0.0).then(|| (middle - inside.sqrt(), middle + inside.sqrt()))
    }
}

/// The balls at the places of a glyph.
pub(super) fn round(glyph: &Glyph) -> [Round; 3] {
    std::array::from_fn(|i| Round {
        centre_um: glyph.points_um[i],
        radius_um: glyph.sizes[i],
    })
}

/// The stretch of a ray in the first two balls of a glyph and what lies between them. The balls along the way are
/// walked through: the hull of two balls is that of all between, and a person does not aim finer than that.
pub(super) fn between(glyph: &Glyph, look: &Look) -> Option<(f32, f32)> {
    let [a, b, _] = round(glyph);
    let length = a.centre_um.distance(b.centre_um);
    // So close that the surface is off by less than a hundredth of the radius.
    let step = 0.28 * a.radius_um.min(b.radius_um).max(1.0e-3);
    let pieces = (length / step).ceil().clamp(1.0, 4096.0) as u32;
    let mut whole: Option<(f32, f32)> = None;
    for piece in 0..=pieces {
        let share = piece as f32 / pieces as f32;
        let ball = Round {
            centre_um: a.centre_um.lerp(b.centre_um, share),
            radius_um: a.radius_um + (b.radius_um - a.radius_um) * share,
        };
        if let Some((enter, leave)) = ball.stretch(look) {
            let (from, to) = whole.unwrap_or((enter, leave));
            whole = Some((from.min(enter), to.max(leave)));
        }
    }
    whole
}

/// The first glyph with an identity that is met, and how far away, um.
pub fn first_glyph(
    site: &SiteSnapshot,
    shown: &LayersShown,
    look: &Look,
) -> Option<(f32, PickedGlyph)> {
    let mut nearest: Option<(f32, PickedGlyph)> = None;
    for filled in layers_shown(site, shown) {
        let distance = drawn(filled.layer.kind).distance;
        for glyph in filled.glyphs.iter().filter(|glyph| glyph.id != NOBODY) {
            let Some(found) = distance(glyph, look) else {
                continue;
            };
            if nearest.as_ref().is_none_or(|(before, _)| found < *before) {
                let layer = filled.layer.name.clone();
                nearest = Some((
                    found,
                    PickedGlyph {
                        layer,
                        id: glyph.id,
                    },
                ));
            }
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::core::layer::{
        Capsule, FilledLayer, Grain, Layer, Shape, Sheet, Sphere, Strand, Tint, Tube, Voxel,
    };

    fn layer<S: Shape>(name: &str, shapes: &[(S, u64)]) -> FilledLayer {
        let mut layer = Layer::new(name, "It.");
        layer.kind = S::KIND;
        let glyph = |(shape, id): &(S, u64)| {
            let (points_um, sizes) = shape.places();
            Glyph {
                points_um,
                sizes,
                tint: Tint::Layer,
                id: *id,
            }
        };
        FilledLayer {
            layer: Arc::new(layer),
            glyphs: shapes.iter().map(glyph).collect(),
        }
    }

    fn along_x(y: f32) -> Look {
        Look {
            origin_um: Vec3::new(-100.0, y, 0.0),
            direction: Vec3::X,
            kept: Vec4::W,
            pixel: 0.001,
        }
    }

    /// How far away the only glyph of a layer is met.
    fn met<S: Shape>(shape: S, look: Look) -> Option<f32> {
        let site = SiteSnapshot {
            layers: vec![layer("it", &[(shape, 4)])],
            ..SiteSnapshot::default()
        };
        let found = first_glyph(&site, &LayersShown::All, &look);
        found.map(|(distance, picked)| {
            assert_eq!((picked.layer.as_str(), picked.id), ("it", 4));
            distance
        })
    }

    #[track_caller]
    fn near(found: Option<f32>, distance: f32) {
        let found = found.expect("it is met");
        assert!((found - distance).abs() < 0.15, "{found} {distance}");
    }

    #[test]
    fn each_kind_is_met_where_its_geometry_says() {
        let ball = Sphere {
            centre_um: Vec3::ZERO,
            radius_um: 10.0,
        };
        near(met(ball, along_x(6.0)), 92.0);
        assert_eq!(met(ball, along_x(10.5)), None);
        let capsule = Capsule {
            from_um: Vec3::new(0.0, -20.0, 0.0),
            to_um: Vec3::new(0.0, 20.0, 0.0),
            radius_um: 5.0,
        };
        near(met(capsule, along_x(13.0)), 95.0);
        near(met(capsule, along_x(24.0)), 97.0);
        assert_eq!(met(capsule, along_x(25.5)), None);
        let tube = Tube {
            from_um: Vec3::new(0.0, -20.0, 0.0),
            to_um: Vec3::new(0.0, 20.0, 0.0),
            radius_um: [8.0, 4.0],
        };
        let slope = (1.0_f32 - 0.01).sqrt();
        near(met(tube, along_x(0.0)), 100.0 - 6.0 / slope);
        let strand = Strand {
            from_um: Vec3::new(5.0, -20.0, 0.0),
            to_um: Vec3::new(5.0, 20.0, 0.0),
            width_um: 1.0,
        };
        near(met(strand, along_x(3.0)), 104.5);
        let sheet = |integrity| Sheet {
            corners_um: [
                Vec3::new(7.0, -10.0, -10.0),
                Vec3::new(7.0, 30.0, -10.0),
                Vec3::new(7.0, -10.0, 30.0),
            ],
            integrity: [integrity; 3],
        };
        near(met(sheet(1.0), along_x(4.0)), 107.0);
        assert_eq!(met(sheet(0.1), along_x(4.0)), None, "a hole");
        assert_eq!(met(sheet(1.0), along_x(25.0)), None);
        let grain = Grain {
            at_um: Vec3::ZERO,
            pixels: 2.0,
        };
        near(met(grain, along_x(0.05)), 100.0);
        assert_eq!(met(grain, along_x(2.0)), None);
        let voxel = Voxel {
            min_um: Vec3::splat(-10.0),
            max_um: Vec3::splat(10.0),
        };
        near(met(voxel, along_x(9.0)), 90.0);
        assert_eq!(met(voxel, along_x(11.0)), None);
    }

    #[test]
    fn the_nearest_is_met_and_what_is_cut_away_or_hidden_is_not() {
        let ball = |x: f32| Sphere {
            centre_um: Vec3::X * x,
            radius_um: 5.0,
        };
        let site = SiteSnapshot {
            layers: vec![
                layer("near", &[(ball(0.0), 1), (ball(-40.0), NOBODY)]),
                layer("far", &[(ball(50.0), 2)]),
            ],
            ..SiteSnapshot::default()
        };
        let first = |shown: LayersShown, look: Look| {
            first_glyph(&site, &shown, &look).map(|(_, picked)| picked.id)
        };
        assert_eq!(first(LayersShown::All, along_x(0.0)), Some(1));
        let far = LayersShown::Only(vec!["far".into()]);
        assert_eq!(first(far, along_x(0.0)), Some(2));
        let kept = Vec4::new(1.0, 0.0, 0.0, -20.0);
        let cut = Look {
            kept,
            ..along_x(0.0)
        };
        assert_eq!(first(LayersShown::All, cut), Some(2));
        assert_eq!(first(LayersShown::Nothing, along_x(0.0)), None);
    }
}
