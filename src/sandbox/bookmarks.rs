//! Bookmarks: times and places to come back to.

use crate::scene::{CameraPose, Look};
use crate::view::overlay::time_text;
use crate::view::{ViewCamera, ViewSettings};

use super::state::Sandbox;

/// A time on a branch, and what was shown then.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bookmark {
    /// What it is called.
    pub name: String,
    /// The branch of time.
    pub branch: usize,
    /// Tissue time, minutes.
    pub minutes: f64,
    /// Where it was seen from.
    pub pose: CameraPose,
    /// How it was shown.
    pub look: Look,
    /// The site that was shown.
    pub site: usize,
}

impl Sandbox {
    /// Keeps this time and what is shown.
    pub fn add_bookmark(&mut self, hours: f64, settings: &ViewSettings, camera: &ViewCamera) {
        let number = self.bookmarks.len() + 1;
        self.bookmarks.push(Bookmark {
            name: format!("{number}: {}", time_text(hours)),
            branch: self.past.active,
            minutes: hours * 60.0,
            pose: camera.pose,
            look: settings.look.clone(),
            site: settings.site,
        });
    }

    /// Goes back to what a bookmark keeps.
    pub fn go_to_bookmark(
        &mut self,
        number: usize,
        settings: &mut ViewSettings,
        camera: &mut ViewCamera,
    ) {
        let Some(bookmark) = self.bookmarks.get(number).cloned() else {
            return;
        };
        self.set_following(false);
        settings.site = bookmark.site;
        settings.look = bookmark.look;
        camera.pose = bookmark.pose;
        if bookmark.branch != self.past.active {
            self.turn_to(bookmark.branch);
        }
        self.go_to_minutes(bookmark.minutes);
    }
}
