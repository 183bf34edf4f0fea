//! Where the sites of a scene stand in the one world of the picture.
//!
//! Each site has coordinates of its own, with its block centred on their origin. A stage says where that origin lies for
//! camera, cut, picking and film. It is about the picture alone: what happens between sites is not told by where they
//! stand.

use std::collections::BTreeMap;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::look::{Axis, Look};
use super::schema::Scene;

/// How the sites of a scene are placed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub enum StageLayout {
    /// In a row from left to right, in the order of the scene, with their middles at the same height and depth.
    Beside {
        /// Free space between two blocks, um.
        #[serde(default = "gap_um")]
        gap_um: f32,
    },
    /// The filmed site in the middle, the others on a circle around it, from the right over the back to the left and on.
    Around {
        /// Free space between blocks, at least, um.
        #[serde(default = "gap_um")]
        gap_um: f32,
    },
    /// The middle of each site by name, um: `At({"breast": (0, 0, 0), "lung": (0, 900, 400)})`.
    At(BTreeMap<String, (f32, f32, f32)>),
    /// Only the filmed site is shown.
    Alone,
}

/// Free space between two blocks that is left where nothing is said, um.
const fn gap_um() -> f32 {
    200.0
}

impl Default for StageLayout {
    fn default() -> Self {
        Self::Beside { gap_um: gap_um() }
    }
}

/// The places of the sites of a scene.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stage {
    /// Where the middle of each site lies, um, in the order of the scene.
    pub places_um: Vec<Vec3>,
    /// The site in whose coordinates camera, cut and slice of the scene are given.
    pub focus: usize,
    /// Whether all sites are shown in one world.
    pub is_shared: bool,
}

impl Stage {
    /// The stage of a scene.
    pub fn of(scene: &Scene) -> Self {
        let halves: Vec<Vec3> = scene
            .sites
            .iter()
            .map(|site| Vec3::from(site.size_um) * 0.5)
            .collect();
        let named = |name: &str| scene.sites.iter().position(|site| site.name == name);
        let focus = scene.recording.site.as_deref().and_then(named);
        let focus = focus.unwrap_or(0);
        let places_um = match &scene.stage {
            StageLayout::Beside { gap_um } => beside(&halves, *gap_um),
            StageLayout::Around { gap_um } => around(&halves, focus, *gap_um),
            StageLayout::At(places) => {
                let place = |name: &String| places.get(name).copied().unwrap_or_default();
                let sites = scene.sites.iter();
                sites.map(|site| Vec3::from(place(&site.name))).collect()
            }
            StageLayout::Alone => vec![Vec3::ZERO; halves.len()],
        };
        Self {
            places_um,
            focus,
            is_shared: halves.len() > 1 && scene.stage != StageLayout::Alone,
        }
    }

    /// Where the middle of a site lies, um.
    pub fn place_um(&self, site: usize) -> Vec3 {
        if self.is_shared {
            self.places_um.get(site).copied().unwrap_or_default()
        } else {
            Vec3::ZERO
        }
    }

    /// A look given in the coordinates of the filmed site, in those of the stage.
    #[must_use]
    pub fn look(&self, mut look: Look) -> Look {
        let place = self.place_um(self.focus);
        let along = |axis| match axis {
            Axis::X => place.x,
            Axis::Y => place.y,
            Axis::Z => place.z,
        };
        if let Some(cut) = &mut look.cut {
            cut.at_um += along(cut.axis);
        }
        if let Some(slice) = &mut look.slice {
            slice.at_um += along(slice.axis);
        }
        look
    }
}

/// In a row along x, centred on the origin.
fn beside(halves: &[Vec3], gap_um: f32) -> Vec<Vec3> {
    let mut edge = 0.0;
    let mut places: Vec<Vec3> = halves
        .iter()
        .map(|half| {
            let middle = edge + half.x;
            edge = middle + half.x + gap_um;
            Vec3::X * middle
        })
        .collect();
    let centre = 0.5 * (edge - gap_um);
    for place in &mut places {
        place.x -= centre;
    }
    places
}

