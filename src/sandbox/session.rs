//! What a person did to the tissue, as a scene that does it again.
//!
//! Every change is logged with the step boundary at which it took effect. On the way out the log is written
//! as a complete scene: the one explored, with its seed, and the changes appended to its timeline. Running
//! that file repeats the session.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::dialect::write_ron;
use crate::core::files::free_name;
use crate::scene::schema::{Action, Event, Span};
use crate::scene::{ParsedScene, Scene};

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
            other => write_ron(other).unwrap_or_else(|_| format!("{other:?}")),
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
    pub changes: Arc<Vec<Change>>,
    /// Tissue time reached, minutes.
    pub minutes_seen: f64,
}

impl Session {
    /// Logs a change; one that overwrites another at the same boundary replaces it.
    #[cfg(test)]
    pub fn log(&mut self, minutes: f64, action: Action) {
        log_change(Arc::make_mut(&mut self.changes), minutes, action);
    }

    /// The scene that repeats the session. Where that goes on after the end of its scene, what the scene repeats without an
    /// end of its own still ends where it did.
    pub fn replay(&self, scene: &Scene, seed: u64) -> Scene {
        let mut replay = scene.clone();
        replay.seed = seed;
        replay.title = format!("{} (explored)", scene.title);
        if replay.duration.minutes() < self.minutes_seen {
            for event in &mut replay.timeline {
                if let Event::Every { until, .. } = event {
                    until.get_or_insert(scene.duration);
                }
            }
            replay.duration = Span::Minutes(self.minutes_seen);
        }
        replay
            .timeline
            .extend(self.changes.iter().map(Change::event));
        replay
    }

    /// Writes the scene that repeats the session to `explore_<name>.ron` in `folder`, or the first of `explore_<name>-2.ron`... that
    /// is free, and says where; does nothing if nothing was changed. The file needs no other: cell types, molecules, drugs and
    /// the rows of tables stand in it.
    pub fn save(
        &self,
        parsed: &ParsedScene,
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
        let mut replay = parsed.clone();
        replay.scene = self.replay(&parsed.scene, seed);
        let text = replay.to_ron_with_arms(seed).map_err(failed)?;
        // A title may have lines, a comment has one.
        let title = parsed.scene.title.replace(char::is_control, " ");
        let mut file = format!(
            "// `{title}` with what was changed while exploring it; run it to have the same again.\n"
        );
        for change in self.changes.iter() {
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
mod tests;
