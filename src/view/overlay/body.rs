//! "You are here": a small body with the organs of the scene, the one that is looked at ringed.

use bevy::math::Vec3;
use bevy_egui::egui::{Align2, Pos2, Rect, Shape, Stroke, Vec2, vec2};

use super::pen::{LINE, NOTE, Pen};
use crate::scene::schema::Organ;
use crate::simulation::Snapshot;
use crate::view::camera::um_per_pixel;
use crate::view::{ViewCamera, ViewSettings};

/// Width and height of the body, in units of the design.
const BODY: Vec2 = vec2(58.0, 88.0);
/// How much higher, or wider if it is narrow, than its block a picture of one site is, at most.
const MOST_AROUND: f32 = 2.2;
/// What is written where all of it is in the picture.
const WHOLE: &str = "Whole body";

/// Where an organ lies in the body: 0-1 from left to right and from head to foot.
const fn place_of(organ: Organ) -> (f32, f32) {
    match organ {
        Organ::Brain => (0.5, 0.07),
        Organ::LymphNode => (0.30, 0.30),
        Organ::Lung => (0.40, 0.36),
        Organ::Breast => (0.62, 0.38),
        Organ::Liver => (0.42, 0.50),
        Organ::Bone => (0.60, 0.76),
        Organ::Medium => (0.5, 0.5),
    }
}

/// The place of the site that fills a picture of this size, points, if one does.
pub(super) fn looked_at(
    snapshot: &Snapshot,
    settings: &ViewSettings,
    camera: &ViewCamera,
    size: Vec2,
) -> Option<usize> {
    let mut sites = snapshot.sites_in(settings.site);
    let alone = sites.len() == 1;
    let target = Vec3::from(camera.pose.target_um);
    let seen_um = um_per_pixel(&camera.pose, size.y) * size.min_elem();
    sites.find(|index| {
        let Some(site) = snapshot.sites.get(*index) else {
            return false;
        };
        let block = site.max_um - site.min_um;
        let off = target - snapshot.place_um(*index, settings.site);
        let middle = 0.5 * (site.min_um + site.max_um);
        let is_inside = (off - middle).abs().cmple(0.5 * block).all();
        alone || is_inside && seen_um < MOST_AROUND * block.max_element()
    })
}

/// The organs of a scene and which of them is looked at.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BodyMap {
    organs: Vec<Organ>,
    here: Option<Organ>,
    says: String,
}

impl BodyMap {
    /// The map for a picture of this size, points; nothing where a scene has but one organ.
    pub(super) fn of(
        snapshot: &Snapshot,
        settings: &ViewSettings,
        camera: &ViewCamera,
        size: Vec2,
    ) -> Option<Self> {
        let mut organs: Vec<Organ> = Vec::new();
        for organ in snapshot.sites.iter().filter_map(|site| site.organ) {
            if !organs.contains(&organ) {
                organs.push(organ);
            }
        }
        if organs.len() < 2 {
            return None;
        }
        let site = looked_at(snapshot, settings, camera, size);
        let site = site.and_then(|index| snapshot.sites.get(index));
        let here = site.and_then(|site| site.organ);
        let says = site.map_or_else(
            || WHOLE.to_owned(),
            |site| format!("Here: {}", site.name.replace('_', " ")),
        );
        Some(Self { organs, here, says })
    }
}

