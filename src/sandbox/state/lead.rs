//! What leads the camera: the film, or the growth of the tissue, until a person takes over.

use crate::scene::CameraPose;
use crate::scene::timeline::Timeline;
use crate::simulation::Snapshot;
use crate::view::overlay::{Foreseen, Pointer};
use crate::view::{Shown, ViewCamera, ViewSettings};

use super::{Sandbox, whole_view};

impl Sandbox {
    /// Lets the film lead the camera and what is shown, or stops that.
    pub fn set_following(&mut self, follows: bool) {
        self.follows = follows;
        self.frames_itself = false;
        self.led = None;
    }

    /// Shows what the film shows at this time, hours, unless somebody has taken over since.
    pub fn follow_film(
        &mut self,
        hours: f64,
        settings: &mut ViewSettings,
        camera: &mut ViewCamera,
    ) {
        let taken_over = self
            .led
            .as_ref()
            .is_some_and(|(pose, look)| *pose != camera.pose || *look != settings.look);
        if taken_over {
            self.set_following(false);
        }
        if !self.follows {
            return;
        }
        let scene = self.visit.scene();
        let look = self
            .visit
            .timeline()
            .look_at(hours, scene.recording.look.clone());
        let look = self.visit.stage.look(look);
        if settings.look != look {
            settings.look = look.clone();
        }
        if let Some(pose) = self.visit.way.pose_at(hours) {
            camera.pose = pose;
        }
        self.led = Some((camera.pose, look));
    }

    /// Keeps the whole tissue in the picture until somebody moves the camera.
    pub(super) fn follow_growth(
        &mut self,
        shown: &Shown,
        settings: &ViewSettings,
        camera: &mut ViewCamera,
    ) {
        let whole = whole_view(shown, settings);
        let pose = match self.automatic {
            None => whole,
            Some(before) if before != camera.pose => return,
            Some(before) => CameraPose {
                target_um: whole.target_um,
                distance_um: whole.distance_um.max(before.distance_um),
                ..before
            },
        };
        self.automatic = Some(pose);
        camera.pose = pose;
    }
}

/// The words that a timeline shows now, where it is known what they point at.
pub(in super::super) fn labels_of(
    timeline: &Timeline,
    snapshot: &Snapshot,
    site: usize,
) -> Vec<Pointer> {
    let labels = timeline.labels_at(snapshot.hours).into_iter();
    labels
        .filter_map(|(_, label)| Pointer::of(label, snapshot, site, &Foreseen::Nothing))
        .collect()
}
