//! The arms of a scene side by side: simulations that are stepped together and seen in one picture.
//!
//! Each arm is a [`Simulation`] of its own, with the seed of all. Their snapshots are put together as one, in which every site
//! of every arm stands on a common stage: camera, cut, slice and colours are then the same for all. An arm is put beside the
//! others across the direction in which the scene is cut open, so one cut opens them all; more than three stand in rows.

use std::sync::Arc;

use bevy::prelude::*;

use super::{Simulation, Snapshot, SnapshotRequest};
use crate::core::layer::NOBODY;
use crate::scene::look::Axis;
use crate::scene::schema::{Action, Event};
use crate::scene::{CameraPose, ParsedScene, Scene, Stage};

/// Arms that stand in one row, at most.
const IN_A_ROW: usize = 3;
/// Free space between two arms, in widths of one: beside each other, and above each other, where their names stand.
const GAP: f32 = 0.12;
const GAP_ABOVE: f32 = 0.3;
/// Identities of cells of the next arm begin so much higher: no arm has as many cells.
const PER_ARM: u64 = 1 << 48;

/// One arm.
struct Arm {
    name: String,
    simulation: Simulation,
    /// The sites of its scene that are seen.
    sites: Vec<usize>,
}

/// Which sites of a picture are of which arm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArmsShown(Vec<ArmShown>);

#[derive(Clone, Debug, PartialEq)]
struct ArmShown {
    name: String,
    /// The place of its first site in the picture.
    first: usize,
    /// The sites of its scene that are seen.
    sites: Vec<usize>,
}

impl ArmsShown {
    /// Whether it is a picture of one simulation alone.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The arms by name, each with the place in the picture of a site of the scene.
    pub fn at_site(&self, site: usize) -> impl Iterator<Item = (&str, usize)> {
        self.0.iter().filter_map(move |arm| {
            let place = arm.sites.iter().position(|seen| *seen == site)?;
            Some((arm.name.as_str(), arm.first + place))
        })
    }

    /// The site of the scene that stands at a place of the picture.
    pub fn site_at(&self, place: usize) -> Option<usize> {
        let of = |arm: &ArmShown| arm.sites.get(place.checked_sub(arm.first)?).copied();
        self.0.iter().find_map(of)
    }
}

/// The identity of a cell in its own simulation, where arms are shown side by side.
pub const fn own_identity(id: u64) -> u64 {
    id % PER_ARM
}

/// The arms of a scene, each a simulation, with the picture that they share.
pub struct SideBySide {
    arms: Vec<Arm>,
    scene: Arc<ParsedScene>,
    stage: Stage,
    shown: Arc<ArmsShown>,
}

impl SideBySide {
    /// Sets all arms of a scene up, with one seed.
    ///
    /// # Errors
    /// In words, when the scene lists fewer than two, or one of them cannot be set up.
    pub fn new(scene: &ParsedScene, seed: u64) -> Result<Self, String> {
        let names: Vec<&str> = scene
            .scene
            .arms
            .iter()
            .map(|arm| arm.name.as_str())
            .collect();
        if names.len() < 2 {
            return Err(format!(
                "`{}` has nothing to be put side by side: it lists {} `arms`",
                scene.name,
                if names.is_empty() {
                    "no"
                } else {
                    "only one of"
                }
            ));
        }
        let mut arms = Vec::with_capacity(names.len());
        for name in names {
            let simulation = Simulation::new(Arc::new(scene.arm(name)?), seed)
                .map_err(|error| format!("arm `{name}`: {error}"))?;
            let stage = Stage::of(&simulation.scene().scene);
            let sites = if stage.is_shared {
                (0..stage.places_um.len()).collect()
            } else {
                vec![stage.focus]
            };
            arms.push(Arm {
                name: name.to_owned(),
                simulation,
                sites,
            });
        }
        let stage = stage_of(&arms, facing(&scene.scene));
        let mut first = 0;
        let shown = arms.iter().map(|arm| {
            let shown = ArmShown {
                name: arm.name.clone(),
                first,
                sites: arm.sites.clone(),
            };
            first += arm.sites.len();
            shown
        });
        Ok(Self {
            shown: Arc::new(ArmsShown(shown.collect())),
            scene: Arc::new(scene.clone()),
            stage,
            arms,
        })
    }

