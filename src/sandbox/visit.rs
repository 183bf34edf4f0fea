//! The scene that is explored, and what it wants to be shown.

use std::sync::Arc;

use crate::record::way::CameraWay;
use crate::scene::schema::{Action, Event};
use crate::scene::timeline::Timeline;
use crate::scene::{ParsedScene, Scene, Stage};
use crate::simulation::drawn_site;
use crate::view::ViewSettings;

/// A chapter that began this long ago has only just begun, hours.
const A_MOMENT_HOURS: f64 = 0.26;

/// The scene that is explored.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// The scene, with everything it refers to.
    pub parsed: Arc<ParsedScene>,
    /// Name of its file, without folder and ending.
    pub name: String,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Where the sites of its pictures stand.
    pub stage: Stage,
    /// Where the camera of the film is, as far as it is known beforehand.
    pub way: CameraWay,
}

impl Visit {
    /// A visit to a scene of that name, with that seed.
    pub fn new(parsed: Arc<ParsedScene>, name: String, seed: u64) -> Self {
        Self {
            stage: Stage::of(&parsed.scene),
            parsed,
            name,
            seed,
            way: CameraWay::default(),
        }
    }

    /// The scene.
    pub fn scene(&self) -> &Scene {
        &self.parsed.scene
    }

    /// Its timeline.
    pub fn timeline(&self) -> &Timeline {
        &self.parsed.timeline
    }

    /// Whether its film has a camera or looks that follow each other.
    pub fn has_film(&self) -> bool {
        let looks = self.scene().timeline.iter();
        let mut looks = looks.filter(|event| matches!(event, Event::At(_, Action::Look(_))));
        self.way.pose_at(0.0).is_some() || looks.nth(1).is_some()
    }

    /// Where the chapter after this time begins, hours.
    pub fn next_chapter(&self, hours: f64) -> Option<f64> {
        let mut begins = self.timeline().chapters().into_iter().map(|(at, ..)| at);
        begins.find(|at| *at > hours + A_MOMENT_HOURS)
    }

    /// Where the chapter begins in which this time lies, hours; the one before where that has only just begun, and the start of
    /// the run before the first.
    pub fn previous_chapter(&self, hours: f64) -> f64 {
        let chapters = self.timeline().chapters();
        let mut begun = chapters.iter().map(|(at, ..)| *at);
        begun
            .rfind(|at| *at < hours - A_MOMENT_HOURS)
            .unwrap_or(0.0)
    }

    /// When its timeline is over, hours.
    pub fn end_hours(&self) -> f64 {
        self.scene().duration.hours()
    }
}

/// What a scene wants to be shown at its start; from then on the person decides.
pub(super) fn first_settings(visit: &Visit) -> ViewSettings {
    let (scene, stage) = (visit.scene(), &visit.stage);
    let look = scene
        .timeline
        .iter()
        .find_map(|event| match event {
            Event::At(at, Action::Look(look)) if at.minutes() <= 0.0 => Some(look),
            _ => None,
        })
        .unwrap_or(&scene.recording.look)
        .clone();
    ViewSettings {
        site: drawn_site(stage),
        ..ViewSettings::of_look(stage.look(look))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tour_goes_from_chapter_to_chapter() {
        let scene = ParsedScene::from_ron(
            "tour.ron",
            r#"(title: "T", about: "A", pace: Calibrated, duration: Hours(9), sites: [], timeline: [
                At(Hours(5), Chapter("2", "Then")), At(Hours(2), Chapter("1", "First")), At(Hours(8), Chapter("", ""))])"#,
        );
        let visit = Visit::new(
            Arc::new(scene.expect("it is well written")),
            "tour".into(),
            1,
        );
        assert_eq!(visit.next_chapter(0.0), Some(2.0));
        assert_eq!(visit.next_chapter(2.0), Some(5.0));
        assert_eq!(visit.next_chapter(5.1), None);
        assert_eq!(visit.previous_chapter(6.0), 5.0);
        assert_eq!(visit.previous_chapter(5.1), 2.0, "it has only just begun");
        assert_eq!(visit.previous_chapter(2.0), 0.0);
    }
}