impl Pen<'_> {
    /// Size of a map with what it says.
    pub(super) fn body_map_size(&self, map: &BodyMap) -> Vec2 {
        let body = BODY * self.scale;
        let words = self.width(&map.says, NOTE);
        vec2(body.x.max(words), body.y + LINE * self.scale) + self.padding()
    }

    /// A body with its organs, and where one is.
    pub(super) fn body_map(&self, rect: Rect, map: &BodyMap) {
        let inside = self.plate(rect);
        let k = self.scale;
        let size = BODY * k;
        let corner = inside.center_top() - vec2(0.5 * size.x, 0.0);
        let at = |x: f32, y: f32| corner + vec2(x * size.x, y * size.y);
        // Between letters and plate, so that organs stand out in either look.
        let flesh = self
            .inks
            .plate
            .to_opaque()
            .lerp_to_gamma(self.inks.ink, 0.34);
        let limb = |from: Pos2, to: Pos2, wide: f32| {
            self.painter
                .line_segment([from, to], Stroke::new(wide * size.x, flesh));
            for end in [from, to] {
                self.painter.circle_filled(end, 0.5 * wide * size.x, flesh);
            }
        };
        // Limbs first, so that the trunk covers where they begin.
        limb(at(0.26, 0.25), at(0.10, 0.55), 0.13);
        limb(at(0.74, 0.25), at(0.90, 0.55), 0.13);
        limb(at(0.40, 0.58), at(0.36, 0.96), 0.19);
        limb(at(0.60, 0.58), at(0.64, 0.96), 0.19);
        let trunk = [
            (0.24, 0.22),
            (0.40, 0.175),
            (0.60, 0.175),
            (0.76, 0.22),
            (0.70, 0.45),
            (0.72, 0.60),
            (0.28, 0.60),
            (0.30, 0.45),
        ];
        let trunk = trunk.map(|(x, y)| at(x, y)).to_vec();
        self.painter
            .add(Shape::convex_polygon(trunk, flesh, Stroke::NONE));
        limb(at(0.5, 0.13), at(0.5, 0.2), 0.16);
        self.painter
            .circle_filled(at(0.5, 0.075), 0.145 * size.x, flesh);
        for organ in &map.organs {
            let (x, y) = place_of(*organ);
            self.painter.circle_filled(at(x, y), 3.2 * k, self.inks.ink);
        }
        if let Some(here) = map.here {
            let (x, y) = place_of(here);
            let ring = Stroke::new(2.0 * k, self.inks.accent);
            self.painter.circle_stroke(at(x, y), 6.8 * k, ring);
            self.painter
                .circle_filled(at(x, y), 3.2 * k, self.inks.accent);
        }
        let below = inside.center_bottom();
        self.text(below, Align2::CENTER_BOTTOM, &map.says, NOTE, self.inks.ink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{CameraPose, Stage};
    use crate::simulation::{SiteSnapshot, WHOLE_STAGE};

    fn body() -> Snapshot {
        let site = |name: &str, organ| SiteSnapshot {
            name: name.into(),
            organ: Some(organ),
            min_um: Vec3::splat(-200.0),
            max_um: Vec3::splat(200.0),
            ..SiteSnapshot::default()
        };
        let mut snapshot = Snapshot {
            sites: vec![
                site("breast", Organ::Breast),
                site("left_lung", Organ::Lung),
            ],
            ..Snapshot::default()
        };
        snapshot.set_stage(Stage {
            places_um: vec![Vec3::ZERO, Vec3::new(900.0, 0.0, 0.0)],
            focus: 0,
            is_shared: true,
        });
        snapshot
    }

    fn says(x: f32, distance_um: f32) -> String {
        let settings = ViewSettings {
            site: WHOLE_STAGE,
            ..ViewSettings::default()
        };
        let pose = CameraPose {
            target_um: (x, 0.0, 0.0),
            distance_um,
            azimuth_deg: -90.0,
            elevation_deg: 0.0,
        };
        let map = BodyMap::of(&body(), &settings, &pose.into(), vec2(1280.0, 720.0));
        map.expect("there are two organs").says
    }

    #[test]
    fn it_says_where_the_camera_looks_and_nothing_of_a_single_organ() {
        assert_eq!(says(20.0, 900.0), "Here: breast");
        assert_eq!(says(880.0, 900.0), "Here: left lung");
        assert_eq!(says(450.0, 900.0), WHOLE);
        assert_eq!(says(20.0, 4000.0), WHOLE);
        let mut one = body();
        one.sites.truncate(1);
        let (settings, camera) = (ViewSettings::default(), ViewCamera::default());
        assert_eq!(
            BodyMap::of(&one, &settings, &camera, vec2(1280.0, 720.0)),
            None
        );
    }
}
