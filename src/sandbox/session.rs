//! What a person did to the tissue, as a scene that does it again.
//!
//! Every change is logged with the step boundary at which it took effect. On the way out the log is written
//! as a complete scene: the one explored, with its seed, and the changes appended to its timeline. Running
//! that file repeats the session.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use ron::ser::PrettyConfig;

use crate::core::files::free_name;
use crate::scene::Scene;
use crate::scene::schema::{Action, Event, Span};

/// A change and when it took effect.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    /// Tissue time of the step boundary, minutes.
    pub minutes: f64,
    /// What was changed.
    pub action: Action,
}

impl Change {
    /// The change as an event of a timeline.
    pub fn event(&self) -> Event {
        Event::At(Span::Minutes(self.minutes), self.action.clone())
    }

    /// The change as people write it in a scene.
    pub fn text(&self) -> String {
        let value = match &self.action {
            Action::Set(path, value) => format!("Set({path:?}, {value})"),
            other => ron::to_string(other).unwrap_or_else(|_| format!("{other:?}")),
        };
        format!("At({}, {value})", span_text(self.minutes))
    }
}

/// A time in the unit in which it is a short number.
fn span_text(minutes: f64) -> String {
    let hours = minutes / 60.0;
    if (hours * 100.0).fract() == 0.0 {
        format!("Hours({hours})")
    } else {
        format!("Minutes({minutes})")
    }
}

/// Logs a change; one that overwrites another at the same boundary replaces it.
pub(super) fn log_change(changes: &mut Vec<Change>, minutes: f64, action: Action) {
    if let Action::Set(path, _) = &action {
        changes.retain(|change| {
            change.minutes != minutes
                || !matches!(&change.action, Action::Set(earlier, _) if earlier == path)
        });
    }
    changes.push(Change { minutes, action });
}

/// The changes of one visit.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Session {
    /// What was changed, in order.
    pub changes: Vec<Change>,
    /// Tissue time reached, hours.
    pub hours_seen: f64,
}

impl Session {
    /// Logs a change; one that overwrites another at the same boundary replaces it.
    #[cfg(test)]
    pub fn log(&mut self, minutes: f64, action: Action) {
        log_change(&mut self.changes, minutes, action);
    }

    /// The scene that repeats the session.
    pub fn replay(&self, scene: &Scene, seed: u64) -> Scene {
        let mut replay = scene.clone();
        replay.seed = seed;
        replay.title = format!("{} (explored)", scene.title);
        replay
            .timeline
            .extend(self.changes.iter().map(Change::event));
        if replay.duration.hours() < self.hours_seen {
            replay.duration = Span::Hours(self.hours_seen);
        }
        replay
    }

    /// Writes the scene that repeats the session to `explore_<name>.ron` in `folder`, or the first of `explore_<name>-2.ron`... that
    /// is free, and says where; does
    /// nothing if nothing was changed.
    pub fn save(
        &self,
        scene: &Scene,
        name: &str,
        seed: u64,
        folder: &Path,
    ) -> Result<Option<PathBuf>, SaveError> {
        if self.changes.is_empty() {
            return Ok(None);
        }
        let path = free_name(&folder.join(format!("explore_{name}.ron")));
        let failed = |reason: String| SaveError {
            path: path.clone(),
            reason,
        };
        let config = PrettyConfig::new().depth_limit(6);
        let text = ron::ser::to_string_pretty(&self.replay(scene, seed), config)
            .map_err(|error| failed(error.to_string()))?;
        let mut file = format!(
            "// `{}` with what was changed while exploring it; run it to have the same again.\n",
            scene.title
        );
        for change in &self.changes {
            file.push_str(&format!("//   {}\n", change.text()));
        }
        file.push_str(&text);
        file.push('\n');
        let made = File::create_new(&path);
        made.and_then(|mut made| made.write_all(file.as_bytes()))
            .map_err(|error| failed(error.to_string()))?;
        Ok(Some(path))
    }
}

/// Why a session could not be saved.
#[derive(Debug, thiserror::Error)]
#[error("cannot save what was changed to `{}`: {reason}", path.display())]
pub struct SaveError {
    /// The file.
    pub path: PathBuf,
    /// What went wrong.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::super::engine::tests::set;
    use super::*;

    fn scene() -> Scene {
        ron::from_str(
            r#"(title: "A dish", about: "Cells.", pace: Calibrated, duration: Hours(2),
                sites: [(name: "dish", organ: Medium, size_um: (100, 100, 100))],
                timeline: [At(Hours(1), Set("a.b", 1))])"#,
        )
        .unwrap()
    }

    #[test]
    fn the_last_of_several_changes_at_one_boundary_counts() {
        let mut session = Session::default();
        session.log(30.0, set("a", 1.0));
        session.log(30.0, set("b", 9.0));
        session.log(30.0, set("a", 2.0));
        session.log(60.0, set("a", 3.0));
        let texts: Vec<String> = session.changes.iter().map(Change::text).collect();
        assert_eq!(
            texts,
            [
                "At(Hours(0.5), Set(\"b\", 9))",
                "At(Hours(0.5), Set(\"a\", 2))",
                "At(Hours(1), Set(\"a\", 3))",
            ]
        );
    }

    #[test]
    fn the_saved_scene_reads_back_with_the_changes_at_their_exact_times() {
        let folder = tempfile::tempdir().unwrap();
        let mut session = Session::default();
        for step in [0.0, 7.0, 181.0] {
            session.log(step, set("hypoxia.rate", step / 3.0));
        }
        session.hours_seen = 5.25;
        let path = session
            .save(&scene(), "dish", 42, folder.path())
            .unwrap()
            .unwrap();
        assert!(path.ends_with("explore_dish.ron"));
        let again: Scene = ron::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(again, session.replay(&scene(), 42));
        assert_eq!(again.seed, 42);
        assert_eq!(again.duration, Span::Hours(5.25));
        assert_eq!(again.timeline.len(), 4);
        assert_eq!(
            again.timeline[3],
            Event::At(Span::Minutes(181.0), set("hypoxia.rate", 181.0 / 3.0))
        );
    }

    #[test]
    fn a_visit_without_changes_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let saved = Session::default().save(&scene(), "dish", 1, folder.path());
        assert_eq!(saved.unwrap(), None);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let mut session = Session::default();
        session.log(0.0, set("a", 1.0));
        let error = session
            .save(&scene(), "dish", 1, Path::new("/nowhere/at/all"))
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("/nowhere/at/all/explore_dish.ron")
        );
    }
}
