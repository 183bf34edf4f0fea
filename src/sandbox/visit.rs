//! The scene that is explored, and what it wants to be shown.

use crate::record::way::CameraWay;
use crate::scene::schema::{Action, Event};
use crate::scene::timeline::Timeline;
use crate::scene::{Scene, Stage};
use crate::simulation::drawn_site;
use crate::view::ViewSettings;

/// The scene that is explored.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// The scene.
    pub scene: Scene,
    /// Its timeline.
    pub timeline: Timeline,
    /// Name of its file, without folder and ending.
    pub name: String,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Where the camera of the film is, as far as it is known beforehand.
    pub way: CameraWay,
}

impl Visit {
    /// A visit to a scene of that name, with that seed.
    pub fn new(scene: Scene, name: String, seed: u64) -> Self {
        Self {
            timeline: Timeline::new(&scene),
            scene,
            name,
            seed,
            way: CameraWay::default(),
        }
    }

    /// Whether its film has a camera or looks that follow each other.
    pub fn has_film(&self) -> bool {
        let looks = self.scene.timeline.iter();
        let mut looks = looks.filter(|event| matches!(event, Event::At(_, Action::Look(_))));
        self.way.pose_at(0.0).is_some() || looks.nth(1).is_some()
    }

    /// When its timeline is over, hours.
    pub fn end_hours(&self) -> f64 {
        self.scene.duration.hours()
    }
}

/// What a scene wants to be shown at its start; from then on the person decides.
pub(super) fn first_settings(scene: &Scene) -> ViewSettings {
    let look = scene
        .timeline
        .iter()
        .find_map(|event| match event {
            Event::At(at, Action::Look(look)) if at.minutes() <= 0.0 => Some(look),
            _ => None,
        })
        .unwrap_or(&scene.recording.look)
        .clone();
    let stage = Stage::of(scene);
    ViewSettings {
        site: drawn_site(&stage),
        ..ViewSettings::of_look(stage.look(look))
    }
}