/// The focus at the origin and the others on the smallest circle on which no two come nearer than the gap.
fn around(halves: &[Vec3], focus: usize, gap_um: f32) -> Vec<Vec3> {
    // Each block turns freely in a circle of its own.
    let reach: Vec<f32> = halves.iter().map(|half| half.truncate().length()).collect();
    let others: Vec<usize> = (0..halves.len()).filter(|site| *site != focus).collect();
    let largest = others.iter().map(|site| reach[*site]).fold(0.0, f32::max);
    let angle = std::f32::consts::TAU / others.len().max(1) as f32;
    let mut radius = reach.get(focus).copied().unwrap_or_default() + largest + gap_um;
    if others.len() > 1 {
        let chord = 2.0 * largest + gap_um;
        radius = radius.max(0.5 * chord / bevy::math::ops::sin(0.5 * angle));
    }
    let mut places = vec![Vec3::ZERO; halves.len()];
    for (number, site) in others.into_iter().enumerate() {
        let (sin, cos) = bevy::math::ops::sin_cos(angle * number as f32);
        places[site] = Vec3::new(cos, sin, 0.0) * radius;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(layout: &str) -> (Stage, Vec<Vec3>) {
        let sites = [
            ("a", 200, 400),
            ("b", 600, 200),
            ("c", 100, 100),
            ("d", 300, 300),
        ];
        let sites: Vec<String> = sites
            .iter()
            .map(|(name, x, y)| {
                format!("(name: \"{name}\", organ: Lung, size_um: ({x}, {y}, 100))")
            })
            .collect();
        let text = format!(
            r#"(title: "t", about: "", pace: Calibrated, duration: Hours(1), sites: [{}], stage: {layout},
                recording: (site: "b"))"#,
            sites.join(", ")
        );
        let scene = crate::scene::tests::scene(&text);
        let halves = scene
            .sites
            .iter()
            .map(|site| Vec3::from(site.size_um) * 0.5);
        (Stage::of(&scene), halves.collect())
    }

    /// The least free space along the axes between any two blocks.
    fn least_gap(stage: &Stage, halves: &[Vec3]) -> f32 {
        let mut least = f32::INFINITY;
        for i in 0..halves.len() {
            for j in 0..i {
                let apart = (stage.places_um[i] - stage.places_um[j]).abs() - halves[i] - halves[j];
                least = least.min(apart.max_element());
            }
        }
        least
    }

    #[test]
    fn sites_stand_beside_each_other_in_their_order_with_the_gap_between() {
        let (stage, halves) = stage("Beside(gap_um: 50)");
        assert!(stage.is_shared);
        assert_eq!(stage.focus, 1);
        assert!((least_gap(&stage, &halves) - 50.0).abs() < 1e-3);
        let x: Vec<f32> = stage.places_um.iter().map(|place| place.x).collect();
        assert!(x.is_sorted());
        assert!(
            (x[0] - halves[0].x + x[3] + halves[3].x).abs() < 1e-3,
            "centred"
        );
    }

    #[test]
    fn sites_stand_around_the_filmed_one_and_keep_clear_of_each_other() {
        let (stage, halves) = stage("Around(gap_um: 80)");
        assert_eq!(stage.places_um[1], Vec3::ZERO);
        let away: Vec<f32> = [0, 2, 3]
            .iter()
            .map(|i| stage.places_um[*i].length())
            .collect();
        assert!((away[0] - away[1]).abs() < 0.01 && (away[1] - away[2]).abs() < 0.01);
        for i in 0..4 {
            for j in 0..i {
                let apart = stage.places_um[i].distance(stage.places_um[j]);
                let reach = halves[i].truncate().length() + halves[j].truncate().length();
                assert!(apart > reach + 79.9, "{i} {j}: {apart} {reach}");
            }
        }
    }

    #[test]
    fn a_look_moves_with_its_site_and_a_site_alone_stays() {
        use crate::scene::{Cut, Slice};
        let look = Look {
            cut: Some(Cut {
                axis: Axis::Y,
                at_um: 10.0,
                flip: true,
            }),
            slice: Some(Slice {
                molecule: "oxygen".into(),
                axis: Axis::Z,
                at_um: -5.0,
            }),
            ..Look::default()
        };
        let places =
            r#"At({"a": (900, 0, 0), "b": (0, 700, 300), "c": (0, -500, 0), "d": (-900, 0, 0)})"#;
        let (shared, _) = stage(places);
        let moved = shared.look(look.clone());
        assert_eq!(moved.cut.map(|cut| cut.at_um), Some(710.0));
        assert_eq!(moved.slice.map(|slice| slice.at_um), Some(295.0));
        let (alone, _) = stage("Alone");
        assert!(!alone.is_shared);
        assert_eq!(alone.look(look.clone()), look);
    }
}