    /// The first arm.
    ///
    /// # Panics
    /// Never: there are at least two.
    pub fn first(&self) -> &Simulation {
        &self.arms[0].simulation
    }

    /// The scene that they are arms of.
    pub const fn scene(&self) -> &Arc<ParsedScene> {
        &self.scene
    }

    /// The arms by name.
    pub fn arms(&self) -> impl Iterator<Item = (&str, &Simulation)> {
        let arms = self.arms.iter();
        arms.map(|arm| (arm.name.as_str(), &arm.simulation))
    }

    /// The simulations, to be changed.
    pub fn simulations_mut(&mut self) -> impl Iterator<Item = &mut Simulation> {
        self.arms.iter_mut().map(|arm| &mut arm.simulation)
    }

    /// Where the sites of all arms stand.
    pub const fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Takes one step in each.
    pub fn step(&mut self) {
        self.simulations_mut().for_each(Simulation::step);
    }

    /// Changes something in each.
    ///
    /// # Errors
    /// In words, when one of them refuses. They have one library and one set of parameters, so all do.
    pub fn apply(&mut self, action: &Action) -> Result<(), String> {
        for simulation in self.simulations_mut() {
            let taken = simulation.apply(action.clone());
            taken.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// All arms as one picture. Of a portrait asked for, only the arm of that cell is asked.
    pub fn snapshot(&self, request: &SnapshotRequest) -> Snapshot {
        let mut together = Snapshot::default();
        for (number, arm) in self.arms.iter().enumerate() {
            let from = number as u64 * PER_ARM;
            let own = request
                .portrait
                .and_then(|id| id.checked_sub(from))
                .filter(|id| *id < PER_ARM);
            let mut seen = arm.simulation.snapshot(&SnapshotRequest {
                portrait: own,
                // Diagrams are those of the first arm.
                diagrams: request.diagrams && number == 0,
                ..request.clone()
            });
            for site in &arm.sites {
                let Some(site) = seen.sites.get_mut(*site) else {
                    continue;
                };
                let mut site = std::mem::take(site);
                site.name = if arm.sites.len() > 1 {
                    format!("{}, {}", arm.name, site.name)
                } else {
                    arm.name.clone()
                };
                for id in &mut site.cells.id {
                    *id += from;
                }
                let layers = site.layers.iter_mut();
                for filled in layers.filter(|filled| filled.layer.stands_for_cells) {
                    for glyph in filled.glyphs.iter_mut().filter(|glyph| glyph.id != NOBODY) {
                        glyph.id += from;
                    }
                }
                together.sites.push(site);
            }
            if let Some(mut portrait) = seen.portrait.take() {
                portrait.id += from;
                together.portrait = Some(portrait);
            }
            if number == 0 {
                together = Snapshot {
                    sites: together.sites,
                    portrait: together.portrait,
                    ..seen
                };
            }
        }
        together.arms = Arc::clone(&self.shown);
        together.set_stage(self.stage.clone());
        together
    }
}

/// Along which axis the scene is looked at: that of its first cut, or else that along which its first camera looks most.
fn facing(scene: &Scene) -> Sight {
    let mut looks = scene.timeline.iter().filter_map(|event| match event {
        Event::At(_, Action::Look(look)) => Some(look),
        _ => None,
    });
    let cut = scene
        .recording
        .look
        .cut
        .or_else(|| looks.find_map(|look| look.cut));
    let camera = scene.timeline.iter().find_map(|event| match event {
        Event::At(_, Action::Camera(key)) => Some((key.azimuth_deg, key.elevation_deg)),
        _ => None,
    });
    let (azimuth_deg, elevation_deg) = camera.unwrap_or((-90.0, 12.0));
    let eye = CameraPose {
        target_um: (0.0, 0.0, 0.0),
        distance_um: 1.0,
        azimuth_deg,
        elevation_deg,
    }
    .eye_um();
    let axis = cut.map_or_else(
        || {
            let off = eye.abs();
            if off.z >= off.x && off.z >= off.y {
                Axis::Z
            } else if off.x > off.y {
                Axis::X
            } else {
                Axis::Y
            }
        },
        |cut| cut.axis,
    );
    Sight { axis, eye }
}

/// How a scene is looked at.
#[derive(Clone, Copy, Debug)]
struct Sight {
    /// The axis across which arms are put beside each other.
    axis: Axis,
    /// The direction to the eye.
    eye: Vec3,
}

impl Sight {
    /// The directions to the right and up, each along an axis of the tissue.
    fn across(self) -> (Vec3, Vec3) {
        let right = self.eye.cross(Vec3::Z) * -1.0;
        let level = |of: Vec3| {
            if of.x.abs() >= of.y.abs() {
                Vec3::X * 1.0_f32.copysign(of.x)
            } else {
                Vec3::Y * 1.0_f32.copysign(of.y)
            }
        };
        match self.axis {
            Axis::X => (Vec3::Y * 1.0_f32.copysign(right.y), Vec3::Z),
            Axis::Y => (Vec3::X * 1.0_f32.copysign(right.x), Vec3::Z),
            Axis::Z => {
                let right = level(right);
                (right, Vec3::Z.cross(right))
            }
        }
    }
}

/// Puts the arms beside each other.
fn stage_of(arms: &[Arm], sight: Sight) -> Stage {
    let (right, up) = sight.across();
    // What an arm fills, in the coordinates of its own stage.
    let blocks: Vec<(Stage, Vec3, Vec3)> = arms
        .iter()
        .map(|arm| {
            let scene = &arm.simulation.scene().scene;
            let stage = Stage::of(scene);
            let (mut low, mut high) = (Vec3::MAX, Vec3::MIN);
            for site in &arm.sites {
                let half = Vec3::from(scene.sites[*site].size_um) * 0.5;
                low = low.min(stage.place_um(*site) - half);
                high = high.max(stage.place_um(*site) + half);
            }
            (stage, low, high)
        })
        .collect();
    let largest = |along: Vec3| {
        let extents = blocks
            .iter()
            .map(|(_, low, high)| (*high - *low).dot(along));
        extents.fold(0.0_f32, |most, extent| most.max(extent.abs()))
    };
    let (wide, high) = (largest(right), largest(up));
    let columns = if arms.len() > IN_A_ROW {
        (arms.len() as f32).sqrt().ceil() as usize
    } else {
        arms.len()
    };
    let rows = arms.len().div_ceil(columns);
    let from_middle = |number: usize, of: usize| number as f32 - 0.5 * (of as f32 - 1.0);
    let mut stage = Stage {
        places_um: Vec::new(),
        focus: 0,
        is_shared: true,
    };
    for (number, (arm, (own, low, highest))) in arms.iter().zip(&blocks).enumerate() {
        let (row, column) = (number / columns, number % columns);
        let middle = 0.5 * (*low + *highest);
        let at = right * (from_middle(column, columns) * wide * (1.0 + GAP) - middle.dot(right))
            - up * (from_middle(row, rows) * (high + GAP_ABOVE * wide) + middle.dot(up));
        for site in &arm.sites {
            if number == 0 && *site == own.focus {
                stage.focus = stage.places_um.len();
            }
            stage.places_um.push(own.place_um(*site) + at);
        }
    }
    stage
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::{Program, WHOLE_STAGE};

    fn arms(camera: &str) -> SideBySide {
        let text = format!(
            r#"(
                title: "arms", about: "four", pace: Illustrative, duration: Hours(1),
                sites: [(name: "dish", organ: Medium, size_um: (200, 100, 80))],
                populations: [(cell: "cancer", place: Ball(radius_um: 20))],
                arms: [
                    (name: "a"),
                    (name: "b", parameters: {{"cancer.death.apoptosis_per_hour": 0.9}}),
                    (name: "c"),
                    (name: "d"),
                ],
                timeline: [{camera}],
            )"#
        );
        let scene = Program::default().parse_scene(&text, "arms.ron", None);
        let scene = scene.unwrap_or_else(|report| panic!("{report}"));
        SideBySide::new(&scene, 3).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn arms_stand_apart_across_the_cut_and_are_what_they_are_alone() {
        let mut arms = arms("At(Hours(0), Look(cut: (axis: Y)))");
        for _ in 0..20 {
            arms.step();
        }
        let second = arms.arms().nth(1).map(|(_, arm)| arm);
        let second = second.map(|arm| arm.snapshot(&SnapshotRequest::default()));
        let known = second.and_then(|seen| seen.sites[0].cells.id.first().copied());
        let wanted = known.map(|id| PER_ARM + id);
        assert!(wanted.is_some(), "there are cells in the second arm");
        let request = SnapshotRequest {
            portrait: wanted,
            ..SnapshotRequest::default()
        };
        let together = arms.snapshot(&request);
        let names: Vec<&str> = together.sites.iter().map(|site| &*site.name).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
        for (number, (name, simulation)) in arms.arms().enumerate() {
            let alone = simulation.snapshot(&SnapshotRequest::default());
            let (here, there) = (&together.sites[number].cells, &alone.sites[0].cells);
            assert_eq!(here.sphere_um, there.sphere_um, "{name}");
            let own: Vec<u64> = here.id.iter().map(|id| own_identity(*id)).collect();
            assert_eq!(own, there.id, "{name}");
            assert_eq!(together.arms.site_at(number), Some(0));
        }
        let at: Vec<_> = together.arms.at_site(0).collect();
        assert_eq!(at, [("a", 0), ("b", 1), ("c", 2), ("d", 3)]);
        assert_eq!(together.portrait.as_ref().map(|of| of.id), wanted);
        // None lies in another's block, and one cut opens all.
        for a in 0..4 {
            for b in 0..a {
                let apart = together.stage.place_um(a) - together.stage.place_um(b);
                assert_eq!(apart.y, 0.0);
                assert!(apart.x.abs() > 200.0 || apart.z.abs() > 80.0, "{apart}");
            }
        }
        let whole = together.whole.as_ref().map(|whole| whole.cells.len());
        let each: usize = together.sites.iter().map(|site| site.cells.len()).sum();
        assert_eq!(whole, Some(each));
        assert_eq!(together.sites_in(WHOLE_STAGE), 0..4);
    }

    #[test]
    fn the_first_arm_is_at_the_upper_left_from_wherever_it_is_looked_at() {
        for (azimuth, elevation) in [
            (-90.0, 12.0),
            (0.0, 10.0),
            (90.0, 5.0),
            (180.0, 0.0),
            (-90.0, 80.0),
        ] {
            let camera = format!(
                "At(Hours(0), Camera(distance_um: 900, azimuth_deg: {azimuth}, elevation_deg: {elevation}))"
            );
            let arms = arms(&camera);
            let pose = CameraPose {
                target_um: (0.0, 0.0, 0.0),
                distance_um: 900.0,
                azimuth_deg: azimuth,
                elevation_deg: elevation,
            };
            let seen = Transform::from_translation(pose.eye_um()).looking_at(Vec3::ZERO, Vec3::Z);
            let at = |arm: usize| {
                let place = arms.stage().place_um(arm);
                (place.dot(*seen.right()), place.dot(*seen.up()))
            };
            let (a, b, c) = (at(0), at(1), at(2));
            assert!(a.0 < b.0, "{azimuth}: {a:?} {b:?}");
            assert!(a.1 > c.1, "{azimuth}: {a:?} {c:?}");
        }
    }
}
